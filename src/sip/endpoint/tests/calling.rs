//! We call a phone.

use super::{Ladder, udp};

fn run(script: &str) -> Ladder {
    Ladder::run(udp("192.0.2.8:5080"), script)
}

#[test]
fn a_phone_rings_answers_and_is_hung_up() {
    let ladder = run("
        . dial 2000
        < INVITE 1 sdp
        > 100 INVITE tag=none
        > 180 INVITE
        ! Progress 180
        > 200 INVITE sdp
        < ACK 1
        ! Answered sdp
        > 200 INVITE sdp            // our ACK was lost
        < ACK 1
        . hang_up
        < BYE 2
        > 200 BYE
        ! Over ByUs
        > 200 INVITE sdp            // a very late copy
        < ACK 1
    ");
    let invite = ladder.last("INVITE 1");
    for due in [
        "INVITE sip:2000@192.0.2.8:5080 SIP/2.0",
        "From: \"山田 \\\"太郎\\\"\" <sip:0312345678@192.0.2.1>;tag=",
        "To: <sip:2000@192.0.2.8>\r\n",
        "Contact: <sip:desk@192.0.2.1:5060>",
        ";rport",
        "Max-Forwards: 70",
    ] {
        assert!(invite.contains(due), "{due} in\n{invite}");
    }
    let bye = ladder.last("BYE 2");
    assert!(bye.starts_with("BYE sip:phone@192.0.2.8:5080 SIP/2.0"), "{bye}");
}

#[test]
fn a_refusal_is_acknowledged_again_after_a_contradicting_200() {
    run("
        . dial 2000
        < INVITE 1 sdp
        > 603 INVITE
        < ACK 1
        ! Refused 603
        > 200 INVITE sdp            // from the same branch, against RFC 3261 §17.1.1.2
        > 603 INVITE                // our ACK was lost: it was an empty datagram once
        < ACK 1
    ");
}

#[test]
fn an_invite_is_repeated_and_given_up() {
    run("
        . dial 2000
        < INVITE 1 sdp
        +500
        < INVITE 1 sdp
        +1000
        < INVITE 1 sdp
        +30499
        < INVITE 1 sdp
        < INVITE 1 sdp
        < INVITE 1 sdp
        < INVITE 1 sdp
        +1
        ! Refused 408
    ");
    // Once it rings, it rings as long as it likes.
    run("
        . dial 2000
        < INVITE 1 sdp
        > 180 INVITE
        ! Progress 180
        +600000
        > 486 INVITE
        < ACK 1
        ! Refused 486
        > 486 INVITE
        < ACK 1
    ");
}

#[test]
fn a_phone_that_wakes_up_too_late_does_not_ring_for_nobody() {
    let given_up = "
        . dial 2000
        < INVITE 1 sdp
        +31999
        < INVITE 1 sdp
        < INVITE 1 sdp
        < INVITE 1 sdp
        < INVITE 1 sdp
        < INVITE 1 sdp
        < INVITE 1 sdp
        +1
        ! Refused 408
    ";
    run(&format!(
        "{given_up}
        > 180 INVITE
        < CANCEL 1
        > 180 INVITE
        > 200 CANCEL
        > 487 INVITE
        < ACK 1
    "
    ));
    run(&format!(
        "{given_up}
        > 200 INVITE sdp
        < ACK 1
        < BYE 2
        > 200 INVITE sdp
        < ACK 1
        > 200 BYE
    "
    ));
}

#[test]
fn cancel_waits_for_a_provisional_response() {
    let ladder = run("
        . dial 2000
        < INVITE 1 sdp
        . hang_up elsewhere
        . hang_up
        +500
        < INVITE 1 sdp
        > 180 INVITE
        < CANCEL 1
        > 180 INVITE
        > 200 CANCEL tag=none
        > 487 INVITE
        < ACK 1
        ! Refused 487
    ");
    let cancel = ladder.last("CANCEL");
    let (invite, ack) = (ladder.last("INVITE"), ladder.last("ACK"));
    let part = |text: &str, name: &str| {
        text.lines().find(|line| line.starts_with(name)).map(ToOwned::to_owned)
    };
    for name in ["Via:", "From:", "Call-ID:", "To:"] {
        assert_eq!(part(&cancel, name), part(&invite, name));
    }
    for name in ["Via:", "From:", "Call-ID:"] {
        assert_eq!(part(&ack, name), part(&invite, name));
    }
    assert!(part(&ack, "To:").is_some_and(|to| to.ends_with(";tag=peer")), "{ack}");
    assert!(cancel.contains("Reason: SIP;cause=200;text=\"Call completed elsewhere\""), "{cancel}");
}

#[test]
fn an_answer_that_crosses_our_cancel_is_acknowledged_and_ended() {
    run("
        . dial 2000
        < INVITE 1 sdp
        > 180 INVITE
        ! Progress 180
        . hang_up
        < CANCEL 1
        > 200 INVITE sdp
        < ACK 1
        < BYE 2
        > 200 CANCEL
        > 200 INVITE sdp
        < ACK 1
        > 200 BYE
        ! Refused 487
    ");
    // The answer was the first thing we heard.
    run("
        . dial 2000
        < INVITE 1 sdp
        . hang_up
        > 200 INVITE sdp
        < ACK 1
        < BYE 2
        > 200 BYE
        ! Refused 487
    ");
}

#[test]
fn a_cancelled_invite_without_a_final_answer_is_given_up() {
    run("
        . dial 2000
        < INVITE 1 sdp
        > 180 INVITE
        ! Progress 180
        . hang_up
        < CANCEL 1
        > 200 CANCEL
        +31999
        +1
        ! Refused 487
        > 487 INVITE                // too late: nobody remembers
    ");
    // Nor does the CANCEL itself find anybody.
    run("
        . dial 2000
        < INVITE 1 sdp
        . hang_up
        +31999
        < INVITE 1 sdp
        < INVITE 1 sdp
        < INVITE 1 sdp
        < INVITE 1 sdp
        < INVITE 1 sdp
        < INVITE 1 sdp
        +1
        ! Refused 487
    ");
}

#[test]
fn of_several_forks_the_first_answer_counts() {
    run("
        . dial 2000
        < INVITE 1 sdp
        > 180 INVITE tag=a
        ! Progress 180
        > 183 INVITE tag=b sdp
        ! Progress 183 sdp
        > 200 INVITE tag=b sdp
        < ACK 1
        ! Answered sdp
        > 200 INVITE tag=a sdp      // a second fork answered too
        < ACK 1
        < BYE 2
        > 200 BYE
        > 200 INVITE tag=a sdp
        < ACK 1
        > 200 INVITE tag=b sdp
        < ACK 1
        > BYE 7 from=a              // its dialog is no longer ours
        < 481 BYE 7
        > BYE 7 from=b branch=b
        < 200 BYE 7
        ! Over Bye
        > 200 INVITE tag=c sdp      // a third one, after the call
        < ACK 1
        < BYE 2
        > 200 BYE
    ");
}

#[test]
fn an_answer_that_names_another_call_does_not_spoil_ours() {
    for (ours, others) in [("Call-ID: ", "Call-ID: x"), (";tag=", ";tag=x")] {
        let mut ladder = Ladder::new(udp("192.0.2.8:5080"));
        ladder.play(
            "
            . dial 2000
            < INVITE 1 sdp
        ",
        );
        let answer = ladder.response(200, &["INVITE", "sdp"]);
        let text = String::from_utf8_lossy(&answer).replacen(ours, others, 1);
        let mut out = Vec::new();
        ladder.endpoint.receive(ladder.flow, text.into(), false, super::at(0), &mut out);
        assert!(out.is_empty(), "{others}: {out:?}");
        ladder.play(
            "
            > 200 INVITE sdp
            < ACK 1
            ! Answered sdp
            . hang_up
            < BYE 2
            > 200 BYE
            ! Over ByUs
        ",
        );
    }
}

#[test]
fn a_thousand_forks_cost_eight() {
    let mut ladder = Ladder::new(udp("192.0.2.8:5080"));
    ladder.play(
        "
        . dial 2000
        < INVITE 1 sdp
    ",
    );
    let mut out = Vec::new();
    for fork in 0..1_000 {
        let response = ladder.response(200, &["INVITE", &format!("tag=fork{fork}"), "sdp"]);
        ladder.endpoint.receive(ladder.flow, response, false, super::at(0), &mut out);
    }
    assert!(ladder.endpoint.gauges().client_transactions <= 8, "{:?}", ladder.endpoint.gauges());
    assert!(out.len() < 32, "{}", out.len());
}

#[test]
fn an_offer_in_the_200_is_answered_in_the_ack() {
    run("
        . dial 2000 late
        < INVITE 1
        > 200 INVITE sdp
        ! Answered sdp
        > 200 INVITE sdp            // nothing to say yet
        . answer_in_ack
        < ACK 1 sdp
        > 200 INVITE sdp
        < ACK 1 sdp
        > BYE 1 
        < 200 BYE 1
        ! Over Bye
    ");
    run("
        . dial 2000 late
        < INVITE 1
        > 200 INVITE sdp
        ! Answered sdp
        . hang_up
        < ACK 1
        < BYE 2
        > 200 BYE
        ! Over ByUs
    ");
}

#[test]
fn redirections_and_challenges_are_refusals() {
    for status in [300, 302, 401, 407, 603] {
        run(&format!(
            "
            . dial 2000
            < INVITE 1 sdp
            > {status} INVITE
            < ACK 1
            ! Refused {status}
        "
        ));
    }
}

#[test]
fn loose_and_strict_routes() {
    let ladder = run("
        . dial 2000
        < INVITE 1 sdp
        > 200 INVITE sdp rr=<sip:192.0.2.20;lr>|<sip:192.0.2.21;lr>
        < ACK 1
        ! Answered sdp
        . hang_up
        < BYE 2
        > 200 BYE
        ! Over ByUs
    ");
    let bye = ladder.last("BYE");
    assert!(bye.starts_with("BYE sip:phone@192.0.2.8:5080 SIP/2.0"), "{bye}");
    let (near, far) =
        (bye.find("Route: <sip:192.0.2.21;lr>"), bye.find("Route: <sip:192.0.2.20;lr>"));
    assert!(near < far && near.is_some(), "{bye}");
    assert_eq!(ladder.last_flow("BYE").remote, super::address("192.0.2.21:5060"));
    let ladder = run("
        . dial 2000
        < INVITE 1 sdp
        > 200 INVITE sdp rr=<sip:192.0.2.20;lr>|<sip:strict@192.0.2.21>
        < ACK 1
        ! Answered sdp
        . hang_up
        < BYE 2
        > 200 BYE
        ! Over ByUs
    ");
    let bye = ladder.last("BYE");
    assert!(bye.starts_with("BYE sip:strict@192.0.2.21 SIP/2.0"), "{bye}");
    assert!(
        bye.contains("Route: <sip:192.0.2.20;lr>\r\nRoute: <sip:phone@192.0.2.8:5080>"),
        "{bye}"
    );
}

#[test]
fn a_fixed_phone_is_followed_to_its_contact() {
    let ladder = run("
        . dial 2000
        < INVITE 1 sdp
        > 200 INVITE sdp contact=sip:x@192.0.2.9:5099?Route=%3Csip:192.0.2.66%3E
        < ACK 1
        ! Answered sdp
        > BYE 1
        < 200 BYE 1
        ! Over Bye
    ");
    assert_eq!(ladder.last_flow("ACK").remote, super::address("192.0.2.9:5099"));
    assert!(ladder.last("ACK").starts_with("ACK sip:x@192.0.2.9:5099 SIP/2.0"));
}

#[test]
fn a_200_whose_contact_cannot_be_used_is_no_answer() {
    run("
        . dial 2000
        < INVITE 1 sdp
        > 200 INVITE sdp contact=mailto:x@y.example
        ! Refused 502
    ");
}
