//! A group's free agents, ready to be chosen from without a search, and its waiting calls in the
//! order in which they are served.

use super::agent::AgentIx;
use super::overflow::Pace;
use crate::base::{LegId, Mono};
use crate::dialplan::{MOST_LEVEL, Share, Skills, Strategy, Widening};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;

/// A group's place in the plan's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GroupIx(pub(super) u32);

/// A call's place among all that asked for an operator: the smaller, the sooner it is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Order {
    /// The caller's priority; 1 goes first.
    pub(super) priority: u8,
    /// By when it asked.
    pub(super) turn: u64,
}

/// A call that asked and is not answered.
#[derive(Debug)]
pub(super) struct Waiter {
    /// The caller's leg.
    pub(super) leg: LegId,
    /// When it asked for an operator first.
    pub(super) since: Mono,
    /// Whom it needs; none: anybody.
    pub(super) demand: Option<Demand>,
    /// We had no room to dial a phone for it: none is dialled before then.
    pub(super) put_off: Option<Mono>,
}

/// The skills that a call needs, less as time goes by.
#[derive(Clone, Debug)]
pub(super) struct Demand {
    pub(super) skills: Skills,
    /// By when from asking, which level suffices.
    pub(super) widen: Arc<[(Mono, u8)]>,
}

impl Demand {
    /// What a call needs that asked at `since`; none when anybody will do.
    pub(super) fn new(skills: Skills, widen: &[Widening], since: Mono) -> Option<Self> {
        let widen = widen.iter().map(|step| (since + step.after, step.level)).collect();
        (!skills.is_empty()).then_some(Self { skills, widen })
    }

    /// No level above it counts now.
    pub(super) fn cap(&self, now: Mono) -> u8 {
        let passed = self.widen.iter().take_while(|(at, _)| *at <= now);
        passed.last().map_or(MOST_LEVEL, |(_, level)| *level)
    }

    /// When it widens next.
    pub(super) fn widens_at(&self, now: Mono) -> Option<Mono> {
        self.widen.iter().map(|(at, _)| *at).find(|at| *at > now)
    }

    pub(super) fn is_met_by(&self, skills: &Skills, now: Mono) -> bool {
        skills.meet(&self.skills, self.cap(now))
    }
}

/// Where a free member stands: its priority, then what the strategy looks at, then its place.
type Key = (u8, u64, u64, u32);

/// One member.
#[derive(Debug)]
struct Seat {
    agent: AgentIx,
    share: Share,
    /// Its share of the calls so far, as `weighted` counts it.
    had: u64,
    /// Where it stands among the free.
    key: Option<Key>,
}

/// What one call adds to the share of a member of weight 1; of weight n, the nth part.
const ONE_CALL: u64 = 1 << 20;

/// What the strategies look at of an agent who has become free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// The smaller, the longer idle.
    pub(super) rank: u64,
    /// Calls answered since signing in.
    pub(super) answered: u64,
}

/// One group's room.
#[derive(Debug)]
pub(super) struct GroupRoom {
    strategy: Strategy,
    /// In the plan's order.
    seats: Vec<Seat>,
    free: BTreeSet<Key>,
    /// The place of the member rung last, by priority.
    last: BTreeMap<u8, u32>,
    /// The share that the member chosen last had: who comes to be free catches up with it.
    had: u64,
    /// How long its last calls took.
    pub(super) pace: Pace,
    /// Calls that asked and are not answered.
    pub(super) waiting: BTreeMap<Order, Waiter>,
    /// Of these, the calls that found nobody free and hold a place in the queue. One that found all free
    /// phones ringing for others holds none while one of these phones will be left for it.
    pub(super) queued: BTreeSet<Order>,
    /// Of the waiting, the calls for which no phone rings. Between two inputs none of them is met by a
    /// free agent, but such as are put off. A wish to be called back is none of them while the desk drains.
    pub(super) hungry: BTreeSet<Order>,
    /// Of the waiting, those that ring all phones and take in every further one that gets free.
    pub(super) ringing_all: BTreeSet<Order>,
    /// Of the waiting, those that are no calls but wishes to be called back.
    pub(super) wishes: BTreeSet<Order>,
}

