//! The survey after a call (満足度調査): an agent who hangs up first leaves the caller to a few questions, each
//! answered by one key of the contract's scale. The call has its outcome already, and nothing here changes it.

use super::api::Action;
use super::call::{Call, Over, State, Talk};
use super::floor::{Floor, Turn};
use super::say::{Script, Told};
use super::table;
use super::tape::TapeEvent;
use crate::base::{Mono, PlayId, PromptId, SurveyId};
use crate::dialplan::Survey;
use crate::event::{CallEvent, EndCause, Party, Purpose};

/// A call whose caller is asked.
#[derive(Debug)]
pub(super) struct Surveying {
    survey: SurveyId,
    /// Which question, from 0.
    question: usize,
    /// How often it may still be asked again.
    tries_left: u32,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// The question is told.
    Asking(Script),
    /// The key is awaited.
    Awaiting { until: Mono },
    /// The last words.
    Thanking(Script),
}

impl Surveying {
    pub(super) fn deadline(&self) -> Mono {
        match &self.phase {
            Phase::Asking(script) | Phase::Thanking(script) => script.until,
            Phase::Awaiting { until } => *until,
        }
    }
}

impl Call {
    /// Which survey follows when its agent hangs up now: that of its group. A call that one of our phones
    /// placed, or that is held by its caller, has nobody to ask.
    pub(super) fn survey(&self, floor: &Floor) -> Option<SurveyId> {
        let State::Talking(talk) = &self.state else { return None };
        let group = floor.plan.groups.get(self.group.as_ref()?)?;
        let asked = self.placed_by.is_none() && self.outside.is_none() && !talk.caller_holds;
        group.survey.clone().filter(|_| asked)
    }
}

/// The agent's phone is gone: the conversation is over, and the caller is asked.
pub(super) fn begin(call: &mut Call, id: SurveyId, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Talking(talk) = &call.state else { return };
    let Talk { agent, phone, wrap_up, .. } = *talk;
    call.tape_is(TapeEvent::Ended, floor, turn);
    table::dismiss(call, floor, turn);
    let by = floor.agent(agent).id.clone();
    call.step_out(CallEvent::SurveyBegan { by, survey: id.clone() }, turn);
    turn.act(Action::Part { caller: call.leg, agent: phone });
    call.keep_pace(wrap_up, floor, turn);
    floor.drop_phone(phone);
    floor.talk_ends(agent, wrap_up, turn);
    ask(call, id, 0, None, floor, turn);
}

/// Asks a question; with `again`, once more, after words on the wrong key.
fn ask(
    call: &mut Call,
    id: SurveyId,
    question: usize,
    again: Option<u32>,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    let plan = floor.plan.clone();
    let Some((survey, prompt)) = asked(plan.surveys.get(&id), question) else {
        // A plan that was taken over meanwhile has no such question.
        return thank(call, id, floor, turn);
    };
    let wrong = again.map(|_| (Purpose::Greeting, survey.wrong.clone()));
    let script = wrong.into_iter().chain([(Purpose::Greeting, prompt.clone())]);
    if let Some(script) = Script::begin(call, script, floor, turn) {
        let tries_left = again.unwrap_or(survey.tries.saturating_sub(1));
        let phase = Phase::Asking(script);
        call.state = State::Surveying(Surveying { survey: id, question, tries_left, phase });
    }
}

fn asked(survey: Option<&Survey>, question: usize) -> Option<(&Survey, &PromptId)> {
    let survey = survey?;
    Some((survey, survey.questions.get(question)?))
}

fn thank(call: &mut Call, id: SurveyId, floor: &mut Floor, turn: &mut Turn<'_>) {
    let thanks = floor.plan.surveys.get(&id).map(|survey| survey.thanks.clone());
    let script = thanks.into_iter().map(|prompt| (Purpose::Information, prompt));
    match Script::begin(call, script, floor, turn) {
        Some(script) => {
            let phase = Phase::Thanking(script);
            let (question, tries_left) = (usize::MAX, 0);
            call.state = State::Surveying(Surveying { survey: id, question, tries_left, phase });
        }
        None => call.end(Party::System, EndCause::MenuDone, Over::Neither, 0, floor, turn),
    }
}

/// A key: 1 to 5 answers, another one is wrong.
pub(super) fn key(call: &mut Call, key: char, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Surveying(at) = &call.state else { return };
    match (&at.phase, key.to_digit(10)) {
        (Phase::Asking(_) | Phase::Awaiting { .. }, Some(answer @ 1..=5)) => {
            if matches!(at.phase, Phase::Asking(_)) {
                turn.act(Action::Stop { leg: call.leg });
            }
            let (id, question) = (at.survey.clone(), at.question);
            let number = u8::try_from(question.saturating_add(1)).unwrap_or(u8::MAX);
            let answer = u8::try_from(answer).unwrap_or(0);
            let survey = id.clone();
            call.record(CallEvent::SurveyAnswered { survey, question: number, answer }, turn);
            ask(call, id, question.saturating_add(1), None, floor, turn);
        }
        (Phase::Asking(_) | Phase::Awaiting { .. }, _) => unanswered(call, floor, turn),
        (Phase::Thanking(_), _) => {} // one key too many
    }
}

/// No key, or none that answers: asked once more, or the next one, which is the caller's way past it.
fn unanswered(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Surveying(at) = &call.state else { return };
    let (id, question) = (at.survey.clone(), at.question);
    if matches!(at.phase, Phase::Asking(_)) {
        turn.act(Action::Stop { leg: call.leg });
    }
    match at.tries_left.checked_sub(1) {
        Some(left) => ask(call, id, question, Some(left), floor, turn),
        // Who answers nothing is not kept any longer.
        None => thank(call, id, floor, turn),
    }
}

/// A play ended; none when its time is up.
pub(super) fn played(
    call: &mut Call,
    play: Option<PlayId>,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    let State::Surveying(mut at) = std::mem::replace(&mut call.state, State::New) else { return };
    let timeout = floor.plan.surveys.get(&at.survey).map(|survey| survey.timeout);
    let until = turn.now.mono + timeout.unwrap_or_default();
    let told = match &mut at.phase {
        Phase::Asking(script) | Phase::Thanking(script) => script.played(play, call, floor, turn),
        Phase::Awaiting { .. } => Told::NotYet,
    };
    let over = told == Told::All && matches!(at.phase, Phase::Thanking(_));
    if told == Told::All && !over {
        at.phase = Phase::Awaiting { until };
    }
    call.state = State::Surveying(at);
    if over {
        call.end(Party::System, EndCause::MenuDone, Over::Neither, 0, floor, turn);
    }
}

/// The deadline has come.
pub(super) fn due(call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let State::Surveying(at) = &call.state else { return };
    if at.deadline() > turn.now.mono {
        return;
    }
    match &at.phase {
        Phase::Asking(_) | Phase::Thanking(_) => played(call, None, floor, turn),
        Phase::Awaiting { .. } => unanswered(call, floor, turn),
    }
}
