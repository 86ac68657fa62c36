//! A start that goes on from a snapshot is a start that read all entries, whatever is done to the snapshot.

use super::super::keeper::{AT_THE_END, EVERY, Fares, Keeper, Keeping};
use super::*;
use crate::base::{Kept, Wall};
use crate::dialplan;
use crate::io::store::{
    Batch, Durability, Kind, Options, SNAPSHOT_BOUND, Store, erase, snapshot_path,
};
use proptest::prelude::*;
use serde_json::{Map, Value};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);
const OPTIONS: Options = Options { kind: Kind::Service, durability: Durability::Process };

fn plan() -> Plan {
    dialplan::load(include_str!("../../../dialplans/demo.toml"), "demo.toml", None)
        .expect("a plan")
        .0
}

fn setup(agents: &[&str]) -> view::Setup {
    view::Setup {
        desk: "desk".to_owned(),
        demonstration: false,
        timezone: chrono_tz::Asia::Tokyo,
        policy: Policy::default(),
        agents: agents.iter().map(|id| (AgentId::from(*id), format!("name of {id}"))).collect(),
    }
}

/// One fact of each kind, the calls' ids still to be chosen.
fn kinds() -> Vec<Map<String, Value>> {
    let lines = include_str!("../../../tests/past/events.jsonl").lines();
    let read = |line| {
        let mut line: Map<String, Value> = serde_json::from_str(line).expect("a line");
        line.remove("at");
        line
    };
    lines.map(read).collect()
}

fn id(n: u64) -> Value {
    Value::from(uuid::Uuid::from_u64_pair(0x0199_a0c1_5b00_7000, n).to_string())
}

/// The step is drawn: which kind, of which call, how much later.
fn entries(steps: &[(usize, u8, u32)]) -> Vec<Entry> {
    let kinds = kinds();
    let named = |name: &str| {
        let is = |line: &Map<String, Value>| line["of"] == "call" && line["event"]["kind"] == name;
        kinds.iter().position(is).expect("such a kind")
    };
    let often =
        [named("arrived"), named("ended"), named("operator_asked"), named("operator_answered")];
    let mut at = 1_790_780_400_000_i64;
    let entry = |(seq, (kind, call, later)): (u64, &(usize, u8, u32))| {
        at += i64::from(*later);
        let kind = kind % (kinds.len() + 60);
        let kind = if kind < kinds.len() { kind } else { often[kind % often.len()] };
        let mut line = kinds[kind].clone();
        for (name, value) in &mut line {
            match name.as_str() {
                "call" => *value = id(u64::from(call % 6)),
                "t_ms" => *value = Value::from(later % 90_000),
                "agent" => *value = Value::from(format!("200{}", call % 3)),
                _ => {}
            }
        }
        if let Some(placed) = line.get_mut("event").and_then(|event| event.get_mut("placed")) {
            *placed = id(u64::from(later % 6));
        }
        let fact = serde_json::from_value(Value::Object(line)).expect("a fact");
        Entry { seq, at: Wall(at), fact }
    };
    (1..).zip(steps).map(entry).collect()
}

fn bytes(fold: &Fold) -> (Vec<u8>, Vec<u8>) {
    let (mut views, mut rules) = (Vec::new(), Vec::new());
    fold.views.keep(&mut views);
    fold.rules.keep(&mut rules);
    (views, rules)
}

fn folded(entries: &[Entry], setup: view::Setup) -> Fold {
    let (mut fold, plan) = (Fold::new(setup), plan());
    for entry in entries {
        fold.apply(entry, &plan);
    }
    fold
}

