//! Recordings as people listen to them: the page in Debian's Chromium, which plays and moves within one, and
//! curl, which fetches pieces. Sealed or not, as WAV or Opus.

use crate::support::desk::{Desk, Setup};
use crate::support::ear::Ear;
use crate::support::process::Dir;
use crate::support::softphone::By;
use crate::support::sound::{Law, Sound};
use crate::support::tape::{file, kept, kinds};
use crate::support::{eventually, rest, s};
use crate::talk::{Voices, agent};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// A desk with one recording of about eight seconds.
fn desk_with_a_recording(more: &str) -> Desk {
    let more = format!("[recording]\ndirectory = \"recordings\"\nleast_free_mib = 1\n{more}");
    let desk = Desk::with(&Setup { plan: "recorded.toml", more: &more, ..Setup::default() });
    let agent = agent(&desk, &Voices::new(291), &By::default());
    let ear = Ear::new(desk.ports.port());
    let caller = desk.caller("0312340020").set("MEDIA", ear.port()).set("STAY", 40_000).start();
    let port: u16 = caller.wait(1, "answered", s(5)).parse().unwrap();
    ear.say(&Sound::voice(293, 60), Law::Mu, port);
    agent.wait("CALL_ESTABLISHED", s(15));
    rest(8000);
    agent.tell("hangup", "");
    caller.done();
    kept(&desk, "031234561");
    desk
}

fn url(desk: &Desk) -> String {
    let call = desk.over("031234561");
    format!("http://{}/api/v1/calls/{}/recordings/1", desk.http, call["call"].as_str().unwrap())
}

fn token(desk: &Desk) -> String {
    let token = std::fs::read_to_string(desk.dir().file("secrets/http-token")).unwrap();
    token.trim().to_owned()
}

/// curl: the head of the answer in small letters, and its body.
fn curl(desk: &Desk, more: &[&str]) -> (String, Vec<u8>) {
    let (head, body) = (desk.dir().file("head"), desk.dir().file("body"));
    let (_, _) = (std::fs::remove_file(&head), std::fs::remove_file(&body));
    let bearer = format!("Authorization: Bearer {}", token(desk));
    let made = Command::new("curl")
        .args(["-s", "-S", "-H", &bearer, "-D"])
        .arg(&head)
        .arg("-o")
        .arg(&body)
        .args(more)
        .arg(url(desk))
        .output()
        .expect("curl");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let head = std::fs::read_to_string(head).unwrap().to_lowercase();
    (head, std::fs::read(body).unwrap_or_default())
}

#[track_caller]
fn has(head: &str, line: &str) {
    assert!(head.lines().any(|found| found.trim() == line), "no {line:?} in:\n{head}");
}

fn fetched(desk: &Desk) -> usize {
    kinds(desk, "031234561").iter().filter(|kind| *kind == "fetched").count()
}

#[test]
fn a_sealed_recording_is_fetched_in_pieces_that_make_the_whole() {
    let key = format!("{}\n", "5a".repeat(32));
    let dir = Dir::new("recording-key");
    let path = dir.write("key", &key);
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let desk = desk_with_a_recording(&format!("key_file = \"{}\"\n", path.display()));
    assert!(file(&desk, "031234561").to_string_lossy().ends_with(".wav.sealed"));
    let (head, whole) = curl(&desk, &[]);
    assert!(head.starts_with("http/1.1 200"), "{head}");
    has(&head, "accept-ranges: bytes");
    has(&head, "content-type: audio/wav");
    let length = whole.len();
    has(&head, &format!("content-length: {length}"));
    assert!(length > 100_000 && whole.starts_with(b"RIFF"), "{length}");
    // Pieces that begin and end anywhere, across the seals of 16,384 bytes.
    let mut pieces = Vec::new();
    for (first, last) in [(0, 99), (100, 16_383), (16_384, 50_000), (50_001, length - 1)] {
        let (head, piece) = curl(&desk, &["-r", &format!("{first}-{last}")]);
        assert!(head.starts_with("http/1.1 206"), "{head}");
        has(&head, &format!("content-range: bytes {first}-{last}/{length}"));
        has(&head, &format!("content-length: {}", piece.len()));
        pieces.extend(piece);
    }
    assert!(pieces == whole, "the pieces are not the whole");
    let (_, end) = curl(&desk, &["-r", "-1000"]);
    assert!(end == whole[length - 1000..], "the last thousand bytes");
    // What is not there, and who has it already.
    let (head, _) = curl(&desk, &["-r", &format!("{length}-")]);
    assert!(head.starts_with("http/1.1 416"), "{head}");
    has(&head, &format!("content-range: bytes */{length}"));
    let tag = head_of(&curl(&desk, &["-I"]).0, "etag");
    let (head, _) = curl(&desk, &["-H", &format!("If-None-Match: {tag}")]);
    assert!(head.starts_with("http/1.1 304"), "{head}");
    let (head, part) = curl(&desk, &["-H", &format!("If-Range: {tag}"), "-H", "Range: bytes=5-9"]);
    assert!(head.starts_with("http/1.1 206") && part == whole[5..10], "{head}");
    let (head, all) = curl(&desk, &["-H", "If-Range: \"other\"", "-H", "Range: bytes=5-9"]);
    assert!(head.starts_with("http/1.1 200") && all == whole, "{head}");
    // What brought bytes stands in the history, and nothing else.
    eventually("each fetch is told", s(3), || fetched(&desk) == 8);
    rest(300);
    assert_eq!(fetched(&desk), 8);
}

