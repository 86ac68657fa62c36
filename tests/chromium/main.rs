//! A browser on the way of its sound: Chromium checks it by ICE, agrees on keys by DTLS and speaks SRTP, with
//! the rooms `ice`, `dtls` and `srtp` on the other side and nothing between.
#![allow(clippy::pedantic)]

use madoguchi::base::{Mono, Rng};
use madoguchi::dtls::{Handshake, Identity, Output, Role, is_dtls};
use madoguchi::ice::{Candidate, Credentials, Lite, is_stun};
use madoguchi::srtp::{MOST_OVERHEAD_BYTES, Opener, Sealer, Suite};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

struct Browser {
    child: Child,
    profile: std::path::PathBuf,
}

impl Browser {
    fn open(url: &str) -> Self {
        let profile =
            std::env::temp_dir().join(format!("madoguchi-chromium-{}", std::process::id()));
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "chromium", "--headless=new", "--no-sandbox"])
            .args(["--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update"])
            // Without a person there is no gesture; the way is this machine's loopback.
            .args([
                "--autoplay-policy=no-user-gesture-required",
                "--allow-loopback-in-peer-connection",
            ])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromium");
        Self { child, profile }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

/// What the page says: its offer, which wants an answer, or a line.
enum Said {
    Offer(String, Sender<String>),
    Line(String),
}

fn request(mut stream: TcpStream, say: &Sender<Said>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).ok()?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).ok()?;
    let (kind, answer) = match first.split(' ').nth(1)? {
        "/" => ("text/html", include_str!("page.html").to_owned()),
        "/offer" => {
            let (answer, wait) = channel();
            say.send(Said::Offer(body, answer)).ok()?;
            ("application/sdp", wait.recv().ok()?)
        }
        "/tell" => {
            say.send(Said::Line(body)).ok()?;
            ("text/plain", String::new())
        }
        _ => return None, // an icon
    };
    let length = answer.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(answer.as_bytes()).ok()
}

fn page() -> (String, Receiver<Said>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (say, said) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let say = say.clone();
            std::thread::spawn(move || request(stream, &say));
        }
    });
    (url, said)
}

fn value<'a>(sdp: &'a str, name: &str) -> &'a str {
    let lines = || sdp.lines().map(str::trim_end);
    lines()
        .find_map(|line| line.strip_prefix(name))
        .unwrap_or_else(|| panic!("no {name} in\n{sdp}"))
}