#[track_caller]
fn assert_same(found: &Fold, due: &Fold) {
    assert!(found.views == due.views, "the views differ");
    assert!(bytes(found) == bytes(due), "what the rules go on with differs");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_is_kept_at_any_entry_and_folded_on_is_what_is_folded_at_once(
        steps in prop::collection::vec((any::<usize>(), any::<u8>(), 0_u32..40_000_000), 1..400),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 4),
    ) {
        let entries = entries(&steps);
        let plan = plan();
        let due = folded(&entries, setup(&["2001", "2009"]));
        for cut in cuts {
            let cut = cut.index(entries.len() + 1);
            // Then, the plan had other agents.
            let (views, rules) = bytes(&folded(&entries[..cut], setup(&["2000", "2001", "2008"])));
            let found = Views::found(setup(&["2001", "2009"]), &mut Kept::new(&views));
            let rules = Rules::found(&mut Kept::new(&rules));
            let mut found =
                Fold { views: found.expect("views"), rules: rules.expect("the rules' part") };
            entries[cut..].iter().for_each(|entry| found.apply(entry, &plan));
            prop_assert!(found.views == due.views, "cut at {}", cut);
            prop_assert!(bytes(&found) == bytes(&due), "cut at {}", cut);
        }
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("madoguchi-past-{}-{n}", std::process::id())))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Enough of everything, the same each time.
fn some(count: usize) -> Vec<Entry> {
    let step = |n: usize| (n * 7_919 + n / 3, u8::try_from(n / 5 % 251).unwrap_or(0), 1_000);
    entries(&(0..count).map(step).collect::<Vec<_>>())
}

fn open(path: &Path) -> (Store, store::Replay) {
    Store::open(path, OPTIONS, |_| {}).expect("opens")
}

fn append(store: &Store, entries: &[Entry]) {
    for (number, part) in (1..).zip(entries.chunks(50_000)) {
        let entries = part.to_vec();
        store.append(Batch { number, entries, bindings: vec![], subscriptions: vec![] });
    }
    let last = entries.last().map_or(0, |entry| entry.seq);
    let until = Instant::now() + PATIENCE;
    while store.state().committed_seq < last {
        assert!(Instant::now() < until, "{:?}", store.state());
        std::thread::yield_now();
    }
}

fn made(path: &Path, entries: &[Entry]) {
    let (store, _) = open(path);
    append(&store, entries);
    assert!(store.close(PATIENCE));
}

/// As a start does it.
fn start(path: &Path, setup: view::Setup) -> Folded {
    let (store, replay) = open(path);
    let folded = fold((path, replay.entries), setup, &plan()).expect("read");
    assert!(store.close(PATIENCE));
    folded
}

fn desk() -> view::Setup {
    setup(&["2001"])
}

#[test]
fn a_start_reads_what_came_after_the_snapshot_and_nothing_else() {
    let folder = Folder::new();
    let (path, entries) = (folder.file("desk.db"), some(900));
    made(&path, &entries[..700]);
    let first = start(&path, desk());
    assert_eq!((first.stood_at, first.read()), (0, 700));
    first.fold.keep(&path, &desk().shape()).expect("written");
    let mode = std::fs::metadata(snapshot_path(&path)).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "callers' numbers are in it");
    let (store, _) = open(&path);
    append(&store, &entries[700..]);
    assert!(store.close(PATIENCE));
    let second = start(&path, desk());
    assert_eq!((second.stood_at, second.read()), (700, 200));
    assert_same(&second.fold, &folded(&entries, desk()));
    // Other agents in the plan are no reason to read all again.
    let others = setup(&["2002", "2009"]);
    let third = start(&path, others.clone());
    assert_eq!(third.stood_at, 700);
    assert_same(&third.fold, &folded(&entries, others));
}

type Deed<'a> = Box<dyn Fn() -> Vec<u8> + 'a>;

