//! A recording read as anybody's program plays it: opened where it is sealed, its header true.

use crate::recording::vault::{
    HEADER_BYTES, MAGIC, Opening, PIECE_BYTES, SEALED_BYTES, SiteKey, TAG_BYTES,
};
use crate::recording::wav;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// Bytes of an open file that are read at once.
const BLOCK_BYTES: usize = 64 * 1024;

/// The pieces of one recording, or of a part of it, in order.
pub struct Reading {
    file: File,
    opening: Option<Opening>,
    /// Bytes of the file that were not read yet.
    left: u64,
    /// Bytes of the whole recording.
    bytes: u64,
    /// Bytes of the next piece that lie before the part that is wanted.
    skip: u64,
    /// Bytes that are still due when only a part is wanted.
    due: Option<u64>,
    first: bool,
    over: bool,
}

impl Reading {
    /// Begins to read a file; `key` is needed when it is sealed.
    ///
    /// # Errors
    ///
    /// The system's; `InvalidData` when the file is sealed and the key is missing, or it is no recording.
    pub fn open(path: &Path, key: Option<&SiteKey>) -> io::Result<Self> {
        let refused = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut header = [0; HEADER_BYTES];
        let sealed = file.read_exact(&mut header).is_ok() && header.starts_with(MAGIC);
        if !sealed {
            let file = File::open(path)?;
            let (first, over) = (true, length == 0);
            let (left, bytes) = (length, length);
            return Ok(Self { file, opening: None, left, bytes, skip: 0, due: None, first, over });
        }
        let key = key.ok_or_else(|| refused("it is sealed, and there is no key".to_owned()))?;
        let opening = Opening::begin(key, &header).map_err(|why| refused(why.to_string()))?;
        let left = length.saturating_sub(HEADER_BYTES as u64);
        let tags = left.div_ceil(SEALED_BYTES as u64).saturating_mul(TAG_BYTES as u64);
        let bytes = left.saturating_sub(tags);
        let (opening, due) = (Some(opening), None);
        Ok(Self { file, opening, left, bytes, skip: 0, due, first: true, over: false })
    }

    /// How many bytes the whole recording has.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Of what has been opened, only `bytes` bytes from `from` on. What is sealed is opened from the piece
    /// that holds the first of them: each piece is proved by itself, but that the end was cut off is found
    /// out only by who reads it.
    ///
    /// # Errors
    ///
    /// The system's; `InvalidInput` when the recording has no such bytes.
    pub fn only(mut self, from: u64, bytes: u64) -> io::Result<Self> {
        let end = from.checked_add(bytes).filter(|end| bytes > 0 && *end <= self.bytes);
        if end.is_none() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        self.due = Some(bytes);
        let at = match &mut self.opening {
            None => from,
            Some(opening) => {
                let piece = from.checked_div(PIECE_BYTES as u64).unwrap_or(0);
                self.skip = from.saturating_sub(piece.saturating_mul(PIECE_BYTES as u64));
                opening.go_to(u32::try_from(piece).unwrap_or(u32::MAX));
                self.first = piece == 0;
                piece.saturating_mul(SEALED_BYTES as u64)
            }
        };
        self.left = self.left.saturating_sub(at);
        let header = if self.opening.is_some() { HEADER_BYTES as u64 } else { 0 };
        self.file.seek(SeekFrom::Start(at.saturating_add(header)))?;
        Ok(self)
    }

    fn piece(&mut self) -> io::Result<Vec<u8>> {
        let most = if self.opening.is_some() { SEALED_BYTES } else { BLOCK_BYTES };
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(most);
        let mut piece = vec![0; wanted];
        self.file.read_exact(&mut piece)?;
        self.left = self.left.saturating_sub(u64::try_from(wanted).unwrap_or(0));
        self.over = self.left == 0;
        if let Some(opening) = &mut self.opening {
            let opened = opening.open(&mut piece, self.over);
            let length = opened
                .map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why.to_string()))?
                .len();
            piece.truncate(length.min(PIECE_BYTES));
        }
        if std::mem::take(&mut self.first)
            && self.opening.is_some()
            && let Some(mended) = wav::mended(&piece, self.bytes)
            && let Some(place) = piece.get_mut(..mended.header.len())
        {
            place.copy_from_slice(&mended.header);
        }
        let skip = usize::try_from(std::mem::take(&mut self.skip)).unwrap_or(usize::MAX);
        piece.drain(..skip.min(piece.len()));
        if let Some(due) = &mut self.due {
            piece.truncate(usize::try_from(*due).unwrap_or(usize::MAX));
            *due = due.saturating_sub(u64::try_from(piece.len()).unwrap_or(0));
            self.over |= *due == 0;
        }
        Ok(piece)
    }
}

impl Iterator for Reading {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let piece = self.piece();
        self.over |= piece.is_err();
        Some(piece)
    }
}
