//! What was on its way when a connection broke, and comes where the phone comes back: an INVITE, an answer to one, news
//! of a transfer, an ACK; and what is nobody's concern of those who share a way.

use super::super::super::admission::authorization;
use super::*;
use crate::sip::Method;

/// A way of our making to where another leads.
fn anew(flow: Flow) -> Flow {
    Flow { connection: 0, ..flow }
}

/// A REFER of the phone's in that call.
fn refer(invite: &str, cseq: u32) -> Bytes {
    let text = String::from_utf8(in_dialog(invite, "REFER", cseq).to_vec()).expect("text");
    text.replace("Contact:", "Refer-To: <sip:2001@192.0.2.1>\r\nContact:").into()
}

#[test]
fn a_phone_whose_connection_died_before_it_was_called_rings_where_it_comes_back() {
    let (mut phone, invite) = called();
    phone.wait(2_000, "");
    let (flow, again) = only(&phone.returns(), "INVITE ");
    assert_eq!((flow, &again), (back(), &invite), "a phone that had it takes it for a repetition");
    let came = phone.says(answer_to(&again, "180 Ringing", "", ""));
    assert_eq!(came.told, ["Progress 180"]);
    // One that rings has it.
    assert!(
        phone
            .come_back(tcp("203.0.113.4:40001", 10), CONTACT)
            .iter()
            .all(|(_, text)| { !text.starts_with("INVITE ") })
    );
}

#[test]
fn a_phone_that_comes_back_is_not_rung_for_a_call_that_was_given_up() {
    // Also one that had the INVITE, rings, and whose first word of that was lost, is told: it says so again each
    // minute (RFC 3261 §13.3.1.1).
    for speaks_in_ms in [1_000, 58_000] {
        let (mut phone, invite) = called();
        let came = phone.is_hung_up();
        assert!(came.sent.is_empty(), "RFC 3261 §9.1: a CANCEL waits for a first word: {came:?}");
        phone.wait(2_000, "");
        let sent = phone.returns();
        assert!(sent.iter().all(|(_, text)| !text.starts_with("INVITE ")), "{sent:?}");
        phone.wait(speaks_in_ms, "");
        let came = phone.says(answer_to(&invite, "180 Ringing", "", ""));
        let (flow, cancel) = only(&came.sent, "CANCEL ");
        assert_eq!(flow, back());
        assert_eq!(line_of(&cancel, "Via"), line_of(&invite, "Via"), "RFC 3261 §9.1");
        phone.says(answer_to(&cancel, "200 OK", "", ""));
        let came = phone.says(answer_to(&invite, "487 Request Terminated", "", ""));
        assert_eq!(only(&came.sent, "ACK ").0, back());
        phone.wait(37_000, "");
        assert_eq!(phone.held(), Gauges::default());
    }
}

#[test]
fn a_phone_that_comes_back_and_answers_a_call_that_was_given_up_is_hung_up() {
    let (mut phone, invite) = called();
    phone.is_hung_up();
    phone.wait(2_000, "");
    phone.returns();
    let came = phone.says(ok_with_sdp(&invite));
    only(&came.sent, "ACK ");
    let (flow, bye) = only(&came.sent, "BYE ");
    assert_eq!(flow, back());
    assert_eq!(phone.says(answer_to(&bye, "200 OK", "", "")).told, ["Refused 487"]);
    phone.wait(37_000, "");
    assert_eq!(phone.held(), Gauges::default());
}

