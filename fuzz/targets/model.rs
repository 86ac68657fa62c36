//! What an endpoint owes its peers and its engine, small enough to be seen to be right. The script
//! tells it what was put in; it judges what comes out.

use crate::base::LegId;
use crate::sip::api::{BindingChange, Effect, LegEnd, LegEvent};
use crate::sip::{Head, HeaderName, Message, Method, Request, Response, ViaTransport, parse};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};

/// A leg as its events told it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leg {
    /// The peer called us.
    pub incoming: bool,
    /// Our 2xx to its INVITE has left, which waits for a PRACK that is due (RFC 3262 §3), or the peer has answered.
    pub up: bool,
    /// Its last word was heard.
    pub over: bool,
}

/// A request of ours that the script can answer.
#[derive(Clone, Debug)]
pub struct Asked {
    /// As sent.
    pub request: Request,
    /// The way it went.
    pub flow: crate::sip::api::Flow,
    /// The leg, where we know it.
    pub leg: Option<LegId>,
    /// A final answer was delivered, or the endpoint has given it up.
    pub done: bool,
    /// Until when an answer to a re-INVITE is waited for whose connection broke, which is to be said anew: as after a
    /// CANCEL (RFC 3261 §9.1).
    pub until_us: Option<u64>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Model {
    pub legs: BTreeMap<LegId, Leg>,
    /// Our requests but ACK, each once, in order.
    pub asked: Vec<Asked>,
    /// Our tag in the dialogs of the peer's calls, by Call-ID.
    pub our_tags: BTreeMap<String, String>,
    /// The leg of each Call-ID.
    pub owners: BTreeMap<String, LegId>,
    /// Call-ID and the peer's tag of the message that is being read.
    reading: Option<(String, String)>,
    /// The legs of the peer's calls by both.
    called: BTreeMap<(String, String), LegId>,
    /// Final answers, by Via, method and CSeq, with when they were first given.
    finals: BTreeMap<(String, String), (u16, u64)>,
    /// Last CSeq of ours by Call-ID and both tags, with its branch.
    cseqs: BTreeMap<(String, String, String), (u32, String)>,
    /// 2xx to our INVITEs that must be acknowledged: Call-ID, CSeq, the peer's tag.
    due_acks: BTreeSet<(String, u32, String)>,
    acks: BTreeSet<(String, u32, String)>,
    /// Call-IDs whose INVITE the peer answered without a tag, and that INVITE's CSeq.
    tagless: BTreeMap<String, u32>,
    /// The right answer to a challenge was sent at least once.
    pub proved: bool,
    /// Everything the peer has sent is well formed and only repeated as it was.
    pub fair: bool,
}

impl Model {
    /// Nothing has happened yet.
    pub fn new(fair: bool) -> Self {
        Self { fair, ..Self::default() }
    }

    /// Takes what came of one input, in order. `now_us` is the time of the input.
    pub fn take(&mut self, out: &mut Vec<Effect>, now_us: u64, begins: Option<LegId>) {
        let mut began = begins;
        for effect in out.drain(..) {
            match effect {
                Effect::Send { flow, bytes, .. } => self.sent(flow, &bytes, now_us, &mut began),
                Effect::Leg { leg, event } => {
                    if let LegEvent::Incoming(_) = event {
                        began = Some(leg);
                    }
                    self.told(leg, &event);
                }
                Effect::Binding(change) => self.bound(&change),
                _ => {}
            }
        }
    }

    /// These bytes are about to be handed in.
    pub fn heard(&mut self, bytes: &Bytes) {
        self.reading = match parse(bytes) {
            Ok(Message::Request(request)) => Some(of_peer(&request.head)),
            _ => None,
        };
    }

