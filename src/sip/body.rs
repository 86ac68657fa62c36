//! Bodies: what kind, and the SDP inside multipart ones (RFC 2046 §5.1, RFC 5621). Knows no SDP.

use super::chars::{cut, find_unquoted, is_token, trim_bytes, unquote};
use super::gate;
use super::header::{HeaderName, Headers};
use bytes::Bytes;

/// Most parts of a multipart body that are looked at; an offer behind them is not found.
pub const MAX_PARTS: usize = 16;

/// `type/subtype` in lower case, without parameters; None when there is no Content-Type or it is none.
#[must_use]
pub fn content_type(headers: &Headers) -> Option<String> {
    headers.get(&HeaderName::ContentType).and_then(media_type)
}

fn media_type(value: &[u8]) -> Option<String> {
    let (essence, _) =
        cut(value, value.iter().position(|byte| *byte == b';').unwrap_or(value.len()));
    let slash = essence.iter().position(|byte| *byte == b'/')?;
    let (kind, sub) = cut(essence, slash);
    let (kind, sub) = (trim_bytes(kind), trim_bytes(sub));
    let fine = |part: &[u8]| !part.is_empty() && part.iter().all(|byte| is_token(*byte));
    let joined = || [kind, b"/", sub].concat().to_ascii_lowercase();
    (fine(kind) && fine(sub)).then(|| String::from_utf8(joined()).ok()).flatten()
}

/// The SDP of a message: its whole body, or the first `application/sdp` part of a multipart one. Not
/// looked for inside nested multiparts. An empty body is none, and so is one that is encoded.
#[must_use]
pub fn sdp(headers: &Headers, body: &Bytes) -> Option<Bytes> {
    let value = headers.get(&HeaderName::ContentType)?;
    // Content-Encoding other than identity: RFC 3261 §20.12; the caller answers 415.
    let plain = headers
        .all(&HeaderName::ContentEncoding)
        .all(|coding| coding.eq_ignore_ascii_case(b"identity"));
    let kind = media_type(value)?;
    if body.is_empty() || !plain {
        return None;
    }
    if kind == "application/sdp" {
        return Some(body.clone());
    }
    let boundary = kind.starts_with("multipart/").then(|| boundary(value)).flatten()?;
    parts(body, &boundary).find_map(|(head, content)| {
        let is_sdp = head.split(|byte| *byte == b'\n').any(|line| {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            matches!(gate::header(line), Ok((HeaderName::ContentType, value))
                if media_type(value).as_deref() == Some("application/sdp"))
        });
        (is_sdp && !content.is_empty()).then(|| body.slice_ref(content))
    })
}

/// The boundary parameter: 1 to 70 characters (RFC 2046 §5.1.1).
fn boundary(value: &[u8]) -> Option<String> {
    let mut rest = value;
    while let Some(at) = find_unquoted(rest, b';') {
        (_, rest) = cut(rest, at);
        let (one, _) = cut(rest, find_unquoted(rest, b';').unwrap_or(rest.len()));
        let Some(equals) = one.iter().position(|byte| *byte == b'=') else { continue };
        let (name, value) = cut(one, equals);
        if trim_bytes(name).eq_ignore_ascii_case(b"boundary") {
            let value = std::str::from_utf8(trim_bytes(value)).ok()?;
            let value = unquote(value).into_owned();
            return (1..=70).contains(&value.len()).then_some(value);
        }
    }
    None
}

/// Head and content of each part.
fn parts<'a>(body: &'a [u8], boundary: &str) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    let mark = [b"--", boundary.as_bytes()].concat();
    let mut rest = next_mark(body, &mark, true);
    let parts = std::iter::from_fn(move || {
        let text = rest?.1;
        if text.starts_with(b"--") {
            return None; // the closing mark
        }
        let line_end = find(text, b"\r\n")?;
        let text = text.get(line_end..)?; // keeps the CRLF, which may be the empty line itself
        let (part, _) = next_mark(text, &mark, false)?; // an unterminated part is no part
        rest = next_mark(text, &mark, false);
        let (head, content) = match find(part, b"\r\n\r\n") {
            Some(at) => (part.get(..at)?, part.get(at.saturating_add(4)..)?),
            None => (part, part.get(..0)?),
        };
        Some((head, content))
    });
    parts.take(MAX_PARTS)
}

/// What stands before the next boundary line, and what behind the mark.
fn next_mark<'a>(text: &'a [u8], mark: &[u8], first: bool) -> Option<(&'a [u8], &'a [u8])> {
    if first && text.starts_with(mark) {
        return Some((&[], text.get(mark.len()..)?));
    }
    let whole = [b"\r\n", mark].concat();
    let at = find(text, &whole)?;
    Some((text.get(..at)?, text.get(at.saturating_add(whole.len())..)?))
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len().max(1)).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(content_type: &str, body: &str) -> Option<String> {
        let mut headers = Headers::default();
        headers.push(HeaderName::ContentType, content_type.as_bytes());
        sdp(&headers, &Bytes::copy_from_slice(body.as_bytes()))
            .map(|sdp| String::from_utf8_lossy(&sdp).into_owned())
    }

    #[test]
    fn sdp_is_found_alone_and_among_parts() {
        let two = "--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b\r\nc : application/SDP\r\n\r\nv=0\r\n\r\n--b--\r\n";
        let table = [
            ("alone", "application/sdp", "v=0\r\n", Some("v=0\r\n")),
            ("with a parameter", "Application / SDP ; x=y", "v=0", Some("v=0")),
            ("empty", "application/sdp", "", None),
            ("other", "text/plain", "v=0", None),
            ("second part", "multipart/mixed;boundary=b", two, Some("v=0\r\n")),
            (
                "quoted boundary",
                "multipart/mixed; x=\";boundary=z\" ; Boundary=\"b\"",
                two,
                Some("v=0\r\n"),
            ),
            ("wrong boundary", "multipart/mixed;boundary=c", two, None),
            ("no boundary", "multipart/mixed", two, None),
            ("empty boundary", "multipart/mixed;boundary=\"\"", two, None),
            (
                "preamble",
                "multipart/mixed;boundary=b",
                &format!("preamble\r\n{two}"),
                Some("v=0\r\n"),
            ),
            (
                "unterminated",
                "multipart/mixed;boundary=b",
                "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n",
                None,
            ),
            ("no part head", "multipart/mixed;boundary=b", "--b\r\n\r\nv=0\r\n--b--", None),
            ("only marks", "multipart/mixed;boundary=b", "--b\r\n--b\r\n--b--", None),
            (
                "nested",
                "multipart/mixed;boundary=b",
                "--b\r\nContent-Type: multipart/mixed;boundary=c\r\n\r\n--c\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--c--\r\n--b--",
                None,
            ),
        ];
        for (case, content_type, body, want) in table {
            assert_eq!(found(content_type, body).as_deref(), want, "{case}");
        }
    }

    #[test]
    fn the_seventeenth_part_is_not_looked_at() {
        let part = "--b\r\nContent-Type: text/plain\r\n\r\n\r\n";
        let last = "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b--\r\n";
        assert!(
            found("multipart/mixed;boundary=b", &format!("{}{last}", part.repeat(MAX_PARTS - 1)))
                .is_some()
        );
        assert!(
            found("multipart/mixed;boundary=b", &format!("{}{last}", part.repeat(MAX_PARTS)))
                .is_none()
        );
    }
}
