//! Recordings on the disk: a writer thread that decodes and writes what media threads copy, and a keeper
//! thread that ends files (on the disk, their sum told), mends those of a run that died, and deletes what
//! is too old. Neither is ever waited for. Knows no call's rules and no history.

// What a stranger sends cannot make us panic.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod erasing;
mod file;
mod keeper;
mod reading;
mod writer;

#[cfg(test)]
mod tests;

pub use erasing::is_held;
pub use reading::Reading;

use crate::base::Wall;
use crate::recording::Format;
use crate::recording::command::{Command, Notice, RecordingId, Trouble};
use crate::recording::name;
use crate::recording::vault::SiteKey;
use rtrb::Consumer;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

/// How recordings are kept.
#[derive(Clone, Debug)]
pub struct RecorderConfig {
    /// Where they lie.
    pub directory: PathBuf,
    /// In what.
    pub format: Format,
    /// The desk's zone, by which days are named.
    pub zone: chrono_tz::Tz,
    /// The key that they are sealed by.
    pub key: Option<SiteKey>,
    /// Days that they are kept; none: for ever.
    pub keep_days: Option<u32>,
    /// Bytes that must be free on the disk: below, nothing is recorded.
    pub least_free_bytes: u64,
    /// Recordings at once.
    pub most: usize,
    /// When the daemon's clock began.
    pub epoch: Instant,
}

/// How the recorder fares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecorderState {
    /// What is wrong now.
    pub trouble: Option<Trouble>,
    /// Files that grow now.
    pub open: u64,
    /// Files that were ended (counter).
    pub kept: u64,
    /// Recordings that were not begun, or ended before their time (counter).
    pub failed: u64,
    /// Bytes free on the disk.
    pub free_bytes: u64,
    /// Files deleted for their age (counter).
    pub deleted: u64,
}

/// What both threads show.
#[derive(Default)]
struct Shared {
    /// 0 well, 1 disk full, 2 disk.
    trouble: AtomicU8,
    open: AtomicU64,
    /// Files that the keeper has before it.
    ending: AtomicU64,
    kept: AtomicU64,
    failed: AtomicU64,
    free_bytes: AtomicU64,
    deleted: AtomicU64,
    /// Recordings that are to be deleted and are not whole yet.
    doomed: Mutex<BTreeSet<RecordingId>>,
}

impl Shared {
    fn set(&self, trouble: Option<Trouble>) {
        let code = match trouble {
            None => 0,
            Some(Trouble::DiskFull) => 1,
            Some(_) => 2,
        };
        let before = self.trouble.swap(code, Ordering::Relaxed);
        match (before, trouble) {
            (0, Some(why)) => tracing::error!(
                ?why,
                "calls are not recorded: the disk of [recording] directory is full or does not take them; calls go on"
            ),
            (1.., None) => tracing::warn!("calls are recorded again"),
            _ => {}
        }
    }

    fn doomed(&self) -> std::sync::MutexGuard<'_, BTreeSet<RecordingId>> {
        self.doomed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn trouble(&self) -> Option<Trouble> {
        match self.trouble.load(Ordering::Relaxed) {
            0 => None,
            1 => Some(Trouble::DiskFull),
            _ => Some(Trouble::Disk),
        }
    }
}

/// The two threads. Dropping it ends every file in order and waits for that.
pub struct Recorder {
    commands: Mutex<Option<Sender<Command>>>,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    config: Arc<RecorderConfig>,
}

