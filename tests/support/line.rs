//! A phone that does exactly what the test says, message by message: for races, lost messages and
//! refusals that no real phone can be made to do. UDP on loopback; retransmits nothing by itself and
//! answers nothing by itself.

use super::message::Message;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// How long what must come, and is not what a test is about, may take: also on a machine with a load of 20.
const PATIENCE: Duration = Duration::from_secs(6);

/// A scripted phone.
pub struct Line {
    socket: UdpSocket,
    user: String,
    desk: SocketAddr,
    waiting: VecDeque<Message>,
    drawn: u32,
}

/// One call of a scripted phone, from either side.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its Call-ID.
    pub id: String,
    /// Our side's From/To with tag.
    pub us: String,
    /// The other side's From/To; without tag until it was learnt.
    pub them: String,
    /// Where requests go.
    pub target: String,
    /// Last CSeq number that we used.
    pub cseq: u32,
    /// The branch of our INVITE.
    pub branch: String,
    /// The INVITE that brought it, when they called.
    pub invite: Option<Message>,
}

impl Line {
    /// A phone of `user` on `port`, speaking to `desk`.
    pub fn new(port: u16, user: &str, desk: SocketAddr) -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", port)).unwrap();
        Self { socket, user: user.to_owned(), desk, waiting: VecDeque::new(), drawn: 0 }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.socket.local_addr().unwrap().port()
    }

    fn here(&self) -> String {
        format!("127.0.0.1:{}", self.port())
    }

    fn draw(&mut self, what: &str) -> String {
        self.drawn += 1;
        let now =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
        format!("{what}{}-{}-{now:x}", self.port(), self.drawn)
    }

    /// A new branch (RFC 3261 §8.1.1.7).
    pub fn branch(&mut self) -> String {
        self.draw("z9hG4bK")
    }

    /// Puts text on the wire as it is.
    pub fn send(&self, text: &str) {
        self.socket.send_to(text.as_bytes(), self.desk).unwrap();
    }

    /// The next message, or none within the time.
    pub fn next(&mut self, within: Duration) -> Option<Message> {
        if let Some(message) = self.waiting.pop_front() {
            return Some(message);
        }
        self.fresh(within)
    }

    fn fresh(&self, within: Duration) -> Option<Message> {
        let until = Instant::now() + within;
        let mut buffer = [0u8; 65_536];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            self.socket.set_read_timeout(Some(left)).unwrap();
            let Ok((length, _)) = self.socket.recv_from(&mut buffer) else { continue };
            match Message::read(&buffer[..length]) {
                Some(message) => return Some(message),
                None => panic!(
                    "the desk sent what is no SIP: {}",
                    String::from_utf8_lossy(&buffer[..length])
                ),
            }
        }
    }

    /// The first message for which `ask` holds; others stay for later.
    pub fn look(&mut self, within: Duration, ask: impl Fn(&Message) -> bool) -> Option<Message> {
        if let Some(at) = self.waiting.iter().position(&ask) {
            return self.waiting.remove(at);
        }
        let until = Instant::now() + within;
        while let Some(message) = self.fresh(until.saturating_duration_since(Instant::now())) {
            if ask(&message) {
                return Some(message);
            }
            self.waiting.push_back(message);
        }
        None
    }

    /// As [`Self::look`], and it must come.
    #[track_caller]
    pub fn expect(
        &mut self,
        what: &str,
        within: Duration,
        ask: impl Fn(&Message) -> bool,
    ) -> Message {
        match self.look(within, ask) {
            Some(message) => message,
            None => panic!("{what} did not come within {within:?}; came: {:#?}", self.seen()),
        }
    }

    fn seen(&self) -> Vec<String> {
        self.waiting
            .iter()
            .map(|m| format!("{} [{}]", m.start, m.header("CSeq").unwrap_or_default()))
            .collect()
    }

    /// Forgets what came and was not looked at.
    pub fn clear(&mut self) {
        while self.next(Duration::from_millis(1)).is_some() {}
    }

    // ---- as a client

    /// A request outside any dialog; its Call-ID comes back.
    pub fn request(&mut self, method: &str, to: &str, extra: &str, body: &str) -> Call {
        let (branch, id, tag) = (self.branch(), self.draw("call"), self.draw("tag"));
        let us = format!("<sip:{}@{}>;tag={tag}", self.user, self.desk);
        let target = format!("sip:{to}@{}", self.desk);
        let them = format!("<{target}>");
        let call = Call { id, us, them, target, cseq: 1, branch: branch.clone(), invite: None };
        self.send(&self.text(method, &call, &branch, 1, extra, body));
        call
    }

    /// Calls; an empty `sdp` leaves the offer to the desk (RFC 3261 §13.2.1).
    pub fn invite(&mut self, to: &str, sdp: &str) -> Call {
        self.request("INVITE", to, "", sdp)
    }

    /// A request within the call, on a new transaction; its branch comes back.
    pub fn within(&mut self, call: &mut Call, method: &str, extra: &str, body: &str) -> String {
        let branch = self.branch();
        call.cseq += 1;
        self.send(&self.text(method, call, &branch, call.cseq, extra, body));
        branch
    }

    /// ACK to a 2xx: its own transaction, the INVITE's CSeq number (RFC 3261 §13.2.2.4).
    pub fn ack(&mut self, call: &mut Call, answer: &Message) {
        learn(call, answer);
        let branch = self.branch();
        self.send(&self.text("ACK", call, &branch, answer.cseq(), "", ""));
    }

    /// ACK with an SDP: the answer to an offer in a 2xx.
    pub fn ack_with(&mut self, call: &mut Call, answer: &Message, sdp: &str) {
        learn(call, answer);
        let branch = self.branch();
        self.send(&self.text("ACK", call, &branch, answer.cseq(), "", sdp));
    }

    /// ACK to a refusal: the INVITE's own transaction (RFC 3261 §17.1.1.3).
    pub fn ack_refusal(&mut self, call: &Call, refusal: &Message) {
        let mut same = call.clone();
        same.them = refusal.must("To").to_owned();
        self.send(&self.text("ACK", &same, &call.branch, refusal.cseq(), "", ""));
    }

    /// CANCEL of our INVITE (RFC 3261 §9.1).
    pub fn cancel(&mut self, call: &Call) {
        self.send(&self.text("CANCEL", call, &call.branch, 1, "", ""));
    }

    /// Ends the call and waits for the 200.
    #[track_caller]
    pub fn bye(&mut self, call: &mut Call) {
        self.within(call, "BYE", "", "");
        let id = call.id.clone();
        self.expect("the 200 to our BYE", PATIENCE, |m| {
            m.header("Call-ID") == Some(&id) && m.cseq_method() == "BYE" && m.status() == Some(200)
        });
    }

    fn text(
        &self,
        method: &str,
        call: &Call,
        branch: &str,
        cseq: u32,
        extra: &str,
        body: &str,
    ) -> String {
        let mut text = format!("{method} {} SIP/2.0\r\n", call.target);
        let _ = write!(
            text,
            "Via: SIP/2.0/UDP {};branch={branch};rport\r\nMax-Forwards: 70\r\n",
            self.here()
        );
        let _ = write!(
            text,
            "From: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\n",
            call.us, call.them, call.id
        );
        let _ = write!(text, "Contact: <sip:{}@{}>\r\n{extra}", self.user, self.here());
        if !body.is_empty() && !extra.contains("Content-Type") {
            text += "Content-Type: application/sdp\r\n";
        }
        let _ = write!(text, "Content-Length: {}\r\n\r\n{body}", body.len());
        text
    }

    /// A response of this call's INVITE with this status; a different final one is a failure.
    #[track_caller]
    pub fn status(&mut self, call: &Call, status: u16, within: Duration) -> Message {
        let id = call.id.clone();
        let message = self.expect(&format!("{status} to our INVITE"), within, |m| {
            m.header("Call-ID") == Some(&id)
                && m.cseq_method() == "INVITE"
                && m.status().is_some_and(|s| s == status || s >= 200)
        });
        assert_eq!(message.status(), Some(status), "another answer came:\n{message}");
        message
    }

    /// Calls, waits for the 200 and acknowledges it: the call and the desk's media port.
    #[track_caller]
    pub fn connect(&mut self, to: &str, sdp: &str, within: Duration) -> (Call, u16) {
        let mut call = self.invite(to, sdp);
        let answer = self.status(&call, 200, within);
        self.ack(&mut call, &answer);
        (call, answer.media_port().expect("the 200 carries our answer"))
    }

    /// As [`Self::connect`] from an account: answers the desk's challenge with the password.
    #[track_caller]
    pub fn connect_with(
        &mut self,
        password: &str,
        to: &str,
        sdp: &str,
        within: Duration,
    ) -> (Call, u16) {
        let mut call = self.invite(to, sdp);
        let id = call.id.clone();
        let first = self.expect("an answer to INVITE", within, |m| {
            m.header("Call-ID") == Some(&id) && m.status().is_some_and(|s| s > 180)
        });
        let answer = match first.status() {
            Some(401 | 407) => {
                self.ack_refusal(&call, &first);
                let credentials = self.credentials(&first, "INVITE", &call.target, password);
                call.branch = self.within(&mut call, "INVITE", &credentials, sdp);
                let call = call.clone();
                self.status(&call, 200, within)
            }
            _ => first,
        };
        assert_eq!(answer.status(), Some(200), "{answer}");
        self.ack(&mut call, &answer);
        (call, answer.media_port().expect("the 200 carries our answer"))
    }

    /// Registers this phone with the account's password (RFC 3261 §22, MD5).
    #[track_caller]
    pub fn register(&mut self, password: &str, expires_s: u32) {
        let user = self.user.clone();
        let expires = format!("Expires: {expires_s}\r\n");
        let mut call = self.request("REGISTER", &user, &expires, "");
        let id = call.id.clone();
        let challenge =
            self.expect("the challenge", PATIENCE, |m| m.header("Call-ID") == Some(&id));
        assert_eq!(challenge.status(), Some(401), "a REGISTER without credentials:\n{challenge}");
        let credentials = self.credentials(&challenge, "REGISTER", &call.target, password);
        self.within(&mut call, "REGISTER", &format!("{expires}{credentials}"), "");
        let answer = self.expect("the answer to REGISTER", PATIENCE, |m| {
            m.header("Call-ID") == Some(&id) && m.cseq() == 2
        });
        assert_eq!(answer.status(), Some(200), "REGISTER with a password:\n{answer}");
    }

    /// How long it takes until this phone is registered: it asks anew every 200 ms while nobody answers. None when
    /// it is not within the time.
    pub fn registered(&mut self, password: &str, within: Duration) -> Option<Duration> {
        let begun = Instant::now();
        let user = self.user.clone();
        let expires = "Expires: 60\r\n";
        while begun.elapsed() < within {
            let mut call = self.request("REGISTER", &user, expires, "");
            let id = call.id.clone();
            let ours = |m: &Message| m.header("Call-ID") == Some(&id);
            let challenge = self.look(Duration::from_millis(200), ours);
            let Some(challenge) = challenge.filter(|m| m.status() == Some(401)) else { continue };
            let credentials = self.credentials(&challenge, "REGISTER", &call.target, password);
            self.within(&mut call, "REGISTER", &format!("{expires}{credentials}"), "");
            let answer = self.look(Duration::from_millis(500), |m| ours(m) && m.cseq() == 2);
            if answer.is_some_and(|m| m.status() == Some(200)) {
                return Some(begun.elapsed());
            }
        }
        None
    }

    /// The header that answers a challenge (MD5, RFC 2617).
    fn credentials(&self, challenge: &Message, method: &str, uri: &str, password: &str) -> String {
        credentials(challenge, &self.user, method, uri, password)
    }

    // ---- as a server

    /// The next INVITE that opens a call.
    #[track_caller]
    pub fn ring(&mut self, within: Duration) -> Call {
        let invite = self.expect("an INVITE", within, |m| {
            m.method() == Some("INVITE") && m.parameter("To", "tag").is_none()
        });
        self.taken(invite)
    }

    /// Whether an INVITE comes within the time.
    pub fn rings(&mut self, within: Duration) -> bool {
        self.look(within, |m| m.method() == Some("INVITE")).is_some()
    }

    fn taken(&mut self, invite: Message) -> Call {
        let tag = self.draw("tag");
        Call {
            id: invite.must("Call-ID").to_owned(),
            us: format!("{};tag={tag}", invite.must("To")),
            them: invite.must("From").to_owned(),
            target: invite.uri("Contact").expect("an INVITE has a Contact"),
            cseq: 100,
            branch: String::new(),
            invite: Some(invite),
        }
    }

    /// Answers the INVITE that brought `call`.
    pub fn answer(&mut self, call: &Call, status: u16, sdp: &str) {
        let invite = call.invite.clone().expect("a call that came in");
        let to = if status == 100 { invite.must("To").to_owned() } else { call.us.clone() };
        self.reply(&invite, status, &to, sdp);
    }

    /// Answers any request.
    pub fn reply(&mut self, request: &Message, status: u16, to: &str, sdp: &str) {
        let reason = match status {
            100 => "Trying",
            180 => "Ringing",
            183 => "Session Progress",
            200 => "OK",
            486 => "Busy Here",
            487 => "Request Terminated",
            491 => "Request Pending",
            603 => "Decline",
            _ => "Other",
        };
        let mut text = format!("SIP/2.0 {status} {reason}\r\n");
        for (name, value) in &request.headers {
            if ["via", "from", "call-id", "cseq", "record-route"]
                .contains(&name.to_ascii_lowercase().as_str())
            {
                let _ = write!(text, "{name}: {value}\r\n");
            }
        }
        let _ = write!(text, "To: {to}\r\nContact: <sip:{}@{}>\r\n", self.user, self.here());
        if !sdp.is_empty() {
            text += "Content-Type: application/sdp\r\n";
        }
        let _ = write!(text, "Content-Length: {}\r\n\r\n{sdp}", sdp.len());
        self.send(&text);
    }

    /// Rings, answers with `sdp` and waits for the ACK: the call and the desk's media port.
    #[track_caller]
    pub fn pick_up(&mut self, sdp: &str, within: Duration) -> (Call, u16) {
        let call = self.ring(within);
        let port = call
            .invite
            .as_ref()
            .and_then(Message::media_port)
            .expect("the desk's INVITE carries an offer");
        self.answer(&call, 180, "");
        self.answer(&call, 200, sdp);
        self.request_of(&call, "ACK", PATIENCE);
        (call, port)
    }

    /// A request of this call.
    #[track_caller]
    pub fn request_of(&mut self, call: &Call, method: &str, within: Duration) -> Message {
        let id = call.id.clone();
        self.expect(method, within, |m| {
            m.header("Call-ID") == Some(&id) && m.method() == Some(method)
        })
    }

    /// Waits for the other side's BYE and confirms it.
    #[track_caller]
    pub fn bye_comes(&mut self, call: &Call, within: Duration) -> Message {
        let bye = self.request_of(call, "BYE", within);
        let to = bye.must("To").to_owned();
        self.reply(&bye, 200, &to, "");
        bye
    }

    /// Waits for the CANCEL of an INVITE that rings here, and ends it as is due (200, 487, ACK).
    #[track_caller]
    pub fn cancel_comes(&mut self, call: &Call, within: Duration) -> Message {
        let cancel = self.request_of(call, "CANCEL", within);
        self.reply(&cancel, 200, &call.us, "");
        self.answer(call, 487, "");
        self.request_of(call, "ACK", PATIENCE);
        cancel
    }
}

