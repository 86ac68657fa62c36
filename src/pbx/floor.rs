//! What all calls of the desk share: agents, groups, the phones that ring, lines, timers, ids. A call
//! may change it; it knows no call's state.

use super::agent::{Agent, AgentIx, AgentState};
use super::api::Action;
use super::boxes::Boxes;
use super::callback::Wish;
use super::channels::Trunks;
use super::code::CodeLeg;
use super::group::{Demand, GroupIx, GroupRoom, Order};
use super::hours::Periods;
use super::keypad::Keypads;
use super::outside::Ledger;
use super::park::Slot;
use super::staff::Missed;
use super::table::Tables;
use super::timers::{Timer, Timers};
use crate::base::{
    AgentId, CallId, CallbackId, GroupId, LegId, Mono, Now, Number, PlayId, Private, PromptId, Rng,
};
use crate::dialplan::{Group, PLAIN_PRIORITY, Plan, Share};
use crate::event::Fact;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// One input's time and the list its actions go to.
pub(super) struct Turn<'a> {
    pub(super) now: Now,
    pub(super) out: &'a mut Vec<Action>,
}

impl Turn<'_> {
    /// Something to be done.
    pub(super) fn act(&mut self, action: Action) {
        self.out.push(action);
    }

    /// Something to be written.
    pub(super) fn record(&mut self, fact: Fact) {
        self.out.push(Action::Record(fact));
    }
}

/// A phone that we dialled: ringing, or in a conversation.
#[derive(Debug)]
pub(super) struct Phone {
    /// The caller's leg.
    pub(super) call: LegId,
    agent: AgentIx,
    counts_as: CountsAs,
    /// When it has rung long enough; none once answered.
    timer: Option<Mono>,
}

/// What a phone that we dialled is at its agent's line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CountsAs {
    /// A queue's offer.
    Offer,
    /// A direct call that rings.
    Ringing,
    /// A conversation.
    Talk,
}

/// See the module.
pub(super) struct Floor {
    pub(super) plan: Arc<Plan>,
    pub(super) rng: Rng,
    /// In the plan's order, then as they came with later plans; an [`AgentIx`] points into it.
    pub(super) agents: Vec<Agent>,
    pub(super) agent_ixs: BTreeMap<AgentId, AgentIx>,
    /// In the plan's order; a [`GroupIx`] points into it.
    pub(super) groups: Vec<GroupRoom>,
    pub(super) group_ixs: BTreeMap<GroupId, GroupIx>,
    /// Agents by what they do, indexed by [`AgentState`].
    pub(super) states: [u32; AgentState::ALL.len()],
    pub(super) phones: BTreeMap<LegId, Phone>,
    pub(super) codes: BTreeMap<LegId, CodeLeg>,
    pub(super) keypads: Keypads,
    /// Slots that are in use, by number.
    pub(super) slots: BTreeMap<Number, Slot>,
    pub(super) timers: Timers,
    /// Calls now up by desk number; each desk number has its entry.
    pub(super) lines: BTreeMap<Number, u32>,
    /// What holds out of turn, and when to look at it.
    pub(super) periods: Periods,
    pub(super) hours_timer: Option<Mono>,
    /// The trunks' channels.
    pub(super) channels: Trunks,
    /// What each extension has outside.
    pub(super) ledger: Ledger,
    /// Legs of others than agents to whom a caller was passed on, each to the caller's leg.
    pub(super) far: BTreeMap<LegId, LegId>,
    /// Talks at which more than caller and agent are, or may be.
    pub(super) tables: Tables,
    /// Agents that have become free, and their groups, not yet looked at.
    pub(super) freed: VecDeque<AgentIx>,
    pub(super) stirred: BTreeSet<GroupIx>,
    /// When which group has a call that may be dialled for again, or by more phones: looked at then even
    /// before that call's own deadline is.
    pub(super) stirs_at: BTreeSet<(Mono, GroupIx)>,
    /// Groups of which a phone rings no more, and whose callers may have counted on it.
    pub(super) thinned: BTreeSet<GroupIx>,
    /// Offers that may not ring any more because their agent does something else.
    pub(super) to_withdraw: Vec<LegId>,
    /// The message boxes.
    pub(super) boxes: Boxes,
    /// Whether a box has changed since its lamps were last asked for.
    pub(super) boxes_changed: bool,
    /// Wishes to be called back that wait, by the way in which they were said.
    pub(super) wishes: BTreeMap<CallbackId, u32>,
    /// Wishes that were said in the step at hand.
    pub(super) new_wishes: Vec<Wish>,
    /// Calls in which one was said and that are over.
    pub(super) hung_up: Vec<CallId>,
    /// Wishes whose call is over, and whether the caller answered.
    pub(super) called_back: Vec<(LegId, bool)>,
    /// The desk is to end once its calls have: who is new to it is not let in.
    pub(super) drains: bool,
    /// The last rank given to an agent who became free.
    pub(super) rank: u64,
    last_leg: u64,
    last_play: u64,
    last_turn: u64,
}

