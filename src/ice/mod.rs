//! Which way the sound goes, as a browser wants it settled: ICE, as the side that only answers (ICE-lite,
//! RFC 8445 §2.5). Pure: a datagram and the time go in; an answer, and the address that the peer chose, come
//! out. We have one address a port and no router before it, so the peer does all the trying; its checks are
//! also its consent to be sent to (RFC 7675), and so is what it says on its way by the stream's keys.
//!
//! Knows no socket. Whose datagram it is, the check's password says: nothing here is believed before
//! that is proved.

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

mod candidate;
mod credentials;
mod lite;
mod stun;

pub use candidate::{Candidate, Kind, NotACandidate};
pub use credentials::{Credentials, NotCredentials};
pub use lite::{CONSENT, Checked, Lite};
pub use stun::{MAX_BYTES, is_stun};

#[cfg(test)]
pub(crate) use lite::tests::check;
