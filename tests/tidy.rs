//! The house's order, held against the source: which room may import which, and what the pure rooms
//! must not touch. docs/ARCHITECTURE.md explains the reasons.

use std::fs;
use std::path::{Path, PathBuf};

/// Room → rooms it may import (`crate::<room>`), beside itself.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("sdp", &["base", "srtp", "ice", "dtls"]),
    ("rtp", &["base", "sdp"]),
    ("srtp", &["base"]),
    ("recording", &["base", "sdp", "rtp"]),
    ("ice", &["base"]),
    ("dtls", &["base", "srtp"]),
    ("sip", &["base", "sdp"]),
    ("trace", &["base", "sip"]),
    ("dialplan", &["base"]),
    ("event", &["base"]),
    ("doctor", &["dialplan"]),
    ("people", &["base"]),
    ("pbx", &["base", "dialplan", "event"]),
    ("view", &["base", "event"]),
    ("engine", &["base", "sdp", "dtls", "rtp", "sip", "dialplan", "event", "pbx", "recording"]),
    ("simulate", &["base", "sdp", "rtp", "sip", "dialplan", "event", "pbx", "view", "engine"]),
    ("rehearse", &["base", "dialplan", "event", "pbx", "view"]),
    ("forecast", &["base", "dialplan", "event", "pbx", "view"]),
    ("tickets", &["base", "dialplan", "view"]),
    ("report", &["base", "event", "tickets", "view"]),
    ("notice", &["base", "event", "view"]),
    ("feed", &["base", "event", "view"]),
    (
        "config",
        &[
            "base",
            "sdp",
            "rtp",
            "sip",
            "trace",
            "dialplan",
            "event",
            "feed",
            "people",
            "tickets",
            "view",
            "recording",
        ],
    ),
    ("io/deliver", &["base", "event", "feed"]),
    ("io/dns", &["base", "sip"]),
    ("io/net", &["base", "sip"]),
    ("io/media", &["base", "sdp", "rtp", "srtp", "ice", "dtls", "recording"]),
    ("io/recording", &["base", "sdp", "rtp", "recording"]),
    ("io/store", &["base", "event", "sip"]),
    ("io/http", &["base", "dialplan", "event", "pbx", "people", "recording", "trace", "view"]),
    ("io/trace", &["base", "sip", "trace"]),
    ("io/telemetry", &["base", "event", "pbx", "view"]),
    ("demo", &["base", "sdp", "rtp", "sip"]),
    (
        "cli",
        &[
            "base",
            "sdp",
            "rtp",
            "sip",
            "dialplan",
            "event",
            "view",
            "rehearse",
            "forecast",
            "tickets",
            "report",
            "notice",
            "feed",
            "people",
            "doctor",
            "config",
            "io/deliver",
            "io/media",
            "io/recording",
            "io/store",
            "io/telemetry",
        ],
    ),
    // The daemon joins everything.
    (
        "daemon",
        &[
            "base",
            "dtls",
            "sdp",
            "rtp",
            "sip",
            "trace",
            "dialplan",
            "event",
            "pbx",
            "recording",
            "view",
            "engine",
            "rehearse",
            "forecast",
            "notice",
            "feed",
            "tickets",
            "people",
            "config",
            "io",
            "io/deliver",
            "io/dns",
            "io/net",
            "io/media",
            "io/recording",
            "io/store",
            "io/http",
            "io/telemetry",
            "io/trace",
            "demo",
            "cli",
        ],
    ),
];

/// Rooms where the same inputs must give the same outputs.
const PURE: &[&str] = &[
    "base",
    "sdp",
    "rtp",
    "srtp",
    "ice",
    "dtls",
    "sip",
    "trace",
    "dialplan",
    "event",
    "pbx",
    "recording",
    "view",
    "engine",
    "rehearse",
    "simulate",
    "tickets",
    "report",
    "feed",
    "notice",
    "people",
    "doctor",
];

