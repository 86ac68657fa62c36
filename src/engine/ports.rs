//! Which RTP ports are in use. Pure: numbers only; binding them is the media room's work.
//!
//! A port is named to a peer only after it was bound, where that can be had: some are always asked for
//! ahead, so that one which another program holds costs a number and no call.

use crate::base::{Mono, Now};
use std::collections::VecDeque;
use std::time::Duration;

/// A port that was freed rests this long, so that a late packet of the last call cannot reach the next.
const QUARANTINE: Duration = Duration::from_secs(2);
/// A port that could not be bound (another program has it) is tried again after this.
const RETIRED: Duration = Duration::from_secs(60);
/// Ports bound, or asked to be, before a call needs them: what a burst may take before the media room
/// has answered. Beyond it a port is named unbound, and its call ends should it be held elsewhere.
const AHEAD: usize = 32;

/// Even ports of a range, handed out oldest-freed first.
#[derive(Debug)]
pub struct Ports {
    /// Bound and waiting for a leg.
    bound: VecDeque<u16>,
    /// Asked to be bound; no answer yet.
    asked: VecDeque<u16>,
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
        Self {
            bound: VecDeque::new(),
            asked: VecDeque::new(),
            free: free.collect(),
            retired: VecDeque::new(),
            taken: 0,
        }
    }

    /// A port, or none when all are in use or resting; the call is then refused.
    pub fn take(&mut self, now: Now) -> Option<u16> {
        // One that is asked for is bound, if it can be, before the order to open it arrives.
        let port = self.bound.pop_front().or_else(|| self.asked.pop_front());
        let port = port.or_else(|| pop_ready(&mut self.free, now));
        let port = port.or_else(|| pop_ready(&mut self.retired, now))?;
        self.taken = self.taken.saturating_add(1);
        Some(port)
    }

    /// The next port to be bound ahead of a call; none while enough are, or when there is no other.
    pub fn ask(&mut self, now: Now) -> Option<u16> {
        let ahead = self.bound.len().saturating_add(self.asked.len());
        if ahead >= AHEAD {
            return None;
        }
        let port = pop_ready(&mut self.free, now).or_else(|| {
            // One that another program held is asked for again only when nothing else is left.
            if ahead == 0 { pop_ready(&mut self.retired, now) } else { None }
        })?;
        self.asked.push_back(port);
        Some(port)
    }

    /// What came of asking for a port. One that a leg took meanwhile has its own news.
    pub fn answered(&mut self, port: u16, bound: bool, now: Now) {
        let Some(at) = self.asked.iter().position(|asked| *asked == port) else { return };
        self.asked.remove(at);
        if bound {
            self.bound.push_back(port);
        } else {
            self.retired.push_back((now.mono + RETIRED, port));
        }
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

/// The port that has waited longest, if its time has come.
fn pop_ready(queue: &mut VecDeque<(Mono, u16)>, now: Now) -> Option<u16> {
    let ready = queue.front().is_some_and(|(from, _)| *from <= now.mono);
    if ready { queue.pop_front().map(|(_, port)| port) } else { None }
}

#[cfg(test)]
mod tests {
    use super::{AHEAD, Ports};
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

    #[test]
    fn a_call_gets_a_port_that_is_bound_already() {
        let mut ports = Ports::new(20_000, 20_007);
        let asked: Vec<u16> = std::iter::from_fn(|| ports.ask(at(0))).collect();
        assert_eq!(asked, [20_000, 20_002, 20_004, 20_006]);
        ports.answered(20_000, false, at(0)); // another program holds it
        ports.answered(20_002, false, at(0));
        ports.answered(20_004, true, at(0));
        assert_eq!(ports.take(at(0)), Some(20_004));
        assert_eq!(ports.take(at(0)), Some(20_006), "asked for, not yet answered");
        ports.answered(20_006, false, at(0)); // its leg is told on its own
        assert_eq!(ports.take(at(0)), None);
        assert_eq!(ports.ask(at(59)), None);
        assert_eq!(ports.ask(at(60)), Some(20_000), "tried again after a minute");
        assert_eq!(ports.ask(at(60)), None, "one at a time");
        ports.answered(20_000, false, at(60));
        assert_eq!(ports.ask(at(60)), Some(20_002));
    }

    #[test]
    fn no_more_ports_are_asked_for_than_a_burst_needs() {
        let mut ports = Ports::new(20_000, 21_000);
        assert_eq!(std::iter::from_fn(|| ports.ask(at(0))).count(), AHEAD);
        ports.take(at(0)).unwrap();
        assert_eq!(std::iter::from_fn(|| ports.ask(at(0))).count(), 1);
    }
}
