//! The same engine under virtual time, with callers, agents' phones and a bad network around it. A
//! seed names everything that happens; nothing sleeps, and a minute of calls takes milliseconds.
//!
//! Must not know: sockets, threads, clocks. docs/SIMULATOR.md says what is drawn, what is held to be
//! true, and how a seed that fails is followed.

mod faults;
mod host;
mod journal;
mod lines;
mod media;
mod peer;
mod people;
mod registrant;
mod scene;
mod watch;
mod world;

pub use faults::Faults;
pub use world::World;

use crate::base::Mono;
use crate::event::Entry;
use crate::view::{Outcome, Views};
use std::collections::BTreeMap;
use std::time::Duration;

/// Long enough after the faults for the longest wait, the longest talk and every timer.
const HEALING: Duration = Duration::from_mins(10);
/// An agent who is free, reachable and willing answers a caller within this.
const SERVED_WITHIN: Duration = Duration::from_secs(20);
/// Every transaction is over 64·T1 after its last message (RFC 3261 §17), plus room for the last one.
const SETTLED_AFTER: Duration = Duration::from_secs(37);

/// What one seed came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// What must not be; empty when all is well.
    pub wrong: Vec<String>,
    /// Everything the desk sent and wrote, folded into one number.
    pub digest: u64,
    /// Calls in the history.
    pub calls: usize,
    /// Calls by outcome.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// Datagrams sent by anybody.
    pub datagrams: u64,
    /// The ladder, when asked for.
    pub trace: Vec<String>,
}

/// Runs the world of a seed to its end.
#[must_use]
pub fn run_seed(seed: u64) -> Report {
    run(seed, false)
}

/// The same with a ladder of all messages, facts and deeds.
#[must_use]
pub fn trace_seed(seed: u64) -> Report {
    run(seed, true)
}

/// All that the desk of a seed wrote down, its faults with it: a history for whoever needs one with
/// everything in it that can happen.
#[must_use]
pub fn history_of(seed: u64) -> Vec<Entry> {
    let mut world = World::new(seed, Faults::drawn_from(seed));
    play(&mut world);
    world.heal();
    world.run_for(HEALING);
    world.host().journal().entries().to_vec()
}

/// To the end of the faults and the last new caller.
fn play(world: &mut World) {
    let close = Mono::ZERO + world.length();
    while let Some(at) = world.next_deadline().filter(|at| *at < close) {
        world.advance_to(at); // moves the clock; nothing sleeps
    }
}

fn run(seed: u64, traced: bool) -> Report {
    let faults = Faults::drawn_from(seed);
    let harsh = faults.crashes > 0 || faults.outages > 0 || faults.wire.lost > 80;
    let mut world = World::new(seed, faults);
    if traced {
        world.keep_trace();
    }
    play(&mut world);
    // Liveness: with the faults gone and no new callers, the queue must empty itself.
    world.heal();
    world.run_for(HEALING);
    let mut wrong = Vec::new();
    if world.waiting() != 0 {
        wrong.push(format!("{} callers still wait", world.waiting()));
    }
    if world.callers_up() != 0 {
        wrong.push(format!("{} callers are still in a call", world.callers_up()));
    }
    // The desk must serve after all that: no agent may be stuck in a state that nobody sees.
    if !world.serves_one_more(SERVED_WITHIN) {
        wrong.push("an agent is free and the last caller was not served".to_owned());
    }
    world.run_for(SETTLED_AFTER);
    settled(&world, &mut wrong);
    written(&world, &mut wrong);
    if !harsh && world.left_behind() > 0 {
        wrong.push(format!("{} peers were left in a call that was over", world.left_behind()));
    }
    let mut report = Report { seed, digest: world.host().digest, ..Report::default() };
    report.datagrams = world.datagrams();
    report.calls = world.ends_by_call().len();
    if let Some((live, replayed)) = world.host().live_and_replayed() {
        figures(live, &replayed, &mut report, &mut wrong);
    }
    report.wrong = world.wrong().to_vec();
    report.wrong.append(&mut wrong);
    report.trace = world.take_trace();
    report
}

/// With the last call gone, nothing of it is held any more.
fn settled(world: &World, wrong: &mut Vec<String>) {
    let Some(gauges) = world.host().gauges(world.now()) else {
        wrong.push("the process is not up at the end".to_owned());
        return;
    };
    let media = world.host().media().map_or(0, media::Media::open_ports);
    let held = [
        ("legs in the engine", gauges.legs),
        ("ports taken", gauges.ports),
        ("ports open", media),
        ("legs in the SIP room", gauges.sip.legs),
        ("server transactions", gauges.sip.server_transactions),
        ("client transactions", gauges.sip.client_transactions),
        ("calls at the desk", gauges.desk.calls),
        ("commands without an answer", world.host().unanswered()),
        ("lines in use", gauges.desk.by_number.values().map(|n| *n as usize).sum()),
        ("batches on their way to the disk", usize::from(!world.host().journal().is_settled())),
    ];
    for (what, count) in held {
        if count != 0 {
            wrong.push(format!("{count} {what} when all is over"));
        }
    }
}

/// The history on disk: one beginning and one end a call, and nobody forgotten who was told anything.
fn written(world: &World, wrong: &mut Vec<String>) {
    let mut watch = watch::Watch::after(world.host().journal().entries());
    if world.wrong().is_empty() {
        wrong.extend(watch.take_wrong());
    }
    for (call, ends) in watch.ends_by_call() {
        if ends != 1 {
            wrong.push(format!("{call} ended {ends} times"));
        }
    }
    let names = watch.calls_by_name();
    for caller in world.callers() {
        let name = caller.make.name.as_str();
        // A caller who hides the number hides the name too, and cannot be looked up.
        let known = caller.make.number != scene::HIDDEN;
        let calls = names.get(name).copied().unwrap_or(0);
        if caller.told && known && calls == 0 {
            wrong.push(format!("{name} was told more than 100 Trying and is not in the history"));
        }
    }
}

/// The figures fed live are those replayed, and every call is in exactly one of them.
fn figures(live: &Views, replayed: &Views, report: &mut Report, wrong: &mut Vec<String>) {
    if live != replayed {
        wrong.push("the figures fed live differ from those replayed".to_owned());
    }
    if replayed.strays() > 0 || replayed.holes() > 0 {
        let (strays, holes) = (replayed.strays(), replayed.holes());
        wrong.push(format!("{strays} facts out of place and {holes} holes in the journal"));
    }
    let left = (replayed.open_count(), replayed.waiting_count(), replayed.channels_in_use());
    if left != (0, 0, 0) {
        wrong.push(format!("(open, waiting, channels) are {left:?} on the wall when all is over"));
    }
    let (counted, left_out) = replayed.totals();
    for outcome in Outcome::ALL {
        report.outcomes.insert(outcome.name(), counted.get(outcome) + left_out.get(outcome));
    }
    let sum: u64 = report.outcomes.values().sum();
    if sum != report.calls as u64 {
        wrong.push(format!("{} calls have {sum} outcomes", report.calls));
    }
}
