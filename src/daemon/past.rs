//! What the journal says at the start: the views, the agents' duty, what was talked, and the last words
//! for calls that were up when the last run ended.

use super::feeding::first_words;
use crate::base::{AgentId, CallId, Keep, Now, kept};
use crate::config::TargetConfig;
use crate::dialplan::Plan;
use crate::event::{CallEvent, DeskEvent, Entry, Fact, FiguresEvent, RecordingEvent};
use crate::io::store::{self, Snapshot, Unfit};
use crate::pbx::{
    AgentMemory, Boxes, CallbacksMemory, Declared, Notes, Periods, Talked, TalkedMemory,
};
use crate::recording::command::RecordingId;
use crate::view::{self, Policy, Views};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

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
    /// Which calls may still be written about.
    pub notes: Notes,
    /// Which ticket systems are fed from here on, and last words for the calls that were open when the last run
    /// ended.
    pub closing: Vec<Entry>,
    pub next_seq: u64,
    /// Recordings that were begun and of whose file nothing was written.
    pub unkept: BTreeSet<RecordingId>,
}

/// All that is folded of the history: for the pages, and for the rules to go on with.
#[derive(Clone)]
pub(super) struct Fold {
    pub(super) views: Views,
    rules: Rules,
}

/// What the rules go on with.
#[derive(Clone, Default)]
struct Rules {
    agents: BTreeMap<AgentId, AgentMemory>,
    talked: TalkedMemory,
    periods: Periods,
    boxes: Boxes,
    wishes: CallbacksMemory,
    declared: Declared,
    notes: Notes,
    /// Recordings that were begun and of whose file nothing was written: call and number.
    unkept: BTreeSet<(CallId, u32)>,
}

kept!(struct Rules { agents, talked, periods, boxes, wishes, declared, notes, unkept });

impl Fold {
    /// Of no entry.
    pub(super) fn new(setup: view::Setup) -> Self {
        Self { views: Views::new(setup), rules: Rules::default() }
    }

    /// From the store's snapshot; none when there is none. Waits for the disk.
    ///
    /// # Errors
    ///
    /// [`Unfit`]: begin with no entry instead.
    pub(super) fn found(store: &Path, setup: view::Setup) -> Result<Option<Self>, Unfit> {
        let Some(snapshot) = Snapshot::read(store, &setup.shape())? else { return Ok(None) };
        let (mut views, mut rules) = (snapshot.views(), snapshot.rules());
        let fold = (Views::found(setup, &mut views), Keep::found(&mut rules));
        let (Some(views_found), Some(rules_found)) = fold else { return Err(Unfit::Content) };
        let whole =
            views.left() == 0 && rules.left() == 0 && views_found.last_seq() == snapshot.seq;
        let fold = Self { views: views_found, rules: rules_found };
        whole.then_some(Some(fold)).ok_or(Unfit::Content)
    }

    /// Writes the store's snapshot, which stands at the last entry taken. Waits for the disk.
    ///
    /// # Errors
    ///
    /// [`Unfit`]; the one before lies there still.
    pub(super) fn keep(&self, store: &Path, shape: &str) -> Result<(), Unfit> {
        let (mut views, mut rules) = (Vec::new(), Vec::new());
        self.views.keep(&mut views);
        self.rules.keep(&mut rules);
        Snapshot::write(store, shape, self.views.last_seq(), (&views, &rules))
    }

    /// Takes the next entry.
    pub(super) fn apply(&mut self, entry: &Entry, plan: &Plan) {
        self.rules.apply(entry, plan);
        self.views.apply(entry);
    }
}

