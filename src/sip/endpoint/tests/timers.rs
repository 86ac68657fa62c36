//! Session timers (RFC 4028): 422 both ways, who refreshes and by what, and the end of a call that
//! nobody refreshes.

use super::{Ladder, settings, udp};
use crate::base::Rng;
use crate::sip::Endpoint;
use crate::sip::api::{SessionPolicy, Settings};

/// An endpoint that asks for half an hour.
fn asking(remote: &str, script: &str) -> Ladder {
    let session = SessionPolicy { expires_s: Some(1_800), ..SessionPolicy::default() };
    let settings = Settings { session, ..settings() };
    let mut ladder = Ladder::new(udp(remote));
    ladder.endpoint = Endpoint::new(settings, super::directory(), Rng::from_number(7));
    ladder.play(script);
    ladder.rest();
    ladder
}

fn carrier(script: &str) -> Ladder {
    asking("192.0.2.7:5060", script)
}

fn phone(script: &str) -> Ladder {
    asking("192.0.2.8:5080", script)
}

/// A call of the carrier's, answered; `headers` are the INVITE's.
fn called(headers: &str) -> String {
    format!(
        "
        > INVITE 1 sdp {headers}
        < 100 INVITE 1
        ! Incoming sdp
        . accept
        < 200 INVITE 1 sdp
        > ACK 1
        ! Confirmed
    "
    )
}

#[test]
fn a_carrier_that_refreshes_every_five_minutes_is_taken_at_its_word() {
    let ngn = called(
        "h:Supported=timer,100rel h:Session-Expires=300;refresher=uac h:Min-SE=300 h:Allow=UPDATE",
    );
    let ladder = carrier(&format!(
        "{ngn}
        +150000
        > UPDATE 2 h:Supported=timer h:Session-Expires=300;refresher=uac h:Min-SE=300
        < 200 UPDATE 2
        +267999                     // 300 s less 32 s after the refresh
        > UPDATE 3 h:Supported=timer h:Session-Expires=300;refresher=uac h:Min-SE=300
        < 200 UPDATE 3
        +267999
        +1
        < BYE 1
        ! Over Lost
        > 200 BYE
    "
    ));
    for answer in ["200 INVITE", "200 UPDATE"] {
        let answer = ladder.last(answer);
        assert!(answer.contains("\r\nSession-Expires: 300;refresher=uac\r\n"), "{answer}");
        assert!(answer.contains("\r\nRequire: timer\r\n"), "{answer}");
    }
    let bye = ladder.last("BYE");
    assert!(bye.contains("\r\nReason: SIP;cause=408;text=\"Session Expired\"\r\n"), "{bye}");
}

#[test]
fn an_interval_too_small_is_refused_with_the_least_that_we_bear() {
    let ladder = carrier(
        "
        > INVITE 1 sdp h:Supported=timer h:Session-Expires=60
        < 422 INVITE 1
        > ACK 1 fail
    ",
    );
    assert!(ladder.last("422").contains("\r\nMin-SE: 90\r\n"));
    // Inside a call too; the call goes on as it was.
    let ladder = carrier(&format!(
        "{}
        > UPDATE 2 h:Supported=timer h:Session-Expires=30
        < 422 UPDATE 2
        > INVITE 3 sdp h:Supported=timer h:Session-Expires=30
        < 422 INVITE 3
        > ACK 3 fail
        > BYE 4
        < 200 BYE 4
        ! Over Bye
    ",
        called("")
    ));
    assert!(ladder.last("422 INVITE").contains("\r\nMin-SE: 90\r\n"));
    assert!(!ladder.last("200 INVITE").contains("Session-Expires"), "a caller who knows no timers");
}

#[test]
fn we_refresh_by_update_where_the_caller_takes_it() {
    let ladder = carrier(&format!(
        "{}
        +899999
        +1
        < UPDATE 1
        > 200 UPDATE h:Session-Expires=1800;refresher=uac
        . offer                     // a hold in between counts as a refresh
        < INVITE 2 sdp
        > 200 INVITE sdp h:Session-Expires=1800;refresher=uac
        < ACK 2
        ! OfferAnswered sdp
        +900000
        < UPDATE 3
        > 481 UPDATE
        < BYE 4
        ! Over Lost
        > 481 BYE
    ",
        called("h:Supported=timer h:Allow=INVITE,UPDATE")
    ));
    let (answer, update) = (ladder.last("200 INVITE"), ladder.last("UPDATE 1"));
    assert!(answer.contains("\r\nSession-Expires: 1800;refresher=uas\r\n"), "{answer}");
    assert!(update.contains("\r\nSession-Expires: 1800;refresher=uac\r\n"), "{update}");
    assert!(ladder.last("INVITE 2").contains("\r\nSession-Expires: 1800;refresher=uac\r\n"));
}

