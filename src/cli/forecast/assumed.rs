//! What the three commands take: a plan, a month, and what is assumed of people, from a file or from a history.

use super::super::history::{self, config_and_plan};
use super::super::place::Named;
use super::super::rehearse::is_config;
use super::super::{Language, Reply, refused};
use crate::base::{PromptId, Wall};
use crate::config::{self, Media};
use crate::dialplan::{Lang, Plan, tame};
use crate::event::Entry;
use crate::forecast::{Demand, Fit, Found, Roster, Scenario, World, with_agents};
use crate::io::media::PromptLibrary;
use crate::rtp::tone::Country;
use crate::view::{Month, Policy, half_hour_index};
use chrono::{NaiveDate, NaiveTime, Timelike};
use clap::Args;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Longest file of assumptions or calls that is read, bytes.
const MOST_BYTES: u64 = 16 << 20;

/// What is assumed.
#[derive(Clone, Debug, Args)]
pub struct Assumed {
    /// A plan, or a configuration that names one; of a configuration the settings of the figures hold, too.
    #[arg(value_name = "PLAN")]
    pub(super) plan: PathBuf,
    /// What is assumed of calls, callers and agents (TOML; docs/FORECAST.md). Without it and without --history
    /// nothing of your desk is known: the defaults are made up.
    #[arg(long, value_name = "FILE")]
    pub(super) scenario: Option<PathBuf>,
    /// Takes what is assumed from this history (a store, or `site:CONFIG`); a scenario goes before it, part by part.
    #[arg(long, value_name = "STORE")]
    pub(super) history: Option<Named>,
    /// Only of calls in the history from this day on, such as 2026-04-01.
    #[arg(long, value_name = "DAY", requires = "history")]
    pub(super) from: Option<NaiveDate>,
    /// Only of calls before this day.
    #[arg(long, value_name = "DAY", requires = "history")]
    pub(super) until: Option<NaiveDate>,
    /// Calls in the month, in the place of the scenario's.
    #[arg(long, value_name = "NUMBER")]
    pub(super) calls: Option<f64>,
    /// Calls by day and half hour: a CSV with the columns date, `half_hour`, calls (2027-04-01,08:30,23).
    #[arg(long, value_name = "FILE", conflicts_with = "calls")]
    pub(super) arrivals: Option<PathBuf>,
    /// So many agents, the plan's first, or more like its last.
    #[arg(long, value_name = "NUMBER")]
    pub(super) agents: Option<u16>,
    /// So many lines of every trunk.
    #[arg(long, value_name = "NUMBER")]
    pub(super) lines: Option<u32>,
    /// In which words.
    #[command(flatten)]
    pub(super) language: Language,
}

/// The same, read.
pub(super) struct Known {
    pub(super) plan: Plan,
    pub(super) policy: Policy,
    pub(super) scenario: Scenario,
    lengths: BTreeMap<PromptId, Duration>,
}

impl Assumed {
    /// Reads all of it.
    ///
    /// # Errors
    ///
    /// A reply with exit code 2 that says what is wrong where.
    pub(super) fn read(&self, lang: Lang) -> Result<Known, Reply> {
        let Ruled { mut plan, policy, lengths } = ruled(&self.plan, lang)?;
        if let Some(agents) = self.agents {
            plan = with_agents(&plan, usize::from(agents));
        }
        let mut scenario = match &self.history {
            None => Scenario::default(),
            Some(named) => self.fit(named, &plan, lang)?.scenario,
        };
        if let Some(path) = &self.scenario {
            scenario = over(&scenario, path)?;
        }
        if let Some(calls) = self.calls {
            (scenario.calls.month, scenario.calls.service_day) = (calls, None);
        }
        if let Some(lines) = self.lines {
            scenario.set_lines(&plan, lines);
        }
        let faults = scenario.faults();
        if !faults.is_empty() {
            return Err(Reply::wrong(&faults.join("\n")));
        }
        Ok(Known { plan, policy, scenario, lengths })
    }

    fn fit(&self, named: &Named, plan: &Plan, lang: Lang) -> Result<Found, Reply> {
        let begins = |day: Option<NaiveDate>, otherwise: i64| {
            day.and_then(|day| plan.midnight(day)).unwrap_or(Wall(otherwise))
        };
        let span = (begins(self.from, i64::MIN), begins(self.until, i64::MAX));
        fitted(named, plan, span, lang)
    }

    /// What is to be said when nothing of the desk is known.
    pub(super) fn made_up(&self, lang: Lang) -> Option<&'static str> {
        let japanese = "注意: 通話時間・待てる時間などは既定値（作り物）。--history で実績から、--scenario で指定する";
        let english = "note: talks, patience and the like are defaults, made up; take them from --history, or say them by --scenario";
        (self.scenario.is_none() && self.history.is_none()).then(|| lang.pick(japanese, english))
    }

    /// A month's demand.
    pub(super) fn demand(&self, known: &Known, month: Month) -> Result<Demand, Reply> {
        let (calls, plan) = (&known.scenario.calls, &known.plan);
        let demand = match &self.arrivals {
            None => Demand::expected(calls, plan, month),
            Some(path) => Demand::of_table(&table(path)?, calls, plan),
        };
        demand.map_err(|error| Reply::wrong(&error.to_string()))
    }
}

