//! Real ticket systems of Debian's packages, a Redmine and a Request Tracker, each an instance of the test's own:
//! what of their manners the desk's feed relies on.
#![allow(clippy::pedantic, clippy::disallowed_methods)]

#[path = "../support/mod.rs"]
mod support;

mod redmine;
mod rt;

/// Percent-encodes what stands in a query (RFC 3986 §2.1): all but the unreserved characters.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// A call's id, unlike that of any other number.
fn call(number: u32) -> String {
    format!("0192f000-0000-7000-8000-{number:012}")
}
