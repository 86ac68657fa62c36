//! What `[sip]` says of calls that stand: which extensions are used with whom.

use crate::dialplan::Findings;
use crate::dialplan::reader::Table;
use crate::sip::api::{Reliable, SessionPolicy};

const RELIABLE: [(&str, Reliable); 2] =
    [("required", Reliable::WhenRequired), ("supported", Reliable::WhenSupported)];

/// Takes the keys of `[sip]` that are about calls.
pub(super) fn read(table: &mut Table, out: &mut Findings<'_>) -> SessionPolicy {
    let reliable = table.get("prack").and_then(|item| item.word(&RELIABLE, out));
    SessionPolicy { reliable: reliable.unwrap_or_default() }
}

/// The same keys as they are written.
pub(super) fn show(policy: SessionPolicy) -> String {
    let word = RELIABLE.iter().find(|(_, reliable)| *reliable == policy.reliable);
    format!("prack = \"{}\"", word.map_or("", |(word, _)| word))
}
