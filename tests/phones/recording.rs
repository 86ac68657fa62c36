//! Calls that are recorded: what lies in the file is what was said, by whom and when, and nothing of
//! what nobody of the other side could hear.

use crate::hears::hears;
use crate::support::ear::Ear;
use crate::support::line::Line;
use crate::support::message::sdp;
use crate::support::sound::{Law, Sound};
use crate::support::tape::{channels, file, kept, kinds, lies, recording_desk, silent};
use crate::support::{eventually, rest, s};
use crate::talk::{agent, is_of};
use std::process::Command;

/// Waits until the caller has heard a voice for a second and a half.
fn hears_a_while(ear: &Ear, voice: &Sound) {
    ear.forget();
    eventually("the voice is heard for a while", s(15), || {
        let heard = ear.heard();
        let from = usize::try_from(heard.ms() - 1500).unwrap_or(0);
        heard.ms() > 1700
            && [0, 1100].iter().all(|at| voice.holds(&heard.part(from + at, 400)).is_some())
    });
}

#[test]
fn a_call_that_is_passed_on_is_one_recording_of_the_caller_and_both_agents() {
    let desk = recording_desk("");
    let (his, hers, others) = (Sound::voice(171, 60), Sound::voice(172, 60), Sound::voice(173, 60));
    let first = agent(&desk, "6001", &hers, "PCMU");
    let second = agent(&desk, "6002", &others, "PCMA");
    desk.agent_is("6001", "idle");
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340020").set("MEDIA", ear.port()).set("STAY", 40_000).start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    ear.say(&his, Law::Mu, port);
    // Before an operator is asked for, the caller is told.
    hears(&ear, "recorded", 3);
    first.wait("CALL_ESTABLISHED", s(5));
    hears_a_while(&ear, &hers);
    first.tell("transfer", &format!("sip:6002@{}", desk.sip));
    second.wait("CALL_ESTABLISHED", s(5));
    hears_a_while(&ear, &others);
    second.tell("hangup", "");
    assert!(caller.done().calls[&1].has("released"));

    let kept = kept(&desk, "031234561");
    assert_eq!(kept["missing"], 0, "{kept}");
    let path = file(&desk, "031234561");
    let (left, right, hz) = channels(&path);
    assert_eq!(hz, 8000);
    assert_eq!(kept["length_ms"].as_i64(), Some(left.ms()));
    let sum = Command::new("sha256sum").arg(&path).output().expect("sha256sum");
    assert!(String::from_utf8_lossy(&sum.stdout).starts_with(kept["sha256"].as_str().unwrap()));

    // Who was with the caller, and since when, as the history has it.
    let call = desk.over("031234561");
    let began = kept["from_ms"].as_u64().unwrap();
    let at = |talk: usize| call["talks"][talk]["from_ms"].as_u64().unwrap() - began;
    let id = call["call"].as_str().unwrap();
    let ladder = desk.get(&format!("/api/v1/calls/{id}"))["ladder"].clone();
    let passed = |entry: &&serde_json::Value| entry["event"]["kind"] == "transferred";
    let passed = ladder.as_array().unwrap().iter().find(passed).expect("it was passed on");
    let passed = usize::try_from(passed["t_ms"].as_u64().unwrap() - began).unwrap();
    let end = usize::try_from(left.ms()).unwrap();
    assert!(usize::try_from(at(1)).unwrap() + 1400 < end);
    let (one, two) = (passed - 1200, end - 1200);
    for (from, voice, other) in [(one, &hers, &others), (two, &others, &hers)] {
        is_of(&right, from, voice);
        assert!(other.holds(&right.part(from, 600)).is_none());
        is_of(&left, from, &his);
        assert!(voice.holds(&left.part(from, 600)).is_none());
    }
    // The caller spoke without a stop: all that is recorded lies where it was said.
    let places = [one, one + 500, two, two + 500].map(|at| lies(&left, at, &his));
    let (least, most) = (places.iter().min().unwrap(), places.iter().max().unwrap());
    assert!(most - least <= 20, "{places:?}");

    let told = kinds(&desk, "031234561");
    let place = |kind: &str| {
        told.iter().position(|k| k == kind).unwrap_or_else(|| panic!("{kind}: {told:?}"))
    };
    assert!(
        place("announced") < place("operator_asked")
            && place("operator_answered") < place("started")
    );
    assert!(place("stopped") < place("ended") && place("ended") < place("kept"));
    // Fetched by the API it is the same file, and the history says that it was.
    let answer = desk.api("GET", &format!("/api/v1/calls/{id}/recordings/1"), "");
    assert_eq!(answer.status, 200);
    let length = std::fs::metadata(&path).unwrap().len();
    assert!(
        answer.head.to_lowercase().contains(&format!("content-length: {length}")),
        "{}",
        answer.head
    );
    eventually("the history says so", s(3), || {
        kinds(&desk, "031234561").contains(&"fetched".to_owned())
    });
    assert_eq!(desk.api("GET", &format!("/api/v1/calls/{id}/recordings/2"), "").status, 404);
}

