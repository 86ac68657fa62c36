//! Finds the file of a recording that somebody wants deleted, by its call and its number alone, and whether somebody
//! else wants it kept.

use crate::base::beside;
use crate::recording::command::RecordingId;
use crate::recording::name;
use std::io;
use std::path::{Path, PathBuf};

/// The file of a recording.
pub(super) struct Lies {
    pub(super) path: PathBuf,
    /// What the history calls it, or would.
    pub(super) called: String,
    /// It never became whole, or has not yet.
    pub(super) part: bool,
}

/// Where a recording lies.
///
/// # Errors
///
/// The system's, when a folder cannot be read: then nobody knows whether there is one.
pub(super) fn find(directory: &Path, id: RecordingId) -> io::Result<Option<Lies>> {
    // One that gets its own name while the names are read may be passed over under both.
    match look(directory, id)? {
        None => look(directory, id),
        found => Ok(found),
    }
}

/// That the folder of a recording's day is there, or was deleted with the last of its files, which grew too old: then
/// days that are younger are there.
///
/// # Errors
///
/// The system's, when it is not, or cannot be read.
pub(super) fn is_there(day: &Path, id: RecordingId, keep_days: Option<u32>) -> io::Result<()> {
    let Err(error) = std::fs::read_dir(day) else { return Ok(()) };
    let swept = error.kind() == io::ErrorKind::NotFound
        && keep_days.is_some_and(|days| name::expired(id.call, super::keeper::now(), days))
        && day.parent().is_some_and(|all| days(all).is_ok_and(|days| !days.is_empty()));
    if swept { Ok(()) } else { Err(error) }
}

/// Whether a recording is kept for ever, by the path that it has when it is whole. Who cannot look takes it for one. A
/// hold that was laid while it was being written counts, too.
#[must_use]
pub fn is_held(whole: &Path) -> bool {
    let is_there = |path: &Path| path.try_exists().unwrap_or(true);
    is_there(&beside(whole, name::HOLD))
        || is_there(&beside(&beside(whole, name::PART), name::HOLD))
}

fn look(directory: &Path, id: RecordingId) -> io::Result<Option<Lies>> {
    let mut days = days(directory)?;
    // Most are of the last days.
    days.sort_by(|one, other| other.cmp(one));
    for day in days {
        let files = match std::fs::read_dir(&day) {
            // The last of its files has just grown too old.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            files => files?,
        };
        for file in files {
            if let Some(lies) = is_it(&day, &file?, id) {
                return Ok(Some(lies));
            }
        }
    }
    Ok(None)
}

fn days(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut days = Vec::new();
    for day in std::fs::read_dir(directory)? {
        let day = day?;
        if day.file_name().to_str().is_some_and(name::is_day) {
            days.push(day.path());
        }
    }
    Ok(days)
}

fn is_it(day: &Path, file: &std::fs::DirEntry, id: RecordingId) -> Option<Lies> {
    let file_name = file.file_name();
    let named = name::read(file_name.to_str()?)?;
    let called = format!("{}/{}", day.file_name()?.to_str()?, file_name.to_str()?);
    let called = called.strip_suffix(name::PART).unwrap_or(&called).to_owned();
    let is_it = named.call == id.call && named.number == id.number;
    is_it.then(|| Lies { path: file.path(), called, part: named.part })
}
