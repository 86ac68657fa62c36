//! The journal as the copying reads it: raw rows, nothing decoded.

use super::SiteError;
use crate::io::store::sealing;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};
use std::path::Path;
use std::time::Duration;

/// How long another process (a backup, an erasure) may keep the file.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Journal {
    connection: SqliteConnection,
}

impl Journal {
    pub(super) async fn open(path: &Path) -> Result<Self, SiteError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .read_only(true)
            .busy_timeout(PATIENCE)
            .thread_name(|_| "journal-copy".to_owned())
            .disable_statement_logging();
        let connection = SqliteConnection::connect_with(&options).await;
        Ok(Self { connection: connection.map_err(SiteError::Journal)? })
    }

    /// What tells this file from every other, also from one made of the same history.
    pub(super) async fn file(&mut self) -> Result<String, SiteError> {
        sqlx::query_scalar("SELECT value FROM meta WHERE key = 'file'")
            .fetch_one(&mut self.connection)
            .await
            .map_err(SiteError::Journal)
    }

    /// The hash of the first entry, once there is one.
    pub(super) async fn first_hash(&mut self) -> Result<Option<Vec<u8>>, SiteError> {
        sqlx::query_scalar("SELECT hash FROM entry ORDER BY seq LIMIT 1")
            .fetch_optional(&mut self.connection)
            .await
            .map_err(SiteError::Journal)
    }

    /// The last entry's place, once there is one.
    pub(super) async fn last(&mut self) -> Result<Option<i64>, SiteError> {
        sqlx::query_scalar("SELECT max(seq) FROM entry")
            .fetch_one(&mut self.connection)
            .await
            .map_err(SiteError::Journal)
    }

    pub(super) async fn hash(&mut self, seq: i64) -> Result<Option<Vec<u8>>, SiteError> {
        sqlx::query_scalar("SELECT hash FROM entry WHERE seq = ?1")
            .bind(seq)
            .fetch_optional(&mut self.connection)
            .await
            .map_err(SiteError::Journal)
    }

    /// The entries behind `seq` in order, at most `limit`.
    pub(super) async fn after(
        &mut self,
        seq: i64,
        limit: i64,
    ) -> Result<Vec<sealing::Row>, SiteError> {
        let rows = sqlx::query(
            "SELECT seq, at_ms, call, v, body, hash, salt FROM entry WHERE seq > ?1 \
             ORDER BY seq LIMIT ?2",
        )
        .bind(seq)
        .bind(limit)
        .fetch_all(&mut self.connection)
        .await
        .map_err(SiteError::Journal)?;
        rows.iter().map(row).collect()
    }

    /// Number and entry of the erasures behind the number `n`, at most `limit`.
    pub(super) async fn rewritten(
        &mut self,
        n: i64,
        limit: i64,
    ) -> Result<Vec<(i64, i64)>, SiteError> {
        sqlx::query_as("SELECT n, seq FROM rewritten WHERE n > ?1 ORDER BY n LIMIT ?2")
            .bind(n)
            .bind(limit)
            .fetch_all(&mut self.connection)
            .await
            .map_err(SiteError::Journal)
    }

    /// The number of the last erasure; 0 when there was none.
    pub(super) async fn last_rewritten(&mut self) -> Result<i64, SiteError> {
        sqlx::query_scalar("SELECT coalesce(max(n), 0) FROM rewritten")
            .fetch_one(&mut self.connection)
            .await
            .map_err(SiteError::Journal)
    }

    /// The bodies of those of these entries that have no text of a person's left.
    pub(super) async fn erased(&mut self, seqs: &[i64]) -> Result<Vec<(i64, String)>, SiteError> {
        let list = serde_json::to_string(seqs).unwrap_or_default(); // whole numbers are always JSON
        sqlx::query_as(
            "SELECT seq, body FROM entry WHERE salt IS NULL \
             AND seq IN (SELECT value FROM json_each(?1)) ORDER BY seq",
        )
        .bind(list)
        .fetch_all(&mut self.connection)
        .await
        .map_err(SiteError::Journal)
    }
}

fn row(row: &SqliteRow) -> Result<sealing::Row, SiteError> {
    let seq: i64 = row.try_get(0).map_err(SiteError::Journal)?;
    let damaged = |_| SiteError::Damaged { seq };
    let hash: Option<Vec<u8>> = row.try_get(5).map_err(damaged)?;
    Ok(sealing::Row {
        seq,
        at_ms: row.try_get(1).map_err(damaged)?,
        call: row.try_get(2).map_err(damaged)?,
        v: row.try_get(3).map_err(damaged)?,
        body: row.try_get(4).map_err(damaged)?,
        hash: hash.ok_or(SiteError::Damaged { seq })?,
        salt: row.try_get(6).map_err(damaged)?,
    })
}
