//! Agents: whether they take part (duty), what goes on at their phone (line), and from both whether a
//! queue may ring them. Every change is recorded here and nowhere else, so no agent can be left
//! "in a call" by a path that forgot it.

use super::api::{Command, CommandError};
use super::floor::{Floor, Turn};
use super::group::GroupIx;
use super::timers::Timer;
use crate::base::{AgentId, GroupId, LegId, Mono, Wall};
use crate::dialplan::SetAside;
use crate::event::{AgentEvent, Fact, Means};
use std::fmt;
use std::time::Duration;

/// An agent's place in the plan's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AgentIx(pub(super) u32);

/// A set-aside is never shorter, or a phone that refuses at once would be dialled without a pause.
const ASIDE_LEAST: Duration = Duration::from_secs(1);

/// How long a phone that could not be reached is left alone. Not the agent's doing, so the plan's
/// rule for refusals is not applied.
const UNREACHABLE_ASIDE: Duration = Duration::from_secs(30);

/// A pause reason is cut to this many characters.
const REASON_MOST: usize = 64;

/// The rule's own words in `AgentEvent::Paused`; `…_BRIEFLY` ends by itself.
pub mod reason {
    /// Let an offer ring out; until ended by a person.
    pub const RANG_OUT: &str = "rang_out";
    /// Refused an offer; until ended by a person.
    pub const REFUSED: &str = "refused";
    /// Let an offer ring out; for a time.
    pub const RANG_OUT_BRIEFLY: &str = "rang_out_briefly";
    /// Refused an offer; for a time.
    pub const REFUSED_BRIEFLY: &str = "refused_briefly";
    /// The phone could not be reached; for a time.
    pub const UNREACHABLE_BRIEFLY: &str = "unreachable_briefly";

    /// Whether the pause ends by itself.
    #[must_use]
    pub fn is_brief(reason: &str) -> bool {
        matches!(reason, RANG_OUT_BRIEFLY | REFUSED_BRIEFLY | UNREACHABLE_BRIEFLY)
    }
}

/// What an agent is doing, in one word for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AgentState {
    /// Takes no part.
    SignedOut,
    /// Free for the next call.
    Idle,
    /// The phone rings.
    Ringing,
    /// In a call of any kind.
    Talking,
    /// After-call work.
    WrapUp,
    /// Missed an offer; comes back by itself.
    SetAside,
    /// Paused until a person ends it.
    Paused,
}

impl AgentState {
    /// All, in order.
    pub const ALL: [Self; 7] = [
        Self::SignedOut,
        Self::Idle,
        Self::Ringing,
        Self::Talking,
        Self::WrapUp,
        Self::SetAside,
        Self::Paused,
    ];

    /// As a label: lower case, words joined by `_`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Idle => "idle",
            Self::Ringing => "ringing",
            Self::Talking => "talking",
            Self::WrapUp => "wrap_up",
            Self::SetAside => "set_aside",
            Self::Paused => "paused",
        }
    }
}

impl fmt::Display for AgentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One agent as the pages show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentSnapshot {
    /// The extension.
    pub agent: AgentId,
    /// For people.
    pub name: String,
    /// What the agent is doing.
    pub state: AgentState,
    /// Since when, for people.
    pub since: Wall,
    /// Why paused or set aside.
    pub reason: Option<String>,
    /// Whether the phone can be rung.
    pub reachable: bool,
    /// The groups the agent is a member of.
    pub groups: Vec<GroupId>,
    /// Calls up at the phone.
    pub calls: u32,
}

/// What the history says of one agent: a fold over its entries, handed to `Desk::restore`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentMemory {
    /// Whether the agent took part.
    pub duty: Remembered,
    /// In a call or in wrap-up when the history stopped.
    pub occupied: bool,
    /// The last that was recorded of the phone.
    pub reachable: bool,
    /// When the agent's state last changed.
    pub since: Wall,
}

/// An agent's duty as the history left it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Remembered {
    /// Never signed in or out.
    #[default]
    New,
    /// Takes no part.
    SignedOut,
    /// Takes part.
    SignedIn,
    /// Paused until a person ends it.
    Paused {
        /// Why.
        reason: String,
    },
    /// Set aside for a time that is over with the restart.
    SetAside,
}

