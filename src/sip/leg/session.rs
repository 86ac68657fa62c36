//! The call is up: the ACK to our 2xx, re-INVITE both ways, UPDATE (RFC 3261 §13.3.1.4, §14; RFC 3311).

use super::outgoing::{acknowledge, shown_as};
use super::outside::own_contact;
use super::reliable::Early;
use super::timer::{AGAIN_MS, SessionTimer, TooSmall, agreed_as_server};
use super::{Leg, State, some_sdp};
use crate::base::Mono;
use crate::sip::HeaderName;
use crate::sip::api::{Flow, LegEnd, LegEvent, Shown, Why};
use crate::sip::dialog::{Dialog, Place, Token};
use crate::sip::endpoint::asking::{Outcome, Purpose};
use crate::sip::endpoint::core::Cx;
use crate::sip::extensions::{ALLOW, SUPPORTED};
use crate::sip::transaction::timer::{LONG_MS, T1_MS, T2_MS};
use crate::sip::transaction::{Repeat, after_ms};
use crate::sip::{Head, Method, Request, Response, Writer};
use bytes::Bytes;

/// Re-INVITEs that 491 sends back before we tell the engine.
pub(super) const MAX_GLARE: u8 = 4;

/// A confirmed dialog.
#[derive(Debug)]
pub(in crate::sip) struct Up {
    pub dialog: Dialog,
    pub exchange: Exchange,
    /// An offer of the engine's that waits for its turn.
    pub(super) wanted: Option<Proposal>,
    /// We are to hang up as soon as the ACK came.
    pub deferred: Option<Why>,
    /// We dialled, so the Call-ID is ours (§14.1 lets that side wait longer after 491).
    ours: bool,
    /// The engine still owes an answer to an offer that the peer took back.
    owed: bool,
    /// `RSeq` and `CSeq` of a provisional response that our 2xx overtook (RFC 3262 §3).
    rack: Option<(u32, u32)>,
    /// The session timer, when one was agreed.
    pub timer: Option<SessionTimer>,
    /// The peer says that it takes UPDATE.
    pub takes_update: bool,
    /// Our UPDATE.
    pub refreshing: Refresh,
    /// What we said last of our media, for a refresh that changes nothing.
    pub said: Option<Bytes>,
    /// With whom the peer speaks now, when that is not whom its call began with.
    party: Option<Box<Party>>,
    /// The peer takes another From in our requests (RFC 4916 §4.4.1).
    pub takes_from_change: bool,
    /// Since when its connection is lost, while the peer has not come back.
    pub lost: Option<Mono>,
    /// Since when what we say cannot be sent, to a peer that comes back by no REGISTER.
    pub(super) failing: Option<Mono>,
}

/// Whom a phone of ours is to show (RFC 3325 §9.1: who may trust our word; RFC 4916).
#[derive(Debug)]
struct Party {
    shown: Shown,
    told: Told,
    /// How often it was refused for now.
    refused: u8,
}

/// Whether the phone has been told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// Not yet: at the next turn.
    No,
    /// Not for now: no sooner than then, unless something else is said.
    Later(Mono),
    /// Said; or refused so that it is not said again.
    Yes,
}

/// A re-INVITE to be sent: with our offer, or without one, which asks the peer for its own.
#[derive(Debug)]
pub(in crate::sip) struct Proposal(pub(super) Option<Bytes>);

/// Which offer is under way.
#[derive(Debug)]
pub(in crate::sip) enum Exchange {
    /// None.
    Idle,
    /// Our 2xx to the peer's INVITE waits for its ACK.
    Acking {
        /// The 2xx, repeated at T1 doubling to T2 whatever the transport (§13.3.1.4).
        answer: Bytes,
        repeat: Repeat,
        until: Mono,
        /// The INVITE's number, which the ACK repeats.
        seq: u32,
        /// The 2xx carried our offer, the ACK will carry the answer.
        late: bool,
        /// It is the INVITE that began the leg.
        initial: bool,
    },
    /// The peer's re-INVITE or UPDATE waits for the engine's answer.
    Asked { request: Box<Request>, key: u64 },
    /// Our re-INVITE waits for the peer's.
    Offered {
        branch: Token,
        /// The way that it went.
        by: Flow,
        seq: u32,
        sdp: Option<Bytes>,
        tries: u8,
        /// The engine knows nothing of it.
        refresh: bool,
    },
    /// A 2xx to an offerless INVITE of ours brought the peer's offer; the ACK waits for our answer.
    OwesAck { branch: Token, seq: u32 },
    /// Our re-INVITE met the peer's; it is tried again at this time (§14.1).
    Glare { at: Mono, sdp: Option<Bytes>, tries: u8, refresh: bool },
    /// The connection that our re-INVITE went by is gone: it is said again where the peer comes back, or at
    /// this time by a connection of our making.
    Adrift { at: Mono, sdp: Option<Bytes>, tries: u8, refresh: bool },
}

