//! The trunks that we reach ourselves: sends what their lines wish and hands in what came of it; finds
//! out where names lead.

use super::asking::{Outcome, Purpose};
use super::core::{Cx, Failing};
use super::directory::listener_from;
use super::{Effect, Endpoint, NoAddress};
use crate::base::{LegId, Mono, Now, Private, TrunkId};
use crate::sip::api::{Flow, LegEvent, Outgoing, Shown, Source, Transport};
use crate::sip::dialog::{Token, via};
use crate::sip::extensions::ALLOW;
use crate::sip::leg::{Carrier, Invitation, Outside};
use crate::sip::trunk::line::{Line, LineId, Wish};
use crate::sip::trunk::{
    Answer, IdentityOut, LineState, Numbers, Reliable, Server, Withhold, number,
};
use crate::sip::{HeaderName, Host, Method, NameAddr, Uri, Writer};
use bytes::Bytes;
use std::net::SocketAddr;
use std::time::Duration;

/// Requests that one line sends in one tick: its servers' OPTIONS and a REGISTER. A bound on our own
/// mistakes.
const MAX_WISHES: usize = 32;

impl Endpoint {
    /// How the trunks are that we reach, in the directory's order.
    #[must_use]
    pub fn lines(&self, now: Mono) -> Vec<LineState> {
        self.lines.iter().map(|line| line.state(now)).collect()
    }

    /// The resolver's word on a server; none when it has no address or the resolver failed.
    pub fn looked_up(&mut self, server: &Server, answer: Option<Answer>, now: Now) {
        if self.names.answered(server, answer, now.mono, &mut self.core.rng) {
            self.set_targets(now.mono);
        }
    }

    /// Makes the lines what the directory says. One of which nothing changed goes on as it is, with its
    /// registration; the others begin anew.
    pub(super) fn set_lines(&mut self, now: Mono) {
        let mut before = std::mem::take(&mut self.lines);
        let mut lines = Vec::new();
        for (trunk, upstream) in std::mem::take(&mut self.directory.upstreams) {
            let profile = self.directory.profile(&trunk).cloned().unwrap_or_default();
            let same = before.iter().position(|line| {
                line.trunk == trunk && line.profile == profile && line.upstream == upstream
            });
            lines.push(match same {
                Some(place) => before.swap_remove(place),
                None => Line::new(trunk, profile, upstream, &mut self.core.rng),
            });
        }
        self.lines = lines;
        let servers = self.lines.iter().flat_map(|line| line.upstream.servers.iter());
        self.names.watch(servers.chain(self.directory.servers()).cloned());
        self.core.set_quiet(self.directory.quiet());
        self.set_targets(now);
    }

    fn set_targets(&mut self, now: Mono) {
        for line in &mut self.lines {
            let addresses =
                line.upstream.servers.iter().flat_map(|server| self.names.addresses(server));
            let mut flows: Vec<Flow> = Vec::new();
            for (transport, remote) in addresses {
                let port = line.profile.source_port;
                let Some(listener) = listener_from(&self.core.settings, transport, remote, port)
                else {
                    continue;
                };
                let flow = Flow { transport, listener, remote, connection: 0 };
                if !flows.contains(&flow) {
                    flows.push(flow);
                }
            }
            if !line.profile.rport {
                self.core.be_quiet(flows.iter().map(|flow| flow.remote.ip()));
            }
            line.set_targets(flows, now);
        }
    }

    /// The way to a server, if its address is known.
    pub(super) fn way_to(&self, server: &Server) -> Option<Flow> {
        let (transport, remote) = self.names.addresses(server).into_iter().next()?;
        let listener = listener_from(&self.core.settings, transport, remote, None)?;
        Some(Flow { transport, listener, remote, connection: 0 })
    }

    /// The line of a trunk.
    pub(super) fn line_of(&self, trunk: &TrunkId) -> Option<&Line> {
        self.lines.iter().find(|line| line.trunk == *trunk)
    }

    /// What a leg keeps to with the trunk that began it, if we reach that trunk ourselves.
    pub(super) fn carrier_of(&self, source: &Source, flow: Flow) -> Option<Box<Carrier>> {
        let Source::Trunk(trunk) = source else { return None };
        let line = self.line_of(trunk)?;
        let contact = own_contact(line, flow, self.core.place(flow).sent_by).to_string().into();
        Some(Box::new(Carrier { contact, login: line.upstream.login.clone() }))
    }

