//! A file of comma-separated values (RFC 4180) as lines of cells under known headings. Knows nothing of what
//! the cells mean.
//!
//! Cells are split by the `csv` crate. It forgives any misplaced quote, and one that is never closed would
//! swallow the lines behind it without a word; so quotes are looked at first.

use super::problem::{Fault, Problems};
use std::ops::Range;

/// A heading in both languages; either is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// English.
    pub en: &'static str,
    /// Japanese.
    pub ja: &'static str,
}

impl Name {
    pub(super) fn is(self, heading: &str) -> bool {
        heading == self.en || heading == self.ja
    }
}

/// A file's lines. Every line has a cell for each heading.
#[derive(Clone, Debug)]
pub(super) struct Sheet<const KNOWN: usize> {
    /// The known columns, in the order that was asked for.
    pub known: [Column; KNOWN],
    /// All others, from the left.
    pub others: Vec<Column>,
    /// Those below the heading, without those whose cells are all empty.
    pub lines: Vec<Line>,
}

/// Where a column is and what the file calls it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Column {
    at: usize,
    pub name: String,
}

/// One line.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// In the file, from 1; where it begins, when a cell of it goes over several.
    pub number: usize,
    cells: Vec<String>,
}

impl Line {
    /// The text under a heading, without blanks around it.
    pub(super) fn cell(&self, column: &Column) -> &str {
        self.cells.get(column.at).map_or("", String::as_str)
    }
}

/// What is wrong with a quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuoteFault {
    /// It stands inside a cell that does not begin with one.
    Inside,
    /// The cell goes on behind it.
    GoesOn,
    /// The cell that it begins never ends.
    Open,
}

impl<const KNOWN: usize> Sheet<KNOWN> {
    /// Reads a whole file; none when no line of it can be looked at. Each column of `names` must be there
    /// once. At most `most` lines are taken.
    pub(super) fn read(
        text: &str,
        names: [Name; KNOWN],
        most: usize,
        problems: &mut Problems,
    ) -> Option<Self> {
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
        if let Some((number, fault)) = misplaced_quote(&text) {
            problems.whole_line(number, Fault::Quote(fault));
            return None;
        }
        let mut lines = lines(&text, most, problems)?.into_iter();
        let Some(heading) = lines.next() else {
            problems.whole_line(1, Fault::Empty);
            return None;
        };
        let (known, others) = columns(&heading, names, problems)?;
        let width = heading.cells.len();
        let mut whole = Vec::new();
        for line in lines.filter(|line| line.cells.iter().any(|cell| !cell.is_empty())) {
            if line.cells.len() == width {
                whole.push(line);
            } else {
                let found = line.cells.len();
                problems.whole_line(line.number, Fault::CellCount { found, due: width });
            }
        }
        Some(Self { known, others, lines: whole })
    }
}

fn lines(text: &str, most: usize, problems: &mut Problems) -> Option<Vec<Line>> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let (mut lines, mut number, mut looked) = (Vec::new(), 1, 0);
    for record in reader.records() {
        // Text in memory can be neither unreadable nor, when any width will do, of a wrong width.
        let Ok(record) = record else { return None };
        let begins = record.position().map_or(0, csv::Position::byte);
        let begins = usize::try_from(begins).unwrap_or(text.len());
        // The position is where the line before ended: blank lines between are passed over here.
        let blank =
            text.get(begins..).map_or(0, |rest| rest.len() - rest.trim_start_matches('\n').len());
        number += breaks(text, looked..begins + blank);
        looked = begins + blank;
        if lines.len() > most {
            problems.whole_line(number, Fault::TooManyLines { most });
            return None;
        }
        let cells = record.iter().map(|cell| cell.trim().to_owned()).collect();
        lines.push(Line { number, cells });
    }
    Some(lines)
}

fn breaks(text: &str, part: Range<usize>) -> usize {
    text.get(part).map_or(0, |part| part.matches('\n').count())
}

fn columns<const KNOWN: usize>(
    heading: &Line,
    names: [Name; KNOWN],
    problems: &mut Problems,
) -> Option<([Column; KNOWN], Vec<Column>)> {
    let all: Vec<Column> = heading
        .cells
        .iter()
        .enumerate()
        .map(|(at, name)| Column { at, name: name.clone() })
        .collect();
    let mut wrong = false;
    let known = names.map(|name| {
        let mut found = all.iter().filter(|column| name.is(&column.name));
        match (found.next(), found.next()) {
            (Some(column), None) => column.clone(),
            (Some(_), Some(again)) => {
                wrong = true;
                problems.at(heading.number, &again.name, Fault::ColumnTwice);
                Column::default()
            }
            (None, _) => {
                wrong = true;
                problems.at(heading.number, name.en, Fault::ColumnMissing { ja: name.ja });
                Column::default()
            }
        }
    });
    let others = all.into_iter().filter(|column| !known.contains(column)).collect();
    (!wrong).then_some((known, others))
}

