//! The history as a hash chain: each entry's hash covers the entry and the hash of the one before it,
//! so that none can be changed, left out or put between without all that follow saying so.
//!
//! What is hashed is the entry as one line of JSON: its body with `at`, `seq` and `v` beside, keys in
//! order, nothing between the words. A text that tells who a person is stands in it as
//! `erased:<commitment>`, and so the text itself can be taken away later ([`erase`]) and the chain still
//! holds. Owns that form and the list of those texts; knows no file. docs/HISTORY.md says it for others.

use super::strict::Strict;
use crate::base::{Wall, hex};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// Bytes of a salt: more than anybody can try.
pub const SALT_BYTES: usize = 16;

/// How a text begins whose place its commitment has taken.
pub const ERASED: &str = "erased:";

/// Names at the top of an entry's line that its body cannot use.
pub(super) const RESERVED: [&str; 6] = ["seq", "at", "v", "hash", "salt", "before"];

/// Where the texts are that tell who a person is: of what, which kind, the JSON pointer in the body.
/// Every `Private` field of the events is here (a test reads the source). A line is never changed or
/// removed: the hashes of what was written under it depend on it.
pub const PRIVATE: [(&str, &str, &str); 15] = [
    ("call", "arrived", "/event/caller/number/known"),
    ("call", "arrived", "/event/caller/name"),
    ("call", "arrived", "/event/caller/diverted_from"),
    ("call", "number_entered", "/event/digits"),
    ("call", "callback_asked", "/event/number"),
    ("call", "overflowed_outside", "/event/number"),
    ("call", "sent_away", "/event/number"),
    ("call", "consult_called", "/event/number"),
    ("call", "third_called", "/event/number"),
    ("placed", "dialled", "/event/number"),
    ("note", "noted", "/event/text"),
    ("feed", "feed_edited", "/event/subject"),
    ("feed", "feed_edited", "/event/text"),
    ("incident", "incident_opened", "/event/subject"),
    ("incident", "incident_changed", "/event/subject"),
];

/// One hash of the chain (SHA-256). Written and read as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash(pub [u8; 32]);

/// Why a text is no [`Hash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("due are 64 hexadecimal digits in lower case")]
pub struct NotAHash;

/// Why an entry has no form that could be hashed. Nothing of a person's is in the words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsealable {
    /// Not JSON.
    #[error("its body is broken JSON at character {column}")]
    Broken {
        /// Where.
        column: usize,
    },
    /// Two readers could take two different values from it.
    #[error("its body names something twice, at character {column}")]
    Twice {
        /// Where.
        column: usize,
    },
    /// JSON, and no object.
    #[error("its body is no JSON object")]
    NotAnObject,
    /// The body uses a name that stands beside it in the line.
    #[error("its body has a field {field}, which stands beside it")]
    Reserved {
        /// Which.
        field: &'static str,
    },
    /// A text of a person stands there, and the salt that hides it does not.
    #[error("the text at {pointer} is there and its salt is not")]
    NoSalt {
        /// Where.
        pointer: &'static str,
    },
}

impl Hash {
    /// What stands before the first entry of a history: the hash of its [`header`], so that a
    /// demonstration's entries can never be passed off as real ones.
    #[must_use]
    pub fn first(kind: &str) -> Self {
        Self(Sha256::digest(header(kind)).into())
    }

    /// The hash of the entry that follows this one.
    #[must_use]
    pub fn then(self, sealed: &[u8]) -> Self {
        let mut sum = Sha256::new();
        sum.update(self.0);
        sum.update(sealed);
        Self(sum.finalize().into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl FromStr for Hash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        unhex(text).and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(NotAHash)
    }
}

/// The first line of an exported history. `kind` is what the store is for.
#[must_use]
pub fn header(kind: &str) -> String {
    format!("{{\"form\":1,\"history\":\"madoguchi\",\"kind\":{}}}", Value::from(kind))
}

/// The bytes that lower-case hexadecimal digits stand for.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some((digit(*high)? << 4) | digit(*low)?),
        _ => None,
    };
    pairs.map(byte).collect()
}

