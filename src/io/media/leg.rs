//! One leg's socket and what is known of its stream. Knows no other leg.

use super::listening::Listener;
use super::loudness::Loudness;
use super::playing::Stopped;
use super::reports::Sound;
use super::slab::Token;
use super::tap::Tap;
use super::web::Web;
use crate::base::{LegId, Mono, PlayId, Rng};
use crate::rtp::command::Stream;
use crate::rtp::{Framer, KeyReader, KeyWriter, LearnSource, Outgoing, Playlist, SourceLock, g711};
use crate::sdp::{Codec, Protection, Voice};
use crate::srtp::{Keys, Opener, Sealer};
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::Range;
use std::sync::Arc;

/// Bytes of packets that the kernel keeps for a leg. It doubles the number and counts its own
/// book-keeping in, so that some 7 to 13 packets fit: sound that waits longer than about 200 ms is lost
/// in the kernel and never played late.
const RECEIVE_BUFFER_BYTES: usize = 8 * 1024;

/// A phone that has said that nobody speaks there is silent only after so many times the span.
const REST_PATIENCE: u32 = 6;

/// What a packet holds, by its payload type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Voice.
    Voice(Codec),
    /// Telephone-events.
    Key,
    /// Voice in another codec that was agreed on and is not spoken now.
    Another,
    /// Nothing that was agreed; comfort noise, mostly.
    Other,
}

/// What plays to a leg.
pub(super) struct Play {
    pub(super) id: PlayId,
    pub(super) list: Playlist,
    /// The number of its timer: one of a former play on the same leg beats in vain.
    pub(super) beat: u32,
    /// When its next packet is due, milliseconds; none before its first.
    pub(super) due_ms: Option<u64>,
    /// A key of the phone's stops it.
    pub(super) stops_on_key: bool,
}

/// What was negotiated, and who may speak.
pub(super) struct Line {
    pub(super) stream: Stream,
    pub(super) lock: SourceLock,
    /// Where to send; none on hold.
    pub(super) target: Option<SocketAddr>,
    /// A further codec that is heard, by its payload type, and how often in a row.
    other: (u8, u8),
}

/// Packets in a row in another codec that the peer may speak, after which it is spoken: a stray one turns
/// nothing.
const TURNS_AFTER: u8 = 3;

impl Line {
    /// Counts a packet in a codec that is not spoken now; true when that one is spoken from now on, in
    /// both directions (RFC 3264 §7 lets the peer choose among all that its answer named).
    pub(super) fn turns_to(&mut self, payload_type: u8) -> bool {
        let stream = &mut self.stream;
        let voice = stream.also.iter_mut().find(|voice| voice.has(payload_type));
        let Some(voice) = voice else { return false };
        let (last, count) = self.other;
        let count = if last == payload_type { count.saturating_add(1) } else { 1 };
        self.other = (payload_type, count);
        if count < TURNS_AFTER {
            return false;
        }
        self.other = (payload_type, 0);
        let Voice { codec, send_pt, recv_pt } = *voice;
        *voice = Voice { codec: stream.codec, send_pt: stream.send_pt, recv_pt: stream.recv_pt };
        (stream.codec, stream.send_pt, stream.recv_pt) = (codec, send_pt, recv_pt);
        true
    }

    /// Payload types 0 and 8 mean G.711 also when another number was agreed (RFC 3551 §6): some phones
    /// change the law under way. Keys are taken under our number and under the phone's own.
    pub(super) fn kind(&self, payload_type: u8) -> Kind {
        let stream = &self.stream;
        let numbers = [stream.recv_event_pt, stream.send_event_pt];
        match payload_type {
            pt if pt == stream.recv_pt || pt == stream.send_pt => Kind::Voice(stream.codec),
            pt if numbers.contains(&Some(pt)) => Kind::Key,
            0 if g711::law(stream.codec).is_some() => Kind::Voice(Codec::Pcmu),
            8 if g711::law(stream.codec).is_some() => Kind::Voice(Codec::Pcma),
            pt if stream.also.iter().any(|voice| voice.has(pt)) => Kind::Another,
            _ => Kind::Other,
        }
    }
}

/// Where what a leg says goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joined {
    /// Nowhere.
    Alone,
    /// Packet by packet to another leg, in a codec that both have.
    Passed(Token),
    /// Into a mix.
    Mixed(Token),
}

/// A key on its way to the phone.
pub(super) enum Pressing {
    /// As telephone-events.
    Event(KeyWriter),
    /// As its tones.
    Tone(Playlist),
}

/// Keys to be pressed towards a phone, one after another.
#[derive(Default)]
pub(super) struct Presses {
    /// The one that is down.
    pub(super) now: Option<Pressing>,
    pub(super) waiting: VecDeque<char>,
    /// A timer runs for them.
    pub(super) beating: bool,
}

/// Keys that wait for their turn.
const MAX_PRESSES: usize = 32;

