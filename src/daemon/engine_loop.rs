//! The one thread that owns all calls: it hears, lets the engine decide, has the journal written, and
//! only then lets the decisions out.
//!
//! Must not know what a message or an event means; the order of things is all it cares for.

use super::call_log;
use super::inlet::{Inlet, Received};
use super::pulse::{Pulse, Shown};
use crate::base::{LegId, Mono, Now, Wall};
use crate::engine::{Engine, Input, Outbox, Rules, Send};
use crate::event::{DeskEvent, Entry};
use crate::io::media::Media;
use crate::io::net::{self, Lane, Net};
use crate::io::recording::Recorder;
use crate::io::store::{Batch, Store, StoreNotice};
use crate::io::trace::Trace;
use crate::pbx::{Command, CommandError};
use crate::recording;
use crate::rtp;
use crate::sip::trunk::{Answer, Server};
use crate::trace::Direction;
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::oneshot;

/// Inputs decided on before their facts go to the journal as one batch: enough to share the cost of
/// a transaction, few enough that the first of them is not kept waiting.
const BATCH_INPUTS: usize = 128;
/// What the engine decided waits this long for the journal, then goes out all the same: a stuck disk
/// must not silence the desk. Shown as "journal behind".
const JOURNAL_PATIENCE: Duration = Duration::from_millis(400);
/// How often the log says that it is not waited for.
const HASTE_TOLD_EVERY: Duration = Duration::from_secs(10);
/// Shut doors that are shown by name; their number is always whole.
const BLOCKED_SHOWN: usize = 200;
/// The loop looks around at least this often, so that its pulse can be felt.
const PULSE: Duration = Duration::from_millis(250);
/// So long an orderly end waits for peers that are still to be told of it: twice what a lost message
/// costs (RFC 3261 §17.1.1.1: it is said again after T1).
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What the engine thread hears.
#[derive(Debug)]
pub enum Heard {
    /// From the wire.
    Net(net::Event),
    /// From a media thread.
    Media(rtp::command::Notice),
    /// From the recorder.
    Recorder(recording::command::Notice),
    /// Somebody fetched a recording.
    Fetched(recording::command::RecordingId),
    /// From the resolver.
    LookedUp {
        /// Whose addresses.
        server: Server,
        /// What it found.
        answer: Option<Answer>,
    },
    /// From the journal.
    Store(StoreNotice),
    /// An operator changed who may do what.
    Rules(Box<Rules>),
    /// From a person.
    Command {
        /// What is wanted.
        command: Command,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<(), CommandError>>,
    },
    /// A person opens the doors that are shut for an address.
    LetIn {
        /// Which.
        address: std::net::IpAddr,
        /// Whether any was shut.
        reply: oneshot::Sender<bool>,
    },
    /// Whether the desk is to end once its calls have.
    Drain(bool),
    /// End in order.
    Stop {
        /// Told when everything is written and said.
        done: oneshot::Sender<()>,
    },
}

/// The clock pair, the only place in the daemon's calls where time is read.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// Begins at zero.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// When it began.
    #[must_use]
    pub const fn began(&self) -> Instant {
        self.0
    }

    /// Both clocks now.
    #[must_use]
    pub fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now {
            mono: Mono(u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)),
            wall: Wall(i64::try_from(wall.as_millis()).unwrap_or(i64::MAX)),
        }
    }

    /// Both clocks at an instant a little before `now`.
    fn back_at(&self, instant: Instant, now: Now) -> Now {
        let since = instant.saturating_duration_since(self.0).as_micros();
        let mono = Mono(u64::try_from(since).unwrap_or(u64::MAX)).min(now.mono);
        let ago = i64::try_from(now.mono.since(mono).as_millis()).unwrap_or(0);
        Now { mono, wall: Wall(now.wall.0.saturating_sub(ago)) }
    }
}

/// Decisions whose facts are on their way to the disk.
struct Held {
    batch: u64,
    since: Instant,
    entries: Vec<Entry>,
    media: Vec<rtp::command::Command>,
    recorder: Vec<recording::command::Command>,
    sends: Vec<Send>,
    replies: Vec<(u64, Result<(), CommandError>)>,
}

