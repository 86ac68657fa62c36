//! One thing that a target is due of a call.

use crate::base::{CallId, Keep, Kept, Wall, kept};

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// A ticket: always the first.
    Open,
    /// The call is over: what it came to, and its times.
    Ended,
    /// An agent's note.
    Note,
    /// The agent's after-call work is over.
    WrapUp {
        /// How long it was, milliseconds.
        ms: u64,
    },
    /// What became of the caller's wish to be called back.
    CalledBack,
    /// The same caller called again, and that call makes no ticket of its own.
    LaterCall {
        /// That call.
        call: CallId,
    },
}

impl StepKind {
    /// As it stands in keys and in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Ended => "ended",
            Self::Note => "note",
            Self::WrapUp { .. } => "wrap_up",
            Self::CalledBack => "called_back",
            Self::LaterCall { .. } => "later_call",
        }
    }
}

/// A step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The entry that made it due.
    pub(super) seq: u64,
    pub(super) at: Wall,
    pub(super) kind: StepKind,
}

kept!(struct Step { seq, at, kind });

impl Keep for StepKind {
    fn keep(&self, out: &mut Vec<u8>) {
        match self {
            Self::Open => out.push(0),
            Self::Ended => out.push(1),
            Self::Note => out.push(2),
            Self::WrapUp { ms } => {
                out.push(3);
                ms.keep(out);
            }
            Self::CalledBack => out.push(4),
            Self::LaterCall { call } => {
                out.push(5);
                call.keep(out);
            }
        }
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        match u8::found(from)? {
            0 => Some(Self::Open),
            1 => Some(Self::Ended),
            2 => Some(Self::Note),
            3 => Some(Self::WrapUp { ms: Keep::found(from)? }),
            4 => Some(Self::CalledBack),
            5 => Some(Self::LaterCall { call: Keep::found(from)? }),
            _ => None,
        }
    }
}
