//! Reading all of the journal, or all after an entry, as fast as two cores can: one thread reads, one
//! decodes, and whoever folds the entries has a third.

use super::place::Place;
use super::read::{Raw, ReadError, alone, part};
use super::site::{self, SiteHistory};
use crate::base::Wall;
use crate::event::{self, Entry};
use sqlx::{AssertSqlSafe, Row, SqliteConnection};
use std::path::Path;
use std::sync::mpsc::{Receiver, SendError, SyncSender, sync_channel};

/// Entries in one block.
const BLOCK: i64 = 5_000;

/// Between two entries of a block that is read as one text; in JSON it can stand nowhere.
const BETWEEN: char = '\u{1e}';

/// Blocks that are read, and blocks that are decoded, ahead of whoever takes them.
const AHEAD: usize = 2;

/// A block of entries as one text: the way of a row through the driver costs more than all that is done
/// with the entry afterwards.
struct Block {
    from: i64,
    last: i64,
    count: i64,
    text: Option<Vec<u8>>,
}

impl Block {
    /// None when there are no more entries.
    async fn read(
        connection: &mut SqliteConnection,
        from: i64,
        below: i64,
    ) -> Result<Option<Self>, sqlx::Error> {
        const IN_IT: &str = "FROM (SELECT seq, at_ms, body FROM entry WHERE seq >= ?1 AND seq < ?2 \
                             ORDER BY seq LIMIT ?3)";
        const TEXT: &str = "group_concat(seq || ' ' || at_ms || ' ' || body, char(30))";
        let query = |text| sqlx::query(AssertSqlSafe(text)).bind(from).bind(below).bind(BLOCK);
        let row = query(format!("SELECT count(*), max(seq), {TEXT} {IN_IT}"));
        let (row, whole) = match row.fetch_one(&mut *connection).await {
            Ok(row) => (row, true),
            // It may be longer than a text can be, or the file is damaged.
            Err(_) => {
                let row = query(format!("SELECT count(*), max(seq) {IN_IT}"));
                (row.fetch_one(&mut *connection).await?, false)
            }
        };
        let (count, last): (i64, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
        // As bytes: a text that was damaged may be none any more.
        let text = if whole { row.try_get_unchecked(2)? } else { None };
        Ok(last.map(|last| Self { from, last, count, text }))
    }

    /// Its entries, in order; none unless all can be read.
    fn entries(&self) -> Option<Vec<Entry>> {
        let text = std::str::from_utf8(self.text.as_deref()?).ok()?;
        let count = usize::try_from(self.count).ok()?;
        let mut entries: Vec<Entry> = Vec::with_capacity(count);
        for line in text.split(BETWEEN) {
            let (seq, line) = line.split_once(' ')?;
            let (at_ms, body) = line.split_once(' ')?;
            // The database joins them in the order in which it reads them, but promises nothing.
            let seq: u64 = seq.parse().ok()?;
            if entries.last().is_some_and(|last| last.seq >= seq) {
                return None;
            }
            let (at, fact) = (Wall(at_ms.parse().ok()?), event::read(body).ok()?);
            entries.push(Entry { seq, at, fact });
        }
        (entries.len() == count).then_some(entries)
    }
}

/// All entries that the file held when it was opened, in order, in blocks: an iterator that reads ahead on
/// one thread and decodes on another, so that whoever folds them has a core to itself. It begins when the
/// first block is asked for, and ends after the first error.
pub struct Entries {
    place: Place,
    from: u64,
    below: u64,
    blocks: Option<Receiver<Result<Vec<Entry>, ReadError>>>,
}

impl Entries {
    /// Those of a file that nobody need have opened; nothing is written to it, whatever its version.
    ///
    /// # Errors
    ///
    /// When there is no such file; what is wrong with it comes as the first block.
    pub fn read_only(path: &Path) -> std::io::Result<Self> {
        Self::of(&Place::File(path.to_owned()))
    }

    /// Those of a place that nobody need have opened.
    ///
    /// # Errors
    ///
    /// As [`Entries::read_only`]; that the site's store cannot be reached comes as the first block.
    pub fn of(place: &Place) -> std::io::Result<Self> {
        if let Place::File(path) = place {
            std::fs::metadata(path)?;
        }
        Ok(Self { place: place.clone(), from: 1, below: u64::MAX, blocks: None })
    }

