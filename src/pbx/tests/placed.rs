//! Calls that our phones place outside and to phones that are no agent's.

use crate::base::{Channels, LegId, Mono, Now, Number, Private, Rng, TrunkId, Wall};
use crate::dialplan::{Outside, OutsideRule, Pattern, Plan};
use crate::event::{Caller, CallerNumber, Entry, Fact, Origin, PlacedEnd, PlacedEvent};
use crate::pbx::{Action, AgentState, Command, Desk, Input, TalkedMemory};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

pub(super) struct World {
    pub(super) desk: Desk,
    pub(super) ms: u64,
    pub(super) out: Vec<Action>,
    pub(super) next: u64,
}

/// 900 and 201 may call outside, one call at a time, two minutes a day.
pub(super) fn plan() -> Plan {
    let mut plan = super::plan();
    plan.outside = Some(Outside {
        extensions: BTreeSet::from(["900".into(), "201".into()]),
        groups: BTreeSet::new(),
        calls: 1,
        per_day: Duration::from_mins(2),
        prefix: String::new(),
        withhold: false,
        caller_id: Some("0312345670".into()),
        group_ids: BTreeMap::new(),
        extension_ids: BTreeMap::new(),
        emergency: vec!["carrier".into()],
        rules: vec![OutsideRule {
            name: "x".to_owned(),
            numbers: vec![Pattern::parse("03xxxxxxxx").unwrap()],
            trunks: vec!["carrier".into(), "second".into()],
            caller_id: None,
        }],
    });
    plan
}

impl World {
    fn new(channels: &[(&str, Channels)]) -> Self {
        Self::with(channels, 1)
    }

    /// With so many calls outside at once for each extension.
    pub(super) fn with(channels: &[(&str, Channels)], calls: u32) -> Self {
        let mut plan = plan();
        plan.outside.as_mut().unwrap().calls = calls;
        Self::of(plan, channels)
    }

    /// 201 is signed in; 201, 900 and 901 have phones.
    pub(super) fn of(plan: Plan, channels: &[(&str, Channels)]) -> Self {
        let mut desk = Desk::new(Arc::new(plan), 8, Rng::from_number(1));
        let channels = channels.iter().map(|(id, channels)| (TrunkId::from(*id), *channels));
        desk.set_channels(channels.collect());
        let mut world = Self { desk, ms: 0, out: Vec::new(), next: 1 };
        for extension in ["201", "900", "901"] {
            world.tell(Input::Phone { extension: extension.into(), reachable: true });
        }
        let sign_in = Command::SignIn { agent: "201".into(), by: crate::event::Means::Api };
        world.tell(Input::Command(sign_in));
        world.out.clear();
        world
    }

    /// One more agent is signed in.
    pub(super) fn starts(&mut self, agent: &str) {
        self.tell(Input::Phone { extension: agent.into(), reachable: true });
        let sign_in = Command::SignIn { agent: agent.into(), by: crate::event::Means::Api };
        self.tell(Input::Command(sign_in));
    }

    pub(super) fn gone(&mut self, leg: LegId) {
        self.tell(Input::Gone { leg, lost: false });
    }

    pub(super) fn tell(&mut self, input: Input) {
        let now = Now { mono: Mono(self.ms * 1_000), wall: self.wall() };
        self.desk.handle(input, now, &mut self.out);
    }

    pub(super) fn wall(&self) -> Wall {
        Wall(1_767_225_600_000 + i64::try_from(self.ms).unwrap())
    }

    pub(super) fn dial(&mut self, from: &str, number: &str) -> LegId {
        let leg = LegId(self.next);
        self.next += 2;
        let shown = CallerNumber::Known(Private::new(from.to_owned()));
        let caller = Caller { number: shown, name: None, diverted_from: None };
        let origin = Origin::Extension(from.into());
        self.tell(Input::Arrived { leg, dialled: number.into(), caller, origin, hindrance: None });
        leg
    }

    /// What was done, one word each.
    pub(super) fn done(&mut self) -> Vec<String> {
        let word = |action: Action| match action {
            Action::DialOut { trunk, way, .. } => Some(format!("out {trunk} {}", way.number)),
            Action::Dial { extension, .. } => Some(format!("dial {extension}")),
            Action::Refuse { status, .. } => Some(format!("refuse {status}")),
            Action::Ring { .. } => Some("ring".to_owned()),
            Action::Preview { .. } => Some("preview".to_owned()),
            Action::Accept { .. } => Some("accept".to_owned()),
            Action::Connect { .. } => Some("connect".to_owned()),
            Action::HangUp { .. } => Some("hang up".to_owned()),
            Action::Record(Fact::Placed { event: PlacedEvent::Ended { why, .. }, .. }) => {
                Some(format!("= {why:?}"))
            }
            Action::Record(Fact::Call { .. }) => panic!("no call of the desk"),
            _ => None,
        };
        self.out.drain(..).filter_map(word).collect()
    }

