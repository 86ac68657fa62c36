//! One leg's media as the engine keeps it: its port, what was offered, what was agreed.

use super::lamps::AtPhone;
use super::sound::Book;
use super::{Engine, Outbox};
use crate::base::{KeysBy, LegId, Mono, Now, TapId};
use crate::event::Party;
use crate::rtp::command::Command as Media;
use crate::sdp::{self, Agreed, Codec, Control, Direction, Local, OwnKeys, SdpError, Sealing};
use crate::sip::api::Shown;
use bytes::Bytes;
use std::net::{IpAddr, Ipv4Addr};

/// Where offer and answer (RFC 3264) stand. Boxed where large: a desk holds thousands.
#[derive(Debug)]
pub enum Talk {
    /// The peer's INVITE carried no offer; ours goes into the 2xx.
    OfferDue,
    /// The peer's offer waits for our answer; parsed once, answered when the rules accept.
    Offered(Box<sdp::Session>),
    /// Our offer is with the peer.
    Offering,
    /// Both know how to talk.
    Agreed,
}

/// One leg.
#[derive(Debug)]
pub struct Session {
    /// Our RTP port; none until the leg needs media.
    pub port: Option<u16>,
    /// Offer and answer.
    pub talk: Talk,
    /// What was agreed last; kept over a re-INVITE that fails.
    pub agreed: Option<Agreed>,
    /// `o=` session id; stays the same for the leg's life (RFC 3264 §8).
    pub sdp_id: u64,
    /// `o=` version; one more with every description that differs.
    pub sdp_version: u64,
    /// What is shown to phones dialled for this caller.
    pub shown: Option<Shown>,
    /// Whom it is connected with.
    pub partner: Option<LegId>,
    /// Whether its peer holds the call.
    pub holding: bool,
    /// When both sides of the hold are asked whether they are still there; set while holding.
    pub held_until: Option<Mono>,
    /// A re-INVITE of ours is under way, or waits for its turn.
    pub offering: bool,
    /// When it is asked whether it is still there; set while silent.
    pub silent_until: Option<Mono>,
    /// No offer came and ringing must carry ours (RFC 3262 §5).
    pub rings_with_offer: bool,
    /// At which extension's phone it is, if at any of ours.
    pub phone: Option<AtPhone>,
    /// What passes between it and others is copied for the recorder.
    pub tap: Option<TapId>,
    /// It has been connected with somebody.
    pub introduced: bool,
    /// Our address in its descriptions, where it is not the one of all.
    pub ip: Option<IpAddr>,
    /// What its account or trunk thinks of encryption.
    pub sealing: Sealing,
    /// By what its peer tells and is told the keys that people press.
    pub keys_by: KeysBy,
    /// Our keys, once they are needed.
    pub keys: Option<OwnKeys>,
    /// Our first offer says that RTCP may come on the port of RTP: to phones of ours, which may be behind a
    /// NAT that lets one port through. A carrier is told nothing that it did not ask for.
    pub mux: bool,
    /// What is told of its sound.
    pub sound: Book,
    /// The description already sent in a 183, to be repeated in the 200.
    pub answer: Option<Bytes>,
}

impl Session {
    /// A leg without media yet.
    pub const fn new(talk: Talk, sdp_id: u64) -> Self {
        // One that we dial gets our offer.
        let side = if matches!(talk, Talk::Offering) { Party::Agent } else { Party::Caller };
        Self {
            port: None,
            talk,
            agreed: None,
            sdp_id,
            sdp_version: 1,
            shown: None,
            partner: None,
            holding: false,
            held_until: None,
            offering: false,
            silent_until: None,
            rings_with_offer: false,
            phone: None,
            tap: None,
            introduced: false,
            ip: None,
            sealing: Sealing::Accepts,
            keys_by: KeysBy::Auto,
            keys: None,
            mux: false,
            sound: Book::new(side),
            answer: None,
        }
    }
}

/// Which of our offers an answer is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// The one that the call began with. Several phones may answer it, each in its own way (RFC 3261
    /// §13.2.2.4): what one agreed on binds no other.
    First,
    /// One made since: what was agreed on before it goes on.
    Later,
}

/// Whether an offer puts us on hold: its side listens no more (RFC 3264 §8.4).
pub fn holds(offer: &sdp::Session) -> bool {
    let audio = offer.media.iter().find(|media| media.is_audio());
    audio.is_some_and(|media| {
        matches!(offer.direction_of(media), Direction::SendOnly | Direction::Inactive)
    })
}

/// Why a leg cannot have media.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMedia {
    /// Every RTP port is in use.
    #[error("all RTP ports are in use")]
    NoPort,
    /// The peer's description is broken or shares nothing with us.
    #[error(transparent)]
    Sdp(#[from] SdpError),
    /// The leg is already gone.
    #[error("the leg is gone")]
    NoLeg,
}

