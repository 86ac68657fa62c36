//! What happens in the model's world: callers, phones, carriers and people do what they can at any
//! instant, drawn at random.

use super::ladder::arrived;
use super::model::{Leg, World};
use super::{plan, secs};
use crate::base::{AdHoc, AgentId, LegId, Number, PlayId, Rng, Wall};
use crate::dialplan::{
    Onward, Outside, OutsideRule, Overflow, OverflowWhen, Pattern, Plan, Recorded, SetAside, Share,
    Skills, Strategy, Target, Widening,
};
use crate::event::{Means, Origin};
use crate::pbx::{Action, Command, HoursOrder, Input, TapeOrder, TransferTo};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Inputs that a seed plays before everybody goes home.
const STEPS: u32 = 150;

/// A number outside.
const OUTSIDE: &str = "0398765432";

impl World {
    /// Lets time pass; ticks come on time, early and twice.
    fn pass(&mut self, span: Duration) {
        let until = self.at + span;
        while let Some(due) = self.desk.next_deadline().filter(|due| *due <= until) {
            self.at = self.at.max(due);
            self.give(Input::Tick);
        }
        self.at = until;
        if self.rng.below(4) == 0 {
            let before = self.log.len();
            self.give(Input::Tick);
            assert_eq!(
                self.log.len(),
                before,
                "seed {}: a tick that nothing was due for",
                self.seed
            );
        }
    }

    /// Somebody wants something of a recording, whether it can be or not; or the recorder gives one up.
    fn wish_for_a_recording(&mut self) {
        let calls: Vec<_> = self.calls.keys().copied().collect();
        let Some(call) = self.one_of(&calls) else { return };
        let orders = [TapeOrder::Begin, TapeOrder::Pause, TapeOrder::Resume, TapeOrder::End];
        let order = self.one_of(&orders).expect("some");
        let by = Means::Api;
        match self.rng.below(8) {
            0 => {
                let number = u32::try_from(1 + self.rng.below(3)).expect("small");
                self.give(Input::TapeFailed { call, number });
            }
            _ => self.give(Input::Command(Command::Tape { call, order, by })),
        }
    }

    fn arrival(&mut self) {
        let leg = LegId(self.next_caller);
        self.next_caller += 2;
        let numbers = [
            "0312345670",
            "0312345671",
            "0312345672",
            "0312345673",
            "0312345674",
            "0312345677",
            "0312345678",
            "700",
            "701",
            "702",
            "703",
            "704",
            "705",
            "706",
            "700",
            "701",
            "702",
            "703",
            "201",
            "211",
            "*1",
            "*2",
            "*3",
            "*4",
            "*7",
            "800",
            "801",
            "802",
            "811",
            "821",
            "*8",
            "*9",
            OUTSIDE,
            OUTSIDE,
            OUTSIDE,
        ];
        let number = self.one_of(&numbers).expect("some");
        let agents: Vec<AgentId> = self.people.keys().cloned().collect();
        let origin = if self.rng.below(4) == 0 {
            let agent = self.one_of(&agents).expect("some");
            self.dialling.insert(leg, agent.clone());
            Origin::Extension(Number(agent.0))
        } else {
            Origin::Trunk("carrier".into())
        };
        self.legs.insert(leg, Leg::default());
        self.give(arrived(leg, number, origin));
    }

    /// Somebody closes or opens the desk for a while, or takes it back.
    fn order_hours(&mut self) {
        let to = self.one_of(&[AdHoc::Open, AdHoc::Closed, AdHoc::Disaster]).expect("some");
        let until = Wall(i64::try_from(self.at.0 / 1000 + self.rng.below(40_000)).expect("small"));
        let number = (self.rng.below(2) == 0).then(|| Number::from("0312345672"));
        let change = HoursOrder::Change { to, reason: "test".to_owned(), until };
        let order = if self.rng.below(4) == 0 { HoursOrder::Restore } else { change };
        let (author, by) = ("test".to_owned(), Means::Api);
        self.give(Input::Command(Command::Hours { number, order, author, by }));
    }

