//! When a call is recorded, and what the history says of it.

use super::ladder::arrived;
use super::{plan, secs};
use crate::base::{AgentId, CallId, GroupId, LegId, Mono, Now, Number, PlayId, Rng, Wall};
use crate::dialplan::{FeatureCode, Plan, Recorded};
use crate::event::{CallEvent, Fact, Means, Origin, RecordingEvent, RecordingStop};
use crate::pbx::{Action, Command, CommandError, Desk, Input, TapeOrder, TransferTo};
use std::sync::Arc;
use std::time::Duration;

/// A desk with one caller's leg 1, and what it did last.
struct World {
    desk: Desk,
    at: Mono,
    out: Vec<Action>,
}

impl World {
    fn new(change: impl FnOnce(&mut Plan)) -> Self {
        let mut plan = plan();
        change(&mut plan);
        let desk = Desk::new(Arc::new(plan), 8, Rng::from_number(1));
        let mut world = Self { desk, at: Mono(1_000_000), out: Vec::new() };
        for extension in ["201", "202"] {
            world.give(Input::Phone { extension: extension.into(), reachable: true });
            let (agent, by) = (AgentId::from(extension), Means::Api);
            world.give(Input::Command(Command::SignIn { agent, by }));
        }
        world
    }

    fn give(&mut self, input: Input) {
        self.out.clear();
        let now = Now { mono: self.at, wall: Wall(1_795_482_000_000) };
        self.desk.handle(input, now, &mut self.out);
    }

    fn wish(&mut self, order: TapeOrder) -> Result<(), CommandError> {
        let call = self.call();
        self.out.clear();
        let now = Now { mono: self.at, wall: Wall(1_795_482_000_000) };
        let by = Means::Api;
        self.desk.command(Command::Tape { call, order, by }, now, &mut self.out)
    }

    fn call(&self) -> CallId {
        self.desk.call_of(LegId(1)).expect("a call")
    }

    fn pass(&mut self, span: Duration) {
        self.at = self.at + span;
        self.give(Input::Tick);
    }

    /// What was ordered of the recorder.
    fn orders(&self) -> Vec<(u32, TapeOrder)> {
        let orders = self.out.iter().filter_map(|action| match action {
            Action::Tape { leg: LegId(1), number, order, .. } => Some((*number, *order)),
            _ => None,
        });
        orders.collect()
    }

    /// What was written of recordings.
    fn written(&self) -> Vec<RecordingEvent> {
        let written = self.out.iter().filter_map(|action| match action {
            Action::Record(Fact::Recording { event, .. }) => Some(event.clone()),
            _ => None,
        });
        written.collect()
    }

    fn has(&self, wanted: impl Fn(&CallEvent) -> bool) -> bool {
        self.out.iter().any(
            |action| matches!(action, Action::Record(Fact::Call { event, .. }) if wanted(event)),
        )
    }

    fn dialled(&self) -> LegId {
        let dialled = self.out.iter().find_map(|action| match action {
            Action::Dial { leg, .. } => Some(*leg),
            _ => None,
        });
        dialled.expect("a phone is rung")
    }

    /// The caller is with the first agent of the group.
    fn talks(&mut self) -> LegId {
        self.give(arrived(LegId(1), "700", Origin::Trunk("carrier".into())));
        let phone = self.dialled();
        self.give(Input::Answered { leg: phone });
        phone
    }
}

fn records(plan: &mut Plan, recorded: Recorded) {
    plan.groups.get_mut(&GroupId::from("line")).expect("a group").recorded = Some(recorded);
}

const BEGUN: (u32, TapeOrder) = (1, TapeOrder::Begin);

#[test]
fn a_recording_begins_with_the_agent_goes_over_a_transfer_and_ends_with_the_call() {
    let mut world = World::new(|plan| records(plan, Recorded::Always));
    let phone = world.talks();
    assert_eq!(world.orders(), [BEGUN]);
    let started = RecordingEvent::Started { number: 1, by: Means::Rule };
    assert_eq!(world.written(), [started]);
    world.give(Input::Hold { leg: phone, on: true });
    assert_eq!(world.orders(), []);
    world.give(Input::Transfer { leg: phone, to: TransferTo::Number("202".into()) });
    assert_eq!(world.orders(), []);
    let second = world.dialled();
    world.give(Input::Answered { leg: second });
    assert_eq!(world.orders(), [], "it goes on");
    world.give(Input::Gone { leg: LegId(1), lost: false });
    assert_eq!(world.orders(), [(1, TapeOrder::End)]);
    let stopped = RecordingEvent::Stopped { number: 1, why: RecordingStop::Ended };
    assert_eq!(world.written(), [stopped]);
}

