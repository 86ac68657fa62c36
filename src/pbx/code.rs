//! Legs between us and one phone that are no calls: feature codes, which change the agent's own state or
//! its call, and words about slots. They have no id and leave no trace but the agent's own.

use super::agent::AgentIx;
use super::api::{Action, CommandError, TapeOrder};
use super::desk::Desk;
use super::floor::{Floor, Turn};
use super::park::Slot;
use super::say::PLAY_LONGEST;
use super::staff::AgentOrder;
use super::supervise::Wish;
use super::timers::Timer;
use crate::base::{AdHoc, AgentId, LegId, Mono, Number, PlayId, PromptId};
use crate::dialplan::{FeatureCode, Lot};
use crate::event::{Means, Supervision};
use std::sync::Arc;
use std::time::Duration;

/// The reason written for a pause by feature code, which can carry none.
const PAUSE_REASON: &str = "feature_code";

/// Such a leg.
#[derive(Debug)]
pub(super) struct CodeLeg {
    /// Whose phone; none: no agent's.
    pub(super) agent: Option<AgentIx>,
    pub(super) play: PlayId,
    pub(super) timer: Option<Mono>,
    pub(super) errand: Errand,
}

/// What it is for.
#[derive(Debug)]
pub(super) enum Errand {
    /// Hears one word and is let go.
    Word,
    /// Dialled a lot or an empty slot, which is kept for the caller that it may pass there.
    Keeps {
        lot: Arc<Lot>,
        slot: Number,
        /// Stays on after the word, with music.
        on: bool,
    },
    /// Parked a caller and hears where; rung to be told when it lets go before.
    TellsSlot { lot: Arc<Lot>, slot: Number, caller: LegId },
    /// Rings to be told.
    RingsToTell { said: PromptId },
}

/// What a feature code asks for.
enum Asked {
    /// It was about a call or the desk, and this came of it: a word of its own, or the usual one.
    Done(Result<Option<PromptId>, CommandError>),
    /// It is about the agent alone.
    Order(AgentOrder),
    /// Nothing more is said on the leg, which is one of a call's from now on.
    Taken,
}

impl Desk {
    /// An agent dialled a feature code, with `behind` behind it. By some the leg becomes one of a call's; of
    /// all others the agent hears whether they were obeyed.
    pub(super) fn code(
        &mut self,
        leg: LegId,
        agent: AgentIx,
        code: FeatureCode,
        behind: Option<&Number>,
        turn: &mut Turn<'_>,
    ) {
        use Asked::{Done, Order, Taken};
        use FeatureCode as F;
        let usual = |obeyed: Result<(), CommandError>| Done(obeyed.map(|()| None));
        let asked = match code {
            F::Pickup => {
                let picked_up = self.pick_up_by_code(leg, agent, behind, turn);
                if picked_up { Taken } else { Done(Err(CommandError::NoSuchCall)) }
            }
            F::Listen => self.listen(leg, agent, Supervision::Listen, behind, turn),
            F::Whisper => self.listen(leg, agent, Supervision::Whisper, behind, turn),
            F::Barge => self.listen(leg, agent, Supervision::Barge, behind, turn),
            F::Add => usual(match (self.caller_of(agent), behind) {
                (Some(call), Some(number)) => {
                    self.add_third(call, number, Means::FeatureCode, turn)
                }
                _ => Err(CommandError::NotTalking),
            }),
            F::RecordStart => usual(self.tape_by_code(agent, TapeOrder::Begin, turn)),
            F::RecordStop => usual(self.tape_by_code(agent, TapeOrder::End, turn)),
            F::RecordPause => usual(self.tape_by_code(agent, TapeOrder::Pause, turn)),
            F::RecordResume => usual(self.tape_by_code(agent, TapeOrder::Resume, turn)),
            F::Park => {
                let caller = self.caller_of(agent).ok_or(CommandError::NotTalking);
                let parked = caller.and_then(|caller| self.park(caller, None, true, turn));
                Done(parked.map(|(lot, slot)| lot.slots.get(&slot).cloned()))
            }
            F::CloseDesk => usual(self.hours_by_code(agent, Some(AdHoc::Closed), behind, turn)),
            F::CloseForDisaster => {
                usual(self.hours_by_code(agent, Some(AdHoc::Disaster), behind, turn))
            }
            F::OpenDesk => usual(self.hours_by_code(agent, Some(AdHoc::Open), behind, turn)),
            F::UsualHours => usual(self.hours_by_code(agent, None, behind, turn)),
            F::SignIn => Order(AgentOrder::SignIn),
            F::SignOut => Order(AgentOrder::SignOut),
            F::Pause => Order(AgentOrder::Pause { reason: PAUSE_REASON.to_owned() }),
            F::PauseFor(reason) => {
                let reasons = &self.floor.plan.pausing.reasons;
                let reason = reasons.get(usize::from(reason)).cloned().unwrap_or_default();
                Order(AgentOrder::Pause { reason })
            }
            F::Unpause => Order(AgentOrder::Unpause),
            F::WrapUpLonger => Order(AgentOrder::WrapUp { longer: true }),
            F::WrapUpEnd => Order(AgentOrder::WrapUp { longer: false }),
        };
        self.floor.code_dialled(leg, agent, asked, turn);
    }

