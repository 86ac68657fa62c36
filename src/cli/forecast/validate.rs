//! `madoguchi validate`: a recorded month again, with the calls and agents that it had, and how near the prediction
//! comes.

use super::super::place::Named;
use super::super::{Language, Reply};
use super::assumed::{Ruled, each, ruled};
use super::percent;
use super::runs::{MOST_RUNS, runs};
use crate::base::Wall;
use crate::dialplan::{Lang, Plan};
use crate::forecast::{
    BasedOn, Cell, Cells, Fit, Found, Interval, Run, World, one_more, rate, real,
};
use crate::view::{Figures, Month, Policy, Ratio, half_hour_shown};
use chrono::NaiveDate;
use clap::Args;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// With fewer calls before the month, what people do is taken from the month itself.
const ENOUGH_CALLS: u64 = 500;
/// Half hours that are listed.
const MOST_LISTED: usize = 20;

/// Ends with 0 when both rates of the month lie where they were predicted, 1 when one does not, 2 when it cannot
/// be said.
#[derive(Clone, Debug, Args)]
pub struct Validate {
    /// The plan that the calls came under, or a configuration that names it.
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// Which month of the history, such as 2026-10.
    #[arg(value_name = "MONTH")]
    month: Month,
    /// The history: a store, or `site:CONFIG`; it is only read.
    #[arg(long, value_name = "STORE")]
    history: Named,
    /// How often it is tried.
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u64).range(20..=MOST_RUNS))]
    seeds: u64,
    /// JSON instead of text.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    language: Language,
}

/// Predicts a month that is known.
#[must_use]
pub fn validate(arguments: &Validate) -> ExitCode {
    let lang = arguments.language.choose();
    answer(arguments, lang).unwrap_or_else(|reply| reply).finish()
}

type ByHalfHour = BTreeMap<(NaiveDate, u8), Cell>;

/// What is read of the history.
struct Read {
    /// What people did before the month, or in it.
    people: Found,
    from_before: bool,
    /// The month's calls and agents.
    month: Found,
    recorded: ByHalfHour,
}

fn read(arguments: &Validate, plan: &Plan, policy: &Policy, lang: Lang) -> Result<Read, Reply> {
    let begins = |month: Month| month.begins(plan.timezone);
    let (from, until) = (begins(arguments.month), begins(arguments.month.later(1)));
    let mut before = Fit::new(plan, (Wall(i64::MIN), from));
    let mut within = Fit::new(plan, (from, until));
    let mut cells = Cells::new(policy, plan.timezone);
    let shown = each(&arguments.history, lang, |entry| {
        before.apply(entry);
        within.apply(entry);
        cells.apply(entry);
    })?;
    let (before, month) = (before.finish(), within.finish());
    if month.based_on.calls == 0 {
        let why = lang.pick("その月の呼がない", "no call of that month is in it");
        return Err(Reply::wrong(&format!("{shown}: {why}")));
    }
    let of_month = |day: &NaiveDate| Month::of(*day) == arguments.month;
    let recorded = cells.finish().into_iter().filter(|((day, _), _)| of_month(day)).collect();
    let from_before = before.based_on.calls >= ENOUGH_CALLS;
    let people = if from_before { before } else { month.clone() };
    Ok(Read { people, from_before, month, recorded })
}

fn answer(arguments: &Validate, lang: Lang) -> Result<Reply, Reply> {
    let Ruled { plan, policy, lengths } = ruled(&arguments.plan, lang)?;
    let read = read(arguments, &plan, &policy, lang)?;
    let world = World::again(&plan, &read.month, &read.people.scenario, lengths);
    let found = runs(&world, &policy, (1, arguments.seeds), false, lang);
    let judged = Judged::of(&read.recorded, &found, &policy);
    let code = u8::from(!(judged.abandon.holds() && judged.busy.holds()));
    let out = if arguments.json {
        serde_json::to_string_pretty(&judged.json(arguments, &read)).unwrap_or_default() + "\n"
    } else {
        judged.said(arguments, &read, lang)
    };
    Ok(Reply { out, err: String::new(), code })
}

