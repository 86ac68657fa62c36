//! What each agent does now, as the history tells it, and into what its time goes: where that went stands
//! in `worked`.

use super::ledger::Spot;
use super::worked::{Doing, Worked};
use crate::base::{AgentId, CallId, Wall, kept};
use crate::event::{AgentEvent, OfferEnd};
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// What the wall shows of an agent. The first that holds, from the top, is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    /// In a call of any kind.
    Talking,
    /// The phone rings for a call of the desk.
    Ringing,
    /// Takes no part.
    SignedOut,
    /// After-call work.
    WrapUp,
    /// Set aside, with a reason.
    Paused,
    /// Signed in, but the phone is not registered.
    Unreachable,
    /// Free for the next call.
    Idle,
}

impl AgentState {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Talking,
        Self::Ringing,
        Self::SignedOut,
        Self::WrapUp,
        Self::Paused,
        Self::Unreachable,
        Self::Idle,
    ];

    /// As in the API and the metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Talking => "talking",
            Self::Ringing => "ringing",
            Self::SignedOut => "signed_out",
            Self::WrapUp => "wrap_up",
            Self::Paused => "paused",
            Self::Unreachable => "unreachable",
            Self::Idle => "idle",
        }
    }
}

/// One agent as shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AgentRow {
    /// The agent's own line.
    pub agent: AgentId,
    /// For people; the line's number when the plan names nobody.
    pub name: String,
    /// What is shown.
    pub state: AgentState,
    /// Since when, by the wall clock.
    pub since_ms: Wall,
    /// Takes part in the groups.
    pub signed_in: bool,
    /// Why set aside, while it is.
    pub paused: Option<String>,
    /// The phone can be rung.
    pub reachable: bool,
    /// When after-call work ends by itself, by the wall clock, while it lasts.
    pub wrap_up_until_ms: Option<Wall>,
    /// The desk's call that the agent is in.
    pub call: Option<CallId>,
    /// What came of today's ringing.
    pub today: Rings,
}

/// What came of one agent's ringing in one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Rings {
    /// Put through to the caller.
    pub answered: u64,
    /// Rang out.
    pub missed: u64,
    /// The phone said no.
    pub refused: u64,
    /// The caller hung up meanwhile.
    pub caller_left: u64,
    /// Another phone answered first.
    pub taken_elsewhere: u64,
    /// The phone could not be reached.
    pub unreachable: u64,
    /// We ended it ourselves.
    pub withdrawn: u64,
}

kept!(struct Rings { answered, missed, refused, caller_left, taken_elsewhere, unreachable, withdrawn });

impl Rings {
    /// Ways in which a ringing can end.
    pub(super) const KINDS: usize = 7;

    /// The place of an end among them, in the order of the fields above; none: it was answered.
    pub(super) fn kind(why: Option<OfferEnd>) -> usize {
        match why {
            None => 0,
            Some(OfferEnd::RangOut) => 1,
            Some(OfferEnd::Refused { .. }) => 2,
            Some(OfferEnd::CallerLeft) => 3,
            Some(OfferEnd::TakenElsewhere) => 4,
            Some(OfferEnd::Unreachable) => 5,
            Some(OfferEnd::Withdrawn) => 6,
        }
    }

    /// Of counts in that order.
    pub(super) fn of_counts(counts: [u64; Self::KINDS]) -> Self {
        let [answered, missed, refused, caller_left, taken_elsewhere, unreachable, withdrawn] =
            counts;
        Self { answered, missed, refused, caller_left, taken_elsewhere, unreachable, withdrawn }
    }

