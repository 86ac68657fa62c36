//! Crowds of connections: silent ones, slow ones, and such that are reset in the middle of a call.

use crate::support::desk::{Desk, Setup};
use crate::support::line::Line;
use crate::support::message::sdp;
use crate::support::{ms, poll, rest, s};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Connections in each test run; by scripts/idle 10,000.
const CONNECTIONS: u32 = 800;
/// Calls a second meanwhile.
const CALLS: u32 = 10;

fn asked(name: &str, default: u32) -> u32 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A connection from this address; none when it is not let in.
fn connection(from: Ipv4Addr, to: SocketAddr) -> Option<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).ok()?;
    socket.bind(&SocketAddr::from((from, 0)).into()).ok()?;
    socket.connect_timeout(&to.into(), s(2)).ok()?;
    Some(socket.into())
}

/// Opens them from a hundred addresses: silent by TCP and by TLS, half a ClientHello, half a request of a
/// WebSocket's, and the beginning of a SIP head.
fn crowd(desk: &Desk, many: u32) -> Vec<TcpStream> {
    let [tls, ws, _] = desk.secure;
    let kinds: [(SocketAddr, &[u8]); 5] = [
        (desk.sip, b""),
        (tls, b""),
        (tls, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"),
        (ws, b"GET / HTTP/1.1\r\nHost: x\r\n"),
        (desk.sip, b"REGISTER sip:desk.example SIP/2.0\r\nX: "),
    ];
    let mut held = Vec::new();
    for n in 0..many {
        let from = Ipv4Addr::new(127, 0, 1, 1 + (n / 5 % 100) as u8);
        let (to, said) = kinds[n as usize % kinds.len()];
        if let Some(mut stream) = connection(from, to) {
            let _ = stream.write_all(said);
            held.push(stream);
        }
    }
    held
}

#[test]
fn calls_go_on_beside_silent_and_slow_connections() {
    let (many, seconds) =
        (asked("MADOGUCHI_IDLE_CONNECTIONS", CONNECTIONS), asked("MADOGUCHI_IDLE_SECONDS", 4));
    // On a busy machine the daemon itself may wait for its turn: that is not what is tried here.
    let more = if many > CONNECTIONS { "" } else { "[limits]\nqueue_delay_ms = 2000\n" };
    let mut desk = Desk::with(&Setup { secure: true, more, ..Setup::default() });
    let before_kib = desk.process().rss_kib();
    let held = crowd(&desk, many);
    let stop = Arc::new(AtomicBool::new(false));
    let slow = {
        let (stop, mut held) = (stop.clone(), held);
        std::thread::spawn(move || {
            // One byte a second, which never ends a line.
            while !stop.load(Ordering::Relaxed) {
                for stream in held.iter_mut().skip(4).step_by(5) {
                    let _ = stream.write_all(b"y");
                }
                std::thread::sleep(Duration::from_secs(1));
            }
            held.len()
        })
    };
    let total = seconds * CALLS;
    let job = desk.caller("0312340070").set("STAY", 300).calls(total, CALLS);
    let callers = job.within(s(u64::from(seconds) + 40)).start();
    let good = || callers.calls().values().filter(|call| call.has("hung_up")).count() as u32;
    let _ = poll(s(u64::from(seconds) + 35), || (good() == total).then_some(()));
    stop.store(true, Ordering::Relaxed);
    let (opened, failed) = (slow.join().unwrap(), total - good());
    let grown = desk.process().rss_kib().saturating_sub(before_kib);
    println!("{opened} connections; {failed} of {total} calls failed; memory +{grown} KiB");
    assert!(opened as u32 >= many * 9 / 10, "{opened} of {many}");
    assert!(
        failed * 100 < total.max(100),
        "{failed} of {total} failed: {:#?}",
        callers.stop().calls
    );
    assert!(grown < 128 * 1024, "memory: +{grown} KiB");
    desk.at_rest(s(10));
}

/// Numbers without rhyme, the same in every run.
fn dice() -> impl FnMut(u64) -> u64 {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) % below
    }
}

/// What is held for calls and connections.
const HELD: &[&str] = &[
    "madoguchi_engine_legs",
    "madoguchi_engine_calls",
    "madoguchi_sip_transactions",
    "madoguchi_media_ports",
    "madoguchi_calls_waiting",
    "madoguchi_calls_open",
    "madoguchi_channels_in_use",
];

