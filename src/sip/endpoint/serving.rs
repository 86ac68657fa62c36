//! Requests of peers: their transactions with the last response, so that a repetition is answered and
//! not obeyed twice.

use super::core::{Cx, Holder};
use crate::base::{LegId, Mono};
use crate::sip::api::{Flow, Transport};
use crate::sip::transaction::timer::Alarm;
use crate::sip::transaction::{InviteServer, Server, Timers, invite_server, server};
use crate::sip::{HeaderName, Method, Request, Writer};
use bytes::Bytes;

#[derive(Debug)]
enum Serving {
    Invite(InviteServer),
    Other(Server),
}

/// A request of a peer's.
#[derive(Debug)]
pub(in crate::sip) struct ServerTxn {
    machine: Serving,
    flow: Flow,
    /// The last response, for repetitions; empty once the leg repeats it itself.
    last: Bytes,
    free: bool,
    leg: LegId,
    merge: u64,
    alarm: Alarm,
}

impl ServerTxn {
    /// Whose INVITE it is, if it is one.
    pub fn invite_leg(&self) -> Option<LegId> {
        matches!(self.machine, Serving::Invite(_)).then_some(self.leg)
    }
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

impl Cx<'_> {
    /// Opens the transaction of an INVITE and says 100 Trying (§17.2.1).
    pub fn open_invite(&mut self, key: u64, merge: u64, leg: LegId, flow: Flow, request: &Request) {
        let trying = trying(request);
        let machine = Serving::Invite(InviteServer::Proceeding);
        self.open(key, merge, leg, flow, machine, trying.clone());
        self.send(flow, trying, true);
    }

    /// Opens the transaction of a request inside a leg. A re-INVITE is answered at once as a rule, so
    /// its 100 is kept for a repetition only (§17.2.1 asks for it after 200 ms).
    pub fn open_inside(&mut self, key: u64, leg: LegId, flow: Flow, request: &Request) {
        let (machine, last) = match request.method {
            Method::Invite => (Serving::Invite(InviteServer::Proceeding), trying(request)),
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
            txn.last = if kept { exact(&bytes) } else { Bytes::new() };
            txn.free = false;
            let flow = txn.flow;
            self.send(flow, bytes, false);
        }
        self.settle_server(key);
    }

    /// A request whose transaction may be known already: a repetition, which came by this flow, or (none) the
    /// ACK to a refusal.
    pub fn absorb(&mut self, key: u64, repeated: Option<Flow>) -> Match {
        let now = self.now.mono;
        let Some(txn) = self.core.servers.get_mut(key) else { return Match::None };
        let wire = txn.flow.transport.into();
        let (mut repeat, mut found) = (false, Match::Absorbed);
        match &mut txn.machine {
            Serving::Invite(machine) => {
                use invite_server::{Event, Todo};
                let event = if repeated.is_some() { Event::Invite } else { Event::Ack };
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
            // Where the repetition came from: a copy that somebody else sent first must not keep the answer
            // from the peer (RFC 3581 §4 takes the source of each request, too).
            let datagram =
                |it: &Flow| it.transport == Transport::Udp && txn.flow.transport == it.transport;
            let flow = repeated.filter(datagram).unwrap_or(txn.flow);
            let (last, free) = (txn.last.clone(), txn.free);
            self.send(flow, last, free);
        }
        self.settle_server(key);
        found
    }

    /// The peer of the request under `key` has another connection: our answer goes there.
    pub fn reroute_answer(&mut self, key: u64, flow: Flow) {
        if let Some(txn) = self.core.servers.get_mut(key) {
            txn.flow = flow;
        }
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
}

/// 100 Trying, which hands a Timestamp back (§8.2.6.1).
fn trying(request: &Request) -> Bytes {
    let mut writer = Writer::answer(request, 100, None);
    if let Some(stamp) = request.head.headers.get(&HeaderName::Timestamp) {
        writer.header_bytes(&HeaderName::Timestamp, stamp);
    }
    writer.finish()
}

/// A copy without the room that was left for writing: it may be kept for half a minute.
pub(super) fn exact(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}
