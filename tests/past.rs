//! Journals that earlier versions wrote are read for ever, with the same outcomes.
//!
//! `tests/past/*.db.gz` are stores as the demonstration of each version with another schema left them
//! at a `kill -9`; the `.tsv` beside each is what that version itself said of the calls that had ended.
//! `events.jsonl` has one line of each kind of event in the shape in which it was written first.
#![allow(clippy::pedantic, clippy::disallowed_methods)]

use madoguchi::base::Wall;
use madoguchi::event::{Entry, Fact};
use madoguchi::io::store::{Durability, Kind, Options, Store};
use madoguchi::view::{CallQuery, Policy, Setup, Views};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Each schema that ever was, the oldest first.
const PAST: [&str; 4] = ["1-journal", "2-flows", "3-subscriptions", "4-transfers"];
/// Accounts of the demonstration's cast, each registered once.
const PHONES: usize = 8;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/past")
}

fn views() -> Views {
    Views::new(Setup {
        desk: "past".to_owned(),
        demonstration: true,
        timezone: chrono_tz::Asia::Tokyo,
        policy: Policy::default(),
        agents: Vec::new(),
    })
}

/// A copy of the file to be opened, in a folder of its own.
struct Copy(PathBuf);

impl Copy {
    fn of(name: &str) -> Self {
        // Two tests may have a copy of one file at the same time.
        static COPIES: AtomicU32 = AtomicU32::new(0);
        let (process, copy) = (std::process::id(), COPIES.fetch_add(1, Ordering::Relaxed));
        let folder_of_test =
            std::env::temp_dir().join(format!("madoguchi-past-{process}-{copy}-{name}"));
        std::fs::create_dir_all(&folder_of_test).unwrap();
        let packed = folder().join(format!("{name}.db.gz"));
        let unpacked = Command::new("gzip").arg("-dc").arg(packed).output().expect("gzip runs");
        assert!(unpacked.status.success(), "{name}: {unpacked:?}");
        std::fs::write(folder_of_test.join("demo.db"), unpacked.stdout).unwrap();
        Self(folder_of_test)
    }

