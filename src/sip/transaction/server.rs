//! The server transaction of every other method: RFC 3261 §17.2.2.

use super::Wire;
use super::timer::{LONG_MS, after_ms};
use crate::base::Mono;

/// Where the peer's request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// The user has not answered yet; repeated requests are absorbed.
    Trying,
    /// Answered; repeated requests get the answer again.
    Completed {
        /// Timer J.
        until: Mono,
    },
    /// Gone.
    Terminated,
}

/// What happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Time passed.
    Tick,
    /// The peer repeats its request.
    Request,
    /// The user answers. (We never answer these with 1xx: RFC 4320 §4.1.)
    Final,
}

/// What must be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Todo {
    /// Send the response that the user gave.
    Send,
    /// Send the last response again.
    Repeat,
}

impl Server {
    /// When to look again.
    #[must_use]
    pub fn deadline(&self) -> Option<Mono> {
        match *self {
            Self::Completed { until } => Some(until),
            Self::Trying | Self::Terminated => None,
        }
    }

    /// One step.
    pub fn handle(&mut self, event: Event, wire: Wire, now: Mono) -> &'static [Todo] {
        use Event::{Final, Request, Tick};
        use Server::{Completed, Terminated, Trying};
        let (next, todo): (Self, &'static [Todo]) = match (*self, event) {
            // Timer J: 64·T1, zero on reliable transports.
            (Trying, Final) => (
                match wire {
                    Wire::Unreliable => Completed { until: after_ms(now, LONG_MS) },
                    Wire::Reliable => Terminated,
                },
                &[Todo::Send],
            ),
            (same @ Completed { .. }, Request) => (same, &[Todo::Repeat]),
            (Completed { until }, Tick) if now >= until => (Terminated, &[]),
            (same @ Trying, Request | Tick)
            | (same @ Completed { .. }, Final | Tick)
            | (same @ Terminated, _) => (same, &[]),
        };
        *self = next;
        todo
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::type_complexity)] // a table's row
    fn every_pair_has_its_answer() {
        use Event::*;
        use Server::*;
        let (udp, tcp) = (Wire::Unreliable, Wire::Reliable);
        let completed = Completed { until: Mono(32_100_000) };
        let table: &[(&str, Server, Wire, u64, Event, Server, &[Todo])] = &[
            ("repeated before the answer", Trying, udp, 5, Request, Trying, &[]),
            ("answer", Trying, udp, 100, Final, completed, &[Todo::Send]),
            ("answer on TCP: gone", Trying, tcp, 100, Final, Terminated, &[Todo::Send]),
            ("repeated after the answer", completed, udp, 200, Request, completed, &[Todo::Repeat]),
            ("second answer", completed, udp, 200, Final, completed, &[]),
            ("before J", completed, udp, 32_099, Tick, completed, &[]),
            ("timer J", completed, udp, 32_100, Tick, Terminated, &[]),
            ("dead", Terminated, udp, 1, Request, Terminated, &[]),
        ];
        for &(case, state, wire, ms, event, next, todo) in table {
            let mut machine = state;
            assert_eq!(machine.handle(event, wire, Mono(ms * 1_000)), todo, "{case}");
            assert_eq!(machine, next, "{case}");
        }
    }
}