impl Known {
    /// What is simulated.
    pub(super) fn world(&self, demand: Demand) -> Result<World, Reply> {
        let roster = Roster::of(&self.scenario.shifts, &self.plan);
        let roster = roster.map_err(|error| Reply::wrong(&error.to_string()))?;
        let (plan, lengths) = (Arc::new(self.plan.clone()), self.lengths.clone());
        Ok(World::of(plan, &self.scenario, demand, roster, lengths))
    }
}

/// What announcements last: those that ship, with a site's own in their place where a configuration names them.
pub(in crate::cli) fn lengths(site: Option<&Media>) -> Result<BTreeMap<PromptId, Duration>, Reply> {
    let folder = site.and_then(|media| media.prompts.as_deref());
    let country = site.map_or_else(Country::default, |media| media.tones);
    let library = PromptLibrary::load(folder, country);
    Ok(library.map_err(|error| Reply::wrong(&error.to_string()))?.lengths())
}

/// Hands over every entry of a history, in order, with a word on a terminal on how far it is; where it lies, for
/// people.
pub(super) fn each(named: &Named, lang: Lang, take: impl FnMut(&Entry)) -> Result<String, Reply> {
    let place = named.find_alone(lang)?;
    history::each(&place, 0, lang, take)?;
    Ok(tame(&place.to_string()))
}

/// What a history says of the calls of a span.
pub(super) fn fitted(
    named: &Named,
    plan: &Plan,
    span: (Wall, Wall),
    lang: Lang,
) -> Result<Found, Reply> {
    let mut fit = Fit::new(plan, span);
    let shown = each(named, lang, |entry| fit.apply(entry))?;
    let found = fit.finish();
    if found.based_on.calls == 0 {
        let why = lang.pick("その期間の呼がない", "no call of that span is in it");
        return Err(Reply::wrong(&format!("{shown}: {why}")));
    }
    Ok(found)
}

/// By which rules calls go and figures are made.
pub(super) struct Ruled {
    pub(super) plan: Plan,
    pub(super) policy: Policy,
    /// What announcements last.
    pub(super) lengths: BTreeMap<PromptId, Duration>,
}

/// A plan by itself is judged by the contract's own readings, and plays the announcements that ship.
pub(super) fn ruled(path: &Path, lang: Lang) -> Result<Ruled, Reply> {
    if is_config(path) {
        let (config, plan) = config_and_plan(path, lang, 2)?;
        return Ok(Ruled { plan, lengths: lengths(Some(&config.media))?, policy: config.figures });
    }
    let (plan, _) = config::plan_at(path, None).map_err(|findings| refused(&findings, lang, 2))?;
    Ok(Ruled { plan, policy: Policy::default(), lengths: lengths(None)? })
}

fn text(path: &Path) -> Result<String, Reply> {
    let shown = tame(&path.display().to_string());
    let failed = |why: &str| Reply::wrong(&format!("{shown}: {why}"));
    let length = std::fs::metadata(path).map_err(|error| failed(&error.to_string()))?.len();
    if length > MOST_BYTES {
        return Err(failed(&format!("{length} bytes; due are at most {MOST_BYTES}")));
    }
    std::fs::read_to_string(path).map_err(|error| failed(&error.to_string()))
}

/// A scenario's file over what is known: each table that it has takes the place of the known one, key by key.
fn over(known: &Scenario, path: &Path) -> Result<Scenario, Reply> {
    let failed =
        |why: String| Reply::wrong(&format!("{}: {why}", tame(&path.display().to_string())));
    let text = text(path)?;
    // First by itself, so that an error names its line in the file.
    toml::from_str::<Scenario>(&text).map_err(|error| failed(error.to_string()))?;
    let written: toml::Table = toml::from_str(&text).map_err(|error| failed(error.to_string()))?;
    let mut all = toml::Table::try_from(known).map_err(|error| failed(error.to_string()))?;
    for (name, value) in written {
        match (all.get_mut(&name), value) {
            (Some(toml::Value::Table(there)), toml::Value::Table(more)) => there.extend(more),
            (_, value) => {
                all.insert(name, value);
            }
        }
    }
    all.try_into().map_err(|error: toml::de::Error| failed(error.to_string()))
}

/// Days, half hours and calls of a CSV file.
fn table(path: &Path) -> Result<Vec<(NaiveDate, u8, f64)>, Reply> {
    let shown = tame(&path.display().to_string());
    let text = text(path)?;
    let mut rows = Vec::new();
    for (line, row) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let cells: Vec<&str> = row.split(',').map(str::trim).collect();
        if row.trim().is_empty() || (line == 1 && cells.first() == Some(&"date")) {
            continue;
        }
        let read = match cells.as_slice() {
            [day, time, calls] => {
                let time = NaiveTime::parse_from_str(time, "%H:%M").ok();
                let time = time.filter(|time| time.minute() % 30 == 0);
                let index = time.and_then(|time| half_hour_index(&time));
                let calls: Option<f64> =
                    calls.parse().ok().filter(|calls| (0.0..=100_000.0).contains(calls));
                match (day.parse().ok(), index, calls) {
                    (Some(day), Some(index), Some(calls)) => Some((day, index, calls)),
                    _ => None,
                }
            }
            _ => None,
        };
        rows.push(read.ok_or_else(|| {
            Reply::wrong(&format!(
                "{shown}:{line}: {:?}; due is a day, the beginning of a half hour and calls, such as 2027-04-01,08:30,23",
                tame(row)
            ))
        })?);
    }
    Ok(rows)
}
