//! Why bytes are not a message that we can act on, and the answer that this earns.

use super::header::HeaderName;
use super::write::Writer;
use bytes::Bytes;
use std::net::SocketAddr;

/// Why a datagram, or a stretch of a stream, is not a SIP message that we can act on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Nothing but line ends: a keep-alive.
    #[error("no message, only line ends")]
    Empty,
    /// Our bound ([`super::gate::MAX_MESSAGE`]), not the sender's error.
    #[error("a message of {found} bytes, at most {limit} are taken")]
    TooLarge {
        /// Bytes found or declared.
        found: u64,
        /// The bound.
        limit: usize,
    },
    /// Our bound on the start line and headers together.
    #[error("start line and headers pass {limit} bytes")]
    HeadTooLarge {
        /// The bound.
        limit: usize,
    },
    /// Our bound on one line after unfolding.
    #[error("a line passes {limit} bytes")]
    LineTooLong {
        /// The bound.
        limit: usize,
    },
    /// Our bound on header lines, or on values after lists have been split.
    #[error("more than {limit} headers")]
    TooManyHeaders {
        /// The bound.
        limit: usize,
    },
    /// No empty line ends the headers (RFC 3261 §7).
    #[error("no empty line after the headers")]
    NoEndOfHead,
    /// A CR or LF alone, or a NUL that no backslash quotes, among the headers (§7, §25.1).
    #[error("a bare CR, LF or NUL among the headers")]
    ControlByte,
    /// The first line is neither a request line nor a status line (§7.1, §7.2).
    #[error("start line: {due} was due")]
    StartLine {
        /// What was due.
        due: &'static str,
    },
    /// A version that we do not speak (§21.5.6).
    #[error("not SIP/2.0")]
    Version,
    /// A line that is no header: no colon, or no token before it (§7.3).
    #[error("a header line without a name and a colon")]
    NoHeaderName,
    /// A header that every message must carry is absent (§8.1.1).
    #[error("no {header} header")]
    MissingHeader {
        /// Which.
        header: &'static str,
    },
    /// A header that may stand once stands twice (§7.3.1).
    #[error("more than one {header} header")]
    Duplicate {
        /// Which.
        header: &'static str,
    },
    /// A value is malformed.
    #[error("{place}: {due} was due")]
    BadValue {
        /// Header or part of one.
        place: &'static str,
        /// What was due.
        due: &'static str,
    },
    /// The body ends before Content-Length says (§18.3).
    #[error("Content-Length says {declared} bytes, {present} are there")]
    BodyTruncated {
        /// By Content-Length.
        declared: u64,
        /// In the datagram.
        present: usize,
    },
    /// The method of `CSeq` is not that of the request line (§8.1.1.5).
    #[error("CSeq names another method than the request line")]
    CseqMethod,
    /// A URI whose scheme we do not know where only a known one will do (§21.4.14).
    #[error("an unknown URI scheme")]
    Scheme,
}

impl ParseError {
    /// The status this earns a request. A broken response is dropped, never answered (§18.1.2).
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Empty
            | Self::NoEndOfHead
            | Self::ControlByte
            | Self::StartLine { .. }
            | Self::NoHeaderName
            | Self::MissingHeader { .. }
            | Self::Duplicate { .. }
            | Self::BadValue { .. }
            | Self::BodyTruncated { .. }
            | Self::CseqMethod => 400,
            Self::Scheme => 416,
            Self::Version => 505,
            Self::TooLarge { .. }
            | Self::HeadTooLarge { .. }
            | Self::LineTooLong { .. }
            | Self::TooManyHeaders { .. } => 513,
        }
    }
}

/// A message that was refused, with enough of it to be answered.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{error}")]
pub struct Rejected {
    /// Why.
    pub error: ParseError,
    /// What an answer copies. None for responses, ACK, keep-alives, and whatever shows no Via: they
    /// are dropped.
    pub reply: Option<ReplyTo>,
}

impl Rejected {
    /// The answer, made without state (§8.2.7): it goes back the way the request came. `source` is
    /// the peer, for received and rport. None when nothing may be answered.
    #[must_use]
    pub fn response(&self, product: &str, source: SocketAddr) -> Option<Bytes> {
        let reply = self.reply.as_ref()?;
        let mut writer = Writer::response(self.error.status());
        for (at, value) in reply.vias.iter().enumerate() {
            match super::Via::parse(value) {
                Ok(mut via) if at == 0 => {
                    via.stamp(source);
                    writer.header(&HeaderName::Via, &via)
                }
                _ => writer.header_bytes(&HeaderName::Via, value),
            };
        }
        for (name, value) in &reply.rest {
            writer.header_bytes(name, value);
            if *name == HeaderName::To && !reply.to_has_tag {
                // §8.2.6.2 asks for a tag, §8.2.7 for the same one on a retransmission.
                writer.append_to_last(&format!(";tag={:016x}", reply.digest()));
            }
        }
        writer.header(&HeaderName::Server, product);
        Some(writer.finish())
    }
}

/// The headers an answer copies (§8.2.6.2), as they stood, unfolded.
#[derive(Clone, Debug, Default)]
pub struct ReplyTo {
    /// Via values, the topmost first; at least one.
    pub(super) vias: Vec<Box<[u8]>>,
    /// The first From, To, Call-ID and `CSeq`, those that were there.
    pub(super) rest: Vec<(HeaderName, Box<[u8]>)>,
    /// Whether To carries a tag already.
    pub(super) to_has_tag: bool,
}

impl ReplyTo {
    /// FNV-1a over what names the transaction. It creates no dialog, so nobody gains by guessing it.
    fn digest(&self) -> u64 {
        let parts = self.vias.iter().chain(self.rest.iter().map(|(_, value)| value));
        parts.flat_map(|part| part.iter()).fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
            (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }
}
