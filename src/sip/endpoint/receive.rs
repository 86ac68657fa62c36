//! What comes in: which messages are known, which are answered without state, and which begin
//! something (RFC 3261 §8.2, §16.3 where it binds an endpoint too).

use super::core::Cx;
use super::serving::Match;
use super::{Effect, Endpoint};
use crate::base::{LegId, Now, Private};
use crate::sip::AnyUri;
use crate::sip::api::{Flow, Incoming, LegEvent, Source};
use crate::sip::dialog::{Dialog, Token};
use crate::sip::extensions::{ALLOW, SUPPORTED, asks_too_much, unsupported};
use crate::sip::leg::{
    Invited, Leg, State, TooSmall, agreed_as_server, provisionals_carry_an_offer,
};
use crate::sip::subscription::{ALLOW_EVENTS, WatchId};
use crate::sip::trunk::inbound;
use crate::sip::{HeaderName, ParseError, Writer, parse};
use crate::sip::{Message, Method, Request};
use bytes::Bytes;
use std::borrow::Cow;

/// Longest display name that is passed on, characters.
const MAX_NAME: usize = 128;

#[allow(clippy::needless_pass_by_value)] // the message is handed over
impl Endpoint {
    /// Takes one datagram, or one framed message of a stream.
    ///
    /// With `shed` (the daemon has more to do than it can) a request that would begin something is
    /// answered 503 at the least cost; what belongs to a call is always served.
    pub fn receive(
        &mut self,
        flow: Flow,
        message: Bytes,
        shed: bool,
        now: Now,
        out: &mut Vec<Effect>,
    ) {
        match parse(&message) {
            Ok(Message::Response(response)) => self.on_response(flow, response, now, out),
            Ok(Message::Request(mut request)) => {
                request.stamp(flow.remote);
                self.on_request(flow, request, shed, now, out);
            }
            Err(rejected) => {
                if !matches!(rejected.error, ParseError::Empty)
                    && let Some(bytes) = rejected.response(&self.core.settings.product, flow.remote)
                {
                    out.push(Effect::Send { flow, bytes, free: true });
                }
            }
        }
    }

    fn on_request(
        &mut self,
        flow: Flow,
        request: Request,
        shed: bool,
        now: Now,
        out: &mut Vec<Effect>,
    ) {
        let as_invite = matches!(request.method, Method::Invite | Method::Ack | Method::Cancel);
        let key = self.core.server_key(&request, as_invite);
        match request.method {
            Method::Ack => return self.on_ack(key, &request, now, out),
            Method::Cancel => return self.on_cancel(flow, key, &request, now, out),
            _ => {}
        }
        let mut cx = Cx { core: &mut self.core, now, out };
        if cx.absorb(key, Some(flow)) != Match::None {
            return;
        }
        if request.head.to.tag().is_some() {
            return self.inside(flow, key, request, now, out);
        }
        let sheds =
            matches!(request.method, Method::Register | Method::Subscribe | Method::Options);
        if shed && sheds {
            return self.shed(flow, &request, out);
        }
        if let Some(refusal) = self.unwanted(&request) {
            return self.turn_away(flow, &request, refusal, out);
        }
        match request.method {
            Method::Options => self.on_options(flow, &request, out),
            Method::Register => self.on_register(flow, key, &request, now, out),
            Method::Invite => self.on_invite(flow, key, request, shed, now, out),
            Method::Subscribe => self.on_subscribe(flow, key, &request, now, out),
            _ => {} // unwanted() has refused them
        }
    }

    /// ACK: to a refusal it ends in the transaction, to a 2xx in the leg; anybody else's is dropped
    /// (§17.1.1.3, §13.3.1.4).
    fn on_ack(&mut self, key: u64, request: &Request, now: Now, out: &mut Vec<Effect>) {
        let mut cx = Cx { core: &mut self.core, now, out };
        if cx.absorb(key, None) == Match::Absorbed {
            return;
        }
        if let Some(id) = self.owner(request) {
            self.with_leg(id, now, out, |leg, cx| leg.on_ack(cx, request));
        }
    }

