//! What a login leaves with the browser: the user, when it ends, and a MAC over both; of who came by the site's
//! provider also what the provider gave them.
//!
//! It needs no table and survives a restart of the daemon. It dies with the desk's token, when the person's
//! password changes, when the account goes, and when the person is signed out everywhere; what a person of the
//! people file may is looked up anew with each request.

use super::{People, Person, Role, is_user};
use crate::base::{AgentId, hex};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// How long a person's login lasts, seconds: a working day with overtime.
pub const SESSION_S: u64 = 12 * 60 * 60;

/// Parts user and what the provider gave; stands in no user name.
const GIVEN: char = '~';

/// Seals and opens sessions.
#[derive(Clone)]
pub struct Seal {
    secret: Vec<u8>,
}

/// What a session says, and that it is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose it is, as it holds now.
    pub person: Person,
    /// When it ends, seconds since 1970.
    pub until_s: u64,
}

impl Seal {
    /// With a secret that nobody else has; whoever knows it can be anybody.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        Self { secret: secret.to_vec() }
    }

    /// For what else is to be known again as ours.
    #[must_use]
    pub fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// A session of a person of the people file until then, seconds since 1970. `serial` is another for each, so
    /// that one can end without the others.
    #[must_use]
    pub fn seal(&self, person: &Person, until_s: u64, serial: [u8; 8]) -> String {
        let stem = format!("{until_s}.{}.{}", hex(&serial), person.user);
        let password = person.password.as_ref().map_or("", |hash| hash.reveal());
        format!("{stem}.{}", self.mac(&stem, password))
    }

    /// A session of somebody whose role the provider gave: name, role and line go with it.
    #[must_use]
    pub fn seal_given(&self, person: &Person, until_s: u64, serial: [u8; 8]) -> String {
        let extension = person.extension.as_ref().map(AgentId::as_str);
        // Plain texts are always JSON.
        let given = serde_json::to_string(&(&person.name, person.role.name(), extension));
        let given = Base64UrlUnpadded::encode_string(given.unwrap_or_default().as_bytes());
        let stem = format!("{until_s}.{}.{}{GIVEN}{given}", hex(&serial), person.user);
        format!("{stem}.{}", self.mac(&stem, ""))
    }

    /// Whose session it is; none when it is not ours, or over.
    #[must_use]
    pub fn open(&self, session: &str, people: &People, now_s: u64) -> Option<Session> {
        let (stem, _) = session.rsplit_once('.')?;
        let (until, rest) = stem.split_once('.')?;
        let until_s: u64 = until.parse().ok()?;
        let whose = rest.split_once('.')?.1;
        let (person, password) = match whose.split_once(GIVEN) {
            None => {
                let person = people.get(whose)?.clone();
                let password = person.password.clone();
                (person, password)
            }
            Some((user, given)) => (given_to(user, given)?, None),
        };
        let password = password.as_ref().map_or("", |hash| hash.reveal());
        let due = format!("{stem}.{}", self.mac(stem, password));
        let begun_s = until_s.saturating_sub(SESSION_S);
        let left = people.signed_out_s(&person.user).is_some_and(|at_s| begun_s <= at_s);
        (same(&due, session) && now_s < until_s && !left).then_some(Session { person, until_s })
    }

    fn mac(&self, stem: &str, password: &str) -> String {
        // The length keeps a stem's end from being taken for a password's beginning.
        mac(&self.secret, &format!("madoguchi person {} {stem} {password}", stem.len()))
    }
}

/// By what a session that was ended is known: tells nothing of how to make one.
#[must_use]
pub fn session_id(session: &str) -> String {
    let digest = Sha256::digest(session.as_bytes());
    hex(digest.first_chunk::<16>().map_or(&[], <[u8; 16]>::as_slice))
}

fn given_to(user: &str, given: &str) -> Option<Person> {
    let given = Base64UrlUnpadded::decode_vec(given).ok()?;
    let (name, role, extension): (String, String, Option<String>) =
        serde_json::from_slice(&given).ok()?;
    let (_, role) = Role::ALL.iter().find(|(known, _)| *known == role)?;
    let extension = extension.map(AgentId::from);
    is_user(user).then(|| Person {
        user: user.to_owned(),
        name,
        role: *role,
        extension,
        password: None,
    })
}

/// Whether two texts are the same, in a time that does not tell where they differ.
pub(super) fn same(ours: &str, theirs: &str) -> bool {
    subtle::ConstantTimeEq::ct_eq(ours.as_bytes(), theirs.as_bytes()).into()
}

