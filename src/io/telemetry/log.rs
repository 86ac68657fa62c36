//! The operator's log: text for people, JSON for collectors, to standard error, room by room, with levels that are
//! changed while the desk serves (docs/LOG.md). The process has one.
//!
//! Who logs never waits for who reads: lines go through a bounded queue to a thread of their own. A full queue drops
//! lines, and a line says how many.

use super::log_line::{Form, LineLayer, plain};
use crate::base::{LogInForce, LogLevel, LogLevels, LogRoom, Mono, NoLevels};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, reload};

/// The environment variable that goes before `[log] levels` of the configuration, in the same notation.
pub const LEVEL_VARIABLE: &str = "MADOGUCHI_LOG";

/// Lines that wait for standard error; one more is dropped and counted.
pub const LINES_MAX: usize = 4_096;

/// So long the end of the process waits for the last lines.
const LAST_LINES: Duration = Duration::from_secs(1);

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One line of text an event.
    #[default]
    Text,
    /// One JSON object an event.
    Json,
}

/// Why the log could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The environment variable holds no levels; the log stands as the configuration has it.
    #[error("{LEVEL_VARIABLE} is not used: {0}")]
    Levels(#[from] NoLevels),
    /// The log was set up before.
    #[error("the log is set up already")]
    Twice,
    /// There is no thread for it.
    #[error("the operating system refused a thread for the log: {0}")]
    NoThread(std::io::Error),
}

/// What is told of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomShown {
    /// Which.
    pub room: LogRoom,
    /// In force.
    pub level: LogLevel,
    /// By the configuration.
    pub configured: LogLevel,
    /// In how many seconds an order ends, if there is one.
    pub left_s: Option<u64>,
}

/// The process's log, once it is set up.
struct Log {
    filter: reload::Handle<Targets, Registry>,
    form: Arc<Form>,
    began: Instant,
    levels: Mutex<LogInForce>,
    /// The environment says what is configured.
    pinned: bool,
    queue: SyncSender<Waiting>,
}

static LOG: OnceLock<Log> = OnceLock::new();

/// What the thread of the log is handed.
enum Waiting {
    Line(String),
    /// Everything before it is out.
    Flush(SyncSender<()>),
}

/// The way to that thread.
#[derive(Clone)]
pub(super) struct Outlet {
    queue: SyncSender<Waiting>,
    dropped: Arc<AtomicU64>,
}

impl Outlet {
    /// Gives a line, with its line end, to who writes; never waits.
    pub(super) fn put(&self, line: String) {
        match self.queue.try_send(Waiting::Line(line)) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// The way, and the thread at its end.
    fn start(form: Arc<Form>) -> std::io::Result<Self> {
        let (queue, waiting) = sync_channel(LINES_MAX);
        let dropped = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&dropped);
        let thread = std::thread::Builder::new().name("log".into());
        thread.spawn(move || write_out(&waiting, &counted, &form, &mut std::io::stderr()))?;
        Ok(Self { queue, dropped })
    }
}

