//! An agent asks a colleague by keys while the caller waits (取次): turns between the two, goes back, or
//! hangs up and so leaves the caller with the colleague. For phones that cannot do so by themselves; those
//! that can make a call of their own and join the two (`transfer`).

use super::agent::AgentIx;
use super::api::Action;
use super::call::{Call, Over, State, Talk};
use super::floor::{CountsAs, Floor, Turn};
use super::tape::TapeEvent;
use super::transfer;
use crate::base::{LegId, Number, PromptId};
use crate::event::{CallEvent, ConsultEnd, ConsultSide, EndCause, Party};
use std::time::Duration;

/// A caller, its agent, and the colleague whom the agent asks.
#[derive(Debug)]
pub(super) struct Consult {
    pub(super) agent: AgentIx,
    pub(super) phone: LegId,
    wrap_up: Duration,
    colleague: AgentIx,
    other: LegId,
    stage: Stage,
}

/// With whom the agent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The colleague's phone rings.
    Rings,
    /// With the colleague; the caller hears music.
    Asks,
    /// With the caller; the colleague hears music.
    Turned,
}

/// The agent asks a colleague. The caller is put on hold. False when there is no conversation.
pub(super) fn begin(
    call: &mut Call,
    colleague: AgentIx,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) -> bool {
    let State::Talking(talk) = &call.state else { return false };
    let Talk { agent, phone, wrap_up, .. } = *talk;
    let with = floor.agent(colleague).id.clone();
    let by = floor.agent(agent).id.clone();
    call.step_out(CallEvent::ConsultBegan { by, with }, turn);
    turn.act(Action::Part { caller: call.leg, agent: phone });
    call.hold_music(floor, turn);
    let until = turn.now.mono + floor.plan.extension_ring;
    let other = floor.dial(colleague, call.leg, CountsAs::Ringing, until, turn);
    floor.loops(phone, PromptId::from("ringback"), turn);
    let stage = Stage::Rings;
    call.state = State::Consulting(Consult { agent, phone, wrap_up, colleague, other, stage });
    floor.direct_rings(colleague, turn);
    true
}

/// The colleague answered.
pub(super) fn answered(call: &mut Call, leg: LegId, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Consulting(consult) = &mut call.state else { return };
    if consult.other != leg || consult.stage != Stage::Rings {
        return;
    }
    consult.stage = Stage::Asks;
    floor.picked_up(leg);
    turn.act(Action::Connect { caller: leg, agent: consult.phone });
    let colleague = consult.colleague;
    let with = Some(floor.agent(colleague).id.clone());
    call.record(CallEvent::ConsultAnswered { with }, turn);
    floor.direct_taken(colleague, turn);
}

/// The agent turns to the other of the two.
pub(super) fn swap(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) -> bool {
    let caller = call.leg;
    let State::Consulting(consult) = &mut call.state else { return false };
    let (phone, other) = (consult.phone, consult.other);
    let (before, after, stage, to) = match consult.stage {
        Stage::Rings => return false,
        Stage::Asks => (other, caller, Stage::Turned, ConsultSide::Caller),
        Stage::Turned => (caller, other, Stage::Asks, ConsultSide::Asked),
    };
    consult.stage = stage;
    call.record(CallEvent::ConsultTurned { to }, turn);
    turn.act(Action::Part { caller: before, agent: phone });
    floor.hold(before, true, turn);
    turn.act(Action::Connect { caller: after, agent: phone });
    true
}

/// The colleague is let go, or is gone: the agent is with the caller again.
pub(super) fn back(
    call: &mut Call,
    why: ConsultEnd,
    gone: bool,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) -> bool {
    let consult = match std::mem::replace(&mut call.state, State::New) {
        State::Consulting(consult) => consult,
        other => {
            call.state = other;
            return false;
        }
    };
    let Consult { agent, phone, wrap_up, .. } = consult;
    let turned = consult.stage == Stage::Turned;
    end_other(&consult, call, why, gone, floor, turn);
    if !turned {
        turn.act(Action::Connect { caller: call.leg, agent: phone });
    }
    call.state = State::Talking(Talk::begin(agent, phone, wrap_up));
    call.tape_is(TapeEvent::Connected, floor, turn);
    over_with(&consult, floor, turn);
    true
}

