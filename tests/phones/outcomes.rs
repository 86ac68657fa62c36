//! One call, one outcome: what a caller does and what the history says of it.

use crate::support::desk::{Desk, Setup};
use crate::support::ports::Block;
use crate::support::sipp::Job;
use crate::support::{rest, s};

#[test]
fn hanging_up_during_the_busy_announcement_is_abandoned_and_not_busy() {
    let desk = Desk::start("desk.toml");
    let caller = desk.caller("0312340090").set("STAY", 700).start().done();
    assert!(caller.calls[&1].has("hung_up"), "{:?}", caller.calls);
    let call = desk.over("031234561");
    assert_eq!(
        call["outcome"], "abandoned",
        "also within three seconds: the announcement had begun"
    );
    assert_eq!(call["busy_announced"], true);
    let month = desk.month();
    assert_eq!(month["outcomes"]["abandoned"], 1, "{month:#}");
    desk.at_rest(s(3));
}

#[test]
fn a_caller_beyond_the_channels_of_the_trunk_is_refused_and_blocked() {
    let ports = Block::take();
    let (first, second) = (ports.port(), ports.port());
    let more = format!(
        "[[trunks]]\nname = \"narrow\"\nsources = [\"127.0.0.1:{first}\", \"127.0.0.1:{second}\"]\nchannels_in = 1\n"
    );
    let desk = Desk::with(&Setup { more: &more, ..Setup::default() });
    let agent = desk.agent("agent", 201).calls(2, 1).set("RING", 100).start();
    let caller = |port, from: &str| {
        Job::new("caller", desk.sip, port).set("TO", "0312340010").set("FROM", from)
    };
    let talks = caller(first, "03555").set("STAY", 2000).start();
    talks.wait(1, "answered", s(5));
    let refused = caller(second, "03666").start().done();
    assert_eq!(refused.calls[&1].value("refused"), Some("486"), "{:?}", refused.calls);
    assert_eq!(desk.outcome("036661"), "blocked");
    let ladder = desk.ladder("036661");
    let end = ladder.last().expect("its end");
    assert_eq!(end["cause"]["cause"], "channels_full", "{ladder:#?}");
    talks.done();
    // The channel is free again.
    let again = caller(second, "03777").set("STAY", 300).start().done();
    assert!(again.calls[&1].has("answered"), "{:?}", again.calls);
    assert_eq!(desk.month()["outcomes"]["blocked"], 1);
    assert!(desk.metric("madoguchi_trunk_full_seconds_total") > 1.0);
    agent.done();
    desk.at_rest(s(3));
}

#[test]
fn hanging_up_within_three_seconds_of_ringing_is_a_short_call() {
    let desk = Desk::start("desk.toml");
    let agent = desk.agent("agent", 201).set("RING", 20_000).start();
    let caller = desk.caller("0312340010").set("PATIENCE", 1000).start().done();
    assert!(caller.calls[&1].has("cancelled"), "{:?}", caller.calls);
    assert_eq!(desk.outcome("031234561"), "short_abandoned");
    let agent = agent.done();
    assert!(agent.calls[&1].has("cancelled"), "the agent's phone stops ringing: {:?}", agent.calls);
    desk.at_rest(s(3));
}

#[test]
fn hanging_up_after_three_seconds_of_ringing_is_abandoned() {
    let desk = Desk::start("desk.toml");
    let agent = desk.agent("agent", 201).set("RING", 20_000).start();
    let caller = desk.caller("0312340010").set("PATIENCE", 3300).start().done();
    assert!(caller.calls[&1].has("cancelled"), "{:?}", caller.calls);
    let call = desk.over("031234561");
    assert_eq!(
        (call["outcome"].as_str(), call["busy_announced"].as_bool()),
        (Some("abandoned"), Some(false))
    );
    agent.done();
}

#[test]
fn an_answer_is_answered_and_after_the_busy_announcement_it_is_answered_after_busy() {
    let desk = Desk::start("desk.toml");
    let agent = desk.agent("agent", 201).calls(2, 1).set("RING", 100).start();
    let first = desk.caller("0312340010").set("FROM", "03555").set("STAY", 1500).start();
    first.wait(1, "answered", s(5));
    let second = desk.caller("0312340010").set("FROM", "03666").set("STAY", 3000).start();
    first.done();
    second.done();
    assert_eq!(agent.done().count("answered"), 2);
    assert_eq!(desk.outcome("035551"), "answered");
    let second = desk.over("036661");
    assert_eq!(second["outcome"], "answered_after_busy");
    let wait_ms = second["wait_ms"].as_u64().unwrap();
    assert!((200..2500).contains(&wait_ms), "waited until the first hung up: {wait_ms} ms");
    desk.at_rest(s(3));
}

