//! The message boxes: which messages lie in each, and which were heard. A fold over the history that the
//! rules go on with; what a message sounds like is the recorder's business.

use crate::base::{BoxId, CallId, Number, kept};
use crate::dialplan::Plan;
use crate::event::{CallEvent, Entry, Fact, MessageEvent, RecordingEvent};
use std::collections::BTreeMap;

/// A message: the call in which it was left, and which of that call's recordings it is.
pub(super) type MessageRef = (CallId, u32);

/// All messages that were left and not deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Boxes(BTreeMap<BoxId, BTreeMap<MessageRef, bool>>);

kept!(newtype Boxes);

impl Boxes {
    /// Takes the next entry of the history.
    pub fn apply(&mut self, entry: &Entry) {
        match &entry.fact {
            Fact::Call { call, event: CallEvent::MessageLeft { mailbox, number, .. }, .. } => {
                self.put(mailbox, (*call, *number));
            }
            Fact::Message { call, number, event } => match event {
                MessageEvent::Heard { .. } => self.mark((*call, *number), true),
                MessageEvent::Unheard { .. } => self.mark((*call, *number), false),
                MessageEvent::Deleted { .. } => {
                    self.remove((*call, *number));
                }
            },
            Fact::Recording { call, event: RecordingEvent::Deleted { number, .. }, .. } => {
                self.remove((*call, *number));
            }
            _ => {}
        }
    }

    /// A message was left.
    pub(super) fn put(&mut self, mailbox: &BoxId, message: MessageRef) {
        self.0.entry(mailbox.clone()).or_default().insert(message, false);
    }

    /// How many lie in a box.
    pub(super) fn count(&self, mailbox: &BoxId) -> usize {
        self.0.get(mailbox).map_or(0, BTreeMap::len)
    }

    /// Whether a message was heard; none when there is none such.
    pub(super) fn heard(&self, message: MessageRef) -> Option<bool> {
        self.0.values().find_map(|messages| messages.get(&message).copied())
    }

    pub(super) fn mark(&mut self, message: MessageRef, heard: bool) {
        if let Some(mark) = self.0.values_mut().find_map(|messages| messages.get_mut(&message)) {
            *mark = heard;
        }
    }

    /// Whether it was there.
    pub(super) fn remove(&mut self, message: MessageRef) -> bool {
        self.0.values_mut().any(|messages| messages.remove(&message).is_some())
    }

    /// The phones whose lamps show a box, each with the messages not heard yet and those heard.
    pub(super) fn lamps(&self, plan: &Plan) -> BTreeMap<Number, (u32, u32)> {
        let mut lamps: BTreeMap<Number, (u32, u32)> = BTreeMap::new();
        for (id, mailbox) in &plan.mailboxes {
            let heard = self.0.get(id).into_iter().flatten().filter(|(_, heard)| **heard).count();
            let new = self.count(id).saturating_sub(heard);
            for phone in &mailbox.phones {
                let lamp = lamps.entry(phone.clone()).or_default();
                let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
                lamp.0 = lamp.0.saturating_add(count(new));
                lamp.1 = lamp.1.saturating_add(count(heard));
            }
        }
        lamps
    }
}
