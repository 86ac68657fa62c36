//! The end of a leg, whoever wants it (RFC 3261 §15).

use super::outgoing::bye;
use super::session::Exchange;
use super::{Ending, Leg, State};
use crate::sip::api::{LegEnd, LegEvent, Why};
use crate::sip::dialog::{Dialog, Token};
use crate::sip::endpoint::asking::Outcome;
use crate::sip::endpoint::core::Cx;
use crate::sip::{Head, Request};

impl Leg {
    /// The engine wants the leg to end, whatever its state.
    pub fn hang_up(&mut self, cx: &mut Cx<'_>, why: Why) {
        match &mut self.state {
            State::Invited(_) => {
                let status = match why {
                    Why::Normal | Why::Elsewhere => 480,
                    Why::Fault | Why::Expired => 500,
                };
                self.refuse(cx, status);
            }
            State::Calling(_) => self.cancel(cx, why),
            State::Up(up) => {
                // §15: the callee sends no BYE before the ACK to its 2xx came or was given up.
                if let Exchange::Acking { initial: true, .. } = up.exchange {
                    up.deferred = Some(why);
                    return;
                }
                self.end(cx, Some(why), LegEvent::Over(LegEnd::ByUs));
            }
            State::GivenUp(_) | State::Ending(_) | State::Over => {}
        }
    }

    /// Whether its end, which the engine wants, is still to be said: BYE waits for the ACK (§15.1.1), or
    /// the answer to a CANCEL is not here, which may be a call that must be ended.
    pub fn owes_end(&self) -> bool {
        match &self.state {
            State::Calling(calling) => calling.cancel.is_some(),
            State::Up(up) => up.deferred.is_some(),
            State::Invited(_) | State::GivenUp(_) | State::Ending(_) | State::Over => false,
        }
    }

    /// No ACK is waited for any longer: BYE goes out.
    pub fn end_unacknowledged(&mut self, cx: &mut Cx<'_>) {
        if let State::Up(up) = &self.state
            && let Some(why) = up.deferred
        {
            self.end(cx, Some(why), LegEvent::Over(LegEnd::ByUs));
        }
    }

    /// Sends BYE and waits for its answer; `with` is then told.
    pub(super) fn end(&mut self, cx: &mut Cx<'_>, why: Option<Why>, with: LegEvent) {
        let mut up = match std::mem::replace(&mut self.state, State::Over) {
            State::Up(up) => up,
            other => {
                self.state = other;
                return;
            }
        };
        self.close_exchange(cx, &up);
        self.close_referral(cx, &mut up.dialog);
        // The phone shall know how its transfer ended before its call does.
        if let Some(referral) = &mut self.referral {
            referral.hurry(self.id, &mut up.dialog, cx);
        }
        self.say_bye(cx, up.dialog, why, Some(with));
    }

    /// BYE goes out; its answer is waited for, and then the engine told, if it is to be.
    pub(super) fn say_bye(
        &mut self,
        cx: &mut Cx<'_>,
        mut dialog: Dialog,
        why: Option<Why>,
        with: Option<LegEvent>,
    ) {
        let bye = Some((bye(cx, self.id, &mut dialog, why), dialog.flow));
        let until = None;
        self.state = State::Ending(Box::new(Ending { dialog, why, with, bye, until }));
    }

    /// Time passed for a BYE that waits for the peer to come back.
    pub(super) fn wake_ending(&mut self, cx: &mut Cx<'_>) {
        if let State::Ending(ending) = &mut self.state
            && ending.bye.is_none()
            && ending.until.is_some_and(|until| cx.now.mono >= until)
        {
            let with = ending.with.take();
            self.finish(cx, with);
        }
    }

    /// Early dialogs that come to nothing: what was asked in them gets its answer (§15.1.2), or its transaction
    /// would be kept for ever.
    pub(super) fn close_early(&mut self, cx: &mut Cx<'_>) {
        let asked: Vec<_> = match &mut self.state {
            State::Invited(invited) => {
                invited.early.as_mut().and_then(|early| early.take_asked()).into_iter().collect()
            }
            State::Calling(calling) => calling.take_asked().collect(),
            State::Up(_) | State::GivenUp(_) | State::Ending(_) | State::Over => return,
        };
        for (request, key) in asked {
            self.refuse_request(cx, key, &request, 487);
        }
    }

    /// A REFER that nobody has answered yet is answered now.
    fn close_referral(&mut self, cx: &mut Cx<'_>, dialog: &mut Dialog) {
        let whose = (self.id, self.tag);
        if let Some(referral) = &mut self.referral {
            referral.give_up_asking(whose, dialog, cx);
        }
    }

    /// The dialog is dead: what we send in it is not answered, or answered by 408 or 481 (§12.2.1.2).
    /// BYE goes out for what it is worth, and nobody waits for its answer.
    pub(super) fn abandon(&mut self, cx: &mut Cx<'_>, end: LegEnd, why: Option<Why>) {
        if let State::Up(mut up) = std::mem::replace(&mut self.state, State::Over) {
            self.close_exchange(cx, &up);
            self.close_referral(cx, &mut up.dialog);
            bye(cx, self.id, &mut up.dialog, why);
            cx.tell(self.id, LegEvent::Over(end));
        }
    }

    /// Why the peer ends the leg, when it says so.
    pub(super) fn tell_reason(&self, cx: &mut Cx<'_>, head: &Head) {
        if let Some(reason) = super::reason::read(head) {
            cx.tell(self.id, LegEvent::Reason(reason));
        }
    }

    /// The peer's BYE, in any state.
    pub(super) fn on_bye(&mut self, cx: &mut Cx<'_>, key: u64, request: &Request) {
        let ok = cx.answer(request, 200, self.tag).finish();
        cx.respond(key, 200, ok);
        if let State::Invited(_) | State::Up(_) = self.state {
            self.tell_reason(cx, &request.head);
        }
        if let State::Invited(_) = self.state {
            // Before our final answer: the INVITE is refused (§15.1.2).
            return self.refuse_with(cx, 487, LegEnd::Bye);
        }
        match std::mem::replace(&mut self.state, State::Over) {
            State::Invited(_) | State::GivenUp(_) | State::Over => {}
            State::Calling(calling) => {
                self.state = State::Calling(calling);
                self.on_early_bye(cx, &request.head);
            }
            State::Up(mut up) => {
                self.close_exchange(cx, &up);
                self.close_referral(cx, &mut up.dialog);
                cx.tell(self.id, LegEvent::Over(LegEnd::Bye));
                self.orphan_referral(up.dialog);
            }
            // It crossed ours; both are answered.
            State::Ending(ending) => self.finish(cx, ending.with),
        }
    }

    /// What came of our BYE: any final answer, or none, ends it (§15.1.1).
    pub(super) fn on_bye_outcome(&mut self, cx: &mut Cx<'_>, branch: Token, outcome: &Outcome) {
        if let Outcome::Response(response) = outcome
            && response.status < 200
        {
            return;
        }
        if let State::Ending(ending) = &mut self.state
            && ending.bye.is_some_and(|(due, _)| due == branch)
        {
            let with = ending.with.take();
            self.finish(cx, with);
        }
    }
}
