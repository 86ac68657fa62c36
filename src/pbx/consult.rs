//! An agent asks somebody by keys while the caller waits (取次): turns between the two, goes back, or
//! hangs up and so leaves the caller with whom it asked. For phones that cannot do so by themselves; those
//! that can make a call of their own and join the two (`transfer`).
//!
//! Asked is a colleague, a group, whose phones ring by the group's own way, another phone of ours, or a
//! number outside, which counts for the agent as a call of its own (`outside`). A question is no offer: who
//! does not answer it is not set aside.

mod holding;

pub(super) use holding::hold;

use super::agent::AgentIx;
use super::api::Action;
use super::away;
use super::call::{Call, Over, State, Talk, judge_refusal};
use super::floor::{CountsAs, Floor, Turn};
use super::group::Demand;
use super::outside::{Attempt, Next, Outside};
use super::queue;
use super::table;
use super::tape::TapeEvent;
use super::transfer::{self, Passing, Taker};
use crate::base::{GroupId, LegId, Mono, Number, Private, PromptId};
use crate::dialplan::{SetAside, Way};
use crate::event::{CallEvent, ConsultEnd, ConsultSide, EndCause, OfferEnd, Party};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Whom an agent wants to ask.
#[derive(Debug)]
pub(super) enum Whom {
    Colleague(AgentIx),
    Group(Round),
    /// A phone of ours that is no agent's.
    Phone(Number),
    Outside(Way),
}

/// A caller, its agent, and whom the agent asks.
#[derive(Debug)]
pub(super) struct Consult {
    pub(super) agent: AgentIx,
    pub(super) phone: LegId,
    wrap_up: Duration,
    /// What the agent pressed.
    number: Number,
    begun: Begun,
    stage: Stage,
    /// Legs whose phones hold: the agent's, the caller's, that of whom it asks.
    held: BTreeSet<LegId>,
}

/// Which word of the history ends it.
#[derive(Debug)]
enum Begun {
    Colleague(AgentIx),
    Group(Round),
    Afar,
}

/// A group that is asked: each member who is free is rung once at most.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) group: GroupId,
    /// Whom it needs; none: anybody.
    pub(super) demand: Option<Demand>,
    /// Who was rung.
    pub(super) tried: BTreeSet<AgentIx>,
}

/// With whom the agent is.
#[derive(Debug)]
enum Stage {
    /// Agents' phones ring: one colleague's, or the group's.
    Rings(BTreeMap<LegId, AgentIx>),
    /// A phone that is no agent's rings.
    Phone { leg: LegId, until: Mono },
    /// A number outside is being reached.
    Reached(Attempt),
    /// Who was asked has answered. Else than `turned`, the caller hears music.
    With { who: Who, leg: LegId, turned: bool },
    /// Between two that are rung.
    Nobody,
}

impl Consult {
    /// The group that is asked.
    pub(super) const fn group(&self) -> Option<&GroupId> {
        match &self.begun {
            Begun::Group(round) => Some(&round.group),
            Begun::Colleague(_) | Begun::Afar => None,
        }
    }
}

/// Who has answered.
#[derive(Debug)]
pub(super) enum Who {
    Colleague(AgentIx),
    /// A phone that is no agent's.
    Phone,
    Outside(Outside),
}

/// Whom the agent asked, on the way to the table.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) who: Who,
    pub(super) leg: LegId,
    /// What the agent pressed.
    pub(super) number: Number,
}

impl Round {
    /// Whether anybody can be rung.
    pub(super) fn any(&self, floor: &Floor, now: Mono) -> bool {
        let Some(group) = floor.group_ix(&self.group) else { return false };
        floor.is_anybody_free(group, self.demand.as_ref(), now)
    }

    /// Whom to ring next; empty when everybody who is free was rung.
    fn next(&self, floor: &mut Floor, now: Mono) -> Vec<AgentIx> {
        let Some(group) = floor.group_ix(&self.group) else { return Vec::new() };
        floor.choose(group, self.demand.as_ref(), &self.tried, &BTreeMap::new(), now)
    }
}

