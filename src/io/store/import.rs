//! Making a store out of an exported history.
//!
//! It is made beside its place, under another name, and comes there as a whole or not at all. What is
//! given is written as it is: who gives it has checked its chain.

use super::open::{self, OpenError, left_wal};
use super::sealing::{Row, call_of, padded};
use super::sql::Statements;
use super::{Durability, Kind, Options, Snapshot};
use crate::base::beside;
use crate::event::{self, Fact, Link, chain};
use serde_json::Value;
use sqlx::{Connection, SqliteConnection};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Entries in one transaction.
const BLOCK: usize = 4_096;

/// Why a store could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// There is a file already.
    #[error("{0} is there already; a history is imported into a new store")]
    Exists(PathBuf),
    /// What a store that was moved away left there. Made a store's of its own, it would be read into it.
    #[error(
        "{0} belongs to the store that was moved away, and its newest entries may be in it; move it to that store, beside it, then import once more"
    )]
    Left(PathBuf),
    /// The store could not be made.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database said no.
    #[error("writing the store: {0}")]
    Database(#[from] sqlx::Error),
    /// The operating system said no.
    #[error("{doing}: {source}")]
    Io {
        /// What was being attempted.
        doing: &'static str,
        /// What it said.
        source: std::io::Error,
    },
    /// Written by a later version.
    #[error(
        "found an entry of version {found}, due is one up to {known}: a newer program wrote it"
    )]
    Newer {
        /// Its version.
        found: i64,
        /// The last version known here.
        known: u16,
    },
    /// The entry is none that this program can read.
    #[error("found an entry in a shape that is not known here")]
    Shape,
}

/// A store in the making. Dropped before [`Importing::finish`], it leaves nothing.
pub struct Importing {
    path: PathBuf,
    beside: PathBuf,
    runtime: tokio::runtime::Runtime,
    connection: Option<SqliteConnection>,
    statements: Statements,
    rows: Vec<Row>,
    finished: bool,
    /// Held to the end, so that neither a daemon nor a second import has the place meanwhile.
    _lock: File,
}

impl Importing {
    /// Begins a store for `kind` at `path`. Blocks: not for a runtime.
    ///
    /// # Errors
    ///
    /// [`ImportError`]; nothing is left then.
    pub fn begin(path: &Path, kind: Kind) -> Result<Self, ImportError> {
        let taken = || std::fs::metadata(path).is_ok_and(|file| file.len() > 0);
        if taken() {
            return Err(ImportError::Exists(path.to_owned()));
        }
        let lock = open::lock(path)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(|source| ImportError::Io { doing: "starting", source })?;
        let mut made = Self {
            path: path.to_owned(),
            beside: beside(path, ".importing"),
            runtime,
            connection: None,
            statements: Statements::new(),
            rows: Vec::with_capacity(BLOCK),
            finished: false,
            _lock: lock,
        };
        if taken() {
            made.finished = true; // Somebody's who was quicker: not ours to clear away.
            return Err(ImportError::Exists(path.to_owned()));
        }
        if let Some(wal) = left_wal(path) {
            return Err(ImportError::Left(wal));
        }
        made.clear(); // What a killed import left.
        // Of a store that was here before: it would not be used, but numbers are in it.
        Snapshot::forget(path)
            .map_err(|source| ImportError::Io { doing: "deleting an old snapshot", source })?;
        open::make(&made.beside)?;
        let options = Options { kind, durability: Durability::Process };
        let connection = made.runtime.block_on(async {
            let mut connection = open::connect(&made.beside, options).await?;
            open::examine(&mut connection, &made.beside, kind).await?;
            Ok::<_, ImportError>(connection)
        })?;
        made.connection = Some(connection);
        Ok(made)
    }

    /// The next entry, whose chain was found whole.
    ///
    /// # Errors
    ///
    /// [`ImportError`].
    pub fn add(&mut self, link: &Link) -> Result<(), ImportError> {
        let body = link.body.as_ref().map_err(|_| ImportError::Shape)?;
        if link.v > i64::from(event::VERSION) {
            return Err(ImportError::Newer { found: link.v, known: event::VERSION });
        }
        let value = Value::Object(body.clone());
        let mut text = Vec::new();
        chain::write(&value, &mut text);
        // What cannot be read would stop the next start.
        serde_json::from_value::<Fact>(value).map_err(|_| ImportError::Shape)?;
        self.rows.push(Row {
            seq: link.seq,
            at_ms: link.at.0,
            call: call_of(body),
            v: link.v,
            body: padded(
                String::from_utf8(text).map_err(|_| ImportError::Shape)?,
                chain::growth(body),
            ),
            hash: link.hash.clone().ok_or(ImportError::Shape)?,
            salt: link.salt.clone(),
        });
        if self.rows.len() >= BLOCK { self.write() } else { Ok(()) }
    }

    /// Puts the store at its place.
    ///
    /// # Errors
    ///
    /// [`ImportError`]; nothing is left then.
    pub fn finish(mut self) -> Result<(), ImportError> {
        self.write()?;
        if let Some(connection) = self.connection.take() {
            self.runtime.block_on(close(connection))?;
        }
        let io = |doing| move |source| ImportError::Io { doing, source };
        File::open(&self.beside)
            .and_then(|file| file.sync_all())
            .and_then(|()| std::fs::rename(&self.beside, &self.path))
            .map_err(io("putting the store at its place"))?;
        self.finished = true;
        open::sync_folder(&self.path).map_err(io("bringing the folder to the disk"))
    }

    fn write(&mut self) -> Result<(), ImportError> {
        if let Some(connection) = &mut self.connection {
            let write = self.statements.write(connection, &self.rows, &[], &[], false);
            self.runtime.block_on(write)?;
        }
        self.rows.clear();
        Ok(())
    }

    fn clear(&self) {
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(beside(&self.beside, end)); // Mostly, there is none.
        }
    }
}

impl Drop for Importing {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        if let Some(connection) = self.connection.take() {
            let _ = self.runtime.block_on(connection.close());
        }
        self.clear();
        if !self.path.exists() {
            let _ = std::fs::remove_file(open::lock_path(&self.path));
        }
    }
}

async fn close(mut connection: SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await?;
    connection.close().await
}
