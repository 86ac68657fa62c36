//! How a caller comes into a slot and who is told of it: by a blind or an attended transfer to the slot or
//! its lot, by a feature code, by command; and what a phone hears that dials a slot's number.

use super::agent::AgentIx;
use super::api::{Action, CommandError, Hindrance, TransferNews};
use super::call::State;
use super::code::{CodeLeg, Errand};
use super::desk::Desk;
use super::floor::{Floor, Turn};
use super::park::{self, Slot};
use super::say::PLAY_LONGEST;
use super::timers::Timer;
use crate::base::{AgentId, LegId, Number, PromptId};
use crate::dialplan::{Lot, Plan};
use crate::event::Origin;
use std::sync::Arc;
use std::time::Duration;

/// How long a phone that dialled a lot may take to pass its caller there.
const KEPT: Duration = Duration::from_secs(60);
/// How long a phone is rung to be told where its caller is; its display shows it all the while.
const RING_TO_TELL: Duration = Duration::from_secs(10);

/// What was dialled.
#[derive(Clone, Copy)]
pub(super) enum Spot<'a> {
    Lot(&'a Arc<Lot>),
    Slot(&'a Arc<Lot>, &'a Number),
}

/// Where a caller is to be parked.
pub(super) type Place = (Arc<Lot>, Number);

impl Plan {
    /// A slot with its lot.
    fn slot(&self, slot: &Number) -> Option<&Arc<Lot>> {
        self.lots.iter().find(|lot| lot.slots.contains_key(slot))
    }
}

impl Desk {
    /// Where a blind transfer to this number parks a caller, or why not.
    pub(super) fn place(&self, dialled: Spot<'_>) -> Result<Place, u16> {
        match dialled {
            Spot::Lot(lot) => self.floor.free_slot(lot).map(|slot| (lot.clone(), slot)).ok_or(486),
            Spot::Slot(_, slot) if self.floor.slots.contains_key(slot) => Err(486),
            Spot::Slot(lot, slot) => Ok((lot.clone(), slot.clone())),
        }
    }

    /// One of our phones dials a lot or a slot.
    pub(super) fn slot_dialled(
        &mut self,
        leg: LegId,
        origin: &Origin,
        dialled: Spot<'_>,
        stands_against: (bool, Option<Hindrance>),
        turn: &mut Turn<'_>,
    ) {
        let Origin::Extension(by) = origin else {
            return turn.act(Action::Refuse { leg, status: 404 });
        };
        match stands_against {
            (true, _) => return turn.act(Action::Refuse { leg, status: 503 }),
            (false, Some(_)) => return turn.act(Action::Refuse { leg, status: 488 }),
            (false, None) => {}
        }
        let agent = self.floor.agent_at(by);
        match dialled {
            Spot::Slot(lot, slot) => match self.floor.slots.get(slot).copied() {
                Some(Slot::Held(caller)) => {
                    let Some(call) = self.calls.get_mut(&caller) else {
                        return turn.act(Action::Refuse { leg, status: 480 });
                    };
                    self.at_hand = Some(caller);
                    park::fetch(call, leg, agent, by, &mut self.floor, turn);
                    self.stepped(caller);
                }
                Some(Slot::Kept(_)) => {
                    let word = (lot.empty.clone(), Errand::Word);
                    self.floor.tell(leg, agent, word, PLAY_LONGEST, turn);
                }
                None => {
                    // Kept while it hears so: it may be about to pass its caller there.
                    self.floor.slots.insert(slot.clone(), Slot::Kept(leg));
                    let errand = Errand::Keeps { lot: lot.clone(), slot: slot.clone(), on: false };
                    self.floor.tell(leg, agent, (lot.empty.clone(), errand), PLAY_LONGEST, turn);
                }
            },
            Spot::Lot(lot) => match (agent, self.floor.free_slot(lot)) {
                (None, _) => turn.act(Action::Refuse { leg, status: 403 }),
                (Some(_), None) => turn.act(Action::Refuse { leg, status: 486 }),
                (Some(_), Some(slot)) => {
                    self.floor.slots.insert(slot.clone(), Slot::Kept(leg));
                    let said = said(lot, &slot);
                    let errand = Errand::Keeps { lot: lot.clone(), slot, on: true };
                    self.floor.tell(leg, agent, (said, errand), KEPT, turn);
                }
            },
        }
    }