    /// CANCEL: answered itself in any case (§9.2). It needs no transaction of its own: a repetition
    /// finds the same INVITE and gets the same answer.
    fn on_cancel(
        &mut self,
        flow: Flow,
        key: u64,
        request: &Request,
        now: Now,
        out: &mut Vec<Effect>,
    ) {
        let Some(id) = self.core.invite_leg(key) else {
            return self.turn_away(flow, request, Refusal::plain(481), out);
        };
        let tag = self.legs.get(id.0).map_or_else(|| self.stateless_tag(request), |leg| leg.tag);
        let mut cx = Cx { core: &mut self.core, now, out };
        let bytes = cx.answer(request, 200, tag).finish();
        cx.send(flow, bytes, false);
        self.with_leg(id, now, out, |leg, cx| leg.on_cancel(cx, flow, key, &request.head));
    }

    /// The leg that a request inside a dialog belongs to: our tag finds it, Call-ID and the peer's tag
    /// prove it (§12.2.2).
    fn owner(&self, request: &Request) -> Option<LegId> {
        let tag = Token::parse(request.head.to.tag()?)?;
        let id = *self.tags.get(tag.0)?;
        self.legs.get(id.0).is_some_and(|leg| leg.owns(request)).then_some(id)
    }

    /// The subscription that a request inside a dialog belongs to, likewise.
    fn watch_of(&self, request: &Request) -> Option<WatchId> {
        let id = WatchId(Token::parse(request.head.to.tag()?)?.0);
        self.watches.get(id).filter(|watch| watch.dialog.owns(&request.head)).map(|_| id)
    }

    fn inside(&mut self, flow: Flow, key: u64, request: Request, now: Now, out: &mut Vec<Effect>) {
        if let Some(id) = self.watch_of(&request) {
            return self.on_resubscribe(flow, key, id, &request, now, out);
        }
        let Some(id) = self.owner(&request) else {
            let status = match request.method {
                Method::Other(_) => 501,
                _ => 481,
            };
            return self.turn_away(flow, &request, Refusal::plain(status), out);
        };
        // The end of a call is taken even when the table is full, and from a peer that asks too much.
        let room = self.legs.get_mut(id.0).is_some_and(|leg| leg.has_room(now.mono));
        if (self.core.is_crammed() || !room) && request.method != Method::Bye {
            return self.turn_away(flow, &request, Refusal::plain(503), out);
        }
        let wish = (request.method == Method::Refer).then(|| self.wished(&request));
        self.with_leg(id, now, out, |leg, cx| leg.on_request(cx, flow, key, request, wish));
    }

    // ---- answers without state ---------------------------------------------------------------

    /// The same tag for each repetition of a request that we do not remember (§8.2.7).
    fn stateless_tag(&self, request: &Request) -> Token {
        let head = &request.head;
        let branch = head.via.branch().unwrap_or_default().as_bytes();
        Token(self.core.keyer.key(&[b"tag", branch, head.call_id.as_bytes()]))
    }

    /// A refusal that creates no state.
    pub(super) fn turn_away(
        &self,
        flow: Flow,
        request: &Request,
        refusal: Refusal,
        out: &mut Vec<Effect>,
    ) {
        let mut writer = self.reply(request, refusal.status);
        match refusal.with {
            With::Nothing => {}
            With::Allow => {
                writer.header(&HeaderName::Allow, ALLOW);
            }
            With::Accept => {
                writer.header(&HeaderName::Accept, "application/sdp");
            }
            With::AcceptEncoding => {
                writer.header(&HeaderName::AcceptEncoding, "identity");
            }
            With::Unsupported => unsupported(&mut writer, request),
            With::Events => {
                writer.header(&HeaderName::AllowEvents, ALLOW_EVENTS);
            }
            With::MinSe => {
                writer.header(&HeaderName::MinSe, self.core.settings.session.least_s);
            }
        }
        out.push(Effect::Send { flow, bytes: writer.finish(), free: true });
    }

    pub(super) fn reply(&self, request: &Request, status: u16) -> Writer {
        let tag = self.stateless_tag(request);
        let mut writer = Writer::answer(request, status, Some(&tag.to_string()));
        writer.header(&HeaderName::Server, &self.core.settings.product);
        writer
    }

    /// 503 with a random wait, so that those refused together do not return together.
    pub(super) fn shed(&mut self, flow: Flow, request: &Request, out: &mut Vec<Effect>) {
        let retry_s = self.core.rng.below(9).saturating_add(2);
        let mut writer = self.reply(request, 503);
        writer.header(&HeaderName::RetryAfter, retry_s);
        out.push(Effect::Send { flow, bytes: writer.finish(), free: true });
    }

