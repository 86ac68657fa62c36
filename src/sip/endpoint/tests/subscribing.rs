//! Phones that watch: from the first SUBSCRIBE to the last NOTIFY, through refusals, lost connections
//! and restarts (RFC 6665, RFC 4235, RFC 3842, RFC 3680).

use super::admission::authorization;
use super::{Effect, Flow, at, directory, line, settings, tcp, udp, wire};
use crate::base::{LegId, Number, Private, Rng};
use crate::sip::api::{
    Circles, KeptSubscription, Lamp, LampCall, LampStage, Settings, Shown, SubscriptionChange,
};
use crate::sip::endpoint::Endpoint;
use crate::sip::subscription::MAX_PER_ACCOUNT;
use crate::sip::{HeaderName, Message, Method, Request, parse};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};

/// A phone of account 1000 and the desk it watches; 1001 is of its group, 2000 is not.
struct Watcher {
    endpoint: Endpoint,
    flow: Flow,
    ms: u64,
    cseq: u32,
    call_id: &'static str,
    /// Our tag, once there is a dialog.
    to_tag: Option<String>,
    /// NOTIFYs that came and were not answered yet.
    notifies: Vec<Request>,
    /// What the store holds.
    kept: BTreeMap<String, KeptSubscription>,
    lamps: BTreeMap<Number, Lamp>,
    /// The branch of the last NOTIFY.
    told: Option<Option<String>>,
    /// The way that it went.
    told_by: Option<Flow>,
}

fn lamp(stage: LampStage) -> Lamp {
    let with = Some(Shown { user: Private::new("0312345678".to_owned()), name: None });
    Lamp {
        calls: vec![LampCall {
            leg: LegId(4),
            placed: false,
            stage,
            held: false,
            with,
            dialog: None,
        }],
    }
}

fn circles() -> Circles {
    let circle =
        |number: &str, list: &[u32]| (Number::from(number), list.iter().copied().collect());
    Circles(BTreeMap::<Number, BTreeSet<u32>>::from([
        circle("1000", &[0]),
        circle("1001", &[0]),
        circle("2000", &[]),
    ]))
}

fn endpoint(seed: u64) -> Endpoint {
    let mut endpoint = Endpoint::new(settings(), directory(), Rng::from_number(seed));
    endpoint.set_circles(circles());
    endpoint
}

impl Watcher {
    fn new(flow: Flow) -> Self {
        Self {
            endpoint: endpoint(5),
            flow,
            ms: 0,
            cseq: 1,
            call_id: "watch",
            to_tag: None,
            notifies: Vec::new(),
            kept: BTreeMap::new(),
            lamps: BTreeMap::new(),
            told: None,
            told_by: None,
        }
    }

    fn message(&self, method: &str, what: &str, lines: &str, proof: &str) -> Bytes {
        let Self { cseq, call_id, .. } = self;
        let tag = self.to_tag.as_ref().map(|tag| format!(";tag={tag}")).unwrap_or_default();
        let transport = self.flow.transport.in_via();
        wire(
            &format!(
                "{method} sip:{what}@desk.example SIP/2.0
                 Via: SIP/2.0/{transport} 198.51.100.9:5060;branch=z9hG4bK{call_id}{cseq}{};rport
                 Max-Forwards: 70
                 From: <sip:1000@desk.example>;tag=f
                 To: <sip:{what}@desk.example>{tag}
                 Call-ID: {call_id}
                 CSeq: {cseq} {method}
                 Contact: <sip:1000@198.51.100.9:5060>
                 {lines}{proof}",
                proof.len()
            ),
            "",
        )
    }

    /// SUBSCRIBE with both rounds of digest; the final answer.
    fn subscribe(&mut self, what: &str, lines: &str) -> String {
        let challenge = self.send(self.message("SUBSCRIBE", what, lines, ""));
        if !line(&challenge).starts_with("401") {
            return line(&challenge);
        }
        let uri = format!("sip:{what}@desk.example");
        let proof = authorization(&challenge, "1000", "pw1000", &Method::Subscribe, &uri);
        self.cseq += 1;
        let answer = self.send(self.message("SUBSCRIBE", what, lines, &format!("\n{proof}")));
        self.cseq += 1;
        if let Ok(Message::Response(response)) = parse(&answer)
            && response.status == 200
        {
            self.to_tag = response.head.to.tag().map(ToOwned::to_owned);
        }
        line(&answer)
    }

