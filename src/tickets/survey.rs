//! No. 7, the yearly satisfaction: the mean of each respondent's answers, then the mean of respondents,
//! as one exact fraction.

use super::value::{Value, Verdict};
use crate::view::Ratio;
use serde::Serialize;

/// Who answered one questionnaire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Respondent {
    /// The questionnaire's name or number.
    pub id: String,
    /// The survey's year, where the file says it.
    pub year: Option<u16>,
    /// What was answered; questions left empty are not here.
    pub answers: Vec<Answer>,
}

/// One answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 満足
    Satisfied,
    /// ほぼ満足
    MostlySatisfied,
    /// 普通
    Neutral,
    /// やや不満
    SomewhatDissatisfied,
    /// 不満
    Dissatisfied,
}

/// Points of the best answer.
const BEST: u64 = 100;

impl Answer {
    /// As the contract weighs it.
    #[must_use]
    pub fn points(self) -> u64 {
        match self {
            Self::Satisfied => BEST,
            Self::MostlySatisfied => 80,
            Self::Neutral => 60,
            Self::SomewhatDissatisfied => 40,
            Self::Dissatisfied => 0,
        }
    }
}

/// A year's survey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SurveyReport {
    /// As 別紙4 counts.
    pub no: u8,
    /// Which.
    pub year: u16,
    /// How many were asked.
    pub asked: u64,
    /// The satisfaction: points / 100, so that its percentage is the mean in points.
    pub satisfaction: Value,
    /// What that is worth.
    pub satisfaction_verdict: Verdict,
    /// Respondents / asked.
    pub answer_rate: Value,
    /// What that is worth.
    pub answer_rate_verdict: Verdict,
    /// The respondents behind it.
    pub counted: Vec<CountedRespondent>,
    /// Lines that gave no answer at all: they are no respondents.
    pub left_out: Vec<String>,
    /// Lines of other years.
    pub of_other_years: usize,
}

/// A respondent in the figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CountedRespondent {
    /// The respondent's.
    pub id: String,
    /// All points together.
    pub points: u64,
    /// Of so many answers.
    pub answers: u64,
}

/// The survey of `year` among so many people; a respondent without a year is of this one. The order of
/// `respondents` does not matter.
#[must_use]
pub fn survey_report(respondents: &[Respondent], year: u16, asked: u64) -> SurveyReport {
    let (mut counted, mut left_out) = (Vec::new(), Vec::new());
    let of_year = |respondent: &&Respondent| respondent.year.is_none_or(|of| of == year);
    for respondent in respondents.iter().filter(of_year) {
        let id = respondent.id.clone();
        let points = respondent.answers.iter().map(|answer| answer.points()).sum();
        match respondent.answers.len() as u64 {
            0 => left_out.push(id),
            answers => counted.push(CountedRespondent { id, points, answers }),
        }
    }
    counted.sort_by(|one, other| one.id.cmp(&other.id));
    left_out.sort();
    let satisfaction = Value::Share { ratio: mean_of_means(&counted), at_least_percent: 75 };
    let ratio = Ratio { part: counted.len() as u64, whole: asked };
    let answer_rate = Value::Share { ratio, at_least_percent: 70 };
    SurveyReport {
        no: 7,
        year,
        asked,
        satisfaction,
        satisfaction_verdict: satisfaction.judged(),
        answer_rate,
        answer_rate_verdict: answer_rate.judged(),
        of_other_years: respondents.len() - respondents.iter().filter(of_year).count(),
        counted,
        left_out,
    }
}

/// (Σ points / answers) / respondents / 100, in lowest terms. With at most 20 answers each the common
/// denominator is at most lcm(1..=20) = 232,792,560, so that nothing overflows below 792 million respondents.
fn mean_of_means(counted: &[CountedRespondent]) -> Ratio {
    let common =
        counted.iter().fold(1, |common, one| common / gcd(common, one.answers) * one.answers);
    let part: u64 = counted.iter().map(|one| one.points * (common / one.answers)).sum();
    let whole = BEST * common * counted.len() as u64;
    match gcd(part, whole) {
        0 => Ratio::default(),
        divisor => Ratio { part: part / divisor, whole: whole / divisor },
    }
}

fn gcd(one: u64, other: u64) -> u64 {
    if other == 0 { one } else { gcd(other, one % other) }
}
