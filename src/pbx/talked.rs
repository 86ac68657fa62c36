//! For how long each extension has talked outside today: counted as calls end, and folded from the
//! history after a restart, so that nobody gains time by one.

use crate::base::{CallId, Number, Wall, kept};
use crate::dialplan::Plan;
use crate::event::{CallEvent, EndCause, Entry, Fact, PlacedEnd, PlacedEvent};
use std::collections::BTreeMap;
use std::time::Duration;

/// Talking time of the day by extension; an extension that has not talked outside has no entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Talked(BTreeMap<Number, Day>);

kept!(newtype Talked);

/// One day's talking time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Day {
    /// The day, counted in the plan's zone.
    day: i64,
    time: Duration,
}

kept!(struct Day { day, time });

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
    /// Calls outside that are up.
    open: BTreeMap<CallId, Open>,
    /// Calls of the desk that an agent sent outside.
    away: BTreeMap<CallId, Open>,
    /// The call outside that was passed on last: it may go on as one of the desk's.
    passed_on: Option<CallId>,
    last_at: Wall,
}

kept!(struct TalkedMemory { talked, open, away, passed_on, last_at });

/// A call outside.
#[derive(Clone, Debug)]
struct Open {
    /// For whom it counts.
    by: Number,
    /// The time since its beginning and the clock at its answer.
    answered: Option<(u64, Wall)>,
}

kept!(struct Open { by, answered });

impl TalkedMemory {
    /// Takes in the next entry, of whatever kind. Of a call that a restart cut off, what was talked
    /// until the last sign of life of that run counts.
    pub fn apply(&mut self, entry: &Entry, plan: &Plan) {
        let restart = match &entry.fact {
            Fact::Placed { call, t_ms, event } => {
                self.placed(*call, *t_ms, event, entry.at, plan);
                matches!(event, PlacedEvent::Ended { why: PlacedEnd::Restart, .. })
            }
            Fact::Call { call, t_ms, event } => {
                self.call(*call, *t_ms, event, entry.at, plan);
                matches!(event, CallEvent::Ended { cause: EndCause::Restart, .. })
            }
            Fact::Agent { .. }
            | Fact::Sound { .. }
            | Fact::Trunk { .. }
            | Fact::Recording { .. }
            | Fact::Message { .. }
            | Fact::Note { .. }
            | Fact::Feed { .. }
            | Fact::Incident { .. }
            | Fact::Callback { .. }
            | Fact::Figures { .. }
            | Fact::Desk { .. } => false,
        };
        if restart {
            return; // written by the next run: no sign of life of the last
        }
        self.last_at = entry.at;
    }
    fn placed(&mut self, call: CallId, t_ms: u64, event: &PlacedEvent, at: Wall, plan: &Plan) {
        match event {
            PlacedEvent::Dialled { by, inside: false, .. } => {
                self.open.insert(call, Open { by: by.clone(), answered: None });
            }
            PlacedEvent::Answered => {
                if let Some(open) = self.open.get_mut(&call) {
                    open.answered.get_or_insert((t_ms, at));
                }
            }
            PlacedEvent::Ended { why, .. } => {
                let Some(open) = self.open.remove(&call) else { return };
                self.over(&open, t_ms, *why == PlacedEnd::Restart, at, plan);
                if *why == PlacedEnd::PassedOn {
                    self.passed_on = Some(call);
                }
            }
            PlacedEvent::Dialled { inside: true, .. }
            | PlacedEvent::Tried { .. }
            | PlacedEvent::Failed { .. }
            | PlacedEvent::Held { .. }
            | PlacedEvent::Resumed { .. } => {}
        }
    }

    fn call(&mut self, call: CallId, t_ms: u64, event: &CallEvent, at: Wall, plan: &Plan) {
        match event {
            // Its number is that of the extension which placed it.
            CallEvent::Arrived { number, .. } if self.passed_on == Some(call) => {
                self.passed_on = None;
                let (by, answered) = (number.clone(), Some((t_ms, at)));
                self.open.insert(call, Open { by, answered });
            }
            CallEvent::SentAway { by, inside: false, .. }
            | CallEvent::ConsultCalled { by, inside: false, .. }
            | CallEvent::ThirdCalled { by, inside: false, .. } => {
                let by = Number(by.0.clone());
                self.away.insert(call, Open { by, answered: None });
            }
            CallEvent::OverflowedOutside { group, .. } => {
                let by = super::beyond::counted_as(group);
                self.away.insert(call, Open { by, answered: None });
            }
            CallEvent::AwayAnswered
            | CallEvent::ConsultAnswered { .. }
            | CallEvent::ThirdJoined { .. } => {
                if let Some(open) = self.away.get_mut(&call) {
                    open.answered.get_or_insert((t_ms, at));
                }
            }
            CallEvent::Returned { .. } | CallEvent::OperatorAnswered { .. } => {
                self.away.remove(&call);
            }
            // Handed over, it goes on as a span of its own.
            CallEvent::ThirdEnded
            | CallEvent::ThirdFailed { .. }
            | CallEvent::ConsultOver { .. } => {
                if let Some(open) = self.away.remove(&call) {
                    self.over(&open, t_ms, false, at, plan);
                }
            }
            CallEvent::Ended { cause, .. } => {
                let sides = [self.open.remove(&call), self.away.remove(&call)];
                for open in sides.into_iter().flatten() {
                    self.over(&open, t_ms, *cause == EndCause::Restart, at, plan);
                }
            }
            _ => {}
        }
    }

    fn over(&mut self, open: &Open, t_ms: u64, restart: bool, at: Wall, plan: &Plan) {
        let Some((answered_ms, answered_at)) = open.answered else { return };
        let (ms, at) = if restart {
            let ms = self.last_at.0.saturating_sub(answered_at.0);
            (u64::try_from(ms).unwrap_or(0), self.last_at)
        } else {
            (t_ms.saturating_sub(answered_ms), at)
        };
        self.talked.add(&open.by, Duration::from_millis(ms), at, plan);
    }
}
