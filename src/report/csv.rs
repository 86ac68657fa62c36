//! A table as comma-separated values (RFC 4180): UTF-8 with its mark, lines ended by CR LF, and no cell that
//! a spreadsheet would run as a formula.

use super::table::{Cell, Table};
use crate::base::{CsvCell, csv_bytes};

/// The file's bytes.
#[must_use]
pub fn csv(table: &Table) -> Vec<u8> {
    let heads = table.heads.iter().map(|head| CsvCell::Text(head.clone())).collect();
    let rows = table.rows.iter().map(|row| row.iter().map(cell).collect());
    let all: Vec<Vec<CsvCell>> = std::iter::once(heads).chain(rows).collect();
    csv_bytes(&all)
}

fn cell(cell: &Cell) -> CsvCell {
    match cell {
        Cell::Text(text) => CsvCell::Text(text.clone()),
        Cell::Number(number) => CsvCell::Number(number.clone()),
        Cell::Empty => CsvCell::Empty,
    }
}

#[cfg(test)]
mod tests {
    use super::csv;
    use crate::report::{Cell, Table};

    #[test]
    fn no_cell_is_a_formula_and_every_cell_is_read_back() {
        let table = [
            ("=1+1", "'=1+1"),
            ("+81", "'+81"),
            ("-2", "'-2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\rx", "'\rx"),
            ("＝1", "'＝1"),
            ("佐藤, \"花子\"\n二行目", "佐藤, \"花子\"\n二行目"),
            ("a=b", "a=b"),
            ("'", "'"),
            ("", ""),
        ];
        let mut all = Table::new("t", "表", &[("=名前", 1), ("値", 1)]);
        all.rows = table
            .iter()
            .map(|(text, _)| vec![Cell::text(*text), Cell::Number("-3".into())])
            .collect();
        let bytes = csv(&all);
        let text = String::from_utf8(bytes).expect("text");
        let text = text.strip_prefix('\u{feff}').expect("its mark");
        assert!(text.starts_with("'=名前,値\r\n"), "{text}");
        assert!(text.ends_with("\r\n"));
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        let found: Vec<(String, String)> =
            reader.deserialize().collect::<Result<_, _>>().expect("every line has its cells");
        let due: Vec<(String, String)> =
            table.iter().map(|(_, due)| ((*due).to_owned(), "-3".to_owned())).collect();
        assert_eq!(found, due);
    }
}
