//! A stamp as people read it: by the calendar and the clock of a zone.

use crate::base::{Keep, Kept, Wall};
use chrono::{DateTime, Datelike as _, NaiveDate, SecondsFormat, TimeZone as _};
use chrono_tz::Tz;

/// By the calendar and the clock of a zone; none outside the calendar's years.
#[must_use]
pub fn local(at: Wall, zone: Tz) -> Option<DateTime<Tz>> {
    zone.timestamp_millis_opt(at.0).single()
}

/// RFC 3339 in a zone, to the millisecond; empty outside the calendar's years.
#[must_use]
pub fn written(at: Wall, zone: Tz) -> String {
    local(at, zone).map_or_else(String::new, |at| at.to_rfc3339_opts(SecondsFormat::Millis, false))
}

impl Keep for NaiveDate {
    fn keep(&self, out: &mut Vec<u8>) {
        self.num_days_from_ce().keep(out);
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        Self::from_num_days_from_ce_opt(i32::found(from)?)
    }
}
