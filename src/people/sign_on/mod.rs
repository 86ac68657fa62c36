//! Signing in by the site's own identity provider (`OpenID` Connect Core 1.0): what a browser is sent there with,
//! what the provider must say of itself, how its ID token is judged, and who its claims say that somebody is.
//!
//! The authorization code flow (§3.1) with PKCE (RFC 7636), a state and a nonce. Knows no socket and no clock: who
//! asks the provider hands its answers in.

mod attempt;
mod metadata;
mod person;
mod signature;
#[cfg(test)]
mod tests;
mod token;

pub use attempt::{ATTEMPT_S, Attempt};
pub use metadata::{ClientAuth, Metadata};
pub use person::{ClaimPath, NoEntry, Terms, person};
pub use token::{Claims, Keys, MOST_TOKEN, read_answer};

/// Longest address of the provider's, bytes.
pub const MOST_ADDRESS: usize = 2_048;

/// Where a browser comes back to, behind our own address.
pub const WAY_BACK: &str = "/login/oidc/back";

/// Why an identity provider's word is not taken. Holds nothing that the provider wrote: that may be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// Not what `OpenID` Connect Discovery 1.0 §3 has it say.
    #[error("what it says of itself is no provider's metadata")]
    Metadata,
    /// It calls itself otherwise than it is configured (Discovery §4.3).
    #[error("it calls itself by another name than `issuer`")]
    OtherIssuer,
    /// One of its addresses is no https:// one.
    #[error("one of its addresses is not https://")]
    Address,
    /// Not a key set (RFC 7517 §5), or none in it that signs.
    #[error("what should be its keys are none")]
    NoKeys,
    /// The token endpoint's answer holds no ID token (Core §3.1.3.3).
    #[error("its answer holds no ID token")]
    NoToken,
    /// Not a signed token of a kind that is taken.
    #[error("its ID token is of no kind that is taken")]
    Form,
    /// None of its keys bears the token's key id.
    #[error("its ID token is signed by a key that is not among its keys")]
    UnknownKey,
    /// The signature is not that key's.
    #[error("the signature of its ID token is wrong")]
    Signature,
    /// Core §3.1.3.7, 2.
    #[error("its ID token is another issuer's")]
    Issuer,
    /// Core §3.1.3.7, 3 to 5.
    #[error("its ID token is for another client")]
    Audience,
    /// Core §3.1.3.7, 9 and 10.
    #[error("its ID token is over, or not valid yet")]
    Time,
    /// Core §3.1.3.7, 11.
    #[error("its ID token answers another login")]
    Nonce,
}

/// A text as a part of an address or a form: RFC 3986 §2.3's unreserved characters stay.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&crate::base::hex(&[byte]).to_ascii_uppercase());
        }
    }
    out
}
