//! Who calls when: expected numbers by half hour, or arrivals as they were.

use super::lasts::{exponential, gamma, uniform};
use super::real;
use super::scenario::Calls;
use crate::base::{Number, Rng, Wall};
use crate::dialplan::{OpenState, Plan};
use crate::view::{HALF_HOURS, Month};
use chrono::{Datelike, NaiveDate, NaiveTime, TimeZone};
use std::collections::{BTreeMap, BTreeSet};

/// Most calls of one run.
pub const MOST_CALLS: usize = 1_000_000;
/// Most days of one run.
pub const MOST_DAYS: usize = 400;
const HALF_HOUR_MS: f64 = 1_800_000.0;
const MINUTE_MS: i64 = 60_000;
/// Minutes of a half hour.
const MINUTES: i64 = 30;

/// One caller's first try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When.
    pub at: Wall,
    /// What is dialled.
    pub number: Number,
}

/// What comes in a span.
#[derive(Clone, Debug, PartialEq)]
pub enum Demand {
    /// As many as chance gives around what is expected.
    Expected {
        /// By half hour.
        half_hours: Vec<Expected>,
        /// Standard deviation / mean of a day's common factor.
        day_spread: f64,
        /// Numbers and their weights.
        numbers: Vec<(Number, f64)>,
    },
    /// These, in order.
    Known(Vec<Arrival>),
}

/// A half hour of a day, or the part of one in which the desk is open: its calls come between opening and closing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected {
    /// Its day, in the plan's zone.
    pub day: NaiveDate,
    /// Its beginning.
    pub from: Wall,
    /// Its end.
    pub until: Wall,
    /// Calls.
    pub calls: f64,
}

impl Expected {
    /// How long it is, milliseconds.
    pub(super) fn lasts_ms(&self) -> f64 {
        real(self.until.ms_since(self.from))
    }

    /// Calls of a whole half hour at its pace.
    #[must_use]
    pub fn pace(&self) -> f64 {
        let lasts_ms = self.lasts_ms();
        if lasts_ms > 0.0 { self.calls * HALF_HOUR_MS / lasts_ms } else { 0.0 }
    }
}

/// Why nothing can be expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DemandError {
    /// A number that the plan does not have.
    #[error("calls.numbers: the plan has no desk number {0}")]
    NoSuchNumber(String),
    /// The plan has no desk number at all.
    #[error("the plan has no desk number that is counted")]
    NoNumber,
    /// A weekday that is none.
    #[error("calls.weekdays: {0:?} is no weekday; due is mon, tue, wed, thu, fri, sat or sun")]
    NoSuchDay(String),
    /// A half hour that is none.
    #[error("calls.half_hours: {0:?} is no beginning of a half hour; due is such as 08:30")]
    NoSuchHalfHour(String),
    /// Nothing would ever come.
    #[error("no half hour of the span has any weight: nobody would call")]
    Nothing,
}

/// `mon` to `sun`.
pub(super) const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// The number of a half hour of the day by its beginning.
pub(super) fn half_hour(text: &str) -> Option<u8> {
    let (hour, minute) = text.split_once(':')?;
    let two = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let (hour, minute): (u8, u8) = if two(hour) && two(minute) {
        (hour.parse().ok()?, minute.parse().ok()?)
    } else {
        return None;
    };
    (hour < 24 && minute.is_multiple_of(30)).then_some(hour * 2 + minute / 30)
}

/// The beginning of a half hour of a day in the plan's zone; none where the clock leaves it out.
pub(super) fn begins(plan: &Plan, day: NaiveDate, half_hour: u8) -> Option<Wall> {
    let time = NaiveTime::from_hms_opt(u32::from(half_hour / 2), u32::from(half_hour % 2) * 30, 0)?;
    let at = plan.timezone.from_local_datetime(&day.and_time(time)).earliest()?;
    Some(Wall(at.timestamp_millis()))
}

