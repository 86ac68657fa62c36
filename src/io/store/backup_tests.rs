//! Copying a journal while it is written, and putting copies back: nothing is torn, nothing newer is lost.

use super::chain_tests::{holds, links, walk};
use super::tests::{Folder, PATIENCE, batch, block_on, committed, entry, open, wait_for};
use super::{BackupError, Batch, Importing, Kind, OpenError, Restoring, There, copy, head};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

#[test]
fn a_copy_made_under_writing_is_the_journal_as_it_stood_and_no_commit_waits_for_it() {
    let folder = Folder::new();
    let path = folder.file();
    let (store, _replay, notices) = open(&path);
    store.append(batch(1, 1..=4_000));
    wait_for(&notices, committed(1));
    let done = AtomicBool::new(false);
    let (copies, commits) = std::thread::scope(|scope| {
        let copying = scope.spawn(|| {
            let copies: Vec<_> = (0..4)
                .map(|n| {
                    let to = folder.0.join(format!("copy-{n}.db"));
                    (to.clone(), copy(&path, &to).expect("copied"))
                })
                .collect();
            done.store(true, Ordering::Relaxed);
            copies
        });
        let mut commits: Vec<Duration> = Vec::new();
        for number in 2_u64.. {
            let began = Instant::now();
            let entries = vec![entry(3_999 + number)];
            store.append(Batch { number, entries, bindings: vec![], subscriptions: vec![] });
            wait_for(&notices, committed(number));
            commits.push(began.elapsed());
            if done.load(Ordering::Relaxed) {
                break;
            }
        }
        (copying.join().expect("no panic"), commits)
    });
    let mut sorted = commits.clone();
    sorted.sort();
    let late = sorted[(sorted.len() - 1) * 99 / 100];
    println!("{} commits beside 4 copies, 99th of a hundred {late:?}", sorted.len());
    assert!(late < Duration::from_millis(400), "commits took {late:?}");
    let whole = links(&path);
    let mut last = 4_000 - 1;
    for (to, (head, kind)) in copies {
        assert_eq!(kind, "service");
        let proved = walk(&to);
        assert_eq!((proved.broken, proved.entries), (0, head.entries));
        assert!(head.seq > last, "what was committed before it began is in it");
        last = head.seq;
        let theirs = whole.iter().find(|link| link.seq == head.seq).expect("in the journal");
        assert_eq!(theirs.hash.as_deref().map(crate::base::hex), Some(head.hash.clone()));
        assert_eq!(std::fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
        let bytes = std::fs::read(&to).unwrap();
        assert_eq!(bytes[18..20], [1, 1], "it needs no -wal beside it");
    }
    assert!(store.close(PATIENCE));
}

#[test]
fn what_was_erased_is_in_no_copy_that_is_made_later() {
    let folder = Folder::new();
    let path = folder.file();
    let (store, _replay, notices) = open(&path);
    store.append(batch(1, 1..=400));
    wait_for(&notices, committed(1));
    block_on(store.eraser().run(crate::base::Wall(i64::MAX))).expect("erased");
    let to = folder.0.join("copy.db");
    copy(&path, &to).expect("copied");
    assert!(!holds(&to, b"0398765432"));
    assert_eq!(walk(&to).broken, 0);
    assert!(store.close(PATIENCE));
}

#[test]
fn a_copy_comes_where_nothing_is_lost_and_nowhere_else() {
    let folder = Folder::new();
    let path = folder.file();
    let (store, _replay, notices) = open(&path);
    store.append(batch(1, 1..=100));
    wait_for(&notices, committed(1));
    let to = folder.0.join("copy.db");
    copy(&path, &to).expect("copied");
    let at = |path: &std::path::Path| Restoring::begin(&to, path).map(|it| it.there().clone());
    assert!(matches!(at(&path), Err(BackupError::Open(OpenError::InUse { .. }))), "a desk has it");
    assert!(store.close(PATIENCE));
    assert!(matches!(at(&path), Ok(There::Behind(head)) if head.seq == 100), "the same");

    // The journal goes on: what it has more would be lost.
    let (store, _replay, notices) = open(&path);
    store.append(batch(1, 101..=110));
    wait_for(&notices, committed(1));
    assert!(store.close(PATIENCE));
    let Ok(There::Newer(lost)) = at(&path) else { panic!("{:?}", at(&path)) };
    assert_eq!((lost.entries, lost.from, lost.calls), (10, 101, 3));

    // Where nothing was, it is opened and goes on.
    let place = folder.0.join("elsewhere/desk.db");
    let restoring = Restoring::begin(&to, &place).expect("free");
    assert_eq!(restoring.there(), &There::Nothing);
    assert_eq!(restoring.finish().expect("put").seq, 100);
    assert_eq!(std::fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!((walk(&place).broken, head(&place).unwrap().hash), (0, head(&to).unwrap().hash));
    let (store, replay, notices) = open(&place);
    assert_eq!(replay.next_seq, 101);
    store.append(batch(1, 101..=104));
    wait_for(&notices, committed(1));
    assert!(store.close(PATIENCE));

    // That one's entry 101 is not the first one's: its salts are others.
    let other = folder.0.join("other.db");
    copy(&place, &other).expect("copied");
    let there = Restoring::begin(&other, &path).map(|it| it.there().clone());
    let Ok(There::Another(lost)) = there else { panic!("{there:?}") };
    assert_eq!((lost.entries, lost.from), (10, 101));

    // Over what it has itself it may come: the older store is gone then, with what belonged to it.
    let old = folder.0.join("old/desk.db");
    Restoring::begin(&to, &old).expect("free").finish().expect("put");
    std::fs::write(super::snapshot_path(&old), "0398765432").unwrap();
    let restoring = Restoring::begin(&other, &old).expect("free");
    assert!(matches!(restoring.there(), There::Behind(head) if head.seq == 100));
    restoring.finish().expect("put");
    assert_eq!(head(&old).unwrap().seq, 104);
    assert!(!super::snapshot_path(&old).exists());
}

#[test]
fn an_import_or_a_copy_beside_the_wal_of_a_killed_store_is_refused_and_its_newest_entries_stay() {
    let (folder, moved, other) = (Folder::new(), Folder::new(), Folder::new());
    let (store, _replay, notices) = open(&folder.file());
    store.append(batch(1, 1..=40));
    wait_for(&notices, committed(1));
    let beside = |path: &std::path::Path, end: &str| {
        std::path::PathBuf::from(format!("{}{end}", path.display()))
    };
    // As the desk's kill leaves it, and the operator who moves the file without what lies beside it.
    let path = moved.file();
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    let wal = beside(&path, "-wal");
    std::fs::copy(beside(&folder.file(), "-wal"), &wal).expect("a killed desk's");
    let left = std::fs::read(&wal).expect("there");
    assert!(!left.is_empty());
    assert!(store.close(PATIENCE));
    let to = other.file();
    std::fs::create_dir_all(to.parent().expect("a folder")).expect("made");
    copy(&folder.file(), &to).expect("copied");

    let said = Importing::begin(&path, Kind::Service).map(drop).expect_err("refused").to_string();
    assert!(said.contains("-wal") && said.contains("moved"), "{said}");
    let put = Restoring::begin(&to, &path).and_then(Restoring::finish);
    let said = put.expect_err("refused").to_string();
    assert!(said.contains("-wal") && said.contains("moved"), "{said}");
    assert_eq!(std::fs::read(&wal).expect("there still"), left);
    assert!(!path.exists());
    // A desk that is started there takes calls, and the entries stay.
    let (store, ..) = open(&path);
    assert_eq!(std::fs::read(beside(&wal, ".left-1")).expect("put aside"), left);
    assert!(store.close(PATIENCE));
    std::fs::remove_file(&path).expect("gone");
    drop(Importing::begin(&path, Kind::Service).expect("begun"));
    Restoring::begin(&to, &path).and_then(Restoring::finish).expect("put");
}

/// As `madoguchi restore` and `events import` are run in an emergency: by root, into the folder of the desk's user.
#[test]
fn a_restore_by_root_leaves_a_store_that_the_desks_user_opens() {
    const DESK: u32 = 65_534; // nobody: a user that every machine has
    if !rustix::process::geteuid().is_root() {
        println!("NOT tried: only root can make a file for another");
        return;
    }
    let folder = Folder::new();
    let path = folder.file();
    let (store, _replay, notices) = open(&path);
    store.append(batch(1, 1..=4));
    wait_for(&notices, committed(1));
    let to = folder.0.join("copy.db");
    copy(&path, &to).expect("copied");
    assert!(store.close(PATIENCE));

    let desk = folder.0.join("desk");
    std::fs::create_dir(&desk).expect("a folder");
    chown(&desk, Some(DESK), Some(DESK)).expect("root may");
    let restored = desk.join("store/of/the/desk/madoguchi.db");
    Restoring::begin(&to, &restored).expect("free").finish().expect("put");
    let imported = desk.join("imported.db");
    let mut importing = super::Importing::begin(&imported, super::Kind::Service).expect("free");
    for link in links(&to) {
        importing.add(&link).expect("an entry");
    }
    importing.finish().expect("put");

    let of_root = |path: &std::path::Path| {
        let about = std::fs::metadata(path).expect("it is there");
        (about.uid(), about.gid()) != (DESK, DESK)
    };
    let folders = restored.ancestors().skip(1).take(5);
    let files = [restored.clone(), imported.clone()];
    let locks = [desk.join("imported.db.lock"), desk.join("store/of/the/desk/madoguchi.db.lock")];
    let all = folders.map(std::path::Path::to_owned).chain(files).chain(locks);
    let wrong: Vec<_> = all.filter(|path| of_root(path)).collect();
    assert!(wrong.is_empty(), "the desk's user opens none of {wrong:?}");
}
