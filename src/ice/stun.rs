//! The one STUN exchange of ICE: a Binding request with a password (RFC 5389, RFC 8445 §7.3) and what is
//! answered. Reads no further than it must, and writes nothing that the request did not earn.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use std::net::{IpAddr, SocketAddr};

/// Longest request that is looked at: two fragments of 256 signs and all else.
pub const MAX_BYTES: usize = 800;

const COOKIE: [u8; 4] = 0x2112_A442_u32.to_be_bytes();
const HEADER_BYTES: usize = 20;
/// MESSAGE-INTEGRITY with its head.
const INTEGRITY_BYTES: u16 = 24;
const FINGERPRINT_XOR: u32 = 0x5354_554e;

const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const ERROR_CODE: u16 = 0x0009;
const UNKNOWN_ATTRIBUTES: u16 = 0x000a;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const PRIORITY: u16 = 0x0024;
const USE_CANDIDATE: u16 = 0x0025;
const FINGERPRINT: u16 = 0x8028;
const ICE_CONTROLLED: u16 = 0x8029;

/// Unknown attributes that a 420 names; the rest of them is not worth more bytes.
const MOST_UNKNOWN: usize = 4;

/// Whether a datagram on a media port is STUN (RFC 7983 §7, RFC 5389 §6): its first two bits are 0 and the
/// cookie stands in its place.
#[must_use]
pub fn is_stun(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| *first < 4) && datagram.get(4..8) == Some(&COOKIE)
}

/// A Binding request, read and not yet believed.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub transaction: [u8; 12],
    /// `ours:theirs`.
    pub username: Option<&'a str>,
    integrity: Option<Integrity<'a>>,
    /// The peer takes itself for the controlled side.
    pub is_controlled: bool,
    pub use_candidate: bool,
    pub priority: u32,
    /// Attributes that must be understood and are not (RFC 5389 §7.3.1).
    pub unknown: Vec<u16>,
}

#[derive(Debug)]
struct Integrity<'a> {
    /// All before the attribute.
    before: &'a [u8],
    tag: &'a [u8],
}

impl<'a> Request<'a> {
    /// None for anything but one whole Binding request whose fingerprint, if it has one, is right.
    pub(super) fn read(datagram: &'a [u8]) -> Option<Self> {
        if datagram.len() > MAX_BYTES || !is_stun(datagram) || datagram.get(..2)? != [0, 1] {
            return None;
        }
        let length = usize::from(u16::from_be_bytes(*datagram.get(2..)?.first_chunk()?));
        let transaction = *datagram.get(8..)?.first_chunk()?;
        let mut rest = datagram.get(HEADER_BYTES..)?;
        if rest.len() != length {
            return None;
        }
        let mut request = Self {
            transaction,
            username: None,
            integrity: None,
            is_controlled: false,
            use_candidate: false,
            priority: 0,
            unknown: Vec::new(),
        };
        while !rest.is_empty() {
            let at = datagram.len().checked_sub(rest.len())?;
            let ([k0, k1, l0, l1], behind) = rest.split_first_chunk::<4>()?;
            let kind = u16::from_be_bytes([*k0, *k1]);
            let length = usize::from(u16::from_be_bytes([*l0, *l1]));
            let value = behind.get(..length)?;
            rest = behind.get(length.checked_next_multiple_of(4)?..)?;
            match kind {
                FINGERPRINT => {
                    // The last of all (RFC 5389 §15.5).
                    let due = crc32(datagram.get(..at)?) ^ FINGERPRINT_XOR;
                    return (value == due.to_be_bytes() && rest.is_empty()).then_some(request);
                }
                // Behind the integrity nothing counts (RFC 5389 §15.4).
                _ if request.integrity.is_some() => {}
                USERNAME => {
                    request.username = request.username.or(std::str::from_utf8(value).ok());
                }
                MESSAGE_INTEGRITY => {
                    request.integrity = Some(Integrity { before: datagram.get(..at)?, tag: value });
                }
                PRIORITY => request.priority = u32::from_be_bytes(value.try_into().ok()?),
                USE_CANDIDATE => request.use_candidate = true,
                ICE_CONTROLLED => request.is_controlled = true,
                0x8000.. => {}
                _ if request.unknown.len() < MOST_UNKNOWN => request.unknown.push(kind),
                _ => {}
            }
        }
        Some(request)
    }