/// An agent's phone that rings until it is told to stop.
fn rings(mut phone: Line, stop: &AtomicBool) {
    let mut ringing = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let Some(message) = phone.next(ms(50)) else { continue };
        let to = format!("{};tag=rings", message.must("To"));
        match message.method() {
            Some("INVITE") => {
                phone.reply(&message, 180, &to, "");
                ringing.push(message);
            }
            Some("CANCEL") => {
                phone.reply(&message, 200, &to, "");
                let id = message.header("Call-ID");
                for invite in ringing.iter().filter(|invite| invite.header("Call-ID") == id) {
                    phone.reply(invite, 487, &to, "");
                }
            }
            _ => {}
        }
    }
}

#[test]
fn calls_whose_connections_are_reset_at_any_instant_leave_nothing() {
    let far = "[[trunks]]\nname = \"far\"\nsources = [\"127.0.0.9\"]\n";
    let mut desk = Desk::with(&Setup { more: far, ..Setup::default() });
    // What the first call opens for all that follow.
    let mut first = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let (mut call, _) = first.connect("0312340091", &sdp(9, &[0, 101], "sendrecv"), s(5));
    drop(connection(Ipv4Addr::new(127, 0, 0, 9), desk.sip));
    let descriptors = desk.process().descriptors();
    first.bye(&mut call);
    let stop = Arc::new(AtomicBool::new(false));
    let phone = Line::new(desk.fixed_port(201), "201", desk.sip);
    let agent = {
        let stop = stop.clone();
        std::thread::spawn(move || rings(phone, &stop))
    };
    let mut roll = dice();
    let offer = sdp(9, &[0, 101], "sendrecv");
    // Rings, waits with music, a menu, an announcement to its end.
    let numbers = ["0312340010", "0312340091", "0312340050", "0312340070"];
    let mut spoke = 0;
    for n in 0..80 {
        let mut stream = connection(Ipv4Addr::new(127, 0, 0, 9), desk.sip).expect("a connection");
        let (here, to) = (stream.local_addr().unwrap(), numbers[n % numbers.len()]);
        let text = format!(
            "INVITE sip:{to}@{desk} SIP/2.0\r\nVia: SIP/2.0/TCP {here};branch=z9hG4bKr{n};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:03000000{n:02}@{here}>;tag=r{n}\r\nTo: <sip:{to}@{desk}>\r\nCall-ID: reset{n}\r\n\
             CSeq: 1 INVITE\r\nContact: <sip:a@{here};transport=tcp>\r\nContent-Type: application/sdp\r\n\
             Content-Length: {}\r\n\r\n{offer}",
            offer.len(),
            desk = desk.sip,
        );
        stream.write_all(text.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_micros(roll(120_000)));
        stream.set_nonblocking(true).unwrap();
        spoke += usize::from(stream.read(&mut [0; 2048]).is_ok_and(|length| length > 0));
        // A reset, in the middle of whatever it is.
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    }
    assert!(spoke >= 5, "some came as far as to be answered: {spoke}");
    assert!(desk.calls().len() >= 5, "and were calls: {}", desk.calls().len());
    let held = || HELD.iter().map(|name| (*name, desk.metric(name))).collect::<Vec<_>>();
    // 64·T1 (RFC 3261 §17.1.1.1) and five seconds.
    let rests = poll(s(37), || held().iter().all(|(_, value)| *value == 0.0).then_some(()));
    assert!(rests.is_some(), "{:?}", held());
    stop.store(true, Ordering::Relaxed);
    agent.join().unwrap();
    for call in desk.calls() {
        assert_eq!(call["state"], "ended", "{call}");
        assert!(call["outcome"].is_string(), "{call}");
    }
    rest(100);
    assert!(!desk.log().contains("panicked"), "{}", desk.log());
    // Ports that are bound ahead, and pages that were asked just now, come and go; one kept by each call
    // or connection would be more than these.
    let most = descriptors + 4;
    let given_back = poll(s(10), || (desk.process().descriptors() <= most).then_some(()));
    if given_back.is_none() {
        let folder = format!("/proc/{}/fd", desk.process().pid());
        let open = std::fs::read_dir(folder).unwrap().flatten();
        let open: Vec<_> = open.filter_map(|entry| std::fs::read_link(entry.path()).ok()).collect();
        panic!("{descriptors} descriptors before, now {}: {open:#?}", open.len());
    }
}
