//! Keys heard as tones (ITU-T Q.23, Q.24), for peers that tell a key by nothing but its sound. Knows
//! samples at 8 kHz and nothing of packets.
//!
//! Every 5 ms the last 20 ms are looked at: how much of them are the eight pitches of a keypad. A key is
//! told when four looks in a row agree, 35 ms in all: one row and one column, each at its pitch, measured by
//! how far its phase has come between two looks; steady; neither far louder than the other; and next to
//! nothing else. The last is what keeps voices and music out, whose overtones would be there as well.

use crate::rtp::tone::{COLUMNS_HZ, KEYS, ROWS_HZ};
use std::f32::consts::{PI, TAU};

/// Samples between two looks: 5 ms.
const HOP: usize = 40;
const HOP_S: f32 = 0.005;
/// Samples of a look: 20 ms.
const LOOK: usize = 4 * HOP;
const LOOK_S: f32 = 0.02;
/// Looks in a row that must agree: 35 ms of sound, of the 40 that Q.24 has heard at the least.
const AGREE: u8 = 4;
/// Looks after which a key is let go: 25 ms, so that a drop-out makes no second press.
const GONE: u8 = 5;
/// The softest tone that counts, as the mean square of its samples: -36 dBm0. Q.24 has -25 dBm0 heard,
/// and the weaker of the two another 8 dB below.
const SOFTEST: f32 = 62_500.0;
/// Least share of the sound that the two tones must be, before their pitch is known, and then: what is
/// left is noise, 15 dB below them at the least, but no overtone.
const LEAST_SHARE: f32 = 0.45;
const LEAST_PURE: f32 = 0.92;
/// A column so much louder than its row (as power) is of no key: 6 dB; Q.24 has 4 heard.
const MOST_TWIST: f32 = 4.0;
/// The same of a row louder than its column: 10 dB; Q.24 has 8 heard.
const MOST_REVERSE: f32 = 10.0;
/// How far a pitch may be off: Q.24 has 1.5 % heard and 3.5 % not.
const MOST_OFF: f32 = 0.022;
/// How much a tone may swell or fade between two looks (as power).
const MOST_CHANGE: f32 = 1.5;

/// What one look found: a row and a column.
#[derive(Clone, Copy, Debug)]
struct Seen {
    row: Pitch,
    column: Pitch,
    /// All of the sound, as a mean square.
    all: f32,
}

/// One of the eight pitches.
#[derive(Clone, Copy, Debug)]
struct Pitch {
    /// Its place among its four.
    place: usize,
    hz: f32,
    /// Mean square.
    level: f32,
    /// Real and imaginary part.
    re: f32,
    im: f32,
}

impl Pitch {
    /// What lies between it and a look later: how far its pitch is off, Hz.
    fn off_hz(&self, later: &Self) -> f32 {
        let turned = (later.im * self.re - later.re * self.im)
            .atan2(later.re * self.re + later.im * self.im);
        let due = TAU * (self.hz * HOP_S).fract();
        ((turned - due + 3.0 * PI).rem_euclid(TAU) - PI) / (TAU * HOP_S)
    }

    /// The tone's own level, when it goes on into the later look as a tone of this pitch does.
    fn goes_on(&self, later: &Self) -> Option<f32> {
        let off_hz = self.off_hz(later);
        let steady = self.level.max(later.level) <= MOST_CHANGE * self.level.min(later.level);
        let same = self.place == later.place && off_hz.abs() <= MOST_OFF * self.hz;
        let gain = gain(off_hz);
        (same && steady).then(|| f32::midpoint(self.level, later.level) / (gain * gain))
    }
}

/// What the window leaves of a tone that is off by so much: its transform.
fn gain(off_hz: f32) -> f32 {
    let x = off_hz * LOOK_S;
    if x.abs() < 0.001 { 1.0 } else { (PI * x).sin() / (PI * x) / (1.0 - x * x) }
}

/// The ear for the keys of one stream.
#[derive(Clone, Debug)]
pub struct ToneReader {
    /// The window of a look, its sum, and that of its squares.
    window: [f32; LOOK],
    sum: f32,
    squares: f32,
    /// Twice the cosine that each pitch turns by in a sample, and its sine.
    turns: [(f32, f32); 8],
    sound: [f32; LOOK],
    filled: usize,
    last: Option<Seen>,
    /// Looks in a row that agreed.
    agreed: u8,
    /// The key that is down, and the looks that have passed without it.
    down: Option<(char, u8)>,
}

