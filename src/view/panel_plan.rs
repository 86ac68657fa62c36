//! What panels must know of the plan besides its numbers and groups, and no history tells: reasons for a pause,
//! slots, boxes. Data, because the plan is not this room's.

use crate::base::{AgentId, BoxId, Number};

/// The plan's part of a panel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PanelPlan {
    /// For what an agent may pause; none: anything.
    pub pause_reasons: Vec<String>,
    /// By how much an order makes after-call work longer, milliseconds.
    pub wrap_up_more_ms: u64,
    /// Slots of all parking lots, in order.
    pub slots: Vec<LotSlot>,
    /// Boxes for voice messages.
    pub boxes: Vec<MessageBox>,
}

/// A slot of a parking lot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LotSlot {
    /// Its number.
    pub slot: Number,
    /// The lot's name for people.
    pub lot: String,
}

/// A box for voice messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageBox {
    /// Which.
    pub mailbox: BoxId,
    /// For people.
    pub name: String,
    /// Whose lamps show it; none: it is everybody's.
    pub phones: Vec<Number>,
}

impl MessageBox {
    pub(super) fn is_of(&self, agent: &AgentId) -> bool {
        self.phones.is_empty() || self.phones.iter().any(|phone| phone.as_str() == agent.as_str())
    }
}
