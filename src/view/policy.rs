//! The readings of the contract that are settings, each with its default; every report prints them.
//!
//! Which outcome enters which figure is decided here and nowhere else.

use super::Outcome;
use super::month::Month;
use super::ratio::Limit;
use crate::event::Settings;
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the contract's ambiguous places are read. The default is the agreed reading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// A caller who hangs up within this many milliseconds of arrival, both ends included, without
    /// having heard the busy announcement, has rung once only (ワンコール切り).
    pub short_call_ms: u64,
    /// Which totals leave out one-ring calls.
    pub short_call_excluded_from: ShortCallExcluded,
    /// What `busy_released` and `blocked` are: `busy` or `abandoned`.
    pub released_counts_as: CountsAs,
    /// What `failed` is: `abandoned` or `excluded`.
    pub failed_counts_as: CountsAs,
    /// What `menu_left` is: `excluded` or `abandoned`.
    pub menu_left_counts_as: CountsAs,
    /// What `message_taken` is: `excluded`, `abandoned` or `answered`.
    pub message_taken_counts_as: CountsAs,
    /// The wait, in milliseconds from asking for an operator, that still counts as answered in time.
    pub answer_target_ms: u64,
    /// The abandon rate must stay below this.
    pub abandon_limit: Limit,
    /// The busy rate must stay below this.
    pub busy_limit: Limit,
    /// The first day of service. Its month and the two after it are the adjustment period: their figures
    /// are shown and not judged. Left out: every month is judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_begins: Option<NaiveDate>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            short_call_ms: 3_000,
            short_call_excluded_from: ShortCallExcluded::Abandon,
            released_counts_as: CountsAs::Busy,
            failed_counts_as: CountsAs::Abandoned,
            menu_left_counts_as: CountsAs::Excluded,
            message_taken_counts_as: CountsAs::Excluded,
            answer_target_ms: 20_000,
            abandon_limit: Limit { percent: 10 },
            busy_limit: Limit { percent: 5 },
            service_begins: None,
        }
    }
}

/// What an outcome is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CountsAs {
    /// In both totals, in neither numerator.
    Answered,
    /// In both totals and in the abandon rate's numerator.
    Abandoned,
    /// In both totals and in the busy rate's numerator.
    Busy,
    /// In neither total; shown beside them.
    Excluded,
}

/// Which totals leave out one-ring calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShortCallExcluded {
    /// The abandon rate's only, as the contract says of its No. 5.
    Abandon,
    /// Both.
    AbandonAndBusy,
}

/// Where a call stands in one rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Not in the total.
    Out,
    /// In the total only.
    Total,
    /// In the total and the numerator.
    Hit,
}

/// Months of the adjustment period, that of the first day of service among them.
const ADJUSTMENT_MONTHS: u32 = 3;

impl Policy {
    /// Whether a month's figures are shown and not judged.
    #[must_use]
    pub fn adjusts(&self, month: Month) -> bool {
        self.service_begins.is_some_and(|first| {
            let first = Month::of(first);
            (0..ADJUSTMENT_MONTHS).any(|later| first.later(later) == month)
        })
    }

