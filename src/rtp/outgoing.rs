//! The numbers of one stream that we send. Its sound comes now from a prompt, now from another leg,
//! now from a third; the phone must see one sender whose sequence and clock never jump (RFC 3550 §5.1).

use crate::base::{Mono, Rng};
use std::time::Duration;

/// What one packet must carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Sequence number.
    pub seq: u16,
    /// Timestamp, in samples.
    pub timestamp: u32,
    /// Our number for the stream.
    pub ssrc: u32,
    /// The packet begins a new stretch of sound (RFC 3551 §4.1).
    pub starts: bool,
}

/// Sequence and clock of one leaving stream.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The clock of its timestamps, ticks in a millisecond.
    ticks_per_ms: u32,
    ssrc: u32,
    /// Of the newest packet sent.
    seq: u16,
    /// Of the newest packet sent.
    timestamp: u32,
    /// When it was sent; none before the first.
    sent_at: Option<Mono>,
    source: Source,
}

/// Where the newest packet's sound came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Nothing,
    /// Our own sound; the newest packet lasts so many ticks.
    Own {
        ticks: u32,
    },
    /// A key of ours; its packets all carry the moment of the press (RFC 4733 §2.2.1).
    Key,
    /// Another leg's stream, cut anew: what is added to its timestamps, and its next one.
    Framed {
        ssrc: u32,
        timestamp_shift: u32,
        next: u32,
    },
    /// Another leg's stream, what is added to its numbers, and how far behind the newest packet we
    /// were already passing it on, at most [`MAX_MISORDER`].
    Relay {
        ssrc: u32,
        seq_shift: u16,
        timestamp_shift: u32,
        newest: u16,
        reach: u16,
    },
}

/// A gap in the sequence that is still the same stream (RFC 3550 §A.1).
const MAX_DROPOUT: u16 = 3000;
/// Packets that may come late and still be passed on (RFC 3550 §A.1).
const MAX_MISORDER: u16 = 100;
/// The least that the clock moves between two sources: one usual packet, milliseconds.
const LEAST_STEP_MS: u32 = 20;
/// Own packets further apart than this do not follow each other.
const SPURT_GAP: Duration = Duration::from_millis(200);

