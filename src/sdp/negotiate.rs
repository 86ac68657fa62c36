//! Our side of offer and answer (RFC 3264): writes what we say and finds what both sides share.
//! Never copies a line of the peer's: what is written is rebuilt from values.

use super::line::{Line, Says};
use super::parse::{Address, Media, Session, Setup};
use super::sealing::taken;
use super::{Codec, Direction, OwnKeys, Protection, SdpError, Sealing};
use crate::dtls::{Fingerprint, Role};
use crate::ice::{Candidate, Credentials};
use crate::srtp::sdes::Crypto;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// The payload type under which we offer telephone-event; the number that everybody uses.
const EVENT_PT: u8 = 101;
/// The same at the clock of Opus (RFC 4733 §2.1: one for each clock that is offered).
const EVENT_48K_PT: u8 = 110;
/// Shortest packet time that we send, milliseconds.
const MIN_PTIME_MS: u16 = 10;
/// Longest packet time that we send, milliseconds.
const MAX_PTIME_MS: u16 = 60;

/// What one leg of ours says about itself. `version` is the caller's to count up before each new
/// description of the same leg (RFC 3264 §8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// Where we listen.
    pub ip: IpAddr,
    /// Our RTP port.
    pub port: u16,
    /// Session id of `o=`, one for the leg's life.
    pub session_id: u64,
    /// Session version of `o=`.
    pub version: u64,
    /// The codecs that we take, the one liked best first. In an answer, too, ours decides, so that a
    /// desk whose phones speak G.711 is not talked into decoding; between the two laws of G.711, which
    /// cost nothing, the peer's order does (RFC 3264 §6.1).
    pub codecs: Vec<Codec>,
    /// What we want.
    pub direction: Direction,
    /// Packet time that we ask for, milliseconds; also used when the peer asks for none.
    pub ptime_ms: u8,
    /// What we think of encryption.
    pub sealing: Sealing,
    /// Our keys; without them nothing is encrypted, and what must be cannot be answered.
    pub keys: Option<OwnKeys>,
    /// Of our certificate; without one nobody is talked with by DTLS.
    pub fingerprint: Option<Fingerprint>,
    /// Our offers say that RTCP may come on the same port (RFC 5761).
    pub mux: bool,
    /// What the leg has agreed on before: our offers say it again, and what is encrypted stays so. None
    /// for its first offer, and for each of the answers to that (RFC 3261 §13.2.2.4: it may have several).
    pub before: Option<Agreed>,
}

/// Where the control packets of a stream (RTCP) go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Control {
    /// Nowhere: they would need keys of their own.
    #[default]
    Nowhere,
    /// Where the stream goes, both ways (RFC 5761).
    Shared,
    /// There; ours come to the port after the stream's.
    Apart(SocketAddr),
}

/// A codec with its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voice {
    /// The codec.
    pub codec: Codec,
    /// Payload type under which we send it.
    pub send_pt: u8,
    /// Payload type under which it comes.
    pub recv_pt: u8,
}

impl Voice {
    /// Whether the number means this one, in whichever direction.
    #[must_use]
    pub const fn has(self, payload_type: u8) -> bool {
        payload_type == self.send_pt || payload_type == self.recv_pt
    }
}

/// What both sides share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Where the peer listens; an unspecified address when it is on hold the old way.
    pub remote: SocketAddr,
    /// The voice codec.
    pub codec: Codec,
    /// Payload type for the voice that we send.
    pub send_pt: u8,
    /// Payload type of the voice that comes.
    pub recv_pt: u8,
    /// What else the peer's answer named and may speak at any time (RFC 3264 §7); none after an answer
    /// of ours, which names one codec.
    pub also: Vec<Voice>,
    /// Payload type for the keys that we send, when the peer takes them.
    pub send_event_pt: Option<u8>,
    /// Payload type of the keys that come.
    pub recv_event_pt: Option<u8>,
    /// The clock of the keys that we send, Hz.
    pub event_clock_hz: u32,
    /// Milliseconds of sound in each packet that we send, 10 to 60 in steps of 10.
    pub ptime_ms: u8,
    /// Whether the peer said what it wants, or takes at most.
    pub ptime_asked: bool,
    /// Who sends, seen from our side.
    pub direction: Direction,
    /// Whether it is encrypted, and by what.
    pub protection: Protection,
    /// Where the control packets go.
    pub control: Control,
    /// How it stands in the descriptions.
    pub line: Line,
}

