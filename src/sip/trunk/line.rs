//! Our side of one trunk: which of the carrier's servers are well, whether we are registered there, and
//! what is asked when. It says what is to be sent; the endpoint sends it and hands in what came of it.
//!
//! Registration (RFC 3261 §10.2) begins at the start, is renewed at half its lease, and goes to the next
//! server when one does not answer; when none does, it is tried again after a time that doubles
//! (RFC 5626 §4.5). OPTIONS (§11) asks every server whether it is well; one that is not is passed over
//! by calls until it answers again, or until [`SHUT`] has passed where OPTIONS is not sent.

use super::later;
use super::profile::{Profile, Registration};
use super::upstream::Upstream;
use crate::base::{Mono, Rng, TrunkId};
use crate::sip::api::Flow;
use crate::sip::dialog::Token;
use crate::sip::digest::Challenge;
use crate::sip::{HeaderName, Method, Response};
use std::net::SocketAddr;
use std::time::Duration;

/// A request of a line's that nobody answers for so long has failed.
pub(in crate::sip) const PATIENCE: Duration = Duration::from_secs(4);
/// A server that failed is passed over for so long, unless OPTIONS finds it well before.
pub(in crate::sip) const SHUT: Duration = Duration::from_secs(30);
/// A server before the one that has our registration, found well again by OPTIONS, gets it after so long: one
/// that comes and goes is not followed each time.
const RETURN: Duration = Duration::from_secs(30);
/// One that had no room for a call is passed over for so long.
const BUSY: Duration = Duration::from_secs(2);
/// Digests sent for one request of ours: one for the challenge, one more for a nonce that was too old.
/// More would lock an account.
pub(in crate::sip) const MAX_DIGESTS: u8 = 2;
/// Most addresses of one trunk's servers.
pub(in crate::sip) const MAX_TARGETS: usize = 16;
/// The first wait after all servers failed; it doubles up to [`BACK_OFF_MOST`].
const BACK_OFF: Duration = Duration::from_secs(2);
/// The longest wait between two attempts.
const BACK_OFF_MOST: Duration = Duration::from_secs(300);
/// After a refusal that a person must mend (a wrong password), so that no account is locked.
const BACK_OFF_REFUSED: Duration = Duration::from_secs(120);
/// A lease is taken for at least so long, whatever the carrier says: we do not hammer it.
const LEAST_LEASE_S: u32 = 20;
/// The longest lease and Min-Expires that we follow, seconds.
const MOST_LEASE_S: u32 = 86_400;
/// The longest Retry-After that we obey.
const MOST_RETRY_S: u32 = 3_600;

/// Which line; its trunk's place in the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sip) struct LineId(pub u16);

/// One address of the carrier's.
#[derive(Debug)]
pub(in crate::sip) struct Target {
    /// The way there.
    pub flow: Flow,
    /// Passed over until then.
    shut_until: Option<Mono>,
    ping: Ping,
}

#[derive(Debug)]
enum Ping {
    /// OPTIONS is not sent.
    Off,
    /// To be sent then.
    Due(Mono),
    /// On its way.
    Asked { branch: Token, until: Mono },
}

/// Where the registration stands.
#[derive(Debug)]
enum Reg {
    /// The profile does not register.
    Off,
    /// REGISTER is due then.
    Due(Mono),
    /// On its way to that target.
    Asked { branch: Token, target: usize, until: Mono, digests: u8 },
}

/// See the module.
#[derive(Debug)]
pub(in crate::sip) struct Line {
    pub trunk: TrunkId,
    pub profile: Profile,
    pub upstream: Upstream,
    /// The user part of our Contact.
    pub contact_user: Box<str>,
    call_id: Box<str>,
    cseq: u32,
    targets: Vec<Target>,
    /// The target that has our registration.
    at: Option<usize>,
    reg: Reg,
    /// When the registration that we have lapses.
    lapses: Option<Mono>,
    /// The lease that we ask for; a 423 raises it.
    ask_s: u32,
    /// Rounds in which every server failed, one after the other.
    failures: u32,
    /// The status of the last refusal.
    refused: Option<u16>,
    /// The last challenge, whether it was a proxy's, and how often its nonce was used.
    known: Option<(Challenge, bool, u32)>,
}