    /// OPTIONS outside a dialog: what we are able to do (§11.2). Costs no state and asks for no
    /// password, since it tells nothing else.
    fn on_options(&self, flow: Flow, request: &Request, out: &mut Vec<Effect>) {
        let mut writer = self.reply(request, 200);
        writer.header(&HeaderName::Allow, ALLOW);
        writer.header(&HeaderName::Accept, "application/sdp");
        writer.header(&HeaderName::AcceptEncoding, "identity");
        writer.header(&HeaderName::AcceptLanguage, "ja, en");
        writer.header(&HeaderName::Supported, SUPPORTED);
        writer.header(&HeaderName::AllowEvents, ALLOW_EVENTS);
        out.push(Effect::Send { flow, bytes: writer.finish(), free: true });
    }

    /// What is wrong with a request outside a dialog, whoever sent it (§8.2.1 to §8.2.3).
    fn unwanted(&self, request: &Request) -> Option<Refusal> {
        let headers = &request.head.headers;
        match request.method {
            Method::Invite | Method::Register | Method::Options | Method::Subscribe => {}
            // Nothing of the kind is under way.
            Method::Bye | Method::Info | Method::Update | Method::Prack | Method::Notify => {
                return Some(Refusal::plain(481));
            }
            Method::Refer => return Some(Refusal::plain(603)),
            Method::Message | Method::Publish => return Some(Refusal::with(405, With::Allow)),
            Method::Other(_) => return Some(Refusal::with(501, With::Allow)),
            Method::Ack | Method::Cancel => return None, // dealt with before
        }
        if let AnyUri::Other(_) = request.uri {
            return Some(Refusal::plain(416));
        }
        if asks_too_much(request) {
            return Some(Refusal::with(420, With::Unsupported));
        }
        if request.method != Method::Invite {
            return None;
        }
        // We pass calls on, so we are one more hop that counts (§16.3 step 3).
        if request.head.max_forwards == Some(0) {
            return Some(Refusal::plain(483));
        }
        // A copy of an INVITE that we have by another way (§8.2.2.2), or one of our own come back.
        let from = request.head.from.tag().and_then(Token::parse);
        if self.core.is_merged(self.core.merge_key(&request.head))
            || from.is_some_and(|tag| self.tags.contains(tag.0))
        {
            return Some(Refusal::plain(482));
        }
        if !request.body.is_empty() && request.sdp().is_none() {
            let coded = headers
                .all(&HeaderName::ContentEncoding)
                .any(|coding| !coding.eq_ignore_ascii_case(b"identity"));
            return Some(Refusal::with(
                415,
                if coded { With::AcceptEncoding } else { With::Accept },
            ));
        }
        let accepts = |value: &[u8]| {
            let kind = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
            [&b"application/sdp"[..], b"application/*", b"*/*"]
                .iter()
                .any(|due| kind.eq_ignore_ascii_case(due))
        };
        if headers.has(&HeaderName::Accept) && !headers.all(&HeaderName::Accept).any(accepts) {
            return Some(Refusal::with(406, With::Accept));
        }
        None
    }

    // ---- INVITE ------------------------------------------------------------------------------

    fn on_invite(
        &mut self,
        flow: Flow,
        key: u64,
        request: Request,
        shed: bool,
        now: Now,
        out: &mut Vec<Effect>,
    ) {
        let from_user = request.head.from.uri.named().unwrap_or_default().into_owned();
        let known = self.directory.source(flow, &from_user);
        let by_place = known.is_some();
        let source = match known {
            Some(source) => source,
            None => match self.admit(flow, &request, &from_user, now, out) {
                Some(number) => Source::Account(number),
                None => return,
            },
        };
        if !self.is_ours(&request.uri) {
            return self.turn_away(flow, &request, Refusal::plain(404), out);
        }
        let profile = match &source {
            Source::Trunk(trunk) => self.directory.profile(trunk),
            Source::Account(_) => None,
        };
        let dialled = match profile {
            Some(profile) => inbound::called(profile, &request),
            None => request.uri.named().map(Cow::into_owned),
        };
        let Some(dialled) = dialled else {
            return self.turn_away(flow, &request, Refusal::plain(404), out);
        };
        let trusted = profile.is_some_and(|profile| profile.trust_asserted);
        if self.core.is_full() {
            return self.shed(flow, &request, out);
        }
        let policy = self.core.settings.session;
        if agreed_as_server(&request.head, policy, None, now.mono) == Err(TooSmall) {
            return self.turn_away(flow, &request, Refusal::with(422, With::MinSe), out);
        }
        let replaces = match self.taken_over(&request, &source) {
            Ok(replaces) => replaces,
            Err(status) => {
                return self.turn_away(flow, &request, Refusal::plain(status), out);
            }
        };
        let carrier = self.carrier_of(&source, flow);
        let stays = by_place && self.stays(&source);
        let tag = Token(self.core.rng.bits());
        let Ok(dialog) = Dialog::answering(&request, tag, flow) else {
            return self.turn_away(flow, &request, Refusal::plain(400), out);
        };
        let id = LegId(self.next_leg);
        self.next_leg = self.next_leg.saturating_add(2);
        let incoming = Box::new(Incoming {
            replaces,
            shed,
            ..incoming(&request, source, dialled, from_user, trusted)
        });
        let merge = self.core.merge_key(&request.head);
        let mut cx = Cx { core: &mut self.core, now, out };
        cx.open_invite(key, merge, id, flow, &request);
        cx.tell(id, LegEvent::Incoming(incoming));
        let (said, early, knocked) = (None, None, (flow.connection == 0).then_some(now.mono));
        let state =
            State::Invited(Box::new(Invited { dialog, request, key, said, early, knocked }));
        self.tags.insert(tag.0, id);
        self.legs.insert(id.0, Box::new(Leg::new(id, tag, state).looking_up(stays).with(carrier)));
        self.settle(id, now);
    }