/// Where our UPDATE is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sip) enum Refresh {
    /// None is under way.
    Idle,
    /// It waits for its answer; the way that it went.
    Sent { branch: Token, by: Flow },
    /// The connection that it went by is gone: another goes where the peer comes back, or when the session
    /// timer wants it.
    Adrift,
}

impl Exchange {
    /// Our 2xx has just gone out.
    pub fn acking(answer: Bytes, seq: u32, late: bool, initial: bool, now: Mono) -> Self {
        let repeat = Repeat { at: after_ms(now, T1_MS), wait_ms: T1_MS };
        Self::Acking { answer, repeat, until: after_ms(now, LONG_MS), seq, late, initial }
    }

    /// The way that our re-INVITE went which waits for its answer.
    pub fn way(&self) -> Option<Flow> {
        match self {
            Self::Offered { by, .. } => Some(*by),
            Self::Idle
            | Self::Acking { .. }
            | Self::Asked { .. }
            | Self::OwesAck { .. }
            | Self::Glare { .. }
            | Self::Adrift { .. } => None,
        }
    }

    /// It has another name.
    pub fn way_mut(&mut self) -> Option<&mut Flow> {
        match self {
            Self::Offered { by, .. } => Some(by),
            Self::Idle
            | Self::Acking { .. }
            | Self::Asked { .. }
            | Self::OwesAck { .. }
            | Self::Glare { .. }
            | Self::Adrift { .. } => None,
        }
    }
}

impl Refresh {
    /// The way that our UPDATE went which waits for its answer.
    pub fn way(self) -> Option<Flow> {
        match self {
            Self::Sent { by, .. } => Some(by),
            Self::Idle | Self::Adrift => None,
        }
    }

    /// It has another name.
    pub fn way_mut(&mut self) -> Option<&mut Flow> {
        match self {
            Self::Sent { by, .. } => Some(by),
            Self::Idle | Self::Adrift => None,
        }
    }
}

impl Up {
    pub fn new(dialog: Dialog, exchange: Exchange, ours: bool) -> Self {
        let (wanted, deferred, owed, rack) = (None, None, false, None);
        Self {
            dialog,
            exchange,
            wanted,
            deferred,
            ours,
            owed,
            rack,
            timer: None,
            takes_update: false,
            refreshing: Refresh::Idle,
            said: None,
            party: None,
            takes_from_change: false,
            lost: None,
            failing: None,
        }
    }

    /// The peer has spoken on a connection that lives.
    pub(super) fn is_back(&mut self) {
        (self.lost, self.failing) = (None, None);
    }

    /// One more word of ours could not be sent to a peer that comes back by no REGISTER. Since when that is so:
    /// what failed is said again after 64·T1, so that an older failure was another outage's.
    pub(super) fn fail(&mut self, now: Mono) -> Mono {
        let same = |since: &Mono| now < after_ms(*since, LONG_MS.saturating_mul(2));
        *self.failing.insert(self.failing.filter(same).unwrap_or(now))
    }

    /// What the early dialog leaves to the confirmed one; `seq` is the INVITE's.
    pub fn take_over(&mut self, early: &mut Early, seq: u32) {
        self.rack = early.unacknowledged().map(|rseq| (rseq, seq));
        self.wanted = early.take_wanted();
    }

    /// Whether a PRACK with this `RAck` acknowledges what our 2xx overtook.
    pub fn is_acknowledged_by(&self, rack: Option<(u32, u32)>) -> bool {
        rack.is_some() && self.rack == rack
    }

