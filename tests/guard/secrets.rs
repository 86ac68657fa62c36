//! Passwords: the desk's own, which no called phone gets an answer for, and accounts, which nobody can find out by
//! asking.

use crate::stranger::{Stranger, answers_by_hand};
use crate::support::desk::{Desk, Setup, password};
use crate::support::line::{Line, credentials};
use crate::support::message::{Message, sdp};
use crate::support::process::Dir;
use crate::support::{eventually, ms, s};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Answers a request with a challenge, as the support's phone never would.
fn challenges(thief: &Line, request: &Message, status: u16, realm: &str) {
    let header = if status == 401 { "WWW-Authenticate" } else { "Proxy-Authenticate" };
    let asks = format!(
        "{header}: Digest realm=\"{realm}\", nonce=\"of my choice\", qop=\"auth\", algorithm=MD5\r\n"
    );
    answers_by_hand(thief, request, status, &asks);
}

/// Nothing that comes within the time carries an answer to a challenge.
#[track_caller]
fn no_digest_comes(line: &mut Line, within: Duration, after: &str) {
    let until = Instant::now() + within;
    while let Some(message) = line.next(until.saturating_duration_since(Instant::now())) {
        let text = message.to_string().to_ascii_lowercase();
        assert!(!text.contains("authorization:"), "{after}: {message}");
    }
}

#[test]
fn a_called_phone_that_challenges_us_gets_no_digest_in_no_realm_before_and_inside_a_call() {
    let dir = Dir::new("leak");
    let file = dir.write("password", "secret-of-the-carrier\n");
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    // A carrier that nobody plays: we have a password for its realm all the same.
    let more = format!(
        "[[trunks]]\nname = \"outer\"\nprofile = \"digest-trunk\"\nsources = [\"127.0.0.99:5060\"]\n\
         servers = [\"127.0.0.99:5060\"]\ndomain = \"carrier.example\"\nuser = \"0312345678\"\n\
         password_file = \"{}\"\noptions_every = \"0s\"\n",
        file.display()
    );
    let desk = Desk::with(&Setup { more: &more, ..Setup::default() });
    let mut thief = Line::new(desk.fixed_port(201), "201", desk.sip);
    let offer = sdp(9, &[0, 101], "sendrecv");
    let mut caller = Line::new(desk.fixed_port(202), "202", desk.sip);
    for (status, realm) in
        [(401, "carrier.example"), (407, "carrier.example"), (401, "desk.example"), (407, "other")]
    {
        let call = caller.invite("201", &offer);
        let rung = thief.ring(s(4));
        challenges(&thief, rung.invite.as_ref().unwrap(), status, realm);
        no_digest_comes(&mut thief, ms(700), &format!("{status} in {realm}"));
        let refused = caller.expect("a refusal", s(3), |m| {
            m.header("Call-ID") == Some(&call.id) && m.status().is_some_and(|status| status >= 300)
        });
        caller.ack_refusal(&call, &refused);
    }
    // In a call, at the BYE.
    let mut call = caller.invite("201", &offer);
    let (held, _) = thief.pick_up(&sdp(11, &[0, 101], "sendrecv"), s(4));
    let answer = caller.status(&call, 200, s(3));
    caller.ack(&mut call, &answer);
    caller.bye(&mut call);
    let bye = thief.request_of(&held, "BYE", s(3));
    challenges(&thief, &bye, 407, "carrier.example");
    no_digest_comes(&mut thief, ms(1_500), "at the BYE");
    desk.at_rest(s(5));
}

/// One wrong password, of an account that there is or is not: what the answer looks like, and how long it took.
fn guess(stranger: &mut Stranger, user: &str) -> (String, Duration) {
    let challenge = stranger.challenge(user);
    let wrong = credentials(&challenge, user, "REGISTER", &stranger.uri(""), "wrong");
    let said = stranger.request("REGISTER", "", user, &wrong, "");
    let began = Instant::now();
    let answer = stranger.ask(&said, s(3)).expect("an answer");
    let took = began.elapsed();
    let own = ["via", "from", "to", "call-id", "cseq"];
    let shape = answer
        .headers
        .iter()
        .filter(|(name, _)| !own.contains(&name.to_ascii_lowercase().as_str()));
    let shape = shape.map(|(name, value)| {
        format!("{name}: {}", value.split("nonce=\"").next().unwrap_or_default())
    });
    let shape = shape.collect::<Vec<_>>().join("|");
    (format!("{} {shape} {}", answer.start, answer.body), took)
}

fn median(mut spans: Vec<Duration>) -> Duration {
    spans.sort_unstable();
    spans[spans.len() / 2]
}

#[test]
fn nobody_finds_out_over_the_wire_which_accounts_there_are() {
    let desk = Desk::start("desk.toml");
    let mut differ = Vec::new();
    // The noise of a busy machine differs from try to try; what the desk itself would betray does not.
    for round in 0..3 {
        let (mut spans, mut shapes) =
            ([Vec::new(), Vec::new()], [BTreeSet::new(), BTreeSet::new()]);
        for host in 1..=40 {
            // Each from an address of its own, below what shuts its door.
            let mut stranger = Stranger::at(&format!("127.0.{}.{host}:0", 30 + round), desk.sip);
            for n in 0..8 {
                let kind = (n + host) % 2;
                let (shape, took) = guess(&mut stranger, ["6002", "6999"][kind]);
                spans[kind].push(took);
                shapes[kind].insert(shape);
            }
        }
        assert_eq!(shapes[0], shapes[1], "an account that there is, and one that there is not");
        let [there, missing] = spans.map(median);
        if there.abs_diff(missing) < ms(1) {
            // A password that fits opens the door: these were looked at.
            Line::new(desk.ports.port(), "6002", desk.sip).register(&password("6002"), 60);
            eventually("all were counted", s(3), || {
                desk.metric("madoguchi_sip_auth_failures_total") >= 320.0
            });
            return;
        }
        differ.push((there, missing));
    }
    panic!("medians differ by a millisecond and more: {differ:?}");
}
