//! A line's life under virtual time, against a carrier that is played by hand.

use super::*;
use crate::base::Private;
use crate::sip::api::Transport;
use crate::sip::trunk::{Login, Server};
use crate::sip::{Host, Message, parse};
use bytes::Bytes;

fn at(seconds: u64) -> Mono {
    Mono(seconds * 1_000_000)
}

fn flow(port: u16) -> Flow {
    let remote = SocketAddr::from(([192, 0, 2, 1], port));
    Flow { transport: Transport::Udp, listener: 0, remote, connection: 0 }
}

fn line(profile: &str, servers: &[u16], options_every_s: u64) -> (Line, Rng) {
    let mut rng = Rng::from_number(7);
    let login = Login {
        user: "0312345678".into(),
        realm: "carrier.example".into(),
        password: Private::new("secret".to_owned()),
    };
    let upstream = Upstream {
        servers: vec![Server::parse("carrier.example").unwrap()],
        domain: Host::parse("carrier.example").unwrap(),
        user: "0312345678".into(),
        login: Some(login),
        options_every: Duration::from_secs(options_every_s),
    };
    let profile = Profile::named(profile).unwrap();
    let mut line = Line::new("carrier".into(), profile, upstream, &mut rng);
    line.set_targets(servers.iter().map(|port| flow(*port)).collect(), at(0));
    (line, rng)
}

fn response(status: u16, more: &str) -> Response {
    let text = format!(
        "SIP/2.0 {status} x\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n\
         From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n\
         {more}Content-Length: 0\r\n\r\n"
    );
    match parse(&Bytes::from(text)) {
        Ok(Message::Response(response)) => response,
        other => panic!("{other:?}"),
    }
}

fn challenge_of(realm: &str, more: &str) -> Response {
    let text =
        format!("WWW-Authenticate: Digest realm=\"{realm}\", nonce=\"n1\", qop=\"auth\"{more}\r\n");
    response(401, &text)
}

/// The next wish, sent under `branch`.
fn send(line: &mut Line, rng: &mut Rng, now: Mono, branch: u64) -> Wish {
    let wish = line.wake(now, rng).expect("something is due");
    line.sent(&wish, Token(branch), now);
    wish
}

const GRANTED: &str = "Contact: <sip:0312345678@192.0.2.9:5060>;expires=600\r\n";

#[test]
fn a_registration_is_challenged_granted_and_refreshed_with_the_nonce_it_has() {
    let (mut line, mut rng) = line("digest-trunk", &[5060], 0);
    let first = send(&mut line, &mut rng, at(0), 1);
    assert_eq!((first.expires_s, first.authorization.is_some()), (Some(3600), false));
    assert_eq!(line.state(at(0)).registered, Some(false));

    let again = line
        .answered(Token(1), &challenge_of("carrier.example", ""), at(0), &mut rng)
        .expect("the challenge is answered");
    line.sent(&again, Token(2), at(0));
    let (name, digest) = again.authorization.clone().expect("with a digest");
    assert_eq!(name, HeaderName::Authorization);
    assert!(digest.contains("nc=00000001") && !digest.contains("secret"), "{digest}");
    assert!(again.cseq > first.cseq && again.call_id == first.call_id);

    assert!(line.answered(Token(2), &response(200, GRANTED), at(1), &mut rng).is_none());
    assert_eq!(line.state(at(1)).registered, Some(true));
    let due = line.deadline().expect("the refresh");
    assert!((at(301)..at(380)).contains(&due), "half of 600 s and a little: {due:?}");

    let refresh = send(&mut line, &mut rng, due, 3);
    let (_, digest) = refresh.authorization.expect("with the nonce that is known");
    assert!(digest.contains("nc=00000002"), "{digest}");
    // That nonce is too old by now: no matter.
    let stale = challenge_of("carrier.example", ", stale=true");
    let again = line.answered(Token(3), &stale, due, &mut rng).expect("answered");
    line.sent(&again, Token(4), due);
    let _ = line.answered(Token(4), &response(200, GRANTED), due, &mut rng);
    assert_eq!(line.state(due).registered, Some(true));
}

