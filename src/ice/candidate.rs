//! Addresses in SDP at which a side may be reached (RFC 8839 §5.1).

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// One `a=candidate` of UDP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Alike for candidates of one kind and base; up to 32 signs.
    pub foundation: String,
    /// 1: RTP, or both when `rtcp-mux` is spoken; 2: RTCP.
    pub component: u16,
    /// Higher is better.
    pub priority: u32,
    /// None for a name: browsers hide their addresses behind one of mDNS, which we do not look up.
    pub address: Option<SocketAddr>,
    /// Where it comes from.
    pub kind: Kind,
}

/// Where a candidate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The side's own address.
    Host,
    /// What a STUN server saw.
    ServerReflexive,
    /// What the other side saw.
    PeerReflexive,
    /// A relay's.
    Relayed,
}

/// Why a candidate is passed over; the others of the description stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotACandidate {
    /// Not of the form.
    #[error("not a candidate")]
    Form,
    /// TCP, or another way than UDP.
    #[error("a candidate of another way than UDP")]
    Transport,
}

impl Kind {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Host, "host"),
        (Self::ServerReflexive, "srflx"),
        (Self::PeerReflexive, "prflx"),
        (Self::Relayed, "relay"),
    ];
}

impl Candidate {
    /// Ours: the address that the port has. `component` is 2 for RTCP on a port of its own.
    #[must_use]
    pub fn host(component: u16, address: SocketAddr) -> Self {
        // RFC 8445 §5.1.2.1: type preference 126, one local preference.
        let priority = 126 << 24 | 65_535 << 8 | 256_u32.saturating_sub(component.into());
        Self {
            foundation: if address.is_ipv4() { "1" } else { "2" }.to_owned(),
            component,
            priority,
            address: Some(address),
            kind: Kind::Host,
        }
    }
}

impl FromStr for Candidate {
    type Err = NotACandidate;

    /// What stands behind `a=candidate:`. Unknown extensions are passed over.
    fn from_str(value: &str) -> Result<Self, NotACandidate> {
        let mut words = value.split_ascii_whitespace();
        let mut word = || words.next().ok_or(NotACandidate::Form);
        let (foundation, component, transport) = (word()?, word()?, word()?);
        let (priority, host, port) = (word()?, word()?, word()?);
        let (typ, kind) = (word()?, word()?);
        if !transport.eq_ignore_ascii_case("udp") {
            return Err(NotACandidate::Transport);
        }
        let kind = Kind::ALL.into_iter().find(|(_, name)| *name == kind);
        let (kind, _) = kind.filter(|_| typ == "typ").ok_or(NotACandidate::Form)?;
        let component: u16 = component.parse().map_err(|_| NotACandidate::Form)?;
        let port: u16 = port.parse().map_err(|_| NotACandidate::Form)?;
        if foundation.len() > 32 || !(1..=256).contains(&component) || port == 0 {
            return Err(NotACandidate::Form);
        }
        Ok(Self {
            foundation: foundation.to_owned(),
            component,
            priority: priority.parse().map_err(|_| NotACandidate::Form)?,
            address: host.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, port)),
            kind,
        })
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { foundation, component, priority, .. } = self;
        let kind = Kind::ALL.into_iter().find(|(kind, _)| *kind == self.kind);
        let kind = kind.map_or("host", |(_, name)| name);
        write!(f, "{foundation} {component} UDP {priority} ")?;
        match self.address {
            Some(address) => write!(f, "{} {}", address.ip(), address.port())?,
            None => f.write_str("0.0.0.0 9")?,
        }
        write!(f, " typ {kind}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_are_written_and_read() {
        let ours = Candidate::host(1, "192.0.2.9:20000".parse().unwrap());
        assert_eq!(ours.to_string(), "1 1 UDP 2130706431 192.0.2.9 20000 typ host");
        assert_eq!(ours.to_string().parse(), Ok(ours));
        let six = Candidate::host(2, "[2001:db8::9]:20001".parse().unwrap());
        assert_eq!(six.to_string(), "2 2 UDP 2130706430 2001:db8::9 20001 typ host");
        assert_eq!(six.to_string().parse(), Ok(six));
    }

    #[test]
    fn candidates_are_read_as_peers_write_them() {
        let chromium = "842163049 1 udp 1677729535 198.51.100.7 46154 typ srflx raddr 0.0.0.0 rport 0 \
                        generation 0 ufrag EsAw network-cost 999";
        let read: Candidate = chromium.parse().unwrap();
        assert_eq!(
            (read.kind, read.address),
            (Kind::ServerReflexive, "198.51.100.7:46154".parse().ok())
        );
        let hidden = "1 1 UDP 2113937151 9b36eaac-bb2e-49bb-bb78-21c41c499900.local 10004 typ host";
        assert_eq!(hidden.parse::<Candidate>().unwrap().address, None);
        let table = [
            ("", NotACandidate::Form),
            ("1 1 TCP 1 192.0.2.1 9 typ host tcptype active", NotACandidate::Transport),
            ("1 0 UDP 1 192.0.2.1 9 typ host", NotACandidate::Form),
            ("1 257 UDP 1 192.0.2.1 9 typ host", NotACandidate::Form),
            ("1 1 UDP x 192.0.2.1 9 typ host", NotACandidate::Form),
            ("1 1 UDP 1 192.0.2.1 0 typ host", NotACandidate::Form),
            ("1 1 UDP 1 192.0.2.1 9 typ other", NotACandidate::Form),
            ("1 1 UDP 1 192.0.2.1 9 type host", NotACandidate::Form),
        ];
        for (value, want) in table {
            assert_eq!(value.parse::<Candidate>(), Err(want), "{value}");
        }
    }
}
