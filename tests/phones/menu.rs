//! The auto attendant: keys by telephone-event and by INFO, a wrong key, no key.

use crate::hears::hears;
use crate::support::desk::{Desk, password, prompt};
use crate::support::ear::Ear;
use crate::support::line::Line;
use crate::support::message::sdp;
use crate::support::softphone::{Setup, Softphone};
use crate::support::sound::Sound;
use crate::support::{poll, rest, s};

const DTMF_RELAY: &str = "Content-Type: application/dtmf-relay\r\n";

#[test]
fn a_key_by_telephone_event_stops_the_greeting_and_leads_on() {
    let desk = Desk::start("desk.toml");
    let agent = desk.agent("agent", 201).set("RING", 100).start();
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340050").set("MEDIA", ear.port()).set("STAY", 2500).start();
    let port: u16 = caller.wait(1, "answered", s(3)).parse().unwrap();
    rest(500);
    ear.press("1", port);
    caller.done();
    assert!(agent.done().calls[&1].has("answered"));
    let greeting = prompt("welcome");
    let heard = ear.heard();
    assert!(heard.holds(&greeting.part(0, 400)).is_some(), "it began");
    assert!(heard.holds(&greeting.part(900, 600)).is_none(), "and did not go on after the key");
    let ladder = desk.ladder("031234561");
    assert_eq!(
        ladder.iter().filter(|e| e["kind"] == "key_pressed").count(),
        1,
        "one key, however many packets: {ladder:#?}"
    );
    assert_eq!(desk.outcome("031234561"), "answered");
}

#[test]
fn a_key_by_info_leads_to_the_information_and_the_call_is_menu_served() {
    let desk = Desk::start("desk.toml");
    let ear = Ear::new(desk.ports.port());
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let (mut call, _) = line.connect("0312340050", &sdp(ear.port(), &[0, 101], "sendrecv"), s(3));
    line.within(&mut call, "INFO", DTMF_RELAY, "Signal=2\r\nDuration=160\r\n");
    let id = call.id.clone();
    let answer = line.expect("the answer to INFO", s(2), |m| {
        m.header("Call-ID") == Some(&id) && m.cseq_method() == "INFO"
    });
    assert_eq!(answer.status(), Some(200), "{answer}");
    hears(&ear, "information", 4);
    line.bye_comes(&call, s(4));
    assert_eq!(desk.outcome("0311112222"), "menu_served");
}

#[test]
fn a_softphones_keys_lead_through_two_menus() {
    let desk = Desk::start("desk.toml");
    let voice = Sound::voice(71, 60);
    let setup = |user: &'static str, answers| Setup {
        user,
        password: "",
        desk: Some(desk.sip),
        voice: &voice,
        answers,
        codecs: "PCMU",
        expires_s: 600,
    };
    let agent = Softphone::start(
        &desk.ports,
        &Setup { password: &password("6001"), ..setup("6001", true) },
    );
    let caller = Softphone::start(
        &desk.ports,
        &Setup { password: &password("6003"), ..setup("6003", false) },
    );
    desk.agent_is("6001", "idle");
    caller.tell("dial", &format!("sip:0312340050@{}", desk.sip));
    caller.wait("CALL_ESTABLISHED", s(5));
    rest(300);
    caller.tell("sndcode", "3");
    rest(700);
    caller.tell("sndcode", "7");
    agent.wait("CALL_ESTABLISHED", s(5));
    caller.tell("hangup", "");
    assert_eq!(desk.outcome("6003"), "answered");
}

#[test]
fn a_wrong_key_is_told_and_no_key_leads_where_the_plan_says() {
    let desk = Desk::start("desk.toml");
    let agent = desk.agent("agent", 201).set("RING", 100).start();
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340050").set("MEDIA", ear.port()).set("STAY", 9000).start();
    let port: u16 = caller.wait(1, "answered", s(3)).parse().unwrap();
    rest(300);
    ear.press("8", port);
    hears(&ear, "menu-wrong", 3);
    // The greeting's second time, then no key: the way without a key leads to the group.
    let answered = poll(s(8), || agent.calls().get(&1).filter(|c| c.has("answered")).map(|_| ()));
    assert!(answered.is_some(), "{:#?}", desk.ladder("031234561"));
    let kinds: Vec<String> = desk
        .ladder("031234561")
        .iter()
        .map(|e| e["kind"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert!(
        kinds.contains(&"key_wrong".to_owned()) && kinds.contains(&"menu_timed_out".to_owned()),
        "{kinds:?}"
    );
    caller.stop();
}

#[test]
fn leaving_the_menu_is_menu_left_and_no_abandon() {
    let desk = Desk::start("desk.toml");
    desk.caller("0312340050").set("STAY", 400).start().done();
    assert_eq!(desk.outcome("031234561"), "menu_left");
}

/// Holds the journal's write lock until it is dropped.
struct Standstill(std::process::Child);

impl Standstill {
    fn of(desk: &Desk) -> Self {
        const HOLD: &str = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
                            c.execute('BEGIN IMMEDIATE')\nprint('held', flush=True)\nsys.stdin.read()";
        let mut child = std::process::Command::new("python3")
            .args(["-c", HOLD])
            .arg(desk.dir().file("store/madoguchi.db"))
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut word = [0; 5];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut word).unwrap();
        Self(child)
    }
}

impl Drop for Standstill {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

#[test]
fn a_key_stops_the_greeting_at_once_though_the_journal_stands_still() {
    let desk = Desk::start("desk.toml");
    let agent = desk.agent("agent", 201).calls(3, 1).set("RING", 3000).start();
    // A machine that wakes the test too late proves nothing: then once more.
    let tries: Vec<Vec<u128>> = (0..3).map(|_| after_the_key(&desk)).collect();
    let stops = |after: &Vec<u128>| {
        // Behind the greeting's last packet is nothing until the journal is waited for no more; then music.
        let pause = after.windows(2).position(|pair| pair[1] - pair[0] >= 60)?;
        // 50 ms, and 20 at the most until the phone's own next packet brought the key.
        (after[pause] <= 70 && after[after.len() - 1] > 500).then_some(())
    };
    assert!(tries.iter().any(|after| stops(after).is_some()), "{tries:#?}");
    agent.stop();
}

/// A call into the menu, a key while the journal cannot be written: when packets came after it, ms.
fn after_the_key(desk: &Desk) -> Vec<u128> {
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340050").set("MEDIA", ear.port()).set("STAY", 2500).start();
    let port: u16 = caller.wait(1, "answered", s(3)).parse().unwrap();
    rest(300);
    let still = Standstill::of(desk);
    let pressed = std::time::Instant::now();
    ear.press("1", port);
    rest(700);
    drop(still);
    let packets = ear.packets();
    let after = packets.iter().filter_map(|packet| packet.at.checked_duration_since(pressed));
    let after = after.map(|after| after.as_millis()).collect();
    caller.stop();
    after
}