    pub fn deadline(&self) -> Option<Mono> {
        let exchange = match &self.exchange {
            Exchange::Acking { repeat, until, .. } => Some(repeat.at.min(*until)),
            Exchange::Glare { at, .. } | Exchange::Adrift { at, .. } => Some(*at),
            Exchange::Idle
            | Exchange::Asked { .. }
            | Exchange::Offered { .. }
            | Exchange::OwesAck { .. } => None,
        };
        let timer = self.timer.as_ref().map(SessionTimer::deadline);
        let party = self.party.as_ref().and_then(|party| match party.told {
            Told::Later(at) => Some(at),
            Told::No | Told::Yes => None,
        });
        [exchange, timer, party].into_iter().flatten().min()
    }
}

impl Up {
    /// Before a request of ours: our From names the other party, where the peer takes that.
    pub(super) fn rename(&mut self, place: &Place, tag: Token) {
        if let Some(party) = self.party.as_ref().filter(|party| party.told != Told::Yes)
            && self.takes_from_change
        {
            let from = shown_as(&party.shown, place.sent_by.ip().into());
            self.dialog.rename(&from.with_tag(&tag.to_string()));
        }
    }

    /// The request that said so came to nothing.
    pub(super) fn not_told(&mut self) {
        if let Some(party) = &mut self.party {
            party.told = Told::No;
        }
    }

    /// The request that said so was refused for now: it is said again after the pause that the refusal
    /// wants, [`MAX_GLARE`] times at most.
    pub(super) fn told_later(&mut self, status: u16, cx: &mut Cx<'_>) {
        let wait_ms = if status == 491 { glare_wait_ms(cx, self.ours) } else { AGAIN_MS };
        if let Some(party) = self.party.as_mut().filter(|party| party.refused < MAX_GLARE) {
            party.refused = party.refused.saturating_add(1);
            party.told = Told::Later(after_ms(cx.now.mono, wait_ms));
        }
    }

    /// The pause is over.
    fn end_pause(&mut self, now: Mono) -> bool {
        let over = |party: &&mut Box<Party>| matches!(party.told, Told::Later(at) if now >= at);
        let Some(party) = self.party.as_mut().filter(over) else { return false };
        party.told = Told::No;
        true
    }

    /// Who the other party is, for a peer that is a phone of ours.
    pub(super) fn write_party(&mut self, writer: &mut Writer, place: &Place) {
        if let Some(party) = &mut self.party {
            party.told = Told::Yes;
            let who = shown_as(&party.shown, place.sent_by.ip().into());
            writer.header(&HeaderName::PAssertedIdentity, &who);
        }
    }
}

impl Leg {
    /// Time passed for a leg that is up.
    pub(super) fn wake_session(&mut self, cx: &mut Cx<'_>) {
        let now = cx.now.mono;
        let State::Up(up) = &mut self.state else { return };
        match &mut up.exchange {
            // §13.3.1.4: no ACK in 64·T1. The dialog is confirmed but dead; BYE.
            Exchange::Acking { until, .. } if now >= *until => {
                up.exchange = Exchange::Idle;
                let end = if up.deferred.is_some() { LegEnd::ByUs } else { LegEnd::NoAck };
                return self.abandon(cx, end, None);
            }
            Exchange::Acking { answer, repeat, .. } if now >= repeat.at => {
                *repeat = repeat.doubled(T2_MS, now);
                let (flow, answer) = (up.dialog.flow, answer.clone());
                cx.send(flow, answer, false);
            }
            Exchange::Glare { at, sdp, tries, refresh }
            | Exchange::Adrift { at, sdp, tries, refresh }
                if now >= *at =>
            {
                let (sdp, tries, refresh) = (sdp.take(), *tries, *refresh);
                up.exchange = Exchange::Idle;
                self.reinvite(cx, sdp, tries, refresh);
            }
            Exchange::Acking { .. }
            | Exchange::Glare { .. }
            | Exchange::Adrift { .. }
            | Exchange::Idle
            | Exchange::Asked { .. }
            | Exchange::Offered { .. }
            | Exchange::OwesAck { .. } => {}
        }
        self.wake_timer(cx);
        if let State::Up(up) = &mut self.state
            && up.end_pause(now)
        {
            self.next_offer(cx);
        }
    }

