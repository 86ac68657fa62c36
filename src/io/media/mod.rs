//! Sound on threads of its own: commands in, notices out, and between them packets that no engine,
//! store or page can hold up. Knows legs, ports and prompts; knows no call, no desk and no SIP.
//!
//! The technique behind [`Media`] is one epoll loop a thread, a socket a leg, connected once the phone
//! has spoken. It can be replaced without a change to [`crate::rtp::command`].

// What a stranger sends cannot make us panic.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod built_in;
mod counters;
mod elsewhere;
mod framing;
mod leg;
mod listening;
mod loudness;
mod making;
mod mixing;
mod orders;
mod passing;
mod playing;
mod pressing;
mod prompts;
mod queue;
mod reports;
mod reserved;
mod slab;
mod tap;
mod web;
mod wheel;
mod worker;

#[cfg(test)]
mod tests;

pub use counters::Counters;
pub use making::Maker;
pub use prompts::{PromptError, PromptLibrary};

use crate::base::{LegId, Mono, PromptId, Rng};
use crate::dtls::Identity;
use crate::rtp::LearnSource;
use crate::rtp::command::{Command, Notice};
use counters::Board;
use queue::{Order, Queue};
use reserved::Reserved;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How the media threads are to work.
#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// Threads, at least 1; each can carry over a thousand calls.
    pub threads: usize,
    /// What can be played.
    pub prompts: Arc<PromptLibrary>,
    /// What the plan names of it.
    pub wanted: BTreeSet<PromptId>,
    /// A phone that should speak and is not heard for so long is told as `Silent`.
    pub silence_after: Duration,
    /// Phones behind NAT: whose five packets in a row are believed while the SDP's own address is silent.
    pub learn_source: LearnSource,
    /// Our certificate for DTLS; without one no keys are agreed on along the way.
    pub identity: Option<Arc<Identity>>,
    /// Bytes of each thread's ring to the recorder; 0: nothing can be recorded.
    pub tap_bytes: usize,
    /// When the daemon's clock began: tapped packets are stamped by it.
    pub epoch: Instant,
    /// DSCP of what we send, 0 to 63; 46 is "expedited forwarding", 0 leaves the field alone.
    pub dscp: u8,
}

impl MediaConfig {
    /// One thread, silence after 10 s, phones behind NAT welcome, expedited forwarding.
    #[must_use]
    pub fn new(prompts: Arc<PromptLibrary>) -> Self {
        let silence_after = Duration::from_secs(10);
        Self {
            threads: 1,
            wanted: prompts.names(),
            prompts,
            silence_after,
            learn_source: LearnSource::Signalling,
            identity: None,
            tap_bytes: 0,
            epoch: Instant::now(),
            dscp: 46,
        }
    }
}

/// The media threads. Dropping it closes every leg and ends them.
///
/// A panic while a packet or a command is handled is caught: it closes that one leg, is counted in
/// [`Counters::faults`] and told as the leg's `OpenFailed`. Should a thread end all the same,
/// [`Media::healthy`] says so.
pub struct Media {
    threads: Vec<Thread>,
    /// Which thread owns which leg; empty when there is only one thread.
    homes: Mutex<Homes>,
    reserved: Arc<Reserved>,
    maker: Maker,
    rings: Mutex<Vec<rtrb::Consumer<u8>>>,
    dscp: u8,
    notices: Mutex<Box<dyn Fn(Notice) + Send>>,
    plays_refused: AtomicU64,
}

struct Thread {
    queue: Arc<Queue>,
    board: Arc<Board>,
    handle: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Homes {
    of: BTreeMap<LegId, usize>,
    next: usize,
}

impl Media {
    /// Starts the threads. `notices` is called on them and must not wait.
    ///
    /// # Errors
    ///
    /// The system's, when a thread or its descriptors cannot be had.
    pub fn start<N>(config: &MediaConfig, notices: N) -> io::Result<Self>
    where
        N: Fn(Notice) + Send + Clone + 'static,
    {
        let reserved = Arc::new(Reserved::default());
        let maker = Maker::start(Arc::clone(&config.prompts))?;
        maker.plan(config.wanted.clone());
        let (mut threads, mut rings) = (Vec::new(), Vec::new());
        for number in 0..config.threads.max(1) {
            let (queue, board) = (Arc::new(Queue::new()?), Arc::new(Board::default()));
            let mut key = [0; 32];
            getrandom::fill(&mut key).map_err(io::Error::other)?;
            let rng = Rng::from_key(key);
            let (taps, ring) = tap::Taps::new(config.tap_bytes);
            rings.extend(ring);
            let mut worker = worker::Worker::new(
                config,
                (taps, maker.clone()),
                Arc::clone(&queue),
                Arc::clone(&reserved),
                Arc::clone(&board),
                notices.clone(),
                rng,
            )?;
            let handle = std::thread::Builder::new()
                .name(format!("media-{number}"))
                .spawn(move || worker.run())?;
            threads.push(Thread { queue, board, handle: Some(handle) });
        }
        Ok(Self {
            threads,
            homes: Mutex::default(),
            reserved,
            maker,
            rings: Mutex::new(rings),
            dscp: config.dscp,
            notices: Mutex::new(Box::new(notices)),
            plays_refused: AtomicU64::new(0),
        })
    }

