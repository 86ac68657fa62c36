//! The desk closed and opened out of turn: what callers hear, how they are counted, what outlives a
//! `kill -9`, and what becomes of who waits.

use crate::hears::hears;
use crate::support::desk::{Desk, password, prompt};
use crate::support::ear::Ear;
use crate::support::softphone::{Setup as PhoneSetup, Softphone};
use crate::support::sound::Sound;
use crate::support::{eventually, poll, s};
use serde_json::json;
use std::time::{SystemTime, UNIX_EPOCH};

/// So many milliseconds from now, as the API takes a time.
pub fn from_now(ms: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    (now + u128::from(ms)).to_string()
}

#[track_caller]
pub fn order(desk: &Desk, path: &str, reason: &str, until: &str) {
    let body = json!({ "author": "佐藤", "reason": reason, "until": until }).to_string();
    let answer = desk.api("POST", &format!("/api/v1/hours/{path}"), &body);
    assert_eq!(answer.status, 204, "{path}: {}", answer.body);
}

#[test]
fn a_desk_closed_out_of_turn_says_so_across_a_restart_until_it_is_opened_again() {
    let mut desk = Desk::start("desk.toml");
    order(&desk, "all/close", "停電", &from_now(3_600_000));
    // What was ordered is in the history by then; the pages follow it, on a busy machine a moment later.
    let shown = || Some(desk.get("/api/v1/hours")).filter(|hours| hours["ad_hoc"][0].is_object());
    let hours = poll(s(5), shown).expect("the desk is shown as closed");
    let row = &hours["ad_hoc"][0];
    assert_eq!((row["to"].as_str(), row["number"].is_null()), (Some("closed"), true), "{hours:#}");
    assert_eq!((row["reason"].as_str(), row["author"].as_str()), (Some("停電"), Some("佐藤")));
    assert_eq!(desk.get("/api/v1/board")["ad_hoc_hours"][0]["reason"], "停電");

    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340010").set("MEDIA", ear.port()).start().done();
    assert!(caller.calls[&1].has("released"), "{:?}", caller.calls);
    hears(&ear, "adhoc-closed", 1);
    assert_eq!(desk.outcome("031234561"), "closed");
    let found = desk.ladder("031234561").into_iter().find(|event| event["kind"] == "found_closed");
    let why = found.expect("why it was closed")["why"].clone();
    assert_eq!(why, json!({ "closed": "ad_hoc", "name": "停電" }));

    // What was said to a person holds after a kill, and a number's own word goes before that of all.
    desk.kill();
    desk.again();
    assert_eq!(desk.get("/api/v1/hours")["ad_hoc"], hours["ad_hoc"]);
    order(&desk, "0312340070/disaster", "地震", &from_now(2_500));
    let ear = Ear::new(desk.ports.port());
    let second = desk.caller("0312340070").set("FROM", "03222").set("MEDIA", ear.port()).start();
    second.done();
    hears(&ear, "disaster", 1);
    assert_eq!(desk.outcome("032221"), "closed");
    // It ends by itself; that of all numbers holds on, until somebody takes it back.
    eventually("its time is over", s(5), || {
        desk.get("/api/v1/hours")["ad_hoc"].as_array().unwrap().len() == 1
    });
    let back = desk.api("POST", "/api/v1/hours/all/restore", r#"{"author": "佐藤"}"#);
    assert_eq!(back.status, 204, "{}", back.body);
    let again = desk.api("POST", "/api/v1/hours/all/restore", r#"{"author": "佐藤"}"#);
    assert_eq!(again.status, 409, "there is nothing to restore: {}", again.body);
    let agent = desk.agent("agent", 201).set("RING", 100).start();
    let third = desk.caller("0312340010").set("FROM", "03333").set("STAY", 400).start().done();
    assert!(third.calls[&1].has("hung_up"), "{:?}", third.calls);
    assert_eq!(desk.outcome("033331"), "answered");
    agent.done();
    assert_eq!(desk.month()["outcomes"]["closed"], 1, "0312340070 is not counted");
    // A number whose hours are over is opened out of turn.
    order(&desk, "0312340060/open", "臨時受付", &from_now(3_600_000));
    let agent = desk.agent("agent", 201).set("RING", 100).start();
    desk.caller("0312340060").set("FROM", "03444").set("STAY", 400).start().done();
    assert_eq!(desk.outcome("034441"), "answered");
    agent.done();
    desk.at_rest(s(3));
}

#[test]
fn who_waits_when_the_desk_closes_is_told_and_counts_as_released_busy() {
    let desk = Desk::start("desk.toml");
    let (told, served) = (Ear::new(desk.ports.port()), Ear::new(desk.ports.port()));
    let first = desk.caller("0312340095").set("FROM", "03111").set("MEDIA", told.port()).start();
    first.wait(1, "answered", s(5));
    let second = desk.caller("0312340091").set("FROM", "03222").set("MEDIA", served.port()).start();
    second.wait(1, "answered", s(5));
    hears(&told, "busy", 4);
    hears(&told, "music", 6);
    order(&desk, "0312340095/close", "避難訓練", &from_now(3_600_000));
    let done = first.done();
    assert!(done.calls[&1].has("released"), "{:?}", done.calls);
    hears(&told, "closing", 1);
    let call = desk.over("031111");
    assert_eq!(call["outcome"], "busy_released");
    assert_eq!(call["cause"]["cause"], "closed_while_waiting");
    // A number that serves its callers out lets them wait on, whatever is closed.
    let done = second.done();
    assert!(done.calls[&1].has("released"), "{:?}", done.calls);
    assert!(served.heard().holds(&prompt("closing")).is_none());
    assert_eq!(desk.over("032221")["cause"]["cause"], "waited_too_long");
    desk.at_rest(s(3));
}

#[test]
fn an_agent_closes_the_desk_from_the_phone_until_midnight() {
    let desk = Desk::start("desk.toml");
    let voice = Sound::voice(61, 20);
    let dial = |user: &'static str, code: &str, answer: &str| {
        let password = password(user);
        let setup = PhoneSetup {
            user,
            password: &password,
            desk: Some(desk.sip),
            voice: &voice,
            answers: false,
            codecs: "PCMU",
            expires_s: 600,
        };
        let phone = Softphone::start(&desk.ports, &setup);
        phone.tell("dial", &format!("sip:{code}@{}", desk.sip));
        phone.wait("CALL_CLOSED", s(8));
        let due = prompt(answer);
        let found = poll(s(3), || phone.heard().last()?.holds(&due));
        assert!(found.is_some(), "{user} hears {answer} after {code}");
    };
    dial("6001", "*22", "code-refused"); // only who may
    assert_eq!(desk.get("/api/v1/hours")["ad_hoc"], json!([]));
    dial("6003", "*21", "code-done");
    let hours = desk.get("/api/v1/hours");
    let row = &hours["ad_hoc"][0];
    assert_eq!((row["author"].as_str(), row["by"].as_str()), (Some("6003"), Some("feature_code")));
    assert!(row["until"].as_str().unwrap().contains("T00:00:00"), "{row}");
    desk.caller("0312340010").start().done();
    assert_eq!(desk.outcome("031234561"), "closed");
}
