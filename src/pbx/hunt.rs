//! Ringing a group's agents for a call: whom, how long, and what follows when one does not take it.

use super::agent::AgentIx;
use super::api::Action;
use super::briefing::{self, Briefing};
use super::call::{Call, Over, State, judge_refusal};
use super::floor::{CountsAs, Floor, Turn};
use super::group::{Demand, GroupIx, Order};
use super::outside::Attempt;
use super::queue::{self, Hears};
use super::staff::Missed;
use crate::base::{GroupId, LegId, Mono, Number};
use crate::dialplan::Group;
use crate::event::{CallEvent, EndCause, OfferEnd, Party};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A call that asked for a group.
#[derive(Debug)]
pub(super) struct Hunt {
    pub(super) id: GroupId,
    pub(super) group: GroupIx,
    /// Its place among all that asked.
    pub(super) order: Order,
    /// When it came to this group.
    pub(super) entered: Mono,
    /// When the longest wait has passed.
    pub(super) give_up_at: Mono,
    /// Phones that ring now. Empty while the call is hungry.
    pub(super) offers: BTreeMap<LegId, AgentIx>,
    /// Agents that did not take it in this round. When only such are free, a new round begins.
    pub(super) tried: BTreeSet<AgentIx>,
    /// Whether it holds a place in the queue.
    pub(super) queued: bool,
    /// Not let in yet: it may find the queue full.
    pub(super) fresh: bool,
    /// It had an operator, or a place in this queue, before: the plan's rules at the door do not send it away.
    pub(super) again: bool,
    pub(super) hears: Hears,
    /// The position that the caller was told last in this group.
    pub(super) told_position: Option<u32>,
    /// Which of the plan's waits the caller was told last.
    pub(super) told_wait: Option<usize>,
    /// Whom it needs; none: anybody.
    pub(super) demand: Option<Demand>,
    /// When that widens next.
    pub(super) widens_at: Option<Mono>,
    /// When the wait in this group is too long.
    pub(super) overflow_at: Option<Mono>,
    /// We had no room to dial a phone: none is dialled before then.
    pub(super) again_at: Option<Mono>,
    /// When to look whether the call's number has closed; none when the call is served out.
    pub(super) closes_at: Option<Mono>,
    /// An agent has answered and hears something before the caller is put through: nothing else is done for
    /// the caller meanwhile but that it hears what it heard.
    pub(super) briefing: Option<Briefing>,
    /// A number outside that rings for it as well.
    pub(super) far: Option<Box<Attempt>>,
    /// The number outside that was rung for it last.
    pub(super) outside: Option<Number>,
}

/// How a phone refuses that had answered and hung up before it heard the caller.
const DECLINED: u16 = 603;
/// How long no phone is dialled for a call after we had no room to.
const NO_ROOM_PAUSE: Duration = Duration::from_secs(1);

impl Hunt {
    /// When the call needs a look.
    pub(super) fn deadline(&self) -> Option<Mono> {
        if self.briefing.is_some() {
            return self.hears.deadline();
        }
        let others = [
            self.hears.deadline(),
            self.again_at,
            self.widens_at,
            self.overflow_at,
            self.closes_at,
            self.rings_outside_until(),
        ];
        Some(others.into_iter().flatten().fold(self.give_up_at, Mono::min))
    }

    /// Sets when its demand widens next.
    pub(super) fn arm_widening(&mut self, now: Mono, floor: &mut Floor) {
        self.widens_at = self.demand.as_ref().and_then(|demand| demand.widens_at(now));
        floor.stirs_at.extend(self.widens_at.map(|at| (at, self.group)));
    }

    /// Rings whom the strategy names. Whether any phone rings now that did not before.
    pub(super) fn seek(
        &mut self,
        call: &mut Call,
        plan: &Group,
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) -> bool {
        let now = turn.now.mono;
        if self.again_at.is_some_and(|at| at > now) {
            return false;
        }
        self.put_off(None, floor);
        let choose = |hunt: &Self, floor: &mut Floor| {
            floor.choose(hunt.group, hunt.demand.as_ref(), &hunt.tried, &hunt.offers, now)
        };
        let mut chosen = choose(self, floor);
        if chosen.is_empty() && self.offers.is_empty() && !self.tried.is_empty() {
            self.tried.clear();
            chosen = choose(self, floor);
        }
        if chosen.is_empty() {
            return false;
        }
        self.fresh = false;
        self.sound(call, plan, floor, turn);
        let until = turn.now.mono + plan.ring;
        for agent in chosen {
            let leg = floor.dial(agent, call.leg, CountsAs::Offer, until, turn);
            let id = floor.agent(agent).id.clone();
            call.record(CallEvent::OfferMade { agent: id }, turn);
            self.offers.insert(leg, agent);
            floor.offer_begins(agent, leg, turn);
        }
        let group = floor.group_mut(self.group);
        group.hungry.remove(&self.order);
        if group.rings_all() {
            group.ringing_all.insert(self.order);
        }
        true
    }