#[test]
fn the_call_beyond_the_last_line_is_refused_and_blocked() {
    let desk = Desk::start("desk.toml");
    let agent = desk.agent("agent", 201).set("RING", 100).start();
    let first = desk.caller("0312340011").set("FROM", "03555").set("STAY", 1500).start();
    first.wait(1, "answered", s(5));
    let second = desk.caller("0312340011").set("FROM", "03666").start().done();
    assert_eq!(second.calls[&1].value("refused"), Some("486"));
    assert_eq!(desk.outcome("036661"), "blocked");
    first.done();
    agent.done();
    // The line is free again.
    let agent = desk.agent("agent", 201).set("RING", 100).start();
    rest(200);
    let third = desk.caller("0312340011").set("FROM", "03777").set("STAY", 300).start().done();
    assert!(third.calls[&1].has("answered"));
    agent.done();
    assert_eq!(desk.outcome("037771"), "answered");
}

#[test]
fn the_call_beyond_what_the_daemon_takes_on_is_refused_with_503_and_blocked() {
    let more = "[limits]\ncalls = 1\n";
    let desk = Desk::with(&Setup { more, ..Setup::default() });
    let agent = desk.agent("agent", 201).set("RING", 100).start();
    let first = desk.caller("0312340011").set("FROM", "03555").set("STAY", 1500).start();
    first.wait(1, "answered", s(5));
    let second = desk.caller("0312340010").set("FROM", "03666").start().done();
    assert_eq!(second.calls[&1].value("refused"), Some("503"));
    assert_eq!(desk.outcome("036661"), "blocked");
    first.done();
    agent.done();
    assert_eq!(desk.outcome("035551"), "answered");
    desk.at_rest(s(3));
}

#[test]
fn a_number_that_is_not_counted_is_kept_and_left_out_of_the_figures() {
    let desk = Desk::start("desk.toml");
    let caller = desk.caller("0312340070").set("STAY", 5000).start().done();
    assert!(caller.calls[&1].has("released"));
    let call = desk.over("031234561");
    assert_eq!(
        (call["counted"].as_bool(), call["outcome"].as_str()),
        (Some(false), Some("menu_served"))
    );
    let month = desk.month();
    assert_eq!(month["outcomes"]["menu_served"], 0, "{month:#}");
}

#[test]
fn a_number_that_is_not_of_the_plan_is_refused_and_is_no_call() {
    let desk = Desk::start("desk.toml");
    let caller = desk.caller("0399990000").start().done();
    assert_eq!(caller.calls[&1].value("refused"), Some("404"));
    rest(300);
    assert!(desk.calls().is_empty(), "{:?}", desk.calls());
}

#[test]
fn a_stranger_without_a_trunk_or_an_account_makes_no_call() {
    let desk = Desk::start("desk.toml");
    let mut line = crate::support::line::Line::new(desk.ports.port(), "6001", desk.sip);
    let call = line.invite("0312340010", &crate::support::message::sdp(9, &[0], "sendrecv"));
    let answer = line.expect("an answer", s(2), |m| m.status().is_some_and(|s| s >= 200));
    assert!([401, 403, 407].contains(&answer.status().unwrap()), "{answer}");
    line.ack_refusal(&call, &answer);
    rest(300);
    assert!(desk.calls().is_empty(), "{:?}", desk.calls());
}

#[test]
fn a_callers_name_in_japanese_survives() {
    let desk = Desk::start("desk.toml");
    let mut line = crate::support::line::Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let offer = crate::support::message::sdp(9, &[0], "sendrecv");
    let mut call = line.invite("0312340090", &offer);
    line.status(&call, 200, s(3));
    drop(line);
    // The same caller with a name: sent by hand, since the scripted phone has none.
    let mut line = crate::support::line::Line::new(desk.trunk_port(), "0344445555", desk.sip);
    let branch = line.branch();
    let text = format!(
        "INVITE sip:0312340091@{desk} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch={branch};rport\r\nMax-Forwards: 70\r\n\
         From: \"総務課 山田太郎\" <sip:0344445555@{desk}>;tag=t1\r\nTo: <sip:0312340091@{desk}>\r\nCall-ID: name-{branch}\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:0344445555@127.0.0.1:{port}>\r\nContent-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{offer}",
        desk = desk.sip,
        port = line.port(),
        length = offer.len(),
    );
    line.send(&text);
    let answer = line.expect("the 200", s(3), |m| m.status() == Some(200));
    call.id = answer.must("Call-ID").to_owned();
    rest(100);
    let listed = desk.call_of("0344445555").expect("listed");
    assert_eq!(listed["caller"]["name"], "総務課 山田太郎");
}

#[test]
fn a_caller_is_answered_before_an_agent_where_the_plan_says_so() {
    let desk = Desk::start("desk.toml");
    let agent = desk.agent("agent", 206).set("RING", 2500).start();
    let ear = crate::support::ear::Ear::new(desk.ports.port());
    let caller = desk.caller("0312340100").set("MEDIA", ear.port()).set("STAY", 5000).start();
    caller.wait(1, "answered", s(3));
    crate::hears::hears(&ear, "music", 4);
    caller.done();
    agent.done();
    let call = desk.over("031234561");
    assert_eq!(
        (call["outcome"].as_str(), call["busy_announced"].as_bool()),
        (Some("answered"), Some(false))
    );
}
