//! The copying: a thread that follows the journal into the site's store.
//!
//! Laws. An entry is written there only behind the one that the journal has before it, in one statement
//! that is a transaction, and its place is the table's key: whatever is killed or cut, no entry is there
//! twice, and none is passed over. After any failure what is there is asked anew, never remembered.

use super::journal::Journal;
use super::state::{Shared, SitePhase, SiteState};
use super::{Address, SiteError, schema};
use crate::io::store::{Kind, sealing};
use serde::Deserialize;
use sqlx::PgConnection;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Entries in one statement, about 2 MB.
const BLOCK: i64 = 2_048;

/// How often the journal is looked at for new entries.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How often it is looked at for erasures.
const ERASURES_EVERY: Duration = Duration::from_secs(5);

/// How long a statement may take; then the connection counts as cut.
const PATIENCE: Duration = Duration::from_secs(30);

/// Pauses between tries.
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LAST_RETRY: Duration = Duration::from_secs(15);

/// Which journal is followed, and what is said of it there.
pub struct Followed {
    /// The journal's file.
    pub file: PathBuf,
    /// What it is for.
    pub kind: Kind,
    /// The plan's name.
    pub desk: String,
    /// The zone of its days and months.
    pub timezone: String,
}

/// The place of the last entry that the journal has surely written.
type Committed = Arc<dyn Fn() -> u64 + Send + Sync>;

/// A journal that is being followed. Dropped, the thread ends after the statement at hand.
pub struct Copying {
    shared: Arc<Shared>,
    stop: Arc<Stop>,
    committed: Committed,
    ended: Mutex<Receiver<()>>,
}

#[derive(Default)]
struct Stop {
    /// Ends at once.
    asked: AtomicBool,
    /// The journal grows no more: ends when all of it is there, or at the first failure.
    last: AtomicBool,
    wake: Notify,
}

