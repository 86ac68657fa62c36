//! One call on one sheet: all values that a ticket can have, from the call's own entries.

use super::Values;
use super::value::Value;
use crate::base::{CallId, Language, Private};
use crate::event::{CallerNumber, Entry, Fact};
use crate::view::{CallRow, Outcome, Policy, Pressed, RecordedState, written};

/// What is said of every call in the same way.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The readings of the contract.
    pub policy: Policy,
    /// The zone that times are written in.
    pub zone: chrono_tz::Tz,
    /// The language of the words.
    pub language: Language,
    /// Where the desk's pages are, without a slash at its end.
    pub link: Option<String>,
}

/// A call as far as it is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// As the call list shows it.
    pub row: CallRow,
    /// The last entry that is in it.
    pub through: u64,
    /// The after-call work of its last agent, milliseconds, once it is over.
    pub wrap_up_ms: Option<u64>,
    pressed: Vec<Pressed>,
    hold_ms: u64,
}

impl Sheet {
    /// From the call's entries in order; none when they do not begin with its arrival.
    #[must_use]
    pub fn of(ladder: &[Entry], terms: &Terms, wrap_up_ms: Option<u64>) -> Option<Self> {
        let folded = CallRow::whole_from_ladder(ladder, &terms.policy)?;
        // What the desk told its targets is in the ladder, and no part of the call.
        let last = ladder.iter().rev().find(|entry| !matches!(entry.fact, Fact::Feed { .. }));
        let through = last.map_or(0, |entry| entry.seq);
        let (row, pressed, hold_ms) = (folded.row, folded.pressed, folded.hold_ms);
        Some(Self { row, through, wrap_up_ms, pressed, hold_ms })
    }

    /// Which call.
    #[must_use]
    pub fn call(&self) -> CallId {
        self.row.call
    }

    /// What it came to, once decided.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.row.outcome
    }

    /// All that is known, by name.
    #[must_use]
    pub fn values(&self, terms: &Terms) -> Values {
        let values = Value::ALL.into_iter().filter_map(|(_, value)| {
            let text = self.value(value, terms).filter(|text| !text.is_empty())?;
            Some((value, Private::new(text)))
        });
        values.collect()
    }

    fn value(&self, value: Value, terms: &Terms) -> Option<String> {
        let row = &self.row;
        match value {
            Value::Call => Some(row.call.to_string()),
            Value::Caller => Some(caller(&row.caller.number, terms.language)),
            Value::CallerName => row.caller.name.as_ref().map(|name| name.reveal().clone()),
            Value::Called => Some(row.number.to_string()),
            Value::Group => row.group.as_ref().map(ToString::to_string),
            Value::ArrivedAt => Some(written(row.arrived_at_ms, terms.zone)),
            Value::EndedAt => {
                let length = i64::try_from(row.length_ms?).unwrap_or(i64::MAX);
                let at = row.arrived_at_ms.0.saturating_add(length);
                Some(written(crate::base::Wall(at), terms.zone))
            }
            Value::Agent => row.agent.as_ref().map(ToString::to_string),
            Value::Outcome => row.outcome.map(|outcome| outcome.name().to_owned()),
            Value::WaitS => row.wait_ms.map(seconds),
            Value::TalkS => {
                row.length_ms?;
                let over = row.talks.iter().filter_map(|talk| talk.length_ms);
                Some(seconds(over.sum()))
            }
            Value::HoldS => row.length_ms.map(|_| seconds(self.hold_ms)),
            Value::WrapUpS => self.wrap_up_ms.map(seconds),
            Value::Recording => {
                let link = terms.link.as_deref()?;
                let kept = row.recordings.iter().find(|it| it.state != RecordedState::Failed)?;
                Some(format!("{link}/api/v1/calls/{}/recordings/{}", row.call, kept.number))
            }
            Value::Menu => {
                let keys = self.pressed.iter().map(|it| format!("{}:{}", it.menu, it.keys));
                Some(keys.collect::<Vec<_>>().join(" "))
            }
            Value::Entered => {
                let entered = row.entered.iter();
                let each = entered.map(|it| format!("{}:{}", it.entry, it.digits.reveal()));
                Some(each.collect::<Vec<_>>().join(" "))
            }
        }
    }
}

/// Whole seconds, halves up.
fn seconds(ms: u64) -> String {
    (ms.saturating_add(500) / 1_000).to_string()
}

/// The number, or why there is none.
fn caller(number: &CallerNumber, language: Language) -> String {
    let (ja, en) = match number {
        CallerNumber::Known(number) => return number.reveal().clone(),
        CallerNumber::Withheld => ("非通知", "withheld"),
        CallerNumber::Payphone => ("公衆電話", "payphone"),
        CallerNumber::Unavailable => ("表示圏外", "unavailable"),
        CallerNumber::Erased => ("消去済み", "erased"),
    };
    language.pick(ja, en).to_owned()
}
