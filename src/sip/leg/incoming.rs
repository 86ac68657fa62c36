//! The peer called: from its INVITE to our final answer (RFC 3261 §13.3, §9.2).

use super::outgoing::{takes_from_change, takes_update};
use super::outside::own_contact;
use super::reliable::{self, Early};
use super::session::{Exchange, Up};
use super::timer::agreed_as_server;
use super::{Leg, State, some_sdp};
use crate::base::Mono;
use crate::sip::HeaderName;
use crate::sip::api::{Flow, LegEnd, LegEvent, Why};
use crate::sip::dialog::Dialog;
use crate::sip::endpoint::core::Cx;
use crate::sip::extensions::{ALLOW, SUPPORTED};
use crate::sip::transaction::after_ms;
use crate::sip::{Head, Request};
use bytes::Bytes;

/// A provisional response is said again this often, so that no proxy between gives up (§13.3.1.1).
pub(super) const RING_AGAIN_MS: u32 = 60_000;

/// So long after it was said we hear that a word could not be sent: longer than a connection is tried for.
const KNOCK_MS: u32 = 6_000;

/// An INVITE that waits for our final answer.
#[derive(Debug)]
pub(in crate::sip) struct Invited {
    pub dialog: Dialog,
    /// The INVITE, to answer it.
    pub request: Request,
    /// Its transaction.
    pub key: u64,
    /// The last provisional response and when it is due again.
    pub said: Option<(u16, Bytes, Mono)>,
    /// The early dialog, when the caller acknowledges what is said in it.
    pub early: Option<Box<Early>>,
    /// When the caller was last told something by a way that is yet to be made.
    pub knocked: Option<Mono>,
}

impl Invited {
    pub fn deadline(&self) -> Option<Mono> {
        let again = self.said.as_ref().map(|(_, _, again)| *again);
        let unheard = self.early.as_ref().and_then(|early| early.deadline());
        [again, unheard].into_iter().flatten().min()
    }

    /// Where a caller whose connection is gone is to be called back: the address it came from and the
    /// port its Via names (§18.2.2).
    pub fn listens_at(&self) -> std::net::SocketAddr {
        let port = self.request.head.via.port.unwrap_or(5060);
        std::net::SocketAddr::new(self.dialog.flow.remote.ip(), port)
    }

    /// Something was said.
    pub(super) fn note_knock(&mut self, now: Mono) {
        if self.dialog.flow.connection == 0 {
            self.knocked = Some(now);
        }
    }

    /// Whether what cannot be sent to the caller's address may be ours: then nobody is there to be answered.
    /// Otherwise it is another's message, and what is said next will show.
    pub(super) fn may_have_knocked_in_vain(&self, now: Mono) -> bool {
        self.knocked.is_some_and(|knocked| now < after_ms(knocked, KNOCK_MS))
    }
}

impl Leg {
    /// 180, or 183 with early media.
    pub fn ring(&mut self, cx: &mut Cx<'_>, sdp: Option<&Bytes>) {
        let tag = self.tag;
        let State::Invited(invited) = &mut self.state else { return };
        if invited.early.is_none() {
            let policy = cx.core.settings.session.reliable;
            if reliable::is_due(&invited.request, policy) {
                let start = u32::try_from(cx.core.rng.below(1 << 30)).unwrap_or(1);
                invited.early = Some(Early::new(start));
            }
        }
        // A description that is our offer rings; as an answer it is there to be heard.
        let rings = sdp.is_none() || (invited.early.is_some() && invited.request.sdp().is_none());
        let status = if rings { 180 } else { 183 };
        if invited.early.is_some() {
            return self.ring_reliably(cx, status, sdp);
        }
        let mut writer = cx.answer(&invited.request, status, tag);
        writer.contact(own_contact(self.carrier.as_deref(), cx.core.place(invited.dialog.flow)));
        writer.header(&HeaderName::Allow, ALLOW);
        let bytes = writer.sdp(some_sdp(sdp));
        invited.said = Some((status, bytes.clone(), after_ms(cx.now.mono, RING_AGAIN_MS)));
        invited.note_knock(cx.now.mono);
        cx.respond(invited.key, status, bytes);
    }