impl Recorder {
    /// Starts the threads. `rings` bring what is tapped; `notices` is called on the threads and must not
    /// wait. What a run that died left behind is mended first, and told as `Kept`; of `unkept`, which the
    /// history says were begun, what is whole is told, and what is not there or cannot be ended as lost.
    ///
    /// # Errors
    ///
    /// The system's, when the directory cannot be made or a thread cannot be had.
    pub fn start<N>(
        config: RecorderConfig,
        rings: Vec<Consumer<u8>>,
        unkept: BTreeSet<RecordingId>,
        notices: N,
    ) -> io::Result<Self>
    where
        N: Fn(Notice) + Send + Clone + 'static,
    {
        make_directory(&config.directory)?;
        let (config, shared) = (Arc::new(config), Arc::new(Shared::default()));
        let (commands, orders) = channel();
        let (ended, done) = channel();
        let mut keeper = keeper::Keeper {
            config: Arc::clone(&config),
            shared: Arc::clone(&shared),
            notices: notices.clone(),
        };
        // Before anything new grows among them.
        let torn = keeper.torn();
        let known = keeper.known(&torn, unkept);
        let mut writer =
            writer::Writer::new(Arc::clone(&config), Arc::clone(&shared), rings, ended, notices);
        let spawn = |name: &str| std::thread::Builder::new().name(name.to_owned());
        let threads = vec![
            spawn("recorder").spawn(move || writer.run(&orders))?,
            spawn("recordings").spawn(move || keeper.run(torn, known, &done))?,
        ];
        Ok(Self { commands: Mutex::new(Some(commands)), shared, threads, config })
    }

    /// Gives a command to the writer; never waits.
    pub fn send(&self, command: Command) {
        let commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(commands) = &*commands {
            let _ = commands.send(command); // a thread that has ended is told by its state
        }
    }

    /// Whether any file grows, or is not told yet.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        count(&self.shared.open) > 0 || count(&self.shared.ending) > 0
    }

    /// How it fares.
    #[must_use]
    pub fn state(&self) -> RecorderState {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let ended = self.threads.iter().any(JoinHandle::is_finished);
        RecorderState {
            trouble: if ended { Some(Trouble::Disk) } else { self.shared.trouble() },
            open: count(&self.shared.open),
            kept: count(&self.shared.kept),
            failed: count(&self.shared.failed),
            free_bytes: count(&self.shared.free_bytes),
            deleted: count(&self.shared.deleted),
        }
    }

    /// Where a recording lies, by the path that the history names; none when that path leads elsewhere.
    #[must_use]
    pub fn path(&self, file: &str) -> Option<PathBuf> {
        let (day, file_name) = file.split_once('/')?;
        let named = name::read(file_name)?;
        let good = name::is_day(day) && !named.part;
        good.then(|| self.config.directory.join(day).join(file_name))
    }

    /// Where a recording that was `begun` then lies, whole or not, by the name of whole ones; reads directories.
    ///
    /// # Errors
    ///
    /// The system's, when a folder cannot be read, or that of its day is not there, unless its time is over: then
    /// nobody knows whether there is one, because its disk may not be there.
    pub fn find(&self, id: RecordingId, begun: Wall) -> io::Result<Option<PathBuf>> {
        let RecorderConfig { directory, zone, keep_days, .. } = &*self.config;
        match erasing::find(directory, id)? {
            None => erasing::is_there(&directory.join(name::day(begun, *zone)), id, *keep_days)
                .map(|()| None),
            Some(lies) => Ok(Some(directory.join(lies.called))),
        }
    }

    /// Reads a recording, by the path that the history names.
    ///
    /// # Errors
    ///
    /// As [`Reading::open`]; `NotFound` when that path leads elsewhere.
    pub fn open(&self, file: &str) -> io::Result<Reading> {
        let path = self.path(file).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Reading::open(&path, self.config.key.as_ref())
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        drop(self.commands.lock().unwrap_or_else(PoisonError::into_inner).take());
        for thread in self.threads.drain(..) {
            let _ = thread.join(); // a panic in it was told by the log
        }
    }
}

/// Makes a directory that only we may read.
fn make_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// What an error of the disk means.
fn trouble_of(error: &io::Error) -> Trouble {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Trouble::DiskFull,
        _ => Trouble::Disk,
    }
}

/// Bytes that we may still write on the disk of a directory.
///
/// # Errors
///
/// The system's.
pub fn free_bytes(directory: &Path) -> io::Result<u64> {
    let room = rustix::fs::statvfs(directory)?;
    Ok(room.f_bavail.saturating_mul(room.f_frsize))
}
