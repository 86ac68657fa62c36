//! Where a trunk's carrier is reached and how we prove ourselves there.

use crate::base::Private;
use crate::sip::api::Transport;
use crate::sip::{Host, Uri};
use std::time::Duration;

/// Most servers of one trunk.
pub const MAX_SERVERS: usize = 8;

/// A server of a carrier's, as the configuration names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Server {
    /// A name or an address.
    pub host: Host,
    /// None: the one that SRV records say, or 5060 (RFC 3263 §4.2).
    pub port: Option<u16>,
    /// None: the one that NAPTR records say, or UDP (RFC 3263 §4.1).
    pub transport: Option<Transport>,
}

impl Server {
    /// Reads `host`, `host:port` or either with `udp:`, `tcp:` or `tls:` before it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (transport, rest) = match text.split_once(':') {
            Some(("udp", rest)) => (Some(Transport::Udp), rest),
            Some(("tcp", rest)) => (Some(Transport::Tcp), rest),
            Some(("tls", rest)) => (Some(Transport::Tls), rest),
            _ => (None, text),
        };
        // The URI's reader knows hosts, ports and IPv6 brackets; nothing else may stand there.
        let uri = Uri::parse(&format!("sip:{rest}")).ok()?;
        let plain = uri.user_raw().is_none() && uri.params().is_empty() && uri.headers().is_none();
        let host = uri.host().filter(|_| plain && uri.port() != Some(0))?.clone();
        Some(Self { host, port: uri.port(), transport })
    }
}

impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(transport) = self.transport {
            write!(f, "{}:", transport.as_str())?;
        }
        write!(f, "{}", self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// A user name and its password, for one realm only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The name in the digest.
    pub user: String,
    /// The only realm that gets an answer: a digest for another would be a password to guess offline.
    pub realm: String,
    /// From a file.
    pub password: Private<String>,
}

/// The carrier as we reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// In order of preference, 1 to [`MAX_SERVERS`].
    pub servers: Vec<Server>,
    /// The host in Request-URI, From and To.
    pub domain: Host,
    /// Our number or user there.
    pub user: String,
    /// How we answer a challenge; none: a challenge is a refusal.
    pub login: Option<Login>,
    /// How often OPTIONS asks whether the carrier is well; zero: never.
    pub options_every: Duration,
}

#[cfg(test)]
mod tests {
    use super::Server;

    #[test]
    fn servers_are_names_or_addresses_with_a_port_and_a_transport() {
        for text in
            ["carrier.example", "udp:192.0.2.1", "tls:carrier.example:5070", "[2001:db8::1]:5060"]
        {
            assert_eq!(Server::parse(text).map(|server| server.to_string()).as_deref(), Some(text));
        }
        for text in ["", "sip:x", "a@b", "a:0", "a:99999", "a;lr", "a b", "http://x/"] {
            assert_eq!(Server::parse(text), None, "{text}");
        }
    }
}
