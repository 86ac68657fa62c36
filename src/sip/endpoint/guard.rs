//! Slows the guessing of passwords. Kept by source and account, so that an outsider can lock nobody
//! out but itself, and bounded, so that a thousand sources cost no more than a few.

use super::core::Core;
use crate::base::Mono;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

/// Wrong passwords in one window, after which answers are no longer looked at.
const MAX_FAILURES: u32 = 10;
/// The window, and how long the door stays shut.
const WINDOW: Duration = Duration::from_mins(1);
/// Pairs of source and account that are remembered; the next pushes out the one whose window began
/// first.
const MAX_PAIRS: usize = 4_096;

/// Failures by source and account.
#[derive(Debug, Default)]
pub(super) struct Guard {
    failures: BTreeMap<u64, (Mono, u32)>,
    by_age: BTreeSet<(Mono, u64)>,
}

impl Guard {
    fn key(core: &Core, source: IpAddr, account: &str) -> u64 {
        core.keyer.key(&[
            b"guard",
            source.to_canonical().to_string().as_bytes(),
            account.as_bytes(),
        ])
    }

    /// Whether this source has failed too often as this account. It then gets the same challenge as
    /// everybody, and never learns whether it would have been right.
    pub fn is_shut(&self, core: &Core, source: IpAddr, account: &str, now: Mono) -> bool {
        if self.failures.is_empty() {
            return false;
        }
        let shut =
            |(since, count): &(Mono, u32)| *count >= MAX_FAILURES && now.since(*since) < WINDOW;
        self.failures.get(&Self::key(core, source, account)).is_some_and(shut)
    }

    /// Counts a wrong password.
    pub fn failed(&mut self, core: &Core, source: IpAddr, account: &str, now: Mono) {
        let key = Self::key(core, source, account);
        let (since, count) = self.failures.get(&key).copied().unwrap_or((now, 0));
        self.by_age.remove(&(since, key));
        // The tenth failure begins the time for which the door stays shut.
        let fresh = now.since(since) >= WINDOW;
        let count = if fresh { 1 } else { count.saturating_add(1) };
        let since = if fresh || count == MAX_FAILURES { now } else { since };
        self.failures.insert(key, (since, count));
        self.by_age.insert((since, key));
        while self.failures.len() > MAX_PAIRS {
            let Some((_, oldest)) = self.by_age.pop_first() else { break };
            self.failures.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;
    use crate::sip::api::Settings;

    #[test]
    fn ten_failures_shut_the_door_for_one_source_and_account() {
        let settings = Settings {
            listeners: Vec::new(),
            hosts: Vec::new(),
            realm: String::new(),
            product: String::new(),
            min_expires_s: 60,
            max_expires_s: 3600,
            max_contacts: 2,
            digest: crate::sip::digest::Offer::Both,
            session: crate::sip::api::SessionPolicy::default(),
            max_transactions: 10,
        };
        let core = Core::new(settings, Rng::from_number(1));
        let mut guard = Guard::default();
        let (one, two) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        for second in 0..10 {
            assert!(!guard.is_shut(&core, one, "100", Mono(second)));
            guard.failed(&core, one, "100", Mono(second));
        }
        assert!(guard.is_shut(&core, one, "100", Mono(10)));
        assert!(!guard.is_shut(&core, two, "100", Mono(10)), "the account's owner is elsewhere");
        assert!(!guard.is_shut(&core, one, "101", Mono(10)), "an office behind one address");
        assert!(!guard.is_shut(&core, one, "100", Mono(70_000_000)));
        for pair in 0..10_000 {
            guard.failed(&core, one, &pair.to_string(), Mono(20));
        }
        assert!(guard.failures.len() <= MAX_PAIRS && guard.by_age.len() <= MAX_PAIRS);
    }
}