/// A request that the line wants sent.
#[derive(Debug)]
pub(in crate::sip) struct Wish {
    pub method: Method,
    pub flow: Flow,
    pub call_id: Box<str>,
    pub cseq: u32,
    /// The digest and its header.
    pub authorization: Option<(HeaderName, String)>,
    /// The lease, in a REGISTER.
    pub expires_s: Option<u32>,
    /// To be answered with the branch that was sent.
    place: WishPlace,
}

#[derive(Clone, Copy, Debug)]
enum WishPlace {
    Register { target: usize, digests: u8 },
    Ping { target: usize },
}

/// How a line is, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineState {
    /// Whose.
    pub trunk: TrunkId,
    /// Whether we are registered; none when the profile does not register.
    pub registered: Option<bool>,
    /// The status of the last refusal, while we are not registered.
    pub refused: Option<u16>,
    /// Where we are registered, or would call.
    pub server: Option<SocketAddr>,
    /// Addresses of the carrier's servers.
    pub servers: usize,
    /// Of these, those that calls are sent to.
    pub well: usize,
}

impl Line {
    pub fn new(trunk: TrunkId, profile: Profile, upstream: Upstream, rng: &mut Rng) -> Self {
        use super::profile::ContactUser;
        let contact_user = match profile.contact {
            ContactUser::User if !upstream.user.is_empty() => upstream.user.clone(),
            ContactUser::User | ContactUser::Random => rng.token(),
        };
        let reg = match profile.registration {
            Registration::None => Reg::Off,
            Registration::Plain | Registration::Digest => Reg::Due(Mono::ZERO),
        };
        let ask_s = u32::try_from(profile.expires.as_secs()).unwrap_or(MOST_LEASE_S);
        Self {
            trunk,
            profile,
            upstream,
            contact_user: contact_user.into(),
            call_id: rng.token().into(),
            cseq: 0,
            targets: Vec::new(),
            at: None,
            reg,
            lapses: None,
            ask_s,
            failures: 0,
            refused: None,
            known: None,
        }
    }

    /// Takes the addresses of the carrier's servers, in order of preference. What is known of those
    /// that stay is kept.
    pub fn set_targets(&mut self, flows: Vec<Flow>, now: Mono) {
        let had = self.at.and_then(|at| self.targets.get(at)).map(|target| target.flow);
        let mut before = std::mem::take(&mut self.targets);
        for flow in flows.into_iter().take(MAX_TARGETS) {
            let target = match before.iter().position(|target| target.flow == flow) {
                Some(place) => before.swap_remove(place),
                None => {
                    let pinged = !self.upstream.options_every.is_zero();
                    let ping = if pinged { Ping::Due(now) } else { Ping::Off };
                    Target { flow, shut_until: None, ping }
                }
            };
            self.targets.push(target);
        }
        self.at = had.and_then(|flow| self.targets.iter().position(|target| target.flow == flow));
        // A REGISTER under way counts its target by its place, which may be another's now.
        if matches!(self.reg, Reg::Asked { .. }) || (self.at.is_none() && self.registers()) {
            self.reg = Reg::Due(now);
        }
    }

    fn registers(&self) -> bool {
        self.profile.registration != Registration::None
    }

    /// The servers that a call may be sent to, the best first: where we are registered, then those that
    /// are well.
    pub fn ways(&self, now: Mono) -> impl Iterator<Item = Flow> {
        let first = self.at.filter(|_| self.is_registered(now) == Some(true));
        let order =
            first.into_iter().chain((0..self.targets.len()).filter(move |n| Some(*n) != first));
        order
            .filter_map(|n| self.targets.get(n))
            .filter(move |target| target.is_well(now))
            .map(|target| target.flow)
    }

    fn is_registered(&self, now: Mono) -> Option<bool> {
        self.registers().then(|| self.lapses.is_some_and(|at| now < at))
    }

    pub fn state(&self, now: Mono) -> LineState {
        let registered = self.is_registered(now);
        let at = self.at.and_then(|at| self.targets.get(at)).filter(|_| registered == Some(true));
        let server = at.map(|target| target.flow).or_else(|| self.ways(now).next());
        LineState {
            trunk: self.trunk.clone(),
            registered,
            refused: self.refused.filter(|_| registered == Some(false)),
            server: server.map(|flow| flow.remote),
            servers: self.targets.len(),
            well: self.targets.iter().filter(|target| target.is_well(now)).count(),
        }
    }

