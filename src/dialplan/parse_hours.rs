//! Service hours as they are written: the week, holidays, yearly closures, single days.

use super::finding::Findings;
use super::plan::{Hours, Span, SpecialDay, WeekdayKey, YearlyClosure};
use super::problem::Problem;
use super::reader::{Item, Table};
use super::shape::{Shape, TextRule};
use super::values::{self, WEEK, show_span};
use chrono::{NaiveDate, TimeDelta};
use std::collections::BTreeMap;
use std::ops::Range;

/// Most single days in one table of hours.
const MOST_DAYS: usize = 4000;
/// Most yearly closures in one table of hours.
const MOST_CLOSURES: usize = 100;
/// A gap between two spans below this is more likely a slip than a break.
const SHORTEST_BREAK: TimeDelta = TimeDelta::minutes(10);

/// Reads one `[hours.name]`.
pub(crate) fn hours(item: &Item, out: &mut Findings) -> Option<Hours> {
    let mut table = item.table(out)?;
    let japanese_holidays = table.flag("japanese_holidays", false, out);
    let week = table
        .need("week", "[hours.desk.week] mon-fri = \"08:30-18:15\"", out)
        .and_then(|item| item.table(out))
        .map(|table| week(table, out))
        .unwrap_or_default();
    let yearly = table.get("closures").map(|item| closures(&item, out)).unwrap_or_default();
    let days = table.table("days", out).map(|table| special_days(table, out)).unwrap_or_default();
    table.finish(out);
    Some(Hours { week, japanese_holidays, table: None, yearly, days })
}

fn week(table: Table, out: &mut Findings) -> BTreeMap<WeekdayKey, Vec<Span>> {
    let span = table.span.clone();
    let mut week = BTreeMap::new();
    let mut written: BTreeMap<WeekdayKey, Range<usize>> = BTreeMap::new();
    for (key, item) in table.entries() {
        let spans = spans(&item, out);
        let Some(days) = values::weekdays(&key.value) else {
            out.at(&key.span, Problem::BadDays { found: key.value });
            continue;
        };
        for day in days {
            if let Some(first) = written.get(&day) {
                let (day, day_ja) = WEEK.get(usize::from(day.0)).copied().unwrap_or_default();
                let line = out.source().line_of(first.start);
                out.at(&key.span, Problem::DayTwice { day, day_ja, line });
                continue;
            }
            written.insert(day, key.span.clone());
            week.insert(day, spans.clone());
        }
    }
    let missing: Vec<_> = (0u8..)
        .zip(WEEK)
        .filter(|(day, _)| !written.contains_key(&WeekdayKey(*day)))
        .map(|(_, names)| names)
        .collect();
    if !missing.is_empty() {
        out.at(&span, Problem::DaysMissing { days: missing });
    }
    week
}

/// `"closed"`, one span, or a list of spans in order.
fn spans(item: &Item, out: &mut Findings) -> Vec<Span> {
    let mut list: Vec<Span> = Vec::new();
    for entry in item.one_or_list() {
        let Some(text) = entry.raw(out) else { continue };
        if text.value == "closed" {
            continue;
        }
        let Some(span) = values::span(&text.value) else {
            out.at(&text.span, Problem::BadSpan { found: text.value });
            continue;
        };
        if span.until <= span.from {
            out.at(&text.span, Problem::SpanBackwards { found: text.value });
            continue;
        }
        if let Some(before) = list.last() {
            let (first, second) = (show_span(before), show_span(&span));
            if span.from < before.until {
                out.at(&text.span, Problem::SpansOverlap { first, second });
                continue;
            }
            let gap = span.from.signed_duration_since(before.until);
            if gap > TimeDelta::zero() && gap < SHORTEST_BREAK {
                out.at(&text.span, Problem::SpansGap { first, second });
            }
        }
        list.push(span);
    }
    list
}

fn closures(item: &Item, out: &mut Findings) -> Vec<YearlyClosure> {
    let entries = item.list(out).unwrap_or_default();
    if entries.len() > MOST_CLOSURES {
        out.at(&item.span, Shape::TooMany { key: "closures".to_owned(), most: MOST_CLOSURES });
    }
    let mut list: Vec<YearlyClosure> = Vec::new();
    for entry in entries.iter().take(MOST_CLOSURES) {
        let Some(mut table) = entry.table(out) else { continue };
        let name = table
            .need("name", "name = \"年末年始\"", out)
            .and_then(|item| item.text(TextRule::Name, out))
            .map(|name| name.value);
        let mut month_day = |key, example| {
            let text = table.need(key, example, out)?.raw(out)?;
            let found = values::month_day(&text.value);
            if found.is_none() {
                out.at(&text.span, Problem::BadMonthDay { found: text.value });
            }
            found
        };
        let from = month_day("from", "from = \"12-29\"");
        let until = month_day("until", "until = \"01-03\"");
        table.finish(out);
        let (Some(name), Some(from), Some(until)) = (name, from, until) else { continue };
        let closure = YearlyClosure { name, from, until };
        if let Some(other) = list.iter().find(|other| overlap(other, &closure)) {
            let (first, second) = (other.name.clone(), closure.name.clone());
            out.at(&entry.span, Problem::ClosuresOverlap { first, second });
        }
        list.push(closure);
    }
    list
}

/// Whether two closures share a day: then one holds an end of the other.
fn overlap(one: &YearlyClosure, two: &YearlyClosure) -> bool {
    let day = |(month, day)| NaiveDate::from_ymd_opt(2024, month, day);
    let holds = |closure: &YearlyClosure, at| day(at).is_some_and(|date| closure.covers(date));
    holds(one, two.from) || holds(two, one.from)
}

fn special_days(table: Table, out: &mut Findings) -> BTreeMap<NaiveDate, SpecialDay> {
    let span = table.span.clone();
    let entries = table.entries();
    if entries.len() > MOST_DAYS {
        out.at(&span, Shape::TooMany { key: "days".to_owned(), most: MOST_DAYS });
    }
    let mut days = BTreeMap::new();
    for (key, item) in entries.into_iter().take(MOST_DAYS) {
        let date = values::date(&key.value);
        if date.is_none() {
            out.at(&key.span, Problem::BadDate { found: key.value });
        }
        let Some(mut table) = item.table(out) else { continue };
        let name = table
            .need("name", "name = \"設備点検\"", out)
            .and_then(|item| item.text(TextRule::Name, out));
        let open = table.need("open", "open = \"08:30-12:00\"", out).map(|item| spans(&item, out));
        table.finish(out);
        if let (Some(date), Some(name), Some(spans)) = (date, name, open) {
            days.insert(date, SpecialDay { name: name.value, spans });
        }
    }
    days
}
