//! Voices between phones that share no codec, three at a table, and keys: over real sockets, listened to.

use super::*;
use crate::rtp::command::Seat;
use crate::rtp::tone;
use crate::rtp::voice::{Band, Decoder, Encoder};
use crate::sdp::Voice;

/// A phone that speaks one pitch and listens, for a while.
struct Speaker<'a> {
    phone: &'a Phone,
    encoder: Encoder,
    decoder: Decoder,
    hz: f64,
    said: u32,
    heard: Vec<i16>,
    keys: crate::rtp::KeyReader,
    pressed: Vec<char>,
}

impl<'a> Speaker<'a> {
    fn new(phone: &'a Phone, hz: f64) -> Self {
        phone.socket.set_nonblocking(true).unwrap();
        Self {
            phone,
            encoder: Encoder::new(phone.codec, Band::Narrow).unwrap(),
            decoder: Decoder::new(phone.codec, Band::Narrow).unwrap(),
            hz,
            said: 0,
            heard: Vec::new(),
            keys: crate::rtp::KeyReader::default(),
            pressed: Vec::new(),
        }
    }

    /// 20 ms of its pitch.
    fn speak(&mut self) {
        let from = self.said * 160;
        #[expect(clippy::cast_possible_truncation, reason = "a sine times 6000 fits i16")]
        let sample = |n: u32| {
            let turn = std::f64::consts::TAU * self.hz / 8000.0;
            (6000.0 * (turn * f64::from(from + n)).sin()) as i16
        };
        let sound: Vec<i16> = (0..160).map(sample).collect();
        let mut payload = [0; 400];
        let bytes = self.encoder.encode(&sound, &mut payload).unwrap();
        let fresh = Fresh {
            payload_type: self.phone.codec.payload_type(),
            marker: false,
            seq: u16::try_from(self.said & 0xffff).unwrap(),
            timestamp: self.said * 20 * self.phone.codec.clock_hz() / 1000,
            ssrc: 9,
        };
        let mut packet = [0; 500];
        let length = packet::write(&mut packet, fresh, &payload[..bytes]);
        self.phone.socket.send_to(&packet[..length], self.phone.ours).unwrap();
        self.said += 1;
    }

    fn listen(&mut self) {
        while let Some((header, payload)) = self.phone.hear() {
            if header.payload_type == 101 {
                let key = self.keys.read(&payload, header.ssrc, header.timestamp, header.marker);
                self.pressed.extend(key);
            } else {
                assert_eq!(header.payload_type, self.phone.codec.payload_type());
                self.heard.extend_from_slice(self.decoder.decode(&payload));
            }
        }
    }

    /// How much of what was heard is `hz`, in the quarter second in which it was clearest: 1 when
    /// nothing else is. On a busy machine a test's phone falls behind now and then.
    fn share(&self, hz: f64) -> f64 {
        let pieces = self.heard.windows(2000).skip(4000).step_by(500);
        pieces.map(|piece| share(piece, hz)).fold(0.0, f64::max)
    }
}

/// Energy of `hz` in the sound (Goertzel), relative to all energy.
fn share(samples: &[i16], hz: f64) -> f64 {
    let turn = std::f64::consts::TAU * hz / 8000.0;
    let (mut s1, mut s2, mut all) = (0.0, 0.0, 1.0);
    for sample in samples.iter().map(|sample| f64::from(*sample)) {
        (s1, s2) = (sample + 2.0 * turn.cos() * s1 - s2, s1);
        all += sample * sample;
    }
    let power = s1 * s1 + s2 * s2 - 2.0 * turn.cos() * s1 * s2;
    2.0 * power / (all * f64::from(u32::try_from(samples.len().max(1)).unwrap()))
}

/// Everybody speaks and listens for `count` packets, at the pace of a phone. A test that is held up by a
/// busy machine goes on at that pace: a burst would only overflow the sockets.
fn talk(speakers: &mut [Speaker], count: u32) {
    let mut due = Instant::now();
    for _ in 0..count {
        speakers.iter_mut().for_each(Speaker::speak);
        due = (due + Duration::from_millis(20)).max(Instant::now());
        std::thread::park_timeout(due.saturating_duration_since(Instant::now()));
        speakers.iter_mut().for_each(Speaker::listen);
    }
}

