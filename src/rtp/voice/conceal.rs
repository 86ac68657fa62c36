//! What is heard where a packet is missing: the voice goes on with its last pitch for a moment and
//! fades, so that no click and no hole is heard (the idea of ITU-T G.711 Appendix I).

use super::Band;

/// Sound kept to go on with, milliseconds: the longest pitch, and as much again to find it in.
const KEPT_MS: usize = 40;
/// Shortest pitch, tenths of a millisecond: 400 Hz.
const PITCH_FROM: usize = 25;
/// Longest pitch, tenths of a millisecond: 66 Hz.
const PITCH_TO: usize = 150;
/// At full strength for so long.
const FULL_MS: usize = 10;
/// Silent from here on.
const SILENT_MS: usize = 60;
/// The real voice fades in over so long.
const BACK_MS: usize = 4;

/// Sound that goes on without its packets.
#[derive(Debug)]
pub(super) struct Concealer {
    band: Band,
    /// The newest real sound, the latest last.
    kept: Vec<f32>,
    /// The cycle that is repeated, and how far.
    cycle: Vec<f32>,
    at: usize,
    /// Samples made up since the last real one.
    made_up: usize,
}

impl Concealer {
    pub(super) fn new(band: Band) -> Self {
        let room = KEPT_MS.saturating_mul(band.per_ms());
        Self {
            band,
            kept: Vec::with_capacity(room),
            cycle: Vec::with_capacity(room),
            at: 0,
            made_up: 0,
        }
    }

    /// Real sound came: it is remembered, and blended in when it follows made-up sound.
    pub(super) fn heard(&mut self, sound: &mut [i16]) {
        if self.made_up > 0 {
            let blend = BACK_MS.saturating_mul(self.band.per_ms()).min(sound.len());
            let step = 1.0 / lossy(blend.max(1));
            let mut share = 0.0;
            for sample in sound.iter_mut().take(blend) {
                share += step;
                *sample = rounded(f32::from(*sample).mul_add(share, self.next() * (1.0 - share)));
            }
            self.made_up = 0;
        }
        let room = KEPT_MS.saturating_mul(self.band.per_ms());
        let newest = sound.get(sound.len().saturating_sub(room)..).unwrap_or_default();
        let surplus = self.kept.len().saturating_add(newest.len()).saturating_sub(room);
        self.kept.drain(..surplus.min(self.kept.len()));
        self.kept.extend(newest.iter().map(|sample| f32::from(*sample)));
    }

    /// Makes up `sound`.
    pub(super) fn make_up(&mut self, sound: &mut [i16]) {
        if self.made_up == 0 {
            self.find_cycle();
        }
        for sample in sound {
            *sample = rounded(self.next());
        }
    }

    /// The next made-up sample.
    fn next(&mut self) -> f32 {
        let per_ms = self.band.per_ms();
        let (full, silent) = (FULL_MS.saturating_mul(per_ms), SILENT_MS.saturating_mul(per_ms));
        let left = silent.saturating_sub(self.made_up).min(silent.saturating_sub(full));
        let strength = lossy(left) / lossy(silent.saturating_sub(full));
        self.made_up = self.made_up.saturating_add(1);
        let sample = self.cycle.get(self.at).copied().unwrap_or(0.0);
        self.at = self.at.saturating_add(1);
        if self.at >= self.cycle.len() {
            self.at = 0;
        }
        sample * strength
    }

    /// The last cycle of the voice, by the lag at which the sound resembles itself most.
    fn find_cycle(&mut self) {
        let per_ms = self.band.per_ms();
        let lag = |tenths: usize| tenths.saturating_mul(per_ms).checked_div(10).unwrap_or(0);
        let (from, to) = (lag(PITCH_FROM), lag(PITCH_TO));
        let window = per_ms.saturating_mul(20);
        self.cycle.clear();
        self.at = 0;
        let Some(start) = self.kept.len().checked_sub(window) else { return };
        let newest = self.kept.get(start..).unwrap_or_default();
        let mut best = (f32::MIN, to);
        for lag in from..=to.min(start) {
            let older = self.kept.get(start.saturating_sub(lag)..).unwrap_or_default();
            let (mut like, mut power) = (0.0_f32, 1.0_f32);
            for (new, old) in newest.iter().zip(older) {
                like = new.mul_add(*old, like);
                power = old.mul_add(*old, power);
            }
            let score = like / power.sqrt();
            if score > best.0 {
                best = (score, lag);
            }
        }
        let from = self.kept.len().saturating_sub(best.1);
        self.cycle.extend_from_slice(self.kept.get(from..).unwrap_or_default());
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand samples at most")]
fn lossy(count: usize) -> f32 {
    count as f32
}

#[expect(clippy::cast_possible_truncation, reason = "a cast from a float saturates")]
fn rounded(sample: f32) -> i16 {
    sample.round() as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f32, from: usize, count: usize) -> Vec<i16> {
        let step = std::f32::consts::TAU * hz / 8000.0;
        (from..from + count).map(|n| rounded(10_000.0 * (step * lossy(n)).sin())).collect()
    }

    fn level(sound: &[i16]) -> f32 {
        (sound.iter().map(|s| f32::from(*s).powi(2)).sum::<f32>() / lossy(sound.len().max(1)))
            .sqrt()
    }

    #[test]
    fn a_missing_packet_of_a_steady_voice_is_not_heard() {
        let mut concealer = Concealer::new(Band::Narrow);
        for n in 0..5 {
            concealer.heard(&mut tone(200.0, n * 160, 160));
        }
        let mut made = [0; 80];
        concealer.make_up(&mut made);
        let real = tone(200.0, 800, 80);
        let error: Vec<i16> = made.iter().zip(&real).map(|(a, b)| a - b).collect();
        assert!(level(&error) < 0.05 * level(&real), "{} of {}", level(&error), level(&real));
    }

    #[test]
    fn a_voice_that_stays_away_fades_and_comes_back_without_a_click() {
        let mut concealer = Concealer::new(Band::Narrow);
        for n in 0..5 {
            concealer.heard(&mut tone(200.0, n * 160, 160));
        }
        let mut made = vec![0; 800];
        concealer.make_up(&mut made);
        assert!(level(&made[..80]) > 6000.0 && level(&made[400..480]) < 1500.0);
        assert!(made[480..].iter().all(|sample| *sample == 0));
        let mut back = tone(200.0, 1000, 160);
        concealer.heard(&mut back);
        let steps = back.windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs());
        assert!(steps.max().unwrap() < 2500 && back[0].abs() < 1000, "{:?}", &back[..8]);
    }

    #[test]
    fn nothing_heard_yet_is_silence() {
        let mut concealer = Concealer::new(Band::Wide);
        let mut made = [7; 320];
        concealer.make_up(&mut made);
        assert!(made.iter().all(|sample| *sample == 0));
    }
}
