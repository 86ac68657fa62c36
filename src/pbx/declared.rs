//! What people declare about the contract's figures: which of it may be written. What it means for a
//! figure is `view`'s.

use super::api::CommandError;
use super::desk::Desk;
use super::floor::Turn;
use crate::base::{Keep, Kept, Wall, kept};
use crate::event::{ClosedFigures, Fact, FiguresEvent, Means, WarnedRate, Warning};
use std::collections::BTreeMap;

/// Exclusions that one history may have.
pub const MOST_EXCLUSIONS: usize = 1_000;
/// Revisions that one month may have.
pub const MOST_REVISIONS: u32 = 100;
/// Longest exclusion, milliseconds: 400 days.
pub const LONGEST_EXCLUSION_MS: i64 = 400 * 24 * 3_600 * 1_000;

/// Rates of months of which it is remembered what their warning is: two years.
const WARNINGS_KEPT: usize = 48;

/// What a person declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Declaration {
    /// The calls of a period are to be left out, once another person approves it.
    Exclude {
        /// The next free number.
        exclusion: u32,
        /// Calls that arrived then or later.
        from: Wall,
        /// Calls that arrived before then.
        until: Wall,
        /// Why, 1 to 200 characters.
        reason: String,
    },
    /// It holds.
    Approve {
        /// Which.
        exclusion: u32,
    },
    /// It does not, or no longer.
    Withdraw {
        /// Which.
        exclusion: u32,
        /// Why.
        reason: String,
    },
    /// The month's figures are fixed.
    CloseMonth {
        /// Such as `2026-10`.
        month: String,
        /// The next free revision.
        revision: u32,
        /// Why there is another; empty for the first.
        reason: String,
        /// As counted.
        figures: Box<ClosedFigures>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Exclusion {
    /// By whom.
    Entered(String),
    Approved,
    Withdrawn,
}

impl Keep for Exclusion {
    fn keep(&self, out: &mut Vec<u8>) {
        match self {
            Self::Entered(by) => {
                0_u8.keep(out);
                by.keep(out);
            }
            Self::Approved => 1_u8.keep(out),
            Self::Withdrawn => 2_u8.keep(out),
        }
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        Some(match u8::found(from)? {
            0 => Self::Entered(Keep::found(from)?),
            1 => Self::Approved,
            2 => Self::Withdrawn,
            _ => return None,
        })
    }
}

/// What was declared so far, from the history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    exclusions: BTreeMap<u32, Exclusion>,
    /// The last revision of each closed month.
    closed: BTreeMap<String, u32>,
    /// What the warning of each rate of a month turned to last.
    warnings: BTreeMap<(String, WarnedRate), Warning>,
}

kept!(struct Declared { exclusions, closed, warnings });

impl Declared {
    /// Takes in the next entry.
    pub fn apply(&mut self, fact: &Fact) {
        let Fact::Figures { event } = fact else { return };
        match event {
            FiguresEvent::ExclusionEntered { exclusion, author, .. } => {
                self.exclusions.insert(*exclusion, Exclusion::Entered(author.clone()));
            }
            FiguresEvent::ExclusionApproved { exclusion, .. } => {
                self.exclusions.insert(*exclusion, Exclusion::Approved);
            }
            FiguresEvent::ExclusionWithdrawn { exclusion, .. } => {
                self.exclusions.insert(*exclusion, Exclusion::Withdrawn);
            }
            FiguresEvent::MonthClosed { month, revision, .. } => {
                self.closed.insert(month.clone(), *revision);
            }
            FiguresEvent::WarningTurned { turn } => {
                self.warnings.insert((turn.month.clone(), turn.rate), turn.to);
                if self.warnings.len() > WARNINGS_KEPT {
                    self.warnings.pop_first();
                }
            }
            FiguresEvent::SettingsChanged { .. }
            | FiguresEvent::WarningTold { .. }
            | FiguresEvent::WarningGivenUp { .. } => {}
        }
    }

    /// Whether the daemon may write this of a warning: a turn must begin where the last one ended, so that
    /// none is written twice.
    fn judge_warning(&self, event: &FiguresEvent) -> Result<(), CommandError> {
        match event {
            FiguresEvent::WarningTurned { turn } => {
                let held = self.warnings.get(&(turn.month.clone(), turn.rate));
                let held = held.copied().unwrap_or(Warning::None);
                let follows = held == turn.from && turn.from != turn.to;
                if follows { Ok(()) } else { Err(CommandError::AlreadySo) }
            }
            FiguresEvent::WarningTold { .. } | FiguresEvent::WarningGivenUp { .. } => Ok(()),
            FiguresEvent::ExclusionEntered { .. }
            | FiguresEvent::ExclusionApproved { .. }
            | FiguresEvent::ExclusionWithdrawn { .. }
            | FiguresEvent::MonthClosed { .. }
            | FiguresEvent::SettingsChanged { .. } => Err(CommandError::NotAWarning),
        }
    }

