//! Calls whose phone is without a connection for a while: what the desk says meanwhile is said where the phone
//! comes back, or, when it does not come back, is the end of the call; and never both.

mod returning;

use super::super::{Ladder, SDP, address, event_line, settings};
use super::{CONTACT, Phone, answer_to, at, in_a_call, tcp, wire};
use crate::base::{LegId, Now, Private, Rng};
use crate::sip::api::{Effect, Flow, Settings, Shown, Why};
use crate::sip::endpoint::{Endpoint, Gauges};
use bytes::Bytes;

const LEG: LegId = LegId(2);

/// A wish of the engine's.
type Step = fn(&mut Endpoint, Now, &mut Vec<Effect>);

/// What is said, and what the engine is told.
#[derive(Debug)]
struct Came {
    sent: Vec<(Flow, String)>,
    told: Vec<String>,
}

impl Phone {
    fn act(&mut self, step: impl FnOnce(&mut Endpoint, Now, &mut Vec<Effect>)) -> Came {
        let mut out = Vec::new();
        step(&mut self.endpoint, at(self.ms), &mut out);
        let event = |effect: &Effect| match effect {
            Effect::Leg { event, .. } => Some(event_line(event)),
            _ => None,
        };
        let told = out.iter().filter_map(event).collect();
        Came { sent: Self::sent(out), told }
    }

    fn loses(&mut self, flow: Flow) -> Came {
        self.act(|endpoint, now, out| endpoint.flow_lost(flow, now, out))
    }

    fn cannot_be_sent(&mut self, flow: Flow) -> Came {
        self.act(|endpoint, now, out| endpoint.unsendable(flow, now, out))
    }

    fn is_held(&mut self) -> Came {
        let sdp = Some(Bytes::from_static(SDP.as_bytes()));
        self.act(|endpoint, now, out| endpoint.offer(LEG, sdp, now, out))
    }

    fn is_hung_up(&mut self) -> Came {
        self.act(|endpoint, now, out| endpoint.hang_up(LEG, Why::Normal, now, out))
    }

    fn says(&mut self, bytes: Bytes) -> Came {
        let flow = self.flow;
        self.act(|endpoint, now, out| endpoint.receive(flow, bytes, false, now, out))
    }

    /// It is that account's now.
    fn is(&mut self, user: &'static str, call_id: &'static str) {
        (self.user, self.knows, self.call_id) = (user, user, call_id);
    }

    fn is_in_a_call(&self) -> bool {
        self.endpoint.call_id(LEG).is_some()
    }

    /// Whatever was held for its calls.
    fn held(&self) -> Gauges {
        Gauges { bindings: 0, timers: 0, ..self.endpoint.gauges() }
    }

    /// It comes back, and what is due then.
    fn returns(&mut self) -> Vec<(Flow, String)> {
        let mut sent = self.come_back(back(), CONTACT);
        sent.extend(self.wait(0, ""));
        sent
    }
}

/// Where a phone comes back from.
fn back() -> Flow {
    tcp("203.0.113.4:40000", 9)
}

/// The only one of these that begins so.
fn only(sent: &[(Flow, String)], word: &str) -> (Flow, String) {
    let all: Vec<_> = sent.iter().filter(|(_, text)| text.starts_with(word)).collect();
    assert!(matches!(all[..], [_]), "one {word}in {sent:?}");
    all[0].clone()
}

fn line_of(text: &str, name: &str) -> String {
    text.lines().find(|line| line.starts_with(name)).expect(name).to_owned()
}

fn ok_with_sdp(request: &str) -> Bytes {
    let more = format!("Contact: <{CONTACT}>\nContent-Type: application/sdp");
    answer_to(request, "200 OK", &more, SDP)
}

/// A request of the phone's in the call that this INVITE of ours began.
fn in_dialog(invite: &str, method: &str, cseq: u32) -> Bytes {
    let address_of = |name: &str| line_of(invite, name).split_once(": ").unwrap().1.to_owned();
    let us = address_of("From");
    let phone = address_of("To").split(";tag=").next().unwrap().to_owned();
    wire(
        &format!(
            "{method} sip:desk@192.0.2.1 SIP/2.0
             Via: SIP/2.0/TCP 10.0.0.7:5060;branch=z9hG4bKphone{method}{cseq}
             Max-Forwards: 70
             From: {phone};tag=phone
             To: {us}
             {}
             CSeq: {cseq} {method}
             Contact: <{CONTACT}>",
            line_of(invite, "Call-ID")
        ),
        "",
    )
}

