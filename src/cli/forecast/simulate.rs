//! `madoguchi simulate`: months of a plan, many of them, or one of them as a history.

use super::super::Reply;
use super::assumed::Assumed;
use super::runs::{MOST_RUNS, runs};
use super::{percent, spread};
use crate::dialplan::{Lang, tame};
use crate::event::Entry;
use crate::forecast::{Cell, Interval, Run, Told, World, interval, real, run};
use crate::io::store::{Batch, Durability, Kind, Options, Store};
use crate::view::{Month, Policy, Rate, Ratio, Verdict, half_hour_shown};
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Entries of one transaction.
const BLOCK: usize = 4_096;
/// For the last of them to be in the file.
const PATIENCE: Duration = Duration::from_mins(5);

/// Ends with 0 when it was simulated, 2 when it cannot be.
#[derive(Clone, Debug, Args)]
pub struct Simulate {
    #[command(flatten)]
    assumed: Assumed,
    /// Which month, such as 2027-04.
    #[arg(long, value_name = "MONTH")]
    month: Month,
    /// How often, each time with other chance.
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=MOST_RUNS))]
    seeds: u64,
    /// The first seed. The same seed gives the same month on every machine.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Writes the month of the first seed as a store, which every command reads that reads a history; no other is run.
    #[arg(long, value_name = "STORE", conflicts_with = "seeds")]
    into: Option<PathBuf>,
    /// Prints what is assumed as a scenario, and simulates nothing.
    #[arg(long)]
    show: bool,
    /// JSON instead of text.
    #[arg(long)]
    json: bool,
}

/// Simulates months.
#[must_use]
pub fn simulate(arguments: &Simulate) -> ExitCode {
    let lang = arguments.assumed.language.choose();
    answer(arguments, lang).unwrap_or_else(|reply| reply).finish()
}

fn answer(arguments: &Simulate, lang: Lang) -> Result<Reply, Reply> {
    let known = arguments.assumed.read(lang)?;
    if arguments.show {
        let text =
            toml::to_string(&known.scenario).map_err(|error| Reply::wrong(&error.to_string()))?;
        return Ok(Reply { out: text, ..Reply::default() });
    }
    let world = known.world(arguments.assumed.demand(&known, arguments.month)?)?;
    if let Some(path) = &arguments.into {
        return store(&world, arguments.seed, path, lang);
    }
    let found = runs(&world, &known.policy, (arguments.seed, arguments.seeds), true, lang);
    let summary = Summary::of(&found, &known.policy);
    let out = if arguments.json {
        serde_json::to_string_pretty(&summary.json(arguments, &world)).unwrap_or_default() + "\n"
    } else {
        summary.said(arguments, &world, lang)
    };
    Ok(Reply { out, ..Reply::default() })
}

/// One month as a history. It is marked as synthetic, so it can never come to stand among real calls.
fn store(world: &World, seed: u64, path: &Path, lang: Lang) -> Result<Reply, Reply> {
    let shown = tame(&path.display().to_string());
    if path.exists() {
        return Err(Reply::wrong(&lang.pick(
            format!("{shown} はもうある。新しいファイルを指定する"),
            format!("{shown} is there already; due is a file that is not"),
        )));
    }
    let failed = |why: String| Reply::wrong(&format!("{shown}: {why}"));
    let options = Options { kind: Kind::Demonstration, durability: Durability::Process };
    let opened = Store::open(path, options, |_| {});
    let (store, _) = opened.map_err(|error| failed(error.to_string()))?;
    let (mut number, mut count, mut entries) = (0_u64, 0_u64, Vec::with_capacity(BLOCK));
    let mut append = |entries: &mut Vec<Entry>| {
        number = number.saturating_add(1);
        let entries = std::mem::take(entries);
        store.append(Batch { number, entries, bindings: Vec::new(), subscriptions: Vec::new() });
    };
    run(world, seed, |told| {
        if let Told::Entry(entry) = told {
            count = count.saturating_add(1);
            entries.push(entry.clone());
            if entries.len() >= BLOCK {
                append(&mut entries);
                // What waits is bounded: the disk sets the pace.
                while store.state().pending > 20 * BLOCK as u64 && !store.state().failing {
                    std::thread::park_timeout(Duration::from_millis(2));
                }
            }
        }
    });
    append(&mut entries);
    let lost = store.state().lost;
    if !store.close(PATIENCE) || lost > 0 {
        return Err(failed("the disk did not take it".to_owned()));
    }
    let out = lang.pick(
        format!("{shown}: {count} 件の記録（シミュレーション、seed {seed}）\n"),
        format!("{shown}: {count} entries (simulated, seed {seed})\n"),
    );
    Ok(Reply { out, ..Reply::default() })
}

