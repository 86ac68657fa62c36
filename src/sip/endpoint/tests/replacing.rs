//! An INVITE that wants the place of a leg that stands (RFC 3891), or a part in it (RFC 3911).

use super::{Ladder, SDP, address, at, line, udp, wire};
use crate::base::LegId;
use crate::sip::api::{Effect, LegEvent};
use crate::sip::{Message, parse};

/// What an INVITE with this header comes to: a status, or the leg that it takes over.
fn takes(ladder: &mut Ladder, from: &str, user: &str, header: &str, n: usize) -> String {
    let flow = udp(from);
    assert_eq!(flow.remote, address(from));
    let head = format!(
        "INVITE sip:2000@192.0.2.1 SIP/2.0
         Via: SIP/2.0/UDP {from};branch=z9hG4bKtaker{n};rport
         Max-Forwards: 70
         From: <sip:{user}@192.0.2.1>;tag=taker{n}
         To: <sip:2000@192.0.2.1>
         Call-ID: taker{n}
         CSeq: 1 INVITE
         Contact: <sip:{user}@{from}>
         Require: replaces
         {header}
         Content-Type: application/sdp\n"
    );
    let (now, mut out) = (at(ladder.ms), Vec::new());
    ladder.endpoint.receive(flow, wire(&head, SDP), false, now, &mut out);
    out.iter()
        .find_map(|effect| match effect {
            Effect::Leg { event: LegEvent::Incoming(incoming), .. } => {
                Some(format!("{:?}", incoming.replaces))
            }
            Effect::Send { bytes, .. } => Some(line(bytes)).filter(|line| !line.starts_with("100")),
            _ => None,
        })
        .expect("an answer or a leg")
}

#[test]
fn who_may_take_the_place_of_whom_and_when() {
    let mut ladder = Ladder::new(udp("192.0.2.8:5080"));
    ladder.play(
        "
        . dial 2000
        < INVITE 1 sdp
        > 180 INVITE tag=peer
        ! Progress 180
    ",
    );
    let invite = bytes::Bytes::from(ladder.last("INVITE 1"));
    let Ok(Message::Request(invite)) = parse(&invite) else { panic!("no INVITE") };
    let (call_id, ours) = (invite.head.call_id.clone(), invite.head.from.tag().expect("a tag"));
    let phone = "192.0.2.8:5080";
    let named = |name: &str, ours: &str, theirs: &str, more: &str| {
        format!("{name}: {call_id};to-tag={ours};from-tag={theirs}{more}")
    };
    let ringing = [
        (phone, "2000", named("Replaces", ours, "other", ""), "481 INVITE 1"),
        (phone, "2000", named("Replaces", "0123456789abcdef", "peer", ""), "481 INVITE 1"),
        (phone, "2000", named("Replaces", "peer", ours, ""), "481 INVITE 1"),
        (phone, "2000", "Replaces: x;to-tag=1".to_owned(), "400 INVITE 1"),
        (phone, "2000", named("Join", ours, "peer", ""), "488 INVITE 1"),
        (phone, "2000", named("Join", ours, "other", ""), "481 INVITE 1"),
        ("192.0.2.7:5060", "0312345678", named("Replaces", ours, "peer", ""), "403 INVITE 1"),
        (phone, "2000", named("Replaces", ours, "peer", ";early-only"), "Some(LegId(2))"),
    ];
    for (n, (from, user, header, want)) in ringing.iter().enumerate() {
        assert_eq!(takes(&mut ladder, from, user, header, n), *want, "{header}");
    }
    ladder.leg = LegId(2);
    ladder.play(
        "
        > 200 INVITE sdp tag=peer
        < ACK 1
        ! Answered sdp
    ",
    );
    let up = [
        (named("Replaces", ours, "peer", ";early-only"), "486 INVITE 1"),
        (named("Replaces", ours, "peer", ""), "Some(LegId(2))"),
    ];
    for (n, (header, want)) in up.iter().enumerate() {
        assert_eq!(takes(&mut ladder, phone, "2000", header, 50 + n), *want, "{header}");
    }
    ladder.play(". hang_up\n< BYE 2");
    let header = named("Replaces", ours, "peer", "");
    assert_eq!(takes(&mut ladder, phone, "2000", &header, 60), "603 INVITE 1");
}
