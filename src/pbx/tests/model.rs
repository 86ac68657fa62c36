//! Callers, phones and people at random around one desk, with a model of their own that is fed only
//! by what goes in and what comes out. After every input it is asked what must always hold.

use super::acts::varied;
use super::secs;
use super::seen::{Person, Seen};
use crate::base::{AgentId, CallId, Channels, GroupId, LegId, Mono, Now, PlayId, Rng, Wall};
use crate::dialplan::{PLAIN_PRIORITY, Plan, Strategy};
use crate::event::{
    CallEvent, CallbackEnd, CallbackEvent, ConsultEnd, DeskEvent, EndCause, Fact, PlacedEnd,
    PlacedEvent, Purpose, Unpark,
};
use crate::pbx::{Action, Desk, Input, TapeOrder, TransferNews, TransferTo};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A leg that is up, as its peer sees it.
#[derive(Debug, Default)]
pub(super) struct Leg {
    /// The agent whose phone it is; none for a caller's.
    pub(super) phone: Option<AgentId>,
    /// The caller's leg that a phone was dialled for.
    pub(super) behalf: Option<LegId>,
    pub(super) answered: bool,
    pub(super) play: Option<PlayId>,
    /// With somebody outside.
    pub(super) far: bool,
    /// A phone rung by a queue.
    pub(super) offer: bool,
}

pub(super) struct World {
    pub(super) plan: Arc<Plan>,
    pub(super) desk: Desk,
    pub(super) rng: Rng,
    pub(super) at: Mono,
    pub(super) next_caller: u64,
    pub(super) legs: BTreeMap<LegId, Leg>,
    pub(super) over: Vec<LegId>,
    /// Until when a caller's leg is not dialled for, since we had no room.
    no_room: BTreeMap<LegId, Mono>,
    /// Feature-code and agents' own legs: who dials.
    pub(super) dialling: BTreeMap<LegId, AgentId>,
    pub(super) people: BTreeMap<AgentId, Person>,
    /// Calls that are not forgotten.
    pub(super) calls: BTreeMap<CallId, Seen>,
    /// Calls that agents placed outside and that are not over, by the agent's leg.
    pub(super) placed: BTreeMap<CallId, Option<LegId>>,
    /// The call outside that was passed on last: its own name and the far leg.
    passed_on: Option<(CallId, LegId)>,
    /// Of calls that were ever recorded: which recording, and what was ordered last.
    tapes: BTreeMap<CallId, (u32, TapeOrder)>,
    /// Whether calls are recorded.
    pub(super) records: bool,
    /// The desk is to end once its calls have.
    pub(super) drains: bool,
    /// Wishes to be called back that are over.
    wishes_over: BTreeSet<CallId>,
    pub(super) log: Vec<Action>,
    pub(super) seed: u64,
    /// Every input and what came of it is printed.
    pub(super) shows: bool,
}

impl World {
    fn new(seed: u64) -> Self {
        Self::of(seed, false)
    }

    fn of(seed: u64, records: bool) -> Self {
        let mut rng = Rng::from_number(seed);
        let mut plan = varied(&mut rng);
        if records {
            super::acts::recorded(&mut plan, &mut rng);
        }
        let plan = Arc::new(plan);
        let mut desk = Desk::new(plan.clone(), 12, rng.fork());
        let few = Channels { all: Some(2), ..Channels::default() };
        desk.set_channels([("second".into(), few)].into());
        let people = plan.agents.keys().map(|id| (id.clone(), Person::default())).collect();
        Self {
            plan,
            desk,
            rng,
            at: Mono(0),
            next_caller: 1,
            legs: BTreeMap::new(),
            no_room: BTreeMap::new(),
            over: Vec::new(),
            dialling: BTreeMap::new(),
            people,
            calls: BTreeMap::new(),
            placed: BTreeMap::new(),
            passed_on: None,
            tapes: BTreeMap::new(),
            records,
            drains: false,
            wishes_over: BTreeSet::new(),
            log: Vec::new(),
            seed,
            shows: false,
        }
    }