impl Default for ToneReader {
    fn default() -> Self {
        let (mut window, mut at) = ([0.0_f32; LOOK], 0.5);
        for weight in &mut window {
            *weight = 0.5_f32.mul_add(-(TAU * at / (8000.0 * LOOK_S)).cos(), 0.5);
            at += 1.0;
        }
        let pitches = ROWS_HZ.iter().chain(&COLUMNS_HZ);
        let mut turns = [(0.0, 0.0); 8];
        for (turn, hz) in turns.iter_mut().zip(pitches) {
            let (sin, cos) = (TAU * f32::from(*hz) / 8000.0).sin_cos();
            *turn = (2.0 * cos, sin);
        }
        Self {
            sum: window.iter().sum(),
            squares: window.iter().map(|weight| weight * weight).sum(),
            window,
            turns,
            sound: [0.0; LOOK],
            filled: 0,
            last: None,
            agreed: 0,
            down: None,
        }
    }
}

impl ToneReader {
    /// Hears more of the sound, in pieces too short for two keys; gives the key that was pressed, once a
    /// press.
    pub fn hear(&mut self, samples: &[i16]) -> Option<char> {
        let mut told = None;
        for sample in samples {
            if let Some(place) = self.sound.get_mut(self.filled) {
                *place = f32::from(*sample);
                self.filled = self.filled.saturating_add(1);
            }
            if self.filled >= LOOK {
                told = self.look().or(told);
                self.sound.copy_within(HOP.., 0);
                self.filled = LOOK.saturating_sub(HOP);
            }
        }
        told
    }

    fn look(&mut self) -> Option<char> {
        let seen = self.see();
        let last = std::mem::replace(&mut self.last, seen);
        let agrees = last.zip(seen).is_some_and(|(last, seen)| is_one_key(&last, &seen));
        self.agreed = if agrees { self.agreed.saturating_add(1) } else { 1 };
        let key = seen.and_then(|seen| {
            KEYS.get(seen.row.place.saturating_mul(4).saturating_add(seen.column.place)).copied()
        });
        let told = key.filter(|_| self.agreed >= AGREE);
        match (&mut self.down, told) {
            // As long as it is seen at all.
            (Some((down, gone)), _) if key == Some(*down) => {
                *gone = 0;
                None
            }
            (_, Some(key)) => {
                self.down = Some((key, 0));
                told
            }
            (Some((_, gone)), None) => {
                *gone = gone.saturating_add(1);
                if *gone >= GONE {
                    self.down = None;
                }
                None
            }
            (None, None) => None,
        }
    }

    /// The loudest row and the loudest column, by Goertzel's way; none when they are little of the sound.
    fn see(&self) -> Option<Seen> {
        let mut all = 0.0;
        let (mut one, mut two) = ([0.0_f32; 8], [0.0_f32; 8]);
        for (sample, weight) in self.sound.iter().zip(&self.window) {
            let heard = sample * weight;
            all += heard * heard;
            for ((one, two), (turn, _)) in one.iter_mut().zip(&mut two).zip(&self.turns) {
                let next = turn.mul_add(*one, heard) - *two;
                (*one, *two) = (next, *one);
            }
        }
        let all = all / self.squares;
        if all < SOFTEST {
            return None;
        }
        let hz = ROWS_HZ.iter().chain(&COLUMNS_HZ);
        let mut found = one.iter().zip(&two).zip(&self.turns).zip(hz).enumerate().map(
            |(at, (((one, two), (turn, sin)), hz))| {
                let (re, im) = (one - two * turn / 2.0, two * sin);
                let level = 2.0 * (re * re + im * im) / (self.sum * self.sum);
                Pitch { place: at % 4, hz: f32::from(*hz), level, re, im }
            },
        );
        let louder = |a: &Pitch, b: &Pitch| a.level.total_cmp(&b.level);
        let row = found.by_ref().take(4).max_by(louder)?;
        let column = found.max_by(louder)?;
        (row.level + column.level >= LEAST_SHARE * all).then_some(Seen { row, column, all })
    }
}

