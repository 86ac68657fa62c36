//! The gate before every parser: bounds, line ends, folding, lists, Content-Length. What passes it
//! has lines that end where they seem to end, whoever reads them. Knows names of headers, no values.

use super::chars::{cut, decimal, quoted_end, trim_bytes};
use super::error::{ParseError, ReplyTo};
use super::header::HeaderName;
use bytes::Bytes;

/// Longest message, bytes.
pub const MAX_MESSAGE: usize = 65_536;
/// Longest start line and headers together, bytes; nothing behind it is looked at to find their end,
/// so a hostile datagram costs no more than this.
pub const MAX_HEAD: usize = 16_384;
/// Longest line, bytes, folds included.
pub const MAX_LINE: usize = 8_192;
/// Most header lines.
pub const MAX_HEADERS: usize = 96;
/// Most header values, after lists have been split.
pub const MAX_VALUES: usize = 256;

/// Where a line lies: first byte, one behind the last. Never longer than [`MAX_LINE`].
pub(super) type Span = (usize, usize);

/// A head whose end has been found and whose bytes have been looked at.
#[derive(Debug)]
pub(super) struct Scan {
    /// The start line, then the header lines, without their line ends.
    pub lines: Vec<Span>,
    /// Whether some line goes over several.
    pub folded: bool,
    /// Where the body begins: behind the empty line.
    pub body_at: usize,
}

/// Finds the lines of the head in `message`. Line ends before the start line are skipped (§7.5).
///
/// # Errors
///
/// The bounds, a missing empty line, and control bytes that could make two readers disagree on where
/// a line ends.
pub(super) fn scan(message: &[u8]) -> Result<Scan, ParseError> {
    let start = leading_line_ends(message);
    if start == message.len() {
        return Err(ParseError::Empty);
    }
    if message.len().saturating_sub(start) > MAX_MESSAGE {
        let found = u64::try_from(message.len()).unwrap_or(u64::MAX);
        return Err(ParseError::TooLarge { found, limit: MAX_MESSAGE });
    }
    let limit = start.saturating_add(MAX_HEAD).min(message.len());
    let window = message.get(..limit).unwrap_or(message);
    let mut found = Scan { lines: Vec::with_capacity(32), folded: false, body_at: 0 };
    let (mut line_at, mut at, mut nul) = (start, start, false);
    loop {
        let rest = window.get(at..).unwrap_or_default();
        let Some(step) = control(rest) else {
            return Err(if limit < message.len() {
                ParseError::HeadTooLarge { limit: MAX_HEAD }
            } else {
                ParseError::NoEndOfHead
            });
        };
        let here = at.saturating_add(step);
        match rest.get(step..) {
            Some([b'\r', b'\n', behind @ ..]) => {
                let next = here.saturating_add(2);
                if here == line_at {
                    found.body_at = next;
                    return Ok(found);
                }
                if here.saturating_sub(line_at) > MAX_LINE {
                    return Err(ParseError::LineTooLong { limit: MAX_LINE });
                }
                at = next;
                if let Some(b' ' | b'\t') = behind.first() {
                    if found.lines.is_empty() {
                        return Err(ParseError::StartLine { due: "one line" });
                    }
                    found.folded = true;
                    continue;
                }
                if nul && !nuls_are_quoted(window.get(line_at..here).unwrap_or_default()) {
                    return Err(ParseError::ControlByte);
                }
                if found.lines.len() > MAX_HEADERS {
                    return Err(ParseError::TooManyHeaders { limit: MAX_HEADERS });
                }
                found.lines.push((line_at, here));
                (line_at, nul) = (next, false);
            }
            Some([0, ..]) => {
                nul = true;
                at = here.saturating_add(1);
            }
            // Cut off by the bound in the middle of a line end.
            Some([b'\r']) if limit < message.len() => {
                return Err(ParseError::HeadTooLarge { limit: MAX_HEAD });
            }
            _ => return Err(ParseError::ControlByte),
        }
    }
}

/// Where the next NUL, LF or CR is.
fn control(text: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 0xff;
    let wanted = |byte: &u8| matches!(byte, 0 | b'\n' | b'\r');
    let (words, tail) = text.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        // Eight bytes at a time: is one of them below 14? Tabs and the like are looked at again.
        let bytes = u64::from_le_bytes(*word);
        let low = bytes.wrapping_sub(ONES.wrapping_mul(14)) & !bytes & ONES.wrapping_mul(0x80);
        if low != 0
            && let Some(step) = word.iter().position(wanted)
        {
            return Some(at.saturating_mul(8).saturating_add(step));
        }
    }
    let step = tail.iter().position(wanted)?;
    Some(text.len().saturating_sub(tail.len()).saturating_add(step))
}

/// How many bytes of CRLF stand before anything else.
pub(super) fn leading_line_ends(message: &[u8]) -> usize {
    message.chunks_exact(2).take_while(|pair| *pair == b"\r\n").count().saturating_mul(2)
}

