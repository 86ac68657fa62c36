//! What every leg needs from below: the transactions with their bytes, the timers, the random source,
//! and the way out. Knows no leg's rules; a leg hands it a message and is told what came of it.

use super::asking::ClientTxn;
use super::large::Large;
use super::serving::ServerTxn;
use crate::base::{LegId, Now, Rng};
use crate::sip::api::{Effect, Flow, LegEvent, Settings, Transport};
use crate::sip::dialog::{Place, Token, via};
use crate::sip::registrar::Knock;
use crate::sip::subscription::WatchId;
use crate::sip::table::{Index, Keyer};
use crate::sip::transaction::Timers;
use crate::sip::{Head, HeaderName, Host, Method, Request, Writer};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Who is woken by a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sip) enum Holder {
    /// A server transaction.
    Server(u64),
    /// A client transaction.
    Client(u64),
    /// A leg.
    Leg(LegId),
    /// A subscription.
    Watch(WatchId),
    /// A referral whose call is over.
    Orphan(LegId),
}

/// How a carrier's server failed a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sip) enum Failing {
    /// It said nothing.
    Silent,
    /// It had no room for this call (503).
    Busy,
}

/// See the module.
#[derive(Debug)]
pub(in crate::sip) struct Core {
    pub settings: Settings,
    places: Vec<Place>,
    /// The same for peers that want no `rport`.
    quiet: Vec<Place>,
    quiet_to: BTreeSet<IpAddr>,
    /// For a flow of no listener of ours, which the rim does not hand in.
    nowhere: Place,
    pub rng: Rng,
    pub keyer: Keyer,
    pub timers: Timers<Holder>,
    pub servers: Index<Box<ServerTxn>>,
    pub clients: Index<Box<ClientTxn>>,
    /// INVITEs by From tag, Call-ID and `CSeq` (§8.2.2.2), each to its transaction.
    pub merged: Index<u64>,
    /// Carriers' servers that could not serve a call; taken up at the end of the leg's step.
    pub failing: Vec<(std::net::SocketAddr, Failing)>,
    /// Legs by the stream they hang on, so that a lost connection finds them.
    streams: BTreeMap<Flow, BTreeSet<LegId>>,
    pub large: Large,
}

/// The core with the time and the way out, for the length of one input.
pub(in crate::sip) struct Cx<'a> {
    pub core: &'a mut Core,
    pub now: Now,
    pub out: &'a mut Vec<Effect>,
}

impl Core {
    pub fn new(settings: Settings, mut rng: Rng) -> Self {
        let places = settings.listeners.iter().map(|listener| {
            let sent_by = listener.advertised;
            let contact = contact(listener.transport, sent_by);
            Place { transport: listener.transport.in_via(), sent_by, contact, rport: true }
        });
        let nobody = std::net::SocketAddr::from(([127, 0, 0, 1], 5060));
        let nowhere = Place {
            transport: "UDP",
            sent_by: nobody,
            contact: "sip:desk@127.0.0.1".into(),
            rport: true,
        };
        let places: Vec<Place> = places.collect();
        let quiet = places.iter().map(|place| Place { rport: false, ..place.clone() }).collect();
        Self {
            places,
            quiet,
            quiet_to: BTreeSet::new(),
            nowhere,
            keyer: Keyer::new(&mut rng),
            rng,
            timers: Timers::default(),
            servers: Index::default(),
            clients: Index::default(),
            merged: Index::default(),
            failing: Vec::new(),
            streams: BTreeMap::new(),
            large: Large::default(),
            settings,
        }
    }

    /// Server and client transactions held.
    pub fn transactions(&self) -> (usize, usize) {
        (self.servers.len(), self.clients.len())
    }

    /// Streams that legs hang on.
    pub fn streams(&self) -> usize {
        self.streams.len()
    }

    /// Whether the table has no room for one more request that begins something.
    pub fn is_full(&self) -> bool {
        self.servers.len().saturating_add(self.clients.len()) >= self.settings.max_transactions
    }

    /// Whether there is no room for a request inside a call either. Calls that stand get as much room
    /// again as those that begin.
    pub fn is_crammed(&self) -> bool {
        let held = self.servers.len().saturating_add(self.clients.len());
        held >= self.settings.max_transactions.saturating_mul(2)
    }

    /// Our name at the listener of `flow`.
    pub fn place(&self, flow: Flow) -> &Place {
        let places =
            if self.quiet_to.contains(&flow.remote.ip()) { &self.quiet } else { &self.places };
        places.get(usize::from(flow.listener)).unwrap_or(&self.nowhere)
    }

    /// The peers that want no `rport` in our Via.
    pub fn set_quiet(&mut self, peers: impl Iterator<Item = IpAddr>) {
        self.quiet_to = peers.collect();
    }

    /// These want none either.
    pub fn be_quiet(&mut self, peers: impl Iterator<Item = IpAddr>) {
        self.quiet_to.extend(peers);
    }

