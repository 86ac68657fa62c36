//! Bytes meant to hurt: what each comes to, and that it comes quickly.

use super::{options, response};
use crate::base::tests::spent;
use crate::sip::gate::{MAX_HEAD, MAX_HEADERS, MAX_MESSAGE, MAX_VALUES};
use crate::sip::{Framed, Framer, HeaderName, Message, ParseError, Writer, parse};
use bytes::Bytes;
use proptest::prelude::*;
use std::net::SocketAddr;
use std::time::Duration;

fn source() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 9], 5060))
}

fn verdict(text: impl AsRef<[u8]>) -> Result<(), ParseError> {
    parse(&Bytes::copy_from_slice(text.as_ref())).map(|_| ()).map_err(|rejected| rejected.error)
}

fn bad(place: &'static str) -> impl Fn(&ParseError) -> bool {
    move |error| matches!(error, ParseError::BadValue { place: had, .. } if *had == place)
}

type Want = Box<dyn Fn(&ParseError) -> bool>;

#[test]
fn hostile_messages_are_refused_for_what_they_are() {
    let base = options("", "");
    let swap = |from: &str, to: &str| {
        assert!(base.contains(from), "{from}");
        base.replace(from, to).into_bytes()
    };
    let with = |more: &str| options(more, "").into_bytes();
    let is = |want: ParseError| -> Want { Box::new(move |error| *error == want) };
    let place = |place: &'static str| -> Want { Box::new(bad(place)) };
    let duplicate = |header: &'static str| is(ParseError::Duplicate { header });
    let missing = |header: &'static str| is(ParseError::MissingHeader { header });
    let table: Vec<(&str, Vec<u8>, Want)> = vec![
        (
            "CSeq of 64 kB",
            swap("7 OPTIONS", &format!("{} OPTIONS", "7".repeat(65_000))),
            is(ParseError::HeadTooLarge { limit: MAX_HEAD }),
        ),
        (
            "CSeq of 8 kB",
            swap("7 OPTIONS", &format!("{} OPTIONS", "7".repeat(8000))),
            place("CSeq"),
        ),
        (
            "an empty tag in To",
            swap("To: <sip:desk.example.jp>", "To: <sip:desk.example.jp>;tag=;more=1"),
            place("To"),
        ),
        ("an empty tag in From", swap(";tag=f", ";tag="), place("From")),
        ("a tag without a value", swap(";tag=f", ";tag"), place("From")),
        ("CSeq 2^31", swap("7 OPTIONS", "2147483648 OPTIONS"), place("CSeq")),
        ("CSeq 2^64", swap("7 OPTIONS", "18446744073709551616 OPTIONS"), place("CSeq")),
        ("CSeq signed", swap("7 OPTIONS", "+7 OPTIONS"), place("CSeq")),
        ("CSeq without method", swap("7 OPTIONS", "7"), place("CSeq")),
        ("CSeq in lower case", swap("7 OPTIONS", "7 options"), is(ParseError::CseqMethod)),
        (
            "10,000 Via",
            with(&"v:a\r\n".repeat(10_000)),
            is(ParseError::TooManyHeaders { limit: MAX_HEADERS }),
        ),
        (
            "97 headers",
            with(&"X: 1\r\n".repeat(MAX_HEADERS)),
            is(ParseError::TooManyHeaders { limit: MAX_HEADERS }),
        ),
        (
            "a list of 4,000",
            with(&format!("Allow: {}\r\n", "A,".repeat(4000))),
            is(ParseError::TooManyHeaders { limit: MAX_VALUES }),
        ),
        (
            "a list of nothing",
            with(&format!("Route: {}\r\n", ",".repeat(8000))),
            is(ParseError::TooManyHeaders { limit: MAX_VALUES }),
        ),
        ("unclosed quote in From", swap("\"A\"", "\"A"), place("From")),
        ("quote opened by an escape", swap("\"A\"", "\"A\\\""), place("From")),
        ("quotes in quotes", swap("\"A\"", "\"A\"B\"\""), place("From")),
        ("unclosed quote in a tag", swap(";tag=f", ";tag=\"f"), place("From")),
        ("angle never closed", swap("jp>;tag=f", "jp;tag=f"), place("From")),
        ("angle in angle", swap("<sip:201@", "<<sip:201@"), place("URI")),
        ("NUL in a value", swap("tag=f", "tag=\0f"), is(ParseError::ControlByte)),
        ("NUL in a name", swap("Call-ID", "Call\0-ID"), is(ParseError::ControlByte)),
        (
            "NUL behind a backslash, no quotes",
            swap("tag=f", "tag=\\\0f"),
            is(ParseError::ControlByte),
        ),
        ("NUL behind two backslashes", swap("\"A\"", "\"\\\\\0\""), is(ParseError::ControlByte)),
        ("a bare LF", with("X: a\nY: b\r\n"), is(ParseError::ControlByte)),
        ("a bare CR", with("X: a\rY: b\r\n"), is(ParseError::ControlByte)),
        ("a name with a space", with("X Y: 1\r\n"), is(ParseError::NoHeaderName)),
        ("a line without a colon", with("nothing\r\n"), is(ParseError::NoHeaderName)),
        ("no name", with(": 1\r\n"), is(ParseError::NoHeaderName)),
        (
            "two Content-Length that differ",
            with("l: 0\r\nContent-Length: 5\r\n"),
            duplicate("Content-Length"),
        ),
        (
            "two Content-Length alike",
            with("Content-Length: 0\r\nContent-Length : 0\r\n"),
            duplicate("Content-Length"),
        ),
        ("a list of Content-Length", with("Content-Length: 0, 0\r\n"), place("Content-Length")),
        ("Content-Length -1", with("Content-Length: -1\r\n"), place("Content-Length")),
        ("Content-Length +0", with("Content-Length: +0\r\n"), place("Content-Length")),
        ("Content-Length 0x10", with("Content-Length: 0x10\r\n"), place("Content-Length")),
        ("Content-Length of nothing", with("Content-Length:\r\n"), place("Content-Length")),
        (
            "Content-Length folded in two",
            with("Content-Length: 1\r\n 0\r\n"),
            place("Content-Length"),
        ),
        (
            "Content-Length 2^31",
            with("l: 2147483648\r\n"),
            is(ParseError::BodyTruncated { declared: 1 << 31, present: 0 }),
        ),
        (
            "Content-Length 2^63",
            with("l: 9223372036854775808\r\n"),
            is(ParseError::BodyTruncated { declared: 1 << 63, present: 0 }),
        ),
        ("Content-Length 2^64", with("l: 18446744073709551616\r\n"), place("Content-Length")),
        ("two Call-ID, one compact", with("i: other\r\n"), duplicate("Call-ID")),
        ("two From", with("f: <sip:x@y>\r\n"), duplicate("From")),
        ("two To", with("t: <sip:x@y>\r\n"), duplicate("To")),
        ("no Call-ID", swap("Call-ID: c@192.0.2.1\r\n", ""), missing("Call-ID")),
        ("an empty Call-ID", swap("c@192.0.2.1", ""), place("Call-ID")),
        ("Call-ID with a space", swap("c@192.0.2.1", "c d"), place("Call-ID")),
        (
            "no Via",
            swap("Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKa;rport\r\n", ""),
            missing("Via"),
        ),
        ("port 0", swap(":5062", ":0"), place("port")),
        ("port 65536", swap(":5062", ":65536"), place("port")),
        ("port signed", swap(":5062", ":+5062"), place("port")),
        ("an empty Contact", with("Contact:\r\n"), place("URI")),
        ("a star beside an address", with("Contact: *, <sip:a@b>\r\n"), place("Contact")),
        ("Max-Forwards 256", swap("70", "256"), place("Max-Forwards")),
        ("Max-Forwards -1", swap("70", "-1"), place("Max-Forwards")),
        (
            "HTTP",
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
            is(ParseError::StartLine { due: "SIP/2.0" }),
        ),
        (
            "not UTF-8 in the Request-URI",
            base.as_bytes().iter().map(|byte| if *byte == b'd' { 0xff } else { *byte }).collect(),
            is(ParseError::StartLine { due: "a URI in UTF-8" }),
        ),
        ("nothing", Vec::new(), is(ParseError::Empty)),
        ("a keep-alive", b"\r\n\r\n".to_vec(), is(ParseError::Empty)),
        ("a lone NUL", b"\0".to_vec(), is(ParseError::NoEndOfHead)),
        (
            "too long by one",
            [base.as_bytes(), &vec![b'x'; MAX_MESSAGE + 1 - base.len()]].concat(),
            is(ParseError::TooLarge { found: MAX_MESSAGE as u64 + 1, limit: MAX_MESSAGE }),
        ),
    ];
    assert_eq!(verdict(&base), Ok(()));
    for (case, bytes, want) in table {
        match verdict(&bytes) {
            Err(error) => assert!(want(&error), "{case}: {error:?}"),
            Ok(()) => panic!("{case} was taken"),
        }
    }
}

