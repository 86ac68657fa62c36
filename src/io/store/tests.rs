//! The journal against a real file: restarts, a second daemon, a full disk, a wrong kind.

use super::{Batch, Durability, Kind, OpenError, Options, Replay, Store, StoreNotice, Which};
use crate::base::{CallId, Private, Wall};
use crate::event::{
    AgentEvent, CallEvent, Caller, CallerNumber, EndCause, Entry, Fact, Means, Origin, Party,
};
use crate::sip::api::{
    Binding, BindingChange, Flow, KeptDialog, KeptSubscription, Outbound, SubscriptionChange,
    Transport,
};
use sqlx::{Connection, SqliteConnection};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

pub(super) const SERVICE: Options =
    Options { kind: Kind::Service, durability: Durability::Process };
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// A folder of the test's own, gone with it.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("madoguchi-store-{}-{n}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    pub(super) fn file(&self) -> PathBuf {
        self.0.join("deep/desk.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) fn open(path: &Path) -> (Store, Replay, Receiver<StoreNotice>) {
    let (tx, rx) = channel();
    let (store, replay) =
        Store::open(path, SERVICE, move |notice| drop(tx.send(notice))).expect("opens");
    (store, replay, rx)
}

fn entries(replay: Replay) -> Vec<Entry> {
    replay.entries.flat_map(|block| block.expect("readable")).collect()
}

pub(super) fn id(n: u64) -> CallId {
    CallId(uuid::Uuid::from_u64_pair(n, 7))
}

pub(super) fn entry(seq: u64) -> Entry {
    let fact = match seq % 4 {
        1 => Fact::Call {
            call: id(seq / 4),
            t_ms: 0,
            event: CallEvent::Arrived {
                number: "0312345678".into(),
                caller: Caller {
                    number: CallerNumber::Known(Private::new("0398765432".into())),
                    name: Some(Private::new("髙橋 ｼﾞｮﾝ 😀 '; DROP TABLE entry; --".into())),
                    diverted_from: None,
                },
                origin: Origin::Trunk("carrier".into()),
                counted: true,
            },
        },
        2 => Fact::Call {
            call: id(seq / 4),
            t_ms: 5,
            event: CallEvent::OperatorAsked { group: Some("総合窓口".into()) },
        },
        3 => Fact::Agent {
            agent: "2001".into(),
            event: AgentEvent::Paused { by: Means::Api, reason: "昼休み".into() },
        },
        _ => Fact::Call {
            call: id(seq / 4 - 1),
            t_ms: 9_000,
            event: CallEvent::Ended { by: Party::Caller, cause: EndCause::HungUp },
        },
    };
    Entry { seq, at: Wall(1_790_780_400_000 + i64::try_from(seq).expect("small")), fact }
}

pub(super) fn batch(number: u64, seqs: std::ops::RangeInclusive<u64>) -> Batch {
    Batch { number, entries: seqs.map(entry).collect(), bindings: vec![], subscriptions: vec![] }
}

pub(super) fn wait_for(
    notices: &Receiver<StoreNotice>,
    wanted: impl Fn(&StoreNotice) -> bool,
) -> StoreNotice {
    let until = Instant::now() + PATIENCE;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let notice = notices.recv_timeout(left).expect("the notice came in time");
        if wanted(&notice) {
            return notice;
        }
    }
}

pub(super) fn committed(number: u64) -> impl Fn(&StoreNotice) -> bool {
    move |notice| matches!(notice, StoreNotice::Committed { up_to_batch } if *up_to_batch >= number)
}

fn binding(account: &str, cseq: u32) -> Binding {
    Binding {
        account: account.into(),
        contact: format!("sip:{account}@[2001:db8::1]:5070;transport=tcp"),
        flow: Flow {
            transport: Transport::Tcp,
            listener: 1,
            remote: "[2001:db8::1]:5070".parse().expect("an address"),
            connection: 77,
        },
        call_id: "a84b4c76e66710".into(),
        cseq,
        expires_at: Wall(1_790_780_400_123),
        outbound: Some(Outbound {
            instance: "<urn:uuid:00000000-0000-1000-8000-000A95A0E128>".to_owned(),
            reg_id: 1,
        }),
        path: Some("<sip:192.0.2.5;lr>, <sip:192.0.2.6;lr>".to_owned()),
    }
}

pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime").block_on(future)
}

pub(super) async fn sql(path: &Path, text: &'static str) -> Result<SqliteConnection, sqlx::Error> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    sqlx::query(text).execute(&mut connection).await?;
    Ok(connection)
}

#[test]
fn what_was_written_is_read_back_with_japanese_names() {
    let folder = Folder::new();
    let (store, replay, notices) = open(&folder.file());
    assert_eq!((replay.next_seq, replay.bindings.len()), (1, 0));
    assert_eq!(entries(replay), []);
    // More rows than one statement holds, one row, and none.
    let put = |account, cseq| BindingChange::Put(binding(account, cseq));
    let gone =
        BindingChange::Remove { account: "2002".into(), contact: binding("2002", 1).contact };
    store.append(batch(1, 1..=150));
    store.append(Batch { bindings: vec![put("2001", 1), put("2002", 1)], ..batch(2, 151..=151) });
    store.append(Batch {
        number: 3,
        entries: vec![],
        bindings: vec![put("2001", 2), gone],
        subscriptions: vec![],
    });
    store.append(Batch { number: 4, entries: vec![], bindings: vec![], subscriptions: vec![] });
    wait_for(&notices, committed(4));
    let state = store.state();
    assert_eq!((state.committed_seq, state.pending, state.lost, state.failing), (151, 0, 0, false));
    let ladder = block_on(store.reader().ladder(id(2))).expect("read");
    assert_eq!(ladder, [entry(9), entry(10), entry(12)]);
    let part = block_on(store.reader().since(150, 10)).expect("read");
    assert_eq!(part, [entry(150), entry(151)]);
    assert!(store.close(PATIENCE));

    let (store, replay, _notices) = open(&folder.file());
    assert_eq!(replay.next_seq, 152);
    let kept =
        Binding { flow: Flow { connection: 0, ..binding("2001", 2).flow }, ..binding("2001", 2) };
    assert_eq!(replay.bindings, [kept]);
    assert_eq!(entries(replay), (1..=151).map(entry).collect::<Vec<_>>());
    assert!(store.close(PATIENCE));
}

#[test]
fn calls_that_were_recorded_are_found_by_their_time_and_no_others() {
    let folder = Folder::new();
    let (store, _replay, notices) = open(&folder.file());
    let recorded = |seq: u64, call: u64| {
        let event = crate::event::RecordingEvent::Fetched { number: 1 };
        let fact = Fact::Recording { call: id(call), t_ms: None, event };
        Entry { seq, at: Wall(1_790_780_400_000), fact }
    };
    // 150 calls of three entries each, and of one more that says of every third that it was recorded.
    let mut entries: Vec<Entry> = (1..=600).map(entry).collect();
    entries.extend((0..50).map(|n| recorded(601 + n, 3 * n)));
    store.append(Batch { number: 1, entries, bindings: vec![], subscriptions: vec![] });
    wait_for(&notices, committed(1));
    let read = |from: u64, below: u64| {
        block_on(store.reader().listed(id(from), id(below), Which::Recorded)).expect("read")
    };
    let ids = |calls: &[(CallId, Vec<Entry>)]| calls.iter().map(|it| it.0).collect::<Vec<_>>();
    let found = read(10, 22);
    assert_eq!(ids(&found), [21, 18, 15, 12].map(id));
    assert_eq!(found[3].1, [entry(49), entry(50), entry(52), recorded(605, 12)]);
    assert_eq!(ids(&read(10, 21)), [18, 15, 12].map(id), "below is not among them");
    assert_eq!(ids(&read(10, 12)), []);
    assert_eq!(read(0, 1_000).len(), 50);
    assert!(store.close(PATIENCE));
}

