//! What the views keep beside calls and figures: the calendar, warnings that turned, what was erased.

use super::Views;
use crate::base::{CallId, GroupId, Wall, kept};
use crate::view::call::Call;
use crate::view::layout::Layout;
use crate::view::service_days::ServiceDays;
use crate::view::service_level::Tally;
use crate::view::turns::Turns;
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

    /// Takes what a plan says of numbers and groups; only the board looks at it.
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

    /// Lists say at once what the journal says from its next reading on.
    pub(super) fn erase(&mut self, before: Wall, calls: u64) {
        self.erased.calls = self.erased.calls.saturating_add(calls);
        self.erased.before = Some(before);
        let attended = &self.attended;
        let due = |call: &Call| call.arrived_at < before && !attended.is_due(call.id);
        let mut gone = BTreeSet::new();
        for call in self.ended.iter_mut().filter(|call| due(call)) {
            call.erase();
            gone.insert(call.id);
        }
        self.placed.erase(before);
        self.attended.erase(before, &|call| gone.contains(&call));
    }
}
