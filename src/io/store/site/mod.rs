//! The site's store: a copy of the history in the site's PostgreSQL, for reports and for the day on which
//! the desk's own disk is lost.
//!
//! Owns the schema `madoguchi` of that database, and a thread that follows the journal: what is committed
//! there is copied in its order, each entry exactly once, and what is erased there is erased here. The
//! journal is the queue: while the database is away nothing waits in memory, no call notices, and the
//! copy goes on where it stood. Knows no rule and no figure, and never writes to the journal.

mod address;
mod copying;
mod journal;
mod reading;
mod schema;
mod state;
mod survey;

pub use address::{Address, Host, Tls};
pub use copying::{Copying, Followed};
pub use reading::SiteHistory;
pub(super) use reading::{Opened, blocks, hash_after, ladder, links, open};
pub use state::{SitePhase, SiteState};
pub(super) use survey::blocking;
pub use survey::{Agreement, HistoryRow, Survey, set_aside, survey};

/// Why the site's store cannot be used. Nothing of a person's is in the words.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// Nobody answers there, or no more.
    #[error("the site's store at {address} cannot be reached: {why}")]
    Away {
        /// Where.
        address: String,
        /// What was said.
        why: String,
    },
    /// The file with the password.
    #[error("the password of the site's store cannot be read from {file}: {why}")]
    Password {
        /// Which file.
        file: String,
        /// Why.
        why: String,
    },
    /// It answers, and says no.
    #[error("the site's store refused while {doing}: {why}")]
    Refused {
        /// What was being attempted.
        doing: &'static str,
        /// What the database said.
        why: String,
    },
    /// Written by a later version.
    #[error(
        "the site's store was made by a newer Madoguchi: its schema is version {found}, this program \
         knows versions up to {known}; start the newer program"
    )]
    Newer {
        /// The schema's version there.
        found: i64,
        /// The last version known here.
        known: i64,
    },
    /// Not yet made, or by an earlier version.
    #[error(
        "the site's store has no tables of version {due}, found {found}: a daemon that is configured \
         with it makes them"
    )]
    Older {
        /// The schema's version there, 0 for none.
        found: i64,
        /// The one that is read here.
        due: i64,
    },
    /// The copy went another way than the journal.
    #[error(
        "the site's store has another history than the journal from entry {seq} on: one of them was \
         brought back from a backup, see `madoguchi site` and docs/SITE.md"
    )]
    TwoHistories {
        /// The last entry there, which the journal has not, or with another hash.
        seq: i64,
    },
    /// The journal itself.
    #[error("reading the journal for the site's store: {0}")]
    Journal(#[source] sqlx::Error),
    /// An entry of the journal that is damaged.
    #[error(
        "entry {seq} of the journal is damaged and cannot be copied; `madoguchi verify` says more"
    )]
    Damaged {
        /// Which.
        seq: i64,
    },
    /// Several desks keep their history there, and none was named, or the named one does not.
    #[error("the site's store has no one history of {desk:?}; it has: {found}")]
    Which {
        /// The desk that was asked for.
        desk: String,
        /// Those that there are.
        found: String,
    },
    /// Somebody else wrote there in the same instant.
    #[error("another program has written to the site's store; what is there is looked at anew")]
    Raced,
    /// A thread or runtime could not be started.
    #[error("reading the site's store: {0}")]
    Io(#[from] std::io::Error),
}

impl SiteError {
    /// What came of a statement.
    fn of(address: &Address, doing: &'static str) -> impl Fn(sqlx::Error) -> Self {
        let address = address.to_string();
        move |error| match error {
            // The server is there: what it said of the statement.
            sqlx::Error::Database(said) if !is_shutdown(said.code().as_deref()) => {
                // The message names no value; the detail, which may, is left out.
                Self::Refused { doing, why: said.message().to_owned() }
            }
            other => Self::Away { address: address.clone(), why: other.to_string() },
        }
    }

    /// Whether only a person can mend it: trying again soon would change nothing.
    fn is_lasting(&self) -> bool {
        match self {
            Self::Away { .. } | Self::Raced | Self::Journal(_) | Self::Io(_) => false,
            Self::Password { .. }
            | Self::Refused { .. }
            | Self::Newer { .. }
            | Self::Older { .. }
            | Self::TwoHistories { .. }
            | Self::Damaged { .. }
            | Self::Which { .. } => true,
        }
    }
}

/// The server ends or begins (class 57P, 58), or has no room for another connection (53).
fn is_shutdown(code: Option<&str>) -> bool {
    code.is_some_and(|code| ["57P", "58", "53"].iter().any(|class| code.starts_with(class)))
}