    pub(super) fn before(path: &Path, below: u64) -> Self {
        Self { place: Place::File(path.to_owned()), from: 1, below, blocks: None }
    }

    /// Only those after this one; to be said before the first block is asked for.
    #[must_use]
    pub fn after(self, seq: u64) -> Self {
        Self { from: seq.saturating_add(1), ..self }
    }

    fn start(&self) -> std::io::Result<Receiver<Result<Vec<Entry>, ReadError>>> {
        let (out, blocks) = sync_channel(AHEAD);
        let path = match &self.place {
            Place::File(path) => path,
            Place::Site(whose) => {
                let (whose, after) = (whose.clone(), self.from.saturating_sub(1));
                std::thread::Builder::new().name("replay".into()).spawn(move || {
                    // Whoever takes the blocks may be gone: nobody wants the rest then.
                    let _ = read_site(&whose, after, &out);
                })?;
                return Ok(blocks);
            }
        };
        let (texts_out, texts) = sync_channel(AHEAD);
        let span = [self.from, self.below].map(|seq| i64::try_from(seq).unwrap_or(i64::MAX));
        let (to_read, to_decode) = (path.clone(), path.clone());
        // Whoever takes the blocks may be gone: nobody wants the rest then.
        std::thread::Builder::new().name("replay".into()).spawn(move || {
            let _ = read_all(&to_read, span, &texts_out);
        })?;
        std::thread::Builder::new().name("replay-decode".into()).spawn(move || {
            let _ = decode_all(&to_decode, &texts, &out);
        })?;
        Ok(blocks)
    }
}

impl Iterator for Entries {
    type Item = Result<Vec<Entry>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.blocks.is_none() {
            match self.start() {
                Ok(blocks) => self.blocks = Some(blocks),
                Err(error) => {
                    // Nothing comes behind an error.
                    self.blocks = Some(sync_channel(0).1);
                    return Some(Err(ReadError::Thread(error)));
                }
            }
        }
        self.blocks.as_ref()?.recv().ok()
    }
}

/// Whoever takes what is read is gone.
struct Gone;

impl<T> From<SendError<T>> for Gone {
    fn from(_: SendError<T>) -> Self {
        Self
    }
}

fn read_site(
    whose: &SiteHistory,
    after: u64,
    out: &SyncSender<Result<Vec<Entry>, ReadError>>,
) -> Result<(), Gone> {
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let read = site::blocking(site::blocks(whose, after, |rows| {
        let entries: Result<Vec<Entry>, ReadError> = rows.iter().map(Raw::decode).collect();
        let whole = entries.is_ok();
        out.send(entries).is_ok() && whole
    }));
    if let Err(error) = read {
        out.send(Err(error.into()))?;
    }
    Ok(())
}