impl Local {
    /// An offer of one audio stream with all our codecs and telephone-event. Every line that the peer has
    /// offered beside it stays in its place, refused: no description has fewer than the one before it
    /// (RFC 3264 §8).
    #[must_use]
    pub fn offer(&self) -> Vec<u8> {
        let (says, line) = self.says();
        let mut text = self.head((0, 0));
        if matches!(says, Says::Handshake { ice: true }) {
            text.push_str("a=ice-lite\r\n"); // RFC 8839 §5.3
        }
        say_bundle(&mut text, &line);
        line.before.iter().for_each(|refused| refused.say(&mut text));
        let voices: Vec<_> =
            self.codecs.iter().map(|codec| (*codec, codec.payload_type())).collect();
        let mut events = vec![(EVENT_PT, 8_000)];
        if self.codecs.contains(&Codec::Opus) {
            events.push((EVENT_48K_PT, Codec::Opus.clock_hz()));
        }
        self.audio(&mut text, line.profile, &voices, &events, self.direction, self.ptime_ms);
        if let Some(mid) = &line.mid {
            let _ = write!(text, "a=mid:{mid}\r\n");
        }
        let shakes = matches!(says, Says::Handshake { .. });
        if self.mux || shakes && self.before.is_none() {
            text.push_str("a=rtcp-mux\r\n");
        }
        match says {
            Says::Nothing => {}
            Says::Keys(keys) => keys.iter().for_each(|key| say_key(&mut text, key)),
            Says::Handshake { ice } => self.say_handshake(&mut text, Setup::ActPass, ice),
        }
        line.behind.iter().for_each(|refused| refused.say(&mut text));
        text.into_bytes()
    }

    /// The codec that [`Self::answer`] would take; none when there is nothing to talk with.
    #[must_use]
    pub fn takes(&self, offer: &Session) -> Option<Codec> {
        self.choice(offer).map(|(_, _, codec, _)| codec)
    }

    /// Whether [`Self::answer`] will do, once our keys are there.
    #[must_use]
    pub fn could_answer(&self, offer: &Session) -> bool {
        self.choice(offer).is_some_and(|(_, media, _, _)| self.way(offer, media).is_ok())
    }

    /// The credentials of ICE of the line that would be taken.
    pub(super) fn offered_ice(&self, offer: &Session) -> Option<Credentials> {
        self.choice(offer).and_then(|(_, media, _, _)| offer.ice_of(media))
    }

