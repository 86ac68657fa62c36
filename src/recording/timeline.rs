//! One recording's time line: pieces of sound are put where they belong, whatever order they come in,
//! and leave in order once nothing is waited for any more. Left is the caller, right the desk.
//!
//! The law of places. A stream's first piece lies where it was heard, that is at its arrival less its
//! own length; each further one as far behind it as its RTP time says. How much later than its place a
//! piece comes is its delay. One below -[`SLACK_MS`] has the stream lie too late; one that for
//! [`WATCH_MS`] of sound was never below [`SLACK_MS`] is no jitter, and has it lie too early by the
//! least of it: the clocks run apart, or a busy phone lags for a while. Either is mended by a move, and
//! a move leaves a gap or covers some milliseconds; so it waits for a pause in what is said, and only
//! from [`MOST_MS`] on for nothing. A piece that comes more than [`WINDOW_MS`] late begins the stream
//! anew. So no word is cut for what nobody can hear, and no side lies further than [`MOST_MS`] from where
//! it was heard for longer than a watch, in the first minute as in the last.

use crate::base::Mono;
use crate::rtp::voice::Band;
use std::collections::VecDeque;

/// How far a stream may lie from where it was heard before it is moved in a pause, milliseconds.
pub const SLACK_MS: i64 = 10;
/// How far before it is moved in the middle of a word, milliseconds: two who talk are not heard to be
/// apart by so much. As long a quiet stretch is a pause, since a move covers no more of it.
pub const MOST_MS: i64 = 60;
/// Sound of which no sample is further from zero is quiet: a line's hiss, not a voice.
const QUIET: u16 = 400;
/// Sound over which a delay must persist to be the clocks' doing, milliseconds.
pub const WATCH_MS: i64 = 1_000;
/// So long a late piece is waited for, milliseconds; what comes later is lost.
pub const WINDOW_MS: i64 = 600;
/// Sound that can be kept until it leaves, milliseconds: the window, a writer's round and a piece.
const ROOM_MS: usize = 1_000;
/// Voices of one side at once; one more takes the place of the one that was silent longest.
const MAX_VOICES: usize = 4;
/// Pauses not written yet; one more in the same second is joined to the last.
const MAX_PAUSES: usize = 64;

/// Whose sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The left channel.
    Caller,
    /// The right channel.
    Desk,
}

/// What is known of a piece of sound besides itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Whose.
    pub side: Side,
    /// The stream's RTP source.
    pub ssrc: u32,
    /// Its RTP time.
    pub timestamp: u32,
    /// How fast that time runs.
    pub ticks_per_ms: u32,
    /// When it came.
    pub arrived: Mono,
}

/// What went otherwise than it should.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Pieces that came too late to be put in their place.
    pub late: u64,
    /// Times that a stream was moved.
    pub moved: u64,
}

/// One voice and what of it has not left yet.
struct Voice {
    ssrc: u32,
    last: u32,
    /// RTP time since the first piece, without its turn at 2^32.
    ticks: i64,
    /// Where tick 0 lies, in samples from the beginning.
    base: i64,
    /// The least delay of the watch, in samples, and the watch's sound so far.
    least: i64,
    watched: i64,
    /// The least delay of the watch before.
    lag: i64,
    /// How much of what came last is quiet, in samples.
    quiet: i64,
    heard: Mono,
    /// Nothing lies behind it.
    until: i64,
    /// Samples by their place modulo the room.
    sound: Vec<i16>,
}

