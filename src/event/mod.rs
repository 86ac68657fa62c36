//! The one history: what happened to calls, agents and the desk, in the order it was decided.
//!
//! Every figure, page, metric, ticket and report is a fold over these entries (`view`), and a restart
//! is their replay. The room knows no rule, no SIP and no store; it only names facts. Entries are
//! written as JSON and are read for ever: a field may be added with a default, none is renamed or
//! removed, and a new meaning is a new variant.

mod sound;

pub use sound::{SoundEvent, SoundFault};

use crate::base::{
    AgentId, CallId, GroupId, MenuId, Number, Private, PromptId, Reason, TrunkId, Wall,
};
use serde::{Deserialize, Serialize};

/// The version of the shapes below, written into every stored entry.
pub const VERSION: u16 = 1;

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Position in the journal, from 1, without holes.
    pub seq: u64,
    /// When it was decided, by the wall clock; for stamps only.
    pub at: Wall,
    /// What happened.
    #[serde(flatten)]
    pub fact: Fact,
}

/// What an entry speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Fact {
    /// A step in one call's life.
    Call {
        /// Which call.
        call: CallId,
        /// Milliseconds since the call arrived, by the monotonic clock: durations are computed from
        /// this and are right even when the wall clock jumps.
        t_ms: u64,
        /// The step.
        event: CallEvent,
    },
    /// A step in the life of a call that one of our phones placed to a number outside or to a phone
    /// that is no agent's: no call of the desk, and in no figure of the contract.
    Placed {
        /// Which call.
        call: CallId,
        /// Milliseconds since it was dialled, by the monotonic clock.
        t_ms: u64,
        /// The step.
        event: PlacedEvent,
    },
    /// A step in the life of one leg's sound, of a call of either kind.
    Sound {
        /// Of which call.
        call: CallId,
        /// Milliseconds since the call arrived, or was dialled.
        t_ms: u64,
        /// `caller`: the leg by which somebody called; `agent`: one that we dialled.
        side: Party,
        /// At which of our extensions the leg is; left out of one outside.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone: Option<Number>,
        /// The step.
        event: SoundEvent,
    },
    /// A change of one trunk's channels.
    Trunk {
        /// Which trunk.
        trunk: TrunkId,
        /// The change.
        event: TrunkEvent,
    },
    /// A change of one agent.
    Agent {
        /// Which agent.
        agent: AgentId,
        /// The change.
        event: AgentEvent,
    },
    /// A step of one of a call's recordings, which may outlast the call.
    Recording {
        /// Which call.
        call: CallId,
        /// Milliseconds since the call arrived, while it is up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        t_ms: Option<u64>,
        /// The step.
        event: RecordingEvent,
    },
    /// Something about the desk as a whole.
    Desk {
        /// What it was.
        event: DeskEvent,
    },
}

