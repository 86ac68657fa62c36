//! What the model makes of the facts about calls and agents: each is checked against those before it.

use crate::base::{AgentId, GroupId, LegId, Mono, Number};
use crate::event::{AgentEvent, CallEvent, ConsultEnd, EndCause, OfferEnd, Purpose, Unpark};
use std::collections::BTreeSet;

/// One agent.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "told apart by the facts, in any mix")]
pub(super) struct Person {
    pub(super) signed_in: bool,
    pub(super) paused: bool,
    pub(super) reachable: bool,
    pub(super) wrap_up: bool,
    pub(super) talking: bool,
}

/// One call.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) leg: Option<LegId>,
    pub(super) t_ms: u64,
    pub(super) priority: u8,
    pub(super) asked: Option<(GroupId, Mono)>,
    /// When it came to the group.
    pub(super) entered: Mono,
    /// Sent on from another group, with its place.
    pub(super) sent_on: bool,
    pub(super) wanted_in_queue: bool,
    /// A key led it out of the queue; its place is of then.
    pub(super) left: Option<Mono>,
    pub(super) busy: u32,
    pub(super) release: bool,
    pub(super) answered: u32,
    /// A phone takes the place of another that rings for it.
    pub(super) picked: bool,
    /// Passed on to somebody who was consulted.
    pub(super) joined: bool,
    pub(super) ringing: BTreeSet<AgentId>,
    /// All that were ever rung for it.
    pub(super) rung: BTreeSet<AgentId>,
    pub(super) ended: u32,
    /// An agent has had it on the line.
    pub(super) served: bool,
    /// An agent has answered and is told something.
    pub(super) told: Option<AgentId>,
    /// Its agent asks somebody by keys.
    pub(super) consults: bool,
    /// That agent has hung up, and the caller is on its way to who was asked.
    pub(super) handed_over: bool,
    /// Who gave it away to somebody who has not answered.
    pub(super) giver: Option<AgentId>,
    /// In which slot it is.
    pub(super) parked: Option<Number>,
}

impl Seen {
    /// Whether the call wants an agent still.
    pub(super) fn hunts(&self) -> bool {
        self.wanted_in_queue && self.answered == 0 && self.ended == 0 && !self.release
    }