    /// Calls a number outside by a trunk, under a new, even leg id.
    ///
    /// # Errors
    ///
    /// [`NoAddress`] when the trunk has no server that is well; then there is no leg and no event comes.
    pub fn dial_outside(
        &mut self,
        leg: LegId,
        call: &Outgoing,
        sdp: Bytes,
        now: Now,
        out: &mut Vec<Effect>,
    ) -> Result<(), NoAddress> {
        let line = self.line_of(&call.trunk).ok_or(NoAddress)?;
        let flow = line.ways(now.mono).next().ok_or(NoAddress)?;
        let place = self.core.place(flow).clone();
        let (target, outside) = invited(line, call, flow, place.sent_by);
        if self.core.is_full() || self.legs.contains(leg.0) {
            out.push(Effect::Leg { leg, event: LegEvent::Refused { status: 503 } });
            return Ok(());
        }
        let shown = Shown { user: Private::default(), name: None }; // the carrier's part says who calls
        let invitation = Invitation {
            to: &call.number,
            target,
            flow,
            path: None,
            by_contact: false,
            shown: &shown,
            sdp: Some(&sdp),
            outside: Some(outside),
        };
        self.begin(leg, invitation, now, out);
        Ok(())
    }

    /// A carrier's server could not serve a call.
    pub(super) fn line_failed(&mut self, remote: SocketAddr, how: Failing, now: Now) {
        for line in &mut self.lines {
            match how {
                Failing::Silent => line.failed(remote, now.mono, &mut self.core.rng),
                Failing::Busy => line.busy(remote, now.mono),
            }
        }
    }

    pub(super) fn lines_deadline(&self) -> Option<Mono> {
        self.lines.iter().filter_map(Line::deadline).chain(self.names.deadline()).min()
    }

    pub(super) fn tick_lines(&mut self, now: Now, out: &mut Vec<Effect>) {
        while let Some(server) = self.names.due(now.mono) {
            out.push(Effect::LookUp(server));
        }
        for place in 0..self.lines.len() {
            for _ in 0..MAX_WISHES {
                let Some(line) = self.lines.get_mut(place) else { break };
                if line.deadline().is_none_or(|at| at > now.mono) {
                    break;
                }
                let Some(wish) = line.wake(now.mono, &mut self.core.rng) else { break };
                self.send_wish(place, &wish, now, out);
            }
        }
    }

    /// What came of a line's REGISTER or OPTIONS.
    pub(super) fn on_line_outcome(
        &mut self,
        id: LineId,
        branch: Token,
        outcome: &Outcome,
        now: Now,
        out: &mut Vec<Effect>,
    ) {
        // The line's own patience has ended before the transaction's.
        let Outcome::Response(response) = outcome else { return };
        let place = usize::from(id.0);
        let Some(line) = self.lines.get_mut(place) else { return };
        if let Some(wish) = line.answered(branch, response, now.mono, &mut self.core.rng) {
            self.send_wish(place, &wish, now, out);
        }
    }

    fn send_wish(&mut self, place: usize, wish: &Wish, now: Now, out: &mut Vec<Effect>) {
        let (Some(line), Ok(id)) = (self.lines.get_mut(place), u16::try_from(place)) else {
            return;
        };
        let mut cx = Cx { core: &mut self.core, now, out };
        let (tag, branch) = (cx.token(), cx.branch());
        let at = cx.core.place(wish.flow).clone();
        let domain = line.upstream.domain.clone();
        let user = Some(line.upstream.user.as_str());
        let mut writer = Writer::request(&wish.method, line.register_uri());
        via(&mut writer, &at, branch);
        writer.header(&HeaderName::MaxForwards, 70);
        writer
            .from(&NameAddr::new(Uri::sip(user, domain.clone(), None)).with_tag(&tag.to_string()));
        let to = if wish.method == Method::Register { user } else { None };
        writer.to(&NameAddr::new(Uri::sip(to, domain, None)));
        writer.call_id(&wish.call_id);
        writer.cseq(wish.cseq, &wish.method);
        if let Some(expires_s) = wish.expires_s {
            writer.contact(own_contact(line, wish.flow, at.sent_by));
            writer.header(&HeaderName::Expires, expires_s);
        }
        if let Some((name, value)) = &wish.authorization {
            writer.header(name, value);
        }
        writer.header(&HeaderName::Allow, ALLOW);
        writer.header(&HeaderName::UserAgent, &cx.core.settings.product);
        let purpose =
            if wish.method == Method::Register { Purpose::Register } else { Purpose::Ping };
        cx.start(branch, LineId(id), purpose, wish.flow, writer.finish());
        line.sent(wish, branch, now.mono);
    }

