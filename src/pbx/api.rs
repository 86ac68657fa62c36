//! The face of the desk's rules: what they are told and what they ask for. No SIP, no SDP, no sockets:
//! legs ring, answer and end; prompts play; keys come.

use super::declared::Declaration;
use super::hours::HoursOrder;
use crate::base::{
    AgentId, CallId, LegId, Number, PlayId, Private, PromptId, Reason, Taped, TargetId, TrunkId,
};
use crate::dialplan::{InCall, Way};
use crate::event::{
    Caller, DeskEvent, Fact, FeedEvent, FiguresEvent, IncidentEvent, Means, Origin, Supervision,
};

/// Something that happened, told to [`super::Desk::handle`] with the time.
#[derive(Clone, Debug)]
pub enum Input {
    /// An INVITE from somebody we know. The leg is the caller's.
    Arrived {
        /// The caller's leg.
        leg: LegId,
        /// What was dialled.
        dialled: Number,
        /// Who calls.
        caller: Caller,
        /// Whence.
        origin: Origin,
        /// What stands against the call from the start.
        hindrance: Option<Hindrance>,
    },
    /// One of our accounts wants a new leg in the place of one that stands (RFC 3891): to pick up what
    /// rings elsewhere, or to go on talking on another phone.
    Replaced {
        /// The leg that stands.
        old: LegId,
        /// The new one, whose INVITE waits for its answer.
        new: LegId,
        /// Whose it is.
        by: Number,
    },
    /// A phone that we dialled rings (180 or 183).
    Ringing {
        /// The phone's leg.
        leg: LegId,
    },
    /// A carrier lets its own tones be heard before the called party answers (183 with media).
    Early {
        /// The dialled leg.
        leg: LegId,
    },
    /// A phone that we dialled answered; its ACK is sent and its media agreed.
    Answered {
        /// The phone's leg.
        leg: LegId,
    },
    /// A phone that we dialled said no, or could not be reached. The leg is over.
    Refused {
        /// The phone's leg.
        leg: LegId,
        /// SIP status; 480 when there is no registration, 408 when it never answered the request.
        status: u16,
    },
    /// The peer said why it is about to end the leg; `Gone` follows.
    Reason {
        /// The leg.
        leg: LegId,
        /// In numbers.
        reason: Reason,
    },
    /// The leg is over by the peer's doing: BYE, CANCEL, or it vanished.
    Gone {
        /// The leg.
        leg: LegId,
        /// The peer vanished or its media or signalling failed; otherwise it hung up in order.
        lost: bool,
    },
    /// We could not make the leg work (no media port, offer and answer without a common codec).
    /// The leg is over.
    Failed {
        /// The leg.
        leg: LegId,
        /// What, in words of ours.
        what: &'static str,
    },
    /// We had no room to dial the leg's phone (no RTP port): neither the phone's doing nor the agent's.
    /// The leg is over.
    NoRoom {
        /// The leg; one that we were to dial.
        leg: LegId,
        /// What was wanting, in words of ours.
        what: &'static str,
    },
    /// A key.
    Key {
        /// Who pressed it.
        leg: LegId,
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        key: char,
    },
    /// Somebody who leaves a message was heard to speak for so long, since the last word on it.
    Spoke {
        /// Who.
        leg: LegId,
        /// Milliseconds.
        ms: u32,
    },
    /// A recording was deleted, for its age or because somebody wanted it.
    Erased {
        /// Of which call.
        call: CallId,
        /// Which of the call's.
        number: u32,
    },
    /// A play came to its end.
    Played {
        /// Who heard it.
        leg: LegId,
        /// Which.
        play: PlayId,
    },
    /// The leg's peer put the call on hold, or took it back. The other side hears the plan's
    /// `hold_music` in a loop meanwhile (`Play`, then `Stop`); the SIP side of it is the engine's.
    Hold {
        /// Whose phone.
        leg: LegId,
        /// On or off.
        on: bool,
    },
    /// A phone asks to pass on the one it speaks with; answered by [`Action::Transfer`].
    Transfer {
        /// Whose phone.
        leg: LegId,
        /// To whom.
        to: TransferTo,
    },
    /// An account's phone became reachable or not (registration).
    Phone {
        /// The extension.
        extension: Number,
        /// Whether it can be dialled.
        reachable: bool,
    },
    /// A person's command.
    Command(Command),
    /// The recorder gave up a recording.
    TapeFailed {
        /// Of which call.
        call: CallId,
        /// Which of the call's.
        number: u32,
    },
    /// The time has come that [`super::Desk::next_deadline`] named; harmless at any time.
    Tick,
}

