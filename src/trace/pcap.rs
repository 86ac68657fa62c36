//! Messages as a capture file (pcap, microseconds, Ethernet) that Wireshark opens: frames are made up
//! around the messages with right lengths and checksums. What came by TLS or WebSocket stands there in
//! clear, as SIP over TCP; a handshake is drawn before the first message of each stream.

use super::redact::Redactor;
use super::{Direction, Record, Stamps, ends, local};
use crate::sip::api::Flow;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// The longest frame that is written; also what the file's head promises.
const SNAP: u32 = 262_144;
/// Bytes of a message in one TCP segment.
const SEGMENT: usize = 1_400;
/// The longest message that fits into a made-up datagram.
const DATAGRAM: usize = 65_000;

const UDP: u8 = 17;
const TCP: u8 = 6;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;
const PUSH_ACK: u8 = 0x18;

/// A capture file of these messages, the oldest first, as the redactor shows them.
#[must_use]
pub fn pcap(records: &[Record], locals: &[SocketAddr], redactor: &mut Redactor) -> Vec<u8> {
    let mut file = Vec::new();
    file.extend(0xa1b2_c3d4_u32.to_le_bytes());
    file.extend(2_u16.to_le_bytes());
    file.extend(4_u16.to_le_bytes());
    file.extend([0; 8]); // UTC, no accuracy told
    file.extend(SNAP.to_le_bytes());
    file.extend(1_u32.to_le_bytes()); // LINKTYPE_ETHERNET
    let mut clock = Stamps::default();
    let mut writer = Frames { file, id: 0, streams: BTreeMap::new() };
    for record in records {
        let message = redactor.message(&record.bytes);
        let at = clock.micros(record.at);
        let (from, to) = ends(record, locals);
        if record.flow.transport.is_stream() {
            writer.stream(at, record, locals, &message);
        } else {
            let message = message.get(..message.len().min(DATAGRAM)).unwrap_or_default();
            writer.datagram(at, from, to, message);
        }
    }
    writer.file
}

/// What each side of a stream sends next.
struct Stream {
    ours: u32,
    theirs: u32,
}

struct Frames {
    file: Vec<u8>,
    id: u16,
    streams: BTreeMap<Flow, Stream>,
}

impl Frames {
    fn datagram(&mut self, at: u64, from: SocketAddr, to: SocketAddr, message: &[u8]) {
        let length = u16::try_from(message.len().saturating_add(8)).unwrap_or(u16::MAX);
        let mut packet = Vec::with_capacity(message.len().saturating_add(8));
        packet.extend(from.port().to_be_bytes());
        packet.extend(to.port().to_be_bytes());
        packet.extend(length.to_be_bytes());
        packet.extend([0, 0]);
        packet.extend(message);
        let (from, to) = one_family(from.ip(), to.ip());
        // RFC 768: a sum of nothing is written as all ones.
        let sum = match checksum(&[&pseudo(from, to, UDP, packet.len()), &packet]) {
            0 => 0xffff,
            sum => sum,
        };
        put(&mut packet, 6, sum);
        self.packet(at, from, to, UDP, &packet);
    }

    fn stream(&mut self, at: u64, record: &Record, locals: &[SocketAddr], message: &[u8]) {
        let flow = record.flow;
        let (ours, theirs) = (in_clear(flow, local(locals, flow)), in_clear(flow, flow.remote));
        if !self.streams.contains_key(&flow) {
            // Who speaks first is drawn as the one who connected.
            let (from, to) = match record.direction {
                Direction::In => (theirs, ours),
                Direction::Out => (ours, theirs),
            };
            self.segment(at, from, to, (0, 0), SYN, &[]);
            self.segment(at, to, from, (0, 1), SYN | ACK, &[]);
            self.segment(at, from, to, (1, 1), ACK, &[]);
            self.streams.insert(flow, Stream { ours: 1, theirs: 1 });
        }
        for part in message.chunks(SEGMENT) {
            let Some(stream) = self.streams.get_mut(&flow) else { return };
            let length = u32::try_from(part.len()).unwrap_or(0);
            let (from, to, numbers) = match record.direction {
                Direction::In => {
                    let seq = stream.theirs;
                    stream.theirs = seq.wrapping_add(length);
                    (theirs, ours, (seq, stream.ours))
                }
                Direction::Out => {
                    let seq = stream.ours;
                    stream.ours = seq.wrapping_add(length);
                    (ours, theirs, (seq, stream.theirs))
                }
            };
            self.segment(at, from, to, numbers, PUSH_ACK, part);
        }
    }

