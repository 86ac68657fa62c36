//! A packet's way through a media thread: taken from a phone's socket, judged, and passed to the other
//! phone or given to a mix; and the way out of what we say ourselves. No allocation, no lock, no engine.

use super::counters::count;
use super::leg::{Joined, Kind};
use super::reports::COMFORT_NOISE;
use super::slab::Token;
use super::web::Datagram;
use super::worker::Worker;
use crate::rtp::command::Notice;
use crate::rtp::packet::{self, Fresh, Header, PacketError};
use crate::rtp::{Stamp, Verdict, g711, rtcp};
use crate::sdp::Codec;
use std::io;
use std::ops::Range;

impl<N: Fn(Notice)> Worker<N> {
    /// Takes one packet from a leg's socket and sends it on, if it is to be. False when there was none.
    /// `fresh` false: it waited too long to be heard; keys in it still count.
    pub(super) fn receive(&mut self, token: Token, fresh: bool) -> bool {
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
        if rtcp::is_rtcp(self.buffer.get(..length).unwrap_or_default()) {
            self.control(token, length, from, true);
            return true;
        }
        let Some(line) = &mut leg.line else {
            count(&mut self.counted.dropped_early);
            return true;
        };
        let length = match &mut leg.sealed {
            None => length,
            Some(sealed) => match sealed.opener.open_rtp(&mut self.buffer, length) {
                Ok(opened) => {
                    if let Some(web) = &mut leg.web {
                        web.opened(line, from, self.now);
                    }
                    opened
                }
                Err(_) => {
                    count(&mut self.counted.dropped_forged);
                    return true;
                }
            },
        };
        let bytes = self.buffer.get(..length).filter(|bytes| bytes.len() <= packet::MAX_BYTES);
        let header = match bytes.ok_or(PacketError::Malformed).and_then(packet::read) {
            Ok(header) => header,
            // The first bytes are never sealed: what is RTCP was seen above.
            Err(PacketError::Malformed | PacketError::Rtcp) => {
                return {
                    count(&mut self.counted.dropped_malformed);
                    true
                };
            }
        };
        let kind = line.kind(header.payload_type);
        let clock_hz = line.stream.codec.clock_hz();
        let verdict = match kind {
            // What was not agreed is no proof of who speaks.
            Kind::Other if line.target == Some(from) => Verdict::Accept,
            Kind::Other => Verdict::Refuse,
            Kind::Voice(_) | Kind::Another | Kind::Key => line.lock.judge(from, header.ssrc),
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
        let turns = kind == Kind::Another
            && leg.line.as_mut().is_some_and(|line| line.turns_to(header.payload_type));
        leg.heard_at = self.now;
        leg.rests = kind == Kind::Other && header.payload_type == COMFORT_NOISE;
        let payload = self.buffer.get(header.payload.clone()).unwrap_or_default();
        leg.sound.hears(&header, kind, clock_hz, payload, self.now);
        if std::mem::take(&mut leg.silent) {
            (self.notices)(Notice::Heard { leg: leg.id });
        }
        let (now, listener) = (self.now, leg.listener.as_mut());
        let (mut pressed, mut sounded) = (None, None);
        match kind {
            Kind::Key => {
                let Header { ssrc, timestamp, marker, .. } = header;
                let key = leg.keys.read(payload, ssrc, timestamp, marker);
                let is_echo = |key| listener.is_some_and(|listener| listener.is_echo(key, now));
                pressed = key.filter(|key| !is_echo(*key));
            }
            // Whoever it is joined with hears the tones as they are.
            Kind::Voice(codec) => {
                sounded = listener.and_then(|listener| listener.hear(codec, &header, payload, now));
            }
            Kind::Another | Kind::Other => {}
        }
        let joined = leg.joined;
        if let Some(key) = pressed.or(sounded) {
            count(&mut self.counted.keys);
            (self.notices)(Notice::Digit { leg: leg.id, key });
            self.key_stops(token);
        }
        if turns {
            self.turn(token);
        }
        match joined {
            Joined::Passed(_) | Joined::Mixed(_) if !fresh => {
                count(&mut self.counted.dropped_stale);
            }
            Joined::Passed(peer) => self.pass(token, peer, kind, header, pressed),
            Joined::Mixed(mix) => self.give_to_mix(mix, token, kind, &header, pressed),
            Joined::Alone => {
                if let Kind::Voice(codec) = kind {
                    self.tap_alone(token, codec, &header);
                }
            }
        }
        true
    }

    /// The phone has begun to speak another of the codecs that it may.
    fn turn(&mut self, token: Token) {
        let Some(leg) = self.legs.get_mut(token) else { return };
        let Some(stream) = leg.line.as_ref().map(|line| line.stream.clone()) else { return };
        leg.speaks(&stream, &mut self.rng);
        self.rejoin(token);
    }

    /// Gives the packet in the buffer to its leg's ear; a key is pressed anew towards all who hear it.
    fn give_to_mix(
        &mut self,
        token: Token,
        leg: Token,
        kind: Kind,
        header: &Header,
        pressed: Option<char>,
    ) {
        let Some(mix) = self.mixes.get_mut(token) else { return };
        match kind {
            Kind::Voice(codec) => {
                let Some(ear) = mix.ear(leg) else { return };
                let Some(sound) = self.buffer.get_mut(header.payload.clone()) else { return };
                let heard_as = ear.codec();
                if !turn(codec, heard_as, sound) {
                    return count(&mut self.counted.dropped_payload);
                }
                ear.hear(header.ssrc, header.timestamp, sound, self.now);
                self.tap_mixed(token, leg, heard_as, header);
            }
            Kind::Key => {
                let Some(key) = pressed else { return };
                let hearers: Vec<Token> = mix.hearers(leg).collect();
                for hearer in hearers {
                    self.press(hearer, key);
                }
            }
            Kind::Other if header.payload_type == COMFORT_NOISE => {
                let level = self.buffer.get(header.payload.clone()).and_then(|told| told.first());
                if let Some((ear, level)) = mix.ear(leg).zip(level) {
                    ear.rest(*level);
                }
            }
            Kind::Another | Kind::Other => count(&mut self.counted.dropped_payload),
        }
    }

    /// Sends the packet in the buffer on to another leg.
    fn pass(&mut self, from: Token, to: Token, kind: Kind, header: Header, pressed: Option<char>) {
        let Some(leg) = self.legs.get_mut(to) else { return };
        // A phone that takes no telephone-event hears the key's tones; and a key that comes while one of
        // ours is down waits for its turn.
        let takes = leg
            .line
            .as_ref()
            .is_some_and(|line| line.stream.send_event_pt.is_some() && !line.stream.told_by_info);
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
            Kind::Another | Kind::Other => None,
        };
        let Some(payload_type) = payload_type else {
            leg.out.skip(header.ssrc, header.seq);
            return count(&mut self.counted.dropped_payload);
        };
        let codec = line.stream.codec;
        if let Some(framer) = &leg.framer
            && framer.applies(header.ssrc, header.payload.len())
            && (framer.cuts(header.ssrc) || kind != Kind::Key)
        {
            self.tap_passed(from, to, kind, codec, &header);
            return self.pass_cut(to, kind, payload_type, &header);
        }
        let Some(stamp) = leg.out.relay(header.ssrc, header.seq, header.timestamp, self.now) else {
            return count(&mut self.counted.dropped_late);
        };
        let stamp = Stamp { starts: header.marker || stamp.starts, ..stamp };
        self.tap_passed(from, to, kind, codec, &header);
        if self.send_stamped(to, payload_type, stamp, header.payload) {
            count(&mut self.counted.packets_relayed);
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
        let sound = self.buffer.get(payload.clone()).unwrap_or_default();
        leg.sound.says(sound, stamp.ssrc);
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
}

/// Turns a payload from one codec into another where it stands; false when that needs more than a table.
fn turn(from: Codec, to: Codec, sound: &mut [u8]) -> bool {
    if let (Some(from), Some(to)) = (g711::law(from), g711::law(to)) {
        g711::convert(from, to, sound);
        return true;
    }
    from == to
}
