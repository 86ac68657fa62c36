//! The engine's ear: a bounded queue in four lanes that any thread may fill and one thread empties.
//!
//! What belongs to calls that already exist is served before what would make new ones, new calls
//! before phones that register, and those before all else: overload is met by refusing what can be asked
//! again and never by losing the BYE of an old call. No lane starves another: each gets a share of every turn.

use crate::io::net::Lane;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes of messages that may wait in each lane, whatever their number: the bounds on items are made for
/// messages of usual size, and a flood of the largest datagrams must not take the memory of a thousand.
const BYTES_FIRST: usize = 32 << 20;
const BYTES_NEW: usize = 8 << 20;

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
    /// By [`Lane::ALL`].
    by_rank: [Waiting<T>; 4],
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

impl<T> Lanes<T> {
    fn of(&mut self, lane: Lane) -> &mut Waiting<T> {
        let [first, call, register, other] = &mut self.by_rank;
        match lane {
            Lane::First => first,
            Lane::Call => call,
            Lane::Register => register,
            Lane::Other => other,
        }
    }

    fn pop_from(&mut self, lane: Lane, most: usize, into: &mut Vec<Received<T>>) {
        let waiting = self.of(lane);
        for _ in 0..most {
            let Some((since, item)) = waiting.pop() else { return };
            into.push(Received { item, since, lane });
        }
    }
}

/// Three quarters of a turn, at least one.
const fn share(room: usize) -> usize {
    room - room / 4
}

impl<T> Inlet<T> {
    /// A queue that holds at most `bound_first` items in its first lane and `bound_new` in each other.
    /// At the bound of these the newest is dropped and counted (its sender repeats it); at the bound of `First` too,
    /// which is sized so that only a stalled engine can reach it.
    #[must_use]
    pub const fn new(bound_first: usize, bound_new: usize) -> Self {
        Self {
            lanes: Mutex::new(Lanes {
                by_rank: [Waiting::new(), Waiting::new(), Waiting::new(), Waiting::new()],
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
        let mut held = self.lanes();
        let (bound, most) = match lane {
            Lane::First => (self.bound_first, BYTES_FIRST),
            Lane::Call | Lane::Register | Lane::Other => (self.bound_new, BYTES_NEW),
        };
        let lanes = &mut *held;
        let waiting = lanes.of(lane);
        let sum = waiting.bytes.saturating_add(bytes);
        if waiting.items.len() >= bound || (bytes > 0 && sum > most) {
            lanes.dropped = lanes.dropped.saturating_add(1);
            return;
        }
        waiting.bytes = sum;
        waiting.items.push_back((since, bytes, item));
        let wake = lanes.waiting;
        drop(held);
        if wake {
            self.filled.notify_one();
        }
    }

    /// Waits until something is there or `timeout` has passed, then takes at most `most` items,
    /// the first lane before the others. Of what room is left, new calls get up to three quarters and
    /// registrations up to three quarters of the rest, so that a flood of either starves nobody.
    pub fn take(&self, most: usize, timeout: Option<Duration>, into: &mut Vec<Received<T>>) {
        let mut lanes = self.lanes();
        if lanes.by_rank.iter().all(|lane| lane.items.is_empty()) {
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
        let room = |into: &Vec<Received<T>>| most.saturating_sub(into.len());
        lanes.pop_from(Lane::First, room(into), into);
        lanes.pop_from(Lane::Call, share(room(into)), into);
        lanes.pop_from(Lane::Register, share(room(into)), into);
        // What a lane leaves of its share is there for all, again in order.
        for lane in [Lane::Other, Lane::Call, Lane::Register] {
            lanes.pop_from(lane, room(into), into);
        }
    }

    /// Items waiting in all lanes.
    #[must_use]
    pub fn len(&self) -> usize {
        let lanes = self.lanes();
        lanes.by_rank.iter().map(|lane| lane.items.len()).sum()
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
            inlet.push(Lane::Call, call);
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
        for lane in Lane::ALL {
            for datagram in 0..2_000 {
                inlet.push_sized(lane, datagram, 65_507);
            }
        }
        let held = inlet.len() * 65_507;
        assert!(held <= super::BYTES_FIRST + 3 * super::BYTES_NEW, "{held} bytes");
        inlet.push(Lane::First, -1);
        let mut taken = Vec::new();
        inlet.take(10_000, Some(Duration::ZERO), &mut taken);
        assert!(taken.iter().any(|received| received.item == -1));
        inlet.push_sized(Lane::Call, 0, 65_507);
        assert_eq!(inlet.len(), 1, "what was taken makes room");
    }

    #[test]
    fn calls_come_before_registrations_and_those_before_lamps_and_none_starves() {
        let inlet = Inlet::new(1_000, 1_000);
        for n in 0..500 {
            for lane in [Lane::Other, Lane::Register, Lane::Call] {
                inlet.push(lane, n);
            }
        }
        inlet.push(Lane::First, 0);
        let mut turns = Vec::new();
        loop {
            let mut taken = Vec::new();
            inlet.take(128, Some(Duration::ZERO), &mut taken);
            if taken.is_empty() {
                break;
            }
            assert!(taken.len() == 128 || inlet.len() == 0, "no turn is wasted");
            let count = |lane| taken.iter().filter(|received| received.lane == lane).count();
            turns.push(Lane::ALL.map(count));
        }
        assert_eq!(turns[0], [1, 96, 24, 7], "a flood of each at once");
        let calls = turns.iter().position(|turn| turn[1] == 0).unwrap();
        let registers = turns.iter().position(|turn| turn[2] == 0).unwrap();
        assert!(calls < registers && registers <= turns.len(), "{turns:?}");
    }
}
