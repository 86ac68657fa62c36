//! The daemon is killed while it records, and the disk of its recordings is filled: what was recorded can
//! be played, and calls know nothing of it.

use crate::disk::own_disk;
use crate::support::desk::{Desk, Setup, binary};
use crate::support::ear::Ear;
use crate::support::sound::{Law, Sound};
use crate::support::{eventually, http, poll, rest, s};
use serde_json::Value;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

const RECORDING: &str = "[recording]\ndirectory = \"store/recordings\"\nleast_free_mib = 0\n";

/// The files of recordings with this ending.
fn files(directory: &Path, ending: &str) -> Vec<PathBuf> {
    let days = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let files = days.flat_map(|day| std::fs::read_dir(day.path()).into_iter().flatten().flatten());
    files.map(|file| file.path()).filter(|path| path.to_string_lossy().ends_with(ending)).collect()
}

/// The caller's side of a file, read by Python's own library.
fn left(path: &Path) -> Sound {
    let script = "import sys,wave\nw=wave.open(sys.argv[1])\n\
                  assert (w.getnchannels(),w.getsampwidth(),w.getframerate())==(2,2,8000)\n\
                  sys.stdout.buffer.write(w.readframes(w.getnframes()))";
    let out = Command::new("python3").args(["-c", script]).arg(path).output().expect("python3");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    Sound(out.stdout.chunks_exact(4).map(|b| i16::from_le_bytes([b[0], b[1]])).collect())
}

/// A caller who talks with the agent at 201, and is heard.
struct Talk {
    ear: Ear,
    _callee: Ear,
    caller: crate::support::sipp::Sipp,
    _agent: crate::support::sipp::Sipp,
}

fn talk(desk: &Desk, voice: &Sound, from: &str, stay: u64) -> Talk {
    let (ear, callee) = (Ear::new(desk.ports.port()), Ear::new(desk.ports.port()));
    let agent =
        desk.agent("agent", 201).set("RING", 50).set("TALK", 60_000).set("MEDIA", callee.port());
    let agent = agent.within(s(60)).start();
    rest(300);
    let caller =
        desk.caller("0312340010").set("FROM", from).set("STAY", stay).set("MEDIA", ear.port());
    let caller = caller.within(s(60)).start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    ear.say(voice, Law::Mu, port);
    Talk { ear, _callee: callee, caller, _agent: agent }
}

fn events(desk: &Desk, from: &str, kind: &str) -> Vec<Value> {
    desk.ladder(from).into_iter().filter(|event| event["kind"] == kind).collect()
}

#[test]
fn killed_in_the_middle_of_a_recording_it_can_be_played_and_is_ended_at_the_next_start() {
    let mut desk =
        Desk::with(&Setup { plan: "recorded.toml", more: RECORDING, ..Setup::default() });
    let voice = Sound::voice(301, 60);
    let talk = talk(&desk, &voice, "0311", 60_000);
    let directory = desk.dir().file("store/recordings");
    // By the file's own word: what was written behind it last is not in that yet, and that is more on a busy machine.
    let says = |part: &Path| {
        let bytes = std::fs::read(part).unwrap_or_default();
        let length = bytes.get(40..44).and_then(|length| length.try_into().ok());
        length.map_or(0, u32::from_le_bytes)
    };
    eventually("four seconds lie on the disk", s(20), || {
        files(&directory, ".wav.part").iter().any(|part| says(part) > 128_000)
    });
    desk.kill();
    let part = files(&directory, ".wav.part").pop().expect("a part");
    let played = left(&part);
    assert!(played.ms() >= 3_500, "{} ms", played.ms());
    assert!(
        voice.holds(&played.part(2_500, 900)).is_some(),
        "{:?}",
        voice.find(&played.part(2_500, 900))
    );
    drop(talk);
    desk.again();
    let kept = poll(s(10), || events(&desk, "03111", "kept").pop()).expect("it is ended");
    assert!(files(&directory, ".part").is_empty());
    let whole = directory.join(kept["file"].as_str().unwrap());
    assert_eq!(kept["length_ms"].as_i64(), Some(left(&whole).ms()));
    assert!(kept["length_ms"].as_i64() >= Some(3_500));
    let call = desk.over("03111");
    assert_eq!(call["recordings"][0]["state"], "kept", "{call}");
    assert_eq!(call["cause"]["cause"], "restart");
}

