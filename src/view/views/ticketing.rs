//! What is read of tickets: what each target is due and has, the desk's own ledger.

use super::Views;
use crate::base::{CallId, TargetId};
use crate::event::TicketState;
use crate::view::feeding::{Due, FeedRules, FeedStatus, OutboxRow, TicketRow};
use crate::view::incidents::{IncidentRow, LEDGER};

impl Views {
    /// Calls that have something due at a target, in the order in which it became due; none of those that
    /// wait for a person.
    pub fn tickets_due(&self, target: &TargetId) -> impl Iterator<Item = CallId> {
        self.feeding.due(target)
    }

    /// What is due next of one call; none when nothing is, or it waits for a person.
    #[must_use]
    pub fn ticket_step(&self, target: &TargetId, call: CallId) -> Option<Due> {
        self.feeding.next(target, call)
    }

    /// The same, also of a call that waits for a person.
    #[must_use]
    pub fn first_ticket_step(&self, target: &TargetId, call: CallId) -> Option<Due> {
        self.feeding.first(target, call)
    }

    /// How each target stands that is configured.
    #[must_use]
    pub fn feed_statuses(&self) -> Vec<FeedStatus> {
        self.feeding.statuses()
    }

    /// The rules by which a target is fed; none: it is not.
    #[must_use]
    pub fn feed_rules(&self, target: &TargetId) -> Option<&FeedRules> {
        self.feeding.rules(target)
    }

    /// Targets that are fed.
    pub fn fed_targets(&self) -> impl Iterator<Item = &TargetId> {
        self.feeding.names()
    }

    /// Calls of which a target has not got everything, in order of their arrival, `most` of them, and how
    /// many there are.
    #[must_use]
    pub fn outbox(
        &self,
        target: &TargetId,
        only_stuck: bool,
        most: usize,
    ) -> (Vec<OutboxRow>, usize) {
        self.feeding.outbox(target, only_stuck, most)
    }

    /// What of a call a target has not got; none when it has all.
    #[must_use]
    pub fn outbox_row(&self, target: &TargetId, call: CallId) -> Option<OutboxRow> {
        self.feeding.outbox_row(target, call)
    }

    /// A call's ticket at a target, as long as it is held.
    #[must_use]
    pub fn ticket_of(&self, target: &TargetId, call: CallId) -> Option<&str> {
        self.feeding.ticket_of(target, call)
    }

    /// How a target's tickets stand, as it told last; of the ledger, its incidents.
    #[must_use]
    pub fn ticket_states(&self, target: &TargetId) -> Vec<TicketRow> {
        if target.as_str() != LEDGER {
            return self.feeding.tickets(target);
        }
        let row = |it: &IncidentRow| TicketRow {
            ticket: it.incident.to_string(),
            call: it.call,
            state: it.state.clone(),
        };
        self.incidents.all().map(row).collect()
    }

    /// The state of one of a target's tickets as it was last told.
    #[must_use]
    pub fn ticket_state(&self, target: &TargetId, ticket: &str) -> Option<&TicketState> {
        self.feeding.seen(target, ticket)
    }

    /// Up to where a target's tickets were read; empty: from the beginning.
    #[must_use]
    pub fn ticket_cursor(&self, target: &TargetId) -> &str {
        self.feeding.cursor(target)
    }

    /// Incidents of the desk's own ledger, the newest first.
    pub fn incidents(&self) -> impl Iterator<Item = &IncidentRow> {
        self.incidents.all()
    }

    /// One of them.
    #[must_use]
    pub fn incident(&self, incident: u64) -> Option<&IncidentRow> {
        self.incidents.get(incident)
    }

    /// The one of a call.
    #[must_use]
    pub fn incident_of(&self, call: CallId) -> Option<&IncidentRow> {
        self.incidents.of_call(call)
    }
}