/// A NUL may stand in a quoted pair only (§25.1 `quoted-pair`, RFC 4475 §3.1.1.2).
fn nuls_are_quoted(line: &[u8]) -> bool {
    let mut rest = line;
    while let Some(at) = rest.iter().position(|byte| *byte == 0 || *byte == b'"') {
        let Some(text) = rest.get(at..) else { return false };
        let Some(end) = quoted_end(text) else { return false };
        let (mut quoted, behind) = text.split_at_checked(end).unwrap_or((text, &[]));
        while let Some((byte, tail)) = quoted.split_first() {
            match (byte, tail) {
                (b'\\', [_, tail @ ..]) => quoted = tail,
                (0, _) => return false,
                _ => quoted = tail,
            }
        }
        rest = behind;
    }
    true
}

/// The head with every fold made one space (§7.3.1), and its lines.
pub(super) fn unfold(message: &[u8], scan: &Scan) -> (Bytes, Vec<Span>) {
    let mut out: Vec<u8> = Vec::with_capacity(scan.body_at);
    let mut lines = Vec::with_capacity(scan.lines.len());
    for (from, to) in &scan.lines {
        let line_at = out.len();
        for part in message.get(*from..*to).unwrap_or_default().split(|byte| *byte == b'\r') {
            // Behind a CR, the scan has seen LF and white space: [*WSP CRLF] 1*WSP is one space.
            if let Some((b'\n', part)) = part.split_first() {
                while out.len() > line_at && matches!(out.last(), Some(b' ' | b'\t')) {
                    out.pop();
                }
                out.push(b' ');
                let kept = part.iter().position(|byte| !matches!(byte, b' ' | b'\t'));
                out.extend_from_slice(kept.and_then(|kept| part.get(kept..)).unwrap_or_default());
            } else {
                out.extend_from_slice(part);
            }
        }
        lines.push((line_at, out.len()));
    }
    (Bytes::from(out), lines)
}

/// A header line as name and value, both without white space around.
///
/// # Errors
///
/// [`ParseError::NoHeaderName`].
pub(super) fn header(line: &[u8]) -> Result<(HeaderName, &[u8]), ParseError> {
    let colon = line.iter().position(|byte| *byte == b':').ok_or(ParseError::NoHeaderName)?;
    let (name, value) = cut(line, colon);
    let name = HeaderName::parse(trim_bytes(name)).ok_or(ParseError::NoHeaderName)?;
    Ok((name, trim_bytes(value)))
}

/// The values of a comma-separated list, each with its place in `value`: commas inside quotes or `<>`
/// do not separate.
pub(super) fn elements(value: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut rest = Some((0_usize, value));
    std::iter::from_fn(move || {
        let (from, text) = rest?;
        let at = comma(text);
        let (one, behind) = cut(text, at.unwrap_or(text.len()));
        rest = at.map(|at| (from.saturating_add(at).saturating_add(1), behind));
        let before = one.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        Some((from.saturating_add(before), trim_bytes(one)))
    })
}

fn comma(text: &[u8]) -> Option<usize> {
    let mut bytes = text.iter().enumerate();
    let (mut quoted, mut bracket) = (false, false);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' if quoted => {
                bytes.next();
            }
            b'"' if !bracket => quoted = !quoted,
            b'<' if !quoted => bracket = true,
            b'>' if !quoted => bracket = false,
            b',' if !quoted && !bracket => return Some(at),
            _ => {}
        }
    }
    None
}

/// Reads Content-Length: digits, nothing else (§20.14).
///
/// # Errors
///
/// [`ParseError::BadValue`], also when it passes 2⁶⁴-1.
pub(super) fn content_length(value: &[u8]) -> Result<u64, ParseError> {
    decimal(value).ok_or(ParseError::BadValue { place: "Content-Length", due: "a number of bytes" })
}

/// What an answer to a refused `message` copies; None when it is not to be answered. Reads lines in
/// the plainest way, so that it works where the scan gave up, and no further than [`MAX_HEAD`].
pub(super) fn reply_to(message: &[u8]) -> Option<ReplyTo> {
    let message = message.get(leading_line_ends(message)..)?;
    let window = message.get(..MAX_HEAD).unwrap_or(message);
    let mut lines =
        window.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let start = lines.next()?;
    // A response is never answered (§18.1.2), nor is an ACK (§17.1.1.2).
    let (prefix, _) = start.split_at_checked(4)?;
    if prefix.eq_ignore_ascii_case(b"SIP/") || prefix == b"ACK " {
        return None;
    }
    let mut reply = ReplyTo::default();
    let mut line: Vec<u8> = Vec::new();
    for next in lines.take_while(|line| !line.is_empty()) {
        if let Some(b' ' | b'\t') = next.first() {
            if !line.is_empty() {
                line.push(b' ');
                line.extend_from_slice(trim_bytes(next));
            }
            continue;
        }
        keep(&line, &mut reply);
        line.clear();
        if matches!(
            next.first(),
            Some(b'v' | b'V' | b'f' | b'F' | b't' | b'T' | b'c' | b'C' | b'i' | b'I')
        ) {
            line.extend_from_slice(next);
        }
    }
    keep(&line, &mut reply);
    (!reply.vias.is_empty()).then_some(reply)
}

