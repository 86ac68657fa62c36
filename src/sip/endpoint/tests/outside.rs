//! Calls to a carrier, and calls that it brings.

use super::{Ladder, directory, settings, udp};
use crate::base::{Private, Rng};
use crate::sip::trunk::{Login, Profile, Server, Upstream};
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
