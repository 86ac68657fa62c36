//! A thousand phones that come back at once, as after a power cut: calls go on meanwhile, and every
//! phone is registered in the end.

use crate::support::desk::{Desk, Setup, password};
use crate::support::sipp::Job;
use crate::support::{eventually, s};

fn answer(user: &str) -> String {
    format!("[authentication username={user} password={}]", password(user))
}

/// The storm, and a call in its midst.
fn all_register_while_a_call_goes_on(desk: &Desk, storm: Job) {
    // Beside floods of other tests it may take its time; 2 s when alone.
    let storm = storm.calls(1_000, 1_000).within(s(180)).start();
    let agent = desk.agent("agent", 201).set("RING", 100).start();
    let caller = desk.caller("0312340010").set("FROM", "03111").set("STAY", 300).start().done();
    assert!(caller.calls[&1].has("answered"), "{:?}", caller.calls);
    agent.done();
    assert_eq!(desk.outcome("031111"), "answered");
    assert_eq!(storm.done().count("registered"), 1_000);
    assert_eq!(desk.metric("madoguchi_engine_inputs_dropped_total"), 0.0);
}

#[test]
fn a_thousand_phones_register_at_once_and_calls_go_on() {
    let desk = Desk::start("desk.toml");
    let storm = Job::new("storm", desk.sip, desk.ports.port());
    let storm = storm.set("USER", "6001").set("AUTH", answer("6001"));
    all_register_while_a_call_goes_on(&desk, storm);
}

#[test]
fn a_thousand_accounts_register_at_once_calls_go_on_and_the_first_page_after_a_restart_has_them() {
    let mut desk = Desk::with(&Setup { accounts: 1_000, ..Setup::default() });
    let line = |user: u32| format!("{user};{}\n", answer(&user.to_string()));
    let lines = (100_000..101_000).map(line).collect();
    let storm = Job::new("storm", desk.sip, desk.ports.port());
    let storm = storm.fields(lines).set("USER", "[field0]").set("AUTH", "[field1]");
    all_register_while_a_call_goes_on(&desk, storm);
    eventually("all are seen", s(5), || desk.metric("madoguchi_sip_registrations") == 1_000.0);
    desk.kill();
    desk.again();
    assert_eq!(desk.metric("madoguchi_sip_registrations"), 1_000.0);
}
