//! One leg's voice as it comes: packets early, late, twice, out of order or not at all, turned into
//! sound by the clock. The only place where sound is held back to be smooth.
//!
//! What is missing while later packets are there was lost: it is made up and time goes on. When
//! nothing more is there, time stands still instead: the voice may only be late, and whoever plays it
//! later has lost nothing. What that adds to the delay is taken back in small cuts once it proves
//! needless; so is the drift of the phone's clock against ours.

use super::codec::{ticks, ticks_per_ms};
use super::conceal::Concealer;
use super::noise::Noise;
use super::{Band, Decoder, MAX_PACKET_MS, NoCodec};
use crate::base::Mono;
use crate::sdp::Codec;

/// Packets kept that are not played yet: 480 ms of the usual 20. The oldest gives way.
const SLOTS: usize = 24;
/// Bytes of one payload that are kept; 60 ms of G.711 are 480.
const SLOT_BYTES: usize = 640;
/// Least and most that a voice is held back at its beginning, milliseconds.
const HOLD_MS: (f32, f32) = (20.0, 160.0);
/// A step of the clock beyond this is another stream, milliseconds.
const JUMP_MS: i64 = 5_000;
/// Made-up sound without any packet, after which the voice counts as paused.
const PAUSE_MS: usize = 60;
/// How long the stock is watched before it is judged needless, milliseconds of sound given.
const WATCH_MS: usize = 2_000;
/// One cut.
const CUT_MS: usize = 10;
/// The two ends of a cut are blended over this.
const SEAM_MS: usize = 5;
/// What may be left in stock beyond the jitter before it is cut.
const SPARE_MS: f32 = 25.0;

/// What an ear has been through; all only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EarCounts {
    /// Packets decoded.
    pub decoded: u64,
    /// Packets that never came, or came when their time was over.
    pub lost: u64,
    /// Packets that came too late, twice, or were no payload of the codec.
    pub refused: u64,
    /// Sound made up, milliseconds.
    pub made_up_ms: u64,
    /// Sound cut out, milliseconds.
    pub cut_ms: u64,
}

struct Slot {
    /// Start and end on the stream's clock, ticks since its first packet; none when free.
    span: Option<(i64, i64)>,
    arrived: Mono,
    bytes: usize,
    payload: Box<[u8; SLOT_BYTES]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Time {
    /// Nothing is playing: the next packet starts the voice once it has been held back.
    Paused,
    /// The tick that is played next.
    At(i64),
}

/// One arriving voice.
pub struct Ear {
    decoder: Decoder,
    band: Band,
    codec: Codec,
    slots: Vec<Slot>,
    /// The stream's number, and a packet's timestamp with its tick.
    stream: Option<(u32, u32, i64)>,
    time: Time,
    concealer: Concealer,
    /// What a pause sounds like.
    noise: Noise,
    /// Sound decoded and not yet given.
    ready: Vec<i16>,
    /// Sound made up while time stood still, milliseconds.
    stood_ms: usize,
    /// Arrival against timestamp, and how much that varies, milliseconds (RFC 3550 §6.4.1).
    transit_ms: Option<f64>,
    jitter_ms: f32,
    /// Least stock since the watch began, and how long it has gone on, milliseconds.
    least_stock_ms: f32,
    watched_ms: usize,
    counts: EarCounts,
}

impl Ear {
    /// An ear that has heard nothing.
    ///
    /// # Errors
    ///
    /// [`NoCodec`] when the codec's library refuses: out of memory.
    pub fn new(codec: Codec, band: Band) -> Result<Self, NoCodec> {
        let slot = || Slot {
            span: None,
            arrived: Mono::ZERO,
            bytes: 0,
            payload: Box::new([0; SLOT_BYTES]),
        };
        Ok(Self {
            decoder: Decoder::new(codec, band)?,
            band,
            codec,
            slots: (0..SLOTS).map(|_| slot()).collect(),
            stream: None,
            time: Time::Paused,
            concealer: Concealer::new(band),
            noise: Noise::default(),
            ready: Vec::with_capacity(
                MAX_PACKET_MS.saturating_mul(band.per_ms()).saturating_mul(4),
            ),
            stood_ms: 0,
            transit_ms: None,
            jitter_ms: 0.0,
            least_stock_ms: f32::MAX,
            watched_ms: 0,
            counts: EarCounts::default(),
        })
    }

