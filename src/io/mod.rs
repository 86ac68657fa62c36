//! Everything that touches the world, with no rule of the desk inside. No part of `io` imports
//! another part; `daemon` joins them.

pub mod deliver;
pub mod dns;
pub mod http;
pub mod media;
pub mod net;
pub mod recording;
pub mod store;
pub mod telemetry;
pub mod trace;
