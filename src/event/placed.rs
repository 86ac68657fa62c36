//! What happens to a call that one of our phones placed: no call of the desk.

use super::Party;
use crate::base::{CallId, Number, Private, TrunkId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A step in a placed call's life. The first is always `Dialled`, the last always `Ended`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PlacedEvent {
    /// A phone of ours dialled.
    Dialled {
        /// Whose phone.
        by: Number,
        /// What was dialled.
        number: Private<String>,
        /// Whether it is a phone of ours.
        inside: bool,
        /// The call of the desk whose caller is being called back by it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        back: Option<CallId>,
    },
    /// A trunk is being tried.
    Tried {
        /// Which.
        trunk: TrunkId,
    },
    /// It could not bring the call, or the called party said no.
    Failed {
        /// Which.
        trunk: TrunkId,
        /// The SIP status; 408 when its server said nothing, 503 when it has none that is well.
        status: u16,
    },
    /// The called party answered.
    Answered,
    /// One side put the other on hold: `caller` is the phone that dialled, `agent` the called party.
    Held {
        /// Who pressed hold.
        by: Party,
    },
    /// The hold is over.
    Resumed {
        /// Who took the call back.
        by: Party,
    },
    /// The call is over.
    Ended {
        /// Whose doing it was: `caller` is the phone that dialled, `agent` the called party.
        by: Party,
        /// Why.
        why: PlacedEnd,
    },
}

/// Why a placed call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum PlacedEnd {
    /// The party named beside it hung up.
    HungUp,
    /// The called party did not answer or said no, or no trunk could bring the call.
    NotAnswered {
        /// The SIP status.
        status: u16,
    },
    /// The plan does not let this phone call there.
    NotAllowed,
    /// An emergency number, and the plan blocks them.
    EmergencyBlocked,
    /// The phone has as many calls outside as it may.
    TooManyCalls,
    /// The phone has talked as long today as it may.
    TimeUsedUp,
    /// No trunk has a free channel.
    ChannelsFull,
    /// The phone that dialled passed the called party on; the call goes on as one of the desk's with the
    /// same id, or in that of the caller to whom it was given.
    PassedOn,
    /// The engine had no room for another call.
    NoCapacity,
    /// A fault of the system, in words of ours.
    Fault {
        /// Which.
        what: String,
    },
    /// The daemon was restarted while the call was up.
    Restart,
}
