//! The desk: takes each input to the call or agent it concerns, then lets those who became free serve
//! those who wait.

use super::agent::AgentMemory;
use super::api::{Action, Command, CommandError, Input};
use super::boxes::Boxes;
use super::call::{Call, Event, Over, State};
use super::callback::{Callbacks, CallbacksMemory};
use super::channels::Trunks;
use super::declared::Declared;
use super::floor::{Floor, Turn};
use super::message;
use super::notes::Notes;
use super::placed::{self, Placed};
use super::talked::Talked;
use super::timers::Timer;
use crate::base::{AgentId, CallId, Channels, LegId, Mono, Now, Number, Rng, TrunkId};
use crate::dialplan::Plan;
use crate::event::{EndCause, Party};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// So often one place in a queue is served in one step. Whenever it is, an agent's phone rings for it or it waits no
/// more, and agents are fewer: a place that comes up again and again is kept by a fault of ours.
const SERVED_MOST: u32 = 1_000;
/// So long such a place is put off, that all others are served meanwhile.
const PUT_OFF: Duration = Duration::from_secs(1);

/// All calls and agents of one plan.
pub struct Desk {
    /// By the caller's leg.
    pub(super) calls: BTreeMap<LegId, Call>,
    /// Calls of our phones that are none of the desk's.
    pub(super) placed: Placed,
    /// Wishes to be called back.
    pub(super) callbacks: Callbacks,
    /// What people declared about the figures.
    pub(super) declared: Declared,
    /// What was written about calls.
    pub(super) notes: Notes,
    /// Phones that are no agent's, and whether they can be dialled.
    pub(super) phones: BTreeMap<Number, bool>,
    pub(super) floor: Floor,
    pub(super) max_calls: usize,
    /// The call whose step is being taken. Found set by an input, it is one whose step panicked.
    pub(super) at_hand: Option<LegId>,
}

impl Desk {
    /// A desk without calls, all agents signed out and unreachable. `max_calls` bounds calls and
    /// feature codes together; one more is refused with 503.
    #[must_use]
    pub fn new(plan: Arc<Plan>, max_calls: usize, rng: Rng) -> Self {
        let floor = Floor::new(plan, rng);
        let (placed, phones) = (Placed::default(), BTreeMap::new());
        let (calls, callbacks) = (BTreeMap::new(), Callbacks::default());
        let (declared, notes) = (Declared::default(), Notes::default());
        let at_hand = None;
        Self { calls, placed, callbacks, declared, notes, phones, floor, max_calls, at_hand }
    }

    /// Whether the desk is to end once its calls have: no caller is let in then, and nobody is called back. Calls that
    /// are up go on, with all that belongs to them: agents ask colleagues, take callers out of slots, pass them on.
    /// Called off, whoever waits to be called back is served at once.
    pub fn drain(&mut self, drains: bool, now: Now, out: &mut Vec<Action>) {
        let turn = &mut Turn { now, out };
        self.mend(turn);
        self.floor.drains = drains;
        self.callbacks.drained(&mut self.floor);
        self.serve(turn);
    }

    /// How many calls each trunk carries at once; before any input. A trunk not named is not bounded.
    pub fn set_channels(&mut self, channels: BTreeMap<TrunkId, Channels>) {
        self.floor.channels = Trunks::new(channels);
    }

    /// Takes over what the history says of the agents; once, before any input. What a restart ended
    /// (a conversation, a time aside) is written at the first tick, which is due at once.
    pub fn restore(&mut self, agents: BTreeMap<AgentId, AgentMemory>) {
        for (id, memory) in agents {
            if let Some(ix) = self.floor.agent_ix(&id) {
                self.floor.remember(ix, memory);
            }
        }
    }

    /// Takes over what was talked outside before a restart; once, before any input.
    pub fn restore_talked(&mut self, talked: Talked) {
        self.floor.ledger.talked = talked;
    }

    /// Takes over the messages that lie in the boxes, and the wishes to be called back; once, before any input.
    pub fn restore_attended(&mut self, boxes: Boxes, wishes: CallbacksMemory, now: Now) {
        self.floor.boxes = boxes;
        self.callbacks.restore(wishes, &mut self.floor, now);
    }

