//! Sound on the wire, pure: packets (RFC 3550, with the crate `rtp-rs`), keys (RFC 4733), G.711, where
//! a stream may come from, and the numbers that one leaving stream must carry. Knows no socket, no
//! thread and no clock; [`command`] is the one face towards the engine.

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

pub mod command;
mod event;
mod framing;
pub mod g711;
mod outgoing;
pub mod packet;
mod prompt;
pub mod quality;
pub mod rtcp;
mod source;
pub mod tone;
pub mod voice;

pub use event::{KeyReader, KeyWriter};
pub use framing::{Framed, Framer};
pub use outgoing::{Outgoing, Stamp};
pub use prompt::{Filled, Playlist, Prompt};
pub use source::{LearnSource, Learns, SourceLock, Verdict};

use crate::sdp::Agreed;
use command::Stream;

impl Agreed {
    /// The same in the words of the media threads.
    #[must_use]
    pub fn stream(&self) -> Stream {
        let held = self.remote.ip().is_unspecified();
        Stream {
            remote: self.remote,
            home: None,
            codec: self.codec,
            send_pt: self.send_pt,
            recv_pt: self.recv_pt,
            also: self.also.clone(),
            send_event_pt: self.send_event_pt,
            recv_event_pt: self.recv_event_pt,
            event_clock_hz: self.event_clock_hz,
            ptime_ms: self.ptime_ms,
            ptime_asked: self.ptime_asked,
            may_send: self.direction.sends() && !held,
            // A phone that holds the old way (RFC 2543) may send or not; its silence means nothing.
            will_receive: self.direction.receives() && !held,
            hears_tones: false,
            told_by_info: false,
            protection: self.protection.clone(),
            control: self.control,
        }
    }
}
