//! What changes an agent, and what follows from it at once: the history's entry, the groups' free
//! lists, the deadline. All changes end in one place, so no agent can be left "in a call" by a path
//! that forgot it. Counts are taken down saturating: what a caught panic left half done must not panic
//! again.

use super::agent::{AgentIx, AgentMemory, AgentState, Duty, Told, reason};
use super::api::CommandError;
use super::floor::{Floor, Turn};
use super::group::Standing;
use super::timers::Timer;
use crate::base::{LegId, Mono};
use crate::dialplan::SetAside;
use crate::event::{AgentEvent, Fact, Means};
use std::time::Duration;

/// A set-aside is never shorter, or a phone that refuses at once would be dialled without a pause.
const ASIDE_LEAST: Duration = Duration::from_secs(1);

/// How long a phone that could not be reached is left alone. Not the agent's doing, so the plan's
/// rule for refusals is not applied.
const UNREACHABLE_ASIDE: Duration = Duration::from_secs(30);

/// After-call work that a person makes longer ends at most so long from then.
const WRAP_UP_MOST: Duration = Duration::from_hours(1);

/// A pause reason is cut to this many characters.
const REASON_MOST: usize = 64;

/// How an offer ended without a conversation, as far as the agent is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missed {
    /// Not the agent's doing: the caller left, another took it, the system ended it.
    Nothing,
    /// Rang out; the group's rule, and from which one in a row on it holds.
    RangOut(SetAside, u32),
    /// Refused; the group's rule.
    Refused(SetAside),
    /// The phone could not be reached.
    Unreachable,
}

/// What a person may order of one agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AgentOrder {
    /// To take part.
    SignIn,
    /// To take part no more.
    SignOut,
    /// To be left alone.
    Pause { reason: String },
    /// To be rung again.
    Unpause,
    /// After-call work: more of it, or none.
    WrapUp { longer: bool },
}

impl Floor {
    /// Takes over what the history says; once, before any input.
    pub(super) fn remember(&mut self, ix: AgentIx, memory: AgentMemory) {
        self.rank += 1;
        let rank = self.rank;
        let agent = self.agent_mut(ix);
        let before = agent.shown;
        agent.remember(memory);
        agent.rank = rank;
        let (after, deadline) = (agent.shown, agent.deadline());
        self.count_state(before, after);
        self.arm_agent(ix, deadline);
    }

    /// A queue's offer begins to ring at a free agent's phone.
    pub(super) fn offer_begins(&mut self, ix: AgentIx, leg: LegId, turn: &mut Turn<'_>) {
        let line = &mut self.agent_mut(ix).line;
        assert!(line.is_free(), "a queue must ring free agents only");
        line.offer = Some(leg);
        self.settle_agent(ix, turn);
    }

    /// The offer is over without a conversation.
    pub(super) fn offer_ends(&mut self, ix: AgentIx, missed: Missed, turn: &mut Turn<'_>) {
        self.agent_mut(ix).line.offer = None;
        self.thin(ix);
        let aside = match missed {
            Missed::Nothing => None,
            Missed::RangOut(rule, most) => {
                self.rank += 1;
                let rank = self.rank;
                let agent = self.agent_mut(ix);
                agent.rank = rank;
                agent.rung_out += 1;
                (agent.rung_out >= most).then(|| {
                    agent.rung_out = 0;
                    (rule, reason::RANG_OUT, reason::RANG_OUT_BRIEFLY)
                })
            }
            Missed::Refused(rule) => Some((rule, reason::REFUSED, reason::REFUSED_BRIEFLY)),
            Missed::Unreachable => {
                let brief = reason::UNREACHABLE_BRIEFLY;
                Some((SetAside::For(UNREACHABLE_ASIDE), brief, brief))
            }
        };
        if let Some((rule, lasting, brief)) = aside
            && self.agent(ix).duty == Duty::In
        {
            // To the end of the line: or the longest idle would be rung again as soon as free.
            self.rank += 1;
            let rank = self.rank;
            let agent = self.agent_mut(ix);
            agent.rank = rank;
            let reason = match rule {
                SetAside::Pause => {
                    agent.duty = Duty::Paused { reason: lasting.to_owned() };
                    lasting
                }
                SetAside::For(span) => {
                    let until = turn.now.mono + span.max(ASIDE_LEAST);
                    agent.duty = Duty::Aside { until, reason: brief };
                    brief
                }
            };
            let event = AgentEvent::Paused { by: Means::Rule, reason: reason.to_owned() };
            self.note(ix, event, turn);
        }
        self.settle_agent(ix, turn);
    }