/// To whom a call is to be passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferTo {
    /// Whoever is at this number (blind).
    Number(Number),
    /// Who is at the other end of this leg of the same agent's (attended).
    Leg(LegId),
    /// Nobody whom the desk could reach; refused with this status.
    Nowhere {
        /// SIP status.
        status: u16,
    },
}

/// How a transfer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferNews {
    /// It is tried.
    Accepted,
    /// It is not tried, and nothing has changed.
    Refused {
        /// SIP status.
        status: u16,
    },
    /// The new phone rings.
    Rings,
    /// The caller is with somebody else; the phone is let go.
    Done,
    /// Nobody took it; the phone has its caller back.
    Failed {
        /// SIP status.
        status: u16,
    },
}

/// What stands against a call from the start. Such a call is recorded, rings no phone and is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// The leg can never carry audio (its offer shares nothing with us); why, in words of ours.
    /// Refused with 488; ends as a fault.
    Mute(&'static str),
    /// The daemon has more to do than it can. Refused with 503; ends for want of capacity.
    Overload,
}

/// What is to be done about a call's recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TapeOrder {
    /// Begin one.
    Begin,
    /// Silence for a while.
    Pause,
    /// No longer.
    Resume,
    /// End it.
    End,
}

/// What is to be done about a voice message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageOrder {
    /// It was heard.
    Heard,
    /// It is to count as new again.
    Unheard,
    /// It and its recording are to go.
    Delete,
}

/// What a person may order; more later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Signs an agent in.
    SignIn {
        /// Whom.
        agent: AgentId,
        /// By what.
        by: Means,
    },
    /// Signs an agent out; a call in progress goes on.
    SignOut {
        /// Whom.
        agent: AgentId,
        /// By what.
        by: Means,
    },
    /// Sets an agent aside.
    Pause {
        /// Whom.
        agent: AgentId,
        /// Why, at most 64 characters.
        reason: String,
        /// By what.
        by: Means,
    },
    /// Ends a pause.
    Unpause {
        /// Whom.
        agent: AgentId,
        /// By what.
        by: Means,
    },
    /// Ends an agent's after-call work now, or makes it longer by the plan's time.
    WrapUp {
        /// Whose.
        agent: AgentId,
        /// Longer; otherwise it ends.
        longer: bool,
        /// By what.
        by: Means,
    },
    /// Marks a voice message, or deletes it.
    Message {
        /// In which call it was left.
        call: CallId,
        /// Which of the call's recordings.
        number: u32,
        /// What is wanted.
        order: MessageOrder,
        /// By what.
        by: Means,
    },
    /// Writes a note about a call that is up or ended lately.
    Note {
        /// About which call.
        call: CallId,
        /// Whose note it is.
        agent: AgentId,
        /// 1 to 1000 characters.
        text: Private<String>,
        /// By what.
        by: Means,
    },
    /// Puts a waiting call before all others of its group.
    PutFirst {
        /// Which.
        call: CallId,
        /// By what.
        by: Means,
    },
    /// Cancels a wish to be called back.
    CancelCallback {
        /// The call in which it was said.
        call: CallId,
        /// By what.
        by: Means,
    },
    /// Begins, pauses or ends the recording of a call that is with an agent.
    Tape {
        /// Which call.
        call: CallId,
        /// What is wanted.
        order: TapeOrder,
        /// By what.
        by: Means,
    },
    /// Leaves the caller of a conversation in a slot.
    Park {
        /// Which call.
        call: CallId,
        /// Where; none: a free slot of the plan's first lot.
        slot: Option<Number>,
    },
    /// What the agent of a conversation could do by keys: pass the caller on, ask a colleague, turn between
    /// the two, go back.
    InCall {
        /// Which call.
        call: CallId,
        /// What.
        what: InCall,
        /// To or with whom, where that is due.
        number: Option<Number>,
    },
    /// Rings an agent who is to have the caller of a slot.
    Fetch {
        /// Where it is.
        slot: Number,
        /// Whom.
        agent: AgentId,
    },
    /// Closes or opens the desk out of turn, or takes that back.
    Hours {
        /// Which desk number; none: all.
        number: Option<Number>,
        /// What is wanted.
        order: HoursOrder,
        /// Who wants it, 1 to 64 characters.
        author: String,
        /// By what.
        by: Means,
    },
    /// Declares something about the contract's figures.
    Declare {
        /// What.
        what: Declaration,
        /// Who, 1 to 64 characters.
        author: String,
        /// By what.
        by: Means,
    },
    /// The daemon itself: an early warning turned, was told, or was given up.
    NoteWarning {
        /// Which of these.
        event: Box<FiguresEvent>,
    },
    /// The daemon itself: what became of what a ticket system was handed, or what it told; or a person about
    /// one call's part of it. Whoever asks has looked whether it is so.
    Feed {
        /// Which of the configured ones.
        target: TargetId,
        /// About which call, when it is about one.
        call: Option<CallId>,
        /// What.
        event: Box<FeedEvent>,
    },
    /// A person writes into the desk's own ledger of incidents.
    Incident {
        /// Of which call, when it is a call's.
        call: Option<CallId>,
        /// What.
        event: Box<IncidentEvent>,
    },
    /// The daemon itself: it erased numbers and names of old calls, or somebody came or ordered something.
    Record {
        /// What.
        event: Box<DeskEvent>,
    },
    /// Lets a supervisor hear an agent's talk, in another way, or no longer. The phone of one who does not
    /// yet is rung.
    Supervise {
        /// The supervisor.
        by: AgentId,
        /// Whose talk.
        agent: AgentId,
        /// In which way; none: no longer.
        mode: Option<Supervision>,
        /// By what it was asked for.
        means: Means,
    },
    /// Adds somebody to the talk of a call and its agent.
    AddThird {
        /// Which call.
        call: CallId,
        /// An extension, or a number outside as that agent would dial it.
        number: Number,
        /// By what.
        by: Means,
    },
    /// Lets the third leave the talk.
    DropThird {
        /// Which call.
        call: CallId,
    },
}

