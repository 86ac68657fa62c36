//! An entry as a line of an exported history, and back.
//!
//! A file begins with the line that says whose history it is ([`chain::header`]); each line after it is
//! an entry with its hash. Where the entry before it was left out, its hash stands there as `before`, so
//! that a part of a history can be checked too.

use super::chain::{self, Hash, Unsealable};
use super::proof::Link;
use crate::base::Wall;
use serde_json::{Map, Value};

/// Why a line is no entry. Nothing of what stands there is in the words: it may be about a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// No JSON object, or one that names something twice.
    #[error("found no entry: {0}")]
    Json(#[from] Unsealable),
    /// A field is missing or not what is due.
    #[error("found no {field} that can be used, due is {due}")]
    Field {
        /// Which.
        field: &'static str,
        /// What must stand there.
        due: &'static str,
    },
    /// Our bound: no entry is as long.
    #[error("found a line of more than {limit} bytes, due is an entry")]
    TooLong {
        /// The most.
        limit: u64,
    },
    /// The first line says nothing of whose history follows.
    #[error("found no heading, due is {}", chain::header("service"))]
    Heading,
    /// A heading that does not stand first.
    #[error("found a second heading, due is an entry")]
    SecondHeading,
}

/// The line of an entry whose body can be read, without its end. `before` is written when the entry
/// before it was left out. Without `private`, no text of a person is in it and no salt.
///
/// # Errors
///
/// [`Unsealable`] when the entry is damaged so that its texts could not be hidden.
pub fn export(link: &Link, before: Option<Hash>, private: bool) -> Result<String, Unsealable> {
    let mut body = link.body.clone()?;
    if !private {
        chain::erase(&mut body, link.salt.as_deref())?;
    }
    let mut line =
        format!("{{\"seq\":{},\"at\":{},\"v\":{}", link.seq, link.at.0, link.v).into_bytes();
    let mut sorted: Vec<_> = body.iter().collect();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    let mut add = |name: &str, value: &Value| {
        line.push(b',');
        chain::write(&Value::from(name), &mut line);
        line.push(b':');
        chain::write(value, &mut line);
    };
    for (name, value) in sorted {
        add(name, value);
    }
    let digits = |bytes: &[u8]| Value::from(crate::base::hex(bytes));
    if let Some(hash) = &link.hash {
        add("hash", &digits(hash));
    }
    if let Some(salt) = link.salt.as_ref().filter(|_| private) {
        add("salt", &digits(salt));
    }
    if let Some(before) = before {
        add("before", &digits(&before.0));
    }
    line.push(b'}');
    // All that was written is JSON, and so is text.
    Ok(String::from_utf8_lossy(&line).into_owned())
}

/// What the history of this heading is for.
///
/// # Errors
///
/// [`LineError::Heading`].
pub fn read_header(line: &str) -> Result<String, LineError> {
    let fields = chain::body(line).map_err(|_| LineError::Heading)?;
    let kind = fields.get("kind").and_then(Value::as_str).ok_or(LineError::Heading)?;
    // In one form only: the chain begins with the hash of these bytes.
    if line == chain::header(kind) { Ok(kind.to_owned()) } else { Err(LineError::Heading) }
}

/// Whether a line is a heading, or means to be one.
#[must_use]
pub fn is_header(line: &str) -> bool {
    chain::body(line).is_ok_and(|fields| fields.contains_key("history"))
}

/// The entry of a line.
///
/// # Errors
///
/// [`LineError`].
pub fn link(line: &str) -> Result<Link, LineError> {
    let mut fields = chain::body(line)?;
    if fields.contains_key("history") {
        return Err(LineError::SecondHeading);
    }
    let seq = number(&mut fields, "seq", "its place in the history, from 1")?;
    let at = Wall(number(&mut fields, "at", "milliseconds since 1970")?);
    let v = number(&mut fields, "v", "the version of its shape")?;
    let hash = bytes(&mut fields, "hash", "64 hexadecimal digits")?;
    let salt = bytes(&mut fields, "salt", "32 hexadecimal digits, or nothing")?;
    let before = bytes(&mut fields, "before", "64 hexadecimal digits, or nothing")?;
    let due = LineError::Field { field: "before", due: "64 hexadecimal digits, or nothing" };
    let before = before.map(|it| it.try_into().map(Hash)).transpose().map_err(|_| due)?;
    Ok(Link { seq, at, v, body: Ok(fields), filed_under: None, hash, salt, before })
}