impl GroupRoom {
    pub(super) fn new(strategy: Strategy, members: Vec<(AgentIx, Share)>) -> Self {
        let seat = |(agent, share)| Seat { agent, share, had: 0, key: None };
        Self {
            strategy,
            seats: members.into_iter().map(seat).collect(),
            free: BTreeSet::new(),
            last: BTreeMap::new(),
            had: 0,
            pace: Pace::default(),
            waiting: BTreeMap::new(),
            queued: BTreeSet::new(),
            hungry: BTreeSet::new(),
            ringing_all: BTreeSet::new(),
            wishes: BTreeSet::new(),
        }
    }

    /// The calls of the room that stood here under the last plan, and whose turn it was there.
    pub(super) fn take_over(&mut self, before: Self) {
        let Self { seats, last, had, pace, waiting, queued, hungry, ringing_all, wishes, .. } =
            before;
        self.wishes = wishes;
        let all = self.rings_all();
        (self.waiting, self.queued, self.hungry) = (waiting, queued, hungry);
        self.ringing_all = if all { ringing_all } else { BTreeSet::new() };
        let places: BTreeMap<AgentIx, u32> =
            self.seats.iter().map(|seat| seat.agent).zip(0..).collect();
        let of = |place: &u32| seats.get(*place as usize).and_then(|old| places.get(&old.agent));
        self.last =
            last.iter().filter_map(|(priority, place)| Some((*priority, *of(place)?))).collect();
        (self.had, self.pace) = (had, pace);
        for old in &seats {
            let seat = places.get(&old.agent).and_then(|place| self.seats.get_mut(*place as usize));
            if let Some(seat) = seat {
                seat.had = old.had;
            }
        }
    }

    pub(super) fn rings_all(&self) -> bool {
        self.strategy == Strategy::RingAll
    }

    pub(super) fn members(&self) -> impl Iterator<Item = AgentIx> {
        self.seats.iter().map(|seat| seat.agent)
    }

    pub(super) fn free_agents(&self) -> usize {
        self.free.len()
    }

    fn agent_at(&self, key: &Key) -> Option<AgentIx> {
        self.seats.get(key.3 as usize).map(|seat| seat.agent)
    }

    /// A member has become free.
    pub(super) fn list(&mut self, standing: Standing, place: u32) {
        let (strategy, had) = (self.strategy, self.had);
        let Some(seat) = self.seats.get_mut(place as usize) else { return };
        let (first, second) = match strategy {
            Strategy::LongestIdle => (standing.rank, 0),
            Strategy::FewestCalls => (standing.answered, standing.rank),
            Strategy::Weighted => {
                // Who was away does not get all the calls that it missed.
                seat.had = seat.had.max(had);
                (seat.had, standing.rank)
            }
            Strategy::RingAll | Strategy::Linear | Strategy::RoundRobin => (0, 0),
        };
        let key = (seat.share.priority, first, second, place);
        seat.key = Some(key);
        self.free.insert(key);
    }

    /// A member is free no more.
    pub(super) fn unlist(&mut self, place: u32) {
        let seat = self.seats.get_mut(place as usize);
        if let Some(key) = seat.and_then(|seat| seat.key.take()) {
            self.free.remove(&key);
        }
    }