    /// None is dialled for it before then.
    pub(super) fn put_off(&mut self, until: Option<Mono>, floor: &mut Floor) {
        self.again_at = until;
        floor.stirs_at.extend(until.map(|until| (until, self.group)));
        if let Some(waiter) = floor.group_mut(self.group).waiting.get_mut(&self.order) {
            waiter.put_off = until;
        }
    }

    /// Whether it need only wait for a phone that rings for somebody before it.
    fn is_patient(&self, floor: &Floor, turn: &Turn<'_>) -> bool {
        let demand = self.demand.as_ref();
        !self.queued
            && self.again_at.is_none()
            && floor.is_somebody_left(self.group, self.order, demand, turn.now.mono)
    }

    /// What the caller hears of phones that ring: its own tone, or music once it is answered.
    fn sound(&mut self, call: &mut Call, plan: &Group, floor: &mut Floor, turn: &mut Turn<'_>) {
        if !call.accepted {
            call.ring(turn);
        } else if matches!(self.hears, Hears::Nothing) {
            call.music(plan.music.clone(), floor, turn);
            self.hears = Hears::Music { comfort_at: None };
        }
    }

    /// One phone rings no more and did not answer.
    fn offer_over(
        &mut self,
        call: &Call,
        leg: LegId,
        (why, missed): (OfferEnd, Missed),
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) {
        let Some(agent) = self.offers.remove(&leg) else { return };
        self.briefing.take_if(|briefing| briefing.phone == leg);
        floor.drop_phone(leg);
        let id = floor.agent(agent).id.clone();
        call.record(CallEvent::OfferEnded { agent: id, why }, turn);
        if missed != Missed::Nothing {
            self.tried.insert(agent);
        }
        floor.offer_ends(agent, missed, turn);
    }

    /// All phones stop ringing, those outside too, through no fault of their agents.
    pub(super) fn withdraw_all(
        &mut self,
        call: &Call,
        why: OfferEnd,
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) {
        self.let_outside_go(floor, turn);
        self.withdraw_others(LegId(0), call, why, floor, turn);
    }

    /// All phones but this one stop ringing.
    pub(super) fn withdraw_others(
        &mut self,
        but: LegId,
        call: &Call,
        why: OfferEnd,
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) {
        let others: Vec<LegId> = self.offers.keys().copied().filter(|leg| *leg != but).collect();
        for leg in others {
            let elsewhere = why == OfferEnd::TakenElsewhere;
            turn.act(Action::HangUp { leg, elsewhere });
            self.offer_over(call, leg, (why, Missed::Nothing), floor, turn);
        }
    }

    /// Gives up its place.
    pub(super) fn leave(&self, floor: &mut Floor) {
        floor.group_mut(self.group).leave(self.order);
    }
}

