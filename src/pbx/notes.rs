//! Which calls may still be written about, and how much was written. A fold over the history that the rules
//! go on with; the words themselves are the views' business.

use super::api::CommandError;
use super::desk::Desk;
use super::floor::Turn;
use crate::base::{AgentId, CallId, Private, kept};
use crate::event::{CallEvent, Entry, Fact, Means, NoteEvent};
use std::collections::{BTreeMap, VecDeque};

/// Notes of one call; one more is refused.
pub const NOTES_MOST: u32 = 50;
/// Ended calls that may still be written about; the oldest to end leaves first. As many as the call list has.
pub const NOTABLE_ENDED: usize = 1_000;

/// What is remembered of notes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Notes of calls that are up, or among the last to end. A call that is not here has none.
    counts: BTreeMap<CallId, u32>,
    ended: VecDeque<CallId>,
}

kept!(struct Notes { counts, ended });

impl Notes {
    /// Takes the next entry of the history.
    pub fn apply(&mut self, entry: &Entry) {
        match &entry.fact {
            Fact::Call { call, event: CallEvent::Ended { .. }, .. } => self.over(*call),
            Fact::Note { call, event: NoteEvent::Noted { .. } } => self.one_more(*call),
            _ => {}
        }
    }

    /// A call has ended.
    pub(super) fn over(&mut self, call: CallId) {
        self.ended.push_back(call);
        if self.ended.len() > NOTABLE_ENDED
            && let Some(gone) = self.ended.pop_front()
        {
            self.counts.remove(&gone);
        }
    }

    fn one_more(&mut self, call: CallId) {
        let count = self.counts.entry(call).or_default();
        *count = count.saturating_add(1);
    }

    fn ended_lately(&self, call: CallId) -> bool {
        self.ended.iter().rev().any(|ended| *ended == call)
    }

    fn has_room(&self, call: CallId) -> bool {
        self.counts.get(&call).is_none_or(|count| *count < NOTES_MOST)
    }
}

impl Desk {
    /// Takes over what the history says of notes; once, before any input.
    pub fn restore_notes(&mut self, notes: Notes) {
        self.notes = notes;
    }

    /// An agent writes about a call that is up or was lately.
    pub(super) fn note(
        &mut self,
        call: CallId,
        agent: AgentId,
        text: Private<String>,
        by: Means,
        turn: &mut Turn<'_>,
    ) -> Result<(), CommandError> {
        self.floor.agent_ix(&agent).ok_or(CommandError::NoSuchAgent)?;
        if self.leg_of(call).is_none() && !self.notes.ended_lately(call) {
            return Err(CommandError::NoSuchCall);
        }
        if !self.notes.has_room(call) {
            return Err(CommandError::TooMany);
        }
        self.notes.one_more(call);
        turn.record(Fact::Note { call, event: NoteEvent::Noted { agent, text, by } });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calls_that_ended_first_are_closed_to_notes() {
        let id = |n: usize| CallId(uuid::Uuid::from_u128(u128::try_from(n).expect("small")));
        let mut notes = Notes::default();
        notes.one_more(id(0));
        for n in 0..NOTABLE_ENDED {
            notes.over(id(n));
        }
        assert!(notes.ended_lately(id(0)) && notes.counts.len() == 1);
        notes.over(id(NOTABLE_ENDED));
        assert!(!notes.ended_lately(id(0)) && notes.ended_lately(id(1)));
        assert!(notes.counts.is_empty() && notes.ended.len() == NOTABLE_ENDED);
    }
}
