//! The connections that a leg's messages go by: another takes the place of one, one breaks, none can be made.
//! What was said on a connection that is gone has not failed, and ends no call: it waits for the peer, and is
//! said again where it comes back, 64·T1 at most. What was said on one that lives waits there for its answer,
//! wherever else the peer speaks.

use super::outgoing::bye;
use super::reason;
use super::session::{Exchange, Proposal, Refresh};
use super::{Leg, State};
use crate::base::Mono;
use crate::sip::api::{Flow, LegEnd, LegEvent};
use crate::sip::endpoint::core::Cx;
use crate::sip::transaction::after_ms;
use crate::sip::transaction::timer::LONG_MS;

/// The way that a leg's messages go, and the others that its requests went which wait for an answer: it is to
/// hear of the loss of each.
pub(in crate::sip) type Ways = [Option<Flow>; 5];

impl Leg {
    /// The ways on which it hangs.
    pub fn ways(&self) -> Ways {
        let now = self.flow();
        let asked = match &self.state {
            State::Up(up) => {
                let news = self.referral.as_ref().and_then(|referral| referral.way());
                [up.exchange.way(), up.refreshing.way(), self.presses.way(), news]
            }
            State::Ending(ending) => [ending.bye.map(|(_, by)| by), None, None, None],
            State::Invited(_) | State::Calling(_) | State::GivenUp(_) | State::Over => [None; 4],
        };
        let [reinvite, refresh, key, news] = asked.map(|way| way.filter(|way| Some(*way) != now));
        [now, reinvite, refresh, key, news]
    }

    /// A message of the peer's came on `flow`. Whether that is another connection than before.
    pub(super) fn hear_on(&mut self, cx: &mut Cx<'_>, flow: Flow) -> bool {
        let before = self.flow();
        if !self.adopt(cx, flow) {
            return false;
        }
        // One of our making, which had no number before its first word, is no other.
        let same = |old: &Flow| old.connection == 0 && old.remote == flow.remote;
        match before.filter(same) {
            Some(old) => {
                self.number(old, flow);
                if let State::GivenUp(_) = &self.state {
                    self.cancel_again(cx);
                }
            }
            None => self.cancel_again(cx),
        }
        true
    }

    /// Takes over the connection that the peer now speaks on. Datagrams move nothing: their source
    /// can be forged, and a phone behind a NAT that moved says so by a target refresh. Whether it is another.
    fn adopt(&mut self, cx: &mut Cx<'_>, flow: Flow) -> bool {
        let current = match &mut self.state {
            State::Invited(invited) => &mut invited.dialog.flow,
            State::Calling(calling) | State::GivenUp(calling) => &mut calling.flow,
            State::Up(up) => &mut up.dialog.flow,
            State::Ending(ending) => &mut ending.dialog.flow,
            State::Over => return false,
        };
        let fits = flow.transport == current.transport && flow.transport.is_stream();
        let moved = fits && flow.connection != 0 && *current != flow;
        if moved {
            *current = flow;
            match &mut self.state {
                // The INVITE may have to be cancelled yet, and its failure to be acknowledged: where the phone is.
                State::Calling(calling) | State::GivenUp(calling) => {
                    cx.reroute(calling.branch, flow);
                }
                // And its own INVITE to be answered there: a refusal is said once on a stream.
                State::Invited(invited) => cx.reroute_answer(invited.key, flow),
                State::Up(up) => up.is_back(),
                State::Ending(_) | State::Over => {}
            }
        }
        moved
    }

    /// The connection that was to be made, `old`, is `flow`: what went by it waits there.
    fn number(&mut self, old: Flow, flow: Flow) {
        match &mut self.state {
            State::Up(up) => {
                let (offer, refresh) = (up.exchange.way_mut(), up.refreshing.way_mut());
                let news = self.referral.as_mut().and_then(|referral| referral.way_mut());
                let ways = [offer, refresh, self.presses.way_mut(), news];
                for way in ways.into_iter().flatten().filter(|way| **way == old) {
                    *way = flow;
                }
            }
            State::Ending(ending) => {
                if let Some((_, by)) = ending.bye.as_mut().filter(|(_, by)| *by == old) {
                    *by = flow;
                }
            }
            State::Invited(_) | State::Calling(_) | State::GivenUp(_) | State::Over => {}
        }
    }

