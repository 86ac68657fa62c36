//! docs/API.md lists every event that the history can hold, with its fields and values, held against
//! the source: who reads the journal with a program of their own finds what is written there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Kinds of one `of`, and where their enum is.
const TABLES: [(&str, &str); 10] = [
    ("call", "CallEvent"),
    ("placed", "PlacedEvent"),
    ("sound", "SoundEvent"),
    ("trunk", "TrunkEvent"),
    ("agent", "AgentEvent"),
    ("recording", "RecordingEvent"),
    ("message", "MessageEvent"),
    ("callback", "CallbackEvent"),
    ("figures", "FiguresEvent"),
    ("desk", "DeskEvent"),
];

/// Values that a field can have: their enum, and the table and row that must name them all.
const VALUES: &[(&str, &str, &str)] = &[
    ("CallerNumber", "call", "arrived"),
    ("Closed", "call", "found_closed"),
    ("Purpose", "call", "announced"),
    ("Supervision", "call", "supervision_began"),
    ("OfferEnd", "call", "offer_ended"),
    ("EndCause", "call", "ended"),
    ("Unpark", "call", "unparked"),
    ("ConsultEnd", "call", "consult_ended"),
    ("PlacedEnd", "placed", "ended"),
    ("Means", "agent", "signed_in"),
    ("CallbackEnd", "callback", "ended"),
    ("SoundFault", "sound", "fault_noticed"),
    ("RecordingStop", "recording", "stopped"),
    ("RecordingTrouble", "recording", "failed"),
];

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The source of the whole history.
fn history() -> String {
    let room = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/event")).unwrap();
    room.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
}

/// As serde's `snake_case` writes it.
fn snake(name: &str) -> String {
    let mut word = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.extend(c.to_lowercase());
    }
    word
}

/// An enum's variants with the names of their fields. The source is formatted: a variant stands four
/// columns in, a field eight.
fn variants(source: &str, name: &str) -> BTreeMap<String, BTreeSet<String>> {
    let begins = format!("pub enum {name} {{\n");
    let body = source.split_once(&begins).unwrap_or_else(|| panic!("no enum {name}")).1;
    let body = body.split_once("\n}\n").expect("it ends").0;
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut last = String::new();
    for line in body.lines() {
        let word: String =
            line.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        match line.len() - line.trim_start().len() {
            4 if word.starts_with(char::is_uppercase) => {
                last = snake(&word);
                found.insert(last.clone(), BTreeSet::new());
            }
            8 if !word.is_empty() && line.trim_start()[word.len()..].starts_with(':') => {
                found.get_mut(&last).expect("a variant").insert(word);
            }
            _ => {}
        }
    }
    assert!(!found.is_empty(), "{name} has variants");
    found
}

/// The rows of one `of`: the kind, and all words in code marks of the column of fields.
fn rows(page: &str, of: &str) -> BTreeMap<String, BTreeSet<String>> {
    let begins = format!("### `{of}`\n");
    let part = page.split_once(&begins).unwrap_or_else(|| panic!("no table of {of}")).1;
    let part = part.split("\n#").next().expect("some text");
    let words = |text: &str| -> BTreeSet<String> {
        text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let rows = part.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let mut columns = row.split(" | ");
        let kind = words(columns.next().unwrap_or("")).pop_first().expect("a kind");
        (kind, words(columns.next().unwrap_or("")))
    })
    .collect()
}

#[test]
fn the_page_of_the_api_lists_every_event_with_its_fields_and_values() {
    let source = history();
    let page = read("docs/API.md");
    let mut wrong = Vec::new();
    for (of, name) in TABLES {
        let (events, rows) = (variants(&source, name), rows(&page, of));
        for kind in rows.keys().filter(|kind| !events.contains_key(*kind)) {
            wrong.push(format!("{of}: there is no event {kind}"));
        }
        for (kind, fields) in events {
            match rows.get(&kind) {
                None => wrong.push(format!("{of}: {kind} is not listed")),
                Some(told) => {
                    for field in fields.difference(told) {
                        wrong.push(format!("{of}: {kind} has a field {field}"));
                    }
                }
            }
        }
    }
    for (name, of, kind) in VALUES.iter().copied() {
        let told = &rows(&page, of)[kind];
        for (value, fields) in variants(&source, name) {
            let quoted = [value.clone(), format!("\"{value}\""), format!("{{\"{value}\": \"…\"}}")];
            if !quoted.iter().any(|word| told.contains(word)) {
                wrong.push(format!("{of}: {kind} can say {value}"));
            }
            for field in fields.difference(told) {
                wrong.push(format!("{of}: {kind}: {value} has a field {field}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
