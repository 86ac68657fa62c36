//! Provisional responses that are acknowledged, on both sides (RFC 3262), and offers in early dialogs
//! (RFC 3311).

use super::{Ladder, settings, udp};
use crate::base::Rng;
use crate::sip::Endpoint;
use crate::sip::api::{Reliable, SessionPolicy, Settings};

fn carrier(script: &str) -> Ladder {
    Ladder::run(udp("192.0.2.7:5060"), script)
}

fn phone(script: &str) -> Ladder {
    Ladder::run(udp("192.0.2.8:5080"), script)
}

/// Whoever can acknowledge is asked to.
fn eager(script: &str) -> Ladder {
    let session = SessionPolicy { reliable: Reliable::WhenSupported, ..SessionPolicy::default() };
    let settings = Settings { session, ..settings() };
    let mut ladder = Ladder::new(udp("192.0.2.7:5060"));
    ladder.endpoint = Endpoint::new(settings, super::directory(), Rng::from_number(7));
    ladder.play(script);
    ladder.rest();
    ladder
}

#[test]
fn ringing_is_said_until_the_caller_acknowledges_it() {
    let ladder = carrier(
        "
        > INVITE 1 sdp require=100rel
        < 100 INVITE 1
        ! Incoming sdp
        . ring
        < 180 INVITE 1
        +500
        < 180 INVITE 1
        +1000
        < 180 INVITE 1
        > PRACK 2
        < 200 PRACK 2
        > PRACK 2                   // our 200 was lost
        < 200 PRACK 2
        +30000
        . accept
        < 200 INVITE 1 sdp
        > ACK 1
        ! Confirmed
        > BYE 3
        < 200 BYE 3
        ! Over Bye
    ",
    );
    let ringing = ladder.last("180");
    assert!(ringing.contains("\r\nRequire: 100rel\r\nRSeq: "), "{ringing}");
    assert!(ladder.last("200 INVITE").contains("\r\nSupported: 100rel"));
}

#[test]
fn a_caller_who_only_can_acknowledge_is_asked_when_the_policy_says_so() {
    let invite = "
        > INVITE 1 sdp h:Supported=timer,_100rel
        < 100 INVITE 1
        ! Incoming sdp
        . ring
        < 180 INVITE 1
    ";
    let end = "
        . refuse 486
        < 486 INVITE 1
        ! Over ByUs
        > ACK 1 fail
    ";
    let ladder = carrier(&format!("{invite}+3000\n{end}"));
    assert!(!ladder.last("180").contains("RSeq"));
    let ladder = eager(&format!("{invite}> PRACK 2\n< 200 PRACK 2\n{end}"));
    assert!(ladder.last("180").contains("RSeq"));
}

#[test]
fn ringing_that_nobody_acknowledges_ends_the_call_after_32_seconds() {
    let repeats = "< 180 INVITE 1\n".repeat(6);
    carrier(&format!(
        "
        > INVITE 1 sdp require=100rel
        < 100 INVITE 1
        ! Incoming sdp
        . ring
        < 180 INVITE 1
        > PRACK 2 rack=1            // not what we said
        < 481 PRACK 2
        +31999
        {repeats}
        +1
        < 504 INVITE 1
        ! Over NoAck
        > ACK 1 fail
    "
    ));
}

#[test]
fn a_second_word_waits_for_the_first_and_the_answer_for_the_description() {
    let ladder = carrier(
        "
        > INVITE 1 sdp require=100rel
        < 100 INVITE 1
        ! Incoming sdp
        . ring
        < 180 INVITE 1
        . ring sdp                  // early media: it waits
        > PRACK 2
        < 200 PRACK 2
        < 183 INVITE 1 sdp
        . accept                    // the description is not acknowledged yet
        . offer                     // nor is the engine's next wish lost
        +500
        < 183 INVITE 1 sdp
        > PRACK 3
        < 200 PRACK 3
        < 200 INVITE 1              // told already
        > ACK 1
        ! Confirmed
        < INVITE 1 sdp
        > 200 INVITE sdp
        < ACK 1
        ! OfferAnswered sdp
        > BYE 4
        < 200 BYE 4
        ! Over Bye
    ",
    );
    let rseq = |text: String| -> u32 {
        let line = text.lines().find_map(|line| line.strip_prefix("RSeq: ").map(str::to_owned));
        line.expect("an RSeq").parse().expect("a number")
    };
    assert_eq!(rseq(ladder.last("180")) + 1, rseq(ladder.last("183")));
}

#[test]
fn an_acknowledgement_that_crosses_our_answer_is_answered() {
    carrier(
        "
        > INVITE 1 sdp require=100rel
        < 100 INVITE 1
        ! Incoming sdp
        . ring
        < 180 INVITE 1
        . accept                    // a 180 without a description keeps nothing back
        < 200 INVITE 1 sdp
        > PRACK 2
        < 200 PRACK 2
        > PRACK 3 rack=1
        < 481 PRACK 3
        > ACK 1
        ! Confirmed
        > BYE 4
        < 200 BYE 4
        ! Over Bye
    ",
    );
}

