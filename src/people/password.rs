//! Passwords: kept as argon2id only (RFC 9106), and compared in a time that does not depend on them.

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use std::fmt;

/// Fewest characters of a password.
pub const LEAST_PASSWORD: usize = 12;
/// Most characters of a password: a longer one would only cost time.
pub const MOST_PASSWORD: usize = 256;

/// Memory of one hash, KiB: what OWASP names for argon2id with two rounds.
const MEMORY_KIB: u32 = 19_456;
const ROUNDS: u32 = 2;
const LANES: u32 = 1;

/// Most that a hash written elsewhere may cost: a login must not hold the machine.
const MOST_MEMORY_KIB: u32 = 262_144;
const MOST_ROUNDS: u32 = 10;
const MOST_LANES: u32 = 4;

/// Nobody's: of a whole hash's form and cost, and right for no password that could be found.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm9ibw$\
     AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What a password is judged by: the PHC string of argon2id. Is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

/// Why a text is no [`PasswordHash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashProblem {
    /// Not `$argon2id$v=19$…`.
    #[error("not argon2id in the PHC form")]
    Form,
    /// One look at it would take too long.
    #[error("asks for more than {MOST_MEMORY_KIB} KiB, {MOST_ROUNDS} rounds or {MOST_LANES} lanes")]
    TooDear,
}

/// A password that would be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the password has {found} characters; due are {LEAST_PASSWORD} to {MOST_PASSWORD}, none of them a control character"
)]
pub struct WeakPassword {
    /// Characters found.
    pub found: usize,
}

impl PasswordHash {
    /// Hashes a password with 16 random bytes.
    ///
    /// # Errors
    ///
    /// [`WeakPassword`] when it is too short, too long or holds control characters.
    pub fn of(password: &str, salt: [u8; 16]) -> Result<Self, WeakPassword> {
        let found = password.chars().count();
        let fits = (LEAST_PASSWORD..=MOST_PASSWORD).contains(&found);
        if !fits || password.chars().any(char::is_control) {
            return Err(WeakPassword { found });
        }
        let hashed = hasher().hash_password_with_salt(password.as_bytes(), &salt);
        #[expect(clippy::expect_used, reason = "parameters, salt and length are ours")]
        let hashed: Phc = hashed.expect("within argon2's bounds");
        Ok(Self(hashed.to_string()))
    }

    /// Takes a hash as it stands in a file.
    ///
    /// # Errors
    ///
    /// [`HashProblem`], which does not repeat the text.
    pub fn read(text: &str) -> Result<Self, HashProblem> {
        let phc = Phc::new(text).map_err(|_| HashProblem::Form)?;
        let version = phc.version == Some(Version::V0x13.into());
        if phc.algorithm.as_str() != "argon2id"
            || !version
            || phc.salt.is_none()
            || phc.hash.is_none()
        {
            return Err(HashProblem::Form);
        }
        let params = Params::try_from(&phc).map_err(|_| HashProblem::Form)?;
        let dear = params.m_cost() > MOST_MEMORY_KIB
            || params.t_cost() > MOST_ROUNDS
            || params.p_cost() > MOST_LANES;
        if dear { Err(HashProblem::TooDear) } else { Ok(Self(text.to_owned())) }
    }

    /// Whether this is the password. Takes some tens of milliseconds: not for a thread that others wait for.
    #[must_use]
    pub fn is(&self, password: &str) -> bool {
        if password.chars().count() > MOST_PASSWORD {
            return false;
        }
        let Ok(phc) = Phc::new(&self.0) else { return false };
        hasher().verify_password(password.as_bytes(), &phc).is_ok()
    }

    /// Takes as long as [`Self::is`], for a user who does not exist: else the time would tell who does.
    pub fn pretend(password: &str) {
        let _ = Self(NOBODY.to_owned()).is(password); // never right: nobody's
    }

    /// The text for the file, and for what must end when the password changes.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, ROUNDS, LANES, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_and_no_other_is() {
        let hash = PasswordHash::of("正しい長い合言葉です2026", [7; 16]).expect("long enough");
        assert!(hash.reveal().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.reveal());
        assert!(hash.is("正しい長い合言葉です2026"));
        for wrong in ["", "正しい長い合言葉です2027", &"x".repeat(10_000)] {
            assert!(!hash.is(wrong), "{wrong}");
        }
        assert_eq!(PasswordHash::read(hash.reveal()), Ok(hash.clone()));
        assert_eq!(format!("{hash:?}"), "***");
        let other = PasswordHash::of("正しい長い合言葉です2026", [8; 16]).expect("long enough");
        assert_ne!(hash, other, "salted");
    }

    /// The vector of the reference implementation's own test, `test.c`.
    #[test]
    fn a_hash_made_by_another_program_is_read() {
        let theirs = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let hash = PasswordHash::read(theirs).expect("whole");
        assert!(hash.is("password") && !hash.is("Password"));
        assert_eq!(PasswordHash::read(&theirs[..40]), Err(HashProblem::Form), "cut off");
        assert!(PasswordHash::read(NOBODY).is_ok(), "what is pretended with is a whole hash");
    }

    #[test]
    fn what_is_weak_or_dear_or_no_argon2id_is_refused() {
        for (weak, found) in [("kurz", 4), ("elf-zeichen", 11), ("tab\tinside-it", 13)] {
            assert_eq!(PasswordHash::of(weak, [1; 16]), Err(WeakPassword { found }));
        }
        let rest = "$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let table = [
            ("", HashProblem::Form),
            ("secret", HashProblem::Form),
            ("$argon2i$v=19$m=19456,t=2,p=1", HashProblem::Form),
            ("$argon2id$v=16$m=19456,t=2,p=1", HashProblem::Form),
            ("$argon2id$v=19$m=1000000,t=2,p=1", HashProblem::TooDear),
            ("$argon2id$v=19$m=19456,t=99,p=1", HashProblem::TooDear),
            ("$argon2id$v=19$m=19456,t=2,p=64", HashProblem::TooDear),
        ];
        for (head, due) in table {
            assert_eq!(PasswordHash::read(&format!("{head}{rest}")), Err(due), "{head}");
        }
    }
}
