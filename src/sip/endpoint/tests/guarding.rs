//! Passwords guessed at, rules of accounts, and what a stranger can learn of either.

use super::admission::authorization;
use super::{Effect, Endpoint, Flow, at, directory, line, settings, tcp, udp, wire};
use crate::base::Rng;
use crate::base::tests::spent;
use crate::sip::Method;
use crate::sip::api::{AccountPolicy, Directory, Transport};
use bytes::Bytes;
use std::collections::BTreeSet;
use std::time::Duration;

const REALM: &str = "sip:desk.example";

/// A desk and the time, in milliseconds.
struct World {
    endpoint: Endpoint,
    ms: u64,
    branch: u32,
}

/// With what a request comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum With<'a> {
    Nothing,
    /// User and password, answering a challenge that was asked for from there.
    Credentials(&'a str, &'a str),
    /// A right answer, but in another realm.
    OtherRealm(&'a str),
}

impl World {
    fn new() -> Self {
        Self::of(directory())
    }

    fn of(directory: Directory) -> Self {
        let endpoint = Endpoint::new(settings(), directory, Rng::from_number(5));
        Self { endpoint, ms: 0, branch: 0 }
    }

    /// The bytes of a request; `extra` may be empty.
    fn request(&mut self, method: &str, uri: &str, user: &str, extra: &str) -> Bytes {
        self.branch += 1;
        let n = self.branch;
        wire(
            &format!(
                "{method} {uri} SIP/2.0
                 Via: SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bKg{n}
                 From: <sip:{user}@desk.example>;tag=f{n}
                 To: <sip:{user}@desk.example>
                 Call-ID: guarding{n}
                 CSeq: {n} {method}
                 Contact: <sip:{user}@198.51.100.9:5060>
                 Event: dialog
                 P-Asserted-Identity: <sip:0312345678@desk.example>
                 {extra}"
            ),
            "",
        )
    }

    fn sent(&mut self, flow: Flow, bytes: Bytes) -> (Vec<Bytes>, usize) {
        let mut out = Vec::new();
        self.ms += 1;
        self.endpoint.receive(flow, bytes, false, at(self.ms), &mut out);
        let others = out.iter().filter(|effect| !matches!(effect, Effect::Send { .. })).count();
        let sent = out.into_iter().filter_map(|effect| match effect {
            Effect::Send { bytes, .. } => Some(bytes),
            _ => None,
        });
        (sent.collect(), others)
    }

    /// The challenge that `flow` gets.
    fn challenge(&mut self, flow: Flow) -> Bytes {
        let bytes = self.request("REGISTER", REALM, "1000", "");
        self.sent(flow, bytes).0.pop().expect("a challenge")
    }

    /// The status of the first answer.
    fn ask(&mut self, flow: Flow, method: &str, user: &str, with: With<'_>) -> String {
        let uri = if method == "REGISTER" { REALM } else { "sip:2000@192.0.2.1" };
        let method_of = match method {
            "INVITE" => Method::Invite,
            "SUBSCRIBE" => Method::Subscribe,
            _ => Method::Register,
        };
        let extra = match with {
            With::Nothing => String::new(),
            With::Credentials(name, password) => {
                let challenge = self.challenge(flow);
                authorization(&challenge, name, password, &method_of, uri)
            }
            With::OtherRealm(name) => {
                let challenge = self.challenge(flow);
                let right = authorization(&challenge, name, &format!("pw{name}"), &method_of, uri);
                right.replace("desk.example\", nonce", "other.example\", nonce")
            }
        };
        let bytes = self.request(method, uri, user, &extra);
        let (sent, _) = self.sent(flow, bytes);
        sent.first().map(line).unwrap_or_default().split(' ').next().unwrap_or_default().to_owned()
    }

    /// One wrong password.
    fn guess(&mut self, flow: Flow, user: &str) -> String {
        self.ask(flow, "REGISTER", user, With::Credentials(user, "wrong"))
    }

    fn register(&mut self, flow: Flow, user: &str) -> String {
        self.ask(flow, "REGISTER", user, With::Credentials(user, &format!("pw{user}")))
    }

    fn failures(&self) -> u64 {
        self.endpoint.admission(at(self.ms).mono).failures
    }

    fn blocked(&self) -> usize {
        self.endpoint.blocked(at(self.ms).mono).count()
    }
}

fn phone() -> Flow {
    udp("198.51.100.9:5060")
}

