//! The fuzz targets on the stable compiler: each seed, and for a few seconds each seed damaged. The
//! search proper, led by coverage, is scripts/fuzz.
#![allow(clippy::pedantic)]

use madoguchi::{base, dtls, ice, rtp, sdp, sip, srtp};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[path = "../fuzz/targets/mod.rs"]
mod targets;

/// For each target; the machine's speed decides how many bytes are tried in it.
const TIME: Duration = Duration::from_millis(1500);

fn files(folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.path().is_file())
        .map(|entry| (entry.path(), std::fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

/// The seeds of a target; the torture messages are seeds of everything that reads messages.
fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let mut seeds = files(&format!("fuzz/seeds/{target}"));
    if ["message", "framing"].contains(&target) {
        seeds.extend(
            files("tests/torture")
                .into_iter()
                .filter(|(path, _)| path.extension().is_some_and(|extension| extension == "dat")),
        );
    }
    seeds
}

/// Numbers without rhyme, the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % bound.max(1)
    }

    fn damage(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            let odd = b"\0\r\n;,<>\"@:=%[]\xff 9\t\\"[self.below(19)];
            match self.below(7) {
                0 if at < bytes.len() => bytes[at] = odd,
                1 if at < bytes.len() => bytes[at] = self.below(256) as u8,
                2 => bytes.insert(at, odd),
                3 if at < bytes.len() => drop(bytes.remove(at)),
                4 => bytes.truncate(at),
                5 => {
                    let (from, len) = (self.below(other.len() + 1), self.below(40));
                    let piece = &other[from..(from + len).min(other.len())];
                    bytes.splice(at..at, piece.iter().copied());
                }
                _ => bytes.extend((0..self.below(64)).map(|_| self.below(256) as u8)),
            }
        }
    }
}

fn run(name: &str) {
    let (_, target) = targets::ALL.into_iter().find(|(target, _)| *target == name).unwrap();
    let seeds = seeds(name);
    assert!(!seeds.is_empty(), "{name} has seeds");
    for (path, seed) in &seeds {
        eprintln!("{}", path.display()); // shown when it fails
        target(seed);
    }
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let until = Instant::now() + TIME;
    while Instant::now() < until {
        let mut bytes = seeds[dice.below(seeds.len())].1.clone();
        let other = &seeds[dice.below(seeds.len())].1;
        dice.damage(&mut bytes, other);
        let failed = std::panic::catch_unwind(|| target(&bytes)).is_err();
        assert!(!failed, "{name}, to be kept as a seed: {}", bytes.escape_ascii());
    }
}

#[test]
fn no_message_breaks_a_promise() {
    run("message");
}

#[test]
fn no_uri_or_address_breaks_a_promise() {
    run("uri");
}

#[test]
fn no_via_breaks_a_promise() {
    run("via");
}

#[test]
fn no_authorization_is_taken_for_the_password() {
    run("auth");
}

#[test]
fn no_sdp_breaks_a_promise() {
    run("sdp");
}

#[test]
fn no_body_of_parts_breaks_a_promise() {
    run("multipart");
}

#[test]
fn no_stream_is_cut_in_two_ways() {
    run("framing");
}

#[test]
fn no_packet_of_a_stranger_is_heard_or_changes_anything() {
    run("srtp");
}

#[test]
fn no_key_in_sdp_breaks_a_promise() {
    run("sdes");
}

#[test]
fn no_stranger_chooses_a_way() {
    run("ice");
}

#[test]
fn nobody_between_gets_keys_or_keeps_a_handshake_from_its_end() {
    run("dtls");
}

/// Whatever the order of messages, wishes and time: one end for each leg, every 2xx acknowledged, one
/// final answer a request, CSeq rising, nothing kept.
#[test]
fn no_order_of_events_breaks_a_call() {
    run("operations");
}

#[test]
fn no_packet_of_sound_breaks_a_promise() {
    run("rtp");
}

#[test]
fn no_key_is_told_twice_or_lost() {
    run("keys");
}

#[test]
fn no_control_packet_breaks_a_promise() {
    run("rtcp");
}
