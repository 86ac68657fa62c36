//! A leg: one INVITE dialog of ours from its first message to its last, whoever began it. It turns
//! requests and responses into the few events of `api::LegEvent` and the engine's wishes into
//! requests and responses. It knows no other leg, no account and no socket.
//!
//! Each state carries what is true only then. What crosses on the wire has a line of its own:
//! `incoming` (the peer called) with `reliable` (and acknowledges what we say), `outgoing` (we call) with
//! `forks`, `session` (the call is up), `ending`; what a lost connection makes of each, `connection`.

mod connection;
mod ending;
mod forks;
mod incoming;
mod keys;
mod outgoing;
mod outside;
mod reason;
mod redirect;
mod referral;
mod reliable;
mod session;
mod timer;

use super::HeaderName;
use super::api::{DialogName, Flow, LegEvent, Why};
use super::dialog::{Dialog, Token};
use super::endpoint::asking::{Heard, Outcome, Purpose};
use super::transaction::after_ms;
use super::transaction::timer::{Alarm, LONG_MS};
use super::{Head, Method, Request, Uri};
use crate::base::{LegId, Mono};
use crate::sip::endpoint::core::Cx;
use crate::sip::extensions::{ALLOW, SUPPORTED, asks_too_much, unsupported};
use crate::sip::trunk::Server;
use bytes::Bytes;
use std::net::SocketAddr;

pub(super) use connection::Ways;
pub(super) use incoming::Invited;
pub(super) use outgoing::{Calling, Invitation, reject_fork};
pub(super) use outside::{Carrier, Outside};
pub(super) use redirect::Route;
use referral::Referral;
pub(super) use referral::{Orphan, Wished};
pub(super) use reliable::carry_an_offer as provisionals_carry_an_offer;
pub(super) use session::{Up, acknowledge_late};
pub(super) use timer::{TooSmall, agreed_as_server};

/// Requests of one peer inside one dialog in 64·T1, the time for which each is remembered; the next
/// is answered 503 without state. Fifteen keys a second by INFO pass.
const MAX_REQUESTS: u16 = 512;

/// One leg.
#[derive(Debug)]
pub(super) struct Leg {
    pub id: LegId,
    /// Our tag in the dialog, by which in-dialog requests find the leg.
    pub tag: Token,
    pub state: State,
    pub alarm: Alarm,
    /// The streams that the leg is known to hang on.
    pub follows: Ways,
    /// What it keeps to with a carrier.
    carrier: Option<Box<Carrier>>,
    /// Whether names that the peer names are looked up: of trunks and of phones at fixed places. Nobody else
    /// makes us ask the DNS for what it likes.
    looks_up: bool,
    /// A REFER of ours whose end we have not heard.
    refers: bool,
    /// The last REFER of the peer's.
    referral: Option<Box<Referral>>,
    /// Keys that the peer is told by INFO.
    presses: keys::Presses,
    /// What is left of it when the peer hung up first; taken by the endpoint.
    pub orphan: Option<Box<Orphan>>,
    /// The window that counts the peer's requests, and how many came in it.
    asked: (Mono, u16),
}

/// Where it stands.
#[derive(Debug)]
pub(super) enum State {
    /// The peer invites us and waits for our final answer.
    Invited(Box<Invited>),
    /// We invite and wait for the peer's.
    Calling(Box<Calling>),
    /// We gave that up while the phone, which rings, has no connection. The engine has heard its end, the phone
    /// may not have.
    GivenUp(Box<Calling>),
    /// There is a confirmed dialog.
    Up(Box<Up>),
    /// Our BYE is on its way, or waits for one.
    Ending(Box<Ending>),
    /// Nothing is owed any more; the endpoint forgets the leg.
    Over,
}

/// A leg that we are ending.
#[derive(Debug)]
pub(super) struct Ending {
    pub dialog: Dialog,
    /// Why, as the peer is told.
    pub why: Option<Why>,
    /// What the engine hears at the end; none once it has heard it.
    pub with: Option<LegEvent>,
    /// Our BYE and the way that it went; none while it waits for the peer to come back.
    pub bye: Option<(Token, Flow)>,
    /// Once the connection of one was gone: when no other is said any more.
    pub until: Option<Mono>,
}

/// How far a dialog of that name has come (RFC 3891 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The phone that we dialled rings.
    Rings,
    /// Confirmed.
    Up,
    /// Ending.
    Ends,
}

