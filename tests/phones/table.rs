//! Talks of more than two with real softphones: picked up at another phone, listened to, joined by a third,
//! and held for too long. What each hears is listened to, and the figures stay those of one call.

use crate::hears::hears;
use crate::support::desk::{Desk, Setup};
use crate::support::ear::Ear;
use crate::support::line::{Call, Line};
use crate::support::message::sdp;
use crate::support::sound::{Law, Sound};
use crate::support::tape::{channels, file, kept, kinds};
use crate::support::{poll, rest, s};
use crate::talk::{agent, is_of, quiet_agent};
use serde_json::{Value, json};

fn desk() -> Desk {
    let more = "[recording]\ndirectory = \"recordings\"\nleast_free_mib = 1\n";
    Desk::with(&Setup { plan: "table.toml", more, ..Setup::default() })
}

/// A voice that says the same ten seconds again and again: it outlasts a test on a busy machine, and is
/// looked for in those ten alone, since minutes of it take longer to search than the talk may last.
fn voice(seed: u64) -> Sound {
    Sound(Sound::voice(seed, 10).0.repeat(18))
}

/// Of which voices an ear hears something from now on.
fn heard_now(ear: &Ear, voices: &[&Sound]) -> Vec<bool> {
    ear.forget();
    rest(1600);
    let heard = ear.heard();
    voices.iter().map(|voice| heard.share(150, voice) > 0.42).collect()
}

#[track_caller]
fn hears_of(who: &str, ear: &Ear, voices: &[&Sound], wanted: &[bool]) {
    let mut last = Vec::new();
    let found = poll(s(12), || {
        last = heard_now(ear, voices);
        (last == wanted).then_some(())
    });
    assert!(found.is_some(), "{who} hears {last:?}, not {wanted:?}");
}

fn event(desk: &Desk, caller: &str, kind: &str) -> Vec<Value> {
    let ladder = desk.ladder(caller);
    ladder.into_iter().filter(|event| event["kind"] == kind).collect()
}

/// The caller's phone obeys a re-INVITE that says `asked`, a hold or its end.
#[track_caller]
fn obeys(line: &mut Line, call: &Call, ear: &Ear, asked: &str, within_s: u64) {
    let id = call.id.clone();
    let came = line.expect("a re-INVITE", s(within_s), |m| {
        m.method() == Some("INVITE") && m.header("Call-ID") == Some(&id) && m.says(asked)
    });
    let to = came.must("To").to_owned();
    let says = if asked == "a=sendonly" { "recvonly" } else { "sendrecv" };
    line.reply(&came, 200, &to, &sdp(ear.port(), &[0, 101], says));
    line.request_of(call, "ACK", s(2));
}

/// A caller of the softphones whose phone can be held.
fn call_softphones(desk: &Desk, ear: &Ear, voice: &Sound) -> (Line, Call) {
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let (call, port) = line.connect("0312340020", &sdp(ear.port(), &[0, 101], "sendrecv"), s(8));
    ear.say(voice, Law::Mu, port);
    (line, call)
}

