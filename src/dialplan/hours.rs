//! Whether a desk serves at a moment, and if not, why. Pure: the moment is handed in.

use super::holidays;
use super::plan::{Hours, Span, YearlyClosure};
use crate::base::AdHoc;
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;
use std::sync::Arc;

/// Whether a number is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenState {
    /// Inside service hours, or the number has none.
    Open,
    /// Outside.
    Closed(ClosedWhy),
}

/// Why a number is closed. The caller's message follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClosedWhy {
    /// A service day, outside its hours.
    Night,
    /// A weekday without service.
    Weekend,
    /// A Japanese public holiday, by name.
    Holiday(Arc<str>),
    /// A closure of the plan (year-end, or a single closed day), by name.
    Closure(Arc<str>),
    /// Closed out of turn by a person, and why.
    AdHoc(Arc<str>),
    /// The same because of a disaster.
    Disaster(Arc<str>),
}

impl OpenState {
    /// What a person makes of it, and why.
    #[must_use]
    pub fn out_of_turn(to: AdHoc, why: Arc<str>) -> Self {
        match to {
            AdHoc::Open => Self::Open,
            AdHoc::Closed => Self::Closed(ClosedWhy::AdHoc(why)),
            AdHoc::Disaster => Self::Closed(ClosedWhy::Disaster(why)),
        }
    }
}

/// 24:00 as the end of a span: after every moment of the day, also of one with a leap second.
#[must_use]
pub fn end_of_day() -> NaiveTime {
    NaiveTime::from_hms_nano_opt(23, 59, 59, 1_999_999_999).unwrap_or(NaiveTime::MIN)
}

/// What a date is before the time of day is looked at.
enum Day<'a> {
    /// Served in these spans.
    Served(&'a [Span]),
    /// Not served at all.
    Closed(ClosedWhy),
}

/// How far [`Hours::next_opening`] looks ahead, days.
const LOOK_AHEAD_DAYS: u64 = 400;

impl Hours {
    /// Whether the desk serves at `at`. A span's beginning is inside, its end is not.
    ///
    /// Order of precedence: the plan's single days, its yearly closures, public holidays, the week.
    #[must_use]
    pub fn state(&self, at: DateTime<Tz>) -> OpenState {
        let time = at.time();
        match self.day(at.date_naive()) {
            Day::Served(spans)
                if spans.iter().any(|span| span.from <= time && time < span.until) =>
            {
                OpenState::Open
            }
            Day::Served(_) => OpenState::Closed(ClosedWhy::Night),
            Day::Closed(why) => OpenState::Closed(why),
        }
    }

    /// Whether `date` is a service day: the desk serves on it at some time, by the plan alone.
    #[must_use]
    pub fn serves_on(&self, date: NaiveDate) -> bool {
        matches!(self.day(date), Day::Served(_))
    }

    /// The first beginning of a span after `at`; none when there is none in the next 400 days.
    #[must_use]
    pub fn next_opening(&self, at: DateTime<Tz>) -> Option<DateTime<Tz>> {
        let today = at.date_naive();
        (0..LOOK_AHEAD_DAYS).filter_map(|days| today.checked_add_days(Days::new(days))).find_map(
            |date| match self.day(date) {
                Day::Served(spans) => spans.iter().find_map(|span| {
                    let opening = local(at.timezone(), date, span.from)?;
                    (opening > at).then_some(opening)
                }),
                Day::Closed(_) => None,
            },
        )
    }

    /// The first end of service after `at`, across spans and days that meet; none when there is none in
    /// the next 400 days, or it is closed already.
    #[must_use]
    pub fn next_closing(&self, at: DateTime<Tz>) -> Option<DateTime<Tz>> {
        let (mut time, mut date) = (at.time(), at.date_naive());
        if self.state(at) != OpenState::Open {
            return None;
        }
        for _ in 0..LOOK_AHEAD_DAYS {
            let Day::Served(spans) = self.day(date) else {
                return local(at.timezone(), date, NaiveTime::MIN);
            };
            for span in spans {
                if span.from <= time && time < span.until {
                    time = span.until;
                }
            }
            if time != end_of_day() {
                return local(at.timezone(), date, time);
            }
            (time, date) = (NaiveTime::MIN, date.succ_opt()?);
        }
        None
    }

    /// The moments of `days` days, from the beginning of `first` on, at which [`Hours::state`] becomes another,
    /// the first of them that beginning.
    #[must_use]
    pub fn changes(
        &self,
        zone: Tz,
        first: NaiveDate,
        days: usize,
    ) -> Vec<(DateTime<Tz>, OpenState)> {
        let mut changes: Vec<(DateTime<Tz>, OpenState)> = Vec::new();
        for date in first.iter_days().take(days) {
            let mut times = vec![NaiveTime::MIN];
            if let Day::Served(spans) = self.day(date) {
                // The end of a day is the beginning of the next.
                let ends = spans.iter().map(|span| span.until).filter(|it| *it != end_of_day());
                times.extend(spans.iter().map(|span| span.from).chain(ends));
                times.sort_unstable();
            }
            for at in times.into_iter().filter_map(|time| local(zone, date, time)) {
                let state = self.state(at);
                if changes.last().is_none_or(|(_, before)| *before != state) {
                    changes.push((at, state));
                }
            }
        }
        changes
    }

    fn day(&self, date: NaiveDate) -> Day<'_> {
        if let Some(special) = self.days.get(&date) {
            return if special.spans.is_empty() {
                Day::Closed(ClosedWhy::Closure(special.name.as_str().into()))
            } else {
                Day::Served(&special.spans)
            };
        }
        if let Some(closure) = self.yearly.iter().find(|closure| closure.covers(date)) {
            return Day::Closed(ClosedWhy::Closure(closure.name.as_str().into()));
        }
        let holiday = match &self.table {
            Some(table) => table.name(date),
            None => holidays::name(date),
        };
        if let Some(name) = holiday.filter(|_| self.japanese_holidays) {
            return Day::Closed(ClosedWhy::Holiday(name.into()));
        }
        match self.week.get(&date.weekday().into()) {
            Some(spans) if !spans.is_empty() => Day::Served(spans),
            _ => Day::Closed(ClosedWhy::Weekend),
        }
    }
}

impl YearlyClosure {
    /// Whether `date` lies in it, both ends included, also when it reaches over New Year.
    #[must_use]
    pub fn covers(&self, date: NaiveDate) -> bool {
        let day = (date.month(), date.day());
        if self.from <= self.until {
            self.from <= day && day <= self.until
        } else {
            self.from <= day || day <= self.until
        }
    }
}

/// A local time as a moment. A time that a change of clocks leaves out becomes the hour after it.
pub(super) fn local(zone: Tz, date: NaiveDate, time: NaiveTime) -> Option<DateTime<Tz>> {
    let naive = date.and_time(time);
    zone.from_local_datetime(&naive).earliest().or_else(|| {
        let later = naive.checked_add_signed(TimeDelta::hours(1))?;
        zone.from_local_datetime(&later).earliest()
    })
}
