//! Erasing in a store that is being written: nothing is left, nobody waits, and being cut off costs nothing.

use super::chain_tests::{holds, links, walk};
use super::tests::{Folder, PATIENCE, batch, block_on, committed, open, wait_for};
use super::{Batch, Erased, Store, erase, snapshot_path};
use crate::base::{Private, Wall};
use crate::event::{Channel, DeskEvent, Entry, Fact, IncidentEvent, Means, TicketState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// All entries of the fixtures arrived before then.
const ALL: Wall = Wall(i64::MAX);

fn small(number: u64, seq: u64) -> Batch {
    let fact = Fact::Desk { event: DeskEvent::Stopped };
    let entries = vec![Entry { seq, at: Wall(1_790_780_400_000), fact }];
    Batch { number, entries, bindings: vec![], subscriptions: vec![] }
}

#[test]
fn what_is_erased_beside_the_writing_is_gone_and_no_commit_waits_for_it() {
    let folder = Folder::new();
    let path = folder.file();
    let (store, _replay, notices) = open(&path);
    store.append(batch(1, 1..=4_000));
    wait_for(&notices, committed(1));
    let before = walk(&path);
    let salts: Vec<Vec<u8>> = links(&path).into_iter().filter_map(|it| it.salt).take(3).collect();
    std::fs::write(snapshot_path(&path), "0398765432").expect("a snapshot");
    let eraser = store.eraser();
    let done = AtomicBool::new(false);
    let (retained, commits) = std::thread::scope(|scope| {
        let erasing = scope.spawn(|| {
            let retained = block_on(eraser.run(ALL)).expect("erased");
            done.store(true, Ordering::Relaxed);
            retained
        });
        let mut commits: Vec<Duration> = Vec::new();
        for number in 2_u64.. {
            let began = Instant::now();
            store.append(small(number, 3_999 + number));
            wait_for(&notices, committed(number));
            commits.push(began.elapsed());
            if done.load(Ordering::Relaxed) {
                break;
            }
            std::thread::park_timeout(Duration::from_millis(3));
        }
        (erasing.join().expect("no panic"), commits)
    });
    assert_eq!(
        retained.erased,
        Erased { calls: 1_000, incidents: 0, entries: 1_000, texts: 2_000, kept: 0 }
    );
    assert!(retained.emptied && !retained.grown);
    let mut sorted = commits.clone();
    sorted.sort();
    let at = |part: usize| sorted[(sorted.len() - 1) * part / 100];
    println!(
        "{} commits while 1,000 calls were erased: median {:?}, 99th of a hundred {:?}, longest {:?}; longest step {:?}",
        sorted.len(),
        at(50),
        at(99),
        at(100),
        retained.longest_step
    );
    // What the engine is patient for (docs/ARCHITECTURE.md): a call that is told something waits no longer. A
    // single longer one may be the machine's.
    assert!(at(99) < Duration::from_millis(400), "commits took {:?}", at(99));
    assert!(!snapshot_path(&path).exists(), "the snapshot has the texts, too");
    for text in ["0398765432".as_bytes(), "髙橋".as_bytes(), &salts[0], &salts[1], &salts[2]] {
        assert!(!holds(&path, text), "it is neither in the file nor beside it");
    }
    let after = walk(&path);
    assert_eq!((after.broken, after.erased), (0, 2_000));
    assert_eq!(after.entries, before.entries + u64::try_from(commits.len()).expect("few"));
    assert!(store.close(PATIENCE));
    assert_eq!(walk(&path).broken, 0);
}

#[test]
fn a_run_that_is_cut_off_goes_on_and_is_counted_once() {
    let folder = Folder::new();
    let path = folder.file();
    let run = |store: &Store, within: Duration| {
        let eraser = store.eraser();
        block_on(async move { tokio::time::timeout(within, eraser.run(ALL)).await.ok() })
    };
    let (mut store, _replay, notices) = open(&path);
    store.append(batch(1, 1..=800));
    wait_for(&notices, committed(1));
    let mut cuts = 0;
    let retained = loop {
        match run(&store, Duration::from_millis(60 + 40 * cuts)) {
            Some(retained) => break retained.expect("erased"),
            None => cuts += 1,
        }
        assert!(store.close(PATIENCE));
        store = open(&path).0;
    };
    assert!(cuts >= 2, "it was cut off {cuts} times");
    assert_eq!(
        retained.erased,
        Erased { calls: 200, incidents: 0, entries: 200, texts: 400, kept: 0 }
    );
    // Until it stands in the history, a run that finds nothing more tells it again.
    let again = run(&store, PATIENCE).expect("in time").expect("erased");
    assert_eq!(again.erased.calls, 200);
    block_on(store.eraser().noted()).expect("noted");
    let nothing = run(&store, PATIENCE).expect("in time").expect("erased");
    assert_eq!(nothing.erased, Erased::default());
    assert!(!holds(&path, b"0398765432"));
    assert_eq!(walk(&path).broken, 0);
    assert!(store.close(PATIENCE));
}

/// Two incidents that came by mail and one at the counter: entered at 10, 20 and 30, the first written anew at 40.
fn incidents() -> Batch {
    let state = || {
        let (escalations, exclusions) = (vec![], vec![]);
        let (completed_at, reported_at, technical) = (None, None, false);
        let received_at = Wall(5);
        Box::new(TicketState {
            received_at,
            completed_at,
            escalations,
            reported_at,
            technical,
            exclusions,
        })
    };
    let (author, by) = ("佐藤".to_owned(), Means::Api);
    let said = |text: &str| Private::new(text.to_owned());
    let opened = |channel, text: &str| {
        let (state, author) = (state(), author.clone());
        IncidentEvent::IncidentOpened { channel, subject: said(text), state, author, by }
    };
    let changed = IncidentEvent::IncidentChanged {
        incident: 1,
        subject: Some(said("山本さん（総務課）印刷できない")),
        category: "プリンタ".to_owned(),
        state: state(),
        author: author.clone(),
        by,
    };
    let events = [
        (10, opened(Channel::Mail, "山本さん 03-9876-5432 印刷")),
        (20, opened(Channel::Mail, "渡辺さん 0311112222 共有")),
        (30, opened(Channel::Visit, "髙橋さん 鍵")),
        (40, changed),
    ];
    let entry = |(seq, (at, event))| {
        let fact = Fact::Incident { call: None, event };
        Entry { seq, at: Wall(at), fact }
    };
    let entries = (1..).zip(events).map(entry).collect();
    Batch { number: 1, entries, bindings: vec![], subscriptions: vec![] }
}

#[test]
fn who_wrote_a_mail_or_came_to_the_counter_is_erased_as_who_called_is() {
    let words = ["山本", "渡辺", "髙橋"];
    let left = |path: &std::path::Path| words.map(|word| holds(path, word.as_bytes()));
    let salted = |path: &std::path::Path| -> Vec<i64> {
        links(path).iter().filter(|it| it.salt.is_some()).map(|it| it.seq).collect()
    };
    let filled = |folder: &Folder| {
        let (store, _replay, notices) = open(&folder.file());
        store.append(incidents());
        wait_for(&notices, committed(1));
        store
    };
    // Beside the writing.
    let folder = Folder::new();
    let path = folder.file();
    let store = filled(&folder);
    let last = walk(&path).last;
    let run = |before| block_on(store.eraser().run(Wall(before))).expect("erased").erased;
    assert_eq!(run(10), Erased::default(), "at the bound is not before it");
    assert_eq!(left(&path), [true; 3]);
    // The first one with what was written about it later.
    let first = Erased { calls: 0, incidents: 1, entries: 2, texts: 2, kept: 0 };
    assert_eq!(run(15), first);
    assert_eq!((left(&path), salted(&path)), ([false, true, true], vec![2, 3]));
    assert_eq!(run(15), first, "until it stands in the history, it is told again");
    block_on(store.eraser().noted()).expect("noted");
    assert_eq!(run(31), Erased { calls: 0, incidents: 2, entries: 2, texts: 2, kept: 0 });
    assert_eq!((left(&path), salted(&path)), ([false; 3], vec![]));
    assert_eq!((walk(&path).broken, walk(&path).last), (0, last));
    assert!(store.close(PATIENCE));
    // By the command, those in whose words a number stands.
    let folder = Folder::new();
    let path = folder.file();
    assert!(filled(&folder).close(PATIENCE));
    let last = walk(&path).last;
    assert_eq!(erase(&path, Wall(50), Some("0300000000")).expect("erased"), Erased::default());
    assert_eq!(erase(&path, Wall(50), Some("0398765432")).expect("erased"), first);
    assert_eq!((left(&path), salted(&path)), ([false, true, true], vec![2, 3]));
    let rest = Erased { calls: 0, incidents: 1, entries: 1, texts: 1, kept: 0 };
    assert_eq!(erase(&path, Wall(25), None).expect("erased"), rest);
    assert_eq!((left(&path), salted(&path)), ([false, false, true], vec![3]));
    assert_eq!((walk(&path).broken, walk(&path).last), (0, last));
}
