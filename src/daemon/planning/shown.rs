//! A question's words and an answer's figures, between the pages and what is simulated.

use super::MONTHS;
use crate::forecast::{self, Enough, Interval, Judged, Staffing, Step, Who};
use crate::io::http::{
    PlanningAnswer, PlanningBasis, PlanningDay, PlanningHalfHour, PlanningLevel, PlanningLevels,
    PlanningLines, PlanningPoint, PlanningRoster, PlanningShift, PlanningSpan, PlanningStep,
};
use crate::view::Policy;

pub(super) fn span(of: Interval) -> PlanningSpan {
    PlanningSpan { mean: of.mean, low: of.between.0, high: of.between.1 }
}

pub(super) fn step(step: Step) -> PlanningStep {
    match step {
        Step::Roster => PlanningStep::Roster,
        Step::Curve => PlanningStep::Curve,
        Step::HalfHours => PlanningStep::HalfHours,
        Step::Lines => PlanningStep::Lines,
    }
}

/// A shift as a scenario has it.
pub(super) fn shift(shift: &PlanningShift) -> forecast::Shift {
    let name = |day: &PlanningDay| {
        let name = match day {
            PlanningDay::Mon => "mon",
            PlanningDay::Tue => "tue",
            PlanningDay::Wed => "wed",
            PlanningDay::Thu => "thu",
            PlanningDay::Fri => "fri",
            PlanningDay::Sat => "sat",
            PlanningDay::Sun => "sun",
        };
        name.to_owned()
    };
    forecast::Shift {
        agents: Who::Count(shift.agents),
        days: shift.days.iter().map(name).collect(),
        time: shift.time.clone(),
        breaks: shift.breaks.clone(),
    }
}

fn roster(of: &Judged) -> PlanningRoster {
    let half_hour = |(half_hour, (calls, unserved)): (&u8, &(f64, f64))| PlanningHalfHour {
        half_hour: *half_hour,
        calls: *calls,
        unserved: *unserved,
    };
    PlanningRoster {
        agent_hours: of.agent_hours,
        calls: of.calls.map(span),
        abandon: of.abandon.map(span),
        busy: of.busy.map(span),
        within: of.within,
        half_hours: of.half_hours.iter().map(half_hour).collect(),
    }
}

fn levels(of: &Staffing) -> PlanningLevels {
    let level = |((weekday, half_hour), agents): (&(u8, u8), &u32)| PlanningLevel {
        weekday: *weekday,
        half_hour: *half_hour,
        agents: *agents,
    };
    PlanningLevels {
        agent_hours: of.agent_hours,
        within: of.within,
        reached: of.reached,
        levels: of.levels.iter().map(level).collect(),
    }
}

/// An answer as it is shown.
pub(super) fn answer(
    found: &Enough,
    judged: Option<&Judged>,
    based_on: PlanningBasis,
    policy: &Policy,
    took_ms: u64,
) -> PlanningAnswer {
    let point = |(at, point): (usize, &forecast::Point)| PlanningPoint {
        agents: point.agents,
        agent_hours: point.agent_hours,
        abandon: point.abandon.map(span),
        busy: point.busy.map(span),
        within: point.within,
        hours_per_percent: found.cost(at),
    };
    PlanningAnswer {
        calls: found.calls,
        based_on,
        limits: [policy.abandon_limit.percent, policy.busy_limit.percent],
        months: MONTHS,
        roster: judged.map(roster),
        curve: found.points.iter().enumerate().map(point).collect(),
        agents: found.agents,
        by_half_hour: found.staffing.as_ref().map(levels),
        lines: found.lines.map(|(lines, within)| PlanningLines { lines, within }),
        took_ms,
    }
}
