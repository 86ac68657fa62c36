//! Where agents' time went, by half hour and day of the desk's zone, and for how long trunks were full.
//!
//! The history stamps an agent's changes by the wall clock alone, so this time is the wall's. What is counted is
//! what the history has witnessed.

use super::agents::Rings;
use super::half_hour::{HALF_HOURS, HalfHour, Window, cut};
use crate::base::{AgentId, Keep, Kept, Wall, kept};
use crate::event::OfferEnd;
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::Serialize;
use serde::ser::SerializeMap as _;
use std::collections::BTreeMap;

/// Half hours of an agent that are kept; beyond, those of the oldest day give way to its day.
pub const HALF_HOURS_KEPT: usize = 400_000;
/// Days of an agent that are kept; beyond, the oldest day leaves.
pub const AGENT_DAYS_KEPT: usize = 200_000;
/// Days that are kept, eleven years; beyond, the oldest leaves.
const DAYS_KEPT: usize = 4_018;

/// What an agent's time goes into, one at a time: where several hold, the first of them. All but the last add up
/// to the time signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Doing {
    /// With a caller of the desk who is not held.
    Talk,
    /// With a caller of the desk who is held, or hears music while a colleague is asked by keys.
    Hold,
    /// In a call of another kind.
    OtherCall,
    /// The phone rings for a call of the desk.
    Ringing,
    /// After-call work.
    WrapUp,
    /// Set aside.
    Paused,
    /// The phone is not registered.
    Unreachable,
    /// Free for the next call.
    Idle,
    /// With a caller of the desk, and not signed in: the talk outlasted the shift.
    SignedOutTalk,
}

impl Doing {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Talk,
        Self::Hold,
        Self::OtherCall,
        Self::Ringing,
        Self::WrapUp,
        Self::Paused,
        Self::Unreachable,
        Self::Idle,
        Self::SignedOutTalk,
    ];

    /// As in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Talk => "talk",
            Self::Hold => "hold",
            Self::OtherCall => "other_call",
            Self::Ringing => "ringing",
            Self::WrapUp => "wrap_up",
            Self::Paused => "paused",
            Self::Unreachable => "unreachable",
            Self::Idle => "idle",
            Self::SignedOutTalk => "signed_out_talk",
        }
    }
}

/// Milliseconds of each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times([u64; Doing::ALL.len()]);

impl Times {
    /// Of one state.
    #[must_use]
    pub fn of(&self, doing: Doing) -> u64 {
        self.0[doing as usize]
    }

    /// Of several together.
    #[must_use]
    pub fn sum(&self, all: &[Doing]) -> u64 {
        all.iter().fold(0, |sum, doing| sum.saturating_add(self.of(*doing)))
    }

    /// Signed in: all states but the talk after signing out.
    #[must_use]
    pub fn signed_in(&self) -> u64 {
        let states = Doing::ALL.into_iter().filter(|doing| *doing != Doing::SignedOutTalk);
        states.fold(0, |sum, doing| sum.saturating_add(self.of(doing)))
    }

    fn add(&mut self, doing: Doing, ms: u64) {
        let held = &mut self.0[doing as usize];
        *held = held.saturating_add(ms);
    }
}

impl Serialize for Times {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(Doing::ALL.len()))?;
        for doing in Doing::ALL {
            map.serialize_entry(doing.name(), &self.of(doing))?;
        }
        map.end()
    }
}

/// What was counted of agents, added up over any time and any of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Where the time went.
    pub times: Times,
    /// Callers that the agent was put through to.
    pub taken: u64,
    /// What came of the ringing of the agent's phone.
    pub rings: Rings,
}

impl Work {
    pub(super) fn spend(&mut self, doing: Doing, ms: u64) {
        self.times.add(doing, ms);
    }

    /// Adds another's.
    pub fn merge(&mut self, other: &Self) {
        for doing in Doing::ALL {
            self.times.add(doing, other.times.of(doing));
        }
        self.taken = self.taken.saturating_add(other.taken);
        self.rings.merge(&other.rings);
    }
}

