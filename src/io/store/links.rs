//! Reading the journal with its hashes, for whoever checks or exports it; nothing is written to it.

use super::place::Place;
use super::site::{self, SiteError};
use crate::base::{CallId, Wall};
use crate::event::Link;
use crate::event::chain::{self, Hash, Unsealable};
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};
use std::path::Path;

/// Entries that are read at once.
const BLOCK: i64 = 4_096;

/// The first version of the schema that has hashes.
const CHAINED: i64 = 5;

/// Why a store's chain cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LinksError {
    /// The operating system said no.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// No store of ours.
    #[error("found no Madoguchi store in it")]
    NotOurs,
    /// The store was last opened by a version that knew no chain.
    #[error(
        "found schema version {found}, which has no hash chain; due is {CHAINED} or later: a start of \
         this program brings the store up to date"
    )]
    Older {
        /// Its schema's version.
        found: i64,
    },
    /// The database said no.
    #[error("reading the journal: {0}")]
    Database(#[from] sqlx::Error),
    /// The site's store.
    #[error(transparent)]
    Site(#[from] SiteError),
}

/// Which entries are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Those of this time or later.
    pub from: Option<Wall>,
    /// Those before this time.
    pub until: Option<Wall>,
    /// Those of this call.
    pub call: Option<CallId>,
}

impl Selection {
    fn is_all(&self) -> bool {
        *self == Self::default()
    }
}

enum Source {
    File(SqliteConnection),
    Site(Box<site::Opened>),
}

/// Entries with their hashes in order, in blocks. Ends after the first error.
pub struct Links {
    runtime: tokio::runtime::Runtime,
    source: Source,
    kind: String,
    last: i64,
    selection: Selection,
    /// None when there are no more.
    after: Option<i64>,
}

impl Links {
    /// Opens the store at `path` for reading, also while a daemon writes it. Blocks: not for a runtime.
    ///
    /// # Errors
    ///
    /// [`LinksError`].
    pub fn open(path: &Path, selection: Selection) -> Result<Self, LinksError> {
        std::fs::metadata(path)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let (connection, kind, last) = runtime.block_on(connect(path))?;
        let (source, after) = (Source::File(connection), Some(i64::MIN));
        Ok(Self { runtime, source, kind, last, selection, after })
    }

    /// Opens a place for reading. Blocks: not for a runtime.
    ///
    /// # Errors
    ///
    /// [`LinksError`].
    pub fn of(place: &Place, selection: Selection) -> Result<Self, LinksError> {
        let whose = match place {
            Place::File(path) => return Self::open(path, selection),
            Place::Site(whose) => whose,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let opened = runtime.block_on(site::open(whose))?;
        let (kind, last) = (opened.kind.clone(), opened.last);
        let (source, after) = (Source::Site(Box::new(opened)), Some(i64::MIN));
        Ok(Self { runtime, source, kind, last, selection, after })
    }

    /// What the store is for.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The place of the last entry.
    #[must_use]
    pub const fn last_seq(&self) -> i64 {
        self.last
    }

    async fn block(
        connection: &mut SqliteConnection,
        selection: Selection,
        after: i64,
    ) -> Result<Vec<Link>, LinksError> {
        const COLUMNS: &str = "SELECT seq, at_ms, v, body, call, hash, salt";
        let before = if selection.is_all() {
            ", NULL"
        } else {
            ", (SELECT hash FROM entry AS before WHERE before.seq < entry.seq \
             ORDER BY before.seq DESC LIMIT 1)"
        };
        let call = if selection.call.is_some() { "call = ?5" } else { "?5 IS NULL" };
        let text = format!(
            "{COLUMNS}{before} FROM entry WHERE seq > ?1 AND at_ms >= ?2 AND at_ms < ?3 AND {call} \
             ORDER BY seq LIMIT ?4"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(text))
            .bind(after)
            .bind(selection.from.map_or(i64::MIN, |at| at.0))
            .bind(selection.until.map_or(i64::MAX, |at| at.0))
            .bind(BLOCK)
            .bind(selection.call.map(|call| call.to_string()))
            .fetch_all(connection)
            .await?;
        rows.iter().map(|row| read(row).map_err(LinksError::from)).collect()
    }
}

/// A connection that only reads; what the store is for, and the place of its last entry.
pub(super) async fn connect(path: &Path) -> Result<(SqliteConnection, String, i64), LinksError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .row_buffer_size(1_024)
        .disable_statement_logging();
    let not_ours = |error: sqlx::Error| match &error {
        sqlx::Error::Database(said) if said.code().as_deref() == Some("26") => LinksError::NotOurs,
        _ => LinksError::Database(error),
    };
    let mut connection = SqliteConnection::connect_with(&options).await.map_err(not_ours)?;
    let ours: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM sqlite_schema WHERE name IN ('entry', 'meta', '_sqlx_migrations')",
    )
    .fetch_one(&mut connection)
    .await
    .map_err(not_ours)?;
    if ours < 3 {
        return Err(LinksError::NotOurs);
    }
    let version: Option<i64> = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
        .fetch_one(&mut connection)
        .await?;
    let found = version.unwrap_or(0);
    if found < CHAINED {
        return Err(LinksError::Older { found });
    }
    let kind: Option<String> = sqlx::query_scalar("SELECT value FROM meta WHERE key = 'kind'")
        .fetch_optional(&mut connection)
        .await?;
    let last: Option<i64> =
        sqlx::query_scalar("SELECT max(seq) FROM entry").fetch_one(&mut connection).await?;
    Ok((connection, kind.ok_or(LinksError::NotOurs)?, last.unwrap_or(0)))
}

fn read(row: &SqliteRow) -> Result<Link, sqlx::Error> {
    // As bytes: a text that was damaged may be none any more, and that is to be told of its entry.
    let body: Vec<u8> = row.try_get_unchecked(3)?;
    let body = match std::str::from_utf8(&body) {
        Ok(text) => chain::body(text),
        Err(error) => Err(Unsealable::Broken { column: error.valid_up_to() }),
    };
    let before: Option<Vec<u8>> = row.try_get_unchecked(7)?;
    Ok(Link {
        seq: row.try_get(0)?,
        at: Wall(row.try_get(1)?),
        v: row.try_get(2)?,
        body,
        filed_under: Some(row.try_get(4)?),
        hash: row.try_get(5)?,
        salt: row.try_get(6)?,
        before: before.and_then(|hash| hash.try_into().ok()).map(Hash),
    })
}

impl Iterator for Links {
    type Item = Result<Vec<Link>, LinksError>;

    fn next(&mut self) -> Option<Self::Item> {
        let after = self.after?;
        let selection = self.selection;
        let block = match &mut self.source {
            Source::File(connection) => {
                self.runtime.block_on(Self::block(connection, selection, after))
            }
            Source::Site(opened) => {
                let block = site::links(opened, selection, after, BLOCK);
                self.runtime.block_on(block).map_err(LinksError::from)
            }
        };
        self.after = block.as_ref().ok().and_then(|block| block.last()).map(|link| link.seq);
        match block {
            Ok(block) if block.is_empty() => None,
            block => Some(block),
        }
    }
}
