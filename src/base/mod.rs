//! Words that every room speaks: time, ids, random numbers, bounds, privacy.
//!
//! Imports nothing of the project. Holds no rule of the desk and touches no clock: time is handed in.

mod ad_hoc;
pub mod backoff;
mod bounded;
mod channels;
mod csv;
mod hex;
mod html;
mod id;
mod keep;
mod keys;
mod language;
mod log_levels;
mod network;
mod paths;
mod private;
mod reason;
mod rng;
mod stamp;
mod taped;
#[cfg(test)]
pub(crate) mod tests;
mod time;

pub use ad_hoc::AdHoc;
pub use bounded::{BoundedQueue, Full};
pub use channels::Channels;
pub use csv::{CsvCell, csv_bytes};
pub use hex::hex;
pub use html::html_escaped;
pub use id::{
    AgentId, BoxId, CallId, CallbackId, EntryId, GroupId, LegId, MenuId, Number, PlayId, PromptId,
    SurveyId, TapId, TargetId, TrunkId,
};
pub(crate) use keep::kept;
pub use keep::{Keep, Kept, found_json, keep_json};
pub use keys::KeysBy;
pub use language::Language;
pub use log_levels::{LogInForce, LogLevel, LogLevels, LogRoom, NoLevels};
pub use network::{Network, NotANetwork};
pub use paths::{beside, folder_of};
pub use private::Private;
pub use reason::{Protocol, Reason};
pub use rng::Rng;
pub use stamp::stamp;
pub use taped::Taped;
pub use time::{Mono, Now, Wall};
