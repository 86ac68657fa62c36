//! We call: from our INVITE to the peer's final answer, through forks, early media and CANCEL
//! (RFC 3261 §13.2, §9.1).

use super::forks::Fork;
use super::outside::{Asked, Carrier, Outside, UNHEARD_MS, own_contact};
use super::redirect::Turns;
use super::session::{Exchange, Up};
use super::timer::{LEAST_S, MAX_TOO_SMALL, agreed_as_client, write_invite};
use super::{Leg, State, reason, some_sdp};
use crate::base::{LegId, Number};
use crate::sip::HeaderName;
use crate::sip::NameAddr;
use crate::sip::Writer;
use crate::sip::api::{Flow, LegEvent, Shown, Why};
use crate::sip::dialog::{Dialog, Token, again, via};
use crate::sip::endpoint::asking::{Outcome, Purpose};
use crate::sip::endpoint::core::{Cx, Failing};
use crate::sip::extensions::{ALLOW, SUPPORTED, SUPPORTED_WITHOUT_OFFER};
use crate::sip::transaction::after_ms;
use crate::sip::{Head, Method, Response};
use crate::sip::{Host, Uri};
use bytes::Bytes;

/// Our INVITE is out.
#[derive(Debug)]
pub(in crate::sip) struct Calling {
    pub flow: Flow,
    /// The INVITE's.
    pub branch: Token,
    /// Why the engine no longer wants it, once it does not.
    pub cancel: Option<Why>,
    pub call_id: Box<str>,
    pub(super) target: Uri,
    /// See [`Dialog::asking`].
    pub(super) by_contact: bool,
    /// Whether the INVITE carried our offer.
    pub(super) offered: bool,
    /// Its `CSeq`.
    seq: u32,
    /// What we sent, for the times that it must be said anew.
    invite: Bytes,
    /// Our offer.
    sdp: Option<Bytes>,
    /// The session interval that it asks for, if any, seconds.
    expires_s: Option<u32>,
    /// What a 422 made us ask (RFC 4028 §7.3), seconds, and how often.
    least_s: u32,
    too_small: u8,
    /// Where 3xx answers send it.
    pub(super) turns: Option<Box<Turns>>,
    /// The early dialogs, at most [`MAX_FORKS`](crate::sip::endpoint::asking::MAX_FORKS).
    pub(super) forks: Vec<Fork>,
    /// The carrier's part, in a call to one.
    pub(super) asked: Option<Box<Asked>>,
}

/// Whom to call and how.
#[derive(Debug)]
pub(in crate::sip) struct Invitation<'a> {
    pub to: &'a Number,
    pub target: Uri,
    pub flow: Flow,
    /// The proxies before the phone, as Route says them (RFC 3327 §5.4).
    pub path: Option<&'a str>,
    pub by_contact: bool,
    pub shown: &'a Shown,
    pub sdp: Option<&'a Bytes>,
    /// The carrier's part, in a call to one.
    pub outside: Option<Outside>,
}

impl Leg {
    /// Sends the INVITE.
    pub fn invite(cx: &mut Cx<'_>, id: LegId, invitation: Invitation<'_>) -> Self {
        let Invitation { to, target, flow, path, by_contact, shown, sdp, outside } = invitation;
        let (tag, branch) = (cx.token(), cx.branch());
        let place = cx.core.place(flow).clone();
        let call_id = format!("{}{}", cx.token(), cx.token()).into_boxed_str();
        let mut writer = Writer::request(&Method::Invite, &target);
        via(&mut writer, &place, branch);
        writer.header(&HeaderName::MaxForwards, 70);
        if let Some(path) = path {
            writer.header(&HeaderName::Route, path);
        }
        let (mut expires_s, mut least_s) = (cx.core.settings.session.expires_s, LEAST_S);
        let mut supported = if sdp.is_some() { SUPPORTED } else { SUPPORTED_WITHOUT_OFFER };
        if let Some(outside) = &outside {
            outside.write(&mut writer, &call_id, tag);
            (expires_s, least_s) = (outside.expires_s, outside.least_s);
            if !outside.reliable {
                supported = SUPPORTED_WITHOUT_OFFER;
            }
        } else {
            writer.from(&shown_as(shown, place.sent_by.ip().into()).with_tag(&tag.to_string()));
            let host = target.host().cloned().unwrap_or_else(|| flow.remote.ip().into());
            writer.to(&NameAddr::new(Uri::sip(Some(to.as_str()), host, None)));
            writer.call_id(&call_id);
            writer.cseq(1, &Method::Invite);
            writer.contact(&place.contact);
        }
        writer.header(&HeaderName::Allow, ALLOW);
        writer.header(&HeaderName::Supported, supported);
        writer.header(&HeaderName::UserAgent, &cx.core.settings.product);
        write_invite(&mut writer, expires_s);
        let bytes = writer.sdp(some_sdp(sdp));
        let unheard_until = after_ms(cx.now.mono, UNHEARD_MS);
        let carrier = outside.as_ref().map(|outside| Carrier {
            contact: outside.contact.clone(),
            login: outside.upstream.login.clone(),
        });
        let asked = outside.map(|_| Box::new(Asked::new(unheard_until)));
        let calling = Calling {
            flow,
            branch,
            cancel: None,
            call_id,
            target,
            by_contact,
            offered: sdp.is_some(),
            seq: 1,
            invite: bytes.clone(),
            sdp: sdp.cloned(),
            expires_s,
            least_s,
            too_small: 0,
            turns: None,
            forks: Vec::new(),
            asked,
        };
        cx.start(branch, id, Purpose::Invite, flow, bytes);
        Self::new(id, tag, State::Calling(Box::new(calling)))
            .looking_up(by_contact || carrier.is_some())
            .with(carrier.map(Box::new))
    }

