//! Tones of the Japanese network, computed.

/// Samples a second of a tone.
const CLOCK_HZ: u32 = 8000;

/// A tone in a rhythm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tone {
    /// The pitch.
    pub hz: u16,
    /// The tone swells this often a second; 0 for a steady one.
    pub swell_hz: u16,
    /// Sounding, milliseconds.
    pub on_ms: u32,
    /// Silent after it, milliseconds.
    pub off_ms: u32,
}

/// The other phone rings: 400 Hz swelling at 16 Hz, one second in three.
pub const RINGBACK: Tone = Tone { hz: 400, swell_hz: 16, on_ms: 1000, off_ms: 2000 };
/// Busy: 400 Hz, half a second in one.
pub const BUSY: Tone = Tone { hz: 400, swell_hz: 0, on_ms: 500, off_ms: 500 };
/// Peak of all tones: 16 dB below the loudest sample.
const PEAK: f64 = 5200.0;

impl Tone {
    /// One turn of the rhythm at 8 kHz. A whole number of swells and waves fits into it, so it loops
    /// without a click.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "a sine times 5200 fits i16")]
    pub fn render(&self) -> Vec<i16> {
        let samples = |ms: u32| {
            u64::from(ms).saturating_mul(u64::from(CLOCK_HZ)).checked_div(1000).unwrap_or(0)
        };
        let (on, off) = (samples(self.on_ms), samples(self.off_ms));
        let turn = std::f64::consts::TAU / f64::from(CLOCK_HZ);
        let sound = (0..u32::try_from(on).unwrap_or(0)).map(f64::from).map(|at| {
            let wave = (turn * f64::from(self.hz) * at).sin();
            let swell = 1.0 - (turn * f64::from(self.swell_hz) * at).cos();
            (wave * PEAK * if self.swell_hz == 0 { 1.0 } else { swell / 2.0 }) as i16
        });
        let silence = std::iter::repeat_n(0, usize::try_from(off).unwrap_or(0));
        sound.chain(silence).collect()
    }
}

/// The keys of a keypad, row by row (ITU-T Q.23).
pub const KEYS: [char; 16] =
    ['1', '2', '3', 'A', '4', '5', '6', 'B', '7', '8', '9', 'C', '*', '0', '#', 'D'];
/// The tones of its rows and of its columns, Hz.
pub const ROWS_HZ: [u16; 4] = [697, 770, 852, 941];
/// The same of its columns.
pub const COLUMNS_HZ: [u16; 4] = [1209, 1336, 1477, 1633];
/// A key sounds for so long and is silent for so long, milliseconds (ITU-T Q.24: 40 at least).
const KEY_MS: (u32, u32) = (100, 60);
/// Peak of each of its two tones.
const KEY_PEAK: f64 = 5200.0;

/// The two tones of a key, Hz; none when it is no key.
#[must_use]
pub fn key_hz(key: char) -> Option<(u16, u16)> {
    let at = KEYS.iter().position(|known| *known == key)?;
    Some((*ROWS_HZ.get(at / 4)?, *COLUMNS_HZ.get(at % 4)?))
}

/// A key as its tones at 8 kHz, with the silence after it; empty when it is no key.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "two sines times 5200 fit i16")]
pub fn render_key(key: char) -> Vec<i16> {
    let Some((row, column)) = key_hz(key) else { return Vec::new() };
    let turn = std::f64::consts::TAU / f64::from(CLOCK_HZ);
    let on = KEY_MS.0.saturating_mul(8);
    let sound = (0..on).map(f64::from).map(|at| {
        let wave = (turn * f64::from(row) * at).sin() + (turn * f64::from(column) * at).sin();
        (wave * KEY_PEAK) as i16
    });
    let silence = std::iter::repeat_n(0, usize::try_from(KEY_MS.1.saturating_mul(8)).unwrap_or(0));
    sound.chain(silence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Energy of `hz` in `samples` (Goertzel), relative to all energy.
    fn share(samples: &[i16], hz: f64) -> f64 {
        let turn = std::f64::consts::TAU * hz / 8000.0;
        let (mut s1, mut s2, mut all) = (0.0, 0.0, 0.0);
        for sample in samples.iter().map(|sample| f64::from(*sample)) {
            (s1, s2) = (sample + 2.0 * turn.cos() * s1 - s2, s1);
            all += sample * sample;
        }
        let power = s1 * s1 + s2 * s2 - 2.0 * turn.cos() * s1 * s2;
        2.0 * power / (all * f64::from(u32::try_from(samples.len()).unwrap()))
    }

    #[test]
    fn pitch_and_rhythm_are_as_written() {
        for (tone, seconds, carrier) in [(RINGBACK, 3, 0.66), (BUSY, 1, 0.99)] {
            let sound = tone.render();
            assert_eq!(sound.len(), seconds * 8000);
            let on = usize::try_from(tone.on_ms * 8).unwrap();
            assert!(share(&sound[..on], 400.0) > carrier && share(&sound[..on], 480.0) < 0.01);
            assert!(sound[on..].iter().all(|sample| *sample == 0));
            assert!(sound.iter().all(|sample| sample.abs() <= 5200));
        }
    }
}