#[test]
fn a_colleague_dials_the_code_and_has_the_caller_who_rings_elsewhere() {
    let desk = desk();
    let (hers, others) = (Sound::voice(311, 60), Sound::voice(312, 60));
    let first = quiet_agent(&desk, "6001", &hers);
    let second = agent(&desk, "6002", &others, "PCMU");
    desk.agent_is("6002", "idle");
    for code in ["*8", "*86001"] {
        let before = first.count("CALL_CLOSED");
        let ear = Ear::new(desk.ports.port());
        let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
        let mut call = line.invite("0312340020", &sdp(ear.port(), &[0, 101], "sendrecv"));
        first.wait_count("CALL_INCOMING", before + 1, s(5));
        second.tell("dial", &format!("sip:{code}@{}", desk.sip));
        let answer = line.status(&call, 200, s(5));
        line.ack(&mut call, &answer);
        first.wait_count("CALL_CLOSED", before + 1, s(5));
        ear.say(&Sound::voice(313, 30), Law::Mu, answer.media_port().unwrap());
        rest(1600);
        is_of(&ear.heard(), 300, &others);
        desk.agent_is("6002", "talking");
        desk.agent_is("6001", "idle");
        line.bye(&mut call);
        desk.agent_is("6002", "idle");
    }
    // The phone that rang logs no missed call.
    assert!(first.trace().contains("cause=200"), "the CANCEL says that it was taken elsewhere");
    let calls = desk.calls();
    assert_eq!(calls.len(), 2, "{calls:#?}");
    for call in &calls {
        assert_eq!((&call["agent"], &call["outcome"]), (&json!("6002"), &json!("answered")));
        let id = call["call"].as_str().unwrap();
        let ladder = desk.get(&format!("/api/v1/calls/{id}"))["ladder"].clone();
        let ended = ladder.as_array().unwrap().iter().find(|e| e["event"]["kind"] == "offer_ended");
        assert_eq!(ended.expect("it rang")["event"]["why"]["end"], "taken_elsewhere");
    }
    let month = desk.month();
    assert_eq!((&month["answered"], &month["offered"]), (&json!(2), &json!(2)), "{month}");
    // Nothing rings: the code is refused, and it is no call.
    second.tell("dial", &format!("sip:*8@{}", desk.sip));
    second.wait_count("CALL_CLOSED", 3, s(8));
    assert_eq!(desk.calls().len(), 2);
    desk.at_rest(s(3));
}

