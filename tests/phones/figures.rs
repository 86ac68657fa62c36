//! The two rates, recounted from what SIPp itself saw.

use crate::support::desk::Desk;
use crate::support::{rest, s};

#[test]
fn the_rates_are_those_that_the_callers_phones_saw() {
    let desk = Desk::start("desk.toml");
    // answered: six; the agent's phone takes them one after another at once.
    let agent = desk.agent("agent", 201).calls(6, 1).set("RING", 50).start();
    rest(200);
    let answered = desk.caller("0312340010").set("FROM", "0310").calls(6, 4).set("STAY", 150);
    let answered = answered.start().done();
    agent.done();
    // abandoned within the busy announcement: two; short: three; blocked: one; released when full: one.
    let waits = desk.caller("0312340090").set("FROM", "0320").set("STAY", 9000).start();
    waits.wait(1, "answered", s(3));
    let full = desk.caller("0312340090").set("FROM", "0330").start().done();
    waits.stop();
    let abandoned =
        desk.caller("0312340091").set("FROM", "0340").calls(2, 5).set("STAY", 600).start().done();
    let deaf = desk.agent("agent", 201).calls(3, 1).set("RING", 9000).start();
    rest(200);
    let mut short = 0;
    for from in ["0350", "0351", "0352"] {
        short += desk
            .caller("0312340010")
            .set("FROM", from)
            .set("PATIENCE", 300)
            .start()
            .done()
            .count("cancelled");
    }
    deaf.done();
    let closed = desk.caller("0312340060").set("FROM", "0360").start().done();

    let (answered, abandoned) = (answered.count("answered"), abandoned.count("hung_up"));
    let (released, closed) = (full.count("released"), closed.count("released"));
    assert_eq!((answered, abandoned, short, released, closed), (6, 2, 3, 1, 1));
    desk.over("03521");
    let month = desk.month();
    let outcome = |name: &str| {
        month["outcomes"][name].as_u64().unwrap_or_else(|| panic!("{name}: {month:#}"))
    };
    assert_eq!(outcome("abandoned") as usize, abandoned);
    assert_eq!(outcome("short_abandoned") as usize, short);
    assert_eq!(outcome("busy_released") as usize, released);
    assert_eq!(outcome("closed") as usize, closed);
    assert_eq!((outcome("answered") + outcome("answered_after_busy")) as usize, answered);
    // SLA.md §2: total(5) leaves one-ring calls out, total(6) does not.
    let total5 = answered + abandoned + released;
    let total6 = total5 + short;
    let after_busy = outcome("answered_after_busy") as usize;
    assert_eq!(month["abandon_rate"]["part"], abandoned);
    assert_eq!(month["abandon_rate"]["whole"], total5);
    assert_eq!(month["busy_rate"]["part"], released + after_busy);
    assert_eq!(month["busy_rate"]["whole"], total6);
}
