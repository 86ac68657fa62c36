//! What happens to a caller's wish to be called back, after the call in which it was said.

use super::{Means, OfferEnd};
use crate::base::{AgentId, CallId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A step in a wish's life. It begins with a call's `CallbackAsked`; the last is always `Ended`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CallbackEvent {
    /// It is its turn: an agent's phone rings for it.
    AgentRung {
        /// Whose.
        agent: AgentId,
    },
    /// That agent did not take it.
    AgentMissed {
        /// Who.
        agent: AgentId,
        /// Why.
        why: OfferEnd,
    },
    /// The agent answered, and the caller is being called: a placed call of the agent's.
    Called {
        /// Who.
        agent: AgentId,
        /// That call.
        placed: CallId,
    },
    /// Nothing is due any more.
    Ended {
        /// Why.
        why: CallbackEnd,
    },
}

/// Why a wish to be called back is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum CallbackEnd {
    /// The caller was called back and answered.
    Answered,
    /// The caller was called as often as the plan says and did not answer.
    GaveUp,
    /// It was not its turn in the time that the plan gives it, or the plan has it no more.
    Lapsed,
    /// Somebody cancelled it.
    Cancelled {
        /// By what.
        by: Means,
    },
}
