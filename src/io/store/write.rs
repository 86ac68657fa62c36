//! The writing: a queue that the engine fills without waiting, a thread that empties it.

use super::open::{self, Found, OpenError};
use super::sealing::{Row, Sealer};
use super::sql::Statements;
use super::{Batch, Options, StoreNotice, StoreState};
use crate::sip::api::{BindingChange, SubscriptionChange};
use sqlx::{Connection, SqliteConnection};
use std::collections::VecDeque;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Entries (and registrations) that may wait in memory while the disk is away, about 80 MB. Beyond,
/// the newest batch is given up: what is older is the beginning of calls that are still to be ended.
pub const PENDING_BOUND: usize = 200_000;

/// Entries in one transaction; the rest of what waits goes into the next.
pub const TRANSACTION_BOUND: usize = 4_096;

/// Least time between the beginnings of two transactions, unless [`GATHERED`] entries wait. A batch
/// after a quiet moment is written at once; under load batches share transactions, whose cost is
/// mostly that of waking two threads.
pub const GATHER: Duration = Duration::from_millis(1);

/// Entries that are worth a transaction at once.
pub const GATHERED: usize = 64;

/// A transaction that takes longer is reported as failing, though it may still succeed.
pub const SLOW: Duration = Duration::from_secs(1);

const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_secs(1);

/// Tries after which a failing connection is opened anew.
const TRIES_PER_CONNECTION: u32 = 8;

/// How often written pages are brought from the WAL into the file.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);

/// What the two sides of the queue share.
#[derive(Default)]
pub(super) struct Shared {
    inbox: Mutex<Inbox>,
    /// Something waits where nothing did.
    wake: Notify,
    /// [`GATHERED`] entries wait.
    gathered: Notify,
    ended: Condvar,
    failing: AtomicBool,
    lost: AtomicU64,
    pub(super) committed_seq: AtomicU64,
    transactions: AtomicU64,
}

#[derive(Default)]
struct Inbox {
    batches: VecDeque<Batch>,
    /// Weights of all batches not yet written, also of those being written.
    pending: usize,
    /// Weights of the batches in the queue.
    waiting: usize,
    /// The last batch seen, also when it was given up.
    last_number: u64,
    giving_up: bool,
    /// No more batches come; what waits may still be tried until then.
    closing: Option<Instant>,
    ended: Option<Ended>,
    #[cfg(test)]
    page_limit: Option<u32>,
    #[cfg(test)]
    pending_bound: Option<usize>,
    #[cfg(test)]
    breaks: bool,
}

impl Inbox {
    #[cfg_attr(not(test), allow(clippy::unused_self))]
    fn bound(&self) -> usize {
        #[cfg(test)]
        if let Some(bound) = self.pending_bound {
            return bound;
        }
        PENDING_BOUND
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Whole,
    WithLoss,
}

fn weight(batch: &Batch) -> usize {
    (batch.entries.len() + batch.bindings.len() + batch.subscriptions.len()).max(1)
}

impl Shared {
    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        // Nothing panics while holding it; were it so, the queue would still be whole.
        self.inbox.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(super) fn append(&self, batch: Batch) {
        let mut inbox = self.inbox();
        let weight = weight(&batch);
        inbox.last_number = batch.number;
        if inbox.pending.saturating_add(weight) > inbox.bound() || inbox.closing.is_some() {
            let entries = u64::try_from(batch.entries.len()).unwrap_or(u64::MAX);
            self.lost.fetch_add(entries, Ordering::Relaxed);
            if !inbox.giving_up {
                inbox.giving_up = true;
                tracing::error!(
                    pending = inbox.pending,
                    "the journal has been away too long: entries are being lost"
                );
            }
            return;
        }
        let (first, before) = (inbox.batches.is_empty(), inbox.waiting);
        inbox.pending = inbox.pending.saturating_add(weight);
        inbox.waiting = inbox.waiting.saturating_add(weight);
        let gathered = before < GATHERED && inbox.waiting >= GATHERED;
        inbox.batches.push_back(batch);
        drop(inbox);
        if first {
            self.wake.notify_one();
        }
        if gathered {
            self.gathered.notify_one();
        }
    }

