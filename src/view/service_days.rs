//! On which days the desk serves, as the plan's calendar says: data, because the plan is not this room's.

use chrono::{Datelike, NaiveDate, Weekday};
use std::collections::BTreeSet;

/// Days that are remembered at most: four years.
pub const SERVICE_DAYS_KNOWN: usize = 1_461;

/// The days of a span on which the desk serves. Outside the span Monday to Friday are taken for service days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceDays {
    /// The first day that is known, and the one behind the last.
    known: Option<(NaiveDate, NaiveDate)>,
    days: BTreeSet<NaiveDate>,
}

impl ServiceDays {
    /// Asks for each day from `first` on, [`SERVICE_DAYS_KNOWN`] of them, whether it is a service day.
    #[must_use]
    pub fn ask(first: NaiveDate, serves: impl Fn(NaiveDate) -> bool) -> Self {
        let span = || first.iter_days().take(SERVICE_DAYS_KNOWN);
        let known = first.iter_days().nth(SERVICE_DAYS_KNOWN).map(|end| (first, end));
        Self { known, days: span().filter(|day| serves(*day)).collect() }
    }

    /// Whether the desk serves on that day.
    #[must_use]
    pub fn serves_on(&self, day: NaiveDate) -> bool {
        match self.known {
            Some((first, end)) if first <= day && day < end => self.days.contains(&day),
            Some(_) | None => !matches!(day.weekday(), Weekday::Sat | Weekday::Sun),
        }
    }

    /// How many of the days after `today`, up to and with `last`.
    #[must_use]
    pub fn after(&self, today: NaiveDate, last: NaiveDate) -> u64 {
        let days = today.iter_days().skip(1).take_while(|day| *day <= last);
        u64::try_from(days.filter(|day| self.serves_on(*day)).count()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_that_were_said_and_monday_to_friday_beyond() {
        let day = |month, day| NaiveDate::from_ymd_opt(2026, month, day).expect("a day");
        let plain = ServiceDays::default();
        assert_eq!(plain.after(day(10, 28), day(10, 31)), 2, "Thursday and Friday");
        assert_eq!(plain.after(day(10, 31), day(10, 31)), 0);
        // Only Saturdays are served.
        let said = ServiceDays::ask(day(10, 1), |day| day.weekday() == Weekday::Sat);
        assert_eq!(said.after(day(9, 30), day(10, 31)), 5);
        assert!(said.serves_on(day(9, 30)) && !said.serves_on(day(10, 1)), "before it is known");
        let end = day(10, 1) + chrono::Days::new(1_461);
        let (last, beyond) = (end.pred_opt().expect("a day"), end);
        assert_eq!(said.serves_on(last), last.weekday() == Weekday::Sat);
        assert_eq!(
            said.serves_on(beyond),
            !matches!(beyond.weekday(), Weekday::Sat | Weekday::Sun)
        );
    }
}
