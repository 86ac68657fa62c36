//! Callers whom an agent has passed on to somebody who does not answer: who is rung for them then.

use super::placed::{World, plan};
use crate::base::{GroupId, LegId, Number, Rng};
use crate::dialplan::{FeatureCode, Group, Onward, Overflow, OverflowWhen, Plan, Recorded, Target};
use crate::event::{CallEvent, Fact, Means, Purpose};
use crate::pbx::{Action, Command, Desk, Input, TransferNews, TransferTo};
use std::sync::Arc;

impl World {
    /// 201 is signed in, and 202 has a phone; `*8` picks up.
    pub(super) fn with_pickup() -> Self {
        Self::of_two(plan())
    }

    fn of_two(mut plan: Plan) -> Self {
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
        world.gone(phone);
        world.wait(11); // its work after the call is over
        world.out.clear();
        let next = world.call("700");
        let phone = world.rings();
        world.tell(Input::Answered { leg: phone });
        world.out.clear();
        world.wait(20); // 202 has rung for 25 s
        assert!(!world.rings_now(), "201 talks; by keys: {by_keys}");
        assert!(world.has(asks_the_group), "by keys: {by_keys}, {:?}", world.out);
        world.gone(next);
        world.wait(11);
        assert!(world.rings_now(), "201 is free for the first caller; by keys: {by_keys}");
    }
}

/// The plan with one group as a test wants it.
fn with_group(id: &str, change: impl FnOnce(&mut Group)) -> Plan {
    let mut plan = plan();
    change(plan.groups.get_mut(&GroupId::from(id)).expect("a group"));
    plan
}

fn is_queued(event: &CallEvent) -> bool {
    matches!(event, CallEvent::Queued { .. })
}

fn is_sent_away(event: &CallEvent) -> bool {
    matches!(
        event,
        CallEvent::Overflowed { .. }
            | CallEvent::Announced { purpose: Purpose::Release, .. }
            | CallEvent::Ended { .. }
    )
}

impl World {
    fn told(&self, leg: LegId) -> Vec<TransferNews> {
        let news = self.out.iter().filter_map(|action| match action {
            Action::Transfer { leg: whom, news } if *whom == leg => Some(*news),
            _ => None,
        });
        news.collect()
    }
}

#[test]
fn a_caller_whom_a_colleague_did_not_take_is_not_told_to_call_later() {
    let later = Onward::Way(Target::Announce("later".into()));
    let mut world = World::of_two(with_group("line", |group| {
        group.overflow = vec![Overflow { when: OverflowWhen::Waiting(1), to: later }];
    }));
    let (_, phone) = world.talks();
    world.pass_on(phone, "202");
    world.gone(phone);
    world.wait(11); // its work after the call is over
    world.call("700");
    let phone = world.rings();
    world.tell(Input::Answered { leg: phone });
    world.call("700"); // waits
    world.out.clear();
    world.wait(20); // 202 has rung for 25 s
    assert!(world.has(asks_the_group), "{:?}", world.out);
    assert!(world.has(is_queued) && !world.has(is_sent_away), "{:?}", world.out);
    // Who comes first now is.
    world.out.clear();
    world.call("700");
    assert!(world.has(is_sent_away), "{:?}", world.out);
}

#[test]
fn a_caller_who_is_passed_on_to_a_menu_is_let_into_a_full_queue() {
    let mut world = World::of_two(with_group("line", |group| group.max_waiting = 0));
    let (caller, phone) = world.talks();
    world.pass_on(phone, "0312345671");
    world.keys(caller, "1");
    assert!(world.has(is_queued) && !world.has(is_sent_away), "{:?}", world.out);
}

#[test]
fn a_transfer_to_a_full_group_is_refused_though_somebody_is_free_who_lacks_the_skill() {
    let mut world = World::of_two(with_group("skilled", |group| group.max_waiting = 0));
    let (_, phone) = world.talks();
    world.starts("281");
    world.out.clear();
    world.pass_on(phone, "711");
    assert_eq!(world.told(phone), [TransferNews::Refused { status: 486 }], "{:?}", world.out);
    world.starts("283");
    world.out.clear();
    world.pass_on(phone, "711");
    assert_eq!(world.told(phone), [TransferNews::Accepted, TransferNews::Done]);
    assert!(world.rings_now());
}

#[test]
fn a_queue_that_fills_while_a_passed_caller_hears_of_the_recording_lets_that_caller_in() {
    let mut plan = with_group("brief", |group| {
        group.overflow.clear();
        group.max_waiting = 1;
        group.recorded = Some(Recorded::Always);
    });
    plan.recording.announcement = Some("recorded".into());
    let mut world = World::of_two(plan);
    let (caller, phone) = world.talks();
    let other = world.call("712");
    world.pass_on(phone, "712");
    assert_eq!(world.told(phone), [TransferNews::Accepted, TransferNews::Done]);
    world.played(other);
    assert!(world.has(is_queued), "{:?}", world.out);
    world.out.retain(|action| matches!(action, Action::Play { leg, .. } if *leg == caller));
    world.played(caller);
    assert!(world.has(is_queued) && !world.has(is_sent_away), "{:?}", world.out);
}
