//! Messages that cross, are lost or come late.

use crate::support::desk::Desk;
use crate::support::ear::Ear;
use crate::support::line::Line;
use crate::support::message::sdp;
use crate::support::sound::{Law, Sound};
use crate::support::{eventually, ms, rest, s};

#[test]
fn a_call_without_an_offer_gets_ours_and_is_heard() {
    let desk = Desk::start("desk.toml");
    let mut agent = Line::new(desk.fixed_port(201), "201", desk.sip);
    let (ear, agents_ear) = (Ear::new(desk.ports.port()), Ear::new(desk.ports.port()));
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let mut call = line.invite("0312340010", "");
    let (at_agent, agents_port) =
        agent.pick_up(&sdp(agents_ear.port(), &[0, 101], "sendrecv"), s(3));
    let offer = line.status(&call, 200, s(3));
    let port = offer.media_port().expect("an INVITE without an offer gets one in the 200");
    line.ack_with(&mut call, &offer, &sdp(ear.port(), &[0, 101], "sendrecv"));
    let (his, hers) = (Sound::voice(81, 10), Sound::voice(82, 10));
    ear.say(&his, Law::Mu, port);
    agents_ear.say(&hers, Law::Mu, agents_port);
    eventually("both hear", s(5), || {
        hers.holds(&ear.heard().part(200, 1000)).is_some()
            && his.holds(&agents_ear.heard().part(200, 1000)).is_some()
    });
    line.bye(&mut call);
    agent.bye_comes(&at_agent, s(2));
    assert_eq!(desk.outcome("0311112222"), "answered");
}

#[test]
fn a_200_is_repeated_until_the_ack_comes() {
    let desk = Desk::start("desk.toml");
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let mut call = line.invite("0312340090", &sdp(9, &[0, 101], "sendrecv"));
    let first = line.status(&call, 200, s(3));
    // The ACK was lost: the same answer comes again after T1, then 2·T1 (RFC 3261 §13.3.1.4).
    let second = line.status(&call, 200, ms(800));
    let third = line.status(&call, 200, ms(1400));
    assert_eq!((&first, &first), (&second, &third));
    line.ack(&mut call, &third);
    rest(200);
    line.clear();
    assert!(line.next(s(3)).is_none(), "silence after the ACK");
    line.bye(&mut call);
    assert_eq!(desk.outcome("0311112222"), "abandoned");
}

#[test]
fn a_stop_ends_a_call_whose_ack_is_still_under_way_after_the_ack_and_in_time_without_one() {
    for acknowledges in [true, false] {
        let mut desk = Desk::start("desk.toml");
        let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
        let mut call = line.invite("0312340090", &sdp(9, &[0, 101], "sendrecv"));
        let answer = line.status(&call, 200, s(3));
        let began = std::time::Instant::now();
        let at_work = std::thread::spawn(move || desk.stop());
        // RFC 3261 §15.1.1: no BYE before the ACK.
        assert!(line.look(ms(700), |message| message.cseq_method() == "BYE").is_none());
        let late = line.invite("0312340090", &sdp(9, &[0, 101], "sendrecv"));
        let refusal = line.status(&late, 503, s(1));
        line.ack_refusal(&late, &refusal);
        if acknowledges {
            line.ack(&mut call, &answer);
            line.bye_comes(&call, ms(800));
        } else {
            line.bye_comes(&call, s(3));
        }
        assert_eq!(at_work.join().expect("it ended"), Some(0));
        assert!(began.elapsed() < s(if acknowledges { 3 } else { 5 }), "{:?}", began.elapsed());
    }
}

#[test]
fn an_invite_sent_twice_is_one_call() {
    let desk = Desk::start("desk.toml");
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let offer = sdp(9, &[0, 101], "sendrecv");
    let branch = line.branch();
    let text = format!(
        "INVITE sip:0312340090@{desk} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch={branch};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:0311112222@{desk}>;tag=t1\r\nTo: <sip:0312340090@{desk}>\r\nCall-ID: twice-{branch}\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:0311112222@127.0.0.1:{port}>\r\nContent-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{offer}",
        desk = desk.sip,
        port = line.port(),
        length = offer.len(),
    );
    line.send(&text);
    line.send(&text);
    let answer = line.expect("the 200", s(3), |m| m.status() == Some(200));
    line.send(&text);
    rest(300);
    assert_eq!(desk.calls().len(), 1);
    let mut call = line.request("OPTIONS", "0312340090", "", "");
    call.id = answer.must("Call-ID").to_owned();
    call.us = format!("<sip:0311112222@{}>;tag=t1", desk.sip);
    line.ack(&mut call, &answer);
    line.bye(&mut call);
    assert_eq!(desk.outcome("0311112222"), "abandoned");
}