#[test]
fn a_refused_request_is_answered_by_what_it_shows() {
    let text =
        options("Content-Length: -1\r\n", "").replace(";rport", ";rport;received=203.0.113.1");
    let rejected = parse(&Bytes::from(text)).expect_err("a bad length");
    let answer = rejected.response("desk", source()).expect("an answer");
    let read = response(&answer);
    assert_eq!((read.status, &*read.reason), (400, "Bad Request"));
    assert_eq!(read.head.via.branch(), Some("z9hG4bKa"));
    assert_eq!(read.head.via.received(), Some(source().ip()), "ours, not the sender's own");
    assert_eq!(read.head.via.rport(), Some(5060));
    assert_eq!(read.head.from.tag(), Some("f"));
    assert_eq!(read.head.to.tag().map(str::len), Some(16));
    assert_eq!(&*read.head.call_id, "c@192.0.2.1");
    assert_eq!(rejected.response("desk", source()), Some(answer), "the same on a retransmission");
}

#[test]
fn what_must_not_be_answered_is_not() {
    let bad = options("Content-Length: -1\r\n", "");
    let table = [
        ("an ACK", bad.replace("OPTIONS", "ACK"), false),
        ("a response", bad.replace("OPTIONS sip:desk.example.jp SIP/2.0", "SIP/2.0 200 OK"), false),
        (
            "a response of another version",
            bad.replace("OPTIONS sip:desk.example.jp SIP/2.0", "sip/3.0 200 OK"),
            false,
        ),
        ("line ends", "\r\n\r\n\r\n".to_owned(), false),
        ("HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), false),
        ("a request", bad.clone(), true),
        ("one without an end", bad.trim_end().to_owned(), true),
        ("one with bare LF", bad.replace("\r\n", "\n"), true),
        ("10,000 Via", options(&"Via: SIP/2.0/UDP x\r\n".repeat(10_000), ""), true),
    ];
    for (case, text, answered) in table {
        let rejected = parse(&Bytes::from(text)).expect_err(case);
        let answer = rejected.response("desk", source());
        assert_eq!(answer.is_some(), answered, "{case}");
        assert!(answer.is_none_or(|answer| answer.len() < MAX_HEAD), "{case}");
    }
}

#[test]
fn the_answer_to_a_broken_request_carries_no_line_of_the_sender() {
    // Bare line ends inside copied values: the plain reader behind the gate cuts at them.
    let text = options("Content-Length: x\r\n", "").replace("tag=f", "tag=f\rEvil: 1\nWorse: 2");
    let rejected = parse(&Bytes::from(text)).expect_err("bare line ends");
    let answer = rejected.response("desk\r\nServer: two", source()).expect("an answer");
    let text = String::from_utf8_lossy(&answer);
    assert!(
        !text.lines().any(|line| line.starts_with("Evil") || line.starts_with("Worse")),
        "{text}"
    );
    assert_eq!(text.matches("\r\nServer:").count(), 1, "{text}");
    assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "{text}");
}

