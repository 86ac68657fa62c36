//! How many agents and lines a desk needs: its own rules (`pbx`) under virtual time, with callers who come, wait
//! and give up as people do, and agents who come, talk, wrap up and go by a roster.
//!
//! A simulated month is a history like any other: what is counted of it is counted by `view`. Everything is drawn
//! from one seed by arithmetic that is the same on every machine, so a seed names a month to the byte. Pure; knows
//! no SIP, no sound, no file and no clock. Sound takes time here: announcements last as long as they do.
//! docs/FORECAST.md says what is assumed.

mod arrivals;
mod cells;
mod enough;
mod erlang;
mod fit;
mod interval;
mod lasts;
mod roster;
mod scenario;
mod season;
mod staffing;
mod stage;
mod tonight;

#[cfg(test)]
mod tests;

use interval::quantile;

pub use arrivals::{Arrival, Demand, DemandError, Expected};
pub use cells::{Cell, Cells, Run, rate};
pub use enough::{Ask, Enough, Judged, MOST_LINES, MOST_POINTS, Step, Wanted};
pub use erlang::{Abandoning, blocking, delaying, giving_up};
pub use fit::{AGAIN_WITHIN, BasedOn, Fit, Found};
pub use interval::{Interval, interval, one_more};
pub use lasts::{Lasts, Time};
pub use roster::{MOST_AGENTS, Roster, RosterError, Stint, with_agents};
pub use scenario::{Callers, Calls, Choice, Menu, People, Repeats, Scenario, Shift, Who};
pub use season::{Known, Past, as_before};
pub use staffing::{
    Eval, Formulas, Levels, Point, Staffing, Takes, all_day, busiest, by_half_hour, curve, lines,
    point, staffed,
};
pub use stage::{Told, World, run};
pub use tonight::{NoRest, SoFar, Tonight, rest_of_day, tonight};

/// Counts as a real number; exact below 2^53.
#[allow(clippy::cast_precision_loss)] // Counts of calls and milliseconds are far below 2^53.
pub(crate) fn real(count: u64) -> f64 {
    count as f64
}

/// A real number in hundredths, half up; what is below 0 is 0.
#[must_use]
pub fn in_hundredths(of: f64) -> u64 {
    whole(of * 100.0 + 0.5)
}

/// The whole part of a real number; what is below 0 is 0, what is no number too.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // `as` saturates.
fn whole(real: f64) -> u64 {
    real as u64
}
