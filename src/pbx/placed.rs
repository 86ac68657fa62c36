//! A call that one of our phones places to another phone that is no agent's, or to a number outside.
//! It is no call of the desk: it has no outcome and enters no figure of the contract. It holds its
//! caller's line all the same: an agent who calls out is not rung.

mod call;

use self::call::{Call, Holding, State};
use super::agent::AgentIx;
use super::api::Action;
use super::callback::Back;
use super::floor::{Floor, Turn};
use super::outside::{Next, Outside, passed_on};
use super::timers::Timer;
use crate::base::{CallId, LegId, Mono, Number, Private, PromptId};
use crate::dialplan::Way;
use crate::event::{Fact, Party, PlacedEnd, PlacedEvent};
use std::collections::BTreeMap;
use std::time::Duration;

/// Rhythms of the ringing tone that an agent hears who calls somebody back: three minutes of Japan's.
const RINGBACKS: usize = 60;

/// All placed calls.
#[derive(Debug, Default)]
pub(super) struct Placed {
    /// By the caller's leg.
    calls: BTreeMap<LegId, Call>,
    /// The legs that we dialled, each to its call.
    phones: BTreeMap<LegId, LegId>,
    /// What the call holds whose step is being taken. Found set by an input, its step panicked.
    at_hand: Option<Holding>,
}

/// What happens to a placed call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    CallerGone,
    CallerFailed(&'static str),
    Rings,
    Early,
    Answered,
    Refused(u16),
    Gone,
    Failed(&'static str),
    Hold { by: Party, on: bool },
    Due,
}

/// Which side is over already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    Neither,
    Caller,
    Phone,
}

/// What a phone of ours dialled.
#[derive(Debug)]
pub(super) struct Dialled<'a> {
    pub(super) leg: LegId,
    pub(super) from: &'a Number,
    pub(super) placed_by: Option<AgentIx>,
    pub(super) number: &'a Number,
}

/// A wish to be called back whose agent has answered.
#[derive(Debug)]
pub(super) struct CalledBack {
    /// The wish's own leg.
    pub(super) wish: LegId,
    /// The call in which it was said.
    pub(super) of: CallId,
    /// The agent's leg.
    pub(super) phone: LegId,
    pub(super) agent: AgentIx,
    pub(super) number: Private<String>,
    /// The work due after it.
    pub(super) wrap_up: Duration,
    /// Told to the agent first.
    pub(super) prompt: PromptId,
    pub(super) back: Back,
}

/// What is left of a call whose two sides go on in another way.
#[derive(Debug)]
pub(super) struct Parted {
    pub(super) id: CallId,
    pub(super) arrived: Mono,
    /// Who called.
    pub(super) from: Number,
    /// What was dialled.
    pub(super) number: Private<String>,
    /// The called party's leg.
    pub(super) far: LegId,
    pub(super) outside: Option<Outside>,
}

/// Where it leads.
#[derive(Debug)]
pub(super) enum Whither {
    Phone(Number),
    Outside(Way),
    /// Nowhere: refused and remembered.
    Refused(PlacedEnd, u16),
}

