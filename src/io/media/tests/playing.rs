//! What the desk says, as it begins, stops and goes on.

use super::*;

fn begin(room: &Room, leg: LegId, prompt: &str, looped: bool, stops_on_key: bool) {
    let (play, prompts) = (PlayId(leg.0), vec![PromptId::from(prompt)]);
    room.media.send(Command::Play { leg, play, prompts, looped, stops_on_key });
}

/// A prompt of 10 s, each 20 ms of it with a sound of their own.
fn long() -> Vec<i16> {
    (0..80_000_i32)
        .map(|at| {
            let step = at / 160 * 37 % 300 + 100;
            i16::try_from(at % 160 * step % 16_000 - 8_000).unwrap()
        })
        .collect()
}

fn room() -> Room {
    Room::new(|config| {
        config.prompts = Arc::new(PromptLibrary::of([
            ("long".into(), Prompt::encode(&long())),
            ("short".into(), Prompt::encode(&[3_000; 800])),
        ]));
    })
}

#[test]
fn a_key_stops_the_greeting_within_50_ms_though_nobody_else_has_heard_of_it() {
    let room = room();
    // By a key in the sound, and by one that the engine passes on without waiting.
    for (id, in_sound, ptime_ms) in [(1, true, 20), (3, false, 20), (5, true, 60)] {
        let mut last_ms = Vec::new();
        let phone = room.leg(id, Codec::Pcmu);
        let stream = Stream { ptime_ms, ..phone.stream() };
        room.media.send(Command::Stream { leg: phone.leg, stream });
        for press in 0..5_u16 {
            begin(&room, phone.leg, "long", true, true);
            (0..3).for_each(|_| assert!(phone.hear().is_some()));
            let pressed = Instant::now();
            if in_sound {
                phone.say(101, 100 + press * 100, &[5, 0x0a, 0, 160]);
                let told = Notice::Digit { leg: phone.leg, key: '5' };
                assert_eq!(room.notice(), Some(told));
            } else {
                room.media.send(Command::Keyed { leg: phone.leg });
            }
            let mut last = Duration::ZERO;
            phone.socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
            while phone.hear().is_some() {
                last = pressed.elapsed();
            }
            phone.socket.set_read_timeout(Some(LONG)).unwrap();
            last_ms.push(last.as_millis());
        }
        // The one in the middle, for the sake of a test thread that is not woken at once.
        last_ms.sort_unstable();
        assert!(last_ms[2] <= 50, "the last packet came {last_ms:?} ms after the key");
        assert!(room.nothing_noticed(), "the end is told by the key alone");
    }
    room.until(|counters| counters.plays == 0);
}

#[test]
fn a_key_that_nobody_asked_for_stops_no_music() {
    let room = room();
    let phone = room.leg(1, Codec::Pcmu);
    begin(&room, phone.leg, "long", true, false);
    phone.hear().unwrap();
    phone.say(101, 100, &[5, 0x0a, 0, 160]);
    assert_eq!(room.notice(), Some(Notice::Digit { leg: phone.leg, key: '5' }));
    (0..10).for_each(|_| assert!(!phone.hear().unwrap().0.marker));
    assert_eq!(room.media.counters().plays, 1);
}

#[test]
fn after_an_announcement_the_music_goes_on_where_it_was_and_nothing_clicks_or_drifts() {
    let room = room();
    let phone = room.leg(1, Codec::Pcma);
    let music = {
        let law = |sample: &i16| g711::encode(g711::Law::A, *sample);
        long().iter().map(law).collect::<Vec<u8>>()
    };
    let place = |sound: &[u8]| music.chunks(160).position(|piece| piece == sound);
    let loud = |byte: &u8| g711::decode(g711::Law::A, *byte).unsigned_abs();
    let began = Instant::now();
    let (mut first, mut last, mut at) = (None, 0_u32, None);
    for round in 0..5 {
        begin(&room, phone.leg, "long", true, false);
        for number in 0..8 {
            let (header, sound) = phone.hear().unwrap();
            let first = *first.get_or_insert(header.timestamp);
            last = header.timestamp.wrapping_sub(first);
            let found = place(&sound);
            if round > 0 && number == 0 {
                assert!(loud(&sound[1]) < 700 && found.is_none(), "it swells");
            } else {
                let due = at.map(|at: usize| at + 1 + usize::from(round > 0 && number == 1));
                assert!(found.is_some() && (due.is_none() || found == due), "{found:?} {due:?}");
                at = found;
            }
        }
        begin(&room, phone.leg, "short", false, false);
        let mut announced = 0;
        loop {
            let sound = phone.hear().unwrap().1;
            match place(&sound) {
                Some(found) => at = Some(found),
                None if sound[100] == sound[101] => announced += 1,
                None => assert!(announced == 0 && loud(&sound[159]) < 700, "it fades"),
            }
            if announced == 5 {
                break;
            }
        }
        assert_eq!(room.notice(), Some(Notice::PlayDone { leg: phone.leg, play: PlayId(1) }));
    }
    // 13 or 14 packets a round; the clock of the packets is that of the wall.
    let (by_wall, by_stamp) = (began.elapsed().as_millis(), u128::from(last) / 8);
    assert!(by_stamp <= by_wall && by_wall - by_stamp < 300, "{by_stamp} ms in {by_wall} ms");
}

#[test]
fn the_first_phone_in_a_codec_hears_its_prompt_whole_and_what_nobody_speaks_is_never_made() {
    for (codec, other) in [(Codec::Opus, Codec::G722), (Codec::G722, Codec::Opus)] {
        let library = Arc::new(PromptLibrary::of([
            ("long".into(), Prompt::encode(&long())),
            ("short".into(), Prompt::encode(&[3_000; 800])),
            ("unnamed".into(), Prompt::encode(&[3_000; 800])),
        ]));
        let room = Room::new(|config| {
            config.prompts = Arc::clone(&library);
            config.wanted = ["long".into(), "short".into()].into();
        });
        let is_made = |name: &str, codec| library.get(&name.into()).unwrap().is_made(codec);
        let narrow = room.leg(1, Codec::Pcmu);
        begin(&room, narrow.leg, "short", false, false);
        assert_eq!(room.notice(), Some(Notice::PlayDone { leg: narrow.leg, play: PlayId(1) }));
        assert!(!is_made("short", codec) && !is_made("long", codec), "nobody has asked for it");
        let phone = room.leg(3, codec);
        begin(&room, phone.leg, "short", false, false);
        // 100 ms, in G.722 behind as long a rest.
        let packets = if codec == Codec::G722 { 10 } else { 5 };
        (0..packets).for_each(|at| assert!(phone.hear().is_some(), "{codec:?} {at}"));
        assert_eq!(room.notice(), Some(Notice::PlayDone { leg: phone.leg, play: PlayId(3) }));
        let end = Instant::now() + LONG;
        while !is_made("long", codec) {
            assert!(Instant::now() < end, "what the plan names is made by itself");
            std::thread::park_timeout(Duration::from_millis(2));
        }
        assert!(!is_made("unnamed", codec), "no plan names it");
        assert!(!is_made("short", other) && !is_made("long", other), "no phone speaks it");
    }
}
