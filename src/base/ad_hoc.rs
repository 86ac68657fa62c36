//! How the desk is served out of turn.

use serde::{Deserialize, Serialize};

/// What a person makes of a desk number's hours for a while, whatever the plan says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdHoc {
    /// Served (臨時受付).
    Open,
    /// Closed (臨時休業).
    Closed,
    /// Closed because of a disaster, with words of its own (災害時).
    Disaster,
}

impl AdHoc {
    /// As in the API and on a command line.
    pub const NAMES: [(&'static str, Self); 3] =
        [("open", Self::Open), ("closed", Self::Closed), ("disaster", Self::Disaster)];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Disaster => "disaster",
        }
    }
}