    pub(super) fn one_of<T: Clone>(&mut self, all: &[T]) -> Option<T> {
        let at = self.rng.below(all.len() as u64);
        all.get(usize::try_from(at).expect("small")).cloned()
    }

    /// Gives one input, checks every action against the model, then what must hold between inputs.
    pub(super) fn give(&mut self, input: Input) {
        let seed = self.seed;
        let answers_dead = match &input {
            Input::Answered { leg } => !self.legs.contains_key(leg),
            _ => false,
        };
        if let Input::NoRoom { leg, .. } = &input
            && let Some(caller) = self.legs.get(leg).and_then(|leg| leg.behalf)
        {
            self.no_room.insert(caller, self.at + secs(1));
        }
        match &input {
            Input::Answered { leg } => {
                if let Some(leg) = self.legs.get_mut(leg) {
                    leg.answered = true;
                }
            }
            Input::Refused { leg, .. }
            | Input::Gone { leg, .. }
            | Input::Failed { leg, .. }
            | Input::NoRoom { leg, .. } => {
                self.end(*leg);
            }
            Input::Phone { extension, reachable } => {
                self.people.get_mut(&AgentId(extension.0.clone())).expect("known").reachable =
                    *reachable;
            }
            _ => {}
        }
        let now =
            Now { mono: self.at, wall: Wall(i64::try_from(self.at.0 / 1000).expect("small")) };
        let mut out = Vec::new();
        let arriving = match &input {
            Input::Arrived { leg, .. } => Some(*leg),
            _ => None,
        };
        let ticks = matches!(input, Input::Tick);
        let joins = match &input {
            Input::Transfer { leg, to: TransferTo::Leg(other) } => Some((*leg, *other)),
            _ => None,
        };
        let replaces = match &input {
            Input::Replaced { old, new, by } => Some((*old, *new, AgentId(by.0.clone()))),
            _ => None,
        };
        let transfers = match &input {
            Input::Transfer { leg, .. } => Some(*leg),
            _ => None,
        };
        let told = self.shows.then(|| format!("{} {input:?}", self.at.0));
        self.desk.handle(input, now, &mut out);
        if let Some(told) = told {
            println!("{told}\n    {out:?}");
        }
        if let Some(leg) = transfers {
            let word = |action: &Action| match action {
                Action::Transfer { leg: whom, news } if *whom == leg => Some(*news),
                _ => None,
            };
            let first = out.iter().find_map(word);
            assert!(
                matches!(first, Some(TransferNews::Accepted | TransferNews::Refused { .. })),
                "seed {seed}: who asks for a transfer gets an answer: {out:?}"
            );
            let refused = matches!(first, Some(TransferNews::Refused { .. }));
            assert!(!refused || out.len() == 1, "seed {seed}: refused, and yet {out:?}");
            if let Some((one, two)) = joins.filter(|_| !refused) {
                self.move_phones(one, two);
            }
        }
        if let Some((old, new, by)) = replaces {
            self.take_place(old, new, by, &out);
        }
        if answers_dead {
            assert!(matches!(out[..], [Action::HangUp { .. }]), "seed {seed}: {out:?}");
            return;
        }
        for action in &out {
            self.check(action, arriving);
        }
        self.log.append(&mut out);
        self.check_nobody_waits_beside_a_free_agent();
        self.check_a_slot_holds_one_call();
        for agent in self.people.keys() {
            let offers = self.legs.values().filter(|leg| leg.phone.as_ref() == Some(agent));
            assert!(offers.filter(|leg| leg.offer && !leg.answered).count() <= 1, "seed {seed}");
        }
        assert!(
            self.desk.next_deadline().is_none_or(|at| at > self.at || !ticks),
            "seed {seed}: a tick leaves nothing due"
        );
    }

