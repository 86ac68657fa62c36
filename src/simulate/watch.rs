//! What must always hold, held against every fact in the order it was decided. Knows the history's
//! words and nothing of who decided or how.

use crate::base::{AgentId, CallId, Number};
use crate::event::{
    AgentEvent, CallEvent, CallbackEvent, ConsultSide, DeskEvent, EndCause, Entry, Fact, OfferEnd,
    Origin, Party, Purpose,
};
use std::collections::{BTreeMap, BTreeSet};

/// One call as the facts so far tell it.
#[derive(Clone, Debug, Default)]
struct CallSeen {
    /// The caller's display name, unique in a world.
    name: Option<String>,
    last_t_ms: u64,
    /// The last that was asked for was one agent's own line.
    direct: bool,
    ringing: BTreeSet<AgentId>,
    answered_by: Option<AgentId>,
    /// Its agent asks somebody who is no agent.
    asks_outside: bool,
    /// Its agent asks somebody by keys, and whether it has turned to the caller meanwhile.
    asks: Option<bool>,
    /// Passed on to somebody who was consulted.
    joined: bool,
    accepted: bool,
    /// Who holds it now.
    held_by: Vec<Party>,
    /// Told "all are busy" for the group asked for last.
    told_busy: bool,
    /// The last offer was taken by somebody else's phone.
    taken: bool,
    supervised_by: Option<AgentId>,
    /// A third is called, or has joined.
    third: Option<bool>,
    /// The agent's phone is rung for a caller held too long.
    recalls: bool,
    ends: u32,
    /// The agent who placed it, when one did.
    placed_by: Option<AgentId>,
}

/// What an agent's line is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Line {
    #[default]
    Idle,
    Talking,
    WrapUp,
}

/// One agent as the facts so far tell it.
#[derive(Clone, Debug, Default)]
struct AgentSeen {
    signed_in: bool,
    paused: bool,
    reachable: bool,
    line: Line,
    rung_by: BTreeSet<CallId>,
    talks_in: BTreeSet<CallId>,
}

/// Who has which caller, by the caller's name.
pub type Answers = BTreeMap<String, Option<AgentId>>;

/// All calls and agents as the facts so far tell them.
#[derive(Debug, Default)]
pub struct Watch {
    /// Who is in which slot.
    slots: BTreeMap<Number, CallId>,
    calls: BTreeMap<CallId, CallSeen>,
    agents: BTreeMap<AgentId, AgentSeen>,
    last_seq: u64,
    wishes_over: BTreeSet<CallId>,
    wrong: Vec<String>,
}

impl Watch {
    /// A watch over a process that begins after `entries`.
    #[must_use]
    pub fn after(entries: &[Entry]) -> Self {
        let mut watch = Self::default();
        for entry in entries {
            watch.see(entry);
        }
        watch
    }

    /// What must not be, since the last asking.
    pub fn take_wrong(&mut self) -> Vec<String> {
        std::mem::take(&mut self.wrong)
    }

    /// How often each call ended.
    #[must_use]
    pub fn ends_by_call(&self) -> BTreeMap<CallId, u32> {
        self.calls.iter().map(|(id, call)| (*id, call.ends)).collect()
    }

    /// Calls that have arrived and not ended.
    #[must_use]
    pub fn open_calls(&self) -> usize {
        self.calls.values().filter(|call| call.ends == 0).count()
    }

    /// Names of callers in the history, with how often.
    #[must_use]
    pub fn calls_by_name(&self) -> BTreeMap<&str, u32> {
        let mut names = BTreeMap::new();
        for name in self.calls.values().filter_map(|call| call.name.as_deref()) {
            *names.entry(name).or_default() += 1;
        }
        names
    }

    /// Who has each open call now, by its caller's name.
    #[must_use]
    pub fn answers(&self) -> Answers {
        let open = self.calls.values().filter(|call| call.ends == 0);
        open.filter_map(|call| Some((call.name.clone()?, call.answered_by.clone()))).collect()
    }

