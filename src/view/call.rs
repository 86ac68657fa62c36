//! One call as the call list shows it: its numbers, its way, its waits, what it came to.

use super::asks::Asks;
use super::erased::{caller_erased, caller_shown, erased, shown};
use super::outcome::{Decision, Outcome, Progress};
use super::policy::Policy;
use super::recorded::{self, Recorded};
use super::rule::Rule;
use super::sound::CallSound;
use super::survey::Answers;
use crate::base::{
    AgentId, CallId, EntryId, GroupId, Language, MenuId, Number, Private, Wall, kept,
};
use crate::event::{CallEvent, Caller, CallerNumber, EndCause, Entry, Fact, Origin, Party};
use schemars::JsonSchema;
use serde::Serialize;

/// Where a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    /// With the auto attendant, or about to be.
    Attendant,
    /// Outside service hours, hearing so.
    Closed,
    /// Asked for an operator; nobody's phone rings for it.
    Waiting,
    /// Asked for an operator; a phone rings.
    Ringing,
    /// With an operator.
    Talking,
    /// Left in a slot by an operator (パーク保留).
    Parked,
    /// With somebody who is no operator, to whom one sent it: a number outside, or a phone of ours.
    Away,
    /// Its conversation is over: the caller is asked how it was.
    Surveyed,
    /// Over.
    Ended,
}

/// A call as shown. Names and numbers of people are in it: it goes to pages behind a login only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CallRow {
    /// Which.
    pub call: CallId,
    /// Its arrival, by the wall clock.
    pub arrived_at_ms: Wall,
    /// What was dialled.
    pub number: Number,
    /// Who calls.
    pub caller: Caller,
    /// Where it came from.
    pub origin: Origin,
    /// Whether it enters the contract's figures.
    pub counted: bool,
    /// Where it stands.
    pub state: CallState,
    /// What it came to, once decided.
    pub outcome: Option<Outcome>,
    /// The group it asked for last.
    pub group: Option<GroupId>,
    /// Who answered it first.
    pub agent: Option<AgentId>,
    /// Who spoke with the caller, in order.
    pub talks: Vec<Talk>,
    /// In which slot it is.
    pub parked: Option<Parked>,
    /// Whether a busy announcement was started.
    pub busy_announced: bool,
    /// From asking for an operator to the answer or the end, milliseconds.
    pub wait_ms: Option<u64>,
    /// From the arrival to the end, milliseconds.
    pub length_ms: Option<u64>,
    /// Whose doing the end was.
    pub ended_by: Option<Party>,
    /// Why it ended.
    pub cause: Option<EndCause>,
    /// What the caller entered, in order.
    pub entered: Vec<Entered>,
    /// The language that the caller chose.
    pub language: Language,
    /// Its recordings, in order.
    pub recordings: Vec<Recorded>,
    /// How its legs sounded.
    pub sound: CallSound,
}

/// One agent's time with the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Talk {
    /// Who.
    pub agent: AgentId,
    /// From then on, milliseconds after the arrival.
    pub from_ms: u64,
    /// So long, holds included; none while it lasts.
    pub length_ms: Option<u64>,
}

kept!(struct Talk { agent, from_ms, length_ms });

/// A number that the caller entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Entered {
    /// Which of the plan's.
    pub entry: EntryId,
    /// As entered.
    pub digits: Private<String>,
}

kept!(struct Entered { entry, digits });

/// A key that a caller pressed in a menu and that led somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Pressed {
    /// In which menu.
    pub menu: MenuId,
    /// The key, or the number dialled there.
    pub keys: String,
}

kept!(struct Pressed { menu, keys });

/// Keys of one caller that are listed; the first ones are.
const PRESSED_LISTED: usize = 16;

/// Numbers that one caller entered and that are listed; the first ones are.
const ENTERED_LISTED: usize = 16;

/// A caller's stay in a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Parked {
    /// The slot's number.
    pub slot: Number,
    /// Who left it there.
    pub by: AgentId,
    /// Since then, milliseconds after the arrival.
    pub from_ms: u64,
}

kept!(struct Parked { slot, by, from_ms });

/// Talks of one call that are listed; of a call that is passed on for ever the first ones are.
const TALKS_LISTED: usize = 64;

/// Which calls are wanted.
#[derive(Clone, Copy, Debug)]
pub struct CallQuery {
    /// At most so many, the newest first.
    pub limit: usize,
    /// Only those that arrived then or later.
    pub since: Option<Wall>,
    /// Only those that came to this.
    pub outcome: Option<Outcome>,
}

/// A call that has no end in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenCall {
    /// Which.
    pub call: CallId,
    /// Its arrival, by the wall clock.
    pub arrived_at: Wall,
    /// The last `t_ms` that the history has of it.
    pub last_t_ms: u64,
    /// Whether an operator answered it.
    pub answered: bool,
}

