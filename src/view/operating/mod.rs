//! Operating figures of any span: calls by half hour, day, month, group and number, agents' time and rings by
//! half hour, day, month and agent. docs/FIGURES.md says what each is; nothing is counted here that `ledger` and
//! `worked` have not counted.

mod definitions;
mod sheet;
mod span;

#[cfg(test)]
mod tests;

pub use definitions::{DEFINITIONS, Definition};
pub use span::{NotAWindow, SPAN_MOST_DAYS};

use super::agents::Rings;
use super::average::Average;
use super::half_hour::{self, HALF_HOURS, Window};
use super::ledger::Line;
use super::month::Month;
use super::policy::Policy;
use super::ratio::Ratio;
use super::service_level::Tally;
use super::stamp;
use super::views::Views;
use super::worked::{Doing, LinesFull, Times, Work};
use crate::base::{AgentId, Wall};
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};
use std::collections::{BTreeMap, BTreeSet};

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// A half hour of the day, on all days of the span together.
    HalfHour,
    /// A day.
    Day,
    /// A month.
    Month,
    /// The group that a call asked for last.
    Group,
    /// The number that was dialled.
    Number,
    /// An agent.
    Agent,
}

impl By {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::HalfHour, Self::Day, Self::Month, Self::Group, Self::Number, Self::Agent];

    /// As in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HalfHour => "half_hour",
            Self::Day => "day",
            Self::Month => "month",
            Self::Group => "group",
            Self::Number => "number",
            Self::Agent => "agent",
        }
    }

    /// Reads [`By::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.name() == name)
    }

    fn is_time(self) -> bool {
        matches!(self, Self::HalfHour | Self::Day | Self::Month)
    }
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatingWanted {
    /// Of when.
    pub window: Window,
    /// By what.
    pub by: By,
    /// Only this agent; not with a group, a number or by them.
    pub agent: Option<String>,
    /// Only calls that asked for this group last; not by agent.
    pub group: Option<String>,
    /// Only calls to this number; not by agent.
    pub number: Option<String>,
}

impl OperatingWanted {
    /// Everything of a span.
    #[must_use]
    pub fn all(window: Window, by: By) -> Self {
        Self { window, by, agent: None, group: None, number: None }
    }

    /// Whether what is asked can be answered together.
    ///
    /// # Errors
    ///
    /// [`NotTogether`]: an agent's time and rings belong to no group and no number.
    pub fn agrees(&self) -> Result<(), NotTogether> {
        let of_agent = self.agent.is_some() || self.by == By::Agent;
        let of_calls = self.group.is_some()
            || self.number.is_some()
            || matches!(self.by, By::Group | By::Number);
        if of_agent && of_calls { Err(NotTogether) } else { Ok(()) }
    }

    fn of_calls(&self) -> bool {
        self.agent.is_none() && self.by != By::Agent
    }

    fn of_agents(&self) -> bool {
        let only_calls = self.group.is_some() || self.number.is_some();
        !only_calls && (self.by.is_time() || self.by == By::Agent)
    }

    fn of_lines(&self) -> bool {
        self.of_calls() && self.of_agents()
    }
}

/// An agent's figures were asked for by group or number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an agent's figures are not by group or number, since an agent serves several: due is one of the two"
)]
pub struct NotTogether;

/// Figures of calls, by their arrival.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CallFigures {
    /// Calls that arrived at counted numbers outside excluded periods.
    pub arrived: u64,
    /// Decided calls that asked for an operator.
    pub offered: u64,
    /// Those that an operator answered.
    pub answered: u64,
    /// Answered within the target / offered.
    pub service_level: Ratio,
    /// Σ waits of answered calls / answered.
    pub average_speed_of_answer: Average,
    /// Of decided calls, answered or not, milliseconds.
    pub longest_wait_ms: u64,
    /// Σ conversations without holds / answered.
    pub average_talk: Average,
    /// Σ holds / answered.
    pub average_hold: Average,
    /// Σ after-call work / answered.
    pub average_wrap_up: Average,
    /// Σ of the three / answered.
    pub average_handling: Average,
}

