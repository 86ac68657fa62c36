//! Digest authentication (RFC 3261 §22, RFC 7616, RFC 8760): the hashes and what both sides share.
//! `server` challenges and verifies, `client` answers a challenge. Knows no transaction.

mod client;
mod fields;
mod server;

pub use client::Challenge;
pub use server::{Authenticator, MAX_NONCES, NONCE_LIFE, Offer, Refusal, Verdict};

use crate::base::hex;
use crate::sip::Method;
use std::fmt;

/// The hash of a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// RFC 3261's own, all that most phones have.
    Md5,
    /// RFC 8760.
    Sha256,
}

impl Algorithm {
    /// As written in a header. (rsip spells it without the hyphen.)
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    /// None for the session variants, which no SIP phone uses, and the unknown.
    fn read(token: &str) -> Option<Self> {
        [Self::Md5, Self::Sha256]
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(token))
    }

    /// Lower-case hex of the hash over `parts` with colons between them.
    fn hash(self, parts: &[&str]) -> String {
        match self {
            Self::Md5 => hashed::<md5::Md5>(parts),
            Self::Sha256 => hashed::<sha2::Sha256>(parts),
        }
    }
}

fn hashed<D: sha2::Digest>(parts: &[&str]) -> String {
    let mut state = D::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            state.update(b":");
        }
        state.update(part.as_bytes());
    }
    hex(&state.finalize())
}

/// The hashes of one account's name, realm and password: all a server needs to keep in reach.
#[derive(Clone, PartialEq, Eq)]
pub struct Ha1 {
    md5: String,
    sha256: String,
}

impl Ha1 {
    /// Computed once, when the directory is set.
    #[must_use]
    pub fn new(user: &str, realm: &str, password: &str) -> Self {
        let parts = [user, realm, password];
        Self { md5: Algorithm::Md5.hash(&parts), sha256: Algorithm::Sha256.hash(&parts) }
    }

    /// As a file keeps them: 32 and 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn from_hashes(md5: &str, sha256: &str) -> Option<Self> {
        let fits = |text: &str, digits: usize| {
            text.len() == digits
                && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        };
        (fits(md5, 32) && fits(sha256, 64))
            .then(|| Self { md5: md5.to_owned(), sha256: sha256.to_owned() })
    }

    /// The two for a file: MD5, SHA-256. As good as the password.
    #[must_use]
    pub fn hashes(&self) -> [&str; 2] {
        [&self.md5, &self.sha256]
    }

    fn of(&self, algorithm: Algorithm) -> &str {
        match algorithm {
            Algorithm::Md5 => &self.md5,
            Algorithm::Sha256 => &self.sha256,
        }
    }
}

impl fmt::Debug for Ha1 {
    /// As good as the password, so never shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ha1(•••)")
    }
}

/// The counted part of an answer: present exactly when a quality of protection was agreed.
struct Protection<'a> {
    nc: &'a str,
    cnonce: &'a str,
}

/// The digest itself (RFC 7616 §3.4.1; without protection RFC 2069's).
fn response(
    algorithm: Algorithm,
    ha1: &str,
    nonce: &str,
    protection: Option<&Protection<'_>>,
    method: &Method,
    uri: &str,
) -> String {
    let ha2 = algorithm.hash(&[method.as_str(), uri]);
    match protection {
        Some(Protection { nc, cnonce }) => algorithm.hash(&[ha1, nonce, nc, cnonce, "auth", &ha2]),
        None => algorithm.hash(&[ha1, nonce, &ha2]),
    }
}

#[cfg(test)]
mod tests;
