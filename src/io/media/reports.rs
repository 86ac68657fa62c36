//! How each leg sounds, and the reports (RTCP) that tell its peer so and tell us what the peer hears. Looked
//! after by the clock; a packet of sound is only counted.

use super::counters::count;
use super::leg::{Joined, Kind, Leg, bind};
use super::slab::Token;
use super::worker::Worker;
use crate::base::{Mono, Rng};
use crate::rtp::command::Notice;
use crate::rtp::packet::Header;
use crate::rtp::quality::{
    self, Change, Far, Grade, Heard, Others, Packet, Prints, Quality, Sight, Sums, Watch,
};
use crate::rtp::rtcp::{self, Due, Item, Name, Ntp, Report, RtcpLock, Sender};
use crate::rtp::voice::ticks_per_ms;
use crate::sdp::{Codec, Control};
use rustix::event::epoll;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::time::Duration;

/// The mark of a leg's own socket for control packets among the events; a token's highest bit is free.
const CONTROL: u64 = 1 << 63;
/// A stretch of sound that is judged by itself.
const STRETCH: Duration = Duration::from_secs(5);
/// A stretch in which fewer packets were due tells nothing.
const LEAST_DUE: u64 = 50;
/// Between two words on a leg's grade.
const TOLD_EVERY: Duration = Duration::from_secs(30);
/// Static payload type of comfort noise (RFC 3389 §4).
pub(super) const COMFORT_NOISE: u8 = 13;

/// Whose sound an event is for: the leg's token, and whether its socket for control packets has something.
pub(super) fn marked(bits: u64) -> (Token, bool) {
    (Token::from_bits(bits & !CONTROL), bits & CONTROL != 0)
}

/// How a leg's control packets travel.
enum Way {
    /// Not.
    None,
    /// With the sound.
    Shared,
    /// By a port of their own.
    Apart { socket: UdpSocket, lock: RtcpLock },
}

/// What we sent under one number.
#[derive(Clone, Copy, Default)]
struct Said {
    ssrc: u32,
    packets: u32,
    octets: u32,
}

/// One leg's sound.
pub(super) struct Sound {
    heard: Heard,
    prints: Prints,
    watch: Watch,
    /// Since when the same comes, when it does.
    same_since: Mono,
    heard_at: Option<Mono>,
    name: Name,
    way: Way,
    due: Option<Due>,
    /// Packets sent at all.
    sent: u64,
    said: Said,
    /// Packets that the last two reports told.
    told: [u32; 2],
    far: Option<Far>,
    round_trip_ms: Option<u32>,
    /// What the stretch at hand began with, and when.
    stretch: (Sums, Mono),
    worst_mos: Option<u16>,
    grade: (Grade, Option<Mono>),
}

impl Sound {
    /// Of a leg that has not spoken yet.
    pub(super) fn new(rng: &mut Rng) -> Self {
        Self {
            heard: Heard::default(),
            prints: Prints::default(),
            watch: Watch::default(),
            same_since: Mono::ZERO,
            heard_at: None,
            name: Name::draw(rng),
            way: Way::None,
            due: None,
            sent: 0,
            said: Said::default(),
            told: [0; 2],
            far: None,
            round_trip_ms: None,
            stretch: (Sums::default(), Mono::ZERO),
            worst_mos: None,
            grade: (Grade::Good, None),
        }
    }

    /// A packet of the phone's came.
    pub(super) fn hears(
        &mut self,
        header: &Header,
        kind: Kind,
        clock_hz: u32,
        payload: &[u8],
        now: Mono,
    ) {
        self.heard_at = Some(now);
        let is_voice = matches!(kind, Kind::Voice(_));
        let Header { ssrc, seq, timestamp, .. } = *header;
        self.heard.packet(Packet { ssrc, seq, timestamp, is_voice }, clock_hz, now);
        if is_voice {
            self.prints.heard(payload);
            if self.prints.same_in_a_row() == 0 {
                self.same_since = now;
            }
        } else if kind == Kind::Other && header.payload_type == COMFORT_NOISE {
            self.heard.comfort();
        }
    }

    /// A payload is about to be sent, not yet sealed.
    pub(super) fn says(&mut self, payload: &[u8], ssrc: u32) {
        self.prints.sent(payload);
        if self.said.ssrc != ssrc {
            (self.said, self.told) = (Said { ssrc, ..Said::default() }, [0; 2]);
        }
        let octets = u32::try_from(payload.len()).unwrap_or(0);
        self.sent = self.sent.wrapping_add(1);
        self.said.packets = self.said.packets.wrapping_add(1);
        self.said.octets = self.said.octets.wrapping_add(octets);
    }

