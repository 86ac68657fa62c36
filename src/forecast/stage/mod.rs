//! The stage: the desk under a clock of its own, with callers and agents who do what is due when it is due.
//!
//! Owns the time, who is where and what each will do next; decides nothing about a call.

mod people;

use super::arrivals::{Arrival, Demand};
use super::fit::Found;
use super::lasts::uniform;
use super::roster::Roster;
use super::scenario::{Callers, Choice, People, Repeats, Scenario};
use crate::base::{
    AgentId, CallId, Channels, LegId, Mono, Now, Number, PlayId, Private, PromptId, Rng, TrunkId,
    Wall,
};
use crate::dialplan::{OpenState, Plan};
use crate::event::{Caller, CallerNumber, DeskEvent, Entry, Fact, Means, Origin};
use crate::pbx::{Action, Command, Desk, Input};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// After the last arrival things go on for so long at most: no wait of a plan is longer than 4 h.
const LONGEST: Duration = Duration::from_hours(6);
/// Calls of one simulation that are up at once.
const MOST_OPEN: usize = 10_000;
/// Inputs of one simulation; a plan that needs more goes round in a circle.
const MOST_INPUTS: u64 = 200_000_000;
/// The beginning of the stage's clock.
const BEGIN: Mono = Mono(1_000_000_000);
/// Who is there when the desk closes serves those who still wait, for so long at most.
const STAYS_AT_MOST: Duration = Duration::from_mins(60);
/// How often they look whether anybody waits.
const LOOKS_EVERY: Duration = Duration::from_secs(15);
/// A caller's own telephone, and a number outside, is picked up after so long when the desk calls it.
const OUTSIDE_ANSWERS: Duration = Duration::from_secs(8);
/// What a caller speaks into a box.
const SPEAKS: Duration = Duration::from_secs(20);
/// How long a caller takes for a number that is asked for, and to leave when there is nothing more to hear.
const TYPES: Duration = Duration::from_secs(5);
/// A caller tries so often at most.
const MOST_TRIES: u32 = 10;

/// What is simulated: the plan, the people, and what announcements last.
#[derive(Clone, Debug)]
pub struct World {
    /// The rules.
    pub plan: Arc<Plan>,
    /// Who calls when.
    pub demand: Demand,
    /// Who is there when.
    pub roster: Roster,
    /// How callers behave.
    pub callers: Callers,
    /// How agents do.
    pub agents: People,
    /// Lines by trunk; a trunk that is not named has enough.
    pub lines: BTreeMap<TrunkId, u32>,
    /// What each announcement lasts; one that is not named takes no time.
    pub lengths: BTreeMap<PromptId, Duration>,
}

impl World {
    /// What a scenario says of people and lines, with the calls and agents of one's choice.
    #[must_use]
    pub fn of(
        plan: Arc<Plan>,
        scenario: &Scenario,
        demand: Demand,
        roster: Roster,
        lengths: BTreeMap<PromptId, Duration>,
    ) -> Self {
        let lines = scenario.lines.iter();
        Self {
            plan,
            demand,
            roster,
            callers: scenario.callers.clone(),
            agents: scenario.agents.clone(),
            lines: lines.map(|(trunk, most)| (trunk.as_str().into(), *most)).collect(),
            lengths,
        }
    }

    /// Calls that came, with the agents who were there, again: `month` has both, `people` what callers and agents
    /// do. Who called again stands among the arrivals already, so nobody does so anew.
    #[must_use]
    pub fn again(
        plan: &Plan,
        month: &Found,
        people: &Scenario,
        lengths: BTreeMap<PromptId, Duration>,
    ) -> Self {
        Self {
            plan: Arc::new(plan.clone()),
            demand: Demand::Known(month.arrivals.clone()),
            roster: Roster::Recorded(month.stints.clone()),
            callers: Callers { again: None, ..people.callers.clone() },
            agents: people.agents.clone(),
            lines: BTreeMap::new(),
            lengths,
        }
    }
}

/// What the stage tells, in order.
pub enum Told<'a> {
    /// An entry of the history.
    Entry(&'a Entry),
    /// A caller found all lines in use: the carrier refused, the desk never knew.
    Lost(Wall),
}