#[test]
fn a_cancel_that_crosses_the_200_changes_nothing_and_bye_ends_the_call() {
    let desk = Desk::start("desk.toml");
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let mut call = line.invite("0312340090", &sdp(9, &[0, 101], "sendrecv"));
    let answer = line.status(&call, 200, s(3));
    line.cancel(&call);
    let id = call.id.clone();
    let cancelled = line.expect("the answer to CANCEL", s(2), |m| {
        m.header("Call-ID") == Some(&id) && m.cseq_method() == "CANCEL"
    });
    assert!([200, 481].contains(&cancelled.status().unwrap()), "{cancelled}");
    line.ack(&mut call, &answer);
    rest(200);
    assert_eq!(desk.call_of("0311112222").unwrap()["state"], "waiting", "the call goes on");
    line.bye(&mut call);
    assert_eq!(desk.outcome("0311112222"), "abandoned");
}

#[test]
fn a_cancel_before_anything_ends_the_call_with_487_and_an_unknown_cancel_is_481() {
    let desk = Desk::start("desk.toml");
    let mut agent = Line::new(desk.fixed_port(201), "201", desk.sip);
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let call = line.invite("0312340010", &sdp(9, &[0, 101], "sendrecv"));
    line.cancel(&call);
    let refusal = line.status(&call, 487, s(2));
    line.ack_refusal(&call, &refusal);
    assert_eq!(desk.outcome("0311112222"), "short_abandoned");
    // The agent's phone: not rung at all, or rung and told to stop.
    if let Some(invite) = agent.look(ms(300), |m| m.method() == Some("INVITE")) {
        agent.reply(&invite, 180, &format!("{};tag=x", invite.must("To")), "");
        agent.expect("a CANCEL", s(2), |m| m.method() == Some("CANCEL"));
    }
    let mut unknown = call.clone();
    unknown.branch = line.branch();
    unknown.id += "x";
    line.cancel(&unknown);
    let id = unknown.id.clone();
    let answer = line.expect("an answer", s(2), |m| m.header("Call-ID") == Some(&id));
    assert_eq!(answer.status(), Some(481), "{answer}");
}

#[test]
fn an_agent_whose_answer_crosses_the_cancel_is_acknowledged_and_released() {
    let desk = Desk::start("desk.toml");
    let mut agent = Line::new(desk.fixed_port(201), "201", desk.sip);
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let call = line.invite("0312340010", &sdp(9, &[0, 101], "sendrecv"));
    let at_agent = agent.ring(s(3));
    agent.answer(&at_agent, 180, "");
    line.status(&call, 180, s(3));
    line.cancel(&call);
    agent.request_of(&at_agent, "CANCEL", s(2));
    // She had picked up already.
    agent.answer(&at_agent, 200, &sdp(9, &[0, 101], "sendrecv"));
    agent.request_of(&at_agent, "ACK", s(2));
    agent.bye_comes(&at_agent, s(2));
    let refusal = line.status(&call, 487, s(2));
    line.ack_refusal(&call, &refusal);
    assert_eq!(desk.outcome("0311112222"), "short_abandoned");
    desk.agent_is("201", "idle");
    desk.at_rest(s(3));
}

#[test]
fn a_caller_whose_bye_crosses_the_agents_answer_leaves_nobody_hanging() {
    let desk = Desk::start("desk.toml");
    let mut agent = Line::new(desk.fixed_port(206), "206", desk.sip);
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let (mut call, _) = line.connect("0312340100", &sdp(9, &[0, 101], "sendrecv"), s(3));
    let at_agent = agent.ring(s(3));
    agent.answer(&at_agent, 180, "");
    agent.answer(&at_agent, 200, &sdp(9, &[0, 101], "sendrecv"));
    line.bye(&mut call);
    agent.request_of(&at_agent, "ACK", s(2));
    agent.bye_comes(&at_agent, s(2));
    let outcome = desk.outcome("0311112222");
    assert!(["answered", "short_abandoned", "abandoned"].contains(&outcome.as_str()), "{outcome}");
    desk.agent_is("206", "idle");
}

