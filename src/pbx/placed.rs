//! A call that one of our phones places to another phone that is no agent's, or to a number outside.
//! It is no call of the desk: it has no outcome and enters no figure of the contract. It holds its
//! caller's line all the same: an agent who calls out is not rung.

use super::agent::AgentIx;
use super::api::Action;
use super::floor::{Floor, Turn};
use super::talked::Talked;
use super::timers::Timer;
use crate::base::{CallId, LegId, Mono, Number, Private, TrunkId};
use crate::dialplan::Way;
use crate::event::{Fact, Party, PlacedEnd, PlacedEvent};
use std::collections::BTreeMap;
use std::time::Duration;

/// A number outside rings no longer.
const OUTSIDE_RING: Duration = Duration::from_secs(180);
/// Trunks tried for one call, a trunk with several servers counting up to twice.
const MAX_TRIES: usize = 8;

/// All placed calls.
#[derive(Debug, Default)]
pub(super) struct Placed {
    /// By the caller's leg.
    calls: BTreeMap<LegId, Call>,
    /// The legs that we dialled, each to its call.
    phones: BTreeMap<LegId, LegId>,
    pub(super) talked: Talked,
    /// What the call holds whose step is being taken. Found set by an input, its step panicked.
    at_hand: Option<Holding>,
}

/// All that a call holds elsewhere.
#[derive(Debug)]
struct Holding {
    leg: LegId,
    id: CallId,
    arrived: Mono,
    placed_by: Option<AgentIx>,
    trunk: Option<TrunkId>,
    timer: Option<Mono>,
}

/// One call.
#[derive(Debug)]
struct Call {
    id: CallId,
    leg: LegId,
    arrived: Mono,
    from: Number,
    placed_by: Option<AgentIx>,
    accepted: bool,
    rung: bool,
    state: State,
    timer: Option<Mono>,
}

/// Whom it is for.
#[derive(Debug)]
enum State {
    /// Between two states.
    New,
    /// A phone of ours rings.
    Ringing {
        phone: LegId,
        until: Mono,
    },
    /// A number outside is being reached; `left` are the trunks not tried yet, the next one last.
    Reaching {
        phone: LegId,
        trunk: TrunkId,
        way: Way,
        left: Vec<TrunkId>,
        rang: bool,
        until: Mono,
    },
    /// Both talk; `trunk` carries it when it is outside, `until` ends it when the day's time is used up.
    Talking {
        phone: LegId,
        outside: Option<Outside>,
        held: [bool; 2],
    },
    Over,
}

#[derive(Debug)]
struct Outside {
    trunk: TrunkId,
    since: Mono,
    until: Option<Mono>,
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

    /// Whether the leg belongs to a placed call.
    pub(super) fn has(&self, leg: LegId) -> bool {
        self.calls.contains_key(&leg) || self.phones.contains_key(&leg)
    }

