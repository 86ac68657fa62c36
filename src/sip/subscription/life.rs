//! The life of one subscription, seen from us who notify (RFC 6665 §4.2): when a NOTIFY is due, that
//! only one is under way at a time, and what ends it. Knows no message, no package and no dialog.

use crate::base::Mono;
use crate::sip::transaction::after_ms;

/// How often a NOTIFY that could not be taken is said again before the subscription is given up.
const MAX_TRIES: u8 = 5;
/// The wait before that when the answer names none, milliseconds.
const PAUSE_MS: u32 = 5_000;
/// No answer makes us wait longer, milliseconds.
const LONGEST_PAUSE_MS: u32 = 60_000;

/// Where a subscription stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sip) enum Life {
    /// Granted; the subscriber knows all that there is to know.
    Quiet {
        /// When the lease lapses.
        until: Mono,
    },
    /// A NOTIFY waits for its answer.
    Telling {
        /// When the lease lapses.
        until: Mono,
        /// What follows the answer.
        then: Then,
        /// How often in a row a NOTIFY was not taken.
        tries: u8,
    },
    /// The last NOTIFY was not taken; the next is due later. What changes meanwhile is in it.
    Pausing {
        /// When the lease lapses.
        until: Mono,
        /// When it is said again.
        again: Mono,
        /// How often in a row a NOTIFY was not taken.
        tries: u8,
    },
    /// The connection is gone: nothing can be said before the phone speaks again.
    Cut {
        /// When the lease lapses.
        until: Mono,
    },
    /// The NOTIFY that ends it waits for its answer.
    Parting,
    /// Nothing is owed any more.
    Over,
}

/// What follows the answer to the NOTIFY that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sip) enum Then {
    /// Nothing: what it said is still true.
    Rest,
    /// Another: something has changed since, however often.
    Again,
    /// The last one.
    Part(Reason),
}

/// Why a subscription ends, as Subscription-State says it (§4.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sip) enum Reason {
    /// The lease lapsed, or was given back.
    Timeout,
    /// It may not go on; the subscriber shall not come back for it.
    Rejected,
    /// What was watched is no more.
    NoResource,
}

impl Reason {
    /// As written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Rejected => "rejected",
            Self::NoResource => "noresource",
        }
    }
}

/// What happens to a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sip) enum Event {
    /// What is watched changed, or the subscriber is owed a NOTIFY for its SUBSCRIBE (§4.2.1.2).
    Changed,
    /// The lease was renewed.
    Renewed {
        /// To then.
        until: Mono,
    },
    /// It is to end.
    End(Reason),
    /// The NOTIFY was taken.
    Taken,
    /// The NOTIFY was refused for now.
    Later {
        /// The wait that the answer asks for, milliseconds.
        after_ms: Option<u32>,
    },
    /// The NOTIFY was refused for good, or nobody answered it.
    Gone,
    /// The connection is gone.
    Cut,
    /// The phone is reached by another way than before.
    Back,
    /// Time passed.
    Tick,
}

/// What must be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sip) enum Todo {
    /// Nothing.
    Rest,
    /// Send a NOTIFY with what is true now.
    Tell,
    /// Send the last NOTIFY.
    Part(Reason),
}

impl Life {
    /// When it wants to be woken. Where the end waits for an answer, that answer, or timer F of the NOTIFY
    /// that nobody answers, brings it, and no time of ours.
    pub const fn deadline(&self) -> Option<Mono> {
        match *self {
            Self::Quiet { until }
            | Self::Telling { until, then: Then::Rest | Then::Again, .. }
            | Self::Cut { until } => Some(until),
            Self::Telling { then: Then::Part(_), .. } => None,
            Self::Pausing { until, again, .. } => {
                Some(if again.0 < until.0 { again } else { until })
            }
            Self::Parting | Self::Over => None,
        }
    }

    /// Whether it is still granted.
    pub const fn is_active(&self) -> bool {
        !matches!(self, Self::Parting | Self::Over)
    }

