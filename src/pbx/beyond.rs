//! A caller whose wait is too long and for whom a number outside is rung as well (あふれ先の外線). The caller keeps
//! its place and what it hears, and agents who become free are rung all the same: whoever answers first has
//! the caller. So an outside number that is busy, silent or wrong costs nobody a place.
//!
//! Where to is in the plan and nowhere else, by its rules for numbers outside; for their bounds (calls at
//! once, talking time of a day) a group is like one extension. No operator answers such a call.

use super::api::Action;
use super::away;
use super::call::{Call, Event, State};
use super::floor::{Floor, Turn};
use super::hunt::{self, Hunt};
use super::outside::Next;
use crate::base::{GroupId, LegId, Mono, Number, Private};
use crate::dialplan::Way;
use crate::event::{CallEvent, OfferEnd, Overflowing};
use std::time::Duration;

/// So long the number outside is rung; the trunk's own bound is longer.
const RING: Duration = Duration::from_mins(1);
/// When it is tried again for a caller who still waits.
const PAUSE: Duration = Duration::from_secs(30);

/// Under which name a group's calls outside are counted: no extension is called so.
pub(super) fn counted_as(group: &GroupId) -> Number {
    Number::from(format!("group:{group}"))
}

/// How a call of the group can be brought there now; none when it is beyond the bounds.
pub(super) fn way(group: &GroupId, number: &Number, floor: &Floor, turn: &Turn<'_>) -> Option<Way> {
    let way = floor.plan.outward_of_group(number, group)?;
    floor.beyond_limits(&counted_as(group), turn).is_none().then_some(way)
}

/// Rings the number outside.
pub(super) fn ring(
    hunt: &mut Hunt,
    (why, number): (Overflowing, &Number),
    call: &mut Call,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    call.overflows += 1;
    let Some(way) = way(&hunt.id, number, floor, turn) else { return };
    hunt.outside = Some(number.clone());
    let number = Private::new(number.as_str().to_owned());
    call.record(CallEvent::OverflowedOutside { group: hunt.id.clone(), number, why }, turn);
    let next = floor.reach(&counted_as(&hunt.id), way, turn);
    try_next(hunt, next, call, floor, turn);
}

fn try_next(hunt: &mut Hunt, next: Next, call: &Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    match next {
        Next::Try(mut attempt) => {
            attempt.until = attempt.until.min(turn.now.mono + RING);
            floor.far.insert(attempt.leg, call.leg);
            call.record(CallEvent::TrunkTried { trunk: attempt.trunk.clone() }, turn);
            turn.act(attempt.dial(call.leg));
            hunt.far = Some(Box::new(attempt));
        }
        Next::Nobody { .. } => hunt.overflow_by(turn.now.mono + PAUSE),
    }
}

/// Takes what happens to the number outside; whether it did.
pub(super) fn took(call: &mut Call, event: Event, floor: &mut Floor, turn: &mut Turn<'_>) -> bool {
    use Event as E;
    let State::Hunting(hunt) = &mut call.state else { return false };
    let Some(attempt) = &mut hunt.far else { return false };
    let status = match event {
        E::PhoneRings(leg) if leg == attempt.leg => {
            attempt.rang = true;
            return true;
        }
        E::PhoneAnswered(leg) if leg == attempt.leg => {
            answered(call, floor, turn);
            return true;
        }
        E::PhoneRefused(leg, status) if leg == attempt.leg => status,
        E::PhoneGone(leg) if leg == attempt.leg => 480,
        E::PhoneFailed(leg, _) | E::NoRoom(leg, _) if leg == attempt.leg => 503,
        _ => return false,
    };
    hunt::with(call, floor, turn, |mut hunt, call, _, floor, turn| {
        if let Some(attempt) = hunt.far.take() {
            floor.far.remove(&attempt.leg);
            let trunk = attempt.trunk.clone();
            call.record(CallEvent::TrunkFailed { trunk, status }, turn);
            let next = floor.refused_outside(*attempt, status, turn);
            try_next(&mut hunt, next, call, floor, turn);
        }
        call.state = State::Hunting(hunt);
    });
    true
}

/// The caller is with somebody outside; all phones fall silent.
fn answered(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    hunt::with(call, floor, turn, |mut hunt, call, _, floor, turn| {
        let Some(attempt) = hunt.far.take() else { return };
        let leg = attempt.leg;
        let outside = floor.answered_outside(*attempt, turn);
        call.accept(turn);
        away::connect(call, leg, Some(outside), turn);
        hunt.leave(floor);
        hunt.withdraw_all(call, OfferEnd::TakenElsewhere, floor, turn);
    });
}

impl Hunt {
    /// Which leg outside rings.
    pub(super) fn rings_outside(&self) -> Option<LegId> {
        self.far.as_ref().map(|attempt| attempt.leg)
    }

    /// When it has rung long enough.
    pub(super) fn rings_outside_until(&self) -> Option<Mono> {
        self.far.as_ref().map(|attempt| attempt.until)
    }

    /// It is rung no more.
    pub(super) fn let_outside_go(&mut self, floor: &mut Floor, turn: &mut Turn<'_>) {
        if let Some(attempt) = self.far.take() {
            turn.act(Action::HangUp { leg: attempt.leg, elsewhere: false });
            floor.far.remove(&attempt.leg);
            floor.attempt_over(&attempt, turn);
        }
    }

    /// Nobody answered there in time; it is tried again in a while.
    pub(super) fn rang_outside_in_vain(
        &mut self,
        call: &Call,
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) {
        if let Some(attempt) = &self.far {
            let trunk = attempt.trunk.clone();
            call.record(CallEvent::TrunkFailed { trunk, status: 408 }, turn);
        }
        self.let_outside_go(floor, turn);
        self.overflow_by(turn.now.mono + PAUSE);
    }
}
