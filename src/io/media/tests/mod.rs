//! The threads with real sockets on loopback: phones that send and listen, and what they hear.

use super::*;
use crate::base::{PlayId, PromptId};
use crate::rtp::command::Stream;
use crate::rtp::packet::{self, Fresh, Header};
use crate::rtp::{Prompt, g711};
use crate::sdp::{Codec, Control, Protection};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, channel};

mod framing;
mod listening;
mod mixing;
mod playing;
mod reports;
mod sealed;
mod tapping;
mod web;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// For what must come, on a machine that has other things to do.
const LONG: Duration = Duration::from_secs(5);
const SHORT: Duration = Duration::from_millis(60);

/// Media threads, and what they noticed.
struct Room {
    media: Media,
    notices: Receiver<Notice>,
    /// What they say of sound.
    sounds: Receiver<Notice>,
}

impl Room {
    fn new(change: impl FnOnce(&mut MediaConfig)) -> Self {
        let ramp = |count: i16| -> Vec<i16> { (0..count).map(|at| at.wrapping_mul(97)).collect() };
        let prompts = PromptLibrary::of([
            ("ramp".into(), Prompt::encode(&ramp(1610))),
            ("short".into(), Prompt::encode(&ramp(200))),
        ]);
        let mut config = MediaConfig::new(Arc::new(prompts));
        change(&mut config);
        let (tell, notices) = channel();
        let (tell_sound, sounds) = channel();
        let media = Media::start(&config, move |notice| {
            if notice == (Notice::Digit { leg: LegId(666), key: '6' }) {
                // Not by `panic!`: to print where it was takes seconds of a busy processor.
                std::panic::resume_unwind(Box::new("a fault on purpose"));
            }
            if notice == (Notice::Digit { leg: LegId(1), key: 'D' }) {
                // A machine that stands still for a while.
                std::thread::park_timeout(Duration::from_millis(250));
            }
            let of_sound = matches!(notice, Notice::Fault { .. } | Notice::Quality { .. });
            let _ = if of_sound { tell_sound.send(notice) } else { tell.send(notice) };
        });
        Self { media: media.unwrap(), notices, sounds }
    }

    fn notice(&self) -> Option<Notice> {
        self.notices.recv_timeout(LONG).ok()
    }

    fn nothing_noticed(&self) -> bool {
        self.notices.recv_timeout(SHORT).is_err()
    }

    /// Waits until the counters are as wanted.
    fn until(&self, wanted: impl Fn(&Counters) -> bool) {
        let end = Instant::now() + LONG;
        while !wanted(&self.media.counters()) {
            assert!(Instant::now() < end, "{:?}", self.media.counters());
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }

    /// A leg with a phone at its other end, in `codec`.
    fn leg(&self, id: u64, codec: Codec) -> Phone {
        let socket = UdpSocket::bind((HERE, 0)).unwrap();
        socket.set_read_timeout(Some(LONG)).unwrap();
        let port = free_port();
        let phone = Phone { leg: LegId(id), socket, codec, ours: (HERE, port).into() };
        self.media.send(Command::Open { leg: phone.leg, ip: HERE, port });
        self.media.send(Command::Stream { leg: phone.leg, stream: phone.stream() });
        self.fence(phone.leg);
        phone
    }

    /// Waits until all commands for `leg` are carried out: a play of nothing is over at once.
    fn fence(&self, leg: LegId) {
        let play = PlayId(u64::MAX);
        self.media.send(Command::Play {
            leg,
            play,
            prompts: Vec::new(),
            looped: false,
            stops_on_key: false,
        });
        assert_eq!(self.notice(), Some(Notice::PlayDone { leg, play }));
    }

    fn play(&self, leg: LegId, prompts: &[&str], looped: bool) {
        let prompts = prompts.iter().map(|name| PromptId::from(*name)).collect();
        let play = PlayId(leg.0);
        self.media.send(Command::Play { leg, play, prompts, looped, stops_on_key: false });
    }
}

fn free_port() -> u16 {
    UdpSocket::bind((HERE, 0)).unwrap().local_addr().unwrap().port()
}

struct Phone {
    leg: LegId,
    socket: UdpSocket,
    codec: Codec,
    ours: SocketAddr,
}

impl Phone {
    fn stream(&self) -> Stream {
        Stream {
            remote: self.socket.local_addr().unwrap(),
            home: Some(HERE),
            codec: self.codec,
            send_pt: self.codec.payload_type(),
            recv_pt: self.codec.payload_type(),
            also: Vec::new(),
            send_event_pt: Some(101),
            recv_event_pt: Some(101),
            event_clock_hz: 8_000,
            ptime_ms: 20,
            ptime_asked: false,
            may_send: true,
            will_receive: true,
            hears_tones: false,
            told_by_info: false,
            protection: Protection::Plain,
            control: Control::Nowhere,
        }
    }

