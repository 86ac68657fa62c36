//! The agent panel's state: one value that says all that one agent's panel shows, made from the views at one
//! instant. What is bounded here is bounded for the screen.

use super::agents::{AgentRow, AgentState};
use super::asks::Asks;
use super::attended::{CallbackRow, CallbackState, MessageRow};
use super::board::{AGENTS_SHOWN, WAITING_SHOWN, Waiting};
use super::call::{Call, CallRow, Pressed};
use super::earlier::EarlierRow;
use super::layout::{DeskLine, GroupLaid, SlotLaid};
use super::placed::PlacedRow;
use super::unanswered::UnansweredRow;
use super::views::Views;
use super::written::NoteRow;
use crate::base::{AgentId, CallId, GroupId, Number, Wall};
use crate::event::Caller;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Wishes to be called back, and messages, that are listed; the counts are whole.
pub const LISTED: usize = 30;

/// All that one agent's panel shows.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Panel {
    /// When it was made, by the wall clock.
    pub now_ms: Wall,
    /// The last entry in it.
    pub seq: u64,
    /// The plan's name.
    pub desk: String,
    /// Whether the calls are synthetic.
    pub demonstration: bool,
    /// The zone of all times shown.
    pub timezone: &'static str,
    /// The agent.
    pub agent: AgentRow,
    /// For what the agent may pause; none: anything.
    pub pause_reasons: Vec<String>,
    /// By how much an order makes after-call work longer, milliseconds.
    pub wrap_up_more_ms: u64,
    /// The agent's groups.
    pub groups: Vec<GroupLaid>,
    /// The call that rings at the agent's phone, that the agent is in or asked about, or was in last.
    pub call: Option<PanelCall>,
    /// A call that the agent's phone placed, not over yet.
    pub placed: Option<PlacedRow>,
    /// Calls of the agent's groups that wait.
    pub queue: Waiting,
    /// The other agents, at most 300.
    pub colleagues: Vec<Colleague>,
    /// Slots of the plan's parking lots.
    pub slots: Vec<SlotRow>,
    /// What the agent's phone rang for today in vain, the newest first.
    pub unanswered: Vec<UnansweredRow>,
    /// Wishes of callers of the agent's groups to be called back that are not over.
    pub callbacks: Listed<CallbackRow>,
    /// Messages in the agent's boxes that nobody has heard, the newest first.
    pub messages: Listed<PanelMessage>,
    /// Desk numbers.
    pub lines: Vec<LineRow>,
    /// Calls that came by a trunk and have no end.
    pub channels_in_use: u64,
}

/// A list that may be cut.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "Listed{T}")]
pub struct Listed<T> {
    /// How many there are.
    pub count: usize,
    /// The first of them.
    pub rows: Vec<T>,
}

impl<T> Listed<T> {
    fn of(rows: impl Iterator<Item = T>) -> Self {
        let mut rows: Vec<T> = rows.collect();
        let count = rows.len();
        rows.truncate(LISTED);
        Self { count, rows }
    }
}

/// What the agent has to do with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The agent's phone rings for it.
    Ringing,
    /// The agent speaks with its caller.
    Talking,
    /// A colleague asks the agent about it.
    Asked,
    /// The agent was in it last.
    Last,
}

/// The panel's call.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PanelCall {
    /// What the agent has to do with it.
    pub role: Role,
    /// As in the call list.
    #[serde(flatten)]
    pub row: CallRow,
    /// For how long it has been up, milliseconds at `now_ms`; for how long it was, once over.
    pub age_ms: u64,
    /// When the caller asked for an operator, milliseconds after the arrival.
    pub asked_ms: Option<u64>,
    /// The caller is held.
    pub held: bool,
    /// The colleague who is asked meanwhile; of a group, who has answered.
    pub consulting: Option<AgentId>,
    /// Whom the agent asks meanwhile by keys, a colleague or anybody else.
    pub asks: Option<Asks>,
    /// Keys that led somewhere in menus, in order.
    pub pressed: Vec<Pressed>,
    /// What was written about it.
    pub notes: Vec<NoteRow>,
    /// Earlier calls of the same number, the newest first.
    pub earlier: Vec<EarlierCall>,
}

