//! When our next report is due (RFC 3550 §6.2, §6.3).

use crate::base::{Mono, Rng};
use std::time::Duration;

/// Between two reports, before chance. Two sides of one voice are far below their share of the line (5 % of
/// it: one packet in half a second), so that the least interval is what always holds (§6.2).
pub const LEAST_INTERVAL: Duration = Duration::from_secs(5);
/// 10^6 / (e - 3/2): what makes up for the interval being reckoned anew (§6.3.1).
const COMPENSATION: u64 = 820_866;

/// The clock of one leg's reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    at: Mono,
}

impl Due {
    /// Of a leg that can begin to report now: half the interval at first (§6.3.1).
    #[must_use]
    pub fn first(now: Mono, rng: &mut Rng) -> Self {
        Self { at: later(now, LEAST_INTERVAL.checked_div(2).unwrap_or_default(), rng) }
    }

    /// Whether one is due; the next is then set.
    pub fn take(&mut self, now: Mono, rng: &mut Rng) -> bool {
        let due = now >= self.at;
        if due {
            self.at = later(now, LEAST_INTERVAL, rng);
        }
        due
    }
}

/// Between half and one and a half of `interval` from now on, by chance, so that the desk's legs do not speak
/// in step; less what makes up for it.
fn later(now: Mono, interval: Duration, rng: &mut Rng) -> Mono {
    let micros = u64::try_from(interval.as_micros()).unwrap_or(u64::MAX);
    let half = micros.checked_div(2).unwrap_or(0);
    let drawn = half.saturating_add(rng.below(micros.max(1))).saturating_mul(COMPENSATION);
    Mono(now.0.saturating_add(drawn.checked_div(1_000_000).unwrap_or(micros)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_spread_around_the_interval() {
        let mut rng = Rng::from_number(3);
        let mut due = Due::first(Mono::ZERO, &mut rng);
        let first = due.at;
        assert!((1_026_000..=3_079_000).contains(&first.0), "{first:?}");
        let (mut spans, mut before) = (Vec::new(), first);
        for _ in 0..2_000 {
            assert!(!due.take(Mono(before.0 - 1), &mut rng));
            assert!(due.take(before, &mut rng));
            spans.push(due.at.0 - before.0);
            before = due.at;
        }
        assert!(spans.iter().all(|span| (2_052_000..=6_157_000).contains(span)));
        let mean = spans.iter().sum::<u64>() / 2_000;
        assert!((4_000_000..4_210_000).contains(&mean), "{mean}");
    }
}
