//! From bytes to a message: start line, headers, and those values that every message must have.
//! Bounds and line ends are the gate's, the rest of the values are read by whoever needs them.

use super::chars::{cut, decimal, lossy, trim_bytes};
use super::error::{ParseError, Rejected};
use super::gate::{self, MAX_VALUES, Span};
use super::header::{HeaderName, Headers};
use super::message::{CSeq, Contacts, Head, Message, Method, Request, Response};
use super::name_addr::NameAddr;
use super::uri::AnyUri;
use super::via::Via;
use bytes::Bytes;

/// Largest `CSeq`: it must be less than 2³¹ (RFC 3261 §8.1.1.5).
const MAX_CSEQ: u64 = 0x7fff_ffff;

/// Reads one message: a whole datagram, or what the [`super::Framer`] cut from a stream. Bytes behind
/// Content-Length are left out (§18.3); without Content-Length the body is the rest.
///
/// # Errors
///
/// [`Rejected`], with what an answer needs when the message is a request that may be answered.
pub fn parse(message: &Bytes) -> Result<Message, Rejected> {
    read(message).map_err(|error| {
        let reply = if error == ParseError::Empty { None } else { gate::reply_to(message) };
        Rejected { error, reply }
    })
}

/// The first line of a message.
enum Start {
    Request(Method, AnyUri),
    Response(u16, Box<str>),
}

fn read(message: &Bytes) -> Result<Message, ParseError> {
    let scan = gate::scan(message)?;
    let body_at = scan.body_at;
    let (store, lines) =
        if scan.folded { gate::unfold(message, &scan) } else { (message.clone(), scan.lines) };
    let mut lines = lines.into_iter();
    let start = start_line(line(&store, lines.next().unwrap_or_default()))?;
    let headers = read_headers(&store, lines)?;
    let head = read_head(headers)?;
    let body = read_body(&head.headers, message, body_at)?;
    match start {
        Start::Request(method, uri) => {
            if head.cseq.method != method {
                return Err(ParseError::CseqMethod);
            }
            Ok(Message::Request(Request { method, uri, head, body }))
        }
        Start::Response(status, reason) => {
            Ok(Message::Response(Response { status, reason, head, body }))
        }
    }
}

fn line(store: &[u8], (from, to): Span) -> &[u8] {
    store.get(from..to).unwrap_or_default()
}

/// `Request-Line / Status-Line` with single spaces, as §7.1 and §7.2 have them.
fn start_line(line: &[u8]) -> Result<Start, ParseError> {
    let bad = |due| ParseError::StartLine { due };
    if line.get(..4).is_some_and(|head| head.eq_ignore_ascii_case(b"SIP/")) {
        let mut parts = line.splitn(3, |byte| *byte == b' ');
        version(parts.next().unwrap_or_default())?;
        let code = parts.next().unwrap_or_default();
        // Three digits and no more: 4294967301 is not a status (RFC 4475 §3.1.2.19).
        let status = (code.len() == 3).then(|| decimal(code)).flatten();
        let status = status.and_then(|status| u16::try_from(status).ok());
        let status = status
            .filter(|status| (100..700).contains(status))
            .ok_or(bad("a status of 100 to 699"))?;
        let reason = lossy(parts.next().unwrap_or_default()).into();
        return Ok(Start::Response(status, reason));
    }
    let space = line.iter().position(|byte| *byte == b' ').ok_or(bad("method, URI, version"))?;
    let (method, rest) = cut(line, space);
    let space = rest.iter().rposition(|byte| *byte == b' ').ok_or(bad("method, URI, version"))?;
    let (uri, spoken) = cut(rest, space);
    let method = Method::parse(method).ok_or(bad("a method"))?;
    version(spoken)?;
    let uri = std::str::from_utf8(uri).map_err(|_| bad("a URI in UTF-8"))?;
    let uri = AnyUri::parse(uri)?;
    // Headers in a Request-URI would be ours to honour: refused (§19.1.1, RFC 4475 §3.1.2.11).
    if uri.known().is_some_and(|uri| uri.headers().is_some()) {
        return Err(bad("a Request-URI without ?headers"));
    }
    Ok(Start::Request(method, uri))
}

fn version(text: &[u8]) -> Result<(), ParseError> {
    if text.eq_ignore_ascii_case(b"SIP/2.0") {
        return Ok(());
    }
    let number = text.get(..4).filter(|head| head.eq_ignore_ascii_case(b"SIP/")).and(text.get(4..));
    let mut parts = number.unwrap_or_default().split(|byte| *byte == b'.');
    let digits = |part: Option<&[u8]>| {
        part.is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit))
    };
    if digits(parts.next()) && digits(parts.next()) && parts.next().is_none() {
        return Err(ParseError::Version);
    }
    Err(ParseError::StartLine { due: "SIP/2.0" })
}

