//! Subscriptions: phones that want to be told of lamps, messages and their own registration
//! (RFC 6665). Each has a dialog of its own, a lease and a life (`life`); what it says is a document
//! (`document`). The table (`table`) knows who watches what. No call, no account's password and no
//! rule of the desk is known here: what a lamp shows is handed in.

mod document;
mod life;
mod package;
mod table;
mod watch;

pub use document::{DialogName, Lamp, LampCall, LampStage};
pub(super) use life::{Event, Life, Reason, Todo};
pub(super) use package::{ALLOW_EVENTS, Package, Wanted};
#[cfg(test)]
pub(super) use table::MAX_PER_ACCOUNT;
pub(super) use table::Watches;
pub use watch::{KeptDialog, KeptSubscription, SubscriptionChange};
pub(super) use watch::{Topic, Watch};

use crate::base::Number;
use std::collections::{BTreeMap, BTreeSet};

/// One subscription: our tag in its dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WatchId(pub u64);

/// The numbers that have a lamp, each with the circles it belongs to. Any account may see whether a
/// number is busy; with whom, only those who share a circle with it (the members of a group).
#[derive(Clone, Debug, Default)]
pub struct Circles(pub BTreeMap<Number, BTreeSet<u32>>);

impl Circles {
    /// Whether the number has a lamp.
    #[must_use]
    pub fn has(&self, number: &Number) -> bool {
        self.0.contains_key(number)
    }

    /// Whether `watcher` may see with whom `number` speaks.
    #[must_use]
    pub fn share(&self, watcher: &Number, number: &Number) -> bool {
        match (self.0.get(watcher), self.0.get(number)) {
            (Some(one), Some(two)) => watcher == number || !one.is_disjoint(two),
            (_, _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_whom_a_colleague_speaks_is_seen_within_the_group_only() {
        let circle = |number: &str, list: &[u32]| {
            (Number::from(number), list.iter().copied().collect::<BTreeSet<_>>())
        };
        let circles = Circles(BTreeMap::from([
            circle("2001", &[1]),
            circle("2002", &[1, 2]),
            circle("2003", &[2]),
            circle("2004", &[]),
        ]));
        let share = |one: &str, two: &str| circles.share(&one.into(), &two.into());
        assert!(share("2001", "2002") && share("2003", "2002"));
        assert!(!share("2001", "2003"), "another group's");
        assert!(share("2004", "2004"), "one's own");
        assert!(!share("2004", "2001") && !share("9999", "2001") && !share("9999", "9999"));
    }
}
