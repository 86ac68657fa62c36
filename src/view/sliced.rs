//! A month's calls cut another way than by day: by half hour, number, group and agent, by how long their
//! callers waited, and those of each excluded period.
//!
//! Every cut goes over the same lines of the ledger, so that each adds up to the same calls.

use super::half_hour;
use super::month::Month;
use super::outcome::Outcome;
use super::service_level::Tally;
use super::stamp;
use super::views::Views;
use crate::base::Wall;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// A wait is in the first band whose end it does not pass, in milliseconds; the last has none. An end belongs
/// to its band, as the target of an answer does to its time.
pub const BANDS: [Option<u64>; 7] =
    [Some(10_000), Some(20_000), Some(30_000), Some(60_000), Some(120_000), Some(300_000), None];

/// Half hours of a day.
const HALF_HOURS: u32 = 48;

/// A month's calls, cut. Calls of excluded periods are in `excluded` alone, those of numbers outside the
/// figures nowhere but in each count's `left_out`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sliced {
    /// By half hour of the arrival in the desk's zone, from 0 (midnight) to 47.
    pub half_hours: BTreeMap<u32, Tally>,
    /// By the number that was dialled.
    pub numbers: BTreeMap<String, Tally>,
    /// By the group that was asked for last; none: no group was, or the call is not over.
    pub groups: BTreeMap<Option<String>, Tally>,
    /// By the agent who answered first; none: the call is not over.
    pub agents: BTreeMap<Option<String>, AgentShare>,
    /// Waits of the calls that asked for an operator and are decided, in the order of [`BANDS`].
    pub waits: [WaitBand; BANDS.len()],
    /// Calls of each excluded period by its number.
    pub excluded: BTreeMap<u32, Tally>,
}

/// One agent's part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AgentShare {
    /// Calls that this agent answered first.
    pub answered: u64,
    /// Conversations of those of them that are over, with whichever agent, holds included, milliseconds.
    pub talk_ms: u64,
}

/// How many waited so long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WaitBand {
    /// Until an operator answered.
    pub answered: u64,
    /// Until the call came to something else.
    pub not_answered: u64,
}

/// A band's place in [`BANDS`] and its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Band {
    /// Longer than this, milliseconds; none: from 0 on.
    pub over_ms: Option<u64>,
    /// Up to and with this; none: however long.
    pub up_to_ms: Option<u64>,
}

impl Band {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let starts = std::iter::once(None).chain(BANDS);
        starts.zip(BANDS).map(|(over_ms, up_to_ms)| Self { over_ms, up_to_ms })
    }

    fn of(wait_ms: u64) -> usize {
        let within = |end: &Option<u64>| end.is_none_or(|end| wait_ms <= end);
        BANDS.iter().position(within).unwrap_or(BANDS.len() - 1)
    }
}

impl Views {
    /// The calls that arrived in a month, cut. Calls whose lines have given way (`LINES_KEPT`) are missing
    /// here and not in the month's counts.
    #[must_use]
    pub fn sliced(&self, month: Month) -> Sliced {
        let mut cut = Sliced::default();
        for line in self.ledger.lines(month.first(), month.last()) {
            let tally = line.tally(self.policy());
            if let Some(exclusion) = self.ledger.excluded_by(line.arrived_at) {
                cut.excluded.entry(exclusion).or_default().merge(&tally);
                continue;
            }
            cut.half_hours.entry(self.half_hour(line.arrived_at)).or_default().merge(&tally);
            let number = self.ledger.number(line).unwrap_or_default().to_owned();
            cut.numbers.entry(number).or_default().merge(&tally);
            let group = self.ledger.group(line).map(str::to_owned);
            cut.groups.entry(group).or_default().merge(&tally);
            if !line.counted {
                continue;
            }
            let answered = line.outcome().is_some_and(Outcome::is_answered);
            if answered {
                let agent = self.ledger.agent(line).map(str::to_owned);
                let share = cut.agents.entry(agent).or_default();
                share.answered += 1;
                share.talk_ms = share.talk_ms.saturating_add(line.talk_ms());
            }
            if let (Some(_), Some(wait_ms)) = (line.outcome(), line.wait_ms()) {
                let band = &mut cut.waits[Band::of(wait_ms)];
                let count = if answered { &mut band.answered } else { &mut band.not_answered };
                *count += 1;
            }
        }
        cut
    }

    fn half_hour(&self, at: Wall) -> u32 {
        let index = stamp::local(at, self.timezone()).and_then(|local| half_hour::index(&local));
        index.map_or(0, u32::from) % HALF_HOURS
    }
}

#[cfg(test)]
mod tests {
    use super::{BANDS, Band};

    #[test]
    fn a_wait_is_in_one_band_and_its_end_belongs_to_it() {
        let table = [
            (0, 0),
            (10_000, 0),
            (10_001, 1),
            (20_000, 1),
            (20_001, 2),
            (60_000, 3),
            (120_000, 4),
            (300_000, 5),
            (300_001, 6),
            (u64::MAX, 6),
        ];
        for (wait_ms, band) in table {
            assert_eq!(Band::of(wait_ms), band, "{wait_ms}");
        }
        let bands: Vec<Band> = Band::all().collect();
        assert_eq!(bands.len(), BANDS.len());
        assert_eq!(bands[0], Band { over_ms: None, up_to_ms: Some(10_000) });
        assert_eq!(bands[6], Band { over_ms: Some(300_000), up_to_ms: None });
    }
}