    /// The desk is to end once its calls have, or that is called off.
    pub(super) fn drain(&mut self) {
        self.drains = !self.drains;
        let wall = Wall(i64::try_from(self.at.0 / 1000).expect("small"));
        let mut out = Vec::new();
        self.desk.drain(self.drains, Now { mono: self.at, wall }, &mut out);
        for action in &out {
            self.check(action, None);
        }
        self.log.append(&mut out);
        self.check_nobody_waits_beside_a_free_agent();
    }

    /// Two calls of one agent are joined: the phones of the consultation are now the other call's. When
    /// that is one which the agent placed outside, its far side is the caller.
    fn move_phones(&mut self, one: LegId, two: LegId) {
        let behalf = |leg: LegId| self.legs.get(&leg).and_then(|leg| leg.behalf);
        let outside = |leg: LegId| self.placed.values().any(|own| *own == Some(leg));
        let (consult, kept) = match (behalf(one), behalf(two)) {
            (Some(_), None) if outside(two) => return,
            (None, Some(_)) if outside(one) => return,
            (Some(kept), None) => (two, kept),
            (None, Some(kept)) => (one, kept),
            (None, None) if outside(one) => (two, self.far_of(one)),
            (None, None) if outside(two) => (one, self.far_of(two)),
            other => panic!("seed {}: joined {other:?}", self.seed),
        };
        for leg in self.legs.values_mut().filter(|leg| leg.behalf == Some(consult)) {
            leg.behalf = Some(kept);
        }
    }

    /// The far leg of a call outside.
    fn far_of(&self, own: LegId) -> LegId {
        let mut found = self.legs.iter().filter(|(_, leg)| leg.far && leg.behalf == Some(own));
        *found.next().expect("somebody outside").0
    }

    /// A phone takes the place of another in a call, or is refused.
    fn take_place(&mut self, old: LegId, new: LegId, by: AgentId, out: &[Action]) {
        let seed = self.seed;
        let taken =
            out.iter().any(|action| matches!(action, Action::Accept { leg } if *leg == new));
        if !taken {
            assert!(
                matches!(out, [Action::Refuse { leg, .. }] if *leg == new),
                "seed {seed}: {out:?}"
            );
            return;
        }
        // Of a parked call, the lamp names the caller's own leg.
        let behalf = self.legs[&old].behalf.or(Some(old));
        for call in self.calls.values_mut().filter(|call| call.leg == behalf) {
            call.picked = true;
        }
        self.dialling.remove(&new);
        let leg = self.legs.get_mut(&new).expect("it called");
        (leg.phone, leg.behalf) = (Some(by), behalf);
    }

    /// What the history says of a call that an agent placed outside.
    fn placed(&mut self, call: CallId, event: &PlacedEvent, arriving: Option<LegId>) {
        let seed = self.seed;
        match event {
            PlacedEvent::Dialled { by, back: Some(_), .. } => {
                // An agent who answered for somebody who is to be called back.
                let agent = AgentId(by.0.clone());
                let answered = |(id, leg): &(&LegId, &mut Leg)| {
                    leg.offer
                        && leg.answered
                        && leg.behalf.is_none()
                        && leg.phone.as_ref() == Some(&agent)
                        && !self.placed.values().any(|own| *own == Some(**id))
                };
                let own = self.legs.iter_mut().find(answered).map(|(id, leg)| {
                    (leg.phone, leg.offer) = (None, false);
                    *id
                });
                let own = own.expect("an agent's phone that answered");
                self.dialling.insert(own, agent);
                assert!(self.placed.insert(call, Some(own)).is_none(), "seed {seed}: twice");
            }
            PlacedEvent::Dialled { .. } => {
                let own = arriving.expect("by an INVITE");
                assert!(self.placed.insert(call, Some(own)).is_none(), "seed {seed}: twice");
            }
            PlacedEvent::Ended { why, .. } => {
                let own = self.placed.insert(call, None).flatten().expect("it was up");
                if *why == PlacedEnd::PassedOn {
                    self.passed_on = Some((call, self.far_of(own)));
                }
            }
            _ => assert!(matches!(self.placed.get(&call), Some(Some(_))), "seed {seed}: {event:?}"),
        }
    }

