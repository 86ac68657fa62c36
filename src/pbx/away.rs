//! A caller with somebody who is no agent: a number outside, or a phone of ours that takes no part in
//! the desk. An agent sent it there; for the bounds on calls outside it is a call of that agent's.
//!
//! Also how a call that an agent placed becomes one of the desk's, so that it can be passed on.

use super::agent::AgentIx;
use super::api::Action;
use super::call::{Call, Over, State, Talk};
use super::desk::Desk;
use super::floor::{Floor, Turn};
use super::outside::{Attempt, Next, Outside};
use super::tape::TapeEvent;
use super::transfer::{self, Passing, Taker};
use crate::base::{LegId, Number, Private};
use crate::dialplan::Way;
use crate::event::{CallEvent, Caller, CallerNumber, EndCause, Origin, Party};
use std::time::Duration;

/// The conversation.
#[derive(Debug)]
pub(super) struct Away {
    /// The other side's leg.
    pub(super) far: LegId,
    /// What it holds, when it is outside.
    outside: Option<Outside>,
    /// Whether the caller, and whether the other side, holds the call.
    held: [bool; 2],
}

/// Whom a caller can be sent to.
#[derive(Debug)]
pub(super) enum Afar {
    /// A phone of ours that is no agent's.
    Phone(Number),
    /// A number outside.
    Outside(Way),
}

impl Desk {
    /// The agent's own call becomes a call of the desk whose caller is the far side. It is not counted:
    /// nobody outside asked the desk for anything.
    pub(super) fn adopt(&mut self, phone: LegId, turn: &mut Turn<'_>) -> Option<LegId> {
        let agent = self.placed.talker(phone).ok()?;
        let parted = self.placed.part(phone, &mut self.floor, turn)?;
        let leg = parted.far;
        let call = Call {
            arrived: parted.arrived,
            outside: parted.outside,
            accepted: true,
            rung: true,
            state: State::Talking(Talk::begin(agent, phone, Duration::ZERO)),
            ..Call::new(parted.id, leg, turn.now.mono)
        };
        let number = parted.from.clone();
        let origin = Origin::Extension(parted.from);
        let (name, diverted_from) = (None, None);
        let known = CallerNumber::Known(parted.number);
        let caller = Caller { number: known, name, diverted_from };
        call.record(CallEvent::Arrived { number, caller, origin, counted: false }, turn);
        call.record(CallEvent::Accepted, turn);
        let id = self.floor.agent(agent).id.clone();
        call.record(CallEvent::OperatorAnswered { agent: id }, turn);
        self.floor.take_phone(phone, leg, agent);
        self.calls.insert(leg, call);
        Some(leg)
    }

    /// The caller of an answered call and whom the agent called meanwhile are joined. `leg` asked for
    /// it; the agent's two legs are `phone`, in the answered call, and `placed`.
    pub(super) fn join_afar(
        &mut self,
        leg: LegId,
        kept: LegId,
        phone: LegId,
        placed: LegId,
        turn: &mut Turn<'_>,
    ) -> Result<(), u16> {
        let giver = self.placed.talker(placed)?;
        let call = self.calls.get_mut(&kept).ok_or(603_u16)?;
        let State::Talking(talk) = &call.state else { return Err(491) };
        if talk.phone != phone || talk.agent != giver {
            return Err(403);
        }
        let wrap_up = talk.wrap_up;
        let floor = &mut self.floor;
        let Some(parted) = self.placed.part(placed, floor, turn) else { return Err(491) };
        self.at_hand = Some(kept);
        turn.act(Action::Transfer { leg, news: super::TransferNews::Accepted });
        if leg == placed {
            // Its own call ends here, so this is the last that it is told.
            turn.act(Action::Transfer { leg, news: super::TransferNews::Done });
        }
        turn.act(Action::HangUp { leg: placed, elsewhere: false });
        turn.act(Action::Forget { call: parted.id });
        floor.talk_ends(giver, Duration::ZERO, turn);
        let (by, inside) = (floor.agent(giver).id.clone(), parted.outside.is_none());
        let sent = CallEvent::SentAway { by, number: parted.number, inside, attended: true };
        call.step_out(sent, turn);
        call.tape_is(TapeEvent::SentAway, floor, turn);
        turn.act(Action::Part { caller: call.leg, agent: phone });
        transfer::let_go(giver, Some(phone), super::TransferNews::Done, wrap_up, floor, turn);
        floor.far.insert(parted.far, call.leg);
        connect(call, parted.far, parted.outside, turn);
        self.stepped(kept);
        Ok(())
    }
}

