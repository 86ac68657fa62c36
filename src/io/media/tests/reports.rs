//! What legs report and are reported (RTCP), and what is noticed of their sound.

use super::sealed::SealedPhone;
use super::*;
use crate::base::Rng;
use crate::rtp::quality::{Fault, Quality};
use crate::rtp::rtcp::{self, Block, Item, Name, Ntp, Report, Sender};
use crate::srtp::Suite;

/// Longer than any interval may last.
const REPORTED: Duration = Duration::from_secs(9);

/// A phone with a port for control packets.
struct Reporter {
    phone: Phone,
    control: UdpSocket,
    /// Where the desk's control packets come from.
    theirs: SocketAddr,
}

impl Reporter {
    fn new(room: &Room, id: u64) -> Self {
        let phone = room.leg(id, Codec::Pcmu);
        let control = UdpSocket::bind((HERE, 0)).unwrap();
        control.set_read_timeout(Some(REPORTED)).unwrap();
        let theirs = SocketAddr::new(HERE, phone.ours.port() + 1);
        let it = Self { phone, control, theirs };
        it.agree(room, Control::Apart(it.control.local_addr().unwrap()));
        it
    }

    fn agree(&self, room: &Room, control: Control) {
        let stream = Stream { control, ..self.phone.stream() };
        room.media.send(Command::Stream { leg: self.phone.leg, stream });
        room.fence(self.phone.leg);
    }
}

fn heard(socket: &UdpSocket) -> Vec<Item> {
    let mut bytes = [0; 600];
    let (length, _) = socket.recv_from(&mut bytes).expect("a report");
    rtcp::read(&bytes[..length]).unwrap().collect()
}

fn written(report: &Report<'_>) -> Vec<u8> {
    let mut bytes = vec![0; 200];
    let length = rtcp::write(&mut bytes, report);
    bytes.truncate(length);
    bytes
}

/// As a phone says it that hears our stream `ssrc` and lost a tenth.
fn report(ours: u32, name: &Name) -> Report<'_> {
    let block = Block {
        ssrc: ours,
        fraction_lost: 26,
        lost: 5,
        highest: 50,
        jitter: 80,
        last: 0,
        delay: 0,
    };
    let sender = Sender { ntp: Ntp(7 << 32), timestamp: 0, packets: 50, octets: 8_000 };
    Report { ssrc: 42, name, sender: Some(sender), block: Some(block), bye: false }
}

fn last_word(room: &Room, leg: LegId) -> Quality {
    loop {
        match room.sounds.recv_timeout(LONG).expect("a last word") {
            Notice::Quality { leg: of, quality, last: true } if of == leg => return *quality,
            _ => {}
        }
    }
}

#[test]
fn a_phone_is_told_what_was_lost_and_what_it_tells_is_kept() {
    let room = Room::new(|_| {});
    let it = Reporter::new(&room, 1);
    let other = room.leg(2, Codec::Pcmu);
    room.media.send(Command::Bridge { a: it.phone.leg, b: other.leg });
    room.fence(other.leg);
    let sent = (65_500..65_600_u32).filter(|seq| seq % 10 != 5);
    for (count, seq) in (1..).zip(sent) {
        it.phone.say(0, u16::try_from(seq & 0xffff).unwrap(), &[1; 160]);
        room.until(|counters| counters.packets_received == count);
    }
    other.say(0, 1, &[2; 160]);
    let ours = it.phone.hear().unwrap().0.ssrc;
    let stranger = UdpSocket::bind((HERE, 0)).unwrap();
    let name = Name::draw(&mut Rng::from_number(5));
    stranger.send_to(&written(&report(ours, &name)), it.theirs).unwrap();
    room.until(|counters| counters.dropped_stranger == 1);
    it.control.send_to(b"nothing", it.theirs).unwrap();
    room.until(|counters| counters.dropped_malformed == 1);
    it.control.send_to(&written(&report(ours, &name)), it.theirs).unwrap();
    room.until(|counters| counters.reports_received == 1);
    let items = heard(&it.control);
    assert!(matches!(items[0], Item::Sends { ssrc, packets: 1, .. } if ssrc == ours), "{items:?}");
    let Item::Hears { by, block } = items[1] else { panic!("{items:?}") };
    assert_eq!((by, block.ssrc, block.lost, block.fraction_lost), (ours, 42, 10, 25));
    assert_eq!((block.highest, block.last), (65_599, 7 << 16));
    assert!(block.delay < 6 * 65_536, "{block:?}");
    // Its answer to that report tells how long the way is.
    let Item::Sends { ntp, .. } = items[0] else { panic!("{items:?}") };
    let mut answer = report(ours, &name);
    answer.block = answer.block.map(|block| Block { last: ntp, ..block });
    std::thread::park_timeout(Duration::from_millis(50));
    it.control.send_to(&written(&answer), it.theirs).unwrap();
    room.until(|counters| counters.reports_received == 2);
    room.media.send(Command::Close { leg: it.phone.leg });
    let bye = heard(&it.control);
    assert!(bye.contains(&Item::Bye { ssrc: ours }), "{bye:?}");
    let quality = last_word(&room, it.phone.leg);
    assert_eq!((quality.sums.due, quality.sums.lost(), quality.sent), (100, 10, 1));
    let far = quality.far.expect("what the phone said");
    assert_eq!((far.lost, far.fraction_lost, far.jitter_us), (5, 26, 10_000));
    assert!(quality.round_trip_ms.is_some_and(|ms| (40..2_000).contains(&ms)), "{quality:?}");
    assert!(quality.mos.is_some_and(|mos| (300..370).contains(&mos)), "{quality:?}");
}