// ---- what is said while the phone is away --------------------------------------------------------

#[test]
fn a_hold_pressed_while_the_phone_reconnects_is_said_where_it_came_back() {
    let mut phone = in_a_call(LEG, "");
    phone.loses(phone.flow);
    phone.wait(1_000, "");
    let (nowhere, first) = only(&phone.is_held().sent, "INVITE ");
    assert_eq!(nowhere.connection, 0);
    let came = phone.cannot_be_sent(nowhere);
    assert!(came.sent.is_empty() && came.told.is_empty(), "{came:?}");
    assert!(phone.wait(1_000, "").is_empty());
    let (flow, again) = only(&phone.returns(), "INVITE ");
    assert_eq!(flow, back());
    assert_ne!(line_of(&again, "CSeq"), line_of(&first, "CSeq"));
    let came = phone.says(ok_with_sdp(&again));
    assert_eq!(came.told, ["OfferAnswered sdp"]);
    phone.wait(120_000, "");
    assert!(phone.is_in_a_call());
}

#[test]
fn keys_behind_one_that_was_on_its_way_when_the_connection_broke_are_said_when_the_phone_is_back() {
    let mut phone = in_a_call(LEG, "");
    let came = phone.act(|endpoint, now, out| {
        endpoint.press(LEG, '1', now, out);
        endpoint.press(LEG, '2', now, out);
    });
    assert!(only(&came.sent, "INFO ").1.contains("Signal=1"), "{came:?}");
    let came = phone.loses(phone.flow);
    assert!(came.sent.is_empty() && came.told.is_empty(), "{came:?}");
    assert!(phone.wait(1_000, "").is_empty());
    // Whether the first was heard nobody knows: said twice it would be two.
    let (flow, key) = only(&phone.returns(), "INFO ");
    assert!(flow == back() && key.contains("Signal=2"), "{key}");
    let came = phone.says(answer_to(&key, "200 OK", "", ""));
    assert!(came.sent.is_empty() && came.told.is_empty(), "{came:?}");
    phone.wait(120_000, "");
    assert!(phone.is_in_a_call());
}

#[test]
fn a_hold_pressed_while_the_phone_is_away_ends_the_call_when_it_does_not_come_back_in_32_s() {
    let mut phone = in_a_call(LEG, "");
    phone.loses(phone.flow);
    // Each wish of that time waits for the same end.
    for _ in 0..3 {
        phone.wait(1_000, "");
        if let Some((nowhere, _)) = phone.is_held().sent.first().cloned() {
            assert!(phone.cannot_be_sent(nowhere).told.is_empty());
        }
    }
    assert!(phone.wait(28_999, "INVITE ").is_empty());
    let (nowhere, _) = only(&phone.wait(1, "INVITE "), "INVITE ");
    assert_eq!(phone.cannot_be_sent(nowhere).told, ["Over Lost"]);
    assert!(!phone.is_in_a_call());
    phone.wait(70_000, "");
    assert_eq!(phone.held(), Gauges::default());
}

#[test]
fn a_call_whose_connection_nobody_saw_break_outlives_what_could_not_be_sent_on_it() {
    let mut phone = in_a_call(LEG, "");
    let old = phone.flow;
    let (flow, _) = only(&phone.is_held().sent, "INVITE ");
    assert_eq!(flow, old);
    // The connection was closed at this moment: that comes first, and then the loss.
    assert!(phone.cannot_be_sent(old).told.is_empty());
    assert!(phone.loses(old).told.is_empty());
    let (flow, _) = only(&phone.returns(), "INVITE ");
    assert_eq!(flow, back());
    assert!(phone.is_in_a_call());
}