    /// A call of the desk begins, or goes on with somebody outside.
    fn outside(
        &mut self,
        call: CallId,
        event: &CallEvent,
        arriving: Option<LegId>,
    ) -> Option<LegId> {
        match event {
            // The agent's own call: whom it called is the caller now.
            CallEvent::Arrived { .. } if self.passed_on.is_some_and(|(own, _)| own == call) => {
                let (_, far) = self.passed_on.take()?;
                self.placed.remove(&call);
                let own = self.legs[&far].behalf.expect("dialled for somebody");
                let agent = self.dialling.remove(&own).expect("an agent's call");
                let leg = self.legs.get_mut(&far).expect("up");
                (leg.behalf, leg.far) = (None, false);
                let leg = self.legs.get_mut(&own).expect("up");
                (leg.phone, leg.behalf) = (Some(agent), Some(far));
                self.calls.entry(call).or_default().joined = true;
                Some(far)
            }
            // Its leg is this call's already.
            CallEvent::SentAway { .. } if self.calls[&call].handed_over => arriving,
            CallEvent::SentAway { attended: true, .. } => {
                let (_, far) = self.passed_on.take().expect("somebody outside");
                self.legs.get_mut(&far).expect("up").behalf = self.calls[&call].leg;
                arriving
            }
            _ => arriving,
        }
    }

    fn end(&mut self, leg: LegId) {
        if self.legs.remove(&leg).is_some() {
            self.over.push(leg);
        }
        self.dialling.remove(&leg);
    }

    /// Whether anything at all goes on at this agent's phone.
    fn occupied(&self, agent: &AgentId) -> bool {
        self.legs.values().any(|leg| leg.phone.as_ref() == Some(agent))
            || self.dialling.values().any(|who| who == agent)
    }