/// A step in a call's life. The first is always `Arrived`, the last always `Ended`, and there is
/// exactly one of each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CallEvent {
    /// An INVITE reached a number of the plan.
    Arrived {
        /// The number that was dialled.
        number: Number,
        /// Who calls.
        caller: Caller,
        /// Where it came from.
        origin: Origin,
        /// Whether the number's calls enter the contract's figures.
        counted: bool,
    },
    /// The number is outside its service hours; the call goes the closed way.
    FoundClosed {
        /// Why.
        why: Closed,
    },
    /// Our 200 OK to the caller: from here on the caller is charged and hears us.
    Accepted,
    /// The auto attendant began (or began again) with this menu.
    MenuEntered {
        /// Which menu.
        menu: MenuId,
    },
    /// A key was pressed in a menu and it leads somewhere.
    KeyPressed {
        /// In which menu.
        menu: MenuId,
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        key: char,
    },
    /// A key was pressed in a menu and leads nowhere.
    KeyWrong {
        /// In which menu.
        menu: MenuId,
        /// The key.
        key: char,
    },
    /// No key came in the menu's time.
    MenuTimedOut {
        /// In which menu.
        menu: MenuId,
    },
    /// The caller asked for an operator, by menu or by the number dialled. From here on a caller who
    /// hangs up has abandoned.
    OperatorAsked {
        /// The group asked for; none when one agent's own line was dialled.
        group: Option<GroupId>,
    },
    /// The call waits because no agent is free.
    Queued {
        /// In which group's queue.
        group: GroupId,
        /// 1 is next.
        position: u32,
    },
    /// An announcement began to play to the caller.
    Announced {
        /// Which prompt.
        prompt: PromptId,
        /// What it is for.
        purpose: Purpose,
    },
    /// An agent's phone is being rung for this call.
    OfferMade {
        /// Whose phone.
        agent: AgentId,
    },
    /// That ringing is over without a conversation.
    OfferEnded {
        /// Whose phone.
        agent: AgentId,
        /// Why.
        why: OfferEnd,
    },
    /// An agent answered and was connected to the caller.
    OperatorAnswered {
        /// Who.
        agent: AgentId,
    },
    /// One side put the other on hold.
    Held {
        /// Who pressed hold.
        by: Party,
    },
    /// The hold is over.
    Resumed {
        /// Who took the call back.
        by: Party,
    },
    /// One side said why it is about to end the call, in numbers of SIP or of the telephone network.
    ReasonGiven {
        /// Who said it.
        by: Party,
        /// What.
        reason: Reason,
    },
    /// The agent passed the caller on and speaks with them no more.
    Transferred {
        /// Who passed it on.
        by: AgentId,
        /// To which number of the plan; the agent's own when its phone hung up because its transfer had
        /// come to nothing.
        to: Number,
        /// The agent had spoken with the other side before (取次転送).
        attended: bool,
    },
    /// The agent passed the caller on to somebody who is no agent: a number outside, or a phone of ours.
    /// It counts for the agent as a call of its own would.
    SentAway {
        /// Who passed it on.
        by: AgentId,
        /// To whom.
        number: Private<String>,
        /// Whether it is a phone of ours.
        inside: bool,
        /// The agent had spoken with the other side before.
        attended: bool,
    },
    /// A trunk is being tried for it.
    TrunkTried {
        /// Which.
        trunk: TrunkId,
    },
    /// It could not bring the call, or the called party said no.
    TrunkFailed {
        /// Which.
        trunk: TrunkId,
        /// The SIP status; 408 when its server said nothing, 503 when it has none that is well.
        status: u16,
    },
    /// The caller is with whom the agent sent it to.
    AwayAnswered,
    /// The transfer came to nothing, and the caller is with the agent again.
    Returned {
        /// With whom.
        agent: AgentId,
    },
    /// The call is over; its last event.
    Ended {
        /// Whose doing it was.
        by: Party,
        /// Why.
        cause: EndCause,
    },
}

/// A step in a placed call's life. The first is always `Dialled`, the last always `Ended`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PlacedEvent {
    /// A phone of ours dialled.
    Dialled {
        /// Whose phone.
        by: Number,
        /// What was dialled.
        number: Private<String>,
        /// Whether it is a phone of ours.
        inside: bool,
    },
    /// A trunk is being tried.
    Tried {
        /// Which.
        trunk: TrunkId,
    },
    /// It could not bring the call, or the called party said no.
    Failed {
        /// Which.
        trunk: TrunkId,
        /// The SIP status; 408 when its server said nothing, 503 when it has none that is well.
        status: u16,
    },
    /// The called party answered.
    Answered,
    /// One side put the other on hold: `caller` is the phone that dialled, `agent` the called party.
    Held {
        /// Who pressed hold.
        by: Party,
    },
    /// The hold is over.
    Resumed {
        /// Who took the call back.
        by: Party,
    },
    /// The call is over.
    Ended {
        /// Whose doing it was: `caller` is the phone that dialled, `agent` the called party.
        by: Party,
        /// Why.
        why: PlacedEnd,
    },
}

