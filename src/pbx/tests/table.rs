//! Talks of more than two, and talks that are held for too long: who hears whom, who is rung, and what the
//! history says.

use super::ladder::{arrived, shown};
use super::{plan, secs};
use crate::base::{AgentId, CallId, LegId, Mono, Now, Number, Rng, Wall};
use crate::dialplan::{FeatureCode, Outside, OutsideRule, Pattern, Plan};
use crate::event::{Means, Origin, Supervision};
use crate::pbx::{Action, Command, CommandError, Desk, Input, TransferTo};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// A desk with one caller's leg 1, and what it did last, told as in the ladders.
pub(super) struct World {
    pub(super) desk: Desk,
    at: Mono,
    pub(super) out: Vec<Action>,
}

/// 201 to 203 are of one group, 211 supervises, 3001 is a phone that is no agent's.
pub(super) fn desk_plan() -> Plan {
    let mut plan = plan();
    for (code, does) in [
        ("*8", FeatureCode::Pickup),
        ("*90", FeatureCode::Listen),
        ("*91", FeatureCode::Whisper),
        ("*92", FeatureCode::Barge),
        ("*93", FeatureCode::Add),
    ] {
        plan.open_codes.insert(Number::from(code), does);
    }
    plan.codes.insert(Number::from("*8"), FeatureCode::Pickup);
    plan.supervisors.agents.insert(AgentId::from("211"));
    plan.supervisors.announcement = Some("supervised".into());
    plan.hold_most = Some(secs(60));
    plan.outside = Some(Outside {
        extensions: plan.agents.keys().map(|id| Number(id.0.clone())).collect(),
        groups: BTreeSet::new(),
        calls: 1,
        per_day: secs(600),
        prefix: String::new(),
        withhold: false,
        caller_id: None,
        group_ids: BTreeMap::new(),
        extension_ids: BTreeMap::new(),
        emergency: Vec::new(),
        rules: vec![OutsideRule {
            name: "x".to_owned(),
            numbers: vec![Pattern::parse("0*").expect("a pattern")],
            trunks: vec!["carrier".into()],
            caller_id: None,
        }],
    });
    plan
}

impl World {
    pub(super) fn new() -> Self {
        Self::of(desk_plan())
    }

    pub(super) fn of(plan: Plan) -> Self {
        let desk = Desk::new(Arc::new(plan), 20, Rng::from_number(1));
        let mut world = Self { desk, at: Mono(1_000_000), out: Vec::new() };
        for extension in ["201", "202", "211", "212", "3001"] {
            world.give(Input::Phone { extension: extension.into(), reachable: true });
        }
        for extension in ["201", "202"] {
            let (agent, by) = (AgentId::from(extension), Means::Api);
            world.give(Input::Command(Command::SignIn { agent, by }));
        }
        world
    }

    fn now(&self) -> Now {
        Now { mono: self.at, wall: Wall(1_795_482_000_000) }
    }

    pub(super) fn give(&mut self, input: Input) {
        self.out.clear();
        self.desk.handle(input, self.now(), &mut self.out);
    }

    pub(super) fn order(&mut self, command: Command) -> Result<(), CommandError> {
        self.out.clear();
        self.desk.command(command, self.now(), &mut self.out)
    }

    pub(super) fn pass(&mut self, span: Duration) {
        self.at = self.at + span;
        self.give(Input::Tick);
    }

    /// What was done, without what happened to agents.
    pub(super) fn did(&self) -> Vec<String> {
        let told = self.out.iter().filter_map(shown);
        let plain = |line: String| line.replace("AgentId(\"", "\"").replace("\")", "\"");
        told.filter(|line| !line.starts_with('!')).map(plain).collect()
    }

    #[track_caller]
    pub(super) fn does(&self, wanted: &[&str]) {
        assert_eq!(self.did(), wanted);
    }

    #[track_caller]
    pub(super) fn has_done(&self, line: &str) {
        assert!(self.did().contains(&line.to_owned()), "no {line}: {:?}", self.did());
    }

    fn dialled(&self) -> LegId {
        let dialled = self.out.iter().find_map(|action| match action {
            Action::Dial { leg, .. } | Action::DialOut { leg, .. } => Some(*leg),
            _ => None,
        });
        dialled.unwrap_or_else(|| panic!("nobody is rung: {:?}", self.did()))
    }

