//! What a dialled number means at a moment: the one way from a number into a plan.

use super::hours::{ClosedWhy, OpenState};
use super::park::Lot;
use super::plan::{DeskNumber, FeatureCode, Plan, Target};
use crate::base::{AdHoc, AgentId, GroupId, Number, TrunkId, Wall};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use std::sync::Arc;
use std::time::Duration;

/// Where a number leads.
#[derive(Clone, Debug)]
pub enum Route<'a> {
    /// A desk number: the call is one call of the desk.
    Desk {
        /// What the plan says of it.
        desk: &'a DeskNumber,
        /// Whether it is served now.
        state: OpenState,
        /// Where its call goes now.
        target: &'a Target,
    },
    /// A group's number (グループ代表番号).
    Group(&'a GroupId),
    /// An agent's own line.
    Agent(&'a AgentId),
    /// A parking lot: one of its free slots.
    Lot(&'a Arc<Lot>),
    /// One slot of a parking lot.
    Slot(&'a Arc<Lot>, &'a Number),
    /// A feature code.
    Code(FeatureCode),
    /// A feature code with what was dialled behind it.
    CodeFor(FeatureCode, Number),
    /// Not in the plan. Dialled by one of our phones it may be another phone's own number; from a
    /// trunk it means nothing.
    Other,
}

impl Plan {
    /// What `number` means at `at`. A number stands for at most one thing: `load` refuses others.
    #[must_use]
    pub fn route(&self, number: &Number, at: Wall) -> Route<'_> {
        self.route_under(number, at, None)
    }

    /// The same where the number is closed or opened out of turn, and why.
    #[must_use]
    pub fn route_under(
        &self,
        number: &Number,
        at: Wall,
        ad_hoc: Option<(AdHoc, Arc<str>)>,
    ) -> Route<'_> {
        if let Some(desk) = self.desk_numbers.get(number) {
            let state = match ad_hoc {
                None => self.state_of(desk, at),
                Some((to, why)) => OpenState::out_of_turn(to, why),
            };
            let target = desk.target(&state);
            return Route::Desk { desk, state, target };
        }
        if let Some((id, _)) =
            self.groups.iter().find(|(_, group)| group.number.as_ref() == Some(number))
        {
            return Route::Group(id);
        }
        if let Some((id, _)) = self.agents.get_key_value(&AgentId(number.0.clone())) {
            return Route::Agent(id);
        }
        for lot in &self.lots {
            if lot.number.as_ref() == Some(number) {
                return Route::Lot(lot);
            }
            if let Some((slot, _)) = lot.slots.get_key_value(number) {
                return Route::Slot(lot, slot);
            }
        }
        if let Some(code) = self.codes.get(number) {
            return Route::Code(*code);
        }
        self.open_codes
            .iter()
            .find_map(|(open, code)| {
                let behind = number.as_str().strip_prefix(open.as_str())?;
                let is = !behind.is_empty() && behind.bytes().all(|byte| byte.is_ascii_digit());
                is.then(|| Route::CodeFor(*code, Number::from(behind)))
            })
            .unwrap_or(Route::Other)
    }

    /// A number as it is dialled, or the desk number of that name; `desk` is the first that is counted.
    #[must_use]
    pub fn number_named(&self, text: &str) -> Option<Number> {
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'*' | b'#'))
        {
            return Some(text.into());
        }
        let named = self
            .desk_numbers
            .iter()
            .find(|(_, desk)| desk.name.to_lowercase() == text.to_lowercase())
            .map(|(number, _)| number);
        let first = || {
            let counted = self.desk_numbers.iter().find(|(_, desk)| desk.counted);
            counted.map(|(number, _)| number).filter(|_| text.eq_ignore_ascii_case("desk"))
        };
        named.or_else(first).cloned()
    }

    /// Whether a desk number is served at `at`. One that names no hours always is.
    #[must_use]
    pub fn state_of(&self, desk: &DeskNumber, at: Wall) -> OpenState {
        desk.hours
            .as_ref()
            .and_then(|name| self.hours.get(name))
            .map_or(OpenState::Open, |hours| hours.state(self.local(at)))
    }

    /// How long a desk number that is open at `at` stays so; none when it has no hours or no end of
    /// service is in sight.
    #[must_use]
    pub fn closes_in(&self, desk: &DeskNumber, at: Wall) -> Option<Duration> {
        let hours = self.hours.get(desk.hours.as_ref()?)?;
        let local = self.local(at);
        let closing = hours.next_closing(local)?;
        u64::try_from(closing.timestamp_millis().saturating_sub(at.0))
            .ok()
            .map(Duration::from_millis)
    }

    /// The beginning of a date in the plan's zone.
    #[must_use]
    pub fn midnight(&self, date: NaiveDate) -> Option<Wall> {
        self.moment(date, NaiveTime::MIN)
    }

    /// When a time of a date is in the plan's zone: the first of two, and where the clock leaves it out an hour later.
    #[must_use]
    pub fn moment(&self, date: NaiveDate, time: NaiveTime) -> Option<Wall> {
        let at = super::hours::local(self.timezone, date, time)?;
        Some(Wall(at.timestamp_millis()))
    }

    /// A stamp in the plan's zone. A stamp beyond the calendar (year 262,000) is taken as 1970.
    #[must_use]
    pub fn local(&self, at: Wall) -> DateTime<Tz> {
        DateTime::<Utc>::from_timestamp_millis(at.0)
            .unwrap_or(DateTime::UNIX_EPOCH)
            .with_timezone(&self.timezone)
    }
}

impl DeskNumber {
    /// Where a call goes in this state.
    #[must_use]
    pub fn target(&self, state: &OpenState) -> &Target {
        match state {
            OpenState::Open => &self.open,
            OpenState::Closed(ClosedWhy::Night | ClosedWhy::Weekend) => &self.closed.night,
            OpenState::Closed(ClosedWhy::Holiday(_)) => &self.closed.holiday,
            OpenState::Closed(ClosedWhy::Closure(_)) => &self.closed.closure,
            OpenState::Closed(ClosedWhy::AdHoc(_)) => &self.closed.ad_hoc,
            OpenState::Closed(ClosedWhy::Disaster(_)) => &self.closed.disaster,
        }
    }

    /// Whether a call of this trunk may enter here; none stands for one of our own phones, which
    /// always may.
    #[must_use]
    pub fn admits(&self, trunk: Option<&TrunkId>) -> bool {
        trunk.is_none_or(|trunk| self.trunks.is_empty() || self.trunks.contains(trunk))
    }
}