    /// The phone has registered on a new connection, in place of one that is lost or that it left. What was
    /// on its way there is said again here.
    pub fn reattach(&mut self, cx: &mut Cx<'_>, left: &[Flow], flow: Flow) {
        let Some(before) = self.flow() else { return };
        let gone = before.connection == 0 || left.contains(&before);
        if gone && !self.adopt(cx, flow) {
            return;
        }
        if gone {
            self.cancel_again(cx);
            match &self.state {
                // A call that is given up is not said to a phone that may not have had it. One that had it, and whose
                // first word was lost, rings: its next, a minute after (§13.3.1.1), is cancelled yet.
                State::Calling(calling) if calling.cancel.is_some() => {}
                // Nobody can have heard it, or its answer came nowhere: the same once more, which a phone that had it
                // takes for a repetition (§17.2.1).
                State::Calling(calling) => cx.repeat_unheard(calling.branch),
                State::Invited(invited) => {
                    cx.knock(invited.key, flow);
                }
                State::Up(up) => {
                    if let Exchange::Asked { key, .. } = &up.exchange {
                        cx.reroute_answer(*key, flow);
                    }
                }
                State::GivenUp(_) | State::Ending(_) | State::Over => {}
            }
        }
        let now = cx.now.mono;
        let recalled = self.recall(cx, now, |way| left.contains(&way) || (gone && way == before));
        if gone || recalled {
            self.resume(cx);
            self.go_on(cx);
        }
    }

    /// The connection that the leg hangs on is gone. What comes next goes by a new one.
    pub fn on_flow_lost(&mut self, cx: &mut Cx<'_>, lost: Flow) {
        match &mut self.state {
            State::Invited(invited) if invited.dialog.flow == lost => {
                let flow = Flow { remote: invited.listens_at(), connection: 0, ..lost };
                invited.dialog.flow = flow;
                invited.note_knock(cx.now.mono);
                cx.knock(invited.key, flow);
            }
            State::Calling(calling) if calling.flow == lost => {
                let branch = calling.branch;
                if cx.is_unheard(branch) {
                    // Nothing came back on it and nothing can.
                    if cx.fail_client(branch).is_some() {
                        self.over(cx, LegEvent::Refused { status: 503 });
                    }
                } else {
                    calling.flow.connection = 0;
                    cx.reroute(branch, calling.flow);
                }
            }
            State::GivenUp(calling) if calling.flow == lost => {
                calling.flow.connection = 0;
                cx.reroute(calling.branch, calling.flow);
            }
            State::Up(_) | State::Ending(_) => self.lose(cx, lost),
            State::Invited(_) | State::Calling(_) | State::GivenUp(_) | State::Over => {}
        }
    }

    /// A connection of a confirmed dialog is gone.
    fn lose(&mut self, cx: &mut Cx<'_>, lost: Flow) {
        let now = cx.now.mono;
        let dialog = match &mut self.state {
            State::Up(up) => &mut up.dialog,
            State::Ending(ending) => &mut ending.dialog,
            State::Invited(_) | State::Calling(_) | State::GivenUp(_) | State::Over => return,
        };
        let hung_on = dialog.flow == lost;
        if hung_on {
            let remote = dialog.wanted_address().unwrap_or(lost.remote);
            dialog.flow = Flow { remote, connection: 0, ..lost };
            if let State::Up(up) = &mut self.state {
                up.lost = Some(now);
            }
        }
        let recalled = self.recall(cx, now, |way| way == lost);
        match (hung_on, recalled) {
            (true, true) => self.part(cx),
            // The peer has spoken on another since.
            (false, true) => {
                self.resume(cx);
                self.go_on(cx);
            }
            (_, false) => {}
        }
    }

    /// What was sent on `flow` did not reach anybody.
    pub fn on_unsendable(&mut self, cx: &mut Cx<'_>, flow: Flow) {
        let here = self.flow() == Some(flow);
        match &self.state {
            State::Invited(invited) if here && invited.may_have_knocked_in_vain(cx.now.mono) => {
                // Nobody is there to be answered.
                let key = invited.key;
                cx.drop_server(key);
                self.over(cx, LegEvent::Over(LegEnd::Lost));
            }
            State::Calling(calling) if here => {
                let (branch, cancelled) = (calling.branch, calling.cancel.is_some());
                let status = if cancelled { 487 } else { 503 }; // §8.1.3.1
                if cx.rings(branch) {
                    // But for a CANCEL it may have been anybody's message to there: the phone rings on.
                    if cancelled {
                        self.give_up(cx, status);
                    }
                    return;
                }
                cx.fail_client(branch);
                self.over(cx, LegEvent::Refused { status });
            }
            State::Up(_) | State::Ending(_) => self.fall_short(cx, flow, here),
            State::Invited(_) | State::Calling(_) | State::GivenUp(_) | State::Over => {}
        }
    }

