//! Header names, and the list of headers of one message. Values are bytes here; the parsers of the
//! values are elsewhere.

use bytes::Bytes;
use std::fmt;

macro_rules! header_names {
    ($($variant:ident $text:literal $lower:literal $(| $compact:literal)?;)*) => {
        /// The name of a header. Known names are one word each, whatever their spelling was on the
        /// wire: case does not count and compact forms are expanded (RFC 3261 §7.3).
        #[derive(Clone, Debug, Eq)]
        pub enum HeaderName {
            $(
                #[doc = concat!("`", $text, "`")]
                $variant,
            )*
            /// Any other, as written; compared without regard to case.
            Other(Box<str>),
        }

        #[allow(non_upper_case_globals)]
        mod mixes {
            $(pub const $variant: u32 = super::mixed($lower);)*
        }

        impl HeaderName {
            /// Reads a name that is known to be a token.
            fn read(token: &[u8]) -> Self {
                if let [letter] = token {
                    return match &[letter.to_ascii_lowercase()] {
                        $($($compact => Self::$variant,)?)*
                        _ => Self::other(token),
                    };
                }
                // By a number first: comparing with each name in turn costs more than the rest.
                match mixed(token) {
                    $(mixes::$variant if token.eq_ignore_ascii_case($lower) => Self::$variant,)*
                    _ => Self::other(token),
                }
            }

            /// The name in full, in its usual spelling.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    Self::Other(name) => name,
                    known => known.known_str().unwrap_or_default(),
                }
            }

            /// The same for a known name, for error texts.
            #[must_use]
            pub const fn known_str(&self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => Some($text),)*
                    Self::Other(_) => None,
                }
            }

            /// Every known name.
            #[cfg(test)]
            pub(super) fn every() -> Vec<(Self, &'static str, Vec<&'static [u8]>)> {
                vec![$((Self::$variant, $text, vec![$lower $(, $compact)?]),)*]
            }
        }
    };
}

/// A number made of a name without regard to case (FNV-1a). What it confuses is told apart by
/// comparing.
const fn mixed(mut name: &[u8]) -> u32 {
    let mut sum: u32 = 0x811c_9dc5;
    while let Some((byte, rest)) = name.split_first() {
        sum = (sum ^ (*byte | 0x20) as u32).wrapping_mul(0x0100_0193);
        name = rest;
    }
    sum
}

header_names! {
    Accept "Accept" b"accept";
    AcceptContact "Accept-Contact" b"accept-contact" | b"a";
    AcceptEncoding "Accept-Encoding" b"accept-encoding";
    AcceptLanguage "Accept-Language" b"accept-language";
    AlertInfo "Alert-Info" b"alert-info";
    Allow "Allow" b"allow";
    AllowEvents "Allow-Events" b"allow-events" | b"u";
    AuthenticationInfo "Authentication-Info" b"authentication-info";
    Authorization "Authorization" b"authorization";
    CallId "Call-ID" b"call-id" | b"i";
    CallInfo "Call-Info" b"call-info";
    Contact "Contact" b"contact" | b"m";
    ContentDisposition "Content-Disposition" b"content-disposition";
    ContentEncoding "Content-Encoding" b"content-encoding" | b"e";
    ContentLanguage "Content-Language" b"content-language";
    ContentLength "Content-Length" b"content-length" | b"l";
    ContentType "Content-Type" b"content-type" | b"c";
    CSeq "CSeq" b"cseq";
    Date "Date" b"date";
    Diversion "Diversion" b"diversion";
    ErrorInfo "Error-Info" b"error-info";
    Event "Event" b"event" | b"o";
    Expires "Expires" b"expires";
    From "From" b"from" | b"f";
    HistoryInfo "History-Info" b"history-info";
    Identity "Identity" b"identity" | b"y";
    InReplyTo "In-Reply-To" b"in-reply-to";
    MaxForwards "Max-Forwards" b"max-forwards";
    MimeVersion "MIME-Version" b"mime-version";
    MinExpires "Min-Expires" b"min-expires";
    MinSe "Min-SE" b"min-se";
    Organization "Organization" b"organization";
    PAssertedIdentity "P-Asserted-Identity" b"p-asserted-identity";
    PCalledPartyId "P-Called-Party-ID" b"p-called-party-id";
    PPreferredIdentity "P-Preferred-Identity" b"p-preferred-identity";
    Path "Path" b"path";
    Priority "Priority" b"priority";
    Privacy "Privacy" b"privacy";
    ProxyAuthenticate "Proxy-Authenticate" b"proxy-authenticate";
    ProxyAuthorization "Proxy-Authorization" b"proxy-authorization";
    ProxyRequire "Proxy-Require" b"proxy-require";
    RAck "RAck" b"rack";
    RSeq "RSeq" b"rseq";
    Reason "Reason" b"reason";
    RecordRoute "Record-Route" b"record-route";
    ReferSub "Refer-Sub" b"refer-sub";
    ReferTo "Refer-To" b"refer-to" | b"r";
    ReferredBy "Referred-By" b"referred-by" | b"b";
    RejectContact "Reject-Contact" b"reject-contact" | b"j";
    RemotePartyId "Remote-Party-ID" b"remote-party-id";
    Replaces "Replaces" b"replaces";
    ReplyTo "Reply-To" b"reply-to";
    RequestDisposition "Request-Disposition" b"request-disposition" | b"d";
    Require "Require" b"require";
    RetryAfter "Retry-After" b"retry-after";
    Route "Route" b"route";
    Server "Server" b"server";
    ServiceRoute "Service-Route" b"service-route";
    SessionExpires "Session-Expires" b"session-expires" | b"x";
    SipEtag "SIP-ETag" b"sip-etag";
    SipIfMatch "SIP-If-Match" b"sip-if-match";
    Subject "Subject" b"subject" | b"s";
    SubscriptionState "Subscription-State" b"subscription-state";
    Supported "Supported" b"supported" | b"k";
    Timestamp "Timestamp" b"timestamp";
    To "To" b"to" | b"t";
    Unsupported "Unsupported" b"unsupported";
    UserAgent "User-Agent" b"user-agent";
    Via "Via" b"via" | b"v";
    Warning "Warning" b"warning";
    WwwAuthenticate "WWW-Authenticate" b"www-authenticate";
}

