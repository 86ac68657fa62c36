//! One try at signing in: what goes out with the browser, and by what it is known when it comes back.
//!
//! All of it is derived from a ticket that the browser keeps as a cookie, by a MAC under the desk's own secret: so
//! there is no table that strangers could fill, and the PKCE verifier never leaves the desk before the code comes.

use super::{Terms, escaped};
use crate::base::hex;
use crate::people::session::{mac, same};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use sha2::{Digest as _, Sha256};

/// How long a person has for the provider's pages, seconds.
pub const ATTEMPT_S: u64 = 600;

/// One try.
#[derive(Clone, PartialEq, Eq)]
pub struct Attempt {
    ticket: String,
    state: String,
    nonce: String,
    verifier: String,
}

impl Attempt {
    /// Begins one that lasts until then, seconds since 1970. `random` must be nobody else's.
    #[must_use]
    pub fn begin(secret: &[u8], random: [u8; 16], until_s: u64) -> Self {
        Self::of(secret, &format!("{until_s}.{}", hex(&random)))
    }

    fn of(secret: &[u8], stem: &str) -> Self {
        let derived = |what: &str| mac(secret, &format!("madoguchi sign-on {what} {stem}"));
        Self {
            ticket: format!("{stem}.{}", derived("ticket")),
            state: derived("state"),
            nonce: derived("nonce"),
            // 64 hexadecimal digits: RFC 7636 §4.1 wants 43 to 128 unreserved characters.
            verifier: derived("verifier"),
        }
    }

    /// The one that a browser's cookie is of; none when it is not ours, or over.
    #[must_use]
    pub fn resumed(secret: &[u8], ticket: &str, now_s: u64) -> Option<Self> {
        let (stem, _) = ticket.rsplit_once('.')?;
        let attempt = Self::of(secret, stem);
        let until_s: u64 = stem.split_once('.')?.0.parse().ok()?;
        (same(&attempt.ticket, ticket) && now_s < until_s).then_some(attempt)
    }

    /// For the browser's cookie.
    #[must_use]
    pub fn ticket(&self) -> &str {
        &self.ticket
    }

    /// Whether an answer is to this one (RFC 6749 §10.12).
    #[must_use]
    pub fn is_answered_by(&self, state: &str) -> bool {
        same(&self.state, state)
    }

    /// What the ID token must hold (Core §3.1.2.1).
    #[must_use]
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// What proves to the provider that the code is ours (RFC 7636 §4.5).
    #[must_use]
    pub fn verifier(&self) -> &str {
        &self.verifier
    }

    /// Where the browser is sent: the provider's authorization endpoint with all that Core §3.1.2.1 asks for.
    #[must_use]
    pub fn address(&self, endpoint: &str, terms: &Terms) -> String {
        // An endpoint may have a query of its own, which stays (RFC 6749 §3.1).
        let joint = if endpoint.contains('?') { '&' } else { '?' };
        let mut address = format!("{endpoint}{joint}response_type=code&code_challenge_method=S256");
        let challenge = self.challenge();
        let parameters = [
            ("client_id", terms.client_id.as_str()),
            ("redirect_uri", terms.redirect.as_str()),
            ("scope", terms.scope.as_str()),
            ("state", self.state.as_str()),
            ("nonce", self.nonce.as_str()),
            ("code_challenge", challenge.as_str()),
        ];
        for (name, value) in parameters {
            address.push_str(&format!("&{name}={}", escaped(value)));
        }
        address
    }

    /// RFC 7636 §4.2.
    fn challenge(&self) -> String {
        challenge(&self.verifier)
    }
}

pub(super) fn challenge(verifier: &str) -> String {
    Base64UrlUnpadded::encode_string(&Sha256::digest(verifier.as_bytes()))
}

/// Neither ticket nor verifier is shown.
impl std::fmt::Debug for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Attempt(***)")
    }
}