/// An earlier call, with what was written about it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EarlierCall {
    /// The call.
    #[serde(flatten)]
    pub row: EarlierRow,
    /// What was written about it.
    pub notes: Vec<NoteRow>,
}

/// Another agent.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Colleague {
    /// The agent's own line.
    pub agent: AgentId,
    /// For people.
    pub name: String,
    /// What is shown.
    pub state: AgentState,
    /// Since when, by the wall clock.
    pub since_ms: Wall,
    /// Why set aside, while it is.
    pub paused: Option<String>,
    /// The phone can be rung.
    pub reachable: bool,
}

/// A slot of a parking lot.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SlotRow {
    /// Its number.
    pub slot: Number,
    /// The lot's name.
    pub lot: String,
    /// Who is in it.
    pub parked: Option<SlotStay>,
}

/// A caller in a slot.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SlotStay {
    /// Which call.
    pub call: CallId,
    /// Who waits there.
    pub caller: Caller,
    /// The group asked for last.
    pub group: Option<GroupId>,
    /// Who left it there.
    pub by: AgentId,
    /// Since when, by the wall clock.
    pub since_ms: Wall,
}

/// A voice message with its box's name.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PanelMessage {
    /// As in the list of messages.
    #[serde(flatten)]
    pub row: MessageRow,
    /// The box's name for people.
    pub box_name: String,
}

/// A desk number.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LineRow {
    /// What is dialled.
    pub number: Number,
    /// For people.
    pub name: String,
    /// Calls that are up.
    pub in_use: usize,
    /// Most calls at once.
    pub limit: u32,
}

impl Panel {
    /// The same without clocks that run by themselves: two panels of which this is alike show the same.
    #[must_use]
    pub fn timeless(&self) -> Self {
        let mut still = self.clone();
        (still.now_ms, still.seq, still.queue.longest_ms) = (Wall::default(), 0, 0);
        for row in &mut still.queue.calls {
            row.wait_ms = 0;
        }
        if let Some(call) = still.call.as_mut().filter(|call| call.row.length_ms.is_none()) {
            call.age_ms = 0;
        }
        still
    }
}

impl Views {
    /// What the panel of an agent shows at `now`; none when the plan has no such agent. `age_ms` as for
    /// [`Views::board`].
    #[must_use]
    pub fn panel(
        &self,
        id: &AgentId,
        now: Wall,
        age_ms: &dyn Fn(CallId) -> Option<u64>,
    ) -> Option<Panel> {
        let layout = self.layout();
        let mut agent = None;
        let mut colleagues = Vec::new();
        for row in self.agents(now) {
            if row.agent == *id {
                agent = Some(row);
            } else if colleagues.len() < AGENTS_SHOWN {
                let AgentRow { agent, name, state, since_ms, paused, reachable, .. } = row;
                colleagues.push(Colleague { agent, name, state, since_ms, paused, reachable });
            }
        }
        let agent = agent.filter(|_| self.is_in_plan(id))?;
        let groups: Vec<GroupLaid> =
            layout.groups.iter().filter(|group| group.agents.contains(id)).cloned().collect();
        let is_mine = |group: Option<&GroupId>| {
            group.is_some_and(|group| groups.iter().any(|mine| mine.group == *group))
        };
        let wanted = |call: &&Call| is_mine(call.group.as_ref()) || call.offers.contains(id);
        let mut waiting = self.waiting().filter(wanted);
        let mut calls: Vec<_> =
            waiting.by_ref().take(WAITING_SHOWN).map(|call| call.waits(age_ms)).collect();
        let count = calls.len().saturating_add(waiting.count());
        calls.sort_by_key(|row| std::cmp::Reverse(row.wait_ms));
        let longest_ms = calls.first().map_or(0, |row| row.wait_ms);
        let is_due =
            |row: &CallbackRow| row.state != CallbackState::Over && is_mine(Some(&row.group));
        let messages = self.messages().into_iter().filter(|row| !row.heard).filter_map(|row| {
            let mut boxes = layout.boxes.iter();
            let of = boxes.find(|it| it.mailbox == row.mailbox && it.is_of(id))?;
            Some(PanelMessage { row, box_name: of.name.clone() })
        });
        let today = self.day_of(now);
        let unanswered =
            self.unanswered_of(id).filter(|row| self.day_of(row.at_ms) == today).cloned();
        Some(Panel {
            now_ms: now,
            seq: self.last_seq(),
            desk: self.desk().to_owned(),
            demonstration: self.is_demonstration(),
            timezone: self.timezone().name(),
            call: self.panel_call(id, &agent, age_ms),
            placed: self.placed_by(id),
            agent,
            pause_reasons: layout.pause_reasons.clone(),
            wrap_up_more_ms: layout.wrap_up_more_ms,
            queue: Waiting { count, longest_ms, calls },
            colleagues,
            slots: self.slots(),
            unanswered: unanswered.collect(),
            callbacks: Listed::of(self.callbacks().into_iter().filter(is_due)),
            messages: Listed::of(messages),
            lines: self.lines(),
            channels_in_use: self.channels_in_use(),
            groups,
        })
    }

