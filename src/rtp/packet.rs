//! One RTP packet (RFC 3550 §5.1): reading, and writing in place. Trusts no length in it.

use super::rtcp::is_rtcp;
use rtp_rs::{RtpPacketBuilder, RtpReader};
use std::ops::Range;

/// Bytes of a header without sources or extension: the only kind that we write.
pub const HEADER_BYTES: usize = 12;
/// Largest packet that is taken: what an Ethernet frame holds. 60 ms of G.711 are 492 bytes.
pub const MAX_BYTES: usize = 1500;

/// What is read from a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Payload type, 0 to 127.
    pub payload_type: u8,
    /// Marker: in voice the start of a talkspurt, in telephone-event the start of a press.
    pub marker: bool,
    /// Sequence number.
    pub seq: u16,
    /// Timestamp, in samples.
    pub timestamp: u32,
    /// The sender's number for its stream.
    pub ssrc: u32,
    /// Where the payload lies in the packet, without padding.
    pub payload: Range<usize>,
}

/// Why bytes are not an RTP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// RTCP on the RTP port (RFC 5761 §4): packet types 192 to 223 lie where a payload type would.
    #[error("an RTCP packet on the RTP port")]
    Rtcp,
    /// Wrong version, or lengths that do not fit.
    #[error("not an RTP packet")]
    Malformed,
}

/// Reads a packet.
///
/// # Errors
///
/// [`PacketError`]; never panics, whatever the bytes.
pub fn read(bytes: &[u8]) -> Result<Header, PacketError> {
    if is_rtcp(bytes) {
        return Err(PacketError::Rtcp);
    }
    let packet = RtpReader::new(bytes).map_err(|_| PacketError::Malformed)?;
    let start = packet.payload_offset();
    let end = start.checked_add(packet.payload().len()).ok_or(PacketError::Malformed)?;
    Ok(Header {
        payload_type: packet.payload_type(),
        marker: packet.mark(),
        seq: packet.sequence_number().into(),
        timestamp: packet.timestamp(),
        ssrc: packet.ssrc(),
        payload: start..end,
    })
}

/// What is written into a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fresh {
    /// Payload type, 0 to 127.
    pub payload_type: u8,
    /// Marker.
    pub marker: bool,
    /// Sequence number.
    pub seq: u16,
    /// Timestamp, in samples.
    pub timestamp: u32,
    /// Our number for the stream.
    pub ssrc: u32,
}

/// Puts a fresh header straight before `payload` inside `bytes` and returns where the packet lies. Whatever
/// stood before (sources, extensions, padding) is left behind: nothing passes unread from one leg to
/// the other. None when fewer than twelve bytes stand before the payload, which [`read`] rules out.
pub fn rewrite(bytes: &mut [u8], payload: Range<usize>, fresh: Fresh) -> Option<Range<usize>> {
    let whole = payload.start.checked_sub(HEADER_BYTES)?..payload.end;
    let packet = bytes.get_mut(whole.clone())?;
    let (head, _) = packet.split_first_chunk_mut::<HEADER_BYTES>()?;
    let [s0, s1] = fresh.seq.to_be_bytes();
    let [t0, t1, t2, t3] = fresh.timestamp.to_be_bytes();
    let [r0, r1, r2, r3] = fresh.ssrc.to_be_bytes();
    let kind = (fresh.payload_type & 0x7f) | (u8::from(fresh.marker) << 7);
    *head = [0x80, kind, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3];
    Some(whole)
}

/// Writes a whole packet into `target` and returns its length; 0 when it does not fit.
pub fn write(target: &mut [u8], fresh: Fresh, payload: &[u8]) -> usize {
    RtpPacketBuilder::new()
        .payload_type(fresh.payload_type & 0x7f)
        .marked(fresh.marker)
        .sequence(fresh.seq.into())
        .timestamp(fresh.timestamp)
        .ssrc(fresh.ssrc)
        .payload(payload)
        .build_into(target)
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FRESH: Fresh =
        Fresh { payload_type: 8, marker: true, seq: 0xfffe, timestamp: 0x0102_0304, ssrc: 7 };

    #[test]
    fn what_is_not_rtp_is_told_apart() {
        let table: [(&str, &[u8], PacketError); 6] = [
            ("empty", &[], PacketError::Malformed),
            ("short", &[0x80; 11], PacketError::Malformed),
            ("version 1", &[0x40; 12], PacketError::Malformed),
            (
                "fifteen sources, none there",
                &[0x8f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
                PacketError::Malformed,
            ),
            (
                "padding longer than all",
                &[0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 200],
                PacketError::Malformed,
            ),
            ("a sender report", &[0x80, 200, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0], PacketError::Rtcp),
        ];
        for (case, bytes, want) in table {
            assert_eq!(read(bytes), Err(want), "{case}");
        }
    }

    #[test]
    fn sources_extension_and_padding_stay_behind() {
        let mut bytes = vec![0xb1, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        bytes.extend([9; 4]); // one contributing source
        bytes.extend([0xbe, 0xde, 0, 1, 1, 2, 3, 4]); // an extension of one word
        bytes.extend(b"sound");
        bytes.extend([0, 0, 3]); // padding
        let header = read(&bytes).unwrap();
        assert_eq!(&bytes[header.payload.clone()], b"sound");
        let packet = rewrite(&mut bytes, header.payload, FRESH).unwrap();
        assert_eq!(packet.len(), HEADER_BYTES + 5);
        let again = read(&bytes[packet.clone()]).unwrap();
        assert_eq!((again.seq, again.timestamp, again.ssrc), (0xfffe, 0x0102_0304, 7));
        assert!(again.marker && again.payload_type == 8 && again.payload == (12..17));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..120), first in any::<bool>()) {
            if first && !bytes.is_empty() {
                bytes[0] = 0x80 | (bytes[0] & 0x3f);
            }
            if let Ok(header) = read(&bytes) {
                prop_assert!(header.payload.end <= bytes.len());
                prop_assert!(rewrite(&mut bytes, header.payload, FRESH).is_some());
            }
        }

        #[test]
        fn what_is_written_is_read(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut written = [0; 256];
            let length = write(&mut written, FRESH, &payload);
            let header = read(&written[..length]).unwrap();
            prop_assert_eq!(&written[header.payload.clone()], &payload[..]);
            let mut rewritten = vec![0; HEADER_BYTES];
            rewritten.extend(&payload);
            let packet = rewrite(&mut rewritten, header.payload, FRESH).unwrap();
            prop_assert_eq!(&rewritten[packet], &written[..length]);
        }
    }
}
