//! The operator's log of calls: one more fold over the history. At `debug`, one line for each entry, with ids, kinds
//! and counts; no text that a person said, dialled, entered or is called by is ever in one.

use crate::base::{CallId, LegId};
use crate::event::Entry;
use serde_json::Value;

/// The target of these lines: the room `call`.
const TARGET: &str = "madoguchi::call";

/// Members of an event whose texts are words of a closed list or names of the plan; of all others only numbers and
/// truths are told.
const WORDS: [&str; 7] = ["kind", "why", "cause", "group", "trunk", "menu", "mailbox"];

/// Tells of entries that have just been written.
pub(super) fn entries(entries: &[Entry]) {
    if !tracing::enabled!(target: TARGET, tracing::Level::DEBUG) {
        return;
    }
    for entry in entries {
        let Ok(fact) = serde_json::to_value(&entry.fact) else { continue };
        let text = |name: &str| fact.get(name).and_then(Value::as_str);
        let event = fact.get("event");
        let kind = event.and_then(|event| event.get("kind")).and_then(Value::as_str);
        let t_ms = fact.get("t_ms").and_then(Value::as_u64);
        tracing::debug!(
            target: TARGET,
            call = text("call"),
            leg = text("side"),
            seq = entry.seq,
            of = text("of"),
            kind,
            t_ms,
            what = event.map(told),
            "written"
        );
    }
}

/// A leg has begun. Its Call-ID is not told: phones put their own names into it.
pub(super) fn leg(call: CallId, leg: LegId) {
    tracing::debug!(target: TARGET, %call, leg = leg.0, "a leg begins");
}

/// What of an event may be told, as `name=value`.
fn told(event: &Value) -> String {
    let Value::Object(members) = event else { return String::new() };
    let told = members.iter().filter(|(name, _)| *name != "kind").filter_map(|(name, value)| {
        let value = match value {
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            Value::String(word) if WORDS.contains(&name.as_str()) && is_word(word) => word.clone(),
            Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        Some(format!("{name}={value}"))
    });
    told.collect::<Vec<_>>().join(" ")
}

/// As words of our lists and names of a plan are; a telephone number is none.
fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::{TARGET, told};
    use crate::base::LogRoom;
    use serde_json::json;

    #[test]
    fn of_an_event_only_counts_truths_and_words_of_ours_are_told() {
        let event = json!({
            "kind": "arrived", "why": "holiday", "group": "0312345678", "counted": true, "wait_ms": 1500,
            "number": "0312345678", "caller": { "number": { "known": "0398765431" }, "name": "佐藤" },
            "reason": "sato", "digits": "12345", "cause": "佐藤", "agent": "2001",
        });
        assert_eq!(LogRoom::of(TARGET), Some(LogRoom::Call));
        assert_eq!(told(&event), "counted=true wait_ms=1500 why=holiday");
    }
}
