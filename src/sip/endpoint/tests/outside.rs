//! Calls to a carrier, and calls that it brings.

use super::{Ladder, address, at, directory, settings, tcp, udp};
use crate::base::{Private, Rng};
use crate::sip::api::Transport;
use crate::sip::trunk::{Answer, Found, Login, Profile, Server, Upstream};
use crate::sip::{Endpoint, Host};
use std::time::Duration;

/// The carrier at 192.0.2.7, where we are 0312345678 with a password.
fn carrier(profile: Profile) -> Ladder {
    let mut directory = directory();
    for trunk in &mut directory.trunks {
        trunk.profile = profile.clone();
        trunk.upstream = Some(Upstream {
            servers: Server::parse("udp:192.0.2.7:5060").into_iter().collect(),
            domain: Host::Name("carrier.example".into()),
            user: "0312345678".to_owned(),
            login: Some(Login {
                user: "0312345678".to_owned(),
                realm: "carrier.example".to_owned(),
                password: Private::new("secret".to_owned()),
            }),
            options_every: Duration::ZERO,
        });
    }
    let mut ladder = Ladder::new(udp("192.0.2.7:5060"));
    ladder.endpoint = Endpoint::new(settings(), directory, Rng::from_number(7));
    ladder
}

fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[test]
fn a_carrier_that_bears_only_long_sessions_is_asked_by_its_own_profile() {
    let profile = |expires_s: Option<u64>, least_s: u64| Profile {
        session_expires: expires_s.map(Duration::from_secs),
        min_se: Duration::from_secs(least_s),
        ..Profile::generic_ip()
    };
    // What the profile asks, what the carrier bears, what is asked then: the desk's own half hour is
    // nothing to it.
    for (expires_s, least_s, want_s) in [(300, 400, "400"), (3_600, 400, "3600")] {
        let mut ladder = carrier(profile(Some(expires_s), 90));
        ladder.play(&format!(
            "
            . dial_outside 0398765432
            < INVITE 1 sdp
            > 422 INVITE h:Min-SE={least_s}
            < ACK 1
            < INVITE 2 sdp
            > 486 INVITE
            < ACK 2
            ! Refused 486
        "
        ));
        let invite = ladder.last("INVITE 2");
        assert_eq!(value(&invite, "Session-Expires"), Some(want_s), "{invite}");
        assert_eq!(value(&invite, "Min-SE"), Some("400"), "{invite}");
        ladder.rest();
    }
    // Off is off: nothing is asked, and a 422 is a refusal.
    let mut ladder = carrier(profile(None, 90));
    ladder.play(
        "
        . dial_outside 0398765432
        < INVITE 1 sdp
        > 422 INVITE h:Min-SE=400
        < ACK 1
        ! Refused 422
    ",
    );
    let invite = ladder.last("INVITE 1");
    assert_eq!(value(&invite, "Session-Expires"), None, "{invite}");
    assert_eq!(value(&invite, "Min-SE"), None, "{invite}");
    ladder.rest();
}

const ASKS: &str =
    "h:Proxy-Authenticate=Digest_realm=\"carrier.example\",_nonce=\"n1\",_qop=\"auth\"";

