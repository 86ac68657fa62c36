//! The small forms inside a file of settings: durations, numbers, ranges, times of day, dates, keys.
//! Text in, value or nothing out; what is wrong is said by who knows where it stood.

use super::hours::end_of_day;
use super::plan::{Span, WeekdayKey};
use super::shape::TextRule;
use crate::base::Wall;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Timelike};
use chrono_tz::Tz;
use std::time::Duration;

/// `20s`, `500ms`, `2m`, `1h`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    let ms = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.checked_mul(ms).map(Duration::from_millis)
}

/// Whether a text can be what the rule says.
pub(crate) fn obeys(text: &str, rule: TextRule) -> bool {
    let length = text.chars().count();
    match rule {
        TextRule::Name => (1..=64).contains(&length) && !text.chars().any(char::is_control),
        TextRule::Id => {
            (1..=64).contains(&length)
                && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
        }
        TextRule::Path => (1..=4096).contains(&text.len()) && !text.contains('\0'),
    }
}

/// 2 to 15 digits (ITU-T E.164 §6.2.1 ends at 15).
pub(crate) fn is_number(text: &str) -> bool {
    (2..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// `*11`, `#0`: begins with a sign so that it can be no phone.
pub(crate) fn is_code(text: &str) -> bool {
    (2..=8).contains(&text.len())
        && text.starts_with(['*', '#'])
        && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'*' | b'#'))
}

/// Numbers that the network gives to emergency and other public services in Japan (番号計画, 1XY).
pub(crate) fn is_emergency(text: &str) -> bool {
    matches!(text, "110" | "118" | "119" | "171" | "188" | "189")
}

/// `2001-2010`, or one number; what comes back is in order and not empty.
pub(crate) fn range(text: &str, most: usize) -> Result<Vec<String>, RangeFault> {
    let Some((first, last)) = text.split_once('-') else {
        return if is_number(text) { Ok(vec![text.to_owned()]) } else { Err(RangeFault::Form) };
    };
    if !is_number(first) || !is_number(last) || first.len() != last.len() {
        return Err(RangeFault::Form);
    }
    let (Ok(low), Ok(high)) = (first.parse::<u64>(), last.parse::<u64>()) else {
        return Err(RangeFault::Form);
    };
    let Some(steps) = high.checked_sub(low) else { return Err(RangeFault::Form) };
    if usize::try_from(steps).map_or(true, |steps| steps >= most) {
        return Err(RangeFault::Long);
    }
    let width = first.len();
    Ok((low..=high).map(|number| format!("{number:0width$}")).collect())
}

/// Why a text is no range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RangeFault {
    /// Not written as one.
    Form,
    /// Too many numbers.
    Long,
}

/// `08:30-18:15`. `24:00` ends the day. The end may lie before the beginning: the caller judges.
pub(crate) fn span(text: &str) -> Option<Span> {
    let (from, until) = text.split_once('-')?;
    let until = if until == "24:00" { end_of_day() } else { time(until)? };
    Some(Span { from: time(from)?, until })
}

fn time(text: &str) -> Option<NaiveTime> {
    let (hour, minute) = text.split_once(':')?;
    if hour.len() != 2
        || minute.len() != 2
        || !text.bytes().all(|b| b.is_ascii_digit() || b == b':')
    {
        return None;
    }
    NaiveTime::from_hms_opt(hour.parse().ok()?, minute.parse().ok()?, 0)
}

/// A span as it is written.
pub(crate) fn show_span(span: &Span) -> String {
    let end = if span.until == end_of_day() {
        "24:00".to_owned()
    } else {
        format!("{:02}:{:02}", span.until.hour(), span.until.minute())
    };
    format!("{:02}:{:02}-{end}", span.from.hour(), span.from.minute())
}

/// The days of the week from Monday: English short name, Japanese.
pub(crate) const WEEK: [(&str, &str); 7] = [
    ("mon", "月"),
    ("tue", "火"),
    ("wed", "水"),
    ("thu", "木"),
    ("fri", "金"),
    ("sat", "土"),
    ("sun", "日"),
];

/// `mon`, or `mon-fri`; a range may go over Sunday (`sat-mon`).
pub(crate) fn weekdays(text: &str) -> Option<Vec<WeekdayKey>> {
    let position = |word: &str| WEEK.iter().position(|(name, _)| *name == word);
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (position(first)?, position(last)?),
        None => (position(text)?, position(text)?),
    };
    let count = (last + 7 - first) % 7;
    Some(
        (0..=count)
            .filter_map(|step| u8::try_from((first + step) % 7).ok().map(WeekdayKey))
            .collect(),
    )
}

