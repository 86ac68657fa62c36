//! Agent and caller hear each other, hold each other, and leave each other.

use crate::hears::{hears, one_unbroken_stream};
use crate::support::desk::{self, Desk, password};
use crate::support::ear::Ear;
use crate::support::line::Line;
use crate::support::message::sdp;
use crate::support::softphone::{Setup, Softphone};
use crate::support::sound::{Law, Sound};
use crate::support::{eventually, ms, poll, rest, s};

/// An agent's softphone that picks up by itself.
pub fn agent(desk: &Desk, user: &str, voice: &Sound, codecs: &str) -> Softphone {
    let setup = Setup {
        user,
        password: &password(user),
        desk: Some(desk.sip),
        voice,
        answers: true,
        codecs,
        expires_s: 600,
    };
    Softphone::start(&desk.ports, &setup)
}

/// One that rings and is not picked up.
pub fn quiet_agent(desk: &Desk, user: &str, voice: &Sound) -> Softphone {
    let setup = Setup {
        user,
        password: &password(user),
        desk: Some(desk.sip),
        voice,
        answers: false,
        codecs: "PCMU",
        expires_s: 600,
    };
    Softphone::start(&desk.ports, &setup)
}

/// What was heard in the second from `from_ms` on is of this voice: two of three pieces of it, since
/// softphones on a busy machine leave out a packet now and then, and with it one piece's alignment.
#[track_caller]
pub fn is_of(heard: &Sound, from_ms: usize, voice: &Sound) {
    let pieces = [0, 330, 660].map(|at| heard.part(from_ms + at, 330));
    assert!(pieces[1].loudness() > 300.0, "silence at {from_ms} of {} ms", heard.ms());
    let found = pieces.iter().filter(|piece| voice.holds(piece).is_some()).count();
    assert!(found >= 2, "another voice: {:?}", pieces.map(|piece| voice.find(&piece)));
}

/// Both directions between a SIPp caller and a baresip agent, each with the given law.
fn they_hear_each_other(desk: &Desk, callers: Law, codecs: &str, agents_codecs: &str) {
    let (his, hers) = (Sound::voice(41, 30), Sound::voice(42, 30));
    let softphone = agent(desk, "6001", &hers, agents_codecs);
    desk.agent_is("6001", "idle");
    let ear = Ear::new(desk.ports.port());
    let caller = desk
        .caller("0312340020")
        .set("MEDIA", ear.port())
        .set("CODECS", codecs)
        .set("STAY", 3500)
        .start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    ear.say(&his, callers, port);
    let caller = caller.done();
    assert!(caller.calls[&1].has("hung_up"), "{:?}", caller.calls);
    softphone.wait("CALL_CLOSED", s(3));
    is_of(&ear.heard(), 1500, &hers);
    assert!(
        ear.packets().iter().all(|p| p.kind == callers.payload_type()),
        "the caller's own codec"
    );
    let heard = poll(s(3), || softphone.heard().last().cloned().filter(|h| h.ms() > 2500))
        .expect("a recording");
    is_of(&heard, 1500, &his);
    let call = desk.over("031234561");
    assert_eq!(
        (call["outcome"].as_str(), call["agent"].as_str()),
        (Some("answered"), Some("6001"))
    );
    let legs = call["sound"].as_array().expect("how its legs sounded");
    assert!(legs.iter().all(|leg| leg["faults"] == serde_json::json!([])), "{legs:#?}");
    desk.at_rest(s(3));
}

#[test]
fn agent_and_caller_hear_each_other() {
    they_hear_each_other(&Desk::start("desk.toml"), Law::Mu, "0 101", "PCMU");
}

#[test]
fn calls_go_on_while_another_program_holds_half_of_the_rtp_ports() {
    let desk = Desk::with(&desk::Setup { ports_held: true, ..desk::Setup::default() });
    they_hear_each_other(&desk, Law::Mu, "0 101", "PCMU");
}

