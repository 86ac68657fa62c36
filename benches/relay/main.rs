//! What sound costs: the media thread against a plain epoll loop that checks, rewrites and counts nothing,
//! and against rtpengine where it is installed. In turn, on loopback, with the same phones; CPU time is
//! the relaying thread's (program's) own. The relay has core 0, the phones core 1.
//!
//!     cargo bench --bench relay -- [what] [calls] [seconds a round] [rounds]
//!
//! What: `compare` (default: the floor, ours, ours encrypted, rtpengine), `hold` (ours alone, for long),
//! `record` (ours, without and with a recording of every call), `burst` (ours, quiet and while 200 calls a second come and go), `turn` (codecs), `legs` (opening,
//! memory, plays).

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a load generator sleeps between packets, and stops where it fails"
)]

mod load;
mod others;
mod ours;

use load::Round;
use madoguchi::sdp::Codec;
use std::collections::BTreeMap;
use std::thread::JoinHandle;

/// Keeps the thread that calls it to one core, where the machine has it.
pub fn pin(core: usize) {
    let mut set = rustix::thread::CpuSet::new();
    set.set(core);
    let _ = rustix::thread::sched_setaffinity(None, &set);
}

/// A thread on one core.
pub fn pinned<T: Send + 'static>(
    core: usize,
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    let thread = std::thread::Builder::new().name(name.into());
    let work = move || {
        pin(core);
        work()
    };
    thread.spawn(work).expect("a thread")
}

/// The rounds so far, least cost first.
#[derive(Default)]
struct Table {
    best: BTreeMap<&'static str, f64>,
}

impl Table {
    fn head() -> Self {
        println!(
            "what         us CPU/packet  packets/CPU-s      sent     heard   lost %  p50 us  p99 us  p99.9 us"
        );
        Self::default()
    }

    fn row(&mut self, name: &'static str, round: &Round) {
        let each = round.each_us();
        let best = self.best.entry(name).or_insert(f64::MAX);
        *best = best.min(each);
        let [p50, p99, p999] = round.delays_us;
        println!(
            "{name:12} {each:13.2} {:14.0} {:9} {:9} {:8.3} {p50:7} {p99:7} {p999:9}",
            1e6 / each,
            round.sent,
            round.heard,
            (round.sent as f64 - round.heard as f64) * 100.0 / round.sent.max(1) as f64
        );
    }

    fn ratios(&self, to: &str) {
        let Some(floor) = self.best.get(to) else { return };
        for (name, each) in self.best.iter().filter(|(name, _)| **name != to) {
            println!("ratio {name}/{to}, best of each: {:.2}", each / floor);
        }
    }
}

fn main() {
    // `cargo bench` adds `--bench`.
    let words: Vec<String> =
        std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let numbers: Vec<u64> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let number = |at: usize, default| numbers.get(at).copied().unwrap_or(default);
    let what = words.iter().find(|word| word.parse::<u64>().is_err());
    let (calls, seconds, rounds) = (number(0, 300), number(1, 5), number(2, 3));
    println!("{calls} calls, {} packets/s through the relay, {seconds} s a round", calls * 100);
    match what.map_or("compare", String::as_str) {
        "compare" => compare(calls, seconds, rounds),
        "hold" => Table::head().row("ours", &ours::passed(calls, seconds)),
        "record" => {
            let mut table = Table::head();
            for _ in 0..rounds {
                table.row("ours", &ours::passed(calls, seconds));
                table.row("recorded", &ours::recorded(calls, seconds));
            }
            table.ratios("ours");
        }
        "burst" => {
            let mut table = Table::head();
            for _ in 0..rounds {
                table.row("quiet", &ours::passed(calls, seconds));
                table.row("burst", &ours::among_others(calls, seconds, 200));
            }
        }
        "turn" => turn(calls, seconds),
        "legs" => {
            ours::legs();
            ours::plays(calls * 2, seconds);
        }
        other => println!("there is no {other}: compare, hold, record, burst, turn, legs"),
    }
}

fn compare(calls: u64, seconds: u64, rounds: u64) {
    let mut table = Table::head();
    for _ in 0..rounds {
        table.row("plain", &others::plain(calls, seconds));
        table.row("ours", &ours::passed(calls, seconds));
        table.row("ours sealed", &ours::sealed(calls, seconds));
        match others::rtpengine(calls, seconds) {
            Some(round) => table.row("rtpengine", &round),
            None => println!("rtpengine is not installed (Debian: rtpengine-daemon)"),
        }
    }
    table.ratios("plain");
    table.ratios("rtpengine");
    table.ratios("ours");
}

fn turn(calls: u64, seconds: u64) {
    for (name, codecs) in
        [("G.722-G.711", [Codec::G722, Codec::Pcmu]), ("Opus-G.711", [Codec::Opus, Codec::Pcmu])]
    {
        let round = ours::turned(calls, seconds, codecs);
        let call = round.cpu.as_secs_f64() / (seconds as f64) / calls as f64;
        println!(
            "{name}: {:.0} us CPU a call and second, {:.0} calls a core; {:.1} % of the packets came",
            call * 1e6,
            1.0 / call,
            round.heard as f64 * 100.0 / round.sent.max(1) as f64
        );
    }
}
