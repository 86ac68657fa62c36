//! Every decision held against what must always be, and what the tests ask of the machine.

use super::Host;
use crate::base::{AgentId, CallId, Mono, Now};
use crate::engine::{Gauges, Outbox};
use crate::event::{AgentEvent, CallEvent, ConsultEnd, Fact};
use crate::rtp::command as rtp;
use crate::simulate::journal::Journal;
use crate::simulate::media::Media;
use crate::simulate::watch::Watch;
use crate::view::Views;
use bytes::Bytes;
use std::net::IpAddr;

impl Host {
    /// The desk's own count of calls against the history's.
    pub(super) fn count_calls(&mut self, now: Now) {
        let Some(run) = &self.run else { return };
        let (counted, written) = (run.engine.gauges(now).desk.calls, run.watch.open_calls());
        if counted != written {
            self.wrong.push(format!("the desk counts {counted} calls, the history {written}"));
        }
    }

    /// Holds what was decided against what must always be.
    pub(super) fn judge(&mut self, heard: Option<&(IpAddr, Bytes)>, out: &Outbox, at: Mono) {
        let Some(run) = &mut self.run else { return };
        let mut offers: Vec<(AgentId, CallId)> = Vec::new();
        let mut recalls: Vec<AgentId> = Vec::new();
        let mut arrived = None;
        for entry in &out.entries {
            run.watch.see(entry);
            match &entry.fact {
                Fact::Call { call, event: CallEvent::Arrived { .. }, .. } => arrived = Some(*call),
                Fact::Call { call, event: CallEvent::OfferMade { agent }, .. } => {
                    offers.push((agent.clone(), *call));
                }
                // Within a talk of the agent's own.
                Fact::Call { call, event: CallEvent::HoldRecalled { agent }, .. } => {
                    offers.push((agent.clone(), *call));
                    recalls.push(agent.clone());
                }
                Fact::Call { call, event: CallEvent::ThirdCalled { number, .. }, .. } => {
                    let third = AgentId::from(number.reveal().as_str());
                    run.thirds.insert(*call, third.clone());
                    offers.push((third, *call));
                }
                Fact::Call {
                    call,
                    event: CallEvent::ThirdFailed { .. } | CallEvent::ThirdEnded,
                    ..
                } => {
                    let third = run.thirds.remove(call);
                    run.lines.over(*call, |phone| self.agents.get(&phone) == third.as_ref());
                }
                Fact::Call {
                    call,
                    event: CallEvent::ConsultBegan { with, .. } | CallEvent::ConsultRings { with },
                    ..
                } => {
                    offers.push((with.clone(), *call));
                }
                Fact::Call { call, event: CallEvent::ConsultAnswered { with }, .. } => {
                    run.consulted.extend(with.clone().map(|with| (*call, with)));
                }
                Fact::Call {
                    call,
                    event:
                        event @ (CallEvent::ConsultEnded { why, .. } | CallEvent::ConsultOver { why }),
                    ..
                } => {
                    let asked = run.consulted.remove(call);
                    // Else it is in the call from now on.
                    if !matches!(why, ConsultEnd::HandedOver | ConsultEnd::Joined) {
                        run.lines.over(*call, |phone| {
                            asked.is_some() && self.agents.get(&phone) == asked.as_ref()
                        });
                        // Who was rung and did not answer; of a group's, each has an end of its own.
                        if let CallEvent::ConsultEnded { with, .. } = event {
                            let rung = |phone| self.agents.get(&phone) == Some(with);
                            run.lines.rings_no_more(*call, rung);
                        }
                    }
                }
                Fact::Call { call, event: CallEvent::ConsultRingEnded { with, .. }, .. } => {
                    run.lines.over(*call, |phone| self.agents.get(&phone) == Some(with));
                }
                // With nobody picking up, the line on which it held is let go too; its phone may not hear so.
                Fact::Call {
                    call,
                    event:
                        CallEvent::OfferEnded { agent, .. }
                        | CallEvent::HoldRecallEnded { agent, why: Some(_) },
                    ..
                } => {
                    run.lines.over(*call, |phone| self.agents.get(&phone) == Some(agent));
                }
                Fact::Call { call, event: CallEvent::Ended { .. }, .. } => {
                    run.lines.over(*call, |_| true);
                }
                Fact::Call { .. }
                | Fact::Placed { .. }
                | Fact::Sound { .. }
                | Fact::Recording { .. }
                | Fact::Message { .. }
                | Fact::Note { .. }
                | Fact::Feed { .. }
                | Fact::Incident { .. }
                | Fact::Callback { .. }
                | Fact::Figures { .. }
                | Fact::Trunk { .. }
                | Fact::Desk { .. }
                | Fact::Agent { .. } => {}
            }
        }
        // The media obey when the disk has the facts, and more may be decided meanwhile.
        for command in &out.media {
            if matches!(command, rtp::Command::Bridge { .. }) {
                run.decided.push_back(run.watch.answers());
            }
        }
        if let Some((from, message)) = heard
            && self.agents.contains_key(from)
        {
            run.lines.heard(*from, message, arrived);
        }
        for send in &out.sends {
            let to = send.flow.remote.ip();
            let Some(agent) = self.agents.get(&to) else { continue };
            let call = rung_for(&mut offers, agent, run.lines.opens(&send.bytes));
            let direct =
                recalls.contains(agent) || call.is_some_and(|call| run.watch.is_direct(call));
            self.wrong.extend(run.lines.sent(to, &send.bytes, call, direct, at));
        }
        self.wrong.extend(run.watch.take_wrong());
    }

