//! What callers and agents do next, taken from what the desk does with them.

use super::{Deed, SPEAKS, Stage, TYPES};
use crate::base::{AgentId, CallId, LegId};
use crate::dialplan::{Plan, Target};
use crate::event::{AgentEvent, CallEvent, Fact, Means};
use crate::forecast::arrivals::pick;
use crate::forecast::lasts::uniform;
use crate::forecast::scenario::{Callers, Choice, Menu};
use crate::pbx::{Command, Input};
use std::collections::BTreeMap;
use std::time::Duration;

impl Stage<'_> {
    pub(super) fn rings(&mut self, leg: LegId) {
        self.phones.insert(leg);
        self.inbox.push_back(Input::Ringing { leg });
        let unheard = self.world.agents.unheard;
        if unheard > 0.0 && uniform(&mut self.rng) < unheard {
            return;
        }
        if let Some(after) = self.world.agents.answer.draw(&mut self.rng) {
            self.later(after, Deed::Picks { leg });
        }
    }

    /// Somebody is put through for the first time: from here on it is a talk.
    pub(super) fn talks(&mut self, caller: LegId) {
        match self.people.get_mut(&caller) {
            Some(person) if person.talked => return,
            Some(person) => {
                person.talked = true;
                if person.asked {
                    self.waiting = self.waiting.saturating_sub(1);
                }
            }
            // Who is called back.
            None => {}
        }
        if let Some(talk) = self.world.callers.talk.draw(&mut self.rng) {
            self.later(talk, Deed::Leaves { leg: caller });
        }
    }

    /// What a caller or an agent takes from a fact.
    pub(super) fn read(&mut self, fact: &Fact) {
        match fact {
            Fact::Call { call, event, .. } => self.of_call(*call, event),
            Fact::Agent { agent, event } => self.of_agent(agent, event),
            _ => {}
        }
    }

    fn of_call(&mut self, call: CallId, event: &CallEvent) {
        if let CallEvent::Arrived { .. } = event {
            self.calls.insert(call, self.arriving);
        }
        let Some(leg) = self.calls.get(&call).copied() else { return };
        match event {
            CallEvent::MenuEntered { menu } => self.chooses(leg, menu.as_str()),
            CallEvent::OperatorAsked { .. } => {
                let Some(person) = self.people.get_mut(&leg) else { return };
                if !person.asked && !person.talked {
                    person.asked = true;
                    self.waiting += 1;
                    if let Some(patience) = self.world.callers.patience.draw(&mut self.rng) {
                        self.later(patience, Deed::GivesUp { leg });
                    }
                }
            }
            CallEvent::EntryBegan { entry } => {
                let Some(entry) = self.world.plan.entries.get(entry) else { return };
                let digits = std::iter::repeat_n('0', entry.digits.0.max(1) as usize);
                let confirm = entry.confirm.then_some('1');
                for key in digits.chain(['#']).chain(confirm) {
                    self.later(TYPES, Deed::Presses { leg, key });
                }
            }
            CallEvent::MessageBegan { .. } => {
                let ms = u32::try_from(SPEAKS.as_millis()).unwrap_or(u32::MAX);
                self.later(SPEAKS, Deed::Speaks { leg, ms });
                self.later(SPEAKS, Deed::Leaves { leg });
            }
            CallEvent::CallbackAsked { .. } | CallEvent::SurveyBegan { .. } => {
                self.later(TYPES, Deed::Leaves { leg });
            }
            CallEvent::Ended { .. } => {
                self.calls.remove(&call);
            }
            _ => {}
        }
    }

    fn chooses(&mut self, leg: LegId, menu: &str) {
        let (choice, after) = match self.menus.get(menu) {
            Some(choices) => {
                let place = pick(choices.iter().map(|(_, weight)| *weight), &mut self.rng);
                let choice = choices.get(place).map(|(choice, _)| *choice);
                let after = self.world.callers.menus.get(menu).map(|menu| &menu.after);
                (
                    choice.unwrap_or(Choice::Nothing),
                    after.and_then(|after| after.draw(&mut self.rng)),
                )
            }
            None => (operators(&self.world.plan, menu), Some(Duration::ZERO)),
        };
        let after = after.unwrap_or_default();
        match choice {
            Choice::Key(key) => self.later(after, Deed::Presses { leg, key }),
            Choice::Leaves => self.later(after, Deed::Leaves { leg }),
            Choice::Nothing => {}
        }
    }

    /// After-call work lasts as long as the agent's, not as the plan's, when a scenario says so.
    fn of_agent(&mut self, agent: &AgentId, event: &AgentEvent) {
        let AgentEvent::WrapUp { for_ms } = event else {
            if !matches!(event, AgentEvent::Phone { .. }) {
                self.wraps.remove(agent);
            }
            return;
        };
        let Some(wrap_up) = &self.world.agents.wrap_up else { return };
        let ends = self.mono + Duration::from_millis(*for_ms);
        let until = match self.wraps.get(agent) {
            Some(until) => *until,
            None => {
                let Some(time) = wrap_up.draw(&mut self.rng) else { return };
                let until = self.mono + time;
                self.wraps.insert(agent.clone(), until);
                if until < ends {
                    self.at(until, Deed::WrapsUp { agent: agent.clone() });
                    return;
                }
                until
            }
        };
        if until > ends {
            let order = Command::WrapUp { agent: agent.clone(), longer: true, by: Means::Api };
            self.inbox.push_back(Input::Command(order));
        } else {
            self.at(until, Deed::WrapsUp { agent: agent.clone() });
        }
    }
}

pub(super) fn choices(callers: &Callers) -> BTreeMap<String, Vec<(Choice, f64)>> {
    let known = |(name, weight): (&String, &f64)| Some((Choice::named(name)?, *weight));
    let of_menu = |(name, menu): (&String, &Menu)| {
        (name.clone(), menu.choices.iter().filter_map(known).collect())
    };
    callers.menus.iter().map(of_menu).collect()
}

/// The first key that leads to a group.
fn operators(plan: &Plan, menu: &str) -> Choice {
    let menu = plan.menus.iter().find(|(id, _)| id.as_str() == menu);
    let leads = |target: &Target| matches!(target, Target::Group(_));
    let key = menu.and_then(|(_, menu)| menu.keys.iter().find(|(_, target)| leads(target)));
    key.map_or(Choice::Nothing, |(key, _)| Choice::Key(*key))
}
