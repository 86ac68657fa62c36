//! The daemon around one engine, without threads: what was decided is held until the journal has it,
//! what needs no journal goes at once, and a kill leaves nothing but the disk. The same order of
//! things as the daemon's own loop, under virtual time.

mod judge;
mod setup;

pub use setup::password;

use super::faults::{Draw, Faults};
use super::journal::Journal;
use super::lines::Lines;
use super::media::{Later, Media};
use super::peer::{session_drawn_from, settings};
use super::scene::Scene;
use super::watch::{Answers, Watch};
use crate::base::{AgentId, CallId, Mono, Now, Number, PromptId, Rng, Wall};
use crate::engine::{Engine, Input, Outbox, Parts, Policy, Send};
use crate::event::{DeskEvent, Entry, Fact};
use crate::pbx::{
    AgentMemory, Boxes, CallbacksMemory, Command, Declared, Notes, Periods, TalkedMemory,
};
use crate::rtp::command as rtp;
use crate::sip::api::{Flow, Settings, Transport};
use crate::view::Views;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Wednesday 2026-06-10, 10:00 in Tokyo: the desk is open.
pub(in crate::simulate) const BEGINS: Wall = Wall(1_781_053_200_000);
/// As the daemon's: what was decided goes out after this even when the disk is stuck.
const JOURNAL_PATIENCE: Duration = Duration::from_millis(400);
/// As the daemon's default.
const LOST_AFTER: Duration = Duration::from_secs(15);
/// What is decided may be joined with what follows within this.
const JOINED_WITHIN: Duration = Duration::from_micros(300);

/// Something of the daemon's own that is due later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// The engine's deadline.
    Tick,
    /// A batch is on disk, or patience with the disk is over.
    Disk,
    /// What was gathered goes to the journal.
    LetOut,
    /// The media threads'.
    Media(Later),
}

/// What the daemon does to the world.
#[derive(Debug, Default)]
pub struct Doing {
    /// Messages for the wire.
    pub sends: Vec<(Flow, Bytes)>,
    /// Due later, for this life of the process.
    pub later: Vec<(Mono, Due)>,
    /// Peers who begin to hear each other, and who had which caller when that was decided.
    pub bridged: Vec<(SocketAddr, SocketAddr, Answers)>,
    /// Peers who begin to hear prompts.
    pub hears: Vec<(SocketAddr, Vec<PromptId>)>,
    /// Facts decided on, for a ladder.
    pub facts: Vec<Entry>,
}

/// Decisions whose facts are on their way to the disk.
struct Held {
    batch: u64,
    since: Mono,
    entries: Vec<Entry>,
    media: Vec<rtp::Command>,
    sends: Vec<Send>,
}

/// One life of the process.
struct Run {
    engine: Engine,
    booted: Mono,
    gathered: Outbox,
    held: VecDeque<Held>,
    next_batch: u64,
    committed: u64,
    media: Media,
    tick_at: Option<Mono>,
    views: Views,
    watch: Watch,
    lines: Lines,
    /// Whom an agent called into which talk.
    thirds: BTreeMap<CallId, AgentId>,
    /// Agents who have answered a question by keys.
    consulted: BTreeMap<CallId, AgentId>,
    /// Of each connecting that the media threads have not obeyed yet, who had which caller when it was decided.
    decided: VecDeque<Answers>,
    /// Commands without an answer yet.
    asked: BTreeSet<u64>,
}

/// The desk's machine: a disk, a clock, and the process while it lives.
pub struct Host {
    at: SocketAddr,
    scene: Scene,
    /// Fixed addresses of phones that do not register.
    fixed: BTreeMap<Number, SocketAddr>,
    agents: BTreeMap<IpAddr, AgentId>,
    rng: Rng,
    clock_off_ms: i64,
    journal: Journal,
    run: Option<Run>,
    next_token: u64,
    /// Everything that went out, folded into one number.
    pub digest: u64,
    /// What must not be, so far.
    pub wrong: Vec<String>,
}

/// FNV-1a, so that a run can be compared with its repetition.
fn fold(digest: u64, bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(digest, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3))
}

impl Host {
    /// A machine at `at`, not yet switched on. `phones` are the agents' phones by address.
    #[must_use]
    pub fn new(at: SocketAddr, scene: Scene, phones: &[(SocketAddr, Number)], rng: Rng) -> Self {
        let registers: BTreeSet<&Number> =
            scene.phones.iter().filter(|phone| phone.registers).map(|p| &p.extension).collect();
        let fixed = phones
            .iter()
            .filter(|(_, number)| !registers.contains(number))
            .map(|(at, number)| (number.clone(), *at))
            .collect();
        let agents =
            phones.iter().map(|(at, number)| (at.ip(), AgentId(number.0.clone()))).collect();
        Self {
            at,
            fixed,
            agents,
            rng,
            clock_off_ms: 0,
            journal: Journal::default(),
            run: None,
            next_token: 1,
            digest: 0xCBF2_9CE4_8422_2325,
            wrong: Vec::new(),
            scene,
        }
    }

