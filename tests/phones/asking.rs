//! Agents of plain phones ask numbers outside and groups by the digits that they press, while the caller waits.

use crate::by_keys::press;
use crate::hears::hears;
use crate::support::desk::{Desk, Setup, prompt};
use crate::support::ear::Ear;
use crate::support::ports::Block;
use crate::support::sipp::{Job, Sipp};
use crate::support::softphone::{self, Softphone};
use crate::support::sound::{Law, Sound};
use crate::support::{poll, rest, s};
use crate::talk::{agent, is_of, quiet_agent};

/// A desk with a carrier that brings 0398765432, a softphone that says `voice`, and one at `busy`.
fn desk_and_carriers(voice: &Sound) -> (Desk, Softphone, u16) {
    let ports = Block::take();
    let callee = softphone::Setup {
        user: "0398765432",
        password: "x",
        desk: None,
        voice,
        answers: true,
        codecs: "PCMU",
        expires_s: 0,
    };
    let callee = Softphone::start(&ports, &callee);
    let busy = ports.port();
    let trunk = |name: &str, port: u16| {
        format!(
            "[[trunks]]\nname = \"{name}\"\nsources = [\"127.0.0.1:{port}\"]\nservers = [\"127.0.0.1:{port}\"]\n\
             user = \"0312345678\"\noptions_every = \"0s\"\n"
        )
    };
    let more = trunk("works", callee.port()) + &trunk("busy", busy);
    let desk = Desk::with(&Setup { plan: "asking.toml", more: &more, ..Setup::default() });
    std::mem::forget(ports); // the ports stay ours as long as the test runs
    (desk, callee, busy)
}

/// A caller who talks with the first agent, and hangs up after so long if nobody else does; and what it hears.
fn in_a_talk(desk: &Desk, his: &Sound, stays_s: u32) -> (Sipp, Ear) {
    let ear = Ear::new(desk.ports.port());
    let caller =
        desk.caller("0312345678").set("MEDIA", ear.port()).set("STAY", stays_s * 1000).start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    ear.say(his, Law::Mu, port);
    (caller, ear)
}

#[track_caller]
fn now_hears(ear: &Ear, voice: &Sound) {
    ear.forget();
    rest(1800);
    is_of(&ear.heard(), 500, voice);
}

fn kinds(desk: &Desk) -> Vec<String> {
    let word = |event: &serde_json::Value| event["kind"].as_str().unwrap_or_default().to_owned();
    desk.ladder("031234561").iter().map(word).collect()
}

/// These kinds come in this order, others between them.
#[track_caller]
fn in_order(kinds: &[String], due: &[&str]) {
    let mut left = kinds.iter();
    for kind in due {
        assert!(left.any(|found| found == kind), "{kind}, in this order: {kinds:?}");
    }
}

#[test]
fn an_agent_asks_a_number_outside_by_keys_turns_between_the_two_and_leaves_the_caller_there() {
    let (his, hers, theirs) = (Sound::voice(151, 90), Sound::voice(152, 90), Sound::voice(153, 90));
    let (desk, callee, _) = desk_and_carriers(&theirs);
    let first = agent(&desk, "6001", &hers, "PCMU");
    desk.agent_is("6001", "idle");
    let (caller, ear) = in_a_talk(&desk, &his, 90);
    now_hears(&ear, &hers);
    press(&first, "*20398765432#");
    callee.wait("CALL_ESTABLISHED", s(10));
    // The caller hears music, and nothing of what the two say.
    ear.forget();
    hears(&ear, "music", 5);
    assert!(ear.heard().holds(&theirs.part(0, 400)).is_none());
    press(&first, "*3");
    now_hears(&ear, &hers);
    // A second number outside at once is beyond the bound, and so is a second question.
    press(&first, "*20398760000#");
    rest(1500);
    press(&first, "*3");
    ear.forget();
    hears(&ear, "music", 5);
    first.tell("hangup", "");
    rest(500);
    now_hears(&ear, &theirs);
    desk.agent_is("6001", "idle");
    let call = desk.call_of("031234561").expect("its call");
    assert_eq!(call["state"], "away", "{call}");
    callee.tell("hangup", "");
    assert!(caller.done().calls[&1].has("released"));
    // She heard whom she asked, and they heard her and then the caller.
    let heard = |phone: &Softphone| {
        poll(s(3), || phone.heard().last().cloned().filter(|h| h.ms() > 3000)).expect("a recording")
    };
    let at_callee = heard(&callee);
    is_of(&at_callee, usize::try_from(at_callee.ms()).unwrap() - 1300, &his);
    let at_first = heard(&first);
    assert!(
        at_first.holds(&prompt("code-refused")).is_some(),
        "she heard that two cannot be asked"
    );
    let any = |heard: &Sound, voice: &Sound| {
        let whole = usize::try_from(heard.ms()).unwrap_or(0);
        (0..whole.saturating_sub(500))
            .step_by(200)
            .any(|at| voice.holds(&heard.part(at, 400)).is_some())
    };
    assert!(any(&at_first, &theirs), "she heard whom she asked");
    let call = desk.over("031234561");
    assert_eq!(call["outcome"], "answered");
    in_order(
        &kinds(&desk),
        &[
            "operator_answered",
            "consult_called",
            "trunk_tried",
            "consult_answered",
            "consult_turned",
            "consult_turned",
            "consult_over",
            "sent_away",
            "away_answered",
            "ended",
        ],
    );
    desk.at_rest(s(3));
}

