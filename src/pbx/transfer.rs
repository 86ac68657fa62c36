//! Passing a call on (転送): an agent gives the caller to somebody else and steps out. The call stays
//! one call; its outcome was decided when the first agent answered.
//!
//! While the new phone rings the caller hears music, and the phone that gave the call away stays where
//! it is, so that a transfer that comes to nothing returns to it. When that phone has hung up already,
//! it is rung again, unless it is in use by then; when that comes to nothing either, the call asks the group
//! anew, whose queue lets it in though it is full, and sends it nowhere but to others who answer. No caller is
//! dropped because a colleague did not pick up.

use super::agent::AgentIx;
use super::api::{Action, TransferNews, TransferTo};
use super::away::{self, Afar};
use super::call::{Call, From, Over, State, Talk, judge_refusal};
use super::desk::Desk;
use super::floor::{CountsAs, Floor, Turn};
use super::outside::Attempt;
use super::overflow;
use super::park;
use super::placed::Whither;
use super::queue;
use super::slots::{Place, Spot};
use super::tape::TapeEvent;
use crate::base::{GroupId, LegId, Mono, Number};
use crate::dialplan::{OpenState, Route, SetAside, Skills, Target};
use crate::event::{CallEvent, EndCause, OfferEnd, Party};
use std::time::Duration;

/// A phone that hangs up so soon after its transfer failed did not mean the caller.
const HANGS_UP_WITHIN: Duration = Duration::from_secs(3);

/// A call between two agents.
#[derive(Debug)]
pub(super) struct Passing {
    /// Who gave it away.
    pub(super) giver: AgentIx,
    /// That agent's leg, while it is there.
    pub(super) phone: Option<LegId>,
    /// Who is rung.
    pub(super) taker: Taker,
    /// The leg that rings.
    pub(super) ring: LegId,
    /// The work due after the conversation, for whoever has it.
    pub(super) wrap_up: Duration,
}

/// Who is to have the caller.
#[derive(Debug)]
pub(super) enum Taker {
    /// The giver itself when the call comes back to a phone that had hung up.
    Agent(AgentIx),
    /// A phone that is no agent's.
    Phone { until: Mono },
    /// A number outside.
    Outside(Attempt),
    /// Between two trunks.
    Nobody,
}

impl Passing {
    /// The agent who is rung, and at which leg.
    pub(super) const fn rung(&self) -> Option<(LegId, AgentIx)> {
        match &self.taker {
            Taker::Agent(agent) => Some((self.ring, *agent)),
            Taker::Phone { .. } | Taker::Outside(_) | Taker::Nobody => None,
        }
    }

    /// When it has rung long enough; an agent's phone has a deadline of its own.
    pub(super) const fn deadline(&self) -> Option<Mono> {
        match &self.taker {
            Taker::Phone { until } => Some(*until),
            Taker::Outside(attempt) => Some(attempt.until),
            Taker::Agent(_) | Taker::Nobody => None,
        }
    }
}

/// Whether a transfer may begin, and where it leads.
enum Way {
    Afar(Afar),
    Agent(AgentIx),
    Group(GroupId),
    /// Into a slot; whether it was chosen for the agent, who is then told which.
    Slot(Place, bool),
    /// A desk number that is open, or closed in a way that leads to people.
    Number(Target),
}

impl Desk {
    /// An agent's phone asks to pass its caller on. Answered by [`Action::Transfer`].
    pub(super) fn transfer(&mut self, leg: LegId, to: TransferTo, turn: &mut Turn<'_>) {
        let refused = match to {
            TransferTo::Number(number) => self.pass_on(leg, &number, turn),
            TransferTo::Leg(other) => self.join(leg, other, turn),
            TransferTo::Nowhere { status } => Err(status),
        };
        if let Err(status) = refused {
            self.failed(leg, turn);
            turn.act(Action::Transfer { leg, news: TransferNews::Refused { status } });
        }
    }

    /// Notes when a transfer was refused.
    fn failed(&mut self, leg: LegId, turn: &Turn<'_>) {
        let call = self.floor.phones.get(&leg).map(|phone| phone.call);
        if let Some(call) = call.and_then(|call| self.calls.get_mut(&call))
            && let State::Talking(talk) = &mut call.state
            && talk.phone == leg
        {
            talk.failed_at = Some(turn.now.mono);
        }
    }