/// A rate as it was and as it was predicted.
struct Compared {
    recorded: Ratio,
    predicted: Option<Interval>,
}

impl Compared {
    /// Whether it lies where 95 of 100 predicted months do.
    fn holds(&self) -> bool {
        let found = self.recorded.as_f64();
        self.predicted
            .is_none_or(|of| !found.is_finite() || (of.between.0..=of.between.1).contains(&found))
    }

    fn said(&self, lang: Lang) -> String {
        let found = self.recorded.to_string();
        let Some(of) = self.predicted else { return found };
        let (low, high, mean) = (percent(of.between.0), percent(of.between.1), percent(of.mean));
        let verdict = if self.holds() {
            lang.pick("範囲内", "within")
        } else {
            lang.pick("範囲外", "outside")
        };
        lang.pick(
            format!("実績 {found}、予測 {mean}（95%: {low} 〜 {high}）: {verdict}"),
            format!("recorded {found}, predicted {mean} (95 %: {low} to {high}): {verdict}"),
        )
    }

    fn json(&self) -> serde_json::Value {
        json!({ "recorded": self.recorded, "holds": self.holds(),
            "predicted": self.predicted.map(|of| json!({ "mean": of.mean, "between": [of.between.0, of.between.1] })) })
    }
}

/// One half hour of one day: how many callers were not served, as it was and as it was predicted.
struct HalfHour {
    key: (NaiveDate, u8),
    calls: u64,
    unserved: u64,
    between: (f64, f64),
}

impl HalfHour {
    fn off(&self) -> f64 {
        let found = real(self.unserved);
        (self.between.0 - found).max(found - self.between.1).max(0.0)
    }
}

struct Judged {
    abandon: Compared,
    busy: Compared,
    in_time: Compared,
    half_hours: Vec<HalfHour>,
}

impl Judged {
    fn of(recorded: &ByHalfHour, runs: &[Run], policy: &Policy) -> Self {
        let mut all = Cell::default();
        for cell in recorded.values() {
            all.merge(cell);
        }
        let figures = all.tally.figures(policy);
        let compared = |of: fn(&Figures) -> Ratio| Compared {
            recorded: of(&figures),
            predicted: rate(runs, policy, of),
        };
        let half_hours = recorded.iter().map(|(key, cell)| {
            let of_run =
                |run: &Run| run.cells.get(key).map_or(0.0, |cell| real(cell.unserved(policy)));
            let mut predicted: Vec<f64> = runs.iter().map(of_run).collect();
            predicted.sort_by(f64::total_cmp);
            let (from, to) = one_more(&predicted, 0.95);
            HalfHour {
                key: *key,
                calls: cell.tally.arrived,
                unserved: cell.unserved(policy),
                between: (from.floor(), to.ceil()),
            }
        });
        Self {
            abandon: compared(|figures| figures.abandon_rate.ratio),
            busy: compared(|figures| figures.busy_rate.ratio),
            in_time: compared(|figures| figures.answered_in_time),
            half_hours: half_hours.filter(|half_hour| half_hour.calls > 0).collect(),
        }
    }

    fn within(&self) -> Ratio {
        let within = self.half_hours.iter().filter(|half_hour| half_hour.off() <= 0.0).count();
        Ratio { part: within as u64, whole: self.half_hours.len() as u64 }
    }

    fn worst(&self) -> Vec<&HalfHour> {
        let mut off: Vec<&HalfHour> = self.half_hours.iter().filter(|it| it.off() > 0.0).collect();
        off.sort_by(|a, b| b.off().total_cmp(&a.off()).then(a.key.cmp(&b.key)));
        off.truncate(MOST_LISTED);
        off
    }

