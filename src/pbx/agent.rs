//! One agent: whether it takes part (duty), what goes on at its phone (line), and from both whether a
//! queue may ring it; as shown to people and as remembered from the history. What changes an agent is
//! `staff`'s business.

use super::group::{GroupIx, Standing};
use crate::base::{AgentId, GroupId, Keep, Kept, LegId, Mono, Wall, kept};
use crate::dialplan::{self, Skills};
use crate::event::{AgentEvent, Means};
use std::fmt;

/// An agent's place in the plan's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AgentIx(pub(super) u32);

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
    /// The last that was written of it was after-call work.
    pub in_wrap_up: bool,
    /// In a call or in wrap-up when the history stopped.
    pub occupied: bool,
    /// The last that was recorded of the phone.
    pub reachable: bool,
    /// When the agent's state last changed.
    pub since: Wall,
    /// Calls answered since signing in.
    pub answered: u64,
}

kept!(struct AgentMemory { duty, in_wrap_up, occupied, reachable, since, answered });

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

impl Keep for Remembered {
    fn keep(&self, out: &mut Vec<u8>) {
        match self {
            Self::New => 0_u8.keep(out),
            Self::SignedOut => 1_u8.keep(out),
            Self::SignedIn => 2_u8.keep(out),
            Self::Paused { reason } => {
                3_u8.keep(out);
                reason.keep(out);
            }
            Self::SetAside => 4_u8.keep(out),
        }
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        Some(match u8::found(from)? {
            0 => Self::New,
            1 => Self::SignedOut,
            2 => Self::SignedIn,
            3 => Self::Paused { reason: Keep::found(from)? },
            4 => Self::SetAside,
            _ => return None,
        })
    }
}

impl AgentMemory {
    /// The agent answered a call of the desk.
    pub fn answered(&mut self) {
        self.answered = self.answered.saturating_add(1);
    }

    /// Takes in the next entry about this agent, written at `at`.
    pub fn apply(&mut self, event: &AgentEvent, at: Wall) {
        // After-call work that was made longer began when it began.
        let same = matches!(event, AgentEvent::WrapUp { .. }) && self.in_wrap_up;
        if !same && !matches!(event, AgentEvent::Phone { .. }) {
            self.since = at;
        }
        if !matches!(event, AgentEvent::Phone { .. }) {
            self.in_wrap_up = matches!(event, AgentEvent::WrapUp { .. });
        }
        match event {
            AgentEvent::SignedIn { .. } => {
                (self.duty, self.answered) = (Remembered::SignedIn, 0);
            }
            AgentEvent::Unpaused { .. } => self.duty = Remembered::SignedIn,
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
pub(super) enum Duty {
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
pub(super) struct Line {
    /// A queue's offer that rings.
    pub(super) offer: Option<LegId>,
    /// Direct calls that ring.
    pub(super) ringing: u32,
    /// Calls that are up, and calls that the agent is placing.
    pub(super) talking: u32,
    /// Feature codes being answered.
    pub(super) codes: u32,
    /// After-call work until then.
    pub(super) wrap_until: Option<Mono>,
}

impl Line {
    /// Nothing rings at the phone and no call is up.
    fn has_no_call(&self) -> bool {
        self.offer.is_none() && self.ringing == 0 && self.talking == 0
    }

    pub(super) fn is_free(&self) -> bool {
        self.has_no_call() && self.codes == 0 && self.wrap_until.is_none()
    }
}

/// What the history was last told of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Idle,
    Talking,
    WrapUp,
}

/// One agent.
#[derive(Debug)]
pub(super) struct Agent {
    pub(super) id: AgentId,
    pub(super) name: String,
    /// What the agent knows.
    pub(super) skills: Skills,
    /// Signs in by itself at the first registration; spent when that happened or a person decided.
    pub(super) signs_in_alone: bool,
    pub(super) duty: Duty,
    pub(super) line: Line,
    pub(super) reachable: bool,
    pub(super) reachable_told: bool,
    pub(super) told: Told,
    /// Grows each time the agent becomes free after work: the smaller, the longer idle.
    pub(super) rank: u64,
    /// Calls answered since signing in.
    pub(super) answered: u64,
    /// Offers let ring out in a row.
    pub(super) rung_out: u32,
    /// As what the agent stands in the groups' free lists.
    pub(super) listed: Option<Standing>,
    /// Membership: group and place in its list.
    pub(super) groups: Vec<(GroupIx, u32)>,
    pub(super) shown: AgentState,
    pub(super) since: Wall,
    pub(super) timer: Option<Mono>,
}

impl Agent {
    pub(super) fn new(id: AgentId, plan: &dialplan::Agent) -> Self {
        Self {
            id,
            name: plan.name.clone(),
            skills: plan.skills.clone(),
            signs_in_alone: plan.always_signed_in,
            duty: Duty::Out,
            line: Line::default(),
            reachable: false,
            reachable_told: false,
            told: Told::Idle,
            rank: 0,
            answered: 0,
            rung_out: 0,
            listed: None,
            groups: Vec::new(),
            shown: AgentState::SignedOut,
            since: Wall(0),
            timer: None,
        }
    }

    pub(super) fn remember(&mut self, memory: AgentMemory) {
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
        self.answered = memory.answered;
        self.shown = self.state();
    }

    /// Whether a queue may ring this agent now.
    pub(super) fn is_available(&self) -> bool {
        self.duty == Duty::In && self.reachable && self.line.is_free()
    }

    /// Whether no call is at the phone and no word of ours, and it can be rung; the agent may be at work after
    /// a call.
    pub(super) fn is_quiet(&self) -> bool {
        self.is_quiet_but_for(0)
    }

    /// The same when so many talks at the phone are about to end.
    pub(super) fn is_quiet_but_for(&self, ending: u32) -> bool {
        let line = &self.line;
        let rings = line.offer.is_some() || line.ringing > 0;
        self.reachable && !rings && line.talking <= ending && line.codes == 0
    }

    /// Whether the agent serves its groups now, or will when the call at hand is over.
    pub(super) fn is_on_duty(&self) -> bool {
        self.duty == Duty::In && self.reachable
    }

    pub(super) fn is_reachable(&self) -> bool {
        self.reachable
    }

    /// What one word describes the agent best.
    pub(super) fn state(&self) -> AgentState {
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

    pub(super) fn deadline(&self) -> Option<Mono> {
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