/// Whether two looks in a row saw one key and little else.
fn is_one_key(last: &Seen, seen: &Seen) -> bool {
    let row = last.row.goes_on(&seen.row);
    let Some((low, high)) = row.zip(last.column.goes_on(&seen.column)) else { return false };
    low.min(high) >= SOFTEST
        && high <= MOST_TWIST * low
        && low <= MOST_REVERSE * high
        && low + high >= LEAST_PURE * (last.all + seen.all) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;
    use crate::rtp::g711::{self, Law};

    /// How the keys of a test are pressed.
    #[derive(Clone, Copy)]
    struct Pressed {
        /// Of the louder tone, dBm0.
        level: f32,
        /// The column's level above the row's, dB.
        twist: f32,
        /// How far both pitches are off.
        off: f32,
        /// Signal to noise, dB.
        snr: Option<f32>,
        on_ms: f32,
        pause_ms: f32,
    }

    const PLAIN: Pressed =
        Pressed { level: -10.0, twist: 0.0, off: 0.0, snr: None, on_ms: 50.0, pause_ms: 50.0 };

    fn ratio(db: f32) -> f32 {
        10.0_f32.powf(db / 20.0)
    }

    fn draw(rng: &mut Rng) -> f32 {
        f32::from(u16::try_from(rng.below(10_000)).unwrap()) / 10_000.0
    }

    /// All keys over and over through G.711; which of them were heard in their order, and how many in all.
    fn heard(pressed: Pressed, rounds: usize) -> (usize, usize, usize) {
        let mut rng = Rng::from_number(7);
        let (mut reader, mut keys) = (ToneReader::default(), String::new());
        let mut packet = Vec::new();
        let mut want = String::new();
        for key in KEYS.into_iter().cycle().take(16 * rounds) {
            want.push(key);
            let (row, column) = crate::rtp::tone::key_hz(key).unwrap();
            let peak = 22_380.0 * ratio(pressed.level);
            let low = peak * ratio(-pressed.twist.max(0.0));
            let high = peak * ratio(pressed.twist.min(0.0));
            let noise =
                pressed.snr.map_or(0.0, |snr| low.hypot(high) / ratio(snr) / 2.0_f32.sqrt());
            let phases = (draw(&mut rng) * TAU, draw(&mut rng) * TAU);
            // Anyhow against the looks.
            let pause = pressed.pause_ms * 8.0 + draw(&mut rng) * 80.0;
            let (on, pause) = (pressed.on_ms * 8.0, pause);
            let mut at = 0.0;
            while at < on + pause {
                let wave = |hz: u16, phase: f32| {
                    (TAU * f32::from(hz) * (1.0 + pressed.off) * at / 8000.0 + phase).sin()
                };
                let tones = if at < on {
                    low * wave(row, phases.0) + high * wave(column, phases.1)
                } else {
                    0.0
                };
                let hiss: f32 = (0..12).map(|_| draw(&mut rng)).sum::<f32>() - 6.0;
                #[expect(clippy::cast_possible_truncation, reason = "clamped")]
                let sample = (tones + hiss * noise).clamp(-32_000.0, 32_000.0) as i16;
                packet.push(g711::decode(Law::Mu, g711::encode(Law::Mu, sample)));
                if packet.len() == 160 {
                    keys.extend(reader.hear(&packet));
                    packet.clear();
                }
                at += 1.0;
            }
        }
        keys.extend(reader.hear(&packet));
        let mut rest = keys.chars().peekable();
        let found = want.chars().filter(|key| rest.next_if_eq(key).is_some()).count();
        (want.len(), if keys == want { want.len() } else { found }, keys.len())
    }

    #[test]
    fn keys_are_heard_as_itu_t_q24_has_it() {
        let table = [
            ("plain", PLAIN),
            ("the shortest", Pressed { on_ms: 40.0, pause_ms: 40.0, ..PLAIN }),
            ("the softest", Pressed { level: -25.0, ..PLAIN }),
            ("the loudest", Pressed { level: -3.0, ..PLAIN }),
            ("the column louder by 4 dB", Pressed { level: -25.0, twist: 4.0, ..PLAIN }),
            ("softer by 8 dB", Pressed { level: -25.0, twist: -8.0, ..PLAIN }),
            ("off by 1.5 %", Pressed { off: 0.015, ..PLAIN }),
            ("off by -1.5 %", Pressed { off: -0.015, ..PLAIN }),
            ("in noise of 15 dB", Pressed { snr: Some(15.0), ..PLAIN }),
            ("all at once", Pressed { off: 0.015, twist: -8.0, snr: Some(15.0), ..PLAIN }),
            ("the other way", Pressed { off: -0.015, twist: 4.0, snr: Some(15.0), ..PLAIN }),
        ];
        for (case, pressed) in table {
            let (all, right, told) = heard(pressed, 10);
            assert!(
                right * 100 >= all * 99 && told <= all,
                "{case}: {right} of {all}, {told} told"
            );
        }
    }

    #[test]
    fn what_is_no_key_is_not_told() {
        let table = [
            ("off by 3.5 %", Pressed { off: 0.035, ..PLAIN }),
            ("off by -3.5 %", Pressed { off: -0.035, ..PLAIN }),
            ("the same in noise", Pressed { off: 0.035, snr: Some(15.0), ..PLAIN }),
            ("20 ms", Pressed { on_ms: 20.0, ..PLAIN }),
            ("the column far louder", Pressed { twist: 9.0, ..PLAIN }),
            ("the row far louder", Pressed { twist: -13.0, ..PLAIN }),
            ("far too soft", Pressed { level: -45.0, ..PLAIN }),
        ];
        for (case, pressed) in table {
            assert_eq!(heard(pressed, 3).2, 0, "{case}");
        }
    }

    #[test]
    fn a_key_held_for_long_is_one_press_though_a_packet_is_lost() {
        let sound: Vec<i16> = {
            let tone = crate::rtp::tone::render_key('5');
            tone.iter().take(800).copied().cycle().take(8000).collect()
        };
        let mut reader = ToneReader::default();
        let packets = sound.chunks(160).enumerate().filter(|(at, _)| at % 20 != 9);
        let keys: String = packets.filter_map(|(_, packet)| reader.hear(packet)).collect();
        assert_eq!(keys, "5");
    }
}
