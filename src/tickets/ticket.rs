//! A ticket as far as the figures ask, and no further: no caller, no subject, no category of a site's own.

use crate::base::Wall;
use serde::Serialize;
use std::collections::BTreeSet;

/// One ticket. Stamps are in order: nothing of it happened before it was received, nothing was escalated
/// after it was completed, no escalation was answered before it was made. Who makes one sees to that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The ticket system's own name of it.
    pub id: String,
    /// For a phone call, the arrival of the call.
    pub received_at: Wall,
    /// None: it is open.
    pub completed_at: Option<Wall>,
    /// In no particular order; they may overlap.
    pub escalations: Vec<Escalation>,
    /// The first progress report to the caller (経過報告).
    pub reported_at: Option<Wall>,
    /// What it is by nature.
    pub nature: Nature,
    /// Why it is left out of figures.
    pub exclusions: BTreeSet<Exclusion>,
}

/// One turn to the second line (二次サポートへのエスカレーション).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// To whom.
    pub to: EscalatedTo,
    /// When.
    pub at: Wall,
    /// When the desk had its answer; none: it had none.
    pub answered_at: Option<Wall>,
}

/// To whom a ticket is escalated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EscalatedTo {
    /// システム構築業者: No. 4 covers these alone.
    SystemBuilder,
    /// Anybody else.
    Other,
}

/// Whether a first line can solve it at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nature {
    /// It can.
    #[default]
    Ordinary,
    /// It needs technical support by nature, as the suspicion of a virus does.
    Technical,
}

/// Why a ticket is left out of a figure that it would be in. In the order in which they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exclusion {
    /// ウイルス調査: out of No. 2.
    VirusInvestigation,
    /// ベンダー調査: out of No. 2.
    VendorInvestigation,
    /// 時間指定, the caller asked for a time: out of No. 4.
    CallerAskedForTime,
}
