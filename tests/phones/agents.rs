//! Whose phone rings, and when not.

use crate::support::desk::{Desk, password};
use crate::support::line::Line;
use crate::support::message::sdp;
use crate::support::sound::Sound;
use crate::support::{ms, rest, s};
use crate::talk::agent as softphone;

#[test]
fn when_one_phone_rings_out_the_next_is_rung_and_the_first_is_set_aside() {
    let desk = Desk::start("desk.toml");
    let deaf = desk.agent("agent", 202).set("RING", 20_000).start();
    let next = desk.agent("agent", 203).set("RING", 100).start();
    rest(200);
    let caller = desk.caller("0312340030").set("STAY", 500).start().done();
    assert!(caller.calls[&1].has("hung_up"), "{:?}", caller.calls);
    assert!(deaf.done().calls[&1].has("cancelled"), "its ringing was ended");
    assert!(next.done().calls[&1].has("answered"));
    assert_eq!(desk.over("031234561")["agent"], "203");
    desk.agent_is("202", "paused");
    // Paused by rule until somebody ends it.
    let answer = desk.api("POST", "/api/v1/agents/202/unpause", "");
    assert!(answer.status < 300, "{} {}", answer.status, answer.body);
    desk.agent_is("202", "idle");
}

#[test]
fn when_one_phone_refuses_the_next_is_rung_and_the_first_is_set_aside() {
    let desk = Desk::start("desk.toml");
    let busy = desk.agent("agent_refuses", 202).set("STATUS", "486 Busy Here").start();
    let next = desk.agent("agent", 203).calls(2, 1).set("RING", 100).start();
    rest(200);
    for from in ["03555", "03666"] {
        let caller = desk.caller("0312340030").set("FROM", from).set("STAY", 400).start().done();
        assert!(caller.calls[&1].has("hung_up"), "{:?}", caller.calls);
        assert_eq!(desk.over(&format!("{from}1"))["agent"], "203");
    }
    // The second call did not ring the one set aside: SIPp there had one call only, and is through.
    assert_eq!(busy.done().count("invite"), 1);
    next.done();
}

#[test]
fn all_phones_ring_and_the_loser_is_told_that_it_was_taken_elsewhere() {
    let desk = Desk::start("desk.toml");
    let slow = desk.agent("agent", 204).set("RING", 20_000).start();
    let fast = desk.agent("agent", 205).set("RING", 500).start();
    rest(200);
    desk.caller("0312340040").set("STAY", 500).start().done();
    let slow = slow.done();
    let reason =
        slow.calls[&1].value("cancelled").expect("the loser's ringing ends").to_ascii_lowercase();
    assert!(reason.contains("sip") && reason.contains("cause=200"), "Reason: {reason}");
    assert!(reason.contains("call completed elsewhere"), "Reason: {reason}");
    assert!(fast.done().calls[&1].has("answered"));
    assert_eq!(desk.over("031234561")["agent"], "205");
}

#[test]
fn when_the_caller_hangs_up_no_phone_is_told_that_it_was_taken_elsewhere() {
    let desk = Desk::start("desk.toml");
    let (one, two) = (
        desk.agent("agent", 204).set("RING", 9000).start(),
        desk.agent("agent", 205).set("RING", 9000).start(),
    );
    rest(200);
    desk.caller("0312340040").set("PATIENCE", 500).start().done();
    for phone in [one, two] {
        let reason =
            phone.done().calls[&1].value("cancelled").expect("ringing ends").to_ascii_lowercase();
        assert!(
            !reason.contains("completed elsewhere"),
            "a missed call is a missed call: {reason}"
        );
    }
}

#[test]
fn an_agent_in_any_call_is_not_rung() {
    let desk = Desk::start("desk.toml");
    let agent = desk.agent("agent", 201).set("RING", 100).start();
    rest(200);
    // 201's own call: dialled directly by its extension, not through the group.
    let mut colleague = Line::new(desk.ports.port(), "6003", desk.sip);
    colleague.register(&password("6003"), 60);
    let (mut call, _) = colleague_calls(&mut colleague, "201");
    let caller = desk.caller("0312340010").set("STAY", 700).start();
    caller.wait(1, "answered", s(3));
    let ladder = desk.ladder("031234561");
    assert!(ladder.iter().all(|e| e["kind"] != "offer_made"), "not rung: {ladder:#?}");
    assert!(
        ladder.iter().any(|e| e["kind"] == "announced" && e["purpose"] == "busy"),
        "{ladder:#?}"
    );
    caller.done();
    colleague.bye(&mut call);
    agent.done();
}

/// An extension's call: answered with credentials when the desk asks for them.
fn colleague_calls(line: &mut Line, to: &str) -> (crate::support::line::Call, u16) {
    line.connect_with(&password("6003"), to, &sdp(9, &[0, 101], "sendrecv"), s(5))
}