    /// A blind transfer.
    pub(super) fn pass_on(
        &mut self,
        leg: LegId,
        number: &Number,
        turn: &mut Turn<'_>,
    ) -> Result<(), u16> {
        let answered = self.floor.call_of_phone(leg);
        let giver = match answered {
            Some(call) => match &self.calls.get(&call).ok_or(603_u16)?.state {
                State::Talking(talk) if talk.phone == leg => talk.agent,
                State::Talking(_) => return Err(403),
                _ => return Err(491),
            },
            // Only the agent's side gives a caller away: 403 for anybody else.
            None => self.placed.talker(leg)?,
        };
        let way = self.way(leg, number, giver, turn)?;
        let id = answered.or_else(|| self.adopt(leg, turn)).ok_or(603_u16)?;
        let Some(call) = self.calls.get_mut(&id) else { return Err(603) };
        self.at_hand = Some(id);
        begin(call, number, way, &mut self.floor, turn);
        self.stepped(id);
        Ok(())
    }

    /// Where the number leads for the caller of a phone, or why not; nothing has changed then.
    fn way(
        &self,
        leg: LegId,
        number: &Number,
        giver: AgentIx,
        turn: &Turn<'_>,
    ) -> Result<Way, u16> {
        match self.floor.route(&self.floor.plan, number, turn.now.wall) {
            Route::Other => {}
            Route::Lot(lot) => return Ok(Way::Slot(self.place(Spot::Lot(lot))?, true)),
            Route::Slot(lot, slot) => {
                return Ok(Way::Slot(self.place(Spot::Slot(lot, slot))?, false));
            }
            route => return way(route, giver, &self.skills_at(leg), &self.floor, turn),
        }
        let own = Number(self.floor.agent(giver).id.0.clone());
        match self.whither(number, &own).ok_or(404_u16)? {
            Whither::Phone(extension) => Ok(Way::Afar(Afar::Phone(extension))),
            // Whoever needs help is the caller, and the called would be told the desk's number and place.
            Whither::Outside(way) if way.emergency => Err(403),
            Whither::Outside(_) if self.floor.beyond_limits(&own, turn).is_some() => Err(403),
            Whither::Outside(way) => Ok(Way::Afar(Afar::Outside(way))),
            Whither::Refused(_, status) => Err(status),
        }
    }