fn learn(call: &mut Call, answer: &Message) {
    call.them = answer.must("To").to_owned();
    if let Some(contact) = answer.uri("Contact") {
        call.target = contact;
    }
}

/// The header that answers a challenge for a user (MD5, RFC 2617).
pub fn credentials(
    challenge: &Message,
    user: &str,
    method: &str,
    uri: &str,
    password: &str,
) -> String {
    let (asks, answers) = match challenge.status() {
        Some(407) => ("Proxy-Authenticate", "Proxy-Authorization"),
        _ => ("WWW-Authenticate", "Authorization"),
    };
    let list = challenge.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(asks));
    let offer =
        list.map(|(_, v)| v.clone()).find(|v| !v.contains("SHA-256")).expect("an MD5 challenge");
    let field = |name: &str| {
        let (_, rest) =
            offer.split_once(&format!("{name}=")).unwrap_or_else(|| panic!("no {name} in {offer}"));
        rest.trim_start_matches('"').split(['"', ',']).next().unwrap_or_default().to_owned()
    };
    let (realm, nonce) = (field("realm"), field("nonce"));
    let ha1 = md5(&format!("{user}:{realm}:{password}"));
    let ha2 = md5(&format!("{method}:{uri}"));
    let response = md5(&format!("{ha1}:{nonce}:00000001:abcd1234:auth:{ha2}"));
    format!(
        "{answers}: Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", \
         response=\"{response}\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"abcd1234\"\r\n"
    )
}

/// Lower-case hex MD5.
pub fn md5(text: &str) -> String {
    use md5::Digest;
    md5::Md5::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