impl Consult {
    /// When it has rung long enough outside, or the day's time there is used up; an agent's phone has a
    /// deadline of its own.
    pub(super) fn deadline(&self) -> Option<Mono> {
        match &self.stage {
            Stage::Phone { until, .. } => Some(*until),
            Stage::Reached(attempt) => Some(attempt.until),
            Stage::With { who: Who::Outside(outside), .. } => outside.until,
            Stage::Rings(_) | Stage::With { .. } | Stage::Nobody => None,
        }
    }

    /// The history's word for its end.
    fn over(&self, why: ConsultEnd, floor: &Floor) -> CallEvent {
        match &self.begun {
            Begun::Colleague(asked) => {
                CallEvent::ConsultEnded { with: floor.agent(*asked).id.clone(), why }
            }
            Begun::Group(_) | Begun::Afar => CallEvent::ConsultOver { why },
        }
    }
}

/// The agent asks. The caller is put on hold. False when there is no conversation, or nobody to ask; nothing has
/// changed then.
pub(super) fn begin(
    call: &mut Call,
    whom: Whom,
    number: &Number,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) -> bool {
    let State::Talking(talk) = &call.state else { return false };
    let Talk { agent, phone, wrap_up, agent_holds, caller_holds, .. } = *talk;
    let holds = [(agent_holds, phone), (caller_holds, call.leg)];
    let held = holds.into_iter().filter_map(|(holds, leg)| holds.then_some(leg)).collect();
    let by = floor.agent(agent).id.clone();
    let called = |inside| {
        let number = Private::new(number.as_str().to_owned());
        CallEvent::ConsultCalled { by: by.clone(), number, inside }
    };
    let mut attempt = None;
    let (event, begun) = match &whom {
        Whom::Colleague(asked) => {
            let with = floor.agent(*asked).id.clone();
            (CallEvent::ConsultBegan { by: by.clone(), with }, Begun::Colleague(*asked))
        }
        Whom::Group(round) => {
            let Round { group, demand, tried } = round;
            let (group, demand, tried) = (group.clone(), demand.clone(), tried.clone());
            let began = CallEvent::ConsultGroup { by: by.clone(), group: group.clone() };
            (began, Begun::Group(Round { group, demand, tried }))
        }
        Whom::Phone(_) => (called(true), Begun::Afar),
        Whom::Outside(way) => {
            let from = Number(by.0.clone());
            let Next::Try(next) = floor.reach(&from, way.clone(), turn) else { return false };
            attempt = Some(next);
            (called(false), Begun::Afar)
        }
    };
    // A third who sits there leaves before the caller is held.
    table::dismiss(call, floor, turn);
    call.step_out(event, turn);
    turn.act(Action::Part { caller: call.leg, agent: phone });
    call.hold_music(floor, turn);
    let (number, stage) = (number.clone(), Stage::Nobody);
    call.state = State::Consulting(Consult { agent, phone, wrap_up, number, begun, stage, held });
    let mut rung = None;
    match whom {
        Whom::Colleague(asked) => {
            let until = turn.now.mono + floor.plan.extension_ring;
            let leg = floor.dial(asked, call.leg, CountsAs::Ringing, until, turn);
            set(call, Stage::Rings(BTreeMap::from([(leg, asked)])));
            rung = Some(asked);
        }
        Whom::Group(_) => {
            ring_next(call, floor, turn);
        }
        Whom::Phone(extension) => {
            let (leg, until) = (floor.draw_leg(), turn.now.mono + floor.plan.extension_ring);
            floor.far.insert(leg, call.leg);
            turn.act(Action::Dial { leg, extension, on_behalf_of: call.leg, shown: None });
            set(call, Stage::Phone { leg, until });
        }
        Whom::Outside(_) => {
            if let Some(attempt) = attempt {
                reach(call, attempt, floor, turn);
            }
        }
    }
    floor.loops(phone, PromptId::from("ringback"), turn);
    if let Some(asked) = rung {
        floor.direct_rings(asked, turn);
    }
    true
}

fn set(call: &mut Call, to: Stage) {
    if let State::Consulting(consult) = &mut call.state {
        consult.stage = to;
    }
}