    /// Both clocks as the process reads them.
    fn now(&self, booted: Mono, at: Mono) -> Now {
        let since = i64::try_from(at.0 / 1000).unwrap_or(i64::MAX);
        let mono = Mono(at.0.saturating_sub(booted.0));
        Now { mono, wall: Wall(BEGINS.0 + since + self.clock_off_ms) }
    }

    /// Somebody sets the wall clock.
    pub fn set_clock(&mut self, by_ms: i64) {
        self.clock_off_ms += by_ms;
    }

    /// Starts the process: the history is read and closed, then the engine stands.
    pub fn start(&mut self, faults: &Faults, at: Mono) -> Doing {
        let now = self.now(at, at);
        let mut views = Views::new(self.setup());
        let mut memory: BTreeMap<AgentId, AgentMemory> = BTreeMap::new();
        let (mut talked, mut periods) = (TalkedMemory::default(), Periods::default());
        let (mut declared, mut notes) = (Declared::default(), Notes::default());
        let (mut boxes, mut wishes) = (Boxes::default(), CallbacksMemory::default());
        for entry in self.journal.entries() {
            if let Fact::Agent { agent, event } = &entry.fact {
                memory.entry(agent.clone()).or_default().apply(event, entry.at);
            }
            if let Fact::Desk { event } = &entry.fact {
                periods.apply(event);
            }
            talked.apply(entry, &self.scene.plan);
            declared.apply(&entry.fact);
            boxes.apply(entry);
            notes.apply(entry);
            wishes.apply(entry);
            views.apply(entry);
        }
        let mut watch = Watch::after(self.journal.entries());
        watch.take_wrong(); // told when it happened
        let closing = views.closing_entries(now.wall, views.witnessed());
        for entry in &closing {
            notes.apply(entry);
        }
        let mut first = Outbox { entries: closing, ..Outbox::default() };
        let next_seq = views.next_seq() + first.entries.len() as u64;
        let mut rng = self.rng.fork();
        let session = session_drawn_from(&mut rng);
        let settings = settings(self.at, &[Transport::Udp, Transport::Tcp], "desk");
        let parts = Parts {
            settings: Settings { session, ..settings },
            directory: self.directory(),
            plan: self.scene.plan.clone(),
            policy: Policy {
                media_bind: self.at.ip(),
                media_ip: self.at.ip(),
                first_port: 20_000,
                last_port: 20_000 + self.scene.ports,
                max_calls: self.scene.max_calls,
                channels: std::collections::BTreeMap::new(),
                codecs: vec![crate::sdp::Codec::Pcmu, crate::sdp::Codec::Pcma],
                sealing: crate::engine::SealingPolicy::default(),
                keys: crate::engine::KeysPolicy::default(),
                fingerprint: None,
                lost_after: LOST_AFTER,
            },
            rng,
            next_seq,
            bindings: self.journal.bindings(),
            subscriptions: self.journal.subscriptions(),
            agents: memory,
            talked: talked.talked,
            periods,
            boxes,
            wishes,
            declared,
            notes,
        };
        let started =
            DeskEvent::Started { version: "0".to_owned(), plan: self.scene.plan.name.clone() };
        let engine = Engine::new(parts, started, now, &mut first);
        let plan = &self.scene.plan;
        // Each digit of a number may take its time.
        let menus = plan.menus.values().map(|menu| {
            let longest = menu.dial.numbers.iter().map(|number| number.as_str().len()).max();
            let digits = u32::try_from(longest.unwrap_or(0)).unwrap_or(0);
            menu.timeout.saturating_add(menu.dial.key_timeout.saturating_mul(digits))
        });
        let entries = plan.entries.values().map(|entry| {
            entry.timeout.saturating_add(entry.key_timeout.saturating_mul(entry.digits.1))
        });
        let key_wait = menus.chain(entries).max();
        self.run = Some(Run {
            engine,
            booted: at,
            gathered: Outbox::default(),
            held: VecDeque::new(),
            next_batch: 1,
            committed: 0,
            media: Media::new(key_wait.unwrap_or_default()),
            tick_at: None,
            views,
            watch,
            lines: Lines::new(faults.bind_fails > 0),
            thirds: BTreeMap::new(),
            consulted: BTreeMap::new(),
            decided: VecDeque::new(),
            asked: BTreeSet::new(),
        });
        let mut doing = Doing::default();
        self.judge(None, &first, at);
        doing.facts.extend_from_slice(&first.entries);
        if let Some(run) = &mut self.run {
            run.gathered = first;
        }
        self.let_out(faults, at, &mut doing);
        self.arm(faults, at, &mut doing);
        doing
    }

