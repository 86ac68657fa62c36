//! The two telephone figures of the contract and the operating figures, by day and month of arrival.
//!
//! A day keeps counts only; which outcome counts where is asked of the policy when a figure is read,
//! so that a figure can never be older than its definition.

use super::declared::{ClosedMonth, ExclusionRow};
use super::month::Month;
use super::outcome::{Decision, Outcome, PerOutcome};
use super::policy::{Place, Policy};
use super::ratio::{Rate, Ratio};
use super::survey::SurveyFigures;
use crate::base::kept;
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::Serialize;

/// Counts of the calls that arrived on one day, or in several days added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls that arrived, decided or not; those of numbers outside the figures are in `left_out`.
    pub arrived: u64,
    /// Decided calls by outcome.
    pub outcomes: PerOutcome,
    /// Calls to numbers whose calls are left out of every contract figure.
    pub left_out: u64,
    /// Decided calls that had asked for an operator.
    pub offered: u64,
    /// Of those, answered within the policy's target.
    pub in_time: u64,
    /// Waits of the answered calls together, milliseconds.
    pub answer_wait_ms: u64,
    /// The longest wait of any decided call, answered or not, milliseconds.
    pub longest_wait_ms: u64,
    /// Conversations of calls that are over, holds included, milliseconds.
    pub talk_ms: u64,
    /// Holds within them, milliseconds.
    pub hold_ms: u64,
    /// After-call work that followed calls and is over, milliseconds.
    pub wrap_up_ms: u64,
}

kept!(struct Tally { arrived, outcomes, left_out, offered, in_time, answer_wait_ms, longest_wait_ms, talk_ms, hold_ms, wrap_up_ms });

impl Tally {
    /// Counts one decided call.
    pub fn add(&mut self, decision: Decision, policy: &Policy) {
        self.outcomes.add(decision.outcome());
        let Some(wait_ms) = decision.wait_ms else { return };
        self.offered += 1;
        self.longest_wait_ms = self.longest_wait_ms.max(wait_ms);
        if decision.outcome().is_answered() {
            self.answer_wait_ms = self.answer_wait_ms.saturating_add(wait_ms);
            self.in_time += u64::from(wait_ms <= policy.answer_target_ms);
        }
    }

    /// Adds another day's counts.
    pub fn merge(&mut self, other: &Self) {
        self.arrived += other.arrived;
        self.outcomes.merge(&other.outcomes);
        self.left_out += other.left_out;
        self.offered += other.offered;
        self.in_time += other.in_time;
        self.answer_wait_ms = self.answer_wait_ms.saturating_add(other.answer_wait_ms);
        self.longest_wait_ms = self.longest_wait_ms.max(other.longest_wait_ms);
        self.talk_ms = self.talk_ms.saturating_add(other.talk_ms);
        self.hold_ms = self.hold_ms.saturating_add(other.hold_ms);
        self.wrap_up_ms = self.wrap_up_ms.saturating_add(other.wrap_up_ms);
    }

    fn ratio(&self, place: impl Fn(Outcome) -> Place) -> Ratio {
        let mut ratio = Ratio::default();
        for outcome in Outcome::ALL {
            let count = self.outcomes.get(outcome);
            match place(outcome) {
                Place::Out => {}
                Place::Total => ratio.whole += count,
                Place::Hit => {
                    ratio.part += count;
                    ratio.whole += count;
                }
            }
        }
        ratio
    }

    /// The figures under `policy`.
    #[must_use]
    pub fn figures(&self, policy: &Policy) -> Figures {
        let abandon = self.ratio(|outcome| policy.in_abandon_rate(outcome));
        let busy = self.ratio(|outcome| policy.in_busy_rate(outcome));
        let answered =
            self.outcomes.get(Outcome::Answered) + self.outcomes.get(Outcome::AnsweredAfterBusy);
        Figures {
            arrived: self.arrived,
            undecided: self.arrived.saturating_sub(self.outcomes.sum()),
            left_out: self.left_out,
            outcomes: self.outcomes,
            abandon_rate: Rate::new(abandon, policy.abandon_limit),
            busy_rate: Rate::new(busy, policy.busy_limit),
            offered: self.offered,
            answered,
            answered_in_time: Ratio { part: self.in_time, whole: self.offered },
            average_speed_of_answer_ms: self.answer_wait_ms.checked_div(answered),
            longest_wait_ms: self.longest_wait_ms,
            average_talk_ms: self.talk_ms.checked_div(answered),
        }
    }
}

/// What is shown of a day or a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Figures {
    /// Calls that arrived at counted numbers.
    pub arrived: u64,
    /// Of those, not yet decided.
    pub undecided: u64,
    /// Calls to numbers outside the figures.
    pub left_out: u64,
    /// Decided calls by outcome.
    pub outcomes: PerOutcome,
    /// 別紙4 No. 5.
    pub abandon_rate: Rate,
    /// 別紙4 No. 6.
    pub busy_rate: Rate,
    /// Decided calls that had asked for an operator.
    pub offered: u64,
    /// Calls an operator answered, after a busy announcement or without.
    pub answered: u64,
    /// Answered within the target / offered (service level).
    pub answered_in_time: Ratio,
    /// Σ waits of answered calls / answered, whole milliseconds; none when none was answered.
    pub average_speed_of_answer_ms: Option<u64>,
    /// The longest wait of a decided call, answered or not.
    pub longest_wait_ms: u64,
    /// Σ conversations of calls that are over, holds included / answered, whole milliseconds; none when
    /// none was answered.
    pub average_talk_ms: Option<u64>,
}

