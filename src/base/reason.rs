//! Why a far end says that it ends a call: the number only, never its words.

use serde::{Deserialize, Serialize};

/// A cause that a peer gave (RFC 3326).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Whose numbers.
    pub protocol: Protocol,
    /// Which: a SIP status (100 to 699), or a cause of the telephone network (1 to 127; 16 is an
    /// ordinary end).
    pub cause: u16,
}

/// Whose numbers a [`Reason`] speaks in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// SIP statuses.
    Sip,
    /// ITU-T Q.850, the telephone network's.
    Q850,
}