    /// The same in a confirmed dialog; `here` is whether its messages go that way.
    fn fall_short(&mut self, cx: &mut Cx<'_>, flow: Flow, here: bool) {
        let now = cx.now.mono;
        let pressed = self.presses.put_back(flow);
        if !here {
            if self.recall(cx, now, |way| way == flow) || pressed {
                self.resume(cx);
                self.go_on(cx);
            }
            return;
        }
        let comes_back = self.comes_back();
        match &mut self.state {
            State::Up(up) => {
                // One that had a number was closed at this moment: we hear of that next.
                if flow.connection != 0 {
                    up.lost.get_or_insert(now);
                }
                // A call that a carrier has not acknowledged yet, and to whom no connection can be made, is none.
                let came =
                    comes_back || !matches!(up.exchange, Exchange::Acking { initial: true, .. });
                // The way is named by an address, and others' messages go it, too.
                let (offers, refreshes) = match &up.exchange {
                    Exchange::Offered { by, refresh, .. } if *by == flow => (!refresh, *refresh),
                    Exchange::Acking { .. } => (true, false),
                    _ => (false, false),
                };
                let says = pressed || offers;
                let refreshes = refreshes || up.refreshing.way() == Some(flow);
                if refreshes && !says && !comes_back && up.timer.is_some() {
                    return self.put_off_refresh(cx, flow);
                }
                let ours = says || refreshes;
                // Nobody had to come back while nothing was to be said to a peer that does not.
                let since = if ours && !comes_back { Some(up.fail(now)) } else { up.lost };
                match since {
                    // §8.1.3.1: as by a 503, which ends no dialog. The peer has time to be there again.
                    Some(since) if came && now < after_ms(since, LONG_MS) => {
                        self.recall(cx, since, |way| way == flow);
                    }
                    Some(_) | None if !ours => {}
                    // §12.2.1.2: nobody is there any more. Should the phone come back yet, it is told.
                    Some(_) | None => {
                        self.end(cx, None, LegEvent::Over(LegEnd::Lost));
                        self.part(cx);
                    }
                }
            }
            State::Ending(_) => {
                if self.recall(cx, now, |way| way == flow) {
                    self.part(cx);
                }
            }
            State::Invited(_) | State::Calling(_) | State::GivenUp(_) | State::Over => {}
        }
    }

    /// A refresh could not be sent to a peer that comes back by no REGISTER: as by a 503 (§8.1.3.1). The session
    /// stands until its end, and its timer tries again till then (RFC 4028 §10).
    fn put_off_refresh(&mut self, cx: &mut Cx<'_>, flow: Flow) {
        let State::Up(up) = &mut self.state else { return };
        if let Exchange::Offered { branch, by, refresh: true, .. } = up.exchange
            && by == flow
        {
            // Should it have arrived all the same, it is answered yet.
            cx.orphan(branch);
            up.exchange = Exchange::Idle;
        }
        if up.refreshing.way() == Some(flow) {
            up.refreshing = Refresh::Idle;
        }
        up.told_later(503, cx);
        // News of a transfer waits for the peer's next word.
        self.recall(cx, cx.now.mono, |way| way == flow);
        self.next_offer(cx);
    }

    // ---- what was said there -------------------------------------------------------------------------

    /// What is on its way by a connection that is `gone` fails there as by a 503, which ends no dialog (§8.1.3.1,
    /// §17.1.4): it waits to be said again, 64·T1 from `since` at most. Whether there was any.
    fn recall(&mut self, cx: &mut Cx<'_>, since: Mono, gone: impl Fn(Flow) -> bool) -> bool {
        let up = match &mut self.state {
            State::Up(up) => up,
            State::Ending(ending) => {
                let Some((branch, _)) = ending.bye.take_if(|(_, by)| gone(*by)) else {
                    return false;
                };
                cx.fail_client(branch);
                return true;
            }
            State::Invited(_) | State::Calling(_) | State::GivenUp(_) | State::Over => {
                return false;
            }
        };
        let mut recalled = false;
        if let Exchange::Offered { branch, by, sdp, tries, refresh, .. } = &mut up.exchange
            && gone(*by)
        {
            // Should it have arrived all the same, it is answered yet.
            cx.orphan(*branch);
            let newer = up.wanted.take();
            let (tries, refresh) = (*tries, *refresh && newer.is_none());
            let Proposal(sdp) = newer.unwrap_or_else(|| Proposal(sdp.take()));
            up.exchange = Exchange::Adrift { at: after_ms(since, LONG_MS), sdp, tries, refresh };
            up.not_told();
            recalled = true;
        }
        if up.refreshing.way().is_some_and(&gone) {
            up.refreshing = Refresh::Adrift;
            up.not_told();
            if let Some(timer) = &mut up.timer {
                timer.again_in(LONG_MS, since);
            }
            recalled = true;
        }
        if let Some(key) = self.presses.let_go(&gone) {
            cx.fail_client(key);
            recalled = true;
        }
        if let Some(news) = self.referral.as_mut().and_then(|referral| referral.recall(&gone)) {
            cx.fail_client(news);
            recalled = true;
        }
        recalled
    }