/// Reads a body strictly: one value for one name, so that no two readers see two histories.
///
/// # Errors
///
/// [`Unsealable`] when it is no JSON object, or names something twice.
pub fn body(text: &str) -> Result<Map<String, Value>, Unsealable> {
    let read: Result<Strict, _> = serde_json::from_str(text);
    match read {
        Ok(Strict(Value::Object(body))) => Ok(body),
        Ok(_) => Err(Unsealable::NotAnObject),
        Err(error) if error.is_data() => Err(Unsealable::Twice { column: error.column() }),
        Err(error) => Err(Unsealable::Broken { column: error.column() }),
    }
}

/// Whether a text of a person stands in the body, so that a salt is due beside it.
#[must_use]
pub fn is_private(body: &Map<String, Value>) -> bool {
    pointers(body).any(|pointer| text(body, pointer).is_some())
}

/// Texts of persons in the body, those that were erased included, as pairs of pointer and text.
pub fn texts(body: &Map<String, Value>) -> impl Iterator<Item = (&'static str, &str)> {
    pointers(body).filter_map(|pointer| Some((pointer, at(body, pointer)?)))
}

/// By how many bytes the body's JSON grows when its texts are erased; below 0 when it shrinks.
#[must_use]
pub fn growth(body: &Map<String, Value>) -> isize {
    let written = |text: &str| serde_json::to_string(text).map_or(0, |text| text.len());
    let texts = pointers(body).filter_map(|pointer| text(body, pointer));
    texts.map(|text| growth_of(written(text))).sum()
}

/// The same of one text, which takes so many bytes in JSON, its quotes with it.
pub(super) fn growth_of(written: usize) -> isize {
    let erased = ERASED.len() + 64 + 2; // SHA-256 in hexadecimal, and the quotes
    erased.cast_signed() - written.cast_signed()
}

/// Whether a commitment stands in a text's place.
#[must_use]
pub fn is_erased(text: &str) -> bool {
    text.strip_prefix(ERASED).is_some_and(|digits| digits.parse::<Hash>().is_ok())
}

/// Puts commitments in the place of all texts of persons; how many there were. With them gone and the
/// salt thrown away, nobody can tell what they were, and the entry's hash is the same.
///
/// # Errors
///
/// [`Unsealable::NoSalt`] when there are such texts and no salt; the body may be half done then.
pub fn erase(body: &mut Map<String, Value>, salt: Option<&[u8]>) -> Result<usize, Unsealable> {
    let mut count = 0;
    for pointer in pointers(body).collect::<Vec<_>>() {
        let Some(text) = text(body, pointer) else { continue };
        let salt = salt.ok_or(Unsealable::NoSalt { pointer })?;
        let erased = format!("{ERASED}{}", hex(&commitment(salt, pointer, text)));
        if let Some(place) = place(body, pointer) {
            *place = Value::String(erased);
            count += 1;
        }
    }
    Ok(count)
}

/// The form of an entry that is hashed.
///
/// # Errors
///
/// [`Unsealable`] when it has none.
pub fn seal(
    seq: i64,
    at: Wall,
    v: i64,
    body: &Map<String, Value>,
    salt: Option<&[u8]>,
) -> Result<Vec<u8>, Unsealable> {
    if let Some(field) = RESERVED.into_iter().find(|field| body.contains_key(*field)) {
        return Err(Unsealable::Reserved { field });
    }
    let hidden = if is_private(body) {
        let mut hidden = body.clone();
        erase(&mut hidden, salt)?;
        Some(hidden)
    } else {
        None
    };
    let (seq, at, v) = (Value::from(seq), Value::from(at.0), Value::from(v));
    let mut fields: Vec<(&str, &Value)> = vec![("at", &at), ("seq", &seq), ("v", &v)];
    fields
        .extend(hidden.as_ref().unwrap_or(body).iter().map(|(name, value)| (name.as_str(), value)));
    let mut out = Vec::with_capacity(384);
    write_fields(&mut fields, &mut out);
    Ok(out)
}

/// A value in the one form that is hashed and exported: keys in order of their bytes, nothing between
/// the words, only what JSON requires escaped.
pub fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(fields) => {
            let mut fields = fields.iter().map(|(name, value)| (name.as_str(), value)).collect();
            write_fields(&mut fields, out);
        }
        Value::Array(items) => {
            out.push(b'[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        // Into memory, and neither kind of value can fail.
        plain => drop(serde_json::to_writer(out, plain)),
    }
}

