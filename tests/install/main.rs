//! What an operator meets first: how little the unit leaves open, a secret that systemd hands over, commands that
//! reach a desk by TLS.
#![allow(clippy::pedantic, clippy::disallowed_methods)]

#[path = "../support/mod.rs"]
mod support;
mod unit;