#[test]
fn a_phone_behind_nat_is_reported_to_where_its_own_reports_come_from() {
    let room = Room::new(|_| {});
    let it = Reporter::new(&room, 1);
    // The description says addresses from inside; nothing ever comes from there.
    let inside = [0; 2].map(|port| UdpSocket::bind((HERE, port)).unwrap());
    let [remote, control] = [0, 1].map(|at| inside[at].local_addr().unwrap());
    let control = Control::Apart(control);
    let stream = Stream { remote, control, ..it.phone.stream() };
    room.media.send(Command::Stream { leg: it.phone.leg, stream });
    room.fence(it.phone.leg);
    let name = Name::draw(&mut Rng::from_number(5));
    it.control.send_to(&written(&report(1, &name)), it.theirs).unwrap();
    room.until(|counters| counters.dropped_stranger == 1); // its sound is not known yet
    (0..6).for_each(|seq| it.phone.say(0, seq, &[1; 160]));
    room.until(|counters| counters.packets_received >= 1);
    let guessed = Report { ssrc: 43, ..report(1, &name) };
    let before = room.media.counters().dropped_stranger;
    it.control.send_to(&written(&guessed), it.theirs).unwrap();
    room.until(|counters| counters.dropped_stranger == before + 1);
    it.control.send_to(&written(&report(1, &name)), it.theirs).unwrap();
    room.until(|counters| counters.reports_received == 1);
    // What was due before that may have gone inside.
    let items = heard(&it.control);
    assert!(matches!(items[..], [Item::Hears { block, .. }] if block.ssrc == 42), "{items:?}");
}

#[test]
fn on_one_port_reports_and_sound_are_told_apart() {
    let room = Room::new(|_| {});
    let it = Reporter::new(&room, 1);
    let name = Name::draw(&mut Rng::from_number(5));
    // Agreed apart: on the port of the sound nothing is read.
    it.phone.say(0, 1, &[1; 160]);
    it.phone.socket.send_to(&written(&report(1, &name)), it.phone.ours).unwrap();
    room.until(|counters| counters.dropped_rtcp == 1);
    it.agree(&room, Control::Shared);
    it.phone.socket.send_to(&written(&report(1, &name)), it.phone.ours).unwrap();
    room.until(|counters| counters.reports_received == 1);
    it.phone.socket.set_read_timeout(Some(REPORTED)).unwrap();
    let items = heard(&it.phone.socket);
    assert!(matches!(items[..], [Item::Hears { block, .. }] if block.ssrc == 42), "{items:?}");
    // The port of its own is free again.
    assert!(UdpSocket::bind(it.theirs).is_ok());
    let stranger = UdpSocket::bind((HERE, 0)).unwrap();
    let before = room.media.counters();
    stranger.send_to(&written(&report(1, &name)), it.phone.ours).unwrap();
    it.phone.socket.send_to(&written(&report(1, &name)), it.phone.ours).unwrap();
    // Connected or not: the stranger is not heard.
    room.until(|counters| counters.reports_received == before.reports_received + 1);
    it.agree(&room, Control::Nowhere);
    room.media.send(Command::Close { leg: it.phone.leg });
    last_word(&room, it.phone.leg);
}

#[test]
fn a_leg_that_moves_to_another_thread_goes_on_reporting() {
    let room = Room::new(|config| config.threads = 2);
    let (one, other) = (Reporter::new(&room, 1), Reporter::new(&room, 2));
    let name = Name::draw(&mut Rng::from_number(5));
    room.media.send(Command::Bridge { a: one.phone.leg, b: other.phone.leg });
    room.fence(other.phone.leg);
    for it in [&one, &other] {
        let before = room.media.counters().reports_received;
        it.control.send_to(&written(&report(1, &name)), it.theirs).unwrap();
        room.until(|counters| counters.reports_received == before + 1);
        assert_eq!(heard(&it.control), [], "an empty report: it has heard nothing");
    }
}

