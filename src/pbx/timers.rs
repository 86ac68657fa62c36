//! All deadlines of the desk in one ordered set. Each owner has at most one and keeps a copy of it,
//! so that moving or dropping it needs no search and none can be lost.

use super::agent::AgentIx;
use crate::base::{LegId, Mono};
use std::collections::BTreeSet;

/// Whose deadline it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// A call's own next step: named by the caller's leg. Before the phones: at the end of the longest
    /// wait none is rung any more.
    Call(LegId),
    /// A placed call's: named by the caller's leg.
    Placed(LegId),
    /// A wish to be called back: named by its own leg.
    Callback(LegId),
    /// A phone has rung long enough.
    Phone(LegId),
    /// An agent's wrap-up or time aside is over.
    Agent(AgentIx),
    /// A guest of a talk has rung long enough, or has no time left outside.
    Guest(LegId),
    /// An agent holds a caller for too long: named by the caller's leg.
    Hold(LegId),
    /// No further key came from a phone whose agent talks.
    Keypad(LegId),
    /// A feature code's answer has been played long enough.
    Code(LegId),
    /// A closing or opening out of turn may be over.
    Hours,
}

/// The deadlines.
#[derive(Debug, Default)]
pub(super) struct Timers(BTreeSet<(Mono, Timer)>);

impl Timers {
    /// Moves the deadline of `whose` from `held` to `at`; none drops it.
    pub(super) fn set(&mut self, whose: Timer, held: &mut Option<Mono>, at: Option<Mono>) {
        if *held == at {
            return;
        }
        if let Some(before) = held.take() {
            self.0.remove(&(before, whose));
        }
        if let Some(at) = at {
            self.0.insert((at, whose));
        }
        *held = at;
    }

    /// The earliest deadline.
    pub(super) fn next(&self) -> Option<Mono> {
        self.0.first().map(|(at, _)| *at)
    }

    /// Takes out one deadline that has come; its owner must forget its copy.
    pub(super) fn pop(&mut self, now: Mono) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        self.0.pop_first().map(|(_, whose)| whose)
    }

    /// How many are held.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