impl Voice {
    /// By how many samples the stream is moved before a piece of such a delay is put in its place.
    fn moves_by(&mut self, delay: i64, sound: &[i16], per_ms: i64) -> Option<i64> {
        let [slack, most, watch, window] =
            [SLACK_MS, MOST_MS, WATCH_MS, WINDOW_MS].map(|ms| ms.saturating_mul(per_ms));
        let count = samples(sound.len());
        self.least = self.least.min(delay);
        self.watched = self.watched.saturating_add(count);
        if self.watched >= watch {
            self.lag = std::mem::replace(&mut self.least, i64::MAX);
            self.watched = 0;
        }
        let quiet = sound.iter().all(|sample| sample.unsigned_abs() <= QUIET);
        let pause = quiet && self.quiet >= most;
        self.quiet = if quiet { self.quiet.saturating_add(count) } else { 0 };
        let borne = if pause { slack } else { most };
        // It may have caught up since that watch was over.
        let lag = self.lag.min(self.least).min(delay);
        let by = if delay < borne.saturating_neg() || delay > window {
            delay
        } else if lag > borne {
            lag
        } else {
            return None;
        };
        (self.least, self.watched, self.lag) = (i64::MAX, 0, 0);
        Some(by)
    }
}

/// See the module.
pub struct Timeline {
    band: Band,
    begun: Mono,
    /// Samples that have left.
    sealed: i64,
    sides: [Vec<Voice>; 2],
    /// From, and to if it is over.
    pauses: VecDeque<(i64, Option<i64>)>,
    counts: Counts,
}

impl Timeline {
    /// An empty one that begins at `begun`.
    #[must_use]
    pub fn new(band: Band, begun: Mono) -> Self {
        let (sides, pauses) = ([Vec::new(), Vec::new()], VecDeque::new());
        Self { band, begun, sealed: 0, sides, pauses, counts: Counts::default() }
    }

    /// What went wrong so far.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// How much has left, milliseconds.
    #[must_use]
    pub fn length_ms(&self) -> u64 {
        u64::try_from(self.sealed.checked_div(self.per_ms()).unwrap_or(0)).unwrap_or(0)
    }

    /// Takes in a piece. What must make room for it is appended to `out`, left and right by turns.
    pub fn place(&mut self, piece: Piece, sound: &[i16], out: &mut Vec<i16>) {
        let count = samples(sound.len());
        if sound.is_empty() || sound.len() > self.room() || piece.arrived < self.begun {
            return;
        }
        let heard_at = self.sample(piece.arrived).saturating_sub(count);
        let (per_ms, ticks_per_ms) = (self.per_ms(), i64::from(piece.ticks_per_ms.max(1)));
        let voice = self.voice(piece, heard_at);
        voice.heard = piece.arrived;
        let step = i64::from(piece.timestamp.wrapping_sub(voice.last).cast_signed());
        let ticks = voice.ticks.saturating_add(step);
        if step > 0 {
            (voice.last, voice.ticks) = (piece.timestamp, ticks);
        }
        let place = |base: i64| {
            base.saturating_add(ticks.saturating_mul(per_ms).checked_div(ticks_per_ms).unwrap_or(0))
        };
        let by = voice.moves_by(heard_at.saturating_sub(place(voice.base)), sound, per_ms);
        voice.base = voice.base.saturating_add(by.unwrap_or(0));
        let start = place(voice.base);
        self.counts.moved = self.counts.moved.saturating_add(u64::from(by.is_some()));
        let end = start.saturating_add(count);
        self.seal_to(end.saturating_sub(samples(self.room())), out);
        if start < self.sealed && self.sealed > 0 {
            self.counts.late = self.counts.late.saturating_add(1);
        }
        let (sealed, room) = (self.sealed, self.room());
        let voice = self.voice(piece, heard_at);
        voice.until = voice.until.max(end);
        // What is sealed already is too late; the rest goes round the ring's end at most once.
        let skipped = usize::try_from(sealed.saturating_sub(start)).unwrap_or(0);
        let Some(rest) = sound.get(skipped..) else { return };
        let at = slot(start.max(sealed), room).unwrap_or(0);
        let Some((begin, tail)) = voice.sound.split_at_mut_checked(at) else { return };
        let (first, second) = rest.split_at(rest.len().min(tail.len()));
        for (kept, sound) in [(tail, first), (begin, second)] {
            kept.iter_mut().zip(sound).for_each(|(kept, sample)| *kept = *sample);
        }
    }