    fn send(&mut self, bytes: Bytes) -> Bytes {
        let mut out = Vec::new();
        self.endpoint.receive(self.flow, bytes, false, at(self.ms), &mut out);
        self.take(out).expect("an answer")
    }

    /// What came of something: answers, NOTIFYs, what is to be stored, and what is asked of the engine.
    fn take(&mut self, effects: Vec<Effect>) -> Option<Bytes> {
        let mut answer = None;
        for effect in effects {
            match effect {
                Effect::Send { flow, bytes, free } => match parse(&bytes).expect("ours") {
                    Message::Response(_) => {
                        answer.get_or_insert(bytes);
                    }
                    // What keeps a NAT open.
                    Message::Request(request) if request.method == Method::Options => {}
                    Message::Request(request) => {
                        assert!(!free, "what a NOTIFY needs is stored before");
                        let seq = request.head.cseq.number;
                        let promised = self.kept.values().map(|kept| kept.promised).max();
                        let last = text(&request, &HeaderName::SubscriptionState)
                            .starts_with("terminated");
                        assert!(last || promised >= Some(seq), "{seq} was not promised");
                        // A repetition over UDP is none that waits.
                        if self.told.replace(request.head.via.branch().map(Into::into))
                            != Some(request.head.via.branch().map(Into::into))
                        {
                            self.notifies.push(request);
                            self.told_by = Some(flow);
                        }
                    }
                },
                Effect::Subscription(SubscriptionChange::Put(kept)) => {
                    self.kept.insert(kept.tag.clone(), *kept);
                }
                Effect::Subscription(SubscriptionChange::Remove { tag }) => {
                    assert!(self.kept.remove(&tag).is_some(), "what is removed was there");
                }
                Effect::Watched(number) => {
                    let lamp = self.lamps.get(&number).cloned().unwrap_or_default();
                    self.show(&number, lamp);
                }
                Effect::Binding(_) => {}
                Effect::Leg { .. } | Effect::LookUp(_) => panic!("no leg"),
            }
        }
        answer
    }

    fn show(&mut self, number: &Number, lamp: Lamp) {
        self.lamps.insert(number.clone(), lamp.clone());
        let mut out = Vec::new();
        self.endpoint.show(number, lamp, at(self.ms), &mut out);
        self.take(out);
    }

    /// The oldest NOTIFY is answered; it is handed back.
    fn answer(&mut self, status: &str) -> Request {
        let request = self.notifies.remove(0);
        let copy = |name: &HeaderName| text(&request, name);
        let head = format!(
            "SIP/2.0 {status}
             Via: {}
             From: {}
             To: {}
             Call-ID: {}
             CSeq: {}",
            copy(&HeaderName::Via),
            copy(&HeaderName::From),
            copy(&HeaderName::To),
            copy(&HeaderName::CallId),
            copy(&HeaderName::CSeq),
        );
        let mut out = Vec::new();
        let bytes = wire(&format!("{head}\n"), "");
        self.endpoint.receive(self.flow, bytes, false, at(self.ms), &mut out);
        self.take(out);
        request
    }

    fn pass(&mut self, ms: u64) {
        let end = self.ms + ms;
        while let Some(due) = self.endpoint.next_deadline().filter(|due| due.0 <= end * 1_000) {
            assert_eq!(self.endpoint.restless_ticks(), 0, "what is due comes to an end");
            self.ms = self.ms.max(due.0.div_ceil(1_000));
            let mut out = Vec::new();
            self.endpoint.tick(at(self.ms), &mut out);
            self.take(out);
        }
        self.ms = end;
    }