    fn listen(
        &mut self,
        leg: LegId,
        by: AgentIx,
        mode: Supervision,
        behind: Option<&Number>,
        turn: &mut Turn<'_>,
    ) -> Asked {
        let Some(whom) = behind else { return Asked::Done(Err(CommandError::NoSuchAgent)) };
        let (by, agent) = (self.floor.agent(by).id.clone(), AgentId(whom.0.clone()));
        let (mode, means) = (Some(mode), Means::FeatureCode);
        let wish = Wish { by: &by, agent: &agent, mode, means, leg: Some(leg) };
        match self.supervise(&wish, turn) {
            Ok(true) => Asked::Taken,
            obeyed => Asked::Done(obeyed.map(|_| None)),
        }
    }
}

impl Floor {
    /// Says to an agent who dialled a feature code what came of it.
    fn code_dialled(&mut self, leg: LegId, agent: AgentIx, asked: Asked, turn: &mut Turn<'_>) {
        // Else first: a phone that is still in this call must not be rung at once by a queue.
        let obeyed = match asked {
            Asked::Taken => return,
            Asked::Done(obeyed) => {
                self.code_begins(agent, turn);
                obeyed
            }
            Asked::Order(order) => {
                self.code_begins(agent, turn);
                self.obey(agent, order, Means::FeatureCode, turn).map(|()| None)
            }
        };
        let prompt = match obeyed {
            Ok(said) => said.unwrap_or_else(|| self.plan.code_done.clone()),
            Err(_) => self.plan.code_refused.clone(),
        };
        turn.act(Action::Accept { leg });
        self.put(leg, Some(agent), (prompt, Errand::Word), PLAY_LONGEST, turn);
    }

    /// Answers a phone that dialled, and says something to it.
    pub(super) fn tell(
        &mut self,
        leg: LegId,
        agent: Option<AgentIx>,
        word: (PromptId, Errand),
        most: Duration,
        turn: &mut Turn<'_>,
    ) {
        turn.act(Action::Accept { leg });
        self.say(leg, agent, word, most, turn);
    }

    /// Says something to a phone on a leg that is up.
    pub(super) fn say(
        &mut self,
        leg: LegId,
        agent: Option<AgentIx>,
        word: (PromptId, Errand),
        most: Duration,
        turn: &mut Turn<'_>,
    ) {
        if let Some(agent) = agent {
            self.code_begins(agent, turn);
        }
        self.put(leg, agent, word, most, turn);
    }

    fn put(
        &mut self,
        leg: LegId,
        agent: Option<AgentIx>,
        (prompt, errand): (PromptId, Errand),
        most: Duration,
        turn: &mut Turn<'_>,
    ) {
        let play = self.plays(leg, prompt, turn);
        let mut held = CodeLeg { agent, play, timer: None, errand };
        self.timers.set(Timer::Code(leg), &mut held.timer, Some(turn.now.mono + most));
        self.codes.insert(leg, held);
    }

    /// The word was said to its end.
    pub(super) fn code_played(&mut self, leg: LegId, play: PlayId, turn: &mut Turn<'_>) {
        let Some(code) = self.codes.get_mut(&leg).filter(|code| code.play == play) else { return };
        match &mut code.errand {
            Errand::Keeps { on: true, lot, .. } => {
                let music = lot.music.clone();
                return self.loops(leg, music, turn);
            }
            Errand::Keeps { on: false, .. } => {}
            // It has been told.
            told => *told = Errand::Word,
        }
        turn.act(Action::HangUp { leg, elsewhere: false });
        self.code_over(leg, turn);
    }

    /// A phone that was rung to be told something answered.
    pub(super) fn code_answered(&mut self, leg: LegId, turn: &mut Turn<'_>) {
        let code = self.codes.get(&leg).map(|code| &code.errand);
        let Some(Errand::RingsToTell { said }) = code else { return };
        let play = self.plays(leg, said.clone(), turn);
        if let Some(code) = self.codes.get_mut(&leg) {
            code.play = play;
            let until = Some(turn.now.mono + PLAY_LONGEST);
            self.timers.set(Timer::Code(leg), &mut code.timer, until);
        }
    }

    /// Its time is up.
    pub(super) fn code_due(&mut self, leg: LegId, turn: &mut Turn<'_>) {
        if let Some(code) = self.codes.get_mut(&leg) {
            code.timer = None;
            turn.act(Action::HangUp { leg, elsewhere: false });
            self.code_over(leg, turn);
        }
    }

    /// The leg is over.
    pub(super) fn code_over(&mut self, leg: LegId, turn: &mut Turn<'_>) {
        let Some(mut code) = self.codes.remove(&leg) else { return };
        self.timers.set(Timer::Code(leg), &mut code.timer, None);
        if let Some(agent) = code.agent {
            self.code_ends(agent, turn);
        }
        match (code.errand, code.agent) {
            (Errand::Keeps { slot, .. }, _) => {
                if self.slots.get(&slot) == Some(&Slot::Kept(leg)) {
                    self.slots.remove(&slot);
                }
            }
            (Errand::TellsSlot { lot, slot, caller }, Some(agent)) => {
                // Unless the caller has left the slot meanwhile.
                if self.slots.get(&slot) == Some(&Slot::Held(caller)) {
                    self.ring_to_tell(agent, &lot, &slot, caller, turn);
                }
            }
            (Errand::Word | Errand::RingsToTell { .. } | Errand::TellsSlot { .. }, _) => {}
        }
    }
}