/// What the loop is made from.
pub struct EngineLoop {
    /// All calls.
    pub engine: Engine,
    /// What the start itself decided.
    pub first: Outbox,
    /// Where it hears.
    pub inlet: Arc<Inlet<Heard>>,
    /// The wire.
    pub net: Arc<Net>,
    /// The media threads.
    pub media: Arc<Media>,
    /// The recorder, if there is one.
    pub recorder: Option<Arc<Recorder>>,
    /// The journal.
    pub store: Arc<Store>,
    /// What observers see of the wire.
    pub trace: Arc<Trace>,
    /// Begins to look a server's name up; the answer comes by the inlet.
    pub look_up: Box<dyn Fn(Server) + std::marker::Send>,
    /// Where committed facts go: the views.
    pub told: Box<dyn Fn(Vec<Entry>) + std::marker::Send>,
    /// Time.
    pub clock: Clock,
    /// A new request that waited longer than this is refused: overload is met at the door.
    pub queue_delay: Duration,
    /// What others may see of the loop.
    pub pulse: Arc<Pulse>,
}

/// An orderly end, once everything is on the disk and every peer is told.
struct Stopping {
    done: oneshot::Sender<()>,
    /// Peers that are still to be told, and until when that is waited for.
    owed: Vec<LegId>,
    until: Instant,
}

struct Running {
    it: EngineLoop,
    held: VecDeque<Held>,
    next_batch: u64,
    committed: u64,
    journal_well: bool,
    /// When the log last said that what is said goes out before it is written.
    hasty_since: Option<Instant>,
    waiting_replies: BTreeMap<u64, oneshot::Sender<Result<(), CommandError>>>,
    next_token: u64,
    stopping: Option<Stopping>,
    /// Sources shut out at the last look.
    blocked: usize,
    /// Ticks that did not come to rest, at the last look.
    restless: u64,
}

impl EngineLoop {
    /// Runs until told to stop.
    pub fn run(mut self) {
        let first = std::mem::take(&mut self.first);
        let mut running = Running {
            it: self,
            held: VecDeque::new(),
            next_batch: 1,
            committed: 0,
            journal_well: true,
            hasty_since: None,
            waiting_replies: BTreeMap::new(),
            next_token: 1,
            stopping: None,
            blocked: 0,
            restless: 0,
        };
        // Whoever asks in the first moments sees what was found, and no zeros.
        running.show(running.it.clock.now());
        running.let_out(first);
        running.run();
    }
}

impl Running {
    fn run(&mut self) {
        let mut heard = Vec::with_capacity(BATCH_INPUTS);
        let mut last_gauges = Instant::now();
        loop {
            let timeout = self.patience();
            self.it.inlet.take(BATCH_INPUTS, Some(timeout), &mut heard);
            let mut out = Outbox::default();
            for received in heard.drain(..) {
                self.hear(received, &mut out);
            }
            let now = self.it.clock.now();
            if self.it.engine.next_deadline().is_some_and(|at| at <= now.mono) {
                self.guarded(Input::Tick, now, &mut out);
            }
            self.say_last_words(now, &mut out);
            self.let_out(out);
            self.release();
            self.it.pulse.beat(&self.it.clock);
            if last_gauges.elapsed() >= PULSE {
                last_gauges = Instant::now();
                self.it.trace.expire(now);
                self.show(now);
            }
            if self.held.is_empty()
                && self.recordings_are_ended()
                && let Some(Stopping { done, .. }) = self.stopping.take_if(|it| it.owed.is_empty())
            {
                let _ = done.send(()); // nobody waits any more: fine
                return;
            }
        }
    }

    /// How long there is nothing to do unless something is heard.
    fn patience(&self) -> Duration {
        let deadline = self.it.engine.next_deadline();
        let engine = deadline.map_or(PULSE, |at| at.since(self.it.clock.now().mono));
        let journal = self
            .held
            .front()
            .map_or(PULSE, |held| JOURNAL_PATIENCE.saturating_sub(held.since.elapsed()));
        PULSE.min(engine).min(journal)
    }

    /// On the way to an orderly end: looks who is still to be told, and ends the wait in time.
    fn say_last_words(&mut self, now: Now, out: &mut Outbox) {
        let Some(stopping) = &mut self.stopping else { return };
        self.it.engine.still_owed(&mut stopping.owed);
        if Instant::now() >= stopping.until && !stopping.owed.is_empty() {
            self.it.engine.part_with(&stopping.owed, now, out);
            stopping.owed.clear();
        }
    }

    /// Whether the files of the calls that were up are whole and told, or have had their time.
    fn recordings_are_ended(&self) -> bool {
        let busy = self.it.recorder.as_ref().is_some_and(|recorder| recorder.is_busy());
        let time_is_up = self.stopping.as_ref().is_none_or(|it| Instant::now() >= it.until);
        !busy || time_is_up
    }

