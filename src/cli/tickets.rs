//! `madoguchi tickets figures`: the contract's figures that need tickets, of a month and of a survey's year.

mod orders;
mod outbox;
mod paper;
mod recorded;
mod system;
mod trial;

pub(super) use recorded::{of_views, tickets_of};
pub(crate) use system::system;

use super::{Language, Reply};
use crate::config;
use crate::dialplan::{Lang, tame};
use crate::tickets::{
    self, Calendar, CountedAs, Figure, MonthReport, Problems, SurveyReport, TicketFile, Value,
    Verdict, WhichHours, Why, WrongLetters, decoded,
};
use crate::view::Month;
use clap::{Args, Subcommand};
use serde::Serialize;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Longest file that is read, bytes: 200,000 tickets, each with a kilobyte of columns that are passed over.
const MOST_BYTES: usize = 256 << 20;

/// Ends with 0 when every figure is within its limit or has nothing to judge, 1 when one misses its limit, 2
/// when the command, the plan or a file cannot be used.
#[derive(Clone, Debug, Args)]
pub struct Tickets {
    /// What is done.
    #[command(subcommand)]
    pub command: TicketsCommand,
}

/// What can be done with tickets.
#[derive(Clone, Debug, Subcommand)]
pub enum TicketsCommand {
    /// Says what No. 1 to 4 of a month come to, and No. 7 when there is a survey.
    Figures(Figures),
    /// Shows what a ticket system would be handed of a call, and asks it whether it is ready. Writes nothing.
    Try(trial::Try),
    /// Lists the calls of which a ticket system has not got everything, as text, CSV or a sheet to be printed.
    Outbox(outbox::Outbox),
    /// Asks the running desk how its ticket systems stand.
    Status(orders::Status),
    /// Has what waits tried at once, also what waits for a person.
    Retry(orders::Retry),
    /// Puts other words in the place of those that were refused, and has them tried.
    Edit(orders::Edit),
    /// Takes a call out of what a ticket system is due.
    Discard(orders::Discard),
    /// Says which of a ticket system's tickets is a call's, because it was written there by hand.
    Adopt(orders::Adopt),
    /// Enters what was written on the call sheet while a ticket system could not be used.
    Import(orders::Import),
}

/// What is counted.
#[derive(Clone, Debug, Args)]
pub struct Figures {
    /// The plan whose service days count.
    pub plan: PathBuf,
    /// The tickets, as docs/TICKETS.md has them.
    #[arg(long, value_name = "FILE.csv", required_unless_present = "from")]
    pub tickets: Option<PathBuf>,
    /// The tickets as the desk's history has them: of its ledger, or as a ticket system tells of them.
    #[arg(long, value_name = "TARGET", conflicts_with = "tickets")]
    pub from: Option<String>,
    /// Whose history that is.
    /// Not named: the one in the folder, or else /etc/madoguchi/madoguchi.toml.
    #[arg(long, value_name = "FILE", default_value = crate::cli::HERE, value_parser = crate::cli::configuration, requires = "from")]
    pub config: PathBuf,
    /// The month of the tickets' receipt, such as 2026-10.
    #[arg(long, value_name = "MONTH")]
    pub month: Month,
    /// The hours of the plan whose service days count; without it, those of the numbers that are counted.
    #[arg(long, value_name = "NAME")]
    pub hours: Option<String>,
    /// The answers of the yearly survey.
    #[arg(long, value_name = "SURVEY.csv", requires = "year", requires = "asked")]
    pub survey: Option<PathBuf>,
    /// The survey's year.
    #[arg(long, requires = "survey")]
    pub year: Option<u16>,
    /// How many people were asked.
    #[arg(long, value_name = "N", requires = "survey")]
    pub asked: Option<u64>,
    /// Prints JSON, with the tickets behind each figure and those left out.
    #[arg(long)]
    pub json: bool,
    /// Lists the tickets behind each figure and those left out, with the reason.
    #[arg(long)]
    pub list: bool,
    /// In which words.
    #[command(flatten)]
    pub language: Language,
}

/// Says what the figures come to.
#[must_use]
pub fn tickets(arguments: &Tickets) -> ExitCode {
    let reply = match &arguments.command {
        TicketsCommand::Figures(figures) => answer(figures, figures.language.choose()),
        TicketsCommand::Try(it) => it.answer(),
        TicketsCommand::Outbox(it) => it.answer(),
        TicketsCommand::Status(it) => it.answer(),
        TicketsCommand::Retry(it) => it.answer(),
        TicketsCommand::Edit(it) => it.answer(),
        TicketsCommand::Discard(it) => it.answer(),
        TicketsCommand::Adopt(it) => it.answer(),
        TicketsCommand::Import(it) => it.answer(),
    };
    reply.finish()
}

/// All that is answered, in JSON terms.
#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    month: MonthReport,
    /// Columns of the file that were not looked at.
    columns_passed_over: Vec<String>,
    survey: Option<SurveyReport>,
}