#[test]
fn a_password_goes_to_its_own_realm_and_twice_at_most() {
    let (mut line_a, mut rng) = line("digest-trunk", &[5060], 0);
    send(&mut line_a, &mut rng, at(0), 1);
    let foreign = challenge_of("evil.example", "");
    assert!(line_a.answered(Token(1), &foreign, at(0), &mut rng).is_none());
    assert_eq!(line_a.state(at(0)).refused, Some(401));
    assert!(line_a.deadline() >= Some(at(120)), "a person must see to it");

    // A wrong password: one digest, and then the account is left alone.
    let (mut line_b, mut rng) = line("digest-trunk", &[5060], 0);
    send(&mut line_b, &mut rng, at(0), 1);
    let due = challenge_of("carrier.example", "");
    let again = line_b.answered(Token(1), &due, at(0), &mut rng).expect("once");
    line_b.sent(&again, Token(2), at(0));
    assert!(line_b.answered(Token(2), &due, at(0), &mut rng).is_none(), "not twice");
    // Nonces that are always too old: two digests.
    let (mut line_c, mut rng) = line("digest-trunk", &[5060], 0);
    send(&mut line_c, &mut rng, at(0), 1);
    let stale = challenge_of("carrier.example", ", stale=true");
    for branch in [1, 2] {
        let again = line_c.answered(Token(branch), &stale, at(0), &mut rng).expect("again");
        line_c.sent(&again, Token(branch + 1), at(0));
    }
    assert!(line_c.answered(Token(3), &stale, at(0), &mut rng).is_none());
}

#[test]
fn a_server_that_is_silent_is_left_for_the_next_within_four_seconds() {
    let (mut line, mut rng) = line("digest-trunk", &[5060, 5062], 0);
    assert_eq!(send(&mut line, &mut rng, at(0), 1).flow, flow(5060));
    assert!(line.wake(at(3), &mut rng).is_none());
    let second = send(&mut line, &mut rng, at(4), 2);
    assert_eq!(second.flow, flow(5062));
    let _ = line.answered(Token(2), &response(200, GRANTED), at(4), &mut rng);
    assert_eq!(line.state(at(4)).server, Some(flow(5062).remote));
    assert_eq!(line.ways(at(4)).collect::<Vec<_>>(), [flow(5062)]);
    // Calls find the first again when its time has come, after the one that has us.
    assert_eq!(line.ways(at(40)).collect::<Vec<_>>(), [flow(5062), flow(5060)]);
    // The refresh returns to the first.
    let due = line.deadline().expect("the refresh");
    assert_eq!(send(&mut line, &mut rng, due, 3).flow, flow(5060));
}

#[test]
fn a_first_server_that_is_well_again_has_us_back_within_a_minute_whatever_the_lease() {
    let (mut line, mut rng) = line("digest-trunk", &[5060, 5062], 10);
    send(&mut line, &mut rng, at(0), 1); // REGISTER at the first
    for branch in [2, 3] {
        assert_eq!(send(&mut line, &mut rng, at(0), branch).method, Method::Options);
    }
    let _ = line.answered(Token(3), &response(200, ""), at(0), &mut rng);
    let second = send(&mut line, &mut rng, at(4), 4);
    assert_eq!((second.method, second.flow), (Method::Register, flow(5062)));
    let _ = line.answered(Token(4), &response(200, GRANTED), at(4), &mut rng);
    // The lease lasts 600 s. Everybody answers OPTIONS from now on.
    let mut now = at(4);
    for branch in 10..60 {
        now = line.deadline().expect("OPTIONS goes on");
        let Some(wish) = line.wake(now, &mut rng) else { continue };
        line.sent(&wish, Token(branch), now);
        if wish.method == Method::Register {
            assert_eq!(wish.flow, flow(5060));
            break;
        }
        let _ = line.answered(Token(branch), &response(200, ""), now, &mut rng);
    }
    assert!((at(34)..at(64)).contains(&now), "{now:?}");
}

