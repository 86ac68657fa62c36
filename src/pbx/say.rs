//! Announcements told one after another, each recorded when it begins.

use super::Action;
use super::call::Call;
use super::floor::{Floor, Turn};
use crate::base::{Mono, PlayId, PromptId};
use crate::event::{CallEvent, Purpose};
use std::collections::VecDeque;
use std::time::Duration;

/// No prompt is longer: a play whose end is never told counts as ended then, so that no caller is
/// stuck behind a fault of the media.
pub(super) const PLAY_LONGEST: Duration = Duration::from_mins(5);

/// What is being told, and what is still to be.
#[derive(Debug)]
pub(super) struct Script {
    play: PlayId,
    rest: VecDeque<(Purpose, PromptId)>,
    /// When the play at hand is taken for ended.
    pub(super) until: Mono,
}

/// What the end of a play meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Another play's, long replaced; or there is more to tell.
    NotYet,
    /// All has been told.
    All,
}

impl Script {
    /// Begins to tell `script`; none when it is empty.
    pub(super) fn begin(
        call: &mut Call,
        script: impl IntoIterator<Item = (Purpose, PromptId)>,
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) -> Option<Self> {
        let mut rest: VecDeque<_> = script.into_iter().collect();
        let (purpose, prompt) = rest.pop_front()?;
        let play = announce(call, purpose, prompt, floor, turn);
        Some(Self { play, rest, until: turn.now.mono + PLAY_LONGEST })
    }

    /// Plays a tone, once; it is no announcement.
    pub(super) fn tone(
        call: &Call,
        tone: PromptId,
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) -> Self {
        let play = floor.plays(call.leg, tone, turn);
        Self { play, rest: VecDeque::new(), until: turn.now.mono + PLAY_LONGEST }
    }

    /// Nothing is told; what was told is replaced by it.
    pub(super) fn silence(floor: &mut Floor, turn: &Turn<'_>) -> Self {
        let play = floor.draw_play();
        Self { play, rest: VecDeque::new(), until: turn.now.mono + PLAY_LONGEST }
    }

    /// Plays something that the history must not tell; a key stops it.
    pub(super) fn unrecorded(
        call: &Call,
        prompts: Vec<PromptId>,
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) -> Self {
        let (leg, play) = (call.leg, floor.draw_play());
        let prompts = prompts.iter().map(|prompt| call.language.of(prompt)).collect();
        turn.act(Action::Play { leg, play, prompts, looped: false, stops_on_key: true });
        Self { play, rest: VecDeque::new(), until: turn.now.mono + PLAY_LONGEST }
    }

    /// A play came to its end (none: time is up for the one at hand).
    pub(super) fn played(
        &mut self,
        play: Option<PlayId>,
        call: &mut Call,
        floor: &mut Floor,
        turn: &mut Turn<'_>,
    ) -> Told {
        if play.is_some_and(|play| play != self.play) {
            return Told::NotYet;
        }
        let Some((purpose, prompt)) = self.rest.pop_front() else { return Told::All };
        self.play = announce(call, purpose, prompt, floor, turn);
        self.until = turn.now.mono + PLAY_LONGEST;
        Told::NotYet
    }
}

fn announce(
    call: &mut Call,
    purpose: Purpose,
    prompt: PromptId,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) -> PlayId {
    let play = floor.draw_play();
    let prompts = vec![call.language.of(&prompt)];
    // Keys are taken in menus only, and there everything that is told is a greeting.
    let stops_on_key = purpose == Purpose::Greeting;
    turn.act(Action::Play { leg: call.leg, play, prompts, looped: false, stops_on_key });
    call.busy_told |= purpose == Purpose::Busy;
    call.record(CallEvent::Announced { prompt, purpose }, turn);
    play
}