    /// In that order, with the names of the fields.
    #[must_use]
    pub fn named(&self) -> [(&'static str, u64); Self::KINDS] {
        [
            ("answered", self.answered),
            ("missed", self.missed),
            ("refused", self.refused),
            ("caller_left", self.caller_left),
            ("taken_elsewhere", self.taken_elsewhere),
            ("unreachable", self.unreachable),
            ("withdrawn", self.withdrawn),
        ]
    }

    /// Adds another's.
    pub fn merge(&mut self, other: &Self) {
        let (mine, theirs) = (self.named(), other.named());
        let sum = |place: usize| mine[place].1.saturating_add(theirs[place].1);
        *self = Self::of_counts(std::array::from_fn(sum));
    }

    /// One more.
    fn add(&mut self, why: Option<OfferEnd>) {
        let mut one = [0; Self::KINDS];
        one[Self::kind(why)] = 1;
        self.merge(&Self::of_counts(one));
    }
}

/// What must be given back to the desk after a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentRestore {
    /// Who.
    pub agent: AgentId,
    /// Took part in the groups.
    pub signed_in: bool,
    /// Was set aside for this reason.
    pub paused: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Activity {
    #[default]
    Idle,
    Talking,
    WrapUp,
}

/// Calls of the desk that one agent has at once and that are told apart; more only by a fault.
const CALLS_AT_ONCE: usize = 16;

/// A call of the desk that an agent is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Handled {
    call: CallId,
    /// Its line in the ledger.
    spot: Option<Spot>,
    /// The caller is held.
    held: bool,
}

/// After-call work that is over, and the line of the call that it followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WrappedUp {
    pub call: CallId,
    pub spot: Spot,
    pub ms: u64,
}

kept!(
    enum Activity {
        Idle,
        Talking,
        WrapUp,
    }
);
kept!(struct Handled { call, spot, held });
kept!(struct WrappedUp { call, spot, ms });

#[derive(Clone, Debug, PartialEq, Eq)]
struct Agent {
    name: Option<String>,
    in_plan: bool,
    signed_in: bool,
    paused: Option<String>,
    reachable: bool,
    activity: Activity,
    /// Calls that ring the phone; more than one only by a fault.
    offers: u32,
    call: Option<CallId>,
    /// The call of the desk that it was in last.
    last: Option<CallId>,
    /// When after-call work ends by itself.
    wrap_up_until: Wall,
    since: Wall,
    /// What came of the ringing on the last day with any.
    rings: (NaiveDate, Rings),
    /// The desk's calls that the agent is in.
    handled: Vec<Handled>,
    /// The last that the agent was in since it was free: what its after-call work belongs to.
    after: Option<Handled>,
    /// After-call work since then, milliseconds.
    wrap_up_ms: u64,
    /// Since when its time goes where it goes, by the clock of [`Worked`].
    doing_since: Wall,
    /// The history knows it; otherwise only a plan does.
    in_history: bool,
}

impl Agent {
    /// One of whom nothing is known yet.
    fn new() -> Self {
        Self {
            name: None,
            in_plan: false,
            signed_in: false,
            paused: None,
            reachable: false,
            activity: Activity::Idle,
            offers: 0,
            call: None,
            last: None,
            wrap_up_until: Wall::default(),
            since: Wall::default(),
            rings: (NaiveDate::default(), Rings::default()),
            handled: Vec::new(),
            after: None,
            wrap_up_ms: 0,
            doing_since: Wall::default(),
            in_history: false,
        }
    }

    /// Where its time goes; none while it takes no part and talks with no caller of the desk.
    fn doing(&self) -> Option<Doing> {
        let talks = self.activity == Activity::Talking;
        let with_caller = talks && !self.handled.is_empty();
        match self {
            Self { signed_in: false, .. } => with_caller.then_some(Doing::SignedOutTalk),
            _ if with_caller => {
                let held = self.handled.iter().all(|it| it.held);
                Some(if held { Doing::Hold } else { Doing::Talk })
            }
            _ if talks => Some(Doing::OtherCall),
            Self { offers: 1.., .. } => Some(Doing::Ringing),
            Self { activity: Activity::WrapUp, .. } => Some(Doing::WrapUp),
            Self { paused: Some(_), .. } => Some(Doing::Paused),
            Self { reachable: false, .. } => Some(Doing::Unreachable),
            Self { .. } => Some(Doing::Idle),
        }
    }