    /// Whether who is known by its place is always there: a carrier, or a phone that does not register as well.
    fn stays(&self, source: &Source) -> bool {
        match source {
            Source::Trunk(_) => true,
            Source::Account(number) => {
                self.directory.fixed(number).is_some() && !self.registrar.has(number)
            }
        }
    }

    /// Whether the Request-URI means us: a listener's address, the realm, one of our other names. Ports
    /// say nothing: a redirected one is still ours.
    pub(super) fn is_ours(&self, uri: &AnyUri) -> bool {
        let Some(uri) = uri.known() else { return false };
        let Some(host) = uri.host() else { return true }; // tel: has no host to be wrong
        let settings = &self.core.settings;
        settings.listeners.iter().any(|listener| host.ip() == Some(listener.advertised.ip()))
            || host.is(&settings.realm)
            || settings.hosts.iter().any(|name| host.is(name))
    }
}

/// A refusal and the header that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: u16,
    with: With,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum With {
    Nothing,
    Allow,
    Accept,
    AcceptEncoding,
    Unsupported,
    Events,
    MinSe,
}

impl Refusal {
    pub const fn plain(status: u16) -> Self {
        Self { status, with: With::Nothing }
    }

    pub const fn with(status: u16, with: With) -> Self {
        Self { status, with }
    }
}

/// What the desk's rules may know of an INVITE.
fn incoming(
    request: &Request,
    source: Source,
    dialled: String,
    from_user: String,
    trusted: bool,
) -> Incoming {
    let head = &request.head;
    // RFC 3325 §5: only a trunk may be trusted to assert who calls; a phone has proved who it is.
    let asserted = trusted.then(|| head.address(&HeaderName::PAssertedIdentity).ok().flatten());
    let asserted = asserted.flatten();
    // A phone of ours that tells of diversions is not believed: nobody is shown a number of its choice.
    let diverted_from = match source {
        Source::Trunk(_) => inbound::diverted(request),
        Source::Account(_) => None,
    };
    let asserted = asserted.and_then(|address| address.uri.named().map(Cow::into_owned));
    let name = head.from.display.as_deref().map(clean_name).filter(|name| !name.is_empty());
    let privacy = head.headers.all(&HeaderName::Privacy).any(|value| {
        value.split(|byte| *byte == b';').any(|word| {
            [&b"id"[..], b"user", b"header"]
                .iter()
                .any(|due| word.trim_ascii().eq_ignore_ascii_case(due))
        })
    });
    let from_user = if from_user.is_empty() { "anonymous".to_owned() } else { from_user };
    Incoming {
        source,
        dialled,
        from_user: Private::new(from_user),
        from_name: name.map(Private::new),
        asserted: asserted.map(Private::new),
        diverted_from: diverted_from.map(Private::new),
        privacy,
        sdp: request.sdp(),
        rings_with_offer: provisionals_carry_an_offer(request),
        replaces: None,
        shed: false,
    }
}

/// A display name without what would disturb a line or a page.
fn clean_name(name: &str) -> String {
    name.chars()
        .filter(|char| !char.is_control())
        .take(MAX_NAME)
        .collect::<String>()
        .trim()
        .to_owned()
}
