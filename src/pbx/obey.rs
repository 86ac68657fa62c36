//! Persons' commands and feature codes that are about a call or the desk: each to the rule that it concerns.
//! What is about an agent alone is `staff`'s.

use super::agent::AgentIx;
use super::api::{Action, Command, CommandError, MessageOrder, TapeOrder};
use super::desk::Desk;
use super::floor::Turn;
use super::keypad::Wanted;
use super::supervise::Wish;
use super::tape::TapeEvent;
use crate::base::{CallId, LegId, PromptId};
use crate::dialplan::FeatureCode;
use crate::event::{Fact, Means, MessageEvent};

impl Desk {
    pub(super) fn obey(
        &mut self,
        command: Command,
        turn: &mut Turn<'_>,
    ) -> Result<(), CommandError> {
        let agent = match &command {
            Command::SignIn { agent, .. }
            | Command::SignOut { agent, .. }
            | Command::Pause { agent, .. }
            | Command::WrapUp { agent, .. }
            | Command::Unpause { agent, .. } => agent,
            Command::Tape { call, order, by } => return self.tape(*call, *order, *by, turn),
            Command::Park { .. } | Command::Fetch { .. } => return self.obey_slot(&command, turn),
            Command::InCall { call, what, number } => {
                let (what, number) = (*what, number.clone());
                return self.obey_in_call(*call, Wanted { what, number }, turn);
            }
            Command::Hours { .. } => return self.obey_hours(command, turn),
            Command::Supervise { by, agent, mode, means } => {
                let (mode, means) = (*mode, *means);
                let wish = Wish { by, agent, mode, means, leg: None };
                return self.supervise(&wish, turn).map(|_| ());
            }
            Command::AddThird { call, number, by } => {
                let leg = self.leg_of(*call).ok_or(CommandError::NoSuchCall)?;
                return self.add_third(leg, number, *by, turn);
            }
            Command::DropThird { call } => {
                let leg = self.leg_of(*call).ok_or(CommandError::NoSuchCall)?;
                return self.drop_third(leg, turn);
            }
            Command::Message { call, number, order, by } => {
                return self.message((*call, *number), *order, *by, turn);
            }
            Command::CancelCallback { call, by } => {
                return self.callbacks.cancel(*call, *by, &mut self.floor, turn);
            }
        };
        let agent = self.floor.agent_ix(agent).ok_or(CommandError::NoSuchAgent)?;
        self.floor.obey(agent, command, turn)
    }

    fn obey_hours(&mut self, command: Command, turn: &mut Turn<'_>) -> Result<(), CommandError> {
        let Command::Hours { number, order, author, by } = command else {
            return Err(CommandError::NoSuchNumber);
        };
        self.order_hours(number, order, author, by, turn)
    }

    /// The leg of a call's caller.
    pub(super) fn leg_of(&self, call: CallId) -> Option<LegId> {
        self.calls.iter().find(|(_, held)| held.id == call).map(|(leg, _)| *leg)
    }

    /// A person's wish about a message.
    fn message(
        &mut self,
        (call, number): (CallId, u32),
        order: MessageOrder,
        by: Means,
        turn: &mut Turn<'_>,
    ) -> Result<(), CommandError> {
        let boxes = &mut self.floor.boxes;
        let heard = boxes.heard((call, number)).ok_or(CommandError::NoSuchMessage)?;
        let event = match (order, heard) {
            (MessageOrder::Heard, true) | (MessageOrder::Unheard, false) => {
                return Err(CommandError::AlreadySo);
            }
            (MessageOrder::Heard, false) => {
                boxes.mark((call, number), true);
                MessageEvent::Heard { by }
            }
            (MessageOrder::Unheard, true) => {
                boxes.mark((call, number), false);
                MessageEvent::Unheard { by }
            }
            (MessageOrder::Delete, _) => {
                boxes.remove((call, number));
                turn.act(Action::Erase { call, number });
                MessageEvent::Deleted { by }
            }
        };
        self.floor.boxes_changed = true;
        turn.record(Fact::Message { call, number, event });
        Ok(())
    }

    /// A person's wish about a call's recording.
    fn tape(
        &mut self,
        call: CallId,
        order: TapeOrder,
        by: Means,
        turn: &mut Turn<'_>,
    ) -> Result<(), CommandError> {
        let leg = self.leg_of(call).ok_or(CommandError::NoSuchCall)?;
        let call = self.calls.get_mut(&leg).ok_or(CommandError::NoSuchCall)?;
        self.at_hand = Some(leg);
        let obeyed = call.tape(TapeEvent::Wish(order, by), &self.floor, turn);
        self.stepped(leg);
        obeyed
    }

    /// What an agent's feature code wants of the call that the agent is in or of the desk's hours, and what is
    /// said when it has it, if not the usual; none when it wants something else.
    pub(super) fn call_by_code(
        &mut self,
        agent: AgentIx,
        code: FeatureCode,
        turn: &mut Turn<'_>,
    ) -> Option<Result<Option<PromptId>, CommandError>> {
        let order = match code {
            FeatureCode::RecordStart => TapeOrder::Begin,
            FeatureCode::RecordStop => TapeOrder::End,
            FeatureCode::RecordPause => TapeOrder::Pause,
            FeatureCode::RecordResume => TapeOrder::Resume,
            FeatureCode::Park => {
                let caller = self.caller_of(agent).ok_or(CommandError::NotTalking);
                let parked = caller.and_then(|caller| self.park(caller, None, true, turn));
                return Some(parked.map(|(lot, slot)| lot.slots.get(&slot).cloned()));
            }
            FeatureCode::CloseDesk
            | FeatureCode::CloseForDisaster
            | FeatureCode::OpenDesk
            | FeatureCode::UsualHours => {
                return Some(self.hours_by_code(agent, code, turn).map(|()| None));
            }
            FeatureCode::SignIn
            | FeatureCode::SignOut
            | FeatureCode::Pause
            | FeatureCode::PauseFor(_)
            | FeatureCode::WrapUpLonger
            | FeatureCode::WrapUpEnd
            | FeatureCode::Unpause
            | FeatureCode::Pickup
            | FeatureCode::Listen
            | FeatureCode::Whisper
            | FeatureCode::Barge
            | FeatureCode::Add => return None,
        };
        let caller = self.caller_of(agent).and_then(|leg| self.calls.get(&leg));
        let call = caller.map(|call| call.id);
        let wish = |call| self.tape(call, order, Means::FeatureCode, turn);
        Some(call.map_or(Err(CommandError::NotTalking), wish).map(|()| None))
    }
}
