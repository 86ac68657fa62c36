//! A number that a caller enters (番号入力): asked for, collected key by key, read back and confirmed.
//!
//! The digits tell who somebody is. The history has them once, when they are confirmed; what reads them back
//! is not recorded.

use super::api::Action;
use super::call::{Call, From, Over, State};
use super::floor::{Floor, Turn};
use super::menu::MENUS_MOST;
use super::say::{Script, Told};
use crate::base::{EntryId, Mono, PlayId, Private, PromptId};
use crate::dialplan::Entry;
use crate::event::{CallEvent, EndCause, Party, Purpose};

/// A call that is asked for a number.
#[derive(Debug)]
pub(super) struct Entering {
    entry: EntryId,
    /// How often it may still be asked again.
    tries_left: u32,
    /// So far.
    digits: String,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// The prompt is told.
    Asking(Script),
    /// A digit is awaited.
    Collecting { until: Mono },
    /// The digits are read back.
    Reading(Script),
    /// 1 or 2 is awaited.
    Deciding { until: Mono },
}

impl Entering {
    pub(super) fn deadline(&self) -> Mono {
        match &self.phase {
            Phase::Asking(script) | Phase::Reading(script) => script.until,
            Phase::Collecting { until } | Phase::Deciding { until } => *until,
        }
    }
}

/// What follows a key or the end of the time.
enum Next {
    /// More digits may come.
    Wait,
    /// The digits are whole.
    Whole,
    /// The caller says that they are right.
    Confirmed,
    /// They are not, or there are none.
    Refused,
}

/// Asks for a number.
pub(super) fn enter(call: &mut Call, id: &EntryId, floor: &mut Floor, turn: &mut Turn<'_>) {
    call.menus += 1;
    let plan = floor.plan.clone();
    let Some(entry) = plan.entries.get(id) else {
        let cause = EndCause::Fault { what: format!("the plan has no entry {id}") };
        return call.end(Party::System, cause, Over::Neither, 500, floor, turn);
    };
    if call.menus > MENUS_MOST {
        return call.end(Party::System, EndCause::MenuDone, Over::Neither, 480, floor, turn);
    }
    call.accept(turn);
    ask(call, id, entry, entry.tries.saturating_sub(1), false, floor, turn);
}

fn ask(
    call: &mut Call,
    id: &EntryId,
    entry: &Entry,
    tries_left: u32,
    wrong: bool,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    call.record(CallEvent::EntryBegan { entry: id.clone() }, turn);
    let wrong = wrong.then(|| (Purpose::Greeting, entry.wrong.clone()));
    let script = wrong.into_iter().chain([(Purpose::Greeting, entry.prompt.clone())]);
    if let Some(script) = Script::begin(call, script, floor, turn) {
        let (digits, phase) = (String::new(), Phase::Asking(script));
        call.state = State::Entering(Entering { entry: id.clone(), tries_left, digits, phase });
    }
}

/// A key.
pub(super) fn key(call: &mut Call, key: char, floor: &mut Floor, turn: &mut Turn<'_>) {
    let plan = floor.plan.clone();
    let State::Entering(at) = &mut call.state else { return };
    let Some(entry) = plan.entries.get(&at.entry) else { return };
    if matches!(at.phase, Phase::Asking(_)) {
        turn.act(Action::Stop { leg: call.leg });
    }
    let most = entry.digits.1 as usize;
    let next = match (&at.phase, key) {
        (Phase::Asking(_) | Phase::Collecting { .. }, '0'..='9') => {
            at.digits.push(key);
            let until = turn.now.mono + entry.key_timeout;
            at.phase = Phase::Collecting { until };
            if at.digits.len() >= most { Next::Whole } else { Next::Wait }
        }
        (Phase::Asking(_) | Phase::Collecting { .. }, '#') => Next::Whole,
        // Begins anew.
        (Phase::Asking(_) | Phase::Collecting { .. }, _) => {
            at.digits.clear();
            at.phase = Phase::Collecting { until: turn.now.mono + entry.timeout };
            Next::Wait
        }
        (Phase::Reading(_) | Phase::Deciding { .. }, '1') => Next::Confirmed,
        (Phase::Reading(_) | Phase::Deciding { .. }, '2') => Next::Refused,
        // A key too many, as the `#` behind a number that was whole by its length: it has silenced what was read
        // back, which the caller hears from its beginning.
        (Phase::Reading(_), _) => Next::Whole,
        // It was heard to its end.
        (Phase::Deciding { .. }, _) => Next::Wait,
    };
    follow(call, &next, entry, floor, turn);
}

/// A play ended; none when its time is up.
pub(super) fn played(
    call: &mut Call,
    play: Option<PlayId>,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    let State::Entering(mut at) = std::mem::replace(&mut call.state, State::New) else { return };
    let timeout = floor.plan.entries.get(&at.entry).map(|entry| entry.timeout);
    let until = turn.now.mono + timeout.unwrap_or_default();
    match &mut at.phase {
        Phase::Asking(script) => {
            if script.played(play, call, floor, turn) == Told::All {
                at.phase = Phase::Collecting { until };
            }
        }
        Phase::Reading(script) => {
            if script.played(play, call, floor, turn) == Told::All {
                at.phase = Phase::Deciding { until };
            }
        }
        Phase::Collecting { .. } | Phase::Deciding { .. } => {}
    }
    call.state = State::Entering(at);
}

/// The deadline has come.
pub(super) fn due(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let plan = floor.plan.clone();
    let State::Entering(at) = &call.state else { return };
    if at.deadline() > turn.now.mono {
        return;
    }
    let Some(entry) = plan.entries.get(&at.entry) else { return };
    match &at.phase {
        Phase::Asking(_) | Phase::Reading(_) => played(call, None, floor, turn),
        Phase::Collecting { .. } => follow(call, &Next::Whole, entry, floor, turn),
        Phase::Deciding { .. } => follow(call, &Next::Refused, entry, floor, turn),
    }
}

fn follow(call: &mut Call, next: &Next, entry: &Entry, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Entering(at) = &mut call.state else { return };
    let enough = at.digits.len() >= entry.digits.0 as usize;
    match next {
        Next::Wait => {}
        Next::Whole if enough && entry.confirm => {
            let spoken = at.digits.chars().map(|digit| PromptId::from(format!("digit-{digit}")));
            let heard = std::iter::once(PromptId::from("number-heard"));
            let prompts = heard.chain(spoken).chain(["number-confirm".into()]).collect();
            let script = Script::unrecorded(call, prompts, floor, turn);
            if let State::Entering(at) = &mut call.state {
                at.phase = Phase::Reading(script);
            }
        }
        Next::Whole | Next::Confirmed if enough => {
            let (id, digits) = (at.entry.clone(), Private::new(std::mem::take(&mut at.digits)));
            call.record(CallEvent::NumberEntered { entry: id, digits }, turn);
            call.go(&entry.then, From::Menu, floor, turn);
        }
        Next::Whole | Next::Confirmed | Next::Refused => {
            let (id, tries_left) = (at.entry.clone(), at.tries_left);
            let wrong = matches!(next, Next::Whole);
            call.record(CallEvent::NumberRefused { entry: id.clone() }, turn);
            match tries_left.checked_sub(1) {
                Some(left) => ask(call, &id, entry, left, wrong, floor, turn),
                None => call.go(&entry.otherwise, From::Menu, floor, turn),
            }
        }
    }
}
