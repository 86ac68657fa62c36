//! Slows the guessing of passwords, and says who guessed.
//!
//! Two doors are shut. One is for a source and an account: ten wrong passwords in a minute, and a
//! minute of not being listened to; so an outsider can lock nobody out but itself. The other is for a
//! whole source that tries many accounts; an account that is registered from there goes on being
//! served, so that a neighbour behind one address, too, locks nobody out. A failure counts only when
//! it answers a challenge that was sent to that very source (see `digest::Authenticator`): who forges
//! a source never sees one. Bounded, so that a thousand sources cost no more than a few.

use super::core::Core;
use crate::base::{Mono, Now, Number, Wall};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// Wrong passwords in one window, after which answers are no longer looked at.
const MAX_FAILURES: u32 = 10;
/// The window, and how long the door stays shut for a source and an account.
const WINDOW: Duration = Duration::from_mins(1);
/// Accounts that a source must have tried before it is shut out as a whole: one phone that was set up
/// wrongly does not shut out the office behind its address.
const MANY_ACCOUNTS: usize = 3;
/// How long a whole source stays shut out.
const SHUT_OUT: Duration = Duration::from_mins(10);
/// Pairs of source and account, and sources, that are remembered each; the next pushes out the one
/// whose window began first.
const MAX_ENTRIES: usize = 4_096;

/// A door that is shut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// The address; of IPv6 the first of its /64, the share of one subscriber.
    pub source: IpAddr,
    /// The account when only it is shut for this source; none when the whole source is.
    pub account: Option<BlockedAccount>,
    /// Failures that were counted.
    pub failures: u32,
    /// When the door was shut.
    pub since: Wall,
    /// How long it stays so.
    pub left: Duration,
}

/// What may be said of the account that somebody tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockedAccount {
    /// One of ours.
    Known(Number),
    /// None that there is; its name was chosen by a stranger and is not kept.
    Unknown,
}

/// What the guard has done since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Admission {
    /// Doors that are shut now.
    pub blocked: usize,
    /// Wrong passwords, malformed answers, and right ones that a rule does not allow.
    pub failures: u64,
    /// Of these, right ones that a rule does not allow.
    pub against_rules: u64,
    /// Answers that were not looked at because a door was shut.
    pub unheard: u64,
}

/// One window of failures.
#[derive(Debug)]
struct Entry {
    source: IpAddr,
    account: Option<BlockedAccount>,
    since: Now,
    failures: u32,
    /// The accounts tried, by hash, as many as matter.
    tried: Vec<u64>,
}

impl Entry {
    fn is_shut(&self, now: Mono) -> bool {
        let span = if self.account.is_some() { WINDOW } else { SHUT_OUT };
        let many = self.account.is_some() || self.tried.len() >= MANY_ACCOUNTS;
        self.failures >= MAX_FAILURES && many && now.since(self.since.mono) < span
    }

    fn left(&self, now: Mono) -> Duration {
        let span = if self.account.is_some() { WINDOW } else { SHUT_OUT };
        span.saturating_sub(now.since(self.since.mono))
    }
}

/// Windows by a hash, the oldest first out.
#[derive(Debug, Default)]
struct Windows {
    entries: BTreeMap<u64, Entry>,
    by_age: BTreeSet<(Mono, u64)>,
}

impl Windows {
    /// Counts one failure; true when it shut the door.
    fn count(&mut self, key: u64, tried: u64, now: Now, begin: impl FnOnce() -> Entry) -> bool {
        let entry = self.entries.entry(key).or_insert_with(begin);
        self.by_age.remove(&(entry.since.mono, key));
        if now.mono.since(entry.since.mono) >= WINDOW && !entry.is_shut(now.mono) {
            (entry.since, entry.failures) = (now, 0);
            entry.tried.clear();
        }
        let was = entry.is_shut(now.mono);
        entry.failures = entry.failures.saturating_add(1);
        if entry.tried.len() < MANY_ACCOUNTS && !entry.tried.contains(&tried) {
            entry.tried.push(tried);
        }
        // The failure that shuts the door begins the time for which it stays shut.
        let shuts = !was && entry.is_shut(now.mono);
        if shuts {
            entry.since = now;
        }
        self.by_age.insert((entry.since.mono, key));
        while self.entries.len() > MAX_ENTRIES {
            let Some((_, oldest)) = self.by_age.pop_first() else { break };
            self.entries.remove(&oldest);
        }
        shuts
    }

