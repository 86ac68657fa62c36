//! What a test's own work costs. Other threads, and a machine that is busy with others, cost it nothing.

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
