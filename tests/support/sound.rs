//! Sounds at 8,000 samples a second: from WAV files, from G.711, made up; and finding one in another.

use std::path::Path;

/// Samples a second.
pub const RATE: usize = 8000;

/// Mono sound, 16 bit, 8 kHz.
#[derive(Clone, Debug, Default)]
pub struct Sound(pub Vec<i16>);

/// Where a sound was found in a recording.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// From the recording's begin to where the sound's own begin lies, in ms; negative when the
    /// recording begins within the sound.
    pub at_ms: i64,
    /// Normalised cross-correlation over the common part, -1 to 1.
    pub score: f64,
    /// How much of the sound the recording holds, in ms.
    pub common_ms: i64,
}

impl Sound {
    /// Reads a mono WAV of 8, 16 or 48 kHz.
    #[track_caller]
    pub fn wav(path: &Path) -> Self {
        let mut file =
            hound::WavReader::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let spec = file.spec();
        assert_eq!(spec.channels, 1, "{}: mono is due", path.display());
        let samples: Vec<i16> = file.samples::<i16>().map(Result::unwrap).collect();
        match spec.sample_rate {
            8000 => Self(samples),
            16_000 | 48_000 => {
                // The mean of each piece: a coarse filter, but both sides of a comparison have it.
                let piece = spec.sample_rate as usize / RATE;
                let mean =
                    |p: &[i16]| p.iter().map(|s| i32::from(*s)).sum::<i32>() / p.len() as i32;
                Self(samples.chunks(piece).map(|p| mean(p) as i16).collect())
            }
            other => panic!("{}: {other} Hz", path.display()),
        }
    }

    /// Writes a WAV.
    pub fn write(&self, path: &Path) {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 8000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut file = hound::WavWriter::create(path, spec).unwrap();
        for sample in &self.0 {
            file.write_sample(*sample).unwrap();
        }
        file.finalize().unwrap();
    }

    /// A voice that is like no other: three tones that hop every 80 ms, drawn from `seed`. Two of
    /// different seeds do not correlate, and neither does one with itself moved in time.
    pub fn voice(seed: u64, seconds: usize) -> Self {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut draw = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f64 / f64::from(1u32 << 24)
        };
        let (mut phase, mut step) = ([0.0f64; 3], [0.0f64; 3]);
        let mut out = Vec::with_capacity(seconds * RATE);
        for n in 0..seconds * RATE {
            if n % 640 == 0 {
                for (i, step) in step.iter_mut().enumerate() {
                    let hz = 150.0 + 250.0 * i as f64 + 250.0 * draw();
                    *step = hz * std::f64::consts::TAU / RATE as f64;
                }
            }
            let mut sum = 0.0;
            for (phase, step) in phase.iter_mut().zip(step) {
                *phase += step;
                sum += phase.sin();
            }
            out.push((sum * 3000.0) as i16);
        }
        Self(out)
    }

    /// Length in ms.
    pub fn ms(&self) -> i64 {
        self.0.len() as i64 / 8
    }

    /// The part from `from_ms` for `for_ms`, as far as it goes.
    pub fn part(&self, from_ms: usize, for_ms: usize) -> Self {
        let from = (from_ms * 8).min(self.0.len());
        let to = ((from_ms + for_ms) * 8).min(self.0.len());
        Self(self.0[from..to].to_vec())
    }

    /// Root mean square of the samples: 0 for silence.
    pub fn loudness(&self) -> f64 {
        if self.0.is_empty() {
            return 0.0;
        }
        (self.0.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / self.0.len() as f64).sqrt()
    }

    /// How much of what was heard from then on is this voice, which says the same ten seconds again and again: 1 when nothing
    /// else is, about 0.7 of two equally loud, 0.6 of three; below 0.3 it is not in it. The clearest of some pieces: a busy
    /// machine tears one now and then.
    pub fn share(&self, from_ms: usize, voice: &Self) -> f64 {
        let once = voice.part(0, 10_400);
        let pieces = (0..4).map(|n| self.part(from_ms + n * 250, 400));
        let scores =
            pieces.filter(|piece| piece.loudness() > 100.0).filter_map(|it| once.find(&it));
        scores.map(|found| found.score).fold(0.0, f64::max)
    }

    /// The best place of `other` in this recording, and how alike the two are there.
    ///
    /// A second of `other` (from where it stops being silent) is looked for at an eighth of the rate;
    /// the best places are then compared sample by sample over all that both hold.
    pub fn find(&self, other: &Self) -> Option<Found> {
        let begin = other.0.iter().position(|s| s.unsigned_abs() > 400)?;
        let begin = begin / 8 * 8;
        let window = &other.0[begin..(begin + RATE).min(other.0.len())];
        let (small, big) = (eighth(window), eighth(&self.0));
        if small.len() < 40 || big.len() < 40 {
            return None;
        }
        // The recording may begin within the window or end within it: half of it must be there. What lies half an
        // eighth off would be unlike itself, so the window is laid there, too.
        let places = [0, 4].into_iter().flat_map(|shift| {
            let small = eighth(&window[shift..]);
            let places = likeness::best(&big, &small, small.len() / 2, 5);
            places.into_iter().map(move |(_, at)| at * 8 - shift as i64)
        });
        let fine: Vec<f64> = self.0.iter().map(|s| f64::from(*s)).collect();
        let whole: Vec<f64> = other.0.iter().map(|s| f64::from(*s)).collect();
        let least = (window.len() / 2).min(whole.len());
        places
            .flat_map(|at| at - 12..=at + 12)
            .filter_map(|at| {
                let at = at - begin as i64;
                let (score, common) = likeness::at(&fine, &whole, at, least)?;
                Some(Found { at_ms: at / 8, score, common_ms: common as i64 / 8 })
            })
            .max_by(|a, b| (rough(a.score), a.common_ms).cmp(&(rough(b.score), b.common_ms)))
    }

    /// As [`Self::find`], for a likeness that only the sound itself reaches through G.711 (0.8).
    pub fn holds(&self, other: &Self) -> Option<Found> {
        self.find(other).filter(|found| found.score >= 0.8)
    }
}

