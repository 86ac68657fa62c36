//! One media thread: waits for packets, commands and the beat of what plays, and serves them in turn.
//! What becomes of a packet is in [`super::passing`].

use super::counters::{Board, Counters, count};
use super::leg::Leg;
use super::mixing::Mix;
use super::queue::{Order, Queue};
use super::reports;
use super::reserved::Reserved;
use super::slab::{Slab, Token};
use super::tap::Taps;
use super::wheel::Wheel;
use super::{Maker, MediaConfig, PromptLibrary};
use crate::base::{LegId, Mono, Rng};
use crate::dtls::Identity;
use crate::rtp::LearnSource;
use crate::rtp::command::Notice;
use crate::rtp::rtcp::Ntp;
use rustix::event::{Timespec, epoll};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// Packets served before commands and plays get their turn: less than a millisecond's work.
const PACKETS_A_ROUND: usize = 128;
/// A round that begins so much later than it should have is a stall: what waited meanwhile is old.
const STALL: Duration = Duration::from_millis(100);
/// Reads spent on emptying one leg after a stall; the kernel holds fewer packets than that.
const READS_AFTER_STALL: usize = 64;
/// How often silence is looked for.
const SCAN_EVERY: Duration = Duration::from_millis(500);

/// A thread goes round at least this often.
const PULSE: Duration = Duration::from_secs(1);
/// The bell's mark among the sockets' tokens.
const BELL: u64 = u64::MAX;
/// A packet with room to see that it was too long.
const BUFFER_BYTES: usize = 2048;

/// What is done by the clock; the number tells a former timer from the one that counts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Beat {
    /// A play's next packet.
    Play { leg: Token, beat: u32 },
    /// A pressed key's next packet.
    Key { leg: Token },
    /// Time for an unfinished handshake.
    Handshake { leg: Token },
    /// A mix's next piece of sound.
    Mix { mix: Token, beat: u32 },
}

/// A media thread's all.
pub(super) struct Worker<N> {
    pub(super) epoll: OwnedFd,
    pub(super) queue: Arc<Queue>,
    pub(super) orders: VecDeque<Order>,
    pub(super) reserved: Arc<Reserved>,
    /// The leg without which no order may be carried out.
    pub(super) awaited: Option<LegId>,
    pub(super) legs: Slab<Leg>,
    pub(super) index: BTreeMap<LegId, Token>,
    pub(super) mixes: Slab<Mix>,
    pub(super) wheel: Wheel<Beat>,
    pub(super) buffer: Vec<u8>,
    pub(super) counted: Counters,
    board: Arc<Board>,
    pub(super) taps: Taps,
    pub(super) notices: N,
    pub(super) prompts: Arc<PromptLibrary>,
    pub(super) maker: Maker,
    silence_after: Duration,
    pub(super) learn_source: LearnSource,
    pub(super) identity: Option<Arc<Identity>>,
    pub(super) dscp: u8,
    pub(super) rng: Rng,
    epoch: Instant,
    /// What the clock of our reports said then.
    pub(super) ntp_at_start: Ntp,
    pub(super) now: Mono,
    pub(super) stopping: bool,
}

