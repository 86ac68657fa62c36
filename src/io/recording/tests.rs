//! The two threads on a real directory: what is tapped is found in the file.

use super::*;
use crate::base::{CallId, Mono, Rng, TapId, Taped, Wall};
use crate::recording::command::{Kept, RecordingId};
use crate::recording::packet::{Head, LONGEST_BYTES};
use crate::recording::timeline::Side;
use crate::recording::vault::{self, Opening};
use crate::recording::{name, wav};
use crate::rtp::g711::{self, Law};
use crate::rtp::voice::Band;
use crate::sdp::Codec;
use rtrb::{Producer, RingBuffer};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::mpsc::Receiver;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const LONG: Duration = Duration::from_secs(20);

struct Room {
    recorder: Recorder,
    ring: Producer<u8>,
    notices: Receiver<Notice>,
    directory: PathBuf,
    epoch: Instant,
}

fn config(directory: &Path) -> RecorderConfig {
    RecorderConfig {
        directory: directory.to_owned(),
        format: Format::Wav,
        zone: chrono_tz::Asia::Tokyo,
        key: None,
        keep_days: None,
        least_free_bytes: 0,
        most: 3,
        // As if the daemon were an hour old.
        epoch: Instant::now().checked_sub(Duration::from_secs(3600)).expect("an hour"),
    }
}

/// A folder that goes with the test.
struct Fresh(PathBuf);

impl AsRef<Path> for Fresh {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl std::ops::Deref for Fresh {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0); // nothing depends on it
    }
}

