//! A prompt as it goes onto the wire: encoded once for each codec, shared by all who hear it, cut
//! into packets by whoever plays it.

use super::g711::{self, Law};
use super::voice::{Band, Encoder};
use crate::sdp::Codec;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Bytes of G.711 and of G.722 in a millisecond.
const BYTES_PER_MS: usize = 8;
/// Sound in one packet of a prompt's Opus, milliseconds: what every receiver takes (RFC 7587 §3.3).
const OPUS_MS: u8 = 20;
/// The same in samples at 8 kHz.
const OPUS_SAMPLES: usize = 160;
/// Bytes that one packet of Opus may have: 64 kbit/s.
const OPUS_MOST_BYTES: usize = 160;

/// Silence behind which a prompt's G.722 is made.
const RESTED_MS: usize = 1000;
/// Silence that brings a phone's decoder of G.722 to rest, milliseconds, and its bytes.
const HUSH_MS: usize = 100;
const HUSH_BYTES: usize = HUSH_MS * BYTES_PER_MS;

/// One announcement. G.711 is made when it is loaded; G.722 and Opus, which take long, by
/// [`Prompt::prepare`].
#[derive(Clone, Debug)]
pub struct Prompt {
    ulaw: Arc<[u8]>,
    alaw: Arc<[u8]>,
    sound: Sound,
    band: Band,
    /// Behind [`HUSH_BYTES`] of silence in the same stream.
    g722: Arc<OnceLock<Vec<u8>>>,
    opus: Arc<OnceLock<OpusPackets>>,
}

/// What G.722 and Opus are made of.
#[derive(Clone, Debug)]
enum Sound {
    Held(Arc<[i16]>),
    /// In the program itself, two bytes a sample, the low one first: it takes no memory until it is wanted.
    Shipped(&'static [u8]),
}

impl Sound {
    /// Goes through it in pieces of `length` samples, the last one shorter, until one is not taken.
    fn in_pieces(&self, length: usize, mut take: impl FnMut(&[i16]) -> Option<()>) -> Option<()> {
        match self {
            Self::Held(samples) => samples.chunks(length).try_for_each(take),
            Self::Shipped(bytes) => {
                let mut piece = Vec::with_capacity(length);
                bytes.chunks(length.saturating_mul(2)).try_for_each(|bytes| {
                    piece.clear();
                    piece.extend(samples(bytes));
                    take(&piece)
                })
            }
        }
    }
}

/// Two bytes each, the low one first.
fn samples(bytes: &[u8]) -> impl Iterator<Item = i16> + Clone {
    bytes.as_chunks().0.iter().map(|pair| i16::from_le_bytes(*pair))
}

/// Packets one after another, and where each ends.
#[derive(Debug, Default)]
struct OpusPackets {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl OpusPackets {
    fn get(&self, at: usize) -> Option<&[u8]> {
        let from = at.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.bytes.get(from..*self.ends.get(at)?)
    }
}

impl Prompt {
    /// How long it is, to the millisecond below.
    #[must_use]
    pub fn length(&self) -> Duration {
        Duration::from_millis((self.samples() / BYTES_PER_MS) as u64)
    }

    /// From linear samples at 8 kHz.
    #[must_use]
    pub fn encode(samples: &[i16]) -> Self {
        Self::of(samples.iter().copied(), Sound::Held(samples.into()), Band::Narrow)
    }

    /// From linear samples at 16 kHz, and the same at 8 kHz.
    #[must_use]
    pub fn encode_wide(narrow: &[i16], wide: &[i16]) -> Self {
        Self::of(narrow.iter().copied(), Sound::Held(wide.into()), Band::Wide)
    }

    /// From what lies in the program, at 8 kHz and the same at 16 kHz: two bytes a sample, the low one first.
    #[must_use]
    pub fn shipped(narrow: &[u8], wide: &'static [u8]) -> Self {
        Self::of(samples(narrow), Sound::Shipped(wide), Band::Wide)
    }

    fn of(narrow: impl Iterator<Item = i16> + Clone, sound: Sound, band: Band) -> Self {
        let bytes = |law| narrow.clone().map(|sample| g711::encode(law, sample)).collect();
        let (ulaw, alaw) = (bytes(Law::Mu), bytes(Law::A));
        Self { ulaw, alaw, sound, band, g722: Arc::default(), opus: Arc::default() }
    }

    /// Makes what was not made when it was loaded; some milliseconds for each second of sound, so not
    /// on a thread that somebody waits for. Till then a phone in such a codec waits in silence. What is there is not
    /// made again.
    pub fn prepare(&self, codec: Codec) {
        match codec {
            Codec::Pcmu | Codec::Pcma => {}
            Codec::G722 => {
                self.g722.get_or_init(|| self.as_g722().unwrap_or_default());
            }
            Codec::Opus => {
                self.opus.get_or_init(|| self.as_opus().unwrap_or_default());
            }
        }
    }

