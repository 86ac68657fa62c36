//! How long is waited before something is tried again.

use std::time::Duration;

/// The longest pause between two tries, also when the other side asks for more.
pub const LONGEST_PAUSE: Duration = Duration::from_mins(15);
/// The first pause is at most this long; each further one at most twice the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The pause behind the try of this number, from 1. `drawn` is a random number: pauses are spread over their
/// whole length, so that many who failed together do not come back at one moment. `least` is waited in any
/// case, up to [`LONGEST_PAUSE`].
#[must_use]
pub fn pause(number: u32, least: Duration, drawn: u64) -> Duration {
    let doubled = 1_u32.checked_shl(number.saturating_sub(1)).unwrap_or(u32::MAX);
    let most = FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE);
    let most_ms = u64::try_from(most.as_millis()).unwrap_or(u64::MAX).max(1);
    let spread = Duration::from_millis(drawn % most_ms + 1);
    spread.max(least.min(LONGEST_PAUSE))
}
