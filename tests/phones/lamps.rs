//! A phone key's lamp as SIPp sees it, through ring, talk, idle and a kill of the daemon.

use crate::hours::{from_now, order};
use crate::support::desk::{Desk, password};
use crate::support::sipp::{Job, Sipp};
use crate::support::sound::Sound;
use crate::support::{eventually, poll, s};
use crate::talk::agent;

pub fn watch(desk: &Desk, what: &str) -> Job {
    Job::new("watch", desk.sip, desk.ports.port())
        .set("WHAT", what)
        .set("USER", "6003")
        .set("PASSWORD", password("6003"))
        .set("EVENT", "dialog")
        .within(s(90))
}

/// `CSeq`, version, state of the first call, with whom; one for each NOTIFY.
fn told(watcher: &Sipp) -> Vec<(u32, u32, String, String)> {
    let messages = watcher.messages();
    let mut told: Vec<(u32, u32, String, String)> = Vec::new();
    for block in messages.split("message received").skip(1) {
        let block = block.split("message sent").next().unwrap_or_default();
        let after = |open: &str| block.split(open).nth(1);
        let Some(notify) = after("NOTIFY sip:") else { continue };
        let part = |open: &str, close: &str| {
            let rest = notify.split(open).nth(1)?;
            rest.split(close).next().map(str::to_owned)
        };
        let number = |open, close| part(open, close).and_then(|text| text.trim().parse().ok());
        let Some(cseq) = number("CSeq: ", "NOTIFY") else { continue };
        let version = number("dialog-info\" version=\"", "\"").unwrap_or(cseq);
        let state = part("<state>", "<").unwrap_or_default();
        let with = notify.split("<remote>").nth(1).and_then(|rest| rest.split("sip:").nth(1));
        let who = with.and_then(|rest| rest.split('@').next()).map(str::to_owned);
        if told.last().is_none_or(|last| last.0 != cseq) {
            told.push((cseq, version, state, who.unwrap_or_default()));
        }
    }
    told
}

/// Waits until the last NOTIFY showed this; all numbers so far rise.
#[track_caller]
pub fn shows(watcher: &Sipp, state: &str, who: &str) {
    let last = |told: &[(u32, u32, String, String)]| {
        told.last().is_some_and(|(_, _, had, with)| had == state && with == who)
    };
    let found = poll(s(8), || last(&told(watcher)).then_some(()));
    assert!(found.is_some(), "not {state:?} {who:?}: {:?}", told(watcher));
    for pair in told(watcher).windows(2) {
        assert!(pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1, "{:?}", told(watcher));
    }
}

#[test]
fn a_lamp_shows_ring_talk_and_idle_and_is_right_after_a_kill_without_the_phones_doing() {
    let mut desk = Desk::start("desk.toml");
    let voice = Sound::voice(61, 30);
    let phone = agent(&desk, "6002", &voice, "PCMU");
    let watcher = watch(&desk, "6002").start();
    watcher.wait(1, "watching", s(5));
    shows(&watcher, "", "");
    let caller = desk.caller("6002").set("STAY", 1500).start();
    shows(&watcher, "confirmed", "031234561");
    assert!(caller.done().calls[&1].has("hung_up"));
    shows(&watcher, "", "");
    let before = told(&watcher);
    let rang = before.iter().any(|(_, _, state, _)| state == "early" || state == "trying");
    assert!(rang, "{before:?}");

    let caller = desk.caller("6002").start();
    shows(&watcher, "confirmed", "031234561");
    let before = told(&watcher);
    desk.kill();
    desk.again();
    caller.stop();
    phone.tell("hangup", "");
    shows(&watcher, "", "");
    let after = told(&watcher);
    assert!(after.len() > before.len(), "told by itself: {after:?}");
    eventually("one is counted", s(3), || desk.metric("madoguchi_sip_subscriptions") == 1.0);

    // And it goes on.
    let caller = desk.caller("6002").set("STAY", 1000).start();
    shows(&watcher, "confirmed", "031234561");
    caller.done();
    shows(&watcher, "", "");
    watcher.stop();
}

#[test]
fn another_groups_lamp_shows_no_name_and_a_mailbox_is_empty() {
    let desk = Desk::start("desk.toml");
    let voice = Sound::voice(62, 30);
    let _phone = agent(&desk, "6001", &voice, "PCMU");
    let watcher = watch(&desk, "6001").start();
    watcher.wait(1, "watching", s(5));
    let caller = desk.caller("6001").set("STAY", 1000).start();
    shows(&watcher, "confirmed", "");
    caller.done();
    assert!(!watcher.stop().messages.contains("<remote>"));
    let mailbox = watch(&desk, "6003").set("EVENT", "message-summary").start();
    mailbox.wait(1, "watching", s(5));
    let found = poll(s(5), || mailbox.messages().contains("Messages-Waiting: no").then_some(()));
    assert!(found.is_some(), "{}", mailbox.messages());
}

