//! When each playing leg's next packet is due: a wheel of 64 slots of one millisecond. Packet times are
//! 10 to 60 ms, so every due time lies within one turn, and setting or finding one costs the same for
//! one leg and for thousands.

/// Slots; a due time is always less than so many milliseconds ahead.
const SLOTS: u64 = 64;

/// The wheel. `T` is small: a token.
#[derive(Debug)]
pub(super) struct Wheel<T> {
    slots: [Vec<T>; 64],
    /// Bit n is set when slot n holds something.
    filled: u64,
    /// The last millisecond that was taken.
    at_ms: u64,
}

impl<T> Wheel<T> {
    pub(super) fn new(now_ms: u64) -> Self {
        Self { slots: std::array::from_fn(|_| Vec::new()), filled: 0, at_ms: now_ms }
    }

    /// Makes `item` due at `due_ms`; at once when that is past, and within the turn when it is not.
    pub(super) fn schedule(&mut self, due_ms: u64, item: T) {
        let soonest = self.at_ms.saturating_add(1);
        let latest = self.at_ms.saturating_add(SLOTS.saturating_sub(1));
        let slot = due_ms.clamp(soonest, latest) & SLOTS.saturating_sub(1);
        if let Some(place) = usize::try_from(slot).ok().and_then(|slot| self.slots.get_mut(slot)) {
            place.push(item);
            self.filled |= 1_u64.wrapping_shl(u32::try_from(slot).unwrap_or(0));
        }
    }

    /// The next due time; none when nothing is scheduled.
    pub(super) fn next_due_ms(&self) -> Option<u64> {
        if self.filled == 0 {
            return None;
        }
        let first = self.at_ms.saturating_add(1);
        let turned =
            self.filled.rotate_right(u32::try_from(first & SLOTS.saturating_sub(1)).unwrap_or(0));
        Some(first.saturating_add(u64::from(turned.trailing_zeros())))
    }

    /// Moves what is due by `now_ms` to `due`, one due time at a call, and returns that time; none when
    /// nothing is left. After a stall longer than the turn everything is due at once, now.
    pub(super) fn take(&mut self, now_ms: u64, due: &mut Vec<T>) -> Option<u64> {
        if now_ms.saturating_sub(self.at_ms) >= SLOTS {
            self.at_ms = now_ms;
            self.filled = 0;
            self.slots.iter_mut().for_each(|slot| due.append(slot));
            return (!due.is_empty()).then_some(now_ms);
        }
        let next = self.next_due_ms().filter(|next| *next <= now_ms);
        let Some(next) = next else {
            self.at_ms = self.at_ms.max(now_ms);
            return None;
        };
        self.at_ms = next;
        let slot = next & SLOTS.saturating_sub(1);
        if let Some(place) = usize::try_from(slot).ok().and_then(|slot| self.slots.get_mut(slot)) {
            due.append(place);
        }
        self.filled &= !1_u64.wrapping_shl(u32::try_from(slot).unwrap_or(0));
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(wheel: &mut Wheel<u32>, now_ms: u64) -> Vec<(u64, Vec<u32>)> {
        let mut all = Vec::new();
        let mut due = Vec::new();
        while let Some(at) = wheel.take(now_ms, &mut due) {
            due.sort_unstable();
            all.push((at, std::mem::take(&mut due)));
        }
        all
    }

    #[test]
    fn due_times_come_in_order_and_once() {
        let mut wheel = Wheel::new(1000);
        for (due, item) in [(1020, 1), (1063, 2), (1020, 3), (900, 4), (5000, 5)] {
            wheel.schedule(due, item);
        }
        assert_eq!(wheel.next_due_ms(), Some(1001));
        assert_eq!(taken(&mut wheel, 1000), []);
        assert_eq!(taken(&mut wheel, 1020), [(1001, vec![4]), (1020, vec![1, 3])]);
        assert_eq!(wheel.next_due_ms(), Some(1063));
        assert_eq!(taken(&mut wheel, 1062), []);
        assert_eq!(taken(&mut wheel, 1070), [(1063, vec![2, 5])]);
        assert_eq!((wheel.next_due_ms(), taken(&mut wheel, 2000)), (None, vec![]));
    }

    #[test]
    fn a_minute_of_packets_keeps_the_beat_whatever_the_wake_ups() {
        let mut wheel = Wheel::new(0);
        (1..=20_u32).for_each(|item| wheel.schedule(u64::from(item), item));
        let mut sent = 0;
        let mut now = 0;
        while now < 60_000 {
            now += 1 + (now * 7919) % 45; // wakes up late by 0 to 44 ms
            let mut due = Vec::new();
            while let Some(at) = wheel.take(now, &mut due) {
                for item in due.drain(..) {
                    assert_eq!(at % 20, u64::from(item) % 20, "drifted");
                    sent += 1;
                    wheel.schedule(at + 20, item);
                }
            }
        }
        assert_eq!(sent, now);
    }

    #[test]
    fn after_49_days_the_beat_goes_on() {
        let from = u64::from(u32::MAX) - 100;
        let mut wheel = Wheel::new(from);
        wheel.schedule(from + 20, 1_u32);
        let mut beats = Vec::new();
        for now in from..from + 400 {
            let mut due = Vec::new();
            while let Some(at) = wheel.take(now, &mut due) {
                due.drain(..).for_each(|item| wheel.schedule(at + 20, item));
                beats.push(at - from);
            }
        }
        assert_eq!(beats, (1..20).map(|n| n * 20).collect::<Vec<u64>>());
    }

    #[test]
    fn after_a_stall_everything_is_due_once() {
        let mut wheel = Wheel::new(0);
        (1..=50).for_each(|item| wheel.schedule(u64::from(item), item));
        let all = taken(&mut wheel, 1000);
        assert_eq!((all.len(), all[0].0, all[0].1.len()), (1, 1000, 50));
    }
}
