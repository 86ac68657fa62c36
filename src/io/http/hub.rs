//! Where the views live while the daemon runs: entries come in from the engine's side without
//! waiting, and the board and agents' panels go out to whoever watches. Each is made once, however many watch it.

use super::BoxFuture;
use crate::base::{AgentId, CallId, Mono, Now};
use crate::event::{CallEvent, Entry, Fact};

use crate::view::{FeedGauge, Panel, Views};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

/// Entries that may wait to be folded. What comes beyond is not kept but read from the store as
/// soon as there is room, so nothing is lost and nobody waits.
pub const FEED_BOUND: usize = 100_000;

/// The board is made anew at most so often, and at the first change after a quiet time at once.
pub const PUBLISH_EVERY: Duration = Duration::from_millis(100);

/// Entries folded in one turn, so that readers of the views get theirs.
const TURN: usize = 1_000;

/// How often the date is looked at and missing entries are asked for again.
const TICK: Duration = Duration::from_secs(1);

/// Reads both clocks.
pub type NowFn = Arc<dyn Fn() -> Now + Send + Sync>;

/// Reads entries from the store, from this position on, in order; as many as it likes, none when
/// there are none or it cannot.
pub type Reread = Arc<dyn Fn(u64) -> BoxFuture<Vec<Entry>> + Send + Sync>;

/// The views of the running daemon. Cheap to clone.
#[derive(Clone)]
pub struct ViewHub {
    shared: Arc<Shared>,
}

struct Shared {
    live: RwLock<Live>,
    feed: Mutex<Feed>,
    wake: Notify,
    board: watch::Sender<Arc<str>>,
    /// Panels that somebody watches, and at most as many more as were left since the last change.
    panels: Mutex<BTreeMap<AgentId, Watched>>,
    now: NowFn,
}

/// An agent's panel that is watched.
struct Watched {
    /// As it was told last, without its clocks.
    told: Panel,
    json: watch::Sender<Arc<str>>,
}

struct Live {
    views: Views,
    /// When the calls in progress arrived, by the monotonic clock.
    arrived: BTreeMap<CallId, Mono>,
}

#[derive(Default)]
struct Feed {
    batches: VecDeque<(Mono, Vec<Entry>)>,
    entries: usize,
    /// The last entry that found no room.
    turned_away: u64,
    /// Since when what is being folded waits, and how many entries that is.
    folding: Option<(Mono, usize)>,
}

impl Watched {
    /// Nobody is told what shows the same.
    fn tell(&mut self, panel: &Panel) {
        let told = panel.timeless();
        if told != self.told {
            self.told = told;
            self.json.send_replace(written(panel));
        }
    }
}

/// A panel as JSON.
fn written(panel: &Panel) -> Arc<str> {
    let json = serde_json::to_string(panel);
    // Plain values are always JSON.
    json.unwrap_or_else(|_| "null".to_owned()).into()
}

impl ViewHub {
    /// Takes the views as replayed and begins to keep them. Call inside a tokio runtime.
    #[must_use]
    pub fn start(views: Views, now: NowFn, reread: Reread) -> Self {
        let live = Live { views, arrived: BTreeMap::new() };
        let (board, _) = watch::channel(Arc::from("null"));
        let shared = Arc::new(Shared {
            live: RwLock::new(live),
            feed: Mutex::default(),
            wake: Notify::new(),
            board,
            panels: Mutex::default(),
            now,
        });
        shared.publish();
        tokio::spawn(keep(Arc::clone(&shared), reread));
        Self { shared }
    }

    /// Hands over what was decided, in order; never waits.
    pub fn feed(&self, entries: Vec<Entry>) {
        let Some(last) = entries.last().map(|entry| entry.seq) else { return };
        let mono = (self.shared.now)().mono;
        let mut feed = self.shared.feed.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = feed.entries.saturating_add(entries.len());
        if sum > FEED_BOUND {
            feed.turned_away = last;
        } else {
            feed.entries = sum;
            feed.batches.push_back((mono, entries));
        }
        drop(feed);
        self.shared.wake.notify_one();
    }