/// Each method that begins something, with each kind of wrong credentials.
#[test]
fn nobody_gets_in_without_the_right_credentials_of_the_name_it_speaks_in() {
    let rows = [
        ("no credentials", With::Nothing, "401"),
        ("another realm", With::OtherRealm("1000"), "401"),
        ("a wrong password", With::Credentials("1000", "wrong"), "401"),
        ("nobody's name", With::Credentials("9999", "pw9999"), "401"),
        ("another user's, right", With::Credentials("1001", "pw1001"), "403"),
        ("another user's, wrong", With::Credentials("1001", "wrong"), "401"),
    ];
    for method in ["INVITE", "REGISTER", "SUBSCRIBE"] {
        for (case, with, due) in rows {
            let mut world = World::new();
            assert_eq!(world.ask(phone(), method, "1000", with), due, "{method}: {case}");
            let gauges = world.endpoint.gauges();
            assert_eq!(gauges, crate::sip::Gauges::default(), "{method}: {case} left something");
        }
    }
}

#[test]
fn ten_wrong_passwords_are_seen_at_once_and_a_challenge_is_no_failure() {
    let mut world = World::new();
    for _ in 0..50 {
        assert_eq!(world.ask(phone(), "REGISTER", "1000", With::Nothing), "401");
    }
    assert_eq!((world.failures(), world.blocked()), (0, 0), "a challenge is no failure");
    for n in 0..10 {
        assert_eq!(world.blocked(), 0, "after {n}");
        world.guess(phone(), "1000");
    }
    assert_eq!((world.failures(), world.blocked()), (10, 1));
    assert_eq!(world.register(phone(), "1000"), "401", "also the right one is not looked at");
    assert_eq!(world.endpoint.admission(at(world.ms).mono).unheard, 1);
    assert_eq!(world.register(udp("198.51.100.10:5060"), "1000"), "200", "its owner elsewhere");
    assert!(world.endpoint.let_in("198.51.100.9".parse().unwrap(), at(world.ms).mono));
    assert_eq!(world.register(phone(), "1000"), "200");
}

#[test]
fn who_tries_many_accounts_is_shut_out_as_a_whole_but_the_phones_behind_its_address_are_not() {
    let mut world = World::new();
    assert_eq!(world.register(udp("198.51.100.9:5062"), "1001"), "200");
    for n in 0..10 {
        world.guess(phone(), &format!("{}", 3000 + n));
    }
    assert_eq!(
        world.blocked(),
        1,
        "{:?}",
        world.endpoint.blocked(at(world.ms).mono).collect::<Vec<_>>()
    );
    assert_eq!(world.register(phone(), "1000"), "401", "a newcomer from there");
    assert_eq!(world.register(udp("198.51.100.9:5062"), "1001"), "200", "who is at home there");
    assert_eq!(world.register(udp("198.51.100.10:5060"), "1000"), "200", "everybody elsewhere");
}

/// An attacker who writes a victim's address into its datagrams never sees the challenge that goes
/// there. Nonces that it got for itself are good for itself alone.
#[test]
fn an_outsider_cannot_shut_out_an_address_that_it_forges() {
    let mut world = World::new();
    let (attacker, victim) = (udp("203.0.113.66:5060"), phone());
    for n in 0..40 {
        let challenge = world.challenge(attacker);
        let user = format!("{}", 1000 + n % 4);
        let wrong = authorization(&challenge, &user, "wrong", &Method::Register, REALM);
        let forged = world.request("REGISTER", REALM, &user, &wrong);
        let (sent, _) = world.sent(victim, forged);
        let answer = String::from_utf8_lossy(&sent[0]).into_owned();
        assert!(answer.contains("stale=true"), "{answer}");
    }
    assert_eq!((world.failures(), world.blocked()), (0, 0));
    assert_eq!(world.register(victim, "1000"), "200");
}

