//! Voice messages as they are left, kept, lit and deleted; numbers and extensions in the auto attendant; a
//! colleague who is called back.

use crate::hears::hears;
use crate::support::desk::{Desk, Setup, password};
use crate::support::ear::Ear;
use crate::support::sipp::{Job, Sipp};
use crate::support::softphone::{self, Softphone};
use crate::support::sound::{Law, Sound};
use crate::support::tape::{alone, kept, kinds, lies};
use crate::support::{eventually, poll, rest, s};
use crate::talk::agent;
use std::path::PathBuf;

fn desk() -> Desk {
    let more = "[recording]\ndirectory = \"recordings\"\nleast_free_mib = 1\n";
    Desk::with(&Setup { plan: "attended.toml", more, ..Setup::default() })
}

/// The lamp of 6003.
fn lamp(desk: &Desk) -> Job {
    Job::new("watch", desk.sip, desk.ports.port())
        .set("WHAT", "6003")
        .set("USER", "6003")
        .set("PASSWORD", password("6003"))
        .set("EVENT", "message-summary")
        .within(s(90))
}

/// The last NOTIFY said so many new and old messages.
#[track_caller]
fn shows(lamp: &Sipp, new: u32, old: u32) {
    let due = format!("Voice-Message: {new}/{old} (0/0)");
    let waits = format!("Messages-Waiting: {}", if new > 0 { "yes" } else { "no" });
    let found = poll(s(8), || {
        let told = lamp.messages();
        let last = told.rsplit("Messages-Waiting: ").next()?;
        let last = format!("Messages-Waiting: {last}");
        (last.starts_with(&waits) && last.contains(&due)).then_some(())
    });
    assert!(found.is_some(), "not {due}: {}", lamp.messages());
}

fn files(desk: &Desk) -> Vec<PathBuf> {
    let days = std::fs::read_dir(desk.dir().file("recordings")).into_iter().flatten().flatten();
    let files = days.flat_map(|day| std::fs::read_dir(day.path()).into_iter().flatten().flatten());
    files.map(|file| file.path()).filter(|path| path.to_string_lossy().contains(".wav")).collect()
}

#[test]
fn a_message_is_what_the_caller_said_and_lights_a_lamp_until_it_is_heard_and_deleted() {
    let mut desk = desk();
    let watcher = lamp(&desk).start();
    watcher.wait(1, "watching", s(5));
    shows(&watcher, 0, 0);
    let his = Sound::voice(181, 30);
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340020").set("MEDIA", ear.port()).set("STAY", 20_000).start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    ear.say(&his, Law::Mu, port);
    hears(&ear, "after-hours", 4);
    rest(4500);
    ear.press("#", port);
    assert!(caller.done().calls[&1].has("released"), "thanked and released");
    assert_eq!(desk.outcome("031234561"), "message_taken");
    let recorded = kept(&desk, "031234561");
    let path = files(&desk).pop().expect("a file");
    // Not on the left with silence on the right: who listens by headphones hears it in both ears.
    let said = alone(&path);
    assert!((2_000..9_000).contains(&said.ms()), "{} ms", said.ms());
    assert_eq!(recorded["length_ms"].as_i64(), Some(said.ms()));
    let places = [300, 1200].map(|at| lies(&said, at, &his));
    assert!((places[0] - places[1]).abs() <= 20, "{places:?}");

    shows(&watcher, 1, 0);
    let list = desk.get("/api/v1/messages");
    let message = &list["messages"][0];
    assert_eq!(message["mailbox"], "desk", "{list}");
    assert_eq!((&message["heard"], &message["kept"]), (&false.into(), &true.into()), "{list}");
    let (call, number) = (message["call"].as_str().unwrap(), message["number"].as_u64().unwrap());
    let at = format!("/api/v1/messages/{call}/{number}");
    assert_eq!(
        desk.api("GET", &format!("/api/v1/calls/{call}/recordings/{number}"), "").status,
        200
    );
    assert_eq!(desk.api("POST", &format!("{at}/heard"), "").status, 204);
    assert_eq!(desk.api("POST", &format!("{at}/heard"), "").status, 409);
    shows(&watcher, 0, 1);

    // The lamp is right after a kill, without the phone's doing.
    let (at, before) = (at.clone(), watcher.messages().len());
    desk.kill();
    desk.again();
    eventually("told again", s(8), || watcher.messages().len() > before + 200);
    shows(&watcher, 0, 1);
    assert_eq!(desk.api("POST", &format!("{at}/unheard"), "").status, 204);
    shows(&watcher, 1, 0);
    assert_eq!(desk.api("DELETE", &at, "").status, 204);
    shows(&watcher, 0, 0);
    eventually("the file is gone", s(5), || files(&desk).is_empty());
    assert_eq!(desk.api("DELETE", &at, "").status, 404);
    assert!(kinds(&desk, "031234561").contains(&"deleted".to_owned()));
    watcher.stop();
}