    fn hear(&mut self, received: Received<Heard>, out: &mut Outbox) {
        // All peers have been told that we go, or are about to be: what is new is refused, and nothing
        // else may keep us from going.
        let stopping = self.stopping.is_some();
        let heard = matches!(
            received.item,
            Heard::Store(_) | Heard::Recorder(_) | Heard::Net(net::Event::Message { .. })
        );
        if stopping && !heard {
            return;
        }
        let now = self.it.clock.now();
        match received.item {
            Heard::Net(net::Event::Message { flow, bytes }) => {
                let shed = stopping
                    || received.lane != Lane::First
                        && received.since.elapsed() > self.it.queue_delay;
                if shed {
                    self.it.pulse.shed.fetch_add(1, Ordering::Relaxed);
                }
                let copy = bytes.clone(); // of the reference, not of the message
                self.guarded(Input::Message { flow, bytes, shed }, now, out);
                // Behind the engine's turn, so that whoever reads the trace finds the call known.
                self.name_legs(out);
                let at = self.it.clock.back_at(received.since, now);
                self.it.trace.push(at, flow, Direction::In, copy);
            }
            Heard::Net(net::Event::FlowLost(flow)) => {
                self.guarded(Input::FlowLost(flow), now, out);
            }
            Heard::Net(net::Event::Unsendable(flow)) => {
                self.guarded(Input::Unsendable(flow), now, out);
            }
            Heard::LookedUp { server, answer } => {
                self.guarded(Input::LookedUp { server, answer }, now, out);
            }
            Heard::Media(notice) => self.guarded(Input::Media(notice), now, out),
            Heard::Recorder(notice) => self.guarded(Input::Recorder(notice), now, out),
            Heard::Fetched(id) => self.guarded(Input::Fetched(id), now, out),
            Heard::Rules(rules) => self.guarded(Input::Rules(rules), now, out),
            Heard::Drain(drains) => self.guarded(Input::Drain(drains), now, out),
            Heard::Command { command, reply } => {
                let token = self.next_token;
                self.next_token = self.next_token.wrapping_add(1);
                self.waiting_replies.insert(token, reply);
                self.guarded(Input::Command { token, command }, now, out);
                if out.replies.last().is_none_or(|(answered, _)| *answered != token) {
                    self.waiting_replies.remove(&token); // a fault: the asker is told by the silence
                }
            }
            Heard::Store(StoreNotice::Committed { up_to_batch: batch }) => {
                self.committed = self.committed.max(batch);
            }
            Heard::Store(StoreNotice::Failing { error }) => {
                if self.journal_well {
                    tracing::error!(%error, "the journal cannot be written: calls go on, their history is kept in memory and written when it can be");
                }
                self.journal_well = false;
                self.it.pulse.journal_well.store(false, Ordering::Relaxed);
            }
            Heard::Store(StoreNotice::Healthy) => {
                if !self.journal_well {
                    tracing::warn!("the journal is written again");
                }
                self.journal_well = true;
                self.it.pulse.journal_well.store(true, Ordering::Relaxed);
            }
            Heard::LetIn { address, reply } => {
                let was = self.it.engine.let_in(address, now);
                self.show(now);
                let _ = reply.send(was); // the asker may have gone
            }
            Heard::Stop { done } => {
                self.it.pulse.closing.store(true, Ordering::Relaxed);
                let owed = self.it.engine.shut_down(now, out);
                self.it.engine.note(DeskEvent::Stopped, now, out);
                let until = Instant::now() + LAST_WORDS;
                self.stopping = Some(Stopping { done, owed, until });
            }
        }
    }

    /// A panic costs the call that caused it, not the desk.
    fn guarded(&mut self, input: Input, now: Now, out: &mut Outbox) {
        let engine = &mut self.it.engine;
        if catch_unwind(AssertUnwindSafe(|| engine.handle(input, now, out))).is_err() {
            self.it.pulse.panics.fetch_add(1, Ordering::Relaxed);
            tracing::error!("a fault in the engine: the call that caused it was ended as failed");
            if catch_unwind(AssertUnwindSafe(|| engine.after_panic(now, out))).is_err() {
                tracing::error!("the faulty call could not be ended in order");
            }
        }
    }

