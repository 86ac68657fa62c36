//! The INVITE client transaction: RFC 3261 §17.1.1 with the Accepted state of RFC 6026 §7.2, and the
//! end that §9.1 gives a cancelled INVITE whose final response never comes.

use super::timer::{LONG_MS, after_ms};
use super::{Repeat, Wire, earlier};
use crate::base::Mono;

/// Where our INVITE stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InviteClient {
    /// Nothing heard yet.
    Calling {
        /// Timer A: the next repetition.
        repeat: Option<Repeat>,
        /// Timer B: when we give up.
        until: Mono,
    },
    /// A provisional response came; it may ring as long as it likes.
    Proceeding {
        /// Once we sent CANCEL: when the INVITE is given up although no final response came (§9.1).
        cancelled_until: Option<Mono>,
    },
    /// Nobody answered in time and the user was told so. A phone that hears the last repetition only
    /// now would ring, and be picked up, for nobody: it is told.
    GivenUp {
        /// As long as a response may still come.
        until: Mono,
    },
    /// A failure came and is acknowledged; its repetitions are acknowledged again.
    Completed {
        /// Timer D.
        until: Mono,
    },
    /// A 2xx came; further 2xx (repeated, or of other forks) still go to the user.
    Accepted {
        /// Timer M.
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
    /// 2xx.
    Success,
    /// 300–699.
    Failure,
    /// The transport could not deliver (§17.1.4).
    Unsendable,
    /// The user sent CANCEL for it.
    CancelSent,
    /// The user waits no longer for the first word.
    GiveUp,
}

/// What must be done, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Todo {
    /// Send the INVITE again.
    Repeat,
    /// Hand the response to the user.
    Tell,
    /// Send an ACK of the transaction's own (§17.1.1.3), for the first time or again.
    Ack,
    /// Send a CANCEL: nobody waits any more.
    Cancel,
    /// Tell the user that nobody answered.
    TimedOut,
    /// Tell the user that it could not be sent.
    Failed,
}

impl InviteClient {
    /// Just sent.
    #[must_use]
    pub fn start(wire: Wire, now: Mono) -> Self {
        Self::Calling { repeat: Repeat::first(wire, now), until: after_ms(now, LONG_MS) }
    }

    /// When to look again.
    #[must_use]
    pub fn deadline(&self) -> Option<Mono> {
        match *self {
            Self::Calling { repeat, until } => Some(earlier(repeat, until)),
            Self::Proceeding { cancelled_until } => cancelled_until,
            Self::Completed { until } | Self::Accepted { until } | Self::GivenUp { until } => {
                Some(until)
            }
            Self::Terminated => None,
        }
    }

