//! REFER between the leg that gets it and the engine that decides: which call it means, and what is left
//! of it when the call is over before the transfer.

use super::asking::Outcome;
use super::core::{Cx, Holder};
use super::{Effect, Endpoint};
use crate::base::{LegId, Mono, Now, Number, Private};
use crate::sip::api::Refer;
use crate::sip::dialog::Token;
use crate::sip::leg::{Orphan, Wished};
use crate::sip::refer::Wish;
use crate::sip::replaces::Named;
use crate::sip::transaction::timer::LONG_MS;
use crate::sip::transaction::{Timers, after_ms};
use crate::sip::{AnyUri, Request, Scheme};

impl Endpoint {
    /// Asks the peer, as a phone does, that the one it speaks with be connected with `to` at the same
    /// place. How it goes is told as `ReferNews`. Nothing happens in a leg that is not up.
    pub fn refer(&mut self, leg: LegId, to: &Number, now: Now, out: &mut Vec<Effect>) {
        self.with_leg(leg, now, out, |leg, cx| leg.refer(cx, to));
    }

    /// Answers a REFER: 202 tries it and tells the phone so, anything from 300 on refuses it.
    pub fn answer_refer(&mut self, leg: LegId, status: u16, now: Now, out: &mut Vec<Effect>) {
        self.with_leg(leg, now, out, |leg, cx| leg.answer_refer(cx, status));
    }

    /// Tells the phone how the transfer goes that it asked for: 1xx goes on, anything else is the end.
    /// The phone may have hung up meanwhile.
    pub fn refer_news(&mut self, leg: LegId, status: u16, now: Now, out: &mut Vec<Effect>) {
        if !self.with_leg(leg, now, out, |leg, cx| leg.refer_news(cx, status)) {
            self.with_orphan(leg, now, out, |orphan, cx| {
                orphan.referral.news((leg, orphan.tag), &mut orphan.dialog, status, cx);
            });
        }
    }

    /// What a REFER asks for. The dialog in its Replaces is one of ours or none: 603, and so for a place
    /// that is not ours, to which no call is ever sent on a phone's word.
    pub(super) fn wished(&self, request: &Request) -> Wished {
        let wish = match Wish::read(request) {
            Ok(wish) => wish,
            Err(error) => return (Refer::Nowhere { status: error.status() }, false),
        };
        let refer = match &wish.replaces {
            // early-only narrows what may be replaced, and we join what there is.
            Some(text) => {
                Named::parse(text).and_then(|named| self.replaced(&named)).map(Refer::With)
            }
            None => {
                let ours = wish.target.scheme() == Scheme::Tel
                    || self.is_ours(&AnyUri::Known(wish.target.clone()));
                wish.number().filter(|_| ours).map(|to| Refer::To(Private::new(to)))
            }
        };
        (refer.unwrap_or(Refer::Nowhere { status: 603 }), wish.quiet)
    }

    /// The leg that a Replaces means: our tag is the to-tag of who sends it to us, but phones are found
    /// that write their own there.
    fn replaced(&self, replaces: &Named<'_>) -> Option<LegId> {
        let find = |ours: &str, theirs: &str| {
            let id = *self.tags.get(Token::parse(ours)?.0)?;
            self.legs.get(id.0)?.is_dialog(replaces.call_id, theirs).then_some(id)
        };
        find(replaces.to_tag, replaces.from_tag)
            .or_else(|| find(replaces.from_tag, replaces.to_tag))
    }

    fn with_orphan(
        &mut self,
        leg: LegId,
        now: Now,
        out: &mut Vec<Effect>,
        step: impl FnOnce(&mut Orphan, &mut Cx<'_>),
    ) {
        let Some(orphan) = self.orphans.get_mut(&leg) else { return };
        step(orphan, &mut Cx { core: &mut self.core, now, out });
        self.settle_orphan(leg, now);
    }

    pub(super) fn settle_orphan(&mut self, leg: LegId, now: Now) {
        let Some(orphan) = self.orphans.get_mut(&leg) else { return };
        if orphan.referral.is_over() {
            self.orphans.remove(&leg);
            return;
        }
        let deadline = orphan.referral.deadline().map(|due| due.min(after_ms(now.mono, LONG_MS)));
        self.core.timers.arm(&mut orphan.alarm, Holder::Orphan(leg), deadline);
    }

    pub(super) fn orphan_notified(
        &mut self,
        leg: LegId,
        branch: Token,
        outcome: &Outcome,
        now: Now,
        out: &mut Vec<Effect>,
    ) {
        self.with_orphan(leg, now, out, |orphan, cx| {
            orphan.referral.on_notified(leg, &mut orphan.dialog, branch, outcome, cx);
        });
    }

    pub(super) fn wake_orphan(&mut self, leg: LegId, at: Mono, now: Now, out: &mut Vec<Effect>) {
        let live = |orphan: &mut Box<Orphan>| Timers::<Holder>::is_live(&mut orphan.alarm, at);
        if self.orphans.get_mut(&leg).is_some_and(live) {
            self.with_orphan(leg, now, out, |orphan, cx| {
                orphan.referral.wake((leg, orphan.tag), &mut orphan.dialog, cx);
            });
        }
    }
}