    /// Whether it is ending, though its last NOTIFY may not have gone yet.
    pub const fn is_ending(&self) -> bool {
        matches!(self, Self::Parting | Self::Over | Self::Telling { then: Then::Part(_), .. })
    }

    /// When the lease lapses; none once it is ending.
    pub const fn until(&self) -> Option<Mono> {
        match *self {
            Self::Quiet { until }
            | Self::Telling { until, .. }
            | Self::Pausing { until, .. }
            | Self::Cut { until } => Some(until),
            Self::Parting | Self::Over => None,
        }
    }

    /// One step.
    #[expect(clippy::unnested_or_patterns, reason = "each line is a thought of its own")]
    pub fn handle(&mut self, event: Event, now: Mono) -> Todo {
        use Event as E;
        use Life::{Cut, Over, Parting, Pausing, Quiet, Telling};
        let telling = |until, tries| (Telling { until, then: Then::Rest, tries }, Todo::Tell);
        let parting = |reason| (Parting, Todo::Part(reason));
        let (next, todo) = match (*self, event) {
            (Quiet { until }, E::Changed) => telling(until, 0),
            (Telling { until, then: Then::Rest, tries }, E::Changed) => {
                (Telling { until, then: Then::Again, tries }, Todo::Rest)
            }

            (Quiet { .. }, E::Renewed { until }) => (Quiet { until }, Todo::Rest),
            // A renewal takes back an end that was still to be said: it came later.
            (Telling { tries, .. }, E::Renewed { until }) => {
                (Telling { until, then: Then::Again, tries }, Todo::Rest)
            }
            (Pausing { again, tries, .. }, E::Renewed { until }) => {
                (Pausing { until, again, tries }, Todo::Rest)
            }
            (Cut { .. }, E::Renewed { until }) => (Quiet { until }, Todo::Rest),

            (Quiet { .. } | Pausing { .. }, E::End(reason)) => parting(reason),
            // One at a time: the last NOTIFY waits for its turn (§4.2.2, order by CSeq).
            (Telling { until, tries, .. }, E::End(reason)) => {
                (Telling { until, then: Then::Part(reason), tries }, Todo::Rest)
            }
            (Cut { .. }, E::End(_)) => (Over, Todo::Rest),

            (Telling { until, then: Then::Rest, .. }, E::Taken) => (Quiet { until }, Todo::Rest),
            (Telling { until, then: Then::Again, .. }, E::Taken) => telling(until, 0),
            (Telling { then: Then::Part(reason), .. }, E::Taken | E::Later { .. }) => {
                parting(reason)
            }
            (Telling { tries, .. }, E::Later { .. }) if tries >= MAX_TRIES => (Over, Todo::Rest),
            (Telling { until, tries, .. }, E::Later { after_ms: wait }) => {
                let wait = wait.unwrap_or(PAUSE_MS).min(LONGEST_PAUSE_MS);
                let again = after_ms(now, wait);
                (Pausing { until, again, tries: tries.saturating_add(1) }, Todo::Rest)
            }
            (Telling { .. }, E::Gone) => (Over, Todo::Rest),

            // What is said on a lost connection may or may not have arrived: it is said again.
            (
                Quiet { until } | Telling { until, .. } | Pausing { until, .. } | Cut { until },
                E::Cut,
            ) => (Cut { until }, Todo::Rest),
            (Cut { until }, E::Back) => telling(until, 0),
            // What went by the way that the phone has left may never arrive: it is said again on the new one,
            // and what comes of the old counts no more.
            (Telling { then: Then::Part(reason), .. }, E::Back) => parting(reason),
            (Telling { until, tries, .. }, E::Back) => telling(until, tries),

            // §4.2.2: a lease that lapses is told.
            (Quiet { until } | Pausing { until, .. }, E::Tick) if now >= until => {
                parting(Reason::Timeout)
            }
            (Telling { until, then, tries }, E::Tick) if now >= until => match then {
                Then::Part(_) => (Telling { until, then, tries }, Todo::Rest),
                Then::Rest | Then::Again => {
                    (Telling { until, then: Then::Part(Reason::Timeout), tries }, Todo::Rest)
                }
            },
            (Cut { until }, E::Tick) if now >= until => (Over, Todo::Rest),
            (Pausing { until, again, tries }, E::Tick) if now >= again => telling(until, tries),

            (Parting, E::Taken | E::Later { .. } | E::Gone | E::Cut) => (Over, Todo::Rest),

            // An answer that crossed the loss of its connection, or an end.
            (
                same @ (Quiet { .. } | Pausing { .. } | Cut { .. }),
                E::Taken | E::Later { .. } | E::Gone,
            )
            // The NOTIFY that comes tells it.
            | (same @ (Pausing { .. } | Cut { .. }), E::Changed)
            | (same @ Telling { then: Then::Again | Then::Part(_), .. }, E::Changed)
            // Nothing was lost.
            | (same @ (Quiet { .. } | Pausing { .. }), E::Back)
            // Too early.
            | (same @ (Quiet { .. } | Telling { .. } | Pausing { .. } | Cut { .. }), E::Tick)
            // It is ending, and no renewal finds it any more.
            | (
                same @ Parting,
                E::Changed | E::Renewed { .. } | E::End(_) | E::Back | E::Tick,
            )
            | (same @ Over, _) => (same, Todo::Rest),
        };
        *self = next;
        todo
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u32) -> Mono {
        after_ms(Mono::ZERO, ms)
    }

