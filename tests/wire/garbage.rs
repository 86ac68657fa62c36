//! Garbage of every kind on every port, while a caller listens to music: the caller notices nothing,
//! and nothing of it stays.

use crate::support::desk::{Desk, prompt};
use crate::support::ear::{Ear, head};
use crate::support::http;
use crate::support::line::{Call, Line};
use crate::support::message::sdp;
use crate::support::sound::{Law, Sound};
use crate::support::{eventually, ms, rest, s};
use crate::{answers, answers_soon};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

/// Numbers without rhyme, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.roll() % bound.max(1) as u64) as usize
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.below(most);
        (0..length).map(|_| self.roll() as u8).collect()
    }
}

/// A daemon with a caller in its queue who hears music.
struct Scene {
    desk: Desk,
    line: Line,
    call: Call,
    ear: Ear,
    media: u16,
    rss_kib: u64,
    descriptors: usize,
}

impl Scene {
    fn set() -> Self {
        let mut desk = Desk::start("desk.toml");
        let ear = Ear::new(desk.ports.port());
        let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
        let (call, media) =
            line.connect("0312340090", &sdp(ear.port(), &[0, 101], "sendrecv"), s(3));
        eventually("music", s(8), || ear.heard().holds(&prompt("music")).is_some());
        let (rss_kib, descriptors) = (desk.process().rss_kib(), desk.process().descriptors());
        Self { desk, line, call, ear, media, rss_kib, descriptors }
    }

    /// The caller still hears music, the desk still answers, and nothing was kept.
    #[track_caller]
    fn still_stands(mut self, after: &str) {
        answers_soon(&mut self.line, after);
        self.ear.forget();
        eventually("music still", s(8), || self.ear.heard().holds(&prompt("music")).is_some());
        assert_eq!(http::request(self.desk.http, "GET", "/healthz", None, "").unwrap().status, 200);
        assert_eq!(self.desk.calls().len(), 1, "{after} is no call");
        self.line.bye(&mut self.call);
        assert_eq!(self.desk.outcome("0311112222"), "abandoned");
        let grown = self.desk.process().rss_kib().saturating_sub(self.rss_kib);
        assert!(grown < 64 * 1024, "{after} left {grown} KiB");
        let before = self.descriptors;
        eventually("all descriptors are given back", s(40), || {
            self.desk.process().descriptors() <= before
        });
        assert!(
            !self.desk.process().printed().contains("panicked"),
            "{}",
            self.desk.process().printed()
        );
        self.desk.at_rest(s(3));
    }
}