#[test]
fn when_no_server_answers_the_waits_grow_and_stay_bounded() {
    let (mut line, mut rng) = line("digest-trunk", &[5060], 0);
    let mut now = at(0);
    let mut waits = Vec::new();
    for branch in 1..=12 {
        send(&mut line, &mut rng, now, branch);
        now = now + PATIENCE;
        assert!(line.wake(now, &mut rng).is_none());
        let next = line.deadline().expect("another attempt");
        waits.push(next.since(now).as_secs());
        now = next;
    }
    assert!((4..=5).contains(&waits[0]), "{waits:?}");
    assert!(waits.windows(2).all(|pair| pair[1] + 80 >= pair[0]), "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= 375), "{waits:?}");
    assert!(waits[11] >= 300, "{waits:?}");
    // It comes back: the next attempt is granted and the waits begin anew.
    send(&mut line, &mut rng, now, 99);
    let _ = line.answered(Token(99), &response(200, GRANTED), now, &mut rng);
    assert_eq!(line.state(now).registered, Some(true));
}

#[test]
fn a_lease_that_is_too_brief_is_asked_for_again_as_long_as_it_must_be() {
    let (mut line, mut rng) = line("home-gateway", &[5060], 0);
    send(&mut line, &mut rng, at(0), 1);
    let again = line.answered(Token(1), &response(423, "Min-Expires: 7200\r\n"), at(0), &mut rng);
    let again = again.expect("asked again");
    assert_eq!(again.expires_s, Some(7200));
    line.sent(&again, Token(2), at(0));
    // The same again is no reason to ask for ever.
    let same = response(423, "Min-Expires: 7200\r\n");
    assert!(line.answered(Token(2), &same, at(0), &mut rng).is_none());
    assert_eq!(line.state(at(0)).refused, Some(423));
}

#[test]
fn retry_after_is_obeyed_and_a_lapsed_lease_is_said() {
    let (mut line, mut rng) = line("digest-trunk", &[5060, 5062], 0);
    send(&mut line, &mut rng, at(0), 1);
    let _ = line.answered(Token(1), &response(503, "Retry-After: 900\r\n"), at(0), &mut rng);
    assert_eq!(send(&mut line, &mut rng, at(0), 2).flow, flow(5062));
    let _ = line.answered(Token(2), &response(200, GRANTED), at(0), &mut rng);
    assert_eq!(line.ways(at(899)).next(), Some(flow(5062)));
    assert_eq!(line.state(at(599)).registered, Some(true));
    assert_eq!(line.state(at(601)).registered, Some(false));
    // An answer to what was given up changes nothing.
    let _ = line.answered(Token(1), &response(200, GRANTED), at(700), &mut rng);
    assert_eq!(line.state(at(700)).registered, Some(false));
}

#[test]
fn a_refused_refresh_is_not_said_again_before_the_carrier_wants_it() {
    // Status, its Retry-After; when the next REGISTER goes, at the earliest and at the latest.
    let table = [
        (503, "Retry-After: 120\r\n", 120, 160),
        (480, "Retry-After: 120 (soon);duration=60\r\n", 120, 160),
        (486, "Retry-After: 30\r\n", 30, 60),
        (503, "Retry-After: 86400\r\n", 3_600, 3_640),
        // A wrong password is no sooner right because somebody says so.
        (403, "Retry-After: 5\r\n", 120, 160),
        (503, "", 4, 8),
    ];
    for (status, retry, least, most) in table {
        let (mut line, mut rng) = line("digest-trunk", &[5060], 10);
        send(&mut line, &mut rng, at(0), 1);
        let _ = line.answered(Token(1), &response(200, GRANTED), at(0), &mut rng);
        let (mut now, mut refused) = (at(0), None);
        for branch in 2..1_000 {
            now = line.deadline().expect("something to come");
            let Some(wish) = line.wake(now, &mut rng) else { continue };
            line.sent(&wish, Token(branch), now);
            match (wish.method, refused) {
                // It is there, and says so; only REGISTER waits.
                (Method::Options, _) => {
                    let _ = line.answered(Token(branch), &response(200, ""), now, &mut rng);
                }
                (_, None) => {
                    refused = Some(now);
                    let _ = line.answered(Token(branch), &response(status, retry), now, &mut rng);
                    assert_eq!(line.state(now).registered, Some(true), "the lease stands");
                }
                (_, Some(before)) => {
                    let waited = now.since(before).as_secs();
                    assert!((least..=most).contains(&waited), "{status} {retry}: {waited}");
                    refused = None;
                    break;
                }
            }
        }
        assert!(refused.is_none() && now > at(300), "{status} {retry}");
    }
}

#[test]
fn options_open_and_close_the_way_to_a_server() {
    let (mut line, mut rng) = line("generic-ip", &[5060, 5062], 30);
    assert_eq!(line.state(at(0)).registered, None);
    for branch in [1, 2] {
        assert_eq!(send(&mut line, &mut rng, at(0), branch).method, Method::Options);
    }
    assert!(line.wake(at(0), &mut rng).is_none());
    // One refuses, which is an answer; the other is silent.
    let _ = line.answered(Token(1), &response(405, ""), at(1), &mut rng);
    assert!(line.wake(at(4), &mut rng).is_none());
    assert_eq!(line.ways(at(4)).collect::<Vec<_>>(), [flow(5060)]);
    assert_eq!(line.state(at(4)).well, 1);
    // It had no room for a call: a moment later it is asked again.
    line.busy(flow(5060).remote, at(4));
    assert_eq!(line.ways(at(5)).count(), 0);
    assert_eq!(line.ways(at(6)).collect::<Vec<_>>(), [flow(5060)]);
    // A call found the first dead: it is passed over at once.
    line.failed(flow(5060).remote, at(6), &mut rng);
    assert_eq!(line.ways(at(6)).count(), 0);
    // OPTIONS finds them again before their time.
    let mut now = at(6);
    for branch in 10..30 {
        if line.ways(now).count() == 2 {
            break;
        }
        now = line.deadline().expect("OPTIONS goes on");
        if let Some(wish) = line.wake(now, &mut rng) {
            line.sent(&wish, Token(branch), now);
            let _ = line.answered(Token(branch), &response(200, ""), now, &mut rng);
        }
    }
    assert_eq!(line.ways(now).count(), 2);
    assert!(now < at(60), "{now:?}");
}

#[test]
fn new_addresses_keep_what_is_known_of_the_old_and_lose_what_is_gone() {
    let (mut line, mut rng) = line("digest-trunk", &[5060], 0);
    send(&mut line, &mut rng, at(0), 1);
    let _ = line.answered(Token(1), &response(200, GRANTED), at(0), &mut rng);
    line.set_targets(vec![flow(5070), flow(5060)], at(1));
    assert_eq!(line.state(at(1)).server, Some(flow(5060).remote));
    // The server that has us is gone from the DNS: we register at the new one now.
    line.set_targets(vec![flow(5070)], at(2));
    assert_eq!(send(&mut line, &mut rng, at(2), 2).flow, flow(5070));
    // No address at all: nothing is sent and nothing is due.
    line.set_targets(Vec::new(), at(3));
    assert_eq!(line.deadline(), None);
    assert!(line.wake(at(1_000), &mut rng).is_none());
}

#[test]
fn another_names_new_address_does_not_shorten_the_pause_after_a_refusal() {
    let (mut line, mut rng) = line("digest-trunk", &[5060], 0);
    send(&mut line, &mut rng, at(0), 1);
    let _ = line.answered(Token(1), &response(403, ""), at(0), &mut rng);
    let due = line.deadline();
    assert!(due >= Some(at(120)));
    // All lines are handed their addresses whenever any name has others.
    line.set_targets(vec![flow(5060)], at(10));
    assert_eq!(line.deadline(), due);
    // Nor does an address of its own; the password is the same there.
    line.set_targets(vec![flow(5070), flow(5060)], at(20));
    assert_eq!(line.deadline(), due);

    // Nobody answered: another's addresses are no reason to ask sooner, new ones of its own are.
    let (mut line, mut rng) = self::line("digest-trunk", &[5060], 0);
    send(&mut line, &mut rng, at(0), 1);
    assert!(line.wake(at(4), &mut rng).is_none());
    let due = line.deadline().expect("another attempt");
    assert!(due > at(5), "{due:?}");
    line.set_targets(vec![flow(5060)], at(5));
    assert_eq!(line.deadline(), Some(due));
    line.set_targets(vec![flow(5060), flow(5070)], at(5));
    assert_eq!(send(&mut line, &mut rng, at(5), 2).flow, flow(5070));
}

#[test]
fn a_register_on_its_way_is_not_said_again_because_another_name_has_a_new_address() {
    let (mut line, mut rng) = line("digest-trunk", &[5060], 0);
    send(&mut line, &mut rng, at(0), 1);
    line.set_targets(vec![flow(5070), flow(5060)], at(1));
    assert!(line.wake(at(1), &mut rng).is_none());
    let _ = line.answered(Token(1), &response(200, GRANTED), at(1), &mut rng);
    assert_eq!(line.state(at(1)).server, Some(flow(5060).remote));
    // Its server is gone from the DNS while it is on its way: the next is asked now.
    let (mut line, mut rng) = self::line("digest-trunk", &[5060], 0);
    send(&mut line, &mut rng, at(0), 1);
    line.set_targets(vec![flow(5070)], at(1));
    assert_eq!(send(&mut line, &mut rng, at(1), 2).flow, flow(5070));
}

#[test]
fn a_carrier_that_refuses_and_closes_the_connection_is_not_asked_again_at_once() {
    let (mut line, mut rng) = line("digest-trunk", &[5060], 0);
    let by_tcp = Flow { transport: Transport::Tcp, ..flow(5060) };
    line.set_targets(vec![by_tcp], at(0));
    send(&mut line, &mut rng, at(0), 1);
    let _ = line.answered(Token(1), &response(200, GRANTED), at(0), &mut rng);
    let due = line.deadline().expect("the refresh");
    send(&mut line, &mut rng, due, 2);
    let _ = line.answered(Token(2), &response(403, ""), due, &mut rng);
    let pause = line.deadline().expect("another attempt");
    line.flow_lost(by_tcp, due, &mut rng);
    assert_eq!(line.deadline(), Some(pause));
}
