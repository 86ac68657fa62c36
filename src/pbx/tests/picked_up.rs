//! What rings for a colleague by a transfer, a call that came back, or a slot: anybody of the group picks it up.

use super::placed::World;
use crate::base::LegId;
use crate::event::{CallEvent, OfferEnd, Unpark};
use crate::pbx::{Action, Input, TransferNews};

impl World {
    /// An agent dials a code, or presses the lamp of the phone that rings: the leg by which it does.
    fn takes(&mut self, by: &str, how: &str, rung: LegId) -> LegId {
        if how != "lamp" {
            return self.dial(by, how);
        }
        let new = LegId(self.next);
        self.next += 2;
        self.tell(Input::Replaced { old: rung, new, by: by.into() });
        new
    }

    /// Whether this leg of 203's has the caller, and no other phone rings for it.
    #[track_caller]
    fn was_picked_up(&self, (caller, rung, new): (LegId, LegId, LegId), from: &str) {
        let told = format!("{:?}", self.out);
        assert!(self.out.contains(&Action::HangUp { leg: rung, elsewhere: true }), "{told}");
        assert!(self.out.contains(&Action::Accept { leg: new }), "{told}");
        assert!(self.out.contains(&Action::Connect { caller, agent: new }), "{told}");
        assert!(
            self.has(|event| matches!(event, CallEvent::OfferEnded { agent, why }
                if agent.as_str() == from && *why == OfferEnd::TakenElsewhere)),
            "{told}"
        );
        assert!(
            self.has(|event| matches!(event, CallEvent::OperatorAnswered { agent }
                if agent.as_str() == "203")),
            "{told}"
        );
    }
}

#[test]
fn a_colleague_picks_up_what_was_transferred_to_an_absent_one() {
    for how in ["*8202", "*8", "lamp"] {
        for giver_is_there in [true, false] {
            let mut world = World::with_pickup();
            let (caller, phone) = world.talks();
            world.pass_on(phone, "202");
            let rung = world.rings();
            if !giver_is_there {
                world.tell(Input::Gone { leg: phone, lost: false });
            }
            world.tell(Input::Phone { extension: "203".into(), reachable: true });
            world.out.clear();
            let new = world.takes("203", how, rung);
            world.was_picked_up((caller, rung, new), "202");
            let done = Action::Transfer { leg: phone, news: TransferNews::Done };
            assert_eq!(world.out.contains(&done), giver_is_there, "{:?}", world.out);
            world.tell(Input::Gone { leg: caller, lost: false });
            world.wait(20);
            assert_eq!(world.desk.held(), 0, "{how}");
        }
    }
}

#[test]
fn a_colleague_picks_up_what_came_back_from_a_transfer_or_a_slot() {
    for (to, seconds) in [("202", 26), ("801", 61)] {
        for how in ["*8201", "lamp"] {
            let mut world = World::with_pickup();
            let (caller, phone) = world.talks();
            world.pass_on(phone, to);
            world.tell(Input::Gone { leg: phone, lost: false });
            world.wait(seconds);
            let rung = world.rings();
            world.tell(Input::Phone { extension: "203".into(), reachable: true });
            world.out.clear();
            let new = world.takes("203", how, rung);
            world.was_picked_up((caller, rung, new), "201");
            let fetched = |event: &CallEvent| {
                matches!(event, CallEvent::Unparked { how: Unpark::Fetched, .. })
            };
            assert_eq!(world.has(fetched), to == "801");
            world.tell(Input::Gone { leg: caller, lost: false });
            world.wait(20);
            assert_eq!(world.desk.held(), 0, "{to} {how}");
        }
    }
}
