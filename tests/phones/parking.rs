//! Parked callers with real softphones: who hears what, which phone rings, what the lamp and the history
//! show.

use crate::hears::hears;
use crate::lamps::{shows, watch};
use crate::support::desk::{Desk, password, prompt};
use crate::support::ear::Ear;
use crate::support::sipp::Job;
use crate::support::softphone::Softphone;
use crate::support::sound::{Law, Sound};
use crate::support::{eventually, poll, rest, s};
use crate::talk::{agent, is_of, quiet_agent};
use serde_json::{Value, json};

/// A caller with the agent 6001, who speaks with `his` voice.
fn caller_with(desk: &Desk, his: &Sound, stay_ms: u64) -> (Ear, crate::support::sipp::Sipp) {
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340020").set("MEDIA", ear.port()).set("STAY", stay_ms).start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    ear.say(his, Law::Mu, port);
    (ear, caller)
}

/// The softphone's last call was with this caller for a while.
#[track_caller]
fn heard(phone: &Softphone, voice: &Sound) {
    let last = poll(s(3), || phone.heard().last().cloned().filter(|heard| heard.ms() > 1200));
    is_of(&last.expect("a recording"), 300, voice);
}

fn parked(desk: &Desk) -> Vec<(String, String)> {
    let list = desk.get("/api/v1/parked")["parked"].as_array().expect("a list").clone();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    list.iter().map(|call| (text(&call["parked"]["slot"]), text(&call["parked"]["by"]))).collect()
}

/// What came to pass in slots, in order.
fn steps(desk: &Desk) -> Vec<String> {
    let ladder = desk.ladder("031234561");
    let step = |event: &Value| match event["kind"].as_str()? {
        "parked" => Some(format!("parked {}", event["slot"].as_str()?)),
        "unparked" => Some(event["how"].as_str()?.to_owned()),
        _ => None,
    };
    ladder.iter().filter_map(step).collect()
}

#[test]
fn a_caller_passed_to_the_lot_hears_music_is_told_of_and_is_fetched_by_a_colleague_who_dials_the_slot()
 {
    let desk = Desk::start("desk.toml");
    let (his, hers, others) = (Sound::voice(81, 60), Sound::voice(82, 60), Sound::voice(83, 60));
    let first = agent(&desk, "6001", &hers, "PCMU");
    let second = agent(&desk, "6002", &others, "PCMU");
    let watcher = watch(&desk, "701").start();
    watcher.wait(1, "watching", s(5));
    shows(&watcher, "", "");
    desk.agent_is("6001", "idle");
    let (ear, caller) = caller_with(&desk, &his, 40_000);
    rest(1500);
    is_of(&ear.heard(), 300, &hers);

    ear.forget();
    first.tell("transfer", &format!("sip:700@{}", desk.sip));
    // baresip hangs up as soon as the transfer is done, and is rung to be told where the caller is.
    first.wait_count("CALL_ESTABLISHED", 2, s(5));
    hears(&ear, "music", 5);
    shows(&watcher, "confirmed", "031234561");
    assert_eq!(parked(&desk), [("701".to_owned(), "6001".to_owned())]);
    first.wait_count("CALL_CLOSED", 2, s(10));
    let told = poll(s(3), || first.heard().last()?.holds(&prompt("parked-at-701")));
    assert!(told.is_some_and(|found| found.score > 0.5), "she is told the slot");
    let shown = |event: &Value| event["peeruri"].as_str().is_some_and(|uri| uri.contains("701@"));
    let shown = first.events().iter().any(shown);
    assert!(shown, "her display shows the slot: {:?}", first.events());
    desk.agent_is("6001", "idle");

    second.tell("dial", &format!("sip:701@{}", desk.sip));
    second.wait("CALL_ESTABLISHED", s(5));
    desk.agent_is("6002", "talking");
    ear.forget();
    rest(2000);
    is_of(&ear.heard(), 500, &others);
    shows(&watcher, "", "");
    assert!(parked(&desk).is_empty());
    second.tell("hangup", "");
    assert!(caller.done().calls[&1].has("released"));
    heard(&second, &his);

    let call = desk.over("031234561");
    assert_eq!(call["outcome"], "answered");
    let who: Vec<&str> = call["talks"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|talk| talk["agent"].as_str())
        .collect();
    assert_eq!(who, ["6001", "6002"], "{call}");
    assert_eq!(steps(&desk), ["parked 701", "fetched"]);
    assert_eq!(desk.calls().len(), 1, "one call");

    // Who dials a slot in which nobody is hears so.
    second.tell("dial", &format!("sip:701@{}", desk.sip));
    second.wait_count("CALL_CLOSED", 2, s(10));
    let told = poll(s(3), || second.heard().last()?.holds(&prompt("slot-empty")));
    assert!(told.is_some(), "nobody is there, and she hears so");
    desk.at_rest(s(3));
    watcher.stop();
}

#[test]
fn a_parked_caller_whom_nobody_fetches_is_brought_back_to_the_phone_that_parked_it_and_no_other() {
    let desk = Desk::start("desk.toml");
    let (his, hers) = (Sound::voice(84, 60), Sound::voice(85, 60));
    let first = agent(&desk, "6001", &hers, "PCMU");
    let other = quiet_agent(&desk, "6002", &hers);
    desk.agent_is("6001", "idle");
    let (ear, caller) = caller_with(&desk, &his, 40_000);
    first.tell("transfer", &format!("sip:702@{}", desk.sip));
    first.wait("CALL_CLOSED", s(5));
    eventually("it is parked", s(3), || parked(&desk) == [("702".to_owned(), "6001".to_owned())]);
    // After six seconds, as the plan says.
    first.wait_count("CALL_ESTABLISHED", 2, s(12));
    ear.forget();
    rest(1800);
    is_of(&ear.heard(), 400, &hers);
    first.tell("hangup", "");
    assert!(caller.done().calls[&1].has("released"));
    heard(&first, &his);
    assert_eq!(steps(&desk), ["parked 702", "recalled"]);
    assert_eq!(other.count("CALL_INCOMING"), 0, "nobody else was rung");
    assert_eq!(desk.over("031234561")["outcome"], "answered");
    desk.at_rest(s(3));
}

