//! The pure rooms under test and the targets, without the rest of the daemon: a fuzzer that links no
//! database and no HTTP server is built in a minute and runs faster.
#![allow(dead_code, unused_imports)]

#[path = "../../src/base/mod.rs"]
pub mod base;
#[path = "../../src/dtls/mod.rs"]
pub mod dtls;
#[path = "../../src/ice/mod.rs"]
pub mod ice;
#[path = "../../src/rtp/mod.rs"]
pub mod rtp;
#[path = "../../src/sdp/mod.rs"]
pub mod sdp;
#[path = "../../src/sip/mod.rs"]
pub mod sip;
#[path = "../../src/srtp/mod.rs"]
pub mod srtp;
#[path = "../targets/mod.rs"]
pub mod targets;