    /// What it has been through.
    #[must_use]
    pub const fn counts(&self) -> EarCounts {
        self.counts
    }

    /// The codec that it understands.
    #[must_use]
    pub const fn codec(&self) -> Codec {
        self.codec
    }

    /// A packet of voice came.
    pub fn hear(&mut self, ssrc: u32, timestamp: u32, payload: &[u8], now: Mono) {
        let span = ticks(self.codec, payload).filter(|ticks| *ticks <= self.most_ticks());
        let (Some(length), true) = (span, payload.len() <= SLOT_BYTES) else {
            return bump(&mut self.counts.refused, 1);
        };
        let start = self.placed(ssrc, timestamp);
        let end = start.saturating_add(i64::from(length));
        self.watch_jitter(start, now);
        let over = matches!(self.time, Time::At(next) if end <= next);
        let known = self.slots.iter().any(|slot| slot.span.is_some_and(|(from, _)| from == start));
        if over || known {
            return bump(&mut self.counts.refused, 1);
        }
        // A free place, else that of the oldest.
        let place =
            self.slots.iter_mut().min_by_key(|slot| slot.span.map_or(i64::MIN, |(from, _)| from));
        let Some(place) = place else { return };
        self.noise.ends();
        place.span = Some((start, end));
        place.arrived = now;
        place.bytes = payload.len();
        place.payload.iter_mut().zip(payload).for_each(|(to, from)| *to = *from);
    }

    /// The phone says that nobody speaks, and how loud its noise is meanwhile, dB below the loudest
    /// (RFC 3389): that is heard until a voice comes again.
    pub fn rest(&mut self, level_dbov: u8) {
        self.noise.is_at(level_dbov);
    }

    /// Fills `sound`, always: with the voice, with what it probably was, or with silence.
    pub fn give(&mut self, sound: &mut [i16], now: Mono) {
        while self.ready.len() < sound.len() {
            self.next_piece(now);
        }
        let count = sound.len();
        for (to, from) in sound.iter_mut().zip(self.ready.drain(..count)) {
            *to = from;
        }
        self.watch_stock(count);
    }

    /// Makes a little more sound ready.
    fn next_piece(&mut self, now: Mono) {
        let Time::At(next) = self.time else { return self.begin(now) };
        let earliest = self.earliest();
        match earliest {
            // Its turn, or half played already by a cut: decoded whole.
            Some((at, start, end)) if start <= next => self.play(at, end),
            Some((_, start, _)) => self.bridge(next, start),
            None => self.stand_still(),
        }
    }

    /// The place and span of the first packet in time.
    fn earliest(&self) -> Option<(usize, i64, i64)> {
        let spans = self.slots.iter().enumerate();
        spans
            .filter_map(|(at, slot)| slot.span.map(|(start, end)| (at, start, end)))
            .min_by_key(|(_, start, _)| *start)
    }

    /// Paused: silence, until the first packet has been held back long enough.
    fn begin(&mut self, now: Mono) {
        let hold_ms = (2.0 * self.jitter_ms + HOLD_MS.0).clamp(HOLD_MS.0, HOLD_MS.1);
        if let Some((at, start, _)) = self.earliest()
            && let Some(slot) = self.slots.get(at)
            && now.since(slot.arrived).as_secs_f32() * 1000.0 >= hold_ms
        {
            self.time = Time::At(start);
            self.stood_ms = 0;
            (self.least_stock_ms, self.watched_ms) = (f32::MAX, 0);
            return;
        }
        let quiet = self.band.per_ms().saturating_mul(5);
        let from = self.ready.len();
        self.ready.resize(from.saturating_add(quiet), 0);
        self.noise.fill(self.ready.get_mut(from..).unwrap_or_default());
    }

