//! The endpoint under a script: a text ladder of what a peer sends, what the engine wishes, what time
//! passes, and, line by line, what must come of it.

#![allow(clippy::needless_pass_by_value, clippy::format_push_string, clippy::type_complexity)] // a script's tools

mod admission;
mod called;
mod calling;
mod guarding;
mod hostile;
mod large;
mod offers;
mod outside;
mod pair;
mod parties;
mod redirecting;
mod referring;
mod registering;
mod reliable;
mod replacing;
mod sessions;
mod streams;
mod subscribing;
mod timers;

use super::{Endpoint, Gauges};
use crate::base::{LegId, Mono, Now, Number, Private, Rng, Wall};
use crate::sip::api::{
    Account, AccountPolicy, AccountSecret, BindingChange, Directory, Effect, Flow, LegEvent,
    Listener, Outgoing, Refer, Settings, Shown, Transport, Trunk, Why,
};
use crate::sip::trunk::Profile;
use crate::sip::{HeaderName, Message, Method, parse};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// A body that stands for any SDP.
const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nt=0 0\r\n";

pub(super) fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

pub(super) fn settings() -> Settings {
    let listener = |transport| Listener { transport, advertised: address("192.0.2.1:5060") };
    Settings {
        listeners: vec![listener(Transport::Udp), listener(Transport::Tcp)],
        hosts: vec!["pbx.example".to_owned()],
        realm: "desk.example".to_owned(),
        product: "Madoguchi".to_owned(),
        min_expires_s: 60,
        max_expires_s: 7_200,
        max_contacts: 3,
        digest: crate::sip::digest::Offer::Both,
        session: crate::sip::api::SessionPolicy::default(),
        max_transactions: 1_000,
    }
}

/// One trunk at 192.0.2.7, a fixed phone 2000 there too, accounts 1000 and 1001.
pub(super) fn directory() -> Directory {
    let account = |user: &str| {
        (
            user.to_owned(),
            Account {
                secret: AccountSecret::Password(Private::new(format!("pw{user}"))),
                policy: AccountPolicy::default(),
            },
        )
    };
    Directory {
        accounts: BTreeMap::from([account("1000"), account("1001")]),
        trunks: vec![Trunk {
            id: "carrier".into(),
            sources: vec![address("192.0.2.7:5060")],
            transport: None,
            profile: Profile::default(),
            upstream: None,
        }],
        fixed_phones: BTreeMap::from([
            ("2000".into(), "sip:2000@192.0.2.8:5080".to_owned()),
            ("2001".into(), "sip:2001@192.0.2.8:5080;transport=tcp".to_owned()),
        ]),
    }
}

pub(super) fn udp(remote: &str) -> Flow {
    Flow { transport: Transport::Udp, listener: 0, remote: address(remote), connection: 0 }
}

pub(super) fn tcp(remote: &str, connection: u64) -> Flow {
    Flow { transport: Transport::Tcp, listener: 1, remote: address(remote), connection }
}

pub(super) fn at(ms: u64) -> Now {
    let wall = Wall(1_798_761_599_000 + i64::try_from(ms).expect("a test's time"));
    Now { mono: Mono(ms * 1_000), wall }
}

/// One line for what a `Send` carries: `INVITE 1 sdp`, `200 BYE 2`.
pub(super) fn line(bytes: &Bytes) -> String {
    let message = parse(bytes).unwrap_or_else(|error| {
        panic!("we sent what we cannot read: {error}\n{}", String::from_utf8_lossy(bytes))
    });
    let cseq = message.head().cseq.number;
    let (mut line, sdp) = match &message {
        Message::Request(request) => (format!("{} {cseq}", request.method), request.sdp()),
        Message::Response(response) => {
            (format!("{} {} {cseq}", response.status, response.head.cseq.method), response.sdp())
        }
    };
    if sdp.is_some() {
        line.push_str(" sdp");
    }
    line
}

