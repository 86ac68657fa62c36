//! What callers left behind: voice messages, and wishes to be called back.

use super::erased::{caller_erased, erased, shown};
use crate::base::{AgentId, BoxId, CallId, CallbackId, GroupId, Number, Private, Wall, kept};
use crate::event::{
    CallEvent, CallbackEnd, CallbackEvent, Caller, Fact, MessageEvent, PlacedEvent, RecordingEvent,
};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};

/// Wishes that are over and still listed; the oldest to end leaves first.
const ENDED_KEPT: usize = 200;

/// A voice message as shown. Numbers of people are in it: it goes to pages behind a login only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MessageRow {
    /// The call in which it was left.
    pub call: CallId,
    /// Which of the call's recordings it is.
    pub number: u32,
    /// In which box.
    pub mailbox: BoxId,
    /// When, by the wall clock.
    pub left_at_ms: Wall,
    /// Who left it.
    pub caller: Caller,
    /// What was dialled.
    pub dialled: Number,
    /// From the beep to the end, milliseconds.
    pub length_ms: u64,
    /// Whether somebody marked it as heard.
    pub heard: bool,
    /// Whether its recording is whole and can be fetched.
    pub kept: bool,
}

kept!(struct MessageRow { call, number, mailbox, left_at_ms, caller, dialled, length_ms, heard, kept });

/// Where a wish to be called back stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallbackState {
    /// It waits for its turn, or for the next call.
    Waiting,
    /// An agent's phone rings for it.
    Ringing,
    /// The caller is being called, or is spoken with.
    Calling,
    /// Nothing is due any more.
    Over,
}

kept!(
    enum CallbackState {
        Waiting,
        Ringing,
        Calling,
        Over,
    }
);

/// A wish to be called back as shown. Numbers of people are in it: it goes to pages behind a login only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CallbackRow {
    /// The call in which it was said.
    pub call: CallId,
    /// By which of the plan's ways.
    pub callback: CallbackId,
    /// By whose agents.
    pub group: GroupId,
    /// At which number.
    pub number: Private<String>,
    /// The caller entered it.
    pub entered: bool,
    /// When, by the wall clock.
    pub asked_at_ms: Wall,
    /// Where it stands.
    pub state: CallbackState,
    /// Calls made for it.
    pub calls: u32,
    /// Who was rung or called for it last.
    pub agent: Option<AgentId>,
    /// The placed call made for it last.
    pub placed: Option<CallId>,
    /// Why it is over.
    #[serde(flatten)]
    pub end: Option<CallbackEnd>,
}

kept!(struct CallbackRow { call, callback, group, number, entered, asked_at_ms, state, calls, agent, placed, end });

/// The folds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Attended {
    messages: BTreeMap<(CallId, u32), MessageRow>,
    open: BTreeMap<CallId, CallbackRow>,
    ended: VecDeque<CallbackRow>,
}

kept!(struct Attended { messages, open, ended });

impl Attended {
    /// A step of a call that is up.
    pub(super) fn call(
        &mut self,
        (id, at): (CallId, Wall),
        (caller, dialled): (&Caller, &Number),
        event: &CallEvent,
    ) {
        match event {
            CallEvent::MessageLeft { mailbox, number, length_ms } => {
                let row = MessageRow {
                    call: id,
                    number: *number,
                    mailbox: mailbox.clone(),
                    left_at_ms: at,
                    caller: caller.clone(),
                    dialled: dialled.clone(),
                    length_ms: *length_ms,
                    heard: false,
                    kept: false,
                };
                self.messages.insert((id, *number), row);
            }
            CallEvent::CallbackAsked { callback, group, number, entered, .. } => {
                // Who asks twice has asked once.
                let same = |row: &CallbackRow| row.callback == *callback && row.number == *number;
                if self.open.values().any(same) {
                    return;
                }
                let row = CallbackRow {
                    call: id,
                    callback: callback.clone(),
                    group: group.clone(),
                    number: shown(number),
                    entered: *entered,
                    asked_at_ms: at,
                    state: CallbackState::Waiting,
                    calls: 0,
                    agent: None,
                    placed: None,
                    end: None,
                };
                self.open.insert(id, row);
            }
            _ => {}
        }
    }

    /// Whether somebody is still to be called back for that call.
    pub(super) fn is_due(&self, call: CallId) -> bool {
        self.open.contains_key(&call)
    }

    /// Numbers and names are no more in what was left or asked in calls that are due, by when that was.
    pub(super) fn erase(&mut self, due: &dyn Fn(CallId, Wall) -> bool) {
        let open = &self.open;
        for row in self.messages.values_mut() {
            if due(row.call, row.left_at_ms) && !open.contains_key(&row.call) {
                row.caller = caller_erased(&row.caller);
            }
        }
        for row in &mut self.ended {
            if due(row.call, row.asked_at_ms) {
                row.number = erased();
            }
        }
    }

    /// Any other entry.
    pub(super) fn apply(&mut self, fact: &Fact) {
        match fact {
            Fact::Message { call, number, event } => match event {
                MessageEvent::Heard { .. } => self.mark(*call, *number, true),
                MessageEvent::Unheard { .. } => self.mark(*call, *number, false),
                MessageEvent::Deleted { .. } => {
                    self.messages.remove(&(*call, *number));
                }
            },
            Fact::Recording { call, event: RecordingEvent::Deleted { number, .. }, .. } => {
                self.messages.remove(&(*call, *number));
            }
            Fact::Recording { call, event: RecordingEvent::Kept { number, .. }, .. } => {
                if let Some(row) = self.messages.get_mut(&(*call, *number)) {
                    row.kept = true;
                }
            }
            Fact::Callback { call, event } => self.wish(*call, event),
            Fact::Placed { call, event: PlacedEvent::Ended { .. }, .. } => {
                let row = self.open.values_mut().find(|row| row.placed == Some(*call));
                if let Some(row) = row {
                    row.state = CallbackState::Waiting;
                }
            }
            _ => {}
        }
    }

    fn mark(&mut self, call: CallId, number: u32, heard: bool) {
        if let Some(row) = self.messages.get_mut(&(call, number)) {
            row.heard = heard;
        }
    }

    fn wish(&mut self, call: CallId, event: &CallbackEvent) {
        let Some(row) = self.open.get_mut(&call) else { return };
        match event {
            CallbackEvent::AgentRung { agent } => {
                (row.state, row.agent) = (CallbackState::Ringing, Some(agent.clone()));
            }
            CallbackEvent::AgentMissed { .. } => row.state = CallbackState::Waiting,
            CallbackEvent::Called { agent, placed } => {
                (row.state, row.agent) = (CallbackState::Calling, Some(agent.clone()));
                (row.calls, row.placed) = (row.calls.saturating_add(1), Some(*placed));
            }
            CallbackEvent::Ended { why } => {
                (row.state, row.end) = (CallbackState::Over, Some(*why));
                let Some(row) = self.open.remove(&call) else { return };
                if self.ended.len() >= ENDED_KEPT {
                    self.ended.pop_front();
                }
                self.ended.push_back(row);
            }
        }
    }

    /// The newest first.
    pub(super) fn messages(&self) -> Vec<MessageRow> {
        self.messages.values().rev().cloned().collect()
    }

    pub(super) fn is_message(&self, call: CallId, number: u32) -> bool {
        self.messages.contains_key(&(call, number))
    }

    /// Those that wait by their arrival, then those that are over, the last to end first.
    pub(super) fn callbacks(&self) -> Vec<CallbackRow> {
        self.open.values().chain(self.ended.iter().rev()).cloned().collect()
    }
}
