//! REFER in a call: the answer, each piece of news, the end, and who hangs up when.

use super::{Ladder, tcp, udp};

fn up() -> Ladder {
    let mut ladder = Ladder::new(udp("192.0.2.7:5060"));
    ladder.play(
        "> INVITE 1 sdp
            < 100 INVITE 1
            ! Incoming sdp
        . accept
            < 200 INVITE 1 sdp
        > ACK 1
            ! Confirmed",
    );
    ladder
}

const REFER: &str = "> REFER 2 refer=sip:2001@192.0.2.1";

#[test]
fn a_transfer_is_told_from_trying_to_its_end() {
    let mut ladder = up();
    ladder.play(&format!(
        "{REFER}
            ! Refer 2001
        . answer_refer 202
            < 202 REFER 2
            < NOTIFY 1
        . news 180                // waits for its turn
        > 200 NOTIFY
            < NOTIFY 2
        > 200 NOTIFY
        . news 200
            < NOTIFY 3
        . hang_up
            < BYE 4
        > 200 NOTIFY
        > 200 BYE
            ! Over ByUs",
    ));
    ladder.rest();
    let told = |n: &str| ladder.last(&format!("NOTIFY {n}"));
    assert!(told("1").contains("\r\nSubscription-State: active;expires=180\r\n"));
    assert!(told("1").ends_with("\r\n\r\nSIP/2.0 100 Trying\r\n"));
    assert!(told("1").contains("\r\nEvent: refer\r\n"));
    assert!(told("1").contains("\r\nContent-Type: message/sipfrag;version=2.0\r\n"));
    assert!(told("2").ends_with("SIP/2.0 180 Ringing\r\n"));
    assert!(told("3").ends_with("SIP/2.0 200 OK\r\n"));
    assert!(told("3").contains("\r\nSubscription-State: terminated;reason=noresource\r\n"));
}

#[test]
fn a_phone_that_hangs_up_first_hears_the_end_all_the_same() {
    let mut ladder = up();
    ladder.play(&format!(
        "{REFER}
            ! Refer 2001
        . answer_refer 202
            < 202 REFER 2
            < NOTIFY 1
        > BYE 3
            < 200 BYE 3
            ! Over Bye
        > 200 NOTIFY
        . news 486
            < NOTIFY 2
        > 200 NOTIFY",
    ));
    ladder.rest();
    assert!(ladder.last("NOTIFY 2").ends_with("SIP/2.0 486 Busy Here\r\n"));
}

#[test]
fn a_transfer_asked_of_a_call_that_ends_first_is_answered_all_the_same() {
    let mut ladder = up();
    ladder.play(&format!(
        "{REFER}
            ! Refer 2001
        . hang_up
            < 481 REFER 2           // it was kept for ever
            < BYE 1
        > 200 BYE
            ! Over ByUs",
    ));
    ladder.rest();
}

#[test]
fn without_a_subscription_nothing_is_told() {
    let mut ladder = up();
    ladder.play(
        "> REFER 2 refer=sip:2001@192.0.2.1 quiet
            ! Refer 2001
        . answer_refer 202
            < 202 REFER 2
        . news 180
        . news 200
        . hang_up
            < BYE 1
        > 200 BYE
            ! Over ByUs",
    );
    ladder.rest();
    assert!(ladder.last("202 REFER").contains("\r\nRefer-Sub: false\r\n"));
}

#[test]
fn one_transfer_at_a_time_and_a_second_one_is_told_apart() {
    let mut ladder = up();
    ladder.play(&format!(
        "{REFER}
            ! Refer 2001
        > REFER 3 refer=sip:2002@192.0.2.1
            < 491 REFER 3
        . answer_refer 480
            < 480 REFER 2
        > REFER 4 refer=sip:2002@192.0.2.1
            ! Refer 2002
        . answer_refer 202
            < 202 REFER 4
            < NOTIFY 1
        > 481 NOTIFY              // it wants to hear no more
        . news 200
        > BYE 5
            < 200 BYE 5
            ! Over Bye",
    ));
    ladder.rest();
    assert!(ladder.last("NOTIFY 1").contains("\r\nEvent: refer;id=4\r\n"));
}

