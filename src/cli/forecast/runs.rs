//! Many runs on all cores, in the order of their seeds, with a word on a terminal on how far they are.

use crate::dialplan::Lang;
use crate::forecast::{Run, World};
use crate::view::Policy;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Most runs of one command.
pub(super) const MOST_RUNS: u64 = 10_000;

/// Runs of the seeds from `first` on. The order in which they are done changes nothing.
pub(super) fn runs(
    world: &World,
    policy: &Policy,
    (first, count): (u64, u64),
    agents: bool,
    lang: Lang,
) -> Vec<Run> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let found: Mutex<Vec<Run>> = Mutex::new(Vec::new());
    let on_terminal = io::stderr().is_terminal();
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    if place >= count {
                        break;
                    }
                    let run = Run::of(world, policy, first.wrapping_add(place), agents);
                    if let Ok(mut found) = found.lock() {
                        found.push(run);
                    }
                    let done = done.fetch_add(1, Ordering::Relaxed) + 1;
                    if on_terminal {
                        bar(done, count, lang);
                    }
                }
            });
        }
    });
    if on_terminal {
        let _ = write!(io::stderr(), "\r\x1b[K"); // It is only for looking at.
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