#[test]
fn a_supervisor_listens_whispers_and_barges_in_and_the_recording_has_what_the_caller_heard() {
    let desk = desk();
    let (his, hers, boss) = (voice(321), voice(322), voice(323));
    let supervisor = agent(&desk, "6003", &boss, "PCMA");
    let mut line = Line::new(desk.fixed_port(201), "201", desk.sip);
    let (ear, agents_ear) = (Ear::new(desk.ports.port()), Ear::new(desk.ports.port()));
    let caller = desk.caller("0312340010").set("MEDIA", ear.port()).set("STAY", 170_000);
    let caller = caller.within(s(180)).start();
    let (mut call, agents_port) =
        line.pick_up(&sdp(agents_ear.port(), &[0, 101], "sendrecv"), s(5));
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    ear.say(&his, Law::Mu, port);
    agents_ear.say(&hers, Law::Mu, agents_port);
    let voices = [&his, &hers, &boss];
    hears_of("the agent", &agents_ear, &voices, &[true, false, false]);
    // Who is no supervisor, and whom nobody supervises.
    let order = |by: &str, agent: &str, mode: &str| {
        let wish = json!({"by": by, "agent": agent, "mode": mode}).to_string();
        desk.api("POST", "/api/v1/supervision", &wish).status
    };
    assert_eq!([order("6001", "201", "listen"), order("6003", "6002", "listen")], [403, 409]);
    assert_eq!([order("6003", "299", "listen"), order("6003", "201", "sing")], [404, 400]);

    ear.forget();
    supervisor.tell("dial", &format!("sip:*90201@{}", desk.sip));
    supervisor.wait("CALL_ESTABLISHED", s(5));
    hears(&ear, "supervised", 5);
    desk.agent_is("6003", "talking");
    hears_of("the caller", &ear, &voices, &[false, true, false]);
    hears_of("the agent", &agents_ear, &voices, &[true, false, false]);
    supervisor.tell("sndcode", "2");
    hears_of("the agent", &agents_ear, &voices, &[true, false, true]);
    hears_of("the caller", &ear, &voices, &[false, true, false]);
    supervisor.tell("sndcode", "3");
    hears_of("the caller", &ear, &voices, &[false, true, true]);
    hears_of("the agent", &agents_ear, &voices, &[true, false, true]);
    supervisor.tell("hangup", "");
    hears_of("the caller", &ear, &voices, &[false, true, false]);
    desk.agent_is("6003", "idle");
    line.bye(&mut call);
    assert!(caller.done().calls[&1].has("released"));

    // The supervisor has heard both, all the time.
    let heard = poll(s(5), || supervisor.heard().last().cloned().filter(|it| it.ms() > 4000));
    let heard = heard.expect("a recording of what the supervisor heard");
    let end = usize::try_from(heard.ms()).unwrap() - 2000;
    for voice in [&his, &hers] {
        assert!(heard.share(end, voice) > 0.42, "{}", heard.share(end, voice));
        assert!(heard.share(1500, voice) > 0.42, "{}", heard.share(1500, voice));
    }
    assert!(heard.share(end, &boss) < 0.35, "nobody hears themselves");

    // The history says who, in which way, until when.
    let of = |kind: &str| event(&desk, "031234561", kind);
    let began = &of("supervision_began")[0];
    assert_eq!((&began["by"], &began["agent"]), (&json!("6003"), &json!("201")));
    assert_eq!((&began["mode"], &began["means"]), (&json!("listen"), &json!("feature_code")));
    let modes: Vec<Value> = of("supervision_changed").iter().map(|e| e["mode"].clone()).collect();
    assert_eq!(modes, ["whisper", "barge"]);
    assert_eq!(of("supervision_changed")[0]["means"], "key");
    assert_eq!(of("supervision_ended").len(), 1);
    assert_eq!(desk.calls().len(), 1, "a supervision is no call");
    assert_eq!(desk.outcome("031234561"), "answered");

    // Recorded is what the caller heard: the supervisor only from barging in on.
    let kept = kept(&desk, "031234561");
    let from = kept["from_ms"].as_u64().unwrap();
    let id = desk.over("031234561")["call"].as_str().unwrap().to_owned();
    let ladder = desk.get(&format!("/api/v1/calls/{id}"))["ladder"].clone();
    let at = |kind: &str, mode: &str| {
        let mut events = ladder.as_array().unwrap().iter();
        let found = events.find(|e| {
            e["event"]["kind"] == kind && (mode.is_empty() || e["event"]["mode"] == mode)
        });
        usize::try_from(found.expect(kind)["t_ms"].as_u64().unwrap() - from).unwrap()
    };
    let (left, right, _) = channels(&file(&desk, "031234561"));
    let (whisper, barge) =
        (at("supervision_changed", "whisper"), at("supervision_changed", "barge"));
    assert!(
        right.share(whisper + 600, &hers) > 0.8,
        "the agent alone while the supervisor whispers"
    );
    assert!(right.share(whisper + 600, &boss) < 0.35);
    assert!(right.share(barge + 600, &hers) > 0.42, "{}", right.share(barge + 600, &hers));
    assert!(right.share(barge + 600, &boss) > 0.42, "{}", right.share(barge + 600, &boss));
    assert!(left.share(barge + 600, &his) > 0.8, "the caller's channel has the caller alone");
    desk.at_rest(s(3));
}

#[test]
fn a_supervisor_who_is_rung_by_the_api_is_let_go_when_the_talk_ends() {
    let desk = desk();
    let (his, hers, boss) = (voice(331), voice(332), voice(333));
    let supervisor = agent(&desk, "6003", &boss, "PCMU");
    let first = agent(&desk, "6001", &hers, "G722/16000");
    desk.agent_is("6001", "idle");
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340020").set("MEDIA", ear.port()).set("STAY", 110_000);
    let caller = caller.within(s(120)).start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    ear.say(&his, Law::Mu, port);
    first.wait("CALL_ESTABLISHED", s(5));
    let order = |mode: &str| {
        let wish = json!({"by": "6003", "agent": "6001", "mode": mode}).to_string();
        desk.api("POST", "/api/v1/supervision", &wish).status
    };
    assert_eq!([order("end"), order("barge"), order("barge")], [409, 204, 409]);
    supervisor.wait("CALL_ESTABLISHED", s(5));
    hears_of("the caller", &ear, &[&his, &hers, &boss], &[false, true, true]);
    assert_eq!(order("listen"), 204);
    hears_of("the caller", &ear, &[&his, &hers, &boss], &[false, true, false]);
    first.tell("hangup", "");
    supervisor.wait("CALL_CLOSED", s(5));
    assert!(caller.done().calls[&1].has("released"));
    desk.agent_is("6003", "idle");
    let told = kinds(&desk, "031234561");
    let place =
        |kind: &str| told.iter().position(|k| k == kind).unwrap_or_else(|| panic!("{told:?}"));
    assert!(place("supervision_ended") < place("ended"), "{told:?}");
    assert_eq!(event(&desk, "031234561", "supervision_began")[0]["means"], "api");
    desk.at_rest(s(3));
}

