//! The journal: one `SQLite` file per node that holds the history, the registrations
//! and the subscriptions; and the history's copy in the site's store (`site`).
//!
//! Owns the file, its schema and its lock, and writes what it is given in the order given. Knows no
//! rule and no figure. The engine hands batches to [`Store::append`], which never waits; a thread of
//! the store's own writes them, one transaction for all that wait, and says so by [`StoreNotice`].
//! Trouble with the disk never stops a call: batches are kept and tried again until they are down.

mod backup;
mod erase;
mod import;
mod links;
mod open;
mod owner;
mod person;
mod place;
mod read;
mod replay;
mod retain;
mod room;
mod sealing;
pub mod site;
mod snapshot;
mod sql;
mod subscriptions;
mod version;
mod write;

#[cfg(test)]
mod backup_tests;
#[cfg(test)]
mod chain_tests;
#[cfg(test)]
mod retain_tests;
#[cfg(test)]
mod tests;

pub use backup::{
    BackupError, Head, KeptRecording, Lost, Restoring, There, copy, head, recordings,
};
pub use erase::{Erased, erase, erase_again};
pub use import::{ImportError, Importing};
pub use links::{Links, LinksError, Selection};
pub use open::{OpenError, aside};
pub use owner::{give_to_the_folders_owner, make_folder};
pub use person::{BadNeedle, Found, Needle, These, find};
pub use place::Place;
pub use read::{LADDER_BOUND, ReadError, Reader, Which};
pub use replay::Entries;
pub use retain::{CALLS_PER_STEP, Eraser, Retained};
pub use room::{Budget, Due, Look, RELEASE_BELOW_BYTES, Reserve, Room, on_one_disk};
pub use snapshot::{SNAPSHOT_BOUND, Snapshot, Unfit, snapshot_path};
pub use version::{Newer, newer};
pub use write::{GATHER, GATHERED, PENDING_BOUND, SLOW, TRANSACTION_BOUND};

use crate::event::Entry;
use crate::sip::api::{Binding, BindingChange, KeptSubscription, SubscriptionChange};
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use write::Shared;

/// What a file is for. It is written into the file, so that a synthetic call can never come to
/// stand among real ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Real calls.
    Service,
    /// Synthetic calls.
    Demonstration,
}

impl Kind {
    /// As written into the file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Demonstration => "demonstration",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Service, Self::Demonstration].into_iter().find(|kind| kind.name() == name)
    }
}

/// What a committed batch survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The death of the process at any instant. After a loss of power the last seconds may be missing.
    Process,
    /// A loss of power as well: each transaction waits for the disk.
    Power,
}

/// How a store is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// What the file must be for; a new file becomes so.
    pub kind: Kind,
    /// What a committed batch survives.
    pub durability: Durability,
}

/// What one input of the engine decided, to be written whole or not at all.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Rises with every batch.
    pub number: u64,
    /// In order, without holes to the batch before.
    pub entries: Vec<Entry>,
    /// In order.
    pub bindings: Vec<BindingChange>,
    /// In order.
    pub subscriptions: Vec<SubscriptionChange>,
}

/// What the store tells; called on the store's thread, so it must be quick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreNotice {
    /// All batches up to and with this one are in the file.
    Committed {
        /// The batch's number.
        up_to_batch: u64,
    },
    /// Writing failed or takes longer than [`SLOW`]; it is tried again until it succeeds.
    Failing {
        /// What the database said; nothing of a person's.
        error: String,
    },
    /// Writing works again after `Failing`.
    Healthy,
}

/// How the journal fares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreState {
    /// Whether the last try failed.
    pub failing: bool,
    /// Entries given and not yet in the file.
    pub pending: u64,
    /// Entries given up at [`PENDING_BOUND`].
    pub lost: u64,
    /// The last entry in the file.
    pub committed_seq: u64,
    /// Transactions written since the start.
    pub transactions: u64,
}

/// What the file held when it was opened.
pub struct Replay {
    /// The position that the next entry must have.
    pub next_seq: u64,
    /// Registrations, lapsed ones too.
    pub bindings: Vec<Binding>,
    /// Subscriptions, lapsed ones too.
    pub subscriptions: Vec<KeptSubscription>,
    /// All entries below `next_seq`, in blocks.
    pub entries: Entries,
}

/// An open journal. Dropped without [`Store::close`], it goes on for a few seconds to write what it
/// was given.
pub struct Store {
    shared: Arc<Shared>,
    reader: Reader,
    eraser: Eraser,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Store {
    /// Opens or creates the file at `path` and the folders above it, brings its schema up to date
    /// and takes its lock (`<path>.lock`). Waits for the disk; meant for the start.
    ///
    /// # Errors
    ///
    /// [`OpenError`] says what stands against it; nothing was changed in a file that is refused.
    pub fn open(
        path: &Path,
        options: Options,
        notice: impl Fn(StoreNotice) + Send + Sync + 'static,
    ) -> Result<(Self, Replay), OpenError> {
        let lock: File = open::prepare(path)?;
        let shared = Arc::new(Shared::default());
        let (opened_tx, opened_rx) = std::sync::mpsc::sync_channel(1);
        let thread = {
            let (path, shared) = (path.to_owned(), Arc::clone(&shared));
            let run = move || {
                let writing = || write::run(&path, options, &shared, &notice, &opened_tx, lock);
                if catch_unwind(AssertUnwindSafe(writing)).is_err() {
                    write::died(&shared, &notice);
                }
            };
            std::thread::Builder::new().name("journal".into()).spawn(run)
        };
        let thread =
            thread.map_err(|source| OpenError::Io { doing: "starting a thread", source })?;
        let found = opened_rx.recv().map_err(|_| OpenError::Died)??;
        shared.committed_seq.store(found.next_seq.saturating_sub(1), Ordering::Relaxed);
        let entries = Entries::before(path, found.next_seq);
        let open::Found { next_seq, bindings, subscriptions, .. } = found;
        let replay = Replay { next_seq, bindings, subscriptions, entries };
        let (reader, eraser) = (Reader::new(path), Eraser::new(path));
        Ok((Self { shared, reader, eraser, thread: Some(thread) }, replay))
    }

    /// Hands over a batch; never waits for the disk. When [`PENDING_BOUND`] entries wait already,
    /// the new batch is given up, counted and reported: what is older is kept.
    pub fn append(&self, batch: Batch) {
        self.shared.append(batch);
    }

    /// How it fares.
    #[must_use]
    pub fn state(&self) -> StoreState {
        self.shared.state()
    }

    /// A way to read while the store is being written.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// A way to erase old calls' numbers and names while it is being written; there is one, whoever asks.
    #[must_use]
    pub fn eraser(&self) -> Eraser {
        self.eraser.clone()
    }

    /// Writes what waits and closes the file; true when everything is in it. After `patience` it is
    /// given up and false.
    #[must_use]
    pub fn close(mut self, patience: Duration) -> bool {
        let done = self.shared.close(patience);
        if done && let Some(thread) = self.thread.take() {
            // It has nothing left to do but end; a panic in it would have been `done == false`.
            let _ = thread.join();
        }
        done
    }

    #[cfg(test)]
    fn set_pending_bound(&self, bound: usize) {
        self.shared.set_pending_bound(bound);
    }

    #[cfg(test)]
    fn set_page_limit(&self, pages: u32) {
        self.shared.set_page_limit(pages);
    }

    #[cfg(test)]
    fn break_thread(&self) {
        self.shared.break_thread();
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.shared.ask_to_close(Duration::from_secs(5));
    }
}
