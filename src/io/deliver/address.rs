//! Which addresses are for everybody. A name that somebody else rules over may lead anywhere; what is asked
//! of the daemon from outside must not reach the machine's own network by it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is reachable by everybody: none of this machine, of a private network, of a link, of
/// a group, or reserved.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    // RFC 6890: this network, reserved and broadcast; shared; benchmarking; protocol assignments.
    let reserved = match a {
        0 | 240..=255 => true,
        100 => (64..=127).contains(&b),
        198 => b == 18 || b == 19,
        192 => b == 0 && c == 0,
        _ => false,
    };
    !(reserved
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // An IPv4 address in IPv6's clothes is what it is: mapped (RFC 4291 §2.5.5.2), or for NAT64 (RFC 6052).
    if let Some(inside) = address.to_ipv4_mapped() {
        return is_public_v4(inside);
    }
    if let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = segments {
        let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    // Global unicast is 2000::/3; of it, documentation, benchmarking and 6to4 (which leads to IPv4) are not.
    let [first, second, ..] = segments;
    let documentation = first == 0x2001 && second == 0xdb8 || first == 0x3fff;
    let benchmarking = first == 0x2001 && second == 2;
    let tunnel = first == 0x2002 || first == 0x2001 && second == 0;
    first & 0xe000 == 0x2000 && !documentation && !benchmarking && !tunnel
}