    #[test]
    #[allow(clippy::too_many_lines)] // a table
    fn every_pair_has_its_answer() {
        use Event as E;
        use Life::{Cut, Over, Parting, Pausing, Quiet, Telling};
        let until = at(60_000);
        let later = at(120_000);
        let quiet = Quiet { until };
        let telling = |then, tries| Telling { until, then, tries };
        let pausing = |again, tries| Pausing { until, again: at(again), tries };
        let timeout = Reason::Timeout;
        let soon = E::Later { after_ms: None };
        let table = [
            ("a change is told", quiet, 1, E::Changed, telling(Then::Rest, 0), Todo::Tell),
            (
                "a change meanwhile waits",
                telling(Then::Rest, 0),
                1,
                E::Changed,
                telling(Then::Again, 0),
                Todo::Rest,
            ),
            (
                "ten changes are one",
                telling(Then::Again, 0),
                1,
                E::Changed,
                telling(Then::Again, 0),
                Todo::Rest,
            ),
            ("taken", telling(Then::Rest, 0), 1, E::Taken, quiet, Todo::Rest),
            (
                "taken, and the next follows",
                telling(Then::Again, 2),
                1,
                E::Taken,
                telling(Then::Rest, 0),
                Todo::Tell,
            ),
            (
                "taken, and it ends",
                telling(Then::Part(timeout), 0),
                1,
                E::Taken,
                Parting,
                Todo::Part(timeout),
            ),
            (
                "the phone is busy",
                telling(Then::Rest, 0),
                1_000,
                soon,
                pausing(6_000, 1),
                Todo::Rest,
            ),
            (
                "the phone names its time",
                telling(Then::Again, 1),
                1_000,
                E::Later { after_ms: Some(2_000) },
                pausing(3_000, 2),
                Todo::Rest,
            ),
            (
                "nobody may make us wait for an hour",
                telling(Then::Rest, 0),
                0,
                E::Later { after_ms: Some(3_600_000) },
                pausing(60_000, 1),
                Todo::Rest,
            ),
            ("six times in a row are enough", telling(Then::Rest, 5), 1, soon, Over, Todo::Rest),
            (
                "a change in the pause",
                pausing(6_000, 1),
                2_000,
                E::Changed,
                pausing(6_000, 1),
                Todo::Rest,
            ),
            (
                "the pause is over",
                pausing(6_000, 1),
                6_000,
                E::Tick,
                telling(Then::Rest, 1),
                Todo::Tell,
            ),
            (
                "the pause is not over",
                pausing(6_000, 1),
                5_999,
                E::Tick,
                pausing(6_000, 1),
                Todo::Rest,
            ),
            ("481", telling(Then::Again, 0), 1, E::Gone, Over, Todo::Rest),
            ("renewed", quiet, 1, E::Renewed { until: later }, Quiet { until: later }, Todo::Rest),
            (
                "renewed before its end was said",
                telling(Then::Part(timeout), 0),
                1,
                E::Renewed { until: later },
                Telling { until: later, then: Then::Again, tries: 0 },
                Todo::Rest,
            ),
            (
                "renewed on a new connection",
                Cut { until },
                1,
                E::Renewed { until: later },
                Quiet { until: later },
                Todo::Rest,
            ),
            ("given back", quiet, 1, E::End(timeout), Parting, Todo::Part(timeout)),
            (
                "given back during a NOTIFY",
                telling(Then::Again, 0),
                1,
                E::End(timeout),
                telling(Then::Part(timeout), 0),
                Todo::Rest,
            ),
            (
                "given back in a pause",
                pausing(6_000, 1),
                1,
                E::End(timeout),
                Parting,
                Todo::Part(timeout),
            ),
            (
                "ended while nobody is there",
                Cut { until },
                1,
                E::End(Reason::Rejected),
                Over,
                Todo::Rest,
            ),
            ("lapsed", quiet, 60_000, E::Tick, Parting, Todo::Part(timeout)),
            ("not lapsed", quiet, 59_999, E::Tick, quiet, Todo::Rest),
            (
                "lapsed during a NOTIFY",
                telling(Then::Rest, 0),
                60_000,
                E::Tick,
                telling(Then::Part(timeout), 0),
                Todo::Rest,
            ),
            ("lapsed while nobody is there", Cut { until }, 60_000, E::Tick, Over, Todo::Rest),
            ("connection lost", quiet, 1, E::Cut, Cut { until }, Todo::Rest),
            (
                "connection lost during a NOTIFY",
                telling(Then::Rest, 0),
                1,
                E::Cut,
                Cut { until },
                Todo::Rest,
            ),
            (
                "a change while nobody is there",
                Cut { until },
                1,
                E::Changed,
                Cut { until },
                Todo::Rest,
            ),
            ("the phone is back", Cut { until }, 1, E::Back, telling(Then::Rest, 0), Todo::Tell),
            ("it was never away", quiet, 1, E::Back, quiet, Todo::Rest),
            (
                "a NOTIFY went where it no longer is",
                telling(Then::Again, 2),
                1,
                E::Back,
                telling(Then::Rest, 2),
                Todo::Tell,
            ),
            (
                "and so did one before the last",
                telling(Then::Part(timeout), 0),
                1,
                E::Back,
                Parting,
                Todo::Part(timeout),
            ),
            ("an answer after the loss", Cut { until }, 1, E::Taken, Cut { until }, Todo::Rest),
            ("the last NOTIFY was taken", Parting, 1, E::Taken, Over, Todo::Rest),
            ("the last NOTIFY found nobody", Parting, 1, E::Gone, Over, Todo::Rest),
            ("the last NOTIFY was refused", Parting, 1, soon, Over, Todo::Rest),
            ("a change after the last", Parting, 1, E::Changed, Parting, Todo::Rest),
            ("dead", Over, 1, E::Renewed { until: later }, Over, Todo::Rest),
        ];
        for (case, state, ms, event, next, todo) in table {
            let mut life = state;
            assert_eq!(life.handle(event, at(ms)), todo, "{case}");
            assert_eq!(life, next, "{case}");
            let later = |due: Mono| due > at(ms);
            assert!(event != E::Tick || life.deadline().is_none_or(later), "{case}: due for ever");
        }
    }
}
