//! The pace in which one target is fed: what may be tried now, and what a try's end means for the call, and
//! for all others.
//!
//! Calls are apart: what is wrong with one holds up no other. What is wrong with the target itself (nobody
//! there, the key refused) holds up all, and then one call at a time is its touchstone, each time another: what
//! looks like the target may be that call alone. And what looks like one ticket may be the target: a ticket that is
//! withheld is given up only when others are added to meanwhile.

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
/// So many calls whose tickets are withheld, with nothing handed over since the first, and it is the target.
const WITHHELD_MOST: usize = 4;

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
    /// It refuses our key, or all that our user asks. A person must mend that.
    Barred {
        /// By which status.
        status: u16,
        /// Looked at again then.
        until: Mono,
    },
    /// It is not as the configuration says. A person must mend one of them.
    Unfit {
        /// Looked at again then.
        until: Mono,
    },
}

/// What a try came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// The target has a ticket of the call.
    Opened,
    /// The ticket has the addition.
    Added,
    /// The target is not as the configuration says: a field, a project or a queue that is not there.
    Unfit,
    /// Our user may not see or change the one ticket that was asked about: of that ticket or of our user, the
    /// other calls show which.
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
    /// Additions to whatever ticket that the lane had counted when this one was withheld last.
    withheld: Option<u64>,
    not_before: Mono,
    /// Whatever else holds, it is not tried before.
    late_until: Mono,
}

impl Trouble {
    const fn new(now: Mono, late_until: Mono) -> Self {
        Self { tries: 0, refusals: 0, since: None, withheld: None, not_before: now, late_until }
    }
}

/// What the tickets that are withheld say of the target.
#[derive(Debug)]
enum Changing {
    /// Nothing yet: those of these calls, and nothing was handed over since the first.
    Withheld(BTreeSet<CallId>),
    /// Others are opened meanwhile, so the key is good, and what is to be opened must not be held up. Whether any
    /// ticket may be changed is not known until one is: of those that were withheld one is tried, not before `next`.
    OnlyOpened { next: Mono },
}

impl Changing {
    /// Whether a call whose ticket was withheld may be tried; the next one then waits. There may be thousands of them.
    fn tries_one(&mut self, now: Mono) -> bool {
        match self {
            Self::Withheld(_) => true,
            Self::OnlyOpened { next } if now < *next => false,
            Self::OnlyOpened { next } => {
                *next = now + BARRED;
                true
            }
        }
    }
}

impl Default for Changing {
    fn default() -> Self {
        Self::Withheld(BTreeSet::new())
    }
}

/// One target's pace. Starts anew with the process: nothing is lost by that, it is only tried sooner.
#[derive(Debug)]
pub struct Lane {
    state: LaneState,
    silent: u32,
    /// Additions so far.
    added: u64,
    changing: Changing,
    /// Calls whose tries said that the target cannot be fed: the next touchstone is another, until it was all of
    /// them.
    turned: BTreeSet<CallId>,
    troubles: BTreeMap<CallId, Trouble>,
    busy: BTreeSet<CallId>,
}

impl Default for Lane {
    fn default() -> Self {
        let (changing, turned) = (Changing::default(), BTreeSet::new());
        let (troubles, busy) = (BTreeMap::new(), BTreeSet::new());
        Self { state: LaneState::Open, silent: 0, added: 0, changing, turned, troubles, busy }
    }
}

