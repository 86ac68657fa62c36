//! A mean, exact until it is shown.

use serde::{Serialize, Serializer, ser::SerializeStruct};

/// A sum over a count, exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Average {
    /// Milliseconds together.
    pub sum_ms: u64,
    /// Of so many calls.
    pub count: u64,
}

impl Average {
    /// Seconds with one decimal, half up; none of no calls.
    #[must_use]
    pub fn seconds(self) -> Option<String> {
        let whole = u128::from(self.count) * 200;
        let doubled = u128::from(self.sum_ms) * 2 + u128::from(self.count) * 100;
        let tenths = doubled.checked_div(whole)?;
        Some(format!("{}.{}", tenths / 10, tenths % 10))
    }
}

impl Serialize for Average {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Average", 3)?;
        out.serialize_field("sum_ms", &self.sum_ms)?;
        out.serialize_field("count", &self.count)?;
        out.serialize_field("seconds", &self.seconds())?;
        out.end()
    }
}

#[cfg(test)]
mod tests {
    use super::Average;

    #[test]
    fn an_average_is_shown_half_up() {
        let table = [
            (0, 0, None),
            (0, 3, Some("0.0")),
            (49, 1, Some("0.0")),
            (50, 1, Some("0.1")),
            (40_002, 3, Some("13.3")),
            (1_000, 3, Some("0.3")),
            (u64::MAX, 1, Some("18446744073709551.6")),
        ];
        for (sum_ms, count, shown) in table {
            assert_eq!(Average { sum_ms, count }.seconds().as_deref(), shown, "{sum_ms}/{count}");
        }
    }
}
