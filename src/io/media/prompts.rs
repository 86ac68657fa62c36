//! What can be played: the announcements that come with the program, and a site's own recordings that
//! take their place by name. A site's are read and judged before the first call; in which codecs, and when, is
//! for [`super::making`] to say.

use super::built_in::{BuiltIn, MUSIC, SPOKEN};
use crate::base::PromptId;
use crate::rtp::Prompt;
use crate::rtp::tone::{self, Country, Tones};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The folder of English recordings inside a prompt folder, and what stands before their names here.
const ENGLISH: &str = "en/";
/// Longest prompt, seconds.
const MAX_SECONDS: u32 = 600;
/// Most files in a prompt folder.
const MAX_FILES: usize = 1000;
/// Sounds that no plan names and any call may need.
const UNNAMED: [&str; 4] = ["ringback", "busy-tone", "congestion-tone", "beep"];

/// So long a tone that ends a call is heard, milliseconds.
const TOLD_MS: u32 = 3500;
/// What stands before the samples in each file of ours, and how many bytes of them last a millisecond at 8 kHz: held
/// by a test, so that a start need not look into each.
const SHIPPED_HEAD_BYTES: usize = 44;
const SHIPPED_BYTES_PER_MS: usize = 16;

/// Samples a second that are played.
const RATE_HZ: u32 = 8000;

/// Why a prompt cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// The folder or a file in it cannot be read.
    #[error("{path}: cannot be read")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// More files than are loaded.
    #[error("{path}: more than {limit} WAV files")]
    TooMany {
        /// The folder.
        path: PathBuf,
        /// The bound.
        limit: usize,
    },
    /// Not a WAV file, or a broken one.
    #[error("{path}: not a whole WAV file")]
    NotWav {
        /// Which.
        path: PathBuf,
        /// Where the reader stumbled.
        source: hound::Error,
    },
    /// A WAV file of the wrong kind.
    #[error(
        "{path}: {found_hz} Hz, {found_channels} channels, {found_bits} bits found; due are 8000, 16000 or 48000 Hz, 1 channel, 16-bit PCM"
    )]
    WrongKind {
        /// Which.
        path: PathBuf,
        /// Samples a second.
        found_hz: u32,
        /// Channels.
        found_channels: u16,
        /// Bits a sample.
        found_bits: u16,
    },
    /// Nothing in it, or more than anybody would listen to.
    #[error("{path}: {found_ms} ms long; due are 1 ms to {limit_s} s")]
    WrongLength {
        /// Which.
        path: PathBuf,
        /// How long it is, milliseconds.
        found_ms: u64,
        /// The bound, seconds.
        limit_s: u32,
    },
}

/// All prompts by name, those in English under `en/` and the name. Cheap to share, never changed: a restart
/// makes a new one.
#[derive(Clone, Debug)]
pub struct PromptLibrary {
    prompts: BTreeMap<PromptId, Entry>,
    /// The tones of a keypad.
    keys: BTreeMap<char, Arc<Prompt>>,
}

#[derive(Clone, Debug)]
enum Entry {
    Ready(Arc<Prompt>),
    /// One of ours, at 8 and at 16 kHz, read when it is first wanted: a desk uses few of them.
    BuiltIn {
        wav: [&'static [u8]; 2],
        read: Arc<OnceLock<Arc<Prompt>>>,
    },
}

impl Entry {
    fn built_in(narrow: &'static [u8], wide: &'static [u8]) -> Self {
        Self::BuiltIn { wav: [narrow, wide], read: Arc::default() }
    }