    /// A connection is gone.
    pub(super) fn lines_cut(&mut self, flow: Flow, now: Now) {
        for line in &mut self.lines {
            line.flow_lost(flow, now.mono, &mut self.core.rng);
        }
    }

    /// A message reached nobody.
    pub(super) fn lines_unsendable(&mut self, flow: Flow, now: Now) {
        self.line_failed(flow.remote, Failing::Silent, now);
    }
}

/// Our Contact at a carrier: what is registered there, and stands in every call.
fn own_contact(line: &Line, flow: Flow, ours: SocketAddr) -> Uri {
    let contact = Uri::sip(Some(&line.contact_user), ours.ip().into(), Some(ours.port()));
    match flow.transport {
        Transport::Udp => contact,
        stream => contact.with_param("transport", Some(stream.as_str())),
    }
}

/// The Request-URI and the carrier's part of an INVITE.
fn invited(line: &Line, call: &Outgoing, flow: Flow, ours: SocketAddr) -> (Uri, Outside) {
    let Line { profile, upstream, .. } = line;
    let form = |number: &str| match profile.numbers {
        // An emergency number goes as it was dialled.
        Numbers::International if !call.emergency => number::international(number),
        Numbers::International | Numbers::National => number.to_owned(),
    };
    let prefix = match (profile.withhold, call.withhold) {
        (Withhold::Prefix, Some(true)) => "184",
        (Withhold::Prefix, Some(false)) => "186",
        (Withhold::Prefix, None) | (Withhold::Privacy, _) => "",
    };
    let dialled = format!("{prefix}{}", form(call.number.as_str()));
    let domain = upstream.domain.clone();
    let called = Uri::sip(Some(&dialled), domain.clone(), None).with_param("user", Some("phone"));
    let own = call.caller.as_ref().map_or_else(|| upstream.user.clone(), |own| form(own.as_str()));
    let identity = NameAddr::new(Uri::sip(Some(&own), domain, None));
    let hidden = profile.withhold == Withhold::Privacy && call.withhold == Some(true);
    let mut headers = Vec::new();
    match profile.identity {
        IdentityOut::From => {}
        IdentityOut::Asserted => {
            headers.push((HeaderName::PAssertedIdentity, identity.to_string()));
        }
        IdentityOut::Preferred => {
            headers.push((HeaderName::PPreferredIdentity, identity.to_string()));
        }
    }
    let from = if hidden {
        // RFC 3323 §4.1.1.3 and RFC 3325 §9.3: nobody is shown it; the network knows it all the same.
        headers.push((HeaderName::Privacy, "id".to_owned()));
        let nobody = Uri::sip(Some("anonymous"), Host::Name("anonymous.invalid".into()), None);
        NameAddr::new(nobody).with_display("Anonymous")
    } else {
        if profile.withhold == Withhold::Privacy && call.withhold == Some(false) {
            headers.push((HeaderName::Privacy, "none".to_owned()));
        }
        identity
    };
    let contact = own_contact(line, flow, ours).to_string().into();
    let reliable = profile.reliable == Reliable::Supported;
    let (to, upstream) = (NameAddr::new(called.clone()), upstream.clone());
    let seconds = |span: Duration| u32::try_from(span.as_secs()).unwrap_or(u32::MAX);
    let (expires_s, least_s) = (profile.session_expires.map(seconds), seconds(profile.min_se));
    let outside = Outside { from, to, contact, headers, reliable, expires_s, least_s, upstream };
    (called, outside)
}
