//! One call put to the desk's own rules, with agents and other callers who do as they are told: what a
//! plan would do, before it goes live. And the tables of such calls that stand beside a plan
//! (`….test.toml`), with what is due of each. And the calls of a history put to two plans.
//!
//! Pure, and without a rule of its own: `pbx` decides, `view` counts. Knows no SIP and no sound: an
//! announcement takes no time here.

mod judge;
mod past;
mod problem;
mod scene;
mod table;

#[cfg(test)]
mod tests;

pub use judge::{Report, judge};
pub use past::{Changed, Comparison, MOST_LISTED};
pub use table::{MOST_CALLS, Table, read};

use crate::base::{AgentId, Number, PromptId};
use crate::dialplan::Question;
use crate::view::Outcome;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long an agent's phone rings before the agent answers.
pub const ANSWERS_AFTER: Duration = Duration::from_secs(3);
/// How long other callers have been there when the call arrives.
pub const OTHERS_BEFORE: Duration = Duration::from_secs(10);
/// Most other callers of one case.
pub const MOST_OTHERS: u32 = 1000;

/// Which call, and what stands around it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The call.
    pub question: Question,
    /// What each agent does; one who is not named answers.
    pub agents: BTreeMap<AgentId, Conduct>,
    /// What becomes of a number outside that is rung.
    pub outside: Outside,
    /// So many others have dialled the same number and pressed the same keys [`OTHERS_BEFORE`] earlier,
    /// and stay.
    pub others: u32,
    /// The caller hangs up so long after arrival unless the call is over or answered by an operator.
    pub hangs_up: Option<Duration>,
}

/// What an agent does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Conduct {
    /// Signed in, free, and takes a call [`ANSWERS_AFTER`] it begins to ring.
    #[default]
    Answers,
    /// Signed in and free, and lets it ring.
    LetsRing,
    /// Signed in and free, and refuses each call.
    Refuses,
    /// In a call that does not end.
    Busy,
    /// Signed in and paused.
    Paused,
    /// Not signed in.
    SignedOut,
    /// Signed in, with a phone that is not there.
    Unreachable,
}

impl Conduct {
    /// The words of a table.
    pub const NAMES: [(&'static str, Self); 7] = [
        ("answer", Self::Answers),
        ("let_ring", Self::LetsRing),
        ("refuse", Self::Refuses),
        ("busy", Self::Busy),
        ("paused", Self::Paused),
        ("signed_out", Self::SignedOut),
        ("unreachable", Self::Unreachable),
    ];
}

/// What becomes of a number outside that the plan rings for a waiting caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outside {
    /// Somebody answers [`ANSWERS_AFTER`] it begins to ring.
    #[default]
    Answers,
    /// Nobody picks up.
    LetsRing,
    /// It is busy.
    Refuses,
    /// No trunk brings the call there.
    Unreachable,
}

impl Outside {
    /// The words of a table.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("answer", Self::Answers),
        ("let_ring", Self::LetsRing),
        ("refuse", Self::Refuses),
        ("unreachable", Self::Unreachable),
    ];
}

/// What became of the call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Story {
    /// What the caller was played, in order, music included.
    pub hears: Vec<PromptId>,
    /// What agents were told who picked up, in order.
    pub agent_hears: Vec<PromptId>,
    /// Whose phones were rung, in order, with the milliseconds after arrival.
    pub rings: Vec<(u64, AgentId)>,
    /// Numbers outside that were rung as well, in order, with the milliseconds after arrival.
    pub rings_outside: Vec<(u64, Number)>,
    /// Who answered, and the milliseconds after arrival.
    pub answered: Option<(u64, AgentId)>,
    /// Which number outside answered, and the milliseconds after arrival.
    pub answered_outside: Option<(u64, Number)>,
    /// How it is counted; none for what is no call of the desk.
    pub outcome: Option<Outcome>,
    /// The status with which it was refused, if it was.
    pub refused: Option<u16>,
    /// Whether it enters the contract's figures; none for what is no call of the desk.
    pub counted: Option<bool>,
}

pub use scene::rehearse;
