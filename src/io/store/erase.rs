//! Taking the texts that tell who a person is out of old calls, for good.
//!
//! In their place stand the commitments that the hash chain is made of, and the salts go: the chain holds,
//! the figures are the same, and nobody can tell any more who called.

use super::open::{self, OpenError};
use super::person::These;
use super::{Durability, Kind, Options, Snapshot};
use crate::base::Wall;
use crate::event::chain;
use sqlx::{Connection, Row, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Entries in one transaction.
const BLOCK: i64 = 1_000;

/// Whether a listed call has a wish to be called back that has its number.
const HAS_A_WISH: &str = "SELECT EXISTS (SELECT 1 FROM entry WHERE call IN (SELECT call FROM temp.erasing) \
    AND salt IS NOT NULL AND body ->> '$.event.kind' = 'callback_asked')";

/// All wishes to be called back, and their ends.
const WISHES: &str = "SELECT call, body ->> '$.of' = 'callback', body ->> '$.event.callback', body ->> '$.event.number' \
    FROM entry WHERE call IS NOT NULL AND ( \
    (body ->> '$.of' = 'call' AND body ->> '$.event.kind' = 'callback_asked') \
    OR (body ->> '$.of' = 'callback' AND body ->> '$.event.kind' = 'ended')) ORDER BY seq";

/// Entries about incidents that are no call's, with the incident that each is about: of those that were entered
/// before a time. Once one is due, so is all that was written about it.
const INCIDENTS: [&str; 3] = [
    "CREATE TEMP TABLE erasing_incident (seq INTEGER NOT NULL PRIMARY KEY, incident INTEGER NOT NULL)",
    "CREATE INDEX temp.by_incident ON erasing_incident (incident)",
    "INSERT INTO temp.erasing_incident \
     SELECT seq, coalesce(body ->> '$.event.incident', seq) FROM entry AS one \
     WHERE salt IS NOT NULL AND call IS NULL AND coalesce((SELECT at_ms FROM entry \
     WHERE seq = coalesce(one.body ->> '$.event.incident', one.seq)), at_ms) < ?1",
];

/// Of these only incidents in whose words a number stands, with or without hyphens.
const INCIDENTS_WITH: &str = "DELETE FROM temp.erasing_incident WHERE incident NOT IN ( \
    SELECT incident FROM temp.erasing_incident JOIN entry USING (seq) \
    WHERE instr(replace(body ->> '$.event.subject', '-', ''), replace(?1, '-', '')) > 0)";

/// What was erased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Calls that had a text.
    pub calls: u64,
    /// Incidents that people had entered by hand.
    pub incidents: u64,
    /// Entries of both that had a text.
    pub entries: u64,
    /// The texts.
    pub texts: u64,
    /// Calls that were left as they are, because the caller is still to be called back.
    pub kept: u64,
}

impl Erased {
    /// Whether there was something.
    #[must_use]
    pub fn any(&self) -> bool {
        self.calls > 0 || self.incidents > 0
    }
}

/// Erases the numbers and names in all entries of calls that arrived (or were dialled) before a time, and the
/// words of incidents that were entered by hand before it; with
/// `number`, only of those in which it stands; who is still to be called back is left. Afterwards they are nowhere in the file or beside
/// it. Takes the store's lock, brings its schema up to date, and waits for the disk. Blocks: not for a
/// runtime.
///
/// # Errors
///
/// [`OpenError`]: in use, not ours, damaged, or the disk. Erasing twice does no harm.
pub fn erase(path: &Path, before: Wall, number: Option<&str>) -> Result<Erased, OpenError> {
    alone(path, Wanted::Before(before, number))
}

/// Erases once more what was erased in another file of the same history, such as one that was lost: in these calls and
/// incidents, also of callers who are still to be called back. Otherwise as [`erase`].
///
/// # Errors
///
/// As [`erase`].
pub fn erase_again(path: &Path, these: &These) -> Result<Erased, OpenError> {
    alone(path, Wanted::These(these))
}

