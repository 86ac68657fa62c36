//! Who works with the pages and the API, and what each may: roles, accounts, what a login leaves behind, and
//! how guessing is slowed. Knows no socket, no file and no clock.
//!
//! A person's account is a line of the people file (docs/PEOPLE.md); what a role may do at which address is
//! with the addresses, in `io::http`.

// What a stranger sends cannot make us panic.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod password;
mod session;
pub mod sign_on;
mod throttle;

pub use password::{HashProblem, LEAST_PASSWORD, MOST_PASSWORD, PasswordHash, WeakPassword};
pub use session::{SESSION_S, Seal, Session, mac, session_id};
pub use throttle::{MOST_SOURCES, Throttle, TooMany};

use crate::base::AgentId;
use std::collections::BTreeMap;
use std::fmt;

/// Most people of one desk.
pub const MOST_PEOPLE: usize = 1_000;

/// What somebody may, from the least to the most: each may all that those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A screen on a wall: the board, and nothing else.
    Wall,
    /// Looks at figures, calls and settings; changes nothing.
    Viewer,
    /// Works at the desk: orders about the own line and the calls that it is in.
    Agent,
    /// Leads the desk: orders about everybody, hours, recordings, exclusions, closing months.
    Supervisor,
    /// Everything.
    Admin,
}

impl Role {
    /// All, the least first, with their names.
    pub const ALL: [(&str, Self); 5] = [
        ("wall", Self::Wall),
        ("viewer", Self::Viewer),
        ("agent", Self::Agent),
        ("supervisor", Self::Supervisor),
        ("admin", Self::Admin),
    ];

    /// Its name in files and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wall => "wall",
            Self::Viewer => "viewer",
            Self::Agent => "agent",
            Self::Supervisor => "supervisor",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// What is typed at the login: 1 to 32 of letters, digits, `.`, `_` and `-`. The key of [`People`].
    pub user: String,
    /// As colleagues know them, 1 to 64 characters; stands in the history as author of what they order.
    pub name: String,
    /// What they may.
    pub role: Role,
    /// Their own line; an agent always has one.
    pub extension: Option<AgentId>,
    /// What the password is judged by; none: by the site's own sign-on only.
    pub password: Option<PasswordHash>,
}

/// All accounts, by user name. Names and extensions are unique too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    accounts: BTreeMap<String, Person>,
    /// Who was signed out everywhere, and when, seconds since 1970; also of users who have no account here.
    signed_out: BTreeMap<String, u64>,
}

impl People {
    /// Adds one; false when the user, the name or the extension is there already, or there are
    /// [`MOST_PEOPLE`].
    pub fn add(&mut self, person: Person) -> bool {
        let line = |held: &Person| person.extension.is_some() && held.extension == person.extension;
        let clash = |held: &Person| held.name == person.name || line(held);
        if self.accounts.len() >= MOST_PEOPLE
            || self.accounts.contains_key(&person.user)
            || self.accounts.values().any(clash)
        {
            return false;
        }
        self.accounts.insert(person.user.clone(), person);
        true
    }

    /// One, by user name.
    #[must_use]
    pub fn get(&self, user: &str) -> Option<&Person> {
        self.accounts.get(user)
    }

    /// One that is to be changed.
    pub fn get_mut(&mut self, user: &str) -> Option<&mut Person> {
        self.accounts.get_mut(user)
    }

    /// Takes one out.
    pub fn remove(&mut self, user: &str) -> Option<Person> {
        self.accounts.remove(user)
    }

    /// All, by user name.
    pub fn iter(&self) -> impl Iterator<Item = &Person> {
        self.accounts.values()
    }

    /// Ends all sessions of a user that were begun until then, seconds since 1970; false when that is
    /// remembered of [`MOST_PEOPLE`] already.
    pub fn sign_out(&mut self, user: &str, at_s: u64) -> bool {
        if self.signed_out.len() >= MOST_PEOPLE && !self.signed_out.contains_key(user) {
            return false;
        }
        let held = self.signed_out.entry(user.to_owned()).or_default();
        *held = at_s.max(*held);
        true
    }

    /// When a user was last signed out everywhere.
    #[must_use]
    pub fn signed_out_s(&self, user: &str) -> Option<u64> {
        self.signed_out.get(user).copied()
    }

    /// All of that, by user.
    pub fn signed_out(&self) -> impl Iterator<Item = (&str, u64)> {
        self.signed_out.iter().map(|(user, at_s)| (user.as_str(), *at_s))
    }

    /// Forgets who was signed out so long ago that all those sessions are over by themselves.
    pub fn forget_signed_out(&mut self, now_s: u64) {
        self.signed_out.retain(|_, at_s| at_s.saturating_add(SESSION_S) > now_s);
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whether nobody has an account.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }
}

/// Whether a text can be a user name: of a person, and of a phone's account.
#[must_use]
pub fn is_user(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// Whether a text can be a person's name.
#[must_use]
pub fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.chars().count())
        && text.trim() == text
        && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(user: &str, name: &str, extension: Option<&str>) -> Person {
        let extension = extension.map(AgentId::from);
        let (user, name) = (user.to_owned(), name.to_owned());
        Person { user, name, role: Role::Agent, extension, password: None }
    }

    #[test]
    fn roles_stand_in_order_and_have_one_name_each() {
        assert!(Role::ALL.windows(2).all(|pair| pair[0].1 < pair[1].1));
        assert!(Role::ALL.iter().all(|(name, role)| role.name() == *name));
    }

    #[test]
    fn nobody_is_there_twice() {
        let mut people = People::default();
        assert!(people.add(person("sato", "佐藤", Some("2001"))));
        assert!(!people.add(person("sato", "鈴木", Some("2002"))), "the same user");
        assert!(!people.add(person("suzuki", "佐藤", Some("2002"))), "the same name");
        assert!(!people.add(person("suzuki", "鈴木", Some("2001"))), "the same line");
        assert!(people.add(person("suzuki", "鈴木", None)));
        assert!(people.add(person("kato", "加藤", None)), "no line is not the same line");
        assert_eq!(people.len(), 3);
    }

    #[test]
    fn what_can_be_a_user_and_a_name() {
        for good in ["sato", "s", "sato.ichiro", "a_b-c9", &"x".repeat(32)] {
            assert!(is_user(good), "{good}");
        }
        for bad in ["", "佐藤", "a b", "a:b", &"x".repeat(33)] {
            assert!(!is_user(bad), "{bad}");
        }
        assert!(is_name("佐藤 一郎") && !is_name("") && !is_name(" 佐藤") && !is_name("a\nb"));
    }
}