#[test]
fn whom_a_phone_speaks_with_and_keys_wait_for_its_return_and_no_longer_than_32_s() {
    let speaks = |endpoint: &mut Endpoint, now: Now, out: &mut Vec<Effect>| {
        let with = Shown { user: Private::new("2001".to_owned()), name: None };
        endpoint.speaks_with(LEG, &with, now, out);
    };
    let presses = |endpoint: &mut Endpoint, now: Now, out: &mut Vec<Effect>| {
        endpoint.press(LEG, '1', now, out);
        endpoint.press(LEG, '2', now, out);
    };
    let table: [(&str, &str, Step); 2] =
        [("UPDATE ", "<sip:2001@", speaks), ("INFO ", "Signal=1", presses)];
    for (word, says, step) in table {
        for comes_back in [true, false] {
            let mut phone = in_a_call(LEG, "Allow: INVITE,UPDATE\n");
            phone.loses(phone.flow);
            phone.wait(2_000, "");
            let (nowhere, text) = only(&phone.act(step).sent, word);
            assert!(nowhere.connection == 0 && text.contains(says), "{text}");
            let came = phone.cannot_be_sent(nowhere);
            assert!(came.sent.is_empty() && came.told.is_empty(), "{came:?}");
            if comes_back {
                let (flow, text) = only(&phone.returns(), word);
                assert!(flow == back() && text.contains(says), "{text}");
                let came = phone.says(answer_to(&text, "200 OK", "", ""));
                assert_eq!(
                    came.sent.iter().any(|(_, text)| text.contains("Signal=2")),
                    word == "INFO "
                );
                phone.wait(120_000, "");
                assert!(phone.is_in_a_call(), "{word}");
            } else {
                assert!(phone.wait(29_999, word).is_empty());
                let (nowhere, _) = only(&phone.wait(1, word), word);
                assert_eq!(phone.cannot_be_sent(nowhere).told, ["Over Lost"]);
                phone.wait(70_000, "");
                assert_eq!(phone.held(), Gauges::default(), "{word}");
            }
        }
    }
}

#[test]
fn a_carriers_call_that_it_has_not_acknowledged_and_to_which_no_connection_can_be_made_is_over() {
    let mut ladder = Ladder::new(tcp("192.0.2.7:5060", 5));
    ladder.play(
        "
        > INVITE 1 sdp
        < 100 INVITE 1
        ! Incoming sdp
        . accept
        < 200 INVITE 1 sdp
        . lost
        +500
        < 200 INVITE 1 sdp
        . unsendable
        < BYE 1
        ! Over Lost
    ",
    );
}

// ---- several connections that live ---------------------------------------------------------------

/// A carrier by TCP whose requests come on connections of its own, and our hold on its way.
fn held_by_a_carrier() -> Ladder {
    let mut directory = super::directory();
    directory.trunks[0].sources = vec![address("192.0.2.7:0")];
    let mut ladder = Ladder::new(tcp("192.0.2.7:40001", 5));
    ladder.endpoint.set_directory(directory, crate::base::Mono::ZERO);
    ladder.play(
        "
        > INVITE 1 sdp
        < 100 INVITE 1
        ! Incoming sdp
        . accept
        < 200 INVITE 1 sdp
        > ACK 1
        ! Confirmed
        . offer
        < INVITE 1 sdp
    ",
    );
    ladder.flow = tcp("192.0.2.7:40002", 6);
    ladder.play(
        "
        > INFO 2
        < 200 INFO 2
        +5000
    ",
    );
    ladder
}

#[test]
fn a_hold_waits_for_its_answer_where_it_was_said_although_the_peer_speaks_elsewhere_too() {
    let mut ladder = held_by_a_carrier();
    ladder.flow = tcp("192.0.2.7:40001", 5);
    ladder.play(
        "
        > 200 INVITE sdp
        < ACK 1
        ! OfferAnswered sdp
        +40000
        . hang_up
        < BYE 2
        > 200 BYE
        ! Over ByUs
    ",
    );
    ladder.rest();
}

