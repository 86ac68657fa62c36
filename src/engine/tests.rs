//! The engine as callers and agents meet it: their messages go in as text, and what they are told, what
//! they hear and what is written about them comes out.

use super::{Engine, Gauges, Input, Outbox, Parts, Policy};
use crate::base::{LegId, Mono, Now, Number, Rng, Wall};
use crate::dialplan;
use crate::event::{CallEvent, DeskEvent, EndCause, Fact, Party, SoundEvent};
use crate::rtp::command::{Command as Media, Notice};
use crate::sip::api::{Directory, Flow, Listener, Settings, Transport, Trunk};
use crate::sip::trunk::Profile;
use crate::sip::{HeaderName, Message, Method, Request, Response, Writer, parse};
use bytes::Bytes;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

mod sealed;
mod sound;

const PLAN: &str = include_str!("../../dialplans/demo.toml");
/// Leads to a group at once; of its agents only the fixed phone 2001 can be rung.
const DESK: &str = "0312345679";
const CALLER: &str = "192.0.2.7:5060";
const PHONE: &str = "192.0.2.8:5080";
const LOST_AFTER: Duration = Duration::from_secs(5);

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn sdp(host: &str, port: u16, direction: &str) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 0\r\na={direction}\r\n"
    )
}

/// The desk, one caller's line, one agent's phone.
struct Room {
    engine: Engine,
    ms: u64,
    sent: Vec<(SocketAddr, Message)>,
    media: Vec<Media>,
    told: Vec<CallEvent>,
    sounds: Vec<(Party, Option<Number>, SoundEvent)>,
    sound_calls: Vec<crate::base::CallId>,
    /// Further headers of the caller's requests.
    extra: &'static str,
}

impl Room {
    /// With `agent`, the phone 2001 can be rung; the RTP ports end at `last_port`, from 20,000.
    fn new(agent: bool, last_port: u16) -> Self {
        let (plan, _) = dialplan::load(PLAN, "demo.toml", None).expect("a good plan");
        let phone = (Number::from("2001"), format!("sip:2001@{PHONE}"));
        let advertised = address("192.0.2.1:5060");
        let parts = Parts {
            settings: Settings {
                listeners: vec![Listener { transport: Transport::Udp, advertised }],
                hosts: Vec::new(),
                realm: "desk.example".to_owned(),
                product: "Madoguchi".to_owned(),
                min_expires_s: 60,
                max_expires_s: 3600,
                max_contacts: 2,
                digest: crate::sip::digest::Offer::Both,
                session: crate::sip::api::SessionPolicy::default(),
                max_transactions: 1000,
            },
            directory: Directory {
                trunks: vec![Trunk {
                    id: "carrier".into(),
                    sources: vec![address(CALLER)],
                    transport: None,
                    profile: Profile::default(),
                    upstream: None,
                }],
                fixed_phones: agent.then_some(phone).into_iter().collect(),
                ..Directory::default()
            },
            plan: Arc::new(plan),
            policy: Policy {
                media_bind: advertised.ip(),
                media_ip: advertised.ip(),
                first_port: 20_000,
                last_port,
                max_calls: 10,
                channels: std::collections::BTreeMap::new(),
                codecs: vec![crate::sdp::Codec::Pcmu, crate::sdp::Codec::Pcma],
                sealing: crate::engine::SealingPolicy::default(),
                keys: crate::engine::KeysPolicy::default(),
                fingerprint: None,
                lost_after: LOST_AFTER,
            },
            rng: Rng::from_number(1),
            next_seq: 1,
            subscriptions: Vec::new(),
            bindings: Vec::new(),
            agents: std::collections::BTreeMap::new(),
            talked: crate::pbx::Talked::default(),
            periods: crate::pbx::Periods::default(),
            boxes: crate::pbx::Boxes::default(),
            wishes: crate::pbx::CallbacksMemory::default(),
            declared: crate::pbx::Declared::default(),
            notes: crate::pbx::Notes::default(),
        };
        let mut out = Outbox::default();
        let started = DeskEvent::Started { version: "0".to_owned(), plan: "demo".to_owned() };
        let engine = Engine::new(parts, started, now(0), &mut out);
        let mut room = Self {
            engine,
            ms: 0,
            sent: Vec::new(),
            media: Vec::new(),
            told: Vec::new(),
            sounds: Vec::new(),
            sound_calls: Vec::new(),
            extra: "",
        };
        room.keep(out);
        room
    }

