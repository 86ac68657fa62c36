//! `madoguchi calls`: the calls of the whole history, by day, outcome and place in a figure.

use super::super::Reply;
use super::super::history::Whose;
use super::follow::follow;
use super::{json, plain, seconds, stands};
use crate::dialplan::Lang;
use crate::view::{self, Behind, Figure, Month, Outcome, Side, Views};
use chrono::NaiveDate;
use clap::Args;
use std::fmt::Write as _;
use std::process::ExitCode;

/// Ends with 0 when there are such calls, 1 when there is none, 2 when the command itself was wrong; with
/// --follow, 0 when it is ended by Ctrl-C.
#[derive(Clone, Debug, Args)]
pub struct Calls {
    /// Those that arrived in this month, such as 2026-10; all without it.
    #[arg(long, value_name = "MONTH", conflicts_with = "day")]
    month: Option<Month>,
    /// Those that arrived on this day, such as 2026-10-01.
    #[arg(long, value_name = "DAY")]
    day: Option<NaiveDate>,
    /// Where they stand in this figure: abandon, busy or `in_time`.
    #[arg(long, value_name = "FIGURE", value_parser = figure, default_value = "abandon")]
    pub(super) figure: Figure,
    /// Only those in the figure's numerator, in its total, or left out of it.
    #[arg(long, value_name = "numerator|total|out", value_parser = side)]
    stands: Option<Side>,
    /// Only those of this outcome, such as abandoned.
    #[arg(long, value_name = "OUTCOME", value_parser = outcome)]
    outcome: Option<Outcome>,
    /// Only those that dialled this number.
    #[arg(long, value_name = "NUMBER")]
    number: Option<String>,
    /// Only those that asked for this group last.
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Only those that this agent answered first.
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
    /// Prints calls from now on, each as it gets its outcome, until Ctrl-C; with --json a line of JSON each.
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    pub(super) whose: Whose,
}

impl Calls {
    /// Whether a call is one of those asked for.
    pub(super) fn wants(&self, it: &Behind, views: &Views) -> bool {
        let same =
            |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
        let day = views.day_of(it.arrived_at_ms);
        self.month.is_none_or(|month| month == Month::of(day))
            && self.day.is_none_or(|wanted| wanted == day)
            && self.stands.is_none_or(|side| side.holds(&it.standing))
            && self.outcome.is_none_or(|wanted| it.outcome == Some(wanted))
            && same(&self.number, &it.number)
            && same(&self.group, &it.group)
            && same(&self.agent, &it.agent)
    }
}

fn figure(text: &str) -> Result<Figure, String> {
    let names = Figure::ALL.map(Figure::name).join(", ");
    Figure::from_name(text).ok_or_else(|| format!("due is one of {names}"))
}

fn outcome(text: &str) -> Result<Outcome, String> {
    let names = Outcome::ALL.map(Outcome::name).join(", ");
    Outcome::from_name(text).ok_or_else(|| format!("due is one of {names}"))
}

fn side(text: &str) -> Result<Side, String> {
    Side::from_name(text).ok_or_else(|| "due is numerator, total or out".to_owned())
}

/// Lists calls.
#[must_use]
pub fn calls(arguments: &Calls) -> ExitCode {
    let lang = arguments.whose.language.choose();
    if arguments.follow {
        return follow(arguments, lang).unwrap_or_else(|reply| reply).finish();
    }
    answer(arguments, lang).unwrap_or_else(|reply| reply).finish()
}

/// One call in words.
pub(super) fn line(it: &Behind, zone: chrono_tz::Tz, lang: Lang) -> String {
    let at = view::written(it.arrived_at_ms, zone);
    let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "-".to_owned());
    let outcome = it.outcome.map_or("-", |outcome| lang.pick(outcome.japanese(), outcome.name()));
    let wait = it.wait_ms.map_or_else(|| "-".to_owned(), seconds);
    let (number, group, agent) = (name(&it.number), name(&it.group), name(&it.agent));
    let stands = stands(it.standing, lang);
    format!("{} {at} {number} {group} {agent} {outcome} {wait} {stands}", it.call)
}

fn answer(arguments: &Calls, lang: Lang) -> Result<Reply, Reply> {
    let views = arguments.whose.open(lang)?.read(lang)?;
    let days = match (arguments.month, arguments.day) {
        (Some(month), _) => (month.first(), month.last()),
        (None, Some(day)) => (day, day),
        (None, None) => (NaiveDate::MIN, NaiveDate::MAX),
    };
    let found: Vec<Behind> = views
        .behind(days, arguments.figure, |_, _| true)
        .filter(|it| arguments.wants(it, &views))
        .collect();
    let code = u8::from(found.is_empty());
    if arguments.whose.json {
        return Ok(plain(json(&found), code));
    }
    let mut out = String::new();
    for it in &found {
        let _ = writeln!(out, "{}", line(it, views.timezone(), lang)); // into a String: cannot fail
    }
    let (ja, en) = arguments.figure.said();
    let count = found.len();
    let _ =
        writeln!(out, "{}", lang.pick(format!("{ja}: {count} 件"), format!("{en}: {count} calls")));
    Ok(plain(out, code))
}