/// One day of a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DayFigures {
    /// The day, in the desk's zone.
    pub day: NaiveDate,
    /// Its figures.
    #[serde(flatten)]
    pub figures: Figures,
    /// Calls of excluded periods.
    pub excluded: Excluded,
}

/// Calls that arrived in excluded periods: in a line of their own, and in no other figure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Excluded {
    /// How many arrived at counted numbers.
    pub arrived: u64,
    /// Of those decided, by outcome.
    pub outcomes: PerOutcome,
}

impl From<&Tally> for Excluded {
    fn from(tally: &Tally) -> Self {
        Self { arrived: tally.arrived, outcomes: tally.outcomes }
    }
}

/// A month as judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MonthFigures {
    /// Which.
    pub month: Month,
    /// The zone that days and months are taken in.
    pub timezone: &'static str,
    /// The month's figures.
    #[serde(flatten)]
    pub figures: Figures,
    /// Calls of excluded periods.
    pub excluded: Excluded,
    /// What callers said who were asked after their call, by survey.
    pub surveys: Vec<SurveyFigures>,
    /// Exclusions that touch the month, whether they hold or not.
    pub exclusions: Vec<ExclusionRow>,
    /// Days on which a call arrived, in order.
    pub days: Vec<DayFigures>,
    /// The settings used.
    pub policy: Policy,
    /// Their version in the history; 0 while it has none.
    pub settings_version: u32,
    /// The month as it was closed, the first revision first; empty while it is open.
    pub closed: Vec<ClosedMonth>,
    /// Whether what is counted above is not what the last revision says: only another revision changes
    /// what was closed.
    pub differs_from_closed: bool,
}

#[cfg(test)]
mod tests {
    use super::{Decision, Outcome, Policy, Ratio, Tally};
    use crate::view::{Rule, Verdict};

    /// By any rule that gives the outcome.
    fn decision(outcome: Outcome, wait_ms: Option<u64>) -> Decision {
        let rule = Rule::ALL.into_iter().find(|rule| rule.outcome() == outcome);
        Decision { rule: rule.expect("every outcome has a rule"), wait_ms }
    }

    fn tally(counts: &[(Outcome, u64)]) -> Tally {
        let mut tally = Tally::default();
        for (outcome, count) in counts {
            for _ in 0..*count {
                tally.add(decision(*outcome, None), &Policy::default());
            }
        }
        tally
    }

    /// total(5) and total(6) by hand from the definition's §2.
    #[test]
    fn the_two_rates_by_hand() {
        use Outcome::*;
        let all = tally(&[
            (Answered, 80),
            (AnsweredAfterBusy, 3),
            (Abandoned, 5),
            (ShortAbandoned, 7),
            (BusyReleased, 1),
            (Blocked, 2),
            (MenuLeft, 11),
            (MenuServed, 13),
            (Closed, 17),
            (MessageTaken, 19),
            (Failed, 4),
        ]);
        let figures = all.figures(&Policy::default());
        assert_eq!(figures.abandon_rate.ratio, Ratio { part: 9, whole: 95 });
        assert_eq!(figures.busy_rate.ratio, Ratio { part: 6, whole: 102 });
        assert_eq!(figures.abandon_rate.verdict, Verdict::Within);
        assert_eq!(figures.busy_rate.verdict, Verdict::Missed);
        assert_eq!(figures.busy_rate.ratio.percent().as_deref(), Some("5.88"));
    }

    #[test]
    fn ten_in_a_hundred_is_missed_and_one_more_call_saves_it() {
        let mut tally = tally(&[(Outcome::Answered, 90), (Outcome::Abandoned, 10)]);
        let verdict = |tally: &Tally| tally.figures(&Policy::default()).abandon_rate.verdict;
        assert_eq!(verdict(&tally), Verdict::Missed);
        tally.add(decision(Outcome::ShortAbandoned, None), &Policy::default());
        assert_eq!(verdict(&tally), Verdict::Missed, "a one-ring call is not in this total");
        tally.add(decision(Outcome::Answered, None), &Policy::default());
        assert_eq!(verdict(&tally), Verdict::Within);
    }

    #[test]
    fn an_empty_month_has_no_rate() {
        let figures = tally(&[(Outcome::Closed, 3)]).figures(&Policy::default());
        assert_eq!(figures.abandon_rate.verdict, Verdict::NoCalls);
        assert_eq!(figures.abandon_rate.ratio.percent(), None);
        assert_eq!(figures.average_speed_of_answer_ms, None);
    }

    #[test]
    fn waits_make_the_operating_figures() {
        let mut tally = Tally::default();
        for (outcome, wait_ms) in [
            (Outcome::Answered, 20_000),
            (Outcome::Answered, 20_001),
            (Outcome::AnsweredAfterBusy, 1),
            (Outcome::Abandoned, 50_000),
        ] {
            tally.add(decision(outcome, Some(wait_ms)), &Policy::default());
        }
        let figures = tally.figures(&Policy::default());
        assert_eq!(figures.answered_in_time, Ratio { part: 2, whole: 4 });
        assert_eq!(figures.average_speed_of_answer_ms, Some(40_002 / 3));
        assert_eq!(figures.longest_wait_ms, 50_000);
        assert_eq!((figures.offered, figures.answered), (4, 3));
        assert_eq!(figures.average_talk_ms, Some(0));
    }
}