/// Why a command was not obeyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The plan has no such agent.
    #[error("the plan has no agent of this name")]
    NoSuchAgent,
    /// The agent is in that state already.
    #[error("the agent is in that state already")]
    AlreadySo,
    /// There is no such call, or it is over.
    #[error("there is no such call, or it is over")]
    NoSuchCall,
    /// There is no such message, or it was deleted.
    #[error("there is no such message, or it was deleted")]
    NoSuchMessage,
    /// There is no such wish to be called back, or it is over.
    #[error("nobody waits to be called back for this call")]
    NoSuchCallback,
    /// The caller is being called back.
    #[error("the caller is being called back already")]
    TooLate,
    /// The caller is with no agent.
    #[error("the caller is with no agent now")]
    NotTalking,
    /// The plan does not let this call be recorded, or the caller was not told.
    #[error("the plan does not let this call be recorded, or its caller has not been told so")]
    NotAllowed,
    /// There is no such slot, or the plan has no lot.
    #[error("the plan has no such slot, or no parking lot at all")]
    NoSuchSlot,
    /// The number leads nowhere now, the phone is in use, or nobody is asked.
    #[error("the number leads nowhere now, its phone is in use, or nobody is being asked")]
    NotPossible,
    /// Somebody is in the slot.
    #[error("the slot is taken")]
    SlotTaken,
    /// All slots of the lot are taken.
    #[error("all slots of the lot are taken")]
    NoFreeSlot,
    /// Nobody is in the slot.
    #[error("nobody is parked in the slot")]
    SlotEmpty,
    /// A phone rings for the caller of the slot already.
    #[error("a phone rings already for the caller in the slot")]
    SlotRings,
    /// The agent's phone is in use or cannot be reached.
    #[error("the agent's phone is in use or cannot be reached")]
    PhoneBusy,
    /// The plan has no such desk number; or it leads to no phone that could be added to a talk.
    #[error("there is no such number, or it is none for this")]
    NoSuchNumber,
    /// The end lies behind us, or more than 400 days ahead.
    #[error("it must end in the future, within 400 days")]
    BadTime,
    /// The plan does not name the agent as a supervisor.
    #[error("the plan does not name this agent as a supervisor of the other")]
    NotASupervisor,
    /// The phone cannot be rung now.
    #[error("the phone is busy, or cannot be rung now")]
    Busy,
    /// The agent may not call this number, or not now.
    #[error("the agent may not call this number, or not now")]
    NotPermitted,
    /// Only after-call work can be made longer or ended.
    #[error("the agent is not in after-call work")]
    NotInWrapUp,
    /// The plan names the reasons for a pause, and this is none of them.
    #[error("the plan does not name this reason for a pause")]
    NoSuchReason,
    /// There is no exclusion of this number.
    #[error("there is no exclusion of this number")]
    NoSuchExclusion,
    /// It would be approved by who entered it.
    #[error("another person than the one who entered it must approve it")]
    SamePerson,
    /// The period is empty, begins in the future or is longer than 400 days.
    #[error(
        "the period must begin in the past, end after it begins, and be no longer than 400 days"
    )]
    BadPeriod,
    /// What is to be noted of a warning is about something else.
    #[error("this is nothing that is noted of a warning")]
    NotAWarning,
    /// The bound of what can be declared.
    #[error("there are as many of these as can be")]
    TooMany,
    /// Pausing needs a signed-in agent.
    #[error("the agent is not signed in")]
    NotSignedIn,
}