/// Whether a nonce is stale is told without a look at the password: or it could be tried uncounted.
#[test]
fn a_stale_nonce_says_nothing_of_the_password() {
    let mut world = World::new();
    let old = world.challenge(phone());
    world.ms += 3_600_000;
    let mut answers = BTreeSet::new();
    for password in ["pw1000", "wrong"] {
        let extra = authorization(&old, "1000", password, &Method::Register, REALM);
        let bytes = world.request("REGISTER", REALM, "1000", &extra);
        let (sent, _) = world.sent(phone(), bytes);
        let text = String::from_utf8_lossy(&sent[0]).into_owned();
        answers.insert((
            line(&sent[0]).split(' ').next().map(str::to_owned),
            text.contains("stale=true"),
        ));
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(world.failures(), 0);
}

fn ruled(policy: AccountPolicy) -> World {
    let mut directory = directory();
    directory.accounts.get_mut("1000").expect("an account").policy = policy;
    World::of(directory)
}

#[test]
fn an_account_comes_only_from_its_networks_and_by_its_transports() {
    let networks = vec!["198.51.100.0/24".parse().expect("a network")];
    let transports = vec![Transport::Tcp];
    let policy = AccountPolicy { networks, transports, ..AccountPolicy::default() };
    let rows = [
        ("as the rule has it", tcp("198.51.100.9:5060", 7), "200"),
        ("by another transport", phone(), "401"),
        ("from another network", tcp("203.0.113.9:5060", 8), "401"),
    ];
    for (case, flow, due) in rows {
        let mut world = ruled(policy.clone());
        assert_eq!(world.register(flow, "1000"), due, "{case}");
        assert_eq!(world.register(flow, "1001"), "200", "{case}: who has no rule");
        let against = world.endpoint.admission(at(world.ms).mono).against_rules;
        assert_eq!(against, u64::from(due == "401"), "{case}");
    }
}

#[test]
fn an_account_has_no_more_contacts_than_its_rule_says() {
    let mut world = ruled(AccountPolicy { max_contacts: Some(1), ..AccountPolicy::default() });
    for (user, due) in [("1000", 1), ("1001", 3)] {
        let before = world.endpoint.gauges().bindings;
        for port in 5060..5064 {
            let flow = udp(&format!("198.51.100.9:{port}"));
            let challenge = world.challenge(flow);
            let right =
                authorization(&challenge, user, &format!("pw{user}"), &Method::Register, REALM);
            let contact = format!("{right}\r\nContact: <sip:{user}@198.51.100.9:{port};x={port}>");
            let request = world.request("REGISTER", REALM, user, &contact);
            let text = String::from_utf8_lossy(&request).into_owned();
            let own = format!("Contact: <sip:{user}@198.51.100.9:5060>\r\n");
            world.sent(flow, text.replacen(&own, "", 1).into());
        }
        assert_eq!(world.endpoint.gauges().bindings - before, due, "{user}");
    }
}

/// The same words and the same time for an account that is not there and for a wrong password. A
/// thousand of each in turn, so that a busy machine is as busy for both; the medians differ by far less
/// than the millisecond that could be told apart over a network.
#[test]
fn a_missing_account_and_a_wrong_password_cannot_be_told_apart() {
    let mut world = World::new();
    let mut spans: [Vec<Duration>; 2] = [Vec::new(), Vec::new()];
    let mut shapes: [BTreeSet<String>; 2] = [BTreeSet::new(), BTreeSet::new()];
    for n in 0..1_000_u32 {
        for (kind, user) in ["1000", "9999"].into_iter().enumerate() {
            // Each from an address of its own, so that no door is shut.
            let flow = udp(&format!("198.51.{}.{}:5060", n / 200, n % 200 + 1));
            let challenge = world.challenge(flow);
            let wrong = authorization(&challenge, user, "wrong", &Method::Register, REALM);
            let bytes = world.request("REGISTER", REALM, user, &wrong);
            let began = spent();
            let (sent, others) = world.sent(flow, bytes);
            spans[kind].push(spent().saturating_sub(began));
            assert_eq!((sent.len(), others), (1, 0));
            let text = String::from_utf8_lossy(&sent[0]).into_owned();
            let varies = |line: &&str| {
                !["Via", "From", "To", "Call-ID", "CSeq"].iter().any(|h| line.starts_with(h))
            };
            let shape = text
                .lines()
                .filter(varies)
                .map(|line| line.split("nonce=\"").next().unwrap_or_default().to_owned());
            shapes[kind].insert(shape.collect::<Vec<_>>().join("|"));
        }
    }
    assert_eq!(shapes[0], shapes[1]);
    let [one, two] = spans.map(|mut spans| {
        spans.sort_unstable();
        spans[spans.len() / 2]
    });
    assert!(one.abs_diff(two) < Duration::from_millis(1), "{one:?} and {two:?}");
}
