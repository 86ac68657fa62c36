//! People outside are told when a rate's early warning turns: against receivers that check the signature,
//! drop, refuse, are slow and are not there, and a daemon that is killed in the middle.
#![allow(clippy::pedantic, clippy::disallowed_methods)]

#[path = "../support/mod.rs"]
mod support;

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use support::desk::{Desk, Setup};
use support::process::{Dir, Process};
use support::{poll, rest, s};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A receiver on a port of its own.
struct Receiver {
    dir: Dir,
    port: u16,
    _process: Process,
}

impl Receiver {
    fn start(kind: &str, behaviours: &str) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        Self::start_at(kind, port, behaviours)
    }

    fn start_at(kind: &str, port: u16, behaviours: &str) -> Self {
        let dir = Dir::new("receiver");
        let secret = dir.write("secret", SECRET);
        std::fs::set_permissions(secret, std::fs::Permissions::from_mode(0o600)).unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/warning/receiver.py");
        let log = dir.file("deliveries.jsonl").display().to_string();
        let mut argv: Vec<String> =
            ["python3", script, kind].into_iter().map(str::to_owned).collect();
        argv.extend([port.to_string(), log]);
        argv.extend((kind == "http").then(|| SECRET.to_owned()));
        argv.extend(behaviours.split(' ').map(str::to_owned));
        let said = dir.file("said.log");
        let process = Process::start("receiver", &argv, dir.path(), said.clone());
        let ready = || std::fs::read_to_string(&said).ok().filter(|said| said.contains("ready"));
        assert!(poll(s(10), ready).is_some(), "the receiver does not start");
        Self { dir, port, _process: process }
    }

    fn secret(&self) -> PathBuf {
        self.dir.file("secret")
    }

    /// What came so far.
    fn deliveries(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.dir.file("deliveries.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("a line")).collect()
    }

    /// Waits until so many came.
    #[track_caller]
    fn has(&self, count: usize) -> Vec<Value> {
        let there = poll(s(30), || Some(self.deliveries()).filter(|list| list.len() >= count));
        there
            .unwrap_or_else(|| panic!("{count} deliveries, and there are {:#?}", self.deliveries()))
    }

    fn webhook(&self) -> String {
        format!(
            "webhook = \"http://127.0.0.1:{}/hook\"\nwebhook_private = true\nwebhook_secret_file = \"{}\"\n",
            self.port,
            self.secret().display()
        )
    }

    fn mail(&self) -> String {
        format!(
            "smtp = \"127.0.0.1:{}\"\nsmtp_tls = \"off\"\nfrom = \"madoguchi@desk.example\"\n\
             to = [\"manager@desk.example\", \"chief@desk.example\"]\n",
            self.port
        )
    }
}

fn desk(ways: &str) -> Desk {
    let more = format!("[warning]\nlink = \"https://desk.example/\"\n{ways}");
    Desk::with(&Setup { more: &more, ..Setup::default() })
}

/// One caller gives up while waiting: the only call of the month, so its abandon rate is 100 %.
fn abandon(desk: &Desk) {
    let gone = desk.caller("0312340090").set("FROM", "0340").set("STAY", 900).start().done();
    assert_eq!(gone.count("hung_up"), 1);
    desk.over("03401");
}

/// The history's entries of warnings, as (seq, event).
fn warnings(desk: &Desk) -> Vec<(u64, Value)> {
    let store = desk.dir().file("store/madoguchi.db");
    let run = Command::new(support::desk::binary())
        .args(["events", "export"])
        .arg(store)
        .output()
        .expect("it runs");
    let text = String::from_utf8(run.stdout).expect("text");
    let entries = text.lines().skip(1).map(|line| serde_json::from_str(line).expect("an entry"));
    let of = |entry: &Value| entry["event"]["kind"].as_str().unwrap_or("").starts_with("warning_");
    entries
        .filter(of)
        .map(|entry: Value| (entry["seq"].as_u64().expect("a number"), entry["event"].clone()))
        .collect()
}

