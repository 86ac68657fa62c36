//! A peer calls us.

use super::{Ladder, udp};

fn run(script: &str) -> Ladder {
    Ladder::run(udp("192.0.2.7:5060"), script)
}

#[test]
fn a_call_is_answered_and_the_caller_hangs_up() {
    let ladder = run("
        > INVITE 1 sdp
        < 100 INVITE 1
        ! Incoming sdp
        . ring
        < 180 INVITE 1
        > INVITE 1 sdp              // it did not hear us
        < 180 INVITE 1
        . accept
        < 200 INVITE 1 sdp
        > ACK 1
        ! Confirmed
        > ACK 1
        > BYE 2
        < 200 BYE 2
        ! Over Bye
        > BYE 2                     // our 200 was lost
        < 200 BYE 2
        > INVITE 1 sdp              // an old copy makes no second call (RFC 6026)
    ");
    let ok = ladder.last("200 INVITE");
    for due in [
        "Contact: <sip:desk@192.0.2.1:5060>",
        ";received=192.0.2.7",
        ";rport=5060",
        "Allow: INVITE",
    ] {
        assert!(ok.contains(due), "{due} in\n{ok}");
    }
}

/// A peer that is where its Contact says has not moved because somebody else sends what it said; one behind a
/// NAT, whose Contact leads nowhere, may have.
#[test]
fn a_copy_of_a_hold_from_elsewhere_does_not_lead_the_end_of_the_call_away() {
    for (contact, due) in
        [("192.0.2.7:5060", "192.0.2.7:5060"), ("10.0.0.7:5060", "203.0.113.66:5060")]
    {
        let mut ladder = Ladder::new(udp("192.0.2.7:5060"));
        ladder.play(&format!(
            "
            > INVITE 1 sdp contact=sip:peer@{contact}
            < 100 INVITE 1
            ! Incoming sdp
            . accept
            < 200 INVITE 1 sdp
            > ACK 1
            ! Confirmed
        "
        ));
        ladder.flow = udp("203.0.113.66:5060");
        ladder.play(&format!(
            "
            > INVITE 2 sdp contact=sip:peer@{contact}
            ! Offer sdp
            . answer_offer
            < 200 INVITE 2 sdp
            > ACK 2
            . hang_up
            < BYE 1
            > 200 BYE
            ! Over ByUs
        "
        ));
        assert_eq!(ladder.last_flow("BYE").remote, super::address(due), "{contact}");
    }
}

/// Somebody else's copy of a BYE was here first: the peer, who repeats it, has its answer all the same.
#[test]
fn a_copy_of_a_bye_from_elsewhere_does_not_keep_the_answer_from_who_hung_up() {
    let peer = udp("192.0.2.7:5060");
    let mut ladder = Ladder::new(peer);
    ladder.play(
        "
            > INVITE 1 sdp
            < 100 INVITE 1
            ! Incoming sdp
            . accept
            < 200 INVITE 1 sdp
            > ACK 1
            ! Confirmed
        ",
    );
    ladder.flow = udp("203.0.113.66:5060");
    ladder.play(
        "
            > BYE 2
            < 200 BYE 2
            ! Over Bye
        ",
    );
    ladder.flow = peer;
    ladder.play(
        "
            > BYE 2
            < 200 BYE 2
        ",
    );
    assert_eq!(ladder.last_flow("200 BYE").remote, peer.remote);
}

#[test]
fn our_200_is_repeated_until_the_ack_comes() {
    run("
        > INVITE 1 sdp
        < 100 INVITE 1
        ! Incoming sdp
        . accept
        < 200 INVITE 1 sdp
        +499
        +1
        < 200 INVITE 1 sdp
        +1000
        < 200 INVITE 1 sdp
        > INVITE 1 sdp
        +2000
        < 200 INVITE 1 sdp
        +4000
        < 200 INVITE 1 sdp
        +3999
        +1
        < 200 INVITE 1 sdp
        > ACK 1
        ! Confirmed
        +20000
        > BYE 2
        < 200 BYE 2
        ! Over Bye
    ");
}

#[test]
fn a_200_that_is_never_acknowledged_ends_in_bye() {
    run("
        > INVITE 1 sdp
        < 100 INVITE 1
        ! Incoming sdp
        . accept
        < 200 INVITE 1 sdp
        +31999
        < 200 INVITE 1 sdp
        < 200 INVITE 1 sdp
        < 200 INVITE 1 sdp
        < 200 INVITE 1 sdp
        < 200 INVITE 1 sdp
        < 200 INVITE 1 sdp
        < 200 INVITE 1 sdp
        < 200 INVITE 1 sdp
        < 200 INVITE 1 sdp
        < 200 INVITE 1 sdp
        +1
        < BYE 1
        ! Over NoAck
        > 200 BYE
    ");
}

#[test]
fn hanging_up_before_the_ack_waits_for_it() {
    run("
        > INVITE 1 sdp
        < 100 INVITE 1
        ! Incoming sdp
        . accept
        < 200 INVITE 1 sdp
        . hang_up
        > ACK 1
        < BYE 1
        > 200 BYE
        ! Over ByUs
    ");
}

#[test]
fn cancel_in_all_its_races() {
    run("
        > INVITE 1 sdp
        < 100 INVITE 1
        ! Incoming sdp
        . ring
        < 180 INVITE 1
        > CANCEL 1
        < 200 CANCEL 1
        < 487 INVITE 1
        ! Over Cancelled
        > CANCEL 1                  // its 200 was lost
        < 200 CANCEL 1
        +500
        < 487 INVITE 1              // our 487 was lost: timer G
        > ACK 1 fail
        > ACK 1 fail
    ");
    // After our final answer it changes nothing (RFC 3261 §9.2).
    run("
        > INVITE 1 sdp
        < 100 INVITE 1
        ! Incoming sdp
        . accept
        < 200 INVITE 1 sdp
        > CANCEL 1
        < 200 CANCEL 1
        > ACK 1
        ! Confirmed
        > BYE 2
        < 200 BYE 2
        ! Over Bye
    ");
    run("
        > INVITE 1 sdp
        < 100 INVITE 1
        ! Incoming sdp
        . refuse 486
        < 486 INVITE 1
        ! Over ByUs
        > CANCEL 1
        < 200 CANCEL 1
        > ACK 1 fail
    ");
    // Without an INVITE there is nothing to cancel.
    run("
        > CANCEL 1
        < 481 CANCEL 1
    ");
}

#[test]
fn a_refusal_is_repeated_until_acknowledged_or_given_up() {
    run("
        > INVITE 1 sdp
        < 100 INVITE 1
        ! Incoming sdp
        . refuse 486
        < 486 INVITE 1
        ! Over ByUs
        +500
        < 486 INVITE 1
        > INVITE 1 sdp
        < 486 INVITE 1
        +1000
        < 486 INVITE 1
        > ACK 1 fail
        +30000
    ");
}

#[test]
fn an_early_bye_ends_the_invite_too() {
    run("
        > INVITE 1 sdp
        < 100 INVITE 1
        ! Incoming sdp
        . ring
        < 180 INVITE 1
        > BYE 2
        < 200 BYE 2
        < 487 INVITE 1
        ! Over Bye
        > ACK 1 fail
    ");
}

#[test]
fn bye_before_ack_and_byes_that_cross() {
    run("
        > INVITE 1 sdp
        < 100 INVITE 1
        ! Incoming sdp
        . accept
        < 200 INVITE 1 sdp
        > BYE 2                     // the ACK was overtaken
        < 200 BYE 2
        ! Over Bye
        > ACK 1
        +10000
    ");
    run("
        > INVITE 1 sdp
        < 100 INVITE 1
        ! Incoming sdp
        . accept
        < 200 INVITE 1 sdp
        > ACK 1
        ! Confirmed
        . hang_up
        < BYE 1
        > BYE 2
        < 200 BYE 2
        ! Over ByUs
        > 481 BYE
    ");
}

#[test]
fn a_late_offer_is_answered_in_the_ack() {
    run("
        > INVITE 1
        < 100 INVITE 1
        ! Incoming
        . accept
        < 200 INVITE 1 sdp
        > ACK 1 sdp
        ! Confirmed sdp
        > BYE 2
        < 200 BYE 2
        ! Over Bye
    ");
}

#[test]
fn ringing_is_said_again_every_minute() {
    run("
        > INVITE 1 sdp
        < 100 INVITE 1
        ! Incoming sdp
        . ring sdp
        < 183 INVITE 1 sdp
        +60000
        < 183 INVITE 1 sdp
        +60000
        < 183 INVITE 1 sdp
        . hang_up
        < 480 INVITE 1
        ! Over ByUs
        > ACK 1 fail
    ");
}

#[test]
fn what_the_desk_learns_of_a_caller() {
    let mut ladder = Ladder::new(udp("192.0.2.7:5060"));
    let head = "INVITE sip:1%30@192.0.2.1 SIP/2.0
        Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKa
        From: \"窓口 \\\"A\\\"\" <sip:anonymous@anonymous.invalid>;tag=a
        To: <sip:10@192.0.2.1>
        Call-ID: learn
        CSeq: 1 INVITE
        P-Asserted-Identity: <tel:+81-3-1234-5678>
        Privacy: id;critical
        Contact: <sip:a@192.0.2.7>";
    let mut out = Vec::new();
    ladder.endpoint.receive(ladder.flow, super::wire(head, ""), false, super::at(0), &mut out);
    let incoming = out.iter().find_map(|effect| match effect {
        super::Effect::Leg { event: super::LegEvent::Incoming(incoming), .. } => Some(incoming),
        _ => None,
    });
    let incoming = incoming.expect("a call");
    assert_eq!(incoming.dialled, "10");
    assert_eq!(incoming.source, crate::sip::api::Source::Trunk("carrier".into()));
    assert_eq!(incoming.from_user.reveal(), "anonymous");
    assert_eq!(incoming.from_name.as_ref().expect("a name").reveal(), "窓口 \"A\"");
    assert_eq!(incoming.asserted.as_ref().expect("an identity").reveal(), "+81312345678");
    assert!(incoming.privacy && incoming.sdp.is_none());
    // A phone that is known by its address has no say in who calls.
    let mut ladder = Ladder::new(udp("192.0.2.8:5080"));
    let head = head.replace("anonymous@anonymous.invalid", "2000@192.0.2.1") + "\nTimestamp: 54.3";
    let mut out = Vec::new();
    ladder.endpoint.receive(ladder.flow, super::wire(&head, ""), false, super::at(0), &mut out);
    let [super::Effect::Send { bytes, .. }, super::Effect::Leg { event, .. }] = &out[..] else {
        panic!("{out:?}");
    };
    assert!(String::from_utf8_lossy(bytes).contains("Timestamp: 54.3"), "RFC 3261 §8.2.6.1");
    let super::LegEvent::Incoming(incoming) = event else { panic!("{event:?}") };
    assert!(incoming.asserted.is_none());
}