impl Floor {
    pub(super) fn new(plan: Arc<Plan>, rng: Rng) -> Self {
        let agents: Vec<Agent> =
            plan.agents.iter().map(|(id, agent)| Agent::new(id.clone(), agent)).collect();
        let agent_ixs: BTreeMap<AgentId, AgentIx> =
            plan.agents.keys().cloned().zip((0..).map(AgentIx)).collect();
        let group_ixs: BTreeMap<GroupId, GroupIx> =
            plan.groups.keys().cloned().zip((0..).map(GroupIx)).collect();
        let mut states = [0; AgentState::ALL.len()];
        states[AgentState::SignedOut as usize] = u32::try_from(agents.len()).unwrap_or(u32::MAX);
        let lines = plan.desk_numbers.keys().map(|number| (number.clone(), 0)).collect();
        let mut floor = Self {
            plan: plan.clone(),
            rng,
            agents,
            agent_ixs,
            groups: Vec::with_capacity(plan.groups.len()),
            group_ixs,
            states,
            phones: BTreeMap::new(),
            codes: BTreeMap::new(),
            keypads: Keypads::default(),
            slots: BTreeMap::new(),
            timers: Timers::default(),
            lines,
            periods: Periods::default(),
            hours_timer: None,
            channels: Trunks::default(),
            ledger: Ledger::default(),
            far: BTreeMap::new(),
            tables: Tables::default(),
            freed: VecDeque::new(),
            stirred: BTreeSet::new(),
            stirs_at: BTreeSet::new(),
            thinned: BTreeSet::new(),
            to_withdraw: Vec::new(),
            boxes: Boxes::default(),
            boxes_changed: true,
            wishes: BTreeMap::new(),
            new_wishes: Vec::new(),
            hung_up: Vec::new(),
            called_back: Vec::new(),
            drains: false,
            rank: 0,
            last_leg: 0,
            last_play: 0,
            last_turn: 0,
        };
        for (ix, group) in (0..).map(GroupIx).zip(plan.groups.values()) {
            let room = floor.room(ix, group);
            floor.groups.push(room);
        }
        floor
    }

    /// A group's empty room; its members are told that they are members.
    pub(super) fn room(&mut self, ix: GroupIx, group: &Group) -> GroupRoom {
        // A member named twice is rung once.
        let mut seen = BTreeSet::new();
        let members: Vec<(AgentIx, Share)> = group
            .agents
            .iter()
            .filter_map(|id| Some((*self.agent_ixs.get(id)?, group.picking.share(id))))
            .filter(|(member, _)| seen.insert(*member))
            .collect();
        for ((member, _), place) in members.iter().zip(0..) {
            self.agents[member.0 as usize].groups.push((ix, place));
        }
        GroupRoom::new(group.strategy, members)
    }

    pub(super) fn agent(&self, ix: AgentIx) -> &Agent {
        &self.agents[ix.0 as usize]
    }

    pub(super) fn agent_mut(&mut self, ix: AgentIx) -> &mut Agent {
        &mut self.agents[ix.0 as usize]
    }

    pub(super) fn agent_ix(&self, id: &AgentId) -> Option<AgentIx> {
        self.agent_ixs.get(id).copied()
    }

    /// The agent whose own line this extension is.
    pub(super) fn agent_at(&self, extension: &Number) -> Option<AgentIx> {
        self.agent_ix(&AgentId(extension.0.clone()))
    }

    pub(super) fn group_ix(&self, id: &GroupId) -> Option<GroupIx> {
        self.group_ixs.get(id).copied()
    }

    pub(super) fn group_mut(&mut self, ix: GroupIx) -> &mut GroupRoom {
        &mut self.groups[ix.0 as usize]
    }