    /// An attended transfer: of two calls of one agent, the far sides are joined. One was answered or,
    /// when the other is a consultation of a colleague, placed with somebody outside; it goes on.
    fn join(&mut self, leg: LegId, other: LegId, turn: &mut Turn<'_>) -> Result<(), u16> {
        if let Some(parked) = self.join_slot(leg, other, turn) {
            return parked;
        }
        let answered = |leg: LegId| self.floor.call_of_phone(leg);
        let afar = |leg: LegId| self.placed.has(leg);
        let (kept, placed, phone) = match (answered(leg), answered(other)) {
            (Some(kept), None) if afar(other) => {
                return self.join_afar(leg, kept, leg, other, turn);
            }
            (None, Some(kept)) if afar(leg) => {
                return self.join_afar(leg, kept, other, leg, turn);
            }
            (Some(kept), None) => (Some(kept), other, leg),
            (None, Some(kept)) => (Some(kept), leg, other),
            (None, None) if afar(leg) && !afar(other) => (None, other, leg),
            (None, None) if afar(other) && !afar(leg) => (None, leg, other),
            // Two callers with each other, or two whom the agent called outside.
            (Some(_), Some(_)) | (None, None) => return Err(603),
        };
        let (giver, wrap_up) = match kept {
            Some(kept) => match self.calls.get(&kept).map(|call| &call.state) {
                Some(State::Talking(talk)) if talk.phone == phone => (talk.agent, talk.wrap_up),
                Some(State::Talking(_)) => return Err(403),
                _ => return Err(491),
            },
            None => (self.placed.talker(phone)?, Duration::ZERO),
        };
        let consult = self.calls.get_mut(&placed).ok_or(603_u16)?;
        if kept == Some(placed) || consult.placed_by != Some(giver) {
            return Err(403);
        }
        // Taken apart first: what it leaves is the phone of whom the agent consulted.
        let (taker, taken, up) = match std::mem::replace(&mut consult.state, State::New) {
            State::Talking(talk) => (talk.agent, talk.phone, true),
            State::Direct(direct) => (direct.agent, direct.phone, false),
            other => {
                consult.state = other;
                return Err(491);
            }
        };
        let accepted = TransferNews::Accepted;
        turn.act(Action::Transfer { leg, news: accepted });
        if leg == placed {
            // Its own call ends here, so this is the last that it is told.
            turn.act(Action::Transfer { leg, news: TransferNews::Done });
        }
        if !up {
            let id = self.floor.agent(taker).id.clone();
            let why = OfferEnd::Withdrawn;
            consult.record(CallEvent::OfferEnded { agent: id, why }, turn);
        }
        let floor = &mut self.floor;
        consult.end(Party::Agent, EndCause::Transferred, Over::Neither, 487, floor, turn);
        self.stepped(placed);

        let Some(kept) = kept.or_else(|| self.adopt(phone, turn)) else { return Ok(()) };
        self.floor.move_phone(taken, kept);
        let Some(call) = self.calls.get_mut(&kept) else { return Ok(()) };
        self.at_hand = Some(kept);
        let floor = &mut self.floor;
        call.step_out(
            floor.transferred(giver, Number(floor.agent(taker).id.0.clone()), true),
            turn,
        );
        turn.act(Action::Part { caller: call.leg, agent: phone });
        let (phone, ring) = (Some(phone), taken);
        let passing = Passing { giver, phone, taker: Taker::Agent(taker), ring, wrap_up };
        call.state = State::Passing(passing);
        if up {
            taken_up(call, floor, turn);
        } else {
            let id = floor.agent(taker).id.clone();
            call.record(CallEvent::OfferMade { agent: id }, turn);
            call.hold_music(floor, turn);
        }
        self.stepped(kept);
        Ok(())
    }
}

/// Where a number of the plan leads, or why not.
fn way(
    route: Route<'_>,
    giver: AgentIx,
    skills: &Skills,
    floor: &Floor,
    turn: &Turn<'_>,
) -> Result<Way, u16> {
    match route {
        Route::Agent(id) => {
            let taker = floor.agent_ix(id).ok_or(404_u16)?;
            if taker == giver {
                return Err(403);
            }
            if !floor.agent(taker).is_reachable() {
                return Err(480);
            }
            Ok(Way::Agent(taker))
        }
        Route::Group(id) => has_room(id, skills, floor, turn).map(Way::Group),
        Route::Desk { state: OpenState::Open, target, .. } => match target {
            Target::Group(id) => has_room(id, skills, floor, turn).map(Way::Group),
            Target::Refuse(_) => Err(480),
            Target::Menu(_)
            | Target::Extension(_)
            | Target::Announce(_)
            | Target::Enter(_)
            | Target::Message(_)
            | Target::Callback(_)
            | Target::Hours(_)
            | Target::Speak(_) => Ok(Way::Number(target.clone())),
        },
        // Nobody is there: better told to the agent than to the caller.
        Route::Desk { state: OpenState::Closed(_), .. } => Err(480),
        Route::Code(_) | Route::CodeFor(..) => Err(403),
        Route::Lot(_) | Route::Slot(..) | Route::Other => Err(404),
    }
}

/// Whether the group takes one more that needs these skills: somebody is free who has them, or its queue is not
/// full.
fn has_room(id: &GroupId, skills: &Skills, floor: &Floor, turn: &Turn<'_>) -> Result<GroupId, u16> {
    let plan = floor.plan.groups.get(id).ok_or(404_u16)?;
    let ix = floor.group_ix(id).ok_or(404_u16)?;
    let now = turn.now.mono;
    let demand = overflow::demand(skills, plan, now);
    let free = floor.is_anybody_free(ix, demand.as_ref(), now)
        || floor.room_of(ix).queued.len() < plan.max_waiting as usize;
    if free { Ok(id.clone()) } else { Err(486) }
}

