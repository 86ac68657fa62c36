//! Requests that are too long for a datagram.

use super::{address, at, directory, line, settings};
use crate::base::{LegId, Rng};
use crate::sip::api::{Effect, Flow, Shown, Transport};
use crate::sip::endpoint::Endpoint;
use bytes::Bytes;

/// Calls the fixed phone 2000; which ways the INVITE goes.
fn dialled(endpoint: &mut Endpoint, leg: u64, sdp: &str, ms: u64) -> Vec<(Flow, String)> {
    let shown = Shown { user: "1".to_owned().into(), name: None };
    let (mut out, sdp) = (Vec::new(), Bytes::copy_from_slice(sdp.as_bytes()));
    endpoint
        .dial(LegId(leg), &"2000".into(), &shown, Some(sdp), at(ms), &mut out)
        .expect("a phone");
    sent(out)
}

fn sent(out: Vec<Effect>) -> Vec<(Flow, String)> {
    out.into_iter()
        .filter_map(|effect| match effect {
            Effect::Send { flow, bytes, .. } => {
                let via =
                    String::from_utf8_lossy(&bytes).lines().nth(1).unwrap_or_default().to_owned();
                let via = via.split(';').next().unwrap_or_default().to_owned();
                Some((flow, format!("{} {via}", line(&bytes))))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn a_long_invite_goes_by_tcp_and_by_udp_where_there_is_no_tcp() {
    let mut endpoint = Endpoint::new(settings(), directory(), Rng::from_number(3));
    let remote = address("192.0.2.8:5080");
    let udp = Flow { transport: Transport::Udp, listener: 0, remote, connection: 0 };
    let tcp = Flow { transport: Transport::Tcp, listener: 1, remote, connection: 0 };
    let by = |word: &str| format!("INVITE 1 sdp Via: SIP/2.0/{word} 192.0.2.1:5060");
    let long = format!("v=0\r\n{}", "a=rtpmap:101 telephone-event/8000\r\n".repeat(40));

    assert_eq!(dialled(&mut endpoint, 2, super::SDP, 0), [(udp, by("UDP"))], "a short one");
    assert_eq!(dialled(&mut endpoint, 4, &long, 0), [(tcp, by("TCP"))]);
    let mut out = Vec::new();
    endpoint.unsendable(tcp, at(10), &mut out);
    assert!(
        !out.iter().any(|effect| matches!(effect, Effect::Leg { .. })),
        "the leg lives: {out:?}"
    );
    assert_eq!(sent(out), [(udp, by("UDP"))]);
    // It is repeated as a datagram is, and the next does not try again for a while.
    let mut out = Vec::new();
    endpoint.tick(at(511), &mut out);
    assert!(sent(out).contains(&(udp, by("UDP"))));
    assert_eq!(dialled(&mut endpoint, 6, &long, 1_000), [(udp, by("UDP"))]);
    endpoint.tick(at(700_000), &mut Vec::new());
    assert_eq!(dialled(&mut endpoint, 8, &long, 700_000), [(tcp, by("TCP"))]);
    // A connection that breaks before anything was heard sends it back as well; a second word of it
    // changes nothing.
    let made = Flow { connection: 7, ..tcp };
    for want in [vec![(udp, by("UDP"))], Vec::new()] {
        let mut out = Vec::new();
        endpoint.flow_lost(made, at(700_100), &mut out);
        assert_eq!(sent(out), want);
    }
}
