//! What the tests against the running daemon share: the daemon itself on free loopback ports, real
//! phones (SIPp, baresip, and a scripted one for the exact order of messages), an ear that records RTP
//! and finds a prompt in it, and the eyes on the HTTP API. No rule of the desk is known here.
//!
//! Everything started here belongs to the test that started it and dies with it.
#![allow(dead_code, clippy::pedantic, clippy::disallowed_methods)]

pub mod capture;
pub mod desk;
pub mod ear;
pub mod http;
pub mod kamailio;
pub mod line;
pub mod linphone;
pub mod message;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod provider;
pub mod redmine;
pub mod router;
pub mod rt;
pub mod seeded;
pub mod sipp;
pub mod sipsak;
pub mod softphone;
pub mod sound;
pub mod tape;
pub mod tls;

use std::time::{Duration, Instant};

/// Asks every 20 ms until the answer is `Some`, or `None` when `within` has passed.
pub fn poll<T>(within: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let until = Instant::now() + within;
    loop {
        if let Some(found) = ask() {
            return Some(found);
        }
        if Instant::now() >= until {
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until `ask` holds; panics with `what` when it does not within `within`.
#[track_caller]
pub fn eventually(what: &str, within: Duration, mut ask: impl FnMut() -> bool) {
    assert!(poll(within, || ask().then_some(())).is_some(), "not within {within:?}: {what}");
}

/// What somebody else's program may take to come up: no promise of the desk's, and on a busy machine with cold disks
/// a script of some hundred files has needed more than 20 s.
pub const COMES_UP: Duration = s(90);

/// A number of the environment, for scripts that want more of a test than each run has.
pub fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Waits: phones need real time.
pub fn rest(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

/// Seconds, for brevity in tests.
pub const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Milliseconds, for brevity in tests.
pub const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
