//! What attackers try at a desk, row by row: `rows` is the table of docs/SECURITY.md with the test that holds each
//! row; what no other test holds is tried here, over real sockets at the running daemon.
#![allow(clippy::pedantic, clippy::disallowed_methods)]

#[path = "../support/mod.rs"]
mod support;

mod bill;
mod copied;
mod crowd;
mod heads;
mod rows;
mod secrets;
mod sound;
mod speakers;
mod stranger;
mod table;
mod toll;
mod watchers;
