//! Three in one talk (三者通話): an agent adds a colleague, another phone of ours or a number outside. Who
//! leaves leaves the other two; the call stays one call with its one outcome.
//!
//! When the agent leaves, the caller is with the third as after a transfer with asking. When the caller
//! leaves, the call is over, and what agent and third still say to each other is a call of the agent's own.

use super::agent::AgentIx;
use super::api::{Action, CommandError};
use super::away;
use super::call::{Call, Over, State, Talk};
use super::consult::{self, Asked};
use super::desk::Desk;
use super::floor::{Floor, Turn};
use super::outside::{Attempt, Next, Outside};
use super::placed::Whither;
use super::table::{self, GuestEvent};
use super::tape::TapeEvent;
use super::timers::Timer;
use crate::base::{CallId, LegId, Mono, Number, Private};
use crate::dialplan::{Route, Way};
use crate::event::{CallEvent, Caller, CallerNumber, EndCause, Means, Origin, Party};
use std::time::Duration;

/// Whom the agent added.
#[derive(Debug)]
pub(super) struct Third {
    who: Who,
    number: Number,
    /// Else it is being reached.
    pub(super) joined: bool,
    timer: Option<Mono>,
}

#[derive(Debug)]
enum Who {
    Agent(AgentIx, LegId),
    /// A phone that is no agent's.
    Phone(LegId),
    /// A number outside that is being reached.
    Reached(Attempt),
    Outside(Outside, LegId),
}

impl Third {
    pub(super) const fn leg(&self) -> LegId {
        match &self.who {
            Who::Agent(_, leg) | Who::Phone(leg) | Who::Outside(_, leg) => *leg,
            Who::Reached(attempt) => attempt.leg,
        }
    }
}

/// Where a number leads that is to be added.
enum Whom {
    Agent(AgentIx),
    Phone(Number),
    Outside(Way),
}

impl Desk {
    /// Somebody is to be added to a call's talk.
    pub(super) fn add_third(
        &mut self,
        id: LegId,
        number: &Number,
        means: Means,
        turn: &mut Turn<'_>,
    ) -> Result<(), CommandError> {
        use CommandError as E;
        let call = self.calls.get(&id).ok_or(E::NoSuchCall)?;
        let State::Talking(talk) = &call.state else { return Err(E::NotTalking) };
        let agent = talk.agent;
        if self.floor.tables.calls.get(&id).is_some_and(|table| table.third.is_some()) {
            return Err(E::AlreadySo);
        }
        let whom = self.whom(number, agent, turn)?;
        let Some(call) = self.calls.get_mut(&id) else { return Err(E::NoSuchCall) };
        self.at_hand = Some(id);
        let asked = begin(call, agent, whom, number, means, &mut self.floor, turn);
        self.stepped(id);
        asked
    }

    /// The third is to leave the talk.
    pub(super) fn drop_third(
        &mut self,
        id: LegId,
        turn: &mut Turn<'_>,
    ) -> Result<(), CommandError> {
        let call = self.calls.get(&id).ok_or(CommandError::NoSuchCall)?;
        let third = take(call, &mut self.floor).ok_or(CommandError::AlreadySo)?;
        turn.act(Action::HangUp { leg: third.leg(), elsewhere: false });
        over(third, 487, call, &mut self.floor, turn);
        Ok(())
    }

    fn whom(&self, number: &Number, agent: AgentIx, turn: &Turn<'_>) -> Result<Whom, CommandError> {
        use CommandError as E;
        match self.floor.plan.route(number, turn.now.wall) {
            Route::Agent(id) => {
                let ix = self.floor.agent_ix(id).ok_or(E::NoSuchNumber)?;
                // Also the agent's own: it talks.
                let free = self.floor.agent(ix).is_quiet();
                if free { Ok(Whom::Agent(ix)) } else { Err(E::Busy) }
            }
            Route::Other => {
                let own = Number(self.floor.agent(agent).id.0.clone());
                match self.whither(number, &own).ok_or(E::NoSuchNumber)? {
                    Whither::Phone(extension) => Ok(Whom::Phone(extension)),
                    // Whoever needs help would be told the desk's number and place.
                    Whither::Outside(way) if way.emergency => Err(E::NotPermitted),
                    Whither::Outside(way) => match self.floor.beyond_limits(&own, turn) {
                        None => Ok(Whom::Outside(way)),
                        Some(_) => Err(E::NotPermitted),
                    },
                    Whither::Refused(_, 403) => Err(E::NotPermitted),
                    Whither::Refused(..) => Err(E::Busy),
                }
            }
            Route::Desk { .. }
            | Route::Group(_)
            | Route::Lot(_)
            | Route::Slot(..)
            | Route::Code(_)
            | Route::CodeFor(..) => Err(E::NoSuchNumber),
        }
    }