pub(super) fn answer(arguments: &Figures, lang: Lang) -> Reply {
    match counted(arguments, lang) {
        Ok(answer) => {
            let figures = answer.month.figures.iter().map(|figure| figure.verdict);
            let survey = answer.survey.iter();
            let survey =
                survey.flat_map(|survey| [survey.satisfaction_verdict, survey.answer_rate_verdict]);
            let missed = figures.chain(survey).any(|verdict| verdict == Verdict::Missed);
            let out = if arguments.json {
                serde_json::to_string_pretty(&answer).unwrap_or_default() + "\n"
            } else {
                said(&answer, arguments.list, lang)
            };
            Reply { out, err: String::new(), code: u8::from(missed) }
        }
        Err(reply) => reply,
    }
}

fn counted(arguments: &Figures, lang: Lang) -> Result<Answer, Reply> {
    let (plan, _) =
        config::plan_at(&arguments.plan, None).map_err(|it| super::refused(&it, lang, 2))?;
    let calendar = Calendar::of(&plan, arguments.hours.as_deref())
        .map_err(|which| Reply::wrong(&no_hours(&which, lang)))?;
    let refused = |path: &Path, problems: Problems| {
        let err = problems.told(&path.display().to_string(), lang);
        Reply { err, code: 2, ..Reply::default() }
    };
    let file = match (&arguments.tickets, &arguments.from) {
        (Some(path), _) => tickets::tickets(&text(path, lang)?, plan.timezone)
            .map_err(|problems| refused(path, problems))?,
        (None, from) => TicketFile {
            tickets: tickets_of(&arguments.config, from.as_deref().unwrap_or_default(), lang)?,
            passed_over: Vec::new(),
        },
    };
    let survey = match (&arguments.survey, arguments.year, arguments.asked) {
        (Some(path), Some(year), Some(asked)) => {
            let file = tickets::survey(&text(path, lang)?);
            let file = file.map_err(|problems| refused(path, problems))?;
            let report = tickets::survey_report(&file.respondents, year, asked);
            if report.counted.len() as u64 > asked {
                return Err(Reply::wrong(&lang.pick(
                    format!("--asked {asked} より回答者 {} 人が多い", report.counted.len()),
                    format!(
                        "--asked {asked} is less than the {} who answered",
                        report.counted.len()
                    ),
                )));
            }
            Some(report)
        }
        _ => None,
    };
    Ok(Answer {
        month: tickets::month_report(&file.tickets, arguments.month, &calendar),
        columns_passed_over: file.passed_over,
        survey,
    })
}

/// A file in UTF-8 or, as spreadsheets in Japan save it, in Shift JIS.
pub(super) fn text(path: &Path, lang: Lang) -> Result<String, Reply> {
    let name = tame(&path.display().to_string());
    let bytes = match std::fs::metadata(path).map(|file| file.len()) {
        Ok(length) if length > MOST_BYTES as u64 => {
            return Err(Reply::wrong(&format!("{name}: > {MOST_BYTES} bytes")));
        }
        Ok(_) => std::fs::read(path),
        Err(error) => Err(error),
    };
    let bytes = bytes.map_err(|error| Reply::wrong(&format!("{name}: {error}")))?;
    decoded(&bytes).map_err(|WrongLetters(line)| {
        Reply::wrong(&lang.pick(
            format!(
                "{name}: {line} 行目は UTF-8 としても Shift_JIS としても読めない。CSV で保存し直す"
            ),
            format!("{name}: line {line} is neither UTF-8 nor Shift_JIS; save it again as CSV"),
        ))
    })
}

pub(super) fn no_hours(which: &WhichHours, lang: Lang) -> String {
    match which {
        WhichHours::Unknown(known) => {
            let known = tame(&known.join(", "));
            lang.pick(
                format!("--hours の名前の受付時間は計画にない。あるのは: {known}"),
                format!("--hours: the plan has no such hours; it has: {known}"),
            )
        }
        WhichHours::Several(names) => {
            let names = tame(&names.join(", "));
            lang.pick(
                format!("実績に数える着信番号の受付時間が一つではない。--hours で選ぶ: {names}"),
                format!(
                    "the counted desk numbers differ in their hours; choose with --hours: {names}"
                ),
            )
        }
        WhichHours::NoNumber => lang.pick(
            "実績に数える着信番号がない。--hours で受付時間を選ぶ".to_owned(),
            "no desk number is counted; choose the hours with --hours".to_owned(),
        ),
    }
}