/// A phone is gone. The agent's: the caller is with the colleague, or is passed on to a phone that still
/// rings. The colleague's: the agent is with the caller again.
pub(super) fn gone(call: &mut Call, leg: LegId, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Consulting(consult) = &call.state else { return };
    if consult.other == leg {
        let why = match consult.stage {
            Stage::Rings => ConsultEnd::NotAnswered,
            Stage::Asks | Stage::Turned => ConsultEnd::Left,
        };
        back(call, why, true, floor, turn);
    } else if consult.phone == leg {
        hand_over(call, floor, turn);
    }
}

/// Nobody picked up.
pub(super) fn rang_out(call: &mut Call, leg: LegId, floor: &mut Floor, turn: &mut Turn<'_>) {
    if matches!(&call.state, State::Consulting(consult) if consult.other == leg) {
        back(call, ConsultEnd::NotAnswered, false, floor, turn);
    }
}

/// The agent hung up.
fn hand_over(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Consulting(consult) = std::mem::replace(&mut call.state, State::New) else { return };
    let Consult { agent, phone, wrap_up, colleague, other, stage } = consult;
    let with = floor.agent(colleague).id.clone();
    call.record(CallEvent::ConsultEnded { with, why: ConsultEnd::HandedOver }, turn);
    let up = stage != Stage::Rings;
    let to = Number(floor.agent(colleague).id.0.clone());
    call.record(floor.transferred(agent, to, up), turn);
    if up {
        floor.drop_phone(phone);
        call.connect(colleague, other, wrap_up, floor, turn);
        floor.talk_ends(agent, wrap_up, turn);
    } else {
        let id = floor.agent(colleague).id.clone();
        call.record(CallEvent::OfferMade { agent: id }, turn);
        let (giver, taker) = (agent, transfer::Taker::Agent(colleague));
        call.state = State::Passing(transfer::Passing {
            giver,
            phone: Some(phone),
            taker,
            ring: other,
            wrap_up,
        });
        transfer::gone(call, phone, 480, floor, turn);
    }
}

/// The call ends in the midst of it; `over` says whether the agent's phone did so.
pub(super) fn cut_short(
    consult: Consult,
    call: &Call,
    over: Over,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    end_other(&consult, call, ConsultEnd::CallOver, false, floor, turn);
    floor.drop_phone(consult.phone);
    if over != Over::Phone {
        turn.act(Action::HangUp { leg: consult.phone, elsewhere: false });
    }
    over_with(&consult, floor, turn);
    floor.talk_ends(consult.agent, consult.wrap_up, turn);
}

/// The colleague's leg is no part of the call any more.
fn end_other(
    consult: &Consult,
    call: &Call,
    why: ConsultEnd,
    gone: bool,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    floor.drop_phone(consult.other);
    if !gone {
        turn.act(Action::HangUp { leg: consult.other, elsewhere: false });
    }
    let with = floor.agent(consult.colleague).id.clone();
    call.record(CallEvent::ConsultEnded { with, why }, turn);
}

/// The colleague's line is free again: last, so that it serves those who wait before it serves this call.
fn over_with(consult: &Consult, floor: &mut Floor, turn: &mut Turn<'_>) {
    if consult.stage == Stage::Rings {
        floor.direct_ends(consult.colleague, turn);
    } else {
        floor.talk_ends(consult.colleague, Duration::ZERO, turn);
    }
}

/// The agent's phone failed.
pub(super) fn failed(
    call: &mut Call,
    leg: LegId,
    what: &str,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    match &call.state {
        State::Consulting(consult) if consult.phone == leg => {
            let cause = EndCause::Fault { what: what.to_owned() };
            call.end(Party::System, cause, Over::Phone, 0, floor, turn);
        }
        _ => gone(call, leg, floor, turn),
    }
}
