//! Whether a call is recorded: by the plan, by its agent, by whoever watches over the desk. Knows what is
//! to be recorded and since when, and nothing of files.
//!
//! Only what a caller has been told is recorded: without the plan's announcement, or its word that none is
//! needed, no recording begins. Only what the desk's agents say and hear is recorded: a caller who is
//! sent to somebody else is not.

use super::api::{Action, CommandError, TapeOrder};
use super::call::{Call, State};
use super::floor::{Floor, Turn};
use super::say::{Script, Told};
use crate::base::{GroupId, Mono, PlayId, Taped};
use crate::dialplan::{Plan, Recorded, Target};
use crate::event::{Fact, Means, Purpose, RecordingEvent, RecordingStop};

/// One call's recordings.
#[derive(Debug, Default)]
pub(super) struct Tape {
    state: TapeState,
    /// Recordings begun so far.
    begun: u32,
    /// Whose voices the last one holds.
    taped: Taped,
    /// The caller was told that the call is recorded.
    told: bool,
    /// Somebody stopped it: it does not begin by itself again.
    stopped: bool,
}

/// Where it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum TapeState {
    #[default]
    Off,
    Runs,
    /// Until then, when the plan lets it.
    Paused {
        until: Mono,
    },
}

/// What happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TapeEvent {
    /// The caller is with an agent.
    Connected,
    /// The caller is on the way to somebody who is no agent.
    SentAway,
    /// The call is over.
    Ended,
    /// A person's wish.
    Wish(TapeOrder, Means),
    /// A deadline of the call's has come.
    Due,
    /// The recorder could not go on.
    Failed,
}

/// The announcement that the call is recorded, and where the call goes after it.
#[derive(Debug)]
pub(super) struct Announcing {
    pub(super) script: Script,
    then: Target,
}

impl Call {
    /// What the plan wants for this call as it stands.
    fn recorded(&self, plan: &Plan) -> Recorded {
        self.recorded_in(self.group.as_ref(), plan)
    }

    /// What the plan wants for this call in a group: its group's word, or its number's.
    fn recorded_in(&self, group: Option<&GroupId>, plan: &Plan) -> Recorded {
        if self.placed_by.is_some() {
            return Recorded::Off; // a consultation is between colleagues
        }
        let group = group.and_then(|group| plan.groups.get(group)?.recorded);
        let number = self.line.as_ref().and_then(|line| plan.desk_numbers.get(line)?.recorded);
        Recorded::of(group, number)
    }

    /// Whether a recording may begin as far as the caller's knowledge goes.
    fn may_record(&self, plan: &Plan) -> bool {
        self.tape.told || plan.recording.announcement.is_none()
    }

    /// Moves its recording one step.
    ///
    /// # Errors
    ///
    /// For a person's wish only.
    pub(super) fn tape(
        &mut self,
        event: TapeEvent,
        floor: &Floor,
        turn: &mut Turn<'_>,
    ) -> Result<(), CommandError> {
        use {TapeEvent as E, TapeOrder as O, TapeState as S};
        let plan = &floor.plan;
        match (self.tape.state, event) {
            (S::Off, E::Connected) => {
                let wanted = self.recorded(plan) == Recorded::Always && !self.tape.stopped;
                if wanted && self.may_record(plan) {
                    self.begin_tape(Taped::Both, Means::Rule, turn);
                }
            }
            (S::Off, E::Wish(O::Begin, by)) => {
                if !matches!(self.state, State::Talking(_)) {
                    return Err(CommandError::NotTalking);
                }
                if self.recorded(plan) == Recorded::Off || !self.may_record(plan) {
                    return Err(CommandError::NotAllowed);
                }
                self.begin_tape(Taped::Both, by, turn);
            }
            (S::Runs | S::Paused { .. }, E::Wish(O::End, by)) => {
                self.tape.stopped = true;
                self.end_tape(RecordingStop::Person { by }, turn);
            }
            (S::Runs, E::Wish(O::Pause, by)) => {
                self.tape.state = S::Paused { until: turn.now.mono + plan.recording.resume_after };
                self.order_tape(O::Pause, turn);
                let number = self.tape.begun;
                self.record_tape(RecordingEvent::Paused { number, by }, turn);
            }
            (S::Paused { .. }, E::Wish(O::Resume, by)) => self.resume_tape(by, turn),
            (S::Paused { until }, E::Due) => {
                if until <= turn.now.mono {
                    self.resume_tape(Means::Rule, turn);
                }
            }
            (S::Runs | S::Paused { .. }, E::SentAway) => {
                self.end_tape(RecordingStop::SentAway, turn);
            }
            (S::Runs | S::Paused { .. }, E::Ended) => self.end_tape(RecordingStop::Ended, turn),
            (S::Runs | S::Paused { .. }, E::Failed) => {
                self.tape.state = S::Off;
                self.order_tape(O::End, turn);
            }
            // It goes on across a hold, a transfer and a second queue.
            (S::Runs | S::Paused { .. }, E::Connected) => {}
            (S::Off, E::SentAway | E::Ended | E::Due | E::Failed) | (S::Runs, E::Due) => {}
            (S::Off, E::Wish(O::End | O::Pause | O::Resume, _))
            | (S::Runs, E::Wish(O::Begin | O::Resume, _))
            | (S::Paused { .. }, E::Wish(O::Begin | O::Pause, _)) => {
                return Err(CommandError::AlreadySo);
            }
        }
        Ok(())
    }

