//! A message on one line and a ladder in a terminal, in plain ASCII so that any terminal aligns it.

use super::ladder::{Ladder, Step};
use super::redact::Redactor;
use super::seen::{Glance, Seen};
use super::{Direction, Record};
use chrono::{SecondsFormat, TimeZone as _};

/// Room for a leg's column.
const COLUMN: usize = 30;
/// Before the first column.
const MARGIN: usize = 12;

/// One message on one line: which way, with whom, what, and of which call.
#[must_use]
pub fn line(
    record: &Record,
    glance: &Glance,
    seen: Option<&Seen>,
    zone: chrono_tz::Tz,
    redactor: &mut Redactor,
) -> String {
    let at = zone.timestamp_millis_opt(record.at.wall.0).single();
    let at = at.map_or_else(String::new, |at| {
        at.to_rfc3339_opts(SecondsFormat::Millis, false).get(11..23).unwrap_or_default().to_owned()
    });
    let arrow = match record.direction {
        Direction::In => "<-",
        Direction::Out => "->",
    };
    let (remote, transport) = (record.flow.remote, record.flow.transport.as_str());
    let Some(seen) = seen else {
        return format!(
            "{at} {arrow} {transport}:{remote} ({} bytes that are no SIP message)",
            record.bytes.len()
        );
    };
    let start = redactor.start(seen);
    let what = match glance.status {
        Some(_) => format!("{} ({})", start.get(8..).unwrap_or_default(), glance.cseq_method),
        None => start.strip_suffix(" SIP/2.0").unwrap_or(&start).to_owned(),
    };
    let (from, to) = (redactor.user(&glance.from), redactor.user(&glance.to));
    tame(&format!("{at} {arrow} {transport}:{remote} {what}  {from} > {to}  [{}]", glance.call_id))
}

/// Text without what would move a terminal's cursor.
pub(super) fn tame(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// A ladder as text: the first leg on the left of the desk, all others on its right.
#[must_use]
pub fn ladder_text(ladder: &Ladder, title: &str) -> String {
    let mut text = format!("{}\n\n", tame(title));
    if ladder.peers.is_empty() {
        text.push_str("no message of this call is kept any more\n");
        return text;
    }
    // The desk stands behind the first leg.
    let columns = ladder.peers.len().saturating_add(1);
    let place = |column: usize| MARGIN.saturating_add(column.saturating_mul(COLUMN));
    let of_peer = |peer: usize| if peer == 0 { 0 } else { peer.saturating_add(1) };
    let lines: Vec<usize> = (0..columns).map(place).collect();
    for row in 0..3 {
        let mut canvas = Canvas::default();
        for (peer, shown) in ladder.peers.iter().enumerate() {
            let word = match row {
                0 => shown.who.as_str(),
                1 => shown.transport.as_str(),
                _ => shown.address.as_str(),
            };
            canvas.centred(place(of_peer(peer)), word);
        }
        if row == 0 {
            canvas.centred(place(1), "desk");
        }
        text.push_str(&canvas.line());
    }
    for step in &ladder.steps {
        let mut canvas = Canvas::default();
        let ms = step.since_us / 1_000;
        canvas.put(0, &format!("{:>6}.{:03}", ms / 1_000, ms % 1_000));
        for at in &lines {
            canvas.put(*at, "|");
        }
        let (desk, peer) = (place(1), place(of_peer(step.peer)));
        let (left, right) = (desk.min(peer).saturating_add(1), desk.max(peer).saturating_sub(1));
        let to_right = (step.direction == Direction::Out) == (peer > desk);
        for at in left..=right {
            canvas.put(at, "-");
        }
        if to_right {
            canvas.put(right, ">");
        } else {
            canvas.put(left, "<");
        }
        // The words stand in the column beside the peer's own line, where no other leg's are.
        let middle = if peer > desk {
            peer.saturating_sub(COLUMN / 2)
        } else {
            peer.saturating_add(COLUMN / 2)
        };
        let room = COLUMN.saturating_sub(6);
        let words: String = format!(" {} ", words(step)).chars().take(room).collect();
        canvas.centred(middle, &words);
        text.push_str(&canvas.line());
    }
    if ladder.left_out > 0 {
        text.push_str(&format!("... and {} further messages\n", ladder.left_out));
    }
    text
}

/// What a step says beside its arrow.
pub(super) fn words(step: &Step) -> String {
    let sdp = if step.sdp { " SDP" } else { "" };
    let again = if step.repeated { " (again)" } else { "" };
    let answer = step.what.starts_with(|c: char| c.is_ascii_digit());
    let what = if answer && step.cseq != "INVITE" {
        format!("{} ({})", step.what, step.cseq)
    } else {
        step.what.clone()
    };
    tame(&format!("{what}{sdp}{again}"))
}

/// A line of text that is written by columns.
#[derive(Default)]
struct Canvas(Vec<char>);

impl Canvas {
    fn put(&mut self, at: usize, text: &str) {
        let end = at.saturating_add(text.chars().count());
        if self.0.len() < end {
            self.0.resize(end, ' ');
        }
        for (slot, c) in self.0.iter_mut().skip(at).zip(text.chars()) {
            *slot = if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
        }
    }

    fn centred(&mut self, at: usize, text: &str) {
        self.put(at.saturating_sub(text.chars().count() / 2), text);
    }

    fn line(self) -> String {
        let text: String = self.0.into_iter().collect();
        format!("{}\n", text.trim_end())
    }
}