    /// The process is killed.
    pub fn kill(&mut self, at: Mono) {
        self.collect_wrong();
        self.journal.kill(at, &mut self.rng);
        self.run = None;
    }

    /// The process ends in order: peers are told, the journal is written.
    pub fn stop(&mut self, faults: &Faults, at: Mono) -> Doing {
        let mut doing = Doing::default();
        let Some(booted) = self.run.as_ref().map(|run| run.booted) else { return doing };
        let now = self.now(booted, at);
        let mut out = Outbox::default();
        if let Some(run) = &mut self.run {
            let owed = run.engine.shut_down(now, &mut out);
            run.engine.part_with(&owed, now, &mut out);
            run.engine.note(DeskEvent::Stopped, now, &mut out);
        }
        self.judge(None, &out, at);
        if let Some(run) = &mut self.run {
            run.gathered.entries.append(&mut out.entries);
            run.gathered.media.append(&mut out.media);
            run.gathered.sends.append(&mut out.sends);
        }
        self.let_out(faults, at, &mut doing);
        self.journal.write_due(Mono(u64::MAX));
        if let Some(run) = &mut self.run {
            run.committed = u64::MAX;
        }
        self.release(faults, at, &mut doing);
        self.kill(at);
        doing.later.clear();
        doing
    }

    /// Whether the process lives.
    #[must_use]
    pub const fn is_up(&self) -> bool {
        self.run.is_some()
    }

    /// A datagram came.
    pub fn receive(
        &mut self,
        flow: Flow,
        bytes: Bytes,
        shed: bool,
        faults: &Faults,
        at: Mono,
    ) -> Doing {
        let heard = (flow.remote.ip(), bytes.clone());
        let input = Input::Message { flow, bytes, shed };
        self.hear(input, Some(&heard), faults, at)
    }

    /// A stream broke, or none could be made.
    pub fn stream_broke(&mut self, input: Input, faults: &Faults, at: Mono) -> Doing {
        self.hear(input, None, faults, at)
    }

    /// A person's command.
    pub fn command(&mut self, command: Command, faults: &Faults, at: Mono) -> Doing {
        let token = self.next_token;
        self.next_token += 1;
        let Some(run) = &mut self.run else { return Doing::default() };
        run.asked.insert(token);
        self.hear(Input::Command { token, command }, None, faults, at)
    }

    /// A key was pressed by the peer that listens at `ear`.
    pub fn key(&mut self, ear: SocketAddr, key: char, faults: &Faults, at: Mono) -> Doing {
        let leg = self.run.as_ref().and_then(|run| run.media.leg_of(ear));
        let Some(leg) = leg else { return Doing::default() };
        self.hear(Input::Media(rtp::Notice::Digit { leg, key }), None, faults, at)
    }

    /// Something of the daemon's own has come due. `sends` tells whose audio flows.
    pub fn due(
        &mut self,
        due: Due,
        sends: impl Fn(SocketAddr) -> bool,
        faults: &Faults,
        at: Mono,
    ) -> Doing {
        let Some(run) = &mut self.run else { return Doing::default() };
        match due {
            Due::Tick => {
                if run.tick_at.is_none_or(|due| due > at) {
                    return Doing::default(); // an earlier one has come since
                }
                run.tick_at = None;
                self.hear(Input::Tick, None, faults, at)
            }
            Due::Disk => {
                let mut doing = Doing::default();
                if let Some(batch) = self.journal.write_due(at) {
                    run.committed = run.committed.max(batch);
                }
                self.release(faults, at, &mut doing);
                doing
            }
            Due::LetOut => {
                let mut doing = Doing::default();
                self.let_out(faults, at, &mut doing);
                doing
            }
            Due::Media(later) => {
                let mut next = Vec::new();
                let notice = run.media.due(later, at, sends, &mut next, &mut self.wrong);
                let mut doing = match notice {
                    Some(notice) => self.hear(Input::Media(notice), None, faults, at),
                    None => Doing::default(),
                };
                doing.later.extend(next.into_iter().map(|(at, later)| (at, Due::Media(later))));
                doing
            }
        }
    }

