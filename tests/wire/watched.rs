//! What passes on the wire, seen by those who look: the command, the ladder, the capture file read by
//! tshark, the collector's copy read by sngrep. No number and no password is shown to who did not ask.

use crate::support::capture::{dissected, sip, sound};
use crate::support::desk::{Desk, Setup, binary, password};
use crate::support::line::Line;
use crate::support::process::{Dir, Process};
use crate::support::{COMES_UP, eventually, poll, rest, s};
use std::collections::BTreeSet;
use std::net::{TcpListener, UdpSocket};

/// One answered call over UDP at a caller's number of our choice; its id.
#[track_caller]
fn one_call(desk: &Desk, from: &str) -> String {
    let agent = desk.agent("agent", 201).set("RING", 100).start();
    desk.caller("0312340010").set("FROM", from).set("STAY", 300).start().done();
    agent.done();
    desk.over(&format!("{from}1"))["call"].as_str().expect("an id").to_owned()
}

#[test]
fn a_call_is_seen_as_a_ladder_and_as_a_capture_that_tshark_reads() {
    let desk = Desk::start("desk.toml");
    let call = one_call(&desk, "039876543");
    let ladder = sip(&desk, &["ladder", &call]);
    let order = ["INVITE SDP", "100 Trying", "200 OK SDP", "ACK", "BYE", "200 OK (BYE)"];
    let mut rest = ladder.as_str();
    for step in order {
        let at = rest.find(step).unwrap_or_else(|| panic!("{step} is not in its place:\n{ladder}"));
        rest = &rest[at + step.len()..];
    }
    assert!(!ladder.contains("0398765431"), "a number is shown:\n{ladder}");
    let revealed = sip(&desk, &["ladder", &call, "--reveal", "numbers"]);
    assert!(revealed.contains("0398765431"), "{revealed}");

    let file = desk.dir().file("call.pcap");
    sip(&desk, &["pcap", &call, &file.display().to_string()]);
    sound(&file);
    let rows =
        dissected(&file, &["sip.Call-ID", "sip.CSeq.method", "sip.from.user", "udp.dstport"]);
    let arrows = ladder.lines().filter(|line| line.contains("->|") || line.contains("|<-"));
    assert_eq!(rows.len(), arrows.count(), "{rows:?}\n{ladder}");
    let legs: BTreeSet<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(legs.len(), 2, "the caller's and the agent's: {rows:?}");
    assert!(rows.iter().all(|row| row[2].starts_with('n')), "pseudonyms: {rows:?}");
    let port = desk.sip.port().to_string();
    assert!(rows.iter().any(|row| row[3] == port), "{rows:?}");

    let page = desk.dir().file("ladder.html");
    sip(&desk, &["ladder", &call, "--html", &page.display().to_string()]);
    let html = std::fs::read_to_string(page).expect("a page");
    assert!(html.contains("<svg") && !html.contains("<script") && !html.contains("0398765431"));
}

#[test]
fn a_streams_messages_are_a_stream_in_the_capture() {
    let desk = Desk::start("desk.toml");
    let agent = desk.agent("agent", 201).set("RING", 100).start();
    let caller = desk.caller("0312340010").set("FROM", "03111").tcp().set("STAY", 300);
    caller.start().done();
    agent.done();
    let call = desk.over("031111")["call"].as_str().expect("an id").to_owned();
    let file = desk.dir().file("call.pcap");
    sip(&desk, &["pcap", &call, &file.display().to_string()]);
    sound(&file);
    let rows = dissected(&file, &["sip.CSeq.method", "tcp.stream"]);
    let streamed: Vec<&str> =
        rows.iter().filter(|row| !row[1].is_empty()).map(|row| row[0].as_str()).collect();
    let count = |method| streamed.iter().filter(|found| **found == method).count();
    assert!(count("INVITE") >= 3 && count("ACK") == 1 && count("BYE") == 2, "{rows:?}");
}