    /// Somebody else is heard from here on.
    pub(super) const fn talk_begins(&mut self) {
        self.watch.begin();
        self.rests();
    }

    /// The phone begins or ceases to be expected to speak: what lies between is no gap.
    pub(super) const fn rests(&mut self) {
        self.heard.rest();
    }

    fn quality(&self, codec: Codec) -> Quality {
        let (jitter_us, jitter_mean_us, jitter_max_us) = self.heard.jitter_us();
        let sums = self.heard.sums();
        let mos = quality::mos(codec, sums.due, sums.received, jitter_mean_us, self.round_trip_ms);
        Quality {
            codec,
            sent: self.sent,
            sums,
            jitter_us,
            jitter_mean_us,
            jitter_max_us,
            longest_gap_ms: self.heard.longest_gap_ms(),
            round_trip_ms: self.round_trip_ms,
            far: self.far,
            mos,
            worst_mos: self.worst_mos.or(mos),
        }
    }

    /// Judges the stretch that has just ended; the grade when it is another and it may be told again.
    fn judge(&mut self, codec: Codec, now: Mono) -> bool {
        let (before, since) = self.stretch;
        if now.since(since) < STRETCH {
            return false;
        }
        let sums = self.heard.sums();
        self.stretch = (sums, now);
        let due = sums.due.wrapping_sub(before.due);
        if due < LEAST_DUE {
            return false;
        }
        let received = sums.received.wrapping_sub(before.received);
        let (jitter_us, ..) = self.heard.jitter_us();
        let Some(mos) = quality::mos(codec, due, received, jitter_us, self.round_trip_ms) else {
            return false;
        };
        self.worst_mos = Some(self.worst_mos.map_or(mos, |worst| worst.min(mos)));
        let (grade, told_at) = self.grade;
        let may = told_at.is_none_or(|at| now.since(at) >= TOLD_EVERY);
        if Grade::of(mos) == grade || !may {
            return false;
        }
        self.grade = (Grade::of(mos), Some(now));
        true
    }

    /// What the peer's control packets say.
    fn takes(&mut self, items: rtcp::Items<'_>, ours: u32, ticks_per_ms: u32, now: Mono, ntp: Ntp) {
        for item in items {
            match item {
                Item::Sends { ssrc, ntp, .. } => self.heard.reported(ssrc, ntp, now),
                Item::Hears { block, .. } if block.ssrc == ours => {
                    let worst = self.far.map_or(0, |far| far.worst_lost);
                    let jitter = u64::from(block.jitter).saturating_mul(1000);
                    let jitter = jitter.checked_div(u64::from(ticks_per_ms)).unwrap_or(0);
                    self.far = Some(Far {
                        fraction_lost: block.fraction_lost,
                        worst_lost: worst.max(block.fraction_lost),
                        lost: u32::try_from(block.lost).unwrap_or(0),
                        jitter_us: u32::try_from(jitter).unwrap_or(u32::MAX),
                    });
                    let trip = rtcp::round_trip_ms(block.last, block.delay, ntp);
                    self.round_trip_ms = trip.or(self.round_trip_ms);
                }
                Item::Hears { .. } | Item::Bye { .. } => {}
            }
        }
    }
}

impl Leg {
    /// Makes the kernel tell of control packets on the leg's port for them, where it has one.
    pub(super) fn listen_for_control(&self, epoll: &OwnedFd, token: Token) {
        if let Way::Apart { socket, .. } = &self.sound.way {
            let mark = epoll::EventData::new_u64(token.to_bits() | CONTROL);
            // Without it the leg speaks all the same.
            let _ = epoll::add(epoll, socket, mark, epoll::EventFlags::IN);
        }
    }

    /// The leg goes to another thread.
    pub(super) fn forget_control(&self, epoll: &OwnedFd) {
        if let Way::Apart { socket, .. } = &self.sound.way {
            let _ = epoll::delete(epoll, socket);
        }
    }

    /// Whether it is to be heard and hears.
    fn talks(&self) -> bool {
        let both = self.line.as_ref().is_some_and(|line| line.stream.will_receive);
        both && self.may_send() && self.joined != Joined::Alone
    }
}

impl<N: Fn(Notice)> Worker<N> {
    fn ntp(&self) -> Ntp {
        self.ntp_at_start.after(self.now)
    }

