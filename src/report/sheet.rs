//! The sheet of 別紙4: No. 1 to 6 of a month with numerator, total, limit and verdict. A closed month has the
//! figures of its last revision, whatever is counted now.

use crate::tickets::{self, MonthReport};
use crate::view::{ClosedMonth, Figures, Month, Rate, Ratio, Verdict, Views};
use serde::Serialize;

/// The sheet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sheet {
    /// What No. 5 and 6 are taken from.
    #[serde(flatten)]
    pub basis: Basis,
    /// No. 1 to 6 in order.
    pub lines: Vec<SheetLine>,
    /// No. 5 and 6 as they are counted now; of a closed month they stand beside the closed ones.
    pub counted_now: [SheetLine; 2],
    /// Whether what is counted now is not what the month was closed with.
    pub differs_from_closed: bool,
    /// Every revision of the closed month, the first first.
    pub revisions: Vec<Revision>,
}

/// What the telephone figures are taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "basis")]
pub enum Basis {
    /// The month is open: what is counted now.
    CountedNow,
    /// The month is closed: its last revision.
    Closed {
        /// Which.
        revision: u32,
    },
}

/// One of the contract's figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SheetLine {
    /// As 別紙4 counts them.
    pub no: u8,
    /// For programs.
    pub name: &'static str,
    /// What it comes to; none: there is no data (No. 1 to 4 without tickets).
    pub value: Option<SheetValue>,
    /// What that is worth.
    pub verdict: SheetVerdict,
}

/// A value beside its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum SheetValue {
    /// A part of a whole that must stay below a limit.
    Below {
        /// The exact fraction.
        #[serde(flatten)]
        ratio: Ratio,
        /// Whole percent.
        below_percent: u32,
    },
    /// A figure of tickets.
    Tickets {
        /// Its value and limit.
        value: tickets::Value,
    },
}

/// What a figure is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SheetVerdict {
    /// 達成.
    Met,
    /// 未達成.
    Missed,
    /// 調整期間: shown, not judged.
    Adjustment,
    /// 呼なし: no call to judge.
    NoCalls,
    /// 対象なし: no ticket to judge.
    NoTickets,
    /// 対象データなし: no tickets were given.
    NoData,
}

/// A closed month's revision, as far as the sheet needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Revision {
    /// The whole record.
    #[serde(flatten)]
    pub closed: ClosedMonth,
    /// The abandon rate as the sheet has it.
    pub no_5: SheetLine,
    /// The busy rate as the sheet has it.
    pub no_6: SheetLine,
}

/// What [`Sheet::of`] takes in.
pub(super) struct Counted<'a> {
    pub month: Month,
    /// As counted now, with verdicts.
    pub now: &'a Figures,
    pub differs: bool,
    pub tickets: Option<&'a MonthReport>,
}

impl Sheet {
    /// The sheet with the figures that are in force.
    pub(super) fn of(views: &Views, counted: &Counted<'_>) -> Self {
        let closed = views.closed_month(counted.month);
        let revisions: Vec<Revision> = closed
            .iter()
            .map(|closed| {
                let figures = closed.as_figures(views.policy());
                let [no_5, no_6] = calls(&figures);
                Revision { closed: closed.clone(), no_5, no_6 }
            })
            .collect();
        let counted_now = calls(counted.now);
        let (basis, telephone, adjusts) = match revisions.last() {
            None => {
                let adjusts = views.policy().adjusts(counted.month);
                (Basis::CountedNow, counted_now.clone(), adjusts)
            }
            Some(last) => (
                Basis::Closed { revision: last.closed.revision },
                [last.no_5.clone(), last.no_6.clone()],
                last.closed.figures.adjustment,
            ),
        };
        let mut lines = tickets(counted.tickets, adjusts).to_vec();
        lines.extend(telephone);
        Self { basis, lines, counted_now, differs_from_closed: counted.differs, revisions }
    }

    /// Whether any figure in force misses its limit.
    #[must_use]
    pub fn any_missed(&self) -> bool {
        self.lines.iter().any(|line| line.verdict == SheetVerdict::Missed)
    }
}

fn calls(figures: &Figures) -> [SheetLine; 2] {
    let line = |no, name, rate: Rate| SheetLine {
        no,
        name,
        value: Some(SheetValue::Below {
            ratio: rate.ratio,
            below_percent: rate.limit_percent.percent,
        }),
        verdict: match rate.verdict {
            Verdict::NoCalls => SheetVerdict::NoCalls,
            Verdict::Within => SheetVerdict::Met,
            Verdict::Missed => SheetVerdict::Missed,
            Verdict::Adjustment => SheetVerdict::Adjustment,
        },
    };
    [line(5, "abandon_rate", figures.abandon_rate), line(6, "busy_rate", figures.busy_rate)]
}

/// No. 1 to 4. The adjustment period is the contract's for all its figures.
fn tickets(report: Option<&MonthReport>, adjusts: bool) -> [SheetLine; 4] {
    tickets::ASKED.map(|(no, name, _)| {
        let figure = report.and_then(|it| it.figures.iter().find(|figure| figure.no == no));
        let Some(figure) = figure else {
            return SheetLine { no, name, value: None, verdict: SheetVerdict::NoData };
        };
        let verdict = match figure.verdict {
            tickets::Verdict::NoValue => SheetVerdict::NoTickets,
            _ if adjusts => SheetVerdict::Adjustment,
            tickets::Verdict::Within => SheetVerdict::Met,
            tickets::Verdict::Missed => SheetVerdict::Missed,
        };
        let value = Some(SheetValue::Tickets { value: figure.value });
        SheetLine { no, name, value, verdict }
    })
}
