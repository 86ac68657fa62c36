//! `madoguchi report`: a month's operations report as files.

use super::forecast::next_month;
use super::history::Whose;
use super::{Reply, now, tickets as ticket_files};
use crate::base::Wall;
use crate::dialplan::{Lang, Plan, tame};
use crate::report::{self, About, Names, SheetLine, SheetValue, SheetVerdict};
use crate::tickets::{self, MonthReport, Ticket, Value};
use crate::view::{LEDGER, Month, Views};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Ends with 0 when the report was made and no limit is missed, 1 when it was made and one is, 2 when it could
/// not be made.
#[derive(Clone, Debug, Args)]
pub struct Report {
    /// The month, such as 2026-10.
    pub month: Month,
    /// The folder that the files are put into; files of the same names are replaced.
    #[arg(long, value_name = "FOLDER")]
    pub into: PathBuf,
    /// The tickets, as docs/TICKETS.md has them, for No. 1 to 4.
    #[arg(long, value_name = "FILE.csv")]
    pub tickets: Option<PathBuf>,
    /// The same as the history has them, of the ledger or as this ticket system tells of them; without either, of
    /// the one that does.
    #[arg(long, value_name = "TARGET", conflicts_with = "tickets")]
    pub tickets_from: Option<String>,
    /// The hours of the plan whose service days count for tickets; without it, those of the numbers that are
    /// counted.
    #[arg(long, value_name = "NAME")]
    pub hours: Option<String>,
    /// A font with Japanese signs for the PDF (.ttf, .otf, or a .ttc whose first font is taken); without it,
    /// that of Debian's fonts-noto-cjk or fonts-ipafont-gothic.
    #[arg(long, value_name = "FILE")]
    pub font: Option<PathBuf>,
    /// Makes no PDF, and needs no font.
    #[arg(long, conflicts_with = "font")]
    pub no_pdf: bool,
    /// Leaves out what the next month is expected to come to, which takes some seconds.
    #[arg(long)]
    pub no_forecast: bool,
    /// Whose history.
    #[command(flatten)]
    pub whose: Whose,
}

/// Where Debian puts fonts with Japanese signs; the first that is there is taken.
const FONTS: [&str; 3] = [
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf",
    "/usr/share/fonts/truetype/fonts-japanese-gothic.ttf",
];
/// Longest font that is read, bytes; those above have 4 to 20 MB.
const MOST_FONT_BYTES: u64 = 64 << 20;

/// Makes the report.
#[must_use]
pub fn report(arguments: &Report) -> ExitCode {
    let lang = arguments.whose.language.choose();
    match answer(arguments, lang, now()) {
        Ok(reply) | Err(reply) => reply.finish(),
    }
}

/// The files of a month's report of a desk, by its configuration: names and bytes. No tickets are counted; without
/// a font there is no PDF. Reads the whole history: for a thread of its own.
///
/// # Errors
///
/// Why it cannot be made, in English.
pub(crate) fn report_files(config: &Path, month: Month) -> Result<Vec<(String, Vec<u8>)>, String> {
    let lang = Lang::En;
    let said = |reply: Reply| reply.err.trim().to_owned();
    let whose = Whose::of(config);
    let history = whose.open(lang).map_err(said)?;
    let views = history.read(lang).map_err(said)?;
    let about = About {
        made_at: now(),
        next_month: Some(next_month(&history, month, lang).map_err(said)?),
        version: env!("CARGO_PKG_VERSION"),
        names: names(&history.plan),
        tickets: recorded(&views, month, None, &history.plan, lang).map_err(said)?,
        hash: history.hash(views.last_seq()).map_err(said)?,
    };
    let made = report::Report::of(&views, month, &about);
    files(&made, font(None, lang).ok()).map_err(said)
}

