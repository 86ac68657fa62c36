//! What the media threads say of sound, and what of it becomes history.

use super::*;
use crate::event::{SoundEvent, SoundFault};
use crate::rtp::quality::{Fault, Quality, Sums};
use crate::sdp::Codec;

/// The legs of the caller and of the agent, once joined.
fn joined(room: &Room) -> (LegId, LegId) {
    let pair = room.media.iter().rev().find_map(|command| match command {
        Media::Bridge { a, b } => Some((*a, *b)),
        _ => None,
    });
    pair.expect("they are joined")
}

fn fault(leg: LegId, on: bool) -> Input {
    Input::Media(Notice::Fault { leg, fault: Fault::OneWay, on })
}

fn last_word(leg: LegId) -> Input {
    let quality = Quality {
        codec: Codec::Pcmu,
        sent: 100,
        sums: Sums { due: 100, received: 99, ..Sums::default() },
        jitter_us: 0,
        jitter_mean_us: 0,
        jitter_max_us: 0,
        longest_gap_ms: 20,
        round_trip_ms: None,
        far: None,
        mos: Some(436),
        worst_mos: Some(436),
    };
    Input::Media(Notice::Quality { leg, quality: Box::new(quality), last: true })
}

/// Side, phone, kind, and how long or how many, of what was told of sound.
fn told(room: &Room) -> Vec<(Party, Option<String>, &'static str, u64)> {
    let rows = room.sounds.iter().map(|(side, phone, event)| {
        let (kind, number) = match event {
            SoundEvent::FaultNoticed { fault: SoundFault::OneWay } => ("noticed", 0),
            SoundEvent::FaultEnded { fault: SoundFault::OneWay, for_ms } => ("ended", *for_ms),
            SoundEvent::Measured { last: true, due, .. } => ("measured", *due),
            other => panic!("{other:?}"),
        };
        (*side, phone.as_ref().map(|phone| phone.0.to_string()), kind, number)
    });
    rows.collect()
}

#[test]
fn a_fault_of_a_talk_is_told_with_its_leg_and_its_length() {
    let mut room = talking();
    let (caller, agent) = joined(&room);
    room.input(fault(caller, true));
    room.input(fault(caller, true));
    room.pass(1_500);
    room.input(fault(caller, false));
    room.input(fault(caller, false));
    room.input(fault(agent, true));
    let phone = Some("2001".to_owned());
    let want = [
        (Party::Caller, None, "noticed", 0),
        (Party::Caller, None, "ended", 1_500),
        (Party::Agent, phone, "noticed", 0),
    ];
    assert_eq!(told(&room), want);
}

#[test]
fn what_comes_before_the_answer_is_no_fault_of_a_talk() {
    let mut room = Room::new(true, 20_999);
    room.calls("one", "INVITE", 1, &sdp("192.0.2.7", 4000, "sendrecv"));
    room.calls("one", "ACK", 1, "");
    room.input(fault(LegId(1), true));
    room.input(fault(LegId(1), false));
    assert_eq!(told(&room), []);
}

#[test]
fn the_last_word_on_a_leg_finds_its_call_after_that_is_over() {
    let mut room = talking();
    let (caller, agent) = joined(&room);
    room.input(fault(caller, true));
    room.pass(700);
    room.calls("one", "BYE", 2, "");
    assert_eq!(room.ended().len(), 1);
    for leg in [caller, agent] {
        room.input(last_word(leg));
        room.input(last_word(leg)); // said twice, it counts once
    }
    let phone = Some("2001".to_owned());
    let want = [
        (Party::Caller, None, "noticed", 0),
        (Party::Caller, None, "ended", 700),
        (Party::Caller, None, "measured", 100),
        (Party::Agent, phone, "measured", 100),
    ];
    assert_eq!(told(&room), want);
    let calls: std::collections::BTreeSet<_> = room.sound_calls.iter().collect();
    assert_eq!(calls.len(), 1, "all of one call");
}
