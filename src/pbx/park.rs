//! Parked callers (パーク保留): an agent leaves the caller in a slot, where anybody of the house fetches it
//! by dialling the slot's number. The call stays one call; its outcome was decided when it was answered.
//!
//! A caller whom nobody fetches is called back: who parked it is rung, then the group is asked anew. A
//! phone that is in use is not rung for it. A caller stays in its slot, and can be fetched, until somebody
//! has it or the group does.

use super::agent::AgentIx;
use super::api::{Action, TransferNews};
use super::call::{Call, From, State, Talk, judge_refusal};
use super::floor::{CountsAs, Floor, Turn};
use super::{away, transfer};
use crate::base::{LegId, Mono, Number};
use crate::dialplan::{Lot, Recall, SetAside};
use crate::event::{CallEvent, OfferEnd, Unpark};
use std::sync::Arc;
use std::time::Duration;

/// What a slot is used for; a slot that is free has no entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// A caller is there: its leg.
    Held(LegId),
    /// A phone has been told of it and is about to pass its caller there: that leg of the phone's.
    Kept(LegId),
}

/// A caller in a slot.
#[derive(Debug)]
pub(super) struct Parked {
    lot: Arc<Lot>,
    pub(super) slot: Number,
    /// Who left it there.
    pub(super) parker: AgentIx,
    /// The work due after the conversation, for whoever has it.
    wrap_up: Duration,
    /// When it is called back.
    recall_at: Mono,
    rung: Option<Rung>,
}

/// A phone that rings for a parked caller.
#[derive(Debug)]
struct Rung {
    agent: AgentIx,
    phone: LegId,
    /// It rings because nobody fetched the caller, not because its agent wants to.
    recall: bool,
}

impl Parked {
    /// Whether a caller whom nobody fetches goes where the plan says, and not to a group.
    pub(super) fn leads_on(&self) -> bool {
        matches!(self.lot.recall, Recall::Parker { then: Some(_) })
    }

    /// The agent who is rung for it, and at which leg.
    pub(super) fn rung(&self) -> Option<(LegId, AgentIx)> {
        self.rung.as_ref().map(|rung| (rung.phone, rung.agent))
    }

    /// When somebody is to be called for it.
    pub(super) fn deadline(&self) -> Option<Mono> {
        self.rung.is_none().then_some(self.recall_at)
    }

    /// The caller leaves the slot; no phone rings for it any more.
    pub(super) fn end(self, call: &Call, why: OfferEnd, floor: &mut Floor, turn: &mut Turn<'_>) {
        floor.slots.remove(&self.slot);
        if let Some(Rung { agent, phone, .. }) = self.rung {
            let elsewhere = why == OfferEnd::TakenElsewhere;
            turn.act(Action::HangUp { leg: phone, elsewhere });
            floor.drop_phone(phone);
            let id = floor.agent(agent).id.clone();
            call.record(CallEvent::OfferEnded { agent: id, why }, turn);
            floor.direct_ends(agent, turn);
        }
    }
}

impl Floor {
    /// The lowest free slot of a lot.
    pub(super) fn free_slot(&self, lot: &Lot) -> Option<Number> {
        lot.slots.keys().find(|slot| !self.slots.contains_key(*slot)).cloned()
    }
}

/// Who parks a caller, and at which leg.
pub(super) struct Giver {
    pub(super) agent: AgentIx,
    pub(super) phone: LegId,
    /// The phone hears what is said to it: it does not hold.
    pub(super) hears: bool,
    wrap_up: Duration,
}

/// Leaves the caller of a conversation in a slot that is free or kept for it. The agent's leg stays up, for
/// [`let_go`]. None when there is no conversation.
pub(super) fn park(
    call: &mut Call,
    lot: &Arc<Lot>,
    slot: &Number,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) -> Option<Giver> {
    let State::Talking(talk) = &call.state else { return None };
    let Talk { agent, phone, wrap_up, agent_holds, .. } = *talk;
    let by = floor.agent(agent).id.clone();
    call.step_out(CallEvent::Parked { by, slot: slot.clone() }, turn);
    turn.act(Action::Part { caller: call.leg, agent: phone });
    call.music(lot.music.clone(), floor, turn);
    floor.slots.insert(slot.clone(), Slot::Held(call.leg));
    call.state = State::Parked(Parked {
        lot: lot.clone(),
        slot: slot.clone(),
        parker: agent,
        wrap_up,
        recall_at: turn.now.mono + lot.recall_after,
        rung: None,
    });
    Some(Giver { agent, phone, hears: !agent_holds, wrap_up })
}

/// Lets the parker's leg go. `said`: it is told first where the caller is, and rung to be told if it does
/// not stay for it; none: it knows.
pub(super) fn let_go(
    giver: &Giver,
    call: &Call,
    said: Option<(&Arc<Lot>, &Number)>,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    let Giver { agent, phone, hears, wrap_up } = *giver;
    let Some((lot, slot)) = said else {
        let news = TransferNews::Done;
        return transfer::let_go(agent, Some(phone), news, wrap_up, floor, turn);
    };
    turn.act(Action::Transfer { leg: phone, news: TransferNews::Done });
    floor.drop_phone(phone);
    if hears {
        floor.tell_slot(phone, agent, lot, slot, call.leg, turn);
        floor.talk_ends(agent, wrap_up, turn);
    } else {
        turn.act(Action::HangUp { leg: phone, elsewhere: false });
        floor.talk_ends(agent, wrap_up, turn);
        floor.ring_to_tell(agent, lot, slot, call.leg, turn);
    }
}