#[test]
fn a_transfer_that_nobody_ends_is_ended() {
    let mut ladder = up();
    ladder.play(&format!(
        "{REFER}
            ! Refer 2001
        . answer_refer 202
            < 202 REFER 2
            < NOTIFY 1
        > 200 NOTIFY
        +179000
        ~ 2000
            < NOTIFY 2
        > 200 NOTIFY
        > BYE 3
            < 200 BYE 3
            ! Over Bye",
    ));
    ladder.rest();
    assert!(ladder.last("NOTIFY 2").ends_with("SIP/2.0 408 Request Timeout\r\n"));
}

#[test]
fn a_transfer_whose_time_is_up_while_a_notify_is_unanswered_ends_with_it() {
    let begun = format!(
        "> INVITE 1 sdp
            < 100 INVITE 1
            ! Incoming sdp
        . accept
            < 200 INVITE 1 sdp
        > ACK 1
            ! Confirmed
        {REFER}
            ! Refer 2001
        . answer_refer 202
            < 202 REFER 2
            < NOTIFY 1
        > 200 NOTIFY
        +170000
        . news 180
            < NOTIFY 2"
    );
    let hangs_up = "> BYE 3
            < 200 BYE 3
            ! Over Bye";
    let table = [
        ("it answers then", format!("+20000\n> 200 NOTIFY\n< NOTIFY 3\n> 200 NOTIFY\n{hangs_up}")),
        ("it never answers", format!("+40000\n{hangs_up}")),
        ("it has hung up", format!("{hangs_up}\n+20000\n> 200 NOTIFY\n< NOTIFY 3\n> 200 NOTIFY")),
        ("it has hung up and never answers", format!("{hangs_up}\n+40000")),
    ];
    for (case, ends) in table {
        let mut ladder = Ladder::new(tcp("192.0.2.7:5060", 5));
        ladder.play(&format!("{begun}\n{ends}"));
        ladder.rest();
        if case.ends_with("then") {
            assert!(ladder.last("NOTIFY 3").ends_with("SIP/2.0 408 Request Timeout\r\n"), "{case}");
        }
    }
}

#[test]
fn what_a_refer_may_not_ask_is_known_as_such() {
    let mut ladder = up();
    ladder.play(
        "> REFER 2
            ! Refer nowhere 400
        . answer_refer 400
            < 400 REFER 2
        > REFER 3 refer=sip:2001@198.51.100.1
            ! Refer nowhere 603
        . answer_refer 603
            < 603 REFER 3
        > REFER 4 refer=http://example.com/
            ! Refer nowhere 603
        . answer_refer 603
            < 603 REFER 4
        > REFER 5 refer=sip:2001@192.0.2.1;method=BYE
            ! Refer nowhere 603
        . answer_refer 603
            < 603 REFER 5
        > REFER 6 refer=sip:2001@192.0.2.1?Replaces=none%3Bto-tag%3D0123456789abcdef%3Bfrom-tag%3Dx
            ! Refer nowhere 603
        . answer_refer 603
            < 603 REFER 6
        > BYE 7
            < 200 BYE 7
            ! Over Bye",
    );
    ladder.rest();
}

#[test]
fn the_call_that_replaces_names_is_found_by_its_tags_either_way() {
    for swapped in [false, true] {
        let mut ladder = up();
        let ours = ladder.our_tag.clone();
        let (to, from) = if swapped { ("peer", ours.as_str()) } else { (ours.as_str(), "peer") };
        ladder.play(&format!(
            "> REFER 2 refer=sip:x@198.51.100.1?Replaces=call%40192.0.2.7%3Bto-tag%3D{to}%3Bfrom-tag%3D{from}
                ! Refer leg 1
            . answer_refer 603
                < 603 REFER 2
            > BYE 3
                < 200 BYE 3
                ! Over Bye",
        ));
        ladder.rest();
    }
}

#[test]
fn news_of_the_end_goes_before_the_end() {
    let mut ladder = up();
    ladder.play(&format!(
        "{REFER}
            ! Refer 2001
        . answer_refer 202
            < 202 REFER 2
            < NOTIFY 1
        . news 180
        . news 200
        . hang_up
            < NOTIFY 2
            < BYE 3
        > 200 NOTIFY
        > 200 BYE
            ! Over ByUs",
    ));
    assert!(ladder.last("NOTIFY 2").ends_with("SIP/2.0 200 OK\r\n"));
    ladder.rest();
}
