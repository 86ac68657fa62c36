//! Sending on a caller whose wait is, or would be, too long: to another group, where it keeps its place by
//! when it asked, or wherever the plan says. A step inside a call: never a second call, and never a
//! second busy announcement.

use super::beyond;
use super::call::{Call, From, State};
use super::floor::{Floor, Turn};
use super::group::{Demand, GroupIx, Order};
use super::hunt::Hunt;
use super::queue;
use crate::base::{GroupId, Mono};
use crate::dialplan::{Group, Onward, Overflow, OverflowWhen, Skills, Target};
use crate::event::{CallEvent, EndCause, OfferEnd, Overflowing, Purpose};
use std::time::Duration;

/// So often one call is sent on; then it waits where it is.
const MOST_OVERFLOWS: u32 = 10;
/// When it is tried again to send a call on to a group that had no room.
const NO_ROOM_PAUSE: Duration = Duration::from_secs(5);

impl Hunt {
    /// Sets when the wait in this group is too long.
    pub(super) fn arm_overflow(&mut self, plan: &Group) {
        self.overflow_at = self.too_long(plan).min();
    }

    /// When the wait in this group is too long by each of its rules.
    fn too_long<'p>(&self, plan: &'p Group) -> impl Iterator<Item = Mono> + use<'p> {
        let entered = self.entered;
        plan.overflow.iter().filter_map(move |rule| match rule.when {
            OverflowWhen::Waited(span) => Some(entered + span),
            OverflowWhen::Waiting(_) | OverflowWhen::Estimated(_) => None,
        })
    }

    /// Looks at that time again whether the wait is too long, if not earlier.
    pub(super) fn overflow_by(&mut self, at: Mono) {
        self.overflow_at = Some(self.overflow_at.map_or(at, |earlier| earlier.min(at)));
    }

    /// Where a call goes that is about to join the queue and would wait too long there. One that had an operator
    /// goes where others may answer it, and is not told to call later.
    pub(super) fn overflow_at_door<'p>(
        &self,
        call: &Call,
        plan: &'p Group,
        floor: &Floor,
        turn: &Turn<'_>,
    ) -> Option<(Overflowing, &'p Onward)> {
        if self.queued || call.overflows >= MOST_OVERFLOWS {
            return None;
        }
        let holds = |rule: &&Overflow| {
            let room = floor.room_of(self.group);
            match rule.when {
                OverflowWhen::Waiting(most) => room.queued.len() >= most as usize,
                OverflowWhen::Estimated(most) => {
                    let estimate = floor.estimate(self.group, room.position(self.order));
                    estimate.is_some_and(|estimate| estimate > most)
                }
                OverflowWhen::Waited(_) => false,
            }
        };
        let answers = |to: &Onward| match to {
            Onward::Outside(_) | Onward::Way(Target::Group(_)) => true,
            Onward::Way(_) => false,
        };
        let open = |rule: &&Overflow| {
            (!self.again || answers(&rule.to)) && self.has_room(&rule.to, floor, turn)
        };
        let rule = plan.overflow.iter().filter(holds).find(open)?;
        Some((why(rule.when), &rule.to))
    }

    /// Where a call goes that has waited too long; asked again in a moment when there is no room.
    pub(super) fn overflow_now<'p>(
        &mut self,
        call: &Call,
        plan: &'p Group,
        floor: &Floor,
        turn: &Turn<'_>,
    ) -> Option<(Overflowing, &'p Onward)> {
        self.overflow_at = None;
        let now = turn.now.mono;
        if call.overflows >= MOST_OVERFLOWS {
            return None;
        }
        self.overflow_at = self.too_long(plan).filter(|at| *at > now).min();
        let waited = now.since(self.entered);
        let holds = |rule: &&Overflow| match rule.when {
            OverflowWhen::Waited(span) => span <= waited,
            // What held at the door was a reason to ring a number outside, and is one to ring it again.
            OverflowWhen::Waiting(_) | OverflowWhen::Estimated(_) => match &rule.to {
                Onward::Outside(number) => self.outside.as_ref() == Some(number),
                Onward::Way(_) => false,
            },
        };
        let rule =
            plan.overflow.iter().filter(holds).find(|rule| self.has_room(&rule.to, floor, turn));
        let rule = rule.map(|rule| (why(rule.when), &rule.to));
        if rule.is_none() {
            self.overflow_by(now + NO_ROOM_PAUSE);
        }
        rule
    }
}