#[test]
fn a_parked_caller_who_hangs_up_frees_the_slot_and_is_no_abandoned_call() {
    let desk = Desk::start("desk.toml");
    let (his, hers) = (Sound::voice(86, 60), Sound::voice(87, 60));
    let first = agent(&desk, "6001", &hers, "PCMU");
    desk.agent_is("6001", "idle");
    let (_ear, caller) = caller_with(&desk, &his, 3000);
    first.tell("transfer", &format!("sip:703@{}", desk.sip));
    first.wait("CALL_CLOSED", s(5));
    eventually("it is parked", s(3), || parked(&desk).len() == 1);
    assert!(caller.done().calls[&1].has("hung_up"));
    eventually("the slot is free", s(3), || parked(&desk).is_empty());
    let call = desk.over("031234561");
    assert_eq!((call["outcome"].as_str(), call["parked"].is_null()), (Some("answered"), true));
    desk.agent_is("6001", "idle");
    desk.at_rest(s(3));
}

#[test]
fn the_api_parks_a_call_and_brings_it_to_an_agents_phone() {
    let desk = Desk::start("desk.toml");
    let (his, hers, others) = (Sound::voice(88, 60), Sound::voice(89, 60), Sound::voice(90, 60));
    let first = agent(&desk, "6001", &hers, "PCMU");
    let second = agent(&desk, "6002", &others, "PCMU");
    desk.agent_is("6001", "idle");
    let (ear, caller) = caller_with(&desk, &his, 40_000);
    let id = desk.call_of("031234561").expect("its call")["call"].as_str().unwrap().to_owned();
    let post = |path: &str, body: Value| desk.api("POST", path, &body.to_string()).status;
    let park = format!("/api/v1/calls/{id}/park");
    assert_eq!(post(&park, json!({ "slot": "999" })), 404);
    assert_eq!(post(&park, json!({ "slot": "702" })), 204);
    // She hears where it is on the line on which she spoke, and is let go.
    first.wait("CALL_CLOSED", s(8));
    let told = poll(s(3), || first.heard().last()?.holds(&prompt("parked-at-702")));
    assert!(told.is_some(), "she is told the slot");
    assert_eq!(post(&park, json!({})), 409, "it is with no agent");
    assert_eq!(post("/api/v1/parked/701/fetch", json!({ "agent": "6002" })), 404, "nobody there");
    assert_eq!(post("/api/v1/parked/702/fetch", json!({ "agent": "6010" })), 409, "no phone");
    assert_eq!(post("/api/v1/parked/702/fetch", json!({ "agent": "6002" })), 204);
    second.wait("CALL_ESTABLISHED", s(5));
    ear.forget();
    rest(1800);
    is_of(&ear.heard(), 400, &others);
    second.tell("hangup", "");
    assert!(caller.done().calls[&1].has("released"));
    assert_eq!(steps(&desk), ["parked 702", "fetched"]);
    desk.at_rest(s(3));
}

#[test]
fn a_slot_holds_nobody_after_a_kill_and_its_call_is_an_answered_one() {
    let mut desk = Desk::start("desk.toml");
    let (his, hers) = (Sound::voice(91, 60), Sound::voice(92, 60));
    let first = agent(&desk, "6001", &hers, "PCMU");
    let watcher = watch(&desk, "701").start();
    watcher.wait(1, "watching", s(5));
    desk.agent_is("6001", "idle");
    let (_ear, caller) = caller_with(&desk, &his, 40_000);
    first.tell("transfer", &format!("sip:701@{}", desk.sip));
    shows(&watcher, "confirmed", "031234561");
    desk.kill();
    desk.again();
    caller.stop();
    shows(&watcher, "", "");
    let call = desk.over("031234561");
    assert_eq!(
        (call["outcome"].as_str(), call["cause"]["cause"].as_str()),
        (Some("answered"), Some("restart"))
    );
    assert!(parked(&desk).is_empty());
    watcher.stop();
}

#[test]
fn a_lamp_of_a_slot_is_pressed_and_the_caller_is_with_whom_pressed_it() {
    let desk = Desk::start("desk.toml");
    let (his, hers) = (Sound::voice(93, 60), Sound::voice(94, 60));
    let first = agent(&desk, "6001", &hers, "PCMU");
    desk.agent_is("6001", "idle");
    // A phone that takes the dialog which its lamp names.
    let presses = Job::new("lamp_picks_up", desk.sip, desk.ports.port())
        .set("USER", "6003")
        .set("PASSWORD", password("6003"))
        .set("WHAT", "703")
        .set("STAY", 500)
        .within(s(60))
        .start();
    presses.wait(1, "watching", s(5));
    let (_ear, caller) = caller_with(&desk, &his, 40_000);
    first.tell("transfer", &format!("sip:703@{}", desk.sip));
    assert!(presses.done().calls[&1].has("hung_up"));
    assert!(caller.done().calls[&1].has("released"));
    assert_eq!(steps(&desk), ["parked 703", "fetched"]);
    let call = desk.over("031234561");
    let who: Vec<&str> = call["talks"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|talk| talk["agent"].as_str())
        .collect();
    assert_eq!(who, ["6001", "6003"], "{call}");
    desk.at_rest(s(3));
}
