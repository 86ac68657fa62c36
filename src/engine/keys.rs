//! Who tells and is told keys by what.

use super::{Engine, Outbox};
use crate::base::{KeysBy, LegId, Now, Number, TrunkId};
use crate::rtp::command::{Command as Media, Stream};
use crate::sip::api::Source;
use std::collections::BTreeMap;

/// The ways of accounts and trunks with keys.
#[derive(Clone, Debug, Default)]
pub struct KeysPolicy {
    /// By extension; one that is not named has what was agreed.
    pub phones: BTreeMap<Number, KeysBy>,
    /// By trunk; likewise.
    pub trunks: BTreeMap<TrunkId, KeysBy>,
}

impl KeysPolicy {
    pub(super) fn of_phone(&self, extension: &Number) -> KeysBy {
        self.phones.get(extension).copied().unwrap_or_default()
    }

    pub(super) fn of_trunk(&self, trunk: &TrunkId) -> KeysBy {
        self.trunks.get(trunk).copied().unwrap_or_default()
    }

    pub(super) fn of(&self, source: &Source) -> KeysBy {
        match source {
            Source::Account(extension) => self.of_phone(extension),
            Source::Trunk(trunk) => self.of_trunk(trunk),
        }
    }
}

/// What the media threads are to do about the keys of a stream.
pub(super) fn apply(keys: KeysBy, stream: &mut Stream) {
    match keys {
        KeysBy::Auto => stream.hears_tones = stream.recv_event_pt.is_none(),
        KeysBy::Events => {}
        KeysBy::Info => stream.told_by_info = true,
        KeysBy::Tones => (stream.hears_tones, stream.send_event_pt) = (true, None),
    }
}

impl Engine {
    /// A key told by INFO was in no sound: the other side is told by us, in its way.
    pub(super) fn press(&mut self, leg: LegId, key: char, now: Now, out: &mut Outbox) {
        let Some(partner) = self.partner_of(leg) else { return };
        if !self.press_by_info(leg, key, now) {
            out.media.push(Media::Press { leg: partner, key });
        }
    }

    /// A key heard in the sound of `leg`: a partner who is told by INFO has not heard it. False when it
    /// is no such partner.
    pub(super) fn press_by_info(&mut self, leg: LegId, key: char, now: Now) -> bool {
        let Some(partner) = self.partner_of(leg) else { return false };
        let by_info = self.sessions.get(&partner).is_some_and(|s| s.keys_by == KeysBy::Info);
        if by_info {
            self.sip.press(partner, key, now, &mut self.effects);
        }
        by_info
    }

    fn partner_of(&self, leg: LegId) -> Option<LegId> {
        self.sessions.get(&leg).and_then(|session| session.partner)
    }
}