/// A blind transfer to somebody who is no agent; the giver's phone has been told that it is tried.
pub(super) fn begin(
    call: &mut Call,
    number: &Number,
    to: Afar,
    talk: (AgentIx, LegId, Duration),
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    let (giver, phone, wrap_up) = talk;
    let by = floor.agent(giver).id.clone();
    let from = Number(by.0.clone());
    let shown = Private::new(number.as_str().to_owned());
    let inside = matches!(to, Afar::Phone(_));
    let sent = CallEvent::SentAway { by, number: shown, inside, attended: false };
    call.step_out(sent, turn);
    call.tape_is(TapeEvent::SentAway, floor, turn);
    turn.act(Action::Part { caller: call.leg, agent: phone });
    call.hold_music(floor, turn);
    let passing = |ring, taker| Passing { giver, phone: Some(phone), taker, ring, wrap_up };
    match to {
        Afar::Phone(extension) => {
            let (leg, until) = (floor.draw_leg(), turn.now.mono + floor.plan.extension_ring);
            floor.far.insert(leg, call.leg);
            turn.act(Action::Dial { leg, extension, on_behalf_of: call.leg, shown: None });
            call.state = State::Passing(passing(leg, Taker::Phone { until }));
        }
        Afar::Outside(way) => {
            // The leg of nobody: the next trunk's takes its place, or the call goes back at once.
            call.state = State::Passing(passing(call.leg, Taker::Nobody));
            let next = floor.reach(&from, way, turn);
            try_next(call, next, floor, turn);
        }
    }
}

/// Calls by the next trunk, or gives the caller back.
fn try_next(call: &mut Call, next: Next, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Passing(passing) = &mut call.state else { return };
    match next {
        Next::Try(attempt) => {
            floor.far.insert(attempt.leg, call.leg);
            let dial = attempt.dial(call.leg);
            let trunk = attempt.trunk.clone();
            (passing.ring, passing.taker) = (attempt.leg, Taker::Outside(attempt));
            call.record(CallEvent::TrunkTried { trunk }, turn);
            turn.act(dial);
        }
        Next::Nobody { status, .. } => transfer::back(call, None, status, floor, turn),
    }
}

/// The leg that rang outside is over.
pub(super) fn refused(
    call: &mut Call,
    attempt: Attempt,
    status: u16,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    floor.far.remove(&attempt.leg);
    let trunk = attempt.trunk.clone();
    call.record(CallEvent::TrunkFailed { trunk, status }, turn);
    let next = floor.refused_outside(attempt, status, turn);
    try_next(call, next, floor, turn);
}

/// The caller is with the other side.
pub(super) fn connect(call: &mut Call, far: LegId, outside: Option<Outside>, turn: &mut Turn<'_>) {
    turn.act(Action::Connect { caller: call.leg, agent: far });
    call.record(CallEvent::AwayAnswered, turn);
    call.state = State::Away(Away { far, outside, held: [false; 2] });
}

impl Away {
    /// When the day's time of the agent who sent the caller away is used up.
    pub(super) fn deadline(&self) -> Option<crate::base::Mono> {
        self.outside.as_ref().and_then(|outside| outside.until)
    }

    /// The call ends.
    pub(super) fn end(&self, over: Over, floor: &mut Floor, turn: &mut Turn<'_>) {
        floor.far.remove(&self.far);
        if over != Over::Phone {
            turn.act(Action::HangUp { leg: self.far, elsewhere: false });
        }
        if let Some(outside) = &self.outside {
            floor.outside_over(outside, turn);
        }
    }
}

/// One side pressed hold or took the call back.
pub(super) fn hold(call: &mut Call, by: Party, on: bool, floor: &mut Floor, turn: &mut Turn<'_>) {
    let leg = call.leg;
    let State::Away(away) = &mut call.state else { return };
    let (mine, other) =
        if by == Party::Caller { (&mut away.held[0], away.far) } else { (&mut away.held[1], leg) };
    if *mine != on {
        *mine = on;
        call.held(by, on, other, floor, turn);
    }
}

/// The day's time of an agent for calls outside is used up by this one.
pub(super) fn time_is_up(call: &Call, turn: &Turn<'_>) -> bool {
    let away = match &call.state {
        State::Away(away) => away.deadline(),
        _ => None,
    };
    let own = call.outside.as_ref().and_then(|outside| outside.until);
    [own, away].into_iter().flatten().any(|until| until <= turn.now.mono)
}

/// Ends a call whose time is up.
pub(super) fn end_for_time(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    call.end(Party::System, EndCause::TimeUsedUp, Over::Neither, 0, floor, turn);
}
