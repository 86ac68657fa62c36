//! The early dialogs of an INVITE of ours: each fork has its own tag, description, and sequence of
//! provisional responses that we acknowledge (RFC 3261 §13.2.2.4, RFC 3262 §4, RFC 3311).

use super::outgoing::Calling;
use super::{Leg, State};
use crate::sip::api::{Flow, LegEvent};
use crate::sip::dialog::{Dialog, Token};
use crate::sip::endpoint::asking::{MAX_FORKS, Purpose};
use crate::sip::endpoint::core::Cx;
use crate::sip::{Head, HeaderName, Method, Request, Response};
use bytes::Bytes;

/// One early dialog.
#[derive(Debug)]
pub(in crate::sip) struct Fork {
    /// The peer's tag.
    pub tag: Box<str>,
    /// Its last `CSeq`.
    pub last: Option<u32>,
    /// What it said last of its media.
    pub sdp: Option<Bytes>,
    /// Once it has said something that must be acknowledged.
    pub reliable: Option<Box<Acknowledged>>,
    /// It has ended its early dialog: what comes late begins none anew.
    pub ended: bool,
}

/// A fork whose provisional responses we acknowledge.
#[derive(Debug)]
pub(in crate::sip) struct Acknowledged {
    pub dialog: Dialog,
    /// `RSeq` of the last that was taken.
    rseq: u32,
    /// Where the peer was then, and our PRACK.
    pracked: (Flow, Token),
    /// Its description was our offer's answer: no other follows (RFC 3261 §13.2.1), and either side
    /// may make a new offer (RFC 3311 §5.1).
    settled: bool,
    /// An offer of its own, by UPDATE, that waits for the engine's answer.
    pub asked: Option<(Box<Request>, u64)>,
}

/// What a provisional response is to us.
enum Heard {
    /// To be told, with what it says of media.
    News(Option<Bytes>),
    /// A repetition, out of order, or of one fork too many.
    Nothing,
}

impl Fork {
    /// What the fork's 2xx means: the first description counts when it came reliably.
    pub fn description(&self, answer: Option<Bytes>) -> Option<Bytes> {
        let settled = self.reliable.as_ref().is_some_and(|reliable| reliable.settled);
        if settled { self.sdp.clone() } else { answer.or_else(|| self.sdp.clone()) }
    }
}

impl Calling {
    fn fork(&mut self, tag: &str) -> Option<&mut Fork> {
        self.forks.iter_mut().find(|fork| *fork.tag == *tag)
    }

    /// The early dialog of a fork that is acknowledged.
    pub fn early_dialog(&mut self, tag: &str) -> Option<&mut Dialog> {
        self.fork(tag)?.reliable.as_mut().map(|reliable| &mut reliable.dialog)
    }

    pub fn owns(&self, head: &Head) -> bool {
        let tag = head.from.tag().unwrap_or_default();
        self.has_fork(&head.call_id, tag)
    }

    pub fn has_fork(&self, call_id: &str, tag: &str) -> bool {
        *self.call_id == *call_id && self.forks.iter().any(|fork| !fork.ended && *fork.tag == *tag)
    }

    pub fn advance(&mut self, head: &Head) -> bool {
        let Some(fork) = self.fork(head.from.tag().unwrap_or_default()) else { return false };
        let rises = fork.last.is_none_or(|last| head.cseq.number > last);
        fork.last = Some(head.cseq.number);
        rises
    }

    /// A fork ends its early dialog. Its offer that is unanswered.
    pub fn end_fork(&mut self, tag: &str) -> Option<(Box<Request>, u64)> {
        let fork = self.fork(tag)?;
        fork.ended = true;
        fork.reliable.as_mut()?.asked.take()
    }

    /// Takes a fork out of the others: it sent the 2xx.
    pub fn take_fork(&mut self, tag: &str) -> Option<Fork> {
        let place = self.forks.iter().position(|fork| *fork.tag == *tag)?;
        Some(self.forks.swap_remove(place))
    }

    /// Every offer that is unanswered, when the INVITE has its final answer (RFC 3261 §15.1.2).
    pub fn take_asked(&mut self) -> impl Iterator<Item = (Box<Request>, u64)> {
        self.forks
            .iter_mut()
            .filter_map(|fork| fork.reliable.as_mut())
            .filter_map(|reliable| reliable.asked.take())
    }
}

impl Leg {
    /// A provisional response above 100.
    pub(super) fn on_early(&mut self, cx: &mut Cx<'_>, response: &Response) {
        let heard = self.hear(cx, response);
        if let Heard::News(sdp) = heard {
            cx.tell(self.id, LegEvent::Progress { status: response.status, sdp });
        }
    }