#[test]
fn three_talk_and_when_the_agent_leaves_the_other_two_go_on_in_one_call() {
    let desk = desk();
    let (his, hers, others) = (voice(341), voice(342), voice(343));
    let first = agent(&desk, "6001", &hers, "PCMU");
    let second = agent(&desk, "6002", &others, "PCMA");
    desk.agent_is("6001", "idle");
    let ear = Ear::new(desk.ports.port());
    let (mut line, call) = call_softphones(&desk, &ear, &his);
    first.wait("CALL_ESTABLISHED", s(5));
    let voices = [&his, &hers, &others];
    hears_of("the caller", &ear, &voices, &[false, true, false]);
    let id = desk.call_of("0311112222").expect("a call")["call"].as_str().unwrap().to_owned();
    let third = format!("/api/v1/calls/{id}/third");
    let add =
        |number: &str| desk.api("POST", &third, &json!({"number": number}).to_string()).status;
    assert_eq!([add("7999"), add("6001"), add("x")], [404, 409, 400]);
    assert_eq!(add("6002"), 204);
    second.wait("CALL_ESTABLISHED", s(5));
    hears_of("the caller", &ear, &voices, &[false, true, true]);
    desk.agent_is("6002", "talking");
    // The third leaves by an order, and comes again by the agent's code.
    assert_eq!(desk.api("DELETE", &third, "").status, 204);
    second.wait("CALL_CLOSED", s(5));
    hears_of("the caller", &ear, &voices, &[false, true, false]);
    first.tell("hold", "");
    obeys(&mut line, &call, &ear, "a=sendonly", 5);
    first.tell("dial", &format!("sip:*936002@{}", desk.sip));
    second.wait_count("CALL_ESTABLISHED", 2, s(5));
    first.wait("CALL_CLOSED", s(8));
    // Three in a talk hold for themselves alone: the caller's phone is told that it is held no more.
    obeys(&mut line, &call, &ear, "a=sendrecv", 5);
    first.tell("resume", "");
    hears_of("the caller", &ear, &voices, &[false, true, true]);
    // The two others talk on, without music.
    first.tell("hold", "");
    hears_of("the caller", &ear, &voices, &[false, false, true]);
    first.tell("resume", "");
    hears_of("the caller", &ear, &voices, &[false, true, true]);
    first.tell("hangup", "");
    first.wait_count("CALL_CLOSED", 2, s(5));
    hears_of("the caller", &ear, &voices, &[false, false, true]);
    desk.agent_is("6001", "idle");
    second.tell("hangup", "");
    line.bye_comes(&call, s(5));
    let heard = poll(s(5), || second.heard().last().cloned().filter(|it| it.ms() > 4000));
    let heard = heard.expect("what the third heard");
    assert!(heard.share(usize::try_from(heard.ms()).unwrap() - 1600, &his) > 0.8);
    let call = desk.over("0311112222");
    let who: Vec<&str> =
        call["talks"].as_array().unwrap().iter().map(|t| t["agent"].as_str().unwrap()).collect();
    assert_eq!((who, &call["outcome"]), (vec!["6001", "6002"], &json!("answered")), "{call}");
    assert_eq!(desk.calls().len(), 1, "one call");
    let month = desk.month();
    assert_eq!((&month["arrived"], &month["answered"]), (&json!(1), &json!(1)), "{month}");
    assert_eq!(event(&desk, "0311112222", "third_ended").len(), 2);
    desk.at_rest(s(3));
}