#[test]
fn a_number_outside_that_is_busy_leaves_the_two_with_each_other_and_so_does_a_caller_who_hangs_up()
{
    let (his, hers, theirs) = (Sound::voice(154, 90), Sound::voice(155, 90), Sound::voice(156, 90));
    let (desk, callee, busy) = desk_and_carriers(&theirs);
    let first = agent(&desk, "6001", &hers, "PCMU");
    desk.agent_is("6001", "idle");
    let carrier = Job::new("agent_refuses", desk.sip, busy)
        .set("STATUS", "486 Busy Here")
        .set("RING", 200)
        .start();
    let (caller, ear) = in_a_talk(&desk, &his, 16);
    press(&first, "*20398760000#");
    carrier.wait(1, "refused", s(8));
    now_hears(&ear, &hers);
    let events = desk.ladder("031234561");
    let over = events.iter().find(|event| event["kind"] == "consult_over").expect("over");
    assert_eq!(over["why"], "not_answered");
    let failed = events.iter().find(|event| event["kind"] == "trunk_failed").expect("failed");
    assert_eq!((failed["trunk"].as_str(), failed["status"].as_u64()), (Some("busy"), Some(486)));
    // The caller leaves while they talk outside: everybody is let go.
    press(&first, "*20398765432#");
    callee.wait("CALL_ESTABLISHED", s(10));
    assert!(caller.done().calls[&1].has("hung_up"));
    let call = desk.over("031234561");
    assert_eq!(call["outcome"], "answered", "{call}");
    callee.wait("CALL_CLOSED", s(8));
    first.wait("CALL_CLOSED", s(8));
    desk.agent_is("6001", "idle");
    desk.at_rest(s(40));
}

#[test]
fn a_group_that_is_asked_rings_one_after_the_other_or_all_at_once_as_its_strategy_says() {
    let (his, hers, theirs) = (Sound::voice(157, 90), Sound::voice(158, 90), Sound::voice(159, 90));
    let (desk, _callee, _) = desk_and_carriers(&theirs);
    let first = agent(&desk, "6001", &hers, "PCMU");
    let second = quiet_agent(&desk, "6002", &theirs);
    let third = agent(&desk, "6003", &theirs, "PCMU");
    for who in ["6001", "6002", "6003"] {
        desk.agent_is(who, "idle");
    }
    let (caller, ear) = in_a_talk(&desk, &his, 90);
    press(&first, "*27001#");
    second.wait("CALL_INCOMING", s(5));
    assert_eq!(third.count("CALL_INCOMING"), 0, "one after the other");
    third.wait("CALL_ESTABLISHED", s(8));
    desk.agent_is("6003", "talking");
    // Who let it ring is not set aside.
    desk.agent_is("6002", "idle");
    press(&first, "*0");
    now_hears(&ear, &hers);
    desk.agent_is("6003", "idle");
    press(&first, "*27002#");
    second.wait_count("CALL_INCOMING", 2, s(5));
    third.wait_count("CALL_ESTABLISHED", 2, s(5));
    second.wait_count("CALL_CLOSED", 2, s(5));
    first.tell("hangup", "");
    rest(500);
    now_hears(&ear, &theirs);
    third.tell("hangup", "");
    assert!(caller.done().calls[&1].has("released"));
    in_order(
        &kinds(&desk),
        &[
            "consult_group",
            "consult_rings",
            "consult_ring_ended",
            "consult_rings",
            "consult_answered",
            "consult_over",
            "consult_group",
            "consult_rings",
            "consult_rings",
            "consult_answered",
            "consult_ring_ended",
            "consult_over",
            "transferred",
            "operator_answered",
            "ended",
        ],
    );
    desk.at_rest(s(3));
}