/// What is erased in a store that nobody has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted<'a> {
    /// What is older than that, or of that only where a number stands.
    Before(Wall, Option<&'a str>),
    /// These.
    These(&'a These),
}

fn alone(path: &Path, wanted: Wanted<'_>) -> Result<Erased, OpenError> {
    let io = |doing| move |source| OpenError::Io { doing, source };
    std::fs::metadata(path).map_err(io("looking for the store"))?;
    let _lock = open::lock(path)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(io("starting"))?;
    runtime.block_on(async {
        let failed =
            |doing| move |source| OpenError::Database { path: path.to_owned(), doing, source };
        // What it is for stands in the file; it stays so.
        let options = Options { kind: Kind::Service, durability: Durability::Power };
        let mut connection =
            open::connect(path, options).await.map_err(failed("opening the store"))?;
        let kind: String = sqlx::query_scalar("SELECT value FROM meta WHERE key = 'kind'")
            .fetch_one(&mut connection)
            .await
            .map_err(|_| OpenError::NotOurs {
                path: path.to_owned(),
                found: "not marked as one",
            })?;
        let kind = Kind::named(&kind).unwrap_or(Kind::Service);
        open::examine(&mut connection, path, kind).await?;
        // Callers' numbers are in it. Before anything is erased: a try that is broken off leaves none behind.
        Snapshot::forget(path).map_err(io("deleting the snapshot of the store"))?;
        let erased = run(&mut connection, wanted).await.map_err(failed("erasing"))?;
        // Also when there was nothing to do: an earlier try may have come no further than this.
        scrub(&mut connection).await.map_err(failed("clearing what was erased off the file"))?;
        connection.close().await.map_err(failed("closing the store"))?;
        Ok(erased)
    })
}

/// Erases in transactions of a bounded size.
pub(super) async fn run(
    connection: &mut SqliteConnection,
    wanted: Wanted<'_>,
) -> Result<Erased, sqlx::Error> {
    sqlx::query("PRAGMA secure_delete = ON").execute(&mut *connection).await?;
    sqlx::query("PRAGMA temp_store = MEMORY").execute(&mut *connection).await?;
    sqlx::query("CREATE TEMP TABLE erasing (call TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID")
        .execute(&mut *connection)
        .await?;
    let kept = match wanted {
        Wanted::Before(before, number) => {
            sqlx::query(
                "INSERT INTO temp.erasing SELECT call FROM entry WHERE seq IN ( \
                 SELECT min(seq) FROM entry WHERE call IS NOT NULL GROUP BY call) AND at_ms < ?1",
            )
            .bind(before.0)
            .execute(&mut *connection)
            .await?;
            list_incidents(connection, before).await?;
            if let Some(number) = number {
                sqlx::query(INCIDENTS_WITH).bind(number).execute(&mut *connection).await?;
                narrow(connection, number).await?;
            }
            spare_wishes(connection).await?
        }
        // Whoever was called back before that erasing would be open in an older file.
        Wanted::These(these) => {
            list_these(connection, these).await?;
            0
        }
    };
    let mut erased = Erased { kept, ..Erased::default() };
    let (mut calls, mut incidents) = (BTreeSet::new(), BTreeSet::new());
    let mut after = i64::MIN;
    loop {
        let block = block(connection, after).await?;
        let Some(last) = block.last() else { break };
        after = last.seq;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
        for text in block {
            // The file is made anew afterwards: it need not fit.
            let texts = erase_entry(connection, text.seq, &text.body, &text.salt, |it| it).await?;
            calls.extend(text.call);
            incidents.extend(text.incident);
            erased.entries += 1;
            erased.texts = erased.texts.saturating_add(texts);
        }
        sqlx::query("COMMIT").execute(&mut *connection).await?;
    }
    for table in ["DROP TABLE temp.erasing", "DROP TABLE temp.erasing_incident"] {
        sqlx::query(table).execute(&mut *connection).await?;
    }
    erased.calls = u64::try_from(calls.len()).unwrap_or(u64::MAX);
    erased.incidents = u64::try_from(incidents.len()).unwrap_or(u64::MAX);
    Ok(erased)
}

/// Takes the calls whose callers are still to be called back out of `temp.erasing`, and tells how many: without its number, a
/// wish could not be fulfilled; at its end, it may go. A wish that was said a second time while the first was open was
/// never one of its own and has no end: it goes with the first, or a later start would take it for one.
pub(super) async fn spare_wishes(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    if !sqlx::query_scalar::<_, bool>(HAS_A_WISH).fetch_one(&mut *connection).await? {
        return Ok(0);
    }
    let rows = sqlx::query(WISHES).fetch_all(&mut *connection).await?;
    let mut open: BTreeMap<String, (Option<String>, String)> = BTreeMap::new();
    let mut again: Vec<(String, String)> = Vec::new();
    for row in &rows {
        let (call, is_over): (String, bool) = (row.try_get(0)?, row.try_get(1)?);
        if is_over {
            open.remove(&call);
            continue;
        }
        let number: String = row.try_get::<Option<String>, _>(3)?.unwrap_or_default();
        if chain::is_erased(&number) {
            continue; // Nobody can be called.
        }
        let wish: (Option<String>, String) = (row.try_get(2)?, number);
        match open.iter().find(|(_, other)| **other == wish) {
            Some((first, _)) => again.push((first.clone(), call)),
            None => {
                open.insert(call, wish);
            }
        }
    }
    let mut kept = 0_u64;
    for call in open.keys() {
        let spared = sqlx::query("DELETE FROM temp.erasing WHERE call = ?1").bind(call);
        kept = kept.saturating_add(spared.execute(&mut *connection).await?.rows_affected());
    }
    for (first, second) in again {
        sqlx::query(
            "INSERT OR IGNORE INTO temp.erasing SELECT DISTINCT call FROM entry WHERE call = ?2 \
             AND salt IS NOT NULL AND ?1 IN (SELECT call FROM temp.erasing)",
        )
        .bind(first)
        .bind(second)
        .execute(&mut *connection)
        .await?;
    }
    Ok(kept)
}

/// Fills both tables with these calls and incidents, as far as they have a text; `temp.erasing` is there.
pub(super) async fn list_these(
    connection: &mut SqliteConnection,
    these: &These,
) -> Result<(), sqlx::Error> {
    let [table, index, _] = INCIDENTS;
    for statement in [table, index] {
        sqlx::query(statement).execute(&mut *connection).await?;
    }
    for call in &these.calls {
        sqlx::query(
            "INSERT INTO temp.erasing SELECT DISTINCT call FROM entry WHERE call = ?1 AND salt IS NOT NULL",
        )
        .bind(call.to_string())
        .execute(&mut *connection)
        .await?;
    }
    for incident in &these.incidents {
        // An incident is known by the entry that opened it; what was written later names that one.
        sqlx::query(
            "INSERT OR IGNORE INTO temp.erasing_incident SELECT seq, ?1 FROM entry WHERE salt IS NOT NULL \
             AND call IS NULL AND (seq = ?1 OR (seq > ?1 AND body ->> '$.event.incident' = ?1))",
        )
        .bind(i64::try_from(*incident).unwrap_or(i64::MAX))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Fills `temp.erasing_incident`.
pub(super) async fn list_incidents(
    connection: &mut SqliteConnection,
    before: Wall,
) -> Result<(), sqlx::Error> {
    let [table, index, fill] = INCIDENTS;
    for statement in [table, index] {
        sqlx::query(statement).execute(&mut *connection).await?;
    }
    sqlx::query(fill).bind(before.0).execute(connection).await?;
    Ok(())
}

/// Takes the texts out of an entry, and notes it for copies of the history, which follow; how many there
/// were. `fit` gives the erased body the length that it is to be stored with.
pub(super) async fn erase_entry(
    connection: &mut SqliteConnection,
    seq: i64,
    body: &str,
    salt: &[u8],
    fit: impl FnOnce(String) -> String,
) -> Result<u64, sqlx::Error> {
    let mut body = chain::body(body).map_err(|why| broken(seq, &why))?;
    let texts = chain::erase(&mut body, Some(salt)).map_err(|why| broken(seq, &why))?;
    sqlx::query("UPDATE entry SET body = ?2, salt = NULL WHERE seq = ?1")
        .bind(seq)
        .bind(fit(serde_json::Value::Object(body).to_string()))
        .execute(&mut *connection)
        .await?;
    sqlx::query("INSERT INTO rewritten (seq) VALUES (?1)").bind(seq).execute(connection).await?;
    Ok(u64::try_from(texts).unwrap_or(0))
}

/// Of the calls that are due, only those in which this number stands.
async fn narrow(connection: &mut SqliteConnection, number: &str) -> Result<(), sqlx::Error> {
    let mut calls = BTreeSet::new();
    let mut after = i64::MIN;
    loop {
        let block = block(connection, after).await?;
        let Some(last) = block.last() else { break };
        after = last.seq;
        for text in block {
            let body = chain::body(&text.body).map_err(|why| broken(text.seq, &why))?;
            if chain::texts(&body).any(|(_, text)| text == number) {
                calls.extend(text.call);
            }
        }
    }
    sqlx::query("DELETE FROM temp.erasing").execute(&mut *connection).await?;
    for call in calls {
        sqlx::query("INSERT INTO temp.erasing VALUES (?1)")
            .bind(call)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

struct Text {
    seq: i64,
    call: Option<String>,
    /// Of no call.
    incident: Option<i64>,
    body: String,
    salt: Vec<u8>,
}

async fn block(connection: &mut SqliteConnection, after: i64) -> Result<Vec<Text>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT seq, call, body, salt, incident FROM entry LEFT JOIN temp.erasing_incident USING (seq) \
         WHERE seq > ?1 AND salt IS NOT NULL \
         AND (incident IS NOT NULL OR +call IN (SELECT call FROM temp.erasing)) ORDER BY seq LIMIT ?2",
    )
    .bind(after)
    .bind(BLOCK)
    .fetch_all(connection)
    .await?;
    let read = |row: &sqlx::sqlite::SqliteRow| {
        Ok(Text {
            seq: row.try_get(0)?,
            call: row.try_get(1)?,
            body: row.try_get(2)?,
            salt: row.try_get(3)?,
            incident: row.try_get(4)?,
        })
    };
    rows.iter().map(read).collect()
}

/// An entry that is damaged; the words hold nothing of a person's.
fn broken(seq: i64, why: &chain::Unsealable) -> sqlx::Error {
    sqlx::Error::Decode(format!("entry {seq}: {why}").into())
}

/// Makes the pages that the texts lay in anew, and empties the WAL with its copies of them.
async fn scrub(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("VACUUM").execute(&mut *connection).await?;
    let (busy, ..): (i64, i64, i64) =
        sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(connection).await?;
    if busy == 0 {
        return Ok(());
    }
    Err(sqlx::Error::Protocol(
        "another program reads the store, so the texts may still lie in its -wal file; end it and \
         erase once more"
            .to_owned(),
    ))
}