/// What a pure room must not name, and why.
const BANNED_IN_PURE: &[(&str, &str)] = &[
    ("Instant::now", "time is handed in"),
    ("SystemTime", "time is handed in"),
    ("Utc::now", "time is handed in"),
    ("Local::now", "time is handed in"),
    ("std::thread", "pure rooms own no thread"),
    ("thread::spawn", "pure rooms own no thread"),
    ("tokio::", "pure rooms do not wait"),
    ("async fn", "pure rooms do not wait"),
    (".await", "pure rooms do not wait"),
    ("UdpSocket", "pure rooms own no socket"),
    ("TcpStream", "pure rooms own no socket"),
    ("TcpListener", "pure rooms own no socket"),
    ("std::fs", "pure rooms read no file"),
    ("Mutex", "pure rooms hold no lock"),
    ("RwLock", "pure rooms hold no lock"),
    ("AtomicU64", "pure rooms hold no global"),
    ("getrandom", "randomness is a seeded Rng"),
    ("HashMap", "its order is random; use BTreeMap, or sip's table that cannot be iterated"),
    ("HashSet", "its order is random; use BTreeSet"),
    ("println!", "the log is one more fold"),
];

/// Rooms that read what strangers send: their `mod.rs` denies what could panic on it.
const WIRE: &[&str] = &[
    "dtls",
    "feed",
    "ice",
    "io/deliver",
    "io/dns",
    "io/http",
    "io/media",
    "io/net",
    "io/recording",
    "io/trace",
    "people",
    "recording",
    "rtp",
    "sdp",
    "sip",
    "srtp",
    "tickets",
    "trace",
];

/// What they deny.
const PANICS: &[&str] = &[
    "clippy::unwrap_used",
    "clippy::expect_used",
    "clippy::indexing_slicing",
    "clippy::arithmetic_side_effects",
];

/// Where a room or a function is let off, each with its reason.
const LET_OFF: &[(&str, &str)] = &[
    // Sums of times and places in a recording, in u64: no peer writes them.
    ("recording/mod.rs", "clippy::arithmetic_side_effects"),
    // Sums of our own clock and our own waits.
    ("feed/mod.rs", "clippy::arithmetic_side_effects"),
    // What a file of bounded size holds is counted, in u64.
    ("tickets/mod.rs", "clippy::arithmetic_side_effects"),
    // Of values that are ours, and of a key of any length.
    ("people/password.rs", "clippy::expect_used"),
    ("people/session.rs", "clippy::expect_used"),
    // A place found in the line above.
    ("recording/timeline.rs", "clippy::indexing_slicing"),
    // The days of a calendar, far from the ends of i64.
    ("sip/endpoint/register.rs", "clippy::arithmetic_side_effects"),
    // Tables of 256 and 65,536, asked by a u8 and a u16 while they are made.
    ("rtp/g711.rs", "clippy::indexing_slicing"),
    ("rtp/g711.rs", "clippy::arithmetic_side_effects"),
];

fn let_off(file: &str, lint: &str) -> bool {
    LET_OFF.contains(&(file, lint))
}

fn sources(dir: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            into.push(path);
        }
    }
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn all() -> Vec<(String, String)> {
    let mut files = Vec::new();
    sources(&src(), &mut files);
    files.sort();
    assert!(files.len() > 20, "the source was found");
    files
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(src()).unwrap().to_string_lossy().replace('\\', "/");
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect()
}

/// `io/net/tcp.rs` is in `io/net`, `pbx/call.rs` in `pbx`, `main.rs` and `lib.rs` in none.
fn room_of(file: &str) -> Option<String> {
    let mut parts = file.split('/');
    let first = parts.next()?;
    let second = parts.next()?;
    if first == "io" {
        parts.next().map(|_| format!("io/{second}"))
    } else {
        Some(first.to_owned())
    }
}

/// The code of a file: comments removed, and the test module at its end left out where asked.
fn code(text: &str, with_tests: bool) -> String {
    let text = if with_tests { text } else { before_tests(text) };
    let uncommented = text.lines().map(|line| match line.find("//") {
        // A URL inside a string is not a comment; a line that starts one is.
        Some(at) if !line[..at].contains('"') => &line[..at],
        _ => line,
    });
    uncommented.collect::<Vec<_>>().join("\n")
}

/// What stands before the test module. A single item for tests only ends nothing.
fn before_tests(text: &str) -> &str {
    let begins_module = |(at, mark): &(usize, &str)| {
        let mut lines = text[at + mark.len()..].lines().map(str::trim);
        lines
            .find(|line| !line.is_empty() && !line.starts_with("#["))
            .is_some_and(|line| line.starts_with("mod "))
    };
    let end = text.match_indices("#[cfg(test)]").find(begins_module);
    end.map_or(text, |(at, _)| &text[..at])
}

