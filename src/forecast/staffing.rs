//! The fewest agents and lines that keep both limits with a chosen certainty: one number for the whole day, one by
//! half hour of each weekday, and lines.
//!
//! Every try is a bundle of simulated months with the same seeds, so that two tries meet the same callers. How a
//! bundle is run is the caller's (`eval`): it may have more cores than one.

use super::arrivals::{Demand, Expected};
use super::cells::{Run, rate};
use super::erlang::{blocking, delaying, giving_up, load};
use super::interval::Interval;
use super::roster::{MOST_AGENTS, Roster, with_agents};
use super::stage::World;
use super::{real, whole};
use crate::base::TrunkId;
use crate::dialplan::Plan;
use crate::view::{Limit, Policy, Ratio, Verdict, half_hour_place};
use chrono::{Datelike, NaiveDate};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Tries of the search by half hour, at most.
const MOST_TRIES: u32 = 200;

/// One number of agents, all day.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Agents.
    pub agents: u32,
    /// Hours that they are there in the month, all together.
    pub agent_hours: f64,
    /// The abandon rate.
    pub abandon: Option<Interval>,
    /// The busy rate.
    pub busy: Option<Interval>,
    /// Part of the months that keep both limits.
    pub within: f64,
    /// What the formulas say of the same load.
    pub formulas: Formulas,
}

/// Of all half hours together, weighted by their calls.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Formulas {
    /// Erlang A: part of callers who give up.
    pub give_up: Option<f64>,
    /// Erlang C: part of callers who wait at all; none when some half hour has more load than agents.
    pub wait: Option<f64>,
}

/// How a bundle of months is run.
pub type Eval<'e> = &'e mut dyn FnMut(&World) -> Vec<Run>;

/// What one call takes of an agent and of a caller, for the formulas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Takes {
    /// Milliseconds of a line: picking up and talk; a wait comes on top.
    pub line_ms: f64,
    /// Milliseconds of an agent: picking up, talk, after-call work.
    pub agent_ms: f64,
    /// Mean patience, milliseconds.
    pub patience_ms: f64,
}

impl Takes {
    /// Of what is assumed; a law without a mean is taken by its middle.
    #[must_use]
    pub fn of(world: &World) -> Self {
        let ms = |lasts: &super::Lasts| {
            let mean =
                lasts.mean().map(|mean| real(u64::try_from(mean.as_millis()).unwrap_or(u64::MAX)));
            mean.or_else(|| middle(lasts))
        };
        let group = world.plan.groups.values().next();
        let by_plan =
            group.map_or(0.0, |group| real(u64::try_from(group.wrap_up.as_millis()).unwrap_or(0)));
        let wrap_up = world.agents.wrap_up.as_ref().map_or(Some(by_plan), ms);
        let line_ms =
            ms(&world.callers.talk).unwrap_or(0.0) + ms(&world.agents.answer).unwrap_or(0.0);
        Self {
            line_ms,
            agent_ms: line_ms + wrap_up.unwrap_or(0.0),
            patience_ms: ms(&world.callers.patience).unwrap_or(f64::INFINITY),
        }
    }
}

/// The mean that an exponential law with the same median would have.
fn middle(lasts: &super::Lasts) -> Option<f64> {
    let super::Lasts::Curve(points) = lasts else { return None };
    let half = points.iter().find(|(part, _)| *part >= 0.5)?;
    let ms = real(u64::try_from(half.1.0.as_millis()).unwrap_or(u64::MAX));
    Some(ms / core::f64::consts::LN_2)
}

/// What Erlang B says of so many lines in the busiest half hour: its load in erlangs, waits not counted, and the part
/// of callers who find all of them in use. None of arrivals that are known one by one.
#[must_use]
pub fn busiest(world: &World, lines: u32) -> Option<(f64, f64)> {
    let Demand::Expected { half_hours, .. } = &world.demand else { return None };
    let most = half_hours.iter().map(Expected::pace).max_by(f64::total_cmp)?;
    let load = load(most, Takes::of(world).line_ms);
    Some((load, blocking(lines, load)))
}