/// Calls by a trunk.
fn reach(call: &mut Call, attempt: Attempt, floor: &mut Floor, turn: &mut Turn<'_>) {
    floor.far.insert(attempt.leg, call.leg);
    call.record(CallEvent::TrunkTried { trunk: attempt.trunk.clone() }, turn);
    turn.act(attempt.dial(call.leg));
    set(call, Stage::Reached(attempt));
}

/// Rings whom the group's strategy names next, for the group's time. Whether there is anybody.
fn ring_next(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) -> bool {
    let State::Consulting(consult) = &mut call.state else { return false };
    let Begun::Group(round) = &mut consult.begun else { return false };
    let plan = floor.plan.clone();
    let Some(group) = plan.groups.get(&round.group) else { return false };
    let chosen = round.next(floor, turn.now.mono);
    round.tried.extend(&chosen);
    let until = turn.now.mono + group.ring;
    let mut rings = BTreeMap::new();
    for asked in &chosen {
        let leg = floor.dial(*asked, call.leg, CountsAs::Ringing, until, turn);
        call.record(CallEvent::ConsultRings { with: floor.agent(*asked).id.clone() }, turn);
        rings.insert(leg, *asked);
    }
    set(call, Stage::Rings(rings));
    for asked in &chosen {
        floor.direct_rings(*asked, turn);
    }
    !chosen.is_empty()
}

/// Who is called outside rings there.
pub(super) fn rings(call: &mut Call, leg: LegId) {
    if let State::Consulting(Consult { stage: Stage::Reached(attempt), .. }) = &mut call.state
        && attempt.leg == leg
    {
        attempt.rang = true;
    }
}

/// Who is asked answered.
pub(super) fn answered(call: &mut Call, leg: LegId, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Consulting(consult) = &mut call.state else { return };
    let phone = consult.phone;
    let mut others = BTreeMap::new();
    let who = match std::mem::replace(&mut consult.stage, Stage::Nobody) {
        Stage::Rings(mut rings) if rings.contains_key(&leg) => {
            let asked = rings.remove(&leg);
            others = rings;
            floor.picked_up(leg);
            asked.map(Who::Colleague)
        }
        Stage::Phone { leg: rung, .. } if rung == leg => Some(Who::Phone),
        Stage::Reached(attempt) if attempt.leg == leg => {
            Some(Who::Outside(floor.answered_outside(attempt, turn)))
        }
        other => {
            consult.stage = other;
            None
        }
    };
    let Some(who) = who else { return };
    let asked = match &who {
        Who::Colleague(asked) => Some(*asked),
        Who::Phone | Who::Outside(_) => None,
    };
    consult.stage = Stage::With { who, leg, turned: false };
    turn.act(Action::Connect { caller: leg, agent: phone });
    let with = asked.map(|asked| floor.agent(asked).id.clone());
    call.record(CallEvent::ConsultAnswered { with }, turn);
    holding::begins(call, floor, turn);
    if let Some(asked) = asked {
        floor.direct_taken(asked, turn);
    }
    ring_no_more(others, true, OfferEnd::TakenElsewhere, call, floor, turn);
}

/// Phones that ring fall silent; `told`: the history knows of each.
fn ring_no_more(
    rings: BTreeMap<LegId, AgentIx>,
    told: bool,
    why: OfferEnd,
    call: &Call,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    for leg in rings.keys() {
        floor.drop_phone(*leg);
        turn.act(Action::HangUp { leg: *leg, elsewhere: why == OfferEnd::TakenElsewhere });
    }
    for asked in rings.values().filter(|_| told) {
        let with = floor.agent(*asked).id.clone();
        call.record(CallEvent::ConsultRingEnded { with, why }, turn);
    }
    for asked in rings.into_values() {
        floor.direct_ends(asked, turn);
    }
}

/// The agent turns to the other of the two.
pub(super) fn swap(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) -> bool {
    let caller = call.leg;
    let State::Consulting(consult) = &call.state else { return false };
    let phone = consult.phone;
    let Stage::With { leg, turned, .. } = &consult.stage else { return false };
    let (before, after, to) = if *turned {
        (caller, *leg, ConsultSide::Asked)
    } else {
        (*leg, caller, ConsultSide::Caller)
    };
    holding::ends(call, turn);
    if let State::Consulting(Consult { stage: Stage::With { turned, .. }, .. }) = &mut call.state {
        *turned = !*turned;
    }
    call.record(CallEvent::ConsultTurned { to }, turn);
    turn.act(Action::Part { caller: before, agent: phone });
    floor.hold(before, true, turn);
    turn.act(Action::Connect { caller: after, agent: phone });
    holding::begins(call, floor, turn);
    true
}