/// The days of a month.
pub(super) fn days(month: Month) -> impl Iterator<Item = NaiveDate> {
    let last = month.last();
    month.first().iter_days().take_while(move |day| *day <= last)
}

impl Demand {
    /// A month of a plan as a scenario expects it.
    ///
    /// # Errors
    ///
    /// What of it means nothing under this plan.
    pub fn expected(calls: &Calls, plan: &Plan, month: Month) -> Result<Self, DemandError> {
        let numbers = numbers(calls, plan)?;
        for day in calls.weekdays.keys() {
            if !WEEKDAYS.contains(&day.as_str()) {
                return Err(DemandError::NoSuchDay(day.clone()));
            }
        }
        let mut weights: BTreeMap<u8, f64> = BTreeMap::new();
        for (text, weight) in &calls.half_hours {
            let index = half_hour(text).ok_or_else(|| DemandError::NoSuchHalfHour(text.clone()))?;
            weights.insert(index, *weight);
        }
        let mut half_hours = Vec::new();
        for day in days(month).filter(|day| plan.serves_on(*day)) {
            let name = WEEKDAYS.get(day.weekday().num_days_from_monday() as usize);
            let of_day = name.and_then(|name| calls.weekdays.get(*name)).copied().unwrap_or(1.0);
            for index in 0..HALF_HOURS {
                let Some(begins) = begins(plan, day, index) else { continue };
                let weight = weights.get(&index).copied();
                if weight.is_none() && !weights.is_empty() {
                    continue;
                }
                let Open { from, until, part } = Open::of(plan, &numbers, begins);
                let calls = weight.unwrap_or(part) * of_day;
                if calls > 0.0 {
                    half_hours.push(Expected { day, from, until, calls });
                }
            }
        }
        let all: f64 = half_hours.iter().map(|half_hour| half_hour.calls).sum();
        let served = half_hours.iter().map(|half_hour| half_hour.day).collect::<BTreeSet<_>>();
        let of_days = |calls: f64| calls * real(served.len() as u64);
        let expected = calls.service_day.map_or(calls.month, of_days);
        if all <= 0.0 || expected <= 0.0 {
            return Err(DemandError::Nothing);
        }
        for half_hour in &mut half_hours {
            half_hour.calls *= expected / all;
        }
        Ok(Self::Expected { half_hours, day_spread: calls.day_spread, numbers })
    }

    /// Of a table: day, number of the half hour, calls.
    ///
    /// # Errors
    ///
    /// As [`Demand::expected`].
    pub fn of_table(
        table: &[(NaiveDate, u8, f64)],
        calls: &Calls,
        plan: &Plan,
    ) -> Result<Self, DemandError> {
        let numbers = numbers(calls, plan)?;
        let row = |(day, index, calls): &(NaiveDate, u8, f64)| {
            let from = begins(plan, *day, *index)?;
            Some(Expected { day: *day, from, until: later(from, MINUTES), calls: *calls })
        };
        let mut half_hours: Vec<Expected> = table.iter().filter_map(row).collect();
        half_hours.retain(|half_hour| half_hour.calls > 0.0);
        half_hours.sort_by_key(|half_hour| half_hour.from);
        if half_hours.is_empty() {
            return Err(DemandError::Nothing);
        }
        Ok(Self::Expected { half_hours, day_spread: calls.day_spread, numbers })
    }

    /// Calls that are expected.
    #[must_use]
    pub fn mean(&self) -> f64 {
        match self {
            Self::Expected { half_hours, .. } => half_hours.iter().map(|half| half.calls).sum(),
            Self::Known(arrivals) => real(arrivals.len() as u64),
        }
    }

    /// The days on which anything may come, in order.
    #[must_use]
    pub fn days(&self, plan: &Plan) -> Vec<NaiveDate> {
        let mut days: Vec<NaiveDate> = match self {
            Self::Expected { half_hours, .. } => half_hours.iter().map(|half| half.day).collect(),
            Self::Known(arrivals) => {
                arrivals.iter().map(|arrival| plan.local(arrival.at).date_naive()).collect()
            }
        };
        days.dedup();
        days.truncate(MOST_DAYS);
        days
    }

