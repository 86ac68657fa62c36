//! Calls outside that are passed on, with Linphone at the desk and Kamailio as the carrier: the agent's
//! own to a colleague, and a caller of the desk to a number outside.

use crate::carrier::{Carrier, registered};
use crate::linphone::phone;
use crate::support::desk::{Desk, Setup, prompt};
use crate::support::ear::Ear;
use crate::support::ports::Block;
use crate::support::softphone::{self, Softphone};
use crate::support::sound::{Law, Sound};
use crate::support::{eventually, poll, rest, s};
use serde_json::Value;

/// A desk whose carrier brings 0398765432, a softphone that picks up by itself, and says `voice`.
fn desk_and_callee(voice: &Sound) -> (Desk, Carrier, Softphone) {
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
    let carrier = Carrier::start(&ports, callee.port());
    let dead = ports.port();
    let more = format!(
        "[[trunks]]\nname = \"dead\"\nsources = [\"127.0.0.1:{dead}\"]\nservers = [\"127.0.0.1:{dead}\"]\n\
         user = \"0312345678\"\noptions_every = \"0s\"\n{}",
        carrier.trunk()
    );
    let desk = Desk::with(&Setup { plan: "outside.toml", more: &more, ..Setup::default() });
    eventually("registered with the carrier", s(8), || registered(&desk));
    std::mem::forget(ports); // the ports stay ours as long as the test runs
    (desk, carrier, callee)
}

/// Somewhere in what the softphone heard last is half a second of this voice.
fn was_heard(by: &Softphone, voice: &Sound) {
    let found = poll(s(5), || {
        let heard = by.heard();
        let heard = heard.last()?;
        let pieces =
            (0..usize::try_from(heard.ms()).unwrap() / 250).map(|at| heard.part(at * 250, 500));
        let alike = |piece: &Sound| piece.loudness() > 300.0 && voice.holds(piece).is_some();
        pieces.rev().take(40).any(|piece| alike(&piece)).then_some(())
    });
    assert!(found.is_some(), "not heard; {} recordings", by.heard().len());
}

fn talks(call: &Value) -> Vec<(&str, u64)> {
    let talks = call["talks"].as_array().expect("a list").iter();
    talks
        .map(|talk| (talk["agent"].as_str().unwrap(), talk["length_ms"].as_u64().unwrap()))
        .collect()
}

#[test]
fn whom_an_agent_called_outside_talks_with_the_colleague_to_whom_it_was_passed_on() {
    let voices = [Sound::voice(121, 60), Sound::voice(122, 60), Sound::voice(123, 60)];
    let [his, hers, others] = &voices;
    let (desk, _carrier, callee) = desk_and_callee(his);
    let first = phone(&desk, "6001", "udp", hers, true);
    let second = phone(&desk, "6002", "udp", others, true);
    desk.agent_is("6001", "idle");
    for (attended, calls) in [(false, 1), (true, 2)] {
        first.call("0398765432");
        // What was heard before is heard still.
        first.wait("to LinphoneCallStreamsRunning", calls, s(15));
        first.hears(his, s(15));
        if attended {
            first.tell("pause");
            first.wait("to LinphoneCallPaused", 1, s(8));
            first.call("6002");
            second.hears(hers, s(10));
            first.tell("transfer 2 --to-call 3");
        } else {
            first.tell(&format!("transfer 1 sip:6002@{}", desk.sip));
        }
        second.hears(his, s(15));
        desk.agent_is("6001", "idle");
        rest(600); // Who hears at once has not talked for long yet.
        second.tell("terminate");
        callee.wait_count("CALL_CLOSED", calls, s(8));
        if !attended {
            was_heard(&callee, others); // a hold ends what baresip records
        }
        desk.at_rest(s(8));
    }
    let placed = desk.get("/api/v1/placed-calls");
    let placed = placed["calls"].as_array().expect("a list");
    assert_eq!(placed.len(), 2);
    let all = desk.calls();
    for row in placed {
        assert_eq!(row["why"], "passed_on", "{row}");
        let call = all.iter().find(|call| call["call"] == row["call"]).expect("the same id");
        assert_eq!(call["caller"]["number"]["known"], "0398765432", "{call}");
        assert_eq!((&call["counted"], &call["outcome"]), (&false.into(), &"answered".into()));
        let talks = talks(call);
        assert_eq!(talks.iter().map(|(who, _)| *who).collect::<Vec<_>>(), ["6002"], "{call}");
        // From dialling on: hers in the placed call, then the colleague's.
        let (hers, whole) =
            (row["length_ms"].as_u64().unwrap(), call["length_ms"].as_u64().unwrap());
        assert!(hers > 500 && talks[0].1 > 500 && hers + talks[0].1 <= whole + 20, "{row} {call}");
    }
}

