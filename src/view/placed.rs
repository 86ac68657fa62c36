//! Calls that our phones placed to numbers outside and to phones that are no agent's; and for how long
//! the trunks had no channel left. None of it enters a figure of the contract.

use super::erased::{erased, shown};
use super::month::Month;
use super::sound::CallSound;
use super::stamp;
use crate::base::{CallId, Number, Private, TrunkId, Wall, kept};
use crate::event::{Fact, Party, PlacedEnd, PlacedEvent, TrunkEvent};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};

/// Ended placed calls in the list; the oldest to end leaves first.
pub const PLACED_KEPT: usize = 1_000;
/// Months of full trunks that are kept, eleven years; the oldest leaves first.
pub const FULL_MONTHS_KEPT: usize = 132;

/// A placed call as shown. Numbers of people are in it: it goes to pages behind a login only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlacedRow {
    /// Which.
    pub call: CallId,
    /// When it was dialled, by the wall clock.
    pub dialled_at_ms: Wall,
    /// Whose phone dialled.
    pub by: Number,
    /// What was dialled.
    pub number: Private<String>,
    /// Whether it is a phone of ours.
    pub inside: bool,
    /// The call of the desk whose caller is called back by it.
    pub back: Option<CallId>,
    /// The trunk tried last.
    pub trunk: Option<TrunkId>,
    /// From dialling to the answer, milliseconds; none while or when there is none.
    pub answered_ms: Option<u64>,
    /// From dialling to the end, milliseconds.
    pub length_ms: Option<u64>,
    /// Whose doing the end was.
    pub ended_by: Option<Party>,
    /// How its legs sounded.
    pub sound: CallSound,
    /// Why it ended.
    #[serde(flatten)]
    pub end: Option<PlacedEnd>,
    #[serde(skip)]
    last_t_ms: u64,
}

kept!(struct PlacedRow { call, dialled_at_ms, by, number, inside, back, trunk, answered_ms, length_ms, ended_by, sound, end, last_t_ms });

/// One trunk's time without a free channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FullTime {
    /// Together, milliseconds; a span counts when it is over.
    pub ms: u64,
    /// How often.
    pub times: u64,
}

kept!(struct FullTime { ms, times });

/// The folds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct PlacedCalls {
    open: BTreeMap<CallId, PlacedRow>,
    ended: VecDeque<PlacedRow>,
    answered: u64,
    unanswered: u64,
    /// The plan did not let the phone call there.
    not_allowed: u64,
    /// The phone had as many calls outside, or had talked as long today, as it may.
    beyond_limits: u64,
    full: BTreeMap<TrunkId, FullTime>,
    /// Trunks without a free channel now, and since when.
    full_since: BTreeMap<TrunkId, Wall>,
    full_by_month: BTreeMap<Month, BTreeMap<TrunkId, FullTime>>,
}

kept!(struct PlacedCalls { open, ended, answered, unanswered, not_allowed, beyond_limits, full, full_since, full_by_month });