#[test]
fn what_is_said_on_hold_is_not_recorded_and_the_talk_goes_on_behind_it() {
    let desk = recording_desk("");
    let (his, hers) = (Sound::voice(174, 60), Sound::voice(175, 60));
    let mut agent = Line::new(desk.fixed_port(201), "201", desk.sip);
    let (ear, agents_ear) = (Ear::new(desk.ports.port()), Ear::new(desk.ports.port()));
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let (mut call, port) =
        line.connect("0312340010", &sdp(ear.port(), &[0, 101], "sendrecv"), s(5));
    ear.say(&his, Law::Mu, port);
    let (mut at_agent, agents_port) =
        agent.pick_up(&sdp(agents_ear.port(), &[8, 101], "sendrecv"), s(6));
    agents_ear.say(&hers, Law::A, agents_port);
    ear.forget();
    eventually("they talk", s(10), || {
        let heard = ear.heard();
        heard.ms() > 1500 && hers.holds(&heard.part(800, 600)).is_some()
    });
    let answer_caller = |line: &mut Line, call: &crate::support::line::Call, says: &str| {
        let hold = line.request_of(call, "INVITE", s(3));
        line.reply(&hold, 200, &call.us, &sdp(ear.port(), &[0, 101], says));
        line.request_of(call, "ACK", s(2));
    };
    for (agents, callers) in [("sendonly", "recvonly"), ("sendrecv", "sendrecv")] {
        // The agent's phone goes on sending sound while it holds, as some do.
        agent.within(&mut at_agent, "INVITE", "", &sdp(agents_ear.port(), &[8, 101], agents));
        let answer = agent.status(&at_agent, 200, s(3));
        agent.ack(&mut at_agent, &answer);
        answer_caller(&mut line, &call, callers);
        rest(1800);
    }
    line.bye(&mut call);
    let kept = kept(&desk, "0311112222");
    let (left, right, _) = channels(&file(&desk, "0311112222"));
    let history =
        desk.get(&format!("/api/v1/calls/{}", desk.over("0311112222")["call"].as_str().unwrap()));
    let began = kept["from_ms"].as_u64().unwrap();
    let t_ms = |kind: &str| {
        let ladder = history["ladder"].as_array().unwrap();
        let entry = ladder.iter().find(|entry| entry["event"]["kind"] == kind).expect(kind);
        usize::try_from(entry["t_ms"].as_u64().unwrap() - began).unwrap()
    };
    let (held, resumed) = (t_ms("held"), t_ms("resumed"));
    for channel in [&left, &right] {
        silent(channel, held + 200, resumed - held - 300);
    }
    let places = [held - 800, resumed + 600].map(|at| lies(&left, at, &his));
    assert!((places[0] - places[1]).abs() <= 20, "{places:?}");
    let places = [held - 800, resumed + 600].map(|at| lies(&right, at, &hers));
    assert!((places[0] - places[1]).abs() <= 20, "{places:?}");
}

