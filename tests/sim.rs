//! A thousand seeded worlds: the real engine with callers, agents, a bad network, a slow disk and a
//! process that is killed, in virtual time. `SIM_SEED=n` runs one with its ladder, `SIM_SEEDS=n` more
//! or fewer of them.

use madoguchi::simulate::{Report, run_seed, trace_seed};
use std::collections::BTreeMap;
use std::panic::catch_unwind;

/// Seeds in the test run when nothing is asked.
const SEEDS: u64 = 1000;
/// Tests that share them, so that they run beside each other.
const PARTS: u64 = 4;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Runs a seed; a panic is one more thing that must not be.
fn tried(seed: u64, run: fn(u64) -> Report) -> Report {
    catch_unwind(|| run(seed)).unwrap_or_else(|_| {
        let wrong = vec!["the desk panicked".to_owned()];
        Report { seed, wrong, ..Report::default() }
    })
}

/// The seeds of one part; what is wrong in any of them, each with the way to see it again.
fn part(part: u64) {
    let mut wrong = Vec::new();
    let all = number("SIM_SEEDS").unwrap_or(SEEDS);
    let one = number("SIM_SEED");
    for seed in (0..all).filter(|seed| seed % PARTS == part).filter(|_| one.is_none()) {
        let report = tried(seed, run_seed);
        wrong.extend(report.wrong.into_iter().map(|what| format!("SIM_SEED={seed}: {what}")));
    }
    assert!(wrong.is_empty(), "{} things are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_caller_is_lost_or_stuck_in_any_world_1_of_4() {
    part(0);
}

#[test]
fn no_caller_is_lost_or_stuck_in_any_world_2_of_4() {
    part(1);
}

#[test]
fn no_caller_is_lost_or_stuck_in_any_world_3_of_4() {
    part(2);
}

#[test]
fn no_caller_is_lost_or_stuck_in_any_world_4_of_4() {
    part(3);
}

#[test]
fn a_seed_gives_the_same_bytes_each_time() {
    for seed in [1, 2, 3, 5, 8, 13] {
        let (one, two) = (run_seed(seed), run_seed(seed));
        assert_eq!(one.digest, two.digest, "SIM_SEED={seed}");
        assert_eq!((one.calls, one.datagrams), (two.calls, two.datagrams), "SIM_SEED={seed}");
    }
}

#[test]
fn the_worlds_come_to_every_outcome() {
    let mut outcomes: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in 0..40 {
        for (outcome, count) in tried(seed, run_seed).outcomes {
            *outcomes.entry(outcome).or_default() += count;
        }
    }
    // Nobody can leave a message yet.
    outcomes.remove("message_taken");
    let none: Vec<_> = outcomes.iter().filter(|(_, count)| **count == 0).collect();
    assert!(none.is_empty() && outcomes.len() == 10, "never seen: {none:?} of {outcomes:?}");
}

#[test]
fn the_seed_asked_for_is_shown_and_being_watched_changes_nothing() {
    let asked = number("SIM_SEED");
    let seed = asked.unwrap_or(11);
    let (quiet, report) = (tried(seed, run_seed), tried(seed, trace_seed));
    if asked.is_some() {
        println!("{}", report.trace.join("\n"));
        println!("{} calls, {} messages: {:?}", report.calls, report.datagrams, report.outcomes);
    }
    assert!(report.wrong.is_empty(), "SIM_SEED={seed}:\n{}", report.wrong.join("\n"));
    assert_eq!(quiet.digest, report.digest);
    assert!(!report.trace.is_empty());
}