#[test]
fn a_mu_law_caller_and_an_a_law_agent_hear_each_other() {
    they_hear_each_other(&Desk::start("desk.toml"), Law::Mu, "0 101", "PCMA");
}

#[test]
fn an_a_law_caller_and_a_mu_law_agent_hear_each_other() {
    they_hear_each_other(&Desk::start("desk.toml"), Law::A, "8 101", "PCMU");
}

#[test]
fn a_mu_law_caller_and_an_agent_in_g722_hear_each_other() {
    they_hear_each_other(&Desk::start("desk.toml"), Law::Mu, "0 101", "G722/16000");
}

#[test]
fn an_a_law_caller_and_an_agent_in_opus_hear_each_other() {
    they_hear_each_other(&Desk::start("desk.toml"), Law::A, "8 101", "opus/48000/1");
}

#[test]
fn a_caller_who_waited_in_the_queue_then_talks_on_the_same_stream() {
    let desk = Desk::start("desk.toml");
    let hers = Sound::voice(43, 30);
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340020").set("MEDIA", ear.port()).start();
    caller.wait(1, "answered", s(5));
    hears(&ear, "busy", 4);
    // The agent comes to work: her phone registers, and the call that waits is hers.
    let softphone = agent(&desk, "6001", &hers, "PCMU");
    softphone.wait("CALL_ESTABLISHED", s(15));
    rest(1500);
    let heard = ear.heard();
    is_of(&heard, usize::try_from(heard.ms()).unwrap() - 1100, &hers);
    one_unbroken_stream(&ear);
    softphone.tell("hangup", "");
    let caller = caller.done();
    assert!(caller.calls[&1].has("released"), "{:?}", caller.calls);
    assert_eq!(desk.outcome("031234561"), "answered_after_busy");
}

