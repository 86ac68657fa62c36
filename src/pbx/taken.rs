//! A phone takes the place of another in a call (RFC 3891): a colleague picks up what rings elsewhere
//! (代理応答), or an agent goes on talking on another phone of theirs. The call stays one call.

use super::agent::AgentIx;
use super::api::Action;
use super::call::{Call, State};
use super::desk::Desk;
use super::floor::{Floor, Turn};
use super::{park, transfer};
use crate::base::{LegId, Number};
use crate::event::{CallEvent, OfferEnd, Party};
use std::time::Duration;

impl Desk {
    /// The account `by` wants its new leg `new` in the place of `old`.
    pub(super) fn replaced(&mut self, old: LegId, new: LegId, by: &Number, turn: &mut Turn<'_>) {
        let refuse = |status, turn: &mut Turn<'_>| turn.act(Action::Refuse { leg: new, status });
        let Some(taker) = self.floor.agent_at(by) else { return refuse(403, turn) };
        // Only phones of ours are taken over; a caller's own leg is its own. But the lamp of a slot names the
        // caller in it, for whoever presses it.
        let Some(caller) = self.floor.call_of_phone(old) else {
            let Some(call) = self.calls.get_mut(&old).filter(|call| call.is_parked()) else {
                return refuse(403, turn);
            };
            self.at_hand = Some(old);
            park::fetch(call, new, Some(taker), by, &mut self.floor, turn);
            return self.stepped(old);
        };
        let Some(call) = self.calls.get_mut(&caller) else { return refuse(481, turn) };
        self.at_hand = Some(caller);
        let status = match &call.state {
            State::Direct(_) | State::Hunting(_) | State::Passing(_) | State::Parked(_) => {
                match rung(call).into_iter().find(|(leg, _)| *leg == old) {
                    Some((_, agent)) if may_pick_up(taker, agent, &self.floor) => {
                        pick_up(call, taker, new, &mut self.floor, turn)
                    }
                    Some(_) => Some(403),
                    None => Some(481),
                }
            }
            // What somebody says to a caller is between the two: nobody else takes it over.
            State::Talking(talk) if talk.phone == old && talk.agent != taker => Some(403),
            State::Talking(talk) if talk.phone == old => {
                go_on_at(call, old, new, &mut self.floor, turn)
            }
            _ => Some(481),
        };
        if let Some(status) = status {
            refuse(status, turn);
        }
        self.stepped(caller);
    }
}

impl Desk {
    /// An agent dialled the code for picking up, alone (what has rung longest at a phone of its own groups)
    /// or with an extension behind it. False when nothing rings there that the agent may take.
    pub(super) fn pick_up_by_code(
        &mut self,
        new: LegId,
        taker: AgentIx,
        behind: Option<&Number>,
        turn: &mut Turn<'_>,
    ) -> bool {
        let wanted = match behind.map(|number| self.floor.agent_at(number)) {
            Some(None) => return false,
            Some(agent) => agent,
            None => None,
        };
        let floor = &self.floor;
        let fits = |rung: AgentIx| {
            let asked = wanted.map_or(rung != taker, |wanted| wanted == rung);
            asked && may_pick_up(taker, rung, floor)
        };
        // Legs are drawn in order: the least was dialled first.
        let rings = |call: &Call| {
            rung(call).into_iter().find(|(_, agent)| fits(*agent)).map(|(leg, _)| leg)
        };
        // One's own call waits for whom one called.
        let others = self.calls.values().filter(|call| call.placed_by != Some(taker));
        let found = others.filter_map(|call| Some((rings(call)?, call.leg))).min();
        let Some((_, caller)) = found else { return false };
        let Some(call) = self.calls.get_mut(&caller) else { return false };
        self.at_hand = Some(caller);
        let refused = pick_up(call, taker, new, &mut self.floor, turn);
        self.stepped(caller);
        refused.is_none()
    }
}

/// The agents' phones that ring for a call, the one dialled first before the others. One that has answered already,
/// and is told something, rings no more.
fn rung(call: &Call) -> Vec<(LegId, AgentIx)> {
    match &call.state {
        State::Direct(direct) => vec![(direct.phone, direct.agent)],
        State::Hunting(hunt) if hunt.briefing.is_none() => {
            hunt.offers.iter().map(|(leg, agent)| (*leg, *agent)).collect()
        }
        State::Passing(passing) => passing.rung().into_iter().collect(),
        State::Parked(parked) => parked.rung().into_iter().collect(),
        _ => Vec::new(),
    }
}

/// One's own phone, or a colleague's of the same group.
fn may_pick_up(taker: AgentIx, rung: AgentIx, floor: &Floor) -> bool {
    let groups = |agent| floor.agent(agent).groups.iter().map(|(group, _)| *group);
    taker == rung || groups(taker).any(|group| groups(rung).any(|other| other == group))
}

/// The call stops ringing where it rings and is with the taker.
fn pick_up(
    call: &mut Call,
    taker: AgentIx,
    new: LegId,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) -> Option<u16> {
    let mut wrap_up = Duration::ZERO;
    match std::mem::replace(&mut call.state, State::New) {
        State::Direct(direct) => {
            wrap_up = super::direct::wrap_up(call, floor);
            floor.drop_phone(direct.phone);
            turn.act(Action::HangUp { leg: direct.phone, elsewhere: true });
            let agent = floor.agent(direct.agent).id.clone();
            call.record(CallEvent::OfferEnded { agent, why: OfferEnd::TakenElsewhere }, turn);
            floor.direct_ends(direct.agent, turn);
        }
        State::Hunting(mut hunt) => {
            if let Some(group) = floor.plan.groups.get(&hunt.id) {
                wrap_up = group.wrap_up;
            }
            hunt.withdraw_all(call, OfferEnd::TakenElsewhere, floor, turn);
            hunt.leave(floor);
        }
        State::Passing(passing) => match passing.rung() {
            Some((_, rung)) => wrap_up = transfer::picked_up(passing, rung, call, floor, turn),
            None => {
                call.state = State::Passing(passing);
                return Some(481);
            }
        },
        // Whoever rings for it, it is fetched out of its slot.
        State::Parked(parked) => {
            call.state = State::Parked(parked);
            let by = Number(floor.agent(taker).id.0.clone());
            park::fetch(call, new, Some(taker), &by, floor, turn);
            return None;
        }
        other => {
            call.state = other;
            return Some(481);
        }
    }
    let agent = floor.agent(taker).id.clone();
    call.record(CallEvent::OfferMade { agent }, turn);
    floor.direct_rings(taker, turn);
    floor.take_phone(new, call.leg, taker);
    turn.act(Action::Accept { leg: new });
    call.connect(taker, new, wrap_up, floor, turn);
    floor.direct_taken(taker, turn);
    None
}

/// The agent goes on with another phone.
fn go_on_at(
    call: &mut Call,
    old: LegId,
    new: LegId,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) -> Option<u16> {
    let State::Talking(talk) = &mut call.state else { return Some(481) };
    let (agent, held) = (talk.agent, std::mem::take(&mut talk.agent_holds));
    talk.phone = new;
    if held {
        call.record(CallEvent::Resumed { by: Party::Agent }, turn);
    }
    floor.drop_phone(old);
    floor.take_phone(new, call.leg, agent);
    turn.act(Action::Accept { leg: new });
    turn.act(Action::HangUp { leg: old, elsewhere: false });
    turn.act(Action::Connect { caller: call.leg, agent: new });
    None
}
