//! A new plan while calls are up.

use super::{lot, plan};
use crate::base::{AdHoc, AgentId, GroupId, LegId, Mono, Now, PlayId, Private, Rng, Wall};
use crate::dialplan::{AtClosing, Plan, Recall, Recorded, Span, Target};
use crate::event::{
    CallEvent, Caller, CallerNumber, DeskEvent, EndCause, Fact, Means, Origin, Party,
};
use crate::pbx::{Action, AgentState, Command, Desk, HoursOrder, Input, TransferTo};
use chrono::NaiveTime;
use std::collections::BTreeMap;
use std::sync::Arc;

struct World {
    desk: Desk,
    ms: u64,
    out: Vec<Action>,
}

impl World {
    fn new() -> Self {
        Self::of(plan())
    }

    fn of(plan: Plan) -> Self {
        let desk = Desk::new(Arc::new(plan), 8, Rng::from_number(1));
        Self { desk, ms: 0, out: Vec::new() }
    }

    fn now(&self) -> Now {
        let wall = 1_795_482_000_000 + i64::try_from(self.ms).unwrap();
        Now { mono: Mono(self.ms * 1_000), wall: Wall(wall) }
    }

    fn tell(&mut self, input: Input) {
        self.ms += 10;
        self.desk.handle(input, self.now(), &mut self.out);
    }

    fn start(&mut self, agent: &str) {
        self.tell(Input::Phone { extension: agent.into(), reachable: true });
        self.tell(Input::Command(Command::SignIn { agent: agent.into(), by: Means::Api }));
    }

    fn call(&mut self, leg: u64, number: &str) {
        let shown = CallerNumber::Known(Private::new("0311112222".to_owned()));
        let caller = Caller { number: shown, name: None, diverted_from: None };
        let origin = Origin::Trunk("carrier".into());
        let (leg, dialled) = (LegId(leg), number.into());
        self.tell(Input::Arrived { leg, dialled, caller, origin, hindrance: None });
    }

    fn replan(&mut self, plan: Plan) {
        self.ms += 10;
        self.desk.set_plan(plan, 8, BTreeMap::new(), self.now(), &mut self.out);
    }

    /// Who was dialled since the last look, and at which leg.
    fn dialled(&mut self) -> Vec<(LegId, String)> {
        let dials = self.out.drain(..).filter_map(|action| match action {
            Action::Dial { leg, extension, .. } => Some((leg, extension.as_str().to_owned())),
            _ => None,
        });
        dials.collect()
    }

    fn ends(&self) -> Vec<(Party, EndCause)> {
        let ends = self.out.iter().filter_map(|action| match action {
            Action::Record(Fact::Call { event: CallEvent::Ended { by, cause }, .. }) => {
                Some((*by, cause.clone()))
            }
            _ => None,
        });
        ends.collect()
    }

    /// What plays to a caller that begins with this prompt.
    fn plays(&self, leg: u64, prompt: &str) -> Option<PlayId> {
        self.out.iter().find_map(|action| match action {
            Action::Play { leg: to, play, prompts, .. }
                if *to == LegId(leg) && prompts[0].as_str() == prompt =>
            {
                Some(*play)
            }
            _ => None,
        })
    }

    /// 201 has the caller at leg 1: the phone's leg.
    fn talks(&mut self) -> LegId {
        self.start("201");
        self.call(1, "700");
        let phone = self.dialled()[0].0;
        self.tell(Input::Answered { leg: phone });
        phone
    }

    fn states(&self) -> BTreeMap<AgentState, u32> {
        let states = self.desk.gauges(self.now().mono).agents;
        states.into_iter().filter(|(_, count)| *count > 0).collect()
    }
}

/// The plan without the group `line`, its number and its agents.
fn without_line() -> Plan {
    let mut plan = plan();
    plan.groups.remove(&GroupId::from("line"));
    for agent in ["201", "202", "203"] {
        plan.agents.remove(&AgentId::from(agent));
    }
    plan
}

