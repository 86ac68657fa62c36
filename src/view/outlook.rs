//! Early warning: what a month's rates come to if its remaining days go as the last ones went, and how
//! much more the month can bear.
//!
//! A forecast from days, not a promise: a day that is closed out of turn counts as the plan has it, and what
//! the carrier refuses is in no figure.

use super::month::Month;
use super::ratio::{Limit, Rate, Ratio, Verdict};
use super::service_level::Tally;
use super::views::Views;
use crate::base::Wall;
pub use crate::event::Warning;
use schemars::JsonSchema;
use serde::Serialize;

/// The last whole service days with calls whose pace is taken for that of the rest of the month.
const PACE_DAYS: usize = 5;

/// How one rate of the month is going.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Outlook {
    /// So far.
    pub so_far: Rate,
    /// At the month's end, in hundredths of a call, if the remaining service days go as the last five whole
    /// ones with calls went;
    /// none before the first whole day.
    pub projected: Option<Rate>,
    /// So many more calls in the numerator, one after the other from now, are still within the limit.
    pub left_in_a_row: u64,
    /// So many more until the month's end, with the calls that are expected until then; none before the
    /// first whole day.
    pub left_in_month: Option<u64>,
    /// What is to be said of it.
    pub warning: Warning,
}

/// Both rates of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Outlooks {
    /// Which month.
    pub month: Month,
    /// 別紙4 No. 5.
    pub abandon: Outlook,
    /// 別紙4 No. 6.
    pub busy: Outlook,
}

/// How many more hits in a row leave the rate below its limit.
fn left_in_a_row(ratio: Ratio, limit: Limit) -> u64 {
    let (part, whole) = (u128::from(ratio.part), u128::from(ratio.whole));
    let limit = u128::from(limit.percent);
    // (part + n) / (whole + n) < limit / 100, solved for the greatest n.
    let room = (limit * whole).saturating_sub(100 * part);
    match (room, 100_u128.checked_sub(limit)) {
        (0, _) => 0,
        (room, Some(each @ 1..)) => u64::try_from((room - 1) / each).unwrap_or(u64::MAX),
        (_, _) => u64::MAX, // a limit of 100 % bears anything
    }
}

/// How many more hits leave `part` of a whole below its limit, when the whole is what it will be: that in
/// hundredths of a call.
fn left_of(part: u64, whole_hundredths: u64, limit: Limit) -> u64 {
    let (part, whole) = (u128::from(part) * 100, u128::from(whole_hundredths));
    let room = (u128::from(limit.percent) * whole).saturating_sub(100 * part);
    u64::try_from(room.saturating_sub(1) / 10_000).unwrap_or(u64::MAX)
}

/// The rate at the month's end: what there is, and the pace of `days` days for `more` days.
fn at_the_end(so_far: Ratio, pace: Ratio, days: u64, more: u64) -> Option<Ratio> {
    // In hundredths of a call, half up: a pace is no whole number of calls, a verdict is one of fractions.
    let grown = |now: u64, pace: u64| {
        let more = pace.checked_mul(more)?.checked_mul(100)?.checked_add(days / 2)?;
        now.checked_mul(100)?.checked_add(more.checked_div(days)?)
    };
    Some(Ratio { part: grown(so_far.part, pace.part)?, whole: grown(so_far.whole, pace.whole)? })
}

fn outlook(so_far: Rate, pace: Option<(Ratio, u64)>, more: u64) -> Outlook {
    let limit = so_far.limit_percent;
    let end = pace.and_then(|(pace, days)| at_the_end(so_far.ratio, pace, days, more));
    let projected = end.map(|end| Rate::new(end, limit));
    let missed = |rate: &Rate| rate.ratio.judged(limit) == Verdict::Missed;
    let warning = match (so_far.verdict, &projected) {
        // Nobody is warned of what is not judged.
        (Verdict::Adjustment, _) => Warning::None,
        (Verdict::Missed, _) => Warning::Missed,
        (Verdict::Within | Verdict::NoCalls, Some(end)) if missed(end) => Warning::Projected,
        (Verdict::Within | Verdict::NoCalls, _) => Warning::None,
    };
    let left_in_month = end.map(|end| left_of(so_far.ratio.part, end.whole, limit));
    let left_in_a_row = left_in_a_row(so_far.ratio, limit);
    Outlook { so_far, projected, left_in_a_row, left_in_month, warning }
}

