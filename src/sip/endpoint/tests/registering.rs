//! REGISTER from the first challenge to the lapse, through restarts.

mod reconnecting;

use super::admission::authorization;
use super::{BindingChange, Effect, Flow, at, directory, line, settings, tcp, udp, wire};
use crate::base::{LegId, Rng, Wall};
use crate::sip::Method;
use crate::sip::api::{Binding, Shown};
use crate::sip::endpoint::Endpoint;
use bytes::Bytes;

/// A phone that registers.
struct Phone {
    endpoint: Endpoint,
    flow: Flow,
    user: &'static str,
    /// Whose password it knows.
    knows: &'static str,
    call_id: &'static str,
    cseq: u32,
    ms: u64,
    /// What changed in the location table with the last REGISTER.
    changes: Vec<BindingChange>,
    /// The last REGISTER as sent, with its proof.
    last: Bytes,
}

impl Phone {
    fn new() -> Self {
        let endpoint = Endpoint::new(settings(), directory(), Rng::from_number(5));
        let flow = udp("198.51.100.9:5060");
        let (changes, last, user, knows) = (Vec::new(), Bytes::new(), "1000", "1000");
        Self { endpoint, flow, user, knows, call_id: "reg", cseq: 1, ms: 0, changes, last }
    }

    fn message(&self, lines: &str, proof: &str) -> Bytes {
        let Self { user, call_id, cseq, .. } = self;
        wire(
            &format!(
                "REGISTER sip:desk.example SIP/2.0
                 Via: SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bK{call_id}{cseq}x{}x{};rport
                 From: <sip:{user}@desk.example>;tag=f
                 To: <sip:{user}@desk.example>
                 Call-ID: {call_id}
                 CSeq: {cseq} REGISTER
                 {lines}{proof}",
                lines.len(),
                proof.len()
            ),
            "",
        )
    }

    /// Both rounds; the last answer's status line word and its Contact lines.
    fn register(&mut self, lines: &str) -> (String, Vec<String>) {
        read(&self.answer(lines))
    }

    /// The last answer as it is.
    fn ask(&mut self, lines: &str) -> String {
        String::from_utf8_lossy(&self.answer(lines)).into_owned()
    }

    fn proof(&self, challenge: &Bytes) -> String {
        let password = format!("pw{}", self.knows);
        authorization(challenge, self.knows, &password, &Method::Register, "sip:desk.example")
    }

    fn answer(&mut self, lines: &str) -> Bytes {
        let challenge = self.send(self.message(lines, ""));
        let proof = self.proof(&challenge);
        self.last = self.message(lines, &format!("\n{proof}"));
        let answer = self.send(self.last.clone());
        self.cseq += 1;
        answer
    }

    fn send(&mut self, bytes: Bytes) -> Bytes {
        let mut out = Vec::new();
        self.endpoint.receive(self.flow, bytes, false, at(self.ms), &mut out);
        self.changes.clear();
        let mut answer = None;
        for effect in out {
            match effect {
                Effect::Send { bytes, free, .. } => {
                    assert!(
                        free || self.changes.is_empty() || answer.is_none(),
                        "changes come first"
                    );
                    assert!(
                        !free || self.changes.is_empty(),
                        "a change is stored before it is said"
                    );
                    answer = Some(bytes);
                }
                Effect::Binding(change) => self.changes.push(change),
                other => panic!("{other:?}"),
            }
        }
        answer.expect("an answer")
    }

    /// Ticks; what lapsed.
    fn pass(&mut self, ms: u64) -> Vec<String> {
        self.ms += ms;
        let mut out = Vec::new();
        self.endpoint.tick(at(self.ms), &mut out);
        out.into_iter()
            .filter_map(|effect| match effect {
                Effect::Binding(BindingChange::Remove { contact, .. }) => Some(contact),
                _ => None, // an INVITE that nobody answers
            })
            .collect()
    }