/// Rooms named by `crate::…` paths in the code, also inside `use crate::{a::…, b::…}`.
fn imports(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue; // rsip_crate::, my_crate::
        }
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 1;
            let mut word = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
                if depth == 1 && (c == ',' || c == ':' || c == '}') {
                    found.push(std::mem::take(&mut word).trim().to_owned());
                } else if depth == 1 && !c.is_whitespace() {
                    word.push(c);
                }
            }
            found.push(word);
        } else {
            let path: Vec<&str> = rest
                .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
                .next()
                .unwrap_or("")
                .split("::")
                .collect();
            match path.as_slice() {
                ["io", part, ..] if !part.is_empty() => found.push(format!("io/{part}")),
                [room, ..] => found.push((*room).to_owned()),
                [] => {}
            }
        }
    }
    found.retain(|room| !room.is_empty());
    found
}

#[test]
fn every_room_imports_only_what_it_may() {
    let rooms: Vec<&str> = MAY_IMPORT.iter().map(|(room, _)| *room).collect();
    let mut wrong = Vec::new();
    for (file, text) in all() {
        let Some(room) = room_of(&file) else { continue };
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == room) else {
            wrong.push(format!("{file}: room {room} is not in the table of this test"));
            continue;
        };
        for import in imports(&code(&text, true)) {
            let known = rooms.contains(&import.as_str()) || import == "io";
            if known && import != room && !allowed.contains(&import.as_str()) {
                wrong.push(format!("{file}: {room} must not import {import}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn pure_rooms_touch_nothing_of_the_world() {
    let mut wrong = Vec::new();
    for (file, text) in all() {
        let Some(room) = room_of(&file) else { continue };
        if !PURE.contains(&room.as_str()) {
            continue;
        }
        if is_test_only(&file) {
            continue;
        }
        let code = code(&text, false);
        for (banned, why) in BANNED_IN_PURE {
            if code.contains(banned) && !excepted(&file, banned) {
                wrong.push(format!("{file}: names {banned}: {why}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Files that are compiled for tests alone: they may read their ladders from disk and measure.
fn is_test_only(file: &str) -> bool {
    file.ends_with("/tests.rs") || file.contains("/tests/")
}

/// Each exception with its reason.
fn excepted(file: &str, banned: &str) -> bool {
    // The one table with a fixed hasher, which offers no iteration.
    file == "sip/table.rs" && banned == "HashMap"
}

#[test]
fn rsip_is_named_in_the_sip_room_only() {
    for (file, text) in all() {
        let names_it = code(&text, true).contains("rsip::");
        assert!(!names_it || file.starts_with("sip/"), "{file} names rsip");
    }
}

/// scripts/fuzz builds the rooms that it tries in a package of its own, which nothing else builds.
#[test]
fn the_fuzzers_package_has_what_its_rooms_need_in_the_daemons_versions() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| fs::read_to_string(root.join(file)).unwrap();
    let dependencies = |file: &str| -> toml::Table {
        let manifest: toml::Table = read(file).parse().unwrap();
        manifest["dependencies"].as_table().unwrap().clone()
    };
    let (daemon, fuzzer) = (dependencies("Cargo.toml"), dependencies("fuzz/Cargo.toml"));
    let library = read("fuzz/src/lib.rs");
    let rooms: Vec<&str> = library
        .lines()
        .filter_map(|line| line.strip_prefix("#[path = \"../../src/")?.strip_suffix("/mod.rs\"]"))
        .collect();
    assert!(rooms.len() >= 7, "{rooms:?}");
    let tried = |file: &str| room_of(file).is_some_and(|room| rooms.contains(&room.as_str()));
    for (file, text) in all().iter().filter(|(file, _)| tried(file) && !is_test_only(file)) {
        let code = code(text, false);
        for (name, version) in &daemon {
            let named = format!("{}::", name.replace('-', "_"));
            let begins = |(at, _): (usize, &str)| {
                let before = code[..at].chars().next_back();
                before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':')
            };
            if code.match_indices(&named).any(begins) {
                assert_eq!(fuzzer.get(name), Some(version), "{file} needs {name}: fuzz/Cargo.toml");
            }
        }
    }
}

#[test]
fn every_file_says_what_it_owns() {
    for (file, text) in all() {
        assert!(text.starts_with("//!"), "{file} does not open with what it owns");
    }
}

#[test]
fn nothing_is_left_for_later_without_saying_so() {
    for (file, text) in all() {
        for word in ["todo!(", "unimplemented!(", "FIXME", "XXX", "dbg!("] {
            assert!(!text.contains(word), "{file} holds {word}");
        }
    }
}

/// The arguments of each `name(…)` in the code, such as the lints of `deny(…)`.
fn calls_of<'a>(code: &'a str, name: &str) -> Vec<&'a str> {
    let call = format!("{name}(");
    let places = code.match_indices(&call).map(|(at, _)| &code[at + call.len()..]);
    places.map(|rest| rest.split(')').next().unwrap_or_default()).collect()
}

#[test]
fn what_strangers_reach_cannot_panic_and_nothing_is_unsafe() {
    let mut wrong = Vec::new();
    let files = all();
    for room in WIRE {
        let file = format!("{room}/mod.rs");
        let (_, text) = files.iter().find(|(name, _)| *name == file).expect("a room of the table");
        let code = code(text, true);
        let denied = calls_of(&code, "deny").join(",");
        for lint in PANICS {
            if !denied.contains(lint) && !let_off(&file, lint) {
                wrong.push(format!("{file} does not deny {lint}"));
            }
        }
    }
    for (file, text) in &files {
        let in_wire = room_of(file).is_some_and(|room| WIRE.contains(&room.as_str()));
        let code = code(text, false);
        let lets = [calls_of(&code, "allow"), calls_of(&code, "expect")].concat();
        for lint in PANICS.iter().filter(|lint| lets.iter().any(|lints| lints.contains(*lint))) {
            if in_wire && !let_off(file, lint) {
                wrong.push(format!("{file} lets {lint} pass, and is not in the list of this test"));
            }
        }
    }
    // `forbid` cannot be taken back by any file, test or bench of the package.
    let manifest =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let section = |name: &str| {
        let (_, rest) = manifest.split_once(&format!("\n[{name}]\n")).expect("a section");
        rest.split("\n[").next().unwrap_or_default().to_owned()
    };
    for (place, due) in [
        ("lints.rust", "unsafe_code = \"forbid\""),
        ("profile.release", "overflow-checks = true"),
        ("profile.release", "panic = \"unwind\""),
    ] {
        if !section(place).lines().any(|line| line == due) {
            wrong.push(format!("Cargo.toml: [{place}] has no {due}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_yes_to_an_rfc_names_a_test_that_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&src(), &mut files);
    sources(&root.join("tests"), &mut files);
    let code: Vec<String> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let is_there = |name: &str| code.iter().any(|text| text.contains(&format!("fn {name}(")));
    let table = fs::read_to_string(root.join("docs/RFC.md")).unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| RFC"))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    assert!(rows.len() > 20, "the table was found");
    let mut wrong = Vec::new();
    for row in rows {
        // "", RFC, section, what, yes/partly/no, where, shown by, ""
        let [_, rfc, section, _, answer, _, shown_by, _] = row.as_slice() else {
            wrong.push(format!("not six columns: {row:?}"));
            continue;
        };
        let names: Vec<&str> = shown_by.split('`').skip(1).step_by(2).collect();
        if !["yes", "partly", "no"].contains(answer) {
            wrong.push(format!("RFC {rfc} {section}: {answer:?} is no answer"));
        }
        if *answer == "yes" && names.is_empty() {
            wrong.push(format!("RFC {rfc} {section}: yes, and no test shows it"));
        }
        for name in names.into_iter().filter(|name| !is_there(name)) {
            wrong.push(format!("RFC {rfc} {section}: there is no test {name}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_tests_of_this_test_find_what_they_look_for() {
    assert_eq!(
        imports("use crate::{pbx::Desk, io::net};"),
        ["pbx", "Desk", "io", "net"].map(str::to_owned).to_vec()
    );
    assert_eq!(imports("crate::io::net::Flow"), ["io/net".to_owned()]);
    assert_eq!(room_of("io/net/tcp.rs").as_deref(), Some("io/net"));
    assert_eq!(room_of("io/mod.rs"), None);
    assert!(!code("let a = 1; // SystemTime", true).contains("SystemTime"));
    let text = "#[cfg(test)]\nfn aid() {}\nSystemTime\n#[cfg(test)]\nmod tests {\nInstant\n}";
    let code = code(text, false);
    assert!(code.contains("SystemTime") && !code.contains("Instant"), "{code}");
}
