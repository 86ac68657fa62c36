//! Messages whose head lies: too long, too many, a body of another length than it says. Each is answered at once,
//! nothing of it stays, and no request that hides in another is obeyed.

use crate::stranger::Stranger;
use crate::support::desk::Desk;
use crate::support::line::Line;
use crate::support::message::sdp;
use crate::support::{eventually, ms, poll, s};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// So often is each told; what the machine itself makes wait is not the desk's doing, so the quickest counts.
const TIMES: usize = 15;

/// The heads, and which status is due for each. What is too long for a datagram goes by stream alone.
fn heads() -> Vec<(&'static str, String, &'static [u16])> {
    let digest = |n: usize| {
        format!(
            "Authorization: Digest username=\"6001\", realm=\"desk.example\", nonce=\"{n}\", uri=\"sip:x\", \
             response=\"0\"\r\n"
        )
    };
    let many = |n: usize| (0..n).map(digest).collect::<String>();
    vec![
        ("10,000 Via", "v:a\r\n".repeat(10_000), &[400, 513]),
        ("50 Accept", "Accept: application/sdp\r\n".repeat(50), &[401]),
        ("a header of 60 kB", format!("Subject: {}\r\n", "x".repeat(60_000)), &[400, 513]),
        ("a header of 8 kB", format!("Subject: {}\r\n", "x".repeat(8_150)), &[401]),
        ("1,000 headers", "X: y\r\n".repeat(1_000), &[400, 513]),
        ("a list of 4,000", format!("Allow: {}\r\n", "A,".repeat(4_000)), &[400, 513]),
        ("100 Authorization", many(100), &[400, 513]),
        ("50 Authorization", many(50), &[401]),
        ("an empty Authorization", "Authorization:\r\n".into(), &[400, 401]),
        ("Authorization of nothing", "Authorization: Digest\r\n".into(), &[400, 401]),
        ("a scheme nobody knows", "Authorization: Basic NjAwMTp4\r\n".into(), &[401]),
        (
            "auth-int, which was not offered",
            digest(1).replace("response", "qop=auth-int, nc=00000001, cnonce=\"a\", response"),
            &[400, 401],
        ),
        (
            "a weaker algorithm than any",
            digest(1).replace("response", "algorithm=CRC32, response"),
            &[400, 401],
        ),
    ]
}

/// REGISTER with such a head, and how long the answer took.
fn told(stranger: &mut Stranger, head: &str) -> (Option<u16>, Duration) {
    let said = stranger.request("REGISTER", "", "6001", head, "");
    let began = Instant::now();
    let answer = stranger.ask(&said, s(3));
    (answer.and_then(|answer| answer.status()), began.elapsed())
}

#[test]
fn heads_beyond_every_bound_are_answered_within_10_ms_and_cost_no_memory() {
    let mut desk = Desk::start("desk.toml");
    let mut stranger = Stranger::at("127.0.0.1:0", desk.sip);
    told(&mut stranger, "");
    let rss = desk.process().rss_kib();
    for (case, head, due) in heads() {
        let tries: Vec<_> = (0..TIMES).map(|_| told(&mut stranger, &head)).collect();
        for (status, _) in &tries {
            assert!(status.is_some_and(|status| due.contains(&status)), "{case}: {status:?}");
        }
        let quickest = tries.iter().map(|(_, took)| *took).min().unwrap();
        assert!(quickest < ms(10), "{case}: {quickest:?}");
    }
    let grown = desk.process().rss_kib().saturating_sub(rss);
    assert!(grown < 16 * 1024, "{grown} KiB");
    for gauge in ["madoguchi_engine_legs", "madoguchi_sip_registrations"] {
        assert_eq!(desk.metric(gauge), 0.0, "{gauge}");
    }
    eventually("no transaction stays", s(5), || desk.metric("madoguchi_sip_transactions") == 0.0);
}

/// A connection from the trunk's own address: what comes on it makes calls.
fn trunk_connection(port: u16, desk: SocketAddr) -> TcpStream {
    // The next case comes from the same port, which the system may keep for a moment longer.
    poll(s(2), || {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).unwrap();
        socket.set_reuse_address(true).unwrap();
        socket.set_linger(Some(Duration::ZERO)).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], port)).into()).ok()?;
        socket.connect_timeout(&desk.into(), s(2)).ok()?;
        Some(socket.into())
    })
    .expect("a connection from the trunk's port")
}

/// What came until the peer closed, or nothing came for a while; and whether it closed.
fn all_of(stream: &mut TcpStream) -> (String, bool) {
    stream.set_read_timeout(Some(ms(700))).unwrap();
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return (String::from_utf8_lossy(&bytes).into_owned(), true),
            Ok(n) => bytes.extend_from_slice(&piece[..n]),
            Err(error) => {
                let closed = error.kind() == std::io::ErrorKind::ConnectionReset;
                return (String::from_utf8_lossy(&bytes).into_owned(), closed);
            }
        }
    }
}

/// A request by stream; `length` are its lines of Content-Length.
fn framed(method: &str, n: u32, caller: &str, to: SocketAddr, length: &str, body: &str) -> String {
    format!(
        "{method} sip:0312340090@{to} SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:5999;branch=z9hG4bKf{n}{method};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:{caller}@{to}>;tag=f{n}\r\nTo: <sip:0312340090@{to}>\r\n\
         Call-ID: framed{n}{method}\r\nCSeq: 1 {method}\r\nContact: <sip:{caller}@127.0.0.1:5999;transport=tcp>\r\n\
         {length}\r\n{body}"
    )
}

