//! Registration with the carrier (RFC 3261 §10.2): when REGISTER goes to which server, and what its answer
//! changes.

use super::health::Target;
use super::{Line, PATIENCE, Wish, WishPlace, spread};
use crate::base::{Mono, Rng};
use crate::sip::dialog::Token;
use crate::sip::digest::Challenge;
use crate::sip::trunk::{Login, later};
use crate::sip::{HeaderName, Method, Response};
use std::time::Duration;

/// Digests sent for one request of ours: one for the challenge, one more for a nonce that was too old.
/// More would lock an account.
pub(in crate::sip) const MAX_DIGESTS: u8 = 2;
/// The first wait after all servers failed; it doubles up to [`BACK_OFF_MOST`].
const BACK_OFF: Duration = Duration::from_secs(2);
/// The longest wait between two attempts.
const BACK_OFF_MOST: Duration = Duration::from_secs(300);
/// After a refusal that a person must mend (a wrong password), so that no account is locked.
const BACK_OFF_REFUSED: Duration = Duration::from_secs(120);
/// A lease is taken for at least so long, whatever the carrier says: we do not hammer it.
const LEAST_LEASE_S: u32 = 20;
/// The longest lease and Min-Expires that we follow, seconds.
pub(super) const MOST_LEASE_S: u32 = 86_400;
/// The longest Retry-After that we obey.
const MOST_RETRY_S: u32 = 3_600;

/// Where the registration stands.
#[derive(Debug)]
pub(super) enum Reg {
    /// The profile does not register.
    Off,
    /// REGISTER is due then.
    Due(Mono),
    /// Refused, so that a person must see to it: REGISTER is due then and no sooner, whatever the network
    /// does meanwhile. No account is locked by a password that the carrier refuses.
    Refused(Mono),
    /// On its way to that target.
    Asked { branch: Token, target: usize, until: Mono, digests: u8 },
}

impl Line {
    /// The first that is well; when none is, each in turn. None while none may be asked.
    pub(super) fn best(&self, now: Mono) -> Option<usize> {
        let free: Vec<usize> = (0..self.targets.len())
            .filter(|place| self.targets.get(*place).is_some_and(|target| target.is_free(now)))
            .collect();
        let is_well = |place: &&usize| self.targets.get(**place).is_some_and(|t| t.is_well(now));
        let turn = usize::try_from(self.failures).unwrap_or(0).checked_rem(free.len());
        free.iter().find(is_well).or_else(|| free.get(turn?)).copied()
    }

    /// A REGISTER to that server.
    pub(super) fn register(&mut self, target: usize, digests: u8, rng: &mut Rng) -> Option<Wish> {
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

    /// What came of the REGISTER that is under way; hands back what is to be sent at once.
    pub(super) fn register_answered(
        &mut self,
        target: usize,
        digests: u8,
        response: &Response,
        now: Mono,
        rng: &mut Rng,
    ) -> Option<Wish> {
        self.hold(target, response, now);
        match response.status {
            200..300 => {
                self.registered(target, response, now, rng);
                None
            }
            401 | 407 => {
                let Some((challenge, proxy)) = challenge(response, self.upstream.login.as_ref())
                else {
                    self.refuse(target, response.status, now, rng);
                    return None;
                };
                // A second challenge that does not say that the nonce was too old says that the password
                // is wrong; but the first may have answered a digest with a nonce of long ago.
                if digests >= MAX_DIGESTS || (digests > 0 && !challenge.stale) {
                    self.known = None;
                    self.refuse(target, response.status, now, rng);
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
                self.refuse(target, 423, now, rng);
                None
            }
            408 | 500..=599 => {
                self.refused = Some(response.status);
                if let Some(target) = self.targets.get_mut(target) {
                    target.shut_until = target.shut_until.max(target.held_until);
                }
                self.unanswered(target, now, rng);
                None
            }
            status => {
                self.refuse(target, status, now, rng);
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
            (target.shut_until, target.held_until) = (None, None);
        }
        // At half the lease and a little: there is time for every server before it lapses.
        self.register_at(later(now, spread(lease.checked_div(2).unwrap_or(lease), rng)));
    }

    /// The carrier says no; a person must see to it. The next server may know better.
    fn refuse(&mut self, target: usize, status: u16, now: Mono, rng: &mut Rng) {
        self.refused = Some(status);
        self.failures = self.failures.saturating_add(1);
        // A carrier that says when it may be asked again knows best; but no account is locked by a password
        // that it refuses. A registration that stands is left to lapse; a refused refresh does not end it.
        let held = self.targets.get(target).and_then(|target| target.held_until);
        match held {
            Some(until) if !matches!(status, 401 | 403 | 407) => self.register_at(until),
            Some(_) | None => {
                let pause = later(now, spread(BACK_OFF_REFUSED, rng));
                self.reg = Reg::Refused(self.free_at(pause));
            }
        }
    }

    /// Takes the Retry-After of a refusal: that server gets no REGISTER before (RFC 3261 §20.33).
    fn hold(&mut self, target: usize, response: &Response, now: Mono) {
        let wait_s = response.head.headers.number(&HeaderName::RetryAfter);
        if let (300.., Some(wait_s), Some(target)) =
            (response.status, wait_s, self.targets.get_mut(target))
        {
            let wait = Duration::from_secs(u64::from(wait_s.min(MOST_RETRY_S)));
            target.held_until = Some(later(now, wait.max(PATIENCE)));
        }
    }

    /// A REGISTER is due then, or when a server may be asked after that.
    pub(super) fn register_at(&mut self, at: Mono) {
        self.reg = Reg::Due(self.free_at(at));
    }

    /// What has happened is a reason to ask no later than then.
    pub(super) fn hurry(&mut self, at: Mono) {
        if let Reg::Due(due) = self.reg {
            self.register_at(due.min(at));
        }
    }

    fn free_at(&self, at: Mono) -> Mono {
        let free = |target: &Target| target.held_until.map_or(at, |until| until.max(at));
        self.targets.iter().map(free).min().unwrap_or(at)
    }

    /// A server did not answer a REGISTER: the next one at once, or all again after a while.
    pub(super) fn unanswered(&mut self, target: usize, now: Mono, rng: &mut Rng) {
        self.shut(target, now);
        let other = self.targets.iter().any(|target| target.is_well(now) && target.is_free(now));
        if other {
            return self.register_at(now);
        }
        self.failures = self.failures.saturating_add(1);
        let doubled = BACK_OFF.saturating_mul(2_u32.saturating_pow(self.failures.min(8)));
        self.register_at(later(now, spread(doubled.min(BACK_OFF_MOST), rng)));
    }
}

/// The challenge in a 401 or 407 that our password may answer: ours is for one realm only.
pub(in crate::sip) fn challenge(
    response: &Response,
    login: Option<&Login>,
) -> Option<(Challenge, bool)> {
    let login = login?;
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
