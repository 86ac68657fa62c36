//! Phones that speak, and what is read off them: how many packets arrive, how late, and what the relay
//! between them cost. Knows no relay.

use crate::pinned;
use madoguchi::srtp::{Keys, MOST_OVERHEAD_BYTES, Opener, Sealer};
use rustix::event::epoll;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
pub const PACKET_MS: u64 = 20;
const PACKET_BYTES: usize = 172;
/// The first packets open the way: sources are locked by them.
const SETTLING: Duration = Duration::from_millis(300);

/// One end of a call: the phone's socket and the relay's address for it.
pub struct End {
    pub phone: UdpSocket,
    pub relay: SocketAddr,
}

/// Whose time counts as the relay's.
pub enum Worker {
    /// Threads of ours, by name.
    Threads(&'static [&'static str]),
    /// Another program, with all its threads.
    Process(u32),
}

impl Worker {
    /// CPU time used so far.
    pub fn cpu(&self) -> Duration {
        let (tasks, names) = match self {
            Self::Threads(names) => ("/proc/self/task".to_owned(), Some(*names)),
            Self::Process(pid) => (format!("/proc/{pid}/task"), None),
        };
        let mut sum = None;
        for task in std::fs::read_dir(tasks).expect("Linux").flatten() {
            let read = |file| std::fs::read_to_string(task.path().join(file)).unwrap_or_default();
            if names.is_none_or(|names| names.contains(&read("comm").trim())) {
                let used = read("schedstat").split(' ').next().and_then(|ns| ns.parse().ok());
                sum = Some(sum.unwrap_or(Duration::ZERO) + Duration::from_nanos(used.unwrap_or(0)));
            }
        }
        sum.expect("the relay runs")
    }
}

/// What one round gave.
pub struct Round {
    pub sent: u64,
    pub heard: u64,
    pub cpu: Duration,
    /// One-way delays in µs: of half the packets, of 99 %, of 99.9 %.
    pub delays_us: [u64; 3],
}

impl Round {
    /// µs of CPU a packet that arrived.
    pub fn each_us(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.heard.max(1) as f64
    }
}

pub fn bound() -> UdpSocket {
    let socket = UdpSocket::bind((HERE, 0)).expect("a port");
    socket.set_nonblocking(true).expect("nonblocking");
    socket
}

pub fn watch(sockets: impl Iterator<Item = impl std::os::fd::AsFd>) -> std::os::fd::OwnedFd {
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC).expect("epoll");
    for (at, socket) in (0..).zip(sockets) {
        epoll::add(&poll, socket, epoll::EventData::new_u64(at), epoll::EventFlags::IN)
            .expect("add");
    }
    poll
}

/// Sockets that are ready, at most 10 ms later.
pub fn ready(poll: &std::os::fd::OwnedFd, events: &mut Vec<epoll::Event>) {
    events.clear();
    let wait = rustix::event::Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
    let _ = epoll::wait(poll, rustix::buffer::spare_capacity(events), Some(&wait));
}

/// All phones speak for so long, evenly spread over the packet time; what arrives is counted and timed.
/// `voice`: what each packet holds instead of 160 bytes with a time in them; delays are not known then.
pub fn talk(
    ends: Vec<End>,
    seconds: u64,
    worker: &Worker,
    keys: Option<&Keys>,
    voices: Option<[(u8, Vec<u8>); 2]>,
) -> Round {
    let ends = Arc::new(ends);
    let done = Arc::new(AtomicBool::new(false));
    let (listening, finished) = (Arc::clone(&ends), Arc::clone(&done));
    let mut openers: Vec<Opener> =
        keys.map_or_else(Vec::new, |keys| ends.iter().map(|_| Opener::new(&keys.ours)).collect());
    let mut sealers: Vec<Sealer> =
        keys.map_or_else(Vec::new, |keys| ends.iter().map(|_| Sealer::new(&keys.theirs)).collect());
    let epoch = Instant::now();
    let listener = pinned(1, "ears", move || {
        let poll = watch(listening.iter().map(|end| &end.phone));
        let (mut events, mut packet) = (Vec::with_capacity(128), [0; 2048]);
        let mut delays: Vec<u32> = Vec::with_capacity(1 << 20);
        while !finished.load(Ordering::Relaxed) {
            ready(&poll, &mut events);
            let now = epoch.elapsed().as_micros() as u64;
            for event in &events {
                let at = event.data.u64() as usize;
                let Ok(mut length) = listening[at].phone.recv(&mut packet) else { continue };
                if let Some(opener) = openers.get_mut(at) {
                    length = opener.open_rtp(&mut packet, length).expect("sealed by the relay");
                }
                if let Some(stamp) = packet[..length].get(12..20) {
                    let stamp = u64::from_le_bytes(stamp.try_into().expect("eight"));
                    delays.push(u32::try_from(now.saturating_sub(stamp)).unwrap_or(u32::MAX));
                }
            }
        }
        delays
    });
    let (ends, mut packet) = (Arc::clone(&ends), [0x55_u8; 2048]);
    let (sent, cpu) = std::thread::scope(|scope| {
        let mouths = scope.spawn(move || {
            crate::pin(1);
            std::thread::sleep(SETTLING);
            let before = worker.cpu();
            let mut sent = 0;
            for tick in 0..seconds * 1000 {
                let due = SETTLING + Duration::from_millis(tick);
                std::thread::sleep(due.saturating_sub(epoch.elapsed()));
                let turn = tick / PACKET_MS;
                for at in ((tick % PACKET_MS) as usize..ends.len()).step_by(PACKET_MS as usize) {
                    packet[..2].copy_from_slice(&[0x80, 0]);
                    packet[2..4].copy_from_slice(&(turn as u16).to_be_bytes());
                    packet[4..8].copy_from_slice(&(turn as u32 * 160).to_be_bytes());
                    packet[8..12].copy_from_slice(&(at as u32).to_be_bytes());
                    let now = (epoch.elapsed().as_micros() as u64).to_le_bytes();
                    packet[12..20].copy_from_slice(&now);
                    let mut length = PACKET_BYTES;
                    if let Some(voices) = &voices {
                        let (kind, voice) = &voices[at % 2];
                        packet[1] = *kind;
                        packet[12..12 + voice.len()].copy_from_slice(voice);
                        length = 12 + voice.len();
                    }
                    if let Some(sealer) = sealers.get_mut(at) {
                        packet[20..PACKET_BYTES].fill(0x55);
                        let room = &mut packet[..length + MOST_OVERHEAD_BYTES];
                        length = sealer.seal_rtp(room, length).expect("a fresh packet");
                    }
                    sent += u64::from(
                        ends[at].phone.send_to(&packet[..length], ends[at].relay).is_ok(),
                    );
                }
            }
            std::thread::sleep(Duration::from_millis(200));
            (sent, worker.cpu().saturating_sub(before))
        });
        mouths.join().expect("mouths")
    });
    done.store(true, Ordering::Relaxed);
    let mut delays = listener.join().expect("ears");
    delays.sort_unstable();
    let share = |of: usize| delays.get(delays.len() * of / 1000).map_or(0, |us| u64::from(*us));
    Round { sent, heard: delays.len() as u64, cpu, delays_us: [share(500), share(990), share(999)] }
}