/// A step in a recording's life. A call's recordings are numbered from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RecordingEvent {
    /// What caller and agent say is recorded from here on.
    Started {
        /// Which of the call's.
        number: u32,
        /// By what.
        by: Means,
    },
    /// Silence from here on.
    Paused {
        /// Which of the call's.
        number: u32,
        /// By what.
        by: Means,
    },
    /// No longer.
    Resumed {
        /// Which of the call's.
        number: u32,
        /// By what: `rule` when the pause was forgotten.
        by: Means,
    },
    /// No more is recorded; the file follows.
    Stopped {
        /// Which of the call's.
        number: u32,
        /// Why.
        why: RecordingStop,
    },
    /// It could not be begun, or ended before its time; what there is of it may follow as `Kept`.
    Failed {
        /// Which of the call's.
        number: u32,
        /// Why.
        why: RecordingTrouble,
    },
    /// The file is whole and on the disk.
    Kept {
        /// Which of the call's.
        number: u32,
        /// Its path in the directory of recordings.
        file: String,
        /// How long its sound is, milliseconds.
        length_ms: u64,
        /// How long the file is.
        bytes: u64,
        /// SHA-256 of the file as it lies, hexadecimal digits.
        sha256: String,
        /// Packets that are missing because the disk was too slow.
        dropped: u64,
        /// Packets that are missing because they came too late.
        late: u64,
    },
    /// Somebody fetched the file by the API.
    Fetched {
        /// Which of the call's.
        number: u32,
    },
    /// The file was deleted for its age.
    Deleted {
        /// Which of the call's.
        number: u32,
        /// Its path in the directory of recordings.
        file: String,
    },
}

/// Why no more is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "stop")]
pub enum RecordingStop {
    /// The call is over.
    Ended,
    /// A person wanted it so.
    Person {
        /// By what.
        by: Means,
    },
    /// The caller was sent to somebody who is no agent.
    SentAway,
}

/// Why a recording came to nothing or ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordingTrouble {
    /// Less was free on the disk than must be.
    DiskFull,
    /// The disk or the directory refused.
    Disk,
    /// As many were recorded at once as may be.
    TooMany,
    /// It was as long as a file may be.
    TooLong,
    /// The daemon died while it was made, and no file is left of it.
    Lost,
}

/// Why a placed call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum PlacedEnd {
    /// The party named beside it hung up.
    HungUp,
    /// The called party did not answer or said no, or no trunk could bring the call.
    NotAnswered {
        /// The SIP status.
        status: u16,
    },
    /// The plan does not let this phone call there.
    NotAllowed,
    /// An emergency number, and the plan blocks them.
    EmergencyBlocked,
    /// The phone has as many calls outside as it may.
    TooManyCalls,
    /// The phone has talked as long today as it may.
    TimeUsedUp,
    /// No trunk has a free channel.
    ChannelsFull,
    /// The phone that dialled passed the called party on; the call goes on as one of the desk's with the
    /// same id, or in that of the caller to whom it was given.
    PassedOn,
    /// The engine had no room for another call.
    NoCapacity,
    /// A fault of the system, in words of ours.
    Fault {
        /// Which.
        what: String,
    },
    /// The daemon was restarted while the call was up.
    Restart,
}

/// A change of a trunk's channels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TrunkEvent {
    /// The last channel for callers from outside was taken: further callers hear the carrier's busy
    /// tone and never reach us.
    ChannelsFull,
    /// One is free again.
    ChannelsFree {
        /// For how long all were in use, milliseconds.
        for_ms: u64,
    },
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The number, or why there is none.
    pub number: CallerNumber,
    /// The display name as sent, made valid UTF-8, at most 128 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Private<String>>,
    /// The number that was dialled first, when the carrier says that the call was diverted to us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diverted_from: Option<Private<String>>,
}

/// A caller's number, or the reason of its absence (非通知, 公衆電話, 表示圏外).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallerNumber {
    /// National digits, or the extension.
    Known(Private<String>),
    /// The caller withheld it.
    Withheld,
    /// A public telephone.
    Payphone,
    /// The network could not bring it.
    Unavailable,
}