    fn get(&self) -> &Arc<Prompt> {
        match self {
            Self::Ready(prompt) => prompt,
            Self::BuiltIn { wav: [narrow, wide], read } => {
                read.get_or_init(|| Arc::new(Prompt::shipped(bare(narrow), bare(wide))))
            }
        }
    }
}

impl Entry {
    /// How long it is; what was not read yet is not touched for it.
    fn length(&self) -> Duration {
        match self {
            Self::Ready(prompt) => prompt.length(),
            Self::BuiltIn { wav: [narrow, _], .. } => {
                Duration::from_millis((bare(narrow).len() / SHIPPED_BYTES_PER_MS) as u64)
            }
        }
    }
}

impl PromptLibrary {
    /// The built-in prompts, the tones of `country`, and over them the WAV files of `folder`: `busy.wav` takes the
    /// place of `busy` in every language, `en/busy.wav` only of the English one; a new name adds a prompt.
    ///
    /// # Errors
    ///
    /// [`PromptError`] for the first file that cannot be used: better no start than a silent desk.
    pub fn load(folder: Option<&Path>, country: Country) -> Result<Self, PromptError> {
        let Tones { ringback, busy, congestion } = country.tones();
        let tones = [
            ("ringback", ringback, 0),
            ("busy-tone", busy, TOLD_MS),
            ("congestion-tone", congestion, TOLD_MS),
            ("beep", tone::LEAVE_WORD, 0),
        ];
        let mut prompts = BTreeMap::new();
        for (name, tone, least_ms) in tones {
            let (narrow, wide) =
                (tone::render(tone, 8, least_ms), tone::render(tone, 16, least_ms));
            let prompt = Arc::new(Prompt::encode_wide(&narrow, &wide));
            prompts.insert(PromptId::from(name), Entry::Ready(prompt));
        }
        for BuiltIn { name, narrow, wide, english } in SPOKEN.iter().chain([&MUSIC]) {
            prompts.insert(PromptId::from(*name), Entry::built_in(narrow, wide));
            if let Some((narrow, wide)) = english {
                let name = format!("{ENGLISH}{name}");
                prompts.insert(PromptId::from(name), Entry::built_in(narrow, wide));
            }
        }
        let mut library = Self { prompts, keys: keypad() };
        folder.map_or(Ok(()), |folder| library.lay_over(folder))?;
        Ok(library)
    }

    /// Puts the WAV files of `folder` over what is there.
    fn lay_over(&mut self, folder: &Path) -> Result<(), PromptError> {
        // A site's own words for a prompt must not be spoken in the built-in voice to those who chose English.
        for (name, prompt) in read_folder(folder, "")? {
            self.prompts.remove(&PromptId::from(format!("{ENGLISH}{name}")));
            self.prompts.insert(name, prompt);
        }
        let english = folder.join(ENGLISH);
        if english.is_dir() {
            self.prompts.extend(read_folder(&english, ENGLISH)?);
        }
        Ok(())
    }

    /// A library of given prompts, for tests and measurements.
    #[must_use]
    pub fn of(prompts: impl IntoIterator<Item = (PromptId, Prompt)>) -> Self {
        let ready = |(name, prompt)| (name, Entry::Ready(Arc::new(prompt)));
        let prompts = prompts.into_iter().map(ready);
        Self { prompts: prompts.collect(), keys: keypad() }
    }

    /// One prompt, read now and made in G.711 if it was not; that of no language when there is none in the one that is
    /// named.
    #[must_use]
    pub fn get(&self, name: &PromptId) -> Option<&Arc<Prompt>> {
        let without = || self.prompts.get(&PromptId::from(name.as_str().strip_prefix(ENGLISH)?));
        Some(self.prompts.get(name).or_else(without)?.get())
    }

    /// The tones of a key.
    #[must_use]
    pub fn key(&self, key: char) -> Option<&Arc<Prompt>> {
        self.keys.get(&key)
    }

    /// What may be heard under a plan that names these: they in each language, and what no plan names; the short
    /// before the long.
    pub(super) fn heard_under(&self, names: &BTreeSet<PromptId>) -> Vec<PromptId> {
        let english = names.iter().map(|name| PromptId::from(format!("{ENGLISH}{name}")));
        let unnamed = UNNAMED.into_iter().map(PromptId::from);
        let heard: BTreeSet<_> = names.iter().cloned().chain(english).chain(unnamed).collect();
        let length = |name: PromptId| Some((self.prompts.get(&name)?.length(), name));
        let mut heard: Vec<_> = heard.into_iter().filter_map(length).collect();
        heard.sort();
        heard.into_iter().map(|(_, name)| name).collect()
    }

    /// All names, in order.
    #[must_use]
    pub fn names(&self) -> BTreeSet<PromptId> {
        self.prompts.keys().cloned().collect()
    }

