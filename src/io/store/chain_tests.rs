//! The hash chain in a real file: restarts, older stores, repeated tries, damage, what is erased.

use super::sealing::{Backfill, Sealer, last_hash};
use super::sql::Statements;
use super::tests::{
    Folder, PATIENCE, SERVICE, batch, block_on, committed, entry, open, sql, wait_for,
};
use super::{Batch, Erased, Kind, Links, LinksError, OpenError, Selection, erase, open as opening};
use crate::base::{Private, Wall};
use crate::event::chain::{self, Hash};
use crate::event::{CallEvent, CallbackEnd, CallbackEvent, Entry, Fact, Link, Proof, Proved};
use sqlx::Connection;
use std::path::{Path, PathBuf};

pub(super) fn links(path: &Path) -> Vec<Link> {
    let links = Links::open(path, Selection::default()).expect("a store");
    links.flat_map(|block| block.expect("readable")).collect()
}

pub(super) fn walk(path: &Path) -> Proved {
    let mut proof = Proof::new("service", vec![]);
    for link in links(path) {
        proof.link(&link, None);
    }
    proof.finish()
}

/// A closed store with so many entries.
fn filled(folder: &Folder, entries: u64) -> PathBuf {
    let (store, _replay, notices) = open(&folder.file());
    store.append(batch(1, 1..=entries));
    wait_for(&notices, committed(1));
    assert!(store.close(PATIENCE));
    folder.file()
}

#[test]
fn the_chain_goes_on_over_restarts() {
    let folder = Folder::new();
    let path = filled(&folder, 150);
    for n in 0..3 {
        let (store, replay, notices) = open(&path);
        assert_eq!(replay.next_seq, 151 + n);
        store.append(batch(1, 151 + n..=151 + n));
        wait_for(&notices, committed(1));
        // Also while the daemon has the store.
        assert_eq!(walk(&path).entries, 151 + n);
        assert!(store.close(PATIENCE));
    }
    let proved = walk(&path);
    assert_eq!((proved.broken, proved.entries, proved.holes), (0, 153, 0));
    let links = links(&path);
    let salted: Vec<i64> =
        links.iter().filter(|it| it.salt.is_some()).map(|it| it.seq).take(3).collect();
    assert_eq!(salted, [1, 5, 9], "those with a caller");
    let salts: std::collections::BTreeSet<_> =
        links.iter().filter_map(|it| it.salt.clone()).collect();
    assert_eq!(salts.len(), 39, "each has its own");
}

#[test]
fn a_repeated_try_writes_the_same_and_entries_that_were_lost_leave_a_hole() {
    let folder = Folder::new();
    let path = filled(&folder, 3);
    block_on(async {
        let mut connection = opening::connect(&path, SERVICE).await.expect("opens");
        let last = last_hash(&mut connection, Kind::Service).await.expect("read");
        let mut sealer = Sealer::after(last).expect("random numbers");
        let rows: Vec<_> = [4, 5, 9].map(|seq| sealer.seal(&entry(seq))).into();
        let statements = Statements::new();
        for again in [false, true, true] {
            statements.write(&mut connection, &rows, &[], &[], again).await.expect("written");
        }
        let more = [sealer.seal(&entry(10))];
        statements.write(&mut connection, &more, &[], &[], false).await.expect("written");
        connection.close().await.expect("closed");
    });
    let proved = walk(&path);
    assert_eq!((proved.broken, proved.entries, proved.holes), (0, 7, 3));
}

