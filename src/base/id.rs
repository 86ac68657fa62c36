//! Names of things, each a type of its own so that an agent cannot be passed where a group is due.

use super::{Rng, Wall};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// One call, for ever: a UUID of version 7 (RFC 9562 §5.7), so ids sort by arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallId(pub uuid::Uuid);

impl CallId {
    /// Built from the arrival's stamp and 74 random bits.
    pub fn draw(at: Wall, rng: &mut Rng) -> Self {
        let millis = u64::try_from(at.0).unwrap_or(0) & 0xffff_ffff_ffff;
        let (a, b) = (rng.bits(), rng.bits());
        let high = (millis << 16) | 0x7000 | (a & 0x0fff);
        let low = (b & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
        Self(uuid::Uuid::from_u64_pair(high, low))
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One SIP dialog of ours with a phone or a trunk, and its media. Unique while the process lives;
/// odd numbers were dialled by the peer, even ones by us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LegId(pub u64);

/// One playing of prompts to one leg; a stale "done" notice is recognised by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlayId(pub u64);

/// One tap: what passes between a caller and the desk flows through it to the recorder while it is
/// open. Unique while the process lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TapId(pub u64);

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Arc<str>);

        impl $name {
            /// The name as written in the plan or on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                Self(name.into())
            }
        }

        impl From<String> for $name {
            fn from(name: String) -> Self {
                Self(name.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

names! {
    /// An agent: the extension number that is the agent's own line.
    AgentId,
    /// A message box's name in the plan.
    BoxId,
    /// The name in the plan of a way to be called back.
    CallbackId,
    /// The name in the plan of a number that callers enter.
    EntryId,
    /// A group's name in the plan.
    GroupId,
    /// A menu's name in the plan.
    MenuId,
    /// A dialled or diallable number of the desk's own plan: desk number, group number, extension,
    /// feature code. (An outside person's number is a `Private<String>`.)
    Number,
    /// A prompt's name: `prompts/<id>.wav`.
    PromptId,
    /// A survey's name in the plan.
    SurveyId,
    /// The name in the configuration of a ticket system.
    TargetId,
    /// A trunk's name in the configuration.
    TrunkId,
}