    fn panel_call(
        &self,
        id: &AgentId,
        agent: &AgentRow,
        age_ms: &dyn Fn(CallId) -> Option<u64>,
    ) -> Option<PanelCall> {
        let mut role_in = Vec::new();
        for call in self.open() {
            if call.talks_with() == Some(id) {
                role_in.push((0, Role::Talking, call));
            } else if call.offers.contains(id) {
                role_in.push((1, Role::Ringing, call));
            } else if call.asks.as_ref().is_some_and(|asks| asks.asks(id)) {
                role_in.push((2, Role::Asked, call));
            }
        }
        let now = role_in.into_iter().min_by_key(|(order, ..)| *order);
        let free = agent.state != AgentState::Talking;
        let last = || {
            let call = self.last_call_of(id).filter(|_| free)?;
            Some((3, Role::Last, self.listed(call)?))
        };
        let (_, role, call) = now.or_else(last)?;
        let row = call.row();
        let age_ms = match row.length_ms {
            Some(length_ms) => length_ms,
            None => age_ms(call.id).unwrap_or(0).max(call.last_t_ms),
        };
        let about = |call| self.written().about(call).to_vec();
        let known = call.known_caller();
        let earlier = known.map_or_else(Vec::new, |number| self.earlier_of(number));
        let earlier = earlier.into_iter().filter(|row| row.call != call.id);
        Some(PanelCall {
            role,
            age_ms,
            asked_ms: call.progress.asked_at_ms(),
            held: call.hold.lasts(),
            consulting: call.asks.as_ref().and_then(|asks| asks.with.clone()),
            asks: call.asks.clone(),
            pressed: call.pressed.clone(),
            notes: about(call.id),
            earlier: earlier.map(|row| EarlierCall { notes: about(row.call), row }).collect(),
            row,
        })
    }

    fn slots(&self) -> Vec<SlotRow> {
        let stays = self.open().filter_map(|call| Some((call, call.parked.as_ref()?)));
        let mut parked: BTreeMap<&Number, SlotStay> = stays
            .map(|(call, stay)| {
                let row = SlotStay {
                    call: call.id,
                    caller: call.caller.clone(),
                    group: call.group.clone(),
                    by: stay.by.clone(),
                    since_ms: Wall(call.arrived_at.0.saturating_add_unsigned(stay.from_ms)),
                };
                (&stay.slot, row)
            })
            .collect();
        let slots = self.layout().slots.iter();
        let row = |laid: &SlotLaid| SlotRow {
            slot: laid.slot.clone(),
            lot: laid.lot.clone(),
            parked: parked.remove(&laid.slot),
        };
        slots.map(row).collect()
    }

    fn lines(&self) -> Vec<LineRow> {
        let in_use = |number: &Number| self.open().filter(|call| call.number == *number).count();
        let row = |line: &DeskLine| LineRow {
            number: line.number.clone(),
            name: line.name.clone(),
            in_use: in_use(&line.number),
            limit: line.line_limit,
        };
        self.layout().numbers.iter().map(row).collect()
    }
}