fn answer(arguments: &Report, lang: Lang, now: Wall) -> Result<Reply, Reply> {
    // What is refused is told before a long history is read.
    let font = if arguments.no_pdf { None } else { Some(font(arguments.font.as_deref(), lang)?) };
    let history = arguments.whose.open(lang)?;
    let from_file = match &arguments.tickets {
        Some(path) => Some(ticket_figures(arguments, path, &history.plan, lang)?),
        None => None,
    };
    let views = history.read(lang)?;
    let tickets = match (from_file, &arguments.tickets_from) {
        (Some(figures), _) => Some(figures),
        (None, Some(target)) => {
            let found = ticket_files::of_views(&views, target, lang)?;
            Some(month_of(
                &found,
                arguments.month,
                arguments.hours.as_deref(),
                &history.plan,
                lang,
            )?)
        }
        (None, None) => {
            recorded(&views, arguments.month, arguments.hours.as_deref(), &history.plan, lang)?
        }
    };
    let next = || next_month(&history, arguments.month, lang);
    let next_month = if arguments.no_forecast { None } else { Some(next()?) };
    let about = About {
        made_at: now,
        next_month,
        version: env!("CARGO_PKG_VERSION"),
        names: names(&history.plan),
        tickets,
        hash: history.hash(views.last_seq())?,
    };
    let made = report::Report::of(&views, arguments.month, &about);
    let files = written(&made, font, arguments, lang)?;
    let out = if arguments.whose.json {
        let answer = json!({ "month": made.month, "files": files, "whole": made.whole, "sheet": made.sheet });
        serde_json::to_string_pretty(&answer).unwrap_or_default() + "\n"
    } else {
        said(&made, &files, lang)
    };
    Ok(Reply { out, err: String::new(), code: u8::from(made.sheet.any_missed()) })
}

fn font(asked: Option<&Path>, lang: Lang) -> Result<Vec<u8>, Reply> {
    let there = || FONTS.into_iter().map(Path::new).find(|path| path.exists());
    let Some(path) = asked.or_else(there) else {
        return Err(Reply::wrong(lang.pick(
            "PDF に使う日本語のフォントがない。Debian の fonts-noto-cjk か fonts-ipafont-gothic を入れるか、--font で指す。\
             PDF が要らなければ --no-pdf",
            "there is no font with Japanese signs for the PDF: install Debian's fonts-noto-cjk or \
             fonts-ipafont-gothic, or name one with --font; with --no-pdf no PDF is made",
        )));
    };
    let failed =
        |why: String| Reply::wrong(&format!("{}: {why}", tame(&path.display().to_string())));
    match std::fs::metadata(path).map(|file| file.len()) {
        Ok(length) if length > MOST_FONT_BYTES => Err(failed(format!("> {MOST_FONT_BYTES} bytes"))),
        Ok(_) => std::fs::read(path).map_err(|error| failed(error.to_string())),
        Err(error) => Err(failed(error.to_string())),
    }
}

fn names(plan: &Plan) -> Names {
    let numbers = plan.desk_numbers.iter();
    let groups = plan.groups.iter();
    Names {
        numbers: numbers.map(|(id, it)| (id.as_str().to_owned(), it.name.clone())).collect(),
        groups: groups.map(|(id, it)| (id.as_str().to_owned(), it.name.clone())).collect(),
    }
}

fn ticket_figures(
    arguments: &Report,
    path: &Path,
    plan: &Plan,
    lang: Lang,
) -> Result<MonthReport, Reply> {
    let calendar = tickets::Calendar::of(plan, arguments.hours.as_deref())
        .map_err(|which| Reply::wrong(&ticket_files::no_hours(&which, lang)))?;
    let file = tickets::tickets(&ticket_files::text(path, lang)?, plan.timezone);
    let file = file.map_err(|problems| {
        let err = problems.told(&path.display().to_string(), lang);
        Reply { err, code: 2, ..Reply::default() }
    })?;
    Ok(tickets::month_report(&file.tickets, arguments.month, &calendar))
}

fn month_of(
    found: &[Ticket],
    month: Month,
    hours: Option<&str>,
    plan: &Plan,
    lang: Lang,
) -> Result<MonthReport, Reply> {
    let calendar = tickets::Calendar::of(plan, hours)
        .map_err(|which| Reply::wrong(&ticket_files::no_hours(&which, lang)))?;
    Ok(tickets::month_report(found, month, &calendar))
}

/// As the history has them: of the one target that tells how its tickets stand. None when no target has told, or
/// several have, or the plan leaves open which days are service days: a person names it then.
fn recorded(
    views: &Views,
    month: Month,
    hours: Option<&str>,
    plan: &Plan,
    lang: Lang,
) -> Result<Option<MonthReport>, Reply> {
    // A ledger that nobody writes in says nothing of how calls were dealt with.
    let kept = || views.incidents().any(|it| it.revision > 0);
    let told = views.fed_targets().filter(|target| match target.as_str() {
        LEDGER => kept(),
        _ => !views.ticket_states(target).is_empty(),
    });
    let told: Vec<_> = told.map(|target| target.as_str().to_owned()).collect();
    let [target] = told.as_slice() else { return Ok(None) };
    let found = ticket_files::of_views(views, target, lang)?;
    Ok(month_of(&found, month, hours, plan, lang).ok())
}

