//! What every leg needs from below: the transactions with their bytes, the timers, the random source,
//! and the way out. Knows no leg's rules; a leg hands it a message and is told what came of it.

use crate::base::{LegId, Mono, Now, Rng};
use crate::sip::HeaderName;
use crate::sip::Host;
use crate::sip::Writer;
use crate::sip::api::{Effect, Flow, LegEvent, Settings, Transport};
use crate::sip::dialog::{Place, Token, derived};
use crate::sip::transaction::timer::Alarm;
use crate::sip::transaction::{
    Client, Index, InviteClient, InviteServer, Keyer, Server, Timers, Wire, client, invite_client,
    invite_server, server,
};
use crate::sip::{Head, Method, Request, Response};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};

/// 2xx of different forks that one INVITE of ours acknowledges; more are not answered at all, so
/// their senders give up by themselves.
pub(in crate::sip) const MAX_FORKS: usize = 8;

/// Who is woken by a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sip) enum Holder {
    /// A server transaction.
    Server(u64),
    /// A client transaction.
    Client(u64),
    /// A leg.
    Leg(LegId),
}

/// What a request of ours was for, so that its answer finds the right question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sip) enum Purpose {
    /// The INVITE that begins a leg.
    Invite,
    /// A re-INVITE.
    Reinvite,
    /// BYE.
    Bye,
    /// CANCEL.
    Cancel,
}

/// What came of a request of ours.
#[derive(Debug)]
pub(in crate::sip) enum Outcome {
    /// A response.
    Response(Response),
    /// Nobody answered in 64·T1.
    TimedOut,
}

#[derive(Debug)]
enum Serving {
    Invite(InviteServer),
    Other(Server),
}

/// A request of a peer's.
#[derive(Debug)]
struct ServerTxn {
    machine: Serving,
    flow: Flow,
    /// The last response, for repetitions; empty once the leg repeats it itself.
    last: Bytes,
    free: bool,
    leg: LegId,
    merge: u64,
    alarm: Alarm,
}

#[derive(Debug)]
enum Asking {
    Invite(InviteClient),
    Other(Client),
}

/// A request of ours.
#[derive(Debug)]
struct ClientTxn {
    machine: Asking,
    flow: Flow,
    /// The request while it may be repeated or cancelled; the ACK to a failure after one came.
    bytes: Bytes,
    /// ACKs to 2xx, by the To tag of the fork: sent again when the 2xx comes again (§13.2.2.4).
    acks: Vec<(Box<str>, Flow, Bytes)>,
    leg: LegId,
    purpose: Purpose,
    /// Its leg is over: an INVITE that rings on for nobody is given up like a cancelled one.
    orphan: bool,
    alarm: Alarm,
}

/// Whom a server transaction's message concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sip) enum Match {
    /// Known and dealt with.
    Absorbed,
    /// An ACK with the INVITE's branch, to a 2xx: the leg's.
    ForLeg,
    /// No transaction.
    None,
}

