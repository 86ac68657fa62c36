//! A copy of the journal, made while a daemon writes it, and a copy put where a journal is due.
//!
//! The copy is made by `SQLite` in one reading (`VACUUM INTO`): it is the journal as it stood after one transaction, and
//! no writer waits for it. Knows no folder of a backup and nothing that lies in one beside the journal.

use super::links::{self, LinksError};
use super::open::{self, OpenError};
use super::owner::give_to_the_folders_owner;
use super::snapshot::Snapshot;
use crate::base::{self, Wall};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Why a copy was not made, or not put.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The operating system said no.
    #[error("{doing}: {source}")]
    Io {
        /// What was being attempted.
        doing: &'static str,
        /// What it said.
        source: std::io::Error,
    },
    /// The journal cannot be read.
    #[error(transparent)]
    Unreadable(#[from] LinksError),
    /// The database said no.
    #[error("copying the journal: {0}")]
    Database(#[from] sqlx::Error),
    /// The place is in use, or cannot be locked.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What a store that was moved away left at the place.
    #[error(
        "{0} belongs to the store that was moved away, and its newest entries may be in it; move it to that store, beside it, then restore once more"
    )]
    Left(PathBuf),
    /// A name that `SQLite` cannot be told.
    #[error("found a path that is no UTF-8 text, and SQLite needs one")]
    NoText,
    /// The copy is not what the journal was. A fault of the disk or of a program between.
    #[error(
        "the copy ends with entry {seq} and has {entries} entries, the journal had {due} up to there{}; make it again",
        if *same_hash { "" } else { ", and another hash" }
    )]
    NotTheSame {
        /// The copy's last entry.
        seq: i64,
        /// How many the copy has.
        entries: u64,
        /// How many the journal has up to that entry.
        due: u64,
        /// Whether the journal has the same hash there.
        same_hash: bool,
    },
}

/// How far a history goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its entries.
    pub entries: u64,
    /// The last one; 0 when there is none.
    pub seq: i64,
    /// When that was.
    pub at: Wall,
    /// The hash there, hexadecimal; empty when there is none.
    pub hash: String,
}

/// A recording that lies on the disk, as the history says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRecording {
    /// Whose: the call's id.
    pub call: String,
    /// Which of the call's.
    pub number: i64,
    /// Its path in the folder of recordings.
    pub file: String,
    /// How long it is.
    pub bytes: u64,
    /// SHA-256 of it as it lies, hexadecimal.
    pub sha256: String,
    /// How long its sound is, milliseconds.
    pub length_ms: u64,
}

/// What is where a copy is to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum There {
    /// No history.
    Nothing,
    /// The beginning of the copy's, or the same: nothing of it would be lost.
    Behind(Head),
    /// What the copy has and more.
    Newer(Lost),
    /// Another history from some entry on.
    Another(Lost),
}

/// What a copy in its place would take away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Entries.
    pub entries: u64,
    /// Calls that have one of these.
    pub calls: u64,
    /// The first.
    pub from: i64,
    /// When that was.
    pub since: Wall,
    /// When the last was.
    pub until: Wall,
}

fn io(doing: &'static str) -> impl FnOnce(std::io::Error) -> BackupError {
    move |source| BackupError::Io { doing, source }
}

/// `SQLite` takes a name that begins with `file:` for another thing than a name: an absolute one never does.
fn named(path: &Path) -> Result<String, BackupError> {
    let whole = std::path::absolute(path).map_err(io("finding the folder"))?;
    whole.into_os_string().into_string().map_err(|_| BackupError::NoText)
}

fn runtime() -> Result<tokio::runtime::Runtime, BackupError> {
    tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(io("starting"))
}