impl NoMedia {
    /// The SIP status it earns the peer.
    pub const fn status(&self) -> u16 {
        match self {
            Self::NoPort => 503,
            Self::Sdp(_) => 488, // Not Acceptable Here, RFC 3261 §21.4.26
            Self::NoLeg => 481,
        }
    }

    /// For the history: words of ours, nothing of the peer's.
    pub const fn words(&self) -> &'static str {
        match self {
            Self::NoPort => "no free RTP port",
            Self::Sdp(_) => "no common way to talk",
            Self::NoLeg => "the leg is gone",
        }
    }
}

impl Engine {
    /// The codec that the leg's peer speaks, when that is known: the one agreed, or the one of its
    /// offer that we shall take.
    pub(super) fn codec(&self, leg: LegId) -> Option<Codec> {
        let session = self.sessions.get(&leg)?;
        match (&session.agreed, &session.talk) {
            (Some(agreed), _) => Some(agreed.codec),
            (None, Talk::Offered(offer)) => self.first_local(leg).takes(offer),
            (None, Talk::OfferDue | Talk::Offering | Talk::Agreed) => None,
        }
    }

    /// Whether an offer can be answered: a caller whom we could not answer must ring no phone.
    pub(super) fn can_answer(&self, leg: LegId, offer: &sdp::Session, sealing: Sealing) -> bool {
        let local = self.first_local(leg);
        let ip = self.ip_for(self.sip.own_ip(leg)).unwrap_or(local.ip);
        Local { ip, sealing, ..local }.could_answer(offer)
    }

    /// Our address for sound towards a peer that knows us by `known`: that, where the ports are bound to
    /// every address of the machine; else the one that they are bound to. `::` is every address of either
    /// kind, so that a leg of IPv6 talks with one of IPv4.
    pub(super) fn ip_for(&self, known: Option<IpAddr>) -> Option<IpAddr> {
        let bound = self.policy.media_bind;
        known.filter(|known| {
            let kind = bound.is_ipv6() || known.is_ipv4();
            bound.is_unspecified() && !known.is_unspecified() && kind
        })
    }

