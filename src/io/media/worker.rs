//! One media thread: waits for packets, commands and the beat of what plays, and serves them in turn.
//! No allocation, no lock and no engine on a packet's way.

use super::counters::{Board, Counters, count};
use super::leg::{Kind, Leg, Play};
use super::queue::{Order, Queue};
use super::slab::{Slab, Token};
use super::wheel::Wheel;
use super::{MediaConfig, PromptLibrary};
use crate::base::{LegId, Mono, PlayId, PromptId, Rng};
use crate::rtp::command::{Command, Notice};
use crate::rtp::packet::{self, Fresh, Header, PacketError};
use crate::rtp::{Playlist, SAMPLES_PER_MS, Verdict};
use rustix::event::{Timespec, epoll};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Packets served before commands and plays get their turn: less than a millisecond's work.
const PACKETS_A_ROUND: usize = 128;
/// Commands carried out before packets get their turn, so that a burst of new calls disturbs none.
const COMMANDS_A_ROUND: usize = 64;
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

/// The beat of one play.
#[derive(Clone, Copy, Debug)]
struct Beat {
    leg: Token,
    beat: u32,
}

/// A media thread's all.
pub(super) struct Worker<N> {
    epoll: OwnedFd,
    queue: Arc<Queue>,
    orders: VecDeque<Order>,
    /// The leg without which no order may be carried out.
    awaited: Option<LegId>,
    legs: Slab<Leg>,
    index: BTreeMap<LegId, Token>,
    wheel: Wheel<Beat>,
    buffer: Vec<u8>,
    counted: Counters,
    board: Arc<Board>,
    notices: N,
    prompts: Arc<PromptLibrary>,
    silence_after: Duration,
    learn_source: bool,
    dscp: u8,
    rng: Rng,
    epoch: Instant,
    now: Mono,
    stopping: bool,
}