    /// `kill -9` and a new start, in which nothing is left but what was stored.
    fn restart(&mut self) {
        self.endpoint = endpoint(6);
        self.notifies.clear();
        let kept: Vec<_> = self.kept.values().cloned().collect();
        self.endpoint.restore_subscriptions(kept, at(self.ms));
    }

    fn subscriptions(&self) -> usize {
        self.endpoint.gauges().subscriptions
    }
}

fn text(request: &Request, name: &HeaderName) -> String {
    let value = request.head.headers.get(name).unwrap_or_default();
    String::from_utf8_lossy(value).into_owned()
}

fn body(request: &Request) -> String {
    String::from_utf8_lossy(&request.body).into_owned()
}

/// `CSeq` and the document's version.
fn numbers(request: &Request) -> (u32, u32) {
    let body = body(request);
    let version = body.split("version=\"").nth(2).or_else(|| body.split("version=\"").nth(1));
    let version = version.and_then(|rest| rest.split('"').next()).expect("a version");
    (request.head.cseq.number, version.parse().expect("a number"))
}

fn phone() -> Flow {
    udp("198.51.100.9:5060")
}

const LAMP: &str = "Event: dialog\nExpires: 600\n";

#[test]
fn a_lamp_follows_the_phone_it_shows() {
    let mut watcher = Watcher::new(phone());
    assert_eq!(watcher.subscribe("1001", LAMP), "200 SUBSCRIBE 2");
    let first = watcher.answer("200 OK");
    assert_eq!(first.method, Method::Notify);
    assert_eq!(text(&first, &HeaderName::Event), "dialog");
    assert_eq!(text(&first, &HeaderName::SubscriptionState), "active;expires=600");
    assert_eq!(text(&first, &HeaderName::ContentType), "application/dialog-info+xml");
    assert!(body(&first).contains("entity=\"sip:1001@desk.example\""), "{}", body(&first));
    assert!(!body(&first).contains("<dialog "));
    assert_eq!(numbers(&first), (1, 0));

    watcher.show(&"1001".into(), lamp(LampStage::Early));
    let second = watcher.answer("200 OK");
    assert!(body(&second).contains("<state>early</state>"));
    assert!(body(&second).contains("0312345678"), "of one group");
    assert_eq!(numbers(&second), (2, 1));

    watcher.show(&"1001".into(), lamp(LampStage::Early));
    assert!(watcher.notifies.is_empty(), "nothing has changed");
    watcher.show(&"2000".into(), lamp(LampStage::Early));
    assert!(watcher.notifies.is_empty(), "another's lamp");
    assert_eq!(watcher.kept.len(), 1);
}

#[test]
fn with_whom_another_groups_member_speaks_is_not_told() {
    let mut watcher = Watcher::new(phone());
    watcher.lamps.insert("2000".into(), lamp(LampStage::Confirmed));
    assert_eq!(watcher.subscribe("2000", LAMP), "200 SUBSCRIBE 2");
    let told = watcher.answer("200 OK");
    assert!(body(&told).contains("<state>confirmed</state>"));
    assert!(!body(&told).contains("0312345678") && !body(&told).contains("<remote>"));
}

#[test]
fn notifies_go_one_at_a_time_and_what_happens_meanwhile_is_one() {
    let mut watcher = Watcher::new(phone());
    watcher.subscribe("1001", LAMP);
    for stage in [LampStage::Trying, LampStage::Early, LampStage::Confirmed] {
        watcher.show(&"1001".into(), lamp(stage));
    }
    assert_eq!(watcher.notifies.len(), 1, "the first is not answered yet");
    watcher.answer("200 OK");
    let second = watcher.answer("200 OK");
    assert!(body(&second).contains("confirmed"));
    assert!(watcher.notifies.is_empty());
}

