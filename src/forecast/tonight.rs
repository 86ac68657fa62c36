//! Today so far, and what it comes to by tonight: the rest of the day simulated with the agents who are there now.

use super::arrivals::{Demand, Expected};
use super::cells::Run;
use super::interval::{Interval, interval};
use super::real;
use super::roster::{Roster, Stint};
use super::scenario::Scenario;
use super::stage::World;
use crate::base::{AgentId, PromptId, Wall};
use crate::dialplan::Plan;
use crate::view::{Figures, Month, Policy, Ratio, Tally};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// What is known at one instant of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoFar {
    /// The instant.
    pub now: Wall,
    /// Calls of today, those without an outcome among them.
    pub arrived: u64,
    /// Who is signed in.
    pub there: BTreeSet<AgentId>,
}

/// Why nothing can be simulated of the rest of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRest {
    /// No more calls are expected today, or the desk is closed for today.
    NothingToCome,
    /// No agent of the plan is there.
    NobodyThere,
    /// More than 5,000 calls are still expected, more than are reckoned with.
    TooMany,
}

/// Calls of the rest of a day that are reckoned with: ten times what ten agents can answer.
const MOST_TO_COME: f64 = 5_000.0;

/// The rest of the day: the calls that are still to come, more or fewer than usual as today's have been, and whoever
/// is there until closing time. `per_first_try` is how many calls the history has for each first try.
///
/// # Errors
///
/// [`NoRest`].
pub fn rest_of_day(
    plan: &Plan,
    scenario: &Scenario,
    per_first_try: f64,
    lengths: &BTreeMap<PromptId, Duration>,
    so_far: &SoFar,
) -> Result<World, NoRest> {
    let today = plan.local(so_far.now).date_naive();
    let month = Demand::expected(&scenario.calls, plan, Month::of(today));
    let Ok(Demand::Expected { half_hours, day_spread, numbers }) = month else {
        return Err(NoRest::NothingToCome);
    };
    let (mut expected_by_now, mut rest) = (0.0, Vec::new());
    for half in half_hours.into_iter().filter(|half| half.day == today) {
        let passed = real(so_far.now.ms_since(half.from)) / half.lasts_ms();
        let passed = passed.clamp(0.0, 1.0);
        expected_by_now += half.calls * passed;
        if passed < 1.0 {
            let calls = half.calls * (1.0 - passed);
            rest.push(Expected { calls, from: half.from.max(so_far.now), ..half });
        }
    }
    let (busier, spread) =
        day_factor(day_spread, real(so_far.arrived), expected_by_now * per_first_try.max(1.0));
    for half in &mut rest {
        half.calls *= busier;
    }
    if rest.iter().map(|half| half.calls).sum::<f64>() > MOST_TO_COME {
        return Err(NoRest::TooMany);
    }
    let closing = Roster::Everybody.stints(plan, &[today]).iter().map(|stint| stint.until).max();
    let Some(closing) = closing.filter(|closing| *closing > so_far.now && !rest.is_empty()) else {
        return Err(NoRest::NothingToCome);
    };
    let stint = |agent: &AgentId| Stint {
        agent: agent.clone(),
        from: so_far.now,
        until: closing,
        breaks: Vec::new(),
    };
    let there = so_far.there.iter().filter(|agent| plan.agents.contains_key(*agent));
    let stints: Vec<Stint> = there.map(stint).collect();
    if stints.is_empty() {
        return Err(NoRest::NobodyThere);
    }
    let demand = Demand::Expected { half_hours: rest, day_spread: spread, numbers };
    let (plan, roster) = (Arc::new(plan.clone()), Roster::Recorded(stints));
    Ok(World::of(plan, scenario, demand, roster, lengths.clone()))
}

/// A day's common factor after so many calls of those that were expected by now, and how uncertain it still is: a
/// gamma law of mean 1 and this spread, told of the Poisson count.
fn day_factor(spread: f64, arrived: f64, expected: f64) -> (f64, f64) {
    if spread <= 0.0 {
        return (1.0, 0.0);
    }
    let shape = 1.0 / (spread * spread);
    ((shape + arrived) / (shape + expected), 1.0 / (shape + arrived).sqrt())
}

/// What the day and the month come to by tonight.
#[derive(Clone, Debug, PartialEq)]
pub struct Tonight {
    /// Calls of the day.
    pub calls: Option<Interval>,
    /// The day's abandon rate and busy rate.
    pub day: [Option<Interval>; 2],
    /// The month's until tonight.
    pub month: [Option<Interval>; 2],
}

/// Adds what has been decided to each run of the rest of the day. `month` has today among its days.
#[must_use]
pub fn tonight(runs: &[Run], today: &Tally, month: &Tally, policy: &Policy) -> Tonight {
    let with = |so_far: &Tally| -> Vec<Figures> {
        let with = |run: &Run| {
            let mut sum = *so_far;
            sum.merge(&run.total().tally);
            sum.figures(policy)
        };
        runs.iter().map(with).collect()
    };
    let (day, month) = (with(today), with(month));
    let rates = |of: &[Figures]| {
        let rate = |ratio: fn(&Figures) -> Ratio| interval(of.iter().map(|it| ratio(it).as_f64()));
        [rate(|it| it.abandon_rate.ratio), rate(|it| it.busy_rate.ratio)]
    };
    let calls = interval(day.iter().map(|figures| real(figures.arrived)));
    Tonight { calls, day: rates(&day), month: rates(&month) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_that_began_busier_goes_on_busier_but_not_for_sure() {
        // Before a call could come, a day is as uncertain as any.
        assert_eq!(day_factor(0.2, 0.0, 0.0), (1.0, 0.2));
        let (busier, left) = day_factor(0.2, 150.0, 100.0);
        // 25 is the law's shape: (25 + 150) / (25 + 100).
        assert!((busier - 1.4).abs() < 1e-9 && (left - 1.0 / 175_f64.sqrt()).abs() < 1e-9);
        // Where days never differed, chance is all that it can have been.
        assert_eq!(day_factor(0.0, 150.0, 100.0), (1.0, 0.0));
    }
}
