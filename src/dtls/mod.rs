//! Keys agreed on the way that the sound goes: DTLS-SRTP (RFC 5763, RFC 5764). Pure: a datagram or the time
//! goes in; datagrams, and at the end the keys of both directions or a failure, come out. The handshake is
//! the crate `rtc-dtls`; what is let through to it, for how long, and whose certificate is believed is
//! decided here. Knows no socket, and not who a datagram came from: that it is the peer's address, the
//! caller has made sure of, so that a stranger costs nothing here.
//!
//! The one impurity: the crate draws its random numbers from the operating system, so two runs differ in
//! bytes, not in what comes of them.

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

mod fingerprint;
mod gate;
mod handshake;
mod identity;
#[cfg(test)]
mod tests;

pub use fingerprint::{Fingerprint, NotAFingerprint};
pub use gate::MAX_BYTES;
pub use handshake::{Failure, Handshake, MOST_TIME, Output, Role};
pub use identity::{Identity, NoIdentity};

/// Whether a datagram on a media port is DTLS (RFC 7983 §7): neither STUN, RTP nor RTCP begins so.
#[must_use]
pub fn is_dtls(datagram: &[u8]) -> bool {
    matches!(datagram, [20..=63, ..])
}

/// Whether a datagram begins a handshake: its first record is of epoch 0 and holds a `ClientHello` (RFC 6347 §4.1,
/// §4.2.2).
#[must_use]
pub fn begins(datagram: &[u8]) -> bool {
    matches!(datagram, [22, _, _, 0, 0, _, _, _, _, _, _, _, _, 1, ..])
}

/// Whether a datagram of ours answers a `ClientHello` with a `ServerHello`. That goes only to who has said our cookie
/// again, so hears us where it speaks from (RFC 6347 §4.2.1).
#[must_use]
pub fn believes(datagram: &[u8]) -> bool {
    matches!(datagram, [22, _, _, 0, 0, _, _, _, _, _, _, _, _, 2, ..])
}
