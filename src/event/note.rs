//! What agents write about a call, while it is up and after its end.

use super::Means;
use crate::base::{AgentId, Private};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A step of what is written about a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NoteEvent {
    /// An agent wrote a note.
    Noted {
        /// Whose note it is.
        agent: AgentId,
        /// The words, 1 to 1000 characters; of control characters only the end of a line.
        text: Private<String>,
        /// By what.
        by: Means,
    },
}
