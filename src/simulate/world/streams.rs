//! Streams (TCP) between the desk and the phones that speak it: nothing is lost or reordered, but a
//! stream may break, at once or only when somebody tries it, and the desk may have to make a new one.

use super::telephones::{NodeId, Reaches};
use super::{DESK, Event, World};
use crate::base::Mono;
use crate::engine::Input;
use crate::simulate::faults::Draw;
use crate::simulate::lines::first_line;
use crate::sip::api::{Flow, Transport};
use bytes::Bytes;
use std::net::SocketAddr;
use std::time::Duration;

/// A stream without an acknowledgement for this long is given up.
const PATIENCE: Duration = Duration::from_secs(15);

/// One phone's stream to the desk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stream {
    /// Unique in the world; the desk's `connection`.
    pub id: u64,
    /// Where the desk sees it come from.
    pub from: SocketAddr,
    /// What was sent last arrives then; later messages arrive later.
    last_in: Mono,
    last_out: Mono,
}

/// What a stream brings.
pub(super) enum Arrives {
    /// To the desk, in this life of its process.
    AtDesk { life: u32, flow: Flow, bytes: Bytes },
    /// To a phone, in this life of it.
    AtPhone { node: NodeId, boot: u32, bytes: Bytes },
    /// The phone's end broke.
    PhoneHearsEnd { node: NodeId, stream: u64 },
    /// The desk's end broke, or could not be made.
    DeskHears { life: u32, input: Box<Input> },
}

impl World {
    fn new_stream(&mut self, node: NodeId, from: SocketAddr) -> Stream {
        let stream = Stream { id: self.next_stream, from, last_in: self.now, last_out: self.now };
        self.next_stream += 1;
        let it = &mut self.nodes[node];
        it.stream = Some(stream);
        if let Some(peer) = &mut it.peer {
            peer.connected(stream.id);
        }
        stream
    }

    const fn flow(stream: &Stream) -> Flow {
        let (remote, connection) = (stream.from, stream.id);
        Flow { transport: Transport::Tcp, listener: 1, remote, connection }
    }

    /// A telephone sends, by whatever it speaks.
    pub(super) fn send_from(&mut self, node: NodeId, bytes: &Bytes) {
        let at = self.nodes[node].at;
        if !self.nodes[node].transport.is_stream() {
            return self.send(at, DESK, bytes);
        }
        self.datagrams += 1;
        self.note(|| format!("{at} => {DESK} {}", first_line(bytes)));
        let stream = match self.nodes[node].stream {
            Some(stream) => stream,
            None if !self.host.is_up() => {
                // Nobody listens there: the phone's system says so at once or after trying for long.
                let event = Arrives::PhoneHearsEnd { node, stream: 0 };
                let after = self.net.millis(20, 3000);
                return self.plan(self.now + after, Event::Stream(event));
            }
            None => {
                let port = 40_000 + u16::try_from(self.next_stream % 20_000).unwrap_or(0);
                self.new_stream(node, SocketAddr::new(at.ip(), port))
            }
        };
        let Some(arrives) = self.carried(node, stream.last_in) else { return };
        if let Some(stream) = &mut self.nodes[node].stream {
            stream.last_in = arrives;
        }
        let (life, flow) = (self.life, Self::flow(&stream));
        let event = Arrives::AtDesk { life, flow, bytes: bytes.clone() };
        self.plan(arrives, Event::Stream(event));
    }

