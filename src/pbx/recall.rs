//! A caller whom an agent holds for longer than the plan allows (保留放置): the agent's phone is rung a second
//! time, since a phone cannot be rung within a talk that it holds. Who answers has the caller; when nobody
//! does, the caller asks the group again. While the agent is in another talk, or a third is with the caller, it
//! is looked at again later.

use super::agent::AgentIx;
use super::api::Action;
use super::call::{Call, State, Talk};
use super::desk::Desk;
use super::floor::{Floor, Turn};
use super::queue;
use super::staff::Missed;
use super::table::GuestEvent;
use super::timers::Timer;
use crate::base::{LegId, Mono, Number};
use crate::event::{CallEvent, OfferEnd, Party};
use std::time::Duration;

/// A hold that is watched.
#[derive(Debug)]
pub(super) struct Hold {
    /// When it has lasted too long.
    until: Option<Mono>,
    /// The agent's phone as it is rung again.
    pub(super) ring: Option<LegId>,
    timer: Option<Mono>,
}

/// The agent holds the caller, or holds it no more.
pub(super) fn watch(call: &Call, on: bool, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Talking(talk) = &call.state else { return };
    if let (true, Some(most)) = (on, floor.plan.hold_most) {
        again(call, talk.agent, turn.now.mono + most, floor);
    } else if let Some(hold) = take(call, floor) {
        if let Some(leg) = hold.ring {
            turn.act(Action::HangUp { leg, elsewhere: false });
        }
        over(hold, talk.agent, OfferEnd::Withdrawn, call, floor, turn);
    }
}

fn again(call: &Call, agent: AgentIx, at: Mono, floor: &mut Floor) {
    let mut hold = Hold { until: None, ring: None, timer: None };
    floor.timers.set(Timer::Hold(call.leg), &mut hold.until, Some(at));
    floor.tables.lay(call.leg, agent).hold = Some(hold);
}

/// It is looked at again when it has lasted as long once more.
fn later(call: &Call, agent: AgentIx, floor: &mut Floor, turn: &Turn<'_>) {
    let most = floor.plan.hold_most.unwrap_or(floor.plan.extension_ring);
    again(call, agent, turn.now.mono + most, floor);
}

fn take(call: &Call, floor: &mut Floor) -> Option<Hold> {
    floor.tables.calls.get_mut(&call.leg)?.hold.take()
}

/// The hold is watched no more; the phone that rang for it is over, or will be.
pub(super) fn over(
    hold: Hold,
    agent: AgentIx,
    why: OfferEnd,
    call: &Call,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    if hold.ring.is_some() {
        let id = floor.agent(agent).id.clone();
        call.record(CallEvent::HoldRecallEnded { agent: id, why: Some(why) }, turn);
    }
    lost(Some(hold), (call.leg, agent), floor, turn);
}

/// What it holds is given back.
pub(super) fn lost(
    hold: Option<Hold>,
    (call, agent): (LegId, AgentIx),
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    let Some(mut hold) = hold else { return };
    floor.timers.set(Timer::Hold(call), &mut hold.until, None);
    if let Some(leg) = hold.ring {
        floor.forget_guest(leg, &mut hold.timer);
        floor.direct_ends(agent, turn);
    }
}

impl Desk {
    /// A hold has lasted too long.
    pub(super) fn hold_due(&mut self, id: LegId, turn: &mut Turn<'_>) {
        let Some(table) = self.floor.tables.calls.get_mut(&id) else { return };
        let Some(hold) = &mut table.hold else { return };
        hold.until = None;
        let Some(call) = self.calls.get_mut(&id) else { return };
        self.at_hand = Some(id);
        too_long(call, &mut self.floor, turn);
        self.stepped(id);
    }
}