    pub(super) fn room_of(&self, ix: GroupIx) -> &GroupRoom {
        &self.groups[ix.0 as usize]
    }

    /// A leg for a phone that we dial: even, never used before.
    pub(super) fn draw_leg(&mut self) -> LegId {
        self.last_leg += 2;
        LegId(self.last_leg)
    }

    pub(super) fn draw_play(&mut self) -> PlayId {
        self.last_play += 1;
        PlayId(self.last_play)
    }

    /// Plays one prompt to a leg for ever.
    pub(super) fn loops(&mut self, leg: LegId, prompt: PromptId, turn: &mut Turn<'_>) {
        let play = self.draw_play();
        turn.act(Action::Play {
            leg,
            play,
            prompts: vec![prompt],
            looped: true,
            stops_on_key: false,
        });
    }

    /// Plays one prompt to a leg, once.
    pub(super) fn plays(&mut self, leg: LegId, prompt: PromptId, turn: &mut Turn<'_>) -> PlayId {
        let (play, prompts) = (self.draw_play(), vec![prompt]);
        turn.act(Action::Play { leg, play, prompts, looped: false, stops_on_key: false });
        play
    }

    /// Says to a phone that what it wanted cannot be.
    pub(super) fn refuses(&mut self, leg: LegId, turn: &mut Turn<'_>) {
        self.plays(leg, self.plan.code_refused.clone(), turn);
    }

    /// One side of a conversation holds or goes on; `other` hears music meanwhile.
    pub(super) fn hold(&mut self, other: LegId, on: bool, turn: &mut Turn<'_>) {
        if on {
            self.loops(other, self.plan.hold_music.clone(), turn);
        } else {
            turn.act(Action::Stop { leg: other });
        }
    }

    /// The place of a call that asks now.
    pub(super) fn draw_order(&mut self, priority: Option<u8>) -> Order {
        self.last_turn += 1;
        Order { priority: priority.unwrap_or(PLAIN_PRIORITY), turn: self.last_turn }
    }

    /// The place before all that wait now, and before those that were put there earlier.
    pub(super) fn draw_first(&mut self) -> Order {
        self.last_turn += 1;
        Order { priority: 0, turn: u64::MAX - self.last_turn }
    }

    /// Dials an agent's phone for a call; it rings until `until` at most. The agent's line is told by
    /// the caller of this, when the history knows of the offer.
    pub(super) fn dial(
        &mut self,
        agent: AgentIx,
        call: LegId,
        counts_as: CountsAs,
        until: Mono,
        turn: &mut Turn<'_>,
    ) -> LegId {
        let leg = self.rings(agent, call, counts_as, until);
        let extension = Number(self.agent(agent).id.0.clone());
        turn.act(Action::Dial { leg, extension, on_behalf_of: call, shown: None });
        leg
    }

    /// Dials an agent's phone for a wish to be called back; the caller's number is shown.
    pub(super) fn dial_back(
        &mut self,
        agent: AgentIx,
        wish: LegId,
        number: Private<String>,
        until: Mono,
        turn: &mut Turn<'_>,
    ) -> LegId {
        let leg = self.rings(agent, wish, CountsAs::Offer, until);
        let extension = Number(self.agent(agent).id.0.clone());
        turn.act(Action::DialBack { leg, extension, number });
        leg
    }

    fn rings(&mut self, agent: AgentIx, call: LegId, counts_as: CountsAs, until: Mono) -> LegId {
        let leg = self.draw_leg();
        let mut phone = Phone { call, agent, counts_as, timer: None };
        self.timers.set(Timer::Phone(leg), &mut phone.timer, Some(until));
        self.phones.insert(leg, phone);
        leg
    }

    /// The phone has until then to be done with what it does.
    pub(super) fn rings_until(&mut self, leg: LegId, until: Mono) {
        if let Some(phone) = self.phones.get_mut(&leg) {
            self.timers.set(Timer::Phone(leg), &mut phone.timer, Some(until));
        }
    }

    /// The phone answered: it rings no more.
    pub(super) fn picked_up(&mut self, leg: LegId) {
        if let Some(phone) = self.phones.get_mut(&leg) {
            phone.counts_as = CountsAs::Talk;
            self.timers.set(Timer::Phone(leg), &mut phone.timer, None);
        }
    }

    /// The caller's leg of the call that a leg of ours was dialled for, an agent's or somebody else's.
    pub(super) fn call_of(&self, leg: LegId) -> Option<LegId> {
        self.call_of_phone(leg).or_else(|| self.far.get(&leg).copied())
    }

