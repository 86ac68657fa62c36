//! Who is there when: shifts of a scenario, or so many agents by half hour.

use super::arrivals::{MOST_DAYS, WEEKDAYS, begins};
use super::scenario::{Shift, Who};
use crate::base::{AgentId, Wall};
use crate::dialplan::values::span;
use crate::dialplan::{OpenState, Plan};
use crate::view::HALF_HOURS;
use chrono::{Datelike, NaiveDate, NaiveTime};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Most agents of one simulation.
pub const MOST_AGENTS: usize = 500;

/// Who is there when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Roster {
    /// Every agent of the plan while a counted number is open.
    Everybody,
    /// By shifts; each agent's own.
    Shifts(Vec<(BTreeSet<AgentId>, Shift)>),
    /// So many by half hour of a weekday (Monday is 0), the plan's first.
    Levels(BTreeMap<(u8, u8), u32>),
    /// As it was.
    Recorded(Vec<Stint>),
}

/// One stay of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stint {
    /// Who.
    pub agent: AgentId,
    /// From then on.
    pub from: Wall,
    /// Until then.
    pub until: Wall,
    /// Absences within it.
    pub breaks: Vec<(Wall, Wall)>,
}

/// What is wrong with shifts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    /// An agent that the plan does not have.
    #[error("shifts: the plan has no agent {0}")]
    NoSuchAgent(String),
    /// More agents than the plan has left.
    #[error(
        "shifts: {0} agents are due, and the plan has {1} without a shift; name them, or simulate with --agents"
    )]
    TooFew(u32, u32),
    /// A weekday that is none.
    #[error("shifts: {0:?} is no weekday; due is mon, tue, wed, thu, fri, sat or sun")]
    NoSuchDay(String),
    /// A time that is none.
    #[error("shifts: {0:?} is no span of a day; due is such as 08:30-18:15")]
    NoSpan(String),
}

impl Roster {
    /// As a scenario has it.
    ///
    /// # Errors
    ///
    /// What of the shifts means nothing under this plan.
    pub fn of(shifts: &[Shift], plan: &Plan) -> Result<Self, RosterError> {
        if shifts.is_empty() {
            return Ok(Self::Everybody);
        }
        let mut taken: BTreeSet<AgentId> = BTreeSet::new();
        let mut found = Vec::new();
        for shift in shifts {
            for text in std::iter::once(&shift.time).chain(&shift.breaks) {
                span(text).ok_or_else(|| RosterError::NoSpan(text.clone()))?;
            }
            for day in &shift.days {
                if !WEEKDAYS.contains(&day.as_str()) {
                    return Err(RosterError::NoSuchDay(day.clone()));
                }
            }
            let agents: BTreeSet<AgentId> = match &shift.agents {
                Who::Named(names) => {
                    let known = |name: &String| {
                        let id = AgentId::from(name.as_str());
                        if plan.agents.contains_key(&id) {
                            Ok(id)
                        } else {
                            Err(RosterError::NoSuchAgent(name.clone()))
                        }
                    };
                    names.iter().map(known).collect::<Result<_, _>>()?
                }
                Who::Count(count) => {
                    let left: Vec<&AgentId> =
                        plan.agents.keys().filter(|id| !taken.contains(*id)).collect();
                    let wanted = left.get(..*count as usize).ok_or_else(|| {
                        RosterError::TooFew(*count, u32::try_from(left.len()).unwrap_or(u32::MAX))
                    })?;
                    wanted.iter().map(|id| (*id).clone()).collect()
                }
            };
            taken.extend(agents.iter().cloned());
            found.push((agents, shift.clone()));
        }
        Ok(Self::Shifts(found))
    }

    /// The stays of these days, by their beginning.
    #[must_use]
    pub fn stints(&self, plan: &Plan, days: &[NaiveDate]) -> Vec<Stint> {
        if let Self::Recorded(stints) = self {
            return stints.clone();
        }
        days.iter().flat_map(|day| self.of_day(plan, *day)).collect()
    }

    fn of_day(&self, plan: &Plan, day: NaiveDate) -> Vec<Stint> {
        let mut stints = match self {
            Self::Everybody => everybody(plan, day),
            Self::Shifts(shifts) => {
                let name = WEEKDAYS.get(day.weekday().num_days_from_monday() as usize);
                let on = |shift: &Shift| {
                    let named = name.is_some_and(|name| shift.days.iter().any(|day| day == name));
                    named || (shift.days.is_empty() && plan.serves_on(day))
                };
                let today = shifts.iter().filter(|(_, shift)| on(shift));
                today.flat_map(|(agents, shift)| of_shift(plan, day, agents, shift)).collect()
            }
            Self::Levels(levels) => by_levels(plan, day, levels),
            Self::Recorded(_) => Vec::new(),
        };
        stints.sort_by(|a, b| (a.from, &a.agent).cmp(&(b.from, &b.agent)));
        stints
    }
}

