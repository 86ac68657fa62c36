//! The pace in which one target is fed: what may be tried now, and what a try's end means for the call, and
//! for all others.
//!
//! Calls are apart: what is wrong with one holds up no other. What is wrong with the target itself (nobody
//! there, the key refused) holds up all, and then one call at a time is its touchstone, each time another: what
//! looks like the target may be that call alone.

use crate::base::backoff::pause;
use crate::base::{CallId, Mono};
use crate::event::Unfed;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Calls that are being handed over at once.
pub const BUSY_MOST: usize = 4;
/// So many answers in a row that another try will hardly change, and a person must look.
const REFUSALS_MOST: u32 = 3;
/// What fails for so long although the target is there all the while is given up: a person must look.
pub const GIVE_UP_AFTER: Duration = Duration::from_hours(72);
/// Behind an answer that did not come: what was asked may still be done on the other side, and it is looked for
/// only when that is over. The same holds for what was due when the process began: its predecessor may have
/// asked for it a moment before.
pub const LATE: Duration = Duration::from_mins(1);
/// The shortest pause behind a refusal that another try will hardly change.
const REFUSED: Duration = Duration::from_secs(30);
/// A target that refuses our key is asked again so seldom: some lock who asks too often.
const BARRED: Duration = Duration::from_mins(5);
/// So many tries in a row without any answer, and it is the target.
const SILENT_MOST: u32 = 3;

/// Whether the target can be fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneState {
    /// Yes, as far as is known.
    Open,
    /// Nobody answers there, or it asked for a pause.
    Away {
        /// Tries that found it so.
        tries: u32,
        /// The next one.
        until: Mono,
    },
    /// It refuses our key, or is not as the configuration says. A person must mend that.
    Barred {
        /// By which status; 0 when it is not as the configuration says.
        status: u16,
        /// Looked at again then.
        until: Mono,
    },
}

/// What a try came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// The target has it.
    Done,
    /// The target is not as the configuration says: a field, a project or a queue that is not there.
    Unfit,
    /// Our user may not see or change the one ticket that was asked about: of that ticket, not of our key.
    Withheld {
        /// By which status.
        status: u16,
    },
    /// Not, as far as is known.
    Failed {
        /// Why.
        why: Unfed,
        /// When the target wants to be asked again.
        retry_after: Option<Duration>,
    },
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// It is in the history as done, after so many tries.
    Done {
        /// From 1.
        tries: u32,
    },
    /// It is tried again behind a pause of its own.
    Again {
        /// How long.
        pause: Duration,
    },
    /// The target cannot be fed now; the call waits for that.
    Held,
    /// It is given up, until a person says otherwise.
    GivenUp {
        /// From 1.
        tries: u32,
        /// What the last try came to.
        why: Unfed,
    },
}

/// What is wrong with one call's next step.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    tries: u32,
    refusals: u32,
    /// Since when the target is there and fails all the same; none: not since it was away or barred.
    since: Option<Mono>,
    not_before: Mono,
    /// Whatever else holds, it is not tried before.
    late_until: Mono,
}

/// One target's pace. Starts anew with the process: nothing is lost by that, it is only tried sooner.
#[derive(Debug)]
pub struct Lane {
    state: LaneState,
    silent: u32,
    /// The call whose try said last that the target cannot be fed: the next touchstone is another.
    turned: Option<CallId>,
    troubles: BTreeMap<CallId, Trouble>,
    busy: BTreeSet<CallId>,
}

impl Default for Lane {
    fn default() -> Self {
        let (troubles, busy) = (BTreeMap::new(), BTreeSet::new());
        Self { state: LaneState::Open, silent: 0, turned: None, troubles, busy }
    }
}

/// What a failure says.
#[derive(Clone, Copy)]
enum Kind {
    /// Of the target: nobody there, or it wants a pause.
    Away,
    /// Of our key.
    Barred(u16),
    /// Of this try.
    Passing,
    /// Of what is handed over.
    Lasting,
}

