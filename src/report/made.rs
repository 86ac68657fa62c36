//! The report as data: everything that is printed, and nothing that is only for the eye.

use super::compare::Compared;
use super::next::NextMonth;
use super::sheet::{Counted, Sheet};
use super::working::Working;
use crate::base::Wall;
use crate::tickets::MonthReport;
use crate::view::{
    AgentShare, Average, BANDS, Band, DayFigures, ExclusionRow, Figures, Month, PerOutcome, Policy,
    Sliced, SurveyFigures, Tally, Views, WaitBand,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Half hours that have a row of their own: 8:00 to 18:30, the desk's hours and a little around them.
pub(super) const HALF_HOURS: std::ops::Range<u32> = 16..37;

/// What the history does not say.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// When the report is made.
    pub made_at: Wall,
    /// By which version of the program.
    pub version: &'static str,
    /// What the plan calls numbers and groups; agents are named by the views.
    pub names: Names,
    /// The month's ticket figures, when tickets were given.
    pub tickets: Option<MonthReport>,
    /// The history's hash after the last entry of the views; none when it has none.
    pub hash: Option<String>,
    /// What the month after it is expected to come to; none when nobody wants to know.
    pub next_month: Option<NextMonth>,
}

/// Names for people.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Of desk numbers.
    pub numbers: BTreeMap<String, String>,
    /// Of groups.
    pub groups: BTreeMap<String, String>,
}

/// A month's report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Which month.
    pub month: Month,
    /// The desk's name.
    pub desk: String,
    /// The zone that days and months are taken in.
    pub timezone: &'static str,
    #[serde(skip)]
    pub(super) zone: chrono_tz::Tz,
    /// When it was made.
    pub made_at_ms: Wall,
    /// By which version.
    pub version: &'static str,
    /// What keeps the figures from being final.
    pub whole: Whole,
    /// The sheet of 別紙4.
    pub sheet: Sheet,
    /// The month's figures in force: those of the last revision, or as counted now.
    pub figures: Figures,
    /// As counted now. Every cut below adds up to these.
    pub counted_now: Figures,
    /// The settings by which the figures in force were made.
    pub policy: Policy,
    /// Their version in the history; 0 while it has none.
    pub settings_version: u32,
    /// Settings of now, when they are others than those in force.
    pub policy_now: Option<Policy>,
    /// Σ waits until the answer / answered.
    pub speed_of_answer: Average,
    /// Σ conversations of calls that are over / answered, as counted now.
    pub talk: Average,
    /// Every day of the month.
    pub by_day: Vec<Row>,
    /// Half hours of the working day; the last row is the rest of the day.
    pub by_half_hour: Vec<Row>,
    /// By number dialled.
    pub by_number: Vec<Row>,
    /// By the group asked for last.
    pub by_group: Vec<Row>,
    /// By the agent who answered first.
    pub by_agent: Vec<AgentRow>,
    /// How long callers waited.
    pub waits: Vec<WaitRow>,
    /// Handling, agents' time and rings, as counted now.
    pub working: Working,
    /// What callers said who were asked after their call.
    pub surveys: Vec<SurveyFigures>,
    /// This month, the one before, the same a year ago.
    pub compared: Compared,
    /// Periods that touch the month and were entered to be left out.
    pub exclusions: Vec<ExcludedRow>,
    /// Calls that arrived in excluded periods.
    pub excluded: u64,
    /// Of those, by outcome.
    pub excluded_outcomes: PerOutcome,
    /// For how long each trunk had no channel free.
    pub trunks_full: Vec<TrunkFull>,
    /// What the month after it is expected to come to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_month: Option<NextMonth>,
    /// The part of the history that was read.
    pub log: Log,
}

/// What keeps the figures from being final or whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Whole {
    /// The month is over.
    pub over: bool,
    /// Calls of it without an outcome.
    pub undecided: u64,
    /// Entries of the history that were never written.
    pub holes: u64,
    /// Calls of it that are too old for the cuts by half hour, number, group, agent and wait; days have them.
    pub not_cut: u64,
}

/// A part of the month's calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The day, the half hour's beginning, the number, the group; empty: the rest.
    pub key: String,
    /// What the plan calls it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its figures.
    #[serde(flatten)]
    pub figures: Figures,
    /// Σ waits until the answer / answered.
    pub speed_of_answer: Average,
    /// Calls of excluded periods; told by day only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excluded: Option<u64>,
}