    pub(super) fn state(&self) -> StoreState {
        StoreState {
            failing: self.failing.load(Ordering::Relaxed),
            pending: u64::try_from(self.inbox().pending).unwrap_or(u64::MAX),
            lost: self.lost.load(Ordering::Relaxed),
            committed_seq: self.committed_seq.load(Ordering::Relaxed),
            transactions: self.transactions.load(Ordering::Relaxed),
        }
    }

    pub(super) fn ask_to_close(&self, patience: Duration) {
        self.inbox().closing.get_or_insert_with(|| Instant::now() + patience);
        self.wake.notify_one();
        self.gathered.notify_one();
    }

    /// Whether all was written before the thread ended, which it does within `patience` or so.
    pub(super) fn close(&self, patience: Duration) -> bool {
        self.ask_to_close(patience);
        let inbox = self.inbox();
        let (inbox, _) = self
            .ended
            .wait_timeout_while(inbox, patience + SLOW, |inbox| inbox.ended.is_none())
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        inbox.ended == Some(Ended::Whole)
    }

    fn end(&self, ended: Ended) {
        self.inbox().ended = Some(ended);
        self.ended.notify_all();
    }

    /// All that waits, up to the bound of one transaction.
    fn take(&self) -> Vec<Batch> {
        let mut inbox = self.inbox();
        let mut taken = Vec::new();
        let mut sum = 0;
        while let Some(batch) = inbox.batches.front() {
            sum += weight(batch);
            if sum > TRANSACTION_BOUND && !taken.is_empty() {
                break;
            }
            taken.extend(inbox.batches.pop_front());
        }
        inbox.waiting = inbox.waiting.saturating_sub(taken.iter().map(weight).sum());
        taken
    }

    /// Counts `taken` as written; tells up to which batch all is down or given up.
    fn written(&self, taken: &[Batch]) -> u64 {
        let mut inbox = self.inbox();
        inbox.pending = inbox.pending.saturating_sub(taken.iter().map(weight).sum());
        inbox.giving_up = false;
        let last = taken.last().map_or(0, |batch| batch.number);
        // Batches given up lie behind everything that waited: with the queue empty, none is owed.
        let up_to = if inbox.batches.is_empty() { inbox.last_number } else { last };
        drop(inbox);
        if let Some(entry) = taken.iter().rev().find_map(|batch| batch.entries.last()) {
            self.committed_seq.store(entry.seq, Ordering::Relaxed);
        }
        self.transactions.fetch_add(1, Ordering::Relaxed);
        up_to
    }

    fn waiting(&self) -> usize {
        self.inbox().waiting
    }

    fn closing(&self) -> Option<Instant> {
        self.inbox().closing
    }

    #[cfg(test)]
    pub(super) fn set_pending_bound(&self, bound: usize) {
        self.inbox().pending_bound = Some(bound);
    }

    #[cfg(test)]
    pub(super) fn set_page_limit(&self, pages: u32) {
        self.inbox().page_limit = Some(pages);
        self.wake.notify_one();
    }