    /// An ACK in our dialog: to the 2xx with its number, or to one that was acknowledged before.
    pub fn on_ack(&mut self, cx: &mut Cx<'_>, request: &Request) {
        let State::Up(up) = &mut self.state else { return };
        let Exchange::Acking { seq, late, initial, .. } = up.exchange else { return };
        if request.head.cseq.number != seq {
            return;
        }
        up.exchange = Exchange::Idle;
        if let Some(why) = up.deferred {
            return self.end(cx, Some(why), LegEvent::Over(LegEnd::ByUs));
        }
        if initial || late {
            let sdp = if late { request.sdp() } else { None };
            cx.tell(self.id, LegEvent::Confirmed { sdp });
        }
        self.next_offer(cx);
    }

    // ---- offers of the peer's ----------------------------------------------------------------

    /// A re-INVITE or UPDATE.
    pub(super) fn on_offer(&mut self, cx: &mut Cx<'_>, flow: Flow, key: u64, request: Request) {
        let update = request.method == Method::Update;
        let up = match &mut self.state {
            State::Up(up) => up,
            State::Invited(_) | State::Calling(_) if update && request.sdp().is_none() => {
                return self.refresh_only(cx, flow, key, &request);
            }
            State::Invited(_) => return self.on_early_offer(cx, key, request),
            State::Calling(_) => return self.on_forks_offer(cx, key, request),
            State::GivenUp(_) | State::Ending(_) | State::Over => {
                return self.refuse_request(cx, key, &request, 481);
            }
        };
        if !request.body.is_empty() && request.sdp().is_none() {
            return self.refuse_request(cx, key, &request, 415);
        }
        let policy = cx.core.settings.session;
        if agreed_as_server(&request.head, policy, up.timer, cx.now.mono) == Err(TooSmall) {
            return self.refuse_request(cx, key, &request, 422);
        }
        if update && request.sdp().is_none() {
            return self.refresh_only(cx, flow, key, &request);
        }
        match &up.exchange {
            // §14.2: another of its own is unanswered.
            Exchange::Asked { .. } => return self.refuse_request(cx, key, &request, 500),
            // §14.2: ours is under way. Before the ACK to our 2xx the exchange is not over either:
            // the peer's next try comes when the ACK has had time to be sent again.
            Exchange::Offered { .. } | Exchange::OwesAck { .. } | Exchange::Acking { .. } => {
                return self.refuse_request(cx, key, &request, 491);
            }
            // While ours waits its turn after a glare, the peer's goes first.
            Exchange::Glare { .. } | Exchange::Adrift { .. } | Exchange::Idle if up.owed => {
                return self.refuse_request(cx, key, &request, 491);
            }
            Exchange::Glare { .. } | Exchange::Adrift { .. } | Exchange::Idle => {}
        }
        if up.dialog.refresh(&request.head, Some(flow)).is_err() {
            return self.refuse_request(cx, key, &request, 400);
        }
        if let Exchange::Glare { sdp, refresh: false, .. }
        | Exchange::Adrift { sdp, refresh: false, .. } = &mut up.exchange
            && up.wanted.is_none()
        {
            up.wanted = Some(Proposal(sdp.take()));
        }
        if let Exchange::Glare { refresh: true, .. } = up.exchange {
            up.not_told();
        }
        let sdp = request.sdp();
        up.exchange = Exchange::Asked { request: Box::new(request), key };
        cx.tell(self.id, LegEvent::Offer { sdp });
    }

    /// An UPDATE without an offer: it only refreshes the target or the session (RFC 4028).
    fn refresh_only(&mut self, cx: &mut Cx<'_>, flow: Flow, key: u64, request: &Request) {
        if let State::Up(up) = &mut self.state
            && up.dialog.refresh(&request.head, Some(flow)).is_err()
        {
            return self.refuse_request(cx, key, request, 400);
        }
        let mut writer = cx.answer(request, 200, self.tag);
        if let Some(flow) = self.flow() {
            writer.contact(own_contact(self.carrier.as_deref(), cx.core.place(flow)));
        }
        writer.header(&HeaderName::Allow, ALLOW);
        writer.header(&HeaderName::Supported, SUPPORTED);
        self.agree_timer(cx, &mut writer, &request.head);
        cx.respond(key, 200, writer.finish());
    }