    fn keep(&mut self, out: Outbox) {
        self.media.extend(out.at_once.into_iter().chain(out.media));
        for send in out.sends {
            let message = parse(&send.bytes).expect("what we send can be read");
            self.sent.push((send.flow.remote, message));
        }
        for entry in out.entries {
            match entry.fact {
                Fact::Call { event, .. } => self.told.push(event),
                Fact::Sound { call, side, phone, event, .. } => {
                    self.sounds.push((side, phone, event));
                    self.sound_calls.push(call);
                }
                _ => {}
            }
        }
    }

    /// As the daemon gives it, panics included.
    fn input(&mut self, input: Input) {
        let (engine, now) = (&mut self.engine, now(self.ms));
        let mut out = Outbox::default();
        if catch_unwind(AssertUnwindSafe(|| engine.handle(input, now, &mut out))).is_err() {
            engine.after_panic(now, &mut out);
        }
        self.keep(out);
    }

    fn hears(&mut self, from: &str, bytes: Bytes) {
        let (transport, remote) = (Transport::Udp, address(from));
        let flow = Flow { transport, listener: 0, remote, connection: 0 };
        self.input(Input::Message { flow, bytes, shed: false });
    }

    fn pass(&mut self, ms: u64) {
        let until = self.ms + ms;
        while let Some(at) = self.engine.next_deadline().map(|at| at.0.div_ceil(1000)) {
            if at > until {
                break;
            }
            self.ms = self.ms.max(at);
            self.input(Input::Tick);
        }
        self.ms = until;
    }

    fn gauges(&self) -> Gauges {
        self.engine.gauges(now(self.ms))
    }

    /// A request of the caller's on the call named.
    fn calls(&mut self, call: &str, method: &str, cseq: u32, body: &str) {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let tag = self.our_tag(call).map_or(String::new(), |tag| format!(";tag={tag}"));
        let text = format!(
            "{method} sip:{DESK}@192.0.2.1 SIP/2.0\r\n\
             Via: SIP/2.0/UDP {CALLER};branch=z9hG4bK{call}{method}{cseq}\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:0312345611@192.0.2.7>;tag={call}\r\n\
             To: <sip:{DESK}@192.0.2.1>{tag}\r\n\
             Call-ID: {call}\r\n\
             CSeq: {cseq} {method}\r\n\
             Contact: <sip:0312345611@{CALLER}>\r\n\
             {}{kind}Content-Length: {}\r\n\r\n{body}",
            self.extra,
            body.len()
        );
        self.hears(CALLER, Bytes::from(text));
    }

    /// Our tag in the caller's dialog, from the last answer that had one.
    fn our_tag(&self, call: &str) -> Option<String> {
        self.sent.iter().rev().find_map(|(_, message)| match message {
            Message::Response(response) if *response.head.call_id == *call => {
                response.head.to.tag().map(str::to_owned)
            }
            _ => None,
        })
    }

    /// The status of the last answer to a caller.
    fn last_status(&self) -> Option<u16> {
        self.sent.iter().rev().find_map(|(_, message)| match message {
            Message::Response(response) => Some(response.status),
            Message::Request(_) => None,
        })
    }

    /// Our last request of this kind to somebody.
    fn asked(&self, whom: &str, method: &Method) -> Option<Request> {
        self.sent.iter().rev().find_map(|(to, message)| match message {
            Message::Request(request) if *to == address(whom) && request.method == *method => {
                Some(request.clone())
            }
            _ => None,
        })
    }

    /// Somebody answers our last INVITE with 200.
    fn answers(&mut self, who: &str, body: &str) {
        let invite = self.asked(who, &Method::Invite).expect("an INVITE");
        let mut writer = Writer::answer(&invite, 200, Some("phone"));
        writer.contact(format_args!("sip:it@{who}"));
        self.hears(who, writer.sdp(Some(body.as_bytes())));
    }

    /// The agent's phone answers our last INVITE with something else than 200.
    fn refuses(&mut self, status: u16) {
        let invite = self.asked(PHONE, &Method::Invite).expect("an INVITE");
        self.hears(PHONE, Writer::answer(&invite, status, Some("phone")).finish());
    }

