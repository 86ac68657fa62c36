//! The four transaction machines (RFC 3261 §17, RFC 6026), their timers, and how messages find them.
//!
//! A machine is a small value: a state that carries only its own deadlines, and one function from
//! (state, event) to (state, what must be done). It knows no message, no leg and no socket; the
//! endpoint keeps the bytes beside it and does what it asks.

pub mod client;
pub mod invite_client;
pub mod invite_server;
pub mod server;
pub mod timer;

pub use client::Client;
pub use invite_client::InviteClient;
pub use invite_server::InviteServer;
pub use server::Server;
pub use timer::{Timers, after_ms};

/// What the transport promises, as far as timers care (RFC 3261 §17.1.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// Messages get lost: we repeat, and linger to absorb the peer's repetitions.
    Unreliable,
    /// They do not: no repetition, and a finished transaction is gone at once.
    Reliable,
}

impl From<crate::sip::api::Transport> for Wire {
    fn from(transport: crate::sip::api::Transport) -> Self {
        if transport.is_stream() { Self::Reliable } else { Self::Unreliable }
    }
}

/// A message's next repetition and the wait before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// When it is due.
    pub at: crate::base::Mono,
    /// The wait that ends then, in milliseconds.
    pub wait_ms: u32,
}

impl Repeat {
    /// The first repetition on an unreliable wire, T1 from now; none on a reliable one.
    #[must_use]
    pub fn first(wire: Wire, now: crate::base::Mono) -> Option<Self> {
        match wire {
            Wire::Unreliable => {
                Some(Self { at: after_ms(now, timer::T1_MS), wait_ms: timer::T1_MS })
            }
            Wire::Reliable => None,
        }
    }

    /// The next one after twice the wait, which grows to `most_ms` and no further. It is counted
    /// from the time that was due, not from the late tick that noticed it, unless that too is past:
    /// a machine that slept does not send a burst.
    #[must_use]
    pub fn doubled(self, most_ms: u32, now: crate::base::Mono) -> Self {
        let wait_ms = self.wait_ms.saturating_mul(2).min(most_ms);
        let due = after_ms(self.at, wait_ms);
        let at = if due > now { due } else { after_ms(now, wait_ms) };
        Self { at, wait_ms }
    }
}

/// The earlier of a repetition and an end.
pub(crate) fn earlier(repeat: Option<Repeat>, until: crate::base::Mono) -> crate::base::Mono {
    repeat.map_or(until, |repeat| repeat.at.min(until))
}
