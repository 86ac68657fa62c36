//! Keys that an agent presses in a conversation (`[in_call]` of the plan): gathered into a code and the
//! number behind it. What came of them is `by_keys`' business.

use super::floor::{Floor, Turn};
use super::timers::Timer;
use crate::base::{LegId, Mono, Number};
use crate::dialplan::InCall;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long the next key is awaited; a number is taken as pressed to its end then, a code is forgotten.
const NEXT_KEY: Duration = Duration::from_secs(3);

/// Digits of a number; no number of the plan or the network has more.
const MOST_DIGITS: usize = 15;

/// What was pressed so far.
#[derive(Debug)]
enum Typed {
    Code(String),
    Number(InCall, String),
}

/// What a phone wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) what: InCall,
    /// There for what wants one.
    pub(super) number: Option<Number>,
}

/// Phones at which somebody is pressing keys; an entry lives three seconds at most without a key.
#[derive(Debug, Default)]
pub(super) struct Keypads(BTreeMap<LegId, (Typed, Option<Mono>)>);

impl Keypads {
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Floor {
    /// An agent pressed a key in a conversation.
    pub(super) fn pressed(&mut self, leg: LegId, key: char, turn: &Turn<'_>) -> Option<Wanted> {
        if self.plan.in_call.is_empty() {
            return None;
        }
        let before = self.keypads.0.remove(&leg);
        let (typed, mut timer) = match before {
            Some((typed, timer)) => (Some(typed), timer),
            None => (None, None),
        };
        let (left, wish) = match typed {
            Some(Typed::Number(what, digits)) => numbered(what, digits, key),
            Some(Typed::Code(code)) => self.coded(code, key),
            None => self.coded(String::new(), key),
        };
        let until = left.is_some().then(|| turn.now.mono + NEXT_KEY);
        self.timers.set(Timer::Keypad(leg), &mut timer, until);
        if let Some(left) = left {
            self.keypads.0.insert(leg, (left, timer));
        }
        wish
    }

    fn coded(&self, mut code: String, key: char) -> (Option<Typed>, Option<Wanted>) {
        // A star or a hash begins anew, wherever it stands.
        if matches!(key, '*' | '#') {
            code.clear();
        } else if code.is_empty() {
            return (None, None);
        }
        code.push(key);
        match self.plan.in_call.get(&code) {
            Some(what) if what.wants_number() => (Some(Typed::Number(*what, String::new())), None),
            Some(what) => (None, Some(Wanted { what: *what, number: None })),
            None => {
                let begins = self.plan.in_call.keys().any(|known| known.starts_with(&code));
                (begins.then_some(Typed::Code(code)), None)
            }
        }
    }

    /// No key came any more.
    pub(super) fn keypad_due(&mut self, leg: LegId) -> Option<Wanted> {
        let (typed, _) = self.keypads.0.remove(&leg)?;
        match typed {
            Typed::Number(what, digits) if !digits.is_empty() => Some(wish(what, digits)),
            Typed::Number(..) | Typed::Code(_) => None,
        }
    }
}

fn numbered(what: InCall, mut digits: String, key: char) -> (Option<Typed>, Option<Wanted>) {
    match key {
        '#' if digits.is_empty() => (None, None),
        '#' => (None, Some(wish(what, digits))),
        // Meant otherwise.
        '*' => (None, None),
        digit => {
            digits.push(digit);
            if digits.len() < MOST_DIGITS {
                (Some(Typed::Number(what, digits)), None)
            } else {
                (None, Some(wish(what, digits)))
            }
        }
    }
}

fn wish(what: InCall, digits: String) -> Wanted {
    Wanted { what, number: Some(Number::from(digits)) }
}
