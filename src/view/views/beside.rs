//! What the views keep beside calls and figures: the calendar, warnings that turned, what was erased.

use super::Views;
use crate::base::{AgentId, CallId, GroupId, Private, Wall, kept};
use crate::view::call::Call;
use crate::view::earlier::EarlierRow;
use crate::view::incidents::IncidentRow;
use crate::view::layout::Layout;
use crate::view::placed::PlacedRow;
use crate::view::service_days::ServiceDays;
use crate::view::service_level::Tally;
use crate::view::turns::Turns;
use crate::view::unanswered::UnansweredRow;
use crate::view::written::Written;
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};

/// What the running daemon erased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErasedCalls {
    /// Calls, of the whole history.
    pub calls: u64,
    /// Calls that arrived before then were looked at last; none before the first time.
    pub before: Option<Wall>,
}

kept!(struct ErasedCalls { calls, before });

impl Views {
    /// Takes the days on which the desk serves, as a plan says; only the outlook and what is usual look at them,
    /// so it may be done at any time.
    pub fn set_service_days(&mut self, days: ServiceDays) {
        self.service_days = days;
    }

    /// The days on which the desk serves.
    #[must_use]
    pub fn service_days(&self) -> &ServiceDays {
        &self.service_days
    }

    /// Takes what a plan says of numbers and groups; only the board and panels look at it.
    pub fn set_layout(&mut self, layout: Layout) {
        self.layout = layout;
    }

    pub(in crate::view) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(in crate::view) fn serves_on(&self, day: NaiveDate) -> bool {
        self.service_days.serves_on(day)
    }

    /// Calls at counted numbers that are over, by the group that each asked for last; groups that had none
    /// are not among them.
    pub fn grouped(&self) -> impl Iterator<Item = (&GroupId, &Tally)> {
        self.grouped.iter()
    }

    /// How many calls wait by group, and the longest of those waits now, milliseconds; groups without are
    /// not among them. `age_ms` as for [`Views::board`].
    #[must_use]
    pub fn waiting_by_group(
        &self,
        age_ms: &dyn Fn(CallId) -> Option<u64>,
    ) -> BTreeMap<&GroupId, (u64, u64)> {
        let mut groups: BTreeMap<&GroupId, (u64, u64)> = BTreeMap::new();
        for call in self.waiting() {
            let Some(group) = &call.group else { continue };
            let (count, longest_ms) = groups.entry(group).or_default();
            *count += 1;
            *longest_ms = call.wait_now_ms(age_ms(call.id)).max(*longest_ms);
        }
        groups
    }

    /// Calls without an end, in order of arrival.
    pub(in crate::view) fn open(&self) -> impl Iterator<Item = &Call> {
        self.open.values()
    }

    /// A call that is up, or on the list of the ended.
    pub(in crate::view) fn listed(&self, call: CallId) -> Option<&Call> {
        let ended = || self.ended.iter().rev().find(|it| it.id == call);
        self.open.get(&call).or_else(ended)
    }

    pub(in crate::view) fn is_in_plan(&self, agent: &AgentId) -> bool {
        self.agents.is_in_plan(agent)
    }

    pub(in crate::view) fn last_call_of(&self, agent: &AgentId) -> Option<CallId> {
        self.agents.last_call_of(agent)
    }

    pub(in crate::view) fn placed_by(&self, agent: &AgentId) -> Option<PlacedRow> {
        self.placed.by(agent.as_str())
    }

    pub(in crate::view) fn unanswered_of(
        &self,
        agent: &AgentId,
    ) -> impl Iterator<Item = &UnansweredRow> {
        self.unanswered.of(agent)
    }

    pub(in crate::view) fn written(&self) -> &Written {
        &self.written
    }

    /// Earlier calls of a number that are over, the last to end first; at most ten.
    #[must_use]
    pub fn earlier_of(&self, number: &Private<String>) -> Vec<EarlierRow> {
        self.earlier.of(number)
    }

    /// Warnings that turned, and who was told.
    #[must_use]
    pub fn turns(&self) -> &Turns {
        &self.turns
    }

    /// What the running daemon erased of old calls.
    #[must_use]
    pub fn erased(&self) -> ErasedCalls {
        self.erased
    }

    /// Whether a call is up: one that came, or one that was dialled.
    #[must_use]
    pub fn is_up(&self, call: CallId) -> bool {
        self.open.contains_key(&call) || self.placed.is_up(call)
    }

    /// Whether somebody is still to be called back for a call.
    #[must_use]
    pub fn is_to_be_called_back(&self, call: CallId) -> bool {
        self.attended.is_due(call)
    }

    /// Lists say at once what the journal says from its next reading on.
    pub(super) fn erase(&mut self, before: Wall, calls: u64) {
        self.erased.calls = self.erased.calls.saturating_add(calls);
        self.erased.before = Some(before);
        self.erase_due(&|_, at| at < before, &|row| row.since < before);
    }

    /// The same of these calls, and of these incidents that are no call's.
    pub(super) fn erase_these(&mut self, calls: &[CallId], incidents: &[u64]) {
        let calls: BTreeSet<CallId> = calls.iter().copied().collect();
        self.erase_due(&|call, _| calls.contains(&call), &|row| incidents.contains(&row.incident));
    }

    /// Of calls by what is told of each, of incidents that are no call's by the second.
    fn erase_due(
        &mut self,
        calls: &dyn Fn(CallId, Wall) -> bool,
        incidents: &dyn Fn(&IncidentRow) -> bool,
    ) {
        let attended = &self.attended;
        let due = |call: CallId, at: Wall| calls(call, at) && !attended.is_due(call);
        let mut gone = BTreeSet::new();
        for call in self.ended.iter_mut().filter(|call| due(call.id, call.arrived_at)) {
            call.erase();
            gone.insert(call.id);
        }
        self.placed.erase(calls);
        self.feeding.erase(&due);
        self.incidents.erase(&|row| match row.call {
            Some(call) => due(call, row.since),
            None => incidents(row),
        });
        self.earlier.erase(&due);
        self.unanswered.erase(&due);
        self.written.erase(&due);
        self.attended.erase(&|call, at| gone.contains(&call) || calls(call, at));
    }
}
