//! One end of an RTP stream: hears what is sent to its port, speaks and presses keys when told to.

use super::sound::{Law, RATE, Sound};
use std::collections::VecDeque;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Payload type of telephone-event in the SDP of our phones.
pub const EVENT: u8 = 101;

/// One packet as it came.
#[derive(Clone, Debug)]
pub struct Packet {
    /// When.
    pub at: Instant,
    /// From where.
    pub from: SocketAddr,
    /// Marker bit.
    pub marker: bool,
    /// Payload type.
    pub kind: u8,
    /// Sequence number.
    pub seq: u16,
    /// Timestamp.
    pub stamp: u32,
    /// Source.
    pub ssrc: u32,
    /// Payload.
    pub payload: Vec<u8>,
}

#[derive(Default)]
struct State {
    packets: Vec<Packet>,
    other: usize,
    peer: Option<SocketAddr>,
    law: Option<Law>,
    voice: Vec<u8>,
    said: usize,
    /// Of the packets of its voice every so many never goes out; 0: none.
    loses: u16,
    reports: Vec<Vec<u8>>,
    keys: VecDeque<u8>,
    seq: u16,
    stamp: u32,
}

/// The end of an RTP stream; its threads end with it.
pub struct Ear {
    port: u16,
    state: Arc<Mutex<State>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Ear {
    /// Opens `port` on loopback.
    pub fn new(port: u16) -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", port)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let state = Arc::new(Mutex::new(State { seq: 7, stamp: 9000, ..State::default() }));
        let stop = Arc::new(AtomicBool::new(false));
        let hearing = {
            let (socket, state, stop) = (socket.try_clone().unwrap(), state.clone(), stop.clone());
            std::thread::spawn(move || hear(&socket, &state, &stop))
        };
        let speaking = {
            let (state, stop) = (state.clone(), stop.clone());
            std::thread::spawn(move || speak(&socket, &state, &stop))
        };
        let mut threads = vec![hearing, speaking];
        // Reports (RTCP) come to the next port; who has it, hears them.
        if let Ok(socket) = UdpSocket::bind(("127.0.0.1", port + 1)) {
            socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
            let (state, stop) = (state.clone(), stop.clone());
            threads.push(std::thread::spawn(move || read_reports(&socket, &state, &stop)));
        }
        Self { port, state, stop, threads }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Speaks `sound` from its begin, over and over, to a port on loopback.
    pub fn say(&self, sound: &Sound, law: Law, to_port: u16) {
        let table = law.encoder();
        let voice = sound.0.iter().map(|s| table[usize::from((*s as u16) ^ 0x8000)]).collect();
        let mut state = self.state();
        (state.voice, state.said, state.law) = (voice, 0, Some(law));
        state.peer = Some(SocketAddr::from(([127, 0, 0, 1], to_port)));
    }

    /// Of the packets of its voice every so many gets lost.
    pub fn lose_every(&self, so_many: u16) {
        self.state().loses = so_many;
    }

    /// The reports (RTCP) that came, as they came.
    pub fn reports(&self) -> Vec<Vec<u8>> {
        self.state().reports.clone()
    }

    /// Speaks no more.
    pub fn hush(&self) {
        self.state().voice.clear();
    }

    /// Presses keys, 100 ms each, as telephone-events (RFC 4733).
    pub fn press(&self, keys: &str, to_port: u16) {
        let mut state = self.state();
        state.peer = Some(SocketAddr::from(([127, 0, 0, 1], to_port)));
        for key in keys.bytes() {
            state.keys.push_back(match key {
                b'0'..=b'9' => key - b'0',
                b'*' => 10,
                b'#' => 11,
                _ => panic!("no such key: {key}"),
            });
        }
    }

    /// All packets so far.
    pub fn packets(&self) -> Vec<Packet> {
        self.state().packets.clone()
    }

    /// How many datagrams came that are no RTP.
    pub fn not_rtp(&self) -> usize {
        self.state().other
    }

    /// Forgets what was heard so far.
    pub fn forget(&self) {
        self.state().packets.clear();
    }

    /// What was heard, each payload where its timestamp puts it: a packet that a busy machine brings late
    /// is no gap. A stream that begins anew (another source or a leap) follows on.
    pub fn heard(&self) -> Sound {
        let mut out: Vec<i16> = Vec::new();
        let mut last: Option<(u32, u32, usize)> = None;
        for packet in &self.packets() {
            let law = match packet.kind {
                0 => Law::Mu,
                8 => Law::A,
                _ => continue,
            };
            let at = match last {
                Some((ssrc, stamp, at)) if ssrc == packet.ssrc => {
                    let step = packet.stamp.wrapping_sub(stamp) as usize;
                    if (1..RATE * 60).contains(&step) { at + step } else { out.len() }
                }
                _ => out.len(),
            };
            last = Some((packet.ssrc, packet.stamp, at));
            if out.len() < at + packet.payload.len() {
                out.resize(at + packet.payload.len(), 0);
            }
            for (n, byte) in packet.payload.iter().enumerate() {
                out[at + n] = law.decode(*byte);
            }
        }
        Sound(out)
    }

    /// The keys heard as telephone-events: one for each event's first timestamp.
    pub fn keys(&self) -> Vec<u8> {
        let mut seen: Vec<(u32, u8)> = Vec::new();
        for packet in self.packets().iter().filter(|p| p.kind == EVENT && p.payload.len() >= 4) {
            let event = (packet.stamp, packet.payload[0]);
            if !seen.contains(&event) {
                seen.push(event);
            }
        }
        seen.into_iter().map(|(_, key)| key).collect()
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn hear(socket: &UdpSocket, state: &Mutex<State>, stop: &AtomicBool) {
    let mut buffer = [0u8; 2048];
    while !stop.load(Ordering::Relaxed) {
        let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
        let packet = read(&buffer[..length], from);
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        match packet {
            Some(packet) => state.packets.push(packet),
            None => state.other += 1,
        }
    }
}

fn read_reports(socket: &UdpSocket, state: &Mutex<State>, stop: &AtomicBool) {
    let mut buffer = [0u8; 2048];
    while !stop.load(Ordering::Relaxed) {
        let Ok((length, _)) = socket.recv_from(&mut buffer) else { continue };
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.reports.push(buffer[..length].to_vec());
    }
}

/// A packet without CSRCs, extension and padding: nothing else is due on these paths.
fn read(bytes: &[u8], from: SocketAddr) -> Option<Packet> {
    if bytes.len() < 12 || bytes[0] != 0x80 {
        return None;
    }
    Some(Packet {
        at: Instant::now(),
        from,
        marker: bytes[1] & 0x80 != 0,
        kind: bytes[1] & 0x7F,
        seq: u16::from_be_bytes([bytes[2], bytes[3]]),
        stamp: u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]),
        ssrc: u32::from_be_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]),
        payload: bytes[12..].to_vec(),
    })
}