    /// Whether it can be heard in this codec without a wait.
    #[must_use]
    pub fn is_made(&self, codec: Codec) -> bool {
        match codec {
            Codec::Pcmu | Codec::Pcma => true,
            Codec::G722 => self.g722.get().is_some(),
            Codec::Opus => self.opus.get().is_some(),
        }
    }

    fn as_g722(&self) -> Option<Vec<u8>> {
        let mut encoder = Encoder::new(Codec::G722, self.band).ok()?;
        encoder.rest(self.band, RESTED_MS, |_| {});
        let whole = HUSH_BYTES.saturating_add(self.samples());
        let mut bytes = Vec::with_capacity(whole);
        encoder.rest(self.band, HUSH_MS, |packet| bytes.extend_from_slice(packet));
        bytes.resize(HUSH_BYTES, quiet(Codec::G722));
        let mut packet = [0; BYTES_PER_MS * 20];
        self.sound.in_pieces(self.band.per_ms().saturating_mul(20), |piece| {
            let count = encoder.encode(piece, &mut packet)?;
            bytes.extend_from_slice(packet.get(..count)?);
            Some(())
        })?;
        bytes.truncate(whole);
        Some(bytes)
    }

    fn as_opus(&self) -> Option<OpusPackets> {
        let mut encoder = Encoder::new(Codec::Opus, self.band).ok()?;
        let mut packets = OpusPackets::default();
        let whole = self.band.per_ms().saturating_mul(usize::from(OPUS_MS));
        let mut packet = [0; OPUS_MOST_BYTES];
        let mut padded = Vec::with_capacity(whole);
        self.sound.in_pieces(whole, |piece| {
            padded.clear();
            padded.extend_from_slice(piece);
            padded.resize(whole, 0);
            let count = encoder.encode(&padded, &mut packet)?;
            packets.bytes.extend_from_slice(packet.get(..count)?);
            packets.ends.push(packets.bytes.len());
            Some(())
        })?;
        Some(packets)
    }

    /// Its bytes in a codec that has eight in a millisecond; none when not made yet, or none such.
    #[must_use]
    pub fn bytes(&self, codec: Codec) -> Option<&[u8]> {
        match codec {
            Codec::Pcmu => Some(&self.ulaw),
            Codec::Pcma => Some(&self.alaw),
            Codec::G722 => self.g722.get()?.get(HUSH_BYTES..),
            Codec::Opus => None,
        }
    }

    /// What comes before its bytes to a phone that has heard something else; nothing in most codecs.
    fn hush(&self, codec: Codec) -> &[u8] {
        let made = self.g722.get().filter(|_| codec == Codec::G722);
        made.and_then(|bytes| bytes.get(..HUSH_BYTES)).unwrap_or_default()
    }

    /// How long it is, in samples at 8 kHz.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.ulaw.len()
    }
}

/// What a packet was filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filled {
    /// So many bytes, which last so many milliseconds.
    Sound {
        /// Bytes of the payload.
        bytes: usize,
        /// Milliseconds until the next packet is due.
        ms: u8,
    },
    /// The next prompt is not made yet in this codec: nothing is sent for so many milliseconds.
    Wait {
        /// Milliseconds until it is asked for again.
        ms: u8,
    },
    /// Everything has been played.
    Over,
}

/// Prompts one after another, and how far they have been played. A packet may hold the end of one
/// and the beginning of the next: no gap.
#[derive(Clone, Debug)]
pub struct Playlist {
    prompts: Vec<Arc<Prompt>>,
    looped: bool,
    /// Prompt, and samples of it at 8 kHz that were played.
    at: (usize, usize),
    /// Bytes of a prompt's hush still to come before it.
    hush: usize,
}

impl Playlist {
    /// What to play; `looped`: over and over.
    #[must_use]
    pub fn new(mut prompts: Vec<Arc<Prompt>>, looped: bool) -> Self {
        prompts.retain(|prompt| prompt.samples() > 0);
        Self { prompts, looped, at: (0, 0), hush: 0 }
    }

    /// Brings the phone to rest first, where its codec needs that: a decoder of G.722 remembers what it heard
    /// before, and what follows at once begins with a bang.
    pub const fn from_rest(&mut self) {
        self.hush = HUSH_BYTES;
    }

    /// Whether it plays the same over and over as `other` does.
    #[must_use]
    pub fn is_loop_of(&self, other: &Self) -> bool {
        let alike = |(a, b): (&Arc<Prompt>, &Arc<Prompt>)| Arc::ptr_eq(a, b);
        let (looped, long) = (self.looped && other.looped, self.prompts.len());
        looped && long == other.prompts.len() && self.prompts.iter().zip(&other.prompts).all(alike)
    }