/// The history's word for the plan's.
const fn why(when: OverflowWhen) -> Overflowing {
    match when {
        OverflowWhen::Waiting(_) => Overflowing::Waiting,
        OverflowWhen::Waited(_) => Overflowing::Waited,
        OverflowWhen::Estimated(_) => Overflowing::Estimated,
    }
}

impl Hunt {
    /// A group takes one more when somebody is free or its queue is not full, a number outside while the plan's
    /// bounds are not reached; everything else always does.
    fn has_room(&self, to: &Onward, floor: &Floor, turn: &Turn<'_>) -> bool {
        let id = match to {
            Onward::Outside(number) => {
                return self.far.is_none() && beyond::way(&self.id, number, floor, turn).is_some();
            }
            Onward::Way(Target::Group(id)) => id,
            Onward::Way(_) => return true,
        };
        let Some((ix, plan)) = floor.group_ix(id).zip(floor.plan.groups.get(id)) else {
            return false;
        };
        let room = floor.room_of(ix);
        room.free_agents() > 0 || room.queued.len() < plan.max_waiting as usize
    }
}

/// Sends the call on.
pub(super) fn send_on(
    mut hunt: Hunt,
    (why, to): (Overflowing, &Target),
    call: &mut Call,
    plan: &Group,
    floor: &mut Floor,
    turn: &mut Turn<'_>,
) {
    call.overflows += 1;
    hunt.withdraw_all(call, OfferEnd::Withdrawn, floor, turn);
    call.record(CallEvent::Overflowed { group: hunt.id.clone(), why }, turn);
    let cause = match why {
        Overflowing::Waiting | Overflowing::Estimated => EndCause::QueueFull,
        Overflowing::Waited => EndCause::WaitedTooLong,
    };
    match to {
        Target::Group(id) => move_to(hunt, id, call, floor, turn),
        // Who is sent away hears why, as at the end of the longest wait.
        Target::Announce(prompt) => {
            queue::release(&hunt, call, prompt.clone(), cause, plan, floor, turn);
        }
        Target::Refuse(status) => {
            hunt.leave(floor);
            call.refuse(cause, *status, floor, turn);
        }
        other => {
            hunt.leave(floor);
            call.go(other, From::Menu, floor, turn);
        }
    }
}

/// To another group, with the place that the call has by when it asked.
fn move_to(hunt: Hunt, id: &GroupId, call: &mut Call, floor: &mut Floor, turn: &mut Turn<'_>) {
    let plan = floor.plan.clone();
    let found = floor.group_ix(id).zip(plan.groups.get(id));
    let waiter = floor.group_mut(hunt.group).leave(hunt.order);
    let (Some((ix, group)), Some(mut waiter)) = (found, waiter) else {
        return queue::ask(call, id, floor, turn); // which says what is wrong
    };
    let now = turn.now.mono;
    call.record(CallEvent::OperatorAsked { group: Some(id.clone()) }, turn);
    call.group = Some(id.clone());
    if group.answer_first {
        call.accept(turn);
    }
    waiter.demand = demand(&call.skills, group, waiter.since);
    waiter.put_off = None;
    let order = hunt.order;
    let mut moved = Hunt::new(id.clone(), ix, order, group, waiter.demand.clone(), now);
    // What the caller hears goes on; it has been told that all are busy.
    moved.hears = hunt.hears;
    moved.told_wait = hunt.told_wait;
    moved.again = hunt.again;
    moved.arm_widening(now, floor);
    moved.arm_overflow(group);
    moved.closes_at = floor.closing(call.line.as_ref(), group, turn.now);
    floor.group_mut(ix).waiting.insert(order, waiter);
    floor.look_again(ix, order);
    call.state = State::Hunting(moved);
}