    fn segment(
        &mut self,
        at: u64,
        from: SocketAddr,
        to: SocketAddr,
        (seq, ack): (u32, u32),
        flags: u8,
        part: &[u8],
    ) {
        let mut packet = Vec::with_capacity(part.len().saturating_add(20));
        packet.extend(from.port().to_be_bytes());
        packet.extend(to.port().to_be_bytes());
        packet.extend(seq.to_be_bytes());
        packet.extend(ack.to_be_bytes());
        packet.extend([0x50, flags]); // five words of head
        packet.extend(0xffff_u16.to_be_bytes());
        packet.extend([0; 4]);
        packet.extend(part);
        let (from, to) = one_family(from.ip(), to.ip());
        let sum = checksum(&[&pseudo(from, to, TCP, packet.len()), &packet]);
        put(&mut packet, 16, sum);
        self.packet(at, from, to, TCP, &packet);
    }

    /// Wraps a datagram or segment into IP and Ethernet and appends it.
    fn packet(&mut self, at: u64, from: IpAddr, to: IpAddr, protocol: u8, packet: &[u8]) {
        let mut frame = Vec::with_capacity(packet.len().saturating_add(64));
        frame.extend(mac(to));
        frame.extend(mac(from));
        match (from, to) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                frame.extend([0x08, 0x00]);
                let total = u16::try_from(packet.len().saturating_add(20)).unwrap_or(u16::MAX);
                self.id = self.id.wrapping_add(1);
                let mut head = vec![0x45, 0];
                head.extend(total.to_be_bytes());
                head.extend(self.id.to_be_bytes());
                head.extend([0x40, 0, 64, protocol, 0, 0]); // not to be fragmented
                head.extend(from.octets());
                head.extend(to.octets());
                let sum = checksum(&[&head]);
                put(&mut head, 10, sum);
                frame.extend(head);
            }
            (from, to) => {
                frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
                frame.extend(u16::try_from(packet.len()).unwrap_or(u16::MAX).to_be_bytes());
                frame.extend([protocol, 64]);
                frame.extend(six(from));
                frame.extend(six(to));
            }
        }
        frame.extend(packet);
        let length = u32::try_from(frame.len()).unwrap_or(SNAP);
        let seconds = u32::try_from(at / 1_000_000).unwrap_or(u32::MAX);
        let micros = u32::try_from(at % 1_000_000).unwrap_or(0);
        for word in [seconds, micros, length, length] {
            self.file.extend(word.to_le_bytes());
        }
        self.file.extend(frame);
    }
}

/// What was encrypted is in clear here; at the ports of TLS a reader would take it for that.
fn in_clear(flow: Flow, address: SocketAddr) -> SocketAddr {
    let misleading = flow.transport.is_secure() && matches!(address.port(), 443 | 5061 | 8443);
    SocketAddr::new(address.ip(), if misleading { 5060 } else { address.port() })
}

fn put(packet: &mut [u8], at: usize, sum: u16) {
    for (slot, byte) in packet.iter_mut().skip(at).zip(sum.to_be_bytes()) {
        *slot = byte;
    }
}

/// A made-up, locally administered station for an address.
fn mac(address: IpAddr) -> [u8; 6] {
    let [.., a, b, c, d] = six(address);
    [0x02, 0, a, b, c, d]
}

fn six(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(four) => four.to_ipv6_mapped().octets(),
        IpAddr::V6(six) => six.octets(),
    }
}

/// Both of one family: a dual-stack socket's peer may be written either way.
fn one_family(from: IpAddr, to: IpAddr) -> (IpAddr, IpAddr) {
    match (from.to_canonical(), to.to_canonical()) {
        (from @ IpAddr::V4(_), to @ IpAddr::V4(_)) => (from, to),
        (from, to) => (IpAddr::V6(six(from).into()), IpAddr::V6(six(to).into())),
    }
}

/// What UDP and TCP sum besides themselves (RFC 768, RFC 8200 §8.1).
fn pseudo(from: IpAddr, to: IpAddr, protocol: u8, length: usize) -> Vec<u8> {
    let mut head = Vec::with_capacity(40);
    let length = u32::try_from(length).unwrap_or(0);
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            head.extend(from.octets());
            head.extend(to.octets());
            head.extend([0, protocol]);
            head.extend(u16::try_from(length).unwrap_or(0).to_be_bytes());
        }
        (from, to) => {
            head.extend(six(from));
            head.extend(six(to));
            head.extend(length.to_be_bytes());
            head.extend([0, 0, 0, protocol]);
        }
    }
    head
}

/// The Internet checksum over parts, each but the last of even length (RFC 1071).
fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u64;
    for part in parts {
        for pair in part.chunks(2) {
            let word = match pair {
                [high, low] => u16::from_be_bytes([*high, *low]),
                [high] => u16::from_be_bytes([*high, 0]),
                _ => 0,
            };
            sum = sum.wrapping_add(u64::from(word));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff).wrapping_add(sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}
