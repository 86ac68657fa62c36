//! What an agent hears alone before the caller: the caller's music goes on, a key cuts it short, and whoever
//! hangs up meanwhile has not been answered, or has refused.

use crate::by_keys::press;
use crate::hears::{hears, one_unbroken_stream};
use crate::support::desk::{Desk, prompt};
use crate::support::ear::Ear;
use crate::support::softphone::Softphone;
use crate::support::sound::{Law, Sound};
use crate::support::{eventually, poll, rest, s};
use crate::talk::{agent, is_of};

/// The last that a phone heard, when it is whole.
fn recording(phone: &Softphone, least_ms: i64) -> Sound {
    let whole = || phone.heard().last().cloned().filter(|heard| heard.ms() >= least_ms);
    poll(s(3), whole).unwrap_or_else(|| {
        let lengths: Vec<i64> = phone.heard().iter().map(Sound::ms).collect();
        panic!("no recording of {least_ms} ms: {lengths:?}")
    })
}

#[test]
fn an_agent_hears_which_desk_is_called_while_the_callers_music_goes_on_and_then_they_talk() {
    let desk = Desk::start("telling.toml");
    let (his, hers) = (Sound::voice(131, 60), Sound::voice(132, 60));
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340010").set("MEDIA", ear.port()).set("STAY", 60_000).start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    ear.say(&his, Law::Mu, port);
    hears(&ear, "music", 6);
    let phone = agent(&desk, "6001", &hers, "PCMU");
    phone.wait("CALL_ESTABLISHED", s(10));
    ear.forget();
    rest(2500);
    // In the midst of it: music, no word of what she hears, and nothing of her.
    let heard = ear.heard();
    assert!(heard.part(500, 1500).loudness() > 300.0, "silence");
    assert!(heard.holds(&prompt("music").part(500, 500)).is_some(), "music");
    assert!(
        heard.holds(&hers.part(2000, 400)).is_none()
            && heard.holds(&prompt("desk-calls").part(200, 500)).is_none()
    );
    assert_eq!(desk.call_of("031234561").unwrap()["state"], "ringing");
    rest(3000);
    ear.forget();
    rest(1800);
    is_of(&ear.heard(), 500, &hers);
    one_unbroken_stream(&ear);
    phone.tell("hangup", "");
    assert!(caller.done().calls[&1].has("released"));

    let due = prompt("desk-calls");
    let heard = recording(&phone, 6000);
    let told = heard.holds(&due).filter(|found| found.common_ms >= due.ms() - 150);
    let told = told.unwrap_or_else(|| panic!("{:?}", heard.find(&due)));
    let end = usize::try_from(told.at_ms + due.ms()).unwrap();
    is_of(&heard, end + 700, &his);
    // Not before its end: nothing of him lies under it.
    assert!(his.holds(&heard.part(usize::try_from(told.at_ms).unwrap() + 1000, 500)).is_none());

    let call = desk.over("031234561");
    assert_eq!(call["outcome"], "answered_after_busy", "{call}");
    let id = call["call"].as_str().unwrap();
    let ladder = desk.get(&format!("/api/v1/calls/{id}"))["ladder"].clone();
    let at = |kind: &str| {
        let found = ladder.as_array().unwrap().iter().find(|entry| entry["event"]["kind"] == kind);
        found.unwrap_or_else(|| panic!("{kind}: {ladder}"))["t_ms"].as_u64().unwrap()
    };
    let told_for = at("operator_answered") - at("agent_told");
    assert!((3_900..5_500).contains(&told_for), "{told_for} ms");
    let waited = call["wait_ms"].as_u64().unwrap();
    assert_eq!(
        waited,
        at("operator_answered") - at("operator_asked"),
        "up to the caller's own answer"
    );
    desk.at_rest(s(3));
}

#[test]
fn a_key_of_the_agents_cuts_it_short_for_a_caller_who_hears_ringing() {
    let desk = Desk::start("telling.toml");
    let (his, hers) = (Sound::voice(136, 60), Sound::voice(133, 60));
    let phone = agent(&desk, "6001", &hers, "PCMU");
    desk.agent_is("6001", "idle");
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340010").set("MEDIA", ear.port()).set("STAY", 60_000).start();
    phone.wait("CALL_ESTABLISHED", s(5));
    rest(1000);
    assert_eq!(desk.call_of("031234561").unwrap()["state"], "ringing", "180 and no more");
    assert!(!caller.calls()[&1].has("answered"));
    press(&phone, "1");
    let port: u16 = caller.wait(1, "answered", s(2)).parse().unwrap();
    ear.say(&his, Law::Mu, port);
    ear.forget();
    rest(1800);
    is_of(&ear.heard(), 500, &hers);
    phone.tell("hangup", "");
    assert!(caller.done().calls[&1].has("released"));
    let due = prompt("desk-calls");
    let heard = recording(&phone, 2500);
    let told = heard.holds(&due.part(0, 700)).unwrap_or_else(|| panic!("{:?}", heard.find(&due)));
    let after = usize::try_from(told.at_ms).unwrap() + 2000;
    is_of(&heard, after, &his);
    assert_eq!(desk.outcome("031234561"), "answered");
    desk.at_rest(s(3));
}

#[test]
fn whoever_hangs_up_meanwhile_has_abandoned_or_refused() {
    let desk = Desk::start("telling.toml");
    let (one, two) = (Sound::voice(134, 60), Sound::voice(135, 60));
    let first = agent(&desk, "6001", &one, "PCMU");
    let second = agent(&desk, "6002", &two, "PCMU");
    desk.agent_is("6001", "idle");
    desk.agent_is("6002", "idle");
    // The caller, 4 s after arrival: while the agent hears it.
    let caller = desk.caller("0312340010").set("PATIENCE", 3_500);
    let caller = caller.start();
    first.wait("CALL_ESTABLISHED", s(3));
    first.wait("CALL_CLOSED", s(6));
    caller.done();
    assert_eq!(desk.outcome("031234561"), "abandoned");
    desk.agent_is("6001", "idle");

    // The agent: the next one has the caller, and it is set aside as after a refusal.
    let caller = desk.caller("0312340010").set("FROM", "03222").set("STAY", 60_000).start();
    first.wait_count("CALL_ESTABLISHED", 2, s(5));
    rest(1000);
    first.tell("hangup", "");
    desk.agent_is("6001", "paused");
    second.wait("CALL_ESTABLISHED", s(5));
    caller.wait(1, "answered", s(8));
    second.tell("hangup", "");
    caller.done();
    let call = desk.over("032221");
    assert_eq!((&call["outcome"], &call["agent"]), (&"answered".into(), &"6002".into()), "{call}");
    eventually("no talk of the first", s(2), || {
        call["talks"].as_array().is_some_and(|talks| talks.len() == 1)
    });
    desk.at_rest(s(3));
}
