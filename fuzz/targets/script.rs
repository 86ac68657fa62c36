//! Bytes as a story: what a peer sends, what the engine wishes, what time passes, in any order, at one
//! endpoint. The model judges each step and the end.

use super::model::Model;
use crate::base::{LegId, Mono, Now, Private, Rng, Wall};
use crate::sip::api::{
    Account, AccountPolicy, AccountSecret, Directory, Effect, Flow, Listener, SessionPolicy,
    Settings, Shown, Transport, Trunk, Why,
};
use crate::sip::digest::{Challenge, Offer};
use crate::sip::trunk::Profile;
use crate::sip::{Endpoint, HeaderName, Message, Method, parse};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Steps of one story.
const MAX_STEPS: usize = 160;
/// 64·T1 (RFC 3261 §17.1.1.2), microseconds.
const LONG_US: u64 = 32_000_000;

/// The one account with a password. Its phone is at the place of the fixed phones too.
const USER: &str = "1000";
const PASSWORD: &str = "known to the script";

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n\
                   m=audio 4000 RTP/AVP 0\r\n";
const METHODS: [&str; 12] = [
    "BYE",
    "INVITE",
    "UPDATE",
    "INFO",
    "OPTIONS",
    "PRACK",
    "NOTIFY",
    "REFER",
    "SUBSCRIBE",
    "MESSAGE",
    "DANCE",
    "INVITE",
];
const STATUSES: [u16; 16] =
    [100, 180, 183, 199, 200, 200, 200, 202, 302, 401, 408, 481, 486, 487, 491, 603];

/// The fuzzer's bytes, one after the other.
pub(super) struct Dice<'a>(pub(super) std::slice::Iter<'a, u8>);

impl Dice<'_> {
    fn next(&mut self) -> Option<u8> {
        self.0.next().copied()
    }

    /// One of `len`, or none when there is nothing to choose or no byte left.
    pub(super) fn pick(&mut self, len: usize) -> Option<usize> {
        let byte = self.next()?;
        (len > 0).then(|| usize::from(byte) % len)
    }
}

/// A call that the peer began, or was asked into: enough of a dialog to speak in it.
#[derive(Clone, Debug)]
struct Call {
    id: String,
    tag: String,
    flow: Flow,
    /// Of the last request that the peer sent.
    cseq: u32,
    /// Of its INVITE, and the branch; none when we called.
    invite: Option<(u32, String)>,
}

struct Story {
    endpoint: Endpoint,
    model: Model,
    us: u64,
    out: Vec<Effect>,
    calls: Vec<Call>,
    received: Vec<(Flow, Bytes)>,
    /// Requests that are owed a final answer: Via and CSeq as the endpoint reads them.
    owed: Vec<(String, String)>,
    next_leg: u64,
    drawn: u32,
    /// The last challenge to the account, and how often it was answered.
    challenge: Option<Challenge>,
    count: u32,
    /// No connection broke and nothing was undeliverable: then each request gets an answer.
    sound: bool,
}

/// See the module.
pub fn operations(data: &[u8]) {
    let mut dice = Dice(data.iter());
    let Some(first) = dice.next() else { return };
    let mut story = Story::new(first & 1 == 0);
    for _ in 0..MAX_STEPS {
        if story.step(&mut dice).is_none() {
            break;
        }
    }
    story.end();
}

fn address(last: u8, port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, last], port))
}

impl Story {
    fn new(fair: bool) -> Self {
        let listener = |transport| Listener { transport, advertised: address(1, 5060) };
        let settings = Settings {
            listeners: vec![listener(Transport::Udp), listener(Transport::Tcp)],
            hosts: Vec::new(),
            realm: "desk.example".to_owned(),
            product: "Madoguchi".to_owned(),
            min_expires_s: 60,
            max_expires_s: 7_200,
            max_contacts: 3,
            digest: Offer::Both,
            session: SessionPolicy::default(),
            max_transactions: 1_000,
        };
        let account = Account {
            secret: AccountSecret::Password(Private::new(PASSWORD.to_owned())),
            policy: AccountPolicy::default(),
        };
        let directory = Directory {
            accounts: BTreeMap::from([(USER.to_owned(), account)]),
            trunks: vec![Trunk {
                id: "carrier".into(),
                sources: vec![address(7, 0)],
                transport: None,
                profile: Profile::default(),
                upstream: None,
            }],
            fixed_phones: BTreeMap::from([
                ("2000".into(), "sip:2000@192.0.2.7:5060".to_owned()),
                ("2001".into(), "sip:2001@192.0.2.7:5060;transport=tcp".to_owned()),
            ]),
        };
        Self {
            endpoint: Endpoint::new(settings, directory, Rng::from_number(7)),
            model: Model::new(fair),
            us: 1_000,
            out: Vec::new(),
            calls: Vec::new(),
            received: Vec::new(),
            owed: Vec::new(),
            next_leg: 2,
            drawn: 0,
            challenge: None,
            count: 0,
            sound: true,
        }
    }

