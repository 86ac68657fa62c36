//! What goes on beside the calls: old callers are erased by the running daemon, and calls are followed from
//! the command line.
#![allow(clippy::pedantic, clippy::disallowed_methods)]

#[path = "support/mod.rs"]
mod support;

#[path = "beside/keep.rs"]
mod keep;

use madoguchi::base::{CallId, Private, Wall};
use madoguchi::event::{
    CallEvent, Caller, CallerNumber, Channel, EndCause, Entry, Fact, IncidentEvent, Means, Origin,
    Party, TicketState,
};
use madoguchi::io::store::{Batch, Durability, Kind, Options, Store};
use serde_json::Value;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::desk::{Desk, binary};
use support::{poll, rest, s};

const DAY_MS: i64 = 86_400_000;

/// Puts calls of `days` ago behind the history of a desk that is down.
fn older_calls(desk: &Desk, count: u64, days: i64) {
    let path = desk.dir().file("store/madoguchi.db");
    let options = Options { kind: Kind::Service, durability: Durability::Process };
    let (store, replay) = Store::open(&path, options, |_| {}).expect("opens");
    let at = Wall(chrono::Utc::now().timestamp_millis() - days * DAY_MS);
    let caller = Caller {
        number: CallerNumber::Known(Private::new("0398765432".to_owned())),
        name: Some(Private::new("会計課".to_owned())),
        diverted_from: None,
    };
    let steps = [
        CallEvent::Arrived {
            number: "0312340090".into(),
            caller,
            origin: Origin::Trunk("carrier".into()),
            counted: true,
        },
        CallEvent::OperatorAsked { group: None },
        CallEvent::Ended { by: Party::Caller, cause: EndCause::HungUp },
    ];
    let mut entries = Vec::new();
    for n in 0..count {
        for (t_ms, event) in [0, 10, 30_000].into_iter().zip(steps.clone()) {
            let seq = replay.next_seq + entries.len() as u64;
            let id = (days as u64 + 1) * 1_000 + n;
            let call = CallId(uuid::Uuid::from_u64_pair(0x0100_0000_0000_7000 + (id << 16), id));
            entries.push(Entry { seq, at, fact: Fact::Call { call, t_ms, event } });
        }
    }
    // One that came by mail on the same day.
    let received = TicketState {
        received_at: at,
        completed_at: None,
        escalations: Vec::new(),
        reported_at: None,
        technical: false,
        exclusions: Vec::new(),
    };
    let event = IncidentEvent::IncidentOpened {
        channel: Channel::Mail,
        subject: Private::new(format!("架空 {days} 日前")),
        state: Box::new(received),
        author: "佐藤".to_owned(),
        by: Means::Api,
    };
    let seq = replay.next_seq + entries.len() as u64;
    entries.push(Entry { seq, at, fact: Fact::Incident { call: None, event } });
    store.append(Batch { number: 1, entries, bindings: vec![], subscriptions: vec![] });
    assert!(store.close(Duration::from_secs(10)));
}