#[test]
fn a_hundred_authorizations_are_read_and_kept_apart() {
    let one = "Authorization: Digest username=\"a,b\", realm=\"r\"\r\n";
    let read = super::request(&options(&one.repeat(80), ""));
    assert_eq!(read.head.headers.all(&HeaderName::Authorization).count(), 80);
    assert_eq!(
        verdict(options(&one.repeat(100), "")),
        Err(ParseError::TooManyHeaders { limit: MAX_HEADERS })
    );
}

#[test]
fn hostile_datagrams_cost_little() {
    let full = |text: &str, with: &str| {
        let mut text = text.to_owned();
        while text.len() + with.len() < 60_000 {
            text.push_str(with);
        }
        Bytes::from(text + "\r\n\r\n")
    };
    let head = options("", "");
    let head = head.trim_end().to_owned() + "\r\n";
    let table = [
        full(&head, "Via: SIP/2.0/UDP x\r\n"),
        full(&head, "v:a,a,a,a,a,a,a,a,a,a\r\n"),
        full(&(head.clone() + "Via: "), "\"\\\""),
        full(&(head.clone() + "Via: "), ",<\","),
        full(&head, "Subject:\r\n x\r\n y\r\n"),
        full(&(head.clone() + "Subject: "), "\r\n "),
        full(&(head + "To: "), ";"),
        full("", "\r\n"),
        full("", "\0"),
    ];
    let began = spent();
    for bytes in &table {
        for _ in 0..10 {
            let _ = parse(bytes).map_err(|rejected| rejected.response("desk", source()));
        }
    }
    // The bound is 10 ms of a processor for one, also in a debug build.
    let each = spent().saturating_sub(began) / 90;
    assert!(each < Duration::from_millis(10), "{each:?}");
}