/// HMAC-SHA-256 (RFC 2104), in hexadecimal.
#[must_use]
pub fn mac(secret: &[u8], text: &str) -> String {
    #[expect(clippy::expect_used, reason = "RFC 2104 takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes any key");
    mac.update(text.as_bytes());
    hex(&mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::{PasswordHash, Role};

    fn sato() -> Person {
        Person {
            user: "sato.i".into(),
            name: "佐藤".into(),
            role: Role::Agent,
            extension: Some("2001".into()),
            password: Some(PasswordHash::of("a long enough one", [1; 16]).expect("long")),
        }
    }

    /// RFC 4231 §4.2, §4.3, §4.7.
    #[test]
    fn hmac_agrees_with_the_published_vectors() {
        let table: [(&[u8], &str, &str); 3] = [
            (
                &[0x0b; 20],
                "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe",
                "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 131],
                "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ];
        for (key, text, due) in table {
            assert_eq!(mac(key, text), due);
        }
    }

    fn people(person: &Person) -> People {
        let mut people = People::default();
        assert!(people.add(person.clone()));
        people
    }

    #[test]
    fn a_session_is_the_persons_until_its_end_and_cannot_be_stretched_or_given_on() {
        let (seal, sato) = (Seal::new(b"the desk's own secret"), sato());
        let desk = people(&sato);
        let session = seal.seal(&sato, 1_000, [1; 8]);
        let opened = seal.open(&session, &desk, 999).expect("in time");
        assert_eq!((&opened.person, opened.until_s), (&sato, 1_000));
        assert!(seal.open(&session, &desk, 1_000).is_none(), "over");
        let stretched = session.replacen("1000", "9000", 1);
        assert!(seal.open(&stretched, &desk, 999).is_none());
        let mut other = sato.clone();
        other.user = "suzuki".into();
        assert!(seal.open(&session, &people(&other), 999).is_none());
        let given_on = session.replace("sato.i", "suzuki");
        assert!(seal.open(&given_on, &people(&other), 999).is_none());
        assert!(Seal::new(b"another secret").open(&session, &desk, 999).is_none());
        let another = seal.seal(&sato, 1_000, [2; 8]);
        assert_ne!(session_id(&another), session_id(&session), "each is known by itself");
        assert_eq!(session_id(&session).len(), 32);
        for forged in
            ["", ".", "..", "...", "1000", "1000.sato.i", "1000.00.sato.i.", "x.00.sato.i.00"]
        {
            assert!(seal.open(forged, &desk, 999).is_none(), "{forged}");
        }
    }

    #[test]
    fn a_new_password_ends_it_and_a_new_role_does_not() {
        let (seal, mut sato) = (Seal::new(b"the desk's own secret"), sato());
        let session = seal.seal(&sato, 1_000, [1; 8]);
        sato.role = Role::Supervisor;
        let opened = seal.open(&session, &people(&sato), 0).expect("still theirs");
        assert_eq!(opened.person.role, Role::Supervisor);
        sato.password = Some(PasswordHash::of("a long enough one", [2; 16]).expect("long"));
        assert!(seal.open(&session, &people(&sato), 0).is_none());
    }

    #[test]
    fn what_the_provider_gave_goes_with_the_session_and_cannot_be_raised() {
        let seal = Seal::new(b"the desk's own secret");
        let given = Person { password: None, ..sato() };
        let session = seal.seal_given(&given, 1_000, [1; 8]);
        let nobody = People::default();
        let opened = seal.open(&session, &nobody, 999).expect("in no file, and in all the same");
        assert_eq!(opened.person, given);
        assert!(seal.open(&session, &nobody, 1_000).is_none(), "over");
        let boss = seal.seal_given(&Person { role: Role::Admin, ..given.clone() }, 1_000, [1; 8]);
        let (stem, _) = boss.rsplit_once('.').expect("has a MAC");
        let (_, mac) = session.rsplit_once('.').expect("has a MAC");
        assert!(seal.open(&format!("{stem}.{mac}"), &nobody, 999).is_none(), "raised");
        // Nor is one kind taken for the other.
        let plain = session.split_once('~').expect("given").0;
        assert!(seal.open(&format!("{plain}.{mac}"), &people(&given), 999).is_none());
    }

    #[test]
    fn signed_out_everywhere_ends_what_was_begun_before() {
        let (seal, sato) = (Seal::new(b"the desk's own secret"), sato());
        let mut people = people(&sato);
        let begun = |at_s: u64| seal.seal(&sato, at_s + SESSION_S, [1; 8]);
        let given = seal.seal_given(&sato, 100 + SESSION_S, [1; 8]);
        people.sign_out("sato.i", 100);
        assert!(seal.open(&begun(100), &people, 200).is_none());
        assert!(seal.open(&given, &people, 200).is_none(), "by the provider, too");
        assert!(seal.open(&begun(101), &people, 200).is_some(), "came again");
    }
}