    pub(super) fn keep_ringing(&mut self, cx: &mut Cx<'_>) {
        self.wake_reliable(cx);
        if let State::Invited(invited) = &mut self.state
            && let Some((status, bytes, again)) = &mut invited.said
            && cx.now.mono >= *again
        {
            if invited.early.is_some() {
                let status = *status;
                return self.ring_reliably(cx, status, None);
            }
            *again = after_ms(cx.now.mono, RING_AGAIN_MS);
            let (status, bytes) = (*status, bytes.clone());
            invited.note_knock(cx.now.mono);
            cx.respond(invited.key, status, bytes);
        }
    }

    /// 200: the call is answered; it is repeated until the ACK comes.
    pub fn accept(&mut self, cx: &mut Cx<'_>, sdp: &Bytes) {
        let tag = self.tag;
        if let State::Invited(invited) = &mut self.state
            && invited.early.as_mut().is_some_and(|early| early.holds_back(sdp))
        {
            return;
        }
        let invited = match std::mem::replace(&mut self.state, State::Over) {
            State::Invited(invited) => invited,
            other => {
                self.state = other;
                return;
            }
        };
        let Invited { dialog, request, key, early, .. } = *invited;
        let settled = early.as_ref().is_some_and(|early| early.settled);
        let late = request.sdp().is_none() && !settled;
        let mut writer = cx.answer(&request, 200, tag);
        writer.contact(own_contact(self.carrier.as_deref(), cx.core.place(dialog.flow)));
        writer.header(&HeaderName::Allow, ALLOW);
        writer.header(&HeaderName::Supported, SUPPORTED);
        let policy = cx.core.settings.session;
        // One that is too small was refused when it came.
        let timer = agreed_as_server(&request.head, policy, None, cx.now.mono).ok().flatten();
        if let Some(timer) = &timer {
            timer.write_response(&mut writer, &request.head);
        }
        let bytes = writer.sdp(some_sdp((!settled).then_some(sdp)));
        cx.respond(key, 200, bytes.clone());
        let seq = request.head.cseq.number;
        let exchange = Exchange::acking(bytes, seq, late, true, cx.now.mono);
        let mut up = Box::new(Up::new(dialog, exchange, false));
        up.timer = timer;
        up.takes_update = takes_update(&request.head);
        up.takes_from_change = takes_from_change(&request.head);
        up.said = Some(sdp.clone());
        if let Some(mut early) = early {
            up.take_over(&mut early, seq);
        }
        self.state = State::Up(up);
    }

    /// A final refusal. The transaction sees to the ACK; the leg is over.
    pub fn refuse(&mut self, cx: &mut Cx<'_>, status: u16) {
        let State::Invited(_) = &self.state else {
            return self.hang_up(cx, Why::Normal);
        };
        let status = if (300..700).contains(&status) { status } else { 500 };
        self.refuse_with(cx, status, LegEnd::ByUs);
    }

    /// The INVITE comes to nothing: it and what else is unanswered get their final answers.
    pub(super) fn refuse_with(&mut self, cx: &mut Cx<'_>, status: u16, end: LegEnd) {
        self.close_early(cx);
        let State::Invited(invited) = &self.state else { return };
        let retry_s = cx.core.rng.below(9).saturating_add(2);
        let mut writer = cx.answer(&invited.request, status, self.tag);
        if status == 503 {
            writer.header(&HeaderName::RetryAfter, retry_s);
        }
        cx.respond(invited.key, status, writer.finish());
        self.over(cx, LegEvent::Over(end));
    }

    /// CANCEL for the INVITE under `key`, which came by `flow`; the CANCEL itself has been answered.
    pub fn on_cancel(&mut self, cx: &mut Cx<'_>, flow: Flow, key: u64, head: &Head) {
        match &self.state {
            State::Invited(invited) if invited.key == key => {
                self.hear_on(cx, flow);
                self.tell_reason(cx, head);
                self.refuse_with(cx, 487, LegEnd::Cancelled);
            }
            State::Up(_) => self.on_reinvite_cancelled(cx, key),
            // The final answer went before it: nothing to cancel (§9.2).
            State::Invited(_)
            | State::Calling(_)
            | State::GivenUp(_)
            | State::Ending(_)
            | State::Over => {}
        }
    }
}