fn head_of(head: &str, name: &str) -> String {
    let line = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("no {name} in:\n{head}")).trim().to_owned()
}

#[test]
fn the_days_recordings_are_listed_and_found_by_number_agent_and_length() {
    let desk = desk_with_a_recording("");
    let list = |query: &str| desk.get(&format!("/api/v1/recordings{query}"));
    let day = list("");
    assert_eq!(day["calls"].as_array().map(Vec::len), Some(1), "{day}");
    assert_eq!(day["calls"][0]["recordings"][0]["state"], "kept", "{day}");
    assert_eq!(day["more_before"], Value::Null, "{day}");
    let today = day["day"].as_str().unwrap();
    let call = day["calls"][0]["call"].as_str().unwrap();
    let table = [
        (format!("?day={today}"), 1),
        ("?day=2020-01-01".to_owned(), 0),
        ("?number=1234561".to_owned(), 1),
        ("?number=0312340020".to_owned(), 1),
        ("?number=999999".to_owned(), 0),
        ("?agent=6001".to_owned(), 1),
        ("?agent=6002".to_owned(), 0),
        ("?shortest_s=3".to_owned(), 1),
        ("?shortest_s=600".to_owned(), 0),
        (format!("?before={call}"), 0),
    ];
    for (query, due) in table {
        assert_eq!(list(&query)["calls"].as_array().map(Vec::len), Some(due), "{query}");
    }
    for bad in ["?day=today", "?shortest_s=-1", "?before=x", "?colour=red"] {
        assert_eq!(desk.api("GET", &format!("/api/v1/recordings{bad}"), "").status, 400, "{bad}");
    }
}

/// A person at the page; what it saw.
fn look(desk: &Desk) -> Value {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/jssip");
    let (profile, picture) = (desk.dir().file("look"), desk.dir().file("recordings.png"));
    let looked = Command::new("node")
        .arg("look.mjs")
        .args([format!("http://{}", desk.http), token(desk)])
        .args([&profile, &picture])
        .current_dir(&here)
        .output()
        .expect("node");
    let told = String::from_utf8_lossy(&looked.stdout).into_owned();
    let why = String::from_utf8_lossy(&looked.stderr);
    assert!(looked.status.success(), "{told}{why}");
    assert!(std::fs::read(&picture).unwrap().starts_with(b"\x89PNG"));
    if let Ok(keep) = std::env::var("KEEP_PICTURE") {
        std::fs::copy(&picture, keep).unwrap();
    }
    serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}{why}"))
}

#[test]
fn a_browser_plays_a_recording_and_moves_within_it() {
    for format in ["wav", "opus"] {
        let desk = desk_with_a_recording(&format!("format = \"{format}\"\n"));
        let long = desk.over("031234561")["recordings"][0]["length_ms"].as_f64().unwrap() / 1000.0;
        let seen = look(&desk);
        let rows = seen["rows"].as_str().unwrap();
        assert!(rows.contains("031234561") && rows.contains("0312340020"), "{rows}");
        assert!(seen["title"].as_str().unwrap().contains("録音"), "{seen}");
        assert_eq!(seen["english"], "1 recording", "{seen}");
        let of = |name: &str| seen["played"][name].as_f64().unwrap_or_else(|| panic!("{seen}"));
        assert!((of("duration") - long).abs() < 0.2, "{long}: {seen}");
        assert!(of("ran") > 0.2 && of("on") > 0.2, "it does not play: {seen}");
        assert!((of("at") - of("to")).abs() < 0.1, "it does not move: {seen}");
        assert!((of("seekable") - of("duration")).abs() < 0.2, "{seen}");
        eventually("who listened stands in the history", s(3), || fetched(&desk) >= 1);
    }
}