impl Placed {
    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    /// Everything held that must be gone when no call is up.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.calls.len() + self.phones.len()
    }

    pub(super) fn call_of(&self, leg: LegId) -> Option<CallId> {
        let caller = self.phones.get(&leg).copied().unwrap_or(leg);
        self.calls.get(&caller).map(|call| call.id)
    }

    /// The call that the leg belongs to, and when it was dialled.
    pub(super) fn age_of(&self, leg: LegId) -> Option<(CallId, Mono)> {
        let caller = self.phones.get(&leg).copied().unwrap_or(leg);
        self.calls.get(&caller).map(|call| (call.id, call.arrived))
    }

    /// Whether the leg belongs to a placed call.
    pub(super) fn has(&self, leg: LegId) -> bool {
        self.calls.contains_key(&leg) || self.phones.contains_key(&leg)
    }

    /// A phone of ours dialled a number that is no call of the desk.
    pub(super) fn dialled(
        &mut self,
        dialled: &Dialled<'_>,
        whither: Whither,
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) {
        let mut call = Call {
            id: CallId::draw(turn.now.wall, &mut floor.rng),
            leg: dialled.leg,
            arrived: turn.now.mono,
            from: dialled.from.clone(),
            number: Private::new(dialled.number.as_str().to_owned()),
            placed_by: None,
            accepted: false,
            rung: false,
            wrap_up: Duration::ZERO,
            wish: None,
            answered: false,
            state: State::New,
            timer: None,
        };
        let inside = matches!(whither, Whither::Phone(_));
        let (by, number) = (call.from.clone(), call.number.clone());
        call.record(PlacedEvent::Dialled { by, number, inside, back: None }, turn);
        let refused = match &whither {
            Whither::Refused(why, status) => Some((why.clone(), *status)),
            Whither::Outside(way) if !way.emergency => floor.beyond_limits(&call.from, turn),
            Whither::Outside(_) | Whither::Phone(_) => None,
        };
        if let Some((why, status)) = refused {
            return self.end(call, Party::System, why, Over::Neither, status, floor, turn);
        }
        if let Some(agent) = dialled.placed_by {
            call.placed_by = Some(agent);
            floor.call_placed(agent, turn);
        }
        match whither {
            Whither::Phone(extension) => {
                let phone = floor.draw_leg();
                let until = turn.now.mono + floor.plan.extension_ring;
                self.phones.insert(phone, call.leg);
                call.state = State::Ringing { phone, until };
                turn.act(Action::Dial {
                    leg: phone,
                    extension,
                    on_behalf_of: call.leg,
                    shown: None,
                });
                self.keep(call, floor);
            }
            Whither::Outside(way) => {
                let next = floor.reach(&call.from, way, turn);
                self.try_next(call, next, floor, turn);
            }
            Whither::Refused(..) => {}
        }
    }

    /// An id for a call that is about to be placed.
    pub(super) fn call_id(&self, floor: &mut Floor, turn: &Turn<'_>) -> CallId {
        CallId::draw(turn.now.wall, &mut floor.rng)
    }

    /// An agent calls somebody back. The agent's phone has answered, and counts as talking already.
    pub(super) fn call_back(
        &mut self,
        id: CallId,
        of: CalledBack,
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) {
        let from = Number(floor.agent(of.agent).id.0.clone());
        let mut call = Call {
            id,
            leg: of.phone,
            arrived: turn.now.mono,
            from,
            number: of.number,
            placed_by: Some(of.agent),
            accepted: true,
            rung: true,
            wrap_up: of.wrap_up,
            wish: Some(of.wish),
            answered: false,
            state: State::New,
            timer: None,
        };
        let (by, number, back) = (call.from.clone(), call.number.clone(), Some(of.of));
        let inside = matches!(of.back, Back::Phone(_));
        call.record(PlacedEvent::Dialled { by, number, inside, back }, turn);
        let play = floor.draw_play();
        // The agent was answered by us already, so its phone makes no ringing of its own.
        let ringback = std::iter::repeat_n(PromptId::from("ringback"), RINGBACKS);
        let prompts = std::iter::once(of.prompt).chain(ringback).collect();
        let leg = call.leg;
        turn.act(Action::Play { leg, play, prompts, looped: false, stops_on_key: false });
        match of.back {
            Back::Phone(extension) => {
                let phone = floor.draw_leg();
                let until = turn.now.mono + floor.plan.extension_ring;
                self.phones.insert(phone, call.leg);
                call.state = State::Ringing { phone, until };
                let on_behalf_of = call.leg;
                turn.act(Action::Dial { leg: phone, extension, on_behalf_of, shown: None });
                self.keep(call, floor);
            }
            // Within the agent's bounds: that was asked before the call was counted.
            Back::Outside(way) => {
                let next = floor.reach(&call.from, way, turn);
                self.try_next(call, next, floor, turn);
            }
        }
    }

    /// Calls by the next trunk, or gives up.
    fn try_next(&mut self, mut call: Call, next: Next, floor: &mut Floor, turn: &mut Turn<'_>) {
        match next {
            Next::Try(attempt) => {
                self.phones.insert(attempt.leg, call.leg);
                call.record(PlacedEvent::Tried { trunk: attempt.trunk.clone() }, turn);
                turn.act(attempt.dial(call.leg));
                call.state = State::Reaching(attempt);
                self.keep(call, floor);
            }
            Next::Nobody { status, full } => {
                let why =
                    if full { PlacedEnd::ChannelsFull } else { PlacedEnd::NotAnswered { status } };
                call.state = State::New;
                self.end(call, Party::System, why, Over::Neither, status, floor, turn);
            }
        }
    }

    fn keep(&mut self, mut call: Call, floor: &mut Floor) {
        let at = match &call.state {
            State::Ringing { until, .. } => Some(*until),
            State::Reaching(attempt) => Some(attempt.until),
            State::Talking { outside: Some(outside), .. } => outside.until,
            State::Talking { outside: None, .. } | State::New | State::Over => None,
        };
        floor.timers.set(Timer::Placed(call.leg), &mut call.timer, at);
        self.calls.insert(call.leg, call);
    }

    /// The deadline was taken out.
    pub(super) fn due(&mut self, leg: LegId, floor: &mut Floor, turn: &mut Turn<'_>) {
        if let Some(call) = self.calls.get_mut(&leg) {
            call.timer = None;
            self.step(leg, Event::Due, floor, turn);
        }
    }

    /// Something happened to a leg, the caller's (`caller`) or the one that we dialled (`phone`).
    pub(super) fn leg(
        &mut self,
        leg: LegId,
        caller: Event,
        phone: Event,
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) {
        match self.phones.get(&leg).copied() {
            Some(call) => self.step(call, phone, floor, turn),
            None => self.step(leg, caller, floor, turn),
        }
    }

    /// The agent whose phone placed the call that `leg` is the placing phone's leg of, while both talk.
    ///
    /// # Errors
    ///
    /// The status that a wish to pass the call on earns.
    pub(super) fn talker(&self, leg: LegId) -> Result<AgentIx, u16> {
        match self.calls.get(&leg) {
            // No call, or the called party's leg.
            None => Err(403),
            Some(Call { state: State::Talking { .. }, placed_by, .. }) => placed_by.ok_or(403),
            Some(_) => Err(491),
        }
    }

    /// The two sides of a call go on in another way: it ends here for both, and neither leg is touched.
    /// The agent's line stays taken.
    pub(super) fn part(
        &mut self,
        leg: LegId,
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) -> Option<Parted> {
        let mut call = self.calls.remove(&leg)?;
        floor.timers.set(Timer::Placed(leg), &mut call.timer, None);
        let State::Talking { phone, outside, held } =
            std::mem::replace(&mut call.state, State::Over)
        else {
            return None;
        };
        self.phones.remove(&phone);
        for (by, held) in [Party::Caller, Party::Agent].into_iter().zip(held) {
            if held {
                call.record(PlacedEvent::Resumed { by }, turn);
            }
        }
        let (by, why) = (Party::Caller, PlacedEnd::PassedOn);
        call.record(PlacedEvent::Ended { by, why }, turn);
        floor.called_back.extend(call.wish.map(|wish| (wish, true)));
        let Call { id, arrived, from, number, .. } = call;
        Some(Parted { id, arrived, from, number, far: phone, outside })
    }

    /// What is left of a call of the desk when its caller leaves: the agent's leg, and one that was dialled
    /// for it, go on with each other. The agent's line is taken already.
    pub(super) fn go_on(
        &mut self,
        (leg, agent, from): (LegId, AgentIx, Number),
        (phone, number, outside): (LegId, Number, Option<Outside>),
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) {
        let number = Private::new(number.as_str().to_owned());
        let inside = outside.is_none();
        let call = Call {
            id: CallId::draw(turn.now.wall, &mut floor.rng),
            leg,
            arrived: turn.now.mono,
            from: from.clone(),
            number: number.clone(),
            placed_by: Some(agent),
            accepted: true,
            rung: true,
            wrap_up: Duration::ZERO,
            wish: None,
            answered: false,
            state: State::New,
            timer: None,
        };
        call.record(PlacedEvent::Dialled { by: from, number, inside, back: None }, turn);
        self.phones.insert(phone, leg);
        self.connect(call, phone, outside, floor, turn);
    }

    /// Moves a call one step.
    fn step(&mut self, leg: LegId, event: Event, floor: &mut Floor, turn: &mut Turn<'_>) {
        use {Event as E, State as S};
        let Some(mut call) = self.calls.remove(&leg) else { return };
        self.at_hand = Some(call.holding());
        match (std::mem::replace(&mut call.state, S::New), event) {
            (state, E::CallerGone) => {
                call.state = state;
                self.end(call, Party::Caller, PlacedEnd::HungUp, Over::Caller, 0, floor, turn);
            }
            (state, E::CallerFailed(what)) => {
                call.state = state;
                let why = PlacedEnd::Fault { what: what.to_owned() };
                self.end(call, Party::System, why, Over::Caller, 0, floor, turn);
            }

            (state @ S::Ringing { .. }, E::Rings) => {
                call.ring(turn);
                call.state = state;
                self.keep(call, floor);
            }
            (S::Reaching(mut attempt), E::Rings) => {
                attempt.rang = true;
                call.ring(turn);
                call.state = S::Reaching(attempt);
                self.keep(call, floor);
            }
            // The carrier's own tones and words: what is heard is what it sends, and no ringing of ours.
            (S::Reaching(mut attempt), E::Early) => {
                attempt.rang = true;
                call.rung = true;
                turn.act(Action::Preview { caller: call.leg, phone: attempt.leg });
                call.state = S::Reaching(attempt);
                self.keep(call, floor);
            }
            (S::Ringing { phone, .. }, E::Answered) => self.connect(call, phone, None, floor, turn),
            (S::Reaching(attempt), E::Answered) => {
                let phone = attempt.leg;
                let outside = floor.answered_outside(attempt, turn);
                self.connect(call, phone, Some(outside), floor, turn);
            }

            (S::Ringing { phone, .. }, E::Refused(status)) => {
                self.phones.remove(&phone);
                let why = PlacedEnd::NotAnswered { status };
                self.end(call, Party::System, why, Over::Phone, passed_on(status), floor, turn);
            }
            (S::Reaching(attempt), E::Refused(status)) => {
                self.phones.remove(&attempt.leg);
                let trunk = attempt.trunk.clone();
                call.record(PlacedEvent::Failed { trunk, status }, turn);
                let next = floor.refused_outside(attempt, status, turn);
                self.try_next(call, next, floor, turn);
            }
            (state @ (S::Ringing { .. } | S::Reaching(_)), E::Gone) => {
                call.state = state;
                let why = PlacedEnd::NotAnswered { status: 480 };
                self.end(call, Party::System, why, Over::Phone, 480, floor, turn);
            }
            (state @ (S::Ringing { .. } | S::Reaching(_)), E::Due) => {
                call.state = state;
                let why = PlacedEnd::NotAnswered { status: 480 };
                self.end(call, Party::System, why, Over::Neither, 480, floor, turn);
            }
            (state @ S::Talking { .. }, E::Gone | E::Refused(_)) => {
                call.state = state;
                self.end(call, Party::Agent, PlacedEnd::HungUp, Over::Phone, 0, floor, turn);
            }
            (state @ S::Talking { .. }, E::Due) => {
                call.state = state;
                self.end(call, Party::System, PlacedEnd::TimeUsedUp, Over::Neither, 0, floor, turn);
            }
            (state @ (S::Ringing { .. } | S::Reaching(_) | S::Talking { .. }), E::Failed(what)) => {
                call.state = state;
                let why = PlacedEnd::Fault { what: what.to_owned() };
                self.end(call, Party::System, why, Over::Phone, 500, floor, turn);
            }
            (S::Talking { phone, outside, mut held }, E::Hold { by, on }) => {
                let (mine, other) = if by == Party::Caller { (0, phone) } else { (1, call.leg) };
                if held[mine] != on {
                    held[mine] = on;
                    call.held(by, on, other, floor, turn);
                }
                call.state = S::Talking { phone, outside, held };
                self.keep(call, floor);
            }

            // A phone of ours that sends early media rings; a second word of one that answered.
            (state @ S::Ringing { .. }, E::Early) | (state @ S::Talking { .. }, E::Rings | E::Early | E::Answered)
            // Only a conversation can be held.
            | (state @ (S::Ringing { .. } | S::Reaching(_)), E::Hold { .. })
            | (state @ (S::New | S::Over), _) => {
                call.state = state;
                self.keep(call, floor);
            }
        }
        self.at_hand = None;
    }

    /// Ends the call whose last step panicked: what it holds is given back, by search where need be.
    pub(super) fn mend(&mut self, floor: &mut Floor, turn: &mut Turn<'_>) {
        let Some(mut held) = self.at_hand.take() else { return };
        floor.timers.set(Timer::Placed(held.leg), &mut held.timer, None);
        let phones = self.phones.iter().filter(|(_, call)| **call == held.leg);
        let legs: Vec<LegId> = phones.map(|(phone, _)| *phone).collect();
        for leg in legs.into_iter().chain([held.leg]) {
            self.phones.remove(&leg);
            turn.act(Action::HangUp { leg, elsewhere: false });
        }
        self.calls.remove(&held.leg);
        if let Some((from, trunk)) = held.outside {
            floor.give_back(&from, &trunk, turn);
        }
        let t_ms = turn.now.mono.since(held.arrived).as_millis();
        let t_ms = u64::try_from(t_ms).unwrap_or(u64::MAX);
        let why = PlacedEnd::Fault { what: "a fault in the rules".to_owned() };
        let event = PlacedEvent::Ended { by: Party::System, why };
        turn.record(Fact::Placed { call: held.id, t_ms, event });
        // Whether the caller was reached is not known: nobody is called twice.
        floor.called_back.extend(held.wish.map(|wish| (wish, true)));
        if let Some(agent) = held.placed_by {
            floor.talk_ends(agent, Duration::ZERO, turn);
        }
    }

    /// Leaves a call as a panic in the midst of its step would.
    #[cfg(test)]
    pub(super) fn break_step(&mut self, leg: LegId) {
        let call = self.calls.remove(&leg).expect("a placed call");
        self.at_hand = Some(call.holding());
    }

    fn connect(
        &mut self,
        mut call: Call,
        phone: LegId,
        outside: Option<Outside>,
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) {
        if !call.accepted {
            call.accepted = true;
            turn.act(Action::Accept { leg: call.leg });
        }
        turn.act(Action::Connect { caller: call.leg, agent: phone });
        call.record(PlacedEvent::Answered, turn);
        call.answered = true;
        call.state = State::Talking { phone, outside, held: [false; 2] };
        self.keep(call, floor);
    }

    /// The one end of every placed call.
    #[expect(clippy::too_many_arguments, reason = "the end says all of it, once")]
    fn end(
        &mut self,
        mut call: Call,
        by: Party,
        why: PlacedEnd,
        over: Over,
        status: u16,
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) {
        floor.timers.set(Timer::Placed(call.leg), &mut call.timer, None);
        let phone = match std::mem::replace(&mut call.state, State::Over) {
            State::New | State::Over => None,
            State::Ringing { phone, .. } => Some(phone),
            State::Reaching(attempt) => {
                floor.attempt_over(&attempt, turn);
                Some(attempt.leg)
            }
            State::Talking { phone, outside, .. } => {
                if let Some(outside) = outside {
                    floor.outside_over(&outside, turn);
                }
                Some(phone)
            }
        };
        if let Some(phone) = phone {
            self.phones.remove(&phone);
            if over != Over::Phone {
                turn.act(Action::HangUp { leg: phone, elsewhere: false });
            }
        }
        if over != Over::Caller {
            turn.act(if call.accepted {
                Action::HangUp { leg: call.leg, elsewhere: false }
            } else {
                Action::Refuse { leg: call.leg, status: if status == 0 { 480 } else { status } }
            });
        }
        call.record(PlacedEvent::Ended { by, why }, turn);
        floor.called_back.extend(call.wish.map(|wish| (wish, call.answered)));
        if let Some(agent) = call.placed_by.take() {
            floor.talk_ends(agent, call.wrap_up, turn);
        }
        turn.act(Action::Forget { call: call.id });
    }
}
