//! The desk closed or opened out of turn, and what a desk number's hours mean for a call that comes or
//! waits. How a state follows from the plan is `dialplan`'s.

use super::agent::AgentIx;
use super::api::CommandError;
use super::call::State;
use super::desk::Desk;
use super::floor::{Floor, Turn};
use super::timers::Timer;
use crate::base::{AdHoc, Mono, Now, Number, Wall, kept};
use crate::dialplan::{AtClosing, Group, OpenState, Route};
use crate::event::{DeskEvent, Fact, Means};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A period or a wait is looked at again after at most this long, so that a wall clock that was set is
/// noticed.
const LOOK_AGAIN: Duration = Duration::from_mins(1);
/// While a phone rings for a caller at closing time, the next look is then.
const RINGS_YET: Duration = Duration::from_secs(1);
/// Longest that the desk can be closed or opened out of turn, milliseconds: 400 days.
pub const LONGEST_PERIOD_MS: i64 = 400 * 24 * 3_600 * 1_000;
/// The reason written for a feature code, which can carry none.
const CODE_REASON: &str = "feature_code";

/// One number, or all of them, out of turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// To what.
    pub to: AdHoc,
    /// Why.
    pub reason: Arc<str>,
    /// When it ends by itself.
    pub until: Wall,
}

kept!(struct Period { to, reason, until });

/// What holds out of turn, from the history: none stands for all numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Periods(BTreeMap<Option<Number>, Period>);

kept!(newtype Periods);

impl Periods {
    /// Takes in the next entry of the desk.
    pub fn apply(&mut self, event: &DeskEvent) {
        match event {
            DeskEvent::HoursChanged { number, to, reason, until, .. } => {
                let period = Period { to: *to, reason: reason.as_str().into(), until: *until };
                self.0.insert(number.clone(), period);
            }
            DeskEvent::HoursRestored { number, .. } => {
                self.0.remove(number);
            }
            DeskEvent::Started { .. }
            | DeskEvent::Stopped
            | DeskEvent::CallersErased { .. }
            | DeskEvent::ErasedOnRequest { .. }
            | DeskEvent::Ordered { .. }
            | DeskEvent::PersonSignedIn { .. }
            | DeskEvent::PersonSignedOut { .. } => {}
        }
    }

    /// What holds for a number at a moment: its own, or else that of all.
    fn of(&self, number: Option<&Number>, at: Wall) -> Option<&Period> {
        let holds = |number: &Option<Number>| self.0.get(number).filter(|period| at < period.until);
        number.and_then(|number| holds(&Some(number.clone()))).or_else(|| holds(&None))
    }
}

/// The order of a person about the hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoursOrder {
    /// Out of turn until then.
    Change {
        /// To what.
        to: AdHoc,
        /// Why.
        reason: String,
        /// Until when.
        until: Wall,
    },
    /// As the plan says again.
    Restore,
}

impl Desk {
    /// Takes over what the history says of closings and openings; once, before any input. What ended
    /// meanwhile is written at the first tick, which is due at once.
    pub fn restore_hours(&mut self, periods: Periods, now: Now) {
        self.floor.periods = periods;
        self.floor.arm_hours(now);
    }

    /// Closes or opens out of turn, or takes it back. `number` none: all.
    pub(super) fn order_hours(
        &mut self,
        number: Option<Number>,
        order: HoursOrder,
        author: String,
        by: Means,
        turn: &mut Turn<'_>,
    ) -> Result<(), CommandError> {
        if number.as_ref().is_some_and(|it| !self.floor.plan.desk_numbers.contains_key(it)) {
            return Err(CommandError::NoSuchNumber);
        }
        let event = match order {
            HoursOrder::Change { to, reason, until } => {
                let left = until.0.saturating_sub(turn.now.wall.0);
                if !(1..=LONGEST_PERIOD_MS).contains(&left) {
                    return Err(CommandError::BadTime);
                }
                DeskEvent::HoursChanged { number, to, reason, author, by, until }
            }
            HoursOrder::Restore if self.floor.periods.0.contains_key(&number) => {
                DeskEvent::HoursRestored { number, author: Some(author), by }
            }
            HoursOrder::Restore => return Err(CommandError::AlreadySo),
        };
        self.floor.periods.apply(&event);
        turn.record(Fact::Desk { event });
        self.floor.arm_hours(turn.now);
        self.hours_moved(turn);
        Ok(())
    }

    /// Whether a desk number is closed now, by its hours or out of turn.
    #[must_use]
    pub fn has_closed(&self, number: &Number, now: Now) -> bool {
        self.floor.is_closed(Some(number), now)
    }

    /// An agent's feature code about the hours of all desk numbers, or of the one behind it.
    pub(super) fn hours_by_code(
        &mut self,
        agent: AgentIx,
        to: Option<AdHoc>,
        behind: Option<&Number>,
        turn: &mut Turn<'_>,
    ) -> Result<(), CommandError> {
        let id = &self.floor.agent(agent).id;
        if self.floor.plan.closers.as_ref().is_some_and(|closers| !closers.contains(id)) {
            return Err(CommandError::NotAllowed);
        }
        let author = id.to_string();
        let order = to.map_or(HoursOrder::Restore, |to| self.floor.code_period(to, turn.now));
        let number = match behind {
            Some(behind) => {
                let number = self.floor.plan.number_behind(behind);
                Some(number.ok_or(CommandError::NoSuchNumber)?.clone())
            }
            None => None,
        };
        self.order_hours(number, order, author, Means::FeatureCode, turn)
    }