    /// The peer's request refreshes the session: our 2xx says how it goes on (RFC 4028 §9).
    fn agree_timer(&mut self, cx: &Cx<'_>, writer: &mut Writer, request: &Head) {
        let State::Up(up) = &mut self.state else { return };
        let policy = cx.core.settings.session;
        // One that is too small was refused before.
        up.timer = agreed_as_server(request, policy, up.timer, cx.now.mono).unwrap_or(up.timer);
        if let Some(timer) = &up.timer {
            timer.write_response(writer, request);
        }
    }

    /// The engine's answer to [`LegEvent::Offer`].
    pub fn answer_offer(&mut self, cx: &mut Cx<'_>, answer: Result<&Bytes, u16>) {
        let up = match &mut self.state {
            State::Up(up) => up,
            State::Invited(_) => return self.answer_early_offer(cx, answer),
            State::Calling(_) => return self.answer_forks_offer(cx, answer),
            State::GivenUp(_) | State::Ending(_) | State::Over => return,
        };
        let (request, key) = match std::mem::replace(&mut up.exchange, Exchange::Idle) {
            Exchange::Asked { request, key } => (request, key),
            other => {
                // The peer took the offer back; this is the answer that was still owed.
                up.owed = false;
                up.exchange = other;
                return;
            }
        };
        let flow = up.dialog.flow;
        let sent = self.answer_with(cx, flow, &request, key, answer);
        if let State::Up(up) = &mut self.state
            && let Some(bytes) = sent.filter(|_| request.method == Method::Invite)
        {
            let (seq, late) = (request.head.cseq.number, request.sdp().is_none());
            up.exchange = Exchange::acking(bytes, seq, late, false, cx.now.mono);
        }
        self.next_offer(cx);
    }

    /// Sends the engine's answer to an offer of the peer's; the 200, when it is one.
    pub(super) fn answer_with(
        &mut self,
        cx: &mut Cx<'_>,
        flow: Flow,
        request: &Request,
        key: u64,
        answer: Result<&Bytes, u16>,
    ) -> Option<Bytes> {
        let (status, bytes) = match answer {
            Ok(sdp) => {
                let mut writer = cx.answer(request, 200, self.tag);
                writer.contact(own_contact(self.carrier.as_deref(), cx.core.place(flow)));
                writer.header(&HeaderName::Allow, ALLOW);
                writer.header(&HeaderName::Supported, SUPPORTED);
                if let State::Up(up) = &mut self.state {
                    up.said = Some(sdp.clone());
                }
                self.agree_timer(cx, &mut writer, &request.head);
                (200, writer.sdp(Some(sdp)))
            }
            Err(status) => {
                let status = if (300..700).contains(&status) { status } else { 488 };
                (status, cx.answer(request, status, self.tag).finish())
            }
        };
        cx.respond(key, status, bytes.clone());
        answer.is_ok().then_some(bytes)
    }

    /// CANCEL for a re-INVITE: it gets its 487, the call goes on as it was (§9.2, §14.1).
    pub(super) fn on_reinvite_cancelled(&mut self, cx: &mut Cx<'_>, cancelled: u64) {
        let tag = self.tag;
        let State::Up(up) = &mut self.state else { return };
        if let Exchange::Asked { request, key } = &up.exchange
            && *key == cancelled
        {
            let bytes = cx.answer(request, 487, tag).finish();
            up.exchange = Exchange::Idle;
            up.owed = true;
            cx.respond(cancelled, 487, bytes);
            self.next_offer(cx);
        }
    }

    // ---- offers of ours ----------------------------------------------------------------------

    /// The engine wants a re-INVITE; it waits until nothing else is under way.
    pub fn offer(&mut self, cx: &mut Cx<'_>, sdp: Option<Bytes>) {
        if let State::Invited(invited) = &mut self.state
            && let Some(early) = &mut invited.early
        {
            early.keep(Proposal(sdp));
        } else if let State::Up(up) = &mut self.state {
            if let Exchange::Glare { sdp: waiting, refresh, .. }
            | Exchange::Adrift { sdp: waiting, refresh, .. } = &mut up.exchange
            {
                // The newer one takes the place of the one that waits.
                (*waiting, *refresh) = (sdp, false);
                return;
            }
            up.wanted = Some(Proposal(sdp));
            self.next_offer(cx);
        }
    }