    /// Caller or agent leave a table at which a third sits: the other two go on. False when it is no such
    /// leg. `fault`: the leg failed by a fault of ours.
    pub(super) fn leaves_two(
        &mut self,
        leg: LegId,
        fault: Option<&'static str>,
        turn: &mut Turn<'_>,
    ) -> bool {
        let id = self.floor.call_of_phone(leg).unwrap_or(leg);
        let table = self.floor.tables.calls.get(&id);
        let joined = table.and_then(|table| table.third.as_ref()).is_some_and(|third| third.joined);
        let Some(call) = self.calls.get(&id).filter(|_| joined) else { return false };
        let State::Talking(talk) = &call.state else { return false };
        if leg != id && talk.phone != leg {
            return false;
        }
        let Talk { agent, phone, wrap_up, .. } = *talk;
        let Some(mut third) = take(call, &mut self.floor) else { return false };
        self.at_hand = Some(id);
        self.floor.forget_guest(third.leg(), &mut third.timer);
        if leg == id {
            self.caller_left(id, (agent, phone, wrap_up), third, fault, turn);
        } else if let Some(call) = self.calls.get_mut(&id) {
            agent_left(call, (agent, phone, wrap_up), third, &mut self.floor, turn);
        }
        self.stepped(id);
        true
    }

    /// The call is over; the agent and the third talk on.
    fn caller_left(
        &mut self,
        id: LegId,
        (agent, phone, wrap_up): (AgentIx, LegId, Duration),
        third: Third,
        fault: Option<&'static str>,
        turn: &mut Turn<'_>,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let floor = &mut self.floor;
        call.record(CallEvent::ThirdEnded, turn);
        table::dismiss(call, floor, turn);
        call.state = State::New; // its agent and its third are taken out of it
        floor.drop_phone(phone);
        floor.call_placed(agent, turn);
        floor.talk_ends(agent, wrap_up, turn);
        let (by, cause) = match fault {
            None => (Party::Caller, EndCause::HungUp),
            Some(what) => (Party::System, EndCause::Fault { what: what.to_owned() }),
        };
        call.end(by, cause, Over::Caller, 0, floor, turn);
        let from = Number(floor.agent(agent).id.0.clone());
        let leg = third.leg();
        let outside = match third.who {
            Who::Agent(colleague, _) => {
                let id = CallId::draw(turn.now.wall, &mut floor.rng);
                let talk = Talk::begin(colleague, leg, Duration::ZERO);
                let call = Call {
                    placed_by: Some(agent),
                    accepted: true,
                    rung: true,
                    state: State::Talking(talk),
                    ..Call::new(id, phone, turn.now.mono)
                };
                let known = CallerNumber::Known(Private::new(from.as_str().to_owned()));
                let caller = Caller { number: known, name: None, diverted_from: None };
                let (number, origin) = (third.number, Origin::Extension(from));
                let arrived = CallEvent::Arrived { number, caller, origin, counted: false };
                call.record(arrived, turn);
                call.record(CallEvent::OperatorAsked { group: None }, turn);
                call.record(CallEvent::Accepted, turn);
                let id = floor.agent(colleague).id.clone();
                call.record(CallEvent::OfferMade { agent: id.clone() }, turn);
                call.record(CallEvent::OperatorAnswered { agent: id }, turn);
                floor.take_phone(leg, phone, colleague);
                turn.act(Action::Connect { caller: phone, agent: leg });
                self.calls.insert(phone, call);
                return;
            }
            Who::Outside(outside, _) => Some(outside),
            Who::Phone(_) | Who::Reached(_) => None,
        };
        self.placed.go_on((phone, agent, from), (leg, third.number, outside), floor, turn);
    }
}

