//! The desk's own ledger of incidents (インシデント台帳): for a desk without a ticket system. Incidents of calls
//! are in it by themselves, by the rules of the target `ledger`; what persons write about them, and those that
//! came by other ways, are entries of the history.

use super::call::Call;
use super::erased::shown;
use super::feeding::{FeedRules, Handling};
use super::outcome::Outcome;
use crate::base::{AgentId, CallId, Private, Wall, kept};
use crate::event::{Channel, IncidentEvent, TicketState, chain};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// The target that is no system elsewhere, but this ledger.
pub const LEDGER: &str = "ledger";
/// Incidents that are held (about 100 MB; two years of a desk with 400 calls a day); the oldest leaves, and
/// stands in the history.
pub const INCIDENTS_KEPT: usize = 200_000;

/// One incident as shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IncidentRow {
    /// The entry of the history that opened it: its number for ever.
    pub incident: u64,
    /// Of which call, if of one.
    pub call: Option<CallId>,
    /// By which way somebody turned to the desk.
    pub channel: Channel,
    /// In a few words; empty until somebody writes them.
    pub subject: Private<String>,
    /// The caller's number, if it is known.
    pub caller: Option<Private<String>>,
    /// Who answered the call first.
    pub agent: Option<AgentId>,
    /// What the call came to.
    pub outcome: Option<Outcome>,
    /// The site's own kind of it; empty: none.
    pub category: String,
    /// How it stands.
    pub state: TicketState,
    /// Times that it was written.
    pub revision: u32,
    /// Who wrote it last.
    pub author: Option<String>,
    /// The call's arrival, or when it was entered by hand: by this it is erased.
    #[serde(skip)]
    pub since: Wall,
}

kept!(json Outcome);
kept!(struct IncidentRow { incident, call, channel, subject, caller, agent, outcome, category, state, revision, author, since });

/// The fold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Incidents {
    all: BTreeMap<u64, IncidentRow>,
    of_call: BTreeMap<CallId, u64>,
    left: u64,
}

kept!(struct Incidents { all, of_call, left });

impl Incidents {
    /// A call was decided by this entry.
    pub(super) fn decided(
        &mut self,
        rules: Option<&FeedRules>,
        call: &Call,
        outcome: Outcome,
        seq: u64,
    ) {
        if !call.counted || rules.is_none_or(|rules| rules.of(outcome) != Handling::Ticket) {
            return;
        }
        let caller = call.known_caller().cloned();
        self.insert(IncidentRow {
            incident: seq,
            call: Some(call.id),
            channel: Channel::Phone,
            subject: Private::default(),
            caller,
            agent: call.agent.clone(),
            outcome: Some(outcome),
            category: String::new(),
            state: received(call.arrived_at),
            revision: 0,
            author: None,
            since: call.arrived_at,
        });
    }

    /// What a person wrote, and with which entry.
    pub(super) fn apply(&mut self, event: &IncidentEvent, (seq, at): (u64, Wall)) {
        match event {
            IncidentEvent::IncidentOpened { channel, subject, state, author, .. } => {
                self.insert(IncidentRow {
                    incident: seq,
                    call: None,
                    channel: *channel,
                    subject: shown(subject),
                    caller: None,
                    agent: None,
                    outcome: None,
                    category: String::new(),
                    state: (**state).clone(),
                    revision: 1,
                    author: Some(author.clone()),
                    since: at,
                });
            }
            IncidentEvent::IncidentChanged {
                incident, subject, category, state, author, ..
            } => {
                let Some(row) = self.all.get_mut(incident) else { return };
                if let Some(subject) = subject {
                    row.subject = shown(subject);
                }
                row.category.clone_from(category);
                row.state = (**state).clone();
                row.revision = row.revision.saturating_add(1);
                row.author = Some(author.clone());
            }
        }
    }

    fn insert(&mut self, row: IncidentRow) {
        if let Some(call) = row.call {
            self.of_call.insert(call, row.incident);
        }
        self.all.insert(row.incident, row);
        if self.all.len() > INCIDENTS_KEPT
            && let Some((_, oldest)) = self.all.pop_first()
        {
            self.left = self.left.saturating_add(1);
            oldest.call.map(|call| self.of_call.remove(&call));
        }
    }

    /// Numbers and words of calls that arrived before `before`, and of what was entered before then, are no more.
    pub(super) fn erase(&mut self, due: &dyn Fn(&IncidentRow) -> bool) {
        for row in self.all.values_mut().filter(|row| due(row)) {
            row.caller = None;
            if !row.subject.reveal().is_empty() && !chain::is_erased(row.subject.reveal()) {
                row.subject = super::erased::erased();
            }
        }
    }

    pub(super) fn get(&self, incident: u64) -> Option<&IncidentRow> {
        self.all.get(&incident)
    }

    pub(super) fn of_call(&self, call: CallId) -> Option<&IncidentRow> {
        self.get(*self.of_call.get(&call)?)
    }

    /// The newest first.
    pub(super) fn all(&self) -> impl Iterator<Item = &IncidentRow> {
        self.all.values().rev()
    }
}

/// An open ticket about which nothing is known but its receipt.
fn received(received_at: Wall) -> TicketState {
    TicketState {
        received_at,
        completed_at: None,
        escalations: Vec::new(),
        reported_at: None,
        technical: false,
        exclusions: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
