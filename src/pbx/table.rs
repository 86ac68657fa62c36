//! Who sits at a call's table besides its caller and its agent: a supervisor, a third whom the agent added,
//! and the agent's own phone, rung a second time because it holds the caller for too long. All of them are
//! there as long as that agent talks with that caller: whatever ends the talk dismisses them.
//!
//! Here: whose legs they are, who hears whom, and how they are dismissed. Why one comes and goes is
//! `supervise`'s, `third`'s and `recall`'s.

use super::agent::AgentIx;
use super::api::{Action, Input, Seat};
use super::call::{Call, State, Talk};
use super::desk::Desk;
use super::floor::{Floor, Turn};
use super::recall::Hold;
use super::supervise::{Supervisor, Telling};
use super::third::Third;
use super::timers::Timer;
use super::{recall, supervise, third};
use crate::base::{LegId, Mono, Number};
use crate::event::{CallEvent, OfferEnd, Purpose, Supervision};
use std::collections::BTreeMap;

/// All tables with more than two, or where somebody more is rung or may have to be.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// By the caller's leg.
    pub(super) calls: BTreeMap<LegId, Table>,
    /// The guests' legs, each to the caller's.
    pub(super) legs: BTreeMap<LegId, LegId>,
}

/// One call's.
#[derive(Debug)]
pub(super) struct Table {
    /// The agent whose talk it is.
    agent: AgentIx,
    pub(super) supervisor: Option<Supervisor>,
    pub(super) third: Option<Third>,
    pub(super) hold: Option<Hold>,
    /// Who hears whom as it was last ordered; none: caller and agent each other.
    told: Option<Seating>,
}

/// Who hears whom.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seating {
    seats: Vec<Seat>,
    /// Caller and agent are each other's for hold and music.
    pair: bool,
    /// Whether the caller, and whether the agent, holds.
    held: [bool; 2],
}

impl Table {
    /// The agent whose talk it is.
    pub(super) const fn agent(&self) -> AgentIx {
        self.agent
    }

    const fn is_empty(&self) -> bool {
        self.supervisor.is_none()
            && self.third.is_none()
            && self.hold.is_none()
            && self.told.is_none()
    }
}

impl Tables {
    /// The table of a call that talks with this agent; laid when there is none.
    pub(super) fn lay(&mut self, call: LegId, agent: AgentIx) -> &mut Table {
        self.calls.entry(call).or_insert_with(|| Table {
            agent,
            supervisor: None,
            third: None,
            hold: None,
            told: None,
        })
    }

    /// Everything held that must be gone when no call is up.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.calls.len() + self.legs.len()
    }
}

/// What happened to a guest's leg.
#[derive(Clone, Copy, Debug)]
pub(super) enum GuestEvent {
    Rings,
    Answered,
    /// Said no, or could not be reached.
    Refused(u16),
    /// Is over, by whatever cause.
    Gone,
    /// We had no room to dial it.
    NoRoom,
    Key(char),
    /// Its deadline has come.
    Due,
}

impl Desk {
    /// Takes what concerns a guest, or a table at which a third sits when caller or agent leave it; what
    /// concerns nobody of these comes back.
    pub(super) fn guest(&mut self, input: Input, turn: &mut Turn<'_>) -> Option<Input> {
        if self.floor.tables.calls.is_empty() {
            return Some(input);
        }
        let (leg, event) = match &input {
            Input::Ringing { leg } | Input::Early { leg } => (*leg, Some(GuestEvent::Rings)),
            Input::Answered { leg } => (*leg, Some(GuestEvent::Answered)),
            Input::Refused { leg, status } => (*leg, Some(GuestEvent::Refused(*status))),
            Input::Gone { leg, .. } | Input::Failed { leg, .. } => (*leg, Some(GuestEvent::Gone)),
            Input::NoRoom { leg, .. } => (*leg, Some(GuestEvent::NoRoom)),
            Input::Key { leg, key } => (*leg, Some(GuestEvent::Key(*key))),
            // A guest's own hold, tones and last words concern nobody else.
            Input::Hold { leg, .. } | Input::Played { leg, .. } | Input::Reason { leg, .. } => {
                (*leg, None)
            }
            Input::Arrived { .. }
            | Input::Replaced { .. }
            | Input::Transfer { .. }
            | Input::Phone { .. }
            | Input::Command(_)
            | Input::TapeFailed { .. }
            | Input::Spoke { .. }
            | Input::Erased { .. }
            | Input::Tick => return Some(input),
        };
        if let Some(call) = self.floor.tables.legs.get(&leg).copied() {
            if let Some(event) = event {
                self.guest_is(call, leg, event, turn);
            }
            return None;
        }
        match input {
            Input::Gone { .. } if self.leaves_two(leg, None, turn) => None,
            Input::Failed { what, .. } if self.leaves_two(leg, Some(what), turn) => None,
            Input::Played { play, .. } if supervise::told(leg, play, &mut self.floor) => None,
            other => Some(other),
        }
    }

