//! One phone dialled for a call: an agent's own line. Several calls may ring or talk at it at once;
//! the phone decides.

use super::agent::AgentIx;
use super::call::{Call, Over, State, judge_refusal};
use super::floor::{CountsAs, Floor, Turn};
use crate::base::{LegId, Number, PromptId};
use crate::dialplan::SetAside;
use crate::event::{CallEvent, EndCause, OfferEnd, Party};
use std::time::Duration;

/// The phone that rings.
#[derive(Debug)]
pub(super) struct Direct {
    pub(super) agent: AgentIx,
    pub(super) phone: LegId,
}

/// Asks for one agent by extension.
pub(super) fn ask(call: &mut Call, number: &Number, floor: &mut Floor, turn: &mut Turn<'_>) {
    let Some(agent) = floor.agent_at(number) else {
        let cause = EndCause::Fault { what: format!("the plan has no extension {number}") };
        return call.end(Party::System, cause, Over::Neither, 404, floor, turn);
    };
    call.record(CallEvent::OperatorAsked { group: None }, turn);
    // Somebody who was answered already hears no ringing of its own phone's.
    if call.accepted {
        call.music(PromptId::from("ringback"), floor, turn);
    }
    let until = turn.now.mono + floor.plan.extension_ring;
    let phone = floor.dial(agent, call.leg, CountsAs::Ringing, until, turn);
    let id = floor.agent(agent).id.clone();
    call.record(CallEvent::OfferMade { agent: id }, turn);
    call.state = State::Direct(Direct { agent, phone });
    floor.direct_rings(agent, turn);
}

/// The phone answered.
pub(super) fn answered(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Direct(Direct { agent, phone }) = call.state else { return };
    floor.picked_up(phone);
    let wrap_up = wrap_up(call, floor);
    call.connect(agent, phone, wrap_up, floor, turn);
    floor.direct_taken(agent, turn);
}

/// The phone said no: the caller gets its answer.
pub(super) fn refused(call: &mut Call, status: u16, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Direct(Direct { agent, .. }) = call.state else { return };
    let (why, _) = judge_refusal(agent, status, SetAside::Pause, floor);
    let id = floor.agent(agent).id.clone();
    call.record(CallEvent::OfferEnded { agent: id, why }, turn);
    not_answered(call, status, passed_on(status), floor, turn);
}

/// The phone is no more in the call, and its caller is told.
fn not_answered(call: &mut Call, status: u16, told: u16, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Direct(direct) = std::mem::replace(&mut call.state, State::New) else { return };
    floor.drop_phone(direct.phone);
    floor.direct_ends(direct.agent, turn);
    call.refuse(EndCause::NotAnswered { status }, told, floor, turn);
}

/// What the caller is told of a phone's refusal. A redirection or a challenge is between the phone
/// and us; 487 is the answer to our own CANCEL.
fn passed_on(status: u16) -> u16 {
    match status {
        401 | 407 | 487 => 480,
        400..=699 => status,
        _ => 480,
    }
}

/// The phone's leg cannot work.
pub(super) fn failed(call: &mut Call, what: &'static str, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Direct(Direct { agent, .. }) = call.state else { return };
    let id = floor.agent(agent).id.clone();
    call.record(CallEvent::OfferEnded { agent: id, why: OfferEnd::Unreachable }, turn);
    let cause = EndCause::Fault { what: what.to_owned() };
    call.end(Party::System, cause, Over::Phone, 500, floor, turn);
}

/// Nobody picked up.
pub(super) fn rang_out(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Direct(Direct { agent, phone }) = call.state else { return };
    turn.act(super::Action::HangUp { leg: phone, elsewhere: false });
    let id = floor.agent(agent).id.clone();
    call.record(CallEvent::OfferEnded { agent: id, why: OfferEnd::RangOut }, turn);
    not_answered(call, 480, 480, floor, turn);
}

/// The work due after a call to one's own extension; what colleagues say to each other needs none.
pub(super) fn wrap_up(call: &Call, floor: &Floor) -> Duration {
    if call.placed_by.is_some() { Duration::ZERO } else { floor.plan.extension_wrap_up }
}
