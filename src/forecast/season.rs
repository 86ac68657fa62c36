//! What the months before say of the next: how much busier it is than those just before it, and who was there.

use super::arrivals::Arrival;
use super::fit::{Fit, Found};
use super::real;
use super::roster::{Roster, Stint, levels};
use super::staffing::staffed;
use super::stage::World;
use crate::base::Wall;
use crate::dialplan::Plan;
use crate::event::Entry;
use crate::view::Month;
use chrono::{Days, NaiveDate, NaiveTime, TimeZone};

/// Months whose pace is the base of a season.
const BASE: u32 = 3;
/// Fewer calls say nothing of a season.
const SEASONS_CALLS: u64 = 100;

/// Of how many days before now people's ways and the usual number of calls are taken.
const RECENT: Days = Days::new(92);
/// How far back calls are looked at for a season: a year, and the base of the month a year ago.
const FAR: Days = Days::new(366 + 31 + 92);
/// With fewer calls a history says nothing of people.
const ENOUGH_CALLS: u64 = 500;
/// With fewer service days it says nothing of a month.
const ENOUGH_DAYS: u64 = 5;

/// A fold over a history, for what comes next.
pub struct Past<'p> {
    recent: Fit<'p>,
    far: Fit<'p>,
}

/// What the past says.
#[derive(Clone, Debug)]
pub struct Known {
    /// Of the last three months: people's ways, the usual number of calls, who was there.
    pub people: Found,
    /// All calls of the last sixteen months.
    pub arrivals: Vec<Arrival>,
}

impl<'p> Past<'p> {
    /// Of what came before a day.
    #[must_use]
    pub fn before(plan: &'p Plan, day: NaiveDate) -> Self {
        let begins = |day: Option<NaiveDate>| {
            let midnight = day.map(|day| day.and_time(NaiveTime::MIN));
            let at = midnight.and_then(|at| plan.timezone.from_local_datetime(&at).earliest());
            at.map_or(Wall(i64::MIN), |at| Wall(at.timestamp_millis()))
        };
        let until = begins(Some(day));
        let since = |back| (begins(day.checked_sub_days(back)), until);
        Self { recent: Fit::new(plan, since(RECENT)), far: Fit::new(plan, since(FAR)) }
    }

    /// Takes the next entry of the history, from its beginning on.
    pub fn apply(&mut self, entry: &Entry) {
        self.recent.apply(entry);
        self.far.apply(entry);
    }

    /// What it comes to.
    #[must_use]
    pub fn finish(self) -> Known {
        Known { people: self.recent.finish(), arrivals: self.far.finish().arrivals }
    }
}

impl Known {
    /// Whether there is enough to go by.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        let based_on = self.people.based_on;
        based_on.calls >= ENOUGH_CALLS && based_on.days >= ENOUGH_DAYS
    }

    /// As [`season`].
    #[must_use]
    pub fn season(&self, plan: &Plan, month: Month) -> Option<f64> {
        season(&self.arrivals, plan, month)
    }

    /// Calls for each first try: those who were not served come again.
    #[must_use]
    pub fn per_first_try(&self) -> f64 {
        let based_on = self.people.based_on;
        let first = self.people.scenario.calls.service_day.unwrap_or(0.0) * real(based_on.days);
        if first > 0.0 { (real(based_on.calls) / first).max(1.0) } else { 1.0 }
    }
}

/// How much busier a month is than those just before it, by the same months a year ago: calls on a service day then,
/// divided by those of the up to three months before. None where the history does not go back so far.
#[must_use]
pub fn season(arrivals: &[Arrival], plan: &Plan, month: Month) -> Option<f64> {
    let first = arrivals.first()?.at;
    let year_ago = month.earlier(12);
    // Those months before it that are whole in the history, to the holidays that a month may begin with.
    let begins = |month: Month| month.begins(plan.timezone).0.saturating_add(432_000_000);
    let whole = (1..=BASE).take_while(|back| begins(year_ago.earlier(*back)) >= first.0);
    let base = u32::try_from(whole.count()).unwrap_or(0);
    if base == 0 {
        return None;
    }
    let a_day = |from: Month, months: u32| {
        let until = from.later(months);
        let span = from.begins(plan.timezone)..until.begins(plan.timezone);
        let calls = arrivals.iter().filter(|one| span.contains(&one.at)).count() as u64;
        let days = from.first().iter_days().take_while(|day| *day < until.first());
        let served = days.filter(|day| plan.serves_on(*day)).count() as u64;
        (calls >= SEASONS_CALLS && served > 0).then(|| real(calls) / real(served))
    };
    Some(a_day(year_ago, 1)? / a_day(year_ago.earlier(base), base)?)
}

/// The same world with as many agents as there were, by their mean at each half hour of a weekday; all of the plan when
/// nobody was ever there.
#[must_use]
pub fn as_before(world: &World, plan: &Plan, stints: &[Stint]) -> World {
    let levels = levels(plan, stints);
    if levels.values().all(|level| *level == 0) {
        return World { roster: Roster::Everybody, ..world.clone() };
    }
    staffed(world, plan, &levels)
}
