//! A new plan while calls are up. Calls go on where they are: what they still need of the old plan
//! stays in the new one without a number that leads to it, until the next plan comes.

use super::agent::{Agent, AgentIx, AgentState, Duty};
use super::call::{Call, State};
use super::desk::Desk;
use super::floor::{Floor, Turn};
use super::group::{GroupIx, GroupRoom};
use crate::base::{AgentId, Channels, GroupId, Now, Number, TrunkId};
use crate::dialplan::Plan;
use crate::event::{AgentEvent, Means};
use crate::pbx::Action;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Desk {
    /// Takes another plan, other bounds and other channels. Whoever is an agent in both stays as they
    /// are; a new one is signed out and unreachable until told otherwise ([`super::Input::Phone`]); one
    /// who is no agent any more is signed out, and finishes the call at hand.
    pub fn set_plan(
        &mut self,
        mut plan: Plan,
        max_calls: usize,
        channels: BTreeMap<TrunkId, Channels>,
        now: Now,
        out: &mut Vec<Action>,
    ) {
        let turn = &mut Turn { now, out };
        self.mend(turn);
        self.max_calls = max_calls;
        self.floor.channels.set(channels, turn);
        self.keep_what_is_in_use(&mut plan);
        self.floor.replan(Arc::new(plan), turn);
        for call in self.calls.values_mut() {
            if let State::Hunting(hunt) = &mut call.state
                && let Some(ix) = self.floor.group_ix(&hunt.id)
            {
                hunt.group = ix;
            }
        }
        self.floor.hours_replanned(turn.now);
        self.hours_moved(turn);
        self.callbacks.replanned(&self.floor);
        self.floor.boxes_changed = true;
        self.serve(turn);
    }

    /// Calls wait in groups and listen to menus that the new plan may not have.
    fn keep_what_is_in_use(&self, plan: &mut Plan) {
        let old = self.floor.plan.clone();
        let asked: BTreeSet<&GroupId> = self.calls.values().flat_map(groups_of).collect();
        let wished: BTreeSet<&GroupId> = self.callbacks.groups().collect();
        // A group that stays for its callers leads where its keys and its overflow do.
        let leads_on = |id: &&GroupId| {
            let group = old.groups.get(*id).filter(|_| !plan.groups.contains_key(*id));
            group.is_some_and(|group| !group.keys.is_empty() || !group.overflow.is_empty())
        };
        let led_on = self.calls.values().any(is_led_on) || asked.iter().any(leads_on);
        if led_on {
            // A menu may lead to any other, to any entry, and by any hours.
            for (id, entry) in &old.entries {
                plan.entries.entry(id.clone()).or_insert_with(|| entry.clone());
            }
            for (id, mailbox) in &old.mailboxes {
                plan.mailboxes.entry(id.clone()).or_insert_with(|| mailbox.clone());
            }
            for (id, callback) in &old.callbacks {
                plan.callbacks.entry(id.clone()).or_insert_with(|| callback.clone());
            }
            for (name, hours) in &old.hours {
                plan.hours.entry(name.clone()).or_insert_with(|| hours.clone());
            }
            for (id, menu) in &old.menus {
                plan.menus.entry(id.clone()).or_insert_with(|| menu.clone());
            }
        }
        for (id, group) in &old.groups {
            if led_on || asked.contains(id) || wished.contains(id) {
                plan.groups.entry(id.clone()).or_insert_with(|| {
                    let mut group = group.clone();
                    group.number = None;
                    group
                });
            }
        }
    }
}

/// The groups that a call may come to by itself.
fn groups_of(call: &Call) -> impl Iterator<Item = &GroupId> {
    let asked = match &call.state {
        State::Consulting(consult) => consult.group(),
        _ => None,
    };
    call.group.iter().chain(asked)
}

