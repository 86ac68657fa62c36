//! Where a history that is only read lies: in a file, or in the site's store. Both answer the same.

use super::read::{self, ReadError};
use super::site::{self, SiteHistory};
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
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(ReadError::Thread)?.block_on(async {
            match self {
                Self::File(path) => read::hash_after(path, seq).await,
                Self::Site(whose) => Ok(site::hash_after(whose, seq).await?),
            }
        })
    }
}
