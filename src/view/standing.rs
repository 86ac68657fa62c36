//! Where a call counts: in which figure, on which side of the fraction, or why not. The other way round
//! it is the list of calls behind a figure.

use super::ledger::Line;
use super::outcome::Outcome;
use super::policy::{Place, Policy};
use super::rule::Rule;
use crate::base::{CallId, Wall};
use schemars::JsonSchema;
use serde::Serialize;

/// A figure that calls stand behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// 別紙4 No. 5.
    Abandon,
    /// 別紙4 No. 6.
    Busy,
    /// Answered within the target / offered.
    InTime,
}

impl Figure {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Abandon, Self::Busy, Self::InTime];

    /// As in the API and the commands.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Abandon => "abandon",
            Self::Busy => "busy",
            Self::InTime => "in_time",
        }
    }

    /// In Japanese and in English.
    #[must_use]
    pub const fn said(self) -> (&'static str, &'static str) {
        match self {
            Self::Abandon => ("放棄率（別紙4 No. 5）", "abandon rate (No. 5)"),
            Self::Busy => ("ビジー率（別紙4 No. 6）", "busy rate (No. 6)"),
            Self::InTime => ("応答率（目標時間内）", "answered in time"),
        }
    }

    /// Reads [`Figure::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|figure| figure.name() == name)
    }
}

/// Where a call stands in one figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "stands")]
pub enum Standing {
    /// In the numerator, and so in the total.
    Numerator,
    /// In the total only.
    Total,
    /// Left out.
    Out {
        /// Why.
        why: LeftOut,
        /// The setting that says so, where it is one.
        #[serde(skip_serializing_if = "Option::is_none")]
        setting: Option<&'static str>,
        /// The exclusion, where it is one.
        #[serde(skip_serializing_if = "Option::is_none")]
        exclusion: Option<u32>,
    },
}

/// One side of a figure, as it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The numerator.
    Numerator,
    /// The whole denominator, the numerator with it.
    Total,
    /// What is left out.
    Out,
}

impl Side {
    /// Reads `numerator`, `total` or `out`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "numerator" => Some(Self::Numerator),
            "total" => Some(Self::Total),
            "out" => Some(Self::Out),
            _ => None,
        }
    }

    /// Whether a call that stands so is on it.
    #[must_use]
    pub const fn holds(self, standing: &Standing) -> bool {
        match self {
            Self::Numerator => matches!(standing, Standing::Numerator),
            Self::Total => matches!(standing, Standing::Numerator | Standing::Total),
            Self::Out => matches!(standing, Standing::Out { .. }),
        }
    }
}

/// Why a call is not in a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeftOut {
    /// Its number's calls are in no figure of the contract.
    Uncounted,
    /// It arrived in an excluded period.
    ExcludedPeriod,
    /// Its outcome is not decided yet.
    Undecided,
    /// The contract leaves calls of this outcome out.
    ByContract,
    /// A setting leaves calls of this outcome out.
    BySetting,
    /// It asked for no operator.
    NotOffered,
}

impl LeftOut {
    /// In Japanese and in English.
    #[must_use]
    pub const fn said(self) -> (&'static str, &'static str) {
        match self {
            Self::Uncounted => {
                ("集計対象外の番号への呼", "its number's calls are in no figure of the contract")
            }
            Self::ExcludedPeriod => {
                ("承認された対象外期間の呼", "it arrived in an excluded period")
            }
            Self::Undecided => ("結果がまだ決まっていない", "its outcome is not decided yet"),
            Self::ByContract => {
                ("契約の定義により対象外の結果", "the contract leaves calls of this outcome out")
            }
            Self::BySetting => {
                ("設定により対象外の結果", "a setting leaves calls of this outcome out")
            }
            Self::NotOffered => ("オペレータを求めていない", "it asked for no operator"),
        }
    }
}

/// A call behind a figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Behind {
    /// Which.
    pub call: CallId,
    /// Its arrival, by the wall clock.
    pub arrived_at_ms: Wall,
    /// What was dialled.
    pub number: Option<String>,
    /// The group it asked for last; none until it is over.
    pub group: Option<String>,
    /// Who answered it first; none until it is over.
    pub agent: Option<String>,
    /// What it came to.
    pub outcome: Option<Outcome>,
    /// By which rule.
    pub rule: Option<Rule>,
    /// From asking for an operator to the answer or the end, milliseconds.
    pub wait_ms: Option<u64>,
    /// Where it stands.
    #[serde(flatten)]
    pub standing: Standing,
}

/// Where `line` stands in `figure`.
#[must_use]
pub fn standing(
    line: &Line,
    figure: Figure,
    excluded_by: Option<u32>,
    policy: &Policy,
) -> Standing {
    let out = |why| Standing::Out { why, setting: None, exclusion: None };
    if !line.counted {
        return out(LeftOut::Uncounted);
    }
    if let Some(exclusion) = excluded_by {
        let exclusion = Some(exclusion);
        return Standing::Out { why: LeftOut::ExcludedPeriod, setting: None, exclusion };
    }
    let Some(outcome) = line.outcome() else { return out(LeftOut::Undecided) };
    let place = match figure {
        Figure::Abandon => policy.in_abandon_rate(outcome),
        Figure::Busy => policy.in_busy_rate(outcome),
        Figure::InTime => match line.wait_ms() {
            None => return out(LeftOut::NotOffered),
            Some(wait_ms) if outcome.is_answered() && wait_ms <= policy.answer_target_ms => {
                Place::Hit
            }
            Some(_) => Place::Total,
        },
    };
    match (place, Policy::setting_of(outcome)) {
        (Place::Hit, _) => Standing::Numerator,
        (Place::Total, _) => Standing::Total,
        (Place::Out, None) => out(LeftOut::ByContract),
        (Place::Out, setting) => {
            Standing::Out { why: LeftOut::BySetting, setting, exclusion: None }
        }
    }
}