impl Presses {
    /// Takes one more; beyond the bound it is dropped.
    pub(super) fn push(&mut self, key: char) {
        if self.waiting.len() < MAX_PRESSES {
            self.waiting.push_back(key);
        }
    }
}

/// The two ends of an encrypted stream.
pub(super) struct Sealed {
    keys: Arc<Keys>,
    pub(super) opener: Opener,
    pub(super) sealer: Sealer,
}

/// A leg.
pub(super) struct Leg {
    pub(super) id: LegId,
    pub(super) socket: UdpSocket,
    /// The socket is connected to the phone: strangers are kept out by the kernel.
    connected: bool,
    pub(super) line: Option<Line>,
    /// Set when the stream is encrypted; nothing plain is heard then.
    pub(super) sealed: Option<Box<Sealed>>,
    /// Set when its keys are agreed on along the way.
    pub(super) web: Option<Box<Web>>,
    pub(super) out: Outgoing,
    pub(super) keys: KeyReader,
    /// Set when the phone asked for packets of a certain length.
    pub(super) framer: Option<Framer>,
    /// Set when keys are told by their tones.
    pub(super) listener: Option<Box<Listener>>,
    pub(super) joined: Joined,
    pub(super) presses: Presses,
    pub(super) play: Option<Play>,
    /// Set while it is recorded.
    pub(super) tap: Option<Tap>,
    /// How long its phone speaks, while it is tapped and joined with nobody.
    pub(super) loudness: Option<Box<Loudness>>,
    /// What stopped, and the loop that will go on.
    pub(super) stopped: Stopped,
    pub(super) beats: u32,
    /// When the phone was heard last, or was first expected to speak.
    pub(super) heard_at: Mono,
    pub(super) silent: bool,
    /// The phone has said that nobody speaks there; it may say nothing more for long.
    pub(super) rests: bool,
    /// How it sounds, and its reports.
    pub(super) sound: Box<Sound>,
}

