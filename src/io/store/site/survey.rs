//! What is in the site's store, for whoever looks after it, and the one change that such a person may make.

use super::journal::Journal;
use super::{Address, SiteError, schema};
use crate::base::Wall;
use sqlx::PgConnection;
use std::fmt;
use std::path::Path;

/// A history there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// Its number there.
    pub number: i32,
    /// The plan's name when it was followed last.
    pub desk: String,
    /// What it is for: `service` or `demonstration`.
    pub kind: String,
    /// Its last entry; 0 of none.
    pub last: i64,
    /// When that was decided, milliseconds since 1970; 0 of none.
    pub last_at_ms: i64,
    /// Whether it grows no more.
    pub set_aside: bool,
}

impl fmt::Display for HistoryRow {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, desk, kind, last, .. } = self;
        let aside = if self.set_aside { ", set aside" } else { "" };
        write!(to, "#{number} {desk:?} ({kind}, up to entry {last}{aside})")
    }
}

/// How the journal and its copy agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// There is no journal, or nothing in it yet.
    NoJournal,
    /// Nothing of the journal is there.
    NotCopied,
    /// The copy is the journal's beginning.
    Copied {
        /// The history's number there.
        number: i32,
        /// The last entry there.
        copied: i64,
        /// The journal's last.
        journal: i64,
    },
    /// They are two histories from this entry on, or before it.
    TwoHistories {
        /// The history's number there.
        number: i32,
        /// The last entry there.
        copied: i64,
        /// The journal's last.
        journal: i64,
    },
}

/// What is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// What the server calls itself.
    pub server: String,
    /// All histories, in order of their numbers.
    pub histories: Vec<HistoryRow>,
    /// How it stands with the journal.
    pub agreement: Agreement,
}

impl HistoryRow {
    /// When its last entry was decided; none of none.
    #[must_use]
    pub fn last_at(&self) -> Option<Wall> {
        (self.last > 0).then_some(Wall(self.last_at_ms))
    }
}

pub(super) async fn histories(
    connection: &mut PgConnection,
    address: &Address,
) -> Result<Vec<HistoryRow>, SiteError> {
    type Columns = (i32, String, String, i64, i64, bool);
    let rows: Vec<Columns> = sqlx::query_as(
        "SELECT id AS number, desk, kind, coalesce(seq, 0) AS last, coalesce(at_ms, 0) AS last_at_ms, \
         set_aside FROM history LEFT JOIN LATERAL (SELECT seq, at_ms FROM entry \
         WHERE entry.history = history.id ORDER BY seq DESC LIMIT 1) AS last ON true ORDER BY id",
    )
    .fetch_all(connection)
    .await
    .map_err(SiteError::of(address, "looking for the history"))?;
    let row = |(number, desk, kind, last, last_at_ms, set_aside)| HistoryRow {
        number,
        desk,
        kind,
        last,
        last_at_ms,
        set_aside,
    };
    Ok(rows.into_iter().map(row).collect())
}

/// Does it to its end on this thread. Not for a runtime.
pub(in crate::io::store) fn blocking<T>(
    work: impl Future<Output = Result<T, SiteError>>,
) -> Result<T, SiteError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// Looks at the site's store and at how the journal in `file` stands to it; nothing is written. Blocks: not
/// for a runtime.
///
/// # Errors
///
/// [`SiteError`].
pub fn survey(address: &Address, file: &Path) -> Result<Survey, SiteError> {
    blocking(async {
        let mut connection = address.connect().await?;
        let server: String = sqlx::query_scalar("SELECT version()")
            .fetch_one(&mut connection)
            .await
            .map_err(SiteError::of(address, "asking for its version"))?;
        schema::check(&mut connection, address).await?;
        let histories = histories(&mut connection, address).await?;
        let agreement = agreement(&mut connection, address, file).await?;
        Ok(Survey { server, histories, agreement })
    })
}

async fn agreement(
    connection: &mut PgConnection,
    address: &Address,
    file: &Path,
) -> Result<Agreement, SiteError> {
    if !file.exists() {
        return Ok(Agreement::NoJournal);
    }
    let mut journal = Journal::open(file).await?;
    let (Some(first), Some(last)) = (journal.first_hash().await?, journal.last().await?) else {
        return Ok(Agreement::NoJournal);
    };
    let there: Option<(i32, i64, Vec<u8>)> = sqlx::query_as(
        "SELECT id, seq, hash FROM history JOIN entry ON history = id \
         WHERE first_hash = $1 AND NOT set_aside ORDER BY seq DESC LIMIT 1",
    )
    .bind(first)
    .fetch_optional(connection)
    .await
    .map_err(SiteError::of(address, "looking for the history"))?;
    let Some((number, copied, hash)) = there else { return Ok(Agreement::NotCopied) };
    Ok(if journal.hash(copied).await? == Some(hash) {
        Agreement::Copied { number, copied, journal: last }
    } else {
        Agreement::TwoHistories { number, copied, journal: last }
    })
}

/// Sets a history aside: it stays as it is, and the journal that it was a copy of is copied anew beside it.
/// Whether there is one of this number that was not set aside before. Blocks: not for a runtime.
///
/// # Errors
///
/// [`SiteError`].
pub fn set_aside(address: &Address, number: i32) -> Result<bool, SiteError> {
    blocking(async {
        let mut connection = address.connect().await?;
        schema::check(&mut connection, address).await?;
        let changed =
            sqlx::query("UPDATE history SET set_aside = true WHERE id = $1 AND NOT set_aside")
                .bind(number)
                .execute(&mut connection)
                .await
                .map_err(SiteError::of(address, "setting a history aside"))?;
        Ok(changed.rows_affected() == 1)
    })
}