/// The daemon's next start reads this in [store].
fn in_store(desk: &Desk, lines: &str) {
    let file = desk.dir().file("madoguchi.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("[store]\n", &format!("[store]\n{lines}"))).unwrap();
}

fn says(desk: &Desk, words: &[&str]) -> (Option<i32>, String) {
    let run = Command::new(binary())
        .args(words)
        .args(["--lang", "en", "--config"])
        .arg(desk.dir().file("madoguchi.toml"))
        .output()
        .expect("it runs");
    (run.status.code(), String::from_utf8(run.stdout).expect("text"))
}

#[test]
fn callers_older_than_is_kept_are_erased_while_the_desk_serves_and_figures_stay() {
    let mut desk = Desk::start("desk.toml");
    desk.kill();
    older_calls(&desk, 40, 10);
    older_calls(&desk, 1, 0);
    let now = chrono::Utc::now().with_timezone(&chrono_tz::Asia::Tokyo);
    in_store(
        &desk,
        &format!("keep_callers_days = 5\nerase_callers_at = \"{}\"\n", now.format("%H:%M")),
    );
    desk.again();
    let erased =
        poll(s(60), || (desk.metric("madoguchi_callers_erased_calls_total") == 40.0).then_some(()));
    assert!(erased.is_some(), "{}", desk.log());
    let day = (now - chrono::TimeDelta::days(10)).format("%Y-%m-%d").to_string();
    let (_, figures) =
        says(&desk, &["calls", "--day", &day, "--figure", "abandon", "--stands", "numerator"]);
    assert!(figures.contains("40 calls"), "{figures}");

    // Who called today is known, whoever is older is not: by the list, one call, and after a restart too.
    for _ in 0..2 {
        let calls = desk.calls();
        let of = |number: &Value| {
            calls.iter().filter(|call| call["caller"]["number"] == *number).count()
        };
        assert_eq!(of(&Value::from("erased")), 40);
        assert_eq!(of(&serde_json::json!({ "known": "0398765432" })), 1);
        let ledger = desk.api("GET", "/api/v1/incidents", "").body;
        let ledger: Value = serde_json::from_str(&ledger).expect("JSON");
        let mails = ledger["incidents"].as_array().expect("a list").iter();
        let mails = mails.filter(|it| it["channel"] == "mail").map(|it| it["subject"].as_str());
        assert_eq!(mails.collect::<Vec<_>>(), [Some("架空 0 日前"), Some("erased")]);
        let old = calls.iter().find(|call| call["caller"]["number"] == "erased").expect("one");
        let id = old["call"].as_str().unwrap();
        let one = desk.api("GET", &format!("/api/v1/calls/{id}"), "").body;
        assert!(
            !one.contains("erased:") && !one.contains("0398765432") && !one.contains("会計課"),
            "{one}"
        );
        let (code, explained) = says(&desk, &["explain", id, "--callers"]);
        assert_eq!(code, Some(0));
        assert!(explained.contains("erased") && !explained.contains("erased:"), "{explained}");
        desk.again();
    }
    let store = desk.dir().file("store/madoguchi.db").display().to_string();
    let verified = Command::new(binary()).args(["verify", &store]).output().expect("it runs");
    assert!(verified.status.success(), "{verified:?}");
    let exported =
        Command::new(binary()).args(["events", "export", &store]).output().expect("it runs");
    let exported = String::from_utf8(exported.stdout).expect("text");
    let noted: Vec<&str> =
        exported.lines().filter(|line| line.contains("callers_erased")).collect();
    assert_eq!(noted.len(), 1, "{noted:?}");
    assert!(noted[0].contains("\"calls\":40"), "{noted:?}");
    assert!(noted[0].contains("\"incidents\":1"), "{noted:?}");
    let bytes = std::fs::read(&store).unwrap();
    let left = bytes.windows(10).filter(|part| *part == b"0398765432").count();
    assert!(left >= 1, "today's caller is there");
}

/// `calls --follow` in a process of its own.
struct Follower(Child);

impl Follower {
    fn start(desk: &Desk, words: &[&str], name: &str) -> (Self, std::path::PathBuf) {
        let out = desk.dir().file(name);
        let child = Command::new(binary())
            .args(["calls", "--follow", "--lang", "en", "--config"])
            .arg(desk.dir().file("madoguchi.toml"))
            .args(words)
            .stdout(std::fs::File::create(&out).unwrap())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("it runs");
        (Self(child), out)
    }

    /// Ctrl-C.
    fn end(mut self) -> Option<i32> {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        let ended = poll(s(5), || self.0.try_wait().unwrap());
        ended.and_then(|status| status.code())
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn calls_are_followed_as_they_get_their_outcome_and_over_a_restart() {
    let mut desk = Desk::start("desk.toml");
    let abandon = |desk: &Desk, from: &str| {
        let gone = desk.caller("0312340090").set("FROM", from).set("STAY", 600).start().done();
        assert_eq!(gone.count("hung_up"), 1);
        desk.over(&format!("{from}1"));
    };
    abandon(&desk, "0340"); // before anybody looks
    let (json, json_out) = Follower::start(&desk, &["--json"], "json.txt");
    let (words, words_out) = Follower::start(&desk, &["--outcome", "abandoned"], "words.txt");
    let (none, none_out) =
        Follower::start(&desk, &["--outcome", "answered_after_busy"], "none.txt");
    rest(2_000);
    abandon(&desk, "0341");
    let lines = |path: &std::path::Path| -> Vec<String> {
        std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
    };
    let has = |count: usize| poll(s(5), || (lines(&json_out).len() >= count).then_some(()));
    assert!(has(1).is_some(), "{:?}", lines(&json_out));
    desk.kill();
    rest(1_500);
    desk.again();
    abandon(&desk, "0342");
    // An agent answers: told at the answer, not at the end.
    let agent = desk.agent("agent", 201).set("RING", 50).set("TALK", 6_000).start();
    rest(200);
    let talk = desk.caller("0312340010").set("FROM", "0343").set("STAY", 5_000).start();
    assert!(has(3).is_some(), "{:?}", lines(&json_out));
    assert_eq!(desk.call_of("03431").expect("it is up")["state"], "talking");
    talk.done();
    drop(agent);
    rest(1_500);
    let told: Vec<Value> = lines(&json_out)
        .iter()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    let outcomes: Vec<&str> = told.iter().map(|it| it["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["abandoned", "abandoned", "answered"], "each once, and none of before");
    assert!(told[2]["agent"].is_string() && told[2]["wait_ms"].is_u64(), "{:#}", told[2]);
    assert_eq!(lines(&words_out).len(), 2, "{:?}", lines(&words_out));
    assert!(lines(&words_out).iter().all(|line| line.contains(" abandoned ")));
    assert_eq!(lines(&none_out).len(), 0);
    for follower in [json, words, none] {
        assert_eq!(follower.end(), Some(0), "Ctrl-C is an end as any");
    }
}
