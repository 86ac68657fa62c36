//! Reading the journal: all of it at the start, one call's ladder or a part of it later.

use super::place::Place;
use super::site;
use crate::base::{CallId, Wall};
use crate::event::{self, Entry, Fact};
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use tokio::sync::Mutex;

/// Entries in one block of a replay.
const BLOCK: i64 = 5_000;

/// Entries of one call that are read; what follows is not.
pub const LADDER_BOUND: i64 = 2_000;

/// Calls with recordings that are read at once.
const RECORDED_BOUND: i64 = 100;

/// Why the journal could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The database said no.
    #[error("reading the journal: {0}")]
    Database(#[from] sqlx::Error),
    /// An entry is not in a shape we know. What it says is left out of the message: it may be about
    /// a person.
    #[error(
        "entry {seq} of the journal cannot be read: version {v} found, up to {known} known; {what} at its character {column}"
    )]
    Entry {
        /// Which.
        seq: i64,
        /// The version written beside it.
        v: i64,
        /// The last version known here.
        known: u16,
        /// What is wrong, in one word.
        what: &'static str,
        /// Where.
        column: usize,
    },
    /// The site's store.
    #[error(transparent)]
    Site(#[from] super::site::SiteError),
    /// The thread that reads could not begin.
    #[error("reading the journal: {0}")]
    Thread(std::io::Error),
}

const COLUMNS: usize = 4;

pub(super) struct Raw {
    pub(super) seq: i64,
    pub(super) at_ms: i64,
    pub(super) v: i64,
    pub(super) body: String,
}

impl Raw {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        debug_assert!(row.len() >= COLUMNS);
        Ok(Self {
            seq: row.try_get(0)?,
            at_ms: row.try_get(1)?,
            v: row.try_get(2)?,
            body: row.try_get(3)?,
        })
    }

    fn decode(&self) -> Result<Entry, ReadError> {
        let fact: Fact = serde_json::from_str(&self.body).map_err(|error| ReadError::Entry {
            seq: self.seq,
            v: self.v,
            known: event::VERSION,
            what: match error.classify() {
                serde_json::error::Category::Data => "an unknown shape",
                _ => "broken JSON",
            },
            column: error.column(),
        })?;
        let seq = u64::try_from(self.seq).unwrap_or(0);
        Ok(Entry { seq, at: Wall(self.at_ms), fact })
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .row_buffer_size(1_024)
        .thread_name(|_| "journal-read".to_owned())
        .disable_statement_logging()
}

async fn part(
    connection: &mut SqliteConnection,
    from: i64,
    below: i64,
    limit: i64,
) -> Result<Vec<Raw>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT seq, at_ms, v, body FROM entry WHERE seq >= ?1 AND seq < ?2 ORDER BY seq LIMIT ?3",
    )
    .bind(from)
    .bind(below)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(Raw::from_row).collect()
}

/// All entries that the file held when it was opened, in order, in blocks: an iterator that reads
/// ahead on a thread of its own. It ends after the first error.
pub struct Entries {
    blocks: Receiver<Result<Vec<Raw>, ReadError>>,
}

impl Entries {
    /// Those of a file that nobody need have opened; nothing is written to it, whatever its version.
    ///
    /// # Errors
    ///
    /// When there is no such file, or no thread; what is wrong with the file comes as the first block.
    pub fn read_only(path: &Path) -> std::io::Result<Self> {
        std::fs::metadata(path)?;
        Self::start(path, u64::MAX)
    }

    /// Those of a place that nobody need have opened.
    ///
    /// # Errors
    ///
    /// As [`Entries::read_only`]; that the site's store cannot be reached comes as the first block.
    pub fn of(place: &Place) -> std::io::Result<Self> {
        let whose = match place {
            Place::File(path) => return Self::read_only(path),
            Place::Site(whose) => whose.clone(),
        };
        let (tx, blocks) = sync_channel(2);
        std::thread::Builder::new().name("replay".into()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let read = match runtime.map_err(ReadError::Thread) {
                Ok(runtime) => {
                    runtime.block_on(site::blocks(&whose, |block| tx.send(Ok(block)).is_ok()))
                }
                Err(error) => Err(error),
            };
            // The reader may be gone: nobody wants the rest then.
            let _ = read.map_err(|error| tx.send(Err(error)));
        })?;
        Ok(Self { blocks })
    }

    pub(super) fn start(path: &Path, below: u64) -> std::io::Result<Self> {
        let (tx, blocks) = sync_channel(2);
        let (path, below) = (path.to_owned(), i64::try_from(below).unwrap_or(i64::MAX));
        std::thread::Builder::new().name("replay".into()).spawn(move || {
            // The reader may be gone: nobody wants the rest then.
            let _ = read_all(&path, below, &tx);
        })?;
        Ok(Self { blocks })
    }
}

type Gone = std::sync::mpsc::SendError<Result<Vec<Raw>, ReadError>>;

