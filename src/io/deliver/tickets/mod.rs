//! Ticket systems: one trait, and what each system makes of it.
//!
//! Whoever feeds one looks for the ticket before opening it, and for the addition before adding it, so that a
//! try that succeeded unseen (a broken connection, a killed daemon) is found. Each call here is one try.

mod cti;
mod folder;
mod redmine;
mod rt;
mod walk;
mod way;
mod webhook;
mod zammad;

pub use folder::FolderConfig;
pub use redmine::RedmineConfig;
pub use rt::RtConfig;
pub use way::SystemAt;
pub use webhook::WebhookTarget;
pub use zammad::ZammadConfig;

use super::{Failed, NoWay};
use crate::base::{CallId, Wall};
use crate::event::Unfed;
use crate::feed::{Addition, Misread, NewTicket, OpenTicket, SeenTicket, Told, mark};
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

/// All of one question to a ticket system: some answer in half a minute.
pub const PATIENCE: Duration = Duration::from_secs(75);
/// Problems that are told of one look at changes; the others are told when these are mended.
pub const MOST_PROBLEMS: usize = 50;
/// Open tickets of one number that are told.
const MOST_OPEN: usize = 10;
/// Characters of a ticket's name.
const NAME_BOUND: usize = 64;

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
            Self::Misconfigured { .. }
            | Self::Garbled { .. }
            | Self::Failed(Failed::TooLong { .. }) => Unfed::Garbled,
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

    /// The status of a refusal.
    const fn status(&self) -> Option<u16> {
        match self {
            Self::Failed(Failed::Refused { status, .. }) => Some(*status),
            _ => None,
        }
    }

    /// Behind a question about a ticket, where 404 says that it is not there.
    fn about(self, ticket: &str) -> Self {
        if self.status() == Some(404) { Self::NoTicket { ticket: named(ticket) } } else { self }
    }
}

/// A ticket's name within its bound: a person may have given it.
fn named(ticket: &str) -> String {
    ticket.chars().filter(|c| !c.is_control()).take(NAME_BOUND).collect()
}

/// A place in what a system tells of changes: where the next look goes on. Empty: from the beginning.
pub type Cursor = String;

/// What changed at a system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Tickets as they stand now, in no particular order, some of them perhaps told before.
    pub tickets: Vec<SeenTicket>,
    /// Tickets that were left out, and why: [`MOST_PROBLEMS`] at most. They are told when they are mended.
    pub problems: Vec<LeftOut>,
    /// Where the next look goes on.
    pub cursor: Cursor,
    /// Whether there is more already.
    pub more: bool,
}

impl Changed {
    /// A ticket as it was read: told, or left out with its problems.
    fn seen(&mut self, ticket: String, call: Option<CallId>, told: &Told, zone: chrono_tz::Tz) {
        match crate::feed::read_back(told, zone) {
            Ok(state) => self.tickets.push(SeenTicket { ticket, call, state }),
            Err(wrong) => {
                let room = MOST_PROBLEMS.saturating_sub(self.problems.len());
                let each = wrong.into_iter().take(room);
                let each = each.map(|misread| LeftOut { ticket: ticket.clone(), misread });
                self.problems.extend(each);
            }
        }
    }
}

/// What is not understood of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The system's name of it.
    pub ticket: String,
    /// Which field, and what is due.
    pub misread: Misread,
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

impl ReadBack {
    /// The fields that are read.
    fn names(&self) -> impl Iterator<Item = &str> {
        let all = [
            &self.escalated_at,
            &self.escalation_answered_at,
            &self.escalated_to,
            &self.reported_at,
            &self.technical,
            &self.exclusions,
        ];
        all.into_iter().filter_map(Option::as_deref)
    }

    /// What the fields of a ticket say. `of` is a field's text by its name.
    fn told(&self, created_at: Wall, of: impl Fn(&str) -> Option<String>) -> Told {
        let text = |name: &Option<String>| name.as_deref().and_then(&of).unwrap_or_default();
        Told {
            created_at,
            escalated_at: text(&self.escalated_at),
            escalation_answered_at: text(&self.escalation_answered_at),
            escalated_to: text(&self.escalated_to),
            reported_at: text(&self.reported_at),
            technical: text(&self.technical),
            exclusions: text(&self.exclusions),
            ..Told::default()
        }
    }
}

/// An id that no call has: a system that finds something by it does not filter.
fn unheard_of() -> CallId {
    let mut bytes = [0; 16];
    // Without random numbers it is the nil UUID (RFC 9562 §5.9), which no call has either.
    let _ = getrandom::fill(&mut bytes);
    CallId(uuid::Uuid::from_bytes(bytes))
}

/// A subject of at most so many characters; no system takes an empty one.
fn subject(ticket: &NewTicket, most: usize) -> String {
    let subject: String = ticket.subject.reveal().chars().take(most).collect();
    if subject.trim().is_empty() { ticket.call.to_string() } else { subject }
}

/// Whether a number can be looked for: digits, signs of a keypad, or a plus before them. A caller without a
/// number has no tickets of his own.
fn is_number(number: &str) -> bool {
    let rest = number.strip_prefix('+').unwrap_or(number);
    (1..=32).contains(&rest.len())
        && rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'*' || byte == b'#')
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
    sink_within(config, PATIENCE)
}

/// The same with another bound on the time of one question.
///
/// # Errors
///
/// [`NoWay`] when TLS takes none of the authorities.
pub fn sink_within(config: SystemConfig, patience: Duration) -> Result<Box<dyn TicketSink>, NoWay> {
    Ok(match config {
        SystemConfig::Redmine(config) => Box::new(redmine::Redmine::new(config, patience)?),
        SystemConfig::Rt(config) => Box::new(rt::Rt::new(config, patience)?),
        SystemConfig::Zammad(config) => Box::new(zammad::Zammad::new(config, patience)?),
        SystemConfig::Webhook(config) => Box::new(webhook::Receiver::new(config, patience)?),
        SystemConfig::Folder(config) => Box::new(folder::Folder::new(config)),
    })
}