    /// The phones whose lamps show message boxes, each with the messages not heard yet and those heard, when
    /// that may have changed since it was last asked.
    pub fn message_lamps(&mut self) -> Option<BTreeMap<Number, (u32, u32)>> {
        std::mem::take(&mut self.floor.boxes_changed)
            .then(|| self.floor.boxes.lamps(&self.floor.plan))
    }

    /// Takes one input; what must be done is appended to `out`, in order.
    pub fn handle(&mut self, input: Input, now: Now, out: &mut Vec<Action>) {
        let turn = &mut Turn { now, out };
        self.mend(turn);
        let Some(input) = self.guest(input, turn) else { return self.serve(turn) };
        match input {
            Input::Arrived { leg, dialled, caller, origin, hindrance } => {
                self.arrived(leg, &dialled, caller, origin, hindrance, turn);
            }
            Input::Replaced { old, new, by } => self.replaced(old, new, &by, turn),
            Input::Ringing { leg } if self.placed.has(leg) => {
                self.placed(leg, placed::Event::Rings, placed::Event::Rings, turn);
            }
            Input::Ringing { leg } => self.phone(leg, Event::PhoneRings(leg), turn),
            Input::Early { leg } if self.placed.has(leg) => {
                self.placed(leg, placed::Event::Early, placed::Event::Early, turn);
            }
            // An agent's phone that sends early media rings; nobody is put through to it.
            Input::Early { leg } => self.phone(leg, Event::PhoneRings(leg), turn),
            Input::Answered { leg } => {
                if self.placed.has(leg) {
                    self.placed(leg, placed::Event::Answered, placed::Event::Answered, turn);
                } else if self.floor.call_of(leg).is_some() {
                    self.phone(leg, Event::PhoneAnswered(leg), turn);
                } else if self.floor.codes.contains_key(&leg) {
                    self.floor.code_answered(leg, turn);
                } else {
                    // The answer crossed our hanging up.
                    turn.act(Action::HangUp { leg, elsewhere: false });
                }
            }
            Input::Refused { leg, status } if self.placed.has(leg) => {
                let refused = placed::Event::Refused(status);
                self.placed(leg, refused, refused, turn);
            }
            Input::Refused { leg, status } => {
                self.phone(leg, Event::PhoneRefused(leg, status), turn);
            }
            Input::Reason { leg, reason } => {
                let said = |by| Event::Said { by, reason };
                self.leg(leg, said(Party::Caller), said(Party::Agent), turn);
            }
            Input::Gone { leg, lost: _ } if self.placed.has(leg) => {
                self.placed(leg, placed::Event::CallerGone, placed::Event::Gone, turn);
            }
            Input::Failed { leg, what } if self.placed.has(leg) => {
                let (caller, phone) =
                    (placed::Event::CallerFailed(what), placed::Event::Failed(what));
                self.placed(leg, caller, phone, turn);
            }
            Input::NoRoom { leg, what } if self.placed.has(leg) => {
                let failed = placed::Event::Failed(what);
                self.placed(leg, failed, failed, turn);
            }
            Input::NoRoom { leg, what } => self.phone(leg, Event::NoRoom(leg, what), turn),
            Input::Hold { leg, on } if self.placed.has(leg) => {
                let hold = |by| placed::Event::Hold { by, on };
                self.placed(leg, hold(Party::Caller), hold(Party::Agent), turn);
            }
            Input::Gone { leg, lost: _ } => {
                self.leg(leg, Event::CallerGone, Event::PhoneGone(leg), turn);
            }
            Input::Failed { leg, what } => {
                self.leg(leg, Event::CallerFailed(what), Event::PhoneFailed(leg, what), turn);
            }
            Input::Spoke { leg, ms } => {
                let time = Duration::from_millis(u64::from(ms));
                self.call(leg, Event::Spoke(time), turn);
            }
            Input::Erased { call, number } => {
                self.floor.boxes_changed |= self.floor.boxes.remove((call, number));
            }
            Input::Key { leg, key } => {
                if self.calls.contains_key(&leg) {
                    self.call(leg, Event::Key(key), turn);
                } else {
                    self.phone_pressed(leg, key, turn);
                }
            }
            Input::Played { leg, play } => {
                if self.floor.codes.contains_key(&leg) {
                    self.floor.code_played(leg, play, turn);
                } else if self.floor.call_of_phone(leg).is_some() {
                    self.phone_played(leg, play, turn);
                } else {
                    self.call(leg, Event::Played(play), turn);
                }
            }
            Input::Hold { leg, on } => {
                let by = |by| Event::Hold { by, leg, on };
                self.leg(leg, by(Party::Caller), by(Party::Agent), turn);
            }
            Input::Transfer { leg, to } => self.transfer(leg, to, turn),
            Input::Phone { extension, reachable } => match self.floor.agent_at(&extension) {
                Some(agent) => self.floor.phone_changed(agent, reachable, turn),
                None => {
                    self.phones.insert(extension, reachable);
                }
            },
            Input::TapeFailed { call, number } => {
                if let Some(leg) = self.leg_of(call)
                    && let Some(call) = self.calls.get_mut(&leg)
                {
                    self.at_hand = Some(leg);
                    call.tape_failed(number, &self.floor, turn);
                    message::failed(call, number, &mut self.floor, turn);
                    self.stepped(leg);
                }
            }
            Input::Command(command) => {
                // Who wants to know the answer asks by `command`.
                let _ = self.obey(command, turn);
            }
            Input::Tick => {
                while let Some(timer) = self.floor.timers.pop(now.mono) {
                    self.due(timer, turn);
                    self.serve(turn);
                }
            }
        }
        self.serve(turn);
    }

