//! Erasing beside the writing: what `erase` does to a store that nobody has, done to one that a daemon
//! writes, in steps so small that no call waits for them.
//!
//! Each step is a transaction of a few calls, whole ones; how far it came stands in the same transaction
//! (`meta`, key `erasing`, for a request with its reference behind), so that a daemon that is killed in it neither forgets
//! nor counts twice. What a request is about stands there before its first step (`erasing_these` and the reference): what
//! is erased already is found by no number any more, and its proof names it all the same.

use super::erase::{Erased, erase_entry, list_incidents, list_these, spare_wishes};
use super::person::These;
use super::sealing::fitted;
use super::snapshot::Snapshot;
use crate::base::{CallId, Wall};
use crate::event::chain::SALT_BYTES;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Calls (or incidents of no call) erased in one transaction.
pub const CALLS_PER_STEP: i64 = 8;
/// The pause behind each, in which the journal is written as if nothing were.
const PAUSE: Duration = Duration::from_millis(25);
/// A step waits so long for the journal's own transaction.
const STEP_PATIENCE: Duration = Duration::from_secs(5);
/// How often the WAL is tried to be emptied, a second apart: somebody may just read.
const EMPTYINGS: u32 = 30;

/// What is erased as a whole: what is listed of it, its entries that have a text, how it is told.
struct Matter {
    next: &'static str,
    entries: &'static str,
    done: &'static str,
    count: fn(&mut Erased) -> &mut u64,
}

const CALL: Matter = Matter {
    next: "SELECT call FROM temp.erasing ORDER BY call LIMIT ?1",
    entries: "SELECT seq, body, salt FROM entry WHERE call = ?1 AND salt IS NOT NULL ORDER BY seq",
    done: "DELETE FROM temp.erasing WHERE call = ?1",
    count: |erased| &mut erased.calls,
};

const INCIDENT: Matter = Matter {
    next: "SELECT DISTINCT CAST(incident AS TEXT) FROM temp.erasing_incident ORDER BY 1 LIMIT ?1",
    entries: "SELECT seq, body, salt FROM entry WHERE salt IS NOT NULL AND seq IN ( \
        SELECT seq FROM temp.erasing_incident WHERE incident = CAST(?1 AS INTEGER)) ORDER BY seq",
    done: "DELETE FROM temp.erasing_incident WHERE incident = CAST(?1 AS INTEGER)",
    count: |erased| &mut erased.incidents,
};

/// A way to erase in the store of this process. Of its clones, one runs at a time.
#[derive(Clone, Debug)]
pub struct Eraser {
    path: PathBuf,
    alone: Arc<Mutex<()>>,
}

/// Whose texts one run takes out.
#[derive(Clone, Copy, Debug)]
enum Which<'a> {
    /// Of calls that arrived, and incidents that were entered, before then.
    Before(Wall),
    /// Of these, for the request of this reference.
    Request(&'a str, &'a These),
}

impl Which<'_> {
    /// The key in `meta` under which it is counted what was done.
    fn key(self) -> String {
        match self {
            Self::Before(_) => "erasing".to_owned(),
            Self::Request(reference, _) => counted(reference),
        }
    }
}

fn counted(reference: &str) -> String {
    format!("erasing {reference}")
}

fn listed(reference: &str) -> String {
    format!("erasing_these {reference}")
}

/// What one run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    /// What was erased, by runs before it that nobody noted too.
    pub erased: Erased,
    /// Whether the file beside the store that had copies of the texts is empty.
    pub emptied: bool,
    /// Whether a row had no room for its commitments, because an earlier version wrote it: copies of its
    /// neighbours may lie in unused parts of pages until the file is made anew.
    pub grown: bool,
    /// The longest step, from its beginning to its commit.
    pub longest_step: Duration,
}