fn valid(to: SocketAddr, n: u64) -> String {
    let body = sdp(9, &[0, 101], "sendrecv");
    format!(
        "INVITE sip:0312340010@{to} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKg{n};rport\r\nMax-Forwards: 70\r\n\
         From: \"A\" <sip:0300000000@{to}>;tag=g{n}\r\nTo: <sip:0312340010@{to}>\r\nCall-ID: g{n}@127.0.0.1\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:a@127.0.0.1:9>\r\nAuthorization: Digest username=\"6001\", realm=\"desk.example\", nonce=\"x\", uri=\"sip:a\", response=\"0\"\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A message with something broken: bytes flipped, cut, doubled, or a header grown.
fn broken(dice: &mut Dice, to: SocketAddr, n: u64) -> Vec<u8> {
    let mut bytes = valid(to, n).into_bytes();
    match n % 6 {
        0 => {
            for _ in 0..=dice.below(8) {
                let at = dice.below(bytes.len());
                bytes[at] = dice.roll() as u8;
            }
        }
        1 => bytes.truncate(dice.below(bytes.len())),
        2 => {
            let at = dice.below(bytes.len());
            let copy = bytes[at..].to_vec();
            bytes.extend_from_slice(&copy);
        }
        3 => {
            let headers =
                "Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKx\r\n".repeat(dice.below(1200));
            let at = bytes.windows(2).position(|w| w == b"\r\n").unwrap() + 2;
            bytes.splice(at..at, headers.into_bytes());
        }
        4 => {
            let at = bytes.windows(6).position(|w| w == b"a=ptim").unwrap();
            let lines = "m=audio 0 RTP/AVP 0\r\n".repeat(dice.below(900));
            bytes.splice(at..at, lines.into_bytes());
        }
        _ => {
            let value = b"9".repeat(dice.below(20_000));
            let at = bytes.windows(6).position(|w| w == b"CSeq: ").unwrap() + 6;
            bytes.splice(at..at, value);
        }
    }
    bytes.truncate(65_000);
    bytes
}

#[test]
fn garbage_in_datagrams_disturbs_nobody() {
    let scene = Scene::set();
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut dice = Dice(0x1234_5678_9ABC_DEF1);
    for n in 0..3000 {
        let bytes = match n % 4 {
            0 => dice.bytes(1500),
            1 => [b"".as_slice(), b"\r\n\r\n", b"\0", b"INVITE", b"SIP/2.0 200 OK\r\n\r\n"]
                [dice.below(5)]
            .to_vec(),
            _ => broken(&mut dice, scene.desk.sip, n),
        };
        let _ = stranger.send_to(&bytes, scene.desk.sip);
        if n % 50 == 0 {
            rest(5);
        }
    }
    let _ = stranger.send_to(&vec![b'A'; 65_500], scene.desk.sip);
    scene.still_stands("3,000 broken datagrams");
}

#[test]
fn garbage_on_connections_disturbs_nobody() {
    let scene = Scene::set();
    let mut dice = Dice(0x0F0E_0D0C_0B0A_0901);
    let mut idle = Vec::new();
    for n in 0..120u64 {
        let Ok(mut stream) = TcpStream::connect(scene.desk.sip) else { continue };
        let bytes = match n % 3 {
            0 => dice.bytes(5000),
            1 => broken(&mut dice, scene.desk.sip, n),
            _ => valid(scene.desk.sip, n).into_bytes()[..100].to_vec(),
        };
        let _ = stream.write_all(&bytes);
        // A third stays open and silent, as a slow or dead peer does.
        if n % 3 == 2 {
            idle.push(stream);
        }
    }
    // One that never ends its head, and one whose body is said to be larger than any.
    for text in [
        "INVITE sip:a SIP/2.0\r\n".to_owned() + &"X: y\r\n".repeat(400_000),
        valid(scene.desk.sip, 1).replace("Content-Length: ", "Content-Length: 99999"),
    ] {
        let mut stream = TcpStream::connect(scene.desk.sip).unwrap();
        stream.set_write_timeout(Some(s(2))).unwrap();
        let _ = stream.write_all(text.as_bytes());
        stream.set_read_timeout(Some(s(5))).unwrap();
        let mut rest = Vec::new();
        let ended = stream.read_to_end(&mut rest);
        assert!(
            ended.is_ok() || ended.is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionReset),
            "the connection is closed at the bound"
        );
    }
    drop(idle);
    scene.still_stands("garbage on 122 connections");
}

#[test]
fn many_idle_connections_keep_nobody_out() {
    let scene = Scene::set();
    let idle: Vec<TcpStream> =
        (0..300).filter_map(|_| TcpStream::connect(scene.desk.sip).ok()).collect();
    let pages: Vec<TcpStream> =
        (0..100).filter_map(|_| TcpStream::connect(scene.desk.http).ok()).collect();
    let mut line = Line::new(scene.desk.trunk_port(), "0333334444", scene.desk.sip);
    answers(&mut line, "400 idle connections");
    let answer = http::request(scene.desk.http, "GET", "/healthz", None, "").unwrap();
    assert_eq!(answer.status, 200);
    drop((idle, pages));
    scene.still_stands("400 idle connections");
}

#[test]
fn garbage_at_the_web_page_disturbs_nobody() {
    let scene = Scene::set();
    let mut dice = Dice(0x5555_AAAA_1234_4321);
    let to = scene.desk.http;
    for n in 0..200u64 {
        let Ok(mut stream) = TcpStream::connect(to) else { continue };
        let bytes = match n % 4 {
            0 => dice.bytes(3000),
            1 => format!("GET /api/v1/calls HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "y".repeat(dice.below(60_000))).into_bytes(),
            2 => b"POST /api/v1/agents/6001/sign-in HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n".to_vec(),
            _ => b"GET / HTTP/1.1\r\n".to_vec(),
        };
        let _ = stream.write_all(&bytes);
    }
    // Nobody without the token learns or changes anything.
    for (method, path) in [
        ("GET", "/api/v1/calls"),
        ("GET", "/api/v1/agents"),
        ("GET", "/api/v1/service-level"),
        ("GET", "/api/v1/operating"),
        ("GET", "/metrics"),
        ("POST", "/api/v1/agents/6002/sign-in"),
    ] {
        for token in [None, Some(""), Some("wrong"), Some("0123456789abcdef0123456789abcdef")] {
            let answer = http::request(to, method, path, token, "").unwrap();
            assert_eq!(answer.status, 401, "{method} {path} with {token:?}: {}", answer.body);
        }
    }
    for path in [
        "/../secrets/http-token",
        "/%2e%2e/secrets/http-token",
        "//etc/passwd",
        "/api/v1/calls/0",
        "/api/v1/calls/%00",
    ] {
        let answer = http::request(to, "GET", path, None, "").unwrap();
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
    }
    let big =
        http::request(to, "POST", "/api/v1/agents/6002/sign-in", None, &"x".repeat(3_000_000));
    assert!(big.is_err() || big.is_ok_and(|a| (400..500).contains(&a.status)));
    scene.still_stands("garbage at the web page");
}

#[test]
fn garbage_at_a_media_port_disturbs_nobody() {
    let scene = Scene::set();
    let mut dice = Dice(0x7777_0123_4567_89AB);
    // As any phone does, the caller's speaks from the beginning: its address is proved.
    scene.ear.say(&Sound::voice(5, 60), Law::Mu, scene.media);
    rest(300);
    let to = SocketAddr::from(([127, 0, 0, 1], scene.media));
    let rtcp = SocketAddr::from(([127, 0, 0, 1], scene.media + 1));
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    for n in 0..4000u32 {
        let bytes = match n % 6 {
            0 => dice.bytes(1500),
            1 => head(101, true, n as u16, n, 1),
            2 => [head(101, true, n as u16, n, 1), vec![250, 0xFF, 0xFF]].concat(),
            3 => [head(0, false, n as u16, n * 160, 1), dice.bytes(2000)].concat(),
            4 => [vec![0xBF, 0x80], dice.bytes(80)].concat(),
            _ => Vec::new(),
        };
        let _ = stranger.send_to(&bytes, if n % 7 == 0 { rtcp } else { to });
        if n % 100 == 0 {
            rest(5);
        }
    }
    rest(100);
    let stolen = {
        stranger.set_read_timeout(Some(ms(300))).unwrap();
        let mut buffer = [0u8; 2048];
        stranger.recv_from(&mut buffer).is_ok()
    };
    assert!(!stolen, "the stranger gets no audio");
    scene.still_stands("garbage at a media port");
}

#[test]
fn connections_reset_at_any_instant_leave_nothing() {
    let scene = Scene::set();
    let mut dice = Dice(0x2468_ACE0_1357_9BDF);
    for n in 0..100u64 {
        let Ok(mut stream) = TcpStream::connect(scene.desk.sip) else { continue };
        let text = valid(scene.desk.sip, n);
        let _ = stream.write_all(&text.as_bytes()[..dice.below(text.len())]);
        if n % 2 == 0 {
            std::thread::sleep(Duration::from_micros(dice.below(3000) as u64));
        }
        // Closing with unread data pending makes the kernel send a reset.
        drop(stream);
    }
    scene.still_stands("100 connections cut off");
}