    /// A period may have ended.
    pub(super) fn hours_due(&mut self, turn: &mut Turn<'_>) {
        self.floor.hours_timer = None;
        let over = |period: &Period| period.until <= turn.now.wall;
        let ended: Vec<Option<Number>> = self
            .floor
            .periods
            .0
            .iter()
            .filter(|(number, period)| over(period) || !self.floor.has_desk_number(number.as_ref()))
            .map(|(number, _)| number.clone())
            .collect();
        let any = !ended.is_empty();
        for number in ended {
            let event = DeskEvent::HoursRestored { number, author: None, by: Means::Rule };
            self.floor.periods.apply(&event);
            turn.record(Fact::Desk { event });
        }
        self.floor.arm_hours(turn.now);
        if any {
            self.hours_moved(turn);
        }
    }

    /// What is open or closed may be so no more: who waits is looked at.
    pub(super) fn hours_moved(&mut self, turn: &mut Turn<'_>) {
        for call in self.calls.values_mut() {
            if let State::Hunting(hunt) = &mut call.state
                && hunt.closes_at.is_some()
            {
                hunt.closes_at = Some(turn.now.mono);
                call.arm(&mut self.floor);
            }
        }
    }
}

impl Floor {
    /// Where a number leads now, under what holds out of turn.
    pub(super) fn route<'p>(
        &self,
        plan: &'p crate::dialplan::Plan,
        number: &Number,
        at: Wall,
    ) -> Route<'p> {
        plan.route_under(number, at, self.out_of_turn(Some(number), at))
    }

    /// What holds out of turn for a number, or for all, and why.
    pub(super) fn out_of_turn(
        &self,
        number: Option<&Number>,
        at: Wall,
    ) -> Option<(AdHoc, Arc<str>)> {
        let period = self.periods.of(number, at)?;
        Some((period.to, period.reason.clone()))
    }

    fn has_desk_number(&self, number: Option<&Number>) -> bool {
        number.is_none_or(|number| self.plan.desk_numbers.contains_key(number))
    }

    fn arm_hours(&mut self, now: Now) {
        let next = self.periods.0.iter().map(|(number, period)| {
            if !self.has_desk_number(number.as_ref()) {
                return Duration::ZERO;
            }
            let left = period.until.ms_since(now.wall);
            Duration::from_millis(left).min(LOOK_AGAIN)
        });
        let at = next.min().map(|left| now.mono + left);
        let mut held = self.hours_timer;
        self.timers.set(Timer::Hours, &mut held, at);
        self.hours_timer = held;
    }

    /// The plan changed: periods of numbers that are no more end.
    pub(super) fn hours_replanned(&mut self, now: Now) {
        self.arm_hours(now);
    }

    fn state_of(&self, number: &Number, now: Now) -> Option<OpenState> {
        match self.route(&self.plan, number, now.wall) {
            Route::Desk { state, .. } => Some(state),
            _ => None,
        }
    }

    /// Whether who waits when the number closes is told and released.
    pub(super) fn tells_at_closing(&self, number: Option<&Number>, group: &Group) -> bool {
        let desk = number.and_then(|number| self.plan.desk_numbers.get(number));
        desk.is_some_and(|desk| AtClosing::of(group.at_closing, desk.at_closing) == AtClosing::Tell)
    }

    /// When a call that waits must be looked at because its number closes; none when it is served out
    /// whatever the hour: its group and number say so, it came by no number with hours, or by one that
    /// was closed already and leads to people all the same.
    pub(super) fn closing(&self, number: Option<&Number>, group: &Group, now: Now) -> Option<Mono> {
        let number = number?;
        let desk = self.plan.desk_numbers.get(number)?;
        if !self.tells_at_closing(Some(number), group)
            || self.state_of(number, now) != Some(OpenState::Open)
        {
            return None;
        }
        let by_plan = self.plan.closes_in(desk, now.wall);
        let period = self.periods.of(Some(number), now.wall).map(|period| {
            let left = period.until.0.saturating_sub(now.wall.0);
            Duration::from_millis(u64::try_from(left).unwrap_or(0))
        });
        let left = [by_plan, period].into_iter().flatten().fold(LOOK_AGAIN, Duration::min);
        Some(now.mono + left)
    }

    /// Whether the number of a waiting call has closed.
    pub(super) fn is_closed(&self, number: Option<&Number>, now: Now) -> bool {
        let state = number.and_then(|number| self.state_of(number, now));
        matches!(state, Some(OpenState::Closed(_)))
    }

    /// The next look at a caller for whom a phone rings after closing time.
    pub(super) fn rings_yet(now: Now) -> Mono {
        now.mono + RINGS_YET
    }

    /// What a feature code makes of the hours: until the day's end in the plan's zone.
    pub(super) fn code_period(&self, to: AdHoc, now: Now) -> HoursOrder {
        let local = self.plan.local(now.wall);
        let tomorrow = local.date_naive().succ_opt();
        let end = tomorrow.and_then(|date| self.plan.midnight(date));
        // Beyond the calendar there is no tomorrow; a day is as good as any.
        let until = end.unwrap_or(Wall(now.wall.0.saturating_add(86_400_000)));
        HoursOrder::Change { to, reason: CODE_REASON.to_owned(), until }
    }
}