    /// The caller's leg of the call that a leg is there for, as an agent's, as somebody else's or as a guest's.
    pub(super) fn held_for(&self, leg: LegId) -> Option<LegId> {
        self.call_of(leg).or_else(|| self.tables.legs.get(&leg).copied())
    }

    /// The caller's leg of the call that a phone was dialled for.
    pub(super) fn call_of_phone(&self, leg: LegId) -> Option<LegId> {
        self.phones.get(&leg).map(|phone| phone.call)
    }

    /// A phone that called us itself is an agent's in this call from now on.
    pub(super) fn take_phone(&mut self, leg: LegId, call: LegId, agent: AgentIx) {
        let phone = Phone { call, agent, counts_as: CountsAs::Talk, timer: None };
        self.phones.insert(leg, phone);
    }

    /// The phone belongs to another call from now on.
    pub(super) fn move_phone(&mut self, leg: LegId, to: LegId) {
        if let Some(phone) = self.phones.get_mut(&leg) {
            phone.call = to;
        }
    }

    /// The first group in the plan's order that the agent is a member of.
    pub(super) fn first_group_of(&self, agent: AgentIx) -> Option<GroupId> {
        let (group, _) = self.agent(agent).groups.first()?;
        self.plan.groups.keys().nth(group.0 as usize).cloned()
    }

    /// The phone's leg is forgotten, with its timer.
    pub(super) fn drop_phone(&mut self, leg: LegId) {
        if let Some(mut phone) = self.phones.remove(&leg) {
            self.timers.set(Timer::Phone(leg), &mut phone.timer, None);
        }
    }

    /// The phone's timer has been taken out; the call it rings for.
    pub(super) fn phone_due(&mut self, leg: LegId) -> Option<LegId> {
        let phone = self.phones.get_mut(&leg)?;
        phone.timer = None;
        Some(phone.call)
    }

    /// Takes back by search all that a call holds here: for a call whose own state was lost in a
    /// panic.
    pub(super) fn take_back(&mut self, call: LegId, turn: &mut Turn<'_>) {
        let phones = self.phones.iter().filter(|(_, phone)| phone.call == call);
        let legs: Vec<_> =
            phones.map(|(leg, phone)| (*leg, phone.agent, phone.counts_as)).collect();
        for (leg, agent, counts_as) in legs {
            self.drop_phone(leg);
            turn.act(Action::HangUp { leg, elsewhere: false });
            match counts_as {
                CountsAs::Offer => self.offer_ends(agent, Missed::Nothing, turn),
                CountsAs::Ringing => self.direct_ends(agent, turn),
                CountsAs::Talk => self.talk_ends(agent, Duration::ZERO, turn),
            }
        }
        self.take_back_guests(call, turn);
        let far: Vec<LegId> =
            self.far.iter().filter(|(_, of)| **of == call).map(|(leg, _)| *leg).collect();
        for leg in far {
            self.far.remove(&leg);
            turn.act(Action::HangUp { leg, elsewhere: false });
        }
        self.slots.retain(|_, held| *held != Slot::Held(call));
        for group in &mut self.groups {
            let orders: Vec<Order> = group
                .waiting
                .iter()
                .filter(|(_, waiter)| waiter.leg == call)
                .map(|(order, _)| *order)
                .collect();
            for order in orders {
                group.leave(order);
            }
        }
    }

    /// Whom the group's strategy names for a call: see [`GroupRoom::choose`].
    pub(super) fn choose(
        &mut self,
        group: GroupIx,
        demand: Option<&Demand>,
        tried: &BTreeSet<AgentIx>,
        rung: &BTreeMap<LegId, AgentIx>,
        now: Mono,
    ) -> Vec<AgentIx> {
        let (rooms, agents) = (&mut self.groups, &self.agents);
        let room = &mut rooms[group.0 as usize];
        let priority = |agent: &AgentIx| {
            let seats = &agents[agent.0 as usize].groups;
            let (_, place) = seats.iter().find(|(ix, _)| *ix == group)?;
            room.priority_of(*place)
        };
        let ringing = rung.values().filter_map(priority).max();
        let skills = |agent: AgentIx| &agents[agent.0 as usize].skills;
        room.choose(tried, ringing, |agent| {
            demand.is_none_or(|demand| demand.is_met_by(skills(agent), now))
        })
    }

