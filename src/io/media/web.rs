//! Legs whose keys are agreed on along the way: a browser's checks, the handshake, and the keys that come
//! of it. Till the keys are there nothing is said to the peer, and nothing of it is heard.

use super::counters::count;
use super::leg::Leg;
use super::slab::Token;
use super::worker::{Beat, Worker};
use crate::base::Mono;
use crate::dtls::{self, Handshake, Output, Role};
use crate::ice::{self, Checked, Lite};
use crate::rtp::command::Notice;
use crate::sdp::Dtls;
use crate::srtp::Suite;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How often an unfinished handshake is looked after, milliseconds.
const LOOK_MS: u64 = 50;

/// A leg's handshake and its way.
pub(super) struct Web {
    plan: Arc<Dtls>,
    lite: Option<Lite>,
    shake: Option<Handshake>,
    /// Whence the other side shakes hands, once it does and no check shows its way: from the place that the
    /// description names, from behind a NAT, or a stranger. Its certificate tells.
    with: Option<SocketAddr>,
    /// A timer runs for it.
    beating: bool,
    /// When it was agreed on.
    since: Mono,
}

/// Without keys for so long the peer cannot, or will not: its checks and its handshake together.
const MOST_TIME: Duration = Duration::from_secs(12);

impl Web {
    /// Nothing has come yet.
    pub(super) fn new(plan: &Arc<Dtls>, since: Mono) -> Self {
        let lite = plan.ice.as_ref().map(|ice| {
            let mut lite = Lite::new(ice.ours.clone());
            lite.set_theirs(&ice.theirs);
            lite
        });
        let plan = Arc::clone(plan);
        Self { plan, lite, shake: None, with: None, beating: false, since }
    }

    /// Whether the descriptions still lead to the same handshake: the peer has the same certificate, and
    /// each side its role (RFC 8842 §5.1).
    fn leads_to(&self, plan: &Dtls) -> bool {
        self.plan.role == plan.role && self.plan.fingerprints == plan.fingerprints
    }

    /// Takes what the descriptions say now. False when they lead to another handshake, or to the same by
    /// another kind of way. An ICE restart does neither: the checks begin anew, the keys stay, and so does
    /// the way till another is shown (RFC 8445 §9).
    pub(super) fn goes_on_by(&mut self, plan: &Arc<Dtls>) -> bool {
        if !self.leads_to(plan) || self.plan.ice.is_some() != plan.ice.is_some() {
            return false;
        }
        if let (Some(lite), Some(ice)) = (&mut self.lite, &plan.ice)
            && self.plan.ice.as_ref() != Some(ice)
        {
            lite.restart(ice.ours.clone(), &ice.theirs);
        }
        self.plan = Arc::clone(plan);
        true
    }

    /// Whether a timer runs for it.
    pub(super) fn is_beating(&self) -> bool {
        self.beating
    }

    /// Whether the peer shows the way by its checks.
    pub(super) fn by_checks(&self) -> bool {
        self.lite.is_some()
    }
}

/// What a datagram is, by its first byte (RFC 7983 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Datagram {
    /// STUN.
    Check,
    /// DTLS.
    Handshake,
    /// RTP or RTCP, or nothing that we know.
    Sound,
}

impl Datagram {
    pub(super) fn of(bytes: &[u8]) -> Self {
        if ice::is_stun(bytes) {
            Self::Check
        } else if dtls::is_dtls(bytes) {
            Self::Handshake
        } else {
            Self::Sound
        }
    }
}

impl<N: Fn(Notice)> Worker<N> {
    /// A check of the browser's lies in the buffer.
    pub(super) fn checked(&mut self, token: Token, length: usize, from: SocketAddr) {
        let now = self.now;
        let Some(leg) = self.legs.get_mut(token) else { return };
        let Some(bytes) = self.buffer.get(..length) else { return };
        let Some(checked) = leg.checked(bytes, from, now) else {
            return count(&mut self.counted.dropped_malformed);
        };
        if let Some(answer) = checked.answer {
            // Lost like any packet: the browser asks again.
            let _ = leg.socket.send_to(&answer, from);
        }
        if !checked.is_valid {
            return count(&mut self.counted.dropped_stranger);
        }
        self.begin_handshake(token);
    }

    /// The peer's way is known: who is to begin, begins.
    pub(super) fn begin_handshake(&mut self, token: Token) {
        let Some(identity) = self.identity.clone() else { return };
        let (now, now_ms) = (self.now, self.now_ms());
        let Some(leg) = self.legs.get_mut(token) else { return };
        if leg.line.as_ref().is_none_or(|line| line.target.is_none()) {
            return;
        }
        let Some(web) = leg.web.as_mut().filter(|web| web.shake.is_none()) else { return };
        let mut out = Vec::new();
        let (role, expected) = (web.plan.role, web.plan.fingerprints.clone());
        let shake = Handshake::begin(&identity, role, expected, &Suite::ALL, now, &mut out);
        web.shake = Some(shake);
        if !std::mem::replace(&mut web.beating, true) {
            self.wheel.schedule(now_ms.saturating_add(LOOK_MS), Beat::Handshake { leg: token });
        }
        self.shaken(token, out);
    }

