//! The engine's ear: a bounded queue in two lanes that any thread may fill and one thread empties.
//!
//! What belongs to calls that already exist is served before what would make new ones, so that
//! overload is met by refusing new calls and never by losing the BYE of an old one.

use crate::io::net::Lane;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes of messages that may wait in each lane, whatever their number: the bounds on items are made for
/// messages of usual size, and a flood of the largest datagrams must not take the memory of a thousand.
const BYTES_FIRST: usize = 32 << 20;
const BYTES_NEW: usize = 16 << 20;

/// Something taken from the queue and how long it lay there.
#[derive(Debug)]
pub struct Received<T> {
    /// What.
    pub item: T,
    /// Since when.
    pub since: Instant,
    /// From which lane.
    pub lane: Lane,
}

/// The queue. `T` is the daemon's own sum of what the engine thread must hear.
#[derive(Debug)]
pub struct Inlet<T> {
    lanes: Mutex<Lanes<T>>,
    filled: Condvar,
    bound_first: usize,
    bound_new: usize,
}

#[derive(Debug)]
struct Lanes<T> {
    first: Waiting<T>,
    new: Waiting<T>,
    dropped: u64,
    waiting: bool,
}

/// One lane: each item with its arrival and its bytes, and the sum of these.
#[derive(Debug)]
struct Waiting<T> {
    items: VecDeque<(Instant, usize, T)>,
    bytes: usize,
}

impl<T> Waiting<T> {
    const fn new() -> Self {
        Self { items: VecDeque::new(), bytes: 0 }
    }

    fn pop(&mut self) -> Option<(Instant, T)> {
        let (since, bytes, item) = self.items.pop_front()?;
        self.bytes = self.bytes.saturating_sub(bytes);
        Some((since, item))
    }
}

impl<T> Inlet<T> {
    /// A queue that holds at most `bound_first` and `bound_new` items in its lanes. At the bound of
    /// `New` the newest is dropped and counted (its sender repeats it); at the bound of `First` too,
    /// which is sized so that only a stalled engine can reach it.
    #[must_use]
    pub const fn new(bound_first: usize, bound_new: usize) -> Self {
        Self {
            lanes: Mutex::new(Lanes {
                first: Waiting::new(),
                new: Waiting::new(),
                dropped: 0,
                waiting: false,
            }),
            filled: Condvar::new(),
            bound_first,
            bound_new,
        }
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes<T>> {
        // A panic elsewhere while the lock was held leaves the queues whole: only pushes and pops happen under it.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one item that holds no message.
    pub fn push(&self, lane: Lane, item: T) {
        self.push_sized(lane, item, 0);
    }

    /// Adds one item that holds a message of `bytes` bytes.
    pub fn push_sized(&self, lane: Lane, item: T, bytes: usize) {
        let since = Instant::now();
        let mut lanes = self.lanes();
        let (waiting, bound, most) = match lane {
            Lane::First => (&mut lanes.first, self.bound_first, BYTES_FIRST),
            Lane::New => (&mut lanes.new, self.bound_new, BYTES_NEW),
        };
        let sum = waiting.bytes.saturating_add(bytes);
        if waiting.items.len() >= bound || (bytes > 0 && sum > most) {
            lanes.dropped = lanes.dropped.saturating_add(1);
            return;
        }
        waiting.bytes = sum;
        waiting.items.push_back((since, bytes, item));
        let wake = lanes.waiting;
        drop(lanes);
        if wake {
            self.filled.notify_one();
        }
    }

    /// Waits until something is there or `timeout` has passed, then takes at most `most` items,
    /// the first lane before the other.
    pub fn take(&self, most: usize, timeout: Option<Duration>, into: &mut Vec<Received<T>>) {
        let mut lanes = self.lanes();
        if lanes.first.items.is_empty() && lanes.new.items.is_empty() {
            lanes.waiting = true;
            lanes = match timeout {
                Some(timeout) => {
                    self.filled
                        .wait_timeout(lanes, timeout)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
                None => self.filled.wait(lanes).unwrap_or_else(PoisonError::into_inner),
            };
            lanes.waiting = false;
        }
        while into.len() < most {
            let (next, lane) = match lanes.first.pop() {
                Some(next) => (Some(next), Lane::First),
                None => (lanes.new.pop(), Lane::New),
            };
            let Some((since, item)) = next else { break };
            into.push(Received { item, since, lane });
        }
    }

    /// Items waiting in both lanes.
    #[must_use]
    pub fn len(&self) -> usize {
        let lanes = self.lanes();
        lanes.first.items.len().saturating_add(lanes.new.items.len())
    }

    /// Items dropped at a bound since the start.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.lanes().dropped
    }
}

#[cfg(test)]
mod tests {
    use super::Inlet;
    use crate::io::net::Lane;
    use std::time::Duration;

    #[test]
    fn a_bye_overtakes_a_flood_of_new_calls_and_the_flood_is_bounded() {
        let inlet = Inlet::new(10, 3);
        for call in 0..5 {
            inlet.push(Lane::New, call);
        }
        inlet.push(Lane::First, 100);
        let mut taken = Vec::new();
        inlet.take(10, Some(Duration::ZERO), &mut taken);
        let order: Vec<i32> = taken.iter().map(|received| received.item).collect();
        assert_eq!(order, [100, 0, 1, 2]);
        assert_eq!(inlet.dropped(), 2);
    }

    #[test]
    fn a_flood_of_the_largest_datagrams_takes_a_bounded_memory_and_the_stop_still_gets_in() {
        let inlet = Inlet::new(10_000, 10_000);
        for lane in [Lane::First, Lane::New] {
            for datagram in 0..2_000 {
                inlet.push_sized(lane, datagram, 65_507);
            }
        }
        let held = inlet.len() * 65_507;
        assert!(held <= super::BYTES_FIRST + super::BYTES_NEW, "{held} bytes");
        inlet.push(Lane::First, -1);
        let mut taken = Vec::new();
        inlet.take(10_000, Some(Duration::ZERO), &mut taken);
        assert!(taken.iter().any(|received| received.item == -1));
        inlet.push_sized(Lane::New, 0, 65_507);
        assert_eq!(inlet.len(), 1, "what was taken makes room");
    }
}