#[test]
fn who_says_nothing_leaves_no_message_and_no_file() {
    let desk = desk();
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340020").set("MEDIA", ear.port()).set("STAY", 30_000).start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    // Sound without a voice.
    ear.say(&Sound(vec![0; 8000]), Law::Mu, port);
    assert!(caller.done().calls[&1].has("released"), "silence ends it");
    assert_eq!(desk.outcome("031234561"), "menu_served");
    let told = kinds(&desk, "031234561");
    assert!(told.contains(&"message_dropped".to_owned()), "{told:?}");
    eventually("no file is left", s(8), || files(&desk).is_empty());
    assert_eq!(desk.get("/api/v1/messages")["messages"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_number_is_entered_and_shown_with_the_call() {
    let desk = desk();
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340010").set("MEDIA", ear.port()).set("STAY", 20_000).start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    rest(300);
    ear.press("1", port);
    hears(&ear, "position-1", 4);
    ear.press("40172#", port);
    hears(&ear, "information", 6);
    caller.done();
    let call = desk.over("031234561");
    assert_eq!(call["entered"], serde_json::json!([{"entry": "staff", "digits": "40172"}]));
    assert_eq!(call["outcome"], "menu_served");
}

#[test]
fn an_extension_dialled_in_the_menu_rings_that_phone_and_both_hear_each_other() {
    let desk = desk();
    let (his, hers) = (Sound::voice(183, 60), Sound::voice(184, 60));
    let phone = agent(&desk, "6002", &hers, "PCMU");
    desk.agent_is("6002", "idle");
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340010").set("MEDIA", ear.port()).set("STAY", 8_000).start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    rest(300);
    ear.press("6002", port);
    phone.wait("CALL_ESTABLISHED", s(8));
    ear.say(&his, Law::Mu, port);
    ear.forget();
    eventually("she is heard", s(6), || {
        let heard = ear.heard();
        heard.ms() > 1500 && hers.holds(&heard.part(700, 600)).is_some()
    });
    phone.tell("hangup", "");
    caller.done();
    let told = kinds(&desk, "031234561");
    assert!(told.contains(&"extension_dialled".to_owned()), "{told:?}");
    assert_eq!(desk.outcome("031234561"), "answered");
}

#[test]
fn a_colleague_who_waits_is_called_back_by_the_agent_once() {
    let desk = desk();
    let (his, hers, others) = (Sound::voice(185, 60), Sound::voice(186, 60), Sound::voice(187, 60));
    let operator = agent(&desk, "6001", &hers, "PCMU");
    let waits = Softphone::start(
        &desk.ports,
        &softphone::Setup {
            user: "6003",
            password: &password("6003"),
            desk: Some(desk.sip),
            voice: &his,
            answers: true,
            codecs: "PCMU",
            expires_s: 600,
        },
    );
    desk.agent_is("6001", "idle");
    let ear = Ear::new(desk.ports.port());
    let first = desk.caller("0312340030").set("MEDIA", ear.port()).set("STAY", 20_000).start();
    let port: u16 = first.wait(1, "answered", s(5)).parse().unwrap();
    ear.say(&others, Law::Mu, port);
    operator.wait("CALL_ESTABLISHED", s(5));
    waits.tell("dial", &format!("sip:0312340030@{}", desk.sip));
    waits.wait("CALL_ESTABLISHED", s(5));
    rest(700);
    waits.tell("sndcode", "2");
    waits.wait("CALL_CLOSED", s(15));
    let list = desk.get("/api/v1/callbacks");
    assert_eq!(list["callbacks"][0]["state"], "waiting", "{list}");
    assert_eq!(list["callbacks"][0]["number"], "6003", "{list}");
    first.done();
    // The agent first, then the colleague; and they hear each other.
    operator.wait_count("CALL_ESTABLISHED", 2, s(15));
    waits.wait_count("CALL_ESTABLISHED", 2, s(10));
    rest(2500);
    operator.tell("hangup", "");
    waits.wait_count("CALL_CLOSED", 2, s(5));
    let heard = |phone: &Softphone, voice: &Sound| {
        poll(s(5), || {
            let heard = phone.heard();
            let heard = heard.last()?;
            let pieces = (0..usize::try_from(heard.ms()).unwrap() / 250)
                .map(|at| heard.part(at * 250, 500))
                .filter(|piece| piece.loudness() > 300.0);
            pieces.rev().take(40).any(|piece| voice.holds(&piece).is_some()).then_some(())
        })
    };
    assert!(heard(&operator, &his).is_some(), "the agent hears the colleague");
    assert!(heard(&waits, &hers).is_some(), "the colleague hears the agent");
    desk.at_rest(s(8));
    let list = desk.get("/api/v1/callbacks");
    let row = &list["callbacks"][0];
    assert_eq!((&row["state"], &row["why"]), (&"over".into(), &"answered".into()), "{list}");
    assert_eq!(row["calls"], 1, "{list}");
    // One call of the desk, and a placed one that is no call of the desk.
    assert_eq!(desk.outcome("6003"), "message_taken");
    assert_eq!(desk.calls().len(), 2, "the first caller's and the colleague's");
    let placed = desk.get("/api/v1/placed-calls");
    let placed = &placed["calls"][0];
    assert_eq!((&placed["by"], &placed["number"]), (&"6001".into(), &"6003".into()), "{placed}");
    assert_eq!(placed["back"], row["call"], "{placed}");
    desk.agent_is("6001", "idle");
}
