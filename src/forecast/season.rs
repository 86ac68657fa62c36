//! What the months before say of the next: how much busier it is than those just before it, and who was there.

use super::fit::{Fit, Found};
use super::real;
use super::roster::{Roster, Stint, levels};
use super::scenario::Scenario;
use super::staffing::staffed;
use super::stage::World;
use crate::base::Wall;
use crate::dialplan::Plan;
use crate::event::{CallEvent, Entry, Fact, Origin};
use crate::view::Month;
use chrono::{Days, NaiveDate};
use std::collections::BTreeMap;

/// Months whose pace is the base of a season.
const BASE: u32 = 3;
/// Fewer calls say nothing of a season.
const SEASONS_CALLS: u64 = 100;

/// A history that begins so late in a month has all of it.
const HOLIDAYS: Days = Days::new(4);
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
    plan: &'p Plan,
    recent: Fit<'p>,
    since: Wall,
    until: Wall,
    by_day: BTreeMap<NaiveDate, u64>,
}

/// What the past says.
#[derive(Clone, Debug)]
pub struct Known {
    /// Of the last three months: people's ways, the usual number of calls, who was there.
    pub people: Found,
    /// Calls of the last sixteen months, by day.
    pub by_day: BTreeMap<NaiveDate, u64>,
}

impl<'p> Past<'p> {
    /// Of what came before a day.
    #[must_use]
    pub fn before(plan: &'p Plan, day: NaiveDate) -> Self {
        // Before the calendar there is nothing; that a day has no midnight, the plan knows.
        let begins = |day: Option<NaiveDate>| {
            day.and_then(|day| plan.midnight(day)).unwrap_or(Wall(i64::MIN))
        };
        let until = begins(Some(day));
        let since = |back| begins(day.checked_sub_days(back));
        Self {
            plan,
            recent: Fit::new(plan, (since(RECENT), until)),
            since: since(FAR),
            until,
            by_day: BTreeMap::new(),
        }
    }

    /// Takes the next entry of the history, from its beginning on.
    pub fn apply(&mut self, entry: &Entry) {
        self.recent.apply(entry);
        if let Fact::Call { event: CallEvent::Arrived { origin: Origin::Trunk(_), .. }, .. } =
            &entry.fact
            && (self.since..self.until).contains(&entry.at)
        {
            *self.by_day.entry(self.plan.local(entry.at).date_naive()).or_default() += 1;
        }
    }

    /// What it comes to.
    #[must_use]
    pub fn finish(self) -> Known {
        Known { people: self.recent.finish(), by_day: self.by_day }
    }
}

impl Known {
    /// Whether there is enough to go by.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        let based_on = self.people.based_on;
        based_on.calls >= ENOUGH_CALLS && based_on.days >= ENOUGH_DAYS
    }

    /// What is assumed of a month, and the [`season`] that its calls were multiplied by.
    #[must_use]
    pub fn scenario(&self, plan: &Plan, month: Month) -> (Scenario, Option<f64>) {
        let season = season(&self.by_day, plan, month);
        let mut scenario = self.people.scenario.clone();
        if let Some(calls) = &mut scenario.calls.service_day {
            *calls *= season.unwrap_or(1.0);
        }
        (scenario, season)
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
pub fn season(by_day: &BTreeMap<NaiveDate, u64>, plan: &Plan, month: Month) -> Option<f64> {
    let first = *by_day.first_key_value()?.0;
    let year_ago = month.earlier(12);
    // Those months before it that are whole in the history, to the holidays that a month may begin with.
    let begins = |month: Month| month.first().checked_add_days(HOLIDAYS).unwrap_or(first);
    let whole = (1..=BASE).take_while(|back| begins(year_ago.earlier(*back)) >= first);
    let base = u32::try_from(whole.count()).unwrap_or(0);
    if base == 0 {
        return None;
    }
    let a_day = |from: Month, months: u32| {
        let until = from.later(months).first();
        let calls: u64 = by_day.range(from.first()..until).map(|(_, calls)| calls).sum();
        let days = from.first().iter_days().take_while(|day| *day < until);
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