impl HeaderName {
    /// Reads a name as it stands before the colon; None when it is no token.
    #[must_use]
    pub fn parse(name: &[u8]) -> Option<Self> {
        super::chars::all_token(name).then(|| Self::read(name))
    }

    fn other(token: &[u8]) -> Self {
        Self::Other(String::from_utf8_lossy(token).into()) // a token is ASCII
    }

    /// Headers whose values are a comma-separated list, so that one line with commas and several
    /// lines mean the same (§7.3.1).
    pub(super) const fn is_list(&self) -> bool {
        use HeaderName as N;
        matches!(
            self,
            N::Accept
                | N::AcceptContact
                | N::AcceptEncoding
                | N::AcceptLanguage
                | N::AlertInfo
                | N::Allow
                | N::AllowEvents
                | N::CallInfo
                | N::Contact
                | N::ContentEncoding
                | N::ContentLanguage
                | N::Diversion
                | N::ErrorInfo
                | N::HistoryInfo
                | N::InReplyTo
                | N::PAssertedIdentity
                | N::PPreferredIdentity
                | N::Path
                | N::ProxyRequire
                | N::Reason
                | N::RecordRoute
                | N::RejectContact
                | N::RemotePartyId
                | N::Require
                | N::Route
                | N::ServiceRoute
                | N::Supported
                | N::Unsupported
                | N::Via
                | N::Warning
        )
    }

    /// Lists whose every element must be there: an empty one is an error, not to be skipped, because
    /// the values route (`Via: x;;,;,,` of RFC 4475 §3.1.2.1).
    pub(super) const fn routes(&self) -> bool {
        matches!(self, Self::Via | Self::Contact | Self::Route | Self::RecordRoute | Self::Path)
    }

    /// Headers that mean one thing and so may stand once; of two, another reader might believe the
    /// other one (§7.3.1).
    pub(super) const fn is_single(&self) -> bool {
        use HeaderName as N;
        matches!(
            self,
            N::CallId
                | N::ContentLength
                | N::ContentType
                | N::CSeq
                | N::Event
                | N::Expires
                | N::From
                | N::MaxForwards
                | N::MinSe
                | N::RAck
                | N::RSeq
                | N::ReferTo
                | N::ReferredBy
                | N::Replaces
                | N::SessionExpires
                | N::SubscriptionState
                | N::To
        )
    }
}