/// Where a call came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// From outside by this trunk.
    Trunk(TrunkId),
    /// From one of our own phones.
    Extension(Number),
}

/// Why a number is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "closed")]
pub enum Closed {
    /// A service day, outside its hours.
    Night,
    /// A weekday that is not one of service (Saturday, Sunday).
    Weekend,
    /// A holiday.
    Holiday {
        /// Its name.
        name: String,
    },
    /// A closure written in the plan (year-end).
    Closure {
        /// Its name.
        name: String,
    },
}

/// What an announcement is for; `Busy` is what makes a call count as busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The desk's welcome or a menu's text.
    Greeting,
    /// "All operators are busy" (ビジーアナウンス).
    Busy,
    /// Please go on waiting.
    Comfort,
    /// "You are number n."
    Position,
    /// The after-hours message (時間外メッセージ).
    AfterHours,
    /// An information message of the auto attendant.
    Information,
    /// The last words before the system releases the call.
    Release,
    /// That the call is recorded.
    Recording,
}

/// Why one ringing of one agent's phone ended without a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "end")]
pub enum OfferEnd {
    /// Nobody picked up within the ring time.
    RangOut,
    /// The phone said no.
    Refused {
        /// With this SIP status.
        status: u16,
    },
    /// The caller hung up while it rang.
    CallerLeft,
    /// Another phone of a `ring_all` answered first.
    TakenElsewhere,
    /// The phone could not be reached.
    Unreachable,
    /// The system ended it (longest wait, fault, restart).
    Withdrawn,
}

/// Whose doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The caller.
    Caller,
    /// The agent.
    Agent,
    /// We ourselves.
    System,
}

/// Why a call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "cause")]
pub enum EndCause {
    /// BYE or CANCEL from the party named beside it.
    HungUp,
    /// The queue held its most.
    QueueFull,
    /// The longest wait passed.
    WaitedTooLong,
    /// The auto attendant was through: its information was told, or its tries used up.
    MenuDone,
    /// The after-hours message was told to its end.
    ClosedTold,
    /// All lines of the number were in use.
    LinesFull,
    /// All channels of the trunk that brought it were in use.
    ChannelsFull,
    /// The engine had no room for another call.
    NoCapacity,
    /// The one phone that was dialled did not answer, or said no.
    NotAnswered {
        /// The SIP status it gave; 480 when it rang out or is not registered.
        status: u16,
    },
    /// An agent joined the far side of this call, a consultation, with that of another: it goes on there.
    Transferred,
    /// The agent who called or sent the caller outside has talked there as long today as it may.
    TimeUsedUp,
    /// A fault of the system; the text names it in words of ours, never a person's.
    Fault {
        /// Which.
        what: String,
    },
    /// The daemon was restarted while the call was up; written by the next start.
    Restart,
}

/// A change of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AgentEvent {
    /// Takes part in the groups from now on.
    SignedIn {
        /// By what.
        by: Means,
    },
    /// Takes part no more.
    SignedOut {
        /// By what.
        by: Means,
    },
    /// Not offered calls for a while.
    Paused {
        /// By what.
        by: Means,
        /// Why, from the plan's list or the rule's own words.
        reason: String,
    },
    /// Offered calls again.
    Unpaused {
        /// By what.
        by: Means,
    },
    /// In a call (of any kind, also one the agent placed).
    Talking,
    /// After-call work.
    WrapUp {
        /// How long, in milliseconds.
        for_ms: u64,
    },
    /// Free for the next call.
    Idle,
    /// The phone's registration came or went.
    Phone {
        /// Whether it can be rung now.
        reachable: bool,
    },
}

/// By what means an agent's state was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// A feature code dialled on the agent's phone.
    FeatureCode,
    /// The API.
    Api,
    /// A rule of the plan (rang out, refused).
    Rule,
}

/// Something about the desk as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DeskEvent {
    /// The daemon began with this plan.
    Started {
        /// The program's version.
        version: String,
        /// The plan's name.
        plan: String,
    },
    /// An orderly end.
    Stopped,
}
