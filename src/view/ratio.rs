//! Exact fractions, judged as they are and rounded only to be shown.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct};
use std::fmt;

/// Part of a whole, in calls. A whole of 0 is "no calls", which is not 0 %.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ratio {
    /// The numerator.
    pub part: u64,
    /// The denominator.
    pub whole: u64,
}

impl Ratio {
    /// Hundredths of a percent, half up; none when there are no calls.
    #[must_use]
    pub fn basis_points(self) -> Option<u64> {
        let whole = u128::from(self.whole);
        let doubled = u128::from(self.part) * 20_000 + whole;
        doubled.checked_div(whole * 2).map(|points| u64::try_from(points).unwrap_or(u64::MAX))
    }

    /// The percentage with two decimals, half up (`3.55`); none when there are no calls.
    #[must_use]
    pub fn percent(self) -> Option<String> {
        self.basis_points().map(|points| format!("{}.{:02}", points / 100, points % 100))
    }

    /// As a number between 0 and 1, for a metric; NaN when there are no calls.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // Counts of calls are far below 2^53.
    pub fn as_f64(self) -> f64 {
        if self.whole == 0 { f64::NAN } else { self.part as f64 / self.whole as f64 }
    }

    /// Judged on the exact fraction; `limit` itself is a miss.
    #[must_use]
    pub fn judged(self, limit: Limit) -> Verdict {
        if self.whole == 0 {
            Verdict::NoCalls
        } else if u128::from(self.part) * 100 < u128::from(limit.percent) * u128::from(self.whole) {
            Verdict::Within
        } else {
            Verdict::Missed
        }
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.percent() {
            Some(percent) => write!(f, "{percent} % ({}/{})", self.part, self.whole),
            None => f.write_str("no calls"),
        }
    }
}

impl Serialize for Ratio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Ratio", 3)?;
        out.serialize_field("part", &self.part)?;
        out.serialize_field("whole", &self.whole)?;
        out.serialize_field("percent", &self.percent())?;
        out.end()
    }
}

/// A strict upper limit in whole percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(transparent)]
pub struct Limit {
    /// The rate must be below this.
    pub percent: u32,
}

/// What a rate is worth against its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing to judge.
    NoCalls,
    /// Below the limit.
    Within,
    /// At the limit or above.
    Missed,
    /// The month is one of the adjustment period: shown, not judged.
    Adjustment,
}

/// A ratio beside its limit and the verdict, as shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Rate {
    /// The exact fraction.
    #[serde(flatten)]
    pub ratio: Ratio,
    /// The limit.
    pub limit_percent: Limit,
    /// The verdict.
    pub verdict: Verdict,
}

impl Rate {
    /// Judges `ratio`.
    #[must_use]
    pub fn new(ratio: Ratio, limit: Limit) -> Self {
        Self { ratio, limit_percent: limit, verdict: ratio.judged(limit) }
    }

    /// The same figure in a month that is not judged.
    #[must_use]
    pub fn unjudged(self) -> Self {
        match self.verdict {
            Verdict::NoCalls => self,
            Verdict::Within | Verdict::Missed | Verdict::Adjustment => {
                Self { verdict: Verdict::Adjustment, ..self }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Limit, Ratio, Verdict};

    #[test]
    fn shown_half_up_and_judged_exactly() {
        let ten = Limit { percent: 10 };
        let table = [
            ("no calls is not 0 %", 0, 0, None, Verdict::NoCalls),
            ("none of some", 0, 7, Some("0.00"), Verdict::Within),
            ("3.545 goes up", 709, 20_000, Some("3.55"), Verdict::Within),
            ("3.5449… stays", 708_999, 20_000_000, Some("3.54"), Verdict::Within),
            ("one third", 1, 3, Some("33.33"), Verdict::Missed),
            ("two thirds", 2, 3, Some("66.67"), Verdict::Missed),
            ("all", 5, 5, Some("100.00"), Verdict::Missed),
            ("the limit itself is missed", 10, 100, Some("10.00"), Verdict::Missed),
            (
                "shown as the limit, yet below it",
                999_999,
                10_000_000,
                Some("10.00"),
                Verdict::Within,
            ),
            ("a hair above", 1_000_001, 10_000_000, Some("10.00"), Verdict::Missed),
            ("no overflow", u64::MAX, u64::MAX, Some("100.00"), Verdict::Missed),
        ];
        for (case, part, whole, shown, verdict) in table {
            let ratio = Ratio { part, whole };
            assert_eq!(ratio.percent().as_deref(), shown, "{case}");
            assert_eq!(ratio.judged(ten), verdict, "{case}");
        }
        assert!(Ratio::default().as_f64().is_nan());
    }

    #[test]
    fn no_calls_is_null_in_json() {
        let text = serde_json::to_string(&Ratio::default()).expect("a ratio is JSON");
        assert_eq!(text, r#"{"part":0,"whole":0,"percent":null}"#);
    }
}
