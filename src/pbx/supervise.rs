//! Supervision (モニタ・ウィスパ・割込み): somebody whom the plan names hears an agent's talk, speaks to the
//! agent alone, or to both. It is no call of the desk and has no outcome; the history of the call that is
//! heard says who, in which way, and until when.

use super::agent::AgentIx;
use super::api::{Action, CommandError};
use super::call::Call;
use super::desk::Desk;
use super::floor::{Floor, Turn};
use super::table::GuestEvent;
use super::timers::Timer;
use crate::base::{AgentId, LegId, Mono, Number, PlayId};
use crate::event::{CallEvent, Means, Supervision};
use std::time::Duration;

/// Who listens.
#[derive(Debug)]
pub(super) struct Supervisor {
    pub(super) agent: AgentIx,
    pub(super) leg: LegId,
    pub(super) mode: Supervision,
    /// By what it was asked for.
    means: Means,
    /// Else the phone rings.
    pub(super) joined: bool,
    pub(super) telling: Telling,
    timer: Option<Mono>,
}

/// Whether the caller was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Telling {
    Due,
    Plays(PlayId),
    Done,
}

/// Somebody's wish to listen.
#[derive(Debug)]
pub(super) struct Wish<'a> {
    pub(super) by: &'a AgentId,
    pub(super) agent: &'a AgentId,
    /// None: no longer.
    pub(super) mode: Option<Supervision>,
    pub(super) means: Means,
    /// The leg by which the supervisor called; none: the phone is rung.
    pub(super) leg: Option<LegId>,
}

impl Desk {
    /// Begins, changes or ends a supervision. True when the wish's leg is the supervisor's from now on.
    pub(super) fn supervise(
        &mut self,
        wish: &Wish<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<bool, CommandError> {
        use CommandError as E;
        let who = self.floor.agent_ix(wish.by).ok_or(E::NoSuchAgent)?;
        let whom = self.floor.agent_ix(wish.agent).ok_or(E::NoSuchAgent)?;
        if who == whom || !self.floor.plan.supervisors.agents.contains(wish.by) {
            return Err(E::NotASupervisor);
        }
        let id = self.talk_of(whom).ok_or(E::NotTalking)?;
        let call = self.calls.get_mut(&id).ok_or(E::NotTalking)?;
        let seated = self.floor.tables.calls.get(&id).and_then(|table| table.supervisor.as_ref());
        let seated = seated.map(|it| (it.agent, it.mode));
        self.at_hand = Some(id);
        let floor = &mut self.floor;
        let taken = match (seated, wish.mode) {
            (Some((agent, mode)), Some(wanted)) if agent == who && mode != wanted => {
                change(call, wanted, wish.means, floor, turn);
                Ok(false)
            }
            (Some((agent, _)), None) if agent == who => {
                leave(call, floor, turn);
                Ok(false)
            }
            (Some(_), _) | (None, None) => Err(E::AlreadySo),
            (None, Some(mode)) => begin(call, who, whom, mode, wish, floor, turn),
        };
        self.stepped(id);
        taken
    }
}

fn begin(
    call: &Call,
    who: AgentIx,
    whom: AgentIx,
    mode: Supervision,
    wish: &Wish<'_>,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) -> Result<bool, CommandError> {
    let elsewhere = |agent| {
        let seated = floor.tables.calls.values().filter_map(|table| table.supervisor.as_ref());
        seated.into_iter().any(|it: &Supervisor| it.agent == agent)
    };
    if elsewhere(who) {
        return Err(CommandError::AlreadySo);
    }
    let told = floor.plan.supervisors.announcement.is_none();
    let telling = if told { Telling::Done } else { Telling::Due };
    let (means, joined, mut timer) = (wish.means, wish.leg.is_some(), None);
    let leg = match wish.leg {
        Some(leg) => {
            turn.act(Action::Accept { leg });
            floor.call_placed(who, turn);
            floor.seat_guest(leg, call.leg);
            leg
        }
        None if !floor.agent(who).is_quiet() => return Err(CommandError::Busy),
        None => {
            let extension = Number(floor.agent(who).id.0.clone());
            let leg = floor.dial_guest(extension, call.leg, &mut timer, turn);
            floor.direct_rings(who, turn);
            leg
        }
    };
    let supervisor = Supervisor { agent: who, leg, mode, means, joined, telling, timer };
    if joined {
        began(&supervisor, whom, call, floor, turn);
    }
    floor.tables.lay(call.leg, whom).supervisor = Some(supervisor);
    Ok(joined)
}

fn began(supervisor: &Supervisor, whom: AgentIx, call: &Call, floor: &Floor, turn: &mut Turn<'_>) {
    let (by, agent) = (floor.agent(supervisor.agent).id.clone(), floor.agent(whom).id.clone());
    let (mode, means) = (supervisor.mode, supervisor.means);
    call.record(CallEvent::SupervisionBegan { by, agent, mode, means }, turn);
}

fn of<'f>(call: &Call, floor: &'f mut Floor) -> Option<&'f mut Supervisor> {
    floor.tables.calls.get_mut(&call.leg)?.supervisor.as_mut()
}