    /// Whether anything of it has been played.
    #[must_use]
    pub const fn has_begun(&self) -> bool {
        self.at.0 > 0 || self.at.1 > 0
    }

    /// Whether it begins again at its end.
    #[must_use]
    pub const fn is_looped(&self) -> bool {
        self.looped
    }

    /// The prompt that the next packet begins in; none behind the last.
    #[must_use]
    pub fn awaited(&self) -> Option<&Arc<Prompt>> {
        let begun_anew = self.prompts.first().filter(|_| self.looped);
        self.prompts.get(self.at.0).or(begun_anew)
    }

    /// Fills the payload of the next packet, `ptime_ms` long where the codec lets us choose.
    pub fn fill(&mut self, codec: Codec, ptime_ms: u8, payload: &mut [u8]) -> Filled {
        match codec {
            Codec::Pcmu | Codec::Pcma | Codec::G722 => self.fill_bytes(codec, ptime_ms, payload),
            Codec::Opus => self.fill_opus(payload),
        }
    }

    fn fill_bytes(&mut self, codec: Codec, ptime_ms: u8, payload: &mut [u8]) -> Filled {
        let bytes = usize::from(ptime_ms).saturating_mul(BYTES_PER_MS).min(payload.len());
        let Some(mut packet) = payload.get_mut(..bytes) else { return Filled::Over };
        let (mut prompt, mut played) = self.at;
        let mut any = false;
        if let Some(hush) = self.prompts.first().map(|first| first.hush(codec)) {
            let from = hush.len().saturating_sub(self.hush);
            let (left, count) = put(packet, hush.get(from..).unwrap_or_default());
            (packet, any) = (left, count > 0);
            self.hush = self.hush.saturating_sub(count);
        }
        while !packet.is_empty() {
            let Some(current) = self.prompts.get(prompt) else {
                if self.looped && !self.prompts.is_empty() {
                    prompt = 0;
                    continue;
                }
                break;
            };
            let Some(sound) = current.bytes(codec) else {
                if any {
                    break;
                }
                return Filled::Wait { ms: ptime_ms };
            };
            let rest = sound.get(played..).unwrap_or_default();
            let (left, count) = put(packet, rest);
            packet = left;
            any |= count > 0;
            played = played.saturating_add(count);
            if played >= current.samples() || rest.is_empty() {
                (prompt, played) = (prompt.saturating_add(1), 0);
            }
        }
        packet.fill(quiet(codec));
        self.at = (prompt, played);
        if any { Filled::Sound { bytes, ms: ptime_ms } } else { Filled::Over }
    }

    fn fill_opus(&mut self, payload: &mut [u8]) -> Filled {
        let (mut prompt, played) = self.at;
        if prompt >= self.prompts.len() && self.looped {
            prompt = 0;
        }
        let Some(current) = self.prompts.get(prompt) else { return Filled::Over };
        let Some(packets) = current.opus.get() else { return Filled::Wait { ms: OPUS_MS } };
        let packet = packets.get(played.checked_div(OPUS_SAMPLES).unwrap_or(0)).unwrap_or_default();
        let bytes = packet.len().min(payload.len());
        payload.iter_mut().zip(packet).for_each(|(to, from)| *to = *from);
        let played = played.saturating_add(OPUS_SAMPLES);
        self.at = if played >= current.samples() {
            (prompt.saturating_add(1), 0)
        } else {
            (prompt, played)
        };
        Filled::Sound { bytes, ms: OPUS_MS }
    }
}

/// Puts what fits at the packet's beginning; gives what is left of the packet, and how much it was.
fn put<'a>(packet: &'a mut [u8], sound: &[u8]) -> (&'a mut [u8], usize) {
    let count = sound.len().min(packet.len());
    let (head, tail) = packet.split_at_mut(count);
    head.iter_mut().zip(sound).for_each(|(to, from)| *to = *from);
    (tail, count)
}