impl PartialEq for HeaderName {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Other(one), Self::Other(two)) => one.eq_ignore_ascii_case(two),
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a value lies.
#[derive(Clone, Debug)]
enum Value {
    /// In the head of the datagram: first byte and one behind the last.
    Span(u32, u32),
    /// On its own.
    Own(Box<[u8]>),
}

/// The headers of one message in their order. A list header (Via, Contact, Route, Require …) has one
/// entry for each of its values. Values point into the datagram they came in.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    store: Bytes,
    entries: Vec<(HeaderName, Value)>,
}

impl Headers {
    /// None yet, whose values lie in `store`.
    pub(super) fn over(store: Bytes, room: usize) -> Self {
        Self { store, entries: Vec::with_capacity(room) }
    }

    /// Adds the value that lies at `from..to` of the store.
    pub(super) fn push_span(&mut self, name: HeaderName, from: usize, to: usize) {
        let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.entries.push((name, Value::Span(narrow(from), narrow(to))));
    }

    /// Adds a value at the end.
    pub fn push(&mut self, name: HeaderName, value: impl Into<Box<[u8]>>) {
        self.entries.push((name, Value::Own(value.into())));
    }

    fn bytes<'a>(&'a self, value: &'a Value) -> &'a [u8] {
        match value {
            Value::Own(bytes) => bytes,
            Value::Span(from, to) => {
                let range = usize::try_from(*from).ok().zip(usize::try_from(*to).ok());
                range.and_then(|(from, to)| self.store.get(from..to)).unwrap_or_default()
            }
        }
    }

    /// Every header, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&HeaderName, &[u8])> {
        self.entries.iter().map(|(name, value)| (name, self.bytes(value)))
    }

    /// Every value of that name, in order.
    pub fn all<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a [u8]> {
        self.entries.iter().filter(move |(had, _)| had == name).map(|(_, value)| self.bytes(value))
    }

    /// The first value of that name.
    #[must_use]
    pub fn get(&self, name: &HeaderName) -> Option<&[u8]> {
        self.entries.iter().find(|(had, _)| had == name).map(|(_, value)| self.bytes(value))
    }

    /// The first value of that name, when it is UTF-8.
    #[must_use]
    pub fn text(&self, name: &HeaderName) -> Option<&str> {
        self.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Whether that name stands there at all.
    #[must_use]
    pub fn has(&self, name: &HeaderName) -> bool {
        self.entries.iter().any(|(had, _)| had == name)
    }

    /// The values of a token list (Require, Supported, Allow …); what is no token is left out.
    pub fn tokens<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a str> {
        self.all(name)
            .filter(|value| super::chars::all_token(value))
            .filter_map(|value| std::str::from_utf8(value).ok())
    }

    /// Whether a token list names `token`, without regard to case.
    #[must_use]
    pub fn names(&self, name: &HeaderName, token: &str) -> bool {
        self.tokens(name).any(|had| had.eq_ignore_ascii_case(token))
    }

    /// A number of seconds or the like at the head of a value (`Expires`, `Min-SE`,
    /// `Session-Expires: 300;refresher=uac`); what passes 2³²-1 is 2³²-1, what is no number is none.
    #[must_use]
    pub fn number(&self, name: &HeaderName) -> Option<u32> {
        let value = self.get(name)?;
        let digits = value.split(|byte| matches!(byte, b';' | b' ' | b'\t' | b'(')).next()?;
        super::chars::delta_seconds(digits)
    }

    /// How many entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_name_is_that_name() {
        for (name, text, spellings) in HeaderName::every() {
            assert_eq!(name.as_str(), text);
            assert_eq!(HeaderName::parse(text.as_bytes()), Some(name.clone()), "{text}");
            assert_eq!(spellings.first().map(|lower| lower.len()), Some(text.len()));
            for spelling in spellings {
                let upper = spelling.to_ascii_uppercase();
                assert_eq!(HeaderName::parse(spelling), Some(name.clone()), "{text}");
                assert_eq!(HeaderName::parse(&upper), Some(name.clone()), "{text}");
            }
        }
        assert_eq!(HeaderName::parse(b"X-A"), HeaderName::parse(b"x-a"));
        assert_ne!(HeaderName::parse(b"X-A"), HeaderName::parse(b"X-B"));
        assert_eq!(HeaderName::parse(b"a b"), None);
        assert_eq!(HeaderName::parse(b""), None);
    }
}