/// A phone that dialled the slot has the caller. `agent`: whose it is, none when no agent's; `by`: its
/// number.
pub(super) fn fetch(
    call: &mut Call,
    leg: LegId,
    agent: Option<AgentIx>,
    by: &Number,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    let State::Parked(parked) = std::mem::replace(&mut call.state, State::New) else { return };
    let (wrap_up, phone) = (parked.wrap_up, agent.is_none().then(|| by.clone()));
    unpark(parked, call, (Unpark::Fetched, phone), floor, turn);
    match agent {
        Some(taker) => {
            let id = floor.agent(taker).id.clone();
            call.record(CallEvent::OfferMade { agent: id }, turn);
            floor.direct_rings(taker, turn);
            floor.take_phone(leg, call.leg, taker);
            turn.act(Action::Accept { leg });
            call.connect(taker, leg, wrap_up, floor, turn);
            floor.direct_taken(taker, turn);
        }
        None => {
            call.tape_is(super::tape::TapeEvent::SentAway, floor, turn);
            floor.far.insert(leg, call.leg);
            turn.act(Action::Accept { leg });
            away::connect(call, leg, None, turn);
        }
    }
}

/// Rings an agent who wants the caller. False when another phone rings for it already.
pub(super) fn bring(
    call: &mut Call,
    agent: AgentIx,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) -> bool {
    match &call.state {
        State::Parked(parked) if parked.rung.is_none() => {}
        _ => return false,
    }
    ring(call, agent, false, floor, turn);
    true
}

fn ring(call: &mut Call, agent: AgentIx, recall: bool, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Parked(parked) = &mut call.state else { return };
    let until = turn.now.mono + parked.lot.recall_ring;
    let phone = floor.dial(agent, call.leg, CountsAs::Ringing, until, turn);
    parked.rung = Some(Rung { agent, phone, recall });
    let id = floor.agent(agent).id.clone();
    call.record(CallEvent::OfferMade { agent: id }, turn);
    floor.direct_rings(agent, turn);
}

/// Nobody fetched the caller in time.
pub(super) fn due(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Parked(parked) = &call.state else { return };
    if parked.rung.is_some() || parked.recall_at > turn.now.mono {
        return;
    }
    let parker = parked.parker;
    // Work after the call before is no reason: it is the parker's own caller.
    let free = floor.agent(parker).is_quiet();
    let rings = match &parked.lot.recall {
        Recall::Parker { .. } => free,
        // Without a group the parker is the only one who may be meant.
        Recall::Group => free && !leads_away(parked, call, floor),
    };
    if rings { ring(call, parker, true, floor, turn) } else { give_up(call, floor, turn) }
}

/// Whether a caller whom nobody fetches comes to anybody by leaving the slot.
fn leads_away(parked: &Parked, call: &Call, floor: &Floor) -> bool {
    parked.leads_on() || call.group.is_some() || floor.first_group_of(parked.parker).is_some()
}

/// The phone that rang answered.
pub(super) fn answered(call: &mut Call, leg: LegId, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Parked(parked) = &mut call.state else { return };
    let Some(rung) = parked.rung.take_if(|rung| rung.phone == leg) else { return };
    let State::Parked(parked) = std::mem::replace(&mut call.state, State::New) else { return };
    let wrap_up = parked.wrap_up;
    let how = if rung.recall { Unpark::Recalled } else { Unpark::Fetched };
    unpark(parked, call, (how, None), floor, turn);
    floor.picked_up(leg);
    call.connect(rung.agent, leg, wrap_up, floor, turn);
    floor.direct_taken(rung.agent, turn);
}

/// The phone that rang does so no more.
pub(super) fn missed(
    call: &mut Call,
    leg: LegId,
    refused: Option<u16>,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    let State::Parked(parked) = &mut call.state else { return };
    let Some(rung) = parked.rung.take_if(|rung| rung.phone == leg) else { return };
    let recalled = rung.recall;
    let why = match refused {
        Some(status) => judge_refusal(rung.agent, status, SetAside::Pause, floor).0,
        None => OfferEnd::RangOut,
    };
    floor.drop_phone(leg);
    let id = floor.agent(rung.agent).id.clone();
    call.record(CallEvent::OfferEnded { agent: id, why }, turn);
    if recalled {
        give_up(call, floor, turn);
    }
    // Last, so that a phone that is free again serves those who wait before it serves this call.
    floor.direct_ends(rung.agent, turn);
}

/// The caller goes to the group, or where the plan says. Where neither is, it stays in the slot, and is called back
/// again later.
fn give_up(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Parked(parked) = &call.state else { return };
    if !leads_away(parked, call, floor) {
        let again_at = turn.now.mono + parked.lot.recall_after;
        if let State::Parked(parked) = &mut call.state {
            parked.recall_at = again_at;
        }
        return;
    }
    let State::Parked(parked) = std::mem::replace(&mut call.state, State::New) else { return };
    let (parker, lot) = (parked.parker, parked.lot.clone());
    unpark(parked, call, (Unpark::GivenUp, None), floor, turn);
    match &lot.recall {
        Recall::Parker { then: Some(then) } => call.go(then, From::Menu, floor, turn),
        Recall::Parker { then: None } | Recall::Group => {
            transfer::ask_anew(call, parker, 480, floor, turn);
        }
    }
}

fn unpark(
    parked: Parked,
    call: &Call,
    (how, phone): (Unpark, Option<Number>),
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    let slot = parked.slot.clone();
    parked.end(call, OfferEnd::TakenElsewhere, floor, turn);
    call.record(CallEvent::Unparked { slot, how, phone }, turn);
}
