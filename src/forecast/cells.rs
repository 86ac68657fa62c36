//! What one run came to: the contract's counts by day and half hour of arrival, by the same readings as real calls.

use super::interval::{Interval, interval};
use super::stage::{Told, World, run};
use crate::base::{CallId, Wall};
use crate::event::{CallEvent, Entry, Fact};
use crate::view::{
    By, Figures, OperatingWanted, Policy, Progress, Ratio, Setup, Tally, Views, Window,
    half_hour_place,
};
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// Calls that arrived in one half hour of one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Those that reached the desk.
    pub tally: Tally,
    /// Those that found all lines in use and never did.
    pub lost: u64,
}

impl Cell {
    /// Adds another's.
    pub fn merge(&mut self, other: &Self) {
        self.tally.merge(&other.tally);
        self.lost = self.lost.saturating_add(other.lost);
    }

    /// Callers who count in either rate: over a short time chance alone tells who of the two hangs up first.
    #[must_use]
    pub fn unserved(&self, policy: &Policy) -> u64 {
        let figures = self.tally.figures(policy);
        figures.abandon_rate.ratio.part.saturating_add(figures.busy_rate.ratio.part)
    }

    /// The busy rate as callers met it: those that the carrier refused are busy too. The contract's own figure
    /// cannot see them.
    #[must_use]
    pub fn busy_with_lost(&self, figures: &Figures) -> Ratio {
        let busy = figures.busy_rate.ratio;
        Ratio {
            part: busy.part.saturating_add(self.lost),
            whole: busy.whole.saturating_add(self.lost),
        }
    }
}

/// A fold that counts calls as `view` does.
pub struct Cells {
    policy: Policy,
    zone: chrono_tz::Tz,
    open: BTreeMap<CallId, ((NaiveDate, u8), bool, Progress)>,
    counted: BTreeMap<(NaiveDate, u8), Cell>,
}

impl Cells {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(policy: &Policy, zone: chrono_tz::Tz) -> Self {
        Self { policy: policy.clone(), zone, open: BTreeMap::new(), counted: BTreeMap::new() }
    }

    /// Takes the next entry of a history.
    pub fn apply(&mut self, entry: &Entry) {
        let Fact::Call { call, event, t_ms } = &entry.fact else { return };
        if let CallEvent::Arrived { counted, .. } = event
            && let Some(key) = half_hour_place(entry.at, self.zone)
        {
            self.open.insert(*call, (key, *counted, Progress::default()));
            let tally = &mut self.counted.entry(key).or_default().tally;
            if *counted {
                tally.arrived += 1;
            } else {
                tally.left_out += 1;
            }
        }
        let Some((key, counted, progress)) = self.open.get_mut(call) else { return };
        if let Some(decision) = progress.step(event, *t_ms, &self.policy)
            && *counted
        {
            self.counted.entry(*key).or_default().tally.add(decision, &self.policy);
        }
        if let CallEvent::Ended { .. } = event {
            self.open.remove(call);
        }
    }

    /// A call that the carrier refused.
    pub fn lost(&mut self, at: Wall) {
        if let Some(key) = half_hour_place(at, self.zone) {
            let cell = self.counted.entry(key).or_default();
            cell.lost = cell.lost.saturating_add(1);
        }
    }

    /// By day and half hour of arrival.
    #[must_use]
    pub fn finish(self) -> BTreeMap<(NaiveDate, u8), Cell> {
        self.counted
    }
}

/// A rate over several runs.
#[must_use]
pub fn rate(runs: &[Run], policy: &Policy, of: impl Fn(&Figures) -> Ratio) -> Option<Interval> {
    interval(runs.iter().map(|run| of(&run.total().tally.figures(policy)).as_f64()))
}

/// One run's counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Which.
    pub seed: u64,
    /// By day and half hour (0 to 47) of arrival.
    pub cells: BTreeMap<(NaiveDate, u8), Cell>,
    /// Occupied / ready time of all agents by day, where it was asked for.
    pub occupancy: BTreeMap<NaiveDate, Ratio>,
    /// The same by half hour of the day.
    pub occupancy_at: BTreeMap<u8, Ratio>,
    /// Milliseconds with all lines in use, where it was asked for.
    pub lines_full_ms: u64,
}

impl Run {
    /// Runs a world and counts; with `agents`, also agents' time, which takes half as long again.
    #[must_use]
    pub fn of(world: &World, policy: &Policy, seed: u64, agents: bool) -> Self {
        let mut cells = Cells::new(policy, world.plan.timezone);
        let mut views = agents.then(|| {
            Views::new(Setup {
                desk: world.plan.name.clone(),
                demonstration: true,
                timezone: world.plan.timezone,
                policy: policy.clone(),
                agents: Vec::new(),
            })
        });
        run(world, seed, |told| match told {
            Told::Entry(entry) => {
                cells.apply(entry);
                if let Some(views) = &mut views {
                    views.apply(entry);
                }
            }
            Told::Lost(at) => cells.lost(at),
        });
        let mut run = Self {
            seed,
            cells: cells.finish(),
            occupancy: BTreeMap::new(),
            occupancy_at: BTreeMap::new(),
            lines_full_ms: 0,
        };
        let days = run.cells.first_key_value().zip(run.cells.last_key_value());
        if let (Some(views), Some((((first, _), _), ((last, _), _)))) = (views, days) {
            run.times(&views, Window::days(*first, *last));
        }
        run
    }

    fn times(&mut self, views: &Views, window: Window) {
        let until = Wall(i64::MIN);
        for row in views.operating(&OperatingWanted::all(window, By::Day), until).rows {
            let occupancy = row.agents.map(|agents| agents.occupancy);
            if let (Ok(day), Some(ratio)) = (row.key.parse(), occupancy) {
                self.occupancy.insert(day, ratio);
            }
            self.lines_full_ms += row.lines_full.map_or(0, |full| full.ms);
        }
        for row in views.operating(&OperatingWanted::all(window, By::HalfHour), until).rows {
            let occupancy = row.agents.map(|agents| agents.occupancy);
            if let (Some(index), Some(ratio)) = (super::arrivals::half_hour(&row.key), occupancy) {
                self.occupancy_at.insert(index, ratio);
            }
        }
    }

    /// Everything together.
    #[must_use]
    pub fn total(&self) -> Cell {
        self.sum(|_| true)
    }

    /// Those of which this holds.
    #[must_use]
    pub fn sum(&self, of: impl Fn(&(NaiveDate, u8)) -> bool) -> Cell {
        let mut sum = Cell::default();
        for (_, cell) in self.cells.iter().filter(|(key, _)| of(key)) {
            sum.merge(cell);
        }
        sum
    }
}