impl Leg {
    /// Whether it has a dialog of that Call-ID and peer's tag that may be taken over. One that a peer
    /// began and we have not answered is none (RFC 3891 §3).
    pub fn stage(&self, call_id: &str, peer_tag: &str) -> Option<Stage> {
        let is = |dialog: &Dialog| *dialog.call_id == *call_id && *dialog.remote_tag == *peer_tag;
        match &self.state {
            State::Calling(calling) => calling.has_fork(call_id, peer_tag).then_some(Stage::Rings),
            State::Up(up) => is(&up.dialog).then_some(Stage::Up),
            State::Ending(ending) => is(&ending.dialog).then_some(Stage::Ends),
            State::Invited(_) | State::GivenUp(_) | State::Over => None,
        }
    }

    /// Its dialog, as one that may be taken over is named; of several forks the one that spoke last.
    pub fn dialog_name(&self) -> Option<DialogName> {
        let (call_id, remote_tag) = match &self.state {
            State::Calling(calling) => (
                &calling.call_id,
                calling.forks.iter().rfind(|fork| !fork.ended).map(|fork| fork.tag.clone()),
            ),
            State::Up(up) => (&up.dialog.call_id, Some((*up.dialog.remote_tag).into())),
            State::Invited(_) | State::GivenUp(_) | State::Ending(_) | State::Over => return None,
        };
        let local_tag = self.tag.to_string().into();
        Some(DialogName { call_id: (**call_id).into(), local_tag, remote_tag })
    }

    pub fn new(id: LegId, tag: Token, state: State) -> Self {
        Self {
            id,
            tag,
            state,
            alarm: Alarm::default(),
            follows: Ways::default(),
            carrier: None,
            looks_up: false,
            refers: false,
            referral: None,
            presses: keys::Presses::default(),
            orphan: None,
            asked: (Mono::ZERO, 0),
        }
    }

    /// As it is with a carrier.
    pub fn with(mut self, carrier: Option<Box<Carrier>>) -> Self {
        self.carrier = carrier;
        self
    }

    /// As it is with a peer whose names are looked up.
    pub fn looking_up(mut self, looks_up: bool) -> Self {
        self.looks_up = looks_up;
        self
    }

    /// Whether the peer, when it has lost its connection, comes back by a REGISTER. Carriers and phones at fixed
    /// places do not: they are where they were.
    pub fn comes_back(&self) -> bool {
        !self.looks_up
    }

    /// The name that leads to the peer and has to be looked up.
    pub fn name(&self) -> Option<&Server> {
        match &self.state {
            State::Up(up) if self.looks_up => up.dialog.name(),
            _ => None,
        }
    }

    /// That name leads there.
    pub fn lead(&mut self, found: SocketAddr) {
        if let State::Up(up) = &mut self.state {
            up.dialog.lead(found);
        }
    }

    /// Whether the engine has had its last word, though the peer has not.
    pub fn is_parted(&self) -> bool {
        match &self.state {
            State::GivenUp(_) => true,
            State::Ending(ending) => ending.with.is_none(),
            State::Invited(_) | State::Calling(_) | State::Up(_) | State::Over => false,
        }
    }

    /// Its Call-ID; none once it is over.
    pub fn call_id(&self) -> Option<&str> {
        match &self.state {
            State::Invited(invited) => Some(&invited.dialog.call_id),
            State::Calling(calling) | State::GivenUp(calling) => Some(&calling.call_id),
            State::Up(up) => Some(&up.dialog.call_id),
            State::Ending(ending) => Some(&ending.dialog.call_id),
            State::Over => None,
        }
    }

    /// Whether an answer names our tag and Call-ID. A dialog has those of the request (RFC 3261
    /// §12.1.2): under others our ACK and BYE would reach nobody, and the peer would answer for ever.
    pub fn asked_by(&self, head: &Head) -> bool {
        let Some(call_id) = self.call_id() else { return true };
        *head.call_id == *call_id && head.from.tag().and_then(Token::parse) == Some(self.tag)
    }

    /// Whether one more request of the peer's may be remembered.
    pub fn has_room(&mut self, now: Mono) -> bool {
        let (since, count) = &mut self.asked;
        if after_ms(*since, LONG_MS) <= now {
            self.asked = (now, 1);
            return true;
        }
        *count = count.saturating_add(1);
        *count <= MAX_REQUESTS
    }

