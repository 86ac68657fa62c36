//! What the tests ask of a world, and the last caller who shows that the desk still serves.

use super::telephones::Role;
use super::{Event, World};
use crate::base::{CallId, Number};
use crate::event::Means;
use crate::pbx::{Command, HoursOrder};
use crate::simulate::host::Host;
use crate::simulate::peer::Describes;
use crate::simulate::people::{Caller, CallerState};
use crate::simulate::scene::{CallerMake, STRAIGHT};
use crate::simulate::watch::Watch;
use std::collections::BTreeMap;
use std::time::Duration;

impl World {
    /// Calls that wait for an operator, by the desk's own gauge.
    #[must_use]
    pub fn waiting(&self) -> u32 {
        let gauges = self.host.gauges(self.now);
        gauges.map_or(0, |gauges| gauges.desk.groups.values().map(|group| group.waiting).sum())
    }

    /// How often each call in the history ended.
    #[must_use]
    pub fn ends_by_call(&self) -> BTreeMap<CallId, u32> {
        Watch::after(self.host.journal().entries()).ends_by_call()
    }

    /// The machine the desk runs on.
    #[must_use]
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// What must not be, so far.
    #[must_use]
    pub fn wrong(&self) -> &[String] {
        &self.host.wrong
    }

    /// Callers, for the last word.
    pub(in crate::simulate) fn callers(&self) -> impl Iterator<Item = &Caller> {
        self.nodes.iter().filter_map(|node| match &node.role {
            Role::Caller(caller) => Some(&**caller),
            Role::Phone(_) => None,
        })
    }

    /// Peers who hung up because nothing was heard any more.
    #[must_use]
    pub const fn left_behind(&self) -> u32 {
        self.left_behind
    }

    /// Datagrams sent by anybody.
    #[must_use]
    pub const fn datagrams(&self) -> u64 {
        self.datagrams
    }

    /// With all well: every agent is put on duty, phones are answered at once, and one more caller
    /// dials the group. Returns whether an agent was heard within `patience`.
    pub fn serves_one_more(&mut self, patience: Duration) -> bool {
        self.prompt = true;
        let agents: Vec<_> = self
            .nodes
            .iter()
            .filter_map(|node| self.host.agent_at(node.at.ip()).cloned())
            .collect();
        for agent in agents {
            let by = Means::Api;
            let (signed_in, paused) = self.host.on_duty(&agent);
            if !signed_in {
                self.happen(Event::Command(Command::SignIn { agent: agent.clone(), by }));
            }
            if paused {
                self.happen(Event::Command(Command::Unpause { agent, by }));
            }
        }
        // A clock that was set back keeps a desk closed for longer than any world lasts.
        for number in [None, Some(Number::from(STRAIGHT))] {
            let (order, author, by) = (HoursOrder::Restore, "2001".to_owned(), Means::Api);
            self.happen(Event::Command(Command::Hours { number, order, author, by }));
        }
        // Nobody is set aside for longer than this.
        self.run_for(Duration::from_mins(1));
        let make = CallerMake {
            name: "最後の一人".to_owned(),
            number: "0399999999".to_owned(),
            dials: Number::from(STRAIGHT),
            at: Duration::from_micros(self.now.0),
            patience: patience * 2,
            talk: Duration::from_secs(3),
            keys: Vec::new(),
            describes: Describes::Well,
            vanishes: false,
            on_busy: None,
            hold: None,
            raced: false,
        };
        let node = self.add_caller(make);
        self.run_for(patience);
        let served = matches!(&self.nodes[node].role, Role::Caller(caller) if caller.connected);
        self.run_for(patience * 2);
        for node in &mut self.nodes {
            if let Some(registrant) = &mut node.registrant {
                registrant.stop();
            }
        }
        served
    }

    /// Callers who believe to be in a call.
    #[must_use]
    pub fn callers_up(&self) -> usize {
        self.callers()
            .filter(|caller| matches!(caller.state, CallerState::Calling | CallerState::Answered))
            .count()
    }
}