#[test]
fn chromium_checks_the_way_agrees_on_keys_and_is_heard_and_hears() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let here = socket.local_addr().unwrap();
    let (url, said) = page();
    let _browser = Browser::open(&url);

    let origin = Instant::now();
    let now = || Mono(u64::try_from(origin.elapsed().as_micros()).unwrap());
    let identity = Identity::new(origin).unwrap();
    let Ok(Said::Offer(offer, answer)) = said.recv_timeout(Duration::from_secs(60)) else {
        panic!("chromium made no offer")
    };
    let theirs = Credentials::parse(value(&offer, "a=ice-ufrag:"), value(&offer, "a=ice-pwd:"));
    let mut lite = Lite::new(Credentials::draw(&mut Rng::from_number(u64::from(here.port()))));
    lite.set_theirs(&theirs.unwrap());
    let expected = vec![value(&offer, "a=fingerprint:").parse().unwrap()];
    let mut out = Vec::new();
    let suites = [Suite::Aes128Gcm, Suite::Aes128Cm80];
    let mut handshake =
        Handshake::begin(&identity, Role::Server, expected, &suites, now(), &mut out);
    let (port, ip) = (here.port(), here.ip());
    let lines = [
        "v=0".to_owned(),
        format!("o=- 1 1 IN IP4 {ip}"),
        "s=-".to_owned(),
        "t=0 0".to_owned(),
        "a=ice-lite".to_owned(),
        format!("m=audio {port} UDP/TLS/RTP/SAVPF 0"),
        format!("c=IN IP4 {ip}"),
        format!("a=mid:{}", value(&offer, "a=mid:")),
        "a=rtpmap:0 PCMU/8000".to_owned(),
        "a=rtcp-mux".to_owned(),
        "a=sendrecv".to_owned(),
        format!("a=ice-ufrag:{}", lite.ours().fragment()),
        format!("a=ice-pwd:{}", lite.ours().password()),
        format!("a=candidate:{}", Candidate::host(1, here)),
        format!("a=fingerprint:{}", identity.fingerprint()),
        "a=setup:passive".to_owned(),
        String::new(),
    ];
    answer.send(lines.join("\r\n")).unwrap();

    let (mut keys, mut heard, mut reports, mut sent) = (None, 0_u32, 0_u32, 0_u16);
    let (mut connected, mut hears, mut suite, mut agreed) = (false, 0_u32, String::new(), None);
    let mut buffer = [0; 2048];
    socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let until = Instant::now() + Duration::from_secs(40);
    while Instant::now() < until && !(connected && heard > 100 && hears > 50 && reports > 0) {
        if let Ok((length, from)) = socket.recv_from(&mut buffer) {
            if is_stun(&buffer[..length]) {
                if let Some(answer) = lite.datagram(&buffer[..length], from, now()).answer {
                    socket.send_to(&answer, from).unwrap();
                }
            } else if is_dtls(&buffer[..length]) {
                assert!(lite.is_peers(from));
                handshake.datagram(&buffer[..length], now(), &mut out);
            } else if let Some((_, opener)) = &mut keys {
                let opener: &mut Opener = opener;
                if (192..=223).contains(&buffer[1]) {
                    opener.open_rtcp(&mut buffer, length).expect("RTCP of Chromium's");
                    reports += 1;
                } else {
                    let inner = opener.open_rtp(&mut buffer, length).expect("RTP of Chromium's");
                    assert_eq!(buffer[1] & 0x7f, 0, "PCMU");
                    assert!(inner >= 172, "{inner} bytes");
                    heard += 1;
                }
            }
        }
        handshake.tick(now(), &mut out);
        for output in out.drain(..) {
            match output {
                Output::Send(datagram) => {
                    let to = lite.way().expect("it checks before it shakes hands");
                    socket.send_to(&datagram, to).unwrap();
                }
                Output::Keys(made) => {
                    agreed = Some(made.ours.suite());
                    keys = Some((Sealer::new(&made.ours), Opener::new(&made.theirs)));
                }
                other => panic!("{other:?}"),
            }
        }
        if let (Some((sealer, _)), Some(to)) = (&mut keys, lite.way()) {
            let mut packet = [0xff_u8; 172 + MOST_OVERHEAD_BYTES];
            packet[..2].copy_from_slice(&[0x80, 0]);
            packet[2..4].copy_from_slice(&sent.to_be_bytes());
            packet[4..8].copy_from_slice(&(u32::from(sent) * 160).to_be_bytes());
            packet[8..12].copy_from_slice(&[1, 2, 3, 4]);
            let length = sealer.seal_rtp(&mut packet, 172).unwrap();
            socket.send_to(&packet[..length], to).unwrap();
            sent += 1;
        }
        while let Ok(Said::Line(line)) = said.try_recv() {
            match line.split_once(' ').unwrap() {
                ("state", state) => connected = state == "connected",
                ("heard", count) => hears = count.parse().unwrap(),
                ("suite", name) => suite = name.to_owned(),
                _ => panic!("{line}"),
            }
        }
    }
    eprintln!("heard {heard}, reports {reports}, sent {sent}; Chromium hears {hears} by {suite}");
    assert!(connected && heard > 100 && hears > 50 && reports > 0);
    // Which suite, the calling side decides: Chromium likes the oldest best.
    let name = if agreed == Some(Suite::Aes128Cm80) { "SHA1_80" } else { "GCM" };
    assert!(suite.contains(name), "{suite}, {agreed:?}");
    assert!(lite.consents(now()) && lite.chosen().is_some());
}
