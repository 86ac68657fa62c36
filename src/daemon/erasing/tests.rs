//! Erasing on request over a real journal: what is proved, what is left, and what a second request still finds.

use super::*;
use crate::base::{Private, TargetId, Wall};
use crate::event::{CallEvent, Caller, CallerNumber, EndCause, Means, Origin, Party};
use crate::io::recording::RecorderConfig;
use crate::io::store::{Batch, Durability, Kind, Options, snapshot_path};
use crate::recording::command::Notice;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

const OPTIONS: Options = Options { kind: Kind::Service, durability: Durability::Process };
const NUMBER: &str = "0398765432";

/// What the journal and the views are told by.
struct Told {
    store: Weak<Store>,
    hub: ViewHub,
    next: AtomicU64,
}

impl Told {
    fn tell(&self, facts: Vec<Fact>) {
        let count = u64::try_from(facts.len()).expect("few");
        let first = self.next.fetch_add(count, Ordering::Relaxed);
        let entry = |(seq, fact)| Entry { seq, at: Wall(1_790_780_400_000), fact };
        let entries: Vec<Entry> = (first..).zip(facts).map(entry).collect();
        self.hub.feed(entries.clone());
        let (bindings, subscriptions) = (vec![], vec![]);
        let batch = Batch { number: first, entries, bindings, subscriptions };
        self.store.upgrade().expect("open").append(batch);
    }
}

/// A journal, its views and a folder of recordings, without an engine.
struct Rig {
    folder: PathBuf,
    store: Arc<Store>,
    told: Arc<Told>,
}

