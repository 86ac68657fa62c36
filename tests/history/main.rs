//! The history's hash chain as an outsider meets it: the commands, an exported file, a check by a program
//! of another hand (`chain.py`), and stores of every past version.
#![allow(clippy::pedantic, clippy::disallowed_methods)]

use madoguchi::base::{CallId, Private, Wall};
use madoguchi::event::{
    AgentEvent, CallEvent, Caller, CallerNumber, EndCause, Entry, Fact, Means, NoteEvent, Origin,
    Party, PlacedEvent,
};
use madoguchi::io::store::{Batch, Durability, Kind, Options, Store};
use madoguchi::view::{CallQuery, Policy, Setup, Views};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const PAST: [&str; 4] = ["1-journal", "2-flows", "3-subscriptions", "4-transfers"];

/// A folder of the test's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let (process, n) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(format!("madoguchi-history-{process}-{n}"));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A store of a past version.
    fn past(&self, name: &str) -> PathBuf {
        let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/past/{name}.db.gz"));
        let unpacked = Command::new("gzip").arg("-dc").arg(packed).output().expect("gzip runs");
        assert!(unpacked.status.success(), "{name}: {unpacked:?}");
        std::fs::write(self.at("past.db"), unpacked.stdout).unwrap();
        self.at("past.db")
    }

    fn names(&self) -> Vec<String> {
        let all = std::fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> =
            all.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A command's exit code, what it answers, and what it complains of.
fn madoguchi(arguments: &[&str], paths: &[&Path]) -> (i32, String, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_madoguchi"))
        .args(arguments)
        .args(paths)
        .env("LC_ALL", "en_GB.UTF-8")
        .output()
        .expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (run.status.code().expect("an exit code"), text(run.stdout), text(run.stderr))
}

fn python(path: &Path) -> (i32, String) {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/history/chain.py");
    let run = Command::new("python3").arg(program).arg(path).output().expect("python3 runs");
    let said = String::from_utf8([run.stdout, run.stderr].concat()).expect("text");
    (run.status.code().expect("an exit code"), said.trim_end().to_owned())
}

/// What `verify` says of a whole history, and its last hash.
fn whole(path: &Path) -> (serde_json::Value, String) {
    let (code, said, err) = madoguchi(&["verify", "--json"], &[path]);
    assert_eq!(code, 0, "{said}{err}");
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    let anchor = format!("{}:{}", said["last"]["seq"], said["last"]["hash"].as_str().unwrap());
    (said, anchor)
}

fn sql(path: &Path, text: &str) {
    let program = "import sqlite3, sys\nstore = sqlite3.connect(sys.argv[1])\n\
                   store.executescript(sys.argv[2])\nstore.commit()";
    let run = Command::new("python3").args(["-c", program]).arg(path).arg(text).output().unwrap();
    assert!(run.status.success(), "{run:?}");
}

fn export(store: &Path, more: &[&str], into: &Path) {
    let (code, said, err) = madoguchi(&[&["events", "export"], more].concat(), &[store]);
    assert_eq!(code, 0, "{err}");
    std::fs::write(into, said).unwrap();
}

fn import(file: &Path, into: &Path) -> (i32, String) {
    let (code, said, err) = madoguchi(&["events", "import"], &[file, Path::new("--into"), into]);
    (code, said + &err)
}

/// Opens the store as a start does, and folds all it holds.
fn views(path: &Path, kind: Kind) -> Views {
    let options = Options { kind, durability: Durability::Process };
    let (store, replay) = Store::open(path, options, |_| {}).unwrap();
    let mut views = Views::new(Setup {
        desk: "past".to_owned(),
        demonstration: kind == Kind::Demonstration,
        timezone: chrono_tz::Asia::Tokyo,
        policy: Policy::default(),
        agents: Vec::new(),
    });
    replay.entries.flat_map(Result::unwrap).for_each(|entry| views.apply(&entry));
    assert!(store.close(Duration::from_secs(10)));
    views
}

/// All figures and calls, but for who called.
fn figures(views: &Views) -> (Vec<serde_json::Value>, String) {
    let rows = views.calls(&CallQuery { limit: 10_000, since: None, outcome: None });
    let calls = rows.iter().map(|row| {
        let mut row = serde_json::to_value(row).unwrap();
        let row_of = row.as_object_mut().unwrap();
        row_of.remove("caller");
        row_of.remove("entered");
        row
    });
    let days: Vec<_> = rows.iter().map(|row| views.day_of(row.arrived_at_ms)).collect();
    let days = days.into_iter().map(|day| (day, views.day_tally(day)));
    let days: std::collections::BTreeMap<_, _> = days.collect();
    (calls.collect(), format!("{days:?} {:?} {:?}", views.total(), views.totals()))
}

#[test]
fn a_store_of_every_past_version_gets_a_chain_that_another_program_confirms() {
    for name in PAST {
        let folder = Folder::new();
        let store = folder.past(name);
        let (code, _, err) = madoguchi(&["verify"], &[&store]);
        assert!(code == 2 && err.contains("has no hash chain"), "{name}: {err}");
        let before = figures(&views(&store, Kind::Demonstration));
        let (said, anchor) = whole(&store);
        assert!(said["entries"].as_u64().unwrap() > 300, "{name}: {said}");
        assert_eq!(python(&store), (0, anchor.clone()), "{name}");
        // Exported for others, it has nobody's number, and the same last hash.
        let file = folder.at("public.jsonl");
        export(&store, &[], &file);
        assert_eq!((whole(&file).1, python(&file)), (anchor.clone(), (0, anchor.clone())));
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(!text.contains("salt") && text.contains("\"known\":\"erased:"), "{name}");
        // A store made of it gives the same figures.
        let copy = folder.at("copy.db");
        assert_eq!(import(&file, &copy).0, 0);
        assert_eq!(figures(&views(&copy, Kind::Demonstration)), before, "{name}");
        assert_eq!(whole(&copy).1, anchor);
    }
}

#[test]
fn erasing_old_calls_changes_no_figure_and_no_hash() {
    let folder = Folder::new();
    let store = folder.past("4-transfers");
    let before = figures(&views(&store, Kind::Demonstration));
    let anchor = whole(&store).1;
    let (code, said, err) = madoguchi(&["events", "erase", "--before", "2100-01-01"], &[&store]);
    assert!(code == 0 && said.contains("were erased"), "{said}{err}");
    let (said, same) = whole(&store);
    assert!(said["erased"].as_u64().unwrap() > 30 && same == anchor, "{said}");
    assert_eq!(python(&store), (0, anchor));
    assert_eq!(figures(&views(&store, Kind::Demonstration)), before);
    // With --private there is nothing left to show.
    let file = folder.at("private.jsonl");
    export(&store, &["--private"], &file);
    assert!(!std::fs::read_to_string(&file).unwrap().contains("salt"));
    // A store that a daemon has is left alone.
    let options = Options { kind: Kind::Demonstration, durability: Durability::Process };
    let (open, _replay) = Store::open(&store, options, |_| {}).unwrap();
    let (code, _, err) = madoguchi(&["events", "erase", "--before", "2100-01-01"], &[&store]);
    assert!(code == 1 && err.contains("a running Madoguchi has it (process "), "{err}");
    assert!(open.close(Duration::from_secs(10)));
    let wrong = madoguchi(&["events", "erase", "--before", "soon"], &[&store]);
    assert!(wrong.0 == 2 && wrong.2.contains("is not a time"), "{wrong:?}");
    assert_eq!(madoguchi(&["events", "erase", "--before", "2100-01-01"], &[&folder.at("no")]).0, 2);
}

/// What an agent wrote about a call goes with the call's numbers and names, also what was written after its end.
#[test]
fn notes_are_hidden_and_erased_as_numbers_are() {
    let folder = Folder::new();
    let store = folder.at("noted.db");
    let options = Options { kind: Kind::Service, durability: Durability::Process };
    let (open, _replay) = Store::open(&store, options, |_| {}).unwrap();
    let call = CallId(uuid::Uuid::from_u128(7));
    let of_call = |t_ms, event| Fact::Call { call, t_ms, event };
    let caller = Caller {
        number: CallerNumber::Known(Private::new("0398765432".into())),
        name: None,
        diverted_from: None,
    };
    let origin = Origin::Trunk("carrier".into());
    let number = "0312345678".into();
    let ended = CallEvent::Ended { by: Party::Caller, cause: EndCause::HungUp };
    let text = Private::new("書いたことは秘密".to_owned());
    let noted = NoteEvent::Noted { agent: "2001".into(), text, by: Means::Api };
    let facts = [
        of_call(0, CallEvent::Arrived { number, caller, origin, counted: true }),
        of_call(9_000, ended),
        Fact::Note { call, event: noted },
    ];
    let entries = facts.into_iter().zip(1..);
    let entries = entries.map(|(fact, seq)| Entry { seq, at: Wall(1_790_816_400_000), fact });
    let batch =
        Batch { number: 1, entries: entries.collect(), bindings: vec![], subscriptions: vec![] };
    open.append(batch);
    assert!(open.close(Duration::from_secs(20)));
    let anchor = whole(&store).1;
    let file = folder.at("exported.jsonl");
    let exported = |more: &[&str]| {
        export(&store, more, &file);
        std::fs::read_to_string(&file).unwrap()
    };
    let hidden = exported(&[]);
    assert!(hidden.contains("noted") && !hidden.contains("秘密"), "{hidden}");
    assert!(exported(&["--private"]).contains("秘密"));
    assert_eq!(python(&store), (0, anchor.clone()));
    let (code, said, err) = madoguchi(&["events", "erase", "--before", "2100-01-01"], &[&store]);
    assert_eq!(code, 0, "{said}{err}");
    assert!(!exported(&["--private"]).contains("秘密"));
    assert_eq!(python(&store), (0, anchor));
    let bytes = std::fs::read(&store).unwrap();
    let word = "秘密".as_bytes();
    assert!(!bytes.windows(word.len()).any(|part| part == word), "it is nowhere in the file");
}

#[test]
fn both_programs_find_the_same_damage() {
    let folder = Folder::new();
    let store = folder.past("3-subscriptions");
    drop(views(&store, Kind::Demonstration));
    let anchor = whole(&store).1;
    let table = [
        (
            "UPDATE entry SET body = replace(body, '\"t_ms\":', '\"t_ms\":1') WHERE seq = (SELECT max(seq) FROM entry WHERE body LIKE '%t_ms%')",
            None,
        ),
        ("UPDATE entry SET at_ms = at_ms - 1 WHERE seq = 40", Some(40)),
        ("DELETE FROM entry WHERE seq = 40", Some(41)),
        (
            "UPDATE entry SET salt = randomblob(16) WHERE seq = (SELECT min(seq) FROM entry WHERE salt IS NOT NULL)",
            None,
        ),
        (
            "UPDATE entry SET seq = 0 WHERE seq = 50; UPDATE entry SET seq = 50 WHERE seq = 49; UPDATE entry SET seq = 49 WHERE seq = 0",
            Some(49),
        ),
    ];
    for (deed, seq) in table {
        let damaged = folder.at("damaged.db");
        std::fs::copy(&store, &damaged).unwrap();
        sql(&damaged, deed);
        let (code, said, err) = madoguchi(&["verify", "--json"], &[&damaged]);
        assert_eq!(code, 1, "{deed}: {said}{err}");
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        let found = said["breaks"][0]["seq"].as_i64().unwrap();
        assert!(seq.is_none_or(|seq| seq == found), "{deed}: {said}");
        let (code, other) = python(&damaged);
        assert!(code == 1 && other.starts_with(&format!("entry {found}:")), "{deed}: {other}");
        // An export of it says so too.
        let (code, _, err) = madoguchi(&["events", "export", "--private"], &[&damaged]);
        assert!(code == 1 && err.contains(&format!("entry {found}: ")), "{deed}: {err}");
    }
    // Cut at its end, it is whole to both; what was printed earlier tells.
    let cut = folder.at("cut.db");
    std::fs::copy(&store, &cut).unwrap();
    sql(&cut, "DELETE FROM entry WHERE seq > (SELECT max(seq) - 5 FROM entry)");
    whole(&cut);
    assert_eq!(python(&cut).0, 0);
    let (code, said, _) = madoguchi(&["verify", "--expect", &anchor], &[&cut]);
    assert!(code == 1 && said.contains("the history ends at"), "{said}");
    let (code, said, _) = madoguchi(&["verify", "--expect", &anchor], &[&store]);
    assert!(code == 0 && said.contains(&format!("last hash: {anchor}\n")), "{said}");
    for wrong in ["12", "x:00", "5:00"] {
        assert_eq!(madoguchi(&["verify", "--expect", wrong], &[&store]).0, 2, "{wrong}");
    }
    assert_eq!(madoguchi(&["verify"], &[&folder.at("none.db")]).0, 2);
    assert_eq!(madoguchi(&["verify"], &[Path::new(file!())]).0, 2, "neither store nor history");
}

#[test]
fn a_part_of_a_history_is_checked_by_itself_and_no_store_is_made_of_it() {
    let folder = Folder::new();
    let store = folder.past("4-transfers");
    drop(views(&store, Kind::Demonstration));
    let all = folder.at("all.jsonl");
    export(&store, &["--private"], &all);
    let all = std::fs::read_to_string(&all).unwrap();
    let lines: Vec<serde_json::Value> =
        all.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect();
    let call = lines.iter().rev().find_map(|line| line["call"].as_str()).unwrap();
    let due: Vec<_> = lines.iter().filter(|line| line["call"] == call).collect();
    let part = folder.at("part.jsonl");
    export(&store, &["--call", call], &part);
    let (said, _) = whole(&part);
    assert_eq!(said["entries"], due.len(), "{said}");
    assert!(said["left_out"].as_u64().unwrap() > 0, "{said}");
    assert_eq!(python(&part).0, 0);
    let (code, text, _) = madoguchi(&["verify"], &[&part]);
    assert!(code == 0 && text.contains("this part of a history is whole"), "{text}");
    // From an instant on: one run of entries up to the last.
    let at = lines[lines.len() / 2]["at"].as_i64().unwrap();
    let from = chrono::DateTime::from_timestamp_millis(at).unwrap().to_rfc3339();
    export(&store, &["--from", &from], &part);
    let (said, anchor) = whole(&part);
    assert_eq!((said["left_out"].as_u64(), &anchor), (Some(1), &whole(&store).1));
    let (code, said) = import(&part, &folder.at("new.db"));
    assert!(
        code == 1 && said.contains("line 2: ") && said.contains("due is a whole history"),
        "{said}"
    );
    assert!(!folder.at("new.db").exists());
    assert_eq!(madoguchi(&["events", "export", "--from", "soon"], &[&store]).0, 2);
    assert_eq!(madoguchi(&["events", "export", "--call", "x"], &[&store]).0, 2);
    assert_eq!(madoguchi(&["events", "export"], &[&folder.at("none.db")]).0, 2);
}

#[test]
fn what_cannot_be_imported_leaves_nothing_and_says_which_line() {
    let folder = Folder::new();
    let store = folder.past("2-flows");
    drop(views(&store, Kind::Demonstration));
    let file = folder.at("all.jsonl");
    export(&store, &["--private"], &file);
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let without = |n: usize| [&lines[..n], &lines[n + 1..]].concat().join("\n");
    let with = |n: usize, line: &str| [&lines[..n], &[line], &lines[n + 1..]].concat().join("\n");
    let later = lines[20].replacen("\"v\":1", "\"v\":2", 1);
    let table = [
        (String::new(), "line 1: ", "due is {\"form\":1"),
        (without(0), "line 1: ", "due is {\"form\":1"),
        (lines[0].to_owned(), "found no entry", ""),
        (without(20), "line 21, entry 21: ", "20 to 20 before it are missing"),
        (with(20, lines[19]), "line 21, entry 19: ", "found it twice"),
        (with(20, "{"), "line 21: ", "broken JSON"),
        (with(20, lines[0]), "line 21: ", "second heading"),
        (with(20, &later), "line 21, entry 20: ", "it was changed"),
        (text.replacen("demonstration", "service", 1), "line 2, entry 1: ", "it was changed"),
        (text[..text.len() - 30].to_owned(), "line ", "broken JSON"),
    ];
    let names = folder.names();
    for (text, place, why) in table {
        std::fs::write(&file, text).unwrap();
        let (code, said) = import(&file, &folder.at("new.db"));
        assert!(code == 1 && said.contains(place) && said.contains(why), "{place}{why}: {said}");
        assert_eq!(folder.names(), names, "{said}");
    }
    // What is there already is not touched.
    std::fs::write(&file, &text).unwrap();
    let was = std::fs::read(&store).unwrap();
    let (code, said) = import(&file, &store);
    assert!(code == 1 && said.contains("is there already"), "{said}");
    assert!(std::fs::read(&store).unwrap() == was);
    assert_eq!(import(&folder.at("none.jsonl"), &folder.at("new.db")).0, 2);
    // A file that was emptied for it, and what an import left that was killed, are no hindrance.
    std::fs::write(folder.at("new.db"), "").unwrap();
    std::fs::write(folder.at("new.db.importing"), "half").unwrap();
    // The snapshot of a store that lay there before goes: callers' numbers are in it.
    std::fs::write(folder.at("new.db.snapshot"), "0312345678").unwrap();
    assert_eq!(import(&file, &folder.at("new.db")).0, 0);
    assert!(!folder.at("new.db.importing").exists());
    assert!(!folder.at("new.db.snapshot").exists());
    assert_eq!(whole(&folder.at("new.db")).1, whole(&file).1);
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{3,11}",
        "[ぁ-ん一-龠😀'\"\\\\\u{1}-\u{20}\u{7f}é]{0,12}",
        "erased:[0-9a-f]{64}",
        any::<String>()
    ]
}

