//! What is plainly wrong with a leg's sound, noticed within three seconds of a talk. Looks at a leg now and
//! then; knows not who it talks with, only whether those are heard.
//!
//! A phone that says that it holds, that plays nothing because nobody speaks, or that is not yet answered
//! does nothing wrong: the caller of [`Watch::listen`] says when both sides are due to speak, and a phone that
//! leaves packets out in pauses is given more time.

use crate::base::Mono;
use std::time::Duration;

/// A phone that does not stop in pauses has so long; looked at every half second, that makes three.
const PATIENCE: Duration = Duration::from_millis(2_500);
/// A phone that does.
const PATIENCE_IN_PAUSES: Duration = Duration::from_secs(10);
/// The same sound for so long is none.
const FROZEN_AFTER_MS: u32 = 5_000;
/// Faults of one leg that are told; one that comes and goes for ever says no more by then.
const TOLD: u8 = 32;

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// This leg is not heard, and who it talks with is.
    OneWay,
    /// Neither side is heard.
    NoWay,
    /// It sends, but for seconds always the same: digital silence. Phones that are muted do so.
    Frozen,
    /// What we send it comes back.
    Loop,
}

impl Fault {
    /// All.
    pub const ALL: [Self; 4] = [Self::OneWay, Self::NoWay, Self::Frozen, Self::Loop];
}

/// Whether those that a leg talks with are heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// One is.
    Heard,
    /// None is, and each should be.
    Unheard,
    /// None is, and that may be right.
    Quiet,
}

/// What is seen of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Those that it talks with.
    pub others: Others,
    /// For how long always the same came, milliseconds.
    pub same_for_ms: u32,
    /// What we send comes back; or does no more; or a little of it.
    pub comes_back: Option<bool>,
}

/// What has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Something is wrong from here on.
    Noticed(Fault),
    /// It is right again, or nobody is there any more for whom it could be wrong.
    Ended(Fault),
}

/// The watch over one leg.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// When the talk that is watched began.
    since: Option<Mono>,
    unheard: bool,
    open: [bool; Fault::ALL.len()],
    told: u8,
}

impl Watch {
    /// A talk begins here.
    pub const fn begin(&mut self) {
        self.since = None;
    }

    /// Notes whether the leg has not been heard for too long. `talks`: it is joined with somebody, and its
    /// description says that it speaks and listens. `heard_at`: when it was heard last. `pauses`: it leaves
    /// packets out while nobody speaks.
    pub fn listen(&mut self, talks: bool, heard_at: Option<Mono>, pauses: bool, now: Mono) {
        if !talks {
            (self.since, self.unheard) = (None, false);
            return;
        }
        let since = *self.since.get_or_insert(now);
        let patience = if pauses { PATIENCE_IN_PAUSES } else { PATIENCE };
        let last = heard_at.map_or(since, |at| at.max(since));
        self.unheard = now.since(last) >= patience;
    }

    /// Whether it has not been heard for too long.
    #[must_use]
    pub const fn is_unheard(&self) -> bool {
        self.unheard
    }

    /// Whether it is one that should be heard.
    #[must_use]
    pub const fn talks(&self) -> bool {
        self.since.is_some()
    }

