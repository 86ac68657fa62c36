//! Telephones in the world: what reaches one, what its owner does then, and what follows from it.

use super::ladder::event_name;
use super::streams::Stream;
use super::{DESK, Event, World};
use crate::base::{LegId, Mono, Rng};
use crate::simulate::faults::Draw;
use crate::simulate::peer::Peer;
use crate::simulate::people::{Caller, Deed, Phone, Stage};
use crate::simulate::registrant::Registrant;
use crate::sip::api::{Effect, LegEvent, Transport};
use bytes::Bytes;
use std::net::SocketAddr;

/// Somebody with a telephone, by place in the list.
pub(super) type NodeId = usize;

pub(super) enum Role {
    Caller(Box<Caller>),
    Phone(Box<Phone>),
}

pub(super) struct Node {
    pub at: SocketAddr,
    pub transport: Transport,
    /// The stream to the desk, while there is one.
    pub stream: Option<Stream>,
    /// None while dead.
    pub peer: Option<Peer>,
    pub role: Role,
    pub rng: Rng,
    /// Deeds and wakings planned for an earlier telephone are void.
    pub boot: u32,
    pub wake: Option<Mono>,
    pub cut_until: Mono,
    pub registrant: Option<Registrant>,
}

/// What reaches one telephone or its owner.
pub(super) enum Reaches {
    Datagram(SocketAddr, Bytes),
    Time,
    Deed(Deed),
    Event(LegId, LegEvent),
    Connected,
    Busy,
    StreamBroke,
}

impl World {
    pub(super) fn switch_on(&mut self, node: NodeId) {
        if self.nodes[node].peer.is_some() {
            return;
        }
        let (numbers, now) = (&self.numbers, self.now);
        let it = &mut self.nodes[node];
        it.peer = Some(Peer::new(it.at, it.transport, DESK, numbers, it.rng.fork()));
        let boot = it.boot;
        if let Some(registrant) = &mut it.registrant {
            registrant.switch_on(now);
        }
        let at = it.at;
        self.note(|| format!("{at} is switched on"));
        self.plan(now, Event::Wake { node, boot });
    }

    fn die(&mut self, node: NodeId) {
        let at = self.nodes[node].at;
        self.note(|| format!("{at} is dead"));
        let it = &mut self.nodes[node];
        it.peer = None;
        it.boot += 1;
        it.wake = None;
        if let Role::Phone(phone) = &mut it.role {
            phone.forget();
        }
        self.speaking.retain(|ear| self.ears.get(ear) != Some(&node));
        self.stream_dies(node);
    }

    pub(super) fn deed(&mut self, node: NodeId, deed: Deed) {
        match deed {
            Deed::Return => self.switch_on(node),
            Deed::FallSilent(lasting) => {
                let until = self.now + lasting;
                let ears = self.speaking.iter().filter(|ear| self.ears.get(ear) == Some(&node));
                self.gaps.extend(ears.map(|ear| (*ear, until)));
            }
            deed => {
                if matches!(deed, Deed::Listen(_)) {
                    self.listens(node);
                }
                self.reach(node, Reaches::Deed(deed));
            }
        }
    }

    /// Something reaches a telephone or its owner, and what follows from it.
    pub(super) fn reach(&mut self, node: NodeId, what: Reaches) {
        let mut waiting = vec![what];
        while let Some(what) = waiting.pop() {
            let effects = self.reach_once(node, what);
            let mut events = Vec::new();
            for effect in effects {
                match effect {
                    Effect::Send { bytes, .. } => {
                        let bytes = match &mut self.nodes[node].registrant {
                            Some(registrant) => registrant.sign(bytes),
                            None => bytes,
                        };
                        self.send_from(node, &bytes);
                    }
                    Effect::Leg { leg, event } => events.push(Reaches::Event(leg, event)),
                    Effect::Binding(_)
                    | Effect::Subscription(_)
                    | Effect::Watched(_)
                    | Effect::LookUp(_) => {}
                }
            }
            waiting.extend(events.into_iter().rev());
        }
        self.arm(node);
    }

