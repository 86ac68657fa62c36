//! A desk that is to end once its calls have.

use super::placed::World;
use crate::base::LegId;
use crate::event::{CallEvent, Caller, CallerNumber, EndCause, Fact, Origin};
use crate::pbx::{Action, Input};

fn caller_to(world: &mut World, number: &str) -> LegId {
    let leg = LegId(world.next);
    world.next += 2;
    let caller = Caller { number: CallerNumber::Withheld, name: None, diverted_from: None };
    let origin = Origin::Trunk("carrier".into());
    let dialled = number.into();
    world.tell(Input::Arrived { leg, dialled, caller, origin, hindrance: None });
    leg
}

fn refused(world: &mut World) -> (Vec<u16>, Vec<EndCause>) {
    let (mut statuses, mut causes) = (Vec::new(), Vec::new());
    for action in world.out.drain(..) {
        match action {
            Action::Refuse { status, .. } => statuses.push(status),
            Action::Record(Fact::Call { event: CallEvent::Ended { cause, .. }, .. }) => {
                causes.push(cause);
            }
            _ => {}
        }
    }
    (statuses, causes)
}

#[test]
fn who_is_new_is_refused_and_counted_and_agents_do_what_their_calls_need() {
    let mut world = World::with(&[], 2);
    for agent in ["202", "203"] {
        world.starts(agent);
    }
    let caller = caller_to(&mut world, "0312345673");
    let phone = world.dialled();
    world.tell(Input::Answered { leg: phone });
    world.out.clear();
    world.drain(true);

    caller_to(&mut world, "0312345673");
    let (statuses, causes) = refused(&mut world);
    assert_eq!((statuses, causes), (vec![503], vec![EndCause::NoCapacity]));
    // Each came into the history, and none is held.
    assert_eq!(world.desk.held(), 2, "the caller's leg and the phone's");

    // The agent asks a colleague by a call of its own; other phones of the house call outside.
    world.dial("201", "202");
    assert!(world.out.iter().any(
        |action| matches!(action, Action::Dial { extension, .. } if extension.as_str() == "202")
    ));
    world.out.clear();
    world.dial("900", "0398765432");
    assert!(world.out.iter().any(|action| matches!(action, Action::DialOut { .. })));
    world.out.clear();

    // The caller goes on to another agent, and to the end.
    world.gone(caller);
    let (_, causes) = refused(&mut world);
    assert_eq!(causes, [EndCause::HungUp]);

    // Called off, the next is let in.
    world.drain(false);
    caller_to(&mut world, "0312345674");
    assert_eq!(refused(&mut world).0, Vec::<u16>::new());
}