#[test]
fn what_rings_is_picked_up_with_the_names_that_the_lamp_tells() {
    let desk = Desk::start("desk.toml");
    let voice = Sound::voice(63, 30);
    let rung = crate::talk::quiet_agent(&desk, "6002", &voice);
    let taker = |user: &str, what: &str| {
        let job = Job::new("lamp_picks_up", desk.sip, desk.ports.port());
        let job = job.set("USER", user).set("PASSWORD", password(user)).set("WHAT", what);
        job.set("STAY", 500).within(s(60))
    };
    let picks = taker("6003", "6002").start();
    picks.wait(1, "watching", s(5));
    let caller = desk.caller("6002").start();
    rung.wait("CALL_INCOMING", s(5));
    caller.wait(1, "answered", s(10));
    let picks = picks.done();
    assert_eq!(picks.count("hung_up"), 1, "{:?}", picks.calls);
    assert_eq!(picks.calls[&1].value("with"), Some("031234561"));
    caller.wait(1, "released", s(5));
    rung.wait("CALL_CLOSED", s(5));
    assert!(rung.trace().contains("cause=200"), "no missed call");
    assert_eq!(desk.over("031234561")["agent"], "6003");
    desk.at_rest(s(5));
}

#[test]
fn a_groups_lamp_blinks_while_a_call_waits_and_is_right_after_a_kill() {
    let mut desk = Desk::start("desk.toml");
    let watcher = watch(&desk, "720").start();
    watcher.wait(1, "watching", s(5));
    shows(&watcher, "", "");
    let first = desk.caller("0312340090").start();
    shows(&watcher, "early", "");
    assert!(!watcher.messages().contains("<remote>"), "a lamp of the desk's names nobody");
    first.stop();
    // A call that a kill cuts off waits no more.
    desk.kill();
    desk.again();
    shows(&watcher, "", "");
    let caller = desk.caller("0312340090").set("FROM", "03222").set("STAY", 2_000).start();
    shows(&watcher, "early", "");
    caller.done();
    shows(&watcher, "", "");
    // A phone that subscribes anew while a call waits sees it at once.
    let waits = desk.caller("0312340090").set("FROM", "03333").set("STAY", 9_000).start();
    shows(&watcher, "early", "");
    let second = watch(&desk, "720").start();
    second.wait(1, "watching", s(5));
    shows(&second, "early", "");
    waits.done();
    shows(&second, "", "");
    second.stop();
    watcher.stop();
}

#[test]
fn a_numbers_lamp_is_lit_while_it_is_closed_by_a_code_for_it_alone_and_after_a_kill() {
    let mut desk = Desk::start("desk.toml");
    let voice = Sound::voice(64, 30);
    let phone = crate::talk::quiet_agent(&desk, "6003", &voice);
    eventually("it is there", s(5), || desk.metric("madoguchi_sip_registrations") >= 1.0);
    // Closed by its hours from the start.
    let evening = watch(&desk, "731").start();
    evening.wait(1, "watching", s(5));
    shows(&evening, "confirmed", "");
    evening.stop();

    let watcher = watch(&desk, "730").start();
    watcher.wait(1, "watching", s(5));
    shows(&watcher, "", "");
    phone.tell("dial", &format!("sip:*211@{}", desk.sip));
    shows(&watcher, "confirmed", "");
    // That number alone: another one serves on, and this one does not.
    assert!(desk.caller("0312340010").set("STAY", 20_000).start().done().calls[&1].has("released"));
    assert_eq!(desk.outcome("031234561"), "closed");
    desk.caller("0312340011").set("FROM", "03222").set("STAY", 500).start().done();
    assert_eq!(desk.outcome("032221"), "abandoned");
    desk.kill();
    desk.again();
    let before = told(&watcher).len();
    eventually("told anew after the start", s(8), || told(&watcher).len() > before);
    shows(&watcher, "confirmed", "");
    phone.tell("dial", &format!("sip:*241@{}", desk.sip));
    shows(&watcher, "", "");

    // What is closed for a few seconds opens by itself, and the lamp goes out with nothing else happening.
    order(&desk, "0312340010/close", "停電", &from_now(4_000));
    shows(&watcher, "confirmed", "");
    shows(&watcher, "", "");
    watcher.stop();
}
