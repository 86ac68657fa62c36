//! `madoguchi service-level`: a month's contract figures, as counted now and as they were closed.

use super::super::Reply;
use super::super::history::Whose;
use super::{json, plain};
use crate::dialplan::Lang;
use crate::view::{
    self, ClosedMonth, ExclusionState, Month, MonthFigures, Outcome, Rate, Ratio, Verdict,
};
use clap::Args;
use std::fmt::Write as _;
use std::process::ExitCode;

/// Ends with 0 when no limit is missed, 1 when one is, 2 when the command itself was wrong.
#[derive(Clone, Debug, Args)]
pub struct ServiceLevel {
    /// Which month, such as 2026-10.
    month: Month,
    #[command(flatten)]
    whose: Whose,
}

/// Shows a month's figures.
#[must_use]
pub fn service_level(arguments: &ServiceLevel) -> ExitCode {
    let lang = arguments.whose.language.choose();
    answer(arguments, lang).unwrap_or_else(|reply| reply).finish()
}

fn answer(arguments: &ServiceLevel, lang: Lang) -> Result<Reply, Reply> {
    let views = arguments.whose.open(lang)?.read(lang)?;
    let level = views.service_level(arguments.month);
    let missed = |rate: &Rate| rate.verdict == Verdict::Missed;
    let code = u8::from(missed(&level.figures.abandon_rate) || missed(&level.figures.busy_rate));
    if arguments.whose.json {
        return Ok(plain(json(&level), code));
    }
    Ok(plain(said(&level, views.timezone(), lang), code))
}

fn verdict(verdict: Verdict, lang: Lang) -> &'static str {
    match verdict {
        Verdict::NoCalls => lang.pick("呼なし", "no calls"),
        Verdict::Within => lang.pick("達成", "within"),
        Verdict::Missed => lang.pick("未達成", "missed"),
        Verdict::Adjustment => lang.pick("調整期間（判定しない）", "adjustment period, not judged"),
    }
}

fn rate(name: &str, rate: &Rate, lang: Lang) -> String {
    let Ratio { part, whole } = rate.ratio;
    let percent = rate.ratio.percent().unwrap_or_else(|| "-".to_owned());
    let (limit, verdict) = (rate.limit_percent.percent, verdict(rate.verdict, lang));
    lang.pick(
        format!("{name}: {percent} %（{part}/{whole}）、{limit} % 未満、{verdict}"),
        format!("{name}: {percent} % ({part}/{whole}), due below {limit} %, {verdict}"),
    )
}

fn said(level: &MonthFigures, zone: chrono_tz::Tz, lang: Lang) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        let _ = writeln!(out, "{text}"); // into a String: cannot fail
    };
    let month = level.month;
    line(
        lang.pick(
            format!("{month}（{}）", level.timezone),
            format!("{month} ({})", level.timezone),
        ),
    );
    line(rate(lang.pick("放棄率 No. 5", "abandon rate No. 5"), &level.figures.abandon_rate, lang));
    line(rate(lang.pick("ビジー率 No. 6", "busy rate No. 6"), &level.figures.busy_rate, lang));
    let in_time = level.figures.answered_in_time;
    let percent = in_time.percent().unwrap_or_else(|| "-".to_owned());
    let target = super::seconds(level.policy.answer_target_ms);
    line(lang.pick(
        format!("{target} 秒以内の応答率: {percent} %（{}/{}）", in_time.part, in_time.whole),
        format!("answered within {target} s: {percent} % ({}/{})", in_time.part, in_time.whole),
    ));
    let (arrived, undecided) = (level.figures.arrived, level.figures.undecided);
    line(lang.pick(
        format!("着信 {arrived}（未決 {undecided}）、集計対象外の番号 {}", level.figures.left_out),
        format!(
            "arrived {arrived} (undecided {undecided}), to numbers that are not counted {}",
            level.figures.left_out
        ),
    ));
    for outcome in Outcome::ALL {
        let count = level.figures.outcomes.get(outcome);
        line(format!("  {}: {count}", lang.pick(outcome.japanese(), outcome.name())));
    }
    if level.excluded.arrived > 0 {
        let count = level.excluded.arrived;
        line(lang.pick(
            format!("対象外期間の着信 {count}"),
            format!("arrived in excluded periods {count}"),
        ));
    }
    for survey in &level.surveys {
        let points = survey.satisfaction.percent().unwrap_or_else(|| "-".to_owned());
        let (name, said, asked) = (&survey.survey, survey.respondents, survey.asked);
        line(lang.pick(
            format!("満足度調査 {name}: {points} 点（回答 {said}/{asked}）"),
            format!("survey {name}: {points} points ({said} of {asked} answered)"),
        ));
    }
    for row in &level.exclusions {
        let (from, until) = (view::written(row.from_ms, zone), view::written(row.until_ms, zone));
        let state = match &row.state {
            ExclusionState::Entered => lang.pick("承認待ち", "not approved").to_owned(),
            ExclusionState::Approved { approved } => {
                let author = &approved.author;
                lang.pick(format!("承認 {author}"), format!("approved by {author}"))
            }
            ExclusionState::Withdrawn { withdrawn, why, .. } => {
                let author = &withdrawn.author;
                lang.pick(
                    format!("取り下げ {author}: {why}"),
                    format!("withdrawn by {author}: {why}"),
                )
            }
        };
        let (number, reason, author) = (row.exclusion, &row.reason, &row.entered.author);
        line(lang.pick(
            format!(
                "対象外期間 {number}: {from} から {until} まで、{reason}、記入 {author}、{state}"
            ),
            format!("exclusion {number}: {from} until {until}, {reason}, by {author}, {state}"),
        ));
    }
    for closed in &level.closed {
        line(revision(closed, zone, lang));
    }
    if level.differs_from_closed {
        line(
            lang.pick(
                "今数えた値は、締めた値と違う。締めた値を変えるのは、次の改訂だけ",
                "what is counted now is not what was closed: only another revision changes that",
            )
            .to_owned(),
        );
    }
    let version = level.settings_version;
    line(lang.pick(format!("設定（版 {version}）"), format!("settings (version {version})")));
    for (name, value) in level.policy.settings() {
        line(format!("  {name} = {value}"));
    }
    line(
        lang.pick(
            "通信事業者がこちらに届く前に断った呼は、どの数値にもない",
            "calls that the carrier refuses before they reach the desk are in no figure",
        )
        .to_owned(),
    );
    out
}

fn revision(closed: &ClosedMonth, zone: chrono_tz::Tz, lang: Lang) -> String {
    let ratio = |(part, whole): (u64, u64)| {
        let percent = Ratio { part, whole }.percent().unwrap_or_else(|| "-".to_owned());
        format!("{percent} % ({part}/{whole})")
    };
    let (abandon, busy) = (ratio(closed.figures.abandon), ratio(closed.figures.busy));
    let at = view::written(closed.closed.at_ms, zone);
    let (number, author, seq) =
        (closed.revision, &closed.closed.author, closed.figures.through_seq);
    let hash = closed.figures.hash.as_deref().unwrap_or("-");
    let reason =
        if closed.reason.is_empty() { String::new() } else { format!(" {}", closed.reason) };
    lang.pick(
        format!("締め 改訂 {number}（{at} {author}{reason}）: 放棄率 {abandon}、ビジー率 {busy}、記録 {seq} まで {hash}"),
        format!("closed, revision {number} ({at} {author}{reason}): abandon {abandon}, busy {busy}, history through {seq} {hash}"),
    )
}
