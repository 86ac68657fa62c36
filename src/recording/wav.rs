//! WAV (RIFF, PCM of 16 bits, one or two channels): a header that can be said before the length is known and
//! mended at any time, so that a file whose writer died can be played.

use crate::base::Taped;
use crate::rtp::voice::Band;

/// Bytes before the sound.
pub const HEADER_BYTES: usize = 44;

/// Bytes of one moment: 16 bits a channel.
const fn frame_bytes(taped: Taped) -> u8 {
    2 * taped.channels()
}

/// The header of a file with `data` bytes of sound; a length that a header cannot say is said as its most.
#[must_use]
pub fn header(band: Band, taped: Taped, data: u64) -> [u8; HEADER_BYTES] {
    let data = u32::try_from(data).unwrap_or(u32::MAX).min(u32::MAX.saturating_sub(36));
    let (hz, frame) = (band.hz(), u16::from(frame_bytes(taped)));
    let fields: [&[u8]; 13] = [
        b"RIFF",
        &data.saturating_add(36).to_le_bytes(),
        b"WAVE",
        b"fmt ",
        &16_u32.to_le_bytes(),
        &1_u16.to_le_bytes(), // PCM
        &u16::from(taped.channels()).to_le_bytes(),
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

/// What a file turns out to hold, whatever its header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mended {
    /// The header that it should have.
    pub header: [u8; HEADER_BYTES],
    /// Bytes of its whole moments: what is behind them is no sound.
    pub data: u64,
    /// How long its sound is, milliseconds.
    pub length_ms: u64,
}

/// A file of `bytes` with this beginning; none when it is no recording of ours.
#[must_use]
pub fn mended(beginning: &[u8], bytes: u64) -> Option<Mended> {
    let beginning = beginning.get(..HEADER_BYTES).filter(|it| it.starts_with(b"RIFF"))?;
    let sound = bytes.checked_sub(HEADER_BYTES as u64)?;
    let kinds = [Band::Narrow, Band::Wide].into_iter();
    let mut kinds = kinds.flat_map(|band| [(band, Taped::Both), (band, Taped::Caller)]);
    kinds.find_map(|(band, taped)| {
        let frame = u64::from(frame_bytes(taped));
        let frames = sound.checked_div(frame)?;
        let data = frames.checked_mul(frame)?;
        let header = header(band, taped, data);
        let length_ms = frames.checked_mul(1_000)?.checked_div(u64::from(band.hz()))?;
        let same = beginning.get(8..40) == header.get(8..40);
        same.then_some(Mended { header, data, length_ms })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_says_what_the_file_holds() {
        let header = header(Band::Narrow, Taped::Both, 32_000);
        assert_eq!(&header[..4], b"RIFF");
        assert_eq!(header[4..8], 32_036_u32.to_le_bytes());
        assert_eq!(header[24..28], 8_000_u32.to_le_bytes());
        assert_eq!(header[28..32], 32_000_u32.to_le_bytes());
        assert_eq!(header[40..44], 32_000_u32.to_le_bytes());
        assert_eq!(header[22..24], 2_u16.to_le_bytes());
        let alone = super::header(Band::Narrow, Taped::Caller, 32_000);
        assert_eq!(alone[22..24], 1_u16.to_le_bytes());
        assert_eq!(alone[28..32], 16_000_u32.to_le_bytes());
        assert_eq!(alone[32..34], 2_u16.to_le_bytes());
    }

    #[test]
    fn a_file_whose_writer_died_is_mended_to_whole_frames() {
        let dead = header(Band::Wide, Taped::Both, 0);
        let both = header(Band::Wide, Taped::Both, 64_000);
        let due = Mended { header: both, data: 64_000, length_ms: 1_000 };
        assert_eq!(mended(&dead, 44 + 64_003), Some(due));
        // As many bytes of one channel last twice as long.
        let alone = header(Band::Wide, Taped::Caller, 64_002);
        let due = Mended { header: alone, data: 64_002, length_ms: 2_000 };
        assert_eq!(mended(&header(Band::Wide, Taped::Caller, 0), 44 + 64_003), Some(due));
        assert_eq!(super::mended(&[0; 44], 100), None);
        assert_eq!(super::mended(&dead[..40], 100), None);
        assert_eq!(super::mended(&dead, 43), None);
    }

    #[test]
    fn what_no_header_can_say_is_said_as_its_most() {
        assert_eq!(header(Band::Narrow, Taped::Both, u64::MAX)[4..8], u32::MAX.to_le_bytes());
    }
}