/// Takes `line` into `reply`, when an answer copies it and it is the first of its kind.
fn keep(line: &[u8], reply: &mut ReplyTo) {
    let Ok((name, value)) = header(line) else { return };
    match name {
        HeaderName::Via => {
            let room = MAX_HEADERS.saturating_sub(reply.vias.len());
            reply.vias.extend(
                elements(value)
                    .filter(|(_, one)| !one.is_empty())
                    .take(room)
                    .map(|(_, one)| one.into()),
            );
        }
        HeaderName::From | HeaderName::To | HeaderName::CallId | HeaderName::CSeq
            if reply.rest.iter().all(|(had, _)| *had != name) =>
        {
            if name == HeaderName::To {
                reply.to_has_tag = has_tag(value);
            }
            reply.rest.push((name, value.into()));
        }
        _ => {}
    }
}

/// Whether a To that need not be well-formed seems to carry a tag.
fn has_tag(value: &[u8]) -> bool {
    let behind = value
        .iter()
        .rposition(|byte| *byte == b'>')
        .and_then(|at| value.get(at..))
        .unwrap_or(value);
    behind.split(|byte| *byte == b';').skip(1).any(|param| {
        let (name, value) =
            cut(param, param.iter().position(|byte| *byte == b'=').unwrap_or(param.len()));
        trim_bytes(name).eq_ignore_ascii_case(b"tag") && !trim_bytes(value).is_empty()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_or_refused() {
        let long = format!("A\r\nB: {}\r\n\r\n", "x".repeat(MAX_LINE));
        let many = format!("A\r\n{}\r\n", "B: 1\r\n".repeat(MAX_HEADERS + 1));
        let wide = format!("A\r\n{}\r\n", format!("B: {}\r\n", "x".repeat(4000)).repeat(5));
        let table: [(&str, &str, Result<usize, ParseError>); 15] = [
            ("two lines", "A\r\nB: 1\r\n\r\nbody", Ok(2)),
            ("line ends before", "\r\n\r\nA\r\n\r\n", Ok(1)),
            ("only line ends", "\r\n\r\n", Err(ParseError::Empty)),
            ("nothing", "", Err(ParseError::Empty)),
            ("a fold", "A\r\nB:\r\n 1\r\n\r\n", Ok(2)),
            (
                "a folded start line",
                "A\r\n B\r\n\r\n",
                Err(ParseError::StartLine { due: "one line" }),
            ),
            ("no end", "A\r\nB: 1\r\n", Err(ParseError::NoEndOfHead)),
            ("bare LF", "A\nB: 1\r\n\r\n", Err(ParseError::ControlByte)),
            ("bare CR", "A\r\nB: 1\rC: 2\r\n\r\n", Err(ParseError::ControlByte)),
            ("NUL", "A\r\nB: \0\r\n\r\n", Err(ParseError::ControlByte)),
            ("NUL quoted", "A\r\nB: \"x\\\0\"\r\n\r\n", Ok(2)),
            (
                "NUL in quotes, no backslash",
                "A\r\nB: \"x\0\"\r\n\r\n",
                Err(ParseError::ControlByte),
            ),
            ("long line", &long, Err(ParseError::LineTooLong { limit: MAX_LINE })),
            ("many lines", &many, Err(ParseError::TooManyHeaders { limit: MAX_HEADERS })),
            ("wide head", &wide, Err(ParseError::HeadTooLarge { limit: MAX_HEAD })),
        ];
        for (case, text, want) in table {
            assert_eq!(scan(text.as_bytes()).map(|scan| scan.lines.len()), want, "{case}");
        }
    }

    #[test]
    fn folds_become_one_space() {
        let text = b"A\r\nB : 1 \r\n\t 2\r\n  \r\n 3\r\nC:4\r\n\r\n";
        let scan = scan(text).expect("a head");
        let (head, lines) = unfold(text, &scan);
        let lines: Vec<_> = lines.iter().map(|(from, to)| head.slice(*from..*to)).collect();
        assert_eq!(lines, ["A", "B : 1 2 3", "C:4"]);
    }

    #[test]
    fn commas_in_quotes_and_brackets_do_not_separate() {
        let list = br#""a, \"b" <sip:x,y@h>;q=1 , <sip:z>,, "never closed, x"#;
        let list: Vec<_> =
            elements(list).map(|(_, one)| String::from_utf8_lossy(one).into_owned()).collect();
        assert_eq!(list, [r#""a, \"b" <sip:x,y@h>;q=1"#, "<sip:z>", "", "\"never closed, x"]);
    }
}