    /// The leg's stream was agreed on: its control packets go the way that was agreed on with it.
    pub(super) fn settle_control(&mut self, token: Token) {
        let Some(leg) = self.legs.get_mut(token) else { return };
        let Some(control) = leg.line.as_ref().map(|line| line.stream.control) else { return };
        match (control, &mut leg.sound.way) {
            (Control::Nowhere, way) => *way = Way::None,
            (Control::Shared, way) => *way = Way::Shared,
            (Control::Apart(to), Way::Apart { lock, .. }) => {
                if lock.said() != to {
                    *lock = RtcpLock::new(to);
                }
            }
            (Control::Apart(to), way @ (Way::None | Way::Shared)) => {
                *way = Way::None;
                let bound = leg.socket.local_addr().ok().and_then(|ours| {
                    let port = ours.port().checked_add(1)?;
                    bind(ours.ip(), port, self.dscp).ok()
                });
                match bound {
                    Some(socket) => *way = Way::Apart { socket, lock: RtcpLock::new(to) },
                    // Another program has it; the call needs no reports.
                    None => count(&mut self.counted.control_ports_held),
                }
                leg.listen_for_control(&self.epoll, token);
            }
        }
        let (now, rng) = (self.now, &mut self.rng);
        leg.sound.due.get_or_insert_with(|| Due::first(now, rng));
    }

    /// Something came to the leg's port for control packets. False when nothing did.
    pub(super) fn receive_control(&mut self, token: Token) -> bool {
        let Some(leg) = self.legs.get_mut(token) else { return false };
        let Way::Apart { socket, .. } = &leg.sound.way else { return false };
        let Ok((length, from)) = socket.recv_from(&mut self.buffer) else { return false };
        self.control(token, length, from, false);
        true
    }

    /// A control packet lies in the buffer; `shared`: it came to the port of the sound.
    pub(super) fn control(&mut self, token: Token, length: usize, from: SocketAddr, shared: bool) {
        let (now, ntp) = (self.now, self.ntp());
        let Some(leg) = self.legs.get_mut(token) else { return };
        let Some(line) = &mut leg.line else { return count(&mut self.counted.dropped_early) };
        let ticks_per_ms = ticks_per_ms(line.stream.codec);
        let length = match &mut leg.sealed {
            None => length,
            Some(sealed) => match sealed.opener.open_rtcp(&mut self.buffer, length) {
                Ok(opened) => {
                    if let Some(web) = &mut leg.web {
                        web.opened(line, from, now);
                    }
                    opened
                }
                Err(_) => return count(&mut self.counted.dropped_forged),
            },
        };
        let (target, said) = (line.target, line.lock.sdp());
        let Some(bytes) = self.buffer.get(..length) else { return };
        let Ok(items) = rtcp::read(bytes) else {
            return count(&mut self.counted.dropped_malformed);
        };
        let is_peers = match &mut leg.sound.way {
            Way::None => return count(&mut self.counted.dropped_rtcp),
            Way::Shared if !shared => return count(&mut self.counted.dropped_rtcp),
            Way::Apart { .. } if shared => return count(&mut self.counted.dropped_rtcp),
            Way::Shared => target == Some(from),
            Way::Apart { lock, .. } => {
                let learned = target.filter(|target| *target != said);
                let ssrc = bytes.get(4..8).and_then(|ssrc| ssrc.first_chunk());
                let ssrc = ssrc.map(|ssrc| u32::from_be_bytes(*ssrc));
                let names_it = ssrc.is_some() && ssrc == leg.sound.heard.ssrc();
                lock.judge(from, learned, names_it)
            }
        };
        if !is_peers {
            return count(&mut self.counted.dropped_stranger);
        }
        count(&mut self.counted.reports_received);
        let ours = leg.out.ssrc();
        leg.sound.takes(items, ours, ticks_per_ms, now, ntp);
    }

    /// Sends what we have to report; `bye`: for the last time.
    fn report(&mut self, token: Token, bye: bool) {
        let (now, ntp) = (self.now, self.ntp());
        let Some(leg) = self.legs.get_mut(token) else { return };
        if leg.awaits_keys() || matches!(leg.sound.way, Way::None) {
            return;
        }
        let target = match &leg.sound.way {
            Way::Apart { lock, .. } => lock.target(),
            Way::Shared | Way::None => leg.line.as_ref().and_then(|line| line.target),
        };
        let Some(target) = target else { return };
        let ssrc = leg.out.ssrc();
        let said = leg.sound.said;
        // RFC 3550 §6.4: who has sent since the report before the last one is a sender.
        let sends = said.ssrc == ssrc && said.packets != leg.sound.told[0];
        let clock = leg.out.clock_at(now).filter(|_| sends);
        let sender = clock.map(|timestamp| Sender {
            ntp,
            timestamp,
            packets: said.packets,
            octets: said.octets,
        });
        leg.sound.told = [leg.sound.told[1], said.packets];
        let block = leg.sound.heard.block(now);
        let report = Report { ssrc, name: &leg.sound.name, sender, block, bye };
        let length = rtcp::write(&mut self.buffer, &report);
        let length = match &mut leg.sealed {
            None => Ok(length),
            Some(sealed) => sealed.sealer.seal_rtcp(&mut self.buffer, length),
        };
        let Some(datagram) = length.ok().and_then(|length| self.buffer.get(..length)) else {
            return count(&mut self.counted.dropped_unsent);
        };
        let sent = match &leg.sound.way {
            Way::Apart { socket, .. } => socket.send_to(datagram, target),
            Way::Shared | Way::None => leg.send_bare(datagram, target),
        };
        match sent {
            Ok(_) => count(&mut self.counted.reports_sent),
            Err(_) => count(&mut self.counted.dropped_unsent),
        }
    }