#[test]
fn a_hold_whose_own_connection_breaks_is_said_again_where_the_peer_spoke_since() {
    for how in ["lost", "unsendable"] {
        let mut ladder = held_by_a_carrier();
        let (old, new) = (tcp("192.0.2.7:40001", 5), ladder.flow);
        let mut out = Vec::new();
        match how {
            "lost" => ladder.endpoint.flow_lost(old, at(ladder.ms), &mut out),
            _ => ladder.endpoint.unsendable(old, at(ladder.ms), &mut out),
        }
        assert!(out.is_empty(), "{out:?}");
        ladder.play(
            "
            +0
            < INVITE 2 sdp
            > 200 INVITE sdp
            < ACK 2
            ! OfferAnswered sdp
            +40000
            > BYE 3
            < 200 BYE 3
            ! Over Bye
        ",
        );
        assert_eq!(ladder.last_flow("INVITE 2"), new, "{how}");
        ladder.rest();
    }
}

/// A call of a carrier's by TCP whose connection has closed long ago, unnoticed by the talk: we refresh it.
fn of_a_carrier_that_has_closed_its_connection(allow: &str) -> Ladder {
    let mut ladder = Ladder::new(tcp("192.0.2.7:5060", 5));
    ladder.play(&format!(
        "
        > INVITE 1 sdp h:Supported=timer h:Session-Expires=1800;refresher=uas h:Allow={allow}
        < 100 INVITE 1
        ! Incoming sdp
        . accept
        < 200 INVITE 1 sdp
        > ACK 1
        ! Confirmed
        +600000
        . lost
    "
    ));
    ladder
}

/// What refreshes it, by what it allows: our word, its answer, and what comes of that.
const REFRESHED: [(&str, &str, &str); 2] =
    [("INVITE,UPDATE", "UPDATE", ""), ("INVITE", "INVITE", "< ACK 2\n! OfferAnswered sdp")];

#[test]
fn a_carriers_talk_goes_on_when_one_refresh_of_it_cannot_be_sent() {
    for (allow, word, then) in REFRESHED {
        let sdp = if word == "INVITE" { " sdp" } else { "" };
        let mut ladder = of_a_carrier_that_has_closed_its_connection(allow);
        ladder.play(&format!(
            "
            +299999
            +1
            < {word} 1{sdp}
            . unsendable
            +9999
            +1
            < {word} 2{sdp}
        "
        ));
        let nowhere = ladder.last_flow(word);
        assert_eq!((nowhere.remote, nowhere.connection), (ladder.flow.remote, 0));
        ladder.flow = Flow { connection: 6, ..nowhere };
        ladder.play(&format!(
            "
            > 200 {word}{sdp} h:Session-Expires=1800;refresher=uac
            {then}
            +899999
            . hang_up
            < BYE 3
            > 200 BYE
            ! Over ByUs
        "
        ));
        assert_eq!(ladder.last_flow("BYE"), ladder.flow);
        ladder.rest();
    }
}

#[test]
fn a_carriers_talk_that_cannot_be_refreshed_until_its_session_ends_is_lost() {
    for (allow, word, _) in REFRESHED {
        let sdp = if word == "INVITE" { " sdp" } else { "" };
        let mut ladder = of_a_carrier_that_has_closed_its_connection(allow);
        ladder.play("+290000");
        // Each 10 s from the half of its time on, and no more than that.
        for number in 1..=87 {
            ladder.play(&format!("+10000\n< {word} {number}{sdp}\n. unsendable"));
        }
        // RFC 4028 §10: 32 s before its end.
        ladder.play("+7999\n+1\n< BYE 88\n! Over Lost\n+32000"); // and the last re-INVITE has its time
        ladder.rest();
    }
}

#[test]
fn a_hold_that_cannot_be_sent_to_a_carrier_is_tried_again_before_the_talk_is_lost() {
    for reached in [true, false] {
        let mut ladder = of_a_carrier_that_has_closed_its_connection("INVITE");
        ladder.play(
            "
            +100000
            . offer
            < INVITE 1 sdp
            . unsendable
            +31999
            +1
            < INVITE 2 sdp
        ",
        );
        if reached {
            ladder.flow.connection = 6;
            ladder.play(
                "
                > 200 INVITE sdp
                < ACK 2
                ! OfferAnswered sdp
                . hang_up
                < BYE 3
                > 200 BYE
                ! Over ByUs
            ",
            );
        } else {
            ladder.play(
                "
                . unsendable
                < BYE 3
                ! Over Lost
                . unsendable
                +32000                      // the second has its time yet
            ",
            );
        }
        ladder.rest();
    }
}

