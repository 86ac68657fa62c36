//! Session descriptions (RFC 8866) and the offer/answer model (RFC 3264): bytes to values and back,
//! pure. Knows no leg, no socket and no SIP header.
//!
//! One audio stream is spoken, in G.711, G.722 or Opus with telephone-event (RFC 4733). Whatever else is offered is
//! refused line by line, as RFC 3264 §6 asks, so that a phone that also offers video still talks.

// What a stranger sends cannot make us panic.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod line;
mod negotiate;
mod parse;
mod sealing;
#[cfg(test)]
mod tests;

pub use line::{Line, Refused};
pub use negotiate::{Agreed, Control, Local, Voice};
pub use parse::{Address, Handshaking, Media, PayloadMap, Session, Setup, parse};
pub use sealing::{Dtls, Ice, OwnKeys, Protection, Sealing};

/// A voice codec that we speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// G.711 µ-law, static payload type 0 (RFC 3551 §4.5.14).
    Pcmu,
    /// G.711 A-law, static payload type 8.
    Pcma,
    /// G.722 at 64 kbit/s, static payload type 9 (RFC 3551 §4.5.2).
    G722,
    /// Opus (RFC 7587), one voice.
    Opus,
}

impl Codec {
    /// All, in the order that we like them unless told otherwise: Japanese carriers speak µ-law, and
    /// what a carrier's call is in need not be turned into anything else.
    pub const ALL: [Self; 4] = [Self::Pcmu, Self::Pcma, Self::G722, Self::Opus];

    /// The payload type under which we offer it; also what the number means without an `rtpmap`
    /// (RFC 3551 §6) when below 96.
    #[must_use]
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
            Self::G722 => 9,
            Self::Opus => 111,
        }
    }

    /// The encoding name of the `rtpmap` line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::G722 => "G722",
            Self::Opus => "opus",
        }
    }

    /// The clock of its timestamps, Hz. That of G.722 is 8,000 by an old mistake (RFC 3551 §4.5.2);
    /// that of Opus is 48,000 whatever is inside (RFC 7587 §4.1).
    #[must_use]
    pub const fn clock_hz(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => 8_000,
            Self::Opus => 48_000,
        }
    }

    /// Channels of the `rtpmap` line; Opus always says two (RFC 7587 §7).
    #[must_use]
    pub const fn channels(self) -> u8 {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => 1,
            Self::Opus => 2,
        }
    }

    /// Whether sound passes between the two without being decoded: the laws of G.711 by a table.
    #[must_use]
    pub const fn passes_to(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::Pcmu | Self::Pcma, Self::Pcmu | Self::Pcma)
                | (Self::G722, Self::G722)
                | (Self::Opus, Self::Opus)
        )
    }
}

/// Who sends, seen from the side that says it (RFC 8866 §6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both.
    SendRecv,
    /// Only the sayer.
    SendOnly,
    /// Only the other.
    RecvOnly,
    /// Nobody.
    Inactive,
}

impl Direction {
    /// From the two facts that it is made of.
    #[must_use]
    pub const fn new(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// Whether the sayer sends.
    #[must_use]
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether the sayer listens.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same stream seen from the other side.
    #[must_use]
    pub const fn mirror(self) -> Self {
        Self::new(self.receives(), self.sends())
    }

    /// What is left when both limits hold (RFC 3264 §6.1: an answer may narrow, never widen).
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self::new(self.sends() && other.sends(), self.receives() && other.receives())
    }

    /// The attribute's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }
}

/// Why a session description cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// Our bound, not the sender's error.
    #[error("session description of {found} bytes, at most {limit} are read")]
    TooLarge {
        /// Bytes that came.
        found: usize,
        /// Bytes that are read.
        limit: usize,
    },
    /// Our bound, not the sender's error.
    #[error("more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// A line is not what RFC 8866 §9 says it must be.
    #[error("line {line}: {due} is due")]
    BadLine {
        /// Counted from 1.
        line: usize,
        /// What should stand there.
        due: &'static str,
    },
    /// No line says where the stream is to go (RFC 8866 §5.7).
    #[error("no c= line for the audio stream")]
    NoConnection,
    /// The address is a host name, a group, of the other IP version, or port and address do not fit;
    /// we do not send there.
    #[error("the audio stream's address cannot be sent to")]
    UnusableAddress,
    /// No audio line with a codec, a profile and a port that we share. Earns a 488 (RFC 3261 §21.4.26).
    #[error("no audio stream in a codec and with the encryption that both sides take")]
    NoCommonMedia,
}

impl SdpError {
    /// The status that this earns an INVITE that carried the description.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::TooLarge { .. } | Self::TooMany { .. } | Self::BadLine { .. } => 400,
            Self::NoConnection | Self::UnusableAddress | Self::NoCommonMedia => 488,
        }
    }
}
