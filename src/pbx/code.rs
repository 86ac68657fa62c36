//! Legs between us and one phone that are no calls: feature codes, which change the agent's own state or
//! its call, and words about slots. They have no id and leave no trace but the agent's own.

use super::agent::AgentIx;
use super::api::{Action, Command, CommandError};
use super::desk::Desk;
use super::floor::{Floor, Turn};
use super::park::Slot;
use super::say::PLAY_LONGEST;
use super::supervise::Wish;
use super::timers::Timer;
use crate::base::{AgentId, LegId, Mono, Number, PlayId, PromptId};
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
        let means = Means::FeatureCode;
        let taken = match code {
            FeatureCode::Pickup => {
                if self.pick_up_by_code(leg, agent, behind, turn) {
                    return;
                }
                Err(CommandError::NoSuchCall)
            }
            FeatureCode::Listen => self.listen(leg, agent, Supervision::Listen, behind, turn),
            FeatureCode::Whisper => self.listen(leg, agent, Supervision::Whisper, behind, turn),
            FeatureCode::Barge => self.listen(leg, agent, Supervision::Barge, behind, turn),
            FeatureCode::Add => match (self.caller_of(agent), behind) {
                (Some(call), Some(number)) => {
                    self.add_third(call, number, means, turn).map(|()| false)
                }
                _ => Err(CommandError::NotTalking),
            },
            FeatureCode::SignIn
            | FeatureCode::SignOut
            | FeatureCode::Pause
            | FeatureCode::PauseFor(_)
            | FeatureCode::WrapUpLonger
            | FeatureCode::WrapUpEnd
            | FeatureCode::Unpause
            | FeatureCode::RecordStart
            | FeatureCode::RecordStop
            | FeatureCode::RecordPause
            | FeatureCode::RecordResume
            | FeatureCode::Park
            | FeatureCode::CloseDesk
            | FeatureCode::CloseForDisaster
            | FeatureCode::OpenDesk
            | FeatureCode::UsualHours => {
                let wished = self.call_by_code(agent, code, turn);
                return self.floor.code_dialled(leg, agent, code, wished, turn);
            }
        };
        match taken {
            Ok(true) => {}
            Ok(false) => self.floor.code_dialled(leg, agent, code, Some(Ok(None)), turn),
            Err(why) => self.floor.code_dialled(leg, agent, code, Some(Err(why)), turn),
        }
    }

    fn listen(
        &mut self,
        leg: LegId,
        by: AgentIx,
        mode: Supervision,
        behind: Option<&Number>,
        turn: &mut Turn<'_>,
    ) -> Result<bool, CommandError> {
        let by = self.floor.agent(by).id.clone();
        let agent = AgentId(behind.ok_or(CommandError::NoSuchAgent)?.0.clone());
        let (mode, means) = (Some(mode), Means::FeatureCode);
        let wish = Wish { by: &by, agent: &agent, mode, means, leg: Some(leg) };
        self.supervise(&wish, turn)
    }
}

impl Floor {
    /// An agent dialled a feature code: obeys it and says whether it did. `wished`: what came of a code
    /// that is about a call of the agent's, with the word that says so.
    pub(super) fn code_dialled(
        &mut self,
        leg: LegId,
        agent: AgentIx,
        code: FeatureCode,
        wished: Option<Result<Option<PromptId>, CommandError>>,
        turn: &mut Turn<'_>,
    ) {
        // First: a phone that is still in this call must not be rung at once by a queue.
        self.code_begins(agent, turn);
        let (by, id) = (Means::FeatureCode, self.agent(agent).id.clone());
        let command = match code {
            FeatureCode::SignIn => Some(Command::SignIn { agent: id, by }),
            FeatureCode::SignOut => Some(Command::SignOut { agent: id, by }),
            FeatureCode::Pause => {
                Some(Command::Pause { agent: id, reason: PAUSE_REASON.to_owned(), by })
            }
            FeatureCode::PauseFor(reason) => {
                let reasons = &self.plan.pausing.reasons;
                let reason = reasons.get(usize::from(reason)).cloned().unwrap_or_default();
                Some(Command::Pause { agent: id, reason, by })
            }
            FeatureCode::WrapUpLonger => Some(Command::WrapUp { agent: id, longer: true, by }),
            FeatureCode::WrapUpEnd => Some(Command::WrapUp { agent: id, longer: false, by }),
            FeatureCode::Unpause => Some(Command::Unpause { agent: id, by }),
            // Obeyed already: it was about a call of the agent's.
            FeatureCode::RecordStart
            | FeatureCode::RecordStop
            | FeatureCode::RecordPause
            | FeatureCode::RecordResume
            | FeatureCode::Park
            | FeatureCode::Pickup
            | FeatureCode::Listen
            | FeatureCode::Whisper
            | FeatureCode::Barge
            | FeatureCode::Add => None,
            // Obeyed already: it was about the desk.
            FeatureCode::CloseDesk
            | FeatureCode::CloseForDisaster
            | FeatureCode::OpenDesk
            | FeatureCode::UsualHours => None,
        };
        let obeyed = match command {
            Some(command) => self.obey(agent, command, turn).map(|()| None),
            None => wished.unwrap_or(Err(CommandError::NotTalking)),
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
        let play = self.draw_play();
        let prompts = vec![prompt];
        turn.act(Action::Play { leg, play, prompts, looped: false, stops_on_key: false });
        let mut held = CodeLeg { agent, play, timer: None, errand };
        self.timers.set(Timer::Code(leg), &mut held.timer, Some(turn.now.mono + most));
        self.codes.insert(leg, held);
    }

    /// The word was said to its end.
    pub(super) fn code_played(&mut self, leg: LegId, play: PlayId, turn: &mut Turn<'_>) {
        let Some(code) = self.codes.get_mut(&leg).filter(|code| code.play == play) else { return };
        match &code.errand {
            Errand::Keeps { on: true, lot, .. } => {
                let music = lot.music.clone();
                self.loops(leg, music, turn);
            }
            Errand::Word
            | Errand::Keeps { .. }
            | Errand::TellsSlot { .. }
            | Errand::RingsToTell { .. } => {
                code.errand = match std::mem::replace(&mut code.errand, Errand::Word) {
                    kept @ Errand::Keeps { .. } => kept,
                    // It has been told.
                    Errand::Word | Errand::TellsSlot { .. } | Errand::RingsToTell { .. } => {
                        Errand::Word
                    }
                };
                turn.act(Action::HangUp { leg, elsewhere: false });
                self.code_over(leg, turn);
            }
        }
    }

    /// A phone that was rung to be told something answered.
    pub(super) fn code_answered(&mut self, leg: LegId, turn: &mut Turn<'_>) {
        let Some(code) = self.codes.get_mut(&leg) else { return };
        if let Errand::RingsToTell { said } = &code.errand {
            let (said, play) = (said.clone(), code.play);
            let until = Some(turn.now.mono + PLAY_LONGEST);
            self.timers.set(Timer::Code(leg), &mut code.timer, until);
            let prompts = vec![said];
            turn.act(Action::Play { leg, play, prompts, looped: false, stops_on_key: false });
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