/// A byte that sounds like nothing.
const fn quiet(codec: Codec) -> u8 {
    match codec {
        Codec::Pcmu => g711::silence(Law::Mu),
        Codec::Pcma => g711::silence(Law::A),
        // The smallest steps in both bands.
        Codec::G722 | Codec::Opus => 0xfa,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(from: u8, count: usize) -> Arc<Prompt> {
        let sound: Vec<u8> = (from..).take(count).collect();
        Arc::new(Prompt { ulaw: sound.into(), ..Prompt::encode(&vec![0; count]) })
    }

    fn played(prompts: Vec<Arc<Prompt>>, looped: bool, packets: usize) -> Vec<Vec<u8>> {
        let mut list = Playlist::new(prompts, looped);
        let mut packet = || {
            let mut packet = vec![0; 4];
            let filled = list.fill(Codec::Pcmu, 20, &mut packet);
            (filled != Filled::Over).then_some(packet)
        };
        (0..packets).map_while(|_| packet()).collect()
    }

    #[test]
    fn prompts_follow_each_other_without_a_gap() {
        let two = || vec![prompt(1, 6), prompt(0, 0), prompt(11, 3)];
        let want: [&[u8]; 3] = [&[1, 2, 3, 4], &[5, 6, 11, 12], &[13, 0xff, 0xff, 0xff]];
        assert_eq!(played(two(), false, 9), want);
        let want: [&[u8]; 4] = [&[1, 2, 3, 4], &[5, 6, 11, 12], &[13, 1, 2, 3], &[4, 5, 6, 11]];
        assert_eq!(played(two(), true, 4), want);
        assert_eq!(played(vec![prompt(1, 1)], true, 1), [[1, 1, 1, 1]], "shorter than a packet");
        assert!(
            played(vec![], true, 3).is_empty() && played(vec![prompt(0, 0)], true, 3).is_empty()
        );
        assert_eq!(
            played(vec![prompt(1, 4)], false, 3).len(),
            1,
            "an exact fit adds no silent packet"
        );
    }

    #[test]
    fn a_tone_in_g722_begins_without_a_bang_whatever_was_heard_before() {
        let tone = |ms: u32| -> Vec<i16> {
            let turn = 400.0 * std::f64::consts::TAU / 16_000.0;
            #[expect(clippy::cast_possible_truncation, reason = "a sine times 5000 fits i16")]
            (0..ms * 16).map(|at| (5000.0 * (f64::from(at) * turn).sin()) as i16).collect()
        };
        let prompt = |sound: &[i16]| {
            let narrow: Vec<i16> = sound.iter().step_by(2).copied().collect();
            let prompt = Prompt::encode_wide(&narrow, sound);
            prompt.prepare(Codec::G722);
            Arc::new(prompt)
        };
        let ring = prompt(&[tone(1000), vec![0; 32_000]].concat());
        let cut = prompt(&tone(500));
        let mut decoder = crate::rtp::voice::Decoder::new(Codec::G722, Band::Wide).unwrap();
        let mut loudest = |list: &mut Playlist, packets: usize| {
            let mut loudest = 0;
            for _ in 0..packets {
                let mut packet = [0; 160];
                let filled = list.fill(Codec::G722, 20, &mut packet);
                assert_eq!(filled, Filled::Sound { bytes: 160, ms: 20 });
                let sound = decoder.decode(&packet);
                loudest = loudest.max(sound.iter().map(|s| s.unsigned_abs()).max().unwrap());
            }
            loudest
        };
        let mut first = Playlist::new(vec![cut.clone()], false);
        first.from_rest();
        assert!(loudest(&mut first, 30) < 6000, "at first");
        // As loud as the sudden end of a voice leaves it, and after two seconds of silence.
        for (before, packets) in [(cut, 25), (ring.clone(), 150), (ring.clone(), 25)] {
            let mut list = Playlist::new(vec![before], false);
            list.from_rest();
            loudest(&mut list, packets);
            let mut list = Playlist::new(vec![ring.clone()], true);
            list.from_rest();
            assert!(
                loudest(&mut list, 300) < 14_000,
                "after another sound, and when it begins anew"
            );
        }
    }

    #[test]
    fn a_prompt_that_is_not_made_yet_is_waited_for_and_then_heard_whole() {
        let sound: Vec<i16> = (0..800_i16).map(|n| (n % 40 - 20) * 300).collect();
        for (codec, rest, packets) in [(Codec::G722, 5, 5), (Codec::Opus, 0, 5)] {
            let prompt = Arc::new(Prompt::encode(&sound));
            let mut list = Playlist::new(vec![Arc::clone(&prompt)], false);
            let mut payload = [0; 500];
            assert_eq!(list.fill(codec, 20, &mut payload), Filled::Wait { ms: 20 });
            prompt.prepare(codec);
            list.from_rest();
            let mut decoder = super::super::voice::Decoder::new(codec, Band::Narrow).unwrap();
            let mut heard = Vec::new();
            while let Filled::Sound { bytes, ms } = list.fill(codec, 20, &mut payload) {
                assert_eq!(ms, 20);
                heard.extend_from_slice(decoder.decode(&payload[..bytes]));
            }
            assert_eq!(heard.len(), (rest + packets) * 160, "{codec:?}");
            let heard = heard.split_off(rest * 160);
            let level = |sound: &[i16]| sound.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>();
            let share = level(&heard[160..]) / level(&sound[160..]);
            assert!((0.5..1.5).contains(&share), "{codec:?} {share}");
        }
    }
}