    /// What came of the INVITE that began the leg: also after the leg has an answer, because other
    /// forks may still send theirs.
    pub(super) fn on_invite_outcome(&mut self, cx: &mut Cx<'_>, branch: Token, outcome: Outcome) {
        match (&mut self.state, outcome) {
            // An answer to an INVITE that was said anew since.
            (State::Calling(calling) | State::GivenUp(calling), Outcome::Response(response))
                if calling.branch != branch =>
            {
                if (200..300).contains(&response.status) {
                    reject_fork(cx, self.id, branch, &response);
                }
            }
            (State::Calling(calling) | State::GivenUp(calling), Outcome::TimedOut)
                if calling.branch != branch => {}
            (State::Calling(_), Outcome::Response(response)) => match response.status {
                ..200 => self.on_provisional(cx, &response),
                200..300 => self.on_success(cx, branch, &response),
                // §8.1.3.4: a redirection, or the failure of a place that one named. A refusal by 6xx
                // is everybody's (§21.6).
                300..600 if self.turn(cx) => {}
                422 if self.ask_longer(cx, &response.head) => {}
                // Only a carrier's challenge is answered: a called phone has no claim on a password of ours.
                401 | 407 if self.answer_challenge(cx, &response) => {}
                300.. => {
                    if response.status == 503 {
                        self.note_failing(cx, Failing::Busy);
                    }
                    let State::Calling(calling) = &self.state else { return };
                    let status = if calling.cancel.is_some() { 487 } else { response.status };
                    self.over(cx, LegEvent::Refused { status });
                }
            },
            (State::Calling(calling), Outcome::TimedOut) => {
                let status = if calling.cancel.is_some() { 487 } else { 408 };
                if self.turn(cx) {
                    return;
                }
                self.note_failing(cx, Failing::Silent);
                self.over(cx, LegEvent::Refused { status });
            }
            // The 2xx of the dialog that we have, again, before we could acknowledge it.
            (State::Up(up), Outcome::Response(response))
                if response.status >= 200
                    && response.head.to.tag().unwrap_or_default() == &*up.dialog.remote_tag => {}
            // Another fork answered as well: acknowledged and ended (§13.2.2.4).
            (State::Up(_) | State::Ending(_), Outcome::Response(response)) => {
                reject_fork(cx, self.id, branch, &response);
            }
            (State::GivenUp(_), Outcome::Response(response)) => match response.status {
                // Its phone came back and rings yet: the CANCEL went when it did.
                ..200 => {}
                200..300 => self.on_unwanted_success(cx, branch, &response),
                300.. => self.state = State::Over,
            },
            (State::GivenUp(_), Outcome::TimedOut) => self.state = State::Over,
            (State::Invited(_) | State::Up(_) | State::Ending(_) | State::Over, _) => {}
        }
    }

    fn on_provisional(&mut self, cx: &mut Cx<'_>, response: &Response) {
        let State::Calling(calling) = &mut self.state else { return };
        if let Some(asked) = &mut calling.asked {
            asked.heard();
        }
        if let Some(why) = calling.cancel {
            // Now the CANCEL that had to wait may go (§9.1).
            cx.cancel(calling.branch, reason::said(why));
            return;
        }
        if response.status > 100 {
            self.on_early(cx, response);
        }
    }