#[test]
fn a_phone_that_speaks_before_it_registers_hears_what_it_was_told_on_the_way_that_it_left() {
    let (mut phone, invite) = called();
    phone.hear(ok_with_sdp(&invite));
    only(&phone.is_held().sent, "INVITE ");
    phone.flow = back();
    let came = phone.says(in_dialog(&invite, "INFO", 5));
    assert!(came.sent.iter().all(|(_, text)| text.starts_with("SIP/2.0 200")), "{came:?}");
    let (flow, _) = only(&phone.returns(), "INVITE ");
    assert_eq!(flow, back());
}

// ---- a phone that shows itself by an answer ------------------------------------------------------

#[test]
fn a_phone_that_shows_itself_by_an_answer_gets_what_waited_for_it() {
    let mut phone = in_a_call(LEG, "Allow: INVITE,UPDATE\n");
    let speaks = |user: &str| {
        let with = Shown { user: Private::new(user.to_owned()), name: None };
        move |endpoint: &mut Endpoint, now: Now, out: &mut Vec<Effect>| {
            endpoint.speaks_with(LEG, &with, now, out);
        }
    };
    let (old, first) = only(&phone.act(speaks("2001")).sent, "UPDATE ");
    phone.loses(old);
    phone.wait(1_000, "");
    // The phone had it, and answers on its new connection.
    phone.flow = back();
    let came = phone.says(answer_to(&first, "200 OK", "", ""));
    let (flow, again) = only(&came.sent, "UPDATE ");
    assert!(flow == back() && again.contains("<sip:2001@"), "{again}");
    phone.says(answer_to(&again, "200 OK", "", ""));
    let (flow, next) = only(&phone.act(speaks("2002")).sent, "UPDATE ");
    assert!(flow == back() && next.contains("<sip:2002@"), "{next}");
    phone.says(answer_to(&next, "200 OK", "", ""));
    phone.wait(120_000, "");
    assert!(phone.is_in_a_call());
}

#[test]
fn a_hold_that_waited_is_said_when_the_phone_answers_what_was_said_before() {
    let mut phone = in_a_call(LEG, "Allow: INVITE,UPDATE\n");
    let with = Shown { user: Private::new("2001".to_owned()), name: None };
    let came = phone.act(|endpoint, now, out| endpoint.speaks_with(LEG, &with, now, out));
    let (old, update) = only(&came.sent, "UPDATE ");
    only(&phone.is_held().sent, "INVITE ");
    phone.loses(old);
    phone.wait(1_000, "");
    phone.flow = back();
    let mut sent = phone.says(answer_to(&update, "200 OK", "", "")).sent;
    sent.extend(phone.wait(0, ""));
    assert_eq!(only(&sent, "INVITE ").0, back());
}

// ---- an end that is said while the phone is away -------------------------------------------------

/// What becomes known of the connection, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Never,
    Before,
    After,
    /// Before, and our word could not be sent.
    Unsendable,
    /// Our word could not be sent, which told us of the loss.
    UnsendableFirst,
}

const SEEN: [Seen; 5] =
    [Seen::Never, Seen::Before, Seen::After, Seen::Unsendable, Seen::UnsendableFirst];

/// We hang up while the connection is dead: what is said, and what the engine is told until the phone is back.
fn hung_up(phone: &mut Phone, seen: Seen, word: &str) -> (String, Vec<String>) {
    let (old, mut told) = (phone.flow, Vec::new());
    if matches!(seen, Seen::Before | Seen::Unsendable) {
        phone.loses(old);
    }
    let (flow, said) = only(&phone.is_hung_up().sent, word);
    if matches!(seen, Seen::Unsendable | Seen::UnsendableFirst) {
        told.extend(phone.cannot_be_sent(flow).told);
    }
    if matches!(seen, Seen::After | Seen::UnsendableFirst) {
        told.extend(phone.loses(old).told);
    }
    phone.wait(3_000, "");
    (said, told)
}

