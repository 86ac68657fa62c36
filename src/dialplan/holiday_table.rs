//! A table of public holidays, as the Cabinet Office publishes one each February. For the years that it
//! covers it goes before the rules of `holidays`: an act of parliament can move a day, and no rule knows.
//!
//! Text in, table or findings out; which bytes a text was made of, and where it lay, is the rim's.

use super::finding::{Finding, Findings, Source};
use super::problem::Problem;
use super::shape::Shape;
use super::values::obeys;
use super::{TextRule, holidays};
use chrono::{Datelike, NaiveDate};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Most days of one table: more than two centuries of them.
const MOST_DAYS: usize = 5_000;

/// Holidays of whole years.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HolidayTable {
    days: BTreeMap<NaiveDate, String>,
    first: i32,
    last: i32,
}

impl HolidayTable {
    /// Reads lines of a date and a name with a comma between, in the Cabinet Office's form (`2026/1/1,元日`
    /// under a heading) or in ours (`2026-01-01,元日`). Blank lines and those that begin with # are passed over.
    ///
    /// # Errors
    ///
    /// Each line that is no holiday, and a table without any.
    pub fn parse(text: &str, file_name: &str) -> Result<Self, Vec<Finding>> {
        let mut out = Findings::new(Source::new(text, file_name));
        let mut days: BTreeMap<NaiveDate, (String, usize)> = BTreeMap::new();
        let (mut offset, mut heading) = (0, true);
        for line in text.split_inclusive('\n') {
            let (begin, line) = (offset, line.trim_end_matches(['\n', '\r']));
            offset += text
                .get(offset..)
                .map_or(0, |rest| rest.find('\n').map_or(rest.len(), |end| end + 1));
            let span = begin..begin + line.len();
            let line = line.trim_start_matches('\u{feff}').trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let first = std::mem::replace(&mut heading, false);
            let Some((day, name)) = holiday(line) else {
                // The official table begins with the names of its columns.
                if !first || line.starts_with(|c: char| c.is_ascii_digit()) {
                    out.at(&span, Problem::BadHoliday { found: line.to_owned() });
                }
                continue;
            };
            if let Some((_, before)) = days.get(&day) {
                let line = out.source().line_of(*before);
                out.at(&span, Problem::HolidayTwice { day: day.to_string(), line });
            } else if days.len() >= MOST_DAYS {
                out.at(&span, Shape::TooMany { key: "holidays".to_owned(), most: MOST_DAYS });
                break;
            } else {
                days.insert(day, (name.to_owned(), span.start));
            }
        }
        let years = days.keys().next().zip(days.keys().next_back());
        let Some((first, last)) = years.map(|(first, last)| (first.year(), last.year())) else {
            out.whole(Problem::NoHolidays);
            return Err(out.into_sorted());
        };
        if out.refuse() {
            return Err(out.into_sorted());
        }
        let days = days.into_iter().map(|(day, (name, _))| (day, name)).collect();
        Ok(Self { days, first, last })
    }

    /// The holiday's name: by the table in the years that it covers, by the rules in others.
    #[must_use]
    pub fn name(&self, date: NaiveDate) -> Option<&str> {
        if (self.first..=self.last).contains(&date.year()) {
            return self.days.get(&date).map(String::as_str);
        }
        holidays::name(date)
    }

    /// The first and the last year that it covers.
    #[must_use]
    pub fn years(&self) -> (i32, i32) {
        (self.first, self.last)
    }

    /// How many days it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.days.len()
    }

    /// Whether it has none; it never does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.days.is_empty()
    }

    /// Days on which table and rules disagree, of the years for which the rules hold (since 2022).
    #[must_use]
    pub fn against_the_rules(&self) -> Vec<NaiveDate> {
        let from = NaiveDate::from_ymd_opt(self.first.max(2022), 1, 1);
        let until = NaiveDate::from_ymd_opt(self.last, 12, 31);
        let days = from.into_iter().flat_map(|from: NaiveDate| from.iter_days());
        days.take_while(|day| until.is_some_and(|until| *day <= until))
            .filter(|day| self.days.contains_key(day) != holidays::name(*day).is_some())
            .collect()
    }

    /// In our form, which [`HolidayTable::parse`] reads.
    #[must_use]
    pub fn written(&self) -> String {
        let mut text = String::from("# 国民の祝日・休日 (madoguchi holidays import)\n");
        for (day, name) in &self.days {
            let _ = writeln!(text, "{day},{name}"); // into a String: cannot fail
        }
        text
    }
}

/// One line.
fn holiday(line: &str) -> Option<(NaiveDate, &str)> {
    let (day, name) = line.split_once(',')?;
    let name = name.trim();
    let mut parts = day.trim().splitn(3, ['/', '-']);
    let mut part = |most: usize| {
        let part = parts.next()?;
        let good = (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        good.then(|| part.parse::<u32>().ok()).flatten()
    };
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    let year = i32::try_from(year).ok().filter(|year| (1900..=2999).contains(year))?;
    let date = NaiveDate::from_ymd_opt(year, month, day)?;
    obeys(name, TextRule::Name).then_some((date, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialplan::Lang;

    const OFFICIAL: &str = "国民の祝日・休日月日,国民の祝日・休日名称\r\n2026/1/1,元日\r\n2026/5/6,休日\r\n\
                            2026/9/22,休日\r\n2027/1/1,元日\r\n";

    fn day(text: &str) -> NaiveDate {
        NaiveDate::parse_from_str(text, "%Y-%m-%d").expect("a date")
    }

    #[test]
    fn the_table_goes_before_the_rules_in_its_years_only() {
        let table = HolidayTable::parse(OFFICIAL, "t.csv").expect("whole");
        assert_eq!((table.len(), table.years()), (4, (2026, 2027)));
        assert_eq!(table.name(day("2026-05-06")), Some("休日"));
        assert_eq!(table.name(day("2026-05-05")), None, "the table does not have it");
        assert_eq!(table.name(day("2025-05-05")), Some("こどもの日"), "by the rules");
        assert_eq!(table.name(day("2028-01-01")), Some("元日"));
        assert!(table.against_the_rules().contains(&day("2026-05-05")));
        let again = HolidayTable::parse(&table.written(), "t.csv").expect("ours");
        assert_eq!(again, table);
    }

    #[test]
    fn a_line_that_is_no_holiday_is_told_with_its_number() {
        let table = [
            ("2026/1/1,元日\n2026/13/1,x\n", "t.csv:2:1"),
            ("見出し\n2026/1/1,元日\n\nおわり\n", "t.csv:4:1"),
            ("2026/1/1\n", "t.csv:1:1"),
            ("2026/1/1,\n", "t.csv:1:1"),
            ("2026/1/1,元日\n2026-01-01,元日\n", "t.csv:2:1"),
            ("2026/1/1/1,元日\n", "t.csv:1:1"),
            ("", "t.csv"),
            ("見出し\n", "t.csv"),
        ];
        for (text, place) in table {
            let Err(findings) = HolidayTable::parse(text, "t.csv") else { panic!("{text}: taken") };
            let said = findings[0].render(Lang::Ja);
            assert!(said.contains(place), "{text}: {said}");
        }
    }
}