#[test]
fn a_held_port_for_reports_costs_no_call() {
    let room = Room::new(|_| {});
    let phone = room.leg(1, Codec::Pcmu);
    let holder = UdpSocket::bind((HERE, phone.ours.port() + 1)).unwrap();
    let it = Control::Apart("127.0.0.1:9".parse().unwrap());
    let stream = Stream { control: it, ..phone.stream() };
    room.media.send(Command::Stream { leg: phone.leg, stream });
    room.fence(phone.leg);
    room.until(|counters| counters.control_ports_held == 1);
    room.play(phone.leg, &["ramp"], false);
    assert!(phone.hear().is_some());
    drop(holder);
}

#[test]
fn encrypted_legs_report_encrypted() {
    let room = Room::new(|_| {});
    let mut it = SealedPhone::new(&room, 1, Suite::Aes128Cm80);
    it.agree_with(&room, Control::Shared);
    it.say(1, &[1; 160]);
    room.until(|counters| counters.packets_received == 1);
    let name = Name::draw(&mut Rng::from_number(5));
    // In clear: not heard.
    it.phone.socket.send_to(&written(&report(1, &name)), it.phone.ours).unwrap();
    room.until(|counters| counters.dropped_forged == 1);
    let sealed = it.sealed_control(written(&report(1, &name)));
    it.phone.socket.send_to(&sealed, it.phone.ours).unwrap();
    room.until(|counters| counters.reports_received == 1);
    it.phone.socket.send_to(&sealed, it.phone.ours).unwrap(); // written down and said again
    room.until(|counters| counters.dropped_forged == 2);
    it.phone.socket.set_read_timeout(Some(REPORTED)).unwrap();
    let items = it.hear_control();
    assert!(matches!(items[..], [Item::Hears { block, .. }] if block.ssrc == 42), "{items:?}");
}

/// Faults that come within `span`, with how long that took.
fn faults(room: &Room, span: Duration) -> Vec<(LegId, Fault, bool, Duration)> {
    let (began, mut found) = (Instant::now(), Vec::new());
    while let Some(left) = span.checked_sub(began.elapsed()) {
        match room.sounds.recv_timeout(left) {
            Ok(Notice::Fault { leg, fault, on }) => found.push((leg, fault, on, began.elapsed())),
            Ok(_) => {}
            Err(_) => break,
        }
    }
    found
}

/// Something like a voice: never the same twice.
fn voice(seed: u16) -> Vec<u8> {
    (0..160_u16)
        .map(|at| (at.wrapping_mul(seed.wrapping_mul(31) | 1) >> 3).to_le_bytes()[0])
        .collect()
}

/// Has the phones speak for `span`.
fn speak(phones: &[(&Phone, u16)], span: Duration, from: u16) -> u16 {
    let began = Instant::now();
    let mut seq = from;
    while began.elapsed() < span {
        for (phone, voices) in phones {
            phone.say(0, seq, &voice(seq.wrapping_add(*voices)));
        }
        seq = seq.wrapping_add(1);
        std::thread::park_timeout(Duration::from_millis(20));
    }
    seq
}

