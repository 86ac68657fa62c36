//! The day so far by half hour, beside what is usual on its weekday; all of it, and group by group.

use super::agents::AgentState;
use super::board::AgentCounts;
use super::half_hour::HALF_HOURS;
use super::ledger::Line;
use super::outcome::PerOutcome;
use super::policy::Policy;
use super::ratio::Ratio;
use super::service_level::Tally;
use super::views::Views;
use crate::base::{AgentId, CallId, GroupId, Wall};
use chrono::{Days, NaiveDate};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Earlier days of the same weekday whose mean is the usual.
pub const USUAL_DAYS: usize = 4;
/// How many weeks back they are looked for.
const LOOK_BACK_WEEKS: u64 = 12;
/// Groups shown, in the plan's order.
pub const GROUPS_SHOWN: usize = 50;

/// Calls by the half hour of their arrival, 48 of each, from midnight on: counted ones outside excluded periods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HalfHours {
    /// That arrived today.
    pub arrived: Vec<u32>,
    /// Of these, with an operator's answer.
    pub answered: Vec<u32>,
    /// Of these, not yet decided: they may still be answered.
    pub undecided: Vec<u32>,
    /// That arrived on all days of `days` together: divided by how many these are, the usual.
    pub before: Vec<u32>,
}

impl Default for HalfHours {
    fn default() -> Self {
        let none = || vec![0; usize::from(HALF_HOURS)];
        Self { arrived: none(), answered: none(), undecided: none(), before: none() }
    }
}

impl HalfHours {
    fn today(&mut self, line: &Line) {
        add(&mut self.arrived, line.half_hour);
        match line.outcome() {
            Some(outcome) if outcome.is_answered() => add(&mut self.answered, line.half_hour),
            Some(_) => {}
            None => add(&mut self.undecided, line.half_hour),
        }
    }
}

fn add(counts: &mut [u32], half_hour: u8) {
    if let Some(count) = counts.get_mut(usize::from(half_hour)) {
        *count = count.saturating_add(1);
    }
}

/// A group on the wall.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct GroupRow {
    /// Which.
    pub group: GroupId,
    /// For people.
    pub name: String,
    /// Its members.
    pub agents: Vec<AgentId>,
    /// Its members by state.
    pub agent_counts: AgentCounts,
    /// Calls that wait for one of them.
    pub waiting: usize,
    /// The longest of these waits, milliseconds.
    pub longest_ms: u64,
    /// Figures of today's calls that asked for this group last, those in progress among them.
    pub day: GroupFigures,
    /// The same calls by half hour.
    pub half_hours: HalfHours,
}

/// Today's calls of a group. No rate of the contract is in it: that knows the desk alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GroupFigures {
    /// Calls that arrived at counted numbers.
    pub arrived: u64,
    /// Of those, not yet decided.
    pub undecided: u64,
    /// Decided calls by outcome.
    pub outcomes: PerOutcome,
    /// Decided calls.
    pub offered: u64,
    /// Calls an operator answered, after a busy announcement or without.
    pub answered: u64,
    /// Calls that are in the numerator of the abandon rate.
    pub abandoned: u64,
    /// Calls that are in the numerator of the busy rate.
    pub busy: u64,
    /// Answered within the target / offered.
    pub answered_in_time: Ratio,
    /// Σ waits of answered calls / answered, whole milliseconds; none when none was answered.
    pub average_speed_of_answer_ms: Option<u64>,
    /// The longest wait of a decided call, answered or not.
    pub longest_wait_ms: u64,
}

impl GroupFigures {
    fn of(tally: &Tally, policy: &Policy) -> Self {
        let figures = tally.figures(policy);
        Self {
            arrived: figures.arrived,
            undecided: figures.undecided,
            outcomes: figures.outcomes,
            offered: figures.offered,
            answered: figures.answered,
            abandoned: figures.abandon_rate.ratio.part,
            busy: figures.busy_rate.ratio.part,
            answered_in_time: figures.answered_in_time,
            average_speed_of_answer_ms: figures.average_speed_of_answer_ms,
            longest_wait_ms: figures.longest_wait_ms,
        }
    }
}