    /// All settings by name, as they are written into the history.
    #[must_use]
    pub fn settings(&self) -> Settings {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(settings)) => settings.into_iter().collect(),
            // A struct of plain values is always an object.
            _ => Settings::new(),
        }
    }

    /// Reads [`Policy::settings`]; none when they are not all known here.
    #[must_use]
    pub fn from_settings(settings: &Settings) -> Option<Self> {
        serde_json::from_value(settings.clone().into_iter().collect()).ok()
    }

    /// The setting that says where an outcome counts; none: the contract itself does.
    #[must_use]
    pub const fn setting_of(outcome: Outcome) -> Option<&'static str> {
        match outcome {
            Outcome::BusyReleased | Outcome::Blocked => Some("released_counts_as"),
            Outcome::Failed => Some("failed_counts_as"),
            Outcome::MenuLeft => Some("menu_left_counts_as"),
            Outcome::MessageTaken => Some("message_taken_counts_as"),
            Outcome::ShortAbandoned => Some("short_call_excluded_from"),
            Outcome::Answered
            | Outcome::AnsweredAfterBusy
            | Outcome::Abandoned
            | Outcome::MenuServed
            | Outcome::Closed => None,
        }
    }

    fn counts_as(&self, outcome: Outcome) -> CountsAs {
        match outcome {
            Outcome::Answered => CountsAs::Answered,
            Outcome::AnsweredAfterBusy => CountsAs::Busy,
            Outcome::Abandoned => CountsAs::Abandoned,
            // Placed by `short_call_excluded_from` before this is asked.
            Outcome::ShortAbandoned | Outcome::MenuServed | Outcome::Closed => CountsAs::Excluded,
            Outcome::BusyReleased | Outcome::Blocked => self.released_counts_as,
            Outcome::MenuLeft => self.menu_left_counts_as,
            Outcome::MessageTaken => self.message_taken_counts_as,
            Outcome::Failed => self.failed_counts_as,
        }
    }

    /// Which outcomes make the abandon rate: those of the numerator, and those of the total.
    #[must_use]
    pub fn abandon_parts(&self) -> (Vec<Outcome>, Vec<Outcome>) {
        parts(|outcome| self.in_abandon_rate(outcome))
    }

    /// The same of the busy rate.
    #[must_use]
    pub fn busy_parts(&self) -> (Vec<Outcome>, Vec<Outcome>) {
        parts(|outcome| self.in_busy_rate(outcome))
    }

    /// Where `outcome` stands in the abandon rate.
    pub(super) fn in_abandon_rate(&self, outcome: Outcome) -> Place {
        match self.counts_as(outcome) {
            CountsAs::Excluded => Place::Out,
            CountsAs::Abandoned => Place::Hit,
            CountsAs::Answered | CountsAs::Busy => Place::Total,
        }
    }

    /// Where `outcome` stands in the busy rate.
    pub(super) fn in_busy_rate(&self, outcome: Outcome) -> Place {
        if outcome == Outcome::ShortAbandoned {
            return match self.short_call_excluded_from {
                ShortCallExcluded::Abandon => Place::Total,
                ShortCallExcluded::AbandonAndBusy => Place::Out,
            };
        }
        match self.counts_as(outcome) {
            CountsAs::Excluded => Place::Out,
            CountsAs::Busy => Place::Hit,
            CountsAs::Answered | CountsAs::Abandoned => Place::Total,
        }
    }

    /// The first setting whose value has no meaning there: its name and the values that do.
    ///
    /// # Errors
    ///
    /// The setting's name and what is due.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        use CountsAs::{Abandoned, Answered, Busy, Excluded};
        if !matches!(self.released_counts_as, Busy | Abandoned) {
            return Err(("released_counts_as", "busy or abandoned"));
        }
        if !matches!(self.failed_counts_as, Abandoned | Excluded) {
            return Err(("failed_counts_as", "abandoned or excluded"));
        }
        if !matches!(self.menu_left_counts_as, Excluded | Abandoned) {
            return Err(("menu_left_counts_as", "excluded or abandoned"));
        }
        if !matches!(self.message_taken_counts_as, Excluded | Abandoned | Answered) {
            return Err(("message_taken_counts_as", "excluded, abandoned or answered"));
        }
        Ok(())
    }
}

fn parts(place: impl Fn(Outcome) -> Place) -> (Vec<Outcome>, Vec<Outcome>) {
    let of = |wanted: fn(Place) -> bool| {
        Outcome::ALL.into_iter().filter(|outcome| wanted(place(*outcome))).collect()
    };
    (of(|place| place == Place::Hit), of(|place| place != Place::Out))
}

