//! The early warning of a month's rate as a fact: how urgent, when it turned, and what became of telling
//! people outside. When it turns is `view`'s to say; whom it is told is the configuration's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How urgent a rate is, the least first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Warning {
    /// Nothing to say: within, or nothing to judge.
    None,
    /// Within so far, and at the limit or above at the month's end at this pace.
    Projected,
    /// At the limit or above now.
    Missed,
}

impl Warning {
    /// All of them, the least urgent first.
    pub const ALL: [Self; 3] = [Self::None, Self::Projected, Self::Missed];

    /// As in the metrics, the more urgent the higher.
    #[must_use]
    pub const fn level(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Projected => 1,
            Self::Missed => 2,
        }
    }

    /// As in the history.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Projected => "projected",
            Self::Missed => "missed",
        }
    }
}

/// A rate that is warned of.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum WarnedRate {
    /// The abandon rate, 別紙4 No. 5.
    Abandon,
    /// The busy rate, 別紙4 No. 6.
    Busy,
}

impl WarnedRate {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Abandon, Self::Busy];

    /// As in the history and the metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Abandon => "abandon",
            Self::Busy => "busy",
        }
    }
}

/// By what people outside the desk are told.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ToldBy {
    /// A signed POST to the site's own address.
    Webhook,
    /// A mail by the site's server.
    Mail,
}

impl ToldBy {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Webhook, Self::Mail];

    /// As in the history and the metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Mail => "mail",
        }
    }
}

/// Why something was not told at last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Untold {
    /// Nobody could be reached.
    Unreachable,
    /// It was reached, and gave no answer in time.
    TimedOut,
    /// It was too old when a way to tell it was there again.
    TooLate,
    /// It said no.
    Refused {
        /// The answer's status: HTTP's, or SMTP's.
        status: u16,
    },
}

/// How a rate stood when its warning turned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
pub struct WarningTurn {
    /// Which rate.
    pub rate: WarnedRate,
    /// Of which month, such as `2026-10`.
    pub month: String,
    /// What was in force; `none` at a month's beginning.
    pub from: Warning,
    /// What is from now on.
    pub to: Warning,
    /// Numerator and total so far, in calls.
    pub so_far: (u64, u64),
    /// The rate must stay below this, in whole percent.
    pub limit_percent: u32,
    /// Numerator and total at the month's end at this pace, in hundredths of a call; left out before the
    /// first whole day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projected: Option<(u64, u64)>,
    /// So many more calls in the numerator does the month bear; left out before the first whole day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_in_month: Option<u64>,
}