    /// The agent answered the queue's offer.
    pub(super) fn offer_taken(&mut self, ix: AgentIx, turn: &mut Turn<'_>) {
        let line = &mut self.agent_mut(ix).line;
        line.offer = None;
        line.talking += 1;
        self.agent_mut(ix).rung_out = 0;
        self.thin(ix);
        self.settle_agent(ix, turn);
    }

    /// The agent was put through to a caller.
    pub(super) fn count_answer(&mut self, ix: AgentIx) {
        let agent = self.agent_mut(ix);
        agent.answered = agent.answered.saturating_add(1);
    }

    /// An agent's phone rings no more for the queue.
    fn thin(&mut self, ix: AgentIx) {
        self.thinned.extend(self.agents[ix.0 as usize].groups.iter().map(|(group, _)| *group));
    }

    /// A direct call begins to ring at the phone.
    pub(super) fn direct_rings(&mut self, ix: AgentIx, turn: &mut Turn<'_>) {
        self.agent_mut(ix).line.ringing += 1;
        self.settle_agent(ix, turn);
    }

    /// A direct call rings no more and was not answered.
    pub(super) fn direct_ends(&mut self, ix: AgentIx, turn: &mut Turn<'_>) {
        let line = &mut self.agent_mut(ix).line;
        line.ringing = line.ringing.saturating_sub(1);
        self.settle_agent(ix, turn);
    }

    /// The agent answered a direct call.
    pub(super) fn direct_taken(&mut self, ix: AgentIx, turn: &mut Turn<'_>) {
        let line = &mut self.agent_mut(ix).line;
        line.ringing = line.ringing.saturating_sub(1);
        line.talking += 1;
        self.settle_agent(ix, turn);
    }

    /// The agent places a call.
    pub(super) fn call_placed(&mut self, ix: AgentIx, turn: &mut Turn<'_>) {
        self.agent_mut(ix).line.talking += 1;
        self.settle_agent(ix, turn);
    }

    /// A call at the agent's phone is over, answered or placed; `wrap_up` is the work due after it.
    pub(super) fn talk_ends(&mut self, ix: AgentIx, wrap_up: Duration, turn: &mut Turn<'_>) {
        let now = turn.now.mono;
        let agent = self.agent_mut(ix);
        agent.line.talking = agent.line.talking.saturating_sub(1);
        if !wrap_up.is_zero() && agent.duty != Duty::Out {
            let until = Some(now + wrap_up);
            agent.line.wrap_until = agent.line.wrap_until.max(until);
        }
        self.settle_agent(ix, turn);
    }

    /// A feature code is being answered.
    pub(super) fn code_begins(&mut self, ix: AgentIx, turn: &mut Turn<'_>) {
        self.agent_mut(ix).line.codes += 1;
        self.settle_agent(ix, turn);
    }

    /// The feature code's leg is over.
    pub(super) fn code_ends(&mut self, ix: AgentIx, turn: &mut Turn<'_>) {
        let line = &mut self.agent_mut(ix).line;
        line.codes = line.codes.saturating_sub(1);
        self.settle_agent(ix, turn);
    }

