//! The lamps: what goes on at each number that a phone key's light can show. Read from the legs at the
//! number's phone, so that calls of its own show as well as the desk's; told to the SIP room after the
//! steps that changed it, and only when somebody watches.
//!
//! Must not know: who watches, and how a lamp is said on the wire.

use super::Engine;
use super::session::Session;
use crate::base::{CallId, GroupId, LegId, Mono, Now, Number};
use crate::dialplan::Plan;
use crate::event::CallEvent;
use crate::sip::api::{Circles, Directory, Lamp, LampCall, LampStage, Shown};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What has a lamp: its number says which. Each kind has its own way to be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The phone of an extension.
    Extension(Number),
    /// A slot of a parking lot: the caller in it.
    Slot(Number),
    /// A group's own lamp: whether a call waits in its queue.
    Waiting(Number, GroupId),
    /// A desk number's own lamp, which comes first: whether the number is closed.
    Closed(Number, Number),
}

impl Source {
    const fn number(&self) -> &Number {
        match self {
            Self::Extension(number)
            | Self::Slot(number)
            | Self::Waiting(number, _)
            | Self::Closed(number, _) => number,
        }
    }
}

/// A number may open or close with nothing else happening: so often it is looked at while somebody watches.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A lamp of the desk's is of no leg; none is ever called so.
const NO_LEG: LegId = LegId(0);

/// A leg at the phone of an extension.
#[derive(Clone, Debug)]
pub struct AtPhone {
    /// Whose.
    pub extension: Number,
    /// The phone placed the call; otherwise we rang it.
    pub placed: bool,
    /// How far it is.
    pub stage: LampStage,
    /// With whom.
    pub with: Option<Shown>,
}

/// The legs at each phone, and the lamps that must be looked at again.
#[derive(Debug, Default)]
pub struct Lamps {
    legs: BTreeMap<Number, BTreeSet<LegId>>,
    /// Which call is in which slot.
    parked: BTreeMap<Number, CallId>,
    stirred: BTreeSet<Source>,
    /// The plan's own lamps, of groups and desk numbers.
    of_desk: Vec<Source>,
    /// When to look again whether a number is closed.
    look_at: Mono,
}

impl Lamps {
    /// Takes the plan's own lamps.
    pub(super) fn set_plan(&mut self, plan: &Plan) {
        let groups = plan.groups.iter();
        let groups =
            groups.filter_map(|(id, group)| Some(Source::Waiting(group.lamp.clone()?, id.clone())));
        let numbers = plan.desk_numbers.iter();
        let numbers = numbers
            .filter_map(|(number, desk)| Some(Source::Closed(desk.lamp.clone()?, number.clone())));
        self.of_desk = groups.chain(numbers).collect();
        self.look_at = Mono::ZERO;
        self.stirred.extend(self.of_desk.iter().cloned());
    }
}

/// The extensions with a lamp, and who may see with whom they speak: the members of one group.
pub fn circles(plan: &Plan, directory: &Directory) -> Circles {
    let mut circles: BTreeMap<Number, BTreeSet<u32>> = BTreeMap::new();
    let accounts = directory.accounts.keys().map(|user| Number::from(user.as_str()));
    let agents = plan.agents.keys().map(|agent| Number(agent.0.clone()));
    for number in accounts.chain(agents).chain(directory.fixed_phones.keys().cloned()) {
        circles.entry(number).or_default();
    }
    for (group, circle) in plan.groups.values().zip(0..) {
        for agent in &group.agents {
            circles.entry(Number(agent.0.clone())).or_default().insert(circle);
        }
    }
    // A slot is for whoever takes calls: its caller may have come by any group.
    let all: BTreeSet<u32> = (0..).take(plan.groups.len()).collect();
    for slot in plan.lots.iter().flat_map(|lot| lot.slots.keys()) {
        circles.insert(slot.clone(), all.clone());
    }
    // These name nobody.
    let groups = plan.groups.values().filter_map(|group| group.lamp.as_ref());
    let numbers = plan.desk_numbers.values().filter_map(|desk| desk.lamp.as_ref());
    for lamp in groups.chain(numbers) {
        circles.entry(lamp.clone()).or_default();
    }
    Circles(circles)
}

impl Engine {
    /// A leg at an extension's phone begins.
    pub(super) fn leg_at(&mut self, leg: LegId, at: AtPhone) {
        self.lamps.legs.entry(at.extension.clone()).or_default().insert(leg);
        self.lamps.stirred.insert(Source::Extension(at.extension.clone()));
        if let Some(session) = self.sessions.get_mut(&leg) {
            session.phone = Some(at);
        }
    }

    /// It has come this far.
    pub(super) fn leg_is(&mut self, leg: LegId, stage: LampStage) {
        let phone = self.sessions.get_mut(&leg).and_then(|session| session.phone.as_mut());
        if let Some(phone) = phone.filter(|phone| phone.stage != stage) {
            phone.stage = stage;
            self.stir(leg);
        }
    }

