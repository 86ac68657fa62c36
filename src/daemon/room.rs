//! Looks after the room for the journal on its disk: holds the reserve, gives it, and says in the log when that changes.
//! What is due is `io::store`'s to judge.

use crate::io::store::{Budget, Due, Look, Reserve, Room, Store};
use crate::view::{DiskGauge, DiskState};
use std::path::Path;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// How it stands, for metrics, health page and whoever would write what can wait.
#[derive(Debug, Default)]
pub(super) struct Stands {
    /// As [`Room`]: 0 enough, 1 low, 2 without a reserve.
    room: AtomicU8,
    free: AtomicU64,
    held: AtomicU64,
}

impl Stands {
    /// Whether what is no part of the history may be written.
    pub(super) fn is_enough(&self) -> bool {
        self.room.load(Ordering::Relaxed) == 0
    }

    pub(super) fn gauge(&self) -> DiskGauge {
        DiskGauge {
            state: match self.room.load(Ordering::Relaxed) {
                0 => DiskState::Ok,
                1 => DiskState::Low,
                _ => DiskState::NoReserve,
            },
            free_bytes: self.free.load(Ordering::Relaxed),
            reserve_bytes: self.held.load(Ordering::Relaxed),
        }
    }
}

/// The journal's disk.
struct Disk {
    reserve: Reserve,
    budget: Budget,
    stands: Arc<Stands>,
    store: Weak<Store>,
    /// A look that failed was told.
    told: bool,
}

/// Looks at once, and then for as long as there is the store. Call inside a tokio runtime; waits for the disk.
pub(super) fn watch(path: &Path, budget: Budget, store: &Arc<Store>) -> Arc<Stands> {
    let stands = Arc::<Stands>::default();
    let mut disk = Disk {
        reserve: Reserve::beside(path),
        budget,
        stands: Arc::clone(&stands),
        store: Arc::downgrade(store),
        told: false,
    };
    // One that is not to be any more is given back.
    if budget.reserve == 0 {
        let _ = disk.reserve.release(); // there is none, mostly
    }
    disk.look();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(LOOK).await;
            // A disk that does not answer keeps this thread, and nobody else.
            let looked = tokio::task::spawn_blocking(move || disk.look().then_some(disk)).await;
            let Ok(Some(again)) = looked else { return };
            disk = again;
        }
    });
    stands
}

impl Disk {
    /// False when there is nothing to be looked after any more.
    fn look(&mut self) -> bool {
        let Some(failing) = self.store.upgrade().map(|store| store.state().failing) else {
            return false;
        };
        let free = match self.reserve.free() {
            Ok(free) => free,
            Err(error) => {
                if !self.told {
                    tracing::warn!(%error, "the room on the journal's disk cannot be seen");
                }
                self.told = true;
                return true;
            }
        };
        let held = self.reserve.held();
        let (room, due) = self.budget.judge(Look { free, held, failing });
        let done = match due {
            None => Ok(()),
            Some(Due::Hold) => self.reserve.hold(self.budget.reserve),
            Some(Due::Release) => self.reserve.release(),
        };
        match (due, done) {
            (_, Err(error)) if !self.told => {
                tracing::warn!(%error, ?due, "the reserve on the journal's disk is not as it is to be");
                self.told = true;
            }
            (_, Err(_)) => {}
            (Some(Due::Release), Ok(())) => tracing::error!(
                free_bytes = free,
                "the journal's disk is full: the journal has the room that was held back for it; free the disk now / 記録のディスクに空きがありません。予備の領域を記録に使います"
            ),
            _ => self.told = false,
        }
        self.stands.held.store(self.reserve.held(), Ordering::Relaxed);
        self.stands.free.store(free, Ordering::Relaxed);
        self.tell(room, free);
        true
    }

    fn tell(&self, room: Room, free_bytes: u64) {
        let code = match room {
            Room::Enough => 0,
            Room::Low => 1,
            Room::NoReserve => 2,
        };
        let before = self.stands.room.swap(code, Ordering::Relaxed);
        let least_free_bytes = self.budget.least_free;
        match (before, code) {
            (0, 1..) => tracing::error!(
                free_bytes,
                least_free_bytes,
                "the journal's disk has less room than [store] least_free_mib: no snapshot is written, and nothing is recorded on the same disk; calls go on / 記録のディスクの空きが足りません。通話は続きます"
            ),
            (1.., 0) => tracing::warn!(free_bytes, "the journal's disk has room again"),
            _ => {}
        }
    }
}