    /// A key for the transaction that `request` belongs to (§17.2.3): branch, sent-by and method, ACK
    /// and CANCEL counting as their INVITE when `as_invite`. A peer without a modern branch is
    /// matched by what RFC 2543 had.
    pub fn server_key(&self, request: &Request, as_invite: bool) -> u64 {
        let head = &request.head;
        let via = &head.via;
        let method = if as_invite { "INVITE" } else { request.method.as_str() };
        let port = via.port.unwrap_or(5060).to_be_bytes();
        let (four, six);
        let host: &[u8] = match &via.host {
            Host::Name(name) => name.as_bytes(),
            Host::V4(address) => {
                four = address.octets();
                &four
            }
            Host::V6(address) => {
                six = address.octets();
                &six
            }
        };
        match via.modern_branch() {
            Some(branch) => self.keyer.key(&[branch.as_bytes(), host, &port, method.as_bytes()]),
            None => self.keyer.key(&[
                via.branch().unwrap_or_default().as_bytes(),
                host,
                &port,
                method.as_bytes(),
                request.uri.to_string().as_bytes(),
                head.from.tag().unwrap_or_default().as_bytes(),
                head.call_id.as_bytes(),
                &head.cseq.number.to_be_bytes(),
            ]),
        }
    }

    /// What two copies of one INVITE that came by different ways have in common (§8.2.2.2).
    pub fn merge_key(&self, head: &Head) -> u64 {
        self.keyer.key(&[
            b"merged",
            head.from.tag().unwrap_or_default().as_bytes(),
            head.call_id.as_bytes(),
            &head.cseq.number.to_be_bytes(),
        ])
    }

    /// Whether an INVITE with this merge key is being served under another transaction.
    pub fn is_merged(&self, merge: u64) -> bool {
        self.merged.contains(merge)
    }

    /// The leg whose INVITE the CANCEL or ACK under `key` means.
    pub fn invite_leg(&self, key: u64) -> Option<LegId> {
        self.servers.get(key).and_then(|txn| txn.invite_leg())
    }

    /// Notes that `leg` hangs on `new`, as far as those are streams, and no longer on `old`.
    pub fn follow(&mut self, leg: LegId, old: &[Option<Flow>], new: &[Option<Flow>]) {
        if old == new {
            return;
        }
        for old in old.iter().flatten() {
            if let Some(legs) = self.streams.get_mut(old) {
                legs.remove(&leg);
                if legs.is_empty() {
                    self.streams.remove(old);
                }
            }
        }
        for new in new.iter().flatten().filter(|flow| flow.transport.is_stream()) {
            self.streams.entry(*new).or_default().insert(leg);
        }
    }

    /// The legs that hang on `flow`.
    pub fn followers(&self, flow: Flow) -> Vec<LegId> {
        self.streams.get(&flow).map(|legs| legs.iter().copied().collect()).unwrap_or_default()
    }
}

/// Our Contact at a listener. `transport=tls` was deprecated (RFC 3261 §26.2.2) in favour of `sips:`,
/// which asks for TLS on every hop of the call and which softphones refuse or misread (RFC 5630 §3.3 tells
/// the story); what they all understand is `transport=tls`.
fn contact(transport: Transport, at: std::net::SocketAddr) -> Box<str> {
    match transport {
        Transport::Udp => format!("sip:desk@{at}"),
        Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => {
            format!("sip:desk@{at};transport={}", transport.as_str())
        }
    }
    .into_boxed_str()
}

impl Cx<'_> {
    pub fn send(&mut self, flow: Flow, bytes: Bytes, free: bool) {
        self.out.push(Effect::Send { flow, bytes, free });
    }

    pub fn tell(&mut self, leg: LegId, event: LegEvent) {
        self.out.push(Effect::Leg { leg, event });
    }

    /// A random word of ours.
    pub fn token(&mut self) -> Token {
        Token(self.core.rng.bits())
    }

    /// An OPTIONS that keeps a phone's NAT open, and wants nothing to be remembered: whatever answer
    /// comes has done its work by coming.
    pub fn knock_at(&mut self, knock: &Knock) {
        let (branch, tag, call) = (self.token(), self.token(), self.token());
        let place = self.core.place(knock.flow);
        let mut writer = Writer::request(&Method::Options, &knock.uri);
        via(&mut writer, place, branch);
        writer
            .header(&HeaderName::MaxForwards, 70)
            .header(&HeaderName::From, format_args!("<sip:desk@{}>;tag={tag}", place.sent_by))
            .header(&HeaderName::To, format_args!("<{}>", knock.uri))
            .call_id(&format!("{call}"))
            .cseq(1, &Method::Options);
        writer.header(&HeaderName::UserAgent, &self.core.settings.product);
        let bytes = writer.finish();
        self.send(knock.flow, bytes, true);
    }

    /// A response with our Server header, to which the caller adds the rest.
    pub fn answer(&self, request: &Request, status: u16, tag: Token) -> Writer {
        let mut writer = Writer::answer(request, status, Some(&tag.to_string()));
        writer.header(&HeaderName::Server, &self.core.settings.product);
        writer
    }
}
