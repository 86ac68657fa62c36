//! What people declared about the figures: periods left out, months closed, settings and their versions.

use super::ledger::Span;
use super::month::Month;
use crate::base::{Keep, Kept, Wall, kept};
use crate::event::{ClosedFigures, FiguresEvent, Settings};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// A period that somebody wants left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExclusionRow {
    /// Its number.
    pub exclusion: u32,
    /// Calls that arrived then or later.
    pub from_ms: Wall,
    /// Calls that arrived before then.
    pub until_ms: Wall,
    /// Why.
    pub reason: String,
    /// Who entered it, and when.
    pub entered: Signed,
    /// Where it stands.
    #[serde(flatten)]
    pub state: ExclusionState,
}

kept!(struct ExclusionRow { exclusion, from_ms, until_ms, reason, entered, state });

/// Who did something, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Signed {
    /// Who.
    pub author: String,
    /// When, by the wall clock.
    pub at_ms: Wall,
}

kept!(struct Signed { author, at_ms });

/// Where an exclusion stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum ExclusionState {
    /// It waits for another person's approval, and changes nothing.
    Entered,
    /// It holds.
    Approved {
        /// By whom.
        approved: Signed,
    },
    /// It does not hold.
    Withdrawn {
        /// Who had approved it, if anybody had.
        approved: Option<Signed>,
        /// By whom it was withdrawn.
        withdrawn: Signed,
        /// Why.
        why: String,
    },
}

impl Keep for ExclusionState {
    fn keep(&self, out: &mut Vec<u8>) {
        match self {
            Self::Entered => 0_u8.keep(out),
            Self::Approved { approved } => {
                1_u8.keep(out);
                approved.keep(out);
            }
            Self::Withdrawn { approved, withdrawn, why } => {
                2_u8.keep(out);
                approved.keep(out);
                withdrawn.keep(out);
                why.keep(out);
            }
        }
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        Some(match u8::found(from)? {
            0 => Self::Entered,
            1 => Self::Approved { approved: Keep::found(from)? },
            2 => Self::Withdrawn {
                approved: Keep::found(from)?,
                withdrawn: Keep::found(from)?,
                why: Keep::found(from)?,
            },
            _ => return None,
        })
    }
}

/// A month as it was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClosedMonth {
    /// From 1; the last is the one in force.
    pub revision: u32,
    /// Why there is another than the first.
    pub reason: String,
    /// By whom, and when.
    pub closed: Signed,
    /// The figures, as whole numbers.
    #[serde(flatten)]
    pub figures: ClosedFigures,
}

kept!(struct ClosedMonth { revision, reason, closed, figures });

/// All declarations. Bounded by the rules, which let no more in.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Declared {
    exclusions: BTreeMap<u32, ExclusionRow>,
    closed: BTreeMap<Month, Vec<ClosedMonth>>,
    settings: Settings,
    settings_version: u32,
}

kept!(struct Declared { exclusions, closed, settings, settings_version });

impl Declared {
    /// Takes in the next; tells the exclusion that moves calls, and where to: none for back.
    pub(super) fn apply(&mut self, event: &FiguresEvent, at: Wall) -> Option<(u32, Option<Span>)> {
        let signed = |author: &String| Signed { author: author.clone(), at_ms: at };
        match event {
            FiguresEvent::ExclusionEntered { exclusion, from, until, reason, author, by: _ } => {
                let row = ExclusionRow {
                    exclusion: *exclusion,
                    from_ms: *from,
                    until_ms: *until,
                    reason: reason.clone(),
                    entered: signed(author),
                    state: ExclusionState::Entered,
                };
                self.exclusions.entry(*exclusion).or_insert(row);
                None
            }
            FiguresEvent::ExclusionApproved { exclusion, author, by: _ } => {
                let row = self.exclusions.get_mut(exclusion)?;
                if row.state != ExclusionState::Entered {
                    return None;
                }
                row.state = ExclusionState::Approved { approved: signed(author) };
                Some((*exclusion, Some(Span { from: row.from_ms, until: row.until_ms })))
            }
            FiguresEvent::ExclusionWithdrawn { exclusion, reason, author, by: _ } => {
                let row = self.exclusions.get_mut(exclusion)?;
                let approved = match &row.state {
                    ExclusionState::Entered => None,
                    ExclusionState::Approved { approved } => Some(approved.clone()),
                    ExclusionState::Withdrawn { .. } => return None,
                };
                let held = approved.is_some();
                let (withdrawn, why) = (signed(author), reason.clone());
                row.state = ExclusionState::Withdrawn { approved, withdrawn, why };
                held.then_some((*exclusion, None))
            }
            FiguresEvent::MonthClosed { month, revision, reason, author, figures, by: _ } => {
                let month: Month = month.parse().ok()?;
                self.closed.entry(month).or_default().push(ClosedMonth {
                    revision: *revision,
                    reason: reason.clone(),
                    closed: signed(author),
                    figures: (**figures).clone(),
                });
                None
            }
            FiguresEvent::SettingsChanged { version, settings } => {
                (self.settings, self.settings_version) = (settings.clone(), *version);
                None
            }
            // Folded by `turns`.
            FiguresEvent::WarningTurned { .. }
            | FiguresEvent::WarningTold { .. }
            | FiguresEvent::WarningGivenUp { .. } => None,
        }
    }

    pub(super) fn exclusions(&self) -> impl Iterator<Item = &ExclusionRow> {
        self.exclusions.values()
    }

    /// Exclusions that touch the time from `from` until before `until`, whether they hold or not.
    pub(super) fn touching(&self, from: Wall, until: Wall) -> impl Iterator<Item = &ExclusionRow> {
        self.exclusions.values().filter(move |row| row.from_ms < until && from < row.until_ms)
    }

    pub(super) fn closed(&self, month: Month) -> &[ClosedMonth] {
        self.closed.get(&month).map_or(&[], Vec::as_slice)
    }

    /// The settings last written, and their version; 0 before the first.
    pub(super) fn settings(&self) -> (&Settings, u32) {
        (&self.settings, self.settings_version)
    }
}
