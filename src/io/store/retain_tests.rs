//! Erasing in a store that is being written: nothing is left, nobody waits, and being cut off costs nothing.

use super::chain_tests::{holds, links, walk};
use super::tests::{Folder, PATIENCE, batch, block_on, committed, open, wait_for};
use super::{Batch, Erased, Store, snapshot_path};
use crate::base::Wall;
use crate::event::{DeskEvent, Entry, Fact};
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
    assert_eq!(retained.erased, Erased { calls: 1_000, entries: 1_000, texts: 2_000, kept: 0 });
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
    assert_eq!(retained.erased, Erased { calls: 200, entries: 200, texts: 400, kept: 0 });
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
