//! What a call to a carrier has that one to a phone of ours has not: identities, the number's form, a
//! challenge that we may answer, and no patience with a server that says nothing.

use super::session::{Exchange, Refresh};
use super::{Leg, State};
use crate::base::Mono;
use crate::sip::api::LegEvent;
use crate::sip::dialog::{Place, Token, again, credentials, uri_of};
use crate::sip::digest::Challenge;
use crate::sip::endpoint::asking::Purpose;
use crate::sip::endpoint::core::{Cx, Failing};
use crate::sip::trunk::line::{MAX_DIGESTS, challenge};
use crate::sip::trunk::{Login, Upstream};
use crate::sip::{HeaderName, Method, NameAddr, Response, Writer};

/// A server that has not said a word for so long, not even 100 Trying, is given up for the next: three
/// sendings by UDP fit in.
pub(in crate::sip) const UNHEARD_MS: u32 = 1_900;

/// The carrier's part of an INVITE.
#[derive(Clone, Debug)]
pub(in crate::sip) struct Outside {
    pub from: NameAddr,
    pub to: NameAddr,
    pub contact: Box<str>,
    /// Identity and privacy.
    pub headers: Vec<(HeaderName, String)>,
    /// Whether `100rel` is offered.
    pub reliable: bool,
    /// The session interval that we ask for, if any, and the least that we bear, seconds (RFC 4028).
    pub expires_s: Option<u32>,
    pub least_s: u32,
    pub upstream: Upstream,
}

impl Outside {
    /// From, To, Call-ID, the first `CSeq`, Contact and the headers of the carrier's.
    pub fn write(&self, writer: &mut Writer, call_id: &str, tag: Token) {
        writer.from(&self.from.clone().with_tag(&tag.to_string()));
        writer.to(&self.to);
        writer.call_id(call_id);
        writer.cseq(1, &Method::Invite);
        writer.contact(&self.contact);
        for (name, value) in &self.headers {
            writer.header(name, value);
        }
        if self.expires_s.is_some() {
            writer.header(&HeaderName::MinSe, self.least_s);
        }
    }
}

/// What a leg with a carrier keeps to from its first message to its last.
#[derive(Debug)]
pub(in crate::sip) struct Carrier {
    /// Our Contact there.
    pub contact: Box<str>,
    /// How we answer a challenge; none: it is a refusal.
    pub login: Option<Login>,
}

/// Our Contact in a leg: the carrier's way of writing it, or the listener's own.
pub(super) fn own_contact<'a>(carrier: Option<&'a Carrier>, place: &'a Place) -> &'a str {
    carrier.map_or(&place.contact, |carrier| &carrier.contact)
}

/// What is kept of it while the carrier has not answered.
#[derive(Debug)]
pub(in crate::sip) struct Asked {
    /// Digests sent.
    digests: u8,
    /// The last challenge, whether it was a proxy's, and how often its nonce was used.
    known: Option<(Challenge, bool, u32)>,
    /// When silence is taken for absence; none once a word was heard.
    unheard_until: Option<Mono>,
}

impl Asked {
    pub fn new(unheard_until: Mono) -> Self {
        Self { digests: 0, known: None, unheard_until: Some(unheard_until) }
    }

    pub fn deadline(&self) -> Option<Mono> {
        self.unheard_until
    }

    pub fn heard(&mut self) {
        self.unheard_until = None;
    }
}

/// The answer to a challenge for a request of `method` to `uri` (RFC 7616 §3.4); `count` is how often its
/// nonce is used.
fn proof(
    cx: &mut Cx<'_>,
    login: &Login,
    (challenge, proxy, count): &(Challenge, bool, u32),
    method: &Method,
    uri: &str,
) -> (HeaderName, String) {
    let cnonce = cx.token().to_string();
    let password = login.password.reveal();
    let value = challenge.answer(&login.user, password, method, uri, &cnonce, *count);
    let name = if *proxy { HeaderName::ProxyAuthorization } else { HeaderName::Authorization };
    (name, value)
}

impl Leg {
    /// Answers the carrier's challenge to our INVITE (RFC 3261 §22.1). False when it is not to be
    /// answered: the call is refused.
    pub(super) fn answer_challenge(&mut self, cx: &mut Cx<'_>, response: &Response) -> bool {
        let State::Calling(calling) = &mut self.state else { return false };
        let (None, Some(asked)) = (calling.cancel, &mut calling.asked) else { return false };
        let login = self.carrier.as_ref().and_then(|carrier| carrier.login.as_ref());
        let Some((challenge, proxy)) = challenge(response, login) else { return false };
        if asked.digests >= MAX_DIGESTS || (asked.digests > 0 && !challenge.stale) {
            return false;
        }
        asked.digests = asked.digests.saturating_add(1);
        asked.known = Some((challenge, proxy, 0));
        let Some((name, value)) = self.proof_again(cx) else { return false };
        self.invite_again(cx, &[(name, &value)])
    }

