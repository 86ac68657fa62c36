//! What `[sip]` says of calls that stand: which extensions are used with whom.

use crate::dialplan::reader::{Item, Table};
use crate::dialplan::shape::Kind;
use crate::dialplan::{Findings, show_duration};
use crate::sip::api::{Reliable, SessionPolicy};
use std::time::Duration;

const OFF: &str = "off";
/// RFC 4028 §4: what is asked when nothing speaks against it.
const USUAL: Duration = Duration::from_mins(30);
/// RFC 4028 §5: nobody may ask less. Shorter ones are for trying it out.
const LEAST: Duration = Duration::from_secs(90);
pub(super) const SHORTEST: Duration = Duration::from_secs(4);
pub(super) const DAY: Duration = Duration::from_hours(24);

const RELIABLE: [(&str, Reliable); 2] =
    [("required", Reliable::WhenRequired), ("supported", Reliable::WhenSupported)];

/// Takes the keys of `[sip]` that are about calls.
pub(super) fn read(table: &mut Table, out: &mut Findings<'_>) -> SessionPolicy {
    let reliable = table.get("prack").and_then(|item| item.word(&RELIABLE, out));
    let s = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
    let least = table.duration("min_session_expires", SHORTEST..=DAY, LEAST, out);
    let expires = match table.get("session_expires") {
        None => Some(USUAL.max(least)),
        Some(item) if is_off(&item, out) => None,
        Some(item) => item.duration(least..=DAY, out).map(|at| at.value),
    };
    SessionPolicy {
        reliable: reliable.unwrap_or_default(),
        expires_s: expires.map(s),
        least_s: s(least),
        follows: table.flag("follow_redirects", true, out),
    }
}

/// Whether an interval is `"off"`.
pub(super) fn is_off(item: &Item, out: &mut Findings<'_>) -> bool {
    item.is(Kind::Text) && item.raw(out).is_some_and(|at| at.value == OFF)
}

/// The same keys as they are written.
pub(super) fn show(policy: SessionPolicy) -> String {
    let word = RELIABLE.iter().find(|(_, reliable)| *reliable == policy.reliable);
    let prack = word.map_or("", |(word, _)| word);
    let written = |seconds: u32| show_duration(Duration::from_secs(u64::from(seconds)));
    let expires = policy.expires_s.map_or_else(|| OFF.to_owned(), written);
    let least = written(policy.least_s);
    let follows = policy.follows;
    format!(
        "prack = \"{prack}\"\nsession_expires = \"{expires}\"\nmin_session_expires = \"{least}\"\n\
         follow_redirects = {follows}"
    )
}
