//! Provisional responses that the caller acknowledges, and the offers of an early dialog (RFC 3262 §3
//! and §5, RFC 3311). Of a caller who does not ask for it nothing is held here.

use super::incoming::RING_AGAIN_MS;
use super::outside::own_contact;
use super::session::Proposal;
use super::{Leg, State, some_sdp};
use crate::base::Mono;
use crate::sip::api::{LegEnd, LegEvent, Reliable};
use crate::sip::endpoint::core::Cx;
use crate::sip::extensions::{ALLOW, SUPPORTED};
use crate::sip::transaction::timer::{LONG_MS, T1_MS};
use crate::sip::transaction::{Repeat, after_ms};
use crate::sip::{HeaderName, Method, Request};
use bytes::Bytes;

/// The early dialog of a caller who acknowledges provisional responses.
#[derive(Debug)]
pub(in crate::sip) struct Early {
    /// `RSeq` of the last response.
    rseq: u32,
    /// The one that waits for its PRACK; there is never a second (§3).
    pending: Option<Pending>,
    /// A provisional response that waits until the one before is acknowledged.
    next: Option<(u16, Option<Bytes>)>,
    /// The 2xx that waits: no 2xx goes out while a description is unacknowledged (§3).
    accept: Option<Bytes>,
    /// Offer and answer are through: who may speak next is free, and the 2xx has nothing to tell.
    pub settled: bool,
    /// An offer of the caller's, by PRACK or UPDATE, that waits for the engine's answer.
    asked: Option<(Box<Request>, u64)>,
    /// A re-INVITE that waits for the 2xx.
    wanted: Option<Proposal>,
}

#[derive(Debug)]
struct Pending {
    answer: Bytes,
    repeat: Repeat,
    until: Mono,
    sdp: bool,
}

/// What `RAck` says (RFC 3262 §7.2): the `RSeq`, then the INVITE's `CSeq`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RAck {
    rseq: u32,
    cseq: u32,
}

impl RAck {
    fn of(request: &Request) -> Option<Self> {
        let mut words = request.head.headers.text(&HeaderName::RAck)?.split_ascii_whitespace();
        let rseq = words.next()?.parse().ok()?;
        let cseq = words.next()?.parse().ok()?;
        (words.next() == Some("INVITE") && words.next().is_none()).then_some(Self { rseq, cseq })
    }
}

/// Whether an INVITE's provisional responses are to be acknowledged.
pub(in crate::sip) fn is_due(invite: &Request, policy: Reliable) -> bool {
    let headers = &invite.head.headers;
    if headers.names(&HeaderName::Require, "100rel") {
        return true;
    }
    // Without an offer our first word would have to be one (§5); who only can do that is spared.
    policy == Reliable::WhenSupported
        && headers.names(&HeaderName::Supported, "100rel")
        && invite.sdp().is_some()
}

/// Whether the first of them must carry our offer, because the INVITE carries none (§5).
pub(in crate::sip) fn carry_an_offer(invite: &Request) -> bool {
    invite.sdp().is_none() && invite.head.headers.names(&HeaderName::Require, "100rel")
}

impl Early {
    /// `start` is any number up to 2³⁰; `RSeq` begins with it or one above (§3).
    pub fn new(start: u32) -> Box<Self> {
        Box::new(Self {
            rseq: start.max(1),
            pending: None,
            next: None,
            accept: None,
            settled: false,
            asked: None,
            wanted: None,
        })
    }

    pub fn deadline(&self) -> Option<Mono> {
        self.pending.as_ref().map(|pending| pending.repeat.at.min(pending.until))
    }

    /// The `RSeq` that may still be acknowledged after the 2xx.
    pub fn unacknowledged(&self) -> Option<u32> {
        self.pending.as_ref().map(|_| self.rseq)
    }

    /// Keeps the 2xx back when it may not go yet.
    pub fn holds_back(&mut self, sdp: &Bytes) -> bool {
        let must_wait = self.asked.is_some() || self.pending.as_ref().is_some_and(|had| had.sdp);
        if must_wait {
            self.accept = Some(sdp.clone());
        }
        must_wait
    }

