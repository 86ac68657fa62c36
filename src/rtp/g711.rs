//! G.711 (ITU-T G.711): µ-law and A-law to linear samples and back, and straight from one to the other.
//! All by tables that the compiler fills; linear samples have 16 bits.

use crate::sdp::Codec;

/// One of the two ways to write a sample in a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// µ-law: Japan, North America.
    Mu,
    /// A-law: the rest of the world.
    A,
}

/// The law of a codec; none when it is not G.711.
#[must_use]
pub const fn law(codec: Codec) -> Option<Law> {
    match codec {
        Codec::Pcmu => Some(Law::Mu),
        Codec::Pcma => Some(Law::A),
        Codec::G722 | Codec::Opus => None,
    }
}

/// A byte that sounds like nothing, by law.
#[must_use]
pub const fn silence(law: Law) -> u8 {
    match law {
        Law::Mu => 0xff,
        Law::A => 0xd5,
    }
}

/// One byte to a linear sample.
#[must_use]
pub fn decode(law: Law, byte: u8) -> i16 {
    let table = match law {
        Law::Mu => &FROM_ULAW,
        Law::A => &FROM_ALAW,
    };
    table.get(usize::from(byte)).copied().unwrap_or(0)
}

/// One linear sample to a byte.
#[must_use]
pub const fn encode(law: Law, sample: i16) -> u8 {
    match law {
        Law::Mu => to_ulaw(sample),
        Law::A => to_alaw(sample),
    }
}

/// Turns sound from one law to the other where it stands. The same law leaves it alone.
pub fn convert(from: Law, to: Law, sound: &mut [u8]) {
    let table = match (from, to) {
        (Law::Mu, Law::A) => &ULAW_TO_ALAW,
        (Law::A, Law::Mu) => &ALAW_TO_ULAW,
        (Law::Mu, Law::Mu) | (Law::A, Law::A) => return,
    };
    for byte in sound {
        *byte = table.get(usize::from(*byte)).copied().unwrap_or(*byte);
    }
}

/// Lets sound swell from nothing, or fade to it, where it stands, so that it begins or ends without a click.
pub fn fade(law: Law, swells: bool, sound: &mut [u8]) {
    let whole = i32::try_from(sound.len()).unwrap_or(i32::MAX).max(1);
    for (at, byte) in (0_i32..).zip(sound) {
        let share = if swells { at } else { whole.saturating_sub(at) };
        let faded = i32::from(decode(law, *byte)).saturating_mul(share).checked_div(whole);
        *byte = encode(law, faded.and_then(|sample| i16::try_from(sample).ok()).unwrap_or(0));
    }
}

static FROM_ULAW: [i16; 256] = decoded(Law::Mu);
static FROM_ALAW: [i16; 256] = decoded(Law::A);
static ULAW_TO_ALAW: [u8; 256] = crossed(Law::Mu, Law::A);
static ALAW_TO_ULAW: [u8; 256] = crossed(Law::A, Law::Mu);

/// Added before the logarithm of µ-law is taken: the law's own bias, in 14-bit steps of 4.
const ULAW_BIAS: i32 = 0x84;
/// The loudest that µ-law can say.
const ULAW_CLIP: i32 = 32_635;

#[expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the magnitude is clipped to 15 bits first, so every step stays within i32 and the parts within a byte"
)]
const fn to_ulaw(sample: i16) -> u8 {
    let wide = sample as i32;
    let (sign, magnitude) = if wide < 0 { (0x80, -wide) } else { (0, wide) };
    let magnitude = if magnitude > ULAW_CLIP { ULAW_CLIP } else { magnitude };
    let biased = magnitude + ULAW_BIAS; // at least 0x84, so the highest bit is 7 to 14
    let segment = 24 - biased.leading_zeros().cast_signed();
    let mantissa = (biased >> (segment + 3)) & 0x0f;
    !(sign | (segment << 4) | mantissa) as u8
}