    /// 422: the INVITE goes out again with an interval that everybody on the way bears (RFC 4028 §7.3).
    fn ask_longer(&mut self, cx: &mut Cx<'_>, refusal: &Head) -> bool {
        let State::Calling(calling) = &mut self.state else { return false };
        let Some(least_s) = refusal.headers.number(&HeaderName::MinSe) else { return false };
        // Who asked for no timer is not made to ask for one.
        let Some(expires_s) = calling.expires_s else { return false };
        if calling.cancel.is_some()
            || calling.too_small >= MAX_TOO_SMALL
            || least_s <= calling.least_s
        {
            return false;
        }
        calling.too_small = calling.too_small.saturating_add(1);
        calling.least_s = least_s;
        let expires = expires_s.max(least_s).to_string();
        let least = least_s.to_string();
        let mut changed =
            vec![(HeaderName::SessionExpires, &*expires), (HeaderName::MinSe, &*least)];
        let proof = self.proof_again(cx);
        changed.extend(proof.as_ref().map(|(name, value)| (name.clone(), value.as_str())));
        self.invite_again(cx, &changed)
    }

    /// Says the INVITE anew: a request of its own in the same call (RFC 3261 §8.1.3.5).
    pub(super) fn invite_again(&mut self, cx: &mut Cx<'_>, changed: &[(HeaderName, &str)]) -> bool {
        let branch = cx.branch();
        self.close_early(cx);
        let State::Calling(calling) = &mut self.state else { return false };
        let seq = calling.seq.saturating_add(1);
        let place = cx.core.place(calling.flow);
        let target = calling.target.to_string();
        let contact = own_contact(self.carrier.as_deref(), place);
        let bytes = again(&calling.invite, &target, seq, place, branch, contact, changed);
        let Some(bytes) = bytes else { return false };
        calling.forks.clear();
        (calling.branch, calling.seq, calling.invite) = (branch, seq, bytes.clone());
        cx.start(branch, self.id, Purpose::Invite, calling.flow, bytes);
        true
    }

    fn on_success(&mut self, cx: &mut Cx<'_>, branch: Token, response: &Response) {
        let State::Calling(calling) = &mut self.state else { return };
        let (flow, cancelled, offered) = (calling.flow, calling.cancel, calling.offered);
        let (said, least_s) = (calling.sdp.take(), calling.least_s);
        let dialog = Dialog::asking(response, &calling.target, flow, calling.by_contact);
        let Ok(mut dialog) = dialog else {
            // Its Contact or route cannot be followed. The INVITE's own target can.
            reject_fork(cx, self.id, branch, response);
            return self.over(cx, LegEvent::Refused { status: 502 });
        };
        let seq = response.head.cseq.number;
        let fork = calling.take_fork(response.head.to.tag().unwrap_or_default());
        let sdp = match &fork {
            Some(fork) => fork.description(response.sdp()),
            None => response.sdp(),
        };
        let mut asked = None;
        if let Some(mut fork) = fork {
            asked = fork.reliable.as_mut().and_then(|reliable| reliable.asked.take());
            dialog.succeed(fork.reliable.map(|reliable| reliable.dialog), fork.last);
        }
        self.close_early(cx);
        if let Some(why) = cancelled {
            // The answer crossed our CANCEL: ACK, then BYE (§13.2.2.4, §15).
            acknowledge(cx, &dialog, branch, seq, None);
            let with = LegEvent::Refused { status: 487 };
            return self.say_bye(cx, dialog, Some(why), Some(with));
        }
        let exchange = if offered {
            acknowledge(cx, &dialog, branch, seq, None);
            asked.map_or(Exchange::Idle, |(request, key)| Exchange::Asked { request, key })
        } else {
            Exchange::OwesAck { branch, seq }
        };
        let mut up = Box::new(Up::new(dialog, exchange, true));
        let policy = cx.core.settings.session;
        up.timer = agreed_as_client(&response.head, least_s, policy, cx.now.mono);
        up.takes_update = takes_update(&response.head);
        up.takes_from_change = takes_from_change(&response.head);
        up.said = said;
        self.state = State::Up(up);
        cx.tell(self.id, LegEvent::Answered { sdp });
    }

    /// A phone answers the call that we gave up and that it could not be told of: ACK, then BYE (§13.2.2.4, §15).
    fn on_unwanted_success(&mut self, cx: &mut Cx<'_>, branch: Token, response: &Response) {
        let State::GivenUp(calling) = &mut self.state else { return };
        let why = calling.cancel;
        let fork = calling.take_fork(response.head.to.tag().unwrap_or_default());
        let (target, flow) = (&calling.target, calling.flow);
        let Ok(mut dialog) = Dialog::asking(response, target, flow, calling.by_contact) else {
            reject_fork(cx, self.id, branch, response);
            self.state = State::Over;
            return;
        };
        if let Some(fork) = fork {
            dialog.succeed(fork.reliable.map(|reliable| reliable.dialog), fork.last);
        }
        acknowledge(cx, &dialog, branch, response.head.cseq.number, None);
        self.say_bye(cx, dialog, why, None);
    }