/// The part of the months that keeps both limits.
pub(super) fn within(runs: &[Run], policy: &Policy) -> f64 {
    let keeps = |ratio: Ratio, limit: Limit| ratio.judged(limit) != Verdict::Missed;
    let held = runs.iter().filter(|run| {
        let total = run.total();
        let figures = total.tally.figures(policy);
        // Callers whom the carrier refused are busy, though the contract cannot see them.
        keeps(figures.abandon_rate.ratio, policy.abandon_limit)
            && keeps(total.busy_with_lost(&figures), policy.busy_limit)
    });
    real(held.count() as u64) / real((runs.len() as u64).max(1))
}

/// Hours that the agents of a world are there, all together.
pub(super) fn hours(world: &World) -> f64 {
    let stints = world.roster.stints(&world.plan, &world.demand.days(&world.plan));
    let sum: f64 = stints
        .iter()
        .map(|stint| {
            let away: f64 =
                stint.breaks.iter().map(|(from, until)| real(until.ms_since(*from))).sum();
            real(stint.until.ms_since(stint.from)) - away
        })
        .sum();
    sum / 3_600_000.0
}

fn loads(demand: &Demand, takes: Takes) -> Vec<(f64, f64)> {
    let Demand::Expected { half_hours, .. } = demand else { return Vec::new() };
    half_hours.iter().map(|half| (half.calls, load(half.pace(), takes.agent_ms))).collect()
}

fn formulas(loads: &[(f64, f64)], agents: u32, takes: Takes) -> Formulas {
    let all: f64 = loads.iter().map(|(calls, _)| calls).sum();
    if all <= 0.0 {
        return Formulas::default();
    }
    let patience = takes.patience_ms / takes.agent_ms;
    let weighted = |of: &dyn Fn(f64) -> Option<f64>| {
        let parts: Option<Vec<f64>> =
            loads.iter().map(|(calls, load)| Some(of(*load)? * calls)).collect();
        parts.map(|parts| parts.iter().sum::<f64>() / all)
    };
    Formulas {
        give_up: weighted(&|load| Some(giving_up(agents, load, patience, 1_000)?.abandoned)),
        wait: weighted(&|load| delaying(agents, load)),
    }
}

/// One number of agents all day.
#[must_use]
pub fn point(world: &World, plan: &Plan, agents: u32, policy: &Policy, eval: Eval<'_>) -> Point {
    let world = all_day(world, plan, agents);
    let runs = eval(&world);
    let takes = Takes::of(&world);
    Point {
        agents,
        agent_hours: hours(&world),
        abandon: rate(&runs, policy, |figures| figures.abandon_rate.ratio),
        busy: rate(&runs, policy, |figures| figures.busy_rate.ratio),
        within: within(&runs, policy),
        formulas: formulas(&loads(&world.demand, takes), agents, takes),
    }
}

/// The same world with so many agents all day.
#[must_use]
pub fn all_day(world: &World, plan: &Plan, agents: u32) -> World {
    let plan = Arc::new(with_agents(plan, agents as usize));
    World { plan, roster: Roster::Everybody, ..world.clone() }
}

/// Points from where nearly nobody is served to where both limits are kept with certainty, at most `most` of them;
/// the last is the fewest that does, if any of them does.
#[must_use]
pub fn curve(
    world: &World,
    plan: &Plan,
    policy: &Policy,
    certainty: f64,
    most: u32,
    eval: Eval<'_>,
) -> Vec<Point> {
    let takes = Takes::of(world);
    let loads = loads(&world.demand, takes);
    let all: f64 = loads.iter().map(|(calls, _)| calls).sum();
    let mean = loads.iter().map(|(calls, load)| calls * load).sum::<f64>() / all.max(1.0);
    let first = u32::try_from(whole(mean * 0.7)).unwrap_or(1).max(1);
    let mut points: Vec<Point> = Vec::new();
    for agents in (first..).take(most as usize).take_while(|agents| *agents as usize <= MOST_AGENTS)
    {
        points.push(point(world, plan, agents, policy, eval));
        if points.last().is_some_and(|point| point.within >= certainty) {
            break;
        }
    }
    points
}