/// What a failure says.
#[derive(Clone, Copy)]
enum Kind {
    /// Of the target: nobody there, or it wants a pause.
    Away,
    /// Of our key.
    Barred(u16),
    /// Of the target: it is not as the configuration says.
    Unfit,
    /// Of this try.
    Passing,
    /// Of what is handed over.
    Lasting,
    /// Of the one ticket, if others can be changed.
    Withheld,
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
            self.troubles.insert(call, Trouble::new(now, late_until));
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
                let (waits, mut picked) =
                    (|it: &Trouble| now < it.late_until || now < it.not_before, Vec::new());
                for call in due {
                    if picked.len() >= room {
                        break;
                    }
                    let was_withheld =
                        self.troubles.get(&call).is_some_and(|it| it.withheld.is_some());
                    if self.may(call, waits) && (!was_withheld || self.changing.tries_one(now)) {
                        picked.push(call);
                    }
                }
                picked
            }
            LaneState::Away { until, .. }
            | LaneState::Barred { until, .. }
            | LaneState::Unfit { until } => {
                if now < until || !self.busy.is_empty() {
                    return Vec::new();
                }
                self.touchstone(due, now).into_iter().collect()
            }
        };
        self.busy.extend(picked.iter().copied());
        picked
    }

    /// A call that was not turned away before, whatever its own pause, while there is one: by turns the one that is
    /// due longest and the newest, for a ticket that is still to be opened may go where additions do not.
    fn touchstone(&mut self, due: impl IntoIterator<Item = CallId>, now: Mono) -> Option<CallId> {
        let free = |call: &CallId| self.may(*call, |it| now < it.late_until);
        let due: Vec<CallId> = due.into_iter().filter(free).collect();
        let mut others = due.iter().filter(|call| !self.turned.contains(*call));
        let is_oldests_turn = self.turned.len().is_multiple_of(2);
        let other = if is_oldests_turn { others.next() } else { others.next_back() };
        if let Some(call) = other {
            return Some(*call);
        }
        self.turned.clear();
        due.first().copied()
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
            Tried::Opened => {
                if matches!(&self.changing, Changing::Withheld(calls) if !calls.is_empty()) {
                    self.changing = Changing::OnlyOpened { next: now };
                }
                return self.done(call, tries);
            }
            Tried::Added => {
                self.added = self.added.saturating_add(1);
                self.changing = Changing::default();
                return self.done(call, tries);
            }
            Tried::Unfit => (Unfed::Garbled, None, Kind::Unfit),
            Tried::Withheld { status } => {
                let of_target = self.is_withheld_by_target(call);
                let kind = if of_target { Kind::Barred(status) } else { Kind::Withheld };
                (Unfed::Refused { status }, None, kind)
            }
            Tried::Failed { why, retry_after } => (why, retry_after, kind(why, retry_after)),
        };
        self.silent = if why == Unfed::TimedOut { self.silent.saturating_add(1) } else { 0 };
        let asked = retry_after.unwrap_or_default();
        let kind = match kind {
            Kind::Passing if self.silent >= SILENT_MOST => Kind::Away,
            kind => kind,
        };
        let least = match kind {
            Kind::Lasting | Kind::Withheld => asked.max(REFUSED),
            Kind::Away | Kind::Barred(_) | Kind::Unfit | Kind::Passing => asked,
        };
        let late_until = if may_be_late(why) { now + LATE } else { now };
        let mut trouble = before.unwrap_or_else(|| Trouble::new(now, late_until));
        trouble.late_until = trouble.late_until.max(late_until);
        let refused = trouble.refusals.saturating_add(1);
        let refusals = match kind {
            Kind::Away => {
                let tries = match self.state {
                    LaneState::Away { tries, until } if now < until => tries,
                    LaneState::Away { tries, .. } => tries.saturating_add(1),
                    LaneState::Open | LaneState::Barred { .. } | LaneState::Unfit { .. } => 1,
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
                return self.barred(call, LaneState::Barred { status, until }, until, trouble);
            }
            Kind::Unfit => {
                let until = now + BARRED;
                return self.barred(call, LaneState::Unfit { until }, until, trouble);
            }
            Kind::Passing => 0,
            Kind::Lasting => refused,
            // As long as no other ticket is added to, it may be the target.
            Kind::Withheld if trouble.withheld == Some(self.added) => trouble.refusals,
            Kind::Withheld => refused,
        };
        // It answered: it is there.
        if why != Unfed::TimedOut {
            self.state = LaneState::Open;
        }
        let (since, withheld) = match kind {
            // No time shows that it is the ticket; only what is added to others does.
            Kind::Withheld => (None, Some(self.added)),
            Kind::Away | Kind::Barred(_) | Kind::Unfit | Kind::Passing | Kind::Lasting => {
                (trouble.since.or(Some(now)), trouble.withheld)
            }
        };
        let too_long = since.is_some_and(|since| now.since(since) >= GIVE_UP_AFTER);
        if refusals >= REFUSALS_MOST || too_long {
            self.forget(call);
            return After::GivenUp { tries, why };
        }
        let pause = pause(tries, least, drawn);
        let not_before = (now + pause).max(trouble.late_until);
        let trouble = Trouble { tries, refusals, since, withheld, not_before, ..trouble };
        self.troubles.insert(call, trouble);
        After::Again { pause }
    }

    /// The target has it: it is there, and takes our key.
    fn done(&mut self, call: CallId, tries: u32) -> After {
        self.forget(call);
        (self.state, self.silent) = (LaneState::Open, 0);
        After::Done { tries }
    }

    /// Whether it is the target that withholds this call's ticket, as far as can be told.
    fn is_withheld_by_target(&mut self, call: CallId) -> bool {
        let all_are = match &mut self.changing {
            Changing::Withheld(calls) => {
                calls.insert(call);
                calls.len() >= WITHHELD_MOST
            }
            Changing::OnlyOpened { .. } => false,
        };
        match self.state {
            LaneState::Open | LaneState::Away { .. } => all_are,
            // A 403 is no sign that the key is taken again.
            LaneState::Barred { .. } | LaneState::Unfit { .. } => true,
        }
    }

    /// A person must mend the target. Should others be taken, it is this call: it is no more often asked for than
    /// the target.
    fn barred(&mut self, call: CallId, by: LaneState, until: Mono, trouble: Trouble) -> After {
        self.state = by;
        self.troubles.insert(call, Trouble { not_before: until, ..trouble });
        self.hold(call)
    }

    /// The target cannot be fed, as this call found: what failed before was no fault of a call's for so long.
    fn hold(&mut self, call: CallId) -> After {
        self.turned.insert(call);
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
        self.changing = Changing::default();
        self.turned.clear();
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
        self.state = LaneState::Unfit { until: now + BARRED };
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
        self.turned.remove(&call);
        if let Changing::Withheld(calls) = &mut self.changing {
            calls.remove(&call);
        }
    }
}
