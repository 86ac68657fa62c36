//! One recording that grows: its time line, the decoders of its voices, and the file.

use super::{RecorderConfig, make_directory};
use crate::base::{Mono, Taped, Wall};
use crate::recording::Format;
use crate::recording::command::{RecordingId, Trouble};
use crate::recording::name;
use crate::recording::opus::OggOpus;
use crate::recording::packet::Head;
use crate::recording::timeline::{Piece, Side, Timeline};
use crate::recording::vault::Sealing;
use crate::recording::wav;
use crate::rtp::voice::{Band, Decoder, ticks_per_ms};
use crate::sdp::Codec;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::time::Duration;

/// Bytes that are written together.
const BLOCK_BYTES: usize = 32 * 1024;
/// What waits longer is written whatever its length, so that a crash costs no more.
const WRITE_EVERY: Duration = Duration::from_secs(1);
/// The longest recording; a call that goes on is recorded no further.
pub(super) const LONGEST: Duration = Duration::from_secs(12 * 60 * 60);
/// Voices that are decoded at once; one more takes the place of the first.
const MAX_DECODERS: usize = 8;

/// One voice's decoder, and the last packet that it was given.
struct Voice {
    side: Side,
    ssrc: u32,
    codec: Codec,
    decoder: Decoder,
    last: Option<u32>,
}

/// See the module.
pub(super) struct Growing {
    pub(super) id: RecordingId,
    /// Where it ends, once that is known; and whether what came before has been taken from the rings.
    pub(super) ends: Option<(Mono, bool)>,
    begun: Mono,
    band: Band,
    taped: Taped,
    line: Timeline,
    voices: Vec<Voice>,
    /// Sound that has left the time line.
    sound: Vec<i16>,
    /// Set when it is written as Opus.
    opus: Option<Box<OggOpus>>,
    sealing: Option<Sealing>,
    waiting: Vec<u8>,
    written: u64,
    written_at: Mono,
    file: File,
    part: PathBuf,
    pub(super) name: String,
    dropped: u32,
}

/// A file whose sound is all written.
pub(super) struct Ended {
    pub(super) id: RecordingId,
    pub(super) file: File,
    /// As it is called now.
    pub(super) part: PathBuf,
    /// As the history will call it.
    pub(super) name: String,
    pub(super) length_ms: u64,
    pub(super) dropped: u64,
    pub(super) late: u64,
}

impl Growing {
    /// Makes the file.
    pub(super) fn begin(
        id: RecordingId,
        at: Mono,
        wall: Wall,
        (band, taped): (Band, Taped),
        config: &RecorderConfig,
    ) -> io::Result<Self> {
        let name =
            name::path(id.call, id.number, wall, config.zone, config.format, config.key.is_some());
        let part = config.directory.join(format!("{name}{}", name::PART));
        if let Some(day) = part.parent() {
            make_directory(day)?;
        }
        let file =
            OpenOptions::new().write(true).read(true).create_new(true).mode(0o600).open(&part)?;
        let mut waiting = Vec::with_capacity(BLOCK_BYTES);
        let sealing = match &config.key {
            None => None,
            Some(key) => {
                let mut salt = [0; 32];
                getrandom::fill(&mut salt).map_err(io::Error::other)?;
                let sealing = Sealing::begin(key, salt, &mut waiting);
                Some(sealing.ok_or_else(|| io::Error::other("no cipher"))?)
            }
        };
        let opus = match config.format {
            Format::Wav => None,
            Format::Opus => {
                let mut serial = [0; 4];
                getrandom::fill(&mut serial).map_err(io::Error::other)?;
                let opus = OggOpus::begin(band, taped, u32::from_le_bytes(serial));
                Some(Box::new(opus.ok_or_else(|| io::Error::other("no encoder"))?))
            }
        };
        let mut growing = Self {
            opus,
            id,
            ends: None,
            begun: at,
            band,
            taped,
            line: Timeline::new(band, at),
            voices: Vec::new(),
            sound: Vec::new(),
            sealing,
            waiting,
            written: 0,
            written_at: at,
            file,
            part,
            name,
            dropped: 0,
        };
        match config.format {
            // A sealed file's header cannot be mended, so it claims the most; who opens it mends it.
            Format::Wav => {
                let claimed = if config.key.is_some() { u64::MAX } else { 0 };
                growing.add(&wav::header(band, taped, claimed));
            }
            Format::Opus => growing.drain(),
        }
        growing.write(at)?;
        Ok(growing)
    }

