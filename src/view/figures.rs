//! What is read of the contract's figures: a day, a month as judged and as closed, the calls behind a
//! figure, a call's place in all of them.

use super::declared::{ClosedMonth, ExclusionRow, ExclusionState};
use super::ledger::Line;
use super::month::Month;
use super::outcome::{Outcome, PerOutcome};
use super::service_level::{DayFigures, Excluded, Figures, MonthFigures, Tally};
use super::standing::{Behind, Figure, Standing, standing};
use super::views::Views;
use crate::base::{CallId, Wall};
use crate::event::ClosedFigures;
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// Why a month cannot be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotYet {
    /// It is not over.
    #[error("the month is not over: a call may still arrive in it")]
    NotOver,
    /// Calls of it have no outcome yet.
    #[error("{0} calls of the month have no outcome yet: wait until they are over")]
    Undecided(u64),
    /// Entries of the history were lost.
    #[error("the history has holes: {0} entries were never written")]
    Holes(u64),
}

/// A call's place in every figure.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Place {
    /// The day of its arrival, in the desk's zone.
    pub day: NaiveDate,
    /// The month that it belongs to.
    pub month: Month,
    /// Where it stands in each figure.
    pub figures: BTreeMap<Figure, Standing>,
    /// Whether that month is closed: its figures are those of the last revision then.
    pub closed: bool,
}

impl Views {
    /// A month as judged, and as it was closed.
    #[must_use]
    pub fn service_level(&self, month: Month) -> MonthFigures {
        let (_, excluded) = self.ledger.tallies(month.first(), month.last());
        let day = |(day, counts, excluded): (NaiveDate, &Tally, &Tally)| DayFigures {
            day,
            figures: Figures {
                left_out: counts.left_out + excluded.left_out,
                ..counts.figures(self.policy())
            },
            excluded: Excluded::from(excluded),
        };
        let closed = self.declared.closed(month).to_vec();
        let differs_from_closed =
            closed.last().is_some_and(|last| !same(&last.figures, &self.figures_of(month)));
        MonthFigures {
            month,
            timezone: self.timezone().name(),
            figures: self.month_figures(month),
            excluded: Excluded::from(&excluded),
            surveys: self.surveys.of(month),
            exclusions: self.exclusions_in(month),
            days: self.ledger.days(month.first(), month.last()).map(day).collect(),
            policy: self.policy().clone(),
            settings_version: self.declared.settings().1,
            closed,
            differs_from_closed,
        }
    }

    /// A month's figures alone, as counted now.
    #[must_use]
    pub fn month_figures(&self, month: Month) -> Figures {
        let (counts, excluded) = self.ledger.tallies(month.first(), month.last());
        let mut figures = counts.figures(self.policy());
        // A number outside the figures is so in an excluded period too.
        figures.left_out += excluded.left_out;
        if self.policy().adjusts(month) {
            figures.abandon_rate = figures.abandon_rate.unjudged();
            figures.busy_rate = figures.busy_rate.unjudged();
        }
        figures
    }

    /// Counts of one day.
    #[must_use]
    pub fn day_tally(&self, day: NaiveDate) -> Tally {
        self.ledger.tallies(day, day).0
    }

    /// Counts of a month.
    #[must_use]
    pub fn month_tally(&self, month: Month) -> Tally {
        self.ledger.tallies(month.first(), month.last()).0
    }

    /// All exclusions by their numbers.
    #[must_use]
    pub fn exclusions(&self) -> Vec<ExclusionRow> {
        self.declared.exclusions().cloned().collect()
    }

    /// The number that the next exclusion must have.
    #[must_use]
    pub fn next_exclusion(&self) -> u32 {
        self.declared.exclusions().last().map_or(1, |row| row.exclusion.saturating_add(1))
    }

    /// A month's revisions, the first first; none while it is open.
    #[must_use]
    pub fn closed_month(&self, month: Month) -> &[ClosedMonth] {
        self.declared.closed(month)
    }

    /// The settings last written into the history, and their version; 0 before the first.
    #[must_use]
    pub fn settings(&self) -> (&crate::event::Settings, u32) {
        self.declared.settings()
    }

    /// What closing the month at `now` would fix.
    ///
    /// # Errors
    ///
    /// [`NotYet`] while its figures can still change by themselves, or are not whole.
    pub fn closing(&self, month: Month, now: Wall) -> Result<ClosedFigures, NotYet> {
        if now < self.ends(month) {
            return Err(NotYet::NotOver);
        }
        if self.holes() > 0 {
            return Err(NotYet::Holes(self.holes()));
        }
        let (counts, excluded) = self.ledger.tallies(month.first(), month.last());
        let open = |tally: &Tally| tally.arrived.saturating_sub(tally.outcomes.sum());
        match open(&counts) + open(&excluded) {
            0 => Ok(self.figures_of(month)),
            undecided => Err(NotYet::Undecided(undecided)),
        }
    }

