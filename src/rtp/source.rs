//! From where a leg's packets are taken: the address of its SDP and no other, or, for a phone behind
//! NAT, one address that is learned once. Against injected sound, and against sound sent to strangers.

use super::command::Stream;
use crate::sdp::Protection;
use std::net::{IpAddr, SocketAddr};

/// Packets in a row from one stranger before it is believed to be the phone behind its NAT, while
/// nothing has come from the SDP's address.
pub const LEARN_AFTER: u8 = 5;

/// `[media] learn_source`: whether phones behind NAT are found by where their sound comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LearnSource {
    /// Only the SDP's address is ever heard.
    Never,
    /// The host that the phone's SIP comes from.
    Signalling,
    /// Any host: phones behind a proxy that leaves their sound alone. Whoever finds an open port before
    /// the phone speaks gets its sound.
    Anywhere,
}

impl LearnSource {
    /// As it stands in the configuration.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Never => "false",
            Self::Signalling => "true",
            Self::Anywhere => "\"anywhere\"",
        }
    }

    /// Whom one stream's lock may believe. What is encrypted is judged after it was opened: who has the
    /// key is no stranger, wherever it is.
    #[must_use]
    pub fn of(self, stream: &Stream) -> Learns {
        match (self, stream.home) {
            (Self::Never, _) => Learns::Nobody,
            (Self::Anywhere, _) => Learns::Anywhere,
            (Self::Signalling, _) if matches!(stream.protection, Protection::Sealed(_)) => {
                Learns::Anywhere
            }
            (Self::Signalling, Some(home)) => Learns::From(home),
            (Self::Signalling, None) => Learns::Nobody,
        }
    }
}

/// Which strangers may be believed to be a phone behind its NAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learns {
    /// None.
    Nobody,
    /// Who sends from this address: where the phone's SIP comes from. Its NAT is the same for both; a
    /// stranger elsewhere, who only knows our port, is never sent a packet.
    From(IpAddr),
    /// Anybody.
    Anywhere,
}

impl Learns {
    /// Whether a packet from there may be the phone's; IPv4 however it is written.
    #[must_use]
    pub fn allows(self, from: SocketAddr) -> bool {
        match self {
            Self::Nobody => false,
            Self::From(home) => home.to_canonical() == from.ip().to_canonical(),
            Self::Anywhere => true,
        }
    }
}

/// What to do with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the phone's.
    Accept,
    /// It is the phone's, and from now on [`SourceLock::target`] is where it came from.
    AcceptAndLock,
    /// Somebody else's, or not yet believed.
    Refuse,
}

/// The lock of one leg. A new SDP address needs a new lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceLock {
    sdp: SocketAddr,
    learns: Learns,
    /// The peer shows its address by ICE; no packet proves anything.
    by_checks: bool,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing believed yet; the stranger that spoke last, its stream's number, its packets in a row.
    Open { stranger: Option<(SocketAddr, u32)>, count: u8 },
    /// The SDP's address has spoken: nobody else will ever be heard.
    Proved,
    /// A stranger was believed. The SDP's own address still takes over when it speaks: then the
    /// stranger was none of the phone's.
    Learned(SocketAddr),
}

impl SourceLock {
    /// A lock that nobody has opened.
    #[must_use]
    pub const fn new(sdp: SocketAddr, learns: Learns) -> Self {
        Self { sdp, learns, by_checks: false, state: State::Open { stranger: None, count: 0 } }
    }

    /// Nobody is believed before [`Self::choose`] says whom: the peer proves its address by ICE. `sdp` is
    /// only what tells one description from the next.
    #[must_use]
    pub const fn by_checks(sdp: SocketAddr) -> Self {
        Self { by_checks: true, ..Self::new(sdp, Learns::Nobody) }
    }

    /// The peer has proved that it is there.
    pub const fn choose(&mut self, address: SocketAddr) {
        self.state = State::Learned(address);
    }

    /// Forgets whom it believed: the peer has to show its address anew.
    pub const fn forget(&mut self) {
        self.state = State::Open { stranger: None, count: 0 };
    }

    /// Whether a stranger may still turn out to be the phone behind its NAT.
    #[must_use]
    pub fn may_learn(&self, from: SocketAddr) -> bool {
        matches!(self.state, State::Open { .. }) && !self.by_checks && self.learns.allows(from)
    }

