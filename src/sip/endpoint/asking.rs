//! Requests of ours: their transactions, what still has to be sent for them, and what whoever asked
//! must hear of them.

use super::core::{Cx, Holder};
use super::serving::exact;
use crate::base::{LegId, Mono};
use crate::sip::api::Flow;
use crate::sip::dialog::{Token, credentials, derived};
use crate::sip::subscription::WatchId;
use crate::sip::transaction::timer::Alarm;
use crate::sip::transaction::{Client, InviteClient, Timers, Wire, client, invite_client};
use crate::sip::trunk::line::LineId;
use crate::sip::{Head, HeaderName, Method, Response};
use bytes::Bytes;

/// 2xx of different forks that one INVITE of ours acknowledges; more are not answered at all, so
/// their senders give up by themselves.
pub(in crate::sip) const MAX_FORKS: usize = 8;

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
    /// PRACK.
    Prack,
    /// UPDATE.
    Update,
    /// NOTIFY.
    Notify,
    /// A line's REGISTER.
    Register,
    /// A line's OPTIONS.
    Ping,
    /// REFER.
    Refer,
    /// INFO.
    Info,
}

/// Whose request it is, and so who hears what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sip) enum Whose {
    /// A leg's.
    Leg(LegId),
    /// A subscription's.
    Watch(WatchId),
    /// A trunk's.
    Line(LineId),
}

impl From<LegId> for Whose {
    fn from(leg: LegId) -> Self {
        Self::Leg(leg)
    }
}

impl From<WatchId> for Whose {
    fn from(watch: WatchId) -> Self {
        Self::Watch(watch)
    }
}

impl From<LineId> for Whose {
    fn from(line: LineId) -> Self {
        Self::Line(line)
    }
}

/// What came of a request of ours.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // lives for one input, on the stack
pub(in crate::sip) enum Outcome {
    /// A response.
    Response(Response),
    /// Nobody answered in 64·T1.
    TimedOut,
}

/// A response that must be heard of.
#[derive(Debug)]
pub(in crate::sip) struct Heard {
    pub whose: Whose,
    pub purpose: Purpose,
    /// The request's.
    pub branch: Token,
    pub outcome: Outcome,
    /// The request itself, when it asks who we are (401, 407).
    pub challenged: Option<Bytes>,
}

#[derive(Debug)]
enum Asking {
    Invite(InviteClient),
    Other(Client),
}

/// A request of ours.
#[derive(Debug)]
pub(in crate::sip) struct ClientTxn {
    machine: Asking,
    flow: Flow,
    /// The request while it may be repeated or cancelled; the ACK to a failure after one came.
    bytes: Bytes,
    /// The datagram that it would have been, had it not been too long for one.
    datagram: Option<Box<(Flow, Bytes)>>,
    /// ACKs to 2xx, by the To tag of the fork: sent again when the 2xx comes again (§13.2.2.4).
    acks: Vec<(Box<str>, Flow, Bytes)>,
    /// The `CSeq` of the last PRACK in the early dialog of each fork, by its To tag: what is said to a fork that
    /// answers when it is not wanted any more goes on from there (§12.2.1.1).
    pracks: Vec<(Box<str>, u32)>,
    /// What an INVITE that was answered by 2xx proved: so does its ACK (§22.1).
    credentials: Vec<(HeaderName, Box<[u8]>)>,
    whose: Whose,
    purpose: Purpose,
    /// Its leg is over: an INVITE that rings on for nobody is given up like a cancelled one.
    orphan: bool,
    alarm: Alarm,
}

/// The key of the transaction that a response belongs to: our branch, and the method of the `CSeq`
/// (§17.1.3).
fn client_key(head: &Head) -> Option<u64> {
    let branch = head.via.modern_branch()?;
    let token = Token::parse(branch.get(crate::sip::via::COOKIE.len()..)?)?;
    Some(match head.cseq.method {
        Method::Cancel => token.0 | 1,
        _ => token.0,
    })
}