    /// It is in a call of the desk no more.
    fn leave(&mut self, call: CallId) {
        if self.call == Some(call) {
            self.call = None;
        }
        if let Some(place) = self.handled.iter().position(|it| it.call == call) {
            self.after = Some(self.handled.remove(place));
        }
    }

    /// Its time up to the clock went into what it did.
    fn settle(&mut self, doing: Option<Doing>, id: &AgentId, worked: &mut Worked) {
        let clock = worked.clock();
        if let Some(doing) = doing {
            worked.spend(id, doing, self.doing_since);
            if doing == Doing::WrapUp {
                let ms = clock.0.saturating_sub(self.doing_since.0);
                let ms = u64::try_from(ms).unwrap_or(0);
                self.wrap_up_ms = self.wrap_up_ms.saturating_add(ms);
            }
        }
        self.doing_since = clock;
    }

    /// It is in no call any more.
    fn hang_up(&mut self) {
        self.call = None;
        self.after = self.handled.last().copied().or(self.after);
        self.handled.clear();
    }

    fn state(&self) -> AgentState {
        match self {
            Self { activity: Activity::Talking, .. } => AgentState::Talking,
            Self { offers: 1.., .. } => AgentState::Ringing,
            Self { signed_in: false, .. } => AgentState::SignedOut,
            Self { activity: Activity::WrapUp, .. } => AgentState::WrapUp,
            Self { paused: Some(_), .. } => AgentState::Paused,
            Self { reachable: false, .. } => AgentState::Unreachable,
            Self { .. } => AgentState::Idle,
        }
    }
}

/// All agents of the plan, and those that only the history knows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Agents {
    all: BTreeMap<AgentId, Agent>,
    worked: Worked,
    /// After-call work that is over and not yet in the ledger: at most one for each agent.
    wrapped_up: Vec<WrappedUp>,
}

impl Agents {
    pub(super) fn new(zone: chrono_tz::Tz) -> Self {
        Self { all: BTreeMap::new(), worked: Worked::new(zone), wrapped_up: Vec::new() }
    }

    /// Where agents' time went.
    pub(super) fn worked(&self) -> &Worked {
        &self.worked
    }

    pub(super) fn worked_mut(&mut self) -> &mut Worked {
        &mut self.worked
    }

    /// What lasts: each agent's state and since when.
    pub(super) fn doing(&self) -> impl Iterator<Item = (&AgentId, Doing, Wall)> {
        self.all.iter().filter_map(|(id, it)| Some((id, it.doing()?, it.doing_since)))
    }

    /// Agents of the plan and those that are shown, with their names.
    pub(super) fn named(&self) -> impl Iterator<Item = (&AgentId, &str)> {
        self.shown().map(|(id, it)| (id, it.name.as_deref().unwrap_or(id.as_str())))
    }

    /// After-call work that ended since this was asked.
    pub(super) fn take_wrapped_up(&mut self) -> Vec<WrappedUp> {
        std::mem::take(&mut self.wrapped_up)
    }

    /// Takes the plan's names; agents no longer in it stay known, and hidden once signed out.
    pub(super) fn set_roster(&mut self, roster: Vec<(AgentId, String)>) {
        for agent in self.all.values_mut() {
            agent.in_plan = false;
        }
        for (id, name) in roster {
            let agent = self.all.entry(id).or_insert_with(Agent::new);
            agent.in_plan = true;
            agent.name = Some(name);
        }
    }

