//! Many runs on all cores, in the order of their seeds, with a word on a terminal on how far they are.

use crate::dialplan::Lang;
use crate::forecast::{Run, World};
use crate::view::Policy;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Most runs of one command.
pub(super) const MOST_RUNS: u64 = 10_000;

/// Runs of the seeds from `first` on, by all cores. The order in which they are done changes nothing.
pub(super) fn runs(
    world: &World,
    policy: &Policy,
    (first, count): (u64, u64),
    agents: bool,
    lang: Lang,
) -> Vec<Run> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let on_terminal = io::stderr().is_terminal();
    let told = |done: u64| {
        if on_terminal {
            bar(done, count, lang);
        }
        true
    };
    let found = bundle(world, policy, (first, count), agents, cores, &told);
    if on_terminal {
        let _ = write!(io::stderr(), "\r\x1b[K"); // It is only for looking at.
    }
    found
}

/// Runs of the seeds from `first` on, by so many threads. `told` hears how many are done, and says whether to go on;
/// when it does not, none come back.
pub(crate) fn bundle(
    world: &World,
    policy: &Policy,
    (first, count): (u64, u64),
    agents: bool,
    threads: usize,
    told: &(dyn Fn(u64) -> bool + Sync),
) -> Vec<Run> {
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let off = AtomicBool::new(false);
    let found: Mutex<Vec<Run>> = Mutex::new(Vec::new());
    let work = || {
        while !off.load(Ordering::Relaxed) {
            let place = next.fetch_add(1, Ordering::Relaxed);
            if place >= count {
                break;
            }
            let run = Run::of(world, policy, first.wrapping_add(place), agents);
            if let Ok(mut found) = found.lock() {
                found.push(run);
            }
            if !told(done.fetch_add(1, Ordering::Relaxed) + 1) {
                off.store(true, Ordering::Relaxed);
            }
        }
    };
    std::thread::scope(|scope| {
        // Threads of a thread have its priority.
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    if off.into_inner() {
        return Vec::new();
    }
    let mut found = found.into_inner().unwrap_or_default();
    found.sort_by_key(|run| run.seed.wrapping_sub(first));
    found
}

fn bar(done: u64, all: u64, lang: Lang) {
    let full = usize::try_from(done * 30 / all.max(1)).unwrap_or(30);
    let bar = format!("{}{}", "#".repeat(full), ".".repeat(30_usize.saturating_sub(full)));
    let said = lang.pick("回の試行", "runs");
    let _ = write!(io::stderr(), "\r[{bar}] {done}/{all} {said}"); // It is only for looking at.
}