/// One agent's part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AgentRow {
    /// The agent's line; empty: calls that are not over.
    pub agent: String,
    /// For people.
    pub name: String,
    /// Calls and time.
    #[serde(flatten)]
    pub share: AgentShare,
}

/// Calls that waited so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct WaitRow {
    /// How long.
    #[serde(flatten)]
    pub band: Band,
    /// How many.
    #[serde(flatten)]
    pub calls: WaitBand,
}

/// A period that was entered to be left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExcludedRow {
    /// The declaration with its signatures.
    #[serde(flatten)]
    pub exclusion: ExclusionRow,
    /// Calls of this month that it leaves out; 0 while it does not hold.
    pub calls: u64,
    /// Of those, by outcome.
    pub outcomes: PerOutcome,
}

/// One trunk without a free channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TrunkFull {
    /// Which.
    pub trunk: String,
    /// For how long in this month, milliseconds.
    pub ms: u64,
    /// How often it began in this month.
    pub times: u64,
}

/// The part of the history that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Log {
    /// The first entry.
    pub from_seq: u64,
    /// The last entry.
    pub through_seq: u64,
    /// The history's hash after that entry, hexadecimal; none when it was not read.
    pub hash: Option<String>,
}

impl Report {
    /// The report of a month.
    #[must_use]
    pub fn of(views: &Views, month: Month, about: &About) -> Self {
        let counted = views.service_level(month);
        let cut = views.sliced(month);
        let tally = views.month_tally(month);
        let closed = views.closed_month(month).last();
        let now = counted.figures.clone();
        let sheet = Sheet::of(
            views,
            &Counted {
                month,
                now: &now,
                differs: counted.differs_from_closed,
                tickets: about.tickets.as_ref(),
            },
        );
        let figures = closed.map_or_else(|| now.clone(), |it| it.as_figures(views.policy()));
        let policy = closed.and_then(crate::view::ClosedMonth::policy);
        let policy = policy.unwrap_or_else(|| views.policy().clone());
        let wait_ms = closed.map_or(tally.answer_wait_ms, |it| it.figures.answer_wait_ms);
        let cut_calls: u64 = cut.half_hours.values().map(|it| it.arrived).sum();
        Self {
            month,
            desk: views.desk().to_owned(),
            timezone: counted.timezone,
            zone: views.timezone(),
            made_at_ms: about.made_at,
            version: about.version,
            whole: Whole {
                over: about.made_at >= month.later(1).begins(views.timezone()),
                undecided: now.undecided,
                holes: views.holes(),
                not_cut: now.arrived.saturating_sub(cut_calls),
            },
            sheet,
            speed_of_answer: Average { sum_ms: wait_ms, count: figures.answered },
            talk: Average { sum_ms: tally.talk_ms, count: now.answered },
            by_day: by_day(views, month, &counted.days),
            by_half_hour: by_half_hour(&cut, views.policy()),
            by_number: by_number(&cut, views.policy(), &about.names),
            by_group: by_group(&cut, views.policy(), &about.names),
            by_agent: by_agent(&cut, views),
            waits: waits(&cut),
            working: Working::of(views, month),
            surveys: counted.surveys.clone(),
            compared: Compared::of(views, month),
            exclusions: exclusions(&counted.exclusions, &cut),
            excluded: counted.excluded.arrived,
            excluded_outcomes: counted.excluded.outcomes,
            trunks_full: trunks(views, month),
            next_month: about.next_month.clone(),
            log: Log { from_seq: 1, through_seq: views.last_seq(), hash: about.hash.clone() },
            settings_version: closed
                .map_or(counted.settings_version, |it| it.figures.settings_version),
            policy_now: (policy != *views.policy()).then(|| views.policy().clone()),
            policy,
            figures,
            counted_now: now,
        }
    }
}

fn row(key: String, name: String, tally: &Tally, policy: &Policy) -> Row {
    let figures = tally.figures(policy);
    let speed_of_answer = Average { sum_ms: tally.answer_wait_ms, count: figures.answered };
    Row { key, name, figures, speed_of_answer, excluded: None }
}

