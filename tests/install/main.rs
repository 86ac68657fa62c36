//! What an operator meets first: the files that `init` makes carry a first call and are reached by every command,
//! `doctor` finds the desk, the unit leaves open as little as it can, and systemd may hand over secrets. The Debian
//! package itself is tried by scripts/package-check.
#![allow(clippy::pedantic, clippy::disallowed_methods)]

mod first;
#[path = "../support/mod.rs"]
mod support;
mod unit;