    fn step(&mut self) {
        if !self.records && self.rng.below(60) == 0 {
            self.order_hours();
        }
        if self.rng.below(if self.drains { 20 } else { 300 }) == 0 {
            self.drain();
        }
        if self.records && self.rng.below(5) == 0 {
            self.wish_for_a_recording();
        }
        let legs: Vec<LegId> = self.legs.keys().copied().collect();
        let callers: Vec<LegId> = self
            .legs
            .iter()
            .filter(|(_, leg)| leg.phone.is_none() && !leg.far)
            .map(|(id, _)| *id)
            .collect();
        let rings = |leg: &Leg| (leg.phone.is_some() || leg.far) && !leg.answered;
        let ringing: Vec<LegId> =
            self.legs.iter().filter(|(_, leg)| rings(leg)).map(|(id, _)| *id).collect();
        let agents: Vec<AgentId> = self.people.keys().cloned().collect();
        let agent = self.one_of(&agents).expect("some");
        let by = Means::Api;
        match self.rng.below(100) {
            0..22 => self.arrival(),
            22..40 => {
                if let Some(leg) = self.one_of(&ringing) {
                    self.give(Input::Answered { leg });
                }
            }
            40..45 => {
                if let Some(leg) = self.one_of(&ringing) {
                    let status = self.one_of(&[480, 486, 603, 408, 503, 500]).expect("some");
                    self.give(Input::Refused { leg, status });
                }
            }
            45..48 => {
                if let Some(leg) = self.one_of(&ringing) {
                    let no_room = self.rng.below(4) == 0;
                    let early = self.rng.below(2) == 0;
                    let ringing = if early { Input::Early { leg } } else { Input::Ringing { leg } };
                    let input = Input::NoRoom { leg, what: "no media" };
                    self.give(if no_room { input } else { ringing });
                }
            }
            48..56 => {
                if let Some(leg) = self.one_of(&legs) {
                    let lost = self.rng.below(2) == 0;
                    self.give(Input::Gone { leg, lost });
                }
            }
            56..57 => {
                if let Some(leg) = self.one_of(&legs) {
                    self.give(Input::Failed { leg, what: "no media" });
                }
            }
            57..58 => {
                if let Some(leg) = self.one_of(&callers) {
                    self.give(Input::Spoke { leg, ms: 1500 });
                }
            }
            58..65 => {
                if let Some(leg) = self.one_of(&callers)
                    && let Some(play) = self.legs[&leg].play
                {
                    self.give(Input::Played { leg, play });
                }
            }
            65..69 => {
                if let Some(leg) = self.one_of(&callers) {
                    let key = self
                        .one_of(&['1', '1', '1', '2', '2', '0', '3', '4', '5', '6', '9', '#', '*'])
                        .expect("some");
                    self.give(Input::Key { leg, key });
                }
            }
            69..71 => {
                if let Some(leg) = self.one_of(&legs) {
                    let on = self.rng.below(2) == 0;
                    self.give(Input::Hold { leg, on });
                }
            }
            71..74 => {
                // What crosses on the wire: words of legs that are over.
                if let Some(leg) = self.one_of(&self.over.clone()) {
                    let late = [
                        Input::Answered { leg },
                        Input::Ringing { leg },
                        Input::Refused { leg, status: 487 },
                        Input::Gone { leg, lost: true },
                        Input::Key { leg, key: '1' },
                        Input::Played { leg, play: PlayId(1) },
                        Input::Hold { leg, on: true },
                    ];
                    let late = self.one_of(&late).expect("some");
                    let before = self.log.len();
                    self.give(late);
                    assert_eq!(self.log.len(), before, "seed {}: a dead leg's word", self.seed);
                }
            }
            74..79 => {
                let reachable = self.rng.below(4) > 0;
                self.give(Input::Phone { extension: Number(agent.0), reachable });
            }
            79..85 => self.give(Input::Command(Command::SignIn { agent, by })),
            85..86 => self.give(Input::Command(Command::SignOut { agent, by })),
            86..87 => {
                let reason = "lunch".to_owned();
                self.give(Input::Command(Command::Pause { agent, reason, by }));
            }
            87..89 if self.rng.below(2) == 0 => {
                let longer = self.rng.below(2) == 0;
                self.give(Input::Command(Command::WrapUp { agent, longer, by }));
            }
            87..89 => self.give(Input::Command(Command::Unpause { agent, by })),
            89..91 => {
                let numbers = [
                    "201",
                    "202",
                    "211",
                    "700",
                    "0312345671",
                    "0312345673",
                    "*1",
                    "9",
                    OUTSIDE,
                    "800",
                    "801",
                    "810",
                    "821",
                ];
                let number = self.one_of(&numbers).expect("some");
                let talking: Vec<LegId> =
                    legs.iter().copied().filter(|leg| self.legs[leg].answered).collect();
                if let Some(leg) = self.one_of(&talking) {
                    self.give(Input::Transfer { leg, to: TransferTo::Number(number.into()) });
                }
            }
            91..93 => self.consult(),
            93..94 => self.replaces(),
            94..95 => self.slots(),
            95..97 => self.keys(),
            97..98 => {
                let ms = self.rng.below(4000);
                self.pass(Duration::from_millis(ms));
            }
            _ => {
                let ms = self.rng.below(40_000);
                self.pass(Duration::from_millis(ms));
            }
        }
    }

