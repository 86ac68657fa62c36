//! The world around the desk: one queue of what happens next, a network that may lose, double, delay
//! and reorder, and everybody's telephone. Time moves only by taking the next event.

mod asks;
mod ladder;
mod misfortunes;
mod streams;
mod telephones;

use ladder::fact_line;
use telephones::{Node, NodeId, Reaches, Role};

use super::faults::{Draw, Faults};
use super::host::{Doing, Due, Host};
use super::lines::first_line;
use super::peer::Peer;
use super::people::{CALLERS_LEG, Caller, Deed, Phone};
use super::registrant::Registrant;
use super::scene::{CallerMake, Scene};
use super::watch::Answers;
use crate::base::{Mono, Number, PromptId, Rng};
use crate::pbx::Command;
use crate::sip::api::{Flow, Transport};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// All callers come by this carrier, each from a port of its own.
pub const CARRIER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1));
const DESK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10)), 5060);

enum Event {
    Datagram { from: SocketAddr, to: SocketAddr, bytes: Bytes },
    Stream(streams::Arrives),
    Desk { life: u32, due: Due },
    Wake { node: NodeId, boot: u32 },
    Deed { node: NodeId, boot: u32, deed: Deed },
    Kill,
    Start,
    SetClock { by_ms: i64 },
    Command(Command),
    Cut { node: NodeId, lasting: Duration },
}

/// More events than this in one instant are a circle.
const AT_ONCE_MOST: u32 = 20_000;

/// One seeded world.
pub struct World {
    now: Mono,
    events: BTreeMap<(Mono, u64), Event>,
    next_event: u64,
    /// Events since time last moved.
    at_once: u32,
    faults: Faults,
    healed: bool,
    prompt: bool,
    net: Rng,
    host: Host,
    life: u32,
    nodes: Vec<Node>,
    by_address: BTreeMap<SocketAddr, NodeId>,
    numbers: Vec<Number>,
    /// Who listens where.
    ears: BTreeMap<SocketAddr, NodeId>,
    /// Whose audio flows.
    speaking: BTreeSet<SocketAddr>,
    /// Ears that send nothing until then although their owner is there.
    gaps: BTreeMap<SocketAddr, Mono>,
    next_ear: u16,
    next_stream: u64,
    rng: Rng,
    /// Peers who hung up because nothing was heard any more.
    left_behind: u32,
    datagrams: u64,
    length: Duration,
    /// So many of the host's complaints carry their time.
    stamped: usize,
    trace: Option<Vec<String>>,
}

impl World {
    /// The world of a seed, with these faults; everything is planned and nothing has happened.
    #[must_use]
    pub fn new(seed: u64, faults: Faults) -> Self {
        let mut rng = Rng::from_number(seed);
        let scene = Scene::drawn_from(seed);
        let numbers = scene.numbers();
        let phones: Vec<(SocketAddr, Number)> = (1_u8..)
            .zip(&scene.phones)
            .map(|(n, phone)| {
                let ip = IpAddr::V4(Ipv4Addr::new(198, 51, 100, n));
                (SocketAddr::new(ip, 5060), phone.extension.clone())
            })
            .collect();
        let host = Host::new(DESK, scene.clone(), &phones, rng.fork());
        let mut world = Self {
            now: Mono::ZERO,
            events: BTreeMap::new(),
            next_event: 0,
            at_once: 0,
            healed: false,
            prompt: false,
            net: rng.fork(),
            host,
            life: 0,
            nodes: Vec::new(),
            by_address: BTreeMap::new(),
            numbers,
            ears: BTreeMap::new(),
            speaking: BTreeSet::new(),
            gaps: BTreeMap::new(),
            next_ear: 512,
            next_stream: 1,
            rng,
            left_behind: 0,
            datagrams: 0,
            length: scene.length,
            stamped: 0,
            trace: None,
            faults,
        };
        world.plan(Mono::ZERO, Event::Start);
        for (make, (at, _)) in scene.phones.into_iter().zip(&phones) {
            let calls = make.calls.clone();
            let streams = make.registers && make.streams;
            let by = if streams { Transport::Tcp } else { Transport::Udp };
            let registrant =
                make.registers.then(|| Registrant::new(*at, by, DESK, &make.extension));
            let node = world.add(*at, by, Role::Phone(Box::new(Phone::new(make))), registrant);
            for (after, number) in calls {
                world.plan(
                    Mono::ZERO + after,
                    Event::Deed { node, boot: 0, deed: Deed::Call(number) },
                );
            }
            world.plan(Mono(1000), Event::Wake { node, boot: 0 });
        }
        for make in scene.callers {
            world.add_caller(make);
        }
        world.plan_faults();
        world
    }

    fn add(
        &mut self,
        at: SocketAddr,
        transport: Transport,
        role: Role,
        registrant: Option<Registrant>,
    ) -> NodeId {
        let mut rng = self.rng.fork();
        let peer = Peer::new(at, transport, DESK, &self.numbers, rng.fork());
        let node = self.nodes.len();
        self.by_address.insert(at, node);
        self.nodes.push(Node {
            at,
            transport,
            stream: None,
            peer: Some(peer),
            role,
            rng,
            boot: 0,
            wake: None,
            cut_until: Mono::ZERO,
            registrant,
        });
        node
    }

