//! Sessions of the pages that their owners ended before their time: a copy of such a cookie opens nothing.

use crate::base::{Wall, kept};
use crate::event::DeskEvent;
use std::collections::BTreeMap;

/// Ended sessions of one user that are known each by itself. One more, and all of this user's that would end no
/// later than the last of them are over.
const MOST_OF_ONE: usize = 64;
/// Users of whom that is known. One more, and the same holds for everybody's.
const MOST_USERS: usize = 2_048;

/// The fold. At its bounds it ends sessions that nobody ended; it never lets one live again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignedOut {
    users: BTreeMap<String, OfOne>,
    /// Sessions that end no later than this are over, whosever they are.
    all_until: Option<Wall>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct OfOne {
    /// By id, with the end that it would have had.
    sessions: BTreeMap<String, Wall>,
    /// This user's sessions that end no later than this are over.
    until: Option<Wall>,
}

kept!(struct SignedOut { users, all_until });
kept!(struct OfOne { sessions, until });

impl SignedOut {
    /// Takes a logout; all other events are nothing to it.
    pub fn apply(&mut self, event: &DeskEvent, at: Wall) {
        if let DeskEvent::PersonSignedOut { who, session: Some(session), until: Some(until) } =
            event
        {
            self.end(who, session, *until, at);
        }
    }

    /// Ends a session that would have ended then.
    pub fn end(&mut self, user: &str, session: &str, until: Wall, now: Wall) {
        self.users.retain(|_, of| {
            of.sessions.retain(|_, until| *until > now);
            of.until = of.until.filter(|until| *until > now);
            !of.sessions.is_empty() || of.until.is_some()
        });
        self.all_until = self.all_until.filter(|until| *until > now);
        if until <= now {
            return;
        }
        let of = self.users.entry(user.to_owned()).or_default();
        of.sessions.insert(session.to_owned(), until);
        if of.sessions.len() > MOST_OF_ONE {
            of.until = of.until.max(of.sessions.values().max().copied());
            of.sessions.clear();
        }
        if self.users.len() > MOST_USERS {
            let ends = self.users.values().flat_map(|of| of.sessions.values().chain(&of.until));
            self.all_until = self.all_until.max(ends.max().copied());
            self.users.clear();
        }
    }

    /// Whether a session of this user, which would end then, was ended.
    #[must_use]
    pub fn holds(&self, user: &str, session: &str, until: Wall) -> bool {
        let of = self.users.get(user);
        self.all_until.is_some_and(|end| until <= end)
            || of.is_some_and(|of| {
                of.sessions.contains_key(session) || of.until.is_some_and(|end| until <= end)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Keep as _, Kept};

    const HOUR: i64 = 3_600_000;

    #[test]
    fn a_session_that_was_ended_stays_ended_until_its_time_and_is_then_forgotten() {
        let mut ended = SignedOut::default();
        let out = |session: &str, until| DeskEvent::PersonSignedOut {
            who: "sato".into(),
            session: Some(session.into()),
            until: Some(Wall(until)),
        };
        ended.apply(&out("a", 12 * HOUR), Wall(0));
        assert!(ended.holds("sato", "a", Wall(12 * HOUR)));
        assert!(!ended.holds("sato", "b", Wall(12 * HOUR)), "another of the same person");
        assert!(!ended.holds("kato", "a", Wall(12 * HOUR)), "another's");
        let mut bytes = Vec::new();
        ended.keep(&mut bytes);
        assert_eq!(SignedOut::found(&mut Kept::new(&bytes)), Some(ended.clone()));
        // As older versions wrote it.
        let nameless =
            DeskEvent::PersonSignedOut { who: "sato".into(), session: None, until: None };
        ended.apply(&nameless, Wall(1));
        ended.apply(&out("b", 24 * HOUR), Wall(12 * HOUR));
        assert_eq!(ended.users.get("sato").map(|of| of.sessions.len()), Some(1), "forgotten");
    }

    #[test]
    fn at_its_bounds_more_is_ended_and_nothing_lives_again() {
        let mut ended = SignedOut::default();
        for n in 0..=MOST_OF_ONE {
            let until = Wall(12 * HOUR + i64::try_from(n).expect("few"));
            ended.end("sato", &format!("{n}"), until, Wall(0));
        }
        assert!(ended.holds("sato", "0", Wall(12 * HOUR)));
        assert!(ended.holds("sato", "of another browser", Wall(12 * HOUR)));
        assert!(!ended.holds("sato", "begun later", Wall(13 * HOUR)));
        assert!(!ended.holds("kato", "0", Wall(12 * HOUR)));
        for n in 0..=MOST_USERS {
            ended.end(&format!("user{n}"), "x", Wall(12 * HOUR), Wall(0));
        }
        assert!(
            ended.holds("user1", "x", Wall(12 * HOUR)) && ended.holds("sato", "0", Wall(12 * HOUR))
        );
        assert!(ended.users.len() <= MOST_USERS);
        assert!(!ended.holds("user1", "begun later", Wall(13 * HOUR)));
    }
}
