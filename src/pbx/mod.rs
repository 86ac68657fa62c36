//! The desk's rules in legs and agents: who is rung, what a caller hears, how a call ends.
//!
//! Pure: an input and the time go in, actions come out, and the same inputs give the same actions.
//! Knows the plan and the history's words; no SIP, no SDP, no socket, no clock. A call is one state
//! machine (`call`); what calls share (agents, queues, lines, timers) is the `floor`.

mod agent;
pub mod api;
mod arrival;
mod asking;
mod away;
mod beyond;
mod boxes;
mod briefing;
mod by_keys;
mod call;
mod callback;
mod channels;
mod code;
mod consult;
mod declared;
mod desk;
mod direct;
mod entry;
mod floor;
mod gauges;
mod group;
mod hours;
mod hunt;
mod keypad;
mod menu;
mod message;
mod notes;
mod obey;
mod outside;
mod overflow;
mod park;
mod placed;
mod queue;
mod recall;
mod replan;
mod say;
mod slots;
mod staff;
mod supervise;
mod survey;
mod table;
mod taken;
mod talked;
mod tape;
mod third;
mod timers;
mod transfer;

#[cfg(test)]
mod tests;

pub use agent::{AgentMemory, AgentSnapshot, AgentState, Remembered, reason};
pub use api::{
    Action, Command, CommandError, Hindrance, Input, MessageOrder, Seat, TapeOrder, TransferNews,
    TransferTo,
};
pub use boxes::Boxes;
pub use callback::CallbacksMemory;
pub use declared::{Declaration, Declared, LONGEST_EXCLUSION_MS, MOST_EXCLUSIONS, MOST_REVISIONS};
pub use desk::Desk;
pub use gauges::{Gauges, GroupGauge};
pub use hours::{HoursOrder, LONGEST_PERIOD_MS, Period, Periods};
pub use notes::{NOTABLE_ENDED, NOTES_MOST, Notes};
pub use talked::{Talked, TalkedMemory};
