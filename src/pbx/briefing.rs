//! What an agent hears alone who has answered for a group (`tell_agent`): which group or number the caller
//! comes from, before the two are put through. The caller goes on hearing what it heard.
//!
//! To the caller and to the figures the phone rings still: the contract has a call answered when the caller
//! is connected, and a caller who leaves meanwhile has abandoned. To the agent's phone it is a call that it
//! has answered, so that nothing else rings there, and hanging up refuses the caller.

use super::agent::AgentIx;
use super::api::Action;
use super::call::{Call, State, Talk};
use super::desk::Desk;
use super::floor::{Floor, Turn};
use super::hunt::{self, Hunt};
use super::recall;
use crate::base::{LegId, PlayId};
use crate::dialplan::Group;
use crate::event::{CallEvent, OfferEnd, Party};
use std::time::Duration;

/// So long an agent is told something at most; then the caller is put through all the same.
const LONGEST: Duration = Duration::from_secs(10);

/// An agent who hears it.
#[derive(Debug)]
pub(super) struct Briefing {
    /// The agent's leg, which is one of the hunt's offers.
    pub(super) phone: LegId,
    play: PlayId,
    /// The phone has put us on hold.
    holds: bool,
}

/// A phone of the hunt's answered: it is told something where the plan has it, and no other phone rings.
/// Whether it is.
pub(super) fn begin(
    hunt: &mut Hunt,
    phone: LegId,
    agent: AgentIx,
    call: &Call,
    group: &Group,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) -> bool {
    let plan = floor.plan.clone();
    let Some(prompt) = plan.tells_agent(group, call.line.as_ref()) else { return false };
    let play = floor.draw_play();
    let (leg, prompts) = (phone, vec![prompt.clone()]);
    turn.act(Action::Play { leg, play, prompts, looped: false, stops_on_key: true });
    floor.rings_until(phone, turn.now.mono + LONGEST);
    let id = floor.agent(agent).id.clone();
    call.record(CallEvent::AgentTold { agent: id, prompt: prompt.clone() }, turn);
    hunt.briefing = Some(Briefing { phone, play, holds: false });
    hunt.let_outside_go(floor, turn);
    hunt.withdraw_others(phone, call, OfferEnd::TakenElsewhere, floor, turn);
    floor.group_mut(hunt.group).ringing_all.remove(&hunt.order);
    true
}

/// All was told, or is to be told no more: the caller is put through.
pub(super) fn over(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Hunting(hunt) = &mut call.state else { return };
    let Some(Briefing { phone, holds, .. }) = hunt.briefing.take() else { return };
    hunt::put_through(call, phone, floor, turn);
    // The phone has put its caller on hold before it had one.
    if let State::Talking(Talk { agent_holds, .. }) = &mut call.state
        && holds
    {
        *agent_holds = true;
        call.held(Party::Agent, true, call.leg, floor, turn);
        recall::watch(call, true, floor, turn);
    }
}

/// The phone put us on hold, or took us back.
pub(super) fn holds(call: &mut Call, on: bool) {
    if let State::Hunting(Hunt { briefing: Some(briefing), .. }) = &mut call.state {
        briefing.holds = on;
    }
}

impl Desk {
    /// A play to an agent's phone came to its end.
    pub(super) fn phone_played(&mut self, leg: LegId, play: PlayId, turn: &mut Turn<'_>) {
        if self.briefing_at(leg).is_some_and(|briefing| briefing.play == play) {
            self.with_call(leg, turn, over);
        }
    }

    /// Any key of an agent who is being told something ends it. Whether it was such an agent's.
    pub(super) fn skips(&mut self, leg: LegId, turn: &mut Turn<'_>) -> bool {
        let told = self.briefing_at(leg).is_some();
        if told {
            self.with_call(leg, turn, over);
        }
        told
    }

    fn briefing_at(&self, leg: LegId) -> Option<&Briefing> {
        let State::Hunting(hunt) = &self.call_at(leg)?.state else { return None };
        hunt.briefing.as_ref().filter(|briefing| briefing.phone == leg)
    }
}
