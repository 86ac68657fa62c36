//! A file of the yearly survey: one respondent a line, under the headings that docs/TICKETS.md lists.

use super::problem::{Fault, Problems};
use super::read::Reader;
use super::sheet::{Column, Name, Sheet};
use super::survey::{Answer, Respondent};
use std::collections::BTreeMap;

/// Most respondents of one file: four times as many people as can call the desk.
pub const MOST_RESPONDENTS: usize = 50_000;

/// Most answers of one respondent; the exact mean has its room by this.
pub const MOST_ANSWERS: usize = 20;

const RESPONDENT: Name = Name { en: "respondent", ja: "回答者" };

const YEAR: Name = Name { en: "year", ja: "年度" };

const ANSWERS: [(Name, Answer); 5] = [
    (Name { en: "satisfied", ja: "満足" }, Answer::Satisfied),
    (Name { en: "mostly_satisfied", ja: "ほぼ満足" }, Answer::MostlySatisfied),
    (Name { en: "neutral", ja: "普通" }, Answer::Neutral),
    (Name { en: "somewhat_dissatisfied", ja: "やや不満" }, Answer::SomewhatDissatisfied),
    (Name { en: "dissatisfied", ja: "不満" }, Answer::Dissatisfied),
];

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SurveyFile {
    /// Its lines in its order.
    pub respondents: Vec<Respondent>,
    /// Whether it has a column with the year of each.
    pub says_years: bool,
}

/// Reads a file: a column with the respondents, perhaps one with the year, and all others are questions.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn survey(text: &str) -> Result<SurveyFile, Problems> {
    let mut problems = Problems::default();
    let Some(sheet) = Sheet::read(text, [RESPONDENT], MOST_RESPONDENTS, &mut problems) else {
        return Err(problems);
    };
    let (years, questions): (Vec<&Column>, Vec<&Column>) =
        sheet.others.iter().partition(|column| YEAR.is(&column.name));
    match (questions.len(), years.as_slice()) {
        (0, _) => problems.whole_line(1, Fault::NoQuestion),
        (count, _) if count > MOST_ANSWERS => {
            problems.whole_line(1, Fault::TooMany { most: MOST_ANSWERS });
        }
        (_, [_, again, ..]) => problems.at(1, &again.name, Fault::ColumnTwice),
        _ => {}
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let (mut respondents, mut lines) = (Vec::new(), BTreeMap::new());
    for line in &sheet.lines {
        let zone = chrono_tz::UTC; // no moment is read here
        let mut reader = Reader { line, zone, problems: &mut problems };
        let id = reader.id(&sheet.known[0], &mut lines);
        let year = years.first().map(|column| reader.year(column));
        let mut answers = Vec::new();
        for column in &questions {
            match line.cell(column) {
                "" => {}
                word => answers.extend(reader.word(column, word, &ANSWERS)),
            }
        }
        if let (Some(id), Some(year)) = (id, year.map_or(Some(None), |year| year.map(Some))) {
            respondents.push(Respondent { id, year, answers });
        }
    }
    let says_years = !years.is_empty();
    if problems.is_empty() { Ok(SurveyFile { respondents, says_years }) } else { Err(problems) }
}

impl Reader<'_> {
    fn year(&mut self, column: &Column) -> Option<u16> {
        let text = self.line.cell(column);
        let year = text.parse().ok().filter(|year| (2000..=2099).contains(year));
        year.or_else(|| self.wrong(column, Fault::NotAYear(text.to_owned())))
    }
}