/// The caller is with the third.
fn agent_left(
    call: &mut Call,
    (agent, phone, wrap_up): (AgentIx, LegId, Duration),
    third: Third,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    call.record(CallEvent::ThirdEnded, turn);
    floor.drop_phone(phone);
    let leg = third.leg();
    let by = floor.agent(agent).id.clone();
    let shown = Private::new(third.number.as_str().to_owned());
    let afar =
        |inside| CallEvent::SentAway { by: by.clone(), number: shown, inside, attended: true };
    let outside = match third.who {
        Who::Agent(colleague, _) => {
            let to = third.number;
            call.step_out(CallEvent::Transferred { by, to, attended: true }, turn);
            table::dismiss(call, floor, turn);
            floor.take_phone(leg, call.leg, colleague);
            call.connect(colleague, leg, wrap_up, floor, turn);
            return floor.talk_ends(agent, wrap_up, turn);
        }
        Who::Outside(outside, _) => Some(outside),
        Who::Phone(_) | Who::Reached(_) => None,
    };
    call.step_out(afar(outside.is_none()), turn);
    table::dismiss(call, floor, turn);
    call.tape_is(TapeEvent::SentAway, floor, turn);
    floor.far.insert(leg, call.leg);
    away::connect(call, leg, outside, turn);
    floor.talk_ends(agent, wrap_up, turn);
}

fn begin(
    call: &Call,
    agent: AgentIx,
    whom: Whom,
    number: &Number,
    means: Means,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) -> Result<(), CommandError> {
    let by = floor.agent(agent).id.clone();
    let inside = !matches!(whom, Whom::Outside(_));
    let shown = Private::new(number.as_str().to_owned());
    let called = CallEvent::ThirdCalled { by: by.clone(), number: shown, inside, means };
    let mut timer = None;
    let who = match whom {
        Whom::Agent(colleague) => {
            call.record(called, turn);
            let leg = floor.dial_guest(number.clone(), call.leg, &mut timer, turn);
            floor.direct_rings(colleague, turn);
            Who::Agent(colleague, leg)
        }
        Whom::Phone(extension) => {
            call.record(called, turn);
            Who::Phone(floor.dial_guest(extension, call.leg, &mut timer, turn))
        }
        Whom::Outside(way) => match floor.reach(&Number(by.0), way, turn) {
            Next::Nobody { .. } => return Err(CommandError::Busy),
            Next::Try(attempt) => {
                call.record(called, turn);
                dialled(attempt, &mut timer, call, floor, turn)
            }
        },
    };
    let third = Third { who, number: number.clone(), joined: false, timer };
    floor.tables.lay(call.leg, agent).third = Some(third);
    Ok(())
}

/// Whom the agent asked by keys, and who has answered, sits down with the two. False when there is no talk.
pub(super) fn seat(call: &Call, asked: Asked, floor: &mut Floor, turn: &mut Turn<'_>) -> bool {
    let State::Talking(talk) = &call.state else { return false };
    let agent = talk.agent;
    let Asked { who, leg, number } = asked;
    let (who, until, colleague) = match who {
        consult::Who::Colleague(ix) => (Who::Agent(ix, leg), None, Some(ix)),
        consult::Who::Phone => (Who::Phone(leg), None, None),
        consult::Who::Outside(outside) => {
            let until = outside.until;
            (Who::Outside(outside, leg), until, None)
        }
    };
    // Of a group, who has answered.
    let colleague = colleague.map(|ix| floor.agent(ix).id.clone());
    let number = colleague.as_ref().map_or(number, |id| Number(id.0.clone()));
    let by = floor.agent(agent).id.clone();
    let inside = !matches!(who, Who::Outside(..));
    let shown = Private::new(number.as_str().to_owned());
    let means = Means::Key;
    call.record(CallEvent::ThirdCalled { by, number: shown, inside, means }, turn);
    call.record(CallEvent::ThirdJoined { agent: colleague }, turn);
    let mut third = Third { who, number, joined: true, timer: None };
    floor.seat_guest(leg, call.leg);
    floor.timers.set(Timer::Guest(leg), &mut third.timer, until);
    floor.tables.lay(call.leg, agent).third = Some(third);
    true
}

/// A trunk is tried.
fn dialled(
    attempt: Attempt,
    timer: &mut Option<Mono>,
    call: &Call,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) -> Who {
    call.record(CallEvent::TrunkTried { trunk: attempt.trunk.clone() }, turn);
    turn.act(attempt.dial(call.leg));
    floor.seat_guest(attempt.leg, call.leg);
    floor.timers.set(Timer::Guest(attempt.leg), timer, Some(attempt.until));
    Who::Reached(attempt)
}

fn take(call: &Call, floor: &mut Floor) -> Option<Third> {
    floor.tables.calls.get_mut(&call.leg)?.third.take()
}

fn put(call: &Call, third: Third, floor: &mut Floor) {
    if let Some(table) = floor.tables.calls.get_mut(&call.leg) {
        table.third = Some(third);
    }
}