    /// The proof that the next INVITE of this call carries, once one was asked for.
    pub(super) fn proof_again(&mut self, cx: &mut Cx<'_>) -> Option<(HeaderName, String)> {
        let State::Calling(calling) = &mut self.state else { return None };
        let login = self.carrier.as_ref()?.login.as_ref()?;
        let known = calling.asked.as_mut()?.known.as_mut()?;
        known.2 = known.2.saturating_add(1);
        Some(proof(cx, login, known, &Method::Invite, &calling.target.to_string()))
    }

    /// A carrier challenges a request of ours inside the call: it is said once more, with credentials
    /// (RFC 3261 §22.2, §22.3). False when that was done before or is not ours to do: then the challenge is
    /// the request's answer. `asked` is the request.
    pub(super) fn prove(
        &mut self,
        cx: &mut Cx<'_>,
        purpose: Purpose,
        branch: Token,
        response: &Response,
        asked: &[u8],
    ) -> bool {
        let login = self.carrier.as_ref().and_then(|carrier| carrier.login.as_ref());
        let Some((login, (challenge, proxy))) = login.zip(challenge(response, login)) else {
            return false;
        };
        if !credentials(asked).is_empty() {
            return false;
        }
        let fork = response.head.to.tag().unwrap_or_default();
        let early = match &self.state {
            State::Calling(calling) if purpose == Purpose::Prack => Some(calling.branch),
            _ => None,
        };
        // Where it is waited for, and the number and branch to be kept there.
        let (dialog, waits) = match (&mut self.state, purpose) {
            (State::Up(up), Purpose::Reinvite) => match &mut up.exchange {
                Exchange::Offered { branch: due, by, seq, .. } if *due == branch => {
                    *by = up.dialog.flow;
                    (&mut up.dialog, Some((due, Some(seq))))
                }
                _ => return false,
            },
            (State::Up(up), Purpose::Update) => match &mut up.refreshing {
                Refresh::Sent { branch: due, by } if *due == branch => {
                    *by = up.dialog.flow;
                    (&mut up.dialog, Some((due, None)))
                }
                _ => return false,
            },
            (State::Up(up), Purpose::Prack) => (&mut up.dialog, None),
            (State::Calling(calling), Purpose::Prack) => match calling.early_dialog(fork) {
                Some(dialog) => (dialog, None),
                None => return false,
            },
            (State::Ending(ending), Purpose::Bye) => match &mut ending.bye {
                Some((due, by)) if *due == branch => {
                    *by = ending.dialog.flow;
                    (&mut ending.dialog, Some((due, None)))
                }
                _ => return false,
            },
            _ => return false,
        };
        let Some(uri) = uri_of(asked) else { return false };
        let method = match purpose {
            Purpose::Reinvite => Method::Invite,
            Purpose::Update => Method::Update,
            Purpose::Prack => Method::Prack,
            _ => Method::Bye,
        };
        let (name, value) = proof(cx, login, &(challenge, proxy, 1), &method, uri);
        let (seq, own) = (dialog.next_seq(), cx.branch());
        if let Some(invite) = early {
            cx.pracked(invite, fork, seq);
        }
        let flow = dialog.flow;
        let place = cx.core.place(flow);
        let contact = own_contact(self.carrier.as_deref(), place);
        let Some(bytes) = again(asked, uri, seq, place, own, contact, &[(name, &value)]) else {
            return false;
        };
        if let Some((due, number)) = waits {
            *due = own;
            if let Some(number) = number {
                *number = seq;
            }
        }
        cx.start(own, self.id, purpose, flow, bytes);
        true
    }

    /// A carrier's server that cannot serve is passed over by the next attempt.
    pub(super) fn note_failing(&self, cx: &mut Cx<'_>, how: Failing) {
        if let State::Calling(calling) = &self.state
            && calling.asked.is_some()
            && calling.forks.is_empty()
        {
            cx.core.failing.push((calling.flow.remote, how));
        }
    }

    /// The carrier's server has not said a word: it is given up, and should it wake up, it gets a
    /// CANCEL.
    pub(super) fn give_up_unheard(&mut self, cx: &mut Cx<'_>) {
        let State::Calling(calling) = &mut self.state else { return };
        let Some(asked) = &mut calling.asked else { return };
        if asked.unheard_until.is_none_or(|until| until > cx.now.mono) {
            return;
        }
        asked.heard();
        if !cx.is_unheard(calling.branch) {
            return;
        }
        let (branch, remote, cancelled) = (calling.branch, calling.flow.remote, calling.cancel);
        cx.give_up(branch);
        cx.core.failing.push((remote, Failing::Silent));
        let status = if cancelled.is_some() { 487 } else { 408 };
        self.over(cx, LegEvent::Refused { status });
    }
}