#[test]
fn a_pause_for_a_secret_is_silent_and_ends_by_itself_when_forgotten() {
    let desk = recording_desk("");
    let (his, hers) = (Sound::voice(176, 60), Sound::voice(177, 60));
    let first = agent(&desk, "6003", &hers, "PCMU");
    desk.agent_is("6003", "idle");
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340030").set("MEDIA", ear.port()).set("STAY", 15_000).start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    ear.say(&his, Law::Mu, port);
    first.wait("CALL_ESTABLISHED", s(8));
    let call = desk.call_of("031234561").expect("a call");
    let id = call["call"].as_str().unwrap().to_owned();
    let order =
        |what: &str| desk.api("POST", &format!("/api/v1/calls/{id}/recording/{what}"), "").status;
    assert_eq!(call["recordings"].as_array().map(Vec::len), Some(0), "nobody has wanted it");
    assert_eq!([order("pause"), order("nonsense")], [409, 404]);
    assert_eq!([order("start"), order("start")], [204, 409]);
    rest(1200);
    assert_eq!(order("pause"), 204);
    eventually("the forgotten pause ends", s(8), || {
        kinds(&desk, "031234561").contains(&"resumed".to_owned())
    });
    rest(1200);
    assert_eq!(order("stop"), 204);
    let kept = kept(&desk, "031234561");
    let (left, right, _) = channels(&file(&desk, "031234561"));
    let began = kept["from_ms"].as_u64().unwrap();
    let at = |n: usize| usize::try_from(kept["pauses"][0][n].as_u64().unwrap() - began).unwrap();
    assert!((4_900..5_600).contains(&(at(1) - at(0))), "{kept}");
    for channel in [&left, &right] {
        // From the order to its end, to the sample.
        silent(channel, at(0) + 2, at(1) - at(0) - 4);
    }
    let places = [300, at(1) + 200].map(|from| lies(&left, from, &his));
    assert!((places[0] - places[1]).abs() <= 20, "{places:?}");
    lies(&right, at(1) + 200, &hers);
    first.tell("hangup", "");
    caller.done();
    assert_eq!(order("start"), 404, "it is over");
    assert_eq!(kept["stopped"]["by"], "api");
}

#[test]
fn a_number_that_is_not_recorded_is_not_and_nobody_is_told_so() {
    let desk = recording_desk("");
    let hers = Sound::voice(178, 60);
    let first = agent(&desk, "6001", &hers, "PCMU");
    desk.agent_is("6001", "idle");
    let caller = desk.caller("0312340040").set("STAY", 1500).start();
    first.wait("CALL_ESTABLISHED", s(5));
    let call = desk.call_of("031234561").expect("a call");
    let path = format!("/api/v1/calls/{}/recording/start", call["call"].as_str().unwrap());
    assert_eq!(desk.api("POST", &path, "").status, 409, "the plan does not let it");
    caller.done();
    desk.over("031234561");
    let kinds = kinds(&desk, "031234561");
    assert!(!kinds.iter().any(|kind| kind == "started" || kind == "announced"), "{kinds:?}");
}