/// `12-29`; a day that at least leap years have.
pub(crate) fn month_day(text: &str) -> Option<(u32, u32)> {
    let (month, day) = two_digits(text)?;
    NaiveDate::from_ymd_opt(2024, month, day)?;
    Some((month, day))
}

/// `2026-12-28`.
pub(crate) fn date(text: &str) -> Option<NaiveDate> {
    let (year, rest) = text.split_once('-')?;
    if year.len() != 4 || !year.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (month, day) = two_digits(rest)?;
    NaiveDate::from_ymd_opt(year.parse().ok()?, month, day)
}

/// A time in a zone (`2026-12-30T10:00`, with seconds or without), or with an offset of its own. One that
/// a change of clocks brings twice is the first of the two.
#[must_use]
pub fn moment(text: &str, zone: Tz) -> Option<Wall> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(Wall(at.timestamp_millis()));
    }
    let text = text.replacen(' ', "T", 1);
    let naive = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok())?;
    let at = zone.from_local_datetime(&naive).earliest()?;
    Some(Wall(at.timestamp_millis()))
}

fn two_digits(text: &str) -> Option<(u32, u32)> {
    let (one, two) = text.split_once('-')?;
    let whole = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if whole(one) && whole(two) { Some((one.parse().ok()?, two.parse().ok()?)) } else { None }
}

/// A key of a telephone.
pub(crate) fn key(text: &str) -> Option<char> {
    let mut chars = text.chars();
    let key = chars.next().filter(|c| matches!(c, '0'..='9' | '*' | '#' | 'A'..='D'))?;
    chars.next().is_none().then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        let table = [
            ("20s", Some(20_000)),
            ("500ms", Some(500)),
            ("2m", Some(120_000)),
            ("1h", Some(3_600_000)),
            ("0s", Some(0)),
            ("", None),
            ("s", None),
            ("20", None),
            ("20 s", None),
            ("-1s", None),
            ("1.5s", None),
            ("２０s", None),
            ("99999999999999999999s", None),
            ("18446744073709551615h", None),
        ];
        for (text, want) in table {
            assert_eq!(duration(text), want.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn ranges_are_in_order_and_bounded() {
        let table = [
            ("2001", Ok(vec!["2001"])),
            ("2001-2003", Ok(vec!["2001", "2002", "2003"])),
            ("0098-0100", Ok(vec!["0098", "0099", "0100"])),
            ("2001-2001", Ok(vec!["2001"])),
            ("2003-2001", Err(RangeFault::Form)),
            ("998-1001", Err(RangeFault::Form)),
            ("2001-", Err(RangeFault::Form)),
            ("2001-2003-2005", Err(RangeFault::Form)),
            ("2001-2006", Err(RangeFault::Long)),
            ("000000000000000-999999999999999", Err(RangeFault::Long)),
            ("", Err(RangeFault::Form)),
        ];
        for (text, want) in table {
            let want = want.map(|list| list.into_iter().map(str::to_owned).collect());
            assert_eq!(range(text, 5), want, "{text}");
        }
    }

    #[test]
    fn times_dates_and_days_are_strict() {
        for (text, want) in [
            ("08:30-18:15", Some("08:30-18:15")),
            ("00:00-24:00", Some("00:00-24:00")),
            ("8:30-18:15", None),
            ("08:30", None),
            ("24:00-25:00", None),
            ("08:60-18:15", None),
            ("+8:30-18:15", None),
        ] {
            assert_eq!(span(text).as_ref().map(show_span).as_deref(), want, "{text}");
        }
        let days =
            |text| weekdays(text).map(|days| days.iter().map(|day| day.0).collect::<Vec<_>>());
        assert_eq!(days("mon-fri"), Some(vec![0, 1, 2, 3, 4]));
        assert_eq!(days("sat-mon"), Some(vec![5, 6, 0]));
        assert_eq!(days("sun"), Some(vec![6]));
        assert_eq!(days("monday"), None);
        assert_eq!(month_day("12-29"), Some((12, 29)));
        assert_eq!(month_day("02-29"), Some((2, 29)));
        assert_eq!(month_day("02-30"), None);
        assert_eq!(month_day("1-3"), None);
        assert_eq!(date("2026-12-28"), NaiveDate::from_ymd_opt(2026, 12, 28));
        assert_eq!(date("2026-02-29"), None);
        assert_eq!(date("26-12-28"), None);
    }
}