    pub(super) fn call(&self) -> CallId {
        self.desk.call_of(LegId(1)).expect("a call")
    }

    /// The caller is with 201, by leg 2.
    pub(super) fn talks(&mut self) {
        self.give(arrived(LegId(1), "700", Origin::Trunk("carrier".into())));
        assert_eq!(self.dialled(), LegId(2));
        self.give(Input::Answered { leg: LegId(2) });
    }

    pub(super) fn dials(&mut self, leg: u64, by: &str, number: &str) {
        self.give(arrived(LegId(leg), number, Origin::Extension(by.into())));
    }

    pub(super) fn gone(&mut self, leg: u64) {
        self.give(Input::Gone { leg: LegId(leg), lost: false });
    }

    pub(super) fn answers(&mut self, leg: u64) {
        self.give(Input::Answered { leg: LegId(leg) });
    }

    fn calls_of(&self, agent: &str) -> u32 {
        let agents = self.desk.agents();
        agents.iter().find(|it| it.agent.as_str() == agent).expect("in the plan").calls
    }

    /// Everybody has hung up: nothing is held.
    #[track_caller]
    pub(super) fn nothing_is_left(&mut self) {
        self.pass(secs(3600));
        for agent in ["201", "202", "211", "212"] {
            assert_eq!(self.calls_of(agent), 0, "{agent}");
        }
        assert_eq!(self.desk.held(), 0);
    }
}

#[test]
fn a_colleague_picks_up_by_code_what_has_rung_longest() {
    let mut world = World::new();
    world.give(arrived(LegId(1), "700", Origin::Trunk("carrier".into())));
    world.give(arrived(LegId(3), "202", Origin::Trunk("carrier".into())));
    // 203 is of their group; 212 is not.
    world.dials(5, "212", "*8");
    world.has_done("play 5 code_refused");
    world.dials(7, "203", "*8");
    world.does(&[
        "hang up 2 (elsewhere)",
        "= OfferEnded 201 TakenElsewhere",
        "= OfferMade 203",
        "accept 7",
        "accept 1",
        "= Accepted",
        "connect 1 7",
        "= OperatorAnswered 203",
    ]);
    // Nothing else rings there.
    world.dials(9, "201", "*8201");
    world.has_done("play 9 code_refused");
    world.gone(9);
    world.gone(1);
    world.gone(5);
    world.gone(3);
    world.nothing_is_left();
}

#[test]
fn a_colleague_picks_up_by_code_what_rings_at_one_phone() {
    let mut world = World::new();
    world.give(arrived(LegId(1), "700", Origin::Trunk("carrier".into())));
    world.give(arrived(LegId(3), "202", Origin::Trunk("carrier".into())));
    world.dials(7, "203", "*8202");
    world.has_done("connect 3 7");
    world.has_done("hang up 4 (elsewhere)");
    world.gone(7);
    world.has_done("= Ended Agent HungUp");
    world.gone(1);
    world.nothing_is_left();
}

#[test]
fn a_supervisor_listens_by_code_whispers_and_barges_by_keys_and_leaves() {
    let mut world = World::new();
    world.talks();
    world.dials(5, "211", "*90201");
    world.does(&[
        "accept 5",
        "= SupervisionBegan { by: \"211\", agent: \"201\", mode: Listen, means: FeatureCode }",
        "mix 1 hears 2; 2 hears 1; 5 hears 1 2",
        "play 1 supervised",
        "= Announced supervised Supervision",
    ]);
    assert_eq!(world.calls_of("211"), 1, "it makes the supervisor busy");
    // The announcement begins anew where a change of seats cut it off, and is told once.
    world.give(Input::Key { leg: LegId(5), key: '2' });
    world.does(&[
        "= SupervisionChanged { by: \"211\", mode: Whisper, means: Key }",
        "mix 1 hears 2; 2 hears 1 5; 5 hears 1 2",
        "play 1 supervised",
    ]);
    let play = world.out.iter().find_map(|action| match action {
        Action::Play { play, .. } => Some(*play),
        _ => None,
    });
    world.give(Input::Played { leg: LegId(1), play: play.expect("it plays") });
    world.does(&[]);
    world.give(Input::Key { leg: LegId(5), key: '3' });
    world.does(&[
        "= SupervisionChanged { by: \"211\", mode: Barge, means: Key }",
        "mix 1 hears 2 5; 2 hears 1 5; 5 hears 1 2",
    ]);
    world.give(Input::Key { leg: LegId(5), key: '9' });
    world.does(&[]);
    // What is said to the room while the other hears music is nobody's business.
    world.give(Input::Hold { leg: LegId(2), on: true });
    world.does(&[
        "play 1 hold for ever",
        "= Held Agent",
        "mix 1 hears 2 5; 2 hears 1 5; 5 hears nobody",
        "play 1 hold for ever",
    ]);
    world.give(Input::Hold { leg: LegId(2), on: false });
    world.does(&["stop 1", "= Resumed Agent", "mix 1 hears 2 5; 2 hears 1 5; 5 hears 1 2"]);
    world.gone(5);
    world.does(&["= SupervisionEnded { by: \"211\" }", "connect 1 2"]);
    world.gone(1);
    world.nothing_is_left();
}