    /// Judges a well-formed packet of an agreed payload type.
    pub fn judge(&mut self, from: SocketAddr, ssrc: u32) -> Verdict {
        match self.state {
            State::Learned(phone) if from == phone => Verdict::Accept,
            _ if self.by_checks => Verdict::Refuse,
            State::Proved if from == self.sdp => Verdict::Accept,
            State::Open { .. } | State::Learned(_) if from == self.sdp => {
                self.state = State::Proved;
                Verdict::AcceptAndLock
            }
            State::Open { stranger, count } if self.learns.allows(from) => {
                let again = stranger == Some((from, ssrc));
                let count = if again { count.saturating_add(1) } else { 1 };
                if count >= LEARN_AFTER {
                    self.state = State::Learned(from);
                    return Verdict::AcceptAndLock;
                }
                self.state = State::Open { stranger: Some((from, ssrc)), count };
                Verdict::Refuse
            }
            State::Open { .. } | State::Proved | State::Learned(_) => Verdict::Refuse,
        }
    }

    /// Where to send: the phone once it is known, before that the SDP's address; none while that is
    /// no address (hold).
    #[must_use]
    pub fn target(&self) -> Option<SocketAddr> {
        let target = match self.state {
            State::Open { .. } | State::Proved if self.by_checks => return None,
            State::Learned(phone) => phone,
            State::Open { .. } | State::Proved => self.sdp,
        };
        (!target.ip().is_unspecified() && target.port() != 0).then_some(target)
    }

    /// The address that the lock was made for.
    #[must_use]
    pub const fn sdp(&self) -> SocketAddr {
        self.sdp
    }

    /// Whether no other address can ever be accepted.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self.state, State::Proved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{Accept, AcceptAndLock, Refuse};

    #[test]
    fn strangers_are_believed_late_or_never() {
        // s: the SDP's address, n: a phone's outside address, x: an attacker.
        let address = |who| match who {
            's' => "192.0.2.1:4000".parse::<SocketAddr>().unwrap(),
            'n' => "198.51.100.1:61000".parse().unwrap(),
            _ => "203.0.113.66:666".parse().unwrap(),
        };
        let (all, none) = (Learns::Anywhere, Learns::Nobody);
        let home = Learns::From("::ffff:198.51.100.1".parse().unwrap());
        let table: [(&str, Learns, &str, &[Verdict], char); 11] = [
            ("the phone itself", all, "ss", &[AcceptAndLock, Accept], 's'),
            (
                "an attacker after it",
                all,
                "sxxxxxxx",
                &[AcceptAndLock, Refuse, Refuse, Refuse, Refuse, Refuse, Refuse, Refuse],
                's',
            ),
            (
                "behind NAT",
                all,
                "nnnnnn",
                &[Refuse, Refuse, Refuse, Refuse, AcceptAndLock, Accept],
                'n',
            ),
            (
                "an attacker after a learned phone",
                all,
                "nnnnnx",
                &[Refuse, Refuse, Refuse, Refuse, AcceptAndLock, Refuse],
                'n',
            ),
            ("two strangers by turns", all, "nxnxnxnx", &[Refuse; 8], 's'),
            (
                "the phone after four of an attacker's",
                all,
                "xxxxsx",
                &[Refuse, Refuse, Refuse, Refuse, AcceptAndLock, Refuse],
                's',
            ),
            (
                "the phone takes back what an attacker got",
                all,
                "xxxxxsx",
                &[Refuse, Refuse, Refuse, Refuse, AcceptAndLock, AcceptAndLock, Refuse],
                's',
            ),
            ("learning forbidden", none, "nnnnnnn", &[Refuse; 7], 's'),
            ("an attacker elsewhere, alone", home, "xxxxxxx", &[Refuse; 7], 's'),
            (
                "where its SIP comes from",
                home,
                "nnnnnx",
                &[Refuse, Refuse, Refuse, Refuse, AcceptAndLock, Refuse],
                'n',
            ),
            (
                "an attacker's packets between do not hinder the phone",
                home,
                "nxnxnxnxn",
                &[Refuse, Refuse, Refuse, Refuse, Refuse, Refuse, Refuse, Refuse, AcceptAndLock],
                'n',
            ),
        ];
        for (case, learns, senders, want, target) in table {
            let mut lock = SourceLock::new(address('s'), learns);
            let got: Vec<_> = senders.chars().map(|who| lock.judge(address(who), 1)).collect();
            assert_eq!(got, want, "{case}");
            assert_eq!(lock.target(), Some(address(target)), "{case}");
        }
        let mut changing = SourceLock::new(address('s'), all);
        assert!(
            (0..20).all(|ssrc| changing.judge(address('n'), ssrc) == Refuse),
            "a new stream each time"
        );
        assert_eq!(SourceLock::new("0.0.0.0:4000".parse().unwrap(), all).target(), None);
    }
}
