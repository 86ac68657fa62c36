//! Calls at the desk's cost: whatever an outsider, a forged phone or a phone of ours that may not tries, the carrier
//! gets no call; who may has bounds, and whoever looks after the desk is told.

use crate::stranger::{Stranger, answers_by_hand};
use crate::support::desk::{Desk, Setup, password};
use crate::support::line::{Call, Line, credentials};
use crate::support::message::{Message, sdp};
use crate::support::{eventually, ms, s};

/// A number that costs by the minute, one abroad, and one that 6001 may call.
const PREMIUM: &str = "0990123456";
const ABROAD: &str = "0104412345678";
const ALLOWED: &str = "0398765432";

const DTMF: &str = "Content-Type: application/dtmf-relay\r\n";

/// The desk, the carrier by which it would call outside, and both agents' phones.
struct World {
    desk: Desk,
    carrier: Line,
    at_carrier: u16,
    may: Line,
    may_not: Line,
    tried: usize,
}

impl World {
    fn new() -> Self {
        // The carrier's port must be known before the desk is: it is the system's choice.
        let probe = std::net::UdpSocket::bind("127.0.0.8:0").unwrap();
        let at_carrier = probe.local_addr().unwrap().port();
        drop(probe);
        let more = format!(
            "[[trunks]]\nname = \"works\"\nsources = [\"127.0.0.1:{at_carrier}\"]\nservers = [\"127.0.0.1:{at_carrier}\"]\n\
             user = \"0312345678\"\noptions_every = \"0s\"\n"
        );
        let desk = Desk::with(&Setup { plan: "toll.toml", more: &more, ..Setup::default() });
        let carrier = Line::new(at_carrier, "carrier", desk.sip);
        let phone = |user: &str| {
            let mut line = Line::new(desk.ports.port(), user, desk.sip);
            line.register(&password(user), 600);
            line
        };
        let (may, may_not) = (phone("6001"), phone("6002"));
        desk.agent_is("6001", "idle");
        desk.agent_is("6002", "idle");
        Self { desk, carrier, at_carrier, may, may_not, tried: 0 }
    }

    /// Nothing has come to the carrier.
    #[track_caller]
    fn no_call_outside(&mut self, after: &str) {
        self.tried += 1;
        let came = self.carrier.look(ms(250), |message| message.method() == Some("INVITE"));
        assert!(came.is_none(), "{after}: {}", came.unwrap());
    }

    /// An outsider with a call that an agent of ours has answered.
    fn talk(&mut self, number: &str, may: bool) -> (Line, Call, Call) {
        let mut outsider = Line::new(self.desk.trunk_port(), "0311112222", self.desk.sip);
        let mut call = outsider.invite(number, &sdp(9, &[0], "sendrecv"));
        let phone = if may { &mut self.may } else { &mut self.may_not };
        let (held, _) = phone.pick_up(&sdp(11, &[0], "sendrecv"), s(5));
        let answer = outsider.status(&call, 200, s(3));
        outsider.ack(&mut call, &answer);
        (outsider, call, held)
    }
}

/// The final answer to the last request of this method in a call.
#[track_caller]
fn answer_to(line: &mut Line, call: &Call, method: &str) -> Message {
    let id = call.id.clone();
    line.expect(&format!("an answer to {method}"), s(3), |m| {
        m.header("Call-ID") == Some(&id)
            && m.cseq_method() == method
            && m.status().is_some_and(|status| status >= 200)
    })
}

/// Dials with the account's own password; the call while it is placed.
fn dials(line: &mut Line, user: &str, to: &str) -> Call {
    let offer = sdp(9, &[0], "sendrecv");
    let mut call = line.invite(to, &offer);
    let challenge = answer_to(line, &call, "INVITE");
    assert_eq!(challenge.status(), Some(401), "{challenge}");
    line.ack_refusal(&call, &challenge);
    let proof = credentials(&challenge, user, "INVITE", &call.target, &password(user));
    call.branch = line.within(&mut call, "INVITE", &proof, &offer);
    call
}

