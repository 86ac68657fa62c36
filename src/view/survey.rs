//! What callers said when they were asked after a call (満足度調査), by month of the call's arrival.
//!
//! The contract's scale: 満足 100, ほぼ満足 80, 普通 60, やや不満 40, 不満 0 points; the mean of a respondent's
//! answers, then the mean of respondents.

use super::month::Month;
use super::ratio::Ratio;
use crate::base::{SurveyId, kept};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Months and surveys that are kept; the oldest month's leave first.
pub const SURVEYS_KEPT: usize = 1_200;
/// Questions that are told apart.
const QUESTIONS: usize = 10;
/// Points of the keys 1 to 5.
pub const POINTS: [u64; 5] = [100, 80, 60, 40, 0];
/// A multiple of every count of answers from 1 to [`QUESTIONS`]: a respondent's mean times this is whole.
const COMMON: u64 = 2_520;

/// One caller's answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answers {
    pub(super) survey: SurveyId,
    /// By question; 0 for none.
    given: [u8; QUESTIONS],
}

impl Answers {
    pub(super) const fn none(survey: SurveyId) -> Self {
        Self { survey, given: [0; QUESTIONS] }
    }

    /// The last answer to a question counts.
    pub(super) fn give(&mut self, question: u8, answer: u8) {
        let place = usize::from(question).wrapping_sub(1);
        if let Some(given) = self.given.get_mut(place).filter(|_| (1..=5).contains(&answer)) {
            *given = answer;
        }
    }
}

/// All surveys. Equal histories make equal ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Surveys(BTreeMap<(Month, SurveyId), Tally>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Tally {
    asked: u64,
    respondents: u64,
    /// By question and key.
    answers: [[u64; 5]; QUESTIONS],
    /// Means of the respondents together, each times [`COMMON`].
    means: u64,
}

impl Surveys {
    /// A call is over whose caller was asked.
    pub(super) fn add(&mut self, month: Month, answers: &Answers) {
        let tally = self.0.entry((month, answers.survey.clone())).or_default();
        tally.asked = tally.asked.saturating_add(1);
        let (mut points, mut count) = (0_u64, 0_u64);
        for (row, given) in tally.answers.iter_mut().zip(answers.given) {
            let key = usize::from(given).wrapping_sub(1);
            let (Some(cell), Some(worth)) = (row.get_mut(key), POINTS.get(key)) else { continue };
            *cell = cell.saturating_add(1);
            (points, count) = (points.saturating_add(*worth), count.saturating_add(1));
        }
        if let Some(mean) = points.saturating_mul(COMMON).checked_div(count) {
            tally.respondents = tally.respondents.saturating_add(1);
            tally.means = tally.means.saturating_add(mean);
        }
        while self.0.len() > SURVEYS_KEPT {
            self.0.pop_first();
        }
    }

    pub(super) fn of(&self, month: Month) -> Vec<SurveyFigures> {
        let mine = self.0.iter().filter(|((of, _), _)| *of == month);
        mine.map(|((_, survey), tally)| tally.figures(survey)).collect()
    }
}

impl Tally {
    fn figures(&self, survey: &SurveyId) -> SurveyFigures {
        let last = self.answers.iter().rposition(|row| row.iter().any(|count| *count > 0));
        let whole = COMMON.saturating_mul(100).saturating_mul(self.respondents);
        SurveyFigures {
            survey: survey.clone(),
            asked: self.asked,
            respondents: self.respondents,
            answer_rate: Ratio { part: self.respondents, whole: self.asked },
            satisfaction: Ratio { part: self.means, whole },
            answers: self.answers.iter().take(last.map_or(0, |last| last + 1)).copied().collect(),
        }
    }
}

kept!(struct Answers { survey, given });
kept!(struct Tally { asked, respondents, answers, means });

kept!(newtype Surveys);

/// What one survey came to in one month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SurveyFigures {
    /// Which of the plan's.
    pub survey: SurveyId,
    /// Callers who heard the first question.
    pub asked: u64,
    /// Of those, who answered one at least.
    pub respondents: u64,
    /// Respondents / asked.
    pub answer_rate: Ratio,
    /// The mean of the respondents' means / 100, so that its percentage is in points; over nothing when nobody
    /// answered.
    pub satisfaction: Ratio,
    /// Answers by question and key, 1 (満足) first.
    pub answers: Vec<[u64; 5]>,
}

#[cfg(test)]
mod tests {
    use super::{Answers, SURVEYS_KEPT, Surveys};
    use crate::base::SurveyId;
    use crate::view::Month;

    fn answers(given: &[(u8, u8)]) -> Answers {
        let mut answers = Answers::none(SurveyId::from("after-call"));
        for (question, answer) in given {
            answers.give(*question, *answer);
        }
        answers
    }

    #[test]
    fn the_mean_of_each_respondent_comes_before_the_mean_of_all() {
        let month: Month = "2026-10".parse().unwrap();
        let mut surveys = Surveys::default();
        // 100 and 80 and 0 make 60; 40 alone makes 40; one hangs up at the first question.
        surveys.add(month, &answers(&[(1, 1), (2, 2), (3, 5)]));
        surveys.add(month, &answers(&[(1, 4)]));
        surveys.add(month, &answers(&[]));
        let figures = &surveys.of(month)[0];
        assert_eq!((figures.asked, figures.respondents), (3, 2));
        assert_eq!(figures.satisfaction.percent().as_deref(), Some("50.00"));
        assert_eq!(figures.answers, [[1, 0, 0, 1, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 1]]);
        assert!(surveys.of("2026-09".parse().unwrap()).is_empty());
    }

    #[test]
    fn what_is_no_question_or_no_answer_changes_nothing_and_months_are_bounded() {
        let mut surveys = Surveys::default();
        let wrong = answers(&[(0, 1), (11, 1), (255, 3), (1, 0), (1, 6)]);
        assert_eq!(wrong, answers(&[]));
        let first: Month = "2000-01".parse().unwrap();
        for later in (0..).take(SURVEYS_KEPT + 5) {
            surveys.add(first.later(later), &wrong);
        }
        assert_eq!(surveys.0.len(), SURVEYS_KEPT);
        assert!(surveys.of(first).is_empty());
    }
}