/// What a call may have gone on behind its last entry, as it is closed for a process that died.
const UNTOLD_MOST_MS: u64 = 24 * 3_600_000;

impl OpenCall {
    /// When it was over at the latest, if its process died at `witnessed`: milliseconds since its arrival. By the wall
    /// clock, for there is no other that two processes share: one that was set meanwhile tells no more than its bound.
    pub(super) fn went_on_until(&self, witnessed: Option<Wall>) -> u64 {
        let passed = witnessed.map_or(0, |at| at.ms_since(self.arrived_at));
        passed.clamp(self.last_t_ms, self.last_t_ms.saturating_add(UNTOLD_MOST_MS))
    }
}

/// Times in which the agent held the caller, or asked a colleague by keys meanwhile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hold {
    held: bool,
    asking: bool,
    since_ms: u64,
    /// Those that are over, milliseconds.
    pub(super) ms: u64,
}

impl Hold {
    pub(super) fn lasts(self) -> bool {
        self.held || self.asking
    }

    fn set(&mut self, held: bool, asking: bool, t_ms: u64) {
        let before = self.lasts();
        (self.held, self.asking) = (held, asking);
        match (before, self.lasts()) {
            (false, true) => self.since_ms = t_ms,
            (true, false) => {
                self.ms = self.ms.saturating_add(t_ms.saturating_sub(self.since_ms));
            }
            (false, false) | (true, true) => {}
        }
    }
}

/// The fold of one call's events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) id: CallId,
    pub(super) arrived_at: Wall,
    pub(super) number: Number,
    pub(super) caller: Caller,
    pub(super) origin: Origin,
    pub(super) counted: bool,
    pub(super) last_t_ms: u64,
    pub(super) progress: Progress,
    pub(super) group: Option<GroupId>,
    pub(super) agent: Option<AgentId>,
    pub(super) talks: Vec<Talk>,
    entered: Vec<Entered>,
    pub(super) pressed: Vec<Pressed>,
    /// A person put it before all others that wait.
    pub(super) put_first: bool,
    language: Language,
    /// Agents whose phones ring for it.
    pub(super) offers: Vec<AgentId>,
    /// Entry with which it began to wait: the order of the wall's list.
    pub(super) waiting_since_seq: Option<u64>,
    pub(super) sound: CallSound,
    pub(super) parked: Option<Parked>,
    /// With whom an agent sent it to.
    away: bool,
    /// Its conversation is over, and it is asked how it was: what it said.
    pub(super) answers: Option<Answers>,
    pub(super) hold: Hold,
    /// Whom the agent asks meanwhile.
    pub(super) asks: Option<Asks>,
    end: Option<(Party, EndCause)>,
    pub(super) recordings: Vec<Recorded>,
}

kept!(struct Call { id, arrived_at, number, caller, origin, counted, last_t_ms, progress, group, agent, talks, entered, pressed, put_first, language, offers, waiting_since_seq, sound, parked, away, answers, hold, asks, end, recordings });
kept!(struct Hold { held, asking, since_ms, ms });

impl Call {
    /// Begins with an `Arrived`; none for any other event.
    /// A call that one of our phones placed and passed on has an age by then: `t_ms`.
    pub(super) fn begin(id: CallId, at: Wall, t_ms: u64, event: &CallEvent) -> Option<Self> {
        let CallEvent::Arrived { number, caller, origin, counted } = event else { return None };
        let age = i64::try_from(t_ms).unwrap_or(i64::MAX);
        Some(Self {
            id,
            arrived_at: Wall(at.0.saturating_sub(age)),
            number: number.clone(),
            caller: caller_shown(caller),
            origin: origin.clone(),
            counted: *counted,
            last_t_ms: t_ms,
            progress: Progress::default(),
            group: None,
            agent: None,
            talks: Vec::new(),
            entered: Vec::new(),
            pressed: Vec::new(),
            put_first: false,
            language: Language::default(),
            offers: Vec::new(),
            waiting_since_seq: None,
            sound: CallSound::default(),
            parked: None,
            away: false,
            answers: None,
            hold: Hold::default(),
            asks: None,
            end: None,
            recordings: Vec::new(),
        })
    }