    fn json(&self, arguments: &Validate, read: &Read) -> serde_json::Value {
        let based = |of: &BasedOn| {
            json!({ "days": of.days, "calls": of.calls, "talks": of.talks,
            "asked": of.asked, "gave_up": of.gave_up, "rings": of.rings, "wrap_ups": of.wrap_ups })
        };
        let worst = self.worst().into_iter().map(|it| {
            json!({ "day": it.key.0.to_string(), "half_hour": it.key.1, "calls": it.calls,
                "unserved": it.unserved, "predicted": [it.between.0, it.between.1] })
        });
        json!({ "month": arguments.month, "seeds": arguments.seeds, "people_from_before": read.from_before,
            "based_on": based(&read.people.based_on), "abandon_rate": self.abandon.json(),
            "busy_rate": self.busy.json(), "answered_in_time": self.in_time.json(),
            "half_hours_within": self.within(), "worst": worst.collect::<Vec<_>>() })
    }

    fn said(&self, arguments: &Validate, read: &Read, lang: Lang) -> String {
        let mut out = String::new();
        let mut line = |text: String| {
            let _ = writeln!(out, "{text}"); // into a String: cannot fail
        };
        let (month, seeds, of) = (arguments.month, arguments.seeds, read.people.based_on);
        let (calls, gave_up) = (of.calls, of.gave_up);
        line(lang.pick(format!("{month}、{seeds} 回の試行"), format!("{month}, {seeds} runs")));
        line(if read.from_before {
            lang.pick(
                format!("人のふるまいは、その月より前の {calls} 件の呼（うち放棄 {gave_up} 件）から取った"),
                format!("what people do is taken from {calls} calls before the month ({gave_up} gave up)"),
            )
        } else {
            lang.pick(
                format!("人のふるまいは、その月自体の {calls} 件（うち放棄 {gave_up} 件）から取った。前の月の記録がないので、予測としては甘い"),
                format!("what people do is taken from the {calls} calls of the month itself ({gave_up} gave up), since there are too few before it: as a prediction it flatters"),
            )
        });
        line(format!("  {}: {}", lang.pick("放棄率", "abandoned"), self.abandon.said(lang)));
        line(format!("  {}: {}", lang.pick("ビジー率", "busy"), self.busy.said(lang)));
        line(format!(
            "  {}: {}",
            lang.pick("目標時間内の応答", "answered in time"),
            self.in_time.said(lang)
        ));
        let within = self.within();
        line(lang.pick(
            format!("  30 分ごと: {within} が予測の範囲に入る（95 % が目安）"),
            format!("  half hours: {within} lie where they were predicted (95 % are due)"),
        ));
        for it in self.worst() {
            let (day, index) = it.key;
            let (low, high) = it.between;
            let time = half_hour_shown(index);
            line(lang.pick(
                format!("    {day} {time}: {} 件のうち応対できなかったのは {} 件、予測は {low:.0}〜{high:.0} 件", it.calls, it.unserved),
                format!("    {day} {time}: {} of {} calls were not served, predicted {low:.0} to {high:.0}", it.unserved, it.calls),
            ));
        }
        let trusted = self.abandon.holds() && self.busy.holds();
        line(match (trusted, within.as_f64() >= 0.9) {
            (true, true) => lang.pick("月の率も時間帯も予測に使える", "it can be trusted for the month and for its half hours"),
            (true, false) => lang.pick(
                "月の率の予測には使える。上の時間帯は、計画や人の配置にない事情があった",
                "it can be trusted for the month; in the half hours above something happened that neither plan nor roster tells",
            ),
            (false, _) => lang.pick(
                "この月は予測できていない。ふるまいが前と変わったか、記録にない事情（障害、応援）があった",
                "this month was not predicted: people did otherwise than before, or something happened that the history does not tell (a fault, help from elsewhere)",
            ),
        }.to_owned());
        out
    }
}
