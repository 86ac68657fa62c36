//! The media threads under the load: plainly, sealed, with codecs turned, while calls come and go, and
//! what a leg costs to have.

use crate::load::{End, HERE, PACKET_MS, Round, Worker, bound, talk};
use madoguchi::base::{CallId, LegId, Mono, PlayId, Rng, TapId, Taped, Wall};
use madoguchi::io::media::{Counters, Media, MediaConfig, PromptLibrary};
use madoguchi::io::recording::{Recorder, RecorderConfig};
use madoguchi::recording::command::RecordingId;
use madoguchi::recording::{self, Format};
use madoguchi::rtp::Prompt;
use madoguchi::rtp::command::{Command, Stream};
use madoguchi::rtp::voice::{Band, Encoder};
use madoguchi::sdp::{Codec, Control, Protection};
use madoguchi::srtp::{Keys, MasterKey, Suite};
use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Below the ports that the system hands out by itself.
const FIRST_PORT: u16 = 20_000;
pub const THREAD: Worker = Worker::Threads(&["media-0"]);
const AND_RECORDER: Worker = Worker::Threads(&["media-0", "recorder", "recordings"]);

fn start() -> Media {
    start_with(0)
}

/// `tap_bytes`: of the ring to the recorder.
fn start_with(tap_bytes: usize) -> Media {
    let noise: Vec<i16> = (0..24_000).map(|at: i16| at.wrapping_mul(31)).collect();
    let prompts = PromptLibrary::of([("noise".into(), Prompt::encode(&noise))]);
    // Threads of ours take the place of the one that starts them.
    crate::pin(0);
    let mut config = MediaConfig::new(Arc::new(prompts));
    config.tap_bytes = tap_bytes;
    let media = Media::start(&config, |_| ()).expect("threads");
    while !std::fs::read_dir("/proc/self/task").expect("Linux").flatten().any(|task| {
        std::fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name == "media-0\n")
    }) {
        std::thread::yield_now();
    }
    crate::pin(1);
    media
}

