//! One who writes to the desk what no phone would, from an address of its own.

use crate::support::line::Line;
use crate::support::message::Message;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// A stranger with a UDP socket.
pub struct Stranger {
    socket: UdpSocket,
    desk: SocketAddr,
    said: u32,
}

/// A request that is still to be sent.
#[derive(Clone)]
pub struct Said {
    /// As it goes on the wire.
    pub text: String,
    /// Its Call-ID.
    pub id: String,
}

impl Stranger {
    /// At this address; port 0: any.
    pub fn at(address: &str, desk: SocketAddr) -> Self {
        Self { socket: UdpSocket::bind(address).unwrap(), desk, said: 0 }
    }

    /// Where it is.
    pub fn here(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    /// What it asks the desk for: a number there, or for REGISTER the desk.
    pub fn uri(&self, to: &str) -> String {
        if to.is_empty() { format!("sip:{}", self.desk) } else { format!("sip:{to}@{}", self.desk) }
    }

    /// A request of `user` to `to`; `extra` are whole header lines.
    pub fn request(&mut self, method: &str, to: &str, user: &str, extra: &str, body: &str) -> Said {
        let from = format!("<sip:{user}@{}>", self.desk);
        let whom = if method == "REGISTER" { user } else { to };
        self.written(method, to, &from, &format!("<{}>", self.uri(whom)), extra, body)
    }

    /// The same with From (without its tag) and To in its hands.
    pub fn written(
        &mut self,
        method: &str,
        to: &str,
        from: &str,
        whom: &str,
        extra: &str,
        body: &str,
    ) -> Said {
        self.said += 1;
        let (n, here) = (self.said, self.here());
        let id = format!("s{n}-{}", here.port());
        let user = from.split_once("sip:").map_or("x", |(_, rest)| rest.split('@').next().unwrap());
        let contact = if extra.contains("Contact:") {
            String::new()
        } else {
            format!("Contact: <sip:{user}@{here}>\r\n")
        };
        let kind = if body.is_empty() || extra.contains("Content-Type") {
            ""
        } else {
            "Content-Type: application/sdp\r\n"
        };
        let text = format!(
            "{method} {} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK{id};rport\r\nMax-Forwards: 70\r\n\
             From: {from};tag=s{n}\r\nTo: {whom}\r\nCall-ID: {id}\r\nCSeq: {n} {method}\r\n{contact}{extra}{kind}\
             Content-Length: {}\r\n\r\n{body}",
            self.uri(to),
            body.len()
        );
        Said { text, id }
    }

    /// Puts bytes on the wire.
    pub fn send(&self, text: &str) {
        self.socket.send_to(text.as_bytes(), self.desk).unwrap();
    }

    /// The first final answer to what was said, within the time.
    pub fn ask(&self, said: &Said, within: Duration) -> Option<Message> {
        self.send(&said.text);
        self.answer(&said.id, within)
    }

    /// The first final answer with this Call-ID.
    pub fn answer(&self, id: &str, within: Duration) -> Option<Message> {
        let until = Instant::now() + within;
        let mut buffer = [0; 65_536];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            self.socket.set_read_timeout(Some(left)).unwrap();
            let Ok((length, _)) = self.socket.recv_from(&mut buffer) else { continue };
            let message = Message::read(&buffer[..length]).expect("what the desk sends is SIP");
            let ours = message.header("Call-ID") == Some(id);
            if ours && message.status().is_some_and(|status| status >= 200) {
                return Some(message);
            }
        }
    }

    /// A challenge that the desk sends it.
    #[track_caller]
    pub fn challenge(&mut self, user: &str) -> Message {
        let said = self.request("REGISTER", "", user, "", "");
        let challenge = self.ask(&said, Duration::from_secs(3)).expect("an answer to REGISTER");
        assert_eq!(challenge.status(), Some(401), "{challenge}");
        challenge
    }
}

/// Answers a request in words of one's own: `headers` are whole lines.
pub fn answers_by_hand(line: &Line, request: &Message, status: u16, headers: &str) {
    let mut text = format!("SIP/2.0 {status} As I like\r\n");
    for (name, value) in &request.headers {
        if ["via", "from", "call-id", "cseq"].contains(&name.to_ascii_lowercase().as_str()) {
            text += &format!("{name}: {value}\r\n");
        }
    }
    let to = request.must("To");
    let to = if to.contains("tag=") { to.to_owned() } else { format!("{to};tag=byhand") };
    line.send(&format!("{text}To: {to}\r\n{headers}Content-Length: 0\r\n\r\n"));
}
