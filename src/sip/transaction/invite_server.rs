//! The INVITE server transaction: RFC 3261 §17.2.1 with the Accepted state of RFC 6026 §7.1.
//!
//! The 2xx is repeated by the leg until the ACK comes (§13.3.1.4); what stays here after it only
//! absorbs the peer's repeated INVITEs, so that none becomes a second call.

use super::timer::{LONG_MS, T2_MS, T4_MS, after_ms};
use super::{Repeat, Wire, earlier};
use crate::base::Mono;

/// Where the peer's INVITE stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InviteServer {
    /// We have sent 100 or another provisional response.
    Proceeding,
    /// We refused and wait for the ACK.
    Completed {
        /// Timer G.
        repeat: Option<Repeat>,
        /// Timer H.
        until: Mono,
    },
    /// Refusal acknowledged; absorbs repeated ACKs.
    Confirmed {
        /// Timer I.
        until: Mono,
    },
    /// We accepted.
    Accepted {
        /// Timer L.
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
    /// The peer repeats the INVITE.
    Invite,
    /// An ACK with the INVITE's branch.
    Ack,
    /// The user answers 1xx.
    Provisional,
    /// The user answers 2xx.
    Success,
    /// The user answers 300–699.
    Failure,
}

/// What must be done, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Todo {
    /// Send the response that the user gave.
    Send,
    /// Send the last response again.
    Repeat,
    /// The ACK is the user's: it belongs to a 2xx.
    Tell,
}

impl InviteServer {
    /// When to look again.
    #[must_use]
    pub fn deadline(&self) -> Option<Mono> {
        match *self {
            Self::Completed { repeat, until } => Some(earlier(repeat, until)),
            Self::Confirmed { until } | Self::Accepted { until } => Some(until),
            Self::Proceeding | Self::Terminated => None,
        }
    }