    /// Takes the next event; tells the decision when this event made it.
    pub(super) fn step(
        &mut self,
        event: &CallEvent,
        t_ms: u64,
        policy: &Policy,
    ) -> Option<Decision> {
        self.last_t_ms = self.last_t_ms.max(t_ms);
        match event {
            CallEvent::OperatorAsked { group: Some(group) } | CallEvent::Queued { group, .. } => {
                self.group = Some(group.clone());
            }
            CallEvent::OfferMade { agent } if !self.offers.contains(agent) => {
                self.offers.push(agent.clone());
            }
            CallEvent::OfferEnded { agent, .. } => self.offers.retain(|rung| rung != agent),
            CallEvent::OperatorAnswered { agent } => {
                self.offers.retain(|rung| rung != agent);
                self.agent.get_or_insert_with(|| agent.clone());
                self.begin_talk(agent, t_ms);
            }
            CallEvent::Transferred { .. } | CallEvent::SentAway { .. } => self.end_talk(t_ms),
            CallEvent::SurveyBegan { survey, .. } => {
                self.end_talk(t_ms);
                self.answers = Some(Answers::none(survey.clone()));
            }
            CallEvent::SurveyAnswered { question, answer, .. } => {
                if let Some(answers) = &mut self.answers {
                    answers.give(*question, *answer);
                }
            }
            CallEvent::Parked { by, slot } => {
                self.end_talk(t_ms);
                let (slot, by) = (slot.clone(), by.clone());
                self.parked = Some(Parked { slot, by, from_ms: t_ms });
            }
            CallEvent::Unparked { .. } => self.parked = None,
            CallEvent::AwayAnswered => self.away = true,
            CallEvent::PutFirst { .. } => self.put_first = true,
            CallEvent::LanguageChosen { language } => self.language = *language,
            CallEvent::NumberEntered { entry, digits } if self.entered.len() < ENTERED_LISTED => {
                self.entered.push(Entered { entry: entry.clone(), digits: shown(digits) });
            }
            CallEvent::Returned { agent } => self.begin_talk(agent, t_ms),
            CallEvent::Held { by: Party::Agent } if self.talks_with().is_some() => {
                self.hold.set(true, self.hold.asking, t_ms);
            }
            CallEvent::Resumed { by: Party::Agent } => {
                self.hold.set(false, self.hold.asking, t_ms);
            }
            CallEvent::KeyPressed { menu, key } => self.press(menu, key.to_string()),
            CallEvent::ExtensionDialled { menu, number } => self.press(menu, number.to_string()),
            CallEvent::ConsultBegan { .. }
            | CallEvent::ConsultCalled { .. }
            | CallEvent::ConsultGroup { .. }
                if self.talks_with().is_some() =>
            {
                self.asks = Asks::begin(event);
                self.hold.set(self.hold.held, true, t_ms);
            }
            CallEvent::ConsultRings { .. }
            | CallEvent::ConsultRingEnded { .. }
            | CallEvent::ConsultAnswered { .. }
            | CallEvent::ConsultTurned { .. } => {
                if let Some(asks) = &mut self.asks {
                    asks.step(event);
                    // Who has turned to the caller holds it no more.
                    self.hold.set(self.hold.held, !asks.turned, t_ms);
                }
            }
            CallEvent::ConsultEnded { .. } | CallEvent::ConsultOver { .. } => {
                self.asks = None;
                self.hold.set(self.hold.held, false, t_ms);
            }
            CallEvent::Ended { by, cause } => {
                self.end_talk(t_ms);
                self.parked = None;
                if *cause == EndCause::Restart {
                    self.sound.cut_off(self.last_t_ms);
                }
                self.end = Some((*by, cause.clone()));
            }
            _ => {}
        }
        self.progress.step(event, t_ms, policy)
    }

    /// The caller's number, if there is one.
    pub(super) const fn known_caller(&self) -> Option<&Private<String>> {
        match &self.caller.number {
            CallerNumber::Known(number) => Some(number),
            CallerNumber::Withheld
            | CallerNumber::Payphone
            | CallerNumber::Unavailable
            | CallerNumber::Erased => None,
        }
    }

    /// Its numbers and names are no more.
    pub(super) fn erase(&mut self) {
        self.caller = caller_erased(&self.caller);
        for entered in &mut self.entered {
            entered.digits = erased();
        }
        if let Some(asks) = &mut self.asks {
            asks.erase();
        }
    }

    fn press(&mut self, menu: &MenuId, keys: String) {
        if self.pressed.len() < PRESSED_LISTED {
            self.pressed.push(Pressed { menu: menu.clone(), keys });
        }
    }

    fn begin_talk(&mut self, agent: &AgentId, t_ms: u64) {
        self.end_talk(t_ms);
        if self.talks.len() < TALKS_LISTED {
            let talk = Talk { agent: agent.clone(), from_ms: t_ms, length_ms: None };
            self.talks.push(talk);
        }
    }

    fn end_talk(&mut self, t_ms: u64) {
        self.asks = None;
        self.hold.set(false, false, t_ms);
        if let Some(talk) = self.talks.last_mut().filter(|talk| talk.length_ms.is_none()) {
            talk.length_ms = Some(t_ms.saturating_sub(talk.from_ms));
        }
        // An agent who passes its own call on talked in that one, and its time stands there.
        self.talks.pop_if(|talk| talk.length_ms == Some(0));
    }

