//! When an agent is rung for a caller who is to be called back, and what counts as a try.

use super::placed::{World, plan};
use crate::base::{Channels, Mono, Now};
use crate::event::{CallEvent, CallbackEnd, CallbackEvent, Fact, Means};
use crate::pbx::{Action, Command, CommandError, Input, TransferTo};

/// So many calls out by a trunk at once.
fn out(most: u32) -> Channels {
    Channels { outward: Some(most), ..Channels::default() }
}

impl World {
    /// Who was rung for a wish last.
    fn rung_last(&self) -> Option<String> {
        self.wishes().into_iter().rev().find_map(|(_, event)| match event {
            CallbackEvent::AgentRung { agent } => Some(agent.to_string()),
            _ => None,
        })
    }

    fn tries(&self) -> usize {
        let wishes = self.wishes();
        wishes.iter().filter(|(_, event)| matches!(event, CallbackEvent::Called { .. })).count()
    }

    fn ends(&self) -> Vec<CallbackEnd> {
        let ends = self.wishes().into_iter().filter_map(|(_, event)| match event {
            CallbackEvent::Ended { why } => Some(why),
            _ => None,
        });
        ends.collect()
    }
}

#[test]
fn a_wish_is_not_given_up_because_all_channels_were_in_use() {
    let mut world = World::with(&[("carrier", out(0)), ("second", out(0))], 5);
    let (first, _) = world.asks();
    world.gone(first);
    world.wait(11); // its work after the call is over
    for _ in 0..5 {
        if let Some(phone) = world.rung() {
            world.tell(Input::Answered { leg: phone });
        }
        world.wait(70);
    }
    assert_eq!((world.ends(), world.tries()), (vec![], 0), "{:?}", world.wishes());
    assert_eq!(world.rung_last(), None, "no agent is rung in vain");
    // A channel is there.
    let now = Now { mono: Mono(world.ms * 1000), wall: world.wall() };
    let channels = [("carrier".into(), out(1))].into();
    world.desk.set_plan(plan(), 8, channels, now, &mut world.out);
    world.wait(10);
    let phone = world.rung().expect("the agent is rung");
    world.tell(Input::Answered { leg: phone });
    let (_, number) = world.dialled_out().expect("the caller is called");
    assert_eq!((number.as_str(), world.tries()), ("0398765432", 1));
}

#[test]
fn a_channel_that_is_gone_when_the_agent_answers_costs_no_try() {
    let mut world = World::with(&[("carrier", out(1)), ("second", out(0))], 5);
    let (first, _) = world.asks();
    world.gone(first);
    world.wait(11);
    let phone = world.rung().expect("rung while there is a channel");
    let other = world.dial("900", "0311112222");
    assert!(world.dialled_out().is_some());
    world.tell(Input::Answered { leg: phone });
    assert!(world.out.contains(&Action::HangUp { leg: phone, elsewhere: false }));
    assert_eq!((world.dialled_out(), world.tries()), (None, 0));
    let last = world.wishes().pop().map(|(_, event)| event);
    assert!(matches!(last, Some(CallbackEvent::AgentMissed { .. })), "shown as waiting: {last:?}");
    world.wait(60);
    assert_eq!(world.rung(), None);
    world.gone(other);
    world.wait(10);
    let phone = world.rung().expect("rung again");
    world.tell(Input::Answered { leg: phone });
    assert!(world.dialled_out().is_some());
}

#[test]
fn an_agent_who_may_place_no_further_call_outside_is_passed_over() {
    let mut plan = plan();
    let outside = plan.outside.as_mut().expect("some");
    outside.extensions.insert("202".into());
    let mut world = World::of(plan, &[]);
    let (_, phone) = world.asks();
    // One call at once, which is that of the caller whom it sends away.
    world.tell(Input::Transfer { leg: phone, to: TransferTo::Number("0311112222".into()) });
    let (far, _) = world.dialled_out().expect("sent outside");
    world.tell(Input::Answered { leg: far });
    for _ in 0..4 {
        world.wait(15);
        if let Some(phone) = world.rung() {
            world.tell(Input::Answered { leg: phone });
        }
    }
    assert_eq!((world.rung_last(), world.tries()), (None, 0), "{:?}", world.wishes());
    world.starts("202");
    world.wait(10);
    assert_eq!(world.rung_last().as_deref(), Some("202"));
}

#[test]
fn a_wish_goes_on_at_once_when_one_gets_free_who_may_call() {
    let mut world = World::with(&[], 5);
    let (first, _) = world.asks();
    world.starts("202"); // may not call outside
    world.wait(1);
    assert_eq!(world.rung(), None);
    world.gone(first);
    world.wait(20); // 201 is free after 10 s
    assert!(world.rung().is_some(), "{:?}", world.wishes());
    assert_eq!(world.rung_last().as_deref(), Some("201"));
}

#[test]
fn nobody_is_called_back_while_the_caller_hears_that_it_will_be() {
    for hangs_up in [true, false] {
        let mut world = World::with(&[("carrier", Channels::default())], 5);
        let asks = world.call("0312345678");
        world.keys(asks, "61");
        world.wait(2);
        assert_eq!(world.rung(), None, "its line is busy");
        if hangs_up {
            world.gone(asks);
        } else {
            world.played(asks);
        }
        let phone = world.rung().expect("at once");
        world.tell(Input::Answered { leg: phone });
        assert!(world.dialled_out().is_some());
    }
}

#[test]
fn of_two_who_want_the_same_number_called_back_the_first_is_though_the_second_hangs_up_before() {
    let mut world = World::with(&[("carrier", Channels::default())], 5);
    let first = world.call("0312345678");
    world.keys(first, "61");
    let call = world.desk.call_of(first).expect("a call");
    let second = world.call("0312345678");
    world.keys(second, "61");
    world.gone(second);
    assert_eq!(world.rung(), None, "the first is on the line");
    world.gone(first);
    assert!(world.rung().is_some());
    // The history knows of the first wish alone, also after a restart.
    assert_eq!(world.wishes().first().map(|(of, _)| *of), Some(call));
    world.wait(4000);
    assert!(world.wishes().iter().all(|(of, _)| *of == call), "{:?}", world.wishes());
}

#[test]
fn a_wish_is_cancelled_while_its_caller_hears_that_it_is_kept() {
    let mut world = World::with(&[("carrier", Channels::default())], 5);
    let asks = world.call("0312345678");
    world.keys(asks, "61");
    let call = world.desk.call_of(asks).expect("a call");
    let cancel = |world: &mut World| {
        let now = Now { mono: Mono(world.ms * 1000), wall: world.wall() };
        let command = Command::CancelCallback { call, by: Means::Api };
        world.desk.command(command, now, &mut world.out)
    };
    assert_eq!(cancel(&mut world), Ok(()));
    assert_eq!(world.ends(), [CallbackEnd::Cancelled { by: Means::Api }]);
    assert_eq!(cancel(&mut world), Err(CommandError::NoSuchCallback));
    world.gone(asks);
    world.wait(4000);
    assert_eq!(world.rung(), None);
}

#[test]
fn a_list_is_full_also_while_the_callers_are_on_the_line() {
    let mut world = World::with(&[("carrier", Channels::default())], 5);
    for n in 1..=4 {
        let asks = world.call("0312345678");
        world.keys(asks, &format!("62031111222{n}#"));
    }
    let asked = world.history().into_iter().filter(|entry| {
        matches!(entry.fact, Fact::Call { event: CallEvent::CallbackAsked { .. }, .. })
    });
    assert_eq!(asked.count(), 3, "the plan's most");
}
