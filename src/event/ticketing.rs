//! What the ticket systems (targets) were handed of calls, what they tell of their tickets, and the desk's own
//! ledger of incidents.

use super::Means;
use crate::base::{Private, Wall};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A step between the desk and one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FeedEvent {
    /// The target is configured, for the first time or with other rules: what is decided of calls from here
    /// on is handed to it by them.
    TargetSet {
        /// By outcome: `ticket`, `note`, `none`; and `note_within_ms`.
        rules: BTreeMap<String, String>,
    },
    /// The target is configured no more: what it has not got yet, it will not get.
    TargetGone,
    /// The target has a ticket of the call.
    TicketOpened {
        /// What was known of the call up to this entry stands in it.
        through: u64,
        /// The target's name of it, at most 64 characters.
        ticket: String,
        /// It was there already: an earlier try had succeeded unseen.
        found: bool,
        /// Tries since the daemon's last start, the one that succeeded included.
        tries: u32,
    },
    /// The ticket has what was due next.
    TicketAdded {
        /// The entry that made it due.
        step: u64,
        /// Tries since the daemon's last start.
        tries: u32,
    },
    /// What was due next is not tried any more, and waits for a person; so does what follows it in the same
    /// ticket.
    FeedGivenUp {
        /// The entry that made it due.
        step: u64,
        /// Tries since the daemon's last start.
        tries: u32,
        /// What the last try came to.
        why: Unfed,
    },
    /// A person wants it to be tried again.
    FeedRetried {
        /// Who.
        author: String,
        /// By what.
        by: Means,
    },
    /// A person wants the target to get no more of this call.
    FeedDiscarded {
        /// Why.
        reason: String,
        /// Who.
        author: String,
        /// By what.
        by: Means,
    },
    /// A person put other words in the place of those that were refused; it is tried again with them.
    FeedEdited {
        /// The ticket's subject; left as it is when the step opens none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subject: Option<Private<String>>,
        /// The ticket's or the addition's words.
        text: Private<String>,
        /// Who.
        author: String,
        /// By what.
        by: Means,
    },
    /// A person says which of the target's tickets is the call's: it was written there by hand.
    TicketAdopted {
        /// The target's name of it, at most 64 characters.
        ticket: String,
        /// Who.
        author: String,
        /// By what.
        by: Means,
    },
    /// The target tells how one of its tickets stands; the last word of it holds.
    TicketSeen {
        /// The target's name of it, at most 64 characters.
        ticket: String,
        /// How it stands.
        state: Box<TicketState>,
    },
    /// What the target told up to here is in the history.
    TicketsRead {
        /// Where the next look goes on: a mark of what is read and how, and the place in the target's own terms.
        cursor: String,
    },
}

/// Why a target has not got something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "snake_case", tag = "unfed")]
pub enum Unfed {
    /// Nobody took the connection.
    Unreachable,
    /// The connection broke before an answer.
    CutOff,
    /// There was no answer in time.
    TimedOut,
    /// The target said no.
    Refused {
        /// HTTP's status.
        status: u16,
    },
    /// The answer is not what the target's documentation promises.
    Garbled,
    /// The ticket that something was to be added to is not there.
    NoTicket,
    /// The folder could not be written.
    Disk,
}

/// How a ticket stands, as far as the contract's figures ask. Stamps are in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
pub struct TicketState {
    /// For a phone call, the arrival of the call.
    pub received_at: Wall,
    /// None: it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Wall>,
    /// Turns to the second line, 16 at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalations: Vec<TicketEscalation>,
    /// The first progress report to the caller (経過報告).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<Wall>,
    /// It needs technical support by nature.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub technical: bool,
    /// Why it is left out of figures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclusions: Vec<TicketExclusion>,
}

/// One turn to the second line (二次サポートへのエスカレーション).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
pub struct TicketEscalation {
    /// To whom.
    pub to: TicketEscalatedTo,
    /// When.
    pub at: Wall,
    /// When the desk had its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Wall>,
}

/// To whom a ticket is escalated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketEscalatedTo {
    /// システム構築業者.
    SystemBuilder,
    /// Anybody else.
    Other,
}

/// Why a ticket is left out of a figure that it would be in.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum TicketExclusion {
    /// ウイルス調査: out of No. 2.
    VirusInvestigation,
    /// ベンダー調査: out of No. 2.
    VendorInvestigation,
    /// 時間指定, the caller asked for a time: out of No. 4.
    CallerAskedForTime,
}

/// What a person writes into the desk's own ledger of incidents (インシデント台帳). Incidents of calls are in
/// it by themselves, from when the call is decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum IncidentEvent {
    /// Somebody turned to the desk by another way than a counted call.
    IncidentOpened {
        /// By which way.
        channel: Channel,
        /// In a few words, 1 to 200 characters.
        subject: Private<String>,
        /// How it stands.
        state: Box<TicketState>,
        /// Who wrote it.
        author: String,
        /// By what.
        by: Means,
    },
    /// How an incident stands is written anew, as a whole.
    IncidentChanged {
        /// Which: the entry that opened it, or by which its call was decided.
        incident: u64,
        /// In a few words; left as it is when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subject: Option<Private<String>>,
        /// The site's own kind of it; empty: none.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        category: String,
        /// How it stands.
        state: Box<TicketState>,
        /// Who wrote it.
        author: String,
        /// By what.
        by: Means,
    },
}

/// By which way somebody turned to the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// 電話.
    Phone,
    /// メール.
    Mail,
    /// A form on a page (Webフォーム).
    Web,
    /// At the counter (来訪).
    Visit,
}
