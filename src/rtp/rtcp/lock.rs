//! From where a leg's control packets are taken, and where ours go, when they have a port of their own.

use std::net::SocketAddr;

/// The rule for one leg. A new description needs a new one.
///
/// The address that the description names is believed. Another is, once: when sound has been learned to
/// come from that machine (a phone behind NAT), and the packet names the stream that is heard. Who cannot
/// hear the stream does not know its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtcpLock {
    said: SocketAddr,
    learned: Option<SocketAddr>,
}

impl RtcpLock {
    /// `said`: by the description.
    #[must_use]
    pub const fn new(said: SocketAddr) -> Self {
        Self { said, learned: None }
    }

    /// Whether a packet from there counts. `sound`: where sound was learned to come from, if it was another
    /// place than described; `names_it`: it names the stream that we hear.
    pub fn judge(&mut self, from: SocketAddr, sound: Option<SocketAddr>, names_it: bool) -> bool {
        match self.learned {
            Some(learned) => from == learned,
            None if from == self.said => true,
            None if names_it && sound.is_some_and(|sound| sound.ip() == from.ip()) => {
                self.learned = Some(from);
                true
            }
            None => false,
        }
    }

    /// Where ours go; none while the description names no place.
    #[must_use]
    pub fn target(&self) -> Option<SocketAddr> {
        let target = self.learned.unwrap_or(self.said);
        (!target.ip().is_unspecified() && target.port() != 0).then_some(target)
    }

    /// What the description said.
    #[must_use]
    pub const fn said(&self) -> SocketAddr {
        self.said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_steer_no_reports() {
        let at = |who| match who {
            's' => "192.0.2.1:4001".parse::<SocketAddr>().unwrap(),
            'n' => "198.51.100.1:61001".parse().unwrap(),
            'm' => "198.51.100.1:61003".parse().unwrap(),
            _ => "203.0.113.66:666".parse().unwrap(),
        };
        let sound: SocketAddr = "198.51.100.1:61000".parse().unwrap();
        let table = [
            ("as described", None, "s+ s- x+", "110", 's'),
            ("behind NAT, its number known", Some(sound), "n- n+ n-", "011", 'n'),
            ("another port of it after that", Some(sound), "n+ m+ s+", "100", 'n'),
            ("a stranger who knows the number", Some(sound), "x+ x+ s-", "001", 's'),
            ("sound comes from where it should", None, "n+ n+", "00", 's'),
        ];
        for (case, sound, packets, want, target) in table {
            let mut lock = RtcpLock::new(at('s'));
            let judged: String = packets
                .split(' ')
                .map(|packet| {
                    let mut letters = packet.chars();
                    let (who, names) = (letters.next().unwrap(), letters.next() == Some('+'));
                    if lock.judge(at(who), sound, names) { '1' } else { '0' }
                })
                .collect();
            assert_eq!(judged, want, "{case}");
            assert_eq!(lock.target(), Some(at(target)), "{case}");
        }
        assert_eq!(RtcpLock::new("0.0.0.0:4001".parse().unwrap()).target(), None);
    }
}
