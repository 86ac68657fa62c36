//! Holds while an agent asks: the agent's phone, the caller's or that of whoever is asked may put the other side on
//! hold at any time. Who is with the agent then hears music; whoever waits for its turn hears it anyhow.

use super::{Consult, Stage};
use crate::base::LegId;
use crate::event::{CallEvent, Party};
use crate::pbx::call::{Call, State};
use crate::pbx::floor::{Floor, Turn};
use crate::pbx::recall;
use std::collections::BTreeSet;

impl Consult {
    /// Whose leg the agent's phone is connected with; none while nobody has answered.
    fn partner(&self, caller: LegId) -> Option<LegId> {
        match &self.stage {
            Stage::With { turned: true, .. } => Some(caller),
            Stage::With { turned: false, leg, .. } => Some(*leg),
            Stage::Rings(_) | Stage::Phone { .. } | Stage::Reached(_) | Stage::Nobody => None,
        }
    }

    /// The holds of caller and agent that the history knows of: of the two when they are connected.
    fn told(&self, caller: LegId) -> Vec<Party> {
        let pair = self.partner(caller) == Some(caller);
        let both = [(Party::Agent, self.phone), (Party::Caller, caller)];
        let held = both.into_iter().filter(|(_, leg)| pair && self.held.contains(leg));
        held.map(|(by, _)| by).collect()
    }
}

/// A phone holds, or goes on.
pub(in crate::pbx) fn hold(
    call: &mut Call,
    leg: LegId,
    on: bool,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    let caller = call.leg;
    let State::Consulting(consult) = &mut call.state else { return };
    let changed = if on { consult.held.insert(leg) } else { consult.held.remove(&leg) };
    let phone = consult.phone;
    let Some(partner) = consult.partner(caller).filter(|_| changed) else { return };
    let other = if leg == phone {
        partner
    } else if leg == partner {
        phone
    } else {
        return; // it waits for its turn
    };
    if partner == caller {
        let by = if leg == caller { Party::Caller } else { Party::Agent };
        call.held(by, on, other, floor, turn);
    } else {
        floor.hold(other, on, turn);
    }
}

/// The agent and the caller part: the holds between the two are over.
pub(super) fn ends(call: &Call, turn: &mut Turn<'_>) {
    let State::Consulting(consult) = &call.state else { return };
    for by in consult.told(call.leg) {
        call.record(CallEvent::Resumed { by }, turn);
    }
}

/// The agent is connected with somebody anew: a phone that holds still does so.
pub(super) fn begins(call: &Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Consulting(consult) = &call.state else { return };
    let (phone, Some(partner)) = (consult.phone, consult.partner(call.leg)) else { return };
    for (leg, other) in [(phone, partner), (partner, phone)] {
        if consult.held.contains(&leg) {
            floor.hold(other, true, turn);
        }
    }
    for by in consult.told(call.leg) {
        call.record(CallEvent::Held { by }, turn);
    }
}

/// The question is over, and the caller talks with an agent: whose phone of the two holds still does so. `known`: the
/// other side hears music already, and the history knows of it.
pub(super) fn goes_on(
    call: &mut Call,
    held: &BTreeSet<LegId>,
    known: bool,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    let caller = call.leg;
    let State::Talking(talk) = &mut call.state else { return };
    let phone = talk.phone;
    (talk.agent_holds, talk.caller_holds) = (held.contains(&phone), held.contains(&caller));
    let (agent_holds, caller_holds) = (talk.agent_holds, talk.caller_holds);
    if caller_holds && !known {
        call.held(Party::Caller, true, phone, floor, turn);
    }
    if agent_holds && !known {
        call.held(Party::Agent, true, caller, floor, turn);
    }
    if agent_holds {
        recall::watch(call, true, floor, turn);
    }
}