    pub(super) fn step(&mut self, event: &CallEvent, arriving: Option<LegId>, at: Mono, seed: u64) {
        match event {
            CallEvent::Transferred { by, .. } => self.giver = Some(by.clone()),
            CallEvent::OperatorAsked { .. }
            | CallEvent::OperatorAnswered { .. }
            | CallEvent::Returned { .. }
            | CallEvent::AwayAnswered => self.giver = None,
            _ => {}
        }
        match event {
            CallEvent::Arrived { .. } => self.leg = Some(arriving.expect("by an INVITE")),
            CallEvent::OperatorAsked { group: Some(group) } => {
                let since = self.asked.take().map(|(_, since)| since).filter(|_| self.sent_on);
                let since = self.left.take().or(since);
                self.asked = Some((group.clone(), since.unwrap_or(at)));
                (self.entered, self.sent_on) = (at, false);
                self.rung.clear();
                self.wanted_in_queue = false;
            }
            // To one phone, or through a menu, it keeps no place.
            CallEvent::OperatorAsked { group: None } | CallEvent::MenuEntered { .. } => {
                (self.asked, self.sent_on) = (None, false);
            }
            CallEvent::Overflowed { .. } => {
                assert!(
                    self.ringing.is_empty(),
                    "seed {seed}: sent on while {:?} ring",
                    self.ringing
                );
                assert_eq!(self.answered, 0, "seed {seed}");
                (self.wanted_in_queue, self.sent_on) = (false, true);
            }
            CallEvent::QueueKeyPressed { .. } => {
                assert_eq!(self.answered, 0, "seed {seed}");
                self.left = self.asked.as_ref().map(|(_, at)| *at);
                self.wanted_in_queue = false;
            }
            CallEvent::Queued { .. } => self.wanted_in_queue = true,
            CallEvent::Announced { purpose: Purpose::Busy, .. } => {
                self.busy += 1;
                assert!(self.busy == 1 && self.answered == 0, "seed {seed}: busy told twice");
            }
            CallEvent::Announced { purpose: Purpose::Release, .. } => {
                assert_eq!(self.busy, 1, "seed {seed}: released without the busy announcement");
                self.release = true;
            }
            CallEvent::OfferMade { agent } => {
                self.wanted_in_queue = true;
                assert!(self.ringing.insert(agent.clone()), "seed {seed}: {agent} twice");
                self.rung.insert(agent.clone());
                assert_eq!(self.answered, 0, "seed {seed}");
            }
            CallEvent::OfferEnded { agent, why } => {
                assert!(self.ringing.remove(agent), "seed {seed}: {agent} did not ring");
                if self.told.as_ref() == Some(agent) {
                    self.told = None;
                    let by_itself = !matches!(why, OfferEnd::TakenElsewhere | OfferEnd::RangOut);
                    assert!(by_itself, "seed {seed}: {agent} had answered, and yet {why:?}");
                } else if *why == OfferEnd::TakenElsewhere
                    && !self.picked
                    && self.parked.is_none()
                    && self.told.is_none()
                {
                    assert_eq!(self.answered, 1, "seed {seed}");
                }
            }
            CallEvent::AgentTold { agent, .. } => {
                assert!(self.ringing.contains(agent), "seed {seed}: {agent} did not ring");
                assert_eq!(self.told.replace(agent.clone()), None, "seed {seed}: two are told");
            }
            CallEvent::SentAway { .. } => {
                self.handed_over = false;
                assert_eq!(self.answered, 1, "seed {seed}: sent away by nobody");
                assert!(self.ringing.is_empty(), "seed {seed}");
                self.answered = 0;
                self.asked = None;
            }
            CallEvent::AwayAnswered => {
                assert_eq!(self.answered, 0, "seed {seed}");
                self.answered = 1;
            }
            CallEvent::Transferred { attended, .. } => {
                assert_eq!(self.answered, 1, "seed {seed}: passed on by nobody");
                assert!(self.ringing.is_empty(), "seed {seed}");
                self.answered = 0;
                self.asked = None;
                self.joined = *attended;
            }
            CallEvent::ConsultBegan { .. }
            | CallEvent::ConsultCalled { .. }
            | CallEvent::ConsultGroup { .. } => {
                assert_eq!(self.answered, 1, "seed {seed}: asked by nobody");
                assert!(!std::mem::replace(&mut self.consults, true), "seed {seed}: asked twice");
                self.asked = None;
            }
            CallEvent::ConsultAnswered { .. } | CallEvent::ConsultTurned { .. } => {
                assert!(self.consults, "seed {seed}: {event:?}, and nobody asked");
            }
            CallEvent::ConsultEnded { why, .. } | CallEvent::ConsultOver { why } => {
                assert!(std::mem::take(&mut self.consults), "seed {seed}: nobody asked");
                self.handed_over = *why == ConsultEnd::HandedOver;
            }
            CallEvent::Parked { slot, .. } => {
                self.parked = Some(slot.clone());
                assert_eq!(self.answered, 1, "seed {seed}: parked by nobody");
                assert!(self.ringing.is_empty(), "seed {seed}");
                self.answered = 0;
                self.asked = None;
                self.wanted_in_queue = false;
            }
            CallEvent::Unparked { slot, how, .. } => {
                // A phone that rang for it answers, or has stopped.
                let answers = usize::from(*how != Unpark::GivenUp);
                assert!(self.ringing.len() <= answers, "seed {seed}");
                assert_eq!(self.parked.take().as_ref(), Some(slot), "seed {seed}");
            }
            CallEvent::Returned { .. } => {
                assert_eq!(self.answered, 0, "seed {seed}");
                self.answered = 1;
            }
            CallEvent::OperatorAnswered { agent } => {
                // Who was consulted has answered in another call.
                let joined = std::mem::take(&mut self.joined);
                self.picked = false;
                if let Some(told) = self.told.take() {
                    assert_eq!(told, *agent, "seed {seed}: another one has the caller");
                }
                assert!(self.ringing.remove(agent) || joined, "seed {seed}: {agent} did not ring");
                self.answered += 1;
                self.served = true;
                assert_eq!(self.answered, 1, "seed {seed}");
            }
            CallEvent::Ended { cause, .. } => {
                let full = *cause == EndCause::QueueFull;
                assert!(!(full && self.served), "seed {seed}: sent away after an operator");
                assert!(!self.consults, "seed {seed}: somebody asks still");
                assert!(self.ringing.is_empty(), "seed {seed}: {:?} still ring", self.ringing);
                self.ended += 1;
            }
            _ => {}
        }
    }
}

impl Person {
    pub(super) fn step(&mut self, event: &AgentEvent, seed: u64) {
        let changed = match event {
            AgentEvent::SignedIn { .. } => {
                self.paused = false;
                !std::mem::replace(&mut self.signed_in, true)
            }
            AgentEvent::SignedOut { .. } => {
                self.paused = false;
                std::mem::replace(&mut self.signed_in, false)
            }
            AgentEvent::Paused { .. } => {
                self.paused = true;
                self.signed_in
            }
            AgentEvent::Unpaused { .. } => std::mem::replace(&mut self.paused, false),
            AgentEvent::Talking => {
                self.wrap_up = false;
                !std::mem::replace(&mut self.talking, true)
            }
            AgentEvent::WrapUp { .. } => {
                self.talking = false;
                // Made longer by a person, it is told again.
                self.wrap_up = true;
                true
            }
            AgentEvent::Idle => {
                let before = self.talking || self.wrap_up;
                (self.talking, self.wrap_up) = (false, false);
                before
            }
            AgentEvent::Phone { .. } => true,
        };
        assert!(changed, "seed {seed}: {event:?} changes nothing");
    }
}