    /// One step.
    pub fn handle(&mut self, event: Event, wire: Wire, now: Mono) -> &'static [Todo] {
        use Event::{CancelSent, Failure, GiveUp, Provisional, Success, Tick, Unsendable};
        use InviteClient::{Accepted, Calling, Completed, GivenUp, Proceeding, Terminated};
        let long = after_ms(now, LONG_MS);
        let (next, todo): (Self, &'static [Todo]) = match (*self, event) {
            // Timer B fires (§17.1.1.2).
            (Calling { until, .. }, Tick) if now >= until => {
                (GivenUp { until: long }, &[Todo::TimedOut])
            }
            // Silence was enough. The INVITE is not repeated, and whatever comes of it is cancelled.
            (Calling { .. }, GiveUp) => (GivenUp { until: long }, &[]),
            // Timer A: doubles without a bound of its own, B ends it.
            (Calling { repeat: Some(repeat), until }, Tick) if now >= repeat.at => {
                let repeat = Some(repeat.doubled(u32::MAX, now));
                (Calling { repeat, until }, &[Todo::Repeat])
            }
            (Calling { .. }, Provisional) => (Proceeding { cancelled_until: None }, &[Todo::Tell]),
            // §9.1: 64·T1 after the CANCEL the INVITE counts as cancelled.
            (Proceeding { cancelled_until: Some(until) }, Tick) if now >= until => {
                (Terminated, &[Todo::TimedOut])
            }
            // CANCEL is due only after a provisional response; a second one changes nothing.
            (Proceeding { cancelled_until: None }, CancelSent) => {
                (Proceeding { cancelled_until: Some(long) }, &[])
            }
            // RFC 6026 §8.4: the 2xx leads to Accepted, also on reliable transports.
            (Calling { .. } | Proceeding { .. }, Success) => {
                (Accepted { until: long }, &[Todo::Tell])
            }
            (same @ Proceeding { .. }, Provisional) | (same @ Accepted { .. }, Success) => {
                (same, &[Todo::Tell])
            }
            // Timer D is zero on reliable transports (§17.1.1.2).
            (Calling { .. } | Proceeding { .. }, Failure) => (
                match wire {
                    Wire::Unreliable => Completed { until: long },
                    Wire::Reliable => Terminated,
                },
                &[Todo::Ack, Todo::Tell],
            ),
            // The answer crossed timer B. Of a refusal the user needs no second word; a 2xx is its to end.
            (GivenUp { .. }, Provisional) => {
                (Proceeding { cancelled_until: Some(long) }, &[Todo::Cancel])
            }
            (GivenUp { .. }, Success) => (Accepted { until: long }, &[Todo::Tell]),
            (GivenUp { until }, Failure) => (Completed { until }, &[Todo::Ack]),
            (GivenUp { .. }, Unsendable) => (Terminated, &[]),
            (same @ Completed { .. }, Failure) => (same, &[Todo::Ack]),
            (Completed { until } | Accepted { until } | GivenUp { until }, Tick)
                if now >= until =>
            {
                (Terminated, &[])
            }
            (Calling { .. } | Proceeding { .. }, Unsendable) => (Terminated, &[Todo::Failed]),
            // The ACK could not be sent: the user has its answer already (§17.1.1.2).
            (Completed { .. }, Unsendable) => (Terminated, &[]),
            // A final response that contradicts an earlier one is nobody's.
            (same @ Completed { .. }, Success | Provisional)
            | (same @ Accepted { .. }, Failure | Provisional | Unsendable)
            | (same @ (Calling { .. } | Completed { .. } | Accepted { .. }), CancelSent)
            | (same @ (Proceeding { .. } | GivenUp { .. }), CancelSent | Tick)
            | (same @ (Calling { .. } | Completed { .. } | Accepted { .. }), Tick)
            // A word crossed the user's decision, which then is to cancel it.
            | (
                same @ (Proceeding { .. } | Completed { .. } | Accepted { .. } | GivenUp { .. }),
                GiveUp,
            )
            | (same @ Terminated, _) => (same, &[]),
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
    fn timer_a_doubles_and_b_ends_it_at_32_s() {
        let mut machine = InviteClient::start(Wire::Unreliable, at(0));
        let mut sent = Vec::new();
        while let Some(due) = machine.deadline() {
            match machine.handle(Event::Tick, Wire::Unreliable, due) {
                [Todo::Repeat] => sent.push(due.0 / 1_000),
                [Todo::TimedOut] => assert_eq!(due, at(32_000)),
                [] => assert_eq!(due, at(64_000), "a late answer is told off until then"),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(sent, [500, 1_500, 3_500, 7_500, 15_500, 31_500]);
        assert_eq!(machine, InviteClient::Terminated);
    }

    #[test]
    fn a_reliable_wire_repeats_nothing_and_forgets_a_failure_at_once() {
        let mut machine = InviteClient::start(Wire::Reliable, at(0));
        assert_eq!(machine.deadline(), Some(at(32_000)), "timer B only");
        let todo = machine.handle(Event::Failure, Wire::Reliable, at(10));
        assert_eq!((todo, machine), (&[Todo::Ack, Todo::Tell][..], InviteClient::Terminated));
        let mut machine = InviteClient::start(Wire::Reliable, at(0));
        machine.handle(Event::Success, Wire::Reliable, at(10));
        assert_eq!(machine, InviteClient::Accepted { until: at(32_010) }, "timer M stays");
    }

    #[test]
    #[allow(clippy::type_complexity)] // a table's row
    fn every_pair_has_its_answer() {
        use Event::*;
        use InviteClient::*;
        let calling = InviteClient::start(Wire::Unreliable, at(0));
        let ringing = Proceeding { cancelled_until: None };
        let cancelled = Proceeding { cancelled_until: Some(at(40_000)) };
        let completed = Completed { until: at(32_100) };
        let accepted = Accepted { until: at(32_100) };
        let given_up = GivenUp { until: at(32_100) };
        let withdrawn = Proceeding { cancelled_until: Some(at(32_100)) };
        let table: &[(&str, InviteClient, u64, Event, InviteClient, &[Todo])] = &[
            ("early tick: nothing", calling, 499, Tick, calling, &[]),
            ("provisional stops A and B", calling, 100, Provisional, ringing, &[Todo::Tell]),
            ("it may ring for an hour", ringing, 3_600_000, Tick, ringing, &[]),
            ("another provisional", ringing, 100, Provisional, ringing, &[Todo::Tell]),
            (
                "cancel before a provisional is not ours to time",
                calling,
                100,
                CancelSent,
                calling,
                &[],
            ),
            ("cancelled", ringing, 8_000, CancelSent, cancelled, &[]),
            ("cancelled again", cancelled, 9_000, CancelSent, cancelled, &[]),
            ("cancelled, no final yet", cancelled, 39_999, Tick, cancelled, &[]),
            ("cancelled, no final ever", cancelled, 40_000, Tick, Terminated, &[Todo::TimedOut]),
            ("2xx crossing our cancel", cancelled, 100, Success, accepted, &[Todo::Tell]),
            ("487", cancelled, 100, Failure, completed, &[Todo::Ack, Todo::Tell]),
            ("2xx at once", calling, 100, Success, accepted, &[Todo::Tell]),
            ("2xx again", accepted, 500, Success, accepted, &[Todo::Tell]),
            ("failure after 2xx", accepted, 500, Failure, accepted, &[]),
            ("failure", ringing, 100, Failure, completed, &[Todo::Ack, Todo::Tell]),
            ("failure again: ACK again", completed, 600, Failure, completed, &[Todo::Ack]),
            ("2xx after failure", completed, 600, Success, completed, &[]),
            ("timer D", completed, 32_100, Tick, Terminated, &[]),
            ("before D", completed, 32_099, Tick, completed, &[]),
            ("timer M", accepted, 32_100, Tick, Terminated, &[]),
            ("before M", accepted, 32_099, Tick, accepted, &[]),
            ("unsendable", calling, 5, Unsendable, Terminated, &[Todo::Failed]),
            ("unsendable, ringing", ringing, 5, Unsendable, Terminated, &[Todo::Failed]),
            ("ACK unsendable", completed, 5, Unsendable, Terminated, &[]),
            ("accepted is above the wire", accepted, 5, Unsendable, accepted, &[]),
            ("it rings too late", given_up, 100, Provisional, withdrawn, &[Todo::Cancel]),
            ("it answers too late", given_up, 100, Success, accepted, &[Todo::Tell]),
            ("it refuses too late", given_up, 600, Failure, completed, &[Todo::Ack]),
            ("given up, and silence", given_up, 32_100, Tick, Terminated, &[]),
            ("given up, before that", given_up, 32_099, Tick, given_up, &[]),
            ("given up, unsendable", given_up, 5, Unsendable, Terminated, &[]),
            ("given up, nothing to cancel", given_up, 5, CancelSent, given_up, &[]),
            ("dead", Terminated, 5, Success, Terminated, &[]),
        ];
        for &(case, state, ms, event, next, todo) in table {
            let mut machine = state;
            assert_eq!(machine.handle(event, Wire::Unreliable, at(ms)), todo, "{case}");
            assert_eq!(machine, next, "{case}");
        }
    }
}
