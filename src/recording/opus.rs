//! Ogg Opus (RFC 3533, RFC 7845): pages of a second each, so that a file whose writer died is whole up to
//! its last page. Pages are the crate `ogg`'s, the sound libopus'.

use crate::base::Taped;
use crate::rtp::voice::Band;
use ::opus::{Application, Bitrate, Channels, Encoder};
use ogg::{PacketWriteEndInfo as End, PacketWriter};

/// Bits a second of a channel: enough that neither of two is heard in the other.
const BITS: i32 = 32_000;
/// libopus' effort, 0 to 10.
const EFFORT: i32 = 5;
/// Sound in a packet, milliseconds.
const PACKET_MS: usize = 20;
/// Packets on a page.
const PAGE_PACKETS: u32 = 50;
/// Granules in a millisecond: 48 kHz whatever the sound has (RFC 7845 §4).
const GRANULES_PER_MS: u64 = 48;
/// Bytes of the longest packet.
const PACKET_BYTES: usize = 1_275;

/// Makes one file.
pub struct OggOpus {
    pages: PacketWriter<'static, Vec<u8>>,
    encoder: Encoder,
    band: Band,
    /// 1 or 2.
    channels: u8,
    serial: u32,
    /// Sound that fills no packet yet, of two channels left and right by turns.
    waiting: Vec<i16>,
    /// Packets so far.
    packets: u32,
    /// Sound so far, in samples of one channel.
    samples: u64,
    /// Granules before the sound begins.
    skip: u16,
}

impl OggOpus {
    /// A file of its own; `serial` should be like no other's. Its first bytes come out of the first
    /// [`Self::take`]. None when libopus refuses: out of memory.
    #[must_use]
    pub fn begin(band: Band, taped: Taped, serial: u32) -> Option<Self> {
        let channels = taped.channels();
        let as_opus = match taped {
            Taped::Both => Channels::Stereo,
            Taped::Caller => Channels::Mono,
        };
        let mut encoder = Encoder::new(band.hz(), as_opus, Application::Voip).ok()?;
        encoder.set_bitrate(Bitrate::Bits(BITS.saturating_mul(i32::from(channels)))).ok()?;
        encoder.set_complexity(EFFORT).ok()?;
        let lookahead = u32::try_from(encoder.get_lookahead().ok()?).ok()?;
        let skip = lookahead.checked_mul(48_000)?.checked_div(band.hz())?;
        let skip = u16::try_from(skip).ok()?;
        let mut head = b"OpusHead\x01".to_vec(); // version
        head.push(channels);
        head.extend_from_slice(&skip.to_le_bytes());
        head.extend_from_slice(&band.hz().to_le_bytes());
        head.extend_from_slice(&[0, 0, 0]); // gain, mapping
        let vendor = b"madoguchi";
        let mut tags = b"OpusTags".to_vec();
        tags.extend_from_slice(&u32::try_from(vendor.len()).ok()?.to_le_bytes());
        tags.extend_from_slice(vendor);
        tags.extend_from_slice(&[0; 4]);
        let mut pages = PacketWriter::new(Vec::new());
        pages.write_packet(head, serial, End::EndPage, 0).ok()?;
        pages.write_packet(tags, serial, End::EndPage, 0).ok()?;
        let (waiting, packets, samples) = (Vec::new(), 0, 0);
        Some(Self { pages, encoder, band, channels, serial, waiting, packets, samples, skip })
    }

    /// Takes sound, of two channels left and right by turns.
    pub fn write(&mut self, sound: &[i16]) {
        self.waiting.extend_from_slice(sound);
        let packet = self.packet();
        // The last packet is told as the last: one is always kept back.
        let whole = self.waiting.len().saturating_sub(1).checked_div(packet).unwrap_or(0);
        let sound = std::mem::take(&mut self.waiting);
        let mut pieces = sound.chunks(packet);
        for piece in pieces.by_ref().take(whole) {
            self.packets = self.packets.wrapping_add(1);
            let ends = self.packets.checked_rem(PAGE_PACKETS) == Some(0);
            self.encode(piece, if ends { End::EndPage } else { End::NormalPacket });
        }
        self.waiting = pieces.flatten().copied().collect();
    }

