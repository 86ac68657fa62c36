//! What ticket systems (targets) are handed of calls: a ticket and what is added to it, in the words and values
//! that a target's configuration asks for; and the pace in which one target is fed.
//!
//! What is due is a fold of the history (`view`), what a target is like is `io::deliver`'s, and who carries one
//! to the other is the daemon. Pure: the same entries make the same words.

// What a stranger sends cannot make us panic.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing,))]

mod due;
mod lane;
mod paper;
mod read_back;
mod sheet;
mod value;
mod words;

#[cfg(test)]
mod tests;

pub use due::{addition_for, ticket_for};
pub use lane::{After, BUSY_MOST, GIVE_UP_AFTER, Lane, LaneState, Tried};
pub use paper::{BY_HAND, PaperRow, paper_csv, paper_html};
pub use read_back::{Due, Field, MOST_ESCALATIONS, Misread, Told, read_back};
pub use sheet::{Sheet, Terms};
pub use value::Value;
pub use words::{BadTemplate, SUBJECT_BOUND, Template, addition, key, mark, new_ticket};

use crate::base::{CallId, Private, Wall};
use crate::event::TicketState;
use std::collections::BTreeMap;

/// What is known of a call, by name. A value that does not apply is not in it.
pub type Values = BTreeMap<Value, Private<String>>;

/// What a target is handed to open a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTicket {
    /// Of which call: no target has two tickets of one.
    pub call: CallId,
    /// The same for every try ([`key`]).
    pub key: String,
    /// What made it due happened then.
    pub at: Wall,
    /// One line, at most [`SUBJECT_BOUND`] characters.
    pub subject: Private<String>,
    /// Several lines; the last one holds the key.
    pub text: Private<String>,
    /// All that is known.
    pub values: Values,
}

/// What is added to a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addition {
    /// To the ticket of which call.
    pub call: CallId,
    /// The same for every try ([`key`]).
    pub key: String,
    /// What it is: `ended`, `note`, `wrap_up`, `called_back`, `later_call`.
    pub kind: &'static str,
    /// What made it due happened then.
    pub at: Wall,
    /// Words for people, the last line with the key; none when only values changed.
    pub text: Option<Private<String>>,
    /// All that is known now.
    pub values: Values,
}

/// A ticket as a target tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenTicket {
    /// The target's name of it.
    pub ticket: String,
    /// Of which call, if of one.
    pub call: Option<CallId>,
    /// How it stands.
    pub state: TicketState,
}

/// An open ticket of a person who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenTicket {
    /// The target's name of it.
    pub ticket: String,
    /// Its subject.
    pub subject: Private<String>,
    /// Where a person looks at it.
    pub url: Option<String>,
}
