//! A span as people write it: days, or half hours of days.

use super::super::half_hour::{HALF_HOURS, Window, index, shown};
use super::super::month::Month;
use chrono::{NaiveDate, NaiveDateTime, Timelike as _};

/// Longest span of one answer, days.
pub const SPAN_MOST_DAYS: i64 = 400;

/// Why a span cannot be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAWindow {
    /// Neither a day nor a half hour's beginning.
    #[error(
        "{side}: neither a day nor the beginning of a half hour; due is such as 2026-10-01 or 2026-10-01T08:30"
    )]
    NotATime {
        /// Which of the two.
        side: &'static str,
    },
    /// It ends before it begins, or has nothing in it.
    #[error("the end is not after the beginning: due is a later one")]
    Backwards,
    /// Longer than is answered.
    #[error("the span has {days} days: due are {SPAN_MOST_DAYS} at most")]
    TooLong {
        /// So many.
        days: i64,
    },
}

impl NotAWindow {
    /// The same in Japanese.
    #[must_use]
    pub fn japanese(&self) -> String {
        match self {
            Self::NotATime { side } => {
                format!(
                    "{side} は日でも 30 分の区切りの時刻でもない（例: 2026-10-01、2026-10-01T08:30）"
                )
            }
            Self::Backwards => "終わりが始まりより後でない".to_owned(),
            Self::TooLong { days } => format!("期間が {days} 日ある。{SPAN_MOST_DAYS} 日まで"),
        }
    }
}

enum End {
    Day(NaiveDate),
    HalfHour(NaiveDate, u8),
}

fn read(text: &str) -> Option<End> {
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(End::Day(day));
    }
    let at = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").ok()?;
    let index = index(&at)?;
    (at.minute() % 30 == 0 && index < HALF_HOURS).then(|| End::HalfHour(at.date(), index))
}

impl Window {
    /// Reads a span: `2026-10-01` is a day, `2026-10-01T08:30` the beginning of a half hour. `to` a day is with that
    /// day, `to` a time is without that half hour.
    ///
    /// # Errors
    ///
    /// [`NotAWindow`]: not times, the wrong way round, or longer than [`SPAN_MOST_DAYS`].
    pub fn read(from: &str, to: &str) -> Result<Self, NotAWindow> {
        let end = |text, side| read(text).ok_or(NotAWindow::NotATime { side });
        let first = match end(from, "from")? {
            End::Day(day) => (day, 0),
            End::HalfHour(day, index) => (day, index),
        };
        let window = match end(to, "to")? {
            End::Day(last) if first.1 == 0 => Self::days(first.0, last),
            End::Day(last) => Self::half_hours(first, (last.succ_opt().unwrap_or(last), 0)),
            End::HalfHour(day, index) => Self::half_hours(first, (day, index)),
        };
        if window.first() >= window.until() {
            return Err(NotAWindow::Backwards);
        }
        match (window.until().0 - window.first().0).num_days() + 1 {
            days if days > SPAN_MOST_DAYS => Err(NotAWindow::TooLong { days }),
            _ => Ok(window),
        }
    }

    /// A month.
    #[must_use]
    pub fn month(month: Month) -> Self {
        Self::days(month.first(), month.last())
    }

    /// As it is read: from and to.
    pub(super) fn written(&self) -> (String, String) {
        let ((first, begin), (last, end)) = (self.first(), self.until());
        let from = if begin == 0 { first.to_string() } else { format!("{first}T{}", shown(begin)) };
        let to =
            if end == HALF_HOURS { last.to_string() } else { format!("{last}T{}", shown(end)) };
        (from, to)
    }
}

#[cfg(test)]
mod tests {
    use super::{NotAWindow, Window};

    #[test]
    fn a_span_is_read_as_it_is_written() {
        let not = |side| Err(NotAWindow::NotATime { side });
        let table = [
            ("2026-10-01", "2026-10-01", Ok(("2026-10-01", "2026-10-01"))),
            ("2026-10-01", "2026-10-31", Ok(("2026-10-01", "2026-10-31"))),
            ("2026-10-01T09:00", "2026-10-01T12:30", Ok(("2026-10-01T09:00", "2026-10-01T12:30"))),
            ("2026-10-01T09:00", "2026-10-02", Ok(("2026-10-01T09:00", "2026-10-02"))),
            ("2026-10-01", "2026-10-02T00:00", Ok(("2026-10-01", "2026-10-01"))),
            ("2026-10-01T23:30", "2026-10-02T00:00", Ok(("2026-10-01T23:30", "2026-10-01"))),
            ("2026-10-01", "2027-11-04", Ok(("2026-10-01", "2027-11-04"))),
            ("2026-10-01", "2027-11-05", Err(NotAWindow::TooLong { days: 401 })),
            ("2026-10-02", "2026-10-01", Err(NotAWindow::Backwards)),
            ("2026-10-01T09:00", "2026-10-01T09:00", Err(NotAWindow::Backwards)),
            ("2026-10-01T09:10", "2026-10-02", not("from")),
            ("2026-10-01", "2026-10-01T24:00", not("to")),
            ("2026-10-01", "2026-13-01", not("to")),
            ("", "2026-10-01", not("from")),
        ];
        for (from, to, due) in table {
            let found = Window::read(from, to).map(|window| window.written());
            let found = found.as_ref().map(|(from, to)| (from.as_str(), to.as_str()));
            assert_eq!(found.map_err(Clone::clone), due, "{from} {to}");
        }
    }
}
