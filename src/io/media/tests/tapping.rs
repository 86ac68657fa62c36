//! What is copied for the recorder: what the two sides could hear of each other, and nothing else.

use super::*;
use crate::base::TapId;
use crate::recording::packet::{HEAD_BYTES, Head};
use crate::recording::timeline::Side;
use rtrb::Consumer;

const TAP: TapId = TapId(77);

/// A caller and an agent who hear each other, the caller's leg tapped.
fn talk(room: &Room, codecs: [Codec; 2]) -> (Phone, Phone) {
    let (caller, agent) = (room.leg(1, codecs[0]), room.leg(2, codecs[1]));
    room.media.send(Command::Bridge { a: caller.leg, b: agent.leg });
    room.media.send(Command::Tap { leg: caller.leg, tap: Some(TAP) });
    room.fence_bridged();
    (caller, agent)
}

impl Room {
    /// Waits until all commands so far are carried out.
    fn fence_bridged(&self) {
        let other = LegId(9_999);
        self.media.send(Command::Open { leg: other, ip: HERE, port: free_port() });
        self.fence(other);
        self.media.send(Command::Close { leg: other });
    }
}

fn next(ring: &mut Consumer<u8>) -> Option<(Head, Vec<u8>)> {
    let mut head = [0; HEAD_BYTES];
    ring.pop_entire_slice(&mut head).ok()?;
    let head = Head::read(&head).unwrap();
    let mut payload = vec![0; usize::from(head.payload)];
    ring.pop_entire_slice(&mut payload).unwrap();
    Some((head, payload))
}

#[test]
fn what_two_say_to_each_other_is_copied_and_what_a_hold_covers_is_not() {
    let room = Room::new(|config| config.tap_bytes = 1 << 16);
    let mut ring = room.media.rings().pop().unwrap();
    let (caller, agent) = talk(&room, [Codec::Pcmu, Codec::Pcma]);
    caller.say(0, 1, &[0x11; 160]);
    let (_, heard) = agent.hear().unwrap();
    agent.say(8, 50, &[0x22; 160]);
    caller.hear().unwrap();
    // Each side in the law of who hears it.
    let (head, payload) = next(&mut ring).unwrap();
    assert_eq!((head.tap, head.side, head.codec), (TAP, Side::Caller, Codec::Pcma));
    assert_eq!((head.ssrc, head.timestamp, payload), (42, 160, heard));
    let (head, payload) = next(&mut ring).unwrap();
    assert_eq!((head.side, head.codec, head.timestamp), (Side::Desk, Codec::Pcmu, 8000));
    assert_eq!(payload.len(), 160);

    // The agent holds: music covers the caller, and the agent's phone listens no more.
    room.play(caller.leg, &["ramp"], true);
    let stream = Stream { may_send: false, ..agent.stream() };
    room.media.send(Command::Stream { leg: agent.leg, stream });
    room.fence_bridged();
    caller.say(0, 2, &[0x33; 160]);
    agent.say(8, 51, &[0x44; 160]);
    room.until(|counters| counters.dropped_covered == 2);
    assert_eq!(next(&mut ring), None);

    // Taken back, and with another agent: the tap is the caller's.
    let other = room.leg(4, Codec::Pcmu);
    room.media.send(Command::Bridge { a: caller.leg, b: other.leg });
    room.fence_bridged();
    // Phones of this room share a number (SSRC): a later packet, whatever the music has said by now.
    other.say(0, 90, &[0x55; 160]);
    room.until(|counters| counters.packets_tapped == 3);
    assert_eq!(next(&mut ring).unwrap().0.side, Side::Desk);
    // Keys are no sound.
    caller.say(101, 100, &[5, 0x80, 1, 0x40]);
    assert_eq!(room.notice(), Some(Notice::Digit { leg: caller.leg, key: '5' }));
    room.media.send(Command::Tap { leg: caller.leg, tap: None });
    room.fence_bridged();
    // Of both talks, and the key; it is told before it is counted.
    room.until(|counters| counters.packets_relayed == 4);
    caller.say(0, 101, &[0x11; 160]);
    room.until(|counters| counters.packets_relayed == 5);
    assert_eq!(next(&mut ring), None);
}

#[test]
fn legs_that_share_no_codec_are_copied_as_they_speak() {
    let room = Room::new(|config| config.tap_bytes = 1 << 16);
    let mut ring = room.media.rings().pop().unwrap();
    let (caller, agent) = talk(&room, [Codec::Pcmu, Codec::G722]);
    caller.say(0, 1, &[0x11; 160]);
    agent.say(9, 1, &[0x22; 160]);
    room.until(|counters| counters.packets_tapped == 2);
    let mut sides = [next(&mut ring).unwrap().0, next(&mut ring).unwrap().0];
    sides.sort_by_key(|head| head.side == Side::Desk);
    assert_eq!(sides.map(|head| head.codec), [Codec::Pcmu, Codec::G722]);
}

#[test]
fn a_recorder_that_sleeps_costs_the_copy_and_not_the_packet() {
    let room = Room::new(|config| config.tap_bytes = 2 * (HEAD_BYTES + 160));
    let mut ring = room.media.rings().pop().unwrap();
    let (caller, agent) = talk(&room, [Codec::Pcmu, Codec::Pcmu]);
    for seq in 1..=5 {
        caller.say(0, seq, &[0x11; 160]);
        agent.hear().unwrap();
    }
    room.until(|counters| (counters.packets_tapped, counters.dropped_untapped) == (2, 3));
    assert!(next(&mut ring).is_some() && next(&mut ring).is_some());
    caller.say(0, 6, &[0x11; 160]);
    agent.hear().unwrap();
    assert_eq!(next(&mut ring).unwrap().0.dropped, 3, "it is told how many are missing");
}
