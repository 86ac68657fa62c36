//! The month after one that is reported: what it comes to with the agents of the last three months.

use super::super::Reply;
use super::super::history::History;
use super::assumed::lengths;
use super::bundle;
use crate::dialplan::Lang;
use crate::forecast::{Demand, Interval, Judged, Past, Roster, World, as_before, in_hundredths};
use crate::report::{Expected, NextMonth, Spread};
use crate::view::Month;
use std::sync::Arc;

/// Months that are simulated, and with fewer nothing is said of where others lie.
const MONTHS: u64 = 40;
const LEAST_MONTHS: u64 = 10;
/// Calls of all of them together.
const MOST_CALLS: f64 = 600_000.0;

fn spread(of: Interval) -> Spread {
    let (low, high) = of.between;
    Spread { mean: in_hundredths(of.mean), low: in_hundredths(low), high: in_hundredths(high) }
}

/// The same of a part of 1, as percent.
fn percent(of: Interval) -> Spread {
    let (low, high) = of.between;
    spread(Interval { mean: of.mean * 100.0, between: (low * 100.0, high * 100.0), ..of })
}

/// What the month after one is expected to come to, by what the history says of the time before it.
///
/// # Errors
///
/// A reply with exit code 2: the history cannot be read, or nothing can be expected under this plan.
pub(in crate::cli) fn next_month(
    history: &History,
    month: Month,
    lang: Lang,
) -> Result<NextMonth, Reply> {
    let (plan, policy, next) = (&history.plan, history.policy(), month.later(1));
    let mut past = Past::before(plan, next.first());
    history.each(0, lang, |entry| past.apply(entry))?;
    let known = past.finish();
    let based_on = known.people.based_on;
    let mut found = NextMonth {
        month: next,
        based_on_calls: based_on.calls,
        based_on_days: based_on.days,
        expected: None,
    };
    if !known.is_enough() {
        return Ok(found);
    }
    let (scenario, season) = known.scenario(plan, next);
    let demand = Demand::expected(&scenario.calls, plan, next);
    let demand = demand.map_err(|error| Reply::wrong(&error.to_string()))?;
    let lengths = lengths(Some(history.media()))?;
    let world = World::of(Arc::new(plan.clone()), &scenario, demand, Roster::Everybody, lengths);
    let world = as_before(&world, plan, &known.people.stints);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    // As many as take seconds, whatever the desk's size.
    let months = in_hundredths(MOST_CALLS / world.demand.mean().max(1.0) / 100.0).min(MONTHS);
    if months < LEAST_MONTHS {
        return Ok(found);
    }
    let runs = bundle(&world, policy, (1, months), false, threads, &|_| true);
    let judged = Judged::of(&world, &runs, policy);
    found.expected = judged.calls.map(|calls| Expected {
        months,
        calls: spread(calls),
        abandon: judged.abandon.map(percent),
        busy: judged.busy.map(percent),
        within: in_hundredths(judged.within),
        agent_hours: in_hundredths(judged.agent_hours),
        season: season.map(in_hundredths),
    });
    Ok(found)
}
