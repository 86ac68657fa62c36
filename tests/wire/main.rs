//! What comes over the wire from strangers: the torture messages of RFC 4475 and RFC 5118, garbage on
//! every port, TLS, WebSocket and STUN as others speak them, at the running daemon.
#![allow(clippy::pedantic, clippy::disallowed_methods)]

#[path = "../support/mod.rs"]
mod support;

mod blocked;
mod garbage;
mod idle;
mod logged;
mod secure;
mod storm;
mod stun;
mod torture;
mod watchdog;
mod watched;
mod websocket;

use support::line::Line;
use support::s;

/// The daemon answers an OPTIONS within a second.
#[track_caller]
fn answers(line: &mut Line, after: &str) {
    assert!(asked(line), "no answer to OPTIONS within a second after {after}");
}

/// The daemon answers an OPTIONS, which is sent again each second, within five: after a flood the
/// socket's buffer may be full.
#[track_caller]
fn answers_soon(line: &mut Line, after: &str) {
    assert!((0..5).any(|_| asked(line)), "no answer to OPTIONS within five seconds after {after}");
}

fn asked(line: &mut Line) -> bool {
    let options = line.request("OPTIONS", "0312340010", "", "");
    let answer = line.look(s(1), |m| m.header("Call-ID") == Some(&options.id));
    answer.is_some_and(|answer| answer.status() == Some(200))
}