    /// Moves what the watch found to `wrong`.
    pub(super) fn collect_wrong(&mut self) {
        if let Some(run) = &mut self.run {
            self.wrong.extend(run.watch.take_wrong());
        }
    }

    /// The process's media threads, while it lives.
    #[must_use]
    pub fn media(&self) -> Option<&Media> {
        self.run.as_ref().map(|run| &run.media)
    }

    /// What the facts decided so far say, while the process lives.
    #[must_use]
    pub fn watch(&self) -> Option<&Watch> {
        self.run.as_ref().map(|run| &run.watch)
    }

    /// What the engine holds.
    #[must_use]
    pub fn gauges(&self, at: Mono) -> Option<Gauges> {
        self.run.as_ref().map(|run| run.engine.gauges(self.now(run.booted, at)))
    }

    /// Commands that were never answered.
    #[must_use]
    pub fn unanswered(&self) -> usize {
        self.run.as_ref().map_or(0, |run| run.asked.len())
    }

    /// The views that were fed while things happened, and the same from the disk alone.
    #[must_use]
    pub fn live_and_replayed(&self) -> Option<(&Views, Views)> {
        let run = self.run.as_ref()?;
        let mut replayed = Views::new(self.setup());
        for entry in self.journal.entries() {
            replayed.apply(entry);
        }
        Some((&run.views, replayed))
    }

    /// Everything on disk.
    #[must_use]
    pub const fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The agent whose phone stands at `at`.
    #[must_use]
    pub fn agent_at(&self, at: IpAddr) -> Option<&AgentId> {
        self.agents.get(&at)
    }

    /// Whether an agent is signed in and not paused, by the history on disk.
    #[must_use]
    pub fn on_duty(&self, agent: &AgentId) -> (bool, bool) {
        let mut state = (false, false);
        for entry in self.journal.entries() {
            let Fact::Agent { agent: whose, event } = &entry.fact else { continue };
            if whose == agent {
                match event {
                    AgentEvent::SignedIn { .. } => state.0 = true,
                    AgentEvent::SignedOut { .. } => state = (false, false),
                    AgentEvent::Paused { .. } => state.1 = true,
                    AgentEvent::Unpaused { .. } => state.1 = false,
                    AgentEvent::Talking
                    | AgentEvent::WrapUp { .. }
                    | AgentEvent::Idle
                    | AgentEvent::Phone { .. } => {}
                }
            }
        }
        state
    }
}

/// The call that a message to this agent's phone is about, as far as one is rung for in this step. An INVITE that
/// `opens` a dialog is the first of these that has none yet: one step may ring a phone for a waiting caller and for
/// one that is sent to its own line, in this order.
fn rung_for(offers: &mut Vec<(AgentId, CallId)>, agent: &AgentId, opens: bool) -> Option<CallId> {
    let mut mine = (0..).zip(offers.iter()).filter(|(_, (offered, _))| offered == agent);
    let (place, (_, call)) = mine.next()?;
    let (call, more) = (*call, mine.next().is_some());
    if opens && more {
        offers.remove(place);
    }
    Some(call)
}

#[cfg(test)]
mod tests {
    use super::rung_for;
    use crate::base::{AgentId, CallId};

    #[test]
    fn two_calls_that_ring_one_phone_in_one_step_are_told_apart_by_their_order() {
        let call = |n: u128| CallId(uuid::Uuid::from_u128(n));
        let (one, other): (AgentId, AgentId) = ("2001".into(), "2002".into());
        let mut offers =
            vec![(one.clone(), call(1)), (other.clone(), call(2)), (one.clone(), call(3))];
        // What cancels another ringing first opens nothing.
        assert_eq!(rung_for(&mut offers, &one, false), Some(call(1)));
        assert_eq!(rung_for(&mut offers, &one, true), Some(call(1)));
        assert_eq!(rung_for(&mut offers, &other, true), Some(call(2)));
        assert_eq!(rung_for(&mut offers, &one, true), Some(call(3)));
        assert_eq!(rung_for(&mut offers, &"2003".into(), true), None);
    }
}
