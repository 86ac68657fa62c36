//! The trace as the threads share it: the engine thread writes, pages and the exporter read. A lock is
//! held for one push or for the cloning of page references, never while a message is looked at.

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

mod export;

pub use export::{Export, ExportError, MAX_BEHIND, Sent};

use crate::base::{CallId, Now};
use crate::sip::api::Flow;
use crate::trace::{Bounds, Direction, Kept, Ring, Snapshot, Tracer};
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// See the module.
#[derive(Debug)]
pub struct Trace {
    ring: Mutex<Ring>,
    on: bool,
    locals: Vec<SocketAddr>,
}

impl Trace {
    /// An empty trace. `locals` are our addresses by [`Flow::listener`].
    #[must_use]
    pub fn new(bounds: Bounds, locals: Vec<SocketAddr>) -> Self {
        Self { ring: Mutex::new(Ring::new(bounds)), on: bounds.bytes > 0, locals }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        // Only whole pushes and pops happen under the lock: a panic elsewhere leaves the ring whole.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anything is kept.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.on
    }

    /// Adds one message.
    pub fn push(&self, at: Now, flow: Flow, direction: Direction, bytes: Bytes) {
        if self.on {
            self.ring().push(at, flow, direction, bytes);
        }
    }

    /// Notes that a Call-ID is a leg of a call.
    pub fn link(&self, call_id: &str, call: CallId) {
        if self.on {
            self.ring().link(call_id, call);
        }
    }

    /// Drops what is too old.
    pub fn expire(&self, now: Now) {
        if self.on {
            self.ring().expire(now);
        }
    }

    /// What is held, for the metrics.
    #[must_use]
    pub fn kept(&self) -> Kept {
        self.ring().kept()
    }
}

impl Tracer for Trace {
    fn snapshot(&self, after: u64) -> Snapshot {
        self.ring().snapshot(after)
    }

    fn call_ids(&self, call: CallId) -> Vec<Box<str>> {
        self.ring().call_ids(call)
    }

    fn call_of(&self, call_id: &str) -> Option<CallId> {
        self.ring().call_of(call_id)
    }

    fn locals(&self) -> &[SocketAddr] {
        &self.locals
    }
}
