//! What happens to a call of the desk, from its arrival to its one end.

use super::agent::Means;
use crate::base::{
    AgentId, BoxId, CallbackId, EntryId, GroupId, Language, MenuId, Number, Private, PromptId,
    Reason, SurveyId, TrunkId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A step in a call's life. The first is always `Arrived`, the last always `Ended`, and there is
/// exactly one of each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
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
    /// An extension or a group's number was dialled in a menu.
    ExtensionDialled {
        /// In which menu.
        menu: MenuId,
        /// Which.
        number: Number,
    },
    /// A person put the waiting call before all others of its group.
    PutFirst {
        /// By what.
        by: Means,
    },
    /// The caller chose a language.
    LanguageChosen {
        /// Which.
        language: Language,
    },
    /// The caller is asked for a number, for the first time or again.
    EntryBegan {
        /// Which.
        entry: EntryId,
    },
    /// The caller entered a number such as a staff number, and confirmed it where the plan wants that.
    NumberEntered {
        /// Which.
        entry: EntryId,
        /// As entered.
        digits: Private<String>,
    },
    /// What was entered has too few or too many digits, was taken back, or nothing came.
    NumberRefused {
        /// Which.
        entry: EntryId,
    },
    /// A key was pressed while waiting in a queue, and it leads somewhere.
    QueueKeyPressed {
        /// In whose queue.
        group: GroupId,
        /// The key.
        key: char,
    },
    /// The caller is heard and recorded after the beep.
    MessageBegan {
        /// For which box.
        mailbox: BoxId,
        /// Which of the call's recordings.
        number: u32,
    },
    /// The caller left a message that is longer than the shortest: the outcome is `message_taken`.
    MessageLeft {
        /// In which box.
        mailbox: BoxId,
        /// Which of the call's recordings.
        number: u32,
        /// From the beep to the end, milliseconds.
        length_ms: u64,
    },
    /// What was said was too short to be a message, or could not be kept.
    MessageDropped {
        /// In which box.
        mailbox: BoxId,
        /// Which of the call's recordings.
        number: u32,
    },
    /// The caller wants to be called back, and the wish is kept: the outcome is `message_taken`.
    CallbackAsked {
        /// By which of the plan's ways.
        callback: CallbackId,
        /// By whose agents.
        group: GroupId,
        /// At which number.
        number: Private<String>,
        /// The caller entered it; otherwise it is the one that the call came from.
        entered: bool,
        /// It is an extension of ours.
        inside: bool,
    },
    /// The agent has hung up, and the caller, who has not, is asked how it was: the conversation is over.
    SurveyBegan {
        /// The agent.
        by: AgentId,
        /// Which of the plan's surveys.
        survey: SurveyId,
    },
    /// The caller answered a question of it.
    SurveyAnswered {
        /// Of which survey.
        survey: SurveyId,
        /// Which question, from 1.
        question: u8,
        /// The key: 1 (満足, satisfied) to 5 (不満, dissatisfied).
        answer: u8,
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
    /// The wait was, or would have been, too long: the call is sent on where the plan says, and in another
    /// group keeps its place by when it asked.
    Overflowed {
        /// From which group.
        group: GroupId,
        /// What was too long.
        why: Overflowing,
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
        /// come to nothing, or when it did not come back to a caller whom it held for too long.
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
    /// The agent left the caller in a slot (パーク保留) and speaks with them no more.
    Parked {
        /// Who left it there.
        by: AgentId,
        /// The slot's number.
        slot: Number,
    },
    /// The caller is in the slot no more; how it goes on follows. A caller who hangs up there has `Ended`
    /// only.
    Unparked {
        /// The slot's number.
        slot: Number,
        /// How it came out.
        how: Unpark,
        /// The phone that fetched it, when that is no agent's: `AwayAnswered` follows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone: Option<Number>,
    },
    /// The wait is too long, and a number outside is rung as well (`TrunkTried`); the caller waits on. With
    /// `AwayAnswered` it is there, and no operator has answered.
    OverflowedOutside {
        /// In whose queue it waits.
        group: GroupId,
        /// The number, as the plan has it.
        number: Private<String>,
        /// Why.
        why: Overflowing,
    },
    /// The agent's phone has answered, and the agent hears this alone; the caller hears what it heard, and is put
    /// through at its end (`OperatorAnswered`).
    AgentTold {
        /// Which agent.
        agent: AgentId,
        /// What.
        prompt: PromptId,
    },
    /// The agent asks a colleague by keys; the caller hears music. One call of the desk still.
    ConsultBegan {
        /// Who asks.
        by: AgentId,
        /// Whom.
        with: AgentId,
    },
    /// The agent asks somebody by keys who is no agent; the caller hears music. `ConsultOver` ends it.
    ConsultCalled {
        /// Who asks.
        by: AgentId,
        /// Whom.
        number: Private<String>,
        /// Whether it is a phone of ours. Of a number outside, the trunks that are tried follow.
        inside: bool,
    },
    /// The agent asks a group by keys; the caller hears music, and the group's phones ring by the group's own
    /// way. `ConsultOver` ends it.
    ConsultGroup {
        /// Who asks.
        by: AgentId,
        /// Which group.
        group: GroupId,
    },
    /// A phone of the group that is asked rings. No offer of the caller: its agent is not set aside for letting
    /// it ring.
    ConsultRings {
        /// Whose.
        with: AgentId,
    },
    /// That phone rings no more, and has not answered.
    ConsultRingEnded {
        /// Whose.
        with: AgentId,
        /// Why.
        why: OfferEnd,
    },
    /// Who is asked by keys has answered.
    ConsultAnswered {
        /// The colleague; none when it is nobody of ours.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        with: Option<AgentId>,
    },
    /// The agent turned to the other of the two; the one before hears music.
    ConsultTurned {
        /// To whom.
        to: ConsultSide,
    },
    /// That is over, when it began with `ConsultBegan`.
    ConsultEnded {
        /// Who was asked.
        with: AgentId,
        /// How.
        why: ConsultEnd,
    },
    /// That is over, when it began with `ConsultCalled` or `ConsultGroup`.
    ConsultOver {
        /// How.
        why: ConsultEnd,
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
    /// A supervisor hears the talk from here on.
    SupervisionBegan {
        /// Who.
        by: AgentId,
        /// Whose talk.
        agent: AgentId,
        /// In which way.
        mode: Supervision,
        /// By what it was asked for.
        means: Means,
    },
    /// The supervisor is there in another way.
    SupervisionChanged {
        /// Who.
        by: AgentId,
        /// In which way.
        mode: Supervision,
        /// By what.
        means: Means,
    },
    /// The supervisor is there no more.
    SupervisionEnded {
        /// Who.
        by: AgentId,
    },
    /// Somebody is being reached whom the agent adds to the talk.
    ThirdCalled {
        /// Which agent.
        by: AgentId,
        /// Whom.
        number: Private<String>,
        /// Whether it is a phone of ours.
        inside: bool,
        /// By what.
        means: Means,
    },
    /// Three talk.
    ThirdJoined {
        /// The third, if it is an agent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent: Option<AgentId>,
    },
    /// Three talk no more: one of them has left the other two. When it was the agent, the caller goes on as
    /// after a transfer; when it was the caller, the call ends.
    ThirdEnded,
    /// The third never joined.
    ThirdFailed {
        /// The SIP status; 480 when it rang out, 487 when the talk was over before.
        status: u16,
    },
    /// The agent has held the caller for longer than the plan's `hold_most`, and its phone is rung for it a
    /// second time.
    HoldRecalled {
        /// Which agent.
        agent: AgentId,
    },
    /// That ringing is over. Unanswered, the caller asks the group again; a `Transferred` to the agent's own
    /// number goes before.
    HoldRecallEnded {
        /// Which agent.
        agent: AgentId,
        /// Why; none: the agent answered, and has the caller by that leg.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<OfferEnd>,
    },
    /// The call is over; its last event.
    Ended {
        /// Whose doing it was.
        by: Party,
        /// Why.
        cause: EndCause,
    },
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
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
    /// It was erased. Lists and pages say so; in the history itself it stays `known`, with its commitment.
    Erased,
}

/// Where a call came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// From outside by this trunk.
    Trunk(TrunkId),
    /// From one of our own phones.
    Extension(Number),
}

/// Why a number is closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
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
    /// Closed out of turn by a person (臨時休業).
    AdHoc {
        /// Why.
        name: String,
    },
    /// Closed out of turn because of a disaster.
    Disaster {
        /// Why, in the words of who closed.
        name: String,
    },
}

/// What an announcement is for; `Busy` is what makes a call count as busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
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
    /// How long the wait will be, as far as can be told.
    Wait,
    /// The after-hours message (時間外メッセージ).
    AfterHours,
    /// An information message of the auto attendant.
    Information,
    /// The last words before the system releases the call.
    Release,
    /// That the call is recorded.
    Recording,
    /// That somebody listens.
    Supervision,
}

