//! Commands on their way to a media thread. The engine only appends and, when the thread may be
//! asleep, rings its bell (an eventfd); it never waits for the thread.

use super::leg::Leg;
use crate::base::LegId;
use crate::rtp::command::Command;
use rustix::event::{EventfdFlags, eventfd};
use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Waiting commands beyond which a `Play` is refused and counted. Everything else is always taken,
/// since a lost `Close` would lose a port: what waits is then bounded by the lines that the engine
/// allows.
pub(super) const MAX_WAITING: usize = 65_536;

/// What a thread is told.
pub(super) enum Order {
    /// By the engine.
    Command(Command),
    /// Hand the leg over to another thread, where its partner lives.
    Hand { leg: LegId, to: Arc<Queue> },
    /// Do nothing of what follows until the leg has been handed over.
    Await { leg: LegId },
    /// End.
    Stop,
}

/// One thread's queue.
pub(super) struct Queue {
    inner: Mutex<Inner>,
    bell: OwnedFd,
    /// Rung and not yet heard.
    rung: AtomicBool,
}

#[derive(Default)]
struct Inner {
    orders: VecDeque<Order>,
    handed: Vec<(LegId, Option<Box<Leg>>)>,
}

impl Queue {
    pub(super) fn new() -> io::Result<Self> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { inner: Mutex::default(), bell, rung: AtomicBool::new(false) })
    }

    /// Appends; false when it was a `Play` beyond the bound.
    pub(super) fn push(&self, order: Order) -> bool {
        {
            let mut inner = self.lock();
            let play = matches!(order, Order::Command(Command::Play { .. }));
            if play && inner.orders.len() >= MAX_WAITING {
                return false;
            }
            inner.orders.push_back(order);
        }
        self.ring();
        true
    }

    /// Gives a leg, or the word that there is none, to the thread that awaits it.
    pub(super) fn hand(&self, id: LegId, leg: Option<Box<Leg>>) {
        self.lock().handed.push((id, leg));
        self.ring();
    }

    /// Takes what is waiting, to the end of `orders`.
    pub(super) fn take(&self, orders: &mut VecDeque<Order>) {
        // Cleared before looking: what is pushed from here on rings again.
        self.rung.store(false, Ordering::SeqCst);
        orders.append(&mut self.lock().orders);
    }

    /// Takes the leg that was awaited; none while it has not come.
    pub(super) fn take_handed(&self, id: LegId) -> Option<(LegId, Option<Box<Leg>>)> {
        let mut inner = self.lock();
        let at = inner.handed.iter().position(|(handed, _)| *handed == id)?;
        Some(inner.handed.swap_remove(at))
    }

    /// The descriptor that becomes readable when the bell rings.
    pub(super) const fn bell(&self) -> &OwnedFd {
        &self.bell
    }

    /// Stops the ringing.
    pub(super) fn quiet(&self) {
        // Nothing to read means that it was quiet already.
        let _ = rustix::io::read(&self.bell, &mut [0_u8; 8]);
    }

    fn ring(&self) {
        if !self.rung.swap(true, Ordering::SeqCst) {
            // Fails only when 2^64 rings were not heard.
            let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
        }
    }

    /// A thread that panicked while holding the lock has left a list, and lists stay whole.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