fn drain(framer: &mut Framer) -> Vec<String> {
    std::iter::from_fn(|| framer.pop())
        .map(|framed| match framed {
            Framed::Message(bytes) => match parse(&bytes) {
                Ok(Message::Request(request)) => {
                    format!("{} {}", request.method, request.body.len())
                }
                other => panic!("{other:?}"),
            },
            Framed::Ping => "ping".to_owned(),
            Framed::Broken(rejected) => format!("broken {}", rejected.error.status()),
        })
        .collect()
}

#[test]
fn a_stream_is_cut_where_content_length_says_and_nowhere_else() {
    let with = |length: &str, body: &str| options(&format!("Content-Length: {length}\r\n"), body);
    let smuggled = with("0", "").replace("OPTIONS", "INVITE");
    let hidden = with(&smuggled.len().to_string(), &smuggled);
    let two = with("0", "") + &with("3", "abc");
    let one_length = |more: &str| options(more, &smuggled);
    let table: Vec<(&str, String, Vec<&str>)> = vec![
        ("two in one", two, vec!["OPTIONS 0", "OPTIONS 3"]),
        (
            "line ends between",
            format!("\r\n{}\r\n\r\n{}", with("0", ""), with("0", "")),
            vec!["OPTIONS 0", "ping", "OPTIONS 0"],
        ),
        ("a ping", "\r\n\r\n".to_owned(), vec!["ping"]),
        ("half a ping", "\r\n\r".to_owned(), vec![]),
        ("a request as a body stays a body", hidden, vec![]),
        ("waits for the body", with("4", "abc"), vec![]),
        ("no length", options("", ""), vec!["broken 400"]),
        ("negative", one_length("Content-Length: -1\r\n"), vec!["broken 400"]),
        ("two lengths", one_length("Content-Length: 0\r\nl: 10\r\n"), vec!["broken 400"]),
        (
            "a length and a folded one",
            one_length("Content-Length: 0\r\nl\t:\r\n 10\r\n"),
            vec!["broken 400"],
        ),
        (
            "a name with a space",
            one_length("Content-Length: 0\r\nContent Length: 10\r\n"),
            vec!["broken 400"],
        ),
        (
            "length behind a bare LF",
            one_length("X: a\nContent-Length: 10\r\nContent-Length: 0\r\n"),
            vec!["broken 400"],
        ),
        ("2^63", one_length("Content-Length: 9223372036854775808\r\n"), vec!["broken 513"]),
        ("2^64", one_length("Content-Length: 18446744073709551616\r\n"), vec!["broken 400"]),
        ("our bound", one_length("Content-Length: 65536\r\n"), vec!["broken 513"]),
        ("garbage", "\u{1}\u{2}\u{3}\r\n\r\n".to_owned(), vec!["broken 400"]),
        ("a head without end", "x".repeat(MAX_HEAD), vec!["broken 513"]),
    ];
    for (case, text, want) in &table {
        let mut framer = Framer::new();
        framer.push(text.as_bytes());
        let got = drain(&mut framer);
        let hidden = *case == "a request as a body stays a body";
        assert_eq!(got.len(), if hidden { 1 } else { want.len() }, "{case}: {got:?}");
        assert!(hidden || got == *want, "{case}: {got:?}");
        // Byte by byte it is the same.
        let mut framer = Framer::new();
        let mut slowly = Vec::new();
        for byte in text.as_bytes() {
            framer.push(&[*byte]);
            slowly.extend(drain(&mut framer));
        }
        assert_eq!(slowly, got, "{case}, byte by byte");
    }
}