    fn add_caller(&mut self, make: CallerMake) -> NodeId {
        let port = 10_000 + u16::try_from(self.nodes.len()).unwrap_or(0);
        let at = Mono::ZERO + make.at;
        let caller = Role::Caller(Box::new(Caller::new(make)));
        let at_port = SocketAddr::new(CARRIER, port);
        let node = self.add(at_port, Transport::Udp, caller, None);
        self.plan(at, Event::Deed { node, boot: 0, deed: Deed::Dial });
        node
    }

    fn plan(&mut self, at: Mono, event: Event) {
        self.events.insert((at.max(self.now), self.next_event), event);
        self.next_event += 1;
    }

    /// The time.
    #[must_use]
    pub const fn now(&self) -> Mono {
        self.now
    }

    /// Until when people dial, from the beginning.
    #[must_use]
    pub const fn length(&self) -> Duration {
        self.length
    }

    /// When something happens next.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        self.events.first_key_value().map(|((at, _), _)| *at)
    }

    /// Moves the clock to `at` and lets everything happen that is due by then; nothing sleeps.
    pub fn advance_to(&mut self, at: Mono) {
        while let Some(entry) = self.events.first_entry() {
            let due = entry.key().0;
            if due > at {
                break;
            }
            let event = entry.remove();
            self.at_once = if due > self.now { 0 } else { self.at_once + 1 };
            assert!(self.at_once < AT_ONCE_MOST, "time stands still at {:?}", self.now);
            self.now = self.now.max(due);
            self.happen(event);
            self.stamp_wrong();
        }
        self.now = self.now.max(at);
    }

    /// Lets time pass.
    pub fn run_for(&mut self, span: Duration) {
        let until = self.now + span;
        self.advance_to(until);
    }

    /// Nothing goes wrong any more: the network carries, the disk writes, dead phones are switched on.
    pub fn heal(&mut self) {
        self.note(|| "-- healed --".to_owned());
        self.faults.heal();
        self.healed = true;
        self.gaps.clear();
        for node in 0..self.nodes.len() {
            self.nodes[node].cut_until = Mono::ZERO;
            if matches!(self.nodes[node].role, Role::Phone(_)) {
                self.switch_on(node);
            }
        }
        if !self.host.is_up() {
            self.happen(Event::Start);
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Datagram { from, to, bytes } => self.arrive(from, to, bytes),
            Event::Stream(what) => self.stream_brings(what),
            Event::Desk { life, due } => {
                if life == self.life {
                    let speaking = &self.speaking;
                    let gaps = &self.gaps;
                    let (ears, nodes, now) = (&self.ears, &self.nodes, self.now);
                    let sends = |ear: SocketAddr| {
                        let gap = gaps.get(&ear).is_some_and(|until| *until > now);
                        let cut = ears.get(&ear).is_none_or(|node| nodes[*node].cut_until > now);
                        speaking.contains(&ear) && !gap && !cut
                    };
                    let doing = self.host.due(due, sends, &self.faults, now);
                    self.carry_out(doing);
                }
            }
            Event::Wake { node, boot } => {
                if self.nodes[node].boot == boot
                    && self.nodes[node].wake.is_none_or(|wake| wake <= self.now)
                {
                    self.nodes[node].wake = None;
                    self.reach(node, Reaches::Time);
                }
            }
            Event::Deed { node, boot, deed } => {
                if self.nodes[node].boot == boot || deed == Deed::Return {
                    self.deed(node, deed);
                }
            }
            Event::Kill => {
                if !self.healed && self.host.is_up() {
                    if self.rng.chance(300) {
                        self.note(|| "-- stopped in order --".to_owned());
                        let doing = self.host.stop(&self.faults, self.now);
                        self.carry_out(doing);
                    } else {
                        self.note(|| "-- killed --".to_owned());
                        self.host.kill(self.now);
                    }
                    self.life += 1;
                    self.streams_die();
                    let down = self.rng.millis(100, 6000);
                    self.plan(self.now + down, Event::Start);
                }
            }
            Event::Start => {
                if !self.host.is_up() {
                    self.note(|| "-- started --".to_owned());
                    let doing = self.host.start(&self.faults, self.now);
                    self.carry_out(doing);
                }
            }
            Event::SetClock { by_ms } => {
                if !self.healed {
                    self.note(|| format!("-- clock set by {by_ms} ms --"));
                    self.host.set_clock(by_ms);
                }
            }
            Event::Command(command) => {
                self.note(|| format!("command {command:?}"));
                let doing = self.host.command(command, &self.faults, self.now);
                self.carry_out(doing);
            }
            Event::Cut { node, lasting } => {
                if !self.healed {
                    let at = self.nodes[node].at;
                    self.note(|| format!("{at} is cut off for {lasting:?}"));
                    self.nodes[node].cut_until = self.now + lasting;
                }
            }
        }
    }

    /// Puts a datagram on the network.
    fn send(&mut self, from: SocketAddr, to: SocketAddr, bytes: &Bytes) {
        self.datagrams += 1;
        let wire = &self.faults.wire;
        let mut copies = u64::from(!self.net.chance(wire.lost));
        if copies > 0 && self.net.chance(wire.doubled) {
            copies = 2;
        }
        let delays: Vec<Duration> = (0..copies)
            .map(|_| {
                let late = if self.net.chance(wire.stragglers) {
                    self.net.span(Duration::ZERO, wire.straggle)
                } else {
                    Duration::ZERO
                };
                wire.delay + self.net.span(Duration::ZERO, wire.jitter) + late
            })
            .collect();
        self.note(|| {
            let mut line = format!("{from} -> {to} {}", first_line(bytes));
            if delays.len() != 1 {
                let _ = write!(line, " (x{})", delays.len());
            }
            line
        });
        for delay in delays {
            let event = Event::Datagram { from, to, bytes: bytes.clone() };
            self.plan(self.now + delay, event);
        }
        if to == DESK && self.net.chance(self.faults.garbage) {
            self.send_garbage(from, bytes);
        }
    }

    /// A caller listens: once the history says that the hold is over, the music must be over too.
    fn listens(&mut self, node: NodeId) {
        let it = &mut self.nodes[node];
        let (Role::Caller(caller), Some(peer)) = (&mut it.role, &it.peer) else { return };
        let (Some(media), Some(watch)) = (self.host.media(), self.host.watch()) else { return };
        let covered = peer.ear(CALLERS_LEG).is_some_and(|ear| media.is_covered(ear));
        let held = watch.is_held(&caller.make.name).unwrap_or(true);
        caller.covered = if covered && !held { caller.covered + 1 } else { 0 };
        if caller.covered >= 2 {
            let line = format!("{} hears a prompt and not the agent", caller.make.name);
            self.host.wrong.push(line);
        }
    }

    fn is_cut(&self, at: SocketAddr) -> bool {
        self.by_address.get(&at).is_some_and(|node| self.nodes[*node].cut_until > self.now)
    }

    fn arrive(&mut self, from: SocketAddr, to: SocketAddr, bytes: Bytes) {
        if self.is_cut(from) || self.is_cut(to) {
            return;
        }
        if to == DESK {
            self.note(|| format!("        desk hears {}", first_line(&bytes)));
            let shed = self.net.chance(self.faults.shed);
            let flow = Flow { transport: Transport::Udp, listener: 0, remote: from, connection: 0 };
            let doing = self.host.receive(flow, bytes, shed, &self.faults, self.now);
            self.carry_out(doing);
        } else if let Some(node) = self.by_address.get(&to) {
            self.reach(*node, Reaches::Datagram(from, bytes));
        }
    }

    fn carry_out(&mut self, doing: Doing) {
        for entry in doing.facts {
            self.note(|| format!("        [{}] {}", entry.seq, fact_line(&entry.fact)));
        }
        for (at, due) in doing.later {
            self.plan(at, Event::Desk { life: self.life, due });
        }
        for (flow, bytes) in doing.sends {
            match flow.transport {
                Transport::Udp => self.send(DESK, flow.remote, &bytes),
                Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => {
                    self.send_on_stream(flow, &bytes);
                }
            }
        }
        for (one, other, had) in doing.bridged {
            self.bridged(one, other, &had);
        }
        for (ear, prompts) in doing.hears {
            self.note(|| {
                let names: Vec<&str> = prompts.iter().map(PromptId::as_str).collect();
                format!("        {ear} hears {}", names.join(", "))
            });
            if prompts.iter().any(|prompt| super::media::bare(prompt) == "busy")
                && let Some(node) = self.ears.get(&ear)
            {
                self.reach(*node, Reaches::Busy);
            }
        }
    }

    /// Two peers hear each other; the history must have named this agent for this caller when it was decided: it
    /// may have gone on while the media waited for the disk.
    fn bridged(&mut self, one: SocketAddr, other: SocketAddr, had: &Answers) {
        self.note(|| format!("        {one} and {other} hear each other"));
        let nodes = [one, other].map(|ear| self.ears.get(&ear).copied());
        let [Some(caller), Some(phone)] = nodes else {
            self.host.wrong.push(format!("{one} and {other} are connected, and one is nobody"));
            return;
        };
        if let Role::Caller(who) = &self.nodes[caller].role {
            let agent = self.host.agent_at(self.nodes[phone].at.ip());
            // Who hides the number is not named in the history.
            if let Some(written) = had.get(&who.make.name)
                && written.as_ref() != agent
            {
                let line =
                    format!("{} hears {agent:?}, the history says {written:?}", who.make.name);
                self.host.wrong.push(line);
            }
        }
        self.reach(caller, Reaches::Connected);
    }
}