    pub(super) fn next_offer(&mut self, cx: &mut Cx<'_>) {
        if let State::Up(up) = &mut self.state
            && matches!(up.exchange, Exchange::Idle)
        {
            match up.wanted.take() {
                Some(Proposal(sdp)) => self.reinvite(cx, sdp, 0, false),
                None => self.tell_party(cx),
            }
        }
    }

    /// The phone speaks with somebody else from now on, and shall show whom.
    pub fn speaks_with(&mut self, cx: &mut Cx<'_>, shown: &Shown) {
        let State::Up(up) = &mut self.state else { return };
        up.party = Some(Box::new(Party { shown: shown.clone(), told: Told::No, refused: 0 }));
        if matches!(up.exchange, Exchange::Idle) {
            self.next_offer(cx);
        }
    }

    /// Says so: by UPDATE where the phone takes it (RFC 3311 §5.1), else by a re-INVITE that changes
    /// nothing else. An offer of ours that goes out anyway says it too.
    fn tell_party(&mut self, cx: &mut Cx<'_>) {
        let State::Up(up) = &mut self.state else { return };
        if up.party.as_ref().is_none_or(|party| party.told != Told::No)
            || up.refreshing != Refresh::Idle
        {
            return;
        }
        if up.takes_update {
            self.send_refresh(cx);
        } else if let Some(said) = up.said.clone() {
            self.reinvite(cx, Some(said), 0, true);
        }
    }

    pub(super) fn reinvite(
        &mut self,
        cx: &mut Cx<'_>,
        sdp: Option<Bytes>,
        tries: u8,
        refresh: bool,
    ) {
        let State::Up(up) = &mut self.state else { return };
        let branch = cx.branch();
        let seq = up.dialog.next_seq();
        let flow = up.dialog.flow;
        let place = cx.core.place(flow);
        up.rename(place, self.tag);
        let mut writer = up.dialog.request(&Method::Invite, seq, place, branch);
        writer.contact(own_contact(self.carrier.as_deref(), place));
        writer.header(&HeaderName::Allow, ALLOW);
        writer.header(&HeaderName::Supported, SUPPORTED);
        up.write_party(&mut writer, place);
        up.write_timer(&mut writer);
        writer.header(&HeaderName::UserAgent, &cx.core.settings.product);
        let bytes = writer.sdp(some_sdp(sdp.as_ref()));
        up.exchange = Exchange::Offered { branch, by: flow, seq, sdp, tries, refresh };
        cx.start(branch, self.id, Purpose::Reinvite, flow, bytes);
    }

