//! Feature codes: a number that an agent dials to change the agent's own state. Not calls: they have
//! no id and leave no trace but the agent's own.

use super::agent::AgentIx;
use super::api::{Action, Command, CommandError};
use super::floor::{Floor, Turn};
use super::say::PLAY_LONGEST;
use super::timers::Timer;
use crate::base::{LegId, Mono, PlayId};
use crate::dialplan::FeatureCode;
use crate::event::Means;

/// The reason written for a pause by feature code, which can carry none.
const PAUSE_REASON: &str = "feature_code";

/// A feature code being answered.
#[derive(Debug)]
pub(super) struct CodeLeg {
    agent: AgentIx,
    play: PlayId,
    timer: Option<Mono>,
}

impl Floor {
    /// An agent dialled a feature code: obeys it and says whether it did.
    pub(super) fn code_dialled(
        &mut self,
        leg: LegId,
        agent: AgentIx,
        code: FeatureCode,
        wished: Option<Result<(), CommandError>>,
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
            FeatureCode::Unpause => Some(Command::Unpause { agent: id, by }),
            // Obeyed already: it was about a call of the agent's.
            FeatureCode::RecordStart
            | FeatureCode::RecordStop
            | FeatureCode::RecordPause
            | FeatureCode::RecordResume => None,
        };
        let obeyed = match command {
            Some(command) => self.obey(agent, command, turn),
            None => wished.unwrap_or(Err(CommandError::NotTalking)),
        };
        let prompt = match obeyed {
            Ok(()) => self.plan.code_done.clone(),
            Err(_) => self.plan.code_refused.clone(),
        };
        turn.act(Action::Accept { leg });
        let play = self.draw_play();
        turn.act(Action::Play {
            leg,
            play,
            prompts: vec![prompt],
            looped: false,
            stops_on_key: false,
        });
        let mut held = CodeLeg { agent, play, timer: None };
        let until = turn.now.mono + PLAY_LONGEST;
        self.timers.set(Timer::Code(leg), &mut held.timer, Some(until));
        self.codes.insert(leg, held);
    }

    /// The answer was played.
    pub(super) fn code_played(&mut self, leg: LegId, play: PlayId, turn: &mut Turn<'_>) {
        if self.codes.get(&leg).is_some_and(|code| code.play == play) {
            turn.act(Action::HangUp { leg, elsewhere: false });
            self.code_over(leg, turn);
        }
    }

    /// The answer's end was never told.
    pub(super) fn code_due(&mut self, leg: LegId, turn: &mut Turn<'_>) {
        if let Some(code) = self.codes.get_mut(&leg) {
            code.timer = None;
            turn.act(Action::HangUp { leg, elsewhere: false });
            self.code_over(leg, turn);
        }
    }

    /// The leg is over.
    pub(super) fn code_over(&mut self, leg: LegId, turn: &mut Turn<'_>) {
        if let Some(mut code) = self.codes.remove(&leg) {
            self.timers.set(Timer::Code(leg), &mut code.timer, None);
            self.code_ends(code.agent, turn);
        }
    }
}
