//! A table as comma-separated values (RFC 4180): UTF-8 with its mark, lines ended by CR LF, and no cell that
//! a spreadsheet would run as a formula.

use super::table::{Cell, Table};

/// What makes a spreadsheet take a cell for a formula, when the cell begins with it; wide signs do as well in
/// a Japanese one.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// The file's bytes.
#[must_use]
pub fn csv(table: &Table) -> Vec<u8> {
    let mut bytes = "\u{feff}".as_bytes().to_vec();
    let mut writer =
        ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(&mut bytes);
    let heads = table.heads.iter().map(|head| guarded(head));
    // Memory takes every byte, and every row has as many cells as there are headings.
    let _ = writer.write_record(heads);
    for row in &table.rows {
        let _ = writer.write_record(row.iter().map(cell));
    }
    let _ = writer.flush();
    drop(writer);
    bytes
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => guarded(text),
        // Made here, of digits, a sign and a point: a negative number stays a number.
        Cell::Number(number) => number.clone(),
        Cell::Empty => String::new(),
    }
}

fn guarded(text: &str) -> String {
    if text.starts_with(FORMULA) { format!("'{text}") } else { text.to_owned() }
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