    /// From here on nothing is heard; what was heard later and has not left yet is wiped.
    pub fn pause(&mut self, at: Mono) {
        if matches!(self.pauses.back(), Some((_, None))) {
            return;
        }
        let from = self.sample(at).max(self.sealed);
        let full = self.pauses.len() >= MAX_PAUSES;
        match self.pauses.back_mut() {
            Some(last) if full => last.1 = None,
            _ => self.pauses.push_back((from, None)),
        }
    }

    /// Both are heard again.
    pub fn resume(&mut self, at: Mono) {
        let at = self.sample(at);
        if let Some((from, to @ None)) = self.pauses.back_mut() {
            *to = Some(at.max(*from));
        }
    }

    /// Lets out what is waited for no more at `now`.
    pub fn advance(&mut self, now: Mono, out: &mut Vec<i16>) {
        let to = self.sample(now).saturating_sub(WINDOW_MS * self.per_ms());
        self.seal_to(to, out);
    }

    /// Lets out everything up to `at`, the end.
    pub fn finish(&mut self, at: Mono, out: &mut Vec<i16>) {
        let to = self.sample(at);
        self.seal_to(to, out);
    }

    fn seal_to(&mut self, to: i64, out: &mut Vec<i16>) {
        let room = self.room();
        while self.sealed < to {
            // By what the voices can hold: beyond it there is silence.
            let end = to.min(self.sealed.saturating_add(samples(room)));
            let from = out.len();
            let Ok(count) = usize::try_from(end.saturating_sub(self.sealed)) else { return };
            out.resize(from.saturating_add(count.saturating_mul(2)), 0);
            let fresh = out.get_mut(from..).unwrap_or_default();
            for (side, voices) in self.sides.iter_mut().enumerate() {
                for voice in voices.iter_mut().filter(|voice| voice.until > self.sealed) {
                    let from = slot(self.sealed, room).unwrap_or(0);
                    let Some((later, first)) = voice.sound.split_at_mut_checked(from) else {
                        continue;
                    };
                    let (frames, _) = fresh.as_chunks_mut::<2>();
                    let (whole, after) = frames.split_at_mut(frames.len().min(first.len()));
                    for (kept, frames) in [(first, whole), (later, after)] {
                        for (kept, frame) in kept.iter_mut().zip(frames) {
                            if let Some(sample) = frame.get_mut(side) {
                                *sample = sample.saturating_add(std::mem::take(kept));
                            }
                        }
                    }
                }
            }
            for (from, until) in &self.pauses {
                let until = until.unwrap_or(i64::MAX);
                let within = |at: i64| {
                    let at = at.clamp(self.sealed, end).saturating_sub(self.sealed);
                    usize::try_from(at).unwrap_or(0).saturating_mul(2)
                };
                if let Some(wiped) = fresh.get_mut(within(*from)..within(until)) {
                    wiped.fill(0);
                }
            }
            while matches!(self.pauses.front(), Some((_, Some(until))) if *until <= end) {
                self.pauses.pop_front();
            }
            self.sealed = end;
        }
    }

    /// The voice of a stream; a new one's first piece lies where it was heard.
    fn voice(&mut self, piece: Piece, heard_at: i64) -> &mut Voice {
        let room = self.room();
        let side = match piece.side {
            Side::Caller => 0,
            Side::Desk => 1,
        };
        let [caller, desk] = &mut self.sides;
        let voices = if side == 0 { caller } else { desk };
        let known = voices.iter().position(|voice| voice.ssrc == piece.ssrc);
        let at = known.unwrap_or_else(|| {
            let fresh = Voice {
                ssrc: piece.ssrc,
                last: piece.timestamp,
                ticks: 0,
                base: heard_at,
                least: i64::MAX,
                watched: 0,
                lag: 0,
                quiet: 0,
                heard: piece.arrived,
                until: 0,
                sound: vec![0; room],
            };
            if voices.len() < MAX_VOICES {
                voices.push(fresh);
                return voices.len().saturating_sub(1);
            }
            let oldest = voices.iter().enumerate().min_by_key(|(_, voice)| voice.heard);
            let oldest = oldest.map_or(0, |(at, _)| at);
            if let Some(place) = voices.get_mut(oldest) {
                // What of it has not left yet goes on in the new one's room.
                let (sound, until) = (std::mem::take(&mut place.sound), place.until);
                *place = Voice { until, sound, ..fresh };
            }
            oldest
        });
        #[expect(clippy::indexing_slicing, reason = "found or made just now")]
        &mut voices[at]
    }