fn everybody(plan: &Plan, day: NaiveDate) -> Vec<Stint> {
    let all = || plan.desk_numbers.values();
    let any = all().any(|desk| desk.counted);
    let mut stay: Option<(Wall, Wall)> = None;
    for desk in all().filter(|desk| desk.counted || !any) {
        let hours = desk.hours.as_ref().and_then(|name| plan.hours.get(name));
        let end = day.succ_opt().and_then(|next| plan.midnight(next)).unwrap_or(Wall(i64::MAX));
        let open = match hours {
            None => plan.midnight(day).map(|from| (from, end)),
            // From the first opening to the last closing: while the desk pauses, agents stay.
            Some(hours) => {
                let (mut first, mut last, mut is_open) = (None, None, false);
                for (at, state) in hours.changes(plan.timezone, day, 1) {
                    let at = Wall(at.timestamp_millis());
                    is_open = state == OpenState::Open;
                    first = if is_open { first.or(Some(at)) } else { first };
                    last = Some(at);
                }
                let last = if is_open { Some(end) } else { last };
                first.zip(last)
            }
        };
        stay = match (stay, open) {
            (Some(all), Some(one)) => Some((all.0.min(one.0), all.1.max(one.1))),
            (all, one) => all.or(one),
        };
    }
    let Some((from, until)) = stay else { return Vec::new() };
    let stint = |agent: &AgentId| Stint { agent: agent.clone(), from, until, breaks: Vec::new() };
    plan.agents.keys().map(stint).collect()
}

fn of_shift<'a>(
    plan: &'a Plan,
    day: NaiveDate,
    agents: &'a BTreeSet<AgentId>,
    shift: &'a Shift,
) -> impl Iterator<Item = Stint> + 'a {
    let at = move |time: NaiveTime| plan.moment(day, time);
    let ends = move |text: &String| {
        let span = span(text)?;
        Some((at(span.from)?, at(span.until)?))
    };
    let breaks: Vec<(Wall, Wall)> = shift.breaks.iter().filter_map(ends).collect();
    let time = ends(&shift.time);
    agents.iter().filter_map(move |agent| {
        let (from, until) = time?;
        Some(Stint { agent: agent.clone(), from, until, breaks: breaks.clone() })
    })
}

fn by_levels(plan: &Plan, day: NaiveDate, levels: &BTreeMap<(u8, u8), u32>) -> Vec<Stint> {
    if !plan.serves_on(day) {
        return Vec::new();
    }
    let weekday = u8::try_from(day.weekday().num_days_from_monday()).unwrap_or(0);
    let level = |index: u8| levels.get(&(weekday, index)).copied().unwrap_or(0);
    let mut stints: Vec<Stint> = Vec::new();
    for (place, agent) in (0_u32..).zip(plan.agents.keys()) {
        let mut since = None;
        for index in 0..=48_u8 {
            let here = index < 48 && level(index) > place;
            let at = if index < 48 {
                begins(plan, day, index)
            } else {
                day.succ_opt().and_then(|next| plan.midnight(next))
            };
            match (since, at) {
                (None, Some(at)) if here => since = Some(at),
                (Some(from), Some(until)) if !here => {
                    since = None;
                    stints.push(Stint { agent: agent.clone(), from, until, breaks: Vec::new() });
                }
                _ => {}
            }
        }
    }
    stints
}

/// How many were there at each half hour of a weekday (Monday is 0), by the mean of the service days on which anybody
/// was, half up: looked at in its middle, breaks left out.
#[must_use]
pub fn levels(plan: &Plan, stints: &[Stint]) -> BTreeMap<(u8, u8), u32> {
    let mut of_days: BTreeMap<NaiveDate, Vec<&Stint>> = BTreeMap::new();
    for stint in stints {
        let days = plan.local(stint.from).date_naive().iter_days().take(MOST_DAYS);
        let last = plan.local(stint.until).date_naive();
        for day in days.take_while(|day| *day <= last).filter(|day| plan.serves_on(*day)) {
            of_days.entry(day).or_default().push(stint);
        }
    }
    let mut sums: BTreeMap<(u8, u8), (u32, u32)> = BTreeMap::new();
    for (day, stints) in &of_days {
        let weekday = u8::try_from(day.weekday().num_days_from_monday()).unwrap_or(0);
        for index in 0..HALF_HOURS {
            let Some(from) = begins(plan, *day, index) else { continue };
            let middle = Wall(from.0.saturating_add(900_000));
            let away = |stint: &Stint| {
                stint.breaks.iter().any(|(from, until)| (*from..*until).contains(&middle))
            };
            let there = stints
                .iter()
                .filter(|stint| (stint.from..stint.until).contains(&middle) && !away(stint));
            let sum = sums.entry((weekday, index)).or_default();
            let there = u32::try_from(there.count()).unwrap_or(u32::MAX);
            *sum = (sum.0.saturating_add(there), sum.1.saturating_add(1));
        }
    }
    let mean = |(there, days): (u32, u32)| there.saturating_add(days / 2) / days.max(1);
    sums.into_iter().map(|(key, sum)| (key, mean(sum))).collect()
}

/// The plan with so many agents: its first, or with more who do as its last does.
#[must_use]
pub fn with_agents(plan: &Plan, count: usize) -> Plan {
    let mut plan = plan.clone();
    let count = count.min(MOST_AGENTS);
    let gone: BTreeSet<AgentId> = plan.agents.keys().skip(count).cloned().collect();
    plan.agents.retain(|id, _| !gone.contains(id));
    for group in plan.groups.values_mut() {
        group.agents.retain(|id| !gone.contains(id));
    }
    let Some((last, like)) = plan.agents.last_key_value() else { return plan };
    let (last, like) = (last.clone(), like.clone());
    for place in plan.agents.len()..count {
        // Behind every number that a plan can have, so that the plan's own stay the first.
        let id = AgentId(Arc::from(format!("x{place:04}")));
        plan.agents.insert(id.clone(), like.clone());
        for group in plan.groups.values_mut() {
            if group.agents.contains(&last) {
                group.agents.push(id.clone());
            }
            if let Some(share) = group.picking.shares.get(&last).copied() {
                group.picking.shares.insert(id.clone(), share);
            }
        }
    }
    plan
}
