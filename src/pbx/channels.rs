//! The channels of the trunks: how many calls each carries now, and since when all are in use.

use super::floor::Turn;
use crate::base::{Channels, Mono, TrunkId};
use crate::event::{Fact, TrunkEvent};
use std::collections::BTreeMap;

/// One trunk.
#[derive(Debug, Default)]
struct Trunk {
    channels: Channels,
    inward: u32,
    outward: u32,
    full_since: Option<Mono>,
}

/// See the module. A trunk that the configuration does not name is not bounded.
#[derive(Debug, Default)]
pub(super) struct Trunks(BTreeMap<TrunkId, Trunk>);

impl Trunks {
    pub(super) fn new(channels: BTreeMap<TrunkId, Channels>) -> Self {
        let trunks = channels.into_iter();
        Self(trunks.map(|(id, channels)| (id, Trunk { channels, ..Trunk::default() })).collect())
    }

    /// Takes other bounds; calls that are up keep their channels.
    pub(super) fn set(&mut self, channels: BTreeMap<TrunkId, Channels>, turn: &mut Turn<'_>) {
        let named = |id: &TrunkId| channels.contains_key(id);
        self.0.retain(|id, trunk| named(id) || trunk.inward > 0 || trunk.outward > 0);
        for (id, trunk) in &mut self.0 {
            if !named(id) {
                trunk.channels = Channels::default();
                trunk.note(id, turn);
            }
        }
        for (id, channels) in channels {
            let trunk = self.0.entry(id.clone()).or_default();
            trunk.channels = channels;
            trunk.note(&id, turn);
        }
    }

    /// Takes a channel for a call that the trunk brings; false when it has none.
    pub(super) fn take_in(&mut self, id: &TrunkId, turn: &mut Turn<'_>) -> bool {
        let Some(trunk) = self.0.get_mut(id) else { return true };
        let free = trunk.channels.take_in(trunk.inward, trunk.outward);
        if free {
            trunk.inward += 1;
            trunk.note(id, turn);
        }
        free
    }

    /// Takes a channel for a call that we place; an emergency call is always tried.
    pub(super) fn take_out(&mut self, id: &TrunkId, emergency: bool, turn: &mut Turn<'_>) -> bool {
        let Some(trunk) = self.0.get_mut(id) else { return true };
        let free = emergency || trunk.channels.take_out(trunk.inward, trunk.outward);
        if free {
            trunk.outward += 1;
            trunk.note(id, turn);
        }
        free
    }

    /// Whether the trunk has a channel now for a call that we place.
    pub(super) fn has_out(&self, id: &TrunkId) -> bool {
        let trunk = self.0.get(id);
        trunk.is_none_or(|trunk| trunk.channels.take_out(trunk.inward, trunk.outward))
    }

    pub(super) fn give_in(&mut self, id: &TrunkId, turn: &mut Turn<'_>) {
        if let Some(trunk) = self.0.get_mut(id) {
            trunk.inward = trunk.inward.saturating_sub(1);
            trunk.note(id, turn);
        }
    }

    pub(super) fn give_out(&mut self, id: &TrunkId, turn: &mut Turn<'_>) {
        if let Some(trunk) = self.0.get_mut(id) {
            trunk.outward = trunk.outward.saturating_sub(1);
            trunk.note(id, turn);
        }
    }

    /// Calls now carried, in and out.
    pub(super) fn used(&self) -> impl Iterator<Item = (&TrunkId, u32, u32)> {
        self.0.iter().map(|(id, trunk)| (id, trunk.inward, trunk.outward))
    }
}

impl Trunk {
    /// Writes when the last channel was taken, and for how long all were in use.
    fn note(&mut self, id: &TrunkId, turn: &mut Turn<'_>) {
        // Full for callers from outside: they are the ones who hear the carrier's busy tone.
        let full = !self.channels.take_in(self.inward, self.outward);
        let event = match (self.full_since, full) {
            (None, true) => {
                self.full_since = Some(turn.now.mono);
                TrunkEvent::ChannelsFull
            }
            (Some(since), false) => {
                self.full_since = None;
                let for_ms = turn.now.mono.since(since).as_millis();
                TrunkEvent::ChannelsFree { for_ms: u64::try_from(for_ms).unwrap_or(u64::MAX) }
            }
            (None, false) | (Some(_), true) => return,
        };
        turn.record(Fact::Trunk { trunk: id.clone(), event });
    }
}