    /// An INVITE to the account.
    fn invite(&mut self) -> String {
        let mut out = Vec::new();
        let shown = Shown { user: "1".to_owned().into(), name: None };
        let leg = LegId(u64::from(self.cseq) * 2 + 100);
        let dialled =
            self.endpoint.dial(leg, &self.user.into(), &shown, None, at(self.ms), &mut out);
        assert!(dialled.is_ok());
        let Some(Effect::Send { bytes, .. }) = out.into_iter().next() else { panic!("no INVITE") };
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The Request-URI and the way of an INVITE to the account.
    fn dial(&mut self) -> Option<(String, Flow)> {
        let mut out = Vec::new();
        let shown = Shown { user: "1".to_owned().into(), name: None };
        self.endpoint.dial(LegId(2), &"1000".into(), &shown, None, at(self.ms), &mut out).ok()?;
        let Some(Effect::Send { flow, bytes, .. }) = out.into_iter().next() else {
            panic!("no INVITE")
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Some((text.split(' ').nth(1).unwrap_or_default().to_owned(), flow))
    }
}

fn read(answer: &Bytes) -> (String, Vec<String>) {
    let text = String::from_utf8_lossy(answer).into_owned();
    let contacts =
        text.lines().filter_map(|line| line.strip_prefix("Contact: ")).map(str::to_owned);
    (line(answer), contacts.collect())
}

fn ok(contacts: &[&str]) -> (u16, Vec<String>) {
    (200, contacts.iter().map(|contact| (*contact).to_owned()).collect())
}

fn short((status, contacts): (String, Vec<String>)) -> (u16, Vec<String>) {
    (status.split(' ').next().and_then(|word| word.parse().ok()).expect("a status"), contacts)
}

#[test]
fn a_life_of_a_registration() {
    let mut phone = Phone::new();
    let home = "Contact: <sip:1000@10.0.0.5:5060;line=7>";
    assert!(!phone.endpoint.reachable(&"1000".into()));
    let had = short(phone.register(&format!("{home}\nExpires: 600")));
    assert_eq!(had, ok(&["<sip:1000@10.0.0.5:5060;line=7>;expires=600"]));
    assert!(matches!(&phone.changes[..], [BindingChange::Put(binding)]
        if binding.expires_at == Wall(at(0).wall.0 + 600_000) && binding.account.as_str() == "1000"));
    assert!(phone.endpoint.reachable(&"1000".into()));
    phone.ms = 100_500;
    assert_eq!(short(phone.register("")), ok(&["<sip:1000@10.0.0.5:5060;line=7>;expires=500"]));
    assert!(phone.changes.is_empty(), "a question changes nothing");
    // A second phone of the account, then more than it may have: the oldest goes.
    phone.register("Contact: <sip:1000@10.0.0.6>;expires=60");
    phone.register("Contact: <sip:1000@10.0.0.7>");
    let had = short(phone.register("Contact: <sip:1000@[2001:db8::9]:5070>;expires=9999"));
    assert_eq!(
        had,
        ok(&[
            "<sip:1000@10.0.0.6>;expires=60",
            "<sip:1000@10.0.0.7>;expires=3600",
            "<sip:1000@[2001:db8::9]:5070>;expires=7200",
        ])
    );
    assert!(
        matches!(&phone.changes[..], [BindingChange::Remove { contact, .. }, BindingChange::Put(_)]
        if contact == "sip:1000@10.0.0.5:5060;line=7")
    );
    assert_eq!(phone.pass(60_000), ["sip:1000@10.0.0.6"]);
    assert_eq!(short(phone.register("Contact: <sip:1000@10.0.0.7>;expires=0")).1.len(), 1);
    assert_eq!(short(phone.register("Contact: *\nExpires: 0")), ok(&[]));
    assert_eq!(phone.endpoint.gauges().bindings, 0);
    assert!(!phone.endpoint.reachable(&"1000".into()) && phone.dial().is_none());
}

#[test]
fn what_is_asked_and_granted() {
    let contact = "Contact: <sip:1000@10.0.0.5>";
    let table = [
        ("nothing asked", contact.to_owned(), 200, ";expires=3600"),
        ("too brief", format!("{contact};expires=59"), 423, ""),
        ("too brief by header", format!("{contact}\nExpires: 1"), 423, ""),
        ("the least", format!("{contact};expires=60"), 200, ";expires=60"),
        (
            "the contact's word counts",
            format!("{contact};expires=90\nExpires: 1"),
            200,
            ";expires=90",
        ),
        ("above the most", format!("{contact};expires=99999999999999999999"), 200, ";expires="),
        ("a star needs Expires: 0", "Contact: *".to_owned(), 400, ""),
        ("a star and a lease", "Contact: *\nExpires: 60".to_owned(), 400, ""),
        ("odd scheme", "Contact: <mailto:x@y.example>".to_owned(), 400, ""),
        (
            "headers of a URI are not kept",
            "Contact: <sip:1000@10.0.0.5?Route=%3Csip:x.example%3E>".to_owned(),
            200,
            "<sip:1000@10.0.0.5>;",
        ),
        ("unknown parameters outside", format!("{contact};unknown=x"), 200, "<sip:1000@10.0.0.5>;"),
        (
            "unknown parameters inside",
            "Contact: <sip:1000@10.0.0.5;unknown=x>".to_owned(),
            200,
            "<sip:1000@10.0.0.5;unknown=x>;",
        ),
        ("too long", format!("Contact: <sip:{}@10.0.0.5>", "1".repeat(1_100)), 400, ""),
    ];
    for (case, lines, status, want) in table {
        let mut phone = Phone::new();
        let (had, contacts) = short(phone.register(&lines));
        assert_eq!(had, status, "{case}");
        assert!(contacts.len() == usize::from(status == 200), "{case}");
        assert!(contacts.iter().all(|contact| contact.contains(want)), "{case}: {contacts:?}");
        assert_eq!(phone.endpoint.gauges().bindings, contacts.len(), "{case}");
    }
}

#[test]
fn a_repetition_is_answered_and_an_overtaken_request_is_not_obeyed() {
    let mut phone = Phone::new();
    phone.register("Contact: <sip:1000@10.0.0.5>");
    let again = phone.send(phone.last.clone());
    assert_eq!(short(read(&again)).0, 200);
    assert!(phone.changes.is_empty(), "its digest is spent, and so is its effect");
    phone.register("Contact: <sip:1000@10.0.0.5>");
    phone.cseq = 1;
    assert_eq!(short(phone.register("Contact: <sip:1000@10.0.0.5>;expires=0")).0, 500);
    assert_eq!(phone.endpoint.gauges().bindings, 1);
    phone.call_id = "rebooted";
    phone.cseq = 1;
    assert_eq!(short(phone.register("Contact: <sip:1000@10.0.0.5>")).0, 200);
}

#[test]
fn two_phones_of_one_account_are_judged_each_by_its_own_call_id() {
    let mut phone = Phone::new();
    phone.call_id = "desk";
    phone.register("Contact: <sip:1000@10.0.0.5>");
    let first = phone.last.clone();
    (phone.call_id, phone.cseq) = ("mobile", 7);
    phone.register("Contact: <sip:1000@10.0.0.6>");
    let second = phone.last.clone();
    // The answers were lost: both phones repeat, and neither is challenged or obeyed again.
    for again in [&first, &second, &first] {
        assert_eq!(short(read(&phone.send(again.clone()))).0, 200);
        assert!(phone.changes.is_empty());
    }
    assert_eq!(phone.endpoint.gauges().bindings, 2);
    // The first phone's counts are its own.
    (phone.call_id, phone.cseq) = ("desk", 2);
    assert_eq!(short(phone.register("Contact: <sip:1000@10.0.0.5>")).0, 200);
}

#[test]
fn a_register_that_a_removal_overtook_does_not_bring_the_phone_back() {
    let mut phone = Phone::new();
    phone.register("Contact: <sip:1000@10.0.0.5>");
    phone.cseq = 3;
    assert_eq!(short(phone.register("Contact: <sip:1000@10.0.0.5>;expires=0")).0, 200);
    phone.cseq = 2;
    assert_eq!(short(phone.register("Contact: <sip:1000@10.0.0.5>")).0, 500);
    assert_eq!(phone.endpoint.gauges().bindings, 0);
    // What was sent a minute ago is not on its way any more.
    phone.pass(32_000);
    phone.cseq = 2;
    assert_eq!(short(phone.register("Contact: <sip:1000@10.0.0.5>")).0, 200);
}

#[test]
fn nobody_registers_another() {
    let mut phone = Phone::new();
    phone.user = "1001";
    assert_eq!(short(phone.register("Contact: <sip:1000@10.0.0.5>")).0, 403);
    assert_eq!(phone.endpoint.gauges().bindings, 0);
}

#[test]
fn the_phone_is_called_where_it_is() {
    // Behind a NAT: the source, with the registered Contact in the Request-URI.
    let mut phone = Phone::new();
    phone.flow = udp("198.51.100.9:31000");
    phone.register("Contact: <sip:1000@10.0.0.5:5060;line=7?Route=x>");
    assert_eq!(phone.dial(), Some(("sip:1000@10.0.0.5:5060;line=7".to_owned(), phone.flow)));
    // Over its connection while that lives; then at its Contact.
    let mut phone = Phone::new();
    phone.flow = tcp("198.51.100.9:31000", 8);
    phone.register("Contact: <sip:1000@198.51.100.9:5062;transport=tcp>");
    let mut out = Vec::new();
    let lost = Phone {
        endpoint: std::mem::replace(&mut phone.endpoint, Phone::new().endpoint),
        ..Phone::new()
    };
    let mut phone = Phone { flow: phone.flow, ..lost };
    let uri = "sip:1000@198.51.100.9:5062;transport=tcp".to_owned();
    phone.endpoint.flow_lost(tcp("198.51.100.9:31001", 9), at(0), &mut out);
    assert_eq!(phone.dial(), Some((uri.clone(), phone.flow)));
    phone.endpoint.unsendable(phone.flow, at(0), &mut out);
    phone.endpoint.flow_lost(phone.flow, at(0), &mut out);
    assert_eq!(phone.dial(), Some((uri, tcp("198.51.100.9:5062", 0))));
}

#[test]
fn bindings_outlive_a_restart() {
    let mut phone = Phone::new();
    phone.flow = tcp("198.51.100.9:31000", 8);
    phone.register("Contact: <sip:1000@198.51.100.9:5062;transport=tcp>;expires=100");
    let Some(BindingChange::Put(stored)) = phone.changes.pop() else { panic!("nothing stored") };
    let gone = Binding {
        account: "1001".into(),
        contact: "sip:1001@198.51.100.10".to_owned(),
        expires_at: Wall(at(0).wall.0 - 1),
        ..stored.clone()
    };
    let mut phone = Phone::new();
    phone.ms = 40_000; // by both clocks; the process is new, its monotonic clock any
    phone.endpoint.restore([stored.clone(), gone], at(40_000));
    assert!(phone.endpoint.reachable(&"1000".into()));
    let (_, flow) = phone.dial().expect("an address");
    assert_eq!(flow, tcp("198.51.100.9:5062", 0));
    assert_eq!(phone.pass(0), ["sip:1001@198.51.100.10"]);
    assert_eq!(phone.pass(59_999), Vec::<String>::new());
    assert_eq!(phone.pass(1), ["sip:1000@198.51.100.9:5062;transport=tcp"]);
    // A wall clock that was set back does not make a lease longer than the longest.
    let mut phone = Phone::new();
    let far = Binding { expires_at: Wall(at(0).wall.0 + 1_000_000_000_000), ..stored };
    phone.endpoint.restore([far], at(0));
    assert_eq!(phone.pass(7_200_000).len(), 1);
}

// ---- RFC 5626 ----------------------------------------------------------------------------------

const INSTANCE: &str = "+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\"";

impl Phone {
    /// Registers by one of its ways from this Contact; the status and the whole answer.
    fn register_way(&mut self, contact: &str, reg_id: u32) -> String {
        self.register(&format!(
            "Supported: path, outbound
             Contact: <{contact}>;{INSTANCE};reg-id={reg_id};expires=600"
        ));
        let again = self.last.clone();
        let mut out = Vec::new();
        // The repetition gets the same answer and changes nothing.
        self.endpoint.receive(self.flow, again, false, at(self.ms), &mut out);
        let Some(Effect::Send { bytes, .. }) = out.pop() else { panic!("no answer") };
        assert!(out.is_empty());
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[test]
fn a_phone_that_comes_by_its_way_again_has_one_binding_wherever_it_comes_from() {
    let mut phone = Phone::new();
    phone.flow = tcp("198.51.100.9:31000", 8);
    let answer = phone.register_way("sip:1000@10.0.0.7:5060;transport=tcp", 1);
    for due in
        ["Require: outbound\r\n", "Flow-Timer: 120\r\n", "+sip.instance=\"<urn:uuid:", "reg-id=1"]
    {
        assert!(answer.contains(due), "{due} in {answer}");
    }
    // It has moved to another network.
    phone.flow = tcp("203.0.113.4:40000", 9);
    let answer = phone.register_way("sip:1000@10.9.9.9:5060;transport=tcp", 1);
    assert_eq!(answer.matches("Contact:").count(), 1, "{answer}");
    assert_eq!(phone.dial().map(|(_, flow)| flow), Some(phone.flow));
    // Another of its ways is another binding; the one that was refreshed last is called.
    phone.flow = udp("203.0.113.4:40001");
    let answer = phone.register_way("sip:1000@10.9.9.9:5061", 2);
    assert_eq!(answer.matches("Contact:").count(), 2, "{answer}");
    assert!(!answer.contains("Flow-Timer"), "on UDP the phone asks by STUN: {answer}");
}

#[test]
fn a_phone_that_does_not_know_outbound_is_registered_as_ever() {
    let mut phone = Phone::new();
    phone.flow = tcp("198.51.100.9:31000", 8);
    let (status, contacts) = phone.register(&format!(
        "Contact: <sip:1000@10.0.0.7;transport=tcp>;{INSTANCE};reg-id=1;expires=600"
    ));
    assert_eq!(status, "200 REGISTER 1");
    assert_eq!(contacts, ["<sip:1000@10.0.0.7;transport=tcp>;expires=600"]);
}

#[test]
fn a_proxy_that_does_not_keep_the_phones_way_is_told() {
    let mut phone = Phone::new();
    let (status, _) = phone.register(&format!(
        "Via: SIP/2.0/UDP 10.0.0.7:5060;branch=z9hG4bKphone
         Supported: outbound
         Contact: <sip:1000@10.0.0.7>;{INSTANCE};reg-id=1;expires=600"
    ));
    assert_eq!(status, "439 REGISTER 1", "RFC 5626 §6");
}

#[test]
fn a_phone_whose_only_way_is_lost_is_not_rung_until_it_comes_again() {
    let mut phone = Phone::new();
    phone.flow = tcp("198.51.100.9:31000", 8);
    let contact = "sip:1000@10.0.0.7:5060;transport=tcp";
    phone.register_way(contact, 1);
    let Some(BindingChange::Put(stored)) = phone.changes.pop() else { panic!("nothing stored") };
    assert_eq!(stored.outbound.as_ref().map(|outbound| outbound.reg_id), Some(1));
    let mut out = Vec::new();
    phone.endpoint.flow_lost(phone.flow, at(0), &mut out);
    assert!(
        matches!(&out[..], [Effect::Binding(BindingChange::Remove { contact: gone, .. })] if gone == contact)
    );
    assert!(!phone.endpoint.reachable(&"1000".into()));
    assert_eq!(phone.endpoint.gauges().bindings, 0);
    // Nor does a way outlive our own restart.
    let mut phone = Phone::new();
    phone.endpoint.restore([stored], at(0));
    assert_eq!(phone.pass(0), [contact]);
}

#[test]
fn a_phone_behind_a_nat_hears_from_us_before_its_nat_forgets() {
    let mut phone = Phone::new();
    phone.register("Contact: <sip:1000@192.168.1.7:5060>;expires=600");
    let knocks = |phone: &mut Phone, ms: u64| {
        phone.ms += ms;
        let mut out = Vec::new();
        phone.endpoint.tick(at(phone.ms), &mut out);
        out.into_iter()
            .map(|effect| match effect {
                Effect::Send { flow, bytes, free: true } => {
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    (flow, text.lines().next().unwrap_or_default().to_owned())
                }
                other => panic!("{other:?}"),
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(knocks(&mut phone, 28_000), []);
    let due = (phone.flow, "OPTIONS sip:1000@192.168.1.7:5060 SIP/2.0".to_owned());
    for _ in 0..2 {
        let (flow, knock) = &due;
        assert_eq!(knocks(&mut phone, 1_000), [(*flow, knock.clone())]);
        assert_eq!(knocks(&mut phone, 28_000), []);
    }
    // One that is where it says needs none.
    let mut phone = Phone::new();
    phone.register("Contact: <sip:1000@198.51.100.9:5060>;expires=600");
    assert_eq!(knocks(&mut phone, 60_000), []);
}

#[test]
fn a_call_goes_on_by_the_connection_that_its_phone_registers_on_next() {
    let mut phone = Phone::new();
    phone.flow = tcp("198.51.100.9:31000", 8);
    let contact = "sip:1000@10.0.0.7:5060;transport=tcp";
    phone.register_way(contact, 1);
    let (old, leg) = (phone.flow, LegId(2));
    let sdp = || Some(Bytes::from_static(super::SDP.as_bytes()));
    let mut out = Vec::new();
    let shown = Shown { user: "1".to_owned().into(), name: None };
    phone.endpoint.dial(leg, &"1000".into(), &shown, sdp(), at(0), &mut out).expect("an address");
    let Some(Effect::Send { bytes, flow, .. }) = out.pop() else { panic!("no INVITE") };
    assert_eq!(flow, old);
    let invite = String::from_utf8_lossy(&bytes).into_owned();
    let of = |name: &str| {
        let line = invite.lines().find(|line| line.starts_with(name)).expect(name);
        line.to_owned()
    };
    let answer = wire(
        &format!(
            "SIP/2.0 200 OK\n{}\n{}\n{};tag=phone\n{}\n{}\nContact: <{contact}>\nContent-Type: application/sdp",
            of("Via"),
            of("From"),
            of("To"),
            of("Call-ID"),
            of("CSeq")
        ),
        super::SDP,
    );
    phone.endpoint.receive(old, answer, false, at(0), &mut Vec::new());
    // Both orders: the connection is seen to break before, or not before, the phone is back.
    let mut current = old;
    for (seen, connection) in [(true, 9), (false, 10)] {
        if seen {
            phone.endpoint.flow_lost(current, at(0), &mut Vec::new());
        }
        let back = tcp("203.0.113.4:40000", connection);
        phone.flow = back;
        phone.cseq += 1;
        let challenge = {
            let mut out = Vec::new();
            let lines = format!("Supported: outbound\nContact: <{contact}>;{INSTANCE};reg-id=1");
            let ask = phone.message(&lines, "");
            phone.endpoint.receive(back, ask, false, at(0), &mut out);
            let Some(Effect::Send { bytes, .. }) = out.pop() else { panic!("no challenge") };
            let proof =
                authorization(&bytes, "1000", "pw1000", &Method::Register, "sip:desk.example");
            phone.message(&lines, &format!("\n{proof}"))
        };
        phone.endpoint.receive(back, challenge, false, at(0), &mut Vec::new());
        current = back;
        let mut out = Vec::new();
        phone.endpoint.offer(leg, sdp(), at(0), &mut out);
        let sent = out.iter().find_map(|effect| match effect {
            Effect::Send { flow, bytes, .. } => {
                Some((*flow, String::from_utf8_lossy(&bytes[..6]).into_owned()))
            }
            _ => None,
        });
        assert_eq!(sent, Some((back, "INVITE".to_owned())), "seen to break: {seen}");
        if seen {
            // It refuses, so that the next can be sent.
            let Some(Effect::Send { bytes, .. }) = out.into_iter().next() else { panic!() };
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let of =
                |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
            let refusal = wire(
                &format!(
                    "SIP/2.0 488 No\n{}\n{}\n{}\n{}\n{}",
                    of("Via"),
                    of("From"),
                    of("To"),
                    of("Call-ID"),
                    of("CSeq")
                ),
                "",
            );
            phone.endpoint.receive(back, refusal, false, at(0), &mut Vec::new());
        }
    }
}

/// Headers of a message of ours, as they are copied into an answer.
fn answer_to(request: &str, status: &str, more: &str, body: &str) -> Bytes {
    let of = |name: &str| {
        request.lines().find(|line| line.starts_with(name)).expect("a header").to_owned()
    };
    let head: String = ["Via: ", "From: ", "To: ", "Call-ID: ", "CSeq: "]
        .iter()
        .map(|name| of(name) + "\n")
        .collect();
    let to = of("To: ");
    let tagged = if to.contains(";tag=") { to.clone() } else { format!("{to};tag=phone") };
    wire(&format!("SIP/2.0 {status}\n{}{more}", head.replace(&to, &tagged)), body)
}

impl Phone {
    /// What is sent next, and how.
    fn sent(out: Vec<Effect>) -> Vec<(Flow, String)> {
        let send = |effect| match effect {
            Effect::Send { flow, bytes, .. } => {
                Some((flow, String::from_utf8_lossy(&bytes).into_owned()))
            }
            _ => None,
        };
        out.into_iter().filter_map(send).collect()
    }

    fn ring(&mut self, leg: LegId) -> String {
        let mut out = Vec::new();
        let shown = Shown { user: "1".to_owned().into(), name: None };
        let sdp = Some(Bytes::from_static(super::SDP.as_bytes()));
        let dialled =
            self.endpoint.dial(leg, &self.user.into(), &shown, sdp, at(self.ms), &mut out);
        assert!(dialled.is_ok());
        Self::sent(out).remove(0).1
    }

    fn hear(&mut self, bytes: Bytes) -> Vec<(Flow, String)> {
        let mut out = Vec::new();
        self.endpoint.receive(self.flow, bytes, false, at(self.ms), &mut out);
        Self::sent(out)
    }

    /// It registers by another connection.
    fn come_back(&mut self, back: Flow, contact: &str) -> Vec<(Flow, String)> {
        self.flow = back;
        self.cseq += 1;
        let lines = format!("Supported: outbound\nContact: <{contact}>;{INSTANCE};reg-id=1");
        let challenge = self.hear(self.message(&lines, "")).remove(0).1;
        let proof = self.proof(&challenge.into());
        self.hear(self.message(&lines, &format!("\n{proof}")))
    }

    /// Time passes; what was sent meanwhile that begins so.
    fn wait(&mut self, ms: u64, word: &str) -> Vec<(Flow, String)> {
        let (end, mut all) = (self.ms + ms, Vec::new());
        while let Some(due) = self.endpoint.next_deadline().filter(|due| due.0 <= end * 1_000) {
            self.ms = self.ms.max(due.0.div_ceil(1_000));
            let mut out = Vec::new();
            self.endpoint.tick(at(self.ms), &mut out);
            all.extend(Self::sent(out));
        }
        self.ms = end;
        all.retain(|(_, text)| text.starts_with(word));
        all
    }
}

const CONTACT: &str = "sip:1000@10.0.0.7:5060;transport=tcp";

/// A phone behind a NAT, by TCP, in a call.
fn in_a_call(leg: LegId, more: &str) -> Phone {
    let mut phone = Phone::new();
    phone.flow = tcp("198.51.100.9:31000", 8);
    phone.register_way(CONTACT, 1);
    let invite = phone.ring(leg);
    let more = format!("Contact: <{CONTACT}>\n{more}Content-Type: application/sdp");
    phone.hear(answer_to(&invite, "200 OK", &more, super::SDP));
    phone
}

#[test]
fn a_hold_on_its_way_when_the_connection_broke_is_said_again_on_the_next() {
    let leg = LegId(2);
    for seen in [true, false] {
        let mut phone = in_a_call(leg, "");
        let (old, mut out) = (phone.flow, Vec::new());
        let sdp = Some(Bytes::from_static(super::SDP.as_bytes()));
        phone.endpoint.offer(leg, sdp, at(phone.ms), &mut out);
        let first = Phone::sent(out).remove(0);
        assert!(first.0 == old && first.1.starts_with("INVITE "));
        phone.wait(5_000, "");
        if seen {
            phone.endpoint.flow_lost(old, at(phone.ms), &mut Vec::new());
        }
        assert!(phone.wait(10_000, "INVITE ").is_empty(), "nobody is there");
        let back = tcp("203.0.113.4:40000", 9);
        let mut sent = phone.come_back(back, CONTACT);
        sent.extend(phone.wait(0, "INVITE "));
        let again = sent.into_iter().find(|(_, text)| text.starts_with("INVITE "));
        let (flow, again) = again.expect("the hold is said again");
        assert_eq!(flow, back, "seen to break: {seen}");
        let cseq =
            |text: &str| text.lines().find(|line| line.starts_with("CSeq")).map(str::to_owned);
        assert_ne!(cseq(&again), cseq(&first.1), "a request of its own");
        // The first had arrived after all: its 2xx is acknowledged where the phone is.
        let more = format!("Contact: <{CONTACT}>\nContent-Type: application/sdp");
        let acks = phone.hear(answer_to(&first.1, "200 OK", &more, super::SDP));
        assert!(matches!(&acks[..], [(flow, ack)] if *flow == back && ack.starts_with("ACK ")));
        phone.hear(answer_to(&again, "200 OK", &more, super::SDP));
        phone.wait(120_000, "");
        assert!(phone.endpoint.call_id(leg).is_some(), "the call goes on; seen to break: {seen}");
    }
}

#[test]
fn a_hold_whose_phone_does_not_come_back_is_said_where_it_listens_and_then_the_call_is_lost() {
    let leg = LegId(2);
    let mut phone = in_a_call(leg, "");
    let (old, mut out) = (phone.flow, Vec::new());
    phone.endpoint.offer(leg, None, at(0), &mut out);
    phone.endpoint.flow_lost(old, at(0), &mut Vec::new());
    assert!(phone.wait(31_999, "INVITE ").is_empty());
    let sent = phone.wait(1, "INVITE ");
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].0.connection, 0, "by a connection that is to be made");
    phone.endpoint.unsendable(sent[0].0, at(phone.ms), &mut Vec::new());
    assert!(phone.endpoint.call_id(leg).is_none());
}

#[test]
fn whom_a_phone_speaks_with_is_said_again_where_it_came_back() {
    let leg = LegId(2);
    for seen in [true, false] {
        let mut phone = in_a_call(leg, "Allow: INVITE,UPDATE\n");
        let (old, mut out) = (phone.flow, Vec::new());
        let with = Shown { user: "2001".to_owned().into(), name: None };
        phone.endpoint.speaks_with(leg, &with, at(0), &mut out);
        assert!(Phone::sent(out)[0].1.starts_with("UPDATE "));
        if seen {
            phone.endpoint.flow_lost(old, at(0), &mut Vec::new());
        }
        let back = tcp("203.0.113.4:40000", 9);
        let sent = phone.come_back(back, CONTACT);
        let again = sent.iter().find(|(_, text)| text.starts_with("UPDATE "));
        let (flow, again) = again.expect("it is said again");
        assert!(*flow == back && again.contains("<sip:2001@"), "{again}");
        phone.hear(answer_to(again, "200 OK", "", ""));
        phone.wait(120_000, "");
        assert!(phone.endpoint.call_id(leg).is_some(), "the call goes on; seen to break: {seen}");
    }
}

#[test]
fn a_phone_that_came_back_on_another_connection_while_it_rang_is_cancelled_there() {
    let leg = LegId(2);
    for seen in [true, false] {
        let mut phone = Phone::new();
        phone.flow = tcp("198.51.100.9:31000", 8);
        phone.register_way(CONTACT, 1);
        let invite = phone.ring(leg);
        phone.hear(answer_to(&invite, "180 Ringing", "", ""));
        if seen {
            phone.endpoint.flow_lost(phone.flow, at(0), &mut Vec::new());
        }
        let back = tcp("203.0.113.4:40000", 9);
        phone.come_back(back, CONTACT);
        let mut out = Vec::new();
        phone.endpoint.hang_up(leg, crate::sip::api::Why::Normal, at(0), &mut out);
        let sent = Phone::sent(out);
        assert!(
            matches!(&sent[..], [(flow, text)] if *flow == back && text.starts_with("CANCEL ")),
            "seen to break: {seen}; {sent:?}"
        );
    }
}

#[test]
fn a_crowd_behind_nats_does_not_hear_from_us_all_at_once() {
    let mut phone = Phone::new();
    let bindings = (0..120_u16).map(|n| Binding {
        account: format!("{}", 2_000 + n).as_str().into(),
        contact: format!("sip:{n}@192.168.1.7:5060"),
        flow: udp(&format!("198.51.100.9:{}", 6_000 + n)),
        call_id: "reg".to_owned(),
        cseq: 1,
        expires_at: Wall(at(0).wall.0 + 600_000),
        outbound: None,
        path: None,
    });
    phone.endpoint.restore(bindings, at(0));
    let mut heard = Vec::new();
    for ms in [0, 20, 40, 60] {
        let mut out = Vec::new();
        phone.endpoint.tick(at(ms), &mut out);
        heard.push(out.len());
    }
    assert_eq!(heard, [50, 50, 20, 0]);
    assert_eq!(phone.endpoint.next_deadline(), Some(at(29_000).mono));
}

#[test]
fn a_phone_behind_proxies_is_called_through_them_and_told_so() {
    let path = "Path: <sip:192.0.2.5;lr>\nPath: <sip:p2.example;lr;ob>";
    let mut phone = Phone::new();
    let answer = phone.ask(&format!("{path}\nContact: <sip:1000@198.51.100.9:5062>"));
    assert!(
        answer.contains("\r\nPath: <sip:192.0.2.5;lr>\r\nPath: <sip:p2.example;lr;ob>\r\n"),
        "{answer}"
    );
    let Some(BindingChange::Put(stored)) = phone.changes.pop() else { panic!("nothing stored") };
    assert_eq!(stored.path.as_deref(), Some("<sip:192.0.2.5;lr>, <sip:p2.example;lr;ob>"));
    let route = "\r\nRoute: <sip:192.0.2.5;lr>, <sip:p2.example;lr;ob>\r\n";
    let invite = phone.invite();
    assert!(
        invite.starts_with("INVITE sip:1000@198.51.100.9:5062 ") && invite.contains(route),
        "{invite}"
    );
    // After a restart too; without Path at the next REGISTER it stands before us itself.
    let mut again = Phone::new();
    again.endpoint.restore([stored], at(0));
    assert!(again.invite().contains(route));
    phone.register("Contact: <sip:1000@198.51.100.9:5062>");
    assert!(!phone.invite().contains("Route:"));
    for broken in
        ["Path: <tel:1>", "Path: sip:", &format!("Path: <sip:{}.example>", "a".repeat(1_024))]
    {
        let answer = phone.ask(&format!("{broken}\nContact: <sip:1000@198.51.100.9:5062>"));
        assert!(answer.starts_with("SIP/2.0 400 "), "{answer}");
    }
}
