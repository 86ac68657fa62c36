//! A message as an observer reads it: header by header, nothing refused and nothing repaired. Its own
//! small reader, because what is to be shown includes what the SIP room turned away.

/// The longest head that is taken apart; the SIP room refuses longer ones.
const MAX_HEAD: usize = 64 * 1024;
/// Most headers of a message that are looked at.
const MAX_HEADERS: usize = 512;

/// A message taken apart. Line ends of all kinds end a line, so that nothing can hide behind one that
/// others do not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Request line or status line.
    pub start: String,
    /// Names as written, values unfolded, bytes that are no UTF-8 replaced.
    pub headers: Vec<(String, String)>,
    /// What follows the empty line.
    pub body: Vec<u8>,
}

impl Seen {
    /// Reads a message; none when it does not begin like one.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let first = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n'))?;
        let bytes = bytes.get(first..)?;
        let (head, body) = split(bytes);
        let head = String::from_utf8_lossy(head.get(..MAX_HEAD.min(head.len()))?);
        let mut lines = head.split(['\r', '\n']).filter(|line| !line.is_empty());
        let start = lines.next()?.to_owned();
        if !is_start(&start) {
            return None;
        }
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines {
            if line.starts_with([' ', '\t']) {
                // A folded line goes on with the value before it (RFC 3261 §7.3.1).
                if let Some((_, value)) = headers.last_mut() {
                    value.push(' ');
                    value.push_str(line.trim());
                }
                continue;
            }
            if headers.len() >= MAX_HEADERS {
                break;
            }
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            headers.push((name.trim().to_owned(), value.trim().to_owned()));
        }
        Some(Self { start, headers, body: body.to_vec() })
    }

    /// The first header of this name, also in its compact form.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(had, _)| long_name(had).eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The method of a request.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        if is_status(&self.start) { None } else { self.start.split(' ').next() }
    }

    /// The status of a response.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        let digits = is_status(&self.start).then(|| self.start.get(8..11)).flatten()?;
        digits.parse().ok()
    }
}

/// Head and body.
fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0_usize;
    while let Some(rest) = bytes.get(at..) {
        let gap = match rest {
            [b'\r', b'\n', b'\r', b'\n', ..] => 4,
            [b'\n', b'\n', ..] | [b'\r', b'\r', ..] => 2,
            [b'\n', b'\r', b'\n', ..] => 3,
            [] => break,
            [_, ..] => 0,
        };
        if gap > 0 {
            let body = at.saturating_add(gap);
            return (bytes.get(..at).unwrap_or_default(), bytes.get(body..).unwrap_or_default());
        }
        at = at.saturating_add(1);
    }
    (bytes, &[])
}

fn is_status(line: &str) -> bool {
    line.get(..8).is_some_and(|word| word.eq_ignore_ascii_case("SIP/2.0 "))
}

fn is_start(line: &str) -> bool {
    let request = || {
        let mut words = line.split_whitespace();
        let method = words.next().unwrap_or_default();
        let token = |b: u8| b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b);
        let last = words.next_back().unwrap_or_default();
        !method.is_empty()
            && method.bytes().all(token)
            && last.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("SIP/"))
    };
    is_status(line) || request()
}

/// A header's name in full (RFC 3261 §20, RFC 3265, 3515, 3892, 3841, 4028, 8224).
#[must_use]
pub(super) fn long_name(name: &str) -> &str {
    let [letter] = name.as_bytes() else { return name };
    match letter.to_ascii_lowercase() {
        b'a' => "Accept-Contact",
        b'b' => "Referred-By",
        b'c' => "Content-Type",
        b'd' => "Request-Disposition",
        b'e' => "Content-Encoding",
        b'f' => "From",
        b'i' => "Call-ID",
        b'j' => "Reject-Contact",
        b'k' => "Supported",
        b'l' => "Content-Length",
        b'm' => "Contact",
        b'o' => "Event",
        b'r' => "Refer-To",
        b's' => "Subject",
        b't' => "To",
        b'u' => "Allow-Events",
        b'v' => "Via",
        b'x' => "Session-Expires",
        b'y' => "Identity",
        _ => name,
    }
}

/// The little of a message by which it is found: read without taking the rest apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Glance {
    /// Of a request.
    pub method: Option<String>,
    /// Of a response.
    pub status: Option<u16>,
    /// The method in `CSeq`: a response has it too.
    pub cseq_method: String,
    /// `CSeq` as written.
    pub cseq: String,
    /// Call-ID.
    pub call_id: String,
    /// User part of From, unescaped. A person's number.
    pub from: String,
    /// User part of To, unescaped. A person's number.
    pub to: String,
}

impl Glance {
    /// None for what is no message.
    #[must_use]
    pub fn of(seen: &Seen) -> Self {
        let user = |name| {
            let value = seen.header(name).unwrap_or_default();
            super::uri::user_of(value)
        };
        let cseq = seen.header("CSeq").unwrap_or_default();
        Self {
            method: seen.method().map(str::to_owned),
            status: seen.status(),
            cseq_method: cseq.split_whitespace().nth(1).unwrap_or_default().to_owned(),
            cseq: cseq.to_owned(),
            call_id: seen.header("Call-ID").unwrap_or_default().to_owned(),
            from: user("From"),
            to: user("To"),
        }
    }
}

/// The Call-ID of a message, found without taking it apart; none when there is none.
#[must_use]
pub(super) fn call_id(bytes: &[u8]) -> Option<&str> {
    for line in bytes.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return None;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = line.get(..colon)?.trim_ascii();
        if name.eq_ignore_ascii_case(b"Call-ID") || name.eq_ignore_ascii_case(b"i") {
            let value = line.get(colon.saturating_add(1)..)?.trim_ascii();
            return std::str::from_utf8(value).ok();
        }
    }
    None
}
