//! Whether a store is a later program's, as a start of this one would find it. Only looks: whoever asks may be about to
//! end a desk that runs.

use super::open;
use crate::base::beside;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use std::path::Path;

/// A schema that this program does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Newer {
    /// Its version.
    pub found: i64,
    /// The last one known here.
    pub known: i64,
}

/// The schema of the store at `path`, when this program would refuse it as a later one's. None also when there is no
/// store yet, or it cannot be read: that is for others to say. Blocks: not for a runtime.
#[must_use]
pub fn newer(path: &Path) -> Option<Newer> {
    std::fs::metadata(path).ok()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().ok()?;
    let found = runtime.block_on(version(path)).ok().flatten()?;
    let known = open::known();
    (found > known).then_some(Newer { found, known })
}

async fn version(path: &Path) -> Result<Option<i64>, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        // Nobody writes a store without a -wal, and SQLite would make one beside it only to read.
        .immutable(!beside(path, "-wal").exists())
        .disable_statement_logging();
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let found = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
        .fetch_one(&mut connection)
        .await;
    connection.close().await?;
    found
}