/// All three talk from now on: whom the agent asked, for the table at which they sit. None when nobody has
/// answered.
pub(super) fn join(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) -> Option<Asked> {
    let State::Consulting(consult) = &mut call.state else { return None };
    let (who, leg, turned) = match std::mem::replace(&mut consult.stage, Stage::Nobody) {
        Stage::With { who, leg, turned } => (who, leg, turned),
        other => {
            consult.stage = other;
            return None;
        }
    };
    let (agent, phone, wrap_up) = (consult.agent, consult.phone, consult.wrap_up);
    let held = std::mem::take(&mut consult.held);
    let (over, number) = (consult.over(ConsultEnd::Joined, floor), consult.number.clone());
    call.record(over, turn);
    // Who waited hears music no more.
    if turned {
        floor.hold(leg, false, turn);
    } else {
        turn.act(Action::Part { caller: leg, agent: phone });
        turn.act(Action::Connect { caller: call.leg, agent: phone });
    }
    floor.drop_phone(leg);
    floor.far.remove(&leg);
    call.state = State::Talking(Talk::begin(agent, phone, wrap_up));
    call.tape_is(TapeEvent::Connected, floor, turn);
    holding::goes_on(call, &held, turned, floor, turn);
    Some(Asked { who, leg, number })
}

/// Who is asked is let go, or is gone: the agent is with the caller again.
pub(super) fn back(
    call: &mut Call,
    why: ConsultEnd,
    gone: bool,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) -> bool {
    let mut consult = match std::mem::replace(&mut call.state, State::New) {
        State::Consulting(consult) => consult,
        other => {
            call.state = other;
            return false;
        }
    };
    let (agent, phone, wrap_up) = (consult.agent, consult.phone, consult.wrap_up);
    let turned = matches!(consult.stage, Stage::With { turned: true, .. });
    let held = std::mem::take(&mut consult.held);
    let freed = end_other(&mut consult, call, (why, OfferEnd::Withdrawn), gone, floor, turn);
    if !turned {
        turn.act(Action::Connect { caller: call.leg, agent: phone });
    }
    call.state = State::Talking(Talk::begin(agent, phone, wrap_up));
    call.tape_is(TapeEvent::Connected, floor, turn);
    holding::goes_on(call, &held, turned, floor, turn);
    freed.settle(floor, turn);
    true
}

/// A leg is gone, or said no. The agent's: the caller is with whom it asked, or is passed on to where it still
/// rings. The other's: the agent is with the caller again, unless somebody else can be rung.
pub(super) fn gone(
    call: &mut Call,
    leg: LegId,
    status: u16,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    let State::Consulting(consult) = &mut call.state else { return };
    if consult.phone == leg {
        return hand_over(call, floor, turn);
    }
    match &mut consult.stage {
        Stage::Rings(rings) => {
            let Some(asked) = rings.get(&leg).copied() else { return };
            let (why, _) = judge_refusal(asked, status, SetAside::Pause, floor);
            missed(call, leg, why, floor, turn);
        }
        Stage::Phone { leg: rung, .. } if *rung == leg => {
            back(call, ConsultEnd::NotAnswered, true, floor, turn);
        }
        Stage::Reached(attempt) if attempt.leg == leg => refused(call, status, floor, turn),
        Stage::With { leg: other, .. } if *other == leg => {
            back(call, ConsultEnd::Left, true, floor, turn);
        }
        Stage::Phone { .. } | Stage::Reached(_) | Stage::With { .. } | Stage::Nobody => {}
    }
}

