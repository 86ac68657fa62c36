//! SIP, SIPS and tel URIs (RFC 3261 §19.1, RFC 3966): read, compared, written. Knows no header.

use super::api::Transport;
use super::chars::{
    escape_user_into, escapes_are_whole, is_unreserved, is_user_char, split_at_byte, split_before,
    unescape,
};
use super::error::ParseError;
use super::host::{Host, parse_host_port};
use super::params::{Kind, Params};
use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;

/// The schemes we can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
    /// `tel:` (RFC 3966)
    Tel,
}

impl Scheme {
    /// Without the colon.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sip => "sip",
            Self::Sips => "sips",
            Self::Tel => "tel",
        }
    }
}

/// A `sip:`, `sips:` or `tel:` URI. Every part has been checked, so writing it can break no line.
/// `==` compares what is written; [`Uri::equivalent`] is the RFC's equality.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uri {
    scheme: Scheme,
    user: Option<Box<str>>,
    password: Option<Box<str>>,
    /// None only for `tel:`.
    host: Option<Host>,
    port: Option<u16>,
    params: Params,
    headers: Option<Box<str>>,
}

impl Uri {
    /// `sip:[user@]host[:port]`; `user` is plain text and is escaped here.
    #[must_use]
    pub fn sip(user: Option<&str>, host: Host, port: Option<u16>) -> Self {
        let user = user.filter(|user| !user.is_empty()).map(|user| {
            let mut raw = String::with_capacity(user.len());
            escape_user_into(user, &mut raw);
            raw.into_boxed_str()
        });
        let (scheme, password, params, headers) = (Scheme::Sip, None, Params::EMPTY, None);
        Self { scheme, user, password, host: Some(host), port, params, headers }
    }

    /// `sip:[user@]address:port`.
    #[must_use]
    pub fn at(user: Option<&str>, address: SocketAddr) -> Self {
        Self::sip(user, address.ip().into(), Some(address.port()))
    }