#[cfg(test)]
mod tests {
    use super::{CountsAs, Place, Policy, ShortCallExcluded};
    use crate::view::Outcome;
    use Place::{Hit, Out, Total};

    /// The definition's §2, line by line: outcome → (abandon rate, busy rate).
    #[test]
    fn each_outcome_stands_where_the_contract_puts_it() {
        let table = [
            (Outcome::Answered, Total, Total),
            (Outcome::AnsweredAfterBusy, Total, Hit),
            (Outcome::Abandoned, Hit, Total),
            (Outcome::ShortAbandoned, Out, Total),
            (Outcome::BusyReleased, Total, Hit),
            (Outcome::Blocked, Total, Hit),
            (Outcome::MenuLeft, Out, Out),
            (Outcome::MenuServed, Out, Out),
            (Outcome::Closed, Out, Out),
            (Outcome::MessageTaken, Out, Out),
            (Outcome::Failed, Hit, Total),
        ];
        let policy = Policy::default();
        for (outcome, abandon, busy) in table {
            assert_eq!(policy.in_abandon_rate(outcome), abandon, "{outcome:?} in the abandon rate");
            assert_eq!(policy.in_busy_rate(outcome), busy, "{outcome:?} in the busy rate");
        }
        let (numerator, total) = policy.abandon_parts();
        assert_eq!((numerator, total.len()), (vec![Outcome::Abandoned, Outcome::Failed], 6));
        let (numerator, total) = policy.busy_parts();
        let busy = vec![Outcome::AnsweredAfterBusy, Outcome::BusyReleased, Outcome::Blocked];
        assert_eq!((numerator, total.len()), (busy, 7));
    }

    #[test]
    fn each_policy_moves_its_own_outcomes_and_no_other() {
        type Change = fn(&mut Policy);
        type Moved = &'static [(Outcome, Place, Place)];
        let table: [(&str, Change, Moved); 6] = [
            (
                "released as abandoned",
                |p| p.released_counts_as = CountsAs::Abandoned,
                &[(Outcome::BusyReleased, Hit, Total), (Outcome::Blocked, Hit, Total)],
            ),
            (
                "failed excluded",
                |p| p.failed_counts_as = CountsAs::Excluded,
                &[(Outcome::Failed, Out, Out)],
            ),
            (
                "menu left as abandoned",
                |p| p.menu_left_counts_as = CountsAs::Abandoned,
                &[(Outcome::MenuLeft, Hit, Total)],
            ),
            (
                "message as abandoned",
                |p| p.message_taken_counts_as = CountsAs::Abandoned,
                &[(Outcome::MessageTaken, Hit, Total)],
            ),
            (
                "message as answered",
                |p| p.message_taken_counts_as = CountsAs::Answered,
                &[(Outcome::MessageTaken, Total, Total)],
            ),
            (
                "one-ring calls out of both",
                |p| p.short_call_excluded_from = ShortCallExcluded::AbandonAndBusy,
                &[(Outcome::ShortAbandoned, Out, Out)],
            ),
        ];
        let agreed = Policy::default();
        for (case, change, moved) in table {
            let mut policy = Policy::default();
            change(&mut policy);
            assert_eq!(policy.check(), Ok(()), "{case}");
            for outcome in Outcome::ALL {
                let due = moved.iter().find(|(o, ..)| *o == outcome).map_or(
                    (agreed.in_abandon_rate(outcome), agreed.in_busy_rate(outcome)),
                    |(_, abandon, busy)| (*abandon, *busy),
                );
                let found = (policy.in_abandon_rate(outcome), policy.in_busy_rate(outcome));
                assert_eq!(found, due, "{case}: {outcome:?}");
            }
        }
    }

    #[test]
    fn a_setting_without_meaning_is_named() {
        let policy = Policy { failed_counts_as: CountsAs::Busy, ..Policy::default() };
        assert_eq!(policy.check(), Err(("failed_counts_as", "abandoned or excluded")));
    }
}
