//! A caller who wants to be called back (折り返し): which number, and the last words. What becomes of the wish
//! is `callback`'s business.

use super::api::Action;
use super::call::{Call, Over, Place, State};
use super::callback::Wish;
use super::floor::{Floor, Turn};
use super::queue;
use super::say::{Script, Told};
use crate::base::{CallbackId, Mono, PlayId, Private, PromptId};
use crate::dialplan::Callback;
use crate::event::{CallEvent, EndCause, Party, Purpose};

/// Digits of a number that is entered, at most (ITU-T E.164 §6.2.1, and a prefix).
const MOST_DIGITS: usize = 20;

/// A call that asks to be called back.
#[derive(Debug)]
pub(super) struct Asking {
    callback: CallbackId,
    digits: String,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// The choice is told: 1 this number, 2 another.
    Offering(Script),
    /// 1 or 2 is awaited.
    Choosing { until: Mono },
    /// Another number is asked for.
    Entering(Script),
    /// A digit is awaited.
    Collecting { until: Mono },
    /// The last words; `kept`: the wish is, and the call ends with it.
    Parting { script: Script, kept: bool },
}

impl Asking {
    pub(super) fn deadline(&self) -> Mono {
        match &self.phase {
            Phase::Offering(script) | Phase::Entering(script) | Phase::Parting { script, .. } => {
                script.until
            }
            Phase::Choosing { until } | Phase::Collecting { until } => *until,
        }
    }
}

/// The caller asks for it, in a menu or while waiting.
pub(super) fn begin(call: &mut Call, id: &CallbackId, floor: &mut Floor, turn: &mut Turn<'_>) {
    let plan = floor.plan.clone();
    let Some(callback) = plan.callbacks.get(id) else {
        let cause = EndCause::Fault { what: format!("the plan has no call back {id}") };
        return call.end(Party::System, cause, Over::Neither, 500, floor, turn);
    };
    call.accept(turn);
    let known = own_number(call, callback, floor).is_some();
    let full = floor.wishes.get(id).is_some_and(|count| *count >= callback.most);
    match (known, callback.other_number) {
        (_, _) if full => part(call, id, &callback.refused, false, floor, turn),
        (true, false) => keep_own(call, id, callback, floor, turn),
        (true, true) => ask(call, id, &callback.offer, Phase::Offering, floor, turn),
        (false, true) => ask(call, id, &callback.enter, Phase::Entering, floor, turn),
        (false, false) => part(call, id, &callback.refused, false, floor, turn),
    }
}

/// The number that the call came from, where it can be called back.
fn own_number(call: &Call, callback: &Callback, floor: &Floor) -> Option<(Private<String>, bool)> {
    let (number, inside) = call.known_number.clone()?;
    floor.can_call_back(number.reveal(), inside, &callback.group).then_some((number, inside))
}

fn ask(
    call: &mut Call,
    id: &CallbackId,
    prompt: &PromptId,
    phase: fn(Script) -> Phase,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    let script = [(Purpose::Greeting, prompt.clone())];
    if let Some(script) = Script::begin(call, script, floor, turn) {
        let (callback, digits, phase) = (id.clone(), String::new(), phase(script));
        call.state = State::Asking(Asking { callback, digits, phase });
    }
}

fn part(
    call: &mut Call,
    id: &CallbackId,
    words: &PromptId,
    kept: bool,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    let script = [(Purpose::Information, words.clone())];
    if let Some(script) = Script::begin(call, script, floor, turn) {
        let phase = Phase::Parting { script, kept };
        let (callback, digits) = (id.clone(), String::new());
        call.state = State::Asking(Asking { callback, digits, phase });
    }
}

/// A key.
pub(super) fn key(call: &mut Call, key: char, floor: &mut Floor, turn: &mut Turn<'_>) {
    let plan = floor.plan.clone();
    let leg = call.leg;
    let State::Asking(at) = &mut call.state else { return };
    let id = at.callback.clone();
    let Some(callback) = plan.callbacks.get(&id) else { return };
    match (&at.phase, key) {
        (Phase::Offering(_) | Phase::Choosing { .. }, '1') => {
            keep_own(call, &id, callback, floor, turn);
        }
        (Phase::Offering(_) | Phase::Choosing { .. }, '2') => {
            ask(call, &id, &callback.enter, Phase::Entering, floor, turn);
        }
        (Phase::Entering(_) | Phase::Collecting { .. }, '0'..='9') => {
            if matches!(at.phase, Phase::Entering(_)) {
                turn.act(Action::Stop { leg });
            }
            at.digits.push(key);
            at.phase = Phase::Collecting { until: turn.now.mono + callback.key_timeout };
            if at.digits.len() >= MOST_DIGITS {
                entered(call, floor, turn);
            }
        }
        (Phase::Entering(_) | Phase::Collecting { .. }, '#') => entered(call, floor, turn),
        // Begins anew.
        (Phase::Entering(_) | Phase::Collecting { .. }, _) => {
            if matches!(at.phase, Phase::Entering(_)) {
                turn.act(Action::Stop { leg });
            }
            at.digits.clear();
            at.phase = Phase::Collecting { until: turn.now.mono + callback.timeout };
        }
        (Phase::Offering(_), _) => {
            turn.act(Action::Stop { leg });
            at.phase = Phase::Choosing { until: turn.now.mono + callback.timeout };
        }
        (Phase::Choosing { .. } | Phase::Parting { .. }, _) => {}
    }
}