fn too_long(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Talking(talk) = &call.state else { return };
    let (agent, held) = (talk.agent, talk.agent_holds);
    let Some(table) = floor.tables.calls.get_mut(&call.leg) else { return };
    if !held {
        table.hold = None;
        return;
    }
    // With a third the caller is not alone, until the third leaves.
    if table.third.as_ref().is_some_and(|third| third.joined) {
        return later(call, agent, floor, turn);
    }
    // Who asks somebody from the phone's second line has not forgotten the caller.
    if floor.agent(agent).line.talking > 1 {
        return later(call, agent, floor, turn);
    }
    if !floor.agent(agent).is_reachable() {
        return to_the_group(call, floor, turn);
    }
    let id = floor.agent(agent).id.clone();
    call.record(CallEvent::HoldRecalled { agent: id.clone() }, turn);
    let mut timer = None;
    let leg = floor.dial_guest(Number(id.0), call.leg, &mut timer, turn);
    floor.tables.lay(call.leg, agent).hold = Some(Hold { until: None, ring: Some(leg), timer });
    floor.direct_rings(agent, turn);
}

/// Something happened to the phone that is rung again.
pub(super) fn guest(call: &mut Call, event: GuestEvent, floor: &mut Floor, turn: &mut Turn<'_>) {
    let why = match event {
        GuestEvent::Answered => return taken_back(call, floor, turn),
        GuestEvent::Rings | GuestEvent::Key(_) => return,
        GuestEvent::Refused(status) => OfferEnd::Refused { status },
        GuestEvent::Due => OfferEnd::RangOut,
        GuestEvent::Gone => OfferEnd::Unreachable,
        GuestEvent::NoRoom => OfferEnd::Withdrawn,
    };
    let Some(hold) = take(call, floor) else { return };
    let State::Talking(talk) = &call.state else { return };
    let agent = talk.agent;
    if let (Some(leg), GuestEvent::Due) = (hold.ring, event) {
        turn.act(Action::HangUp { leg, elsewhere: false });
    }
    over(hold, agent, why, call, floor, turn);
    // An agent who has begun another talk, or for whose phone we had no room, has left nobody alone.
    if floor.agent(agent).line.talking > 1 || matches!(event, GuestEvent::NoRoom) {
        return later(call, agent, floor, turn);
    }
    to_the_group(call, floor, turn);
}

/// The agent is with the caller again, by the leg that rang.
fn taken_back(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let Some(mut hold) = take(call, floor) else { return };
    let (State::Talking(talk), Some(leg)) = (&mut call.state, hold.ring) else { return };
    let (agent, old) = (talk.agent, std::mem::replace(&mut talk.phone, leg));
    talk.agent_holds = false;
    floor.forget_guest(leg, &mut hold.timer);
    let id = floor.agent(agent).id.clone();
    call.record(CallEvent::HoldRecallEnded { agent: id, why: None }, turn);
    call.record(CallEvent::Resumed { by: Party::Agent }, turn);
    floor.drop_phone(old);
    floor.take_phone(leg, call.leg, agent);
    turn.act(Action::HangUp { leg: old, elsewhere: false });
    turn.act(Action::Connect { caller: call.leg, agent: leg });
    floor.direct_taken(agent, turn);
    floor.talk_ends(agent, Duration::ZERO, turn);
}

/// The agent does not come back: the caller asks the group again. Without one it goes on waiting, and the
/// agent is rung again later.
fn to_the_group(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Talking(talk) = &call.state else { return };
    let Talk { agent, phone, .. } = *talk;
    let Some(group) = call.group.clone().or_else(|| floor.first_group_of(agent)) else {
        return later(call, agent, floor, turn);
    };
    let missed = floor.plan.groups.get(&group).map(|plan| Missed::RangOut(plan.on_ring_out, 1));
    let own = Number(floor.agent(agent).id.0.clone());
    call.step_out(floor.transferred(agent, own, false), turn);
    super::table::dismiss(call, floor, turn);
    turn.act(Action::Part { caller: call.leg, agent: phone });
    // Set aside before the caller asks, or this agent would be rung for it at once.
    floor.offer_ends(agent, missed.unwrap_or(Missed::Nothing), turn);
    queue::ask_again(call, &group, floor, turn);
    turn.act(Action::HangUp { leg: phone, elsewhere: false });
    floor.drop_phone(phone);
    floor.talk_ends(agent, Duration::ZERO, turn);
}
