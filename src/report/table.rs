//! Tables as all files print them: headings, cells, what is counted. A cell knows whether it is a number, so
//! that a spreadsheet gets one and a page aligns it.

use super::made::Report;
use super::{asked, contract, next, operating, working};

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Words, of the program or of a person.
    Text(String),
    /// A count, or a number that was written with exact arithmetic.
    Number(String),
    /// Nothing there.
    Empty,
}

impl Cell {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn count(count: u64) -> Self {
        Self::Number(count.to_string())
    }

    /// What could not be computed has a dash on paper and nothing in a spreadsheet.
    pub(super) fn number(shown: Option<String>) -> Self {
        shown.map_or(Self::Empty, Self::Number)
    }

    /// As printed.
    #[must_use]
    pub fn shown(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text) => text,
            Self::Empty => "―",
        }
    }
}

/// One table. The first cell of a row names the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// For file names and links.
    pub id: &'static str,
    /// For people.
    pub title: String,
    /// One for each column.
    pub heads: Vec<String>,
    /// Shares of the width, one for each column.
    pub widths: Vec<u16>,
    /// The rows; each has as many cells as there are headings.
    pub rows: Vec<Vec<Cell>>,
    /// The last row is a sum of the others.
    pub sum: bool,
    /// What is said beneath: formulas and readings.
    pub notes: Vec<String>,
}

impl Table {
    pub(super) fn new(id: &'static str, title: &str, heads: &[(&str, u16)]) -> Self {
        Self {
            id,
            title: title.to_owned(),
            heads: heads.iter().map(|(head, _)| (*head).to_owned()).collect(),
            widths: heads.iter().map(|(_, width)| *width).collect(),
            rows: Vec::new(),
            sum: false,
            notes: Vec::new(),
        }
    }

    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

/// All tables in the order of the report.
#[must_use]
pub fn tables(report: &Report) -> Vec<Table> {
    let mut all = vec![contract::sheet(report)];
    all.extend(contract::revisions(report));
    all.push(operating::outcomes(report));
    all.push(operating::figures(report));
    all.push(operating::compared(report));
    all.push(operating::by_day(report));
    all.push(operating::by_half_hour(report));
    all.push(operating::by_number(report));
    all.push(operating::by_group(report));
    all.push(operating::by_agent(report));
    all.push(operating::waits(report));
    all.push(working::half_hours(report));
    all.push(working::days(report));
    all.push(working::groups(report));
    all.push(working::numbers(report));
    all.push(working::agents(report));
    all.push(working::rings(report));
    all.extend(asked::surveys(report));
    all.extend(next::month(report));
    all.push(contract::exclusions(report));
    all.push(contract::trunks(report));
    all.push(contract::settings(report));
    all.push(contract::log(report));
    all
}