#[test]
fn who_may_not_watch_is_refused_without_state() {
    let table = [
        ("1001", "Event: presence\n", "489 SUBSCRIBE 1"),
        ("1001", "Event: dialog;sla\n", "489 SUBSCRIBE 1"),
        ("1001", "Expires: 600\n", "489 SUBSCRIBE 1"),
        ("1001", "Event: dialog\nAccept: application/pidf+xml\n", "406 SUBSCRIBE 1"),
        ("1001", "Event: dialog\nRequire: eventlist\n", "420 SUBSCRIBE 1"),
        ("9999", LAMP, "404 SUBSCRIBE 2"),
        ("1001", "Event: dialog\nExpires: 59\n", "423 SUBSCRIBE 2"),
        ("1001", "Event: message-summary\n", "403 SUBSCRIBE 2"),
        ("1001", "Event: reg\n", "403 SUBSCRIBE 2"),
        ("9999", "Event: reg\n", "403 SUBSCRIBE 2"),
    ];
    for (what, lines, want) in table {
        let mut watcher = Watcher::new(phone());
        assert_eq!(watcher.subscribe(what, lines), want, "{what} {lines}");
        assert_eq!(watcher.subscriptions(), 0, "{what} {lines}");
        assert_eq!(watcher.endpoint.gauges().server_transactions, 0, "{what} {lines}");
    }
    // Trunks watch nothing.
    let mut carrier = Watcher::new(udp("192.0.2.7:5060"));
    assert_eq!(carrier.subscribe("1001", LAMP), "403 SUBSCRIBE 1");
}

#[test]
fn a_lease_is_granted_shortened_renewed_and_given_back() {
    let mut watcher = Watcher::new(phone());
    assert_eq!(watcher.subscribe("1001", "Event: dialog\nExpires: 99999\n"), "200 SUBSCRIBE 2");
    let told = watcher.answer("200 OK");
    assert_eq!(text(&told, &HeaderName::SubscriptionState), "active;expires=7200");
    watcher.pass(60_000);
    assert_eq!(watcher.subscribe("1001", LAMP), "200 SUBSCRIBE 4");
    let told = watcher.answer("200 OK");
    assert_eq!(text(&told, &HeaderName::SubscriptionState), "active;expires=600");
    assert_eq!(numbers(&told), (2, 1), "each SUBSCRIBE is followed by a NOTIFY");
    assert_eq!(watcher.subscriptions(), 1);
    assert_eq!(watcher.subscribe("1001", "Event: dialog\nExpires: 0\n"), "200 SUBSCRIBE 6");
    let told = watcher.answer("200 OK");
    assert_eq!(text(&told, &HeaderName::SubscriptionState), "terminated;reason=timeout");
    assert_eq!((watcher.subscriptions(), watcher.kept.len()), (0, 0));
    assert_eq!(watcher.subscribe("1001", LAMP), "481 SUBSCRIBE 7", "that one is over");
}

#[test]
fn a_lease_that_lapses_is_told_and_one_that_was_asked_for_nothing_is_told_once() {
    let mut watcher = Watcher::new(phone());
    watcher.subscribe("1001", LAMP);
    watcher.answer("200 OK");
    watcher.pass(599_000);
    assert!(watcher.notifies.is_empty());
    watcher.pass(1_000);
    let told = watcher.answer("200 OK");
    assert_eq!(text(&told, &HeaderName::SubscriptionState), "terminated;reason=timeout");
    assert_eq!((watcher.subscriptions(), watcher.kept.len()), (0, 0));

    let mut watcher = Watcher::new(phone());
    watcher.lamps.insert("1001".into(), lamp(LampStage::Early));
    assert_eq!(watcher.subscribe("1001", "Event: dialog\nExpires: 0\n"), "200 SUBSCRIBE 2");
    assert_eq!(watcher.notifies.len(), 1);
    let told = watcher.answer("200 OK");
    assert!(body(&told).contains("early"));
    assert_eq!(text(&told, &HeaderName::SubscriptionState), "terminated;reason=timeout");
    assert_eq!((watcher.subscriptions(), watcher.kept.len()), (0, 0));
}