/// A phone rings no more. When it was the last of a group that did, the next are rung.
fn missed(call: &mut Call, leg: LegId, why: OfferEnd, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Consulting(consult) = &mut call.state else { return };
    let Stage::Rings(rings) = &mut consult.stage else { return };
    let Some(asked) = rings.remove(&leg) else { return };
    let last = rings.is_empty();
    floor.drop_phone(leg);
    if matches!(consult.begun, Begun::Group(_)) {
        let with = floor.agent(asked).id.clone();
        call.record(CallEvent::ConsultRingEnded { with, why }, turn);
    }
    if last && !ring_next(call, floor, turn) {
        back(call, ConsultEnd::NotAnswered, true, floor, turn);
    }
    // Last, so that a phone that is free again serves those who wait before it serves this call.
    floor.direct_ends(asked, turn);
}

/// The leg that was called outside is over: the next trunk is tried where that may help.
fn refused(call: &mut Call, status: u16, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Consulting(consult) = &mut call.state else { return };
    let attempt = match std::mem::replace(&mut consult.stage, Stage::Nobody) {
        Stage::Reached(attempt) => attempt,
        other => {
            consult.stage = other;
            return;
        }
    };
    floor.far.remove(&attempt.leg);
    let trunk = attempt.trunk.clone();
    call.record(CallEvent::TrunkFailed { trunk, status }, turn);
    match floor.refused_outside(attempt, status, turn) {
        Next::Try(attempt) => reach(call, attempt, floor, turn),
        Next::Nobody { .. } => {
            back(call, ConsultEnd::NotAnswered, true, floor, turn);
        }
    }
}

/// Nobody picked up.
pub(super) fn rang_out(call: &mut Call, leg: LegId, floor: &mut Floor, turn: &mut Turn<'_>) {
    if let State::Consulting(Consult { stage: Stage::Rings(rings), .. }) = &call.state
        && rings.contains_key(&leg)
    {
        turn.act(Action::HangUp { leg, elsewhere: false });
        missed(call, leg, OfferEnd::RangOut, floor, turn);
    }
}

/// A deadline of the call's has come, perhaps this one's.
pub(super) fn due(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Consulting(consult) = &call.state else { return };
    if consult.deadline().is_some_and(|at| at <= turn.now.mono) {
        let answered = matches!(consult.stage, Stage::With { .. });
        let why = if answered { ConsultEnd::TimeUsedUp } else { ConsultEnd::NotAnswered };
        back(call, why, false, floor, turn);
    }
}

/// The agent hung up.
fn hand_over(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    holding::ends(call, turn);
    let State::Consulting(consult) = std::mem::replace(&mut call.state, State::New) else { return };
    call.record(consult.over(ConsultEnd::HandedOver, floor), turn);
    let Consult { agent: giver, phone, wrap_up, number, begun, stage, held } = consult;
    let by = floor.agent(giver).id.clone();
    let shown = Private::new(number.as_str().to_owned());
    let sent = |inside, attended| CallEvent::SentAway { by, number: shown, inside, attended };
    let (taker, ring) = match stage {
        Stage::With { who, leg, .. } => {
            let inside = matches!(who, Who::Phone);
            let outside = match who {
                Who::Colleague(asked) => {
                    let to = Number(floor.agent(asked).id.0.clone());
                    call.record(floor.transferred(giver, to, true), turn);
                    floor.drop_phone(phone);
                    call.connect(asked, leg, wrap_up, floor, turn);
                    holding::goes_on(call, &held, false, floor, turn);
                    return floor.talk_ends(giver, wrap_up, turn);
                }
                Who::Outside(outside) => Some(outside),
                Who::Phone => None,
            };
            call.record(sent(inside, true), turn);
            call.tape_is(TapeEvent::SentAway, floor, turn);
            floor.drop_phone(phone);
            away::connect(call, leg, outside, turn);
            return floor.talk_ends(giver, wrap_up, turn);
        }
        Stage::Rings(rings) => match (begun, rings.first_key_value()) {
            // The caller asks the group, as after a transfer to it.
            (Begun::Group(round), _) => {
                call.record(floor.transferred(giver, number, false), turn);
                ring_no_more(rings, true, OfferEnd::Withdrawn, call, floor, turn);
                queue::ask_again(call, &round.group, floor, turn);
                floor.drop_phone(phone);
                return floor.talk_ends(giver, wrap_up, turn);
            }
            (_, Some((leg, asked))) => {
                let agent = floor.agent(*asked).id.clone();
                call.record(floor.transferred(giver, Number(agent.0.clone()), false), turn);
                call.record(CallEvent::OfferMade { agent }, turn);
                (Taker::Agent(*asked), *leg)
            }
            (_, None) => (Taker::Nobody, call.leg),
        },
        Stage::Phone { leg, until } => {
            call.record(sent(true, false), turn);
            (Taker::Phone { until }, leg)
        }
        Stage::Reached(attempt) => {
            call.record(sent(false, false), turn);
            let leg = attempt.leg;
            (Taker::Outside(attempt), leg)
        }
        Stage::Nobody => (Taker::Nobody, call.leg),
    };
    if !matches!(taker, Taker::Agent(_)) {
        call.tape_is(TapeEvent::SentAway, floor, turn);
    }
    call.state = State::Passing(Passing { giver, phone: Some(phone), taker, ring, wrap_up });
    transfer::gone(call, phone, 480, floor, turn);
}