#[test]
fn a_caller_on_hold_hears_music_and_then_the_agent_again() {
    let desk = Desk::start("desk.toml");
    let (his, hers) = (Sound::voice(44, 60), Sound::voice(45, 60));
    let softphone = agent(&desk, "6001", &hers, "PCMU");
    desk.agent_is("6001", "idle");
    let ear = Ear::new(desk.ports.port());
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let (mut call, port) =
        line.connect("0312340020", &sdp(ear.port(), &[0, 101], "sendrecv"), s(5));
    ear.say(&his, Law::Mu, port);
    rest(1300);
    is_of(&ear.heard(), 200, &hers);

    softphone.tell("hold", "");
    // Passed on: the caller's phone is told that only we send.
    let id = call.id.clone();
    let hold = line.expect("the re-INVITE of the hold", s(3), |m| {
        m.method() == Some("INVITE") && m.header("Call-ID") == Some(&id)
    });
    assert!(hold.says("a=sendonly"), "{hold}");
    let to = hold.must("To").to_owned();
    line.reply(&hold, 200, &to, &sdp(ear.port(), &[0, 101], "recvonly"));
    line.request_of(&call, "ACK", s(2));
    rest(300);
    ear.forget();
    hears(&ear, "music", 5);
    assert!(hers.holds(&ear.heard().part(500, 1000)).is_none(), "an agent who holds is not heard");

    softphone.tell("resume", "");
    let resume = line.expect("the re-INVITE of the resume", s(3), |m| {
        m.method() == Some("INVITE") && m.header("Call-ID") == Some(&id)
    });
    assert!(resume.says("a=sendrecv") || !resume.body.contains("a=send"), "{resume}");
    let to = resume.must("To").to_owned();
    line.reply(&resume, 200, &to, &sdp(ear.port(), &[0, 101], "sendrecv"));
    line.request_of(&call, "ACK", s(2));
    rest(300);
    ear.forget();
    rest(1400);
    is_of(&ear.heard(), 200, &hers);
    line.bye(&mut call);
    softphone.wait("CALL_CLOSED", s(3));
    let kinds: Vec<String> = desk
        .ladder("0311112222")
        .iter()
        .map(|e| e["kind"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert!(
        kinds.contains(&"held".to_owned()) && kinds.contains(&"resumed".to_owned()),
        "{kinds:?}"
    );
    assert_eq!(desk.outcome("0311112222"), "answered");
}

#[test]
fn an_agent_on_hold_hears_music_and_then_the_caller_again() {
    let desk = Desk::start("desk.toml");
    let (his, hers) = (Sound::voice(46, 60), Sound::voice(47, 60));
    // A scripted phone: baresip's recording ends at the first re-INVITE.
    let mut agent = Line::new(desk.fixed_port(201), "201", desk.sip);
    let (ear, agents_ear) = (Ear::new(desk.ports.port()), Ear::new(desk.ports.port()));
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let mut call = line.invite("0312340010", &sdp(ear.port(), &[0, 101], "sendrecv"));
    let (at_agent, agents_port) =
        agent.pick_up(&sdp(agents_ear.port(), &[8, 101], "sendrecv"), s(3));
    let answer = line.status(&call, 200, s(3));
    line.ack(&mut call, &answer);
    ear.say(&his, Law::Mu, answer.media_port().unwrap());
    agents_ear.say(&hers, Law::A, agents_port);
    eventually("they talk", s(3), || his.holds(&agents_ear.heard().part(300, 1000)).is_some());

    ear.hush();
    line.within(&mut call, "INVITE", "", &sdp(ear.port(), &[0, 101], "sendonly"));
    let hold = agent.request_of(&at_agent, "INVITE", s(3));
    assert!(hold.says("a=sendonly"), "{hold}");
    agent.reply(&hold, 200, &at_agent.us, &sdp(agents_ear.port(), &[8, 101], "recvonly"));
    let answer = line.status(&call, 200, s(3));
    assert!(answer.says("a=recvonly"), "{answer}");
    line.ack(&mut call, &answer);
    rest(300);
    agents_ear.forget();
    hears(&agents_ear, "music", 5);

    line.within(&mut call, "INVITE", "", &sdp(ear.port(), &[0, 101], "sendrecv"));
    let resume = agent.request_of(&at_agent, "INVITE", s(3));
    agent.reply(&resume, 200, &at_agent.us, &sdp(agents_ear.port(), &[8, 101], "sendrecv"));
    let answer = line.status(&call, 200, s(3));
    line.ack(&mut call, &answer);
    ear.say(&his, Law::Mu, answer.media_port().unwrap());
    rest(300);
    agents_ear.forget();
    rest(1400);
    is_of(&agents_ear.heard(), 200, &his);
    line.bye(&mut call);
    agent.bye_comes(&at_agent, s(2));
    assert_eq!(desk.outcome("0311112222"), "answered");
}

#[test]
fn keys_pressed_in_a_conversation_reach_the_other_side() {
    let desk = Desk::start("desk.toml");
    let hers = Sound::voice(48, 30);
    let softphone = agent(&desk, "6001", &hers, "PCMU");
    desk.agent_is("6001", "idle");
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340020").set("MEDIA", ear.port()).set("STAY", 4000).start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    rest(300);
    ear.press("42", port);
    eventually("the agent's phone has both keys", s(2), || {
        let trace = softphone.trace();
        trace.contains("received event: '4'") && trace.contains("received event: '2'")
    });
    softphone.tell("sndcode", "9");
    eventually("the caller has the agent's key", s(2), || ear.keys() == [9]);
    caller.done();
}

#[test]
fn a_key_by_info_in_a_conversation_reaches_the_other_side() {
    let desk = Desk::start("desk.toml");
    let hers = Sound::voice(53, 30);
    let softphone = agent(&desk, "6001", &hers, "PCMU");
    desk.agent_is("6001", "idle");
    let ear = Ear::new(desk.ports.port());
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let (mut call, _) = line.connect("0312340020", &sdp(ear.port(), &[0, 101], "sendrecv"), s(5));
    softphone.wait("CALL_ESTABLISHED", s(5));
    for key in ["4", "2"] {
        let body = format!("Signal={key}\r\nDuration=160\r\n");
        line.within(&mut call, "INFO", "Content-Type: application/dtmf-relay\r\n", &body);
    }
    eventually("the agent's phone has both keys", s(3), || {
        let trace = softphone.trace();
        trace.contains("received event: '4'") && trace.contains("received event: '2'")
    });
    line.bye(&mut call);
    assert_eq!(desk.outcome("0311112222"), "answered");
}

#[test]
fn a_stranger_who_knows_the_port_is_not_heard_and_hears_nothing() {
    let desk = Desk::start("desk.toml");
    let (his, hers) = (Sound::voice(49, 30), Sound::voice(50, 30));
    let softphone = agent(&desk, "6001", &hers, "PCMU");
    desk.agent_is("6001", "idle");
    let (ear, stranger) = (Ear::new(desk.ports.port()), Ear::new(desk.ports.port()));
    let caller = desk.caller("0312340020").set("MEDIA", ear.port()).set("STAY", 4000).start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    ear.say(&his, Law::Mu, port);
    rest(500);
    let loud = Sound::voice(51, 30);
    stranger.say(&loud, Law::Mu, port);
    caller.done();
    softphone.wait("CALL_CLOSED", s(3));
    assert_eq!(stranger.packets().len(), 0, "the stranger hears nothing");
    let heard = poll(s(3), || softphone.heard().last().cloned().filter(|h| h.ms() > 3000))
        .expect("a recording");
    is_of(&heard, 2000, &his);
}

#[test]
fn a_phone_that_vanishes_in_a_conversation_does_not_keep_the_agent() {
    let desk = Desk::start("desk.toml");
    let hers = Sound::voice(52, 60);
    let mut softphone = agent(&desk, "6001", &hers, "PCMU");
    desk.agent_is("6001", "idle");
    let caller = desk.caller("0312340020").set("STAY", 2500).start();
    caller.wait(1, "answered", s(5));
    softphone.vanish();
    let caller = caller.done();
    assert!(caller.calls[&1].has("hung_up"), "{:?}", caller.calls);
    assert_eq!(desk.outcome("031234561"), "answered");
    // Our BYE to the dead phone goes unanswered: nothing waits for it.
    eventually("the channel is free", ms(3000), || desk.metric("madoguchi_channels_in_use") == 0.0);
}

#[test]
fn a_caller_of_30_ms_and_an_agent_of_20_each_get_packets_as_they_asked() {
    let desk = Desk::start("desk.toml");
    let (first, second) = (Sound::voice(61, 60), Sound::voice(62, 60));
    let agent = agent(&desk, "6001", &first, "PCMA");
    desk.agent_is("6001", "idle");
    let ear = Ear::new(desk.ports.port());
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let text = sdp(ear.port(), &[0, 101], "sendrecv");
    let text = text.replace("a=ptime:20", "a=ptime:30\r\na=maxptime:30");
    let (mut call, port) = line.connect("0312340020", &text, s(5));
    ear.say(&second, Law::Mu, port);
    agent.wait("CALL_ESTABLISHED", s(5));
    rest(3000);
    let packets = ear.packets();
    let tail = &packets[packets.len() / 2..];
    assert!(tail.len() > 20, "{} packets", packets.len());
    for pair in tail.windows(2) {
        assert_eq!((pair[1].payload.len(), pair[1].kind), (240, 0), "30 ms of PCMU");
        assert_eq!(pair[1].stamp.wrapping_sub(pair[0].stamp), 240);
        assert_eq!(pair[1].seq, pair[0].seq.wrapping_add(1));
    }
    let found = ear.heard().find(&first.part(500, 2000)).expect("the agent's voice");
    assert!(found.score > 0.8, "{found:?}");
    line.bye(&mut call);
    agent.wait("CALL_CLOSED", s(3));
    let heard = poll(s(3), || agent.heard().last()?.holds(&second.part(500, 1500)));
    assert!(heard.is_some(), "the caller's voice");
}