#[test]
fn a_lease_that_lapses_while_a_notify_is_unanswered_ends_with_it() {
    for answers in [true, false] {
        let mut watcher = Watcher::new(phone());
        watcher.subscribe("1001", LAMP);
        watcher.answer("200 OK");
        watcher.pass(590_000);
        watcher.show(&"1001".into(), lamp(LampStage::Early));
        watcher.pass(20_000);
        assert_eq!((watcher.subscriptions(), watcher.notifies.len()), (1, 1), "it may answer yet");
        if answers {
            watcher.answer("200 OK");
            let told = watcher.answer("200 OK");
            assert_eq!(text(&told, &HeaderName::SubscriptionState), "terminated;reason=timeout");
        } else {
            watcher.pass(12_000);
        }
        assert_eq!((watcher.subscriptions(), watcher.kept.len()), (0, 0));
    }
}

#[test]
fn a_repeated_subscribe_makes_no_second_subscription() {
    let mut watcher = Watcher::new(phone());
    let challenge = watcher.send(watcher.message("SUBSCRIBE", "1001", LAMP, ""));
    let uri = "sip:1001@desk.example";
    let proof = authorization(&challenge, "1000", "pw1000", &Method::Subscribe, uri);
    let bytes = watcher.message("SUBSCRIBE", "1001", LAMP, &format!("\n{proof}"));
    let one = watcher.send(bytes.clone());
    let two = watcher.send(bytes);
    assert_eq!(one, two);
    assert_eq!((watcher.subscriptions(), watcher.notifies.len()), (1, 1));
}

#[test]
fn a_phone_that_knows_no_subscription_any_more_loses_it_and_a_busy_one_is_asked_again() {
    for (status, kept) in [
        ("481 Gone", false),
        ("404 Nobody", false),
        ("401 Who", false),
        ("503 Busy\n Retry-After: 7", true),
        ("500 Oops", true),
    ] {
        let mut watcher = Watcher::new(phone());
        watcher.subscribe("1001", LAMP);
        watcher.answer(&status.replace("\n ", "\n             "));
        assert_eq!(watcher.subscriptions() == 1, kept, "{status}");
        assert_eq!(watcher.kept.len() == 1, kept, "{status}");
        if kept {
            watcher.show(&"1001".into(), lamp(LampStage::Early));
            assert!(watcher.notifies.is_empty(), "{status}");
            watcher.pass(7_000);
            assert!(body(&watcher.answer("200 OK")).contains("early"), "{status}");
        }
    }
    // Nobody answers.
    let mut watcher = Watcher::new(phone());
    watcher.subscribe("1001", LAMP);
    watcher.pass(40_000);
    assert_eq!((watcher.subscriptions(), watcher.kept.len()), (0, 0));
}

#[test]
fn after_a_restart_the_lamp_is_right_by_itself_and_no_number_goes_back() {
    let mut watcher = Watcher::new(phone());
    watcher.subscribe("1001", "Event: dialog;id=k1\nExpires: 7200\n");
    let mut last = numbers(&watcher.answer("200 OK"));
    for round in 0..4 {
        for change in 0..300 {
            let stage = if change % 2 == 0 { LampStage::Early } else { LampStage::Confirmed };
            watcher.show(&"1001".into(), lamp(stage));
            let now = numbers(&watcher.answer("200 OK"));
            assert!(now.0 == last.0 + 1 && now.1 == last.1 + 1, "{last:?} {now:?}");
            last = now;
        }
        // The clock is set back by a year: nothing may hang on it.
        watcher.lamps.insert("1001".into(), Lamp::default());
        watcher.restart();
        watcher.pass(2_000);
        let told = watcher.answer("200 OK");
        assert_eq!(text(&told, &HeaderName::Event), "dialog;id=k1");
        assert!(!body(&told).contains("<dialog "), "round {round}: what the phone knew is over");
        let now = numbers(&told);
        assert!(now.0 > last.0 && now.1 > last.1, "{last:?} {now:?}");
        last = now;
    }
    // The phone renews in the same dialog as if nothing had been.
    assert!(watcher.subscribe("1001", "Event: dialog;id=k1\n").starts_with("200"));
}

