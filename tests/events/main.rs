//! docs/EVENTS.md lists every event that the history can hold, with its fields and values. It is written from
//! the source: who reads the journal with a program of their own finds what is written there.
//!
//! `MADOGUCHI_WRITE_DOCS=1 cargo test --test events` writes it; without that the page must be up to date. That
//! the reading of the source is right is held against lines that the journal really had.

mod page;
mod source;

use serde_json::Value;
use source::{Field, Given, Holds, Item, Shape, Variant, inside};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The types of the history and those that it is made of.
pub struct Source(BTreeMap<String, Item>);

impl Source {
    fn read() -> Self {
        let mut all = BTreeMap::new();
        for room in ["src/base", "src/event"] {
            let files = fs::read_dir(root().join(room)).expect("a room");
            let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
            files.sort();
            for file in files {
                source::items(&fs::read_to_string(file).expect("text"), &mut all);
            }
        }
        Self(all)
    }

    fn item(&self, name: &str) -> &Item {
        self.0.get(name).unwrap_or_else(|| {
            panic!("{name} is neither a type of src/event and src/base nor told in page.rs (PLAIN)")
        })
    }

    /// What a line can speak of.
    fn facts(&self) -> &[Variant] {
        match &self.item("Fact").shape {
            Shape::Enum { tag, variants } if tag.as_deref() == Some("of") => variants,
            other => panic!("{other:?}"),
        }
    }

    /// What stands beside `event`, and the type of that.
    fn beside<'a>(&self, of: &'a Variant) -> (Vec<&'a Field>, &'a str) {
        let Holds::Fields(fields) = &of.holds else { panic!("{of:?}") };
        let (event, beside): (Vec<&Field>, Vec<&Field>) =
            fields.iter().partition(|field| field.name == "event");
        (beside, &event[0].of)
    }

    /// The types of the page's own that a type is made of, and theirs.
    fn names_in(&self, of: &str, named: &mut BTreeSet<String>) {
        if let Some(inner) = inside(of, "Private").or_else(|| inside(of, "Vec")) {
            return self.names_in(inner, named);
        }
        if page::is_plain(of) || !named.insert(of.to_owned()) {
            return;
        }
        let of_fields = |fields: &[Field]| -> Vec<String> {
            fields.iter().map(|field| field.of.clone()).collect()
        };
        let parts: Vec<String> = match &self.item(of).shape {
            Shape::Struct(fields) => of_fields(fields),
            Shape::Enum { variants, .. } => variants
                .iter()
                .flat_map(|variant| match &variant.holds {
                    Holds::Fields(fields) => of_fields(fields),
                    Holds::One(one) => vec![one.clone()],
                })
                .collect(),
        };
        for part in parts {
            self.names_in(&part, named);
        }
    }

    /// A doc comment as the page says it: variants by their names in JSON, links as words.
    fn said(&self, docs: &str) -> String {
        let variants: BTreeMap<&str, &str> = self
            .0
            .values()
            .filter_map(|item| match &item.shape {
                Shape::Enum { variants, .. } => Some(variants),
                Shape::Struct(_) => None,
            })
            .flatten()
            .map(|variant| (variant.names.0.as_str(), variant.names.1.as_str()))
            .collect();
        let docs = docs.replace("[`", "`").replace("`]", "`").replace('|', "\\|");
        let words = docs.split('`').enumerate().map(|(at, word)| match variants.get(word) {
            Some(name) if at % 2 == 1 && !self.0.contains_key(word) => *name,
            _ => word,
        });
        words.collect::<Vec<_>>().join("`")
    }

    /// Whether a value is what the source says of the type, nothing missing and nothing more.
    fn fits(&self, of: &str, value: &Value) -> Result<(), String> {
        if let Some(inner) = inside(of, "Private") {
            return self.fits(inner, value);
        }
        if let Some(inner) = inside(of, "Vec") {
            let all = value.as_array().ok_or(format!("{value} is no array"))?;
            return all.iter().try_for_each(|one| self.fits(inner, one));
        }
        let well = match (page::plain_term(of), value) {
            ("", _) => return self.fits_item(of, value),
            ("boolean", value) => value.is_boolean(),
            ("integer", value) => value.is_i64() || value.is_u64(),
            ("object", value) => value.is_object(),
            ("array", value) => value.is_array(),
            (_, value) => value.is_string(),
        };
        if well { Ok(()) } else { Err(format!("{value} is no {of}")) }
    }

    fn fits_item(&self, of: &str, value: &Value) -> Result<(), String> {
        let (tag, variants) = match &self.item(of).shape {
            Shape::Struct(fields) => return self.fits_fields(fields, None, value),
            Shape::Enum { tag, variants } => (tag.as_deref(), variants),
        };
        let (name, inner) = match (tag, value) {
            (Some(tag), value) => (value[tag].as_str(), None),
            (None, Value::Object(one)) if one.len() == 1 => {
                let (name, inner) = one.iter().next().expect("one");
                (Some(name.as_str()), Some(inner))
            }
            (None, value) => (value.as_str(), None),
        };
        let variant = variants.iter().find(|variant| Some(variant.names.1.as_str()) == name);
        let variant = variant.ok_or(format!("{value} is no {of}"))?;
        match (&variant.holds, inner) {
            (Holds::One(of), Some(inner)) => self.fits(of, inner),
            (Holds::Fields(fields), None) if tag.is_some() => self.fits_fields(fields, tag, value),
            (Holds::Fields(fields), None) if fields.is_empty() => Ok(()),
            _ => Err(format!("{value} is not {variant:?}")),
        }
    }

    fn fits_fields(
        &self,
        fields: &[Field],
        tag: Option<&str>,
        value: &Value,
    ) -> Result<(), String> {
        let object = value.as_object().ok_or(format!("{value} is no object"))?;
        let known = |name: &str| fields.iter().any(|field| field.name == name) || Some(name) == tag;
        if let Some(more) = object.keys().find(|name| !known(name)) {
            return Err(format!("{value} has a field {more}"));
        }
        fields.iter().try_for_each(|field| match (object.get(&field.name), field.given) {
            (None, Given::OrLeftOut) | (Some(Value::Null), Given::OrNull) => Ok(()),
            (None, _) => Err(format!("{value} has no {}", field.name)),
            (Some(value), _) => self.fits(&field.of, value),
        })
    }
}

