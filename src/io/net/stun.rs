//! STUN as SIP's keep-alive by datagram (RFC 5626 §4.4.2 on RFC 5389): a phone asks where we see it come
//! from, and learns that the way stands and whether its NAT moved it. Only Binding, only without
//! authentication; what is none of it is SIP.

use std::net::{IpAddr, SocketAddr};

const COOKIE: [u8; 4] = 0x2112_A442_u32.to_be_bytes();
/// A request may carry attributes; we read as far as it takes to know that it is whole.
const MAX_REQUEST: usize = 548;

/// Whether a datagram is STUN: its first two bits are 0 and the cookie stands in its place (RFC 5389
/// §6, §8). No SIP message begins so.
pub(super) fn is_stun(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| *first < 4) && datagram.get(4..8) == Some(&COOKIE)
}

/// The answer to a whole Binding request; none to anything else (RFC 5389 §7.3: an unknown attribute that
/// must be understood earns 420).
pub(super) fn answer(datagram: &[u8], from: SocketAddr) -> Option<Vec<u8>> {
    if datagram.len() > MAX_REQUEST || datagram.get(..2) != Some(&[0, 1]) {
        return None;
    }
    let length = usize::from(u16::from_be_bytes(datagram.get(2..4)?.try_into().ok()?));
    let transaction: &[u8; 12] = datagram.get(8..20)?.try_into().ok()?;
    let attributes = datagram.get(20..)?;
    if attributes.len() != length {
        return None;
    }
    let (kind, body) = match unknown(attributes)? {
        None => (0x0101_u16, mapped(from, transaction)),
        Some(unknown) => {
            // ERROR-CODE 420 without a reason, then UNKNOWN-ATTRIBUTES with the first of them.
            let mut body = vec![0, 9, 0, 4, 0, 0, 4, 20, 0, 10, 0, 2];
            body.extend(unknown.to_be_bytes());
            body.extend([0, 0]);
            (0x0111, body)
        }
    };
    let mut answer = Vec::with_capacity(body.len().saturating_add(20));
    answer.extend(kind.to_be_bytes());
    answer.extend(u16::try_from(body.len()).ok()?.to_be_bytes());
    answer.extend(COOKIE);
    answer.extend(transaction);
    answer.extend(body);
    Some(answer)
}

/// The first attribute that must be understood and is not; None when the attributes are not whole.
fn unknown(mut attributes: &[u8]) -> Option<Option<u16>> {
    // MESSAGE-INTEGRITY and USERNAME are let pass: RFC 5626 §4.4.2 asks for no authentication.
    const KNOWN: [u16; 2] = [0x0006, 0x0008];
    let mut first = None;
    while !attributes.is_empty() {
        let kind = u16::from_be_bytes(attributes.get(..2)?.try_into().ok()?);
        let length = usize::from(u16::from_be_bytes(attributes.get(2..4)?.try_into().ok()?));
        let padded = length.checked_next_multiple_of(4)?;
        attributes = attributes.get(padded.checked_add(4)?..)?;
        if kind < 0x8000 && !KNOWN.contains(&kind) {
            first = first.or(Some(kind));
        }
    }
    Some(first)
}

/// XOR-MAPPED-ADDRESS (RFC 5389 §15.2).
fn mapped(from: SocketAddr, transaction: &[u8; 12]) -> Vec<u8> {
    let mask: Vec<u8> = COOKIE.iter().chain(transaction).copied().collect();
    let xor = |bytes: &[u8]| -> Vec<u8> { bytes.iter().zip(&mask).map(|(a, b)| a ^ b).collect() };
    let (family, address) = match from.ip().to_canonical() {
        IpAddr::V4(ip) => (1, xor(&ip.octets())),
        IpAddr::V6(ip) => (2, xor(&ip.octets())),
    };
    let mut attribute = vec![0, 0x20, 0, if family == 1 { 8 } else { 20 }, 0, family];
    attribute.extend(xor(&from.port().to_be_bytes()));
    attribute.extend(address);
    attribute
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(attributes: &[u8]) -> Vec<u8> {
        let mut request = vec![0, 1, 0, u8::try_from(attributes.len()).unwrap()];
        request.extend(COOKIE);
        // The transaction of RFC 5769 §2.2, whose answer is known.
        request.extend([0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae]);
        request.extend(attributes);
        request
    }

    #[test]
    fn a_phone_learns_where_it_is_seen_as_rfc_5769_computes_it() {
        let four = answer(&request(&[]), "192.0.2.1:32853".parse().unwrap()).unwrap();
        assert_eq!(four[..2], [0x01, 0x01]);
        assert_eq!(four[8..20], request(&[])[8..20], "the transaction is the request's");
        let due = [0, 0x20, 0, 8, 0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43];
        assert_eq!(four[20..], due);
        let six: SocketAddr = "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap();
        let due = [
            0, 0x20, 0, 0x14, 0, 2, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79,
            0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9,
        ];
        assert_eq!(answer(&request(&[]), six).unwrap()[20..], due);
    }

    #[test]
    fn only_a_whole_binding_request_is_answered() {
        let from = "192.0.2.1:5060".parse().unwrap();
        let software = [0x80, 0x22, 0, 3, b'a', b'b', b'c', 0];
        let table = [
            ("an attribute that may be passed over", request(&software), Some([0x01, 0x01])),
            ("one that may not", request(&[0, 3, 0, 4, 0, 0, 0, 6]), Some([0x01, 0x11])),
            ("cut", request(&software)[..26].to_vec(), None),
            ("too long", [request(&[]), vec![0; 4]].concat(), None),
            ("an answer", [&[1, 1], &request(&[])[2..]].concat(), None),
            ("an attribute that runs out", request(&[0x80, 0x22, 0, 9, 1, 2, 3, 4]), None),
        ];
        for (case, datagram, want) in table {
            assert!(is_stun(&datagram), "{case}");
            let got = answer(&datagram, from).map(|answer| [answer[0], answer[1]]);
            assert_eq!(got, want, "{case}");
        }
        for sip in [&b"OPTIONS sip:a SIP/2.0\r\n"[..], b"\r\n\r\n", b"", b"\0\x01\0\0"] {
            assert!(!is_stun(sip));
        }
    }
}
