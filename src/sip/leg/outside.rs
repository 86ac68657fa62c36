//! What a call to a carrier has that one to a phone of ours has not: identities, the number's form, a
//! challenge that we may answer, and no patience with a server that says nothing.

use super::{Leg, State};
use crate::base::Mono;
use crate::sip::api::LegEvent;
use crate::sip::dialog::{Place, Token};
use crate::sip::digest::Challenge;
use crate::sip::endpoint::core::{Cx, Failing};
use crate::sip::trunk::Upstream;
use crate::sip::trunk::line::MAX_DIGESTS;
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
}

/// Our Contact in a leg: the carrier's way of writing it, or the listener's own.
pub(super) fn own_contact<'a>(carrier: Option<&'a Carrier>, place: &'a Place) -> &'a str {
    carrier.map_or(&place.contact, |carrier| &carrier.contact)
}

/// What is kept of it while the carrier has not answered.
#[derive(Debug)]
pub(in crate::sip) struct Asked {
    upstream: Upstream,
    /// Digests sent.
    digests: u8,
    /// When silence is taken for absence; none once a word was heard.
    unheard_until: Option<Mono>,
}

impl Asked {
    pub fn new(outside: Outside, unheard_until: Mono) -> Self {
        Self { upstream: outside.upstream, digests: 0, unheard_until: Some(unheard_until) }
    }

    pub fn deadline(&self) -> Option<Mono> {
        self.unheard_until
    }

    pub fn heard(&mut self) {
        self.unheard_until = None;
    }

    /// The answer to a challenge, when it is ours to answer and not once too often.
    fn digest(
        &mut self,
        cx: &mut Cx<'_>,
        response: &Response,
        uri: &str,
    ) -> Option<(HeaderName, String)> {
        let (challenge, proxy): (Challenge, bool) =
            crate::sip::trunk::line::challenge(response, self.upstream.login.as_ref())?;
        if self.digests >= MAX_DIGESTS || (self.digests > 0 && !challenge.stale) {
            return None;
        }
        self.digests = self.digests.saturating_add(1);
        let login = self.upstream.login.as_ref()?;
        let cnonce = cx.token().to_string();
        let password = login.password.reveal();
        let value = challenge.answer(&login.user, password, &Method::Invite, uri, &cnonce, 1);
        let name = if proxy { HeaderName::ProxyAuthorization } else { HeaderName::Authorization };
        Some((name, value))
    }
}

impl Leg {
    /// Answers the carrier's challenge to our INVITE (RFC 3261 §22.1). False when it is not to be
    /// answered: the call is refused.
    pub(super) fn answer_challenge(&mut self, cx: &mut Cx<'_>, response: &Response) -> bool {
        let State::Calling(calling) = &mut self.state else { return false };
        if calling.cancel.is_some() {
            return false;
        }
        let uri = calling.target.to_string();
        let Some(asked) = &mut calling.asked else { return false };
        let Some((name, value)) = asked.digest(cx, response, &uri) else { return false };
        self.invite_again(cx, &[(name, &value)])
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
