//! One media thread: waits for packets, commands and the beat of what plays, and serves them in turn.
//! No allocation, no lock and no engine on a packet's way.

use super::counters::{Board, Counters, count};
use super::leg::{Joined, Kind, Leg};
use super::mixing::Mix;
use super::queue::{Order, Queue};
use super::reserved::Reserved;
use super::slab::{Slab, Token};
use super::web::Datagram;
use super::wheel::Wheel;
use super::{MediaConfig, PromptLibrary};
use crate::base::{LegId, Mono, Rng};
use crate::dtls::Identity;
use crate::rtp::command::Notice;
use crate::rtp::packet::{self, Fresh, Header, PacketError};
use crate::rtp::{Filled, Stamp, Verdict, g711};
use crate::sdp::Codec;
use rustix::event::{Timespec, epoll};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Packets served before commands and plays get their turn: less than a millisecond's work.
const PACKETS_A_ROUND: usize = 128;
/// A round that begins so much later than it should have is a stall: what waited meanwhile is old.
const STALL: Duration = Duration::from_millis(100);
/// Reads spent on emptying one leg after a stall; the kernel holds fewer packets than that.
const READS_AFTER_STALL: usize = 64;
/// How often silence is looked for.
const SCAN_EVERY: Duration = Duration::from_millis(500);
/// The bell's mark among the sockets' tokens.
const BELL: u64 = u64::MAX;
/// A packet with room to see that it was too long.
const BUFFER_BYTES: usize = 2048;

/// What is done by the clock; the number tells a former timer from the one that counts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Beat {
    /// A play's next packet.
    Play { leg: Token, beat: u32 },
    /// A pressed key's next packet.
    Key { leg: Token },
    /// Time for an unfinished handshake.
    Handshake { leg: Token },
    /// A mix's next piece of sound.
    Mix { mix: Token, beat: u32 },
}

/// A media thread's all.
pub(super) struct Worker<N> {
    pub(super) epoll: OwnedFd,
    pub(super) queue: Arc<Queue>,
    pub(super) orders: VecDeque<Order>,
    pub(super) reserved: Arc<Reserved>,
    /// The leg without which no order may be carried out.
    pub(super) awaited: Option<LegId>,
    pub(super) legs: Slab<Leg>,
    pub(super) index: BTreeMap<LegId, Token>,
    pub(super) mixes: Slab<Mix>,
    pub(super) wheel: Wheel<Beat>,
    pub(super) buffer: Vec<u8>,
    pub(super) counted: Counters,
    board: Arc<Board>,
    pub(super) notices: N,
    pub(super) prompts: Arc<PromptLibrary>,
    silence_after: Duration,
    pub(super) learn_source: bool,
    pub(super) identity: Option<Arc<Identity>>,
    pub(super) dscp: u8,
    pub(super) rng: Rng,
    epoch: Instant,
    pub(super) now: Mono,
    pub(super) stopping: bool,
}