fn write_fields(fields: &mut Vec<(&str, &Value)>, out: &mut Vec<u8>) {
    fields.sort_unstable_by_key(|(name, _)| *name);
    out.push(b'{');
    for (n, (name, value)) in fields.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        drop(serde_json::to_writer(&mut *out, name));
        out.push(b':');
        write(value, out);
    }
    out.push(b'}');
}

/// What stands for a text: only who has the salt can tell whether it is this text's. The pointer is in it
/// so that the number a caller has and the number it was diverted from differ although they are alike.
pub(super) fn commitment(salt: &[u8], pointer: &str, text: &str) -> [u8; 32] {
    let mut sum = Sha256::new();
    sum.update(salt);
    sum.update(pointer);
    sum.update([0]);
    sum.update(text);
    sum.finalize().into()
}

/// Puts `by` in the place of every text of an entry's JSON that tells who a person is; what was erased tells
/// nobody, and stays.
pub fn hide_known(entry: &mut Value, by: &str) {
    replace(entry, by, |text| !is_erased(text));
}

/// Puts `by` in the place of every text of an entry's JSON that was erased.
pub fn say_erased(entry: &mut Value, by: &str) {
    replace(entry, by, is_erased);
}

fn replace(entry: &mut Value, by: &str, wanted: impl Fn(&str) -> bool) {
    let Some(body) = entry.as_object_mut() else { return };
    let found: Vec<&'static str> = pointers(body).collect();
    for pointer in found {
        if let Some(text) = place(body, pointer).filter(|text| text.as_str().is_some_and(&wanted)) {
            *text = Value::from(by);
        }
    }
}

fn pointers(body: &Map<String, Value>) -> impl Iterator<Item = &'static str> + '_ {
    let of = body.get("of").and_then(Value::as_str);
    let kind = body.get("event").and_then(|event| event.get("kind")).and_then(Value::as_str);
    let listed = PRIVATE.into_iter().filter(move |it| of == Some(it.0) && kind == Some(it.1));
    listed.map(|(_, _, pointer)| pointer)
}

/// The text there, unless a commitment stands in its place. A caller may call itself `erased:…` with 64
/// digits: its name is hashed as it stands, and no harm is done.
fn text<'a>(body: &'a Map<String, Value>, pointer: &str) -> Option<&'a str> {
    at(body, pointer).filter(|text| !is_erased(text))
}

fn at<'a>(body: &'a Map<String, Value>, pointer: &str) -> Option<&'a str> {
    let mut names = pointer.split('/').skip(1);
    let first = body.get(names.next()?)?;
    names.try_fold(first, |value, name| value.get(name))?.as_str()
}