/// What it is of, its kind, its agent, its `t_ms`.
type Row = (String, Option<String>, Option<String>, Option<i64>);

#[test]
fn people_can_ask_the_file_in_sql() {
    let folder = Folder::new();
    let (store, _replay, notices) = open(&folder.file());
    store.append(batch(1, 1..=4));
    wait_for(&notices, committed(1));
    let rows: Vec<Row> = block_on(async {
        let mut connection = sql(&folder.file(), "SELECT 1").await.expect("opens");
        sqlx::query_as("SELECT of, kind, agent, t_ms FROM event ORDER BY seq")
            .fetch_all(&mut connection)
            .await
            .expect("plain SQL")
    });
    let due = [
        ("call", "arrived", None, Some(0)),
        ("call", "operator_asked", None, Some(5)),
        ("agent", "paused", Some("2001"), None),
        ("call", "ended", None, Some(9_000)),
    ];
    let due = due.map(|(of, kind, agent, t_ms)| {
        (of.to_owned(), Some(kind.to_owned()), agent.map(str::to_owned), t_ms)
    });
    assert_eq!(rows, due);
}

/// What a copy of the files holds at an instant is what a killed process leaves behind.
#[test]
fn a_killed_process_leaves_every_committed_entry() {
    let folder = Folder::new();
    let (store, _replay, notices) = open(&folder.file());
    for n in 1..=30 {
        store.append(batch(n, n * 3 - 2..=n * 3));
    }
    wait_for(&notices, committed(30));
    let left = folder.0.join("left.db");
    for end in ["", "-wal"] {
        let with = |path: &Path| PathBuf::from(format!("{}{end}", path.display()));
        std::fs::copy(with(&folder.file()), with(&left)).expect("copied");
    }
    let (_second, replay, _notices) = open(&left);
    assert_eq!(replay.next_seq, 91);
    assert_eq!(entries(replay), (1..=90).map(entry).collect::<Vec<_>>());
}

#[test]
fn a_file_that_is_not_for_us_is_refused_untouched() {
    let folder = Folder::new();
    let path = folder.file();
    let refused = |options: Options, path: &Path| {
        Store::open(path, options, |_| ()).err().expect("refused").to_string()
    };
    let (store, ..) = open(&path);
    let own = std::process::id();
    let error = refused(SERVICE, &path);
    assert!(error.contains(&format!("in use by another Madoguchi (process {own})")), "{error}");
    assert!(store.close(PATIENCE));

    let demonstration = Options { kind: Kind::Demonstration, ..SERVICE };
    let error = refused(demonstration, &path);
    assert!(error.contains("holds service calls, due is a store for demonstration"), "{error}");

    block_on(sql(
        &path,
        "INSERT INTO _sqlx_migrations VALUES (7, 'later', CURRENT_TIMESTAMP, 1, x'00', 1)",
    ))
    .expect("written");
    let error = Store::open(&path, SERVICE, |_| ()).err().expect("refused");
    assert!(matches!(error, OpenError::Newer { found: 7, known: 6, .. }), "{error}");

    let other = folder.0.join("other.db");
    block_on(sql(&other, "CREATE TABLE theirs (a)")).expect("made");
    assert!(refused(SERVICE, &other).contains("a database of another program"));
    let text = folder.0.join("text.db");
    let words = "not a database, only a long enough text ".repeat(40);
    std::fs::write(&text, &words).expect("written");
    let error = refused(SERVICE, &text);
    assert!(error.contains("no SQLite file"), "{error}");
    assert_eq!(std::fs::read_to_string(&text).expect("still there"), words);
}

