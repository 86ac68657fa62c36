//! Which RTP ports are in use. Pure: numbers only; binding them is the media room's work.

use crate::base::{Mono, Now};
use std::collections::VecDeque;
use std::time::Duration;

/// A port that was freed rests this long, so that a late packet of the last call cannot reach the next.
const QUARANTINE: Duration = Duration::from_secs(2);
/// A port that could not be bound (another program has it) is tried again after this.
const RETIRED: Duration = Duration::from_secs(60);

/// Even ports of a range, handed out oldest-freed first.
#[derive(Debug)]
pub struct Ports {
    /// Free from the stamp on; stamps ascend, so only the front need be looked at.
    free: VecDeque<(Mono, u16)>,
    /// Could not be bound; tried again from the stamp on, and only when no other is left, because who
    /// has such a port is a caller whose call may fail. Stamps ascend.
    retired: VecDeque<(Mono, u16)>,
    taken: usize,
}

impl Ports {
    /// The even ports from `first` to `last`, both included.
    #[must_use]
    pub fn new(first: u16, last: u16) -> Self {
        let free = (first..=last).filter(|port| port % 2 == 0).map(|port| (Mono::ZERO, port));
        Self { free: free.collect(), retired: VecDeque::new(), taken: 0 }
    }

    /// A port, or none when all are in use or resting; the call is then refused.
    pub fn take(&mut self, now: Now) -> Option<u16> {
        let ready = |queue: &VecDeque<(Mono, u16)>| {
            queue.front().is_some_and(|(from, _)| *from <= now.mono)
        };
        let queue = if ready(&self.free) { &mut self.free } else { &mut self.retired };
        if !ready(queue) {
            return None;
        }
        let (_, port) = queue.pop_front()?;
        self.taken = self.taken.saturating_add(1);
        Some(port)
    }

    /// Gives a port back.
    pub fn give(&mut self, port: u16, now: Now) {
        self.taken = self.taken.saturating_sub(1);
        self.free.push_back((now.mono + QUARANTINE, port));
    }

    /// Gives back a port that could not be bound.
    pub fn retire(&mut self, port: u16, now: Now) {
        self.taken = self.taken.saturating_sub(1);
        self.retired.push_back((now.mono + RETIRED, port));
    }

    /// Ports in use.
    #[must_use]
    pub const fn taken(&self) -> usize {
        self.taken
    }
}

#[cfg(test)]
mod tests {
    use super::Ports;
    use crate::base::{Mono, Now, Wall};

    fn at(seconds: u64) -> Now {
        Now { mono: Mono(seconds * 1_000_000), wall: Wall(0) }
    }

    #[test]
    fn a_freed_port_rests_before_it_is_used_again() {
        let mut ports = Ports::new(20_000, 20_003);
        assert_eq!(ports.take(at(0)), Some(20_000));
        assert_eq!(ports.take(at(0)), Some(20_002));
        assert_eq!(ports.take(at(0)), None, "all in use");
        ports.give(20_000, at(1));
        assert_eq!(ports.take(at(2)), None, "still resting");
        assert_eq!(ports.take(at(3)), Some(20_000));
        assert_eq!(ports.taken(), 2);
    }

    #[test]
    fn a_port_that_another_program_has_does_not_block_the_others() {
        let mut ports = Ports::new(20_000, 20_003);
        let first = ports.take(at(0)).unwrap();
        let second = ports.take(at(0)).unwrap();
        ports.retire(first, at(0));
        ports.give(second, at(0));
        assert_eq!(ports.take(at(5)), Some(second));
        assert_eq!(ports.take(at(30)), None);
        ports.give(second, at(30));
        assert_eq!(ports.take(at(61)), Some(second), "no call is risked while a good port is free");
        assert_eq!(ports.take(at(61)), Some(first));
    }
}