    /// Ends the file.
    pub fn finish(&mut self) {
        let mut rest = std::mem::take(&mut self.waiting);
        let said = self.moments(rest.len());
        rest.resize(self.packet(), 0);
        let before = self.samples;
        self.encode_as(&rest, End::EndStream, before.saturating_add(said));
    }

    /// The bytes that are ready.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.pages.inner_mut())
    }

    fn encode(&mut self, piece: &[i16], end: End) {
        let samples = self.samples.saturating_add(self.moments(piece.len()));
        self.encode_as(piece, end, samples);
    }

    fn encode_as(&mut self, piece: &[i16], end: End, samples: u64) {
        self.samples = samples;
        let mut packet = vec![0; PACKET_BYTES];
        // It refuses no piece of this length.
        let length = self.encoder.encode(piece, &mut packet).unwrap_or(0);
        packet.truncate(length);
        let per_ms = u64::try_from(self.band.per_ms()).unwrap_or(8);
        let granules = samples.saturating_mul(GRANULES_PER_MS).checked_div(per_ms).unwrap_or(0);
        let at = granules.saturating_add(u64::from(self.skip));
        let _ = self.pages.write_packet(packet, self.serial, end, at); // into a Vec: cannot fail
    }

    /// How many samples of one channel these are.
    fn moments(&self, samples: usize) -> u64 {
        let moments = samples.checked_div(usize::from(self.channels)).unwrap_or(0);
        u64::try_from(moments).unwrap_or(0)
    }

    fn packet(&self) -> usize {
        self.band.per_ms().saturating_mul(PACKET_MS).saturating_mul(usize::from(self.channels))
    }
}

/// Bytes of the whole pages at the beginning of a file's last part, and the last granule that they name.
#[must_use]
pub fn whole_pages(bytes: &[u8]) -> (usize, Option<u64>) {
    let (mut at, mut last) = (0_usize, None);
    while let Some(page) = bytes.get(at..)
        && page.starts_with(b"OggS")
        && let (Some(count), Some(granule)) = (page.get(26), page.get(6..14))
        && let Some(lengths) = page.get(27..27_usize.saturating_add(usize::from(*count)))
    {
        let body: usize = lengths.iter().map(|length| usize::from(*length)).sum();
        let whole = 27_usize.saturating_add(lengths.len()).saturating_add(body);
        if page.len() < whole {
            break;
        }
        at = at.saturating_add(whole);
        last =
            granule.try_into().ok().map(u64::from_le_bytes).filter(|it| *it != u64::MAX).or(last);
    }
    (at, last)
}