#[test]
fn a_caller_is_told_before_an_operator_is_asked_for_and_once() {
    let mut world = World::new(|plan| {
        records(plan, Recorded::OnDemand);
        plan.recording.announcement = Some("recorded".into());
    });
    world.give(arrived(LegId(1), "700", Origin::Trunk("carrier".into())));
    assert!(!world.has(|event| matches!(event, CallEvent::OperatorAsked { .. })));
    let play = |world: &World| -> PlayId {
        let play = world.out.iter().find_map(|action| match action {
            Action::Play { play, prompts, .. } if prompts == &["recorded".into()] => Some(*play),
            _ => None,
        });
        play.expect("it is told")
    };
    let play = play(&world);
    // Neither a key nor another play's end passes over it.
    world.give(Input::Key { leg: LegId(1), key: '1' });
    world.give(Input::Played { leg: LegId(1), play: PlayId(play.0 + 77) });
    assert!(!world.has(|event| matches!(event, CallEvent::OperatorAsked { .. })));
    world.give(Input::Played { leg: LegId(1), play });
    assert!(world.has(|event| matches!(event, CallEvent::OperatorAsked { .. })));
    let phone = world.dialled();
    world.give(Input::Answered { leg: phone });
    assert_eq!(world.orders(), [], "nobody has wanted it");
    // Passed on into the same group: not told again.
    world.give(Input::Transfer { leg: phone, to: TransferTo::Number("700".into()) });
    assert!(world.has(|event| matches!(event, CallEvent::OperatorAsked { .. })));
}

#[test]
fn an_announcement_whose_end_is_never_told_keeps_nobody() {
    let mut world = World::new(|plan| {
        records(plan, Recorded::Always);
        plan.recording.announcement = Some("recorded".into());
    });
    world.give(arrived(LegId(1), "700", Origin::Trunk("carrier".into())));
    world.pass(secs(299));
    assert!(!world.has(|event| matches!(event, CallEvent::OperatorAsked { .. })));
    world.pass(secs(2));
    assert!(world.has(|event| matches!(event, CallEvent::OperatorAsked { .. })));
}

#[test]
fn a_persons_wishes_are_obeyed_where_the_plan_lets_them() {
    use TapeOrder::{Begin, End, Pause, Resume};
    let mut world = World::new(|plan| records(plan, Recorded::OnDemand));
    let phone = world.talks();
    let so = Err(CommandError::AlreadySo);
    assert_eq!([Pause, Resume, End].map(|order| world.wish(order)), [so, so, so]);
    assert_eq!(world.wish(Begin), Ok(()));
    assert_eq!(world.orders(), [BEGUN]);
    assert_eq!([Begin, Resume].map(|order| world.wish(order)), [so, so]);
    assert_eq!(world.wish(Pause), Ok(()));
    assert_eq!(world.orders(), [(1, Pause)]);
    assert_eq!([Begin, Pause].map(|order| world.wish(order)), [so, so]);
    assert_eq!(world.wish(Resume), Ok(()));
    assert_eq!(world.wish(Pause), Ok(()));
    // A pause that is forgotten ends by itself, and not before.
    world.pass(secs(119));
    assert_eq!(world.orders(), []);
    world.pass(secs(1));
    assert_eq!(world.orders(), [(1, Resume)]);
    assert_eq!(world.written(), [RecordingEvent::Resumed { number: 1, by: Means::Rule }]);
    assert_eq!(world.wish(End), Ok(()));
    assert_eq!(world.wish(Begin), Ok(()));
    assert_eq!(world.orders(), [(2, Begin)], "another file");
    // The recorder gives up; the call goes on, and may be recorded anew.
    let call = world.call();
    world.give(Input::TapeFailed { call, number: 1 });
    assert_eq!(world.orders(), [], "long over");
    world.give(Input::TapeFailed { call, number: 2 });
    assert_eq!(world.orders(), [(2, End)]);
    assert_eq!(world.wish(Begin), Ok(()));
    world.give(Input::Gone { leg: phone, lost: false });
    assert_eq!(world.orders(), [(3, End)]);
}