    /// A request of the agent's phone in its dialog.
    fn phone_asks(&mut self, method: &str, cseq: u32, body: &str) {
        let ours = self.asked(PHONE, &Method::Invite).expect("an INVITE");
        let header = |name| ours.head.headers.text(&name).unwrap_or_default();
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let mut own = header(HeaderName::To).to_owned();
        if !own.contains(";tag=") {
            own.push_str(";tag=phone");
        }
        let text = format!(
            "{method} sip:desk@192.0.2.1 SIP/2.0\r\n\
             Via: SIP/2.0/UDP {PHONE};branch=z9hG4bKphone{cseq}\r\n\
             Max-Forwards: 70\r\n\
             From: {}\r\nTo: {}\r\nCall-ID: {}\r\n\
             CSeq: {cseq} {method}\r\n\
             Contact: <sip:2001@{PHONE}>\r\n\
             {kind}Content-Length: {}\r\n\r\n{body}",
            own,
            header(HeaderName::From),
            header(HeaderName::CallId),
            body.len()
        );
        self.hears(PHONE, Bytes::from(text));
    }

    /// Our last answer to the agent's phone.
    fn answered_phone(&self) -> Option<Response> {
        self.sent.iter().rev().find_map(|(to, message)| match message {
            Message::Response(response) if *to == address(PHONE) => Some(response.clone()),
            _ => None,
        })
    }

    fn ended(&self) -> Vec<(Party, EndCause)> {
        let ends = self.told.iter().filter_map(|event| match event {
            CallEvent::Ended { by, cause } => Some((*by, cause.clone())),
            _ => None,
        });
        ends.collect()
    }
}

fn now(ms: u64) -> Now {
    Now { mono: Mono(ms * 1000), wall: Wall(1_800_000_000_000) }
}

/// The version in `o=`.
fn version(sdp: &[u8]) -> u64 {
    let text = std::str::from_utf8(sdp).expect("text");
    let origin = text.lines().find_map(|line| line.strip_prefix("o=")).expect("an origin");
    origin.split(' ').nth(2).and_then(|version| version.parse().ok()).expect("a version")
}

/// The caller talks with the agent.
fn talking() -> Room {
    let mut room = Room::new(true, 20_999);
    room.calls("one", "INVITE", 1, &sdp("192.0.2.7", 4000, "sendrecv"));
    room.answers(PHONE, &sdp("192.0.2.8", 4002, "sendrecv"));
    room.calls("one", "ACK", 1, "");
    assert!(room.told.iter().any(|event| matches!(event, CallEvent::OperatorAnswered { .. })));
    room
}

#[test]
fn a_caller_who_does_not_answer_our_offer_is_not_left_on_a_dead_line() {
    let mut room = Room::new(false, 20_999);
    room.calls("one", "INVITE", 1, "");
    assert_eq!(room.last_status(), Some(200));
    room.calls("one", "ACK", 1, "");
    assert!(room.asked(CALLER, &Method::Bye).is_some());
    let [(Party::System, EndCause::Fault { .. })] = &room.ended()[..] else {
        panic!("{:?}", room.told);
    };
}

#[test]
fn a_caller_who_cannot_be_answered_makes_no_phone_ring() {
    let hosts = [("a name", "phone.example"), ("a group", "224.0.0.1")];
    for (case, host) in hosts {
        let mut room = Room::new(true, 20_999);
        room.calls("one", "INVITE", 1, &sdp(host, 4000, "sendrecv"));
        assert_eq!(room.last_status(), Some(488), "{case}");
        assert!(room.asked(PHONE, &Method::Invite).is_none(), "{case}");
        assert_eq!(room.ended().len(), 1, "{case}");
    }
}

#[test]
fn no_agent_picks_up_for_a_caller_who_gets_no_port() {
    let mut room = Room::new(true, 20_001);
    room.calls("one", "INVITE", 1, &sdp("192.0.2.7", 4000, "sendrecv"));
    assert!(room.asked(PHONE, &Method::Invite).is_none(), "one port is no conversation");
    assert_eq!(room.last_status(), Some(200), "the caller has it, and hears that all are busy");
}

#[test]
fn a_call_held_and_taken_back_without_an_offer_is_heard_again() {
    let mut room = talking();
    room.calls("one", "INVITE", 2, &sdp("192.0.2.7", 4000, "sendonly"));
    room.calls("one", "ACK", 2, "");
    room.answers(PHONE, &sdp("192.0.2.8", 4002, "recvonly"));
    assert_eq!(room.told.last(), Some(&CallEvent::Held { by: Party::Caller }));
    // RFC 3261 §14.2: the 2xx carries our offer, the ACK the caller's answer.
    room.calls("one", "INVITE", 3, "");
    room.calls("one", "ACK", 3, &sdp("192.0.2.7", 4000, "sendrecv"));
    assert_eq!(room.told.last(), Some(&CallEvent::Resumed { by: Party::Caller }));
    assert_eq!(room.media.last(), Some(&Media::Stop { leg: LegId(2) }), "the music ends");
}

