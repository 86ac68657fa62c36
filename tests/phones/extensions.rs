//! SIP's extensions with peers that use them: SIPp on both sides of the running desk.

use crate::support::desk::{Desk, Setup};
use crate::support::ear::Ear;
use crate::support::line::Line;
use crate::support::sound::{Law, Sound};
use crate::support::{eventually, s};

#[test]
fn ringing_and_early_media_are_acknowledged_on_both_sides() {
    let desk = Desk::start("desk.toml");
    let agent = desk.agent("agent_prack", 201).set("RING", 1200).set("TALK", 300).start();
    let caller = desk.caller("0312340010");
    let caller = caller.scenario("caller_prack").within(s(20)).start();
    let caller = caller.done();
    let agent = agent.done();
    assert_eq!(caller.count("acknowledged"), 1);
    assert_eq!(caller.messages.matches("SIP/2.0 180").count(), 2, "{}", caller.messages);
    assert_eq!(agent.calls.values().next().and_then(|c| c.value("answered")), Some(""));
    let racks: Vec<_> = agent.calls.values().flat_map(|call| &call.0).collect();
    let racks: Vec<&str> =
        racks.iter().filter(|(word, _)| word == "acknowledged").map(|(_, v)| v.trim()).collect();
    assert_eq!(racks, ["4711 1 INVITE", "4712 1 INVITE"]);
    assert_eq!(desk.outcome("031234561"), "answered");
    // Why the phone hung up is kept, without what it said.
    let ladder = desk.ladder("031234561");
    let said = ladder.iter().find(|step| step["kind"] == "reason_given");
    let said = said.unwrap_or_else(|| panic!("{ladder:#?}"));
    assert_eq!(said["reason"]["protocol"], "q850", "{said}");
    assert_eq!(said["reason"]["cause"], 16, "{said}");
    assert!(!format!("{ladder:?}").contains("said by"), "{ladder:?}");
    desk.at_rest(s(3));
}

#[test]
fn a_phone_that_sends_its_calls_on_reaches_a_colleague_and_nobody_outside() {
    let desk = Desk::start("desk.toml");
    let to = format!("202@{}", desk.sip);
    let moved = desk.agent("agent_moved", 201).set("TO", to).start();
    let colleague = desk.agent("agent", 202).set("RING", 200).start();
    let caller = desk.caller("0312340010").set("STAY", 500).start();
    moved.wait(1, "acknowledged", s(3));
    caller.wait(1, "answered", s(3));
    colleague.wait(1, "released", s(3));
    caller.wait(1, "hung_up", s(3));
    assert_eq!(desk.outcome("031234561"), "answered");
    desk.at_rest(s(3));
}

#[test]
fn of_two_phones_with_early_media_the_one_that_answers_is_heard() {
    let desk = Desk::start("desk.toml");
    let (first, second) = (Ear::new(desk.ports.port()), Ear::new(desk.ports.port()));
    let agent = desk.agent("agent_forks", 201).set("RING", 300).set("TALK", 2500);
    let agent = agent.set("MEDIA", first.port()).set("OTHER", second.port()).start();
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340010").set("MEDIA", ear.port()).start();
    let port = caller.wait(1, "answered", s(5)).parse().expect("our port");
    let his = Sound::voice(91, 10);
    ear.say(&his, Law::Mu, port);
    eventually("the phone that answered hears", s(5), || {
        his.holds(&first.heard().part(200, 1000)).is_some()
    });
    assert!(his.holds(&second.heard().part(200, 1000)).is_none());
    let agent = agent.done();
    assert_eq!(agent.count("acknowledged"), 1);
    assert_eq!(agent.count("hung_up"), 1);
    assert_eq!(desk.outcome("031234561"), "answered");
    desk.at_rest(s(3));
}

/// A desk whose intervals are short enough to be waited for.
fn impatient(seconds: u32) -> Desk {
    let sip = format!("session_expires = \"{seconds}s\"\nmin_session_expires = \"4s\"\n");
    Desk::with(&Setup { sip: &sip, ..Setup::default() })
}

#[test]
fn a_caller_who_stops_refreshing_is_released_with_the_reason() {
    let desk = impatient(1800);
    let agent = desk.agent("agent", 201).set("RING", 100).start();
    let caller = desk.caller("0312340010").scenario("caller_timer").within(s(20)).start().done();
    let call = caller.calls.values().next().expect("a call");
    assert_eq!(call.value("too_small"), Some("4"));
    assert_eq!(call.value("refreshed"), Some("4;refresher=uac"));
    assert_eq!(call.value("released"), Some("SIP;cause=408;text=\"Session Expired\""));
    agent.wait(1, "released", s(3));
    assert_eq!(desk.outcome("031234561"), "answered");
    desk.at_rest(s(3));
}

#[test]
fn a_phone_is_refreshed_by_update_and_else_by_a_reinvite_that_changes_nothing() {
    let desk = impatient(4);
    let agent = desk.agent("agent_timer", 201).set("TALK", 300).within(s(20)).start();
    let caller = desk.caller("0312340010").start();
    let agent = agent.done();
    let call = agent.calls.values().next().expect("a call");
    for word in ["update", "reinvite"] {
        assert_eq!(call.value(word), Some("4;refresher=uac"), "{word}");
    }
    assert!(call.value("first").is_some_and(|first| first.starts_with("o=")));
    assert_eq!(call.value("first"), call.value("again"));
    caller.wait(1, "released", s(3));
    assert_eq!(desk.outcome("031234561"), "answered");
    desk.at_rest(s(3));
}

#[test]
fn what_rings_at_one_phone_is_picked_up_at_another() {
    let desk = Desk::start("desk.toml");
    let mut rung = Line::new(desk.fixed_port(201), "201", desk.sip);
    let caller = desk.caller("0312340010").start();
    let at_phone = rung.ring(s(3));
    rung.answer(&at_phone, 180, "");
    caller.wait(1, "ringing", s(3));
    let tag = |address: &str| address.split_once("tag=").expect("a tag").1.to_owned();
    let taker = desk.agent("agent_takes", 202).set("FROM", 201).set("TO", 201).set("STAY", 500);
    let taker = taker.set("CALL", &at_phone.id).set("OURS", tag(&at_phone.them));
    let taker = taker.set("THEIRS", tag(&at_phone.us)).start();
    let cancel = rung.cancel_comes(&at_phone, s(3));
    assert!(cancel.must("Reason").contains("cause=200"), "no missed call: {cancel}");
    caller.wait(1, "answered", s(3));
    let taker = taker.done();
    assert_eq!(taker.count("hung_up"), 1);
    assert_eq!(taker.calls[&1].value("with"), Some("031234561"));
    caller.wait(1, "released", s(3));
    assert_eq!(desk.outcome("031234561"), "answered");
    assert_eq!(desk.over("031234561")["agent"], "201");
    desk.at_rest(s(5));
}