fn kind(why: Unfed, retry_after: Option<Duration>) -> Kind {
    match why {
        Unfed::Unreachable | Unfed::CutOff | Unfed::Disk => Kind::Away,
        Unfed::Refused { status: status @ (401 | 403 | 407) } => Kind::Barred(status),
        Unfed::Refused { status: 429 | 503 } if retry_after.is_some() => Kind::Away,
        Unfed::Refused { status: 408 | 425 | 429 } | Unfed::TimedOut | Unfed::Garbled => {
            Kind::Passing
        }
        Unfed::Refused { status } if status >= 500 => Kind::Passing,
        Unfed::Refused { .. } | Unfed::NoTicket => Kind::Lasting,
    }
}

/// Whether what was asked may still be done on the other side.
const fn may_be_late(why: Unfed) -> bool {
    // A gateway gave up on a server that may work on it still.
    matches!(why, Unfed::TimedOut | Unfed::CutOff | Unfed::Refused { status: 502 | 504 })
}

impl Lane {
    /// These calls may be under way from an earlier process: see [`LATE`].
    pub fn inherit(&mut self, calls: impl IntoIterator<Item = CallId>, now: Mono) {
        let late_until = now + LATE;
        for call in calls {
            let trouble =
                Trouble { tries: 0, refusals: 0, since: None, not_before: now, late_until };
            self.troubles.insert(call, trouble);
        }
    }

    /// Whether the target can be fed.
    #[must_use]
    pub const fn state(&self) -> LaneState {
        self.state
    }

    /// Calls of which a try failed and that are tried again.
    #[must_use]
    pub fn troubled(&self) -> usize {
        self.troubles.len()
    }

    /// Of the calls that have something due, in order, those to be handed over now; they are busy from here on,
    /// until [`Lane::end`].
    pub fn pick(&mut self, due: impl IntoIterator<Item = CallId>, now: Mono) -> Vec<CallId> {
        let picked: Vec<CallId> = match self.state {
            LaneState::Open => {
                let room = BUSY_MOST.saturating_sub(self.busy.len());
                let waits = |it: &Trouble| now < it.late_until || now < it.not_before;
                due.into_iter().filter(|call| self.may(*call, waits)).take(room).collect()
            }
            LaneState::Away { until, .. } | LaneState::Barred { until, .. } => {
                if now < until || !self.busy.is_empty() {
                    return Vec::new();
                }
                self.touchstone(due, now).into_iter().collect()
            }
        };
        self.busy.extend(picked.iter().copied());
        picked
    }

    /// The call after the one that was turned away last, in turn: any will do, whatever its own pause.
    fn touchstone(&self, due: impl IntoIterator<Item = CallId>, now: Mono) -> Option<CallId> {
        let (mut first, mut passed) = (None, false);
        for call in due {
            if self.may(call, |it| now < it.late_until) {
                if passed {
                    return Some(call);
                }
                first = first.or(Some(call));
            }
            passed = passed || self.turned == Some(call);
        }
        first
    }

    /// Whether a call is free, and nothing of its own makes it wait.
    fn may(&self, call: CallId, waits: impl Fn(&Trouble) -> bool) -> bool {
        !self.busy.contains(&call) && !self.troubles.get(&call).is_some_and(waits)
    }