    fn check(&mut self, action: &Action, arriving: Option<LegId>) {
        let seed = self.seed;
        match action {
            Action::Tape { leg, call, number, order, .. } => {
                use TapeOrder::{Begin, End, Pause, Resume};
                let before = self.tapes.insert(*call, (*number, *order));
                let fits = match (before, *order) {
                    (None, Begin) => *number == 1,
                    (Some((last, End)), Begin) => *number == last + 1,
                    (Some((last, Begin | Resume)), Pause | End)
                    | (Some((last, Pause)), Resume | End) => *number == last,
                    _ => false,
                };
                assert!(fits, "seed {seed}: {before:?}, then {order:?} of {number}");
                assert!(*order == End || self.legs[leg].answered, "seed {seed}: nobody is there");
            }
            Action::Ring { leg } => assert!(!self.legs[leg].answered, "seed {seed}"),
            Action::Accept { leg } => {
                assert!(!leg.0.is_multiple_of(2), "seed {seed}: we dialled {leg:?}");
                let leg = self.legs.get_mut(leg).expect("a caller who is there");
                assert!(!leg.answered, "seed {seed}: accepted once");
                leg.answered = true;
            }
            Action::Refuse { leg, .. } => {
                assert!(!self.legs[leg].answered, "seed {seed}: refused after acceptance");
                self.end(*leg);
            }
            // To be told where its caller is: it belongs to no call.
            Action::Dial { leg, extension, shown: Some(_), .. } => {
                let phone = Some(AgentId(extension.0.clone()));
                let dialled = Leg { phone, ..Leg::default() };
                assert!(!self.occupied(&AgentId(extension.0.clone())), "seed {seed}: rung");
                assert!(self.legs.insert(*leg, dialled).is_none(), "seed {seed}: {leg:?} twice");
            }
            Action::Dial { leg, extension, on_behalf_of, shown: None } => {
                let agent = AgentId(extension.0.clone());
                let call =
                    self.calls.values().find(|c| c.leg == Some(*on_behalf_of) && c.ended == 0);
                let offer = call.expect("a call").asked.is_some();
                assert!(leg.0.is_multiple_of(2) && self.legs.contains_key(on_behalf_of));
                if offer {
                    let person = &self.people[&agent];
                    assert!(!self.occupied(&agent), "seed {seed}: {agent} is rung while occupied");
                    assert!(
                        person.signed_in && !person.paused && person.reachable && !person.wrap_up,
                        "seed {seed}: {agent} is rung as {person:?}"
                    );
                    let asked = call.and_then(|call| call.asked.as_ref()).map(|asked| asked.1);
                    let priority = call.map(|call| call.priority);
                    let earlier = self.calls.values().find(|other| {
                        other.asked.as_ref().is_some_and(|(group, at)| {
                            let before = (Some(other.priority), Some(*at)) < (priority, asked);
                            before && self.plan.groups[group].agents.contains(&agent)
                        }) && self.waits(other)
                            && !self.is_put_off(other)
                            && self.fits(&agent, other)
                    });
                    assert!(earlier.is_none(), "seed {seed}: {agent} passes by {earlier:?}");
                }
                // Whoever talks again is not rung for a caller whom it gave away, while a group can be asked.
                let gave = call.is_some_and(|call| call.giver.as_ref() == Some(&agent));
                let of_group = self.plan.groups.values().any(|group| group.agents.contains(&agent));
                assert!(
                    !(gave && of_group && self.occupied(&agent)),
                    "seed {seed}: {agent} is rung while occupied, for whom it gave away"
                );
                let behalf = Some(*on_behalf_of);
                let dialled = Leg { phone: Some(agent), behalf, offer, ..Leg::default() };
                assert!(self.legs.insert(*leg, dialled).is_none(), "seed {seed}: {leg:?} twice");
                assert!(!self.over.contains(leg), "seed {seed}: {leg:?} again");
            }
            Action::DialBack { leg, extension, .. } => {
                assert!(!self.drains, "seed {seed}: who is called back would be cut off");
                let agent = AgentId(extension.0.clone());
                let person = &self.people[&agent];
                assert!(!self.occupied(&agent), "seed {seed}: {agent} is rung while occupied");
                assert!(
                    person.signed_in && !person.paused && person.reachable && !person.wrap_up,
                    "seed {seed}: {agent} is rung as {person:?}"
                );
                let dialled = Leg { phone: Some(agent), offer: true, ..Leg::default() };
                assert!(self.legs.insert(*leg, dialled).is_none(), "seed {seed}: {leg:?} twice");
            }
            Action::Erase { .. } => {}
            Action::HangUp { leg, .. } => {
                assert!(self.legs.contains_key(leg), "seed {seed}: {leg:?} is over already");
                self.end(*leg);
            }
            Action::Connect { caller, agent } => {
                // It dialled the slot that the caller was in.
                if self.legs[agent].behalf.is_none()
                    && let Some(by) = self.dialling.remove(agent)
                {
                    let leg = self.legs.get_mut(agent).expect("there");
                    (leg.phone, leg.behalf) = (Some(by), Some(*caller));
                }
                assert!(self.legs[caller].answered && self.legs[agent].answered, "seed {seed}");
                // A colleague who is asked is of the same call.
                let behalf = self.legs[agent].behalf;
                let asked = behalf.is_some() && self.legs[caller].behalf == behalf;
                assert!(asked || behalf == Some(*caller), "seed {seed}");
                self.legs.get_mut(caller).expect("checked").play = None;
            }
            Action::Part { caller, agent } => {
                assert!(self.legs[caller].answered && self.legs[agent].answered, "seed {seed}");
            }
            Action::Transfer { leg, .. } => {
                assert!(self.legs.contains_key(leg), "seed {seed}: {leg:?} is told, and is over");
            }
            Action::Play { leg, play, looped, prompts, .. } => {
                assert!(!prompts.is_empty(), "seed {seed}");
                let leg = self.legs.get_mut(leg).expect("a leg that is there");
                assert!(leg.answered, "seed {seed}: plays are for answered legs");
                leg.play = (!looped).then_some(*play);
            }
            Action::Stop { leg } => self.legs.get_mut(leg).expect("there").play = None,
            Action::Record(Fact::Call { call, t_ms, event }) => {
                let arriving = self.outside(*call, event, arriving);
                let seen = self.calls.entry(*call).or_default();
                assert!(seen.t_ms <= *t_ms && seen.ended == 0, "seed {seed}: {event:?}");
                assert_eq!(seen.leg.is_none(), matches!(event, CallEvent::Arrived { .. }));
                seen.t_ms = *t_ms;
                if matches!(event, CallEvent::Parked { .. }) {
                    let caller = seen.leg;
                    for leg in self.legs.values_mut().filter(|leg| leg.behalf == caller) {
                        leg.behalf = None;
                    }
                }
                if let CallEvent::ConsultRings { with } = event {
                    let person = &self.people[with];
                    assert!(
                        person.signed_in && !person.paused && person.reachable && !person.wrap_up,
                        "seed {seed}: {with} is rung as {person:?}"
                    );
                }
                if let CallEvent::Arrived { number, .. } = event {
                    let dialled = self.plan.desk_numbers.get(number);
                    seen.priority = dialled.map_or(PLAIN_PRIORITY, |number| number.priority);
                }
                seen.step(event, arriving, self.at, seed);
            }
            Action::Record(Fact::Agent { agent, event }) => {
                let person = self.people.get_mut(agent).expect("known");
                person.step(event, seed);
            }
            Action::Record(Fact::Desk {
                event: DeskEvent::HoursChanged { .. } | DeskEvent::HoursRestored { .. },
            }) => {}
            Action::Record(Fact::Desk { .. } | Fact::Sound { .. }) => {
                panic!("not the rules' to write")
            }
            Action::DialOut { leg, on_behalf_of, .. } => {
                assert!(self.legs.contains_key(on_behalf_of), "seed {seed}");
                let behalf = Some(*on_behalf_of);
                let dialled = Leg { far: true, behalf, ..Leg::default() };
                assert!(self.legs.insert(*leg, dialled).is_none(), "seed {seed}: {leg:?} twice");
            }
            // Its plans have no supervisors and no codes to add somebody: `table` tries those.
            Action::Mix { .. } => panic!("seed {seed}: {action:?}"),
            Action::Preview { caller, phone } => {
                assert_eq!(self.legs[phone].behalf, Some(*caller), "seed {seed}");
            }
            Action::Record(Fact::Placed { call, event, .. }) => {
                self.placed(*call, event, arriving);
            }
            Action::Record(Fact::Callback { call, event }) => {
                assert!(!self.wishes_over.contains(call), "seed {seed}: {event:?} after the end");
                let cancelled =
                    matches!(event, CallbackEvent::Ended { why: CallbackEnd::Cancelled { .. } });
                let there = self.calls.get(call).is_some_and(|call| call.ended == 0);
                assert!(!there || cancelled, "seed {seed}: {event:?}, and the caller is there");
                if let CallbackEvent::Ended { .. } = event {
                    self.wishes_over.insert(*call);
                }
            }
            Action::Record(
                Fact::Trunk { .. }
                | Fact::Recording { .. }
                | Fact::Figures { .. }
                | Fact::Message { .. }
                | Fact::Note { .. }
                | Fact::Feed { .. }
                | Fact::Incident { .. },
            ) => {}
            Action::Forget { call } if self.placed.contains_key(call) => {
                assert_eq!(self.placed.remove(call), Some(None), "seed {seed}: forgotten while up");
            }
            Action::Forget { call } => {
                // Gone from the model too: one more fact about it would be one without an arrival.
                let seen = self.calls.remove(call).expect("known");
                assert_eq!(seen.ended, 1, "seed {seed}");
                let over = self.tapes.remove(call).is_none_or(|(_, last)| last == TapeOrder::End);
                assert!(over, "seed {seed}: a recording that never ends");
                let leg = seen.leg.expect("arrived");
                self.dialling.remove(&leg);
                assert!(
                    !self.legs.contains_key(&leg),
                    "seed {seed}: the caller's leg is left over"
                );
                assert!(self.legs.values().all(|phone| phone.behalf != Some(leg)), "seed {seed}");
            }
        }
    }

