//! The digest server and client against each other and against the examples of the RFCs.

use super::*;
use crate::base::{Mono, Rng};
use crate::sip::AnyUri;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// Whom the challenges go to.
const PHONE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
const REALM: &str = "desk.example.jp";

struct World {
    auth: Authenticator,
    rng: Rng,
    alice: Ha1,
    uri: AnyUri,
}

fn world() -> World {
    World {
        auth: Authenticator::new(REALM, [7; 32]),
        rng: Rng::from_number(1),
        alice: Ha1::new("201", REALM, "secret"),
        uri: AnyUri::parse("sip:desk.example.jp").expect("a URI"),
    }
}

const START: Mono = Mono(5_000_000);

impl World {
    fn challenge(&mut self, now: Mono, algorithm: Algorithm) -> Challenge {
        let offered = self.auth.challenges(PHONE, now, &mut self.rng, false);
        let one =
            offered.iter().find(|one| one.contains(&format!("algorithm={},", algorithm.as_str())));
        Challenge::pick(one.into_iter().map(String::as_bytes)).expect("a challenge")
    }

    fn check(&mut self, value: &str, now: Mono) -> Verdict {
        self.check_all(&[value], now)
    }

    fn check_all(&mut self, values: &[&str], now: Mono) -> Verdict {
        let values = values.iter().map(|value| value.as_bytes());
        let alice = &self.alice;
        let lookup = |user: &str| (user == "201").then_some(alice);
        self.auth.check(&Method::Register, &self.uri, values, PHONE, now, lookup)
    }

    fn answer(&mut self, now: Mono, algorithm: Algorithm, count: u32) -> String {
        let challenge = self.challenge(now, algorithm);
        challenge.answer("201", "secret", &Method::Register, "sip:desk.example.jp", "0a1b2c", count)
    }
}

fn granted() -> Verdict {
    Verdict::Granted { user: "201".to_owned() }
}

