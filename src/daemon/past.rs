//! What the journal says at the start: the views, the agents' duty, what was talked, and the last words
//! for calls that were up when the last run ended.

use super::start::StartError;
use crate::base::{AgentId, CallId, Now};
use crate::dialplan::Plan;
use crate::event::{CallEvent, DeskEvent, Entry, Fact, RecordingEvent};
use crate::io::store;
use crate::pbx::{AgentMemory, Boxes, CallbacksMemory, Periods, Talked, TalkedMemory};
use crate::recording::command::RecordingId;
use crate::view::{self, Views};
use std::collections::{BTreeMap, BTreeSet};

/// What the history says at the start.
pub(super) struct Past {
    pub views: Views,
    pub agents: BTreeMap<AgentId, AgentMemory>,
    pub talked: Talked,
    pub periods: Periods,
    /// Messages that lie in the boxes.
    pub boxes: Boxes,
    /// Wishes to be called back that are not over.
    pub wishes: CallbacksMemory,
    /// Last words for the calls that were open when the last run ended.
    pub closing: Vec<Entry>,
    pub next_seq: u64,
    /// Recordings that were begun and of whose file nothing was written.
    pub unkept: BTreeSet<RecordingId>,
}

fn note_recording(unkept: &mut BTreeSet<RecordingId>, call: CallId, event: &RecordingEvent) {
    match *event {
        RecordingEvent::Started { number, .. } => {
            unkept.insert(RecordingId { call, number });
        }
        RecordingEvent::Failed { number, .. }
        | RecordingEvent::Kept { number, .. }
        | RecordingEvent::Deleted { number, .. } => {
            unkept.remove(&RecordingId { call, number });
        }
        RecordingEvent::Paused { .. }
        | RecordingEvent::Resumed { .. }
        | RecordingEvent::Stopped { .. }
        | RecordingEvent::Fetched { .. } => {}
    }
}

fn forget_phones(agents: &mut BTreeMap<AgentId, AgentMemory>) {
    for memory in agents.values_mut() {
        memory.reachable = false;
    }
}

pub(super) fn read(
    entries: store::Entries,
    setup: view::Setup,
    plan: &Plan,
    now: Now,
) -> Result<Past, StartError> {
    let mut views = Views::new(setup);
    let mut agents: BTreeMap<AgentId, AgentMemory> = BTreeMap::new();
    let mut talked = TalkedMemory::default();
    let (mut unkept, mut periods) = (BTreeSet::new(), Periods::default());
    let (mut boxes, mut wishes) = (Boxes::default(), CallbacksMemory::default());
    for block in entries {
        for entry in block? {
            match &entry.fact {
                Fact::Agent { agent, event } => {
                    agents.entry(agent.clone()).or_default().apply(event, entry.at);
                }
                // The views take every phone for unreachable from here on; so must the rules, so
                // that they say which are not.
                Fact::Desk { event: DeskEvent::Started { .. } } => forget_phones(&mut agents),
                Fact::Recording { call, event, .. } => {
                    note_recording(&mut unkept, *call, event);
                }
                Fact::Call { event: CallEvent::OperatorAnswered { agent }, .. } => {
                    agents.entry(agent.clone()).or_default().answered();
                }
                Fact::Desk {
                    event:
                        event @ (DeskEvent::Stopped
                        | DeskEvent::HoursChanged { .. }
                        | DeskEvent::HoursRestored { .. }),
                } => periods.apply(event),
                Fact::Call { .. }
                | Fact::Placed { .. }
                | Fact::Sound { .. }
                | Fact::Message { .. }
                | Fact::Callback { .. }
                | Fact::Trunk { .. } => {}
            }
            boxes.apply(&entry);
            wishes.apply(&entry);
            talked.apply(&entry, plan);
            views.apply(&entry);
        }
    }
    forget_phones(&mut agents);
    let closing = views.closing_entries(now.wall);
    for entry in &closing {
        talked.apply(entry, plan);
        views.apply(entry);
    }
    let talked = talked.talked;
    let next_seq = views.next_seq();
    Ok(Past { views, agents, talked, periods, boxes, wishes, closing, next_seq, unkept })
}
