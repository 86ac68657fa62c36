//! Which part of a body is wanted: one range of bytes (RFC 9110 §14), and the conditions under which it is
//! (§13). Knows no file.

use axum::http::header::{IF_MATCH, IF_NONE_MATCH, IF_RANGE, RANGE};
use axum::http::{HeaderMap, HeaderName, Method};

/// What of a body is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// All of it: 200.
    Whole,
    /// So many bytes from this one on: 206.
    Part { from: u64, bytes: u64 },
    /// There are no such bytes: 416.
    Nothing,
    /// The asker has it: 304.
    Unchanged,
    /// It is not what the asker takes it for: 412.
    Another,
}

/// Reads a request for a body of `length` bytes whose entity tag is `tag`, with its quotation marks.
pub(super) fn due(method: &Method, headers: &HeaderMap, tag: &str, length: u64) -> Due {
    // The order of §13.2.2.
    if all(headers, &IF_MATCH).is_some_and(|value| !lists(&value, tag)) {
        return Due::Another;
    }
    if all(headers, &IF_NONE_MATCH).is_some_and(|value| lists(&value.replace("W/", ""), tag)) {
        return Due::Unchanged;
    }
    // Only GET has ranges (§14.2). A date in If-Range is of no body of ours: we name none.
    let same = all(headers, &IF_RANGE).is_none_or(|value| value.trim() == tag);
    match all(headers, &RANGE) {
        Some(range) if same && *method == Method::GET => part(&range, length),
        _ => Due::Whole,
    }
}

/// A header's values as one; none when it is absent, or is no text.
fn all(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let values: Vec<&str> =
        headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(","))
}

fn lists(value: &str, tag: &str) -> bool {
    value.split(',').map(str::trim).any(|one| one == tag || one == "*")
}

/// A set of ranges that we do not read (another unit, several ranges, no range at all) is as if there were
/// none: §14.2 lets a server ignore it.
fn part(range: &str, length: u64) -> Due {
    let Some((unit, set)) = range.split_once('=') else { return Due::Whole };
    let set = set.trim();
    if !unit.trim().eq_ignore_ascii_case("bytes") || set.contains(',') {
        return Due::Whole;
    }
    let Some((first, last)) = set.split_once('-') else { return Due::Whole };
    let (Some(first), Some(last)) = (position(first), position(last)) else { return Due::Whole };
    let end = match (first, last) {
        (None, None) => return Due::Whole,
        (Some(first), Some(last)) if last < first => return Due::Whole,
        (Some(_), last) => last.map_or(length, |last| last.saturating_add(1).min(length)),
        (None, Some(_)) => length,
    };
    let from = match (first, last) {
        (Some(first), _) => first,
        (None, last) => length.saturating_sub(last.unwrap_or(0)),
    };
    match end.checked_sub(from) {
        None | Some(0) => Due::Nothing,
        Some(bytes) => Due::Part { from, bytes },
    }
}

/// A number that may be missing; none when it is something else. One that no file reaches is the greatest.
fn position(text: &str) -> Option<Option<u64>> {
    if text.is_empty() {
        return Some(None);
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| Some(text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn ask(pairs: &[(HeaderName, &'static str)], length: u64) -> Due {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name.clone(), HeaderValue::from_static(value));
        }
        due(&Method::GET, &headers, "\"ab\"", length)
    }

    #[test]
    fn one_range_of_bytes_is_read_and_what_is_none_is_the_whole() {
        let part = |from, bytes| Due::Part { from, bytes };
        let table = [
            ("bytes=0-0", part(0, 1)),
            ("bytes=10-19", part(10, 10)),
            ("Bytes=10-", part(10, 90)),
            ("bytes=90-1000", part(90, 10)),
            ("bytes=-1", part(99, 1)),
            ("bytes=-100", part(0, 100)),
            ("bytes=-99999999999999999999999", part(0, 100)),
            ("bytes=0-99999999999999999999999", part(0, 100)),
            ("bytes=100-", Due::Nothing),
            ("bytes=99999999999999999999999-", Due::Nothing),
            ("bytes=-0", Due::Nothing),
            ("bytes=5-4", Due::Whole),
            ("bytes=-", Due::Whole),
            ("bytes=", Due::Whole),
            ("bytes=a-b", Due::Whole),
            ("bytes=+1-2", Due::Whole),
            ("bytes=0-1,4-5", Due::Whole),
            ("lines=0-1", Due::Whole),
            ("nonsense", Due::Whole),
        ];
        for (range, wanted) in table {
            assert_eq!(ask(&[(RANGE, range)], 100), wanted, "{range}");
        }
        assert_eq!(ask(&[], 100), Due::Whole);
        assert_eq!(ask(&[(RANGE, "bytes=0-")], 0), Due::Nothing, "an empty file has no bytes");
        // Two headers are one list (RFC 9110 §5.3).
        assert_eq!(ask(&[(RANGE, "bytes=0-1"), (RANGE, "bytes=2-3")], 100), Due::Whole);
    }

    #[test]
    fn a_part_is_of_the_body_that_the_asker_has() {
        let part = Due::Part { from: 1, bytes: 2 };
        let with = |name, value| ask(&[(RANGE, "bytes=1-2"), (name, value)], 9);
        assert_eq!(with(IF_RANGE, "\"ab\""), part);
        assert_eq!(with(IF_RANGE, "\"cd\""), Due::Whole);
        assert_eq!(with(IF_RANGE, "W/\"ab\""), Due::Whole, "a weak tag is not enough (§13.1.5)");
        assert_eq!(with(IF_RANGE, "Thu, 26 Nov 2026 02:22:43 GMT"), Due::Whole);
        assert_eq!(with(IF_MATCH, "\"ab\""), part);
        assert_eq!(with(IF_MATCH, "*"), part);
        assert_eq!(with(IF_MATCH, "\"cd\""), Due::Another);
        assert_eq!(with(IF_NONE_MATCH, "\"cd\""), part);
        assert_eq!(with(IF_NONE_MATCH, "\"cd\", W/\"ab\""), Due::Unchanged);
        let mut headers = HeaderMap::new();
        headers.append(RANGE, HeaderValue::from_static("bytes=1-2"));
        assert_eq!(due(&Method::HEAD, &headers, "\"ab\"", 9), Due::Whole);
    }
}