#[test]
fn a_reinvite_while_another_is_under_way_is_491() {
    let desk = Desk::start("desk.toml");
    let mut agent = Line::new(desk.fixed_port(201), "201", desk.sip);
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let mut call = line.invite("0312340010", &sdp(9, &[0, 101], "sendrecv"));
    let (mut at_agent, _) = agent.pick_up(&sdp(11, &[0, 101], "sendrecv"), s(3));
    let answer = line.status(&call, 200, s(3));
    line.ack(&mut call, &answer);
    // The caller holds; the hold is passed on to the agent, who in the same moment holds too.
    line.within(&mut call, "INVITE", "", &sdp(9, &[0, 101], "sendonly"));
    let passed = agent.request_of(&at_agent, "INVITE", s(2));
    agent.within(&mut at_agent, "INVITE", "", &sdp(11, &[0, 101], "sendonly"));
    let id = at_agent.id.clone();
    let glare = agent.expect("an answer to the crossing re-INVITE", s(2), |m| {
        m.header("Call-ID") == Some(&id) && m.status().is_some_and(|s| s >= 200)
    });
    assert_eq!(glare.status(), Some(491), "{glare}");
    let to = passed.must("To").to_owned();
    agent.reply(&passed, 200, &to, &sdp(11, &[0, 101], "recvonly"));
    let held = line.status(&call, 200, s(2));
    line.ack(&mut call, &held);
    line.bye(&mut call);
    agent.bye_comes(&at_agent, s(2));
}

#[test]
fn a_caller_from_outside_passes_nobody_on_and_an_unknown_method_is_405() {
    let desk = Desk::start("desk.toml");
    let mut agent = Line::new(desk.fixed_port(201), "201", desk.sip);
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let mut call = line.invite("0312340010", &sdp(9, &[0, 101], "sendrecv"));
    let (mut at_agent, _) = agent.pick_up(&sdp(11, &[0, 101], "sendrecv"), s(3));
    let answer = line.status(&call, 200, s(3));
    line.ack(&mut call, &answer);
    let target = format!("Refer-To: <sip:202@{}>\r\n", desk.sip);
    line.within(&mut call, "REFER", &target, "");
    let id = call.id.clone();
    let refused = line.expect("an answer", s(2), |m| {
        m.header("Call-ID") == Some(&id) && m.cseq_method() == "REFER"
    });
    assert_eq!(refused.status(), Some(403), "{refused}");
    let id = at_agent.id.clone();
    agent.within(&mut at_agent, "DANCE", "", "");
    let refused = agent.expect("an answer", s(2), |m| {
        m.header("Call-ID") == Some(&id) && m.cseq_method() == "DANCE"
    });
    assert!([405, 501].contains(&refused.status().unwrap()), "{refused}");
    assert!(refused.header("Allow").is_some() || refused.status() == Some(501), "{refused}");
    line.bye(&mut call);
    agent.bye_comes(&at_agent, s(2));
}

#[test]
fn a_call_with_no_codec_of_ours_is_488_and_recorded_as_a_fault() {
    let desk = Desk::start("desk.toml");
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let call = line.invite("0312340010", &sdp(9, &[18], "sendrecv"));
    let refusal = line.status(&call, 488, s(2));
    line.ack_refusal(&call, &refusal);
    assert_eq!(desk.outcome("0311112222"), "failed");
}

#[test]
fn options_are_answered_and_bye_to_nothing_is_481() {
    let desk = Desk::start("desk.toml");
    let mut line = Line::new(desk.trunk_port(), "0311112222", desk.sip);
    let options = line.request("OPTIONS", "0312340010", "", "");
    let answer = line.expect("the answer", s(2), |m| m.header("Call-ID") == Some(&options.id));
    assert_eq!(answer.status(), Some(200), "{answer}");
    assert!(answer.must("Allow").contains("INVITE"), "{answer}");
    let bye = line.request("BYE", "0312340010", "", "");
    let answer = line.expect("the answer", s(2), |m| m.header("Call-ID") == Some(&bye.id));
    assert_eq!(answer.status(), Some(481), "{answer}");
}