    /// A re-INVITE of the engine's, which has accepted already as far as it knows.
    pub fn keep(&mut self, proposal: Proposal) {
        if self.accept.is_some() {
            self.wanted = Some(proposal);
        }
    }

    pub fn take_wanted(&mut self) -> Option<Proposal> {
        self.wanted.take()
    }

    /// What is owed when the INVITE ends otherwise than by a 2xx: an offer that is unanswered
    /// (RFC 3261 §15.1.2).
    pub fn take_asked(&mut self) -> Option<(Box<Request>, u64)> {
        self.asked.take()
    }
}

impl Leg {
    /// Says a provisional response that the caller must acknowledge, or keeps it until the one before
    /// is.
    pub(super) fn ring_reliably(&mut self, cx: &mut Cx<'_>, status: u16, sdp: Option<&Bytes>) {
        let tag = self.tag;
        let State::Invited(invited) = &mut self.state else { return };
        let Some(early) = &mut invited.early else { return };
        if early.pending.is_some() || early.asked.is_some() {
            let before = early.next.take().and_then(|(_, sdp)| sdp);
            early.next = Some((status, sdp.cloned().or(before)));
            return;
        }
        // A description is told once; whatever came after it would be ignored (RFC 3261 §13.2.1).
        let sdp = sdp.filter(|_| !early.settled);
        early.rseq = early.rseq.saturating_add(1);
        let mut writer = cx.answer(&invited.request, status, tag);
        writer.contact(own_contact(self.carrier.as_deref(), cx.core.place(invited.dialog.flow)));
        writer.header(&HeaderName::Allow, ALLOW);
        writer.header(&HeaderName::Supported, SUPPORTED);
        writer.header(&HeaderName::Require, "100rel");
        writer.header(&HeaderName::RSeq, early.rseq);
        let bytes = writer.sdp(some_sdp(sdp));
        let now = cx.now.mono;
        early.pending = Some(Pending {
            answer: bytes.clone(),
            repeat: Repeat { at: after_ms(now, T1_MS), wait_ms: T1_MS },
            until: after_ms(now, LONG_MS),
            sdp: sdp.is_some(),
        });
        invited.said = Some((status, Bytes::new(), after_ms(now, RING_AGAIN_MS)));
        invited.note_knock(now);
        cx.respond(invited.key, status, bytes);
    }

    /// Time passed for a response that waits for its PRACK: said again at T1 doubling, for 64·T1 (§3).
    pub(super) fn wake_reliable(&mut self, cx: &mut Cx<'_>) {
        let now = cx.now.mono;
        let State::Invited(invited) = &mut self.state else { return };
        let flow = invited.dialog.flow;
        let Some(pending) = invited.early.as_mut().and_then(|early| early.pending.as_mut()) else {
            return;
        };
        if now >= pending.until {
            // §3: nobody acknowledges it; the INVITE is refused with a 5xx.
            self.refuse_with(cx, 504, LegEnd::NoAck);
        } else if now >= pending.repeat.at {
            pending.repeat = pending.repeat.doubled(LONG_MS, now);
            let answer = pending.answer.clone();
            invited.note_knock(now);
            cx.send(flow, answer, false);
        }
    }