impl CallFigures {
    /// Of counts.
    #[must_use]
    pub fn of(tally: &Tally, policy: &Policy) -> Self {
        let figures = tally.figures(policy);
        let average = |sum_ms| Average { sum_ms, count: figures.answered };
        Self {
            arrived: figures.arrived,
            offered: figures.offered,
            answered: figures.answered,
            service_level: figures.answered_in_time,
            average_speed_of_answer: average(tally.answer_wait_ms),
            longest_wait_ms: figures.longest_wait_ms,
            average_talk: average(tally.talk_ms.saturating_sub(tally.hold_ms)),
            average_hold: average(tally.hold_ms),
            average_wrap_up: average(tally.wrap_up_ms),
            average_handling: average(tally.talk_ms.saturating_add(tally.wrap_up_ms)),
        }
    }
}

/// Figures of agents, by the clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AgentFigures {
    /// Agents with any time signed in.
    pub agents: u64,
    /// Together, milliseconds.
    pub signed_in_ms: u64,
    /// Where it went, milliseconds.
    pub ms: Times,
    /// Occupied / neither paused nor without a phone, milliseconds.
    pub occupancy: Ratio,
    /// Callers that agents were put through to.
    pub taken: u64,
    /// (Talk + hold + after-call work + talk after signing out) / taken.
    pub average_handling: Average,
    /// What came of ringing.
    #[serde(serialize_with = "named")]
    pub rings: Rings,
}

fn named<S: Serializer>(rings: &Rings, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(Rings::KINDS))?;
    for (name, count) in rings.named() {
        map.serialize_entry(name, &count)?;
    }
    map.end()
}

impl AgentFigures {
    /// Of what was counted of so many agents.
    #[must_use]
    pub fn of(work: &Work, agents: u64) -> Self {
        use Doing::{Hold, Idle, OtherCall, Ringing, SignedOutTalk, Talk, WrapUp};
        let occupied = work.times.sum(&[Talk, Hold, OtherCall, WrapUp]);
        let handled = work.times.sum(&[Talk, Hold, WrapUp, SignedOutTalk]);
        let ready = work.times.sum(&[Talk, Hold, OtherCall, WrapUp, Ringing, Idle]);
        Self {
            agents,
            signed_in_ms: work.times.signed_in(),
            ms: work.times,
            occupancy: Ratio { part: occupied, whole: ready },
            taken: work.taken,
            average_handling: Average { sum_ms: handled, count: work.taken },
            rings: work.rings,
        }
    }
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OperatingRow {
    /// `08:30`, `2026-10-01`, `2026-10`, the group, the number, the agent's line; empty: calls that asked for no
    /// group or are not over, and the sum.
    pub key: String,
    /// An agent's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// None where calls are not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<CallFigures>,
    /// None where agents are not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agents: Option<AgentFigures>,
    /// None where neither the desk as a whole nor a time is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines_full: Option<LinesFull>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Operating {
    /// Its beginning: a day, or a half hour of one.
    pub from: String,
    /// Its end: a day that is in it, or a half hour's beginning that is not.
    pub to: String,
    /// By what.
    pub by: By,
    /// The zone of days and half hours.
    pub timezone: &'static str,
    /// What lasts is counted until then.
    pub counted_until: String,
    /// The target of an answer.
    pub answer_target_ms: u64,
    /// The rows, in order.
    pub rows: Vec<OperatingRow>,
    /// All of them.
    pub total: OperatingRow,
    /// Days of the span of whose agents only the whole day is known, where half hours are due.
    pub days_without_half_hours: u64,
    /// Calls of the span of which only their day's counts are known, where more is due.
    pub calls_not_cut: u64,
    /// What each figure is.
    pub definitions: &'static [Definition],
}

/// One row as it grows.
#[derive(Clone, Default)]
struct Grown {
    tally: Tally,
    work: Work,
    signed_in: BTreeSet<AgentId>,
    full: LinesFull,
}

impl Grown {
    fn work(&mut self, agent: &AgentId, work: &Work) {
        self.work.merge(work);
        if work.times.signed_in() > 0 && !self.signed_in.contains(agent) {
            self.signed_in.insert(agent.clone());
        }
    }

