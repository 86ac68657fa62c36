//! Our side of one trunk: which of the carrier's servers are well, whether we are registered there, and
//! what is asked when. It says what is to be sent; the endpoint sends it and hands in what came of it.
//!
//! Registration (RFC 3261 §10.2) begins at the start, is renewed at half its lease, and goes to the next
//! server when one does not answer; when none does, it is tried again after a time that doubles
//! (RFC 5626 §4.5). OPTIONS (§11) asks every server whether it is well; one that is not is passed over
//! by calls until it answers again, or for half a minute where OPTIONS is not sent.

mod health;
mod registering;

use self::health::{Ping, Target};
use self::registering::{MOST_LEASE_S, Reg};
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
/// Most addresses of one trunk's servers.
pub(in crate::sip) const MAX_TARGETS: usize = 16;

pub(in crate::sip) use self::registering::{MAX_DIGESTS, challenge};

/// Which line; its trunk's place in the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::sip) struct LineId(pub u16);

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
        let flow_of = |at: usize| self.targets.get(at).map(|target| target.flow);
        let had = self.at.and_then(flow_of);
        let asked = match self.reg {
            Reg::Asked { target, .. } => flow_of(target),
            Reg::Off | Reg::Due(_) | Reg::Refused(_) => None,
        };
        let mut news = false;
        let mut before = std::mem::take(&mut self.targets);
        for flow in flows.into_iter().take(MAX_TARGETS) {
            let target = match before.iter().position(|target| target.flow == flow) {
                Some(place) => before.swap_remove(place),
                None => {
                    news = true;
                    let pinged = !self.upstream.options_every.is_zero();
                    let ping = if pinged { Ping::Due(now) } else { Ping::Off };
                    Target::new(flow, ping)
                }
            };
            self.targets.push(target);
        }
        let place_of = |flow| self.targets.iter().position(|target| target.flow == flow);
        self.at = had.and_then(place_of);
        let asked = asked.and_then(place_of);
        match &mut self.reg {
            Reg::Off => {}
            Reg::Asked { target, .. } => match asked {
                Some(place) => *target = place,
                // Its answer would be nobody's.
                None => self.register_at(now),
            },
            // The server that has us is gone.
            Reg::Due(_) if had.is_some() && self.at.is_none() => self.register_at(now),
            // A new one may answer where the others did not.
            Reg::Due(_) if news && self.at.is_none() => self.hurry(now),
            // Another name's addresses: what was to come comes when it was to.
            Reg::Due(_) | Reg::Refused(_) => {}
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
            Reg::Due(at) | Reg::Refused(at) => (!self.targets.is_empty()).then_some(at),
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
        if let Reg::Due(at) | Reg::Refused(at) = self.reg
            && at <= now
        {
            match self.best(now) {
                Some(target) => return self.register(target, 0, rng),
                None => self.register_at(now),
            }
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
        match self.reg {
            Reg::Asked { branch: asked, target, digests, .. } if asked == branch => {
                self.register_answered(target, digests, response, now, rng)
            }
            // An answer to a REGISTER that was given up.
            Reg::Off | Reg::Due(_) | Reg::Refused(_) | Reg::Asked { .. } => None,
        }
    }
}

/// Between 100 and 125 % of `time`, so that those who failed together do not return together.
fn spread(time: Duration, rng: &mut Rng) -> Duration {
    let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let more = rng.below(ms.checked_div(4).unwrap_or(0).saturating_add(1));
    Duration::from_millis(ms.saturating_add(more))
}

#[cfg(test)]
mod tests;
