//! What an agent's keys bring about in a conversation, and what the phone hears when they cannot.

use super::agent::AgentIx;
use super::api::CommandError;
use super::call::{Call, State};
use super::consult::{self, Round, Whom};
use super::desk::Desk;
use super::floor::{Floor, Turn};
use super::keypad::Wanted;
use super::overflow;
use super::placed::Whither;
use super::third;
use crate::base::{CallId, LegId, Number, PromptId};
use crate::dialplan::{InCall, Route, Skills};
use crate::event::ConsultEnd;
use std::collections::BTreeSet;

impl Desk {
    /// A key of a phone of ours. Only agents in a conversation do anything by keys.
    pub(super) fn phone_pressed(&mut self, leg: LegId, key: char, turn: &mut Turn<'_>) {
        if self.skips(leg, turn) || !self.listens_to(leg) {
            return;
        }
        if let Some(wish) = self.floor.pressed(leg, key, turn) {
            self.obey_keys(leg, wish, turn);
        }
    }

    /// No further key came from this phone.
    pub(super) fn keypad_over(&mut self, leg: LegId, turn: &mut Turn<'_>) {
        if let Some(wish) = self.floor.keypad_due(leg)
            && self.listens_to(leg)
        {
            self.obey_keys(leg, wish, turn);
        }
    }

    /// Whether the leg is an agent's phone in a conversation.
    fn listens_to(&self, leg: LegId) -> bool {
        match self.call_at(leg).map(|call| &call.state) {
            Some(State::Talking(talk)) => talk.phone == leg,
            Some(State::Consulting(consult)) => consult.phone == leg,
            Some(_) => false,
            None => self.placed.talker(leg).is_ok(),
        }
    }

    /// The same for the agent of a call, by a person's command.
    pub(super) fn obey_in_call(
        &mut self,
        call: CallId,
        wish: Wanted,
        turn: &mut Turn<'_>,
    ) -> Result<(), CommandError> {
        let caller = self.leg_of(call).ok_or(CommandError::NoSuchCall)?;
        let phone = match self.calls.get(&caller).map(|call| &call.state) {
            Some(State::Talking(talk)) => talk.phone,
            Some(State::Consulting(consult)) => consult.phone,
            _ => return Err(CommandError::NotTalking),
        };
        if self.do_in_call(phone, wish, turn) { Ok(()) } else { Err(CommandError::NotPossible) }
    }

    fn obey_keys(&mut self, leg: LegId, wish: Wanted, turn: &mut Turn<'_>) {
        if !self.do_in_call(leg, wish, turn) {
            self.floor.refuses(leg, turn);
        }
    }

    /// Whether it was done.
    fn do_in_call(&mut self, leg: LegId, wish: Wanted, turn: &mut Turn<'_>) -> bool {
        let Wanted { what, number } = wish;
        match (what, number) {
            (InCall::Park, _) => {
                let caller = self.talker_at(leg, turn).ok();
                caller.is_some_and(|caller| self.park(caller, None, false, turn).is_ok())
            }
            (InCall::Transfer, Some(number)) => {
                let passed = self.pass_on(leg, &number, turn).is_ok();
                // Until somebody answers, the phone is still there and hears that it rings.
                if passed && self.waits_for_taker(leg) {
                    self.floor.loops(leg, PromptId::from("ringback"), turn);
                }
                passed
            }
            (InCall::Consult, Some(number)) => self.consult(leg, &number, turn),
            (InCall::Swap, _) => self.with_call(leg, turn, consult::swap),
            (InCall::Back, _) => self.with_call(leg, turn, |call, floor, turn| {
                consult::back(call, ConsultEnd::SentBack, false, floor, turn)
            }),
            (InCall::Join, _) => self.with_call(leg, turn, |call, floor, turn| {
                let asked = consult::join(call, floor, turn);
                asked.is_some_and(|asked| third::seat(call, asked, floor, turn))
            }),
            (InCall::Transfer | InCall::Consult, None) => false,
        }
    }

