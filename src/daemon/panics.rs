//! What a panic may say: where it was, and nothing of what it was about. Its own words can hold a piece
//! of a message (a slice that fails quotes the text), and so somebody's number.

use std::backtrace::{Backtrace, BacktraceStatus};

/// From now on a panic is one line of the log, with a backtrace when `RUST_BACKTRACE` asks for it.
pub fn tell_the_place_only() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("nameless");
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            tracing::error!(place, thread, "a panic, which came by\n{trace}");
        } else {
            tracing::error!(place, thread, "a panic");
        }
    }));
}
