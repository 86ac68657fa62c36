//! Waiting for an operator: who may wait, what a waiting caller hears and when, and the two ways the
//! system ends a wait.

use super::api::CommandError;
use super::beyond;
use super::call::{Call, From, Over, Place, State};
use super::floor::{Floor, Turn};
use super::group::Waiter;
use super::hunt::{self, Hunt};
use super::overflow;
use super::say::{Script, Told};
use crate::base::{GroupId, Mono, PlayId, PromptId};
use crate::dialplan::{Group, Onward};
use crate::event::{CallEvent, EndCause, Means, Party, Purpose};

/// What the caller hears while it hunts.
#[derive(Debug)]
pub(super) enum Hears {
    /// Its own ringing tone, or nothing yet.
    Nothing,
    /// Music; the next comfort message is due then.
    Music { comfort_at: Option<Mono> },
    /// The busy announcement, or a comfort message.
    Words(Script),
}

impl Hears {
    pub(super) fn deadline(&self) -> Option<Mono> {
        match self {
            Self::Nothing => None,
            Self::Music { comfort_at } => *comfort_at,
            Self::Words(script) => Some(script.until),
        }
    }
}

/// The caller asks for an operator of this group.
pub(super) fn ask(call: &mut Call, id: &GroupId, floor: &mut Floor, turn: &mut Turn<'_>) {
    if super::tape::announce(call, id, floor, turn) {
        return;
    }
    ask_as(call, id, call.had_operator, floor, turn);
}

/// A caller who had an operator and was let down comes back: let in although the queue is full.
pub(super) fn ask_again(call: &mut Call, id: &GroupId, floor: &mut Floor, turn: &mut Turn<'_>) {
    ask_as(call, id, true, floor, turn);
}

fn ask_as(call: &mut Call, id: &GroupId, again: bool, floor: &mut Floor, turn: &mut Turn<'_>) {
    let plan = floor.plan.clone();
    let (Some(ix), Some(group)) = (floor.group_ix(id), plan.groups.get(id)) else {
        let cause = EndCause::Fault { what: format!("the plan has no group {id}") };
        return call.end(Party::System, cause, Over::Neither, 500, floor, turn);
    };
    call.record(CallEvent::OperatorAsked { group: Some(id.clone()) }, turn);
    call.group = Some(id.clone());
    if group.answer_first {
        call.accept(turn);
    }
    // Who comes back from what a key of the queue led to has its place again.
    let place = call.place.take().filter(|place| place.group == *id);
    let again = again || place.is_some();
    let now = turn.now.mono;
    let (order, since) = match place {
        Some(place) => (place.order, place.since),
        None => match call.first_place.filter(|_| group.keeps_place) {
            Some(order) => (order, now),
            None => (floor.draw_order(call.priority), now),
        },
    };
    call.first_place.get_or_insert(order);
    let demand = overflow::demand(&call.skills, group, since);
    let mut hunt = Hunt::new(id.clone(), ix, order, group, demand.clone(), now);
    (hunt.fresh, hunt.again) = (!again, again);
    hunt.closes_at = floor.closing(call.line.as_ref(), group, turn.now);
    hunt.arm_widening(now, floor);
    hunt.arm_overflow(group);
    let waiter = Waiter { leg: call.leg, since, demand, put_off: None };
    floor.group_mut(ix).waiting.insert(order, waiter);
    if floor.has_stirred(now) {
        // Who has become free at this very moment may be somebody's who waits.
        floor.look_again(ix, order);
        call.state = State::Hunting(hunt);
    } else {
        hunt::look(hunt, call, group, floor, turn);
    }
}

/// A person puts a call that hunts before all others of its group.
///
/// # Errors
///
/// [`CommandError::NotPossible`] when it waits for no group's operator; [`CommandError::AlreadySo`] when no other
/// call is before it.
pub(super) fn put_first(
    call: &mut Call,
    by: Means,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) -> Result<(), CommandError> {
    let State::Hunting(hunt) = &mut call.state else { return Err(CommandError::NotPossible) };
    let room = floor.group_mut(hunt.group);
    if room.waiting.first_key_value().is_some_and(|(first, _)| *first == hunt.order) {
        return Err(CommandError::AlreadySo);
    }
    let first = floor.draw_first();
    if !floor.group_mut(hunt.group).reorder(hunt.order, first) {
        return Err(CommandError::NotPossible);
    }
    hunt.order = first;
    call.first_place = Some(first);
    call.record(CallEvent::PutFirst { by }, turn);
    Ok(())
}

