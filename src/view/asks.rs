//! Whom an agent asks by keys while its caller waits, and with which of the two it is.

use super::erased::{erased, shown};
use crate::base::{AgentId, GroupId, Private, kept};
use crate::event::{CallEvent, ConsultSide};
use schemars::JsonSchema;
use serde::Serialize;

/// Phones of a group that ring at once and are shown; the others ring all the same.
const RINGING_SHOWN: usize = 30;

/// A question by keys that is not over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Asks {
    /// The colleague who is asked; of a group, who has answered.
    pub with: Option<AgentId>,
    /// The number of somebody who is no agent.
    pub number: Option<Private<String>>,
    /// The group that is asked.
    pub group: Option<GroupId>,
    /// Members of the group whose phones ring; 30 at most.
    pub ringing: Vec<AgentId>,
    /// Who is asked has answered.
    pub answered: bool,
    /// The agent has turned to the caller, and who is asked hears music.
    pub turned: bool,
}

kept!(struct Asks { with, number, group, ringing, answered, turned });

impl Asks {
    /// Begins with a question; none for any other event.
    pub(super) fn begin(event: &CallEvent) -> Option<Self> {
        let (with, number, group) = match event {
            CallEvent::ConsultBegan { with, .. } => (Some(with.clone()), None, None),
            CallEvent::ConsultCalled { number, .. } => (None, Some(shown(number)), None),
            CallEvent::ConsultGroup { group, .. } => (None, None, Some(group.clone())),
            _ => return None,
        };
        Some(Self { with, number, group, ..Self::default() })
    }

    /// Takes the next event of its call.
    pub(super) fn step(&mut self, event: &CallEvent) {
        match event {
            CallEvent::ConsultRings { with } if self.ringing.len() < RINGING_SHOWN => {
                self.ringing.push(with.clone());
            }
            CallEvent::ConsultRingEnded { with, .. } => self.ringing.retain(|rung| rung != with),
            CallEvent::ConsultAnswered { with } => {
                self.answered = true;
                self.ringing.retain(|rung| Some(rung) != with.as_ref());
                self.with = with.clone().or(self.with.take());
            }
            CallEvent::ConsultTurned { to } => self.turned = *to == ConsultSide::Caller,
            _ => {}
        }
    }

    /// Whether it is this agent who is asked, or may be.
    pub(super) fn asks(&self, agent: &AgentId) -> bool {
        self.with.as_ref() == Some(agent) || self.ringing.contains(agent)
    }

    /// Its number is no more.
    pub(super) fn erase(&mut self) {
        self.number = self.number.as_ref().map(|_| erased());
    }
}