/// Days without a call have a row too.
fn by_day(views: &Views, month: Month, counted: &[DayFigures]) -> Vec<Row> {
    let counted: BTreeMap<_, _> = counted.iter().map(|day| (day.day, day)).collect();
    let days = month.first().iter_days().take_while(|day| *day <= month.last());
    days.map(|day| {
        let tally = views.day_tally(day);
        let empty = row(day.to_string(), String::new(), &tally, views.policy());
        match counted.get(&day) {
            None => Row { excluded: Some(0), ..empty },
            Some(it) => {
                let figures = it.figures.clone();
                Row { figures, excluded: Some(it.excluded.arrived), ..empty }
            }
        }
    })
    .collect()
}

fn by_half_hour(cut: &Sliced, policy: &Policy) -> Vec<Row> {
    let mut rows: Vec<Row> = HALF_HOURS
        .map(|slot| {
            let key = format!("{:02}:{:02}", slot / 2, slot % 2 * 30);
            let tally = cut.half_hours.get(&slot).copied().unwrap_or_default();
            row(key, String::new(), &tally, policy)
        })
        .collect();
    let mut rest = Tally::default();
    for (_, tally) in cut.half_hours.iter().filter(|(slot, _)| !HALF_HOURS.contains(slot)) {
        rest.merge(tally);
    }
    rows.push(row(String::new(), String::new(), &rest, policy));
    rows
}

fn by_number(cut: &Sliced, policy: &Policy, names: &Names) -> Vec<Row> {
    let named = |number: &String| names.numbers.get(number).cloned().unwrap_or_default();
    let rows = cut.numbers.iter();
    rows.map(|(number, tally)| row(number.clone(), named(number), tally, policy)).collect()
}

/// Calls without a group come last.
fn by_group(cut: &Sliced, policy: &Policy, names: &Names) -> Vec<Row> {
    let named = |group: &str| names.groups.get(group).cloned().unwrap_or_default();
    let known = cut.groups.iter().filter_map(|(group, tally)| Some((group.as_deref()?, tally)));
    let rest = cut.groups.get(&None).map(|tally| ("", tally));
    known
        .chain(rest)
        .map(|(group, tally)| row(group.to_owned(), named(group), tally, policy))
        .collect()
}

/// Every agent of the plan, those without a call too; calls that are not over come last.
fn by_agent(cut: &Sliced, views: &Views) -> Vec<AgentRow> {
    let mut names: BTreeMap<String, String> =
        views.agents(Wall(0)).map(|agent| (agent.agent.as_str().to_owned(), agent.name)).collect();
    for agent in cut.agents.keys().flatten() {
        names.entry(agent.clone()).or_default();
    }
    let share = |agent: Option<&String>| cut.agents.get(&agent.cloned()).copied();
    let known = names.iter().map(|(agent, name)| AgentRow {
        agent: agent.clone(),
        name: name.clone(),
        share: share(Some(agent)).unwrap_or_default(),
    });
    let open =
        share(None).map(|share| AgentRow { agent: String::new(), name: String::new(), share });
    known.chain(open).collect()
}

fn waits(cut: &Sliced) -> Vec<WaitRow> {
    debug_assert_eq!(cut.waits.len(), BANDS.len());
    Band::all().zip(cut.waits).map(|(band, calls)| WaitRow { band, calls }).collect()
}

fn exclusions(rows: &[ExclusionRow], cut: &Sliced) -> Vec<ExcludedRow> {
    let row = |exclusion: &ExclusionRow| {
        let tally = cut.excluded.get(&exclusion.exclusion).copied().unwrap_or_default();
        ExcludedRow { exclusion: exclusion.clone(), calls: tally.arrived, outcomes: tally.outcomes }
    };
    rows.iter().map(row).collect()
}

/// Every trunk that ever was full, so that a month without such a time says so.
fn trunks(views: &Views, month: Month) -> Vec<TrunkFull> {
    let of_month: BTreeMap<_, _> = views.full_times_in(month).collect();
    let known =
        views.full_times().map(|(trunk, _)| trunk).chain(views.channels().map(|(it, _)| it));
    let known: std::collections::BTreeSet<_> = known.collect();
    let row = |trunk: &crate::base::TrunkId| {
        let full = of_month.get(trunk).copied().unwrap_or_default();
        TrunkFull { trunk: trunk.as_str().to_owned(), ms: full.ms, times: full.times }
    };
    known.into_iter().map(row).collect()
}