/// One leg of a talk of more than two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The leg.
    pub leg: LegId,
    /// Whom it hears.
    pub hears: Vec<LegId>,
}

/// What the rules want done, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Tell the caller that it rings (180).
    Ring {
        /// The caller's leg.
        leg: LegId,
    },
    /// Answer the caller (200); its media is then up.
    Accept {
        /// The caller's leg.
        leg: LegId,
    },
    /// Refuse the caller with a final status; the leg is over.
    Refuse {
        /// The caller's leg.
        leg: LegId,
        /// 4xx, 5xx or 6xx.
        status: u16,
    },
    /// Dial a phone. `Refused { status: 480 }` comes back when it has no address.
    Dial {
        /// A new leg, even number.
        leg: LegId,
        /// The extension.
        extension: Number,
        /// The caller's leg: its number and name are shown, its codec is preferred.
        on_behalf_of: LegId,
        /// A number of the plan that is shown instead.
        shown: Option<Number>,
    },
    /// Dial an agent's phone for somebody who wants to be called back. Otherwise as [`Action::Dial`].
    DialBack {
        /// A new leg, even number.
        leg: LegId,
        /// The extension.
        extension: Number,
        /// Shown: the number that is to be called back.
        number: Private<String>,
    },
    /// Dial a number outside. `Refused { status: 503 }` comes back when the trunk has no server that is
    /// well.
    DialOut {
        /// A new leg, even number.
        leg: LegId,
        /// By which trunk.
        trunk: TrunkId,
        /// Where and how.
        way: Box<Way>,
        /// The caller's leg.
        on_behalf_of: LegId,
    },
    /// Let a caller who is not answered yet hear what the dialled leg sends.
    Preview {
        /// The caller's leg.
        caller: LegId,
        /// The dialled leg.
        phone: LegId,
    },
    /// End a leg whatever its state: CANCEL, BYE or a refusal, as is due. `Gone` does not come back.
    HangUp {
        /// The leg.
        leg: LegId,
        /// Another phone answered: phones shall log no missed call.
        elsewhere: bool,
    },
    /// Let the two hear each other, and stop what plays to either.
    Connect {
        /// The caller's leg.
        caller: LegId,
        /// The agent's leg.
        agent: LegId,
    },
    /// Let several legs hear each other as the seats say, the caller's first, the agent's second, and stop
    /// what plays to any of them.
    Mix {
        /// The legs.
        seats: Vec<Seat>,
        /// Caller and agent are each other's for hold; else a hold concerns only who holds.
        pair: bool,
    },
    /// Let the two hear each other no more; both legs stay.
    Part {
        /// The caller's leg.
        caller: LegId,
        /// The agent's leg.
        agent: LegId,
    },
    /// Tell the phone that asked for a transfer how it goes.
    Transfer {
        /// The phone's leg.
        leg: LegId,
        /// What.
        news: TransferNews,
    },
    /// Play prompts to a leg, replacing what plays; before `Accept` it is early media.
    Play {
        /// Who hears it.
        leg: LegId,
        /// Named in `Played`.
        play: PlayId,
        /// In order, without a gap.
        prompts: Vec<PromptId>,
        /// For ever; `Played` never comes.
        looped: bool,
        /// A key of the phone's stops it at once, before the rules have heard of it.
        stops_on_key: bool,
    },
    /// Stop what plays.
    Stop {
        /// Who hears it.
        leg: LegId,
    },
    /// Begin, pause, resume or end a recording of what passes between this caller and whoever it is
    /// connected with.
    Tape {
        /// The caller's leg.
        leg: LegId,
        /// The call.
        call: CallId,
        /// Which of the call's recordings.
        number: u32,
        /// What.
        order: TapeOrder,
        /// Whose voices it holds.
        taped: Taped,
    },
    /// Delete a recording as soon as it is whole.
    Erase {
        /// Of which call.
        call: CallId,
        /// Which of the call's.
        number: u32,
    },
    /// Write a fact into the history.
    Record(Fact),
    /// The call is over and forgotten; for the log.
    Forget {
        /// Which.
        call: CallId,
    },
}
