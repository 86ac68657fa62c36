//! The timer values of RFC 3261 §17 (table 4) and RFC 6026, and the heap that says what is due next.
//!
//! The heap is lazy: an entry is a promise to look, not to act. Each holder keeps at most one live
//! entry (see [`Alarm`]); an entry that no longer fits its holder is dropped when its time comes, so
//! arming and looking cost O(log n) and nothing is ever searched.

use crate::base::Mono;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Round-trip estimate (RFC 3261 §17.1.1.1).
pub const T1_MS: u32 = 500;
/// Longest wait between repetitions of a non-INVITE request or an INVITE response (§17.1.2.2).
pub const T2_MS: u32 = 4_000;
/// How long a message may stay in the network (§17.1.2.2).
pub const T4_MS: u32 = 5_000;
/// 64·T1: timers B, F, H, J, L, M, and D's least.
pub const LONG_MS: u32 = 32_000;

/// `now` and `ms` milliseconds.
#[must_use]
pub fn after_ms(now: Mono, ms: u32) -> Mono {
    Mono(now.0.saturating_add(u64::from(ms).saturating_mul(1_000)))
}

/// One holder's place in the heap: the time of its live entry, if it has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Alarm(Option<Mono>);

/// What is due next, over all holders; `K` names a holder.
#[derive(Debug)]
pub struct Timers<K: Ord> {
    heap: BinaryHeap<Reverse<(Mono, K)>>,
    /// What one round takes, the earliest last.
    round: Vec<(Mono, K)>,
}

impl<K: Ord> Default for Timers<K> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), round: Vec::new() }
    }
}

impl<K: Ord> Timers<K> {
    /// Sees to it that the holder is looked at no later than `deadline`. A live entry that is
    /// earlier already serves: when it fires the holder arms itself anew.
    pub fn arm(&mut self, alarm: &mut Alarm, key: K, deadline: Option<Mono>) {
        let Some(deadline) = deadline else { return };
        if alarm.0.is_none_or(|armed| deadline < armed) {
            alarm.0 = Some(deadline);
            self.heap.push(Reverse((deadline, key)));
        }
    }

    /// Begins a round: all that is due now is set apart for [`Timers::take`]. What is armed meanwhile waits
    /// for the next round, however early it is, so that each round ends and everybody has a turn in it.
    /// Whether there is anything; what a round that broke off left comes first.
    pub fn gather(&mut self, now: Mono) -> bool {
        if self.round.is_empty() {
            self.round = std::iter::from_fn(|| self.pop_due(now)).collect();
            self.round.reverse();
        }
        !self.round.is_empty()
    }

    /// The round's next entry. The caller finds the holder and asks [`Timers::is_live`] before acting.
    pub fn take(&mut self) -> Option<(Mono, K)> {
        self.round.pop()
    }

    /// Takes the next entry whose time has come. The caller finds the holder and asks
    /// [`Timers::is_live`] before acting.
    pub fn pop_due(&mut self, now: Mono) -> Option<(Mono, K)> {
        let Reverse((at, _)) = self.heap.peek()?;
        if *at > now {
            return None;
        }
        let Reverse(entry) = self.heap.pop()?;
        self.give_back();
        Some(entry)
    }

    /// Whether the entry at `at` is the holder's live one, which it then ceases to be.
    pub fn is_live(alarm: &mut Alarm, at: Mono) -> bool {
        let live = alarm.0 == Some(at);
        if live {
            alarm.0 = None;
        }
        live
    }

    /// The time of the next entry; looking earlier or later is harmless.
    #[must_use]
    pub fn next(&self) -> Option<Mono> {
        let left = self.round.last().map(|(at, _)| *at);
        left.into_iter().chain(self.heap.peek().map(|Reverse((at, _))| *at)).min()
    }

    /// Entries held, stale ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len().saturating_add(self.round.len())
    }

    /// Whether nothing is held.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty() && self.round.is_empty()
    }

    /// After a peak the memory goes back: at a quarter full, half is given up.
    fn give_back(&mut self) {
        let held = self.heap.len();
        if self.heap.capacity() > 1_024 && held < self.heap.capacity() / 4 {
            self.heap.shrink_to(held.saturating_mul(2));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_has_one_live_entry_and_stale_ones_are_known() {
        let (mut timers, mut alarm) = (Timers::default(), Alarm::default());
        timers.arm(&mut alarm, 1, Some(Mono(500)));
        timers.arm(&mut alarm, 1, Some(Mono(900)));
        assert_eq!(timers.len(), 1, "a later deadline rides on the earlier entry");
        timers.arm(&mut alarm, 1, Some(Mono(200)));
        assert_eq!(timers.next(), Some(Mono(200)));
        assert_eq!(timers.pop_due(Mono(199)), None);
        let (at, key) = timers.pop_due(Mono(600)).expect("due");
        assert_eq!((at, key), (Mono(200), 1));
        assert!(Timers::<i32>::is_live(&mut alarm, at));
        let (at, _) = timers.pop_due(Mono(600)).expect("the first entry, now stale");
        assert!(!Timers::<i32>::is_live(&mut alarm, at));
        assert!(timers.is_empty());
    }

    #[test]
    fn one_who_wants_to_be_woken_in_the_past_keeps_nobody_from_his_turn() {
        let mut timers = Timers::default();
        let (mut stuck, mut well) = (Alarm::default(), Alarm::default());
        timers.arm(&mut stuck, 1, Some(Mono(100)));
        timers.arm(&mut well, 2, Some(Mono(200)));
        assert!(timers.gather(Mono(300)));
        assert_eq!(timers.take(), Some((Mono(100), 1)));
        assert!(Timers::<i32>::is_live(&mut stuck, Mono(100)));
        timers.arm(&mut stuck, 1, Some(Mono(100)));
        assert_eq!(timers.len(), 2);
        assert_eq!(timers.take(), Some((Mono(200), 2)));
        assert_eq!(timers.take(), None, "the round is over");
        assert_eq!(timers.next(), Some(Mono(100)));
        assert!(timers.gather(Mono(300)), "and the next has what came meanwhile");
        assert_eq!(timers.next(), Some(Mono(100)), "a round that breaks off loses nothing");
    }
}
