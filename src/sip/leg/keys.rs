//! Keys by INFO (RFC 6086): how phones that press them in signalling do, and how such a phone is told
//! them, one after another.

use super::{Leg, State};
use crate::sip::api::{Flow, LegEvent};
use crate::sip::body;
use crate::sip::dialog::Token;
use crate::sip::endpoint::asking::{Outcome, Purpose};
use crate::sip::endpoint::core::Cx;
use crate::sip::{HeaderName, Method, Request};
use std::collections::VecDeque;

/// Keys that wait for the answer to the one before, which may come back to them; one more is dropped.
const MOST_WAITING: usize = 32;
/// How long a key is said to have been down, milliseconds.
const PRESSED_MS: u16 = 100;

/// Keys that a peer is told by INFO.
#[derive(Debug, Default)]
pub(super) struct Presses {
    waiting: VecDeque<char>,
    /// The INFO that waits for its answer: the next key must not overtake it.
    under_way: Option<Info>,
    /// The first that waits could not be said: the peer has no connection.
    adrift: bool,
}

#[derive(Debug)]
struct Info {
    branch: Token,
    /// The way that it went.
    by: Flow,
    key: char,
}

impl Presses {
    /// The way that the INFO went which waits for its answer.
    pub fn way(&self) -> Option<Flow> {
        self.under_way.as_ref().map(|info| info.by)
    }

    /// It has another name.
    pub fn way_mut(&mut self) -> Option<&mut Flow> {
        self.under_way.as_mut().map(|info| &mut info.by)
    }

    /// Nobody can have heard what went by `way`: its key waits with the others, before them. Whether there was
    /// one.
    pub fn put_back(&mut self, way: Flow) -> bool {
        let Some(info) = self.under_way.take_if(|info| info.by == way) else { return false };
        self.waiting.push_front(info.key);
        self.adrift = true;
        true
    }

    /// What went by a way that is `gone` was heard or was not: said again it might be two keys, so that it is not,
    /// and those behind it wait for the peer. Its branch; none when nothing went there.
    pub fn let_go(&mut self, gone: impl Fn(Flow) -> bool) -> Option<Token> {
        let info = self.under_way.take_if(|info| gone(info.by))?;
        self.adrift = true;
        Some(info.branch)
    }

    /// Whether they wait for the peer to come back.
    pub fn wait_for_peer(&self) -> bool {
        self.adrift
    }

    /// The peer is there again.
    pub fn resume(&mut self) {
        self.adrift = false;
    }
}

impl Leg {
    /// Tells the peer a key.
    pub fn press(&mut self, cx: &mut Cx<'_>, key: char) {
        if self.presses.waiting.len() < MOST_WAITING {
            self.presses.waiting.push_back(key);
        }
        self.press_next(cx);
    }

    pub(super) fn press_next(&mut self, cx: &mut Cx<'_>) {
        let State::Up(up) = &mut self.state else { return };
        if self.presses.under_way.is_some() || self.presses.adrift {
            return;
        }
        let Some(key) = self.presses.waiting.pop_front() else { return };
        let (branch, seq) = (cx.branch(), up.dialog.next_seq());
        let by = up.dialog.flow;
        let place = cx.core.place(by);
        let mut writer = up.dialog.request(&Method::Info, seq, place, branch);
        writer.header(&HeaderName::UserAgent, &cx.core.settings.product);
        let body = format!("Signal={key}\r\nDuration={PRESSED_MS}\r\n");
        let bytes = writer.body("application/dtmf-relay", body.as_bytes());
        cx.start(branch, self.id, Purpose::Info, by, bytes);
        self.presses.under_way = Some(Info { branch, by, key });
    }

    /// The peer has heard of a key, or will not.
    pub(super) fn on_pressed(&mut self, cx: &mut Cx<'_>, branch: Token, outcome: &Outcome) {
        let over = match outcome {
            Outcome::Response(response) => response.status >= 200,
            Outcome::TimedOut => true,
        };
        if over && self.presses.under_way.take_if(|info| info.branch == branch).is_some() {
            self.press_next(cx);
        }
    }

    /// INFO: a key as application/dtmf-relay (`Signal=5`) or application/dtmf (`5`); an empty body is
    /// a sign of life.
    pub(super) fn on_info(&mut self, cx: &mut Cx<'_>, key: u64, request: &Request) {
        if let State::GivenUp(_) | State::Ending(_) | State::Over = self.state {
            return self.refuse_request(cx, key, request, 481);
        }
        let digit = match body::content_type(&request.head.headers).as_deref() {
            _ if request.body.is_empty() => None,
            Some("application/dtmf-relay") => read_relay(&request.body),
            Some("application/dtmf") => read_digit(&request.body),
            _ => {
                let mut writer = cx.answer(request, 415, self.tag);
                writer.header(&HeaderName::Accept, "application/dtmf-relay, application/dtmf");
                return cx.respond(key, 415, writer.finish());
            }
        };
        let bytes = cx.answer(request, 200, self.tag).finish();
        cx.respond(key, 200, bytes);
        if let Some(digit) = digit {
            cx.tell(self.id, LegEvent::Digit(digit));
        }
    }
}

/// The `Signal=` line; numbers 10 to 15 are `*`, `#`, `A` to `D`.
fn read_relay(body: &[u8]) -> Option<char> {
    let text = std::str::from_utf8(body).ok()?;
    text.lines().take(16).find_map(|line| {
        let (name, value) = line.split_once('=')?;
        name.trim().eq_ignore_ascii_case("signal").then(|| read_digit(value.as_bytes())).flatten()
    })
}

fn read_digit(body: &[u8]) -> Option<char> {
    let text = std::str::from_utf8(body).ok()?.trim();
    match text {
        "10" => return Some('*'),
        "11" => return Some('#'),
        "12" => return Some('A'),
        "13" => return Some('B'),
        "14" => return Some('C'),
        "15" => return Some('D'),
        _ => {}
    }
    let mut chars = text.chars();
    let digit = chars.next()?.to_ascii_uppercase();
    (chars.next().is_none() && matches!(digit, '0'..='9' | '*' | '#' | 'A'..='D')).then_some(digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_in_both_spellings() {
        let relay = |text: &str| read_relay(text.as_bytes());
        let table = [
            ("usual", relay("Signal=5\r\nDuration=160\r\n"), Some('5')),
            ("spaces", relay("Signal= *\r\nDuration=160\r\n"), Some('*')),
            ("number of the star", relay("Signal=10\r\n"), Some('*')),
            ("number of D", relay("signal=15"), Some('D')),
            ("lower case", relay("Signal=b"), Some('B')),
            ("flash is no key", relay("Signal=16"), None),
            ("two keys are none", relay("Signal=5#"), None),
            ("no signal", relay("Duration=160"), None),
            ("no text", read_relay(&[0xff, 0xfe]), None),
            ("bare", read_digit(b"#\r\n"), Some('#')),
            ("bare, nothing", read_digit(b""), None),
        ];
        for (case, had, want) in table {
            assert_eq!(had, want, "{case}");
        }
    }
}
