//! How long somebody has really spoken: the sound of a leg that is recorded alone (a message) is decoded, and
//! what is louder than a quiet line counts.

use crate::rtp::packet::Header;
use crate::rtp::voice::{Band, Decoder};
use crate::sdp::Codec;

/// Sound is voice from this loudness on: −42 dBFS, above the hiss of a line and below a soft voice.
const LEAST: f64 = 260.0;
/// Samples that are judged together: 10 ms at 8 kHz.
const WINDOW: usize = 80;
/// What was spoken is told when it is so long, milliseconds.
const TELL_MS: u32 = 200;

/// The ear for one leg.
pub(super) struct Loudness {
    codec: Codec,
    /// None when there is no memory for it: then nothing is heard.
    decoder: Option<Decoder>,
    newest: Option<(u32, u32)>,
    spoken_ms: u32,
}

impl Loudness {
    pub(super) fn new(codec: Codec) -> Self {
        let decoder = Decoder::new(codec, Band::Narrow).ok();
        Self { codec, decoder, newest: None, spoken_ms: 0 }
    }

    /// A packet of voice; what was spoken since the last word on it, when that is enough to be told.
    pub(super) fn hear(&mut self, codec: Codec, header: &Header, payload: &[u8]) -> Option<u32> {
        let this = Some((header.ssrc, header.timestamp));
        if std::mem::replace(&mut self.newest, this) == this {
            return None; // sent twice
        }
        if codec != self.codec {
            *self = Self { spoken_ms: self.spoken_ms, newest: this, ..Self::new(codec) };
        }
        let sound = self.decoder.as_mut()?.decode(payload);
        let loud = |window: &&[i16]| {
            let power: f64 = window.iter().map(|sample| f64::from(*sample).powi(2)).sum();
            let count = u32::try_from(window.len()).unwrap_or(1);
            power >= LEAST * LEAST * f64::from(count)
        };
        let windows = sound.chunks(WINDOW).filter(loud).count();
        let ms = u32::try_from(windows).unwrap_or(0).saturating_mul(10);
        self.spoken_ms = self.spoken_ms.saturating_add(ms);
        (self.spoken_ms >= TELL_MS).then(|| std::mem::take(&mut self.spoken_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::g711::{self, Law};

    fn told(loud: i16, packets: u32) -> u32 {
        let mut ear = Loudness::new(Codec::Pcmu);
        let payload: Vec<u8> = (0..160)
            .map(|at| g711::encode(Law::Mu, if at % 8 < 4 { loud } else { -loud }))
            .collect();
        let header = |n: u32| Header {
            payload_type: 0,
            marker: false,
            seq: u16::try_from(n).unwrap_or(0),
            timestamp: n * 160,
            ssrc: 7,
            payload: 12..172,
        };
        (0..packets).filter_map(|n| ear.hear(Codec::Pcmu, &header(n), &payload)).sum()
    }

    #[test]
    fn a_voice_is_told_by_its_length_and_a_quiet_line_is_not() {
        assert_eq!(told(2000, 100), 2000);
        assert_eq!(told(400, 50), 1000, "a soft voice");
        assert_eq!(told(100, 100), 0, "a line that hisses");
        assert_eq!(told(0, 100), 0);
    }
}