impl Eraser {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), alone: Arc::default() }
    }

    /// Erases numbers and names of calls that arrived before `before`, but for those who are still to be
    /// called back, and words of incidents that were entered by hand before it. Takes as long as it takes; dropped in the middle, it leaves whole calls done.
    /// [`Eraser::noted`] is due when it stands in the history.
    ///
    /// # Errors
    ///
    /// What the database says; what was done until then is done.
    pub async fn run(&self, before: Wall) -> Result<Retained, sqlx::Error> {
        self.erase(Which::Before(before)).await
    }

    /// Notes what a request is about, and tells it with what a run for the same reference was about that did not come to
    /// its end: none of it may be found by a number any more.
    ///
    /// # Errors
    ///
    /// What the database says.
    pub async fn begin(&self, reference: &str, these: &These) -> Result<These, sqlx::Error> {
        let _alone = self.alone.lock().await;
        let mut connection = self.connect().await?;
        let noted = note(&mut connection, reference, these).await;
        let closed = connection.close().await;
        closed.and(noted)
    }

    /// Erases numbers, names and words in these calls, but for those whose callers are still to be called back, and in
    /// these incidents that are no call's. What it returns counts runs for the same reference that did not come to their
    /// end, too; [`Eraser::told`] is due when it stands in the history.
    ///
    /// # Errors
    ///
    /// As [`Eraser::run`]; whole calls are done, and it may be run again.
    pub async fn run_these(&self, reference: &str, these: &These) -> Result<Retained, sqlx::Error> {
        self.erase(Which::Request(reference, these)).await
    }

    /// Nothing is erased while this is held; none while something is. What was folded of the history before an erasure
    /// must not be written behind it.
    #[must_use]
    pub fn hold(&self) -> Option<OwnedMutexGuard<()>> {
        Arc::clone(&self.alone).try_lock_owned().ok()
    }

    async fn erase(&self, which: Which<'_>) -> Result<Retained, sqlx::Error> {
        let _alone = self.alone.lock().await;
        let mut connection = self.connect().await?;
        let result = steps(&mut connection, which, &self.path).await;
        let (mut retained, did) = match result {
            Ok(done) => done,
            Err(error) => {
                // Its end is none of the caller's concern; a step that was open is undone with it.
                let _ = connection.close().await;
                return Err(error);
            }
        };
        // What an earlier run had erased may still lie in the WAL: its end did not come. A request is proved: it looks.
        if did || retained.erased.any() || matches!(which, Which::Request(..)) {
            retained.emptied = empty_wal(&mut connection).await?;
        }
        connection.close().await?;
        Ok(retained)
    }

    /// What a run did stands in the history: the next one counts from nothing.
    ///
    /// # Errors
    ///
    /// What the database says; the next run then counts it once more.
    pub async fn noted(&self) -> Result<(), sqlx::Error> {
        let mut connection = self.connect().await?;
        sqlx::query("DELETE FROM meta WHERE key = 'erasing'").execute(&mut connection).await?;
        connection.close().await
    }

    /// What was done for a request stands in the history; of `owed` something is left that no number finds, so they
    /// stand for the reference when it is asked again.
    ///
    /// # Errors
    ///
    /// What the database says; a request of the same reference then tells it once more.
    pub async fn told(&self, reference: &str, owed: &These) -> Result<(), sqlx::Error> {
        let mut connection = self.connect().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("DELETE FROM meta WHERE key IN (?1, ?2)")
            .bind(listed(reference))
            .bind(counted(reference))
            .execute(&mut *transaction)
            .await?;
        list(&mut transaction, reference, owed).await?;
        transaction.commit().await?;
        connection.close().await
    }

    async fn connect(&self) -> Result<SqliteConnection, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(&self.path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(STEP_PATIENCE)
            // Pages go into the file by the journal's own checkpoints, not in a step.
            .pragma("wal_autocheckpoint", "0")
            .pragma("secure_delete", "ON")
            .pragma("temp_store", "MEMORY")
            .thread_name(|_| "journal-erase".to_owned())
            .disable_statement_logging();
        SqliteConnection::connect_with(&options).await
    }
}

/// These with those that stand for the reference already; all of them stand for it then.
async fn note(
    connection: &mut SqliteConnection,
    reference: &str,
    these: &These,
) -> Result<These, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let said: Option<String> = sqlx::query_scalar("SELECT value FROM meta WHERE key = ?1")
        .bind(listed(reference))
        .fetch_optional(&mut *transaction)
        .await?;
    let mut all = these.clone();
    // A call's id has 36 characters; an incident is a number.
    for word in said.iter().flat_map(|said| said.split(' ')) {
        match (word.parse::<u64>(), word.parse()) {
            (Ok(incident), _) => all.incidents.insert(incident),
            (Err(_), Ok(call)) => all.calls.insert(CallId(call)),
            (Err(_), Err(_)) => false,
        };
    }
    list(&mut transaction, reference, &all).await?;
    transaction.commit().await?;
    Ok(all)
}

/// These stand for the reference, if there are any.
async fn list(
    connection: &mut SqliteConnection,
    reference: &str,
    these: &These,
) -> Result<(), sqlx::Error> {
    if these.is_empty() {
        return Ok(());
    }
    let calls = these.calls.iter().map(ToString::to_string);
    let words = calls.chain(these.incidents.iter().map(ToString::to_string));
    let words: Vec<String> = words.collect();
    keep(connection, &listed(reference), words.join(" ")).await
}

async fn keep(
    connection: &mut SqliteConnection,
    key: &str,
    value: String,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
    )
    .bind(key)
    .bind(value)
    .execute(connection)
    .await?;
    Ok(())
}

