//! The carrier's side of SIP: what a trunk is like (`profile`), how numbers are written there
//! (`number`), what is read from a call that it brings (`inbound`), where its servers are (`upstream`,
//! `names`), and whether they are well and know us (`line`).
//!
//! Knows no call's rules, and no carrier by name: what differs between carriers is data.

pub(in crate::sip) mod inbound;
pub(in crate::sip) mod line;
mod names;
pub mod number;
mod profile;
mod upstream;

use crate::base::Mono;
use std::time::Duration;

pub use line::LineState;
pub use names::{Answer, Found, Names};
pub use profile::{
    Called, ContactUser, IdentityOut, Numbers, Profile, Registration, Reliable, Withhold,
};
pub use upstream::{Login, MAX_SERVERS, Server, Upstream};

/// `now` and `span`.
fn later(now: Mono, span: Duration) -> Mono {
    let us = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
    Mono(now.0.saturating_add(us))
}
