//! Keys of phones that tell them by nothing but their tones.

use super::*;
use crate::rtp::tone::{Country, render_key};
use crate::rtp::voice::{Band, Encoder, ToneReader};

/// A phone whose keys are heard in its sound.
struct Pad<'a> {
    phone: &'a Phone,
    encoder: Encoder,
    seq: u16,
}

impl<'a> Pad<'a> {
    fn new(room: &Room, phone: &'a Phone, has_events: bool) -> Self {
        let events = has_events.then_some(101);
        room.media.send(Command::Stream {
            leg: phone.leg,
            stream: Stream {
                hears_tones: true,
                recv_event_pt: events,
                send_event_pt: events,
                ..phone.stream()
            },
        });
        room.fence(phone.leg);
        Self { phone, encoder: Encoder::new(phone.codec, Band::Narrow).unwrap(), seq: 0 }
    }

    /// Says this, packet by packet, a little faster than it lasts; after a while of silence.
    fn say(&mut self, sound: &[i16]) {
        for sound in [&[0; 1600], sound].concat().chunks_exact(160) {
            let mut payload = [0; 400];
            let bytes = self.encoder.encode(sound, &mut payload).unwrap();
            self.phone.say(self.phone.codec.payload_type(), self.seq, &payload[..bytes]);
            self.seq += 1;
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }
}

/// The keys that a leg is said to have pressed: as many as are due are waited for, on however busy a machine; then it is
/// listened for one more that nobody pressed.
fn told(room: &Room, leg: LegId, due: usize) -> String {
    let mut keys = String::new();
    let patience = |keys: &str| if keys.len() < due { 10_000 } else { 100 };
    while let Ok(notice) = room.notices.recv_timeout(Duration::from_millis(patience(&keys))) {
        let Notice::Digit { leg: by, key } = notice else { panic!("{notice:?}") };
        assert_eq!(by, leg);
        keys.push(key);
    }
    keys
}

#[test]
fn keys_that_are_only_sounded_are_told_once_each_in_every_codec() {
    let room = Room::new(|_| {});
    for (id, codec) in [(1, Codec::Pcmu), (3, Codec::Pcma), (5, Codec::G722), (7, Codec::Opus)] {
        let phone = room.leg(id, codec);
        let mut pad = Pad::new(&room, &phone, false);
        for key in "0123456789*#ABC".chars() {
            pad.say(&render_key(key));
        }
        assert_eq!(told(&room, phone.leg, 15), "0123456789*#ABC", "{codec:?}");
        room.media.send(Command::Stream { leg: phone.leg, stream: phone.stream() });
        room.fence(phone.leg);
        pad.say(&render_key('1'));
        assert_eq!(told(&room, phone.leg, 0), "", "only where it is wanted");
    }
}

#[test]
fn a_key_that_is_sounded_and_told_by_an_event_is_one_key() {
    let room = Room::new(|_| {});
    for (id, event_first) in [(1, true), (3, false)] {
        let phone = room.leg(id, Codec::Pcmu);
        let mut pad = Pad::new(&room, &phone, true);
        for (number, key) in (1..).zip([5_u8, 6, 6]) {
            let tones = render_key(char::from(b'0' + key));
            if event_first {
                phone.say(101, number * 100, &[key, 0x0a, 0, 160]);
                pad.say(&tones);
            } else {
                pad.say(&tones);
                phone.say(101, number * 100, &[key, 0x0a, 0, 160]);
            }
        }
        assert_eq!(told(&room, phone.leg, 3), "566", "the event first: {event_first}");
    }
}

#[test]
fn a_sounded_key_stops_the_greeting_too() {
    let room = Room::new(|_| {});
    let phone = room.leg(1, Codec::Pcmu);
    let mut pad = Pad::new(&room, &phone, false);
    let (play, prompts) = (PlayId(7), vec![PromptId::from("ramp")]);
    let leg = phone.leg;
    room.media.send(Command::Play { leg, play, prompts, looped: true, stops_on_key: true });
    assert!(phone.hear().is_some());
    pad.say(&render_key('3'));
    assert_eq!(told(&room, phone.leg, 1), "3");
    room.until(|counters| counters.plays == 0);
}

#[test]
fn a_phone_that_is_told_by_info_hears_no_key_in_its_sound() {
    let room = Room::new(|_| {});
    let (caller, agent) = (room.leg(1, Codec::Pcmu), room.leg(2, Codec::Pcmu));
    let stream = Stream { told_by_info: true, ..agent.stream() };
    room.media.send(Command::Stream { leg: agent.leg, stream });
    room.media.send(Command::Bridge { a: caller.leg, b: agent.leg });
    room.media.send(Command::Press { leg: agent.leg, key: '4' });
    room.fence(agent.leg);
    caller.say(0, 99, &[1; 160]);
    let before = agent.hear().unwrap().0;
    caller.say(101, 100, &[5, 0x0a, 0, 160]);
    assert_eq!(room.notice(), Some(Notice::Digit { leg: caller.leg, key: '5' }));
    caller.say(0, 101, &[1; 160]);
    let (after, _) = agent.hear().unwrap();
    assert_eq!((after.payload_type, after.seq), (0, before.seq.wrapping_add(1)), "nor a hole");
}

/// Voices and music of more than half an hour: the announcements that come with the program, slower and
/// faster, softer and louder.
#[test]
fn no_voice_and_no_music_presses_a_key() {
    let library = PromptLibrary::load(None, Country::Jp).unwrap();
    let spoken = |name: &PromptId| !name.as_str().ends_with("tone") && name.as_str() != "ringback";
    let names: Vec<PromptId> = library.names().into_iter().filter(spoken).collect();
    let (mut samples, mut keys) = (0, Vec::new());
    for speed in [80, 85, 90, 95, 100, 105, 110, 115, 120, 125] {
        for name in &names {
            let bytes = library.get(name).unwrap().bytes(Codec::Pcmu).unwrap();
            let mut reader = ToneReader::default();
            let mut packet = Vec::with_capacity(160);
            let mut at = 0;
            while let Some([one, other]) = bytes.get(at / 100..at / 100 + 2) {
                let (one, other) =
                    (g711::decode(g711::Law::Mu, *one), g711::decode(g711::Law::Mu, *other));
                let share = i32::try_from(at % 100).unwrap();
                let between = (i32::from(one) * (100 - share) + i32::from(other) * share) / 100;
                let louder = if speed % 2 == 0 { between * 3 / 2 } else { between };
                packet.push(i16::try_from(louder.clamp(-32_000, 32_000)).unwrap());
                if packet.len() == 160 {
                    keys.extend(reader.hear(&packet).map(|key| (name.clone(), speed, key)));
                    packet.clear();
                    samples += 160;
                }
                at += speed;
            }
        }
    }
    assert!(samples >= 31 * 60 * 8000, "{} s", samples / 8000);
    assert!(keys.len() <= 1, "{keys:?}");
}
