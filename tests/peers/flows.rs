//! The flows of RFC 3665, each a SIPp scenario in tests/scenarios/rfc3665 named by its section. We are a
//! registrar and a back-to-back user agent, no proxy: docs/RFC.md says what that leaves of each flow.

use crate::support::desk::{Desk, Setup, password};
use crate::support::ear::Ear;
use crate::support::kamailio::{HOME, Kamailio};
use crate::support::sipp::{Done, Job};
use crate::support::sound::{Law, Sound};
use crate::support::{eventually, s};

/// The fixed phone 202 calls the extension 201.
fn alice(desk: &Desk, flow: &'static str) -> Job {
    Job::new(flow, desk.sip, desk.fixed_port(202)).set("TO", "201").set("FROM", "202")
}

/// The phone 201: answers after a moment and hangs up after another.
fn bob(desk: &Desk) -> Job {
    desk.agent("agent", 201).set("RING", 200).set("TALK", 500)
}

#[track_caller]
fn all_of(job: Job) -> Done {
    let done = job.start().done();
    assert_eq!(done.count("done"), 1, "{:?}", done.calls);
    done
}

#[test]
fn registration_flows_2_1_to_2_5() {
    let desk = Desk::start("desk.toml");
    let port = desk.ports.port();
    let held = |due: f64| {
        eventually("the contacts", s(5), || desk.metric("madoguchi_sip_registrations") == due);
    };
    let flow = |name| {
        let job = Job::new(name, desk.sip, port).set("USER", "6002").set("PORT", port);
        job.set("PASSWORD", password("6002"))
    };
    all_of(flow("rfc3665/2.1"));
    held(1.0);
    all_of(flow("rfc3665/2.2"));
    held(2.0);
    all_of(flow("rfc3665/2.3"));
    all_of(flow("rfc3665/2.4"));
    held(0.0);
    all_of(flow("rfc3665/2.5").set("PASSWORD", "wrong-wrong-wrong"));
    held(0.0);
}

#[test]
fn session_flow_3_1_success() {
    let desk = Desk::start("desk.toml");
    let agent = bob(&desk).start();
    all_of(alice(&desk, "rfc3665/3.1"));
    assert_eq!(agent.done().count("hung_up"), 1);
    assert_eq!(desk.outcome("202"), "answered");
}

#[test]
fn session_flow_3_2_through_a_proxy_that_stays_on_the_way() {
    let more = format!("[[trunks]]\nname = \"kamailio\"\nsources = [\"{HOME}\"]\n");
    let desk = Desk::with(&Setup { more: &more, ..Setup::default() });
    let kamailio = Kamailio::start(&desk.ports, desk.sip, "udp");
    let agent = bob(&desk).start();
    let alice = Job::new("rfc3665/3.2", kamailio.sip, desk.ports.port());
    let done = all_of(alice.set("TO", "0312340010").set("FROM", "0311112222"));
    assert_eq!(agent.done().count("hung_up"), 1);
    let routed = format!("Route: <sip:{}", kamailio.sip);
    assert!(
        done.messages.matches(&routed).count() >= 2,
        "Record-Route and Route: {}",
        done.messages
    );
}

#[test]
fn session_flow_3_3_with_authentication() {
    let desk = Desk::start("desk.toml");
    let agent = bob(&desk).start();
    let alice = Job::new("rfc3665/3.3", desk.sip, desk.ports.port()).set("TO", "201");
    all_of(alice.set("FROM", "6002").set("PASSWORD", password("6002")));
    assert_eq!(agent.done().count("hung_up"), 1);
    assert_eq!(desk.outcome("6002"), "answered");
}

#[test]
fn session_flow_3_4_after_another_server_failed() {
    let desk = Desk::start("desk.toml");
    let agent = bob(&desk).start();
    all_of(alice(&desk, "rfc3665/3.4"));
    assert_eq!(agent.done().count("hung_up"), 1);
}

#[test]
fn session_flow_3_6_with_sdp_in_ack() {
    let desk = Desk::start("desk.toml");
    let (ear, voice) = (Ear::new(desk.ports.port()), Sound::voice(121, 20));
    let agents_ear = Ear::new(desk.ports.port());
    let agent = bob(&desk).set("MEDIA", agents_ear.port()).set("TALK", 4000).start();
    let alice = alice(&desk, "rfc3665/3.6").set("MEDIA", ear.port()).start();
    let port: u16 = alice.wait(1, "answered", s(10)).parse().unwrap();
    ear.say(&voice, Law::Mu, port);
    eventually("the agent hears the caller", s(8), || {
        let heard = agents_ear.heard();
        heard.ms() > 1200 && voice.holds(&heard.part(200, 700)).is_some()
    });
    assert_eq!(alice.done().count("done"), 1);
    assert_eq!(agent.done().count("hung_up"), 1);
}

#[test]
fn session_flow_3_7_the_called_side_moves_its_media() {
    let desk = Desk::start("desk.toml");
    let [ear, before, after] = [0; 3].map(|_| Ear::new(desk.ports.port()));
    let voice = Sound::voice(122, 20);
    let agent = desk.agent("rfc3665/3.7-called", 201);
    let agent = agent.set("MEDIA", before.port()).set("MOVED", after.port()).start();
    let alice = alice(&desk, "rfc3665/3.7").set("MEDIA", ear.port()).set("STAY", 5000).start();
    let port: u16 = alice.wait(1, "answered", s(10)).parse().unwrap();
    ear.say(&voice, Law::Mu, port);
    eventually("the sound goes where the called side went", s(8), || {
        let heard = after.heard();
        heard.ms() > 1200 && voice.holds(&heard.part(200, 700)).is_some()
    });
    assert_eq!(alice.done().count("done"), 1);
    assert_eq!(agent.done().count("done"), 1);
}

#[test]
fn session_flow_3_8_no_answer() {
    let desk = Desk::start("desk.toml");
    let agent = bob(&desk).set("RING", 10_000).start();
    all_of(alice(&desk, "rfc3665/3.8"));
    assert_eq!(agent.done().count("cancelled"), 1);
}

#[test]
fn session_flow_3_9_busy() {
    let desk = Desk::start("desk.toml");
    let agent = desk.agent("agent_refuses", 201).start();
    all_of(alice(&desk, "rfc3665/3.9"));
    assert_eq!(agent.done().count("refused"), 1);
}

#[test]
fn session_flow_3_10_no_response_from_the_called_phone() {
    let desk = Desk::start("desk.toml");
    all_of(alice(&desk, "rfc3665/3.10"));
    desk.at_rest(s(40));
}

#[test]
fn session_flow_3_11_temporarily_unavailable() {
    let desk = Desk::start("desk.toml");
    let agent = desk.agent("agent_refuses", 201).set("STATUS", "480 Temporarily Unavailable");
    let agent = agent.start();
    all_of(alice(&desk, "rfc3665/3.11"));
    assert_eq!(agent.done().count("refused"), 1);
}
