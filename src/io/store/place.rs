//! Where a history that is only read lies: in a file, or in the site's store. Both answer the same.

use super::read::{self, Raw, ReadError};
use super::site::{self, SiteHistory};
use crate::base::CallId;
use crate::event::Entry;
use std::fmt;
use std::path::PathBuf;

/// Where a history lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A store's file, which a daemon may be writing.
    File(PathBuf),
    /// A desk's history in the site's store.
    Site(SiteHistory),
}

impl fmt::Display for Place {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(to, "{}", path.display()),
            Self::Site(whose) => write!(to, "{}", whose.address),
        }
    }
}

impl Place {
    /// The history's hash after an entry, hexadecimal, read from a place that nobody need have opened; none
    /// when it has no such entry, or was never opened by a version that hashes. Waits for disk or network.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub fn hash_after(&self, seq: u64) -> Result<Option<String>, ReadError> {
        match self {
            Self::File(path) => read::hash_after(path, seq),
            Self::Site(whose) => Ok(site::blocking(site::hash_after(whose, seq))?),
        }
    }

    /// The entries of one call in order, at most [`LADDER_BOUND`](super::LADDER_BOUND). Waits for disk or
    /// network; not for a runtime.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub fn ladder(&self, call: CallId) -> Result<Vec<Entry>, ReadError> {
        match self {
            Self::File(path) => read::ladder(path, call),
            Self::Site(whose) => {
                let rows = site::blocking(site::ladder(whose, call))?;
                rows.iter().map(Raw::decode).collect()
            }
        }
    }
}