    /// The leg is about to be closed: its peer is told (RFC 3550 §6.6), and the engine how it was.
    pub(super) fn take_leave(&mut self, token: Token) {
        self.report(token, true);
        let Some(leg) = self.legs.get_mut(token) else { return };
        let Some(codec) = leg.line.as_ref().map(|line| line.stream.codec) else { return };
        let quality = leg.sound.quality(codec);
        if quality.sent > 0 || quality.sums.due > 0 {
            let leg = leg.id;
            (self.notices)(Notice::Quality { leg, quality: Box::new(quality), last: true });
        }
    }

    /// Looks after every leg's sound, twice a second.
    pub(super) fn look_after_sound(&mut self) {
        let now = self.now;
        let tokens: Vec<Token> = self.index.values().copied().collect();
        for token in &tokens {
            let Some(leg) = self.legs.get_mut(*token) else { continue };
            let (talks, sound) = (leg.talks(), &mut leg.sound);
            let pauses = sound.heard.pauses();
            sound.watch.listen(talks, sound.heard_at, pauses, now);
        }
        for token in tokens {
            self.guarded(Some(token), |worker| worker.look_at(token));
        }
    }

    fn look_at(&mut self, token: Token) {
        let now = self.now;
        let others = self.others(token);
        let Some(leg) = self.legs.get_mut(token) else { return };
        let Some(line) = &leg.line else { return };
        let (id, sound) = (leg.id, &mut leg.sound);
        let sight = Sight {
            others,
            same_for_ms: match sound.prints.same_in_a_row() {
                0 => 0,
                _ => u32::try_from(now.ms_since(sound.same_since)).unwrap_or(u32::MAX),
            },
            comes_back: match (sound.prints.comes_back(), sound.prints.stays_away()) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                (false, false) => None,
            },
        };
        let notices = &self.notices;
        sound.watch.look(&sight, |change| {
            let (fault, on) = match change {
                Change::Noticed(fault) => (fault, true),
                Change::Ended(fault) => (fault, false),
            };
            notices(Notice::Fault { leg: id, fault, on });
        });
        let codec = line.stream.codec;
        if sound.judge(codec, now) {
            let quality = Box::new(sound.quality(codec));
            notices(Notice::Quality { leg: id, quality, last: false });
        }
        if sound.due.as_mut().is_some_and(|due| due.take(now, &mut self.rng)) {
            self.report(token, false);
        }
    }

    /// Whether those are heard that the leg talks with.
    fn others(&mut self, token: Token) -> Others {
        let Some(joined) = self.legs.get_mut(token).map(|leg| leg.joined) else {
            return Others::Quiet;
        };
        let (now, legs) = (self.now, &mut self.legs);
        // Of one: heard within the last second, or due and not heard.
        let mut of = |other: Token| {
            legs.get_mut(other).map(|leg| {
                let sound = &leg.sound;
                let heard = sound.heard_at.is_some_and(|at| now.since(at) < RECENT);
                (heard, sound.watch.talks() && sound.watch.is_unheard())
            })
        };
        let (mut some_heard, mut all_unheard) = (false, true);
        let mut add = |seen: Option<(bool, bool)>| {
            let Some((heard, unheard)) = seen else { return };
            some_heard |= heard;
            all_unheard &= unheard;
        };
        match joined {
            Joined::Alone => return Others::Quiet,
            Joined::Passed(other) => add(of(other)),
            Joined::Mixed(mix) => {
                let Some(mix) = self.mixes.get_mut(mix) else { return Others::Quiet };
                mix.legs().filter(|other| *other != token).for_each(|other| add(of(other)));
            }
        }
        match (some_heard, all_unheard) {
            (true, _) => Others::Heard,
            (false, true) => Others::Unheard,
            (false, false) => Others::Quiet,
        }
    }
}

/// Heard so lately is heard now.
const RECENT: Duration = Duration::from_secs(1);