    /// One input, as the daemon's loop takes it.
    fn hear(
        &mut self,
        input: Input,
        heard: Option<&(IpAddr, Bytes)>,
        faults: &Faults,
        at: Mono,
    ) -> Doing {
        let mut doing = Doing::default();
        let Some(booted) = self.run.as_ref().map(|run| run.booted) else { return doing };
        let now = self.now(booted, at);
        let Some(run) = &mut self.run else { return doing };
        let mut out = Outbox::default();
        run.engine.handle(input, now, &mut out);
        if self.rng.chance(faults.needless_ticks) {
            run.engine.handle(Input::Tick, now, &mut out);
        }
        self.judge(heard, &out, at);
        if self.rng.chance(20) {
            self.count_calls(now);
        }
        doing.facts.extend_from_slice(&out.entries);
        if let Some(run) = &mut self.run {
            for (token, _) in &out.replies {
                if !run.asked.remove(token) {
                    self.wrong.push(format!("command {token} was answered twice"));
                }
            }
            let waits = !run.gathered.is_empty();
            run.gathered.entries.append(&mut out.entries);
            run.gathered.bindings.append(&mut out.bindings);
            run.gathered.subscriptions.append(&mut out.subscriptions);
            run.gathered.media.append(&mut out.media);
            run.gathered.sends.append(&mut out.sends);
            run.gathered.replies.append(&mut out.replies);
            // Several inputs are often decided on before the journal is asked.
            if waits {
                // The `LetOut` that was planned takes this along.
            } else if self.rng.chance(200) {
                doing.later.push((at + JOINED_WITHIN, Due::LetOut));
            } else {
                self.let_out(faults, at, &mut doing);
            }
        }
        self.arm(faults, at, &mut doing);
        doing
    }

    /// Sends facts to the journal and keeps back what they allow; what needs no journal goes at once.
    fn let_out(&mut self, faults: &Faults, at: Mono, doing: &mut Doing) {
        let Some(run) = &mut self.run else { return };
        let mut out = std::mem::take(&mut run.gathered);
        if out.is_empty() {
            return;
        }
        for entry in &out.entries {
            self.digest = fold(self.digest, format!("{entry:?}").as_bytes());
        }
        for send in out.sends.extract_if(.., |send| send.free) {
            self.digest = fold(self.digest, &send.bytes);
            doing.sends.push((send.flow, send.bytes));
        }
        let has_facts =
            !out.entries.is_empty() || !out.bindings.is_empty() || !out.subscriptions.is_empty();
        if !has_facts && run.held.is_empty() {
            self.carry_out(out.media, out.sends, faults, at, doing);
            return;
        }
        if has_facts {
            let facts = (out.entries.clone(), out.bindings, out.subscriptions);
            let number = run.next_batch;
            run.next_batch += 1;
            let on_disk = self.journal.append(number, facts, &faults.disk, at, &mut self.rng);
            doing.later.push((on_disk, Due::Disk));
        }
        doing.later.push((at + JOURNAL_PATIENCE, Due::Disk));
        run.held.push_back(Held {
            batch: run.next_batch - 1,
            since: at,
            entries: out.entries,
            media: out.media,
            sends: out.sends,
        });
    }

    /// Lets out what the journal holds now, and what has waited too long for it.
    fn release(&mut self, faults: &Faults, at: Mono, doing: &mut Doing) {
        while let Some(run) = &mut self.run {
            let due = run.held.front().is_some_and(|held| {
                held.batch <= run.committed || at.since(held.since) >= JOURNAL_PATIENCE
            });
            if !due {
                break;
            }
            let Some(held) = run.held.pop_front() else { break };
            for entry in &held.entries {
                run.views.apply(entry);
            }
            self.carry_out(held.media, held.sends, faults, at, doing);
        }
    }

    fn carry_out(
        &mut self,
        media: Vec<rtp::Command>,
        sends: Vec<Send>,
        faults: &Faults,
        at: Mono,
        doing: &mut Doing,
    ) {
        let Some(run) = &mut self.run else { return };
        for command in media {
            let decided = match command {
                rtp::Command::Bridge { .. } => run.decided.pop_front(),
                _ => None,
            };
            let outcome = run.media.obey(command, faults.bind_fails, at, &mut self.rng);
            doing.later.extend(outcome.later.into_iter().map(|(at, l)| (at, Due::Media(l))));
            let bridged = outcome.bridged.zip(decided);
            doing.bridged.extend(bridged.map(|((one, other), had)| (one, other, had)));
            doing.hears.extend(outcome.hears);
            self.wrong.extend(outcome.wrong);
        }
        for send in sends {
            self.digest = fold(self.digest, &send.bytes);
            doing.sends.push((send.flow, send.bytes));
        }
    }

    /// Plans the engine's next tick, as late as a busy machine may be.
    fn arm(&mut self, faults: &Faults, at: Mono, doing: &mut Doing) {
        let Some(run) = &mut self.run else { return };
        let Some(deadline) = run.engine.next_deadline() else { return };
        let due = Mono(deadline.0.saturating_add(run.booted.0)).max(at);
        if run.tick_at.is_some_and(|planned| planned <= due + faults.tick_late) {
            return;
        }
        let due = due + self.rng.span(Duration::ZERO, faults.tick_late);
        run.tick_at = Some(due);
        doing.later.push((due, Due::Tick));
    }
}
