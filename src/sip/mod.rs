//! SIP: bytes to messages to transactions to dialogs and back. Pure: time, random numbers and bytes
//! are handed in, effects are handed out; no socket is known here.

// What a stranger sends cannot make us panic.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod api;
pub mod body;
mod chars;
mod dialog;
pub mod digest;
mod endpoint;
mod error;
mod extensions;
pub mod frame;
pub mod gate;
pub mod header;
mod host;
mod leg;
pub mod message;
mod name_addr;
mod params;
mod parse;
mod refer;
mod registrar;
mod replaces;
mod subscription;
mod table;
mod transaction;
pub mod trunk;
mod uri;
mod via;
mod vocabulary;
mod write;

pub use endpoint::{Admission, Blocked, BlockedAccount, Endpoint, Gauges, NoAddress};
pub use error::{ParseError, Rejected, ReplyTo};
pub use frame::{Framed, Framer};
pub use header::{HeaderName, Headers};
pub use host::Host;
pub use message::{CSeq, Contacts, Head, Message, Method, Request, Response};
pub use name_addr::NameAddr;
pub use params::Params;
pub use parse::parse;
pub use uri::{AnyUri, OtherUri, Scheme, Uri};
pub use via::{Via, ViaTransport};
pub use write::Writer;

#[cfg(test)]
mod tests;