#[test]
fn after_two_holds_that_crossed_what_we_say_is_never_older_than_what_we_said() {
    let mut room = talking();
    room.calls("one", "INVITE", 2, &sdp("192.0.2.7", 4000, "sendonly"));
    room.calls("one", "ACK", 2, "");
    // Our re-INVITE to the agent's phone meets the phone's own.
    room.phone_asks("INVITE", 1, &sdp("192.0.2.8", 4002, "sendonly"));
    assert_eq!(room.answered_phone().map(|answer| answer.status), Some(491));
    room.phone_asks("ACK", 1, "");
    room.refuses(491);
    // Ours waits 2.1 s at least, the phone's next try comes first.
    room.pass(1_000);
    let before = room.asked(PHONE, &Method::Invite).expect("an INVITE").head.cseq.number;
    room.phone_asks("INVITE", 2, &sdp("192.0.2.8", 4002, "sendonly"));
    let answer = room.answered_phone().expect("an answer");
    assert_eq!(answer.status, 200);
    room.phone_asks("ACK", 2, "");
    let again = room.asked(PHONE, &Method::Invite).expect("an INVITE");
    assert!(again.head.cseq.number > before, "ours goes out after the phone's");
    assert!(version(&again.body) > version(&answer.body));
    assert!(room.told.contains(&CallEvent::Held { by: Party::Agent }));
}

#[test]
fn a_muted_caller_keeps_its_place_in_the_queue() {
    let mut room = Room::new(false, 20_999);
    room.calls("one", "INVITE", 1, &sdp("192.0.2.7", 4000, "sendrecv"));
    room.calls("one", "ACK", 1, "");
    room.input(Input::Media(Notice::Silent { leg: LegId(1) }));
    for _ in 0..3 {
        room.pass(5_000);
        room.answers(CALLER, &sdp("192.0.2.7", 4000, "sendrecv"));
    }
    assert_eq!(room.ended(), []);
    room.input(Input::Media(Notice::Heard { leg: LegId(1) }));
    let asked = room.sent.len();
    room.pass(6_000);
    assert_eq!(room.sent.len(), asked, "who is heard is not asked");
}

#[test]
fn a_caller_who_vanished_gives_its_place_back() {
    let mut room = Room::new(false, 20_999);
    room.calls("one", "INVITE", 1, &sdp("192.0.2.7", 4000, "sendrecv"));
    room.calls("one", "ACK", 1, "");
    room.input(Input::Media(Notice::Silent { leg: LegId(1) }));
    room.pass(38_000); // 5 s, then 64·T1 without an answer; the longest wait is 40 s
    assert_eq!(room.ended(), [(Party::Caller, EndCause::HungUp)]);
    assert_eq!(room.gauges().legs, 0);
}

/// The caller holds, and the agent's phone is told.
fn held() -> Room {
    let mut room = talking();
    room.calls("one", "INVITE", 2, &sdp("192.0.2.7", 4000, "inactive"));
    room.calls("one", "ACK", 2, "");
    room.answers(PHONE, &sdp("192.0.2.8", 4002, "recvonly"));
    room
}

#[test]
fn a_hold_that_both_sides_left_without_a_word_ends() {
    let mut room = held();
    room.pass(60_000); // four times 5 s, then 64·T1 without an answer
    assert_eq!(room.ended().len(), 1);
    assert_eq!(room.gauges().legs, 0);
}

#[test]
fn a_long_hold_goes_on_while_both_sides_answer() {
    let mut room = held();
    for _ in 0..5 {
        room.pass(20_000);
        room.answers(CALLER, &sdp("192.0.2.7", 4000, "inactive"));
        room.answers(PHONE, &sdp("192.0.2.8", 4002, "recvonly"));
    }
    assert_eq!(room.ended(), []);
    let resumed = room.told.iter().any(|event| matches!(event, CallEvent::Resumed { .. }));
    assert!(!resumed, "asking is no end of the hold");
}