#[test]
fn a_phone_that_never_speaks_is_noticed_within_three_seconds() {
    let room = Room::new(|_| {});
    let (deaf, well) = (room.leg(1, Codec::Pcmu), room.leg(2, Codec::Pcmu));
    let (one, two) = (room.leg(3, Codec::Pcmu), room.leg(4, Codec::Pcmu));
    let (silent, mute) = (room.leg(5, Codec::Pcmu), room.leg(6, Codec::Pcmu));
    // One that holds, and who waits for it.
    let (holds, waits) = (room.leg(7, Codec::Pcmu), room.leg(8, Codec::Pcmu));
    let held = Stream { may_send: false, ..holds.stream() };
    room.media.send(Command::Stream { leg: holds.leg, stream: held });
    let waiting = Stream { will_receive: false, ..waits.stream() };
    room.media.send(Command::Stream { leg: waits.leg, stream: waiting });
    // One that hears a prompt and talks with nobody.
    let alone = room.leg(9, Codec::Pcmu);
    room.play(alone.leg, &["ramp"], true);
    // One that says that nobody speaks there.
    let (rests, talks) = (room.leg(10, Codec::Pcmu), room.leg(11, Codec::Pcmu));
    let pairs =
        [(&deaf, &well), (&one, &two), (&silent, &mute), (&holds, &waits), (&rests, &talks)];
    for (a, b) in pairs {
        room.media.send(Command::Bridge { a: a.leg, b: b.leg });
    }
    room.fence(holds.leg);
    rests.say(0, 1, &voice(5));
    rests.say(13, 2, &[60]);
    let speakers = [(&well, 0), (&one, 10_000), (&two, 20_000), (&talks, 40_000)];
    let began = Instant::now();
    let seq = speak(&speakers, Duration::from_millis(3_300), 1);
    let mut found = faults(&room, Duration::ZERO);
    found.extend(std::iter::from_fn(|| match room.sounds.try_recv() {
        Ok(Notice::Fault { leg, fault, on }) => Some((leg, fault, on, began.elapsed())),
        _ => None,
    }));
    let mut told: Vec<_> = found.iter().map(|(leg, fault, on, _)| (leg.0, *fault, *on)).collect();
    told.sort_unstable();
    assert_eq!(told, [(1, Fault::OneWay, true), (5, Fault::NoWay, true), (6, Fault::NoWay, true)]);
    // It is right again as soon as it speaks.
    speak(
        &[(&deaf, 30_000), (&well, 0), (&one, 10_000), (&two, 20_000)],
        Duration::from_millis(800),
        seq,
    );
    let ended = faults(&room, Duration::from_millis(100));
    let told: Vec<_> = ended.iter().map(|(leg, fault, on, _)| (leg.0, *fault, *on)).collect();
    assert_eq!(told, [(1, Fault::OneWay, false)]);
}

#[test]
fn a_talk_joined_anew_is_watched_anew() {
    let room = Room::new(|_| {});
    let (one, two) = (room.leg(1, Codec::Pcmu), room.leg(2, Codec::Pcmu));
    room.media.send(Command::Bridge { a: one.leg, b: two.leg });
    room.fence(one.leg);
    let seq = speak(&[(&two, 0)], Duration::from_millis(2_000), 1);
    // Answered just now: the caller's phone may begin to send only here.
    room.media.send(Command::Bridge { a: one.leg, b: two.leg });
    speak(&[(&two, 0)], Duration::from_millis(1_500), seq);
    assert_eq!(faults(&room, Duration::ZERO), []);
}

#[test]
fn a_hold_is_told_as_no_gap() {
    let room = Room::new(|_| {});
    let (one, two) = (room.leg(1, Codec::Pcmu), room.leg(2, Codec::Pcmu));
    room.media.send(Command::Bridge { a: one.leg, b: two.leg });
    room.fence(one.leg);
    let spoken = Duration::from_millis(200);
    let seq = speak(&[(&one, 0)], spoken, 1);
    let held = Stream { will_receive: false, ..one.stream() };
    room.media.send(Command::Stream { leg: one.leg, stream: held });
    std::thread::park_timeout(Duration::from_millis(900));
    room.media.send(Command::Stream { leg: one.leg, stream: one.stream() });
    let seq = speak(&[(&one, 0)], spoken, seq);
    // And what another talk left out: nobody listened.
    room.media.send(Command::Unbridge { leg: one.leg });
    std::thread::park_timeout(Duration::from_millis(900));
    room.media.send(Command::Bridge { a: one.leg, b: two.leg });
    room.fence(one.leg);
    speak(&[(&one, 0)], spoken, seq);
    room.media.send(Command::Close { leg: one.leg });
    let quality = last_word(&room, one.leg);
    assert!(quality.sums.received > 15 && quality.longest_gap_ms < 600, "{quality:?}");
}

#[test]
fn what_comes_back_and_what_is_always_the_same_is_noticed() {
    let room = Room::new(|_| {});
    let (echo, well) = (room.leg(1, Codec::Pcmu), room.leg(2, Codec::Pcmu));
    let (muted, talks) = (room.leg(3, Codec::Pcmu), room.leg(4, Codec::Pcmu));
    room.media.send(Command::Bridge { a: echo.leg, b: well.leg });
    room.media.send(Command::Bridge { a: muted.leg, b: talks.leg });
    room.fence(muted.leg);
    for seq in 1..=280_u16 {
        well.say(0, seq, &voice(seq));
        let (_, sound) = echo.hear().unwrap();
        echo.say(0, seq, &sound);
        muted.say(0, seq, &[0xff; 160]);
        talks.say(0, seq, &voice(seq.wrapping_add(9_000)));
        std::thread::park_timeout(Duration::from_millis(20));
    }
    let told: Vec<_> = faults(&room, Duration::from_millis(700))
        .iter()
        .map(|(leg, fault, on, _)| (leg.0, *fault, *on))
        .collect();
    assert_eq!(told, [(1, Fault::Loop, true), (3, Fault::Frozen, true)]);
}
