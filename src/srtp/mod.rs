//! Sound that nobody else hears: SRTP and SRTCP (RFC 3711) with AES in counter mode (also by RFC 6188) and
//! in GCM (RFC 7714), and their keys in SDP ([`sdes`], RFC 4568). Pure: a packet is sealed or opened in
//! place, without allocation. Knows no socket, no clock, and nothing of who a packet came from.
//!
//! One [`MasterKey`] is one direction of one session. The side that made it has the [`Sealer`], the other
//! the [`Opener`]. Both must live as long as the key is in use, also over a re-INVITE that leaves the key
//! as it is: they hold how often a stream's sequence number went round, and what was heard already.
//!
//! Not taken: keys that change by themselves (a key derivation rate), the MKI, packets that are only
//! authenticated or only encrypted, encrypted header extensions (RFC 6904).

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

mod cipher;
mod key;
mod open;
pub mod sdes;
mod seal;
mod source;
mod suite;
#[cfg(test)]
mod tests;

pub use key::{Keys, MasterKey};
pub use open::{Opener, Refused};
pub use seal::{Sealer, Unsealed};
pub use source::{SOURCES, WINDOW};
pub use suite::{MOST_OVERHEAD_BYTES, Suite};

/// Bytes of an RTP header before sources and extension.
const RTP_HEADER_BYTES: usize = 12;
/// Bytes of an RTCP packet that stay readable: the first header and who sent it (RFC 3711 §3.4).
const RTCP_HEADER_BYTES: usize = 8;
/// The word behind an SRTCP packet: its index under the E-bit (RFC 3711 §3.4).
const INDEX_BYTES: usize = 4;
/// "This SRTCP packet is encrypted."
const E_BIT: u32 = 1 << 31;

/// What SRTP must know of an RTP packet.
#[derive(Clone, Copy)]
struct RtpHead {
    ssrc: u32,
    seq: u16,
    /// Bytes before the payload: these stay readable.
    bytes: usize,
}

impl RtpHead {
    /// None when the bytes are no RTP packet, or end within its header (RFC 3550 §5.1, §5.3.1).
    fn read(packet: &[u8]) -> Option<Self> {
        let (head, rest) = packet.split_first_chunk::<RTP_HEADER_BYTES>()?;
        let [first, _, s0, s1, _, _, _, _, r0, r1, r2, r3] = *head;
        if first >> 6 != 2 {
            return None;
        }
        let sources = usize::from(first & 0x0f).checked_mul(4)?;
        let mut bytes = RTP_HEADER_BYTES.checked_add(sources)?;
        if first & 0x10 != 0 {
            let [_, _, n0, n1] = *rest.get(sources..)?.first_chunk()?;
            let words = usize::from(u16::from_be_bytes([n0, n1]));
            bytes = bytes.checked_add(4)?.checked_add(words.checked_mul(4)?)?;
        }
        (bytes <= packet.len()).then_some(Self {
            ssrc: u32::from_be_bytes([r0, r1, r2, r3]),
            seq: u16::from_be_bytes([s0, s1]),
            bytes,
        })
    }
}

/// Who sent an RTCP packet. None when the bytes are none (RFC 3550 §6.4.1).
fn rtcp_ssrc(packet: &[u8]) -> Option<u32> {
    let [first, _, _, _, r0, r1, r2, r3] = *packet.first_chunk::<RTCP_HEADER_BYTES>()?;
    (first >> 6 == 2).then_some(u32::from_be_bytes([r0, r1, r2, r3]))
}
