//! The snapshot beside the store: what was folded of the history up to one entry, so that a start and a
//! report read only what came after.
//!
//! It is a cache and never a source. It is used when it is whole, was written by this very program under
//! the same settings, and the journal has, at its entry, the hash that it has; since each hash covers all
//! entries before, it is then of this history and of no other. In every other case all entries are
//! read. It may be deleted at any time. Owns the file; knows nothing of what is in it.

use super::open;
use super::read::{ReadError, hash_after};
use crate::base::{Keep, Kept, beside, kept};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How the file begins.
const MARK: &[u8] = b"madoguchi snapshot\n";

/// Bytes of the sum at the end.
const SUM: usize = 32;

/// A longer one is neither written nor read. Ten years of the desk take some 20 MB.
pub const SNAPSHOT_BOUND: u64 = 256 << 20;

/// Why a snapshot is not used. Nothing of a person's is in the words.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// The operating system said no.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Beyond the bound.
    #[error("it has {found} bytes, due are at most {SNAPSHOT_BOUND}")]
    TooLong {
        /// Its length.
        found: u64,
    },
    /// Cut off, changed, or no snapshot at all.
    #[error("it is damaged, or no snapshot")]
    Damaged,
    /// Another build of the program, another zone, other settings.
    #[error("it was made by another build of the program or under other settings")]
    MadeOtherwise,
    /// The journal was replaced, or lost its end with the power.
    #[error("entry {seq} of the journal is not the one that it stands at")]
    OtherHistory {
        /// At which it stands.
        seq: u64,
    },
    /// The journal could not be asked.
    #[error(transparent)]
    Journal(#[from] ReadError),
    /// Whole, and yet not what it should be.
    #[error("what is in it cannot be read")]
    Content,
}

/// What was folded up to an entry.
pub struct Snapshot {
    /// The entry that it stands at.
    pub seq: u64,
    bytes: Vec<u8>,
    views: Range<usize>,
    rules: Range<usize>,
}

/// What stands in front.
struct Head {
    seq: u64,
    hash: String,
    /// Bytes of the one part and of the other.
    views: usize,
    rules: usize,
}

kept!(struct Head { seq, hash, views, rules });

/// Where the snapshot of a store lies.
#[must_use]
pub fn snapshot_path(store: &Path) -> PathBuf {
    beside(store, ".snapshot")
}

/// Where it is while it is written.
fn unfinished_path(store: &Path) -> PathBuf {
    beside(store, ".snapshot-new")
}

impl Snapshot {
    /// The store's snapshot, if there is one and it fits `made_by` and the journal; none when there is
    /// none. Waits for the disk. Blocks: not for a runtime.
    ///
    /// # Errors
    ///
    /// [`Unfit`]: read all entries instead.
    pub fn read(store: &Path, made_by: &str) -> Result<Option<Self>, Unfit> {
        let file = match File::open(snapshot_path(store)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let found = file.metadata()?.len();
        if found > SNAPSHOT_BOUND {
            return Err(Unfit::TooLong { found });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(found).unwrap_or(0).saturating_add(1));
        file.take(SNAPSHOT_BOUND).read_to_end(&mut bytes)?;
        let (snapshot, hash) = Self::parse(bytes, made_by)?;
        match hash_after(store, snapshot.seq)? {
            Some(due) if due == hash => Ok(Some(snapshot)),
            _ => Err(Unfit::OtherHistory { seq: snapshot.seq }),
        }
    }

    fn parse(bytes: Vec<u8>, made_by: &str) -> Result<(Self, String), Unfit> {
        let end = bytes.len().checked_sub(SUM).ok_or(Unfit::Damaged)?;
        let (content, sum) = bytes.split_at_checked(end).ok_or(Unfit::Damaged)?;
        let rest = content.strip_prefix(MARK).ok_or(Unfit::Damaged)?;
        if Sha256::digest(content).as_slice() != sum {
            return Err(Unfit::Damaged);
        }
        let mut from = Kept::new(rest);
        // First of all: nothing behind it is written alike by another build.
        if String::found(&mut from).ok_or(Unfit::Damaged)? != made_by {
            return Err(Unfit::MadeOtherwise);
        }
        let Head { seq, hash, views, rules } = Head::found(&mut from).ok_or(Unfit::Content)?;
        let begin = content.len().saturating_sub(from.left());
        if views.checked_add(rules) != Some(from.left()) {
            return Err(Unfit::Content);
        }
        let cut = begin.saturating_add(views);
        Ok((Self { seq, views: begin..cut, rules: cut..end, bytes }, hash))
    }

    /// The views' part.
    #[must_use]
    pub fn views(&self) -> Kept<'_> {
        Kept::new(self.bytes.get(self.views.clone()).unwrap_or_default())
    }

    /// What the rules go on with.
    #[must_use]
    pub fn rules(&self) -> Kept<'_> {
        Kept::new(self.bytes.get(self.rules.clone()).unwrap_or_default())
    }

    /// Writes a snapshot that stands at `seq`, beside its place, on the disk, and then at its place: what
    /// lies there is whole at every instant. Only its owner can read it, for callers' numbers are in it.
    /// Waits for the disk. Blocks: not for a runtime.
    ///
    /// # Errors
    ///
    /// [`Unfit`]: none is written; what lay there lies there still.
    pub fn write(
        store: &Path,
        made_by: &str,
        seq: u64,
        (views, rules): (&[u8], &[u8]),
    ) -> Result<(), Unfit> {
        let hash = hash_after(store, seq)?.ok_or(Unfit::OtherHistory { seq })?;
        let mut head = MARK.to_vec();
        made_by.to_owned().keep(&mut head);
        Head { seq, hash, views: views.len(), rules: rules.len() }.keep(&mut head);
        let parts = [head.as_slice(), views, rules];
        let length = parts.iter().fold(SUM, |sum, part| sum.saturating_add(part.len()));
        let found = u64::try_from(length).unwrap_or(u64::MAX);
        if found > SNAPSHOT_BOUND {
            return Err(Unfit::TooLong { found });
        }
        let unfinished = unfinished_path(store);
        let written = Self::put(&unfinished, store, parts);
        if written.is_err() {
            // A disk that is full needs the room for the journal.
            let _ = gone(&unfinished);
        }
        Ok(written?)
    }

    fn put(unfinished: &Path, store: &Path, parts: [&[u8]; 3]) -> io::Result<()> {
        // What a killed writer left; and never a file that somebody else made.
        gone(unfinished)?;
        let mut open = OpenOptions::new();
        let mut file = open.write(true).create_new(true).mode(0o600).open(unfinished)?;
        let mut sum = Sha256::new();
        for part in parts {
            sum.update(part);
            file.write_all(part)?;
        }
        file.write_all(&sum.finalize())?;
        file.sync_all()?;
        std::fs::rename(unfinished, snapshot_path(store))?;
        // Whether the name is on the disk as well decides nothing: the one before would do too.
        let _ = open::sync_folder(store);
        Ok(())
    }

    /// Deletes the store's snapshot, and what a killed writer left of one.
    ///
    /// # Errors
    ///
    /// When one is there and stays.
    pub fn forget(store: &Path) -> io::Result<()> {
        gone(&snapshot_path(store)).and(gone(&unfinished_path(store)))
    }
}

fn gone(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