    /// An agent who talks calls a colleague and, now or later, joins the two.
    fn consult(&mut self) {
        let own = |id: &LegId| self.placed.values().any(|own| *own == Some(*id));
        let talks = |id: &LegId, leg: &Leg| leg.answered && (leg.phone.is_some() || own(id));
        let talking: Vec<LegId> =
            self.legs.iter().filter(|(id, leg)| talks(id, leg)).map(|(id, _)| *id).collect();
        let Some(phone) = self.one_of(&talking) else { return };
        let agent = self.legs[&phone].phone.clone().or_else(|| self.dialling.get(&phone).cloned());
        let agent = agent.expect("filtered");
        let placed: Vec<LegId> = self
            .dialling
            .iter()
            .filter(|(leg, who)| **who == agent && **leg != phone)
            .map(|(leg, _)| *leg)
            .collect();
        if let Some(placed) = self.one_of(&placed) {
            let (leg, other) =
                if self.rng.below(2) == 0 { (phone, placed) } else { (placed, phone) };
            return self.give(Input::Transfer { leg, to: TransferTo::Leg(other) });
        }
        let leg = LegId(self.next_caller);
        self.next_caller += 2;
        self.dialling.insert(leg, agent.clone());
        self.legs.insert(leg, Leg::default());
        let number =
            self.one_of(&["201", "202", "203", "211", OUTSIDE, "800", "801"]).expect("some");
        self.give(arrived(leg, number, Origin::Extension(Number(agent.0))));
    }

    /// An agent wants something by keys.
    fn keys(&mut self) {
        let phones: Vec<LegId> = self
            .legs
            .iter()
            .filter(|(id, leg)| {
                leg.answered && (leg.phone.is_some() || self.dialling.contains_key(id))
            })
            .map(|(id, _)| *id)
            .collect();
        let wishes = [
            "*7",
            "*1202#",
            "*1211",
            "*1700#",
            "*2201#",
            "*2202#",
            "*2202#",
            "*2203",
            "*2203",
            "*2700#",
            "*2701#",
            "*20398765432#",
            "*20398765432#",
            "*3",
            "*3",
            "*0",
            "*9",
        ];
        let (Some(leg), Some(wish)) = (self.one_of(&phones), self.one_of(&wishes)) else { return };
        for key in wish.chars() {
            self.give(Input::Key { leg, key });
        }
    }

    /// Somebody parks a call, or wants one that is parked, by the API.
    fn slots(&mut self) {
        let (calls, agents): (Vec<_>, Vec<_>) =
            (self.calls.keys().copied().collect(), self.people.keys().cloned().collect());
        let slot = self.one_of(&["801", "802", "811", "821", "999"]).map(Number::from);
        let (call, agent) = (self.one_of(&calls), self.one_of(&agents));
        match (self.rng.below(2), call, slot, agent) {
            (0, Some(call), slot, _) => {
                let slot = slot.filter(|_| self.rng.below(2) == 0);
                self.give(Input::Command(Command::Park { call, slot }));
            }
            (_, _, Some(slot), Some(agent)) => {
                self.give(Input::Command(Command::Fetch { slot, agent }));
            }
            _ => {}
        }
    }