/// One agent's half hour or day; a day has at most 90,000,000 ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cell {
    ms: [u32; Doing::ALL.len()],
    taken: u32,
    rings: [u32; Rings::KINDS],
}

impl Cell {
    fn put(&mut self, what: What) {
        let (count, more) = match what {
            What::Spent(doing, ms) => (&mut self.ms[doing as usize], ms),
            What::Taken => (&mut self.taken, 1),
            What::Rang(kind) => (&mut self.rings[kind], 1),
        };
        *count = count.saturating_add(more);
    }

    fn work(&self) -> Work {
        let mut work = Work { taken: u64::from(self.taken), ..Work::default() };
        for (doing, ms) in Doing::ALL.into_iter().zip(self.ms) {
            work.times.add(doing, u64::from(ms));
        }
        work.rings = Rings::of_counts(self.rings.map(u64::from));
        work
    }
}

#[derive(Clone, Copy)]
enum What {
    Spent(Doing, u32),
    Taken,
    Rang(usize),
}

/// All channels of a trunk in use, added up over trunks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LinesFull {
    /// For so long, milliseconds; a span counts when it is over.
    pub ms: u64,
    /// So often; by when it began.
    pub times: u64,
}

impl LinesFull {
    pub(super) fn merge(&mut self, other: &Self) {
        self.ms = self.ms.saturating_add(other.ms);
        self.times = self.times.saturating_add(other.times);
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct AgentDay {
    whole: Cell,
    /// In order, those with anything in them.
    half_hours: Vec<(u8, Cell)>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Day {
    /// Its half hours have given way.
    coarse: bool,
    agents: BTreeMap<AgentId, AgentDay>,
    full: LinesFull,
    full_half_hours: BTreeMap<u8, LinesFull>,
}

/// The whole fold. Equal histories make equal ones.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Worked {
    zone: chrono_tz::Tz,
    /// What the history has witnessed last.
    clock: Wall,
    /// The half hour of the last change, so that the calendar is asked once for each.
    now: Option<HalfHour>,
    days: BTreeMap<NaiveDate, Day>,
    /// Of the whole history.
    total: Work,
    half_hours: usize,
    agent_days: usize,
    most_half_hours: usize,
}

kept!(newtype Times);
kept!(struct Work { times, taken, rings });
kept!(struct Cell { ms, taken, rings });
kept!(struct LinesFull { ms, times });
kept!(struct AgentDay { whole, half_hours });
kept!(struct Day { coarse, agents, full, full_half_hours });

impl Keep for Worked {
    fn keep(&self, out: &mut Vec<u8>) {
        let Self { zone, clock, now, days, total, half_hours, agent_days, most_half_hours } = self;
        zone.name().to_owned().keep(out);
        clock.keep(out);
        now.keep(out);
        days.keep(out);
        total.keep(out);
        [*half_hours, *agent_days, *most_half_hours].keep(out);
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        let zone: String = Keep::found(from)?;
        let (zone, clock, now) = (zone.parse().ok()?, Keep::found(from)?, Keep::found(from)?);
        let (days, total) = (Keep::found(from)?, Keep::found(from)?);
        let [half_hours, agent_days, most_half_hours] = Keep::found(from)?;
        Some(Self { zone, clock, now, days, total, half_hours, agent_days, most_half_hours })
    }
}

impl Worked {
    pub(super) fn new(zone: chrono_tz::Tz) -> Self {
        Self {
            zone,
            clock: Wall(i64::MIN),
            now: None,
            days: BTreeMap::new(),
            total: Work::default(),
            half_hours: 0,
            agent_days: 0,
            most_half_hours: HALF_HOURS_KEPT,
        }
    }

    pub(super) fn clock(&self) -> Wall {
        self.clock
    }

    /// What was counted of all agents since the history began.
    pub(super) fn total(&self) -> &Work {
        &self.total
    }

    pub(super) fn set_clock(&mut self, at: Wall) {
        self.clock = at;
    }

    fn half_hour_of(&mut self, at: Wall) -> Option<HalfHour> {
        if !self.now.is_some_and(|it| it.from <= at && at < it.until) {
            self.now = HalfHour::of(at, self.zone);
        }
        self.now
    }

    /// An agent's state ended at the clock.
    pub(super) fn spend(&mut self, agent: &AgentId, doing: Doing, since: Wall) {
        let until = self.clock;
        // Almost all spans lie in one half hour.
        if let Some(it) = self.half_hour_of(since).filter(|it| until <= it.until) {
            let ms = u32::try_from(until.0.saturating_sub(since.0)).unwrap_or(0);
            return self.put(agent, (it.day, it.index), What::Spent(doing, ms));
        }
        for (it, ms) in cut(since, until, self.zone) {
            self.put(agent, (it.day, it.index), What::Spent(doing, ms));
        }
    }

    /// An agent was put through to a caller.
    pub(super) fn taken(&mut self, agent: &AgentId) {
        if let Some(it) = self.half_hour_of(self.clock) {
            self.put(agent, (it.day, it.index), What::Taken);
        }
    }

    /// A ringing was answered, or came to nothing for this reason.
    pub(super) fn rang(&mut self, agent: &AgentId, why: Option<OfferEnd>) {
        if let Some(it) = self.half_hour_of(self.clock) {
            self.put(agent, (it.day, it.index), What::Rang(Rings::kind(why)));
        }
    }

    fn day(&mut self, day: NaiveDate) -> &mut Day {
        if !self.days.contains_key(&day) && self.days.len() >= DAYS_KEPT {
            self.drop_oldest();
        }
        self.days.entry(day).or_default()
    }

    fn drop_oldest(&mut self) {
        if let Some((_, gone)) = self.days.pop_first() {
            let held: usize = gone.agents.values().map(|it| it.half_hours.len()).sum();
            self.half_hours = self.half_hours.saturating_sub(held);
            self.agent_days = self.agent_days.saturating_sub(gone.agents.len());
        }
    }

    fn put(&mut self, agent: &AgentId, (day, half_hour): (NaiveDate, u8), what: What) {
        let mut one = Cell::default();
        one.put(what);
        if one == Cell::default() {
            return;
        }
        self.total.merge(&one.work());
        if self.agent_days >= AGENT_DAYS_KEPT {
            self.drop_oldest();
        }
        if self.half_hours >= self.most_half_hours
            && let Some((_, oldest)) = self.days.range_mut(..day).find(|(_, held)| !held.coarse)
        {
            oldest.coarse = true;
            oldest.full_half_hours = BTreeMap::new();
            for held in oldest.agents.values_mut() {
                self.half_hours = self.half_hours.saturating_sub(held.half_hours.len());
                held.half_hours = Vec::new();
            }
        }
        let held = self.day(day);
        let coarse = held.coarse;
        let is_new = !held.agents.contains_key(agent);
        if is_new {
            held.agents.insert(agent.clone(), AgentDay::default());
        }
        let Some(of_agent) = held.agents.get_mut(agent) else { return };
        of_agent.whole.put(what);
        let mut more = 0;
        if !coarse {
            let half_hours = &mut of_agent.half_hours;
            let place = match half_hours.binary_search_by_key(&half_hour, |(index, _)| *index) {
                Ok(place) => place,
                Err(place) => {
                    half_hours.insert(place, (half_hour, Cell::default()));
                    more = 1;
                    place
                }
            };
            half_hours[place].1.put(what);
        }
        self.half_hours += more;
        self.agent_days += usize::from(is_new);
    }

    /// A trunk had no channel free until now, for so long.
    pub(super) fn lines_full(&mut self, for_ms: u64, at: Wall) {
        let from = at.0.saturating_sub(i64::try_from(for_ms).unwrap_or(i64::MAX));
        for (it, ms) in cut(Wall(from), at, self.zone) {
            self.put_full(it, LinesFull { ms: u64::from(ms), times: 0 });
        }
    }

    /// A trunk has no channel free from now on.
    pub(super) fn lines_fill(&mut self, at: Wall) {
        if let Some(it) = HalfHour::of(at, self.zone) {
            self.put_full(it, LinesFull { ms: 0, times: 1 });
        }
    }

    fn put_full(&mut self, at: HalfHour, more: LinesFull) {
        let day = self.day(at.day);
        day.full.merge(&more);
        if !day.coarse {
            day.full_half_hours.entry(at.index).or_default().merge(&more);
        }
    }

    /// What lies in a window, by half hours where `finely`, by whole days where that is enough. Tells the days
    /// whose half hours would be needed and are kept no more.
    pub(super) fn each(
        &self,
        window: &Window,
        finely: bool,
        mut of_agent: impl FnMut(NaiveDate, u8, &AgentId, &Work),
        mut of_lines: impl FnMut(NaiveDate, u8, &LinesFull),
    ) -> u64 {
        let mut lacking = 0;
        if window.first().0 > window.until().0 {
            return lacking;
        }
        for (day, held) in self.days.range(window.first().0..=window.until().0) {
            let range = window.of_day(*day);
            if !finely && range == (0..HALF_HOURS) {
                of_lines(*day, 0, &held.full);
                for (agent, it) in &held.agents {
                    of_agent(*day, 0, agent, &it.whole.work());
                }
                continue;
            }
            lacking += u64::from(held.coarse);
            for (index, full) in held.full_half_hours.iter().filter(|it| range.contains(it.0)) {
                of_lines(*day, *index, full);
            }
            for (agent, it) in &held.agents {
                for (index, cell) in it.half_hours.iter().filter(|it| range.contains(&it.0)) {
                    of_agent(*day, *index, agent, &cell.work());
                }
            }
        }
        lacking
    }

    /// The same of a state that still lasts, up to `until`.
    pub(super) fn lasting(
        &self,
        since: Wall,
        until: Wall,
        window: &Window,
    ) -> impl Iterator<Item = (NaiveDate, u8, u64)> {
        let window = *window;
        let parts = cut(since, until.max(self.clock), self.zone);
        parts
            .filter(move |(it, _)| window.holds(it.day, it.index))
            .map(|(it, ms)| (it.day, it.index, u64::from(ms)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF_HOUR_MS: i64 = 30 * 60_000;
    const TOKYO: chrono_tz::Tz = chrono_tz::Asia::Tokyo;
    /// 2026-10-01T00:00:00+09:00.
    const OCTOBER: i64 = 1_790_780_400_000;
    const DAY: i64 = 86_400_000;

    #[test]
    fn half_hours_beyond_the_bound_give_way_to_their_day() {
        let mut worked = Worked { most_half_hours: 3, ..Worked::new(TOKYO) };
        let agent = AgentId::from("2001");
        let first = NaiveDate::from_ymd_opt(2026, 10, 1).expect("a day");
        let spend = |worked: &mut Worked, from: i64, ms: i64| {
            worked.set_clock(Wall(from + ms));
            worked.spend(&agent, Doing::Idle, Wall(from));
        };
        spend(&mut worked, OCTOBER, 2 * HALF_HOUR_MS);
        spend(&mut worked, OCTOBER + DAY, 2 * HALF_HOUR_MS);
        let sum = |worked: &Worked, window: &Window, finely| {
            let mut sum = 0;
            let add = |_, _, _: &AgentId, work: &Work| sum += work.times.signed_in();
            let lacking = worked.each(window, finely, add, |_, _, _| {});
            (sum, lacking)
        };
        let both = Window::days(first, first + chrono::TimeDelta::days(1));
        assert_eq!(sum(&worked, &both, false), (7_200_000, 0));
        assert_eq!(sum(&worked, &both, true), (3_600_000, 1));
        assert_eq!(worked.half_hours, 2);
        // What comes late for such a day is in the day alone.
        worked.put(&agent, (first, 5), What::Spent(Doing::Idle, 7));
        assert_eq!(sum(&worked, &both, false), (7_200_007, 0));
        assert_eq!(sum(&worked, &both, true), (3_600_000, 1));
        // Within one day there is nothing older to give way; it is at most 48 for each agent.
        spend(&mut worked, OCTOBER + DAY + 2 * HALF_HOUR_MS, 4 * HALF_HOUR_MS);
        assert_eq!(sum(&worked, &both, true), (10_800_000, 1));
    }
}
