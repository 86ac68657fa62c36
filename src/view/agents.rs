//! What each agent does now, as the history tells it.

use crate::base::{AgentId, CallId, Keep, Kept, Wall, kept};
use crate::event::{AgentEvent, OfferEnd};
use chrono::NaiveDate;
use serde::Serialize;
use std::collections::BTreeMap;

/// What the wall shows of an agent. The first that holds, from the top, is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    /// The desk's call that the agent is in.
    pub call: Option<CallId>,
    /// What came of today's ringing.
    pub today: Rings,
}

/// What came of one agent's ringing in one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
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
    /// One that came to nothing.
    fn add(&mut self, why: OfferEnd) {
        let count = match why {
            OfferEnd::RangOut => &mut self.missed,
            OfferEnd::Refused { .. } => &mut self.refused,
            OfferEnd::CallerLeft => &mut self.caller_left,
            OfferEnd::TakenElsewhere => &mut self.taken_elsewhere,
            OfferEnd::Unreachable => &mut self.unreachable,
            OfferEnd::Withdrawn => &mut self.withdrawn,
        };
        *count += 1;
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

kept!(
    enum Activity {
        Idle,
        Talking,
        WrapUp,
    }
);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    since: Wall,
    /// What came of the ringing on the last day with any.
    rings: (NaiveDate, Rings),
    /// The history knows it; otherwise only a plan does.
    in_history: bool,
}

/// Without the plan's part, which a start gives anew.
impl Keep for Agent {
    fn keep(&self, out: &mut Vec<u8>) {
        let Self {
            name: _,
            in_plan: _,
            in_history: _,
            signed_in,
            paused,
            reachable,
            activity,
            offers,
            call,
            since,
            rings,
        } = self;
        (*signed_in, *reachable).keep(out);
        paused.keep(out);
        activity.keep(out);
        (*offers, *call).keep(out);
        since.keep(out);
        rings.keep(out);
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        let (signed_in, reachable) = Keep::found(from)?;
        let (paused, activity) = (Keep::found(from)?, Keep::found(from)?);
        let (offers, call) = Keep::found(from)?;
        let (since, rings) = (Keep::found(from)?, Keep::found(from)?);
        let (name, in_plan, in_history) = (None, false, true);
        Some(Self {
            name,
            in_plan,
            signed_in,
            paused,
            reachable,
            activity,
            offers,
            call,
            since,
            rings,
            in_history,
        })
    }
}

impl Agent {
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Agents(BTreeMap<AgentId, Agent>);

/// Those that only a plan knows are not kept: the plan of the next start may be another.
impl Keep for Agents {
    fn keep(&self, out: &mut Vec<u8>) {
        let kept = self.0.iter().filter(|(_, agent)| agent.in_history);
        kept.clone().count().keep(out);
        for (id, agent) in kept {
            id.keep(out);
            agent.keep(out);
        }
    }

    fn found(from: &mut Kept<'_>) -> Option<Self> {
        Keep::found(from).map(Self)
    }
}

impl Agents {
    /// Takes the plan's names; agents no longer in it stay known, and hidden once signed out.
    pub(super) fn set_roster(&mut self, roster: Vec<(AgentId, String)>) {
        for agent in self.0.values_mut() {
            agent.in_plan = false;
        }
        for (id, name) in roster {
            let agent = self.0.entry(id).or_default();
            agent.in_plan = true;
            agent.name = Some(name);
        }
    }

    fn change(&mut self, id: &AgentId, at: Wall, change: impl FnOnce(&mut Agent)) {
        if !self.0.contains_key(id) {
            self.0.insert(id.clone(), Agent::default());
        }
        let Some(agent) = self.0.get_mut(id) else { return };
        agent.in_history = true;
        let before = agent.state();
        change(agent);
        if agent.state() != before {
            agent.since = at;
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
            AgentEvent::Talking => agent.activity = Activity::Talking,
            AgentEvent::WrapUp { .. } => (agent.activity, agent.call) = (Activity::WrapUp, None),
            AgentEvent::Idle => (agent.activity, agent.call) = (Activity::Idle, None),
            AgentEvent::Phone { reachable } => agent.reachable = *reachable,
        });
    }

    pub(super) fn offer_made(&mut self, id: &AgentId, at: Wall) {
        self.change(id, at, |agent| agent.offers += 1);
    }

    /// A ringing was answered, or came to nothing for this reason.
    pub(super) fn rang(&mut self, id: &AgentId, why: Option<OfferEnd>, day: NaiveDate) {
        let Some(agent) = self.0.get_mut(id) else { return };
        if agent.rings.0 != day {
            agent.rings = (day, Rings::default());
        }
        match why {
            Some(why) => agent.rings.1.add(why),
            None => agent.rings.1.answered += 1,
        }
    }

    pub(super) fn offer_over(&mut self, id: &AgentId, at: Wall) {
        self.change(id, at, |agent| agent.offers = agent.offers.saturating_sub(1));
    }

    pub(super) fn in_call(&mut self, id: &AgentId, call: CallId, at: Wall) {
        self.change(id, at, |agent| agent.call = Some(call));
    }

    pub(super) fn call_over(&mut self, id: &AgentId, call: CallId) {
        if let Some(agent) = self.0.get_mut(id)
            && agent.call == Some(call)
        {
            agent.call = None;
        }
    }

    /// A new process knows no phone and is in no call; who takes part and who is set aside stays.
    pub(super) fn restarted(&mut self, at: Wall) {
        let known = self.0.iter().filter(|(_, agent)| agent.in_history);
        let all: Vec<AgentId> = known.map(|(id, _)| id.clone()).collect();
        for id in all {
            self.change(&id, at, |agent| {
                agent.reachable = false;
                agent.activity = Activity::Idle;
                agent.offers = 0;
                agent.call = None;
            });
        }
    }