    fn now(&self) -> Now {
        Now { mono: Mono(self.us), wall: Wall(1_798_761_599_000) }
    }

    fn judge(&mut self, begins: Option<LegId>) {
        self.model.take(&mut self.out, self.us, begins);
    }

    fn step(&mut self, dice: &mut Dice<'_>) -> Option<()> {
        let what = dice.next()?;
        match what % 16 {
            _ if what >= 0xf0 => self.account(dice)?,
            0 | 1 => self.invite(dice)?,
            2 => {
                if let Some(at) = dice.pick(self.received.len()) {
                    let (flow, bytes) = self.received[at].clone();
                    self.receive(flow, bytes, None);
                }
            }
            3 => self.of_invite("CANCEL", dice)?,
            4 => self.of_invite("ACK", dice)?,
            5 | 6 => self.inside(dice)?,
            7..=9 => self.answer(dice)?,
            10 | 11 => self.wish(dice)?,
            12 => self.dial(dice)?,
            13 => {
                let bytes = [dice.next()?, dice.next()?].map(u64::from);
                self.pass((bytes[0] << 8 | bytes[1]) * 1_000);
            }
            14 => self.lose(dice)?,
            _ => self.damage(dice)?,
        }
        Some(())
    }

    fn receive(&mut self, flow: Flow, bytes: Bytes, owed: Option<(String, String)>) {
        self.received.push((flow, bytes.clone()));
        let now = self.now();
        self.model.heard(&bytes);
        self.endpoint.receive(flow, bytes, false, now, &mut self.out);
        self.owed.extend(owed);
        self.judge(None);
    }

    /// A request of the peer's; what is owed for it when it is sent for the first time.
    fn request(
        &mut self,
        call: &Call,
        method: &str,
        (cseq, branch): (u32, &str),
        to_tag: Option<&str>,
        more: &str,
        sdp: bool,
    ) {
        let (via, transport) = match call.flow.transport {
            Transport::Tcp => ("TCP", ";transport=tcp"),
            _ => ("UDP", ""),
        };
        let to_tag = to_tag.map_or_else(String::new, |tag| format!(";tag={tag}"));
        let body = if sdp { SDP } else { "" };
        let kind = if sdp { "Content-Type: application/sdp\r\n" } else { "" };
        let text = format!(
            "{method} sip:2000@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/{via} 192.0.2.7:5060;branch={branch}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:peer@192.0.2.7>;tag={tag}\r\nTo: <sip:2000@192.0.2.1>{to_tag}\r\n\
             Call-ID: {id}\r\nCSeq: {cseq} {method}\r\nContact: <sip:peer@192.0.2.7:5060{transport}>\r\n\
             {more}{kind}Content-Length: {length}\r\n\r\n{body}",
            tag = call.tag,
            id = call.id,
            length = body.len(),
        );
        let owed = (method != "ACK").then(|| {
            (format!("SIP/2.0/{via} 192.0.2.7:5060;branch={branch}"), format!("{cseq} {method}"))
        });
        self.receive(call.flow, Bytes::from(text), owed);
    }

    fn branch(&mut self) -> String {
        self.drawn += 1;
        format!("z9hG4bKpeer{}", self.drawn)
    }

    fn invite(&mut self, dice: &mut Dice<'_>) -> Option<()> {
        let how = dice.next()?;
        let n = self.calls.len();
        let flow = if how & 2 == 0 {
            Flow { transport: Transport::Udp, listener: 0, remote: address(7, 5060), connection: 0 }
        } else {
            let connection = 1 + u64::from(how >> 6);
            Flow { transport: Transport::Tcp, listener: 1, remote: address(7, 5060), connection }
        };
        let branch = self.branch();
        let call = Call {
            id: format!("call{n}@192.0.2.7"),
            tag: format!("peer{n}"),
            flow,
            cseq: 1,
            invite: Some((1, branch.clone())),
        };
        let more = match how >> 2 & 7 {
            0 => "Record-Route: <sip:192.0.2.7:5060;lr>, <sip:192.0.2.6;lr>\r\n",
            1 => "Require: 100rel\r\n",
            2 => "Supported: 100rel, timer, replaces\r\nSession-Expires: 90;refresher=uas\r\n",
            3 => "Supported: 100rel, timer\r\nMin-SE: 1800\r\nSession-Expires: 1800\r\n",
            4 => "Replaces: call0@192.0.2.7;to-tag=x;from-tag=y\r\n",
            _ => "",
        };
        self.calls.push(call.clone());
        self.request(&call, "INVITE", (1, &branch), None, more, how & 1 == 0);
        Some(())
    }

