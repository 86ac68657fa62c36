//! A line of the answer: a mark, what was found, what was due, and the mend.

use crate::dialplan::{Both, Lang, tame};

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// As it should be.
    Ok,
    /// The desk runs; somebody should look.
    Look,
    /// Calls are or will be lost, or a secret is open.
    Wrong,
}

impl Mark {
    /// The same in every language, for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Look => "look",
            Self::Wrong => "wrong",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How it stands.
    pub mark: Mark,
    /// Of what: the same in every language and version.
    pub topic: &'static str,
    /// What was found.
    pub found: Both,
    /// What was due; none when it is well.
    pub due: Option<Both>,
    /// The mend; none when it is well.
    pub mend: Option<Both>,
}

impl Line {
    pub(super) fn ok(topic: &'static str, found: Both) -> Self {
        Self { mark: Mark::Ok, topic, found, due: None, mend: None }
    }

    pub(super) fn not(mark: Mark, topic: &'static str, found: Both, due: Both, mend: Both) -> Self {
        Self { mark, topic, found, due: Some(due), mend: Some(mend) }
    }

    /// As a person reads it.
    #[must_use]
    pub fn render(&self, lang: Lang) -> String {
        let mark = match self.mark {
            Mark::Ok => lang.pick("よし  ", "ok   "),
            Mark::Look => lang.pick("確認  ", "look "),
            Mark::Wrong => lang.pick("要修正", "wrong"),
        };
        let mut text = format!("{mark} {}: {}\n", self.topic, tame(self.found.get(lang)));
        let more = [
            (lang.pick("あるべき姿", "due"), &self.due),
            (lang.pick("直し方", "mend"), &self.mend),
        ];
        for (word, said) in more {
            if let Some(said) = said {
                text.push_str(&format!("         {word}: {}\n", tame(said.get(lang))));
            }
        }
        text
    }
}

/// One thing in both languages.
pub(super) fn both(ja: impl Into<String>, en: impl Into<String>) -> Both {
    Both { ja: ja.into(), en: en.into() }
}