    /// All names, each with how long it is.
    #[must_use]
    pub fn lengths(&self) -> BTreeMap<PromptId, Duration> {
        self.prompts.iter().map(|(name, entry)| (name.clone(), entry.length())).collect()
    }

    /// Those of `names` that there is no prompt for, each once.
    #[must_use]
    pub fn missing<'a>(&self, names: impl IntoIterator<Item = &'a PromptId>) -> Vec<PromptId> {
        let missing: BTreeSet<_> =
            names.into_iter().filter(|name| !self.prompts.contains_key(*name)).cloned().collect();
        missing.into_iter().collect()
    }
}

fn keypad() -> BTreeMap<char, Arc<Prompt>> {
    let tones = |key: char| (key, Arc::new(Prompt::encode(&tone::render_key(key))));
    tone::KEYS.into_iter().map(tones).collect()
}

/// The WAV files of a folder, with `before` before their names.
fn read_folder(folder: &Path, before: &str) -> Result<BTreeMap<PromptId, Entry>, PromptError> {
    let mut prompts = BTreeMap::new();
    for path in wav_files(folder)? {
        let Some(name) = path.file_stem().and_then(|name| name.to_str()) else { continue };
        let name = PromptId::from(format!("{before}{name}"));
        let unreadable = |source| PromptError::Unreadable { path: path.clone(), source };
        let file = std::fs::File::open(&path).map_err(unreadable)?;
        let prompt = decode(io::BufReader::new(file), path)?;
        prompts.insert(name, Entry::Ready(Arc::new(prompt)));
    }
    Ok(prompts)
}

fn wav_files(folder: &Path) -> Result<Vec<PathBuf>, PromptError> {
    let unreadable = |source| PromptError::Unreadable { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("wav")) {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            return Err(PromptError::TooMany { path: folder.to_owned(), limit: MAX_FILES });
        }
    }
    files.sort();
    Ok(files)
}