    /// REGISTER, or SUBSCRIBE to a lamp, by the account: with the answer to the last challenge, without
    /// one, or with the answer of before.
    fn account(&mut self, dice: &mut Dice<'_>) -> Option<()> {
        let how = dice.next()?;
        let branch = self.branch();
        let (method, more) = match how & 3 {
            0 => (Method::Register, "Contact: <sip:1000@192.0.2.7:5060>\r\nExpires: 60\r\n"),
            1 => (Method::Register, "Contact: <sip:1000@192.0.2.8>;expires=0\r\n"),
            2 => (Method::Register, "Contact: *\r\nExpires: 0\r\n"),
            _ => (
                Method::Subscribe,
                "Event: dialog\r\nExpires: 60\r\nContact: <sip:1000@192.0.2.7:5060>\r\n",
            ),
        };
        let subscribes = method == Method::Subscribe;
        let (uri, to) =
            if subscribes { ("sip:2000@desk.example", "2000") } else { ("sip:desk.example", USER) };
        if how & 4 == 0 {
            self.count += 1; // otherwise the count of before: a replay
        }
        let proof = self.challenge.as_ref().filter(|_| how & 8 == 0).map_or_else(
            String::new,
            |challenge| {
                let right = how & 0x70 != 0x70;
                self.model.proved |= right;
                let password = if right { PASSWORD } else { "another" };
                let value = challenge.answer(USER, password, &method, uri, "c", self.count);
                format!("Authorization: {value}\r\n")
            },
        );
        let (cseq, id) = (self.drawn, how >> 6);
        let text = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch={branch}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{USER}@desk.example>;tag=account{id}\r\n\
             To: <sip:{to}@desk.example>\r\nCall-ID: account{id}\r\nCSeq: {cseq} {method}\r\n\
             {more}{proof}Content-Length: 0\r\n\r\n"
        );
        // A place that is no trunk's and no fixed phone's: only a password helps there.
        let flow = Flow {
            transport: Transport::Udp,
            listener: 0,
            remote: address(9, 5060),
            connection: 0,
        };
        let bytes = Bytes::from(text);
        self.received.push((flow, bytes.clone()));
        let now = self.now();
        self.endpoint.receive(flow, bytes, false, now, &mut self.out);
        let via = format!("SIP/2.0/UDP 192.0.2.9:5060;branch={branch}");
        self.owed.push((via, format!("{cseq} {method}")));
        let challenged = self.out.iter().find_map(|effect| match effect {
            Effect::Send { bytes, .. } if bytes.starts_with(b"SIP/2.0 401") => parse(bytes).ok(),
            _ => None,
        });
        if let Some(Message::Response(challenged)) = challenged {
            let values = challenged.head.headers.all(&HeaderName::WwwAuthenticate);
            self.challenge = Challenge::pick(values);
            self.count = 0;
        }
        self.judge(None);
        Some(())
    }

    /// CANCEL or ACK of the last INVITE of a call.
    fn of_invite(&mut self, method: &str, dice: &mut Dice<'_>) -> Option<()> {
        let at = dice.pick(self.calls.len());
        let how = dice.next()?;
        let Some(call) = at.and_then(|at| self.calls.get(at)).cloned() else { return Some(()) };
        let Some((cseq, branch)) = call.invite.clone() else { return Some(()) };
        let our_tag = self.model.our_tags.get(&call.id).cloned();
        if method == "CANCEL" {
            let to = if cseq == 1 { None } else { our_tag.as_deref() };
            self.request(&call, method, (cseq, &branch), to, "", false);
        } else {
            let branch = if how & 1 == 0 { self.branch() } else { branch };
            self.request(&call, method, (cseq, &branch), our_tag.as_deref(), "", how & 2 != 0);
        }
        Some(())
    }

    /// A request of the peer's in a dialog, from either side's call.
    fn inside(&mut self, dice: &mut Dice<'_>) -> Option<()> {
        let (at, method, how) =
            (dice.pick(self.calls.len()), dice.pick(METHODS.len())?, dice.next()?);
        let Some(at) = at else { return Some(()) };
        let method = METHODS[method];
        let branch = self.branch();
        let call = &mut self.calls[at];
        // Now and then out of order (§12.2.2).
        let cseq = if how & 0x70 == 0x70 { call.cseq } else { call.cseq + 1 };
        call.cseq = cseq;
        if method == "INVITE" {
            call.invite = Some((cseq, branch.clone()));
        }
        let call = call.clone();
        if method == "BYE" {
            self.model.left(&call.id, &call.tag);
        }
        let our_tag =
            self.model.our_tags.get(&call.id).cloned().unwrap_or_else(|| "none".to_owned());
        let more = match how >> 1 & 7 {
            _ if method == "REFER" => "Refer-To: <sip:2001@192.0.2.1>\r\n",
            0 => "Refer-To: <sip:2001@192.0.2.1>\r\nEvent: refer\r\n",
            1 => "RAck: 1 1 INVITE\r\nContent-Type: application/dtmf-relay\r\n",
            2 => "Supported: timer\r\nSession-Expires: 90\r\n",
            _ => "",
        };
        let sdp = how & 1 == 0 && !more.contains("Content-Type");
        self.request(&call, method, (cseq, &branch), Some(&our_tag), more, sdp);
        Some(())
    }

    /// A response to one of our requests.
    fn answer(&mut self, dice: &mut Dice<'_>) -> Option<()> {
        let (back, status, how) = (dice.pick(8)?, dice.pick(STATUSES.len())?, dice.next()?);
        let Some(at) = self.model.asked.len().checked_sub(1 + back) else { return Some(()) };
        let asked = self.model.asked[at].clone();
        let status = STATUSES[status];
        let head = &asked.request.head;
        let tag = match (head.to.tag(), how & 3) {
            (Some(tag), _) => tag.to_owned(),
            (None, 0 | 1) => "a".to_owned(),
            (None, 2) => "b".to_owned(),
            (None, _) => String::new(),
        };
        let to = match (head.to.tag(), tag.as_str()) {
            (None, "") => head.to.clone(),
            _ => head.to.clone().with_tag(&tag),
        };
        let invite = asked.request.method == Method::Invite;
        let body = if how & 4 == 0 && invite { SDP } else { "" };
        let more = match how >> 3 & 7 {
            0 => "Require: 100rel\r\nRSeq: 1\r\n",
            1 => "Require: timer\r\nSession-Expires: 90;refresher=uac\r\n",
            2 if status == 302 => "Contact: <sip:2001@192.0.2.7:5060>\r\n",
            _ => "",
        };
        let contact =
            if more.contains("Contact") { "" } else { "Contact: <sip:2000@192.0.2.7:5060>\r\n" };
        let text = format!(
            "SIP/2.0 {status} Said\r\n{copied}To: {to}\r\n{contact}{more}{kind}Content-Length: {length}\r\n\r\n{body}",
            copied = Model::copied(&asked.request),
            kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" },
            length = body.len(),
        );
        // A dialog for the peer to speak in.
        if invite && head.to.tag().is_none() && !tag.is_empty() && (101..300).contains(&status) {
            let id = head.call_id.to_string();
            if let Some(ours) = head.from.tag() {
                self.model.our_tags.insert(id.clone(), ours.to_owned());
            }
            if !self.calls.iter().any(|call| call.id == id && call.tag == tag) {
                let flow = asked.flow;
                self.calls.push(Call { id, tag: tag.clone(), flow, cseq: 100, invite: None });
            }
        }
        self.model.answering(at, status, &tag, self.us);
        self.receive(asked.flow, Bytes::from(text), None);
        Some(())
    }

    fn wish(&mut self, dice: &mut Dice<'_>) -> Option<()> {
        let known: Vec<LegId> = self.model.legs.keys().copied().collect();
        let (at, what) = (dice.pick(known.len()), dice.next()?);
        let Some(leg) = at.map(|at| known[at]) else { return Some(()) };
        let now = self.now();
        let sdp = Bytes::from_static(SDP.as_bytes());
        let some = (what & 0x10 == 0).then(|| sdp.clone());
        let (endpoint, out) = (&mut self.endpoint, &mut self.out);
        match what % 12 {
            _ if what >= 0xf8 => endpoint.answer_refer(leg, 202, now, out),
            _ if what >= 0xf0 => endpoint.refer_news(leg, 200, now, out),
            0 | 1 => endpoint.ring(leg, some, now, out),
            2..=4 => endpoint.accept(leg, sdp, now, out),
            5 => endpoint.refuse(leg, 486, now, out),
            6 | 7 => endpoint.offer(leg, some, now, out),
            8 => endpoint.answer_offer(leg, Ok(sdp), now, out),
            9 => endpoint.answer_offer(leg, Err(488), now, out),
            10 => endpoint.answer_in_ack(leg, sdp, now, out),
            _ => endpoint.hang_up(
                leg,
                if what & 0x10 == 0 { Why::Normal } else { Why::Elsewhere },
                now,
                out,
            ),
        }
        self.judge(None);
        Some(())
    }

    fn dial(&mut self, dice: &mut Dice<'_>) -> Option<()> {
        let how = dice.next()?;
        let leg = LegId(self.next_leg);
        self.next_leg += 2;
        let shown = Shown { user: Private::new("0312345678".to_owned()), name: None };
        let sdp = (how & 1 == 0).then(|| Bytes::from_static(SDP.as_bytes()));
        let to = if how & 2 == 0 { "2000" } else { "2001" };
        let now = self.now();
        self.model.legs.entry(leg).or_default();
        self.endpoint.dial(leg, &to.into(), &shown, sdp, now, &mut self.out).expect("an address");
        self.judge(Some(leg));
        Some(())
    }

    fn pass(&mut self, us: u64) {
        let until = self.us + us;
        while let Some(due) = self.endpoint.next_deadline().filter(|due| due.0 <= until) {
            self.us = self.us.max(due.0);
            let now = self.now();
            self.endpoint.tick(now, &mut self.out);
            self.judge(None);
        }
        self.us = until;
    }

    /// A connection breaks, or what we sent last could not be sent.
    fn lose(&mut self, dice: &mut Dice<'_>) -> Option<()> {
        let how = dice.next()?;
        let now = self.now();
        if how & 1 == 0 {
            let Some(at) = usize::from(how >> 1).checked_rem(self.calls.len()) else {
                return Some(());
            };
            let flow = self.calls[at].flow;
            if flow.transport != Transport::Udp {
                self.sound = false;
                self.model.recalled(flow, self.us);
                self.endpoint.flow_lost(flow, now, &mut self.out);
            }
        } else if let Some(flow) = self.model.asked.last().map(|asked| asked.flow)
            && flow.transport != Transport::Udp
        {
            self.sound = false;
            self.model.recalled(flow, self.us);
            self.endpoint.unsendable(flow, now, &mut self.out);
        }
        self.judge(None);
        Some(())
    }

    /// A message of before with one byte changed, in stories that are not fair; else time passes.
    fn damage(&mut self, dice: &mut Dice<'_>) -> Option<()> {
        let (at, place, byte) =
            (dice.pick(self.received.len()), [dice.next()?, dice.next()?], dice.next()?);
        let (Some(at), false) = (at, self.model.fair) else {
            self.pass(u64::from(byte) * 100_000);
            return Some(());
        };
        let (flow, bytes) = self.received[at].clone();
        let mut bytes = bytes.to_vec();
        let place = usize::from(u16::from_be_bytes(place)) % bytes.len();
        bytes[place] = byte;
        let now = self.now();
        self.endpoint.receive(flow, Bytes::from(bytes), false, now, &mut self.out);
        self.judge(None);
        Some(())
    }

    /// Everybody hangs up; what is owed is given, and nothing is kept.
    fn end(&mut self) {
        for leg in self.model.legs.keys().copied().collect::<Vec<_>>() {
            let now = self.now();
            self.endpoint.hang_up(leg, Why::Normal, now, &mut self.out);
            self.judge(None);
        }
        // The longest way out: an INVITE nobody answers or a 200 nobody acknowledges, then a BYE.
        for _ in 0..3 {
            self.pass(LONG_US);
        }
        self.model.at_the_end();
        self.pass(LONG_US + 5_000_000);
        let held = self.endpoint.gauges();
        let held = format!("{held:?}");
        assert!(!held.contains(|c: char| ('1'..='9').contains(&c)), "still held: {held}");
        if self.model.fair && self.sound {
            for (via, cseq) in &self.owed {
                assert!(self.model.is_answered(via, cseq), "no final answer to {cseq} ({via})");
            }
        }
        let read = self.received.iter().filter(|(_, bytes)| parse(bytes).is_ok_and(is_any)).count();
        assert!(read == self.received.len() || !self.model.fair, "the script itself is read");
    }
}

fn is_any(message: Message) -> bool {
    matches!(message, Message::Request(_) | Message::Response(_))
}