impl<N: Fn(Notice)> Worker<N> {
    pub(super) fn new(
        config: &MediaConfig,
        queue: Arc<Queue>,
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
            orders: VecDeque::new(),
            awaited: None,
            legs: Slab::new(),
            index: BTreeMap::new(),
            wheel: Wheel::new(0),
            buffer: vec![0; BUFFER_BYTES],
            counted: Counters::default(),
            board,
            notices,
            prompts: Arc::clone(&config.prompts),
            silence_after: config.silence_after,
            learn_source: config.learn_source,
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
            self.play_due(&mut due);
            if self.now.since(scanned_at) >= SCAN_EVERY {
                self.scan();
                scanned_at = self.now;
            }
            self.board.publish(&self.counted);
        }
        self.legs = Slab::new();
        self.index.clear();
        (self.counted.legs, self.counted.bridges, self.counted.plays) = (0, 0, 0);
        self.board.publish(&self.counted);
    }

    fn read_clock(&mut self) {
        let micros = self.epoch.elapsed().as_micros();
        self.now = Mono(u64::try_from(micros).unwrap_or(u64::MAX));
    }

    fn now_ms(&self) -> u64 {
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
    fn guarded(&mut self, leg: Option<Token>, work: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| work(self))).is_ok() {
            return;
        }
        count(&mut self.counted.faults);
        if let Some(token) = leg
            && let Some(id) = self.legs.get_mut(token).map(|leg| leg.id)
        {
            self.close(id);
            let _ = catch_unwind(AssertUnwindSafe(|| (self.notices)(Notice::Silent { leg: id })));
        }
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
        let Some(line) = &mut leg.line else {
            count(&mut self.counted.dropped_early);
            return true;
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
        if kind == Kind::Key
            && let Some(payload) = self.buffer.get(header.payload.clone())
            && let Some(key) = leg.keys.read(payload, header.ssrc, header.timestamp, header.marker)
        {
            count(&mut self.counted.keys);
            (self.notices)(Notice::Digit { leg: leg.id, key });
        }
        match leg.peer {
            Some(_) if !fresh => count(&mut self.counted.dropped_stale),
            Some(peer) => self.pass(peer, kind, header),
            None => {}
        }
        true
    }

    /// Sends the packet in the buffer on to another leg.
    fn pass(&mut self, to: Token, kind: Kind, header: Header) {
        let Some(leg) = self.legs.get_mut(to) else { return };
        let Some(line) =
            leg.line.as_ref().filter(|line| leg.play.is_none() && line.stream.may_send)
        else {
            return count(&mut self.counted.dropped_covered);
        };
        let payload_type = match kind {
            Kind::Voice(codec) => {
                if let Some(sound) = self.buffer.get_mut(header.payload.clone()) {
                    crate::rtp::g711::convert(codec, line.stream.codec, sound);
                }
                Some(line.stream.send_pt)
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
        let fresh = Fresh {
            payload_type,
            marker: header.marker || stamp.starts,
            seq: stamp.seq,
            timestamp: stamp.timestamp,
            ssrc: stamp.ssrc,
        };
        let sent =
            packet::rewrite(&mut self.buffer, header.payload, fresh).map(|packet| leg.send(packet));
        match sent {
            Some(Ok(_)) => count(&mut self.counted.packets_relayed),
            Some(Err(_)) | None => count(&mut self.counted.dropped_unsent),
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

    // ---- plays ----

    fn play_due(&mut self, due: &mut Vec<Beat>) {
        let now_ms = self.now_ms();
        while let Some(at_ms) = self.wheel.take(now_ms, due) {
            for beat in due.drain(..) {
                self.guarded(Some(beat.leg), |worker| worker.play(beat, at_ms));
            }
        }
    }

    /// Sends a play's next packet and sets its next beat. The beat goes on while the phone is on hold,
    /// so that an announcement ends when it should.
    fn play(&mut self, beat: Beat, due_ms: u64) {
        let Some(leg) = self.legs.get_mut(beat.leg) else { return };
        let Some(play) = leg.play.as_mut().filter(|play| play.beat == beat.beat) else { return };
        let Some(line) = &leg.line else { return };
        let ptime_ms = line.stream.ptime_ms.clamp(10, 60);
        let samples = usize::from(ptime_ms).saturating_mul(SAMPLES_PER_MS);
        let end = packet::HEADER_BYTES.saturating_add(samples);
        let Some(sound) = self.buffer.get_mut(packet::HEADER_BYTES..end) else { return };
        if !play.list.fill(line.stream.codec, sound) {
            let (leg, play) = (leg.id, play.id);
            self.stop(leg);
            return (self.notices)(Notice::PlayDone { leg, play });
        }
        self.wheel.schedule(due_ms.saturating_add(u64::from(ptime_ms)), beat);
        if !line.stream.may_send || line.target.is_none() {
            return;
        }
        let stamp = leg.out.own(u32::try_from(samples).unwrap_or(0), self.now);
        let fresh = Fresh {
            payload_type: line.stream.send_pt,
            marker: stamp.starts,
            seq: stamp.seq,
            timestamp: stamp.timestamp,
            ssrc: stamp.ssrc,
        };
        let packet = packet::rewrite(&mut self.buffer, packet::HEADER_BYTES..end, fresh);
        match packet.map(|packet| leg.send(packet)) {
            Some(Ok(_)) => count(&mut self.counted.packets_played),
            Some(Err(_)) | None => count(&mut self.counted.dropped_unsent),
        }
    }

    fn scan(&mut self) {
        for leg in self.legs.iter_mut() {
            if leg.has_fallen_silent(self.now, self.silence_after) {
                leg.silent = true;
                (self.notices)(Notice::Silent { leg: leg.id });
            }
        }
    }

    // ---- orders ----

    fn carry_out_orders(&mut self) {
        self.queue.take(&mut self.orders);
        for _ in 0..COMMANDS_A_ROUND {
            if let Some(id) = self.awaited {
                let Some((_, handed)) = self.queue.take_handed(id) else { return };
                self.awaited = None;
                self.guarded(None, |worker| worker.adopt(handed));
            }
            let Some(order) = self.orders.pop_front() else { return };
            let leg = order.leg().and_then(|leg| self.index.get(&leg).copied());
            self.guarded(leg, |worker| worker.carry_out(order));
        }
    }

    fn carry_out(&mut self, order: Order) {
        match order {
            Order::Command(command) => self.command(command),
            Order::Hand { leg, to } => {
                self.unbridge(leg);
                let handed = self.remove(leg).map(Box::new);
                if let Some(leg) = &handed {
                    // It would only bring events for a token that nobody has.
                    let _ = epoll::delete(&self.epoll, &leg.socket);
                }
                to.hand(leg, handed);
            }
            Order::Await { leg } => self.awaited = Some(leg),
            Order::Stop => self.stopping = true,
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Open { leg, ip, port } => {
                self.close(leg);
                let opened = Leg::open(leg, ip, port, self.dscp, &mut self.rng);
                if opened.and_then(|opened| self.settle(opened)).is_err() {
                    count(&mut self.counted.open_failed);
                    (self.notices)(Notice::OpenFailed { leg, port });
                }
            }
            Command::Stream { leg, stream } => {
                let (learns, now, now_ms) = (self.learn_source, self.now, self.now_ms());
                let Some((token, leg)) = self.find(leg) else { return };
                let first = leg.line.is_none();
                leg.negotiated(stream, learns, now);
                // A play that came before its stream begins now.
                if first && let Some(play) = &leg.play {
                    let beat = Beat { leg: token, beat: play.beat };
                    self.wheel.schedule(now_ms, beat);
                }
            }
            Command::Bridge { a, b } => self.bridge(a, b),
            Command::Unbridge { leg } => self.unbridge(leg),
            Command::Play { leg, play, prompts, looped } => self.begin(leg, play, &prompts, looped),
            Command::Stop { leg } => self.stop(leg),
            Command::Close { leg } => self.close(leg),
        }
    }

    /// Gives a leg its place and makes the kernel tell of its packets.
    fn settle(&mut self, leg: Leg) -> io::Result<Token> {
        let id = leg.id;
        let token = self.legs.insert(leg);
        let added = self.legs.get_mut(token).map_or(Ok(()), |leg| {
            let mark = epoll::EventData::new_u64(token.to_bits());
            epoll::add(&self.epoll, &leg.socket, mark, epoll::EventFlags::IN)
        });
        if let Err(errno) = added {
            self.legs.remove(token);
            return Err(errno.into());
        }
        self.index.insert(id, token);
        count(&mut self.counted.legs);
        Ok(token)
    }

    /// Takes in a leg from another thread; what plays on it goes on.
    fn adopt(&mut self, handed: Option<Box<Leg>>) {
        let Some(leg) = handed else { return };
        let (id, now_ms) = (leg.id, self.now_ms());
        let beat = leg.play.as_ref().map(|play| play.beat);
        match (self.settle(*leg), beat) {
            (Ok(token), Some(beat)) => {
                count(&mut self.counted.plays);
                self.wheel.schedule(now_ms, Beat { leg: token, beat });
            }
            (Ok(_), None) => {}
            // Descriptors are at their limit; the leg is lost, and its silence says so.
            (Err(_), _) => (self.notices)(Notice::Silent { leg: id }),
        }
    }

    fn bridge(&mut self, a: LegId, b: LegId) {
        let tokens = (self.index.get(&a).copied(), self.index.get(&b).copied());
        let (Some(one), Some(other)) = tokens else { return };
        if a == b {
            return;
        }
        for leg in [a, b] {
            self.unbridge(leg);
            self.stop(leg);
        }
        for (from, to) in [(one, other), (other, one)] {
            if let Some(leg) = self.legs.get_mut(from) {
                leg.peer = Some(to);
            }
        }
        count(&mut self.counted.bridges);
    }

    fn unbridge(&mut self, leg: LegId) {
        let Some(peer) = self.find(leg).and_then(|(_, leg)| leg.peer.take()) else { return };
        if let Some(peer) = self.legs.get_mut(peer) {
            peer.peer = None;
        }
        self.counted.bridges = self.counted.bridges.saturating_sub(1);
    }

    fn begin(&mut self, leg: LegId, play: PlayId, names: &[PromptId], looped: bool) {
        self.stop(leg);
        let now_ms = self.now_ms();
        let Some(token) = self.index.get(&leg).copied() else { return };
        let mut prompts = Vec::with_capacity(names.len());
        for name in names {
            match self.prompts.get(name) {
                Some(prompt) => prompts.push(Arc::clone(prompt)),
                None => count(&mut self.counted.prompts_missing),
            }
        }
        if prompts.is_empty() {
            // Nothing to hear, so it is over; a loop of nothing never is.
            if !looped {
                (self.notices)(Notice::PlayDone { leg, play });
            }
            return;
        }
        let Some(leg) = self.legs.get_mut(token) else { return };
        leg.beats = leg.beats.wrapping_add(1);
        leg.play = Some(Play { id: play, list: Playlist::new(prompts, looped), beat: leg.beats });
        if leg.line.is_some() {
            self.wheel.schedule(now_ms, Beat { leg: token, beat: leg.beats });
        }
        count(&mut self.counted.plays);
    }

    fn stop(&mut self, leg: LegId) {
        if self.find(leg).is_some_and(|(_, leg)| leg.play.take().is_some()) {
            self.counted.plays = self.counted.plays.saturating_sub(1);
        }
    }

    /// Closing the socket also takes it out of epoll.
    fn close(&mut self, leg: LegId) {
        self.unbridge(leg);
        drop(self.remove(leg));
    }

    /// Takes a leg, no longer bridged, out of the books.
    fn remove(&mut self, leg: LegId) -> Option<Leg> {
        let leg = self.index.remove(&leg).and_then(|token| self.legs.remove(token))?;
        self.counted.legs = self.counted.legs.saturating_sub(1);
        if leg.play.is_some() {
            self.counted.plays = self.counted.plays.saturating_sub(1);
        }
        Some(leg)
    }

    fn find(&mut self, leg: LegId) -> Option<(Token, &mut Leg)> {
        let token = *self.index.get(&leg)?;
        self.legs.get_mut(token).map(|leg| (token, leg))
    }
}

impl Order {
    /// The leg that a fault while carrying it out would cost.
    const fn leg(&self) -> Option<LegId> {
        match self {
            Self::Command(
                Command::Open { leg, .. }
                | Command::Stream { leg, .. }
                | Command::Unbridge { leg }
                | Command::Play { leg, .. }
                | Command::Stop { leg }
                | Command::Close { leg }
                | Command::Bridge { a: leg, .. },
            )
            | Self::Hand { leg, .. } => Some(*leg),
            Self::Await { .. } | Self::Stop => None,
        }
    }
}

fn timespec(span: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(span.subsec_nanos()),
    }
}