/// Binds an RTP port. `dscp` 0 leaves the packets unmarked.
///
/// # Errors
///
/// The system's: address not ours, port taken, too many descriptors.
pub(super) fn bind(ip: IpAddr, port: u16, dscp: u8) -> io::Result<UdpSocket> {
    let address = SocketAddr::new(ip, port);
    let socket =
        Socket::new(Domain::for_address(address), Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
    if ip.is_ipv6() {
        // A port of `::` leaves that of IPv4 to others, and its peers are named as they are.
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    // Both are wishes: a leg without them still speaks.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES);
    if dscp != 0 {
        let class = u32::from(dscp & 0x3f) << 2;
        let _ = if ip.is_ipv4() { socket.set_tos_v4(class) } else { socket.set_tclass_v6(class) };
    }
    Ok(socket.into())
}

impl Leg {
    /// A leg on its bound socket.
    pub(super) fn open(id: LegId, socket: UdpSocket, rng: &mut Rng) -> Self {
        Self {
            id,
            socket,
            connected: false,
            line: None,
            sealed: None,
            web: None,
            out: Outgoing::draw(8_000, rng),
            keys: KeyReader::default(),
            framer: None,
            listener: None,
            joined: Joined::Alone,
            presses: Presses::default(),
            play: None,
            tap: None,
            loudness: None,
            stopped: Stopped::default(),
            beats: 0,
            heard_at: Mono::ZERO,
            silent: false,
            rests: false,
            sound: Box::new(Sound::new(rng)),
        }
    }

    /// The peer has shown its way.
    pub(super) fn chosen(&mut self, address: SocketAddr) {
        if let Some(line) = &mut self.line {
            line.lock.choose(address);
            line.target = line.lock.target();
        }
    }

    /// Sends something that is no sound.
    ///
    /// # Errors
    ///
    /// The system's.
    pub(super) fn send_bare(&self, datagram: &[u8], target: SocketAddr) -> io::Result<usize> {
        if self.connected {
            self.socket.send(datagram)
        } else {
            self.socket.send_to(datagram, target)
        }
    }

    /// Whether something of ours covers what others say to it.
    pub(super) fn covered(&self) -> bool {
        self.play.is_some() || self.presses.now.is_some()
    }

    /// Whether the phone listens, and we know where.
    pub(super) fn may_send(&self) -> bool {
        let listens = |line: &Line| line.stream.may_send && line.target.is_some();
        !self.awaits_keys() && self.line.as_ref().is_some_and(listens)
    }

    /// Our port.
    pub(super) fn port(&self) -> u16 {
        self.socket.local_addr().map_or(0, |address| address.port())
    }

    /// Sets what was negotiated. The same remote keeps the lock; a new one begins anew.
    pub(super) fn negotiated(
        &mut self,
        stream: Stream,
        learns: LearnSource,
        now: Mono,
        rng: &mut Rng,
    ) {
        self.seal_by(&stream.protection, now);
        self.speaks(&stream, rng);
        let expected = self.line.as_ref().is_some_and(|line| line.stream.will_receive);
        if stream.will_receive && !expected {
            (self.heard_at, self.silent) = (now, false);
        }
        if stream.will_receive != expected {
            self.sound.rests();
        }
        let by_checks = self.web.as_ref().is_some_and(|web| web.by_checks());
        match &mut self.line {
            // Where checks show the way, what the description names is not where the peer is.
            Some(line) if by_checks || line.lock.sdp() == stream.remote => line.stream = stream,
            line => {
                if self.connected {
                    self.connected = rustix::net::connect_unspec(&self.socket).is_err();
                }
                let lock = if by_checks {
                    SourceLock::by_checks(stream.remote)
                } else {
                    SourceLock::new(stream.remote, learns.of(&stream))
                };
                *line = Some(Line { stream, lock, target: lock.target(), other: (0, 0) });
            }
        }
    }

    /// What we send runs on the clock of the stream's codec, and what comes is listened to in it.
    pub(super) fn speaks(&mut self, stream: &Stream, rng: &mut Rng) {
        Listener::fit(&mut self.listener, stream);
        super::framing::fit(&mut self.framer, stream);
        let clock_hz = stream.codec.clock_hz();
        if !self.out.runs_at(clock_hz) {
            self.out = Outgoing::draw(clock_hz, rng);
        }
    }

    /// Takes other keys; the side whose key is the same goes on under it, since its packets must not
    /// begin anew (RFC 3711 §9.1).
    fn seal_by(&mut self, protection: &Protection, now: Mono) {
        match protection {
            Protection::Plain => (self.sealed, self.web) = (None, None),
            Protection::Sealed(keys) => {
                self.web = None;
                self.seal_with(keys);
            }
            Protection::Dtls(plan) => {
                // Said again, the handshake and its keys stay (RFC 5763 §5).
                if self.web.as_mut().is_some_and(|web| web.goes_on_by(plan)) {
                    return;
                }
                (self.sealed, self.web) = (None, Some(Box::new(Web::new(plan, now))));
                // Its way is shown anew.
                self.line = None;
            }
        }
    }

    /// Seals and opens by these keys from now on.
    pub(super) fn seal_with(&mut self, keys: &Arc<Keys>) {
        match &mut self.sealed {
            Some(sealed) => {
                if sealed.keys.ours != keys.ours {
                    sealed.sealer = Sealer::new(&keys.ours);
                }
                if sealed.keys.theirs != keys.theirs {
                    sealed.opener = Opener::new(&keys.theirs);
                }
                sealed.keys = Arc::clone(keys);
            }
            none => {
                let (opener, sealer) = (Opener::new(&keys.theirs), Sealer::new(&keys.ours));
                *none = Some(Box::new(Sealed { keys: Arc::clone(keys), opener, sealer }));
            }
        }
    }

    /// The lock has just accepted an address. The SDP's own is connected: the kernel then finds the
    /// socket's way by itself. A learned one is not, so that the SDP's own can still speak up; nor is a
    /// socket of all our addresses, since the kernel would give it one, and the phone may send to another.
    pub(super) fn locked(&mut self) {
        let Some(line) = &mut self.line else { return };
        line.target = line.lock.target();
        let one = self.socket.local_addr().is_ok_and(|ours| !ours.ip().is_unspecified());
        if let (true, Some(target)) = (one && line.lock.is_final(), line.target) {
            self.connected = self.socket.connect(target).is_ok();
        }
    }

    /// Sends the packet that lies at `place` in the buffer, sealed where the stream is; behind it there
    /// must be room for the seal.
    ///
    /// # Errors
    ///
    /// The system's; `ConnectionRefused` tells of an earlier packet that the phone's port is closed.
    /// `InvalidData`: the packet may not be sealed; a repeated one, mostly.
    pub(super) fn send(&mut self, buffer: &mut [u8], place: Range<usize>) -> io::Result<usize> {
        let sealed = match &mut self.sealed {
            None => buffer.get(place),
            Some(sealed) => {
                let room = buffer.get_mut(place.start..).unwrap_or_default();
                let length = sealed.sealer.seal_rtp(room, place.len());
                let length = length.map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
                room.get(..length)
            }
        };
        let Some(packet) = sealed else { return Err(io::ErrorKind::InvalidInput.into()) };
        if self.connected {
            return self.socket.send(packet);
        }
        match self.line.as_ref().and_then(|line| line.target) {
            Some(target) => self.socket.send_to(packet, target),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Whether the phone should speak but has not been heard for `span`.
    pub(super) fn has_fallen_silent(&self, now: Mono, span: std::time::Duration) -> bool {
        let expected = self.line.as_ref().is_some_and(|line| line.stream.will_receive);
        let span = if self.rests { span.saturating_mul(REST_PATIENCE) } else { span };
        expected && !self.silent && now.since(self.heard_at) >= span
    }
}
