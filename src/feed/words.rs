//! The words of tickets and of what is added to them.

use super::sheet::{Sheet, Terms};
use super::value::Value;
use super::{Addition, NewTicket, Values};
use crate::base::{CallId, Private, Wall};
use crate::event::{CallbackEnd, CallbackEvent, Entry, Fact, NoteEvent};
use crate::view::{Outcome, StepKind};

/// Characters of a subject; what is more is cut. Redmine and Request Tracker take 255 and 200.
pub const SUBJECT_BOUND: usize = 200;

/// A subject with places for values, such as `電話 {caller} {outcome}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Words(String),
    Value(Value),
}

/// Why a text is no [`Template`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTemplate {
    /// A brace without its other half.
    #[error("a brace has no other half")]
    Brace,
    /// There is no value of this name.
    #[error("there is no value {found}")]
    NoSuchValue {
        /// What stands there.
        found: String,
    },
    /// Nothing, or a line's end.
    #[error("due is one line of 1 to 200 characters")]
    NoLine,
}

impl Template {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// [`BadTemplate`].
    pub fn read(text: &str) -> Result<Self, BadTemplate> {
        if text.trim().is_empty()
            || text.chars().count() > SUBJECT_BOUND
            || text.chars().any(char::is_control)
        {
            return Err(BadTemplate::NoLine);
        }
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((words, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or(BadTemplate::Brace)?;
            let value = Value::named(name)
                .ok_or_else(|| BadTemplate::NoSuchValue { found: name.to_owned() })?;
            parts.push(Part::Words(words.to_owned()));
            parts.push(Part::Value(value));
            rest = after;
        }
        if rest.contains('}')
            || parts.iter().any(|it| matches!(it, Part::Words(it) if it.contains('}')))
        {
            return Err(BadTemplate::Brace);
        }
        parts.push(Part::Words(rest.to_owned()));
        Ok(Self { text: text.to_owned(), parts })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn filled(&self, sheet: &Sheet, values: &Values, terms: &Terms) -> String {
        let parts = self.parts.iter().map(|part| match part {
            Part::Words(words) => words.clone(),
            Part::Value(Value::Outcome) => {
                sheet.outcome().map_or_else(String::new, |outcome| outcome_said(outcome, terms))
            }
            Part::Value(value) => {
                values.get(value).map_or_else(String::new, |it| it.reveal().clone())
            }
        });
        let whole: String = parts.collect();
        // A caller's name may hold anything.
        let one_line = whole.split(char::is_control).collect::<Vec<_>>().join(" ");
        one_line.trim().chars().take(SUBJECT_BOUND).collect()
    }
}

/// By this a repetition is known: the same for every try of a step, and another for every other step. It
/// stands in the last line of what a target is handed.
#[must_use]
pub fn key(call: CallId, seq: u64, kind: &str) -> String {
    format!("{call}:{seq}:{kind}")
}

fn outcome_said(outcome: Outcome, terms: &Terms) -> String {
    let english = outcome.name().replace('_', " ");
    terms.language.pick(outcome.japanese(), &english).to_owned()
}

/// The ticket of a call. `notes` are those written before it was decided.
#[must_use]
pub fn new_ticket(
    sheet: &Sheet,
    (seq, at): (u64, Wall),
    subject: &Template,
    notes: &[Entry],
    terms: &Terms,
) -> NewTicket {
    let key = key(sheet.call(), seq, StepKind::Open.name());
    let values = sheet.values(terms);
    let mut lines = lines(sheet, &values, terms);
    lines.extend(notes.iter().filter_map(|entry| note(entry, terms)));
    lines.push(mark(&key));
    NewTicket {
        call: sheet.call(),
        at,
        subject: Private::new(subject.filled(sheet, &values, terms)),
        text: Private::new(lines.join("\n")),
        values,
        key,
    }
}

/// Every value that is known, a line each.
fn lines(sheet: &Sheet, values: &Values, terms: &Terms) -> Vec<String> {
    let line = |(value, text): (&Value, &Private<String>)| {
        let (ja, en) = value.said();
        let text = match value {
            Value::Outcome => {
                sheet.outcome().map_or_else(String::new, |it| outcome_said(it, terms))
            }
            _ => text.reveal().clone(),
        };
        format!("{}: {text}", terms.language.pick(ja, en))
    };
    values.iter().map(line).collect()
}

/// Words that a person wrote, with the key that belongs there and no other.
#[must_use]
pub fn replaced(text: &Private<String>, key: &str) -> Private<String> {
    let lines = text.reveal().lines().filter(|line| !line.starts_with(MARK));
    let words = lines.collect::<Vec<_>>().join("\n");
    Private::new(format!("{}\n{}", words.trim_end(), mark(key)))
}

/// How the line with the key begins.
const MARK: &str = "[madoguchi ";

/// The line with the key: by it what was handed over is found again.
#[must_use]
pub fn mark(key: &str) -> String {
    format!("{MARK}{key}]")
}

/// What is added for a step behind the first. `entry` is the one that made it due, `of` the sheet of the call
/// that it is about: the ticket's own, but for a later call of the same caller.
#[must_use]
pub fn addition(
    ticket_of: CallId,
    of: &Sheet,
    (seq, at, kind): (u64, Wall, StepKind),
    entry: Option<&Entry>,
    terms: &Terms,
) -> Addition {
    let key = key(ticket_of, seq, kind.name());
    let values = of.values(terms);
    let words = match kind {
        // A ticket that is still to be opened has its own words.
        StepKind::Open | StepKind::WrapUp { .. } => None,
        StepKind::Ended => Some(ended(&values, terms)),
        StepKind::Note => entry.and_then(|entry| note(entry, terms)),
        StepKind::CalledBack => entry.and_then(|entry| called_back(entry, terms)),
        StepKind::LaterCall { .. } => Some(later(of, &values, terms)),
    };
    let text = words.map(|words| Private::new(format!("{words}\n{}", mark(&key))));
    // Another call's values have no place in this ticket's fields.
    let own = of.call() == ticket_of;
    let values = if own { values } else { Values::new() };
    Addition { call: ticket_of, key, kind: kind.name(), at, text, values }
}

fn ended(values: &Values, terms: &Terms) -> String {
    let title = terms.language.pick("通話が終わりました。", "The call is over.");
    let shown = [Value::EndedAt, Value::TalkS, Value::HoldS, Value::Recording];
    let rows = shown.iter().filter_map(|value| {
        let (ja, en) = value.said();
        Some(format!("{}: {}", terms.language.pick(ja, en), values.get(value)?.reveal()))
    });
    std::iter::once(title.to_owned()).chain(rows).collect::<Vec<_>>().join("\n")
}

fn note(entry: &Entry, terms: &Terms) -> Option<String> {
    let Fact::Note { event: NoteEvent::Noted { agent, text, .. }, .. } = &entry.fact else {
        return None;
    };
    let title = terms.language.pick("メモ", "Note");
    Some(format!("{title} ({agent}): {}", text.reveal()))
}

fn called_back(entry: &Entry, terms: &Terms) -> Option<String> {
    let Fact::Callback { event: CallbackEvent::Ended { why }, .. } = &entry.fact else {
        return None;
    };
    let (ja, en) = match why {
        CallbackEnd::Answered => {
            ("折り返しに応答がありました。", "The caller was called back and answered.")
        }
        CallbackEnd::GaveUp => {
            ("折り返しに応答がありませんでした。", "The caller was called back and did not answer.")
        }
        CallbackEnd::Lapsed => {
            ("折り返しの期限が過ぎました。", "The wish to be called back lapsed.")
        }
        CallbackEnd::Cancelled { .. } => {
            ("折り返しは取り消されました。", "The wish to be called back was cancelled.")
        }
    };
    Some(terms.language.pick(ja, en).to_owned())
}

fn later(sheet: &Sheet, values: &Values, terms: &Terms) -> String {
    let title =
        terms.language.pick("同じ発信者から着信がありました。", "The same caller called again.");
    std::iter::once(title.to_owned())
        .chain(lines(sheet, values, terms))
        .collect::<Vec<_>>()
        .join("\n")
}
