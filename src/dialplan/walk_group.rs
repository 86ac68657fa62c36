//! Whom a group would ring, in order, when everybody is free and nobody picks up.
//!
//! It must say what `pbx` would do; where the two differ, one of them is wrong.

use super::picking::{MOST_LEVEL, Skills};
use super::plan::{Group, Plan, SetAside, Strategy};
use super::walk::MOST_OFFERS;
use super::walked::Offer;
use crate::base::AgentId;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub(super) struct Ringing {
    pub(super) offers: Vec<Offer>,
    pub(super) more: bool,
    pub(super) queued_after: Option<Duration>,
}

/// A free member: its priority, what the strategy looks at, its place in the plan.
type Key = (u8, u64, usize);

/// The group's members while they ring out one after another.
struct Members<'g> {
    group: &'g Group,
    free: BTreeSet<Key>,
    /// Set aside until then.
    aside: BTreeMap<Duration, Vec<usize>>,
    /// Rung in this round.
    tried: BTreeSet<usize>,
    /// Who was rung last, by priority.
    last: BTreeMap<u8, usize>,
    /// Offers that each let ring out in a row.
    rung_out: BTreeMap<usize, u32>,
    /// With `weighted`: each one's share so far.
    had: BTreeMap<usize, u64>,
    /// The share of who was chosen last: who comes to be free catches up with it.
    last_had: u64,
    /// Who has been free longest, the smallest first.
    ranks: BTreeMap<usize, u64>,
    rank: u64,
}

impl Members<'_> {
    fn priority(&self, place: usize) -> u8 {
        self.group.agents.get(place).map_or(1, |agent| self.group.picking.share(agent).priority)
    }

    fn list(&mut self, place: usize) {
        let rank = self.ranks.get(&place).copied().unwrap_or_default();
        let first = match self.group.strategy {
            Strategy::LongestIdle | Strategy::FewestCalls => rank,
            // The share, then who has been free longest.
            Strategy::Weighted => {
                let had = self.had.entry(place).or_default();
                *had = (*had).max(self.last_had);
                had.saturating_mul(1 << 20).saturating_add(rank)
            }
            Strategy::RingAll | Strategy::Linear | Strategy::RoundRobin => 0,
        };
        self.free.insert((self.priority(place), first, place));
    }

    /// Whom the strategy names, never one of those tried.
    fn choose(&mut self, fits: impl Fn(usize) -> bool) -> Vec<usize> {
        let wanted = |key: &&Key| !self.tried.contains(&key.2) && fits(key.2);
        let Some(first) = self.free.iter().find(wanted).copied() else { return Vec::new() };
        let same = self.free.range(first..).take_while(|key| key.0 == first.0);
        let mut fitting = same.filter(wanted).map(|key| key.2);
        let chosen = match self.group.strategy {
            Strategy::RingAll => return fitting.collect(),
            Strategy::RoundRobin => {
                let last = self.last.get(&first.0);
                fitting.find(|place| last.is_none_or(|last| place > last)).unwrap_or(first.2)
            }
            Strategy::Linear
            | Strategy::LongestIdle
            | Strategy::FewestCalls
            | Strategy::Weighted => first.2,
        };
        self.last.insert(first.0, chosen);
        let weight =
            self.group.agents.get(chosen).map_or(1, |agent| self.group.picking.share(agent).weight);
        let had = self.had.entry(chosen).or_default();
        self.last_had = *had;
        *had += (1 << 20) / u64::from(weight.max(1));
        vec![chosen]
    }

    /// They let it ring out at `at`.
    fn ring_out(&mut self, places: Vec<usize>, at: Duration) {
        for place in places {
            self.tried.insert(place);
            self.rank += 1;
            self.ranks.insert(place, self.rank);
            let rung_out = self.rung_out.entry(place).or_default();
            *rung_out += 1;
            if *rung_out < self.group.ring_outs {
                self.list(place);
                continue;
            }
            *rung_out = 0;
            if let SetAside::For(time) = self.group.on_ring_out {
                self.aside.entry(at + time).or_default().push(place);
            }
        }
        // Who comes back at this very moment is looked at after those who are there.
        self.come_back(|back| back < at);
    }

    fn come_back(&mut self, due: impl Fn(Duration) -> bool) {
        while let Some(entry) = self.aside.first_entry().filter(|entry| due(*entry.key())) {
            for place in entry.remove() {
                self.list(place);
            }
        }
    }
}

/// Rings a whole group of free agents until the longest wait ends; nobody picks up. Of `ring_all`, whoever
/// comes back while others ring is told with the next who ring.
pub(super) fn ring_out(
    plan: &Plan,
    group: &Group,
    skills: &Skills,
    caller: Option<&AgentId>,
) -> Ringing {
    let name = |id: &AgentId| {
        (id.clone(), plan.agents.get(id).map_or_else(String::new, |agent| agent.name.clone()))
    };
    let fits = |place: usize, at: Duration| {
        let passed = group.picking.widen.iter().take_while(|step| step.after <= at);
        let cap = passed.last().map_or(MOST_LEVEL, |step| step.level);
        let agent = group.agents.get(place).and_then(|agent| plan.agents.get(agent));
        agent.is_some_and(|agent| agent.skills.meet(skills, cap))
    };
    let mut members = Members {
        group,
        free: BTreeSet::new(),
        aside: BTreeMap::new(),
        tried: BTreeSet::new(),
        last: BTreeMap::new(),
        rung_out: BTreeMap::new(),
        had: BTreeMap::new(),
        last_had: 0,
        ranks: BTreeMap::new(),
        rank: 0,
    };
    for (place, agent) in group.agents.iter().enumerate() {
        if Some(agent) != caller {
            members.list(place);
        }
    }
    let mut at = Duration::ZERO;
    let (mut offers, mut queued_after) = (Vec::new(), None);
    while at < group.max_wait {
        let mut chosen = members.choose(|place| fits(place, at));
        if chosen.is_empty() && !members.tried.is_empty() {
            members.tried.clear();
            chosen = members.choose(|place| fits(place, at));
        }
        if chosen.is_empty() {
            queued_after.get_or_insert(at);
            // Nobody to ring until somebody comes back, or a lower level suffices.
            let back = members.aside.first_key_value().map(|(back, _)| *back);
            let widens =
                group.picking.widen.iter().map(|step| step.after).find(|after| *after > at);
            let widens = widens.filter(|_| !skills.is_empty());
            let Some(next) = back.into_iter().chain(widens).min() else { break };
            at = at.max(next);
            members.come_back(|back| back <= at);
            continue;
        }
        if offers.len() >= MOST_OFFERS {
            return Ringing { offers, more: true, queued_after };
        }
        let until = (at + group.ring).min(group.max_wait);
        members.free.retain(|(_, _, place)| !chosen.contains(place));
        let agents = chosen.iter().filter_map(|place| group.agents.get(*place)).map(name).collect();
        offers.push(Offer { from: at, until, agents });
        at = until;
        members.ring_out(chosen, at);
    }
    Ringing { offers, more: false, queued_after }
}