    /// Who speaks with the caller now.
    pub(super) fn talks_with(&self) -> Option<&AgentId> {
        let last = self.talks.last().filter(|talk| talk.length_ms.is_none());
        last.map(|talk| &talk.agent)
    }

    pub(super) fn is_over(&self) -> bool {
        self.end.is_some()
    }

    fn state(&self) -> CallState {
        if self.end.is_some() {
            CallState::Ended
        } else if self.talks_with().is_some() {
            CallState::Talking
        } else if self.parked.is_some() {
            CallState::Parked
        } else if self.away {
            CallState::Away
        } else if self.answers.is_some() {
            CallState::Surveyed
        } else if self.progress.decision().is_some() {
            // On its way from one operator to another.
            if self.offers.is_empty() { CallState::Waiting } else { CallState::Ringing }
        } else if self.progress.asked_at_ms().is_some() {
            if self.offers.is_empty() { CallState::Waiting } else { CallState::Ringing }
        } else if self.progress.is_closed() {
            CallState::Closed
        } else {
            CallState::Attendant
        }
    }

    pub(super) fn row(&self) -> CallRow {
        let decision = self.progress.decision();
        CallRow {
            call: self.id,
            arrived_at_ms: self.arrived_at,
            number: self.number.clone(),
            caller: self.caller.clone(),
            origin: self.origin.clone(),
            counted: self.counted,
            state: self.state(),
            outcome: decision.map(|decision| decision.outcome()),
            group: self.group.clone(),
            agent: self.agent.clone(),
            talks: self.talks.clone(),
            parked: self.parked.clone(),
            busy_announced: self.progress.heard_busy(),
            wait_ms: decision.and_then(|decision| decision.wait_ms),
            length_ms: self.end.as_ref().map(|_| self.last_t_ms),
            ended_by: self.end.as_ref().map(|(by, _)| *by),
            cause: self.end.as_ref().map(|(_, cause)| cause.clone()),
            entered: self.entered.clone(),
            language: self.language,
            recordings: self.recordings.clone(),
            sound: self.sound.clone(),
        }
    }

    pub(super) fn open(&self) -> OpenCall {
        OpenCall {
            call: self.id,
            arrived_at: self.arrived_at,
            last_t_ms: self.last_t_ms,
            answered: self.progress.decision().is_some(),
        }
    }

    pub(super) fn wanted(&self, query: &CallQuery) -> bool {
        query.since.is_none_or(|since| self.arrived_at >= since)
            && query.outcome.is_none_or(|wanted| {
                self.progress.decision().is_some_and(|decision| decision.outcome() == wanted)
            })
    }
}

/// A call folded from its own entries alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WholeCall {
    /// As the call list shows it.
    pub row: CallRow,
    /// The rule that gave its outcome.
    pub rule: Option<Rule>,
    /// Keys that led somewhere; the first 16.
    pub pressed: Vec<Pressed>,
    /// On hold, milliseconds, as far as holds are over.
    pub hold_ms: u64,
}

impl CallRow {
    /// The row of one call from its own entries alone, in order, and the rule that gave its outcome; none
    /// when they do not begin with its arrival.
    #[must_use]
    pub fn from_ladder(ladder: &[Entry], policy: &Policy) -> Option<(Self, Option<Rule>)> {
        let whole = Self::whole_from_ladder(ladder, policy)?;
        Some((whole.row, whole.rule))
    }

    /// The same with what the row does not show.
    #[must_use]
    pub fn whole_from_ladder(ladder: &[Entry], policy: &Policy) -> Option<WholeCall> {
        let mut folded: Option<Call> = None;
        for entry in ladder {
            if let Fact::Sound { t_ms, side, phone, event, .. } = &entry.fact
                && let Some(folded) = &mut folded
            {
                folded.sound.step(*side, phone.as_ref(), event, *t_ms);
            }
            if let (Fact::Recording { t_ms, event, .. }, Some(folded)) = (&entry.fact, &mut folded)
            {
                recorded::step(&mut folded.recordings, *t_ms, event);
            }
            let Fact::Call { call, t_ms, event } = &entry.fact else { continue };
            match &mut folded {
                None => folded = Some(Call::begin(*call, entry.at, *t_ms, event)?),
                Some(folded) if folded.id == *call && !folded.is_over() => {
                    folded.step(event, *t_ms, policy);
                }
                Some(_) => {}
            }
        }
        let folded = folded?;
        Some(WholeCall {
            row: folded.row(),
            rule: folded.progress.decision().map(|decision| decision.rule),
            pressed: folded.pressed,
            hold_ms: folded.hold.ms,
        })
    }
}
