//! What happens to an agent, and by what means.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A change of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AgentEvent {
    /// Takes part in the groups from now on.
    SignedIn {
        /// By what.
        by: Means,
    },
    /// Takes part no more.
    SignedOut {
        /// By what.
        by: Means,
    },
    /// Not offered calls for a while.
    Paused {
        /// By what.
        by: Means,
        /// Why: a person's words, or of a rule `rang_out` and `refused` (until ended by a person),
        /// `rang_out_briefly`, `refused_briefly` and `unreachable_briefly` (for a time).
        reason: String,
    },
    /// Offered calls again.
    Unpaused {
        /// By what.
        by: Means,
    },
    /// In a call (of any kind, also one the agent placed).
    Talking,
    /// After-call work.
    WrapUp {
        /// How long, in milliseconds.
        for_ms: u64,
    },
    /// Free for the next call.
    Idle,
    /// The phone's registration came or went.
    Phone {
        /// Whether it can be rung now.
        reachable: bool,
    },
}

/// By what means an agent's state was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// A feature code dialled on the agent's phone.
    FeatureCode,
    /// A key pressed on the phone in a talk.
    Key,
    /// The API.
    Api,
    /// A rule of the plan (rang out, refused).
    Rule,
}