    /// When [`Line::wake`] is due.
    pub fn deadline(&self) -> Option<Mono> {
        let reg = match self.reg {
            Reg::Off => None,
            // Without an address there is nothing to do before one is found.
            Reg::Due(at) => (!self.targets.is_empty()).then_some(at),
            Reg::Asked { until, .. } => Some(until),
        };
        let pings = self.targets.iter().filter_map(|target| match target.ping {
            Ping::Off => None,
            Ping::Due(at) => Some(at),
            Ping::Asked { until, .. } => Some(until),
        });
        pings.chain(reg).min()
    }

    /// Says what is to be sent now; to be asked until there is nothing.
    pub fn wake(&mut self, now: Mono, rng: &mut Rng) -> Option<Wish> {
        if let Reg::Asked { target, until, .. } = self.reg
            && until <= now
        {
            self.unanswered(target, now, rng);
        }
        for target in 0..self.targets.len() {
            if let Some(Target { ping: Ping::Asked { until, .. }, .. }) = self.targets.get(target)
                && *until <= now
            {
                self.ping_failed(target, now, rng);
            }
        }
        if let Reg::Due(at) = self.reg
            && at <= now
            && let Some(target) = self.best(now)
        {
            return self.register(target, 0, rng);
        }
        let due = |target: &Target| matches!(target.ping, Ping::Due(at) if at <= now);
        let target = self.targets.iter().position(due)?;
        Some(Wish {
            method: Method::Options,
            flow: self.targets.get(target)?.flow,
            call_id: rng.token().into(),
            cseq: 1,
            authorization: None,
            expires_s: None,
            place: WishPlace::Ping { target },
        })
    }

    /// The request was sent under `branch`.
    pub fn sent(&mut self, wish: &Wish, branch: Token, now: Mono) {
        let until = later(now, PATIENCE);
        match wish.place {
            WishPlace::Register { target, digests } => {
                self.reg = Reg::Asked { branch, target, until, digests };
            }
            WishPlace::Ping { target } => {
                if let Some(target) = self.targets.get_mut(target) {
                    target.ping = Ping::Asked { branch, until };
                }
            }
        }
    }

    /// The first that is well; when none is, each in turn.
    fn best(&self, now: Mono) -> Option<usize> {
        let well = self.targets.iter().position(|target| target.is_well(now));
        let turn = usize::try_from(self.failures).unwrap_or(0).checked_rem(self.targets.len());
        well.or(turn)
    }

    fn register(&mut self, target: usize, digests: u8, rng: &mut Rng) -> Option<Wish> {
        self.cseq = self.cseq.saturating_add(1);
        Some(Wish {
            method: Method::Register,
            flow: self.targets.get(target)?.flow,
            call_id: self.call_id.clone(),
            cseq: self.cseq,
            authorization: self.digest(&Method::Register, &self.register_uri(), rng),
            expires_s: Some(self.ask_s),
            place: WishPlace::Register { target, digests },
        })
    }

    /// The Request-URI of our REGISTER.
    pub fn register_uri(&self) -> String {
        format!("sip:{}", self.upstream.domain)
    }

    /// The answer to the last challenge, counted on (RFC 7616 §3.4).
    fn digest(
        &mut self,
        method: &Method,
        uri: &str,
        rng: &mut Rng,
    ) -> Option<(HeaderName, String)> {
        let login = self.upstream.login.as_ref()?;
        let (challenge, proxy, count) = self.known.as_mut()?;
        *count = count.saturating_add(1);
        let password = login.password.reveal();
        let value = challenge.answer(&login.user, password, method, uri, &rng.token(), *count);
        let name = if *proxy { HeaderName::ProxyAuthorization } else { HeaderName::Authorization };
        Some((name, value))
    }

    /// The challenge in a 401 or 407 that our password may answer: ours is for one realm only.
    pub fn challenge(&self, response: &Response) -> Option<(Challenge, bool)> {
        challenge(response, &self.upstream)
    }