#[test]
fn without_an_offer_ringing_carries_ours_and_the_prack_the_answer() {
    let ladder = carrier(
        "
        > INVITE 1 require=100rel
        < 100 INVITE 1
        ! Incoming
        . ring sdp
        < 180 INVITE 1 sdp
        > PRACK 2                   // without the answer that is due
        < 400 PRACK 2
        > PRACK 3 sdp
        < 200 PRACK 3
        ! OfferAnswered sdp
        . accept
        < 200 INVITE 1
        > ACK 1
        ! Confirmed
        > BYE 4
        < 200 BYE 4
        ! Over Bye
    ",
    );
    assert!(ladder.last("180").contains("RSeq"));
}

#[test]
fn an_offer_in_the_prack_is_answered_in_its_200_before_the_call_is() {
    carrier(
        "
        > INVITE 1 sdp require=100rel
        < 100 INVITE 1
        ! Incoming sdp
        . ring sdp
        < 183 INVITE 1 sdp
        > PRACK 2 sdp
        ! Offer sdp
        . accept
        . answer_offer
        < 200 PRACK 2 sdp
        < 200 INVITE 1
        > ACK 1
        ! Confirmed
        > BYE 3
        < 200 BYE 3
        ! Over Bye
    ",
    );
    // Before its first offer is answered it may not make another.
    carrier(
        "
        > INVITE 1 sdp require=100rel
        < 100 INVITE 1
        ! Incoming sdp
        . ring
        < 180 INVITE 1
        > PRACK 2 sdp
        < 500 PRACK 2
        > PRACK 3
        < 200 PRACK 3
        > CANCEL 1
        < 200 CANCEL 1
        < 487 INVITE 1
        ! Over Cancelled
        > ACK 1 fail
    ",
    );
}

#[test]
fn a_caller_may_change_the_early_call_by_update_once_it_is_settled() {
    carrier(
        "
        > INVITE 1 sdp require=100rel
        < 100 INVITE 1
        ! Incoming sdp
        . ring sdp
        < 183 INVITE 1 sdp
        > UPDATE 2 sdp              // before the acknowledgement
        < 500 UPDATE 2
        > PRACK 3
        < 200 PRACK 3
        > UPDATE 4 sdp
        ! Offer sdp
        > UPDATE 5 sdp              // before the answer to the one before
        < 500 UPDATE 5
        . answer_offer
        < 200 UPDATE 4 sdp
        > UPDATE 6 sdp
        ! Offer sdp
        > CANCEL 1
        < 200 CANCEL 1
        < 487 UPDATE 6
        < 487 INVITE 1
        ! Over Cancelled
        > ACK 1 fail
    ",
    );
}

#[test]
fn what_a_phone_says_reliably_is_acknowledged_once_and_in_order() {
    let ladder = phone(
        "
        . dial 2000
        < INVITE 1 sdp
        > 180 INVITE rseq=7
        < PRACK 2
        ! Progress 180
        > 180 INVITE rseq=7         // again: our PRACK repeats itself
        +500
        < PRACK 2
        > 200 PRACK
        > 183 INVITE rseq=9 sdp     // one is missing
        > 183 INVITE rseq=8 sdp
        < PRACK 3
        ! Progress 183 sdp
        > 200 PRACK
        > 183 INVITE rseq=9 sdp     // its first description counts
        < PRACK 4
        ! Progress 183
        > 200 PRACK
        > 180 INVITE                // not reliable: said as it is
        ! Progress 180
        > 200 INVITE
        < ACK 1
        ! Answered sdp
        . hang_up
        < BYE 5
        > 200 BYE
        ! Over ByUs
    ",
    );
    let prack = ladder.last("PRACK 2");
    assert!(prack.contains("\r\nRAck: 7 1 INVITE\r\n"), "{prack}");
    assert!(ladder.last("INVITE 1").contains("\r\nSupported: 100rel"));
}

#[test]
fn a_phone_may_change_the_early_call_by_update_once_it_is_settled() {
    phone(
        "
        . dial 2000
        < INVITE 1 sdp
        > 183 INVITE rseq=1
        < PRACK 2
        ! Progress 183
        > UPDATE 1 sdp              // our offer is not answered
        < 491 UPDATE 1
        > 200 PRACK
        > 183 INVITE rseq=2 sdp
        < PRACK 3
        ! Progress 183 sdp
        > UPDATE 2 sdp
        ! Offer sdp
        > UPDATE 3 sdp
        < 500 UPDATE 3
        . answer_offer
        < 200 UPDATE 2 sdp
        > UPDATE 4 sdp
        ! Offer sdp
        > 200 INVITE                // it picks up meanwhile
        < ACK 1
        ! Answered sdp
        . answer_offer
        < 200 UPDATE 4 sdp
        > BYE 5
        < 200 BYE 5
        ! Over Bye
    ",
    );
}