    /// The next write panics.
    #[cfg(test)]
    pub(super) fn break_thread(&self) {
        self.inbox().breaks = true;
    }
}

/// The thread's life: opens, reports by `opened`, writes until closed. Holds `lock` to its end.
pub(super) fn run(
    path: &Path,
    options: Options,
    shared: &Arc<Shared>,
    notice: &(impl Fn(StoreNotice) + Send + Sync),
    opened: &SyncSender<Result<Found, OpenError>>,
    lock: File,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime,
        Err(source) => {
            let _ = opened.send(Err(OpenError::Io { doing: "starting the journal", source }));
            return;
        }
    };
    let ended = runtime.block_on(async {
        let (connection, sealer) = match start(path, options).await {
            Ok((connection, sealer, found)) => {
                let _ = opened.send(Ok(found));
                (connection, sealer)
            }
            Err(error) => {
                let _ = opened.send(Err(error));
                return Ended::WithLoss;
            }
        };
        let checkpoints = Arc::new(Notify::new());
        let checkpointer =
            tokio::spawn(checkpoint(path.to_owned(), Arc::clone(shared), Arc::clone(&checkpoints)));
        let statements = Statements::new();
        let mut writer = Writer { path, options, connection, sealer, shared, notice, statements };
        let ended = writer.run().await;
        checkpoints.notify_one();
        let _ = checkpointer.await;
        let _ =
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut writer.connection).await;
        let _ = writer.connection.close().await;
        ended
    });
    // Said, not left to the closing of the file: a child that is being started by another thread holds it
    // open a moment longer, and who opens the store next would be refused.
    let _ = lock.unlock();
    shared.end(ended);
}

async fn start(
    path: &Path,
    options: Options,
) -> Result<(SqliteConnection, Sealer, Found), OpenError> {
    let mut connection = open::connect(path, options).await.map_err(|source| {
        if matches!(&source, sqlx::Error::Database(error) if error.code().as_deref() == Some("26"))
        {
            return OpenError::NotOurs { path: path.to_owned(), found: "no SQLite file" };
        }
        OpenError::Database { path: path.to_owned(), doing: "opening the store", source }
    })?;
    let found = open::examine(&mut connection, path, options.kind).await?;
    let sealer = Sealer::after(found.last_hash)
        .map_err(|source| OpenError::Io { doing: "drawing random numbers", source })?;
    Ok((connection, sealer, found))
}

struct Writer<'a, N> {
    path: &'a Path,
    options: Options,
    connection: SqliteConnection,
    sealer: Sealer,
    shared: &'a Shared,
    notice: &'a N,
    statements: Statements,
}