fn fact() -> impl Strategy<Value = Fact> {
    let call = || any::<u128>().prop_map(|bits| CallId(uuid::Uuid::from_u128(bits)));
    let private = || text().prop_map(Private::new);
    let number = prop_oneof![
        Just(CallerNumber::Withheld),
        Just(CallerNumber::Payphone),
        private().prop_map(CallerNumber::Known),
    ];
    let caller = (number, prop::option::of(private()), prop::option::of(private()))
        .prop_map(|(number, name, diverted_from)| Caller { number, name, diverted_from });
    let arrived = (caller, text(), any::<bool>()).prop_map(|(caller, trunk, counted)| {
        let origin = Origin::Trunk(trunk.as_str().into());
        CallEvent::Arrived { number: "0312345678".into(), caller, origin, counted }
    });
    let entered =
        private().prop_map(|digits| CallEvent::NumberEntered { entry: "staff".into(), digits });
    let ended = text()
        .prop_map(|what| CallEvent::Ended { by: Party::System, cause: EndCause::Fault { what } });
    let event = prop_oneof![arrived, entered, ended, Just(CallEvent::Accepted)];
    let of_call = (call(), any::<u64>(), event).prop_map(|(call, t_ms, event)| Fact::Call {
        call,
        t_ms,
        event,
    });
    let placed = (call(), private(), prop::option::of(call())).prop_map(|(call, number, back)| {
        let by = "2001".into();
        Fact::Placed {
            call,
            t_ms: 0,
            event: PlacedEvent::Dialled { by, number, inside: false, back },
        }
    });
    let agent = (text(), text()).prop_map(|(agent, reason)| Fact::Agent {
        agent: agent.as_str().into(),
        event: AgentEvent::Paused { by: Means::Api, reason },
    });
    let note = (call(), private()).prop_map(|(call, text)| {
        let event = NoteEvent::Noted { agent: "2001".into(), text, by: Means::Api };
        Fact::Note { call, event }
    });
    prop_oneof![of_call, placed, agent, note]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn an_exported_history_that_was_imported_is_exported_the_same(
        facts in prop::collection::vec((fact(), any::<i32>(), 1_u64..3), 1..40)
    ) {
        let folder = Folder::new();
        let store = folder.at("first.db");
        let options = Options { kind: Kind::Service, durability: Durability::Process };
        let (open, _replay) = Store::open(&store, options, |_| {}).unwrap();
        let mut seq = 0;
        let entries = facts.into_iter().map(|(fact, at, step)| {
            seq += step; // Some were lost before they could be written.
            Entry { seq, at: Wall(at.into()), fact }
        });
        let entries: Vec<Entry> = entries.collect();
        open.append(Batch { number: 1, entries: entries.clone(), bindings: vec![], subscriptions: vec![] });
        prop_assert!(open.close(Duration::from_secs(20)));
        let anchor = whole(&store).1;
        for more in [&["--private"][..], &[]] {
            let (one, two) = (folder.at("one.jsonl"), folder.at("two.jsonl"));
            let second = folder.at(&format!("second-{}.db", more.len()));
            export(&store, more, &one);
            let (code, said) = import(&one, &second);
            prop_assert_eq!(code, 0, "{}", said);
            export(&second, more, &two);
            prop_assert_eq!(std::fs::read(&one).unwrap(), std::fs::read(&two).unwrap());
            prop_assert_eq!(python(&two), (0, anchor.clone()));
            let (open, replay) = Store::open(&second, options, |_| {}).unwrap();
            let read: Vec<Entry> = replay.entries.flat_map(Result::unwrap).collect();
            prop_assert!(open.close(Duration::from_secs(20)));
            // All is there; only with --private it says who called.
            prop_assert_eq!(read.len(), entries.len());
            prop_assert!(more.is_empty() || read == entries);
        }
    }
}