/// The day by half hour and group.
pub(super) struct Today {
    pub half_hours: HalfHours,
    /// The days that are the usual, the latest first.
    pub usual_days: Vec<NaiveDate>,
    pub groups: Vec<GroupRow>,
}

impl Views {
    pub(super) fn today(&self, now: Wall, age_ms: &dyn Fn(CallId) -> Option<u64>) -> Today {
        let today = self.day_of(now);
        let usual_days = self.usual_days(today);
        let mut all = HalfHours::default();
        let layout = self.layout();
        let named = || layout.groups.iter().take(GROUPS_SHOWN);
        let mut groups: BTreeMap<&str, (Tally, HalfHours)> =
            named().map(|group| (group.group.as_str(), Default::default())).collect();
        for line in self.figured(today) {
            all.today(line);
            if let Some(name) = self.group_so_far(line)
                && let Some((tally, half_hours)) = groups.get_mut(name)
            {
                tally.merge(&line.tally(self.policy()));
                half_hours.today(line);
            }
        }
        for line in usual_days.iter().flat_map(|day| self.figured(*day)) {
            add(&mut all.before, line.half_hour);
            if let Some((_, half_hours)) =
                self.ledger.group(line).and_then(|name| groups.get_mut(name))
            {
                add(&mut half_hours.before, line.half_hour);
            }
        }
        let mut waits: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
        for call in self.waiting() {
            if let Some(group) = &call.group {
                let (count, longest_ms) = waits.entry(group.as_str()).or_default();
                *count += 1;
                *longest_ms = (*longest_ms).max(call.wait_now_ms(age_ms(call.id)));
            }
        }
        let row = |group: &super::layout::GroupLaid| {
            let (waiting, longest_ms) =
                waits.get(group.group.as_str()).copied().unwrap_or_default();
            let (tally, half_hours) = groups.remove(group.group.as_str()).unwrap_or_default();
            GroupRow {
                group: group.group.clone(),
                name: group.name.clone(),
                agents: group.agents.clone(),
                agent_counts: AgentCounts(self.states_of(&group.agents)),
                waiting,
                longest_ms,
                day: GroupFigures::of(&tally, self.policy()),
                half_hours,
            }
        };
        Today { groups: named().map(row).collect(), half_hours: all, usual_days }
    }

    fn states_of(&self, members: &[AgentId]) -> [(AgentState, u64); AgentState::ALL.len()] {
        self.agents.counts_of(members.iter())
    }

    /// The last days of the same weekday on which the desk served and a call arrived.
    fn usual_days(&self, today: NaiveDate) -> Vec<NaiveDate> {
        let weeks =
            (1..=LOOK_BACK_WEEKS).filter_map(|week| today.checked_sub_days(Days::new(7 * week)));
        // Of a day whose lines have given way the half hours are not known any more.
        let has_lines = |day: &NaiveDate| self.ledger.lines(*day, *day).next().is_some();
        weeks.filter(|day| self.serves_on(*day)).filter(has_lines).take(USUAL_DAYS).collect()
    }

    /// Lines of a day that are in the figures.
    fn figured(&self, day: NaiveDate) -> impl Iterator<Item = &Line> {
        let lines = self.ledger.lines(day, day).filter(|line| line.counted);
        lines.filter(|line| self.ledger.excluded_by(line.arrived_at).is_none())
    }