    /// The leg dialled last.
    pub(super) fn dialled(&self) -> LegId {
        let last = self.out.iter().rev().find_map(|action| match action {
            Action::DialOut { leg, .. } | Action::Dial { leg, .. } => Some(*leg),
            _ => None,
        });
        last.expect("a leg was dialled")
    }

    pub(super) fn agent(&self) -> AgentState {
        self.desk.agents().iter().find(|agent| agent.agent.as_str() == "201").unwrap().state
    }
}

#[test]
fn an_agent_who_calls_outside_is_not_rung_until_the_call_is_over() {
    let mut world = World::new(&[]);
    let leg = world.dial("201", "0398765432");
    let phone = world.dialled();
    assert_eq!(world.done(), ["out carrier 0398765432"]);
    assert_eq!(world.agent(), AgentState::Talking);
    world.tell(Input::Early { leg: phone });
    world.tell(Input::Answered { leg: phone });
    assert_eq!(world.done(), ["preview", "accept", "connect"]);
    world.tell(Input::Hold { leg, on: true });
    world.tell(Input::Hold { leg, on: false });
    world.gone(phone);
    assert_eq!(world.done(), ["hang up", "= HungUp"]);
    assert_eq!((world.agent(), world.desk.held()), (AgentState::Idle, 0));
}

#[test]
fn a_trunk_that_cannot_is_followed_by_the_next_and_the_called_partys_no_is_final() {
    let mut world = World::new(&[]);
    world.dial("900", "0398765432");
    for (status, want) in [(408, "out carrier"), (503, "out second"), (503, "out second")] {
        let leg = world.dialled();
        world.out.clear();
        world.tell(Input::Refused { leg, status });
        let done: Vec<String> = world
            .out
            .iter()
            .filter_map(|action| match action {
                Action::DialOut { trunk, .. } => Some(format!("out {trunk}")),
                _ => None,
            })
            .collect();
        assert_eq!(done, [want], "{status}");
    }
    let leg = world.dialled();
    world.out.clear();
    world.tell(Input::Refused { leg, status: 503 });
    assert_eq!(world.done(), ["refuse 503", "= NotAnswered { status: 503 }"]);
    assert_eq!(world.desk.held(), 0);
    for status in [486, 404, 603, 480] {
        world.dial("900", "0398765432");
        let leg = world.dialled();
        world.out.clear();
        world.tell(Input::Refused { leg, status });
        let end = format!("= NotAnswered {{ status: {status} }}");
        assert_eq!(world.done(), [format!("refuse {status}"), end]);
    }
    // It rang already: a late failure is no reason to ring somebody anew.
    world.dial("900", "0398765432");
    let leg = world.dialled();
    world.tell(Input::Ringing { leg });
    world.out.clear();
    world.tell(Input::Refused { leg, status: 503 });
    assert_eq!(world.done()[0], "refuse 503");
}

#[test]
fn who_may_not_call_outside_causes_no_leg_at_all() {
    let mut world = World::new(&[]);
    for (from, number, want) in [
        ("901", "0398765432", vec!["refuse 403", "= NotAllowed"]),
        ("900", "0120123456", vec!["refuse 404"]),
        ("900", "+81398765432", vec!["refuse 404"]),
        ("202", "0398765432", vec!["refuse 403", "= NotAllowed"]),
    ] {
        world.dial(from, number);
        assert_eq!(world.done(), want, "{from} {number}");
    }
    // From outside to outside: a trunk is no phone of ours, whatever it claims.
    let caller = Caller { number: CallerNumber::Withheld, name: None, diverted_from: None };
    let leg = LegId(99);
    let origin = Origin::Trunk("carrier".into());
    world.tell(Input::Arrived {
        leg,
        dialled: "0398765432".into(),
        caller,
        origin,
        hindrance: None,
    });
    assert_eq!(world.done(), ["refuse 404"]);
    assert_eq!(world.desk.held(), 0);
}

#[test]
fn what_an_extension_talked_before_a_restart_counts_for_its_day() {
    let mut world = World::new(&[]);
    let mut entries = Vec::new();
    let mut keep = |world: &mut World| {
        let at = world.wall();
        for action in world.out.drain(..) {
            if let Action::Record(fact) = action {
                entries.push(Entry { seq: 0, at, fact });
            }
        }
    };
    // A minute talked to its end, then a call that is up when the process dies half a minute later,
    // as the agent's last word tells.
    let mut phone = LegId(0);
    for _ in 0..2 {
        let leg = world.dial("900", "0398765432");
        phone = world.dialled();
        world.tell(Input::Answered { leg: phone });
        keep(&mut world);
        if leg == LegId(1) {
            world.ms += 60_000;
            world.gone(leg);
            keep(&mut world);
        }
    }
    assert!(world.desk.call_of(phone).is_some());
    world.ms += 30_000;
    let agent = "201".into();
    world.tell(Input::Command(Command::SignOut { agent, by: crate::event::Means::Api }));
    keep(&mut world);
    let call = world.desk.call_of(phone).unwrap();
    let mut again = World::new(&[]);
    again.ms = world.ms + 500_000;
    let ended = PlacedEvent::Ended { by: crate::event::Party::System, why: PlacedEnd::Restart };
    let fact = Fact::Placed { call, t_ms: 0, event: ended };
    entries.push(Entry { seq: 0, at: again.wall(), fact });

    let mut memory = TalkedMemory::default();
    for entry in &entries {
        memory.apply(entry, &plan());
    }
    again.desk.restore_talked(memory.talked);
    again.dial("900", "0398765432");
    let phone = again.dialled();
    again.tell(Input::Answered { leg: phone });
    again.out.clear();
    again.ms += 29_999;
    again.tell(Input::Tick);
    assert_eq!(again.done(), [""; 0]);
    again.ms += 1;
    again.tell(Input::Tick);
    assert_eq!(again.done(), ["hang up", "hang up", "= TimeUsedUp"]);
}

