//! Wishes to be called back: each keeps its place among those that wait. When it is its turn an agent is rung
//! first; the agent who answers calls the caller, and that is a placed call of the agent's. A wish whose
//! caller has answered is never called again.
//!
//! A wish stands in its group's room under a leg of its own that no phone has, so that one order serves
//! callers and wishes alike.

mod memory;

pub use self::memory::CallbacksMemory;

use super::agent::AgentIx;
use super::api::{Action, CommandError};
use super::call::{Event, judge_refusal};
use super::floor::{Floor, Turn};
use super::group::{Demand, GroupIx, Order, Waiter};
use super::placed::{CalledBack, Placed};
use super::staff::Missed;
use super::timers::Timer;
use crate::base::{AgentId, CallId, CallbackId, GroupId, LegId, Mono, Now, Number, Private};
use crate::dialplan::{Callback, Outward, Skills, Way};
use crate::event::{CallbackEnd, CallbackEvent, Fact, Means, OfferEnd, chain};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// So long no phone is rung for a wish after there was no room to.
const NO_ROOM_PAUSE: Duration = Duration::from_secs(1);
/// So long none is rung when nobody who is free may call the number, or no trunk has a channel. Short, since
/// that may change with each call that ends.
const BARRED_PAUSE: Duration = Duration::from_secs(10);
/// Members of a group that are asked whether they may call a number.
const ASKED_MOST: usize = 100;

/// What a caller wants.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    /// The call in which it was said.
    pub(super) call: CallId,
    pub(super) callback: CallbackId,
    pub(super) number: Private<String>,
    /// It is an extension of ours.
    pub(super) inside: bool,
    pub(super) rules: Callback,
    /// What the caller needs besides what the group asks for.
    pub(super) skills: Skills,
    pub(super) order: Order,
    pub(super) lapses_at: Mono,
}

#[derive(Debug)]
struct Request {
    wish: Wish,
    ix: GroupIx,
    /// Calls made for it.
    made: u32,
    tried: BTreeSet<AgentIx>,
    /// Since when it has waited to be called, or called anew.
    since: Option<Mono>,
    /// Whom it needs; none: anybody.
    demand: Option<Demand>,
    state: State,
    timer: Option<Mono>,
}

#[derive(Debug)]
enum State {
    /// Its caller hears that it is kept, and is on the line.
    Said,
    /// In its group's room.
    Waiting,
    /// Nothing is tried before then.
    Pausing { until: Mono },
    /// An agent's phone rings for it.
    Ringing { phone: LegId, agent: AgentIx },
    /// The agent calls the caller.
    Calling,
    /// The history says that the caller answered, and not yet that the wish is over.
    Answered,
}

/// All wishes.
#[derive(Debug, Default)]
pub(super) struct Callbacks {
    held: BTreeMap<LegId, Request>,
}

/// Whom an agent is to call.
#[derive(Debug)]
pub(super) enum Back {
    /// A phone of ours.
    Phone(Number),
    /// A number outside.
    Outside(Way),
}

impl Floor {
    /// How one of the agents of a group can call a number back.
    fn way_back(&self, number: &str, inside: bool, agent: &AgentId) -> Option<Back> {
        let number = Number::from(number);
        if inside {
            // Agents look after each other by other means: what rings at their own lines is the desk's.
            let agents = self.agent_at(&number).is_some();
            return (!agents).then_some(Back::Phone(number));
        }
        match self.plan.outward(&number, &Number(agent.0.clone())) {
            Outward::Way(way) if !way.emergency => Some(Back::Outside(way)),
            _ => None,
        }
    }

    /// The same at this very moment: not beyond the agent's bounds outside, nor while no trunk has a channel.
    fn way_back_now(&self, wish: &Wish, agent: &AgentId, turn: &Turn<'_>) -> Option<Back> {
        let back = self.way_back(wish.number.reveal(), wish.inside, agent)?;
        let free = match &back {
            Back::Phone(_) => true,
            Back::Outside(way) => {
                let own = Number(agent.0.clone());
                self.has_channel(way) && self.beyond_limits(&own, turn).is_none()
            }
        };
        free.then_some(back)
    }

    /// Whether anybody of a group can call a number back.
    pub(super) fn can_call_back(&self, number: &str, inside: bool, group: &GroupId) -> bool {
        let Some(group) = self.plan.groups.get(group) else { return false };
        let mut agents = group.agents.iter().take(ASKED_MOST);
        agents.any(|agent| self.way_back(number, inside, agent).is_some())
    }
}

