//! Rings that an agent did not take, one by one: the last of each agent, for who comes back to the desk.

use super::call::Call;
use super::erased::caller_erased;
use crate::base::{AgentId, CallId, GroupId, Wall, kept};
use crate::event::{Caller, OfferEnd};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};

/// Rings of one agent that are held; the oldest leaves first.
pub const UNANSWERED_OF_ONE: usize = 20;
/// Agents that are told apart; who comes then has none.
const AGENTS_MOST: usize = 4_096;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unanswered {
    /// It rang out.
    Missed,
    /// The phone said no.
    Refused,
    /// The caller hung up meanwhile.
    CallerLeft,
    /// The phone could not be reached.
    Unreachable,
}

kept!(
    enum Unanswered {
        Missed,
        Refused,
        CallerLeft,
        Unreachable,
    }
);

/// One ring as shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UnansweredRow {
    /// Of which call.
    pub call: CallId,
    /// When it was over, by the wall clock.
    pub at_ms: Wall,
    /// Who called.
    pub caller: Caller,
    /// The group that the caller asked for last.
    pub group: Option<GroupId>,
    /// What came of it.
    pub why: Unanswered,
}

kept!(struct UnansweredRow { call, at_ms, caller, group, why });

/// The fold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct AllUnanswered(BTreeMap<AgentId, VecDeque<UnansweredRow>>);

kept!(newtype AllUnanswered);

impl AllUnanswered {
    /// A ringing of an agent's phone is over without a conversation.
    pub(super) fn rang(&mut self, agent: &AgentId, call: &Call, why: OfferEnd, at: Wall) {
        let why = match why {
            OfferEnd::RangOut => Unanswered::Missed,
            OfferEnd::Refused { .. } => Unanswered::Refused,
            OfferEnd::CallerLeft => Unanswered::CallerLeft,
            OfferEnd::Unreachable => Unanswered::Unreachable,
            OfferEnd::TakenElsewhere | OfferEnd::Withdrawn => return,
        };
        if !self.0.contains_key(agent) && self.0.len() >= AGENTS_MOST {
            return;
        }
        let rows = self.0.entry(agent.clone()).or_default();
        if rows.len() >= UNANSWERED_OF_ONE {
            rows.pop_front();
        }
        let (caller, group) = (call.caller.clone(), call.group.clone());
        rows.push_back(UnansweredRow { call: call.id, at_ms: at, caller, group, why });
    }

    /// The newest first.
    pub(super) fn of(&self, agent: &AgentId) -> impl Iterator<Item = &UnansweredRow> {
        self.0.get(agent).into_iter().flatten().rev()
    }

    /// Nobody knows any more who made the calls that are due.
    pub(super) fn erase(&mut self, due: &dyn Fn(CallId, Wall) -> bool) {
        for row in self.0.values_mut().flatten() {
            if due(row.call, row.at_ms) {
                row.caller = caller_erased(&row.caller);
            }
        }
    }
}
