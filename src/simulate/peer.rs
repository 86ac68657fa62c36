//! One SIP user agent of the simulated world: our own endpoint from the other side, with a session
//! description for each of its dialogs. Knows how to speak; what to say is `people`'s business.

use super::faults::Draw;
use crate::base::{LegId, Mono, Now, Number, Private, Rng, TrunkId, Wall};
use crate::sdp::{self, Codec, Direction, Local, Sealing};
use crate::sip::Endpoint;
use crate::sip::api::{
    Directory, Effect, Flow, LegEvent, Listener, Reliable, SessionPolicy, Settings, Shown,
    Transport, Trunk, Why,
};
use crate::sip::digest::Offer;
use crate::sip::trunk::Profile;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// A session description that shares nothing with ours: video only.
const VIDEO_ONLY: &[u8] = b"v=0\r\no=- 1 1 IN IP4 203.0.113.9\r\ns=-\r\nc=IN IP4 203.0.113.9\r\nt=0 0\r\nm=video 4000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n";
/// Not a session description.
const BROKEN: &[u8] = b"v=0\r\no=-\r\nm=audio audio audio\r\n";

/// What an INVITE or its answer carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Describes {
    /// G.711 and telephone-event.
    Well,
    /// No offer; it comes in the 2xx.
    Late,
    /// Nothing that we share.
    Video,
    /// Not a description at all.
    Broken,
}

/// One dialog's own side.
#[derive(Clone, Debug)]
struct Line {
    local: Local,
    /// The caller's offer, until answered.
    offered: Option<Bytes>,
}

/// One user agent.
pub struct Peer {
    transport: Transport,
    /// The stream it has to the desk; 0 for none, and with datagrams.
    stream: u64,
    endpoint: Endpoint,
    effects: Vec<Effect>,
    lines: BTreeMap<LegId, Line>,
}

/// A desk is a trunk to its peers, and its numbers are phones at a fixed address.
fn directory(desk: SocketAddr, transport: Transport, numbers: &[Number]) -> Directory {
    let suffix = if transport.is_stream() {
        format!(";transport={}", transport.as_str())
    } else {
        String::new()
    };
    let contact = |number: &Number| format!("sip:{}@{desk}{suffix}", escaped(number.as_str()));
    Directory {
        accounts: BTreeMap::new(),
        trunks: vec![Trunk {
            id: TrunkId::from("desk"),
            sources: vec![desk],
            transport: None,
            profile: Profile::default(),
            upstream: None,
        }],
        fixed_phones: numbers.iter().map(|number| (number.clone(), contact(number))).collect(),
    }
}

/// `#` has a meaning of its own in a URI.
fn escaped(user: &str) -> String {
    user.replace('#', "%23")
}

/// What every endpoint of the world is set to, apart from its address.
#[must_use]
pub fn settings(at: SocketAddr, transports: &[Transport], product: &str) -> Settings {
    let listener = |transport: &Transport| Listener { transport: *transport, advertised: at };
    Settings {
        listeners: transports.iter().map(listener).collect(),
        hosts: Vec::new(),
        realm: "desk.example".to_owned(),
        product: product.to_owned(),
        min_expires_s: 30,
        max_expires_s: 7200,
        max_contacts: 2,
        digest: Offer::Both,
        session: SessionPolicy::default(),
        max_transactions: 10_000,
    }
}

/// What one user agent is set up to ask of others.
#[must_use]
pub fn session_drawn_from(rng: &mut Rng) -> SessionPolicy {
    let reliable = if rng.chance(500) { Reliable::WhenSupported } else { Reliable::WhenRequired };
    let expires_s = rng.chance(500).then_some(90);
    SessionPolicy { reliable, expires_s, ..SessionPolicy::default() }
}

/// Both clocks of a peer; people's clocks are right.
const fn now(mono: Mono) -> Now {
    Now { mono, wall: Wall(0) }
}

impl Peer {
    /// A user agent at `at` that knows the desk and its numbers.
    #[must_use]
    pub fn new(
        at: SocketAddr,
        transport: Transport,
        desk: SocketAddr,
        numbers: &[Number],
        mut rng: Rng,
    ) -> Self {
        let directory = directory(desk, transport, numbers);
        let session = session_drawn_from(&mut rng);
        let settings = Settings { session, ..settings(at, &[transport], "peer") };
        let endpoint = Endpoint::new(settings, directory, rng);
        Self { endpoint, transport, stream: 0, effects: Vec::new(), lines: BTreeMap::new() }
    }

    /// The stream to the desk is this one from now on.
    pub const fn connected(&mut self, stream: u64) {
        self.stream = stream;
    }

    /// The stream to the desk broke.
    pub fn disconnected(&mut self, desk: SocketAddr, at: Mono) {
        let flow = self.flow(desk);
        self.stream = 0;
        self.endpoint.flow_lost(flow, now(at), &mut self.effects);
    }

    const fn flow(&self, remote: SocketAddr) -> Flow {
        Flow { transport: self.transport, listener: 0, remote, connection: self.stream }
    }