/// Whether what a call does now, and not its group, leads it on by the plan that it began under.
fn is_led_on(call: &Call) -> bool {
    match &call.state {
        State::Menu(_)
        | State::Entering(_)
        | State::Leaving(_)
        | State::Asking(_)
        | State::Announcing(_) => true,
        State::Parked(parked) => parked.leads_on(),
        State::New
        | State::Telling(_)
        | State::Hunting(_)
        | State::Direct(_)
        | State::Talking(_)
        | State::Passing(_)
        | State::Consulting(_)
        | State::Away(_)
        | State::Surveying(_)
        | State::Over => false,
    }
}

impl Floor {
    /// An [`AgentIx`] of the old plan means the same agent afterwards; a [`GroupIx`] does not.
    fn replan(&mut self, plan: Arc<Plan>, turn: &mut Turn<'_>) {
        let mut by_id: BTreeMap<AgentId, AgentIx> =
            self.agents.iter().map(|agent| agent.id.clone()).zip((0..).map(AgentIx)).collect();
        for (id, agent) in &plan.agents {
            if let Some(ix) = by_id.get(id) {
                let held = self.agent_mut(*ix);
                held.name.clone_from(&agent.name);
                held.skills.clone_from(&agent.skills);
            } else {
                let ix = AgentIx(u32::try_from(self.agents.len()).unwrap_or(u32::MAX));
                let new = Agent::new(id.clone(), agent);
                self.agents.push(new);
                self.states[AgentState::SignedOut as usize] += 1;
                by_id.insert(id.clone(), ix);
            }
        }
        by_id.retain(|id, _| plan.agents.contains_key(id));
        self.agent_ixs = by_id;

        let old: BTreeMap<GroupId, GroupRoom> =
            self.plan.groups.keys().cloned().zip(std::mem::take(&mut self.groups)).collect();
        for agent in &mut self.agents {
            agent.groups.clear();
            agent.listed = None;
        }
        self.group_ixs = plan.groups.keys().cloned().zip((0..).map(GroupIx)).collect();
        self.plan = plan.clone();
        let mut old = old;
        for (ix, (id, group)) in (0..).map(GroupIx).zip(&plan.groups) {
            let mut room = self.room(ix, group);
            if let Some(before) = old.remove(id) {
                room.take_over(before);
            }
            self.groups.push(room);
        }
        // A number that is no more keeps its count until its calls are over.
        let before = std::mem::take(&mut self.lines);
        self.lines = plan.desk_numbers.keys().map(|number| (number.clone(), 0)).collect();
        let busy = before
            .into_iter()
            .filter(|(number, used)| *used > 0 || plan.desk_numbers.contains_key(number));
        self.lines.extend(busy.collect::<BTreeMap<Number, u32>>());

        self.stirred = self.group_ixs.values().copied().collect();
        self.thinned = self.stirred.clone();
        // Named by their old places; the calls' own deadlines are left.
        self.stirs_at.clear();
        self.freed.clear();
        for ix in (0..self.agents.len()).filter_map(|ix| u32::try_from(ix).ok()).map(AgentIx) {
            self.take_stock(ix, turn);
        }
    }

    /// An agent under the new plan: listed in its groups, or signed out for being none any more.
    fn take_stock(&mut self, ix: AgentIx, turn: &mut Turn<'_>) {
        let agent = self.agent(ix);
        if !self.is_agent(&agent.id) && agent.duty != Duty::Out {
            let agent = self.agent_mut(ix);
            agent.signs_in_alone = false;
            agent.line.wrap_until = None;
            self.settle_agent(ix, turn);
            self.agent_mut(ix).duty = Duty::Out;
            self.note(ix, AgentEvent::SignedOut { by: Means::Rule }, turn);
        }
        self.settle_agent(ix, turn);
    }

    /// Whether the plan has such an agent: one that left is kept for the calls it was in.
    pub(super) fn is_agent(&self, id: &AgentId) -> bool {
        self.agent_ixs.contains_key(id)
    }

    /// Agents that left and are not in a call any more: they are no one's figure.
    pub(super) fn departed(&self) -> u32 {
        let gone = self
            .agents
            .iter()
            .filter(|agent| agent.shown == AgentState::SignedOut && !self.is_agent(&agent.id));
        u32::try_from(gone.count()).unwrap_or(u32::MAX)
    }
}