/// A play ended; none when its time is up.
pub(super) fn played(
    call: &mut Call,
    play: Option<PlayId>,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    let State::Asking(mut at) = std::mem::replace(&mut call.state, State::New) else { return };
    let timeout = floor.plan.callbacks.get(&at.callback).map(|callback| callback.timeout);
    let until = turn.now.mono + timeout.unwrap_or_default();
    let told = match &mut at.phase {
        Phase::Offering(script) | Phase::Entering(script) | Phase::Parting { script, .. } => {
            script.played(play, call, floor, turn) == Told::All
        }
        Phase::Choosing { .. } | Phase::Collecting { .. } => false,
    };
    let mut over = None;
    match &at.phase {
        Phase::Offering(_) if told => at.phase = Phase::Choosing { until },
        Phase::Entering(_) if told => at.phase = Phase::Collecting { until },
        Phase::Parting { kept, .. } if told => over = Some(*kept),
        Phase::Offering(_)
        | Phase::Entering(_)
        | Phase::Parting { .. }
        | Phase::Choosing { .. }
        | Phase::Collecting { .. } => {}
    }
    call.state = State::Asking(at);
    match (over, call.place.clone()) {
        (None, _) => {}
        // Nothing came of it: who waited in a queue has its place again.
        (Some(false), Some(Place { group, .. })) => queue::ask_again(call, &group, floor, turn),
        (Some(_), _) => call.end(Party::System, EndCause::MenuDone, Over::Neither, 0, floor, turn),
    }
}

/// The deadline has come.
pub(super) fn due(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let plan = floor.plan.clone();
    let State::Asking(at) = &call.state else { return };
    if at.deadline() > turn.now.mono {
        return;
    }
    let id = at.callback.clone();
    match &at.phase {
        Phase::Offering(_) | Phase::Entering(_) | Phase::Parting { .. } => {
            played(call, None, floor, turn);
        }
        Phase::Choosing { .. } => {
            if let Some(callback) = plan.callbacks.get(&id) {
                part(call, &id, &callback.refused, false, floor, turn);
            }
        }
        Phase::Collecting { .. } => entered(call, floor, turn),
    }
}

/// No more digits come.
fn entered(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let plan = floor.plan.clone();
    let State::Asking(at) = &mut call.state else { return };
    let (id, digits) = (at.callback.clone(), std::mem::take(&mut at.digits));
    let Some(callback) = plan.callbacks.get(&id) else { return };
    // From outside nobody may have a phone of ours rung by its number.
    if floor.can_call_back(&digits, false, &callback.group) {
        keep(call, &id, callback, (Private::new(digits), false), true, floor, turn);
    } else {
        part(call, &id, &callback.refused, false, floor, turn);
    }
}

fn keep_own(
    call: &mut Call,
    id: &CallbackId,
    callback: &Callback,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    match own_number(call, callback, floor) {
        Some(number) => keep(call, id, callback, number, false, floor, turn),
        None => part(call, id, &callback.refused, false, floor, turn),
    }
}

/// The wish is kept, in the place that the caller had, or behind all that wait.
fn keep(
    call: &mut Call,
    id: &CallbackId,
    callback: &Callback,
    (number, inside): (Private<String>, bool),
    entered: bool,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    let order = match call.place.take() {
        Some(place) if place.group == callback.group => place.order,
        Some(_) | None => floor.draw_order(call.priority),
    };
    let group = callback.group.clone();
    let asked = CallEvent::CallbackAsked {
        callback: id.clone(),
        group,
        number: number.clone(),
        entered,
        inside,
    };
    call.record(asked, turn);
    call.wished = true;
    floor.new_wishes.push(Wish {
        call: call.id,
        callback: id.clone(),
        number,
        inside,
        rules: callback.clone(),
        skills: call.skills.clone(),
        order,
        lapses_at: turn.now.mono + callback.within,
    });
    part(call, id, &callback.done, true, floor, turn);
}
