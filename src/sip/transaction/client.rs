//! The client transaction of every other method: RFC 3261 §17.1.2.

use super::timer::{LONG_MS, T2_MS, T4_MS, after_ms};
use super::{Repeat, Wire, earlier};
use crate::base::Mono;

/// Where our request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// Nothing heard yet.
    Trying {
        /// Timer E.
        repeat: Option<Repeat>,
        /// Timer F.
        until: Mono,
    },
    /// A provisional response came; we repeat every T2.
    Proceeding {
        /// Timer E.
        repeat: Option<Repeat>,
        /// Timer F.
        until: Mono,
    },
    /// Answered; absorbs repeated answers.
    Completed {
        /// Timer K.
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
    /// 1xx.
    Provisional,
    /// 200–699.
    Final,
    /// The transport could not deliver.
    Unsendable,
}

/// What must be done, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Todo {
    /// Send the request again.
    Repeat,
    /// Hand the response to the user.
    Tell,
    /// Tell the user that nobody answered.
    TimedOut,
    /// Tell the user that it could not be sent.
    Failed,
}

impl Client {
    /// Just sent.
    #[must_use]
    pub fn start(wire: Wire, now: Mono) -> Self {
        Self::Trying { repeat: Repeat::first(wire, now), until: after_ms(now, LONG_MS) }
    }

    /// When to look again.
    #[must_use]
    pub fn deadline(&self) -> Option<Mono> {
        match *self {
            Self::Trying { repeat, until } | Self::Proceeding { repeat, until } => {
                Some(earlier(repeat, until))
            }
            Self::Completed { until } => Some(until),
            Self::Terminated => None,
        }
    }

    /// One step.
    pub fn handle(&mut self, event: Event, wire: Wire, now: Mono) -> &'static [Todo] {
        use Client::{Completed, Proceeding, Terminated, Trying};
        use Event::{Final, Provisional, Tick, Unsendable};
        let (next, todo): (Self, &'static [Todo]) = match (*self, event) {
            // Timer F.
            (Trying { until, .. } | Proceeding { until, .. }, Tick) if now >= until => {
                (Terminated, &[Todo::TimedOut])
            }
            // Timer E doubles up to T2.
            (Trying { repeat: Some(repeat), until }, Tick) if now >= repeat.at => {
                (Trying { repeat: Some(repeat.doubled(T2_MS, now)), until }, &[Todo::Repeat])
            }
            // After a provisional response it is T2 each time (§17.1.2.2).
            (Proceeding { repeat: Some(repeat), until }, Tick) if now >= repeat.at => {
                let repeat = Repeat { at: repeat.at, wait_ms: T2_MS };
                (Proceeding { repeat: Some(repeat.doubled(T2_MS, now)), until }, &[Todo::Repeat])
            }
            (Trying { repeat, until } | Proceeding { repeat, until }, Provisional) => {
                (Proceeding { repeat, until }, &[Todo::Tell])
            }
            // Timer K: T4, zero on reliable transports.
            (Trying { .. } | Proceeding { .. }, Final) => (
                match wire {
                    Wire::Unreliable => Completed { until: after_ms(now, T4_MS) },
                    Wire::Reliable => Terminated,
                },
                &[Todo::Tell],
            ),
            (Trying { .. } | Proceeding { .. }, Unsendable) => (Terminated, &[Todo::Failed]),
            (Completed { until }, Tick) if now >= until => (Terminated, &[]),
            (same @ (Trying { .. } | Proceeding { .. }), Tick)
            | (same @ (Completed { .. } | Terminated), _) => (same, &[]),
        };
        *self = next;
        todo
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Mono {
        Mono(ms * 1_000)
    }

    #[test]
    fn timer_e_doubles_to_t2_and_f_ends_it() {
        let mut machine = Client::start(Wire::Unreliable, at(0));
        let mut sent = Vec::new();
        while let Some(due) = machine.deadline() {
            match machine.handle(Event::Tick, Wire::Unreliable, due) {
                [Todo::Repeat] => sent.push(due.0 / 1_000),
                [Todo::TimedOut] => assert_eq!(due, at(32_000)),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(
            sent,
            [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]
        );
    }

    #[test]
    fn after_a_provisional_it_repeats_every_t2() {
        let mut machine = Client::start(Wire::Unreliable, at(0));
        assert_eq!(machine.handle(Event::Provisional, Wire::Unreliable, at(100)), [Todo::Tell]);
        assert_eq!(machine.handle(Event::Tick, Wire::Unreliable, at(500)), [Todo::Repeat]);
        assert_eq!(machine.deadline(), Some(at(4_500)));
        assert_eq!(machine.handle(Event::Tick, Wire::Unreliable, at(4_500)), [Todo::Repeat]);
        assert_eq!(machine.deadline(), Some(at(8_500)));
    }

    #[test]
    #[allow(clippy::type_complexity)] // a table's row
    fn every_pair_has_its_answer() {
        use Client::*;
        use Event::*;
        let trying = Client::start(Wire::Unreliable, at(0));
        let Trying { repeat, until } = trying else { panic!("it starts trying") };
        let proceeding = Proceeding { repeat, until };
        let completed = Completed { until: at(5_100) };
        let reliable = Client::start(Wire::Reliable, at(0));
        let (udp, tcp) = (Wire::Unreliable, Wire::Reliable);
        let table: &[(&str, Client, Wire, u64, Event, Client, &[Todo])] = &[
            ("early tick", trying, udp, 499, Tick, trying, &[]),
            ("provisional", trying, udp, 100, Provisional, proceeding, &[Todo::Tell]),
            ("final", trying, udp, 100, Final, completed, &[Todo::Tell]),
            ("final after provisional", proceeding, udp, 100, Final, completed, &[Todo::Tell]),
            ("final again", completed, udp, 600, Final, completed, &[]),
            ("provisional after final", completed, udp, 600, Provisional, completed, &[]),
            ("before K", completed, udp, 5_099, Tick, completed, &[]),
            ("timer K", completed, udp, 5_100, Tick, Terminated, &[]),
            ("timer F", proceeding, udp, 32_000, Tick, Terminated, &[Todo::TimedOut]),
            ("reliable: nothing before F", reliable, tcp, 31_999, Tick, reliable, &[]),
            ("reliable: F", reliable, tcp, 32_000, Tick, Terminated, &[Todo::TimedOut]),
            ("reliable: K is zero", reliable, tcp, 50, Final, Terminated, &[Todo::Tell]),
            ("unsendable", trying, udp, 1, Unsendable, Terminated, &[Todo::Failed]),
            ("unsendable once answered", completed, udp, 1, Unsendable, completed, &[]),
            ("dead", Terminated, udp, 1, Final, Terminated, &[]),
        ];
        for &(case, state, wire, ms, event, next, todo) in table {
            let mut machine = state;
            assert_eq!(machine.handle(event, wire, at(ms)), todo, "{case}");
            assert_eq!(machine, next, "{case}");
        }
    }
}
