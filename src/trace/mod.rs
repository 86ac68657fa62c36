//! What went over the SIP wire, kept for a while and shown: the ring of messages, the call each
//! belongs to, and the forms in which people look at them (a line, a ladder, a page, a capture file, a
//! collector's packet). Pure: messages and the time are handed in, texts and bytes come out.
//!
//! Must not know: sockets, the engine, a rule of the desk. It decides nothing; a message that it
//! cannot read is shown as such.

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

mod hep;
mod ladder;
mod page;
mod pcap;
mod redact;
mod ring;
mod seen;
mod text;
mod uri;

pub use hep::{Collector, Hep, MAX_HEP};
pub use ladder::{Ladder, MAX_LADDER, Peer, Step};
pub use page::{PAGE_STYLE, page};
pub use pcap::pcap;
pub use redact::{Redactor, Reveal};
pub use ring::{Bounds, Kept, MAX_LINKS, Ring, Snapshot};
pub use seen::{Glance, Seen};
pub use text::{ladder_text, line};

use crate::base::{CallId, Now};
pub use crate::sip::api::{Flow, Transport};

use bytes::Bytes;
use std::net::SocketAddr;

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To us.
    In,
    /// From us.
    Out,
}

impl Direction {
    /// As written in answers of the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

/// One message on the wire.
#[derive(Clone, Debug)]
pub struct Record {
    /// Counts from 1, without holes while the process lives.
    pub seq: u64,
    /// When.
    pub at: Now,
    /// Which way it came or went.
    pub flow: Flow,
    /// To us or from us.
    pub direction: Direction,
    /// As it was on the wire.
    pub bytes: Bytes,
}

impl Record {
    /// Its Call-ID, found without taking the message apart; none when there is none.
    #[must_use]
    pub fn call_id(&self) -> Option<&str> {
        seen::call_id(&self.bytes)
    }
}

/// Where the messages can be read. Every call is short and holds up nobody.
pub trait Tracer: Send + Sync {
    /// The messages behind `seq`, the oldest first; 0 asks for all.
    fn snapshot(&self, after: u64) -> Snapshot;
    /// The Call-IDs of a call's legs, in the order in which the legs began.
    fn call_ids(&self, call: CallId) -> Vec<Box<str>>;
    /// The call that a Call-ID belongs to.
    fn call_of(&self, call_id: &str) -> Option<CallId>;
    /// Our own addresses, by [`Flow::listener`].
    fn locals(&self) -> &[SocketAddr];
}

/// Microseconds since 1970 that go on as the monotonic clock does: the wall clock has milliseconds, and
/// the order within one of them matters to who looks. Set anew when somebody sets the wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stamps(Option<Now>);

impl Stamps {
    /// How far the two clocks may drift apart.
    const DRIFT_US: u64 = 1_000_000;

    /// The stamp of this instant.
    pub fn micros(&mut self, at: Now) -> u64 {
        let wall = |now: Now| u64::try_from(now.wall.0).unwrap_or(0).saturating_mul(1_000);
        let begun = *self.0.get_or_insert(at);
        let since = at.mono.0.saturating_sub(begun.mono.0);
        let before = begun.mono.0.saturating_sub(at.mono.0);
        let stamp = wall(begun).saturating_add(since).saturating_sub(before);
        if stamp.abs_diff(wall(at)) <= Self::DRIFT_US {
            return stamp;
        }
        self.0 = Some(at);
        wall(at)
    }
}

/// Our address on a flow.
fn local(locals: &[SocketAddr], flow: Flow) -> SocketAddr {
    let unknown = SocketAddr::from(([0, 0, 0, 0], 5060));
    locals.get(usize::from(flow.listener)).copied().unwrap_or(unknown)
}

/// Sender and receiver of a message.
fn ends(record: &Record, locals: &[SocketAddr]) -> (SocketAddr, SocketAddr) {
    let (ours, theirs) = (local(locals, record.flow), record.flow.remote);
    match record.direction {
        Direction::In => (theirs, ours),
        Direction::Out => (ours, theirs),
    }
}

#[cfg(test)]
mod tests;