/// One run: everything that happens, told in order. The same world and seed tell the same.
pub fn run(world: &World, seed: u64, mut tell: impl FnMut(Told<'_>)) {
    let mut stage = Stage::new(world, seed, &mut tell);
    stage.open();
    stage.go();
}

/// Something that a person does at its time.
#[derive(Clone, Debug)]
enum Deed {
    Comes { agent: AgentId },
    Goes { agent: AgentId, at_latest: Mono },
    Breaks { agent: AgentId },
    Returns { agent: AgentId },
    WrapsUp { agent: AgentId },
    Picks { leg: LegId },
    Plays { leg: LegId, play: PlayId },
    Presses { leg: LegId, key: char },
    Leaves { leg: LegId },
    GivesUp { leg: LegId },
    Speaks { leg: LegId, ms: u32 },
    CallsAgain { number: Number, tries: u32, who: u64 },
}

/// A caller who is there.
struct Person {
    number: Number,
    trunk: TrunkId,
    tries: u32,
    who: u64,
    asked: bool,
    /// Put through, once.
    talked: bool,
}

struct Stage<'w> {
    world: &'w World,
    desk: Desk,
    tell: &'w mut dyn FnMut(Told<'_>),
    /// What people draw; the arrivals and the desk have streams of their own, so that another roster meets the
    /// same callers.
    rng: Rng,
    arrivals: std::iter::Peekable<std::vec::IntoIter<Arrival>>,
    begin: Wall,
    mono: Mono,
    next_leg: u64,
    next_who: u64,
    seq: u64,
    order: u64,
    inputs: u64,
    people: BTreeMap<LegId, Person>,
    calls: BTreeMap<CallId, LegId>,
    /// Phones that ring or talk.
    phones: BTreeSet<LegId>,
    used: BTreeMap<TrunkId, u32>,
    waiting: u32,
    arriving: LegId,
    due: BTreeMap<(Mono, u64), Deed>,
    wraps: BTreeMap<AgentId, Mono>,
    menus: BTreeMap<String, Vec<(Choice, f64)>>,
    inbox: std::collections::VecDeque<Input>,
    out: Vec<Action>,
}

