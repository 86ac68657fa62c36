//! Whatever a phone sends inside a call, and how a call ends that is in the middle of something.

use super::{Ladder, udp};

/// A call that the peer made, answered.
pub(super) const CALLED: &str = "
    > INVITE 1 sdp
    < 100 INVITE 1
    ! Incoming sdp
    . accept
    < 200 INVITE 1 sdp
    > ACK 1
    ! Confirmed
";
/// A call that we made, answered.
pub(super) const DIALLED: &str = "
    . dial 2000
    < INVITE 1 sdp
    > 200 INVITE sdp
    < ACK 1
    ! Answered sdp
";
pub(super) const PEER_ENDS: &str = "
    > BYE 99
    < 200 BYE 99
    ! Over Bye
";

pub(super) fn called(script: &str) -> Ladder {
    Ladder::run(udp("192.0.2.7:5060"), &format!("{CALLED}{script}{PEER_ENDS}"))
}

pub(super) fn dialled(script: &str) -> Ladder {
    Ladder::run(udp("192.0.2.8:5080"), &format!("{DIALLED}{script}{PEER_ENDS}"))
}

#[test]
fn the_call_ends_while_an_offer_is_under_way() {
    Ladder::run(
        udp("192.0.2.7:5060"),
        &format!(
            "{CALLED}
        > INVITE 2 sdp
        ! Offer sdp
        > BYE 3
        < 200 BYE 3
        < 487 INVITE 2
        ! Over Bye
        > ACK 2 fail
        . answer_offer              // nobody is there to hear it
    "
        ),
    );
    Ladder::run(
        udp("192.0.2.7:5060"),
        &format!(
            "{CALLED}
        > INVITE 2 sdp
        ! Offer sdp
        . hang_up
        < 487 INVITE 2
        < BYE 1
        > ACK 2 fail
        > 200 BYE
        ! Over ByUs
    "
        ),
    );
}

#[test]
fn our_reinvite_outlives_the_call() {
    Ladder::run(
        udp("192.0.2.7:5060"),
        &format!(
            "{CALLED}
        . offer
        < INVITE 1 sdp
        > 100 INVITE
        > BYE 3
        < 200 BYE 3
        ! Over Bye
        > 200 INVITE sdp
        < ACK 1
        > 200 INVITE sdp
        < ACK 1
    "
        ),
    );
    Ladder::run(
        udp("192.0.2.7:5060"),
        &format!(
            "{CALLED}
        . offer
        < INVITE 1 sdp
        > 100 INVITE
        . hang_up
        < BYE 2
        > 487 INVITE
        < ACK 1
        > 200 BYE
        ! Over ByUs
    "
        ),
    );
}

#[test]
fn a_reinvite_that_rings_on_for_a_call_that_is_over_is_given_up() {
    for provisional_first in [true, false] {
        let (before, after) =
            if provisional_first { ("> 100 INVITE", "") } else { ("", "> 100 INVITE") };
        Ladder::run(
            udp("192.0.2.7:5060"),
            &format!(
                "{CALLED}
            . offer
            < INVITE 1 sdp
            {before}
            > BYE 3
            < 200 BYE 3
            ! Over Bye
            {after}
        "
            ),
        );
    }
}

#[test]
fn a_peer_that_does_not_answer_any_more_is_lost() {
    for answer in ["> 481 INVITE\n< ACK 1", "> 408 INVITE\n< ACK 1"] {
        Ladder::run(
            udp("192.0.2.7:5060"),
            &format!(
                "{CALLED}
            . offer
            < INVITE 1 sdp
            {answer}
            < BYE 2
            ! Over Lost
        "
            ),
        );
    }
    Ladder::run(
        udp("192.0.2.7:5060"),
        &format!(
            "{CALLED}
        . offer
        < INVITE 1 sdp
        > 100 INVITE
        . hang_up
        < BYE 2
        +31999
        < BYE 2
        < BYE 2
        < BYE 2
        < BYE 2
        < BYE 2
        < BYE 2
        < BYE 2
        < BYE 2
        < BYE 2
        < BYE 2
        +1
        ! Over ByUs
        > 481 INVITE                // given up just before
    "
        ),
    );
}