#[test]
fn a_supervision_by_the_api_rings_the_supervisor_and_ends_with_the_talk() {
    let mut world = World::new();
    let wish = |by: &str, agent: &str, mode| Command::Supervise {
        by: by.into(),
        agent: agent.into(),
        mode,
        means: Means::Api,
    };
    let listen = Some(Supervision::Listen);
    assert_eq!(world.order(wish("211", "201", listen)), Err(CommandError::NotTalking));
    world.talks();
    assert_eq!(world.order(wish("202", "201", listen)), Err(CommandError::NotASupervisor));
    assert_eq!(world.order(wish("211", "211", listen)), Err(CommandError::NotASupervisor));
    assert_eq!(world.order(wish("211", "299", listen)), Err(CommandError::NoSuchAgent));
    assert_eq!(world.order(wish("211", "201", None)), Err(CommandError::AlreadySo));
    assert_eq!(world.order(wish("211", "201", listen)), Ok(()));
    world.does(&["dial 4 to 211 for 1"]);
    // While it rings, another wish about it only changes how.
    assert_eq!(world.order(wish("211", "201", Some(Supervision::Barge))), Ok(()));
    world.does(&[]);
    world.answers(4);
    assert_eq!(world.did()[1], "mix 1 hears 2 4; 2 hears 1 4; 4 hears 1 2");
    assert_eq!(
        world.order(wish("211", "201", Some(Supervision::Barge))),
        Err(CommandError::AlreadySo)
    );
    // The agent passes the caller on: the supervision was of this agent's talk.
    world.give(Input::Transfer { leg: LegId(2), to: TransferTo::Number("202".into()) });
    let did = world.did();
    assert!(did.contains(&"hang up 4".to_owned()), "{did:?}");
    assert!(did.contains(&"= SupervisionEnded { by: \"211\" }".to_owned()), "{did:?}");
    assert_eq!(world.calls_of("211"), 0);
    world.gone(1);
    // Not answered: nothing stands in the history.
    world.pass(secs(3600));
    world.give(arrived(LegId(11), "700", Origin::Trunk("carrier".into())));
    let phone = world.dialled();
    world.give(Input::Answered { leg: phone });
    assert_eq!(world.order(wish("211", "201", listen)), Ok(()));
    world.pass(secs(30));
    assert!(world.did().iter().all(|line| line.starts_with("hang up")), "{:?}", world.did());
    world.gone(11);
    world.nothing_is_left();
}

#[test]
fn who_is_no_supervisor_hears_so_and_nobody_listens() {
    let mut world = World::new();
    world.talks();
    for (leg, by, code) in [(5, "202", "*90201"), (7, "211", "*90202"), (9, "211", "*90299")] {
        world.dials(leg, by, code);
        world.does(&[&format!("accept {leg}"), &format!("play {leg} code_refused")]);
    }
    for leg in [1, 5, 7, 9] {
        world.gone(leg);
    }
    world.nothing_is_left();
}