    fn consult(&mut self, leg: LegId, number: &Number, turn: &mut Turn<'_>) -> bool {
        if matches!(self.call_at(leg).map(|call| &call.state), Some(State::Consulting(_))) {
            return false;
        }
        let Some(whom) = self.whom_to_ask(leg, number, turn) else { return false };
        // Last of all: an agent's own call outside becomes one of the desk's by it.
        let Ok(caller) = self.talker_at(leg, turn) else { return false };
        let Some(call) = self.calls.get_mut(&caller) else { return false };
        self.at_hand = Some(caller);
        let begun = consult::begin(call, whom, number, &mut self.floor, turn);
        self.stepped(caller);
        begun
    }

    /// Where the number leads that an agent wants to ask; none when nobody there can be asked now.
    fn whom_to_ask(&mut self, leg: LegId, number: &Number, turn: &Turn<'_>) -> Option<Whom> {
        let plan = self.floor.plan.clone();
        match plan.route(number, turn.now.wall) {
            Route::Agent(id) => {
                let asked = self.floor.agent_ix(id)?;
                // Never one whose phone is in use, the asker's own included.
                self.floor.agent(asked).is_quiet().then_some(Whom::Colleague(asked))
            }
            Route::Group(id) => {
                let group = plan.groups.get(id)?;
                let demand = overflow::demand(&self.skills_at(leg), group, turn.now.mono);
                let round = Round { group: id.clone(), demand, tried: BTreeSet::new() };
                round.any(&self.floor, turn.now.mono).then_some(Whom::Group(round))
            }
            Route::Other => {
                let asker = self.agent_in_talk(leg)?;
                let own = Number(self.floor.agent(asker).id.0.clone());
                match self.whither(number, &own)? {
                    Whither::Phone(extension) => Some(Whom::Phone(extension)),
                    // Whoever needs help is the caller, and the called would be told the desk's place.
                    Whither::Outside(way) if way.emergency => None,
                    Whither::Outside(way) => {
                        let free = self.floor.beyond_limits(&own, turn).is_none();
                        free.then_some(Whom::Outside(way))
                    }
                    Whither::Refused(..) => None,
                }
            }
            Route::Desk { .. }
            | Route::Lot(_)
            | Route::Slot(..)
            | Route::Code(_)
            | Route::CodeFor(..) => None,
        }
    }

    /// The agent whose phone this is in a talk.
    fn agent_in_talk(&self, leg: LegId) -> Option<AgentIx> {
        match self.call_at(leg).map(|call| &call.state) {
            Some(State::Talking(talk)) if talk.phone == leg => Some(talk.agent),
            Some(_) => None,
            None => self.placed.talker(leg).ok(),
        }
    }

    /// Does something to the call of an agent's phone.
    pub(super) fn with_call<T: Default>(
        &mut self,
        leg: LegId,
        turn: &mut Turn<'_>,
        what: impl FnOnce(&mut Call, &mut Floor, &mut Turn<'_>) -> T,
    ) -> T {
        let Some(caller) = self.floor.call_of_phone(leg) else { return T::default() };
        let Some(call) = self.calls.get_mut(&caller) else { return T::default() };
        self.at_hand = Some(caller);
        let done = what(call, &mut self.floor, turn);
        self.stepped(caller);
        done
    }

    /// Whether the phone has passed its caller on and nobody has taken it yet.
    fn waits_for_taker(&self, leg: LegId) -> bool {
        let state = self.call_at(leg).map(|call| &call.state);
        matches!(state, Some(State::Passing(passing)) if passing.phone == Some(leg))
    }

    /// The call that a phone was dialled for.
    pub(super) fn call_at(&self, phone: LegId) -> Option<&Call> {
        self.calls.get(&self.floor.call_of_phone(phone)?)
    }

    /// What the caller of that call needs of whoever answers; nothing where there is none.
    pub(super) fn skills_at(&self, phone: LegId) -> Skills {
        self.call_at(phone).map(|call| call.skills.clone()).unwrap_or_default()
    }
}
