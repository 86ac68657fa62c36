//! A month beside the one before and the same a year ago. A closed month has the figures that it was closed
//! with.

use crate::view::{Figures, Month, Ratio, Tally, Views};
use serde::Serialize;

/// Three months.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// The report's.
    pub this: Column,
    /// The one before.
    pub before: Column,
    /// The same a year ago.
    pub year_ago: Column,
}

/// One month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Which.
    pub month: Month,
    /// The revision that its figures are of; none while it is open.
    pub revision: Option<u32>,
    /// None: the history has no call of it.
    pub figures: Option<Figures>,
}

impl Compared {
    pub(super) fn of(views: &Views, month: Month) -> Self {
        Self {
            this: column(views, month),
            before: column(views, month.earlier(1)),
            year_ago: column(views, month.earlier(12)),
        }
    }
}

fn column(views: &Views, month: Month) -> Column {
    if let Some(closed) = views.closed_month(month).last() {
        let figures = Some(closed.as_figures(views.policy()));
        return Column { month, revision: Some(closed.revision), figures };
    }
    let counted = views.service_level(month);
    let any = views.month_tally(month) != Tally::default() || counted.excluded.arrived > 0;
    Column { month, revision: None, figures: any.then_some(counted.figures) }
}

/// A difference that is exact until it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Of counts.
    Count(i128),
    /// Of two fractions, in hundredths of a percent, half away from 0.
    Points(i128),
}

impl Change {
    /// From `then` to `now`.
    #[must_use]
    pub fn of_counts(then: u64, now: u64) -> Self {
        Self::Count(i128::from(now) - i128::from(then))
    }

    /// From `then` to `now`; none when either has no calls, or counts beyond reason.
    #[must_use]
    pub fn of_ratios(then: Ratio, now: Ratio) -> Option<Self> {
        let (a, b) = (i128::from(now.part), i128::from(now.whole));
        let (c, d) = (i128::from(then.part), i128::from(then.whole));
        let above = a.checked_mul(d)?.checked_sub(c.checked_mul(b)?)?.checked_mul(20_000)?;
        let below = b.checked_mul(d)?.checked_mul(2)?;
        let half = below / 2;
        let rounded = if above < 0 { above.checked_sub(half)? } else { above.checked_add(half)? };
        rounded.checked_div(below).map(Self::Points)
    }

    /// With its sign: `+3`, `-0.25`, `0`.
    #[must_use]
    pub fn shown(self) -> String {
        match self {
            Self::Count(0) => "0".to_owned(),
            Self::Count(count) => format!("{count:+}"),
            Self::Points(points) => {
                let sign = match points {
                    0 => "",
                    1.. => "+",
                    _ => "-",
                };
                let points = points.unsigned_abs();
                format!("{sign}{}.{:02}", points / 100, points % 100)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Change;
    use crate::view::Ratio;

    #[test]
    fn the_difference_of_two_rates_is_rounded_once() {
        let ratio = |part, whole| Ratio { part, whole };
        let table = [
            (ratio(0, 1), ratio(0, 7), Some("0.00")),
            (ratio(1, 3), ratio(2, 3), Some("+33.33")),
            (ratio(2, 3), ratio(1, 3), Some("-33.33")),
            (ratio(0, 1), ratio(1, 20_000), Some("+0.01")),
            (ratio(1, 20_000), ratio(0, 1), Some("-0.01")),
            // 3.545 and 3.535 are shown as 3.55 and 3.54, and differ by 0.01.
            (ratio(707, 20_000), ratio(709, 20_000), Some("+0.01")),
            (ratio(0, 0), ratio(1, 2), None),
            (ratio(1, 2), ratio(0, 0), None),
        ];
        for (then, now, shown) in table {
            let found = Change::of_ratios(then, now).map(Change::shown);
            assert_eq!(found.as_deref(), shown, "{then:?} {now:?}");
        }
        assert_eq!(Change::of_counts(3, 1).shown(), "-2");
        assert_eq!(Change::of_counts(1, 3).shown(), "+2");
    }
}
