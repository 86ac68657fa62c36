//! Two phones that want packets of different lengths.

use super::*;

/// Says `sound` in packets of `ms`.
fn say(phone: &Phone, seq: u16, ms: usize, sound: &[u8]) {
    for (number, piece) in (0_u16..).zip(sound.chunks(ms * 8)) {
        let timestamp = u32::from(number) * u32::try_from(ms * 8).unwrap();
        let (seq, marker) = (seq.wrapping_add(number), number == 0);
        let fresh = Fresh { payload_type: 0, marker, seq, timestamp, ssrc: 42 };
        let mut bytes = [0; 600];
        let length = packet::write(&mut bytes, fresh, piece);
        phone.socket.send_to(&bytes[..length], phone.ours).unwrap();
        std::thread::park_timeout(Duration::from_millis(3));
    }
}

#[test]
fn each_phone_gets_packets_of_the_length_that_it_asked_for() {
    for (came, want) in [(30, 20), (20, 30), (60, 10), (10, 60), (20, 60), (40, 20), (20, 20)] {
        let room = Room::new(|_| {});
        let (caller, agent) = (room.leg(1, Codec::Pcmu), room.leg(2, Codec::Pcma));
        let ptime_ms = u8::try_from(want).unwrap();
        let stream = Stream { ptime_ms, ptime_asked: true, ..agent.stream() };
        room.media.send(Command::Stream { leg: agent.leg, stream });
        room.media.send(Command::Bridge { a: caller.leg, b: agent.leg });
        room.fence(agent.leg);
        // Half a second, each sample of it with a value of its own law.
        let sound: Vec<u8> = (0..4800_u32).map(|n| (n * 7 % 251).to_le_bytes()[0]).collect();
        say(&caller, 65_530, came, &sound);
        let mut heard = Vec::new();
        let mut last: Option<Header> = None;
        for number in 0..sound.len() / (want * 8) {
            let (header, payload) = agent.hear().unwrap();
            assert_eq!((payload.len(), header.marker), (want * 8, number == 0), "{came} {want}");
            if let Some(last) = &last {
                let ticks = u32::try_from(want * 8).unwrap();
                assert_eq!(header.seq, last.seq.wrapping_add(1));
                assert_eq!(header.timestamp, last.timestamp.wrapping_add(ticks));
                assert_eq!(header.ssrc, last.ssrc);
            }
            heard.extend(payload);
            last = Some(header);
        }
        let mut due = sound;
        g711::convert(g711::Law::Mu, g711::Law::A, &mut due);
        assert_eq!(heard, due, "{came} ms to {want} ms");
        assert!(agent.hears_nothing());
    }
}

#[test]
fn a_key_between_packets_that_are_cut_is_one_press_and_the_sound_goes_on() {
    let room = Room::new(|_| {});
    let (caller, agent) = (room.leg(1, Codec::Pcmu), room.leg(2, Codec::Pcmu));
    let stream = Stream { ptime_ms: 20, ptime_asked: true, ..agent.stream() };
    room.media.send(Command::Stream { leg: agent.leg, stream });
    room.media.send(Command::Bridge { a: caller.leg, b: agent.leg });
    room.fence(agent.leg);
    say(&caller, 10, 30, &[1; 480]);
    for (number, end) in (0_u16..).zip([0, 0, 0x80, 0x80, 0x80]) {
        let fresh = Fresh {
            payload_type: 101,
            marker: number == 0,
            seq: 12 + number,
            timestamp: 480,
            ssrc: 42,
        };
        let mut bytes = [0; 60];
        let payload = [5, end | 10, 0, 160];
        let length = packet::write(&mut bytes, fresh, &payload);
        caller.socket.send_to(&bytes[..length], caller.ours).unwrap();
    }
    assert_eq!(room.notice(), Some(Notice::Digit { leg: caller.leg, key: '5' }));
    let (mut keys, mut heard, mut reader) = (String::new(), 0, crate::rtp::KeyReader::default());
    let mut last: Option<u16> = None;
    for _ in 0..8 {
        let (header, payload) = agent.hear().unwrap();
        assert!(last.is_none_or(|last| header.seq == last.wrapping_add(1)));
        last = Some(header.seq);
        if header.payload_type == 101 {
            keys.extend(reader.read(&payload, header.ssrc, header.timestamp, header.marker));
        } else {
            heard += payload.len();
        }
    }
    assert_eq!((keys.as_str(), heard), ("5", 480));
}

#[test]
fn comfort_noise_is_not_passed_leaves_no_hole_and_is_no_silence() {
    let room = Room::new(|config| config.silence_after = Duration::from_millis(300));
    let (caller, agent) = (room.leg(1, Codec::Pcmu), room.leg(2, Codec::Pcmu));
    let stream = Stream { will_receive: false, ..agent.stream() };
    room.media.send(Command::Stream { leg: agent.leg, stream });
    room.media.send(Command::Bridge { a: caller.leg, b: agent.leg });
    room.fence(agent.leg);
    caller.say(0, 10, &[1; 160]);
    let before = agent.hear().unwrap().0;
    caller.say(13, 11, &[50]);
    caller.say(0, 12, &[2; 160]);
    let (after, sound) = agent.hear().unwrap();
    assert_eq!((after.seq, sound), (before.seq.wrapping_add(1), vec![2; 160]));
    // Nothing more comes: that is what was said. A phone that has not said so is silent by then.
    caller.say(13, 13, &[50]);
    assert!(room.notices.recv_timeout(Duration::from_millis(1000)).is_err());
    caller.say(0, 14, &[3; 160]);
    assert_eq!(room.notice(), Some(Notice::Silent { leg: caller.leg }));
}

#[test]
fn a_phone_that_changes_its_payload_type_or_begins_a_new_stream_is_heard_and_garbage_is_not() {
    let room = Room::new(|_| {});
    let (caller, agent) = (room.leg(1, Codec::Pcmu), room.leg(2, Codec::Pcmu));
    room.media.send(Command::Bridge { a: caller.leg, b: agent.leg });
    room.fence(agent.leg);
    let law = |payload_type: u8| if payload_type == 8 { g711::Law::A } else { g711::Law::Mu };
    let mut last: Option<Header> = None;
    // Over the wrap of its sequence, back and forth between the laws, and twice as somebody else.
    for (number, payload_type) in (0_u16..).zip([0, 0, 8, 8, 77, 0, 8, 77, 77, 0, 0, 8]) {
        let ssrc = 42 + u32::from(number / 4);
        let seq = number.wrapping_add(65_533);
        let timestamp = (u32::MAX - 300).wrapping_add(u32::from(number) * 160);
        let sound = g711::encode(law(payload_type), 4000);
        let fresh = Fresh { payload_type, marker: false, seq, timestamp, ssrc };
        let mut bytes = [0; 200];
        let length = packet::write(&mut bytes, fresh, &[sound; 160]);
        caller.socket.send_to(&bytes[..length], caller.ours).unwrap();
        if payload_type == 77 {
            continue;
        }
        let (header, heard) = agent.hear().unwrap();
        let heard = g711::decode(g711::Law::Mu, heard[80]);
        assert!((heard - 4000).abs() < 200, "{number}: {heard}");
        if let Some(last) = last.replace(header.clone()) {
            assert_eq!((header.ssrc, header.payload_type), (last.ssrc, 0), "{number}");
            assert_eq!(header.seq, last.seq.wrapping_add(1), "{number}: no hole");
        }
    }
    room.until(|counters| counters.dropped_payload == 3);
}
