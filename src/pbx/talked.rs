//! For how long each extension has talked outside today: counted as calls end, and folded from the
//! history after a restart, so that nobody gains time by one.

use crate::base::{CallId, Number, Wall};
use crate::dialplan::Plan;
use crate::event::{Entry, Fact, PlacedEnd, PlacedEvent};
use std::collections::BTreeMap;
use std::time::Duration;

/// Talking time of the day by extension; an extension that has not talked outside has no entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Talked(BTreeMap<Number, Day>);

/// One day's talking time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Day {
    /// The day, counted in the plan's zone.
    day: i64,
    time: Duration,
}

impl Talked {
    /// What the extension has talked on the day of `at`.
    pub(super) fn today(&self, by: &Number, at: Wall, plan: &Plan) -> Duration {
        let day = day_of(plan, at);
        self.0.get(by).filter(|talked| talked.day == day).map_or(Duration::ZERO, |it| it.time)
    }

    /// A call ended at `at`; all of it counts for that day.
    pub(super) fn add(&mut self, by: &Number, time: Duration, at: Wall, plan: &Plan) {
        let day = day_of(plan, at);
        let talked = self.0.entry(by.clone()).or_default();
        if talked.day != day {
            *talked = Day { day, time: Duration::ZERO };
        }
        talked.time = talked.time.saturating_add(time);
    }
}

fn day_of(plan: &Plan, at: Wall) -> i64 {
    use chrono::Datelike as _;
    i64::from(plan.local(at).num_days_from_ce())
}

/// What the history says of talking outside: a fold over its entries, handed to `Desk::restore_talked`.
#[derive(Clone, Debug, Default)]
pub struct TalkedMemory {
    /// What was talked until the last entry.
    pub talked: Talked,
    /// Calls outside that are up, with the time since dialling and the clock at their answer.
    open: BTreeMap<CallId, (Number, Option<(u64, Wall)>)>,
    last_at: Wall,
}

impl TalkedMemory {
    /// Takes in the next entry, of whatever kind. Of a call that a restart cut off, what was talked
    /// until the last sign of life of that run counts.
    pub fn apply(&mut self, entry: &Entry, plan: &Plan) {
        if let Fact::Placed { call, t_ms, event } = &entry.fact {
            match event {
                PlacedEvent::Dialled { by, inside: false, .. } => {
                    self.open.insert(*call, (by.clone(), None));
                }
                PlacedEvent::Answered => {
                    if let Some((_, answered @ None)) = self.open.get_mut(call) {
                        *answered = Some((*t_ms, entry.at));
                    }
                }
                PlacedEvent::Ended { why, .. } => {
                    if let Some((by, Some((answered_ms, answered_at)))) = self.open.remove(call) {
                        let (ms, at) = if *why == PlacedEnd::Restart {
                            let ms = self.last_at.0.saturating_sub(answered_at.0);
                            (u64::try_from(ms).unwrap_or(0), self.last_at)
                        } else {
                            (t_ms.saturating_sub(answered_ms), entry.at)
                        };
                        self.talked.add(&by, Duration::from_millis(ms), at, plan);
                    }
                }
                PlacedEvent::Dialled { inside: true, .. }
                | PlacedEvent::Tried { .. }
                | PlacedEvent::Failed { .. }
                | PlacedEvent::Held { .. }
                | PlacedEvent::Resumed { .. } => {}
            }
            if matches!(event, PlacedEvent::Ended { why: PlacedEnd::Restart, .. }) {
                return; // written by the next run: no sign of life of the last
            }
        }
        self.last_at = entry.at;
    }
}
