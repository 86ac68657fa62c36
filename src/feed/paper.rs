//! The calls that a ticket system has not got, on numbered paper: when the tool cannot be used, work goes on by
//! it, and what was written there is entered afterwards by `madoguchi tickets import`.

use super::value::Value;
use super::{Sheet, Terms, Values};
use crate::base::{CsvCell, Wall, csv_bytes, html_escaped};
use crate::view::{OutboxRow, written};
use std::fmt::Write as _;

/// One line of the sheet.
#[derive(Clone, Debug, PartialEq)]
pub struct PaperRow {
    /// The call.
    pub row: OutboxRow,
    /// What is known of it; none when the history cannot be read.
    pub sheet: Option<Sheet>,
}

/// Columns that are left empty, to be filled in by hand: their names for the import, and what is said to people.
pub const BY_HAND: [(&str, &str); 8] = [
    ("subject", "件名"),
    ("note", "対応内容"),
    ("reported_at", "経過報告日時"),
    ("escalated_to", "エスカレーション先"),
    ("escalated_at", "エスカレーション日時"),
    ("escalation_answered_at", "エスカレーション回答日時"),
    ("completed_at", "完了日時"),
    ("written_by", "記入者"),
];

impl PaperRow {
    fn values(&self, terms: &Terms) -> Values {
        self.sheet.as_ref().map(|sheet| sheet.values(terms)).unwrap_or_default()
    }
}

/// As CSV: `no`, `call`, `ticket`, `due` and all values, then the columns that are filled in by hand.
#[must_use]
pub fn paper_csv(rows: &[PaperRow], terms: &Terms) -> String {
    let text = |text: &str| {
        if text.is_empty() { CsvCell::Empty } else { CsvCell::Text(text.to_owned()) }
    };
    // The call's id is a value, too, and stands first.
    let values = || Value::ALL.into_iter().filter(|(_, value)| *value != Value::Call);
    let heads = ["no", "call", "ticket", "due"].into_iter();
    let heads = heads.chain(values().map(|(name, _)| name)).chain(BY_HAND.map(|(name, _)| name));
    let mut table: Vec<Vec<CsvCell>> = vec![heads.map(text).collect()];
    for (number, it) in (1_u32..).zip(rows) {
        let known = it.values(terms);
        let mut line = vec![
            CsvCell::Number(number.to_string()),
            text(&it.row.call.to_string()),
            text(it.row.ticket.as_deref().unwrap_or_default()),
            text(&it.row.steps.join(" ")),
        ];
        for (_, value) in values() {
            let cell = known.get(&value).map(|it| it.reveal().as_str()).unwrap_or_default();
            let is_number = value.is_number() && !cell.is_empty();
            line.push(if is_number { CsvCell::Number(cell.to_owned()) } else { text(cell) });
        }
        line.extend(BY_HAND.map(|_| CsvCell::Empty));
        table.push(line);
    }
    String::from_utf8(csv_bytes(&table)).unwrap_or_default() // made of texts
}

/// As a page to be printed: a box for each call, with room to write. In Japanese, with English beside.
#[must_use]
pub fn paper_html(target: &str, at: Wall, rows: &[PaperRow], terms: &Terms) -> String {
    let mut page = String::new();
    let (count, at) = (rows.len(), written(at, terms.zone));
    // Into a String: none of these can fail.
    let _ = write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"ja\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>呼の記録票 {target}</title>\n<style>\n\
         body {{ font-family: sans-serif; font-size: 10pt; margin: 1cm; color: #000; background: #fff }}\n\
         article {{ border: 1px solid #000; margin: 0 0 .5cm; padding: .2cm .4cm; break-inside: avoid }}\n\
         h1 {{ font-size: 14pt; margin: 0 0 .2cm }}\n h2 {{ font-size: 12pt; margin: 0 }}\n\
         dl {{ display: grid; grid-template-columns: max-content 1fr max-content 1fr; gap: .05cm .4cm; margin: .1cm 0 }}\n\
         dt {{ color: #444 }}\n dd {{ margin: 0 }}\n\
         table {{ width: 100%; border-collapse: collapse }}\n\
         th, td {{ border: 1px solid #888; padding: .1cm; text-align: left; font-weight: normal; height: .6cm }}\n\
         th {{ width: 18% }}\n .wide td {{ height: 1.6cm }}\n</style>\n</head>\n<body>\n\
         <h1>呼の記録票 / Call sheet: {target}</h1>\n\
         <p>{at} の時点で {count} 件を、チケットシステムはまだ受け取っていません。後で自動的に渡されます。\
         この紙に書いたことは <code>madoguchi tickets import</code> で入れます。<br>\
         <span lang=\"en\">{count} calls that the ticket system has not got. They are handed over by themselves later; \
         what is written here is entered by <code>madoguchi tickets import</code>.</span></p>\n",
        target = html_escaped(target),
    );
    for (number, it) in (1_u32..).zip(rows) {
        let _ = write!(page, "<article>\n<h2>No. {number}</h2>\n<dl>\n");
        let known = it.values(terms);
        for (value, text) in &known {
            let (ja, en) = value.said();
            let _ = writeln!(
                page,
                "<dt>{}</dt><dd>{}</dd>",
                html_escaped(terms.language.pick(ja, en)),
                html_escaped(text.reveal())
            );
        }
        if known.is_empty() {
            let _ = writeln!(page, "<dt>呼ID</dt><dd>{}</dd>", it.row.call);
        }
        page.push_str("</dl>\n<table>\n");
        for (name, said) in BY_HAND {
            let class = if name == "note" { " class=\"wide\"" } else { "" };
            let _ = writeln!(page, "<tr{class}><th>{said}</th><td></td></tr>");
        }
        page.push_str("</table>\n</article>\n");
    }
    page.push_str("</body>\n</html>\n");
    page
}