impl Views {
    /// How the month of `now` is going.
    #[must_use]
    pub fn outlook(&self, now: Wall) -> Outlooks {
        let today = self.day_of(now);
        let month = Month::of(today);
        let whole_days = self.ledger.days(month.first(), today);
        let mut paced: Vec<&Tally> = whole_days
            .filter(|(day, counts, _)| {
                // Who calls on a closed day finds it closed: that is no day to take a pace from.
                *day < today && counts.outcomes.sum() > 0 && self.serves_on(*day)
            })
            .map(|(_, counts, _)| counts)
            .collect();
        let paced = paced.split_off(paced.len().saturating_sub(PACE_DAYS));
        let mut sum = Tally::default();
        for counts in &paced {
            sum.merge(counts);
        }
        let days = u64::try_from(paced.len()).unwrap_or(0);
        let pace = sum.figures(self.policy());
        let of = |ratio: Ratio| (days > 0).then_some((ratio, days));
        let more = self.service_days().after(today, month.last());
        let figures = self.month_figures(month);
        Outlooks {
            month,
            abandon: outlook(figures.abandon_rate, of(pace.abandon_rate.ratio), more),
            busy: outlook(figures.busy_rate, of(pace.busy_rate.ratio), more),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEN: Limit = Limit { percent: 10 };

    fn rate(part: u64, whole: u64) -> Rate {
        Rate::new(Ratio { part, whole }, TEN)
    }

    #[test]
    fn what_is_left_and_what_is_warned_of() {
        use Warning::{Missed, Projected};
        let pace = |part, whole, days| Some((Ratio { part, whole }, days));
        // (case, so far, pace and its days, days to come, in a row, in the month, warning)
        let table = [
            ("no calls at all", (0, 0), None, 20, 0, None, Warning::None),
            ("the first day", (1, 100), None, 20, 9, None, Warning::None),
            ("at the limit", (10, 100), None, 20, 0, None, Missed),
            ("one below it", (9, 100), None, 20, 1, None, Warning::None),
            // 100 calls and 2 abandons a day for ten days: 1,100 calls, less than 110 abandons.
            ("a calm month", (5, 100), pace(2, 100, 1), 10, 5, Some(104), Warning::None),
            // (5 + 15 * 10) / (100 + 1000) = 14.09 %.
            ("days that went wrong", (5, 100), pace(15, 100, 1), 10, 5, Some(104), Projected),
            ("the last day", (5, 100), pace(15, 100, 1), 0, 5, Some(4), Warning::None),
            // (9 + 1/3) / (100 + 1/3) is below; two more days of it still are.
            ("a third of a call a day", (9, 100), pace(1, 1, 3), 1, 1, Some(1), Warning::None),
            ("missed, and calm since", (20, 100), pace(0, 100, 1), 30, 0, Some(289), Missed),
        ];
        for (case, (part, whole), pace, more, in_a_row, in_month, warning) in table {
            let found = outlook(rate(part, whole), pace, more);
            assert_eq!(found.left_in_a_row, in_a_row, "{case}");
            assert_eq!(found.left_in_month, in_month, "{case}");
            assert_eq!(found.warning, warning, "{case}");
        }
        let unjudged = outlook(rate(50, 100).unjudged(), pace(50, 100, 1), 10);
        assert_eq!(unjudged.warning, Warning::None, "the adjustment period");
        let everything = Limit { percent: 100 };
        assert_eq!(left_in_a_row(Ratio { part: 1, whole: 2 }, everything), u64::MAX);
    }

    proptest! {
        /// The last one that is left is within the limit, the next one is not.
        #[test]
        fn one_more_than_is_left_misses(part in 0u64..3_000, more in 0u64..20_000, percent in 1u32..100) {
            let (ratio, limit) = (Ratio { part, whole: part + more }, Limit { percent });
            prop_assume!(ratio.judged(limit) == Verdict::Within);
            let left = left_in_a_row(ratio, limit);
            let after = |n| Ratio { part: part + n, whole: part + more + n }.judged(limit);
            prop_assert_eq!(after(left), Verdict::Within);
            prop_assert_eq!(after(left + 1), Verdict::Missed);
            let left = left_of(part, ratio.whole * 100, limit);
            let after = |n| Ratio { part: part + n, whole: part + more }.judged(limit);
            prop_assert_eq!(after(left), Verdict::Within);
            prop_assert_eq!(after(left + 1), Verdict::Missed);
        }
    }
}
