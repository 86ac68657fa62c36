//! When people outside are told how a month's rates are going: what was told, and what is to be told next.
//!
//! A rate near its limit goes to and fro with every call. Told at once is what is worse than everything that
//! was in force that day; every other change is told when it has held for an hour ([`HELD`]).

use super::month::Month;
use super::outlook::{Outlook, Warning};
use super::ratio::{Rate, Ratio};
use super::views::Views;
use crate::base::{Mono, Now, Wall, kept};
use crate::event::{FiguresEvent, ToldBy, WarnedRate, WarningTurn};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// So long a change that is no new worst of the day must have held before it is told. It begins anew when
/// the daemon does.
pub const HELD: Duration = Duration::from_secs(3_600);

/// Turns that are still to be told by some way; of more, the oldest is told no more.
pub const UNTOLD_KEPT: usize = 64;

/// Rates of months of which it is remembered what was told: two years.
const RATES_KEPT: usize = 48;

/// What was told of the warnings. A fold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Turns {
    in_force: BTreeMap<(Month, WarnedRate), InForce>,
    untold: BTreeMap<u64, Pending>,
    turned: BTreeMap<(WarnedRate, Warning), u64>,
    told: BTreeMap<ToldBy, u64>,
    given_up: BTreeMap<ToldBy, u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct InForce {
    level: Warning,
    /// The day of the last turn, and the worst that was in force in it.
    day: NaiveDate,
    worst: Warning,
}

/// A turn, and by what it is still to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The entry with which it turned.
    pub seq: u64,
    /// When.
    pub at: Wall,
    /// How the rate stood.
    pub turn: WarningTurn,
    done: BTreeSet<ToldBy>,
}

kept!(struct Turns { in_force, untold, turned, told, given_up });
kept!(struct InForce { level, day, worst });
kept!(struct Pending { seq, at, turn, done });

impl Turns {
    /// Takes in the next; `day` is that of `at` in the desk's zone.
    pub(super) fn apply(&mut self, event: &FiguresEvent, seq: u64, at: Wall, day: NaiveDate) {
        match event {
            FiguresEvent::WarningTurned { turn } => {
                let done = BTreeSet::new();
                self.untold.insert(seq, Pending { seq, at, turn: turn.clone(), done });
                if self.untold.len() > UNTOLD_KEPT {
                    self.untold.pop_first();
                }
                let count = self.turned.entry((turn.rate, turn.to)).or_default();
                *count = count.saturating_add(1);
                let Ok(month) = turn.month.parse() else { return };
                let key = (month, turn.rate);
                let worst = self.worst_on(key, day).max(turn.to);
                self.in_force.insert(key, InForce { level: turn.to, day, worst });
                if self.in_force.len() > RATES_KEPT {
                    self.in_force.pop_first();
                }
            }
            FiguresEvent::WarningTold { turn, by, .. } => {
                if self.done(*turn, *by) {
                    let count = self.told.entry(*by).or_default();
                    *count = count.saturating_add(1);
                }
            }
            FiguresEvent::WarningGivenUp { turn, by, .. } => {
                if self.done(*turn, *by) {
                    let count = self.given_up.entry(*by).or_default();
                    *count = count.saturating_add(1);
                }
            }
            FiguresEvent::ExclusionEntered { .. }
            | FiguresEvent::ExclusionApproved { .. }
            | FiguresEvent::ExclusionWithdrawn { .. }
            | FiguresEvent::MonthClosed { .. }
            | FiguresEvent::SettingsChanged { .. } => {}
        }
    }

    /// Whether this was still to be done.
    fn done(&mut self, seq: u64, by: ToldBy) -> bool {
        let Some(pending) = self.untold.get_mut(&seq) else { return false };
        let new = pending.done.insert(by);
        if ToldBy::ALL.iter().all(|by| pending.done.contains(by)) {
            self.untold.remove(&seq);
        }
        new
    }

    /// What is in force of a rate.
    #[must_use]
    pub fn in_force(&self, month: Month, rate: WarnedRate) -> Warning {
        self.in_force.get(&(month, rate)).map_or(Warning::None, |it| it.level)
    }

    fn worst_on(&self, key: (Month, WarnedRate), day: NaiveDate) -> Warning {
        let Some(it) = self.in_force.get(&key) else { return Warning::None };
        if it.day == day { it.worst } else { it.level }
    }

