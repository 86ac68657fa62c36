//! Opening: what a peer sends under its key.

use super::cipher::Cipher;
use super::source::Sources;
use super::{E_BIT, MasterKey, RtpHead, rtcp_ssrc};

/// Opens packets in place. What a stranger sends changes nothing in it, whatever the bytes.
pub struct Opener {
    rtp: Cipher,
    rtcp: Cipher,
    sources: Sources,
    rtcp_sources: Sources,
}

/// Why a packet is not heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The bytes are no RTP or RTCP packet, or have no room for a tag.
    #[error("not a sealed packet")]
    Malformed,
    /// It was there already, or is too far behind to know (RFC 3711 §3.3.2).
    #[error("a packet that was heard already, or too late to know")]
    Replayed,
    /// The tag is not the one that the key gives: changed on its way, another key, or another's packet.
    #[error("the tag does not fit the key")]
    Forged,
    /// One stream (SSRC) more than [`super::SOURCES`] under one key.
    #[error("too many streams under one key")]
    TooManySources,
    /// The sequence number went round 2^32 times; a new key is due (RFC 3711 §9.2).
    #[error("the key has been used as often as it may")]
    Spent,
    /// An RTCP packet that is authenticated but not encrypted, which nobody agreed to (RFC 4568 §6.3.2).
    #[error("an RTCP packet that is not encrypted")]
    InClear,
}

impl Opener {
    /// The opening side of a key that the peer made.
    #[must_use]
    pub fn new(master: &MasterKey) -> Self {
        Self {
            rtp: Cipher::rtp(master),
            rtcp: Cipher::rtcp(master),
            sources: Sources::default(),
            rtcp_sources: Sources::default(),
        }
    }

    /// Opens the SRTP packet `buffer[..len]` and returns the length of the RTP packet within.
    ///
    /// # Errors
    ///
    /// [`Refused`]; the buffer is then as it was, and so is all that is remembered.
    pub fn open_rtp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, Refused> {
        let inner = len.checked_sub(self.rtp.tag_bytes()).ok_or(Refused::Malformed)?;
        let packet = buffer.get(..inner).ok_or(Refused::Malformed)?;
        let head = RtpHead::read(packet).ok_or(Refused::Malformed)?;
        let place = self.sources.find(head.ssrc).ok_or(Refused::TooManySources)?;
        let index = self.sources.index_of(place, head.seq).map_err(|_| Refused::Spent)?;
        if !self.sources.is_fresh(place, index) {
            return Err(Refused::Replayed);
        }
        let opened = self.rtp.open_rtp(buffer, head.bytes..inner, head.ssrc, index);
        opened.map_err(|_| Refused::Forged)?;
        self.sources.take(place, head.ssrc, index);
        Ok(inner)
    }

    /// Opens the SRTCP packet `buffer[..len]` and returns the length of the RTCP packet within.
    ///
    /// # Errors
    ///
    /// [`Refused`]; the buffer is then as it was, and so is all that is remembered.
    pub fn open_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, Refused> {
        let sealed = buffer.get_mut(..len).ok_or(Refused::Malformed)?;
        let ssrc = rtcp_ssrc(sealed).ok_or(Refused::Malformed)?;
        let (word, inner) = self.rtcp.rtcp_parts(sealed).ok_or(Refused::Malformed)?;
        if word & E_BIT == 0 {
            return Err(Refused::InClear);
        }
        let place = self.rtcp_sources.find(ssrc).ok_or(Refused::TooManySources)?;
        let index = u64::from(word & !E_BIT);
        if !self.rtcp_sources.is_fresh(place, index) {
            return Err(Refused::Replayed);
        }
        let opened = self.rtcp.open_rtcp(sealed, inner, ssrc, word);
        opened.map_err(|_| Refused::Forged)?;
        self.rtcp_sources.take(place, ssrc, index);
        Ok(inner)
    }

    #[cfg(test)]
    pub(super) fn aged(master: &MasterKey, ssrc: u32, newest: u64) -> Self {
        Self { sources: Sources::at(ssrc, newest), ..Self::new(master) }
    }
}