/// From now on; what came before is not listened to.
fn they_hear_each_other(one: &Phone, other: &Phone) {
    one.forget();
    other.forget();
    let mut speakers = [Speaker::new(one, 500.0), Speaker::new(other, 1100.0)];
    talk(&mut speakers, 60);
    let shares = (speakers[0].share(1100.0), speakers[1].share(500.0));
    assert!(shares.0 > 0.9 && shares.1 > 0.9, "{:?}: {shares:?}", other.codec);
}

#[test]
fn phones_that_share_no_codec_hear_each_other() {
    let room = Room::new(|_| {});
    let codecs = [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus];
    let pairs = codecs.iter().flat_map(|a| codecs.iter().map(move |b| (*a, *b)));
    let mut phones = Vec::new();
    for (n, (a, b)) in (0_u64..).zip(pairs) {
        let (one, other) = (room.leg(2 * n + 1, a), room.leg(2 * n + 2, b));
        room.media.send(Command::Bridge { a: one.leg, b: other.leg });
        phones.push((one, other));
    }
    room.until(|counters| counters.bridges == 16 && counters.mixes == 10);
    // A few at a time: unoptimised codecs for all would be too much for a busy machine.
    for some in phones.chunks(4) {
        let mut speakers: Vec<Speaker> = Vec::new();
        for (one, other) in some {
            speakers.push(Speaker::new(one, 500.0));
            speakers.push(Speaker::new(other, 1100.0));
        }
        talk(&mut speakers, 75);
        for pair in speakers.chunks(2) {
            let codecs = (pair[0].phone.codec, pair[1].phone.codec);
            let shares = (pair[0].share(1100.0), pair[1].share(500.0));
            assert!(shares.0 > 0.9 && shares.1 > 0.9, "{codecs:?}: {shares:?}");
            assert!(pair[0].heard.len() > 9600 && pair[1].heard.len() > 9600, "{codecs:?}");
        }
    }
    for (one, other) in &phones {
        for leg in [one.leg, other.leg] {
            room.media.send(Command::Close { leg });
        }
    }
    room.until(|counters| counters.legs == 0 && counters.bridges == 0 && counters.mixes == 0);
}

#[test]
fn a_phone_that_changes_its_codec_in_the_call_is_still_heard() {
    let room = Room::new(|_| {});
    let (one, mut other) = (room.leg(1, Codec::Pcmu), room.leg(2, Codec::Pcmu));
    room.media.send(Command::Bridge { a: one.leg, b: other.leg });
    for (codec, mixes) in [(Codec::Opus, 1), (Codec::G722, 1), (Codec::Pcma, 0)] {
        other.codec = codec;
        room.media.send(Command::Stream { leg: other.leg, stream: other.stream() });
        room.fence(other.leg);
        room.media.send(Command::Bridge { a: one.leg, b: other.leg });
        room.until(|counters| counters.mixes == mixes && counters.bridges == 1);
        they_hear_each_other(&one, &other);
    }
}

#[test]
fn a_phone_that_begins_to_speak_another_codec_that_it_named_is_still_heard() {
    let room = Room::new(|_| {});
    let (one, mut other) = (room.leg(1, Codec::Pcmu), room.leg(2, Codec::Pcmu));
    let also = [Codec::G722, Codec::Opus].map(|codec| Voice {
        codec,
        send_pt: codec.payload_type(),
        recv_pt: codec.payload_type(),
    });
    let stream = Stream { also: also.to_vec(), ..other.stream() };
    room.media.send(Command::Stream { leg: other.leg, stream });
    room.media.send(Command::Bridge { a: one.leg, b: other.leg });
    room.fence(other.leg);
    // Nothing is negotiated anew: the packets alone tell.
    for (codec, mixes) in [(Codec::G722, 1), (Codec::Opus, 1), (Codec::Pcmu, 0)] {
        other.codec = codec;
        let mut begins = Speaker::new(&other, 1100.0);
        let before = room.media.counters().packets_received;
        for _ in 0..3 {
            begins.speak();
        }
        room.until(|counters| {
            counters.packets_received == before + 3
                && (counters.mixes, counters.bridges) == (mixes, 1)
        });
        they_hear_each_other(&one, &other);
    }
}

