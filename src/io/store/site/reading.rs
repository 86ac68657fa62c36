//! Reading a history out of the site's store; nothing is written there.

use super::{Address, SiteError, schema, survey};
use crate::base::{CallId, Wall};
use crate::event::Link;
use crate::event::chain::{self, Hash};
use crate::io::store::Selection;
use crate::io::store::read::{LADDER_BOUND, Raw};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

/// Entries that are read at once.
const BLOCK: i64 = 5_000;

/// One desk's history in a site's store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteHistory {
    /// Where.
    pub address: Address,
    /// Whose: the plan's name, or `#` and the history's number there.
    pub desk: String,
}

/// A history that is open for reading.
pub(in crate::io::store) struct Opened {
    address: Address,
    connection: PgConnection,
    history: i32,
    pub(in crate::io::store) kind: String,
    pub(in crate::io::store) last: i64,
}

impl SiteHistory {
    async fn open(&self) -> Result<Opened, SiteError> {
        let mut connection = self.address.connect().await?;
        schema::check(&mut connection, &self.address).await?;
        let there = survey::histories(&mut connection, &self.address).await?;
        let number = self.desk.strip_prefix("#").and_then(|it| it.parse::<i32>().ok());
        let mut fitting = there.iter().filter(|it| match number {
            Some(number) => it.number == number,
            None => it.desk == self.desk && !it.set_aside,
        });
        let (Some(it), None) = (fitting.next(), fitting.next()) else {
            let found = there.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let found = if found.is_empty() { "none".to_owned() } else { found };
            return Err(SiteError::Which { desk: self.desk.clone(), found });
        };
        let (history, kind, last) = (it.number, it.kind.clone(), it.last);
        Ok(Opened { address: self.address.clone(), connection, history, kind, last })
    }
}

/// All entries behind `after` in order, in blocks, until `send` wants no more.
///
/// # Errors
///
/// [`SiteError`]; blocks before it were sent.
pub(in crate::io::store) async fn blocks(
    whose: &SiteHistory,
    mut after: i64,
    mut send: impl FnMut(Vec<Raw>) -> bool,
) -> Result<(), SiteError> {
    let mut opened = whose.open().await?;
    loop {
        let rows = sqlx::query(
            "SELECT seq, at_ms, v::bigint, body FROM entry WHERE history = $1 AND seq > $2 \
             ORDER BY seq LIMIT $3",
        )
        .bind(opened.history)
        .bind(after)
        .bind(BLOCK)
        .fetch_all(&mut opened.connection)
        .await;
        let block = raw(rows, &opened.address)?;
        let Some(last) = block.last() else { return Ok(()) };
        after = last.seq;
        if !send(block) {
            return Ok(());
        }
    }
}

/// The entries of one call, at most [`LADDER_BOUND`].
pub(in crate::io::store) async fn ladder(
    whose: &SiteHistory,
    call: CallId,
) -> Result<Vec<Raw>, SiteError> {
    let mut opened = whose.open().await?;
    let rows = sqlx::query(
        "SELECT seq, at_ms, v::bigint, body FROM entry WHERE history = $1 AND call = $2 \
         ORDER BY seq LIMIT $3",
    )
    .bind(opened.history)
    .bind(call.to_string())
    .bind(LADDER_BOUND)
    .fetch_all(&mut opened.connection)
    .await;
    raw(rows, &opened.address)
}

fn raw(rows: Result<Vec<PgRow>, sqlx::Error>, address: &Address) -> Result<Vec<Raw>, SiteError> {
    let raw = |row: &PgRow| {
        Ok(Raw {
            seq: row.try_get(0)?,
            at_ms: row.try_get(1)?,
            v: row.try_get(2)?,
            body: row.try_get(3)?,
        })
    };
    let read = rows.and_then(|rows| rows.iter().map(raw).collect());
    read.map_err(SiteError::of(address, "reading entries"))
}

/// The history's hash after an entry, hexadecimal; none when it is not there.
pub(in crate::io::store) async fn hash_after(
    whose: &SiteHistory,
    seq: u64,
) -> Result<Option<String>, SiteError> {
    let mut opened = whose.open().await?;
    sqlx::query_scalar("SELECT encode(hash, 'hex') FROM entry WHERE history = $1 AND seq = $2")
        .bind(opened.history)
        .bind(i64::try_from(seq).unwrap_or(i64::MAX))
        .fetch_optional(&mut opened.connection)
        .await
        .map_err(SiteError::of(&opened.address, "reading a hash"))
}

/// Opens a history for [`links`].
pub(in crate::io::store) async fn open(whose: &SiteHistory) -> Result<Opened, SiteError> {
    whose.open().await
}

/// The next entries behind `after` with their hashes, at most `limit`.
pub(in crate::io::store) async fn links(
    opened: &mut Opened,
    selection: Selection,
    after: i64,
    limit: i64,
) -> Result<Vec<Link>, SiteError> {
    let failed = SiteError::of(&opened.address, "reading entries");
    let before = if selection == Selection::default() {
        "NULL::bytea"
    } else {
        "(SELECT hash FROM entry AS before WHERE before.history = entry.history \
         AND before.seq < entry.seq ORDER BY before.seq DESC LIMIT 1)"
    };
    let text = format!(
        "SELECT seq, at_ms, v::bigint, body, call, hash, salt, {before} FROM entry \
         WHERE history = $1 AND seq > $2 AND at_ms >= $3 AND at_ms < $4 \
         AND ($5::text IS NULL OR call = $5) ORDER BY seq LIMIT $6"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(opened.history)
        .bind(after)
        .bind(selection.from.map_or(i64::MIN, |at| at.0))
        .bind(selection.until.map_or(i64::MAX, |at| at.0))
        .bind(selection.call.map(|call| call.to_string()))
        .bind(limit)
        .fetch_all(&mut opened.connection)
        .await
        .map_err(&failed)?;
    let link = |row: &PgRow| {
        let body: String = row.try_get(3)?;
        let before: Option<Vec<u8>> = row.try_get(7)?;
        Ok(Link {
            seq: row.try_get(0)?,
            at: Wall(row.try_get(1)?),
            v: row.try_get(2)?,
            body: chain::body(&body),
            filed_under: Some(row.try_get(4)?),
            hash: row.try_get(5)?,
            salt: row.try_get(6)?,
            before: before.and_then(|hash| hash.try_into().ok()).map(Hash),
        })
    };
    let links: Result<Vec<Link>, sqlx::Error> = rows.iter().map(link).collect();
    links.map_err(&failed)
}