    /// For who waits under this leg no phone is dialled before then.
    pub(super) fn put_off(&mut self, leg: LegId, until: Mono) {
        for (ix, room) in (0..).map(GroupIx).zip(&mut self.groups) {
            for waiter in room.waiting.values_mut().filter(|waiter| waiter.leg == leg) {
                waiter.put_off = Some(until);
                self.stirs_at.insert((until, ix));
            }
        }
    }

    /// The group's free members who fit.
    pub(super) fn who_is_free(
        &self,
        group: GroupIx,
        demand: Option<&Demand>,
        now: Mono,
    ) -> impl Iterator<Item = AgentIx> {
        let fits = move |member: &AgentIx| {
            let agent = self.agent(*member);
            let skilled = demand.is_none_or(|demand| demand.is_met_by(&agent.skills, now));
            skilled && agent.is_available()
        };
        self.room_of(group).members().filter(fits)
    }

    /// Whether the group has a free member who fits.
    pub(super) fn is_anybody_free(
        &self,
        group: GroupIx,
        demand: Option<&Demand>,
        now: Mono,
    ) -> bool {
        self.who_is_free(group, demand, now).next().is_some()
    }

    /// Whether somebody may have become free, or may do for a call now, whom serving has not looked at yet.
    pub(super) fn has_stirred(&self, now: Mono) -> bool {
        !self.stirred.is_empty() || self.stirs_at.first().is_some_and(|(at, _)| *at <= now)
    }

    /// The first call for which no phone rings although somebody has become free who fits.
    pub(super) fn first_to_serve(&mut self, now: Mono) -> Option<LegId> {
        while let Some((at, group)) = self.stirs_at.first().copied().filter(|(at, _)| *at <= now) {
            self.stirs_at.remove(&(at, group));
            self.stirred.insert(group);
        }
        let rooms = self.stirred.iter().map(|ix| &self.groups[ix.0 as usize]);
        let skills = |agent: AgentIx| &self.agent(agent).skills;
        let first = rooms.filter_map(|room| room.first_to_serve(now, skills));
        first.min_by_key(|(order, _)| *order).map(|(_, leg)| leg)
    }

    /// Whether a call that finds nobody free in the group need only wait until those before it are
    /// answered: more phones that it might get ring than calls are before it, and each takes one at
    /// most.
    pub(super) fn is_somebody_left(
        &self,
        group: GroupIx,
        order: Order,
        demand: Option<&Demand>,
        now: Mono,
    ) -> bool {
        let room = &self.groups[group.0 as usize];
        let fits = |member: &AgentIx| {
            demand.is_none_or(|demand| demand.is_met_by(&self.agent(*member).skills, now))
        };
        let members = room.members().filter(fits);
        let offers = members.filter_map(|member| self.agent(member).line.offer);
        let (mut ringing, mut callers) = (0, BTreeSet::new());
        for phone in offers.filter_map(|leg| self.phones.get(&leg)) {
            ringing += 1;
            callers.insert(phone.call);
        }
        ringing > callers.len() + room.hungry.range(..order).count()
    }

    /// The call waits, and serving decides about it before the input is over.
    pub(super) fn look_again(&mut self, group: GroupIx, order: Order) {
        let room = self.group_mut(group);
        room.hungry.insert(order);
        room.ringing_all.remove(&order);
        self.stirred.insert(group);
        self.thinned.insert(group);
    }

    /// The calls of a group that count on a phone which rings for another, the earliest first.
    pub(super) fn patient(&self, group: GroupIx) -> Vec<LegId> {
        let room = &self.groups[group.0 as usize];
        let patient = room.hungry.difference(&room.queued);
        patient.filter_map(|order| room.waiting.get(order)).map(|waiter| waiter.leg).collect()
    }

    /// The calls that ring all phones of a group of this agent, the earliest first.
    pub(super) fn ringing_all(&self, agent: AgentIx) -> Vec<LegId> {
        let mut found: Vec<(Order, LegId)> = Vec::new();
        for (ix, _) in &self.agent(agent).groups {
            let group = &self.groups[ix.0 as usize];
            let calls = group.ringing_all.iter();
            found.extend(calls.filter_map(|order| Some((*order, group.waiting.get(order)?.leg))));
        }
        found.sort_unstable();
        found.into_iter().map(|(_, leg)| leg).collect()
    }
}