/// Twenty milliseconds at a time: a key's event packets when a key is due, else the voice.
fn speak(socket: &UdpSocket, state: &Mutex<State>, stop: &AtomicBool) {
    let ssrc = u32::from(socket.local_addr().unwrap().port()) | 0x4D41_0000;
    let mut next = Instant::now();
    let mut key: Option<(u8, u16, u32)> = None;
    while !stop.load(Ordering::Relaxed) {
        next += Duration::from_millis(20);
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        let mut packets: Vec<Vec<u8>> = Vec::new();
        let peer = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.stamp = state.stamp.wrapping_add(160);
            if key.is_none() {
                key = state.keys.pop_front().map(|k| (k, 0, state.stamp));
            }
            if let Some((event, duration, begun)) = key {
                let duration = duration + 160;
                let last = duration >= 800;
                for _ in 0..if last { 3 } else { 1 } {
                    state.seq = state.seq.wrapping_add(1);
                    let mut p = head(EVENT, duration == 160, state.seq, begun, ssrc);
                    p.extend_from_slice(&[event, if last { 0x8A } else { 0x0A }]);
                    p.extend_from_slice(&duration.to_be_bytes());
                    packets.push(p);
                }
                key = (!last).then_some((event, duration, begun));
            } else if let (Some(law), false) = (state.law, state.voice.is_empty()) {
                state.seq = state.seq.wrapping_add(1);
                let mut p = head(law.payload_type(), state.said == 0, state.seq, state.stamp, ssrc);
                for _ in 0..160 {
                    let at = state.said % state.voice.len();
                    p.push(state.voice[at]);
                    state.said += 1;
                }
                if state.loses == 0 || !state.seq.is_multiple_of(state.loses) {
                    packets.push(p);
                }
            }
            state.peer
        };
        if let Some(peer) = peer {
            for packet in packets {
                let _ = socket.send_to(&packet, peer);
            }
        }
    }
}

/// An RTP head (RFC 3550 §5.1).
pub fn head(kind: u8, marker: bool, seq: u16, stamp: u32, ssrc: u32) -> Vec<u8> {
    let mut p = vec![0x80, kind | if marker { 0x80 } else { 0 }];
    p.extend_from_slice(&seq.to_be_bytes());
    p.extend_from_slice(&stamp.to_be_bytes());
    p.extend_from_slice(&ssrc.to_be_bytes());
    p
}
