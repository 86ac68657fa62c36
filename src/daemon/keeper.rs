//! Keeps the snapshot beside the store near to the journal's end, on a thread of its own: off the engine's
//! and off the journal's way. It goes on from the snapshot that lies there and reads what was committed
//! since, just as a start does; what the engine and the pages hold in memory is not touched.

use super::past::{self, Fold};
use super::room::Stands;
use super::start::StartError;
use crate::dialplan::Plan;
use crate::io::store::{self, Snapshot, Store, Unfit, snapshot_path};
use crate::view;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Entries since the last snapshot after which another is due while the desk runs: what a start reads of
/// them takes some 20 ms.
pub(super) const EVERY: u64 = 20_000;

/// Entries since the last snapshot that are worth another at an orderly end.
pub(super) const AT_THE_END: u64 = 1_000;

/// At an orderly end, what a snapshot would have to be made of anew is left to the next start.
const MOST_AT_THE_END: u64 = 200_000;

/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(30);

/// How the snapshot fares, for the metrics.
#[derive(Debug, Default)]
pub(super) struct Fares {
    /// The entry that the snapshot beside the store stands at; 0 when there is none.
    pub stands_at: AtomicU64,
    /// Snapshots that could not be written.
    pub failures: AtomicU64,
}

/// The thread, and the way to its end.
pub(super) struct Keeper {
    end: Sender<()>,
    fares: Arc<Fares>,
    thread: JoinHandle<()>,
}

/// What it needs to know.
pub(super) struct Keeping {
    /// The store's file.
    pub path: PathBuf,
    /// As the daemon's own views were set up.
    pub setup: view::Setup,
    /// As the daemon started with.
    pub plan: Arc<Plan>,
    /// What it says of itself.
    pub fares: Arc<Fares>,
    /// The disk: a snapshot takes no room that the journal needs.
    pub disk: Arc<Stands>,
}

impl Keeper {
    /// How the snapshot fares.
    pub(super) fn fares(&self) -> Arc<Fares> {
        Arc::clone(&self.fares)
    }

    /// Begins. `folded` is what the start has folded, when that is worth a snapshot at once; `stands_at`
    /// the entry of the one that lies there.
    ///
    /// # Errors
    ///
    /// When there is no thread.
    pub(super) fn start(
        keeping: Keeping,
        store: &Arc<Store>,
        (folded, stands_at): (Option<Fold>, u64),
    ) -> Result<Self, StartError> {
        let (end, ended) = channel();
        let store = Arc::downgrade(store);
        let fares = Arc::clone(&keeping.fares);
        fares.stands_at.store(stands_at, Ordering::Relaxed);
        let thread = std::thread::Builder::new().name("snapshot".to_owned());
        let thread = thread.spawn(move || {
            let stands_at = match folded {
                Some(fold) if keeping.disk.is_enough() => keeping.write(&fold).unwrap_or(stands_at),
                Some(_) | None => stands_at,
            };
            keeping.run(&store, stands_at, &ended);
        });
        let thread = thread
            .map_err(|source| StartError::System { what: "the snapshot's thread", source })?;
        Ok(Self { end, fares, thread })
    }

    /// Writes the last one, if it is worth it, and ends. To be called while the store is still ours.
    pub(super) fn finish(self) {
        drop(self.end);
        // A panic in it has been told; the snapshot is only a cache.
        let _ = self.thread.join();
    }
}

impl Keeping {
    fn run(&self, store: &Weak<Store>, mut stands_at: u64, ended: &Receiver<()>) {
        let committed = || store.upgrade().map(|store| store.state().committed_seq);
        loop {
            let over = match ended.recv_timeout(LOOK) {
                Err(RecvTimeoutError::Timeout) => false,
                Ok(()) | Err(RecvTimeoutError::Disconnected) => true,
            };
            let Some(seq) = committed() else { return };
            let new = seq.saturating_sub(stands_at);
            let due = if over { AT_THE_END..MOST_AT_THE_END } else { EVERY..u64::MAX };
            // Somebody may have deleted it meanwhile: nobody waits at an end until all is read.
            let long = over && seq >= MOST_AT_THE_END && !snapshot_path(&self.path).exists();
            if due.contains(&new) && !long && self.disk.is_enough() {
                stands_at = self.advance().unwrap_or(seq);
            }
            if over {
                return;
            }
        }
    }

    /// Writes a snapshot of all that is committed; tells the entry that it stands at. None when that cannot
    /// be: the log says why, and it is tried again when as many entries have come.
    fn advance(&self) -> Option<u64> {
        let read = store::Entries::read_only(&self.path).map_err(store::ReadError::Thread);
        let fold = read
            .and_then(|entries| past::fold((&self.path, entries), self.setup.clone(), &self.plan));
        match fold {
            Ok(folded) => self.write(&folded.fold),
            Err(error) => {
                self.fares.failures.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(%error, "no snapshot is written: the journal cannot be read");
                None
            }
        }
    }

    fn write(&self, fold: &Fold) -> Option<u64> {
        let (began, seq) = (Instant::now(), fold.views.last_seq());
        match fold.keep(&self.path, &self.setup.shape()) {
            Ok(()) => {
                self.fares.stands_at.store(seq, Ordering::Relaxed);
                let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
                tracing::info!(seq, ms, "a snapshot of the folded history is written");
                Some(seq)
            }
            Err(why) => {
                self.fares.failures.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(%why, "no snapshot is written; the next start reads more entries");
                // One that does not fit the bound would be in the way of nothing, but it is of no use.
                if matches!(why, Unfit::TooLong { .. }) {
                    let _ = Snapshot::forget(&self.path); // There may be none.
                }
                None
            }
        }
    }
}