    /// What the endpoint wants done, in order.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// When it must be woken.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        self.endpoint.next_deadline()
    }

    /// A datagram came.
    pub fn receive(&mut self, from: SocketAddr, message: Bytes, at: Mono) {
        let flow = self.flow(from);
        self.endpoint.receive(flow, message, false, now(at), &mut self.effects);
    }

    /// Time has passed.
    pub fn tick(&mut self, at: Mono) {
        self.endpoint.tick(now(at), &mut self.effects);
    }

    /// Calls a number of the desk. `ear` is where it listens.
    pub fn dial(
        &mut self,
        leg: LegId,
        to: &Number,
        who: (&str, &str),
        how: Describes,
        ear: SocketAddr,
        at: Mono,
    ) {
        let line = Self::line(ear);
        let sdp = match how {
            Describes::Well => Some(Bytes::from(line.local.offer())),
            Describes::Late => None,
            Describes::Video => Some(Bytes::from_static(VIDEO_ONLY)),
            Describes::Broken => Some(Bytes::from_static(BROKEN)),
        };
        self.lines.insert(leg, line);
        let shown = Shown {
            user: Private::new(who.0.to_owned()),
            name: Some(Private::new(who.1.to_owned())),
        };
        let dialled = self.endpoint.dial(leg, to, &shown, sdp, now(at), &mut self.effects);
        assert!(dialled.is_ok(), "the world must know the number {to}");
    }

    fn line(ear: SocketAddr) -> Line {
        let local = Local {
            ip: ear.ip(),
            port: ear.port(),
            session_id: u64::from(ear.port()),
            version: 1,
            codecs: vec![Codec::Pcmu, Codec::Pcma],
            direction: Direction::SendRecv,
            ptime_ms: 20,
            sealing: Sealing::Off,
            keys: None,
            fingerprint: None,
            mux: false,
            before: None,
        };
        Line { local, offered: None }
    }

    /// A call came in; it will listen at `ear`.
    pub fn take_call(&mut self, leg: LegId, offered: Option<Bytes>, ear: SocketAddr) {
        let mut line = Self::line(ear);
        line.offered = offered;
        self.lines.insert(leg, line);
    }

    /// 180, or 183 with a description.
    pub fn ring(&mut self, leg: LegId, early: bool, at: Mono) {
        let sdp = if early { self.describe(leg) } else { None };
        self.endpoint.ring(leg, sdp, now(at), &mut self.effects);
    }

    /// 200.
    pub fn pick_up(&mut self, leg: LegId, how: Describes, at: Mono) {
        let sdp = match how {
            Describes::Well | Describes::Late => self.describe(leg),
            Describes::Video => Some(Bytes::from_static(VIDEO_ONLY)),
            Describes::Broken => Some(Bytes::from_static(BROKEN)),
        };
        let sdp = sdp.unwrap_or_else(|| Bytes::from_static(BROKEN));
        self.endpoint.accept(leg, sdp, now(at), &mut self.effects);
    }

    /// Our side of a call that came in: the same words each time.
    fn describe(&self, leg: LegId) -> Option<Bytes> {
        let line = self.lines.get(&leg)?;
        let Some(offered) = &line.offered else { return Some(Bytes::from(line.local.offer())) };
        let offer = sdp::parse(offered).ok()?;
        line.local.answer(&offer).ok().map(|(answer, _)| Bytes::from(answer))
    }

    /// Says no.
    pub fn refuse(&mut self, leg: LegId, status: u16, at: Mono) {
        self.endpoint.refuse(leg, status, now(at), &mut self.effects);
    }

    /// CANCEL or BYE, as is due.
    pub fn hang_up(&mut self, leg: LegId, at: Mono) {
        self.endpoint.hang_up(leg, Why::Normal, now(at), &mut self.effects);
    }

    /// Asks the desk to pass the caller on.
    pub fn refer(&mut self, leg: LegId, to: &Number, at: Mono) {
        self.endpoint.refer(leg, to, now(at), &mut self.effects);
    }

    /// Puts the call on hold, or takes it back.
    pub fn hold(&mut self, leg: LegId, on: bool, at: Mono) {
        let Some(line) = self.lines.get_mut(&leg) else { return };
        line.local.direction = if on { Direction::SendOnly } else { Direction::SendRecv };
        line.local.version += 1;
        let offer = Bytes::from(line.local.offer());
        self.endpoint.offer(leg, Some(offer), now(at), &mut self.effects);
    }

    /// What a user agent does by itself: answers offers in 2xx and re-INVITE.
    pub fn negotiate(&mut self, leg: LegId, event: &LegEvent, late: bool, at: Mono) {
        let Some(line) = self.lines.get_mut(&leg) else { return };
        match event {
            LegEvent::Answered { sdp: Some(offer) } if late => {
                let answer = sdp::parse(offer).and_then(|offer| line.local.answer(&offer));
                let answer = answer.map_or_else(|_| Bytes::from_static(BROKEN), |(a, _)| a.into());
                self.endpoint.answer_in_ack(leg, answer, now(at), &mut self.effects);
            }
            LegEvent::Offer { sdp } => {
                line.local.version += 1;
                let answer = match sdp {
                    None => Ok(Bytes::from(line.local.offer())),
                    Some(offer) => sdp::parse(offer)
                        .and_then(|offer| line.local.answer(&offer))
                        .map(|(answer, _)| Bytes::from(answer))
                        .map_err(|why| why.status()),
                };
                self.endpoint.answer_offer(leg, answer, now(at), &mut self.effects);
            }
            LegEvent::Refused { .. } | LegEvent::Over(_) => {
                self.lines.remove(&leg);
            }
            LegEvent::Incoming(_)
            | LegEvent::Progress { .. }
            | LegEvent::Answered { .. }
            | LegEvent::Confirmed { .. }
            | LegEvent::OfferAnswered { .. }
            | LegEvent::Reason(_)
            | LegEvent::Refer(_)
            | LegEvent::ReferNews { .. }
            | LegEvent::Digit(_) => {}
        }
    }

    /// Where the leg listens.
    #[must_use]
    pub fn ear(&self, leg: LegId) -> Option<SocketAddr> {
        self.lines.get(&leg).map(|line| SocketAddr::new(line.local.ip, line.local.port))
    }
}