    /// Turns that are still to be told by this way, the first first.
    pub fn untold(&self, by: ToldBy) -> impl Iterator<Item = &Pending> {
        self.untold.values().filter(move |it| !it.done.contains(&by))
    }

    /// Turns of the whole history, by the rate and what it turned to.
    #[must_use]
    pub fn turned(&self, rate: WarnedRate, to: Warning) -> u64 {
        self.turned.get(&(rate, to)).copied().unwrap_or(0)
    }

    /// Of the whole history: (told, given up).
    #[must_use]
    pub fn told(&self, by: ToldBy) -> (u64, u64) {
        let of = |counts: &BTreeMap<ToldBy, u64>| counts.get(&by).copied().unwrap_or(0);
        (of(&self.told), of(&self.given_up))
    }
}

/// Watches how the rates stand against what was told; remembers since when a change has held.
#[derive(Clone, Debug, Default)]
pub struct WarningWatch {
    held: BTreeMap<(Month, WarnedRate), Held>,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    since: Mono,
    /// What was in force then: another begins another hour.
    from: Warning,
    better: bool,
    /// Of a change to the better the worst since then, of one to the worse the least bad: what has really
    /// held.
    level: Warning,
}

impl WarningWatch {
    /// Turns that are due to be written. One is told again at the next look unless the views know it.
    pub fn look(&mut self, views: &Views, now: Now) -> Vec<WarningTurn> {
        let outlooks = views.outlook(now.wall);
        let today = views.day_of(now.wall);
        let month = outlooks.month;
        self.held.retain(|(of, _), _| *of == month);
        let rates = [(WarnedRate::Abandon, outlooks.abandon), (WarnedRate::Busy, outlooks.busy)];
        let mut turns = Vec::new();
        for (rate, outlook) in rates {
            let from = views.turns().in_force(month, rate);
            let worst = views.turns().worst_on((month, rate), today);
            if let Some(to) = self.due((month, rate), (from, worst, outlook.warning), now.mono) {
                turns.push(turn(rate, month, (from, to), &outlook));
            }
        }
        turns
    }

    fn due(
        &mut self,
        key: (Month, WarnedRate),
        (from, worst, found): (Warning, Warning, Warning),
        now: Mono,
    ) -> Option<Warning> {
        if found == from {
            self.held.remove(&key);
            return None;
        }
        if found > from && found > worst {
            self.held.remove(&key);
            return Some(found);
        }
        let better = found < from;
        let anew = Held { since: now, from, better, level: found };
        let held = self.held.entry(key).or_insert(anew);
        if (held.from, held.better) != (from, better) {
            *held = anew;
        }
        held.level = if better { held.level.max(found) } else { held.level.min(found) };
        (now.since(held.since) >= HELD).then_some(held.level)
    }
}