/// All steps; and whether any was made.
async fn steps(
    connection: &mut SqliteConnection,
    which: Which<'_>,
    store: &Path,
) -> Result<(Retained, bool), sqlx::Error> {
    sqlx::query("CREATE TEMP TABLE erasing (call TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID")
        .execute(&mut *connection)
        .await?;
    match which {
        Which::Before(before) => list_old(connection, before).await?,
        Which::Request(_, these) => list_these(connection, these).await?,
    }
    let key = which.key();
    let erased = so_far(connection, &key).await?;
    let mut retained = Retained { erased, ..Retained::default() };
    let kept = spare_wishes(connection).await?;
    let mut did = false;
    for matter in [CALL, INCIDENT] {
        loop {
            let next: Vec<String> = sqlx::query_scalar(matter.next)
                .bind(CALLS_PER_STEP)
                .fetch_all(&mut *connection)
                .await?;
            if next.is_empty() {
                break;
            }
            if !did {
                // It has the texts of the last calls, and a run that is cut off would leave them there. The next one is
                // folded from what is left, and not before this run is over.
                Snapshot::forget(store).map_err(sqlx::Error::Io)?;
            }
            let began = Instant::now();
            let (erased, grown) = (&mut retained.erased, &mut retained.grown);
            step(connection, (&matter, &next), (erased, grown), &key).await?;
            retained.longest_step = retained.longest_step.max(began.elapsed());
            did = true;
            tokio::time::sleep(PAUSE).await;
        }
    }
    retained.erased.kept = kept;
    Ok((retained, did))
}

/// Fills the two tables with what is older.
async fn list_old(connection: &mut SqliteConnection, before: Wall) -> Result<(), sqlx::Error> {
    // Only calls that have a text; a call's first entry says when it arrived. What was written into the ledger
    // about an old call goes however new it is, as the ledger shows it.
    sqlx::query(
        "INSERT INTO temp.erasing SELECT DISTINCT call FROM entry AS one \
         WHERE salt IS NOT NULL AND call IS NOT NULL \
         AND (at_ms < ?1 OR body ->> '$.of' = 'incident') AND (SELECT at_ms FROM entry \
         WHERE call = one.call ORDER BY seq LIMIT 1) < ?1",
    )
    .bind(before.0)
    .execute(&mut *connection)
    .await?;
    list_incidents(connection, before).await
}

async fn step(
    connection: &mut SqliteConnection,
    (matter, names): (&Matter, &[String]),
    (erased, grown): (&mut Erased, &mut bool),
    key: &str,
) -> Result<(), sqlx::Error> {
    let mut count = *erased;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    for name in names {
        let rows = sqlx::query(matter.entries).bind(name).fetch_all(&mut *transaction).await?;
        for row in rows {
            let (seq, body, salt): (i64, String, Vec<u8>) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            let fit = |erased| {
                let fitted = fitted(erased, body.len());
                *grown |= fitted.len() != body.len() + SALT_BYTES;
                fitted
            };
            let texts = erase_entry(&mut transaction, seq, &body, &salt, fit).await?;
            count.entries = count.entries.saturating_add(1);
            count.texts = count.texts.saturating_add(texts);
        }
        let of_its_kind = (matter.count)(&mut count);
        *of_its_kind = of_its_kind.saturating_add(1);
        sqlx::query(matter.done).bind(name).execute(&mut *transaction).await?;
    }
    let Erased { calls, entries, texts, incidents, .. } = count;
    keep(&mut transaction, key, format!("{calls} {entries} {texts} {incidents}")).await?;
    transaction.commit().await?;
    *erased = count;
    Ok(())
}

/// What runs did that nobody noted.
async fn so_far(connection: &mut SqliteConnection, key: &str) -> Result<Erased, sqlx::Error> {
    let said: Option<String> = sqlx::query_scalar("SELECT value FROM meta WHERE key = ?1")
        .bind(key)
        .fetch_optional(connection)
        .await?;
    let mut counts = said.iter().flat_map(|said| said.split(' ')).map(str::parse::<u64>);
    let mut next = || counts.next().and_then(Result::ok).unwrap_or(0);
    Ok(Erased { calls: next(), entries: next(), texts: next(), incidents: next(), kept: 0 })
}

/// Brings all of the WAL into the file and empties it: it holds the pages as they were.
async fn empty_wal(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    for _ in 0..EMPTYINGS {
        // Most of it beside the writing, so that what the writing waits for is short.
        sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&mut *connection).await?;
        sqlx::query("PRAGMA busy_timeout = 50").execute(&mut *connection).await?;
        let (busy, ..): (i64, i64, i64) =
            sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *connection).await?;
        if busy == 0 {
            return Ok(true);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(false)
}