impl Copying {
    /// Begins to follow. `committed` tells the place of the last entry in the journal's file; it is asked
    /// four times a second and must not wait.
    ///
    /// # Errors
    ///
    /// When there is no thread; what is wrong with the database is told by [`Copying::state`] and the log.
    pub fn start(
        followed: Followed,
        address: Address,
        committed: Arc<dyn Fn() -> u64 + Send + Sync>,
    ) -> std::io::Result<Self> {
        let (shared, stop) = (Arc::new(Shared::new()), Arc::new(Stop::default()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (end, ended) = std::sync::mpsc::channel();
        let mut follower = Follower {
            followed,
            address,
            shared: Arc::clone(&shared),
            stop: Arc::clone(&stop),
            committed: Arc::clone(&committed),
        };
        std::thread::Builder::new().name("site".to_owned()).spawn(move || {
            runtime.block_on(follower.run());
            drop(end); // that is the word
        })?;
        Ok(Self { shared, stop, committed, ended: Mutex::new(ended) })
    }

    /// Copies what the journal, which grows no more, still has; whether all came there within `patience`.
    /// Waits.
    #[must_use]
    pub fn finish(&self, patience: Duration) -> bool {
        self.stop.last.store(true, Ordering::Relaxed);
        self.stop.wake.notify_one();
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let over = ended.recv_timeout(patience) == Err(RecvTimeoutError::Disconnected);
        over && self.state().phase == SitePhase::Level
    }

    /// How it fares.
    #[must_use]
    pub fn state(&self) -> SiteState {
        self.shared.state((self.committed)(), Instant::now())
    }
}

impl Drop for Copying {
    fn drop(&mut self) {
        self.stop.asked.store(true, Ordering::Relaxed);
        self.stop.wake.notify_one();
    }
}

struct Follower {
    followed: Followed,
    address: Address,
    shared: Arc<Shared>,
    stop: Arc<Stop>,
    committed: Committed,
}

/// Both ends, while they are there.
struct Way {
    journal: Journal,
    site: PgConnection,
    /// The history's number there.
    history: i32,
    /// The last entry there, and its hash.
    last: Option<(i64, Vec<u8>)>,
    /// The last erasure that was followed.
    rewritten: i64,
}

impl Follower {
    async fn run(&mut self) {
        let mut pause = FIRST_RETRY;
        while !self.stopping() && !self.stop.last.load(Ordering::Relaxed) {
            let began = Instant::now();
            let Err(error) = self.follow().await else { return }; // it was stopped
            // What held for a while begins the pauses anew.
            pause = if began.elapsed() > LAST_RETRY { FIRST_RETRY } else { pause };
            self.failed(&error);
            if self.stop.last.load(Ordering::Relaxed) {
                return;
            }
            self.rest(pause).await;
            pause = (pause * 2).min(LAST_RETRY);
        }
    }

    fn stopping(&self) -> bool {
        self.stop.asked.load(Ordering::Relaxed)
    }

    async fn rest(&self, pause: Duration) {
        // Woken or not: what is to be done is looked at then.
        let _ = tokio::time::timeout(pause, self.stop.wake.notified()).await;
    }

    fn failed(&self, error: &SiteError) {
        let why = error.to_string();
        let lasting = error.is_lasting();
        let phase = if lasting {
            SitePhase::Refused { why: why.clone() }
        } else {
            SitePhase::Away { why: why.clone() }
        };
        if matches!(error, SiteError::Raced) {
            tracing::debug!("{why}");
            return;
        }
        let same = match self.shared.enter(phase) {
            SitePhase::Away { .. } => !lasting,
            SitePhase::Refused { why: before } => lasting && before == why,
            _ => false,
        };
        if same {
            tracing::debug!(%why, "the site's store");
        } else if lasting {
            tracing::error!(%why, "the history is not copied to the site's store any more; calls go on");
        } else {
            tracing::warn!(%why, "the site's store is away; the history is copied once it is back");
        }
    }

    /// Follows until it is stopped, or something fails.
    async fn follow(&mut self) -> Result<(), SiteError> {
        let Some(mut way) = self.open().await? else { return Ok(()) };
        let there = way.last.as_ref().map_or(0, |(seq, _)| *seq);
        self.shared.found(wide(there));
        match self.shared.enter(SitePhase::Copying) {
            SitePhase::Copying | SitePhase::Level => {}
            _ => tracing::info!(from = there, "the site's store is reached; the history is copied"),
        }
        let mut looked: Option<Instant> = None;
        while !self.stopping() {
            if looked.is_none_or(|at| at.elapsed() >= ERASURES_EVERY) {
                self.erasures(&mut way).await?;
                looked = Some(Instant::now());
            }
            let there = way.last.as_ref().map_or(0, |(seq, _)| *seq);
            let last = self.stop.last.load(Ordering::Relaxed);
            if !last && wide(there) >= (self.committed)() {
                self.shared.enter(SitePhase::Level);
                self.rest(LOOK_EVERY).await;
                continue;
            }
            self.shared.enter(SitePhase::Copying);
            if self.step(&mut way).await? {
                continue;
            }
            if last {
                self.erasures(&mut way).await?;
                self.shared.enter(SitePhase::Level);
                return Ok(());
            }
            self.rest(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Opens both ends and finds where the copy stands; none when it was stopped while there was no entry.
    async fn open(&self) -> Result<Option<Way>, SiteError> {
        let mut journal = Journal::open(&self.followed.file).await?;
        let first_hash = loop {
            if let Some(hash) = journal.first_hash().await? {
                break hash;
            }
            if self.stopping() || self.stop.last.load(Ordering::Relaxed) {
                return Ok(None);
            }
            self.rest(LOOK_EVERY).await;
        };
        let mut site = self.address.connect().await?;
        self.within(schema::prepare(&mut site, &self.address)).await?;
        let file = journal.file().await?;
        let known = self.within(self.history(&mut site, &first_hash, &file)).await?;
        let (history, known_file, rewritten) = known;
        let last: Option<(i64, Vec<u8>)> = self
            .within(async {
                sqlx::query_as(
                    "SELECT seq, hash FROM entry WHERE history = $1 ORDER BY seq DESC LIMIT 1",
                )
                .bind(history)
                .fetch_optional(&mut site)
                .await
                .map_err(SiteError::of(&self.address, "finding the last entry"))
            })
            .await?;
        if let Some((seq, hash)) = &last
            && journal.hash(*seq).await?.as_ref() != Some(hash)
        {
            return Err(SiteError::TwoHistories { seq: *seq });
        }
        let mut way = Way { journal, site, history, last, rewritten };
        if known_file != file {
            self.another_file(&mut way, &file).await?;
        }
        Ok(Some(way))
    }

    /// The history's number there, the file that was followed last, and its last erasure.
    async fn history(
        &self,
        site: &mut PgConnection,
        first_hash: &[u8],
        file: &str,
    ) -> Result<(i32, String, i64), SiteError> {
        // Looked for first: each try to insert would use up a number.
        let known = sqlx::query_as(
            "UPDATE history SET desk = $2, timezone = $3 WHERE first_hash = $1 AND NOT set_aside \
             RETURNING id, file, rewritten",
        )
        .bind(first_hash)
        .bind(&self.followed.desk)
        .bind(&self.followed.timezone)
        .fetch_optional(&mut *site)
        .await
        .map_err(SiteError::of(&self.address, "finding the history"))?;
        if let Some(known) = known {
            return Ok(known);
        }
        let made = sqlx::query_as(
            "INSERT INTO history (first_hash, kind, desk, timezone, file, rewritten) \
             VALUES ($1, $2, $3, $4, $5, 0) RETURNING id, file, rewritten",
        )
        .bind(first_hash)
        .bind(self.followed.kind.name())
        .bind(&self.followed.desk)
        .bind(&self.followed.timezone)
        .bind(file)
        .fetch_one(site)
        .await;
        made.map_err(|error| match error {
            sqlx::Error::Database(said) if said.is_unique_violation() => SiteError::Raced,
            error => SiteError::of(&self.address, "entering the history")(error),
        })
    }

    /// The next block; false when the journal has none to give yet.
    async fn step(&self, way: &mut Way) -> Result<bool, SiteError> {
        let after = way.last.as_ref().map_or(i64::MIN, |(seq, _)| *seq);
        let rows = way.journal.after(after, BLOCK).await?;
        let Some(end) = rows.last() else { return Ok(false) };
        let last = (end.seq, end.hash.clone());
        let before = way.last.as_ref().map(|(_, hash)| hash.as_slice());
        let written = self.within(insert(&mut way.site, &self.address, way.history, &rows, before));
        let due = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        if written.await? != due {
            return Err(SiteError::Raced);
        }
        self.shared.copied(wide(last.0), due);
        way.last = Some(last);
        Ok(true)
    }

    /// Follows what was erased in the journal since it was looked at last.
    async fn erasures(&self, way: &mut Way) -> Result<(), SiteError> {
        loop {
            let rewritten = way.journal.rewritten(way.rewritten, BLOCK).await?;
            let Some((up_to, _)) = rewritten.last().copied() else { return Ok(()) };
            let seqs: Vec<i64> = rewritten.iter().map(|(_, seq)| *seq).collect();
            let erased = way.journal.erased(&seqs).await?;
            let text = "UPDATE history SET rewritten = $4 WHERE id = $1";
            self.rewrite(way, &erased, text, up_to, None).await?;
            way.rewritten = up_to;
        }
    }

    /// The same history in another file, such as one that was imported: what is erased there is found by
    /// looking at every entry here that still has texts.
    async fn another_file(&self, way: &mut Way, file: &str) -> Result<(), SiteError> {
        // Taken first: what is erased meanwhile is followed once more, which does no harm.
        let up_to = way.journal.last_rewritten().await?;
        let mut after = i64::MIN;
        loop {
            let salted: Vec<i64> = self
                .within(async {
                    sqlx::query_scalar(
                        "SELECT seq FROM entry WHERE history = $1 AND salt IS NOT NULL \
                         AND seq > $2 ORDER BY seq LIMIT $3",
                    )
                    .bind(way.history)
                    .bind(after)
                    .bind(BLOCK)
                    .fetch_all(&mut way.site)
                    .await
                    .map_err(SiteError::of(&self.address, "looking for what was erased"))
                })
                .await?;
            let Some(last) = salted.last().copied() else { break };
            after = last;
            let erased = way.journal.erased(&salted).await?;
            self.rewrite(way, &erased, "SELECT $1, $4", 0, None).await?;
        }
        let text = "UPDATE history SET rewritten = $4, file = $5 WHERE id = $1";
        self.rewrite(way, &[], text, up_to, Some(file)).await?;
        way.rewritten = up_to;
        Ok(())
    }

    /// Puts erased bodies in the place of what stands there, and notes it, in one statement.
    async fn rewrite(
        &self,
        way: &mut Way,
        erased: &[(i64, String)],
        note: &'static str,
        up_to: i64,
        file: Option<&str>,
    ) -> Result<(), SiteError> {
        let (seqs, bodies): (Vec<i64>, Vec<&str>) =
            erased.iter().map(|(seq, body)| (*seq, body.as_str())).unzip();
        let text = format!(
            "WITH erased AS (SELECT * FROM unnest($2::bigint[], $3::text[]) AS erased (seq, body)), \
             changed AS (UPDATE entry SET body = erased.body, salt = NULL FROM erased \
             WHERE entry.history = $1 AND entry.seq = erased.seq) {note}"
        );
        self.within(async {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(text))
                .bind(way.history)
                .bind(seqs)
                .bind(bodies)
                .bind(up_to);
            if let Some(file) = file {
                query = query.bind(file);
            }
            query.execute(&mut way.site).await.map_err(SiteError::of(&self.address, "erasing"))
        })
        .await?;
        Ok(())
    }

    async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, SiteError>>,
    ) -> Result<T, SiteError> {
        match tokio::time::timeout(PATIENCE, work).await {
            Ok(result) => result,
            Err(_) => Err(SiteError::Away {
                address: self.address.to_string(),
                why: format!("no answer within {} s", PATIENCE.as_secs()),
            }),
        }
    }
}

fn wide(seq: i64) -> u64 {
    u64::try_from(seq).unwrap_or(0)
}

/// What of a body has a column of its own.
#[derive(Deserialize)]
struct Asked {
    of: Option<String>,
    t_ms: Option<i64>,
    event: Option<AskedEvent>,
}

#[derive(Deserialize)]
struct AskedEvent {
    kind: Option<String>,
}

/// Writes `rows` behind the entry of the hash `before`; how many were written: none when another entry is
/// the last there by now.
async fn insert(
    site: &mut PgConnection,
    address: &Address,
    history: i32,
    rows: &[sealing::Row],
    before: Option<&[u8]>,
) -> Result<u64, SiteError> {
    // A body that is no JSON is copied as it is, and found by none of its columns.
    let asked: Vec<Option<Asked>> =
        rows.iter().map(|row| serde_json::from_str(&row.body).ok()).collect();
    let text = |pick: fn(&Asked) -> Option<&str>| -> Vec<Option<&str>> {
        asked.iter().map(|asked| asked.as_ref().and_then(pick)).collect()
    };
    let facts = text(|asked| asked.of.as_deref());
    let kinds = text(|asked| asked.event.as_ref().and_then(|event| event.kind.as_deref()));
    let times: Vec<Option<i64>> =
        asked.iter().map(|asked| asked.as_ref().and_then(|asked| asked.t_ms)).collect();
    let versions = rows.iter().map(|row| i32::try_from(row.v).unwrap_or(i32::MAX));
    let written = sqlx::query(
        "INSERT INTO entry (history, seq, at_ms, call, v, fact, kind, t_ms, body, hash, salt) \
         SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::integer[], $6::text[], \
         $7::text[], $8::bigint[], $9::text[], $10::bytea[], $11::bytea[]) \
         WHERE (SELECT hash FROM entry WHERE history = $1 ORDER BY seq DESC LIMIT 1) \
         IS NOT DISTINCT FROM $12",
    )
    .bind(history)
    .bind(rows.iter().map(|row| row.seq).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.at_ms).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.call.as_deref()).collect::<Vec<_>>())
    .bind(versions.collect::<Vec<_>>())
    .bind(facts)
    .bind(kinds)
    .bind(times)
    .bind(rows.iter().map(|row| row.body.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.hash.as_slice()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.salt.as_deref()).collect::<Vec<_>>())
    .bind(before)
    .execute(site)
    .await;
    match written {
        Ok(done) => Ok(done.rows_affected()),
        // Somebody wrote the same entry between our look and our word.
        Err(sqlx::Error::Database(said)) if said.is_unique_violation() => Err(SiteError::Raced),
        Err(error) => Err(SiteError::of(address, "writing entries")(error)),
    }
}
