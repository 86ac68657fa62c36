//! Callers who are held or parked by an agent who does something else: nobody is forgotten, nobody taken away.

use super::ladder::arrived;
use super::secs;
use super::table::{World, desk_plan};
use crate::base::{AgentId, LegId};
use crate::dialplan::Agent;
use crate::event::{Means, Origin};
use crate::pbx::{Action, Command, Input, TransferTo};

impl World {
    fn holds(&mut self, leg: u64) {
        self.give(Input::Hold { leg: LegId(leg), on: true });
    }

    /// The agent asks a colleague by a call of its own, and the two are joined.
    fn joins(&mut self, colleague: u64) {
        self.give(Input::Transfer { leg: LegId(2), to: TransferTo::Leg(LegId(5)) });
        self.has_done(&format!("connect 1 {colleague}"));
        self.has_done("= OperatorAnswered 202");
        self.gone(1);
        self.nothing_is_left();
    }
}

#[test]
fn a_hold_that_lasts_on_when_a_third_has_left_is_reminded_of() {
    let mut world = World::new();
    world.talks();
    world.dials(5, "201", "*93202");
    world.gone(5);
    world.answers(4);
    world.holds(2);
    world.pass(secs(61)); // the third is with the caller
    world.does(&[]);
    world.gone(4);
    world.pass(secs(61));
    world.does(&["= HoldRecalled { agent: \"201\" }", "dial 6 to 201 for 1"]);
    world.answers(6);
    world.gone(6);
    world.nothing_is_left();
}

#[test]
fn a_hold_from_before_the_agent_was_put_through_is_reminded_of() {
    let mut world = World::new();
    world.give(Input::Phone { extension: "293".into(), reachable: true });
    let (agent, by) = ("293".into(), Means::Api);
    world.give(Input::Command(Command::SignIn { agent, by }));
    world.give(arrived(LegId(1), "0312345681", Origin::Trunk("carrier".into())));
    world.answers(2); // and hears who it is for
    world.holds(2);
    world.pass(secs(10));
    world.has_done("= Held Agent");
    world.pass(secs(60));
    world.does(&["= HoldRecalled { agent: \"293\" }", "dial 4 to 293 for 1"]);
    world.gone(1);
    world.nothing_is_left();
}

#[test]
fn an_agent_who_asks_a_colleague_from_the_second_line_keeps_the_caller() {
    let mut world = World::new();
    world.talks();
    world.holds(2);
    world.dials(5, "201", "202");
    world.answers(4);
    for _ in 0..3 {
        world.pass(secs(60));
        world.does(&[]);
    }
    world.joins(4);

    // Back to the caller, who is held on: that is watched still.
    let mut world = World::new();
    world.talks();
    world.holds(2);
    world.dials(5, "201", "202");
    world.answers(4);
    world.pass(secs(60));
    world.gone(5);
    world.pass(secs(60));
    world.has_done("= HoldRecalled { agent: \"201\" }");
    world.gone(1);
    world.nothing_is_left();
}

#[test]
fn an_agent_who_is_reminded_while_it_begins_to_ask_keeps_the_caller() {
    for refuses in [true, false] {
        let mut world = World::new();
        world.talks();
        world.holds(2);
        world.pass(secs(60));
        world.does(&["= HoldRecalled { agent: \"201\" }", "dial 4 to 201 for 1"]);
        world.dials(5, "201", "202");
        world.answers(6);
        if refuses {
            world.give(Input::Refused { leg: LegId(4), status: 486 });
            world.does(&[
                "= HoldRecallEnded { agent: \"201\", why: Some(Refused { status: 486 }) }",
            ]);
        } else {
            world.pass(secs(25));
            world.does(&["hang up 4", "= HoldRecallEnded { agent: \"201\", why: Some(RangOut) }"]);
        }
        world.joins(6);
    }
}

#[test]
fn a_want_of_room_takes_no_held_caller_from_its_agent() {
    let mut world = World::new();
    world.talks();
    world.holds(2);
    world.pass(secs(60));
    world.give(Input::NoRoom { leg: LegId(4), what: "no media port" });
    world.does(&["= HoldRecallEnded { agent: \"201\", why: Some(Withdrawn) }"]);
    world.pass(secs(60));
    world.does(&["= HoldRecalled { agent: \"201\" }", "dial 6 to 201 for 1"]);
    world.answers(6);
    world.has_done("connect 1 6");
    world.gone(6);
    world.nothing_is_left();
}

#[test]
fn a_parked_caller_of_an_agent_without_a_group_stays_and_its_parker_is_rung_again() {
    // The one lot calls back to the parker, the other to the group.
    for slot in ["801", "811"] {
        let mut plan = desk_plan();
        let name = "supervisor".to_owned();
        let agent =
            Agent { name, always_signed_in: false, skills: crate::dialplan::Skills::default() };
        plan.agents.insert(AgentId::from("299"), agent);
        let mut world = World::of(plan);
        world.give(Input::Phone { extension: "299".into(), reachable: true });
        world.give(arrived(LegId(1), "299", Origin::Trunk("carrier".into())));
        world.answers(2);
        let call = world.call();
        assert_eq!(world.order(Command::Park { call, slot: Some(slot.into()) }), Ok(()));
        let told = world.out.iter().find_map(|action| match action {
            Action::Play { leg: LegId(2), play, .. } => Some(*play),
            _ => None,
        });
        world.give(Input::Played { leg: LegId(2), play: told.expect("the slot is told") });
        world.dials(5, "299", "202");
        world.answers(4);
        world.pass(secs(60));
        world.does(&[]);
        assert_eq!(world.desk.parked_in(&slot.into()), Some(LegId(1)), "its parker talks");
        world.gone(5);
        world.pass(secs(60));
        world.does(&["dial 6 to 299 for 1", "= OfferMade 299"]);
        world.pass(secs(20));
        world.does(&["hang up 6", "= OfferEnded 299 RangOut"]);
        world.pass(secs(60));
        world.answers(8);
        world.has_done("connect 1 8");
        world.gone(8);
        world.nothing_is_left();
    }
}