    /// What is written of a declaration, or why it is refused.
    fn judge(
        &self,
        what: Declaration,
        author: String,
        by: Means,
        now: Wall,
    ) -> Result<FiguresEvent, CommandError> {
        let held = |exclusion| self.exclusions.get(&exclusion).ok_or(CommandError::NoSuchExclusion);
        match what {
            Declaration::Exclude { exclusion, from, until, reason } => {
                if self.exclusions.len() >= MOST_EXCLUSIONS {
                    return Err(CommandError::TooMany);
                }
                let last = self.exclusions.keys().last().copied().unwrap_or(0);
                if last.checked_add(1) != Some(exclusion) {
                    return Err(CommandError::AlreadySo); // Another was entered at the same moment.
                }
                let length = until.0.saturating_sub(from.0);
                if from > now || !(1..=LONGEST_EXCLUSION_MS).contains(&length) {
                    return Err(CommandError::BadPeriod);
                }
                Ok(FiguresEvent::ExclusionEntered { exclusion, from, until, reason, author, by })
            }
            Declaration::Approve { exclusion } => match held(exclusion)? {
                // Width and case are no second person.
                Exclusion::Entered(first) if same_person(first, &author) => {
                    Err(CommandError::SamePerson)
                }
                Exclusion::Entered(_) => {
                    Ok(FiguresEvent::ExclusionApproved { exclusion, author, by })
                }
                Exclusion::Approved | Exclusion::Withdrawn => Err(CommandError::AlreadySo),
            },
            Declaration::Withdraw { exclusion, reason } => match held(exclusion)? {
                Exclusion::Withdrawn => Err(CommandError::AlreadySo),
                Exclusion::Entered(_) | Exclusion::Approved => {
                    Ok(FiguresEvent::ExclusionWithdrawn { exclusion, reason, author, by })
                }
            },
            Declaration::CloseMonth { month, revision, reason, figures } => {
                let last = self.closed.get(&month).copied().unwrap_or(0);
                if last >= MOST_REVISIONS {
                    return Err(CommandError::TooMany);
                }
                if last + 1 != revision {
                    return Err(CommandError::AlreadySo);
                }
                let month =
                    FiguresEvent::MonthClosed { month, revision, reason, author, figures, by };
                Ok(month)
            }
        }
    }
}

/// Whether two names are of one person as far as can be told from them: spaces, case and the width of
/// letters make no difference.
fn same_person(one: &str, other: &str) -> bool {
    let plain = |name: &str| -> String {
        name.chars()
            .filter(|letter| !letter.is_whitespace())
            .map(|letter| match letter {
                // Full-width forms of ASCII (U+FF01 to U+FF5E).
                '\u{ff01}'..='\u{ff5e}' => {
                    char::from_u32(u32::from(letter).saturating_sub(0xfee0)).unwrap_or(letter)
                }
                letter => letter,
            })
            .flat_map(char::to_lowercase)
            .collect()
    };
    plain(one) == plain(other)
}

impl Desk {
    /// Takes over what the history says was declared; once, before any input.
    pub fn restore_declared(&mut self, declared: Declared) {
        self.declared = declared;
    }

    /// A person declares something about the figures.
    pub(super) fn declare(
        &mut self,
        what: Declaration,
        author: String,
        by: Means,
        turn: &mut Turn<'_>,
    ) -> Result<(), CommandError> {
        let event = self.declared.judge(what, author, by, turn.now.wall)?;
        let fact = Fact::Figures { event };
        self.declared.apply(&fact);
        turn.record(fact);
        Ok(())
    }

