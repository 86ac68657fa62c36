//! Callers who are held or parked by an agent who does something else: nobody is forgotten, nobody taken away.

use super::ladder::arrived;
use super::secs;
use super::table::World;
use crate::base::LegId;
use crate::event::{Means, Origin};
use crate::pbx::{Command, Input};

impl World {
    fn holds(&mut self, leg: u64) {
        self.give(Input::Hold { leg: LegId(leg), on: true });
    }

    #[track_caller]
    fn has_done(&self, line: &str) {
        assert!(self.did().contains(&line.to_owned()), "no {line}: {:?}", self.did());
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