    /// Whether a call waits without a phone that rings for it.
    fn waits(&self, call: &Seen) -> bool {
        call.hunts() && call.ringing.is_empty() && !self.may_wait_no_longer(call)
    }

    fn may_wait_no_longer(&self, call: &Seen) -> bool {
        let ends = |(group, _): &(GroupId, Mono)| call.entered + self.plan.groups[group].max_wait;
        call.asked.as_ref().is_none_or(|asked| ends(asked) <= self.at)
    }

    /// We had no room to dial for it a moment ago.
    fn is_put_off(&self, call: &Seen) -> bool {
        let until = call.leg.and_then(|leg| self.no_room.get(&leg));
        until.is_some_and(|until| *until > self.at)
    }

    fn check_a_slot_holds_one_call(&self) {
        let parked = self.calls.values().filter_map(|call| Some((call.parked.clone()?, call.leg)));
        let held: BTreeMap<_, _> = parked.clone().collect();
        assert_eq!(held.len(), parked.count(), "seed {}: two in one slot", self.seed);
        for (slot, leg) in held {
            assert_eq!(self.desk.parked_in(&slot), leg, "seed {}: {slot}", self.seed);
        }
    }

    /// Whether the agent knows enough for the call by now.
    fn fits(&self, agent: &AgentId, call: &Seen) -> bool {
        let Some((group, since)) = &call.asked else { return false };
        let picking = &self.plan.groups[group].picking;
        let passed = picking.widen.iter().filter(|step| *since + step.after <= self.at);
        let cap = passed.map(|step| step.level).min().unwrap_or(9);
        self.plan.agents[agent].skills.meet(&picking.skills, cap)
    }