#[test]
fn killed_while_it_records_under_seal_what_was_sealed_can_be_opened() {
    let more = format!("{RECORDING}key_file = \"recording-key\"\nkeep_days = 30\n");
    // The desk's folder is its own, so its key is put there by what starts it.
    const KEY: &str = "umask 077 && printf '%064d' 7 > @DIR@/recording-key && exec \"$@\"";
    let under = ["sh", "-c", KEY, "sh"];
    let mut desk = Desk::with(&Setup {
        plan: "recorded.toml",
        more: &more,
        under: &under,
        ..Setup::default()
    });
    let voice = Sound::voice(302, 60);
    let talk = talk(&desk, &voice, "0312", 60_000);
    let directory = desk.dir().file("store/recordings");
    eventually("five pieces lie on the disk", s(20), || {
        let parts = files(&directory, ".wav.sealed.part");
        parts.iter().any(|part| std::fs::metadata(part).is_ok_and(|about| about.len() > 5 * 16_400))
    });
    desk.kill();
    drop(talk);
    desk.again();
    let kept = poll(s(10), || events(&desk, "03121", "kept").pop()).expect("it is ended");
    let sealed = directory.join(kept["file"].as_str().unwrap());
    let open = |key: &Path, file: &Path| {
        let key = key.display().to_string();
        Command::new(binary()).args(["recording", "--key-file", &key]).arg(file).output().unwrap()
    };
    let key = desk.dir().file("recording-key");
    let opened = open(&key, &sealed);
    assert!(opened.status.success(), "{}", String::from_utf8_lossy(&opened.stderr));
    let plain = desk.dir().file("opened.wav");
    std::fs::write(&plain, &opened.stdout).unwrap();
    let played = left(&plain);
    assert_eq!(kept["length_ms"].as_i64(), Some(played.ms()));
    // The few lines of docs/RECORDING.md read the same.
    let page = include_str!("../../docs/RECORDING.md");
    let lines = page.split("```python\n").nth(1).and_then(|rest| rest.split("```").next());
    let mut python = Command::new("python3");
    let python = python.args(["-c", lines.expect("a script")]).arg(&key).arg(&sealed);
    let out = python.output().expect("python3");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(out.stdout == opened.stdout, "the same sound");
    assert!(played.ms() >= 2_000 && voice.holds(&played.part(1_000, 900)).is_some());
    // Nothing of it lies open, and neither another key nor a cut file is taken for the call.
    let raw = std::fs::read(&sealed).unwrap();
    assert!(raw.starts_with(b"MDGREC01") && !raw.windows(4).any(|four| four == b"RIFF"));
    let wrong = desk.dir().file("wrong-key");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).mode(0o600).open(&wrong).unwrap();
    file.write_all("8".repeat(64).as_bytes()).unwrap();
    assert_eq!(open(&wrong, &sealed).status.code(), Some(1));
    let cut = desk.dir().file("cut.wav.sealed");
    std::fs::write(&cut, &raw[..40 + 3 * 16_400]).unwrap();
    let refused = open(&key, &cut);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("cut off"), "{refused:?}");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(open(&key, &sealed).status.code(), Some(1), "a key that others can read");
    let log = std::fs::read_to_string(desk.dir().file("daemon.log")).unwrap_or_default();
    assert!(!log.contains(&format!("{:064}", 7)), "the key is never told");
}

#[test]
fn on_a_full_disk_of_recordings_calls_go_on_and_recording_comes_back_with_the_room() {
    let under = own_disk();
    let mut desk = Desk::with(&Setup {
        plan: "recorded.toml",
        more: RECORDING,
        // The journal lies on the same small disk.
        store: "least_free_mib = 1\nreserve_mib = 0\n",
        under: &under,
        ..Setup::default()
    });
    let voice = Sound::voice(303, 60);
    let health = |desk: &Desk| http::request(desk.http, "GET", "/healthz", None, "").unwrap();
    assert_eq!(health(&desk).json()["recording"], "ok");
    let first = talk(&desk, &voice, "0321", 12_000);
    eventually("it records", s(8), || desk.metric("madoguchi_recordings_open") == 1.0);
    let pid = desk.process().pid();
    let filler = format!("/proc/{pid}/root{}/store/filler", desk.dir().path().display());
    let mut file = std::fs::File::create(&filler).unwrap();
    for size in [65_536, 512, 1] {
        while file.write_all(&vec![0u8; size]).is_ok() {}
    }
    eventually("the health page says so", s(10), || {
        health(&desk).json()["recording"] == "disk_full"
    });
    eventually("the recording ended", s(5), || desk.metric("madoguchi_recordings_open") == 0.0);
    assert!(desk.metric("madoguchi_recordings_failed_total") >= 1.0);
    // The caller hears the agent's side all the same, to the end.
    assert!(first.caller.done().calls[&1].has("hung_up"), "the call goes on");
    drop(first.ear);
    let second = talk(&desk, &voice, "0322", 4_000);
    assert!(second.caller.done().calls[&1].has("hung_up"));
    drop(file);
    std::fs::remove_file(&filler).unwrap();
    eventually("well again", s(15), || health(&desk).json()["recording"] == "ok");
    let third = talk(&desk, &voice, "0331", 4_500);
    assert!(third.caller.done().calls[&1].has("hung_up"));
    let kept = poll(s(10), || events(&desk, "03311", "kept").pop());
    assert!(kept.is_some(), "{:#?}", desk.ladder("03311"));
    let failed = events(&desk, "03211", "failed");
    assert_eq!(failed.first().map(|event| event["why"].clone()), Some("disk_full".into()));
    assert!(!events(&desk, "03221", "failed").is_empty());
    assert_eq!(desk.outcome("03221"), "answered");
}