/// Nobody can be rung: the call is let into the queue, or sent away when that is full.
pub(super) fn join(
    mut hunt: Hunt,
    call: &mut Call,
    plan: &Group,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    match hunt.overflow_at_door(call, plan, floor, turn) {
        Some((why, Onward::Way(to))) => {
            return overflow::send_on(hunt, (why, to), call, plan, floor, turn);
        }
        // It waits meanwhile.
        Some((why, Onward::Outside(number))) => {
            beyond::ring(&mut hunt, (why, number), call, floor, turn);
        }
        None => {}
    }
    let full = floor.group_mut(hunt.group).queued.len() >= plan.max_waiting as usize;
    if hunt.fresh && full && hunt.rings_outside().is_none() {
        return release(&hunt, call, plan.full.clone(), EndCause::QueueFull, plan, floor, turn);
    }
    hunt.fresh = false;
    starve(&mut hunt, call, plan, floor, turn);
    call.state = State::Hunting(hunt);
}

/// No phone rings and nobody is free: the call waits, and hears so the first time.
///
/// A call whose phones rang already is let in although the queue is full: it came before those that
/// wait there. So the queue holds at most the plan's number and one call for each agent.
fn starve(hunt: &mut Hunt, call: &mut Call, plan: &Group, floor: &mut Floor, turn: &mut Turn<'_>) {
    let room = floor.group_mut(hunt.group);
    room.hungry.insert(hunt.order);
    room.ringing_all.remove(&hunt.order);
    if hunt.queued {
        return;
    }
    hunt.queued = true;
    room.queued.insert(hunt.order);
    let position = room.position(hunt.order);
    let before_others = room.hungry.last().is_some_and(|last| *last > hunt.order);
    if before_others {
        // It goes before others, who may have counted on a phone that is left for them no more.
        floor.thinned.insert(hunt.group);
    }
    call.accept(turn);
    call.record(CallEvent::Queued { group: hunt.id.clone(), position }, turn);
    let first = !call.busy_told;
    let busy = first.then(|| (Purpose::Busy, plan.busy.clone()));
    let offer = plan.offer.clone().filter(|_| first).map(|offer| (Purpose::Comfort, offer));
    match Script::begin(call, busy.into_iter().chain(offer), floor, turn) {
        Some(script) => hunt.hears = Hears::Words(script),
        // Sent on from another group in the midst of it.
        None if matches!(hunt.hears, Hears::Words(_)) => {}
        None => music(hunt, call, plan, floor, turn),
    }
}

/// Music, until the next comfort message if the plan has any.
fn music(hunt: &mut Hunt, call: &Call, plan: &Group, floor: &mut Floor, turn: &mut Turn<'_>) {
    call.music(plan.music.clone(), floor, turn);
    hunt.hears = Hears::Music { comfort_at: next_comfort(plan, turn.now.mono) };
}

fn next_comfort(plan: &Group, now: Mono) -> Option<Mono> {
    let any = plan.comfort.is_some() || plan.tell_position || plan.tell_wait;
    (any && !plan.comfort_every.is_zero()).then(|| now + plan.comfort_every)
}

/// A key while waiting: to a message, or to be called back.
pub(super) fn key(call: &mut Call, key: char, floor: &mut Floor, turn: &mut Turn<'_>) {
    hunt::with(call, floor, turn, |mut hunt, call, plan, floor, turn| {
        // Who has an agent on the line already is about to be put through.
        let target = plan.keys.get(&key).filter(|_| hunt.briefing.is_none());
        let Some(target) = target else {
            call.state = State::Hunting(hunt);
            return;
        };
        let group = hunt.id.clone();
        call.record(CallEvent::QueueKeyPressed { group: group.clone(), key }, turn);
        hunt.withdraw_all(call, crate::event::OfferEnd::Withdrawn, floor, turn);
        let waiter = floor.group_mut(hunt.group).waiting.get(&hunt.order);
        let since = waiter.map_or(turn.now.mono, |waiter| waiter.since);
        hunt.leave(floor);
        call.place = Some(Place { group, order: hunt.order, since });
        call.go(target, From::Queue, floor, turn);
    });
}

/// A play ended; none when its time is up.
pub(super) fn played(
    call: &mut Call,
    play: Option<PlayId>,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    hunt::with(call, floor, turn, |mut hunt, call, plan, floor, turn| {
        if let Hears::Words(script) = &mut hunt.hears
            && script.played(play, call, floor, turn) == Told::All
        {
            music(&mut hunt, call, plan, floor, turn);
        }
        call.state = State::Hunting(hunt);
    });
}