#[test]
fn strangers_and_outsiders_cause_no_call_outside_in_any_way() {
    let mut world = World::new();
    let (desk, carrier) = (world.desk.sip, world.at_carrier);
    let offer = sdp(9, &[0], "sendrecv");
    // Who proves nothing, and who says it is an agent.
    let mut stranger = Stranger::at("127.0.0.1:0", desk);
    let route = format!("Route: <sip:127.0.0.1:{carrier};lr>\r\n");
    let asserts = format!("P-Asserted-Identity: <sip:6001@{desk}>\r\n");
    for (user, to, extra) in [
        ("6001", ALLOWED, ""),
        ("6001", PREMIUM, asserts.as_str()),
        ("carrier", ALLOWED, route.as_str()),
        ("0312345678", ABROAD, ""),
        ("anonymous", ALLOWED, ""),
    ] {
        let said = stranger.request("INVITE", to, user, extra, &offer);
        let answer = stranger.ask(&said, s(3)).expect("an answer");
        assert_eq!(answer.status(), Some(401), "{user} to {to}: {answer}");
        world.no_call_outside(&format!("a stranger as {user} to {to}"));
    }
    let refer = format!("Refer-To: <sip:{ALLOWED}@{desk}>\r\n");
    let said = stranger.request("REFER", "6001", "6001", &refer, "");
    assert_eq!(stranger.ask(&said, s(3)).and_then(|m| m.status()), Some(603));
    world.no_call_outside("REFER outside a call");

    // Who comes by the trunk: from outside to outside, in every dress.
    let mut outsider = Stranger::at(&format!("127.0.0.1:{}", world.desk.trunk_port()), desk);
    for (user, to) in [
        ("0311112222", ALLOWED),
        ("6001", ALLOWED),
        ("0312345678", PREMIUM),
        ("6001", "1860398765432"),
        ("0311112222", "+81398765432"),
        ("6001", "*21"),
    ] {
        let said = outsider.request("INVITE", to, user, "", &offer);
        let answer = outsider.ask(&said, s(3)).unwrap_or_else(|| panic!("{user} to {to}"));
        assert!(
            answer.status().is_some_and(|status| (400..500).contains(&status)),
            "{to}: {answer}"
        );
        world.no_call_outside(&format!("by the trunk as {user} to {to}"));
    }
    let elsewhere = outsider.request("INVITE", ALLOWED, "0311112222", "", &offer);
    let mut elsewhere = elsewhere;
    let to_carrier = format!("INVITE sip:{ALLOWED}@127.0.0.77:{carrier} ");
    elsewhere.text =
        elsewhere.text.replacen(&format!("INVITE {} ", outsider.uri(ALLOWED)), &to_carrier, 1);
    assert_eq!(outsider.ask(&elsewhere, s(3)).and_then(|m| m.status()), Some(404));
    world.no_call_outside("a Request-URI that is not ours");

    // A call to the desk that says it was diverted, or should be.
    let mut diverted = Line::new(world.desk.trunk_port(), "0311112222", desk);
    let claims = format!(
        "Diversion: <sip:{PREMIUM}@{desk}>\r\nHistory-Info: <sip:{PREMIUM}@{desk}>;index=1\r\n\
         Referred-By: <sip:6001@{desk}>\r\n"
    );
    let call = diverted.request("INVITE", "0312345678", &claims, &offer);
    let rung = world.may.ring(s(5));
    world.no_call_outside("a diversion");
    // The agent's phone sends it on: outside, to a number of its own, to the carrier itself.
    let away = format!(
        "Contact: <sip:{ALLOWED}@{desk}>;q=0.9, <sip:{PREMIUM}@127.0.0.1:{carrier}>, <tel:{ALLOWED}>\r\n"
    );
    answers_by_hand(&world.may, rung.invite.as_ref().unwrap(), 302, &away);
    world.no_call_outside("302 of an agent's phone");
    // The caller waits instead, and hangs up.
    let mut call = call;
    let answer = diverted.status(&call, 200, s(5));
    diverted.ack(&mut call, &answer);
    diverted.bye(&mut call);
    world.may.clear();

    // Keys in a menu, and where a number is asked for.
    let mut caller = Line::new(world.desk.trunk_port(), "0322223333", desk);
    let (mut call, _) = caller.connect("0312345680", &offer, s(5));
    for key in format!("9{ALLOWED}").chars() {
        caller.within(&mut call, "INFO", DTMF, &format!("Signal={key}\r\nDuration=100\r\n"));
        assert_eq!(answer_to(&mut caller, &call, "INFO").status(), Some(200));
    }
    world.no_call_outside("keys in a menu");
    caller.bye(&mut call);
    assert!(world.tried >= 16, "{}", world.tried);
    assert_eq!(world.desk.metric("madoguchi_placed_calls_total"), 0.0);
}

