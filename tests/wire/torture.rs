//! Every torture message over UDP and over TCP; what is due stands in tests/torture/due.tsv.

use crate::answers;
use crate::support::desk::Desk;
use crate::support::line::Line;
use crate::support::message::Message;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long nothing must come where nothing is due.
const SILENCE: Duration = Duration::from_millis(300);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);

struct Case {
    name: String,
    bytes: Vec<u8>,
    udp: String,
    tcp: String,
}

fn cases() -> Vec<Case> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/torture");
    let table = std::fs::read_to_string(folder.join("due.tsv")).unwrap();
    let cases: Vec<Case> = table
        .lines()
        .skip(1)
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            Case {
                name: columns[0].to_owned(),
                bytes: std::fs::read(folder.join(format!("{}.dat", columns[0]))).unwrap(),
                udp: columns[3].to_owned(),
                tcp: columns[4].to_owned(),
            }
        })
        .collect();
    assert_eq!(cases.len(), 61, "49 of RFC 4475 and 12 of RFC 5118");
    cases
}

/// Where an answer may come: to the socket the message came from, or to the port in its Via when that
/// has no rport (RFC 3261 §18.2.2).
fn sockets(cases: &[Case]) -> Vec<UdpSocket> {
    let mut ports = BTreeSet::from([5060]);
    for case in cases {
        let text = String::from_utf8_lossy(&case.bytes).into_owned();
        for word in text.split([' ', ';', ',', '\r', '\n']) {
            if let Some((_, port)) = word.rsplit_once(':') {
                ports.extend(port.parse::<u16>().ok().filter(|p| (1025..=9999).contains(p)));
            }
        }
    }
    let mut sockets = vec![UdpSocket::bind("127.0.0.1:0").unwrap()];
    // One that is taken by another program on this machine is done without.
    sockets.extend(ports.into_iter().filter_map(|port| UdpSocket::bind(("127.0.0.1", port)).ok()));
    for socket in &sockets {
        socket.set_nonblocking(true).unwrap();
    }
    sockets
}

/// The first status other than 100 that comes to any of the sockets.
fn status(sockets: &[UdpSocket], within: Duration) -> Option<u16> {
    let until = Instant::now() + within;
    let mut buffer = [0u8; 65_536];
    while Instant::now() < until {
        for socket in sockets {
            if let Ok((length, _)) = socket.recv_from(&mut buffer) {
                let message = Message::read(&buffer[..length]).expect("what the desk sends is SIP");
                if let Some(status) = message.status().filter(|s| *s != 100) {
                    return Some(status);
                }
            }
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    None
}

/// A complaint when what came is not what is due.
fn judge(case: &str, due: &str, came: Option<u16>) -> Option<String> {
    let fits = match came {
        None => due == "none",
        Some(status) => due.split('|').any(|d| d.parse() == Ok(status)),
    };
    (!fits).then(|| format!("{case}: {due} due, {came:?} came"))
}

#[test]
fn every_torture_message_in_a_datagram_gets_what_is_due() {
    let mut desk = Desk::start("desk.toml");
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let cases = cases();
    let sockets = sockets(&cases);
    let mut wrong = Vec::new();
    for case in &cases {
        while status(&sockets, Duration::from_millis(1)).is_some() {}
        sockets[0].send_to(&case.bytes, desk.sip).unwrap();
        let within = if case.udp == "none" { SILENCE } else { PATIENCE };
        wrong.extend(judge(&case.name, &case.udp, status(&sockets, within)));
        answers(&mut line, &case.name);
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(desk.calls().is_empty(), "a stranger's message is no call: {:?}", desk.calls());
    assert!(!desk.process().printed().contains("panicked"), "{}", desk.process().printed());
}

/// The first status other than 100, and whether the desk closed the connection.
fn answer_on(stream: &mut TcpStream, within: Duration) -> (Option<u16>, bool) {
    let until = Instant::now() + within;
    let mut bytes: Vec<u8> = Vec::new();
    let mut piece = [0u8; 4096];
    let mut first = None;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return (first, false);
        }
        stream.set_read_timeout(Some(left.max(Duration::from_millis(1)))).unwrap();
        match stream.read(&mut piece) {
            Ok(0) => return (first, true),
            Ok(n) => bytes.extend_from_slice(&piece[..n]),
            Err(e)
                if matches!(
                    e.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                ) =>
            {
                return (first, false);
            }
            Err(_) => return (first, true),
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let mut statuses =
            text.lines().filter_map(|l| l.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok());
        first = statuses.find(|s| *s != 100);
        if first.is_some() && within == PATIENCE {
            return (first, false);
        }
    }
}

#[test]
fn every_torture_message_on_a_connection_gets_what_is_due() {
    let mut desk = Desk::start("desk.toml");
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let cases = cases();
    let mut wrong = Vec::new();
    for case in &cases {
        let (due, close) = match case.tcp.strip_suffix("+close") {
            Some(due) => (due, true),
            None => (case.tcp.as_str(), false),
        };
        let mut stream = TcpStream::connect(desk.sip).unwrap();
        stream.write_all(&case.bytes).unwrap();
        let within = if due == "none" { SILENCE } else { PATIENCE };
        let (came, closed) = answer_on(&mut stream, within);
        wrong.extend(judge(&case.name, due, came));
        if close && !closed && !answer_on(&mut stream, Duration::from_millis(1500)).1 {
            wrong.push(format!("{}: the connection stays open", case.name));
        }
        answers(&mut line, &case.name);
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(desk.calls().is_empty(), "a stranger's message is no call: {:?}", desk.calls());
    assert!(!desk.process().printed().contains("panicked"), "{}", desk.process().printed());
}