/// RFC 3261 §22.2 and §22.3: a carrier may ask who we are at any request, not only at the INVITE.
#[test]
fn a_carrier_that_asks_for_a_password_inside_a_call_gets_it_once() {
    let mut ladder = carrier(Profile::generic_ip());
    ladder.play(&format!(
        "
        . dial_outside 0398765432
        < INVITE 1 sdp
        > 407 INVITE {ASKS}
        < ACK 1
        < INVITE 2 sdp
        > 183 INVITE sdp rseq=1
        < PRACK 3
        ! Progress 183 sdp
        > 407 PRACK {ASKS}
        < PRACK 4
        > 200 PRACK
        > 200 INVITE
        < ACK 2
        ! Answered sdp
        . offer
        < INVITE 5 sdp
        > 401 INVITE {www}
        < ACK 5
        < INVITE 6 sdp
        > 200 INVITE sdp
        < ACK 6
        ! OfferAnswered sdp
        . hang_up
        < BYE 7
        > 407 BYE {ASKS}
        < BYE 8
        > 407 BYE {ASKS}          // it is not believed: the call is over all the same
        ! Over ByUs
    ",
        www = ASKS.replace("Proxy-", "WWW-"),
    ));
    let proves = |words: &str, name: &str| {
        let message = ladder.last(words);
        assert!(value(&message, name).is_some_and(|v| v.contains("nonce=\"n1\"")), "{message}");
    };
    for request in ["INVITE 2", "ACK 2", "PRACK 4", "BYE 8"] {
        proves(request, "Proxy-Authorization");
    }
    for request in ["INVITE 6", "ACK 6"] {
        proves(request, "Authorization");
    }
    // Nobody asked at these.
    for request in ["INVITE 1", "INVITE 5", "BYE 7"] {
        let message = ladder.last(request);
        assert!(!message.contains("uthorization:"), "{message}");
    }
    ladder.rest();
}

#[test]
fn a_refresh_that_is_challenged_keeps_the_call() {
    let mut ladder = carrier(Profile::generic_ip());
    let timer = "h:Session-Expires=300;refresher=uac h:Allow=INVITE,UPDATE,BYE";
    ladder.play(&format!(
        "
        . dial_outside 0398765432
        < INVITE 1 sdp
        > 200 INVITE sdp {timer}
        < ACK 1
        ! Answered sdp
        +150000
        < UPDATE 2
        > 407 UPDATE {ASKS}
        < UPDATE 3
        > 200 UPDATE h:Session-Expires=300;refresher=uac
        +149000
        . hang_up
        < BYE 4
        > 200 BYE
        ! Over ByUs
    "
    ));
    ladder.rest();
}

#[test]
fn a_call_that_the_carrier_brought_is_ended_though_it_asks_for_a_password() {
    let mut ladder = carrier(Profile::generic_ip());
    ladder.play(&format!(
        "
        > INVITE 1 sdp
        < 100 INVITE 1
        ! Incoming sdp
        . accept
        < 200 INVITE 1 sdp
        > ACK 1
        ! Confirmed
        . hang_up
        < BYE 1
        > 401 BYE {www}
        < BYE 2
        > 200 BYE
        ! Over ByUs
    ",
        www = ASKS.replace("Proxy-", "WWW-"),
    ));
    ladder.rest();
}

/// A password is no phone's to ask for, and no other realm's.
#[test]
fn nobody_but_the_carrier_is_answered() {
    for asks in [ASKS.replace("carrier.example", "evil.example"), String::new()] {
        let mut ladder = carrier(Profile::generic_ip());
        ladder.play(&format!(
            "
            . dial_outside 0398765432
            < INVITE 1 sdp
            > 200 INVITE sdp
            < ACK 1
            ! Answered sdp
            . hang_up
            < BYE 2
            > 407 BYE {asks}
            ! Over ByUs
        "
        ));
        ladder.rest();
    }
    Ladder::run(
        udp("192.0.2.8:5080"),
        &format!(
            "
        . dial 2000
        < INVITE 1 sdp
        > 200 INVITE sdp
        < ACK 1
        ! Answered sdp
        . hang_up
        < BYE 2
        > 407 BYE {ASKS}
        ! Over ByUs
    "
        ),
    );
}

#[test]
fn an_interval_that_is_too_small_after_the_password_costs_no_second_password() {
    let mut ladder = carrier(Profile::generic_ip());
    ladder.play(&format!(
        "
        . dial_outside 0398765432
        < INVITE 1 sdp
        > 407 INVITE {ASKS}
        < ACK 1
        < INVITE 2 sdp
        > 422 INVITE h:Min-SE=3600
        < ACK 2
        < INVITE 3 sdp
        > 486 INVITE
        < ACK 3
        ! Refused 486
    "
    ));
    let invite = ladder.last("INVITE 3");
    assert_eq!(value(&invite, "Session-Expires"), Some("3600"), "{invite}");
    assert!(invite.contains("nc=00000002"), "the nonce counts on: {invite}");
    ladder.rest();
}