    /// A person's command.
    ///
    /// # Errors
    ///
    /// [`CommandError`] when it cannot be obeyed; nothing has changed then.
    pub fn command(
        &mut self,
        command: Command,
        now: Now,
        out: &mut Vec<Action>,
    ) -> Result<(), CommandError> {
        let turn = &mut Turn { now, out };
        self.mend(turn);
        let answer = self.obey(command, turn);
        self.serve(turn);
        answer
    }

    /// When [`Input::Tick`] is due next; none while nothing waits for time.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        self.floor.timers.next()
    }

    /// Calls that have not ended.
    #[must_use]
    pub fn open_calls(&self) -> usize {
        self.calls.len() + self.placed.len()
    }

    /// The call that a leg belongs to, the caller's or an agent's.
    #[must_use]
    pub fn call_of(&self, leg: LegId) -> Option<CallId> {
        let caller = self.floor.held_for(leg).unwrap_or(leg);
        self.calls.get(&caller).map(|call| call.id).or_else(|| self.placed.call_of(leg))
    }

    /// The call that a leg belongs to, and when that began.
    #[must_use]
    pub fn age_of(&self, leg: LegId) -> Option<(CallId, Mono)> {
        let caller = self.floor.held_for(leg).unwrap_or(leg);
        let call = self.calls.get(&caller).map(|call| (call.id, call.arrived));
        call.or_else(|| self.placed.age_of(leg))
    }

    /// Leaves a call as a panic in the midst of its step would.
    #[cfg(test)]
    pub(super) fn break_step(&mut self, leg: LegId) {
        if self.placed.has(leg) {
            return self.placed.break_step(leg);
        }
        self.at_hand = Some(leg);
        if let Some(call) = self.calls.get_mut(&leg) {
            call.state = State::New;
        }
    }

    /// Something that happened to a leg of a placed call.
    fn placed(
        &mut self,
        leg: LegId,
        caller: placed::Event,
        phone: placed::Event,
        turn: &mut Turn<'_>,
    ) {
        self.placed.leg(leg, caller, phone, &mut self.floor, turn);
    }

    /// Something that can happen to either kind of leg.
    fn leg(&mut self, leg: LegId, caller: Event, phone: Event, turn: &mut Turn<'_>) {
        if self.floor.call_of(leg).is_some() {
            self.phone(leg, phone, turn);
        } else if !self.floor.codes.contains_key(&leg) {
            self.call(leg, caller, turn);
        } else if matches!(caller, Event::CallerGone | Event::CallerFailed(_)) {
            self.floor.code_over(leg, turn);
        }
    }

    /// Something that happened to a phone that we dialled. Of a leg that we have ended, nothing is
    /// of concern any more.
    fn phone(&mut self, leg: LegId, event: Event, turn: &mut Turn<'_>) {
        if let Some(call) = self.floor.call_of(leg) {
            self.call(call, event, turn);
        } else if matches!(event, Event::PhoneRefused(..) | Event::NoRoom(..)) {
            self.floor.code_over(leg, turn);
        }
    }

    fn call(&mut self, leg: LegId, event: Event, turn: &mut Turn<'_>) {
        if self.callbacks.has(leg) {
            self.at_hand = Some(leg);
            self.callbacks.step(leg, event, &mut self.placed, &mut self.floor, turn);
            self.at_hand = None;
            return;
        }
        let Some(call) = self.calls.get_mut(&leg) else { return };
        self.at_hand = Some(leg);
        call.step(event, &mut self.floor, turn);
        self.stepped(leg);
    }

    /// A step was taken to its end: sets the call's deadline, or forgets the call.
    pub(super) fn stepped(&mut self, leg: LegId) {
        if let Some(call) = self.calls.get_mut(&leg) {
            call.arm(&mut self.floor);
            if matches!(call.state, State::Over) {
                self.notes.over(call.id);
                self.calls.remove(&leg);
            }
        }
        self.at_hand = None;
    }

    /// Ends the call whose last step panicked, as a fault of ours. Whoever catches the panic loses
    /// that step's actions; by the next input, whatever it is, nothing of the call is left.
    pub(super) fn mend(&mut self, turn: &mut Turn<'_>) {
        self.placed.mend(&mut self.floor, turn);
        let Some(leg) = self.at_hand.take() else { return };
        self.floor.take_back(leg, turn);
        self.callbacks.mend(leg, &mut self.floor, turn);
        if let Some(mut call) = self.calls.remove(&leg) {
            call.state = State::New;
            let cause = EndCause::Fault { what: "a fault in the rules".to_owned() };
            call.end(Party::System, cause, Over::Neither, 500, &mut self.floor, turn);
            call.arm(&mut self.floor);
            self.notes.over(call.id);
        }
        self.serve(turn);
    }

    /// A deadline has come.
    fn due(&mut self, timer: Timer, turn: &mut Turn<'_>) {
        match timer {
            Timer::Phone(leg) => {
                if let Some(call) = self.floor.phone_due(leg) {
                    self.call(call, Event::RangOut(leg), turn);
                }
            }
            Timer::Call(leg) => {
                if let Some(call) = self.calls.get_mut(&leg) {
                    call.timer = None;
                    self.call(leg, Event::Due, turn);
                }
            }
            Timer::Placed(leg) => self.placed.due(leg, &mut self.floor, turn),
            Timer::Callback(leg) => self.callbacks.due(leg, &mut self.floor, turn),
            Timer::Agent(agent) => self.floor.agent_due(agent, turn),
            Timer::Guest(leg) => self.guest_due(leg, turn),
            Timer::Hold(leg) => self.hold_due(leg, turn),
            Timer::Keypad(leg) => self.keypad_over(leg, turn),
            Timer::Code(leg) => self.floor.code_due(leg, turn),
            Timer::Hours => self.hours_due(turn),
        }
    }

    /// After every step: offers that may not ring are withdrawn; then the calls for which no phone
    /// rings are served, the earliest first whatever its group, each by whom its group's strategy
    /// names, until no fitting agent is free. No call waits for the one before it.
    pub(super) fn serve(&mut self, turn: &mut Turn<'_>) {
        let mut served: BTreeMap<LegId, u32> = BTreeMap::new();
        loop {
            self.callbacks.catch_up(&mut self.floor, turn);
            if let Some(leg) = self.floor.to_withdraw.pop() {
                self.phone(leg, Event::Withdraw(leg), turn);
            } else if let Some(leg) = self.floor.first_to_serve(turn.now.mono) {
                let times = served.entry(leg).or_default();
                *times += 1;
                if *times > SERVED_MOST {
                    self.floor.put_off(leg, turn.now.mono + PUT_OFF);
                } else {
                    self.call(leg, Event::AgentFree, turn);
                }
            } else if let Some(agent) = self.floor.freed.pop_front() {
                // Nobody waits for this agent; but a call may be ringing all phones of a group.
                for leg in self.floor.ringing_all(agent) {
                    if self.floor.agent(agent).is_available() {
                        self.call(leg, Event::AgentFree, turn);
                    }
                }
            } else if let Some(group) = self.floor.thinned.pop_first() {
                // Who counted on one of these phones may have to be told that all are busy.
                for leg in self.floor.patient(group) {
                    self.call(leg, Event::AgentFree, turn);
                }
            } else if !self.settle_tables(turn) {
                self.floor.stirred.clear();
                break;
            }
        }
    }
}
