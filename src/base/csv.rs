//! Comma-separated values as spreadsheets take them (RFC 4180): UTF-8 with its mark, lines ended by CR LF, and
//! no cell that would be run as a formula.

use std::borrow::Cow;

/// What makes a spreadsheet take a cell for a formula, when the cell begins with it; wide signs do as well in
/// a Japanese one.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CsvCell {
    /// Words, of the program or of a person.
    Text(String),
    /// Made of digits, a sign and a point by exact arithmetic: a negative number stays a number.
    Number(String),
    /// Nothing there.
    Empty,
}

/// Words that no spreadsheet runs.
fn guarded(text: &str) -> Cow<'_, str> {
    if text.starts_with(FORMULA) { format!("'{text}").into() } else { text.into() }
}

/// A file's bytes; the first row is the headings.
#[must_use]
pub fn csv_bytes(rows: &[Vec<CsvCell>]) -> Vec<u8> {
    let mut bytes = "\u{feff}".as_bytes().to_vec();
    let mut writer =
        ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(&mut bytes);
    for row in rows {
        let cells = row.iter().map(|cell| match cell {
            CsvCell::Text(text) => guarded(text),
            CsvCell::Number(number) => Cow::Borrowed(number.as_str()),
            CsvCell::Empty => Cow::Borrowed(""),
        });
        // Memory takes every byte, and every row has as many cells as there are headings.
        let _ = writer.write_record(cells.map(Cow::into_owned));
    }
    let _ = writer.flush();
    drop(writer);
    bytes
}

#[cfg(test)]
mod tests {
    use super::{CsvCell, csv_bytes};

    #[test]
    fn rows_are_written_with_mark_quotes_and_no_formula() {
        let text = |text: &str| CsvCell::Text(text.to_owned());
        let rows = [
            vec![text("=名前"), text("値")],
            vec![text("佐藤, \"花子\""), CsvCell::Number("-3.5".to_owned())],
            vec![text("＝1+1"), CsvCell::Empty],
        ];
        let due = "\u{feff}'=名前,値\r\n\"佐藤, \"\"花子\"\"\",-3.5\r\n'＝1+1,\r\n";
        assert_eq!(String::from_utf8(csv_bytes(&rows)).as_deref(), Ok(due));
    }
}