/// How a supervisor is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Supervision {
    /// Hears caller and agent, and is not heard.
    Listen,
    /// Is heard by the agent alone.
    Whisper,
    /// Is heard by both.
    Barge,
}

/// What made a wait too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overflowing {
    /// Too many waited when it came.
    Waiting,
    /// It had waited too long.
    Waited,
    /// It would have waited too long.
    Estimated,
}

/// Why one ringing of one agent's phone ended without a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
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

/// One of the two between whom an agent turns who asks by keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsultSide {
    /// The caller, who is on hold no more.
    Caller,
    /// Who is asked; the caller is on hold again.
    Asked,
}

/// How a question by keys ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsultEnd {
    /// Who was asked did not pick up or said no: the agent is with the caller again.
    NotAnswered,
    /// The agent let go who was asked and is with the caller again.
    SentBack,
    /// Who was asked hung up: the agent is with the caller again.
    Left,
    /// The agent has talked outside as long today as it may: the agent is with the caller again.
    TimeUsedUp,
    /// The agent hung up: the caller is with who was asked, or is passed on to where it still rings.
    HandedOver,
    /// All three talk: `ThirdCalled` and `ThirdJoined` follow.
    Joined,
    /// The call ended.
    CallOver,
}

/// How a parked caller came out of its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unpark {
    /// Somebody wanted it.
    Fetched,
    /// Nobody had; who parked it was rung and took it back.
    Recalled,
    /// Nobody had, and who parked it did not take it back: it goes to the group, or as the plan says.
    GivenUp,
}

/// Whose doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "snake_case", tag = "cause")]
pub enum EndCause {
    /// BYE or CANCEL from the party named beside it.
    HungUp,
    /// The queue held its most.
    QueueFull,
    /// The longest wait passed.
    WaitedTooLong,
    /// The desk closed while the call waited, and the plan says that who waits is told so.
    ClosedWhileWaiting,
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
