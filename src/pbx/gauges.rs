//! What the desk holds now, for pages and metrics. Reads only.

use super::agent::{AgentSnapshot, AgentState};
use super::desk::Desk;
use crate::base::{GroupId, Mono, Number, TrunkId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What is held now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Calls that have not ended.
    pub calls: usize,
    /// Placed calls that have not ended.
    pub placed: usize,
    /// Calls by trunk, brought and placed; every trunk of the configuration is there.
    pub channels: BTreeMap<TrunkId, (u32, u32)>,
    /// Calls now up by desk number; every desk number of the plan is there.
    pub by_number: BTreeMap<Number, u32>,
    /// Of each desk number its name, and how many calls it takes at once.
    pub lines: BTreeMap<Number, (Arc<str>, u32)>,
    /// By group; every group of the plan is there.
    pub groups: BTreeMap<GroupId, GroupGauge>,
    /// How long the call that waits longest has waited since it asked for an operator; zero when
    /// none waits.
    pub longest_wait: Duration,
    /// Agents by what they do; every state is there.
    pub agents: BTreeMap<AgentState, u32>,
}

/// One group's share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupGauge {
    /// Calls that asked for an operator and have none yet.
    pub waiting: u32,
    /// Of these, calls that found nobody free and hold a place in the queue.
    pub queued: u32,
    /// How long the one that waits longest has waited; zero when none waits.
    pub longest_wait: Duration,
    /// Agents that could be rung now.
    pub free_agents: u32,
}

impl Desk {
    /// Calls outside that count for extensions now.
    #[cfg(test)]
    pub(super) fn outside_held(&self) -> u32 {
        self.floor.outside_held()
    }

    /// Everything held that must be gone when no call is up and no agent waits for time.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        let floor = &self.floor;
        let rooms = floor.groups.iter();
        self.calls.len()
            + self.placed.held()
            + self.callbacks.len()
            + floor.phones.len()
            + floor.far.len()
            + floor.tables.held()
            + floor.outside_held() as usize
            + floor.codes.len()
            + floor.slots.len()
            + floor.keypads.len()
            + floor.timers.len()
            + floor.freed.len()
            + floor.stirred.len()
            + floor.thinned.len()
            + floor.to_withdraw.len()
            + rooms.map(|g| g.waiting.len() + g.hungry.len() + g.ringing_all.len()).sum::<usize>()
    }

    /// Whether a call waits in the queue of a group: nobody is free for it, or was when it came.
    #[must_use]
    pub fn waits_in(&self, group: &GroupId) -> bool {
        let group = self.floor.group_ix(group);
        group.is_some_and(|group| !self.floor.room_of(group).queued.is_empty())
    }

    /// What is held now.
    #[must_use]
    pub fn gauges(&self, now: Mono) -> Gauges {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let groups: BTreeMap<GroupId, GroupGauge> = self
            .floor
            .plan
            .groups
            .keys()
            .zip(&self.floor.groups)
            .map(|(id, group)| {
                let calls = group.waiting.iter().filter(|(order, _)| !group.wishes.contains(order));
                let gauge = GroupGauge {
                    waiting: count(group.waiting.len().saturating_sub(group.wishes.len())),
                    queued: count(group.queued.len()),
                    longest_wait: calls
                        .map(|(_, waiter)| now.since(waiter.since))
                        .max()
                        .unwrap_or_default(),
                    free_agents: count(group.free_agents()),
                };
                (id.clone(), gauge)
            })
            .collect();
        Gauges {
            calls: self.calls.len(),
            placed: self.placed.len(),
            channels: self
                .floor
                .channels
                .used()
                .map(|(trunk, inward, outward)| (trunk.clone(), (inward, outward)))
                .collect(),
            by_number: self.floor.lines.clone(),
            lines: self
                .floor
                .plan
                .desk_numbers
                .iter()
                .map(|(number, it)| (number.clone(), (it.name.as_str().into(), it.line_limit)))
                .collect(),
            longest_wait: groups.values().map(|group| group.longest_wait).max().unwrap_or_default(),
            groups,
            agents: AgentState::ALL
                .into_iter()
                .map(|state| {
                    let gone =
                        if state == AgentState::SignedOut { self.floor.departed() } else { 0 };
                    (state, self.floor.states[state as usize].saturating_sub(gone))
                })
                .collect(),
        }
    }

    /// All agents of the plan, by extension.
    #[must_use]
    pub fn agents(&self) -> Vec<AgentSnapshot> {
        let ids: Vec<&GroupId> = self.floor.plan.groups.keys().collect();
        let agents = self.floor.agents.iter().filter(|agent| self.floor.is_agent(&agent.id));
        agents.map(|agent| agent.snapshot(|ix| ids[ix.0 as usize].clone())).collect()
    }
}