fn begin(call: &mut Call, number: &Number, way: Way, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Talking(talk) = &call.state else { return };
    let Talk { agent: giver, phone, wrap_up, .. } = *talk;
    turn.act(Action::Transfer { leg: phone, news: TransferNews::Accepted });
    let way = match way {
        Way::Afar(to) => {
            return away::begin(call, number, to, (giver, phone, wrap_up), floor, turn);
        }
        Way::Slot((lot, slot), chosen) => {
            if let Some(giver) = park::park(call, &lot, &slot, floor, turn) {
                let said = chosen.then_some((&lot, &slot));
                park::let_go(&giver, call, said, floor, turn);
            }
            return;
        }
        inside => inside,
    };
    call.step_out(floor.transferred(giver, number.clone(), false), turn);
    match way {
        Way::Afar(_) | Way::Slot(..) => {}
        Way::Agent(taker) => {
            turn.act(Action::Part { caller: call.leg, agent: phone });
            call.hold_music(floor, turn);
            let until = turn.now.mono + floor.plan.extension_ring;
            let ring = floor.dial(taker, call.leg, CountsAs::Ringing, until, turn);
            let id = floor.agent(taker).id.clone();
            call.record(CallEvent::OfferMade { agent: id }, turn);
            let phone = Some(phone);
            let passing = Passing { giver, phone, taker: Taker::Agent(taker), ring, wrap_up };
            call.state = State::Passing(passing);
            floor.direct_rings(taker, turn);
        }
        // From here on the desk has the caller, as if the number had been dialled: the agent is free.
        // Not before the caller has a place, or an agent who is free at once would serve this caller
        // again before those who wait already.
        Way::Group(id) => {
            turn.act(Action::Part { caller: call.leg, agent: phone });
            queue::ask(call, &id, floor, turn);
            let_go(giver, Some(phone), TransferNews::Done, wrap_up, floor, turn);
        }
        Way::Number(target) => {
            turn.act(Action::Part { caller: call.leg, agent: phone });
            call.go(&target, From::Menu, floor, turn);
            let_go(giver, Some(phone), TransferNews::Done, wrap_up, floor, turn);
        }
    }
}

/// The agent who gave the call away is told how it went, and is out of it.
pub(super) fn let_go(
    giver: AgentIx,
    phone: Option<LegId>,
    news: TransferNews,
    wrap_up: Duration,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    let Some(phone) = phone else { return };
    turn.act(Action::Transfer { leg: phone, news });
    turn.act(Action::HangUp { leg: phone, elsewhere: false });
    floor.drop_phone(phone);
    floor.talk_ends(giver, wrap_up, turn);
}

/// Somebody else has picked up what rings: the agent's phone falls silent, and whoever gave the call away steps out.
/// Returns the work due after the conversation.
pub(super) fn picked_up(
    passing: Passing,
    rung: AgentIx,
    call: &Call,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) -> Duration {
    let Passing { giver, phone, ring, wrap_up, .. } = passing;
    floor.drop_phone(ring);
    turn.act(Action::HangUp { leg: ring, elsewhere: true });
    let agent = floor.agent(rung).id.clone();
    call.record(CallEvent::OfferEnded { agent, why: OfferEnd::TakenElsewhere }, turn);
    floor.direct_ends(rung, turn);
    let_go(giver, phone, TransferNews::Done, wrap_up, floor, turn);
    wrap_up
}

/// The phone that rings says so.
pub(super) fn rings(call: &mut Call, turn: &mut Turn<'_>) {
    let State::Passing(passing) = &mut call.state else { return };
    if let Taker::Outside(attempt) = &mut passing.taker {
        attempt.rang = true;
    }
    if let Some(phone) = passing.phone {
        turn.act(Action::Transfer { leg: phone, news: TransferNews::Rings });
    }
}

/// It answered.
pub(super) fn answered(call: &mut Call, leg: LegId, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Passing(passing) = &call.state else { return };
    if passing.ring != leg {
        return;
    }
    floor.picked_up(leg);
    let taker = match &passing.taker {
        Taker::Agent(taker) => Some(*taker),
        Taker::Phone { .. } | Taker::Outside(_) | Taker::Nobody => None,
    };
    taken_up(call, floor, turn);
    if let Some(taker) = taker {
        floor.direct_taken(taker, turn);
    }
}

