//! The character classes of RFC 3261 §25.1 and the few cuts that every value parser needs. Knows no
//! header and no message.

use std::borrow::Cow;

/// A bit for each class below, for every byte: one look instead of a chain of compares.
static CLASS: [u8; 256] = classes();
const TOKEN: u8 = 1;
const UNRESERVED: u8 = 2;
const USER: u8 = 4;
const PARAM: u8 = 8;

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut rest: &mut [u8] = &mut table;
    let mut byte = 0_u8;
    while let Some((classes, more)) = rest.split_first_mut() {
        let (alone, in_token, in_user, in_param) = (
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\''),
            matches!(byte, b'%' | b'+' | b'`'),
            matches!(byte, b'&' | b'=' | b'+' | b'$' | b',' | b';' | b'?' | b'/' | b'%' | b'#'),
            matches!(byte, b'[' | b']' | b'/' | b':' | b'&' | b'+' | b'$' | b'%'),
        );
        let unreserved = alone || matches!(byte, b'(' | b')');
        let mut class = 0;
        if alone || in_token {
            class |= TOKEN;
        }
        if unreserved {
            class |= UNRESERVED;
        }
        if unreserved || in_user {
            class |= USER;
        }
        if unreserved || in_param {
            class |= PARAM;
        }
        *classes = class;
        rest = more;
        byte = byte.wrapping_add(1);
    }
    table
}

#[inline]
fn is(byte: u8, class: u8) -> bool {
    CLASS.get(usize::from(byte)).is_some_and(|classes| classes & class != 0)
}

/// `token` (§25.1).
#[inline]
pub(super) fn is_token(byte: u8) -> bool {
    is(byte, TOKEN)
}

/// Whether `text` is one non-empty token.
pub(super) fn all_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| is_token(*byte))
}

/// What may never stand in a value that we write: it would end the line or cut the value.
pub(super) const fn breaks_line(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n' | 0)
}

/// Without the white space around it (LWS after unfolding is SP and HTAB).
pub(super) fn trim(text: &str) -> &str {
    let bytes = text.as_bytes();
    let space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    if !space(bytes.first()) && !space(bytes.last()) {
        return text; // nearly always
    }
    text.trim_matches([' ', '\t'])
}

/// Before and after the first `separator`, an ASCII byte.
pub(super) fn split_at_byte(text: &str, separator: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| byte == separator)?;
    Some((text.get(..at)?, text.get(at.checked_add(1)?..)?))
}

/// What stands before the first `separator`, and the rest from it on.
pub(super) fn split_before(text: &str, separator: u8) -> (&str, &str) {
    let at = text.bytes().position(|byte| byte == separator).unwrap_or(text.len());
    text.split_at_checked(at).unwrap_or((text, ""))
}

/// Bytes as text, those that are no UTF-8 as U+FFFD.
pub(super) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    // The plain check is quicker than the one that repairs.
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

/// [`trim`] on bytes.
pub(super) fn trim_bytes(mut text: &[u8]) -> &[u8] {
    while let Some((b' ' | b'\t', rest)) = text.split_first() {
        text = rest;
    }
    while let Some((b' ' | b'\t', rest)) = text.split_last() {
        text = rest;
    }
    text
}

/// Before and after the byte at `at`; all and nothing when `at` lies outside.
pub(super) fn cut(text: &[u8], at: usize) -> (&[u8], &[u8]) {
    let before = text.get(..at).unwrap_or(text);
    (before, text.get(at.saturating_add(1)..).unwrap_or_default())
}

/// Where the quoted string that opens `text` ends: the index just behind its closing quote. None
/// when it is never closed or `text` does not begin with a quote.
pub(super) fn quoted_end(text: &[u8]) -> Option<usize> {
    let mut bytes = text.iter().enumerate();
    if !matches!(bytes.next(), Some((_, b'"'))) {
        return None;
    }
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next()?; // a quoted pair: whatever follows is taken as it is (§25.1)
            }
            b'"' => return Some(at.saturating_add(1)),
            _ => {}
        }
    }
    None
}

/// The next index of `wanted` outside quoted strings. An unclosed quote hides the rest.
pub(super) fn find_unquoted(text: &[u8], wanted: u8) -> Option<usize> {
    let mut bytes = text.iter().enumerate();
    let mut quoted = false;
    while let Some((at, byte)) = bytes.next() {
        match *byte {
            b'\\' if quoted => {
                bytes.next();
            }
            b'"' => quoted = !quoted,
            byte if byte == wanted && !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// The content of a quoted string with its quoted pairs resolved; a bare value as it stands.
pub(super) fn unquote(text: &str) -> Cow<'_, str> {
    let Some(inner) = text.strip_prefix('"') else {
        return Cow::Borrowed(text);
    };
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        out.push(if char == '\\' { chars.next().unwrap_or('\\') } else { char });
    }
    Cow::Owned(out)
}

/// Appends `text` as a quoted string. What would break the line becomes a space.
pub(super) fn quote_into(text: &str, out: &mut String) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => {
                out.push('\\');
                out.push(char);
            }
            char if char.is_control() => out.push(' '),
            char => out.push(char),
        }
    }
    out.push('"');
}