#[test]
fn who_talks_or_waits_in_a_group_that_is_no_more_is_served_to_the_end() {
    let mut world = World::new();
    world.start("201");
    world.call(1, "700");
    let first = world.dialled()[0].0;
    world.tell(Input::Answered { leg: first });
    world.call(3, "700");
    assert_eq!(world.dialled(), []);
    world.replan(without_line());
    assert_eq!(world.ends(), []);
    // Nobody new comes to the group, and its agent is signed out, but for the call at hand.
    world.call(5, "700");
    let refused = |action: &Action| matches!(action, Action::Refuse { leg: LegId(5), status: 404 });
    assert!(world.out.iter().any(refused), "{:?}", world.out);
    assert_eq!(world.desk.agents().len(), plan().agents.len() - 3);
    world.out.clear();
    world.tell(Input::Gone { leg: LegId(1), lost: false });
    assert_eq!(world.ends(), [(Party::Caller, EndCause::HungUp)]);
    assert_eq!(world.dialled(), [], "who left is not rung any more");
    let others = u32::try_from(plan().agents.len() - 3).expect("few");
    assert_eq!(world.states(), BTreeMap::from([(AgentState::SignedOut, others)]));
    // The old plan comes back: the caller still waits, and is the first to be served.
    world.replan(plan());
    world.start("202");
    let dialled = world.dialled();
    assert_eq!(dialled[0].1, "202");
    world.tell(Input::Answered { leg: dialled[0].0 });
    world.tell(Input::Gone { leg: LegId(3), lost: false });
    world.ms += 60_000;
    world.tell(Input::Tick);
    assert_eq!(world.desk.held(), 0);
    assert_eq!(world.desk.agents().len(), plan().agents.len());
}

/// The same without the group `all`, and without any menu, entry, box or call back.
fn bare() -> Plan {
    let mut plan = without_line();
    plan.groups.remove(&GroupId::from("all"));
    plan.menus.clear();
    plan.entries.clear();
    plan.mailboxes.clear();
    plan.callbacks.clear();
    plan
}

#[test]
fn what_a_parked_a_waiting_and_an_announced_caller_can_still_reach_outlives_a_plan() {
    // A key of the queue leads to a box.
    let mut world = World::new();
    world.call(1, "700");
    world.replan(bare());
    world.tell(Input::Key { leg: LegId(1), key: '1' });
    assert_eq!(world.ends(), [], "who waits");
    assert!(world.plays(1, "leave").is_some());

    // The group comes after the announcement.
    let mut recorded = plan();
    recorded.recording.announcement = Some("recorded".into());
    let line = recorded.groups.get_mut(&GroupId::from("line")).expect("a group");
    line.recorded = Some(Recorded::Always);
    let mut world = World::of(recorded);
    world.call(1, "700");
    let play = world.plays(1, "recorded").expect("an announcement");
    world.replan(bare());
    world.tell(Input::Played { leg: LegId(1), play });
    assert_eq!(world.ends(), [], "who hears an announcement");
    assert!(world.plays(1, "busy").is_some());

    // A slot's last way leads to a box.
    let mut slots = plan();
    let then = Some(Target::Message("post".into()));
    slots.lots = vec![lot("820", &["821"], Recall::Parker { then })];
    let mut world = World::of(slots);
    let phone = world.talks();
    world.tell(Input::Transfer { leg: phone, to: TransferTo::Number("821".into()) });
    world.tell(Input::Gone { leg: phone, lost: false });
    world.replan(bare());
    for _ in 0..2 {
        world.ms += 61_000;
        world.tell(Input::Tick);
    }
    assert_eq!(world.ends(), [], "who is parked");
    assert!(world.plays(1, "leave").is_some());

    // The agent asks a group and hangs up.
    let mut world = World::new();
    world.start("211");
    let phone = world.talks();
    for key in "*2701#".chars() {
        world.tell(Input::Key { leg: phone, key });
    }
    assert_eq!(world.dialled().len(), 1, "211 is asked");
    world.replan(bare());
    world.tell(Input::Gone { leg: phone, lost: false });
    assert_eq!(world.ends(), [], "for whom a group is asked");
}

