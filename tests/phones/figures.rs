//! The two rates, recounted from what SIPp itself saw.

use crate::support::desk::Desk;
use crate::support::{rest, s};
use std::process::Command;

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

/// The desk's own command, in English: its exit code and what it prints.
fn command(desk: &Desk, words: &[&str]) -> (i32, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_madoguchi"))
        .args(words)
        .args(["--lang", "en", "--config"])
        .arg(desk.dir().file("madoguchi.toml"))
        .output()
        .expect("it runs");
    let said = [run.stdout, run.stderr].map(|text| String::from_utf8(text).expect("text")).concat();
    (run.status.code().expect("an exit code"), said)
}

#[test]
fn a_call_is_explained_left_out_by_two_persons_and_all_of_it_outlives_a_kill() {
    let mut desk = Desk::start("desk.toml");
    let waits = desk.caller("0312340090").set("FROM", "0340").set("STAY", 900).start().done();
    assert_eq!(waits.count("hung_up"), 1);
    desk.over("03401");
    let today = chrono::Utc::now().with_timezone(&chrono_tz::Asia::Tokyo);
    let month = today.format("%Y-%m").to_string();
    let (code, listed) = command(&desk, &["calls", "--month", &month, "--stands", "numerator"]);
    assert_eq!(code, 0, "{listed}");
    assert!(listed.ends_with("abandon rate (No. 5): 1 calls\n"), "{listed}");
    let id = listed.split(' ').next().expect("its id").to_owned();
    let (code, told) = command(&desk, &["explain", &id]);
    assert_eq!(code, 0, "{told}");
    for due in [
        "outcome abandoned: the caller asked for an operator and hung up before one answered",
        "abandon rate (No. 5): numerator (and so in the total)",
        "busy rate (No. 6): in the total only",
        "announced ",
        "ended by=\"caller\"",
    ] {
        assert!(told.contains(due), "{due}: {told}");
    }
    assert!(!told.contains("03401"), "nobody's number without --callers: {told}");
    assert!(command(&desk, &["explain", &id, "--callers"]).1.contains("03401"));
    let (code, none) = command(&desk, &["explain", "0199a0c1-5b00-7000-8000-000000000001"]);
    assert_eq!((code, none.as_str()), (1, "the history has no such call\n"));
    assert_eq!(command(&desk, &["service-level", &month]).0, 1, "10 % are missed");

    // Left out: entered by one, approved by another.
    let at = |minutes| (today + chrono::TimeDelta::minutes(minutes)).format("%Y-%m-%dT%H:%M");
    let (from, until) = (at(-5).to_string(), at(5).to_string());
    let enter = ["exclude", "enter", "--from", &from, "--until", &until, "--reason", "通信障害"];
    let (code, entered) = command(&desk, &[&enter[..], &["--author", "佐藤"]].concat());
    assert_eq!(code, 0, "{entered}");
    assert!(entered.starts_with("exclusion 1 is entered"), "{entered}");
    let approve = |author| command(&desk, &["exclude", "approve", "1", "--author", author]);
    let (code, refused) = approve("佐藤");
    assert!(code == 1 && refused.contains("another person"), "{refused}");
    assert_eq!(approve("鈴木").0, 0);
    assert_eq!(approve("田中").0, 1, "it is approved already");
    let close = command(&desk, &["close-month", &month, "--author", "佐藤"]);
    assert!(close.0 == 1 && close.1.contains("not over"), "{close:?}");

    let shown = |desk: &Desk| {
        let (code, said) = command(desk, &["service-level", &month]);
        assert_eq!(code, 0, "nothing is missed: {said}");
        assert!(said.contains("abandon rate No. 5: - % (0/0)"), "{said}");
        assert!(said.contains("arrived in excluded periods 1"), "{said}");
        assert!(said.contains("通信障害, by 佐藤, approved by 鈴木"), "{said}");
        assert!(said.contains("settings (version 1)"), "{said}");
        let figures = desk.month();
        assert_eq!(figures["excluded"]["arrived"], 1, "{figures:#}");
        said
    };
    let before = shown(&desk);
    desk.kill();
    desk.again();
    assert_eq!(shown(&desk), before);
    assert!(command(&desk, &["explain", &id]).1.contains("(exclusion 1)"));
    // And the history that says so is whole.
    let store = desk.dir().file("store/madoguchi.db");
    let verify = Command::new(env!("CARGO_BIN_EXE_madoguchi")).arg("verify").arg(store).output();
    assert!(verify.expect("it runs").status.success());
    let withdraw = ["exclude", "withdraw", "1", "--reason", "誤り", "--author", "佐藤", "--json"];
    let (code, said) = command(&desk, &withdraw);
    let said: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    let due = serde_json::json!({ "exclusion": 1, "state": "withdrawn" });
    assert_eq!((code, said), (0, due));
    assert_eq!(command(&desk, &["service-level", &month]).0, 1);
}
