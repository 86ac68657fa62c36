//! What a restart knows of the wishes to be called back.

use crate::base::{CallId, CallbackId, GroupId, Private, Wall, kept};
use crate::event::{CallEvent, CallbackEvent, Entry as Line, Fact, PlacedEvent};
use std::collections::BTreeMap;

/// What the history says of the wishes: a fold over its entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallbacksMemory {
    pub(super) wishes: BTreeMap<CallId, Remembered>,
    /// Placed calls that call somebody back.
    placed: BTreeMap<CallId, CallId>,
}

kept!(struct CallbacksMemory { wishes, placed });

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remembered {
    pub(super) callback: CallbackId,
    pub(super) group: GroupId,
    pub(super) number: Private<String>,
    pub(super) inside: bool,
    pub(super) asked_at: Wall,
    pub(super) made: u32,
    pub(super) answered: bool,
}

kept!(struct Remembered { callback, group, number, inside, asked_at, made, answered });

impl CallbacksMemory {
    /// Takes the next entry of the history.
    pub fn apply(&mut self, entry: &Line) {
        match &entry.fact {
            Fact::Call { call, event, .. } => {
                let CallEvent::CallbackAsked { callback, group, number, inside, .. } = event else {
                    return;
                };
                let same = |it: &Remembered| it.callback == *callback && it.number == *number;
                if self.wishes.values().any(same) {
                    return;
                }
                let told = Remembered {
                    callback: callback.clone(),
                    group: group.clone(),
                    number: number.clone(),
                    inside: *inside,
                    asked_at: entry.at,
                    made: 0,
                    answered: false,
                };
                self.wishes.insert(*call, told);
            }
            Fact::Callback { call, event: CallbackEvent::Called { placed, .. } } => {
                self.placed.insert(*placed, *call);
                if let Some(wish) = self.wishes.get_mut(call) {
                    wish.made = wish.made.saturating_add(1);
                }
            }
            Fact::Callback { call, event: CallbackEvent::Ended { .. } } => {
                self.wishes.remove(call);
                self.placed.retain(|_, of| of != call);
            }
            Fact::Placed { call, event: PlacedEvent::Answered, .. } => {
                let wish = self.placed.get(call).and_then(|of| self.wishes.get_mut(of));
                if let Some(wish) = wish {
                    wish.answered = true;
                }
            }
            _ => {}
        }
    }
}