    /// The daemon writes down what became of a warning.
    pub(super) fn note_warning(
        &mut self,
        event: FiguresEvent,
        turn: &mut Turn<'_>,
    ) -> Result<(), CommandError> {
        self.declared.judge_warning(&event)?;
        let fact = Fact::Figures { event };
        self.declared.apply(&fact);
        turn.record(fact);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Wall = Wall(1_790_816_400_000);

    fn exclude(exclusion: u32, from: i64, until: i64) -> Declaration {
        let (from, until) = (Wall(NOW.0 + from), Wall(NOW.0 + until));
        Declaration::Exclude { exclusion, from, until, reason: "通信障害".to_owned() }
    }

    fn close(revision: u32) -> Declaration {
        let figures = Box::default();
        let (month, reason) = ("2026-09".to_owned(), String::new());
        Declaration::CloseMonth { month, revision, reason, figures }
    }

    #[test]
    fn what_is_declared_is_written_or_refused() {
        let mut declared = Declared::default();
        let approve = |exclusion| Declaration::Approve { exclusion };
        let withdraw = |exclusion| Declaration::Withdraw { exclusion, reason: "誤り".to_owned() };
        let table = [
            ("no period", exclude(1, -10, -10), "佐藤", Err(CommandError::BadPeriod)),
            (
                "it ends before it begins",
                exclude(1, -10, -20),
                "佐藤",
                Err(CommandError::BadPeriod),
            ),
            ("not foreseen", exclude(1, 1, 20), "佐藤", Err(CommandError::BadPeriod)),
            ("401 days", exclude(1, -401 * 86_400_000, 0), "佐藤", Err(CommandError::BadPeriod)),
            ("a number is left out", exclude(2, -20, -10), "佐藤", Err(CommandError::AlreadySo)),
            ("entered", exclude(1, -20, -10), "佐藤 一郎", Ok(())),
            ("its number is taken", exclude(1, -20, -10), "佐藤", Err(CommandError::AlreadySo)),
            ("it may last on", exclude(2, -20, 10), "Sato", Ok(())),
            ("by the same", approve(1), "佐藤一郎", Err(CommandError::SamePerson)),
            ("by the same, in wide letters", approve(2), "ｓａｔＯ", Err(CommandError::SamePerson)),
            ("there is none", approve(3), "鈴木", Err(CommandError::NoSuchExclusion)),
            ("by another", approve(1), "鈴木", Ok(())),
            ("twice", approve(1), "田中", Err(CommandError::AlreadySo)),
            ("taken back although approved", withdraw(1), "佐藤", Ok(())),
            ("taken back twice", withdraw(1), "佐藤", Err(CommandError::AlreadySo)),
            ("approved after that", approve(1), "鈴木", Err(CommandError::AlreadySo)),
            ("taken back before approval", withdraw(2), "佐藤", Ok(())),
            ("the second before the first", close(2), "佐藤", Err(CommandError::AlreadySo)),
            ("closed", close(1), "佐藤", Ok(())),
            ("closed by two at the same moment", close(1), "鈴木", Err(CommandError::AlreadySo)),
            ("another revision", close(2), "鈴木", Ok(())),
        ];
        for (case, what, author, due) in table {
            let judged = declared.judge(what, author.to_owned(), Means::Api, NOW);
            assert_eq!(judged.clone().map(|_| ()), due, "{case}");
            if let Ok(event) = judged {
                declared.apply(&Fact::Figures { event });
            }
        }
    }

    #[test]
    fn declarations_and_revisions_are_bounded() {
        let mut declared = Declared::default();
        for exclusion in 1..=u32::try_from(MOST_EXCLUSIONS).expect("small") {
            declared.exclusions.insert(exclusion, Exclusion::Withdrawn);
        }
        declared.closed.insert("2026-09".to_owned(), MOST_REVISIONS);
        let next = exclude(1_001, -20, -10);
        for what in [next, close(MOST_REVISIONS + 1)] {
            let judged = declared.judge(what, "佐藤".to_owned(), Means::Api, NOW);
            assert_eq!(judged, Err(CommandError::TooMany));
        }
    }

    #[test]
    fn a_turn_is_written_once_and_follows_the_last_one() {
        use crate::event::{Settings, ToldBy, WarnedRate::Abandon, WarningTurn};
        use Warning::{Missed, None as Calm, Projected};
        let mut declared = Declared::default();
        let turned = |month: &str, from, to| FiguresEvent::WarningTurned {
            turn: WarningTurn {
                rate: Abandon,
                month: month.to_owned(),
                from,
                to,
                so_far: (5, 100),
                limit_percent: 10,
                projected: None,
                left_in_month: None,
            },
        };
        let refused = Err(CommandError::AlreadySo);
        let told = FiguresEvent::WarningTold { turn: 1, by: ToldBy::Mail, tries: 1 };
        let table = [
            ("from what it is not", turned("2026-10", Projected, Missed), refused),
            ("the first", turned("2026-10", Calm, Projected), Ok(())),
            ("twice", turned("2026-10", Calm, Projected), refused),
            ("nowhere", turned("2026-10", Projected, Projected), refused),
            ("on", turned("2026-10", Projected, Missed), Ok(())),
            ("another month begins anew", turned("2026-11", Calm, Missed), Ok(())),
            ("told", told, Ok(())),
            (
                "no warning at all",
                FiguresEvent::SettingsChanged { version: 1, settings: Settings::new() },
                Err(CommandError::NotAWarning),
            ),
        ];
        for (case, event, due) in table {
            assert_eq!(declared.judge_warning(&event), due, "{case}");
            if due.is_ok() {
                declared.apply(&Fact::Figures { event });
            }
        }
        for year in 2027..2077 {
            declared.apply(&Fact::Figures { event: turned(&format!("{year}-01"), Calm, Missed) });
        }
        assert_eq!(declared.warnings.len(), WARNINGS_KEPT);
        assert!(
            declared.warnings.contains_key(&("2076-01".to_owned(), Abandon)),
            "the newest stay"
        );
    }
}
