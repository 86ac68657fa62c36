//! Killed while the snapshot of the history is being written, and started again: the figures are those of
//! all entries, whatever lies there.

use crate::support::desk::{Desk, binary};
use crate::support::process::Process;
use crate::support::{eventually, rest, s};
use madoguchi::base::{CallId, Wall};
use madoguchi::event::{CallEvent, Caller, CallerNumber, EndCause, Entry, Fact, Origin, Party};
use madoguchi::io::store::{Batch, Durability, Kind, Options, Store, snapshot_path};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Calls of the history: enough that the snapshot is written at a start, and takes a while.
const CALLS: u64 = 10_000;

/// Instants at which it is killed.
const KILLS: u64 = 16;

fn id(n: u64) -> CallId {
    CallId(uuid::Uuid::from_u64_pair(0x0199_a0c1_5b00_7000, n))
}

fn call(n: u64) -> [Fact; 3] {
    let call = id(n);
    let arrived = CallEvent::Arrived {
        number: "0312340010".into(),
        caller: Caller { number: CallerNumber::Withheld, name: None, diverted_from: None },
        origin: Origin::Trunk("carrier".into()),
        counted: true,
    };
    let asked = CallEvent::OperatorAsked { group: Some("desk".into()) };
    let ended = CallEvent::Ended { by: Party::Caller, cause: EndCause::HungUp };
    [(0, arrived), (1_000, asked), (9_000, ended)].map(|(t_ms, event)| Fact::Call {
        call,
        t_ms,
        event,
    })
}

/// Puts the calls behind what the store holds.
fn fill(path: &Path) {
    let options = Options { kind: Kind::Service, durability: Durability::Process };
    let (store, replay) = Store::open(path, options, |_| {}).unwrap();
    let facts = (0..CALLS).flat_map(call);
    let entries = (replay.next_seq..).zip(facts);
    let entry = |(seq, fact)| Entry { seq, at: Wall(1_790_780_400_000 + seq as i64), fact };
    let entries: Vec<Entry> = entries.map(entry).collect();
    let last = entries.last().unwrap().seq;
    store.append(Batch { number: 1, entries, bindings: vec![], subscriptions: vec![] });
    eventually("all is written", s(60), || store.state().committed_seq == last);
    assert!(store.close(s(10)));
}

/// What a command answers.
fn answer(desk: &Desk, config: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(binary());
    let config = desk.dir().file(config);
    let out = command.args(arguments).arg("--json").arg("--config").arg(config).output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(text.len() > 1, "{arguments:?}: {text}{}", String::from_utf8_lossy(&out.stderr));
    text
}

/// The figures of the calls' month.
fn figures(desk: &Desk) -> String {
    answer(desk, "madoguchi.toml", &["service-level", "2026-10"])
}

#[test]
fn killed_while_a_snapshot_is_written_the_next_start_has_the_same_figures() {
    let mut desk = Desk::start("desk.toml");
    assert_eq!(desk.stop(), Some(0));
    let store = desk.dir().file("store/madoguchi.db");
    let snapshot = snapshot_path(&store);
    assert!(!snapshot.exists(), "a few entries are not worth one");
    fill(&store);
    let whole = figures(&desk);
    let (mut found, mut halves) = (0, 0);
    let argv = [
        binary(),
        "serve".to_owned(),
        "--config".to_owned(),
        desk.dir().file("madoguchi.toml").display().to_string(),
    ];
    for round in 0..KILLS {
        // What lies there now is a whole one, none, or half of one beside its place.
        if round % 2 == 0 {
            let _ = std::fs::remove_file(&snapshot);
        } else {
            std::fs::write(&snapshot, "damaged").unwrap();
        }
        let log = desk.dir().file(&format!("killed-{round}.log"));
        let mut daemon = Process::start("killed", &argv, desk.dir().path(), log.clone());
        eventually("the history is read", s(60), || {
            std::fs::read_to_string(&log).is_ok_and(|log| log.contains("the history is read"))
        });
        let unfinished = format!("{}-new", snapshot.display());
        if round < 4 {
            rest(round * 20);
        } else {
            // In the midst of it: the file that will be put at its place is there.
            let until = Instant::now() + s(20);
            while !Path::new(&unfinished).exists() && Instant::now() < until {
                std::thread::yield_now();
            }
        }
        daemon.kill();
        halves += u64::from(Path::new(&unfinished).exists());
        found += u64::from(snapshot.exists());
        assert_eq!(figures(&desk), whole, "round {round}");
    }
    println!("of {KILLS} killed, {found} left a snapshot, {halves} a half one");
    assert!(halves > 0, "none was killed while it wrote");
    desk.again();
    eventually("a snapshot", s(20), || snapshot.exists());
    desk.again();
    // The last start went on from it.
    let log = desk.log();
    let coloured = ["\u{1b}[0m", "\u{1b}[2m", "\u{1b}[3m", "\u{1b}[32m"];
    let log = coloured.iter().fold(log, |log, code| log.replace(code, ""));
    let last = log.lines().rfind(|line| line.contains("the history is read"));
    let last = last.expect("it is said");
    assert!(last.contains("snapshot=3") && !last.contains("entries=3"), "{last}");
    assert_eq!(desk.stop(), Some(0));
    assert_eq!(figures(&desk), whole);

    // All commands say the same with it and without it, and under other settings as well.
    assert!(snapshot.exists());
    let config = std::fs::read_to_string(desk.dir().file("madoguchi.toml")).unwrap();
    desk.dir().write("strict.toml", &format!("{config}\n[figures]\nshort_call_ms = 9500\n"));
    let (call, folder) = (id(7).0.to_string(), desk.dir().file("report").display().to_string());
    let commands: [&[&str]; 4] = [
        &["service-level", "2026-10"],
        &["calls", "--month", "2026-10", "--stands", "numerator"],
        &["explain", &call],
        &["report", "2026-10", "--no-pdf", "--into", &folder],
    ];
    let all = |config| commands.iter().map(|it| answer(&desk, config, it)).collect::<Vec<_>>();
    let with = ["madoguchi.toml", "strict.toml"].map(all);
    assert_ne!(with[0], with[1], "the settings matter");
    std::fs::remove_file(&snapshot).unwrap();
    assert_eq!(["madoguchi.toml", "strict.toml"].map(all), with);
}
