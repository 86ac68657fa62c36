//! What agents wrote about calls (メモ). The history has all of it; here are the last 32 MiB.

use crate::base::{AgentId, CallId, Private, Wall, kept};
use crate::event::{Entry, Fact, NoteEvent, chain};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};

use super::erased::shown;

/// Bytes of notes that are held for pages; the oldest note leaves first, and stands in the history still.
pub const NOTES_BYTES: usize = 32 << 20;

/// One note as shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NoteRow {
    /// When it was written, by the wall clock.
    pub at_ms: Wall,
    /// Whose it is.
    pub agent: AgentId,
    /// The words.
    pub text: Private<String>,
}

kept!(struct NoteRow { at_ms, agent, text });

impl NoteRow {
    /// The note that an entry is.
    #[must_use]
    pub fn of(entry: &Entry) -> Option<Self> {
        let Fact::Note { event: NoteEvent::Noted { agent, text, .. }, .. } = &entry.fact else {
            return None;
        };
        Some(Self { at_ms: entry.at, agent: agent.clone(), text: shown(text) })
    }

    fn bytes(&self) -> usize {
        self.text.reveal().len()
    }
}

/// The fold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Written {
    notes: BTreeMap<CallId, Vec<NoteRow>>,
    /// The calls of the notes, the oldest note first; a call whose notes were erased has none any more.
    order: VecDeque<CallId>,
    bytes: usize,
}

kept!(struct Written { notes, order, bytes });

impl Written {
    /// Takes an entry; one that was erased tells nothing any more.
    pub(super) fn apply(&mut self, entry: &Entry) {
        let Fact::Note { call, event: NoteEvent::Noted { text, .. } } = &entry.fact else { return };
        let Some(row) = NoteRow::of(entry).filter(|_| !chain::is_erased(text.reveal())) else {
            return;
        };
        self.bytes = self.bytes.saturating_add(row.bytes());
        self.notes.entry(*call).or_default().push(row);
        self.order.push_back(*call);
        while self.bytes > NOTES_BYTES
            && let Some(oldest) = self.order.pop_front()
        {
            self.drop_first(oldest);
        }
    }

    fn drop_first(&mut self, call: CallId) {
        let Some(notes) = self.notes.get_mut(&call) else { return };
        if !notes.is_empty() {
            self.bytes = self.bytes.saturating_sub(notes.remove(0).bytes());
        }
        if notes.is_empty() {
            self.notes.remove(&call);
        }
    }

    /// Notes about a call, in order.
    pub(super) fn about(&self, call: CallId) -> &[NoteRow] {
        self.notes.get(&call).map_or(&[], Vec::as_slice)
    }

    /// Notes written before then are no more, but for those of calls that are kept.
    pub(super) fn erase(&mut self, due: &dyn Fn(CallId, Wall) -> bool) {
        let mut freed = 0_usize;
        self.notes.retain(|call, notes| {
            notes.retain(|note| {
                let gone = due(*call, note.at_ms);
                freed = freed.saturating_add(if gone { note.bytes() } else { 0 });
                !gone
            });
            !notes.is_empty()
        });
        self.bytes = self.bytes.saturating_sub(freed);
        let notes = &self.notes;
        self.order.retain(|call| notes.contains_key(call));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Means;

    fn noted(seq: u64, call: u128, text: String) -> Entry {
        let (agent, by) = (AgentId::from("6001"), Means::Api);
        let event = NoteEvent::Noted { agent, text: Private::new(text), by };
        let call = CallId(uuid::Uuid::from_u128(call));
        Entry {
            seq,
            at: Wall(i64::try_from(seq).expect("small")),
            fact: Fact::Note { call, event },
        }
    }

    #[test]
    fn the_oldest_notes_leave_first_and_what_is_erased_is_gone() {
        let id = |call| CallId(uuid::Uuid::from_u128(call));
        let mut written = Written::default();
        written.apply(&noted(1, 1, "first".to_owned()));
        written.apply(&noted(2, 1, "second".to_owned()));
        let whole = 1 << 20;
        for n in 0..32 {
            written.apply(&noted(3 + n, 2, "x".repeat(whole)));
        }
        assert!(written.about(id(1)).is_empty() && written.bytes <= NOTES_BYTES);
        assert_eq!(written.about(id(2)).len(), 32);
        written.apply(&noted(90, 3, "new".to_owned()));
        written.apply(&noted(91, 3, format!("erased:{}", "0".repeat(64))));
        assert_eq!(written.about(id(3)).len(), 1, "one that was erased tells nothing");
        written.erase(&|call, at| at < Wall(90) && call != id(2));
        assert_eq!((written.about(id(2)).len(), written.about(id(3)).len()), (31, 1));
        written.erase(&|_, at| at < Wall(91));
        assert!(written.about(id(2)).is_empty() && written.about(id(3)).is_empty());
        assert_eq!((written.bytes, written.order.len()), (0, 0));
    }
}
