//! `madoguchi operating`: operating figures of a month, a day or any span of half hours.

use super::super::Reply;
use super::super::history::Whose;
use super::{json, plain};
use crate::base::{CsvCell, Wall, csv_bytes};
use crate::dialplan::Lang;
use crate::view::{self, By, Month, NotTogether, OperatingWanted, Window};
use chrono::NaiveDate;
use clap::Args;
use std::fmt::Write as _;
use std::process::ExitCode;

/// Ends with 0 when they are shown, 2 when the command itself was wrong or the history cannot be read.
#[derive(Clone, Debug, Args)]
pub struct Operating {
    /// Which month or day, such as 2026-10 or 2026-10-01.
    #[arg(value_parser = span, required_unless_present = "from")]
    when: Option<Window>,
    /// Instead, from this day or half hour on, such as 2026-10-01 or 2026-10-01T08:30.
    #[arg(long, value_name = "TIME", requires = "to", conflicts_with = "when")]
    from: Option<String>,
    /// To this day, which is in it, or until this half hour, which is not.
    #[arg(long, value_name = "TIME", requires = "from")]
    to: Option<String>,
    /// The rows: `half_hour`, `day`, `month`, `group`, `number` or `agent`.
    #[arg(long, value_name = "ROWS", value_parser = by, default_value = "day")]
    by: By,
    /// Only this agent's time and rings.
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
    /// Only calls that asked for this group last.
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Only calls to this number.
    #[arg(long, value_name = "NUMBER")]
    number: Option<String>,
    /// A sheet for a spreadsheet instead of text.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    #[command(flatten)]
    whose: Whose,
}

fn span(text: &str) -> Result<Window, String> {
    if let Ok(month) = text.parse::<Month>() {
        return Ok(Window::month(month));
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d");
    let day =
        day.map_err(|_| "due is a month or a day, such as 2026-10 or 2026-10-01".to_owned())?;
    Ok(Window::days(day, day))
}

fn by(text: &str) -> Result<By, String> {
    By::from_name(text).ok_or_else(|| format!("due is one of {}", By::ALL.map(By::name).join(", ")))
}

/// Shows them.
#[must_use]
pub fn operating(arguments: &Operating) -> ExitCode {
    let lang = arguments.whose.language.choose();
    answer(arguments, lang).unwrap_or_else(|reply| reply).finish()
}

fn answer(arguments: &Operating, lang: Lang) -> Result<Reply, Reply> {
    // What is refused is told before a long history is read.
    let window = match (arguments.when, &arguments.from, &arguments.to) {
        (Some(window), _, _) => window,
        (None, from, to) => {
            let text = |end: &Option<String>| end.clone().unwrap_or_default();
            Window::read(&text(from), &text(to))
                .map_err(|why| Reply::wrong(&lang.pick(why.japanese(), why.to_string())))?
        }
    };
    let wanted = OperatingWanted {
        window,
        by: arguments.by,
        agent: arguments.agent.clone(),
        group: arguments.group.clone(),
        number: arguments.number.clone(),
    };
    wanted.agrees().map_err(|why @ NotTogether| {
        Reply::wrong(&lang.pick(
            "オペレータの数値はグループ別・番号別に分けられない（複数のグループを受け持つため）。どちらか一方を指定する"
                .to_owned(),
            why.to_string(),
        ))
    })?;
    let views = arguments.whose.open(lang)?.read(lang)?;
    // The history is read, not the desk asked: what lasts counts as far as the history goes.
    let figures = views.operating(&wanted, Wall(i64::MIN));
    if arguments.whose.json {
        return Ok(plain(json(&figures), 0));
    }
    let japanese = lang.pick(true, false);
    if arguments.csv {
        let bytes = csv_bytes(&figures.sheet(japanese));
        return Ok(plain(String::from_utf8(bytes).unwrap_or_default(), 0));
    }
    Ok(plain(said(&figures, japanese, lang), 0))
}

fn said(figures: &view::Operating, japanese: bool, lang: Lang) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        let _ = writeln!(out, "{text}"); // into a String: cannot fail
    };
    let (from, to, zone) = (&figures.from, &figures.to, figures.timezone);
    line(&lang.pick(format!("{from} 〜 {to}（{zone}）"), format!("{from} to {to} ({zone})")));
    for sheet in figures.sheets(japanese) {
        line("");
        for row in aligned(&sheet) {
            line(row.trim_end());
        }
    }
    line("");
    let until = &figures.counted_until;
    line(&lang.pick(
        format!("続いている状態は、記録の最後の時刻 {until} まで数えた"),
        format!("what lasts is counted until the last entry of the history, {until}"),
    ));
    let (days, calls) = (figures.days_without_half_hours, figures.calls_not_cut);
    if days > 0 {
        line(&lang.pick(
            format!("{days} 日については、オペレータの 30 分ごとの記録が保持の限度を超えた"),
            format!("of {days} days the agents' half hours are kept no more"),
        ));
    }
    if calls > 0 {
        line(&lang.pick(
            format!("古い {calls} 件の呼は保持の限度を超え、日の数だけが残っている"),
            format!("{calls} old calls are kept as counts of their day only"),
        ));
    }
    for it in figures.definitions {
        let said = if japanese {
            format!("{}: {}", it.name, it.ja)
        } else {
            format!("{}: {}", it.figure, it.en)
        };
        line(&said);
    }
    out
}

/// Signs of a terminal's line that a text takes.
fn width(text: &str) -> usize {
    text.chars().map(|sign| if sign < '\u{1100}' { 1 } else { 2 }).sum()
}

fn shown(cell: &CsvCell) -> String {
    match cell {
        CsvCell::Text(text) => crate::dialplan::tame(text),
        CsvCell::Number(number) => number.clone(),
        CsvCell::Empty => "-".to_owned(),
    }
}

/// The rows as lines, words to the left and numbers to the right of their columns.
fn aligned(sheet: &[Vec<CsvCell>]) -> Vec<String> {
    let columns = sheet.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |column: usize| {
        let cells = sheet.iter().filter_map(|row| row.get(column));
        cells.map(|cell| width(&shown(cell))).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(widest).collect();
    let line = |row: &Vec<CsvCell>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width_of_column))| {
            let text = shown(cell);
            let blank = " ".repeat(width_of_column.saturating_sub(width(&text)));
            if column == 0 { text + &blank } else { blank + &text }
        });
        cells.collect::<Vec<_>>().join("  ")
    };
    sheet.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_their_headings_in_either_script() {
        let text = |text: &str| CsvCell::Text(text.to_owned());
        let number = |text: &str| CsvCell::Number(text.to_owned());
        let sheet = [
            vec![text("日"), text("応答"), text("a")],
            vec![text("2026-10-01"), number("7"), CsvCell::Empty],
        ];
        assert_eq!(aligned(&sheet), ["日          応答  a", "2026-10-01     7  -"]);
    }

    #[test]
    fn a_span_is_a_month_or_a_day() {
        assert_eq!(span("2026-10").ok(), Window::read("2026-10-01", "2026-10-31").ok());
        assert_eq!(span("2026-10-02").ok(), Window::read("2026-10-02", "2026-10-02").ok());
        for wrong in ["2026", "2026-10-32", "today"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }
}