#[test]
fn a_caller_is_sent_outside_where_the_agent_may_call_and_talks_with_whom_it_reached() {
    let voices = [Sound::voice(124, 60), Sound::voice(125, 60), Sound::voice(126, 60)];
    let [his, hers, callers] = &voices;
    let (desk, _carrier, callee) = desk_and_callee(his);
    let agent = phone(&desk, "6001", "udp", hers, true);
    let caller = phone(&desk, "6003", "udp", callers, false);
    desk.agent_is("6001", "idle");
    for (attended, calls) in [(false, 1), (true, 2)] {
        caller.call("0312345678");
        agent.wait("to LinphoneCallStreamsRunning", calls, s(15));
        caller.hears(hers, s(15));
        if attended {
            agent.tell("pause");
            agent.wait("to LinphoneCallPaused", 1, s(8));
            agent.call("0398765432");
            agent.wait("to LinphoneCallStreamsRunning", 3, s(15));
            agent.tell("transfer 2 --to-call 3");
        } else {
            // Where no rule leads, nobody is sent: the two go on.
            agent.tell(&format!("transfer 1 sip:99@{}", desk.sip));
            eventually("a refusal", s(5), || agent.log().contains("SIP/2.0 404 Not Found"));
            agent.tell(&format!("transfer 1 sip:0398765432@{}", desk.sip));
        }
        caller.hears(his, s(15));
        desk.agent_is("6001", "idle");
        caller.tell("terminate");
        callee.wait_count("CALL_CLOSED", calls, s(8));
        was_heard(&callee, callers);
        desk.at_rest(s(8));
    }
    let answered = desk.calls();
    assert_eq!(answered.len(), 2, "{answered:?}");
    for call in &answered {
        assert_eq!(call["outcome"], "answered");
        let talks = talks(call);
        assert_eq!(talks.iter().map(|(who, _)| *who).collect::<Vec<_>>(), ["6001"], "{call}");
        assert!(talks[0].1 + 500 < call["length_ms"].as_u64().unwrap(), "{call}");
    }
}

#[test]
fn a_caller_who_waits_too_long_is_answered_outside_and_counts_as_released() {
    let (his, callers) = (Sound::voice(127, 60), Sound::voice(128, 60));
    let (desk, _carrier, callee) = desk_and_callee(&his);
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312345679").set("MEDIA", ear.port()).set("STAY", 60_000).start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    ear.say(&callers, Law::Mu, port);
    // The dead trunk first: the caller hears what it heard, and then whom the other one brings.
    callee.wait("CALL_ESTABLISHED", s(30));
    assert!(ear.heard().holds(&prompt("busy")).is_some(), "told once that all are busy");
    ear.forget();
    let found = poll(s(5), || {
        let heard = ear.heard();
        (heard.ms() > 1500 && his.holds(&heard.part(800, 500)).is_some()).then_some(())
    });
    assert!(found.is_some(), "the other side is not heard");
    let call = desk.call_of("031234561").unwrap();
    assert_eq!(
        (&call["state"], &call["outcome"]),
        (&"away".into(), &"busy_released".into()),
        "{call}"
    );
    callee.tell("hangup", "");
    assert!(caller.done().calls[&1].has("released"));
    was_heard(&callee, &callers);
    let call = desk.over("031234561");
    assert_eq!(call["outcome"], "busy_released", "nobody of the desk answered: {call}");
    let id = call["call"].as_str().unwrap();
    let ladder = desk.get(&format!("/api/v1/calls/{id}"))["ladder"].clone();
    let ladder = ladder.as_array().unwrap();
    let at = |kind: &str| {
        let found = ladder.iter().find(|entry| entry["event"]["kind"] == kind);
        found.unwrap_or_else(|| panic!("{kind}: {ladder:?}"))["t_ms"].as_u64().unwrap()
    };
    // The wait ends with the answer, not with the talk.
    assert_eq!(call["wait_ms"], at("away_answered") - at("operator_asked"), "{call}");
    let tried = ladder.iter().filter(|entry| entry["event"]["kind"] == "trunk_tried");
    let tried: Vec<&str> = tried.filter_map(|entry| entry["event"]["trunk"].as_str()).collect();
    assert_eq!((tried.first(), tried.last()), (Some(&"dead"), Some(&"works")), "{tried:?}");
    assert_eq!(desk.month()["outcomes"]["busy_released"], 1);

    // A caller who hangs up there: the same, and nothing is left over.
    let caller = desk.caller("0312345679").set("FROM", "03222").set("STAY", 8_000).start();
    callee.wait_count("CALL_ESTABLISHED", 2, s(10));
    assert!(caller.done().calls[&1].has("hung_up"));
    callee.wait_count("CALL_CLOSED", 2, s(5));
    assert_eq!(desk.outcome("032221"), "busy_released");
    desk.at_rest(s(10));
}