/// Waits until there are so many of a kind.
#[track_caller]
fn noted(desk: &Desk, kind: &str, count: usize) -> Vec<(u64, Value)> {
    let found = || -> Vec<_> {
        warnings(desk).into_iter().filter(|(_, event)| event["kind"] == kind).collect()
    };
    let there = poll(s(40), || Some(found()).filter(|list| list.len() >= count));
    there.unwrap_or_else(|| {
        panic!("{count} of {kind}, and there are {:#?}\n{}", warnings(desk), desk.log())
    })
}

#[test]
fn a_rate_that_is_missed_is_told_once_by_a_signed_post_and_by_mail_whatever_the_receivers_do() {
    let hook = Receiver::start("http", "drop 500 redirect slow ok");
    let mailbox = Receiver::start("smtp", "drop 451 ok");
    // The third try of the POST meets a redirect, which is tried again a minute later: that one is started
    // over below.
    let desk = desk(&format!("{}{}", hook.webhook(), mailbox.mail()));
    abandon(&desk);
    let turned = noted(&desk, "warning_turned", 1);
    assert_eq!(turned.len(), 1, "{turned:#?}");
    let (seq, turn) = &turned[0];
    assert_eq!((&turn["turn"]["rate"], &turn["turn"]["to"]), (&"abandon".into(), &"missed".into()));

    let mails = mailbox.has(3);
    let ids: BTreeSet<&str> =
        mails.iter().map(|mail| mail["key"].as_str().expect("an id")).collect();
    assert_eq!(ids.len(), 1, "one id for all tries: {ids:?}");
    let mail = mails.last().expect("one");
    assert_eq!(mail["to"], serde_json::json!(["manager@desk.example", "chief@desk.example"]));
    assert_eq!(mail["sender"], "madoguchi@desk.example");
    assert_eq!(mail["automatic"], "auto-generated");
    let (subject, text) = (mail["subject"].as_str().unwrap(), mail["text"].as_str().unwrap());
    assert!(subject.contains("放棄率") && subject.contains("abandon rate"), "{subject}");
    for words in ["1/1 = 100.00 %", "上限", "https://desk.example/", "must stay below 10 %"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let told = noted(&desk, "warning_told", 1);
    assert_eq!((&told[0].1["by"], &told[0].1["tries"]), (&"mail".into(), &3.into()));

    let posts = hook.has(3);
    for post in &posts {
        assert_eq!((&post["signed"], &post["fresh"]), (&true.into(), &true.into()), "{post:#}");
        assert_eq!(post["key"], posts[0]["key"]);
        assert_eq!(post["body"]["seq"], *seq);
        assert_eq!(post["body"]["so_far"]["percent"], "100.00");
        assert_eq!(post["body"]["trial"], false);
    }
    rest(3_000);
    assert_eq!(
        hook.deliveries().len(),
        3,
        "a redirect is neither followed nor tried again at once"
    );
    assert_eq!(desk.metric("madoguchi_warning_turns_total"), 1.0);
    assert_eq!(desk.metric("madoguchi_warning_told_total"), 1.0);
    assert_eq!(desk.metric("madoguchi_warning_waiting"), 1.0);
    assert_eq!(desk.metric("madoguchi_warning_tries_failed_total"), 5.0);

    // A restart tries at once; slow is a yes as well.
    let mut desk = desk;
    desk.again();
    hook.has(4);
    let told = noted(&desk, "warning_told", 2);
    assert_eq!(told.len(), 2, "{told:#?}");
    desk.again();
    rest(3_000);
    assert_eq!(
        (hook.deliveries().len(), mailbox.deliveries().len()),
        (4, 3),
        "nothing is told twice"
    );
    assert_eq!(desk.metric("madoguchi_warning_waiting"), 0.0);
    assert!(!desk.log().contains(SECRET));
}

#[test]
fn killed_at_any_instant_no_turn_is_lost_and_every_repetition_has_the_same_id() {
    // `late`: the receiver has it, and the daemon does not know.
    let hook = Receiver::start("http", "late slow 500 late slow drop slow ok");
    let mailbox = Receiver::start("smtp", "late 451 drop late ok");
    let mut desk = desk(&format!("{}{}", hook.webhook(), mailbox.mail()));
    abandon(&desk);
    for round in 0..8_u64 {
        rest(300 + 370 * (round * 7 % 5));
        desk.kill();
        desk.again();
    }
    let told = noted(&desk, "warning_told", 2);
    rest(2_500);
    let turns = noted(&desk, "warning_turned", 1);
    assert_eq!(turns.len(), 1, "a turn is written once: {turns:#?}");
    let mut by: BTreeMap<String, usize> = BTreeMap::new();
    for (_, event) in &told {
        assert_eq!(event["turn"], turns[0].0);
        *by.entry(event["by"].to_string()).or_default() += 1;
    }
    assert_eq!(by.values().copied().collect::<Vec<_>>(), [1, 1], "told once by each: {by:?}");
    for receiver in [&hook, &mailbox] {
        let got = receiver.deliveries();
        let keys: BTreeSet<String> = got.iter().map(|it| it["key"].to_string()).collect();
        assert_eq!(keys.len(), 1, "{got:#?}");
        assert!(got.iter().all(|it| it["signed"] != false), "{got:#?}");
        println!("{} tries reached the receiver", got.len());
    }
}

#[test]
fn what_nobody_takes_is_given_up_when_its_time_is_over_and_said_so() {
    let hook = Receiver::start("http", "500");
    let desk = desk(&format!("give_up_after = \"1m\"\n{}", hook.webhook()));
    abandon(&desk);
    let given_up = poll(s(90), || {
        Some(warnings(&desk))
            .filter(|list| list.iter().any(|(_, event)| event["kind"] == "warning_given_up"))
    });
    let given_up = given_up.unwrap_or_else(|| panic!("not given up: {}", desk.log()));
    let (_, event) = given_up.last().expect("one");
    assert_eq!(event["untold"], serde_json::json!({ "why": "refused", "status": 500 }));
    assert!(desk.log().contains("a warning is given up"));
    assert_eq!(desk.metric("madoguchi_warning_given_up_total"), 1.0);
    assert_eq!(desk.metric("madoguchi_warning_waiting"), 0.0);
    let tries = hook.deliveries().len();
    assert!((4..=60).contains(&tries), "{tries} tries in a minute");
}

#[test]
fn a_trial_is_marked_and_says_who_cannot_be_told() {
    let (hook, mailbox) = (Receiver::start("http", "ok"), Receiver::start("smtp", "550 ok"));
    let mut desk = desk(&format!("{}{}", hook.webhook(), mailbox.mail()));
    let file = desk.dir().file("madoguchi.toml");
    let attempt = || {
        let run = Command::new(support::desk::binary())
            .args(["warning", "try", "--lang", "en", "--config"])
            .arg(&file)
            .output()
            .expect("it runs");
        let said = [run.stdout, run.stderr].map(|it| String::from_utf8(it).expect("text"));
        (run.status.code(), said)
    };
    let (code, [out, err]) = attempt();
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(out.contains("webhook: the trial was taken"), "{out}");
    assert!(err.contains("mail: the trial was not taken: the answer is 550"), "{err}");
    let (code, [out, err]) = attempt();
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    let posts = hook.has(2);
    assert!(posts.iter().all(|post| post["body"]["trial"] == true && post["signed"] == true));
    let subject = mailbox.has(2)[1]["subject"].to_string();
    assert!(subject.contains("試験") && subject.contains("[trial]"), "{subject}");
    assert_eq!(warnings(&desk).len(), 0, "a trial is no fact");
    assert_eq!(desk.stop(), Some(0), "whoever tells does not keep the desk from ending");
}
