//! A closed month read again: the figures that it was closed with, in the shape of those that are counted
//! now. Nothing is counted here.

use super::declared::ClosedMonth;
use super::outcome::{Outcome, PerOutcome};
use super::policy::Policy;
use super::ratio::{Rate, Ratio};
use super::service_level::Figures;

impl ClosedMonth {
    /// The settings that it was closed with; none when they are not all known here.
    #[must_use]
    pub fn policy(&self) -> Option<Policy> {
        Policy::from_settings(&self.figures.settings)
    }

    /// As closed. Limits are those of its settings, or of `otherwise` where these are not known. The time of
    /// conversations is not among what a month is closed with.
    #[must_use]
    pub fn as_figures(&self, otherwise: &Policy) -> Figures {
        let closed = &self.figures;
        let policy = self.policy().unwrap_or_else(|| otherwise.clone());
        let rate = |(part, whole), limit| {
            let rate = Rate::new(Ratio { part, whole }, limit);
            if closed.adjustment { rate.unjudged() } else { rate }
        };
        let outcomes = PerOutcome::named(&closed.outcomes);
        let answered = outcomes.get(Outcome::Answered) + outcomes.get(Outcome::AnsweredAfterBusy);
        Figures {
            arrived: closed.arrived,
            undecided: closed.arrived.saturating_sub(outcomes.sum()),
            left_out: closed.left_out,
            outcomes,
            abandon_rate: rate(closed.abandon, policy.abandon_limit),
            busy_rate: rate(closed.busy, policy.busy_limit),
            offered: closed.offered,
            answered,
            answered_in_time: Ratio { part: closed.in_time, whole: closed.offered },
            average_speed_of_answer_ms: closed.answer_wait_ms.checked_div(answered),
            longest_wait_ms: closed.longest_wait_ms,
            average_talk_ms: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::base::Wall;
    use crate::event::ClosedFigures;
    use crate::view::{ClosedMonth, Limit, Outcome, Policy, Ratio, Signed, Verdict};

    #[test]
    fn a_closed_month_says_what_it_was_closed_with() {
        let then = Policy { busy_limit: Limit { percent: 3 }, ..Policy::default() };
        let closed = |settings, adjustment| ClosedMonth {
            revision: 1,
            reason: String::new(),
            closed: Signed { author: "佐藤".to_owned(), at_ms: Wall(0) },
            figures: ClosedFigures {
                arrived: 30,
                outcomes: [("answered".to_owned(), 20), ("blocked".to_owned(), 10)].into(),
                abandon: (0, 30),
                busy: (1, 30),
                offered: 20,
                in_time: 15,
                answer_wait_ms: 50_000,
                adjustment,
                settings,
                ..ClosedFigures::default()
            },
        };
        let figures = closed(then.settings(), false).as_figures(&Policy::default());
        assert_eq!(
            figures.busy_rate.ratio,
            Ratio { part: 1, whole: 30 },
            "as closed, not recounted"
        );
        assert_eq!(figures.busy_rate.verdict, Verdict::Missed, "by the limit of then");
        assert_eq!(figures.average_speed_of_answer_ms, Some(2_500));
        assert_eq!((figures.outcomes.get(Outcome::Blocked), figures.answered), (10, 20));
        assert_eq!(
            closed(then.settings(), true).as_figures(&then).busy_rate.verdict,
            Verdict::Adjustment
        );
        let unknown = [("not_a_setting".to_owned(), serde_json::Value::Null)].into();
        let figures = closed(unknown, false).as_figures(&Policy::default());
        assert_eq!(figures.busy_rate.verdict, Verdict::Within, "by the limit of now");
    }
}