    /// The same for what is nobody's wish.
    pub(super) fn tape_is(&mut self, event: TapeEvent, floor: &Floor, turn: &mut Turn<'_>) {
        let _ = self.tape(event, floor, turn); // only wishes are refused
    }

    /// The recorder gave up one of the call's recordings.
    pub(super) fn tape_failed(&mut self, number: u32, floor: &Floor, turn: &mut Turn<'_>) {
        if self.tape.begun == number {
            self.tape_is(TapeEvent::Failed, floor, turn);
        }
    }

    /// When a forgotten pause ends.
    pub(super) fn tape_deadline(&self) -> Option<Mono> {
        match self.tape.state {
            TapeState::Paused { until } => Some(until),
            TapeState::Off | TapeState::Runs => None,
        }
    }

    /// Records the caller alone, who leaves a message; the number of the recording. That of the talks before it ends
    /// here: no agent is heard any more.
    pub(super) fn begin_message(&mut self, turn: &mut Turn<'_>) -> u32 {
        if self.tape.state != TapeState::Off {
            self.end_tape(RecordingStop::SentAway, turn);
        }
        self.begin_tape(Taped::Caller, Means::Rule, turn);
        self.tape.begun
    }

    fn begin_tape(&mut self, taped: Taped, by: Means, turn: &mut Turn<'_>) {
        self.tape.state = TapeState::Runs;
        self.tape.taped = taped;
        self.tape.begun = self.tape.begun.saturating_add(1);
        self.order_tape(TapeOrder::Begin, turn);
        self.record_tape(RecordingEvent::Started { number: self.tape.begun, by }, turn);
    }

    fn resume_tape(&mut self, by: Means, turn: &mut Turn<'_>) {
        self.tape.state = TapeState::Runs;
        self.order_tape(TapeOrder::Resume, turn);
        self.record_tape(RecordingEvent::Resumed { number: self.tape.begun, by }, turn);
    }

    fn end_tape(&mut self, why: RecordingStop, turn: &mut Turn<'_>) {
        self.tape.state = TapeState::Off;
        self.order_tape(TapeOrder::End, turn);
        self.record_tape(RecordingEvent::Stopped { number: self.tape.begun, why }, turn);
    }

    fn order_tape(&self, order: TapeOrder, turn: &mut Turn<'_>) {
        let (leg, call, number, taped) = (self.leg, self.id, self.tape.begun, self.tape.taped);
        turn.act(Action::Tape { leg, call, number, order, taped });
    }

    fn record_tape(&self, event: RecordingEvent, turn: &mut Turn<'_>) {
        let t_ms = Some(turn.now.mono.ms_since(self.arrived));
        turn.record(Fact::Recording { call: self.id, t_ms, event });
    }
}

/// Tells a caller who is about to ask for an operator that the call is recorded, if that is due. False
/// when there is nothing to tell.
pub(super) fn announce(
    call: &mut Call,
    group: &GroupId,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) -> bool {
    let plan = floor.plan.clone();
    let Some(prompt) = plan.recording.announcement.clone().filter(|_| !call.tape.told) else {
        return false;
    };
    if call.recorded_in(Some(group), &plan) == Recorded::Off {
        return false;
    }
    call.accept(turn);
    let Some(script) = Script::begin(call, [(Purpose::Recording, prompt)], floor, turn) else {
        return false;
    };
    call.state = State::Announcing(Announcing { script, then: Target::Group(group.clone()) });
    true
}

/// The announcement ended; none: its time is up.
pub(super) fn announced(
    call: &mut Call,
    play: Option<PlayId>,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    let State::Announcing(mut at) = std::mem::replace(&mut call.state, State::New) else { return };
    if play.is_none() && at.script.until > turn.now.mono {
        call.state = State::Announcing(at);
        return;
    }
    if at.script.played(play, call, floor, turn) == Told::NotYet {
        call.state = State::Announcing(at);
        return;
    }
    call.tape.told = true;
    call.go(&at.then, super::call::From::Menu, floor, turn);
}