/// Writes what comes until nobody can send any more.
fn write_out(
    waiting: &Receiver<Waiting>,
    dropped: &AtomicU64,
    form: &Form,
    out: &mut dyn std::io::Write,
) {
    loop {
        match waiting.recv_timeout(Duration::from_secs(1)) {
            // Nobody could be told that nobody can be told.
            Ok(Waiting::Line(line)) => drop(out.write_all(line.as_bytes())),
            Ok(Waiting::Flush(done)) => drop(done.try_send(())),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let lost = dropped.swap(0, Ordering::Relaxed);
        if lost > 0 {
            drop(out.write_all(form.dropped(lost).as_bytes()));
        }
    }
}

/// Sets up the process's log. Call once, before any thread is started. `pinned_json`: as JSON, whatever the
/// configuration says.
///
/// # Errors
///
/// [`LogError`]; of [`LogError::Levels`] the log stands all the same.
pub fn init(pinned_json: bool) -> Result<(), LogError> {
    let (said, wrong) = match wanted(&std::env::var(LEVEL_VARIABLE).unwrap_or_default()) {
        Ok(said) => (said, None),
        Err(wrong) => (None, Some(wrong)),
    };
    let form = Arc::new(Form::of_standard_error(pinned_json));
    let outlet = Outlet::start(Arc::clone(&form)).map_err(LogError::NoThread)?;
    let queue = outlet.queue.clone();
    let (mut levels, pinned) = (LogInForce::default(), said.is_some());
    levels.configure(said.unwrap_or_default());
    let (filter, handle) = reload::Layer::new(filter(&levels));
    let layer = LineLayer::new(Arc::clone(&form), outlet);
    let registry = tracing_subscriber::registry().with(filter).with(layer);
    registry.try_init().map_err(|_| LogError::Twice)?;
    let (began, levels) = (Instant::now(), Mutex::new(levels));
    // Nobody else set a subscriber, so nobody else has set this.
    let _ = LOG.set(Log { filter: handle, form, began, levels, pinned, queue });
    wrong.map_or(Ok(()), |wrong| Err(wrong.into()))
}

/// What the environment says; none when it says nothing.
fn wanted(text: &str) -> Result<Option<LogLevels>, NoLevels> {
    if text.is_empty() { Ok(None) } else { text.parse().map(Some) }
}

/// Made of names of ours alone, which are a filter: a test goes through all rooms.
fn filter(levels: &LogInForce) -> Targets {
    let info = || Targets::new().with_default(LevelFilter::INFO);
    levels.directives().parse().unwrap_or_else(|_| info())
}

/// Takes what the configuration says; what the environment says goes before it. Orders stand.
pub fn configure(levels: &LogLevels, format: LogFormat) {
    let Some(log) = LOG.get() else { return };
    log.form.set(format);
    log.change(|in_force| {
        if !log.pinned {
            in_force.configure(levels.clone());
        }
    });
}

/// A person's order for one room, or without one for all; it ends by itself.
pub fn order(room: Option<LogRoom>, level: LogLevel, lasts: Duration) {
    let Some(log) = LOG.get() else { return };
    let until = log.now() + lasts;
    log.change(|in_force| in_force.order(room, level, until));
}

/// Ends all orders.
pub fn end_orders() {
    let Some(log) = LOG.get() else { return };
    log.change(|in_force| {
        let _ = in_force.end_orders();
    });
}

/// Ends the orders whose time is over; to be called now and then.
pub fn look() {
    let Some(log) = LOG.get() else { return };
    let now = log.now();
    let ended = log.levels.lock().unwrap_or_else(PoisonError::into_inner).look(now);
    if ended {
        log.change(|_| ());
        tracing::info!(
            "an order for the log is over: its levels are as before / ログの水準を元に戻しました"
        );
    }
}

/// Every room; none when the process has no log of ours.
#[must_use]
pub fn shown() -> Vec<RoomShown> {
    let Some(log) = LOG.get() else { return Vec::new() };
    let now = log.now();
    let levels = log.levels.lock().unwrap_or_else(PoisonError::into_inner);
    let of = |room| {
        let (level, configured, until) = levels.of(room);
        let left_s = until.map(|until| until.since(now).as_secs());
        RoomShown { room, level, configured, left_s }
    };
    LogRoom::ALL.into_iter().map(of).collect()
}

/// What a command says on `stream` outside the log, with a line end: where that is systemd's journal, each line has its
/// priority as the log's lines do, so that `journalctl -p err` finds why a desk does not start.
#[must_use]
pub fn as_said(level: LogLevel, text: &str, stream: impl AsFd) -> String {
    let level = match level {
        LogLevel::Error => Level::ERROR,
        LogLevel::Warn => Level::WARN,
        LogLevel::Info => Level::INFO,
        LogLevel::Debug => Level::DEBUG,
        LogLevel::Trace => Level::TRACE,
    };
    plain(level, text, stream)
}

/// Waits a moment until all that was said is written: for the end of the process.
pub fn finish() {
    let Some(log) = LOG.get() else { return };
    let (done, written) = sync_channel(1);
    // A queue that is full has somebody before it who takes nothing.
    if log.queue.try_send(Waiting::Flush(done)).is_ok() {
        let _ = written.recv_timeout(LAST_LINES);
    }
}

impl Log {
    fn now(&self) -> Mono {
        Mono(u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    fn change(&self, change: impl FnOnce(&mut LogInForce)) {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut levels);
        // Fails when the subscriber is gone, and with it whoever would read.
        let _ = self.filter.reload(filter(&levels));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_that_are_none_are_named() {
        assert_eq!(wanted(""), Ok(None));
        assert!(wanted("debug,net=info").is_ok() && wanted("madoguchi::engine=debug,info").is_ok());
        let error =
            LogError::from(wanted("madoguchi=loud").expect_err("no such level")).to_string();
        assert!(error.contains("madoguchi=loud") && error.contains("due"), "{error}");
    }

    #[test]
    fn every_room_is_a_directive_of_the_filter() {
        let mut levels = LogInForce::default();
        for room in LogRoom::ALL {
            levels.order(Some(room), LogLevel::Trace, Mono(1));
        }
        let shown = filter(&levels).to_string();
        for target in LogRoom::ALL.iter().flat_map(|room| room.targets()) {
            assert!(shown.contains(&format!("{target}=trace")), "{target} in {shown}");
        }
    }

    /// Standard error that takes nothing must not stop who logs.
    #[test]
    fn who_logs_does_not_wait_and_what_is_dropped_is_told() {
        let (queue, waiting) = sync_channel(2);
        let dropped = Arc::new(AtomicU64::new(0));
        let outlet = Outlet { queue, dropped: Arc::clone(&dropped) };
        for n in 0..5 {
            outlet.put(format!("line {n}\n"));
        }
        drop(outlet);
        let mut out = Vec::new();
        write_out(&waiting, &dropped, &Form::text(), &mut out);
        let text = String::from_utf8(out).expect("text");
        assert!(text.contains("line 0\n") && text.contains("line 1\n"), "{text}");
        assert!(!text.contains("line 2") && text.contains("dropped=3"), "{text}");
    }
}
