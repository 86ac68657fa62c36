//! Reads TOML with positions: every look at a table adds to the findings instead of stopping, so that
//! one reading tells everything that is wrong. Shared by plans and by the daemon's own settings.

use super::finding::{Findings, nearest};
use super::shape::{Kind, Shape, TextRule, half_width, show};
use super::values;
use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Longest file that is read, bytes.
pub(crate) const MOST_BYTES: usize = 4 << 20;

/// A value and the bytes where it stands.
#[derive(Clone, Debug)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Range<usize>,
}

impl<T> At<T> {
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> At<U> {
        At { value: change(self.value), span: self.span }
    }
}

/// Reads a whole text as a table; none when it is no TOML, which the findings then say.
pub(crate) fn document<'t>(out: &mut Findings<'t>) -> Option<Spanned<DeTable<'t>>> {
    let text = out.source().text();
    if text.len() > MOST_BYTES {
        out.whole(Shape::TooLong { bytes: text.len(), most: MOST_BYTES });
        return None;
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    // What follows from a broken line would only hide it: the rest is looked at once this is TOML.
    if errors.is_empty() {
        return Some(table);
    }
    for error in errors {
        let message = error.message().replace('\n', ", ");
        match error.span() {
            Some(span) => {
                let problem = full_width(text, &span).unwrap_or(Shape::Syntax { message });
                out.at(&span, problem);
            }
            None => out.whole(Shape::Syntax { message }),
        }
    }
    None
}

/// What stands at a broken place, or right behind it, when it is full-width: the slip of nearly
/// everybody who writes TOML with a Japanese input method.
fn full_width(text: &str, span: &Range<usize>) -> Option<Shape> {
    let marked = text.get(span.clone())?;
    let next = text.get(span.end..)?.chars().next();
    let found: Vec<char> =
        marked.chars().chain(next).filter(|c| half_width(*c).is_some()).take(8).collect();
    let due: String = found.iter().copied().filter_map(half_width).collect();
    (!found.is_empty()).then(|| Shape::FullWidth { found: found.into_iter().collect(), due })
}

/// A value of a table under its key.
#[derive(Clone, Debug)]
pub(crate) struct Item<'a, 't> {
    /// As people name it: the last part of the way.
    pub(crate) key: String,
    pub(crate) span: Range<usize>,
    value: &'a DeValue<'t>,
}

/// A table while it is read: what was asked for is what is known.
pub(crate) struct Table<'a, 't> {
    /// None when the table is not written at all.
    entries: Option<&'a DeTable<'t>>,
    /// Where the table begins, for what is missing in it.
    pub(crate) span: Range<usize>,
    known: Vec<&'static str>,
}

impl<'a, 't> Table<'a, 't> {
    pub(crate) fn new(table: &'a Spanned<DeTable<'t>>) -> Self {
        Self { entries: Some(table.get_ref()), span: table.span(), known: Vec::new() }
    }

    /// The same place with nothing written: what a table that was left out means.
    pub(crate) fn empty(&self) -> Self {
        Self { entries: None, span: self.span.clone(), known: Vec::new() }
    }

    /// The value of a key, if it is there.
    pub(crate) fn get(&mut self, key: &'static str) -> Option<Item<'a, 't>> {
        self.known.push(key);
        let value = self.entries?.get(key)?;
        Some(Item { key: key.to_owned(), span: value.span(), value: value.get_ref() })
    }

    /// Where a key itself stands; the table's beginning when it does not.
    pub(crate) fn key_span(&self, key: &str) -> Range<usize> {
        self.entries
            .and_then(|entries| entries.get_key_value(key))
            .map_or_else(|| self.span.clone(), |(key, _)| key.span())
    }

    /// The value of a key that must be there.
    pub(crate) fn need(
        &mut self,
        key: &'static str,
        example: &'static str,
        out: &mut Findings,
    ) -> Option<Item<'a, 't>> {
        let item = self.get(key);
        if item.is_none() {
            out.at(&self.span, Shape::MissingKey { key: key.to_owned(), example });
        }
        item
    }

