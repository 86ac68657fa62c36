//! Hosts and ports, as URIs and Via have them (RFC 3261 §25.1, RFC 5118). Resolves no name.

use super::chars::trim;
use super::error::ParseError;
use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A host: a name as written, or an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A domain name, as written; compare with [`Host::same`].
    Name(Box<str>),
    /// IPv4.
    V4(Ipv4Addr),
    /// IPv6, on the wire in brackets.
    V6(Ipv6Addr),
}

impl Host {
    /// Reads a name, an IPv4 address, or an IPv6 address in brackets.
    ///
    /// # Errors
    ///
    /// [`ParseError::BadValue`].
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let bad = ParseError::BadValue { place: "host", due: "a name or an address" };
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or(bad.clone())?;
            // By the letter of §25.1 three colons stand before a trailing IPv4 (RFC 5118 §4.10).
            let inner = match inner.split_once(":::") {
                Some((head, tail)) if tail.parse::<Ipv4Addr>().is_ok() => {
                    Cow::Owned(format!("{head}::{tail}"))
                }
                _ => Cow::Borrowed(inner),
            };
            return inner.parse().map(Self::V6).map_err(|_| bad);
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::V4(address));
        }
        // hostname (§25.1); the underscore is no host character but stands in real names.
        let named = text.len() <= 255
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
        let last = text.strip_suffix('.').unwrap_or(text).rsplit('.').next().unwrap_or_default();
        let numeric = last.bytes().all(|byte| byte.is_ascii_digit()); // also the empty label
        if named && !numeric && !text.starts_with('.') && !text.contains("..") {
            return Ok(Self::Name(text.into()));
        }
        Err(bad)
    }

    /// The address, when it is one.
    #[must_use]
    pub const fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Name(_) => None,
            Self::V4(address) => Some(IpAddr::V4(*address)),
            Self::V6(address) => Some(IpAddr::V6(*address)),
        }
    }

    /// Whether both mean the same host: names without regard to case (§19.1.4).
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(one), Self::Name(two)) => one.eq_ignore_ascii_case(two),
            _ => self == other,
        }
    }

    /// Whether `text` (a name or a bare address) means this host.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        match self {
            Self::Name(name) => name.eq_ignore_ascii_case(text),
            Self::V4(_) | Self::V6(_) => {
                let bare =
                    text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
                bare.parse().ok() == self.ip()
            }
        }
    }
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => Self::V6(address),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => write!(f, "[{address}]"),
        }
    }
}

/// Splits `host[:port]`, white space around the colon allowed (Via, §25.1). Port 0 is refused.
pub(super) fn parse_host_port(text: &str) -> Result<(Host, Option<u16>), ParseError> {
    let colon = match text.bytes().position(|byte| byte == b']') {
        Some(close) => {
            text.get(close..).and_then(|rest| rest.find(':')).map(|at| at.saturating_add(close))
        }
        None => text.bytes().position(|byte| byte == b':'),
    };
    let Some((host, port)) = colon.and_then(|at| text.split_at_checked(at)) else {
        return Ok((Host::parse(text)?, None));
    };
    let digits = trim(port.strip_prefix(':').unwrap_or(port));
    let bad = ParseError::BadValue { place: "port", due: "1 to 65535" };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad); // u16's own parser would take "+5060"
    }
    match digits.parse() {
        Ok(0) | Err(_) => Err(bad),
        Ok(port) => Ok((Host::parse(trim(host))?, Some(port))),
    }
}
