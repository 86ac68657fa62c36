//! What people declare about the contract's figures: periods left out, months closed, settings changed.

use super::{Means, ToldBy, Untold, WarningTurn};
use crate::base::Wall;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A declaration about the figures. None changes a call; figures are folds over calls and these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FiguresEvent {
    /// A person wants the calls that arrived in a period left out of the contract's figures because of
    /// an event that could not be foreseen. It changes nothing until another person approves it.
    ExclusionEntered {
        /// Its number, from 1.
        exclusion: u32,
        /// Calls that arrived then or later.
        from: Wall,
        /// Calls that arrived before then.
        until: Wall,
        /// Why.
        reason: String,
        /// Who entered it.
        author: String,
        /// By what.
        by: Means,
    },
    /// Another person approved it: from here on it holds.
    ExclusionApproved {
        /// Which.
        exclusion: u32,
        /// Who approved it.
        author: String,
        /// By what.
        by: Means,
    },
    /// It holds no more, or never will.
    ExclusionWithdrawn {
        /// Which.
        exclusion: u32,
        /// Why.
        reason: String,
        /// Who withdrew it.
        author: String,
        /// By what.
        by: Means,
    },
    /// A month's figures were fixed. What is declared or set later makes a new revision beside this one.
    MonthClosed {
        /// Such as `2026-10`.
        month: String,
        /// From 1; the last is the one in force.
        revision: u32,
        /// Why there is another revision; empty for the first.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
        /// Who closed it.
        author: String,
        /// The figures as closed.
        figures: Box<ClosedFigures>,
        /// By what.
        by: Means,
    },
    /// The settings by which the contract is read are others than before, or are written for the first
    /// time.
    SettingsChanged {
        /// From 1.
        version: u32,
        /// All of them, by name.
        settings: Settings,
    },
    /// The early warning of a month's rate turned, and people outside are to be told. What changes and
    /// does not hold is not written (docs/FIGURES.md, "Being told").
    WarningTurned {
        /// Which, from what to what, and how the rate stood.
        turn: WarningTurn,
    },
    /// A turn was told: the receiver, or the mail server, has it.
    WarningTold {
        /// The entry with which it turned.
        turn: u64,
        /// By what.
        by: ToldBy,
        /// Tries since the daemon's last start, the one that succeeded included.
        tries: u32,
    },
    /// A turn will not be told any more.
    WarningGivenUp {
        /// The entry with which it turned.
        turn: u64,
        /// By what it was to be told.
        by: ToldBy,
        /// Tries since the daemon's last start.
        tries: u32,
        /// What the last try came to.
        untold: Untold,
    },
}

/// Settings by their names.
pub type Settings = BTreeMap<String, serde_json::Value>;

/// A month as it was closed: whole numbers only, so that it can be counted again from the history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
pub struct ClosedFigures {
    /// The first entry of the history in which a call of the month may stand.
    pub from_seq: u64,
    /// The last entry that was looked at.
    pub through_seq: u64,
    /// The history's hash after that entry, hexadecimal; none when it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// Calls that arrived at counted numbers, those of excluded periods not among them.
    pub arrived: u64,
    /// Of those by outcome; what is not named is 0.
    pub outcomes: BTreeMap<String, u64>,
    /// Calls that arrived in excluded periods.
    pub excluded: u64,
    /// Of those by outcome.
    pub excluded_outcomes: BTreeMap<String, u64>,
    /// Calls to numbers outside the figures.
    pub left_out: u64,
    /// The abandon rate: numerator and total.
    pub abandon: (u64, u64),
    /// The busy rate: numerator and total.
    pub busy: (u64, u64),
    /// Calls that had asked for an operator.
    pub offered: u64,
    /// Of those, answered in the target.
    pub in_time: u64,
    /// Waits of answered calls together, milliseconds.
    pub answer_wait_ms: u64,
    /// The longest wait, milliseconds.
    pub longest_wait_ms: u64,
    /// Whether the month is one of the adjustment period: shown, not judged.
    pub adjustment: bool,
    /// Numbers of the exclusions that were approved.
    pub exclusions: Vec<u32>,
    /// The settings used.
    pub settings: Settings,
    /// Their version.
    pub settings_version: u32,
}