    fn reach_once(&mut self, node: NodeId, what: Reaches) -> Vec<Effect> {
        if let Reaches::Event(leg, event) = &what {
            let (at, leg) = (self.nodes[node].at, leg.0);
            let event = event_name(event);
            self.note(|| format!("        {at} leg {leg}: {event}"));
        }
        if let Reaches::Deed(deed) = &what {
            let at = self.nodes[node].at;
            self.note(|| format!("{at} does {deed:?}"));
        }
        let now = self.now;
        let port = self.next_ear * 2;
        let it = &mut self.nodes[node];
        let Some(peer) = &mut it.peer else { return Vec::new() };
        let ear = SocketAddr::new(it.at.ip(), port);
        let host = &self.host;
        let mut agenda = Vec::new();
        let mut stage = Stage {
            peer,
            rng: &mut it.rng,
            now,
            healed: self.healed,
            prompt: self.prompt,
            agenda: &mut agenda,
            ear,
            hears: &|ear| host.media().is_some_and(|media| media.serves(ear)),
            keys: Vec::new(),
            begins: Vec::new(),
            stops: Vec::new(),
            dies: false,
            rush: false,
            left_behind: false,
        };
        let mut new_ear = false;
        match (what, &mut it.role) {
            (Reaches::Datagram(from, bytes), _) => {
                let taken = it
                    .registrant
                    .as_mut()
                    .is_some_and(|registrant| registrant.receive(&bytes, now));
                if !taken {
                    stage.peer.receive(from, bytes, now);
                }
            }
            (Reaches::Time, _) => stage.peer.tick(now),
            (Reaches::StreamBroke, _) => {
                stage.peer.disconnected(DESK, now);
                if let Some(registrant) = &mut it.registrant {
                    registrant.disconnected(now);
                }
            }
            (Reaches::Deed(deed), role) => {
                new_ear = matches!(deed, Deed::Dial | Deed::Call(_));
                match role {
                    Role::Caller(caller) => caller.act(&deed, &mut stage),
                    Role::Phone(phone) => phone.act(&deed, &mut stage),
                }
            }
            (Reaches::Event(leg, event), role) => {
                new_ear = matches!(event, LegEvent::Incoming(_));
                match role {
                    Role::Caller(caller) => caller.hear(leg, &event, &mut stage),
                    Role::Phone(phone) => phone.hear(leg, &event, &mut stage),
                }
            }
            (Reaches::Connected, Role::Caller(caller)) => caller.connect(&mut stage),
            (Reaches::Busy, Role::Caller(caller)) => caller.hear_busy(&mut stage),
            (Reaches::Connected | Reaches::Busy, Role::Phone(_)) => {}
        }
        let Stage { keys, begins, stops, dies, rush, left_behind, .. } = stage;
        let mut effects = it.peer.as_mut().map(Peer::take_effects).unwrap_or_default();
        let boot = it.boot;
        if left_behind {
            self.left_behind += 1;
            let at = self.nodes[node].at;
            self.note(|| format!("        {at} was left in a call that is over"));
        }
        if new_ear {
            self.ears.insert(ear, node);
            self.next_ear = self.next_ear.wrapping_add(1).max(512) % 32_768;
        }
        self.speaking.extend(begins);
        for ear in stops {
            self.speaking.remove(&ear);
        }
        for (at, deed) in agenda {
            // Dying voids what was planned; coming back is planned beyond it.
            let boot = if dies { boot + 1 } else { boot };
            self.plan(at, Event::Deed { node, boot, deed });
        }
        for (ear, key) in keys {
            let doing = self.host.key(ear, key, &self.faults, now);
            self.carry_out(doing);
        }
        if dies {
            effects.clear();
            self.die(node);
        }
        if rush {
            self.rush();
        }
        effects
    }

    /// Every phone that rings is picked up now.
    fn rush(&mut self) {
        for node in 0..self.nodes.len() {
            if let Role::Phone(phone) = &self.nodes[node].role {
                let (legs, boot): (Vec<_>, u32) =
                    (phone.ringing().collect(), self.nodes[node].boot);
                for leg in legs {
                    let deed = Deed::PickUp(leg);
                    let at = self.now + self.rng.millis(0, 30);
                    self.plan(at, Event::Deed { node, boot, deed });
                }
            }
        }
    }

    /// Plans a telephone's next waking.
    fn arm(&mut self, node: NodeId) {
        let now = self.now;
        let it = &mut self.nodes[node];
        let Some(peer) = &it.peer else { return };
        let mut sends = Vec::new();
        let registrant = it.registrant.as_mut().and_then(|registrant| {
            sends = registrant.work(now, &mut it.rng);
            registrant.next_deadline()
        });
        let due = [peer.next_deadline(), registrant].into_iter().flatten().min();
        let boot = it.boot;
        if let Some(due) = due
            && it.wake.is_none_or(|wake| wake > due)
        {
            it.wake = Some(due);
            self.plan(due, Event::Wake { node, boot });
        }
        for bytes in sends {
            self.send_from(node, &bytes);
        }
    }
}
