//! Ticket systems: one trait, and what each system makes of it.
//!
//! Whoever feeds one looks for the ticket before opening it, and for the addition before adding it, so that a
//! try that succeeded unseen (a broken connection, a killed daemon) is found. Each call here is one try.

use super::{Failed, NoWay};
use crate::base::{CallId, Private};
use crate::event::Unfed;
use crate::feed::{Addition, NewTicket, OpenTicket, SeenTicket, Value};
use http::Uri;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;
use tokio_rustls::rustls::pki_types::CertificateDer;

/// All of one question to a ticket system: some answer in half a minute.
pub const PATIENCE: Duration = Duration::from_secs(75);

/// One try, on its way.
pub type Asked<'a, T> = Pin<Box<dyn Future<Output = Result<T, Unable>> + Send + 'a>>;

/// Why a try failed.
#[derive(Debug, thiserror::Error)]
pub enum Unable {
    /// No answer, or a refusal.
    #[error(transparent)]
    Failed(#[from] Failed),
    /// The answer is not what the system's documentation promises. No text of the answer's is in it.
    #[error("the answer is not understood: {what}")]
    Garbled {
        /// What was due.
        what: &'static str,
    },
    /// The ticket is not there any more.
    #[error("there is no ticket {ticket}")]
    NoTicket {
        /// Its name there.
        ticket: String,
    },
    /// The folder cannot be read or written.
    #[error("{}: {error}", path.display())]
    Disk {
        /// Which file or folder.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The system is not as the configuration says: a field or a project that is not there.
    #[error("{what}; mend it in [tickets] or in the ticket system")]
    Misconfigured {
        /// What was found, and what was due.
        what: String,
    },
}

impl Unable {
    /// As the history has it.
    #[must_use]
    pub const fn unfed(&self) -> Unfed {
        match self {
            Self::Failed(Failed::Unreachable { .. }) => Unfed::Unreachable,
            Self::Failed(Failed::CutOff { .. }) => Unfed::CutOff,
            Self::Failed(Failed::TimedOut { .. }) => Unfed::TimedOut,
            Self::Failed(Failed::Refused { status, .. }) => Unfed::Refused { status: *status },
            // A person mends it; meanwhile nothing is lost.
            Self::Misconfigured { .. } | Self::Garbled { .. } => Unfed::Garbled,
            Self::NoTicket { .. } => Unfed::NoTicket,
            Self::Disk { .. } => Unfed::Disk,
        }
    }

    /// When the system wants to be asked again.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Failed(failed) => failed.retry_after(),
            _ => None,
        }
    }
}

/// A place in what a system tells of changes: where the next look goes on. Empty: from the beginning.
pub type Cursor = String;

/// What changed at a system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Tickets in the order in which they changed, some of them perhaps told before.
    pub tickets: Vec<SeenTicket>,
    /// Where the next look goes on.
    pub cursor: Cursor,
    /// Whether there is more already.
    pub more: bool,
}

/// A ticket system. What a system cannot do says so by its default.
pub trait TicketSink: Send + Sync {
    /// Looks whether it is there and is as the configuration says. Changes nothing.
    fn probe(&self) -> Asked<'_, ()>;

    /// Tickets of a call, the oldest first: none, one, or more after a fault of theirs. A system that cannot
    /// look tells none, and knows a repetition by [`NewTicket::key`].
    fn find(&self, call: CallId) -> Asked<'_, Vec<String>>;

    /// Opens a ticket; its name there, at most 64 characters.
    fn create<'a>(&'a self, ticket: &'a NewTicket) -> Asked<'a, String>;

    /// Whether something of this key was added to a ticket before.
    fn holds<'a>(&'a self, ticket: &'a str, key: &'a str) -> Asked<'a, bool>;

    /// Adds to a ticket. What has no text and no value that a field is for is done without being asked for.
    fn append<'a>(&'a self, ticket: &'a str, addition: &'a Addition) -> Asked<'a, ()>;

    /// What changed since the last look; none when the system does not tell.
    fn changed<'a>(&'a self, since: &'a Cursor) -> Option<Asked<'a, Changed>> {
        let _ = since;
        None
    }

    /// Open tickets of a caller's number, 10 at most; none when the system does not tell.
    fn open_of<'a>(&'a self, number: &'a str) -> Option<Asked<'a, Vec<OpenTicket>>> {
        let _ = number;
        None
    }
}