impl<N: Fn(Notice)> Worker<N> {
    pub(super) fn new(
        config: &MediaConfig,
        (taps, maker): (Taps, Maker),
        queue: Arc<Queue>,
        reserved: Arc<Reserved>,
        board: Arc<Board>,
        notices: N,
        rng: Rng,
    ) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, queue.bell(), epoll::EventData::new_u64(BELL), epoll::EventFlags::IN)?;
        let mut worker = Self {
            epoll,
            queue,
            reserved,
            orders: VecDeque::new(),
            awaited: None,
            legs: Slab::new(),
            index: BTreeMap::new(),
            mixes: Slab::new(),
            wheel: Wheel::new(0),
            buffer: vec![0; BUFFER_BYTES],
            counted: Counters::default(),
            board,
            taps,
            notices,
            prompts: Arc::clone(&config.prompts),
            maker,
            silence_after: config.silence_after,
            learn_source: config.learn_source,
            identity: config.identity.clone(),
            dscp: config.dscp,
            rng,
            epoch: config.epoch,
            ntp_at_start: Ntp::default(),
            now: Mono::ZERO,
            stopping: false,
        };
        worker.read_clock();
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        // By the thread's own time from here on, so that it never jumps.
        let at_zero = since_1970.unwrap_or_default().saturating_sub(worker.now.since(Mono::ZERO));
        let ms = i64::try_from(at_zero.as_millis()).unwrap_or(0);
        worker.ntp_at_start = Ntp::from_unix_ms(ms);
        worker.board.beat(worker.now);
        Ok(worker)
    }

    /// Works until told to stop.
    pub(super) fn run(&mut self) {
        let mut events: Vec<epoll::Event> = Vec::with_capacity(PACKETS_A_ROUND);
        let mut due = Vec::new();
        let mut scanned_at = self.now;
        while !self.stopping {
            let before = self.now;
            self.read_clock();
            let worked = self.now.since(before);
            self.board.beat(self.now);
            let wait = self.wait(scanned_at);
            events.clear();
            // Also a thread that has nothing to do shows that it lives.
            let timeout = Some(timespec(wait.map_or(PULSE, |wait| wait.min(PULSE))));
            if let Err(errno) = epoll::wait(
                &self.epoll,
                rustix::buffer::spare_capacity(&mut events),
                timeout.as_ref(),
            ) && errno != rustix::io::Errno::INTR
            {
                // Only a lost descriptor can cause it; `Media::healthy` tells the daemon.
                return;
            }
            let began = self.now;
            self.read_clock();
            let overslept =
                wait.is_some_and(|wait| self.now.since(began) > wait.saturating_add(STALL));
            if overslept || worked > STALL {
                self.after_stall();
            }
            for event in &events {
                match event.data.u64() {
                    BELL => self.queue.quiet(),
                    bits => {
                        let (leg, control) = reports::marked(bits);
                        self.guarded(Some(leg), |worker| {
                            if control {
                                worker.receive_control(leg);
                            } else {
                                worker.receive(leg, true);
                            }
                        });
                    }
                }
            }
            self.carry_out_orders();
            self.beat_due(&mut due);
            if self.now.since(scanned_at) >= SCAN_EVERY {
                self.scan();
                self.look_after_sound();
                scanned_at = self.now;
            }
            self.board.publish(&self.counted);
        }
        (self.legs, self.mixes) = (Slab::new(), Slab::new());
        self.index.clear();
        (self.counted.legs, self.counted.bridges, self.counted.plays) = (0, 0, 0);
        self.counted.mixes = 0;
        self.board.publish(&self.counted);
    }

    fn read_clock(&mut self) {
        let micros = self.epoch.elapsed().as_micros();
        self.now = Mono(u64::try_from(micros).unwrap_or(u64::MAX));
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.now.0.checked_div(1000).unwrap_or(0)
    }

    /// How long nothing needs to be done; none: until somebody calls.
    fn wait(&self, scanned_at: Mono) -> Option<Duration> {
        if self.awaited.is_none() && !self.orders.is_empty() {
            return Some(Duration::ZERO);
        }
        let beat = self.wheel.next_due_ms().map(|ms| Mono(ms.saturating_mul(1000)).since(self.now));
        let scan =
            (self.counted.legs > 0).then(|| SCAN_EVERY.saturating_sub(self.now.since(scanned_at)));
        beat.into_iter().chain(scan).min()
    }

    /// Runs one piece of work; should it panic, that costs the leg and nothing else.
    pub(super) fn guarded(&mut self, leg: Option<Token>, work: impl FnOnce(&mut Self)) {
        if !self.survives(work)
            && let Some(token) = leg
        {
            self.lose(token);
        }
    }

    /// False when the work panicked.
    fn survives(&mut self, work: impl FnOnce(&mut Self)) -> bool {
        let survived = catch_unwind(AssertUnwindSafe(|| work(self))).is_ok();
        if !survived {
            count(&mut self.counted.faults);
        }
        survived
    }

    /// Closes a leg by a fault of ours, and tells.
    pub(super) fn lose(&mut self, token: Token) {
        let Some((leg, port)) = self.legs.get_mut(token).map(|leg| (leg.id, leg.port())) else {
            return;
        };
        self.close(leg);
        let tell = || (self.notices)(Notice::OpenFailed { leg, port });
        let _ = catch_unwind(AssertUnwindSafe(tell));
    }

    /// The machine slept: what has waited on the sockets is thrown away, so that nobody hears a
    /// conversation late for the rest of the call.
    fn after_stall(&mut self) {
        count(&mut self.counted.stalls);
        let legs: Vec<Token> = self.index.values().copied().collect();
        for leg in legs {
            self.guarded(Some(leg), |worker| {
                let _ = (0..READS_AFTER_STALL)
                    .try_for_each(|_| worker.receive(leg, false).then_some(()));
            });
        }
    }

    // ---- what is done by the clock ----

    fn beat_due(&mut self, due: &mut Vec<Beat>) {
        let now_ms = self.now_ms();
        while let Some(at_ms) = self.wheel.take(now_ms, due) {
            for beat in due.drain(..) {
                match beat {
                    Beat::Play { leg, beat } => {
                        self.guarded(Some(leg), |worker| worker.play(leg, beat, at_ms));
                    }
                    Beat::Key { leg } => {
                        self.guarded(Some(leg), |worker| worker.beat_key(leg, at_ms));
                    }
                    Beat::Handshake { leg } => {
                        self.guarded(Some(leg), |worker| worker.beat_handshake(leg, at_ms));
                    }
                    Beat::Mix { mix, beat } => {
                        if !self.survives(|worker| worker.beat_mix(mix, beat, at_ms)) {
                            self.lose_mix(mix);
                        }
                    }
                }
            }
        }
    }

    fn scan(&mut self) {
        let mut lost = Vec::new();
        for (id, token) in &self.index {
            let Some(leg) = self.legs.get_mut(*token) else { continue };
            if leg.has_fallen_silent(self.now, self.silence_after) {
                leg.silent = true;
                (self.notices)(Notice::Silent { leg: *id });
            }
            leg.look_for_consent(self.now);
            if leg.waits_in_vain(self.now) {
                lost.push(*token);
            }
        }
        for token in lost {
            count(&mut self.counted.handshakes_failed);
            self.lose(token);
        }
    }
}

fn timespec(span: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(span.subsec_nanos()),
    }
}