    fn figures_of(&self, month: Month) -> ClosedFigures {
        let (counts, excluded) = self.ledger.tallies(month.first(), month.last());
        let figures = counts.figures(self.policy());
        let whole = |rate: super::Rate| (rate.ratio.part, rate.ratio.whole);
        let touching = self.declared.touching(self.begins(month), self.ends(month));
        let approved = touching.filter(|row| matches!(row.state, ExclusionState::Approved { .. }));
        ClosedFigures {
            from_seq: 1,
            through_seq: self.last_seq(),
            hash: None,
            arrived: counts.arrived,
            outcomes: named(&counts.outcomes),
            excluded: excluded.arrived,
            excluded_outcomes: named(&excluded.outcomes),
            left_out: counts.left_out + excluded.left_out,
            abandon: whole(figures.abandon_rate),
            busy: whole(figures.busy_rate),
            offered: counts.offered,
            in_time: counts.in_time,
            answer_wait_ms: counts.answer_wait_ms,
            longest_wait_ms: counts.longest_wait_ms,
            adjustment: self.policy().adjusts(month),
            exclusions: approved.map(|row| row.exclusion).collect(),
            settings: self.policy().settings(),
            settings_version: self.declared.settings().1,
        }
    }

    fn exclusions_in(&self, month: Month) -> Vec<ExclusionRow> {
        let (begins, ends) = (self.begins(month), self.ends(month));
        self.declared.touching(begins, ends).cloned().collect()
    }

    /// The month's first instant in the desk's zone.
    fn begins(&self, month: Month) -> Wall {
        month.begins(self.timezone())
    }

    /// The first instant after it.
    fn ends(&self, month: Month) -> Wall {
        self.begins(month.later(1))
    }

    /// The calls that arrived from `first` to `last` and stand in `figure` as `wanted` says, in order of
    /// their first entry.
    pub fn behind<'a>(
        &'a self,
        (first, last): (NaiveDate, NaiveDate),
        figure: Figure,
        wanted: impl Fn(&Standing, Option<Outcome>) -> bool + 'a,
    ) -> impl Iterator<Item = Behind> + 'a {
        self.ledger.lines(first, last).filter_map(move |line| {
            let standing = self.standing_of(line, figure);
            wanted(&standing, line.outcome()).then(|| self.behind_of(line, standing))
        })
    }

    /// One call as it stands in `figure`; none when the ledger has no line of it.
    #[must_use]
    pub fn behind_one(&self, call: CallId, arrived_at: Wall, figure: Figure) -> Option<Behind> {
        let day = self.day_of(arrived_at);
        let line = self.ledger.lines(day, day).find(|line| line.call == call)?;
        Some(self.behind_of(line, self.standing_of(line, figure)))
    }

    fn behind_of(&self, line: &Line, standing: Standing) -> Behind {
        Behind {
            call: line.call,
            arrived_at_ms: line.arrived_at,
            number: self.ledger.number(line).map(str::to_owned),
            group: self.ledger.group(line).map(str::to_owned),
            agent: self.ledger.agent(line).map(str::to_owned),
            outcome: line.outcome(),
            rule: line.rule,
            wait_ms: line.wait_ms(),
            standing,
        }
    }

    fn standing_of(&self, line: &Line, figure: Figure) -> Standing {
        standing(line, figure, self.ledger.excluded_by(line.arrived_at), self.policy())
    }

    /// Where a call that arrived on a day counts; none when the ledger has no line of it.
    #[must_use]
    pub fn place(&self, call: CallId, arrived_at: Wall) -> Option<Place> {
        let day = self.day_of(arrived_at);
        let line = self.ledger.lines(day, day).find(|line| line.call == call)?;
        let month = Month::of(day);
        Some(Place {
            day,
            month,
            figures: Figure::ALL.map(|figure| (figure, self.standing_of(line, figure))).into(),
            closed: !self.declared.closed(month).is_empty(),
        })
    }
}

/// Whether two countings say the same of the calls, however much history they looked at.
fn same(closed: &ClosedFigures, now: &ClosedFigures) -> bool {
    let unstamped = |figures: &ClosedFigures| ClosedFigures {
        from_seq: 0,
        through_seq: 0,
        hash: None,
        settings_version: 0,
        ..figures.clone()
    };
    unstamped(closed) == unstamped(now)
}

fn named(outcomes: &PerOutcome) -> BTreeMap<String, u64> {
    let counted = Outcome::ALL.into_iter().map(|it| (it.name().to_owned(), outcomes.get(it)));
    counted.filter(|(_, count)| *count > 0).collect()
}
