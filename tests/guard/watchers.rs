//! Subscriptions: bounds for each account, ended when it says so, and nothing for who proves nothing.

use crate::support::desk::Desk;
use crate::support::line::{Call, Line};
use crate::support::message::Message;
use crate::support::{eventually, rest, s};

const LAMP: &str = "Event: dialog\r\nAccept: application/dialog-info+xml\r\n";

/// Asks for a lamp and answers its first NOTIFY; how the desk answered.
fn watch(phone: &mut Line, whom: &str, expires_s: u32) -> (Call, Message, Option<Message>) {
    let call = phone.request("SUBSCRIBE", whom, &format!("{LAMP}Expires: {expires_s}\r\n"), "");
    let answer = phone.expect("an answer to SUBSCRIBE", s(3), |m| {
        m.header("Call-ID") == Some(&call.id) && m.cseq_method() == "SUBSCRIBE"
    });
    if answer.status() != Some(200) {
        return (call, answer, None);
    }
    let notify = told(phone, &call);
    (call, answer, notify)
}

/// The next NOTIFY of this subscription, answered.
fn told(phone: &mut Line, call: &Call) -> Option<Message> {
    let id = call.id.clone();
    let notify =
        phone.look(s(3), |m| m.header("Call-ID") == Some(&id) && m.method() == Some("NOTIFY"))?;
    let to = notify.must("To").to_owned();
    phone.reply(&notify, 200, &to, "");
    Some(notify)
}

#[test]
fn one_account_holds_no_more_subscriptions_than_its_share_and_the_oldest_is_told() {
    let desk = Desk::start("desk.toml");
    let mut phone = Line::new(desk.fixed_port(201), "201", desk.sip);
    let (mut calls, mut ended): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for n in 0..300 {
        let (call, answer, _) = watch(&mut phone, "202", 600);
        assert_eq!(answer.status(), Some(200), "{n}: {answer}");
        calls.push(call.id);
        // The next one in the way is told; a phone answers that, too.
        if n >= 256 {
            let notify = phone.expect("the oldest is told", s(3), |m| {
                let over =
                    m.header("Subscription-State").unwrap_or_default().starts_with("terminated");
                over && !ended.iter().any(|id| m.header("Call-ID") == Some(id))
            });
            let to = notify.must("To").to_owned();
            phone.reply(&notify, 200, &to, "");
            ended.push(notify.must("Call-ID").to_owned());
        }
    }
    assert_eq!(ended, calls[..44], "the oldest first");
    let held = || desk.metric("madoguchi_sip_subscriptions");
    eventually("its share is held", s(3), || held() == 256.0);
    // Whoever is left: another phone still gets its lamp.
    let mut other = Line::new(desk.fixed_port(203), "203", desk.sip);
    let (_, answer, notify) = watch(&mut other, "202", 600);
    assert_eq!(answer.status(), Some(200), "{answer}");
    assert!(notify.is_some(), "and is told what it shows");
}

#[test]
fn expires_0_is_told_once_and_leaves_nothing_also_when_it_crosses_a_renewal() {
    let desk = Desk::start("desk.toml");
    let mut phone = Line::new(desk.fixed_port(201), "201", desk.sip);
    let held = || desk.metric("madoguchi_sip_subscriptions");
    // Asked for nothing.
    let (_, answer, notify) = watch(&mut phone, "202", 0);
    assert_eq!(answer.status(), Some(200), "{answer}");
    let notify = notify.expect("one NOTIFY");
    assert!(notify.must("Subscription-State").starts_with("terminated"), "{notify}");
    eventually("nothing is held", s(3), || held() == 0.0);
    // A renewal and an end, sent one behind the other.
    let (mut call, answer, _) = watch(&mut phone, "202", 600);
    call.them = answer.must("To").to_owned();
    call.target = answer.uri("Contact").unwrap_or(call.target);
    eventually("one is held", s(3), || held() == 1.0);
    phone.within(&mut call, "SUBSCRIBE", &format!("{LAMP}Expires: 600\r\n"), "");
    phone.within(&mut call, "SUBSCRIBE", &format!("{LAMP}Expires: 0\r\n"), "");
    let mut over = false;
    while let Some(notify) = told(&mut phone, &call) {
        over = notify.must("Subscription-State").starts_with("terminated");
        if over {
            break;
        }
    }
    assert!(over, "its end is told");
    eventually("nothing is held", s(3), || held() == 0.0);
    // Who proves nothing holds nothing.
    let mut stranger = Line::new(desk.ports.port(), "6001", desk.sip);
    for _ in 0..20 {
        let (_, answer, _) = watch(&mut stranger, "202", 600);
        assert_eq!(answer.status(), Some(401), "{answer}");
    }
    rest(200);
    assert_eq!(held(), 0.0);
}
