//! Packets that are passed on in another length than they came, because the phone that gets them asked
//! for it. Opus, whose packets cannot be cut, is passed as it comes: every receiver of it takes every
//! length (RFC 7587 §3).

use super::counters::count;
use super::leg::Kind;
use super::slab::Token;
use super::worker::Worker;
use crate::rtp::command::{Notice, Stream};
use crate::rtp::packet::{self, Header};
use crate::rtp::{Framed, Framer};
use crate::sdp::Codec;

/// Bytes in a millisecond of what can be cut.
const BYTES_PER_MS: usize = 8;

/// Sets up or takes away what the stream needs.
pub(super) fn fit(framer: &mut Option<Framer>, stream: &Stream) {
    let bytes = usize::from(stream.packet_ms()).saturating_mul(BYTES_PER_MS);
    let wanted = (stream.ptime_asked && stream.codec != Codec::Opus).then_some(bytes);
    if framer.as_ref().map(Framer::want) != wanted {
        *framer = wanted.map(Framer::new);
    }
}

impl<N: Fn(Notice)> Worker<N> {
    /// Passes the packet in the buffer, cut anew; a key's packets go between as they are.
    pub(super) fn pass_cut(&mut self, to: Token, kind: Kind, payload_type: u8, header: &Header) {
        let now = self.now;
        let Some(leg) = self.legs.get_mut(to) else { return };
        if kind == Kind::Key {
            let stamp = leg.out.framed(header.ssrc, header.timestamp, 0, header.marker, now);
            if self.send_stamped(to, payload_type, stamp, header.payload.clone()) {
                count(&mut self.counted.packets_relayed);
            }
            return;
        }
        let Some(framer) = &mut leg.framer else { return };
        let (mut rest, mut marker) = ([0; packet::MAX_BYTES], header.marker);
        let short = framer.rest(header.ssrc, header.timestamp, &mut rest);
        let sound = self.buffer.get(header.payload.clone()).unwrap_or_default();
        if framer.take(header.ssrc, header.timestamp, sound) == Framed::Late {
            return count(&mut self.counted.dropped_late);
        }
        let mut next = short.inspect(|(_, bytes)| {
            let room = self.buffer.get_mut(packet::HEADER_BYTES..).unwrap_or_default();
            room.iter_mut().zip(rest.iter().take(*bytes)).for_each(|(to, from)| *to = *from);
        });
        let mut is_rest = next.is_some();
        loop {
            let Some(leg) = self.legs.get_mut(to) else { return };
            if next.is_none() {
                let Some(framer) = &mut leg.framer else { return };
                let Some(room) = self.buffer.get_mut(packet::HEADER_BYTES..) else { return };
                next = framer.cut(room);
            }
            let Some((timestamp, bytes)) = next.take() else { return };
            let ticks = u32::try_from(bytes).unwrap_or(0);
            let begins = !std::mem::take(&mut is_rest) && std::mem::take(&mut marker);
            let stamp = leg.out.framed(header.ssrc, timestamp, ticks, begins, now);
            let place = packet::HEADER_BYTES..packet::HEADER_BYTES.saturating_add(bytes);
            if self.send_stamped(to, payload_type, stamp, place) {
                count(&mut self.counted.packets_relayed);
            }
        }
    }
}
