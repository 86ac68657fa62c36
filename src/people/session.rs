//! What a login leaves with the browser: the user, when it ends, and a MAC over both.
//!
//! It needs no table and survives a restart of the daemon. It dies with the desk's token, when the person's
//! password changes, and when the account goes; what the person may is looked up anew with each request.

use super::Person;
use crate::base::hex;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// How long a person's login lasts, seconds: a working day with overtime.
pub const SESSION_S: u64 = 12 * 60 * 60;

/// Seals and opens sessions.
#[derive(Clone)]
pub struct Seal {
    secret: Vec<u8>,
}

impl Seal {
    /// With a secret that nobody else has; whoever knows it can be anybody.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        Self { secret: secret.to_vec() }
    }

    /// A session of a person until then, seconds since 1970.
    #[must_use]
    pub fn seal(&self, person: &Person, until_s: u64) -> String {
        format!("{until_s}.{}.{}", person.user, self.mac(person, until_s))
    }

    /// The user that a session names, whoever made it: to find whose it says to be.
    #[must_use]
    pub fn user(session: &str) -> Option<&str> {
        let rest = session.split_once('.')?.1;
        Some(rest.rsplit_once('.')?.0)
    }

    /// Whether it is this person's session, and not over.
    #[must_use]
    pub fn opens(&self, session: &str, person: &Person, now_s: u64) -> bool {
        let Some(until_s) = session.split_once('.').and_then(|(until, _)| until.parse().ok())
        else {
            return false;
        };
        let due = self.seal(person, until_s);
        let same: bool = subtle::ConstantTimeEq::ct_eq(due.as_bytes(), session.as_bytes()).into();
        same && now_s < until_s
    }

    fn mac(&self, person: &Person, until_s: u64) -> String {
        let password = person.password.as_ref().map_or("", |hash| hash.reveal());
        // The lengths keep a user's end from being taken for a password's beginning.
        let text = format!(
            "madoguchi person {until_s} {} {} {}",
            person.user.len(),
            person.user,
            password
        );
        mac(&self.secret, &text)
    }
}

/// HMAC-SHA-256 (RFC 2104), in hexadecimal.
#[must_use]
pub fn mac(secret: &[u8], text: &str) -> String {
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

    #[test]
    fn a_session_is_the_persons_until_its_end_and_cannot_be_stretched_or_given_on() {
        let (seal, sato) = (Seal::new(b"the desk's own secret"), sato());
        let session = seal.seal(&sato, 1_000);
        assert_eq!(Seal::user(&session), Some("sato.i"));
        assert!(seal.opens(&session, &sato, 999));
        assert!(!seal.opens(&session, &sato, 1_000), "over");
        assert!(!seal.opens(&session.replacen("1000", "9000", 1), &sato, 999), "stretched");
        let mut other = sato.clone();
        other.user = "suzuki".into();
        assert!(!seal.opens(&session, &other, 999));
        assert!(!seal.opens(&session.replace("sato.i", "suzuki"), &other, 999), "given on");
        assert!(!Seal::new(b"another secret").opens(&session, &sato, 999));
        for forged in ["", ".", "..", "1000", "1000.sato.i", "1000.sato.i.", "x.sato.i.00"] {
            assert!(!seal.opens(forged, &sato, 999), "{forged}");
        }
    }

    #[test]
    fn a_new_password_ends_it_and_a_new_role_does_not() {
        let (seal, mut sato) = (Seal::new(b"the desk's own secret"), sato());
        let session = seal.seal(&sato, 1_000);
        sato.role = Role::Supervisor;
        assert!(seal.opens(&session, &sato, 0));
        sato.password = Some(PasswordHash::of("a long enough one", [2; 16]).expect("long"));
        assert!(!seal.opens(&session, &sato, 0));
    }
}