#[test]
fn an_agent_adds_a_colleague_and_who_leaves_leaves_the_other_two() {
    for leaves in [1, 2, 4] {
        let mut world = World::new();
        world.talks();
        world.give(Input::Hold { leg: LegId(2), on: true });
        world.dials(5, "201", "*93202");
        world.does(&[
            "= ThirdCalled { by: \"201\", number: •••, inside: true, means: FeatureCode }",
            "dial 4 to 202 for 1",
            "accept 5",
            "play 5 code_done",
        ]);
        world.gone(5);
        world.give(Input::Hold { leg: LegId(2), on: false });
        world.answers(4);
        world.does(&[
            "= ThirdJoined { agent: Some(\"202\") }",
            "mix 1 hears 2 4; 2 hears 1 4; 4 hears 1 2 (nobody's partner)",
        ]);
        assert_eq!((world.calls_of("201"), world.calls_of("202")), (1, 1));
        // Who holds is heard by nobody, and no music plays.
        world.give(Input::Hold { leg: LegId(2), on: true });
        world.does(&[
            "play 1 hold for ever",
            "= Held Agent",
            "mix 1 hears 4; 2 hears 1 4; 4 hears 1 (nobody's partner)",
        ]);
        world.give(Input::Hold { leg: LegId(2), on: false });
        world.gone(leaves);
        match leaves {
            4 => world.does(&["= ThirdEnded", "connect 1 2"]),
            2 => world.does(&[
                "= ThirdEnded",
                "= Transferred 201 202 (attended)",
                "connect 1 4",
                "= OperatorAnswered 202",
            ]),
            _ => world.does(&[
                "= ThirdEnded",
                "= Ended Caller HungUp",
                "= Arrived 202 (not counted)",
                "= OperatorAsked",
                "= Accepted",
                "= OfferMade 202",
                "= OperatorAnswered 202",
                "connect 2 4",
            ]),
        }
        // The last two.
        world.gone(if leaves == 2 { 4 } else { 2 });
        assert!(world.did().iter().any(|line| line.starts_with("= Ended")), "{:?}", world.did());
        world.nothing_is_left();
    }
}

#[test]
fn an_agent_adds_somebody_outside_who_counts_for_the_agent() {
    for leaves in [1, 2, 4] {
        let mut world = World::new();
        world.talks();
        let (call, number, by) = (world.call(), Number::from("0398765432"), Means::Api);
        assert_eq!(world.order(Command::AddThird { call, number: number.clone(), by }), Ok(()));
        world.has_done("dial out 4 to 0398765432 by carrier for 1");
        assert_eq!(
            world.order(Command::AddThird { call, number: number.clone(), by }),
            Err(CommandError::AlreadySo)
        );
        world.answers(4);
        world.gone(leaves);
        let told = match leaves {
            4 => "connect 1 2",
            2 => "= SentAway 201 (attended)",
            _ => "- Answered",
        };
        world.has_done(told);
        // One call outside is up until it ends, whoever talks there.
        if leaves != 4 {
            let refused = world.desk.outside_held();
            assert_eq!(refused, 1);
        }
        world.gone(if leaves == 2 { 4 } else { 2 });
        world.nothing_is_left();
    }
}

#[test]
fn a_third_that_is_busy_says_no_or_rings_out_leaves_the_two_alone() {
    let mut world = World::new();
    world.talks();
    let (call, by) = (world.call(), Means::Api);
    let add = |number: &str| Command::AddThird { call, number: number.into(), by };
    for (number, why) in [
        ("201", CommandError::Busy),
        ("203", CommandError::Busy),
        ("700", CommandError::NoSuchNumber),
        ("999", CommandError::NoSuchNumber),
    ] {
        assert_eq!(world.order(add(number)), Err(why), "{number}");
    }
    assert_eq!(world.order(Command::DropThird { call }), Err(CommandError::AlreadySo));
    assert_eq!(world.order(add("202")), Ok(()));
    world.give(Input::Refused { leg: LegId(4), status: 486 });
    world.does(&["= ThirdFailed { status: 486 }", "play 2 code_refused"]);
    assert_eq!(world.order(add("3001")), Ok(()));
    world.pass(secs(25));
    world.does(&["hang up 6", "= ThirdFailed { status: 480 }", "play 2 code_refused"]);
    assert_eq!(world.order(add("3001")), Ok(()));
    world.answers(8);
    assert_eq!(world.order(Command::DropThird { call }), Ok(()));
    world.does(&["hang up 8", "= ThirdEnded", "connect 1 2"]);
    world.gone(1);
    world.nothing_is_left();
}