    /// Whether the open call of the caller of this name is held by either side; none when there is no
    /// such call.
    #[must_use]
    pub fn is_held(&self, name: &str) -> Option<bool> {
        let mut open = self.calls.values().filter(|call| call.ends == 0);
        let call = open.find(|call| call.name.as_deref() == Some(name))?;
        Some(!call.held_by.is_empty() || call.asks == Some(false))
    }

    /// Whether this call goes to one agent's own line, which may ring beside another call.
    #[must_use]
    pub fn is_direct(&self, call: CallId) -> bool {
        self.calls.get(&call).is_some_and(|call| call.direct)
    }

    /// Takes one fact in.
    pub fn see(&mut self, entry: &Entry) {
        if entry.seq != self.last_seq + 1 {
            self.wrong.push(format!("entry {} follows entry {}", entry.seq, self.last_seq));
        }
        self.last_seq = entry.seq;
        match &entry.fact {
            Fact::Call { call, t_ms, event } => self.see_call(*call, *t_ms, event),
            // No call of the desk.
            Fact::Placed { .. }
            | Fact::Sound { .. }
            | Fact::Recording { .. }
            | Fact::Message { .. }
            | Fact::Note { .. }
            | Fact::Feed { .. }
            | Fact::Incident { .. }
            | Fact::Figures { .. }
            | Fact::Trunk { .. } => {}
            Fact::Callback { call, event } => self.see_wish(*call, event),
            Fact::Agent { agent, event } => self.see_agent(agent, event),
            Fact::Desk { event: DeskEvent::Started { .. } } => {
                // What rang or talked in the process before is over; its calls were closed.
                for agent in self.agents.values_mut() {
                    agent.line = Line::Idle;
                    agent.rung_by.clear();
                    agent.talks_in.clear();
                    agent.reachable = false;
                }
            }
            Fact::Desk {
                event:
                    DeskEvent::Stopped
                    | DeskEvent::HoursChanged { .. }
                    | DeskEvent::HoursRestored { .. }
                    | DeskEvent::CallersErased { .. }
                    | DeskEvent::ErasedOnRequest { .. }
                    | DeskEvent::Ordered { .. }
                    | DeskEvent::PersonSignedIn { .. }
                    | DeskEvent::PersonSignedOut { .. },
            } => {}
        }
    }

    /// A wish to be called back ends once, and no step follows its end.
    fn see_wish(&mut self, call: CallId, event: &CallbackEvent) {
        if self.wishes_over.contains(&call) {
            self.wrong.push(format!("the wish of {call} has {event:?} after its end"));
        }
        if let CallbackEvent::Ended { .. } = event {
            self.wishes_over.insert(call);
        }
    }