/// A deadline of the wait has come: the longest wait, a comfort message, a play without end.
pub(super) fn due(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let now = turn.now.mono;
    let State::Hunting(hunt) = &mut call.state else { return };
    if hunt.briefing.is_some() {
        return sounds_on(call, floor, turn);
    }
    if hunt.give_up_at <= now {
        return hunt::with(call, floor, turn, |mut hunt, call, plan, floor, turn| {
            hunt.withdraw_all(call, crate::event::OfferEnd::Withdrawn, floor, turn);
            let cause = EndCause::WaitedTooLong;
            release(&hunt, call, plan.waited.clone(), cause, plan, floor, turn);
        });
    }
    if hunt.closes_at.is_some_and(|at| at <= now) {
        return closes(call, floor, turn);
    }
    if hunt.rings_outside_until().is_some_and(|at| at <= now) {
        return hunt::with(call, floor, turn, |mut hunt, call, _, floor, turn| {
            hunt.rang_outside_in_vain(call, floor, turn);
            call.state = State::Hunting(hunt);
        });
    }
    if hunt.overflow_at.is_some_and(|at| at <= now) {
        return hunt::with(call, floor, turn, |mut hunt, call, plan, floor, turn| {
            match hunt.overflow_now(call, plan, floor, turn) {
                Some((why, Onward::Way(to))) => {
                    return overflow::send_on(hunt, (why, to), call, plan, floor, turn);
                }
                Some((why, Onward::Outside(number))) => {
                    beyond::ring(&mut hunt, (why, number), call, floor, turn);
                }
                None => {}
            }
            call.state = State::Hunting(hunt);
        });
    }
    if hunt.widens_at.is_some_and(|at| at <= now) {
        hunt.arm_widening(now, floor);
        floor.stirred.insert(hunt.group);
        if floor.group_mut(hunt.group).ringing_all.contains(&hunt.order) {
            return hunt::agent_free(call, floor, turn);
        }
    }
    if hunt.again_at.is_some_and(|at| at <= now) {
        hunt.put_off(None, floor);
        if !hunt.offers.is_empty() {
            return hunt::agent_free(call, floor, turn);
        }
        // Others may have been put off as long, and come first.
        return floor.look_again(hunt.group, hunt.order);
    }
    sounds_on(call, floor, turn);
}

/// What the caller hears has come to its end.
fn sounds_on(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let now = turn.now.mono;
    let State::Hunting(hunt) = &call.state else { return };
    match &hunt.hears {
        Hears::Words(script) if script.until <= now => played(call, None, floor, turn),
        Hears::Music { comfort_at: Some(at) } if *at <= now => comfort(call, floor, turn),
        Hears::Nothing | Hears::Music { .. } | Hears::Words(_) => {}
    }
}

/// The number may have closed. Who holds a place in the queue is told and released; for whom a phone
/// rings, it rings on.
fn closes(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    hunt::with(call, floor, turn, |mut hunt, call, plan, floor, turn| {
        if !floor.tells_at_closing(call.line.as_ref(), plan) {
            // Another plan lets it wait.
            hunt.closes_at = None;
        } else if !floor.is_closed(call.line.as_ref(), turn.now) {
            hunt.closes_at = floor.closing(call.line.as_ref(), plan, turn.now);
        } else if hunt.queued && hunt.offers.is_empty() {
            hunt.let_outside_go(floor, turn);
            let (words, cause) = (plan.closing.clone(), EndCause::ClosedWhileWaiting);
            return release(&hunt, call, words, cause, plan, floor, turn);
        } else {
            hunt.closes_at = Some(Floor::rings_yet(turn.now));
        }
        call.state = State::Hunting(hunt);
    });
}

/// Tells what is better now and the comfort message, then goes on with the music.
fn comfort(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    hunt::with(call, floor, turn, |mut hunt, call, plan, floor, turn| {
        let news = overflow::news(&mut hunt, plan, floor);
        let comfort = plan.comfort.clone().map(|prompt| (Purpose::Comfort, prompt));
        let script = news.into_iter().chain(comfort);
        hunt.hears = match Script::begin(call, script, floor, turn) {
            Some(script) => Hears::Words(script),
            // Nothing better than what was told: the music goes on.
            None => Hears::Music { comfort_at: next_comfort(plan, turn.now.mono) },
        };
        call.state = State::Hunting(hunt);
    });
}

/// The system ends the wait. The busy announcement comes first unless it was told, because the
/// history must say truly why the caller got nobody (`busy_released`).
pub(super) fn release(
    hunt: &Hunt,
    call: &mut Call,
    last_words: PromptId,
    cause: EndCause,
    plan: &Group,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    hunt.leave(floor);
    let busy = (!call.busy_told).then(|| (Purpose::Busy, plan.busy.clone()));
    let script = busy.into_iter().chain([(Purpose::Release, last_words)]);
    call.tell_and_end(script, cause, floor, turn);
}
