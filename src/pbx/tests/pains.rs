//! What people suffer from elsewhere and must not suffer here; one test for each pain that is the desk's.

use super::{plan, secs};
use crate::base::{AgentId, LegId, Mono, Now, Number, Rng, Wall};
use crate::event::{CallEvent, Fact, Means, OfferEnd, Origin};
use crate::pbx::{Action, AgentState, Command, Desk, Input};
use std::sync::Arc;

struct World {
    desk: Desk,
    at: Mono,
    out: Vec<Action>,
}

impl World {
    fn with(agents: &[&str]) -> Self {
        let desk = Desk::new(Arc::new(plan()), 100, Rng::from_number(1));
        let mut world = Self { desk, at: Mono(0), out: Vec::new() };
        for agent in agents {
            world.give(Input::Phone { extension: Number::from(*agent), reachable: true });
            let (agent, by) = (AgentId::from(*agent), Means::Api);
            world.give(Input::Command(Command::SignIn { agent, by }));
        }
        world
    }

    fn give(&mut self, input: Input) {
        let now = Now { mono: self.at, wall: Wall(0) };
        self.desk.handle(input, now, &mut self.out);
    }

    fn call(&mut self, leg: u64, number: &str) {
        let origin = Origin::Trunk("carrier".into());
        self.give(super::ladder::arrived(LegId(leg), number, origin));
    }

    fn pass(&mut self, seconds: u64) {
        let until = self.at + secs(seconds);
        while let Some(due) = self.desk.next_deadline().filter(|due| *due <= until) {
            self.at = self.at.max(due);
            self.give(Input::Tick);
        }
        self.at = until;
    }

    /// The phones dialled since this was asked last: leg and extension.
    fn dialled(&mut self) -> Vec<(LegId, String)> {
        let dialled = self.out.drain(..).filter_map(|action| match action {
            Action::Dial { leg, extension, .. } => Some((leg, extension.to_string())),
            _ => None,
        });
        dialled.collect()
    }

    fn state(&self, extension: &str) -> AgentState {
        let agents = self.desk.agents();
        agents.iter().find(|agent| agent.agent.as_str() == extension).expect("an agent").state
    }
}

#[test]
fn pain_5_the_queue_goes_on_offering_calls_while_agents_are_free() {
    let mut world = World::with(&["201", "202", "203"]);
    // Each phone refuses, rings out or is answered and let go, again and again.
    for round in 0..30 {
        let leg = 1 + 2 * round;
        world.call(leg, "700");
        let dialled = world.dialled();
        assert_eq!(dialled.len(), 1, "call {leg} rings a phone at once");
        let (phone, _) = dialled[0];
        match round % 3 {
            0 => world.give(Input::Refused { leg: phone, status: 486 }),
            1 => world.pass(15),
            _ => world.give(Input::Answered { leg: phone }),
        }
        world.give(Input::Gone { leg: LegId(leg), lost: false });
        world.pass(60);
        world.out.clear();
    }
}

#[test]
fn pain_6_no_agent_is_stuck_in_a_call_whichever_way_it_ends() {
    for way in 0..4 {
        let mut world = World::with(&["201"]);
        world.call(1, "700");
        let (phone, _) = world.dialled()[0].clone();
        world.give(Input::Answered { leg: phone });
        assert_eq!(world.state("201"), AgentState::Talking);
        match way {
            0 => world.give(Input::Gone { leg: LegId(1), lost: false }),
            1 => world.give(Input::Gone { leg: phone, lost: true }),
            2 => world.give(Input::Failed { leg: phone, what: "no media" }),
            _ => world.desk.break_step(LegId(1)),
        }
        world.pass(30);
        world.give(Input::Tick);
        world.pass(30);
        assert_eq!(world.state("201"), AgentState::Idle, "way {way}");
        world.call(3, "700");
        assert_eq!(world.dialled().len(), 1, "way {way}: rung again");
    }
}