impl PlacedCalls {
    pub(super) fn apply(&mut self, id: CallId, t_ms: u64, event: &PlacedEvent, at: Wall) {
        if let PlacedEvent::Dialled { by, number, inside, back } = event {
            self.open.entry(id).or_insert_with(|| PlacedRow {
                call: id,
                dialled_at_ms: at,
                by: by.clone(),
                number: shown(number),
                inside: *inside,
                back: *back,
                trunk: None,
                answered_ms: None,
                length_ms: None,
                ended_by: None,
                sound: CallSound::default(),
                end: None,
                last_t_ms: t_ms,
            });
            return;
        }
        let Some(row) = self.open.get_mut(&id) else { return };
        row.last_t_ms = row.last_t_ms.max(t_ms);
        match event {
            PlacedEvent::Tried { trunk } => row.trunk = Some(trunk.clone()),
            PlacedEvent::Answered => row.answered_ms = row.answered_ms.or(Some(t_ms)),
            PlacedEvent::Ended { by, why } => {
                row.length_ms = Some(row.last_t_ms);
                if *why == PlacedEnd::Restart {
                    row.sound.cut_off(row.last_t_ms);
                }
                (row.ended_by, row.end) = (Some(*by), Some(why.clone()));
                let Some(row) = self.open.remove(&id) else { return };
                let count = match why {
                    _ if row.answered_ms.is_some() => &mut self.answered,
                    PlacedEnd::NotAllowed | PlacedEnd::EmergencyBlocked => &mut self.not_allowed,
                    PlacedEnd::TooManyCalls | PlacedEnd::TimeUsedUp => &mut self.beyond_limits,
                    _ => &mut self.unanswered,
                };
                *count = count.saturating_add(1);
                if self.ended.len() >= PLACED_KEPT {
                    self.ended.pop_front();
                }
                self.ended.push_back(row);
            }
            PlacedEvent::Dialled { .. }
            | PlacedEvent::Failed { .. }
            | PlacedEvent::Held { .. }
            | PlacedEvent::Resumed { .. } => {}
        }
    }

    /// Whether a call that was dialled is up.
    pub(super) fn is_up(&self, call: CallId) -> bool {
        self.open.contains_key(&call)
    }

    /// Numbers of calls that are due are no more; when each was dialled says it.
    pub(super) fn erase(&mut self, due: &dyn Fn(CallId, Wall) -> bool) {
        for row in self.ended.iter_mut().filter(|row| due(row.call, row.dialled_at_ms)) {
            row.number = erased();
        }
    }

    /// How the legs of a call sound; the last word may come after its end. None when it is none of these.
    pub(super) fn sound(&mut self, id: CallId) -> Option<&mut CallSound> {
        let ended = self.ended.iter_mut().rev().find(|ended| ended.call == id);
        self.open.get_mut(&id).or(ended).map(|row| &mut row.sound)
    }

    /// A trunk's channels ran out or one is free again. A month has the part of a span that lies in it.
    pub(super) fn trunk(
        &mut self,
        trunk: &TrunkId,
        event: &TrunkEvent,
        at: Wall,
        zone: chrono_tz::Tz,
    ) {
        let full = self.full.entry(trunk.clone()).or_default();
        match event {
            TrunkEvent::ChannelsFull => {
                self.full_since.insert(trunk.clone(), at);
                full.times = full.times.saturating_add(1);
                if let Some(part) = self.part(month_in(zone, at), trunk) {
                    part.times = part.times.saturating_add(1);
                }
            }
            TrunkEvent::ChannelsFree { for_ms } => {
                self.full_since.remove(trunk);
                full.ms = full.ms.saturating_add(*for_ms);
                let (mut rest, mut month) = (*for_ms, month_in(zone, at));
                let mut until = at;
                // No further back than is kept.
                for _ in 0..FULL_MONTHS_KEPT {
                    let begins = month.map_or(Wall(i64::MIN), |month| month.begins(zone));
                    let inside = until.0.saturating_sub(begins.0);
                    let ms = rest.min(u64::try_from(inside).unwrap_or(0));
                    if let Some(part) = self.part(month, trunk) {
                        part.ms = part.ms.saturating_add(ms);
                    }
                    rest = rest.saturating_sub(ms);
                    if rest == 0 {
                        break;
                    }
                    (until, month) = (begins, month.map(|month| month.earlier(1)));
                }
            }
        }
    }

    fn part(&mut self, month: Option<Month>, trunk: &TrunkId) -> Option<&mut FullTime> {
        let month = month?;
        if !self.full_by_month.contains_key(&month) && self.full_by_month.len() >= FULL_MONTHS_KEPT
        {
            self.full_by_month.pop_first();
        }
        Some(self.full_by_month.entry(month).or_default().entry(trunk.clone()).or_default())
    }