#[test]
fn at_a_table_everybody_hears_whom_his_seat_lets_him_hear() {
    for threads in [1, 3] {
        let room = Room::new(|config| config.threads = threads);
        let caller = room.leg(1, Codec::Pcmu);
        let agent = room.leg(2, Codec::G722);
        let supervisor = room.leg(3, Codec::Opus);
        let seat = |leg: &Phone, hears: &[&Phone]| Seat {
            leg: leg.leg,
            hears: hears.iter().map(|phone| phone.leg).collect(),
        };
        let (c, a, s) = (&caller, &agent, &supervisor);
        let tables = [
            ("listens", [seat(c, &[a]), seat(a, &[c]), seat(s, &[c, a])], [(0, 0), (1, 0), (1, 1)]),
            (
                "whispers",
                [seat(c, &[a]), seat(a, &[c, s]), seat(s, &[c, a])],
                [(0, 0), (1, 1), (1, 1)],
            ),
            (
                "joins",
                [seat(c, &[a, s]), seat(a, &[c, s]), seat(s, &[c, a])],
                [(1, 1), (1, 1), (1, 1)],
            ),
        ];
        for (what, seats, _) in tables {
            room.media.send(Command::Mix { seats: seats.to_vec() });
            room.until(|counters| counters.mixes == 1 && counters.bridges == 1);
            let mut speakers =
                [Speaker::new(c, 500.0), Speaker::new(a, 1100.0), Speaker::new(s, 1700.0)];
            talk(&mut speakers, 60);
            let hears = |who: usize, hz: f64| speakers[who].share(hz) > 0.3;
            let whom = [hears(0, 1100.0), hears(0, 1700.0), hears(1, 500.0), hears(1, 1700.0)];
            let want = match what {
                "listens" => [true, false, true, false],
                "whispers" => [true, false, true, true],
                _ => [true, true, true, true],
            };
            assert_eq!(whom, want, "{what}: the caller and the agent");
            assert!(hears(2, 500.0) && hears(2, 1100.0) && !hears(2, 1700.0), "{what}");
            assert!(!hears(0, 500.0) && !hears(1, 1100.0), "{what}: nobody hears himself");
        }
        // The supervisor leaves, the others talk on; then the caller, and the agent is alone.
        room.media.send(Command::Close { leg: supervisor.leg });
        room.until(|counters| counters.legs == 2 && counters.mixes == 1);
        let mut speakers = [Speaker::new(c, 500.0), Speaker::new(a, 1100.0)];
        talk(&mut speakers, 50);
        assert!(speakers[0].share(1100.0) > 0.9 && speakers[1].share(500.0) > 0.9);
        room.media.send(Command::Close { leg: caller.leg });
        room.until(|counters| counters.mixes == 0 && counters.bridges == 0);
    }
}

#[test]
fn a_key_reaches_a_phone_in_the_way_it_takes() {
    let room = Room::new(|_| {});
    let caller = room.leg(1, Codec::Pcmu);
    let events = room.leg(2, Codec::Opus);
    let tones = room.leg(3, Codec::Pcmu);
    let none = Stream { send_event_pt: None, recv_event_pt: None, ..tones.stream() };
    room.media.send(Command::Stream { leg: tones.leg, stream: none });
    // Through a mix, a press is pressed anew.
    room.media.send(Command::Bridge { a: caller.leg, b: events.leg });
    room.until(|counters| counters.mixes == 1);
    for seq in 500..506_u16 {
        caller.say(101, seq, &[5, if seq > 502 { 0x8a } else { 0x0a }, 0, 160]);
    }
    let mut speakers = [Speaker::new(&events, 700.0)];
    talk(&mut speakers, 75);
    assert_eq!(speakers[0].pressed, ['5']);
    // A phone that takes no events hears the tones; two keys, one after the other.
    room.media.send(Command::Bridge { a: caller.leg, b: tones.leg });
    room.until(|counters| counters.mixes == 0);
    let made = room.media.counters().packets_made;
    room.media.send(Command::Press { leg: tones.leg, key: '7' });
    // The next key comes while that one is down.
    room.until(|counters| counters.packets_made > made);
    for seq in 900..906_u16 {
        caller.say(101, seq, &[11, if seq > 902 { 0x8a } else { 0x0a }, 0, 160]);
    }
    let mut speakers = [Speaker::new(&tones, 700.0)];
    talk(&mut speakers, 100);
    for key in ['7', '#'] {
        let (row, column) = tone::key_hz(key).unwrap();
        let found = speakers[0].heard.windows(640).step_by(80).any(|piece| {
            share(piece, f64::from(row)) > 0.4 && share(piece, f64::from(column)) > 0.4
        });
        assert!(found, "{key}");
    }
    assert_eq!(room.notice().into_iter().chain(room.notice()).count(), 2);
}