#[test]
fn every_damage_in_the_file_is_told_by_its_entry() {
    // What somebody did, and the first entry that is told.
    let table = [
        ("UPDATE entry SET body = replace(body, '5', '6') WHERE seq = 6", 6),
        ("UPDATE entry SET body = replace(body, '0398765432', '0398765433') WHERE seq = 5", 5),
        ("UPDATE entry SET at_ms = at_ms + 1 WHERE seq = 7", 7),
        ("UPDATE entry SET v = 2 WHERE seq = 7", 7),
        ("UPDATE entry SET call = NULL WHERE seq = 8", 8),
        ("UPDATE entry SET body = '{' WHERE seq = 8", 8),
        ("UPDATE entry SET body = CAST(x'ff' AS TEXT) WHERE seq = 8", 8),
        ("UPDATE entry SET salt = x'00000000000000000000000000000000' WHERE seq = 9", 9),
        ("UPDATE entry SET salt = NULL WHERE seq = 9", 9),
        ("UPDATE entry SET salt = x'00' WHERE seq = 10", 10),
        ("UPDATE entry SET hash = NULL WHERE seq = 11", 11),
        ("UPDATE entry SET hash = zeroblob(31) WHERE seq = 11", 11),
        ("DELETE FROM entry WHERE seq = 12", 13),
        ("DELETE FROM entry WHERE seq = 1", 2),
        (
            "UPDATE entry SET seq = 99 WHERE seq = 4; UPDATE entry SET seq = 4 WHERE seq = 3; \
          UPDATE entry SET seq = 3 WHERE seq = 99",
            3,
        ),
        (
            "UPDATE entry SET seq = -seq WHERE seq >= 15; UPDATE entry SET seq = 1 - seq WHERE seq < 0; \
          INSERT INTO entry SELECT 15, at_ms, call, v, body, hash, salt FROM entry WHERE seq = 3",
            15,
        ),
        (
            "INSERT INTO entry SELECT 21, at_ms, call, v, body, hash, salt FROM entry WHERE seq = 3",
            21,
        ),
        ("UPDATE meta SET value = 'demonstration'", 1),
    ];
    let folder = Folder::new();
    let whole = filled(&folder, 20);
    assert_eq!(walk(&whole).broken, 0);
    for (n, (deed, seq)) in table.into_iter().enumerate() {
        // A name of its own: who read the one before may still be closing it.
        let path = folder.0.join(format!("damaged-{n}.db"));
        std::fs::copy(&whole, &path).expect("copied");
        block_on(async { sql(&path, deed).await.expect(deed).close().await.expect("closed") });
        let links = Links::open(&path, Selection::default()).expect("a store");
        let mut proof = Proof::new(links.kind(), vec![]);
        links.flat_map(|block| block.expect(deed)).for_each(|link| proof.link(&link, None));
        let proved = proof.finish();
        assert_eq!(proved.breaks.first().and_then(|it| it.seq), Some(seq), "{deed}: {proved:?}");
        // Nothing of a person is in what is told.
        assert!(!format!("{:?}", proved.breaks).contains("0398765432"), "{deed}");
    }
}

const AS_AN_OLDER_VERSION_LEFT_IT: &str = "UPDATE entry SET hash = NULL, salt = NULL";

#[test]
fn older_entries_get_their_chain_also_when_the_start_is_killed_in_it() {
    let folder = Folder::new();
    let path = filled(&folder, 1_000);
    block_on(sql(&path, AS_AN_OLDER_VERSION_LEFT_IT)).expect("the version before");
    let told = walk(&path);
    assert_eq!((told.broken, told.breaks[0].seq), (1_000, Some(1)));
    // Two blocks are done, and the process is gone: what lies in the files is all there is.
    let left = folder.0.join("left.db");
    block_on(async {
        let mut connection = opening::connect(&path, SERVICE).await.expect("opens");
        let due = Backfill::due(&mut connection, Kind::Service).await.expect("read");
        let mut backfill = due.expect("something is due");
        for _ in 0..2 {
            assert_eq!(backfill.step(&mut connection, 300).await.expect("sealed"), 300);
        }
        for end in ["", "-wal"] {
            let with = |path: &Path| PathBuf::from(format!("{}{end}", path.display()));
            std::fs::copy(with(&path), with(&left)).expect("copied");
        }
    });
    let half = walk(&left);
    assert_eq!((half.broken, half.breaks[0].seq), (400, Some(601)));
    let sealed = links(&left);
    let (store, replay, notices) = open(&left);
    assert_eq!(replay.next_seq, 1_001);
    store.append(batch(1, 1_001..=1_001));
    wait_for(&notices, committed(1));
    assert!(store.close(PATIENCE));
    assert_eq!((walk(&left).broken, walk(&left).entries), (0, 1_001));
    assert_eq!(links(&left)[..600], sealed[..600], "what was done stays");
}

