//! Calls over TCP: connections that break, come back, or never open.

use super::{Ladder, address, tcp};

fn caller() -> Ladder {
    Ladder::new(tcp("192.0.2.7:5060", 5))
}

#[test]
fn a_call_over_tcp_leaves_nothing_behind_at_once() {
    let mut ladder = caller();
    ladder.play(
        "
        > INVITE 1 sdp
        < 100 INVITE 1
        ! Incoming sdp
        . refuse 486
        < 486 INVITE 1
        ! Over ByUs
        +2000
        > ACK 1 fail
    ",
    );
    assert_eq!(ladder.endpoint.gauges().server_transactions, 0, "timer I is zero");
    ladder.rest();
}

#[test]
fn a_caller_whose_connection_breaks_is_looked_for_before_an_agent_is_rung() {
    let mut ladder = caller();
    ladder.flow.remote = address("192.0.2.7:33333"); // a connection comes from any port
    let mut directory = super::directory();
    directory.trunks[0].sources = vec![address("192.0.2.7:0")];
    ladder.endpoint.set_directory(directory, crate::base::Mono::ZERO);
    ladder.play(
        "
        > INVITE 1 sdp
        < 100 INVITE 1
        ! Incoming sdp
        . ring
        < 180 INVITE 1
        . lost
        < 180 INVITE 1
    ",
    );
    let flow = ladder.last_flow("180");
    assert_eq!(
        (flow.connection, flow.remote),
        (0, address("192.0.2.7:5060")),
        "where its Via listens"
    );
    ladder.play(
        "
        . unsendable
        ! Over Lost
    ",
    );
    ladder.rest();
}

#[test]
fn a_phone_comes_back_on_a_new_connection() {
    let mut ladder = caller();
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
    ",
    );
    ladder.flow = tcp("192.0.2.7:41000", 6);
    ladder.play(
        "
        > INFO 2
        < 200 INFO 2
        . hang_up
        < BYE 1
        > 200 BYE
        ! Over ByUs
    ",
    );
    assert_eq!(ladder.last_flow("BYE"), ladder.flow);
    ladder.rest();
}

#[test]
fn a_phone_that_cannot_be_connected_refuses_at_once() {
    let mut ladder = Ladder::new(tcp("192.0.2.8:5080", 9));
    ladder.play(
        "
        . dial 2001
        < INVITE 1 sdp
        . unsendable
        ! Refused 503
    ",
    );
    ladder.rest();
    // The connection opens, and breaks before the phone says a word.
    let mut ladder = Ladder::new(tcp("192.0.2.8:5080", 0));
    ladder.play(
        "
        . dial 2001
        < INVITE 1 sdp
        . lost
        ! Refused 503
    ",
    );
    ladder.rest();
}

#[test]
fn in_a_call_the_connection_that_opened_is_used_on() {
    let mut ladder = Ladder::new(tcp("192.0.2.8:5080", 9));
    ladder.play(
        "
        . dial 2001
        < INVITE 1 sdp
        > 180 INVITE
        ! Progress 180
        > 200 INVITE sdp contact=sip:x@192.0.2.8:5080;transport=tcp
        < ACK 1
        ! Answered sdp
        . hang_up
        < BYE 2
        . lost
        ! Over ByUs
    ",
    );
    assert_eq!(ladder.last_flow("ACK"), ladder.flow);
    ladder.rest();
}
