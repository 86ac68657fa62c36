//! What must hold whatever bytes come, one function a target. Each takes the fuzzer's bytes and panics
//! when a promise of a pure room is broken; that it does not panic by itself is the first promise.
//! Compiled twice: by the fuzz package for cargo-fuzz, and by tests/fuzz.rs for every test run.

mod dtls;
mod ice;
mod model;
mod parts;
mod script;
mod sound;
mod srtp;
mod values;

pub use dtls::dtls;
pub use ice::ice;
pub use parts::{framing, message, multipart, sdp};
pub use script::operations;
pub use sound::{keys, rtcp, rtp};
pub use srtp::{sdes, srtp};
pub use values::{auth, uri, via};

/// Takes the fuzzer's bytes.
pub type Target = fn(&[u8]);

/// Every target by name, as in fuzz/fuzz_targets and fuzz/seeds.
pub const ALL: [(&str, Target); 15] = [
    ("message", message),
    ("uri", uri),
    ("via", via),
    ("auth", auth),
    ("sdp", sdp),
    ("multipart", multipart),
    ("framing", framing),
    ("operations", operations),
    ("srtp", srtp),
    ("sdes", sdes),
    ("ice", ice),
    ("dtls", dtls),
    ("rtp", rtp),
    ("keys", keys),
    ("rtcp", rtcp),
];
