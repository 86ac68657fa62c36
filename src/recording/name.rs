//! What a recording is called on the disk: by its call and its time, never by anybody's number. A
//! directory a day, in the desk's own time.
//!
//! `2026-11-26/20261126T112243-0198f2d0-6f0a-7c3e-9b52-1d2e3f405162-1.wav`, and `.sealed` behind it when
//! it is encrypted, `.part` while it is being written. A file `….hold` beside it keeps it for ever.

use super::Format;
use crate::base::{CallId, Wall};

/// Behind the name of what is being written.
pub const PART: &str = ".part";
/// Behind the name of what is encrypted.
pub const SEALED: &str = ".sealed";
/// Behind the name of what must not be deleted.
pub const HOLD: &str = ".hold";

/// The path of a recording under the recordings' directory, when all of it is there.
#[must_use]
pub fn path(
    call: CallId,
    number: u32,
    at: Wall,
    zone: chrono_tz::Tz,
    format: Format,
    sealed: bool,
) -> String {
    let seal = if sealed { SEALED } else { "" };
    let time = local(at, zone).format("%Y%m%dT%H%M%S");
    format!("{}/{time}-{call}-{number}.{}{seal}", day(at, zone), format.ending())
}

/// The directory of the recordings that begin at that time.
#[must_use]
pub fn day(at: Wall, zone: chrono_tz::Tz) -> String {
    local(at, zone).format("%Y-%m-%d").to_string()
}

fn local(at: Wall, zone: chrono_tz::Tz) -> chrono::DateTime<chrono_tz::Tz> {
    chrono::DateTime::from_timestamp_millis(at.0).unwrap_or_default().with_timezone(&zone)
}

/// What a file's name says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// Whose recording.
    pub call: CallId,
    /// Which of the call's, from 1.
    pub number: u32,
    /// What is in it.
    pub format: Format,
    /// Whether it is encrypted.
    pub sealed: bool,
    /// Whether it was being written.
    pub part: bool,
}

/// Reads the name of a file; none when it is no recording of ours.
#[must_use]
pub fn read(file: &str) -> Option<Named> {
    let (file, part) = without(file, PART);
    let (file, sealed) = without(file, SEALED);
    let (stem, ending) = file.rsplit_once('.')?;
    let format = Format::ALL.into_iter().find(|format| format.ending() == ending)?;
    let (rest, number) = stem.rsplit_once('-')?;
    let (_, call) = rest.split_once('-')?;
    let call = CallId(uuid::Uuid::try_parse(call).ok()?);
    Some(Named { call, number: number.parse().ok()?, format, sealed, part })
}

fn without<'a>(name: &'a str, ending: &str) -> (&'a str, bool) {
    name.strip_suffix(ending).map_or((name, false), |name| (name, true))
}

/// Whether a directory's name is that of a day.
#[must_use]
pub fn is_day(name: &str) -> bool {
    chrono::NaiveDate::parse_from_str(name, "%Y-%m-%d").is_ok() && name.len() == 10
}

/// Whether the recordings of a call are older than they may become. The call's own id says when it came.
#[must_use]
pub fn expired(call: CallId, now: Wall, keep_days: u32) -> bool {
    let arrived = call.0.get_timestamp().map_or(0, |at| {
        let (seconds, nanos) = at.to_unix();
        seconds
            .saturating_mul(1_000)
            .saturating_add(u64::from(nanos.checked_div(1_000_000).unwrap_or(0)))
    });
    let kept = u64::from(keep_days).saturating_mul(86_400_000);
    u64::try_from(now.0).is_ok_and(|now| now > arrived.saturating_add(kept))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    /// 2026-11-26 02:22:43 UTC.
    const AT: Wall = Wall(1_795_659_763_000);

    #[test]
    fn a_name_says_the_day_of_the_desk_and_the_call_and_can_be_read() {
        let call = CallId::draw(AT, &mut Rng::from_number(1));
        let zone = chrono_tz::Asia::Tokyo;
        let name = path(call, 2, AT, zone, Format::Wav, true);
        assert_eq!(name, format!("2026-11-26/20261126T112243-{call}-2.wav.sealed"));
        let (day, file) = name.split_once('/').expect("a day");
        assert!(is_day(day));
        let named = Named { call, number: 2, format: Format::Wav, sealed: true, part: false };
        assert_eq!(read(file), Some(named));
        assert_eq!(read(&format!("{file}.part")), Some(Named { part: true, ..named }));
        for other in ["", "x.wav", "README", "20261126T112243-1.wav", &format!("{file}.hold")] {
            assert_eq!(read(other), None, "{other}");
        }
        for other in ["2026-11-2", "2026-13-01", "lost+found", "..", "2026-1-001"] {
            assert!(!is_day(other), "{other}");
        }
    }

    #[test]
    fn a_recording_is_kept_for_its_days_and_no_longer() {
        let call = CallId::draw(AT, &mut Rng::from_number(1));
        let day = 86_400_000;
        assert!(!expired(call, Wall(AT.0 + 90 * day), 90));
        assert!(expired(call, Wall(AT.0 + 90 * day + 1), 90));
        assert!(!expired(call, Wall(AT.0 - 90 * day), 90), "a clock that was set back");
    }
}
