//! Legs whose keys are agreed on along the way: a browser's checks, the handshake, and the keys that come
//! of it. Till the keys are there nothing is said to the peer, and nothing of it is heard.

use super::counters::count;
use super::elsewhere::Elsewhere;
use super::leg::{Leg, Line};
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
    /// With who is meant: where checks show its way, where its description says, or where it has proved to be.
    shake: Option<Handshake>,
    /// Till there are keys, where no checks show the way.
    elsewhere: Elsewhere<Handshake>,
    /// A timer runs for it.
    beating: bool,
    /// When it was agreed on.
    since: Mono,
}

/// With whom hands are shaken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum With {
    /// Who is meant.
    Meant,
    /// Who speaks from there, and may be it.
    Elsewhere(SocketAddr),
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
        Self { plan, lite, shake: None, elsewhere: Elsewhere::default(), beating: false, since }
    }

    /// Whether hands are shaken with that one.
    fn shakes(&self, with: With) -> bool {
        match with {
            With::Meant => self.shake.is_some(),
            With::Elsewhere(from) => self.elsewhere.has(from),
        }
    }

    /// Whose certificate is the one that was named is who is meant, and nobody else is heard any more.
    fn proved(&mut self, with: With) {
        if let With::Elsewhere(from) = with {
            self.shake = self.elsewhere.take(from);
        }
        self.elsewhere = Elsewhere::default();
    }

    /// Forgets a handshake that failed; whether another may still come to something.
    fn goes_on_without(&mut self, with: With) -> bool {
        match with {
            With::Meant => {
                self.shake = None;
                !self.elsewhere.is_empty()
            }
            With::Elsewhere(from) => self.elsewhere.take(from).is_some(),
        }
    }

    /// All handshakes that are under way, or done.
    fn each(&mut self) -> impl Iterator<Item = (With, &mut Handshake)> {
        let meant = self.shake.iter_mut().map(|shake| (With::Meant, shake));
        meant.chain(self.elsewhere.each().map(|(from, shake)| (With::Elsewhere(from), shake)))
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

    /// A packet from there was opened by the leg's keys. On the way that the peer has shown it proves that the
    /// peer is there, as a check does; also after a silence of both that has ended its consent, as on hold.
    /// Only for what was opened: where checks show the way there are always keys ([`Protection::Dtls`] alone
    /// names ICE), so that no plain packet ever speaks for anybody.
    ///
    /// [`Protection::Dtls`]: crate::sdp::Protection::Dtls
    pub(super) fn opened(&mut self, line: &mut Line, from: SocketAddr, now: Mono) {
        let Some(lite) = &mut self.lite else { return };
        if lite.alive(from, now) && line.target != Some(from) {
            line.lock.choose(from);
            line.target = line.lock.target();
        }
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
        self.begin_handshake(token, With::Meant);
    }

    /// The peer's way is known: who is to begin, begins.
    pub(super) fn begin_handshake(&mut self, token: Token, with: With) {
        let Some(identity) = self.identity.clone() else { return };
        let (now, now_ms) = (self.now, self.now_ms());
        let Some(leg) = self.legs.get_mut(token) else { return };
        let has_way = leg.line.as_ref().is_some_and(|line| line.target.is_some());
        if with == With::Meant && !has_way {
            return;
        }
        let Some(web) = leg.web.as_mut().filter(|web| !web.shakes(with)) else { return };
        let mut out = Vec::new();
        let (role, expected) = (web.plan.role, web.plan.fingerprints.clone());
        let shake = Handshake::begin(&identity, role, expected, &Suite::ALL, now, &mut out);
        match with {
            With::Meant => web.shake = Some(shake),
            With::Elsewhere(from) => web.elsewhere.begin(from, shake, now),
        }
        if !std::mem::replace(&mut web.beating, true) {
            self.wheel.schedule(now_ms.saturating_add(LOOK_MS), Beat::Handshake { leg: token });
        }
        self.shaken(token, with, out);
    }

    /// A datagram of the handshake lies in the buffer. Listened to is the peer's own address and, without
    /// ICE, those that may be its NAT's.
    pub(super) fn handshake(&mut self, token: Token, length: usize, from: SocketAddr) {
        let begins = self.buffer.get(..length).is_some_and(dtls::begins);
        let now = self.now;
        let Some(leg) = self.legs.get_mut(token) else { return };
        let Some(with) = leg.shakes_with(from, begins, now) else {
            return count(&mut self.counted.dropped_stranger);
        };
        self.begin_handshake(token, with);
        let Some(web) = self.legs.get_mut(token).and_then(|leg| leg.web.as_mut()) else { return };
        let shake = match with {
            With::Meant => web.shake.as_mut(),
            With::Elsewhere(from) => web.elsewhere.of(from),
        };
        let Some(shake) = shake else { return };
        let Some(bytes) = self.buffer.get(..length) else { return };
        let mut out = Vec::new();
        shake.datagram(bytes, now, &mut out);
        let believed =
            |output: &Output| matches!(output, Output::Send(said) if dtls::believes(said));
        if let With::Elsewhere(from) = with
            && out.iter().any(believed)
        {
            web.elsewhere.is_there(from);
        }
        self.shaken(token, with, out);
    }

    /// Time passes for an unfinished handshake.
    pub(super) fn beat_handshake(&mut self, token: Token, due_ms: u64) {
        let now = self.now;
        let Some(leg) = self.legs.get_mut(token) else { return };
        let Some(web) = leg.web.as_mut() else { return };
        let mut outs = Vec::new();
        // Done, it only answers.
        web.beating = false;
        for (with, shake) in web.each() {
            let mut out = Vec::new();
            if shake.deadline().is_some_and(|due| due <= now) {
                shake.tick(now, &mut out);
            }
            outs.push((with, shake.deadline().is_some(), out));
        }
        web.beating = outs.iter().any(|(_, goes_on, _)| *goes_on);
        if web.beating {
            let next = due_ms.saturating_add(LOOK_MS);
            self.wheel.schedule(next, Beat::Handshake { leg: token });
        }
        for (with, _, out) in outs {
            self.shaken(token, with, out);
        }
    }

    /// Does what the handshake wants done.
    fn shaken(&mut self, token: Token, with: With, out: Vec<Output>) {
        for output in out {
            let Some(leg) = self.legs.get_mut(token) else { return };
            match output {
                Output::Send(datagram) => {
                    let target = match with {
                        With::Meant => leg.line.as_ref().and_then(|line| line.target),
                        With::Elsewhere(from) => Some(from),
                    };
                    if let Some(target) = target {
                        // Lost like any packet: it is said again.
                        let _ = leg.send_bare(&datagram, target);
                    }
                }
                Output::Keys(keys) => {
                    if let With::Elsewhere(from) = with {
                        leg.chosen(from);
                    }
                    if let Some(web) = &mut leg.web {
                        web.proved(with);
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
                    // A stranger's certificate is no word of the peer's, who may still come; and nobody's silence
                    // where the description says is one of who speaks from elsewhere.
                    if leg.web.as_mut().is_some_and(|web| web.goes_on_without(with)) {
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

    /// With whom hands are shaken when something comes from there; none: it is not listened to. `begins`: what came
    /// is the first word of a handshake.
    fn shakes_with(&self, from: SocketAddr, begins: bool, now: Mono) -> Option<With> {
        let (web, line) = (self.web.as_ref()?, self.line.as_ref()?);
        if let Some(lite) = &web.lite {
            return lite.is_peers(from).then_some(With::Meant);
        }
        if line.target == Some(from) {
            return Some(With::Meant);
        }
        // We can begin only where the description says; till there are keys, the peer may be behind its NAT. What a
        // stranger, whose handshake failed, has still on its way begins none.
        let is_new = begins
            && self.awaits_keys()
            && web.plan.role == Role::Server
            && line.lock.may_learn(from)
            && web.elsewhere.has_room(now);
        (is_new || web.elsewhere.has(from)).then_some(With::Elsewhere(from))
    }

    /// Who shows its way by checks, and for 30 s has neither checked nor talked by its keys, is sent nothing
    /// till it does (RFC 7675 §5.1).
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
