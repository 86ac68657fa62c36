//! What a desk manager asks of a month, answered step by step: what a roster comes to, the rates by number of agents,
//! the fewest by half hour, the fewest lines. Whoever asked is told which step runs; how runs are run is theirs.

use super::cells::{Cell, Run, rate};
use super::interval::{Interval, interval};
use super::staffing::{
    Point, Staffing, all_day, busiest, by_half_hour, curve, hours, lines, staffed, within,
};
use super::stage::World;
use crate::base::TrunkId;
use crate::dialplan::Plan;
use crate::view::Policy;
use std::collections::BTreeMap;

/// Points of a curve.
pub const MOST_POINTS: u32 = 60;
/// Lines that are looked at.
pub const MOST_LINES: u32 = 256;

/// What is being looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// What the roster that was given comes to.
    Roster,
    /// Rates by number of agents.
    Curve,
    /// The fewest agents by half hour.
    HalfHours,
    /// The fewest lines.
    Lines,
}

/// How runs of a step are run. None come back when nobody wants to know any more.
pub type Ask<'e> = &'e mut dyn FnMut(Step, &World) -> Vec<Run>;

/// How far the answer is to go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wanted {
    /// In which part of months both limits are to be kept, 0 to 1.
    pub certainty: f64,
    /// Also by half hour, which takes longest.
    pub by_half_hour: bool,
}

/// How many are enough.
#[derive(Clone, Debug, PartialEq)]
pub struct Enough {
    /// First tries expected in the month.
    pub calls: f64,
    /// Rates by number of agents all day, the fewest first.
    pub points: Vec<Point>,
    /// The fewest of them that are enough; none of those tried is.
    pub agents: Option<u32>,
    /// By half hour of each weekday, where it was asked for.
    pub staffing: Option<Staffing>,
    /// The fewest lines, and the part of months that keeps both limits with them.
    pub lines: Option<(u32, f64)>,
    /// Of those lines in the busiest half hour: load in erlangs, part of callers who find none.
    pub erlang_b: Option<(f64, f64)>,
}

impl Enough {
    /// Looks for all of it.
    #[must_use]
    pub fn of(world: &World, plan: &Plan, policy: &Policy, wanted: Wanted, ask: Ask<'_>) -> Self {
        let certainty = wanted.certainty;
        let points =
            curve(world, plan, policy, certainty, MOST_POINTS, &mut |it| ask(Step::Curve, it));
        let last = points.last().filter(|point| point.within >= certainty);
        let agents = last.map(|point| point.agents);
        let mut staffing = None;
        if let Some(agents) = agents.filter(|_| wanted.by_half_hour) {
            let mut eval = |it: &World| ask(Step::HalfHours, it);
            staffing = Some(by_half_hour(world, plan, policy, certainty, agents, &mut eval));
        }
        let lines = agents.and_then(|agents| {
            let world = match &staffing {
                Some(staffing) if staffing.reached => staffed(world, plan, &staffing.levels),
                _ => all_day(world, plan, agents),
            };
            let trunk = plan.desk_numbers.values().find_map(|desk| desk.trunks.first());
            let trunk = trunk.cloned().unwrap_or_else(|| TrunkId::from("carrier"));
            let mut eval = |it: &World| ask(Step::Lines, it);
            lines(&world, &trunk, policy, certainty, MOST_LINES, &mut eval)
        });
        let erlang_b = lines.and_then(|(lines, _)| busiest(world, lines));
        Self { calls: world.demand.mean(), points, agents, staffing, lines, erlang_b }
    }

    /// Hours of agents that one percent of abandoned calls fewer costs, from the point before to this one.
    #[must_use]
    pub fn cost(&self, at: usize) -> Option<f64> {
        let (before, here) = (self.points.get(at.checked_sub(1)?)?, self.points.get(at)?);
        let fewer = (before.abandon?.mean - here.abandon?.mean) * 100.0;
        (fewer > 0.01).then(|| (here.agent_hours - before.agent_hours) / fewer)
    }
}

/// What one roster comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// Hours that agents are there in the month, all together.
    pub agent_hours: f64,
    /// Calls that reached the desk, those that came again among them.
    pub calls: Option<Interval>,
    /// The abandon rate.
    pub abandon: Option<Interval>,
    /// The busy rate.
    pub busy: Option<Interval>,
    /// Part of the months that keep both limits.
    pub within: f64,
    /// By half hour of the day (0 to 47): mean calls on a day that has any, and the mean part of them that was not
    /// served.
    pub half_hours: BTreeMap<u8, (f64, f64)>,
}

impl Judged {
    /// Of runs of a world.
    #[must_use]
    pub fn of(world: &World, runs: &[Run], policy: &Policy) -> Self {
        let mut at: BTreeMap<u8, (Cell, u64)> = BTreeMap::new();
        for run in runs {
            for ((_, index), cell) in &run.cells {
                let (sum, days) = at.entry(*index).or_default();
                sum.merge(cell);
                *days = days.saturating_add(1);
            }
        }
        let half_hours = at.into_iter().map(|(index, (sum, days))| {
            let arrived = super::real(sum.tally.arrived);
            let mean = arrived / super::real(days.max(1));
            (index, (mean, super::real(sum.unserved(policy)) / arrived.max(1.0)))
        });
        Self {
            agent_hours: hours(world),
            calls: interval(runs.iter().map(|run| super::real(run.total().tally.arrived))),
            abandon: rate(runs, policy, |figures| figures.abandon_rate.ratio),
            busy: rate(runs, policy, |figures| figures.busy_rate.ratio),
            within: within(runs, policy),
            half_hours: half_hours.collect(),
        }
    }
}