/// Agents by half hour of a weekday (Monday is 0).
pub type Levels = BTreeMap<(u8, u8), u32>;

/// What the search by half hour came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Staffing {
    /// Agents by half hour of each weekday.
    pub levels: Levels,
    /// Hours of all together.
    pub agent_hours: f64,
    /// Part of the months that keep both limits.
    pub within: f64,
    /// Bundles that were run.
    pub tries: u32,
    /// Whether the certainty is reached.
    pub reached: bool,
}

/// The world with so many agents by half hour.
#[must_use]
pub fn staffed(world: &World, plan: &Plan, levels: &Levels) -> World {
    let most = levels.values().copied().max().unwrap_or(0);
    let plan = Arc::new(with_agents(plan, most as usize));
    World { plan, roster: Roster::Levels(levels.clone()), ..world.clone() }
}

/// The fewest by half hour: from what Erlang A would give, more where most callers are not served until both
/// limits are kept, then fewer where it changes nothing. `from` is enough for all day, and bounds the search.
#[must_use]
pub fn by_half_hour(
    world: &World,
    plan: &Plan,
    policy: &Policy,
    certainty: f64,
    from: u32,
    eval: Eval<'_>,
) -> Staffing {
    let mut levels = first_levels(world, from);
    let mut tries = 0;
    let mut try_it = |levels: &Levels, tries: &mut u32| {
        *tries += 1;
        let runs = eval(&staffed(world, plan, levels));
        (within(&runs, policy), runs)
    };
    let (mut held, mut runs) = try_it(&levels, &mut tries);
    while held < certainty && tries < MOST_TRIES {
        if !raise(&mut levels, &runs, policy, from) {
            break;
        }
        (held, runs) = try_it(&levels, &mut tries);
    }
    let reached = held >= certainty;
    // One fewer at one time of the day, on all weekdays together: kept if the limits are kept.
    let times: std::collections::BTreeSet<u8> = levels.keys().map(|(_, index)| *index).collect();
    for index in times {
        while reached && tries < MOST_TRIES {
            let mut fewer = levels.clone();
            for (_, level) in fewer.iter_mut().filter(|((_, at), _)| *at == index) {
                *level = level.saturating_sub(1).max(1);
            }
            if fewer == levels {
                break;
            }
            let (still, _) = try_it(&fewer, &mut tries);
            if still < certainty {
                break;
            }
            (levels, held) = (fewer, still);
        }
    }
    let agent_hours = hours(&staffed(world, plan, &levels));
    Staffing { levels, agent_hours, within: held, tries, reached }
}

/// For each half hour the fewest of whom, by Erlang A, half the limit would give up.
fn first_levels(world: &World, most: u32) -> Levels {
    let Demand::Expected { half_hours, .. } = &world.demand else { return Levels::new() };
    let takes = Takes::of(world);
    let patience = takes.patience_ms / takes.agent_ms;
    let mut sums: BTreeMap<(u8, u8), (f64, f64)> = BTreeMap::new();
    for half in half_hours {
        let Some((day, index)) = half_hour_place(half.from, world.plan.timezone) else { continue };
        let sum = sums.entry((weekday(day), index)).or_default();
        *sum = (sum.0 + half.pace(), sum.1 + 1.0);
    }
    let fewest = |(calls, times): (f64, f64)| {
        let load = load(calls / times, takes.agent_ms);
        let keeps = |agents: &u32| {
            giving_up(*agents, load, patience, 1_000).is_none_or(|it| it.abandoned < 0.05)
        };
        (1..most.max(1)).find(keeps).unwrap_or(most.max(1))
    };
    sums.into_iter().map(|(key, sum)| (key, fewest(sum))).collect()
}

