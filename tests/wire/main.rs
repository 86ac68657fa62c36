//! What comes over the wire from strangers: the torture messages of RFC 4475 and RFC 5118, and garbage
//! on every port, at the running daemon.
#![allow(clippy::pedantic, clippy::disallowed_methods)]

#[path = "../support/mod.rs"]
mod support;

mod garbage;
mod torture;

use support::desk::Desk;
use support::line::Line;
use support::s;

/// The daemon answers an OPTIONS at once.
#[track_caller]
fn answers(desk: &Desk, line: &mut Line, after: &str) {
    let options = line.request("OPTIONS", "0312340010", "", "");
    let answer = line.look(s(1), |m| m.header("Call-ID") == Some(&options.id));
    let answer =
        answer.unwrap_or_else(|| panic!("no answer to OPTIONS within a second after {after}"));
    assert_eq!(answer.status(), Some(200), "after {after}: {answer}");
    let _ = desk;
}
