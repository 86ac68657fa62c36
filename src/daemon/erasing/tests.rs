//! Erasing on request over a real journal: what is proved, what is left, and what a second request still finds.

use super::*;
use crate::base::{Private, TargetId, Wall};
use crate::event::{CallEvent, Caller, CallerNumber, EndCause, Means, Origin, Party};
use crate::io::recording::RecorderConfig;
use crate::io::store::{Batch, Durability, Kind, Options, snapshot_path};
use crate::recording::command::Notice;
use crate::recording::name::{HOLD, PART};
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
        }
    }

    /// Puts something into the folder of recordings.
    fn file(&self, called: &str, text: &str) -> PathBuf {
        let path = self.folder.join("recordings").join(called);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, text).expect("written");
        path
    }

    /// A recorder of that folder, whose end of each recording stands in the history.
    fn recorder(&self, unkept: BTreeSet<RecordingId>) -> Arc<Recorder> {
        self.recorder_that_keeps(unkept, None)
    }

    fn recorder_that_keeps(
        &self,
        unkept: BTreeSet<RecordingId>,
        keep_days: Option<u32>,
    ) -> Arc<Recorder> {
        let config = RecorderConfig {
            directory: self.folder.join("recordings"),
            format: crate::recording::Format::Wav,
            zone: chrono_tz::Asia::Tokyo,
            key: None,
            keep_days,
            least_free_bytes: 0,
            most: 1,
            epoch: std::time::Instant::now(),
        };
        let told = Arc::clone(&self.told);
        let tell = move |id: RecordingId, event| {
            told.tell(vec![Fact::Recording { call: id.call, t_ms: None, event }]);
        };
        let recorder = Recorder::start(config, vec![], unkept, move |notice| match notice {
            Notice::Deleted { id, file } => {
                tell(id, RecordingEvent::Deleted { number: id.number, file });
            }
            Notice::Failed { id, .. } => {
                let why = crate::event::RecordingTrouble::Lost;
                tell(id, RecordingEvent::Failed { number: id.number, why });
            }
            Notice::Began { .. } | Notice::Kept { .. } => {}
        });
        Arc::new(recorder.expect("threads"))
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

/// What the history calls a recording of that call.
fn recording_name(call: u64) -> String {
    format!("2026-10-01/20261001T090000-{}-1.wav", id(call))
}

fn kept(file: String) -> RecordingEvent {
    let (length_ms, bytes, dropped, late) = (1, 5, 0, 0);
    RecordingEvent::Kept { number: 1, file, length_ms, bytes, sha256: String::new(), dropped, late }
}

fn started(call: u64) -> Fact {
    recorded(call, RecordingEvent::Started { number: 1, by: Means::Rule })
}

#[tokio::test]
async fn a_recording_that_was_held_goes_when_it_is_asked_again() {
    let rig = Rig::new();
    let path = rig.file(&recording_name(1), "sound");
    let hold = rig.file(&format!("{}{HOLD}", recording_name(1)), "");
    let recorder = rig.recorder(BTreeSet::new());
    let file = recording_name(1);
    let kept = recorded(1, kept(file.clone()));
    rig.tell(vec![arrived(1), started(1), ended(1), kept, arrived(2), ended(2)]).await;
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
async fn a_recording_that_cannot_be_deleted_keeps_no_number_and_goes_when_the_reference_is_asked_again()
 {
    let rig = Rig::new();
    let kept = || kept(recording_name(1));
    rig.tell(vec![
        arrived(1),
        started(1),
        ended(1),
        recorded(1, kept()),
        arrived(2),
        started(2),
        ended(2),
    ])
    .await;
    // The desk has no [recording] any more.
    let not_deleted = |call| LeftAlone { call: id(call), why: WhyLeft::RecordingNotDeleted };
    for _ in 0..2 {
        let proof = rig.erasing(None).erase(wanted()).await.expect("erased");
        assert_eq!(proof.left, [not_deleted(1), not_deleted(2)]);
        assert_eq!(proof.calls, [id(1), id(2)]);
        assert_eq!((proof.found_again, rig.calls_found()), (0, 0));
        assert!(!rig.holds_the_number());
    }
    // It has it again, with the one file.
    let path = rig.file(&recording_name(1), "sound");
    let recorder = rig.recorder(BTreeSet::new());
    let proof = rig.erasing(Some(&recorder)).erase(wanted()).await.expect("erased");
    assert_eq!((proof.left, proof.recordings), (vec![], vec![recording_name(1)]));
    assert!(!path.exists());
    let nothing = rig.erasing(Some(&recorder)).erase(wanted()).await.expect("erased");
    assert_eq!(nothing.calls, []);
}

#[tokio::test]
async fn a_proof_does_not_say_that_nothing_is_left_while_the_recordings_disk_is_not_there() {
    let rig = Rig::new();
    let path = rig.file(&recording_name(1), "sound");
    rig.tell(vec![arrived(1), started(1), recorded(1, kept(recording_name(1))), ended(1)]).await;
    let failed = RecordingEvent::Failed { number: 1, why: crate::event::RecordingTrouble::Lost };
    rig.tell(vec![arrived(2), started(2), recorded(2, failed), ended(2)]).await;
    let lost = rig.file(&recording_name(2), "sound");
    let recorder = rig.recorder(BTreeSet::new());
    let (folder, away) = (rig.folder.join("recordings"), rig.folder.join("away"));
    std::fs::rename(&folder, &away).expect("it is unmounted");
    std::fs::write(&folder, "").expect("nothing that can be read");
    let not_deleted = |call| LeftAlone { call: id(call), why: WhyLeft::RecordingNotDeleted };
    let proof = rig.erasing(Some(&recorder)).erase(wanted()).await.expect("erased");
    assert_eq!(proof.left, [not_deleted(1), not_deleted(2)]);
    // As a start makes it where the disk is not mounted.
    std::fs::remove_file(&folder).expect("removed");
    std::fs::create_dir(&folder).expect("made");
    let proof = rig.erasing(Some(&recorder)).erase(wanted()).await.expect("erased");
    assert_eq!(proof.left, [not_deleted(1), not_deleted(2)]);
    std::fs::remove_dir(&folder).expect("removed");
    std::fs::rename(&away, &folder).expect("it is mounted");
    let proof = rig.erasing(Some(&recorder)).erase(wanted()).await.expect("erased");
    let both = vec![recording_name(1), recording_name(2)];
    assert_eq!((proof.left, proof.recordings), (vec![], both));
    assert!(!path.exists() && !lost.exists(), "a start would make it whole");
}

#[tokio::test]
async fn a_proof_is_whole_where_age_has_taken_the_folder_of_a_recording_that_never_was() {
    let rig = Rig::new();
    let failed =
        RecordingEvent::Failed { number: 1, why: crate::event::RecordingTrouble::DiskFull };
    rig.tell(vec![arrived(1), started(1), recorded(1, failed), ended(1)]).await;
    rig.file("2026-10-09/letter", "another day's");
    let kept_days = |days| {
        let recorder = rig.recorder_that_keeps(BTreeSet::new(), days);
        let erasing = rig.erasing(Some(&recorder));
        async move { (recorder, erasing.erase(wanted()).await.expect("erased").left) }
    };
    let not_deleted = LeftAlone { call: id(1), why: WhyLeft::RecordingNotDeleted };
    assert_eq!(kept_days(None).await.1, [not_deleted]);
    assert_eq!(kept_days(Some(1)).await.1, []);
}

#[tokio::test]
async fn who_holds_a_recording_that_could_not_be_deleted_finds_it_deleted_when_it_is_let_go() {
    let rig = Rig::new();
    rig.tell(vec![arrived(1), started(1), recorded(1, kept(recording_name(1))), ended(1)]).await;
    let why = |why| vec![LeftAlone { call: id(1), why }];
    let proof = rig.erasing(None).erase(wanted()).await.expect("erased");
    assert_eq!(proof.left, why(WhyLeft::RecordingNotDeleted));
    assert_eq!(rig.calls_found(), 0);
    let path = rig.file(&recording_name(1), "sound");
    let hold = rig.file(&format!("{}{HOLD}", recording_name(1)), "");
    let recorder = rig.recorder(BTreeSet::new());
    for _ in 0..2 {
        let proof = rig.erasing(Some(&recorder)).erase(wanted()).await.expect("erased");
        assert_eq!(proof.left, why(WhyLeft::RecordingHeld));
    }
    std::fs::remove_file(&hold).expect("let go");
    let proof = rig.erasing(Some(&recorder)).erase(wanted()).await.expect("erased");
    assert_eq!((proof.left, proof.recordings), (vec![], vec![recording_name(1)]));
    assert!(!path.exists());
}

#[tokio::test]
async fn a_hold_keeps_also_a_recording_that_failed_or_never_became_whole() {
    let rig = Rig::new();
    let failed = RecordingEvent::Failed { number: 1, why: crate::event::RecordingTrouble::Disk };
    rig.tell(vec![arrived(1), started(1), recorded(1, failed.clone()), ended(1)]).await;
    rig.tell(vec![arrived(2), started(2), recorded(2, failed), ended(2)]).await;
    let recorder = rig.recorder(BTreeSet::new());
    let whole = rig.file(&recording_name(1), "sound");
    rig.file(&format!("{}{HOLD}", recording_name(1)), "");
    let part = rig.file(&format!("{}{PART}", recording_name(2)), "sound");
    rig.file(&format!("{}{PART}{HOLD}", recording_name(2)), "");
    let proof = rig.erasing(Some(&recorder)).erase(wanted()).await.expect("erased");
    let held = |call| LeftAlone { call: id(call), why: WhyLeft::RecordingHeld };
    assert_eq!(proof.left, [held(1), held(2)]);
    assert!(whole.exists() && part.exists() && rig.calls_found() == 2);
}

#[tokio::test]
async fn a_proof_names_what_a_start_has_put_aside() {
    let rig = Rig::new();
    let aside = rig.folder.join("desk.db-wal.left-1");
    std::fs::write(&aside, NUMBER).expect("written");
    rig.tell(vec![arrived(1), ended(1)]).await;
    let proof = rig.erasing(None).erase(wanted()).await.expect("erased");
    let named = |said: &[String]| said.iter().any(|it| it.contains("desk.db-wal.left-1"));
    assert!(named(&proof.not_reached) && named(&proof.not_reached_ja), "{proof:?}");
    std::fs::remove_file(&aside).expect("deleted");
    let proof = rig.erasing(None).erase(wanted()).await.expect("erased");
    assert!(!named(&proof.not_reached) && !named(&proof.not_reached_ja), "{proof:?}");
}

#[tokio::test]
async fn a_recording_that_failed_and_one_that_no_start_can_end_are_deleted_with_the_callers_number()
{
    let rig = Rig::new();
    let failed = RecordingEvent::Failed { number: 1, why: crate::event::RecordingTrouble::Disk };
    rig.tell(vec![arrived(1), started(1), recorded(1, failed), ended(1), arrived(2), started(2)])
        .await;
    rig.tell(vec![ended(2), arrived(3), started(3), ended(3)]).await;
    // What nobody can end, as a power cut leaves it.
    let torn = rig.file(&format!("{}.part", recording_name(2)), "");
    let number = |call| RecordingId { call: id(call), number: 1 };
    let recorder = rig.recorder([number(2), number(3)].into());
    // As a disk left it that refused to give it its name.
    let failed = rig.file(&format!("{}.part", recording_name(1)), "sound");
    let proof = rig.erasing(Some(&recorder)).erase(wanted()).await.expect("erased");
    assert_eq!((proof.left, proof.found_again), (vec![], 0));
    assert_eq!(proof.recordings, [recording_name(1), recording_name(2)]);
    assert!(!failed.exists() && !torn.exists());
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
