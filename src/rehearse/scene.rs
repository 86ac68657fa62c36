//! The stage: a desk with its agents and callers under a clock of its own.

use super::{ANSWERS_AFTER, Case, Conduct, OTHERS_BEFORE, Outside, Story};
use crate::base::{AgentId, CallId, LegId, Mono, Now, Number, PlayId, Private, Rng, Wall};
use crate::dialplan::{Asker, Plan, Press};
use crate::event::{CallEvent, Caller, CallerNumber, Fact, Means, Origin};
use crate::pbx::{Action, Command, Desk, HoursOrder, Input};
use crate::view::{Policy, Progress};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// After this the call is left as it stands: no wait of a plan is longer than 4 h.
const LONGEST: Duration = Duration::from_hours(6);
/// Inputs of one rehearsal; a plan that needs more goes round in a circle.
const MOST_INPUTS: u32 = 200_000;
/// Room for every other caller and every agent's own call.
const MOST_CALLS: usize = 100_000;
/// The beginning of the stage's clock.
const BEGIN: Mono = Mono(1_000_000_000);

/// Puts the call to the rules and tells what became of it.
#[must_use]
pub fn rehearse(plan: &Arc<Plan>, case: &Case) -> Story {
    let mut stage = Stage::new(plan, case);
    stage.out_of_turn();
    stage.agents_come();
    for _ in 0..case.others {
        stage.call();
    }
    if case.others > 0 {
        stage.run_until(BEGIN + OTHERS_BEFORE, false);
        stage.mono = BEGIN + OTHERS_BEFORE;
    }
    stage.arrived = stage.mono;
    let leg = stage.call();
    if let Some(after) = case.hangs_up {
        stage.later(after, Input::Gone { leg, lost: false });
    }
    stage.run_until(stage.mono + LONGEST, true);
    stage.story
}

/// A caller.
struct Person {
    presses: VecDeque<Press>,
    /// Hears something that a key answers: it is the caller's turn.
    turn: bool,
}

struct Stage<'c> {
    plan: &'c Arc<Plan>,
    case: &'c Case,
    desk: Desk,
    mono: Mono,
    arrived: Mono,
    next_leg: u64,
    people: BTreeMap<LegId, Person>,
    /// Whose leg each call is.
    calls: BTreeMap<CallId, LegId>,
    /// Who is arriving.
    arriving: LegId,
    /// What people do at their time, in order.
    due: BTreeMap<(Mono, u64), Input>,
    inputs: u32,
    /// The last who called: the one whose story is told.
    caller: LegId,
    policy: Policy,
    progress: Progress,
    over: bool,
    story: Story,
}

impl<'c> Stage<'c> {
    fn new(plan: &'c Arc<Plan>, case: &'c Case) -> Self {
        let desk = Desk::new(Arc::clone(plan), MOST_CALLS, Rng::from_number(1));
        Self {
            plan,
            case,
            desk,
            mono: BEGIN,
            arrived: BEGIN + OTHERS_BEFORE,
            next_leg: 1,
            people: BTreeMap::new(),
            calls: BTreeMap::new(),
            arriving: LegId(0),
            due: BTreeMap::new(),
            policy: Policy::default(),
            inputs: 0,
            caller: LegId(0),
            progress: Progress::default(),
            over: false,
            story: Story::default(),
        }
    }

    /// The time of day stands still until the call arrives.
    fn now(&self) -> Now {
        let since = i64::try_from(self.mono.ms_since(self.arrived)).unwrap_or(0);
        Now { mono: self.mono, wall: Wall(self.case.question.at.0.saturating_add(since)) }
    }

    fn conduct(&self, agent: &AgentId) -> Conduct {
        self.case.agents.get(agent).copied().unwrap_or_default()
    }

    /// Somebody closed or opened the desk before the call, for longer than it can last.
    fn out_of_turn(&mut self) {
        let Some(to) = self.case.question.ad_hoc else { return };
        let until = Wall(self.case.question.at.0.saturating_add(24 * 3_600_000));
        let order = HoursOrder::Change { to, reason: "rehearsal".to_owned(), until };
        let author = "rehearsal".to_owned();
        self.put(Input::Command(Command::Hours { number: None, order, author, by: Means::Api }));
    }

