//! Linphone on both ends of a call: announcements, keys, voices both ways, hold, by each transport.

use crate::support::desk::{Desk, Setup as DeskSetup, password, prompt};
use crate::support::linphone::{Linphone, Setup};
use crate::support::sound::Sound;
use crate::support::{eventually, poll, rest, s};

pub fn phone(desk: &Desk, user: &str, transport: &str, voice: &Sound, answers: bool) -> Linphone {
    phone_with(desk, user, transport, voice, answers, "none")
}

/// One that encrypts its sound so.
pub fn phone_with(
    desk: &Desk,
    user: &str,
    transport: &str,
    voice: &Sound,
    answers: bool,
    encryption: &str,
) -> Linphone {
    let trusts = desk.dir().file("tls/ca.pem");
    let secure = transport == "tls";
    let setup = Setup {
        user,
        password: &password(user),
        desk: if secure { desk.secure[0] } else { desk.sip },
        transport,
        trusts: secure.then_some(trusts.as_path()),
        voice,
        answers,
        encryption,
    };
    Linphone::start(&desk.ports, &setup)
}

fn a_whole_call_by(transport: &str) {
    let desk = Desk::with(&DeskSetup { secure: transport == "tls", ..DeskSetup::default() });
    let (his, hers) = (Sound::voice(91, 30), Sound::voice(92, 30));
    let agent = phone(&desk, "6001", transport, &hers, true);
    desk.agent_is("6001", "idle");
    let caller = phone(&desk, "6002", transport, &his, false);

    // The menu's greeting, a key in it and one in the menu behind it.
    caller.call("0312340050");
    caller.hears(&prompt("welcome"), s(20));
    caller.tell("3");
    caller.hears(&prompt("welcome"), s(20));
    caller.tell("7");
    agent.wait("LinphoneCallStreamsRunning", 1, s(20));
    caller.hears(&hers, s(20));
    agent.hears(&his, s(20));

    // She holds: he hears music, then her again.
    agent.tell("pause");
    caller.hears(&prompt("music"), s(20));
    agent.tell("resume");
    caller.hears(&hers, s(20));
    agent.hears(&his, s(20));

    // Until Linphone has reported once more, so that the way there and back is known.
    rest(9_000);
    caller.tell("terminate");
    agent.wait("to LinphoneCallEnd", 1, s(20));
    let call = desk.over("6002");
    let told = || {
        let legs = desk.call_of("6002")?["sound"].as_array()?.clone();
        let last = |leg: &&serde_json::Value| leg["measured"]["last"] == true;
        (legs.iter().filter(last).count() == 2).then_some(legs)
    };
    let legs = poll(s(3), told).expect("how both legs sounded");
    for leg in &legs {
        let quiet = leg["faults"].as_array().is_some_and(Vec::is_empty);
        assert!(quiet && leg["measured"]["round_trip_ms"].is_u64(), "{leg:#}");
    }
    assert_eq!(
        (call["outcome"].as_str(), call["agent"].as_str()),
        (Some("answered"), Some("6001"))
    );
    desk.at_rest(s(5));
    let log = agent.quit();
    assert!(log.contains("LinphoneRegistrationCleared"), "it takes leave");
    desk.agent_is("6001", "unreachable");
    eventually("its contact is gone", s(3), || desk.metric("madoguchi_sip_registrations") == 1.0);
}

#[test]
fn linphone_calls_linphone_through_the_desk_by_udp() {
    a_whole_call_by("udp");
}

#[test]
fn linphone_calls_linphone_through_the_desk_by_tcp() {
    a_whole_call_by("tcp");
}

#[test]
fn linphone_calls_linphone_through_the_desk_by_tls() {
    a_whole_call_by("tls");
}
