//! The report as one page that needs nothing else: no script, no font, no picture from elsewhere. It prints on
//! A4 with page numbers.

use super::chart::{Align, Drawing, Shape, drawings};
use super::made::Report;
use super::table::{Cell, Table, tables};
use super::words;
use crate::base::html_escaped;
use std::fmt::Write as _;

/// Tables of more columns are set smaller.
const WIDE: usize = 10;

const STYLE: &str = "\
@page{size:A4;margin:14mm 11mm 16mm;@bottom-center{content:counter(page) ' / ' counter(pages);font-size:8pt}}\
*{box-sizing:border-box}\
body{font-family:'Noto Sans CJK JP','Noto Sans JP','Yu Gothic','Hiragino Sans','IPAGothic',sans-serif;\
font-size:9.5pt;line-height:1.45;color:#111;background:#fff;max-width:190mm;margin:0 auto;padding:4mm 0}\
h1{font-size:17pt;margin:0 0 2mm}h2{font-size:12pt;margin:7mm 0 2mm;border-bottom:1.5pt solid #333;break-after:avoid}\
p{margin:1mm 0}.about{color:#333}.warn{border:1pt solid #a02c2c;padding:1.5mm 3mm;margin:2mm 0}\
table{border-collapse:collapse;width:100%;table-layout:fixed;margin:1mm 0}\
th,td{border:.4pt solid #888;padding:.8mm 1mm;vertical-align:top;overflow-wrap:anywhere;text-align:left;font-weight:normal}\
thead{display:table-header-group}thead th{background:#e8ecf0;font-weight:bold;text-align:center;vertical-align:middle}\
tr{break-inside:avoid}td.n{text-align:right;font-variant-numeric:tabular-nums;overflow-wrap:normal}\
tr.sum th,tr.sum td{border-top:1.2pt solid #333;font-weight:bold}\
.wide{font-size:7pt;line-height:1.25}.wide th,.wide td{padding:.5mm .6mm}\
ul{margin:1mm 0 0;padding-left:5mm;font-size:8.5pt}figure{margin:2mm 0;break-inside:avoid}\
svg{width:100%;height:auto;font-size:11px}\
.missed{font-weight:bold;color:#a02c2c}";

/// The page.
#[must_use]
pub fn html(report: &Report) -> String {
    let mut page = String::new();
    let title = format!("月次運用報告書（電話） {}", words::month(report.month));
    // Into a String: none of these can fail.
    let _ = write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"ja\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{0}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{0}</h1>\n",
        escaped(&title)
    );
    for line in about(report) {
        let _ = writeln!(page, "<p class=\"about\">{}</p>", escaped(&line));
    }
    for warning in warnings(report) {
        let _ = writeln!(page, "<p class=\"warn\" role=\"note\">{}</p>", escaped(&warning));
    }
    let drawings = drawings(report);
    for table in tables(report) {
        let _ = writeln!(
            page,
            "<section id=\"{0}\">\n<h2 id=\"{0}-title\">{1}</h2>",
            table.id,
            escaped(&table.title)
        );
        for drawing in drawings.iter().filter(|drawing| drawing.table == table.id) {
            draw(&mut page, drawing);
        }
        lay_out(&mut page, &table);
        page.push_str("</section>\n");
    }
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

/// Whose report it is.
pub(super) fn about(report: &Report) -> Vec<String> {
    vec![
        format!("窓口: {}", report.desk),
        format!(
            "対象: {} から {} まで（{}、着信日による）",
            report.month.first(),
            report.month.last(),
            report.timezone
        ),
        format!("作成: {}（madoguchi {}）", words::at(report, report.made_at_ms), report.version),
    ]
}

/// What the reader must know before any figure.
pub(super) fn warnings(report: &Report) -> Vec<String> {
    let mut all = Vec::new();
    let mut warn = |holds: bool, text: String| {
        if holds {
            all.push(text);
        }
    };
    let whole = &report.whole;
    warn(
        !whole.over,
        "この月はまだ終わっていない。数値は作成時点までのもので、確定していない。".to_owned(),
    );
    warn(
        whole.undecided > 0,
        format!("結果の決まっていない呼が {} 件ある。決まるまで率には入らない。", whole.undecided),
    );
    warn(
        whole.holes > 0,
        format!("記録に {} 件の欠落がある。数値はその分だけ不足し得る。", whole.holes),
    );
    warn(
        report.sheet.differs_from_closed,
        "現在の集計は、締めた数値と異なる。有効なのは締めた数値である（「締めた数値と現在の集計」を見る）。".to_owned(),
    );
    all
}