/// The resolver says that the name leads there.
fn finds(ladder: &mut Ladder, server: &str, to: &str) {
    let server = Server::parse(server).expect("a server");
    let transport = server.transport.unwrap_or(Transport::Udp);
    let found = vec![Found { transport, address: address(to), priority: 0, weight: 0 }];
    let answer = Answer { found, ttl: Duration::from_secs(600) };
    ladder.endpoint.looked_up(&server, Some(answer), at(ladder.ms));
}

/// RFC 3261 §12.2.1.1, RFC 3263 §4: a connection that breaks is made anew to the name in Contact or Route.
#[test]
fn the_end_of_a_call_finds_a_carrier_by_the_name_it_gave_when_its_connection_broke() {
    for (more, server) in [
        ("contact=sip:peer@sbc.carrier.example;transport=tcp", "tcp:sbc.carrier.example"),
        ("rr=<sip:edge.carrier.example:5070;transport=tcp;lr>", "tcp:edge.carrier.example:5070"),
    ] {
        let mut directory = directory();
        directory.trunks[0].sources = vec![address("192.0.2.7:0")];
        let mut ladder = Ladder::new(tcp("192.0.2.7:40123", 3));
        ladder.endpoint = Endpoint::new(settings(), directory, Rng::from_number(7));
        ladder.play(&format!(
            "
            > INVITE 1 sdp {more}
            < 100 INVITE 1
            ! Incoming sdp
            . accept
            < 200 INVITE 1 sdp
            > ACK 1
            ! Confirmed
            +1
            ! LookUp {server}
        "
        ));
        finds(&mut ladder, server, "192.0.2.99:5070");
        ladder.play(
            "
            . lost
            . hang_up
            < BYE 1
        ",
        );
        let flow = ladder.last_flow("BYE 1");
        assert_eq!((flow.remote, flow.connection), (address("192.0.2.99:5070"), 0));
        ladder.flow = tcp("192.0.2.99:5070", 4);
        ladder.play(
            "
            > 200 BYE
            ! Over ByUs
        ",
        );
    }
}

#[test]
fn a_fixed_phone_that_gives_a_name_is_reached_there_once_that_is_known() {
    let mut ladder = Ladder::new(udp("192.0.2.8:5080"));
    ladder.play(
        "
        . dial 2000
        < INVITE 1 sdp
        > 200 INVITE sdp contact=sip:2000@phone.desk.example:5099
        < ACK 1                       // it does not wait for the DNS
        ! Answered sdp
        +1
        ! LookUp udp:phone.desk.example:5099
    ",
    );
    assert_eq!(ladder.last_flow("ACK 1").remote, address("192.0.2.8:5080"));
    finds(&mut ladder, "udp:phone.desk.example:5099", "192.0.2.55:5099");
    ladder.play(
        "
        . hang_up
        < BYE 2
    ",
    );
    assert_eq!(ladder.last_flow("BYE 2").remote, address("192.0.2.55:5099"));
    ladder.play(
        "
        > 200 BYE
        ! Over ByUs
    ",
    );
}

/// RFC 2606 §2: some write a name that is none, and no resolver is asked for it.
#[test]
fn a_name_that_means_nobody_is_not_looked_up() {
    let mut directory = directory();
    directory.trunks[0].sources = vec![address("192.0.2.7:0")];
    let mut ladder = Ladder::new(tcp("192.0.2.7:40123", 3));
    ladder.endpoint = Endpoint::new(settings(), directory, Rng::from_number(7));
    ladder.play(
        "
        > INVITE 1 sdp contact=sip:peer@browser.invalid;transport=tcp
        < 100 INVITE 1
        ! Incoming sdp
        . accept
        < 200 INVITE 1 sdp
        > ACK 1
        ! Confirmed
        +1000
        . hang_up
        < BYE 1
        > 200 BYE
        ! Over ByUs
    ",
    );
    ladder.rest();
}