    fn play(&mut self, at: usize, end: i64) {
        let Some(slot) = self.slots.get_mut(at) else { return };
        slot.span = None;
        let payload = slot.payload.get(..slot.bytes).unwrap_or_default();
        let from = self.ready.len();
        self.ready.extend_from_slice(self.decoder.decode(payload));
        self.concealer.heard(self.ready.get_mut(from..).unwrap_or_default());
        bump(&mut self.counts.decoded, 1);
        self.stood_ms = 0;
        self.time = Time::At(end);
        if self.ready.len() == from {
            // Broken inside: as if it had been lost, so that the clock does not run ahead.
            self.make_up(10);
        }
    }

    /// Later packets are there: this one was lost. What was made up while time stood still counts.
    fn bridge(&mut self, next: i64, start: i64) {
        let ticks = i64::from(ticks_per_ms(self.codec));
        let gap = usize::try_from(start.saturating_sub(next).checked_div(ticks).unwrap_or(0))
            .unwrap_or(0);
        bump(&mut self.counts.lost, 1);
        let stood = std::mem::take(&mut self.stood_ms);
        if gap <= stood || gap > 500 {
            self.time = Time::At(start);
            return;
        }
        let piece = gap.saturating_sub(stood).clamp(1, 20);
        let last = gap.saturating_sub(stood) <= 20;
        let from = self.ready.len();
        let after = self.earliest().and_then(|(at, _, _)| self.slots.get(at)).filter(|_| last);
        let after = after.and_then(|slot| slot.payload.get(..slot.bytes));
        self.ready.extend_from_slice(self.decoder.recover(after, piece));
        if self.ready.len() == from {
            self.make_up(piece);
        } else {
            self.concealer.heard(self.ready.get_mut(from..).unwrap_or_default());
            bump(&mut self.counts.made_up_ms, piece);
        }
        let passed = i64::try_from(piece.saturating_add(stood)).unwrap_or(0).saturating_mul(ticks);
        self.time = Time::At(next.saturating_add(passed));
    }

    fn stand_still(&mut self) {
        // Who says that nobody speaks has lost nothing.
        if self.stood_ms >= PAUSE_MS || self.noise.is_on() {
            self.time = Time::Paused;
            return;
        }
        let from = self.ready.len();
        self.ready.extend_from_slice(self.decoder.recover(None, 10));
        if self.ready.len() == from {
            self.make_up(10);
        } else {
            self.concealer.heard(self.ready.get_mut(from..).unwrap_or_default());
            bump(&mut self.counts.made_up_ms, 10);
        }
        self.stood_ms = self.stood_ms.saturating_add(10);
    }

    fn make_up(&mut self, ms: usize) {
        let from = self.ready.len();
        let count = ms.saturating_mul(self.band.per_ms());
        self.ready.resize(from.saturating_add(count), 0);
        self.concealer.make_up(self.ready.get_mut(from..).unwrap_or_default());
        bump(&mut self.counts.made_up_ms, ms);
    }

    /// The packet's place on the stream's clock. Another stream begins anew: its first packet is held
    /// back like any first one.
    fn placed(&mut self, ssrc: u32, timestamp: u32) -> i64 {
        let jump = JUMP_MS.saturating_mul(i64::from(ticks_per_ms(self.codec)));
        if let Some((same, last, tick)) = self.stream
            && same == ssrc
        {
            let step = i64::from(timestamp.wrapping_sub(last).cast_signed());
            if step.abs() <= jump {
                let start = tick.saturating_add(step);
                if step > 0 {
                    self.stream = Some((ssrc, timestamp, start));
                }
                return start;
            }
        }
        self.slots.iter_mut().for_each(|slot| slot.span = None);
        self.time = Time::Paused;
        self.transit_ms = None;
        self.stream = Some((ssrc, timestamp, 0));
        0
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "milliseconds of jitter need no more than an f32 has"
    )]
    fn watch_jitter(&mut self, start: i64, now: Mono) {
        let ticks = f64::from(ticks_per_ms(self.codec));
        #[expect(clippy::cast_precision_loss, reason = "a call is shorter than 2^52 microseconds")]
        let transit = (now.0 as f64) / 1000.0 - (start as f64) / ticks;
        if let Some(last) = self.transit_ms.replace(transit) {
            let varied = (transit - last).abs().min(200.0) as f32;
            self.jitter_ms += (varied - self.jitter_ms) / 16.0;
        }
    }

