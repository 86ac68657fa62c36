//! Guessing at logins is slowed by its source: a few wrong tries are anybody's, more of them wait.
//!
//! Judged by the source with the user tried, and with more patience by the source alone: were it by the user
//! alone, a stranger could shut people out; were there no patience, colleagues behind one proxy would. Of IPv6
//! a /64 is one source.

use crate::base::Mono;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// Sources, and pairs of source and user, that are remembered; one more takes the place of the one that
/// failed longest ago.
pub const MOST_SOURCES: usize = 4_096;

/// Wrong tries at one user that cost nothing.
const FREE: u32 = 5;
/// Wrong tries from one source, whoever is tried, that cost nothing.
const FREE_OF_SOURCE: u32 = 30;
/// What the first one after them costs; each further one costs twice as much.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// So long after the last wrong try all is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(900);

/// The source must wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// Whole seconds until it is listened to again, at least 1.
    pub wait_s: u64,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Mono,
}

/// A source by itself, or with a user.
type Key = (IpAddr, Option<String>);

/// Who failed how often.
#[derive(Clone, Debug, Default)]
pub struct Throttle {
    failures: BTreeMap<Key, Failures>,
}

impl Throttle {
    /// Whether a try from there at this user is looked at now.
    ///
    /// # Errors
    ///
    /// [`TooMany`] while a pause lasts. A try in a pause is not looked at and does not lengthen it.
    pub fn admit(&self, source: IpAddr, user: &str, now: Mono) -> Result<(), TooMany> {
        let pauses = keys(source, user).into_iter().filter_map(|key| {
            let failures = self.failures.get(&key)?;
            let passed = since(failures.last, now);
            pause_after(&key, failures.count).checked_sub(passed).filter(|left| !left.is_zero())
        });
        match pauses.max() {
            None => Ok(()),
            Some(left) => Err(TooMany { wait_s: left.as_secs().saturating_add(1) }),
        }
    }

    /// It was the wrong password.
    pub fn failed(&mut self, source: IpAddr, user: &str, now: Mono) {
        self.failures.retain(|_, failures| since(failures.last, now) < FORGOTTEN);
        for key in keys(source, user) {
            if !self.failures.contains_key(&key) && self.failures.len() >= MOST_SOURCES {
                let oldest = self.failures.iter().min_by_key(|(_, failures)| failures.last);
                if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                    self.failures.remove(&oldest);
                }
            }
            let failures = self.failures.entry(key).or_insert(Failures { count: 0, last: now });
            *failures = Failures { count: failures.count.saturating_add(1), last: now };
        }
    }

    /// It was the right one: what this source did wrong at this user is forgotten, and nothing else.
    pub fn succeeded(&mut self, source: IpAddr, user: &str) {
        let [_, pair] = keys(source, user);
        self.failures.remove(&pair);
    }
}

fn keys(source: IpAddr, user: &str) -> [Key; 2] {
    let source = source_of(source);
    // What is no user name may be long; it is nobody's.
    let user = if super::is_user(user) { user.to_owned() } else { String::new() };
    [(source, None), (source, Some(user))]
}

fn since(then: Mono, now: Mono) -> Duration {
    Duration::from_micros(now.0.saturating_sub(then.0))
}

fn pause_after((_, user): &Key, count: u32) -> Duration {
    let free = if user.is_some() { FREE } else { FREE_OF_SOURCE };
    match count.checked_sub(free) {
        None => Duration::ZERO,
        Some(beyond) => FIRST_PAUSE.saturating_mul(1 << beyond.min(16)).min(LONGEST_PAUSE),
    }
}

fn source_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) => {
            let network = u128::from(ip) & !u128::from(u64::MAX);
            IpAddr::V6(network.into())
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: u64) -> Mono {
        Mono(s * 1_000_000)
    }

    #[test]
    fn the_sixth_guess_waits_and_each_further_one_twice_as_long() {
        let (mut throttle, guesser) = (Throttle::default(), "192.0.2.7".parse().expect("one"));
        for _ in 0..4 {
            throttle.failed(guesser, "sato", at(0));
            assert_eq!(throttle.admit(guesser, "sato", at(0)), Ok(()));
        }
        throttle.failed(guesser, "sato", at(0));
        assert_eq!(throttle.admit(guesser, "sato", at(0)), Err(TooMany { wait_s: 3 }));
        assert_eq!(throttle.admit(guesser, "suzuki", at(0)), Ok(()), "a colleague's slip");
        assert_eq!(throttle.admit(guesser, "sato", at(2)), Ok(()));
        throttle.failed(guesser, "sato", at(2));
        assert!(throttle.admit(guesser, "sato", at(5)).is_err());
        assert_eq!(throttle.admit(guesser, "sato", at(6)), Ok(()));
        for _ in 0..20 {
            throttle.failed(guesser, "sato", at(10));
        }
        assert!(throttle.admit(guesser, "sato", at(309)).is_err());
        assert_eq!(throttle.admit(guesser, "sato", at(310)), Ok(()), "no pause is longer");
        let other = "192.0.2.8".parse().expect("one");
        assert_eq!(throttle.admit(other, "sato", at(10)), Ok(()), "others are not slowed");
        throttle.succeeded(guesser, "sato");
        assert_eq!(throttle.admit(guesser, "sato", at(10)), Ok(()));
    }

    #[test]
    fn who_tries_one_password_at_everybody_waits_too_even_with_an_account_of_its_own() {
        let (mut throttle, guesser) = (Throttle::default(), "192.0.2.7".parse().expect("one"));
        for n in 0..30 {
            assert_eq!(throttle.admit(guesser, "anybody", at(0)), Ok(()));
            throttle.failed(guesser, &format!("user{n}"), at(0));
            throttle.succeeded(guesser, "its-own");
        }
        assert!(throttle.admit(guesser, "anybody", at(0)).is_err());
    }

    #[test]
    fn an_ipv6_network_is_one_guesser_and_the_table_is_bounded() {
        let mut throttle = Throttle::default();
        for n in 0..6_u128 {
            let ip = u128::from("2001:db8::".parse::<std::net::Ipv6Addr>().expect("one")) + n;
            throttle.failed(IpAddr::V6(ip.into()), "sato", at(0));
        }
        assert!(throttle.admit("2001:db8::ffff".parse().expect("one"), "sato", at(0)).is_err());
        assert!(throttle.admit("2001:db8:0:1::1".parse().expect("one"), "sato", at(0)).is_ok());
        for n in 0..6_000_u32 {
            let source = IpAddr::V4((0x0a00_0000 + n).into());
            throttle.failed(source, &"佐".repeat(9_000), at(1 + u64::from(n) / 100));
        }
        assert_eq!(throttle.failures.len(), MOST_SOURCES);
        throttle.failed("192.0.2.1".parse().expect("one"), "sato", at(10_000));
        assert_eq!(throttle.failures.len(), 2, "old failures are forgotten");
    }
}
