//! What the media threads are compared with: a plain epoll loop, and rtpengine in user space.

use crate::load::{End, HERE, Round, Worker, bound, ready, talk, watch};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The floor: receive, look up, send.
pub fn plain(calls: u64, seconds: u64) -> Round {
    let phones: Vec<UdpSocket> = (0..calls * 2).map(|_| bound()).collect();
    let relay: Vec<UdpSocket> = (0..calls * 2).map(|_| bound()).collect();
    let ends = phones
        .into_iter()
        .zip(&relay)
        .map(|(phone, relay)| End { phone, relay: relay.local_addr().expect("bound") })
        .collect::<Vec<_>>();
    let partners: Vec<SocketAddr> =
        (0..ends.len()).map(|at| ends[at ^ 1].phone.local_addr().expect("bound")).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let thread = crate::pinned(0, "plain", move || {
        let poll = watch(relay.iter());
        let (mut events, mut packet) = (Vec::with_capacity(128), [0; 2048]);
        while !stopped.load(Ordering::Relaxed) {
            ready(&poll, &mut events);
            for event in &events {
                let at = event.data.u64() as usize;
                if let Ok((length, _)) = relay[at].recv_from(&mut packet) {
                    let _ = relay[at ^ 1].send_to(&packet[..length], partners[at]);
                }
            }
        }
    });
    std::thread::sleep(Duration::from_millis(20));
    let round = talk(ends, seconds, &Worker::Threads(&["plain"]), None, None);
    stop.store(true, Ordering::Relaxed);
    thread.join().expect("plain");
    round
}

/// A running rtpengine; ended when dropped.
struct Engine {
    child: Child,
    control: UdpSocket,
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Engine {
    /// None when it is not installed (Debian: rtpengine-daemon).
    fn start() -> Option<Self> {
        let port = bound().local_addr().expect("bound").port();
        let child = Command::new("taskset")
            .args(["-c", "0", "rtpengine", "--table=-1", "--foreground", "--num-threads=1"])
            .args(["--interface=127.0.0.1", "--port-min=20000", "--port-max=31998"])
            .args(["--log-level=3", "--log-stderr", &format!("--listen-ng=127.0.0.1:{port}")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let control = UdpSocket::bind((HERE, 0)).expect("a port");
        control.set_read_timeout(Some(Duration::from_millis(500))).expect("a socket");
        control.connect((HERE, port)).expect("a way");
        let engine = Self { child, control };
        (0..10).find_map(|_| engine.ask("1 d7:command4:pinge".into())).map(|_| engine)
    }

    /// One request of its control protocol ("ng": a word that is given back, and a bencoded dictionary).
    fn ask(&self, request: String) -> Option<String> {
        let mut answer = vec![0; 65_000];
        self.control.send(request.as_bytes()).ok()?;
        let length = self.control.recv(&mut answer);
        if length.is_err() {
            std::thread::sleep(Duration::from_millis(200));
        }
        Some(String::from_utf8_lossy(answer.get(..length.ok()?)?).into_owned())
    }

    /// Tells of one side's description; gives the port that it has for that side's partner.
    fn describe(&self, command: &str, call: u64, phone: &UdpSocket) -> u16 {
        let port = phone.local_addr().expect("bound").port();
        let sdp = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
             m=audio {port} RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
        );
        let mut text = format!("{command}{call} d7:call-id");
        let mut put = |key: &str, value: &str| {
            if key != "call-id" {
                text.push_str(&format!("{}:{key}", key.len()));
            }
            text.push_str(&format!("{}:{value}", value.len()));
        };
        put("call-id", &call.to_string());
        put("command", command);
        put("from-tag", "a");
        put("sdp", &sdp);
        if command == "answer" {
            put("to-tag", "b");
        }
        text.push('e');
        let answer = self.ask(text).expect("rtpengine answers");
        let port = answer.split("m=audio ").nth(1).and_then(|rest| rest.split(' ').next());
        port.and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("a port in {answer}"))
    }
}

/// The same calls through rtpengine; none where it is not installed.
pub fn rtpengine(calls: u64, seconds: u64) -> Option<Round> {
    let engine = Engine::start()?;
    let mut ends = Vec::new();
    for call in 0..calls {
        let (a, b) = (bound(), bound());
        let for_b = engine.describe("offer", call, &a);
        let for_a = engine.describe("answer", call, &b);
        ends.push(End { phone: a, relay: (HERE, for_a).into() });
        ends.push(End { phone: b, relay: (HERE, for_b).into() });
    }
    Some(talk(ends, seconds, &Worker::Process(engine.child.id()), None, None))
}