#[test]
fn after_a_restart_who_may_not_watch_any_more_is_told_so() {
    let mut watcher = Watcher::new(phone());
    watcher.subscribe("1001", LAMP);
    watcher.answer("200 OK");
    watcher.restart();
    watcher.endpoint.set_circles(Circles::default());
    watcher.pass(2_000);
    let told = watcher.answer("200 OK");
    assert_eq!(text(&told, &HeaderName::SubscriptionState), "terminated;reason=noresource");
    assert_eq!((watcher.subscriptions(), watcher.kept.len()), (0, 0));
}

#[test]
fn a_lost_connection_is_found_again_by_the_next_subscribe_or_register() {
    let mut watcher = Watcher::new(tcp("198.51.100.9:40000", 7));
    watcher.subscribe("1001", LAMP);
    watcher.answer("200 OK");
    let mut out = Vec::new();
    watcher.endpoint.flow_lost(watcher.flow, at(0), &mut out);
    watcher.take(out);
    watcher.show(&"1001".into(), lamp(LampStage::Early));
    assert!(watcher.notifies.is_empty(), "nobody is there");
    assert_eq!(watcher.subscriptions(), 1);

    watcher.flow = tcp("198.51.100.9:40001", 8);
    let subscription = (watcher.to_tag.take(), watcher.call_id);
    let lines = "Expires: 600\n";
    let challenge = watcher.send(watcher.message("REGISTER", "1000", lines, ""));
    let uri = "sip:1000@desk.example";
    let proof = authorization(&challenge, "1000", "pw1000", &Method::Register, uri);
    watcher.cseq += 1;
    let answer = watcher.send(watcher.message("REGISTER", "1000", lines, &format!("\n{proof}")));
    assert!(line(&answer).starts_with("200"), "{}", line(&answer));
    assert!(body(&watcher.answer("200 OK")).contains("early"));

    let mut out = Vec::new();
    watcher.endpoint.flow_lost(watcher.flow, at(0), &mut out);
    watcher.take(out);
    watcher.flow = tcp("198.51.100.9:40002", 9);
    (watcher.to_tag, watcher.call_id) = subscription;
    watcher.cseq += 1;
    assert!(watcher.subscribe("1001", LAMP).starts_with("200"));
    assert!(body(&watcher.answer("200 OK")).contains("early"));
}

#[test]
fn a_notify_that_went_the_old_way_is_said_again_on_the_new_one() {
    for (way, moved) in [
        (tcp("198.51.100.9:40000", 7), tcp("198.51.100.9:40001", 8)),
        (udp("198.51.100.9:7000"), udp("198.51.100.9:6000")),
    ] {
        for registers in [true, false] {
            let mut watcher = Watcher::new(way);
            watcher.subscribe("1001", LAMP);
            watcher.answer("200 OK");
            watcher.show(&"1001".into(), lamp(LampStage::Early));
            assert_eq!((watcher.notifies.len(), watcher.told_by), (1, Some(way)));
            watcher.notifies.clear(); // the phone is gone from there
            watcher.pass(5_000);
            watcher.notifies.clear();
            watcher.flow = moved;
            if registers {
                let subscription = watcher.to_tag.take();
                let challenge = watcher.send(watcher.message("REGISTER", "1000", "", ""));
                let uri = "sip:1000@desk.example";
                let proof = authorization(&challenge, "1000", "pw1000", &Method::Register, uri);
                watcher.cseq += 1;
                watcher.send(watcher.message("REGISTER", "1000", "", &format!("\n{proof}")));
                watcher.cseq += 1;
                watcher.to_tag = subscription;
            } else {
                assert!(watcher.subscribe("1001", LAMP).starts_with("200"));
            }
            assert_eq!((watcher.notifies.len(), watcher.told_by), (1, Some(moved)));
            while !watcher.notifies.is_empty() {
                assert!(body(&watcher.answer("200 OK")).contains("early"));
            }
            // That nobody answered the first says nothing any more.
            watcher.pass(40_000);
            assert_eq!((watcher.subscriptions(), watcher.kept.len()), (1, 1));
            watcher.notifies.clear(); // its repetitions
            watcher.show(&"1001".into(), Lamp::default());
            assert_eq!((watcher.notifies.len(), watcher.told_by), (1, Some(moved)));
        }
    }
}

