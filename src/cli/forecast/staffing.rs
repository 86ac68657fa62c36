//! `madoguchi forecast`: how many agents and lines.

use super::super::Reply;
use super::assumed::{Assumed, Known};
use super::runs::{MOST_RUNS, runs};
use super::{percent, spread};
use crate::dialplan::{Lang, tame};
use crate::forecast::{Enough, Interval, MOST_LINES, Staffing, Wanted, World};
use crate::view::{Month, half_hour_shown};
use clap::Args;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Ends with 0 when a number was found, 1 when none keeps the limits, 2 when the command itself was wrong.
#[derive(Clone, Debug, Args)]
pub struct Forecast {
    #[command(flatten)]
    assumed: Assumed,
    /// Which month, such as 2027-04.
    #[arg(long, value_name = "MONTH")]
    month: Month,
    /// In how many of 100 months both limits are to be kept.
    #[arg(long, value_name = "PERCENT", default_value_t = 95, value_parser = clap::value_parser!(u8).range(1..=100))]
    certainty: u8,
    /// How often each number is tried.
    #[arg(long, value_name = "NUMBER", default_value_t = 40, value_parser = clap::value_parser!(u64).range(10..=MOST_RUNS))]
    seeds: u64,
    /// The first seed.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Not by half hour, which takes longest.
    #[arg(long)]
    all_day_only: bool,
    /// Draws the curve into this file (SVG).
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    /// JSON instead of text.
    #[arg(long)]
    json: bool,
}

/// Says how many.
#[must_use]
pub fn forecast(arguments: &Forecast) -> ExitCode {
    let lang = arguments.assumed.language.choose();
    answer(arguments, lang).unwrap_or_else(|reply| reply).finish()
}

fn answer(arguments: &Forecast, lang: Lang) -> Result<Reply, Reply> {
    let known = arguments.assumed.read(lang)?;
    let world = known.world(arguments.assumed.demand(&known, arguments.month)?)?;
    let found = search(arguments, &known, &world, lang);
    if let Some(path) = &arguments.picture {
        let said = |error: std::io::Error| {
            Reply::wrong(&format!("{}: {error}", tame(&path.display().to_string())))
        };
        std::fs::write(path, picture(&found, &known, lang)).map_err(said)?;
    }
    let out = if arguments.json {
        serde_json::to_string_pretty(&as_json(&found, arguments)).unwrap_or_default() + "\n"
    } else {
        said(&found, arguments, lang)
    };
    Ok(Reply { out, err: String::new(), code: u8::from(found.agents.is_none()) })
}

fn search(arguments: &Forecast, known: &Known, world: &World, lang: Lang) -> Enough {
    let wanted = Wanted {
        certainty: f64::from(arguments.certainty) / 100.0,
        by_half_hour: !arguments.all_day_only,
    };
    let (policy, seeds) = (&known.policy, (arguments.seed, arguments.seeds));
    let mut ask = |_, world: &World| runs(world, policy, seeds, false, lang);
    Enough::of(world, &known.plan, policy, wanted, &mut ask)
}

fn as_json(found: &Enough, arguments: &Forecast) -> Value {
    let of = |interval: Option<Interval>| {
        interval.map(|of| json!({ "mean": of.mean, "between": [of.between.0, of.between.1] }))
    };
    let points = found.points.iter().enumerate().map(|(at, point)| {
        json!({ "agents": point.agents, "agent_hours": point.agent_hours, "abandon_rate": of(point.abandon),
            "busy_rate": of(point.busy), "months_within": point.within, "erlang_a_gives_up": point.formulas.give_up,
            "erlang_c_waits": point.formulas.wait, "hours_per_percent": found.cost(at) })
    });
    let levels = |staffing: &Staffing| {
        let level = |((weekday, half_hour), agents): (&(u8, u8), &u32)| json!({ "weekday": weekday, "half_hour": half_hour, "agents": agents });
        json!({ "agent_hours": staffing.agent_hours, "months_within": staffing.within, "reached": staffing.reached,
            "levels": staffing.levels.iter().map(level).collect::<Vec<_>>() })
    };
    json!({ "month": arguments.month, "calls": found.calls, "certainty": arguments.certainty, "seeds": arguments.seeds,
        "agents_all_day": found.agents, "curve": points.collect::<Vec<_>>(),
        "by_half_hour": found.staffing.as_ref().map(levels),
        "lines": found.lines.map(|(lines, within)| json!({ "lines": lines, "months_within": within,
            "erlang_b": found.erlang_b.map(|(load, blocked)| json!({ "erlangs": load, "blocked": blocked })) })) })
}