    /// Reads one of the three schemes.
    ///
    /// # Errors
    ///
    /// [`ParseError::BadValue`] when it is malformed, [`ParseError::Scheme`] for another scheme.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        match AnyUri::parse(text)? {
            AnyUri::Known(uri) => Ok(uri),
            AnyUri::Other(_) => Err(ParseError::Scheme),
        }
    }

    fn parse_sip(scheme: Scheme, rest: &str) -> Result<Self, ParseError> {
        let bad = |due| ParseError::BadValue { place: "URI", due };
        // '@' stands unescaped nowhere else before the host; '?' and ';' may stand in the user part.
        let (userinfo, rest) = match split_at_byte(rest, b'@') {
            Some((userinfo, rest)) => (Some(userinfo), rest),
            None => (None, rest),
        };
        let (mut user, mut password) = (None, None);
        if let Some(userinfo) = userinfo {
            let (name, secret) = match split_at_byte(userinfo, b':') {
                Some((name, secret)) => (name, Some(secret)),
                None => (userinfo, None),
            };
            let fine = |part: &str| part.bytes().all(is_user_char) && escapes_are_whole(part);
            if name.is_empty() || !fine(name) || !secret.is_none_or(fine) {
                return Err(bad("a user part"));
            }
            (user, password) = (Some(name.into()), secret.map(Into::into));
        }
        let (rest, headers) = match split_at_byte(rest, b'?') {
            Some((rest, headers)) => (rest, Some(headers)),
            None => (rest, None),
        };
        if headers.is_some_and(|text| !is_headers_text(text)) {
            return Err(bad("headers as name=value&name=value"));
        }
        let (hostport, params) = split_before(rest, b';');
        if hostport.bytes().any(|byte| byte == b' ' || byte == b'\t') {
            return Err(bad("no white space"));
        }
        let (host, port) = parse_host_port(hostport)?;
        if params.bytes().any(|byte| byte == b' ' || byte == b'\t') {
            return Err(bad("no white space"));
        }
        let params = Params::parse(params, Kind::Uri, "URI parameter")?;
        Ok(Self {
            scheme,
            user,
            password,
            host: Some(host),
            port,
            params,
            headers: headers.map(Into::into),
        })
    }

    fn parse_tel(rest: &str) -> Result<Self, ParseError> {
        let (number, params) = split_before(rest, b';');
        let digits = number.strip_prefix('+').unwrap_or(number);
        // phonedigit, visual-separator and the local number's letters (RFC 3966 §3).
        let fine = digits
            .bytes()
            .any(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'*' | b'#'))
            && digits.bytes().all(|byte| {
                byte.is_ascii_hexdigit() || matches!(byte, b'*' | b'#' | b'-' | b'.' | b'(' | b')')
            });
        if !fine || params.bytes().any(|byte| byte == b' ' || byte == b'\t') {
            return Err(ParseError::BadValue { place: "tel URI", due: "a telephone number" });
        }
        let params = Params::parse(params, Kind::Uri, "URI parameter")?;
        let (scheme, user) = (Scheme::Tel, Some(number.into()));
        Ok(Self { scheme, user, password: None, host: None, port: None, params, headers: None })
    }

    /// Which scheme.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The user part, unescaped once; the number of a `tel:` URI without its visual separators.
    #[must_use]
    pub fn user(&self) -> Option<Cow<'_, str>> {
        let raw = self.user.as_deref()?;
        Some(match self.scheme {
            Scheme::Sip | Scheme::Sips => unescape(raw),
            Scheme::Tel => Cow::Owned(raw.chars().filter(|char| !"-.()".contains(*char)).collect()),
        })
    }

    /// The user part, unescaped once, where it names somebody: not empty, and without what no line can show (`%00`),
    /// which would go into the history and from there into stores that refuse it.
    #[must_use]
    pub fn named(&self) -> Option<Cow<'_, str>> {
        self.user().filter(|user| !user.is_empty() && !user.chars().any(char::is_control))
    }

    /// The user part as written.
    #[must_use]
    pub fn user_raw(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The host; none in a `tel:` URI.
    #[must_use]
    pub const fn host(&self) -> Option<&Host> {
        self.host.as_ref()
    }

    /// The port, when one is written.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The URI's parameters.
    #[must_use]
    pub const fn params(&self) -> &Params {
        &self.params
    }

    /// Sets a parameter.
    #[must_use]
    pub fn with_param(mut self, name: &str, value: Option<&str>) -> Self {
        self.params.set(name, value);
        self
    }

    /// What follows `?`, as written. Never to be honoured unseen (§19.1.5).
    #[must_use]
    pub fn headers(&self) -> Option<&str> {
        self.headers.as_deref()
    }

    /// The named header behind `?`, unescaped: `Replaces` in a Refer-To.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        self.headers.as_deref()?.split('&').find_map(|pair| {
            let (had, value) = pair.split_once('=')?;
            unescape(had).eq_ignore_ascii_case(name).then(|| unescape(value))
        })
    }

    /// Without the headers behind `?` and the `method` parameter, as it may stand in a Request-URI
    /// (§19.1.1, table 1).
    #[must_use]
    pub fn into_target(mut self) -> Self {
        self.headers = None;
        self.password = None;
        self.params.remove("method");
        self
    }

    /// The transport it asks for (RFC 3263 §4.1): the one it names, TLS for `sips:`, else UDP; none
    /// when it names one that we do not speak. `sips:` with `transport=tcp` means TLS (RFC 3261 §26.2.2).
    #[must_use]
    pub fn transport(&self) -> Option<Transport> {
        let named = self.params.value("transport").map(Transport::named);
        match (self.scheme, named) {
            (Scheme::Sips, None | Some(Some(Transport::Tcp | Transport::Tls))) => {
                Some(Transport::Tls)
            }
            (Scheme::Sips, Some(Some(Transport::Ws | Transport::Wss))) => Some(Transport::Wss),
            (Scheme::Sips, Some(Some(Transport::Udp))) => None,
            (_, Some(named)) => named,
            (_, None) => Some(Transport::Udp),
        }
    }

    /// Where to send, when the host is an address: its port, or the transport's own.
    #[must_use]
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        let address = self.host.as_ref()?.ip()?;
        let usual = self.transport().map_or(5060, Transport::default_port);
        Some(SocketAddr::new(address, self.port.unwrap_or(usual)))
    }

    /// Equality by RFC 3261 §19.1.4. Not transitive: a URI without an unknown parameter equals both
    /// of two that differ in it. `tel:` by RFC 3966 §4.
    #[must_use]
    pub fn equivalent(&self, other: &Self) -> bool {
        let hosts = match (&self.host, &other.host) {
            (Some(one), Some(two)) => one.same(two),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        let user = match (self.scheme, self.user(), other.user()) {
            (Scheme::Tel, Some(one), Some(two)) => one.eq_ignore_ascii_case(&two),
            (_, one, two) => one == two,
        };
        let password =
            self.password.as_deref().map(unescape) == other.password.as_deref().map(unescape);
        self.scheme == other.scheme
            && user
            && password
            && hosts
            && self.port == other.port
            && self.same_params(other)
            && self.same_headers(other)
    }

    fn same_params(&self, other: &Self) -> bool {
        // These count even when only one side has them; any other only when both do.
        const COUNT: [&str; 6] = ["user", "ttl", "method", "maddr", "transport", "isub"];
        let same = |one: &str, two: &str| unescape(one).eq_ignore_ascii_case(&unescape(two));
        let agrees = |one: &Params, two: &Params| {
            one.iter().all(|(name, value)| {
                let mut named = two.iter().filter(|(had, _)| same(had, name)).peekable();
                if named.peek().is_none() {
                    return self.scheme != Scheme::Tel
                        && !COUNT.iter().any(|count| same(name, count));
                }
                named.any(|(_, had)| same(value.unwrap_or_default(), had.unwrap_or_default()))
            })
        };
        agrees(&self.params, &other.params) && agrees(&other.params, &self.params)
    }

    fn same_headers(&self, other: &Self) -> bool {
        let sorted = |uri: &Self| {
            let text = uri.headers.as_deref().unwrap_or_default();
            let mut pairs: Vec<_> = text
                .split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (unescape(name).to_ascii_lowercase(), unescape(value).into_owned())
                })
                .collect();
            pairs.sort_unstable();
            pairs
        };
        match (&self.headers, &other.headers) {
            (None, None) => true,
            _ => sorted(self) == sorted(other),
        }
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scheme.as_str())?;
        f.write_str(":")?;
        if let Some(user) = &self.user {
            f.write_str(user)?;
            if let Some(password) = &self.password {
                f.write_str(":")?;
                f.write_str(password)?;
            }
            if self.host.is_some() {
                f.write_str("@")?;
            }
        }
        if let Some(host) = &self.host {
            host.fmt(f)?;
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(self.params.as_str())?;
        if let Some(headers) = &self.headers {
            f.write_str("?")?;
            f.write_str(headers)?;
        }
        Ok(())
    }
}