/// One line of a journal.
pub struct Example {
    of: String,
    kind: String,
    line: String,
    value: Value,
}

/// One line of each kind in the shape in which it was written first; tests/past.rs sees to it that there is one.
fn examples() -> Vec<Example> {
    let text = fs::read_to_string(root().join("tests/past/events.jsonl")).expect("the journal");
    let word = |value: &Value| value.as_str().expect("a word").to_owned();
    text.lines()
        .map(|line| {
            let value: Value = serde_json::from_str(line).expect("JSON");
            let (of, kind) = (word(&value["of"]), word(&value["event"]["kind"]));
            Example { of, kind, line: line.to_owned(), value }
        })
        .collect()
}

#[test]
fn the_page_of_events_is_what_the_source_says() {
    let path = root().join("docs/EVENTS.md");
    let due = page::page(&Source::read(), &examples());
    if std::env::var_os("MADOGUCHI_WRITE_DOCS").is_some_and(|asked| asked == "1") {
        fs::write(&path, &due).expect("the page is written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let line = found.lines().zip(due.lines()).take_while(|(found, due)| found == due).count();
    assert!(
        found == due,
        "docs/EVENTS.md is not what src/event says, from line {}: MADOGUCHI_WRITE_DOCS=1 cargo test --test events\n\
         found: {:?}\n  due: {:?}",
        line + 1,
        found.lines().nth(line),
        due.lines().nth(line),
    );
}

/// The page's word on fields, types and what may be missing holds of lines that a journal had.
#[test]
fn lines_of_a_journal_are_as_the_page_says() {
    let source = Source::read();
    let mut kinds = BTreeSet::new();
    for Example { of, kind, line, value } in examples() {
        let fact = source.facts().iter().find(|fact| fact.names.1 == of).expect("a fact");
        let (beside, event) = source.beside(fact);
        source.fits(event, &value["event"]).unwrap_or_else(|wrong| panic!("{line}: {wrong}"));
        let around: Vec<&str> =
            value.as_object().expect("an object").keys().map(String::as_str).collect();
        for name in around {
            let told = ["at", "of", "event"].contains(&name)
                || beside.iter().any(|field| field.name == name);
            assert!(told, "{line}: {name}");
        }
        for field in beside {
            match (value.get(&field.name), field.given) {
                (None, Given::OrLeftOut) => {}
                (None, _) => panic!("{line}: no {}", field.name),
                (Some(value), _) => {
                    source.fits(&field.of, value).unwrap_or_else(|wrong| panic!("{line}: {wrong}"));
                }
            }
        }
        kinds.insert((of, kind));
    }
    assert!(kinds.len() > 70, "{kinds:?}");
    // And it can say no.
    let table = [
        ("AgentEvent", r#"{"kind": "phone"}"#),
        ("AgentEvent", r#"{"kind": "phone", "reachable": "yes"}"#),
        ("AgentEvent", r#"{"kind": "phone", "reachable": true, "more": 1}"#),
        ("AgentEvent", r#"{"kind": "telephone", "reachable": true}"#),
        ("CallerNumber", r#""known""#),
        ("CallerNumber", r#"{"withheld": "0"}"#),
        ("CallEvent", r#"{"kind": "operator_asked"}"#),
        ("CallEvent", r#"{"kind": "third_joined", "agent": null}"#),
        ("EndCause", r#"{"cause": "not_answered"}"#),
    ];
    for (of, text) in table {
        let value: Value = serde_json::from_str(text).expect("JSON");
        assert!(source.fits(of, &value).is_err(), "{of}: {text}");
    }
    for (of, text) in [
        ("CallEvent", r#"{"kind": "operator_asked", "group": null}"#),
        ("CallEvent", r#"{"kind": "third_joined"}"#),
        ("CallerNumber", r#"{"known": "0312345678"}"#),
        ("CallerNumber", r#""withheld""#),
    ] {
        let value: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(source.fits(of, &value), Ok(()), "{of}: {text}");
    }
}