fn until(media: &Media, reached: impl Fn(Counters) -> bool) {
    while !reached(media.counters()) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn stream(remote: SocketAddr, codec: Codec, protection: Protection) -> Stream {
    let kind = codec.payload_type();
    Stream {
        remote,
        home: None,
        codec,
        send_pt: kind,
        recv_pt: kind,
        also: Vec::new(),
        send_event_pt: Some(101),
        recv_event_pt: Some(101),
        event_clock_hz: codec.clock_hz(),
        protection,
        control: Control::Nowhere,
        ptime_ms: 20,
        ptime_asked: false,
        may_send: true,
        will_receive: true,
        hears_tones: false,
        told_by_info: false,
    }
}

fn open(media: &Media, id: u64, stream: Stream) -> SocketAddr {
    let port = FIRST_PORT + id as u16 * 2;
    media.send(Command::Open { leg: LegId(id), ip: HERE, port });
    media.send(Command::Stream { leg: LegId(id), stream });
    (HERE, port).into()
}

/// Opens a call's two legs; odd ones speak the second codec.
fn calls(media: &Media, calls: u64, codecs: [Codec; 2], protection: &Protection) -> Vec<End> {
    let ends = (0..calls * 2)
        .map(|id| {
            let phone = bound();
            let codec = codecs[id as usize % 2];
            let remote = phone.local_addr().expect("bound");
            let relay = open(media, id, stream(remote, codec, protection.clone()));
            End { phone, relay }
        })
        .collect();
    for id in (0..calls * 2).step_by(2) {
        media.send(Command::Bridge { a: LegId(id), b: LegId(id + 1) });
    }
    until(media, |counted| counted.legs == calls * 2);
    ends
}

/// Calls in G.711, passed.
pub fn passed(count: u64, seconds: u64) -> Round {
    let media = start();
    let ends = calls(&media, count, [Codec::Pcmu; 2], &Protection::Plain);
    talk(ends, seconds, &THREAD, None, None)
}

/// The same, both legs of each encrypted.
pub fn sealed(count: u64, seconds: u64) -> Round {
    let media = start();
    let mut rng = Rng::from_number(1);
    let mut draw = || MasterKey::draw(Suite::ALL[0], &mut rng);
    let keys = Arc::new(Keys { ours: draw(), theirs: draw() });
    let protection = Protection::Sealed(Arc::clone(&keys));
    let ends = calls(&media, count, [Codec::Pcmu; 2], &protection);
    talk(ends, seconds, &THREAD, Some(&keys), None)
}

/// The same, every call recorded; the recorder's time counts.
pub fn recorded(count: u64, seconds: u64) -> Round {
    let media = start_with(16 << 20);
    let ends = calls(&media, count, [Codec::Pcmu; 2], &Protection::Plain);
    let directory = std::env::temp_dir().join(format!("relay-bench-{}", std::process::id()));
    let epoch = Instant::now();
    let config = RecorderConfig {
        directory: directory.clone(),
        format: Format::Wav,
        zone: chrono_tz::Asia::Tokyo,
        key: None,
        keep_days: None,
        least_free_bytes: 0,
        most: 10_000,
        epoch,
    };
    let recorder = Recorder::start(config, media.rings(), BTreeSet::new(), |_| ()).expect("room");
    crate::pin(1);
    let (wall, mut rng) = (Wall(1_800_000_000_000), Rng::from_number(1));
    for n in 0..count {
        let (tap, at) = (TapId(n), Mono(epoch.elapsed().as_micros() as u64));
        let id = RecordingId { call: CallId::draw(wall, &mut rng), number: 1 };
        let (band, taped) = (Band::Narrow, Taped::Both);
        recorder.send(recording::command::Command::Begin { id, tap, at, wall, band, taped });
        media.send(Command::Tap { leg: LegId(2 * n), tap: Some(tap) });
    }
    while recorder.state().open < count {
        std::thread::sleep(Duration::from_millis(5));
    }
    let round = talk(ends, seconds, &AND_RECORDER, None, None);
    let counted = media.counters();
    if counted.dropped_untapped > 0 {
        println!("not recorded: {} packets", counted.dropped_untapped);
    }
    drop((media, recorder));
    std::fs::remove_dir_all(directory).expect("its own directory");
    round
}

/// Calls whose two legs share no codec.
pub fn turned(count: u64, seconds: u64, codecs: [Codec; 2]) -> Round {
    let media = start();
    let ends = calls(&media, count, codecs, &Protection::Plain);
    let voices = codecs.map(|codec| {
        let band = Band::Narrow;
        let sound: Vec<i16> = (0..band.per_ms() * PACKET_MS as usize)
            .map(|at| ((at as f64 * 0.21).sin() * 8000.0) as i16)
            .collect();
        let mut voice = vec![0; 1500];
        let mut encoder = Encoder::new(codec, band).expect("a codec of ours");
        let length = encoder.encode(&sound, &mut voice).expect("room");
        voice.truncate(length);
        (codec.payload_type(), voice)
    });
    talk(ends, seconds, &THREAD, None, Some(voices))
}

/// Calls that go on while others come and go, so many a second.
pub fn among_others(count: u64, seconds: u64, others_a_second: u64) -> Round {
    let media = start();
    let ends = calls(&media, count, [Codec::Pcmu; 2], &Protection::Plain);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            crate::pin(1);
            let phone = bound();
            let remote = phone.local_addr().expect("bound");
            let began = Instant::now();
            for turn in 0_u64.. {
                let due = Duration::from_micros(turn * 1_000_000 / others_a_second);
                std::thread::sleep(due.saturating_sub(began.elapsed()));
                if over.load(Ordering::Relaxed) {
                    break;
                }
                let first = count * 2 + turn * 2 % 400;
                for id in [first, first + 1] {
                    media.send(Command::Close { leg: LegId(id) });
                    open(&media, id, stream(remote, Codec::Pcmu, Protection::Plain));
                }
                media.send(Command::Bridge { a: LegId(first), b: LegId(first + 1) });
            }
        });
        let round = talk(ends, seconds, &THREAD, None, None);
        over.store(true, Ordering::Relaxed);
        round
    })
}