    fn shown(&self) -> impl Iterator<Item = (&AgentId, &Agent)> {
        self.0.iter().filter(|(_, agent)| agent.in_plan || agent.state() != AgentState::SignedOut)
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
            call: agent.call,
        })
    }

    /// How many are in each state, in the order of [`AgentState::ALL`].
    pub(super) fn counts(&self) -> [(AgentState, u64); AgentState::ALL.len()] {
        let mut counts = AgentState::ALL.map(|state| (state, 0));
        for (_, agent) in self.shown() {
            counts[agent.state() as usize].1 += 1;
        }
        counts
    }

    pub(super) fn for_restore(&self) -> Vec<AgentRestore> {
        let kept = self.0.iter().filter(|(_, agent)| agent.signed_in || agent.paused.is_some());
        kept.map(|(id, agent)| AgentRestore {
            agent: id.clone(),
            signed_in: agent.signed_in,
            paused: agent.paused.clone(),
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{AgentRestore, AgentState, Agents};
    use crate::base::{AgentId, Wall};
    use crate::event::{AgentEvent as E, Means, OfferEnd};
    use chrono::NaiveDate;

    #[test]
    fn the_state_that_matters_most_is_shown() {
        let id = AgentId::from("2001");
        let mut agents = Agents::default();
        agents.set_roster(vec![(id.clone(), "佐藤".into())]);
        let steps: &[(E, AgentState)] = &[
            (E::Phone { reachable: true }, AgentState::SignedOut),
            (E::SignedIn { by: Means::FeatureCode }, AgentState::Idle),
            (E::Phone { reachable: false }, AgentState::Unreachable),
            (E::Paused { by: Means::Api, reason: "昼休み".into() }, AgentState::Paused),
            (E::Phone { reachable: true }, AgentState::Paused),
            (E::Talking, AgentState::Talking),
            (E::WrapUp { for_ms: 30_000 }, AgentState::WrapUp),
            (E::Idle, AgentState::Paused),
            (E::Unpaused { by: Means::Api }, AgentState::Idle),
            (E::Talking, AgentState::Talking),
            (E::SignedOut { by: Means::Api }, AgentState::Talking),
            (E::Idle, AgentState::SignedOut),
        ];
        for (at, (event, due)) in (1..).zip(steps) {
            agents.apply(&id, event, Wall(at));
            let row = agents.rows(NaiveDate::MIN).next().expect("shown");
            assert_eq!(row.state, *due, "after {event:?}");
        }
    }

    #[test]
    fn since_moves_only_with_the_state_shown() {
        let id = AgentId::from("2001");
        let mut agents = Agents::default();
        agents.apply(&id, &E::SignedIn { by: Means::Api }, Wall(10));
        agents.apply(&id, &E::Phone { reachable: true }, Wall(20));
        agents.apply(&id, &E::Phone { reachable: true }, Wall(30));
        agents.offer_made(&id, Wall(40));
        agents.offer_over(&id, Wall(50));
        assert_eq!(
            agents.rows(NaiveDate::MIN).next().map(|row| (row.state, row.since_ms)),
            Some((AgentState::Idle, Wall(50)))
        );
    }

    #[test]
    fn a_restart_forgets_calls_and_phones_and_keeps_people() {
        let id = AgentId::from("2001");
        let mut agents = Agents::default();
        agents.apply(&id, &E::SignedIn { by: Means::Api }, Wall(1));
        agents.apply(&id, &E::Paused { by: Means::Rule, reason: "rang out".into() }, Wall(2));
        agents.apply(&id, &E::Talking, Wall(3));
        agents.restarted(Wall(4));
        let due = AgentRestore { agent: id, signed_in: true, paused: Some("rang out".into()) };
        assert_eq!(agents.for_restore(), [due]);
        assert_eq!(
            agents.rows(NaiveDate::MIN).next().map(|row| row.state),
            Some(AgentState::Paused)
        );
    }

    #[test]
    fn who_left_the_plan_is_hidden_once_signed_out() {
        let id = AgentId::from("2001");
        let mut agents = Agents::default();
        agents.set_roster(vec![(id.clone(), "佐藤".into())]);
        agents.apply(&id, &E::SignedIn { by: Means::Api }, Wall(1));
        agents.set_roster(vec![]);
        assert_eq!(agents.rows(NaiveDate::MIN).count(), 1);
        agents.apply(&id, &E::SignedOut { by: Means::Api }, Wall(2));
        assert_eq!(agents.rows(NaiveDate::MIN).count(), 0);
    }

    #[test]
    fn missed_refused_cancelled_and_taken_elsewhere_are_told_apart() {
        let id = AgentId::from("2001");
        let mut agents = Agents::default();
        agents.apply(&id, &E::SignedIn { by: Means::Api }, Wall(1));
        let day = |day| NaiveDate::from_ymd_opt(2026, 10, day).expect("a day");
        agents.rang(&id, Some(OfferEnd::RangOut), day(1));
        let today = [
            None,
            Some(OfferEnd::RangOut),
            Some(OfferEnd::Refused { status: 486 }),
            Some(OfferEnd::CallerLeft),
            Some(OfferEnd::TakenElsewhere),
            Some(OfferEnd::RangOut),
        ];
        for why in today {
            agents.rang(&id, why, day(2));
        }
        let rings = |day| agents.rows(day).next().map(|row| row.today).expect("shown");
        let due = super::Rings {
            answered: 1,
            missed: 2,
            refused: 1,
            caller_left: 1,
            taken_elsewhere: 1,
            ..super::Rings::default()
        };
        assert_eq!(rings(day(2)), due, "yesterday's are not among them");
        assert_eq!(rings(day(3)), super::Rings::default());
    }
}