#[test]
fn a_store_without_hashes_is_no_history_to_check() {
    let folder = Folder::new();
    let path = filled(&folder, 4);
    block_on(sql(&path, "DELETE FROM _sqlx_migrations WHERE version >= 5")).expect("written");
    assert!(matches!(
        Links::open(&path, Selection::default()),
        Err(LinksError::Older { found: 4 })
    ));
    let other = folder.0.join("other.db");
    block_on(sql(&other, "CREATE TABLE theirs (a)")).expect("made");
    assert!(matches!(Links::open(&other, Selection::default()), Err(LinksError::NotOurs)));
    assert!(matches!(
        Links::open(&folder.0.join("none.db"), Selection::default()),
        Err(LinksError::Io(_))
    ));
}

#[test]
fn a_part_is_read_with_the_hash_before_each_entry() {
    let folder = Folder::new();
    let path = filled(&folder, 20);
    let all = links(&path);
    let of_call = Selection { call: Some(super::tests::id(2)), ..Selection::default() };
    let at = |seq: i64| Some(Wall(1_790_780_400_000 + seq));
    let of_time = Selection { from: at(7), until: at(9), call: None };
    for (selection, due) in [(of_call, vec![9, 10, 12]), (of_time, vec![7, 8])] {
        let part: Vec<Link> =
            Links::open(&path, selection).expect("a store").flatten().flatten().collect();
        assert_eq!(part.iter().map(|it| it.seq).collect::<Vec<_>>(), due);
        for link in part {
            let before = &all[usize::try_from(link.seq).expect("small") - 2];
            assert_eq!(link.before.map(|it| it.0.to_vec()), before.hash);
        }
    }
}

/// All bytes of the store and of what lies beside it.
fn bytes(path: &Path) -> Vec<u8> {
    let beside = ["", "-wal", "-shm"].map(|end| PathBuf::from(format!("{}{end}", path.display())));
    beside.iter().filter_map(|path| std::fs::read(path).ok()).flatten().collect()
}

pub(super) fn holds(path: &Path, text: &[u8]) -> bool {
    bytes(path).windows(text.len()).any(|part| part == text)
}

#[test]
fn what_is_erased_is_gone_from_the_file_and_the_chain_holds() {
    let folder = Folder::new();
    let path = filled(&folder, 40);
    let before = walk(&path);
    let salts: Vec<Vec<u8>> = links(&path).into_iter().filter_map(|it| it.salt).collect();
    let (number, name) = ("0398765432".as_bytes(), "髙橋".as_bytes());
    assert!(holds(&path, number) && holds(&path, name) && holds(&path, &salts[0]));
    // The calls of entries 1 to 19 arrived before it; that of 20 and on did not.
    let cut = Wall(1_790_780_400_000 + 20);
    assert_eq!(erase(&path, cut, Some("0312345678")).expect("erased"), Erased::default());
    let erased = erase(&path, cut, Some("0398765432")).expect("erased");
    assert_eq!(erased, Erased { calls: 5, incidents: 0, entries: 5, texts: 10, kept: 0 });
    let after = walk(&path);
    assert_eq!((after.broken, after.erased), (0, 10));
    assert_eq!((after.entries, after.last), (before.entries, before.last));
    let left: Vec<i64> =
        links(&path).iter().filter(|it| it.salt.is_some()).map(|it| it.seq).collect();
    assert_eq!(left, [21, 25, 29, 33, 37]);
    assert_eq!(erase(&path, cut, None).expect("erased"), Erased::default(), "once is enough");
    let all = erase(&path, Wall(i64::MAX), None).expect("erased");
    assert_eq!(all.calls, 5);
    assert!(!holds(&path, number) && !holds(&path, name), "nobody can read it any more");
    assert!(salts.iter().all(|salt| !holds(&path, salt)), "nor try numbers until one fits");
    assert_eq!((walk(&path).broken, walk(&path).last), (0, before.last));
    // The next start reads it, and goes on behind it.
    let (store, replay, notices) = open(&path);
    assert_eq!(replay.entries.flat_map(|block| block.expect("readable")).count(), 40);
    assert!(matches!(erase(&path, cut, None), Err(OpenError::InUse { .. })), "a daemon has it");
    store.append(batch(1, 41..=41));
    wait_for(&notices, committed(1));
    assert!(store.close(PATIENCE));
    assert_eq!(walk(&path).broken, 0);
    assert!(erase(&folder.0.join("none.db"), cut, None).is_err(), "no store is made of nothing");
    assert!(!folder.0.join("none.db").exists() && !folder.0.join("none.db.lock").exists());
}