/// One line for an event.
pub(super) fn event_line(event: &LegEvent) -> String {
    let with = |word: String, sdp: &Option<Bytes>| if sdp.is_some() { word + " sdp" } else { word };
    match event {
        LegEvent::Incoming(incoming) => with("Incoming".into(), &incoming.sdp),
        LegEvent::Progress { status, sdp } => with(format!("Progress {status}"), sdp),
        LegEvent::Answered { sdp } => with("Answered".into(), sdp),
        LegEvent::Refused { status } => format!("Refused {status}"),
        LegEvent::Confirmed { sdp } => with("Confirmed".into(), sdp),
        LegEvent::Offer { sdp } => with("Offer".into(), sdp),
        LegEvent::OfferAnswered { result: Ok(sdp) } => with("OfferAnswered".into(), sdp),
        LegEvent::OfferAnswered { result: Err(status) } => format!("OfferAnswered {status}"),
        LegEvent::Digit(digit) => format!("Digit {digit}"),
        LegEvent::Reason(reason) => format!("Reason {:?} {}", reason.protocol, reason.cause),
        LegEvent::ReferNews { status } => format!("ReferNews {status}"),
        LegEvent::Refer(refer) => match &**refer {
            Refer::To(number) => format!("Refer {}", number.reveal()),
            Refer::With(leg) => format!("Refer leg {}", leg.0),
            Refer::Nowhere { status } => format!("Refer nowhere {status}"),
        },
        LegEvent::Over(end) => format!("Over {end:?}"),
    }
}

/// A peer's message in text, ready for the wire.
pub(super) fn wire(head: &str, body: &str) -> Bytes {
    let lines = head.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut text = lines.collect::<Vec<_>>().join("\r\n");
    text.push_str("\r\n");
    text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    Bytes::from(text)
}

/// Further headers, as `h:Session-Expires=300;refresher=uac`; `_` is a space.
fn more(words: &[&str]) -> String {
    let headers = words.iter().filter_map(|word| word.strip_prefix("h:")?.split_once('='));
    headers.fold(String::new(), |text, (name, value)| {
        text + &format!("{name}: {}\n", value.replace('_', " "))
    })
}

/// One endpoint and one peer.
pub(super) struct Ladder {
    pub endpoint: Endpoint,
    pub ms: u64,
    /// The way the peer's messages come.
    pub flow: Flow,
    /// The last message of each kind that we sent, by method, requests only.
    asked: BTreeMap<String, (Flow, Bytes)>,
    /// Everything sent, in order.
    pub sent: Vec<(Flow, Bytes, bool)>,
    /// The leg under test.
    pub leg: LegId,
    call_id: String,
    our_tag: String,
    /// The last `RSeq` that we sent.
    rseq: u32,
}

impl Ladder {
    pub fn new(flow: Flow) -> Self {
        Self {
            endpoint: Endpoint::new(settings(), directory(), Rng::from_number(7)),
            ms: 0,
            flow,
            asked: BTreeMap::new(),
            sent: Vec::new(),
            leg: LegId(1),
            call_id: "call@192.0.2.7".into(),
            our_tag: String::new(),
            rseq: 0,
        }
    }

    /// Runs a script, then lets 64·T1 and 5 s pass and counts what is left.
    pub fn run(flow: Flow, script: &str) -> Self {
        let mut ladder = Self::new(flow);
        ladder.play(script);
        ladder.rest();
        ladder
    }

    /// Plays a script; what it does not expect fails at its line.
    pub fn play(&mut self, script: &str) {
        let mut due: Vec<(String, String)> = Vec::new();
        let mut had: Vec<Effect> = Vec::new();
        let mut step = "the start".to_owned();
        for text in script.lines().map(str::trim).filter(|text| !text.is_empty()) {
            let text = text.split(" //").next().unwrap_or_default().trim();
            if text.starts_with('<') || text.starts_with('!') {
                let (kind, rest) = text.split_at(1);
                due.push((kind.to_owned(), rest.trim().to_owned()));
                continue;
            }
            self.compare(&step, &mut due, &mut had);
            step = text.to_owned();
            self.act(text, &mut had);
        }
        self.compare(&step, &mut due, &mut had);
    }