fn weekday(day: NaiveDate) -> u8 {
    u8::try_from(day.weekday().num_days_from_monday()).unwrap_or(0)
}

/// One more in the tenth of the half hours in which most callers were not served for each agent there; whether any
/// could be raised.
fn raise(levels: &mut Levels, runs: &[Run], policy: &Policy, most: u32) -> bool {
    let mut unserved: BTreeMap<(u8, u8), f64> = BTreeMap::new();
    for run in runs {
        for ((day, index), cell) in &run.cells {
            *unserved.entry((weekday(*day), *index)).or_default() += real(cell.unserved(policy));
        }
    }
    let mut open: Vec<((u8, u8), f64)> = levels
        .iter()
        .filter(|(_, level)| **level < most)
        .map(|(key, level)| (*key, unserved.get(key).copied().unwrap_or(0.0) / f64::from(*level)))
        .collect();
    open.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let raised = open.len().div_ceil(10);
    for (key, _) in open.iter().take(raised) {
        if let Some(level) = levels.get_mut(key) {
            *level += 1;
        }
    }
    raised > 0
}

/// The fewest lines with which both limits are kept with certainty, and the part of months that keeps them; none
/// when not even `most` do.
///
/// What Erlang B says of the busiest half hour is where the search begins: what is due is mostly near it.
#[must_use]
pub fn lines(
    world: &World,
    trunk: &TrunkId,
    policy: &Policy,
    certainty: f64,
    most: u32,
    eval: Eval<'_>,
) -> Option<(u32, f64)> {
    let limit = f64::from(policy.busy_limit.percent) / 100.0;
    let begin = (1..most)
        .find(|lines| busiest(world, *lines).is_some_and(|(_, find_none)| find_none <= limit));
    fewest(begin.unwrap_or(most), most, |lines| {
        let mut world = world.clone();
        world.lines = [(trunk.clone(), lines)].into();
        let share = within(&eval(&world), policy);
        (share >= certainty).then_some(share)
    })
}

/// The smallest of 1 to `most` that is enough, and what was said of it: more is taken to be no worse. Looked for from
/// `begin` on by steps that double, then by halves between the last two.
fn fewest<T>(begin: u32, most: u32, mut enough: impl FnMut(u32) -> Option<T>) -> Option<(u32, T)> {
    let (mut low, mut found, mut step) = (0, None, 1);
    let mut at = begin.clamp(1, most.max(1));
    loop {
        match enough(at) {
            Some(said) => found = Some((at, said)),
            None => low = at,
        }
        at = match &found {
            // Nothing is between them.
            Some((high, _)) if high - low <= 1 => return found,
            Some((high, _)) if low == 0 && step < *high => high - step,
            Some((high, _)) => u32::midpoint(low, *high),
            None if low >= most => return None,
            None => low.saturating_add(step).min(most),
        };
        step = step.saturating_mul(2);
    }
}

#[cfg(test)]
mod tests {
    use super::fewest;

    #[test]
    fn the_fewest_are_found_wherever_the_search_begins_and_soon_where_it_begins_near() {
        for most in 1_u32..=40 {
            for due in 1..=most + 1 {
                for begin in 0..=most + 2 {
                    let mut tries = 0_u32;
                    let found = fewest(begin, most, |lines| {
                        tries += 1;
                        (lines >= due).then_some(lines * 10)
                    });
                    let case = format!("{due} of {most} from {begin}");
                    assert_eq!(found, (due <= most).then_some((due, due * 10)), "{case}");
                    let far = due.abs_diff(begin.clamp(1, most));
                    assert!(tries <= 4 + 2 * far.next_power_of_two().ilog2(), "{case}: {tries}");
                }
            }
        }
    }
}