#[test]
fn who_is_still_to_be_called_back_keeps_the_number() {
    let folder = Folder::new();
    let (store, _replay, notices) = open(&folder.file());
    let of_call = |seq: u64, call: u64| {
        let event = CallEvent::CallbackAsked {
            callback: "desk".into(),
            group: "desk".into(),
            number: Private::new("0398765432".to_owned()),
            entered: false,
            inside: false,
        };
        let fact = Fact::Call { call: super::tests::id(call), t_ms: 0, event };
        Entry { seq, at: Wall(5), fact }
    };
    let ended = CallbackEvent::Ended { why: CallbackEnd::Answered };
    let ended = Fact::Callback { call: super::tests::id(2), event: ended };
    let entries = vec![of_call(1, 1), of_call(2, 2), Entry { seq: 3, at: Wall(9), fact: ended }];
    store.append(Batch { number: 1, entries, bindings: vec![], subscriptions: vec![] });
    wait_for(&notices, committed(1));
    assert!(store.close(PATIENCE));
    for number in [Some("0398765432"), None] {
        let erased = erase(&folder.file(), Wall(6), number).expect("erased");
        let due = u64::from(number.is_some());
        assert_eq!(erased, Erased { calls: due, incidents: 0, entries: due, texts: due, kept: 1 });
    }
    let left: Vec<i64> =
        links(&folder.file()).iter().filter(|it| it.salt.is_some()).map(|it| it.seq).collect();
    assert_eq!((left, walk(&folder.file()).broken), (vec![1], 0));
}

#[test]
fn the_second_wish_of_one_caller_is_erased_with_the_first_and_never_called() {
    let asked = |seq: u64, call: u64, number: &str| {
        let event = CallEvent::CallbackAsked {
            callback: "desk".into(),
            group: "desk".into(),
            number: Private::new(number.to_owned()),
            entered: false,
            inside: false,
        };
        let at = Wall(i64::try_from(seq).expect("small"));
        Entry { seq, at, fact: Fact::Call { call: super::tests::id(call), t_ms: 0, event } }
    };
    let ended = |seq: u64, call: u64| {
        let event = CallbackEvent::Ended { why: CallbackEnd::Answered };
        let fact = Fact::Callback { call: super::tests::id(call), event };
        Entry { seq, at: Wall(i64::try_from(seq).expect("small")), fact }
    };
    // The second wish of the first caller has no end of its own; the last one is open.
    let entries = || {
        let second = asked(2, 2, "0398765432");
        let (first, end, other) =
            (asked(1, 1, "0398765432"), ended(3, 1), asked(4, 3, "0311112222"));
        vec![first, second, end, other]
    };
    let table = [("the first is old enough, the second not", 2, 2, 0), ("all are", 10, 2, 1)];
    for (case, before, calls, kept) in table {
        let folder = Folder::new();
        let (store, _replay, notices) = open(&folder.file());
        let (bindings, subscriptions) = (vec![], vec![]);
        store.append(Batch { number: 1, entries: entries(), bindings, subscriptions });
        wait_for(&notices, committed(1));
        assert!(store.close(PATIENCE));
        let erased = erase(&folder.file(), Wall(before), None).expect("erased");
        assert_eq!((erased.calls, erased.kept), (calls, kept), "{case}");
        assert!(!holds(&folder.file(), b"0398765432"), "{case}");
        assert!(holds(&folder.file(), b"0311112222"), "{case}: who is still to be called keeps it");
        assert_eq!(walk(&folder.file()).broken, 0);
    }
}

