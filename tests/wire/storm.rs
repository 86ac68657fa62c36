//! A thousand phones that come back at once, as after a power cut: calls go on meanwhile, and every
//! phone is registered in the end.

use crate::support::desk::{Desk, password};
use crate::support::s;
use crate::support::sipp::Job;

#[test]
fn a_thousand_phones_register_at_once_and_calls_go_on() {
    let desk = Desk::start("desk.toml");
    let storm = Job::new("storm", desk.sip, desk.ports.port())
        .set("USER", "6001")
        .set("PASSWORD", password("6001"))
        .calls(1_000, 1_000)
        .within(s(180)) // beside floods of other tests; 2 s when alone
        .start();
    let agent = desk.agent("agent", 201).set("RING", 100).start();
    let caller = desk.caller("0312340010").set("FROM", "03111").set("STAY", 300).start().done();
    assert!(caller.calls[&1].has("answered"), "{:?}", caller.calls);
    agent.done();
    assert_eq!(desk.outcome("031111"), "answered");
    assert_eq!(storm.done().count("registered"), 1_000);
    assert_eq!(desk.metric("madoguchi_engine_inputs_dropped_total"), 0.0);
}
