//! Keeps the snapshot beside the store near to the journal's end, on a thread of its own: off the engine's
//! and off the journal's way. It goes on from the snapshot that lies there and reads what was committed
//! since, just as a start does; what the engine and the pages hold in memory is not touched.

use super::past::{self, Fold};
use super::room::Stands;
use super::start::StartError;
use crate::dialplan::Plan;
use crate::io::store::{self, Eraser, Snapshot, Store, Unfit, snapshot_path};
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
        let eraser = store.eraser();
        // What was folded has all texts: it is written before anything is erased, and deleted then.
        let alone = folded.is_some().then(|| eraser.hold()).flatten();
        let store = Arc::downgrade(store);
        let fares = Arc::clone(&keeping.fares);
        fares.stands_at.store(stands_at, Ordering::Relaxed);
        let thread = std::thread::Builder::new().name("snapshot".to_owned());
        let thread = thread.spawn(move || {
            let tried_at = match (folded, &alone) {
                (Some(fold), Some(_)) if keeping.disk.is_enough() => {
                    keeping.write(&fold).map_or_else(|| fold.views.last_seq(), |_| 0)
                }
                _ => 0,
            };
            drop(alone);
            keeping.run(&store, &eraser, tried_at, &ended);
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
    /// `tried_at` is the entry at which one could not be written.
    fn run(&self, store: &Weak<Store>, eraser: &Eraser, mut tried_at: u64, ended: &Receiver<()>) {
        let committed = || store.upgrade().map(|store| store.state().committed_seq);
        loop {
            let over = match ended.recv_timeout(LOOK) {
                Err(RecvTimeoutError::Timeout) => false,
                Ok(()) | Err(RecvTimeoutError::Disconnected) => true,
            };
            let Some(seq) = committed() else { return };
            // While texts are erased none is made: it would be folded of some that are gone when it is written.
            if self.is_due(seq, tried_at, over)
                && let Some(_alone) = eraser.hold()
            {
                tried_at = if self.advance().is_some() { 0 } else { seq };
            }
            if over {
                return;
            }
        }
    }

    /// Whether a snapshot is due. Where there is none any more, because an erasure or somebody deleted it, all entries
    /// are what a start would read.
    fn is_due(&self, seq: u64, tried_at: u64, over: bool) -> bool {
        let there = snapshot_path(&self.path).exists();
        if !there {
            self.fares.stands_at.store(0, Ordering::Relaxed);
        }
        let stands_at = self.fares.stands_at.load(Ordering::Relaxed);
        // An orderly end tries once more, whatever became of the last.
        let from = if over { stands_at } else { stands_at.max(tried_at) };
        let new = seq.saturating_sub(from);
        let due = if over { AT_THE_END..MOST_AT_THE_END } else { EVERY..u64::MAX };
        // Nobody waits at an end until all is read.
        let long = over && seq >= MOST_AT_THE_END && !there;
        due.contains(&new) && !long && self.disk.is_enough()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_nights_erasure_another_snapshot_is_written_and_the_metric_says_when_there_is_none() {
        let folder = std::env::temp_dir().join(format!("madoguchi-keeper-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join("desk.db");
        let text = include_str!("../../dialplans/demo.toml");
        let (plan, _) = crate::dialplan::load(text, "demo.toml", None).expect("a plan");
        let setup = view::Setup {
            desk: "desk".to_owned(),
            demonstration: false,
            timezone: plan.timezone,
            policy: view::Policy::default(),
            agents: Vec::new(),
        };
        let fares = Arc::<Fares>::default();
        let (plan, disk) = (Arc::new(plan), Arc::default());
        let keeping = Keeping { path, setup, plan, fares: Arc::clone(&fares), disk };
        fares.stands_at.store(50_000, Ordering::Relaxed);
        std::fs::write(snapshot_path(&keeping.path), "a snapshot").expect("written");
        assert!(!keeping.is_due(50_100, 0, false), "it stands near");
        assert_eq!(fares.stands_at.load(Ordering::Relaxed), 50_000);
        Snapshot::forget(&keeping.path).expect("as an erasure does");
        assert!(keeping.is_due(50_100, 0, false), "a start would read all entries");
        assert_eq!(
            fares.stands_at.load(Ordering::Relaxed),
            0,
            "the metric says that there is none"
        );
        assert!(!keeping.is_due(50_200, 50_100, false), "one that failed is tried again later");
        assert!(keeping.is_due(70_100, 50_100, false));
        assert!(!keeping.is_due(900, 0, false) && !keeping.is_due(900, 0, true), "a short history");
        let _ = std::fs::remove_dir_all(folder);
    }
}