#[test]
fn a_snapshot_that_does_not_fit_is_thrown_away() {
    let folder = Folder::new();
    let (path, entries) = (folder.file("desk.db"), some(300));
    made(&path, &entries);
    let due = folded(&entries, desk());
    due.keep(&path, &desk().shape()).expect("written");
    let whole = std::fs::read(snapshot_path(&path)).expect("there");
    let mut deeds: Vec<(String, Deed<'_>)> = vec![
        ("empty".into(), Box::new(Vec::new)),
        ("another file".into(), Box::new(|| b"SQLite format 3".repeat(9))),
        ("longer".into(), Box::new(|| [whole.as_slice(), b"x"].concat())),
        ("twice".into(), Box::new(|| whole.repeat(2))),
    ];
    for n in 0..40 {
        let at = n * whole.len() / 40;
        deeds.push((
            format!("cut off at {at}"),
            Box::new({
                let whole = &whole;
                move || whole[..at].to_vec()
            }),
        ));
        deeds.push((
            format!("changed at {at}"),
            Box::new({
                let whole = &whole;
                move || {
                    let mut bytes = whole.clone();
                    bytes[at] ^= 0x10;
                    bytes
                }
            }),
        ));
    }
    for (what, deed) in deeds {
        std::fs::write(snapshot_path(&path), deed()).expect("written");
        let found = start(&path, desk());
        assert_eq!(found.stood_at, 0, "{what}");
        assert!(!snapshot_path(&path).exists(), "{what}: it stays");
        assert_same(&found.fold, &due);
    }
    let long = std::fs::File::create(snapshot_path(&path)).expect("made");
    long.set_len(SNAPSHOT_BOUND + 1).expect("no room is taken");
    assert!(matches!(Fold::found(&path, desk()), Err(Unfit::TooLong { .. })));
    assert_same(&start(&path, desk()).fold, &due);
    std::fs::write(snapshot_path(&path), &whole).expect("written");
    assert_eq!(start(&path, desk()).stood_at, 300, "the whole one is used");
}

#[test]
fn another_build_other_settings_and_another_zone_read_all_again() {
    let folder = Folder::new();
    let (path, entries) = (folder.file("desk.db"), some(300));
    made(&path, &entries);
    let strict = Policy { short_call_ms: 1, ..Policy::default() };
    let strict = view::Setup { policy: strict, ..desk() };
    let elsewhere = view::Setup { timezone: chrono_tz::Europe::Berlin, ..desk() };
    let older = desk().shape().replace("build ", "build 0");
    let fold = folded(&entries, desk());
    for (shape, setup) in [(desk().shape(), strict), (desk().shape(), elsewhere), (older, desk())] {
        fold.keep(&path, &shape).expect("written");
        let found = Fold::found(&path, setup.clone());
        assert!(matches!(found, Err(Unfit::MadeOtherwise)), "{shape}");
        let found = start(&path, setup.clone());
        assert_eq!(found.stood_at, 0);
        assert_same(&found.fold, &folded(&entries, setup));
    }
    // The same bytes under another name of what made them would be read wrongly or not at all, and say so.
    let mut views = Vec::new();
    fold.views.keep(&mut views);
    for content in [&views[..views.len() / 2], &[views.as_slice(), b"x"].concat()] {
        Snapshot::write(&path, &desk().shape(), 300, (content, &[])).expect("written");
        assert!(matches!(Fold::found(&path, desk()), Err(Unfit::Content)));
        assert_same(&start(&path, desk()).fold, &fold);
    }
}

#[test]
fn a_journal_that_was_replaced_or_lost_its_end_is_read_again() {
    let folder = Folder::new();
    let (path, entries) = (folder.file("desk.db"), some(400));
    let (backup, other) = (folder.file("backup.db"), folder.file("other.db"));
    made(&backup, &entries[..250]);
    made(&path, &entries);
    let fold = folded(&entries, desk());
    fold.keep(&path, &desk().shape()).expect("written");
    std::fs::copy(&backup, &path).expect("the backup is put back");
    let found = Fold::found(&path, desk());
    assert!(matches!(found, Err(Unfit::OtherHistory { seq: 400 })));
    let found = start(&path, desk());
    assert_same(&found.fold, &folded(&entries[..250], desk()));
    // It goes on otherwise, and has as many entries and more; its snapshot of then lies there.
    let mut otherwise = some(420);
    for entry in &mut otherwise[250..] {
        entry.at = Wall(entry.at.0 + 1);
    }
    let (store, _) = open(&path);
    append(&store, &otherwise[250..]);
    assert!(store.close(PATIENCE));
    made(&other, &entries);
    fold.keep(&other, &desk().shape()).expect("written");
    std::fs::copy(snapshot_path(&other), snapshot_path(&path)).expect("another store's");
    let found = start(&path, desk());
    assert_eq!(found.stood_at, 0);
    assert_same(&found.fold, &folded(&otherwise, desk()));
}