    /// One month of it, in order; at most [`MOST_CALLS`].
    #[must_use]
    pub fn draw(&self, rng: &mut Rng) -> Vec<Arrival> {
        let (half_hours, day_spread, numbers) = match self {
            Self::Known(arrivals) => return arrivals.clone(),
            Self::Expected { half_hours, day_spread, numbers } => {
                (half_hours, *day_spread, numbers)
            }
        };
        let (mut arrivals, mut today, mut factor) = (Vec::new(), None, 1.0);
        for half_hour in half_hours {
            if today != Some(half_hour.day) {
                today = Some(half_hour.day);
                factor = if day_spread > 0.0 { gamma(rng, day_spread) } else { 1.0 };
            }
            let lasts_ms = half_hour.lasts_ms();
            let gap_ms = lasts_ms / (half_hour.calls * factor).max(1e-9);
            let mut at = exponential(rng) * gap_ms;
            while at < lasts_ms && arrivals.len() < MOST_CALLS {
                let ms = i64::try_from(super::whole(at)).unwrap_or(0);
                let place = match numbers.len() {
                    1 => 0,
                    _ => pick(numbers.iter().map(|(_, weight)| *weight), rng),
                };
                if let Some((number, _)) = numbers.get(place) {
                    let (at, number) = (Wall(half_hour.from.0.saturating_add(ms)), number.clone());
                    arrivals.push(Arrival { at, number });
                }
                at += exponential(rng) * gap_ms;
            }
        }
        arrivals
    }
}

fn later(at: Wall, minutes: i64) -> Wall {
    Wall(at.0.saturating_add(minutes * MINUTE_MS))
}

/// When in a half hour any of some numbers is open; all of it when none is ever: then callers come to a closed desk.
struct Open {
    from: Wall,
    until: Wall,
    /// By its minutes.
    part: f64,
}

impl Open {
    fn of(plan: &Plan, numbers: &[(Number, f64)], begins: Wall) -> Self {
        let is_open = |minute: &i64| {
            let at = plan.local(later(begins, *minute));
            numbers.iter().any(|(number, _)| {
                let desk = plan.desk_numbers.get(number);
                let hours = desk.and_then(|desk| plan.hours.get(desk.hours.as_ref()?));
                hours.is_none_or(|hours| matches!(hours.state(at), OpenState::Open))
            })
        };
        let mut open = (0..MINUTES).filter(is_open);
        let Some(first) = open.next() else {
            return Self { from: begins, until: later(begins, MINUTES), part: 0.0 };
        };
        let (last, count) = open.fold((first, 1_u32), |(_, count), minute| (minute, count + 1));
        let part = f64::from(count) / 30.0;
        Self { from: later(begins, first), until: later(begins, last + 1), part }
    }
}

fn numbers(calls: &Calls, plan: &Plan) -> Result<Vec<(Number, f64)>, DemandError> {
    if calls.numbers.is_empty() {
        let first = plan.desk_numbers.iter().find(|(_, desk)| desk.counted);
        let (number, _) = first.ok_or(DemandError::NoNumber)?;
        return Ok(vec![(number.clone(), 1.0)]);
    }
    let known = |(text, weight): (&String, &f64)| {
        let number = Number::from(text.as_str());
        let there = plan.desk_numbers.contains_key(&number);
        if there { Ok((number, *weight)) } else { Err(DemandError::NoSuchNumber(text.clone())) }
    };
    calls.numbers.iter().map(known).collect()
}

/// The place of one of several by their weights; the last when none has any.
pub(super) fn pick(weights: impl Iterator<Item = f64> + Clone, rng: &mut Rng) -> usize {
    let all: f64 = weights.clone().sum();
    let mut left = uniform(rng) * all;
    let mut last = 0;
    for (place, weight) in weights.enumerate() {
        left -= weight;
        if left <= 0.0 {
            return place;
        }
        last = place;
    }
    last
}
