//! What pages must know of the plan that no history tells: groups, slots, boxes, lines, reasons for a pause.
//! Data, because the plan is not this room's.

use crate::base::{AgentId, BoxId, GroupId, Number};
use serde::Serialize;

/// The plan's part of a panel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Groups in the plan's order.
    pub groups: Vec<GroupLaid>,
    /// For what an agent may pause; none: anything.
    pub pause_reasons: Vec<String>,
    /// By how much an order makes after-call work longer, milliseconds.
    pub wrap_up_more_ms: u64,
    /// Slots of all parking lots, in order.
    pub slots: Vec<SlotLaid>,
    /// Boxes for voice messages.
    pub boxes: Vec<BoxLaid>,
    /// Desk numbers.
    pub lines: Vec<LineLaid>,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupLaid {
    /// Which.
    pub group: GroupId,
    /// For people.
    pub name: String,
    /// Its own extension number.
    pub number: Option<Number>,
    /// Its members.
    #[serde(skip)]
    pub agents: Vec<AgentId>,
}

/// A slot of a parking lot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotLaid {
    /// Its number.
    pub slot: Number,
    /// The lot's name for people.
    pub lot: String,
}

/// A box for voice messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoxLaid {
    /// Which.
    pub mailbox: BoxId,
    /// For people.
    pub name: String,
    /// Whose lamps show it; none: it is everybody's.
    pub phones: Vec<Number>,
}

/// A desk number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineLaid {
    /// What is dialled.
    pub number: Number,
    /// For people.
    pub name: String,
    /// Most calls at once.
    pub limit: u32,
}

impl BoxLaid {
    pub(super) fn is_of(&self, agent: &AgentId) -> bool {
        self.phones.is_empty() || self.phones.iter().any(|phone| phone.as_str() == agent.as_str())
    }
}
