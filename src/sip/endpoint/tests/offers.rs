//! Offers inside a call: held, resumed, met by the peer's own, cancelled, never acknowledged.

use super::sessions::{CALLED, PEER_ENDS, called, dialled};
use super::{Ladder, udp};

#[test]
fn the_peer_holds_and_resumes() {
    called(
        "
        > INVITE 2 sdp
        ! Offer sdp
        > INVITE 2 sdp
        < 100 INVITE 2              // the engine takes its time
        . answer_offer
        < 200 INVITE 2 sdp
        +500
        < 200 INVITE 2 sdp
        > ACK 2
        > INVITE 3 sdp
        ! Offer sdp
        . answer_offer 488
        < 488 INVITE 3
        > ACK 3 fail
        > UPDATE 4 sdp
        ! Offer sdp
        . answer_offer
        < 200 UPDATE 4 sdp
        > UPDATE 4 sdp
        < 200 UPDATE 4 sdp
        > UPDATE 5                  // only a refresh
        < 200 UPDATE 5
        > INVITE 6                  // we are to offer
        ! Offer
        . answer_offer
        < 200 INVITE 6 sdp
        > ACK 6 sdp
        ! Confirmed sdp
    ",
    );
}

#[test]
fn a_reinvite_that_is_never_acknowledged_ends_the_call() {
    Ladder::run(
        udp("192.0.2.7:5060"),
        &format!(
            "{CALLED}
        > INVITE 2 sdp
        ! Offer sdp
        . answer_offer
        < 200 INVITE 2 sdp
        +3600
        < 200 INVITE 2 sdp
        < 200 INVITE 2 sdp
        < 200 INVITE 2 sdp
        +28399
        < 200 INVITE 2 sdp
        < 200 INVITE 2 sdp
        < 200 INVITE 2 sdp
        < 200 INVITE 2 sdp
        < 200 INVITE 2 sdp
        < 200 INVITE 2 sdp
        < 200 INVITE 2 sdp
        +1
        < BYE 1
        ! Over NoAck
    "
        ),
    );
}

#[test]
fn we_offer_and_the_peer_answers() {
    called(
        "
        . offer
        < INVITE 1 sdp
        > 100 INVITE
        > 200 INVITE sdp
        < ACK 1
        ! OfferAnswered sdp
        > 200 INVITE sdp
        < ACK 1
        . offer late
        < INVITE 2
        > 200 INVITE sdp
        ! OfferAnswered sdp
        . answer_in_ack
        < ACK 2 sdp
        . offer
        < INVITE 3 sdp
        > 488 INVITE
        < ACK 3
        ! OfferAnswered 488
    ",
    );
}

#[test]
fn offers_wait_for_their_turn() {
    called(
        "
        . offer
        < INVITE 1 sdp
        . offer                     // the first is not through
        > 200 INVITE sdp
        < ACK 1
        ! OfferAnswered sdp
        < INVITE 2 sdp
        > 200 INVITE sdp
        < ACK 2
        ! OfferAnswered sdp
        > INVITE 2 sdp
        ! Offer sdp
        . offer
        . answer_offer
        < 200 INVITE 2 sdp
        > ACK 2
        < INVITE 3 sdp
        > 200 INVITE sdp
        < ACK 3
        ! OfferAnswered sdp
    ",
    );
    // Before the caller's ACK nothing of ours goes out.
    Ladder::run(
        udp("192.0.2.7:5060"),
        &format!(
            "
        > INVITE 1 sdp
        < 100 INVITE 1
        ! Incoming sdp
        . accept
        < 200 INVITE 1 sdp
        . offer
        > ACK 1
        ! Confirmed
        < INVITE 1 sdp
        > 200 INVITE sdp
        < ACK 1
        ! OfferAnswered sdp
        {PEER_ENDS}"
        ),
    );
}

#[test]
fn glare_both_ways() {
    // Theirs meets ours: 491; ours meets theirs: tried again after 2.1 to 4 s, for the Call-ID is ours.
    dialled(
        "
        . offer
        < INVITE 2 sdp
        > INVITE 5 sdp
        < 491 INVITE 5
        > ACK 5 fail
        > 491 INVITE
        < ACK 2
        +2099
        ~ 1901
        < INVITE 3 sdp
        > 200 INVITE sdp
        < ACK 3
        ! OfferAnswered sdp
    ",
    );
    // The Call-ID is theirs: 0 to 2 s; theirs comes first.
    called(
        "
        . offer
        < INVITE 1 sdp
        > 491 INVITE
        < ACK 1
        > INVITE 2 sdp
        ! Offer sdp
        +2000
        . answer_offer
        < 200 INVITE 2 sdp
        > ACK 2
        < INVITE 2 sdp
        > 200 INVITE sdp
        < ACK 2
        ! OfferAnswered sdp
    ",
    );
}

#[test]
fn endless_glare_is_told() {
    dialled(
        "
        . offer
        < INVITE 2 sdp
        > 491 INVITE
        < ACK 2
        ~ 4000
        < INVITE 3 sdp
        > 491 INVITE
        < ACK 3
        ~ 4000
        < INVITE 4 sdp
        > 491 INVITE
        < ACK 4
        ~ 4000
        < INVITE 5 sdp
        > 491 INVITE
        < ACK 5
        ~ 4000
        < INVITE 6 sdp
        > 491 INVITE
        < ACK 6
        ! OfferAnswered 491
    ",
    );
}

#[test]
fn one_offer_at_a_time() {
    called(
        "
        > INVITE 2 sdp
        ! Offer sdp
        > INVITE 3 sdp
        < 500 INVITE 3
        > ACK 3 fail
        > UPDATE 4 sdp
        < 500 UPDATE 4
        . answer_offer
        < 200 INVITE 2 sdp
        > UPDATE 5 sdp              // before its ACK
        < 491 UPDATE 5
        > ACK 2
    ",
    );
    Ladder::run(
        udp("192.0.2.7:5060"),
        "
        > INVITE 1 sdp
        < 100 INVITE 1
        ! Incoming sdp
        . ring
        < 180 INVITE 1
        > INVITE 2 sdp
        < 500 INVITE 2
        > ACK 2 fail
        > UPDATE 3 sdp
        < 500 UPDATE 3
        > UPDATE 4
        < 200 UPDATE 4
        . refuse 480
        < 480 INVITE 1
        ! Over ByUs
        > ACK 1 fail
    ",
    );
    Ladder::run(
        udp("192.0.2.8:5080"),
        "
        . dial 2000
        < INVITE 1 sdp
        > 183 INVITE sdp
        ! Progress 183 sdp
        > UPDATE 1 sdp
        < 491 UPDATE 1
        > BYE 2
        < 200 BYE 2
        > 480 INVITE
        < ACK 1
        ! Refused 480
    ",
    );
}

#[test]
fn a_reinvite_is_cancelled() {
    called(
        "
        > INVITE 2 sdp
        ! Offer sdp
        > CANCEL 2
        < 200 CANCEL 2
        < 487 INVITE 2
        > ACK 2 fail
        > INVITE 3 sdp              // the engine has not answered the first
        < 491 INVITE 3
        > ACK 3 fail
        . answer_offer
        > INVITE 4 sdp
        ! Offer sdp
        . answer_offer
        < 200 INVITE 4 sdp
        > ACK 4
    ",
    );
}