impl Rig {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "madoguchi-erasing-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let folder = std::env::temp_dir().join(name);
        let (store, _replay) =
            Store::open(&folder.join("desk.db"), OPTIONS, |_| {}).expect("opens");
        let store = Arc::new(store);
        let setup = view::Setup {
            desk: "desk".to_owned(),
            demonstration: false,
            timezone: chrono_tz::Asia::Tokyo,
            policy: view::Policy::default(),
            agents: Vec::new(),
        };
        let clock = Clock::start();
        let hub = ViewHub::start(
            view::Views::new(setup),
            Arc::new(move || clock.now()),
            Arc::new(|_| Box::pin(async { Vec::new() })),
        );
        let told = Told { store: Arc::downgrade(&store), hub, next: AtomicU64::new(1) };
        Self { folder, store, told: Arc::new(told) }
    }

    fn path(&self) -> PathBuf {
        self.folder.join("desk.db")
    }

    /// As a daemon that has just started has it.
    fn erasing(&self, recorder: Option<&Arc<Recorder>>) -> Erasing {
        let told = Arc::clone(&self.told);
        let commands: CommandSink = Arc::new(move |command| {
            if let pbx::Command::Record { event } = command {
                told.tell(vec![Fact::Desk { event: *event }]);
            }
            Box::pin(async { Ok(()) })
        });
        Erasing {
            path: self.path(),
            store: Arc::downgrade(&self.store),
            reader: self.store.reader(),
            eraser: self.store.eraser(),
            recorder: recorder.map(Arc::downgrade),
            commands,
            hub: self.told.hub.clone(),
            clock: Clock::start(),
            zone: chrono_tz::Asia::Tokyo,
            prefix: String::new(),
        }
    }

    /// Those facts, once the journal and the views have them.
    async fn tell(&self, facts: Vec<Fact>) {
        self.told.tell(facts);
        let due = self.told.next.load(Ordering::Relaxed) - 1;
        let stands = || self.told.hub.read(|views, _, _| views.last_seq());
        while self.store.state().committed_seq < due || stands() < due {
            sleep(SOON).await;
        }
    }

    fn calls_found(&self) -> usize {
        let needle = Needle::number(NUMBER).expect("a number");
        let path = self.path();
        // It has a runtime of its own.
        let finding = std::thread::spawn(move || store::find(&path, &[needle]));
        let found = finding.join().expect("no panic").expect("looked through");
        found.these.calls.len()
    }

    /// Whether the number lies in the journal's file or in what is beside it.
    fn holds_the_number(&self) -> bool {
        let files = std::fs::read_dir(&self.folder).expect("a folder").flatten();
        let mut read = files.filter_map(|file| std::fs::read(file.path()).ok());
        read.any(|bytes| bytes.windows(NUMBER.len()).any(|text| text == NUMBER.as_bytes()))
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn id(call: u64) -> CallId {
    CallId(uuid::Uuid::from_u64_pair(0x0199_a0c1_5b00_7000, call))
}

fn wanted() -> ErasureWanted {
    ErasureWanted {
        number: Some(Private::new(NUMBER.to_owned())),
        name: None,
        reference: "2026-014".to_owned(),
        author: "author".to_owned(),
    }
}

fn arrived(call: u64) -> Fact {
    let number = CallerNumber::Known(Private::new(NUMBER.to_owned()));
    let caller = Caller { number, name: None, diverted_from: None };
    let origin = Origin::Trunk("carrier".into());
    let event = CallEvent::Arrived { number: "0312345678".into(), caller, origin, counted: true };
    Fact::Call { call: id(call), t_ms: 0, event }
}

fn ended(call: u64) -> Fact {
    let event = CallEvent::Ended { by: Party::Caller, cause: EndCause::HungUp };
    Fact::Call { call: id(call), t_ms: 9_000, event }
}

fn recorded(call: u64, event: RecordingEvent) -> Fact {
    Fact::Recording { call: id(call), t_ms: None, event }
}

fn started(call: u64) -> Fact {
    recorded(call, RecordingEvent::Started { number: 1, by: Means::Rule })
}

#[tokio::test]
async fn a_recording_that_was_held_goes_when_it_is_asked_again() {
    let rig = Rig::new();
    let (name, folder) =
        (format!("20261001T090000-{}-1.wav", id(1)), rig.folder.join("recordings"));
    let (file, path) = (format!("2026-10-01/{name}"), folder.join("2026-10-01").join(&name));
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(&path, "sound").expect("written");
    let hold = folder.join("2026-10-01").join(format!("{name}{HOLD}"));
    std::fs::write(&hold, "").expect("held");
    let config = RecorderConfig {
        directory: folder,
        format: crate::recording::Format::Wav,
        zone: chrono_tz::Asia::Tokyo,
        key: None,
        keep_days: None,
        least_free_bytes: 0,
        most: 1,
        epoch: std::time::Instant::now(),
    };
    let told = Arc::clone(&rig.told);
    let recorder = Recorder::start(config, vec![], BTreeSet::new(), move |notice| {
        if let Notice::Deleted { id, file } = notice {
            let event = RecordingEvent::Deleted { number: id.number, file };
            told.tell(vec![Fact::Recording { call: id.call, t_ms: None, event }]);
        }
    });
    let recorder = Arc::new(recorder.expect("threads"));
    let kept = RecordingEvent::Kept {
        number: 1,
        file: file.clone(),
        length_ms: 1,
        bytes: 5,
        sha256: String::new(),
        dropped: 0,
        late: 0,
    };
    rig.tell(vec![arrived(1), started(1), ended(1), recorded(1, kept), arrived(2), ended(2)]).await;
    let erasing = rig.erasing(Some(&recorder));
    let first = erasing.erase(wanted()).await.expect("erased");
    assert_eq!(first.left, [LeftAlone { call: id(1), why: WhyLeft::RecordingHeld }]);
    assert_eq!(
        (first.calls, first.recordings),
        (vec![id(2)], vec![]),
        "what is left is not told as erased"
    );
    std::fs::remove_file(&hold).expect("let go");
    let again = erasing.erase(wanted()).await.expect("erased");
    assert_eq!((again.calls, again.recordings), (vec![id(1)], vec![file]));
    assert_eq!((again.left, again.found_again), (vec![], 0));
    assert!(!path.exists());
}

#[tokio::test]
async fn a_recording_that_is_not_kept_yet_is_told_as_left() {
    let rig = Rig::new();
    rig.tell(vec![arrived(1), started(1), ended(1)]).await;
    let proof = rig.erasing(None).erase(wanted()).await.expect("erased");
    assert_eq!(proof.left, [LeftAlone { call: id(1), why: WhyLeft::RecordingNotDeleted }]);
    assert_eq!(rig.calls_found(), 1, "it is found when it is asked again");
}

#[tokio::test]
async fn an_erasure_on_request_that_was_killed_is_proved_whole_when_asked_again() {
    const CALLS: u64 = 240;
    let rig = Rig::new();
    rig.tell((1..=CALLS).flat_map(|call| [arrived(call), ended(call)]).collect()).await;
    std::fs::write(snapshot_path(&rig.path()), NUMBER).expect("a snapshot");
    for within in (40..).step_by(20) {
        let erasing = rig.erasing(None);
        let cut =
            tokio::time::timeout(Duration::from_millis(within), erasing.erase(wanted())).await;
        assert!(cut.is_err(), "it was cut off");
        let found = rig.calls_found();
        assert!(found > 0, "in the middle");
        if found < usize::try_from(CALLS).expect("few") {
            break;
        }
    }
    assert!(!snapshot_path(&rig.path()).exists(), "the snapshot has the texts, too");
    let proof = rig.erasing(None).erase(wanted()).await.expect("erased");
    assert_eq!(proof.calls, (1..=CALLS).map(id).collect::<Vec<_>>());
    assert_eq!((proof.entries, proof.texts, proof.found_again), (CALLS, CALLS, 0));
    assert!(proof.copies_emptied && !rig.holds_the_number());
    // It was proved once; whoever asks again is told of what came since.
    let nothing = rig.erasing(None).erase(wanted()).await.expect("erased");
    assert_eq!((nothing.calls, nothing.entries), (vec![], 0));
}

#[tokio::test]
async fn an_erasure_that_was_killed_after_its_last_call_leaves_nothing_beside_the_store() {
    let rig = Rig::new();
    let (mut call, mut within) = (1, 5);
    rig.tell(vec![arrived(call), ended(call)]).await;
    // All steps, and neither what empties the -wal nor the entry of the history; where it came further, another call.
    loop {
        let before = rig.told.next.load(Ordering::Relaxed);
        let erasing = rig.erasing(None);
        let erase = erasing.erase(wanted());
        let cut = tokio::time::timeout(Duration::from_millis(within), erase).await.is_err();
        let told = rig.told.next.load(Ordering::Relaxed) > before;
        match (cut && !told, rig.calls_found()) {
            (true, 0) => break,
            (true, _) => within += 5,
            (false, _) => {
                (call, within) = (call + 1, 5);
                rig.tell(vec![arrived(call), ended(call)]).await;
            }
        }
    }
    let proof = rig.erasing(None).erase(wanted()).await.expect("erased");
    assert!(proof.calls.contains(&id(call)) && proof.entries > 0, "{proof:?}");
    assert!(proof.copies_emptied && !rig.holds_the_number());
}

#[tokio::test]
async fn a_proof_names_tickets_older_than_the_memory_and_of_a_system_that_is_gone() {
    let rig = Rig::new();
    let fed = |target: &str, event| {
        let target = TargetId::from(target);
        Fact::Feed { target, call: Some(id(1)), event }
    };
    let opened = |ticket: &str| FeedEvent::TicketOpened {
        through: 2,
        ticket: ticket.to_owned(),
        found: false,
        tries: 1,
    };
    let adopted = FeedEvent::TicketAdopted {
        ticket: "18".to_owned(),
        author: "author".to_owned(),
        by: Means::Api,
    };
    rig.tell(vec![
        arrived(1),
        ended(1),
        fed("gone", opened("17")),
        fed("gone", FeedEvent::TargetGone),
        fed("other", opened("4")),
        fed("other", adopted),
        fed(view::LEDGER, opened("1")),
    ])
    .await;
    let proof = rig.erasing(None).erase(wanted()).await.expect("erased");
    let told: Vec<_> =
        proof.handed_over.iter().map(|it| (it.target.as_str(), it.ticket.as_str())).collect();
    assert_eq!(told, [("gone", "17"), ("other", "18"), ("other", "4")]);
    assert!(proof.handed_over.iter().all(|it| it.call == id(1)));
}
