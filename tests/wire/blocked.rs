//! Passwords guessed at by sipsak, a program of others: its source is blocked within a second, seen in
//! the API, the metrics and on the terminal, and let in again by a command.

use crate::support::desk::{Desk, Setup, binary, password};
use crate::support::line::Line;
use crate::support::sipsak::registers as sipsak;
use crate::support::{eventually, s};
use std::process::Command;
use std::time::{Duration, Instant};

fn sip(desk: &Desk, arguments: &[&str]) -> (bool, String) {
    let config = desk.dir().file("madoguchi.toml").display().to_string();
    let mut command = Command::new(binary());
    command.arg("sip").args(arguments).args(["--config", &config, "--lang", "en"]);
    let output = command.output().expect("the command runs");
    let text = [output.stdout, output.stderr].map(|b| String::from_utf8_lossy(&b).into_owned());
    (output.status.success(), text.concat())
}

#[test]
fn a_guesser_is_blocked_within_a_second_and_let_in_by_a_command() {
    let desk = Desk::start("desk.toml");
    assert!(sipsak(&desk, "6001", &password("6001")), "the right password");
    assert_eq!(sip(&desk, &["blocked"]), (true, "no source is blocked\n".to_owned()));
    for n in 0..10 {
        assert_eq!(desk.metric("madoguchi_sip_blocked_sources"), 0.0, "after {n}");
        assert!(!sipsak(&desk, "6002", "wrong"));
    }
    let tenth = Instant::now();
    eventually("the block is seen", s(1), || desk.metric("madoguchi_sip_blocked_sources") == 1.0);
    assert!(tenth.elapsed() <= Duration::from_secs(1));
    eventually("all are counted", s(1), || {
        desk.metric("madoguchi_sip_auth_failures_total") == 10.0
    });
    let listed = desk.get("/api/v1/blocked");
    let door = &listed["blocked"][0];
    assert_eq!((&door["source"], &door["scope"]), (&"127.0.0.1".into(), &"account".into()));
    assert_eq!((&door["account"], &door["failures"]), (&"6002".into(), &10.into()), "{listed}");
    assert!(!sipsak(&desk, "6002", &password("6002")), "not even the right password is looked at");
    assert!(sipsak(&desk, "6001", &password("6001")), "others behind the address are served");
    let (well, text) = sip(&desk, &["blocked"]);
    assert!(well && text.contains("127.0.0.1") && text.contains("10 failures"), "{text}");
    assert_eq!(
        sip(&desk, &["unblock", "127.0.0.1"]),
        (true, "127.0.0.1 is let in again\n".to_owned())
    );
    assert!(sipsak(&desk, "6002", &password("6002")), "let in again");
    let (well, text) = sip(&desk, &["unblock", "127.0.0.1"]);
    assert!(!well && text.contains("not blocked"), "{text}");
}

#[test]
fn an_account_registers_only_from_where_its_rule_allows_it() {
    let more = "[[accounts.rules]]\naccounts = \"6001-6002\"\nnetworks = [\"192.0.2.0/24\"]\n\
                [[accounts.rules]]\naccounts = [\"6003\"]\ntransports = [\"tcp\"]\n\
                [[accounts.rules]]\naccounts = \"*\"\nnetworks = [\"127.0.0.0/8\"]\n";
    let desk = Desk::with(&Setup { more, ..Setup::default() });
    for (user, due) in [("6001", false), ("6003", false), ("6004", true)] {
        assert_eq!(sipsak(&desk, user, &password(user)), due, "{user}");
    }
    eventually("the refusals are counted", s(1), || {
        desk.metric("madoguchi_sip_auth_against_rules_total") == 2.0
    });
    Line::new(desk.ports.port(), "6004", desk.sip).register(&password("6004"), 600);
}
