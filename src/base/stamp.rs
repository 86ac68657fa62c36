//! The one form of a moment in tickets, in files and fields, with the liberties that spreadsheets and people
//! take.

use super::Wall;
use chrono::{FixedOffset, NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Tz;
use std::ops::RangeInclusive;

/// Years that are taken: for others the rules of holidays do not hold, and a typing slip is likelier.
const YEARS: RangeInclusive<i32> = 2000..=2099;

/// `2026-10-05 10:00`, `2026/10/5 9:05:07`, `2026-10-05T10:00:00.250+09:00`: date and time with a blank or a
/// T between, seconds and up to three decimals if there are any, and an offset or Z; without one it is in
/// `zone`. None when it is not that, or a moment that a change of clocks leaves out.
#[must_use]
pub fn stamp(text: &str, zone: Tz) -> Option<Wall> {
    let (date, rest) = text.split_once([' ', 'T'])?;
    let (time, offset) = match rest.find(['Z', '+', '-']) {
        Some(at) => (&rest[..at], Some(offset(&rest[at..])?)),
        None => (rest, None),
    };
    let local = self::date(date)?.and_time(self::time(time.trim())?);
    let at = match offset {
        Some(offset) => offset.from_local_datetime(&local).single()?.timestamp_millis(),
        None => zone.from_local_datetime(&local).earliest()?.timestamp_millis(),
    };
    Some(Wall(at))
}

fn date(text: &str) -> Option<NaiveDate> {
    let mark = if text.contains('/') { '/' } else { '-' };
    let mut parts = text.split(mark);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let year = i32::try_from(digits(year, 4..=4)?).ok().filter(|year| YEARS.contains(year))?;
    let date = NaiveDate::from_ymd_opt(year, digits(month, 1..=2)?, digits(day, 1..=2)?)?;
    parts.next().is_none().then_some(date)
}

fn time(text: &str) -> Option<NaiveTime> {
    let (clock, decimals) =
        text.split_once('.').map_or((text, None), |(clock, decimals)| (clock, Some(decimals)));
    let mut parts = clock.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next());
    let (hour, minute) = (digits(hour, 1..=2)?, digits(minute, 2..=2)?);
    let ms = match (second, decimals) {
        (None, Some(_)) => return None,
        (_, None) => 0,
        // .5 is 500 ms.
        (Some(_), Some(decimals)) => digits(decimals, 1..=3)? * [100, 10, 1][decimals.len() - 1],
    };
    let second = second.map_or(Some(0), |second| digits(second, 2..=2))?;
    parts.next().is_none().then(|| NaiveTime::from_hms_milli_opt(hour, minute, second, ms))?
}

fn offset(text: &str) -> Option<FixedOffset> {
    if text == "Z" {
        return FixedOffset::east_opt(0);
    }
    let (sign, rest) = text.split_at_checked(1)?;
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2..=2)?, digits(minutes, 2..=2)?);
    let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
    let seconds = if sign == "-" { -seconds } else { seconds };
    (hours <= 14 && minutes < 60).then(|| FixedOffset::east_opt(seconds))?
}

fn digits(text: &str, length: RangeInclusive<usize>) -> Option<u32> {
    let whole = length.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    whole.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::stamp;
    use crate::base::Wall;

    #[test]
    fn moments_as_ticket_systems_and_spreadsheets_write_them() {
        // 2026-10-05 10:00 in Japan is 01:00 UTC.
        let ten = 1_791_162_000_000;
        let table = [
            ("2026-10-05 10:00", Some(ten)),
            ("2026-10-05T10:00:00", Some(ten)),
            ("2026/10/5 10:00", Some(ten)),
            ("2026/10/05 10:00:00.000", Some(ten)),
            ("2026-10-05T01:00Z", Some(ten)),
            ("2026-10-05T10:00:00+09:00", Some(ten)),
            ("2026-10-04 20:00:00-05:00", Some(ten)),
            ("2026-10-05 9:59:59.999", Some(ten - 1)),
            ("2026-10-05 10:00:00.5", Some(ten + 500)),
            ("2026-10-05 10:00:00.05", Some(ten + 50)),
            ("2026-10-05", None),
            ("10:00", None),
            ("2026-10-05 24:00", None),
            ("2026-10-05 10:60", None),
            ("2026-10-05 10:00:60", None),
            ("2026-10-05 10:00.5", None),
            ("2026-10-05 10:00:00.0001", None),
            ("2026-02-29 10:00", None),
            ("2026-10/05 10:00", None),
            ("26-10-05 10:00", None),
            ("1999-10-05 10:00", None),
            ("2100-10-05 10:00", None),
            ("2026-10-05 10:00 JST", None),
            ("2026-10-05 10:00+9", None),
            ("２０２６-10-05 10:00", None),
            ("", None),
        ];
        for (text, want) in table {
            assert_eq!(stamp(text, chrono_tz::Asia::Tokyo), want.map(Wall), "{text}");
        }
    }
}
