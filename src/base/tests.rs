//! What tests of every room measure with.
//!
//! A test's work is counted by its own thread's time: a machine that is busy with others makes it no dearer.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// The processor's time that this thread has had since it began.
///
/// # Panics
///
/// Where the machine counts backwards.
pub(crate) fn spent() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).expect("since its start")
}