#[test]
fn one_extension_has_so_many_calls_and_so_much_time_and_no_more() {
    let mut world = World::new(&[]);
    let first = world.dial("900", "0398765432");
    let phone = world.dialled();
    world.out.clear();
    world.dial("900", "0398765433");
    assert_eq!(world.done(), ["refuse 486", "= TooManyCalls"]);
    world.tell(Input::Answered { leg: phone });
    world.ms += 90_000;
    world.gone(first);
    // Half a minute is left: the call ends by itself.
    world.dial("900", "0398765432");
    let phone = world.dialled();
    world.tell(Input::Answered { leg: phone });
    world.out.clear();
    world.ms += 29_999;
    world.tell(Input::Tick);
    assert_eq!(world.done(), [""; 0]);
    world.ms += 1;
    world.tell(Input::Tick);
    assert_eq!(world.done(), ["hang up", "hang up", "= TimeUsedUp"]);
    world.dial("900", "0398765432");
    assert_eq!(world.done(), ["refuse 403", "= TimeUsedUp"]);
    // The next day (of the plan's zone) begins anew.
    world.ms += 24 * 3_600_000;
    world.dial("900", "0398765432");
    assert_eq!(world.done(), ["out carrier 0398765432"]);
}

#[test]
fn a_trunk_without_a_free_channel_is_passed_by_and_the_time_is_told() {
    let one = Channels { all: Some(1), ..Channels::default() };
    let mut world = World::new(&[("carrier", one), ("second", one)]);
    world.dial("900", "0398765432");
    world.dial("201", "0398765432");
    assert_eq!(world.done(), ["out carrier 0398765432", "out second 0398765432"]);
    world.tell(Input::Phone { extension: "902".into(), reachable: true });
    // A caller from outside finds the trunk full: refused, and in the history as a desk call.
    let caller = Caller { number: CallerNumber::Withheld, name: None, diverted_from: None };
    let (leg, origin) = (LegId(99), Origin::Trunk("carrier".into()));
    world.tell(Input::Arrived {
        leg,
        dialled: "0312345671".into(),
        caller,
        origin,
        hindrance: None,
    });
    let text = format!("{:?}", world.out);
    assert!(text.contains("ChannelsFull") && text.contains("status: 486"), "{text}");
    world.out.clear();
    world.ms += 5_000;
    world.gone(LegId(1));
    assert!(format!("{:?}", world.out).contains("ChannelsFree { for_ms: 5000 }"));
}

#[test]
fn a_staff_phone_that_is_no_agents_can_be_called() {
    let mut world = World::new(&[]);
    world.dial("201", "900");
    let phone = world.dialled();
    world.tell(Input::Ringing { leg: phone });
    world.tell(Input::Answered { leg: phone });
    assert_eq!(world.done(), ["dial 900", "ring", "accept", "connect"]);
    world.tell(Input::Phone { extension: Number::from("901"), reachable: false });
    world.dial("900", "901");
    assert_eq!(world.done(), ["refuse 480", "= NotAnswered { status: 480 }"]);
    world.gone(LegId(1));
    world.dial("900", "201");
    // An agent's own line goes on as before: a desk call that is not counted.
    assert!(world.out.iter().any(|action| matches!(action, Action::Record(Fact::Call { .. }))));
}

#[test]
fn a_fault_in_the_midst_of_a_placed_call_gives_all_back() {
    let one = Channels { all: Some(1), ..Channels::default() };
    let mut world = World::new(&[("carrier", one)]);
    let leg = world.dial("201", "0398765432");
    let phone = world.dialled();
    world.tell(Input::Answered { leg: phone });
    world.out.clear();
    world.desk.break_step(leg);
    world.tell(Input::Tick);
    let end = "= Fault { what: \"a fault in the rules\" }";
    assert_eq!(world.done(), ["hang up", "hang up", end]);
    assert_eq!((world.agent(), world.desk.held()), (AgentState::Idle, 0));
    world.dial("201", "0398765432");
    assert_eq!(world.done(), ["out carrier 0398765432"], "its channel is free again");
}