/// What is common to all systems over HTTP.
#[derive(Clone, Debug)]
pub struct SystemAt {
    /// Where it is; its path is before all that is asked for.
    pub url: Uri,
    /// Its key, token or secret.
    pub key: Private<String>,
    /// Whether it may be on this machine or in a private network.
    pub private: bool,
    /// Authorities that its certificate may be signed by; none: those of the machine.
    pub authorities: Vec<CertificateDer<'static>>,
}

/// Which of a system's fields hold what is read back, by the system's own names of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadBack {
    /// When it was escalated: `2026-11-26T09:30:00+09:00` or `2026-11-26 09:30` in the desk's zone, several
    /// with `;` between.
    pub escalated_at: Option<String>,
    /// When that was answered, as many.
    pub escalation_answered_at: Option<String>,
    /// To whom, as many: `system_builder` (システム構築業者) or `other` (その他).
    pub escalated_to: Option<String>,
    /// The first progress report.
    pub reported_at: Option<String>,
    /// Technical by nature: `yes`, `1` or はい.
    pub technical: Option<String>,
    /// Reasons of exclusion as in docs/TICKETS.md, `;` between.
    pub exclusions: Option<String>,
}

/// Redmine.
#[derive(Clone, Debug)]
pub struct RedmineConfig {
    /// Where, and the API key.
    pub at: SystemAt,
    /// The project's identifier.
    pub project: String,
    /// The tracker's id; none: the project's first.
    pub tracker: Option<u64>,
    /// The priority's id; none: the default.
    pub priority: Option<u64>,
    /// Which custom field, by its id, holds which value. [`Value::Call`] is always among them.
    pub fields: BTreeMap<Value, u64>,
    /// Custom fields, by their ids in digits, that are read back.
    pub read: ReadBack,
    /// The desk's zone, for times without one.
    pub zone: chrono_tz::Tz,
}

/// Request Tracker.
#[derive(Clone, Debug)]
pub struct RtConfig {
    /// Where (without `/REST/2.0`), and the token.
    pub at: SystemAt,
    /// The queue's name.
    pub queue: String,
    /// Which custom field, by its name, holds which value. [`Value::Call`] is always among them.
    pub fields: BTreeMap<Value, String>,
    /// Custom fields, by their names, that are read back.
    pub read: ReadBack,
    /// The desk's zone, for times without one.
    pub zone: chrono_tz::Tz,
}

/// Zammad.
#[derive(Clone, Debug)]
pub struct ZammadConfig {
    /// Where, and the token.
    pub at: SystemAt,
    /// The group that tickets go to.
    pub group: String,
    /// Whose customer a ticket is: a login or mail address.
    pub customer: String,
    /// The secret end of the CTI push's address; none: calls are not pushed.
    pub cti: Option<Private<String>>,
    /// Which field of a ticket object, by its name, holds which value. [`Value::Call`] is always among them.
    pub fields: BTreeMap<Value, String>,
}

/// The site's own receiver of signed POSTs.
#[derive(Clone, Debug)]
pub struct WebhookTarget {
    /// Where, and the secret.
    pub at: SystemAt,
    /// The desk's name, CloudEvents' `source`.
    pub desk: String,
}

/// A folder that another program empties.
#[derive(Clone, Debug)]
pub struct FolderConfig {
    /// It must be there.
    pub path: PathBuf,
    /// Whether a file holds a line of JSON; otherwise a table of CSV with its heading.
    pub jsonl: bool,
}

/// Which system it is, with all that is needed to make it ready.
#[derive(Clone, Debug)]
pub enum SystemConfig {
    /// Redmine.
    Redmine(RedmineConfig),
    /// Request Tracker.
    Rt(RtConfig),
    /// Zammad.
    Zammad(ZammadConfig),
    /// The site's own receiver.
    Webhook(WebhookTarget),
    /// A folder.
    Folder(FolderConfig),
}

/// Makes a system ready; connects to nobody.
///
/// # Errors
///
/// [`NoWay`] when TLS takes none of the authorities.
pub fn sink(config: SystemConfig) -> Result<Box<dyn TicketSink>, NoWay> {
    match config {
        _ => todo!(),
    }
}
