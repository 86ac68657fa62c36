//! When a telling that failed is tried again, and when no more.

use crate::base::backoff;
use crate::event::{ToldBy, Untold};
use std::time::Duration;

/// The shortest pause behind a refusal that another try will hardly change.
const REFUSED_PAUSE: Duration = Duration::from_secs(60);
/// So many refusals in a row that another try will hardly change end the telling.
pub const GIVEN_UP_AT: u32 = 3;

/// A try that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Try {
    /// By what.
    pub by: ToldBy,
    /// What it came to.
    pub untold: Untold,
    /// What the receiver asked for.
    pub retry_after: Option<Duration>,
    /// Which it was, from 1.
    pub number: u32,
    /// Refusals in a row that another try will hardly change, before this one.
    pub refusals: u32,
}

/// What is done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is tried again behind a pause, with so many such refusals in a row.
    Again {
        /// How long.
        pause: Duration,
        /// Refusals in a row, this one included.
        refusals: u32,
    },
    /// It is told no more.
    GiveUp,
}

/// Whether another try will hardly change the answer.
fn is_lasting(by: ToldBy, untold: Untold) -> bool {
    match (by, untold) {
        (_, Untold::Unreachable | Untold::TimedOut | Untold::TooLate) => false,
        // Whoever holds the secret or the rights may mend these; the others say "later".
        (ToldBy::Webhook, Untold::Refused { status: 401 | 403 | 407 | 408 | 425 | 429 }) => false,
        (ToldBy::Webhook, Untold::Refused { status }) => status < 500,
        // RFC 5321 §4.2.1: 4yz is "try again", 5yz is not.
        (ToldBy::Mail, Untold::Refused { status }) => status >= 500,
    }
}

/// What follows a try that failed. `left` is the time until it is given up, `drawn` a random number: pauses
/// are spread over their whole length, so that many senders do not come back at one moment.
#[must_use]
pub fn next(it: Try, left: Duration, drawn: u64) -> Next {
    let lasting = is_lasting(it.by, it.untold);
    let refusals = if lasting { it.refusals.saturating_add(1) } else { 0 };
    if left.is_zero() || refusals >= GIVEN_UP_AT {
        return Next::GiveUp;
    }
    let least = if lasting { REFUSED_PAUSE } else { Duration::ZERO };
    let asked = it.retry_after.unwrap_or_default();
    // What is due to be given up is tried once more just before.
    let pause = backoff::pause(it.number, least.max(asked), drawn).min(left);
    Next::Again { pause, refusals }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::backoff::LONGEST_PAUSE;

    const LONG: Duration = Duration::from_secs(86_400);

    fn failed(by: ToldBy, untold: Untold, number: u32, refusals: u32) -> Try {
        Try { by, untold, retry_after: None, number, refusals }
    }

    #[test]
    fn what_may_pass_is_tried_until_its_time_is_over_and_what_will_not_three_times() {
        use ToldBy::{Mail, Webhook};
        let status = |status| Untold::Refused { status };
        let table = [
            (Webhook, Untold::Unreachable, false),
            (Webhook, Untold::TimedOut, false),
            (Webhook, status(500), false),
            (Webhook, status(503), false),
            (Webhook, status(429), false),
            (Webhook, status(401), false),
            (Webhook, status(302), true),
            (Webhook, status(404), true),
            (Webhook, status(422), true),
            (Mail, status(451), false),
            (Mail, status(550), true),
            (Mail, Untold::Unreachable, false),
        ];
        for (by, untold, lasting) in table {
            let mut refusals = 0;
            let mut tries = 0;
            for number in 1..=10 {
                tries = number;
                match next(failed(by, untold, number, refusals), LONG, 0) {
                    Next::Again { refusals: so_far, .. } => refusals = so_far,
                    Next::GiveUp => break,
                }
            }
            assert_eq!(tries, if lasting { GIVEN_UP_AT } else { 10 }, "{by:?} {untold:?}");
            let over = next(failed(by, untold, 1, 0), Duration::ZERO, 0);
            assert_eq!(over, Next::GiveUp, "{by:?} {untold:?}");
        }
    }

    #[test]
    fn pauses_double_to_a_quarter_of_an_hour_and_never_pass_the_end() {
        let pause = |it, left, drawn| match next(it, left, drawn) {
            Next::Again { pause, .. } => pause,
            Next::GiveUp => panic!("given up"),
        };
        let s = Duration::from_secs;
        for (number, most) in
            [(1, 1), (2, 2), (5, 16), (10, 512), (11, 900), (40, 900), (4_000, 900)]
        {
            let it = failed(ToldBy::Webhook, Untold::TimedOut, number, 0);
            assert_eq!(pause(it, LONG, most * 1_000 - 1), s(most), "try {number}");
            assert!(pause(it, LONG, u64::MAX) <= s(most), "try {number}");
            assert!(pause(it, LONG, 0) > Duration::ZERO, "try {number}");
        }
        let it = failed(ToldBy::Webhook, Untold::TimedOut, 20, 0);
        assert_eq!(pause(it, s(7), 899_999), s(7));
        let asked = |after| Try { retry_after: Some(s(after)), ..it };
        assert_eq!(pause(Try { number: 1, ..asked(120) }, LONG, 0), s(120));
        assert_eq!(pause(Try { number: 1, ..asked(86_000) }, LONG, 0), LONGEST_PAUSE);
        let refused = failed(ToldBy::Webhook, Untold::Refused { status: 404 }, 1, 0);
        assert_eq!(pause(refused, LONG, 0), REFUSED_PAUSE);
    }
}