    /// Whether it says who it is at all.
    pub(super) const fn is_signed(&self) -> bool {
        self.integrity.is_some()
    }

    /// Whether it was made with this password; in constant time.
    pub(super) fn is_by(&self, password: &str) -> bool {
        let Some(Integrity { before, tag }) = &self.integrity else { return false };
        let Some((head, body)) = before.split_first_chunk::<HEADER_BYTES>() else { return false };
        signature(password, head, body).is_some_and(|mac| mac.verify_slice(tag).is_ok())
    }
}

/// HMAC over a message up to its MESSAGE-INTEGRITY, with the length that ends behind it (RFC 5389 §15.4).
fn signature(password: &str, head: &[u8; HEADER_BYTES], body: &[u8]) -> Option<Hmac<Sha1>> {
    let length = u16::try_from(body.len()).ok()?.checked_add(INTEGRITY_BYTES)?;
    let mut head = *head;
    head.get_mut(2..4)?.copy_from_slice(&length.to_be_bytes());
    let mac = <Hmac<Sha1> as KeyInit>::new_from_slice(password.as_bytes()).ok()?;
    Some(mac.chain_update(head).chain_update(body))
}

/// An answer under way. Grows by attributes, in the order of writing.
pub(super) struct Answer {
    bytes: Vec<u8>,
}

impl Answer {
    /// "This is where I see you" (RFC 5389 §15.2).
    pub(super) fn success(request: &Request, from: SocketAddr) -> Self {
        let mut answer = Self::begin(0x0101, request.transaction);
        let mask: Vec<u8> = COOKIE.into_iter().chain(request.transaction).collect();
        let xor = |bytes: &[u8]| bytes.iter().zip(&mask).map(|(a, b)| a ^ b).collect::<Vec<u8>>();
        let (family, address) = match from.ip().to_canonical() {
            IpAddr::V4(ip) => (1, xor(&ip.octets())),
            IpAddr::V6(ip) => (2, xor(&ip.octets())),
        };
        answer.push(
            XOR_MAPPED_ADDRESS,
            &[&[0, family][..], &xor(&from.port().to_be_bytes()), &address].concat(),
        );
        answer
    }

    /// A refusal, without words.
    pub(super) fn refusal(request: &Request, status: u16) -> Self {
        let mut answer = Self::begin(0x0111, request.transaction);
        let [.., class] = (status / 100).to_be_bytes();
        let [.., number] = (status % 100).to_be_bytes();
        answer.push(ERROR_CODE, &[0, 0, class, number]);
        if status == 420 {
            let names: Vec<u8> =
                request.unknown.iter().flat_map(|kind| kind.to_be_bytes()).collect();
            answer.push(UNKNOWN_ATTRIBUTES, &names);
        }
        answer
    }

    fn begin(kind: u16, transaction: [u8; 12]) -> Self {
        let mut bytes = Vec::with_capacity(96);
        bytes.extend(kind.to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(COOKIE);
        bytes.extend(transaction);
        Self { bytes }
    }

    fn push(&mut self, kind: u16, value: &[u8]) {
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        self.bytes.extend(kind.to_be_bytes());
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend(value);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self.set_length(0);
    }

    fn set_length(&mut self, more: usize) {
        let length = self.bytes.len().saturating_sub(HEADER_BYTES).saturating_add(more);
        if let (Ok(length), Some(place)) = (u16::try_from(length), self.bytes.get_mut(2..4)) {
            place.copy_from_slice(&length.to_be_bytes());
        }
    }

    /// Signs with the password that the request was signed with.
    pub(super) fn signed(mut self, password: &str) -> Self {
        let tag = self.bytes.split_first_chunk::<HEADER_BYTES>().and_then(|(head, body)| {
            Some(signature(password, head, body)?.finalize().into_bytes())
        });
        if let Some(tag) = tag {
            self.push(MESSAGE_INTEGRITY, &tag);
        }
        self
    }

    /// The datagram, with its fingerprint.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.set_length(8);
        let fingerprint = crc32(&self.bytes) ^ FINGERPRINT_XOR;
        self.push(FINGERPRINT, &fingerprint.to_be_bytes());
        self.bytes
    }
}