impl<N: Fn(StoreNotice)> Writer<'_, N> {
    async fn run(&mut self) -> Ended {
        let mut began: Option<Instant> = None;
        loop {
            if let Some(began) = began {
                self.gather(began + GATHER).await;
            }
            let taken = self.shared.take();
            if taken.is_empty() {
                if self.shared.closing().is_some() {
                    return Ended::Whole;
                }
                self.shared.wake.notified().await;
                continue; // What came is written at once, or when it has gathered.
            }
            began = Some(Instant::now());
            if !self.write_until_written(&taken).await {
                tracing::error!("the store was closed before the journal could be written");
                return Ended::WithLoss;
            }
            let up_to_batch = self.shared.written(&taken);
            if self.shared.failing.swap(false, Ordering::Relaxed) {
                (self.notice)(StoreNotice::Healthy);
            }
            (self.notice)(StoreNotice::Committed { up_to_batch });
        }
    }

    /// Until then, or until enough waits.
    async fn gather(&self, until: Instant) {
        while self.shared.waiting() < GATHERED && self.shared.closing().is_none() {
            let gathered = tokio::time::timeout_at(until, self.shared.gathered.notified());
            if gathered.await.is_err() {
                return;
            }
        }
    }

    /// False when the store was closed meanwhile and its patience is over.
    async fn write_until_written(&mut self, taken: &[Batch]) -> bool {
        // Once for all tries: a repeated one writes the same hashes and salts.
        let entries = taken.iter().flat_map(|batch| &batch.entries);
        let entries: Vec<Row> = entries.map(|entry| self.sealer.seal(entry)).collect();
        let bindings: Vec<&BindingChange> =
            taken.iter().flat_map(|batch| &batch.bindings).collect();
        let subscriptions: Vec<&SubscriptionChange> =
            taken.iter().flat_map(|batch| &batch.subscriptions).collect();
        if entries.is_empty() && bindings.is_empty() && subscriptions.is_empty() {
            return true;
        }
        let mut pause = FIRST_RETRY;
        for tries in 0_u32.. {
            #[cfg(test)]
            {
                self.obey_page_limit().await;
                if self.shared.inbox().breaks {
                    // Not by `panic!`: to print where it was takes seconds of a busy processor.
                    std::panic::resume_unwind(Box::new("on purpose"));
                }
            }
            match self.try_once(&entries, &bindings, &subscriptions, tries > 0).await {
                Ok(()) => return true,
                Err(error) => self.failed(&error.to_string()),
            }
            if self.shared.closing().is_some_and(|until| Instant::now() >= until) {
                return false;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LAST_RETRY);
            self.recover(tries).await;
        }
        false
    }

    async fn try_once(
        &mut self,
        entries: &[Row],
        bindings: &[&BindingChange],
        subscriptions: &[&SubscriptionChange],
        again: bool,
    ) -> Result<(), sqlx::Error> {
        let write =
            self.statements.write(&mut self.connection, entries, bindings, subscriptions, again);
        tokio::pin!(write);
        let first = tokio::time::timeout(SLOW, &mut write).await;
        if let Ok(result) = first {
            return result;
        }
        report(self.shared, self.notice, "the disk has not answered for a second");
        write.await
    }

    fn failed(&self, error: &str) {
        report(self.shared, self.notice, error);
    }

    /// Puts the connection into order after a failed try.
    async fn recover(&mut self, tries: u32) {
        // An error may or may not have ended the transaction; a second end does no harm.
        let _ = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
        if tries % TRIES_PER_CONNECTION == TRIES_PER_CONNECTION - 1
            && let Ok(connection) = open::connect(self.path, self.options).await
        {
            self.connection = connection;
            let _ = sqlx::query("PRAGMA busy_timeout = 100").execute(&mut self.connection).await;
        }
    }

    #[cfg(test)]
    async fn obey_page_limit(&mut self) {
        let limit = self.shared.inbox().page_limit;
        if let Some(pages) = limit {
            let text = format!("PRAGMA max_page_count = {pages}");
            let _ = sqlx::query(sqlx::AssertSqlSafe(text)).execute(&mut self.connection).await;
        }
    }
}

/// The thread's last word after a fault of ours: what comes now waits in memory for nobody, calls go
/// on, and whoever watches is told that only a restart brings the journal back.
pub(super) fn died(shared: &Shared, notice: &impl Fn(StoreNotice)) {
    shared.end(Ended::WithLoss);
    shared.failing.store(false, Ordering::Relaxed); // it is told even when trouble was told before
    report(shared, notice, "the journal's thread has ended by a fault; restart the daemon");
}

fn report(shared: &Shared, notice: &impl Fn(StoreNotice), error: &str) {
    if !shared.failing.swap(true, Ordering::Relaxed) {
        notice(StoreNotice::Failing { error: error.to_owned() });
    }
}

/// Brings pages from the WAL into the file beside the writing, so that no call waits for it.
async fn checkpoint(path: std::path::PathBuf, shared: Arc<Shared>, stop: Arc<Notify>) {
    use sqlx::ConnectOptions as _;
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(&path)
        .busy_timeout(Duration::ZERO)
        .thread_name(|_| "journal-checkpoint".to_owned())
        .disable_statement_logging();
    let mut connection: Option<SqliteConnection> = None;
    let mut done = 0;
    while tokio::time::timeout(CHECKPOINT_EVERY, stop.notified()).await.is_err() {
        let transactions = shared.transactions.load(Ordering::Relaxed);
        if transactions == done {
            continue;
        }
        if connection.is_none() {
            connection = SqliteConnection::connect_with(&options).await.ok();
        }
        let Some(open) = &mut connection else { continue };
        match sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(open).await {
            Ok(_) => done = transactions,
            Err(error) => {
                // The journal itself is whole without it, only longer; the writing tells of trouble.
                tracing::debug!(%error, "checkpoint");
                connection = None;
            }
        }
    }
    if let Some(open) = connection {
        let _ = open.close().await;
    }
}