    /// What came of the REGISTER or OPTIONS under `branch`; hands back what is to be sent at once.
    pub fn answered(
        &mut self,
        branch: Token,
        response: &Response,
        now: Mono,
        rng: &mut Rng,
    ) -> Option<Wish> {
        if response.status < 200 {
            return None;
        }
        let pinged =
            |target: &Target| matches!(target.ping, Ping::Asked { branch: b, .. } if b == branch);
        if let Some(target) = self.targets.iter().position(pinged) {
            // RFC 3261 §11.2: whatever it answers, it is there; but these say that it is not well.
            if matches!(response.status, 408 | 500 | 503) {
                self.ping_failed(target, now, rng);
            } else {
                self.ping_answered(target, now, rng);
            }
            return None;
        }
        let Reg::Asked { branch: asked, target, digests, .. } = self.reg else { return None };
        if asked != branch {
            return None; // An answer to a REGISTER that was given up.
        }
        match response.status {
            200..300 => {
                self.registered(target, response, now, rng);
                None
            }
            401 | 407 => {
                let Some((challenge, proxy)) = self.challenge(response) else {
                    self.refuse(response.status, now, rng);
                    return None;
                };
                // A second challenge that does not say that the nonce was too old says that the password
                // is wrong; but the first may have answered a digest with a nonce of long ago.
                if digests >= MAX_DIGESTS || (digests > 0 && !challenge.stale) {
                    self.known = None;
                    self.refuse(response.status, now, rng);
                    return None;
                }
                self.known = Some((challenge, proxy, 0));
                self.register(target, digests.saturating_add(1), rng)
            }
            423 => {
                // RFC 3261 §10.2.8: as long as it wants, once.
                let least = response.head.headers.number(&HeaderName::MinExpires).unwrap_or(0);
                if least > self.ask_s && least <= MOST_LEASE_S {
                    self.ask_s = least;
                    return self.register(target, digests, rng);
                }
                self.refuse(423, now, rng);
                None
            }
            408 | 500..=599 => {
                self.refused = Some(response.status);
                self.unanswered(target, now, rng);
                let wait_s = response.head.headers.number(&HeaderName::RetryAfter);
                if let (Some(wait_s), Some(target)) = (wait_s, self.targets.get_mut(target)) {
                    let wait = Duration::from_secs(u64::from(wait_s.min(MOST_RETRY_S)));
                    target.shut_until = target.shut_until.max(Some(later(now, wait)));
                }
                None
            }
            status => {
                self.refuse(status, now, rng);
                None
            }
        }
    }

    fn registered(&mut self, target: usize, response: &Response, now: Mono, rng: &mut Rng) {
        let lease_s = lease_of(response, &self.contact_user).unwrap_or(self.ask_s);
        let lease_s = lease_s.clamp(LEAST_LEASE_S, MOST_LEASE_S);
        let lease = Duration::from_secs(u64::from(lease_s));
        self.at = Some(target);
        self.lapses = Some(later(now, lease));
        (self.failures, self.refused) = (0, None);
        if let Some(target) = self.targets.get_mut(target) {
            target.shut_until = None;
        }
        // At half the lease and a little: there is time for every server before it lapses.
        self.reg = Reg::Due(later(now, spread(lease.checked_div(2).unwrap_or(lease), rng)));
    }

    /// The carrier says no; a person must see to it. The next server may know better.
    fn refuse(&mut self, status: u16, now: Mono, rng: &mut Rng) {
        self.refused = Some(status);
        self.failures = self.failures.saturating_add(1);
        // A registration that stands is left to lapse; a refused refresh does not end it.
        self.reg = Reg::Due(later(now, spread(BACK_OFF_REFUSED, rng)));
    }

    /// A server did not answer a REGISTER: the next one at once, or all again after a while.
    fn unanswered(&mut self, target: usize, now: Mono, rng: &mut Rng) {
        self.shut(target, now);
        let other = self.targets.iter().any(|target| target.is_well(now));
        if other {
            self.reg = Reg::Due(now);
            return;
        }
        self.failures = self.failures.saturating_add(1);
        let doubled = BACK_OFF.saturating_mul(2_u32.saturating_pow(self.failures.min(8)));
        self.reg = Reg::Due(later(now, spread(doubled.min(BACK_OFF_MOST), rng)));
    }

    fn shut(&mut self, target: usize, now: Mono) {
        let until = later(now, self.shut_for());
        if let Some(target) = self.targets.get_mut(target) {
            target.shut_until = target.shut_until.max(Some(until));
        }
    }

    fn shut_for(&self) -> Duration {
        // OPTIONS opens it again; by itself only when that had two chances to.
        SHUT.max(self.upstream.options_every.saturating_mul(2))
    }