    /// The phone's registration came or went.
    pub(super) fn phone_changed(&mut self, ix: AgentIx, reachable: bool, turn: &mut Turn<'_>) {
        let agent = self.agent_mut(ix);
        agent.reachable = reachable;
        if let Duty::Aside { until, reason: reason::UNREACHABLE_BRIEFLY } = &mut agent.duty
            && reachable
        {
            // What kept the agent aside is over.
            *until = turn.now.mono;
        }
        self.tell_reachable(ix, turn);
        let agent = self.agent_mut(ix);
        if reachable && agent.signs_in_alone && agent.duty == Duty::Out {
            agent.signs_in_alone = false;
            self.sign_in(ix, Means::Rule, turn);
        }
        self.settle_agent(ix, turn);
    }

    /// The agent's deadline has come.
    pub(super) fn agent_due(&mut self, ix: AgentIx, turn: &mut Turn<'_>) {
        self.agent_mut(ix).timer = None;
        self.tell_reachable(ix, turn);
        self.settle_agent(ix, turn);
    }

    /// A person's order about an agent.
    pub(super) fn obey(
        &mut self,
        ix: AgentIx,
        order: AgentOrder,
        by: Means,
        turn: &mut Turn<'_>,
    ) -> Result<(), CommandError> {
        use AgentOrder as O;
        use CommandError::{AlreadySo, NoSuchReason, NotSignedIn};
        let plan = self.plan.clone();
        let agent = self.agent_mut(ix);
        match (&agent.duty, order) {
            (Duty::Out, O::SignIn) => {
                agent.signs_in_alone = false;
                self.sign_in(ix, by, turn);
            }
            (Duty::In | Duty::Aside { .. } | Duty::Paused { .. }, O::SignIn)
            | (Duty::Out, O::SignOut)
            | (Duty::Paused { .. }, O::Pause { .. })
            | (Duty::In, O::Unpause) => return Err(AlreadySo),
            (Duty::Out, O::Pause { .. } | O::Unpause) => {
                return Err(NotSignedIn);
            }
            (Duty::In | Duty::Aside { .. } | Duty::Paused { .. }, O::SignOut) => {
                // After-call work ends with the day's work; a call in progress goes on.
                agent.line.wrap_until = None;
                self.settle_agent(ix, turn);
                self.agent_mut(ix).duty = Duty::Out;
                self.note(ix, AgentEvent::SignedOut { by }, turn);
            }
            (_, O::WrapUp { longer }) => {
                return self.wrap_up_ordered(ix, longer, turn);
            }
            (Duty::In | Duty::Aside { .. }, O::Pause { reason })
                if by == Means::Api && !plan.pausing.allows(&reason) =>
            {
                return Err(NoSuchReason);
            }
            (Duty::In | Duty::Aside { .. }, O::Pause { reason }) => {
                let reason: String = reason.chars().take(REASON_MOST).collect();
                agent.duty = Duty::Paused { reason: reason.clone() };
                self.note(ix, AgentEvent::Paused { by, reason }, turn);
            }
            (Duty::Aside { .. } | Duty::Paused { .. }, O::Unpause) => {
                agent.duty = Duty::In;
                self.note(ix, AgentEvent::Unpaused { by }, turn);
            }
        }
        self.settle_agent(ix, turn);
        Ok(())
    }

    /// A person makes after-call work longer, or ends it.
    fn wrap_up_ordered(
        &mut self,
        ix: AgentIx,
        longer: bool,
        turn: &mut Turn<'_>,
    ) -> Result<(), CommandError> {
        let (now, more) = (turn.now.mono, self.plan.pausing.wrap_up_more);
        let agent = self.agent_mut(ix);
        let until = agent.line.wrap_until.filter(|_| agent.line.talking == 0);
        let until = until.ok_or(CommandError::NotInWrapUp)?;
        if longer {
            // From its end on, and never beyond the most from now on.
            let until = (until.max(now) + more).min(now + WRAP_UP_MOST);
            agent.line.wrap_until = Some(until);
            self.note(ix, AgentEvent::WrapUp { for_ms: until.ms_since(now) }, turn);
        } else {
            agent.line.wrap_until = None;
        }
        self.settle_agent(ix, turn);
        Ok(())
    }