    fn check_nobody_waits_beside_a_free_agent(&self) {
        for call in self.calls.values().filter(|call| call.hunts()) {
            let Some((group, _)) = &call.asked else { continue };
            let plan = &self.plan.groups[group];
            if self.may_wait_no_longer(call) || self.is_put_off(call) {
                continue;
            }
            let all = plan.strategy == Strategy::RingAll;
            for agent in &plan.agents {
                let person = &self.people[agent];
                let free = person.signed_in
                    && !person.paused
                    && person.reachable
                    && !person.wrap_up
                    && !person.talking
                    && !self.occupied(agent);
                let priority = |agent: &AgentId| plan.picking.share(agent).priority;
                let in_turn = call.ringing.iter().map(priority).max() >= Some(priority(agent));
                let more = all && in_turn && call.told.is_none() && !call.rung.contains(agent);
                let wanted = call.ringing.is_empty() || more;
                let wanted = wanted && self.fits(agent, call);
                assert!(
                    !(free && wanted),
                    "seed {}: {agent} is free and {call:?} waits",
                    self.seed
                );
            }
        }
    }
}

/// `PBX_SEED` plays one seed, `PBX_SEEDS` so many.
#[test]
fn every_recording_begins_once_and_ends_with_its_call_in_every_seed() {
    let mut orders: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 0..1000 {
        for action in World::of(seed, true).run() {
            if let Action::Tape { order, .. } = action {
                *orders.entry(format!("{order:?}")).or_default() += 1;
            }
        }
    }
    for (order, least) in [("Begin", 100), ("Pause", 5), ("Resume", 5), ("End", 100)] {
        assert!(orders.get(order).is_some_and(|count| *count >= least), "{orders:?}");
    }
    assert_eq!(orders["Begin"], orders["End"], "{orders:?}");
}

