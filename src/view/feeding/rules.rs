//! Which calls make a ticket at a target, which only a note, which nothing.

use crate::base::{Keep, Kept, kept};
use crate::view::outcome::Outcome;
use std::collections::BTreeMap;

/// What a call makes at a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Handling {
    /// A ticket of its own.
    Ticket,
    /// A note on the last ticket of the same caller; nothing when there is none.
    Note,
    /// Nothing.
    #[default]
    Nothing,
}

kept!(
    enum Handling {
        Ticket,
        Note,
        Nothing,
    }
);

impl Handling {
    /// As the configuration writes it.
    pub const ALL: [(&'static str, Self); 3] =
        [("ticket", Self::Ticket), ("note", Self::Note), ("none", Self::Nothing)];

    const fn name(self) -> &'static str {
        match self {
            Self::Ticket => "ticket",
            Self::Note => "note",
            Self::Nothing => "none",
        }
    }
}

/// By outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedRules {
    by_outcome: [Handling; Outcome::ALL.len()],
    /// How old the ticket may be that a note is put on, milliseconds.
    pub note_within_ms: u64,
}

/// Why a map holds no [`FeedRules`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("due are outcomes with ticket, note or none, and note_within_ms")]
pub struct NotRules;

const WITHIN: &str = "note_within_ms";

impl Default for FeedRules {
    fn default() -> Self {
        let mut rules = Self { by_outcome: [Handling::Nothing; _], note_within_ms: 86_400_000 };
        for outcome in Outcome::ALL {
            rules.set(outcome, Self::usual(outcome));
        }
        rules
    }
}

impl FeedRules {
    /// What an outcome makes unless the configuration says otherwise: whoever reached the desk, or wanted to
    /// and did not, has a ticket.
    #[must_use]
    pub const fn usual(outcome: Outcome) -> Handling {
        match outcome {
            Outcome::Answered
            | Outcome::AnsweredAfterBusy
            | Outcome::Abandoned
            | Outcome::BusyReleased
            | Outcome::MessageTaken
            | Outcome::Failed => Handling::Ticket,
            Outcome::ShortAbandoned => Handling::Note,
            Outcome::Blocked | Outcome::MenuLeft | Outcome::MenuServed | Outcome::Closed => {
                Handling::Nothing
            }
        }
    }

    /// What calls of this outcome make.
    #[must_use]
    pub fn of(&self, outcome: Outcome) -> Handling {
        self.by_outcome.get(outcome as usize).copied().unwrap_or(Handling::Nothing)
    }

    /// Changes that.
    pub fn set(&mut self, outcome: Outcome, handling: Handling) {
        if let Some(place) = self.by_outcome.get_mut(outcome as usize) {
            *place = handling;
        }
    }

    /// As the history has them.
    #[must_use]
    pub fn written(&self) -> BTreeMap<String, String> {
        let rule =
            |outcome: Outcome| (outcome.name().to_owned(), self.of(outcome).name().to_owned());
        let within = (WITHIN.to_owned(), self.note_within_ms.to_string());
        Outcome::ALL.into_iter().map(rule).chain([within]).collect()
    }

    /// The same read; an outcome that is not named makes nothing.
    ///
    /// # Errors
    ///
    /// [`NotRules`].
    pub fn read(written: &BTreeMap<String, String>) -> Result<Self, NotRules> {
        let mut rules = Self { by_outcome: [Handling::Nothing; _], note_within_ms: 0 };
        for (name, word) in written {
            if name == WITHIN {
                rules.note_within_ms = word.parse().map_err(|_| NotRules)?;
                continue;
            }
            let outcome = Outcome::from_name(name).ok_or(NotRules)?;
            let known = Handling::ALL.iter().find(|(known, _)| known == word);
            rules.set(outcome, known.ok_or(NotRules)?.1);
        }
        Ok(rules)
    }
}

impl Keep for FeedRules {
    fn keep(&self, out: &mut Vec<u8>) {
        self.by_outcome.keep(out);
        self.note_within_ms.keep(out);
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        Some(Self { by_outcome: Keep::found(from)?, note_within_ms: Keep::found(from)? })
    }
}