impl AgentMemory {
    /// Takes in the next entry about this agent, written at `at`.
    pub fn apply(&mut self, event: &AgentEvent, at: Wall) {
        if !matches!(event, AgentEvent::Phone { .. }) {
            self.since = at;
        }
        match event {
            AgentEvent::SignedIn { .. } | AgentEvent::Unpaused { .. } => {
                self.duty = Remembered::SignedIn;
            }
            AgentEvent::SignedOut { .. } => self.duty = Remembered::SignedOut,
            AgentEvent::Paused { by: Means::Rule, reason } if reason::is_brief(reason) => {
                self.duty = Remembered::SetAside;
            }
            AgentEvent::Paused { reason, .. } => {
                self.duty = Remembered::Paused { reason: reason.clone() };
            }
            AgentEvent::Talking | AgentEvent::WrapUp { .. } => self.occupied = true,
            AgentEvent::Idle => self.occupied = false,
            AgentEvent::Phone { reachable } => self.reachable = *reachable,
        }
    }
}

/// Whether an agent takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Duty {
    /// Signed out.
    Out,
    /// Signed in.
    In,
    /// Signed in; missed an offer and is left alone until then.
    Aside { until: Mono, reason: &'static str },
    /// Signed in; left alone until a person ends it.
    Paused { reason: String },
}

/// What goes on at one agent's phone. Counts and not one state, because a phone can take a direct
/// call beside another; a queue rings it only when there is nothing of all this.
#[derive(Clone, Debug, Default)]
struct Line {
    /// A queue's offer that rings.
    offer: Option<LegId>,
    /// Direct calls that ring.
    ringing: u32,
    /// Calls that are up, and calls that the agent is placing.
    talking: u32,
    /// Feature codes being answered.
    codes: u32,
    /// After-call work until then.
    wrap_until: Option<Mono>,
}

impl Line {
    fn is_free(&self) -> bool {
        self.offer.is_none()
            && self.ringing == 0
            && self.talking == 0
            && self.codes == 0
            && self.wrap_until.is_none()
    }
}

/// What the history was last told of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Idle,
    Talking,
    WrapUp,
}

/// One agent.
#[derive(Debug)]
pub(super) struct Agent {
    pub(super) id: AgentId,
    name: String,
    /// Signs in by itself at the first registration; spent when that happened or a person decided.
    signs_in_alone: bool,
    duty: Duty,
    line: Line,
    reachable: bool,
    reachable_told: bool,
    told: Told,
    /// Grows each time the agent becomes free after work: the smaller, the longer idle.
    rank: u64,
    /// The rank under which the agent stands in the groups' free lists.
    listed: Option<u64>,
    /// Membership: group and place in its list.
    pub(super) groups: Vec<(GroupIx, u32)>,
    shown: AgentState,
    since: Wall,
    timer: Option<Mono>,
}

impl Agent {
    pub(super) fn new(id: AgentId, name: String, always_signed_in: bool) -> Self {
        Self {
            id,
            name,
            signs_in_alone: always_signed_in,
            duty: Duty::Out,
            line: Line::default(),
            reachable: false,
            reachable_told: false,
            told: Told::Idle,
            rank: 0,
            listed: None,
            groups: Vec::new(),
            shown: AgentState::SignedOut,
            since: Wall(0),
            timer: None,
        }
    }

    fn remember(&mut self, memory: AgentMemory) {
        self.duty = match memory.duty {
            Remembered::New => Duty::Out,
            Remembered::SignedOut => {
                self.signs_in_alone = false;
                Duty::Out
            }
            Remembered::SignedIn => Duty::In,
            Remembered::Paused { reason } => Duty::Paused { reason },
            // Over by now; the first tick says so.
            Remembered::SetAside => {
                Duty::Aside { until: Mono::ZERO, reason: reason::RANG_OUT_BRIEFLY }
            }
        };
        if memory.occupied {
            // No call survives a restart; the first tick writes that the agent is free.
            self.told = Told::WrapUp;
            self.line.wrap_until = Some(Mono::ZERO);
        }
        self.reachable_told = memory.reachable;
        self.since = memory.since;
        self.shown = self.state();
    }

    /// Whether a queue may ring this agent now.
    pub(super) fn is_available(&self) -> bool {
        self.duty == Duty::In && self.reachable && self.line.is_free()
    }

    pub(super) fn is_reachable(&self) -> bool {
        self.reachable
    }

    /// What one word describes the agent best.
    fn state(&self) -> AgentState {
        if self.line.talking > 0 {
            AgentState::Talking
        } else if self.line.offer.is_some() || self.line.ringing > 0 {
            AgentState::Ringing
        } else {
            match self.duty {
                Duty::Out => AgentState::SignedOut,
                Duty::Paused { .. } => AgentState::Paused,
                Duty::Aside { .. } => AgentState::SetAside,
                Duty::In if self.line.wrap_until.is_some() => AgentState::WrapUp,
                Duty::In => AgentState::Idle,
            }
        }
    }