fn fresh(name: &str) -> Fresh {
    let directory = std::env::temp_dir().join(format!("recording-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&directory);
    Fresh(directory)
}

fn call_at(ms: i64) -> CallId {
    CallId::draw(Wall(ms), &mut Rng::from_number(1))
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(now.as_millis()).expect("short")
}

impl Room {
    fn new(config: RecorderConfig) -> Self {
        let (directory, epoch) = (config.directory.clone(), config.epoch);
        let (ring, out) = RingBuffer::new(1 << 20);
        let (tell, notices) = channel();
        let recorder = Recorder::start(config, vec![out], BTreeSet::new(), move |notice| {
            let _ = tell.send(notice);
        });
        Self { recorder: recorder.expect("starts"), ring, notices, directory, epoch }
    }

    fn now(&self) -> Mono {
        Mono(u64::try_from(self.epoch.elapsed().as_micros()).expect("short"))
    }

    fn notice(&self) -> Notice {
        self.notices.recv_timeout(LONG).expect("a notice")
    }

    fn begin(&self, number: u32, at: Mono) -> RecordingId {
        let id = RecordingId { call: call_at(now_ms()), number };
        let (tap, wall) = (TapId(u64::from(number)), Wall(now_ms()));
        let (band, taped) = (Band::Narrow, Taped::Both);
        self.recorder.send(Command::Begin { id, tap, at, wall, band, taped });
        id
    }

    /// A packet of 20 ms at one loudness, the `n`th after `at`.
    fn say(&mut self, tap: u64, side: Side, n: u64, at: Mono, loud: i16) {
        let payload = [g711::encode(Law::Mu, loud); 160];
        let head = Head {
            tap: TapId(tap),
            side,
            codec: Codec::Pcmu,
            ssrc: 5,
            timestamp: u32::try_from(n * 160).expect("short"),
            arrived: Mono(at.0 + (n + 1) * 20_000),
            dropped: 0,
            payload: 160,
        };
        let mut room = [0; LONGEST_BYTES];
        let whole = head.write(&payload, &mut room).expect("short");
        self.ring.push_entire_slice(whole).expect("room");
    }

    fn kept(&self, id: RecordingId) -> Kept {
        match self.notice() {
            Notice::Kept { id: of, kept } if of == id => kept,
            other => panic!("{other:?}"),
        }
    }
}

/// Left and right of a file.
fn sound(bytes: &[u8]) -> (Vec<i16>, Vec<i16>) {
    let mended = wav::mended(bytes, bytes.len() as u64).expect("ours");
    assert_eq!(Some(&mended.header[..]), bytes.get(..44));
    let samples: Vec<i16> =
        bytes[44..].chunks(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
    samples.chunks(2).map(|frame| (frame[0], frame[1])).unzip()
}

#[test]
fn a_recording_holds_both_sides_and_its_sum_is_that_of_the_file() {
    let directory = fresh("plain");
    let mut room = Room::new(config(&directory));
    let at = Mono(room.now().0 - 2_100_000); // it is 2 s long by the clock
    for n in 0..100 {
        room.say(1, Side::Caller, n, at, 1000);
        if n >= 50 {
            room.say(1, Side::Desk, n, at, -2000);
        }
    }
    // The writer sleeps until it is told to begin, and finds all of it.
    let id = room.begin(1, at);
    let Notice::Began { id: began, file } = room.notice() else { panic!("not begun") };
    assert_eq!(began, id);
    room.recorder.send(Command::End { tap: TapId(1), at: Mono(at.0 + 2_000_000) });
    let kept = room.kept(id);
    assert_eq!((kept.file.as_str(), kept.length_ms, kept.dropped, kept.late), (&*file, 2000, 0, 0));
    let path = room.recorder.path(&kept.file).expect("ours");
    let bytes = fs::read(&path).expect("is there");
    assert_eq!(bytes.len() as u64, kept.bytes);
    let hex = |text: String, byte: &u8| text + &format!("{byte:02x}");
    assert_eq!(Sha256::digest(&bytes).iter().fold(String::new(), hex), kept.sha256);
    let (left, right) = sound(&bytes);
    assert!(left.iter().all(|sample| (900..1100).contains(sample)));
    assert!(right[..8_000].iter().all(|sample| *sample == 0));
    assert!(right[8_000..].iter().all(|sample| (-2100..-1900).contains(sample)));
    let mode = |path: &Path| fs::metadata(path).expect("is there").permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().expect("a day")), 0o700);
    assert_eq!(room.recorder.state().kept, 1);
    for bad in ["../x/y.wav", "2026-11-26/../../etc/passwd", &format!("{}.part", kept.file)] {
        assert_eq!(room.recorder.path(bad), None, "{bad}");
    }
}

#[test]
fn what_grows_when_the_desk_ends_is_ended_and_what_a_dead_run_left_is_mended() {
    let key = vault::SiteKey::parse(&"4".repeat(64)).expect("a key");
    for key in [None, Some(key)] {
        let directory = fresh(if key.is_some() { "mend-sealed" } else { "mend" });
        let config = RecorderConfig { key: key.clone(), ..config(&directory) };
        let mut room = Room::new(config.clone());
        let at = room.now();
        let id = room.begin(1, at);
        assert!(matches!(room.notice(), Notice::Began { .. }));
        for n in 0..300 {
            room.say(1, Side::Caller, n, at, 1000);
        }
        // Until some of it has been written.
        let name = |ending: &str| {
            let days = fs::read_dir(&directory).expect("is there").flatten();
            let files = days.flat_map(|day| fs::read_dir(day.path()).expect("a day").flatten());
            files.map(|file| file.path()).find(|file| file.to_string_lossy().ends_with(ending))
        };
        let end = Instant::now() + LONG;
        let dead = loop {
            let part = name(name::PART).expect("it grows");
            let bytes = fs::read(&part).expect("is there");
            if bytes.len() > 48_000 {
                break bytes;
            }
            assert!(Instant::now() < end);
            std::thread::park_timeout(Duration::from_millis(20));
        };
        if key.is_none() {
            let (left, _) = sound(&dead);
            assert!(left.len() > 10_000, "can be played as it is");
        }
        let notices = {
            let Room { recorder, notices, .. } = room;
            drop(recorder);
            notices
        };
        let Ok(Notice::Kept { kept, .. }) = notices.recv_timeout(LONG) else { panic!("not kept") };
        assert!(kept.length_ms > 3_000);
        // As a kill -9 would have left it, a little more torn.
        let whole = directory.join(&kept.file);
        fs::remove_file(&whole).expect("was there");
        let part = format!("{}{}", whole.display(), name::PART);
        fs::write(&part, &dead[..dead.len() - 3]).expect("written");

        let room = Room::new(config);
        let mended = room.kept(id);
        assert_eq!(mended.file, kept.file);
        assert!(!Path::new(&part).exists());
        let bytes = fs::read(&whole).expect("is there");
        let plain = match &key {
            None => bytes,
            Some(key) => {
                let mut opening = Opening::begin(key, &bytes).expect("ours");
                let pieces: Vec<&[u8]> =
                    bytes[vault::HEADER_BYTES..].chunks(vault::SEALED_BYTES).collect();
                let mut plain = Vec::new();
                for (n, piece) in pieces.iter().enumerate() {
                    let mut piece = piece.to_vec();
                    let opened = opening.open(&mut piece, n + 1 == pieces.len());
                    plain.extend_from_slice(opened.expect("whole"));
                }
                let mended = wav::mended(&plain, plain.len() as u64).expect("ours");
                plain[..44].copy_from_slice(&mended.header);
                plain
            }
        };
        let (left, _) = sound(&plain);
        assert_eq!(mended.length_ms, left.len() as u64 / 8);
        assert!(left.len() > 8_000 && left[1_000..8_000].iter().all(|sample| *sample > 900));
    }
}

#[test]
fn a_full_disk_records_nothing_says_so_and_comes_back() {
    let directory = fresh("full");
    let room = Room::new(RecorderConfig { least_free_bytes: u64::MAX, ..config(&directory) });
    let id = room.begin(1, room.now());
    assert_eq!(room.notice(), Notice::Failed { id, why: Trouble::DiskFull });
    assert_eq!(room.recorder.state().trouble, Some(Trouble::DiskFull));
    drop(room);

    // A directory that takes nothing: its day is a file.
    let room = Room::new(config(&directory));
    let day = name::path(call_at(0), 1, Wall(now_ms()), chrono_tz::Asia::Tokyo, Format::Wav, false);
    let day = directory.join(day.split_once('/').expect("a day").0);
    fs::write(&day, "in the way").expect("written");
    let id = room.begin(1, room.now());
    assert_eq!(room.notice(), Notice::Failed { id, why: Trouble::Disk });
    fs::remove_file(&day).expect("was there");
    let end = Instant::now() + LONG;
    while room.recorder.state().trouble.is_some() {
        assert!(Instant::now() < end, "the disk is well again");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    room.begin(2, room.now());
    assert!(matches!(room.notice(), Notice::Began { .. }));
}

#[test]
fn one_more_than_may_be_is_not_recorded() {
    let directory = fresh("most");
    let room = Room::new(config(&directory));
    for number in 1..=3 {
        room.begin(number, room.now());
        assert!(matches!(room.notice(), Notice::Began { .. }));
    }
    let id = room.begin(4, room.now());
    assert_eq!(room.notice(), Notice::Failed { id, why: Trouble::TooMany });
    assert_eq!(room.recorder.state().trouble, None, "the disk is well");
}

#[test]
fn what_is_too_old_is_deleted_unless_it_is_held() {
    let directory = fresh("old");
    let day = 86_400_000;
    let file = |ago: i64, hold: Option<&str>| {
        let (call, wall) = (call_at(now_ms() - ago * day), Wall(now_ms() - ago * day));
        let name = name::path(call, 1, wall, chrono_tz::Asia::Tokyo, Format::Wav, false);
        let path = directory.join(&name);
        fs::create_dir_all(path.parent().expect("a day")).expect("made");
        fs::write(&path, "sound").expect("written");
        if let Some(hold) = hold {
            fs::write(format!("{}{hold}", path.display()), "").expect("written");
        }
        (name, path)
    };
    let (old, held, new) = (file(91, None), file(92, Some(".hold")), file(89, None));
    let held_early = file(93, Some(".part.hold"));
    let strange = directory.join("letters");
    fs::create_dir_all(&strange).expect("made");
    fs::write(strange.join("a.wav"), "not ours").expect("written");
    let room = Room::new(RecorderConfig { keep_days: Some(90), ..config(&directory) });
    let Notice::Deleted { file, .. } = room.notice() else { panic!("nothing deleted") };
    assert_eq!(file, old.0);
    drop(room.recorder);
    assert!(!old.1.exists() && held.1.exists() && held_early.1.exists() && new.1.exists());
    assert!(strange.join("a.wav").exists());
    assert!(room.notices.try_recv().is_err());
    assert!(room.directory.exists());
}

#[test]
fn what_is_held_stays_when_somebody_deletes_the_message() {
    let directory = fresh("held");
    let zone = chrono_tz::Asia::Tokyo;
    let call = call_at(now_ms());
    let file = |number| {
        let name = name::path(call, number, Wall(now_ms()), zone, Format::Wav, false);
        let path = directory.join(&name);
        fs::create_dir_all(path.parent().expect("a day")).expect("made");
        fs::write(&path, "sound").expect("written");
        (RecordingId { call, number }, name, path)
    };
    let (held, free) = (file(1), file(2));
    let hold = format!("{}.hold", held.2.display());
    fs::write(&hold, "").expect("written");
    let room = Room::new(config(&directory));
    for (id, ..) in [&held, &free] {
        room.recorder.send(Command::Erase { id: *id });
    }
    assert_eq!(room.notice(), Notice::Deleted { id: free.0, file: free.1 });
    assert!(held.2.exists() && !free.2.exists());
    fs::remove_file(hold).expect("let go");
    room.recorder.send(Command::Erase { id: held.0 });
    assert_eq!(room.notice(), Notice::Deleted { id: held.0, file: held.1 });
}

#[test]
fn a_message_deleted_while_its_file_is_ended_is_gone() {
    let directory = fresh("ended");
    // Long enough that its sum takes a while.
    let id = RecordingId { call: call_at(now_ms()), number: 1 };
    let zone = chrono_tz::Asia::Tokyo;
    let file = name::path(id.call, id.number, Wall(now_ms()), zone, Format::Wav, false);
    let path = directory.join(&file);
    fs::create_dir_all(path.parent().expect("a day")).expect("made");
    let part = format!("{}.part", path.display());
    fs::write(&part, wav::header(Band::Narrow, Taped::Both, 0)).expect("written");
    fs::File::options()
        .write(true)
        .open(&part)
        .and_then(|part| part.set_len(1 << 29))
        .expect("long");
    let room = Room::new(config(&directory));
    std::thread::park_timeout(Duration::from_millis(50));
    room.recorder.send(Command::Erase { id });
    assert_eq!(room.notice(), Notice::Deleted { id, file });
    assert!(!path.exists() && !Path::new(&part).exists());
    let Room { recorder, notices, .. } = room;
    assert_eq!((recorder.state().kept, recorder.state().deleted), (0, 1));
    drop(recorder);
    assert!(notices.try_recv().is_err(), "and nothing more is told of it");
}

#[test]
fn opus_is_written_ended_and_mended_too() {
    use crate::recording::opus::{length_ms, whole_pages};
    let key = vault::SiteKey::parse(&"4".repeat(64)).expect("a key");
    for key in [None, Some(key)] {
        let directory = fresh(if key.is_some() { "opus-sealed" } else { "opus" });
        let format = Format::Opus;
        let config = RecorderConfig { key: key.clone(), format, ..config(&directory) };
        let mut room = Room::new(config.clone());
        let at = Mono(room.now().0 - 40_000_000);
        for n in 0..1_900 {
            room.say(1, Side::Caller, n, at, if n % 2 == 0 { 3000 } else { -3000 });
        }
        let id = room.begin(1, at);
        assert!(matches!(room.notice(), Notice::Began { .. }));
        room.recorder.send(Command::End { tap: TapId(1), at: room.now() });
        let kept = room.kept(id);
        assert!(kept.length_ms >= 40_000, "{kept:?}");
        let whole = |room: &Room| {
            let pieces: Result<Vec<_>, _> = room.recorder.open(&kept.file).expect("ours").collect();
            pieces.expect("whole").concat()
        };
        let bytes = whole(&room);
        let (end, granule) = whole_pages(&bytes);
        assert_eq!(
            (end, length_ms(&bytes, granule.expect("pages"))),
            (bytes.len(), Some(kept.length_ms))
        );
        drop(room);
        // As a kill -9 would have left it.
        let path = directory.join(&kept.file);
        let torn = fs::read(&path).expect("is there");
        fs::remove_file(&path).expect("was there");
        fs::write(format!("{}.part", path.display()), &torn[..torn.len() - 9_000])
            .expect("written");
        let room = Room::new(config);
        let mended = room.kept(id);
        assert_eq!(mended.file, kept.file);
        assert!((25_000..kept.length_ms).contains(&mended.length_ms), "{mended:?}");
        let bytes = whole(&room);
        let (_, granule) = whole_pages(&bytes);
        assert_eq!(length_ms(&bytes, granule.expect("pages")), Some(mended.length_ms));
    }
}

#[test]
fn a_part_is_what_stands_there_in_the_whole_sealed_or_not() {
    let directory = fresh("part");
    fs::create_dir_all(&directory).expect("a directory");
    let key = SiteKey::parse(&"5".repeat(64)).expect("64 digits");
    let piece = vault::PIECE_BYTES as u64;
    // A WAV header that claims the greatest length is mended on the way, also in a part.
    for length in [0, 44, piece - 1, piece, 3 * piece, 3 * piece + 1_001] {
        let mut plain: Vec<u8> =
            (0_u8..251).cycle().take(usize::try_from(length).unwrap()).collect();
        if let Some(place) = plain.get_mut(..44) {
            place.copy_from_slice(&wav::header(Band::Narrow, Taped::Both, u64::from(u32::MAX)));
        }
        let mut sealed = Vec::new();
        let mut sealing = vault::Sealing::begin(&key, [3; 32], &mut sealed).expect("a key");
        sealing.write(&plain, &mut sealed);
        sealing.finish(&mut sealed);
        for (name, bytes) in [("plain.wav", &plain), ("secret.wav.sealed", &sealed)] {
            let path = directory.join(name);
            fs::write(&path, bytes).expect("written");
            let open = || Reading::open(&path, Some(&key)).expect("ours");
            let read =
                |pieces: Reading| pieces.collect::<Result<Vec<_>, _>>().expect("whole").concat();
            let whole = read(open());
            assert_eq!(whole.len() as u64, length, "{name}");
            let cuts = [0, 1, 43, 44, piece - 1, piece, piece + 1, 2 * piece, 3 * piece, length];
            for from in cuts {
                for bytes in [1, 2, 45, piece, piece + 2, length] {
                    let part = open().only(from, bytes);
                    let there = bytes > 0 && from + bytes <= length;
                    assert_eq!(part.is_ok(), there, "{name} {from} {bytes} of {length}");
                    if let Ok(part) = part {
                        let at = usize::try_from(from).unwrap();
                        let to = usize::try_from(from + bytes).unwrap();
                        assert!(read(part) == whole[at..to], "{name} {from} {bytes} of {length}");
                    }
                }
            }
        }
    }
    // A piece that somebody changed is found out by who reads it, and by nobody else.
    let path = directory.join("secret.wav.sealed");
    let mut forged = fs::read(&path).expect("is there");
    forged[vault::HEADER_BYTES + 2 * vault::SEALED_BYTES + 9] ^= 1;
    fs::write(&path, forged).expect("written");
    let open = || Reading::open(&path, Some(&key)).expect("ours");
    assert!(open().only(piece, piece).expect("there").all(|piece| piece.is_ok()));
    assert!(open().only(2 * piece, 1).expect("there").any(|piece| piece.is_err()));
    let _ = fs::remove_dir_all(directory);
}
