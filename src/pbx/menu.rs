//! The auto attendant (自動応答): greeting, keys, extensions dialled, wrong keys, no key at all.

use super::api::Action;
use super::call::{Call, From, Over, State};
use super::floor::{Floor, Turn};
use super::say::{Script, Told};
use crate::base::{MenuId, Mono, PlayId};
use crate::dialplan::{Dialled, Menu};
use crate::event::{CallEvent, EndCause, Party, Purpose};

/// Menus and entries that one call may enter. Beyond it the call ends as if its tries were used up: a plan
/// whose menus lead into each other must not hold a line for ever.
pub(super) const MENUS_MOST: u32 = 50;

/// A call in a menu.
#[derive(Debug)]
pub(super) struct InMenu {
    menu: MenuId,
    /// How often the greeting may still begin again.
    tries_left: u32,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// The greeting is told (or the wrong-key message and then the greeting).
    Saying(Script),
    /// All is told; a key is awaited.
    Awaiting { until: Mono },
    /// An extension is being dialled; the next digit is awaited.
    Dialling { digits: String, until: Mono },
}

impl InMenu {
    pub(super) fn deadline(&self) -> Mono {
        match &self.phase {
            Phase::Saying(script) => script.until,
            Phase::Awaiting { until } | Phase::Dialling { until, .. } => *until,
        }
    }
}

/// Enters a menu, from a number or from another menu.
pub(super) fn enter(call: &mut Call, id: &MenuId, floor: &mut Floor, turn: &mut Turn<'_>) {
    call.menus += 1;
    let plan = floor.plan.clone();
    let Some(menu) = plan.menus.get(id) else {
        let cause = EndCause::Fault { what: format!("the plan has no menu {id}") };
        return call.end(Party::System, cause, Over::Neither, 500, floor, turn);
    };
    if call.menus > MENUS_MOST {
        return call.end(Party::System, EndCause::MenuDone, Over::Neither, 480, floor, turn);
    }
    call.accept(turn);
    call.record(CallEvent::MenuEntered { menu: id.clone() }, turn);
    let script = [(Purpose::Greeting, menu.greeting.clone())];
    if let Some(script) = Script::begin(call, script, floor, turn) {
        let tries_left = menu.tries.saturating_sub(1);
        let phase = Phase::Saying(script);
        call.state = State::Menu(InMenu { menu: id.clone(), tries_left, phase });
    }
}

/// A key. Taken from the moment the caller is answered, also before the greeting's first packet.
pub(super) fn key(call: &mut Call, key: char, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Menu(at) = &mut call.state else { return };
    let plan = floor.plan.clone();
    let Some(menu) = plan.menus.get(&at.menu) else { return };
    let mut digits = match &mut at.phase {
        Phase::Saying(_) => {
            turn.act(Action::Stop { leg: call.leg });
            String::new()
        }
        Phase::Awaiting { .. } => String::new(),
        Phase::Dialling { digits, .. } => std::mem::take(digits),
    };
    if key == '#' && !digits.is_empty() {
        return dialled(call, menu, &digits, floor, turn);
    }
    digits.push(key);
    match menu.dial.look(&digits) {
        Dialled::More => {
            let until = turn.now.mono + menu.dial.key_timeout;
            at.phase = Phase::Dialling { digits, until };
        }
        Dialled::Number(_) | Dialled::Nothing => dialled(call, menu, &digits, floor, turn),
    }
}

/// No more digits come: an extension, a key, or neither.
fn dialled(call: &mut Call, menu: &Menu, digits: &str, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Menu(at) = &call.state else { return };
    let id = at.menu.clone();
    let mut keys = digits.chars();
    let (only, more) = (keys.next(), keys.next_back());
    let only = only.filter(|_| more.is_none());
    if let Some(number) = menu.dial.exact(digits) {
        let target = floor.plan.dialled(&number);
        call.record(CallEvent::ExtensionDialled { menu: id, number }, turn);
        call.go(&target, From::Menu, floor, turn);
    } else if let Some((key, target)) = only.and_then(|key| menu.keys.get_key_value(&key)) {
        call.record(CallEvent::KeyPressed { menu: id, key: *key }, turn);
        if let Some(skills) = menu.skills.get(key) {
            call.skills.add(skills);
        }
        call.go(target, From::Menu, floor, turn);
    } else {
        let key = digits.chars().next_back().unwrap_or('#');
        call.record(CallEvent::KeyWrong { menu: id, key }, turn);
        again(call, true, floor, turn);
    }
}

/// A play ended; none when its time is up.
pub(super) fn played(
    call: &mut Call,
    play: Option<PlayId>,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    let State::Menu(mut at) = std::mem::replace(&mut call.state, State::New) else { return };
    if let Phase::Saying(script) = &mut at.phase
        && script.played(play, call, floor, turn) == Told::All
    {
        let timeout = floor.plan.menus.get(&at.menu).map(|menu| menu.timeout);
        at.phase = Phase::Awaiting { until: turn.now.mono + timeout.unwrap_or_default() };
    }
    call.state = State::Menu(at);
}

/// The menu's deadline has come.
pub(super) fn due(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Menu(at) = &call.state else { return };
    match &at.phase {
        Phase::Saying(script) if script.until <= turn.now.mono => played(call, None, floor, turn),
        Phase::Awaiting { until } if *until <= turn.now.mono => {
            call.record(CallEvent::MenuTimedOut { menu: at.menu.clone() }, turn);
            again(call, false, floor, turn);
        }
        Phase::Dialling { digits, until } if *until <= turn.now.mono => {
            let (digits, plan) = (digits.clone(), floor.plan.clone());
            if let Some(menu) = plan.menus.get(&at.menu) {
                dialled(call, menu, &digits, floor, turn);
            }
        }
        Phase::Saying(_) | Phase::Awaiting { .. } | Phase::Dialling { .. } => {}
    }
}

/// Says the greeting again while tries last, after a word about the wrong key, or about none.
fn again(call: &mut Call, wrong_key: bool, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Menu(at) = &call.state else { return };
    let plan = floor.plan.clone();
    let Some(menu) = plan.menus.get(&at.menu) else { return };
    let Some(tries_left) = at.tries_left.checked_sub(1) else {
        return call.go(&menu.then, From::Menu, floor, turn);
    };
    let id = at.menu.clone();
    call.record(CallEvent::MenuEntered { menu: id.clone() }, turn);
    let word = if wrong_key { Some(menu.wrong_key.clone()) } else { menu.no_key.clone() };
    let word = word.map(|word| (Purpose::Greeting, word));
    let script = word.into_iter().chain([(Purpose::Greeting, menu.greeting.clone())]);
    if let Some(script) = Script::begin(call, script, floor, turn) {
        call.state = State::Menu(InMenu { menu: id, tries_left, phase: Phase::Saying(script) });
    }
}