    fn deadline(&self) -> Option<Mono> {
        let aside = match self.duty {
            Duty::Aside { until, .. } => Some(until),
            Duty::Out | Duty::In | Duty::Paused { .. } => None,
        };
        let stale = (self.reachable != self.reachable_told).then_some(Mono::ZERO);
        [aside, self.line.wrap_until, stale].into_iter().flatten().min()
    }

    pub(super) fn snapshot(&self, group: impl Fn(GroupIx) -> GroupId) -> AgentSnapshot {
        let reason = match &self.duty {
            Duty::Paused { reason } => Some(reason.clone()),
            Duty::Aside { reason, .. } => Some((*reason).to_owned()),
            Duty::In | Duty::Out => None,
        };
        AgentSnapshot {
            agent: self.id.clone(),
            name: self.name.clone(),
            state: self.shown,
            since: self.since,
            reason,
            reachable: self.reachable,
            groups: self.groups.iter().map(|(ix, _)| group(*ix)).collect(),
            calls: self.line.talking,
        }
    }
}

/// How an offer ended without a conversation, as far as the agent is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missed {
    /// Not the agent's doing: the caller left, another took it, the system ended it.
    Nothing,
    /// Rang out; the group's rule.
    RangOut(SetAside),
    /// Refused; the group's rule.
    Refused(SetAside),
    /// The phone could not be reached.
    Unreachable,
}

impl Floor {
    /// Takes over what the history says; once, before any input.
    pub(super) fn remember(&mut self, ix: AgentIx, memory: AgentMemory) {
        self.rank += 1;
        let rank = self.rank;
        let agent = self.agent_mut(ix);
        let before = agent.shown;
        agent.remember(memory);
        agent.rank = rank;
        let (after, deadline) = (agent.shown, agent.deadline());
        self.count_state(before, after);
        self.arm_agent(ix, deadline);
    }

    /// A queue's offer begins to ring at a free agent's phone.
    pub(super) fn offer_begins(&mut self, ix: AgentIx, leg: LegId, turn: &mut Turn<'_>) {
        let line = &mut self.agent_mut(ix).line;
        assert!(line.is_free(), "a queue must ring free agents only");
        line.offer = Some(leg);
        self.settle_agent(ix, turn);
    }

    /// The offer is over without a conversation.
    pub(super) fn offer_ends(&mut self, ix: AgentIx, missed: Missed, turn: &mut Turn<'_>) {
        self.agent_mut(ix).line.offer = None;
        let aside = match missed {
            Missed::Nothing => None,
            Missed::RangOut(rule) => Some((rule, reason::RANG_OUT, reason::RANG_OUT_BRIEFLY)),
            Missed::Refused(rule) => Some((rule, reason::REFUSED, reason::REFUSED_BRIEFLY)),
            Missed::Unreachable => {
                let brief = reason::UNREACHABLE_BRIEFLY;
                Some((SetAside::For(UNREACHABLE_ASIDE), brief, brief))
            }
        };
        if let Some((rule, lasting, brief)) = aside
            && self.agent(ix).duty == Duty::In
        {
            // To the end of the line: or the longest idle would be rung again as soon as free.
            self.rank += 1;
            let rank = self.rank;
            let agent = self.agent_mut(ix);
            agent.rank = rank;
            let reason = match rule {
                SetAside::Pause => {
                    agent.duty = Duty::Paused { reason: lasting.to_owned() };
                    lasting
                }
                SetAside::For(span) => {
                    let until = turn.now.mono + span.max(ASIDE_LEAST);
                    agent.duty = Duty::Aside { until, reason: brief };
                    brief
                }
            };
            let event = AgentEvent::Paused { by: Means::Rule, reason: reason.to_owned() };
            self.note(ix, event, turn);
        }
        self.settle_agent(ix, turn);
    }

    /// The agent answered the queue's offer.
    pub(super) fn offer_taken(&mut self, ix: AgentIx, turn: &mut Turn<'_>) {
        let line = &mut self.agent_mut(ix).line;
        line.offer = None;
        line.talking += 1;
        self.settle_agent(ix, turn);
    }

    /// A direct call begins to ring at the phone.
    pub(super) fn direct_rings(&mut self, ix: AgentIx, turn: &mut Turn<'_>) {
        self.agent_mut(ix).line.ringing += 1;
        self.settle_agent(ix, turn);
    }