#[test]
fn nothing_comes_out_of_a_broken_stream() {
    let mut framer = Framer::new();
    framer.push(options("Content-Length: -1\r\n", "").as_bytes());
    let Some(Framed::Broken(rejected)) = framer.pop() else { panic!("must break") };
    assert!(rejected.response("desk", source()).is_some());
    framer.push(options("Content-Length: 0\r\n", "").as_bytes());
    assert!(framer.pop().is_none() && !framer.is_waiting());
}

#[test]
fn a_pong_is_no_unfinished_message() {
    let mut framer = Framer::new();
    let message = options("Content-Length: 0\r\n", "");
    // What is read at a time, and whether the peer owes more.
    let table = [
        ("a message", message.as_str(), false),
        ("the answer to our ping", "\r\n", false),
        ("half a ping more", "\r", true),
        ("all of it", "\n", false),
        ("another answer", "\r\n", false),
        ("the beginning of a message", "OPTIONS ", true),
    ];
    for (case, text, waits) in table {
        framer.push(text.as_bytes());
        while framer.pop().is_some() {}
        assert_eq!(framer.is_waiting(), waits, "{case}");
    }
}

#[test]
fn no_written_value_begins_a_line() {
    let evil = "x\r\nEvil: 1\r\n\r\nbody\0";
    let mut writer = Writer::response_saying(200, evil);
    writer.header(&HeaderName::Subject, evil).header_bytes(&HeaderName::Server, evil.as_bytes());
    writer.header(&HeaderName::Other(evil.into()), 1).call_id(evil);
    let bytes = writer.body(evil, b"v=0");
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains('\0') && !text.contains("\r\nEvil"), "{text}");
    assert_eq!(text.matches("\r\n\r\n").count(), 1, "{text}");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let bytes = Bytes::from(bytes);
        if let Err(rejected) = parse(&bytes) {
            let _ = rejected.response("desk", source());
        }
        let mut framer = Framer::new();
        framer.push(&bytes);
        while framer.pop().is_some() {}
    }

    #[test]
    fn no_damage_to_a_good_message_makes_it_panic_or_lie(
        at in 0_usize..600,
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'"'), Just(b'\r'), Just(b'\n'), Just(b','), Just(b';'), Just(b'<'), Just(b'\\')], 1..6),
        cut in 0_usize..4,
    ) {
        let good = options("Contact: \"a, b\" <sip:a@[2001:db8::1]:5070;x=%20>;q=0.3, <sip:b@c>\r\nRoute: <sip:d;lr>\r\nContent-Length: 4\r\n", "v=0\n");
        let mut text = good.into_bytes();
        let at = at.min(text.len());
        let to = (at + cut).min(text.len());
        text.splice(at..to, bytes);
        let text = Bytes::from(text);
        match parse(&text) {
            // Whatever is taken can be answered, and the answer reads as one for that request.
            Ok(Message::Request(request)) => {
                let read = response(&Writer::answer(&request, 200, Some("t")).finish());
                prop_assert_eq!(read.head.cseq, request.head.cseq);
                prop_assert_eq!(read.head.call_id, request.head.call_id);
                prop_assert_eq!(read.head.via, request.head.via);
                prop_assert_eq!(read.head.from, request.head.from);
            }
            Ok(Message::Response(_)) => {}
            Err(rejected) => { let _ = rejected.response("desk", source()); }
        }
    }
}
