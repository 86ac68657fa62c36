//! One stream's bytes to sound and back, in every codec that we speak. The codecs themselves are
//! libopus (crate `opus`) and the G.722 of crate `audio-codec`; G.711 is a table of our own.

use super::{Band, MAX_PACKET_MS};
use crate::rtp::g711::{self, Law};
use crate::sdp::Codec;
use audio_codec::g722::{Bitrate as G722Rate, G722Decoder, G722Encoder};
use audio_codec::{BoxedResampler, Decoder as _, Encoder as _};

/// Bits a second of the Opus that we make: speech is transparent there in either band.
const OPUS_BITS: i32 = 32_000;
/// libopus' effort, 0 to 10: at 5 a core carries a thousand legs, and no ear tells the rest.
const OPUS_EFFORT: i32 = 5;
/// Loss that the Opus that we make is armed against, per cent: each packet carries enough of the last.
const OPUS_LOSS: i32 = 5;
/// RTP ticks of Opus in a millisecond (RFC 7587 §4.1: always 48 kHz).
const OPUS_TICKS_PER_MS: u32 = 48;

/// The codec's library could not be set up: out of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the codec {0:?} could not be set up")]
pub struct NoCodec(pub Codec);

/// RTP ticks that the payload lasts; none when it is no payload of that codec.
#[must_use]
pub fn ticks(codec: Codec, payload: &[u8]) -> Option<u32> {
    match codec {
        // A byte is a tick: also of G.722, whose clock is 8 kHz by an old mistake (RFC 3551 §4.5.2).
        Codec::Pcmu | Codec::Pcma | Codec::G722 => {
            u32::try_from(payload.len()).ok().filter(|ticks| *ticks > 0)
        }
        Codec::Opus => {
            let samples = opus::packet::get_nb_samples(payload, 48_000).ok()?;
            u32::try_from(samples).ok().filter(|ticks| *ticks > 0)
        }
    }
}

/// RTP ticks in a millisecond.
#[must_use]
pub const fn ticks_per_ms(codec: Codec) -> u32 {
    match codec {
        Codec::Pcmu | Codec::Pcma | Codec::G722 => 8,
        Codec::Opus => OPUS_TICKS_PER_MS,
    }
}

enum Decoding {
    /// G.711; in the wide band its samples are doubled by a filter.
    G711(Law, Option<Box<BoxedResampler>>),
    G722(Box<G722Decoder>),
    Opus(opus::Decoder),
}

/// Bytes to sound.
pub struct Decoder {
    decoding: Decoding,
    band: Band,
    scratch: Vec<i16>,
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    ///
    /// # Errors
    ///
    /// [`NoCodec`] when the codec's library refuses: out of memory.
    pub fn new(codec: Codec, band: Band) -> Result<Self, NoCodec> {
        let decoding = match codec {
            Codec::Pcmu | Codec::Pcma => {
                let law = g711::law(codec).ok_or(NoCodec(codec))?;
                let wider = match band {
                    Band::Narrow => None,
                    Band::Wide => Some(resampler(Band::Narrow, Band::Wide, codec)?),
                };
                Decoding::G711(law, wider)
            }
            Codec::G722 => {
                let narrow = band == Band::Narrow;
                Decoding::G722(Box::new(G722Decoder::with_options(
                    G722Rate::Mode1_64000,
                    false,
                    narrow,
                )))
            }
            Codec::Opus => Decoding::Opus(
                opus::Decoder::new(band.hz(), opus::Channels::Mono).map_err(|_| NoCodec(codec))?,
            ),
        };
        let longest = MAX_PACKET_MS.saturating_mul(band.per_ms()).saturating_mul(2);
        Ok(Self { decoding, band, scratch: vec![0; longest] })
    }

    /// Decodes one payload and gives its sound; empty when the payload is broken or longer than
    /// [`MAX_PACKET_MS`].
    pub fn decode(&mut self, payload: &[u8]) -> &[i16] {
        let count = match &mut self.decoding {
            Decoding::G711(law, wider) => {
                if let Some(wider) = wider {
                    let mut narrow = [0_i16; MAX_PACKET_MS * Band::Narrow.per_ms()];
                    let count = expand(*law, payload, &mut narrow);
                    let sound = narrow.get(..count).unwrap_or_default();
                    wider.resample_into(sound, &mut self.scratch).unwrap_or(0)
                } else {
                    expand(*law, payload, &mut self.scratch)
                }
            }
            Decoding::G722(decoder) => decoder.decode_into(payload, &mut self.scratch).unwrap_or(0),
            Decoding::Opus(decoder) if !payload.is_empty() => {
                decoder.decode(payload, &mut self.scratch, false).unwrap_or(0)
            }
            Decoding::Opus(_) => 0,
        };
        self.scratch.get(..count).unwrap_or_default()
    }

    /// The sound of a packet that was lost, as far as the codec itself can tell: Opus by what the
    /// packet after it repeats of it, or by its model of the voice. Empty when the codec cannot.
    pub fn recover(&mut self, after: Option<&[u8]>, ms: usize) -> &[i16] {
        let wanted = ms.min(MAX_PACKET_MS).saturating_mul(self.band.per_ms());
        let Decoding::Opus(decoder) = &mut self.decoding else { return &[] };
        let Some(room) = self.scratch.get_mut(..wanted) else { return &[] };
        // An empty packet means a lost one to libopus.
        let (bytes, repeated) =
            after.filter(|after| !after.is_empty()).map_or((&[][..], false), |after| (after, true));
        let count = decoder.decode(bytes, room, repeated).unwrap_or(0);
        self.scratch.get(..count).unwrap_or_default()
    }
}

