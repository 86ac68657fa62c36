//! What is copied from one side to the other: nothing that an outsider writes begins a line at a phone of ours, and no
//! header of the outside reaches it, however it is spelt.

use crate::stranger::Stranger;
use crate::support::desk::Desk;
use crate::support::line::Line;
use crate::support::message::{Message, sdp};
use crate::support::s;
use std::collections::BTreeSet;

/// The headers of an INVITE that the desk makes for a phone. One more is a decision, not a slip.
const OURS: &[&str] = &[
    "Allow",
    "Call-ID",
    "Contact",
    "Content-Length",
    "Content-Type",
    "CSeq",
    "From",
    "Max-Forwards",
    "Min-SE",
    "Session-Expires",
    "Supported",
    "To",
    "User-Agent",
    "Via",
];

/// From, as an outsider writes it, and more header lines.
fn written() -> Vec<(&'static str, String, String)> {
    let plain = || "<sip:0311112222@caller.example>".to_owned();
    let from = |case, text: &str| (case, text.to_owned(), String::new());
    let more = |case, text: &str| (case, plain(), text.to_owned());
    vec![
        from("escaped line ends in the user", "<sip:03%0d%0aX-Evil%3a%201@caller.example>"),
        from("an escaped NUL", "<sip:03%00X-Evil@caller.example>"),
        from("a folded name", "\"A\r\n X-Evil: 1\" <sip:0311112222@caller.example>"),
        from("a folded tab", "\"A\r\n\tX-Evil: 1\" <sip:0311112222@caller.example>"),
        from("a quoted NUL", "\"A\\\0X-Evil: 1\" <sip:0311112222@caller.example>"),
        from("a bare carriage return", "\"A\rX-Evil: 1\" <sip:0311112222@caller.example>"),
        from("a bare line feed", "\"A\nX-Evil: 1\" <sip:0311112222@caller.example>"),
        from("a quoted line end", "\"A\\\r\\\nX-Evil: 1\" <sip:0311112222@caller.example>"),
        from("an unclosed quote", "\"A <sip:0311112222@caller.example>"),
        from("a second address", "<sip:1@a>, <sip:X-Evil@b>"),
        from(
            "headers in the URI",
            "<sip:0311112222@caller.example?X-Evil=1&Replaces=a%3Bto-tag%3Db>",
        ),
        from(
            "separators of Unicode",
            "\"A\u{2028}X-Evil: 1\u{85}\" <sip:0311112222@caller.example>",
        ),
        more(
            "private headers",
            "X-Evil: 1\r\nP-Evil: 2\r\nAlert-Info: <http://192.0.2.1/evil>\r\n",
        ),
        more("compact ones", "s: X-Evil\r\nr: <sip:evil@192.0.2.1>\r\nb: <sip:evil@192.0.2.1>\r\n"),
        more("folded ones", "X-Evil\r\n : 1\r\nSubject:\r\n  X-Evil\r\n"),
        more(
            "of a carrier's own network",
            "P-Charging-Vector: icid-value=evil\r\nP-Asserted-Identity: \"evil\" <sip:evil@192.0.2.1>\r\n\
             Privacy: none\r\nHistory-Info: <sip:evil@192.0.2.1>;index=1\r\nDiversion: <sip:evil@192.0.2.1>\r\n",
        ),
        more(
            "of calls and of secrets",
            "Call-Info: <http://192.0.2.1/evil>\r\nAuthorization: Digest username=\"evil\"\r\n\
             Referred-By: <sip:evil@192.0.2.1>\r\nRoute: <sip:evil@192.0.2.1;lr>\r\nReason: SIP;text=\"evil\"\r\n",
        ),
        more(
            "an identity that breaks its line",
            "P-Asserted-Identity: <sip:03%0d%0aX-Evil%3a1@192.0.2.1>\r\n",
        ),
    ]
}

/// What came is the desk's own from the first line to the last.
#[track_caller]
fn is_ours_alone(case: &str, invite: &Message) {
    let names: BTreeSet<&str> = invite.headers.iter().map(|(name, _)| name.as_str()).collect();
    let strange: Vec<&&str> = names.iter().filter(|name| !OURS.contains(*name)).collect();
    assert!(strange.is_empty(), "{case}: {strange:?} in {invite}");
    assert_eq!(names.len(), invite.headers.len(), "{case}: no header stands twice: {invite}");
    for (name, value) in &invite.headers {
        assert!(!value.contains(|c: char| c.is_control()), "{case}: {name}: {value:?}");
        // A name that was shown as text may hold it; nothing else may.
        assert!(
            name == "From" || !value.to_lowercase().contains("evil"),
            "{case}: {name}: {value}"
        );
    }
}

#[test]
fn nothing_that_an_outsider_writes_begins_a_line_at_a_phone() {
    let mut desk = Desk::start("desk.toml");
    let mut phone = Line::new(desk.fixed_port(201), "201", desk.sip);
    let mut outsider = Stranger::at(&format!("127.0.0.1:{}", desk.trunk_port()), desk.sip);
    let (mut rang, mut refused) = (0, 0);
    for (case, from, more) in written() {
        let to = format!("<{}>", outsider.uri("0312340010"));
        let offer = sdp(9, &[0], "sendrecv");
        let invite = outsider.written("INVITE", "0312340010", &from, &to, &more, &offer);
        outsider.send(&invite.text);
        if let Some(answer) = outsider.answer(&invite.id, crate::support::ms(400)) {
            // Refused, in words that hold none of it.
            assert!(answer.status().is_some_and(|status| (400..500).contains(&status)), "{answer}");
            assert!(
                !answer.headers.iter().any(|(name, _)| name.to_lowercase().contains("evil")),
                "{case}: {answer}"
            );
            refused += 1;
            continue;
        }
        let rung = phone.ring(s(3));
        is_ours_alone(case, rung.invite.as_ref().unwrap());
        phone.answer(&rung, 180, "");
        rang += 1;
        // The same head as the INVITE's, but for the method.
        let (start, _) = invite.text.split_once("\r\n\r\n").unwrap();
        let cancel: String = start
            .replacen("INVITE ", "CANCEL ", 1)
            .replace(" INVITE\r\n", " CANCEL\r\n")
            .split("\r\n")
            .filter(|line| !line.starts_with("Content-"))
            .map(|line| format!("{line}\r\n"))
            .collect();
        outsider.send(&format!("{cancel}Content-Length: 0\r\n\r\n"));
        phone.cancel_comes(&rung, s(3));
    }
    assert!(rang >= 8 && refused >= 4, "{rang} rang, {refused} were refused");
    assert!(!desk.process().printed().contains("panicked"));
    // Names and numbers of people are in no line of the log.
    assert!(!desk.log().contains("0311112222"), "{}", desk.log());
}
