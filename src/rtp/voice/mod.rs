//! Sound between codecs, pure: what one leg says is decoded, smoothed over loss and jitter, and said
//! anew to another leg in its own codec and packet time. Used only where two legs share no codec, or
//! more than two hear each other; everything else is passed on as it came.
//!
//! [`Ear`] takes packets as they come and gives sound by the clock; [`Mouth`] takes sound by the clock
//! and gives packets. Between them sound has one of two [`Band`]s.

mod codec;
mod conceal;
mod ear;
mod keys;
mod mix;
mod mouth;
mod noise;

#[cfg(test)]
mod tests;

pub use codec::{Decoder, Encoder, NoCodec, ticks_per_ms};
pub use ear::{Ear, EarCounts};
pub use keys::ToneReader;
pub use mix::{MAX_SPEAKERS, add};
pub use mouth::Mouth;

/// Longest sound in one packet that is decoded or made, milliseconds.
pub const MAX_PACKET_MS: usize = 60;

/// How fine the sound between an ear and a mouth is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Band {
    /// 8,000 samples a second, what G.711 carries.
    Narrow,
    /// 16,000 samples a second, what G.722 carries.
    Wide,
}

impl Band {
    /// Samples a second.
    #[must_use]
    pub const fn hz(self) -> u32 {
        match self {
            Self::Narrow => 8_000,
            Self::Wide => 16_000,
        }
    }

    /// Samples a millisecond.
    #[must_use]
    pub const fn per_ms(self) -> usize {
        match self {
            Self::Narrow => 8,
            Self::Wide => 16,
        }
    }
}