#[test]
fn callers_in_a_talk_and_phones_that_may_not_cause_no_call_outside_and_the_alarm_counts_them() {
    let mut world = World::new();
    let desk = world.desk.sip;
    let refer = |to: &str| format!("Refer-To: <sip:{to}>\r\n");
    let (mut outsider, mut call, held) = world.talk("0312345679", false);
    // The caller passes itself on, by REFER and by the agents' keys.
    for to in [format!("{ALLOWED}@{desk}"), format!("{PREMIUM}@127.0.0.1:{}", world.at_carrier)] {
        outsider.within(&mut call, "REFER", &refer(&to), "");
        let status = answer_to(&mut outsider, &call, "REFER").status().unwrap();
        assert!([403, 603].contains(&status), "{to}: {status}");
        world.no_call_outside(&format!("a caller's REFER to {to}"));
    }
    for key in format!("*1{ALLOWED}#*2{ALLOWED}#").chars() {
        outsider.within(&mut call, "INFO", DTMF, &format!("Signal={key}\r\nDuration=100\r\n"));
        assert_eq!(answer_to(&mut outsider, &call, "INFO").status(), Some(200));
    }
    world.no_call_outside("a caller's keys");
    // An agent who may not, and places that are no number of a rule.
    let mut held = held;
    for to in [
        format!("{ALLOWED}@{desk}"),
        format!("{PREMIUM}@{desk}"),
        format!("{ABROAD}@{desk}"),
        format!("{ALLOWED}@127.0.0.1:{}", world.at_carrier),
        "110@127.0.0.1".to_owned(),
    ] {
        world.may_not.within(&mut held, "REFER", &refer(&to), "");
        let status = answer_to(&mut world.may_not, &held, "REFER").status().unwrap();
        assert!([403, 404, 603].contains(&status), "{to}: {status}");
        world.no_call_outside(&format!("REFER of an agent who may not to {to}"));
    }
    outsider.bye(&mut call);
    world.may_not.bye_comes(&held, s(3));
    // Dialled.
    for (user, to, due) in [
        ("6002", ALLOWED, 403),
        ("6002", PREMIUM, 404),
        ("6001", PREMIUM, 404),
        ("6001", ABROAD, 404),
        ("6001", "110", 403),
    ] {
        let line = if user == "6001" { &mut world.may } else { &mut world.may_not };
        let call = dials(line, user, to);
        let answer = answer_to(line, &call, "INVITE");
        line.ack_refusal(&call, &answer);
        let status = answer.status().unwrap();
        assert!(status == due || [403, 404].contains(&status), "{user} to {to}: {answer}");
        world.no_call_outside(&format!("{user} dials {to}"));
    }
    // Who may gets one call and no second one.
    let placed = dials(&mut world.may, "6001", ALLOWED);
    let at_carrier = world.carrier.ring(s(5));
    assert!(at_carrier.invite.as_ref().unwrap().start.contains(ALLOWED), "{at_carrier:?}");
    let second = dials(&mut world.may, "6001", ALLOWED);
    assert_eq!(answer_to(&mut world.may, &second, "INVITE").status(), Some(486));
    let again = world.carrier.look(ms(500), |message| {
        message.method() == Some("INVITE") && message.header("Call-ID") != Some(&at_carrier.id)
    });
    assert!(again.is_none(), "a second call: {}", again.unwrap());
    world.may.cancel(&placed);
    // What grafana/prometheus/madoguchi.alerts.yml looks at.
    for (result, least) in [("not_allowed", 2.0), ("beyond_limits", 1.0)] {
        let name = format!("madoguchi_placed_calls_total{{result=\"{result}\"}}");
        eventually(result, s(3), || world.desk.metric(&name) >= least);
    }
}
