//! What a SIP message is, once it has been read: the types and what they can be asked. Reading is in
//! `parse`, writing in `write`.

use super::body;
use super::error::ParseError;
use super::header::{HeaderName, Headers};
use super::name_addr::NameAddr;
use super::uri::AnyUri;
use super::via::Via;
use bytes::Bytes;
use std::fmt;
use std::net::SocketAddr;

/// A request's method. Case counts (RFC 3261 §7.1): `invite` is an unknown method.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// RFC 3261 §13.
    Invite,
    /// RFC 3261 §13.
    Ack,
    /// RFC 3261 §15.
    Bye,
    /// RFC 3261 §9.
    Cancel,
    /// RFC 3261 §10.
    Register,
    /// RFC 3261 §11.
    Options,
    /// RFC 6086.
    Info,
    /// RFC 3262.
    Prack,
    /// RFC 3311.
    Update,
    /// RFC 3515.
    Refer,
    /// RFC 6665.
    Subscribe,
    /// RFC 6665.
    Notify,
    /// RFC 3428.
    Message,
    /// RFC 3903.
    Publish,
    /// Any other token, which earns a 501 (§8.2.1 says 405 for a known one).
    Other(Box<str>),
}

impl Method {
    /// The methods that have a name here.
    pub const KNOWN: [Self; 14] = [
        Self::Invite,
        Self::Ack,
        Self::Bye,
        Self::Cancel,
        Self::Register,
        Self::Options,
        Self::Info,
        Self::Prack,
        Self::Update,
        Self::Refer,
        Self::Subscribe,
        Self::Notify,
        Self::Message,
        Self::Publish,
    ];

    /// Reads a method; None when it is no token.
    #[must_use]
    pub fn parse(token: &[u8]) -> Option<Self> {
        Some(match token {
            b"INVITE" => Self::Invite,
            b"ACK" => Self::Ack,
            b"BYE" => Self::Bye,
            b"CANCEL" => Self::Cancel,
            b"REGISTER" => Self::Register,
            b"OPTIONS" => Self::Options,
            b"INFO" => Self::Info,
            b"PRACK" => Self::Prack,
            b"UPDATE" => Self::Update,
            b"REFER" => Self::Refer,
            b"SUBSCRIBE" => Self::Subscribe,
            b"NOTIFY" => Self::Notify,
            b"MESSAGE" => Self::Message,
            b"PUBLISH" => Self::Publish,
            other if super::chars::all_token(other) => {
                Self::Other(String::from_utf8_lossy(other).into()) // a token is ASCII
            }
            _ => return None,
        })
    }

    /// As written on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Invite => "INVITE",
            Self::Ack => "ACK",
            Self::Bye => "BYE",
            Self::Cancel => "CANCEL",
            Self::Register => "REGISTER",
            Self::Options => "OPTIONS",
            Self::Info => "INFO",
            Self::Prack => "PRACK",
            Self::Update => "UPDATE",
            Self::Refer => "REFER",
            Self::Subscribe => "SUBSCRIBE",
            Self::Notify => "NOTIFY",
            Self::Message => "MESSAGE",
            Self::Publish => "PUBLISH",
            Self::Other(name) => name,
        }
    }

    /// Whether its 2xx may begin a dialog, so that Record-Route is copied into it (§12.1.1,
    /// RFC 6665 §4.2, RFC 3515 §2.4.4).
    #[must_use]
    pub const fn forms_dialog(&self) -> bool {
        matches!(self, Self::Invite | Self::Subscribe | Self::Refer | Self::Notify)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `CSeq` (§20.16).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CSeq {
    /// 0 to 2³¹-1 (§8.1.1.5).
    pub number: u32,
    /// Of the request; a response repeats it.
    pub method: Method,
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}

/// What Contact said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contacts {
    /// `Contact: *`, alone: remove every binding (§10.2.2).
    Star,
    /// The addresses in order; empty when there is no Contact.
    List(Vec<NameAddr>),
}

/// What requests and responses have in common, read once.
#[derive(Clone, Debug)]
pub struct Head {
    /// The topmost Via.
    pub via: Via,
    /// From.
    pub from: NameAddr,
    /// To.
    pub to: NameAddr,
    /// Call-ID; case counts (§20.8).
    pub call_id: Box<str>,
    /// `CSeq`.
    pub cseq: CSeq,
    /// Max-Forwards; none in responses and from peers of RFC 2543's days.
    pub max_forwards: Option<u8>,
    /// Contact.
    pub contacts: Contacts,
    /// All headers, those above too, in order.
    pub headers: Headers,
}

impl Head {
    /// The first contact's address: a dialog's remote target (§12.1).
    #[must_use]
    pub fn contact(&self) -> Option<&NameAddr> {
        match &self.contacts {
            Contacts::Star => None,
            Contacts::List(list) => list.first(),
        }
    }

    /// Every value of an address header (Route, Record-Route, P-Asserted-Identity, Diversion …), read.
    ///
    /// # Errors
    ///
    /// The first value's that is malformed.
    pub fn addresses(&self, name: &HeaderName) -> Result<Vec<NameAddr>, ParseError> {
        let place = name.known_str().unwrap_or("address");
        self.headers.all(name).map(|value| NameAddr::parse(value, place)).collect()
    }

    /// The first value of an address header (Refer-To, Referred-By …).
    ///
    /// # Errors
    ///
    /// When it is malformed.
    pub fn address(&self, name: &HeaderName) -> Result<Option<NameAddr>, ParseError> {
        let place = name.known_str().unwrap_or("address");
        self.headers.get(name).map(|value| NameAddr::parse(value, place)).transpose()
    }
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The Request-URI, never with `?headers` (§19.1.1).
    pub uri: AnyUri,
    /// The headers.
    pub head: Head,
    /// The body, exactly as long as Content-Length says.
    pub body: Bytes,
}

impl Request {
    /// Notes in the topmost Via where the request really came from (§18.2.1). To be done once, when
    /// it is received; answers then carry it.
    pub fn stamp(&mut self, source: SocketAddr) {
        self.head.via.stamp(source);
    }

    /// The SDP body, alone or as a part of multipart/mixed or multipart/alternative.
    #[must_use]
    pub fn sdp(&self) -> Option<Bytes> {
        body::sdp(&self.head.headers, &self.body)
    }
}

/// A response.
#[derive(Clone, Debug)]
pub struct Response {
    /// 100 to 699.
    pub status: u16,
    /// The reason phrase, for people only; bytes that were no UTF-8 are U+FFFD.
    pub reason: Box<str>,
    /// The headers.
    pub head: Head,
    /// The body.
    pub body: Bytes,
}

impl Response {
    /// The SDP body, as in [`Request::sdp`].
    #[must_use]
    pub fn sdp(&self) -> Option<Bytes> {
        body::sdp(&self.head.headers, &self.body)
    }
}

/// A request or a response.
#[derive(Clone, Debug)]
pub enum Message {
    /// Asks.
    Request(Request),
    /// Answers.
    Response(Response),
}

impl Message {
    /// What both have.
    #[must_use]
    pub const fn head(&self) -> &Head {
        match self {
            Self::Request(request) => &request.head,
            Self::Response(response) => &response.head,
        }
    }
}