#[test]
fn a_full_disk_loses_nothing_and_is_told_once() {
    let folder = Folder::new();
    let (store, _replay, notices) = open(&folder.file());
    store.append(batch(1, 1..=10));
    wait_for(&notices, committed(1));
    store.set_page_limit(1); // The file may not grow any more.
    for n in 2..=200 {
        store.append(batch(n, n * 10 - 9..=n * 10));
    }
    let StoreNotice::Failing { error } =
        wait_for(&notices, |notice| matches!(notice, StoreNotice::Failing { .. }))
    else {
        panic!("not failing")
    };
    assert!(error.contains("full"), "{error}");
    assert!(store.state().failing);
    store.append(batch(201, 2001..=2010));
    store.set_page_limit(1_000_000);
    wait_for(&notices, |notice| *notice == StoreNotice::Healthy);
    wait_for(&notices, committed(201));
    assert_eq!(store.state().lost, 0);
    assert!(store.close(PATIENCE));
    let (_store, replay, _notices) = open(&folder.file());
    assert_eq!(entries(replay), (1..=2010).map(entry).collect::<Vec<_>>());
}

#[test]
fn a_file_locked_by_someone_else_is_waited_for() {
    let folder = Folder::new();
    let (store, _replay, notices) = open(&folder.file());
    let other = block_on(sql(&folder.file(), "BEGIN IMMEDIATE")).expect("locked");
    store.append(batch(1, 1..=3));
    wait_for(&notices, |notice| matches!(notice, StoreNotice::Failing { .. }));
    block_on(other.close()).expect("let go");
    wait_for(&notices, committed(1));
    assert!(!store.state().failing);
}

#[test]
fn beyond_the_bound_the_newest_is_given_up_and_counted() {
    let folder = Folder::new();
    let (store, _replay, notices) = open(&folder.file());
    let other = block_on(sql(&folder.file(), "BEGIN IMMEDIATE")).expect("locked");
    let bound = 1_000;
    store.set_pending_bound(1_000);
    let many = |number, from: u64, count: u64| Batch {
        number,
        entries: (from..from + count).map(entry).collect(),
        bindings: vec![],
        subscriptions: vec![],
    };
    store.append(many(1, 1, bound - 5));
    store.append(many(2, bound - 4, 6)); // One too many.
    assert_eq!(store.state().lost, 6);
    store.append(many(3, bound - 4, 5)); // Still fits.
    block_on(other.close()).expect("let go");
    wait_for(&notices, committed(3));
    let state = store.state();
    assert_eq!((state.pending, state.lost, state.committed_seq), (0, 6, bound));
    assert!(store.close(PATIENCE));
}

#[test]
fn batches_are_committed_in_order() {
    let folder = Folder::new();
    let (store, _replay, notices) = open(&folder.file());
    for n in 1..=2_000 {
        store.append(batch(n, n..=n));
    }
    let mut last = 0;
    while last < 2_000 {
        let notice = notices.recv_timeout(PATIENCE).expect("in time");
        let StoreNotice::Committed { up_to_batch } = notice else { panic!("{notice:?}") };
        assert!(up_to_batch > last);
        last = up_to_batch;
    }
    assert!(store.state().transactions <= 2_000);
    assert!(store.close(PATIENCE));
    let (_store, replay, _notices) = open(&folder.file());
    assert_eq!(entries(replay), (1..=2_000).map(entry).collect::<Vec<_>>());
}

#[test]
fn closing_in_front_of_a_stuck_disk_says_so() {
    let folder = Folder::new();
    let (store, _replay, notices) = open(&folder.file());
    let other = block_on(sql(&folder.file(), "BEGIN IMMEDIATE")).expect("locked");
    store.append(batch(1, 1..=3));
    wait_for(&notices, |notice| matches!(notice, StoreNotice::Failing { .. }));
    assert!(!store.close(Duration::from_millis(50)));
    block_on(other.close()).expect("let go");
}