fn read_all(
    path: &Path,
    below: i64,
    out: &SyncSender<Result<Vec<Raw>, ReadError>>,
) -> Result<(), Gone> {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime,
        Err(error) => return out.send(Err(ReadError::Thread(error))),
    };
    runtime.block_on(async {
        let mut connection = match SqliteConnection::connect_with(&options(path)).await {
            Ok(connection) => connection,
            Err(error) => return out.send(Err(error.into())),
        };
        let mut from = 1;
        while from < below {
            match part(&mut connection, from, below, BLOCK).await {
                Ok(block) => {
                    let Some(last) = block.last() else { break };
                    from = last.seq.saturating_add(1);
                    out.send(Ok(block))?;
                }
                Err(error) => return out.send(Err(error.into())),
            }
        }
        Ok(())
    })
}

impl Iterator for Entries {
    type Item = Result<Vec<Entry>, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let block = self.blocks.recv().ok()?;
        Some(block.and_then(|rows| rows.iter().map(Raw::decode).collect()))
    }
}

/// As [`super::Place::hash_after`], of a file.
pub(super) async fn hash_after(path: &Path, seq: u64) -> Result<Option<String>, ReadError> {
    let mut connection = SqliteConnection::connect_with(&options(path)).await?;
    let hashed: i64 =
        sqlx::query_scalar("SELECT count(*) FROM pragma_table_info('entry') WHERE name = 'hash'")
            .fetch_one(&mut connection)
            .await?;
    if hashed == 0 { Ok(None) } else { hash(&mut connection, seq).await }
}

async fn hash(connection: &mut SqliteConnection, seq: u64) -> Result<Option<String>, ReadError> {
    let hash: Option<Option<String>> =
        sqlx::query_scalar("SELECT lower(hex(hash)) FROM entry WHERE seq = ?1")
            .bind(i64::try_from(seq).unwrap_or(i64::MAX))
            .fetch_optional(connection)
            .await?;
    Ok(hash.flatten().filter(|hash| !hash.is_empty()))
}

/// Reads while the store is written; cheap to clone, one question at a time. Works in any tokio
/// runtime.
#[derive(Clone)]
pub struct Reader {
    path: PathBuf,
    connection: Arc<Mutex<Option<SqliteConnection>>>,
}

impl Reader {
    /// Reads a store that nobody need have opened, or that a daemon writes; nothing is written to it.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        Self::new(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), connection: Arc::default() }
    }

    /// The entries of one call in order, at most [`LADDER_BOUND`].
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn ladder(&self, call: CallId) -> Result<Vec<Entry>, ReadError> {
        let mut connection = self.connection.lock().await;
        let connection = self.open(&mut connection).await?;
        let rows = sqlx::query(
            "SELECT seq, at_ms, v, body FROM entry WHERE call = ?1 ORDER BY seq LIMIT ?2",
        )
        .bind(call.to_string())
        .bind(LADDER_BOUND)
        .fetch_all(connection)
        .await?;
        rows.iter().map(|row| Raw::from_row(row)?.decode()).collect()
    }

    /// Calls with recordings whose ids lie from `from` on and below `below`, the greatest ids first, each with
    /// its entries in order: at most a hundred, none when there are no more.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn recorded(
        &self,
        from: CallId,
        below: CallId,
    ) -> Result<Vec<(CallId, Vec<Entry>)>, ReadError> {
        let mut connection = self.connection.lock().await;
        let connection = self.open(&mut connection).await?;
        let rows = sqlx::query(
            "SELECT seq, at_ms, v, body, call FROM entry WHERE call IN ( \
             SELECT DISTINCT call FROM entry WHERE call >= ?1 AND call < ?2 \
             AND body ->> '$.of' = 'recording' ORDER BY call DESC LIMIT ?3) \
             ORDER BY call DESC, seq",
        )
        .bind(from.to_string())
        .bind(below.to_string())
        .bind(RECORDED_BOUND)
        .fetch_all(connection)
        .await?;
        let mut calls: Vec<(CallId, Vec<Entry>)> = Vec::new();
        for row in &rows {
            let text: String = row.try_get(COLUMNS)?;
            let call = text.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
            let entry = Raw::from_row(row)?.decode()?;
            match calls.last_mut() {
                Some((last, entries)) if *last == CallId(call) => entries.push(entry),
                _ => calls.push((CallId(call), vec![entry])),
            }
        }
        Ok(calls)
    }

    /// The history's hash after an entry, hexadecimal; none when it has no such entry.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn hash(&self, seq: u64) -> Result<Option<String>, ReadError> {
        let mut connection = self.connection.lock().await;
        let connection = self.open(&mut connection).await?;
        hash(connection, seq).await
    }

    /// The entries from `seq` on in order, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn since(&self, seq: u64, limit: u32) -> Result<Vec<Entry>, ReadError> {
        let mut connection = self.connection.lock().await;
        let connection = self.open(&mut connection).await?;
        let from = i64::try_from(seq).unwrap_or(i64::MAX);
        let rows = part(connection, from, i64::MAX, i64::from(limit)).await?;
        rows.iter().map(Raw::decode).collect()
    }

    async fn open<'a>(
        &self,
        connection: &'a mut Option<SqliteConnection>,
    ) -> Result<&'a mut SqliteConnection, ReadError> {
        if connection.is_none() {
            let opened = SqliteConnection::connect_with(&options(&self.path)).await?;
            return Ok(connection.insert(opened));
        }
        // Checked above; the borrow checker wants it said again.
        connection.as_mut().ok_or(ReadError::Database(sqlx::Error::WorkerCrashed))
    }
}
