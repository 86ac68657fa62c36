//! Callers whom an agent has passed on to somebody who does not answer: who is rung for them then.

use super::placed::{World, plan};
use crate::base::{LegId, Number, Rng};
use crate::dialplan::FeatureCode;
use crate::event::{CallEvent, Fact, Means};
use crate::pbx::{Action, Command, Desk, Input, TransferTo};
use std::sync::Arc;

impl World {
    /// 201 is signed in, and 202 has a phone; `*8` picks up.
    pub(super) fn with_pickup() -> Self {
        let mut plan = plan();
        for codes in [&mut plan.codes, &mut plan.open_codes] {
            codes.insert(Number::from("*8"), FeatureCode::Pickup);
        }
        let desk = Desk::new(Arc::new(plan), 8, Rng::from_number(1));
        let mut world = Self { desk, ms: 0, out: Vec::new(), next: 1 };
        for extension in ["201", "202"] {
            world.tell(Input::Phone { extension: extension.into(), reachable: true });
        }
        let (agent, by) = ("201".into(), Means::Api);
        world.tell(Input::Command(Command::SignIn { agent, by }));
        world
    }

    /// 201 has a caller: the caller's leg and the phone's.
    pub(super) fn talks(&mut self) -> (LegId, LegId) {
        let caller = self.call("700");
        let phone = self.rings();
        self.tell(Input::Answered { leg: phone });
        self.out.clear();
        (caller, phone)
    }

    pub(super) fn pass_on(&mut self, phone: LegId, to: &str) {
        self.tell(Input::Transfer { leg: phone, to: TransferTo::Number(to.into()) });
    }

    pub(super) fn has(&self, wanted: impl Fn(&CallEvent) -> bool) -> bool {
        self.out.iter().any(
            |action| matches!(action, Action::Record(Fact::Call { event, .. }) if wanted(event)),
        )
    }
}

fn asks_the_group(event: &CallEvent) -> bool {
    matches!(event, CallEvent::OperatorAsked { group: Some(group) } if group.as_str() == "line")
}

#[test]
fn a_giver_who_talks_again_is_not_rung_and_the_group_is_asked() {
    for by_keys in [false, true] {
        let mut world = World::with_pickup();
        let (_, phone) = world.talks();
        if by_keys {
            world.keys(phone, "*2202#");
        } else {
            world.pass_on(phone, "202");
        }
        world.tell(Input::Gone { leg: phone, lost: false });
        world.wait(11); // its work after the call is over
        world.out.clear();
        let next = world.call("700");
        let phone = world.rings();
        world.tell(Input::Answered { leg: phone });
        world.out.clear();
        world.wait(20); // 202 has rung for 25 s
        assert!(!world.rings_now(), "201 talks; by keys: {by_keys}");
        assert!(world.has(asks_the_group), "by keys: {by_keys}, {:?}", world.out);
        world.tell(Input::Gone { leg: next, lost: false });
        world.wait(11);
        assert!(world.rings_now(), "201 is free for the first caller; by keys: {by_keys}");
    }
}