    /// The attended transfer of a conversation to a phone's own call of a lot or slot: the caller goes
    /// there. None when neither leg is such a call.
    pub(super) fn join_slot(
        &mut self,
        leg: LegId,
        other: LegId,
        turn: &mut Turn<'_>,
    ) -> Option<Result<(), u16>> {
        let kept = |leg: &LegId| match self.floor.codes.get(leg).map(|code| &code.errand) {
            Some(Errand::Keeps { lot, slot, .. }) => Some((lot.clone(), slot.clone())),
            _ => None,
        };
        let (keeps, phone, place) = match (kept(&other), kept(&leg)) {
            (Some(place), _) => (other, leg, place),
            (None, Some(place)) => (leg, other, place),
            (None, None) => return None,
        };
        Some(self.join_place(leg, keeps, phone, &place, turn))
    }

    fn join_place(
        &mut self,
        leg: LegId,
        keeps: LegId,
        phone: LegId,
        (lot, slot): &Place,
        turn: &mut Turn<'_>,
    ) -> Result<(), u16> {
        let caller = self.talker_at(phone, turn)?;
        turn.act(Action::Transfer { leg, news: TransferNews::Accepted });
        if leg == keeps {
            turn.act(Action::Transfer { leg, news: TransferNews::Done });
        }
        turn.act(Action::HangUp { leg: keeps, elsewhere: false });
        self.floor.code_over(keeps, turn);
        let Some(call) = self.calls.get_mut(&caller) else { return Err(603) };
        self.at_hand = Some(caller);
        if let Some(giver) = park::park(call, lot, slot, &mut self.floor, turn) {
            park::let_go(&giver, call, None, &mut self.floor, turn);
        }
        self.stepped(caller);
        Ok(())
    }

    /// The caller with whom the phone at this leg speaks as an agent; a call that the agent placed becomes
    /// one of the desk's.
    pub(super) fn talker_at(&mut self, phone: LegId, turn: &mut Turn<'_>) -> Result<LegId, u16> {
        let Some(caller) = self.floor.call_of_phone(phone) else {
            self.placed.talker(phone)?;
            return self.adopt(phone, turn).ok_or(603);
        };
        match self.calls.get(&caller).map(|call| &call.state) {
            Some(State::Talking(talk)) if talk.phone == phone => Ok(caller),
            Some(State::Talking(_)) => Err(403),
            _ => Err(491),
        }
    }

    /// Parks the caller of one call, in a slot of the first lot unless one is named. Its agent is told
    /// which, unless `silently`.
    pub(super) fn park(
        &mut self,
        caller: LegId,
        slot: Option<&Number>,
        silently: bool,
        turn: &mut Turn<'_>,
    ) -> Result<Place, CommandError> {
        let plan = self.floor.plan.clone();
        let (lot, slot) = match slot {
            Some(slot) => {
                let lot = plan.slot(slot).ok_or(CommandError::NoSuchSlot)?;
                if self.floor.slots.contains_key(slot) {
                    return Err(CommandError::SlotTaken);
                }
                (lot, slot.clone())
            }
            None => {
                let lot = plan.lots.first().ok_or(CommandError::NoSuchSlot)?;
                (lot, self.floor.free_slot(lot).ok_or(CommandError::NoFreeSlot)?)
            }
        };
        let call = self.calls.get_mut(&caller).ok_or(CommandError::NoSuchCall)?;
        self.at_hand = Some(caller);
        let parked = park::park(call, lot, &slot, &mut self.floor, turn);
        if let Some(giver) = &parked {
            let said = (!silently).then_some((lot, &slot));
            park::let_go(giver, call, said, &mut self.floor, turn);
        }
        self.stepped(caller);
        parked.map(|_| (lot.clone(), slot)).ok_or(CommandError::NotTalking)
    }