/// Of runs, or of a part of each.
struct Row {
    calls: Option<Interval>,
    lost: Option<Interval>,
    abandon: Option<Interval>,
    busy: Option<Interval>,
    in_time: Option<Interval>,
    wait_s: Option<Interval>,
    occupancy: Option<Interval>,
}

impl Row {
    fn of<'r>(
        cells: impl Iterator<Item = (Cell, Option<Ratio>)> + Clone + 'r,
        policy: &Policy,
    ) -> Self {
        let figures = |cell: &Cell| cell.tally.figures(policy);
        let all = || cells.clone().map(|(cell, _)| cell);
        Self {
            calls: interval(all().map(|cell| real(cell.tally.arrived.saturating_add(cell.lost)))),
            lost: interval(all().map(|cell| real(cell.lost))),
            abandon: interval(all().map(|cell| figures(&cell).abandon_rate.ratio.as_f64())),
            busy: interval(all().map(|cell| figures(&cell).busy_rate.ratio.as_f64())),
            in_time: interval(all().map(|cell| figures(&cell).answered_in_time.as_f64())),
            wait_s: interval(all().filter_map(|cell| {
                let ms = figures(&cell).average_speed_of_answer_ms?;
                Some(real(ms) / 1_000.0)
            })),
            occupancy: interval(cells.filter_map(|(_, occupancy)| occupancy.map(Ratio::as_f64))),
        }
    }

    fn json(&self) -> Value {
        let of = |interval: Option<Interval>| {
            interval.map(|of| {
                json!({ "mean": of.mean, "mean_between": [of.mean_between.0, of.mean_between.1],
                    "between": [of.between.0, of.between.1], "runs": of.runs })
            })
        };
        json!({
            "calls": of(self.calls), "lost": of(self.lost), "abandon_rate": of(self.abandon),
            "busy_rate": of(self.busy), "answered_in_time": of(self.in_time),
            "average_speed_of_answer_s": of(self.wait_s), "occupancy": of(self.occupancy),
        })
    }

    fn said(&self, lang: Lang) -> String {
        let count = |count: f64| format!("{count:.0}");
        let seconds = |s: f64| lang.pick(format!("{s:.1} 秒"), format!("{s:.1} s"));
        [
            (lang.pick("呼", "calls"), spread(self.calls, lang, count)),
            (lang.pick("放棄率", "abandoned"), spread(self.abandon, lang, percent)),
            (lang.pick("ビジー率", "busy"), spread(self.busy, lang, percent)),
            (
                lang.pick("応答率（目標時間内）", "answered in time"),
                spread(self.in_time, lang, percent),
            ),
            (lang.pick("平均応答時間", "speed of answer"), spread(self.wait_s, lang, seconds)),
            (lang.pick("稼働率", "occupancy"), spread(self.occupancy, lang, percent)),
            (
                lang.pick("全回線使用中で届かない呼", "lost: all lines in use"),
                spread(self.lost, lang, count),
            ),
        ]
        .iter()
        .fold(String::new(), |mut said, (name, value)| {
            let _ = writeln!(said, "  {name}: {value}"); // into a String: cannot fail
            said
        })
    }
}

/// What many months say together.
struct Summary {
    total: Row,
    lines_full_s: Option<Interval>,
    within: (u64, u64, u64),
    days: Vec<(String, Row)>,
    half_hours: Vec<(String, Row)>,
}

