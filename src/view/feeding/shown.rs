//! What is read of the outbox: by the daemon, by pages, metrics and the command line.

use super::{Edited, Feeding, Line, StepKind, Target};
use crate::base::{CallId, Private, TargetId, Wall};
use crate::event::{TicketState, Unfed};
use crate::view::incidents::LEDGER;
use schemars::JsonSchema;
use serde::Serialize;

/// What a target is due next of one call.
#[derive(Clone, Debug, PartialEq)]
pub struct Due {
    /// Of which call.
    pub call: CallId,
    /// The entry that made it due.
    pub seq: u64,
    /// When.
    pub at: Wall,
    /// What.
    pub kind: StepKind,
    /// The call's ticket, if it is known to have one.
    pub ticket: Option<String>,
    /// Words that a person put in the place of ours.
    pub edited: Option<Edited>,
    /// The after-call work that is known by now, milliseconds.
    pub wrap_up_ms: Option<u64>,
}

/// How one target stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FeedStatus {
    /// Its name in the configuration.
    pub target: TargetId,
    /// Calls of which it has not got everything.
    pub waiting: u64,
    /// Of those the ones that wait for a person.
    pub stuck: u64,
    /// When the oldest of those that wait for the target became due, by the wall clock.
    pub oldest_at_ms: Option<Wall>,
    /// Tickets it has been given since it was first configured.
    pub opened: u64,
    /// Of those the ones that were there already, by an earlier try.
    pub found: u64,
    /// What was added to tickets.
    pub added: u64,
    /// Steps that were given up.
    pub given_up: u64,
    /// Calls that a person took out.
    pub discarded: u64,
    /// Steps that found no room.
    pub left_over: u64,
    /// When it last took something.
    pub last_done_at_ms: Option<Wall>,
}

/// A call of which a target has not got everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OutboxRow {
    /// Which.
    pub call: CallId,
    /// Its arrival, by the wall clock; when the step became due, of one whose ticket is there.
    pub arrived_at_ms: Wall,
    /// Its caller's number, if there is one.
    pub caller: Option<Private<String>>,
    /// Its ticket there, if it is known to have one.
    pub ticket: Option<String>,
    /// What is due, in order: `open`, `ended`, `note`, `wrap_up`, `called_back`, `later_call`.
    pub steps: Vec<&'static str>,
    /// When the first of them became due.
    pub due_at_ms: Wall,
    /// Why it waits for a person, if it does.
    pub stuck: Option<DeadRow>,
}

/// Why something waits for a person (a dead letter).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeadRow {
    /// Since then, by the wall clock.
    pub at_ms: Wall,
    /// Tries until then.
    pub tries: u32,
    /// What the last one came to.
    pub why: Unfed,
}

/// A ticket as a target tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TicketRow {
    /// The target's name of it.
    pub ticket: String,
    /// Of which call, if of one.
    pub call: Option<CallId>,
    /// How it stands.
    pub state: TicketState,
}

impl Due {
    /// A ticket as if it were opened now for a call whose last entry is known.
    #[must_use]
    pub const fn as_new(call: CallId, seq: u64, at: Wall) -> Self {
        let kind = StepKind::Open;
        Self { call, seq, at, kind, ticket: None, edited: None, wrap_up_ms: None }
    }
}

impl Target {
    fn due(&self, call: CallId, line: &Line) -> Option<Due> {
        let step = line.steps.front()?;
        let wrap_up = line.steps.iter().rev().find_map(|it| match it.kind {
            StepKind::WrapUp { ms } => Some(ms),
            _ => None,
        });
        Some(Due {
            call,
            seq: step.seq,
            at: step.at,
            kind: step.kind,
            ticket: self.tickets.get(&call).cloned(),
            edited: line.edited.clone(),
            wrap_up_ms: wrap_up,
        })
    }

    fn row(&self, call: CallId, line: &Line) -> Option<OutboxRow> {
        Some(OutboxRow {
            call,
            arrived_at_ms: line.arrived_at,
            caller: line.caller.clone(),
            ticket: self.tickets.get(&call).cloned(),
            steps: line.steps.iter().map(|step| step.kind.name()).collect(),
            due_at_ms: line.steps.front()?.at,
            stuck: line.stuck.as_ref().map(|it| DeadRow {
                at_ms: it.at,
                tries: it.tries,
                why: it.why,
            }),
        })
    }
}