fn said(answer: &Answer, list: bool, lang: Lang) -> String {
    let Answer { month, columns_passed_over, survey } = answer;
    let MonthReport { month: which, timezone, tickets, of_other_months: others, .. } = month;
    let mut text = String::new();
    let mut line = |said: String| {
        let _ = writeln!(text, "{said}"); // into a String: cannot fail
    };
    let hours = match &month.hours {
        Some(name) => lang.pick("受付時間 ", "hours ").to_owned() + &tame(name),
        None => lang.pick("常に受付", "always open").to_owned(),
    };
    line(lang.pick(
        format!("{which}（{timezone}、{hours}）: {tickets} 件、ほかの月 {others} 件"),
        format!("{which} ({timezone}, {hours}): {tickets} tickets, {others} of other months"),
    ));
    for figure in &month.figures {
        let name = figure_name(figure.no, lang);
        line(row(figure.no, name, figure.value, lang, "%"));
        if list {
            listed(figure, lang, &mut line);
        }
    }
    if let Some(survey) = survey {
        let (year, asked, answered) = (survey.year, survey.asked, survey.counted.len());
        line(lang.pick(
            format!("{year} 年度の満足度調査: {asked} 人に依頼、{answered} 人が回答"),
            format!("survey of {year}: {asked} asked, {answered} answered"),
        ));
        let satisfaction = lang.pick("満足度", "satisfaction");
        line(row(7, satisfaction, survey.satisfaction, lang, lang.pick("点", "points")));
        let rate = lang.pick("回答率", "answer rate");
        line(row(7, rate, survey.answer_rate, lang, "%"));
        if list {
            for one in &survey.counted {
                line(format!("    + {}: {}/{}", tame(&one.id), one.points, one.answers));
            }
            for id in &survey.left_out {
                line(format!("    - {}: {}", tame(id), lang.pick("回答なし", "no answer")));
            }
        }
    }
    if !columns_passed_over.is_empty() {
        let columns = tame(&columns_passed_over.join(", "));
        line(
            lang.pick(
                format!("読まなかった列: {columns}"),
                format!("columns passed over: {columns}"),
            ),
        );
    }
    line(lang.pick(
        format!("契約の読み方（docs/TICKETS.md）: {}", month.readings.join(", ")),
        format!("readings of the contract (docs/TICKETS.md): {}", month.readings.join(", ")),
    ));
    text
}

/// A figure on its line; `unit` is that of a share.
fn row(no: u8, name: &str, value: Value, lang: Lang, unit: &str) -> String {
    let verdict = value.judged();
    let nothing = lang.pick("値なし", "no value").to_owned();
    let (value, limit) = match value {
        Value::Share { ratio, at_least_percent: limit } => (
            ratio.percent().map_or(nothing, |percent| {
                format!("{percent} {unit} ({}/{})", ratio.part, ratio.whole)
            }),
            lang.pick(format!("{limit} {unit} 以上"), format!("at least {limit} {unit}")),
        ),
        Value::Mean { mean, at_most_minutes: limit } => (
            mean.minutes().map_or(nothing, |minutes| {
                lang.pick(
                    format!("{minutes} 分 ({} 件)", mean.count),
                    format!("{minutes} min ({} tickets)", mean.count),
                )
            }),
            lang.pick(format!("{limit} 分以下"), format!("at most {limit} min")),
        ),
    };
    let verdict = match verdict {
        Verdict::NoValue => lang.pick("対象なし", "nothing to judge"),
        Verdict::Within => lang.pick("達成", "within"),
        Verdict::Missed => lang.pick("未達", "MISSED"),
    };
    lang.pick(
        format!("No.{no} {name}: {value}、{limit}: {verdict}"),
        format!("No. {no} {name}: {value}, {limit}: {verdict}"),
    )
}

pub(super) fn figure_name(no: u8, lang: Lang) -> &'static str {
    let (ja, en) = tickets::said(no);
    lang.pick(ja, en)
}

fn listed(figure: &Figure, lang: Lang, line: &mut impl FnMut(String)) {
    for one in &figure.counted {
        let counted = match one.counted_as {
            CountedAs::Resolved => lang.pick("解決", "resolved").to_owned(),
            CountedAs::Escalated => lang.pick("エスカレーションあり", "escalated").to_owned(),
            CountedAs::NotCompleted => lang.pick("未完了", "not completed").to_owned(),
            CountedAs::Took { ms } => {
                let (minutes, rest) = (ms / 60_000, ms % 60_000);
                format!("{minutes}:{:02}.{:03}", rest / 1000, rest % 1000)
            }
        };
        line(format!("    + {}: {counted}", tame(&one.id)));
    }
    for one in &figure.left_out {
        let why = match one.why {
            Why::Technical => lang.pick("技術支援が必要", "needs technical support by nature"),
            Why::NotCompleted => lang.pick("未完了", "not completed"),
            Why::VirusInvestigation => lang.pick("ウイルス調査", "virus investigation"),
            Why::VendorInvestigation => lang.pick("ベンダー調査", "vendor investigation"),
            Why::NotEscalated => lang.pick("エスカレーションなし", "not escalated"),
            Why::NotToSystemBuilder => lang.pick(
                "システム構築業者へのエスカレーションなし",
                "not escalated to the system builder",
            ),
            Why::CallerAskedForTime => lang.pick("時間指定", "the caller asked for a time"),
            Why::NotReported => lang.pick("経過報告なし", "no progress report"),
        };
        line(format!("    - {}: {why}", tame(&one.id)));
    }
}
