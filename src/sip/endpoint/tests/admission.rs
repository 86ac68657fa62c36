//! Who is let in, what is answered without state, and what that costs.

use super::{Effect, Endpoint, Flow, LegEvent, at, directory, line, settings, tcp, udp, wire};
use crate::base::Rng;
use crate::sip::api::Source;
use crate::sip::digest::Challenge;
use crate::sip::{HeaderName, Message, Method, parse};
use bytes::Bytes;

const STRANGER: &str = "198.51.100.9:5060";

pub(super) fn endpoint() -> Endpoint {
    Endpoint::new(settings(), directory(), Rng::from_number(3))
}

/// A request in full control of its lines.
fn request(start: &str, method: &str, from: &str, extra: &str, body: &str) -> Bytes {
    wire(
        &format!(
            "{start}
             Via: SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bK{method}{}
             From: <sip:{from}@desk.example>;tag=f
             To: <sip:{from}@desk.example>
             Call-ID: admission
             CSeq: 1 {method}
             Contact: <sip:{from}@198.51.100.9>
             {extra}",
            extra.len()
        ),
        body,
    )
}

/// What goes out for it, and whether it was free.
fn answer(endpoint: &mut Endpoint, flow: Flow, bytes: Bytes) -> Vec<(String, bool)> {
    sent(endpoint, flow, bytes).into_iter().map(|(bytes, free)| (line(&bytes), free)).collect()
}

fn sent(endpoint: &mut Endpoint, flow: Flow, bytes: Bytes) -> Vec<(Bytes, bool)> {
    let mut out = Vec::new();
    endpoint.receive(flow, bytes, false, at(0), &mut out);
    out.into_iter()
        .filter_map(|effect| match effect {
            Effect::Send { bytes, free, .. } => Some((bytes, free)),
            _ => None,
        })
        .collect()
}

/// The Authorization that answers the challenge in `response`.
pub(super) fn authorization(
    response: &Bytes,
    user: &str,
    password: &str,
    method: &Method,
    uri: &str,
) -> String {
    let Ok(Message::Response(response)) = parse(response) else { panic!("no response") };
    assert_eq!(response.status, 401);
    let challenge = Challenge::pick(response.head.headers.all(&HeaderName::WwwAuthenticate));
    let challenge = challenge.expect("a challenge");
    format!("Authorization: {}", challenge.answer(user, password, method, uri, "cnonce", 1))
}