/// See the module.
#[derive(Debug)]
pub(in crate::sip) struct Core {
    pub settings: Settings,
    places: Vec<Place>,
    /// For a flow of no listener of ours, which the rim does not hand in.
    nowhere: Place,
    pub rng: Rng,
    pub keyer: Keyer,
    pub timers: Timers<Holder>,
    servers: Index<Box<ServerTxn>>,
    clients: Index<Box<ClientTxn>>,
    /// INVITEs by From tag, Call-ID and `CSeq` (§8.2.2.2), each to its transaction.
    merged: Index<u64>,
    /// Legs by the stream they hang on, so that a lost connection finds them.
    streams: BTreeMap<Flow, BTreeSet<LegId>>,
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
            let (transport, suffix) = match listener.transport {
                Transport::Udp => ("UDP", ""),
                Transport::Tcp => ("TCP", ";transport=tcp"),
            };
            let sent_by = listener.advertised;
            Place { transport, sent_by, contact: format!("sip:desk@{sent_by}{suffix}").into() }
        });
        let nobody = std::net::SocketAddr::from(([127, 0, 0, 1], 5060));
        let nowhere =
            Place { transport: "UDP", sent_by: nobody, contact: "sip:desk@127.0.0.1".into() };
        Self {
            places: places.collect(),
            nowhere,
            keyer: Keyer::new(&mut rng),
            rng,
            timers: Timers::default(),
            servers: Index::default(),
            clients: Index::default(),
            merged: Index::default(),
            streams: BTreeMap::new(),
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

    /// Our name at the listener of `flow`.
    pub fn place(&self, flow: Flow) -> &Place {
        self.places.get(usize::from(flow.listener)).unwrap_or(&self.nowhere)
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
        let txn = self.servers.get(key)?;
        matches!(txn.machine, Serving::Invite(_)).then_some(txn.leg)
    }

    /// Notes that `leg` hangs on `flow`, when that is a stream, and no longer on `old`.
    pub fn follow(&mut self, leg: LegId, old: Option<Flow>, new: Option<Flow>) {
        if old == new {
            return;
        }
        if let Some(old) = old
            && let Some(legs) = self.streams.get_mut(&old)
        {
            legs.remove(&leg);
            if legs.is_empty() {
                self.streams.remove(&old);
            }
        }
        if let Some(new) = new.filter(|flow| flow.transport == Transport::Tcp) {
            self.streams.entry(new).or_default().insert(leg);
        }
    }

    /// The legs that hang on `flow`.
    pub fn followers(&self, flow: Flow) -> Vec<LegId> {
        self.streams.get(&flow).map(|legs| legs.iter().copied().collect()).unwrap_or_default()
    }
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

    /// A response with our Server header, to which the caller adds the rest.
    pub fn answer(&self, request: &Request, status: u16, tag: Token) -> Writer {
        let mut writer = Writer::answer(request, status, Some(&tag.to_string()));
        writer.header(&HeaderName::Server, &self.core.settings.product);
        writer
    }

    // ---- requests of peers -------------------------------------------------------------------

    /// Opens the transaction of an INVITE and says 100 Trying (§17.2.1).
    pub fn open_invite(&mut self, key: u64, merge: u64, leg: LegId, flow: Flow, request: &Request) {
        let trying = Writer::answer(request, 100, None).finish();
        let machine = Serving::Invite(InviteServer::Proceeding);
        self.open(key, merge, leg, flow, machine, trying.clone());
        self.send(flow, trying, true);
    }

    /// Opens the transaction of a request inside a leg. A re-INVITE is answered at once as a rule, so
    /// its 100 is kept for a repetition only (§17.2.1 asks for it after 200 ms).
    pub fn open_inside(&mut self, key: u64, leg: LegId, flow: Flow, request: &Request) {
        let (machine, last) = match request.method {
            Method::Invite => (
                Serving::Invite(InviteServer::Proceeding),
                Writer::answer(request, 100, None).finish(),
            ),
            _ => (Serving::Other(Server::Trying), Bytes::new()),
        };
        self.open(key, 0, leg, flow, machine, last);
    }

    fn open(
        &mut self,
        key: u64,
        merge: u64,
        leg: LegId,
        flow: Flow,
        machine: Serving,
        last: Bytes,
    ) {
        let alarm = Alarm::default();
        let txn = Box::new(ServerTxn { machine, flow, last, free: true, leg, merge, alarm });
        self.core.servers.insert(key, txn);
        if merge != 0 {
            self.core.merged.insert(merge, key);
        }
    }

    /// Answers the request under `key`. A response that the machine no longer wants is dropped.
    pub fn respond(&mut self, key: u64, status: u16, bytes: Bytes) {
        let now = self.now.mono;
        let Some(txn) = self.core.servers.get_mut(key) else { return };
        let wire = txn.flow.transport.into();
        let send = match &mut txn.machine {
            Serving::Invite(machine) => {
                let event = match status {
                    ..200 => invite_server::Event::Provisional,
                    200..300 => invite_server::Event::Success,
                    300.. => invite_server::Event::Failure,
                };
                !machine.handle(event, wire, now).is_empty()
            }
            Serving::Other(machine) => !machine.handle(server::Event::Final, wire, now).is_empty(),
        };
        if send {
            // The leg itself repeats a 2xx to an INVITE (§13.3.1.4).
            let kept = !matches!(txn.machine, Serving::Invite(InviteServer::Accepted { .. }));
            txn.last = if kept { bytes.clone() } else { Bytes::new() };
            txn.free = false;
            let flow = txn.flow;
            self.send(flow, bytes, false);
        }
        self.settle_server(key);
    }

    /// A request whose transaction may be known already: a repetition, or the ACK to a refusal.
    pub fn absorb(&mut self, key: u64, is_ack: bool) -> Match {
        let now = self.now.mono;
        let Some(txn) = self.core.servers.get_mut(key) else { return Match::None };
        let wire = txn.flow.transport.into();
        let (mut repeat, mut found) = (false, Match::Absorbed);
        match &mut txn.machine {
            Serving::Invite(machine) => {
                use invite_server::{Event, Todo};
                let event = if is_ack { Event::Ack } else { Event::Invite };
                for todo in machine.handle(event, wire, now) {
                    match todo {
                        Todo::Repeat => repeat = true,
                        Todo::Tell => found = Match::ForLeg,
                        Todo::Send => {}
                    }
                }
            }
            Serving::Other(machine) => {
                repeat = !machine.handle(server::Event::Request, wire, now).is_empty();
            }
        }
        if repeat && !txn.last.is_empty() {
            let (flow, last, free) = (txn.flow, txn.last.clone(), txn.free);
            self.send(flow, last, free);
        }
        self.settle_server(key);
        found
    }

    /// The connection of an INVITE that we have not answered is gone. Says the last provisional
    /// response again on a new connection to where its Via says it listens (§18.2.2): if nobody is
    /// there, we learn it now and not when an agent picks up. False when it is not being served.
    pub fn knock(&mut self, key: u64, flow: Flow) -> bool {
        let Some(txn) = self.core.servers.get_mut(key) else { return false };
        txn.flow = flow;
        let (last, free) = (txn.last.clone(), txn.free);
        self.send(flow, last, free);
        true
    }

    /// Forgets the transaction under `key`: nobody can be answered there any more.
    pub fn drop_server(&mut self, key: u64) {
        if let Some(txn) = self.core.servers.remove(key)
            && txn.merge != 0
        {
            self.core.merged.remove(txn.merge);
        }
    }

    fn settle_server(&mut self, key: u64) {
        let Some(txn) = self.core.servers.get_mut(key) else { return };
        let deadline = match txn.machine {
            Serving::Invite(InviteServer::Terminated) | Serving::Other(Server::Terminated) => {
                return self.drop_server(key);
            }
            Serving::Invite(machine) => machine.deadline(),
            Serving::Other(machine) => machine.deadline(),
        };
        self.core.timers.arm(&mut txn.alarm, Holder::Server(key), deadline);
    }

    /// The timer entry of `at` has come up.
    pub fn wake_server(&mut self, key: u64, at: Mono) {
        let now = self.now.mono;
        let Some(txn) = self.core.servers.get_mut(key) else { return };
        if !Timers::<Holder>::is_live(&mut txn.alarm, at) {
            return;
        }
        let wire = txn.flow.transport.into();
        let repeat = match &mut txn.machine {
            Serving::Invite(machine) => {
                !machine.handle(invite_server::Event::Tick, wire, now).is_empty()
            }
            Serving::Other(machine) => !machine.handle(server::Event::Tick, wire, now).is_empty(),
        };
        if repeat {
            let (flow, last, free) = (txn.flow, txn.last.clone(), txn.free);
            self.send(flow, last, free);
        }
        self.settle_server(key);
    }

    // ---- requests of ours --------------------------------------------------------------------

    /// A branch for a request; its transaction's key is the same number. The lowest bit is the
    /// CANCEL's, which shares its INVITE's branch (§9.1).
    pub fn branch(&mut self) -> Token {
        Token(self.core.rng.bits() & !1)
    }

    /// Sends a request of ours and watches over it.
    pub fn start(&mut self, branch: Token, leg: LegId, purpose: Purpose, flow: Flow, bytes: Bytes) {
        let now = self.now.mono;
        let wire = Wire::from(flow.transport);
        let (key, machine) = match purpose {
            Purpose::Invite | Purpose::Reinvite => {
                (branch.0, Asking::Invite(InviteClient::start(wire, now)))
            }
            Purpose::Bye => (branch.0, Asking::Other(Client::start(wire, now))),
            Purpose::Cancel => (branch.0 | 1, Asking::Other(Client::start(wire, now))),
        };
        let (acks, alarm) = (Vec::new(), Alarm::default());
        let (request, orphan) = (bytes.clone(), false);
        let txn = ClientTxn { machine, flow, bytes: request, acks, leg, purpose, orphan, alarm };
        self.core.clients.insert(key, Box::new(txn));
        self.settle_client(key);
        self.send(flow, bytes, false);
    }

    /// Cancels the INVITE under `branch` if a provisional response has come (§9.1). True when CANCEL
    /// went out, now or before, or is pointless; false when it has to wait.
    pub fn cancel(&mut self, branch: Token, reason: Option<&str>) -> bool {
        let now = self.now.mono;
        let Some(txn) = self.core.clients.get_mut(branch.0) else { return true };
        let Asking::Invite(machine) = &mut txn.machine else { return true };
        match machine {
            InviteClient::Calling { .. } => return false,
            InviteClient::Proceeding { cancelled_until: None } => {}
            _ => return true,
        }
        machine.handle(invite_client::Event::CancelSent, txn.flow.transport.into(), now);
        let (leg, flow) = (txn.leg, txn.flow);
        let writer = derived(&txn.bytes, &Method::Cancel, None);
        self.settle_client(branch.0);
        if let Some(mut writer) = writer {
            if let Some(reason) = reason {
                writer.header(&HeaderName::Reason, reason);
            }
            self.start(branch, leg, Purpose::Cancel, flow, writer.finish());
        }
        true
    }

    /// Nobody waits for the re-INVITE under `branch` any more; it may not ring for ever.
    pub fn orphan(&mut self, branch: Token) {
        let now = self.now.mono;
        let Some(txn) = self.core.clients.get_mut(branch.0) else { return };
        txn.orphan = true;
        if let Asking::Invite(machine) = &mut txn.machine {
            machine.handle(invite_client::Event::CancelSent, txn.flow.transport.into(), now);
        }
        self.settle_client(branch.0);
    }

    /// Sends the ACK to a 2xx and keeps it for the 2xx's repetitions.
    pub fn ack(&mut self, branch: Token, to_tag: &str, flow: Flow, bytes: Bytes) {
        if let Some(txn) = self.core.clients.get_mut(branch.0)
            && txn.acks.len() < MAX_FORKS
        {
            txn.acks.push((to_tag.into(), flow, bytes.clone()));
        }
        self.send(flow, bytes, false);
    }

    /// A response to one of ours. Hands back what the leg must hear; repetitions end here.
    pub fn answered(&mut self, response: Response) -> Option<(LegId, Purpose, Token, Outcome)> {
        let head = &response.head;
        // §17.1.3: our branch, and the method of the CSeq.
        let branch = head.via.modern_branch()?;
        let token = Token::parse(branch.get(crate::sip::via::COOKIE.len()..)?)?;
        let key = match head.cseq.method {
            Method::Cancel => token.0 | 1,
            _ => token.0,
        };
        let now = self.now.mono;
        let txn = self.core.clients.get_mut(key)?;
        let wire = txn.flow.transport.into();
        let method = match txn.purpose {
            Purpose::Invite | Purpose::Reinvite => Method::Invite,
            Purpose::Bye => Method::Bye,
            Purpose::Cancel => Method::Cancel,
        };
        if head.cseq.method != method {
            return None;
        }
        let mut tell = false;
        let mut again = None;
        match &mut txn.machine {
            Asking::Invite(machine) => {
                use invite_client::{Event, Todo};
                let event = match response.status {
                    ..200 => Event::Provisional,
                    200..300 => Event::Success,
                    300.. => Event::Failure,
                };
                // A 2xx that we have acknowledged comes again: so does its ACK (§13.2.2.4).
                let tag = head.to.tag().unwrap_or_default();
                let known = match event {
                    Event::Success => txn.acks.iter().find(|(had, ..)| **had == *tag),
                    _ => None,
                };
                if let Some((_, flow, bytes)) = known {
                    again = Some((*flow, bytes.clone()));
                } else {
                    for todo in machine.handle(event, wire, now) {
                        match todo {
                            Todo::Ack => {
                                if let Some(to) = head.headers.get(&HeaderName::To)
                                    && let Some(writer) =
                                        derived(&txn.bytes, &Method::Ack, Some(to))
                                {
                                    txn.bytes = writer.finish();
                                }
                                // From the second time on the bytes are the ACK already.
                                again = Some((txn.flow, txn.bytes.clone()));
                            }
                            Todo::Tell => tell = true,
                            Todo::Repeat | Todo::TimedOut | Todo::Failed => {}
                        }
                    }
                    if event == Event::Provisional && txn.orphan {
                        machine.handle(Event::CancelSent, wire, now);
                    }
                    if event == Event::Success {
                        txn.bytes = Bytes::new();
                        tell &= txn.acks.len() < MAX_FORKS;
                    }
                }
            }
            Asking::Other(machine) => {
                use client::{Event, Todo};
                let event = if response.status < 200 { Event::Provisional } else { Event::Final };
                tell = machine.handle(event, wire, now).contains(&Todo::Tell);
                if event == Event::Final {
                    txn.bytes = Bytes::new();
                }
            }
        }
        let (leg, purpose) = (txn.leg, txn.purpose);
        let free = !matches!(response.status, 200..300);
        self.settle_client(key);
        if let Some((flow, bytes)) = again {
            self.send(flow, bytes, free); // an ACK to a failure tells the peer nothing new
        }
        tell.then_some((leg, purpose, Token(key & !1), Outcome::Response(response)))
    }

    /// The request under `branch` could not be sent. True when that ended it.
    pub fn fail_client(&mut self, branch: Token) -> Option<(LegId, Purpose)> {
        let now = self.now.mono;
        let txn = self.core.clients.get_mut(branch.0)?;
        let wire = txn.flow.transport.into();
        let failed = match &mut txn.machine {
            Asking::Invite(machine) => machine
                .handle(invite_client::Event::Unsendable, wire, now)
                .contains(&invite_client::Todo::Failed),
            Asking::Other(machine) => {
                machine.handle(client::Event::Unsendable, wire, now).contains(&client::Todo::Failed)
            }
        };
        let whom = (txn.leg, txn.purpose);
        self.settle_client(branch.0);
        failed.then_some(whom)
    }

    /// Whether the INVITE under `branch` still waits for its first response.
    pub fn is_unheard(&self, branch: Token) -> bool {
        self.core
            .clients
            .get(branch.0)
            .is_some_and(|txn| matches!(txn.machine, Asking::Invite(InviteClient::Calling { .. })))
    }

    /// The way the request under `branch` went.
    pub fn flow_of(&self, branch: Token) -> Option<Flow> {
        self.core.clients.get(branch.0).map(|txn| txn.flow)
    }

    /// The connection of the request under `branch` is gone; what is still to be sent for it goes by
    /// `flow`.
    pub fn reroute(&mut self, branch: Token, flow: Flow) {
        if let Some(txn) = self.core.clients.get_mut(branch.0) {
            txn.flow = flow;
        }
    }

    fn settle_client(&mut self, key: u64) {
        let Some(txn) = self.core.clients.get_mut(key) else { return };
        let deadline = match txn.machine {
            Asking::Invite(InviteClient::Terminated) | Asking::Other(Client::Terminated) => {
                self.core.clients.remove(key);
                return;
            }
            Asking::Invite(machine) => machine.deadline(),
            Asking::Other(machine) => machine.deadline(),
        };
        self.core.timers.arm(&mut txn.alarm, Holder::Client(key), deadline);
    }

    /// The timer entry of `at` has come up; hands back what the leg must hear.
    pub fn wake_client(&mut self, key: u64, at: Mono) -> Option<(LegId, Purpose, Token)> {
        let now = self.now.mono;
        let txn = self.core.clients.get_mut(key)?;
        if !Timers::<Holder>::is_live(&mut txn.alarm, at) {
            return None;
        }
        let wire = txn.flow.transport.into();
        let (mut repeat, mut timed_out) = (false, false);
        match &mut txn.machine {
            Asking::Invite(machine) => {
                for todo in machine.handle(invite_client::Event::Tick, wire, now) {
                    repeat |= *todo == invite_client::Todo::Repeat;
                    timed_out |= *todo == invite_client::Todo::TimedOut;
                }
            }
            Asking::Other(machine) => {
                for todo in machine.handle(client::Event::Tick, wire, now) {
                    repeat |= *todo == client::Todo::Repeat;
                    timed_out |= *todo == client::Todo::TimedOut;
                }
            }
        }
        let (leg, purpose, flow, bytes) = (txn.leg, txn.purpose, txn.flow, txn.bytes.clone());
        if repeat {
            self.send(flow, bytes, false);
        }
        self.settle_client(key);
        timed_out.then_some((leg, purpose, Token(key & !1)))
    }
}