/// Copies the journal at `from` to a new file at `to`, which only its owner may read; tells how far the copy goes and
/// what it is for. The copy needs no `-wal`, and has nothing of what was erased. Blocks: not for a runtime.
///
/// # Errors
///
/// [`BackupError`]; what there is at `to` then is no copy.
pub fn copy(from: &Path, to: &Path) -> Result<(Head, String), BackupError> {
    std::fs::metadata(from).map_err(io("looking for the store"))?;
    let into = named(to)?;
    open::make(to)?;
    runtime()?.block_on(async {
        let (mut journal, kind, _) = links::connect(from).await?;
        sqlx::query("VACUUM INTO ?1").bind(into).execute(&mut journal).await?;
        File::open(to).and_then(|file| file.sync_all()).map_err(io("bringing the copy to the disk"))?;
        let (mut copied, ..) = links::connect(to).await?;
        let head = head_of(&mut copied).await?;
        copied.close().await?;
        // The journal has grown meanwhile; up to here it must be the same.
        let (due, hash): (i64, Option<String>) = sqlx::query_as(
            "SELECT count(*), (SELECT lower(hex(hash)) FROM entry WHERE seq = ?1) FROM entry WHERE seq <= ?1",
        )
        .bind(head.seq)
        .fetch_one(&mut journal)
        .await?;
        journal.close().await?;
        let (due, same_hash) = (count(due), hash.unwrap_or_default() == head.hash);
        if due != head.entries || !same_hash {
            let Head { seq, entries, .. } = head;
            return Err(BackupError::NotTheSame { seq, entries, due, same_hash });
        }
        Ok((head, kind))
    })
}

fn count(of: i64) -> u64 {
    u64::try_from(of).unwrap_or(0)
}

async fn head_of(connection: &mut SqliteConnection) -> Result<Head, sqlx::Error> {
    let entries: i64 =
        sqlx::query_scalar("SELECT count(*) FROM entry").fetch_one(&mut *connection).await?;
    let last = sqlx::query(
        "SELECT seq, at_ms, coalesce(lower(hex(hash)), '') FROM entry ORDER BY seq DESC LIMIT 1",
    )
    .fetch_optional(&mut *connection)
    .await?;
    let (seq, at, hash) = match last {
        Some(row) => (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?),
        None => (0, 0, String::new()),
    };
    Ok(Head { entries: count(entries), seq, at: Wall(at), hash })
}

/// How far the history in a store goes; nothing is written. Blocks: not for a runtime.
///
/// # Errors
///
/// [`BackupError`].
pub fn head(path: &Path) -> Result<Head, BackupError> {
    std::fs::metadata(path).map_err(io("looking for the store"))?;
    runtime()?.block_on(async {
        let (mut connection, ..) = links::connect(path).await?;
        let head = head_of(&mut connection).await?;
        connection.close().await?;
        Ok(head)
    })
}

/// The recordings that were kept and not deleted, by call and number. Blocks: not for a runtime.
///
/// # Errors
///
/// [`BackupError`].
pub fn recordings(path: &Path) -> Result<Vec<KeptRecording>, BackupError> {
    const STEPS: &str = "SELECT call, body ->> '$.event.number', body ->> '$.event.kind', \
        body ->> '$.event.file', body ->> '$.event.bytes', body ->> '$.event.sha256', body ->> '$.event.length_ms' \
        FROM entry WHERE call IS NOT NULL AND body ->> '$.of' = 'recording' \
        AND body ->> '$.event.kind' IN ('kept', 'deleted') ORDER BY seq";
    runtime()?.block_on(async {
        let (mut connection, ..) = links::connect(path).await?;
        let rows = sqlx::query(STEPS).fetch_all(&mut connection).await?;
        connection.close().await?;
        let mut kept = BTreeMap::new();
        for row in &rows {
            let (call, number): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
            if row.try_get::<String, _>(2)? == "deleted" {
                kept.remove(&(call, number));
                continue;
            }
            let recording = KeptRecording {
                call: call.clone(),
                number,
                file: row.try_get(3)?,
                bytes: count(row.try_get(4)?),
                sha256: row.try_get(5)?,
                length_ms: count(row.try_get(6)?),
            };
            kept.insert((call, number), recording);
        }
        Ok(kept.into_values().collect())
    })
}

/// A copy that is to come to a place, which nobody else has meanwhile.
pub struct Restoring {
    copy: PathBuf,
    into: PathBuf,
    there: There,
    /// Held to the end, so that neither a daemon nor a second restore has the place.
    _lock: File,
}

impl Restoring {
    /// Takes the lock of the place `into` and looks at what is there. Blocks: not for a runtime.
    ///
    /// # Errors
    ///
    /// [`BackupError`]: in use, or what is there cannot be read. Nothing was changed.
    pub fn begin(copy: &Path, into: &Path) -> Result<Self, BackupError> {
        let lock = open::lock(into)?;
        if let Some(wal) = open::left_wal(into) {
            return Err(BackupError::Left(wal));
        }
        let there = standing(copy, into)?;
        Ok(Self { copy: copy.to_owned(), into: into.to_owned(), there, _lock: lock })
    }