    /// Something happened to one guest.
    pub(super) fn guest_is(
        &mut self,
        id: LegId,
        leg: LegId,
        event: GuestEvent,
        turn: &mut Turn<'_>,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(table) = self.floor.tables.calls.get(&id) else { return };
        self.at_hand = Some(id);
        if table.supervisor.as_ref().is_some_and(|it| it.leg == leg) {
            supervise::guest(call, event, &mut self.floor, turn);
        } else if table.third.as_ref().is_some_and(|it| it.leg() == leg) {
            third::guest(call, event, &mut self.floor, turn);
        } else if table.hold.as_ref().is_some_and(|it| it.ring == Some(leg)) {
            recall::guest(call, event, &mut self.floor, turn);
        }
        self.stepped(id);
    }

    /// A guest's deadline has come.
    pub(super) fn guest_due(&mut self, leg: LegId, turn: &mut Turn<'_>) {
        if let Some(id) = self.floor.tables.legs.get(&leg).copied() {
            self.guest_is(id, leg, GuestEvent::Due, turn);
        }
    }

    /// After every step: guests of talks that are over are dismissed, and who hears whom is put right. True
    /// when somebody was dismissed.
    pub(super) fn settle_tables(&mut self, turn: &mut Turn<'_>) -> bool {
        let ids: Vec<LegId> = self.floor.tables.calls.keys().copied().collect();
        let mut dismissed = false;
        for id in ids {
            let Some(table) = self.floor.tables.calls.get(&id) else { continue };
            let Some(call) = self.calls.get_mut(&id) else { continue };
            self.at_hand = Some(id);
            match &call.state {
                State::Talking(talk) if talk.agent == table.agent => {
                    seat(call, &mut self.floor, turn);
                }
                _ => {
                    dismiss(call, &mut self.floor, turn);
                    dismissed = true;
                }
            }
            self.at_hand = None;
        }
        dismissed
    }

    /// The call in which an agent talks; a caller's before one that the agent or a colleague placed.
    pub(super) fn talk_of(&self, agent: AgentIx) -> Option<LegId> {
        let talks =
            |call: &&Call| matches!(&call.state, State::Talking(talk) if talk.agent == agent);
        let calls = self.calls.values().filter(talks);
        calls.min_by_key(|call| call.placed_by.is_some()).map(|call| call.leg)
    }
}

/// Orders who hears whom, if it is not so already.
fn seat(call: &Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Talking(talk) = &call.state else { return };
    let Some(table) = floor.tables.calls.get_mut(&call.leg) else { return };
    let due = seating(call, talk, table);
    if due == table.told {
        if table.is_empty() {
            floor.tables.calls.remove(&call.leg);
        }
        return;
    }
    let (caller, agent) = (call.leg, talk.phone);
    let pair = due.as_ref().is_none_or(|due| due.pair);
    match &due {
        Some(due) => turn.act(Action::Mix { seats: due.seats.clone(), pair: due.pair }),
        None => turn.act(Action::Connect { caller, agent }),
    }
    table.told = due;
    if table.is_empty() {
        floor.tables.calls.remove(&call.leg);
    }
    // What was heard above the talk is heard on.
    if pair && talk.agent_holds {
        floor.hold(caller, true, turn);
    }
    if pair && talk.caller_holds {
        floor.hold(agent, true, turn);
    }
    if !talk.agent_holds && !talk.caller_holds {
        announce(call, floor, turn);
    }
}

/// Tells the caller that somebody listens, if the plan wants it and it was not told to its end.
fn announce(call: &Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let Some(prompt) = floor.plan.supervisors.announcement.clone() else { return };
    let play = floor.draw_play();
    let table = floor.tables.calls.get_mut(&call.leg);
    let Some(supervisor) = table.and_then(|table| table.supervisor.as_mut()) else { return };
    if !supervisor.joined || supervisor.telling == Telling::Done {
        return;
    }
    let before = std::mem::replace(&mut supervisor.telling, Telling::Plays(play));
    let (leg, prompts) = (call.leg, vec![prompt.clone()]);
    turn.act(Action::Play { leg, play, prompts, looped: false, stops_on_key: false });
    if before == Telling::Due {
        call.record(CallEvent::Announced { prompt, purpose: Purpose::Supervision }, turn);
    }
}