    /// When what waits for the peer to come back waits no longer and is said by a connection of our making. An
    /// offer has its own time, which is the same.
    pub(super) fn patience(&self) -> Option<Mono> {
        let State::Up(up) = &self.state else { return None };
        let waits = up.refreshing == Refresh::Adrift || self.presses.wait_for_peer();
        up.lost.max(up.failing).filter(|_| waits).map(|since| after_ms(since, LONG_MS))
    }

    /// The peer is there again: what waited for that has its turn.
    pub(super) fn resume(&mut self, cx: &mut Cx<'_>) {
        let State::Up(up) = &mut self.state else { return };
        let now = cx.now.mono;
        if let Exchange::Adrift { at, .. } = &mut up.exchange {
            *at = now;
        }
        if let Refresh::Adrift = up.refreshing {
            up.refreshing = Refresh::Idle;
            if let Some(timer) = &mut up.timer {
                timer.again_in(0, now);
            }
        }
        self.presses.resume();
        if let Some(referral) = &mut self.referral {
            referral.resume(self.id, &mut up.dialog, cx);
        }
    }

    /// What may be said now is.
    pub(super) fn go_on(&mut self, cx: &mut Cx<'_>) {
        match &self.state {
            State::Up(_) => {
                self.next_offer(cx);
                self.press_next(cx);
            }
            State::Ending(ending) if ending.bye.is_none() => self.bye_again(cx),
            State::Ending(_)
            | State::Invited(_)
            | State::Calling(_)
            | State::GivenUp(_)
            | State::Over => {}
        }
    }

    // ---- an end that is still to be said -------------------------------------------------------------

    /// The peer cannot be told now that its call ends. The engine need not wait for that: its end is here.
    fn part(&mut self, cx: &mut Cx<'_>) {
        let comes_back = self.comes_back();
        let State::Ending(ending) = &mut self.state else { return };
        let until = *ending.until.get_or_insert(after_ms(cx.now.mono, LONG_MS));
        if let Some(with) = ending.with.take() {
            cx.tell(self.id, with);
        }
        // A transfer of ours that goes on is no news any more.
        self.refers = false;
        // Who comes back by no REGISTER is not waited for.
        let waits = comes_back && cx.now.mono < until;
        if ending.bye.is_none() && !waits {
            self.state = State::Over;
        }
    }

    /// BYE again, a request of its own, where the peer is: for 64·T1 from the first time, so that one that comes
    /// and goes without an answer is given up.
    fn bye_again(&mut self, cx: &mut Cx<'_>) {
        let State::Ending(ending) = &mut self.state else { return };
        let until = *ending.until.get_or_insert(after_ms(cx.now.mono, LONG_MS));
        if cx.now.mono >= until {
            let with = ending.with.take();
            return self.finish(cx, with);
        }
        let branch = bye(cx, self.id, &mut ending.dialog, ending.why);
        ending.bye = Some((branch, ending.dialog.flow));
    }

    /// The phone rings where it is, and does not hear now that nobody waits for it: the engine's end is here, the
    /// phone's comes when it is back. §9.1 gives the INVITE 64·T1 for that.
    fn give_up(&mut self, cx: &mut Cx<'_>, status: u16) {
        self.close_early(cx);
        self.state = match std::mem::replace(&mut self.state, State::Over) {
            State::Calling(calling) => {
                cx.orphan(calling.branch);
                cx.tell(self.id, LegEvent::Refused { status });
                State::GivenUp(calling)
            }
            other => other,
        };
    }

    /// The phone speaks on another connection: a CANCEL that went by the one before is said again there, as its
    /// transaction would repeat it (§9.1, §17.1.2.2).
    fn cancel_again(&self, cx: &mut Cx<'_>) {
        let calling = match &self.state {
            State::Calling(calling) if calling.cancel.is_some() => calling,
            State::GivenUp(calling) => calling,
            State::Invited(_)
            | State::Calling(_)
            | State::Up(_)
            | State::Ending(_)
            | State::Over => return,
        };
        cx.cancel_again(calling.branch, calling.cancel.and_then(reason::said));
    }
}
