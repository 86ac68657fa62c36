//! What a desk has recorded: the files, as a program of others reads them, and what the history says.

use super::desk::{Desk, Setup};
use super::poll;
use super::s;
use super::sound::Sound;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A desk that records.
pub fn recording_desk(more: &str) -> Desk {
    let more = format!("[recording]\ndirectory = \"recordings\"\nleast_free_mib = 1\n{more}");
    Desk::with(&Setup { plan: "recorded.toml", more: &more, ..Setup::default() })
}

/// The one recording of a caller's call, once it is whole.
#[track_caller]
pub fn kept(desk: &Desk, caller: &str) -> Value {
    let found = poll(s(8), || {
        let call = desk.call_of(caller)?;
        call["recordings"].as_array()?.iter().find(|it| it["state"] == "kept").cloned()
    });
    found.unwrap_or_else(|| panic!("no recording: {:#?}", desk.call_of(caller)))
}

/// Where the history says that the file lies.
pub fn file(desk: &Desk, caller: &str) -> PathBuf {
    let ladder = desk.ladder(caller);
    let kept = ladder.iter().find(|event| event["kind"] == "kept").expect("a file");
    desk.dir().file("recordings").join(kept["file"].as_str().expect("a path"))
}

/// Left and right of a file, read by Python's own library; and samples a second.
pub fn channels(path: &Path) -> (Sound, Sound, u32) {
    let (mut sides, hz) = tracks(path, 2);
    let right = sides.pop().expect("two");
    (sides.pop().expect("two"), right, hz)
}

/// The sound of a file that has one channel, which a player gives to both ears.
pub fn alone(path: &Path) -> Sound {
    tracks(path, 1).0.pop().expect("one")
}

fn tracks(path: &Path, due: usize) -> (Vec<Sound>, u32) {
    let script = "import sys,wave\nw=wave.open(sys.argv[1])\n\
                  assert (w.getnchannels(),w.getsampwidth())==(int(sys.argv[2]),2),w.getparams()\n\
                  print(w.getframerate(),w.getnframes())\n\
                  sys.stdout.flush();sys.stdout.buffer.write(w.readframes(w.getnframes()))";
    let mut read = Command::new("python3");
    let out = read.args(["-c", script]).arg(path).arg(due.to_string()).output().expect("python3");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let line = out.stdout.iter().position(|byte| *byte == b'\n').expect("a line");
    let told = String::from_utf8_lossy(&out.stdout[..line]).into_owned();
    let (hz, frames) = told.split_once(' ').expect("two numbers");
    let samples: Vec<i16> =
        out.stdout[line + 1..].chunks(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
    assert_eq!(samples.len(), due * frames.parse::<usize>().expect("a number"));
    let hz: u32 = hz.parse().expect("a number");
    // Every other sample of the finer ones will do to tell who speaks.
    let step = usize::try_from(hz / 8000).expect("small");
    let side = |at: usize| {
        Sound(samples.chunks(due).step_by(step).map(|frame| frame[at]).collect::<Vec<_>>())
    };
    ((0..due).map(side).collect(), hz)
}

/// Where in the recording a voice lies that was said without a stop, milliseconds.
#[track_caller]
pub fn lies(channel: &Sound, from_ms: usize, voice: &Sound) -> i64 {
    let piece = channel.part(from_ms, 600);
    assert!(piece.loudness() > 300.0, "silence at {from_ms} of {} ms", channel.ms());
    let found =
        voice.holds(&piece).unwrap_or_else(|| panic!("another voice: {:?}", voice.find(&piece)));
    i64::try_from(from_ms).expect("short") - found.at_ms
}

#[track_caller]
pub fn silent(channel: &Sound, from_ms: usize, for_ms: usize) {
    let part = channel.part(from_ms, for_ms);
    assert!(part.loudness() < 20.0, "{} at {from_ms} ms of {}", part.loudness(), channel.ms());
}

pub fn kinds(desk: &Desk, caller: &str) -> Vec<String> {
    let ladder = desk.ladder(caller);
    ladder.iter().map(|e| e["kind"].as_str().unwrap_or_default().to_owned()).collect()
}