    fn told(&mut self, id: LegId, event: &LegEvent) {
        let fresh = !self.legs.contains_key(&id);
        let leg = self.legs.entry(id).or_default();
        assert!(!leg.over, "{id:?} speaks after its end: {event:?}");
        match event {
            LegEvent::Incoming(incoming) => {
                assert!(fresh && id.0 % 2 == 1, "{id:?} begins twice");
                // What no line can show is no number, and stores refuse it.
                let asserted = incoming.asserted.as_ref().map_or("", |it| it.reveal());
                for shown in [&incoming.dialled, incoming.from_user.reveal(), asserted] {
                    assert!(!shown.chars().any(char::is_control), "{shown:?}");
                }
                leg.incoming = true;
                self.called.extend(self.reading.take().map(|names| (names, id)));
            }
            LegEvent::Progress { status, .. } => {
                assert!(
                    (101..200).contains(status) && !leg.incoming && !leg.up,
                    "{id:?} {event:?}"
                );
            }
            LegEvent::Answered { .. } => {
                assert!(!leg.incoming && !leg.up, "{id:?} is answered twice");
                leg.up = true;
            }
            LegEvent::Refused { status } => {
                assert!(
                    (300..700).contains(status) && !leg.incoming && !leg.up,
                    "{id:?} {event:?}"
                );
                leg.over = true;
            }
            LegEvent::Confirmed { .. } => {
                // Also to the offer that we made in a re-INVITE's 200.
                assert!(leg.up, "{id:?} {event:?}");
            }
            LegEvent::Over(end) => {
                match end {
                    LegEnd::Cancelled => assert!(leg.incoming && !leg.up, "{id:?} {event:?}"),
                    // A 2xx to the INVITE or a re-INVITE, or a reliable ringing.
                    LegEnd::NoAck => assert!(leg.up || leg.incoming, "{id:?} {event:?}"),
                    _ => {}
                }
                leg.over = true;
            }
            _ => {}
        }
        // What the endpoint has given up is not answered any more.
        let gave_up = matches!(event, LegEvent::OfferAnswered { .. });
        if leg.over || gave_up {
            for asked in self.asked.iter_mut().filter(|asked| asked.leg == Some(id)) {
                asked.done |= asked.request.method == Method::Invite;
            }
        }
    }

    fn sent(
        &mut self,
        flow: crate::sip::api::Flow,
        bytes: &Bytes,
        now_us: u64,
        began: &mut Option<LegId>,
    ) {
        let head = String::from_utf8_lossy(bytes);
        match parse(bytes) {
            Ok(Message::Request(request)) => self.we_ask(flow, request, began),
            Ok(Message::Response(response)) => self.we_answer(&response, now_us, began),
            // An answer to what cannot be read shows what could not be read.
            Err(error) => assert!(!self.fair && head.starts_with("SIP/2.0 "), "{error}:\n{head}"),
        }
    }

    fn we_answer(&mut self, response: &Response, now_us: u64, began: &mut Option<LegId>) {
        let head = &response.head;
        // What only its CSeq calls an ACK may be told so.
        let acks = head.cseq.method == Method::Ack;
        assert!(!acks || !self.fair, "RFC 3261 §17: nobody answers an ACK");
        if head.cseq.method == Method::Invite
            && let Some(tag) = head.to.tag()
        {
            self.our_tags.entry(head.call_id.to_string()).or_insert_with(|| tag.to_owned());
            if let Some(leg) = began.take_if(|leg| leg.0 % 2 == 1) {
                self.owners.insert(head.call_id.to_string(), leg);
            }
        }
        if head.cseq.method == Method::Invite && (200..300).contains(&response.status) {
            let leg = self.called.get(&of_peer(head)).and_then(|leg| self.legs.get_mut(leg));
            leg.into_iter().for_each(|leg| leg.up = true);
        }
        if response.status < 200 || !self.fair {
            return;
        }
        // RFC 3261 §17.2: one final answer to a request, and the same one to its repetitions. What a
        // transaction that has ended does not remember any more is new: T4 after the ACK, on a stream
        // at once.
        let key = (head.via.to_string(), head.cseq.to_string());
        let answered = self.finals.entry(key).or_insert((response.status, now_us));
        // A challenge keeps no state, so what comes under the same branch with a proof is answered anew.
        if answered.0 == 401 || response.status == 401 {
            *answered = (response.status, now_us);
            return;
        }
        let (status, first_us) = *answered;
        let datagram = head.via.transport == ViaTransport::Udp;
        if datagram && now_us.saturating_sub(first_us) < 4_000_000 {
            assert_eq!(status, response.status, "two final answers to one {}", head.cseq);
        }
    }

    fn we_ask(&mut self, flow: crate::sip::api::Flow, request: Request, began: &mut Option<LegId>) {
        let head = &request.head;
        let call_id = head.call_id.to_string();
        let tag = |address: &crate::sip::NameAddr| address.tag().unwrap_or_default().to_owned();
        let (from, to) = (tag(&head.from), tag(&head.to));
        let names = (call_id.clone(), to.clone());
        let branch = head.via.branch().unwrap_or_default().to_owned();
        assert!(branch.starts_with("z9hG4bK") && !from.is_empty(), "{request:?}");
        assert!(head.max_forwards.is_some_and(|hops| hops > 0));
        if request.method == Method::Ack {
            self.acks.insert((call_id, head.cseq.number, to));
            return;
        }
        if let Some(leg) = began.take_if(|leg| leg.0 % 2 == 0) {
            self.owners.insert(call_id.clone(), leg);
        }
        let repeated = self.asked.iter().any(|asked| {
            asked.request.method == request.method
                && asked.request.head.via.branch() == Some(branch.as_str())
        });
        if repeated {
            return;
        }
        if request.method == Method::Cancel {
            let cancelled = self.asked.iter().find(|asked| {
                asked.request.head.via.branch() == Some(branch.as_str())
                    && asked.request.head.cseq.number == head.cseq.number
            });
            assert!(cancelled.is_some(), "RFC 3261 §9.1: CANCEL bears the branch of its INVITE");
        } else {
            let (last, _) = self
                .cseqs
                .entry((call_id.clone(), from, to))
                .and_modify(|(last, had)| {
                    assert!(
                        head.cseq.number > *last,
                        "RFC 3261 §12.2.1.1: CSeq rises: {request:?}"
                    );
                    (*last, *had) = (head.cseq.number, branch.clone());
                })
                .or_insert((head.cseq.number, branch));
            assert_eq!(*last, head.cseq.number);
        }
        let leg = self.owners.get(&call_id).or_else(|| self.called.get(&names)).copied();
        self.asked.push(Asked { request, flow, leg, done: false, until_us: None });
    }