fn said(found: &Enough, arguments: &Forecast, lang: Lang) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        let _ = writeln!(out, "{text}"); // into a String: cannot fail
    };
    let (month, certainty, calls) = (arguments.month, arguments.certainty, found.calls);
    line(lang.pick(
        format!("{month}、月 {calls:.0} 件の見込み、100 か月のうち {certainty} か月で両方の基準を満たすこと"),
        format!("{month}, {calls:.0} calls expected, both limits due in {certainty} of 100 months"),
    ));
    if let Some(note) = arguments.assumed.made_up(lang) {
        line(note.to_owned());
    }
    line(String::new());
    line(lang.pick(
        "人数（終日）  放棄率  ビジー率  基準内の月  [Erlang A の放棄, Erlang C で待つ割合]  1 % 減らすのに要る人時".to_owned(),
        "agents all day  abandoned  busy  months within  [given up by Erlang A, waiting by Erlang C]  hours per percent".to_owned(),
    ));
    let part = |part: Option<f64>| part.map_or_else(|| "-".to_owned(), percent);
    for (at, point) in found.points.iter().enumerate() {
        line(format!(
            "{:>3}  {}  {}  {:.0} %  [{}, {}]  {}",
            point.agents,
            spread(point.abandon, lang, percent),
            spread(point.busy, lang, percent),
            point.within * 100.0,
            part(point.formulas.give_up),
            part(point.formulas.wait),
            found.cost(at).map_or_else(|| "-".to_owned(), |hours| format!("{hours:.0}")),
        ));
    }
    line(String::new());
    line(match found.agents {
        Some(agents) => lang
            .pick(format!("終日なら {agents} 人"), format!("{agents} agents all day are enough")),
        None => {
            lang.pick("調べた範囲では足りない", "no number that was tried is enough").to_owned()
        }
    });
    if let Some(staffing) = &found.staffing {
        let (hours, within) = (staffing.agent_hours, staffing.within * 100.0);
        line(lang.pick(
            format!("時間帯ごとなら月 {hours:.0} 人時（基準内の月 {within:.0} %）:"),
            format!("by half hour {hours:.0} hours of agents in the month ({within:.0} % of months within):"),
        ));
        table(staffing, &mut line, lang);
    }
    match found.lines {
        Some((lines, within)) => {
            let (within, mut beside) = (within * 100.0, String::new());
            if let Some((load, blocked)) = found.erlang_b {
                let blocked = percent(blocked);
                beside = lang.pick(
                    format!("。Erlang B では、一番忙しい 30 分（{load:.1} アーラン）に {blocked} が空き回線を見つけられない"),
                    format!("; by Erlang B {blocked} find none free in the busiest half hour ({load:.1} erlangs)"),
                );
            }
            line(lang.pick(
                format!("回線は {lines} 本（基準内の月 {within:.0} %）{beside}"),
                format!("{lines} lines ({within:.0} % of months within){beside}"),
            ));
        }
        None if found.agents.is_some() => line(lang.pick(
            format!("回線は {MOST_LINES} 本でも足りない"),
            format!("not even {MOST_LINES} lines are enough"),
        )),
        None => {}
    }
    line(String::new());
    line(lang.pick(
        "Erlang A・B・C は、一定の割合で偶然に来る呼、記憶のない通話時間、一つのグループ、営業時間の始まりを忘れるほど長い時間、を仮定する。A は放棄あり、C は放棄なし。シミュレーションはこのプランの規則そのもので、どれも仮定しない",
        "Erlang A, B and C take for granted: calls by chance at a constant rate, talks without memory, one group, and a day long enough to forget its beginning; with A callers give up, with C never. The simulation is the plan's own rules and takes none of these for granted",
    ).to_owned());
    out
}