#[test]
fn what_strangers_get() {
    let invite = "INVITE sip:2000@192.0.2.1 SIP/2.0";
    let sdp = "Content-Type: application/sdp";
    let rows: &[(&str, Bytes, &str)] = &[
        ("INVITE", request(invite, "INVITE", "1000", sdp, "v=0"), "401 INVITE 1"),
        ("INVITE as nobody", request(invite, "INVITE", "9999", sdp, "v=0"), "401 INVITE 1"),
        (
            "REGISTER",
            request("REGISTER sip:desk.example SIP/2.0", "REGISTER", "1000", "", ""),
            "401 REGISTER 1",
        ),
        (
            "OPTIONS",
            request("OPTIONS sip:192.0.2.1 SIP/2.0", "OPTIONS", "x", "", ""),
            "200 OPTIONS 1",
        ),
        (
            "OPTIONS, hops used up",
            request("OPTIONS sip:192.0.2.1 SIP/2.0", "OPTIONS", "x", "Max-Forwards: 0", ""),
            "200 OPTIONS 1",
        ),
        (
            "INVITE, hops used up",
            request(invite, "INVITE", "1000", "Max-Forwards: 0", ""),
            "483 INVITE 1",
        ),
        ("BYE", request("BYE sip:2000@192.0.2.1 SIP/2.0", "BYE", "1000", "", ""), "481 BYE 1"),
        (
            "CANCEL",
            request("CANCEL sip:2000@192.0.2.1 SIP/2.0", "CANCEL", "1000", "", ""),
            "481 CANCEL 1",
        ),
        ("INFO", request("INFO sip:2000@192.0.2.1 SIP/2.0", "INFO", "1000", "", ""), "481 INFO 1"),
        (
            "UPDATE",
            request("UPDATE sip:2000@192.0.2.1 SIP/2.0", "UPDATE", "1000", "", ""),
            "481 UPDATE 1",
        ),
        (
            "PRACK",
            request("PRACK sip:2000@192.0.2.1 SIP/2.0", "PRACK", "1000", "", ""),
            "481 PRACK 1",
        ),
        (
            "NOTIFY",
            request("NOTIFY sip:2000@192.0.2.1 SIP/2.0", "NOTIFY", "1000", "", ""),
            "481 NOTIFY 1",
        ),
        (
            "REFER",
            request("REFER sip:2000@192.0.2.1 SIP/2.0", "REFER", "1000", "", ""),
            "603 REFER 1",
        ),
        (
            "SUBSCRIBE",
            request("SUBSCRIBE sip:2000@192.0.2.1 SIP/2.0", "SUBSCRIBE", "1000", "", ""),
            "489 SUBSCRIBE 1",
        ),
        (
            "MESSAGE",
            request("MESSAGE sip:2000@192.0.2.1 SIP/2.0", "MESSAGE", "1000", "", ""),
            "405 MESSAGE 1",
        ),
        (
            "PUBLISH",
            request("PUBLISH sip:2000@192.0.2.1 SIP/2.0", "PUBLISH", "1000", "", ""),
            "405 PUBLISH 1",
        ),
        (
            "unknown",
            request("DANCE sip:2000@192.0.2.1 SIP/2.0", "DANCE", "1000", "", ""),
            "501 DANCE 1",
        ),
        (
            "a scheme",
            request("INVITE soap.beep://192.0.2.1:3002 SIP/2.0", "INVITE", "1000", "", ""),
            "416 INVITE 1",
        ),
        (
            "extensions",
            request(invite, "INVITE", "1000", "Require: 100rel, x, z\nProxy-Require: y", ""),
            "420 INVITE 1",
        ),
        (
            "body",
            request(invite, "INVITE", "1000", "Content-Type: text/plain", "hello"),
            "415 INVITE 1",
        ),
        (
            "zipped",
            request(
                invite,
                "INVITE",
                "1000",
                "Content-Type: application/sdp\nContent-Encoding: gzip",
                "x",
            ),
            "415 INVITE 1",
        ),
        ("wants other", request(invite, "INVITE", "1000", "Accept: text/x", ""), "406 INVITE 1"),
        (
            "wants anything",
            request(invite, "INVITE", "1000", "Accept: */*;q=0.1", ""),
            "401 INVITE 1",
        ),
        (
            "wildcard",
            request(
                "REGISTER sip:desk.example SIP/2.0",
                "REGISTER",
                "1000",
                "Authorization: NoOneKnows x",
                "",
            ),
            "401 REGISTER 1",
        ),
        (
            "version",
            request("INVITE sip:2000@192.0.2.1 SIP/7.0", "INVITE", "1000", "", ""),
            "505 INVITE 1",
        ),
        (
            "malformed",
            request("INVITE <sip:2000@192.0.2.1> SIP/2.0", "INVITE", "1000", "", ""),
            "400 INVITE 1",
        ),
    ];
    let mut endpoint = endpoint();
    for (case, bytes, want) in rows {
        let had = answer(&mut endpoint, udp(STRANGER), bytes.clone());
        assert_eq!(had, [((*want).to_owned(), true)], "{case}");
        let again = sent(&mut endpoint, udp(STRANGER), bytes.clone());
        let tag = |bytes: &Bytes| {
            let Ok(Message::Response(response)) = parse(bytes) else { panic!("no response") };
            response.head.to.tag().expect("a tag").to_owned()
        };
        let once_more = sent(&mut endpoint, udp(STRANGER), bytes.clone());
        assert_eq!(tag(&again[0].0), tag(&once_more[0].0), "{case}: RFC 3261 §8.2.7");
        assert_eq!(endpoint.gauges(), super::Gauges::default(), "{case}: no state");
    }
    let table: [(&str, &[&str]); 4] = [
        ("extensions", &["Unsupported: z", "Unsupported: x", "Unsupported: y"]),
        ("body", &["Accept: application/sdp"]),
        ("MESSAGE", &["Allow: INVITE"]),
        ("unknown", &["Allow: INVITE"]),
    ];
    for (case, due) in table {
        let (_, bytes, _) = rows.iter().find(|(had, ..)| *had == case).expect("a row above");
        let bytes = sent(&mut endpoint, udp(STRANGER), bytes.clone());
        let text = String::from_utf8_lossy(&bytes[0].0).into_owned();
        for due in due {
            assert!(text.contains(due), "{case}: {due} in\n{text}");
        }
    }
}