#[test]
fn a_recording_in_opus_is_played_by_others_and_each_side_is_on_its_own_channel() {
    let desk = recording_desk("format = \"opus\"\n");
    let (his, hers) = (Sound::voice(179, 60), Sound::voice(180, 60));
    let first = agent(&desk, "6001", &hers, "PCMU");
    desk.agent_is("6001", "idle");
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340020").set("MEDIA", ear.port()).set("STAY", 40_000).start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    ear.say(&his, Law::Mu, port);
    first.wait("CALL_ESTABLISHED", s(8));
    hears_a_while(&ear, &hers);
    first.tell("hangup", "");
    caller.done();
    let kept = kept(&desk, "031234561");
    let path = file(&desk, "031234561");
    let plain = desk.dir().file("decoded.wav");
    let decoded = std::process::Command::new("opusdec")
        .args(["--rate", "8000"])
        .arg(&path)
        .arg(&plain)
        .output()
        .expect("opusdec is installed (Debian: opus-tools)");
    assert!(decoded.status.success(), "{}", String::from_utf8_lossy(&decoded.stderr));
    let (left, right, _) = channels(&plain);
    let told = kept["length_ms"].as_i64().unwrap();
    assert!((left.ms() - told).abs() <= 20, "{} ms of {told}", left.ms());
    let from = usize::try_from(left.ms()).unwrap() - 1300;
    for (channel, voice, other) in [(&left, &his, &hers), (&right, &hers, &his)] {
        is_of(channel, from, voice);
        assert!(other.holds(&channel.part(from, 600)).is_none());
    }
}

#[test]
fn a_call_that_is_parked_fetched_and_passed_on_is_one_recording_of_who_said_what() {
    let desk = recording_desk("");
    let (his, hers, others) = (Sound::voice(181, 60), Sound::voice(182, 60), Sound::voice(183, 60));
    let first = agent(&desk, "6001", &hers, "PCMU");
    let second = agent(&desk, "6002", &others, "PCMU");
    desk.agent_is("6001", "idle");
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340020").set("MEDIA", ear.port()).set("STAY", 60_000).start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    ear.say(&his, Law::Mu, port);
    first.wait("CALL_ESTABLISHED", s(10));
    hears_a_while(&ear, &hers);
    first.tell("transfer", &format!("sip:702@{}", desk.sip));
    first.wait("CALL_CLOSED", s(5));
    ear.forget();
    hears(&ear, "music", 5);
    second.tell("dial", &format!("sip:702@{}", desk.sip));
    second.wait("CALL_ESTABLISHED", s(5));
    hears_a_while(&ear, &others);
    second.tell("transfer", &format!("sip:6001@{}", desk.sip));
    first.wait_count("CALL_ESTABLISHED", 2, s(5));
    hears_a_while(&ear, &hers);
    first.tell("hangup", "");
    assert!(caller.done().calls[&1].has("released"));

    let kept = kept(&desk, "031234561");
    let (left, right, _) = channels(&file(&desk, "031234561"));
    let call = desk.over("031234561");
    let history = desk.get(&format!("/api/v1/calls/{}", call["call"].as_str().unwrap()));
    let began = kept["from_ms"].as_u64().unwrap();
    let t_ms = |kind: &str| {
        let ladder = history["ladder"].as_array().unwrap();
        let entry = ladder.iter().find(|entry| entry["event"]["kind"] == kind).expect(kind);
        usize::try_from(entry["t_ms"].as_u64().unwrap() - began).unwrap()
    };
    let (parked, fetched, passed) = (t_ms("parked"), t_ms("unparked"), t_ms("transferred"));
    let end = usize::try_from(left.ms()).unwrap();
    // On the right who spoke with the caller, and nobody while the caller was in the slot.
    for (from, voice, other) in [
        (parked - 1200, &hers, &others),
        (passed - 1200, &others, &hers),
        (end - 1200, &hers, &others),
    ] {
        is_of(&right, from, voice);
        assert!(other.holds(&right.part(from, 600)).is_none());
    }
    silent(&right, parked + 200, fetched - parked - 300);
    // The caller spoke without a stop: all that is recorded of it lies where it was said.
    let places = [parked - 900, passed - 900, end - 900].map(|at| lies(&left, at, &his));
    let (least, most) = (places.iter().min().unwrap(), places.iter().max().unwrap());
    assert!(most - least <= 20, "{places:?}");
    let talks: Vec<&str> = call["talks"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|talk| talk["agent"].as_str())
        .collect();
    assert_eq!((talks, call["outcome"].as_str()), (vec!["6001", "6002", "6001"], Some("answered")));
}
