//! Whose what is made is: what root makes for the desk belongs to the desk's user, who has to open it.
//!
//! The desk's user is told by the folder: `/var/lib/madoguchi` is of `User=` of the unit.

use crate::base::folder_of;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, lchown};
use std::path::Path;

/// Gives what was made at `path` to whom the folder is that it lies in. Only root can give a file away: what another
/// makes stays its own. A link is given itself, never what it leads to.
///
/// # Errors
///
/// The system's.
pub fn give_to_the_folders_owner(path: &Path) -> io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let like = fs::metadata(folder_of(path))?;
    let made = fs::symlink_metadata(path)?;
    if (made.uid(), made.gid()) == (like.uid(), like.gid()) {
        return Ok(());
    }
    lchown(path, Some(like.uid()), Some(like.gid()))
}

/// Makes a folder, and those above it that are missing, which only their owner may read; each is given as
/// [`give_to_the_folders_owner`] does. What is there stays as it is.
///
/// # Errors
///
/// The system's.
pub fn make_folder(path: &Path) -> io::Result<()> {
    let missing = |part: &&Path| !part.as_os_str().is_empty() && !part.exists();
    let made: Vec<&Path> = path.ancestors().take_while(missing).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    made.into_iter().rev().try_for_each(give_to_the_folders_owner)
}
