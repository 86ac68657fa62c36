//! The pages in a real browser (Debian's chromium, without windows), over a running desk with real phones. Names say what a person
//! at the screen notices. Pictures of what was seen lie in target/pages.
#![allow(clippy::pedantic, clippy::disallowed_methods)]

#[path = "../support/folder.rs"]
mod folder;
#[path = "../support/mod.rs"]
mod support;

mod browser;
mod libraries;
mod panel;
mod panel_moved;
mod panel_told;
mod planning;
mod recordings;
mod rig;
mod sign_on;
mod supervisor;
mod supervisor_told;
mod tickets;
mod wallboard;
mod wallboard_hours;