#[test]
fn a_caller_held_too_long_is_brought_back_to_the_agent_who_answers_the_reminder() {
    let desk = desk();
    let (his, hers) = (voice(351), voice(352));
    let first = agent(&desk, "6001", &hers, "PCMU");
    desk.agent_is("6001", "idle");
    let ear = Ear::new(desk.ports.port());
    let (mut line, call) = call_softphones(&desk, &ear, &his);
    first.wait("CALL_ESTABLISHED", s(5));
    first.tell("hold", "");
    obeys(&mut line, &call, &ear, "a=sendonly", 5);
    ear.forget();
    hears(&ear, "music", 5);
    // Rung a second time, answered by itself: the old leg is let go.
    first.wait_count("CALL_ESTABLISHED", 2, s(10));
    obeys(&mut line, &call, &ear, "a=sendrecv", 5);
    first.wait("CALL_CLOSED", s(5));
    hears_of("the caller", &ear, &[&his, &hers], &[false, true]);
    desk.agent_is("6001", "talking");
    first.tell("hangup", "");
    line.bye_comes(&call, s(5));
    let told = kinds(&desk, "0311112222");
    let place =
        |kind: &str| told.iter().position(|k| k == kind).unwrap_or_else(|| panic!("{told:?}"));
    assert!(place("held") < place("hold_recalled"), "{told:?}");
    assert!(place("hold_recalled") < place("hold_recall_ended"), "{told:?}");
    assert!(place("hold_recall_ended") < place("resumed"), "{told:?}");
    assert_eq!(event(&desk, "0311112222", "hold_recall_ended")[0]["why"], Value::Null);
    let call = desk.over("0311112222");
    assert_eq!(call["talks"].as_array().map(Vec::len), Some(1), "one talk: {call}");
    desk.at_rest(s(3));
}

#[test]
fn a_caller_whom_an_agent_forgot_on_hold_gets_a_colleague() {
    let desk = desk();
    let (his, others) = (voice(361), voice(362));
    let first = quiet_agent(&desk, "6001", &voice(363));
    let second = agent(&desk, "6002", &others, "PCMU");
    desk.agent_is("6001", "idle");
    desk.agent_is("6002", "idle");
    let ear = Ear::new(desk.ports.port());
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let mut call = line.invite("0312340020", &sdp(ear.port(), &[0, 101], "sendrecv"));
    first.wait("CALL_INCOMING", s(5));
    first.tell("accept", "");
    let answer = line.status(&call, 200, s(5));
    line.ack(&mut call, &answer);
    ear.say(&his, Law::Mu, answer.media_port().unwrap());
    rest(500);
    first.tell("hold", "");
    obeys(&mut line, &call, &ear, "a=sendonly", 5);
    // The reminder rings for six seconds and nobody comes.
    first.wait_count("CALL_INCOMING", 2, s(10));
    second.wait("CALL_ESTABLISHED", s(15));
    obeys(&mut line, &call, &ear, "a=sendrecv", 5);
    hears_of("the caller", &ear, &[&his, &others], &[false, true]);
    first.wait_count("CALL_CLOSED", 2, s(5));
    desk.agent_is("6001", "paused");
    line.bye(&mut call);
    second.wait("CALL_CLOSED", s(5));
    let call = desk.over("0311112222");
    let who: Vec<&str> =
        call["talks"].as_array().unwrap().iter().map(|t| t["agent"].as_str().unwrap()).collect();
    assert_eq!((who, &call["outcome"]), (vec!["6001", "6002"], &json!("answered")), "{call}");
    assert_eq!(event(&desk, "0311112222", "hold_recall_ended")[0]["why"]["end"], "rang_out");
    assert_eq!(desk.month()["answered"], json!(1));
    desk.at_rest(s(3));
}