    /// What the leg's port is bound to: of `::` the half that its description names.
    fn bound_for(&self, named: Option<IpAddr>) -> IpAddr {
        let (bound, named) = (self.policy.media_bind, named.unwrap_or(self.policy.media_ip));
        if bound.is_unspecified() && named.is_ipv4() {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED)
        } else {
            bound
        }
    }

    /// Gives the leg a port and binds it, once.
    pub(super) fn open(&mut self, leg: LegId, now: Now, out: &mut Outbox) -> Result<u16, NoMedia> {
        let session = self.sessions.get_mut(&leg).ok_or(NoMedia::NoLeg)?;
        if let Some(port) = session.port {
            return Ok(port);
        }
        let port = self.ports.take(now).ok_or(NoMedia::NoPort)?;
        session.port = Some(port);
        let named = session.ip;
        out.media.push(Media::Open { leg, ip: self.bound_for(named), port });
        self.reserve(now, out);
        Ok(port)
    }

    /// Has ports bound for the calls to come.
    pub(super) fn reserve(&mut self, now: Now, out: &mut Outbox) {
        while let Some(port) = self.ports.ask(now) {
            out.media.push(Media::Reserve { ip: self.bound_for(None), port });
        }
    }

    /// Gives the leg its keys when they will be said.
    fn draw_keys(&mut self, leg: LegId, asked: bool) {
        let Some(session) = self.sessions.get_mut(&leg) else { return };
        let said = match session.sealing {
            Sealing::Off => false,
            Sealing::Accepts => asked,
            Sealing::Offers | Sealing::Required | Sealing::Dtls => true,
        };
        if said && session.keys.is_none() {
            session.keys = Some(OwnKeys::draw(&mut self.rng));
        }
    }

    /// What we should say of ourselves on a leg that has no port yet.
    fn first_local(&self, leg: LegId) -> Local {
        let local = self.local(leg, self.policy.first_port, None, Direction::SendRecv);
        Local { before: None, ..local }
    }

    /// What we say of ourselves on this leg.
    fn local(&self, leg: LegId, port: u16, first: Option<Codec>, direction: Direction) -> Local {
        let mut codecs = self.policy.codecs.clone();
        codecs.sort_by_key(|codec| Some(*codec) != first);
        let session = self.sessions.get(&leg);
        let (session_id, version) =
            session.map_or((1, 1), |session| (session.sdp_id, session.sdp_version));
        Local {
            ip: session.and_then(|session| session.ip).unwrap_or(self.policy.media_ip),
            port,
            session_id,
            version,
            codecs,
            direction,
            ptime_ms: 20,
            sealing: session.map_or_else(Sealing::default, |session| session.sealing),
            keys: session.and_then(|session| session.keys.clone()),
            fingerprint: self.policy.fingerprint.clone(),
            // What was agreed stays so for the leg's life.
            mux: session.is_some_and(|session| match &session.agreed {
                Some(agreed) => agreed.control == Control::Shared,
                None => session.mux,
            }),
            before: session.and_then(|session| session.agreed.clone()),
        }
    }

    /// Our offer on this leg.
    pub(super) fn make_offer(
        &mut self,
        leg: LegId,
        first: Option<Codec>,
        direction: Direction,
        now: Now,
        out: &mut Outbox,
    ) -> Result<Bytes, NoMedia> {
        let port = self.open(leg, now, out)?;
        self.draw_keys(leg, false);
        let offer = Bytes::from(self.local(leg, port, first, direction).offer());
        if let Some(session) = self.sessions.get_mut(&leg) {
            session.talk = Talk::Offering;
            session.sdp_version = session.sdp_version.saturating_add(1);
        }
        Ok(offer)
    }

    /// Our answer to the peer's offer; the stream is set up with it.
    pub(super) fn make_answer(
        &mut self,
        leg: LegId,
        offer: &sdp::Session,
        direction: Direction,
        now: Now,
        out: &mut Outbox,
    ) -> Result<Bytes, NoMedia> {
        let port = self.open(leg, now, out)?;
        let asked = |media: &sdp::Media| !media.cryptos.is_empty() || media.by_dtls();
        self.draw_keys(leg, offer.media.iter().any(asked));
        let mut local = self.local(leg, port, None, direction);
        if local.restarts(offer)
            && let Some(keys) = self.sessions.get_mut(&leg).and_then(|s| s.keys.as_mut())
        {
            keys.restart_ice(&mut self.rng);
            local.keys = Some(keys.clone());
        }
        let (answer, agreed) = local.answer(offer)?;
        self.agree(leg, agreed, out);
        Ok(Bytes::from(answer))
    }

    /// The peer answered our offer.
    pub(super) fn take_answer(
        &mut self,
        leg: LegId,
        (answer, to): (&[u8], To),
        direction: Direction,
        out: &mut Outbox,
    ) -> Result<(), NoMedia> {
        let session = self.sessions.get(&leg).ok_or(NoMedia::NoLeg)?;
        let (port, mux) = (session.port.ok_or(NoMedia::NoLeg)?, session.mux);
        let answer = sdp::parse(answer)?;
        let mut local = self.local(leg, port, None, direction);
        if to == To::First {
            (local.before, local.mux) = (None, mux);
        }
        let agreed = local.agreed(&answer)?;
        self.agree(leg, agreed, out);
        Ok(())
    }

    fn agree(&mut self, leg: LegId, agreed: Agreed, out: &mut Outbox) {
        let home = self.sip.peer_ip(leg);
        let Some(session) = self.sessions.get_mut(&leg) else { return };
        session.talk = Talk::Agreed;
        session.sdp_version = session.sdp_version.saturating_add(1);
        let mut stream = agreed.stream();
        stream.home = home;
        super::keys::apply(session.keys_by, &mut stream);
        let expected = session.agreed.as_ref().is_some_and(|before| before.stream().will_receive);
        // The media threads begin to listen for it anew, and would not say that it is heard again.
        if stream.will_receive
            && !expected
            && let Some(at) = session.silent_until.take()
        {
            self.silent.remove(&(at, leg));
        }
        out.media.push(Media::Stream { leg, stream });
        session.agreed = Some(agreed);
        self.remember_call(leg);
    }

    /// Forgets a leg: its port rests, its partner stands alone, its silence is no one's concern.
    pub(super) fn close(&mut self, leg: LegId, now: Now, out: &mut Outbox) {
        let Some(session) = self.sessions.remove(&leg) else { return };
        self.sound_over(leg, &session, now, out);
        self.leg_left(leg, &session);
        self.tap_over(&session, now, out);
        if let Some(at) = session.silent_until {
            self.silent.remove(&(at, leg));
        }
        if let Some(at) = session.held_until {
            self.held.remove(&(at, leg));
        }
        if let Some(partner) = session.partner {
            out.media.push(Media::Unbridge { leg });
            if let Some(partner) = self.sessions.get_mut(&partner) {
                partner.partner = None;
            }
        }
        if let Some(port) = session.port {
            out.media.push(Media::Close { leg });
            self.ports.give(port, now);
        }
    }
}
