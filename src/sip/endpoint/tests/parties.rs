//! A phone is told in its call with whom it speaks now.

use super::{Ladder, udp};

/// A call that we made to a phone which says this of itself in its answer.
fn phone(says: &str, script: &str) -> Ladder {
    let begin = format!(
        "
        . dial 2000
        < INVITE 1 sdp
        > 200 INVITE sdp {says}
        < ACK 1
        ! Answered sdp
    "
    );
    Ladder::run(
        udp("192.0.2.8:5080"),
        &format!("{begin}{script}\n> BYE 99\n< 200 BYE 99\n! Over Bye"),
    )
}

const ASSERTED: &str = "\r\nP-Asserted-Identity: <sip:2001@192.0.2.1>\r\n";

#[test]
fn a_phone_that_takes_update_is_told_by_it_once_and_when_nothing_else_is_under_way() {
    let ladder = phone(
        "h:Allow=INVITE,UPDATE",
        "
        . speaks_with 2002
        < UPDATE 2
        . speaks_with 2001              // before it is answered
        > 200 UPDATE
        < UPDATE 3
        > 200 UPDATE
        > INVITE 4 sdp
        ! Offer sdp
        . speaks_with 2001
        . answer_offer
        < 200 INVITE 4 sdp
        > ACK 4
        < UPDATE 4
        > 200 UPDATE
        . offer                         // says it too
        < INVITE 5 sdp
        > 200 INVITE sdp
        < ACK 5
        ! OfferAnswered sdp
    ",
    );
    assert!(ladder.last("UPDATE 2").contains("\r\nP-Asserted-Identity: <sip:2002@192.0.2.1>\r\n"));
    for said in ["UPDATE 3", "UPDATE 4", "INVITE 5"] {
        let said = ladder.last(said);
        assert!(said.contains(ASSERTED), "{said}");
        assert!(said.contains("From: ") && said.contains("sip:0312345678@"), "{said}");
    }
}

#[test]
fn a_phone_that_does_not_is_told_by_a_reinvite_that_changes_nothing_and_meets_its_own() {
    let ladder = phone(
        "",
        "
        . speaks_with 2001
        < INVITE 2 sdp
        > INVITE 7 sdp
        < 491 INVITE 7
        > ACK 7 fail
        > 491 INVITE
        < ACK 2
        ~ 4000
        < INVITE 3 sdp
        > 200 INVITE sdp
        < ACK 3
        ! OfferAnswered sdp
    ",
    );
    for said in ["INVITE 2", "INVITE 3"] {
        assert!(ladder.last(said).contains(ASSERTED));
    }
    let said =
        |words: &str| ladder.last(words).split_once("\r\n\r\n").map(|(_, sdp)| sdp.to_owned());
    assert_eq!(said("INVITE 1"), said("INVITE 3"), "the same session");
}

#[test]
fn a_phone_that_takes_update_only_in_word_is_told_by_a_reinvite() {
    phone(
        "h:Allow=UPDATE",
        "
        . speaks_with 2001
        < UPDATE 2
        > 405 UPDATE
        < INVITE 3 sdp
        > 488 INVITE
        < ACK 3
    ",
    );
}

#[test]
fn where_from_may_change_it_names_the_other_party_too() {
    let ladder = phone(
        "h:Allow=UPDATE h:Supported=from-change",
        "
        . speaks_with 2001
        < UPDATE 2
        > 200 UPDATE
    ",
    );
    let from = |words: &str| {
        let text = ladder.last(words);
        let line = text.lines().find(|line| line.starts_with("From: ")).expect("From").to_owned();
        let (address, tag) = line.split_once(";tag=").expect("a tag");
        (address.to_owned(), tag.to_owned())
    };
    let (before, after) = (from("INVITE 1"), from("UPDATE 2"));
    assert_eq!(after.0, "From: <sip:2001@192.0.2.1>");
    assert_eq!(before.1, after.1, "the dialog's tag stays");
}

#[test]
fn a_phone_that_repeats_its_own_reinvite_first_is_told_afterwards() {
    let ladder = phone(
        "",
        "
        . speaks_with 2001
        < INVITE 2 sdp
        > INVITE 7 sdp
        < 491 INVITE 7
        > ACK 7 fail
        > 491 INVITE
        < ACK 2
        > INVITE 8 sdp              // before it is our turn
        ! Offer sdp
        . answer_offer
        < 200 INVITE 8 sdp
        > ACK 8
        < INVITE 3 sdp
        > 200 INVITE sdp
        < ACK 3
        ! OfferAnswered sdp
    ",
    );
    assert!(ladder.last("INVITE 3").contains(ASSERTED));
}

#[test]
fn a_phone_that_refuses_to_be_told_for_now_is_told_later_and_not_for_ever() {
    let ladder = phone(
        "h:Allow=INVITE,UPDATE",
        "
        . speaks_with 2001
        < UPDATE 2
        > 491 UPDATE
        +2000
        ~ 2000
        < UPDATE 3
        > 500 UPDATE
        +9900
        ~ 100
        < UPDATE 4
        > 200 UPDATE
    ",
    );
    assert!(ladder.last("UPDATE 4").contains(ASSERTED));
    phone(
        "h:Allow=INVITE,UPDATE",
        "
        . speaks_with 2001
        < UPDATE 2
        > 500 UPDATE
        ~ 10000
        < UPDATE 3
        > 500 UPDATE
        ~ 10000
        < UPDATE 4
        > 500 UPDATE
        ~ 10000
        < UPDATE 5
        > 500 UPDATE
        ~ 10000
        < UPDATE 6
        > 500 UPDATE
        +60000
    ",
    );
    // By re-INVITE likewise; one who says that it will never is believed.
    phone(
        "",
        "
        . speaks_with 2001
        < INVITE 2 sdp
        > 503 INVITE
        < ACK 2
        ~ 10000
        < INVITE 3 sdp
        > 488 INVITE
        < ACK 3
        +60000
    ",
    );
}