#[test]
fn a_hold_that_began_while_a_colleague_waited_is_watched_once_the_colleague_has_left() {
    let mut world = World::new();
    world.talks();
    for key in "*2202#".chars() {
        world.give(Input::Key { leg: LegId(2), key });
    }
    world.answers(4);
    for key in "*3".chars() {
        world.give(Input::Key { leg: LegId(2), key });
    }
    world.give(Input::Hold { leg: LegId(2), on: true });
    world.does(&["play 1 hold for ever", "= Held Agent"]);
    world.gone(4);
    world.does(&["= ConsultEnded 202 Left"]);
    world.pass(secs(60));
    world.does(&["= HoldRecalled { agent: \"201\" }", "dial 6 to 201 for 1"]);
    world.answers(6);
    world.gone(6);
    world.nothing_is_left();
}

#[test]
fn a_caller_held_for_too_long_comes_back_to_the_agent_who_is_rung() {
    let mut world = World::new();
    world.talks();
    world.give(Input::Hold { leg: LegId(2), on: true });
    world.pass(secs(59));
    world.does(&[]);
    world.pass(secs(1));
    world.does(&["= HoldRecalled { agent: \"201\" }", "dial 4 to 201 for 1"]);
    // Taken back on the old leg: the ringing stops.
    world.give(Input::Hold { leg: LegId(2), on: false });
    world.does(&[
        "hang up 4",
        "= HoldRecallEnded { agent: \"201\", why: Some(Withdrawn) }",
        "stop 1",
        "= Resumed Agent",
    ]);
    world.give(Input::Hold { leg: LegId(2), on: true });
    world.pass(secs(60));
    world.answers(6);
    world.does(&[
        "= HoldRecallEnded { agent: \"201\", why: None }",
        "= Resumed Agent",
        "hang up 2",
        "connect 1 6",
    ]);
    assert_eq!(world.calls_of("201"), 1);
    world.gone(6);
    world.has_done("= Ended Agent HungUp");
    world.nothing_is_left();
}

#[test]
fn a_caller_whom_the_agent_forgot_asks_the_group_again() {
    let mut world = World::new();
    world.talks();
    world.give(Input::Hold { leg: LegId(2), on: true });
    world.pass(secs(60));
    world.pass(secs(25));
    world.does(&[
        "hang up 4",
        "= HoldRecallEnded { agent: \"201\", why: Some(RangOut) }",
        "= Resumed Agent",
        "= Transferred 201 201",
        "part 1 2",
        "= OperatorAsked line",
        "play 1 music for ever",
        "dial 6 to 202 for 1",
        "= OfferMade 202",
        "hang up 2",
    ]);
    world.answers(6);
    world.has_done("= OperatorAnswered 202");
    world.gone(6);
    world.nothing_is_left();
}

#[test]
fn whatever_ends_the_talk_leaves_nobody_at_its_table() {
    // A supervisor, a third that rings and a hold that is reminded, and each way out.
    let ways: [fn(&mut World); 5] = [
        |world| world.gone(1),
        |world| world.gone(2),
        |world| world.give(Input::Failed { leg: LegId(1), what: "no media port" }),
        |world| {
            world.give(Input::Transfer { leg: LegId(2), to: TransferTo::Number("700".into()) });
            world.gone(1);
        },
        |world| {
            world.desk.break_step(LegId(1));
            world.give(Input::Tick);
        },
    ];
    for (n, way) in ways.iter().enumerate() {
        let mut world = World::new();
        world.talks();
        world.dials(5, "211", "*92201");
        let (call, number, by) = (world.call(), Number::from("3001"), Means::Api);
        assert_eq!(world.order(Command::AddThird { call, number, by }), Ok(()), "{n}");
        world.give(Input::Hold { leg: LegId(2), on: true });
        world.pass(secs(60));
        way(&mut world);
        assert_eq!(world.calls_of("211"), 0, "{n}: {:?}", world.did());
        world.nothing_is_left();
    }
}