    /// The group that a call asked for last, of one in progress so far.
    fn group_so_far<'a>(&'a self, line: &Line) -> Option<&'a str> {
        self.ledger.group(line).or_else(|| self.group_of_open(line.call))
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::{GroupLaid, Layout};
    use super::super::views::tests::{Pen, TOKYO_MIDNIGHT_OCT_1};
    use super::*;
    use crate::event::{CallEvent, EndCause, Party};
    use crate::view::ServiceDays;

    const HOUR: i64 = 3_600_000;
    const DAY: i64 = 24 * HOUR;

    fn asks(pen: &mut Pen, n: u64, group: &str) {
        pen.arrive(n, true);
        pen.call(n, 10, CallEvent::OperatorAsked { group: Some(group.into()) });
    }

    fn hangs_up(pen: &mut Pen, n: u64) {
        pen.call(n, 20_000, CallEvent::Ended { by: Party::Caller, cause: EndCause::HungUp });
    }

    /// At 09:00 of the Thursdays before 2026-10-29, but for the two on which the desk does not serve or nobody
    /// calls; today at 09:29:59.999, 09:30 and 23:59:59.999.
    #[test]
    fn today_stands_beside_the_last_same_weekdays_on_which_the_desk_served() {
        let mut pen = Pen::default();
        let thursday = TOKYO_MIDNIGHT_OCT_1 + 28 * DAY;
        let mut n = 0;
        // (weeks before, calls of one group, of the other)
        for (weeks, desk, other) in
            [(9, 9, 9), (7, 1, 0), (6, 2, 1), (5, 50, 50), (4, 3, 0), (1, 4, 2)]
        {
            pen.at = thursday - weeks * 7 * DAY + 9 * HOUR;
            for (group, count) in [("desk", desk), ("other", other)] {
                for _ in 0..count {
                    n += 1;
                    asks(&mut pen, n, group);
                    hangs_up(&mut pen, n);
                }
            }
        }
        pen.at = thursday + 9 * HOUR + HOUR / 2 - 1;
        asks(&mut pen, 1_001, "desk");
        pen.call(1_001, 5_000, CallEvent::OperatorAnswered { agent: "2001".into() });
        pen.at = thursday + 9 * HOUR + HOUR / 2;
        asks(&mut pen, 1_002, "desk");
        pen.call(1_002, 20, CallEvent::OperatorAsked { group: Some("other".into()) });
        pen.arrive(1_003, false);
        pen.at = thursday + DAY - 1;
        asks(&mut pen, 1_004, "other");
        hangs_up(&mut pen, 1_004);
        let mut views = pen.read();
        let closed = views.day_of(Wall(thursday - 35 * DAY));
        let first = views.day_of(Wall(thursday - 100 * DAY));
        views.set_service_days(ServiceDays::ask(first, |day| day != closed));
        let group = |id: &str, agents: &[&str]| GroupLaid {
            group: id.into(),
            number: None,
            name: id.to_uppercase(),
            agents: agents.iter().map(|id| AgentId::from(*id)).collect(),
        };
        views.set_layout(Layout {
            groups: vec![group("desk", &["2001", "2002"]), group("other", &["2002", "9999"])],
            ..Layout::default()
        });
        let today = views.today(Wall(thursday + DAY - 1), &|_| Some(60_000));
        let days: Vec<String> = today.usual_days.iter().map(ToString::to_string).collect();
        assert_eq!(days, ["2026-10-22", "2026-10-01", "2026-09-17", "2026-09-10"]);
        let shown = |counts: &[u32]| -> Vec<(usize, u32)> {
            counts.iter().copied().enumerate().filter(|(_, count)| *count > 0).collect()
        };
        assert_eq!(shown(&today.half_hours.arrived), [(18, 1), (19, 1), (47, 1)]);
        assert_eq!(shown(&today.half_hours.answered), [(18, 1)]);
        assert_eq!(shown(&today.half_hours.undecided), [(19, 1)], "it waits, and is not lost");
        assert_eq!(shown(&today.half_hours.before), [(18, 4 + 2 + 3 + 2 + 1 + 1)]);
        let [desk, other] = &today.groups[..] else { panic!("two groups") };
        assert_eq!(shown(&desk.half_hours.arrived), [(18, 1)]);
        assert_eq!(shown(&desk.half_hours.before), [(18, 4 + 3 + 2 + 1)]);
        assert_eq!((desk.waiting, desk.longest_ms), (0, 0));
        assert_eq!((desk.day.arrived, desk.day.answered), (1, 1));
        // In progress, it is with the group that it asked for last.
        assert_eq!(shown(&other.half_hours.arrived), [(19, 1), (47, 1)]);
        assert_eq!(shown(&other.half_hours.undecided), [(19, 1)]);
        assert_eq!(shown(&other.half_hours.before), [(18, 3)]);
        assert_eq!((other.waiting, other.longest_ms), (1, 59_990));
        assert_eq!((other.day.arrived, other.day.undecided), (2, 1));
        assert_eq!(other.day.abandoned, 1);
        let counted =
            |row: &GroupRow| row.agent_counts.0.iter().map(|(_, count)| count).sum::<u64>();
        assert_eq!((counted(desk), counted(other)), (2, 1), "an agent of no plan is not shown");
    }
}