fn number(
    fields: &mut Map<String, Value>,
    field: &'static str,
    due: &'static str,
) -> Result<i64, LineError> {
    let found = fields.remove(field);
    found.as_ref().and_then(Value::as_i64).ok_or(LineError::Field { field, due })
}

fn bytes(
    fields: &mut Map<String, Value>,
    field: &'static str,
    due: &'static str,
) -> Result<Option<Vec<u8>>, LineError> {
    let wrong = LineError::Field { field, due };
    match fields.remove(field) {
        None => Ok(None),
        Some(Value::String(digits)) => chain::unhex(&digits).map(Some).ok_or(wrong),
        Some(_) => Err(wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"of":"placed","call":"c","t_ms":0,"event":{"kind":"dialled","number":"0398765432","by":"2001"}}"#;

    fn made(salt: Option<Vec<u8>>) -> Link {
        Link {
            seq: 4,
            at: Wall(-5),
            v: 1,
            body: chain::body(BODY),
            filed_under: None,
            hash: Some(vec![0xab; 32]),
            salt,
            before: None,
        }
    }

    #[test]
    fn an_entry_is_a_line_and_a_line_an_entry() {
        let link_made = made(Some(vec![1; 16]));
        let line = export(&link_made, None, true).expect("a line");
        let due = format!(
            r#"{{"seq":4,"at":-5,"v":1,"call":"c","event":{{"by":"2001","kind":"dialled","number":"0398765432"}},"of":"placed","t_ms":0,"hash":"{}","salt":"{}"}}"#,
            "ab".repeat(32),
            "01".repeat(16)
        );
        assert_eq!(line, due);
        assert_eq!(link(&line), Ok(link_made.clone()));
        // For others: no number, no salt.
        let line = export(&link_made, Some(Hash([0xcd; 32])), false).expect("a line");
        assert!(!line.contains("0398765432") && !line.contains("salt"), "{line}");
        assert_eq!(link(&line).map(|it| it.before), Ok(Some(Hash([0xcd; 32]))));
        assert!(export(&made(None), None, false).is_err(), "it could not be hidden");
    }

    #[test]
    fn a_line_that_is_no_entry_says_what_is_due() {
        let table = [
            ("", "broken JSON"),
            ("[]", "no JSON object"),
            (r#"{"seq":1,"seq":2}"#, "twice"),
            (r#"{"at":1,"v":1}"#, "no seq"),
            (r#"{"seq":"1","at":1,"v":1}"#, "no seq"),
            (r#"{"seq":1,"at":1.5,"v":1}"#, "no at"),
            (r#"{"seq":1,"at":1,"v":1,"hash":7}"#, "no hash"),
            (r#"{"seq":1,"at":1,"v":1,"hash":"0"}"#, "no hash"),
            (r#"{"seq":1,"at":1,"v":1,"salt":"XY"}"#, "no salt"),
            (r#"{"seq":1,"at":1,"v":1,"before":"00"}"#, "no before"),
            (r#"{"form":1,"history":"madoguchi","kind":"service"}"#, "second heading"),
        ];
        for (line, due) in table {
            let error = link(line).expect_err(line).to_string();
            assert!(error.contains(due), "{line}: {error}");
        }
    }

    #[test]
    fn a_heading_is_known_in_one_form_only() {
        let header = chain::header("demonstration");
        assert_eq!(read_header(&header).as_deref(), Ok("demonstration"));
        for wrong in ["", "{}", &header.replace(':', ": "), &header.replace('1', "2")] {
            assert_eq!(read_header(wrong), Err(LineError::Heading), "{wrong}");
        }
        assert!(is_header(&header) && !is_header("{\"seq\":1}"));
    }
}