    /// Somebody of ours wants a new leg in the place of one that stands.
    fn replaces(&mut self) {
        let all: Vec<LegId> = self.legs.keys().copied().collect();
        let (agents, leg) = (self.people.keys().cloned().collect::<Vec<_>>(), self.one_of(&all));
        let (Some(old), Some(by)) = (leg, self.one_of(&agents)) else { return };
        let new = LegId(self.next_caller);
        self.next_caller += 2;
        self.dialling.insert(new, by.clone());
        self.legs.insert(new, Leg::default());
        self.give(Input::Replaced { old, new, by: Number(by.0) });
    }

    /// A day at the desk, its end, and the empty house afterwards.
    pub(super) fn run(mut self) -> Vec<Action> {
        let agents: Vec<AgentId> = self.people.keys().cloned().collect();
        for agent in &agents {
            if self.rng.below(3) > 0 {
                self.give(Input::Phone { extension: Number(agent.0.clone()), reachable: true });
                let (agent, by) = (agent.clone(), Means::Api);
                self.give(Input::Command(Command::SignIn { agent, by }));
            }
        }
        for _ in 0..STEPS {
            self.step();
        }
        // Half of the seeds end by everybody hanging up, half by time alone: with nobody answering
        // any more, the rules themselves must end all but conversations.
        if self.rng.below(2) == 0 {
            self.pass(secs(100_000));
        }
        while let Some(leg) = self.legs.keys().next().copied() {
            self.give(Input::Gone { leg, lost: false });
        }
        self.pass(secs(100_000));
        let seed = self.seed;
        assert!(self.calls.is_empty(), "seed {seed}: not ended: {:?}", self.calls);
        assert!(self.placed.is_empty(), "seed {seed}: not ended: {:?}", self.placed);
        let gauges = self.desk.gauges(self.at);
        assert_eq!(gauges.calls, 0, "seed {seed}");
        assert!(gauges.by_number.values().all(|lines| *lines == 0), "seed {seed}: {gauges:?}");
        for group in gauges.groups.values() {
            assert_eq!((group.waiting, group.queued), (0, 0), "seed {seed}");
        }
        let agents: u32 = gauges.agents.values().sum();
        assert_eq!(agents as usize, self.plan.agents.len(), "seed {seed}");
        for agent in self.desk.agents() {
            let person = &self.people[&agent.agent];
            let word = match (person.signed_in, person.paused) {
                (false, _) => "signed_out",
                (true, true) => "paused",
                (true, false) => "idle",
            };
            assert_eq!(agent.state.as_str(), word, "seed {seed}: {agent:?}");
            assert_eq!(agent.calls, 0, "seed {seed}");
        }
        assert_eq!(self.desk.held(), 0, "seed {seed}: something is left over");
        self.log
    }
}

