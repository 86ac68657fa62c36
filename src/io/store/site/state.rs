//! How the copying fares, for whoever watches.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Where the copying stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SitePhase {
    /// Not reached yet since the start.
    #[default]
    Reaching,
    /// What the journal has is being copied.
    Copying,
    /// All that the journal has is there.
    Level,
    /// The database does not answer; tried again.
    Away {
        /// What was said last.
        why: String,
    },
    /// It answers and the copy cannot go on until somebody mends it; tried again all the same.
    Refused {
        /// What is wrong and what to do.
        why: String,
    },
}

/// How the copying fares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteState {
    /// Where it stands.
    pub phase: SitePhase,
    /// The last entry that is known to be there; 0 before it was reached.
    pub copied_seq: u64,
    /// Entries of the journal that are not known to be there.
    pub behind: u64,
    /// For how long not all of the journal has been there.
    pub behind_for: Duration,
    /// Entries copied since the start (counter).
    pub copied: u64,
    /// Tries that failed since the start (counter).
    pub failures: u64,
}

/// What the thread writes down and others read.
pub(super) struct Shared(Mutex<Inner>);

struct Inner {
    phase: SitePhase,
    copied_seq: u64,
    copied: u64,
    failures: u64,
    /// When all of the journal was last known to be there; the start before it ever was.
    level_at: Instant,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Inner {
            phase: SitePhase::default(),
            copied_seq: 0,
            copied: 0,
            failures: 0,
            level_at: Instant::now(),
        }))
    }

    fn with<T>(&self, look: impl FnOnce(&mut Inner) -> T) -> T {
        // Nothing panics while holding it; were it so, the numbers would still be whole.
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes where it stands; what it was before.
    pub(super) fn enter(&self, phase: SitePhase) -> SitePhase {
        self.with(|inner| {
            inner.failures +=
                u64::from(matches!(phase, SitePhase::Away { .. } | SitePhase::Refused { .. }));
            if phase == SitePhase::Level {
                inner.level_at = Instant::now();
            }
            std::mem::replace(&mut inner.phase, phase)
        })
    }

    pub(super) fn found(&self, seq: u64) {
        self.with(|inner| inner.copied_seq = seq);
    }

    pub(super) fn copied(&self, up_to: u64, count: u64) {
        self.with(|inner| {
            inner.copied_seq = up_to;
            inner.copied = inner.copied.saturating_add(count);
        });
    }

    /// As seen now by somebody who knows the journal's last entry.
    pub(super) fn state(&self, journal_seq: u64, now: Instant) -> SiteState {
        self.with(|inner| {
            let behind = journal_seq.saturating_sub(inner.copied_seq);
            let since = now.saturating_duration_since(inner.level_at);
            SiteState {
                phase: inner.phase.clone(),
                copied_seq: inner.copied_seq,
                behind,
                behind_for: if behind == 0 { Duration::ZERO } else { since },
                copied: inner.copied,
                failures: inner.failures,
            }
        })
    }
}
