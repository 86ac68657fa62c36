//! A phone sends its call on by 3xx.

use super::{Ladder, SDP, at, directory, settings, udp};
use crate::base::{LegId, Rng};
use crate::sip::api::{Effect, LegEvent, Outgoing};
use crate::sip::trunk::{Server, Upstream};
use crate::sip::{Endpoint, Host};
use bytes::Bytes;

/// Phones 2000 and 2001 are fixed; only they are ours.
fn phone(script: &str) -> Ladder {
    Ladder::run(udp("192.0.2.8:5080"), script)
}

#[test]
fn a_phone_sends_its_call_on_to_another_of_ours_and_the_leg_stays_the_same() {
    let ladder = phone(
        "
        . dial 2000
        < INVITE 1 sdp
        > 180 INVITE
        ! Progress 180
        > 302 INVITE contact=sip:2001@192.0.2.1
        < ACK 1
        < INVITE 2 sdp
        > 180 INVITE tag=b
        ! Progress 180
        > 200 INVITE sdp tag=b contact=sip:2001@192.0.2.8:5080
        < ACK 2
        ! Answered sdp
        . hang_up
        < BYE 3
        > 200 BYE
        ! Over ByUs
    ",
    );
    let (first, second) = (ladder.last("INVITE 1"), ladder.last("INVITE 2"));
    assert!(second.starts_with("INVITE sip:2001@192.0.2.8:5080;transport=tcp SIP/2.0"), "{second}");
    assert!(second.contains("Via: SIP/2.0/TCP "), "by the way that phone is reached: {second}");
    let part = |text: &str, name: &str| {
        text.lines().find(|line| line.starts_with(name)).map(ToOwned::to_owned)
    };
    for name in ["From:", "To:", "Call-ID:", "o="] {
        assert_eq!(part(&first, name), part(&second, name));
    }
}

#[test]
fn no_phone_sends_a_call_outside() {
    for outside in [
        "sip:0312345678@192.0.2.1", // a number of the world
        "sip:2001@198.51.100.1",    // another's address
        "sip:2001@192.0.2.8:5999",  // another port of that host
        "sips:2001@192.0.2.1",
        "tel:2001",
        "sip:192.0.2.1",
        "sip:1000@192.0.2.1", // ours, but nobody is there
        "sip:2000@192.0.2.1", // itself
        "none",
    ] {
        phone(&format!(
            "
            . dial 2000
            < INVITE 1 sdp
            > 302 INVITE contact={outside}
            < ACK 1
            ! Refused 302
        "
        ));
    }
}

#[test]
fn the_failure_of_one_place_leads_to_the_next_and_a_hang_up_to_none() {
    phone(
        "
        . dial 2001
        < INVITE 1 sdp
        > 300 INVITE contact=sip:2000@192.0.2.8:5080
        < ACK 1
        < INVITE 2 sdp
        > 302 INVITE contact=sip:2001@192.0.2.1     // back again: a loop
        < ACK 2
        ! Refused 302
    ",
    );
    phone(
        "
        . dial 2001
        < INVITE 1 sdp
        > 180 INVITE
        ! Progress 180
        . hang_up
        < CANCEL 1
        > 200 CANCEL
        > 302 INVITE contact=sip:2000@192.0.2.1
        < ACK 1
        ! Refused 487
    ",
    );
}

#[test]
fn a_carrier_sends_no_call_on_not_even_to_us() {
    let mut directory = directory();
    for trunk in &mut directory.trunks {
        trunk.upstream = Some(Upstream {
            servers: Server::parse("udp:192.0.2.7:5060").into_iter().collect(),
            domain: Host::Name("carrier.example".into()),
            user: "0312345678".to_owned(),
            login: None,
            options_every: std::time::Duration::ZERO,
        });
    }
    let mut ladder = Ladder::new(udp("192.0.2.7:5060"));
    ladder.endpoint = Endpoint::new(settings(), directory, Rng::from_number(7));
    let call = Outgoing {
        trunk: "carrier".into(),
        number: "0398765432".into(),
        caller: None,
        withhold: None,
        emergency: false,
    };
    let (now, mut out) = (at(0), Vec::new());
    let sdp = Bytes::from_static(SDP.as_bytes());
    ladder.endpoint.dial_outside(LegId(2), &call, sdp, now, &mut out).expect("a carrier");
    let Some(Effect::Send { flow, bytes, .. }) = out.pop() else { panic!("no INVITE: {out:?}") };
    ladder.note(flow, &bytes);
    let moved = ladder.response(302, &["INVITE", "contact=sip:2000@192.0.2.1"]);
    ladder.endpoint.receive(flow, moved, false, now, &mut out);
    let told: Vec<_> = out
        .iter()
        .filter_map(|effect| match effect {
            Effect::Leg { event, .. } => Some(event),
            _ => None,
        })
        .collect();
    assert!(matches!(told[..], [LegEvent::Refused { status: 302 }]), "{out:?}");
}