/// The tests' plan with groups that share agents and with other numbers in every seed.
pub(super) fn varied(rng: &mut Rng) -> Plan {
    let mut plan = plan();
    let agents: Vec<AgentId> = plan.agents.keys().take(7).cloned().collect();
    let strategies =
        [Strategy::RingAll, Strategy::Linear, Strategy::RoundRobin, Strategy::LongestIdle];
    let keys = plan.groups.values().find(|group| !group.keys.is_empty());
    let keys = keys.map(|group| group.keys.clone()).unwrap_or_default();
    for callback in plan.callbacks.values_mut() {
        // Half of the desks take the number that the call came from without a question.
        callback.other_number = rng.below(2) == 0;
        callback.every = secs(1 + rng.below(60));
    }
    for group in plan.groups.values_mut() {
        group.keys.clone_from(&keys);
        group.tell_agent = (rng.below(3) == 0).then(|| "who".into());
        group.agents = agents.iter().filter(|_| rng.below(2) == 0).cloned().collect();
        group.strategy = strategies[usize::try_from(rng.below(4)).expect("small")];
        group.ring = secs(1 + rng.below(20));
        group.wrap_up = secs(rng.below(2) * rng.below(20));
        group.max_waiting = u32::try_from(rng.below(5)).expect("small");
        group.max_wait = secs(5 + rng.below(120));
        group.comfort_every = secs(rng.below(30));
        group.answer_first = rng.below(2) == 0;
        for rule in [&mut group.on_ring_out, &mut group.on_refuse] {
            *rule = match rng.below(4) {
                0 => SetAside::Pause,
                _ => SetAside::For(secs(rng.below(30))),
            };
        }
    }
    for lot in &mut plan.lots {
        let lot = Arc::make_mut(lot);
        (lot.recall_after, lot.recall_ring) = (secs(5 + rng.below(15)), secs(10 + rng.below(80)));
    }
    plan.outside = Some(Outside {
        extensions: ["201", "202", "211", "212"].map(Number::from).into(),
        groups: BTreeSet::new(),
        calls: u32::try_from(1 + rng.below(3)).expect("small"),
        per_day: secs(30 + rng.below(700)),
        prefix: String::new(),
        withhold: false,
        caller_id: None,
        group_ids: BTreeMap::new(),
        extension_ids: BTreeMap::new(),
        emergency: Vec::new(),
        rules: vec![OutsideRule {
            name: "x".to_owned(),
            numbers: vec![Pattern::parse(OUTSIDE).expect("a pattern")],
            trunks: vec!["carrier".into(), "second".into()],
            caller_id: None,
        }],
    });
    plan.agents.retain(|id, _| agents.contains(id));
    for number in plan.desk_numbers.values_mut() {
        number.line_limit = u32::try_from(1 + rng.below(5)).expect("small");
    }
    preferring(&mut plan, &mut rng.clone());
    plan
}

/// Some agents know more than others, some groups and numbers prefer some to others.
fn preferring(plan: &mut Plan, rng: &mut Rng) {
    let small = |rng: &mut Rng, most: u64| u8::try_from(rng.below(most)).expect("small");
    for agent in plan.agents.values_mut() {
        let level = small(rng, 4);
        agent.skills = Skills((level > 0).then(|| ("printer".into(), level)).into_iter().collect());
    }
    for group in plan.groups.values_mut() {
        match rng.below(6) {
            0 => group.strategy = Strategy::FewestCalls,
            1 => group.strategy = Strategy::Weighted,
            _ => {}
        }
        if rng.below(2) == 0 {
            let share = |rng: &mut Rng| Share {
                priority: 1 + small(rng, 3),
                weight: 1 + u32::from(small(rng, 4)),
            };
            group.picking.shares =
                group.agents.iter().map(|agent| (agent.clone(), share(rng))).collect();
        }
        if rng.below(3) == 0 {
            group.picking.skills = Skills([("printer".into(), 1 + small(rng, 3))].into());
            group.picking.widen = vec![
                Widening { after: secs(1 + rng.below(20)), level: 1 },
                Widening { after: secs(21 + rng.below(20)), level: 0 },
            ];
        }
        group.ring_outs = 1 + u32::from(small(rng, 3));
        let when = match rng.below(6) {
            0 => OverflowWhen::Waiting(u32::from(small(rng, 3))),
            1 => OverflowWhen::Waited(secs(1 + rng.below(40))),
            2 => OverflowWhen::Estimated(secs(1 + rng.below(40))),
            _ => continue,
        };
        let to = match rng.below(7) {
            0 => Onward::Way(Target::Announce("sorry".into())),
            1 => Onward::Way(Target::Menu("main".into())),
            2 => Onward::Way(Target::Refuse(486)),
            3 | 4 => Onward::Outside(Number::from(OUTSIDE)),
            _ => Onward::Way(Target::Group("robin".into())),
        };
        group.overflow = vec![Overflow { when, to }];
        group.tell_wait = rng.below(2) == 0;
    }
    for number in plan.desk_numbers.values_mut() {
        number.priority = 4 + small(rng, 3);
    }
}

/// Some groups are recorded, each in its way.
pub(super) fn recorded(plan: &mut Plan, rng: &mut Rng) {
    for group in plan.groups.values_mut() {
        let ways = [None, Some(Recorded::Off), Some(Recorded::Always), Some(Recorded::OnDemand)];
        group.recorded = ways[usize::try_from(rng.below(4)).expect("small")];
    }
    plan.recording.announcement = (rng.below(2) == 0).then(|| "recorded".into());
}