fn read_all(
    path: &Path,
    [mut from, below]: [i64; 2],
    out: &SyncSender<Result<Block, ReadError>>,
) -> Result<(), Gone> {
    let read = alone(path, async |connection| {
        while from < below {
            match Block::read(connection, from, below).await {
                Ok(None) => break,
                Ok(Some(block)) => {
                    from = block.last.saturating_add(1);
                    if out.send(Ok(block)).is_err() {
                        break;
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    });
    if let Err(error) = read {
        out.send(Err(error))?;
    }
    Ok(())
}

fn decode_all(
    path: &Path,
    texts: &Receiver<Result<Block, ReadError>>,
    out: &SyncSender<Result<Vec<Entry>, ReadError>>,
) -> Result<(), Gone> {
    while let Ok(block) = texts.recv() {
        let entries = block.and_then(|block| match block.entries() {
            Some(entries) => Ok(entries),
            None => one_by_one(path, &block),
        });
        let ended = entries.is_err();
        out.send(entries)?;
        if ended {
            break;
        }
    }
    Ok(())
}

/// Reads the rows of a block, which says what is wrong with which.
fn one_by_one(path: &Path, block: &Block) -> Result<Vec<Entry>, ReadError> {
    let below = block.last.saturating_add(1);
    let rows = alone(path, async |connection| {
        part(connection, block.from, below, BLOCK).await.map_err(ReadError::from)
    });
    rows?.iter().map(Raw::decode).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{
        Folder, PATIENCE, batch, block_on, committed, entry, open, sql, wait_for,
    };
    use super::*;
    use sqlx::Connection as _;
    use std::path::PathBuf;

    fn filled(folder: &Folder, last: u64) -> PathBuf {
        let (store, _replay, notices) = open(&folder.file());
        store.append(batch(1, 1..=last));
        wait_for(&notices, committed(1));
        assert!(store.close(PATIENCE));
        folder.file()
    }

    fn all(path: &Path, from: u64) -> Result<Vec<Entry>, String> {
        let blocks = Entries::read_only(path).expect("a file").after(from.saturating_sub(1));
        let read: Result<Vec<_>, _> = blocks.collect();
        read.map(|blocks| blocks.concat()).map_err(|error| error.to_string())
    }

    #[test]
    fn all_after_an_entry_are_read_in_order_over_blocks_and_holes() {
        let folder = Folder::new();
        let path = filled(&folder, 12_001);
        block_on(sql(&path, "DELETE FROM entry WHERE seq BETWEEN 4990 AND 5010")).expect("a hole");
        let due = |from: u64| -> Vec<Entry> {
            (from..=12_001).filter(|seq| !(4_990..=5_010).contains(seq)).map(entry).collect()
        };
        for from in [1, 2, 4_989, 5_000, 5_001, 12_001, 12_002, u64::MAX] {
            assert_eq!(all(&path, from), Ok(due(from)), "from {from}");
        }
        assert!(Entries::read_only(&folder.0.join("none.db")).is_err());
    }

    #[test]
    fn what_is_damaged_is_told_by_its_entry_and_nothing_of_a_person_with_it() {
        let folder = Folder::new();
        let whole = filled(&folder, 12);
        let says = |seq: u64, what: &str| {
            format!(
                "entry {seq} of the journal cannot be read: version 1 found, up to 1 known; {what}"
            )
        };
        let table = [
            (
                "UPDATE entry SET body = '{' WHERE seq = 6",
                says(6, "broken JSON at its character 1"),
            ),
            (
                "UPDATE entry SET body = replace(body, 'caller', char(30)) WHERE seq = 5",
                says(5, "broken JSON at its character 118"),
            ),
            (
                "UPDATE entry SET body = replace(body, 'arrived', 'flew') WHERE seq = 9",
                says(9, "an unknown shape at its character 0"),
            ),
            (
                "UPDATE entry SET body = CAST(x'7bff7d' AS TEXT) WHERE seq = 8",
                "reading the journal: error occurred while decoding column 3: \
                 invalid utf-8 sequence of 1 bytes from index 1"
                    .to_owned(),
            ),
        ];
        for (n, (deed, due)) in table.into_iter().enumerate() {
            // A name of its own: who read the one before may still be closing it.
            let path = folder.0.join(format!("damaged-{n}.db"));
            std::fs::copy(&whole, &path).expect("copied");
            block_on(async { sql(&path, deed).await.expect(deed).close().await.expect("closed") });
            assert_eq!(all(&path, 1), Err(due), "{deed}");
        }
    }

    #[test]
    fn a_block_in_another_order_or_with_another_count_is_read_row_by_row() {
        let line = |seq: u64| {
            let entry = entry(seq);
            format!("{seq} {} {}", entry.at.0, serde_json::to_string(&entry.fact).expect("JSON"))
        };
        let block = |lines: &[String], count| Block {
            from: 1,
            last: 3,
            count,
            text: Some(lines.join("\u{1e}").into_bytes()),
        };
        let read = block(&[line(1), line(2), line(3)], 3).entries();
        assert_eq!(read, Some(vec![entry(1), entry(2), entry(3)]));
        for (lines, count) in [
            (vec![line(1), line(3), line(2)], 3),
            (vec![line(1), line(1)], 2),
            (vec![line(1), line(2)], 3),
            (vec![line(1), "2".to_owned()], 2),
            (vec![], 0),
        ] {
            assert_eq!(block(&lines, count).entries(), None, "{lines:?}");
        }
    }
}
