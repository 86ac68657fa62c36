//! What a figure comes to, beside its limit, judged on exact values and rounded only to be shown.

use crate::view::Ratio;
use serde::{Serialize, Serializer, ser::SerializeStruct};

/// Milliseconds of a minute.
const MINUTE_MS: u64 = 60_000;

/// A figure's value and the limit of its kind. Both limits include themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Value {
    /// A part of a whole that must be large enough.
    Share {
        /// The exact fraction.
        #[serde(flatten)]
        ratio: Ratio,
        /// Whole percent.
        at_least_percent: u64,
    },
    /// A mean time that must be short enough.
    Mean {
        /// The exact sum and count.
        #[serde(flatten)]
        mean: Mean,
        /// Whole minutes.
        at_most_minutes: u64,
    },
}

/// A sum of times over a count of tickets. A count of 0 is "no tickets", which is not 0 minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mean {
    /// All times together.
    pub sum_ms: u64,
    /// Of so many tickets.
    pub count: u64,
}

/// What a value is worth against its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing to judge.
    NoValue,
    /// At the limit or on its good side.
    Within,
    /// Beyond the limit.
    Missed,
}

impl Mean {
    /// Adds one ticket's time.
    pub(super) fn add(&mut self, ms: u64) {
        self.sum_ms = self.sum_ms.saturating_add(ms);
        self.count += 1;
    }

    /// The mean in minutes with two decimals, half up (`12.35`); none when there are no tickets.
    #[must_use]
    pub fn minutes(self) -> Option<String> {
        let divisor = u128::from(self.count) * u128::from(MINUTE_MS);
        let hundredths =
            (u128::from(self.sum_ms) * 200 + divisor).checked_div(divisor.checked_mul(2)?)?;
        Some(format!("{}.{:02}", hundredths / 100, hundredths % 100))
    }
}

impl Value {
    /// Judged on the exact value.
    #[must_use]
    pub fn judged(self) -> Verdict {
        let (empty, within) = match self {
            Self::Share { ratio: Ratio { part, whole }, at_least_percent } => (
                whole == 0,
                u128::from(part) * 100 >= u128::from(whole) * u128::from(at_least_percent),
            ),
            Self::Mean { mean: Mean { sum_ms, count }, at_most_minutes } => (
                count == 0,
                u128::from(sum_ms)
                    <= u128::from(count) * u128::from(at_most_minutes) * u128::from(MINUTE_MS),
            ),
        };
        match (empty, within) {
            (true, _) => Verdict::NoValue,
            (false, true) => Verdict::Within,
            (false, false) => Verdict::Missed,
        }
    }
}

impl Serialize for Mean {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Mean", 3)?;
        out.serialize_field("sum_ms", &self.sum_ms)?;
        out.serialize_field("count", &self.count)?;
        out.serialize_field("minutes", &self.minutes())?;
        out.end()
    }
}

#[cfg(test)]
mod tests {
    use super::{Mean, Value, Verdict};
    use crate::view::Ratio;

    #[test]
    fn a_mean_is_shown_half_up_and_judged_exactly() {
        let table = [
            ("no tickets is not 0 minutes", 0, 0, None, Verdict::NoValue),
            ("no time at all", 0, 3, Some("0.00"), Verdict::Within),
            ("the limit itself is within", 5_400_000, 3, Some("30.00"), Verdict::Within),
            ("a hair above, shown as the limit", 5_400_001, 3, Some("30.00"), Verdict::Missed),
            ("0.005 goes up", 300, 1, Some("0.01"), Verdict::Within),
            ("0.00498… stays", 299, 1, Some("0.00"), Verdict::Within),
            ("a third of a minute", 60_000, 3, Some("0.33"), Verdict::Within),
            ("no overflow", u64::MAX, 1, Some("307445734561825.86"), Verdict::Missed),
        ];
        for (case, sum_ms, count, shown, verdict) in table {
            let mean = Mean { sum_ms, count };
            assert_eq!(mean.minutes().as_deref(), shown, "{case}");
            assert_eq!(Value::Mean { mean, at_most_minutes: 30 }.judged(), verdict, "{case}");
        }
    }

    #[test]
    fn a_share_is_judged_exactly() {
        let table = [
            ("nothing", 0, 0, Verdict::NoValue),
            ("the limit itself is within", 9, 10, Verdict::Within),
            ("a hair below, shown as 90.00", 899_999, 1_000_000, Verdict::Missed),
            ("none", 0, 1, Verdict::Missed),
            ("all", 7, 7, Verdict::Within),
        ];
        for (case, part, whole, verdict) in table {
            let value = Value::Share { ratio: Ratio { part, whole }, at_least_percent: 90 };
            assert_eq!(value.judged(), verdict, "{case}");
        }
    }
}
