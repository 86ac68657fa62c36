//! Via: where a request has been and where its answer goes (RFC 3261 §20.42, §18.2, RFC 3581).

use super::chars::{all_token, split_at_byte, split_before, trim};
use super::error::ParseError;
use super::host::{Host, parse_host_port};
use super::params::{Kind, Params};
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// What every branch made since RFC 3261 begins with (§8.1.1.7).
pub const COOKIE: &str = "z9hG4bK";

/// One Via value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// By what the request was sent.
    pub transport: ViaTransport,
    /// sent-by, the host.
    pub host: Host,
    /// sent-by, the port when written.
    pub port: Option<u16>,
    /// branch, received, rport and the rest.
    pub params: Params,
}

/// The transport a Via names; any token is allowed (§25.1), and only its sender must know it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ViaTransport {
    /// UDP
    Udp,
    /// TCP
    Tcp,
    /// TLS
    Tls,
    /// WS (RFC 7118)
    Ws,
    /// WSS (RFC 7118)
    Wss,
    /// SCTP, UNKNOWN …, as written.
    Other(Box<str>),
}

impl ViaTransport {
    /// As written in a Via.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
            Self::Other(name) => name,
        }
    }

    fn read(token: &str) -> Self {
        super::api::Transport::named(token).map_or_else(|| Self::Other(token.into()), Self::from)
    }
}

impl From<super::api::Transport> for ViaTransport {
    fn from(transport: super::api::Transport) -> Self {
        match transport {
            super::api::Transport::Udp => Self::Udp,
            super::api::Transport::Tcp => Self::Tcp,
            super::api::Transport::Tls => Self::Tls,
            super::api::Transport::Ws => Self::Ws,
            super::api::Transport::Wss => Self::Wss,
        }
    }
}

impl Via {
    /// Our own, for a request: sent-by is where we listen. `rport` asks for the port that a NAT made
    /// of ours (RFC 3581 §3).
    #[must_use]
    pub fn new(
        transport: impl Into<ViaTransport>,
        sent_by: SocketAddr,
        branch: &str,
        rport: bool,
    ) -> Self {
        let mut params = Params::EMPTY.with("branch", Some(branch));
        if rport {
            params.set("rport", None);
        }
        let (host, port) = (sent_by.ip().into(), Some(sent_by.port()));
        Self { transport: transport.into(), host, port, params }
    }

    /// Reads one value.
    ///
    /// # Errors
    ///
    /// [`ParseError::BadValue`]; bytes that are no UTF-8 are refused, since a Via routes.
    pub fn parse(value: &[u8]) -> Result<Self, ParseError> {
        let bad = |due| ParseError::BadValue { place: "Via", due };
        let text = std::str::from_utf8(value).map_err(|_| bad("UTF-8"))?;
        // White space may stand around both slashes (§25.1, SLASH).
        let (name, rest) = split_at_byte(text, b'/').ok_or(bad("SIP/2.0/transport"))?;
        let (version, rest) = split_at_byte(rest, b'/').ok_or(bad("SIP/2.0/transport"))?;
        if !trim(name).eq_ignore_ascii_case("SIP") || trim(version) != "2.0" {
            return Err(bad("SIP/2.0"));
        }
        let (transport, rest) =
            trim(rest).split_once([' ', '\t']).ok_or(bad("a transport, a space, and a host"))?;
        if !all_token(transport.as_bytes()) {
            return Err(bad("a transport"));
        }
        let (sent_by, params) = split_before(rest, b';');
        let (host, port) = parse_host_port(trim(sent_by))?;
        let params = Params::parse(params, Kind::Header, "Via")?;
        Ok(Self { transport: ViaTransport::read(transport), host, port, params })
    }

    /// The branch, when there is one.
    #[must_use]
    pub fn branch(&self) -> Option<&str> {
        self.params.value("branch")
    }

    /// The branch, when it may be matched by alone with sent-by: the cookie and something behind it
    /// (§17.2.3). None means a peer of RFC 2543's days, or one whose branch is the bare cookie.
    #[must_use]
    pub fn modern_branch(&self) -> Option<&str> {
        // The cookie is compared without regard to case, as tokens are (§7.3.1).
        self.branch().filter(|branch| {
            branch.len() > COOKIE.len()
                && branch.get(..COOKIE.len()).is_some_and(|head| head.eq_ignore_ascii_case(COOKIE))
        })
    }

    /// `received`, with or without brackets around IPv6 (RFC 5118 §4.5).
    #[must_use]
    pub fn received(&self) -> Option<IpAddr> {
        let text = self.params.value("received")?;
        text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text).parse().ok()
    }

    /// Whether `rport` stands there, with or without a value.
    #[must_use]
    pub fn asks_rport(&self) -> bool {
        self.params.has("rport")
    }

    /// The value of `rport`.
    #[must_use]
    pub fn rport(&self) -> Option<u16> {
        self.params.value("rport")?.parse().ok()
    }

    /// Notes where the request really came from, as a server must before it answers: `received` when
    /// sent-by does not say it already, `rport` when asked (§18.2.1, RFC 3581 §4). Whatever the
    /// sender wrote there itself is thrown away.
    pub fn stamp(&mut self, source: SocketAddr) {
        let asked = self.asks_rport();
        self.params.remove("received");
        if asked {
            self.params.remove("rport");
            let port = itoa(source.port());
            self.params.set("rport", Some(&port));
        }
        if asked || self.host.ip() != Some(source.ip()) {
            let address = match source.ip() {
                IpAddr::V4(address) => address.to_string(),
                IpAddr::V6(address) => address.to_string(), // unbracketed, as RFC 3261's ABNF has it
            };
            self.params.set("received", Some(&address));
        }
    }
}

fn itoa(number: u16) -> String {
    number.to_string()
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SIP/2.0/")?;
        f.write_str(self.transport.as_str())?;
        f.write_str(" ")?;
        self.host.fmt(f)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(self.params.as_str())
    }
}
