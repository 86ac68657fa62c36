//! A tapped packet on its way from a media thread to the recorder: a head of fixed length, then the
//! payload as it was.

use super::timeline::Side;
use crate::base::{Mono, TapId};
use crate::rtp::packet::MAX_BYTES;
use crate::sdp::Codec;

/// Bytes of the head.
pub const HEAD_BYTES: usize = 32;
/// Bytes of the longest packet with its head.
pub const LONGEST_BYTES: usize = HEAD_BYTES + MAX_BYTES;

/// What is known of a tapped packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Whose recording.
    pub tap: TapId,
    /// Who said it.
    pub side: Side,
    /// In what.
    pub codec: Codec,
    /// The sender's RTP source.
    pub ssrc: u32,
    /// The sender's RTP time.
    pub timestamp: u32,
    /// When it came.
    pub arrived: Mono,
    /// Packets of this tap that found no room before it, all together.
    pub dropped: u32,
    /// Bytes of the payload that follow.
    pub payload: u16,
}

impl Head {
    /// Writes the head and the payload into `room`; none when the payload is too long for it.
    #[must_use]
    pub fn write<'a>(&self, payload: &[u8], room: &'a mut [u8; LONGEST_BYTES]) -> Option<&'a [u8]> {
        let length = u16::try_from(payload.len()).ok()?;
        let end = HEAD_BYTES.checked_add(payload.len())?;
        let fields: [&[u8]; 8] = [
            &self.tap.0.to_le_bytes(),
            &self.arrived.0.to_le_bytes(),
            &self.ssrc.to_le_bytes(),
            &self.timestamp.to_le_bytes(),
            &self.dropped.to_le_bytes(),
            &length.to_le_bytes(),
            &[u8::from(self.side == Side::Desk)],
            &[code(self.codec)],
        ];
        let mut at = 0_usize;
        for field in fields.into_iter().chain([payload]) {
            let next = at.checked_add(field.len())?;
            room.get_mut(at..next)?.copy_from_slice(field);
            at = next;
        }
        room.get(..end)
    }

    /// Reads a head; none when it is broken.
    #[must_use]
    pub fn read(head: &[u8; HEAD_BYTES]) -> Option<Self> {
        let long = |at: usize| Some(u64::from_le_bytes(head.get(at..at + 8)?.try_into().ok()?));
        let short = |at: usize| Some(u32::from_le_bytes(head.get(at..at + 4)?.try_into().ok()?));
        let side = if *head.get(30)? == 0 { Side::Caller } else { Side::Desk };
        let codec = *head.get(31)?;
        Some(Self {
            tap: TapId(long(0)?),
            arrived: Mono(long(8)?),
            ssrc: short(16)?,
            timestamp: short(20)?,
            dropped: short(24)?,
            payload: u16::from_le_bytes(head.get(28..30)?.try_into().ok()?),
            side,
            codec: Codec::ALL.into_iter().find(|known| code(*known) == codec)?,
        })
    }
}

const fn code(codec: Codec) -> u8 {
    match codec {
        Codec::Pcmu => 0,
        Codec::Pcma => 1,
        Codec::G722 => 2,
        Codec::Opus => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_as_it_was_written() {
        for (codec, side) in
            Codec::ALL.into_iter().zip([Side::Caller, Side::Desk].into_iter().cycle())
        {
            let head = Head {
                tap: TapId(u64::MAX - 3),
                side,
                codec,
                ssrc: 0x8000_0001,
                timestamp: 0xffff_fffe,
                arrived: Mono(1 << 50),
                dropped: 7,
                payload: 160,
            };
            let mut room = [0; LONGEST_BYTES];
            let written = head.write(&[9; 160], &mut room).expect("room");
            assert_eq!(written.len(), HEAD_BYTES + 160);
            let (first, payload) = written.split_first_chunk().expect("a head");
            assert_eq!(Head::read(first), Some(head));
            assert_eq!(payload, [9; 160]);
        }
        let head = Head { payload: 0, ..Head::read(&[0; HEAD_BYTES]).expect("zeros are one") };
        assert_eq!(head.write(&[0; MAX_BYTES + 1], &mut [0; LONGEST_BYTES]), None);
        assert_eq!(Head::read(&[0xff; HEAD_BYTES]), None);
    }
}