#[test]
fn pain_7_a_reload_keeps_pauses_their_reasons_and_the_order_of_the_queue() {
    let mut world = World::with(&["201", "202"]);
    for agent in ["201", "202"] {
        let (agent, by, reason) = (AgentId::from(agent), Means::Api, "lunch".to_owned());
        world.give(Input::Command(Command::Pause { agent, reason, by }));
    }
    world.call(1, "700");
    world.call(3, "700");
    let now = Now { mono: world.at, wall: Wall(0) };
    world.desk.set_plan(plan(), 100, std::collections::BTreeMap::new(), now, &mut world.out);
    let agents = world.desk.agents();
    let paused = agents.iter().filter(|agent| agent.reason.as_deref() == Some("lunch"));
    assert_eq!(paused.count(), 2);
    world.out.clear();
    let (agent, by) = (AgentId::from("201"), Means::Api);
    world.give(Input::Command(Command::Unpause { agent, by }));
    let first = world.out.iter().find_map(|action| match action {
        Action::Dial { on_behalf_of, .. } => Some(*on_behalf_of),
        _ => None,
    });
    assert_eq!(first, Some(LegId(1)), "who came first is served first");
}

#[test]
fn pain_11_missed_refused_and_cancelled_rings_look_different() {
    let mut world = World::with(&["201"]);
    let mut whys = Vec::new();
    for way in 0..3u64 {
        let leg = LegId(1 + 2 * way);
        world.call(leg.0, "700");
        let (phone, _) = world.dialled()[0].clone();
        match way {
            0 => world.pass(15),
            1 => world.give(Input::Refused { leg: phone, status: 603 }),
            _ => world.give(Input::Gone { leg, lost: false }),
        }
        whys.extend(world.out.iter().find_map(|action| match action {
            Action::Record(Fact::Call { event: CallEvent::OfferEnded { why, .. }, .. }) => {
                Some(*why)
            }
            _ => None,
        }));
        world.give(Input::Gone { leg, lost: false });
        world.pass(60);
        world.out.clear();
    }
    let due = [OfferEnd::RangOut, OfferEnd::Refused { status: 603 }, OfferEnd::CallerLeft];
    assert_eq!(whys, due);
}

#[test]
fn pain_15_a_phone_that_lost_the_race_is_told_that_it_was_answered_elsewhere() {
    let mut world = World::with(&["211", "212", "213"]);
    world.call(1, "701");
    let dialled = world.dialled();
    assert_eq!(dialled.len(), 3);
    world.give(Input::Answered { leg: dialled[1].0 });
    let told = world.out.iter().filter_map(|action| match action {
        Action::HangUp { leg, elsewhere } => Some((*leg, *elsewhere)),
        _ => None,
    });
    let due = [(dialled[0].0, true), (dialled[2].0, true)];
    assert_eq!(told.collect::<Vec<_>>(), due);
}

#[test]
fn pain_17_an_agent_in_any_call_is_not_rung() {
    for (own, due) in [("202", 0), ("701", 1)] {
        let mut world = World::with(&["201", "202"]);
        let origin = Origin::Extension("201".into());
        world.give(super::ladder::arrived(LegId(99), own, origin));
        world.out.clear();
        world.call(1, "700");
        let rung = world.dialled();
        // Who is called by 201 is rung already, and so not rung by the queue either.
        assert!(rung.iter().all(|(_, phone)| phone != "201"), "{own}: {rung:?}");
        assert_eq!(rung.len(), due, "{own}: {rung:?}");
    }
}

#[test]
fn work_follows_a_call_to_ones_own_line_and_none_what_colleagues_say_to_each_other() {
    let mut plan = plan();
    plan.extension_wrap_up = secs(7);
    let mut world = World::with(&["201", "202"]);
    let now = Now { mono: world.at, wall: Wall(0) };
    world.desk.set_plan(plan, 100, std::collections::BTreeMap::new(), now, &mut world.out);
    world.call(1, "0312345673");
    let dialled = world.dialled();
    let (leg, _) = dialled.last().expect("201 is rung");
    world.give(Input::Answered { leg: *leg });
    world.give(Input::Gone { leg: LegId(1), lost: false });
    assert_eq!(world.state("201"), AgentState::WrapUp);
    world.pass(8);
    assert_eq!(world.state("201"), AgentState::Idle);
    let origin = Origin::Extension("202".into());
    world.give(super::ladder::arrived(LegId(3), "201", origin));
    let (leg, _) = world.dialled().pop().expect("201 is rung");
    world.give(Input::Answered { leg });
    world.give(Input::Gone { leg: LegId(3), lost: false });
    assert_eq!((world.state("201"), world.state("202")), (AgentState::Idle, AgentState::Idle));
}