    /// Takes a tapped packet.
    pub(super) fn hear(&mut self, head: &Head, payload: &[u8]) {
        self.dropped = self.dropped.max(head.dropped);
        let band = self.band;
        let same = |voice: &Voice| {
            voice.side == head.side && voice.ssrc == head.ssrc && voice.codec == head.codec
        };
        let at = match self.voices.iter().position(same) {
            Some(at) => at,
            None => {
                let Ok(decoder) = Decoder::new(head.codec, band) else { return };
                let (side, ssrc, codec) = (head.side, head.ssrc, head.codec);
                if self.voices.len() >= MAX_DECODERS {
                    self.voices.remove(0);
                }
                self.voices.push(Voice { side, ssrc, codec, decoder, last: None });
                self.voices.len().saturating_sub(1)
            }
        };
        let Some(voice) = self.voices.get_mut(at) else { return };
        // Sent twice: decoding it twice would spoil what follows.
        if voice.last.replace(head.timestamp) == Some(head.timestamp) {
            return;
        }
        let piece = Piece {
            side: head.side,
            ssrc: head.ssrc,
            timestamp: head.timestamp,
            ticks_per_ms: ticks_per_ms(head.codec),
            arrived: head.arrived,
        };
        self.line.place(piece, voice.decoder.decode(payload), &mut self.sound);
    }

    pub(super) fn pause(&mut self, at: Mono) {
        self.line.pause(at);
    }

    pub(super) fn resume(&mut self, at: Mono) {
        self.line.resume(at);
    }

    /// Whether it is as long as a file may be.
    pub(super) fn is_too_long(&self, now: Mono) -> bool {
        now.since(self.begun) > LONGEST
    }

    /// Time has passed: what is waited for no more is written.
    pub(super) fn advance(&mut self, now: Mono) -> io::Result<()> {
        self.line.advance(now, &mut self.sound);
        self.drain();
        if self.waiting.len() >= BLOCK_BYTES || now.since(self.written_at) >= WRITE_EVERY {
            self.write(now)?;
        }
        Ok(())
    }

    /// Writes the rest; `at` is the end.
    pub(super) fn end(mut self, at: Mono) -> (Ended, Option<Trouble>) {
        self.line.finish(at, &mut self.sound);
        self.drain();
        if let Some(mut opus) = self.opus.take() {
            opus.finish();
            self.add(&opus.take());
        }
        if let Some(sealing) = self.sealing.take() {
            sealing.finish(&mut self.waiting);
        }
        let trouble = self.write(at).err().map(|error| super::trouble_of(&error));
        let ended = Ended {
            id: self.id,
            file: self.file,
            part: self.part,
            name: self.name,
            length_ms: self.line.length_ms(),
            dropped: u64::from(self.dropped),
            late: self.line.counts().late,
        };
        (ended, trouble)
    }

    /// Sound becomes bytes.
    fn drain(&mut self) {
        let mut sound = std::mem::take(&mut self.sound);
        if self.taped == Taped::Caller {
            sound = sound.as_chunks::<2>().0.iter().map(|[caller, _]| *caller).collect();
        }
        let bytes: Vec<u8> = match &mut self.opus {
            None => sound.iter().flat_map(|sample| sample.to_le_bytes()).collect(),
            Some(opus) => {
                opus.write(&sound);
                opus.take()
            }
        };
        self.add(&bytes);
        sound.clear();
        self.sound = sound;
    }

    fn add(&mut self, bytes: &[u8]) {
        match &mut self.sealing {
            Some(sealing) => sealing.write(bytes, &mut self.waiting),
            None => self.waiting.extend_from_slice(bytes),
        }
    }

    fn write(&mut self, now: Mono) -> io::Result<()> {
        self.written_at = now;
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.file.write_all_at(&self.waiting, self.written)?;
        let more = u64::try_from(self.waiting.len()).unwrap_or(0);
        self.written = self.written.saturating_add(more);
        self.waiting.clear();
        // So that a file whose writer dies can be played as it is.
        if self.name.ends_with(Format::Wav.ending()) {
            let sound = self.written.saturating_sub(wav::HEADER_BYTES as u64);
            self.file.write_all_at(&wav::header(self.band, self.taped, sound), 0)?;
        }
        Ok(())
    }
}