#[test]
fn erasing_deletes_the_snapshot_and_what_a_killed_writer_left() {
    let folder = Folder::new();
    let (path, entries) = (folder.file("desk.db"), some(300));
    made(&path, &entries);
    let before = folded(&entries, desk());
    before.keep(&path, &desk().shape()).expect("written");
    let unfinished = PathBuf::from(format!("{}-new", snapshot_path(&path).display()));
    std::fs::write(&unfinished, "0312345678").expect("written");
    erase(&path, Wall(i64::MAX), None).expect("erased");
    assert!(!snapshot_path(&path).exists() && !unfinished.exists());
    let found = start(&path, desk());
    assert_eq!(found.stood_at, 0);
    assert_eq!(found.fold.views.totals(), before.views.totals(), "figures stay");
    assert!(found.fold.views != before.views, "numbers do not");
    // What was left is in nobody's way when the next one is written.
    std::fs::write(&unfinished, "half").expect("written");
    found.fold.keep(&path, &desk().shape()).expect("written");
    assert!(!unfinished.exists());
    assert_eq!(start(&path, desk()).stood_at, 300);
    // One that cannot be put at its place leaves nothing.
    std::fs::remove_file(snapshot_path(&path)).expect("there");
    std::fs::create_dir(snapshot_path(&path)).expect("in the way");
    assert!(matches!(found.fold.keep(&path, &desk().shape()), Err(Unfit::Io(_))));
    assert!(!unfinished.exists());
}

#[test]
fn the_keeper_writes_after_a_long_read_and_at_an_orderly_end() {
    let folder = Folder::new();
    let path = folder.file("desk.db");
    let small = usize::try_from(AT_THE_END).expect("small");
    let entries = some(usize::try_from(EVERY).expect("small") + 2 * small);
    let (first, rest) = entries.split_at(entries.len() - small);
    let keeping = || Keeping {
        path: path.clone(),
        setup: desk(),
        plan: Arc::new(plan()),
        fares: Arc::default(),
        disk: Arc::default(),
    };
    let start_of = |path: &Path| Fold::found(path, desk()).expect("fits").expect("there");
    let stands_at = || Fold::found(&path, desk()).expect("fits").map(|fold| fold.views.last_seq());
    made(&path, first);
    let (store, replay) = open(&path);
    let store = Arc::new(store);
    let folded_first = fold((&path, replay.entries), desk(), &plan()).expect("read");
    assert!(folded_first.read() >= EVERY);
    let keeper = Keeper::start(keeping(), &store, (Some(folded_first.fold), 0)).expect("a thread");
    let fares = keeper.fares();
    let until = Instant::now() + PATIENCE;
    while stands_at().is_none() {
        assert!(Instant::now() < until);
        std::thread::yield_now();
    }
    assert_eq!(stands_at(), Some(u64::try_from(first.len()).expect("small")));
    append(&store, &rest[..small - 1]);
    keeper.finish();
    assert_eq!(stands_at(), Some(u64::try_from(first.len()).expect("small")), "not worth it");
    append(&store, &rest[small - 1..]);
    let stood_at = stands_at().unwrap_or(0);
    let said = |fares: &Fares| {
        (Some(fares.stands_at.load(Ordering::Relaxed)), fares.failures.load(Ordering::Relaxed))
    };
    assert_eq!(said(&fares), (stands_at(), 0), "the metrics say the same");
    let keeper = Keeper::start(keeping(), &store, (None, stood_at)).expect("a thread");
    let fares = keeper.fares();
    assert_eq!(said(&fares), (stands_at(), 0), "from the beginning");
    keeper.finish();
    assert_eq!(stands_at(), entries.last().map(|entry| entry.seq));
    assert_eq!(said(&fares), (stands_at(), 0));
    assert_same(&start_of(&path), &folded(&entries, desk()));
    // One that has no place is told, and the old word stands.
    let fold = start_of(&path);
    std::fs::remove_file(snapshot_path(&path)).expect("there");
    std::fs::create_dir(snapshot_path(&path)).expect("in the way");
    let keeper = Keeper::start(keeping(), &store, (Some(fold), 7)).expect("a thread");
    let fares = keeper.fares();
    keeper.finish();
    assert_eq!(said(&fares), (Some(7), 2), "at the start and at the end");
    drop(store);
}

