//! A voice message (伝言): announcement, beep, the caller alone is recorded, thanks. Whether it was a message
//! is judged by how long the caller really spoke, not by how long the line was open.

use super::api::Action;
use super::call::{Call, Over, Place, State};
use super::floor::{Floor, Turn};
use super::queue;
use super::say::{Script, Told};
use super::tape::TapeEvent;
use crate::base::{BoxId, Mono, PlayId, PromptId};
use crate::dialplan::Mailbox;
use crate::event::{CallEvent, EndCause, Party, Purpose};
use std::time::Duration;

/// A call that leaves a message.
#[derive(Debug)]
pub(super) struct Leaving {
    mailbox: BoxId,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// The announcement is told; a key goes straight to the beep.
    Announcing(Script),
    /// The beep.
    Beeping(Script),
    /// The caller speaks.
    Recording { number: u32, since: Mono, spoken: Duration, quiet_at: Mono, until: Mono },
    /// The last words; `left`: there is a message, and the call ends with it.
    Parting { script: Script, left: bool },
}

impl Leaving {
    pub(super) fn deadline(&self) -> Mono {
        match &self.phase {
            Phase::Announcing(script) | Phase::Beeping(script) | Phase::Parting { script, .. } => {
                script.until
            }
            Phase::Recording { quiet_at, until, .. } => (*quiet_at).min(*until),
        }
    }
}

/// Begins to take a message.
pub(super) fn take(call: &mut Call, id: &BoxId, floor: &mut Floor, turn: &mut Turn<'_>) {
    let plan = floor.plan.clone();
    let Some(mailbox) = plan.mailboxes.get(id) else {
        let cause = EndCause::Fault { what: format!("the plan has no message box {id}") };
        return call.end(Party::System, cause, Over::Neither, 500, floor, turn);
    };
    call.accept(turn);
    if floor.boxes.count(id) >= mailbox.most as usize {
        return part(call, id, &mailbox.full, false, floor, turn);
    }
    // A key goes on to the beep, so it is told as what a key may stop.
    let script = [(Purpose::Greeting, mailbox.announcement.clone())];
    if let Some(script) = Script::begin(call, script, floor, turn) {
        let phase = Phase::Announcing(script);
        call.state = State::Leaving(Leaving { mailbox: id.clone(), phase });
    }
}

/// Says the last words.
fn part(
    call: &mut Call,
    id: &BoxId,
    words: &PromptId,
    left: bool,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    let script = [(Purpose::Information, words.clone())];
    if let Some(script) = Script::begin(call, script, floor, turn) {
        let phase = Phase::Parting { script, left };
        call.state = State::Leaving(Leaving { mailbox: id.clone(), phase });
    }
}

/// A key.
pub(super) fn key(call: &mut Call, key: char, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Leaving(at) = &call.state else { return };
    match &at.phase {
        Phase::Announcing(_) => {
            turn.act(Action::Stop { leg: call.leg });
            beep(call, floor, turn);
        }
        Phase::Recording { .. } if key == '#' => finish(call, true, floor, turn),
        Phase::Beeping(_) | Phase::Recording { .. } | Phase::Parting { .. } => {}
    }
}

fn beep(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let script = Script::tone(call, PromptId::from("beep"), floor, turn);
    if let State::Leaving(at) = &mut call.state {
        at.phase = Phase::Beeping(script);
    }
}

/// A play ended; none when its time is up.
pub(super) fn played(
    call: &mut Call,
    play: Option<PlayId>,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    let State::Leaving(mut at) = std::mem::replace(&mut call.state, State::New) else { return };
    let told = match &mut at.phase {
        Phase::Announcing(script) | Phase::Beeping(script) | Phase::Parting { script, .. } => {
            script.played(play, call, floor, turn) == Told::All
        }
        Phase::Recording { .. } => false,
    };
    let next = match &at.phase {
        Phase::Announcing(_) => beep,
        Phase::Beeping(_) => record,
        Phase::Parting { left: true, .. } => released,
        Phase::Parting { left: false, .. } => no_message,
        Phase::Recording { .. } => {
            call.state = State::Leaving(at);
            return;
        }
    };
    call.state = State::Leaving(at);
    if told {
        next(call, floor, turn);
    }
}