#[test]
fn the_live_trace_shows_a_registration_without_its_password() {
    let desk = Desk::start("desk.toml");
    let config = desk.dir().file("madoguchi.toml").display().to_string();
    let log = desk.dir().file("live.log");
    let argv = [&binary(), "sip", "--config", &config, "--method", "REGISTER", "--full"];
    let argv: Vec<String> = argv.into_iter().map(str::to_owned).collect();
    let live = Process::start("madoguchi sip", &argv, desk.dir().path(), log);
    rest(500); // it has no sign of its own that it listens
    Line::new(desk.ports.port(), "6001", desk.sip).register(&password("6001"), 600);
    eventually("the registration is shown", s(5), || live.printed().contains("200 OK (REGISTER)"));
    let shown = live.printed();
    assert!(shown.contains("response=\"***\"") && shown.contains("401 "), "{shown}");
    for secret in [password("6001"), "6001".to_owned()] {
        assert!(!shown.contains(&secret), "{secret} in\n{shown}");
    }
    drop(live);
    let kept = desk.metric("madoguchi_trace_messages");
    assert!(kept >= 4.0, "{kept} messages kept");
}

#[test]
fn a_collector_gets_every_message_by_datagram_and_sngrep_reads_them() {
    let port = UdpSocket::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    // The collector stands before the desk does: the port is free for no longer than it takes, and it
    // opens its file only once it is ready to be sent something.
    let held = Dir::new("collector");
    let file = held.file("sngrep.pcap");
    let listen = format!("udp:127.0.0.1:{port}");
    let out = file.display().to_string();
    let argv = ["sngrep", "-N", "-q", "-L", &listen, "-O", &out].map(str::to_owned);
    let mut sngrep = Process::start("sngrep", &argv, held.path(), held.file("sngrep.log"));
    eventually("sngrep listens", COMES_UP, || file.exists());
    let more = format!("[trace]\nhep = \"udp:127.0.0.1:{port}\"\nhep_node = 7\n");
    let desk = Desk::with(&Setup { more: &more, ..Setup::default() });
    one_call(&desk, "039876543");
    let sent = || desk.metric("madoguchi_trace_exported_total");
    eventually("all is sent", s(5), || sent() >= 13.0);
    let mut seen = 0;
    let rows = poll(s(15), || {
        let rows = dissected(&file, &["sip.CSeq.method", "sip.from.user"]);
        seen = rows.len();
        (seen >= 13).then_some(rows)
    });
    let rows = rows.unwrap_or_else(|| {
        let ended = sngrep.ended();
        panic!("sngrep has {seen} of {} (ended: {ended:?}):\n{}", sent(), sngrep.printed())
    });
    assert!(rows.iter().any(|row| row[0] == "BYE"), "{rows:?}");
    assert!(rows.iter().all(|row| row[1].starts_with('n')), "pseudonyms: {rows:?}");
}

#[test]
fn a_collector_by_stream_that_comes_late_gets_what_waited() {
    let held = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = held.local_addr().expect("bound");
    drop(held);
    let more = format!("[trace]\nhep = \"tcp:{address}\"\n");
    let desk = Desk::with(&Setup { more: &more, ..Setup::default() });
    let call = one_call(&desk, "039876543");
    let listener = TcpListener::bind(address).expect("the same port again");
    let (mut stream, _) = listener.accept().expect("the desk tries again");
    use std::io::Read as _;
    stream.set_read_timeout(Some(s(5))).expect("a time");
    let (mut seen, mut correlated) = (0, 0);
    while seen < 13 {
        let mut head = [0; 6];
        stream.read_exact(&mut head).unwrap_or_else(|error| panic!("{seen} packets, then {error}"));
        assert_eq!(&head[..4], b"HEP3");
        let mut packet = vec![0; usize::from(u16::from_be_bytes([head[4], head[5]])) - 6];
        stream.read_exact(&mut packet).expect("a whole packet");
        let text = String::from_utf8_lossy(&packet);
        assert!(!text.contains("0398765431"), "{text}");
        correlated += usize::from(text.contains(&call));
        seen += 1;
    }
    assert_eq!(correlated, seen, "each is marked with its call");
}