    /// What came of our re-INVITE.
    pub(super) fn on_reinvite_outcome(&mut self, cx: &mut Cx<'_>, branch: Token, outcome: Outcome) {
        let State::Up(up) = &mut self.state else {
            // The call ended meanwhile: a 2xx is acknowledged all the same.
            if let Outcome::Response(response) = outcome {
                acknowledge_late(cx, branch, &response);
            }
            return;
        };
        let policy = cx.core.settings.session;
        let (seq, sdp, tries, refresh) = match &mut up.exchange {
            Exchange::Offered { branch: due, seq, sdp, tries, refresh, .. } if *due == branch => {
                (*seq, sdp, *tries, *refresh)
            }
            // Its 2xx again; the ACK waits for the engine.
            Exchange::OwesAck { branch: due, .. } if *due == branch => return,
            // One that was given up with its connection had arrived (§13.2.2.4).
            _ => {
                if let Outcome::Response(response) = outcome
                    && (200..300).contains(&response.status)
                {
                    acknowledge(cx, &up.dialog, branch, response.head.cseq.number, None);
                }
                return;
            }
        };
        let response = match outcome {
            Outcome::Response(response) => response,
            // §14.1, §12.2.1.2: no answer in the dialog means that the dialog is gone.
            Outcome::TimedOut => return self.abandon(cx, LegEnd::Lost, None),
        };
        let mut sdp = if response.status < 200 { None } else { sdp.take() };
        match response.status {
            ..200 => {}
            200..300 => {
                let offered = sdp.is_some();
                up.said = sdp.take().or_else(|| up.said.take());
                up.refreshed(&response.head, policy, cx.now.mono);
                // A Contact that cannot be used leaves the target as it was.
                let _ = up.dialog.refresh(&response.head, None);
                up.exchange = Exchange::Idle;
                if offered {
                    acknowledge(cx, &up.dialog, branch, seq, None);
                } else {
                    up.exchange = Exchange::OwesAck { branch, seq };
                }
                // A wish of the engine's that waits makes what was said to a refresh old.
                if !refresh || up.wanted.is_none() {
                    cx.tell(self.id, LegEvent::OfferAnswered { result: Ok(response.sdp()) });
                }
                self.next_offer(cx);
            }
            408 | 481 => self.abandon(cx, LegEnd::Lost, None),
            491 if tries < MAX_GLARE => {
                let at = after_ms(cx.now.mono, glare_wait_ms(cx, up.ours));
                let newer = up.wanted.take();
                let refresh = refresh && newer.is_none();
                let Proposal(sdp) = newer.unwrap_or_else(|| Proposal(sdp.take()));
                up.exchange = Exchange::Glare { at, sdp, tries: tries.saturating_add(1), refresh };
            }
            // RFC 4028 §7.4: with an interval that everybody on the way bears.
            422 if tries < MAX_GLARE && up.raise(&response.head) => {
                up.exchange = Exchange::Idle;
                self.reinvite(cx, sdp, tries.saturating_add(1), refresh);
            }
            status => {
                up.exchange = Exchange::Idle;
                if !refresh {
                    cx.tell(self.id, LegEvent::OfferAnswered { result: Err(status) });
                }
                if matches!(status, 500 | 502..=599) {
                    up.told_later(status, cx);
                }
                self.next_offer(cx);
            }
        }
    }

    /// Our answer to the offer that a 2xx brought: it travels in the ACK.
    pub fn answer_in_ack(&mut self, cx: &mut Cx<'_>, sdp: &Bytes) {
        let State::Up(up) = &mut self.state else { return };
        let Exchange::OwesAck { branch, seq } = up.exchange else { return };
        up.exchange = Exchange::Idle;
        up.said = Some(sdp.clone());
        acknowledge(cx, &up.dialog, branch, seq, Some(sdp));
        self.next_offer(cx);
    }

    /// The leg ends while an offer is under way: what is owed for it is done now.
    pub(super) fn close_exchange(&self, cx: &mut Cx<'_>, up: &Up) {
        match up.exchange {
            // §15.1.2: a request still pending gets its 487.
            Exchange::Asked { ref request, key } => {
                self.refuse_request(cx, key, request, 487);
            }
            // A 2xx is acknowledged even when its offer finds no taker (§13.2.2.4).
            Exchange::OwesAck { branch, seq } => acknowledge(cx, &up.dialog, branch, seq, None),
            Exchange::Offered { branch, .. } => cx.orphan(branch),
            Exchange::Idle
            | Exchange::Acking { .. }
            | Exchange::Glare { .. }
            | Exchange::Adrift { .. } => {}
        }
    }
}

/// §14.1: after 491 the owner of the Call-ID waits 2.1 to 4 s, the other 0 to 2 s, in steps of 10 ms.
fn glare_wait_ms(cx: &mut Cx<'_>, ours: bool) -> u32 {
    let wait_ms = if ours {
        cx.core.rng.below(191).saturating_mul(10).saturating_add(2_100)
    } else {
        cx.core.rng.below(201).saturating_mul(10)
    };
    u32::try_from(wait_ms).unwrap_or(4_000)
}

/// A 2xx to a re-INVITE whose leg is over.
pub(in crate::sip) fn acknowledge_late(cx: &mut Cx<'_>, branch: Token, response: &Response) {
    if !(200..300).contains(&response.status) {
        return;
    }
    let Some(flow) = cx.flow_of(branch) else { return };
    let fallback = crate::sip::Uri::at(None, flow.remote);
    if let Ok(dialog) = Dialog::asking(response, &fallback, flow, false) {
        acknowledge(cx, &dialog, branch, response.head.cseq.number, None);
    }
}
