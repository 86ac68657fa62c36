//! The languages that the desk speaks with callers.

use super::PromptId;
use serde::{Deserialize, Serialize};

/// A call's language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Japanese: what is told to all who have not chosen.
    #[default]
    Ja,
    /// English.
    En,
}

impl Language {
    /// As a plan writes it.
    pub const ALL: [(&'static str, Self); 2] = [("ja", Self::Ja), ("en", Self::En)];

    /// Two letters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ja => "ja",
            Self::En => "en",
        }
    }

    /// Of two wordings the one in this language.
    #[must_use]
    pub const fn pick<'a>(self, ja: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Ja => ja,
            Self::En => en,
        }
    }

    /// The prompt as it is told in this language. Whoever plays it falls back to the one of no language where
    /// there is none in this.
    #[must_use]
    pub fn of(self, prompt: &PromptId) -> PromptId {
        match self {
            Self::Ja => prompt.clone(),
            Self::En => PromptId::from(format!("en/{prompt}")),
        }
    }
}