/// What a call that needs `own` of whoever answers it needs of a group's agents, when it asked at `since`.
pub(super) fn demand(own: &Skills, group: &Group, since: Mono) -> Option<Demand> {
    let mut skills = group.picking.skills.clone();
    skills.add(own);
    Demand::new(skills, &group.picking.widen, since)
}

/// What is told of the wait between the music: the position and the estimate, each only when it is
/// better than what was told last.
pub(super) fn news(
    hunt: &mut Hunt,
    plan: &Group,
    floor: &Floor,
) -> Vec<(Purpose, crate::base::PromptId)> {
    let mut news = Vec::new();
    let position = floor.room_of(hunt.group).position(hunt.order);
    if plan.tell_position
        && hunt.told_position.is_none_or(|told| position < told)
        && let Some(prompt) = floor.plan.positions.get(position as usize - 1)
    {
        hunt.told_position = Some(position);
        news.push((Purpose::Position, prompt.clone()));
    }
    if plan.tell_wait
        && let Some(estimate) = floor.estimate(hunt.group, position)
        && let Some(step) = floor.plan.waits.iter().position(|(within, _)| estimate <= *within)
        && hunt.told_wait.is_none_or(|told| step < told)
        && let Some((_, prompt)) = floor.plan.waits.get(step)
    {
        hunt.told_wait = Some(step);
        news.push((Purpose::Wait, prompt.clone()));
    }
    news
}

impl Floor {
    /// How long a call at this position will wait, as far as can be told: its position times what a call
    /// of the group takes in the mean (of the last ones, with after-call work), divided by the agents
    /// on duty. None while no call of the group has been served, or nobody is on duty.
    pub(super) fn estimate(&self, group: GroupIx, position: u32) -> Option<Duration> {
        let room = self.room_of(group);
        let mean = room.pace.mean()?;
        let on_duty = room.members().filter(|member| self.agent(*member).is_on_duty()).count();
        let on_duty = u32::try_from(on_duty).ok().filter(|count| *count > 0)?;
        mean.checked_mul(position)?.checked_div(on_duty)
    }
}

/// How long the last calls of a group took their agents.
#[derive(Debug, Default)]
pub(super) struct Pace {
    last: std::collections::VecDeque<Duration>,
}

impl Pace {
    /// So many calls are remembered.
    const MOST: usize = 20;

    /// One more.
    pub(super) fn add(&mut self, took: Duration) {
        self.last.truncate(Self::MOST - 1);
        self.last.push_front(took);
    }

    fn mean(&self) -> Option<Duration> {
        let count = u32::try_from(self.last.len()).ok()?;
        self.last.iter().sum::<Duration>().checked_div(count)
    }
}

impl Hunt {
    /// A call that has come to a group and was not looked at.
    pub(super) fn new(
        id: GroupId,
        group: GroupIx,
        order: Order,
        plan: &Group,
        demand: Option<Demand>,
        now: Mono,
    ) -> Self {
        Self {
            id,
            group,
            order,
            entered: now,
            give_up_at: now + plan.max_wait,
            offers: std::collections::BTreeMap::new(),
            tried: std::collections::BTreeSet::new(),
            queued: false,
            fresh: false,
            again: false,
            hears: queue::Hears::Nothing,
            told_position: None,
            told_wait: None,
            demand,
            widens_at: None,
            overflow_at: None,
            again_at: None,
            closes_at: None,
            briefing: None,
            far: None,
            outside: None,
        }
    }
}