    /// PRACK (§3): it is answered when it names what we said last, in this dialog.
    pub(super) fn on_prack(&mut self, cx: &mut Cx<'_>, key: u64, request: Request) {
        let named = RAck::of(&request);
        let invited = match &mut self.state {
            State::Invited(invited) => invited,
            // It crossed our 2xx (§3).
            State::Up(up) if up.is_acknowledged_by(named.map(|rack| (rack.rseq, rack.cseq))) => {
                let ok = cx.answer(&request, 200, self.tag).finish();
                return cx.respond(key, 200, ok);
            }
            State::Calling(_)
            | State::GivenUp(_)
            | State::Up(_)
            | State::Ending(_)
            | State::Over => {
                return self.refuse_request(cx, key, &request, 481);
            }
        };
        let invite = RAck { rseq: 0, cseq: invited.request.head.cseq.number };
        let offered = invited.request.sdp().is_some();
        let Some(early) = &mut invited.early else {
            return self.refuse_request(cx, key, &request, 481);
        };
        let Some(pending) =
            early.pending.take_if(|_| named == Some(RAck { rseq: early.rseq, ..invite }))
        else {
            return self.refuse_request(cx, key, &request, 481);
        };
        let sdp = request.sdp();
        let refusal = match &sdp {
            None if !request.body.is_empty() => Some(415),
            // §5: our offer must be answered here.
            None if pending.sdp && !offered => Some(400),
            // §5: its first offer is not answered yet.
            Some(_) if !pending.sdp && !early.settled => Some(500),
            None | Some(_) => None,
        };
        if let Some(status) = refusal {
            early.pending = Some(pending);
            return self.refuse_request(cx, key, &request, status);
        }
        let was_settled = early.settled;
        early.settled |= pending.sdp;
        match sdp {
            // §5: a new offer, to be answered in the 200.
            Some(sdp) if was_settled || offered => {
                early.asked = Some((Box::new(request), key));
                cx.tell(self.id, LegEvent::Offer { sdp: Some(sdp) });
            }
            answer => {
                let ok = cx.answer(&request, 200, self.tag).finish();
                cx.respond(key, 200, ok);
                if answer.is_some() {
                    cx.tell(self.id, LegEvent::OfferAnswered { result: Ok(answer) });
                }
                self.after_prack(cx);
            }
        }
    }

    /// What waited for the acknowledgement.
    fn after_prack(&mut self, cx: &mut Cx<'_>) {
        let State::Invited(invited) = &mut self.state else { return };
        let Some(early) = &mut invited.early else { return };
        if let Some(sdp) = early.accept.take() {
            self.accept(cx, &sdp);
        } else if let Some((status, sdp)) = early.next.take() {
            self.ring_reliably(cx, status, sdp.as_ref());
        }
    }

    /// An UPDATE with an offer before our final answer (RFC 3311 §5.2).
    pub(super) fn on_early_offer(&mut self, cx: &mut Cx<'_>, key: u64, request: Request) {
        let State::Invited(invited) = &mut self.state else { return };
        match &mut invited.early {
            Some(early)
                if early.settled && early.asked.is_none() && request.method == Method::Update =>
            {
                let sdp = request.sdp();
                early.asked = Some((Box::new(request), key));
                cx.tell(self.id, LegEvent::Offer { sdp });
            }
            // Our answer to its offer before is due, or not known to have come.
            Some(_) | None => self.refuse_request(cx, key, &request, 500),
        }
    }

    /// The engine's answer to an offer in the early dialog.
    pub(super) fn answer_early_offer(&mut self, cx: &mut Cx<'_>, answer: Result<&Bytes, u16>) {
        let State::Invited(invited) = &mut self.state else { return };
        let flow = invited.dialog.flow;
        let Some((request, key)) = invited.early.as_mut().and_then(|early| early.take_asked())
        else {
            return;
        };
        self.answer_with(cx, flow, &request, key, answer);
        self.after_prack(cx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rack_is_read_whole_or_not_at_all() {
        let table: [(&str, Option<(u32, u32)>); 7] = [
            ("776656 1 INVITE", Some((776_656, 1))),
            ("1\t2  INVITE", Some((1, 2))),
            ("1 2 UPDATE", None),
            ("1 2", None),
            ("1 2 INVITE x", None),
            ("4294967296 1 INVITE", None),
            ("-1 1 INVITE", None),
        ];
        for (text, want) in table {
            let head = "PRACK sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKa\r\n\
                        From: <sip:b@192.0.2.2>;tag=b\r\nTo: <sip:a@192.0.2.1>;tag=a\r\nCall-ID: c\r\nCSeq: 2 PRACK\r\n";
            let bytes = Bytes::from(format!("{head}RAck: {text}\r\n\r\n"));
            let Ok(crate::sip::Message::Request(request)) = crate::sip::parse(&bytes) else {
                panic!("{text}");
            };
            assert_eq!(RAck::of(&request).map(|rack| (rack.rseq, rack.cseq)), want, "{text}");
        }
    }
}
