//! What calls outside share, whoever placed them: the trunks tried one after the other, the channel that
//! each holds, and each extension's bounds (calls at once, talking time of a day). A call that an agent
//! passes on to a number outside counts for that agent as one of its own.

use super::api::Action;
use super::floor::{Floor, Turn};
use super::talked::Talked;
use crate::base::{LegId, Mono, Number, TrunkId};
use crate::dialplan::Way;
use crate::event::PlacedEnd;
use std::collections::BTreeMap;
use std::time::Duration;

/// A number outside rings no longer.
const OUTSIDE_RING: Duration = Duration::from_secs(180);
/// Trunks tried for one call, a trunk with several servers counting up to twice.
const MAX_TRIES: usize = 8;

/// What each extension has outside.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Calls that are up or being placed.
    calls: BTreeMap<Number, u32>,
    pub(super) talked: Talked,
}

/// A trunk that is being tried.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) leg: LegId,
    pub(super) trunk: TrunkId,
    pub(super) rang: bool,
    pub(super) until: Mono,
    from: Number,
    way: Way,
    /// Trunks not tried yet, the next one last.
    left: Vec<TrunkId>,
}

/// A number outside that answered.
#[derive(Debug)]
pub(super) struct Outside {
    pub(super) trunk: TrunkId,
    pub(super) from: Number,
    since: Mono,
    /// When the day's time is used up.
    pub(super) until: Option<Mono>,
}

/// What came of a trunk's refusal, or of the wish to begin.
#[derive(Debug)]
pub(super) enum Next {
    /// The next trunk is tried.
    Try(Attempt),
    /// None is left; the status is the last one's. `full`: none had a free channel.
    Nobody { status: u16, full: bool },
}

impl Attempt {
    /// What makes the call.
    pub(super) fn dial(&self, on_behalf_of: LegId) -> Action {
        let (trunk, way) = (self.trunk.clone(), Box::new(self.way.clone()));
        Action::DialOut { leg: self.leg, trunk, way, on_behalf_of }
    }
}

impl Floor {
    /// What stands against one more call outside of this extension.
    pub(super) fn beyond_limits(&self, from: &Number, turn: &Turn<'_>) -> Option<(PlacedEnd, u16)> {
        let most = self.plan.outside.as_ref()?.calls;
        if self.ledger.calls.get(from).is_some_and(|calls| *calls >= most) {
            return Some((PlacedEnd::TooManyCalls, 486));
        }
        self.time_left(from, turn).is_zero().then_some((PlacedEnd::TimeUsedUp, 403))
    }

    /// The talking time that the extension has left today.
    fn time_left(&self, from: &Number, turn: &Turn<'_>) -> Duration {
        let Some(outside) = &self.plan.outside else { return Duration::ZERO };
        let talked = self.ledger.talked.today(from, turn.now.wall, &self.plan);
        outside.per_day.saturating_sub(talked)
    }

    /// Whether any trunk has a channel now for a call that goes this way.
    pub(super) fn has_channel(&self, way: &Way) -> bool {
        tried(way).any(|trunk| self.channels.has_out(trunk))
    }

    /// Begins to reach a number outside for an extension.
    pub(super) fn reach(&mut self, from: &Number, way: Way, turn: &mut Turn<'_>) -> Next {
        let mut left: Vec<TrunkId> = tried(&way).cloned().collect();
        left.reverse();
        self.next_trunk(from.clone(), way, left, 503, turn)
    }

    /// The trunk said no. Where that is its own fault and not the called party's, the next one is
    /// tried, unless it has rung there.
    pub(super) fn refused_outside(
        &mut self,
        attempt: Attempt,
        status: u16,
        turn: &mut Turn<'_>,
    ) -> Next {
        self.give_back(&attempt.from, &attempt.trunk, turn);
        let Attempt { from, way, left, rang, .. } = attempt;
        let ours = matches!(status, 401 | 403 | 407 | 408 | 500..=599);
        let left = if ours && !rang { left } else { Vec::new() };
        let status = if left.is_empty() { passed_on(status) } else { 503 };
        self.next_trunk(from, way, left, status, turn)
    }

    /// The next trunk that has a channel.
    fn next_trunk(
        &mut self,
        from: Number,
        way: Way,
        mut left: Vec<TrunkId>,
        status: u16,
        turn: &mut Turn<'_>,
    ) -> Next {
        let mut full = false;
        while let Some(trunk) = left.pop() {
            if !self.channels.take_out(&trunk, way.emergency, turn) {
                full = true;
                left.retain(|other| *other != trunk);
                continue;
            }
            *self.ledger.calls.entry(from.clone()).or_default() += 1;
            let (leg, until) = (self.draw_leg(), turn.now.mono + OUTSIDE_RING);
            return Next::Try(Attempt { leg, trunk, rang: false, until, from, way, left });
        }
        Next::Nobody { status, full: full && status == 503 }
    }

    /// The number outside answered.
    pub(super) fn answered_outside(&self, attempt: Attempt, turn: &Turn<'_>) -> Outside {
        let Attempt { trunk, from, way, .. } = attempt;
        let since = turn.now.mono;
        let left = self.time_left(&from, turn);
        let until = (!way.emergency).then(|| since + left);
        Outside { trunk, from, since, until }
    }

    /// A call outside that was answered is over.
    pub(super) fn outside_over(&mut self, outside: &Outside, turn: &mut Turn<'_>) {
        let time = turn.now.mono.since(outside.since);
        self.ledger.talked.add(&outside.from, time, turn.now.wall, &self.plan);
        self.give_back(&outside.from, &outside.trunk, turn);
    }

    /// Gives back the channel and the extension's place.
    pub(super) fn give_back(&mut self, from: &Number, trunk: &TrunkId, turn: &mut Turn<'_>) {
        self.channels.give_out(trunk, turn);
        if let Some(calls) = self.ledger.calls.get_mut(from) {
            *calls = calls.saturating_sub(1);
        }
    }

    /// Gives back what an attempt holds.
    pub(super) fn attempt_over(&mut self, attempt: &Attempt, turn: &mut Turn<'_>) {
        self.give_back(&attempt.from, &attempt.trunk, turn);
    }

    /// Calls that count for extensions now.
    #[cfg(test)]
    pub(super) fn outside_held(&self) -> u32 {
        self.ledger.calls.values().sum()
    }
}

/// The trunks in turn. Each is tried twice: its second server may be well when its first was not.
fn tried(way: &Way) -> impl Iterator<Item = &TrunkId> {
    way.trunks.iter().flat_map(|trunk| [trunk, trunk]).take(MAX_TRIES)
}

/// What the caller is told of a refusal. A redirection or a challenge is between the other side and us;
/// 487 is the answer to our own CANCEL.
pub(super) fn passed_on(status: u16) -> u16 {
    match status {
        401 | 407 | 487 => 480,
        400..=699 => status,
        _ => 480,
    }
}