#[test]
fn silence_before_a_hold_does_not_count_against_who_takes_the_call_back() {
    let mut room = talking();
    room.input(Input::Media(Notice::Silent { leg: LegId(1) }));
    for (cseq, direction) in [(2, "inactive"), (3, "sendrecv")] {
        room.calls("one", "INVITE", cseq, &sdp("192.0.2.7", 4000, direction));
        room.calls("one", "ACK", cseq, "");
        room.answers(PHONE, &sdp("192.0.2.8", 4002, "sendrecv"));
    }
    room.pass(6_000);
    assert!(room.asked(CALLER, &Method::Invite).is_none());
}

#[test]
fn a_panic_over_one_caller_costs_no_other_caller_its_end() {
    let mut room = Room::new(false, 20_999);
    for call in ["one", "two"] {
        room.calls(call, "INVITE", 1, &sdp("192.0.2.7", 4000, "sendrecv"));
    }
    assert_eq!(room.gauges().desk.calls, 2);
    // Neither acknowledges our 200; both are given up at the same instant, the first with a fault.
    room.engine.breaks_at = Some(LegId(1));
    room.pass(33_000);
    let ended = room.ended();
    assert!(matches!(ended[..], [_, _]), "{ended:?}");
    assert!(ended.contains(&(Party::Caller, EndCause::HungUp)), "{ended:?}");
    assert!(ended.iter().any(|(_, cause)| matches!(cause, EndCause::Fault { .. })), "{ended:?}");
    assert_eq!(room.gauges().legs, 0);
}

impl Room {
    /// The agent's phone watches a lamp; the states that its NOTIFYs showed since, each answered.
    fn watches(&mut self, number: &str) {
        let text = format!(
            "SUBSCRIBE sip:{number}@192.0.2.1 SIP/2.0\r\n\
             Via: SIP/2.0/UDP {PHONE};branch=z9hG4bKwatch\r\nMax-Forwards: 70\r\n\
             From: <sip:2001@192.0.2.1>;tag=w\r\nTo: <sip:{number}@192.0.2.1>\r\n\
             Call-ID: watch\r\nCSeq: 1 SUBSCRIBE\r\nContact: <sip:2001@{PHONE}>\r\n\
             Event: dialog\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n"
        );
        self.hears(PHONE, Bytes::from(text));
    }

    fn shown(&mut self) -> Vec<String> {
        let mut shown = Vec::new();
        let mut last = 0;
        while let Some(notify) = self.asked(PHONE, &Method::Notify) {
            let seq = notify.head.cseq.number;
            if seq == last {
                break;
            }
            last = seq;
            let body = String::from_utf8_lossy(&notify.body).into_owned();
            let part = |open: &str, close: &str| {
                let rest = body.split(open).nth(1)?;
                rest.split(close).next().map(ToOwned::to_owned)
            };
            let mut words = part("<state>", "</state>").unwrap_or_else(|| "dark".to_owned());
            if let Some(direction) = part("direction=\"", "\"") {
                words = format!("{direction} {words}");
            }
            if body.contains("+sip.rendering") {
                words.push_str(" held");
            }
            if let Some(with) = part("<target uri=\"sip:0", "@") {
                words = format!("{words} 0{with}");
            }
            shown.push(words);
            self.hears(PHONE, Writer::answer(&notify, 200, None).finish());
        }
        shown
    }
}

#[test]
fn a_lamp_shows_ring_talk_hold_and_dark() {
    let mut room = Room::new(true, 20_999);
    room.watches("2001");
    assert_eq!(room.shown(), ["dark"]);
    room.calls("one", "INVITE", 1, &sdp("192.0.2.7", 4000, "sendrecv"));
    assert_eq!(room.shown(), ["recipient trying 0312345611"]);
    room.refuses(180);
    assert_eq!(room.shown(), ["recipient early 0312345611"]);
    room.answers(PHONE, &sdp("192.0.2.8", 4002, "sendrecv"));
    room.calls("one", "ACK", 1, "");
    assert_eq!(room.shown(), ["recipient confirmed 0312345611"]);
    room.phone_asks("INVITE", 1, &sdp("192.0.2.8", 4002, "sendonly"));
    assert_eq!(room.shown(), ["recipient confirmed held 0312345611"]);
    room.phone_asks("BYE", 2, "");
    assert_eq!(room.shown(), ["dark"]);
    assert_eq!(room.gauges().sip.subscriptions, 1);
}
