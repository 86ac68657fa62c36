//! Reading the journal in parts: one call's ladder, what came after an entry, a hash. All of it: `replay`.

use crate::base::{CallId, Wall};
use crate::event::{self, Entry};
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Entries of one call that are read; what follows is not.
pub const LADDER_BOUND: i64 = 2_000;

/// Calls that are listed at once.
const LISTED_BOUND: i64 = 100;

/// Which calls are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All that came to the desk.
    All,
    /// Those that were recorded.
    Recorded,
}

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

    pub(super) fn decode(&self) -> Result<Entry, ReadError> {
        let fact = event::read(&self.body).map_err(|error| ReadError::Entry {
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

pub(super) async fn part(
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

/// Does something with a connection of its own. Blocks: not for a runtime.
pub(super) fn alone<T>(
    path: &Path,
    work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.map_err(ReadError::Thread)?.block_on(async {
        let mut connection = SqliteConnection::connect_with(&options(path)).await?;
        work(&mut connection).await
    })
}

/// As [`super::Place::hash_after`], of a file.
pub(super) fn hash_after(path: &Path, seq: u64) -> Result<Option<String>, ReadError> {
    alone(path, async |connection| {
        let hashed: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pragma_table_info('entry') WHERE name = 'hash'",
        )
        .fetch_one(&mut *connection)
        .await?;
        if hashed == 0 { Ok(None) } else { hash(connection, seq).await }
    })
}

/// As [`super::Place::ladder`], of a file.
pub(super) fn ladder(path: &Path, call: CallId) -> Result<Vec<Entry>, ReadError> {
    alone(path, async |connection| entries_of(connection, call).await)
}

async fn entries_of(
    connection: &mut SqliteConnection,
    call: CallId,
) -> Result<Vec<Entry>, ReadError> {
    let rows =
        sqlx::query("SELECT seq, at_ms, v, body FROM entry WHERE call = ?1 ORDER BY seq LIMIT ?2")
            .bind(call.to_string())
            .bind(LADDER_BOUND)
            .fetch_all(connection)
            .await?;
    rows.iter().map(|row| Raw::from_row(row)?.decode()).collect()
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
        entries_of(connection, call).await
    }

    /// Calls, all or those with recordings, whose ids lie from `from` on and below `below`, the greatest ids first, each with
    /// its entries in order: at most a hundred, none when there are no more.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub async fn listed(
        &self,
        from: CallId,
        below: CallId,
        which: Which,
    ) -> Result<Vec<(CallId, Vec<Entry>)>, ReadError> {
        let mut connection = self.connection.lock().await;
        let connection = self.open(&mut connection).await?;
        let rows = sqlx::query(
            "SELECT seq, at_ms, v, body, call FROM entry WHERE call IN ( \
             SELECT DISTINCT call FROM entry WHERE call >= ?1 AND call < ?2 \
             AND body ->> '$.of' = ?4 ORDER BY call DESC LIMIT ?3) \
             ORDER BY call DESC, seq",
        )
        .bind(from.to_string())
        .bind(below.to_string())
        .bind(LISTED_BOUND)
        .bind(match which {
            Which::Recorded => "recording",
            Which::All => "call",
        })
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