    fn say(&self, payload_type: u8, seq: u16, payload: &[u8]) {
        say_from(&self.socket, self.ours, payload_type, seq, payload);
    }

    /// What has come so far is not listened to.
    fn forget(&self) {
        self.socket.set_nonblocking(true).unwrap();
        while self.socket.recv(&mut [0; 2048]).is_ok() {}
        self.socket.set_nonblocking(false).unwrap();
    }

    /// The next packet; none when none comes in time.
    fn hear(&self) -> Option<(Header, Vec<u8>)> {
        let mut bytes = [0; 2048];
        let length = self.socket.recv(&mut bytes).ok()?;
        let header = packet::read(&bytes[..length]).unwrap();
        let payload = bytes[header.payload.clone()].to_vec();
        Some((header, payload))
    }

    fn hears_nothing(&self) -> bool {
        self.socket.set_read_timeout(Some(SHORT)).unwrap();
        let nothing = self.hear().is_none();
        self.socket.set_read_timeout(Some(LONG)).unwrap();
        nothing
    }
}

fn say_from(socket: &UdpSocket, to: SocketAddr, payload_type: u8, seq: u16, payload: &[u8]) {
    let timestamp = u32::from(seq).wrapping_mul(160);
    // A telephone-event's packets all carry the timestamp of the press.
    let timestamp = if payload_type == 101 { u32::from(seq / 100) * 16_000 } else { timestamp };
    let fresh = Fresh { payload_type, marker: false, seq, timestamp, ssrc: 42 };
    let mut bytes = [0; 600];
    let length = packet::write(&mut bytes, fresh, payload);
    socket.send_to(&bytes[..length], to).unwrap();
}

#[test]
fn a_prompt_is_heard_whole_in_every_codec_and_packet_time() {
    let room = Room::new(|_| {});
    for (id, codec, ptime_ms) in [(1, Codec::Pcmu, 20), (3, Codec::Pcma, 20), (5, Codec::Pcma, 30)]
    {
        let phone = room.leg(id, codec);
        room.media.send(Command::Stream {
            leg: phone.leg,
            stream: Stream { ptime_ms, ..phone.stream() },
        });
        let began = Instant::now();
        room.play(phone.leg, &["ramp", "short"], false);
        let samples = usize::from(ptime_ms) * 8;
        let packets = 1810_usize.div_ceil(samples);
        let (mut heard, mut late_ms) = (Vec::new(), Vec::new());
        let mut first = None;
        for number in 0..packets {
            let (header, sound) = phone.hear().unwrap();
            let due = u128::from(ptime_ms) * number as u128;
            late_ms.push(began.elapsed().as_millis().saturating_sub(due));
            let first = first.get_or_insert_with(|| header.clone());
            let advance = u32::try_from(number * samples).unwrap();
            assert_eq!(header.seq, first.seq.wrapping_add(u16::try_from(number).unwrap()));
            assert_eq!(header.timestamp, first.timestamp.wrapping_add(advance));
            assert_eq!((header.marker, header.ssrc), (number == 0, first.ssrc));
            assert_eq!((header.payload_type, sound.len()), (codec.payload_type(), samples));
            heard.extend(sound);
        }
        let lasted = began.elapsed().as_millis();
        let due = u128::from(ptime_ms) * (packets as u128 - 1);
        assert!(lasted >= due.saturating_sub(2), "too fast: {lasted} ms, {due} due");
        // The one in the middle, so that a test thread that was not woken for a moment is no fault of the pace.
        late_ms.sort_unstable();
        assert!(late_ms[packets / 2] < 60, "late by {late_ms:?} ms");
        let law = g711::law(codec).unwrap();
        let ramp = |count| (0..count).map(|at: i16| g711::encode(law, at.wrapping_mul(97)));
        let said: Vec<u8> = ramp(1610).chain(ramp(200)).collect();
        assert_eq!(&heard[..1810], said, "no gap and nothing changed");
        assert!(heard[1810..].iter().all(|byte| *byte == g711::silence(law)));
        assert_eq!(room.notice(), Some(Notice::PlayDone { leg: phone.leg, play: PlayId(id) }));
    }
    room.until(|counters| counters.plays == 0);
}

#[test]
fn bridged_phones_hear_each_other_as_one_unbroken_stream() {
    for threads in [1, 3] {
        let room = Room::new(|config| config.threads = threads);
        let (caller, agent) = (room.leg(1, Codec::Pcmu), room.leg(2, Codec::Pcma));
        room.play(caller.leg, &["ramp"], true);
        let (prompt, _) = caller.hear().unwrap();
        room.media.send(Command::Bridge { a: caller.leg, b: agent.leg });
        room.until(|counters| counters.bridges == 1 && counters.plays == 0);
        let mut last = prompt;
        caller.socket.set_read_timeout(Some(SHORT)).unwrap();
        while let Some((more, _)) = caller.hear() {
            last = more;
        }
        caller.socket.set_read_timeout(Some(LONG)).unwrap();
        for seq in 0..5_u16 {
            let sound = [u8::try_from(seq).unwrap(); 160];
            caller.say(0, seq, &sound);
            let (header, heard) = agent.hear().unwrap();
            let mut wanted = sound;
            g711::convert(g711::Law::Mu, g711::Law::A, &mut wanted);
            assert_eq!(
                (header.payload_type, header.marker, &heard[..]),
                (8, seq == 0, &wanted[..])
            );
            agent.say(8, 60_000 + seq, &sound);
            let (header, _) = caller.hear().unwrap();
            assert_eq!(
                (header.payload_type, header.ssrc),
                (0, last.ssrc),
                "the prompt's stream goes on"
            );
            assert_eq!(header.seq, last.seq.wrapping_add(1));
            assert!(header.timestamp.wrapping_sub(last.timestamp) < 8000);
            last = header;
        }
        // Hold music covers the talk, and its end uncovers it.
        room.play(caller.leg, &["ramp"], true);
        assert!(caller.hear().unwrap().0.marker);
        agent.say(8, 60_005, &[1; 160]);
        room.until(|counters| counters.dropped_covered == 1);
        room.media.send(Command::Stop { leg: caller.leg });
        room.until(|counters| counters.plays == 0);
        while !caller.hears_nothing() {}
        agent.say(8, 60_006, &[g711::silence(g711::Law::A); 160]);
        assert_eq!(caller.hear().unwrap().1, [0xfe; 160]);
        room.media.send(Command::Unbridge { leg: agent.leg });
        room.until(|counters| counters.bridges == 0);
        agent.say(8, 60_007, &[1; 160]);
        assert!(caller.hears_nothing() && room.nothing_noticed());
        for leg in [caller.leg, agent.leg] {
            room.media.send(Command::Close { leg });
        }
        room.until(|counters| counters.legs == 0);
    }
}

#[test]
fn a_stranger_is_neither_heard_nor_sent_to() {
    let room = Room::new(|_| {});
    let (caller, agent) = (room.leg(1, Codec::Pcmu), room.leg(2, Codec::Pcmu));
    let stranger = UdpSocket::bind((HERE, 0)).unwrap();
    stranger.set_read_timeout(Some(SHORT)).unwrap();
    room.media.send(Command::Bridge { a: caller.leg, b: agent.leg });
    room.fence(caller.leg);
    // Before the phone has spoken, less than it takes to be believed.
    (0..4).for_each(|seq| say_from(&stranger, caller.ours, 0, seq, &[66; 160]));
    caller.say(0, 0, &[1; 160]);
    assert_eq!(agent.hear().unwrap().1, [1; 160]);
    // After it, as much as it likes; also with the phone's own stream number.
    (0..50).for_each(|seq| say_from(&stranger, caller.ours, 0, seq, &[66; 160]));
    caller.say(0, 1, &[2; 160]);
    agent.say(0, 0, &[3; 160]);
    assert_eq!(agent.hear().unwrap().1, [2; 160]);
    assert!(agent.hears_nothing());
    assert_eq!(caller.hear().unwrap().1, [3; 160]);
    assert!(stranger.recv(&mut [0; 100]).is_err());
    // A re-INVITE with the same address does not open the lock, one with another address does.
    room.media.send(Command::Stream { leg: caller.leg, stream: caller.stream() });
    room.fence(caller.leg);
    say_from(&stranger, caller.ours, 0, 60, &[66; 160]);
    assert!(agent.hears_nothing());
    let remote = stranger.local_addr().unwrap();
    room.media
        .send(Command::Stream { leg: caller.leg, stream: Stream { remote, ..caller.stream() } });
    room.fence(caller.leg);
    agent.say(0, 1, &[4; 160]);
    assert!(stranger.recv(&mut [0; 200]).is_ok());
    say_from(&stranger, caller.ours, 0, 61, &[5; 160]);
    assert_eq!(agent.hear().unwrap().1, [5; 160]);
    caller.say(0, 2, &[66; 160]);
    assert!(agent.hears_nothing() && caller.hears_nothing());
}

#[test]
fn a_phone_behind_nat_is_found_unless_that_is_forbidden() {
    use crate::rtp::LearnSource::{Anywhere, Never, Signalling};
    let elsewhere: IpAddr = [192, 0, 2, 1].into();
    for (mode, home, learn) in [
        (Signalling, Some(HERE), true),
        (Signalling, Some(elsewhere), false),
        (Signalling, None, false),
        (Anywhere, Some(elsewhere), true),
        (Never, Some(HERE), false),
    ] {
        let room = Room::new(|config| config.learn_source = mode);
        let (caller, agent) = (room.leg(1, Codec::Pcmu), room.leg(2, Codec::Pcmu));
        // The SDP says an address from inside; nothing ever comes from there.
        let inside = UdpSocket::bind((HERE, 0)).unwrap();
        let remote = inside.local_addr().unwrap();
        room.media.send(Command::Stream {
            leg: caller.leg,
            stream: Stream { remote, home, ..caller.stream() },
        });
        room.media.send(Command::Bridge { a: caller.leg, b: agent.leg });
        room.fence(caller.leg);
        (0..7).for_each(|seq| caller.say(0, seq, &[7; 160]));
        let heard = (0..7).map_while(|_| (!agent.hears_nothing()).then_some(())).count();
        assert_eq!(heard, if learn { 3 } else { 0 });
        agent.say(0, 0, &[8; 160]);
        assert_eq!(caller.hears_nothing(), !learn);
    }
}

#[test]
fn a_key_is_noticed_once_and_passed_on() {
    let room = Room::new(|_| {});
    let (caller, agent) = (room.leg(1, Codec::Pcmu), room.leg(2, Codec::Pcma));
    let stream = Stream { send_event_pt: Some(96), recv_event_pt: Some(96), ..agent.stream() };
    room.media.send(Command::Stream { leg: agent.leg, stream: stream.clone() });
    // Presses 5, 5 and #; of each only some packets arrive.
    let press = |seq: u16, key: u8| {
        for (number, ended) in [(1_u16, 0_u8), (3, 0), (9, 0x80)] {
            caller.say(101, seq + number, &[key, ended | 0x0a, 0, 160]);
        }
    };
    for (seq, key) in [(100, 5), (200, 5), (300, 11)] {
        press(seq, key);
    }
    for key in ['5', '5', '#'] {
        assert_eq!(room.notice(), Some(Notice::Digit { leg: caller.leg, key }));
    }
    room.until(|counters| counters.packets_received == 9);
    room.media.send(Command::Bridge { a: caller.leg, b: agent.leg });
    room.fence(caller.leg);
    press(400, 1);
    assert_eq!(room.notice(), Some(Notice::Digit { leg: caller.leg, key: '1' }));
    for _ in 0..3 {
        let (header, payload) = agent.hear().unwrap();
        assert_eq!((header.payload_type, payload[0]), (96, 1));
    }
    // A phone that takes no keys sees no hole where they were.
    room.media
        .send(Command::Stream { leg: agent.leg, stream: Stream { send_event_pt: None, ..stream } });
    room.fence(agent.leg);
    caller.say(0, 500, &[1; 160]);
    let before = agent.hear().unwrap().0.seq;
    caller.say(101, 501, &[2, 0x8a, 0, 160]);
    caller.say(0, 502, &[1; 160]);
    assert_eq!(agent.hear().unwrap().0.seq, before.wrapping_add(1));
    assert_eq!(room.notice(), Some(Notice::Digit { leg: caller.leg, key: '2' }));
}

#[test]
fn silence_and_its_end_are_noticed_once() {
    let room = Room::new(|config| config.silence_after = Duration::from_millis(100));
    let phone = room.leg(1, Codec::Pcmu);
    let held = room.leg(3, Codec::Pcmu);
    room.media.send(Command::Stream {
        leg: held.leg,
        stream: Stream { will_receive: false, ..held.stream() },
    });
    assert_eq!(room.notice(), Some(Notice::Silent { leg: phone.leg }));
    phone.say(0, 0, &[1; 160]);
    assert_eq!(room.notice(), Some(Notice::Heard { leg: phone.leg }));
    assert_eq!(room.notice(), Some(Notice::Silent { leg: phone.leg }));
    assert!(room.notices.recv_timeout(Duration::from_millis(700)).is_err());
}

#[test]
fn after_a_stall_nobody_hears_the_past() {
    let room = Room::new(|_| {});
    let (caller, agent) = (room.leg(1, Codec::Pcmu), room.leg(2, Codec::Pcmu));
    room.media.send(Command::Bridge { a: caller.leg, b: agent.leg });
    room.fence(agent.leg);
    room.play(agent.leg, &["ramp"], true);
    agent.hear().unwrap();
    caller.say(101, 100, &[15, 10, 0, 160]);
    std::thread::park_timeout(Duration::from_millis(50));
    (200..210).for_each(|seq| caller.say(0, seq, &[1; 160]));
    caller.say(101, 300, &[7, 10, 0, 160]);
    assert_eq!(room.notice(), Some(Notice::Digit { leg: caller.leg, key: 'D' }));
    // A key counts however late it comes.
    assert_eq!(room.notice(), Some(Notice::Digit { leg: caller.leg, key: '7' }));
    room.until(|counters| counters.stalls == 1);
    // The prompt goes on from where it stood, at its pace and not in a burst.
    let backlog =
        (0..20).take_while(|_| agent.hear().is_some_and(|(header, _)| !header.marker)).count();
    assert!(backlog < 4, "{backlog}");
    room.media.send(Command::Stop { leg: agent.leg });
    room.until(|counters| counters.plays == 0);
    while !agent.hears_nothing() {}
    caller.say(0, 301, &[2; 160]);
    assert_eq!(agent.hear().unwrap().1, [2; 160]);
    let counters = room.media.counters();
    assert!(counters.dropped_stale >= 5 && counters.dropped_covered <= 1, "{counters:?}");
}

#[test]
fn what_goes_wrong_costs_nobody_else() {
    let room = Room::new(|_| {});
    // Commands for legs that are not there, and plays of nothing.
    for command in [
        Command::Close { leg: LegId(99) },
        Command::Stop { leg: LegId(99) },
        Command::Unbridge { leg: LegId(99) },
        Command::Bridge { a: LegId(99), b: LegId(98) },
    ] {
        room.media.send(command);
    }
    let (caller, agent) = (room.leg(1, Codec::Pcmu), room.leg(2, Codec::Pcmu));
    room.media.send(Command::Bridge { a: caller.leg, b: caller.leg });
    room.play(caller.leg, &["unheard-of"], false);
    assert_eq!(room.notice(), Some(Notice::PlayDone { leg: caller.leg, play: PlayId(1) }));
    // A port that is taken.
    let taken = caller.ours.port();
    room.media.send(Command::Open { leg: LegId(7), ip: HERE, port: taken });
    assert_eq!(room.notice(), Some(Notice::OpenFailed { leg: LegId(7), port: taken }));
    // A phone whose port is closed while it hears a prompt.
    let gone = room.leg(5, Codec::Pcmu);
    gone.say(0, 0, &[1; 160]);
    room.play(gone.leg, &["ramp"], true);
    gone.hear().unwrap();
    drop(gone.socket);
    room.until(|counters| counters.unreachable > 0);
    // A fault of our own, on purpose.
    let fault = room.leg(666, Codec::Pcmu);
    fault.say(101, 100, &[6, 10, 0, 160]);
    let port = fault.ours.port();
    assert_eq!(room.notice(), Some(Notice::OpenFailed { leg: fault.leg, port }));
    // Garbage from the phone's own address.
    let mut rng = Rng::from_number(4);
    for length in (0..1600).step_by(7) {
        let mut bytes: Vec<u8> =
            (0..length).map(|_| u8::try_from(rng.below(256)).unwrap()).collect();
        if let (Some(first), true) = (bytes.first_mut(), rng.below(2) == 0) {
            *first = 0x80 | (*first & 0x3f);
        }
        caller.socket.send_to(&bytes, caller.ours).unwrap();
    }
    std::thread::park_timeout(Duration::from_millis(20));
    room.media.send(Command::Bridge { a: caller.leg, b: agent.leg });
    room.until(|counters| {
        counters.bridges == 1 && counters.faults == 1 && counters.open_failed == 1
    });
    caller.say(0, 30_000, &[9; 160]);
    agent.say(0, 0, &[8; 160]);
    assert_eq!(caller.hear().unwrap().1, [8; 160]);
    while agent.hear().unwrap().1 != [9; 160] {}
    assert!(room.media.healthy());
    // A port can be had again at once.
    room.media.send(Command::Close { leg: caller.leg });
    room.media.send(Command::Open { leg: LegId(9), ip: HERE, port: taken });
    room.media.send(Command::Close { leg: LegId(9) });
    for leg in [agent.leg, gone.leg] {
        room.media.send(Command::Close { leg });
    }
    room.until(|counters| (counters.legs, counters.bridges, counters.plays) == (0, 0, 0));
    assert_eq!(room.media.counters().open_failed, 1);
}

#[test]
fn legs_move_between_threads_in_any_order() {
    let room = Room::new(|config| config.threads = 4);
    let phones: Vec<Phone> = (1..=12).map(|id| room.leg(id, Codec::Pcmu)).collect();
    let mut rng = Rng::from_number(11);
    let mut pick = || &phones[usize::try_from(rng.below(12)).unwrap()];
    for _ in 0..3000 {
        let (a, b) = (pick().leg, pick().leg);
        room.media.send(Command::Bridge { a, b });
        room.play(pick().leg, &["ramp"], true);
        room.media.send(Command::Unbridge { leg: pick().leg });
    }
    for pair in phones.chunks(2) {
        room.media.send(Command::Bridge { a: pair[0].leg, b: pair[1].leg });
    }
    room.until(|counters| (counters.legs, counters.bridges, counters.plays) == (12, 6, 0));
    for (number, pair) in (0..).zip(phones.chunks(2)) {
        for (one, other) in [(&pair[0], &pair[1]), (&pair[1], &pair[0])] {
            one.say(0, 0, &[number; 77]);
            while other.hear().unwrap().1 != [number; 77] {}
        }
    }
    assert!(room.media.healthy() && room.nothing_noticed());
    for phone in &phones {
        room.media.send(Command::Close { leg: phone.leg });
    }
    room.until(|counters| counters.legs == 0);
}

#[test]
fn a_key_that_is_down_while_its_leg_moves_is_let_go() {
    let room = Room::new(|config| config.threads = 2);
    let (caller, agent) = (room.leg(1, Codec::Pcmu), room.leg(2, Codec::Pcmu));
    let press = |key| room.media.send(Command::Press { leg: agent.leg, key });
    // The packets of a key till it is let go: `event` and the end bit (RFC 4733 §2.3).
    let let_go = |event: u8| {
        std::iter::from_fn(|| agent.hear())
            .any(|(header, key)| header.payload_type == 101 && key[..2] == [event, 0x80 | 10])
    };
    press('5');
    assert_eq!(agent.hear().map(|(header, _)| header.payload_type), Some(101), "it is down");
    room.media.send(Command::Bridge { a: caller.leg, b: agent.leg });
    press('6');
    assert!(let_go(5) && let_go(6));
}
