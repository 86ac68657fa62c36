//! The desk is replaced while callers talk: nobody is cut off, nobody new is let in, and the next program takes over.

use crate::support::desk::Desk;
use crate::support::{eventually, s};

#[test]
fn a_desk_that_is_replaced_lets_its_callers_finish_and_the_next_program_goes_on() {
    let mut desk = Desk::start("desk.toml");
    let agent = desk.agent("agent", 201).set("RING", 100).start();
    let caller = desk.caller("0312340010").set("STAY", 6_000).start();
    caller.wait(1, "answered", s(8));
    eventually("it is seen", s(5), || desk.get("/api/v1/drain")["calls"] == 1);

    let drain = desk
        .command(&["drain", "--within", "5"])
        .stderr(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    eventually("callers are refused", s(5), || desk.get("/api/v1/drain")["draining"] == true);
    let ready = desk.api("GET", "/healthz/ready", "");
    assert!(ready.status == 503 && ready.body.contains("draining"), "{}", ready.body);
    assert_eq!(desk.api("GET", "/healthz/live", "").status, 200);
    // A carrier tries its next way after a 503; it is counted as a call that found no room.
    let refused = desk.caller("0312340010").set("FROM", "03222").set("STAY", 100).start().done();
    assert_eq!(refused.calls[&1].value("refused"), Some("503"), "{:?}", refused.calls);

    // Who talked was not cut off by it.
    let caller = caller.done();
    assert!(caller.calls[&1].has("hung_up"), "{:?}", caller.calls);
    agent.done();
    let ended = desk.process().wait(s(5)).expect("it ends by itself");
    assert!(ended.success(), "{ended:?}");
    assert!(desk.log().contains("the last call is over"), "{}", desk.log());

    // What systemd does.
    desk.again();
    let said = drain.wait_with_output().unwrap();
    assert!(said.status.success(), "{said:?}");
    let told = String::from_utf8(said.stderr).unwrap();
    assert!(told.contains("callers are refused; 1 calls are up"), "{told}");
    let version = env!("CARGO_PKG_VERSION");
    let back = String::from_utf8(said.stdout).unwrap();
    assert!(back.contains(&format!("madoguchi {version}: callers are let in")), "{back}");
    let state = |from: &str| desk.over(from)["outcome"].as_str().unwrap_or_default().to_owned();
    assert_eq!((state("031234561"), state("032221")), ("answered".into(), "blocked".into()));
    let next = desk.caller("0312340070").set("FROM", "03333").set("STAY", 300).start().done();
    assert!(next.calls[&1].has("answered"), "{:?}", next.calls);
}

#[test]
fn calls_that_take_too_long_are_ended_and_an_order_can_be_called_off() {
    let mut desk = Desk::start("desk.toml");
    let off = desk.command(&["drain", "--off"]).output().unwrap();
    assert_eq!(off.status.code(), Some(1), "there is nothing to call off: {off:?}");
    // One who waits for an agent whom nobody has seen.
    let caller = desk
        .caller("0312340090")
        .set("STAY", 120_000)
        .set("PATIENCE", 120_000)
        .within(s(200))
        .start();
    caller.wait(1, "answered", s(8));
    eventually("it is seen", s(5), || desk.get("/api/v1/drain")["calls"] == 1);

    let begun = desk.command(&["drain", "--within", "9", "--no-wait"]).output().unwrap();
    let told = String::from_utf8(begun.stdout).unwrap();
    assert!(told.contains("1 calls are up, and are ended in 9 min"), "{told}");
    let off = desk.command(&["drain", "--off"]).output().unwrap();
    assert!(String::from_utf8(off.stdout).unwrap().contains("callers are let in; 1 calls are up"));
    let meanwhile = desk.caller("0312340070").set("FROM", "03222").set("STAY", 300).start().done();
    assert!(meanwhile.calls[&1].has("answered"), "{:?}", meanwhile.calls);

    // A minute is the shortest that can be ordered.
    assert!(desk.command(&["drain", "--within", "1", "--no-wait"]).status().unwrap().success());
    let ended = desk.process().wait(s(70)).expect("it ends when the time is over");
    assert!(ended.success(), "{ended:?}");
    let caller = caller.done();
    assert!(caller.calls[&1].has("released"), "{:?}", caller.calls);
    assert!(desk.log().contains("the time that they were given is over"), "{}", desk.log());
}