fn expand(law: Law, payload: &[u8], room: &mut [i16]) -> usize {
    if payload.len() > room.len() {
        return 0;
    }
    for (sample, byte) in room.iter_mut().zip(payload) {
        *sample = g711::decode(law, *byte);
    }
    payload.len()
}

fn resampler(from: Band, to: Band, codec: Codec) -> Result<Box<BoxedResampler>, NoCodec> {
    let hz = |band: Band| usize::try_from(band.hz()).unwrap_or(0);
    BoxedResampler::new(hz(from), hz(to)).map(Box::new).map_err(|_| NoCodec(codec))
}

enum Encoding {
    G711(Law, Option<Box<BoxedResampler>>),
    /// Always the whole of G.722; a narrow voice is widened first (the crate's short cut for narrow
    /// voices makes wrong codes).
    G722(Box<G722Encoder>, Option<Box<BoxedResampler>>),
    Opus(opus::Encoder),
}

/// Sound to bytes.
pub struct Encoder {
    encoding: Encoding,
    scratch: Vec<i16>,
}

impl Encoder {
    /// An encoder at the beginning of a stream.
    ///
    /// # Errors
    ///
    /// [`NoCodec`] when the codec's library refuses: out of memory.
    pub fn new(codec: Codec, band: Band) -> Result<Self, NoCodec> {
        let encoding = match codec {
            Codec::Pcmu | Codec::Pcma => {
                let law = g711::law(codec).ok_or(NoCodec(codec))?;
                let narrower = match band {
                    Band::Narrow => None,
                    Band::Wide => Some(resampler(Band::Wide, Band::Narrow, codec)?),
                };
                Encoding::G711(law, narrower)
            }
            Codec::G722 => {
                let wider = match band {
                    Band::Narrow => Some(resampler(Band::Narrow, Band::Wide, codec)?),
                    Band::Wide => None,
                };
                Encoding::G722(Box::new(G722Encoder::new()), wider)
            }
            Codec::Opus => Encoding::Opus(opus_encoder(band).map_err(|_| NoCodec(codec))?),
        };
        let longest = MAX_PACKET_MS.saturating_mul(Band::Wide.per_ms()).saturating_mul(2);
        Ok(Self { encoding, scratch: vec![0; longest] })
    }

    /// Encodes silence, in packets of 20 ms given to `each`. What a decoder of G.722 has learned of a voice
    /// does not fade to what it was before the first packet: an encoder that has never rested begins where
    /// no decoder but a new one is, and its first sound bursts at full scale.
    pub fn rest(&mut self, band: Band, ms: usize, mut each: impl FnMut(&[u8])) {
        let silence = [0; 320];
        let piece = silence.get(..band.per_ms().saturating_mul(20)).unwrap_or_default();
        let mut packet = [0; 160];
        for _ in 0..ms.checked_div(20).unwrap_or(0) {
            if let Some(count) = self.encode(piece, &mut packet) {
                each(packet.get(..count).unwrap_or_default());
            }
        }
    }

    /// Encodes the sound of one packet into `packet` and gives the number of bytes; none when it does
    /// not fit, or when Opus has no packet of that length (it has 10, 20, 40 and 60 ms).
    pub fn encode(&mut self, sound: &[i16], packet: &mut [u8]) -> Option<usize> {
        match &mut self.encoding {
            Encoding::G711(law, narrower) => {
                let sound = resampled(narrower, sound, &mut self.scratch)?;
                let room = packet.get_mut(..sound.len())?;
                for (byte, sample) in room.iter_mut().zip(sound) {
                    *byte = g711::encode(*law, *sample);
                }
                Some(sound.len())
            }
            Encoding::G722(encoder, wider) => {
                let sound = resampled(wider, sound, &mut self.scratch)?;
                encoder.encode_into(sound, packet).ok()
            }
            Encoding::Opus(encoder) => encoder.encode(sound, packet).ok(),
        }
    }
}

/// The sound in the codec's own band.
fn resampled<'a>(
    resampler: &mut Option<Box<BoxedResampler>>,
    sound: &'a [i16],
    scratch: &'a mut [i16],
) -> Option<&'a [i16]> {
    let Some(resampler) = resampler else { return Some(sound) };
    let count = resampler.resample_into(sound, scratch).ok()?;
    scratch.get(..count)
}

fn opus_encoder(band: Band) -> Result<opus::Encoder, opus::Error> {
    let mut encoder = opus::Encoder::new(band.hz(), opus::Channels::Mono, opus::Application::Voip)?;
    encoder.set_bitrate(opus::Bitrate::Bits(OPUS_BITS))?;
    encoder.set_complexity(OPUS_EFFORT)?;
    encoder.set_inband_fec(true)?;
    encoder.set_packet_loss_perc(OPUS_LOSS)?;
    Ok(encoder)
}