/// Takes the hunt out of the call for one thought, with the group's plan.
pub(super) fn with(
    call: &mut Call,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
    thought: impl FnOnce(Hunt, &mut Call, &Group, &mut Floor, &mut Turn<'_>),
) {
    let State::Hunting(hunt) = std::mem::replace(&mut call.state, State::New) else { return };
    let plan = floor.plan.clone();
    if let Some(group) = plan.groups.get(&hunt.id) {
        thought(hunt, call, group, floor, turn);
    } else {
        let cause = EndCause::Fault { what: format!("the plan has no group {}", hunt.id) };
        call.state = State::Hunting(hunt);
        call.end(Party::System, cause, Over::Neither, 500, floor, turn);
    }
}

/// It is this call's turn to look for an agent: rings one who fits, or else waits.
pub(super) fn look(
    mut hunt: Hunt,
    call: &mut Call,
    plan: &Group,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    if hunt.seek(call, plan, floor, turn) || !hunt.offers.is_empty() {
        call.state = State::Hunting(hunt);
    } else if hunt.is_patient(floor, turn) {
        hunt.fresh = false;
        hunt.sound(call, plan, floor, turn);
        let room = floor.group_mut(hunt.group);
        room.hungry.insert(hunt.order);
        room.ringing_all.remove(&hunt.order);
        call.state = State::Hunting(hunt);
    } else {
        queue::join(hunt, call, plan, floor, turn);
    }
}

/// An agent became free who fits.
pub(super) fn agent_free(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    with(call, floor, turn, |hunt, call, plan, floor, turn| {
        if hunt.briefing.is_some() {
            call.state = State::Hunting(hunt);
        } else if hunt.give_up_at <= turn.now.mono {
            call.state = State::Hunting(hunt);
            queue::due(call, floor, turn);
        } else {
            look(hunt, call, plan, floor, turn);
        }
    });
}

/// A phone answered: the caller has an operator, unless the agent is told something first.
pub(super) fn answered(call: &mut Call, leg: LegId, floor: &mut Floor, turn: &mut Turn<'_>) {
    let mut waits = false;
    with(call, floor, turn, |mut hunt, call, plan, floor, turn| {
        waits = hunt.briefing.is_some();
        if let Some(agent) = hunt.offers.get(&leg).copied()
            && !waits
        {
            waits = briefing::begin(&mut hunt, leg, agent, call, plan, floor, turn);
        }
        call.state = State::Hunting(hunt);
    });
    if !waits {
        put_through(call, leg, floor, turn);
    }
}

/// The caller has an operator; all other phones fall silent.
pub(super) fn put_through(call: &mut Call, leg: LegId, floor: &mut Floor, turn: &mut Turn<'_>) {
    with(call, floor, turn, |mut hunt, call, plan, floor, turn| {
        let Some(agent) = hunt.offers.remove(&leg) else {
            call.state = State::Hunting(hunt);
            return;
        };
        floor.picked_up(leg);
        call.connect(agent, leg, plan.wrap_up, floor, turn);
        floor.offer_taken(agent, turn);
        hunt.leave(floor);
        hunt.withdraw_all(call, OfferEnd::TakenElsewhere, floor, turn);
    });
}

/// A phone said no.
pub(super) fn refused(
    call: &mut Call,
    leg: LegId,
    status: u16,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    missed(call, leg, floor, turn, |agent, plan, floor| {
        judge_refusal(agent, status, plan.on_refuse, floor)
    });
}

/// A phone is gone. One that had answered, and heard something before the caller, refused the caller.
pub(super) fn gone(call: &mut Call, leg: LegId, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Hunting(hunt) = &call.state else { return };
    if hunt.briefing.as_ref().is_some_and(|briefing| briefing.phone == leg) {
        refused(call, leg, DECLINED, floor, turn);
    } else {
        lost(call, leg, floor, turn);
    }
}

/// A phone failed, or went away while it rang: it has not said no.
pub(super) fn lost(call: &mut Call, leg: LegId, floor: &mut Floor, turn: &mut Turn<'_>) {
    missed(call, leg, floor, turn, |_, _, _| (OfferEnd::Unreachable, Missed::Unreachable));
}

/// We had no room to dial the phone. Its agent stays free; the call tries again in a moment, so that
/// what is wanting can be given back meanwhile.
pub(super) fn no_room(call: &mut Call, leg: LegId, floor: &mut Floor, turn: &mut Turn<'_>) {
    if let State::Hunting(hunt) = &mut call.state {
        hunt.put_off(Some(turn.now.mono + NO_ROOM_PAUSE), floor);
    }
    missed(call, leg, floor, turn, |_, _, _| (OfferEnd::Withdrawn, Missed::Nothing));
}

/// Nobody picked up; or what an agent hears who did has no end.
pub(super) fn rang_out(call: &mut Call, leg: LegId, floor: &mut Floor, turn: &mut Turn<'_>) {
    if let State::Hunting(hunt) = &call.state
        && hunt.briefing.as_ref().is_some_and(|briefing| briefing.phone == leg)
    {
        return briefing::over(call, floor, turn);
    }
    turn.act(Action::HangUp { leg, elsewhere: false });
    missed(call, leg, floor, turn, |_, plan, _| {
        (OfferEnd::RangOut, Missed::RangOut(plan.on_ring_out, plan.ring_outs))
    });
}

/// The agent began something else.
pub(super) fn withdraw(call: &mut Call, leg: LegId, floor: &mut Floor, turn: &mut Turn<'_>) {
    if let State::Hunting(hunt) = &call.state
        && hunt.briefing.as_ref().is_some_and(|briefing| briefing.phone == leg)
    {
        // An agent who has answered has the caller, whatever else is done or ordered.
        return;
    }
    turn.act(Action::HangUp { leg, elsewhere: false });
    missed(call, leg, floor, turn, |_, _, _| (OfferEnd::Withdrawn, Missed::Nothing));
}

/// One offer came to nothing; the call keeps its place and goes to the next agent.
fn missed(
    call: &mut Call,
    leg: LegId,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
    judge: impl FnOnce(AgentIx, &Group, &Floor) -> (OfferEnd, Missed),
) {
    with(call, floor, turn, |mut hunt, call, plan, floor, turn| {
        if let Some(agent) = hunt.offers.get(&leg) {
            let verdict = judge(*agent, plan, floor);
            hunt.offer_over(call, leg, verdict, floor, turn);
        }
        // A phone that would ring for no time at all is not dialled.
        let late = hunt.give_up_at <= turn.now.mono;
        let rings = !hunt.offers.is_empty();
        if !late && !rings {
            // Others may have waited longer for whoever is free now.
            floor.look_again(hunt.group, hunt.order);
        }
        if rings {
            hunt.seek(call, plan, floor, turn);
        }
        call.state = State::Hunting(hunt);
        if late {
            queue::due(call, floor, turn);
        }
    });
}
