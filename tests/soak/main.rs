//! The short form of scripts/soak, and that what it judges by can say no.
#![allow(clippy::pedantic, clippy::disallowed_methods)]

#[path = "../support/mod.rs"]
mod support;

use std::process::{Command, Output};
use support::desk::binary;
use support::process::Dir;

fn soak(words: &[&str], program: &str) -> Output {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/soak/soak.py");
    // It dies with us, and all that it started with it.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "python3", "-B", script]).args(words);
    command.env("MADOGUCHI", program).output().expect("setpriv and python3")
}

#[test]
fn a_few_seconds_of_everything_at_once_come_to_what_the_phones_saw() {
    let dir = Dir::new("soak");
    let table = dir.file("soak.json");
    let words = ["--minutes", "0.1", "--rate", "4", "--walls", "2"];
    let table_name = table.display().to_string();
    let done = soak(&[&words[..], &["--json", &table_name]].concat(), &binary());
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    let table: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(table).unwrap()).unwrap();
    assert_eq!(table["holds"], true);
    let checks = table["checks"].as_array().expect("what was to hold");
    assert!(checks.len() >= 15, "{said}");
    assert!(table["figures"]["calls by SIPp"].as_u64() >= Some(20), "{said}");
}

#[test]
fn a_history_that_is_not_what_the_phones_saw_is_told_by_its_fault() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/soak/judged.py");
    let done = Command::new("python3").args(["-B", script]).output().expect("python3");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
