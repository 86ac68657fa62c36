//! docs/EVENTS.md, written from the types.

use super::source::{Field, Given, Holds, Item, Shape, Variant, inside};
use super::{Example, Source};
use std::collections::BTreeSet;
use std::fmt::Write as _;

const INTRODUCTION: &str = "# The events (記録)

<!-- Written from src/event by `MADOGUCHI_WRITE_DOCS=1 cargo test --test events`, and held to it by the same test. What is to be said
of an event is said there. -->

One line of the journal, in a ladder of the API ([API.md](API.md): `event` and what stands beside it) and in the column `body` of the
store's table `entry` (the view `event` there is made for SQL). All figures, pages and metrics are folds over these lines and over
nothing else. A field may be added; none is renamed, removed, or given another meaning. A reader passes over kinds and fields that it
does not know.

Every line has the fields below, then those of what it speaks of, `of`, and `event`, whose `kind` says what happened. *Given* says of a
field whether it is in every line (`always`), is `null` when there is none (`or null`), or is not in the line then (`or left out`).
Durations are differences of `t_ms`, by a clock that nobody sets; stamps are for people.

";

/// JSON terms of the types that hold nothing else; the last word is the unit.
const PLAIN: &[(&str, &str, &str)] = &[
    ("bool", "boolean", ""),
    ("u8", "integer", ""),
    ("u16", "integer", ""),
    ("u32", "integer", ""),
    ("u64", "integer", ""),
    ("i64", "integer", ""),
    ("char", "string of one character", ""),
    ("String", "string", ""),
    ("Arc<str>", "string", ""),
    ("CallId", "string, a UUID", ""),
    ("Wall", "integer", "milliseconds since 1970-01-01T00:00:00Z"),
    ("Settings", "object of values by name", ""),
    ("BTreeMap<String, u64>", "object of integers by name", ""),
    ("(u64, u64)", "array of two integers", ""),
    // Names of the plan.
    ("AgentId", "string, an extension", ""),
    ("Number", "string, as dialled", ""),
    ("GroupId", "string", ""),
    ("MenuId", "string", ""),
    ("EntryId", "string", ""),
    ("BoxId", "string", ""),
    ("CallbackId", "string", ""),
    ("SurveyId", "string", ""),
    ("BTreeMap<String, String>", "object of strings", ""),
    ("TargetId", "string", ""),
    ("TrunkId", "string", ""),
    ("PromptId", "string", ""),
];

/// Units that end a field's name.
const UNITS: &[(&str, &str)] = &[
    ("_ms", "milliseconds"),
    ("_us", "microseconds"),
    ("_s", "seconds"),
    ("_hundredths", "hundredths"),
    ("_256", "256ths"),
    ("bytes", "bytes"),
];

/// The whole page.
pub fn page(source: &Source, examples: &[Example]) -> String {
    let mut out = INTRODUCTION.to_owned();
    let Shape::Struct(fields) = &source.item("Entry").shape else { panic!("Entry is a struct") };
    fields_table(&mut out, fields, source);
    out += "\n| `of` | |\n|---|---|\n";
    for of in source.facts() {
        let name = &of.names.1;
        line(&mut out, &format!("| [`{name}`](#{name}) | {} |", source.said(&of.docs)));
    }
    let mut named = BTreeSet::new();
    for of in source.facts() {
        let (beside, event) = source.beside(of);
        let (name, events) = (&of.names.1, source.item(event));
        // The first sentence of the events' own says the same as that of the fact.
        let more = events.docs.split_once(". ").map_or("", |(_, more)| more);
        let docs = format!("{} {more}", of.docs);
        line(&mut out, &format!("\n## `{name}`\n\n{}\n", source.said(docs.trim())));
        if !beside.is_empty() {
            fields_table(&mut out, beside.iter().copied(), source);
            line(&mut out, "");
        }
        for field in &beside {
            source.names_in(&field.of, &mut named);
        }
        let Shape::Enum { tag, variants } = &events.shape else { panic!("{event} is an enum") };
        assert_eq!(tag.as_deref(), Some("kind"), "{event}");
        for variant in variants {
            kind(&mut out, name, variant, source);
            let Holds::Fields(fields) = &variant.holds else { panic!("{event} holds fields") };
            for field in fields {
                source.names_in(&field.of, &mut named);
            }
            let of_kind =
                |example: &&Example| example.of == *name && example.kind == variant.names.1;
            if let Some(example) = examples.iter().find(of_kind) {
                line(&mut out, &format!("```json\n{}\n```\n", example.line));
            }
        }
        out.truncate(out.trim_end().len());
        line(&mut out, "");
    }
    line(&mut out, "\n## Values");
    for name in named {
        values(&mut out, &name, source.item(&name), source);
    }
    out
}