fn turn(
    rate: WarnedRate,
    month: Month,
    (from, to): (Warning, Warning),
    outlook: &Outlook,
) -> WarningTurn {
    let pair = |rate: Rate| {
        let Ratio { part, whole } = rate.ratio;
        (part, whole)
    };
    WarningTurn {
        rate,
        month: month.to_string(),
        from,
        to,
        so_far: pair(outlook.so_far),
        limit_percent: outlook.so_far.limit_percent.percent,
        projected: outlook.projected.map(pair),
        left_in_month: outlook.left_in_month,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Warning::{Missed, None as Calm, Projected};

    const DAY: NaiveDate = NaiveDate::from_ymd_opt(2026, 10, 14).expect("a day");
    const ABANDON: WarnedRate = WarnedRate::Abandon;

    fn turned(from: Warning, to: Warning) -> FiguresEvent {
        let turn = WarningTurn {
            rate: ABANDON,
            month: "2026-10".to_owned(),
            from,
            to,
            so_far: (5, 100),
            limit_percent: 10,
            projected: None,
            left_in_month: None,
        };
        FiguresEvent::WarningTurned { turn }
    }

    /// Lives through a day of found levels, each holding so many minutes; what was told, and when.
    fn lived(days: &[&[(u64, Warning)]]) -> Vec<(u64, Warning)> {
        let (mut turns, mut watch) = (Turns::default(), WarningWatch::default());
        let key = ("2026-10".parse().expect("a month"), ABANDON);
        let (mut minute, mut seq, mut day) = (0, 0, DAY);
        let mut told = Vec::new();
        for levels in days {
            for (minutes, found) in *levels {
                for _ in 0..*minutes {
                    let from = turns.in_force(key.0, ABANDON);
                    let worst = turns.worst_on(key, day);
                    let now = Mono(minute * 60_000_000);
                    if let Some(to) = watch.due(key, (from, worst, *found), now) {
                        seq += 1;
                        turns.apply(&turned(from, to), seq, Wall(0), day);
                        told.push((minute, to));
                    }
                    minute += 1;
                }
            }
            day = day.succ_opt().expect("a day");
        }
        told
    }

    #[test]
    fn worse_is_told_at_once_and_better_when_it_has_held_for_an_hour() {
        type Case<'a> = (&'a str, &'a [&'a [(u64, Warning)]], &'a [(u64, Warning)]);
        let to_and_fro: Vec<(u64, Warning)> =
            (0..20).flat_map(|_| [(10, Missed), (20, Calm)]).collect();
        let slowly: Vec<(u64, Warning)> = (0..4).flat_map(|_| [(90, Missed), (90, Calm)]).collect();
        let table: [Case; 8] = [
            ("a calm day", &[&[(600, Calm)]], &[]),
            (
                "worse, and worse",
                &[&[(5, Calm), (5, Projected), (5, Missed)]],
                &[(5, Projected), (10, Missed)],
            ),
            (
                "better for less than an hour",
                &[&[(5, Missed), (59, Calm), (5, Missed)]],
                &[(0, Missed)],
            ),
            ("better for an hour", &[&[(5, Missed), (61, Calm)]], &[(0, Missed), (65, Calm)]),
            (
                "better, by what really held",
                &[&[(5, Missed), (30, Calm), (1, Projected), (30, Calm), (61, Calm)]],
                &[(0, Missed), (65, Projected), (126, Calm)],
            ),
            ("to and fro", &[&to_and_fro], &[(0, Missed)]),
            (
                "slowly to and fro: once at once, then what held for an hour",
                &[&slowly],
                &[
                    (0, Missed),
                    (150, Calm),
                    (240, Missed),
                    (330, Calm),
                    (420, Missed),
                    (510, Calm),
                    (600, Missed),
                    (690, Calm),
                ],
            ),
            (
                "the next day's worst is told at once again",
                &[&[(5, Missed), (120, Calm)], &[(5, Calm), (5, Missed)]],
                &[(0, Missed), (65, Calm), (130, Missed)],
            ),
        ];
        for (case, days, due) in table {
            assert_eq!(lived(days), due, "{case}");
        }
    }

    #[test]
    fn what_is_told_is_not_told_again_and_what_is_not_stays() {
        use ToldBy::{Mail, Webhook};
        let mut turns = Turns::default();
        turns.apply(&turned(Calm, Projected), 7, Wall(1_000), DAY);
        turns.apply(&turned(Projected, Missed), 9, Wall(2_000), DAY);
        let of = |turns: &Turns, by| -> Vec<u64> { turns.untold(by).map(|it| it.seq).collect() };
        assert_eq!(of(&turns, Webhook), [7, 9]);
        for _ in 0..2 {
            let told = FiguresEvent::WarningTold { turn: 7, by: Webhook, tries: 1 };
            turns.apply(&told, 10, Wall(2_000), DAY);
        }
        assert_eq!((of(&turns, Webhook), of(&turns, Mail)), (vec![9], vec![7, 9]));
        let untold = crate::event::Untold::TimedOut;
        let given_up = FiguresEvent::WarningGivenUp { turn: 7, by: Mail, tries: 9, untold };
        turns.apply(&given_up, 11, Wall(2_000), DAY);
        assert_eq!(of(&turns, Mail), [9]);
        assert_eq!((turns.told(Webhook), turns.told(Mail)), ((1, 0), (0, 1)));
        assert_eq!((turns.turned(ABANDON, Missed), turns.untold.len()), (1, 1));
        for seq in 100..200 {
            turns.apply(&turned(Calm, Missed), seq, Wall(3_000), DAY);
        }
        assert_eq!(turns.untold.len(), UNTOLD_KEPT);
        assert_eq!(turns.untold.keys().last(), Some(&199));
    }
}
