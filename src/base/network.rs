//! A network as people write it: `192.0.2.0/24`, `2001:db8::/32`, or one address.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Addresses that share their first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    base: IpAddr,
    bits: u8,
}

/// Not a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotANetwork {
    /// Not of the form.
    #[error("due is an address, or a network such as 192.0.2.0/24")]
    Form,
    /// `192.0.2.7/24`: one address was meant, or another length.
    #[error("the address has bits beyond the network's length")]
    HostBits,
}

fn value(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(four) => (u128::from(u32::from(four)), 32),
        IpAddr::V6(six) => (u128::from(six), 128),
    }
}

impl Network {
    /// Whether the address is in it. An IPv4 address counts as such however a socket shows it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let ((ours, width), (theirs, other)) = (value(self.base), value(address.to_canonical()));
        let rest = u32::from(width.saturating_sub(self.bits));
        let first = |bits: u128| bits.checked_shr(rest).unwrap_or(0);
        width == other && first(ours) == first(theirs)
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let base: IpAddr = address.parse().map_err(|_| NotANetwork::Form)?;
        let (ours, width) = value(base);
        let bits = match bits {
            None => width,
            Some(bits) => bits.parse().map_err(|_| NotANetwork::Form)?,
        };
        if bits > width {
            return Err(NotANetwork::Form);
        }
        let rest = u32::from(width.saturating_sub(bits));
        let tail = 1_u128.checked_shl(rest).map_or(u128::MAX, |bit| bit.wrapping_sub(1));
        if ours & tail != 0 { Err(NotANetwork::HostBits) } else { Ok(Self { base, bits }) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, width) = value(self.base);
        if self.bits == width { self.base.fmt(f) } else { write!(f, "{}/{}", self.base, self.bits) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Network, NotANetwork};

    #[test]
    fn networks_hold_their_addresses_and_no_others() {
        let table = [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "::ffff:192.0.2.1", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.0/24", "2001:db8::", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("0.0.0.0/0", "::1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "2001:db8::1", true),
        ];
        for (network, address, due) in table {
            let parsed: Network = network.parse().expect(network);
            assert_eq!(
                parsed.contains(address.parse().expect(address)),
                due,
                "{network} {address}"
            );
            assert_eq!(parsed.to_string(), network);
        }
        for wrong in ["", "192.0.2.0/33", "192.0.2/24", "192.0.2.0/", "192.0.2.0/-1", "x/8"] {
            assert_eq!(wrong.parse::<Network>(), Err(NotANetwork::Form), "{wrong}");
        }
        assert_eq!("192.0.2.7/24".parse::<Network>(), Err(NotANetwork::HostBits));
    }
}