    fn see_call(&mut self, id: CallId, t_ms: u64, event: &CallEvent) {
        if let CallEvent::Arrived { caller, origin, .. } = event {
            let name = caller.name.as_ref().map(|name| name.reveal().clone());
            let placed_by = match origin {
                Origin::Extension(number) => Some(AgentId(number.0.clone())),
                Origin::Trunk(_) => None,
            };
            // One that a phone of ours placed has been answered already, as what it was before.
            let joined = t_ms > 0;
            let seen = CallSeen { name, joined, placed_by, ..CallSeen::default() };
            if self.calls.insert(id, seen).is_some() {
                self.wrong.push(format!("{id} arrived twice"));
            }
            return;
        }
        let Some(call) = self.calls.get_mut(&id) else {
            self.wrong.push(format!("{id} has {event:?} without having arrived"));
            return;
        };
        if call.ends > 0 {
            self.wrong.push(format!("{id} has {event:?} after its end"));
        }
        if t_ms < call.last_t_ms {
            self.wrong.push(format!("{id} goes back in time at {event:?}"));
        }
        call.last_t_ms = t_ms;
        match event {
            CallEvent::Accepted => {
                if std::mem::replace(&mut call.accepted, true) {
                    self.wrong.push(format!("{id} was accepted twice"));
                }
            }
            CallEvent::OperatorAsked { group } => {
                call.direct = group.is_none();
            }
            CallEvent::Announced { purpose: Purpose::Busy, .. } => {
                if std::mem::replace(&mut call.told_busy, true) {
                    self.wrong.push(format!("{id} was told twice that all are busy"));
                }
            }
            CallEvent::Held { by } => {
                if call.held_by.contains(by) || call.answered_by.is_none() {
                    self.wrong.push(format!("{id} was held by {by:?}, who could not"));
                }
                call.held_by.push(*by);
            }
            CallEvent::Resumed { by } => {
                if !call.held_by.contains(by) {
                    self.wrong.push(format!("{id} was taken back by {by:?}, who did not hold"));
                }
                call.held_by.retain(|other| other != by);
            }
            CallEvent::OfferMade { agent } => {
                // Who picks up what rings elsewhere does so whatever the own state.
                let direct = call.direct || std::mem::take(&mut call.taken);
                if !call.ringing.insert(agent.clone()) {
                    self.wrong.push(format!("{id} rings {agent} twice at once"));
                }
                if call.answered_by.is_some() {
                    self.wrong.push(format!("{id} rings {agent} though it was answered"));
                }
                self.offered(id, agent, direct);
            }
            CallEvent::Overflowed { .. } => {
                if !call.ringing.is_empty() || call.answered_by.is_some() {
                    self.wrong.push(format!("{id} was sent on though it was not waiting"));
                }
            }
            CallEvent::OfferEnded { agent, why } => {
                call.taken = *why == OfferEnd::TakenElsewhere;
                if !call.ringing.remove(agent) {
                    self.wrong.push(format!("{id}: an offer to {agent} ended that was not made"));
                }
                if let Some(agent) = self.agents.get_mut(agent) {
                    agent.rung_by.remove(&id);
                }
            }
            CallEvent::OperatorAnswered { agent } => {
                // Whom the agent consulted has answered already, in another call.
                let joined = std::mem::take(&mut call.joined);
                if !call.ringing.remove(agent) && !joined {
                    self.wrong.push(format!("{id}: {agent} answered without having been rung"));
                }
                if !call.accepted {
                    self.wrong.push(format!("{id}: {agent} answered a caller who was not"));
                }
                if let Some(before) = call.answered_by.replace(agent.clone()) {
                    self.wrong.push(format!("{id}: {agent} answered after {before}"));
                }
                if let Some(agent) = self.agents.get_mut(agent) {
                    agent.rung_by.remove(&id);
                    agent.talks_in.insert(id);
                }
            }
            CallEvent::TrunkTried { .. }
            | CallEvent::TrunkFailed { .. }
            | CallEvent::AwayAnswered => {
                if call.answered_by.is_some() && call.third.is_none() && !call.asks_outside {
                    self.wrong.push(format!("{id} is sent away and yet with an agent"));
                }
            }
            CallEvent::Transferred { by, attended, .. }
            | CallEvent::SentAway { by, attended, .. } => {
                if call.answered_by.take().as_ref() != Some(by) {
                    self.wrong.push(format!("{id} was passed on by {by}, who did not have it"));
                }
                if !call.held_by.is_empty() {
                    self.wrong.push(format!("{id} was passed on while it was on hold"));
                }
                call.direct = true;
                call.joined = *attended;
                if let Some(agent) = self.agents.get_mut(by) {
                    agent.talks_in.remove(&id);
                }
            }
            CallEvent::ConsultTurned { to } => {
                if call.asks.is_none() {
                    self.wrong.push(format!("{id}: its agent turns to the other of nobody"));
                }
                call.asks = Some(*to == ConsultSide::Caller);
            }
            CallEvent::ConsultOver { .. } | CallEvent::ConsultEnded { .. } => {
                if call.asks.take().is_none() {
                    self.wrong.push(format!("{id}: nobody is asked any more, and nobody was"));
                }
                call.asks_outside = false;
            }
            CallEvent::ConsultBegan { by, .. }
            | CallEvent::ConsultCalled { by, .. }
            | CallEvent::ConsultGroup { by, .. } => {
                call.asks_outside = matches!(event, CallEvent::ConsultCalled { .. });
                if call.asks.replace(false).is_some() {
                    self.wrong.push(format!("{by} asks for {id} twice at once"));
                }
                if call.answered_by.as_ref() != Some(by) {
                    self.wrong.push(format!("{by} asks for {id}, whom it does not have"));
                }
                if !call.held_by.is_empty() {
                    self.wrong.push(format!("{id} is asked for while it is on hold"));
                }
            }
            CallEvent::SurveyBegan { by, .. } => {
                if call.answered_by.take().as_ref() != Some(by) {
                    self.wrong.push(format!("{id} was left by {by}, who did not have it"));
                }
                if !call.held_by.is_empty() {
                    self.wrong.push(format!("{id} was asked how it was while it was on hold"));
                }
                if let Some(agent) = self.agents.get_mut(by) {
                    agent.talks_in.remove(&id);
                }
            }
            CallEvent::Parked { by, slot } => {
                if call.answered_by.take().as_ref() != Some(by) {
                    self.wrong.push(format!("{id} was parked by {by}, who did not have it"));
                }
                if !call.held_by.is_empty() {
                    self.wrong.push(format!("{id} was parked while it was on hold"));
                }
                call.direct = true;
                if let Some(other) = self.slots.insert(slot.clone(), id) {
                    self.wrong.push(format!("{slot} has {id} while {other} is in it"));
                }
                if let Some(agent) = self.agents.get_mut(by) {
                    agent.talks_in.remove(&id);
                }
            }
            CallEvent::Unparked { slot, .. } => {
                if self.slots.remove(slot) != Some(id) {
                    self.wrong.push(format!("{id} comes out of {slot}, where it was not"));
                }
            }
            CallEvent::Returned { agent } => {
                if let Some(before) = call.answered_by.replace(agent.clone()) {
                    self.wrong.push(format!("{id} came back to {agent} while with {before}"));
                }
                if let Some(agent) = self.agents.get_mut(agent) {
                    agent.talks_in.insert(id);
                }
            }
            CallEvent::SupervisionBegan { by, agent, .. } => {
                if call.answered_by.as_ref() != Some(agent) || call.supervised_by.is_some() {
                    self.wrong.push(format!("{id}: {by} listens to {agent} where it cannot be"));
                }
                call.supervised_by = Some(by.clone());
            }
            CallEvent::SupervisionChanged { by, .. } => {
                if call.supervised_by.as_ref() != Some(by) {
                    self.wrong.push(format!("{id}: {by}, who does not listen, changes how"));
                }
            }
            CallEvent::SupervisionEnded { by } => {
                if call.supervised_by.take().as_ref() != Some(by) {
                    self.wrong.push(format!("{id}: {by} listens no more, and never did"));
                }
            }
            CallEvent::ThirdCalled { by, .. } => {
                if call.answered_by.as_ref() != Some(by) || call.third.is_some() {
                    self.wrong.push(format!("{id}: {by} adds a third where it cannot be"));
                }
                call.third = Some(false);
            }
            CallEvent::ThirdJoined { .. } => {
                if call.third.replace(true) != Some(false) {
                    self.wrong.push(format!("{id}: a third joins who was not called"));
                }
            }
            CallEvent::ThirdEnded => {
                if call.third.take() != Some(true) {
                    self.wrong.push(format!("{id}: a third leaves who was not there"));
                }
            }
            CallEvent::ThirdFailed { .. } => {
                if call.third.take() != Some(false) {
                    self.wrong.push(format!("{id}: a third fails who was not called"));
                }
            }
            CallEvent::HoldRecalled { agent } => {
                if call.answered_by.as_ref() != Some(agent) || !call.held_by.contains(&Party::Agent)
                {
                    self.wrong.push(format!("{id}: {agent} is reminded of a hold that is none"));
                }
                if std::mem::replace(&mut call.recalls, true) {
                    self.wrong.push(format!("{id}: {agent} is reminded twice at once"));
                }
            }
            CallEvent::HoldRecallEnded { agent, .. } => {
                if !std::mem::take(&mut call.recalls) {
                    self.wrong.push(format!("{id}: {agent} was not reminded"));
                }
            }
            CallEvent::Ended { cause, .. } => {
                call.ends += 1;
                self.slots.retain(|_, held| *held != id);
                let left = call.supervised_by.is_some() || call.third.is_some() || call.recalls;
                let left = left || call.asks.is_some();
                if left && *cause != EndCause::Restart {
                    self.wrong.push(format!("{id} ended with somebody more at its table"));
                }
                // The next process closes what a killed one left, and rings nobody for it.
                if !call.ringing.is_empty() && *cause != EndCause::Restart {
                    self.wrong.push(format!("{id} ended while {:?} rang", call.ringing));
                }
                for agent in self.agents.values_mut() {
                    agent.talks_in.remove(&id);
                    agent.rung_by.remove(&id);
                }
            }
            CallEvent::Arrived { .. }
            | CallEvent::FoundClosed { .. }
            | CallEvent::MenuEntered { .. }
            | CallEvent::KeyPressed { .. }
            | CallEvent::KeyWrong { .. }
            | CallEvent::MenuTimedOut { .. }
            | CallEvent::ReasonGiven { .. }
            | CallEvent::ConsultRings { .. }
            | CallEvent::ConsultRingEnded { .. }
            | CallEvent::ConsultAnswered { .. }
            | CallEvent::ExtensionDialled { .. }
            | CallEvent::LanguageChosen { .. }
            | CallEvent::PutFirst { .. }
            | CallEvent::EntryBegan { .. }
            | CallEvent::NumberEntered { .. }
            | CallEvent::NumberRefused { .. }
            | CallEvent::QueueKeyPressed { .. }
            | CallEvent::MessageBegan { .. }
            | CallEvent::MessageLeft { .. }
            | CallEvent::MessageDropped { .. }
            | CallEvent::CallbackAsked { .. }
            | CallEvent::SurveyAnswered { .. }
            | CallEvent::Queued { .. }
            | CallEvent::AgentTold { .. }
            | CallEvent::OverflowedOutside { .. }
            | CallEvent::Announced { .. } => {}
        }
    }