    fn ping_failed(&mut self, target: usize, now: Mono, rng: &mut Rng) {
        let next = later(now, spread(self.upstream.options_every.min(SHUT), rng));
        self.shut(target, now);
        if let Some(target) = self.targets.get_mut(target) {
            target.ping = Ping::Due(next);
        }
        // Registered at a server that is gone is not registered: the carrier's calls do not come.
        let other = self.targets.iter().any(|target| target.is_well(now));
        if self.registers() && self.at == Some(target) && other && matches!(self.reg, Reg::Due(_)) {
            self.reg = Reg::Due(now);
        }
    }

    fn ping_answered(&mut self, target: usize, now: Mono, rng: &mut Rng) {
        let next = later(now, spread(self.upstream.options_every, rng));
        let Some(found) = self.targets.get_mut(target) else { return };
        found.ping = Ping::Due(next);
        let was_shut = !found.is_well(now);
        found.shut_until = None;
        let Reg::Due(due) = self.reg else { return };
        if was_shut && self.is_registered(now) == Some(false) {
            // One that is back is tried at once when nothing else has our registration.
            self.reg = Reg::Due(now);
        } else if was_shut && self.at.is_some_and(|at| target < at) {
            self.reg = Reg::Due(due.min(later(now, spread(RETURN, rng))));
        }
    }

    /// A call or a message could not be brought to the server at `remote`: calls pass it over.
    pub fn failed(&mut self, remote: SocketAddr, now: Mono, rng: &mut Rng) {
        let Some(target) = self.targets.iter().position(|t| t.flow.remote == remote) else {
            return;
        };
        if let Reg::Asked { target: asked, .. } = self.reg
            && asked == target
        {
            return self.unanswered(target, now, rng);
        }
        self.ping_failed(target, now, rng);
        if let Some(Target { ping, .. }) = self.targets.get_mut(target)
            && self.upstream.options_every.is_zero()
        {
            *ping = Ping::Off;
        }
    }

    /// The server at `remote` had no room for a call (503): the same call finds another, and so do those
    /// of the next moment; it may have room again after that (RFC 3261 §21.5.4).
    pub fn busy(&mut self, remote: SocketAddr, now: Mono) {
        let until = later(now, BUSY);
        for target in self.targets.iter_mut().filter(|target| target.flow.remote == remote) {
            target.shut_until = target.shut_until.max(Some(until));
        }
    }

    /// The connection that the registration hangs on is gone: calls cannot reach us by it.
    pub fn flow_lost(&mut self, flow: Flow, now: Mono, rng: &mut Rng) {
        let at = self.at.and_then(|at| self.targets.get(at));
        let ours = at.is_some_and(|target| target.flow.remote == flow.remote);
        if ours && flow.transport.is_stream() && self.registers() && matches!(self.reg, Reg::Due(_))
        {
            self.reg = Reg::Due(later(now, spread(Duration::from_secs(1), rng)));
        }
    }
}

impl Target {
    fn is_well(&self, now: Mono) -> bool {
        self.shut_until.is_none_or(|until| until <= now)
    }
}

/// The challenge in a 401 or 407 that the upstream's password may answer.
pub(in crate::sip) fn challenge(
    response: &Response,
    upstream: &Upstream,
) -> Option<(Challenge, bool)> {
    let login = upstream.login.as_ref()?;
    let proxy = response.status == 407;
    let name = if proxy { HeaderName::ProxyAuthenticate } else { HeaderName::WwwAuthenticate };
    let challenge = Challenge::pick(response.head.headers.all(&name))?;
    (challenge.realm == login.realm).then_some((challenge, proxy))
}

/// The lease that a 200 grants: the `expires` of our own Contact, or else Expires (RFC 3261 §10.2.4).
fn lease_of(response: &Response, user: &str) -> Option<u32> {
    let own = match &response.head.contacts {
        crate::sip::Contacts::List(list) => list
            .iter()
            .find(|contact| contact.uri.user().as_deref() == Some(user))
            .or_else(|| list.first().filter(|_| list.len() == 1)),
        crate::sip::Contacts::Star => None,
    };
    let own = own.and_then(|contact| contact.params.value("expires")?.parse().ok());
    own.or_else(|| response.head.headers.number(&HeaderName::Expires))
}

/// Between 100 and 125 % of `time`, so that those who failed together do not return together.
fn spread(time: Duration, rng: &mut Rng) -> Duration {
    let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let more = rng.below(ms.checked_div(4).unwrap_or(0).saturating_add(1));
    Duration::from_millis(ms.saturating_add(more))
}

#[cfg(test)]
mod tests;