    /// The last word to the engine.
    fn over(&mut self, cx: &mut Cx<'_>, with: LegEvent) {
        self.finish(cx, Some(with));
    }

    /// The same, if it has not had it.
    fn finish(&mut self, cx: &mut Cx<'_>, with: Option<LegEvent>) {
        self.close_early(cx);
        self.state = State::Over;
        if let Some(with) = with {
            cx.tell(self.id, with);
        }
    }

    /// When the leg itself wants to be woken.
    pub fn deadline(&self) -> Option<Mono> {
        match &self.state {
            State::Invited(invited) => invited.deadline(),
            State::Up(up) => {
                let referral = self.referral.as_ref().and_then(|referral| referral.deadline());
                [up.deadline(), referral, self.patience()].into_iter().flatten().min()
            }
            State::Calling(calling) => calling.asked.as_ref().and_then(|asked| asked.deadline()),
            State::Ending(ending) => ending.until.filter(|_| ending.bye.is_none()),
            State::GivenUp(_) | State::Over => None,
        }
    }

    /// The way its messages go now.
    pub fn flow(&self) -> Option<Flow> {
        match &self.state {
            State::Invited(invited) => Some(invited.dialog.flow),
            State::Calling(calling) | State::GivenUp(calling) => Some(calling.flow),
            State::Up(up) => Some(up.dialog.flow),
            State::Ending(ending) => Some(ending.dialog.flow),
            State::Over => None,
        }
    }

    /// Whether the peer is the phone of that Contact.
    pub fn is_of(&self, contact: &Uri) -> bool {
        let target = match &self.state {
            State::Invited(invited) => invited.dialog.target(),
            State::Calling(calling) | State::GivenUp(calling) => &calling.target,
            State::Up(up) => up.dialog.target(),
            State::Ending(ending) => ending.dialog.target(),
            State::Over => return false,
        };
        contact.equivalent(target)
    }

    /// Time passed.
    pub fn wake(&mut self, cx: &mut Cx<'_>) {
        match &self.state {
            State::Invited(_) => self.keep_ringing(cx),
            State::Up(_) => {
                if self.patience().is_some_and(|until| cx.now.mono >= until) {
                    self.resume(cx);
                    self.go_on(cx);
                }
                self.wake_referral(cx);
                self.wake_session(cx);
            }
            State::Calling(_) => self.give_up_unheard(cx),
            State::Ending(_) => self.wake_ending(cx),
            State::GivenUp(_) | State::Over => {}
        }
    }

    /// Whether the request belongs to a dialog of this leg (§12.2.2).
    pub fn owns(&self, request: &Request) -> bool {
        let head = &request.head;
        match &self.state {
            State::Invited(invited) => invited.dialog.owns(head),
            State::Calling(calling) => calling.owns(head),
            State::Up(up) => up.dialog.owns(head),
            State::Ending(ending) => ending.dialog.owns(head),
            State::GivenUp(_) | State::Over => false,
        }
    }

    /// Whether it has a confirmed dialog of that name (RFC 3891 §3).
    pub fn is_dialog(&self, call_id: &str, peer_tag: &str) -> bool {
        matches!(&self.state, State::Up(up)
            if *up.dialog.call_id == *call_id && *up.dialog.remote_tag == *peer_tag)
    }