    /// Opens the store as a start does, and folds all it holds.
    fn read(&self) -> (Views, usize) {
        let options = Options { kind: Kind::Demonstration, durability: Durability::Process };
        let (store, replay) = Store::open(&self.0.join("demo.db"), options, |_| {}).unwrap();
        let mut views = views();
        for block in replay.entries {
            for entry in block.unwrap() {
                views.apply(&entry);
            }
        }
        let phones = replay.bindings.len();
        assert!(store.close(Duration::from_secs(10)));
        (views, phones)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The ended calls in the words of the `.tsv`.
fn told(views: &Views) -> BTreeSet<String> {
    let rows = views.calls(&CallQuery { limit: 1_000, since: None, outcome: None });
    let rows = rows.iter().map(|row| serde_json::to_value(row).unwrap());
    let ended = rows.filter(|row| row["state"] == "ended").map(|row| {
        let word = |name: &str| match &row[name] {
            serde_json::Value::Null => "-".to_owned(),
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        ["call", "outcome", "agent", "wait_ms", "length_ms"].map(word).join("\t")
    });
    ended.collect()
}

#[test]
fn a_journal_of_every_past_version_is_read_with_the_same_outcomes() {
    for name in PAST {
        let copy = Copy::of(name);
        let (mut views, phones) = copy.read();
        assert_eq!((views.holes(), views.strays()), (0, 0), "{name}");
        assert_eq!(phones, PHONES, "{name}: registrations outlive the new version");
        let said = std::fs::read_to_string(folder().join(format!("{name}.tsv"))).unwrap();
        let said: BTreeSet<String> =
            said.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
        assert!(said.len() > 30, "{name}: a demonstration's worth of calls");
        let now = told(&views);
        let missing: Vec<&String> = said.difference(&now).collect();
        assert!(missing.is_empty(), "{name}: {missing:#?}\nnow: {now:#?}");
        // Those that were up at the end are given theirs, as at any start.
        for entry in views.closing_entries(Wall(1_800_000_000_000), views.witnessed()) {
            views.apply(&entry);
        }
        assert_eq!(views.open_count(), 0, "{name}");
        // And again: what was brought up to date once stays so.
        assert_eq!(told(&copy.read().0), now, "{name}");
    }
}

#[test]
fn every_event_is_read_in_the_shape_in_which_it_was_written_first() {
    let text = std::fs::read_to_string(folder().join("events.jsonl")).unwrap();
    let mut kinds = BTreeSet::new();
    let mut views = views();
    for (line, number) in text.lines().zip(1..) {
        let mut was: serde_json::Value = serde_json::from_str(line).unwrap();
        was["seq"] = u64::into(number);
        let entry: Entry = serde_json::from_value(was.clone())
            .unwrap_or_else(|error| panic!("line {number}: {error}"));
        views.apply(&entry);
        let value = serde_json::to_value(&entry).unwrap();
        assert_eq!(value, was, "line {number}: nothing is lost, nothing is added");
        let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        kinds.insert((word(&value["of"]), word(&value["event"]["kind"])));
        // Nobody's number or name is shown by accident.
        if let Fact::Call { .. } | Fact::Placed { .. } = entry.fact {
            assert!(!format!("{entry:?}").contains("0398765432"), "line {number}");
        }
    }
    assert_eq!((views.holes(), views.strays()), (0, 0));
    let due = due_kinds();
    let missing: Vec<_> = due.difference(&kinds).collect();
    assert!(due.len() > 70 && missing.is_empty(), "no line of: {missing:?}");
}

/// `madoguchi diff` with its exit code and what it prints.
fn diff(old: &Path, new: &Path, more: &[&str], store: &Path) -> (i32, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_madoguchi"))
        .args(["diff", "--lang", "en", "--history"])
        .args([store, old, new])
        .args(more)
        .output()
        .expect("it runs");
    let said = [run.stdout, run.stderr].map(|text| String::from_utf8(text).expect("text")).concat();
    (run.status.code().expect("an exit code"), said)
}

#[test]
fn the_calls_of_the_past_are_put_to_a_plan_before_it_goes_live() {
    let copy = Copy::of("4-transfers");
    let store = copy.0.join("demo.db");
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("dialplans/demo.toml");
    let before = std::fs::read(&store).unwrap();
    let (code, same) = diff(&demo, &demo, &[], &store);
    assert_eq!(code, 0, "{same}");
    let all = same.lines().last().unwrap().strip_prefix("0 of ").expect("no call goes another way");
    let all: u32 = all.split(' ').next().unwrap().parse().unwrap();
    assert!(all > 30, "{same}");

    // Key 2 and the closed number lead elsewhere.
    let text = std::fs::read_to_string(&demo).unwrap();
    let changed =
        text.replace("2 = { announce = \"information\" }", "2 = { group = \"second\" }").replace(
            "closed = { announce = \"after-hours\" }\nlines = 4",
            "closed = { refuse = 486 }\nlines = 4",
        );
    let new = copy.0.join("new.toml");
    std::fs::write(&new, &changed).unwrap();
    let (code, said) = diff(&demo, &new, &[], &store);
    assert_eq!(code, 1, "{said}");
    let summary: Vec<u32> =
        said.lines().last().unwrap().split(' ').filter_map(|word| word.parse().ok()).collect();
    assert!(summary[0] > 0 && summary[0] < summary[1] && summary[1] == all, "{said}");
    assert!(said.contains("  - open > menu welcome > [2] > announce information\n  + open > menu welcome > [2] > group second"), "{said}");
    assert!(
        said.contains("  - weekend > announce after-hours\n  + weekend > refuse 486"),
        "{said}"
    );
    assert!(std::fs::read(&store).unwrap() == before, "the store is only read");
    // Every call that is listed is one of the store, by its id and without its caller's number.
    let listed: BTreeSet<&str> =
        said.lines().filter(|line| line.as_bytes().get(8) == Some(&b'-')).collect();
    let (views, _) = copy.read();
    let known = views.calls(&CallQuery { limit: 1_000, since: None, outcome: None });
    let known: BTreeSet<String> = known
        .iter()
        .map(|row| serde_json::to_value(row).unwrap()["call"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(listed.len() as u32, summary[0], "{said}");
    assert!(listed.iter().all(|line| known.contains(line.split(' ').next().unwrap())), "{said}");
    assert!(listed.iter().all(|line| line.split(' ').count() == 4), "no caller: {said}");
    let (_, shown) = diff(&demo, &new, &["--callers"], &store);
    assert!(shown.lines().any(|line| line.split(' ').count() == 5), "{shown}");
    // None of that day came before it, and nothing was written.
    let (code, none) = diff(&demo, &new, &["--until", "2020-01-01"], &store);
    assert_eq!((code, none.as_str()), (0, "0 of 0 calls go another way\n"));
    assert_eq!(diff(&demo, &copy.0.join("none.toml"), &[], &store).0, 2);
    assert_eq!(diff(&demo, &new, &[], &copy.0.join("none.db")).0, 2);
    assert_eq!(diff(&demo, &new, &["--from", "soon"], &store).0, 2);
}

/// Every kind of event, as the page of events lists them (`events` holds that to the source).
fn due_kinds() -> BTreeSet<(String, String)> {
    let page = include_str!("../docs/EVENTS.md");
    let kinds = page.lines().filter_map(|line| {
        // ### `call` `arrived`
        let (of, kind) = line.strip_prefix("### `")?.strip_suffix('`')?.split_once("` `")?;
        Some((of.to_owned(), kind.to_owned()))
    });
    kinds.collect()
}