    /// Every trunk's time without a channel in one month; a trunk that never was full then has none.
    pub(super) fn full_in(&self, month: Month) -> impl Iterator<Item = (&TrunkId, FullTime)> {
        self.full_by_month.get(&month).into_iter().flatten().map(|(trunk, full)| (trunk, *full))
    }

    /// The last words for the calls that were up when the process ended.
    pub(super) fn closing(&self) -> impl Iterator<Item = Fact> {
        self.open.values().map(|row| Fact::Placed {
            call: row.call,
            t_ms: row.last_t_ms,
            event: PlacedEvent::Ended { by: Party::System, why: PlacedEnd::Restart },
        })
    }

    pub(super) fn rows(&self, limit: usize) -> Vec<PlacedRow> {
        let mut rows: Vec<&PlacedRow> = self.open.values().chain(&self.ended).collect();
        rows.sort_unstable_by_key(|row| std::cmp::Reverse((row.dialled_at_ms, row.call)));
        rows.into_iter().take(limit).cloned().collect()
    }

    pub(super) fn counts(&self) -> [(&'static str, u64); 4] {
        [
            ("answered", self.answered),
            ("not_answered", self.unanswered),
            ("not_allowed", self.not_allowed),
            ("beyond_limits", self.beyond_limits),
        ]
    }

    /// The newest call that this phone dialled and that is not over.
    pub(super) fn by(&self, phone: &str) -> Option<PlacedRow> {
        self.open.values().rev().find(|row| row.by.as_str() == phone).cloned()
    }

    pub(super) fn open(&self) -> usize {
        self.open.len()
    }

    /// The process began anew: the calls that had the channels ended with the one before.
    pub(super) fn restarted(&mut self) {
        self.full_since.clear();
    }

    /// For how long each trunk that ever was full has been without a channel at `now`, milliseconds; 0 when it has
    /// one. Such a time is in [`Self::full`] only when it is over.
    pub(super) fn full_now(&self, now: Wall) -> impl Iterator<Item = (&TrunkId, u64)> {
        let for_ms = move |since: &Wall| now.ms_since(*since);
        self.full.keys().map(move |trunk| (trunk, self.full_since.get(trunk).map_or(0, for_ms)))
    }

    pub(super) fn full(&self) -> impl Iterator<Item = (&TrunkId, FullTime)> {
        self.full.iter().map(|(trunk, full)| (trunk, *full))
    }
}

fn month_in(zone: chrono_tz::Tz, at: Wall) -> Option<Month> {
    stamp::local(at, zone).map(|local| Month::of(local.date_naive()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placed_call_is_listed_once_and_closed_after_a_restart() {
        let mut placed = PlacedCalls::default();
        let id = |n| CallId(uuid::Uuid::from_u64_pair(0, n));
        let dialled = || PlacedEvent::Dialled {
            by: "2001".into(),
            number: Private::new("0398765432".to_owned()),
            inside: false,
            back: None,
        };
        placed.apply(id(1), 0, &dialled(), Wall(1_000));
        placed.apply(id(1), 5, &PlacedEvent::Tried { trunk: "carrier".into() }, Wall(1_005));
        placed.apply(id(1), 4_000, &PlacedEvent::Answered, Wall(5_000));
        placed.apply(id(2), 0, &dialled(), Wall(6_000));
        assert_eq!((placed.open(), placed.closing().count()), (2, 2));
        let ended = PlacedEvent::Ended { by: Party::Agent, why: PlacedEnd::HungUp };
        placed.apply(id(1), 9_000, &ended, Wall(10_000));
        placed.apply(id(1), 9_500, &ended, Wall(10_500));
        let rows = placed.rows(10);
        assert_eq!(rows.iter().map(|row| row.call).collect::<Vec<_>>(), [id(2), id(1)]);
        assert_eq!((rows[1].answered_ms, rows[1].length_ms), (Some(4_000), Some(9_000)));
        for fact in placed.closing().collect::<Vec<_>>() {
            let Fact::Placed { call, t_ms, event } = fact else { panic!("{fact:?}") };
            placed.apply(call, t_ms, &event, Wall(20_000));
        }
        assert_eq!((placed.open(), placed.counts().map(|(_, n)| n)), (0, [1, 1, 0, 0]));
        // What the plan refuses and what a bound refuses are told apart: an alarm looks at them.
        for (n, why) in [
            (3, PlacedEnd::NotAllowed),
            (4, PlacedEnd::EmergencyBlocked),
            (5, PlacedEnd::TooManyCalls),
            (6, PlacedEnd::TimeUsedUp),
            (7, PlacedEnd::ChannelsFull),
        ] {
            placed.apply(id(n), 0, &dialled(), Wall(30_000));
            placed.apply(id(n), 0, &PlacedEvent::Ended { by: Party::System, why }, Wall(30_000));
        }
        assert_eq!(placed.counts().map(|(_, n)| n), [1, 2, 2, 2]);
    }

    const TOKYO: chrono_tz::Tz = chrono_tz::Asia::Tokyo;
    /// 2026-10-01T00:00:00+09:00.
    const OCTOBER: i64 = 1_790_780_400_000;

    #[test]
    fn time_without_a_channel_is_summed() {
        let mut placed = PlacedCalls::default();
        for for_ms in [1_500, 2_500] {
            placed.trunk(&"carrier".into(), &TrunkEvent::ChannelsFull, Wall(OCTOBER), TOKYO);
            let free = TrunkEvent::ChannelsFree { for_ms };
            placed.trunk(&"carrier".into(), &free, Wall(OCTOBER + 5_000), TOKYO);
        }
        let full: Vec<_> = placed.full().map(|(_, full)| full).collect();
        assert_eq!(full, [FullTime { ms: 4_000, times: 2 }]);
    }

    #[test]
    fn a_trunk_that_stays_full_is_counted_while_it_is() {
        let mut placed = PlacedCalls::default();
        let now = |placed: &PlacedCalls, at| {
            let full: Vec<u64> = placed.full_now(Wall(OCTOBER + at)).map(|(_, ms)| ms).collect();
            full
        };
        placed.trunk(&"carrier".into(), &TrunkEvent::ChannelsFull, Wall(OCTOBER), TOKYO);
        assert_eq!(now(&placed, 7_200_000), [7_200_000], "no caller reaches us, and it is told");
        // The clock was set back meanwhile.
        assert_eq!(now(&placed, -5), [0]);
        let free = TrunkEvent::ChannelsFree { for_ms: 7_300_000 };
        placed.trunk(&"carrier".into(), &free, Wall(OCTOBER + 7_300_000), TOKYO);
        assert_eq!(now(&placed, 7_400_000), [0]);
        // A process that was killed takes its calls with it: the new one has channels again.
        placed.trunk(&"carrier".into(), &TrunkEvent::ChannelsFull, Wall(OCTOBER), TOKYO);
        placed.restarted();
        assert_eq!(now(&placed, 7_400_000), [0]);
    }

    #[test]
    fn a_month_has_its_own_part_of_a_time_without_a_channel() {
        let mut placed = PlacedCalls::default();
        placed.trunk(&"carrier".into(), &TrunkEvent::ChannelsFull, Wall(OCTOBER - 4_000), TOKYO);
        let free = TrunkEvent::ChannelsFree { for_ms: 5_000 };
        placed.trunk(&"carrier".into(), &free, Wall(OCTOBER + 1_000), TOKYO);
        let of = |month: &str| -> Vec<FullTime> {
            let month = month.parse().expect("a month");
            placed.full_in(month).map(|(_, full)| full).collect()
        };
        assert_eq!(of("2026-09"), [FullTime { ms: 4_000, times: 1 }]);
        assert_eq!(of("2026-10"), [FullTime { ms: 1_000, times: 0 }]);
        assert_eq!(of("2026-11"), []);
    }
}