/// The call ends in the midst of it; `over` says which leg is over already.
pub(super) fn cut_short(
    mut consult: Consult,
    call: &Call,
    over: Over,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    let left = if over == Over::Caller { OfferEnd::CallerLeft } else { OfferEnd::Withdrawn };
    let freed = end_other(&mut consult, call, (ConsultEnd::CallOver, left), false, floor, turn);
    floor.drop_phone(consult.phone);
    if over != Over::Phone {
        turn.act(Action::HangUp { leg: consult.phone, elsewhere: false });
    }
    freed.settle(floor, turn);
    floor.talk_ends(consult.agent, consult.wrap_up, turn);
}

/// Whose lines are to be freed: last, so that they serve those who wait before they serve this call.
struct Freed {
    rung: Vec<AgentIx>,
    talked: Option<AgentIx>,
}

impl Freed {
    fn settle(self, floor: &mut Floor, turn: &mut Turn<'_>) {
        for asked in self.rung {
            floor.direct_ends(asked, turn);
        }
        if let Some(asked) = self.talked {
            floor.talk_ends(asked, Duration::ZERO, turn);
        }
    }
}

/// The legs of who is asked are no part of the call any more; `gone`: they are over already.
fn end_other(
    consult: &mut Consult,
    call: &Call,
    (why, rung): (ConsultEnd, OfferEnd),
    gone: bool,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) -> Freed {
    let mut freed = Freed { rung: Vec::new(), talked: None };
    let end = |leg, floor: &mut Floor, turn: &mut Turn<'_>| {
        floor.drop_phone(leg);
        floor.far.remove(&leg);
        if !gone {
            turn.act(Action::HangUp { leg, elsewhere: false });
        }
    };
    match std::mem::replace(&mut consult.stage, Stage::Nobody) {
        Stage::Rings(rings) => {
            for (leg, asked) in rings {
                end(leg, floor, turn);
                if matches!(consult.begun, Begun::Group(_)) {
                    let with = floor.agent(asked).id.clone();
                    call.record(CallEvent::ConsultRingEnded { with, why: rung }, turn);
                }
                freed.rung.push(asked);
            }
        }
        Stage::Phone { leg, .. } => end(leg, floor, turn),
        Stage::Reached(attempt) => {
            end(attempt.leg, floor, turn);
            floor.attempt_over(&attempt, turn);
        }
        Stage::With { who, leg, .. } => {
            end(leg, floor, turn);
            match who {
                Who::Colleague(asked) => freed.talked = Some(asked),
                Who::Outside(outside) => floor.outside_over(&outside, turn),
                Who::Phone => {}
            }
        }
        Stage::Nobody => {}
    }
    call.record(consult.over(why, floor), turn);
    freed
}

/// A leg failed by a fault of ours. Without the agent's phone the call cannot go on.
pub(super) fn failed(
    call: &mut Call,
    leg: LegId,
    what: &str,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    match &call.state {
        State::Consulting(consult) if consult.phone == leg => {
            let cause = EndCause::Fault { what: what.to_owned() };
            call.end(Party::System, cause, Over::Phone, 0, floor, turn);
        }
        _ => gone(call, leg, 503, floor, turn),
    }
}