    /// A direct call rings no more and was not answered.
    pub(super) fn direct_ends(&mut self, ix: AgentIx, turn: &mut Turn<'_>) {
        self.agent_mut(ix).line.ringing -= 1;
        self.settle_agent(ix, turn);
    }

    /// The agent answered a direct call.
    pub(super) fn direct_taken(&mut self, ix: AgentIx, turn: &mut Turn<'_>) {
        let line = &mut self.agent_mut(ix).line;
        line.ringing -= 1;
        line.talking += 1;
        self.settle_agent(ix, turn);
    }

    /// The agent places a call.
    pub(super) fn call_placed(&mut self, ix: AgentIx, turn: &mut Turn<'_>) {
        self.agent_mut(ix).line.talking += 1;
        self.settle_agent(ix, turn);
    }

    /// A call at the agent's phone is over, answered or placed; `wrap_up` is the work due after it.
    pub(super) fn talk_ends(&mut self, ix: AgentIx, wrap_up: Duration, turn: &mut Turn<'_>) {
        let now = turn.now.mono;
        let agent = self.agent_mut(ix);
        agent.line.talking -= 1;
        if !wrap_up.is_zero() && agent.duty != Duty::Out {
            let until = Some(now + wrap_up);
            agent.line.wrap_until = agent.line.wrap_until.max(until);
        }
        self.settle_agent(ix, turn);
    }

    /// A feature code is being answered.
    pub(super) fn code_begins(&mut self, ix: AgentIx, turn: &mut Turn<'_>) {
        self.agent_mut(ix).line.codes += 1;
        self.settle_agent(ix, turn);
    }

    /// The feature code's leg is over.
    pub(super) fn code_ends(&mut self, ix: AgentIx, turn: &mut Turn<'_>) {
        self.agent_mut(ix).line.codes -= 1;
        self.settle_agent(ix, turn);
    }

    /// The phone's registration came or went.
    pub(super) fn phone_changed(&mut self, ix: AgentIx, reachable: bool, turn: &mut Turn<'_>) {
        let agent = self.agent_mut(ix);
        agent.reachable = reachable;
        if let Duty::Aside { until, reason: reason::UNREACHABLE_BRIEFLY } = &mut agent.duty
            && reachable
        {
            // What kept the agent aside is over.
            *until = turn.now.mono;
        }
        self.tell_reachable(ix, turn);
        let agent = self.agent_mut(ix);
        if reachable && agent.signs_in_alone && agent.duty == Duty::Out {
            agent.signs_in_alone = false;
            self.sign_in(ix, Means::Rule, turn);
        }
        self.settle_agent(ix, turn);
    }

    /// The agent's deadline has come.
    pub(super) fn agent_due(&mut self, ix: AgentIx, turn: &mut Turn<'_>) {
        self.agent_mut(ix).timer = None;
        self.tell_reachable(ix, turn);
        self.settle_agent(ix, turn);
    }

    /// A person's command.
    pub(super) fn obey(
        &mut self,
        ix: AgentIx,
        command: Command,
        turn: &mut Turn<'_>,
    ) -> Result<(), CommandError> {
        use CommandError::{AlreadySo, NotSignedIn};
        let agent = self.agent_mut(ix);
        match (&agent.duty, command) {
            (Duty::Out, Command::SignIn { by, .. }) => {
                agent.signs_in_alone = false;
                self.sign_in(ix, by, turn);
            }
            (Duty::In | Duty::Aside { .. } | Duty::Paused { .. }, Command::SignIn { .. })
            | (Duty::Out, Command::SignOut { .. })
            | (Duty::Paused { .. }, Command::Pause { .. })
            | (Duty::In, Command::Unpause { .. }) => return Err(AlreadySo),
            (Duty::Out, Command::Pause { .. } | Command::Unpause { .. }) => {
                return Err(NotSignedIn);
            }
            (Duty::In | Duty::Aside { .. } | Duty::Paused { .. }, Command::SignOut { by, .. }) => {
                // After-call work ends with the day's work; a call in progress goes on.
                agent.line.wrap_until = None;
                self.settle_agent(ix, turn);
                self.agent_mut(ix).duty = Duty::Out;
                self.note(ix, AgentEvent::SignedOut { by }, turn);
            }
            (Duty::In | Duty::Aside { .. }, Command::Pause { by, reason, .. }) => {
                let reason: String = reason.chars().take(REASON_MOST).collect();
                agent.duty = Duty::Paused { reason: reason.clone() };
                self.note(ix, AgentEvent::Paused { by, reason }, turn);
            }
            (Duty::Aside { .. } | Duty::Paused { .. }, Command::Unpause { by, .. }) => {
                agent.duty = Duty::In;
                self.note(ix, AgentEvent::Unpaused { by }, turn);
            }
        }
        self.settle_agent(ix, turn);
        Ok(())
    }