    fn compare(&mut self, step: &str, due: &mut Vec<(String, String)>, had: &mut Vec<Effect>) {
        let mut lines = Vec::new();
        for effect in had.drain(..) {
            match effect {
                Effect::Send { flow, bytes, free } => {
                    lines.push(("<".to_owned(), line(&bytes)));
                    self.note(flow, &bytes);
                    self.sent.push((flow, bytes, free));
                }
                Effect::Leg { event, .. } => lines.push(("!".to_owned(), event_line(&event))),
                Effect::Binding(BindingChange::Put(binding)) => {
                    lines.push(("!".to_owned(), format!("Put {}", binding.contact)));
                }
                Effect::Binding(BindingChange::Remove { contact, .. }) => {
                    lines.push(("!".to_owned(), format!("Remove {contact}")));
                }
                Effect::Subscription(_) | Effect::Watched(_) => {}
                Effect::LookUp(server) => {
                    lines.push(("!".to_owned(), format!("LookUp {server}")));
                }
            }
        }
        assert_eq!(lines, std::mem::take(due), "after: {step} (at {} ms)", self.ms);
    }

    /// Learns our tag and Call-ID from what we send.
    fn note(&mut self, flow: Flow, bytes: &Bytes) {
        match parse(bytes) {
            Ok(Message::Request(request)) => {
                if request.method == Method::Invite {
                    self.call_id = request.head.call_id.to_string();
                    self.our_tag = request.head.from.tag().unwrap_or_default().into();
                }
                self.asked.insert(request.method.to_string(), (flow, bytes.clone()));
            }
            Ok(Message::Response(response)) => {
                if response.head.cseq.method == Method::Invite
                    && *response.head.call_id == *self.call_id
                    && let Some(tag) = response.head.to.tag()
                {
                    self.our_tag = tag.into();
                }
                self.rseq = response.head.headers.number(&HeaderName::RSeq).unwrap_or(self.rseq);
            }
            Err(_) => {}
        }
    }

    fn act(&mut self, text: &str, out: &mut Vec<Effect>) {
        let words: Vec<&str> = text.split_whitespace().collect();
        let now = at(self.ms);
        let (leg, sdp) = (self.leg, Bytes::from_static(SDP.as_bytes()));
        let endpoint = &mut self.endpoint;
        match words.as_slice() {
            [">", first, rest @ ..] => {
                let bytes = match first.parse::<u16>() {
                    Ok(status) => self.response(status, rest),
                    Err(_) => self.request(first, rest),
                };
                self.endpoint.receive(self.flow, bytes, false, now, out);
            }
            [plus] if plus.starts_with('+') => {
                let ms = plus[1..].parse::<u64>().expect("milliseconds");
                self.pass(ms, out);
            }
            // Until something happens, at most so long.
            ["~", ms] => {
                let most = self.ms + ms.parse::<u64>().expect("milliseconds");
                while out.is_empty() {
                    let due = self.endpoint.next_deadline().expect("something to come");
                    assert!(due.0 <= most * 1_000, "nothing came");
                    self.pass(due.0.div_ceil(1_000).saturating_sub(self.ms), out);
                }
            }
            [".", "ring"] => endpoint.ring(leg, None, now, out),
            [".", "ring", "sdp"] => endpoint.ring(leg, Some(sdp), now, out),
            [".", "accept"] => endpoint.accept(leg, sdp, now, out),
            [".", "refuse", status] => {
                endpoint.refuse(leg, status.parse().expect("a status"), now, out);
            }
            [".", "dial", number, rest @ ..] => {
                self.leg = LegId(2);
                let name = Some(Private::new("山田 \"太郎\"".to_owned()));
                let shown = Shown { user: Private::new("0312345678".to_owned()), name };
                let sdp = (!rest.contains(&"late")).then_some(sdp);
                let number = Number::from(*number);
                endpoint.dial(LegId(2), &number, &shown, sdp, now, out).expect("an address");
            }
            [".", "dial_outside", number] => {
                self.leg = LegId(2);
                let call = Outgoing {
                    trunk: "carrier".into(),
                    number: Number::from(*number),
                    caller: None,
                    withhold: None,
                    emergency: false,
                };
                endpoint.dial_outside(LegId(2), &call, sdp, now, out).expect("a carrier");
            }
            [".", "hang_up"] => endpoint.hang_up(leg, Why::Normal, now, out),
            [".", "hang_up", "elsewhere"] => endpoint.hang_up(leg, Why::Elsewhere, now, out),
            [".", "speaks_with", user] => {
                let shown = Shown { user: Private::new((*user).to_owned()), name: None };
                endpoint.speaks_with(leg, &shown, now, out);
            }
            [".", "press", key] => {
                key.chars().for_each(|key| endpoint.press(leg, key, now, out));
            }
            [".", "offer"] => endpoint.offer(leg, Some(sdp), now, out),
            [".", "offer", "late"] => endpoint.offer(leg, None, now, out),
            [".", "answer_offer"] => endpoint.answer_offer(leg, Ok(sdp), now, out),
            [".", "answer_offer", status] => {
                let status = status.parse().expect("a status");
                endpoint.answer_offer(leg, Err(status), now, out);
            }
            [".", "answer_refer", status] => {
                endpoint.answer_refer(leg, status.parse().expect("a status"), now, out);
            }
            [".", "news", status] => {
                endpoint.refer_news(leg, status.parse().expect("a status"), now, out);
            }
            [".", "answer_in_ack"] => endpoint.answer_in_ack(leg, sdp, now, out),
            [".", "lost"] => endpoint.flow_lost(self.flow, now, out),
            [".", "unsendable"] => {
                let flow = self.sent.last().map_or(self.flow, |(flow, ..)| *flow);
                endpoint.unsendable(flow, now, out);
            }
            other => panic!("no such step: {other:?}"),
        }
    }