    /// In the plan's order, so that the first has been idle longest.
    fn agents_come(&mut self) {
        let ids: Vec<AgentId> = self.plan.agents.keys().cloned().collect();
        for id in ids {
            let conduct = self.conduct(&id);
            let (extension, by) = (Number(id.0.clone()), Means::Api);
            let reachable = conduct != Conduct::Unreachable;
            self.put(Input::Phone { extension: extension.clone(), reachable });
            match conduct {
                Conduct::SignedOut => {
                    self.put(Input::Command(Command::SignOut { agent: id, by }));
                    continue;
                }
                Conduct::Answers
                | Conduct::LetsRing
                | Conduct::Refuses
                | Conduct::Busy
                | Conduct::Paused
                | Conduct::Unreachable => {
                    self.put(Input::Command(Command::SignIn { agent: id.clone(), by }));
                }
            }
            match conduct {
                Conduct::Paused => {
                    // Any that the plan knows.
                    let reason = self.plan.pausing.reasons.first();
                    let reason = reason.cloned().unwrap_or_else(|| "rehearsal".to_owned());
                    self.put(Input::Command(Command::Pause { agent: id, reason, by }));
                }
                Conduct::Busy => {
                    let leg = self.draw_leg();
                    self.arrive(leg, extension, Origin::Extension("00".into()));
                }
                Conduct::Answers
                | Conduct::LetsRing
                | Conduct::Refuses
                | Conduct::SignedOut
                | Conduct::Unreachable => {}
            }
        }
    }

    fn draw_leg(&mut self) -> LegId {
        let leg = LegId(self.next_leg);
        self.next_leg += 2;
        leg
    }

    /// One more caller who does what the case's caller does.
    fn call(&mut self) -> LegId {
        let leg = self.draw_leg();
        let question = &self.case.question;
        let origin = match &question.from {
            Asker::Outside(trunk) => {
                Origin::Trunk(trunk.clone().unwrap_or_else(|| self.any_trunk()))
            }
            Asker::Extension(number) => Origin::Extension(number.clone()),
        };
        let presses = question.presses.iter().copied().collect();
        self.people.insert(leg, Person { presses, turn: false });
        self.caller = leg;
        self.progress = Progress::default();
        self.over = false;
        self.story = Story::default();
        self.arrive(leg, question.to.clone(), origin);
        leg
    }

    /// One that the number lets in.
    fn any_trunk(&self) -> crate::base::TrunkId {
        let desk = self.plan.desk_numbers.get(&self.case.question.to);
        desk.and_then(|desk| desk.trunks.first().cloned()).unwrap_or_else(|| "any".into())
    }

    fn arrive(&mut self, leg: LegId, dialled: Number, origin: Origin) {
        let number = CallerNumber::Known(Private::new("0312345678".to_owned()));
        let caller = Caller { number, name: None, diverted_from: None };
        self.arriving = leg;
        self.put(Input::Arrived { leg, dialled, caller, origin, hindrance: None });
    }

    fn later(&mut self, after: Duration, input: Input) {
        let order = self.due.len() as u64 + u64::from(self.inputs) * 1_000_000;
        self.due.insert((self.mono + after, order), input);
    }

    /// Lets things happen up to `end`; with `for_one`, no longer than until the call is decided.
    fn run_until(&mut self, end: Mono, for_one: bool) {
        while self.inputs < MOST_INPUTS && !(for_one && self.over) {
            if self.take_turns() {
                continue;
            }
            let person = self.due.first_key_value().map(|((at, _), _)| *at);
            let next = [person, self.desk.next_deadline()].into_iter().flatten().min();
            let Some(at) = next.filter(|at| *at <= end) else { break };
            self.mono = self.mono.max(at);
            if person == Some(at) {
                if let Some((_, input)) = self.due.pop_first() {
                    self.put(input);
                }
            } else {
                self.put(Input::Tick);
            }
        }
    }

    /// Whose turn it is presses the next key, or lets the time pass; whether it was anybody's.
    fn take_turns(&mut self) -> bool {
        let turn = self.people.iter().find(|(_, person)| person.turn).map(|(leg, _)| *leg);
        let Some(leg) = turn else { return false };
        let Some(person) = self.people.get_mut(&leg) else { return false };
        match person.presses.pop_front() {
            Some(Press::Key(key)) => self.put(Input::Key { leg, key }),
            Some(Press::Nothing) | None => person.turn = false,
        }
        true
    }

    fn put(&mut self, input: Input) {
        let mut waiting = VecDeque::from([input]);
        while let Some(input) = waiting.pop_front() {
            self.inputs = self.inputs.saturating_add(1);
            if self.inputs >= MOST_INPUTS {
                return;
            }
            let (mut out, now) = (Vec::new(), self.now());
            self.desk.handle(input, now, &mut out);
            self.see(out, &mut waiting);
        }
    }

