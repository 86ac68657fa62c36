//! A message as a `HEPv3` packet, the form in which collectors (Homer, heplify-server, sngrep) take it.

use super::{Record, ends};
use std::net::{IpAddr, SocketAddr};

/// The longest packet; what does not fit is left out and counted by the sender.
pub const MAX_HEP: usize = 65_000;

/// Where the packets go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collector {
    /// By datagram.
    Udp(SocketAddr),
    /// By stream.
    Tcp(SocketAddr),
}

/// What is the same in every packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hep {
    /// Capture agent id.
    pub node: u32,
    /// The node's name.
    pub name: String,
}

const FAMILY: u16 = 1;
const PROTOCOL: u16 = 2;
const SOURCE_4: u16 = 3;
const DESTINATION_4: u16 = 4;
const SOURCE_6: u16 = 5;
const DESTINATION_6: u16 = 6;
const SOURCE_PORT: u16 = 7;
const DESTINATION_PORT: u16 = 8;
const SECONDS: u16 = 9;
const MICROSECONDS: u16 = 10;
const KIND: u16 = 11;
const AGENT: u16 = 12;
const PAYLOAD: u16 = 15;
const CORRELATION: u16 = 17;
const NODE_NAME: u16 = 19;

impl Hep {
    /// The packet; none when the message is too long for one. `at_us` is its stamp, `message` the record's as it may be
    /// shown, `correlation` the call's id, or the Call-ID of what belongs to no call.
    #[must_use]
    pub fn packet(
        &self,
        record: &Record,
        at_us: u64,
        message: &[u8],
        correlation: &str,
        locals: &[SocketAddr],
    ) -> Option<Vec<u8>> {
        let (from, to) = ends(record, locals);
        let (source, destination) = (from.ip().to_canonical(), to.ip().to_canonical());
        let mut out = Vec::with_capacity(message.len().saturating_add(160));
        out.extend(*b"HEP3");
        out.extend([0, 0]);
        let protocol = if record.flow.transport.is_stream() { 6 } else { 17 };
        match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                chunk(&mut out, FAMILY, &[2]);
                chunk(&mut out, PROTOCOL, &[protocol]);
                chunk(&mut out, SOURCE_4, &source.octets());
                chunk(&mut out, DESTINATION_4, &destination.octets());
            }
            (source, destination) => {
                chunk(&mut out, FAMILY, &[10]);
                chunk(&mut out, PROTOCOL, &[protocol]);
                chunk(&mut out, SOURCE_6, &six(source));
                chunk(&mut out, DESTINATION_6, &six(destination));
            }
        }
        chunk(&mut out, SOURCE_PORT, &from.port().to_be_bytes());
        chunk(&mut out, DESTINATION_PORT, &to.port().to_be_bytes());
        let seconds = u32::try_from(at_us / 1_000_000).unwrap_or(u32::MAX);
        let micros = u32::try_from(at_us % 1_000_000).unwrap_or(0);
        chunk(&mut out, SECONDS, &seconds.to_be_bytes());
        chunk(&mut out, MICROSECONDS, &micros.to_be_bytes());
        chunk(&mut out, KIND, &[1]); // SIP
        chunk(&mut out, AGENT, &self.node.to_be_bytes());
        chunk(&mut out, NODE_NAME, self.name.as_bytes());
        chunk(&mut out, CORRELATION, correlation.as_bytes());
        chunk(&mut out, PAYLOAD, message);
        if out.len() > MAX_HEP {
            return None;
        }
        let length = u16::try_from(out.len()).ok()?.to_be_bytes();
        for (slot, byte) in out.iter_mut().skip(4).zip(length) {
            *slot = byte;
        }
        Some(out)
    }
}

fn chunk(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(value.len().saturating_add(6)).unwrap_or(u16::MAX);
    out.extend([0, 0]); // the generic vendor
    out.extend(kind.to_be_bytes());
    out.extend(length.to_be_bytes());
    out.extend(value);
}

fn six(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(four) => four.to_ipv6_mapped().octets(),
        IpAddr::V6(six) => six.octets(),
    }
}