/// How long the sound is of a file that begins so and whose last page ends at a granule, milliseconds.
#[must_use]
pub fn length_ms(beginning: &[u8], last_granule: u64) -> Option<u64> {
    let at = beginning.windows(8).position(|eight| eight == b"OpusHead")?;
    let skip = beginning.get(at.checked_add(10)?..at.checked_add(12)?)?;
    let skip = u16::from_le_bytes(skip.try_into().ok()?);
    last_granule.saturating_sub(u64::from(skip)).checked_div(GRANULES_PER_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ogg::PacketReader;
    use std::io::Cursor;

    /// Left and right of a file, read with the crate's own reader and libopus.
    fn read(file: &[u8]) -> (Vec<i16>, Vec<i16>) {
        let mut reader = PacketReader::new(Cursor::new(file));
        let head = reader.read_packet().unwrap().unwrap().data;
        assert_eq!((&head[..8], head[8]), (&b"OpusHead"[..], 1));
        let skip = usize::from(u16::from_le_bytes([head[10], head[11]]));
        assert!(reader.read_packet().unwrap().unwrap().data.starts_with(b"OpusTags"));
        let mut decoder = ::opus::Decoder::new(48_000, Channels::Stereo).unwrap();
        let (mut sound, mut end) = (Vec::new(), 0);
        while let Ok(Some(packet)) = reader.read_packet() {
            let mut room = vec![0; 5760 * 2];
            let count = decoder.decode(&packet.data, &mut room, false).unwrap();
            sound.extend_from_slice(&room[..count * 2]);
            end = usize::try_from(packet.absgp_page()).unwrap();
        }
        sound.truncate(end * 2);
        sound.drain(..skip * 2);
        sound.chunks(2).map(|frame| (frame[0], frame[1])).unzip()
    }

    fn loud(sound: &[i16]) -> f64 {
        let sum: f64 = sound.iter().map(|sample| f64::from(*sample).powi(2)).sum();
        (sum / f64::from(u32::try_from(sound.len()).unwrap())).sqrt()
    }

    #[test]
    fn both_sides_come_back_apart_and_as_long_as_they_were() {
        for band in [Band::Narrow, Band::Wide] {
            let mut file = OggOpus::begin(band, Taped::Both, 7).unwrap();
            // A second of the left alone, a second of the right alone, 123 ms of nothing.
            let (hz, ms) = (usize::try_from(band.hz()).unwrap(), band.per_ms());
            let tone = |at: usize| {
                let phase = f64::from(u32::try_from(at).unwrap()) / f64::from(band.hz());
                #[expect(clippy::cast_possible_truncation, reason = "within i16")]
                let sample = ((phase * 440.0 * std::f64::consts::TAU).sin() * 8000.0) as i16;
                sample
            };
            let mut sound: Vec<i16> = (0..hz).flat_map(|at| [tone(at), 0]).collect();
            sound.extend((0..hz).flat_map(|at| [0, tone(at)]));
            sound.extend(vec![0; 123 * ms * 2]);
            let mut bytes = Vec::new();
            for piece in sound.chunks(777) {
                file.write(piece);
                bytes.extend(file.take());
            }
            file.finish();
            bytes.extend(file.take());
            let (left, right) = read(&bytes);
            assert_eq!(bytes[28..][9], 2);
            assert_eq!(left.len(), 2_123 * 48);
            assert!(loud(&left[9_600..43_200]) > 4_000.0 && loud(&right[57_600..91_200]) > 4_000.0);
            for quiet in [&right[9_600..43_200], &left[57_600..91_200], &left[97_000..]] {
                assert!(loud(quiet) < 120.0, "{}", loud(quiet));
            }
            let (whole, granule) = whole_pages(&bytes);
            assert_eq!(whole, bytes.len());
            assert_eq!(length_ms(&bytes, granule.unwrap()), Some(2_123));
            // A writer that died: what is whole ends with a page.
            let (whole, granule) = whole_pages(&bytes[..bytes.len() - 5]);
            let length = length_ms(&bytes, granule.unwrap()).unwrap();
            assert!((1_900..=2_000).contains(&length), "{length}");
            assert!(read(&bytes[..whole]).0.len() >= 1_900 * 48);
        }
        assert_eq!(whole_pages(b"OggS"), (0, None));
        assert_eq!(whole_pages(b""), (0, None));
        assert_eq!(length_ms(b"nothing", 9), None);
    }

    #[test]
    fn who_speaks_alone_is_heard_in_both_ears() {
        let mut file = OggOpus::begin(Band::Narrow, Taped::Caller, 7).unwrap();
        let (mut sound, mut bytes) = ([6_000_i16, -6_000].repeat(4_000), Vec::new());
        sound.extend(vec![0; 123 * 8]);
        for piece in sound.chunks(777) {
            file.write(piece);
            bytes.extend(file.take());
        }
        file.finish();
        bytes.extend(file.take());
        assert_eq!(bytes[28..][9], 1);
        let (left, right) = read(&bytes);
        assert_eq!(left.len(), 1_123 * 48);
        assert_eq!(left, right);
        let (whole, granule) = whole_pages(&bytes);
        assert_eq!((whole, length_ms(&bytes, granule.unwrap())), (bytes.len(), Some(1_123)));
    }
}