impl Summary {
    fn of(runs: &[Run], policy: &Policy) -> Self {
        let ratio = |of: &mut dyn Iterator<Item = &Ratio>| {
            of.fold(Ratio::default(), |sum, one| Ratio {
                part: sum.part.saturating_add(one.part),
                whole: sum.whole.saturating_add(one.whole),
            })
        };
        let total = Row::of(
            runs.iter().map(|run| (run.total(), Some(ratio(&mut run.occupancy.values())))),
            policy,
        );
        let keys: BTreeSet<_> = runs.iter().flat_map(|run| run.cells.keys().copied()).collect();
        let days: BTreeSet<_> = keys.iter().map(|(day, _)| *day).collect();
        let half_hours: BTreeSet<_> = keys.iter().map(|(_, index)| *index).collect();
        let days = days.into_iter().map(|day| {
            let of = runs
                .iter()
                .map(move |run| (run.sum(|key| key.0 == day), run.occupancy.get(&day).copied()));
            (day.to_string(), Row::of(of, policy))
        });
        let half_hours = half_hours.into_iter().map(|index| {
            let of = runs.iter().map(move |run| {
                (run.sum(|key| key.1 == index), run.occupancy_at.get(&index).copied())
            });
            (half_hour_shown(index), Row::of(of, policy))
        });
        let mut within = (0, 0, 0);
        for run in runs {
            let figures = run.total().tally.figures(policy);
            let held = |rate: &Rate| rate.ratio.judged(rate.limit_percent) != Verdict::Missed;
            let (abandon, busy) = (held(&figures.abandon_rate), held(&figures.busy_rate));
            within.0 += u64::from(abandon && busy);
            within.1 += u64::from(abandon);
            within.2 += u64::from(busy);
        }
        let full = |run: &Run| real(run.lines_full_ms) / 1_000.0;
        Self {
            total,
            lines_full_s: interval(runs.iter().map(full)),
            within,
            days: days.collect(),
            half_hours: half_hours.collect(),
        }
    }

    fn json(&self, arguments: &Simulate, world: &World) -> Value {
        let rows = |rows: &[(String, Row)]| {
            rows.iter()
                .map(|(key, row)| (key.clone(), row.json()))
                .collect::<serde_json::Map<_, _>>()
        };
        json!({
            "month": arguments.month, "seeds": { "first": arguments.seed, "count": arguments.seeds },
            "agents": world.plan.agents.len(), "expected": world.demand.mean(), "total": self.total.json(),
            "lines_full_s": self.lines_full_s.map(|of| json!({ "mean": of.mean, "between": [of.between.0, of.between.1] })),
            "months_within": { "both": self.within.0, "abandon": self.within.1, "busy": self.within.2 },
            "days": rows(&self.days), "half_hours": rows(&self.half_hours),
        })
    }

    fn said(&self, arguments: &Simulate, world: &World, lang: Lang) -> String {
        let (month, seeds, agents) = (arguments.month, arguments.seeds, world.plan.agents.len());
        let mut out = lang.pick(
            format!("{month}、{seeds} 回の試行、オペレータ {agents} 人\n"),
            format!("{month}, {seeds} runs, {agents} agents\n"),
        );
        if let Some(note) = arguments.assumed.made_up(lang) {
            let _ = writeln!(out, "{note}"); // into a String: cannot fail
        }
        out += &self.total.said(lang);
        let (both, abandon, busy) = self.within;
        let full = spread(self.lines_full_s, lang, |s| format!("{s:.0} s"));
        let _ = writeln!(
            out, // into a String: cannot fail
            "{}",
            lang.pick(
                format!("  全回線使用中の時間: {full}\n  両方の基準を満たす月: {both}/{seeds}（放棄率 {abandon}、ビジー率 {busy}）"),
                format!("  all lines in use: {full}\n  months within both limits: {both}/{seeds} (abandoned {abandon}, busy {busy})"),
            )
        );
        for (name, rows) in [
            (lang.pick("日別", "by day"), &self.days),
            (lang.pick("時間帯別", "by half hour"), &self.half_hours),
        ] {
            let _ = writeln!(out, "\n{name}"); // into a String: cannot fail
            for (key, row) in rows {
                let _ = writeln!(
                    out, // into a String: cannot fail
                    "{key}  {}  {} {}  {} {}  {} {}",
                    spread(row.calls, lang, |calls| format!("{calls:.0}")),
                    lang.pick("放棄", "abandoned"),
                    spread(row.abandon, lang, percent),
                    lang.pick("ビジー", "busy"),
                    spread(row.busy, lang, percent),
                    lang.pick("稼働", "occupancy"),
                    spread(row.occupancy, lang, percent),
                );
            }
        }
        out
    }
}