fn table(staffing: &Staffing, line: &mut dyn FnMut(String), lang: Lang) {
    let names = lang.pick(
        ["月", "火", "水", "木", "金", "土", "日"],
        ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    );
    let weekdays: std::collections::BTreeSet<u8> =
        staffing.levels.keys().map(|(day, _)| *day).collect();
    let times: std::collections::BTreeSet<u8> = staffing.levels.keys().map(|(_, at)| *at).collect();
    let head: Vec<&str> =
        weekdays.iter().filter_map(|day| names.get(usize::from(*day)).copied()).collect();
    line(format!("         {}", head.join("   ")));
    for at in times {
        let cells: Vec<String> = weekdays
            .iter()
            .map(|day| match staffing.levels.get(&(*day, at)) {
                Some(agents) => format!("{agents:>3}"),
                None => "  -".to_owned(),
            })
            .collect();
        line(format!("  {} {}", half_hour_shown(at), cells.join("  ")));
    }
}

/// The curve: rates against agents, with the limits and where 95 of 100 months lie.
fn picture(found: &Enough, known: &Known, lang: Lang) -> String {
    const WIDTH: f64 = 720.0;
    const HEIGHT: f64 = 360.0;
    const LEFT: f64 = 60.0;
    const TOP: f64 = 40.0;
    const BOTTOM: f64 = 310.0;
    let last = found.points.len().saturating_sub(1).max(1);
    #[allow(clippy::cast_precision_loss)] // A handful of points.
    let x = |at: usize| LEFT + (WIDTH - LEFT - 30.0) * at as f64 / last as f64;
    let y = |part: f64| BOTTOM - (BOTTOM - TOP) * part.clamp(0.0, 0.5) / 0.5;
    let mut shapes = String::new();
    for tenth in 0..=5 {
        let at = y(f64::from(tenth) / 10.0);
        let _ = write!(
            shapes, // into a String: cannot fail
            r##"<line x1="{LEFT}" y1="{at:.1}" x2="{:.1}" y2="{at:.1}" stroke="#ddd"/><text x="{:.1}" y="{:.1}" text-anchor="end">{} %</text>"##,
            WIDTH - 30.0,
            LEFT - 6.0,
            at + 4.0,
            tenth * 10
        );
    }
    let curves = [
        (
            lang.pick("放棄率", "abandoned"),
            "#a02c2c",
            known.policy.abandon_limit.percent,
            found.points.iter().map(|point| point.abandon).collect::<Vec<_>>(),
        ),
        (
            lang.pick("ビジー率", "busy"),
            "#b07000",
            known.policy.busy_limit.percent,
            found.points.iter().map(|point| point.busy).collect(),
        ),
    ];
    for (place, (name, colour, limit, rates)) in curves.iter().enumerate() {
        let known: Vec<(usize, Interval)> =
            rates.iter().enumerate().filter_map(|(at, rate)| Some((at, (*rate)?))).collect();
        let upper =
            known.iter().map(|(at, rate)| format!("{:.1},{:.1}", x(*at), y(rate.between.1)));
        let lower =
            known.iter().rev().map(|(at, rate)| format!("{:.1},{:.1}", x(*at), y(rate.between.0)));
        let band: Vec<String> = upper.chain(lower).collect();
        let means: Vec<String> =
            known.iter().map(|(at, rate)| format!("{:.1},{:.1}", x(*at), y(rate.mean))).collect();
        let at = y(f64::from(*limit) / 100.0);
        #[allow(clippy::cast_precision_loss)] // Two of them.
        let key = 80.0 + 260.0 * place as f64;
        let _ = write!(
            shapes, // into a String: cannot fail
            r#"<polygon points="{}" fill="{colour}" opacity="0.18"/><polyline points="{}" fill="none" stroke="{colour}" stroke-width="2"/><line x1="{LEFT}" y1="{at:.1}" x2="{:.1}" y2="{at:.1}" stroke="{colour}" stroke-dasharray="5 4"/><rect x="{key}" y="12" width="12" height="12" fill="{colour}"/><text x="{:.1}" y="23">{name} ({} {limit} %)</text>"#,
            band.join(" "),
            means.join(" "),
            WIDTH - 30.0,
            key + 18.0,
            lang.pick("基準", "limit")
        );
    }
    for (at, point) in found.points.iter().enumerate() {
        let _ = write!(
            shapes, // into a String: cannot fail
            r#"<text x="{:.1}" y="328" text-anchor="middle">{}</text>"#,
            x(at),
            point.agents
        );
    }
    let title = lang.pick("オペレータの人数（終日）と率", "rates by number of agents, all day");
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12" fill="#222" role="img" aria-label="{title}"><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>{shapes}<text x="{:.1}" y="350" text-anchor="middle">{title}</text></svg>
"##,
        WIDTH / 2.0
    )
}