impl Rules {
    fn apply(&mut self, entry: &Entry, plan: &Plan) {
        match &entry.fact {
            Fact::Agent { agent, event } => self.of_agent(agent).apply(event, entry.at),
            // The views take every phone for unreachable from here on; so must the rules, so
            // that they say which are not.
            Fact::Desk { event: DeskEvent::Started { .. } } => self.forget_phones(),
            Fact::Recording { call, event, .. } => self.note_recording(*call, event),
            Fact::Call { event: CallEvent::OperatorAnswered { agent }, .. } => {
                self.of_agent(agent).answered();
            }
            Fact::Desk {
                event:
                    event @ (DeskEvent::Stopped
                    | DeskEvent::HoursChanged { .. }
                    | DeskEvent::HoursRestored { .. }),
            } => self.periods.apply(event),
            Fact::Call { .. }
            | Fact::Placed { .. }
            | Fact::Sound { .. }
            | Fact::Message { .. }
            | Fact::Note { .. }
            | Fact::Feed { .. }
            | Fact::Incident { .. }
            | Fact::Callback { .. }
            | Fact::Figures { .. }
            | Fact::Desk {
                event:
                    DeskEvent::CallersErased { .. }
                    | DeskEvent::ErasedOnRequest { .. }
                    | DeskEvent::Ordered { .. }
                    | DeskEvent::PersonSignedIn { .. }
                    | DeskEvent::PersonSignedOut { .. },
            }
            | Fact::Trunk { .. } => {}
        }
        self.declared.apply(&entry.fact);
        self.boxes.apply(entry);
        self.notes.apply(entry);
        self.wishes.apply(entry);
        self.talked.apply(entry, plan);
    }

    fn of_agent(&mut self, agent: &AgentId) -> &mut AgentMemory {
        self.agents.entry(agent.clone()).or_default()
    }

    fn forget_phones(&mut self) {
        for memory in self.agents.values_mut() {
            memory.reachable = false;
        }
    }

    fn note_recording(&mut self, call: CallId, event: &RecordingEvent) {
        match *event {
            RecordingEvent::Started { number, .. } => {
                self.unkept.insert((call, number));
            }
            RecordingEvent::Failed { number, .. }
            | RecordingEvent::Kept { number, .. }
            | RecordingEvent::Deleted { number, .. } => {
                self.unkept.remove(&(call, number));
            }
            RecordingEvent::Paused { .. }
            | RecordingEvent::Resumed { .. }
            | RecordingEvent::Stopped { .. }
            | RecordingEvent::Fetched { .. } => {}
        }
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

/// What was folded, and from where on.
pub(super) struct Folded {
    pub(super) fold: Fold,
    /// The entry of the snapshot that it went on from; 0 without one.
    pub(super) stood_at: u64,
}

impl Folded {
    /// Entries that were read.
    pub(super) fn read(&self) -> u64 {
        self.fold.views.last_seq().saturating_sub(self.stood_at)
    }
}

/// All that the history says up to its last entry: from the snapshot of `store` when there is one that fits,
/// from the first entry otherwise. Waits for the disk.
///
/// # Errors
///
/// When the journal cannot be read.
pub(super) fn fold(
    (store, entries): (&Path, store::Entries),
    setup: view::Setup,
    plan: &Plan,
) -> Result<Folded, store::ReadError> {
    let found = Fold::found(store, setup.clone()).unwrap_or_else(|why| {
        tracing::info!(%why, "the snapshot is thrown away, and all entries are read");
        if let Err(error) = Snapshot::forget(store) {
            tracing::warn!(%error, "the snapshot cannot be deleted; delete it by hand");
        }
        None
    });
    let mut fold = found.unwrap_or_else(|| Fold::new(setup));
    let stood_at = fold.views.last_seq();
    for block in entries.after(stood_at) {
        for entry in block? {
            fold.apply(&entry, plan);
        }
    }
    Ok(Folded { fold, stood_at })
}

/// What a start takes over of the folded history, and writes in addition.
pub(super) fn read(
    fold: Fold,
    policy: &Policy,
    (plan, targets): (&Plan, &[TargetConfig]),
    now: Now,
) -> Past {
    let Fold { mut views, mut rules } = fold;
    let witnessed = views.witnessed();
    rules.forget_phones();
    // Whatever is decided from here on is due at these targets: the last words below, and the first call.
    let mut said = first_words(&views, targets, now.wall);
    for entry in &said {
        views.apply(entry);
    }
    let mut closing = views.closing_entries(now.wall, witnessed);
    closing.extend(new_settings(&views, policy, closing.len(), now));
    for entry in &closing {
        rules.talked.apply(entry, plan);
        rules.notes.apply(entry);
        views.apply(entry);
    }
    said.append(&mut closing);
    let Rules { agents, talked, periods, boxes, wishes, declared, notes, unkept } = rules;
    let unkept = unkept.into_iter().map(|(call, number)| RecordingId { call, number }).collect();
    let (talked, next_seq) = (talked.talked, views.next_seq());
    Past {
        views,
        agents,
        talked,
        periods,
        boxes,
        wishes,
        declared,
        notes,
        closing: said,
        next_seq,
        unkept,
    }
}

#[cfg(test)]
mod tests;
