//! Words and forms of numbers that several tables share.

use super::made::Report;
use super::sheet::{SheetLine, SheetValue, SheetVerdict};
use crate::base::Wall;
use crate::tickets::{self, Value};
use crate::view::{self, Month, Outcome};
use chrono::{Datelike, NaiveDate, Weekday};

/// `2026年10月`.
pub(super) fn month(month: Month) -> String {
    month.first().format("%Y年%-m月").to_string()
}

/// `1（木）`.
pub(super) fn day(day: NaiveDate) -> String {
    let weekday = match day.weekday() {
        Weekday::Mon => "月",
        Weekday::Tue => "火",
        Weekday::Wed => "水",
        Weekday::Thu => "木",
        Weekday::Fri => "金",
        Weekday::Sat => "土",
        Weekday::Sun => "日",
    };
    format!("{}（{weekday}）", day.day())
}

/// To the second, in the desk's zone.
pub(super) fn at(report: &Report, at: Wall) -> String {
    view::local(at, report.zone)
        .map_or_else(String::new, |local| local.format("%Y-%m-%d %H:%M:%S").to_string())
}

/// Milliseconds as seconds with one decimal, half up.
pub(super) fn seconds(ms: u64) -> String {
    let tenths = ms / 100 + u64::from(ms % 100 >= 50);
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// The outcomes' names joined by plus signs.
pub(super) fn joined(outcomes: &[Outcome]) -> String {
    let names: Vec<&str> = outcomes.iter().map(|outcome| outcome.japanese()).collect();
    names.join("＋")
}

/// The contract's name of a figure.
pub(super) fn figure(no: u8) -> &'static str {
    match no {
        5 => "放棄率",
        6 => "ビジー率",
        no => tickets::said(no).0,
    }
}

pub(super) fn verdict(verdict: SheetVerdict) -> &'static str {
    match verdict {
        SheetVerdict::Met => "達成",
        SheetVerdict::Missed => "未達成",
        SheetVerdict::Adjustment => "調整期間",
        SheetVerdict::NoCalls => "呼なし",
        SheetVerdict::NoTickets => "対象なし",
        SheetVerdict::NoData => "対象データなし",
    }
}

/// Numerator, total, value with its unit, limit.
pub(super) fn value(line: &SheetLine) -> [String; 4] {
    let dash = || "―".to_owned();
    match line.value {
        None => [dash(), dash(), "対象データなし".to_owned(), limit_of_no_data(line.no)],
        Some(SheetValue::Below { ratio, below_percent }) => [
            ratio.part.to_string(),
            ratio.whole.to_string(),
            ratio.percent().map_or_else(|| "呼なし".to_owned(), |it| it + " %"),
            format!("{below_percent} % 未満"),
        ],
        Some(SheetValue::Tickets { value: value @ Value::Share { ratio, .. } }) => [
            ratio.part.to_string(),
            ratio.whole.to_string(),
            ratio.percent().map_or_else(|| "対象なし".to_owned(), |it| it + " %"),
            limit(value),
        ],
        Some(SheetValue::Tickets { value: value @ Value::Mean { mean, .. } }) => [
            format!("{} 秒", thousandths(mean.sum_ms)),
            mean.count.to_string(),
            mean.minutes().map_or_else(|| "対象なし".to_owned(), |it| it + " 分"),
            limit(value),
        ],
    }
}

/// Milliseconds as seconds, exact.
pub(super) fn thousandths(ms: u64) -> String {
    match ms % 1_000 {
        0 => (ms / 1_000).to_string(),
        rest => format!("{}.{rest:03}", ms / 1_000),
    }
}

/// The contract's limit of a figure of tickets.
fn limit(value: Value) -> String {
    match value {
        Value::Share { at_least_percent, .. } => format!("{at_least_percent} % 以上"),
        Value::Mean { at_most_minutes, .. } => format!("{at_most_minutes} 分以下"),
    }
}

/// The same where there are no tickets.
fn limit_of_no_data(no: u8) -> String {
    let asked = tickets::ASKED.into_iter().find(|(asked, ..)| *asked == no);
    asked.map_or_else(String::new, |(_, _, value)| limit(value))
}

#[cfg(test)]
mod tests {
    use super::{seconds, thousandths};

    #[test]
    fn times_are_shown_in_seconds() {
        let table =
            [(0, "0.0", "0"), (49, "0.0", "0.049"), (50, "0.1", "0.050"), (12_000, "12.0", "12")];
        for (ms, tenth, exact) in table {
            assert_eq!((seconds(ms).as_str(), thousandths(ms).as_str()), (tenth, exact), "{ms}");
        }
    }
}
