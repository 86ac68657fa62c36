//! The one history: what happened to calls, agents and the desk, in the order it was decided.
//!
//! Every figure, page, metric, ticket and report is a fold over these entries (`view`), and a restart
//! is their replay. The room knows no rule, no SIP and no store; it only names facts. Entries are
//! written as JSON and are read for ever: a field may be added with a default, none is renamed or
//! removed, and a new meaning is a new variant.

mod agent;
mod call;
mod callback;
mod canon;
pub mod chain;
mod desk;
mod figures;
mod line;
mod message;
mod note;
mod placed;
mod proof;
mod quick;
mod recording;
mod scan;
mod schema;
mod sound;
mod strict;
mod ticketing;
mod warning;

pub use agent::{AgentEvent, Means};
pub use call::{
    CallEvent, Caller, CallerNumber, Closed, ConsultEnd, ConsultSide, EndCause, OfferEnd, Origin,
    Overflowing, Party, Purpose, Supervision, Unpark,
};
pub use callback::{CallbackEnd, CallbackEvent};
pub use canon::Written;
pub use desk::{DeskEvent, SignedInBy};
pub use figures::{ClosedFigures, FiguresEvent, Settings};
pub use line::{LineError, export, is_header, link, read_header};
pub use message::MessageEvent;
pub use note::NoteEvent;
pub use placed::{PlacedEnd, PlacedEvent};
pub use proof::{Anchor, Break, Damage, Link, MOST_BREAKS, Proof, Proved};
pub use quick::read;
pub use recording::{RecordingEvent, RecordingStop, RecordingTrouble};
pub use sound::{SoundEvent, SoundFault};
pub use ticketing::{
    Channel, FeedEvent, IncidentEvent, TicketEscalatedTo, TicketEscalation, TicketExclusion,
    TicketState, Unfed,
};
pub use warning::{ToldBy, Untold, WarnedRate, Warning, WarningTurn};

use crate::base::{AgentId, CallId, Number, TargetId, TrunkId, Wall, kept};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

kept!(json Channel, TicketState, Unfed, ToldBy, WarnedRate, Warning, WarningTurn, CallbackEnd, Caller, ClosedFigures, EndCause, Means, Origin, Party, PlacedEnd, RecordingStop,
    RecordingTrouble, SoundFault);

/// The version of the shapes below, written into every stored entry.
pub const VERSION: u16 = 1;

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
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
    /// A step of one of a call's voice messages after it was left.
    Message {
        /// In which call.
        call: CallId,
        /// Which of the call's recordings.
        number: u32,
        /// The step.
        event: MessageEvent,
    },
    /// A step of what is written about a call, which may come after its end.
    Note {
        /// About which call.
        call: CallId,
        /// The step.
        event: NoteEvent,
    },
    /// A step of a caller's wish to be called back.
    Callback {
        /// The call in which it was said.
        call: CallId,
        /// The step.
        event: CallbackEvent,
    },
    /// A step between the desk and a ticket system.
    Feed {
        /// Which of the configured ones.
        target: TargetId,
        /// About which call, when it is about one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call: Option<CallId>,
        /// The step.
        event: FeedEvent,
    },
    /// Something that people write into the desk's own ledger of incidents.
    Incident {
        /// Of which call, when it is a call's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call: Option<CallId>,
        /// What it was.
        event: IncidentEvent,
    },
    /// Something that people declare about the contract's figures.
    Figures {
        /// What it was.
        event: FiguresEvent,
    },
    /// Something about the desk as a whole.
    Desk {
        /// What it was.
        event: DeskEvent,
    },
}

/// A change of a trunk's channels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
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