#[test]
fn keys_come_by_info() {
    called(
        "
        > INFO 2 type=application/dtmf-relay body=Signal=5\\nDuration=160
        < 200 INFO 2
        ! Digit 5
        > INFO 2 type=application/dtmf-relay body=Signal=5\\nDuration=160
        < 200 INFO 2
        > INFO 3 type=application/dtmf body=#
        < 200 INFO 3
        ! Digit #
        > INFO 4
        < 200 INFO 4
        > INFO 5 type=application/media_control+xml body=<x/>
        < 415 INFO 5
    ",
    );
}

#[test]
fn a_phone_is_told_keys_by_info_one_after_another() {
    called(
        "
        . press 5#
        < INFO 1
        +500
        < INFO 1
        > 200 INFO
        < INFO 2
        > 481 INFO
        . press 9
        < INFO 3
        > 200 INFO
    ",
    );
}

#[test]
fn a_flood_inside_a_call_is_remembered_only_so_far() {
    let mut ladder = Ladder::new(udp("192.0.2.7:5060"));
    ladder.play(CALLED);
    let mut out = Vec::new();
    for cseq in 2..2_000 {
        let info = ladder.request("INFO", &[&cseq.to_string()]);
        ladder.endpoint.receive(ladder.flow, info, false, super::at(0), &mut out);
    }
    assert!(ladder.endpoint.gauges().server_transactions <= 520);
    ladder.play(
        "
        > BYE 5000
        < 200 BYE 5000
        ! Over Bye
    ",
    );
    ladder.rest();
}

#[test]
fn other_requests_in_a_call() {
    called(
        "
        > OPTIONS 2
        < 200 OPTIONS 2
        > REFER 3
        ! Refer nowhere 400
        . answer_refer 400
        < 400 REFER 3
        > SUBSCRIBE 4
        < 489 SUBSCRIBE 4
        > NOTIFY 5
        < 481 NOTIFY 5
        > MESSAGE 6
        < 405 MESSAGE 6
        > PRACK 7
        < 481 PRACK 7
        > DANCE 8
        < 501 DANCE 8
        > INFO 7                    // CSeq falls
        < 500 INFO 7
        > INVITE 9 sdp require=nothing
        < 420 INVITE 9
        > ACK 9 fail
        > INVITE 10 type=text/plain
        < 415 INVITE 10
        > ACK 10 fail
        > BYE 11 from=stranger
        < 481 BYE 11
        > BYE 12 to=0123456789abcdef
        < 481 BYE 12
        > ACK 13 to=0123456789abcdef
    ",
    );
}

#[test]
fn a_phone_behind_a_nat_is_called_back_where_it_is() {
    let mut ladder = Ladder::new(udp("192.0.2.7:5060"));
    ladder.play(
        "
        > INVITE 1 sdp contact=sip:peer@10.0.0.5:5060
        < 100 INVITE 1
        ! Incoming sdp
        . accept
        < 200 INVITE 1 sdp
        > ACK 1
        ! Confirmed
    ",
    );
    ladder.flow.remote = super::address("192.0.2.7:40000"); // the NAT forgot, and remembers anew
    ladder.play(
        "
        > INVITE 2 sdp contact=sip:peer@10.0.0.5:5060
        ! Offer sdp
        . answer_offer
        < 200 INVITE 2 sdp
        > ACK 2
        . hang_up
        < BYE 1
        > 200 BYE
        ! Over ByUs
    ",
    );
    assert_eq!(ladder.last_flow("BYE"), ladder.flow);
    assert!(ladder.last("BYE").starts_with("BYE sip:peer@10.0.0.5:5060 SIP/2.0"));
    ladder.rest();
}

#[test]
fn why_a_peer_ends_a_call_is_told_before_its_end() {
    Ladder::run(
        udp("192.0.2.7:5060"),
        &format!(
            "{CALLED}
        > BYE 2 h:Reason=Q.850;cause=16;text=\"whatever_Hanako_said\"
        < 200 BYE 2
        ! Reason Q850 16
        ! Over Bye
    "
        ),
    );
    Ladder::run(
        udp("192.0.2.7:5060"),
        "
        > INVITE 1 sdp
        < 100 INVITE 1
        ! Incoming sdp
        > CANCEL 1 h:Reason=SIP;cause=200
        < 200 CANCEL 1
        ! Reason Sip 200
        < 487 INVITE 1
        ! Over Cancelled
        > ACK 1 fail
    ",
    );
}