#[test]
fn strays_are_not_answered() {
    let mut endpoint = endpoint();
    let stray = [
        request("ACK sip:2000@192.0.2.1 SIP/2.0", "ACK", "1000", "", ""),
        Bytes::from_static(b"\r\n\r\n"),
        Bytes::from_static(b"\0\xff garbage"),
        wire(
            "SIP/2.0 200 OK
             Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1d32hash4
             From: <sip:a@b.example>;tag=1
             To: <sip:c@b.example>;tag=2
             Call-ID: stray
             CSeq: 1 INVITE",
            "",
        ),
    ];
    for bytes in stray {
        assert!(answer(&mut endpoint, udp(STRANGER), bytes).is_empty());
    }
}

#[test]
fn an_account_calls_with_its_password_and_in_its_own_name() {
    let uri = "sip:2000@192.0.2.1";
    let start = format!("INVITE {uri} SIP/2.0");
    let table = [
        ("right", "1000", "1000", "pw1000", "100 INVITE 1", false),
        ("wrong password", "1000", "1000", "guess", "401 INVITE 1", false),
        ("no such account", "7777", "7777", "guess", "401 INVITE 1", false),
        ("another's name", "1001", "1000", "pw1000", "403 INVITE 1", false),
        ("an outsider's name", "0312345678", "1000", "pw1000", "403 INVITE 1", false),
        ("right, but too late", "1000", "1000", "pw1000", "401 INVITE 1", true),
    ];
    for (case, from, user, password, want, late) in table {
        let mut endpoint = endpoint();
        let first = request(&start, "INVITE", from, "", "");
        let challenge = sent(&mut endpoint, udp(STRANGER), first).remove(0).0;
        let proof = authorization(&challenge, user, password, &Method::Invite, uri);
        let mut out = Vec::new();
        let now = at(if late { 3_600_000 } else { 1 });
        endpoint.receive(
            udp(STRANGER),
            request(&start, "INVITE", from, &proof, ""),
            false,
            now,
            &mut out,
        );
        let Some(Effect::Send { bytes, .. }) = out.first() else { panic!("{case}: no answer") };
        assert_eq!(line(bytes), want, "{case}");
        assert_eq!(String::from_utf8_lossy(bytes).contains("stale=true"), late, "{case}");
        let source = out.iter().find_map(|effect| match effect {
            Effect::Leg { event: LegEvent::Incoming(incoming), .. } => {
                Some(incoming.source.clone())
            }
            _ => None,
        });
        assert_eq!(
            source,
            (want == "100 INVITE 1").then(|| Source::Account("1000".into())),
            "{case}"
        );
        assert_eq!(endpoint.gauges().legs, usize::from(source.is_some()), "{case}");
    }
}

#[test]
fn guessing_is_not_looked_at_after_ten_tries() {
    let uri = "sip:desk.example";
    let start = format!("REGISTER {uri} SIP/2.0");
    let mut endpoint = endpoint();
    let mut attempt = |number: usize, password: &str, source: &str| {
        let tell = |extra: &str| {
            request(&start, "REGISTER", "1000", &format!("X-{number}: x\n{extra}"), "")
        };
        let challenge = sent(&mut endpoint, udp(source), tell("")).remove(0).0;
        let proof = authorization(&challenge, "1000", password, &Method::Register, uri);
        answer(&mut endpoint, udp(source), tell(&proof)).remove(0).0
    };
    for number in 0..10 {
        assert_eq!(attempt(number, "guess", STRANGER), "401 REGISTER 1");
    }
    assert_eq!(attempt(11, "pw1000", STRANGER), "401 REGISTER 1", "even the right one");
    assert_eq!(
        attempt(12, "pw1000", "198.51.100.10:5060"),
        "200 REGISTER 1",
        "the owner elsewhere"
    );
}