/// Writes all files; tells their names.
fn written(
    made: &report::Report,
    font: Option<Vec<u8>>,
    arguments: &Report,
    lang: Lang,
) -> Result<Vec<String>, Reply> {
    let folder = &arguments.into;
    let failed = |path: &Path, error: &std::io::Error| {
        let path = tame(&path.display().to_string());
        Reply::wrong(&lang.pick(
            format!("{path}: 書けない: {error}"),
            format!("{path}: it cannot be written: {error}"),
        ))
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    let mut names = Vec::new();
    for (name, bytes) in files(made, font)? {
        let path = folder.join(&name);
        std::fs::write(&path, bytes).map_err(|error| failed(&path, &error))?;
        names.push(name);
    }
    Ok(names)
}

/// All files: names and bytes. None is a PDF without a font.
fn files(made: &report::Report, font: Option<Vec<u8>>) -> Result<Vec<(String, Vec<u8>)>, Reply> {
    let name = format!("report-{}", made.month);
    let json = serde_json::to_vec_pretty(made).unwrap_or_default();
    let mut files = vec![
        (format!("{name}.html"), report::html(made).into_bytes()),
        (format!("{name}.json"), json),
    ];
    if let Some(font) = font {
        let pdf =
            report::pdf(made, font).map_err(|error| Reply::wrong(&format!("PDF: {error}")))?;
        files.push((format!("{name}.pdf"), pdf));
    }
    for table in report::tables(made) {
        files.push((format!("{name}-{}.csv", table.id), report::csv(&table)));
    }
    Ok(files)
}

fn said(made: &report::Report, files: &[String], lang: Lang) -> String {
    let mut text = String::new();
    let mut line = |said: String| text.push_str(&(said + "\n"));
    let whole = &made.whole;
    if !whole.over {
        line(lang.pick("この月はまだ終わっていない", "the month is not over").to_owned());
    }
    if whole.undecided > 0 {
        let count = whole.undecided;
        line(lang.pick(
            format!("結果の決まっていない呼が {count} 件ある"),
            format!("{count} calls have no outcome yet"),
        ));
    }
    if whole.holes > 0 {
        let count = whole.holes;
        line(lang.pick(
            format!("記録に {count} 件の欠落がある"),
            format!("{count} entries of the history were never written"),
        ));
    }
    if made.sheet.differs_from_closed {
        line(
            lang.pick(
                "現在の集計は締めた数値と異なる。報告するのは締めた数値",
                "what is counted now differs from what the month was closed with, which is reported",
            )
            .to_owned(),
        );
    }
    for of_sheet in &made.sheet.lines {
        line(sheet_line(of_sheet, lang));
    }
    for file in files {
        line(file.clone());
    }
    text
}

fn sheet_line(line: &SheetLine, lang: Lang) -> String {
    let no = line.no;
    let name = match no {
        5 => lang.pick("放棄率", "abandon rate"),
        6 => lang.pick("ビジー率", "busy rate"),
        no => ticket_files::figure_name(no, lang),
    };
    let value = match line.value {
        Some(
            SheetValue::Below { ratio, .. }
            | SheetValue::Tickets { value: Value::Share { ratio, .. } },
        ) => ratio.percent().map(|percent| format!("{percent} % ({}/{})", ratio.part, ratio.whole)),
        Some(SheetValue::Tickets { value: Value::Mean { mean, .. } }) => mean
            .minutes()
            .map(|minutes| format!("{minutes} {} ({})", lang.pick("分", "min"), mean.count)),
        None => None,
    };
    let verdict = match line.verdict {
        SheetVerdict::Met => lang.pick("達成", "met"),
        SheetVerdict::Missed => lang.pick("未達成", "MISSED"),
        SheetVerdict::Adjustment => lang.pick("調整期間", "adjustment period"),
        SheetVerdict::NoCalls => lang.pick("呼なし", "no calls"),
        SheetVerdict::NoTickets => lang.pick("対象なし", "no tickets to judge"),
        SheetVerdict::NoData => lang.pick("対象データなし", "no data"),
    };
    let value = value.map_or_else(String::new, |value| value + " ");
    format!("No. {no} {name}: {value}{verdict}")
}
