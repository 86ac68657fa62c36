//! Groups with real phones: overflow, priorities, skills, work after a call, reasons of a pause.

use crate::support::desk::Desk;
use crate::support::sound::Sound;
use crate::support::{eventually, rest, s};
use crate::talk::{agent, quiet_agent};
use serde_json::Value;

/// The kinds of the events of a caller's call; none before it has come.
fn kinds(desk: &Desk, caller: &str) -> Vec<String> {
    if desk.call_of(caller).is_none() {
        return Vec::new();
    }
    let kind = |event: &Value| event["kind"].as_str().unwrap_or_default().to_owned();
    desk.ladder(caller).iter().map(kind).collect()
}

#[test]
fn a_caller_who_waited_too_long_is_answered_by_another_group_and_is_one_call_that_heard_busy_once()
{
    let desk = Desk::start("groups.toml");
    let voice = Sound::voice(111, 30);
    let busy = agent(&desk, "6001", &voice, "PCMU");
    let second = agent(&desk, "6002", &voice, "PCMU");
    desk.agent_is("6001", "idle");
    desk.agent_is("6002", "idle");
    let first = desk.caller("0312340010").set("STAY", 20_000).start();
    busy.wait("CALL_ESTABLISHED", s(5));
    let waits = desk.caller("0312340010").set("FROM", "03222").set("STAY", 20_000).start();
    eventually("it waits", s(3), || kinds(&desk, "032221").iter().any(|kind| kind == "queued"));
    assert_eq!(second.count("CALL_ESTABLISHED"), 0, "not before its time");
    second.wait("CALL_ESTABLISHED", s(8));
    second.tell("hangup", "");
    assert!(waits.done().calls[&1].has("released"));
    let call = desk.over("032221");
    assert_eq!(
        (call["outcome"].as_str(), call["agent"].as_str()),
        (Some("answered_after_busy"), Some("6002")),
        "{call}"
    );
    let waited = call["wait_ms"].as_u64().unwrap();
    assert!((2_900..8_000).contains(&waited), "{waited}");
    let told = kinds(&desk, "032221");
    assert_eq!(told.iter().filter(|kind| *kind == "overflowed").count(), 1, "{told:?}");
    let busy_told = desk.ladder("032221");
    let busy_told = busy_told.iter().filter(|event| event["purpose"] == "busy").count();
    assert_eq!((busy_told, desk.calls().len()), (1, 2));
    first.stop();
}

#[test]
fn the_second_priority_rings_while_the_first_is_busy_and_no_busy_phone_is_rung() {
    let desk = Desk::start("groups.toml");
    let voice = Sound::voice(112, 30);
    let first = agent(&desk, "6001", &voice, "PCMU");
    let second = agent(&desk, "6002", &voice, "PCMU");
    desk.agent_is("6001", "idle");
    desk.agent_is("6002", "idle");
    let one = desk.caller("0312340020").set("STAY", 15_000).start();
    first.wait("CALL_ESTABLISHED", s(5));
    assert_eq!(second.count("CALL_ESTABLISHED"), 0);
    let two = desk.caller("0312340020").set("FROM", "03222").set("STAY", 1000).start();
    second.wait("CALL_ESTABLISHED", s(5));
    two.done();
    assert_eq!(desk.over("032221")["agent"], "6002");
    assert_eq!(first.count("CALL_ESTABLISHED"), 1, "a busy agent is not rung");
    one.stop();
}

#[test]
fn a_caller_gets_who_knows_enough_and_later_anybody() {
    let desk = Desk::start("groups.toml");
    let voice = Sound::voice(113, 30);
    let plain = agent(&desk, "6001", &voice, "PCMU");
    let speaks = agent(&desk, "6002", &voice, "PCMU");
    desk.agent_is("6001", "idle");
    desk.agent_is("6002", "idle");
    let one = desk.caller("0312340030").set("STAY", 20_000).start();
    speaks.wait("CALL_ESTABLISHED", s(5));
    assert_eq!(plain.count("CALL_ESTABLISHED"), 0, "the first of the list does not speak English");
    let two = desk.caller("0312340030").set("FROM", "03222").set("STAY", 20_000).start();
    rest(2000);
    assert_eq!(plain.count("CALL_ESTABLISHED"), 0, "not yet");
    plain.wait("CALL_ESTABLISHED", s(8));
    plain.tell("hangup", "");
    two.done();
    let waited = desk.over("032221")["wait_ms"].as_u64().unwrap();
    assert!((3_900..8_000).contains(&waited), "{waited}");
    one.stop();
}

