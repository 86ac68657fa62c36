//! Wiring: what is configured becomes sockets, threads, an engine and pages; what the system says
//! (signals, watchdog) is passed on. The only room that sees all others, and it decides nothing.

mod call_log;
mod certificates;
mod demonstration;
mod drain;
mod engine_loop;
mod erasing;
mod feeding;
mod figures;
mod inlet;
mod keeper;
mod layout;
mod panics;
mod past;
mod planning;
mod plans;
mod pulse;
mod random;
mod reload;
mod retention;
mod room;
mod run;
mod sign_on;
mod start;
mod warning;
mod watch;

pub use run::{demonstrate, serve};