impl Outgoing {
    /// A stream with a random number, sequence and start of its clock (RFC 3550 §5.1), which runs at
    /// `clock_hz`.
    pub fn draw(clock_hz: u32, rng: &mut Rng) -> Self {
        let (a, b) = (rng.bits().to_be_bytes(), rng.bits().to_be_bytes());
        let ([r0, r1, r2, r3, t0, t1, t2, t3], [s0, s1, ..]) = (a, b);
        Self {
            ticks_per_ms: clock_hz.checked_div(1000).unwrap_or(8).max(1),
            ssrc: u32::from_be_bytes([r0, r1, r2, r3]),
            // Below 2^15: a listener of SRTP who misses the first packets could else not tell the round
            // (RFC 3711 §3.3.1).
            seq: u16::from_be_bytes([s0 & 0x7f, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            sent_at: None,
            source: Source::Nothing,
        }
    }

    /// Whether its clock runs at `clock_hz`; a stream's clock never changes (RFC 7160 §4.1), so that
    /// another codec may need another stream.
    pub fn runs_at(&self, clock_hz: u32) -> bool {
        self.ticks_per_ms.saturating_mul(1000) == clock_hz
    }

    /// Its number.
    pub const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// What its clock says now; none before its first packet.
    pub fn clock_at(&self, now: Mono) -> Option<u32> {
        let ticks =
            now.since(self.sent_at?).as_micros().checked_mul(u128::from(self.ticks_per_ms))?;
        let ticks = u32::try_from(ticks.checked_div(1000)? & 0xffff_ffff).ok()?;
        Some(self.timestamp.wrapping_add(ticks))
    }

    /// The numbers for a packet of our own sound that lasts `ms`.
    pub fn own(&mut self, ms: u8, now: Mono) -> Stamp {
        let ticks = self.ticks_per_ms.saturating_mul(u32::from(ms));
        let follows = self.sent_at.is_some_and(|at| now.since(at) < SPURT_GAP);
        let (timestamp, starts) = match self.source {
            Source::Own { ticks } if follows => (self.timestamp.wrapping_add(ticks), false),
            Source::Own { .. }
            | Source::Nothing
            | Source::Key
            | Source::Framed { .. }
            | Source::Relay { .. } => (self.resumed(now), true),
        };
        self.source = Source::Own { ticks };
        self.sent(self.seq.wrapping_add(1), timestamp, now);
        self.stamp(starts)
    }

    /// What we said is over: what we say next has the time of the clock, however soon it comes, so that
    /// a hundred announcements run no second behind.
    pub fn rest(&mut self) {
        if matches!(self.source, Source::Own { .. }) {
            self.source = Source::Nothing;
        }
    }

    /// The numbers for the next packet of a key of ours; `press`: its first one.
    pub fn key(&mut self, press: bool, now: Mono) -> Stamp {
        let timestamp = if press { self.resumed(now) } else { self.timestamp };
        self.source = Source::Key;
        self.sent(self.seq.wrapping_add(1), timestamp, now);
        self.stamp(press)
    }

    /// The numbers for a packet of another leg's stream. None for a packet that is older than the
    /// moment when we began to pass that stream on: its place is taken.
    pub fn relay(&mut self, ssrc: u32, seq: u16, timestamp: u32, now: Mono) -> Option<Stamp> {
        if let Source::Relay { ssrc: same, seq_shift, timestamp_shift, newest, reach } = self.source
            && same == ssrc
        {
            let (ahead, behind) = (seq.wrapping_sub(newest), newest.wrapping_sub(seq));
            let shifted = Stamp {
                seq: seq.wrapping_add(seq_shift),
                timestamp: timestamp.wrapping_add(timestamp_shift),
                ssrc: self.ssrc,
                starts: false,
            };
            if (1..MAX_DROPOUT).contains(&ahead) {
                let reach = reach.saturating_add(ahead).min(MAX_MISORDER);
                self.source =
                    Source::Relay { ssrc, seq_shift, timestamp_shift, newest: seq, reach };
                self.sent(shifted.seq, shifted.timestamp, now);
                return Some(shifted);
            }
            if behind <= MAX_MISORDER {
                return (behind <= reach).then_some(shifted);
            }
        }
        let (out_seq, out_timestamp) = (self.seq.wrapping_add(1), self.resumed(now));
        self.source = Source::Relay {
            ssrc,
            seq_shift: out_seq.wrapping_sub(seq),
            timestamp_shift: out_timestamp.wrapping_sub(timestamp),
            newest: seq,
            reach: 0,
        };
        self.sent(out_seq, out_timestamp, now);
        Some(self.stamp(true))
    }

    /// The numbers for a packet of another leg's stream that was cut anew, `ticks` long: its own numbers
    /// mean nothing any more. What is missing before it, unless it begins a spurt, is a loss here too.
    /// A key's packet, whose timestamp stands still, has no ticks.
    pub fn framed(
        &mut self,
        ssrc: u32,
        timestamp: u32,
        ticks: u32,
        marker: bool,
        now: Mono,
    ) -> Stamp {
        if let Source::Framed { ssrc: same, timestamp_shift, next } = self.source
            && same == ssrc
        {
            let gap = timestamp.wrapping_sub(next);
            let lost = match gap.checked_div(ticks) {
                Some(lost) if !marker && lost < u32::from(MAX_DROPOUT) => lost,
                Some(_) | None => 0,
            };
            let lost = u16::try_from(lost).unwrap_or(0);
            let next = if ticks > 0 { timestamp.wrapping_add(ticks) } else { next };
            self.source = Source::Framed { ssrc, timestamp_shift, next };
            let seq = self.seq.wrapping_add(1).wrapping_add(lost);
            self.sent(seq, timestamp.wrapping_add(timestamp_shift), now);
            return self.stamp(marker);
        }
        let out_timestamp = self.resumed(now);
        let timestamp_shift = out_timestamp.wrapping_sub(timestamp);
        let next = timestamp.wrapping_add(ticks);
        self.source = Source::Framed { ssrc, timestamp_shift, next };
        self.sent(self.seq.wrapping_add(1), out_timestamp, now);
        self.stamp(true)
    }

    /// The other leg's packet `seq` is not passed on (the peer does not take its kind); later ones
    /// close up, so that the phone sees no loss.
    pub fn skip(&mut self, ssrc: u32, seq: u16) {
        if let Source::Relay { ssrc: same, seq_shift, newest, .. } = &mut self.source
            && *same == ssrc
            && seq.wrapping_sub(*newest) == 1
        {
            *seq_shift = seq_shift.wrapping_sub(1);
            *newest = seq;
        }
    }

    /// The clock after a change of source: as much later as time has gone by.
    fn resumed(&self, now: Mono) -> u32 {
        let Some(at) = self.sent_at else { return self.timestamp };
        let least = self.ticks_per_ms.saturating_mul(LEAST_STEP_MS);
        let ticks = now.since(at).as_micros().saturating_mul(u128::from(self.ticks_per_ms));
        let ticks = ticks.checked_div(1000).unwrap_or(0) & 0xffff_ffff;
        self.timestamp.wrapping_add(u32::try_from(ticks).unwrap_or(least).max(least))
    }

    fn sent(&mut self, seq: u16, timestamp: u32, now: Mono) {
        (self.seq, self.timestamp, self.sent_at) = (seq, timestamp, Some(now));
    }

    fn stamp(&self, starts: bool) -> Stamp {
        Stamp { seq: self.seq, timestamp: self.timestamp, ssrc: self.ssrc, starts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Mono {
        Mono(ms * 1000)
    }

    /// (sequence, timestamp, starts) relative to `base`.
    fn told(base: &Outgoing, stamp: Stamp) -> (u16, u32, bool) {
        (
            stamp.seq.wrapping_sub(base.seq),
            stamp.timestamp.wrapping_sub(base.timestamp),
            stamp.starts,
        )
    }

    #[test]
    fn the_phone_sees_one_stream_whatever_the_source() {
        for seed in 0..50 {
            let mut out = Outgoing::draw(8000, &mut Rng::from_number(seed));
            let base = out.clone();
            // A prompt of three packets; the timer's jitter does not show.
            assert_eq!(told(&base, out.own(20, ms(0))), (1, 0, true));
            assert_eq!(told(&base, out.own(20, ms(23))), (2, 160, false));
            assert_eq!(told(&base, out.own(20, ms(40))), (3, 320, false));
            // A caller comes through, over the wrap of its sequence and clock.
            assert_eq!(
                told(&base, out.relay(9, 65_535, u32::MAX - 159, ms(100)).unwrap()),
                (4, 800, true)
            );
            assert_eq!(told(&base, out.relay(9, 0, 0, ms(120)).unwrap()), (5, 960, false));
            // A packet lost, one late, one doubled: passed on as they are.
            assert_eq!(told(&base, out.relay(9, 2, 320, ms(160)).unwrap()), (7, 1280, false));
            assert_eq!(told(&base, out.relay(9, 1, 160, ms(161)).unwrap()), (6, 1120, false));
            assert_eq!(told(&base, out.relay(9, 2, 320, ms(162)).unwrap()), (7, 1280, false));
            // Older than the beginning: its number is the prompt's.
            assert_eq!(out.relay(9, 65_534, 0, ms(163)), None);
            // A key that the phone does not take leaves no hole.
            out.skip(9, 3);
            assert_eq!(told(&base, out.relay(9, 4, 640, ms(200)).unwrap()), (8, 1600, false));
            // Another speaker, then the prompt again.
            assert_eq!(told(&base, out.relay(10, 500, 7, ms(220)).unwrap()), (9, 1760, true));
            assert_eq!(told(&base, out.own(20, ms(1220))), (10, 9760, true));
        }
    }

    #[test]
    fn a_restart_of_the_sender_does_not_leave_the_stream() {
        let mut out = Outgoing::draw(8000, &mut Rng::from_number(1));
        let base = out.clone();
        out.relay(1, 100, 0, ms(0));
        assert_eq!(told(&base, out.relay(1, 20_100, 50, ms(20)).unwrap()), (2, 160, true));
        assert_eq!(told(&base, out.relay(1, 20_101, 210, ms(40)).unwrap()), (3, 320, false));
    }

    #[test]
    fn what_we_say_ourselves_goes_over_the_wraps_and_past_49_days_without_a_leap() {
        let mut out = Outgoing::draw(8000, &mut Rng::from_number(3));
        (out.seq, out.timestamp) = (65_500, u32::MAX - 1000);
        let base = out.clone();
        let from = u64::from(u32::MAX) - 500;
        for n in 0..70_000_u64 {
            let stamp = out.own(20, ms(from + n * 20));
            let seq = u16::try_from((n + 1) & 0xffff).unwrap();
            let ticks = u32::try_from(n * 160).unwrap();
            assert_eq!(told(&base, stamp), (seq, ticks, n == 0));
        }
        // Cut anew from another leg's stream, whose clock wraps too.
        let first = told(&base, out.framed(4, u32::MAX - 400, 160, true, ms(from + 1_400_000)));
        for n in 1..10_u32 {
            let timestamp = (u32::MAX - 400).wrapping_add(n * 160);
            let stamp =
                out.framed(4, timestamp, 160, false, ms(from + 1_400_000 + u64::from(n) * 20));
            let seq = first.0.wrapping_add(u16::try_from(n).unwrap());
            assert_eq!(told(&base, stamp), (seq, first.1.wrapping_add(n * 160), false));
        }
        // Three are lost on the way: so they are here.
        let stamp = out.framed(
            4,
            (u32::MAX - 400).wrapping_add(13 * 160),
            160,
            false,
            ms(from + 1_400_260),
        );
        assert_eq!(told(&base, stamp).0, first.0.wrapping_add(13));
    }

    #[test]
    fn an_hour_and_fifty_days_change_nothing() {
        let mut out = Outgoing::draw(8000, &mut Rng::from_number(2));
        let base = out.clone();
        for n in 0..180_000_u64 {
            let seq = u16::try_from(n & 0xffff).unwrap();
            let stamp = out.relay(1, seq, u32::try_from(n * 160).unwrap(), ms(n * 20)).unwrap();
            let want = (u16::try_from((n + 1) & 0xffff).unwrap(), u32::try_from(n * 160).unwrap());
            assert_eq!((told(&base, stamp).0, told(&base, stamp).1), want);
            // Late by three packets, at any time after the beginning.
            assert_eq!(out.relay(1, seq.wrapping_sub(3), 0, ms(n * 20)).is_some(), n >= 3, "{n}");
        }
        assert!(out.own(20, ms(50 * 86_400_000)).starts);
    }
}