impl std::str::FromStr for Uri {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

/// `hname=hvalue&…`: unreserved, `[]/?:+$`, whole escapes (§25.1); `@` and `;` as the field sends
/// them in an unescaped Replaces.
fn is_headers_text(text: &str) -> bool {
    !text.is_empty()
        && escapes_are_whole(text)
        && text.bytes().all(|byte| {
            is_unreserved(byte)
                || matches!(
                    byte,
                    b'[' | b']'
                        | b'/'
                        | b'?'
                        | b':'
                        | b'+'
                        | b'$'
                        | b'%'
                        | b'&'
                        | b'='
                        | b'@'
                        | b';'
                )
        })
}

/// A URI of any scheme: what a Request-URI or a From may hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnyUri {
    /// One that we can act on.
    Known(Uri),
    /// One that earns a 416 (§8.2.2.1).
    Other(OtherUri),
}

/// A URI whose scheme we do not know, kept as written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OtherUri(Box<str>);

impl OtherUri {
    /// The scheme, as written.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }

    /// The whole, as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AnyUri {
    /// Reads a URI; one of an unknown scheme is kept as it is.
    ///
    /// # Errors
    ///
    /// [`ParseError::BadValue`] for white space, control characters, a missing scheme, or a
    /// malformed `sip:`, `sips:` or `tel:`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let bad = |due| ParseError::BadValue { place: "URI", due };
        let (scheme, rest) = split_at_byte(text, b':').ok_or(bad("a scheme and a colon"))?;
        if scheme.eq_ignore_ascii_case("sip") {
            return Uri::parse_sip(Scheme::Sip, rest).map(Self::Known);
        }
        if scheme.eq_ignore_ascii_case("sips") {
            return Uri::parse_sip(Scheme::Sips, rest).map(Self::Known);
        }
        if scheme.eq_ignore_ascii_case("tel") {
            return Uri::parse_tel(rest).map(Self::Known);
        }
        let named = scheme.starts_with(|char: char| char.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
        let visible = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"');
        if named && !rest.is_empty() && rest.bytes().all(visible) {
            return Ok(Self::Other(OtherUri(text.into())));
        }
        Err(bad("a scheme and visible characters"))
    }

    /// The URI, when we can act on it.
    #[must_use]
    pub const fn known(&self) -> Option<&Uri> {
        match self {
            Self::Known(uri) => Some(uri),
            Self::Other(_) => None,
        }
    }

    /// As [`Uri::named`], of a URI that we can act on.
    #[must_use]
    pub fn named(&self) -> Option<Cow<'_, str>> {
        self.known().and_then(Uri::named)
    }

    /// User part, unescaped, of a URI that we can act on.
    #[must_use]
    pub fn user(&self) -> Option<Cow<'_, str>> {
        self.known().and_then(Uri::user)
    }
}

impl From<Uri> for AnyUri {
    fn from(uri: Uri) -> Self {
        Self::Known(uri)
    }
}

impl fmt::Display for AnyUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(uri) => uri.fmt(f),
            Self::Other(other) => f.write_str(&other.0),
        }
    }
}
