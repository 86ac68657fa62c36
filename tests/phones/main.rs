//! Real phones at the running desk: SIPp as callers and carrier, baresip as agents' softphones, and a
//! scripted phone where the exact order of messages matters. Names say what a person notices.
#![allow(clippy::pedantic, clippy::disallowed_methods)]

#[path = "../support/mod.rs"]
mod support;

mod agents;
mod asking;
mod attended;
mod by_keys;
mod codecs;
mod drain;
mod edges;
mod extensions;
mod figures;
mod groups;
mod hears;
mod hours;
mod keypads;
mod ladders;
mod lamps;
mod menu;
mod networks;
mod outcomes;
mod parking;
mod quality;
mod recording;
mod reload;
mod rig;
mod survey;
mod table;
mod talk;
mod telling;
mod tones;
mod transfers;
mod transports;