/// The CRC-32 of ITU V.42 (RFC 5389 §15.5).
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 };
        }
    }
    !crc
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub const PASSWORD: &str = "VOkJxbRl1RmTxUk/WvJxBt";

    pub fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
        digits.chunks(2).map(|two| u8::try_from(two[0] << 4 | two[1]).unwrap()).collect()
    }

    /// RFC 5769 §2.1.
    pub fn sample() -> Vec<u8> {
        hex("00 01 00 58 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae
             80 22 00 10 53 54 55 4e 20 74 65 73 74 20 63 6c 69 65 6e 74
             00 24 00 04 6e 00 01 ff 80 29 00 08 93 2f f9 b1 51 26 3b 36
             00 06 00 09 65 76 74 6a 3a 68 36 76 59 20 20 20
             00 08 00 14 9a ea a7 0c bf d8 cb 56 78 1e f2 b5 b2 d3 f2 49 c1 b5 71 a2
             80 28 00 04 e5 7a 3b cf")
    }

    #[test]
    fn the_request_of_rfc_5769_2_1_is_read_and_its_maker_is_known() {
        let sample = sample();
        let request = Request::read(&sample).unwrap();
        assert_eq!(request.username, Some("evtj:h6vY"));
        assert_eq!((request.priority, request.is_controlled), (0x6e00_01ff, true));
        assert!(!request.use_candidate && request.unknown.is_empty());
        assert!(request.is_by(PASSWORD));
        assert!(!request.is_by("VOkJxbRl1RmTxUk/WvJxBu"));
    }

    #[test]
    fn the_answers_of_rfc_5769_2_2_and_2_3_are_signed_as_we_sign() {
        let sample = sample();
        let request = Request::read(&sample).unwrap();
        let table = [
            (
                "192.0.2.1:32853",
                "01 01 00 3c 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae
                 80 22 00 0b 74 65 73 74 20 76 65 63 74 6f 72 20
                 00 20 00 08 00 01 a1 47 e1 12 a6 43
                 00 08 00 14 2b 91 f5 99 fd 9e 90 c3 8c 74 89 f9 2a f9 ba 53 f0 6b e7 d7
                 80 28 00 04 c0 7d 4c 96",
            ),
            (
                "[2001:db8:1234:5678:11:2233:4455:6677]:32853",
                "01 01 00 48 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae
                 80 22 00 0b 74 65 73 74 20 76 65 63 74 6f 72 20
                 00 20 00 14 00 02 a1 47 01 13 a9 fa a5 d3 f1 79 bc 25 f4 b5 be d2 b9 d9
                 00 08 00 14 a3 82 95 4e 4b e6 7b f1 17 84 c9 7c 82 92 c2 75 bf e3 ed 41
                 80 28 00 04 c8 fb 0b 4c",
            ),
        ];
        for (from, want) in table {
            let want = hex(want);
            // The sample says its software first and fills up with blanks; all else is ours.
            let ours = Answer::success(&request, from.parse().unwrap());
            let mapped = ours.bytes[HEADER_BYTES..].to_vec();
            assert_eq!(want[36..36 + mapped.len()], mapped, "{from}");
            let mut answer = Answer { bytes: want[..36 + mapped.len()].to_vec() };
            answer.set_length(0);
            assert_eq!(answer.signed(PASSWORD).finish(), want, "{from}");
        }
    }

    #[test]
    fn only_one_whole_request_is_read() {
        let sample = sample();
        let mut table = vec![
            ("nothing", vec![]),
            ("cut", sample[..sample.len() - 4].to_vec()),
            ("too long", [&sample[..], &[0; 4]].concat()),
            ("an answer", [&[1, 1], &sample[2..]].concat()),
            ("another cookie", [&sample[..4], &[0; 4], &sample[8..]].concat()),
        ];
        let mut changed = sample.clone();
        changed[40] ^= 1;
        table.push(("a fingerprint that does not fit", changed));
        for (case, bytes) in table {
            assert!(Request::read(&bytes).is_none(), "{case}");
        }
    }
}