    /// Time passes; whatever is due on the way is done when it is due.
    fn pass(&mut self, ms: u64, out: &mut Vec<Effect>) {
        let end = self.ms + ms;
        while let Some(due) = self.endpoint.next_deadline().filter(|due| due.0 <= end * 1_000) {
            assert_eq!(self.endpoint.restless_ticks(), 0, "what is due comes to an end");
            self.ms = self.ms.max(due.0.div_ceil(1_000));
            self.endpoint.tick(at(self.ms), out);
        }
        self.ms = end;
    }

    /// Nothing more happens for 64·T1 and 5 s: everything must be gone.
    pub fn rest(&mut self) {
        let mut out = Vec::new();
        self.pass(37_000, &mut out);
        let gauges = Gauges { bindings: 0, ..self.endpoint.gauges() };
        assert_eq!(gauges, Gauges::default());
    }

    /// A request of the peer's: `INVITE 1 sdp to=none from=b branch=x`.
    pub fn request(&self, method: &str, words: &[&str]) -> Bytes {
        let cseq = words.first().expect("a CSeq number");
        let option = |name: &str| {
            words
                .iter()
                .find_map(|word| word.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')))
        };
        let first = method == "INVITE" && *cseq == "1";
        let of_invite = method == "CANCEL" || words.contains(&"fail");
        let branch_of = if of_invite { "INVITE" } else { method };
        let branch =
            option("branch").map_or_else(|| format!("{branch_of}{cseq}"), ToOwned::to_owned);
        let from = option("from").unwrap_or("peer");
        let to_tag = match option("to") {
            Some("none") => String::new(),
            Some(tag) => format!(";tag={tag}"),
            None if first || method == "CANCEL" => String::new(),
            None => format!(";tag={}", self.our_tag),
        };
        let transport = if self.flow.transport == Transport::Udp { "UDP" } else { "TCP" };
        let mut head = format!(
            "{method} sip:{}@192.0.2.1 SIP/2.0
             Via: SIP/2.0/{transport} 192.0.2.7:5060;branch=z9hG4bK{branch};rport
             Max-Forwards: {}
             From: \"Peer\" <sip:0312345678@192.0.2.7>;tag={from}
             To: <sip:2000@192.0.2.1>{to_tag}
             Call-ID: {}
             CSeq: {cseq} {method}
             Contact: <{}>\n",
            option("dial").unwrap_or("2000"),
            option("hops").unwrap_or("70"),
            self.call_id,
            option("contact").unwrap_or("sip:peer@192.0.2.7:5060"),
        );
        head.push_str(&more(words));
        if method == "PRACK" {
            let rack = option("rack").map_or(0, |ahead| ahead.parse().expect("a number"));
            head.push_str(&format!("RAck: {} 1 INVITE\n", self.rseq + rack));
        }
        if let Some(require) = option("require") {
            head.push_str(&format!("Require: {require}\n"));
        }
        if let Some(to) = option("refer") {
            head.push_str(&format!("Refer-To: <{to}>\n"));
        }
        if words.contains(&"quiet") {
            head.push_str("Refer-Sub: false\n");
        }
        if let Some(route) = option("rr") {
            head.push_str(&format!("Record-Route: {}\n", route.replace('|', ", ")));
        }
        if let Some(kind) = option("type") {
            head.push_str(&format!("Content-Type: {kind}\n"));
            return wire(&head, &option("body").unwrap_or("x").replace("\\n", "\r\n"));
        }
        if words.contains(&"sdp") {
            head.push_str("Content-Type: application/sdp\n");
            return wire(&head, SDP);
        }
        wire(&head, "")
    }

    /// The peer's response to the last request of a method: `180 INVITE tag=a sdp`.
    pub fn response(&self, status: u16, words: &[&str]) -> Bytes {
        let method = words.first().expect("a method");
        let (_, asked) = self.asked.get(*method).expect("we sent such a request");
        let Ok(Message::Request(request)) = parse(asked) else { panic!("we sent no request") };
        let option = |name: &str| {
            words
                .iter()
                .find_map(|word| word.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')))
        };
        let copy = |name: &HeaderName| {
            let value = request.head.headers.get(name).expect("a header that must be there");
            String::from_utf8_lossy(value).into_owned()
        };
        let tag = match option("tag") {
            Some("none") => String::new(),
            _ if request.head.to.tag().is_some() => String::new(),
            tag => format!(";tag={}", tag.unwrap_or("peer")),
        };
        let mut head = format!(
            "SIP/2.0 {status} Whatever
             Via: {}
             From: {}
             To: {}{tag}
             Call-ID: {}
             CSeq: {}\n",
            copy(&HeaderName::Via),
            copy(&HeaderName::From),
            copy(&HeaderName::To),
            copy(&HeaderName::CallId),
            copy(&HeaderName::CSeq),
        );
        head.push_str(&more(words));
        if let Some(rseq) = option("rseq") {
            head.push_str(&format!("Require: 100rel\nRSeq: {rseq}\n"));
        }
        match option("contact") {
            Some("none") => {}
            contact => {
                let contact = contact.unwrap_or("sip:phone@192.0.2.8:5080");
                head.push_str(&format!("Contact: <{contact}>\n"));
            }
        }
        if let Some(route) = option("rr") {
            head.push_str(&format!("Record-Route: {}\n", route.replace('|', ", ")));
        }
        if words.contains(&"sdp") {
            head.push_str("Content-Type: application/sdp\n");
            return wire(&head, SDP);
        }
        wire(&head, "")
    }

    /// The last message sent that begins with these words, as text.
    pub fn last(&self, words: &str) -> String {
        let found = self.sent.iter().rev().find(|(_, bytes, _)| line(bytes).starts_with(words));
        let (_, bytes, _) = found.unwrap_or_else(|| panic!("nothing sent begins with {words}"));
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// The flow of that message.
    pub fn last_flow(&self, words: &str) -> Flow {
        let found = self.sent.iter().rev().find(|(_, bytes, _)| line(bytes).starts_with(words));
        found.unwrap_or_else(|| panic!("nothing sent begins with {words}")).0
    }
}
