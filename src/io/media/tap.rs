//! What passes between a caller and the desk, copied for the recorder: from a media thread into a ring
//! without a lock, an allocation or a wait. When the ring is full the copy is dropped and counted; the
//! packet itself goes on as ever.
//!
//! The tap sits on the caller's leg and follows whatever that leg is joined with. What the two sides
//! could not hear of each other (a hold, an announcement above it) is not copied.

use super::counters::count;
use super::leg::{Kind, Leg};
use super::loudness::Loudness;
use super::slab::Token;
use super::worker::Worker;
use crate::base::{LegId, TapId};
use crate::recording::packet::{Head, LONGEST_BYTES};
use crate::recording::timeline::Side;
use crate::rtp::command::Notice;
use crate::rtp::packet::Header;
use crate::sdp::Codec;
use rtrb::{Consumer, Producer, RingBuffer};

/// A leg's tap, and what of it found no room.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tap {
    id: TapId,
    dropped: u32,
}

/// A thread's way to the recorder.
#[derive(Default)]
pub(super) struct Taps {
    ring: Option<Producer<u8>>,
    /// Whether any leg was ever tapped: without one, no packet is asked.
    any: bool,
}

impl Taps {
    /// A ring of so many bytes; of none, nothing is ever tapped.
    pub(super) fn new(bytes: usize) -> (Self, Option<Consumer<u8>>) {
        if bytes == 0 {
            return (Self::default(), None);
        }
        let (ring, out) = RingBuffer::new(bytes);
        (Self { ring: Some(ring), any: false }, Some(out))
    }

    /// False when there was no room.
    fn push(&mut self, head: Head, payload: &[u8]) -> bool {
        let Some(ring) = &mut self.ring else { return false };
        let mut room = [0; LONGEST_BYTES];
        let whole = head.write(payload, &mut room);
        whole.is_some_and(|whole| ring.push_entire_slice(whole).is_ok())
    }
}

impl Leg {
    /// Whether its phone would hear now what somebody else says.
    fn listens(&self) -> bool {
        !self.covered() && self.may_send()
    }
}

impl<N: Fn(Notice)> Worker<N> {
    /// Opens a tap on a leg, or closes it.
    pub(super) fn set_tap(&mut self, leg: LegId, tap: Option<TapId>) {
        let token = self.index.get(&leg).copied();
        if let Some(leg) = token.and_then(|token| self.legs.get_mut(token)) {
            leg.tap = tap.map(|id| Tap { id, dropped: 0 });
            leg.loudness = None;
            self.taps.any = true;
        }
    }

    /// The packet in the buffer passes from one leg to another, in `codec` if it is a voice.
    pub(super) fn tap_passed(
        &mut self,
        from: Token,
        to: Token,
        kind: Kind,
        codec: Codec,
        header: &Header,
    ) {
        if !self.taps.any || !matches!(kind, Kind::Voice(_)) {
            return;
        }
        self.tap(from, Side::Caller, codec, header);
        self.tap(to, Side::Desk, codec, header);
    }

    /// The voice in the buffer goes nowhere: its leg is tapped all the same when it leaves a message.
    pub(super) fn tap_alone(&mut self, from: Token, codec: Codec, header: &Header) {
        if !self.taps.any {
            return;
        }
        let Some(leg) = self.legs.get_mut(from).filter(|leg| leg.tap.is_some()) else { return };
        let payload = self.buffer.get(header.payload.clone()).unwrap_or_default();
        let ear = leg.loudness.get_or_insert_with(|| Box::new(Loudness::new(codec)));
        if let Some(ms) = ear.hear(codec, header, payload) {
            (self.notices)(Notice::Spoke { leg: leg.id, ms });
        }
        self.tap(from, Side::Caller, codec, header);
    }

    /// The voice in the buffer is given to a mix.
    pub(super) fn tap_mixed(&mut self, mix: Token, from: Token, codec: Codec, header: &Header) {
        if !self.taps.any {
            return;
        }
        let mut heard = false;
        for at in 0..super::mixing::MAX_SEATS {
            let hearer = self.mixes.get_mut(mix).and_then(|mix| mix.hearers(from).nth(at));
            let Some(hearer) = hearer else { break };
            if self.legs.get_mut(hearer).is_some_and(|leg| leg.listens()) {
                heard = true;
                self.tap(hearer, Side::Desk, codec, header);
            }
        }
        if heard {
            self.tap(from, Side::Caller, codec, header);
        }
    }

    fn tap(&mut self, leg: Token, side: Side, codec: Codec, header: &Header) {
        let Some(tap) = self.legs.get_mut(leg).and_then(|leg| leg.tap.as_mut()) else { return };
        let Some(payload) = self.buffer.get(header.payload.clone()) else { return };
        let head = Head {
            tap: tap.id,
            side,
            codec,
            ssrc: header.ssrc,
            timestamp: header.timestamp,
            arrived: self.now,
            dropped: tap.dropped,
            payload: u16::try_from(payload.len()).unwrap_or(u16::MAX),
        };
        if self.taps.push(head, payload) {
            count(&mut self.counted.packets_tapped);
        } else {
            tap.dropped = tap.dropped.saturating_add(1);
            count(&mut self.counted.dropped_untapped);
        }
    }
}