/// A phone that registered by TCP, and an INVITE to it.
fn called() -> (Phone, String) {
    let mut phone = Phone::new();
    phone.flow = tcp("198.51.100.9:31000", 8);
    phone.register_way(CONTACT, 1);
    let invite = phone.ring(LEG);
    (phone, invite)
}

/// A phone that rings by TCP, and its INVITE.
fn ringing() -> (Phone, String) {
    let (mut phone, invite) = called();
    phone.hear(answer_to(&invite, "180 Ringing", "", ""));
    (phone, invite)
}

#[test]
fn a_phone_that_rings_while_its_call_is_given_up_is_cancelled_where_it_comes_back() {
    for seen in SEEN {
        for answers in [false, true] {
            let (mut phone, invite) = ringing();
            let (_, mut told) = hung_up(&mut phone, seen, "CANCEL ");
            let (flow, cancel) = only(&phone.returns(), "CANCEL ");
            assert_eq!(flow, back(), "{seen:?}");
            assert_eq!(line_of(&cancel, "Via"), line_of(&invite, "Via"), "RFC 3261 §9.1");
            told.extend(phone.says(answer_to(&cancel, "200 OK", "", "")).told);
            let answer = if answers {
                ok_with_sdp(&invite) // it crossed our CANCEL
            } else {
                answer_to(&invite, "487 Request Terminated", "", "")
            };
            let came = phone.says(answer);
            told.extend(came.told);
            let (flow, _) = only(&came.sent, "ACK ");
            assert_eq!(flow, back());
            if answers {
                let (flow, bye) = only(&came.sent, "BYE ");
                assert_eq!(flow, back());
                told.extend(phone.says(answer_to(&bye, "200 OK", "", "")).told);
            }
            assert_eq!(told, ["Refused 487"], "{seen:?}");
            phone.wait(37_000, "");
            assert_eq!(phone.held(), Gauges::default(), "{seen:?}");
        }
    }
}

#[test]
fn a_phone_that_answers_a_call_given_up_while_it_was_away_is_told_in_its_own_dialog() {
    let (mut phone, invite) = called();
    let more = format!("Require: 100rel\nRSeq: 1\nContact: <{CONTACT}>\n");
    let (old, prack) =
        only(&phone.says(answer_to(&invite, "180 Ringing", &more, "")).sent, "PRACK ");
    phone.says(answer_to(&prack, "200 OK", "", ""));
    phone.loses(old);
    let (nowhere, _) = only(&phone.is_hung_up().sent, "CANCEL ");
    assert_eq!(phone.cannot_be_sent(nowhere).told, ["Refused 487"]);
    // It was picked up meanwhile, and says so on its new connection before it registers.
    phone.flow = back();
    let came = phone.says(ok_with_sdp(&invite));
    assert!(came.told.is_empty(), "{came:?}");
    only(&came.sent, "ACK ");
    let (flow, bye) = only(&came.sent, "BYE ");
    assert_eq!(flow, back());
    assert_eq!(line_of(&prack, "CSeq"), "CSeq: 2 PRACK");
    assert_eq!(line_of(&bye, "CSeq"), "CSeq: 3 BYE", "RFC 3261 §12.2.1.1");
    assert!(phone.says(answer_to(&bye, "200 OK", "", "")).told.is_empty());
    phone.wait(37_000, "");
    assert_eq!(phone.held(), Gauges::default());
}

#[test]
fn a_phone_whose_call_is_hung_up_while_it_is_away_is_told_where_it_comes_back() {
    for seen in SEEN {
        let mut phone = in_a_call(LEG, "");
        let (first, mut told) = hung_up(&mut phone, seen, "BYE ");
        assert_eq!(phone.is_in_a_call(), told.is_empty(), "who has its end is in no call");
        let (flow, bye) = only(&phone.returns(), "BYE ");
        assert_eq!(flow, back(), "{seen:?}");
        assert_ne!(line_of(&bye, "CSeq"), line_of(&first, "CSeq"), "a request of its own");
        assert_eq!(
            bye.lines().find(|line| line.starts_with("Reason")),
            first.lines().find(|line| line.starts_with("Reason"))
        );
        told.extend(phone.says(answer_to(&bye, "200 OK", "", "")).told);
        assert_eq!(told, ["Over ByUs"], "{seen:?}");
        phone.wait(37_000, "");
        assert_eq!(phone.held(), Gauges::default(), "{seen:?}");
    }
}