fn place<'a>(body: &'a mut Map<String, Value>, pointer: &str) -> Option<&'a mut Value> {
    let mut names = pointer.split('/').skip(1);
    let first = body.get_mut(names.next()?)?;
    names.try_fold(first, |value, name| value.get_mut(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const SALT: &[u8] = &[7; SALT_BYTES];

    fn arrived(number: &str, name: &str) -> Map<String, Value> {
        let text = format!(
            "{{\"of\":\"call\",\"call\":\"x\",\"t_ms\":0,\"event\":{{\"kind\":\"arrived\",\"number\":\"03\",\
             \"caller\":{{\"number\":{number},\"name\":{name}}},\"counted\":true}}}}"
        );
        body(&text).expect("a body")
    }

    fn sealed(body: &Map<String, Value>, salt: Option<&[u8]>) -> Result<String, Unsealable> {
        let sealed = seal(3, Wall(1_000), 1, body, salt)?;
        Ok(String::from_utf8(sealed).expect("text"))
    }

    #[test]
    fn what_is_hashed_is_written_in_one_way_only() {
        let table = [
            (
                r#"{"of":"desk","event":{"kind":"stopped"}}"#,
                r#"{"at":1000,"event":{"kind":"stopped"},"of":"desk","seq":3,"v":1}"#,
            ),
            (
                r#"{ "z" : [1, -2,null,{ "b":true,"a":"" }], "a" : "x/y" }"#,
                r#"{"a":"x/y","at":1000,"seq":3,"v":1,"z":[1,-2,null,{"a":"","b":true}]}"#,
            ),
            (
                "{\"a\":\"\\u304a\\\\\\n\\u0001\u{7f}\\ud83d\\ude00\"}",
                "{\"a\":\"お\\\\\\n\\u0001\u{7f}😀\",\"at\":1000,\"seq\":3,\"v\":1}",
            ),
            // Keys by their bytes, which is also by their characters' numbers.
            (
                "{\"\u{ff5e}\":1,\"\u{1f600}\":2,\"Z\":3,\"\":4}",
                "{\"\":4,\"Z\":3,\"at\":1000,\"seq\":3,\"v\":1,\"\u{ff5e}\":1,\"\u{1f600}\":2}",
            ),
        ];
        for (text, due) in table {
            assert_eq!(sealed(&body(text).expect(text), None).as_deref(), Ok(due));
        }
    }

    #[test]
    fn a_body_that_can_be_read_in_two_ways_is_refused() {
        let table = [
            ("{\"a\":1,\"a\":1}", Unsealable::Twice { column: 13 }),
            ("{\"a\":{\"b\":1,\"b\":2}}", Unsealable::Twice { column: 18 }),
            ("{\"a\":", Unsealable::Broken { column: 5 }),
            ("[1]", Unsealable::NotAnObject),
        ];
        for (text, due) in table {
            assert_eq!(body(text), Err(due), "{text}");
        }
        let body = body("{\"seq\":9}").expect("an object");
        assert_eq!(sealed(&body, None), Err(Unsealable::Reserved { field: "seq" }));
    }

    #[test]
    fn a_persons_text_can_go_and_the_hash_stays() {
        let whole = arrived("{\"known\":\"0398765432\"}", "\"会計課\"");
        let before = sealed(&whole, Some(SALT)).expect("sealed");
        assert!(!before.contains("0398765432") && !before.contains("会計課"), "{before}");
        assert!(is_private(&whole));
        let mut gone = whole.clone();
        assert_eq!(erase(&mut gone, Some(SALT)), Ok(2));
        assert!(!is_private(&gone));
        assert_eq!(sealed(&gone, None).as_ref(), Ok(&before));
        assert_eq!(erase(&mut gone, None), Ok(0), "nothing is left to do");
        // Another salt, another text, the texts exchanged: all are seen.
        assert_ne!(sealed(&whole, Some(&[8; SALT_BYTES])).as_ref(), Ok(&before));
        let other = arrived("{\"known\":\"0398765433\"}", "\"会計課\"");
        assert_ne!(sealed(&other, Some(SALT)).as_ref(), Ok(&before));
        let exchanged = arrived("{\"known\":\"会計課\"}", "\"0398765432\"");
        assert_ne!(sealed(&exchanged, Some(SALT)).as_ref(), Ok(&before));
        let pointer = "/event/caller/number/known";
        assert_eq!(sealed(&whole, None), Err(Unsealable::NoSalt { pointer }));
    }

    #[test]
    fn who_has_no_number_needs_no_salt_and_a_caller_named_erased_does_no_harm() {
        assert!(!is_private(&arrived("\"withheld\"", "null")));
        let short = arrived("\"withheld\"", "\"erased:12\"");
        assert!(is_private(&short), "that is a name");
        let named = format!("\"erased:{}\"", "0".repeat(64));
        assert!(sealed(&arrived("\"withheld\"", &named), None).is_ok());
    }

    #[test]
    fn a_hash_is_read_as_it_is_written() {
        let hash = Hash::first("service");
        assert_ne!(hash, Hash::first("demonstration"));
        assert_eq!(hash.to_string().parse(), Ok(hash));
        let digits = hash.to_string();
        for wrong in ["", "12", &digits[1..], &digits.to_uppercase(), &format!("{digits}00")] {
            assert_eq!(wrong.parse::<Hash>(), Err(NotAHash), "{wrong}");
        }
        assert_eq!(header("service"), r#"{"form":1,"history":"madoguchi","kind":"service"}"#);
    }

    /// The fields of the events that are `Private`, by the enum or struct and the variant they stand in.
    fn private_fields(source: &str) -> BTreeSet<(String, String)> {
        let (mut item, mut variant) = (String::new(), String::new());
        let mut found = BTreeSet::new();
        for line in source.lines() {
            let inner = line.trim_start();
            let word = |text: &str| -> String {
                text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
            };
            for begins in ["pub enum ", "pub struct "] {
                if let Some(rest) = line.strip_prefix(begins) {
                    (item, variant) = (word(rest), String::new());
                }
            }
            if line.len() - inner.len() == 4 && inner.starts_with(char::is_uppercase) {
                variant = word(inner);
            }
            let name = word(inner.trim_start_matches("pub "));
            if inner.contains("Private<") && !inner.starts_with("//") {
                let path =
                    [item.as_str(), variant.as_str()].into_iter().filter(|it| !it.is_empty());
                found.insert((path.collect::<Vec<_>>().join("::"), name));
            }
        }
        found
    }

    #[test]
    fn what_debug_hides_in_an_event_of_any_kind_is_hidden_from_the_chain() {
        let mut hidden = 0;
        for line in include_str!("../../tests/past/events.jsonl").lines() {
            let line = line.replacen('{', "{\"seq\":1,", 1);
            let entry: crate::event::Entry = serde_json::from_str(&line).expect("an entry");
            let body = serde_json::to_string(&entry.fact).expect("JSON");
            let body = body_of(&body);
            let dots = format!("{entry:?}").matches("•••").count();
            assert_eq!(texts(&body).count(), dots, "{line}");
            let sealed = sealed(&body, Some(SALT)).expect("a form");
            assert!(
                texts(&body).all(|(_, text)| !sealed.contains(&format!("\"{text}\""))),
                "{line}"
            );
            hidden += dots;
        }
        assert!(hidden > 10, "there were some");
    }

    fn body_of(text: &str) -> Map<String, Value> {
        body(text).expect("a body")
    }

    #[test]
    fn every_private_field_of_the_events_is_hidden_from_the_chain() {
        // Where each stands in a body. A field more, and this test asks for its line here and in PRIVATE.
        let due = [
            ("Caller", "name", "call/arrived/event/caller/name"),
            ("Caller", "diverted_from", "call/arrived/event/caller/diverted_from"),
            ("CallerNumber::Known", "Known", "call/arrived/event/caller/number/known"),
            ("CallEvent::NumberEntered", "digits", "call/number_entered/event/digits"),
            ("CallEvent::CallbackAsked", "number", "call/callback_asked/event/number"),
            ("CallEvent::OverflowedOutside", "number", "call/overflowed_outside/event/number"),
            ("CallEvent::SentAway", "number", "call/sent_away/event/number"),
            ("CallEvent::ConsultCalled", "number", "call/consult_called/event/number"),
            ("CallEvent::ThirdCalled", "number", "call/third_called/event/number"),
            ("PlacedEvent::Dialled", "number", "placed/dialled/event/number"),
            ("NoteEvent::Noted", "text", "note/noted/event/text"),
            ("FeedEvent::FeedEdited", "subject", "feed/feed_edited/event/subject"),
            ("FeedEvent::FeedEdited", "text", "feed/feed_edited/event/text"),
            ("IncidentEvent::IncidentOpened", "subject", "incident/incident_opened/event/subject"),
            (
                "IncidentEvent::IncidentChanged",
                "subject",
                "incident/incident_changed/event/subject",
            ),
        ];
        let room = concat!(env!("CARGO_MANIFEST_DIR"), "/src/event");
        let mut found = BTreeSet::new();
        for file in std::fs::read_dir(room).expect("the room") {
            let path = file.expect("a file").path();
            if !path.ends_with("chain.rs") {
                found.extend(private_fields(&std::fs::read_to_string(path).expect("text")));
            }
        }
        let listed = due.iter().map(|(path, field, _)| ((*path).to_owned(), (*field).to_owned()));
        assert_eq!(found, listed.collect());
        let places: BTreeSet<String> =
            due.iter().map(|(_, _, place)| (*place).to_owned()).collect();
        let hidden = PRIVATE.iter().map(|(of, kind, pointer)| format!("{of}/{kind}{pointer}"));
        assert_eq!(places, hidden.collect());
        // `Caller` stands in `arrived` alone.
        let uses = |text: &str| text.matches(": Caller,").count();
        assert_eq!(uses(include_str!("call.rs")) + uses(include_str!("placed.rs")), 1);
    }
}