impl<N: Fn(Notice)> Worker<N> {
    pub(super) fn new(
        config: &MediaConfig,
        queue: Arc<Queue>,
        reserved: Arc<Reserved>,
        board: Arc<Board>,
        notices: N,
        rng: Rng,
        epoch: Instant,
    ) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, queue.bell(), epoll::EventData::new_u64(BELL), epoll::EventFlags::IN)?;
        let mut worker = Self {
            epoll,
            queue,
            reserved,
            orders: VecDeque::new(),
            awaited: None,
            legs: Slab::new(),
            index: BTreeMap::new(),
            mixes: Slab::new(),
            wheel: Wheel::new(0),
            buffer: vec![0; BUFFER_BYTES],
            counted: Counters::default(),
            board,
            notices,
            prompts: Arc::clone(&config.prompts),
            silence_after: config.silence_after,
            learn_source: config.learn_source,
            identity: config.identity.clone(),
            dscp: config.dscp,
            rng,
            epoch,
            now: Mono::ZERO,
            stopping: false,
        };
        worker.read_clock();
        Ok(worker)
    }

    /// Works until told to stop.
    pub(super) fn run(&mut self) {
        let mut events: Vec<epoll::Event> = Vec::with_capacity(PACKETS_A_ROUND);
        let mut due = Vec::new();
        let mut scanned_at = self.now;
        while !self.stopping {
            let before = self.now;
            self.read_clock();
            let worked = self.now.since(before);
            let wait = self.wait(scanned_at);
            events.clear();
            let timeout = wait.map(timespec);
            if let Err(errno) = epoll::wait(
                &self.epoll,
                rustix::buffer::spare_capacity(&mut events),
                timeout.as_ref(),
            ) && errno != rustix::io::Errno::INTR
            {
                // Only a lost descriptor can cause it; `Media::healthy` tells the daemon.
                return;
            }
            let began = self.now;
            self.read_clock();
            let overslept =
                wait.is_some_and(|wait| self.now.since(began) > wait.saturating_add(STALL));
            if overslept || worked > STALL {
                self.after_stall();
            }
            for event in &events {
                match event.data.u64() {
                    BELL => self.queue.quiet(),
                    bits => {
                        let leg = Token::from_bits(bits);
                        self.guarded(Some(leg), |worker| {
                            worker.receive(leg, true);
                        });
                    }
                }
            }
            self.carry_out_orders();
            self.beat_due(&mut due);
            if self.now.since(scanned_at) >= SCAN_EVERY {
                self.scan();
                scanned_at = self.now;
            }
            self.board.publish(&self.counted);
        }
        (self.legs, self.mixes) = (Slab::new(), Slab::new());
        self.index.clear();
        (self.counted.legs, self.counted.bridges, self.counted.plays) = (0, 0, 0);
        self.counted.mixes = 0;
        self.board.publish(&self.counted);
    }

    fn read_clock(&mut self) {
        let micros = self.epoch.elapsed().as_micros();
        self.now = Mono(u64::try_from(micros).unwrap_or(u64::MAX));
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.now.0.checked_div(1000).unwrap_or(0)
    }

    /// How long nothing needs to be done; none: until somebody calls.
    fn wait(&self, scanned_at: Mono) -> Option<Duration> {
        if self.awaited.is_none() && !self.orders.is_empty() {
            return Some(Duration::ZERO);
        }
        let beat = self.wheel.next_due_ms().map(|ms| Mono(ms.saturating_mul(1000)).since(self.now));
        let scan =
            (self.counted.legs > 0).then(|| SCAN_EVERY.saturating_sub(self.now.since(scanned_at)));
        beat.into_iter().chain(scan).min()
    }

    /// Runs one piece of work; should it panic, that costs the leg and nothing else.
    pub(super) fn guarded(&mut self, leg: Option<Token>, work: impl FnOnce(&mut Self)) {
        if !self.survives(work)
            && let Some(token) = leg
        {
            self.lose(token);
        }
    }

    /// False when the work panicked.
    fn survives(&mut self, work: impl FnOnce(&mut Self)) -> bool {
        let survived = catch_unwind(AssertUnwindSafe(|| work(self))).is_ok();
        if !survived {
            count(&mut self.counted.faults);
        }
        survived
    }

    /// Closes a leg by a fault of ours, and tells.
    pub(super) fn lose(&mut self, token: Token) {
        let Some((leg, port)) = self.legs.get_mut(token).map(|leg| (leg.id, leg.port())) else {
            return;
        };
        self.close(leg);
        let tell = || (self.notices)(Notice::OpenFailed { leg, port });
        let _ = catch_unwind(AssertUnwindSafe(tell));
    }

    // ---- packets ----

    /// Takes one packet from a leg's socket and sends it on, if it is to be. False when there was none.
    /// `fresh` false: it waited too long to be heard; keys in it still count.
    fn receive(&mut self, token: Token, fresh: bool) -> bool {
        let Some(leg) = self.legs.get_mut(token) else { return false };
        let (length, from) = match leg.socket.recv_from(&mut self.buffer) {
            Ok(received) => received,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
            // News of a packet sent earlier: nobody was there (ICMP). Reading it has cleared it.
            Err(_) => {
                return {
                    count(&mut self.counted.unreachable);
                    true
                };
            }
        };
        if leg.web.is_some() {
            match Datagram::of(self.buffer.get(..length).unwrap_or_default()) {
                Datagram::Check => {
                    self.checked(token, length, from);
                    return true;
                }
                Datagram::Handshake => {
                    self.handshake(token, length, from);
                    return true;
                }
                Datagram::Sound if leg.awaits_keys() => {
                    count(&mut self.counted.dropped_early);
                    return true;
                }
                Datagram::Sound => {}
            }
        }
        let Some(line) = &mut leg.line else {
            count(&mut self.counted.dropped_early);
            return true;
        };
        let length = match &mut leg.sealed {
            None => length,
            // What is RTCP on this port is dropped below, sealed or not.
            Some(_) if matches!(self.buffer.as_slice(), [_, 192..=223, ..]) => length,
            Some(sealed) => match sealed.opener.open_rtp(&mut self.buffer, length) {
                Ok(opened) => opened,
                Err(_) => {
                    count(&mut self.counted.dropped_forged);
                    return true;
                }
            },
        };
        let bytes = self.buffer.get(..length).filter(|bytes| bytes.len() <= packet::MAX_BYTES);
        let header = match bytes.ok_or(PacketError::Malformed).and_then(packet::read) {
            Ok(header) => header,
            Err(PacketError::Rtcp) => {
                return {
                    count(&mut self.counted.dropped_rtcp);
                    true
                };
            }
            Err(PacketError::Malformed) => {
                return {
                    count(&mut self.counted.dropped_malformed);
                    true
                };
            }
        };
        let kind = line.kind(header.payload_type);
        let verdict = match kind {
            // What was not agreed is no proof of who speaks.
            Kind::Other if line.target == Some(from) => Verdict::Accept,
            Kind::Other => Verdict::Refuse,
            Kind::Voice(_) | Kind::Key => line.lock.judge(from, header.ssrc),
        };
        match verdict {
            Verdict::Accept => {}
            Verdict::AcceptAndLock => leg.locked(),
            Verdict::Refuse => {
                return {
                    count(&mut self.counted.dropped_stranger);
                    true
                };
            }
        }
        count(&mut self.counted.packets_received);
        leg.heard_at = self.now;
        if std::mem::take(&mut leg.silent) {
            (self.notices)(Notice::Heard { leg: leg.id });
        }
        let mut pressed = None;
        if kind == Kind::Key
            && let Some(payload) = self.buffer.get(header.payload.clone())
            && let Some(key) = leg.keys.read(payload, header.ssrc, header.timestamp, header.marker)
        {
            pressed = Some(key);
            count(&mut self.counted.keys);
            (self.notices)(Notice::Digit { leg: leg.id, key });
        }
        let joined = leg.joined;
        match joined {
            Joined::Passed(_) | Joined::Mixed(_) if !fresh => {
                count(&mut self.counted.dropped_stale);
            }
            Joined::Passed(peer) => self.pass(peer, kind, header, pressed),
            Joined::Mixed(mix) => self.give_to_mix(mix, token, kind, &header, pressed),
            Joined::Alone => {}
        }
        true
    }

    /// Gives the packet in the buffer to its leg's ear; a key is pressed anew towards all who hear it.
    fn give_to_mix(
        &mut self,
        mix: Token,
        leg: Token,
        kind: Kind,
        header: &Header,
        pressed: Option<char>,
    ) {
        let Some(mix) = self.mixes.get_mut(mix) else { return };
        match kind {
            Kind::Voice(codec) => {
                let Some(ear) = mix.ear(leg) else { return };
                let Some(sound) = self.buffer.get_mut(header.payload.clone()) else { return };
                if !turn(codec, ear.codec(), sound) {
                    return count(&mut self.counted.dropped_payload);
                }
                ear.hear(header.ssrc, header.timestamp, sound, self.now);
            }
            Kind::Key => {
                let Some(key) = pressed else { return };
                let hearers: Vec<Token> = mix.hearers(leg).collect();
                for hearer in hearers {
                    self.press(hearer, key);
                }
            }
            Kind::Other => count(&mut self.counted.dropped_payload),
        }
    }

    /// Sends the packet in the buffer on to another leg.
    fn pass(&mut self, to: Token, kind: Kind, header: Header, pressed: Option<char>) {
        let Some(leg) = self.legs.get_mut(to) else { return };
        // A phone that takes no telephone-event hears the key's tones; and a key that comes while one of
        // ours is down waits for its turn.
        let takes = leg.line.as_ref().is_some_and(|line| line.stream.send_event_pt.is_some());
        if kind == Kind::Key && leg.play.is_none() && (leg.presses.beating || !takes) {
            leg.out.skip(header.ssrc, header.seq);
            if let Some(key) = pressed {
                self.press(to, key);
            }
            return;
        }
        let covered = leg.covered() || leg.awaits_keys();
        let Some(line) = leg.line.as_ref().filter(|line| !covered && line.stream.may_send) else {
            return count(&mut self.counted.dropped_covered);
        };
        let payload_type = match kind {
            Kind::Voice(codec) => {
                let sound = self.buffer.get_mut(header.payload.clone());
                sound
                    .is_some_and(|sound| turn(codec, line.stream.codec, sound))
                    .then_some(line.stream.send_pt)
            }
            Kind::Key => line.stream.send_event_pt,
            Kind::Other => None,
        };
        let Some(payload_type) = payload_type else {
            leg.out.skip(header.ssrc, header.seq);
            return count(&mut self.counted.dropped_payload);
        };
        let Some(stamp) = leg.out.relay(header.ssrc, header.seq, header.timestamp, self.now) else {
            return count(&mut self.counted.dropped_late);
        };
        let stamp = Stamp { starts: header.marker || stamp.starts, ..stamp };
        if self.send_stamped(to, payload_type, stamp, header.payload) {
            count(&mut self.counted.packets_relayed);
        }
    }

    /// The machine slept: what has waited on the sockets is thrown away, so that nobody hears a
    /// conversation late for the rest of the call.
    fn after_stall(&mut self) {
        count(&mut self.counted.stalls);
        let legs: Vec<Token> = self.index.values().copied().collect();
        for leg in legs {
            self.guarded(Some(leg), |worker| {
                let _ = (0..READS_AFTER_STALL)
                    .try_for_each(|_| worker.receive(leg, false).then_some(()));
            });
        }
    }

    // ---- what is done by the clock ----

    fn beat_due(&mut self, due: &mut Vec<Beat>) {
        let now_ms = self.now_ms();
        while let Some(at_ms) = self.wheel.take(now_ms, due) {
            for beat in due.drain(..) {
                match beat {
                    Beat::Play { leg, beat } => {
                        self.guarded(Some(leg), |worker| worker.play(leg, beat, at_ms));
                    }
                    Beat::Key { leg } => {
                        self.guarded(Some(leg), |worker| worker.beat_key(leg, at_ms));
                    }
                    Beat::Handshake { leg } => {
                        self.guarded(Some(leg), |worker| worker.beat_handshake(leg, at_ms));
                    }
                    Beat::Mix { mix, beat } => {
                        if !self.survives(|worker| worker.beat_mix(mix, beat, at_ms)) {
                            self.lose_mix(mix);
                        }
                    }
                }
            }
        }
    }

    /// Sends a play's next packet and sets its next beat. The beat goes on while the phone is on hold,
    /// so that an announcement ends when it should.
    fn play(&mut self, token: Token, beat: u32, due_ms: u64) {
        let Some(leg) = self.legs.get_mut(token) else { return };
        let waits = leg.awaits_keys();
        let Some(play) = leg.play.as_mut().filter(|play| play.beat == beat) else { return };
        let Some(line) = &leg.line else { return };
        let ptime_ms = line.stream.ptime_ms.clamp(10, 60);
        // An announcement waits for the keys, or its beginning would not be heard.
        if waits {
            let next = due_ms.saturating_add(u64::from(ptime_ms));
            return self.wheel.schedule(next, Beat::Play { leg: token, beat });
        }
        let Some(room) = self.buffer.get_mut(packet::HEADER_BYTES..) else { return };
        let (bytes, ms) = match play.list.fill(line.stream.codec, ptime_ms, room) {
            Filled::Sound { bytes, ms } => (bytes, ms),
            Filled::Wait { ms } => (0, ms),
            Filled::Over => {
                let (leg, play) = (leg.id, play.id);
                self.stop(leg);
                return (self.notices)(Notice::PlayDone { leg, play });
            }
        };
        self.wheel.schedule(due_ms.saturating_add(u64::from(ms)), Beat::Play { leg: token, beat });
        if bytes > 0 && leg.may_send() && leg.presses.now.is_none() && self.say(token, bytes, ms) {
            count(&mut self.counted.packets_played);
        }
    }

    /// Sends the voice that lies in the buffer behind the place for a header. False when it was not
    /// taken.
    pub(super) fn say(&mut self, token: Token, bytes: usize, ms: u8) -> bool {
        let Some(leg) = self.legs.get_mut(token) else { return false };
        let Some(payload_type) = leg.line.as_ref().map(|line| line.stream.send_pt) else {
            return false;
        };
        let stamp = leg.out.own(ms, self.now);
        let payload = packet::HEADER_BYTES..packet::HEADER_BYTES.saturating_add(bytes);
        self.send_stamped(token, payload_type, stamp, payload)
    }

    /// Puts a header before the payload in the buffer and sends both. False when it was not taken.
    pub(super) fn send_stamped(
        &mut self,
        token: Token,
        payload_type: u8,
        stamp: Stamp,
        payload: Range<usize>,
    ) -> bool {
        let Some(leg) = self.legs.get_mut(token) else { return false };
        let fresh = Fresh {
            payload_type,
            marker: stamp.starts,
            seq: stamp.seq,
            timestamp: stamp.timestamp,
            ssrc: stamp.ssrc,
        };
        let place = packet::rewrite(&mut self.buffer, payload, fresh);
        let sent = place.is_some_and(|place| leg.send(&mut self.buffer, place).is_ok());
        if !sent {
            count(&mut self.counted.dropped_unsent);
        }
        sent
    }

    fn scan(&mut self) {
        let mut lost = Vec::new();
        for (id, token) in &self.index {
            let Some(leg) = self.legs.get_mut(*token) else { continue };
            if leg.has_fallen_silent(self.now, self.silence_after) {
                leg.silent = true;
                (self.notices)(Notice::Silent { leg: *id });
            }
            if leg.waits_in_vain(self.now) {
                lost.push(*token);
            }
        }
        for token in lost {
            count(&mut self.counted.handshakes_failed);
            self.lose(token);
        }
    }
}

/// Turns a payload from one codec into another where it stands; false when that needs more than a table.
fn turn(from: Codec, to: Codec, sound: &mut [u8]) -> bool {
    if let (Some(from), Some(to)) = (g711::law(from), g711::law(to)) {
        g711::convert(from, to, sound);
        return true;
    }
    from == to
}

fn timespec(span: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(span.subsec_nanos()),
    }
}