#[test]
fn the_examples_of_rfc_7616_come_out() {
    // RFC 7616 §3.9.1, with its method and URI.
    let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
    let protection =
        Protection { nc: "00000001", cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ" };
    let ha1 = Ha1::new("Mufasa", "http-auth@example.org", "Circle of Life");
    let get = Method::parse(b"GET").expect("a token");
    let table = [
        (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
        (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ];
    for (algorithm, want) in table {
        let got = response(
            algorithm,
            ha1.of(algorithm),
            nonce,
            Some(&protection),
            &get,
            "/dir/index.html",
        );
        assert_eq!(got, want, "{algorithm:?}");
    }
}

#[test]
fn sha_256_is_offered_first_and_md5_last() {
    let mut world = world();
    let offered = world.auth.challenges(PHONE, START, &mut world.rng, true);
    assert!(offered[0].starts_with("Digest realm=\"desk.example.jp\", nonce=\""), "{}", offered[0]);
    assert!(offered[0].ends_with("algorithm=SHA-256, qop=\"auth\", stale=true"), "{}", offered[0]);
    assert!(offered[1].ends_with("algorithm=MD5, qop=\"auth\", stale=true"), "{}", offered[1]);
    let picked = Challenge::pick(offered.iter().rev().map(String::as_bytes)).expect("a challenge");
    assert_eq!((picked.algorithm(), picked.stale), (Algorithm::Sha256, true));
    for (offer, count) in [(Offer::Both, 2), (Offer::Md5First, 2), (Offer::Md5Only, 1)] {
        let auth = Authenticator::new(REALM, [7; 32]).with_offer(offer);
        let offered = auth.challenges(PHONE, START, &mut world.rng, false);
        assert_eq!(offered.len(), count);
        assert_eq!(offered[0].contains("algorithm=MD5,"), offer != Offer::Both, "{offer:?}");
    }
}

#[test]
fn a_right_answer_is_granted_once_per_count() {
    for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
        let mut world = world();
        let challenge = world.challenge(START, algorithm);
        let answer = |count| {
            challenge.answer("201", "secret", &Method::Register, "sip:desk.example.jp", "c", count)
        };
        // Eleven requests on one nonce: nc goes through its hex digits.
        for count in 1..=11 {
            assert_eq!(world.check(&answer(count), START), granted(), "{algorithm:?} {count}");
        }
        assert_eq!(world.check(&answer(11), START), Verdict::Stale, "a replay");
        assert_eq!(world.check(&answer(100), START), granted(), "counts may skip");
        assert_eq!(world.check(&answer(99), START), granted(), "and overtake each other");
        assert_eq!(world.check(&answer(99), START), Verdict::Stale, "but not twice");
        assert_eq!(world.check(&answer(30), START), Verdict::Stale, "too far back to know");
        assert_eq!(world.auth.kept(), 1);
    }
}

#[test]
fn a_nonce_grows_old_and_a_restart_makes_it_stale() {
    let mut world = world();
    let answer = world.answer(START, Algorithm::Md5, 1);
    assert_eq!(world.check(&answer, START + NONCE_LIFE + Duration::from_micros(1)), Verdict::Stale);
    assert_eq!(world.check(&answer, START + NONCE_LIFE), granted());
    world.auth = Authenticator::new(REALM, [8; 32]);
    assert_eq!(world.check(&answer, START), Verdict::Stale);
}

#[test]
fn what_is_not_right_is_refused() {
    let mut world = world();
    let right = world.answer(START, Algorithm::Md5, 1);
    let wrong = Verdict::Refused(Refusal::WrongCredentials);
    let malformed = Verdict::Refused(Refusal::Malformed);
    let challenge = world.challenge(START, Algorithm::Md5);
    let by = |user, password, method, uri| challenge.answer(user, password, method, uri, "c", 1);
    let register = Method::Register;
    let here = "sip:desk.example.jp";
    let swap = |from: &str, to: &str| {
        assert!(right.contains(from), "{from} in {right}");
        right.replace(from, to)
    };
    let table = [
        ("wrong password", by("201", "guess", &register, here), wrong.clone()),
        ("no such account", by("999", "secret", &register, here), wrong.clone()),
        ("the empty account", by("", &hex(&[7; 32]), &register, here), wrong.clone()),
        ("for another method", by("201", "secret", &Method::Invite, here), wrong.clone()),
        (
            "for another host",
            by("201", "secret", &register, "sip:other.example"),
            Verdict::Refused(Refusal::OtherUri),
        ),
        ("for no URI", by("201", "secret", &register, "*"), Verdict::Refused(Refusal::OtherUri)),
        ("another realm", swap(REALM, "elsewhere"), Verdict::Absent),
        ("another scheme", "NoOneKnowsThisScheme opaque-data=here".to_owned(), Verdict::Absent),
        ("a scheme alone", "Digest".to_owned(), Verdict::Absent),
        ("nothing behind the scheme", "Digest ,".to_owned(), malformed.clone()),
        ("empty", String::new(), Verdict::Absent),
        ("auth-int", swap("qop=auth", "qop=auth-int"), malformed.clone()),
        ("a session algorithm", swap("algorithm=MD5", "algorithm=MD5-sess"), malformed.clone()),
        ("MD5 passed off as SHA-256", swap("algorithm=MD5", "algorithm=SHA-256"), wrong.clone()),
        (
            "protection taken away",
            swap(", qop=auth, nc=00000001, cnonce=\"0a1b2c\"", ""),
            wrong.clone(),
        ),
        ("nc 0", swap("nc=00000001", "nc=00000000"), malformed.clone()),
        ("nc short", swap("nc=00000001", "nc=1"), malformed.clone()),
        ("nc signed", swap("nc=00000001", "nc=+0000001"), malformed.clone()),
        ("nc missing", swap(", nc=00000001", ""), malformed.clone()),
        ("no cnonce", swap("cnonce=\"0a1b2c\"", "cnonce=\"\""), malformed.clone()),
        ("response twice", format!("{right}, response=\"00\""), malformed.clone()),
        ("user twice", format!("{right}, Username=\"202\""), malformed.clone()),
        ("unclosed", format!("{right}, x=\"y"), malformed.clone()),
        ("a hashed name", format!("{right}, userhash=true"), malformed),
        ("right after all", right.clone(), granted()),
    ];
    for (case, value, want) in table {
        assert_eq!(world.check(&value, START), want, "{case}: {value}");
    }
    assert_eq!(world.auth.kept(), 1, "state for the one right answer only");
}

#[test]
fn spelling_does_not_matter_where_the_grammar_says_so() {
    let mut world = world();
    for (from, to) in [
        ("qop=auth", "QOP=\"auth\""),
        ("algorithm=MD5", "algorithm=\"md5\""),
        (", nc=", " ,\t nc ="),
        ("nc=00000001", "nc=0000000a"), // another count, so another digest: must fail
    ] {
        let right = world.answer(START, Algorithm::Md5, 1);
        let due =
            if to.ends_with('a') { Verdict::Refused(Refusal::WrongCredentials) } else { granted() };
        assert_eq!(world.check(&right.replace(from, to), START), due, "{to}");
    }
    // Port and parameters of the request URI may have been rewritten on the way.
    world.uri = AnyUri::parse("sip:desk.example.jp:5060;transport=udp").expect("a URI");
    let right = world.answer(START, Algorithm::Md5, 1);
    assert_eq!(world.check(&right, START), granted());
}

#[test]
fn an_old_phone_without_qop_gets_one_request_per_nonce() {
    let mut world = world();
    let mut challenge = world.challenge(START, Algorithm::Md5);
    challenge.counted = false;
    let value = challenge.answer("201", "secret", &Method::Register, "sip:desk.example.jp", "", 1);
    assert!(!value.contains("qop"));
    assert_eq!(world.check(&value, START), granted());
    assert_eq!(world.check(&value, START), Verdict::Stale);
}

#[test]
fn of_two_answers_for_our_realm_neither_counts() {
    let mut world = world();
    let (one, two) =
        (world.answer(START, Algorithm::Md5, 1), world.answer(START, Algorithm::Sha256, 1));
    assert_eq!(world.check_all(&[&one, &two], START), Verdict::Refused(Refusal::Malformed));
    let foreign = one.replace(REALM, "elsewhere");
    assert_eq!(world.check_all(&[&foreign, "Basic x", &one], START), granted());
    // A hundred foreign ones hide ours: it is then as if it were not there.
    let many: Vec<&str> =
        std::iter::repeat_n(foreign.as_str(), 100).chain([two.as_str()]).collect();
    assert_eq!(world.check_all(&many, START), Verdict::Absent);
}

#[test]
fn the_table_of_counts_is_bounded_and_forgets_no_replay() {
    let mut world = world();
    let first = world.answer(START, Algorithm::Md5, 1);
    assert_eq!(world.check(&first, START), granted());
    let spend = |auth: &mut Authenticator, issued: u64| {
        if auth.is_fresh((issued, issued), Mono(issued)) {
            auth.spend((issued, issued), Some(1), Mono(issued), String::new())
        } else {
            Verdict::Stale
        }
    };
    for extra in 1..=MAX_NONCES as u64 {
        assert_eq!(
            spend(&mut world.auth, START.0 + extra),
            Verdict::Granted { user: String::new() }
        );
    }
    assert_eq!(world.auth.kept(), MAX_NONCES);
    // The first was pushed out; it is stale now, not new again.
    assert_eq!(world.check(&first, START + Duration::from_secs(1)), Verdict::Stale);
    // Time empties the table.
    let late = START + NONCE_LIFE + Duration::from_mins(1);
    let answer = world.answer(late, Algorithm::Md5, 1);
    assert_eq!(world.check(&answer, late), granted());
    assert_eq!(world.auth.kept(), 1);
}