    /// The sample at a point of time; negative before the beginning.
    fn sample(&self, at: Mono) -> i64 {
        let micros = |at: Mono| i64::try_from(at.0).unwrap_or(i64::MAX);
        let since = micros(at).saturating_sub(micros(self.begun));
        since.saturating_mul(self.per_ms()).div_euclid(1_000)
    }

    fn per_ms(&self) -> i64 {
        samples(self.band.per_ms())
    }

    const fn room(&self) -> usize {
        self.band.per_ms().saturating_mul(ROOM_MS)
    }
}

fn samples(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn slot(at: i64, room: usize) -> Option<usize> {
    usize::try_from(at.checked_rem(samples(room))?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PTIME_US: u64 = 20_000;

    fn piece(side: Side, n: u64, arrived_us: u64) -> Piece {
        let timestamp = u32::try_from((n * 160) & 0xffff_ffff).expect("masked").wrapping_add(7);
        Piece { side, ssrc: 9, timestamp, ticks_per_ms: 8, arrived: Mono(arrived_us) }
    }

    fn left(out: &[i16]) -> Vec<i16> {
        out.chunks(2).map(|frame| frame[0]).collect()
    }

    fn right(out: &[i16]) -> Vec<i16> {
        out.chunks(2).map(|frame| frame[1]).collect()
    }

    #[test]
    fn sound_lies_where_it_was_heard_and_silence_where_none_was() {
        let (mut line, mut out) = (Timeline::new(Band::Narrow, Mono(1_000_000)), Vec::new());
        for n in [0, 1, 2, 5] {
            let arrived = 1_120_000 + n * PTIME_US;
            line.place(piece(Side::Caller, n, arrived), &[100; 160], &mut out);
        }
        line.place(piece(Side::Desk, 900, 1_140_000), &[7; 160], &mut out);
        line.finish(Mono(1_300_000), &mut out);
        assert_eq!(out.len(), 2 * 300 * 8);
        let (left, right) = (left(&out), right(&out));
        let at = |ms: usize| left[ms * 8];
        let heard: Vec<i16> = [99, 100, 159, 160, 199, 200, 219, 220].map(at).to_vec();
        assert_eq!(heard, [0, 100, 100, 0, 0, 100, 100, 0]);
        assert_eq!(right.iter().position(|sample| *sample == 7), Some(120 * 8));
        assert_eq!(right.iter().filter(|sample| **sample == 7).count(), 160);
        assert_eq!(line.length_ms(), 300);
    }

    #[test]
    fn what_comes_out_of_order_or_late_is_put_in_its_place_and_once() {
        let (mut line, mut out) = (Timeline::new(Band::Narrow, Mono(0)), Vec::new());
        let order = [(0, 20), (2, 60), (1, 61), (4, 100), (5, 120), (3, 450), (3, 451), (6, 460)];
        for (n, arrived_ms) in order {
            let sound = [i16::try_from(n + 1).expect("small"); 160];
            line.advance(Mono(arrived_ms * 1_000), &mut out);
            line.place(piece(Side::Caller, n, arrived_ms * 1_000), &sound, &mut out);
        }
        line.finish(Mono(200_000), &mut out);
        let left = left(&out);
        for n in 0..7 {
            let want = i16::try_from(n + 1).expect("small");
            assert!(left[n * 160..(n + 1) * 160].iter().all(|sample| *sample == want), "{n}");
        }
        assert_eq!(line.counts(), Counts { late: 0, moved: 0 });
    }

    /// Of an hour's pieces of a phone whose clock is `ppm` fast: how far a click was from where it was heard
    /// at most, milliseconds, how much of what is loud has left, in pieces, and what was counted. The n-th
    /// piece is all of `said(n)`.
    fn in_an_hour(ppm: i64, said: impl Fn(u64) -> i16) -> (i64, usize, Counts) {
        let (mut line, mut out) = (Timeline::new(Band::Narrow, Mono(0)), Vec::new());
        let (mut worst_ms, mut from, mut loud) = (0, 0_usize, 0);
        for n in 0..180_000_u64 {
            let true_us = i64::try_from(n * PTIME_US).expect("an hour");
            let spoken_us = true_us - true_us * ppm / 1_000_000;
            // Jitter of up to 5 ms that is not even.
            let jitter_us = i64::try_from(n * 7 % 6 * 1_000).expect("small");
            let arrived = u64::try_from(spoken_us + jitter_us).expect("positive") + PTIME_US;
            let mut sound = [said(n); 160];
            // A click at the beginning of each twentieth second.
            if n % 1000 == 500 {
                sound[0] = 9000;
            }
            line.place(piece(Side::Caller, n, arrived), &sound, &mut out);
            line.advance(Mono(arrived), &mut out);
            if n % 1000 == 999 {
                let left = left(&out);
                let clicked = left.iter().position(|sample| *sample == 9000);
                let at_ms = (from + clicked.expect("heard")) / 8;
                let spoken = i64::try_from((n - 499) * PTIME_US).expect("an hour");
                let want_ms = (spoken - spoken * ppm / 1_000_000) / 1_000;
                worst_ms = worst_ms.max((i64::try_from(at_ms).expect("small") - want_ms).abs());
                loud += left.iter().filter(|sample| **sample > 1000).count();
                from += left.len();
                out.clear();
            }
        }
        line.finish(Mono(3_700_000_000), &mut out);
        loud += left(&out).iter().filter(|sample| **sample > 1000).count();
        assert_eq!(line.counts().late, 0);
        (worst_ms, loud / 160, line.counts())
    }

    #[test]
    fn two_clocks_that_run_apart_are_never_further_apart_than_the_slack_in_an_hour() {
        // 300 ppm fast, slow and right: a second in an hour if nothing were done.
        for ppm in [-300_i64, 300] {
            let (worst_ms, _, counts) = in_an_hour(ppm, |_| 0);
            assert!(worst_ms <= 20, "{ppm} ppm: {worst_ms} ms");
            assert!((50..200).contains(&counts.moved), "{ppm} ppm: {counts:?}");
        }
    }

    #[test]
    fn clocks_that_run_apart_cut_no_word_of_somebody_who_pauses_now_and_then() {
        // Half a second of voice, a fifth of quiet.
        let says = |n: u64| if n % 35 < 25 { 5000 } else { 50 };
        let said = (0..180_000).filter(|n| says(*n) > 1000).count();
        for ppm in [-300_i64, 300] {
            let (worst_ms, heard, counts) = in_an_hour(ppm, says);
            assert!(worst_ms <= 20, "{ppm} ppm: {worst_ms} ms");
            assert_eq!(heard, said, "{ppm} ppm");
            assert!((50..200).contains(&counts.moved), "{ppm} ppm: {counts:?}");
        }
    }

    #[test]
    fn a_voice_without_a_pause_is_never_further_from_where_it_was_heard_than_the_bound() {
        for ppm in [-300_i64, 300] {
            let (worst_ms, _, counts) = in_an_hour(ppm, |_| 5000);
            assert!(worst_ms <= MOST_MS + 10, "{ppm} ppm: {worst_ms} ms");
            assert!((10..25).contains(&counts.moved), "{ppm} ppm: {counts:?}");
        }
    }

    #[test]
    fn a_busy_phone_that_lags_for_a_while_and_catches_up_is_recorded_word_for_word() {
        let (mut line, mut out) = (Timeline::new(Band::Narrow, Mono(0)), Vec::new());
        let said = |n: u64| i16::try_from(n + 1000).expect("small");
        for n in 0..300 {
            // Its first packet, and a second and a half, each 25 ms behind its time.
            let late_us = if n == 0 || (100..175).contains(&n) { 25_000 } else { 0 };
            let arrived = (n + 1) * PTIME_US + late_us;
            line.place(piece(Side::Caller, n, arrived), &[said(n); 160], &mut out);
            line.advance(Mono(arrived), &mut out);
        }
        line.finish(Mono(6_100_000), &mut out);
        let left = left(&out);
        let first = left.iter().position(|sample| *sample != 0).expect("heard");
        let whole = (0..300).filter(|n| {
            let from = first + usize::try_from(*n).expect("small") * 160;
            left[from..from + 160].iter().all(|sample| *sample == said(*n))
        });
        assert_eq!((whole.count(), line.counts()), (300, Counts { late: 0, moved: 0 }));
    }

    #[test]
    fn a_stream_that_jumps_in_its_own_time_is_put_where_it_is_heard() {
        let (mut line, mut out) = (Timeline::new(Band::Narrow, Mono(0)), Vec::new());
        line.place(piece(Side::Caller, 0, 20_000), &[1; 160], &mut out);
        // An hour ahead at once, and back again; each is heard where it came.
        line.place(piece(Side::Caller, 180_000, 140_000), &[2; 160], &mut out);
        line.place(piece(Side::Caller, 3, 240_000), &[3; 160], &mut out);
        line.finish(Mono(300_000), &mut out);
        let left = left(&out);
        let first = |of: i16| left.iter().position(|sample| *sample == of).map(|at| at / 8);
        assert_eq!([first(1), first(2), first(3)], [Some(0), Some(120), Some(220)]);
    }

    #[test]
    fn a_pause_is_silent_from_the_key_to_the_key() {
        let (mut line, mut out) = (Timeline::new(Band::Narrow, Mono(0)), Vec::new());
        for n in 0..200 {
            let arrived = (n + 1) * PTIME_US;
            line.place(piece(Side::Caller, n, arrived), &[5; 160], &mut out);
            line.place(piece(Side::Desk, n, arrived), &[6; 160], &mut out);
            line.advance(Mono(arrived), &mut out);
            // The word of the pause comes 300 ms after the key: nothing of it has left.
            match n {
                65 => line.pause(Mono(1_000_000)),
                115 => line.resume(Mono(2_000_000)),
                _ => {}
            }
        }
        line.finish(Mono(4_000_000), &mut out);
        for (side, of) in [(left(&out), 5), (right(&out), 6)] {
            assert!(side[..8_000].iter().all(|sample| *sample == of));
            assert!(side[8_000..16_000].iter().all(|sample| *sample == 0));
            assert!(side[16_000..].iter().all(|sample| *sample == of));
            assert_eq!(side.len(), 32_000);
        }
    }

    #[test]
    fn a_writer_that_slept_for_seconds_loses_nothing() {
        let (mut line, mut out) = (Timeline::new(Band::Wide, Mono(0)), Vec::new());
        for n in 0..500 {
            line.place(piece(Side::Caller, n, (n + 1) * PTIME_US), &[5; 320], &mut out);
        }
        line.finish(Mono(10_000_000), &mut out);
        assert!(left(&out).iter().all(|sample| *sample == 5));
        assert_eq!(out.len(), 2 * 160_000);
    }

    #[test]
    fn three_voices_of_one_side_are_added_and_a_fifth_takes_a_place() {
        let (mut line, mut out) = (Timeline::new(Band::Narrow, Mono(0)), Vec::new());
        for ssrc in 0..6 {
            let piece = Piece { ssrc, ..piece(Side::Desk, 0, 20_000) };
            line.place(piece, &[i16::MAX / 3; 160], &mut out);
        }
        line.finish(Mono(20_000), &mut out);
        assert!(
            right(&out).iter().all(|sample| *sample == i16::MAX),
            "added, and never turned over"
        );
    }
}