/// What opening and closing cost, and what a leg in a call takes of memory.
pub fn legs() {
    const LEGS: u64 = 2000;
    /// As many as a busy core turns.
    const TURNED: u64 = 800;
    let media = start();
    let (cpu, began) = (THREAD.cpu(), Instant::now());
    for id in 0..LEGS {
        media.send(Command::Open { leg: LegId(id), ip: HERE, port: FIRST_PORT + id as u16 * 2 });
    }
    let told = began.elapsed();
    until(&media, |counted| counted.legs == LEGS);
    (0..LEGS).for_each(|id| media.send(Command::Close { leg: LegId(id) }));
    until(&media, |counted| counted.legs == 0);
    let each = |span: Duration| span.as_secs_f64() * 1e6 / LEGS as f64;
    println!(
        "open and close: {:.1} us CPU a leg on the media thread, {:.2} us a command for the sender",
        each(THREAD.cpu().saturating_sub(cpu)),
        each(told)
    );
    drop(media);
    for (name, legs, codecs) in [
        ("passed", LEGS, [Codec::Pcmu; 2]),
        ("turned G.722-G.711", TURNED, [Codec::G722, Codec::Pcmu]),
        ("turned Opus-G.711", TURNED / 2, [Codec::Opus, Codec::Pcmu]),
    ] {
        let media = start();
        let phones: Vec<UdpSocket> = (0..legs).map(|_| bound()).collect();
        let before = resident_kib();
        for (id, phone) in (0..).zip(&phones) {
            let codec = codecs[id as usize % 2];
            let remote = phone.local_addr().expect("bound");
            let relay = open(&media, id, stream(remote, codec, Protection::Plain));
            phone.send_to(&[0x80; 172], relay).expect("sent");
        }
        for id in (0..legs).step_by(2) {
            media.send(Command::Bridge { a: LegId(id), b: LegId(id + 1) });
        }
        until(&media, |counted| counted.legs == legs);
        std::thread::sleep(Duration::from_secs(1));
        let kib = resident_kib().saturating_sub(before);
        println!("memory: {:.2} KiB a leg {name}", kib as f64 / legs as f64);
    }
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}

/// What a played packet costs.
pub fn plays(legs: u64, seconds: u64) {
    let media = start();
    let phones: Vec<UdpSocket> = (0..legs).map(|_| bound()).collect();
    for (id, phone) in (0..).zip(&phones) {
        let remote = phone.local_addr().expect("bound");
        open(&media, id, stream(remote, Codec::Pcmu, Protection::Plain));
        let prompts = vec!["noise".into()];
        media.send(Command::Play {
            leg: LegId(id),
            play: PlayId(id),
            prompts,
            looped: true,
            stops_on_key: false,
        });
    }
    std::thread::sleep(Duration::from_millis(300));
    let (before, cpu) = (media.counters().packets_played, THREAD.cpu());
    std::thread::sleep(Duration::from_secs(seconds));
    let played = media.counters().packets_played - before;
    let cpu = THREAD.cpu().saturating_sub(cpu);
    println!(
        "plays: {legs} legs, {:.2} us CPU a packet, {:.1} % of the packets due, {:.0} % of a core",
        cpu.as_secs_f64() * 1e6 / played.max(1) as f64,
        played as f64 * 100.0 / (legs * seconds * 1000 / PACKET_MS) as f64,
        cpu.as_secs_f64() * 100.0 / seconds as f64
    );
}