    /// Milliseconds of voice that wait, up to the first hole's end.
    #[expect(clippy::cast_precision_loss, reason = "half a second at most")]
    fn stock_ms(&self) -> Option<f32> {
        let Time::At(next) = self.time else { return None };
        let newest = self
            .slots
            .iter()
            .filter_map(|slot| slot.span)
            .map(|(_, end)| end)
            .max()
            .unwrap_or(next);
        let ticks = newest.saturating_sub(next) as f32 / ticks_per_ms(self.codec) as f32;
        Some(ticks + self.ready.len() as f32 / self.band.per_ms() as f32)
    }

    /// Takes a cut when a whole watch never needed what was in stock.
    fn watch_stock(&mut self, given: usize) {
        let Some(stock) = self.stock_ms() else { return };
        self.least_stock_ms = self.least_stock_ms.min(stock);
        self.watched_ms =
            self.watched_ms.saturating_add(given.checked_div(self.band.per_ms()).unwrap_or(0));
        if self.watched_ms < WATCH_MS {
            return;
        }
        let needless = self.least_stock_ms > 2.0f32.mul_add(self.jitter_ms, SPARE_MS);
        let (piece, seam) =
            (CUT_MS.saturating_mul(self.band.per_ms()), SEAM_MS.saturating_mul(self.band.per_ms()));
        if !needless {
            (self.least_stock_ms, self.watched_ms) = (f32::MAX, 0);
            return;
        }
        if self.ready.len() < piece.saturating_add(seam) {
            // The next packet is decoded now, so that there is something to cut.
            if let (Time::At(next), Some((at, start, end))) = (self.time, self.earliest())
                && start <= next
            {
                self.play(at, end);
            }
        }
        if self.ready.len() >= piece.saturating_add(seam) {
            cut(&mut self.ready, piece, seam);
            bump(&mut self.counts.cut_ms, CUT_MS);
            self.least_stock_ms = f32::MAX;
            // One cut every fifth of a watch while there is too much.
            self.watched_ms = WATCH_MS.saturating_sub(WATCH_MS / 5);
        }
    }

    fn most_ticks(&self) -> u32 {
        ticks_per_ms(self.codec).saturating_mul(u32::try_from(MAX_PACKET_MS).unwrap_or(60))
    }
}

/// Takes `piece` samples out of the front; the `seam` before and the one after are blended.
fn cut(ready: &mut Vec<i16>, piece: usize, seam: usize) {
    for n in 0..seam {
        let (Some(&old), Some(&new)) = (ready.get(n), ready.get(n.saturating_add(piece))) else {
            return;
        };
        let share = i64::try_from(n).unwrap_or(0);
        let whole = i64::try_from(seam).unwrap_or(1);
        let kept = i64::from(old).saturating_mul(whole.saturating_sub(share));
        let blended = kept.saturating_add(i64::from(new).saturating_mul(share)).checked_div(whole);
        if let Some(sample) = ready.get_mut(n.saturating_add(piece)) {
            *sample = i16::try_from(blended.unwrap_or(0)).unwrap_or(0);
        }
    }
    ready.drain(..piece);
}

fn bump(count: &mut u64, by: usize) {
    *count = count.saturating_add(u64::try_from(by).unwrap_or(0));
}