    /// The caller with whom an agent talks; of several, one that the agent holds.
    pub(super) fn caller_of(&self, agent: AgentIx) -> Option<LegId> {
        let talks = self.calls.values().filter_map(|call| match &call.state {
            State::Talking(talk) if talk.agent == agent => Some((!talk.agent_holds, call.leg)),
            _ => None,
        });
        talks.min().map(|(_, leg)| leg)
    }

    /// Rings an agent who is to have the caller of a slot.
    pub(super) fn bring(
        &mut self,
        slot: &Number,
        agent: &AgentId,
        turn: &mut Turn<'_>,
    ) -> Result<(), CommandError> {
        let agent = self.floor.agent_ix(agent).ok_or(CommandError::NoSuchAgent)?;
        let caller = self.parked_in(slot).ok_or(CommandError::SlotEmpty)?;
        if !self.floor.agent(agent).is_quiet() {
            return Err(CommandError::PhoneBusy);
        }
        let call = self.calls.get_mut(&caller).ok_or(CommandError::SlotEmpty)?;
        self.at_hand = Some(caller);
        let rung = park::bring(call, agent, &mut self.floor, turn);
        self.stepped(caller);
        if rung { Ok(()) } else { Err(CommandError::SlotRings) }
    }

    /// Whether the number is a slot's.
    #[must_use]
    pub fn is_slot(&self, number: &Number) -> bool {
        self.floor.plan.slot(number).is_some()
    }

    /// The leg of the caller in a slot.
    #[must_use]
    pub fn parked_in(&self, slot: &Number) -> Option<LegId> {
        match self.floor.slots.get(slot) {
            Some(Slot::Held(caller)) => Some(*caller),
            Some(Slot::Kept(_)) | None => None,
        }
    }
}

/// What is said to whom parked a caller in a slot.
fn said(lot: &Lot, slot: &Number) -> PromptId {
    lot.slots.get(slot).unwrap_or(&lot.empty).clone()
}

impl Floor {
    /// The leg by which an agent spoke with a caller hears where that is now, then it is let go.
    pub(super) fn tell_slot(
        &mut self,
        leg: LegId,
        agent: AgentIx,
        lot: &Arc<Lot>,
        slot: &Number,
        caller: LegId,
        turn: &mut Turn<'_>,
    ) {
        let errand = Errand::TellsSlot { lot: lot.clone(), slot: slot.clone(), caller };
        self.say(leg, Some(agent), (said(lot, slot), errand), PLAY_LONGEST, turn);
    }

    /// Rings an agent to tell where the caller is.
    pub(super) fn ring_to_tell(
        &mut self,
        agent: AgentIx,
        lot: &Arc<Lot>,
        slot: &Number,
        caller: LegId,
        turn: &mut Turn<'_>,
    ) {
        if !lot.tells || !self.agent(agent).is_quiet() {
            return;
        }
        self.code_begins(agent, turn);
        let leg = self.draw_leg();
        let extension = Number(self.agent(agent).id.0.clone());
        let shown = Some(slot.clone());
        turn.act(Action::Dial { leg, extension, on_behalf_of: caller, shown });
        let errand = Errand::RingsToTell { said: said(lot, slot) };
        let mut held = CodeLeg { agent: Some(agent), play: self.draw_play(), timer: None, errand };
        let until = turn.now.mono + RING_TO_TELL;
        self.timers.set(Timer::Code(leg), &mut held.timer, Some(until));
        self.codes.insert(leg, held);
    }
}