/// The target's own word stood in the history some milliseconds behind the first call that it could take.
#[test]
fn the_first_call_that_a_desk_with_a_new_ticket_system_takes_has_a_ticket_there() {
    let plan = plan();
    let mut targets = crate::config::TicketsConfig::default().targets;
    let ledger = targets.first().expect("the ledger").clone();
    targets.push(crate::config::TargetConfig { name: "tool".into(), ..ledger });
    let call = |n: u64| CallId(uuid::Uuid::from_u64_pair(0x0199_a0c1_5b00_7000, n));
    let of_call = |seq, n, event| {
        let fact = Fact::Call { call: call(n), t_ms: 0, event };
        Entry { seq, at: Wall(1_790_780_400_000), fact }
    };
    let arrived = || {
        let line =
            kinds().into_iter().find(|line| line["event"]["kind"] == "arrived").expect("one");
        serde_json::from_value::<CallEvent>(line["event"].clone()).expect("an arrival")
    };
    // One was up when the run before ended, which knew no ticket system.
    let mut fold = Fold::new(setup(&["2001"]));
    fold.apply(&of_call(1, 1, arrived()), &plan);
    fold.apply(&of_call(2, 1, CallEvent::OperatorAsked { group: None }), &plan);
    let now = Now { mono: crate::base::Mono::default(), wall: Wall(1_790_780_500_000) };
    let mut past = read(fold, &Policy::default(), (&plan, &targets), now);
    let seqs: Vec<u64> = past.closing.iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, (3..past.next_seq).collect::<Vec<_>>());
    // Before the feeding itself began.
    for event in [arrived(), CallEvent::OperatorAsked { group: None }] {
        past.views.apply(&of_call(past.views.next_seq(), 2, event));
    }
    let agent = AgentId::from("2001");
    let answered = CallEvent::OperatorAnswered { agent };
    past.views.apply(&of_call(past.views.next_seq(), 2, answered));
    for (n, which) in [(1, "given its last word by the start"), (2, "answered at once")] {
        assert!(past.views.ticket_step(&"tool".into(), call(n)).is_some(), "{which}");
        assert!(past.views.incident_of(call(n)).is_some(), "{which}");
    }
    // Said once.
    let again = Fold { views: past.views.clone(), rules: Rules::default() };
    let again = read(again, &Policy::default(), (&plan, &targets), now);
    let said = |entry: &&Entry| matches!(entry.fact, Fact::Feed { .. });
    assert_eq!(again.closing.iter().filter(said).count(), 0);
    // One that is configured no more is told off before anything else is decided.
    let again = Fold { views: past.views, rules: Rules::default() };
    let again = read(again, &Policy::default(), (&plan, &targets[..1]), now);
    let gone = crate::event::FeedEvent::TargetGone;
    let first = again.closing.first().map(|entry| entry.fact.clone());
    assert_eq!(first, Some(Fact::Feed { target: "tool".into(), call: None, event: gone }));
}