#[test]
fn what_somebody_stopped_does_not_begin_by_itself_again() {
    let mut world = World::new(|plan| records(plan, Recorded::Always));
    let phone = world.talks();
    assert_eq!(world.wish(TapeOrder::End), Ok(()));
    world.give(Input::Transfer { leg: phone, to: TransferTo::Number("202".into()) });
    let second = world.dialled();
    world.give(Input::Answered { leg: second });
    assert_eq!(world.orders(), []);
}

#[test]
fn a_call_that_the_plan_does_not_record_or_whose_caller_was_not_told_is_not() {
    let mut world = World::new(|_| {});
    world.talks();
    assert_eq!(world.orders(), []);
    assert_eq!(world.wish(TapeOrder::Begin), Err(CommandError::NotAllowed));
    // A consultation is between colleagues.
    let mut world = World::new(|plan| records(plan, Recorded::Always));
    world.give(arrived(LegId(1), "700", Origin::Extension("201".into())));
    let phone = world.dialled();
    world.give(Input::Answered { leg: phone });
    assert_eq!(world.orders(), []);
    assert_eq!(world.wish(TapeOrder::Begin), Err(CommandError::NotAllowed));
    // While nobody is there to be recorded.
    let mut world = World::new(|plan| records(plan, Recorded::OnDemand));
    world.give(arrived(LegId(1), "700", Origin::Trunk("carrier".into())));
    assert_eq!(world.wish(TapeOrder::Begin), Err(CommandError::NotTalking));
}

#[test]
fn an_agent_dials_a_code_for_the_call_at_hand() {
    let mut world = World::new(|plan| {
        records(plan, Recorded::OnDemand);
        plan.codes.insert(Number::from("*21"), FeatureCode::RecordStart);
    });
    let dial = |world: &mut World, leg: u64| {
        world.give(arrived(LegId(leg), "*21", Origin::Extension("201".into())));
        let told = |name: &str| {
            world.out.iter().any(|action| {
                matches!(action, Action::Play { prompts, .. } if prompts == &[name.into()])
            })
        };
        told("code_done")
    };
    assert!(!dial(&mut world, 91), "in no call");
    world.give(Input::Gone { leg: LegId(91), lost: false });
    world.talks();
    assert!(dial(&mut world, 93));
    assert_eq!(world.orders(), [BEGUN]);
    let started = RecordingEvent::Started { number: 1, by: Means::FeatureCode };
    assert_eq!(world.written(), [started]);
}

#[test]
fn a_pause_that_ends_while_a_colleague_is_rung_leaves_it_ringing() {
    let mut world = World::new(|plan| {
        records(plan, Recorded::Always);
        plan.recording.resume_after = secs(10);
    });
    let phone = world.talks();
    world.wish(TapeOrder::Pause).expect("it runs");
    world.give(Input::Transfer { leg: phone, to: TransferTo::Number("202".into()) });
    let rung = world.dialled();
    world.pass(secs(10));
    assert_eq!(world.orders(), [(1, TapeOrder::Resume)]);
    let silent = Action::HangUp { leg: rung, elsewhere: false };
    assert!(!world.out.contains(&silent), "{:?}", world.out);
    world.give(Input::Answered { leg: rung });
    assert!(world.out.contains(&Action::Connect { caller: LegId(1), agent: rung }));
}

#[test]
fn the_recording_of_a_talk_ends_where_the_passed_on_caller_leaves_a_message() {
    let mut world = World::new(|plan| records(plan, Recorded::Always));
    world.give(Input::Phone { extension: "202".into(), reachable: false });
    let phone = world.talks();
    assert_eq!(world.orders(), [BEGUN]);
    world.pass(secs(5));
    world.give(Input::Transfer { leg: phone, to: TransferTo::Number("700".into()) });
    assert_eq!(world.orders(), [], "it goes on in the queue");
    // The key of that queue that leads to the box; then its greeting and its tone are heard.
    world.give(Input::Key { leg: LegId(1), key: '1' });
    for heard in ["leave", "beep"] {
        let play = world.out.iter().find_map(|action| match action {
            Action::Play { leg: LegId(1), play, prompts, .. } => Some((*play, prompts.clone())),
            _ => None,
        });
        let (play, prompts) = play.expect(heard);
        assert_eq!(prompts, [heard.into()]);
        world.give(Input::Played { leg: LegId(1), play });
    }
    assert_eq!(world.orders(), [(1, TapeOrder::End), (2, TapeOrder::Begin)]);
    let stopped = RecordingEvent::Stopped { number: 1, why: RecordingStop::SentAway };
    let started = RecordingEvent::Started { number: 2, by: Means::Rule };
    assert_eq!(world.written(), [stopped, started]);
}