    /// One step.
    pub fn handle(&mut self, event: Event, wire: Wire, now: Mono) -> &'static [Todo] {
        use Event::{Ack, Failure, Invite, Provisional, Success, Tick};
        use InviteServer::{Accepted, Completed, Confirmed, Proceeding, Terminated};
        let long = after_ms(now, LONG_MS);
        let (next, todo): (Self, &'static [Todo]) = match (*self, event) {
            (Proceeding, Invite) => (Proceeding, &[Todo::Repeat]),
            (Proceeding, Provisional) => (Proceeding, &[Todo::Send]),
            (Proceeding, Success) => (Accepted { until: long }, &[Todo::Send]),
            // Timer G only on unreliable transports, timer H on all (§17.2.1).
            (Proceeding, Failure) => {
                (Completed { repeat: Repeat::first(wire, now), until: long }, &[Todo::Send])
            }
            (same @ Completed { .. }, Invite) => (same, &[Todo::Repeat]),
            // Timer I: T4, zero on reliable transports.
            (Completed { .. }, Ack) => (
                match wire {
                    Wire::Unreliable => Confirmed { until: after_ms(now, T4_MS) },
                    Wire::Reliable => Terminated,
                },
                &[],
            ),
            (Completed { until, .. }, Tick) if now >= until => (Terminated, &[]),
            (Completed { repeat: Some(repeat), until }, Tick) if now >= repeat.at => {
                (Completed { repeat: Some(repeat.doubled(T2_MS, now)), until }, &[Todo::Repeat])
            }
            (Confirmed { until } | Accepted { until }, Tick) if now >= until => (Terminated, &[]),
            // RFC 6026 §8.7: repeated INVITEs are absorbed, the user's repeated 2xx pass, and the
            // ACK belongs to the user.
            (same @ Accepted { .. }, Success) => (same, &[Todo::Send]),
            (same @ Accepted { .. }, Ack) => (same, &[Todo::Tell]),
            (same @ Accepted { .. }, Invite | Provisional | Failure | Tick)
            | (same @ Completed { .. }, Provisional | Success | Failure | Tick)
            | (same @ Proceeding, Ack | Tick)
            | (same @ (Confirmed { .. } | Terminated), _) => (same, &[]),
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
    fn timer_g_doubles_to_t2_and_h_ends_it() {
        let mut machine = InviteServer::Proceeding;
        machine.handle(Event::Failure, Wire::Unreliable, at(0));
        let mut sent = Vec::new();
        while let Some(due) = machine.deadline() {
            if machine.handle(Event::Tick, Wire::Unreliable, due) == [Todo::Repeat] {
                sent.push(due.0 / 1_000);
            } else {
                assert_eq!((due, machine), (at(32_000), InviteServer::Terminated));
            }
        }
        assert_eq!(
            sent,
            [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]
        );
    }

    #[test]
    #[allow(clippy::type_complexity)] // a table's row
    fn every_pair_has_its_answer() {
        use Event::*;
        use InviteServer::*;
        let (udp, tcp) = (Wire::Unreliable, Wire::Reliable);
        let completed = Completed { repeat: Repeat::first(udp, at(100)), until: at(32_100) };
        let on_tcp = Completed { repeat: None, until: at(32_100) };
        let confirmed = Confirmed { until: at(5_200) };
        let accepted = Accepted { until: at(32_100) };
        let table: &[(&str, InviteServer, Wire, u64, Event, InviteServer, &[Todo])] = &[
            (
                "repeated INVITE: last provisional",
                Proceeding,
                udp,
                5,
                Invite,
                Proceeding,
                &[Todo::Repeat],
            ),
            ("180", Proceeding, udp, 5, Provisional, Proceeding, &[Todo::Send]),
            ("it may ring for an hour", Proceeding, udp, 3_600_000, Tick, Proceeding, &[]),
            ("an early ACK is nobody's", Proceeding, udp, 5, Ack, Proceeding, &[]),
            ("refusal", Proceeding, udp, 100, Failure, completed, &[Todo::Send]),
            ("refusal on TCP: no G", Proceeding, tcp, 100, Failure, on_tcp, &[Todo::Send]),
            (
                "repeated INVITE: refusal again",
                completed,
                udp,
                200,
                Invite,
                completed,
                &[Todo::Repeat],
            ),
            ("second final of the user", completed, udp, 200, Success, completed, &[]),
            ("ACK", completed, udp, 200, Ack, confirmed, &[]),
            ("ACK on TCP: gone", on_tcp, tcp, 200, Ack, Terminated, &[]),
            ("ACK again", confirmed, udp, 300, Ack, confirmed, &[]),
            ("INVITE after ACK", confirmed, udp, 300, Invite, confirmed, &[]),
            ("before I", confirmed, udp, 5_199, Tick, confirmed, &[]),
            ("timer I", confirmed, udp, 5_200, Tick, Terminated, &[]),
            ("timer H", on_tcp, tcp, 32_100, Tick, Terminated, &[]),
            ("200", Proceeding, udp, 100, Success, accepted, &[Todo::Send]),
            ("200 on TCP lingers too", Proceeding, tcp, 100, Success, accepted, &[Todo::Send]),
            (
                "repeated INVITE after 200: no second call",
                accepted,
                udp,
                200,
                Invite,
                accepted,
                &[],
            ),
            ("the leg repeats its 200", accepted, udp, 600, Success, accepted, &[Todo::Send]),
            (
                "ACK of a 200 with the INVITE's branch",
                accepted,
                udp,
                600,
                Ack,
                accepted,
                &[Todo::Tell],
            ),
            ("refusal after 200", accepted, udp, 600, Failure, accepted, &[]),
            ("before L", accepted, udp, 32_099, Tick, accepted, &[]),
            ("timer L", accepted, udp, 32_100, Tick, Terminated, &[]),
            ("dead", Terminated, udp, 1, Invite, Terminated, &[]),
        ];
        for &(case, state, wire, ms, event, next, todo) in table {
            let mut machine = state;
            assert_eq!(machine.handle(event, wire, at(ms)), todo, "{case}");
            assert_eq!(machine, next, "{case}");
        }
    }
}