impl Callbacks {
    pub(super) fn has(&self, leg: LegId) -> bool {
        self.held.contains_key(&leg)
    }

    /// The groups in which wishes wait.
    pub(super) fn groups(&self) -> impl Iterator<Item = &GroupId> {
        self.held.values().map(|request| &request.wish.rules.group)
    }

    /// The desk drains, or does so no more: which of the wishes that wait are to be served.
    pub(super) fn drained(&self, floor: &mut Floor) {
        let waiting = |request: &&Request| matches!(request.state, State::Waiting);
        for request in self.held.values().filter(waiting) {
            request.seen_to(floor);
        }
    }

    /// The rooms of the groups under a new plan.
    pub(super) fn replanned(&mut self, floor: &Floor) {
        for request in self.held.values_mut() {
            if let Some(ix) = floor.group_ix(&request.wish.rules.group) {
                request.ix = ix;
            }
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    /// Takes in what was wished since, and what came of the calls.
    pub(super) fn catch_up(&mut self, floor: &mut Floor, turn: &mut Turn<'_>) {
        for wish in std::mem::take(&mut floor.new_wishes) {
            self.take(wish, floor);
        }
        for call in std::mem::take(&mut floor.hung_up) {
            self.hung_up(call, floor, turn);
        }
        for (leg, answered) in std::mem::take(&mut floor.called_back) {
            self.called(leg, answered, floor, turn);
        }
    }

    fn take(&mut self, wish: Wish, floor: &mut Floor) {
        // Who asks twice has asked once: the first keeps its place.
        let same = |other: &Request| {
            other.wish.callback == wish.callback && other.wish.number == wish.number
        };
        let Some(ix) = floor.group_ix(&wish.rules.group) else { return };
        if self.held.values().any(same) {
            return;
        }
        *floor.wishes.entry(wish.callback.clone()).or_default() += 1;
        let leg = floor.draw_leg();
        let (made, tried, timer) = (0, BTreeSet::new(), None);
        let (since, demand, state) = (None, None, State::Said);
        let request = Request { wish, ix, made, tried, since, demand, state, timer };
        self.held.insert(leg, request);
    }

    /// The call in which one was said is over: its line is free.
    fn hung_up(&mut self, call: CallId, floor: &mut Floor, turn: &Turn<'_>) {
        let said =
            |request: &Request| request.wish.call == call && matches!(request.state, State::Said);
        if let Some((leg, request)) = self.held.iter_mut().find(|(_, request)| said(request)) {
            request.wait(*leg, floor, turn);
        }
    }

    /// Takes over what the history says; once, before any input.
    pub(super) fn restore(&mut self, memory: CallbacksMemory, floor: &mut Floor, now: Now) {
        let plan = floor.plan.clone();
        // By their calls' ids, which sort by arrival.
        for (call, told) in memory.wishes {
            let rules = plan.callbacks.get(&told.callback).cloned();
            let ix = floor.group_ix(&told.group);
            let age = now.wall.ms_since(told.asked_at);
            // A number that was erased is nobody's any more: the wish is over, and the history is told so.
            let known = !chain::is_erased(told.number.reveal());
            let (rules, within) = match rules.filter(|_| ix.is_some() && known) {
                Some(rules) => (Callback { group: told.group, ..rules.clone() }, rules.within),
                None => (Callback::of_nothing(told.group), Duration::ZERO),
            };
            let left = within.saturating_sub(Duration::from_millis(age));
            let order = floor.draw_order(None);
            let wish = Wish {
                call,
                callback: told.callback,
                number: told.number,
                inside: told.inside,
                rules,
                skills: Skills::default(),
                order,
                lapses_at: now.mono + left,
            };
            *floor.wishes.entry(wish.callback.clone()).or_default() += 1;
            let leg = floor.draw_leg();
            let until = now.mono;
            let state = if told.answered { State::Answered } else { State::Pausing { until } };
            let (made, tried) = (told.made, BTreeSet::new());
            let ix = ix.unwrap_or(GroupIx(0));
            let (since, demand, timer) = (None, None, None);
            let mut request = Request { wish, ix, made, tried, since, demand, state, timer };
            floor.timers.set(Timer::Callback(leg), &mut request.timer, Some(until));
            self.held.insert(leg, request);
        }
    }

    /// Its deadline was taken out.
    pub(super) fn due(&mut self, leg: LegId, floor: &mut Floor, turn: &mut Turn<'_>) {
        let Some(request) = self.held.get_mut(&leg) else { return };
        request.timer = None;
        let now = turn.now.mono;
        let end = match request.state {
            State::Answered => Some(CallbackEnd::Answered),
            State::Waiting | State::Pausing { .. } if request.made >= request.wish.rules.tries => {
                Some(CallbackEnd::GaveUp)
            }
            State::Waiting | State::Pausing { .. } if now >= request.wish.lapses_at => {
                Some(CallbackEnd::Lapsed)
            }
            State::Pausing { until } if now >= until => {
                request.wait(leg, floor, turn);
                None
            }
            State::Waiting | State::Pausing { .. } => {
                floor.stirred.insert(request.ix);
                request.arm(leg, floor, now);
                None
            }
            State::Said | State::Ringing { .. } | State::Calling => None,
        };
        if let Some(why) = end {
            self.end(leg, why, floor, turn);
        }
    }

    /// Something happened to the phone that rings for it, or an agent became free.
    pub(super) fn step(
        &mut self,
        leg: LegId,
        event: Event,
        placed: &mut Placed,
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) {
        use {Event as E, State as S};
        let Some(request) = self.held.get_mut(&leg) else { return };
        let plan = floor.plan.clone();
        let rules = plan.groups.get(&request.wish.rules.group);
        let missed = match (&request.state, event) {
            (S::Waiting, E::AgentFree) => return request.seek(leg, floor, turn),
            (S::Ringing { phone, agent }, E::PhoneAnswered(from)) if *phone == from => {
                let agent = *agent;
                return request.call(leg, from, agent, placed, floor, turn);
            }
            (S::Ringing { agent, .. }, E::PhoneRefused(_, status)) => {
                let rule = rules.map(|group| group.on_refuse);
                rule.map(|rule| judge_refusal(*agent, status, rule, floor))
            }
            (S::Ringing { .. }, E::PhoneGone(_) | E::PhoneFailed(..)) => {
                Some((OfferEnd::Unreachable, Missed::Unreachable))
            }
            (S::Ringing { phone, .. }, E::RangOut(_)) => {
                turn.act(Action::HangUp { leg: *phone, elsewhere: false });
                rules.map(|group| {
                    (OfferEnd::RangOut, Missed::RangOut(group.on_ring_out, group.ring_outs))
                })
            }
            (S::Ringing { phone, .. }, E::Withdraw(_)) => {
                turn.act(Action::HangUp { leg: *phone, elsewhere: false });
                Some((OfferEnd::Withdrawn, Missed::Nothing))
            }
            (S::Ringing { .. }, E::NoRoom(..)) => {
                request.missed((OfferEnd::Withdrawn, Missed::Nothing), floor, turn);
                return request.pause(leg, NO_ROOM_PAUSE, floor, turn);
            }
            // A phone that rings has nothing to say yet; nobody else is connected with a wish.
            (
                S::Ringing { .. }
                | S::Said
                | S::Waiting
                | S::Pausing { .. }
                | S::Calling
                | S::Answered,
                _,
            ) => return,
        };
        request.missed(missed.unwrap_or((OfferEnd::Withdrawn, Missed::Nothing)), floor, turn);
        request.wait(leg, floor, turn);
    }

    /// The agent's call to the caller is over.
    fn called(&mut self, leg: LegId, answered: bool, floor: &mut Floor, turn: &mut Turn<'_>) {
        let Some(request) = self.held.get_mut(&leg) else { return };
        if answered {
            self.end(leg, CallbackEnd::Answered, floor, turn);
        } else if request.made >= request.wish.rules.tries {
            self.end(leg, CallbackEnd::GaveUp, floor, turn);
        } else {
            let every = request.wish.rules.every;
            request.since = None;
            request.pause(leg, every, floor, turn);
        }
    }

    /// Somebody cancels a wish.
    pub(super) fn cancel(
        &mut self,
        call: CallId,
        by: Means,
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) -> Result<(), CommandError> {
        let found = self.held.iter_mut().find(|(_, request)| request.wish.call == call);
        let (leg, request) = found.ok_or(CommandError::NoSuchCallback)?;
        let leg = *leg;
        match request.state {
            State::Calling | State::Answered => return Err(CommandError::TooLate),
            State::Ringing { phone, .. } => {
                turn.act(Action::HangUp { leg: phone, elsewhere: false });
                request.missed((OfferEnd::Withdrawn, Missed::Nothing), floor, turn);
            }
            State::Said | State::Waiting | State::Pausing { .. } => {}
        }
        self.end(leg, CallbackEnd::Cancelled { by }, floor, turn);
        Ok(())
    }

    fn end(&mut self, leg: LegId, why: CallbackEnd, floor: &mut Floor, turn: &mut Turn<'_>) {
        let Some(mut request) = self.held.remove(&leg) else { return };
        request.leave(floor);
        floor.timers.set(Timer::Callback(leg), &mut request.timer, None);
        request.record(CallbackEvent::Ended { why }, turn);
        if let Some(count) = floor.wishes.get_mut(&request.wish.callback) {
            *count = count.saturating_sub(1);
        }
    }

    /// A panic cut a step short: what the floor held for the wish was taken back by search.
    pub(super) fn mend(&mut self, leg: LegId, floor: &mut Floor, turn: &mut Turn<'_>) {
        let Some(request) = self.held.get_mut(&leg) else { return };
        request.pause(leg, NO_ROOM_PAUSE, floor, turn);
    }
}

impl Request {
    fn record(&self, event: CallbackEvent, turn: &mut Turn<'_>) {
        turn.record(Fact::Callback { call: self.wish.call, event });
    }

    fn leave(&self, floor: &mut Floor) {
        if let Some(room) = floor.groups.get_mut(self.ix.0 as usize) {
            room.leave(self.wish.order);
        }
    }

    /// Takes its place in the group's room.
    fn wait(&mut self, leg: LegId, floor: &mut Floor, turn: &Turn<'_>) {
        self.state = State::Waiting;
        // A pause does not begin the wait anew.
        let (order, since) = (self.wish.order, *self.since.get_or_insert(turn.now.mono));
        let plan = floor.plan.clone();
        let Some(room) = floor.groups.get_mut(self.ix.0 as usize) else { return };
        if let Entry::Vacant(place) = room.waiting.entry(order) {
            self.demand = plan.groups.get(&self.wish.rules.group).and_then(|group| {
                let mut skills = group.picking.skills.clone();
                skills.add(&self.wish.skills);
                Demand::new(skills, &group.picking.widen, since)
            });
            let demand = self.demand.clone();
            place.insert(Waiter { leg, since, demand, put_off: None });
        }
        room.wishes.insert(order);
        self.seen_to(floor);
        self.arm(leg, floor, turn.now.mono);
    }

    /// It is served as a caller is who waits, but while the desk drains: nobody is called back who would be cut off.
    fn seen_to(&self, floor: &mut Floor) {
        let (drains, order) = (floor.drains, self.wish.order);
        let Some(room) = floor.groups.get_mut(self.ix.0 as usize) else { return };
        if drains {
            room.hungry.remove(&order);
        } else {
            room.hungry.insert(order);
            floor.stirred.insert(self.ix);
        }
    }

    fn pause(&mut self, leg: LegId, time: Duration, floor: &mut Floor, turn: &Turn<'_>) {
        self.leave(floor);
        self.tried.clear();
        self.state = State::Pausing { until: turn.now.mono + time };
        self.arm(leg, floor, turn.now.mono);
    }

    fn arm(&mut self, leg: LegId, floor: &mut Floor, now: Mono) {
        let lapses = self.wish.lapses_at;
        let widens = self.demand.as_ref().and_then(|demand| demand.widens_at(now));
        let at = match self.state {
            State::Waiting => Some(widens.map_or(lapses, |at| at.min(lapses))),
            State::Pausing { until } => Some(until.min(lapses)),
            State::Said | State::Ringing { .. } | State::Calling | State::Answered => None,
        };
        floor.timers.set(Timer::Callback(leg), &mut self.timer, at);
    }

    /// Rings one agent who is free and may call the number.
    fn seek(&mut self, leg: LegId, floor: &mut Floor, turn: &mut Turn<'_>) {
        let plan = floor.plan.clone();
        let ring = plan.groups.get(&self.wish.rules.group).map(|group| group.ring);
        let Some(ring) = ring.filter(|_| turn.now.mono < self.wish.lapses_at) else {
            // Its end is due at this very instant.
            return self.pause(leg, Duration::ZERO, floor, turn);
        };
        let (demand, now, none) = (self.demand.clone(), turn.now.mono, BTreeMap::new());
        // Told apart before anybody is chosen: who is chosen has had a turn, by the group's strategy.
        let barred = self.barred(floor, turn);
        let passed_over = &self.tried | &barred;
        let mut chosen = floor.choose(self.ix, demand.as_ref(), &passed_over, &none, now);
        if chosen.is_empty() && !self.tried.is_empty() {
            self.tried.clear(); // all were rung: a new round
            chosen = floor.choose(self.ix, demand.as_ref(), &barred, &none, now);
        }
        let Some(agent) = chosen.first().copied() else {
            if !barred.is_empty() {
                self.pause(leg, BARRED_PAUSE, floor, turn);
            }
            return;
        };
        let id = floor.agent(agent).id.clone();
        let number = self.wish.number.clone();
        let phone = floor.dial_back(agent, leg, number, now + ring, turn);
        self.record(CallbackEvent::AgentRung { agent: id }, turn);
        floor.offer_begins(agent, phone, turn);
        floor.group_mut(self.ix).hungry.remove(&self.wish.order);
        self.state = State::Ringing { phone, agent };
        self.arm(leg, floor, now);
    }

    /// Whoever is free and fits, and may not call the number now.
    fn barred(&self, floor: &Floor, turn: &Turn<'_>) -> BTreeSet<AgentIx> {
        let may_not =
            |ix: &AgentIx| floor.way_back_now(&self.wish, &floor.agent(*ix).id, turn).is_none();
        floor.who_is_free(self.ix, self.demand.as_ref(), turn.now.mono).filter(may_not).collect()
    }

    /// The phone rings for it no more.
    fn missed(
        &mut self,
        (why, missed): (OfferEnd, Missed),
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) {
        let State::Ringing { phone, agent } = self.state else { return };
        floor.drop_phone(phone);
        let id = floor.agent(agent).id.clone();
        self.record(CallbackEvent::AgentMissed { agent: id, why }, turn);
        if missed != Missed::Nothing {
            self.tried.insert(agent);
        }
        self.state = State::Waiting;
        floor.offer_ends(agent, missed, turn);
    }

    /// The agent answered: the caller is called.
    fn call(
        &mut self,
        leg: LegId,
        phone: LegId,
        agent: AgentIx,
        placed: &mut Placed,
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) {
        floor.picked_up(phone);
        floor.drop_phone(phone);
        floor.offer_taken(agent, turn);
        self.leave(floor);
        let plan = floor.plan.clone();
        let id = floor.agent(agent).id.clone();
        let Some(back) = floor.way_back_now(&self.wish, &id, turn) else {
            // A new plan came while the phone rang, or the last channel was taken: it is no try, for nobody
            // was called.
            turn.act(Action::HangUp { leg: phone, elsewhere: false });
            self.record(CallbackEvent::AgentMissed { agent: id, why: OfferEnd::Withdrawn }, turn);
            floor.talk_ends(agent, Duration::ZERO, turn);
            return self.pause(leg, BARRED_PAUSE, floor, turn);
        };
        self.made = self.made.saturating_add(1);
        self.state = State::Calling;
        self.tried.clear();
        self.arm(leg, floor, turn.now.mono);
        let wrap_up = plan.groups.get(&self.wish.rules.group).map(|group| group.wrap_up);
        let calling = CalledBack {
            wish: leg,
            of: self.wish.call,
            phone,
            agent,
            number: self.wish.number.clone(),
            wrap_up: wrap_up.unwrap_or_default(),
            prompt: self.wish.rules.agent.clone(),
            back,
        };
        let id_of_call = placed.call_id(floor, turn);
        self.record(CallbackEvent::Called { agent: id, placed: id_of_call }, turn);
        placed.call_back(id_of_call, calling, floor, turn);
    }
}

impl Callback {
    /// What is left of one that the plan has no more.
    fn of_nothing(group: GroupId) -> Self {
        let none = || crate::base::PromptId::from("callback-refused");
        Self {
            group,
            offer: none(),
            enter: none(),
            done: none(),
            refused: none(),
            agent: none(),
            other_number: false,
            timeout: Duration::ZERO,
            key_timeout: Duration::ZERO,
            tries: 1,
            every: Duration::ZERO,
            within: Duration::ZERO,
            most: 0,
        }
    }
}
