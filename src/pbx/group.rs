//! A group's free agents, ready to be chosen from without a search, and its waiting calls in the
//! order of their asking.

use super::agent::AgentIx;
use crate::base::{LegId, Mono};
use crate::dialplan::Strategy;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};

/// A group's place in the plan's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GroupIx(pub(super) u32);

/// A call's place among all that asked for an operator: the smaller, the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Order(pub(super) u64);

/// One group's room.
#[derive(Debug)]
pub(super) struct GroupRoom {
    strategy: Strategy,
    /// In the plan's order.
    members: Vec<AgentIx>,
    /// Free members by (rank, place); the rank is 0 unless the strategy looks at it.
    free: BTreeSet<(u64, u32)>,
    /// The place of the member rung last.
    last: Option<u32>,
    /// Calls that asked and are not answered: the caller's leg and since when.
    pub(super) waiting: BTreeMap<Order, (LegId, Mono)>,
    /// Of these, the calls that found nobody free and hold a place in the queue. One that found all free
    /// phones ringing for others holds none while one of these phones will be left for it.
    pub(super) queued: BTreeSet<Order>,
    /// Of the waiting, the calls for which no phone rings. Not empty only while nobody is free.
    pub(super) hungry: BTreeSet<Order>,
    /// Of the waiting, those that ring all phones and take in every further one that gets free.
    pub(super) ringing_all: BTreeSet<Order>,
}

impl GroupRoom {
    pub(super) fn new(strategy: Strategy, members: Vec<AgentIx>) -> Self {
        Self {
            strategy,
            members,
            free: BTreeSet::new(),
            last: None,
            waiting: BTreeMap::new(),
            queued: BTreeSet::new(),
            hungry: BTreeSet::new(),
            ringing_all: BTreeSet::new(),
        }
    }

    /// The calls of the room that stood here under the last plan.
    pub(super) fn take_over(&mut self, before: Self) {
        let Self { waiting, queued, hungry, ringing_all, .. } = before;
        let all = self.rings_all();
        (self.waiting, self.queued, self.hungry) = (waiting, queued, hungry);
        self.ringing_all = if all { ringing_all } else { BTreeSet::new() };
    }

    pub(super) fn rings_all(&self) -> bool {
        self.strategy == Strategy::RingAll
    }

    pub(super) fn members(&self) -> &[AgentIx] {
        &self.members
    }

    pub(super) fn free_agents(&self) -> usize {
        self.free.len()
    }

    fn key(&self, rank: u64, place: u32) -> (u64, u32) {
        match self.strategy {
            Strategy::LongestIdle => (rank, place),
            Strategy::RingAll | Strategy::Linear | Strategy::RoundRobin => (0, place),
        }
    }

    /// A member has become free.
    pub(super) fn list(&mut self, rank: u64, place: u32) {
        let key = self.key(rank, place);
        self.free.insert(key);
    }

    /// A member is free no more.
    pub(super) fn unlist(&mut self, rank: u64, place: u32) {
        let key = self.key(rank, place);
        self.free.remove(&key);
    }

    /// Whom to ring now: one agent, or with `ring_all` every free one, never one of `tried`.
    pub(super) fn choose(&mut self, tried: &BTreeSet<AgentIx>) -> Vec<AgentIx> {
        let fits = |&(_, place): &(u64, u32)| {
            let member = *self.members.get(place as usize)?;
            (!tried.contains(&member)).then_some((member, place))
        };
        let one = match self.strategy {
            Strategy::RingAll => {
                return self.free.iter().filter_map(fits).map(|(member, _)| member).collect();
            }
            Strategy::Linear | Strategy::LongestIdle => self.free.iter().find_map(fits),
            Strategy::RoundRobin => {
                let after = self.last.map_or(Unbounded, |last| Excluded((0, last)));
                self.free
                    .range((after, Unbounded))
                    .find_map(fits)
                    .or_else(|| self.free.iter().find_map(fits))
            }
        };
        let Some((member, place)) = one else { return Vec::new() };
        self.last = Some(place);
        vec![member]
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

    /// The call waits no more, for whatever reason.
    pub(super) fn leave(&mut self, order: Order) {
        self.waiting.remove(&order);
        self.queued.remove(&order);
        self.hungry.remove(&order);
        self.ringing_all.remove(&order);
    }
}