impl Cx<'_> {
    /// A branch for a request; its transaction's key is the same number. The lowest bit is the
    /// CANCEL's, which shares its INVITE's branch (§9.1).
    pub fn branch(&mut self) -> Token {
        Token(self.core.rng.bits() & !1)
    }

    /// Sends a request of ours and watches over it.
    pub fn start(
        &mut self,
        branch: Token,
        whose: impl Into<Whose>,
        purpose: Purpose,
        flow: Flow,
        bytes: Bytes,
    ) {
        let now = self.now.mono;
        let (flow, bytes, datagram) = match self.by_stream(flow, &bytes) {
            Some((by, readdressed)) => (by, readdressed, Some(Box::new((flow, bytes)))),
            None => (flow, bytes, None),
        };
        let wire = Wire::from(flow.transport);
        let (key, machine) = match purpose {
            Purpose::Invite | Purpose::Reinvite => {
                (branch.0, Asking::Invite(InviteClient::start(wire, now)))
            }
            Purpose::Bye
            | Purpose::Prack
            | Purpose::Update
            | Purpose::Notify
            | Purpose::Register
            | Purpose::Refer
            | Purpose::Info
            | Purpose::Ping => (branch.0, Asking::Other(Client::start(wire, now))),
            Purpose::Cancel => (branch.0 | 1, Asking::Other(Client::start(wire, now))),
        };
        let (acks, alarm, whose) = (Vec::new(), Alarm::default(), whose.into());
        let (request, orphan) = (bytes.clone(), false);
        if datagram.is_some() {
            self.core.large.note(flow.remote, key);
        }
        let txn = ClientTxn {
            machine,
            flow,
            bytes: request,
            datagram,
            acks,
            pracks: Vec::new(),
            credentials: Vec::new(),
            whose,
            purpose,
            orphan,
            alarm,
        };
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
        self.settle_client(branch.0);
        self.say_cancel(branch, reason);
        true
    }

    /// The peer of an INVITE that was cancelled, or given up, is on another connection: CANCEL goes there, under
    /// the same branch and in place of the one before.
    pub fn cancel_again(&mut self, branch: Token, reason: Option<&str>) {
        let Some(txn) = self.core.clients.get(branch.0) else { return };
        // §9.1: not before its time, and not after the final answer.
        if let Asking::Invite(InviteClient::Proceeding { cancelled_until: Some(_) }) = txn.machine {
            self.say_cancel(branch, reason);
        }
    }

    fn say_cancel(&mut self, branch: Token, reason: Option<&str>) {
        let Some(txn) = self.core.clients.get(branch.0) else { return };
        let (whose, flow) = (txn.whose, txn.flow);
        let Some(mut writer) = derived(&txn.bytes, &Method::Cancel, None) else { return };
        if let Some(reason) = reason {
            writer.header(&HeaderName::Reason, reason);
        }
        self.start(branch, whose, Purpose::Cancel, flow, writer.finish());
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

    /// Nobody waits any longer for the first word about the INVITE under `branch`: it is sent no more.
    pub fn give_up(&mut self, branch: Token) {
        let now = self.now.mono;
        let Some(txn) = self.core.clients.get_mut(branch.0) else { return };
        if let Asking::Invite(machine) = &mut txn.machine {
            machine.handle(invite_client::Event::GiveUp, txn.flow.transport.into(), now);
        }
        self.settle_client(branch.0);
    }

    /// Sends the ACK to a 2xx and keeps it for the 2xx's repetitions.
    pub fn ack(&mut self, branch: Token, to_tag: &str, flow: Flow, bytes: Bytes) {
        if let Some(txn) = self.core.clients.get_mut(branch.0)
            && txn.acks.len() < MAX_FORKS
        {
            txn.acks.push((to_tag.into(), flow, exact(&bytes)));
        }
        self.send(flow, bytes, false);
    }

    /// The early dialog of the fork `to_tag` of the INVITE under `branch` has used `seq` for a PRACK.
    pub fn pracked(&mut self, branch: Token, to_tag: &str, seq: u32) {
        let Some(txn) = self.core.clients.get_mut(branch.0) else { return };
        if let Some((_, last)) = txn.pracks.iter_mut().find(|(had, _)| **had == *to_tag) {
            *last = seq;
        } else if txn.pracks.len() < MAX_FORKS {
            txn.pracks.push((to_tag.into(), seq));
        }
    }

    /// What the early dialog of that fork used last; none when it was asked nothing.
    pub fn last_prack(&self, branch: Token, to_tag: &str) -> Option<u32> {
        let txn = self.core.clients.get(branch.0)?;
        txn.pracks.iter().find(|(had, _)| **had == *to_tag).map(|(_, seq)| *seq)
    }

    /// A response to one of ours, which came by `flow`; what its leg says now goes by `home`. Hands back what must be
    /// heard of it; repetitions end here.
    pub fn answered(
        &mut self,
        flow: Flow,
        home: Option<Flow>,
        response: Response,
    ) -> Option<Heard> {
        let head = &response.head;
        // §8.1.3.3: more than one Via means that it is somebody else's.
        if head.headers.all(&HeaderName::Via).nth(1).is_some() {
            return None;
        }
        let key = client_key(head)?;
        let now = self.now.mono;
        let txn = self.core.clients.get_mut(key)?;
        let wire = txn.flow.transport.into();
        let method = match txn.purpose {
            Purpose::Invite | Purpose::Reinvite => Method::Invite,
            Purpose::Bye => Method::Bye,
            Purpose::Cancel => Method::Cancel,
            Purpose::Prack => Method::Prack,
            Purpose::Notify => Method::Notify,
            Purpose::Update => Method::Update,
            Purpose::Register => Method::Register,
            Purpose::Ping => Method::Options,
            Purpose::Refer => Method::Refer,
            Purpose::Info => Method::Info,
        };
        if head.cseq.method != method {
            return None;
        }
        let (mut tell, mut cancel) = (false, false);
        let challenged = matches!(response.status, 401 | 407).then(|| txn.bytes.clone());
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
                    Event::Success => txn.acks.iter_mut().find(|(had, ..)| **had == *tag),
                    _ => None,
                };
                if let Some((_, way, bytes)) = known {
                    // The connection that the ACK went by may be gone: there is another from the same place, or
                    // where the phone has registered since.
                    if flow.transport == way.transport
                        && flow.transport.is_stream()
                        && (flow.remote.ip() == way.remote.ip() || home == Some(flow))
                    {
                        *way = flow;
                    }
                    again = Some((*way, bytes.clone()));
                } else {
                    for todo in machine.handle(event, wire, now) {
                        match todo {
                            Todo::Ack => {
                                if let Some(to) = head.headers.get(&HeaderName::To)
                                    && let Some(writer) =
                                        derived(&txn.bytes, &Method::Ack, Some(to))
                                {
                                    txn.bytes = exact(&writer.finish());
                                }
                                // From the second time on the bytes are the ACK already.
                                again = Some((txn.flow, txn.bytes.clone()));
                            }
                            Todo::Tell => tell = true,
                            Todo::Cancel => cancel = true,
                            Todo::Repeat | Todo::TimedOut | Todo::Failed => {}
                        }
                    }
                    if event == Event::Provisional && txn.orphan {
                        machine.handle(Event::CancelSent, wire, now);
                    }
                    // A 2xx after a failure is nobody's: the failure's ACK is still to be repeated.
                    if event == Event::Success && tell {
                        if txn.acks.is_empty() && !txn.bytes.is_empty() {
                            txn.credentials = credentials(&txn.bytes);
                        }
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
        let (whose, purpose) = (txn.whose, txn.purpose);
        let free = !matches!(response.status, 200..300);
        let cancel = cancel.then(|| (txn.flow, derived(&txn.bytes, &Method::Cancel, None)));
        self.settle_client(key);
        if let Some((flow, Some(writer))) = cancel {
            self.start(Token(key), whose, Purpose::Cancel, flow, writer.finish());
        }
        if let Some((flow, bytes)) = again {
            self.send(flow, bytes, free); // an ACK to a failure tells the peer nothing new
        }
        let (branch, outcome) = (Token(key & !1), Outcome::Response(response));
        tell.then_some(Heard { whose, purpose, branch, outcome, challenged })
    }

    /// The request under `branch` could not be sent. True when that ended it.
    pub fn fail_client(&mut self, branch: Token) -> Option<(Whose, Purpose)> {
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
        let whom = (txn.whose, txn.purpose);
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

    /// Whether the INVITE under `branch` has provisional responses and no other.
    pub fn rings(&self, branch: Token) -> bool {
        self.core.clients.get(branch.0).is_some_and(|txn| {
            matches!(txn.machine, Asking::Invite(InviteClient::Proceeding { .. }))
        })
    }

    /// Whose request `head` answers, by its branch.
    pub fn asker(&self, head: &Head) -> Option<Whose> {
        self.core.clients.get(client_key(head)?).map(|txn| txn.whose)
    }

    /// What the INVITE under `branch` proved.
    pub fn credentials_of(&self, branch: Token) -> &[(HeaderName, Box<[u8]>)] {
        self.core.clients.get(branch.0).map_or(&[], |txn| &txn.credentials)
    }

    /// The way the request under `branch` went.
    pub fn flow_of(&self, branch: Token) -> Option<Flow> {
        self.core.clients.get(branch.0).map(|txn| txn.flow)
    }

    /// The connection of the request under `branch` is gone, or its peer has left it; what is still to be sent for it goes by
    /// `flow`.
    pub fn reroute(&mut self, branch: Token, flow: Flow) {
        if let Some(txn) = self.core.clients.get_mut(branch.0) {
            txn.flow = flow;
        }
    }

    /// The INVITE under `branch` goes once more, by the way that it has now, if nothing was heard of it.
    pub fn repeat_unheard(&mut self, branch: Token) {
        if self.is_unheard(branch)
            && let Some(txn) = self.core.clients.get(branch.0)
        {
            let (flow, bytes) = (txn.flow, txn.bytes.clone());
            self.send(flow, bytes, false);
        }
    }

    /// The request under `key` could not go by TCP: it goes as a datagram, unless something was heard of
    /// it already.
    pub fn send_as_datagram(&mut self, key: u64) {
        let now = self.now.mono;
        let Some(txn) = self.core.clients.get_mut(key) else { return };
        let Some((flow, bytes)) = txn.datagram.take().map(|datagram| *datagram) else { return };
        let wire = Wire::from(flow.transport);
        txn.machine = match &txn.machine {
            Asking::Invite(InviteClient::Calling { .. }) => {
                Asking::Invite(InviteClient::start(wire, now))
            }
            Asking::Other(Client::Trying { .. }) => Asking::Other(Client::start(wire, now)),
            Asking::Invite(_) | Asking::Other(_) => return,
        };
        (txn.flow, txn.bytes) = (flow, bytes.clone());
        self.settle_client(key);
        self.send(flow, bytes, false);
    }

    fn settle_client(&mut self, key: u64) {
        let Some(txn) = self.core.clients.get_mut(key) else { return };
        let deadline = match txn.machine {
            Asking::Invite(InviteClient::Terminated) | Asking::Other(Client::Terminated) => {
                if txn.datagram.is_some() {
                    self.core.large.forget(txn.flow.remote, key);
                }
                self.core.clients.remove(key);
                return;
            }
            Asking::Invite(machine) => machine.deadline(),
            Asking::Other(machine) => machine.deadline(),
        };
        self.core.timers.arm(&mut txn.alarm, Holder::Client(key), deadline);
    }

    /// The timer entry of `at` has come up; hands back what must be heard of it.
    pub fn wake_client(&mut self, key: u64, at: Mono) -> Option<(Whose, Purpose, Token)> {
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
        let (whose, purpose, flow, bytes) = (txn.whose, txn.purpose, txn.flow, txn.bytes.clone());
        if repeat {
            self.send(flow, bytes, false);
        }
        self.settle_client(key);
        timed_out.then_some((whose, purpose, Token(key & !1)))
    }
}
