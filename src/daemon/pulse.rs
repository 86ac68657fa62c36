//! What the engine thread shows of itself to the health page and the metrics: figures written by it
//! alone, read by anyone, never waited for.

use super::engine_loop::Clock;
use crate::engine::Gauges;
use crate::sip::{Admission, Blocked};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The engine's signs of life.
#[derive(Debug, Default)]
pub struct Pulse {
    last_beat_us: AtomicU64,
    /// The same of the thread of the SIP sockets.
    net_beat_us: AtomicU64,
    /// Whether an orderly end has begun.
    pub closing: AtomicBool,
    /// Whether callers are refused so that the calls that are up come to their ends.
    pub draining: AtomicBool,
    /// New requests refused because they had waited too long.
    pub shed: AtomicU64,
    /// Faults caught.
    pub panics: AtomicU64,
    /// Batches let out before the journal had them.
    pub said_before_written: AtomicU64,
    /// Whether the journal's last write succeeded.
    pub journal_well: AtomicBool,
    /// When the configuration in force was read, by the wall clock, milliseconds since 1970.
    pub config_loaded_ms: AtomicI64,
    /// When the certificate in force of `[sip.tls]` ends, seconds since 1970; 0: none, or it cannot be told.
    pub sip_certificate_end_s: AtomicI64,
    /// The same of the pages'.
    pub pages_certificate_end_s: AtomicI64,
    /// Readings that were refused for what they found.
    pub reloads_refused: AtomicU64,
    shown: Mutex<Shown>,
}

/// The last figures shown.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// The engine's gauges.
    pub gauges: Gauges,
    /// Inputs waiting for the engine.
    pub queued: usize,
    /// Inputs dropped at the inlet's bound.
    pub dropped: u64,
    /// What became of who answered our challenges.
    pub admission: Admission,
    /// Sources that are not listened to, as many as are shown.
    pub blocked: Vec<Blocked>,
}

impl Pulse {
    /// Alive, with a journal that works until shown otherwise.
    #[must_use]
    pub fn new() -> Self {
        Self { journal_well: AtomicBool::new(true), ..Self::default() }
    }

    pub(super) fn beat(&self, clock: &Clock) {
        self.last_beat_us.store(clock.now().mono.0, Ordering::Relaxed);
    }

    pub(super) fn net_beat(&self, clock: &Clock) {
        self.net_beat_us.store(clock.now().mono.0, Ordering::Relaxed);
    }

    /// How long ago the thread of the SIP sockets was last seen.
    #[must_use]
    pub fn net_silence(&self, clock: &Clock) -> Duration {
        clock.now().mono.since(crate::base::Mono(self.net_beat_us.load(Ordering::Relaxed)))
    }

    pub(super) fn show(&self, shown: Shown) {
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = shown;
    }

    /// How long ago the engine thread was last seen.
    #[must_use]
    pub fn silence(&self, clock: &Clock) -> Duration {
        clock.now().mono.since(crate::base::Mono(self.last_beat_us.load(Ordering::Relaxed)))
    }

    /// The last figures, at most a quarter of a second old while the engine lives.
    #[must_use]
    pub fn shown(&self) -> Shown {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