/// A phone that registered by TCP and calls, and its INVITE.
fn calling(more: &str) -> (Phone, Bytes) {
    let mut phone = Phone::new();
    phone.flow = tcp("198.51.100.9:31000", 8);
    phone.register_way(CONTACT, 1);
    let call = |number: u8, proof: &str| {
        wire(
            &format!(
                "INVITE sip:2000@desk.example SIP/2.0
                 Via: SIP/2.0/TCP 10.0.0.7:5060;branch=z9hG4bKcalls{number}
                 Max-Forwards: 70
                 From: <sip:1000@desk.example>;tag=calls
                 To: <sip:2000@desk.example>
                 Call-ID: calls@10.0.0.7
                 CSeq: {number} INVITE
                 Contact: <{CONTACT}>{more}
                 Content-Type: application/sdp{proof}"
            ),
            SDP,
        )
    };
    let (_, challenge) = only(&phone.says(call(1, "")).sent, "SIP/2.0 401");
    let uri = "sip:2000@desk.example";
    let proof = authorization(&challenge.into(), "1000", "pw1000", &Method::Invite, uri);
    let invite = call(2, &format!("\n{proof}"));
    let came = phone.says(invite.clone());
    assert!(came.told.iter().any(|told| told.starts_with("Incoming")), "{came:?}");
    (phone, invite)
}

/// A request of the phone's that calls: CANCEL, or one in the early dialog that `said` began.
fn of_its_call(method: &str, cseq: u32, said: Option<&str>, more: &str) -> Bytes {
    let branch = if method == "CANCEL" { "calls2" } else { method };
    let to = said.map_or("<sip:2000@desk.example>".to_owned(), |said| {
        line_of(said, "To").split_once(": ").expect("To").1.to_owned()
    });
    wire(
        &format!(
            "{method} sip:2000@desk.example SIP/2.0
             Via: SIP/2.0/TCP 10.0.0.7:5060;branch=z9hG4bK{branch}
             Max-Forwards: 70
             From: <sip:1000@desk.example>;tag=calls
             To: {to}
             Call-ID: calls@10.0.0.7
             CSeq: {cseq} {method}{more}"
        ),
        "",
    )
}

#[test]
fn a_phone_that_calls_hears_the_refusal_where_it_comes_back() {
    let (mut phone, _) = calling("");
    phone.wait(1_000, "");
    phone.returns();
    let came = phone.act(|endpoint, now, out| endpoint.refuse(LegId(1), 486, now, out));
    assert_eq!(only(&came.sent, "SIP/2.0 486").0, back());
}

#[test]
fn a_phone_that_calls_hears_the_refusal_where_it_spoke_last() {
    let (mut phone, _) = calling("\nSupported: 100rel\nRequire: 100rel");
    let came = phone.act(|endpoint, now, out| endpoint.ring(LegId(1), None, now, out));
    let (_, rings) = only(&came.sent, "SIP/2.0 180");
    let rseq = line_of(&rings, "RSeq").split_once(": ").expect("RSeq").1.to_owned();
    // It has another connection, and has not registered by it.
    phone.flow = back();
    let rack = format!("\nRAck: {rseq} 2 INVITE");
    let came = phone.says(of_its_call("PRACK", 3, Some(&rings), &rack));
    assert_eq!(only(&came.sent, "SIP/2.0 200").0, back());
    let came = phone.act(|endpoint, now, out| endpoint.refuse(LegId(1), 486, now, out));
    assert_eq!(only(&came.sent, "SIP/2.0 486").0, back());
}

#[test]
fn a_phone_that_hangs_up_while_it_calls_hears_that_it_is_over_where_it_says_so() {
    let (mut phone, _) = calling("");
    phone.flow = back();
    let came = phone.says(of_its_call("CANCEL", 2, None, ""));
    assert!(came.told.iter().any(|told| told.contains("Cancelled")), "{came:?}");
    assert_eq!(only(&came.sent, "SIP/2.0 200").0, back());
    assert_eq!(only(&came.sent, "SIP/2.0 487").0, back());
}

#[test]
fn a_call_that_rings_outlives_a_message_of_anothers_that_cannot_be_sent_to_its_caller() {
    let mut ladder = Ladder::new(tcp("192.0.2.7:5060", 5));
    ladder.play(
        "
        > INVITE 1 sdp
        < 100 INVITE 1
        ! Incoming sdp
        . ring
        < 180 INVITE 1
        . lost
        < 180 INVITE 1
        +10000
    ",
    );
    let mut out = Vec::new();
    ladder.endpoint.unsendable(anew(ladder.flow), at(ladder.ms), &mut out);
    assert!(out.is_empty(), "a ping of ours: {out:?}");
    ladder.play(
        "
        . refuse 486
        < 486 INVITE 1
        ! Over ByUs
        > ACK 1
    ",
    );
    ladder.rest();
}

