//! What one relayed packet costs: the media thread against a plain epoll loop that checks, rewrites and
//! counts nothing. Both in turn, on loopback, with the same phones; CPU time is the relaying thread's own.
//!
//!     cargo bench --bench relay -- [calls] [seconds a round] [rounds]
//!
//! Also: what opening and closing a leg costs, and what a played packet costs.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a load generator sleeps between packets, and stops where it fails"
)]

use madoguchi::base::{LegId, PlayId};
use madoguchi::io::media::{Counters, Media, MediaConfig, PromptLibrary};
use madoguchi::rtp::Prompt;
use madoguchi::rtp::command::{Command, Stream};
use madoguchi::sdp::Codec;
use rustix::event::epoll;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PACKET_MS: u64 = 20;
/// Below the ports that the system hands out by itself.
const FIRST_PORT: u16 = 20_000;

/// One end of a call: the phone's socket and the relay's address for it.
struct End {
    phone: UdpSocket,
    relay: SocketAddr,
}

/// What one round gave.
struct Round {
    sent: u64,
    heard: u64,
    cpu: Duration,
    p50_us: u64,
    p99_us: u64,
}

fn main() {
    // `cargo bench` adds `--bench`.
    let numbers: Vec<u64> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let number = |at: usize, default| numbers.get(at).copied().unwrap_or(default);
    let (calls, seconds, rounds) = (number(0, 300), number(1, 5), number(2, 3));
    println!("{calls} calls, {} packets/s through the relay, {seconds} s a round", calls * 100);
    println!("relay     us CPU/packet  packets/CPU-s   sent      heard     p50 us   p99 us");
    let mut best = [f64::MAX; 2];
    for _ in 0..rounds {
        let plain = plain(calls, seconds);
        let media = media(calls, seconds);
        for (at, (name, round)) in [("plain", plain), ("media", media)].into_iter().enumerate() {
            let each = round.cpu.as_secs_f64() * 1e6 / round.heard.max(1) as f64;
            best[at] = best[at].min(each);
            let Round { sent, heard, p50_us, p99_us, .. } = round;
            println!(
                "{name:9} {each:12.2} {:14.0} {sent:9} {heard:9} {p50_us:8} {p99_us:8}",
                1e6 / each
            );
        }
    }
    println!("ratio media/plain, best of each: {:.2}", best[1] / best[0]);
    open_and_close();
    plays(calls * 2, seconds);
}

/// CPU time that a thread of ours has used so far, by name.
fn cpu_of(thread: &str) -> Duration {
    for task in std::fs::read_dir("/proc/self/task").expect("Linux").flatten() {
        let read = |file| std::fs::read_to_string(task.path().join(file)).unwrap_or_default();
        if read("comm").trim() == thread {
            let used = read("schedstat").split(' ').next().and_then(|ns| ns.parse().ok());
            return Duration::from_nanos(used.expect("schedstat"));
        }
    }
    panic!("no thread {thread}")
}

fn bound() -> UdpSocket {
    let socket = UdpSocket::bind((HERE, 0)).expect("a port");
    socket.set_nonblocking(true).expect("nonblocking");
    socket
}

fn watch(sockets: impl Iterator<Item = impl std::os::fd::AsFd>) -> std::os::fd::OwnedFd {
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC).expect("epoll");
    for (at, socket) in (0..).zip(sockets) {
        epoll::add(&poll, socket, epoll::EventData::new_u64(at), epoll::EventFlags::IN)
            .expect("add");
    }
    poll
}

/// Sockets that are ready, at most 10 ms later.
fn ready(poll: &std::os::fd::OwnedFd, events: &mut Vec<epoll::Event>) {
    events.clear();
    let wait = rustix::event::Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
    let _ = epoll::wait(poll, rustix::buffer::spare_capacity(events), Some(&wait));
}

/// The floor: receive, look up, send.
fn plain(calls: u64, seconds: u64) -> Round {
    let phones: Vec<UdpSocket> = (0..calls * 2).map(|_| bound()).collect();
    let relay: Vec<UdpSocket> = (0..calls * 2).map(|_| bound()).collect();
    let ends = phones
        .into_iter()
        .zip(&relay)
        .map(|(phone, relay)| End { phone, relay: relay.local_addr().expect("bound") })
        .collect::<Vec<_>>();
    let partners: Vec<SocketAddr> =
        (0..ends.len()).map(|at| ends[at ^ 1].phone.local_addr().expect("bound")).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let thread = std::thread::Builder::new().name("plain".into()).spawn(move || {
        let poll = watch(relay.iter());
        let (mut events, mut packet) = (Vec::with_capacity(128), [0; 2048]);
        while !stopped.load(Ordering::Relaxed) {
            ready(&poll, &mut events);
            for event in &events {
                let at = event.data.u64() as usize;
                if let Ok((length, _)) = relay[at].recv_from(&mut packet) {
                    let _ = relay[at ^ 1].send_to(&packet[..length], partners[at]);
                }
            }
        }
    });
    let round = talk(ends, seconds, "plain");
    stop.store(true, Ordering::Relaxed);
    let _ = thread.map(std::thread::JoinHandle::join);
    round
}

/// The same calls through the media thread.
fn media(calls: u64, seconds: u64) -> Round {
    let media = start();
    let ends: Vec<End> = (0..calls * 2)
        .map(|id| {
            let phone = bound();
            let relay = open(&media, id, phone.local_addr().expect("bound"));
            End { phone, relay }
        })
        .collect();
    for id in (0..calls * 2).step_by(2) {
        media.send(Command::Bridge { a: LegId(id), b: LegId(id + 1) });
    }
    let round = talk(ends, seconds, "media-0");
    println!("          {:?}", media.counters());
    round
}