#[test]
fn the_first_hash_says_what_the_store_is_for() {
    let folder = Folder::new();
    let first = &links(&filled(&folder, 1))[0];
    let body = first.body.as_ref().expect("a body");
    let sealed = chain::seal(1, first.at, 1, body, first.salt.as_deref()).expect("sealed");
    let due = Hash::first("service").then(&sealed);
    assert_eq!(first.hash.as_deref(), Some(due.0.as_slice()));
}

/// Measures; run it with --release --ignored --nocapture.
#[test]
#[ignore = "a measurement"]
fn how_fast_entries_are_written_and_checked() {
    for size in [3_u64, 64] {
        let folder = Folder::new();
        let (store, _replay, notices) = open(&folder.file());
        let all = 300_000 / size;
        let batches: Vec<_> = (1..=all).map(|n| batch(n, (n - 1) * size + 1..=n * size)).collect();
        let began = std::time::Instant::now();
        for (batch, number) in batches.into_iter().zip(1_u64..) {
            store.append(batch);
            // No more at once than the queue takes.
            if number % (60_000 / size) == 0 || number == all {
                wait_for(&notices, committed(number));
            }
        }
        let rate = |began: std::time::Instant| 300_000.0 / began.elapsed().as_secs_f64();
        println!("batches of {size}: {:.0} entries/s", rate(began));
        assert_eq!(store.state().lost, 0);
        assert!(store.close(PATIENCE));
        let began = std::time::Instant::now();
        assert_eq!(walk(&folder.file()).broken, 0);
        println!("checked: {:.0} entries/s", rate(began));
        block_on(sql(&folder.file(), AS_AN_OLDER_VERSION_LEFT_IT)).expect("bare");
        let began = std::time::Instant::now();
        let (store, ..) = open(&folder.file());
        println!("an older store brought up to date: {:.0} entries/s", rate(began));
        assert!(store.close(PATIENCE));
    }
}

/// Measures; run it with --release --ignored --nocapture. Both ways in turn, on the entries of a real desk.
#[test]
#[ignore = "a measurement"]
fn what_making_the_text_once_saves() {
    let lines = include_str!("../../../tests/past/events.jsonl").lines();
    let read = |line| serde_json::from_str::<serde_json::Value>(line).expect("a line");
    let facts = lines.map(|line| serde_json::from_value::<Fact>(read(line)).expect("a fact"));
    let facts: Vec<Fact> = facts.collect();
    let entries: Vec<Entry> = (1..)
        .zip(facts.iter().cycle().take(200_000).cloned())
        .map(|(seq, fact)| Entry { seq, at: Wall(5), fact })
        .collect();
    for _ in 0..3 {
        for once in [false, true] {
            let mut sealer = Sealer::after(Hash::first("service")).expect("random numbers");
            let began = std::time::Instant::now();
            let mut bytes = 0;
            for entry in &entries {
                bytes +=
                    if once { sealer.seal(entry) } else { sealer.seal_twice(entry) }.body.len();
            }
            let rate = 200_000.0 / began.elapsed().as_secs_f64();
            println!(
                "{}: {rate:.0} entries/s, {bytes} bytes",
                if once { "text once" } else { "text and values" }
            );
        }
    }
}
