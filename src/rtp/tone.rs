//! Tones of the networks of some countries, and of a keypad, computed. The figures are those of ITU-T
//! E.180 Supplement 2; of the United Kingdom those of BT's SIN 350.

/// A stretch of a tone: what sounds, and the silence after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beep {
    /// The pitches, one or two.
    pub hz: &'static [u16],
    /// It swells this often a second; 0 for a steady one.
    pub swell_hz: u16,
    /// Sounding, milliseconds.
    pub on_ms: u32,
    /// Silent after it, milliseconds.
    pub off_ms: u32,
}

/// A tone in a rhythm: its stretches, over and over.
pub type Tone = &'static [Beep];

const fn beep(hz: &'static [u16], on_ms: u32, off_ms: u32) -> Beep {
    Beep { hz, swell_hz: 0, on_ms, off_ms }
}

/// What a caller is told without words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tones {
    /// The other phone rings.
    pub ringback: Tone,
    /// It is busy.
    pub busy: Tone,
    /// It cannot be reached (reorder).
    pub congestion: Tone,
}

/// Whose tones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Country {
    /// Japan.
    #[default]
    Jp,
    /// The United States.
    Us,
    /// The United Kingdom.
    Uk,
    /// Germany.
    De,
    /// France.
    Fr,
    /// Korea.
    Kr,
    /// Taiwan.
    Tw,
    /// China.
    Cn,
}

impl Country {
    /// All that we know.
    pub const ALL: [Self; 8] =
        [Self::Jp, Self::Us, Self::Uk, Self::De, Self::Fr, Self::Kr, Self::Tw, Self::Cn];

    /// Two letters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jp => "jp",
            Self::Us => "us",
            Self::Uk => "uk",
            Self::De => "de",
            Self::Fr => "fr",
            Self::Kr => "kr",
            Self::Tw => "tw",
            Self::Cn => "cn",
        }
    }

    /// Its tones.
    #[must_use]
    pub const fn tones(self) -> Tones {
        match self {
            Self::Jp => JP,
            Self::Us => US,
            Self::Uk => UK,
            Self::De => DE,
            Self::Fr => FR,
            Self::Kr => KR,
            Self::Tw => TW,
            Self::Cn => CN,
        }
    }
}

// NTT: 400 Hz, swelling 15 to 20 times a second while it rings.
const JP: Tones = Tones {
    ringback: &[Beep { hz: &[400], swell_hz: 16, on_ms: 1000, off_ms: 2000 }],
    busy: &[beep(&[400], 500, 500)],
    congestion: &[beep(&[400], 500, 500)],
};
const US: Tones = Tones {
    ringback: &[beep(&[440, 480], 2000, 4000)],
    busy: &[beep(&[480, 620], 500, 500)],
    congestion: &[beep(&[480, 620], 250, 250)],
};
const UK: Tones = Tones {
    ringback: &[beep(&[400, 450], 400, 200), beep(&[400, 450], 400, 2000)],
    busy: &[beep(&[400], 375, 375)],
    congestion: &[beep(&[400], 400, 350), beep(&[400], 225, 525)],
};
const DE: Tones = Tones {
    ringback: &[beep(&[425], 1000, 4000)],
    busy: &[beep(&[425], 480, 480)],
    congestion: &[beep(&[425], 240, 240)],
};
const FR: Tones = Tones {
    ringback: &[beep(&[440], 1500, 3500)],
    busy: &[beep(&[440], 500, 500)],
    congestion: &[beep(&[440], 250, 250)],
};
const KR: Tones = Tones {
    ringback: &[beep(&[440, 480], 1000, 2000)],
    busy: &[beep(&[480, 620], 500, 500)],
    congestion: &[beep(&[480, 620], 300, 200)],
};
const TW: Tones = Tones {
    ringback: &[beep(&[440, 480], 1000, 2000)],
    busy: &[beep(&[480, 620], 500, 500)],
    congestion: &[beep(&[480, 620], 250, 250)],
};
const CN: Tones = Tones {
    ringback: &[beep(&[450], 1000, 4000)],
    busy: &[beep(&[450], 350, 350)],
    congestion: &[beep(&[450], 700, 700)],
};

/// After it a caller speaks: a message is recorded from here on.
pub const LEAVE_WORD: Tone = &[beep(&[1000], 500, 40)];

/// Peak of all tones: 16 dB below the loudest sample.
const PEAK: f64 = 5200.0;
/// A tone swells and fades within so many milliseconds, so that it does not click.
const EDGE_MS: f64 = 4.0;

/// Whole turns of the rhythm, `least_ms` long or a little more, with `per_ms` samples a millisecond. It
/// ends in silence, so it can be looped.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "a sine times 5200 fits i16")]
pub fn render(tone: Tone, per_ms: u32, least_ms: u32) -> Vec<i16> {
    let turn = std::f64::consts::TAU / (f64::from(per_ms) * 1000.0);
    let least = usize::try_from(least_ms.saturating_mul(per_ms)).unwrap_or(0);
    let mut sound = Vec::new();
    loop {
        for beep in tone {
            let edge = EDGE_MS * f64::from(per_ms);
            let count = beep.on_ms.saturating_mul(per_ms);
            let peak = PEAK / f64::from(u32::try_from(beep.hz.len()).unwrap_or(1)).sqrt();
            sound.extend((0..count).map(f64::from).map(|at| {
                let waves = beep.hz.iter().map(|hz| (turn * f64::from(*hz) * at).sin());
                let swell = 1.0 - (turn * f64::from(beep.swell_hz) * at).cos();
                let swell = if beep.swell_hz == 0 { 1.0 } else { swell / 2.0 };
                let edge = (at / edge).min((f64::from(count) - at) / edge).min(1.0);
                (waves.sum::<f64>() * peak * swell * edge) as i16
            }));
            let silence = usize::try_from(beep.off_ms.saturating_mul(per_ms)).unwrap_or(0);
            sound.extend(std::iter::repeat_n(0, silence));
        }
        if sound.len() >= least || sound.is_empty() {
            return sound;
        }
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
    let turn = std::f64::consts::TAU / 8000.0;
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
    fn pitch_and_rhythm_are_those_of_the_country() {
        for country in Country::ALL {
            let Tones { ringback, busy, congestion } = country.tones();
            for (tone, per_ms) in [(ringback, 8), (busy, 8), (congestion, 8), (ringback, 16)] {
                let sound = render(tone, per_ms, 0);
                let mut from = 0;
                let place = |ms: u32| usize::try_from(ms * per_ms).unwrap();
                for beep in tone {
                    let (on, whole) = (place(beep.on_ms), place(beep.on_ms + beep.off_ms));
                    let heard = &sound[from..from + on];
                    let pitch = |hz: f64| share(heard, hz * 8.0 / f64::from(per_ms));
                    let all: f64 = beep.hz.iter().map(|hz| pitch(f64::from(*hz))).sum();
                    let least = if beep.swell_hz > 0 { 0.66 } else { 0.97 };
                    assert!(all > least && pitch(530.0) < 0.02, "{country:?} {beep:?} {all}");
                    assert!(sound[from + on..from + whole].iter().all(|sample| *sample == 0));
                    from += whole;
                }
                assert_eq!(from, sound.len(), "{country:?}");
                assert!(sound.iter().all(|sample| sample.unsigned_abs() <= 7400));
            }
            assert_eq!(Country::ALL.iter().filter(|all| all.name() == country.name()).count(), 1);
        }
        assert_eq!(render(Country::Jp.tones().busy, 8, 3500).len(), 4 * 8000, "whole turns");
    }
}