    /// A new request in a dialog of this leg, other than ACK and CANCEL. `key` is its transaction's.
    /// `wish` is what it asks for when it is a REFER.
    pub fn on_request(
        &mut self,
        cx: &mut Cx<'_>,
        flow: Flow,
        key: u64,
        request: Request,
        wish: Option<Wished>,
    ) {
        let rises = match &mut self.state {
            State::Invited(invited) => invited.dialog.advance(request.head.cseq.number),
            State::Calling(calling) => calling.advance(&request.head),
            State::Up(up) => up.dialog.advance(request.head.cseq.number),
            State::Ending(ending) => ending.dialog.advance(request.head.cseq.number),
            State::GivenUp(_) | State::Over => return,
        };
        cx.open_inside(key, self.id, flow, &request);
        if !rises {
            // §12.2.2: out of order.
            return self.refuse_request(cx, key, &request, 500);
        }
        // §8.2.2.3. A call that wants to end ends all the same.
        if request.method != Method::Bye && asks_too_much(&request) {
            return self.refuse_request(cx, key, &request, 420);
        }
        // A phone whose connection broke speaks on a new one: answer where it is.
        let before = self.flow();
        let moved = self.hear_on(cx, flow);
        if moved {
            self.resume(cx);
        }
        match request.method {
            Method::Bye => self.on_bye(cx, key, &request),
            Method::Invite | Method::Update => self.on_offer(cx, flow, key, request),
            Method::Info => self.on_info(cx, key, &request),
            Method::Options => {
                let mut writer = cx.answer(&request, 200, self.tag);
                writer.header(&HeaderName::Allow, ALLOW);
                writer.header(&HeaderName::Accept, "application/sdp");
                writer.header(&HeaderName::Supported, SUPPORTED);
                cx.respond(key, 200, writer.finish());
            }
            Method::Refer => self.on_refer(cx, key, request, wish),
            Method::Prack => self.on_prack(cx, key, request),
            Method::Notify => self.on_notify(cx, key, &request),
            Method::Subscribe => self.refuse_request(cx, key, &request, 489),
            Method::Message | Method::Publish | Method::Register => {
                self.refuse_request(cx, key, &request, 405);
            }
            Method::Other(_) | Method::Ack | Method::Cancel => {
                self.refuse_request(cx, key, &request, 501);
            }
        }
        // A target refresh may have led elsewhere too, by another transport (§12.2.2).
        if moved || self.flow() != before {
            if let State::Up(up) = &mut self.state {
                up.is_back();
            }
            self.resume(cx);
            self.go_on(cx);
        }
    }

    /// Refuses a request inside a dialog.
    fn refuse_request(&self, cx: &mut Cx<'_>, key: u64, request: &Request, status: u16) {
        let retry_s = cx.core.rng.below(10);
        let mut writer = cx.answer(request, status, self.tag);
        match status {
            405 | 489 | 501 => {
                writer.header(&HeaderName::Allow, ALLOW);
            }
            415 => {
                writer.header(&HeaderName::Accept, "application/sdp");
            }
            420 => unsupported(&mut writer, request),
            422 => {
                writer.header(&HeaderName::MinSe, cx.core.settings.session.least_s);
            }
            // §14.2: a random 0 to 10 s.
            500 => {
                writer.header(&HeaderName::RetryAfter, retry_s);
            }
            _ => {}
        }
        cx.respond(key, status, writer.finish());
    }

    /// A response to a request of ours, which came by `flow`.
    pub fn on_response(&mut self, cx: &mut Cx<'_>, flow: Flow, heard: Heard) {
        let moved = self.hear_on(cx, flow);
        let Heard { purpose, branch, outcome, challenged, .. } = heard;
        let proved = match (&outcome, &challenged) {
            (Outcome::Response(response), Some(asked)) => {
                self.prove(cx, purpose, branch, response, asked)
            }
            (Outcome::Response(_) | Outcome::TimedOut, _) => false,
        };
        if !proved {
            self.on_outcome(cx, purpose, branch, outcome);
        }
        // A phone whose connection broke shows by its answer where it is.
        if moved {
            self.resume(cx);
            self.go_on(cx);
        }
    }

    /// What came of a request of ours.
    pub fn on_outcome(
        &mut self,
        cx: &mut Cx<'_>,
        purpose: Purpose,
        branch: Token,
        outcome: Outcome,
    ) {
        match purpose {
            Purpose::Invite => self.on_invite_outcome(cx, branch, outcome),
            Purpose::Reinvite => self.on_reinvite_outcome(cx, branch, outcome),
            Purpose::Bye => self.on_bye_outcome(cx, branch, &outcome),
            // The CANCEL's own answer says nothing; the INVITE's does (§9.1).
            Purpose::Cancel => {}
            Purpose::Notify => self.on_refer_notified(cx, branch, &outcome),
            Purpose::Refer => self.on_refer_outcome(cx, &outcome),
            Purpose::Info => self.on_pressed(cx, branch, &outcome),
            // What it acknowledged is known; whether the call comes about is the INVITE's word.
            Purpose::Prack => {}
            Purpose::Update => self.on_refresh_outcome(cx, branch, &outcome),
            // A line's own.
            Purpose::Register | Purpose::Ping => {}
        }
    }
}

/// SDP, when there is any.
fn some_sdp(sdp: Option<&Bytes>) -> Option<&[u8]> {
    sdp.map(AsRef::as_ref)
}