    fn sign_in(&mut self, ix: AgentIx, by: Means, turn: &mut Turn<'_>) {
        self.rank += 1;
        let rank = self.rank;
        let agent = self.agent_mut(ix);
        agent.rank = rank;
        agent.duty = Duty::In;
        self.note(ix, AgentEvent::SignedIn { by }, turn);
    }

    fn tell_reachable(&mut self, ix: AgentIx, turn: &mut Turn<'_>) {
        let agent = self.agent_mut(ix);
        let reachable = agent.reachable;
        if agent.reachable_told != reachable {
            agent.reachable_told = reachable;
            self.note(ix, AgentEvent::Phone { reachable }, turn);
        }
    }

    fn note(&self, ix: AgentIx, event: AgentEvent, turn: &mut Turn<'_>) {
        turn.record(Fact::Agent { agent: self.agent(ix).id.clone(), event });
    }

    /// After any change of an agent: ends what time has ended, records what changed, withdraws an
    /// offer that may not ring any more, and lists the agent with the free ones or takes it off.
    fn settle_agent(&mut self, ix: AgentIx, turn: &mut Turn<'_>) {
        let now = turn.now.mono;
        let agent = self.agent_mut(ix);
        if agent.line.wrap_until.is_some_and(|until| until <= now) {
            agent.line.wrap_until = None;
        }
        let told = if agent.line.talking > 0 {
            Told::Talking
        } else if agent.line.wrap_until.is_some() {
            Told::WrapUp
        } else {
            Told::Idle
        };
        if told != agent.told {
            agent.told = told;
            let event = match (told, agent.line.wrap_until) {
                (Told::Talking, _) => AgentEvent::Talking,
                (Told::WrapUp, Some(until)) => AgentEvent::WrapUp {
                    for_ms: u64::try_from(until.since(now).as_millis()).unwrap_or(u64::MAX),
                },
                (Told::Idle | Told::WrapUp, _) => AgentEvent::Idle,
            };
            if told == Told::Idle {
                self.rank += 1;
                let rank = self.rank;
                self.agent_mut(ix).rank = rank;
            }
            self.note(ix, event, turn);
        }
        let agent = self.agent_mut(ix);
        if let Duty::Aside { until, .. } = agent.duty
            && until <= now
        {
            agent.duty = Duty::In;
            self.note(ix, AgentEvent::Unpaused { by: Means::Rule }, turn);
        }

        let agent = self.agent_mut(ix);
        let deadline = agent.deadline();
        let busy_otherwise =
            agent.duty != Duty::In || agent.line.talking > 0 || agent.line.codes > 0;
        let before = agent.shown;
        let after = agent.state();
        if before != after {
            agent.shown = after;
            agent.since = turn.now.wall;
        }
        if let Some(leg) = agent.line.offer.filter(|_| busy_otherwise) {
            self.to_withdraw.push(leg);
        }
        self.count_state(before, after);
        self.arm_agent(ix, deadline);
        self.list(ix);
    }

    /// Brings the groups' free lists in line with the agent.
    fn list(&mut self, ix: AgentIx) {
        let agent = &mut self.agents[ix.0 as usize];
        let wanted = agent.is_available().then_some(agent.rank);
        let before = std::mem::replace(&mut agent.listed, wanted);
        if before == wanted {
            return;
        }
        for (ix, place) in &agent.groups {
            let group = &mut self.groups[ix.0 as usize];
            if let Some(rank) = before {
                group.unlist(rank, *place);
            }
            if let Some(rank) = wanted {
                group.list(rank, *place);
                self.stirred.insert(*ix);
            }
        }
        if before.is_none() {
            self.freed.push_back(ix);
        }
    }

    fn count_state(&mut self, before: AgentState, after: AgentState) {
        if before != after {
            self.states[before as usize] -= 1;
            self.states[after as usize] += 1;
        }
    }

    fn arm_agent(&mut self, ix: AgentIx, at: Option<Mono>) {
        let held = &mut self.agents[ix.0 as usize].timer;
        self.timers.set(Timer::Agent(ix), held, at);
    }
}
