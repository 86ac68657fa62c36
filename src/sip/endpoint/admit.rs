//! Who may: the answer to our challenge, the rule of the account, the doors that are shut. Nothing is
//! kept of who did not prove who it is, but a count, and nothing that is answered tells whether an
//! account exists.

use super::guard::{Admission, Attempt, Blocked, source_of};
use super::receive::Refusal;
use super::{Effect, Endpoint};
use crate::base::{Mono, Now, Number};
use crate::sip::api::Flow;
use crate::sip::digest::Verdict;
use crate::sip::{HeaderName, Request};
use std::net::IpAddr;

impl Endpoint {
    /// Who sends this, or none when it has been answered: a challenge, or 403 for somebody who speaks
    /// in another's name.
    pub(super) fn admit(
        &mut self,
        flow: Flow,
        request: &Request,
        speaks_as: &str,
        now: Now,
        out: &mut Vec<Effect>,
    ) -> Option<Number> {
        let source = source_of(flow.remote.ip());
        let account = self.directory.accounts.get(speaks_as);
        let attempt = Attempt { source, account: speaks_as, is_known: account.is_some() };
        let by_rule = account.is_some_and(|account| !account.policy.allows(flow));
        let at_home = || self.registrar.is_at_home(speaks_as, source);
        if self.guard.is_shut(&self.core, &attempt, at_home, now.mono) {
            if request.head.headers.has(&HeaderName::Authorization) {
                self.guard.unheard();
            }
            self.challenge(flow, request, false, now.mono, out);
            return None;
        }
        let values = request.head.headers.all(&HeaderName::Authorization);
        let accounts = &self.directory.accounts;
        // An account that may not come this way is, this way, none: who knows its password learns
        // nothing from outside.
        let lookup = |user: &str| {
            accounts.get(user).filter(|account| account.policy.allows(flow)).map(|known| &known.ha1)
        };
        let (method, uri) = (&request.method, &request.uri);
        match self.auth.check(method, uri, values, source, now.mono, lookup) {
            // §22: who is proved to be one must not say that it is another.
            Verdict::Granted { user } if user == speaks_as => Some(Number::from(user)),
            Verdict::Granted { .. } => {
                self.turn_away(flow, request, Refusal::plain(403), out);
                None
            }
            Verdict::Absent => {
                self.challenge(flow, request, false, now.mono, out);
                None
            }
            Verdict::Stale => {
                self.challenge(flow, request, true, now.mono, out);
                None
            }
            Verdict::Refused(_) => {
                self.guard.failed(&self.core, &attempt, by_rule, now);
                self.challenge(flow, request, false, now.mono, out);
                None
            }
        }
    }

    /// 401 with a fresh challenge (§22.1): the same for a missing, a wrong and an unknown account.
    fn challenge(
        &mut self,
        flow: Flow,
        request: &Request,
        stale: bool,
        now: Mono,
        out: &mut Vec<Effect>,
    ) {
        let mut writer = self.reply(request, 401);
        let source = source_of(flow.remote.ip());
        for value in self.auth.challenges(source, now, &mut self.core.rng, stale) {
            writer.header(&HeaderName::WwwAuthenticate, value);
        }
        out.push(Effect::Send { flow, bytes: writer.finish(), free: true });
    }

    /// The doors that are shut for having guessed at passwords, whole sources first.
    pub fn blocked(&self, now: Mono) -> impl Iterator<Item = Blocked> {
        self.guard.blocked(now)
    }

    /// What admission has done since the start.
    #[must_use]
    pub fn admission(&self, now: Mono) -> Admission {
        self.guard.admission(now)
    }

    /// Opens every door that is shut for this address; false when none was.
    pub fn let_in(&mut self, address: IpAddr, now: Mono) -> bool {
        self.guard.let_in(source_of(address), now)
    }
}