#[test]
fn a_phone_that_ends_its_early_call_gets_an_answer_to_what_it_asked_before() {
    phone(
        "
        . dial 2000
        < INVITE 1 sdp
        > 183 INVITE rseq=1 sdp
        < PRACK 2
        ! Progress 183 sdp
        > 200 PRACK
        > UPDATE 1 sdp
        ! Offer sdp
        > BYE 2                     // it should not (RFC 3261 §15); its UPDATE was kept for ever
        < 200 BYE 2
        < 487 UPDATE 1
        > 486 INVITE
        < ACK 1
        ! Refused 486
    ",
    );
}

#[test]
fn a_phone_that_rings_for_nobody_any_more_gets_an_answer_to_what_it_asks() {
    phone(
        "
        . dial 2000
        < INVITE 1 sdp
        > 183 INVITE rseq=1 sdp
        < PRACK 2
        ! Progress 183 sdp
        > 200 PRACK
        > UPDATE 1 sdp
        ! Offer sdp
        . hang_up                   // its UPDATE was kept for ever when a 200 crossed the CANCEL
        < 487 UPDATE 1
        < CANCEL 1
        > UPDATE 2 sdp
        < 487 UPDATE 2
        > 200 CANCEL
        > 200 INVITE
        < ACK 1
        < BYE 3
        > 200 BYE
        ! Refused 487
    ",
    );
}

#[test]
fn a_caller_who_cannot_be_reached_leaves_nothing_that_waits_for_an_answer() {
    Ladder::run(
        super::tcp("192.0.2.7:5060", 3),
        "
        > INVITE 1 sdp require=100rel
        < 100 INVITE 1
        ! Incoming sdp
        . ring sdp
        < 183 INVITE 1 sdp
        > PRACK 2
        < 200 PRACK 2
        > UPDATE 3 sdp
        ! Offer sdp
        . lost
        < 183 INVITE 1 sdp
        . unsendable                // nor is it reached where it listens
        < 487 UPDATE 3
        ! Over Lost
    ",
    );
}

#[test]
fn what_comes_late_from_a_phone_that_has_ended_its_early_call_begins_none_anew() {
    phone(
        "
        . dial 2000
        < INVITE 1 sdp
        > 180 INVITE rseq=1
        < PRACK 2
        ! Progress 180
        > BYE 1
        < 200 BYE 1
        > INFO 2
        < 481 INFO 2
        > 180 INVITE rseq=1         // late, or twice on its way
        > INFO 2
        < 481 INFO 2
        > 200 INVITE sdp            // it thinks better of it
        < ACK 1
        ! Answered sdp
        . hang_up
        < BYE 3
        > 200 BYE
        ! Over ByUs
    ",
    );
}

#[test]
fn each_fork_has_its_own_sequence_and_the_one_that_answers_counts() {
    let ladder = phone(
        "
        . dial 2000
        < INVITE 1 sdp
        > 183 INVITE tag=a rseq=100 sdp
        < PRACK 2
        ! Progress 183 sdp
        > 200 PRACK
        > 183 INVITE tag=b rseq=5 sdp contact=sip:b@192.0.2.8:5090
        < PRACK 2
        ! Progress 183 sdp
        > 183 INVITE tag=c sdp
        ! Progress 183 sdp
        > 180 INVITE tag=a rseq=101
        < PRACK 3
        ! Progress 180
        > 200 INVITE tag=a
        < ACK 1
        ! Answered sdp
        . hang_up
        < BYE 4
        > 200 BYE
        ! Over ByUs
    ",
    );
    assert!(ladder.last("PRACK 3").contains(";tag=a\r\n"));
}

#[test]
fn a_phone_that_answers_too_late_is_hung_up_by_a_number_that_its_prack_has_not_had() {
    phone(
        "
        . dial 2000
        < INVITE 1 sdp
        > 183 INVITE tag=a rseq=100 sdp
        < PRACK 2
        ! Progress 183 sdp
        > 200 PRACK
        > 180 INVITE tag=a rseq=101
        < PRACK 3
        ! Progress 180
        > 200 PRACK
        > 200 INVITE tag=b sdp
        < ACK 1
        ! Answered sdp
        > 200 INVITE tag=a          // another took the call
        < ACK 1
        < BYE 4
        > 200 BYE
        . hang_up
        < BYE 2
        > 200 BYE
        ! Over ByUs
    ",
    );
}

#[test]
fn a_call_without_an_offer_promises_no_acknowledgement() {
    let ladder = phone(
        "
        . dial 2000 late
        < INVITE 1
        > 183 INVITE rseq=1 sdp     // it was not allowed to
        ! Progress 183 sdp
        > 486 INVITE
        < ACK 1
        ! Refused 486
    ",
    );
    assert!(ladder.last("INVITE 1").contains("\r\nSupported: timer, replaces, norefersub\r\n"));
}

#[test]
fn an_extension_that_we_do_not_have_is_named() {
    let ladder = carrier(
        "
        > INVITE 1 sdp h:Require=100rel,_holography
        < 420 INVITE 1
        > ACK 1 fail
    ",
    );
    let refusal = ladder.last("420");
    assert!(refusal.contains("\r\nUnsupported: holography\r\n"), "{refusal}");
    assert!(!refusal.contains("Unsupported: 100rel"), "{refusal}");
}