/// The caller is with the new side; the one before steps out.
fn taken_up(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Passing(passing) = std::mem::replace(&mut call.state, State::New) else { return };
    let Passing { giver, phone, taker, ring, wrap_up } = passing;
    let_go(giver, phone, TransferNews::Done, wrap_up, floor, turn);
    match taker {
        Taker::Agent(taker) => call.connect(taker, ring, wrap_up, floor, turn),
        Taker::Outside(attempt) => {
            let outside = floor.answered_outside(attempt, turn);
            away::connect(call, ring, Some(outside), turn);
        }
        Taker::Phone { .. } | Taker::Nobody => away::connect(call, ring, None, turn),
    }
}

/// A phone of the transfer is gone: the one that rang said no, or the giver's hung up.
pub(super) fn gone(
    call: &mut Call,
    leg: LegId,
    status: u16,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    let State::Passing(passing) = &mut call.state else { return };
    if passing.phone == Some(leg) {
        // Most phones hang up as soon as we have said that we try: the transfer goes on.
        passing.phone = None;
        let (giver, wrap_up) = (passing.giver, passing.wrap_up);
        floor.drop_phone(leg);
        floor.talk_ends(giver, wrap_up, turn);
    } else if passing.ring == leg {
        match std::mem::replace(&mut passing.taker, Taker::Nobody) {
            Taker::Agent(taker) => {
                passing.taker = Taker::Agent(taker);
                let (why, _) = judge_refusal(taker, status, SetAside::Pause, floor);
                back(call, Some(why), status, floor, turn);
            }
            Taker::Outside(attempt) => away::refused(call, attempt, status, floor, turn),
            Taker::Phone { .. } | Taker::Nobody => back(call, None, status, floor, turn),
        }
    }
}

/// Nobody picked up.
pub(super) fn rang_out(call: &mut Call, leg: LegId, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Passing(passing) = &call.state else { return };
    if passing.ring == leg {
        turn.act(Action::HangUp { leg, elsewhere: false });
        if let Taker::Outside(attempt) = &passing.taker {
            floor.attempt_over(attempt, turn);
        }
        back(call, Some(OfferEnd::RangOut), 480, floor, turn);
    }
}

/// The transfer came to nothing: the call goes back to who gave it away. `why` is for an agent's phone
/// that rang.
pub(super) fn back(
    call: &mut Call,
    why: Option<OfferEnd>,
    status: u16,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    let State::Passing(passing) = std::mem::replace(&mut call.state, State::New) else { return };
    let Passing { giver, phone, taker, ring, wrap_up } = passing;
    floor.drop_phone(ring);
    floor.far.remove(&ring);
    let taker = match taker {
        Taker::Agent(taker) => Some(taker),
        Taker::Phone { .. } | Taker::Outside(_) | Taker::Nobody => None,
    };
    if let (Some(taker), Some(why)) = (taker, why) {
        let id = floor.agent(taker).id.clone();
        call.record(CallEvent::OfferEnded { agent: id, why }, turn);
    }
    let id = floor.agent(giver).id.clone();
    if let Some(phone) = phone {
        // It never left: the two go on, and a hold of the phone's goes on with them.
        turn.act(Action::Transfer { leg: phone, news: TransferNews::Failed { status } });
        call.record(CallEvent::Returned { agent: id }, turn);
        turn.act(Action::Connect { caller: call.leg, agent: phone });
        let failed_at = Some(turn.now.mono);
        call.state = State::Talking(Talk { failed_at, ..Talk::begin(giver, phone, wrap_up) });
        call.tape_is(TapeEvent::Connected, floor, turn);
    } else if taker != Some(giver) && may_be_recalled(call, giver, 0, floor) {
        recall(call, giver, wrap_up, floor, turn);
    } else {
        ask_anew(call, giver, status, floor, turn);
    }
    // Last, so that a phone that is free again serves those who wait before it serves this call.
    if let Some(taker) = taker {
        floor.direct_ends(taker, turn);
    }
}

/// Whether the agent who gave the call away is rung for it; so many talks of its own are about to end. One whose phone
/// is in use again is not, unless no group could be asked in its place.
fn may_be_recalled(call: &Call, giver: AgentIx, ending: u32, floor: &Floor) -> bool {
    let agent = floor.agent(giver);
    let others = call.group.is_some() || floor.first_group_of(giver).is_some();
    agent.is_quiet_but_for(ending) || (agent.is_reachable() && !others)
}

