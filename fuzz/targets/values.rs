//! Values inside a message: what is read is written back and read again as the same.

use crate::base::{Mono, Rng};
use crate::sip::digest::{Algorithm, Authenticator, Challenge, Ha1, Verdict};
use crate::sip::{AnyUri, Method, NameAddr, Uri, Via};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Whom challenges go to.
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

/// A URI alone, and as the address of a header.
pub fn uri(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(uri) = Uri::parse(text) {
            let written = uri.to_string();
            let again = Uri::parse(&written).expect("our own writing is read");
            assert_eq!(again.to_string(), written);
            assert!(uri.equivalent(&again) && again.equivalent(&uri), "{text:?}");
            assert_eq!(uri.user(), again.user());
            assert!(!written.contains(['\r', '\n']), "{written:?}");
            let _ = (uri.header("Replaces"), uri.socket_addr(), uri.port(), uri.headers());
            let target = uri.into_target().to_string();
            assert!(Uri::parse(&target).is_ok(), "{target:?}");
        }
        if let Ok(uri) = AnyUri::parse(text) {
            let again = AnyUri::parse(&uri.to_string()).expect("our own writing is read");
            assert_eq!(again.to_string(), uri.to_string());
        }
    }
    // The gate lets no such byte through.
    if data.iter().any(u8::is_ascii_control) {
        return;
    }
    if let Ok(address) = NameAddr::parse(data, "From") {
        let written = address.to_string();
        let again = NameAddr::parse(written.as_bytes(), "From");
        let again = again.unwrap_or_else(|error| panic!("{error} in our own {written:?}"));
        assert_eq!(again.tag(), address.tag());
        assert_eq!(again.uri.to_string(), address.uri.to_string());
        assert_eq!(again.to_string(), written);
        assert!(!written.contains(['\r', '\n']), "{written:?}");
    }
}

/// One Via value, also after it was stamped with where its message came from.
pub fn via(data: &[u8]) {
    // The gate lets no such byte through.
    if data.iter().any(u8::is_ascii_control) {
        return;
    }
    let Ok(mut via) = Via::parse(data) else { return };
    let written = via.to_string();
    assert_eq!(Via::parse(written.as_bytes()).as_ref(), Ok(&via), "{written:?}");
    let port = u16::from(data.first().copied().unwrap_or(1)).max(1);
    for source in [
        SocketAddr::from(([192, 0, 2, 7], port)),
        SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 7], port)),
    ] {
        let asked = via.asks_rport();
        via.stamp(source);
        let stamped = via.to_string();
        let read = Via::parse(stamped.as_bytes());
        let read = read.unwrap_or_else(|error| panic!("{error} in our own {stamped:?}"));
        // RFC 3581 §4: who asks for rport is told both.
        if asked {
            assert_eq!((read.rport(), read.received()), (Some(port), Some(source.ip())));
        }
        assert!(!stamped.contains(['\r', '\n']), "{stamped:?}");
    }
}

/// Authorization values, one a line: none is taken for the password. And as a challenge to us: what
/// we answer can be read.
pub fn auth(data: &[u8]) {
    let hash = Ha1::new("1000", "desk.example", "no fuzzer guesses this");
    let mut authenticator = Authenticator::new("desk.example", [7; 32]);
    let uri = AnyUri::parse("sip:desk.example").expect("a URI");
    let values = || data.split(|byte| *byte == b'\n');
    let lookup = |user: &str| (user == "1000").then_some(&hash);
    let verdict =
        authenticator.check(&Method::Register, &uri, values(), PEER, Mono(1_000_000), lookup);
    assert!(!matches!(verdict, Verdict::Granted { .. }), "{verdict:?}");
    assert_eq!(authenticator.kept(), 0, "no state before authentication");

    // Control characters, those behind ASCII among them, are written as spaces: no server that we know has
    // any in realm or nonce.
    let plain = |c: char| c == '\n' || !c.is_control();
    if !String::from_utf8_lossy(data).chars().all(plain) {
        return;
    }
    let Some(challenge) = Challenge::pick(values()) else { return };
    let password = "no fuzzer guesses this";
    let answer =
        challenge.answer("1000", password, &Method::Register, "sip:desk.example", "c0ffee", 1);
    assert!(!answer.contains(['\r', '\n']), "{answer:?}");
    // A nonce that is not ours says nothing of the password.
    let mut theirs = Authenticator::new(&challenge.realm, [8; 32]);
    let hash = Ha1::new("1000", &challenge.realm, password);
    let lookup = |user: &str| (user == "1000").then_some(&hash);
    let now = Mono(1_000_000);
    let mut check = |answer: &str| {
        let answers = std::iter::once(answer.as_bytes());
        theirs.check(&Method::Register, &uri, answers, PEER, now, lookup)
    };
    // RFC 7616 always counts; one of ours that asks for SHA-256 without qop is not to be had.
    let uncounted = challenge.algorithm() == Algorithm::Sha256 && !answer.contains("qop=auth");
    let verdict = check(&answer);
    assert!(matches!(verdict, Verdict::Stale) || uncounted, "{verdict:?} {answer:?}");
    // Whoever asks in that realm with a nonce of its own finds the password right.
    let mut rng = Rng::from_number(1);
    let ours = Authenticator::new(&challenge.realm, [8; 32]).challenges(PEER, now, &mut rng, false);
    if let Some(asked) = Challenge::pick(ours.iter().map(String::as_bytes)) {
        let register = &Method::Register;
        let answer = asked.answer("1000", password, register, "sip:desk.example", "c0ffee", 1);
        let verdict = check(&answer);
        assert!(matches!(verdict, Verdict::Granted { .. }), "{verdict:?} {answer:?}");
    }
}