    /// A datagram of the handshake lies in the buffer. Listened to is the peer's own address and, without
    /// ICE, one that may be its NAT's.
    pub(super) fn handshake(&mut self, token: Token, length: usize, from: SocketAddr) {
        let begins = self.buffer.get(..length).is_some_and(dtls::begins);
        let Some(leg) = self.legs.get_mut(token) else { return };
        if !leg.shakes_with(from, begins) {
            return count(&mut self.counted.dropped_stranger);
        }
        self.begin_handshake(token);
        let now = self.now;
        let Some(leg) = self.legs.get_mut(token) else { return };
        let Some(shake) = leg.web.as_mut().and_then(|web| web.shake.as_mut()) else { return };
        let Some(bytes) = self.buffer.get(..length) else { return };
        let mut out = Vec::new();
        shake.datagram(bytes, now, &mut out);
        self.shaken(token, out);
    }

    /// Time passes for an unfinished handshake.
    pub(super) fn beat_handshake(&mut self, token: Token, due_ms: u64) {
        let now = self.now;
        let Some(leg) = self.legs.get_mut(token) else { return };
        let Some(web) = leg.web.as_mut() else { return };
        let mut out = Vec::new();
        if let Some(shake) = &mut web.shake
            && shake.deadline().is_some_and(|due| due <= now)
        {
            shake.tick(now, &mut out);
        }
        // Done, it only answers.
        web.beating = web.shake.as_ref().is_some_and(|shake| shake.deadline().is_some());
        if web.beating {
            let next = due_ms.saturating_add(LOOK_MS);
            self.wheel.schedule(next, Beat::Handshake { leg: token });
        }
        self.shaken(token, out);
    }

    /// Does what the handshake wants done.
    fn shaken(&mut self, token: Token, out: Vec<Output>) {
        for output in out {
            let Some(leg) = self.legs.get_mut(token) else { return };
            match output {
                Output::Send(datagram) => {
                    let with = leg.web.as_ref().and_then(|web| web.with);
                    let target = leg.line.as_ref().and_then(|line| line.target);
                    if let Some(target) = with.or(target) {
                        // Lost like any packet: it is said again.
                        let _ = leg.send_bare(&datagram, target);
                    }
                }
                Output::Keys(keys) => {
                    // Its certificate is the one that was named: there is the peer.
                    if let Some(proved) = leg.shakes_elsewhere() {
                        leg.chosen(proved);
                    }
                    leg.seal_with(&Arc::from(keys));
                    count(&mut self.counted.handshakes);
                }
                // It hangs up: its BYE comes by another way, perhaps later. Should it not, the silence
                // is noticed.
                Output::Closed => {
                    count(&mut self.counted.goodbyes);
                    if let Some(line) = &mut leg.line {
                        line.stream.may_send = false;
                    }
                }
                Output::Failed(_) => {
                    count(&mut self.counted.handshakes_failed);
                    // A stranger's certificate is no word of the peer's, who may still come.
                    if leg.shakes_elsewhere().is_some()
                        && let Some(web) = &mut leg.web
                    {
                        (web.with, web.shake) = (None, None);
                        continue;
                    }
                    // Without keys there is no sound: the call cannot go on.
                    return self.lose(token);
                }
            }
        }
    }
}

impl Leg {
    /// Takes a check of the browser's; none when nobody shows a way by checks here. A browser shakes hands
    /// before it has chosen: till then the way that it checked last is its way.
    pub(super) fn checked(&mut self, bytes: &[u8], from: SocketAddr, now: Mono) -> Option<Checked> {
        let lite = self.web.as_mut()?.lite.as_mut()?;
        let checked = lite.datagram(bytes, from, now);
        if let Some(way) = lite.way().filter(|_| checked.is_valid) {
            self.chosen(way);
        }
        Some(checked)
    }

    /// Whether the handshake is listened to from there. Nobody but the peer's own address interrupts one.
    /// `begins`: what came is the first word of one.
    fn shakes_with(&mut self, from: SocketAddr, begins: bool) -> bool {
        let (Some(web), Some(line)) = (&mut self.web, &self.line) else { return false };
        if let Some(lite) = &web.lite {
            return lite.is_peers(from);
        }
        let is_target = line.target == Some(from);
        match web.with {
            Some(with) if with == from => true,
            // It begins anew with who is meant.
            Some(_) if is_target => {
                (web.with, web.shake) = (Some(from), None);
                true
            }
            // We can begin only where the description says; till somebody has shaken hands with us, the peer
            // may be behind its NAT. What a stranger, whose handshake failed, has still on its way begins none.
            None if is_target
                || (begins && web.plan.role == Role::Server && line.lock.may_learn(from)) =>
            {
                web.with = Some(from);
                true
            }
            Some(_) | None => false,
        }
    }

    /// Who shakes hands from elsewhere than where sound is sent to.
    fn shakes_elsewhere(&self) -> Option<SocketAddr> {
        let target = self.line.as_ref().and_then(|line| line.target);
        self.web.as_ref()?.with.filter(|with| Some(*with) != target)
    }

    /// Who shows its way by checks and has not checked for 30 s is sent nothing till it does (RFC 7675 §5.1).
    pub(super) fn look_for_consent(&mut self, now: Mono) {
        let lapsed = |web: &Web| web.lite.as_ref().is_some_and(|lite| !lite.consents(now));
        if let Some(line) = &mut self.line
            && self.web.as_ref().is_some_and(|web| lapsed(web))
        {
            line.lock.forget();
            line.target = line.lock.target();
        }
    }

    /// Whether keys have been awaited for too long.
    pub(super) fn waits_in_vain(&self, now: Mono) -> bool {
        let late = self.web.as_ref().is_some_and(|web| now.since(web.since) >= MOST_TIME);
        late && self.awaits_keys()
    }

    /// Whether keys are still awaited, so that nothing may be said or heard.
    pub(super) fn awaits_keys(&self) -> bool {
        self.web.is_some() && self.sealed.is_none()
    }
}