#[test]
fn how_a_transfer_ended_is_said_where_the_phone_comes_back() {
    for seen in [true, false] {
        let (mut phone, invite) = called();
        phone.hear(ok_with_sdp(&invite));
        let came = phone.says(refer(&invite, 5));
        assert!(came.told.iter().any(|told| told.starts_with("Refer")), "{came:?}");
        let came = phone.act(|endpoint, now, out| endpoint.answer_refer(LEG, 202, now, out));
        assert!(only(&came.sent, "NOTIFY ").1.contains("SIP/2.0 100"), "{came:?}");
        let old = phone.flow;
        if seen {
            phone.loses(old);
        }
        // The first waits for its answer yet.
        let came = phone.act(|endpoint, now, out| endpoint.refer_news(LEG, 486, now, out));
        assert!(came.sent.is_empty(), "{came:?}");
        phone.wait(2_000, "");
        let (flow, news) = only(&phone.returns(), "NOTIFY ");
        assert!(flow == back() && news.contains("SIP/2.0 486"), "{news}");
        phone.says(answer_to(&news, "200 OK", "", ""));
        phone.loses(old);
        // Another transfer may be asked for at once.
        let came = phone.says(refer(&invite, 6));
        assert!(came.told.iter().any(|told| told.starts_with("Refer")), "{came:?}");
        phone.wait(30_000, "");
        assert!(phone.is_in_a_call());
    }
}

#[test]
fn news_of_a_transfer_that_nobody_comes_back_for_is_forgotten_with_its_time() {
    let (mut phone, invite) = called();
    phone.hear(ok_with_sdp(&invite));
    phone.says(refer(&invite, 5));
    phone.act(|endpoint, now, out| endpoint.answer_refer(LEG, 202, now, out));
    phone.loses(phone.flow);
    phone.act(|endpoint, now, out| endpoint.refer_news(LEG, 486, now, out));
    assert!(phone.wait(300_000, "NOTIFY ").is_empty());
    let (nowhere, _) = only(&phone.is_hung_up().sent, "BYE ");
    phone.cannot_be_sent(nowhere);
    phone.wait(70_000, "");
    assert_eq!(phone.held(), Gauges::default());
}

#[test]
fn talks_go_on_when_a_message_of_anothers_cannot_be_sent_to_where_their_carrier_was() {
    let mut ladder = Ladder::new(tcp("192.0.2.7:5060", 5));
    ladder.play(
        "
        > INVITE 1 sdp
        < 100 INVITE 1
        ! Incoming sdp
        . accept
        < 200 INVITE 1 sdp
        > ACK 1
        ! Confirmed
        . lost
        +40000
    ",
    );
    let mut out = Vec::new();
    ladder.endpoint.unsendable(anew(ladder.flow), at(ladder.ms), &mut out);
    assert!(out.is_empty(), "a ping of ours: {out:?}");
    ladder.play(
        "
        +1000
        . hang_up
        < BYE 1
        > 200 BYE
        ! Over ByUs
    ",
    );
    ladder.rest();
}

#[test]
fn a_phone_rings_on_when_a_message_of_anothers_cannot_be_sent_to_where_it_was() {
    let (mut phone, invite) = ringing();
    let old = phone.flow;
    phone.loses(old);
    let came = phone.cannot_be_sent(anew(old));
    assert!(came.sent.is_empty() && came.told.is_empty(), "{came:?}");
    phone.returns();
    assert_eq!(phone.says(ok_with_sdp(&invite)).told, ["Answered sdp"]);
}