/// The samples of one of our own files as they lie in it: 16 bits, one channel, nothing behind them.
fn bare(wav: &'static [u8]) -> &'static [u8] {
    wav.get(SHIPPED_HEAD_BYTES..).unwrap_or_default()
}

/// Samples a second, and the samples, of a WAV file that can be played.
fn samples(wav: impl io::Read, path: PathBuf) -> Result<(u32, Vec<i16>), PromptError> {
    let reader = match hound::WavReader::new(wav) {
        Ok(reader) => reader,
        Err(source) => return Err(PromptError::NotWav { path, source }),
    };
    let spec = reader.spec();
    let kind = (spec.channels, spec.bits_per_sample, spec.sample_format);
    if kind != (1, 16, hound::SampleFormat::Int)
        || ![RATE_HZ, 2 * RATE_HZ, 6 * RATE_HZ].contains(&spec.sample_rate)
    {
        return Err(PromptError::WrongKind {
            path,
            found_hz: spec.sample_rate,
            found_channels: spec.channels,
            found_bits: spec.bits_per_sample,
        });
    }
    let found_ms =
        u64::from(reader.duration()).saturating_mul(1000).checked_div(u64::from(spec.sample_rate));
    let found_ms = found_ms.unwrap_or(0);
    if found_ms == 0 || found_ms > u64::from(MAX_SECONDS).saturating_mul(1000) {
        return Err(PromptError::WrongLength { path, found_ms, limit_s: MAX_SECONDS });
    }
    match reader.into_samples().collect() {
        Ok(samples) => Ok((spec.sample_rate, samples)),
        Err(source) => Err(PromptError::NotWav { path, source }),
    }
}

fn decode(wav: impl io::Read, path: PathBuf) -> Result<Prompt, PromptError> {
    let (rate, samples) = samples(wav, path)?;
    let lowered = |by: u16, samples: &[i16]| lower(samples, by);
    Ok(match rate.checked_div(RATE_HZ) {
        Some(6) => Prompt::encode_wide(&lowered(6, &samples), &lowered(3, &samples)),
        Some(2) => Prompt::encode_wide(&lowered(2, &samples), &samples),
        _ => Prompt::encode(&samples),
    })
}

/// Taps of the filter in front of the lowering, for each time that the rate is divided by; odd in all.
const TAPS: u16 = 31;

/// To a rate `by` times lower: a low pass at nine tenths of what the new rate can carry (a windowed
/// sinc), then every `by`th sample.
#[expect(clippy::cast_possible_truncation, reason = "clamped to the range of i16 first")]
fn lower(samples: &[i16], by: u16) -> Vec<i16> {
    let last = TAPS.saturating_mul(by) & !1;
    let middle = f64::from(last) / 2.0;
    let tap = |at: u16| {
        let x = std::f64::consts::TAU * (0.45 / f64::from(by)) * (f64::from(at) - middle);
        let sinc = if x == 0.0 { 1.0 } else { x.sin() / x };
        let turn = std::f64::consts::TAU * f64::from(at) / f64::from(last);
        sinc * (0.42 - 0.5 * turn.cos() + 0.08 * (2.0 * turn).cos())
    };
    let taps: Vec<f64> = (0..=last).map(tap).collect();
    let gain: f64 = taps.iter().sum();
    let edge = std::iter::repeat_n(0.0, usize::from(last / 2));
    let sound = samples.iter().map(|sample| f64::from(*sample));
    let padded: Vec<f64> = edge.clone().chain(sound).chain(edge).collect();
    let filtered = padded.windows(taps.len()).step_by(usize::from(by));
    filtered
        .map(|window| {
            window.iter().zip(&taps).map(|(sample, tap)| sample * tap).sum::<f64>() / gain
        })
        .map(|sample| sample.clamp(f64::from(i16::MIN), f64::from(i16::MAX)) as i16)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::{Filled, Playlist, g711};
    use crate::sdp::Codec;

    fn wav(rate: u32, channels: u16, samples: &[i16]) -> Vec<u8> {
        let spec = hound::WavSpec {
            channels,
            sample_rate: rate,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut bytes = io::Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
        for sample in samples {
            writer.write_sample(*sample).unwrap();
        }
        writer.finalize().unwrap();
        bytes.into_inner()
    }

    fn sine(hz: f64, rate: f64, count: u32) -> Vec<i16> {
        #[expect(clippy::cast_possible_truncation, reason = "below 10000")]
        let sample =
            |at| (10_000.0 * (std::f64::consts::TAU * hz / rate * f64::from(at)).sin()) as i16;
        (0..count).map(sample).collect()
    }

    fn loudness(prompt: &Prompt) -> f64 {
        let sound = prompt.bytes(Codec::Pcma).unwrap();
        let inner = &sound[100..sound.len() - 100];
        let power = inner.iter().map(|byte| f64::from(g711::decode(g711::Law::A, *byte)).powi(2));
        (power.sum::<f64>() / f64::from(u32::try_from(inner.len()).unwrap())).sqrt()
    }

    #[test]
    fn what_comes_with_the_program_can_be_played() {
        let library = PromptLibrary::load(None, Country::Jp).unwrap();
        let wanted = ["welcome", "busy", "position-10", "music", "ringback", "nothing", "nothing"];
        let wanted: Vec<PromptId> = wanted.into_iter().map(PromptId::from).collect();
        assert_eq!(library.missing(&wanted), [PromptId::from("nothing")]);
        for name in library.names() {
            let prompt = library.get(&name).unwrap();
            let seconds = prompt.samples() / 8000;
            assert!(seconds <= 30 && prompt.samples() > 2000, "{name}");
            assert!((300.0..12_000.0).contains(&loudness(prompt)), "{name} {}", loudness(prompt));
            let english = PromptId::from(format!("en/{name}"));
            assert!(name.as_str().contains('/') || library.get(&english).is_some(), "{name}");
        }
        assert_eq!(library.get(&"music".into()).unwrap().samples(), 24 * 8000);
    }

    #[test]
    fn what_comes_with_the_program_is_what_its_files_hold_in_every_codec() {
        let library = PromptLibrary::load(None, Country::Jp).unwrap();
        for BuiltIn { name, narrow, wide, english } in SPOKEN.iter().chain([&MUSIC]) {
            let files = [(8000, *narrow), (16_000, *wide)].into_iter();
            let english = english.iter().flat_map(|(n, w)| [(8000, *n), (16_000, *w)]);
            for (hz, wav) in files.chain(english) {
                let reader = hound::WavReader::new(wav).unwrap();
                let spec = reader.spec();
                let found = (spec.sample_rate, spec.channels, spec.bits_per_sample);
                assert_eq!(found, (hz, 1, 16), "{name}");
                let bytes = reader.len() as usize * 2;
                assert_eq!(&reader.into_inner()[..bytes], bare(wav), "{name}");
            }
        }
        for BuiltIn { name, narrow, wide, .. } in SPOKEN.iter().take(3).chain([&MUSIC]) {
            let held = |wav| samples(wav, PathBuf::new()).unwrap();
            let ((narrow_hz, narrow), (wide_hz, wide)) = (held(*narrow), held(*wide));
            assert_eq!((narrow_hz, wide_hz), (8000, 16_000), "{name}");
            let due = Prompt::encode_wide(&narrow, &wide);
            let shipped = library.get(&PromptId::from(*name)).unwrap();
            for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722] {
                due.prepare(codec);
                shipped.prepare(codec);
                assert_eq!(shipped.bytes(codec), due.bytes(codec), "{name} {codec:?}");
            }
            assert_eq!(shipped.samples(), narrow.len(), "{name}");
            let opus = |prompt: &Prompt| {
                prompt.prepare(Codec::Opus);
                let mut list = Playlist::new(vec![Arc::new(prompt.clone())], false);
                let (mut heard, mut packet) = (Vec::new(), [0; 500]);
                while let Filled::Sound { bytes, .. } = list.fill(Codec::Opus, 20, &mut packet) {
                    heard.push(packet[..bytes].to_vec());
                }
                heard
            };
            assert_eq!(opus(shipped), opus(&due), "{name}");
        }
    }

    #[test]
    fn sixteen_kilohertz_are_halved_without_aliases() {
        let read = |hz, rate: u32| {
            let bytes = wav(rate, 1, &sine(hz, f64::from(rate), rate));
            decode(bytes.as_slice(), PathBuf::new()).unwrap()
        };
        let (as_is, halved, alias) =
            (read(1000.0, 8000), read(1000.0, 16_000), read(5000.0, 16_000));
        assert_eq!((as_is.samples(), halved.samples()), (8000, 8000));
        assert!((loudness(&as_is) / loudness(&halved) - 1.0).abs() < 0.02);
        assert!(loudness(&alias) < 30.0, "{}", loudness(&alias));
    }

    #[test]
    fn a_folder_replaces_and_adds_and_is_judged() {
        let folder = std::env::temp_dir().join(format!("prompts-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let put = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).unwrap();
        put("busy.wav", &wav(8000, 1, &[500; 800]));
        put("own.WAV", &wav(16_000, 1, &[500; 800]));
        put("readme.txt", b"not a prompt");
        std::fs::create_dir_all(folder.join("en")).unwrap();
        put("en/closing.wav", &wav(8000, 1, &[500; 1600]));
        let own = |name: &str| (name.into(), Prompt::encode(&[1, 2]));
        let mut library = PromptLibrary::of([own("busy"), own("en/busy")]);
        library.lay_over(&folder).unwrap();
        assert_eq!(library.get(&"en/busy".into()).unwrap().samples(), 800, "the site's word");
        assert_eq!(library.get(&"en/closing".into()).unwrap().samples(), 1600);
        assert!(library.get(&"closing".into()).is_none());
        assert_eq!(library.get(&"busy".into()).unwrap().samples(), 800);
        assert_eq!(library.get(&"own".into()).unwrap().samples(), 400);
        assert_eq!(library.names().len(), 3);
        let table = [
            (wav(8000, 2, &[0; 800]), "8000 Hz, 2 channels"),
            (wav(44_100, 1, &[0; 800]), "44100 Hz"),
            (wav(8000, 1, &[]), "0 ms long"),
            (b"RIFFnot".to_vec(), "not a whole WAV file"),
            (wav(8000, 1, &[1; 800])[..900].to_vec(), "not a whole WAV file"),
        ];
        for (bytes, want) in table {
            put("zz.wav", &bytes);
            let error = library.lay_over(&folder).unwrap_err().to_string();
            assert!(error.contains("zz.wav") && error.contains(want), "{error}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(matches!(library.lay_over(&folder), Err(PromptError::Unreadable { .. })));
    }
}