    /// What the desk wants done, done: phones ring and answer as their agents do.
    fn see(&mut self, out: Vec<Action>, waiting: &mut VecDeque<Input>) {
        // Of several plays of one step, only the last is still heard.
        let mut plays: BTreeMap<LegId, PlayId> = BTreeMap::new();
        for action in out {
            match action {
                Action::Record(Fact::Call { call, event, t_ms }) => self.record(call, &event, t_ms),
                Action::Play { leg, play, prompts, looped, stops_on_key } => {
                    if let Some(person) = self.people.get_mut(&leg) {
                        person.turn = stops_on_key;
                    }
                    if leg == self.caller {
                        self.story.hears.extend(prompts);
                    }
                    plays.remove(&leg);
                    if !looped {
                        plays.insert(leg, play);
                    }
                }
                Action::Stop { leg } => {
                    plays.remove(&leg);
                }
                Action::Dial { leg, extension, .. } => self.dialled(leg, extension, waiting),
                Action::DialOut { leg, .. } => self.dialled_outside(leg, waiting),
                Action::Refuse { leg, status } if leg == self.caller => {
                    self.story.refused = Some(status);
                    self.over = true;
                }
                Action::HangUp { leg, .. } if leg == self.caller => self.over = true,
                _ => {}
            }
        }
        waiting.extend(plays.into_iter().map(|(leg, play)| Input::Played { leg, play }));
    }

    fn dialled(&mut self, leg: LegId, extension: Number, waiting: &mut VecDeque<Input>) {
        let agent = AgentId(extension.0);
        match self.conduct(&agent) {
            Conduct::Answers => {
                waiting.push_back(Input::Ringing { leg });
                self.later(ANSWERS_AFTER, Input::Answered { leg });
            }
            Conduct::LetsRing | Conduct::Paused | Conduct::SignedOut => {
                waiting.push_back(Input::Ringing { leg });
            }
            Conduct::Refuses => waiting.push_back(Input::Refused { leg, status: 486 }),
            // The first call is the one that keeps the agent busy.
            Conduct::Busy if self.people.is_empty() => waiting.push_back(Input::Answered { leg }),
            Conduct::Busy => waiting.push_back(Input::Refused { leg, status: 486 }),
            Conduct::Unreachable => waiting.push_back(Input::Refused { leg, status: 480 }),
        }
    }

    fn dialled_outside(&mut self, leg: LegId, waiting: &mut VecDeque<Input>) {
        match self.case.outside {
            Outside::Answers => {
                waiting.push_back(Input::Ringing { leg });
                self.later(ANSWERS_AFTER, Input::Answered { leg });
            }
            Outside::LetsRing => waiting.push_back(Input::Ringing { leg }),
            Outside::Refuses => waiting.push_back(Input::Refused { leg, status: 486 }),
            Outside::Unreachable => waiting.push_back(Input::Refused { leg, status: 503 }),
        }
    }

    /// A step of some call.
    fn record(&mut self, call: CallId, event: &CallEvent, t_ms: u64) {
        if let CallEvent::Arrived { .. } = event {
            self.calls.insert(call, self.arriving);
        }
        let Some(leg) = self.calls.get(&call).copied() else { return };
        if let CallEvent::KeyPressed { .. }
        | CallEvent::KeyWrong { .. }
        | CallEvent::MenuTimedOut { .. }
        | CallEvent::ExtensionDialled { .. }
        | CallEvent::NumberEntered { .. }
        | CallEvent::NumberRefused { .. } = event
            && let Some(person) = self.people.get_mut(&leg)
        {
            person.turn = false;
        }
        if leg != self.caller || self.story.outcome.is_some() {
            return;
        }
        match event {
            CallEvent::Arrived { counted, .. } => self.story.counted = Some(*counted),
            CallEvent::OfferMade { agent } => self.story.rings.push((t_ms, agent.clone())),
            CallEvent::AgentTold { prompt, .. } => self.story.agent_hears.push(prompt.clone()),
            CallEvent::OperatorAnswered { agent } => {
                self.story.answered = Some((t_ms, agent.clone()));
            }
            CallEvent::OverflowedOutside { number, .. } => {
                let number = Number::from(number.reveal().as_str());
                self.story.rings_outside.push((t_ms, number));
            }
            CallEvent::AwayAnswered => {
                let rung = self.story.rings_outside.last();
                self.story.answered_outside = rung.map(|(_, number)| (t_ms, number.clone()));
            }
            _ => {}
        }
        if let Some(decision) = self.progress.step(event, t_ms, &self.policy) {
            self.story.outcome = Some(decision.outcome());
            self.over = true;
        }
    }
}
