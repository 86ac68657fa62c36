//! What observers see, and what they never see.

use super::*;
use crate::base::{Mono, Wall};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

fn flow(transport: Transport) -> Flow {
    Flow { transport, listener: 0, remote: "192.0.2.7:5062".parse().unwrap(), connection: 0 }
}

fn at(ms: u64) -> Now {
    let wall = 1_790_816_400_000 + i64::try_from(ms).unwrap();
    Now { mono: Mono(ms * 1_000), wall: Wall(wall) }
}

fn ring(bytes: usize, age: Duration) -> Ring {
    Ring::new(Bounds { bytes, age })
}

const INVITE: &str = "INVITE sip:0312345678@192.0.2.1;user=phone SIP/2.0\r\n\
    v: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bK1\r\n\
    f: \"山田 太郎\" <sip:0398765432@192.0.2.7>;tag=a1\r\n\
    To: <tel:+81312345678>\r\n\
    i: abc-0398765432@192.0.2.7\r\n\
    CSeq: 1 INVITE\r\n\
    Contact: <sip:0398765432:hunter2@192.0.2.7:5062;ob>\r\n\
    P-Asserted-Identity: \"Yamada\" <sip:+81398765432@ims.example>, <tel:0398765432>\r\n\
    Diversion: <sip:0355550001@192.0.2.9>;reason=unconditional;counter=1\r\n\
    Authorization: Digest username=\"2001\", realm=\"desk.example\",\r\n  nonce=\"n0\", uri=\"sip:0312345678@192.0.2.1\",\
    response=\"6629fae49393a05397450978507c4ef1\", cnonce=\"0a4f\", nc=00000001, qop=auth\r\n\
    Proxy-Authorization: Basic aHVudGVyMjpodW50ZXIy\r\n\
    X-Caller-Mail: taro@example.jp\r\n\
    Subject: about 山田\r\n\
    Content-Type: application/sdp\r\n\
    Content-Length: 999\r\n\r\n\
    v=0\r\no=yamada 1 1 IN IP4 192.0.2.7\r\ns=call of yamada\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n\
    m=audio 4000 RTP/SAVP 0\r\na=rtpmap:0 PCMU/8000\r\n\
    a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\n\
    a=ssrc:1 cname:yamada@pc\r\n";

fn shown(reveal: Reveal, message: &str) -> String {
    String::from_utf8(Redactor::new(reveal).message(message.as_bytes())).unwrap()
}

#[test]
fn numbers_and_names_are_pseudonyms_and_the_same_number_has_the_same_one() {
    let text = shown(Reveal::Nothing, INVITE);
    for telling in [
        "0398765432",
        "98765432",
        "山田",
        "amada",
        "0312345678",
        "12345678",
        "55550001",
        "2001",
        "taro",
    ] {
        assert!(!text.contains(telling), "{telling} in\n{text}");
    }
    let lines: Vec<&str> = text.lines().collect();
    let due = [
        "INVITE sip:n1@192.0.2.1;user=phone SIP/2.0",
        "v: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bK1",
        "f: \"name1\" <sip:n2@192.0.2.7>;tag=a1",
        "To: <tel:+n1>",
        "i: abc-n2@192.0.2.7",
        "P-Asserted-Identity: \"name2\" <sip:+n2@ims.example>, <tel:n2>",
        "Diversion: <sip:n3@192.0.2.9>;reason=unconditional;counter=1",
        "X-Caller-Mail: ***",
        "Subject: ***",
        "m=audio 4000 RTP/SAVP 0",
        "a=rtpmap:0 PCMU/8000",
        "s=***",
    ];
    for line in due {
        assert!(lines.contains(&line), "{line} not in\n{text}");
    }
}

