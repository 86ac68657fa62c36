//! Finds the file of a recording that somebody wants deleted, by its call and its number alone.

use crate::recording::command::RecordingId;
use crate::recording::name;
use std::path::{Path, PathBuf};

/// Where a whole recording lies, and what the history calls it.
pub(super) fn find(directory: &Path, id: RecordingId) -> Option<(PathBuf, String)> {
    let mut days: Vec<PathBuf> = std::fs::read_dir(directory)
        .ok()?
        .flatten()
        .filter(|day| day.file_name().to_str().is_some_and(name::is_day))
        .map(|day| day.path())
        .collect();
    // Most are of the last days.
    days.sort_by(|one, other| other.cmp(one));
    days.into_iter().find_map(|day| {
        std::fs::read_dir(&day).ok()?.flatten().find_map(|file| {
            let file_name = file.file_name();
            let named = name::read(file_name.to_str()?)?;
            let is_it = named.call == id.call && named.number == id.number && !named.part;
            let called = format!("{}/{}", day.file_name()?.to_str()?, file_name.to_str()?);
            is_it.then(|| (file.path(), called))
        })
    })
}