    /// Whom to ring now: one agent, or with `ring_all` every free one of the first priority that has
    /// any. Never one of `tried`, nor one who does not fit, nor one behind `ringing`, the last priority
    /// that rings for the call already.
    pub(super) fn choose(
        &mut self,
        tried: &BTreeSet<AgentIx>,
        ringing: Option<u8>,
        fits: impl Fn(AgentIx) -> bool,
    ) -> Vec<AgentIx> {
        let wanted = |key: &&Key| {
            self.agent_at(key).is_some_and(|agent| !tried.contains(&agent) && fits(agent))
        };
        let first = self.free.iter().find(wanted).copied();
        let Some(first) = first.filter(|first| ringing.is_none_or(|last| first.0 <= last)) else {
            return Vec::new();
        };
        let chosen = match self.strategy {
            Strategy::RingAll => {
                let all = self.free.range(first..).take_while(|key| {
                    key.0 == first.0 || ringing.is_some_and(|last| key.0 <= last)
                });
                return all.filter(wanted).filter_map(|key| self.agent_at(key)).collect();
            }
            Strategy::Linear
            | Strategy::LongestIdle
            | Strategy::FewestCalls
            | Strategy::Weighted => first,
            Strategy::RoundRobin => {
                let last = self.last.get(&first.0);
                let after = last.map_or(Unbounded, |last| Excluded((first.0, 0, 0, *last)));
                let rest = self.free.range((after, Unbounded));
                let next = rest.take_while(|key| key.0 == first.0).find(wanted).copied();
                next.unwrap_or(first)
            }
        };
        let (priority, .., place) = chosen;
        self.last.insert(priority, place);
        let Some(seat) = self.seats.get_mut(place as usize) else { return Vec::new() };
        self.had = seat.had;
        seat.had += ONE_CALL / u64::from(seat.share.weight.max(1));
        vec![seat.agent]
    }

    /// The priority of a member.
    pub(super) fn priority_of(&self, place: u32) -> Option<u8> {
        self.seats.get(place as usize).map(|seat| seat.share.priority)
    }

    /// The first call for which no phone rings and whom somebody free would fit.
    pub(super) fn first_to_serve<'a>(
        &'a self,
        now: Mono,
        skills: impl Fn(AgentIx) -> &'a Skills,
    ) -> Option<(Order, LegId)> {
        // What nobody free knows is asked of the free agents once.
        let mut in_vain: Vec<(&Skills, u8)> = Vec::new();
        for order in self.hungry.iter().filter(|_| !self.free.is_empty()) {
            let Some(waiter) = self.waiting.get(order) else { continue };
            if waiter.put_off.is_some_and(|until| until > now) {
                continue;
            }
            let Some(demand) = &waiter.demand else { return Some((*order, waiter.leg)) };
            let asked = (&demand.skills, demand.cap(now));
            if in_vain.contains(&asked) {
                continue;
            }
            let mut free = self.free.iter().filter_map(|key| self.agent_at(key));
            if free.any(|agent| skills(agent).meet(asked.0, asked.1)) {
                return Some((*order, waiter.leg));
            }
            in_vain.push(asked);
        }
        None
    }

    /// The place in the queue, from 1. Counted from the end when new, as nearly always.
    pub(super) fn position(&self, order: Order) -> u32 {
        let before = if self.queued.last().is_some_and(|last| *last <= order) {
            self.queued.len() - usize::from(self.queued.contains(&order))
        } else {
            self.queued.range(..order).count()
        };
        u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// A waiting call has another place; false when it does not wait here.
    pub(super) fn reorder(&mut self, from: Order, to: Order) -> bool {
        let Some(waiter) = self.waiting.remove(&from) else { return false };
        self.waiting.insert(to, waiter);
        for set in [&mut self.queued, &mut self.hungry, &mut self.ringing_all, &mut self.wishes] {
            if set.remove(&from) {
                set.insert(to);
            }
        }
        true
    }

    /// The call waits no more, for whatever reason.
    pub(super) fn leave(&mut self, order: Order) -> Option<Waiter> {
        self.queued.remove(&order);
        self.hungry.remove(&order);
        self.ringing_all.remove(&order);
        self.wishes.remove(&order);
        self.waiting.remove(&order)
    }
}
