//! The wallboard's state: one value that says all that the wall shows, made from the views at one
//! instant. What is bounded here is bounded for the screen; the counts are always whole.

use super::agents::{AgentRow, AgentState};
use super::call::{CallRow, CallState};
use super::hours::AdHocRow;
use super::layout::NumberRow;
use super::month::Month;
use super::outlook::Outlooks;
use super::ratio::Rate;
use super::service_level::Figures;
use super::today::{GroupRow, HalfHours};
use super::views::Views;
use crate::base::{AgentId, CallId, GroupId, Number, Wall};
use crate::event::Caller;
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Serialize, Serializer, ser::SerializeMap};
use std::collections::BTreeMap;

/// Waiting calls listed, the longest wait first; the count is whole.
pub const WAITING_SHOWN: usize = 30;
/// Agents listed, in the order of their lines; the counts are whole.
pub const AGENTS_SHOWN: usize = 300;
/// Parked calls listed, those longest there first; the count is whole.
pub const PARKED_SHOWN: usize = 20;
/// Calls in the short list.
pub const RECENT_SHOWN: usize = 12;

/// All that the wall shows.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Board {
    /// When it was made, by the wall clock.
    pub now_ms: Wall,
    /// The last entry in it.
    pub seq: u64,
    /// The plan's name.
    pub desk: String,
    /// Whether the calls are synthetic.
    pub demonstration: bool,
    /// The zone of all days shown.
    pub timezone: &'static str,
    /// Today, in that zone.
    pub today: NaiveDate,
    /// Calls that wait for an operator.
    pub waiting: Waiting,
    /// Agents by state.
    pub agent_counts: AgentCounts,
    /// Agents, at most [`AGENTS_SHOWN`].
    pub agents: Vec<AgentRow>,
    /// Closings and openings of the desk out of turn that hold now.
    pub ad_hoc_hours: Vec<AdHocRow>,
    /// The desk's numbers: open or closed and why, lines in use.
    pub numbers: Vec<NumberRow>,
    /// Lines of all these numbers together.
    pub lines: Lines,
    /// How many callers are in a slot.
    pub parked_count: usize,
    /// They, at most [`PARKED_SHOWN`].
    pub parked: Vec<ParkedRow>,
    /// Calls without an end.
    pub open_calls: usize,
    /// Calls that came by a trunk and have no end.
    pub channels_in_use: u64,
    /// Figures of calls that arrived today.
    pub day: Figures,
    /// Today's calls by half hour, and those of the days in `usual_days`.
    pub half_hours: HalfHours,
    /// Earlier days of today's weekday on which the desk served, the latest first.
    pub usual_days: Vec<NaiveDate>,
    /// The plan's groups, at most [`GROUPS_SHOWN`](super::GROUPS_SHOWN).
    pub groups: Vec<GroupRow>,
    /// This month.
    pub month: Month,
    /// The month's abandon rate.
    pub month_abandon_rate: Rate,
    /// The month's busy rate.
    pub month_busy_rate: Rate,
    /// What the month's rates come to at this pace, and how much it can bear.
    pub outlook: Outlooks,
    /// The target of `answered_in_time`, milliseconds.
    pub answer_target_ms: u64,
    /// The newest calls, at most [`RECENT_SHOWN`].
    pub recent: Vec<CallRow>,
}

/// Calls that asked for an operator and have none yet, whether a phone rings for them or not.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Waiting {
    /// How many.
    pub count: usize,
    /// The longest wait at `now_ms`, milliseconds; 0 when nobody waits.
    pub longest_ms: u64,
    /// At most [`WAITING_SHOWN`], the longest wait first.
    pub calls: Vec<WaitingRow>,
}

/// One waiting call.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct WaitingRow {
    /// Which.
    pub call: CallId,
    /// What was dialled.
    pub number: Number,
    /// Who waits.
    pub caller: Caller,
    /// For which group; none when one agent's own line was dialled.
    pub group: Option<GroupId>,
    /// A phone rings for it.
    pub ringing: bool,
    /// Heard the busy announcement.
    pub busy_announced: bool,
    /// A person put it before all others that wait.
    pub put_first: bool,
    /// Since asking for an operator, milliseconds at `now_ms`.
    pub wait_ms: u64,
}

/// Lines of the desk's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Lines {
    /// Calls to them that have no end.
    pub in_use: u64,
    /// The sum of their limits.
    pub limit: u64,
}

/// A caller who is in a slot.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ParkedRow {
    /// The slot's number.
    pub slot: Number,
    /// Who left the caller there.
    pub by: AgentId,
    /// Since when, by the wall clock.
    pub since_ms: Wall,
    /// Which call.
    pub call: CallId,
    /// Who is there.
    pub caller: Caller,
}