#[test]
fn what_must_always_hold_holds_in_every_seed() {
    let number = |name: &str| std::env::var(name).ok().and_then(|seed| seed.parse::<u64>().ok());
    let one = number("PBX_SEED");
    let seeds = one.map_or(0..number("PBX_SEEDS").unwrap_or(2000), |seed| seed..seed + 1);
    let all = seeds.end - seeds.start;
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in seeds {
        let mut count = |what| *seen.entry(what).or_default() += 1;
        let shows = one.is_some();
        for action in (World { shows, ..World::new(seed) }).run() {
            match action {
                Action::Record(Fact::Call { event, .. }) => match event {
                    CallEvent::Arrived { .. } => count("calls"),
                    CallEvent::OperatorAnswered { .. } => count("answered"),
                    CallEvent::Announced { purpose: Purpose::Release, .. } => count("released"),
                    CallEvent::SentAway { attended: false, .. } => count("sent away"),
                    CallEvent::SentAway { attended: true, .. } => count("joined outside"),
                    CallEvent::AwayAnswered => count("answered outside"),
                    CallEvent::Parked { .. } => count("parked"),
                    CallEvent::ConsultBegan { .. } => count("asked"),
                    CallEvent::ConsultCalled { .. } => count("asked outside"),
                    CallEvent::ConsultGroup { .. } => count("asked a group"),
                    CallEvent::ConsultTurned { .. } => count("turned"),
                    CallEvent::ConsultOver { why: ConsultEnd::HandedOver } => {
                        count("handed over outside");
                    }
                    CallEvent::AgentTold { .. } => count("told"),
                    CallEvent::OverflowedOutside { .. } => count("overflowed outside"),
                    CallEvent::ConsultEnded { why: ConsultEnd::HandedOver, .. } => {
                        count("handed over");
                    }
                    CallEvent::ConsultEnded { .. } => count("asked in vain"),
                    CallEvent::Unparked { how: Unpark::Fetched, .. } => count("fetched"),
                    CallEvent::Unparked { how: Unpark::Recalled, .. } => count("recalled"),
                    CallEvent::Unparked { how: Unpark::GivenUp, .. } => count("given up"),
                    CallEvent::Ended { cause: EndCause::TimeUsedUp, .. } => count("time used up"),
                    _ => {}
                },
                Action::Record(Fact::Callback { event, .. }) => match event {
                    CallbackEvent::Called { .. } => count("called back"),
                    CallbackEvent::Ended { .. } => count("wishes over"),
                    _ => {}
                },
                Action::Record(Fact::Placed { event, .. }) => match event {
                    PlacedEvent::Answered => count("placed and answered"),
                    PlacedEvent::Ended { why: PlacedEnd::PassedOn, .. } => count("passed on"),
                    _ => {}
                },
                // A phone that called us and is a call's own: it took another's place.
                Action::Connect { agent, .. } if !agent.0.is_multiple_of(2) => count("replaced"),
                _ => {}
            }
        }
    }
    if one.is_none() {
        // The days are busy ones: so many of each in a hundred of them.
        for (what, least) in [
            ("calls", 1_000),
            ("answered", 250),
            ("released", 25),
            ("placed and answered", 10),
            ("passed on", 1),
            ("sent away", 1),
            ("joined outside", 1),
            ("answered outside", 1),
            ("time used up", 0),
            ("replaced", 1),
            ("parked", 20),
            ("told", 20),
            ("overflowed outside", 1),
            ("asked", 2),
            ("handed over", 1),
            ("asked in vain", 1),
            ("asked outside", 0),
            ("asked a group", 1),
            ("turned", 0),
            ("handed over outside", 0),
            ("fetched", 2),
            ("recalled", 0),
            ("given up", 2),
            ("called back", 1),
            ("wishes over", 1),
        ] {
            let had = seen.get(what).copied().unwrap_or_default() * 100 / all;
            assert!(had >= least && seen.contains_key(what), "{what}: {seen:?}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_actions() {
    for seed in 0..20 {
        assert!(World::new(seed).run() == World::new(seed).run(), "seed {seed}");
    }
}