/// Who is to hear whom; none when only caller and agent are there.
fn seating(call: &Call, talk: &Talk, table: &Table) -> Option<Seating> {
    let supervisor = table.supervisor.as_ref().filter(|it| it.joined);
    let third = table.third.as_ref().filter(|it| it.joined).map(Third::leg);
    if supervisor.is_none() && third.is_none() {
        return None;
    }
    let talkers: Vec<LegId> = [call.leg, talk.phone].into_iter().chain(third).collect();
    // Of three, who holds is heard by nobody: the others talk on.
    let away = |leg: LegId| {
        let holds =
            (leg == call.leg && talk.caller_holds) || (leg == talk.phone && talk.agent_holds);
        third.is_some() && holds
    };
    let heard = |leg: &LegId| !away(*leg);
    let others =
        |leg: LegId| talkers.iter().copied().filter(|other| *other != leg).filter(heard).collect();
    let mut seats: Vec<Seat> =
        talkers.iter().map(|leg| Seat { leg: *leg, hears: others(*leg) }).collect();
    let held = [talk.caller_holds, talk.agent_holds];
    if let Some(supervisor) = supervisor {
        for seat in &mut seats {
            let hears = match supervisor.mode {
                Supervision::Listen => false,
                Supervision::Whisper => seat.leg == talk.phone,
                Supervision::Barge => true,
            };
            if hears {
                seat.hears.push(supervisor.leg);
            }
        }
        // What either says to the room while the other is held is nobody's business.
        let deaf = third.is_none() && held.contains(&true);
        let hears = if deaf { Vec::new() } else { talkers.into_iter().filter(heard).collect() };
        seats.push(Seat { leg: supervisor.leg, hears });
    }
    Some(Seating { seats, pair: third.is_none(), held })
}

/// The talk is over: all guests leave.
pub(super) fn dismiss(call: &Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let Some(mut table) = floor.tables.calls.remove(&call.leg) else { return };
    if let Some(supervisor) = table.supervisor.take() {
        turn.act(Action::HangUp { leg: supervisor.leg, elsewhere: false });
        supervise::over(supervisor, call, floor, turn);
    }
    if let Some(third) = table.third.take() {
        turn.act(Action::HangUp { leg: third.leg(), elsewhere: false });
        third::over(third, 487, call, floor, turn);
    }
    if let Some(hold) = table.hold.take() {
        if let Some(leg) = hold.ring {
            turn.act(Action::HangUp { leg, elsewhere: false });
        }
        recall::over(hold, table.agent, OfferEnd::Withdrawn, call, floor, turn);
    }
}

impl Floor {
    /// A leg is a guest's of this call.
    pub(super) fn seat_guest(&mut self, leg: LegId, call: LegId) {
        self.tables.legs.insert(leg, call);
    }

    /// Rings a phone that is to be a guest of this call; `timer` holds until when.
    pub(super) fn dial_guest(
        &mut self,
        extension: Number,
        call: LegId,
        timer: &mut Option<Mono>,
        turn: &mut Turn<'_>,
    ) -> LegId {
        let leg = self.draw_leg();
        turn.act(Action::Dial { leg, extension, on_behalf_of: call, shown: None });
        self.seat_guest(leg, call);
        let until = turn.now.mono + self.plan.extension_ring;
        self.timers.set(Timer::Guest(leg), timer, Some(until));
        leg
    }

    /// A guest's leg is forgotten, with its timer.
    pub(super) fn forget_guest(&mut self, leg: LegId, timer: &mut Option<Mono>) {
        self.tables.legs.remove(&leg);
        self.timers.set(Timer::Guest(leg), timer, None);
    }

    /// Takes back all that guests of a call hold, for a call whose own state was lost in a panic.
    pub(super) fn take_back_guests(&mut self, call: LegId, turn: &mut Turn<'_>) {
        let Some(table) = self.tables.calls.remove(&call) else { return };
        let lost: Vec<LegId> =
            self.tables.legs.iter().filter(|(_, of)| **of == call).map(|(leg, _)| *leg).collect();
        for leg in lost {
            turn.act(Action::HangUp { leg, elsewhere: false });
        }
        supervise::lost(table.supervisor, self, turn);
        third::lost(table.third, self, turn);
        recall::lost(table.hold, (call, table.agent), self, turn);
    }
}