    fn merge(&mut self, other: &Self) {
        self.tally.merge(&other.tally);
        self.work.merge(&other.work);
        self.signed_in.extend(other.signed_in.iter().cloned());
        self.full.merge(&other.full);
    }

    fn row(
        &self,
        key: &str,
        name: Option<&String>,
        wanted: &OperatingWanted,
        policy: &Policy,
    ) -> OperatingRow {
        let agents = u64::try_from(self.signed_in.len()).unwrap_or(u64::MAX);
        OperatingRow {
            key: key.to_owned(),
            name: name.cloned(),
            calls: wanted.of_calls().then(|| CallFigures::of(&self.tally, policy)),
            agents: wanted.of_agents().then(|| AgentFigures::of(&self.work, agents)),
            lines_full: wanted.of_lines().then_some(self.full),
        }
    }
}

fn same(wanted: Option<&String>, found: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| found == Some(wanted))
}

impl Views {
    /// The time that the history has witnessed last; none of an empty one.
    #[must_use]
    pub fn witnessed(&self) -> Option<Wall> {
        Some(self.agents.worked().clock()).filter(|at| at.0 != i64::MIN)
    }

    /// What was counted of all agents since the history began, what lasts up to what it has witnessed
    /// last: it never falls.
    #[must_use]
    pub fn work_total(&self) -> Work {
        let mut total = *self.agents.worked().total();
        let clock = self.agents.worked().clock();
        for (_, doing, since) in self.agents.doing() {
            let ms = clock.ms_since(since);
            total.spend(doing, ms);
        }
        total
    }

    /// The operating figures. What lasts is counted until `until`, or until what the history has
    /// witnessed last if that is later.
    #[must_use]
    pub fn operating(&self, wanted: &OperatingWanted, until: Wall) -> Operating {
        let until = self.witnessed().map_or(until, |at| at.max(until));
        let mut rows: BTreeMap<String, Grown> =
            self.keys(wanted).into_iter().map(|key| (key, Grown::default())).collect();
        let names: BTreeMap<String, String> = if wanted.by == By::Agent {
            self.agents
                .named()
                .map(|(id, name)| (id.as_str().to_owned(), name.to_owned()))
                .collect()
        } else {
            BTreeMap::new()
        };
        let mut days_without_half_hours = 0;
        if wanted.of_agents() {
            days_without_half_hours = self.add_agents(wanted, until, &mut rows);
        }
        let calls_not_cut = if wanted.of_calls() { self.add_calls(wanted, &mut rows) } else { 0 };
        let mut all = Grown::default();
        for row in rows.values() {
            all.merge(row);
        }
        // Calls without a group come last.
        let (none, named): (Vec<_>, Vec<_>) = rows.iter().partition(|(key, _)| key.is_empty());
        let made = named.into_iter().chain(none);
        let made = made.map(|(key, row)| row.row(key, names.get(key), wanted, self.policy()));
        let (from, to) = wanted.window.written();
        Operating {
            from,
            to,
            by: wanted.by,
            timezone: self.timezone().name(),
            counted_until: stamp::written(until, self.timezone()),
            answer_target_ms: self.policy().answer_target_ms,
            rows: made.collect(),
            total: all.row("", None, wanted, self.policy()),
            days_without_half_hours,
            calls_not_cut,
            definitions: DEFINITIONS,
        }
    }

    /// Rows that stand there with nothing in them, too.
    fn keys(&self, wanted: &OperatingWanted) -> Vec<String> {
        let ((first, _), (last, _)) = (wanted.window.first(), wanted.window.until());
        let days = || first.iter_days().take_while(move |day| *day <= last);
        match wanted.by {
            By::HalfHour => {
                let range = if first == last { wanted.window.of_day(first) } else { 0..HALF_HOURS };
                range.map(half_hour::shown).collect()
            }
            By::Day => days().map(|day| day.to_string()).collect(),
            By::Month => {
                let months: BTreeSet<Month> = days().map(Month::of).collect();
                months.into_iter().map(|month| month.to_string()).collect()
            }
            By::Agent => {
                let agents = self.agents.named().map(|(id, _)| id.as_str());
                let wanted = agents.filter(|id| same(wanted.agent.as_ref(), Some(id)));
                wanted.map(str::to_owned).collect()
            }
            By::Group | By::Number => Vec::new(),
        }
    }