impl<'w> Stage<'w> {
    fn new(world: &'w World, seed: u64, tell: &'w mut dyn FnMut(Told<'_>)) -> Self {
        let mut seeds = Rng::from_number(seed);
        let (mut of_arrivals, of_desk, rng) = (seeds.fork(), seeds.fork(), seeds.fork());
        let arrivals = world.demand.draw(&mut of_arrivals);
        let first = arrivals.first().map_or(Wall(0), |arrival| arrival.at);
        let day = world.plan.local(first).date_naive();
        let midnight = world.plan.midnight(day).unwrap_or(first);
        let desk = Desk::new(Arc::clone(&world.plan), MOST_OPEN, of_desk);
        Self {
            world,
            desk,
            tell,
            rng,
            arrivals: arrivals.into_iter().peekable(),
            begin: midnight,
            mono: BEGIN,
            next_leg: 1,
            next_who: 1,
            seq: 0,
            order: 0,
            inputs: 0,
            people: BTreeMap::new(),
            calls: BTreeMap::new(),
            phones: BTreeSet::new(),
            used: BTreeMap::new(),
            waiting: 0,
            arriving: LegId(0),
            due: BTreeMap::new(),
            wraps: BTreeMap::new(),
            menus: people::choices(&world.callers),
            inbox: std::collections::VecDeque::new(),
            out: Vec::new(),
        }
    }

    fn wall(&self) -> Wall {
        let since = i64::try_from(self.mono.ms_since(BEGIN)).unwrap_or(0);
        Wall(self.begin.0.saturating_add(since))
    }

    fn mono_at(&self, at: Wall) -> Mono {
        let ms = at.ms_since(self.begin);
        BEGIN + Duration::from_millis(ms)
    }

    fn later(&mut self, after: Duration, deed: Deed) {
        self.at(self.mono + after, deed);
    }

    fn at(&mut self, at: Mono, deed: Deed) {
        self.order += 1;
        self.due.insert((at, self.order), deed);
    }

    /// The desk opens: everything that is known beforehand.
    fn open(&mut self) {
        let (version, plan) = (env!("CARGO_PKG_VERSION").to_owned(), self.world.plan.name.clone());
        self.entry(Fact::Desk { event: DeskEvent::Started { version, plan } });
        let lines = self.world.lines.iter().map(|(trunk, most)| {
            (trunk.clone(), Channels { inward: Some(*most), ..Channels::default() })
        });
        self.desk.set_channels(lines.collect());
        let plan = Arc::clone(&self.world.plan);
        for agent in plan.agents.keys() {
            let extension = Number(agent.0.clone());
            self.put(Input::Phone { extension, reachable: true });
            self.put(Input::Command(Command::SignOut { agent: agent.clone(), by: Means::Api }));
        }
        for stint in self.world.roster.stints(&plan, &self.world.demand.days(&plan)) {
            let agent = stint.agent;
            self.at(self.mono_at(stint.from), Deed::Comes { agent: agent.clone() });
            for (from, until) in stint.breaks {
                self.at(self.mono_at(from), Deed::Breaks { agent: agent.clone() });
                self.at(self.mono_at(until), Deed::Returns { agent: agent.clone() });
            }
            let goes = self.mono_at(stint.until);
            self.at(goes, Deed::Goes { agent, at_latest: goes + STAYS_AT_MOST });
        }
    }

    /// Lets things happen, each at its time, until nothing more comes.
    fn go(&mut self) {
        let mut last = self.mono;
        while self.inputs < MOST_INPUTS {
            let arrival = self.arrivals.peek().map(|arrival| arrival.at);
            let arrival = arrival.map(|at| self.mono_at(at));
            let deed = self.due.first_key_value().map(|((at, _), _)| *at);
            let tick = self.desk.next_deadline();
            if let Some(at) = arrival {
                last = last.max(at);
            } else if self.people.is_empty() && self.due.values().all(Deed::is_of_agents) {
                // Agents go home; nobody else is left.
                if deed.is_none_or(|deed| deed > last + LONGEST)
                    && tick.is_none_or(|at| at > last + LONGEST)
                {
                    break;
                }
            }
            let Some(at) = [arrival, deed, tick].into_iter().flatten().min() else { break };
            if at > last + LONGEST {
                break;
            }
            self.mono = self.mono.max(at);
            // The desk's own timers come first: what is due is due.
            if tick.is_some_and(|tick| tick <= at) {
                self.put(Input::Tick);
            } else if deed == Some(at) {
                if let Some((_, deed)) = self.due.pop_first() {
                    self.happens(deed);
                }
            } else if let Some(arrival) = self.arrivals.next() {
                let who = self.next_who;
                self.next_who += 1;
                self.calls(arrival.number, 1, who);
            }
        }
    }

    fn happens(&mut self, deed: Deed) {
        let by = Means::Api;
        match deed {
            Deed::Comes { agent } => self.put(Input::Command(Command::SignIn { agent, by })),
            Deed::Goes { agent, at_latest } => {
                if self.waiting > 0 && self.mono < at_latest && self.is_closed() {
                    self.later(LOOKS_EVERY, Deed::Goes { agent, at_latest });
                } else {
                    self.put(Input::Command(Command::SignOut { agent, by }));
                }
            }
            Deed::Breaks { agent } => {
                let reason = self.world.plan.pausing.reasons.first();
                let reason = reason.cloned().unwrap_or_else(|| "break".to_owned());
                self.put(Input::Command(Command::Pause { agent, reason, by }));
            }
            Deed::Returns { agent } => self.put(Input::Command(Command::Unpause { agent, by })),
            Deed::WrapsUp { agent } => {
                if self.wraps.get(&agent).is_some_and(|until| *until <= self.mono) {
                    self.wraps.remove(&agent);
                    self.put(Input::Command(Command::WrapUp { agent, longer: false, by }));
                }
            }
            Deed::Picks { leg } => {
                if self.phones.contains(&leg) {
                    self.put(Input::Answered { leg });
                }
            }
            Deed::Plays { leg, play } => self.put(Input::Played { leg, play }),
            Deed::Presses { leg, key } => {
                if self.people.contains_key(&leg) {
                    self.put(Input::Key { leg, key });
                }
            }
            Deed::Speaks { leg, ms } => self.put(Input::Spoke { leg, ms }),
            Deed::GivesUp { leg } => {
                if self.people.get(&leg).is_some_and(|person| !person.talked) {
                    self.put(Input::Gone { leg, lost: false });
                }
            }
            Deed::Leaves { leg } => {
                if self.people.contains_key(&leg) || self.phones.contains(&leg) {
                    self.put(Input::Gone { leg, lost: false });
                }
            }
            Deed::CallsAgain { number, tries, who } => self.calls(number, tries, who),
        }
    }

    fn is_closed(&self) -> bool {
        let plan = &self.world.plan;
        let at = plan.local(self.wall());
        plan.desk_numbers.values().filter(|desk| desk.counted).all(|desk| {
            let hours = desk.hours.as_ref().and_then(|name| plan.hours.get(name));
            hours.is_some_and(|hours| hours.state(at) != OpenState::Open)
        })
    }

    /// Somebody dials the desk.
    fn calls(&mut self, number: Number, tries: u32, who: u64) {
        let desk = self.world.plan.desk_numbers.get(&number);
        let trunk = desk.and_then(|desk| desk.trunks.first().cloned());
        let trunk = trunk.or_else(|| self.world.lines.keys().next().cloned());
        let trunk = trunk.unwrap_or_else(|| "carrier".into());
        let used = self.used.entry(trunk.clone()).or_default();
        if self.world.lines.get(&trunk).is_some_and(|most| *used >= *most) {
            let at = self.wall();
            (self.tell)(Told::Lost(at));
            self.again(&number, tries, who);
            return;
        }
        *used += 1;
        let leg = LegId(self.next_leg);
        self.next_leg += 2;
        let person = Person {
            number: number.clone(),
            trunk: trunk.clone(),
            tries,
            who,
            asked: false,
            talked: false,
        };
        self.people.insert(leg, person);
        self.arriving = leg;
        // No number that anybody has: none begins with 000.
        let caller = CallerNumber::Known(Private::new(format!("000{who:08}")));
        let caller = Caller { number: caller, name: None, diverted_from: None };
        let origin = Origin::Trunk(trunk);
        self.put(Input::Arrived { leg, dialled: number, caller, origin, hindrance: None });
    }

    /// Who was not served may call again.
    fn again(&mut self, number: &Number, tries: u32, who: u64) {
        let Some(Repeats { share, after }) = &self.world.callers.again else { return };
        if tries < MOST_TRIES
            && uniform(&mut self.rng) < *share
            && let Some(after) = after.draw(&mut self.rng)
        {
            let number = number.clone();
            self.later(after, Deed::CallsAgain { number, tries: tries + 1, who });
        }
    }

    fn entry(&mut self, fact: Fact) {
        self.seq += 1;
        let entry = Entry { seq: self.seq, at: self.wall(), fact };
        (self.tell)(Told::Entry(&entry));
    }

    fn put(&mut self, input: Input) {
        self.inbox.push_back(input);
        while let Some(input) = self.inbox.pop_front() {
            self.inputs += 1;
            if self.inputs >= MOST_INPUTS {
                return;
            }
            if let Input::Gone { leg, .. } = &input {
                self.over(*leg, false);
            }
            let now = Now { mono: self.mono, wall: self.wall() };
            let mut out = std::mem::take(&mut self.out);
            self.desk.handle(input, now, &mut out);
            for action in out.drain(..) {
                self.see(action);
            }
            self.out = out;
        }
    }

    /// A leg is no more, whoever ended it; `refused`: it was never answered at all.
    fn over(&mut self, leg: LegId, refused: bool) {
        self.phones.remove(&leg);
        let Some(person) = self.people.remove(&leg) else { return };
        if let Some(used) = self.used.get_mut(&person.trunk) {
            *used = used.saturating_sub(1);
        }
        if person.asked && !person.talked {
            self.waiting = self.waiting.saturating_sub(1);
        }
        if !person.talked && (person.asked || refused) {
            self.again(&person.number, person.tries, person.who);
        }
    }

    fn see(&mut self, action: Action) {
        match action {
            Action::Record(fact) => {
                self.read(&fact);
                self.entry(fact);
            }
            Action::Play { leg, play, prompts, looped, .. } if !looped => {
                let length = |prompt| self.world.lengths.get(prompt).copied().unwrap_or_default();
                let lasts: Duration = prompts.iter().map(length).sum();
                self.later(lasts, Deed::Plays { leg, play });
            }
            Action::Dial { leg, .. } | Action::DialBack { leg, .. } => self.rings(leg),
            Action::DialOut { leg, .. } => {
                self.phones.insert(leg);
                self.inbox.push_back(Input::Ringing { leg });
                self.later(OUTSIDE_ANSWERS, Deed::Picks { leg });
            }
            Action::Connect { caller, .. } => self.talks(caller),
            Action::Mix { seats, .. } => {
                if let Some(first) = seats.first() {
                    self.talks(first.leg);
                }
            }
            Action::Refuse { leg, .. } => self.over(leg, true),
            Action::HangUp { leg, .. } => self.over(leg, false),
            _ => {}
        }
    }
}

impl Deed {
    fn is_of_agents(&self) -> bool {
        matches!(
            self,
            Self::Comes { .. }
                | Self::Goes { .. }
                | Self::Breaks { .. }
                | Self::Returns { .. }
                | Self::WrapsUp { .. }
        )
    }
}
