//! Sealing: what we send under a key of ours.

use super::cipher::Cipher;
use super::source::Sources;
use super::{E_BIT, MasterKey, RtpHead, rtcp_ssrc};

/// Seals packets in place. It may send several streams (SSRCs), one after the other or together.
pub struct Sealer {
    rtp: Cipher,
    rtcp: Cipher,
    sources: Sources,
    /// Of the next RTCP packet; 31 bits.
    next_rtcp: u32,
}

/// Why a packet is not sent. Each is a fault on our side, or the end of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsealed {
    /// The bytes are no RTP or RTCP packet.
    #[error("not an RTP or RTCP packet")]
    Malformed,
    /// The buffer ends before the packet with its tag does.
    #[error("no room behind the packet for what sealing adds")]
    NoRoom,
    /// This number of this stream was sent, or is more than [`super::WINDOW`] behind: to use it twice would
    /// lay both payloads open.
    #[error("a sequence number that was sent already, or too far back to know")]
    Repeated,
    /// More than [`super::SOURCES`] streams under one key.
    #[error("too many streams under one key")]
    TooManySources,
    /// 2^48 RTP packets of a stream, or 2^31 RTCP packets (RFC 3711 §9.2): a new key is due.
    #[error("the key has been used as often as it may")]
    Spent,
}

impl Sealer {
    /// The sealing side of a key that we made.
    #[must_use]
    pub fn new(master: &MasterKey) -> Self {
        Self {
            rtp: Cipher::rtp(master),
            rtcp: Cipher::rtcp(master),
            sources: Sources::default(),
            next_rtcp: 0,
        }
    }

    /// Seals the RTP packet `buffer[..len]` and returns its new length. The buffer has room for
    /// [`super::Suite::rtp_tag_bytes`] more. Of a new stream the first sequence number should be below
    /// 2^15: a listener who misses the first packets could else not tell the round (RFC 3711 §3.3.1).
    ///
    /// # Errors
    ///
    /// [`Unsealed`]; nothing may be sent then.
    pub fn seal_rtp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, Unsealed> {
        let packet = buffer.get(..len).ok_or(Unsealed::Malformed)?;
        let head = RtpHead::read(packet).ok_or(Unsealed::Malformed)?;
        let place = self.sources.find(head.ssrc).ok_or(Unsealed::TooManySources)?;
        let index = self.sources.index_of(place, head.seq).map_err(|_| Unsealed::Spent)?;
        if !self.sources.is_fresh(place, index) {
            return Err(Unsealed::Repeated);
        }
        let sealed = self.rtp.seal_rtp(buffer, head.bytes..len, head.ssrc, index);
        let sealed = sealed.ok_or(Unsealed::NoRoom)?;
        self.sources.take(place, head.ssrc, index);
        Ok(sealed)
    }

    /// Seals the RTCP packet `buffer[..len]`, compound or not, and returns its new length. The buffer has
    /// room for [`super::Suite::rtcp_tag_bytes`] and 4 more.
    ///
    /// # Errors
    ///
    /// [`Unsealed`]; nothing may be sent then.
    pub fn seal_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, Unsealed> {
        let packet = buffer.get(..len).ok_or(Unsealed::Malformed)?;
        let ssrc = rtcp_ssrc(packet).ok_or(Unsealed::Malformed)?;
        // One count for all streams: no two packets of any of them share a number.
        if self.next_rtcp & E_BIT != 0 {
            return Err(Unsealed::Spent);
        }
        let sealed = self.rtcp.seal_rtcp(buffer, len, ssrc, self.next_rtcp | E_BIT);
        let sealed = sealed.ok_or(Unsealed::NoRoom)?;
        self.next_rtcp = self.next_rtcp.saturating_add(1);
        Ok(sealed)
    }

    #[cfg(test)]
    pub(super) fn aged(master: &MasterKey, ssrc: u32, newest: u64, next_rtcp: u32) -> Self {
        Self { sources: Sources::at(ssrc, newest), next_rtcp, ..Self::new(master) }
    }
}