    /// The place of the line that is accepted, the line, the codec and its payload type.
    fn choice<'a>(&self, offer: &'a Session) -> Option<(usize, &'a Media, Codec, u8)> {
        let lines = offer.media.iter().enumerate();
        let dtls = self.fingerprint.is_some();
        let lines =
            lines.filter(|(_, media)| media.is_audio() && self.sealing.takes(offer, media, dtls));
        let shared = lines
            .filter_map(|(at, media)| self.common(media).map(|(codec, pt)| (at, media, codec, pt)));
        // An encrypted line before a plain one, where both are offered and we take either.
        shared.min_by_key(|(_, media, _, _)| {
            media.cryptos.is_empty() && !media.by_dtls() && self.sealing.wants()
        })
    }

    /// Answers an offer: one audio stream in one codec, so that the peer cannot change it under way;
    /// every other media line is refused in its place with port 0 (RFC 3264 §6).
    ///
    /// # Errors
    ///
    /// [`SdpError::NoCommonMedia`] when no line can be accepted; [`SdpError::NoConnection`] or
    /// [`SdpError::UnusableAddress`] when the one that could be says no place that we can send to.
    pub fn answer(&self, offer: &Session) -> Result<(Vec<u8>, Agreed), SdpError> {
        let (chosen, media, codec, pt) = self.choice(offer).ok_or(SdpError::NoCommonMedia)?;
        let event = media.event(codec);
        let keys = self.keys.as_ref().filter(|_| self.sealing.wants());
        let before = self.before.as_ref().map(|before| &before.protection);
        let handshake =
            keys.filter(|_| media.by_dtls()).and_then(|keys| keys.handshake(offer, media, before));
        let sealed = keys.filter(|_| !media.by_dtls()).and_then(|keys| keys.answer(&media.cryptos));
        let (said_key, mut protection) = sealed.unzip();
        if let Some(handshake) = &handshake {
            protection = Some(Protection::Dtls(Arc::new(handshake.clone())));
        }
        if protection.is_none() && (media.must_be_sealed() || self.sealing.insists()) {
            return Err(SdpError::NoCommonMedia);
        }
        let remote = self.way(offer, media)?;
        let agreed = Agreed {
            remote,
            control: self.control(media, media.mux, remote),
            codec,
            send_pt: pt,
            // RFC 3264 §6.1: the same number both ways.
            recv_pt: pt,
            also: Vec::new(),
            send_event_pt: event.map(|(pt, _)| pt),
            recv_event_pt: event.map(|(pt, _)| pt),
            event_clock_hz: event.map_or(8_000, |(_, clock_hz)| clock_hz),
            ptime_ms: self.ptime(media, codec),
            ptime_asked: media.ptime_ms.or(media.max_ptime_ms).is_some(),
            direction: offer.direction_of(media).mirror().and(self.direction),
            protection: protection.unwrap_or_default(),
            line: Line::of(offer, chosen, media, said_key.as_ref()),
        };
        let mut text = self.head(offer.time);
        if handshake.as_ref().is_some_and(|handshake| handshake.ice.is_some()) {
            text.push_str("a=ice-lite\r\n"); // RFC 8839 §5.3
        }
        say_bundle(&mut text, &agreed.line);
        agreed.line.before.iter().for_each(|refused| refused.say(&mut text));
        let (voice, direction, ptime) = ([(codec, pt)], agreed.direction, agreed.ptime_ms);
        self.audio(&mut text, &media.protocol, &voice, event.as_slice(), direction, ptime);
        if let Some(mid) = &media.mid {
            let _ = write!(text, "a=mid:{mid}\r\n");
        }
        if media.mux {
            text.push_str("a=rtcp-mux\r\n");
        }
        if let Some(key) = &said_key {
            say_key(&mut text, key);
        }
        if let Some(handshake) = &handshake {
            let setup = match handshake.role {
                Role::Server => Setup::Passive,
                Role::Client => Setup::Active,
            };
            self.say_handshake(&mut text, setup, handshake.ice.is_some());
        }
        agreed.line.behind.iter().for_each(|refused| refused.say(&mut text));
        Ok((text.into_bytes(), agreed))
    }

    /// What the peer's answer to [`Self::offer`] leaves.
    ///
    /// # Errors
    ///
    /// As [`Self::answer`]; only the media line in the place of ours is looked at (RFC 3264 §6: an answer has
    /// the lines of its offer, in that order), since all others were offered as refused.
    pub fn agreed(&self, answer: &Session) -> Result<Agreed, SdpError> {
        let (says, mut line) = self.says();
        let media = answer.media.get(line.before.len()).filter(|media| media.is_audio());
        let media = media.ok_or(SdpError::NoCommonMedia)?;
        let web = matches!(says, Says::Handshake { .. }) && media.by_dtls();
        let before = self.before.as_ref().map(|before| &before.protection);
        let protection = match (&says, &self.keys) {
            (Says::Handshake { .. }, Some(keys)) if web => keys
                .handshake(answer, media, before)
                .map(|handshake| Protection::Dtls(Arc::new(handshake))),
            (Says::Keys(said), Some(keys)) => {
                // A refresh repeats what was said first, which may have been more than the key in use.
                let all = keys.offered().filter(|_| self.sealing.offers());
                let taken = taken(said.iter().chain(all), &media.cryptos);
                line.key = taken.as_ref().map(|(key, _)| *key);
                taken.map(|(_, protection)| protection)
            }
            _ => None,
        };
        let encrypted = before.is_some_and(|before| *before != Protection::Plain);
        let must = self.sealing.insists() || encrypted || media.must_be_sealed() || media.by_dtls();
        if protection.is_none() && must {
            return Err(SdpError::NoCommonMedia);
        }
        // The answer's order counts (RFC 3264 §7): what stands first is what the peer will speak.
        let mut voices = self.shared(media).map(|(codec, pt)| Voice {
            codec,
            // Each side's numbers say what it wants to get (RFC 3264 §5.1).
            send_pt: pt,
            recv_pt: codec.payload_type(),
        });
        let Voice { codec, send_pt, recv_pt } = voices.next().ok_or(SdpError::NoCommonMedia)?;
        let also = voices.collect();
        let event = media.event(codec);
        let remote = self.way(answer, media)?;
        // RFC 5761 §5.1.1: only what was offered is agreed to.
        let mux = self.mux || web && self.before.is_none();
        Ok(Agreed {
            remote,
            control: self.control(media, media.mux && mux, remote),
            codec,
            send_pt,
            recv_pt,
            also,
            send_event_pt: event.map(|(pt, _)| pt),
            recv_event_pt: event.map(|(_, hz)| if hz == 8_000 { EVENT_PT } else { EVENT_48K_PT }),
            event_clock_hz: event.map_or(8_000, |(_, clock_hz)| clock_hz),
            ptime_ms: self.ptime(media, codec),
            ptime_asked: media.ptime_ms.or(media.max_ptime_ms).is_some(),
            direction: answer.direction_of(media).mirror().and(self.direction),
            protection: protection.unwrap_or_default(),
            line,
        })
    }

    /// The codec that both have and we like best; among those that pass into each other, the peer's
    /// first.
    fn common(&self, media: &Media) -> Option<(Codec, u8)> {
        let rank = |codec: Codec| self.codecs.iter().position(|ours| ours.passes_to(codec));
        self.shared(media).min_by_key(|(codec, _)| rank(*codec))
    }

    /// The codecs that both have with the peer's numbers, in its order.
    fn shared(&self, media: &Media) -> impl Iterator<Item = (Codec, u8)> {
        let named = media.payload_types().filter_map(|pt| media.codec(pt).map(|codec| (codec, pt)));
        named.filter(|(codec, _)| self.codecs.contains(codec))
    }

    /// Where the stream goes. With ICE the peer shows the way later, and what the line says need not be a
    /// place at all (RFC 8839 §4.2.1.1); ours stands in for it, which is never sent to.
    fn way(&self, session: &Session, media: &Media) -> Result<SocketAddr, SdpError> {
        match self.remote(session, media) {
            Ok(remote) if !remote.ip().is_unspecified() || !media.by_dtls() => Ok(remote),
            Ok(_) | Err(_) if media.by_dtls() && session.ice_of(media).is_some() => {
                Ok(SocketAddr::new(self.ip, 9))
            }
            other => other,
        }
    }

    /// Where the control packets go.
    fn control(&self, media: &Media, shared: bool, remote: SocketAddr) -> Control {
        if shared {
            return Control::Shared;
        }
        // Apart from the stream they would need a handshake of their own (RFC 5764 §4.2).
        if media.by_dtls() {
            return Control::Nowhere;
        }
        // RFC 3605 §2.1; otherwise the next port (RFC 3550 §11).
        let next = remote.port().checked_add(1);
        let (port, ip) = match media.rtcp {
            Some((port, ip)) => (Some(port), ip),
            None => (next, None),
        };
        let ip = match ip {
            Some(Address::Ip(ip)) if usable(ip) && ip.is_ipv4() == self.ip.is_ipv4() => ip,
            Some(_) | None => remote.ip(),
        };
        port.map_or(Control::Nowhere, |port| Control::Apart(SocketAddr::new(ip, port)))
    }

    /// Our certificate's fingerprint, who begins, and our way.
    fn say_handshake(&self, text: &mut String, setup: Setup, ice: bool) {
        let setup = match setup {
            Setup::Active => "active",
            Setup::Passive => "passive",
            Setup::ActPass => "actpass",
        };
        if let Some(fingerprint) = &self.fingerprint {
            let _ = write!(text, "a=fingerprint:{fingerprint}\r\na=setup:{setup}\r\n");
        }
        if let Some(keys) = self.keys.as_ref().filter(|_| ice) {
            let (fragment, password) = (keys.ice.fragment(), keys.ice.password());
            let candidate = Candidate::host(1, SocketAddr::new(self.ip, self.port));
            let _ = write!(
                text,
                "a=ice-ufrag:{fragment}\r\na=ice-pwd:{password}\r\na=candidate:{candidate}\r\n\
                 a=end-of-candidates\r\n"
            );
        }
    }

    fn remote(&self, session: &Session, media: &Media) -> Result<SocketAddr, SdpError> {
        match session.connection_of(media) {
            None => Err(SdpError::NoConnection),
            Some(Address::Ip(ip)) if usable(ip) && ip.is_ipv4() == self.ip.is_ipv4() => {
                Ok(SocketAddr::new(ip, media.port))
            }
            Some(_) => Err(SdpError::UnusableAddress),
        }
    }

    /// The peer's wish, held to what it takes at most and to what we can send.
    fn ptime(&self, media: &Media, codec: Codec) -> u8 {
        let wish = media.ptime_ms.unwrap_or(u16::from(self.ptime_ms));
        let most = media.max_ptime_ms.unwrap_or(MAX_PTIME_MS);
        let held = wish.min(most).clamp(MIN_PTIME_MS, MAX_PTIME_MS);
        // Whole steps of 10 ms: 80 samples of G.711.
        let whole = held.saturating_sub(held.checked_rem(10).unwrap_or(0));
        // Opus has no packets of 30 and 50 ms (RFC 6716 §2.1.4).
        let whole = match (codec, whole) {
            (Codec::Opus, 30 | 50) => whole.saturating_sub(10),
            _ => whole,
        };
        u8::try_from(whole).unwrap_or(20)
    }

    fn head(&self, time: (u64, u64)) -> String {
        let version = if self.ip.is_ipv4() { "IP4" } else { "IP6" };
        let (id, revision, ip) = (self.session_id, self.version, self.ip);
        // `s=-`: a session without a name (RFC 8866 §5.3).
        format!(
            "v=0\r\no=- {id} {revision} IN {version} {ip}\r\ns=-\r\nc=IN {version} {ip}\r\nt={} {}\r\n",
            time.0, time.1
        )
    }

    fn audio(
        &self,
        text: &mut String,
        protocol: &str,
        voices: &[(Codec, u8)],
        events: &[(u8, u32)],
        direction: Direction,
        ptime_ms: u8,
    ) {
        // Writing to a String cannot fail.
        let _ = write!(text, "m=audio {} {protocol}", self.port);
        let events_pt = events.iter().map(|(pt, _)| *pt);
        for pt in voices.iter().map(|(_, pt)| *pt).chain(events_pt) {
            let _ = write!(text, " {pt}");
        }
        text.push_str("\r\n");
        for (codec, pt) in voices {
            let (name, clock_hz) = (codec.name(), codec.clock_hz());
            let _ = write!(text, "a=rtpmap:{pt} {name}/{clock_hz}");
            if codec.channels() > 1 {
                let _ = write!(text, "/{}", codec.channels());
            }
            text.push_str("\r\n");
            if *codec == Codec::Opus {
                // RFC 7587 §6.1: we take repeats of lost packets, and one channel.
                let _ = write!(text, "a=fmtp:{pt} useinbandfec=1\r\n");
            }
        }
        for (pt, clock_hz) in events {
            let _ =
                write!(text, "a=rtpmap:{pt} telephone-event/{clock_hz}\r\na=fmtp:{pt} 0-15\r\n");
        }
        let _ = write!(text, "a=ptime:{ptime_ms}\r\na={}\r\n", direction.name());
    }
}

/// RFC 9143 §7.3.1: of the streams that were to share a port, the one that we take.
fn say_bundle(text: &mut String, line: &Line) {
    if let Some(mid) = line.mid.as_ref().filter(|_| line.bundled) {
        let _ = write!(text, "a=group:BUNDLE {mid}\r\n");
    }
}

/// RFC 4568 §9.1. Writing to a String cannot fail.
fn say_key(text: &mut String, crypto: &Crypto) {
    let _ = write!(text, "a=crypto:{}\r\n", crypto.reveal());
}

/// Whether a single machine can be behind the address, or nobody (hold).
fn usable(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !ip.is_multicast() && !ip.is_broadcast(),
        IpAddr::V6(ip) => !ip.is_multicast(),
    }
}