    fn add_agents(
        &self,
        wanted: &OperatingWanted,
        until: Wall,
        rows: &mut BTreeMap<String, Grown>,
    ) -> u64 {
        let is_wanted = |agent: &AgentId| same(wanted.agent.as_ref(), Some(agent.as_str()));
        let key = |day: NaiveDate, index: u8, agent: &AgentId| match wanted.by {
            By::HalfHour => half_hour::shown(index),
            By::Day => day.to_string(),
            By::Month => Month::of(day).to_string(),
            By::Agent | By::Group | By::Number => agent.as_str().to_owned(),
        };
        let finely = wanted.by == By::HalfHour;
        let worked = self.agents.worked();
        let mut full: BTreeMap<String, LinesFull> = BTreeMap::new();
        let no_one = AgentId::from("");
        let of_agent = |day, index, agent: &AgentId, work: &Work| {
            if is_wanted(agent) {
                rows.entry(key(day, index, agent)).or_default().work(agent, work);
            }
        };
        let of_lines = |day, index, more: &LinesFull| {
            if wanted.of_lines() {
                full.entry(key(day, index, &no_one)).or_default().merge(more);
            }
        };
        let lacking = worked.each(&wanted.window, finely, of_agent, of_lines);
        for (key, full) in full {
            rows.entry(key).or_default().full.merge(&full);
        }
        for (agent, doing, since) in self.agents.doing().filter(|(agent, ..)| is_wanted(agent)) {
            for (day, index, ms) in worked.lasting(since, until, &wanted.window) {
                let mut work = Work::default();
                work.spend(doing, ms);
                rows.entry(key(day, index, agent)).or_default().work(agent, &work);
            }
        }
        lacking
    }

    fn add_calls(&self, wanted: &OperatingWanted, rows: &mut BTreeMap<String, Grown>) -> u64 {
        let ((first, _), (last, _)) = (wanted.window.first(), wanted.window.until());
        let mut not_cut = 0_u64;
        if first > last {
            return not_cut;
        }
        let by_day = |day: NaiveDate| match wanted.by {
            By::Day => Some(day.to_string()),
            By::Month => Some(Month::of(day).to_string()),
            By::HalfHour | By::Group | By::Number | By::Agent => None,
        };
        let whole = wanted.group.is_none() && wanted.number.is_none();
        for (day, lines, counts) in self.ledger.lines_by_day(first, last) {
            let is_whole = wanted.window.of_day(day) == (0..HALF_HOURS);
            match by_day(day) {
                Some(key) if whole && is_whole => {
                    rows.entry(key).or_default().tally.merge(counts);
                    continue;
                }
                _ => {}
            }
            if lines.is_empty() {
                not_cut = not_cut.saturating_add(counts.arrived);
            }
            for line in lines {
                let index = line.half_hour;
                if wanted.window.holds(day, index) && self.is_wanted(line, wanted) {
                    let key = by_day(day).unwrap_or_else(|| self.key_of(line, index, wanted.by));
                    rows.entry(key).or_default().tally.merge(&line.tally(self.policy()));
                }
            }
        }
        not_cut
    }

    fn is_wanted(&self, line: &Line, wanted: &OperatingWanted) -> bool {
        line.counted
            && same(wanted.group.as_ref(), self.ledger.group(line))
            && same(wanted.number.as_ref(), self.ledger.number(line))
            && self.ledger.excluded_by(line.arrived_at).is_none()
    }

    fn key_of(&self, line: &Line, index: u8, by: By) -> String {
        let name = match by {
            By::HalfHour => return half_hour::shown(index),
            By::Group => self.ledger.group(line),
            By::Number => self.ledger.number(line),
            By::Agent | By::Day | By::Month => None,
        };
        name.unwrap_or_default().to_owned()
    }
}