#[test]
fn an_agent_signs_in_and_out_by_feature_code() {
    let desk = Desk::start("desk.toml");
    let voice = Sound::voice(61, 30);
    let phone = softphone(&desk, "6002", &voice, "PCMU");
    desk.agent_is("6002", "signed_out");
    for (n, (code, state)) in
        [("*11", "idle"), ("*13", "paused"), ("*14", "idle"), ("*12", "signed_out")]
            .into_iter()
            .enumerate()
    {
        phone.tell("dial", &format!("sip:{code}@{}", desk.sip));
        // The confirmation is told, then the desk hangs up.
        phone.wait_count("CALL_CLOSED", n + 1, s(6));
        desk.agent_is("6002", state);
        let heard = phone.heard();
        let due = crate::support::desk::prompt("code-done");
        assert!(
            heard.last().is_some_and(|h| h.holds(&due).is_some()),
            "{code}: the confirmation is heard"
        );
    }
    // Signing out twice cannot be obeyed, and the agent hears that.
    phone.tell("dial", &format!("sip:*12@{}", desk.sip));
    phone.wait_count("CALL_CLOSED", 5, s(6));
    let due = crate::support::desk::prompt("code-refused");
    assert!(phone.heard().last().is_some_and(|h| h.holds(&due).is_some()));
    assert!(desk.calls().is_empty(), "feature codes are no calls");
}

#[test]
fn an_agent_signs_in_by_the_api_and_gets_the_call_that_waits() {
    let desk = Desk::start("desk.toml");
    let voice = Sound::voice(62, 30);
    let phone = softphone(&desk, "6002", &voice, "PCMU");
    let caller = desk.caller("0312340110").set("STAY", 4000).start();
    caller.wait(1, "answered", s(3));
    assert_eq!(phone.count("CALL_INCOMING"), 0, "signed out: not rung");
    assert_eq!(desk.api("POST", "/api/v1/agents/6002/sign-in", "").status / 100, 2);
    phone.wait("CALL_ESTABLISHED", s(5));
    desk.agent_is("6002", "talking");
    assert_eq!(
        desk.api("POST", "/api/v1/agents/6002/sign-in", "").status,
        409,
        "signed in already"
    );
    assert_eq!(desk.api("POST", "/api/v1/agents/999/sign-in", "").status, 404, "no such agent");
    caller.done();
    assert_eq!(desk.outcome("031234561"), "answered_after_busy");
    desk.agent_is("6002", "idle");
    assert_eq!(desk.api("POST", "/api/v1/agents/6002/sign-out", "").status / 100, 2);
    desk.agent_is("6002", "signed_out");
}

#[test]
fn a_phone_that_registered_is_still_reached_after_kill_9() {
    let mut desk = Desk::start("desk.toml");
    let mut phone = Line::new(desk.ports.port(), "6001", desk.sip);
    phone.register(&password("6001"), 600);
    desk.agent_is("6001", "idle");
    desk.kill();
    desk.again();
    desk.agent_is("6001", "idle");
    let caller = desk.caller("0312340020").set("STAY", 600).start();
    let (call, _) = phone.pick_up(&sdp(9, &[0, 101], "sendrecv"), s(5));
    phone.bye_comes(&call, s(3));
    caller.done();
    assert_eq!(desk.outcome("031234561"), "answered");
}

#[test]
fn a_phone_that_registered_by_sipp_is_rung_and_one_with_a_wrong_password_is_not() {
    use crate::support::sipp::Job;
    let desk = Desk::start("desk.toml");
    let port = desk.ports.port();
    let register = Job::new("register", desk.sip, port).set("USER", "6001");
    register.clone().set("PASSWORD", password("6001")).start().done();
    desk.agent_is("6001", "idle");
    let agent = Job::new("agent", desk.sip, port).set("RING", 100).start();
    rest(200);
    desk.caller("0312340020").set("STAY", 300).start().done();
    assert!(agent.done().calls[&1].has("answered"));

    let mut thief = Line::new(desk.ports.port(), "6002", desk.sip);
    let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        thief.register("not the password", 600)
    }));
    assert!(refused.is_err(), "a wrong password registers nothing");
    desk.agent_is("6002", "signed_out");
    // The registration ends when the phone says so.
    register.set("PASSWORD", password("6001")).set("EXPIRES", 0).start().done();
    desk.agent_is("6001", "unreachable");
}

#[test]
fn an_agent_who_answers_and_vanishes_is_given_back_when_the_caller_leaves() {
    let desk = Desk::start("desk.toml");
    let agent = desk.agent("agent_vanishes", 201).set("RING", 100).start();
    rest(200);
    let caller = desk.caller("0312340010").set("STAY", 1000).start().done();
    agent.done();
    assert!(caller.calls[&1].has("hung_up"), "{:?}", caller.calls);
    assert_eq!(desk.outcome("031234561"), "answered");
    desk.agent_is("201", "idle");
    assert_eq!(desk.metric("madoguchi_channels_in_use"), 0.0);
}

#[test]
fn a_group_number_reaches_the_group_from_a_colleagues_phone() {
    let desk = Desk::start("desk.toml");
    let agent = desk.agent("agent", 202).set("RING", 100).start();
    rest(200);
    let mut colleague = Line::new(desk.ports.port(), "6003", desk.sip);
    colleague.register(&password("6003"), 60);
    let (mut call, _) = colleague_calls(&mut colleague, "7030");
    rest(300);
    colleague.bye(&mut call);
    assert!(agent.done().calls[&1].has("answered"));
    let _ = ms(0);
}