#[test]
fn an_agent_who_is_new_in_a_group_takes_who_waits_there() {
    let mut world = World::new();
    world.start("211"); // of another group
    world.call(1, "700");
    assert_eq!(world.dialled(), []);
    let mut with = plan();
    with.groups.get_mut(&GroupId::from("line")).unwrap().agents.push("211".into());
    world.replan(with);
    assert_eq!(world.dialled(), [(LegId(2), "211".to_owned())]);
    // And one who left the group while ringing goes on ringing; the phone is an agent's still.
    world.replan(plan());
    world.tell(Input::Answered { leg: LegId(2) });
    world.tell(Input::Gone { leg: LegId(1), lost: false });
    world.ms += 60_000;
    world.tell(Input::Tick);
    assert_eq!(world.desk.held(), 0);
}

/// Tuesday 10:00 in Tokyo: 2 h 15 min into the hours of 0312345672.
#[test]
fn a_plan_that_closes_earlier_tells_who_waits_and_one_that_serves_lets_them_wait() {
    let closes_at = |hour, minute, at_closing| {
        let mut plan = plan();
        let span = Span {
            from: NaiveTime::from_hms_opt(8, 30, 0).expect("a time"),
            until: NaiveTime::from_hms_opt(hour, minute, 0).expect("a time"),
        };
        for spans in plan.hours.get_mut("office").expect("hours").week.values_mut() {
            *spans = vec![span];
        }
        let desk = plan.desk_numbers.get_mut(&"0312345672".into()).expect("a number");
        desk.at_closing = Some(at_closing);
        plan
    };
    for (at_closing, ends) in [(AtClosing::Tell, 1), (AtClosing::Serve, 0)] {
        let mut world = World::new();
        world.call(1, "0312345672");
        world.replan(closes_at(9, 30, at_closing));
        world.ms += 10;
        world.tell(Input::Tick);
        let closing = world.out.iter().rev().find_map(|action| match action {
            Action::Play { leg: LegId(1), play, prompts, .. }
                if prompts[0].as_str() == "closing" =>
            {
                Some(*play)
            }
            _ => None,
        });
        assert_eq!(closing.is_some(), ends == 1, "{at_closing:?}");
        if let Some(play) = closing {
            world.tell(Input::Played { leg: LegId(1), play });
            assert_eq!(world.ends(), [(Party::System, EndCause::ClosedWhileWaiting)]);
        }
    }
}

#[test]
fn what_holds_out_of_turn_holds_under_the_next_plan_and_ends_with_its_number() {
    let mut world = World::new();
    world.start("201");
    let until = Wall(world.now().wall.0 + 3_600_000);
    for number in [None, Some("0312345670".into()), Some("0312345676".into())] {
        let order = HoursOrder::Change { to: AdHoc::Closed, reason: "停電".to_owned(), until };
        let (author, by) = ("佐藤".to_owned(), Means::Api);
        world.tell(Input::Command(Command::Hours { number, order, author, by }));
    }
    world.out.clear();
    let (states, agents) = (world.states(), world.desk.agents());
    let mut fewer = plan();
    fewer.desk_numbers.remove(&"0312345676".into());
    world.replan(fewer);
    world.tell(Input::Tick);
    let restored: Vec<_> = world
        .out
        .iter()
        .filter_map(|action| match action {
            Action::Record(Fact::Desk { event: DeskEvent::HoursRestored { number, .. } }) => {
                Some(number.clone())
            }
            _ => None,
        })
        .collect();
    assert_eq!(restored, [Some("0312345676".into())], "the number that is no more, and no other");
    // Nobody's state moved, and the two that hold go on holding.
    assert_eq!((world.states(), world.desk.agents()), (states, agents));
    world.out.clear();
    world.call(1, "0312345670");
    let closed = |action: &Action| {
        matches!(action, Action::Record(Fact::Call { event: CallEvent::FoundClosed { .. }, .. }))
    };
    assert!(world.out.iter().any(closed), "{:?}", world.out);
}