/// Something happened to the third's leg.
pub(super) fn guest(call: &Call, event: GuestEvent, floor: &mut Floor, turn: &mut Turn<'_>) {
    let Some(mut third) = take(call, floor) else { return };
    match (third.joined, event) {
        (false, GuestEvent::Rings) => {
            if let Who::Reached(attempt) = &mut third.who {
                attempt.rang = true;
            }
            put(call, third, floor);
        }
        (false, GuestEvent::Answered) => {
            let third = joined(third, call, floor, turn);
            put(call, third, floor);
        }
        (false, GuestEvent::Refused(status)) => refused(third, status, call, floor, turn),
        (false, GuestEvent::Gone | GuestEvent::NoRoom) => {
            over(third, 480, call, floor, turn);
            no_third(call, floor, turn);
        }
        (false, GuestEvent::Due) => {
            turn.act(Action::HangUp { leg: third.leg(), elsewhere: false });
            over(third, 480, call, floor, turn);
            no_third(call, floor, turn);
        }
        (true, GuestEvent::Refused(_) | GuestEvent::Gone | GuestEvent::NoRoom) => {
            over(third, 0, call, floor, turn);
        }
        // The day's time outside is used up.
        (true, GuestEvent::Due) => {
            turn.act(Action::HangUp { leg: third.leg(), elsewhere: false });
            over(third, 0, call, floor, turn);
        }
        (false, GuestEvent::Key(_))
        | (true, GuestEvent::Rings | GuestEvent::Answered | GuestEvent::Key(_)) => {
            put(call, third, floor);
        }
    }
}

fn joined(third: Third, call: &Call, floor: &mut Floor, turn: &mut Turn<'_>) -> Third {
    let Third { who, number, mut timer, .. } = third;
    let mut agent = None;
    let (who, until) = match who {
        Who::Agent(colleague, leg) => {
            agent = Some(floor.agent(colleague).id.clone());
            floor.direct_taken(colleague, turn);
            (Who::Agent(colleague, leg), None)
        }
        Who::Reached(attempt) => {
            let leg = attempt.leg;
            let outside = floor.answered_outside(attempt, turn);
            let until = outside.until;
            (Who::Outside(outside, leg), until)
        }
        other @ (Who::Phone(_) | Who::Outside(..)) => (other, None),
    };
    let third = Third { who, number, joined: true, timer: None };
    let leg = third.leg();
    floor.timers.set(Timer::Guest(leg), &mut timer, until);
    call.record(CallEvent::ThirdJoined { agent }, turn);
    Third { timer, ..third }
}

/// The third said no, or a trunk could not bring it.
fn refused(mut third: Third, status: u16, call: &Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let Who::Reached(attempt) = third.who else {
        over(third, status, call, floor, turn);
        return no_third(call, floor, turn);
    };
    floor.forget_guest(attempt.leg, &mut third.timer);
    call.record(CallEvent::TrunkFailed { trunk: attempt.trunk.clone(), status }, turn);
    match floor.refused_outside(attempt, status, turn) {
        Next::Try(attempt) => {
            third.who = dialled(attempt, &mut third.timer, call, floor, turn);
            put(call, third, floor);
        }
        Next::Nobody { status, .. } => {
            call.record(CallEvent::ThirdFailed { status }, turn);
            no_third(call, floor, turn);
        }
    }
}

/// The agent hears that nobody comes.
fn no_third(call: &Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Talking(talk) = &call.state else { return };
    if !talk.agent_holds && !talk.caller_holds {
        floor.refuses(talk.phone, turn);
    }
}

/// The third is out of it; the leg is over, or will be. `status`: why it never joined.
pub(super) fn over(third: Third, status: u16, call: &Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let left = CallEvent::ThirdEnded;
    call.record(if third.joined { left } else { CallEvent::ThirdFailed { status } }, turn);
    lost(Some(third), floor, turn);
}

/// What the third holds is given back.
pub(super) fn lost(third: Option<Third>, floor: &mut Floor, turn: &mut Turn<'_>) {
    let Some(mut third) = third else { return };
    floor.forget_guest(third.leg(), &mut third.timer);
    match third.who {
        Who::Agent(colleague, _) if third.joined => {
            floor.talk_ends(colleague, Duration::ZERO, turn);
        }
        Who::Agent(colleague, _) => floor.direct_ends(colleague, turn),
        Who::Reached(attempt) => floor.attempt_over(&attempt, turn),
        Who::Outside(outside, _) => floor.outside_over(&outside, turn),
        Who::Phone(_) => {}
    }
}
