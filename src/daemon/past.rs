//! What the journal says at the start: the views, the agents' duty, what was talked, and the last words
//! for calls that were up when the last run ended.

use super::start::StartError;
use crate::base::{AgentId, CallId, Now, Wall};
use crate::dialplan::Plan;
use crate::event::{CallEvent, DeskEvent, Entry, Fact, FiguresEvent, RecordingEvent};
use crate::io::store;
use crate::pbx::{AgentMemory, Boxes, CallbacksMemory, Declared, Periods, Talked, TalkedMemory};
use crate::recording::command::RecordingId;
use crate::view::{self, Policy, Views};
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
    /// What people declared about the figures.
    pub declared: Declared,
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

/// The settings by which the contract is read, when they are not those that the history wrote last: so
/// that every figure can name the settings of its time.
fn new_settings(views: &Views, policy: &Policy, before: usize, now: Now) -> Option<Entry> {
    let (written, version) = views.settings();
    let settings = policy.settings();
    let event = FiguresEvent::SettingsChanged { version: version.saturating_add(1), settings };
    let seq = views.next_seq().saturating_add(u64::try_from(before).unwrap_or(0));
    let changed = *written != policy.settings();
    changed.then_some(Entry { seq, at: now.wall, fact: Fact::Figures { event } })
}

pub(super) fn read(
    entries: store::Entries,
    setup: view::Setup,
    plan: &Plan,
    now: Now,
) -> Result<Past, StartError> {
    let policy = setup.policy.clone();
    let mut views = Views::new(setup);
    let mut agents: BTreeMap<AgentId, AgentMemory> = BTreeMap::new();
    let mut talked = TalkedMemory::default();
    let (mut unkept, mut periods) = (BTreeSet::new(), Periods::default());
    let mut declared = Declared::default();
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
                | Fact::Figures { .. }
                | Fact::Desk { event: DeskEvent::CallersErased { .. } }
                | Fact::Trunk { .. } => {}
            }
            declared.apply(&entry.fact);
            boxes.apply(&entry);
            wishes.apply(&entry);
            talked.apply(&entry, plan);
            views.apply(&entry);
        }
    }
    forget_phones(&mut agents);
    let mut closing = views.closing_entries(now.wall);
    closing.extend(new_settings(&views, &policy, closing.len(), now));
    for entry in &closing {
        talked.apply(entry, plan);
        views.apply(entry);
    }
    let talked = talked.talked;
    let next_seq = views.next_seq();
    Ok(Past { views, agents, talked, periods, boxes, wishes, declared, closing, next_seq, unkept })
}

/// The days on which a plan serves, from the month before `now` on.
pub(super) fn service_days(plan: &Plan, now: Wall) -> view::ServiceDays {
    let month = view::Month::of(plan.local(now).date_naive());
    view::ServiceDays::ask(month.earlier(1).first(), |day| plan.serves_on(day))
}
