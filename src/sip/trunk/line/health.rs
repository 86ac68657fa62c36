//! Which of the carrier's servers are well: what OPTIONS (RFC 3261 §11) and calls find out about them.

use super::registering::Reg;
use super::{Line, spread};
use crate::base::{Mono, Rng};
use crate::sip::api::Flow;
use crate::sip::dialog::Token;
use crate::sip::trunk::later;
use std::net::SocketAddr;
use std::time::Duration;

/// A server that failed is passed over for so long, unless OPTIONS finds it well before.
const SHUT: Duration = Duration::from_secs(30);
/// A server before the one that has our registration, found well again by OPTIONS, gets it after so long: one
/// that comes and goes is not followed each time.
const RETURN: Duration = Duration::from_secs(30);
/// One that had no room for a call is passed over for so long.
const BUSY: Duration = Duration::from_secs(2);

/// One address of the carrier's.
#[derive(Debug)]
pub(in crate::sip) struct Target {
    /// The way there.
    pub flow: Flow,
    /// Passed over until then.
    pub(super) shut_until: Option<Mono>,
    /// It gets no REGISTER before: its Retry-After.
    pub(super) held_until: Option<Mono>,
    pub(super) ping: Ping,
}

/// Where the question stands whether it is well.
#[derive(Debug)]
pub(super) enum Ping {
    /// OPTIONS is not sent.
    Off,
    /// To be sent then.
    Due(Mono),
    /// On its way.
    Asked { branch: Token, until: Mono },
}

impl Line {
    pub(super) fn shut(&mut self, target: usize, now: Mono) {
        let until = later(now, self.shut_for());
        if let Some(target) = self.targets.get_mut(target) {
            target.shut_until = target.shut_until.max(Some(until));
        }
    }

    fn shut_for(&self) -> Duration {
        // OPTIONS opens it again; by itself only when that had two chances to.
        SHUT.max(self.upstream.options_every.saturating_mul(2))
    }

    /// It did not answer OPTIONS, or said that it is not well.
    pub(super) fn ping_failed(&mut self, target: usize, now: Mono, rng: &mut Rng) {
        let next = later(now, spread(self.upstream.options_every.min(SHUT), rng));
        self.shut(target, now);
        if let Some(target) = self.targets.get_mut(target) {
            target.ping = Ping::Due(next);
        }
        // Registered at a server that is gone is not registered: the carrier's calls do not come.
        let other = self.targets.iter().any(|target| target.is_well(now));
        if self.at == Some(target) && other {
            self.hurry(now);
        }
    }

    /// It answered OPTIONS.
    pub(super) fn ping_answered(&mut self, target: usize, now: Mono, rng: &mut Rng) {
        let next = later(now, spread(self.upstream.options_every, rng));
        let Some(found) = self.targets.get_mut(target) else { return };
        found.ping = Ping::Due(next);
        let was_shut = !found.is_well(now);
        found.shut_until = None;
        if was_shut && self.is_registered(now) == Some(false) {
            // One that is back is tried at once when nothing else has our registration.
            self.hurry(now);
        } else if was_shut && self.at.is_some_and(|at| target < at) {
            self.hurry(later(now, spread(RETURN, rng)));
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
        if ours && flow.transport.is_stream() {
            self.hurry(later(now, spread(Duration::from_secs(1), rng)));
        }
    }
}

impl Target {
    pub(super) fn new(flow: Flow, ping: Ping) -> Self {
        Self { flow, shut_until: None, held_until: None, ping }
    }

    /// Whether calls are sent to it.
    pub(super) fn is_well(&self, now: Mono) -> bool {
        self.shut_until.is_none_or(|until| until <= now)
    }

    /// Whether a REGISTER may be sent to it.
    pub(super) fn is_free(&self, now: Mono) -> bool {
        self.held_until.is_none_or(|until| until <= now)
    }
}