/// Rings the agent who gave the call away.
fn recall(
    call: &mut Call,
    giver: AgentIx,
    wrap_up: Duration,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    let until = turn.now.mono + floor.plan.extension_ring;
    let ring = floor.dial(giver, call.leg, CountsAs::Ringing, until, turn);
    let id = floor.agent(giver).id.clone();
    call.record(CallEvent::OfferMade { agent: id }, turn);
    let (phone, taker) = (None, Taker::Agent(giver));
    call.state = State::Passing(Passing { giver, phone, taker, ring, wrap_up });
    floor.direct_rings(giver, turn);
}

/// Asks the group that the caller asked for, or else the agent's own.
pub(super) fn ask_anew(
    call: &mut Call,
    giver: AgentIx,
    status: u16,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    if let Some(group) = call.group.clone().or_else(|| floor.first_group_of(giver)) {
        queue::ask_again(call, &group, floor, turn);
    } else {
        let cause = EndCause::NotAnswered { status };
        call.end(Party::System, cause, Over::Neither, status, floor, turn);
    }
}

/// Whether the agent's phone hangs up because its transfer came to nothing, as some do by themselves.
pub(super) fn was_misled(talk: &Talk, turn: &Turn<'_>) -> bool {
    talk.failed_at.is_some_and(|at| turn.now.mono.since(at) < HANGS_UP_WITHIN)
}

/// The agent meant to pass the caller on, and the phone hung up although nobody took it: the agent is
/// rung at once and has the caller back.
pub(super) fn call_back(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Talking(talk) = &call.state else { return };
    let Talk { agent: giver, phone, wrap_up, .. } = *talk;
    floor.drop_phone(phone);
    let own = Number(floor.agent(giver).id.0.clone());
    call.step_out(floor.transferred(giver, own, false), turn);
    call.hold_music(floor, turn);
    if may_be_recalled(call, giver, 1, floor) {
        recall(call, giver, wrap_up, floor, turn);
    } else {
        ask_anew(call, giver, 480, floor, turn);
    }
    floor.talk_ends(giver, Duration::ZERO, turn);
}

/// The call ends while it is between two agents.
pub(super) fn cut_short(
    passing: Passing,
    call: &Call,
    why: OfferEnd,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    if !matches!(passing.taker, Taker::Nobody) {
        turn.act(Action::HangUp { leg: passing.ring, elsewhere: false });
    }
    floor.drop_phone(passing.ring);
    floor.far.remove(&passing.ring);
    match passing.taker {
        Taker::Agent(taker) => {
            let agent = floor.agent(taker).id.clone();
            call.record(CallEvent::OfferEnded { agent, why }, turn);
            floor.direct_ends(taker, turn);
        }
        Taker::Outside(attempt) => floor.attempt_over(&attempt, turn),
        Taker::Phone { .. } | Taker::Nobody => {}
    }
    let news = TransferNews::Failed { status: 487 };
    let_go(passing.giver, passing.phone, news, passing.wrap_up, floor, turn);
}

impl Call {
    /// The agent gives the caller away: the conversation between them is over, and so are its holds.
    pub(super) fn step_out(&mut self, word: CallEvent, turn: &mut Turn<'_>) {
        self.had_operator = true;
        if let State::Talking(talk) = std::mem::replace(&mut self.state, State::New) {
            for (by, holds) in
                [(Party::Agent, talk.agent_holds), (Party::Caller, talk.caller_holds)]
            {
                if holds {
                    self.record(CallEvent::Resumed { by }, turn);
                }
            }
        }
        self.record(word, turn);
    }

    pub(super) fn hold_music(&self, floor: &mut Floor, turn: &mut Turn<'_>) {
        let music = floor.plan.hold_music.clone();
        self.music(music, floor, turn);
    }
}

impl Floor {
    /// The history's word for an agent who gives a caller to a number of the plan.
    pub(super) fn transferred(&self, giver: AgentIx, to: Number, attended: bool) -> CallEvent {
        let by = self.agent(giver).id.clone();
        CallEvent::Transferred { by, to, attended }
    }
}