    /// The desk sends on a stream: the one named, or any to the same peer, or a new one.
    pub(super) fn send_on_stream(&mut self, flow: Flow, bytes: &Bytes) {
        self.datagrams += 1;
        self.note(|| format!("{DESK} => {} {}", flow.remote, first_line(bytes)));
        let named = |node: &super::Node| {
            let found = node
                .stream
                .filter(|stream| stream.id == flow.connection || stream.from == flow.remote);
            found.is_some()
        };
        let node = self.nodes.iter().position(named).or_else(|| {
            let node = self.by_address.get(&flow.remote).copied()?;
            let alive = self.nodes[node].peer.is_some()
                && self.nodes[node].transport.is_stream()
                && self.nodes[node].cut_until <= self.now;
            if alive {
                // A phone has one stream: a new one takes the place of what it thought it had.
                self.new_stream(node, flow.remote);
            }
            alive.then_some(node)
        });
        let stream = node.and_then(|node| self.nodes[node].stream.map(|stream| (node, stream)));
        let Some((node, stream)) = stream else {
            let input = Box::new(Input::Unsendable(flow));
            let event = Arrives::DeskHears { life: self.life, input };
            let after = self.net.millis(0, 3000);
            return self.plan(self.now + after, Event::Stream(event));
        };
        if self.nodes[node].peer.is_none() {
            // Nobody acknowledges: the stream is given up in the end.
            self.nodes[node].stream = None;
            return self.desk_hears_end(stream, PATIENCE);
        }
        let Some(arrives) = self.carried(node, stream.last_out) else { return };
        if let Some(stream) = &mut self.nodes[node].stream {
            stream.last_out = arrives;
        }
        let boot = self.nodes[node].boot;
        let event = Arrives::AtPhone { node, boot, bytes: bytes.clone() };
        self.plan(arrives, Event::Stream(event));
    }

    /// When something sent now arrives; what is lost is sent again underneath. None when the phone is
    /// cut off for so long that the stream breaks.
    fn carried(&mut self, node: NodeId, last: Mono) -> Option<Mono> {
        let cut = self.nodes[node].cut_until;
        if cut > self.now + PATIENCE {
            if let Some(stream) = self.nodes[node].stream.take() {
                self.desk_hears_end(stream, PATIENCE);
                let event = Arrives::PhoneHearsEnd { node, stream: stream.id };
                self.plan(self.now + PATIENCE, Event::Stream(event));
            }
            return None;
        }
        let wire = &self.faults.wire;
        let again =
            if self.net.chance(wire.lost) { Duration::from_millis(200) } else { Duration::ZERO };
        let delay = wire.delay + self.net.span(Duration::ZERO, wire.jitter) + again;
        Some((self.now.max(cut) + delay).max(last))
    }

    fn desk_hears_end(&mut self, stream: Stream, after: Duration) {
        let input = Box::new(Input::FlowLost(Self::flow(&stream)));
        let event = Arrives::DeskHears { life: self.life, input };
        self.plan(self.now + after, Event::Stream(event));
    }

    /// The phone is gone: its system says so, or its plug was pulled and nobody says anything.
    pub(super) fn stream_dies(&mut self, node: NodeId) {
        if self.net.chance(500)
            && let Some(stream) = self.nodes[node].stream.take()
        {
            let after = self.net.millis(1, 100);
            self.desk_hears_end(stream, after);
        }
    }

    /// The desk's process is gone: its system tells every phone.
    pub(super) fn streams_die(&mut self) {
        for node in 0..self.nodes.len() {
            if let Some(stream) = self.nodes[node].stream.take() {
                let event = Arrives::PhoneHearsEnd { node, stream: stream.id };
                let after = self.net.millis(1, 100);
                self.plan(self.now + after, Event::Stream(event));
            }
        }
    }

    pub(super) fn stream_brings(&mut self, what: Arrives) {
        match what {
            Arrives::AtDesk { life, flow, bytes } => {
                if life == self.life && self.host.is_up() {
                    self.note(|| format!("        desk hears {}", first_line(&bytes)));
                    let shed = self.net.chance(self.faults.shed);
                    let doing = self.host.receive(flow, bytes, shed, &self.faults, self.now);
                    self.carry_out(doing);
                }
            }
            Arrives::AtPhone { node, boot, bytes } => {
                if self.nodes[node].boot == boot {
                    self.reach(node, Reaches::Datagram(DESK, bytes));
                }
            }
            Arrives::PhoneHearsEnd { node, stream } => {
                let current = self.nodes[node].stream.is_none_or(|now| now.id == stream);
                if current {
                    self.nodes[node].stream = None;
                    let at = self.nodes[node].at;
                    self.note(|| format!("        {at} lost its stream"));
                    self.reach(node, Reaches::StreamBroke);
                }
            }
            Arrives::DeskHears { life, input } => {
                if life == self.life {
                    self.note(|| format!("        desk hears {input:?}"));
                    let doing = self.host.stream_broke(*input, &self.faults, self.now);
                    self.carry_out(doing);
                }
            }
        }
    }
}