    /// Hangs out what others may see.
    fn show(&mut self, now: Now) {
        let admission = self.it.engine.admission(now);
        // Sources that were shut out since the last look; a look is as short as a door is long shut.
        if admission.blocked > self.blocked {
            tracing::warn!(
                blocked = admission.blocked,
                "a source guesses at passwords and is not listened to; /api/v1/blocked names it"
            );
        }
        self.blocked = admission.blocked;
        let restless = self.it.engine.restless_ticks();
        if restless > self.restless {
            tracing::error!(
                ticks = restless.saturating_sub(self.restless),
                "a timer of the telephony does not come to rest: calls go on, and the engine's core is busy / 呼制御のタイマーが収まりません"
            );
        }
        self.restless = restless;
        let blocked = match admission.blocked {
            0 => Vec::new(),
            _ => self.it.engine.blocked(now, BLOCKED_SHOWN),
        };
        self.it.pulse.show(Shown {
            gauges: self.it.engine.gauges(now),
            queued: self.it.inlet.len(),
            dropped: self.it.inlet.dropped(),
            admission,
            blocked,
        });
    }

    fn name_legs(&self, out: &mut Outbox) {
        for named in out.named.drain(..) {
            self.it.trace.link(&named.call_id, named.call);
            call_log::leg(named.call, named.leg);
        }
    }

    /// Sends facts to the journal and keeps back what they allow; what needs no journal goes at once.
    fn let_out(&mut self, mut out: Outbox) {
        self.name_legs(&mut out);
        if out.is_empty() {
            return;
        }
        for server in out.lookups.drain(..) {
            (self.it.look_up)(server);
        }
        for command in out.at_once.drain(..) {
            self.it.media.send(command);
        }
        let free: Vec<Send> = out.sends.extract_if(.., |send| send.free).collect();
        self.put_on_wire(free);
        let has_facts =
            !out.entries.is_empty() || !out.bindings.is_empty() || !out.subscriptions.is_empty();
        if !has_facts && self.held.is_empty() {
            self.carry_out(out.recorder, out.media, out.sends, out.replies);
            return;
        }
        let batch = if has_facts {
            let number = self.next_batch;
            self.next_batch = self.next_batch.saturating_add(1);
            self.it.store.append(Batch {
                number,
                entries: out.entries.clone(),
                bindings: out.bindings,
                subscriptions: out.subscriptions,
            });
            number
        } else {
            self.next_batch.saturating_sub(1) // behind what waits already, so that order is kept
        };
        self.held.push_back(Held {
            batch,
            since: Instant::now(),
            entries: out.entries,
            media: out.media,
            recorder: out.recorder,
            sends: out.sends,
            replies: out.replies,
        });
    }

    /// Lets out what the journal holds now, and what has waited too long for it.
    fn release(&mut self) {
        while let Some(held) = self.held.front() {
            let written = held.batch <= self.committed;
            if !written && self.journal_well && held.since.elapsed() < JOURNAL_PATIENCE {
                break;
            }
            let Some(held) = self.held.pop_front() else { break };
            if !written {
                self.it.pulse.said_before_written.fetch_add(1, Ordering::Relaxed);
                self.tell_of_haste();
            }
            self.carry_out(held.recorder, held.media, held.sends, held.replies);
            if !held.entries.is_empty() {
                (self.it.told)(held.entries);
            }
        }
    }

    /// The one case in which a `kill -9` loses what somebody was told: the log says when it may.
    fn tell_of_haste(&mut self) {
        if self.hasty_since.is_none_or(|since| since.elapsed() >= HASTE_TOLD_EVERY) {
            self.hasty_since = Some(Instant::now());
            tracing::warn!(
                "the journal does not keep up: what is decided goes out before it is written"
            );
        }
    }

    fn carry_out(
        &mut self,
        recorder: Vec<recording::command::Command>,
        media: Vec<rtp::command::Command>,
        sends: Vec<Send>,
        replies: Vec<(u64, Result<(), CommandError>)>,
    ) {
        for command in recorder {
            if let Some(recorder) = &self.it.recorder {
                recorder.send(command);
                continue;
            }
            tracing::error!("a call is to be recorded, and [recording] is missing");
            if let Some(notice) = command.unrecorded() {
                self.it.inlet.push(Lane::First, Heard::Recorder(notice));
            }
        }
        for command in media {
            self.it.media.send(command);
        }
        self.put_on_wire(sends);
        for (token, result) in replies {
            if let Some(reply) = self.waiting_replies.remove(&token) {
                let _ = reply.send(result); // the asker may have gone
            }
        }
    }

    fn put_on_wire(&self, sends: Vec<Send>) {
        if sends.is_empty() {
            return;
        }
        let now = self.it.clock.now();
        for send in sends {
            self.it.trace.push(now, send.flow, Direction::Out, send.bytes.clone());
            self.it.net.send(send.flow, send.bytes);
        }
    }
}