/// Resolves `%XX` once (§19.1.2); what is not an escape stays. Bytes that are not UTF-8 become U+FFFD.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first == b'%'
            && let [high, low, after @ ..] = tail
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            out.push((high << 4) | low);
            rest = after;
        } else {
            out.push(*first);
        }
    }
    Cow::Owned(match String::from_utf8(out) {
        Ok(text) => text,
        Err(bad) => String::from_utf8_lossy(bad.as_bytes()).into_owned(),
    })
}

/// Whether every `%` in `text` begins an escape.
pub(super) fn escapes_are_whole(text: &str) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%'
            && !(bytes.next().and_then(hex).is_some() && bytes.next().and_then(hex).is_some())
        {
            return false;
        }
    }
    true
}

/// Appends `text` so that it may stand as the user part of a SIP URI (`user-unreserved`, §25.1).
pub(super) fn escape_user_into(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if is_user_char(byte) && byte != b'%' {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for half in [byte >> 4, byte & 0x0f] {
                out.push(char::from_digit(u32::from(half), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
}

/// `user` (§25.1) and `%`; `#` too, because phones dial `*21#` unescaped.
#[inline]
pub(super) fn is_user_char(byte: u8) -> bool {
    is(byte, USER)
}

/// `paramchar` (§25.1) and `%`.
#[inline]
pub(super) fn is_param_char(byte: u8) -> bool {
    is(byte, PARAM)
}

/// `unreserved` (§25.1).
#[inline]
pub(super) fn is_unreserved(byte: u8) -> bool {
    is(byte, UNRESERVED)
}

/// The value of one hex digit.
pub(super) const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit & 0x0f),
        b'a'..=b'f' | b'A'..=b'F' => Some((digit & 0x0f).wrapping_add(9)),
        _ => None,
    }
}

/// A whole number of decimal digits and nothing else; None when it does not fit.
pub(super) fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |sum, digit| {
        let digit = digit.is_ascii_digit().then_some(u64::from(digit & 0x0f))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

/// `delta-seconds` (§25.1): a number above 2³²-1 is taken as 2³²-1 (§20.19 asks no more), anything
/// that is not a number is None.
pub(super) fn delta_seconds(text: &[u8]) -> Option<u32> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(decimal(text).and_then(|wide| u32::try_from(wide).ok()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_classes_are_those_of_the_grammar() {
        let of = |class| {
            (0..=u8::MAX).filter(|byte| is(*byte, class)).map(char::from).collect::<String>()
        };
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        let sorted = |marks: &str| {
            let mut all: Vec<char> =
                format!("0123456789{letters}{}{marks}", letters.to_lowercase()).chars().collect();
            all.sort_unstable();
            all.into_iter().collect::<String>()
        };
        assert_eq!(of(TOKEN), sorted("-.!%*_+`'~"));
        assert_eq!(of(UNRESERVED), sorted("-_.!~*'()"));
        assert_eq!(of(USER), sorted("-_.!~*'()&=+$,;?/%#"));
        assert_eq!(of(PARAM), sorted("-_.!~*'()[]/:&+$%"));
    }

    #[test]
    fn quotes_escapes_and_numbers() {
        assert_eq!(quoted_end(br#""a\"b" <x>"#), Some(6));
        assert_eq!(quoted_end(br#""never closed\""#), None);
        assert_eq!(find_unquoted(br#""a,b",c"#, b','), Some(5));
        assert_eq!(unquote(r#""J \\\"""#), r#"J \""#);
        assert_eq!(unescape("sips%3Auser%40example.com"), "sips:user@example.com");
        assert_eq!(unescape("%Z%4"), "%Z%4");
        assert_eq!(unescape("null-%00-null"), "null-\0-null");
        assert!(
            escapes_are_whole("a%20b") && !escapes_are_whole("a%2") && !escapes_are_whole("%zz")
        );
        assert_eq!(decimal(b"18446744073709551616"), None);
        assert_eq!(delta_seconds(b"18446744073709551616"), Some(u32::MAX));
        assert_eq!(delta_seconds(b"-1"), None);
        let mut out = String::new();
        escape_user_into("a b\r\n@%", &mut out);
        assert_eq!(out, "a%20b%0D%0A%40%25");
    }
}