#[test]
fn one_account_cannot_fill_the_table() {
    let mut watcher = Watcher::new(phone());
    let names: Vec<String> = (0..300).map(|number| format!("w{number}")).collect();
    for name in &names {
        watcher.to_tag = None;
        watcher.call_id = name.clone().leak();
        assert!(watcher.subscribe("1001", LAMP).starts_with("200"));
        if watcher.notifies.len() > 1 {
            let told = watcher.answer("200 OK");
            assert_eq!(text(&told, &HeaderName::SubscriptionState), "terminated;reason=rejected");
        }
        watcher.answer("200 OK");
    }
    assert_eq!(watcher.subscriptions(), MAX_PER_ACCOUNT);
    assert_eq!(watcher.kept.len(), watcher.subscriptions());
}

#[test]
fn a_phone_that_answers_no_notify_holds_no_more_than_its_share() {
    let mut watcher = Watcher::new(phone());
    let room = Settings { max_transactions: 10_000, ..settings() };
    watcher.endpoint = Endpoint::new(room, directory(), Rng::from_number(5));
    watcher.endpoint.set_circles(circles());
    let mut refused = 0;
    for number in 0..600 {
        watcher.to_tag = None;
        watcher.call_id = format!("w{number}").leak();
        let answer = watcher.subscribe("1001", LAMP);
        assert!(answer.starts_with("200") || answer.starts_with("503"), "{answer}");
        refused += usize::from(answer.starts_with("503"));
    }
    assert_eq!(watcher.subscriptions(), 2 * MAX_PER_ACCOUNT);
    assert_eq!(refused, 600 - 2 * MAX_PER_ACCOUNT);
    // It answers again: those that were in the way are told so, and no others.
    let rejected = |request: &Request| {
        text(request, &HeaderName::SubscriptionState) == "terminated;reason=rejected"
    };
    let mut ended = 0;
    while !watcher.notifies.is_empty() {
        ended += usize::from(rejected(&watcher.answer("200 OK")));
    }
    assert_eq!((ended, watcher.subscriptions()), (MAX_PER_ACCOUNT, MAX_PER_ACCOUNT));
    assert_eq!(watcher.kept.len(), watcher.subscriptions());
    watcher.to_tag = None;
    watcher.call_id = "after";
    assert!(watcher.subscribe("1001", LAMP).starts_with("200"));
}

#[test]
fn ones_own_registration_and_mailbox_are_told() {
    let mut watcher = Watcher::new(phone());
    assert_eq!(watcher.subscribe("1000", "Event: message-summary\n"), "200 SUBSCRIBE 2");
    let told = watcher.answer("200 OK");
    assert!(body(&told).starts_with("Messages-Waiting: no\r\n"), "{}", body(&told));

    let mut watcher = Watcher::new(phone());
    assert_eq!(watcher.subscribe("1000", "Event: reg\n"), "200 SUBSCRIBE 2");
    assert!(body(&watcher.answer("200 OK")).contains("state=\"terminated\""));
    let tag = watcher.to_tag.take();
    let lines = "Expires: 600\n";
    let challenge = watcher.send(watcher.message("REGISTER", "1000", lines, ""));
    let uri = "sip:1000@desk.example";
    let proof = authorization(&challenge, "1000", "pw1000", &Method::Register, uri);
    watcher.cseq += 1;
    watcher.send(watcher.message("REGISTER", "1000", lines, &format!("\n{proof}")));
    let told = watcher.answer("200 OK");
    assert!(body(&told).contains("<uri>sip:1000@198.51.100.9:5060</uri>"), "{}", body(&told));
    watcher.to_tag = tag;
    watcher.pass(600_000);
    assert!(body(&watcher.answer("200 OK")).contains("state=\"terminated\""), "it lapsed");
}
