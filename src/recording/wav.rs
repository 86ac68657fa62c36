//! WAV (RIFF, PCM of 16 bits, two channels): a header that can be said before the length is known and
//! mended at any time, so that a file whose writer died can be played.

use crate::rtp::voice::Band;

/// Bytes before the sound.
pub const HEADER_BYTES: usize = 44;
/// Bytes of one moment: two channels of 16 bits.
pub const FRAME_BYTES: u64 = 4;

/// The header of a file with `data` bytes of sound; a length that a header cannot say is said as its most.
#[must_use]
pub fn header(band: Band, data: u64) -> [u8; HEADER_BYTES] {
    let data = u32::try_from(data).unwrap_or(u32::MAX).min(u32::MAX.saturating_sub(36));
    let (hz, frame) = (band.hz(), 4_u16);
    let fields: [&[u8]; 13] = [
        b"RIFF",
        &data.saturating_add(36).to_le_bytes(),
        b"WAVE",
        b"fmt ",
        &16_u32.to_le_bytes(),
        &1_u16.to_le_bytes(), // PCM
        &2_u16.to_le_bytes(), // channels
        &hz.to_le_bytes(),
        &hz.saturating_mul(u32::from(frame)).to_le_bytes(),
        &frame.to_le_bytes(),
        &16_u16.to_le_bytes(),
        b"data",
        &data.to_le_bytes(),
    ];
    let mut header = [0; HEADER_BYTES];
    for (place, byte) in header.iter_mut().zip(fields.into_iter().flatten()) {
        *place = *byte;
    }
    header
}

/// The header that a file of `bytes` with this beginning should have; none when it is no recording of
/// ours. Bytes that make no whole frame count as none.
#[must_use]
pub fn mended(beginning: &[u8], bytes: u64) -> Option<[u8; HEADER_BYTES]> {
    let beginning = beginning.get(..HEADER_BYTES)?;
    let data = bytes.checked_sub(HEADER_BYTES as u64)?;
    let data = data.checked_div(FRAME_BYTES)?.checked_mul(FRAME_BYTES)?;
    let same =
        |header: &[u8]| beginning.get(8..40) == header.get(8..40) && beginning.starts_with(b"RIFF");
    [Band::Narrow, Band::Wide].map(|band| header(band, data)).into_iter().find(|it| same(it))
}

/// How long the sound of a file with this beginning is, milliseconds.
#[must_use]
pub fn length_ms(beginning: &[u8], bytes: u64) -> Option<u64> {
    mended(beginning, bytes)?;
    let hz = u32::from_le_bytes(beginning.get(24..28)?.try_into().ok()?);
    let frames = bytes.checked_sub(HEADER_BYTES as u64)?.checked_div(FRAME_BYTES)?;
    frames.checked_mul(1_000)?.checked_div(u64::from(hz))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_says_what_the_file_holds() {
        let header = header(Band::Narrow, 32_000);
        assert_eq!(&header[..4], b"RIFF");
        assert_eq!(header[4..8], 32_036_u32.to_le_bytes());
        assert_eq!(header[24..28], 8_000_u32.to_le_bytes());
        assert_eq!(header[28..32], 32_000_u32.to_le_bytes());
        assert_eq!(header[40..44], 32_000_u32.to_le_bytes());
    }

    #[test]
    fn a_file_whose_writer_died_is_mended_to_whole_frames() {
        let dead = header(Band::Wide, 0);
        let mended = mended(&dead, 44 + 64_003).expect("ours");
        assert_eq!(mended, header(Band::Wide, 64_000));
        assert_eq!(length_ms(&dead, 44 + 64_003), Some(1_000));
        assert_eq!(super::mended(&[0; 44], 100), None);
        assert_eq!(super::mended(&dead[..40], 100), None);
        assert_eq!(super::mended(&dead, 43), None);
    }

    #[test]
    fn what_no_header_can_say_is_said_as_its_most() {
        assert_eq!(header(Band::Narrow, u64::MAX)[4..8], u32::MAX.to_le_bytes());
    }
}