impl Feeding {
    /// Calls that have something due at a target, in the order in which it became due; none of those that
    /// wait for a person.
    pub(in crate::view) fn due(&self, target: &TargetId) -> impl Iterator<Item = CallId> {
        let known = self.targets.get(target).filter(|known| known.rules.is_some());
        known.into_iter().flat_map(|known| known.order.iter().map(|(_, call)| *call))
    }

    /// What is due next of one call.
    pub(in crate::view) fn next(&self, target: &TargetId, call: CallId) -> Option<Due> {
        let target = self.targets.get(target)?;
        let line = target.lines.get(&call).filter(|line| line.stuck.is_none())?;
        target.due(call, line)
    }

    /// The same, also of one that waits for a person.
    pub(in crate::view) fn first(&self, target: &TargetId, call: CallId) -> Option<Due> {
        let target = self.targets.get(target)?;
        target.due(call, target.lines.get(&call)?)
    }

    /// How each target stands that is configured, or has tickets of ours.
    pub(in crate::view) fn statuses(&self) -> Vec<FeedStatus> {
        let status = |(name, it): (&TargetId, &Target)| {
            let oldest = it.order.first().and_then(|(_, call)| it.lines.get(call));
            let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
            FeedStatus {
                target: name.clone(),
                waiting: count(it.lines.len()),
                stuck: count(it.lines.len().saturating_sub(it.order.len())),
                oldest_at_ms: oldest.and_then(|line| line.steps.front()).map(|step| step.at),
                opened: it.counts.opened,
                found: it.counts.found,
                added: it.counts.added,
                given_up: it.counts.given_up,
                discarded: it.counts.discarded,
                left_over: it.counts.left_over,
                last_done_at_ms: it.counts.last_done_at,
            }
        };
        let fed = self.targets.iter().filter(|(_, it)| it.rules.is_some());
        fed.map(status).collect()
    }

    /// Which rules a target is fed by; none: it is not.
    pub(in crate::view) fn rules(&self, target: &TargetId) -> Option<&super::FeedRules> {
        self.targets.get(target)?.rules.as_ref()
    }

    /// The rules of the desk's own ledger; none: it keeps none. Asked at every decided call.
    pub(in crate::view) fn ledger(&self) -> Option<&super::FeedRules> {
        let (_, ledger) = self.targets.iter().find(|(name, _)| name.as_str() == LEDGER)?;
        ledger.rules.as_ref()
    }

    /// Targets that are fed.
    pub(in crate::view) fn names(&self) -> impl Iterator<Item = &TargetId> {
        self.targets.iter().filter(|(_, it)| it.rules.is_some()).map(|(name, _)| name)
    }

    /// Calls of which a target has not got everything, in order of their arrival, and how many there are.
    pub(in crate::view) fn outbox(
        &self,
        target: &TargetId,
        only_stuck: bool,
        most: usize,
    ) -> (Vec<OutboxRow>, usize) {
        let Some(target) = self.targets.get(target) else { return (Vec::new(), 0) };
        let lines = target.lines.iter().filter(|(_, line)| !only_stuck || line.stuck.is_some());
        let rows = lines.clone().filter_map(|(call, line)| target.row(*call, line));
        (rows.take(most).collect(), lines.count())
    }

    /// What of a call a target has not got.
    pub(in crate::view) fn outbox_row(&self, target: &TargetId, call: CallId) -> Option<OutboxRow> {
        let target = self.targets.get(target)?;
        target.row(call, target.lines.get(&call)?)
    }

    /// A call's ticket at a target.
    pub(in crate::view) fn ticket_of(&self, target: &TargetId, call: CallId) -> Option<&str> {
        self.targets.get(target)?.tickets.get(&call).map(String::as_str)
    }

    /// How a target's tickets stand.
    pub(in crate::view) fn tickets(&self, target: &TargetId) -> Vec<TicketRow> {
        let seen = self.targets.get(target).into_iter().flat_map(|target| &target.seen);
        let row = |(ticket, it): (&String, &super::Seen)| TicketRow {
            ticket: ticket.clone(),
            call: it.call,
            state: it.state.clone(),
        };
        seen.map(row).collect()
    }

    /// Up to where a target was read; empty: from the beginning.
    pub(in crate::view) fn cursor(&self, target: &TargetId) -> &str {
        self.targets.get(target).map_or("", |target| &target.cursor)
    }

    /// The state of one of a target's tickets as it was last told.
    pub(in crate::view) fn seen(&self, target: &TargetId, ticket: &str) -> Option<&TicketState> {
        self.targets.get(target)?.seen.get(ticket).map(|it| &it.state)
    }
}
