//! The keeper thread: brings ended files onto the disk, tells their sums, mends what a dead run left, and
//! deletes what is too old.

use super::erasing::is_held;
use super::file::Ended;
use super::reading::Reading;
use super::{RecorderConfig, Shared, trouble_of};
use crate::base::Wall;
use crate::recording::Format;
use crate::recording::command::{Kept, Notice, RecordingId, Trouble};
use crate::recording::name::{self, Named};
use crate::recording::{opus, vault, wav};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How often old recordings are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(60 * 60);
/// Read at once while a sum is made.
const READ_BYTES: usize = 256 * 1024;

/// Of the recordings that the history says were begun and not kept.
#[derive(Default)]
pub(super) struct Known {
    /// Those that are whole.
    whole: Vec<(PathBuf, Named)>,
    /// Those of which there is no file.
    lost: BTreeSet<RecordingId>,
    /// Those that are to be ended.
    open: BTreeSet<RecordingId>,
}

/// See the module.
pub(super) struct Keeper<N> {
    pub(super) config: Arc<RecorderConfig>,
    pub(super) shared: Arc<Shared>,
    pub(super) notices: N,
}

impl<N: Fn(Notice)> Keeper<N> {
    /// Works until the writer has ended.
    pub(super) fn run(
        &mut self,
        torn: Vec<(PathBuf, Named)>,
        Known { whole, lost, open }: Known,
        ended: &Receiver<Ended>,
    ) {
        self.mend(torn, &open);
        for (path, named) in whole {
            self.tell_again(&path, named);
        }
        for id in lost {
            (self.notices)(Notice::Failed { id, why: Trouble::Lost });
        }
        loop {
            self.sweep();
            let swept = Instant::now();
            loop {
                let wait = SWEEP_EVERY.saturating_sub(swept.elapsed());
                match ended.recv_timeout(wait) {
                    Ok(ended) => {
                        self.keep(ended);
                        self.shared.ending.fetch_sub(1, Ordering::Relaxed);
                    }
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        }
    }

    /// Brings a file onto the disk under its own name.
    fn keep(&self, ended: Ended) {
        let Ended { id, mut file, part, name, length_ms, dropped, late } = ended;
        let sum = sum(&mut file);
        // Held till all is told: who wants it deleted finds it either not whole yet, or whole and told.
        let mut doomed = self.shared.doomed();
        let whole = self.config.directory.join(&name);
        if doomed.remove(&id) && !is_held(&whole) {
            match std::fs::remove_file(&part) {
                Ok(()) => {
                    self.shared.deleted.fetch_add(1, Ordering::Relaxed);
                    return (self.notices)(Notice::Deleted { id, file: name });
                }
                // It was whole, and was deleted where that was asked for.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return,
                Err(error) => {
                    tracing::error!(%error, file = %part.display(), "a recording cannot be deleted");
                }
            }
        }
        let kept = sum.and_then(|sum| name_it(&part, &whole).map(|()| sum));
        match kept {
            Ok((bytes, sha256)) => {
                self.shared.kept.fetch_add(1, Ordering::Relaxed);
                let kept = Kept { file: name, length_ms, bytes, sha256, dropped, late };
                (self.notices)(Notice::Kept { id, kept });
            }
            Err(error) => {
                tracing::error!(%error, file = %part.display(), "a recording cannot be ended; the next start tries again");
                let why = trouble_of(&error);
                self.shared.set(Some(why));
                self.shared.failed.fetch_add(1, Ordering::Relaxed);
                (self.notices)(Notice::Failed { id, why });
            }
        }
    }

    /// The files that a dead run was writing.
    pub(super) fn torn(&self) -> Vec<(PathBuf, Named)> {
        self.files().into_iter().filter(|(_, named)| named.part).collect()
    }

    /// What there is of the recordings that the history says were begun and not kept.
    pub(super) fn known(
        &self,
        torn: &[(PathBuf, Named)],
        mut unkept: BTreeSet<RecordingId>,
    ) -> Known {
        let mut known = Known::default();
        known.open.extend(torn.iter().map(|(_, named)| id(*named)).filter(|id| unkept.remove(id)));
        if !unkept.is_empty() {
            known.whole = self.files();
            known.whole.retain(|(_, named)| !named.part && unkept.remove(&id(*named)));
        }
        Known { lost: unkept, ..known }
    }

    /// A file that was ended by a run that died before the history knew.
    fn tell_again(&self, path: &Path, named: Named) {
        let (id, name) = (id(named), self.name_of(path));
        match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => {
                let length_ms = length_ms(path, named, &self.config).unwrap_or(0);
                let (part, dropped, late) = (path.to_owned(), 0, 0);
                self.keep(Ended { id, file, part, name, length_ms, dropped, late });
            }
            Err(error) => {
                (self.notices)(Notice::Failed { id, why: trouble_of(&error) });
            }
        }
    }

    fn mend(&self, torn: Vec<(PathBuf, Named)>, open: &BTreeSet<RecordingId>) {
        for (path, named) in torn {
            let id = id(named);
            match mend(&path, named, &self.config) {
                Ok((file, length_ms)) => {
                    let part = self.name_of(&path);
                    let name = part.strip_suffix(name::PART).unwrap_or(&part).to_owned();
                    tracing::info!(file = name, "a recording that was cut off was ended");
                    let (dropped, late) = (0, 0);
                    self.keep(Ended { id, file, part: path, name, length_ms, dropped, late });
                }
                Err(error) => {
                    tracing::warn!(%error, file = %path.display(), "a recording that was cut off cannot be ended");
                    // It has an end in the history, which a later start may take back: where a key was missing.
                    if open.contains(&id) {
                        (self.notices)(Notice::Failed { id, why: Trouble::Lost });
                    }
                }
            }
        }
    }

    /// Deletes what is too old and not held.
    fn sweep(&self) {
        let Some(days) = self.config.keep_days else { return };
        let now = now();
        for (path, named) in self.files() {
            if named.part || !name::expired(named.call, now, days) || is_held(&path) {
                continue;
            }
            match std::fs::remove_file(&path) {
                Ok(()) => {
                    self.shared.deleted.fetch_add(1, Ordering::Relaxed);
                    (self.notices)(Notice::Deleted { id: id(named), file: self.name_of(&path) });
                }
                Err(error) => {
                    tracing::warn!(%error, file = %path.display(), "an old recording cannot be deleted");
                }
            }
            // Fails while anything is left in it.
            let _ = path.parent().map(std::fs::remove_dir);
        }
    }

    /// What the history calls a file of ours.
    fn name_of(&self, path: &Path) -> String {
        path.strip_prefix(&self.config.directory).unwrap_or(path).display().to_string()
    }

    /// All recordings, in the directories of days.
    fn files(&self) -> Vec<(PathBuf, Named)> {
        let entries = |path: &Path| std::fs::read_dir(path).into_iter().flatten().flatten();
        let mut found = Vec::new();
        for day in entries(&self.config.directory) {
            if !day.file_name().to_str().is_some_and(name::is_day) {
                continue;
            }
            for file in entries(&day.path()) {
                if let Some(named) = file.file_name().to_str().and_then(name::read) {
                    found.push((file.path(), named));
                }
            }
        }
        found
    }
}

/// By the machine's clock.
pub(super) fn now() -> Wall {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Wall(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

const fn id(named: Named) -> RecordingId {
    RecordingId { call: named.call, number: named.number }
}

/// The file onto the disk; tells its length and its sum.
fn sum(file: &mut File) -> io::Result<(u64, String)> {
    file.sync_all()?;
    file.seek(SeekFrom::Start(0))?;
    let (mut sum, mut bytes, mut block) = (Sha256::new(), 0_u64, vec![0; READ_BYTES]);
    loop {
        let count = file.read(&mut block)?;
        if count == 0 {
            break;
        }
        sum.update(block.get(..count).unwrap_or_default());
        bytes = bytes.saturating_add(u64::try_from(count).unwrap_or(0));
    }
    Ok((bytes, crate::base::hex(&sum.finalize())))
}

/// Gives a file that is on the disk its own name, there too.
fn name_it(part: &Path, whole: &Path) -> io::Result<()> {
    std::fs::rename(part, whole)?;
    match whole.parent() {
        Some(day) => File::open(day)?.sync_all(),
        None => Ok(()),
    }
}

/// Makes a whole file of one whose writer died; tells how long its sound is.
fn mend(path: &Path, named: Named, config: &RecorderConfig) -> io::Result<(File, u64)> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let bytes = file.metadata()?.len();
    let refused = |what| io::Error::new(io::ErrorKind::InvalidData, what);
    if named.sealed {
        let key =
            config.key.as_ref().ok_or_else(|| refused("it is sealed, and there is no key"))?;
        let mut header = [0; vault::HEADER_BYTES];
        file.read_exact_at(&mut header, 0)?;
        let (kept, end) =
            vault::mended(key, &header, bytes).ok_or_else(|| refused("it is no recording"))?;
        file.set_len(kept)?;
        file.write_all_at(&end, kept)?;
        return Ok((file, length_ms(path, named, config).unwrap_or(0)));
    }
    match named.format {
        Format::Wav => {
            let mut header = [0; wav::HEADER_BYTES];
            file.read_exact_at(&mut header, 0)?;
            let mended =
                wav::mended(&header, bytes).ok_or_else(|| refused("it is no recording"))?;
            file.write_all_at(&mended.header, 0)?;
            file.set_len(mended.data.saturating_add(wav::HEADER_BYTES as u64))?;
            Ok((file, mended.length_ms))
        }
        Format::Opus => {
            // A page that was not written to its end is lost.
            let whole = std::fs::read(path)?;
            let (kept, granule) = opus::whole_pages(&whole);
            let granule = granule.ok_or_else(|| refused("it is no recording"))?;
            file.set_len(u64::try_from(kept).unwrap_or(0))?;
            Ok((file, opus::length_ms(&whole, granule).unwrap_or(0)))
        }
    }
}

/// How long the sound of a whole file is: of WAV by its beginning, of Opus by its pages, of whom all must
/// be read (at a start only, and an hour is 29 MB).
fn length_ms(path: &Path, named: Named, config: &RecorderConfig) -> Option<u64> {
    let mut pieces = Reading::open(path, config.key.as_ref()).ok()?;
    match named.format {
        Format::Wav => {
            let bytes = pieces.bytes();
            Some(wav::mended(&pieces.next()?.ok()?, bytes)?.length_ms)
        }
        Format::Opus => {
            let whole = pieces.filter_map(Result::ok).collect::<Vec<_>>().concat();
            let (_, granule) = opus::whole_pages(&whole);
            opus::length_ms(&whole, granule?)
        }
    }
}