#[test]
fn work_after_a_call_is_made_longer_and_ended_by_code_and_the_urgent_caller_goes_first() {
    let desk = Desk::start("groups.toml");
    let voice = Sound::voice(114, 30);
    let phone = agent(&desk, "6001", &voice, "PCMU");
    desk.agent_is("6001", "idle");
    desk.caller("0312340040").set("STAY", 500).start().done();
    desk.agent_is("6001", "wrap_up");
    phone.tell("dial", &format!("sip:*16@{}", desk.sip));
    phone.wait_count("CALL_CLOSED", 2, s(8));
    // Longer than the plan's three seconds.
    rest(3500);
    desk.agent_is("6001", "wrap_up");
    let plain = desk.caller("0312340040").set("FROM", "03222").set("STAY", 40_000).start();
    eventually("it waits", s(3), || kinds(&desk, "032221").iter().any(|kind| kind == "queued"));
    let urgent = desk.caller("0312340050").set("FROM", "03333").set("STAY", 40_000).start();
    eventually("it waits", s(3), || kinds(&desk, "033331").iter().any(|kind| kind == "queued"));
    phone.tell("dial", &format!("sip:*17@{}", desk.sip));
    phone.wait_count("CALL_ESTABLISHED", 4, s(8));
    phone.tell("hangup", "");
    urgent.done();
    phone.wait_count("CALL_ESTABLISHED", 5, s(10));
    phone.tell("hangup", "");
    plain.done();
    let answered = |caller: &str| {
        let call = desk.over(caller);
        call["arrived_at_ms"].as_u64().unwrap() + call["talks"][0]["from_ms"].as_u64().unwrap()
    };
    assert!(answered("033331") < answered("032221"), "the urgent one first, though it came later");
}

#[test]
fn a_pause_has_a_reason_of_the_plan_by_code_and_by_the_api_and_missed_rings_are_told_apart() {
    let desk = Desk::start("groups.toml");
    let voice = Sound::voice(115, 30);
    let phone = quiet_agent(&desk, "6001", &voice);
    desk.agent_is("6001", "idle");
    let shown = || {
        let agents = desk.get("/api/v1/agents")["agents"].as_array().unwrap().clone();
        agents.into_iter().find(|agent| agent["agent"] == "6001").expect("in the plan")
    };
    phone.tell("dial", &format!("sip:*131@{}", desk.sip));
    eventually("paused for lunch", s(8), || shown()["paused"] == "昼休み");
    let pause = |reason: &str| {
        let body = serde_json::json!({ "reason": reason }).to_string();
        desk.api("POST", "/api/v1/agents/6001/pause", &body).status
    };
    phone.wait("CALL_CLOSED", s(8));
    phone.tell("dial", &format!("sip:*14@{}", desk.sip));
    eventually("back", s(8), || shown()["paused"].is_null());
    phone.wait_count("CALL_CLOSED", 2, s(8));
    assert_eq!(pause("散歩"), 400, "no reason of the plan");
    assert_eq!(shown()["paused"], Value::Null);
    // It rings and the caller leaves: that is nobody's miss.
    let caller = desk.caller("0312340010").set("PATIENCE", 1000).start();
    caller.done();
    let call = desk.over("031234561");
    assert_eq!(call["outcome"], "short_abandoned", "{call}");
    let today = shown()["today"].clone();
    assert_eq!(
        (today["caller_left"].as_u64(), today["missed"].as_u64()),
        (Some(1), Some(0)),
        "{today}"
    );
}