fn eighth(samples: &[i16]) -> Vec<f64> {
    samples.chunks_exact(8).map(|c| c.iter().map(|s| f64::from(*s)).sum::<f64>() / 8.0).collect()
}

/// Two places as good as each other but for noise: the one that holds more of the sound is meant.
fn rough(score: f64) -> i64 {
    (score * 50.0) as i64
}

/// One of the two laws of G.711.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// µ-law, payload type 0.
    Mu,
    /// A-law, payload type 8.
    A,
}

impl Law {
    /// The static payload type (RFC 3551 §6).
    pub fn payload_type(self) -> u8 {
        match self {
            Self::Mu => 0,
            Self::A => 8,
        }
    }

    /// Decodes one byte (ITU-T G.711).
    pub fn decode(self, byte: u8) -> i16 {
        match self {
            Self::Mu => {
                let v = !byte;
                let magnitude = ((i32::from(v & 0x0F) << 3) + 0x84) << ((v & 0x70) >> 4);
                let magnitude = (magnitude - 0x84) as i16;
                if v & 0x80 == 0 { magnitude } else { -magnitude }
            }
            Self::A => {
                let v = byte ^ 0x55;
                let (segment, base) = ((v & 0x70) >> 4, i32::from(v & 0x0F) << 4);
                let magnitude =
                    if segment == 0 { base + 8 } else { (base + 0x108) << (segment - 1) };
                if v & 0x80 == 0 { -(magnitude as i16) } else { magnitude as i16 }
            }
        }
    }

    /// The nearest byte, by asking the decoder: slow, right, and independent of the daemon's tables.
    pub fn encoder(self) -> Vec<u8> {
        let mut known: Vec<(i16, u8)> = (0..=255u8).map(|b| (self.decode(b), b)).collect();
        known.sort_unstable();
        (i16::MIN..=i16::MAX)
            .map(|sample| {
                let i = known.partition_point(|(value, _)| *value < sample).min(255);
                let below = i.saturating_sub(1);
                let nearer = |j: usize| (i32::from(known[j].0) - i32::from(sample)).abs();
                if nearer(below) < nearer(i) { known[below].1 } else { known[i].1 }
            })
            .collect()
    }
}