/// A gateway with 32 lines by one connection lost it in a call, which was over before it came back; and came under
/// other names each time, more often than we remember.
fn after_a_gateway_that_has_other_names_each_day() -> Phone {
    const LINES: u64 = 32;
    let mut phone = Phone::new();
    let settings = Settings { max_contacts: 32, ..settings() };
    phone.endpoint = Endpoint::new(settings, super::super::directory(), Rng::from_number(5));
    phone.is("1001", "other");
    for day in 0..4_096 / LINES {
        phone.flow = tcp("198.51.100.9:31000", 1_000 + day);
        let line = |line: u64| format!("<sip:{day}-{line}@10.0.0.8:5060;transport=tcp>");
        let lines: Vec<String> = (0..LINES).map(line).collect();
        phone.register(&format!("Contact: {}\nExpires: 600", lines.join(", ")));
        // Its answer names none of them: the call is of whichever comes back first.
        let invite = phone.ring(LegId(1_000 + 2 * day));
        phone.says(ok_with_sdp(&invite));
        phone.loses(phone.flow);
        phone.flow = back();
        assert_eq!(phone.says(in_dialog(&invite, "BYE", 5)).told, ["Over Bye"]);
    }
    phone.is("1000", "reg");
    phone
}

#[test]
fn a_phone_is_told_of_its_calls_end_where_it_comes_back_however_many_others_never_did() {
    let mut phone = after_a_gateway_that_has_other_names_each_day();
    phone.flow = tcp("198.51.100.9:31000", 8);
    phone.register_way(CONTACT, 1);
    let invite = phone.ring(LEG);
    phone.says(ok_with_sdp(&invite));
    let (_, told) = hung_up(&mut phone, Seen::Unsendable, "BYE ");
    assert_eq!(told, ["Over ByUs"]);
    assert_eq!(only(&phone.returns(), "BYE ").0, back());
}

#[test]
fn an_end_that_no_phone_comes_back_for_is_forgotten_after_32_s() {
    for seen in SEEN {
        let mut phone = in_a_call(LEG, "");
        hung_up(&mut phone, seen, "BYE ");
        assert!(phone.wait(37_000, "BYE ").is_empty());
        assert_eq!(phone.held(), Gauges::default(), "{seen:?}");
        let sent = phone.returns();
        assert!(!sent.iter().any(|(_, text)| text.starts_with("BYE ")), "{seen:?} {sent:?}");
        let (mut phone, _) = ringing();
        hung_up(&mut phone, seen, "CANCEL ");
        assert!(phone.wait(37_000, "CANCEL ").is_empty());
        assert_eq!(phone.held(), Gauges::default(), "{seen:?}");
    }
}

#[test]
fn a_phone_that_comes_and_goes_is_told_of_an_end_for_no_longer_than_a_minute() {
    let mut phone = in_a_call(LEG, "");
    phone.is_hung_up();
    let mut byes = 0;
    for connection in 10..40 {
        let flow = tcp("203.0.113.4:40000", connection);
        let sent = phone.come_back(flow, CONTACT);
        byes += sent.iter().filter(|(_, text)| text.starts_with("BYE ")).count();
        phone.wait(5_000, "");
    }
    assert!((2..10).contains(&byes), "{byes}");
    assert_eq!(phone.held(), Gauges::default());
}

#[test]
fn a_call_that_ended_for_us_while_its_phone_was_away_ends_for_the_phone_when_it_asks() {
    let (mut phone, invite) = ringing();
    phone.hear(ok_with_sdp(&invite));
    let (_, told) = hung_up(&mut phone, Seen::Unsendable, "BYE ");
    assert_eq!(told, ["Over ByUs"]);
    phone.flow = back();
    let came = phone.says(in_dialog(&invite, "BYE", 5));
    assert!(came.told.is_empty(), "{came:?}");
    assert!(matches!(&came.sent[..], [(_, ok)] if ok.starts_with("SIP/2.0 200")), "{came:?}");
    phone.wait(37_000, "");
    assert_eq!(phone.held(), Gauges::default());
}