    /// The engine no longer wants the call that we are making, nor answers what its phones ask.
    pub(super) fn cancel(&mut self, cx: &mut Cx<'_>, why: Why) {
        self.close_early(cx);
        let State::Calling(calling) = &mut self.state else { return };
        if calling.cancel.is_none() {
            calling.cancel = Some(why);
            // Before a provisional response this waits; the answer to the INVITE decides.
            cx.cancel(calling.branch, reason::said(why));
        }
    }

    /// The peer ended an early dialog of our INVITE, which it should not (§15); the INVITE's final
    /// answer still decides.
    pub(super) fn on_early_bye(&mut self, cx: &mut Cx<'_>, head: &Head) {
        let State::Calling(calling) = &mut self.state else { return };
        // §15.1.2: a request still pending in it gets its 487.
        if let Some((request, key)) = calling.end_fork(head.from.tag().unwrap_or_default()) {
            self.refuse_request(cx, key, &request, 487);
        }
    }
}

/// Whether a peer says that it takes UPDATE (RFC 3311 §4).
pub(super) fn takes_update(head: &Head) -> bool {
    head.headers.names(&HeaderName::Allow, "UPDATE")
}

/// Whether a peer says that our From may change in its dialog (RFC 4916 §4.4.1).
pub(super) fn takes_from_change(head: &Head) -> bool {
    head.headers.names(&HeaderName::Supported, "from-change")
}

/// The ACK to a 2xx (§13.2.2.4).
pub(super) fn acknowledge(
    cx: &mut Cx<'_>,
    dialog: &Dialog,
    branch: Token,
    seq: u32,
    sdp: Option<&Bytes>,
) {
    let own = cx.branch();
    let mut writer = dialog.request(&Method::Ack, seq, cx.core.place(dialog.flow), own);
    // §22.1: what the INVITE proved, its ACK proves.
    for (name, value) in cx.credentials_of(branch) {
        writer.header_bytes(name, value);
    }
    cx.ack(branch, &dialog.remote_tag, dialog.flow, writer.sdp(some_sdp(sdp)));
}

/// Sends BYE; its branch.
pub(super) fn bye(cx: &mut Cx<'_>, leg: LegId, dialog: &mut Dialog, why: Option<Why>) -> Token {
    let branch = cx.branch();
    let seq = dialog.next_seq();
    let mut writer = dialog.request(&Method::Bye, seq, cx.core.place(dialog.flow), branch);
    writer.header(&HeaderName::UserAgent, &cx.core.settings.product);
    if let Some(reason) = why.and_then(reason::said) {
        writer.header(&HeaderName::Reason, reason);
    }
    cx.start(branch, leg, Purpose::Bye, dialog.flow, writer.finish());
    branch
}

/// A 2xx that nobody wants: the answer of a second fork, or one that came after all was over. It is
/// acknowledged and its dialog ended, from what the response itself says (§13.2.2.4).
pub(in crate::sip) fn reject_fork(cx: &mut Cx<'_>, leg: LegId, branch: Token, response: &Response) {
    let Some(flow) = cx.flow_of(branch) else { return };
    let fallback = Uri::at(None, flow.remote);
    let dialog = Dialog::asking(response, &fallback, flow, false);
    let Ok(mut dialog) = dialog else { return };
    acknowledge(cx, &dialog, branch, response.head.cseq.number, None);
    if let Some(seq) = cx.last_prack(branch, &dialog.remote_tag) {
        dialog.count_from(seq);
    }
    bye(cx, leg, &mut dialog, None);
}

/// Our From, as the phone shall show it.
pub(super) fn shown_as(shown: &Shown, host: Host) -> NameAddr {
    let user = shown.user.reveal();
    let name = shown.name.as_ref().map_or("", |name| name.reveal().as_str());
    if user == "anonymous" {
        // RFC 3323 §4.1.1.3.
        let nobody = Uri::sip(Some("anonymous"), Host::Name("anonymous.invalid".into()), None);
        return NameAddr::new(nobody).with_display("Anonymous");
    }
    NameAddr::new(Uri::sip(Some(user), host, None)).with_display(name)
}
