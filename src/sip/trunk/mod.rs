//! The carrier's side of SIP: what a trunk is like (`profile`), how numbers are written there
//! (`number`), and what is read from a call that it brings (`inbound`).
//!
//! Knows no call's rules, and no carrier by name: what differs between carriers is data.

pub(in crate::sip) mod inbound;
pub mod number;
mod profile;
mod upstream;

pub use profile::{
    Called, ContactUser, IdentityOut, Numbers, Profile, Registration, Reliable, Withhold,
};
pub use upstream::{Login, MAX_SERVERS, Server, Upstream};