    /// Every entry of a table whose keys are names that the file chooses.
    pub(crate) fn entries(self) -> Vec<(At<String>, Item<'a, 't>)> {
        let mut list: Vec<_> = self
            .entries
            .into_iter()
            .flatten()
            .map(|(key, value)| {
                let name = key.get_ref().to_string();
                let item = Item { key: name.clone(), span: value.span(), value: value.get_ref() };
                (At { value: name, span: key.span() }, item)
            })
            .collect();
        // In the order of the text, so that "first in line …" is true.
        list.sort_by_key(|(key, _)| key.span.start);
        list
    }

    /// Whether a key is written.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.is_some_and(|entries| entries.contains_key(key))
    }

    /// How many of the keys asked for so far are written.
    pub(crate) fn written(&self) -> usize {
        self.known
            .iter()
            .filter(|key| self.entries.is_some_and(|entries| entries.contains_key(**key)))
            .count()
    }

    /// Ends the reading: what was never asked for is unknown.
    pub(crate) fn finish(self, out: &mut Findings) {
        let known: BTreeSet<&str> = self.known.iter().copied().collect();
        for (key, _) in self.entries.into_iter().flatten() {
            let name: &str = key.get_ref();
            if !known.contains(name) {
                let problem = Shape::UnknownKey {
                    key: name.to_owned(),
                    known: known.iter().map(|&key| key.to_owned()).collect(),
                    near: nearest(name, known.iter().copied()),
                };
                out.at(&key.span(), problem);
            }
        }
    }

    // The shorthands: a key, its kind, and what it is when it is not written. A wrong value is
    // found, and the fallback stands in for it so that the reading goes on.

    pub(crate) fn name(&mut self, key: &'static str, out: &mut Findings) -> Option<String> {
        self.get(key)?.text(TextRule::Name, out).map(|text| text.value)
    }

    pub(crate) fn flag(&mut self, key: &'static str, default: bool, out: &mut Findings) -> bool {
        self.get(key).and_then(|item| item.flag(out)).unwrap_or(default)
    }

    pub(crate) fn integer(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u64>,
        default: u64,
        out: &mut Findings,
    ) -> u64 {
        self.get(key).and_then(|item| item.integer(range, out)).map_or(default, |found| found.value)
    }

    pub(crate) fn duration(
        &mut self,
        key: &'static str,
        range: RangeInclusive<Duration>,
        default: Duration,
        out: &mut Findings,
    ) -> Duration {
        self.get(key)
            .and_then(|item| item.duration(range, out))
            .map_or(default, |found| found.value)
    }

    pub(crate) fn table(&mut self, key: &'static str, out: &mut Findings) -> Option<Table<'a, 't>> {
        self.get(key)?.table(out)
    }
}

impl<'a, 't> Item<'a, 't> {
    pub(crate) fn kind(&self) -> Kind {
        match self.value {
            DeValue::String(_) => Kind::Text,
            DeValue::Integer(_) => Kind::Integer,
            DeValue::Float(_) => Kind::Float,
            DeValue::Boolean(_) => Kind::Flag,
            DeValue::Datetime(_) => Kind::Date,
            DeValue::Array(_) => Kind::List,
            DeValue::Table(_) => Kind::Table,
        }
    }

    pub(crate) fn is(&self, kind: Kind) -> bool {
        self.kind() == kind
    }

    pub(crate) fn wrong_kind(&self, due: &[Kind], out: &mut Findings) {
        let problem =
            Shape::WrongKind { key: self.key.clone(), found: self.kind(), due: due.to_vec() };
        out.at(&self.span, problem);
    }

    /// A text as it stands.
    pub(crate) fn raw(&self, out: &mut Findings) -> Option<At<String>> {
        if let DeValue::String(text) = self.value {
            return Some(At { value: text.to_string(), span: self.span.clone() });
        }
        self.wrong_kind(&[Kind::Text], out);
        None
    }