fn kind(out: &mut String, of: &str, variant: &Variant, source: &Source) {
    line(out, &format!("### `{of}` `{}`\n\n{}\n", variant.names.1, source.said(&variant.docs)));
    if let Holds::Fields(fields) = &variant.holds
        && !fields.is_empty()
    {
        fields_table(out, fields, source);
        line(out, "");
    }
}

fn fields_table<'a>(
    out: &mut String,
    fields: impl IntoIterator<Item = &'a Field>,
    source: &Source,
) {
    line(out, "| field | JSON | unit | given | what it is |\n|---|---|---|---|---|");
    for Field { name, docs, of, given } in fields {
        let given = match given {
            Given::Always => "always",
            Given::OrNull => "or null",
            Given::OrLeftOut => "or left out",
        };
        let (json, unit, docs) = (json(of, source), unit(name, of), source.said(docs));
        line(out, &format!("| `{name}` | {json} | {unit} | {given} | {docs} |"));
    }
}

fn unit(name: &str, of: &str) -> &'static str {
    let by_type = PLAIN.iter().find(|(plain, ..)| *plain == of).map_or("", |(.., unit)| unit);
    let by_name = UNITS.iter().find(|(end, _)| name.ends_with(end)).map(|(_, unit)| *unit);
    if by_type.is_empty() { by_name.unwrap_or("") } else { by_type }
}

/// A type in JSON terms.
fn json(of: &str, source: &Source) -> String {
    if let Some(inner) = inside(of, "Private") {
        return json(inner, source);
    }
    if let Some(inner) = inside(of, "Vec") {
        return format!("array of: {}", json(inner, source));
    }
    if let Some((_, plain, _)) = PLAIN.iter().find(|(plain, ..)| *plain == of) {
        return (*plain).to_owned();
    }
    source.item(of); // or it says what is missing
    format!("[`{of}`](#{})", of.to_lowercase())
}

/// Whether JSON terms are told for it.
pub fn is_plain(of: &str) -> bool {
    PLAIN.iter().any(|(plain, ..)| *plain == of)
}

/// The JSON term of a plain type: its first word.
pub fn plain_term(of: &str) -> &'static str {
    let term = PLAIN.iter().find(|(plain, ..)| *plain == of).map_or("", |(_, term, _)| term);
    term.split([' ', ',']).next().unwrap_or("")
}

fn values(out: &mut String, name: &str, item: &Item, source: &Source) {
    line(out, &format!("\n### `{name}`\n\n{}\n", source.said(&item.docs)));
    let (tag, variants) = match &item.shape {
        Shape::Struct(fields) => return fields_table(out, fields, source),
        Shape::Enum { tag, variants } => (tag, variants),
    };
    line(out, "| JSON | what it is | further fields |\n|---|---|---|");
    for Variant { names: (_, name), docs, holds } in variants {
        let (value, further) = match (tag, holds) {
            (Some(tag), Holds::Fields(fields)) => {
                let more = if fields.is_empty() { "" } else { ", …" };
                (format!("{{\"{tag}\": \"{name}\"{more}}}"), fields.as_slice())
            }
            (None, Holds::Fields(fields)) if fields.is_empty() => {
                (format!("\"{name}\""), fields.as_slice())
            }
            (None, Holds::One(of)) => {
                let of = json(of, source);
                line(out, &format!("| `{{\"{name}\": …}}` of {of} | {} | |", source.said(docs)));
                continue;
            }
            other => panic!("{name}: {other:?} is not known here"),
        };
        let further: Vec<String> = further
            .iter()
            .map(|field| {
                let (json, unit) = (json(&field.of, source), unit(&field.name, &field.of));
                let terms = [json.as_str(), unit].into_iter().filter(|term| !term.is_empty());
                let terms = terms.collect::<Vec<_>>().join(", ");
                format!("`{}` ({terms}): {}", field.name, source.said(&field.docs))
            })
            .collect();
        line(out, &format!("| `{value}` | {} | {} |", source.said(docs), further.join(" ")));
    }
}

fn line(out: &mut String, said: &str) {
    writeln!(out, "{said}").expect("into a String");
}
