//! Agents park, pass on and ask colleagues by the digits of a plain phone, which are heard in the sound.

use crate::hears::hears;
use crate::support::desk::{Desk, prompt};
use crate::support::ear::Ear;
use crate::support::softphone::Softphone;
use crate::support::sound::{Law, Sound};
use crate::support::{poll, rest, s};
use crate::talk::{agent, is_of};
use serde_json::Value;

/// Presses keys as a person does.
pub fn press(phone: &Softphone, keys: &str) {
    for key in keys.chars() {
        phone.tell("sndcode", &key.to_string());
        rest(250);
        phone.tell("sndcode", "\u{4}"); // the key is let go
        rest(100);
    }
}

fn kinds(desk: &Desk) -> Vec<String> {
    let kind = |event: &Value| event["kind"].as_str().unwrap_or_default().to_owned();
    desk.ladder("031234561").iter().map(kind).collect()
}

#[track_caller]
fn now_hears(ear: &Ear, voice: &Sound) {
    ear.forget();
    rest(1800);
    is_of(&ear.heard(), 500, voice);
}

#[test]
fn an_agent_asks_a_colleague_by_keys_turns_between_the_two_and_hands_the_caller_over() {
    let desk = Desk::start("desk.toml");
    let (his, hers, others) = (Sound::voice(95, 60), Sound::voice(96, 60), Sound::voice(97, 60));
    let first = agent(&desk, "6001", &hers, "PCMU");
    let second = agent(&desk, "6002", &others, "PCMU");
    desk.agent_is("6001", "idle");
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340020").set("MEDIA", ear.port()).set("STAY", 60_000).start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    ear.say(&his, Law::Mu, port);
    now_hears(&ear, &hers);

    press(&first, "*26002#");
    second.wait("CALL_ESTABLISHED", s(5));
    desk.agent_is("6002", "talking");
    // The caller hears music, and nothing of what the two say.
    ear.forget();
    hears(&ear, "music", 4);
    assert!(ear.heard().holds(&hers.part(0, 400)).is_none());
    press(&first, "*3");
    now_hears(&ear, &hers);
    press(&first, "*3");
    ear.forget();
    hears(&ear, "music", 4);
    first.tell("hangup", "");
    rest(300);
    now_hears(&ear, &others);
    desk.agent_is("6001", "idle");
    second.tell("hangup", "");
    assert!(caller.done().calls[&1].has("released"));

    // She heard him and then the colleague; the colleague her, and then him.
    let heard = |phone: &Softphone| {
        poll(s(3), || phone.heard().last().cloned().filter(|h| h.ms() > 3000)).expect("a recording")
    };
    let (at_first, at_second) = (heard(&first), heard(&second));
    is_of(&at_first, 300, &his);
    let any = |heard: &Sound, voice: &Sound| {
        let whole = usize::try_from(heard.ms()).unwrap_or(0);
        (0..whole.saturating_sub(500))
            .step_by(200)
            .any(|at| voice.holds(&heard.part(at, 400)).is_some())
    };
    assert!(any(&at_first, &others), "she heard the colleague");
    assert!(any(&at_second, &hers), "the colleague heard her");
    is_of(&at_second, usize::try_from(at_second.ms()).unwrap() - 1300, &his);

    let call = desk.over("031234561");
    assert_eq!(call["outcome"], "answered");
    let who: Vec<&str> = call["talks"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|talk| talk["agent"].as_str())
        .collect();
    assert_eq!(who, ["6001", "6002"], "{call}");
    assert_eq!(desk.calls().len(), 1, "one call");
    let kinds = kinds(&desk);
    assert!(kinds.iter().any(|kind| kind == "consult_began"), "{kinds:?}");
    desk.at_rest(s(3));
}

#[test]
fn an_agent_parks_and_passes_on_by_keys_and_hears_when_it_cannot_be() {
    let desk = Desk::start("desk.toml");
    let (his, hers, others) = (Sound::voice(98, 60), Sound::voice(99, 60), Sound::voice(100, 60));
    let first = agent(&desk, "6001", &hers, "PCMU");
    let second = agent(&desk, "6002", &others, "PCMU");
    desk.agent_is("6001", "idle");
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340020").set("MEDIA", ear.port()).set("STAY", 60_000).start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    ear.say(&his, Law::Mu, port);
    // To a number that the plan does not have: she is told, and the two go on.
    press(&first, "*19999#");
    rest(1800);
    now_hears(&ear, &hers);
    press(&first, "*7");
    first.wait("CALL_CLOSED", s(8));
    let heard = poll(s(3), || first.heard().last().cloned().filter(|h| h.ms() > 3000));
    let heard = heard.expect("a recording");
    assert!(heard.holds(&prompt("code-refused")).is_some(), "she heard that it cannot be");
    assert!(heard.holds(&prompt("parked-at-701")).is_some(), "she heard where the caller is");
    second.tell("dial", &format!("sip:701@{}", desk.sip));
    second.wait("CALL_ESTABLISHED", s(5));
    now_hears(&ear, &others);
    // And back to her, blindly, by the panel of his.
    let call = desk.call_of("031234561").expect("its call")["call"].as_str().unwrap().to_owned();
    let post = |action: &str, body: &str| {
        let answer = desk.api("POST", &format!("/api/v1/calls/{call}/talk/{action}"), body);
        println!("{action}: {}", answer.body);
        answer.status
    };
    assert_eq!(post("transfer", ""), 400);
    assert_eq!(post("sing", ""), 404);
    assert_eq!(post("swap", ""), 409, "nobody is asked");
    assert_eq!(post("transfer", r#"{"to": "9999"}"#), 409);
    assert_eq!(post("transfer", r#"{"to": "6001"}"#), 204);
    first.wait_count("CALL_ESTABLISHED", 2, s(5));
    now_hears(&ear, &hers);
    first.tell("hangup", "");
    assert!(caller.done().calls[&1].has("released"));
    let call = desk.over("031234561");
    let who: Vec<&str> = call["talks"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|talk| talk["agent"].as_str())
        .collect();
    assert_eq!(who, ["6001", "6002", "6001"], "{call}");
    desk.at_rest(s(3));
}