    /// The connection is gone, or takes nothing: what was asked by it inside a call is said anew.
    pub fn recalled(&mut self, flow: crate::sip::api::Flow, now_us: u64) {
        let inside = |asked: &&mut Asked| {
            asked.request.method == Method::Invite && asked.request.head.to.tag().is_some()
        };
        for asked in self.asked.iter_mut().filter(|asked| asked.flow == flow).filter(inside) {
            asked.until_us.get_or_insert(now_us.saturating_add(32_000_000));
        }
    }

    /// A response to `asked[at]` is about to be handed in, well formed, with this tag in To.
    pub fn answering(&mut self, at: usize, status: u16, tag: &str, now_us: u64) {
        let Some(asked) = self.asked.get_mut(at) else { return };
        asked.done |= asked.until_us.is_some_and(|until| now_us > until);
        let head = &asked.request.head;
        let invite = asked.request.method == Method::Invite;
        let (call_id, number) = (head.call_id.to_string(), head.cseq.number);
        if (200..300).contains(&status) && invite && !asked.done {
            // Where the peer has no tag, what follows has none either, whatever it says later (RFC 3261 §12.2.1.1).
            let bare = self.tagless.get(&call_id).is_some_and(|first| number > *first);
            if bare {
                self.due_acks.insert((call_id, number, String::new()));
            } else if tag.is_empty() {
                self.tagless.insert(call_id, number);
            } else {
                self.due_acks.insert((call_id, number, tag.to_owned()));
            }
        }
        asked.done |= status >= 200;
    }

    /// The peer ends the dialog of this tag. An early one, which it must not end (§15), it may begin anew.
    pub fn left(&mut self, call_id: &str, tag: &str) {
        self.cseqs.retain(|(id, _, peer), _| id != call_id || peer != tag);
    }

    /// Everybody has hung up and 64·T1 have passed, more than once.
    pub fn at_the_end(&self) {
        for (id, leg) in &self.legs {
            assert!(leg.over, "{id:?} has no end: {leg:?}");
        }
        // Where the peer has no tag and its 2xx says one all the same, either tells it which 2xx is meant.
        let has = |due: &(String, u32, String)| {
            let (call_id, number, tag) = due;
            let mut acks = self.acks.iter().filter(|(id, seq, _)| (id, seq) == (call_id, number));
            acks.any(|(_, _, ours)| ours == tag || tag.is_empty())
        };
        let missing: Vec<_> = self.due_acks.iter().filter(|due| !has(due)).collect();
        assert!(missing.is_empty(), "2xx without ACK (RFC 3261 §13.2.2.4): {missing:?}");
    }

    fn bound(&self, change: &BindingChange) {
        let (account, put) = match change {
            BindingChange::Put(binding) => (&binding.account, true),
            BindingChange::Remove { account, .. } => (account, false),
        };
        assert_eq!(account.as_str(), "1000", "nobody else has a password: {change:?}");
        assert!(self.proved || !put, "registered without a password: {change:?}");
    }

    /// Whether this request of the peer's had its final answer.
    pub fn is_answered(&self, via: &str, cseq: &str) -> bool {
        self.finals.contains_key(&(via.to_owned(), cseq.to_owned()))
    }

    /// The values that a response copies.
    pub fn copied(request: &Request) -> String {
        let mut text = String::new();
        for name in [HeaderName::Via, HeaderName::RecordRoute, HeaderName::From, HeaderName::CallId]
        {
            for value in request.head.headers.all(&name) {
                text += &format!("{}: {}\r\n", name.as_str(), String::from_utf8_lossy(value));
            }
        }
        text + &format!("CSeq: {}\r\n", request.head.cseq)
    }
}

/// Call-ID and the peer's tag, in what the peer asks and in what we answer.
fn of_peer(head: &Head) -> (String, String) {
    (head.call_id.to_string(), head.from.tag().unwrap_or_default().to_owned())
}
