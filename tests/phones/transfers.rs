//! Passing a call on with a real softphone: who hears whom afterwards, and what the history says.

use crate::support::desk::Desk;
use crate::support::ear::Ear;
use crate::support::sound::{Law, Sound};
use crate::support::{eventually, poll, rest, s};
use crate::talk::{agent, is_of};
use serde_json::Value;

/// Who talked with the caller, each with its length in milliseconds.
fn talks(call: &Value) -> Vec<(String, u64)> {
    let talks = call["talks"].as_array().expect("a list of talks");
    let one = |talk: &Value| {
        let length = talk["length_ms"].as_u64().expect("it is over");
        (talk["agent"].as_str().expect("an agent").to_owned(), length)
    };
    talks.iter().map(one).collect()
}

#[test]
fn a_caller_who_is_passed_on_talks_with_the_colleague_and_it_is_one_answered_call() {
    let desk = Desk::start("desk.toml");
    let (his, hers, others) = (Sound::voice(71, 60), Sound::voice(72, 60), Sound::voice(73, 60));
    let first = agent(&desk, "6001", &hers, "PCMU");
    let second = agent(&desk, "6002", &others, "PCMA");
    desk.agent_is("6001", "idle");
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340020").set("MEDIA", ear.port()).set("STAY", 9000).start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    ear.say(&his, Law::Mu, port);
    rest(1500);
    is_of(&ear.heard(), 300, &hers);

    first.tell("transfer", &format!("sip:6002@{}", desk.sip));
    second.wait("CALL_ESTABLISHED", s(5));
    first.wait("CALL_CLOSED", s(5));
    desk.agent_is("6001", "idle");
    desk.agent_is("6002", "talking");
    ear.forget();
    rest(1500);
    is_of(&ear.heard(), 300, &others);
    assert!(caller.done().calls[&1].has("hung_up"));
    second.wait("CALL_CLOSED", s(5));
    let heard = poll(s(3), || second.heard().last().cloned().filter(|h| h.ms() > 1500));
    is_of(&heard.expect("a recording"), 500, &his);

    let call = desk.over("031234561");
    assert_eq!(
        (call["outcome"].as_str(), call["agent"].as_str()),
        (Some("answered"), Some("6001"))
    );
    let talks = talks(&call);
    let who: Vec<&str> = talks.iter().map(|(who, _)| who.as_str()).collect();
    assert_eq!(who, ["6001", "6002"], "{call}");
    let total = call["length_ms"].as_u64().expect("it is over");
    assert!(talks[0].1 >= 1_400 && talks[1].1 >= 2_500, "{talks:?}");
    assert!(talks[0].1 + talks[1].1 <= total, "{talks:?} of {total}");
    assert_eq!(desk.calls().len(), 1, "one call");
    desk.at_rest(s(3));
}

#[test]
fn a_colleague_who_does_not_pick_up_gives_the_caller_back() {
    let desk = Desk::start("desk.toml");
    let (his, hers) = (Sound::voice(74, 60), Sound::voice(75, 60));
    let first = agent(&desk, "6001", &hers, "PCMU");
    let second = crate::talk::quiet_agent(&desk, "6002", &hers);
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340020").set("MEDIA", ear.port()).set("STAY", 15_000).start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    ear.say(&his, Law::Mu, port);
    first.tell("transfer", &format!("sip:6002@{}", desk.sip));
    second.wait("CALL_INCOMING", s(5));
    // Meanwhile the caller hears music.
    ear.forget();
    crate::hears::hears(&ear, "music", 4);
    eventually("the caller is with her again", s(10), || {
        desk.ladder("031234561").iter().any(|event| event["kind"] == "returned")
    });
    // baresip hangs up by itself when its transfer fails: it is rung again at once.
    first.wait_count("CALL_ESTABLISHED", 2, s(5));
    ear.forget();
    rest(1500);
    is_of(&ear.heard(), 300, &hers);
    first.tell("hangup", "");
    assert!(caller.done().calls[&1].has("released"));
    let call = desk.over("031234561");
    assert_eq!(call["outcome"], "answered");
    let who: Vec<String> = talks(&call).into_iter().map(|(who, _)| who).collect();
    assert!(who.len() >= 2 && who.iter().all(|who| who == "6001"), "{call}");
    desk.at_rest(s(3));
}

#[test]
fn nobody_is_sent_outside_or_nowhere() {
    let desk = Desk::start("desk.toml");
    let hers = Sound::voice(76, 60);
    let first = agent(&desk, "6001", &hers, "PCMU");
    desk.agent_is("6001", "idle");
    let caller = desk.caller("0312340020").set("STAY", 6000).start();
    caller.wait(1, "answered", s(5));
    let targets = ["sip:0312345678@198.51.100.1", "sip:0312345678@127.0.0.1", "sip:*11@127.0.0.1"];
    for (target, calls) in targets.into_iter().zip(2..) {
        first.tell("transfer", target);
        // baresip hangs up when it is refused, and is rung again.
        first.wait_count("CALL_ESTABLISHED", calls, s(5));
    }
    assert!(caller.done().calls[&1].has("hung_up"));
    let ladder = desk.ladder("031234561");
    let away = |event: &Value| event["kind"] == "transferred" && event["to"] != "6001";
    assert!(!ladder.iter().any(away), "{ladder:?}");
    let trace = first.trace();
    for status in ["603 Decline", "404 Not Found", "403 Forbidden"] {
        assert!(trace.contains(&format!("SIP/2.0 {status}")), "{status}: {trace}");
    }
}