    fn is_shut(&self, key: u64, now: Mono) -> bool {
        self.entries.get(&key).is_some_and(|entry| entry.is_shut(now))
    }

    fn shut(&self, now: Mono) -> impl Iterator<Item = &Entry> {
        self.entries.values().filter(move |entry| entry.is_shut(now))
    }

    fn forget(&mut self, source: IpAddr) {
        self.entries.retain(|_, entry| entry.source != source);
        let entries = &self.entries;
        self.by_age.retain(|(_, key)| entries.contains_key(key));
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Guard {
    pairs: Windows,
    sources: Windows,
    failures: u64,
    against_rules: u64,
    unheard: u64,
}

/// Whom an answer to a challenge comes from and whom it speaks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt<'a> {
    /// As [`source_of`] has it.
    pub source: IpAddr,
    pub account: &'a str,
    /// Whether there is such an account.
    pub is_known: bool,
}

/// The peer as it is counted: of IPv6 the /64, which is one subscriber's, and IPv4 however it is
/// written.
pub(in crate::sip) fn source_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        four @ IpAddr::V4(_) => four,
        IpAddr::V6(six) => {
            let [a, b, c, d, ..] = six.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

impl Guard {
    fn key(core: &Core, attempt: &Attempt<'_>) -> u64 {
        let source = attempt.source.to_string();
        core.keyer.key(&[b"guard", source.as_bytes(), attempt.account.as_bytes()])
    }

    fn source_key(core: &Core, source: IpAddr) -> u64 {
        core.keyer.key(&[b"guard source", source.to_string().as_bytes()])
    }

    /// Whether this answer is not to be looked at. Its sender then gets the same challenge as everybody,
    /// and never learns whether it would have been right. `at_home` says whether the account is
    /// registered from there.
    pub fn is_shut(
        &self,
        core: &Core,
        attempt: &Attempt<'_>,
        at_home: impl FnOnce() -> bool,
        now: Mono,
    ) -> bool {
        if self.sources.entries.is_empty() {
            return false;
        }
        self.pairs.is_shut(Self::key(core, attempt), now)
            || (self.sources.is_shut(Self::source_key(core, attempt.source), now) && !at_home())
    }

    /// Counts an answer that was not looked at.
    pub fn unheard(&mut self) {
        self.unheard = self.unheard.saturating_add(1);
    }

    /// Counts a wrong answer; `by_rule` when it was right, and a rule says no.
    pub fn failed(&mut self, core: &Core, attempt: &Attempt<'_>, by_rule: bool, now: Now) {
        self.failures = self.failures.saturating_add(1);
        self.against_rules = self.against_rules.saturating_add(u64::from(by_rule));
        let Attempt { source, account, is_known } = *attempt;
        let key = Self::key(core, attempt);
        let begin = |account| Entry { source, account, since: now, failures: 0, tried: Vec::new() };
        self.pairs.count(key, key, now, || {
            begin(Some(if is_known {
                BlockedAccount::Known(Number::from(account))
            } else {
                BlockedAccount::Unknown
            }))
        });
        self.sources.count(Self::source_key(core, source), key, now, || begin(None));
    }

    /// Opens every door of a source; false when none was shut.
    pub fn let_in(&mut self, source: IpAddr, now: Mono) -> bool {
        let was = self.pairs.shut(now).chain(self.sources.shut(now)).any(|e| e.source == source);
        self.pairs.forget(source);
        self.sources.forget(source);
        was
    }

    /// The doors that are shut, whole sources first.
    pub fn blocked(&self, now: Mono) -> impl Iterator<Item = Blocked> {
        self.sources.shut(now).chain(self.pairs.shut(now)).map(move |entry| Blocked {
            source: entry.source,
            account: entry.account.clone(),
            failures: entry.failures,
            since: entry.since.wall,
            left: entry.left(now),
        })
    }

    /// What was done since the start.
    pub fn admission(&self, now: Mono) -> Admission {
        Admission {
            blocked: self.sources.shut(now).count().saturating_add(self.pairs.shut(now).count()),
            failures: self.failures,
            against_rules: self.against_rules,
            unheard: self.unheard,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;
    use crate::sip::endpoint::tests::settings;

    fn core() -> Core {
        Core::new(settings(), Rng::from_number(1))
    }

    fn at(ms: u64) -> Now {
        Now { mono: Mono(ms * 1_000), wall: Wall(i64::try_from(ms).unwrap_or(0)) }
    }

    fn attempt(source: &str, account: &'static str) -> Attempt<'static> {
        let source = source_of(source.parse().expect("an address"));
        Attempt { source, account, is_known: account.len() == 3 }
    }

    fn is_shut(guard: &Guard, core: &Core, attempt: &Attempt<'_>, ms: u64) -> bool {
        guard.is_shut(core, attempt, || false, at(ms).mono)
    }

    #[test]
    fn ten_failures_shut_the_door_for_one_source_and_account() {
        let (core, mut guard) = (core(), Guard::default());
        let guesser = attempt("192.0.2.1", "100");
        for n in 0..10 {
            assert!(!is_shut(&guard, &core, &guesser, n));
            guard.failed(&core, &guesser, false, at(n));
        }
        assert!(is_shut(&guard, &core, &guesser, 10), "at once");
        assert!(!is_shut(&guard, &core, &attempt("192.0.2.2", "100"), 10), "the owner elsewhere");
        assert!(!is_shut(&guard, &core, &attempt("192.0.2.1", "101"), 10), "the office next door");
        assert!(!is_shut(&guard, &core, &guesser, 70_000));
        let slow = attempt("192.0.2.9", "100");
        for n in 0..30 {
            guard.failed(&core, &slow, false, at(100_000 + n * 6_700));
            assert!(!is_shut(&guard, &core, &slow, 100_001 + n * 6_700), "a forgetful phone");
        }
    }

    #[test]
    fn a_source_that_tries_many_accounts_is_shut_out_but_for_who_is_registered_there() {
        let (core, mut guard) = (core(), Guard::default());
        for (n, account) in ["100", "101", "102", "nobody"].iter().cycle().take(10).enumerate() {
            guard.failed(&core, &attempt("192.0.2.1", account), false, at(n as u64));
        }
        let new = attempt("192.0.2.1", "103");
        assert!(is_shut(&guard, &core, &new, 10));
        assert!(is_shut(&guard, &core, &attempt("::ffff:192.0.2.1", "103"), 10), "however written");
        assert!(!guard.is_shut(&core, &new, || true, at(10).mono), "a phone that is at home there");
        assert!(is_shut(&guard, &core, &new, 599_000));
        assert!(!is_shut(&guard, &core, &new, 600_010));
        let blocked: Vec<Blocked> = guard.blocked(at(1_009).mono).collect();
        assert_eq!(blocked.len(), 1, "{blocked:?}");
        assert_eq!((blocked[0].failures, blocked[0].since), (10, Wall(9)));
        assert_eq!(blocked[0].left, Duration::from_secs(599));
        assert!(guard.let_in(new.source, at(20).mono));
        assert!(!is_shut(&guard, &core, &new, 20) && !guard.let_in(new.source, at(20).mono));
        assert_eq!(guard.admission(at(20).mono).failures, 10);
    }

    #[test]
    fn one_subscriber_of_ipv6_is_one_source() {
        let (core, mut guard) = (core(), Guard::default());
        let hosts = ["2001:db8::1", "2001:db8::2:3", "2001:db8::ffff:ffff:ffff:ffff"];
        for (n, host) in hosts.iter().cycle().take(10).enumerate() {
            guard.failed(&core, &attempt(host, "100"), false, at(n as u64));
        }
        assert!(is_shut(&guard, &core, &attempt("2001:db8::9", "100"), 10));
        assert!(!is_shut(&guard, &core, &attempt("2001:db8:0:1::1", "100"), 10));
    }

    #[test]
    fn ten_thousand_sources_and_accounts_cost_a_bounded_memory_and_unknown_names_are_not_kept() {
        let (core, mut guard) = (core(), Guard::default());
        for n in 0..10_000_u32 {
            let source = IpAddr::V4(n.into());
            let account = format!("x{n}");
            let attempt = Attempt { source, account: &account, is_known: false };
            guard.failed(&core, &attempt, false, at(0));
        }
        for windows in [&guard.pairs, &guard.sources] {
            assert!(windows.entries.len() <= MAX_ENTRIES && windows.by_age.len() <= MAX_ENTRIES);
        }
        let kept = guard.pairs.entries.values().filter_map(|entry| entry.account.as_ref());
        assert!(kept.into_iter().all(|account| *account == BlockedAccount::Unknown));
    }
}