fn read_headers(
    store: &Bytes,
    lines: impl ExactSizeIterator<Item = Span>,
) -> Result<Headers, ParseError> {
    let mut headers = Headers::over(store.clone(), lines.len().saturating_mul(2));
    for span in lines {
        let (name, value) = gate::header(line(store, span))?;
        if name.is_single() && headers.has(&name) {
            return Err(ParseError::Duplicate { header: name.known_str().unwrap_or_default() });
        }
        // A value's place in the store: it ends where the line ends, but for white space.
        let behind = span.1.saturating_sub(trailing_space(line(store, span)));
        let from = behind.saturating_sub(value.len());
        if !name.is_list() || !value.contains(&b',') {
            headers.push_span(name, from, behind);
        } else {
            for (at, one) in gate::elements(value) {
                if one.is_empty() && !name.routes() {
                    continue; // "Accept: a,,b" means what it seems to
                }
                let at = from.saturating_add(at);
                headers.push_span(name.clone(), at, at.saturating_add(one.len()));
                if headers.len() > MAX_VALUES {
                    break;
                }
            }
        }
        if headers.len() > MAX_VALUES {
            return Err(ParseError::TooManyHeaders { limit: MAX_VALUES });
        }
    }
    Ok(headers)
}

fn trailing_space(line: &[u8]) -> usize {
    line.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

fn read_head(headers: Headers) -> Result<Head, ParseError> {
    let due = |name: HeaderName| {
        let header = name.known_str().unwrap_or_default();
        headers.get(&name).ok_or(ParseError::MissingHeader { header })
    };
    let via = Via::parse(due(HeaderName::Via)?)?;
    let from = party(due(HeaderName::From)?, "From")?;
    let to = party(due(HeaderName::To)?, "To")?;
    let call_id = call_id(due(HeaderName::CallId)?)?;
    let cseq = cseq(due(HeaderName::CSeq)?)?;
    let max_forwards = headers.get(&HeaderName::MaxForwards).map(max_forwards).transpose()?;
    let contacts = contacts(&headers)?;
    Ok(Head { via, from, to, call_id, cseq, max_forwards, contacts, headers })
}

/// From or To. A tag is a token (§25.1): an empty one could neither be answered with a tag of ours behind it nor be told
/// from none, since whoever reads the first would have no dialog.
fn party(value: &[u8], place: &'static str) -> Result<NameAddr, ParseError> {
    let address = NameAddr::parse(value, place)?;
    if address.params.has("tag") && address.tag().is_none() {
        return Err(ParseError::BadValue { place, due: "a tag that says something" });
    }
    Ok(address)
}

/// `word [ "@" word ]`; any visible text is taken, since it is only ever compared (§20.8).
fn call_id(value: &[u8]) -> Result<Box<str>, ParseError> {
    let bad =
        ParseError::BadValue { place: "Call-ID", due: "visible text without spaces, in UTF-8" };
    let text = std::str::from_utf8(value).map_err(|_| bad.clone())?;
    let invisible = |char: char| char.is_whitespace() || char.is_control();
    if text.is_empty() || text.contains(invisible) { Err(bad) } else { Ok(text.into()) }
}

fn cseq(value: &[u8]) -> Result<CSeq, ParseError> {
    let bad = ParseError::BadValue { place: "CSeq", due: "a number below 2^31 and a method" };
    let space = value.iter().position(|byte| matches!(byte, b' ' | b'\t')).ok_or(bad.clone())?;
    let (number, method) = cut(value, space);
    let number = decimal(number).filter(|number| *number <= MAX_CSEQ);
    match (number.and_then(|number| u32::try_from(number).ok()), Method::parse(trim_bytes(method)))
    {
        (Some(number), Some(method)) => Ok(CSeq { number, method }),
        _ => Err(bad),
    }
}

/// 0 to 255 (§20.22).
fn max_forwards(value: &[u8]) -> Result<u8, ParseError> {
    let hops = decimal(value).and_then(|hops| u8::try_from(hops).ok());
    hops.ok_or(ParseError::BadValue { place: "Max-Forwards", due: "0 to 255" })
}

fn contacts(headers: &Headers) -> Result<Contacts, ParseError> {
    let mut list = Vec::new();
    let mut star = false;
    for value in headers.all(&HeaderName::Contact) {
        if value == b"*" {
            star = true;
        } else {
            list.push(NameAddr::parse(value, "Contact")?);
        }
    }
    match (star, list.is_empty()) {
        (false, _) => Ok(Contacts::List(list)),
        (true, true) => Ok(Contacts::Star),
        // §10.3 step 6: the star stands alone.
        (true, false) => {
            Err(ParseError::BadValue { place: "Contact", due: "* alone or addresses" })
        }
    }
}

fn read_body(headers: &Headers, message: &Bytes, at: usize) -> Result<Bytes, ParseError> {
    let present = message.len().saturating_sub(at);
    let Some(value) = headers.get(&HeaderName::ContentLength) else {
        return Ok(message.slice(at.min(message.len())..));
    };
    let declared = gate::content_length(value)?;
    match usize::try_from(declared) {
        Ok(length) if length <= present => {
            let end = at.saturating_add(length);
            Ok(message.get(at..end).map(|body| message.slice_ref(body)).unwrap_or_default())
        }
        _ => Err(ParseError::BodyTruncated { declared, present }),
    }
}
