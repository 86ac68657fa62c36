//! What callers hear: announcements found in the audio that reached the caller's ear.

use crate::support::desk::{Desk, Setup, password, prompt, shipped_prompt};
use crate::support::ear::Ear;
use crate::support::softphone::{Setup as PhoneSetup, Softphone};
use crate::support::sound::{RATE, Sound};
use crate::support::{eventually, poll, rest, s};

/// Waits until the prompt was heard to its end.
#[track_caller]
pub fn hears(ear: &Ear, name: &str, within_s: u64) -> i64 {
    let due = prompt(name);
    let found = poll(s(within_s), || {
        ear.heard().holds(&due).filter(|found| found.common_ms >= due.ms() - 100)
    });
    found.unwrap_or_else(|| panic!("{name} not heard; nearest {:?}", ear.heard().find(&due))).at_ms
}

#[test]
fn a_caller_with_nobody_free_hears_the_busy_announcement_then_music() {
    let desk = Desk::start("desk.toml");
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340090").set("MEDIA", ear.port()).start();
    caller.wait(1, "answered", s(5));
    let busy = hears(&ear, "busy", 4);
    let music = hears(&ear, "music", 6);
    assert!(busy < music, "the announcement at {busy} ms comes before the music at {music} ms");
    // Between the music: the position and the comfort message.
    let comfort = hears(&ear, "comfort", 9);
    let position = hears(&ear, "position-1", 1);
    assert!(music < position && position < comfort, "{music} {position} {comfort}");
    assert!(ear.heard().holds(&prompt("queue-full")).is_none());
    one_unbroken_stream(&ear);
    caller.stop();
}

/// What one phone hears from the desk is one RTP stream: one source, one SSRC, no sequence number
/// missing, 20 ms a packet.
pub fn one_unbroken_stream(ear: &Ear) {
    let packets = ear.packets();
    assert!(packets.len() > 50, "{} packets", packets.len());
    assert!(packets.iter().all(|p| p.ssrc == packets[0].ssrc && p.from == packets[0].from));
    for pair in packets.windows(2) {
        assert_eq!(pair[1].seq, pair[0].seq.wrapping_add(1), "a packet is missing or out of order");
        if pair[1].kind < 96 {
            assert_eq!(pair[1].payload.len(), 160);
        }
    }
}

#[test]
fn a_caller_in_the_evening_hears_the_after_hours_message_and_is_released() {
    let desk = Desk::start("desk.toml");
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340060").set("MEDIA", ear.port()).start();
    let done = caller.done();
    assert!(done.calls[&1].has("released"), "{:?}", done.calls);
    hears(&ear, "after-hours", 1);
    assert_eq!(desk.outcome("031234561"), "closed");
}

#[test]
fn the_japanese_prompts_that_ship_are_heard_by_a_softphone() {
    let desk = Desk::with(&Setup { test_prompts: false, ..Setup::default() });
    let voice = Sound::voice(31, 60);
    let caller = Softphone::start(
        &desk.ports,
        &PhoneSetup {
            user: "6003",
            password: &password("6003"),
            desk: Some(desk.sip),
            voice: &voice,
            answers: false,
            codecs: "PCMU",
            expires_s: 600,
        },
    );
    caller.tell("dial", &format!("sip:0312340060@{}", desk.sip));
    caller.wait("CALL_ESTABLISHED", s(5));
    let due = Sound::wav(&shipped_prompt("after-hours")).part(0, 4000);
    rest(5500);
    caller.tell("hangup", "");
    caller.wait("CALL_CLOSED", s(3));
    let found = poll(s(3), || caller.heard().last()?.holds(&due));
    let found =
        found.unwrap_or_else(|| panic!("{:?}", caller.heard().last().and_then(|h| h.find(&due))));
    assert!(found.common_ms >= 3900, "{found:?}");
    assert_eq!(desk.outcome("6003"), "closed");
}

#[test]
fn a_caller_in_a_full_queue_hears_so_and_is_released() {
    let desk = Desk::start("desk.toml");
    let first = desk.caller("0312340090").set("FROM", "03555").start();
    first.wait(1, "answered", s(5));
    let ear = Ear::new(desk.ports.port());
    let second = desk.caller("0312340090").set("MEDIA", ear.port()).start().done();
    assert!(second.calls[&1].has("released"), "{:?}", second.calls);
    hears(&ear, "queue-full", 1);
    assert_eq!(desk.outcome("031234561"), "busy_released");
    first.stop();
}

#[test]
fn a_caller_who_waited_longest_hears_so_and_is_released() {
    let desk = Desk::start("desk.toml");
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340091").set("MEDIA", ear.port()).start().done();
    assert!(caller.calls[&1].has("released"), "{:?}", caller.calls);
    hears(&ear, "waited-too-long", 1);
    assert_eq!(desk.outcome("031234561"), "busy_released");
    desk.at_rest(s(3));
}

#[test]
fn a_call_over_tcp_hears_the_same() {
    let desk = Desk::start("desk.toml");
    let ear = Ear::new(desk.ports.port());
    // An extension's call: the trunk of these tests is known by UDP source ports only.
    let caller = desk.caller("0312340060").set("MEDIA", ear.port()).tcp().start().done();
    assert!(caller.calls[&1].has("released"), "{:?}", caller.calls);
    hears(&ear, "after-hours", 1);
    eventually("the call is listed", s(3), || desk.outcome("031234561") == "closed");
}

#[test]
fn the_music_of_the_queue_goes_on_where_an_announcement_interrupted_it() {
    let desk = Desk::start("desk.toml");
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340090").set("MEDIA", ear.port()).start();
    caller.wait(1, "answered", s(5));
    hears(&ear, "comfort", 15);
    rest(2500);
    let heard = ear.heard();
    let end = |name: &str| {
        let found = heard.holds(&prompt(name)).unwrap_or_else(|| panic!("{name}"));
        usize::try_from(found.at_ms).unwrap() + usize::try_from(prompt(name).ms()).unwrap()
    };
    // As far as the music had come when the position was told: from the end of the busy announcement.
    let position = heard.holds(&prompt("position-1")).unwrap().at_ms;
    let played = usize::try_from(position).unwrap() - end("busy");
    let music = prompt("music");
    let after = heard.part(end("comfort"), 2000);
    let goes_on = Sound(music.0.iter().copied().cycle().skip(played * 8).take(RATE).collect());
    let found = after.find(&goes_on).expect("music");
    assert!(found.score > 0.8 && (-120..=120).contains(&found.at_ms), "{found:?}, {played} ms");
    caller.stop();
}