fn change(call: &Call, mode: Supervision, means: Means, floor: &mut Floor, turn: &mut Turn<'_>) {
    let Some(supervisor) = of(call, floor) else { return };
    if supervisor.mode == mode {
        return;
    }
    supervisor.mode = mode;
    let (joined, agent) = (supervisor.joined, supervisor.agent);
    if joined {
        let by = floor.agent(agent).id.clone();
        call.record(CallEvent::SupervisionChanged { by, mode, means }, turn);
    }
}

fn leave(call: &Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    if let Some(supervisor) = take(call, floor) {
        turn.act(Action::HangUp { leg: supervisor.leg, elsewhere: false });
        over(supervisor, call, floor, turn);
    }
}

fn take(call: &Call, floor: &mut Floor) -> Option<Supervisor> {
    floor.tables.calls.get_mut(&call.leg)?.supervisor.take()
}

/// Something happened to the supervisor's leg.
pub(super) fn guest(call: &Call, event: GuestEvent, floor: &mut Floor, turn: &mut Turn<'_>) {
    let Some(supervisor) = of(call, floor) else { return };
    match (supervisor.joined, event) {
        (false, GuestEvent::Answered) => {
            supervisor.joined = true;
            let (leg, mut timer) = (supervisor.leg, supervisor.timer.take());
            floor.timers.set(Timer::Guest(leg), &mut timer, None);
            let Some(table) = floor.tables.calls.get(&call.leg) else { return };
            let whom = table.agent();
            if let Some(supervisor) = &table.supervisor {
                let agent = supervisor.agent;
                began(supervisor, whom, call, floor, turn);
                floor.direct_taken(agent, turn);
            }
        }
        (true, GuestEvent::Key(key)) => {
            let mode = match key {
                '1' => Supervision::Listen,
                '2' => Supervision::Whisper,
                '3' => Supervision::Barge,
                _ => return,
            };
            change(call, mode, Means::Key, floor, turn);
        }
        (false, GuestEvent::Due) => leave(call, floor, turn),
        (_, GuestEvent::Refused(_) | GuestEvent::Gone | GuestEvent::NoRoom) => {
            if let Some(supervisor) = take(call, floor) {
                over(supervisor, call, floor, turn);
            }
        }
        (false, GuestEvent::Rings | GuestEvent::Key(_))
        | (true, GuestEvent::Rings | GuestEvent::Answered | GuestEvent::Due) => {}
    }
}

/// The supervisor is out of it; the leg is over, or will be.
pub(super) fn over(supervisor: Supervisor, call: &Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    if supervisor.joined {
        let by = floor.agent(supervisor.agent).id.clone();
        call.record(CallEvent::SupervisionEnded { by }, turn);
    }
    lost(Some(supervisor), floor, turn);
}

/// What the supervisor holds is given back.
pub(super) fn lost(supervisor: Option<Supervisor>, floor: &mut Floor, turn: &mut Turn<'_>) {
    let Some(mut supervisor) = supervisor else { return };
    floor.forget_guest(supervisor.leg, &mut supervisor.timer);
    if supervisor.joined {
        floor.talk_ends(supervisor.agent, Duration::ZERO, turn);
    } else {
        floor.direct_ends(supervisor.agent, turn);
    }
}

/// Whether it was the announcement that came to its end.
pub(super) fn told(caller: LegId, play: PlayId, floor: &mut Floor) -> bool {
    let table = floor.tables.calls.get_mut(&caller);
    let Some(supervisor) = table.and_then(|table| table.supervisor.as_mut()) else { return false };
    let is = supervisor.telling == Telling::Plays(play);
    if is {
        supervisor.telling = Telling::Done;
    }
    is
}
