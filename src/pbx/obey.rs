//! Persons' commands and feature codes that are about a call or the desk: each to the rule that it concerns.
//! What is about an agent alone is `staff`'s.

use super::agent::AgentIx;
use super::api::{Action, Command, CommandError, MessageOrder, TapeOrder};
use super::desk::Desk;
use super::floor::Turn;
use super::keypad::Wanted;
use super::staff::AgentOrder;
use super::supervise::Wish;
use super::tape::TapeEvent;
use crate::base::{AgentId, CallId, LegId};
use crate::event::{Fact, Means, MessageEvent};

impl Desk {
    pub(super) fn obey(
        &mut self,
        command: Command,
        turn: &mut Turn<'_>,
    ) -> Result<(), CommandError> {
        use AgentOrder as O;
        match command {
            Command::SignIn { agent, by } => self.order(&agent, O::SignIn, by, turn),
            Command::SignOut { agent, by } => self.order(&agent, O::SignOut, by, turn),
            Command::Pause { agent, reason, by } => {
                self.order(&agent, O::Pause { reason }, by, turn)
            }
            Command::WrapUp { agent, longer, by } => {
                self.order(&agent, O::WrapUp { longer }, by, turn)
            }
            Command::Unpause { agent, by } => self.order(&agent, O::Unpause, by, turn),
            Command::Tape { call, order, by } => self.tape(call, order, by, turn),
            Command::Park { call, slot } => {
                let leg = self.leg_of(call).ok_or(CommandError::NoSuchCall)?;
                self.park(leg, slot.as_ref(), false, turn).map(|_| ())
            }
            Command::Fetch { slot, agent } => self.bring(&slot, &agent, turn),
            Command::InCall { call, what, number } => {
                self.obey_in_call(call, Wanted { what, number }, turn)
            }
            Command::Hours { number, order, author, by } => {
                self.order_hours(number, order, author, by, turn)
            }
            Command::Declare { what, author, by } => self.declare(what, author, by, turn),
            Command::NoteWarning { event } => self.note_warning(*event, turn),
            Command::Feed { target, call, event } => {
                turn.record(Fact::Feed { target, call, event: *event });
                Ok(())
            }
            Command::Incident { call, event } => {
                turn.record(Fact::Incident { call, event: *event });
                Ok(())
            }
            Command::Record { event } => {
                turn.record(Fact::Desk { event: *event });
                Ok(())
            }
            Command::Supervise { by, agent, mode, means } => {
                let wish = Wish { by: &by, agent: &agent, mode, means, leg: None };
                self.supervise(&wish, turn).map(|_| ())
            }
            Command::AddThird { call, number, by } => {
                let leg = self.leg_of(call).ok_or(CommandError::NoSuchCall)?;
                self.add_third(leg, &number, by, turn)
            }
            Command::DropThird { call } => {
                let leg = self.leg_of(call).ok_or(CommandError::NoSuchCall)?;
                self.drop_third(leg, turn)
            }
            Command::Message { call, number, order, by } => {
                self.message((call, number), order, by, turn)
            }
            Command::Note { call, agent, text, by } => self.note(call, agent, text, by, turn),
            Command::PutFirst { call, by } => {
                let leg = self.leg_of(call).ok_or(CommandError::NoSuchCall)?;
                let call = self.calls.get_mut(&leg).ok_or(CommandError::NoSuchCall)?;
                super::queue::put_first(call, by, &mut self.floor, turn)
            }
            Command::CancelCallback { call, by } => {
                self.callbacks.cancel(call, by, &mut self.floor, turn)
            }
        }
    }

    fn order(
        &mut self,
        agent: &AgentId,
        order: AgentOrder,
        by: Means,
        turn: &mut Turn<'_>,
    ) -> Result<(), CommandError> {
        let agent = self.floor.agent_ix(agent).ok_or(CommandError::NoSuchAgent)?;
        self.floor.obey(agent, order, by, turn)
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

    /// What an agent's feature code wants of the recording of the call that the agent is in.
    pub(super) fn tape_by_code(
        &mut self,
        agent: AgentIx,
        order: TapeOrder,
        turn: &mut Turn<'_>,
    ) -> Result<(), CommandError> {
        let caller = self.caller_of(agent).and_then(|leg| self.calls.get(&leg));
        let call = caller.map(|call| call.id).ok_or(CommandError::NotTalking)?;
        self.tape(call, order, Means::FeatureCode, turn)
    }
}
