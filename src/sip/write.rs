//! Writing messages: one buffer, every value checked on its way in. Knows no rule of dialogs.

use super::chars::breaks_line;
use super::header::HeaderName;
use super::message::{Method, Request};
use super::name_addr::NameAddr;
use super::via::Via;
use super::vocabulary;
use bytes::Bytes;
use std::fmt::{self, Display, Write as _};

/// A message being written. Start with [`Writer::request`], [`Writer::response`] or
/// [`Writer::answer`], add headers in order, end with [`Writer::finish`] or [`Writer::body`].
///
/// A CR, LF or NUL inside any value becomes a space here, whatever its source, so no value can
/// begin a header of its own.
#[derive(Debug)]
pub struct Writer {
    out: Vec<u8>,
}

/// Room for a usual message with its SDP, so that the buffer grows once at most.
const ROOM: usize = 1024;

impl Writer {
    /// A request line.
    #[must_use]
    pub fn request(method: &Method, uri: impl Display) -> Self {
        let mut writer = Self { out: Vec::with_capacity(ROOM) };
        writer.value_bytes(method.as_str().as_bytes());
        writer.out.push(b' ');
        writer.value(uri);
        writer.out.extend_from_slice(b" SIP/2.0\r\n");
        writer
    }

    /// A status line with the phrase that belongs to `status`.
    #[must_use]
    pub fn response(status: u16) -> Self {
        Self::response_saying(status, vocabulary::reason(status))
    }

    /// A status line with a phrase of the caller's.
    #[must_use]
    pub fn response_saying(status: u16, reason: &str) -> Self {
        let mut writer = Self { out: Vec::with_capacity(ROOM) };
        writer.out.extend_from_slice(b"SIP/2.0 ");
        writer.value(status);
        writer.out.push(b' ');
        writer.value_bytes(reason.as_bytes());
        writer.out.extend_from_slice(b"\r\n");
        writer
    }

    /// A response to `request`: all Via (the topmost as [`Request::stamp`] left it), From, To,
    /// Call-ID and `CSeq` are copied as they stood (§8.2.6.2); To gets `to_tag` when it has none and
    /// `status` is above 100; Record-Route is copied when the answer may begin a dialog (§12.1.1).
    #[must_use]
    pub fn answer(request: &Request, status: u16, to_tag: Option<&str>) -> Self {
        let mut writer = Self::response(status);
        let head = &request.head;
        writer.header(&HeaderName::Via, &head.via);
        for value in head.headers.all(&HeaderName::Via).skip(1) {
            writer.copied(&HeaderName::Via, value);
        }
        if request.method.forms_dialog() && (101..300).contains(&status) {
            for value in head.headers.all(&HeaderName::RecordRoute) {
                writer.copied(&HeaderName::RecordRoute, value);
            }
        }
        for name in [HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq] {
            writer.copied(&name, head.headers.get(&name).unwrap_or_default());
            if name == HeaderName::To
                && status > 100
                && head.to.tag().is_none()
                && let Some(tag) = to_tag
            {
                writer.append_to_last(";tag=");
                writer.append_to_last(tag);
            }
        }
        writer
    }

    /// Adds a header.
    pub fn header(&mut self, name: &HeaderName, value: impl Display) -> &mut Self {
        self.begin(name);
        self.value(value);
        self.out.extend_from_slice(b"\r\n");
        self
    }

    /// Adds a header whose value may hold bytes that are no UTF-8.
    pub fn header_bytes(&mut self, name: &HeaderName, value: &[u8]) -> &mut Self {
        self.begin(name);
        self.value_bytes(value);
        self.out.extend_from_slice(b"\r\n");
        self
    }

    /// Via, at the end of those already written.
    pub fn via(&mut self, via: &Via) -> &mut Self {
        self.header(&HeaderName::Via, via)
    }

    /// From.
    pub fn from(&mut self, from: &NameAddr) -> &mut Self {
        self.header(&HeaderName::From, from)
    }

    /// To.
    pub fn to(&mut self, to: &NameAddr) -> &mut Self {
        self.header(&HeaderName::To, to)
    }

    /// Contact, as `<uri>`.
    pub fn contact(&mut self, uri: impl Display) -> &mut Self {
        self.header(&HeaderName::Contact, format_args!("<{uri}>"))
    }

    /// Call-ID.
    pub fn call_id(&mut self, call_id: &str) -> &mut Self {
        self.header(&HeaderName::CallId, call_id)
    }

    /// `CSeq`.
    pub fn cseq(&mut self, number: u32, method: &Method) -> &mut Self {
        self.header(&HeaderName::CSeq, format_args!("{number} {method}"))
    }

    /// The end: Content-Length 0 and the empty line.
    #[must_use]
    pub fn finish(mut self) -> Bytes {
        self.out.extend_from_slice(b"Content-Length: 0\r\n\r\n");
        Bytes::from(self.out)
    }

    /// The end with a body; an empty one is [`Writer::finish`].
    #[must_use]
    pub fn body(mut self, content_type: &str, body: &[u8]) -> Bytes {
        if body.is_empty() {
            return self.finish();
        }
        self.header(&HeaderName::ContentType, content_type);
        self.header(&HeaderName::ContentLength, body.len());
        self.out.extend_from_slice(b"\r\n");
        self.out.extend_from_slice(body);
        Bytes::from(self.out)
    }

    /// The end with SDP, or without a body.
    #[must_use]
    pub fn sdp(self, sdp: Option<&[u8]>) -> Bytes {
        match sdp {
            Some(sdp) => self.body("application/sdp", sdp),
            None => self.finish(),
        }
    }

    /// Puts `text` behind the value of the header that was added last.
    pub(super) fn append_to_last(&mut self, text: &str) {
        self.out.truncate(self.out.len().saturating_sub(2));
        self.value_bytes(text.as_bytes());
        self.out.extend_from_slice(b"\r\n");
    }

    /// A value that the gate let through: it holds no line end, and a NUL only behind a backslash
    /// inside quotes, which must go back as it came (§8.2.6.2, RFC 4475 §3.1.1.2).
    fn copied(&mut self, name: &HeaderName, value: &[u8]) {
        self.begin(name);
        self.out.extend(
            value.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }),
        );
        self.out.extend_from_slice(b"\r\n");
    }

    fn begin(&mut self, name: &HeaderName) {
        self.value_bytes(name.as_str().as_bytes());
        self.out.extend_from_slice(b": ");
    }

    fn value_bytes(&mut self, value: &[u8]) {
        // The whole is looked at without stopping, which the compiler turns into wide compares.
        if value.iter().fold(false, |found, byte| found | breaks_line(*byte)) {
            self.out.extend(value.iter().map(|byte| if breaks_line(*byte) { b' ' } else { *byte }));
        } else {
            self.out.extend_from_slice(value);
        }
    }

    fn value(&mut self, value: impl Display) {
        // Writing into a Vec cannot fail, and our own Display never says it did.
        let _ = write!(Checked(self), "{value}");
    }
}

/// Lets `Display` write through the check.
struct Checked<'a>(&'a mut Writer);

impl fmt::Write for Checked<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.value_bytes(text.as_bytes());
        Ok(())
    }
}
