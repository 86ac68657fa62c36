//! SIP's extensions with peers that use them: SIPp on both sides of the running desk.

use crate::support::desk::Desk;
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