#[test]
fn credentials_are_never_shown_in_no_mode() {
    for reveal in [Reveal::Nothing, Reveal::Numbers] {
        let text = shown(reveal, INVITE);
        for secret in ["6629fae4", "0a4f", "hunter2", "aHVudGVy", "d0Rmdmcm"] {
            assert!(!text.contains(secret), "{reveal:?} shows {secret}:\n{text}");
        }
        assert!(text.contains("realm=\"desk.example\"") && text.contains("nonce=\"n0\""), "{text}");
    }
    // However it is spelled, folded, or smuggled.
    let table = [
        "authorization : Digest username=\"x\",\r\n\tresponse=\"S3CRET\"",
        "AUTHORIZATION:S3CRET",
        "Via: SIP/2.0/UDP h\nAuthorization: Digest response=S3CRET",
        "Via: SIP/2.0/UDP h\rAuthorization: Digest response=S3CRET",
        "Contact: <sip:a@b?Authorization=Digest%20S3CRET>",
        "Contact: sip:a:S3CRET@b;q=1",
        "Refer-To: <sips:a:S3CRET@b>",
        "X-Auth-Token: S3CRET",
        "Route: <sip:a:S3CRET@b;lr>, <sip:c:S3CRET@d>",
        "Subject: call sip:a:S3CRET@b now",
        "Via: SIP/2.0/UDP h ; sip:a:S3CRET@b",
    ];
    for header in table {
        let message = format!("OPTIONS sip:x@y SIP/2.0\r\n{header}\r\nCSeq: 1 OPTIONS\r\n\r\n");
        for reveal in [Reveal::Nothing, Reveal::Numbers] {
            let text = shown(reveal, &message);
            assert!(!text.contains("S3CRET"), "{reveal:?} {header:?}:\n{text}");
        }
    }
    let line = shown(Reveal::Numbers, "OPTIONS sip:x:S3CRET@y SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\r\n");
    assert!(!line.contains("S3CRET"), "{line}");
}

#[test]
fn who_asked_for_numbers_sees_them() {
    let text = shown(Reveal::Numbers, INVITE);
    for due in
        ["\"山田 太郎\" <sip:0398765432@192.0.2.7>;tag=a1", "<tel:+81312345678>", "taro@example.jp"]
    {
        assert!(text.contains(due), "{due} not in\n{text}");
    }
}

