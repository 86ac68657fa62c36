//! A ladder as a page that needs nothing but itself: no script, no other file. Everything that came
//! from outside is escaped.

use super::Direction;
use super::ladder::Ladder;
use super::text::words;
use crate::base::html_escaped;
use std::fmt::Write as _;

/// The page's only style; the server names its hash to the browser.
pub const PAGE_STYLE: &str = "body{font:14px/1.5 system-ui,sans-serif;margin:1.5rem;color:#1c2430;background:#fff}\
h1{font-size:1.2rem;margin:0 0 .2rem}p{margin:.2rem 0 1rem;color:#566}\
.scroll{overflow-x:auto;border:1px solid #d5dae1;border-radius:6px;background:#fbfcfd}\
details{border-bottom:1px solid #e5e8ec;padding:.25rem 0}summary{cursor:pointer}\
summary b{display:inline-block;min-width:12rem}summary span{color:#566}\
pre{background:#f4f6f8;padding:.6rem;overflow-x:auto;font-size:12px;line-height:1.4}\
text{font:12px ui-monospace,monospace}a{color:inherit}details:target{background:#fff7d6}";

const COLUMN: usize = 230;
const MARGIN: usize = 190;
const HEAD: usize = 74;
const ROW: usize = 26;

/// Text as HTML and attribute values hold it.
fn escaped(text: &str) -> String {
    let shown = text.chars().filter_map(|c| match c {
        '\n' | '\t' => Some(c),
        '\r' => None,
        c if c.is_control() => Some('\u{fffd}'),
        c => Some(c),
    });
    html_escaped(&shown.collect::<String>())
}

/// The page. `title` names the call, `note` says what is hidden.
#[must_use]
pub fn page(ladder: &Ladder, title: &str, note: &str) -> String {
    let (title, note) = (escaped(title), escaped(note));
    let mut html = format!(
        "<!doctype html>\n<html lang=\"ja\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{PAGE_STYLE}</style></head><body>\n<h1>{title}</h1>\n<p>{note}</p>\n"
    );
    if ladder.peers.is_empty() {
        html.push_str(
            "<p>この通話の信号はもう残っていない / No message of this call is kept any more.</p>",
        );
    } else {
        html.push_str("<div class=\"scroll\">");
        draw(&mut html, ladder);
        html.push_str("</div>\n<h2>メッセージ / Messages</h2>\n");
        for step in &ladder.steps {
            let arrow = match step.direction {
                Direction::In => "←",
                Direction::Out => "→",
            };
            let address = ladder.peers.get(step.peer).map_or("", |peer| peer.address.as_str());
            let _ = writeln!(
                html,
                "<details id=\"m{}\"><summary><b>{}</b> <span>{} s {arrow} {}</span></summary><pre>{}</pre></details>",
                step.seq,
                escaped(&words(step)),
                seconds(step.since_us),
                escaped(address),
                escaped(&step.text),
            );
        }
    }
    if ladder.left_out > 0 {
        let _ = write!(html, "<p>+ {} messages</p>", ladder.left_out);
    }
    html.push_str("</body></html>\n");
    html
}

fn seconds(micros: u64) -> String {
    format!("{}.{:03}", micros / 1_000_000, micros / 1_000 % 1_000)
}

/// The arrows, as SVG with attributes only.
fn draw(html: &mut String, ladder: &Ladder) {
    let columns = ladder.peers.len().saturating_add(1);
    let place = |column: usize| MARGIN.saturating_add(column.saturating_mul(COLUMN));
    let of_peer = |peer: usize| place(if peer == 0 { 0 } else { peer.saturating_add(1) });
    let width = place(columns.saturating_sub(1)).saturating_add(120);
    let height = HEAD.saturating_add(ladder.steps.len().saturating_mul(ROW)).saturating_add(20);
    let _ = write!(
        html,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"SIP ladder\">"
    );
    let desk = place(1);
    let foot = height.saturating_sub(10);
    for column in 0..columns {
        let x = place(column);
        let _ = write!(
            html,
            "<line x1=\"{x}\" y1=\"{HEAD}\" x2=\"{x}\" y2=\"{foot}\" stroke=\"#b6bec9\" stroke-width=\"1\"/>"
        );
    }
    let mut words_at = |x: usize, y: usize, weight: &str, text: &str| {
        let _ = write!(
            html,
            "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\" font-weight=\"{weight}\" fill=\"#1c2430\">{}</text>",
            escaped(text)
        );
    };
    words_at(desk, 24, "bold", "窓口 / desk");
    for (peer, shown) in ladder.peers.iter().enumerate() {
        let x = of_peer(peer);
        let who = if shown.who.is_empty() { "?" } else { &shown.who };
        words_at(x, 24, "bold", who);
        words_at(x, 42, "normal", &shown.transport);
        words_at(x, 60, "normal", &shown.address);
    }
    for (row, step) in ladder.steps.iter().enumerate() {
        let y = HEAD.saturating_add(row.saturating_add(1).saturating_mul(ROW));
        let peer = of_peer(step.peer);
        let (from, to) = match step.direction {
            Direction::In => (peer, desk),
            Direction::Out => (desk, peer),
        };
        let (tip, back) =
            if to > from { (to, to.saturating_sub(8)) } else { (to, to.saturating_add(8)) };
        let colour = colour(&step.what);
        let dash = if step.repeated { " stroke-dasharray=\"4 3\"" } else { "" };
        let (above, below) = (y.saturating_sub(4), y.saturating_add(4));
        let middle = if peer > desk {
            peer.saturating_sub(COLUMN / 2)
        } else {
            peer.saturating_add(COLUMN / 2)
        };
        let base = y.saturating_sub(5);
        let _ = write!(
            html,
            "<text x=\"8\" y=\"{y}\" fill=\"#566\">{}</text>\
             <line x1=\"{from}\" y1=\"{y}\" x2=\"{to}\" y2=\"{y}\" stroke=\"{colour}\" stroke-width=\"1.5\"{dash}/>\
             <polygon points=\"{tip},{y} {back},{above} {back},{below}\" fill=\"{colour}\"/>\
             <a href=\"#m{}\"><text x=\"{middle}\" y=\"{base}\" text-anchor=\"middle\" fill=\"{colour}\">{}</text></a>",
            seconds(step.since_us),
            step.seq,
            escaped(&words(step)),
        );
    }
    html.push_str("</svg>");
}

/// By what a message is: beginning, well, refused, end.
fn colour(what: &str) -> &'static str {
    match what.as_bytes().first() {
        Some(b'1') => "#5b6673",
        Some(b'2') => "#0a7a3f",
        Some(b'3') => "#8a5a00",
        Some(b'4'..=b'6') => "#b3261e",
        _ if what == "BYE" || what == "CANCEL" => "#7a3fa0",
        _ => "#1f4fa3",
    }
}
