//! A calendar month, the contract's unit of judging.

use crate::base::{Wall, kept};
use chrono::{Datelike, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone};
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A month of a year, written `2026-10`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    year: i32,
    month: u32,
}

kept!(struct Month { year, month });

impl Month {
    /// The month that `day` lies in.
    #[must_use]
    pub fn of(day: NaiveDate) -> Self {
        Self { year: day.year(), month: day.month() }
    }

    /// Its first day.
    #[must_use]
    pub fn first(self) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.year, self.month, 1).unwrap_or(NaiveDate::MIN)
    }

    /// So many months later.
    #[must_use]
    pub fn later(self, months: u32) -> Self {
        self.first().checked_add_months(Months::new(months)).map_or(self, Self::of)
    }

    /// So many months earlier.
    #[must_use]
    pub fn earlier(self, months: u32) -> Self {
        self.first().checked_sub_months(Months::new(months)).map_or(self, Self::of)
    }

    /// Its last day.
    #[must_use]
    pub fn last(self) -> NaiveDate {
        let (year, month) =
            if self.month == 12 { (self.year + 1, 1) } else { (self.year, self.month + 1) };
        NaiveDate::from_ymd_opt(year, month, 1)
            .and_then(|next| next.pred_opt())
            .unwrap_or(NaiveDate::MAX)
    }

    /// Its first instant in a zone. Where the clock is set forward at midnight, the day begins when the
    /// hour that is left out ends.
    #[must_use]
    pub fn begins(self, zone: chrono_tz::Tz) -> Wall {
        let midnight = self.first().and_time(NaiveTime::MIN);
        let first = zone.from_local_datetime(&midnight).earliest();
        let next = || zone.from_local_datetime(&(midnight + TimeDelta::hours(1))).earliest();
        first.or_else(next).map_or(Wall(i64::MAX), |at| Wall(at.timestamp_millis()))
    }
}

/// Not a month; what is due is `2026-10`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a month; due is a year of four digits and a month, such as 2026-10")]
pub struct NotAMonth;

impl FromStr for Month {
    type Err = NotAMonth;

    fn from_str(text: &str) -> Result<Self, NotAMonth> {
        let (year, month) = text.split_once('-').ok_or(NotAMonth)?;
        let digits =
            |part: &str, len| part.len() == len && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(year, 4) || !digits(month, 2) {
            return Err(NotAMonth);
        }
        let (year, month) =
            (year.parse().map_err(|_| NotAMonth)?, month.parse().map_err(|_| NotAMonth)?);
        if !(1..=12).contains(&month) {
            return Err(NotAMonth);
        }
        Ok(Self { year, month })
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::{Month, NotAMonth};

    #[test]
    fn reads_what_it_writes_and_refuses_the_rest() {
        for text in ["2026-10", "2026-12", "2024-02"] {
            assert_eq!(text.parse::<Month>().map(|m| m.to_string()), Ok(text.to_owned()));
        }
        for text in ["2026", "2026-13", "2026-00", "2026-1", "26-10", "+026-10", "2026-10-01", ""] {
            assert_eq!(text.parse::<Month>(), Err(NotAMonth), "{text}");
        }
        let february: Month = "2024-02".parse().expect("a month");
        assert_eq!(february.last().to_string(), "2024-02-29");
        assert_eq!(february.later(11).to_string(), "2025-01");
        assert_eq!(february.earlier(2).to_string(), "2023-12");
        let december: Month = "2026-12".parse().expect("a month");
        assert_eq!(
            (december.first().to_string(), december.last().to_string()),
            ("2026-12-01".to_owned(), "2026-12-31".to_owned())
        );
    }
}
