//! SIP's extensions with peers that use them: SIPp on both sides of the running desk.

use crate::support::desk::{Desk, Setup};
use crate::support::s;

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