#[test]
fn a_request_that_hides_in_another_on_a_trunks_connection_is_no_call() {
    let desk = Desk::start("desk.toml");
    let port = desk.trunk_port();
    let offer = sdp(9, &[0], "sendrecv");
    let plain = |n: usize| format!("Content-Length: {n}\r\n");
    let kind = "Content-Type: application/sdp\r\n";
    let invite = |n: u32| {
        let length = format!("{kind}{}", plain(offer.len()));
        framed("INVITE", n, "0366666666", desk.sip, &length, &offer)
    };
    // In the body of an OPTIONS; whoever disagrees with us on where that ends would see a call in it.
    let hidden = invite(1);
    let whole = hidden.len();
    let lies = [
        ("the body is a body", plain(whole), false),
        ("twice, and different", format!("{}{}", plain(0), plain(whole)), true),
        ("twice, the other way round", format!("{}{}", plain(whole), plain(0)), true),
        ("twice, once compact", format!("l: 0\r\n{}", plain(whole)), true),
        ("twice and alike", format!("{0}{0}", plain(whole)), true),
        ("a list", format!("Content-Length: 0, {whole}\r\n"), true),
        ("negative", "Content-Length: -1\r\n".into(), true),
        ("with a sign", format!("Content-Length: +{whole}\r\n"), true),
        ("hexadecimal", "Content-Length: 0x0\r\n".into(), true),
        ("folded", "Content-Length: 1\r\n 0\r\n".into(), true),
        ("2^31", "Content-Length: 2147483648\r\n".into(), true),
        ("2^63", "Content-Length: 9223372036854775808\r\n".into(), true),
        ("2^64", "Content-Length: 18446744073709551616\r\n".into(), true),
        ("none", String::new(), true),
        ("a name with a space", format!("Content-Length : 0\r\nContent-Length: {whole}\r\n"), true),
        ("a bare line feed", format!("X: a\nContent-Length: 0\r\n{}", plain(whole)), true),
        ("chunked, as in HTTP", format!("Transfer-Encoding: chunked\r\n{}", plain(whole)), false),
    ];
    for ((case, length, closes), n) in lies.into_iter().zip(100..) {
        let mut stream = trunk_connection(port, desk.sip);
        let text = framed("OPTIONS", n, "0311112222", desk.sip, &length, &hidden);
        stream.write_all(text.as_bytes()).unwrap();
        let (came, closed) = all_of(&mut stream);
        assert_eq!(closed, closes, "{case}: {came}");
        assert!(!came.contains("INVITE\r\n"), "{case}: {came}");
        assert_eq!(desk.calls().len(), 0, "{case}: {came}");
    }
    // The same INVITE behind an OPTIONS that ends where it says is one, and both are answered.
    let mut stream = trunk_connection(port, desk.sip);
    let text = framed("OPTIONS", 200, "0311112222", desk.sip, &plain(0), "") + &invite(2);
    stream.write_all(text.as_bytes()).unwrap();
    let (came, _) = all_of(&mut stream);
    assert!(came.contains("1 OPTIONS\r\n") && came.contains("1 INVITE\r\n"), "{came}");
    assert_eq!(desk.calls().len(), 1);
}

#[test]
fn a_datagram_that_lies_about_its_body_is_refused_and_the_next_call_works() {
    let desk = Desk::start("desk.toml");
    let offer = sdp(9, &[0], "sendrecv");
    let mut caller = Stranger::at(&format!("127.0.0.1:{}", desk.trunk_port()), desk.sip);
    for length in ["-1", "0, 0", "+9", "0x9", "2147483648", "9223372036854775808", "99999", "9 9"] {
        let mut said = caller.request("INVITE", "0312340090", "0311112222", "", &offer);
        let right = format!("Content-Length: {}\r\n", offer.len());
        assert!(said.text.contains(&right));
        said.text = said.text.replace(&right, &format!("Content-Length: {length}\r\n"));
        let answer = caller.ask(&said, s(2)).and_then(|answer| answer.status());
        assert_eq!(answer, Some(400), "Content-Length: {length}");
    }
    // Hostile descriptions of a session are refused before anything is opened for them.
    let lines = |line: &str, n: usize| offer.clone() + &line.repeat(n);
    for (case, body) in [
        ("1,000 m-lines", lines("m=audio 9 RTP/AVP 0\r\n", 1_000)),
        ("5,000 attributes", lines("a=x\r\n", 5_000)),
        ("payload type 300", offer.replace("RTP/AVP 0", "RTP/AVP 300")),
        ("port 70000", offer.replace("m=audio 9", "m=audio 70000")),
        ("crypto of nothing", offer.replace("RTP/AVP 0", "RTP/SAVP 0") + "a=crypto:\r\n"),
    ] {
        let said = caller.request("INVITE", "0312340090", "0311112222", "", &body);
        let answer = caller.ask(&said, s(2)).and_then(|answer| answer.status());
        assert!(answer.is_some_and(|status| (400..700).contains(&status)), "{case}: {answer:?}");
    }
    assert_eq!(desk.metric("madoguchi_media_ports"), 0.0);
    let mut line = Line::new(desk.trunk_port(), "0333334444", desk.sip);
    let (mut call, _) = line.connect("0312340090", &sdp(desk.ports.port(), &[0], "sendrecv"), s(3));
    line.bye(&mut call);
    assert_eq!(desk.outcome("0333334444"), "abandoned");
}
