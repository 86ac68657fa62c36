//! Who wants what of encryption.

use crate::base::{Number, TrunkId};
use crate::sdp::Sealing;
use crate::sip::api::Source;
use std::collections::BTreeMap;

/// What accounts and trunks think of encrypted sound.
#[derive(Clone, Debug, Default)]
pub struct SealingPolicy {
    /// By extension; one that is not named takes it where it is offered.
    pub phones: BTreeMap<Number, Sealing>,
    /// By trunk; likewise.
    pub trunks: BTreeMap<TrunkId, Sealing>,
}

impl SealingPolicy {
    pub(super) fn of_phone(&self, extension: &Number) -> Sealing {
        self.phones.get(extension).copied().unwrap_or_default()
    }

    pub(super) fn of_trunk(&self, trunk: &TrunkId) -> Sealing {
        self.trunks.get(trunk).copied().unwrap_or_default()
    }

    pub(super) fn of(&self, source: &Source) -> Sealing {
        match source {
            Source::Account(extension) => self.of_phone(extension),
            Source::Trunk(trunk) => self.of_trunk(trunk),
        }
    }
}
