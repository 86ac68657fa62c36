//! What happens to a voice message after it was left.

use super::Means;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A step in a message's life. It was left by a call's `MessageLeft`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MessageEvent {
    /// Somebody marked it as heard.
    Heard {
        /// By what.
        by: Means,
    },
    /// Somebody marked it as not heard yet.
    Unheard {
        /// By what.
        by: Means,
    },
    /// Somebody deleted it; its file follows.
    Deleted {
        /// By what.
        by: Means,
    },
}
