//! Keys told in every way that there is: by their tones alone, by telephone-event and by INFO, heard and
//! said, by foreign phones.

use crate::hears::hears;
use crate::support::desk::{Desk, Setup};
use crate::support::ear::Ear;
use crate::support::line::Line;
use crate::support::message::sdp;
use crate::support::sound::{Law, RATE, Sound};
use crate::support::{eventually, poll, rest, s};

/// The two tones of a key.
fn pitches(key: char) -> (f64, f64) {
    let at = "123A456B789C*0#D".find(key).unwrap();
    ([697.0, 770.0, 852.0, 941.0][at / 4], [1209.0, 1336.0, 1477.0, 1633.0][at % 4])
}

/// A key as a carrier's exchange passes it on: 80 ms of its tones after a second of nothing, then nothing.
fn sounded(key: char) -> Sound {
    let (row, column) = pitches(key);
    let sample = |n: usize| {
        let turn = std::f64::consts::TAU * n as f64 / RATE as f64;
        (4000.0 * ((turn * row).sin() + (turn * column).sin())) as i16
    };
    let mut sound = vec![0; RATE];
    sound.extend((0..RATE * 80 / 1000).map(sample));
    sound.resize(RATE * 60, 0);
    Sound(sound)
}

/// Share of a pitch in the loudest 60 ms of what was heard.
fn holds_key(heard: &Sound, key: char) -> bool {
    let (row, column) = pitches(key);
    heard.0.chunks_exact(RATE * 30 / 1000).any(|piece| {
        let all: f64 = piece.iter().map(|s| f64::from(*s).powi(2)).sum();
        let share = |hz: f64| {
            let (mut cos, mut sin) = (0.0, 0.0);
            for (n, sample) in piece.iter().enumerate() {
                let turn = std::f64::consts::TAU * hz * n as f64 / RATE as f64;
                cos += f64::from(*sample) * turn.cos();
                sin += f64::from(*sample) * turn.sin();
            }
            2.0 * (cos * cos + sin * sin) / (all * piece.len() as f64)
        };
        all / piece.len() as f64 > 250_000.0
            && share(row) + share(column) > 0.9
            && share(row) > 0.25
    })
}

#[test]
fn a_carrier_that_sends_only_tones_leads_its_callers_through_the_menus_and_hears_keys_as_tones() {
    let desk = Desk::start("desk.toml");
    let voice = Sound::voice(71, 60);
    let agent = crate::talk::agent(&desk, "6001", &voice, "PCMU");
    desk.agent_is("6001", "idle");
    let ear = Ear::new(desk.ports.port());
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    // It offers no telephone-event.
    let (mut call, port) = line.connect("0312340050", &sdp(ear.port(), &[0], "sendrecv"), s(3));
    ear.say(&sounded('3'), Law::Mu, port);
    let entered = |times: usize| {
        let ladder = desk.ladder("0311112222");
        ladder.iter().filter(|e| e["kind"] == "key_pressed").count() == times
    };
    eventually("the first key is taken", s(4), || entered(1));
    ear.say(&sounded('7'), Law::Mu, port);
    eventually("the second key is taken", s(4), || entered(2));
    agent.wait("CALL_ESTABLISHED", s(5));
    // What is spoken presses nothing.
    ear.say(&Sound::voice(5, 60), Law::Mu, port);
    rest(500);
    ear.forget();
    agent.tell("sndcode", "8");
    let heard = poll(s(4), || holds_key(&ear.heard(), '8').then_some(()));
    assert!(heard.is_some(), "the key's tones");
    assert!(ear.keys().is_empty(), "no telephone-event, which was not agreed");
    line.bye(&mut call);
    let keys = desk.ladder("0311112222");
    let keys = keys.iter().filter(|e| e["kind"].as_str().unwrap_or("").starts_with("key_")).count();
    assert_eq!((keys, desk.outcome("0311112222").as_str()), (2, "answered"));
}

#[test]
fn a_carrier_known_to_send_tones_is_listened_to_though_it_offers_events() {
    let desk = Desk::with(&Setup { trunk: "dtmf = \"inband\"", ..Setup::default() });
    let ear = Ear::new(desk.ports.port());
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let (call, port) = line.connect("0312340050", &sdp(ear.port(), &[0, 101], "sendrecv"), s(3));
    ear.say(&sounded('2'), Law::Mu, port);
    hears(&ear, "information", 5);
    line.bye_comes(&call, s(6));
    assert_eq!(desk.outcome("0311112222"), "menu_served");
}

#[test]
fn a_phone_that_wants_info_is_told_a_callers_keys_by_info() {
    let rule = "[[accounts.rules]]\naccounts = \"6001\"\ndtmf = \"info\"\n";
    let desk = Desk::with(&Setup { more: rule, ..Setup::default() });
    let voice = Sound::voice(71, 60);
    let agent = crate::talk::agent(&desk, "6001", &voice, "PCMU");
    desk.agent_is("6001", "idle");
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340020").set("MEDIA", ear.port()).set("STAY", 4000).start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    agent.wait("CALL_ESTABLISHED", s(5));
    ear.say(&Sound::voice(6, 60), Law::Mu, port);
    rest(300);
    ear.press("59", port);
    let told = poll(s(4), || {
        let trace = agent.trace();
        let keys: Vec<&str> = trace.matches("Signal=").collect();
        (keys.len() >= 2 && trace.contains("Signal=5") && trace.contains("Signal=9")).then_some(())
    });
    assert!(told.is_some(), "{}", agent.trace());
    caller.done();
    assert_eq!(desk.outcome("031234561"), "answered");
}