    /// Something else about it has changed.
    pub(super) fn stir(&mut self, leg: LegId) {
        if let Some(phone) = self.sessions.get(&leg).and_then(|session| session.phone.as_ref()) {
            self.lamps.stirred.insert(Source::Extension(phone.extension.clone()));
        }
    }

    /// It is over; its session was this.
    pub(super) fn leg_left(&mut self, leg: LegId, session: &Session) {
        let Some(AtPhone { extension, .. }) = &session.phone else { return };
        if let Some(legs) = self.lamps.legs.get_mut(extension) {
            legs.remove(&leg);
            if legs.is_empty() {
                self.lamps.legs.remove(extension);
            }
        }
        self.lamps.stirred.insert(Source::Extension(extension.clone()));
    }

    /// A lamp must be looked at, whether anything changed or not.
    pub(super) fn stir_number(&mut self, number: Number) {
        let of_desk = self.lamps.of_desk.iter().find(|source| *source.number() == number);
        let source = match of_desk {
            Some(source) => source.clone(),
            None if self.desk.is_slot(&number) => Source::Slot(number),
            None => Source::Extension(number),
        };
        self.lamps.stirred.insert(source);
    }

    /// A call came into a slot, or out of one.
    pub(super) fn slot_changes(&mut self, call: CallId, event: &CallEvent) {
        let slot = match event {
            CallEvent::Parked { slot, .. } => {
                self.lamps.parked.insert(slot.clone(), call);
                slot.clone()
            }
            CallEvent::Unparked { .. } | CallEvent::Ended { .. } => {
                let held = self.lamps.parked.iter().find(|(_, held)| **held == call);
                let Some(slot) = held.map(|(slot, _)| slot.clone()) else { return };
                self.lamps.parked.remove(&slot);
                slot
            }
            _ => return,
        };
        self.lamps.stirred.insert(Source::Slot(slot));
    }

    /// Shows what has changed. Called when all steps are taken, so that a lamp shows what lasts.
    pub(super) fn show_lamps(&mut self, now: Now) {
        if let Some(lamps) = self.desk.message_lamps() {
            self.sip.show_messages(lamps, now, &mut self.effects);
        }
        let due = self.lamps.look_at <= now.mono;
        if due {
            self.lamps.look_at = now.mono + LOOK_EVERY;
        }
        // Few: what has not changed is told to nobody.
        let looked_at = |source: &&Source| due || matches!(source, Source::Waiting(..));
        let of_desk = self.lamps.of_desk.iter().filter(looked_at).cloned();
        self.lamps.stirred.extend(of_desk);
        for source in std::mem::take(&mut self.lamps.stirred) {
            let number = source.number();
            if self.sip.is_watched(number) {
                let lamp = self.lamp(&source, now);
                self.sip.show(number, lamp, now, &mut self.effects);
            }
        }
    }

    /// When a lamp must be looked at although nothing happens; none while nobody watches one.
    pub(super) fn next_look(&self) -> Option<Mono> {
        let mut timed = self.lamps.of_desk.iter();
        let watched = |source: &Source| {
            matches!(source, Source::Closed(..)) && self.sip.is_watched(source.number())
        };
        timed.any(watched).then_some(self.lamps.look_at)
    }

    fn lamp(&self, source: &Source, now: Now) -> Lamp {
        let number = match source {
            Source::Extension(number) => number,
            Source::Slot(slot) => return self.slot_lamp(slot),
            // Phones blink: somebody ought to do something.
            Source::Waiting(_, group) => {
                return Lamp::lit(self.desk.waits_in(group).then_some(LampStage::Early));
            }
            // Phones light it steadily: so it is.
            Source::Closed(_, number) => {
                return Lamp::lit(
                    self.desk.has_closed(number, now).then_some(LampStage::Confirmed),
                );
            }
        };
        let legs = self.lamps.legs.get(number).into_iter().flatten();
        let call = |leg: &LegId| {
            let session = self.sessions.get(leg)?;
            let AtPhone { placed, stage, with, .. } = session.phone.as_ref()?;
            let (placed, stage, with) = (*placed, *stage, with.clone());
            Some(LampCall { leg: *leg, placed, stage, held: session.holding, with, dialog: None })
        };
        Lamp { calls: legs.filter_map(call).collect() }
    }

    /// A slot's lamp shows a call that is up and held, so that phones dial its number when it is pressed.
    fn slot_lamp(&self, slot: &Number) -> Lamp {
        let call = |leg: LegId| {
            let with = self.sessions.get(&leg)?.shown.clone();
            let stage = LampStage::Confirmed;
            Some(LampCall { leg, placed: false, stage, held: true, with, dialog: None })
        };
        Lamp { calls: self.desk.parked_in(slot).and_then(call).into_iter().collect() }
    }
}

impl Lamp {
    /// One of the desk's own, which names nobody.
    fn lit(stage: Option<LampStage>) -> Self {
        let call = |stage| {
            let (placed, held, with, dialog) = (false, false, None, None);
            LampCall { leg: NO_LEG, placed, stage, held, with, dialog }
        };
        Self { calls: stage.map(call).into_iter().collect() }
    }
}