fn start() -> Media {
    let noise: Vec<i16> = (0..24_000).map(|at: i16| at.wrapping_mul(31)).collect();
    let prompts = PromptLibrary::of([("noise".into(), Prompt::encode(&noise))]);
    Media::start(&MediaConfig::new(Arc::new(prompts)), |_| ()).expect("threads")
}

fn open(media: &Media, id: u64, remote: SocketAddr) -> SocketAddr {
    let port = FIRST_PORT + id as u16;
    media.send(Command::Open { leg: LegId(id), ip: HERE, port });
    let stream = Stream {
        remote,
        codec: Codec::Pcmu,
        send_pt: 0,
        recv_pt: 0,
        send_event_pt: Some(101),
        recv_event_pt: Some(101),
        event_clock_hz: 8_000,
        protection: madoguchi::sdp::Protection::Plain,
        ptime_ms: 20,
        may_send: true,
        will_receive: true,
    };
    media.send(Command::Stream { leg: LegId(id), stream });
    (HERE, port).into()
}

/// All phones speak for so long, evenly spread over the packet time; what arrives is counted and timed.
fn talk(ends: Vec<End>, seconds: u64, thread: &str) -> Round {
    let ends = Arc::new(ends);
    let done = Arc::new(AtomicBool::new(false));
    let (listening, finished) = (Arc::clone(&ends), Arc::clone(&done));
    let epoch = Instant::now();
    let listener = std::thread::spawn(move || {
        let poll = watch(listening.iter().map(|end| &end.phone));
        let (mut events, mut packet) = (Vec::with_capacity(128), [0; 2048]);
        let mut delays = Vec::new();
        while !finished.load(Ordering::Relaxed) {
            ready(&poll, &mut events);
            let now = epoch.elapsed().as_micros() as u64;
            for event in &events {
                if let Ok(length) = listening[event.data.u64() as usize].phone.recv(&mut packet)
                    && let Some(stamp) = packet[..length].get(12..20)
                {
                    delays.push(
                        now.saturating_sub(u64::from_le_bytes(stamp.try_into().expect("eight"))),
                    );
                }
            }
        }
        delays
    });
    std::thread::sleep(Duration::from_millis(300));
    let before = cpu_of(thread);
    let (mut sent, mut packet) = (0, [0x55_u8; 172]);
    packet[..2].copy_from_slice(&[0x80, 0]);
    for tick in 0..seconds * 1000 {
        let due = Duration::from_millis(300 + tick);
        std::thread::sleep(due.saturating_sub(epoch.elapsed()));
        let turn = tick / PACKET_MS;
        packet[2..4].copy_from_slice(&(turn as u16).to_be_bytes());
        packet[4..8].copy_from_slice(&(turn as u32 * 160).to_be_bytes());
        for (at, end) in
            ends.iter().enumerate().skip((tick % PACKET_MS) as usize).step_by(PACKET_MS as usize)
        {
            packet[8..12].copy_from_slice(&(at as u32).to_be_bytes());
            packet[12..20].copy_from_slice(&(epoch.elapsed().as_micros() as u64).to_le_bytes());
            sent += u64::from(end.phone.send_to(&packet, end.relay).is_ok());
        }
    }
    std::thread::sleep(Duration::from_millis(200));
    let cpu = cpu_of(thread).saturating_sub(before);
    done.store(true, Ordering::Relaxed);
    let mut delays = listener.join().expect("listener");
    delays.sort_unstable();
    let share = |of: usize| delays.get(delays.len() * of / 100).copied().unwrap_or(0);
    Round { sent, heard: delays.len() as u64, cpu, p50_us: share(50), p99_us: share(99) }
}

fn open_and_close() {
    const LEGS: u64 = 2000;
    let media = start();
    let until = |reached: &dyn Fn(Counters) -> bool| {
        while !reached(media.counters()) {
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    let (cpu, began) = (cpu_of("media-0"), Instant::now());
    for (id, port) in (0..LEGS).zip(FIRST_PORT..) {
        media.send(Command::Open { leg: LegId(id), ip: HERE, port });
    }
    let told = began.elapsed();
    until(&|counters| counters.legs == LEGS);
    (0..LEGS).for_each(|id| media.send(Command::Close { leg: LegId(id) }));
    until(&|counters| counters.legs == 0);
    let each = |span: Duration| span.as_secs_f64() * 1e6 / LEGS as f64;
    println!(
        "open and close: {:.1} us CPU a leg on the media thread, {:.2} us a command for the sender",
        each(cpu_of("media-0").saturating_sub(cpu)),
        each(told)
    );
}

fn plays(legs: u64, seconds: u64) {
    let media = start();
    let phones: Vec<UdpSocket> = (0..legs).map(|_| bound()).collect();
    for (id, phone) in (0..).zip(&phones) {
        open(&media, id, phone.local_addr().expect("bound"));
        let prompts = vec!["noise".into()];
        media.send(Command::Play { leg: LegId(id), play: PlayId(id), prompts, looped: true });
    }
    std::thread::sleep(Duration::from_millis(300));
    let (before, cpu) = (media.counters().packets_played, cpu_of("media-0"));
    std::thread::sleep(Duration::from_secs(seconds));
    let played = media.counters().packets_played - before;
    let cpu = cpu_of("media-0").saturating_sub(cpu);
    println!(
        "plays: {legs} legs, {:.2} us CPU a packet, {:.1} % of the packets due, {:.0} % of a core",
        cpu.as_secs_f64() * 1e6 / played.max(1) as f64,
        played as f64 * 100.0 / (legs * seconds * 1000 / PACKET_MS) as f64,
        cpu.as_secs_f64() * 100.0 / seconds as f64
    );
}