#[test]
fn what_is_shown_is_still_a_message_of_its_own_length() {
    for reveal in [Reveal::Nothing, Reveal::Numbers] {
        let text = shown(reveal, INVITE);
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{text}");
    }
    for garbage in
        [&b""[..], b"\0\x01\x02", b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", &vec![0xff; 70_000]]
    {
        let text = String::from_utf8(Redactor::default().message(garbage)).unwrap();
        assert!(text.contains("no SIP message"), "{text}");
    }
}

#[test]
fn keys_and_bodies_that_are_no_description_are_hidden() {
    let info = "INFO sip:a@b SIP/2.0\r\nCSeq: 2 INFO\r\nContent-Type: application/dtmf-relay\r\nContent-Length: 24\r\n\r\nSignal=7\r\nDuration=160\r\n";
    let text = shown(Reveal::Nothing, info);
    assert!(!text.contains("Signal") && text.contains("bytes hidden"), "{text}");
    let notify = "NOTIFY sip:a@b SIP/2.0\r\nCSeq: 2 NOTIFY\r\nContent-Type: message/sipfrag;version=2.0\r\n\r\nSIP/2.0 200 OK\r\n";
    assert!(shown(Reveal::Nothing, notify).ends_with("\r\n\r\nSIP/2.0 200 OK\r\n\r\n"));
}

#[test]
fn the_ring_holds_no_more_than_its_bounds() {
    let mut ring = ring(1 << 20, HOUR);
    for n in 0..20_000 {
        ring.push(at(n), flow(Transport::Udp), Direction::In, Bytes::from(vec![b'x'; 500]));
        assert!(ring.kept().bytes <= (1 << 20) + (1 << 17) + 1_000, "{:?}", ring.kept());
    }
    let kept = ring.kept();
    assert!(kept.messages > 1_000 && kept.messages < 2_000, "{kept:?}");
    assert_eq!(kept.pushed_out + u64::try_from(kept.messages).unwrap(), 20_000);
    let last = ring.snapshot(0).records().last().map(|record| record.seq);
    assert_eq!(last, Some(20_000), "the newest are those that are kept");
}

#[test]
fn no_flood_of_other_requests_pushes_a_calls_messages_out() {
    let mut ring = ring(1 << 20, HOUR);
    let call = CallId(uuid::Uuid::from_u64_pair(1, 0));
    ring.link("of-a-call", call);
    let message = |method: &str, id: &str, n: u64| {
        let cseq = format!("CSeq: {n} {method}");
        Bytes::from(format!("{method} sip:x@y SIP/2.0\r\nCall-ID: {id}\r\n{cseq}\r\n\r\n"))
    };
    let mut push = |method: &str, id: &str, n: u64| {
        ring.push(at(n), flow(Transport::Udp), Direction::In, message(method, id, n));
    };
    for n in 0..100 {
        push("OPTIONS", "a-stranger", n);
        push("INFO", "of-a-call", n);
    }
    for n in 100..50_000 {
        push("OPTIONS", "a-stranger", n);
    }
    let kept = ring.kept();
    assert!(kept.bytes <= (1 << 20) + (1 << 17), "{kept:?}");
    let snapshot = ring.snapshot(0);
    let of_call = snapshot.records().filter(|record| record.call_id() == Some("of-a-call"));
    assert_eq!(of_call.count(), 100, "all of them are there");
    let seqs: Vec<u64> = snapshot.records().map(|record| record.seq).collect();
    assert!(seqs.is_sorted() && seqs.len() > 2_000, "one order, and the room is used");
    // And calls leave all else its share.
    for n in 0..50_000 {
        ring.push(at(n), flow(Transport::Udp), Direction::In, message("INFO", "of-a-call", n));
    }
    let snapshot = ring.snapshot(0);
    let others = snapshot.records().filter(|record| record.call_id() == Some("a-stranger"));
    assert!(others.count() > 500);
}

#[test]
fn what_is_old_is_dropped_also_when_nothing_new_comes() {
    let mut ring = ring(1 << 20, Duration::from_secs(600));
    ring.push(at(0), flow(Transport::Udp), Direction::In, Bytes::from_static(b"x"));
    ring.expire(at(600_000));
    assert_eq!(ring.kept().messages, 1);
    ring.expire(at(600_001));
    assert_eq!(ring.kept(), Kept::default());
}

#[test]
fn a_reader_gets_what_it_has_not_seen() {
    let mut ring = ring(1 << 20, HOUR);
    for n in 0..700 {
        ring.push(at(n), flow(Transport::Udp), Direction::Out, Bytes::from_static(b"x"));
    }
    let seen = |after| ring.snapshot(after).records().map(|record| record.seq).collect::<Vec<_>>();
    assert_eq!(seen(697), [698, 699, 700]);
    assert_eq!(seen(0).len(), 700);
    assert_eq!(seen(700), Vec::<u64>::new());
}

#[test]
fn legs_are_known_by_their_call_and_the_oldest_are_forgotten() {
    let mut ring = ring(1 << 20, HOUR);
    let call = |n: u64| CallId(uuid::Uuid::from_u64_pair(n, 0));
    ring.link("a", call(1));
    ring.link("b", call(1));
    ring.link("a", call(2));
    assert_eq!(ring.call_ids(call(1)), ["a".into(), "b".into()]);
    assert_eq!(ring.call_of("a"), Some(call(1)), "a Call-ID used twice stays with its first call");
    for n in 0..MAX_LINKS {
        ring.link(&format!("x{n}"), call(3));
    }
    assert_eq!(ring.call_of("a"), None);
    assert_eq!(ring.call_ids(call(1)), []);
    assert_eq!(ring.call_ids(call(3)).len(), MAX_LINKS);
}

fn conversation() -> Vec<Record> {
    let reply = |status: &str, id: &str| {
        format!(
            "SIP/2.0 {status}\r\nFrom: <sip:0398765432@h>;tag=1\r\nTo: <sip:0312345678@h>;tag=2\r\nCall-ID: {id}\r\nCSeq: 1 INVITE\r\n\r\n"
        )
    };
    let out = "INVITE sip:2001@192.0.2.20 SIP/2.0\r\nFrom: <sip:0398765432@h>;tag=3\r\nTo: <sip:2001@h>\r\nCall-ID: out\r\nCSeq: 1 INVITE\r\n\r\n";
    let steps = [
        (0, Direction::In, "192.0.2.7:5060", INVITE.to_owned()),
        (1, Direction::Out, "192.0.2.7:5060", reply("100 Trying", "abc-0398765432@192.0.2.7")),
        (5, Direction::Out, "192.0.2.20:5060", out.to_owned()),
        (505, Direction::Out, "192.0.2.20:5060", out.to_owned()),
        (520, Direction::In, "192.0.2.20:5060", reply("486 <b>Busy</b>", "out")),
    ];
    let record =
        |(seq, (ms, direction, remote, text)): (u64, (u64, Direction, &str, String))| Record {
            seq,
            at: at(ms),
            flow: Flow { remote: remote.parse().unwrap(), ..flow(Transport::Udp) },
            direction,
            bytes: Bytes::from(text),
        };
    (1..).zip(steps).map(record).collect()
}

#[test]
fn a_ladder_shows_legs_as_columns_and_repetitions_as_such() {
    let ladder = Ladder::of(&conversation(), &mut Redactor::default());
    assert_eq!(ladder.peers.len(), 2);
    let whos: Vec<&str> = ladder.peers.iter().map(|peer| peer.who.as_str()).collect();
    assert_eq!(whos, ["n1", "n4"]);
    let text = ladder_text(&ladder, "SIP call");
    let due = "SIP call

           n1                           desk                           n4
           udp                                                         udp
     192.0.2.7:5060                                              192.0.2.20:5060
     0.000  |-------- INVITE SDP -------->|                             |
     0.001  |<------- 100 Trying ---------|                             |
     0.005  |                             |---------- INVITE ---------->|
     0.505  |                             |------ INVITE (again) ------>|
     0.520  |                             |<--------- 486 *** ----------|
";
    assert_eq!(text, due);
    for line in text.lines() {
        assert!(line.len() <= 90, "{line}");
    }
}

#[test]
fn a_page_holds_nothing_that_a_browser_would_run() {
    let mut records = conversation();
    let evil = "SIP/2.0 200 <script>alert(1)</script>\r\nFrom: \"<img src=x onerror=alert(2)>\" <sip:\"><script>@h>\r\nCall-ID: out\r\nCSeq: 1 INVITE\r\n\r\n</pre><script>x";
    records.push(Record { seq: 9, bytes: Bytes::from(evil), ..records.last().unwrap().clone() });
    for reveal in [Reveal::Nothing, Reveal::Numbers] {
        let html = page(&Ladder::of(&records, &mut Redactor::new(reveal)), "<b>", "'\"");
        assert!(
            !html.contains("<script") && !html.contains("<img") && !html.contains("<b>B"),
            "{html}"
        );
        assert!(html.contains("&lt;b&gt;") && html.contains("id=\"m9\""));
        assert!(!html.contains("src=") || reveal == Reveal::Numbers, "{html}");
    }
}

#[test]
fn a_collectors_packet_says_its_own_length_and_its_call() {
    let record = &conversation()[0];
    let hep = Hep { node: 7, name: "desk".into() };
    let locals = ["192.0.2.1:5060".parse().unwrap()];
    let packet =
        hep.packet(record, 1_790_816_400_123_456, b"payload", "the-call", &locals).unwrap();
    assert_eq!(&packet[..4], b"HEP3");
    assert_eq!(usize::from(u16::from_be_bytes([packet[4], packet[5]])), packet.len());
    let (mut at, mut chunks) = (6, std::collections::BTreeMap::new());
    while at < packet.len() {
        let word = |i: usize| u16::from_be_bytes([packet[i], packet[i + 1]]);
        let length = usize::from(word(at + 4));
        chunks.insert(word(at + 2), packet[at + 6..at + length].to_vec());
        at += length;
    }
    assert_eq!(chunks[&15], b"payload");
    assert_eq!(chunks[&17], b"the-call");
    assert_eq!((&chunks[&3], &chunks[&4]), (&vec![192, 0, 2, 7], &vec![192, 0, 2, 1]));
    assert_eq!(chunks[&8], 5060_u16.to_be_bytes());
    assert_eq!(chunks[&9], 1_790_816_400_u32.to_be_bytes());
    assert_eq!(chunks[&10], 123_456_u32.to_be_bytes());
    assert_eq!(hep.packet(record, 0, &vec![0; 66_000], "x", &locals), None);
}

#[test]
fn stamps_go_on_within_a_millisecond_and_follow_a_clock_that_is_set() {
    let mut stamps = Stamps::default();
    let at = |mono, wall| Now { mono: Mono(mono), wall: Wall(wall) };
    let table = [
        ("the first", at(500_900, 1_000), 1_000_000),
        ("the wall clock stands still", at(501_000, 1_000), 1_000_100),
        ("as it went on", at(502_000, 1_001), 1_001_100),
        ("one that came before the first", at(500_000, 999), 999_100),
        ("set by an hour", at(503_000, 3_601_000), 3_601_000_000),
        ("and on from there", at(503_700, 3_601_000), 3_601_000_700),
    ];
    for (case, now, due) in table {
        assert_eq!(stamps.micros(now), due, "{case}");
    }
}