    /// Outside calls of one extension that are up or being placed.
    fn outside_of(&self, from: &Number) -> usize {
        let outside = |call: &&Call| {
            call.from == *from
                && matches!(
                    call.state,
                    State::Reaching { .. } | State::Talking { outside: Some(_), .. }
                )
        };
        self.calls.values().filter(outside).count()
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
            placed_by: None,
            accepted: false,
            rung: false,
            state: State::New,
            timer: None,
        };
        let inside = matches!(whither, Whither::Phone(_));
        let number = Private::new(dialled.number.as_str().to_owned());
        let by = dialled.from.clone();
        call.record(PlacedEvent::Dialled { by, number, inside }, turn);
        let refused = match &whither {
            Whither::Refused(why, status) => Some((why.clone(), *status)),
            Whither::Outside(way) if !way.emergency => self.beyond_limits(&call.from, floor, turn),
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
                turn.act(Action::Dial { leg: phone, extension, on_behalf_of: call.leg });
                self.keep(call, floor);
            }
            Whither::Outside(way) => {
                // A trunk is tried twice: its second server may be well when its first was not.
                let twice = way.trunks.iter().flat_map(|trunk| [trunk, trunk]).take(MAX_TRIES);
                let mut left: Vec<TrunkId> = twice.cloned().collect();
                left.reverse();
                self.try_next(call, way, left, 503, floor, turn);
            }
            Whither::Refused(..) => {}
        }
    }

    /// What stands against one more call outside of this extension.
    fn beyond_limits(
        &mut self,
        from: &Number,
        floor: &Floor,
        turn: &Turn<'_>,
    ) -> Option<(PlacedEnd, u16)> {
        let outside = floor.plan.outside.as_ref()?;
        if self.outside_of(from) >= outside.calls as usize {
            return Some((PlacedEnd::TooManyCalls, 486));
        }
        let left = self.time_left(from, floor, turn);
        left.is_zero().then_some((PlacedEnd::TimeUsedUp, 403))
    }

    /// The talking time that the extension has left today.
    fn time_left(&self, from: &Number, floor: &Floor, turn: &Turn<'_>) -> Duration {
        let Some(outside) = &floor.plan.outside else { return Duration::ZERO };
        let talked = self.talked.today(from, turn.now.wall, &floor.plan);
        outside.per_day.saturating_sub(talked)
    }

    /// Calls by the next trunk that has a channel, or gives up with `status`.
    fn try_next(
        &mut self,
        mut call: Call,
        way: Way,
        mut left: Vec<TrunkId>,
        status: u16,
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) {
        let mut full = false;
        while let Some(trunk) = left.pop() {
            if !floor.channels.take_out(&trunk, way.emergency, turn) {
                full = true;
                left.retain(|other| *other != trunk);
                continue;
            }
            let phone = floor.draw_leg();
            let until = turn.now.mono + OUTSIDE_RING;
            self.phones.insert(phone, call.leg);
            call.record(PlacedEvent::Tried { trunk: trunk.clone() }, turn);
            turn.act(Action::DialOut {
                leg: phone,
                trunk: trunk.clone(),
                way: Box::new(way.clone()),
                on_behalf_of: call.leg,
            });
            call.state = State::Reaching { phone, trunk, way, left, rang: false, until };
            return self.keep(call, floor);
        }
        let why = if full && status == 503 {
            PlacedEnd::ChannelsFull
        } else {
            PlacedEnd::NotAnswered { status }
        };
        call.state = State::New;
        self.end(call, Party::System, why, Over::Neither, status, floor, turn);
    }

    fn keep(&mut self, mut call: Call, floor: &mut Floor) {
        let at = match &call.state {
            State::Ringing { until, .. } | State::Reaching { until, .. } => Some(*until),
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
            (S::Reaching { phone, trunk, way, left, until, .. }, E::Rings) => {
                call.ring(turn);
                call.state = S::Reaching { phone, trunk, way, left, rang: true, until };
                self.keep(call, floor);
            }
            // The carrier's own tones and words: what is heard is what it sends, and no ringing of ours.
            (S::Reaching { phone, trunk, way, left, until, .. }, E::Early) => {
                call.rung = true;
                turn.act(Action::Preview { caller: call.leg, phone });
                call.state = S::Reaching { phone, trunk, way, left, rang: true, until };
                self.keep(call, floor);
            }
            (S::Ringing { phone, .. }, E::Answered) => self.connect(call, phone, None, floor, turn),
            (S::Reaching { phone, trunk, way, .. }, E::Answered) => {
                let now = turn.now.mono;
                let left = self.time_left(&call.from, floor, turn);
                let until = (!way.emergency).then(|| now + left);
                let outside = Outside { trunk, since: now, until };
                self.connect(call, phone, Some(outside), floor, turn);
            }

            (S::Ringing { phone, .. }, E::Refused(status)) => {
                self.phones.remove(&phone);
                let why = PlacedEnd::NotAnswered { status };
                self.end(call, Party::System, why, Over::Phone, passed_on(status), floor, turn);
            }
            // The trunk's fault and not the called party's: the next one, unless it has rung there.
            (S::Reaching { phone, trunk, way, left, rang, .. }, E::Refused(status)) => {
                self.phones.remove(&phone);
                floor.channels.give_out(&trunk, turn);
                call.record(PlacedEvent::Failed { trunk, status }, turn);
                let ours = matches!(status, 401 | 403 | 407 | 408 | 500..=599);
                let left = if ours && !rang { left } else { Vec::new() };
                let status = if left.is_empty() { passed_on(status) } else { 503 };
                self.try_next(call, way, left, status, floor, turn);
            }
            (state @ (S::Ringing { .. } | S::Reaching { .. }), E::Gone) => {
                call.state = state;
                let why = PlacedEnd::NotAnswered { status: 480 };
                self.end(call, Party::System, why, Over::Phone, 480, floor, turn);
            }
            (state @ (S::Ringing { .. } | S::Reaching { .. }), E::Due) => {
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
            (state @ (S::Ringing { .. } | S::Reaching { .. } | S::Talking { .. }), E::Failed(what)) => {
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
            | (state @ (S::Ringing { .. } | S::Reaching { .. }), E::Hold { .. })
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
        if let Some(trunk) = held.trunk {
            floor.channels.give_out(&trunk, turn);
        }
        let t_ms = turn.now.mono.since(held.arrived).as_millis();
        let t_ms = u64::try_from(t_ms).unwrap_or(u64::MAX);
        let why = PlacedEnd::Fault { what: "a fault in the rules".to_owned() };
        let event = PlacedEvent::Ended { by: Party::System, why };
        turn.record(Fact::Placed { call: held.id, t_ms, event });
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
            State::Reaching { phone, trunk, .. } => {
                floor.channels.give_out(&trunk, turn);
                Some(phone)
            }
            State::Talking { phone, outside, .. } => {
                if let Some(outside) = outside {
                    floor.channels.give_out(&outside.trunk, turn);
                    let time = turn.now.mono.since(outside.since);
                    self.talked.add(&call.from, time, turn.now.wall, &floor.plan);
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
        if let Some(agent) = call.placed_by.take() {
            floor.talk_ends(agent, Duration::ZERO, turn);
        }
        turn.act(Action::Forget { call: call.id });
    }
}

impl Call {
    fn holding(&self) -> Holding {
        let trunk = match &self.state {
            State::Reaching { trunk, .. } => Some(trunk.clone()),
            State::Talking { outside: Some(outside), .. } => Some(outside.trunk.clone()),
            State::Talking { outside: None, .. }
            | State::New
            | State::Ringing { .. }
            | State::Over => None,
        };
        Holding {
            leg: self.leg,
            id: self.id,
            arrived: self.arrived,
            placed_by: self.placed_by,
            trunk,
            timer: self.timer,
        }
    }

    fn record(&self, event: PlacedEvent, turn: &mut Turn<'_>) {
        let age = turn.now.mono.since(self.arrived);
        let t_ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        turn.record(Fact::Placed { call: self.id, t_ms, event });
    }

    fn ring(&mut self, turn: &mut Turn<'_>) {
        if !self.accepted && !self.rung {
            self.rung = true;
            turn.act(Action::Ring { leg: self.leg });
        }
    }

    fn held(&self, by: Party, on: bool, other: LegId, floor: &mut Floor, turn: &mut Turn<'_>) {
        if on {
            let play = floor.draw_play();
            let prompts = vec![floor.plan.hold_music.clone()];
            turn.act(Action::Play { leg: other, play, prompts, looped: true });
            self.record(PlacedEvent::Held { by }, turn);
        } else {
            turn.act(Action::Stop { leg: other });
            self.record(PlacedEvent::Resumed { by }, turn);
        }
    }
}

/// What the caller is told of a refusal. A redirection or a challenge is between the other side and us;
/// 487 is the answer to our own CANCEL.
fn passed_on(status: u16) -> u16 {
    match status {
        401 | 407 | 487 => 480,
        400..=699 => status,
        _ => 480,
    }
}