    fn hear(&mut self, cx: &mut Cx<'_>, response: &Response) -> Heard {
        let State::Calling(calling) = &mut self.state else { return Heard::Nothing };
        let head = &response.head;
        let Some(tag) = head.to.tag() else { return Heard::News(response.sdp()) };
        // Only what our INVITE allowed: see [`extensions::SUPPORTED_WITHOUT_OFFER`].
        let rseq = head
            .headers
            .number(&HeaderName::RSeq)
            .filter(|_| calling.offered && head.headers.names(&HeaderName::Require, "100rel"));
        if calling.fork(tag).is_none() {
            if calling.forks.len() >= MAX_FORKS {
                // One fork too many is heard, but we owe it nothing: it gives up by itself.
                return if rseq.is_some() { Heard::Nothing } else { Heard::News(response.sdp()) };
            }
            let fork =
                Fork { tag: tag.into(), last: None, sdp: None, reliable: None, ended: false };
            calling.forks.push(fork);
        }
        let (target, flow, by_contact) = (calling.target.clone(), calling.flow, calling.by_contact);
        let branch = calling.branch;
        let fork = calling.fork(tag).filter(|fork| !fork.ended);
        let Some(fork) = fork else { return Heard::Nothing };
        let Some(rseq) = rseq else {
            // It said already what counts (RFC 3261 §13.2.1).
            if fork.reliable.as_ref().is_some_and(|reliable| reliable.settled) {
                return Heard::News(None);
            }
            let sdp = response.sdp();
            fork.sdp = sdp.clone().or_else(|| fork.sdp.take());
            return Heard::News(sdp);
        };
        let reliable = match &mut fork.reliable {
            // RFC 3262 §4: the next one, and no other. What is missing will be said again.
            Some(reliable) if reliable.rseq.checked_add(1) == Some(rseq) => reliable,
            // The last one again, on another connection: our PRACK may have gone with the one before.
            Some(reliable) if reliable.rseq == rseq && reliable.pracked.0 != flow => {
                cx.fail_client(reliable.pracked.1);
                acknowledge_early(cx, self.id, reliable, (flow, branch), (tag, head.cseq.number));
                return Heard::Nothing;
            }
            Some(_) => return Heard::Nothing,
            None => {
                let Ok(dialog) = Dialog::asking(response, &target, flow, by_contact) else {
                    return Heard::Nothing; // it cannot be acknowledged
                };
                let (settled, asked, pracked) = (false, None, (flow, branch));
                let it = Acknowledged { dialog, rseq, pracked, settled, asked };
                fork.reliable.insert(Box::new(it))
            }
        };
        reliable.rseq = rseq;
        let sdp = response.sdp().filter(|_| !reliable.settled);
        reliable.settled |= sdp.is_some();
        acknowledge_early(cx, self.id, reliable, (flow, branch), (tag, head.cseq.number));
        if sdp.is_some() {
            fork.sdp.clone_from(&sdp);
        }
        Heard::News(sdp)
    }

    /// An UPDATE with an offer from a phone that has not answered yet (RFC 3311 §5.2).
    pub(super) fn on_forks_offer(&mut self, cx: &mut Cx<'_>, key: u64, request: Request) {
        let State::Calling(calling) = &mut self.state else { return };
        if calling.cancel.is_some() {
            // Nobody is there to answer it any more.
            return self.refuse_request(cx, key, &request, 487);
        }
        let tag = request.head.from.tag().unwrap_or_default();
        let reliable = calling.fork(tag).and_then(|fork| fork.reliable.as_mut());
        match reliable {
            Some(reliable) if reliable.settled && request.method == Method::Update => {
                if reliable.asked.is_some() {
                    return self.refuse_request(cx, key, &request, 500);
                }
                let _ = reliable.dialog.refresh(&request.head, None); // or it stays where it was
                let sdp = request.sdp();
                reliable.asked = Some((Box::new(request), key));
                cx.tell(self.id, LegEvent::Offer { sdp });
            }
            // Its answer to our offer is due (RFC 3311 §5.2).
            Some(_) | None => self.refuse_request(cx, key, &request, 491),
        }
    }

    /// The engine's answer to it. There may be several forks that asked; it meant the first.
    pub(super) fn answer_forks_offer(&mut self, cx: &mut Cx<'_>, answer: Result<&Bytes, u16>) {
        let State::Calling(calling) = &mut self.state else { return };
        let flow = calling.flow;
        let asked = calling.forks.iter_mut().find_map(|fork| {
            let asked = fork.reliable.as_mut()?.asked.take()?;
            if answer.is_ok() {
                fork.sdp = asked.0.sdp(); // its last word, should it answer
            }
            Some(asked)
        });
        if let Some((request, key)) = asked {
            self.answer_with(cx, flow, &request, key, answer);
        }
    }
}

/// PRACK (RFC 3262 §4), where the peer is, of the fork `tag` of the INVITE under `branch` with the number `seq`. Its own
/// transaction repeats it; what came of it is the INVITE's business.
fn acknowledge_early(
    cx: &mut Cx<'_>,
    leg: crate::base::LegId,
    reliable: &mut Acknowledged,
    (flow, branch): (Flow, Token),
    (tag, seq): (&str, u32),
) {
    let own = cx.branch();
    let dialog = &mut reliable.dialog;
    dialog.follow(flow);
    let number = dialog.next_seq();
    let mut writer = dialog.request(&Method::Prack, number, cx.core.place(dialog.flow), own);
    writer.header(&HeaderName::RAck, format_args!("{} {seq} INVITE", reliable.rseq));
    writer.header(&HeaderName::UserAgent, &cx.core.settings.product);
    cx.start(own, leg, Purpose::Prack, dialog.flow, writer.finish());
    reliable.pracked = (flow, own);
    cx.pracked(branch, tag, number);
}