#[test]
fn we_refresh_by_a_reinvite_that_changes_nothing_where_it_does_not() {
    let ladder = phone(
        "
        . dial 2000
        < INVITE 1 sdp
        > 200 INVITE sdp h:Session-Expires=300;refresher=uac
        < ACK 1
        ! Answered sdp
        +150000
        < INVITE 2 sdp
        > 488 INVITE                // it does not like it now; the call goes on
        < ACK 2
        +9999
        +1
        < INVITE 3 sdp
        > INVITE 7 sdp              // it holds in the same moment
        < 491 INVITE 7
        > ACK 7 fail
        > 491 INVITE
        < ACK 3
        > INVITE 8 sdp              // its hold goes first, and shows that it is there
        ! Offer sdp
        . answer_offer
        < 200 INVITE 8 sdp
        > ACK 8
        +149999
        +1
        < INVITE 4 sdp
        > 200 INVITE sdp h:Session-Expires=300;refresher=uac
        < ACK 4
        ! OfferAnswered sdp
        +149999
        . hang_up
        < BYE 5
        > 200 BYE
        ! Over ByUs
    ",
    );
    assert!(ladder.last("INVITE 1").contains("\r\nSession-Expires: 1800\r\n"));
    let body = |text: String| text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    assert_eq!(body(ladder.last("INVITE 4")), body(ladder.last("INVITE 2")));
}

#[test]
fn a_phone_that_takes_no_update_after_all_is_asked_by_reinvite() {
    phone(
        "
        . dial 2000
        < INVITE 1 sdp
        > 200 INVITE sdp h:Session-Expires=300;refresher=uac h:Allow=UPDATE
        < ACK 1
        ! Answered sdp
        +150000
        < UPDATE 2
        > 405 UPDATE
        ~ 0
        < INVITE 3 sdp
        > 200 INVITE sdp            // and it keeps no timer any more
        < ACK 3
        ! OfferAnswered sdp
        +3600000
        . hang_up
        < BYE 4
        > 200 BYE
        ! Over ByUs
    ",
    );
}

#[test]
fn a_phone_that_bears_only_longer_intervals_gets_them() {
    let ladder = phone(
        "
        . dial 2000
        < INVITE 1 sdp
        > 422 INVITE h:Min-SE=3600
        < ACK 1
        < INVITE 2 sdp
        > 422 INVITE h:Min-SE=7200
        < ACK 2
        < INVITE 3 sdp
        > 180 INVITE tag=b
        ! Progress 180
        > 200 INVITE sdp tag=b h:Session-Expires=7200;refresher=uac h:Allow=UPDATE
        < ACK 3
        ! Answered sdp
        +3600000
        < UPDATE 4
        > 422 UPDATE h:Min-SE=9000
        < UPDATE 5
        > 200 UPDATE h:Session-Expires=9000;refresher=uac
        . hang_up
        < BYE 6
        > 200 BYE
        ! Over ByUs
    ",
    );
    let (again, update) = (ladder.last("INVITE 3"), ladder.last("UPDATE 5"));
    for due in ["\r\nSession-Expires: 7200\r\n", "\r\nMin-SE: 7200\r\n", "\r\n\r\nv=0"] {
        assert!(again.contains(due), "{due} in\n{again}");
    }
    assert!(update.contains("\r\nSession-Expires: 9000;refresher=uac\r\n"), "{update}");
    assert!(update.contains("\r\nMin-SE: 9000\r\n"), "{update}");
    // It cannot be satisfied: that is its answer.
    phone(
        "
        . dial 2000
        < INVITE 1 sdp
        > 422 INVITE h:Min-SE=1801
        < ACK 1
        < INVITE 2 sdp
        > 422 INVITE h:Min-SE=1802
        < ACK 2
        < INVITE 3 sdp
        > 422 INVITE h:Min-SE=1803
        < ACK 3
        ! Refused 422
    ",
    );
}

#[test]
fn a_phone_that_refreshes_not_is_hung_up() {
    let refreshed = "> INVITE 7 sdp h:Supported=timer h:Session-Expires=300;refresher=uac
        ! Offer sdp
        . answer_offer
        < 200 INVITE 7 sdp
        > ACK 7";
    phone(&format!(
        "
        . dial 2000
        < INVITE 1 sdp
        > 200 INVITE sdp h:Session-Expires=300;refresher=uas
        < ACK 1
        ! Answered sdp
        +200000
        {refreshed}
        +267999
        +1
        < BYE 2
        ! Over Lost
        > 200 BYE
    "
    ));
}