    fn change(&mut self, id: &AgentId, at: Wall, change: impl FnOnce(&mut Agent)) {
        if !self.all.contains_key(id) {
            self.all.insert(id.clone(), Agent::new());
        }
        let Some(agent) = self.all.get_mut(id) else { return };
        if !agent.in_history {
            (agent.in_history, agent.doing_since) = (true, self.worked.clock());
        }
        let (before, doing) = (agent.state(), agent.doing());
        let (activity, after) = (agent.activity, agent.after);
        change(agent);
        if agent.state() != before {
            agent.since = at;
        }
        if agent.doing() != doing {
            agent.settle(doing, id, &mut self.worked);
        }
        if activity == Activity::WrapUp && agent.activity != Activity::WrapUp {
            let ms = std::mem::take(&mut agent.wrap_up_ms);
            if let Some(Handled { call, spot: Some(spot), .. }) = after {
                self.wrapped_up.push(WrappedUp { call, spot, ms });
            }
        }
    }

    pub(super) fn apply(&mut self, id: &AgentId, event: &AgentEvent, at: Wall) {
        self.change(id, at, |agent| match event {
            AgentEvent::SignedIn { .. } => agent.signed_in = true,
            AgentEvent::SignedOut { .. } => {
                agent.signed_in = false;
                agent.paused = None;
            }
            AgentEvent::Paused { reason, .. } => agent.paused = Some(reason.clone()),
            AgentEvent::Unpaused { .. } => agent.paused = None,
            AgentEvent::Talking => {
                if agent.activity != Activity::Talking && agent.handled.is_empty() {
                    // Work after a call that the agent places is not that of its last caller.
                    agent.after = None;
                }
                agent.activity = Activity::Talking;
            }
            AgentEvent::WrapUp { for_ms } => {
                agent.hang_up();
                agent.wrap_up_until = Wall(at.0.saturating_add_unsigned(*for_ms));
                agent.activity = Activity::WrapUp;
            }
            AgentEvent::Idle => {
                agent.hang_up();
                (agent.activity, agent.after) = (Activity::Idle, None);
            }
            AgentEvent::Phone { reachable } => agent.reachable = *reachable,
        });
    }

    pub(super) fn offer_made(&mut self, id: &AgentId, at: Wall) {
        self.change(id, at, |agent| agent.offers += 1);
    }

    /// A ringing was answered, or came to nothing for this reason.
    pub(super) fn rang(&mut self, id: &AgentId, why: Option<OfferEnd>, day: NaiveDate) {
        let Some(agent) = self.all.get_mut(id) else { return };
        if agent.rings.0 != day {
            agent.rings = (day, Rings::default());
        }
        agent.rings.1.add(why);
        self.worked.rang(id, why);
    }

    pub(super) fn offer_over(&mut self, id: &AgentId, at: Wall) {
        self.change(id, at, |agent| agent.offers = agent.offers.saturating_sub(1));
    }

    /// The agent was put through to a caller, or the caller came back.
    pub(super) fn in_call(&mut self, id: &AgentId, call: CallId, spot: Option<Spot>, at: Wall) {
        self.change(id, at, |agent| {
            (agent.call, agent.last) = (Some(call), Some(call));
            let handled = Handled { call, spot, held: false };
            agent.after = Some(handled);
            agent.handled.retain(|it| it.call != call);
            if agent.handled.len() < CALLS_AT_ONCE {
                agent.handled.push(handled);
            }
        });
    }

    /// The agent was put through to a caller.
    pub(super) fn taken(&mut self, id: &AgentId) {
        self.worked.taken(id);
    }

    /// The caller is held, or no more.
    pub(super) fn held(&mut self, id: &AgentId, call: CallId, held: bool, at: Wall) {
        if !self.all.contains_key(id) {
            return;
        }
        self.change(id, at, |agent| {
            let mut all = agent.handled.iter_mut();
            if let Some(handled) = all.find(|it| it.call == call) {
                handled.held = held;
            }
        });
    }

    pub(super) fn call_over(&mut self, id: &AgentId, call: CallId, at: Wall) {
        if self.all.contains_key(id) {
            self.change(id, at, |agent| agent.leave(call));
        }
    }