#[test]
fn addresses_that_are_believed() {
    let invite = |from: &str| request("INVITE sip:2000@192.0.2.1 SIP/2.0", "INVITE", from, "", "");
    let table = [
        ("the trunk", udp("192.0.2.7:5060"), "0312345678", Some(Source::Trunk("carrier".into()))),
        ("another port of its host", udp("192.0.2.7:5061"), "0312345678", None),
        ("a fixed phone", udp("192.0.2.8:5080"), "2000", Some(Source::Account("2000".into()))),
        ("as an account", udp("192.0.2.8:5080"), "1000", Some(Source::Account("1000".into()))),
        ("as nobody we know", udp("192.0.2.8:5080"), "3000", None),
        ("the fixed phone's host, another port", udp("192.0.2.8:5081"), "2000", None),
        (
            "a fixed phone's connection",
            tcp("192.0.2.8:49152", 4),
            "2001",
            Some(Source::Account("2001".into())),
        ),
    ];
    for (case, flow, from, want) in table {
        let mut endpoint = endpoint();
        let mut out = Vec::new();
        endpoint.receive(flow, invite(from), false, at(0), &mut out);
        let source = out.iter().find_map(|effect| match effect {
            Effect::Leg { event: LegEvent::Incoming(incoming), .. } => {
                Some(incoming.source.clone())
            }
            _ => None,
        });
        assert_eq!(source, want, "{case}");
    }
}

#[test]
fn what_a_trunk_may_ask_for() {
    let trunk = udp("192.0.2.7:5060");
    let table = [
        ("ours by address", "sip:10@192.0.2.1:5099", "", "100 INVITE 1"),
        ("ours by realm", "sip:10@DESK.example", "", "100 INVITE 1"),
        ("ours by name", "sip:10@pbx.example", "", "100 INVITE 1"),
        ("a telephone number", "tel:+81-3-1234-5678", "", "100 INVITE 1"),
        ("no relay for others", "sip:10@elsewhere.example", "", "404 INVITE 1"),
        ("nobody", "sip:192.0.2.1", "", "404 INVITE 1"),
        ("odd route", "sip:10@192.0.2.1", "Record-Route: <mailto:x@y.example>", "400 INVITE 1"),
    ];
    for (case, uri, extra, want) in table {
        let mut endpoint = endpoint();
        let bytes = request(&format!("INVITE {uri} SIP/2.0"), "INVITE", "0312345678", extra, "");
        assert_eq!(answer(&mut endpoint, trunk, bytes)[0].0, want, "{case}");
    }
    let routes = "Record-Route: <sip:192.0.2.20;lr>\n".repeat(17);
    let bytes = request("INVITE sip:10@192.0.2.1 SIP/2.0", "INVITE", "0312345678", &routes, "");
    assert_eq!(answer(&mut endpoint(), trunk, bytes)[0].0, "400 INVITE 1");
    // RFC 2543: no Contact, no cookie, no Max-Forwards.
    let old = wire(
        "INVITE sip:10@192.0.2.1 SIP/2.0
         Via: SIP/2.0/UDP 192.0.2.7
         From: sip:0312345678@192.0.2.7
         To: sip:10@192.0.2.1
         Call-ID: old
         CSeq: 1 INVITE",
        "",
    );
    let mut endpoint = endpoint();
    assert_eq!(answer(&mut endpoint, trunk, old.clone())[0].0, "100 INVITE 1");
    assert_eq!(answer(&mut endpoint, trunk, old).len(), 1, "its repetition is one");
    assert_eq!(endpoint.gauges().legs, 1);
}

#[test]
fn one_invite_by_two_ways_is_one_call() {
    let by = |branch: &str| {
        wire(
            &format!(
                "INVITE sip:10@192.0.2.1 SIP/2.0
                 Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK{branch}
                 From: <sip:0312345678@192.0.2.7>;tag=f
                 To: <sip:10@192.0.2.1>
                 Call-ID: merged
                 CSeq: 1 INVITE
                 Contact: <sip:a@192.0.2.7>"
            ),
            "",
        )
    };
    let mut endpoint = endpoint();
    assert_eq!(answer(&mut endpoint, udp("192.0.2.7:5060"), by("a"))[0].0, "100 INVITE 1");
    assert_eq!(answer(&mut endpoint, udp("192.0.2.7:5060"), by("b"))[0].0, "482 INVITE 1");
}