    /// How far the views are behind what was handed over.
    #[must_use]
    pub fn behind(&self) -> FeedGauge {
        let (now, last) = self.read(|views, now, _| (now, views.last_seq()));
        let feed = self.shared.feed.lock().unwrap_or_else(PoisonError::into_inner);
        let folding = feed.folding.map_or(0, |(_, entries)| entries);
        let waiting = u64::try_from(feed.entries.saturating_add(folding)).unwrap_or(u64::MAX);
        let oldest = feed.folding.or_else(|| feed.batches.front().map(|(at, _)| (*at, 0)));
        let lag = oldest.map_or(Duration::ZERO, |(at, _)| now.mono.since(at));
        FeedGauge {
            // What found no room is not among those that wait.
            behind: waiting.max(feed.turned_away.saturating_sub(last)),
            lag_ms: u64::try_from(lag.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// Both clocks.
    pub(super) fn now(&self) -> Now {
        (self.shared.now)()
    }

    /// Reads the views at this instant; the second argument tells a call's age. Be quick.
    pub fn read<T>(
        &self,
        read: impl FnOnce(&Views, Now, &dyn Fn(CallId) -> Option<u64>) -> T,
    ) -> T {
        self.shared.read(read)
    }

    /// Changes what is not history: a reloaded plan's names.
    pub fn configure(&self, change: impl FnOnce(&mut Views)) {
        change(&mut self.shared.live.write().unwrap_or_else(PoisonError::into_inner).views);
        self.shared.publish();
        self.shared.publish_panels();
    }

    /// The board as JSON, and every later one.
    pub(super) fn watch(&self) -> watch::Receiver<Arc<str>> {
        let watched = self.shared.board.subscribe();
        self.shared.publish(); // It may be old: nobody watched until now.
        watched
    }

    /// An agent's panel as JSON, and every later one that shows something else; none when the plan has no such
    /// agent. The sender is gone when a reload takes the agent out of the plan.
    pub(super) fn watch_panel(&self, agent: &AgentId) -> Option<watch::Receiver<Arc<str>>> {
        let mut panels = self.shared.panels.lock().unwrap_or_else(PoisonError::into_inner);
        let panel = self.shared.panel(agent)?;
        if let Some(known) = panels.get_mut(agent) {
            known.tell(&panel); // It may be old: perhaps nobody watched until now.
            return Some(known.json.subscribe());
        }
        let (json, watched) = watch::channel(written(&panel));
        panels.insert(agent.clone(), Watched { told: panel.timeless(), json });
        Some(watched)
    }
}

impl Shared {
    fn read<T>(&self, read: impl FnOnce(&Views, Now, &dyn Fn(CallId) -> Option<u64>) -> T) -> T {
        let now = (self.now)();
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        let age_ms = |call| {
            let arrived = live.arrived.get(&call)?;
            u64::try_from(now.mono.since(*arrived).as_millis()).ok()
        };
        read(&live.views, now, &age_ms)
    }

    fn publish(&self) {
        let json =
            self.read(|views, now, age_ms| serde_json::to_string(&views.board(now.wall, age_ms)));
        match json {
            Ok(json) => {
                self.board.send_replace(json.into());
            }
            Err(error) => tracing::error!(%error, "the board is no JSON"),
        }
    }

    fn panel(&self, agent: &AgentId) -> Option<Panel> {
        self.read(|views, now, age_ms| views.panel(agent, now.wall, age_ms))
    }

    /// Tells those who watch a panel what has changed on it, and forgets panels that nobody watches.
    fn publish_panels(&self) {
        let mut panels = self.panels.lock().unwrap_or_else(PoisonError::into_inner);
        panels.retain(|agent, watched| {
            if watched.json.receiver_count() == 0 {
                return false;
            }
            let Some(panel) = self.panel(agent) else { return false };
            watched.tell(&panel);
            true
        });
    }

    /// Which minute since 1970 it is on the wall: hours begin and end with one, and so does a day.
    fn minute(&self) -> i64 {
        self.read(|_, now, _| now.wall.0.div_euclid(60_000))
    }

    fn next_seq(&self) -> u64 {
        self.read(|views, _, _| views.next_seq())
    }

    fn take(&self) -> Option<(Mono, Vec<Entry>)> {
        let mut feed = self.feed.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = feed.batches.pop_front();
        if let Some((_, entries)) = &taken {
            feed.entries = feed.entries.saturating_sub(entries.len());
        }
        feed.folding = taken.as_ref().map(|(at, entries)| (*at, entries.len()));
        taken
    }

    fn turned_away(&self) -> u64 {
        self.feed.lock().unwrap_or_else(PoisonError::into_inner).turned_away
    }

    fn fold(&self, at: Mono, entries: &[Entry]) {
        for turn in entries.chunks(TURN) {
            let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
            for entry in turn {
                live.note_age(at, entry);
                live.views.apply(entry);
            }
        }
    }

    /// Folds `entries`, and before them what lies between them and the views, if the store has it.
    async fn fold_without_gap(&self, at: Mono, entries: &[Entry], reread: &Reread) {
        let Some(first) = entries.first().map(|entry| entry.seq) else { return };
        self.catch_up(first, reread).await;
        self.fold(at, entries);
    }

    /// Reads from the store until the views hold everything below `seq`, or the store has no more.
    async fn catch_up(&self, seq: u64, reread: &Reread) {
        loop {
            let next = self.next_seq();
            if next >= seq {
                return;
            }
            let found = reread(next).await;
            self.fold((self.now)().mono, &found);
            if self.next_seq() == next {
                tracing::warn!(from = next, below = seq, "entries are missing in the history");
                return;
            }
        }
    }
}

impl Live {
    fn note_age(&mut self, at: Mono, entry: &Entry) {
        let Fact::Call { call, t_ms, event } = &entry.fact else { return };
        if matches!(event, CallEvent::Ended { .. }) {
            self.arrived.remove(call);
        } else {
            let arrived = Mono(at.0.saturating_sub(t_ms.saturating_mul(1_000)));
            let known = self.arrived.entry(*call).or_insert(arrived);
            *known = arrived.min(*known);
        }
    }
}

/// The keeper's life: folds what comes, publishes what changed.
async fn keep(shared: Arc<Shared>, reread: Reread) {
    let mut published = Instant::now();
    let mut changed = false;
    let mut minute = shared.minute();
    loop {
        while let Some((at, entries)) = shared.take() {
            shared.fold_without_gap(at, &entries, &reread).await;
            changed = true;
            if due(published) {
                break;
            }
        }
        if shared.turned_away() >= shared.next_seq() && shared.is_fed_out() {
            shared.catch_up(shared.turned_away().saturating_add(1), &reread).await;
            changed = true;
        }
        // Also without an entry: a number opens by the plan, midnight comes, or somebody sets the clock.
        let now = shared.minute();
        if changed && due(published) || now != minute {
            published = Instant::now();
            minute = now;
            changed = false;
            // Nobody watches: the next who does gets a fresh one.
            if shared.board.receiver_count() > 0 {
                shared.publish();
            }
            shared.publish_panels();
        }
        if !shared.is_fed_out() {
            tokio::task::yield_now().await;
            continue;
        }
        let wait = if changed { PUBLISH_EVERY.saturating_sub(published.elapsed()) } else { TICK };
        let until = Instant::now().checked_add(wait).unwrap_or(published);
        tokio::select! {
            () = shared.wake.notified() => {}
            () = sleep_until(until) => {}
        }
    }
}

fn due(published: Instant) -> bool {
    published.elapsed() >= PUBLISH_EVERY
}

impl Shared {
    fn is_fed_out(&self) -> bool {
        self.feed.lock().unwrap_or_else(PoisonError::into_inner).batches.is_empty()
    }
}