/// The first quote that RFC 4180 §2 (5 to 7) does not know, with its line.
fn misplaced_quote(text: &str) -> Option<(usize, QuoteFault)> {
    #[derive(Clone, Copy)]
    enum At {
        Begin,
        Plain,
        Quoted {
            since: usize,
        },
        /// Behind a quote in a quoted cell: its end, or the first half of a doubled one.
        Half {
            since: usize,
        },
    }
    let (mut at, mut line) = (At::Begin, 1);
    for c in text.chars() {
        at = match (at, c) {
            (At::Begin, '"') => At::Quoted { since: line },
            (At::Plain, '"') => return Some((line, QuoteFault::Inside)),
            (At::Quoted { since }, '"') => At::Half { since },
            (At::Half { since }, '"') => At::Quoted { since },
            (At::Quoted { since }, _) => At::Quoted { since },
            (At::Begin | At::Plain | At::Half { .. }, ',' | '\n') => At::Begin,
            (At::Begin | At::Plain, _) => At::Plain,
            (At::Half { .. }, _) => return Some((line, QuoteFault::GoesOn)),
        };
        line += usize::from(c == '\n');
    }
    match at {
        At::Quoted { since } => Some((since, QuoteFault::Open)),
        At::Begin | At::Plain | At::Half { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Name, Problems, QuoteFault, Sheet, misplaced_quote};

    const NAMES: [Name; 2] = [Name { en: "id", ja: "番号" }, Name { en: "at", ja: "日時" }];

    fn read(text: &str) -> (Option<Sheet<2>>, Problems) {
        let mut problems = Problems::default();
        (Sheet::read(text, NAMES, 3, &mut problems), problems)
    }

    #[test]
    fn every_line_keeps_its_number_whatever_ends_it() {
        for end in ["\n", "\r\n", "\r"] {
            let text =
                ["\u{feff}", "番号,件名,at", "", "a,\"x,", "y\"\"\",1", ",,", "", " b ,,2", ""]
                    .join(end);
            let text = text.replacen(end, "", 1);
            let (sheet, problems) = read(&text);
            assert!(problems.is_empty(), "{problems:?}");
            let sheet = sheet.expect("whole");
            let found: Vec<_> = sheet
                .lines
                .iter()
                .map(|line| (line.number, line.cell(&sheet.known[0]), line.cell(&sheet.known[1])))
                .collect();
            assert_eq!(found, [(3, "a", "1"), (7, "b", "2")], "{end:?}");
            assert_eq!(sheet.others[0].name, "件名");
        }
    }

    #[test]
    fn what_is_wrong_with_a_file_as_a_whole() {
        let table = [
            ("", 1, Fault::Empty),
            ("\n\nid,at\n1\n", 4, Fault::CellCount { found: 1, due: 2 }),
            ("id,at\n1,2,3\n", 2, Fault::CellCount { found: 3, due: 2 }),
            ("id,日時,at\n", 1, Fault::ColumnTwice),
            ("id,when\n", 1, Fault::ColumnMissing { ja: "日時" }),
            ("id,at\n1,\"2\n3,4\n", 2, Fault::Quote(QuoteFault::Open)),
            ("id,at\n1,2\n3,4\n5,6\n7,8\n", 5, Fault::TooManyLines { most: 3 }),
        ];
        for (text, line, fault) in table {
            let (_, problems) = read(text);
            let found = problems.listed().first().expect("a problem");
            assert_eq!((found.line, &found.fault), (line, &fault), "{text:?}");
        }
        assert!(read("id,at\n1,2\n3,4\n5,6\n").1.is_empty(), "as many as may be");
    }

    #[test]
    fn quotes_are_where_they_may_be() {
        use QuoteFault::{GoesOn, Inside, Open};
        let table = [
            ("a,\"b\",\"\"\n\"c\"", None),
            ("a,\"b \"\"c\"\"\"", None),
            ("a,\"b\nc\",d\n", None),
            ("a\nb,5\" disk", Some((2, Inside))),
            ("a,\"b\" c", Some((1, GoesOn))),
            ("a\n\n\"b,\nc\n", Some((3, Open))),
            ("a\n\"b\nc\"d\n", Some((3, GoesOn))),
        ];
        for (text, want) in table {
            assert_eq!(misplaced_quote(text), want, "{text:?}");
        }
    }
}
