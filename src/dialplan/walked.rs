//! What a walk through a plan found: the steps of a call's way and where it leads. Plain values; `walk` finds
//! them, `walk_text` says them.

use super::hours::ClosedWhy;
use super::plan::{FeatureCode, Strategy};
use crate::base::{
    AdHoc, AgentId, BoxId, CallbackId, EntryId, GroupId, Language, MenuId, Number, PromptId,
};
use chrono::DateTime;
use chrono_tz::Tz;
use std::sync::Arc;
use std::time::Duration;

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    /// The time in the plan's zone.
    pub at: DateTime<Tz>,
    /// Whether the call would enter the contract's figures.
    pub counted: bool,
    /// What happens until the way is clear.
    pub steps: Vec<Step>,
    /// Where it leads.
    pub end: End,
}

/// One step of the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A desk number was dialled.
    Desk {
        /// It.
        number: Number,
        /// Its name.
        name: String,
        /// Calls that it takes at once.
        lines: u32,
    },
    /// A person has closed or opened it out of turn.
    AdHoc {
        /// To what.
        to: AdHoc,
    },
    /// It has no hours.
    AlwaysOpen,
    /// It is inside its hours.
    Open {
        /// Which hours.
        hours: Arc<str>,
    },
    /// It is outside its hours.
    Closed {
        /// Which hours.
        hours: Arc<str>,
        /// Why.
        why: ClosedWhy,
        /// When it opens next, if it does in the next 400 days.
        next: Option<DateTime<Tz>>,
    },
    /// The call is recorded, or may be, once an agent answers.
    Recorded {
        /// Without anybody's wish.
        always: bool,
        /// What the caller is told before.
        announcement: Option<PromptId>,
    },
    /// The attendant speaks.
    Menu {
        /// Which menu.
        menu: MenuId,
        /// What is told, in order.
        says: Vec<PromptId>,
    },
    /// A key that leads somewhere.
    Key {
        /// In which menu.
        menu: MenuId,
        /// Which.
        key: char,
    },
    /// A key that leads nowhere.
    WrongKey {
        /// In which menu.
        menu: MenuId,
        /// Which.
        key: char,
    },
    /// No key in time.
    NoKey {
        /// In which menu.
        menu: MenuId,
        /// How long was waited after the greeting.
        waited: Duration,
    },
    /// An extension or a group's number is dialled.
    Dialled {
        /// In which menu.
        menu: MenuId,
        /// Which.
        number: Number,
    },
    /// The caller hears another language from here on.
    Language {
        /// Which.
        language: Language,
    },
    /// A number is asked for.
    Entry {
        /// Which.
        entry: EntryId,
        /// What is told, in order.
        says: Vec<PromptId>,
    },
    /// It is entered.
    Entered {
        /// Which.
        entry: EntryId,
        /// What.
        digits: String,
    },
    /// What was entered is too short, or is taken back.
    EntryRefused {
        /// Which.
        entry: EntryId,
        /// What.
        digits: String,
    },
    /// The entry gives up and goes on.
    EntryOver {
        /// Which.
        entry: EntryId,
        /// How often it was asked.
        tries: u32,
    },
    /// The menu gives up and goes on.
    TriesOver {
        /// Which menu.
        menu: MenuId,
        /// How often the greeting was told.
        tries: u32,
    },
}

/// How a call that reaches no operator would be counted (the words of the service levels).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// 自動応答完了.
    MenuServed,
    /// 時間外.
    Closed,
    /// 輻輳拒否.
    Blocked,
}

impl Expected {
    /// The outcome's name in the history.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MenuServed => "menu_served",
            Self::Closed => "closed",
            Self::Blocked => "blocked",
        }
    }
}

/// Where a way leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// To a group's agents.
    Group(Box<GroupWay>),
    /// To one phone.
    Phone {
        /// Whose.
        agent: AgentId,
        /// The agent's name.
        name: String,
        /// How long it rings.
        ring: Duration,
    },
    /// Hears an announcement and is released.
    Told {
        /// Which.
        prompt: PromptId,
        /// Counted so.
        outcome: Expected,
    },
    /// Leaves a voice message; `message_taken` when it is one.
    Message {
        /// In which box.
        mailbox: BoxId,
        /// Told before the beep.
        prompt: PromptId,
        /// How long it may be.
        longest: Duration,
    },
    /// Asks to be called back; `message_taken` when the wish is kept.
    Callback {
        /// By which way.
        callback: CallbackId,
        /// Told first.
        prompt: PromptId,
        /// By whose agents.
        group: GroupId,
    },
    /// Refused.
    Refused {
        /// SIP status.
        status: u16,
        /// Counted so.
        outcome: Expected,
    },
    /// Went through too many menus and is released.
    TooManyMenus,
    /// An agent's feature code.
    Code {
        /// Which.
        code: FeatureCode,
        /// Whose; none when the caller is no agent, who is refused.
        agent: Option<AgentId>,
        /// Told to the agent when it is obeyed.
        done: PromptId,
    },
    /// A parking lot's number.
    Lot {
        /// Its name.
        name: String,
        /// The slot that is chosen first.
        first: Number,
        /// Told then.
        said: PromptId,
    },
    /// One slot of a parking lot.
    Slot {
        /// Its number.
        slot: Number,
        /// The lot's name.
        name: String,
        /// Told when nobody is parked there.
        empty: PromptId,
    },
    /// The number means nothing to this caller: 404.
    Nothing,
}

/// What happens in a group in the two plainest cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupWay {
    /// Which group.
    pub group: GroupId,
    /// Its name.
    pub name: String,
    /// How agents are chosen.
    pub strategy: Strategy,
    /// What whoever picks up hears alone before the caller.
    pub tells_agent: Option<PromptId>,
    /// Whether the caller was answered before (by a menu, or because the plan says so).
    pub answered: bool,
    /// Everybody is signed in and free, and nobody picks up: who is rung, in order. With
    /// `longest_idle` the agents are taken as idle since the plan's order.
    pub offers: Vec<Offer>,
    /// There are more offers than are named.
    pub more: bool,
    /// When nobody is left to ring and the caller is queued; none when the longest wait ends first.
    pub queued_after: Option<Duration>,
    /// Nobody is free from the start: what the caller hears and when.
    pub waiting: Waiting,
}

/// Agents rung at the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// After asking for an operator.
    pub from: Duration,
    /// After asking for an operator.
    pub until: Duration,
    /// Whom.
    pub agents: Vec<(AgentId, String)>,
}

/// What a caller hears who waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// At once, when this many others wait already: told `full` and released.
    pub max_waiting: u32,
    /// Told first.
    pub busy: PromptId,
    /// Then, in a loop.
    pub music: PromptId,
    /// Told between the music: the first position's prompt and the comfort message.
    pub between: Vec<PromptId>,
    /// How often, counted from the music's beginning.
    pub every: Duration,
    /// When the wait ends.
    pub max_wait: Duration,
    /// Told before the release of one who waited too long.
    pub waited: PromptId,
    /// Told before the release of one who found the queue full.
    pub full: PromptId,
    /// When the number closes before the longest wait ends, and who waits is then told so: after how
    /// long, and what.
    pub closing: Option<(Duration, PromptId)>,
    /// Keys that lead to a message or to a call back.
    pub keys: Vec<char>,
}
