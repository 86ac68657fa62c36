//! Callers who are asked how it was after their agent has hung up.

use crate::hears::{hears, one_unbroken_stream};
use crate::support::desk::{Desk, Setup};
use crate::support::ear::Ear;
use crate::support::sound::{Law, Sound};
use crate::support::{eventually, rest, s};
use crate::talk::agent;

#[test]
fn a_caller_answers_by_keys_after_the_agent_has_hung_up_and_the_month_says_how_satisfied() {
    let desk = Desk::with(&Setup { plan: "survey.toml", ..Setup::default() });
    let phone = agent(&desk, "6001", &Sound::voice(71, 60), "PCMU");
    desk.agent_is("6001", "idle");
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312345678").set("MEDIA", ear.port()).set("STAY", 30_000).start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    phone.wait("CALL_ESTABLISHED", s(5));
    ear.say(&Sound::voice(6, 60), Law::Mu, port);
    rest(1_500);
    phone.tell("hangup", "");
    hears(&ear, "survey-question", 5);
    // The agent is free of it at once, while the caller is asked.
    desk.agent_is("6001", "wrap_up");
    ear.press("2", port);
    hears(&ear, "survey-again", 5);
    // Silence is asked again once, after other words; then a key ends the question before its end.
    hears(&ear, "survey-wrong", 5);
    ear.press("5", port);
    hears(&ear, "survey-thanks", 5);
    assert!(caller.done().calls[&1].has("released"), "thanked and released");
    one_unbroken_stream(&ear);
    let call = desk.over("031234561");
    assert_eq!(
        (&call["outcome"], &call["cause"]["cause"]),
        (&"answered".into(), &"menu_done".into())
    );
    let talked = call["talks"][0]["length_ms"].as_u64().unwrap();
    assert!((1_000..4_000).contains(&talked), "the survey is no part of the talk: {talked} ms");
    eventually("the month knows", s(5), || desk.month()["surveys"][0]["respondents"] == 1);
    let survey = &desk.month()["surveys"][0];
    assert_eq!(survey["satisfaction"]["percent"], "40.00", "{survey}");
    assert_eq!(survey["answers"], serde_json::json!([[0, 1, 0, 0, 0], [0, 0, 0, 0, 1]]));

    // The agent is rung for the next caller, who hangs up first and is asked nothing.
    let ear = Ear::new(desk.ports.port());
    desk.agent_is("6001", "idle");
    let caller =
        desk.caller("0312345678").set("MEDIA", ear.port()).set("FROM", "0399").set("STAY", 1_000);
    let caller = caller.start();
    caller.wait(1, "answered", s(8));
    caller.done();
    assert_eq!(desk.outcome("03991"), "answered");
    let survey = &desk.month()["surveys"][0];
    assert_eq!(survey["asked"], 1, "{survey}");
}