    /// A new process knows no phone and is in no call; who takes part and who is set aside stays.
    /// What went on is over with the last that was witnessed of the process before; what lies between is
    /// nobody's time.
    pub(super) fn restarted(&mut self, at: Wall) {
        let known = self.all.iter().filter(|(_, agent)| agent.in_history);
        let all: Vec<AgentId> = known.map(|(id, _)| id.clone()).collect();
        for id in &all {
            self.change(id, at, |agent| {
                agent.hang_up();
                agent.reachable = false;
                (agent.activity, agent.after) = (Activity::Idle, None);
                agent.offers = 0;
            });
        }
        self.turn_to(at);
    }

    /// The history witnesses a time. One that lies before the latest says that the wall clock was set back:
    /// what lasts is counted up to that, and goes on from here.
    pub(super) fn witness(&mut self, at: Wall) {
        if at < self.worked.clock() {
            self.turn_to(at);
        } else {
            self.worked.set_clock(at);
        }
    }

    /// What lasts is counted up to the clock, and goes on from another time.
    fn turn_to(&mut self, at: Wall) {
        for (id, agent) in self.all.iter_mut().filter(|(_, agent)| agent.in_history) {
            agent.settle(agent.doing(), id, &mut self.worked);
            agent.doing_since = at;
        }
        self.worked.set_clock(at);
    }

    fn shown(&self) -> impl Iterator<Item = (&AgentId, &Agent)> {
        self.all.iter().filter(|(_, agent)| agent.in_plan || agent.state() != AgentState::SignedOut)
    }

    pub(super) fn rows(&self, today: NaiveDate) -> impl Iterator<Item = AgentRow> {
        self.shown().map(move |(id, agent)| AgentRow {
            today: if agent.rings.0 == today { agent.rings.1 } else { Rings::default() },
            agent: id.clone(),
            name: agent.name.clone().unwrap_or_else(|| id.to_string()),
            state: agent.state(),
            since_ms: agent.since,
            signed_in: agent.signed_in,
            paused: agent.paused.clone(),
            reachable: agent.reachable,
            wrap_up_until_ms: (agent.activity == Activity::WrapUp).then_some(agent.wrap_up_until),
            call: agent.call,
        })
    }

    pub(super) fn is_in_plan(&self, id: &AgentId) -> bool {
        self.all.get(id).is_some_and(|agent| agent.in_plan)
    }

    /// The call of the desk that the agent is in, or was in last.
    pub(super) fn last_call_of(&self, id: &AgentId) -> Option<CallId> {
        self.all.get(id)?.last
    }

    /// How many are in each state, in the order of [`AgentState::ALL`].
    pub(super) fn counts(&self) -> [(AgentState, u64); AgentState::ALL.len()] {
        let mut counts = AgentState::ALL.map(|state| (state, 0));
        for (_, agent) in self.shown() {
            counts[agent.state() as usize].1 += 1;
        }
        counts
    }

    /// The same of these agents alone.
    pub(super) fn counts_of<'a>(
        &self,
        wanted: impl Iterator<Item = &'a AgentId>,
    ) -> [(AgentState, u64); AgentState::ALL.len()] {
        let mut counts = AgentState::ALL.map(|state| (state, 0));
        for agent in wanted.filter_map(|id| self.all.get(id)) {
            counts[agent.state() as usize].1 += 1;
        }
        counts
    }

    pub(super) fn for_restore(&self) -> Vec<AgentRestore> {
        let kept = self.all.iter().filter(|(_, agent)| agent.signed_in || agent.paused.is_some());
        kept.map(|(id, agent)| AgentRestore {
            agent: id.clone(),
            signed_in: agent.signed_in,
            paused: agent.paused.clone(),
        })
        .collect()
    }
}

mod keeping;

#[cfg(test)]
mod tests;