/// Agents in each state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentCounts(pub [(AgentState, u64); AgentState::ALL.len()]);

impl Serialize for AgentCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (state, count) in self.0 {
            map.serialize_entry(state.name(), &count)?;
        }
        map.end()
    }
}

impl Views {
    /// What the wall shows at `now`.
    ///
    /// `age_ms` tells how long ago a call arrived, by the monotonic clock; where it does not know,
    /// the wait is what the history alone proves.
    #[must_use]
    pub fn board(&self, now: Wall, age_ms: &dyn Fn(CallId) -> Option<u64>) -> Board {
        let today = self.day_of(now);
        let month = Month::of(today);
        let figures = self.month_figures(month);
        let mut calls: Vec<WaitingRow> =
            self.waiting().take(WAITING_SHOWN).map(|call| call.waits(age_ms)).collect();
        calls.sort_by_key(|row| std::cmp::Reverse(row.wait_ms));
        let ad_hoc_hours = self.ad_hoc_hours(now);
        let numbers = self.number_rows(now, &ad_hoc_hours);
        let by_half_hour = self.today(now, age_ms);
        let parked = self.parked_rows();
        Board {
            now_ms: now,
            seq: self.last_seq(),
            desk: self.desk().to_owned(),
            demonstration: self.is_demonstration(),
            timezone: self.timezone().name(),
            today,
            waiting: Waiting {
                count: self.waiting_count(),
                longest_ms: calls.first().map_or(0, |row| row.wait_ms),
                calls,
            },
            agent_counts: AgentCounts(self.agent_counts()),
            agents: self.agents(now).take(AGENTS_SHOWN).collect(),
            lines: Lines::of(&numbers),
            numbers,
            ad_hoc_hours,
            parked_count: parked.len(),
            parked: parked.into_iter().take(PARKED_SHOWN).collect(),
            open_calls: self.open_count(),
            channels_in_use: self.channels_in_use(),
            day: self.day_tally(today).figures(self.policy()),
            half_hours: by_half_hour.half_hours,
            usual_days: by_half_hour.usual_days,
            groups: by_half_hour.groups,
            month,
            month_abandon_rate: figures.abandon_rate,
            month_busy_rate: figures.busy_rate,
            outlook: self.outlook(now),
            answer_target_ms: self.policy().answer_target_ms,
            recent: self.newest(RECENT_SHOWN),
        }
    }
}

impl Views {
    fn number_rows(&self, now: Wall, ad_hoc: &[AdHocRow]) -> Vec<NumberRow> {
        let mut in_use: BTreeMap<&Number, u64> = BTreeMap::new();
        for number in self.open_at() {
            *in_use.entry(number).or_default() += 1;
        }
        let row = |line: &super::layout::DeskLine| NumberRow {
            number: line.number.clone(),
            name: line.name.clone(),
            counted: line.counted,
            lines_in_use: in_use.get(&line.number).copied().unwrap_or(0),
            line_limit: line.line_limit,
            service: line.service(now, ad_hoc),
        };
        self.layout().numbers.iter().map(row).collect()
    }

    /// All callers in a slot, those longest there first.
    fn parked_rows(&self) -> Vec<ParkedRow> {
        let row = |call: CallRow| {
            let parked = call.parked?;
            Some(ParkedRow {
                slot: parked.slot,
                by: parked.by,
                since_ms: Wall(call.arrived_at_ms.0.saturating_add_unsigned(parked.from_ms)),
                call: call.call,
                caller: call.caller,
            })
        };
        self.parked().into_iter().filter_map(row).collect()
    }
}

impl Lines {
    fn of(numbers: &[NumberRow]) -> Self {
        Self {
            in_use: numbers.iter().map(|row| row.lines_in_use).sum(),
            limit: numbers.iter().map(|row| u64::from(row.line_limit)).sum(),
        }
    }
}

impl super::call::Call {
    pub(super) fn waits(&self, age_ms: &dyn Fn(CallId) -> Option<u64>) -> WaitingRow {
        WaitingRow {
            call: self.id,
            number: self.number.clone(),
            caller: self.caller.clone(),
            group: self.group.clone(),
            ringing: !self.offers.is_empty(),
            busy_announced: self.progress.heard_busy(),
            put_first: self.put_first,
            wait_ms: self.wait_now_ms(age_ms(self.id)),
        }
    }

    pub(super) fn wait_now_ms(&self, age_ms: Option<u64>) -> u64 {
        let asked = self.progress.asked_at_ms().unwrap_or(self.last_t_ms);
        age_ms.unwrap_or(0).max(self.last_t_ms).saturating_sub(asked)
    }
}

impl CallRow {
    /// Whether the call has no end yet.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state != CallState::Ended
    }
}