    /// What is there.
    #[must_use]
    pub fn there(&self) -> &There {
        &self.there
    }

    /// Puts the copy at its place, as a whole or not at all; only its owner may read it, who is the folder's when root
    /// puts it.
    ///
    /// # Errors
    ///
    /// [`BackupError`]; what was there is there still.
    pub fn finish(self) -> Result<Head, BackupError> {
        let beside = base::beside(&self.into, ".restoring");
        let put = self.put(&beside);
        if put.is_err() {
            let _ = std::fs::remove_file(&beside); // what is left of it is of no use
        }
        put
    }

    fn put(&self, beside: &Path) -> Result<Head, BackupError> {
        let writing = io("copying the store");
        let mut from = File::open(&self.copy).map_err(io("opening the copy"))?;
        let mut open = std::fs::OpenOptions::new();
        let open = open.write(true).create(true).truncate(true).mode(0o600).open(beside);
        let mut to = open.map_err(io("making the store's file"))?;
        give_to_the_folders_owner(beside).map_err(io("giving the store to the desk's user"))?;
        std::io::copy(&mut from, &mut to).and_then(|_| to.sync_all()).map_err(writing)?;
        let head = runtime()?.block_on(async {
            let options = SqliteConnectOptions::new()
                .filename(beside)
                .journal_mode(SqliteJournalMode::Delete)
                .disable_statement_logging();
            let mut connection = SqliteConnection::connect_with(&options).await?;
            // It is another file than the one that it was copied from: what follows the journal (the site's store)
            // must look anew where it stands.
            sqlx::query("DELETE FROM meta WHERE key IN ('file', 'erasing')")
                .execute(&mut connection)
                .await?;
            let head = head_of(&mut connection).await?;
            connection.close().await?;
            Ok::<_, sqlx::Error>(head)
        })?;
        File::open(beside)
            .and_then(|file| file.sync_all())
            .map_err(io("bringing the store to the disk"))?;
        // Of what was here, which the copy has too: with them beside it, SQLite would read another file.
        for end in ["-wal", "-shm"] {
            match std::fs::remove_file(base::beside(&self.into, end)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(io("deleting what belonged to the old store")(error));
                }
                _ => {}
            }
        }
        Snapshot::forget(&self.into).map_err(io("deleting the old snapshot"))?;
        std::fs::rename(beside, &self.into).map_err(io("putting the store at its place"))?;
        open::sync_folder(&self.into).map_err(io("bringing the folder to the disk"))?;
        Ok(head)
    }
}

/// Compares what is at `into` with a copy.
fn standing(copy: &Path, into: &Path) -> Result<There, BackupError> {
    // The first entry that the copy has not, or has with another hash.
    const FIRST: &str = "SELECT min(one.seq) FROM main.entry AS one LEFT JOIN copy.entry AS other USING (seq) \
        WHERE other.seq IS NULL OR other.hash IS NOT one.hash";
    if !std::fs::metadata(into).is_ok_and(|file| file.len() > 0) {
        return Ok(There::Nothing);
    }
    let copy = named(copy)?;
    runtime()?.block_on(async {
        let (mut connection, ..) = links::connect(into).await?;
        let head = head_of(&mut connection).await?;
        sqlx::query("ATTACH DATABASE ?1 AS copy").bind(copy).execute(&mut connection).await?;
        let from: Option<i64> = sqlx::query_scalar(FIRST).fetch_one(&mut connection).await?;
        let last: Option<i64> =
            sqlx::query_scalar("SELECT max(seq) FROM copy.entry").fetch_one(&mut connection).await?;
        let there = match from {
            None => There::Behind(head),
            Some(from) => {
                let row = sqlx::query(
                    "SELECT count(*), count(DISTINCT call), min(at_ms), max(at_ms) FROM main.entry WHERE seq >= ?1",
                )
                .bind(from)
                .fetch_one(&mut connection)
                .await?;
                let (entries, calls): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
                let lost = Lost {
                    entries: count(entries),
                    calls: count(calls),
                    from,
                    since: Wall(row.try_get(2)?),
                    until: Wall(row.try_get(3)?),
                };
                if from > last.unwrap_or(0) { There::Newer(lost) } else { There::Another(lost) }
            }
        };
        connection.close().await?;
        Ok(there)
    })
}