    /// A text under a rule.
    pub(crate) fn text(&self, rule: TextRule, out: &mut Findings) -> Option<At<String>> {
        let text = self.raw(out)?;
        if values::obeys(&text.value, rule) {
            return Some(text);
        }
        let problem = Shape::BadText { key: self.key.clone(), found: text.value, rule };
        out.at(&self.span, problem);
        None
    }

    /// One of a closed list of words.
    pub(crate) fn word<T: Copy>(&self, known: &[(&str, T)], out: &mut Findings) -> Option<T> {
        let text = self.raw(out)?;
        let found = known.iter().find(|(word, _)| *word == text.value);
        if found.is_none() {
            let problem = Shape::BadWord {
                key: self.key.clone(),
                near: nearest(&text.value, known.iter().map(|(word, _)| *word)),
                found: text.value,
                known: known.iter().map(|(word, _)| (*word).to_owned()).collect(),
            };
            out.at(&self.span, problem);
        }
        found.map(|(_, value)| *value)
    }

    pub(crate) fn flag(&self, out: &mut Findings) -> Option<bool> {
        if let DeValue::Boolean(flag) = self.value {
            return Some(*flag);
        }
        self.wrong_kind(&[Kind::Flag], out);
        None
    }

    pub(crate) fn integer(
        &self,
        range: RangeInclusive<u64>,
        out: &mut Findings,
    ) -> Option<At<u64>> {
        let DeValue::Integer(digits) = self.value else {
            self.wrong_kind(&[Kind::Integer], out);
            return None;
        };
        let found = u64::from_str_radix(digits.as_str(), digits.radix()).ok();
        if let Some(value) = found.filter(|value| range.contains(value)) {
            return Some(At { value, span: self.span.clone() });
        }
        let problem = Shape::OutOfRange {
            key: self.key.clone(),
            found: digits.to_string(),
            least: range.start().to_string(),
            most: range.end().to_string(),
        };
        out.at(&self.span, problem);
        None
    }

    pub(crate) fn duration(
        &self,
        range: RangeInclusive<Duration>,
        out: &mut Findings,
    ) -> Option<At<Duration>> {
        let text = self.raw(out)?;
        let Some(value) = values::duration(&text.value) else {
            let problem = Shape::BadDuration { key: self.key.clone(), found: text.value };
            out.at(&self.span, problem);
            return None;
        };
        if range.contains(&value) {
            return Some(At { value, span: self.span.clone() });
        }
        let problem = Shape::OutOfRange {
            key: self.key.clone(),
            found: text.value,
            least: show(*range.start()),
            most: show(*range.end()),
        };
        out.at(&self.span, problem);
        None
    }

    pub(crate) fn table(&self, out: &mut Findings) -> Option<Table<'a, 't>> {
        if let DeValue::Table(entries) = self.value {
            return Some(Table {
                entries: Some(entries),
                span: self.span.clone(),
                known: Vec::new(),
            });
        }
        self.wrong_kind(&[Kind::Table], out);
        None
    }

    /// The entries of a list.
    pub(crate) fn list(&self, out: &mut Findings) -> Option<Vec<Item<'a, 't>>> {
        if let DeValue::Array(list) = self.value {
            let entries = list.iter().map(|value| Item {
                key: self.key.clone(),
                span: value.span(),
                value: value.get_ref(),
            });
            return Some(entries.collect());
        }
        self.wrong_kind(&[Kind::List], out);
        None
    }

    /// The entries of a list, or the one that stands alone.
    pub(crate) fn one_or_list(&self) -> Vec<Item<'a, 't>> {
        match self.value {
            DeValue::Array(list) => list
                .iter()
                .map(|value| Item {
                    key: self.key.clone(),
                    span: value.span(),
                    value: value.get_ref(),
                })
                .collect(),
            _ => vec![self.clone()],
        }
    }
}