fn lay_out(page: &mut String, table: &Table) {
    let wide = if table.heads.len() > WIDE { " class=\"wide\"" } else { "" };
    let _ = write!(page, "<table{wide} aria-labelledby=\"{}-title\">\n<colgroup>", table.id);
    let whole: u32 = table.widths.iter().map(|width| u32::from(*width)).sum();
    for width in &table.widths {
        // Hundredths of a percent, as whole numbers.
        let share = u32::from(*width) * 10_000 / whole.max(1);
        let _ = write!(page, "<col style=\"width:{}.{:02}%\">", share / 100, share % 100);
    }
    page.push_str("</colgroup>\n<thead><tr>");
    for head in &table.heads {
        let _ = write!(page, "<th scope=\"col\">{}</th>", escaped(head));
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for (row, at) in table.rows.iter().zip(1..) {
        let sum = table.sum && at == table.rows.len();
        page.push_str(if sum { "<tr class=\"sum\">" } else { "<tr>" });
        for (cell, column) in row.iter().zip(0..) {
            let text = escaped(cell.shown());
            let _ = match cell {
                _ if column == 0 => write!(page, "<th scope=\"row\">{text}</th>"),
                Cell::Number(_) | Cell::Empty => write!(page, "<td class=\"n\">{text}</td>"),
                Cell::Text(said) if said == "未達成" => {
                    write!(page, "<td class=\"missed\">{text}</td>")
                }
                Cell::Text(_) => write!(page, "<td>{text}</td>"),
            };
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table>\n");
    if !table.notes.is_empty() {
        page.push_str("<ul>\n");
        for note in &table.notes {
            let _ = writeln!(page, "<li>{}</li>", escaped(note));
        }
        page.push_str("</ul>\n");
    }
}

fn draw(page: &mut String, drawing: &Drawing) {
    let id = drawing.table;
    let _ = write!(
        page,
        "<figure><svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\" \
         aria-labelledby=\"chart-{id}-title chart-{id}-told\">\n\
         <title id=\"chart-{id}-title\">{}</title>\n<desc id=\"chart-{id}-told\">{}</desc>\n",
        drawing.width,
        drawing.height,
        escaped(&drawing.title),
        escaped(&drawing.told)
    );
    for shape in &drawing.shapes {
        let _ = match shape {
            Shape::Bar { x, y, width, height, colour: [r, g, b], told } => writeln!(
                page,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
                 fill=\"#{r:02x}{g:02x}{b:02x}\"><title>{}</title></rect>",
                escaped(told)
            ),
            Shape::Line { x, y, width, colour: [r, g, b] } => writeln!(
                page,
                "<line x1=\"{x}\" y1=\"{y}\" x2=\"{}\" y2=\"{y}\" stroke=\"#{r:02x}{g:02x}{b:02x}\"/>",
                x + width
            ),
            Shape::Words { x, y, align, words } => {
                let anchor = match align {
                    Align::Start => "start",
                    Align::Middle => "middle",
                    Align::End => "end",
                };
                writeln!(
                    page,
                    "<text x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{}</text>",
                    escaped(words)
                )
            }
        };
    }
    page.push_str("</svg></figure>\n");
}

/// Text as HTML shows it and never obeys it. Signs that would turn a line around or end a word unseen are
/// made visible.
fn escaped(text: &str) -> String {
    html_escaped(&text.chars().map(tamed).collect::<String>())
}

/// A sign that shows itself.
pub(super) fn tamed(c: char) -> char {
    match c {
        '\n' | '\t' => ' ',
        '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => '·',
        c if c.is_control() => '·',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn no_text_is_markup() {
        let table = [
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("\" onload='x' &amp;", "&quot; onload=&#39;x&#39; &amp;amp;"),
            ("a\u{202e}b\u{0}c\nd", "a·b·c d"),
            ("佐藤", "佐藤"),
        ];
        for (text, due) in table {
            assert_eq!(escaped(text), due);
        }
    }
}
