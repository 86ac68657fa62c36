//! Types as the source has them: shapes, doc comments and what serde is told of them.
//!
//! The source is formatted, so a line's indent says what it is: an item stands at the margin, a variant or a
//! struct's field four columns in, a variant's field eight. What this does not know it refuses: a page that
//! leaves something out would be worse than none.

use std::collections::BTreeMap;

/// A struct or an enum that goes into JSON.
#[derive(Debug)]
pub struct Item {
    pub docs: String,
    pub shape: Shape,
}

#[derive(Debug)]
pub enum Shape {
    Struct(Vec<Field>),
    /// With a tag, the variant's name is a field of that name beside its own fields.
    Enum {
        tag: Option<String>,
        variants: Vec<Variant>,
    },
}

#[derive(Debug)]
pub struct Variant {
    /// As the source and as JSON have it.
    pub names: (String, String),
    pub docs: String,
    pub holds: Holds,
}

#[derive(Debug)]
pub enum Holds {
    Fields(Vec<Field>),
    One(String),
}

#[derive(Debug)]
pub struct Field {
    pub name: String,
    pub docs: String,
    pub of: String,
    pub given: Given,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// In every line, never null.
    Always,
    /// In every line, null when there is none.
    OrNull,
    /// Not in the line when there is none.
    OrLeftOut,
}

/// All items of a text that serde writes, by name.
pub fn items(text: &str, into: &mut BTreeMap<String, Item>) {
    let mut lines = Lines { rest: text.lines(), docs: Vec::new(), told: String::new() };
    while let Some((indent, line)) = lines.next() {
        let (docs, told) = lines.taken();
        let Some((kind, name)) = (indent == 0).then(|| opened(line)).flatten() else { continue };
        if !told.contains("Serialize") || told.contains("transparent") {
            continue;
        }
        let shape = match kind {
            "struct" => Shape::Struct(lines.fields(4)),
            _ => {
                assert!(told.contains("rename_all = \"snake_case\""), "{name}: not in snake case");
                Shape::Enum { tag: quoted(&told, "tag = "), variants: lines.variants(name) }
            }
        };
        into.insert(name.to_owned(), Item { docs, shape });
    }
}

fn opened(line: &str) -> Option<(&'static str, &str)> {
    let body = |rest: &'static str| line.strip_prefix(rest)?.strip_suffix(" {");
    let of_struct = body("pub struct ").map(|name| ("struct", name));
    of_struct.or_else(|| body("pub enum ").map(|name| ("enum", name)))
}

/// Lines of code, each behind the doc comments and attributes that stand above it.
struct Lines<'a> {
    rest: std::str::Lines<'a>,
    docs: Vec<&'a str>,
    told: String,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<(usize, &'a str)> {
        loop {
            let whole = self.rest.next()?;
            let line = whole.trim_start();
            if let Some(doc) = line.strip_prefix("///") {
                self.docs.push(doc.trim());
            } else if line.starts_with("#[") {
                self.told += line;
                while !self.told.ends_with(']') {
                    self.told += self.rest.next()?.trim();
                }
            } else if !line.is_empty() && !line.starts_with("//") {
                return Some((whole.len() - line.len(), line));
            }
        }
    }

    fn taken(&mut self) -> (String, String) {
        let docs = std::mem::take(&mut self.docs).join(" ");
        (docs, std::mem::take(&mut self.told))
    }

    /// Up to the brace that ends them.
    fn fields(&mut self, indent: usize) -> Vec<Field> {
        let mut fields = Vec::new();
        while let Some((at, line)) = self.next() {
            let (docs, told) = self.taken();
            if at < indent {
                assert!(["}", "},"].contains(&line), "{line}");
                break;
            }
            let line = line.strip_prefix("pub ").unwrap_or(line);
            let (name, of) = line.split_once(": ").unwrap_or_else(|| panic!("no field: {line}"));
            let of = of.strip_suffix(',').unwrap_or_else(|| panic!("not on one line: {line}"));
            assert!(!told.contains("rename"), "{name} has another name in JSON");
            if told.contains("flatten") {
                continue;
            }
            let of = inside(of, "Box").unwrap_or(of);
            let (of, given) = match (inside(of, "Option"), told.contains("skip_serializing_if")) {
                (Some(inner), false) => (inner, Given::OrNull),
                (Some(inner), true) => {
                    assert!(told.contains("\"Option::is_none\""), "{name}: {told}");
                    (inner, Given::OrLeftOut)
                }
                (None, false) => (of, Given::Always),
                (None, true) => (of, Given::OrLeftOut),
            };
            assert!(!docs.is_empty(), "{name} does not say what it is");
            fields.push(Field { name: name.to_owned(), docs, of: of.to_owned(), given });
        }
        fields
    }

    fn variants(&mut self, of: &str) -> Vec<Variant> {
        let mut variants = Vec::new();
        while let Some((indent, line)) = self.next() {
            let (docs, told) = self.taken();
            if indent == 0 {
                break;
            }
            assert!(!told.contains("serde"), "{of}: {told} is not known here");
            let end = line.find(|c: char| !c.is_alphanumeric()).unwrap_or(line.len());
            let (name, rest) = line.split_at(end);
            let holds = match rest {
                "," => Holds::Fields(Vec::new()),
                " {" => Holds::Fields(self.fields(8)),
                _ => {
                    let one = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix("),"));
                    Holds::One(one.unwrap_or_else(|| panic!("{of}: {line}")).to_owned())
                }
            };
            assert!(!docs.is_empty(), "{of}::{name} does not say what it is");
            variants.push(Variant { names: (name.to_owned(), snake(name)), docs, holds });
        }
        assert!(!variants.is_empty(), "{of} has variants");
        variants
    }
}

/// `Option<X>` → `X`.
pub fn inside<'a>(of: &'a str, wrapper: &str) -> Option<&'a str> {
    of.strip_prefix(wrapper)?.strip_prefix('<')?.strip_suffix('>')
}

fn quoted(told: &str, key: &str) -> Option<String> {
    let rest = told.split_once(key)?.1.strip_prefix('"')?;
    rest.split('"').next().map(str::to_owned)
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