    fn sign_in(&mut self, ix: AgentIx, by: Means, turn: &mut Turn<'_>) {
        self.rank += 1;
        let rank = self.rank;
        let agent = self.agent_mut(ix);
        (agent.rank, agent.answered, agent.rung_out) = (rank, 0, 0);
        agent.duty = Duty::In;
        self.note(ix, AgentEvent::SignedIn { by }, turn);
    }

    fn tell_reachable(&mut self, ix: AgentIx, turn: &mut Turn<'_>) {
        let agent = self.agent_mut(ix);
        let reachable = agent.reachable;
        if agent.reachable_told != reachable {
            agent.reachable_told = reachable;
            self.note(ix, AgentEvent::Phone { reachable }, turn);
        }
    }

    pub(super) fn note(&self, ix: AgentIx, event: AgentEvent, turn: &mut Turn<'_>) {
        turn.record(Fact::Agent { agent: self.agent(ix).id.clone(), event });
    }

    /// After any change of an agent: ends what time has ended, records what changed, withdraws an
    /// offer that may not ring any more, and lists the agent with the free ones or takes it off.
    pub(super) fn settle_agent(&mut self, ix: AgentIx, turn: &mut Turn<'_>) {
        let now = turn.now.mono;
        let agent = self.agent_mut(ix);
        if agent.line.wrap_until.is_some_and(|until| until <= now) {
            agent.line.wrap_until = None;
        }
        let told = if agent.line.talking > 0 {
            Told::Talking
        } else if agent.line.wrap_until.is_some() {
            Told::WrapUp
        } else {
            Told::Idle
        };
        if told != agent.told {
            agent.told = told;
            let event = match (told, agent.line.wrap_until) {
                (Told::Talking, _) => AgentEvent::Talking,
                (Told::WrapUp, Some(until)) => AgentEvent::WrapUp { for_ms: until.ms_since(now) },
                (Told::Idle | Told::WrapUp, _) => AgentEvent::Idle,
            };
            if told == Told::Idle {
                self.rank += 1;
                let rank = self.rank;
                self.agent_mut(ix).rank = rank;
            }
            self.note(ix, event, turn);
        }
        let agent = self.agent_mut(ix);
        if let Duty::Aside { until, .. } = agent.duty
            && until <= now
        {
            agent.duty = Duty::In;
            self.note(ix, AgentEvent::Unpaused { by: Means::Rule }, turn);
        }

        let agent = self.agent_mut(ix);
        let deadline = agent.deadline();
        let busy_otherwise =
            agent.duty != Duty::In || agent.line.talking > 0 || agent.line.codes > 0;
        let before = agent.shown;
        let after = agent.state();
        if before != after {
            agent.shown = after;
            agent.since = turn.now.wall;
        }
        if let Some(leg) = agent.line.offer.filter(|_| busy_otherwise) {
            self.to_withdraw.push(leg);
        }
        self.count_state(before, after);
        self.arm_agent(ix, deadline);
        self.list(ix);
    }

    /// Brings the groups' free lists in line with the agent.
    fn list(&mut self, ix: AgentIx) {
        let agent = &mut self.agents[ix.0 as usize];
        let standing = Standing { rank: agent.rank, answered: agent.answered };
        let wanted = agent.is_available().then_some(standing);
        let before = std::mem::replace(&mut agent.listed, wanted);
        if before == wanted {
            return;
        }
        for (ix, place) in &agent.groups {
            let group = &mut self.groups[ix.0 as usize];
            if before.is_some() {
                group.unlist(*place);
            }
            if let Some(standing) = wanted {
                group.list(standing, *place);
                self.stirred.insert(*ix);
            }
        }
        if before.is_none() {
            self.freed.push_back(ix);
        }
    }

    fn count_state(&mut self, before: AgentState, after: AgentState) {
        if before != after {
            self.states[before as usize] -= 1;
            self.states[after as usize] += 1;
        }
    }

    fn arm_agent(&mut self, ix: AgentIx, at: Option<Mono>) {
        let held = &mut self.agents[ix.0 as usize].timer;
        self.timers.set(Timer::Agent(ix), held, at);
    }
}
