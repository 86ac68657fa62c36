//! Half hours of the desk's zone, times cut at them, and spans made of them.

use super::stamp;
use crate::base::{Wall, kept};
use chrono::{NaiveDate, Timelike};

/// Half hours of a day.
pub const HALF_HOURS: u8 = 48;
const HALF_HOUR_MS: i64 = 30 * 60_000;
/// Of a time that lasts longer, the last so many days are cut.
const SPAN_MOST_MS: i64 = 400 * 86_400_000;

/// The half hour of the day that a clock's time lies in, from 0 (midnight) to 47.
#[must_use]
pub fn index(at: &impl Timelike) -> Option<u8> {
    u8::try_from(at.hour() * 2 + at.minute() / 30).ok()
}

/// Its beginning: `08:30`.
#[must_use]
pub fn shown(index: u8) -> String {
    format!("{:02}:{:02}", index / 2, index % 2 * 30)
}

/// The day and the half hour of it that a moment lies in, in a zone; none outside the calendar's years.
#[must_use]
pub fn place(at: Wall, zone: chrono_tz::Tz) -> Option<(NaiveDate, u8)> {
    let local = stamp::local(at, zone)?;
    Some((local.date_naive(), index(&local)?))
}

/// A half hour of the desk's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HalfHour {
    pub day: NaiveDate,
    /// From 0 (midnight) to 47.
    pub index: u8,
    pub from: Wall,
    pub until: Wall,
}

kept!(struct HalfHour { day, index, from, until });

impl HalfHour {
    /// None outside the calendar's years.
    pub(super) fn of(at: Wall, zone: chrono_tz::Tz) -> Option<Self> {
        let local = stamp::local(at, zone)?;
        let into =
            i64::from(local.minute() % 30 * 60 + local.second()) * 1_000 + at.0.rem_euclid(1_000);
        let index = index(&local)?;
        let from = at.0.saturating_sub(into);
        let until = Wall(from.saturating_add(HALF_HOUR_MS));
        Some(Self { day: local.date_naive(), index, from: Wall(from), until })
    }
}

/// Cuts a time at the half hours of a zone.
pub(super) fn cut(
    from: Wall,
    until: Wall,
    zone: chrono_tz::Tz,
) -> impl Iterator<Item = (HalfHour, u32)> {
    let mut at = Wall(from.0.max(until.0.saturating_sub(SPAN_MOST_MS)));
    std::iter::from_fn(move || {
        if at >= until {
            return None;
        }
        let half_hour = HalfHour::of(at, zone)?;
        let end = half_hour.until.min(until);
        let ms = u32::try_from(end.0.saturating_sub(at.0)).unwrap_or(0);
        at = end;
        Some((half_hour, ms))
    })
}

/// From a half hour of one day until (exclusive) one of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    first: (NaiveDate, u8),
    until: (NaiveDate, u8),
}

impl Window {
    /// Whole days, the last among them.
    #[must_use]
    pub fn days(first: NaiveDate, last: NaiveDate) -> Self {
        Self { first: (first, 0), until: (last, HALF_HOURS) }
    }

    /// From the beginning of a half hour until the beginning of another, each as day and number (0 to 47).
    #[must_use]
    pub fn half_hours(first: (NaiveDate, u8), until: (NaiveDate, u8)) -> Self {
        let end = match until {
            (day, 0) => (day.pred_opt().unwrap_or(day), HALF_HOURS),
            within => within,
        };
        Self { first, until: end }
    }

    /// Its first half hour.
    #[must_use]
    pub fn first(&self) -> (NaiveDate, u8) {
        self.first
    }

    /// Its last day, and the half hour of that day at which it ends, 1 to 48.
    #[must_use]
    pub fn until(&self) -> (NaiveDate, u8) {
        self.until
    }

    pub(super) fn holds(&self, day: NaiveDate, half_hour: u8) -> bool {
        self.first <= (day, half_hour) && (day, half_hour) < self.until
    }

    /// The half hours of a day that are in it.
    pub(super) fn of_day(&self, day: NaiveDate) -> std::ops::Range<u8> {
        let begin = if day == self.first.0 { self.first.1 } else { 0 };
        let end = if day == self.until.0 { self.until.1 } else { HALF_HOURS };
        begin..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKYO: chrono_tz::Tz = chrono_tz::Asia::Tokyo;
    /// 2026-10-01T00:00:00+09:00.
    const OCTOBER: i64 = 1_790_780_400_000;
    const DAY: i64 = 86_400_000;

    #[test]
    fn a_time_is_cut_at_half_hours_of_the_zone() {
        let parts = |from: i64, until: i64, zone| -> Vec<(String, u8, u32)> {
            let parts = cut(Wall(OCTOBER + from), Wall(OCTOBER + until), zone);
            parts.map(|(it, ms)| (it.day.to_string(), it.index, ms)).collect()
        };
        let day = |day: &str, index, ms| (format!("2026-{day}"), index, ms);
        let table = [
            ("nothing", 0, 0, TOKYO, vec![]),
            ("backwards", 5, 0, TOKYO, vec![]),
            ("one millisecond", -1, 0, TOKYO, vec![day("09-30", 47, 1)]),
            ("a whole half hour", 0, HALF_HOUR_MS, TOKYO, vec![day("10-01", 0, 1_800_000)]),
            ("over midnight", -1, 1, TOKYO, vec![day("09-30", 47, 1), day("10-01", 0, 1)]),
            // UTC+05:45: half hours begin at 15 and 45 minutes past of Greenwich.
            (
                "a zone of quarters",
                0,
                HALF_HOUR_MS,
                chrono_tz::Asia::Kathmandu,
                vec![day("09-30", 41, 900_000), day("09-30", 42, 900_000)],
            ),
        ];
        for (case, from, until, zone, due) in table {
            assert_eq!(parts(from, until, zone), due, "{case}");
        }
        // The hour that comes twice is in one place twice; no millisecond is lost.
        let zone = chrono_tz::Europe::Berlin;
        let all = parts(0, 60 * DAY, zone);
        let sum: i64 = all.iter().map(|(_, _, ms)| i64::from(*ms)).sum();
        assert_eq!(sum, 60 * DAY);
        let twice = all.iter().filter(|(day, index, _)| day == "2026-10-25" && *index == 4).count();
        assert_eq!(twice, 2);
        let long: i64 = parts(-1_000 * DAY, 0, TOKYO).iter().map(|(_, _, ms)| i64::from(*ms)).sum();
        assert_eq!(long, SPAN_MOST_MS, "the last 400 days");
    }
}