#[test]
fn under_overload_only_what_begins_is_refused() {
    let mut endpoint = endpoint();
    let flow = udp("192.0.2.7:5060");
    let shed = |endpoint: &mut Endpoint, bytes: Bytes| {
        let mut out = Vec::new();
        endpoint.receive(flow, bytes, true, at(0), &mut out);
        match out.first() {
            Some(Effect::Send { bytes, free, .. }) => {
                assert!(*free);
                let text = String::from_utf8_lossy(bytes).into_owned();
                (
                    line(bytes),
                    text.lines()
                        .find_map(|line| line.strip_prefix("Retry-After: ").map(str::to_owned)),
                )
            }
            _ => panic!("no answer"),
        }
    };
    for method in ["REGISTER", "OPTIONS", "SUBSCRIBE"] {
        let start = format!("{method} sip:10@192.0.2.1 SIP/2.0");
        let (had, retry) = shed(&mut endpoint, request(&start, method, "0312345678", "", ""));
        assert_eq!(had, format!("503 {method} 1"));
        let retry: u32 = retry.expect("Retry-After").parse().expect("a number");
        assert!((2..=10).contains(&retry), "{retry}");
    }
    let (had, retry) =
        shed(&mut endpoint, request("BYE sip:10@192.0.2.1 SIP/2.0", "BYE", "1", "", ""));
    assert_eq!((had.as_str(), retry), ("481 BYE 1", None));
    assert_eq!(endpoint.gauges(), super::Gauges::default());
}

#[test]
fn a_call_refused_under_overload_is_told_so_that_it_counts_and_its_repetition_is_not_accepted() {
    let mut endpoint = endpoint();
    let flow = udp("192.0.2.7:5060");
    let invite = request("INVITE sip:10@192.0.2.1 SIP/2.0", "INVITE", "0312345678", "", "");
    let mut told = Vec::new();
    for shed in [true, false] {
        let mut out = Vec::new();
        endpoint.receive(flow, invite.clone(), shed, at(0), &mut out);
        told.extend(out.into_iter().filter_map(|effect| match effect {
            Effect::Leg { event: LegEvent::Incoming(incoming), .. } => Some(incoming.shed),
            _ => None,
        }));
    }
    assert_eq!(told, [true], "one call, told as refused, whatever the repetition finds");
}

#[test]
fn a_full_table_refuses_what_begins_and_still_ends_calls() {
    let mut settings = settings();
    settings.max_transactions = 3;
    let mut endpoint = Endpoint::new(settings, directory(), Rng::from_number(3));
    let invite = |number: usize| {
        wire(
            &format!(
                "INVITE sip:10@192.0.2.1 SIP/2.0
                 Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK{number}
                 From: <sip:0312345678@192.0.2.7>;tag=f{number}
                 To: <sip:10@192.0.2.1>
                 Call-ID: full{number}
                 CSeq: 1 INVITE
                 Contact: <sip:a@192.0.2.7>"
            ),
            "",
        )
    };
    let flow = udp("192.0.2.7:5060");
    for number in 0..3 {
        assert_eq!(answer(&mut endpoint, flow, invite(number))[0].0, "100 INVITE 1");
    }
    assert_eq!(answer(&mut endpoint, flow, invite(3)), [("503 INVITE 1".to_owned(), true)]);
    let mut out = Vec::new();
    let shown = super::Shown { user: "1".to_owned().into(), name: None };
    let dialled =
        endpoint.dial(crate::base::LegId(2), &"2000".into(), &shown, None, at(0), &mut out);
    assert!(dialled.is_ok());
    assert!(matches!(
        out.last(),
        Some(Effect::Leg { event: LegEvent::Refused { status: 503 }, .. })
    ));
    let none = endpoint.dial(crate::base::LegId(4), &"1000".into(), &shown, None, at(0), &mut out);
    assert_eq!(none, Err(crate::sip::NoAddress));
}