    /// Looks, after every leg was listened to; what has changed is told.
    pub fn look(&mut self, sight: &Sight, mut tell: impl FnMut(Change)) {
        let (talks, unheard) = (self.talks(), self.unheard);
        for (open, fault) in self.open.iter_mut().zip(Fault::ALL) {
            let is_wrong = match fault {
                Fault::OneWay => unheard && sight.others == Others::Heard,
                Fault::NoWay => unheard && sight.others == Others::Unheard,
                Fault::Frozen => talks && !unheard && sight.same_for_ms >= FROZEN_AFTER_MS,
                Fault::Loop => sight.comes_back.unwrap_or(*open),
            };
            if is_wrong == *open || (is_wrong && self.told >= TOLD) {
                continue;
            }
            *open = is_wrong;
            if is_wrong {
                self.told = self.told.saturating_add(1);
                tell(Change::Noticed(fault));
            } else {
                tell(Change::Ended(fault));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether it talks, whether it pauses, what is seen.
    type Seen = (bool, bool, Sight);

    /// Its name, what happens, what is told.
    type Case = (&'static str, &'static [(u64, Seen, bool)], &'static [(u64, Change)]);

    const SIGHT: Sight = Sight { others: Others::Heard, same_for_ms: 0, comes_back: Some(false) };
    const WELL: Seen = (true, false, SIGHT);

    /// Looks every half second: each step is (seconds, what is seen, `h` when the leg is heard).
    fn watched(steps: &[(u64, Seen, bool)]) -> Vec<(u64, Change)> {
        let (mut watch, mut told, mut at_ms, mut heard) = (Watch::default(), Vec::new(), 0, None);
        for (seconds, (talks, pauses, sight), is_heard) in steps {
            for _ in 0..seconds * 2 {
                at_ms += 500;
                let now = Mono(at_ms * 1000);
                if *is_heard {
                    heard = Some(Mono((at_ms - 10) * 1000));
                }
                watch.listen(*talks, heard, *pauses, now);
                watch.look(sight, |change| told.push((at_ms, change)));
            }
        }
        told
    }

    #[test]
    fn who_is_not_heard_is_noticed_within_three_seconds_and_who_may_be_silent_never() {
        use Change::{Ended, Noticed};
        const ALONE: Seen = (false, false, SIGHT);
        const QUIET: Seen = (true, false, Sight { others: Others::Quiet, ..SIGHT });
        const NOBODY: Seen = (true, false, Sight { others: Others::Unheard, ..SIGHT });
        const PAUSING: Seen = (true, true, SIGHT);
        const MUTED: Seen = (true, false, Sight { same_for_ms: 5_000, ..SIGHT });
        let table: [Case; 11] = [
            ("a talk", &[(60, WELL, true)], &[]),
            ("nobody to talk with", &[(60, ALONE, false)], &[]),
            ("never heard", &[(10, WELL, false)], &[(3_000, Noticed(Fault::OneWay))]),
            (
                "heard again",
                &[(10, WELL, true), (5, WELL, false), (5, WELL, true)],
                &[(12_500, Noticed(Fault::OneWay)), (15_500, Ended(Fault::OneWay))],
            ),
            ("neither", &[(10, NOBODY, false)], &[(3_000, Noticed(Fault::NoWay))]),
            ("the other holds its breath", &[(60, QUIET, false)], &[]),
            (
                "on hold, and back",
                &[(10, WELL, true), (60, ALONE, false), (2, WELL, false), (10, WELL, true)],
                &[],
            ),
            (
                "a phone that pauses",
                &[(1, PAUSING, true), (9, PAUSING, false), (9, PAUSING, true)],
                &[],
            ),
            (
                "a phone that pauses and is gone",
                &[(1, PAUSING, true), (20, PAUSING, false)],
                &[(11_000, Noticed(Fault::OneWay))],
            ),
            (
                "muted",
                &[(4, WELL, true), (4, MUTED, true), (2, WELL, true)],
                &[(4_500, Noticed(Fault::Frozen)), (8_500, Ended(Fault::Frozen))],
            ),
            (
                "the other goes, too",
                &[(4, WELL, false), (4, NOBODY, false), (1, ALONE, false)],
                &[
                    (3_000, Noticed(Fault::OneWay)),
                    (4_500, Ended(Fault::OneWay)),
                    (4_500, Noticed(Fault::NoWay)),
                    (8_500, Ended(Fault::NoWay)),
                ],
            ),
        ];
        for (case, steps, want) in table {
            assert_eq!(watched(steps), want, "{case}");
        }
    }

    #[test]
    fn a_loop_stands_until_nothing_comes_back() {
        let back = (false, false, Sight { comes_back: Some(true), ..SIGHT });
        let some = (false, false, Sight { comes_back: None, ..SIGHT });
        let told = watched(&[(2, back, true), (2, some, true), (1, WELL, true)]);
        assert_eq!(
            told,
            [(500, Change::Noticed(Fault::Loop)), (4_500, Change::Ended(Fault::Loop))]
        );
        assert_eq!(watched(&[(5, some, true)]), []);
    }

    #[test]
    fn a_fault_that_flutters_is_told_so_often_and_no_more() {
        let steps: Vec<_> = (0..200).flat_map(|_| [(4, WELL, false), (1, WELL, true)]).collect();
        assert_eq!(watched(&steps).len(), usize::from(TOLD) * 2);
    }
}