    /// A queue's offer may go to none but a free agent.
    fn offered(&mut self, id: CallId, agent_id: &AgentId, direct: bool) {
        let placing = self
            .calls
            .iter()
            .find(|(_, call)| call.ends == 0 && call.placed_by.as_ref() == Some(agent_id))
            .map(|(call, _)| *call);
        let agent = self.agents.entry(agent_id.clone()).or_default();
        if !direct {
            let mut why = Vec::new();
            if !agent.signed_in {
                why.push("is not signed in");
            }
            if agent.paused {
                why.push("is paused");
            }
            if !agent.reachable {
                why.push("has no phone");
            }
            if agent.line != Line::Idle {
                why.push("has a busy line");
            }
            if !agent.rung_by.is_empty() {
                why.push("is rung for another call");
            }
            if !agent.talks_in.is_empty() {
                why.push("talks in another call");
            }
            if placing.is_some() {
                why.push("has a call of the agent's own");
            }
            for why in why {
                self.wrong.push(format!("{id} rings {agent_id}, who {why}"));
            }
        }
        agent.rung_by.insert(id);
    }

    fn see_agent(&mut self, id: &AgentId, event: &AgentEvent) {
        let agent = self.agents.entry(id.clone()).or_default();
        match event {
            AgentEvent::SignedIn { .. } => agent.signed_in = true,
            AgentEvent::SignedOut { .. } => {
                agent.signed_in = false;
                agent.paused = false;
            }
            AgentEvent::Paused { .. } => agent.paused = true,
            AgentEvent::Unpaused { .. } => agent.paused = false,
            AgentEvent::Talking => agent.line = Line::Talking,
            AgentEvent::WrapUp { .. } => agent.line = Line::WrapUp,
            AgentEvent::Idle => agent.line = Line::Idle,
            AgentEvent::Phone { reachable } => agent.reachable = *reachable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Watch;
    use crate::base::{AgentId, CallId, GroupId, Number, TrunkId, Wall};
    use crate::event::{
        AgentEvent, CallEvent, Caller, CallerNumber, EndCause, Entry, Fact, Means, Origin, Party,
    };

    fn call(n: u64, event: CallEvent) -> Fact {
        Fact::Call { call: CallId(uuid::Uuid::from_u64_pair(0, n)), t_ms: 0, event }
    }

    fn arrived(n: u64) -> [Fact; 2] {
        let caller = Caller { number: CallerNumber::Withheld, name: None, diverted_from: None };
        let origin = Origin::Trunk(TrunkId::from("carrier"));
        let number = Number::from("0312345678");
        let asked = CallEvent::OperatorAsked { group: Some(GroupId::from("desk")) };
        [call(n, CallEvent::Arrived { number, caller, origin, counted: true }), call(n, asked)]
    }

    fn ready() -> [Fact; 2] {
        let agent = AgentId::from("2001");
        let signed_in = AgentEvent::SignedIn { by: Means::Api };
        [
            Fact::Agent { agent: agent.clone(), event: AgentEvent::Phone { reachable: true } },
            Fact::Agent { agent, event: signed_in },
        ]
    }

    fn wrong_of(facts: Vec<Fact>) -> Vec<String> {
        let mut watch = Watch::default();
        for (seq, fact) in (1..).zip(facts) {
            watch.see(&Entry { seq, at: Wall(0), fact });
        }
        watch.take_wrong()
    }

    #[test]
    fn the_watch_sees_what_must_not_be() {
        let agent = || AgentId::from("2001");
        let offer = |n| call(n, CallEvent::OfferMade { agent: agent() });
        let ended = |n| call(n, CallEvent::Ended { by: Party::Caller, cause: EndCause::HungUp });
        let talking = Fact::Agent { agent: agent(), event: AgentEvent::Talking };
        let answered = |n| call(n, CallEvent::OperatorAnswered { agent: agent() });
        let with = |more: Vec<Fact>| {
            let mut facts = Vec::from(ready());
            facts.extend(arrived(1));
            facts.extend(arrived(2));
            facts.extend(more);
            facts
        };
        let accepted = call(1, CallEvent::Accepted);
        let table = [
            ("in order", with(vec![offer(1), accepted, answered(1), ended(1), ended(2)]), 0),
            ("two offers", with(vec![offer(1), offer(2)]), 1),
            ("rung while talking", with(vec![talking, offer(1)]), 1),
            ("ended twice", with(vec![ended(1), ended(1)]), 1),
            ("ended while ringing", with(vec![offer(1), ended(1)]), 1),
            ("answered, not rung, not accepted", with(vec![answered(1)]), 2),
            ("not signed in, no phone", [Vec::from(arrived(1)), vec![offer(1)]].concat(), 2),
            ("never arrived", vec![ended(1)], 1),
        ];
        for (case, facts, want) in table {
            let wrong = wrong_of(facts);
            assert_eq!(wrong.len(), want, "{case}: {wrong:?}");
        }
    }

    #[test]
    fn a_hole_in_the_journal_is_seen() {
        let [one, two] = ready();
        let mut watch = Watch::default();
        watch.see(&Entry { seq: 1, at: Wall(0), fact: one });
        watch.see(&Entry { seq: 3, at: Wall(0), fact: two });
        assert_eq!(watch.take_wrong(), ["entry 3 follows entry 1"]);
    }
}
