//! Sound by the clock to packets of the length that the phone asked for.

use super::{Band, Encoder, MAX_PACKET_MS, NoCodec};
use crate::sdp::Codec;

/// One leg's voice as it leaves.
pub struct Mouth {
    encoder: Encoder,
    /// Samples of one packet, and its milliseconds.
    due: usize,
    packet_ms: u8,
    /// Sound not yet sent.
    waiting: Vec<i16>,
}

impl Mouth {
    /// A mouth that makes packets of `ptime_ms`, 10 to 60. Opus has none of 30 or 50 ms: 20 and 40
    /// are made then (RFC 7587 §4.2).
    ///
    /// # Errors
    ///
    /// [`NoCodec`] when the codec's library refuses: out of memory.
    pub fn new(codec: Codec, band: Band, ptime_ms: u8) -> Result<Self, NoCodec> {
        let ptime_ms = match (codec, ptime_ms) {
            (Codec::Opus, 30) => 20,
            (Codec::Opus, 50) => 40,
            (_, ms) => usize::from(ms).clamp(10, MAX_PACKET_MS),
        };
        let due = ptime_ms.saturating_mul(band.per_ms());
        let packet_ms = u8::try_from(ptime_ms).unwrap_or(20);
        Ok(Self {
            encoder: Encoder::new(codec, band)?,
            due,
            packet_ms,
            waiting: Vec::with_capacity(due.saturating_mul(2)),
        })
    }

    /// Sound in each packet, milliseconds.
    #[must_use]
    pub const fn packet_ms(&self) -> u8 {
        self.packet_ms
    }

    /// Takes sound; never keeps more than one packet and what was just given.
    pub fn say(&mut self, sound: &[i16]) {
        self.waiting.extend_from_slice(sound);
    }

    /// Writes the next packet's payload when enough sound is there; gives its bytes.
    pub fn next(&mut self, payload: &mut [u8]) -> Option<usize> {
        let sound = self.waiting.get(..self.due)?;
        let count = self.encoder.encode(sound, payload);
        self.waiting.drain(..self.due);
        count
    }
}