fn released(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    call.end(Party::System, EndCause::MenuDone, Over::Neither, 0, floor, turn);
}

/// Nothing came of it: who waited in a queue has its place again, anybody else is released.
fn no_message(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    match call.place.clone() {
        Some(Place { group, .. }) => queue::ask_again(call, &group, floor, turn),
        None => released(call, floor, turn),
    }
}

/// From here on the caller is recorded.
fn record(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let plan = floor.plan.clone();
    let State::Leaving(at) = &call.state else { return };
    let id = at.mailbox.clone();
    let Some(mailbox) = plan.mailboxes.get(&id) else { return };
    let number = call.begin_message(turn);
    call.record(CallEvent::MessageBegan { mailbox: id, number }, turn);
    if let State::Leaving(at) = &mut call.state {
        let since = turn.now.mono;
        let (quiet_at, until) = (since + mailbox.silence, since + mailbox.longest);
        at.phase = Phase::Recording { number, since, spoken: Duration::ZERO, quiet_at, until };
    }
}

/// The caller was heard to speak for so long.
pub(super) fn spoke(call: &mut Call, time: Duration, floor: &Floor, turn: &Turn<'_>) {
    let State::Leaving(at) = &mut call.state else { return };
    let Some(mailbox) = floor.plan.mailboxes.get(&at.mailbox) else { return };
    if let Phase::Recording { spoken, quiet_at, .. } = &mut at.phase {
        *spoken = spoken.saturating_add(time);
        *quiet_at = turn.now.mono + mailbox.silence;
    }
}

/// The deadline has come.
pub(super) fn due(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Leaving(at) = &call.state else { return };
    if at.deadline() > turn.now.mono {
        return;
    }
    match &at.phase {
        Phase::Recording { .. } => finish(call, true, floor, turn),
        Phase::Announcing(_) | Phase::Beeping(_) | Phase::Parting { .. } => {
            played(call, None, floor, turn);
        }
    }
}

/// The caller has hung up: what was said until then is the message.
pub(super) fn caller_gone(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    finish(call, false, floor, turn);
    call.end(Party::Caller, EndCause::HungUp, Over::Caller, 0, floor, turn);
}

/// The recorder could not go on with it.
pub(super) fn failed(call: &mut Call, number: u32, floor: &mut Floor, turn: &mut Turn<'_>) {
    let plan = floor.plan.clone();
    let State::Leaving(Leaving { mailbox: id, phase }) = &call.state else { return };
    let Phase::Recording { number: at, .. } = phase else { return };
    if *at != number {
        return;
    }
    let id = id.clone();
    call.record(CallEvent::MessageDropped { mailbox: id.clone(), number }, turn);
    if let Some(mailbox) = plan.mailboxes.get(&id) {
        part(call, &id, &mailbox.full, false, floor, turn);
    }
}

/// The message is over; the caller is told what came of it while `there`.
fn finish(call: &mut Call, there: bool, floor: &mut Floor, turn: &mut Turn<'_>) {
    let plan = floor.plan.clone();
    let State::Leaving(at) = &call.state else { return };
    let Phase::Recording { number, since, spoken, .. } = at.phase else { return };
    let id = at.mailbox.clone();
    let Some(mailbox) = plan.mailboxes.get(&id) else { return };
    call.tape_is(TapeEvent::Ended, floor, turn);
    let left = spoken >= mailbox.shortest;
    if left {
        let (mailbox, length_ms) = (id.clone(), turn.now.mono.ms_since(since));
        floor.boxes.put(&id, (call.id, number));
        floor.boxes_changed = true;
        call.record(CallEvent::MessageLeft { mailbox, number, length_ms }, turn);
    } else {
        call.record(CallEvent::MessageDropped { mailbox: id.clone(), number }, turn);
        turn.act(Action::Erase { call: call.id, number });
    }
    if there {
        part(call, &id, words(mailbox, left), left, floor, turn);
    } else if let State::Leaving(at) = &mut call.state {
        // Nothing of it is to be ended again.
        let script = Script::silence(floor, turn);
        at.phase = Phase::Parting { script, left };
    }
}

const fn words(mailbox: &Mailbox, left: bool) -> &PromptId {
    if left { &mailbox.thanks } else { &mailbox.too_short }
}