#[expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the magnitude has 12 bits, so every step stays within i32 and the parts within a byte"
)]
const fn to_alaw(sample: i16) -> u8 {
    let wide = (sample as i32) >> 4; // 12 bits and sign
    let (sign, magnitude) = if wide < 0 { (0, -wide - 1) } else { (0x80, wide) };
    // Magnitude 0..2047: the highest bit is 10 at most; below 32 the steps are even.
    let segment =
        if magnitude < 32 { magnitude >> 4 } else { 28 - magnitude.leading_zeros().cast_signed() };
    let shift = if segment < 2 { 0 } else { segment - 1 };
    let mantissa = (magnitude >> shift) & 0x0f;
    // Every other bit is turned over, against long rows of zeros on the line.
    ((sign | (segment << 4) | mantissa) ^ 0x55) as u8
}

#[expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "evaluated by the compiler: an overflow would not build"
)]
const fn from_ulaw(byte: u8) -> i16 {
    let byte = !byte as i32;
    let (segment, mantissa) = ((byte >> 4) & 7, byte & 0x0f);
    let magnitude = (((mantissa << 3) + ULAW_BIAS) << segment) - ULAW_BIAS;
    (if byte & 0x80 != 0 { -magnitude } else { magnitude }) as i16
}

#[expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "evaluated by the compiler: an overflow would not build"
)]
const fn from_alaw(byte: u8) -> i16 {
    let byte = (byte ^ 0x55) as i32;
    let (segment, mantissa) = ((byte >> 4) & 7, byte & 0x0f);
    let middle = (mantissa << 4) + 8; // the middle of the step
    let magnitude = if segment == 0 { middle } else { (middle + 0x100) << (segment - 1) };
    (if byte & 0x80 == 0 { -magnitude } else { magnitude }) as i16
}

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "evaluated by the compiler: a wrong index would not build"
)]
const fn decoded(law: Law) -> [i16; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        table[at] = match law {
            Law::Mu => from_ulaw(at as u8),
            Law::A => from_alaw(at as u8),
        };
        at += 1;
    }
    table
}

#[expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "evaluated by the compiler: a wrong index would not build"
)]
const fn crossed(from: Law, to: Law) -> [u8; 256] {
    let linear = decoded(from);
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        table[at] = encode(to, linear[at]);
        at += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn landmarks_of_the_recommendation() {
        let table = [
            (Law::Mu, 0xff, 0),
            (Law::Mu, 0x80, 32_124),
            (Law::Mu, 0x00, -32_124),
            (Law::A, 0xd5, 8),
            (Law::A, 0x55, -8),
            (Law::A, 0xaa, 32_256),
            (Law::A, 0x2a, -32_256),
        ];
        for (law, byte, sample) in table {
            assert_eq!(decode(law, byte), sample, "{law:?} {byte:#04x}");
            assert_eq!(encode(law, sample), byte, "{law:?} {sample}");
        }
        for law in [Law::Mu, Law::A] {
            assert!(decode(law, silence(law)).abs() <= 8);
        }
    }

    #[test]
    fn every_byte_survives_the_way_through_linear() {
        for byte in 0..=255 {
            assert_eq!(encode(Law::A, decode(Law::A, byte)), byte);
            // µ-law has two zeros; the negative one comes back as the positive.
            let want = if byte == 0x7f { 0xff } else { byte };
            assert_eq!(encode(Law::Mu, decode(Law::Mu, byte)), want);
        }
    }

    #[test]
    fn every_sample_lands_on_the_nearest_step() {
        for law in [Law::Mu, Law::A] {
            for sample in i16::MIN..=i16::MAX {
                let (heard, loud) =
                    (i32::from(decode(law, encode(law, sample))), i32::from(sample));
                // Half a step: the sixteenth part of the segment's foot, and the law's floor.
                let step = (loud.abs() / 16).max(16);
                let clipped = loud.abs() > 32_256;
                assert!((heard - loud).abs() <= step || clipped, "{law:?} {sample} {heard}");
            }
        }
    }

    #[test]
    fn crossing_laws_keeps_the_sound() {
        for byte in 0..=255 {
            for (from, to) in [(Law::Mu, Law::A), (Law::A, Law::Mu)] {
                let mut sound = [byte];
                convert(from, to, &mut sound);
                let (was, is) = (i32::from(decode(from, byte)), i32::from(decode(to, sound[0])));
                assert!((was - is).abs() <= (was.abs() / 16).max(16), "{from:?} {byte} {was} {is}");
                let mut same = [byte];
                convert(from, from, &mut same);
                assert_eq!(same, [byte]);
            }
        }
    }
}