    /// A try of a call's next step is over. `drawn` is a random number.
    pub fn end(&mut self, call: CallId, tried: Tried, now: Mono, drawn: u64) -> After {
        self.busy.remove(&call);
        let before = self.troubles.get(&call).copied();
        let tries = before.map_or(0, |it| it.tries).saturating_add(1);
        let (why, retry_after, kind) = match tried {
            Tried::Done => {
                self.troubles.remove(&call);
                (self.state, self.silent) = (LaneState::Open, 0);
                return After::Done { tries };
            }
            Tried::Unfit => (Unfed::Garbled, None, Kind::Barred(0)),
            Tried::Withheld { status } => (Unfed::Refused { status }, None, Kind::Lasting),
            Tried::Failed { why, retry_after } => (why, retry_after, kind(why, retry_after)),
        };
        self.silent = if why == Unfed::TimedOut { self.silent.saturating_add(1) } else { 0 };
        let asked = retry_after.unwrap_or_default();
        let kind = match kind {
            Kind::Passing if self.silent >= SILENT_MOST => Kind::Away,
            kind => kind,
        };
        let least = match kind {
            Kind::Lasting => asked.max(REFUSED),
            Kind::Away | Kind::Barred(_) | Kind::Passing => asked,
        };
        let late_until = if may_be_late(why) { now + LATE } else { now };
        let mut trouble = before.unwrap_or(Trouble {
            tries: 0,
            refusals: 0,
            since: None,
            not_before: now,
            late_until,
        });
        trouble.late_until = trouble.late_until.max(late_until);
        let refusals = match kind {
            Kind::Away => {
                let tries = match self.state {
                    LaneState::Away { tries, until } if now < until => tries,
                    LaneState::Away { tries, .. } => tries.saturating_add(1),
                    LaneState::Open | LaneState::Barred { .. } => 1,
                };
                let until = now + pause(tries, least, drawn);
                self.state = LaneState::Away { tries, until };
                if may_be_late(why) {
                    self.troubles.insert(call, trouble);
                }
                return self.hold(call);
            }
            Kind::Barred(status) => {
                let until = now + BARRED;
                self.state = LaneState::Barred { status, until };
                // Should others be taken, it is this call: it is no more often asked for than the target.
                self.troubles.insert(call, Trouble { not_before: until, ..trouble });
                return self.hold(call);
            }
            Kind::Passing => 0,
            Kind::Lasting => before.map_or(0, |it| it.refusals).saturating_add(1),
        };
        // It answered: it is there.
        if why != Unfed::TimedOut {
            self.state = LaneState::Open;
        }
        let since = trouble.since.unwrap_or(now);
        if refusals >= REFUSALS_MOST || now.since(since) >= GIVE_UP_AFTER {
            self.troubles.remove(&call);
            return After::GivenUp { tries, why };
        }
        let pause = pause(tries, least, drawn);
        let not_before = (now + pause).max(trouble.late_until);
        let since = Some(since);
        self.troubles.insert(call, Trouble { tries, refusals, since, not_before, ..trouble });
        After::Again { pause }
    }

    /// The target cannot be fed, as this call found: what failed before was no fault of a call's for so long.
    fn hold(&mut self, call: CallId) -> After {
        self.turned = Some(call);
        self.unblame();
        After::Held
    }

    /// The time until something is given up begins anew.
    fn unblame(&mut self) {
        for it in self.troubles.values_mut() {
            it.since = None;
        }
    }

    /// A person wants one call, or all, to be tried at once.
    pub fn again(&mut self, call: Option<CallId>, now: Mono) {
        self.state = LaneState::Open;
        // What may still be done on the other side is waited for, whoever wants it.
        self.troubles.retain(|of, it| now < it.late_until || call.is_some_and(|call| call != *of));
        for (of, it) in &mut self.troubles {
            if call.is_none_or(|call| call == *of) {
                it.not_before = it.late_until;
            }
        }
    }

    /// The target is not as the configuration says.
    pub fn bar(&mut self, now: Mono) {
        self.state = LaneState::Barred { status: 0, until: now + BARRED };
        self.unblame();
    }

    /// A call's try is over, and what it came to is still to be written: it is not picked until
    /// [`Lane::free`].
    pub fn keep_busy(&mut self, call: CallId) {
        self.busy.insert(call);
    }

    /// The call may be picked again.
    pub fn free(&mut self, call: CallId) {
        self.busy.remove(&call);
    }

    /// A call has nothing due any more.
    pub fn forget(&mut self, call: CallId) {
        self.busy.remove(&call);
        self.troubles.remove(&call);
    }
}