    /// Gives a command to the thread of its leg; takes about a microsecond and never waits for a
    /// thread. Commands for one leg are carried out in the order given. When 65,536 commands wait, a
    /// `Play` is refused and counted; nothing else ever is. A `Reserve` is carried out here and now, so
    /// that every `Open` given later finds its port, whichever thread it goes to.
    pub fn send(&self, command: Command) {
        if let Command::Reserve { ip, port } = command {
            let bound = self.reserved.bind(ip, port, self.dscp);
            let notice =
                if bound { Notice::Reserved { port } } else { Notice::NotReserved { port } };
            return (self.notices.lock().unwrap_or_else(PoisonError::into_inner))(notice);
        }
        let home = self.home(&command);
        let taken =
            self.threads.get(home).is_none_or(|thread| thread.queue.push(Order::Command(command)));
        if !taken {
            self.plays_refused.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Who makes the prompts, to be told of a new plan.
    #[must_use]
    pub fn maker(&self) -> Maker {
        self.maker.clone()
    }

    /// What has been counted so far; at most some milliseconds old.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let mut sum = Counters::default();
        self.threads.iter().for_each(|thread| thread.board.add_to(&mut sum));
        sum.plays_refused = self.plays_refused.load(Ordering::Relaxed);
        sum.held_elsewhere = self.reserved.held_elsewhere();
        sum
    }

    /// Where tapped packets come out, one ring a thread; for the recorder, once.
    #[must_use]
    pub fn rings(&self) -> Vec<rtrb::Consumer<u8>> {
        std::mem::take(&mut *self.rings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether every thread is alive. A thread that has ended carries no sound any more: the process
    /// should be restarted.
    #[must_use]
    pub fn healthy(&self) -> bool {
        self.threads
            .iter()
            .all(|thread| thread.handle.as_ref().is_some_and(|handle| !handle.is_finished()))
    }

    /// How long ago the slowest thread was last seen, by the clock that the media was started with; without an end
    /// when one has ended.
    #[must_use]
    pub fn silence(&self, now: Mono) -> Duration {
        if !self.healthy() {
            return Duration::MAX;
        }
        let silences = self.threads.iter().map(|thread| now.since(thread.board.beaten_at()));
        silences.max().unwrap_or_default()
    }

    /// The thread that the command is for. Two legs that are to be joined come to live on one thread
    /// first, so that no packet ever crosses threads.
    fn home(&self, command: &Command) -> usize {
        if self.threads.len() == 1 {
            return 0;
        }
        let mut homes = self.homes.lock().unwrap_or_else(PoisonError::into_inner);
        let home = |homes: &Homes, leg: &LegId| homes.of.get(leg).copied();
        match command {
            Command::Open { leg, .. } => {
                let next = homes.next;
                homes.next = next.wrapping_add(1).checked_rem(self.threads.len()).unwrap_or(0);
                *homes.of.entry(*leg).or_insert(next)
            }
            Command::Close { leg } => homes.of.remove(leg).unwrap_or(0),
            Command::Bridge { a, b } => {
                let Some(to) = home(&homes, a) else { return 0 };
                self.gather(&mut homes, *b, to);
                to
            }
            Command::Mix { seats } => {
                let first = seats.iter().find_map(|seat| home(&homes, &seat.leg));
                let Some(to) = first else { return 0 };
                for seat in seats {
                    self.gather(&mut homes, seat.leg, to);
                }
                to
            }
            Command::Reserve { .. } => 0,
            Command::Stream { leg, .. }
            | Command::Unbridge { leg }
            | Command::Play { leg, .. }
            | Command::Press { leg, .. }
            | Command::Tap { leg, .. }
            | Command::Stop { leg }
            | Command::Keyed { leg } => home(&homes, leg).unwrap_or(0),
        }
    }
}

impl Media {
    /// Has the leg come to live on thread `to`.
    fn gather(&self, homes: &mut Homes, leg: LegId, to: usize) {
        let Some(from) = homes.of.get(&leg).copied().filter(|from| *from != to) else { return };
        if let (Some(old), Some(new)) = (self.threads.get(from), self.threads.get(to)) {
            homes.of.insert(leg, to);
            // In this order and under the lock: every thread sees the moves in the same order, so the
            // oldest unfinished one can always go on and no two threads wait in a ring.
            old.queue.push(Order::Hand { leg, to: Arc::clone(&new.queue) });
            new.queue.push(Order::Await { leg });
        }
    }
}

impl Drop for Media {
    fn drop(&mut self) {
        for thread in &self.threads {
            thread.queue.push(Order::Stop);
        }
        for thread in &mut self.threads {
            // A thread that panicked has said so already.
            let _ = thread.handle.take().map(JoinHandle::join);
        }
    }
}