#[test]
fn an_acknowledgement_is_said_again_where_the_answer_comes_again() {
    let (mut phone, invite) = called();
    only(&phone.says(ok_with_sdp(&invite)).sent, "ACK ");
    // The phone had none of it: its connection broke, and it has another from the same place.
    phone.flow = tcp("198.51.100.9:31001", 9);
    let came = phone.says(ok_with_sdp(&invite));
    assert_eq!(only(&came.sent, "ACK ").0, phone.flow);
    assert!(came.told.is_empty(), "{came:?}");
}

#[test]
fn an_acknowledgement_is_said_again_where_the_phone_has_registered_since() {
    let (mut phone, invite) = called();
    only(&phone.says(ok_with_sdp(&invite)).sent, "ACK ");
    // It had none of it, and comes back from another network.
    phone.returns();
    let came = phone.says(ok_with_sdp(&invite));
    assert_eq!(only(&came.sent, "ACK ").0, back());
    assert!(came.told.is_empty(), "{came:?}");
}

/// Two phones that a proxy brings by one connection, and an INVITE to the second.
fn two_by_one_connection() -> (Phone, String) {
    let mut phones = Phone::new();
    phones.flow = tcp("198.51.100.9:31000", 8);
    phones.register_way(CONTACT, 1);
    phones.is("1001", "other");
    phones.register_way(OTHERS, 1);
    let invite = phones.ring(LEG);
    phones.is("1000", "reg");
    (phones, invite)
}

const OTHERS: &str = "sip:1001@10.0.0.8:5060;transport=tcp";

#[test]
fn a_phone_that_leaves_a_shared_connection_takes_no_call_of_anothers_along() {
    let (mut phones, invite) = two_by_one_connection();
    let shared = phones.flow;
    assert!(phones.returns().iter().all(|(_, text)| !text.starts_with("INVITE ")));
    phones.flow = shared;
    let more = format!("Contact: <{OTHERS}>\nContent-Type: application/sdp");
    let came = phones.says(answer_to(&invite, "200 OK", &more, SDP));
    assert_eq!(only(&came.sent, "ACK ").0, shared);
    assert_eq!(only(&phones.is_hung_up().sent, "BYE ").0, shared);
}

/// A registered phone and one at a fixed place that a proxy brings by one connection; the second is in a call, which
/// it began or we did.
fn beside_a_fixed_phone(calls: bool) -> (Phone, LegId) {
    let mut phones = Phone::new();
    phones.flow = tcp("192.0.2.8:5080", 8);
    phones.register_way(CONTACT, 1);
    if !calls {
        phones.is("2001", "");
        let invite = phones.ring(LEG);
        phones.is("1000", "reg");
        let more = format!("Contact: <{FIXED}>\nContent-Type: application/sdp");
        only(&phones.says(answer_to(&invite, "200 OK", &more, SDP)).sent, "ACK ");
        return (phones, LEG);
    }
    let call = |method: &str, to: &str| {
        wire(
            &format!(
                "{method} sip:2000@desk.example SIP/2.0
                 Via: SIP/2.0/TCP 192.0.2.8:5080;branch=z9hG4bKfixed{method}
                 Max-Forwards: 70
                 From: <sip:2001@desk.example>;tag=calls
                 To: {to}
                 Call-ID: fixed@192.0.2.8
                 CSeq: 1 {method}
                 Contact: <{FIXED}>
                 Content-Type: application/sdp"
            ),
            if method == "INVITE" { SDP } else { "" },
        )
    };
    let came = phones.says(call("INVITE", "<sip:2000@desk.example>"));
    assert!(came.told.iter().any(|told| told.starts_with("Incoming")), "{came:?}");
    let sdp = Bytes::from_static(SDP.as_bytes());
    let came = phones.act(|endpoint, now, out| endpoint.accept(LegId(1), sdp, now, out));
    let (_, ok) = only(&came.sent, "SIP/2.0 200");
    let to = line_of(&ok, "To").split_once(": ").expect("To").1.to_owned();
    assert_eq!(phones.says(call("ACK", &to)).told, ["Confirmed"]);
    (phones, LegId(1))
}