#[test]
fn an_update_keeps_the_registrations_of_the_version_before() {
    let folder = Folder::new();
    let (store, _replay, _notices) = open(&folder.file());
    assert!(store.close(PATIENCE));
    let as_it_was = "DROP TABLE subscription; DROP TABLE binding; DROP TABLE rewritten; \
        ALTER TABLE entry DROP COLUMN hash; ALTER TABLE entry DROP COLUMN salt; DELETE FROM _sqlx_migrations WHERE version > 1; \
        CREATE TABLE binding (account TEXT NOT NULL, contact TEXT NOT NULL, \
        transport TEXT NOT NULL CHECK (transport IN ('udp', 'tcp')), listener INTEGER NOT NULL, \
        remote TEXT NOT NULL, call_id TEXT NOT NULL, cseq INTEGER NOT NULL, \
        expires_at_ms INTEGER NOT NULL, PRIMARY KEY (account, contact)) STRICT, WITHOUT ROWID; \
        INSERT INTO binding VALUES ('2001', 'sip:2001@[2001:db8::1]:5070;transport=tcp', 'tcp', 1, \
        '[2001:db8::1]:5070', 'a84b4c76e66710', 3, 1790780400123)";
    block_on(sql(&folder.file(), as_it_was)).expect("the version before");
    let (_store, replay, _notices) = open(&folder.file());
    let had = Binding {
        flow: Flow { connection: 0, ..binding("2001", 3).flow },
        outbound: None,
        path: None,
        ..binding("2001", 3)
    };
    assert_eq!(replay.bindings, [had]);
}

#[test]
fn a_journal_whose_thread_dies_is_told_at_once_and_closing_says_what_was_lost() {
    let folder = Folder::new();
    let (store, _replay, notices) = open(&folder.file());
    store.append(batch(1, 1..=3));
    wait_for(&notices, committed(1));
    store.break_thread();
    store.append(batch(2, 4..=6));
    let failing = wait_for(&notices, |notice| matches!(notice, StoreNotice::Failing { .. }));
    assert!(matches!(failing, StoreNotice::Failing { error } if error.contains("restart")));
    assert!(store.state().failing);
    store.append(batch(3, 7..=9)); // kept, and nobody waits for it
    assert!(!store.close(Duration::from_millis(50)));
}

#[test]
fn subscriptions_are_kept_with_the_highest_number_that_may_have_been_used() {
    let folder = Folder::new();
    let (store, replay, notices) = open(&folder.file());
    assert_eq!(replay.subscriptions, []);
    let kept = |tag: &str, promised| KeptSubscription {
        tag: tag.to_owned(),
        watcher: "2001".into(),
        package: "dialog".to_owned(),
        event_id: (promised > 256).then(|| "7".to_owned()),
        what: "2002".into(),
        entity: "sip:2002@desk.example".to_owned(),
        dialog: KeptDialog {
            call_id: "watch".to_owned(),
            local: b"<sip:2002@desk.example>;tag=1".to_vec(),
            remote: b"\"\xff\" <sip:2001@desk.example>;tag=2".to_vec(),
            remote_tag: "2".to_owned(),
            remote_seq: 9,
            target: "sip:2001@192.0.2.9:5070".to_owned(),
            routes: vec!["<sip:a.example;lr>".to_owned(), "<sip:b.example;lr>".to_owned()],
            flow: Flow { connection: 0, ..binding("2001", 1).flow },
        },
        promised,
        expires_at: Wall(1_790_780_400_123),
    };
    let put = |tag, promised| SubscriptionChange::Put(Box::new(kept(tag, promised)));
    let first = vec![put("a", 256), put("b", 256), put("a", 512)];
    store.append(Batch { subscriptions: first, ..batch(1, 1..=1) });
    let gone = vec![SubscriptionChange::Remove { tag: "b".to_owned() }];
    store.append(Batch { number: 2, entries: vec![], bindings: vec![], subscriptions: gone });
    wait_for(&notices, committed(2));
    assert!(store.close(PATIENCE));
    let (_store, replay, _notices) = open(&folder.file());
    assert_eq!(replay.subscriptions, [kept("a", 512)]);
}
