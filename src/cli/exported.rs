//! Reading an exported history, line by line, with a bound for each.

use crate::event::{self, LineError, Link};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;

/// The longest line that is read; an entry is shorter than a thousandth of it.
const MOST_LINE: u64 = 1024 * 1024;

/// A file of JSON lines behind its heading.
pub(super) struct Exported {
    lines: BufReader<File>,
    kind: String,
    line: u64,
    ended: bool,
}

impl Exported {
    /// Opens it and reads the heading; an inner error says that there is none.
    pub(super) fn open(path: &Path) -> io::Result<Result<Self, LineError>> {
        let lines = BufReader::with_capacity(256 * 1024, File::open(path)?);
        let mut exported = Self { lines, kind: String::new(), line: 0, ended: false };
        let heading = match exported.text()? {
            Some(Ok(text)) => event::read_header(&text),
            Some(Err(_)) | None => Err(LineError::Heading),
        };
        Ok(heading.map(|kind| Self { kind, ..exported }))
    }

    /// What the store was for.
    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    /// The next line without its end; none behind the last.
    fn text(&mut self) -> io::Result<Option<Result<String, LineError>>> {
        let mut bytes = Vec::new();
        self.lines.by_ref().take(MOST_LINE + 1).read_until(b'\n', &mut bytes)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        self.line += 1;
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        } else if u64::try_from(bytes.len()).is_ok_and(|length| length > MOST_LINE) {
            self.ended = true; // Where the next line begins, nobody knows.
            return Ok(Some(Err(LineError::TooLong { limit: MOST_LINE })));
        }
        // What is no text is no JSON either, and is told as that.
        Ok(Some(Ok(String::from_utf8_lossy(&bytes).into_owned())))
    }
}

impl Iterator for Exported {
    type Item = io::Result<(u64, Result<Link, LineError>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.text() {
            Ok(text) => text.map(|text| Ok((self.line, text.and_then(|text| event::link(&text))))),
            Err(error) => {
                self.ended = true;
                Some(Err(error))
            }
        }
    }
}