const FIXED: &str = "sip:2001@192.0.2.8:5080;transport=tcp";

#[test]
fn a_phone_that_comes_by_another_connection_takes_no_call_of_a_fixed_phones_along() {
    for calls in [false, true] {
        for breaks in [false, true] {
            let (mut phones, leg) = beside_a_fixed_phone(calls);
            let shared = phones.flow;
            if breaks {
                phones.loses(shared);
            }
            phones.returns();
            let ends = |endpoint: &mut Endpoint, now: Now, out: &mut Vec<Effect>| {
                endpoint.hang_up(leg, Why::Normal, now, out);
            };
            let way = if breaks { anew(shared) } else { shared };
            assert_eq!(only(&phones.act(ends).sent, "BYE ").0, way, "calls: {calls}");
        }
    }
}

#[test]
fn a_phone_alone_on_its_connection_takes_its_calls_along_whatever_it_is_called() {
    let mut phone = Phone::new();
    phone.flow = tcp("198.51.100.9:31000", 8);
    phone.register_way(CONTACT, 1);
    let invite = phone.ring(LEG);
    // As a gateway answers that registers by another name.
    let more = format!("Contact: <{OTHERS}>\nContent-Type: application/sdp");
    phone.hear(answer_to(&invite, "200 OK", &more, SDP));
    phone.returns();
    assert_eq!(only(&phone.is_hung_up().sent, "BYE ").0, back());
}

#[test]
fn a_call_waits_for_its_own_phone_when_the_connection_of_several_breaks() {
    let (mut phones, invite) = two_by_one_connection();
    phones.hear(answer_to(&invite, "180 Ringing", "", ""));
    phones.loses(phones.flow);
    assert!(phones.is_hung_up().sent.iter().all(|(flow, _)| flow.connection == 0));
    assert!(phones.returns().iter().all(|(_, text)| !text.starts_with("CANCEL ")));
    phones.is("1001", "other");
    let own = tcp("203.0.113.5:40000", 10);
    let mut sent = phones.come_back(own, OTHERS);
    sent.extend(phones.wait(0, ""));
    assert_eq!(only(&sent, "CANCEL ").0, own);
}

#[test]
fn a_phone_that_rings_and_is_back_from_the_same_place_is_told_that_its_caller_has_gone() {
    let (mut phone, invite) = ringing();
    let old = phone.flow;
    phone.loses(old);
    let (nowhere, _) = only(&phone.is_hung_up().sent, "CANCEL ");
    assert_eq!(phone.cannot_be_sent(nowhere).told, ["Refused 487"]);
    phone.flow = Flow { connection: 9, ..old };
    let came = phone.says(answer_to(&invite, "180 Ringing", "", ""));
    assert_eq!(only(&came.sent, "CANCEL ").0, phone.flow);
}

#[test]
fn what_rang_reliably_is_acknowledged_again_where_it_is_said_again() {
    let (mut phone, invite) = called();
    let rings = || {
        answer_to(
            &invite,
            "180 Ringing",
            &format!("Require: 100rel\nRSeq: 1\nContact: <{CONTACT}>"),
            "",
        )
    };
    let (_, first) = only(&phone.says(rings()).sent, "PRACK ");
    assert!(phone.says(rings()).sent.is_empty(), "its transaction repeats it");
    phone.flow = tcp("198.51.100.9:31001", 9);
    let (flow, again) = only(&phone.says(rings()).sent, "PRACK ");
    assert_eq!(flow, phone.flow);
    assert_ne!(line_of(&again, "CSeq"), line_of(&first, "CSeq"));
    assert_eq!(line_of(&again, "RAck"), line_of(&first, "RAck"));
    phone.says(answer_to(&again, "200 OK", "", ""));
    assert_eq!(phone.says(ok_with_sdp(&invite)).told, ["Answered sdp"]);
}
