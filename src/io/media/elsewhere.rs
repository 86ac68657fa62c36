//! Who shakes hands from elsewhere than where a description says: the phone behind its NAT, or strangers; only a
//! certificate tells which. They are heard side by side, so that a stranger who comes first keeps no phone out.
//! Knows no handshake and no socket.

use crate::base::Mono;
use std::net::SocketAddr;
use std::time::Duration;

/// So many at once.
const MOST: usize = 4;

/// Who has not shown within so long that it hears us gives way to a newcomer: a phone says our cookie within a round
/// trip, a forged address never. This bounds also how fast strangers can make the desk begin.
const GIVES_WAY_AFTER: Duration = Duration::from_millis(500);

/// Them, and what is under way with each.
pub(super) struct Elsewhere<H> {
    tries: Vec<Try<H>>,
}

struct Try<H> {
    from: SocketAddr,
    since: Mono,
    /// It has shown that it hears us.
    is_there: bool,
    shake: H,
}

impl<H> Try<H> {
    fn gives_way(&self, now: Mono) -> bool {
        !self.is_there && now.since(self.since) >= GIVES_WAY_AFTER
    }
}

impl<H> Default for Elsewhere<H> {
    fn default() -> Self {
        Self { tries: Vec::new() }
    }
}

impl<H> Elsewhere<H> {
    /// Whether who speaks from there is one of them.
    pub(super) fn has(&self, from: SocketAddr) -> bool {
        self.tries.iter().any(|one| one.from == from)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tries.is_empty()
    }

    /// Whether a newcomer is let in.
    pub(super) fn has_room(&self, now: Mono) -> bool {
        self.tries.len() < MOST || self.tries.iter().any(|one| one.gives_way(now))
    }

    /// Lets a newcomer in, in the place of the one that has waited longest where it must be; without room nobody.
    pub(super) fn begin(&mut self, from: SocketAddr, shake: H, now: Mono) {
        if self.tries.len() >= MOST {
            // In the order of their coming.
            let Some(at) = self.tries.iter().position(|one| one.gives_way(now)) else { return };
            self.tries.remove(at);
        }
        self.tries.push(Try { from, since: now, is_there: false, shake });
    }

    /// What is under way with who speaks from there.
    pub(super) fn of(&mut self, from: SocketAddr) -> Option<&mut H> {
        self.tries.iter_mut().find(|one| one.from == from).map(|one| &mut one.shake)
    }

    /// Who speaks from there has shown that it hears us.
    pub(super) fn is_there(&mut self, from: SocketAddr) {
        if let Some(one) = self.tries.iter_mut().find(|one| one.from == from) {
            one.is_there = true;
        }
    }

    /// All that is under way.
    pub(super) fn each(&mut self) -> impl Iterator<Item = (SocketAddr, &mut H)> {
        self.tries.iter_mut().map(|one| (one.from, &mut one.shake))
    }

    /// It is over with that one.
    pub(super) fn take(&mut self, from: SocketAddr) -> Option<H> {
        let at = self.tries.iter().position(|one| one.from == from)?;
        Some(self.tries.remove(at).shake)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn at(port: u16) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, port).into()
    }

    fn ms(number: u64) -> Mono {
        Mono(number * 1000)
    }

    fn who(elsewhere: &mut Elsewhere<u16>) -> Vec<u16> {
        elsewhere.each().map(|(from, _)| from.port()).collect()
    }

    #[test]
    fn who_has_not_shown_in_time_that_it_hears_us_gives_way_and_who_has_never() {
        let mut elsewhere = Elsewhere::default();
        for port in 1..=4 {
            assert!(elsewhere.has_room(ms(0)));
            elsewhere.begin(at(port), port, ms(u64::from(port)));
        }
        elsewhere.is_there(at(1));
        elsewhere.is_there(at(9));
        assert_eq!(elsewhere.of(at(2)), Some(&mut 2));
        assert_eq!(elsewhere.of(at(9)), None);
        // Not yet.
        assert!(!elsewhere.has_room(ms(501)));
        elsewhere.begin(at(5), 5, ms(501));
        assert_eq!(who(&mut elsewhere), [1, 2, 3, 4]);
        assert!(elsewhere.has_room(ms(502)));
        elsewhere.begin(at(5), 5, ms(502));
        assert_eq!(who(&mut elsewhere), [1, 3, 4, 5]);
        for port in 6..60 {
            elsewhere.begin(at(port), port, ms(u64::from(port) * 500));
        }
        assert_eq!(who(&mut elsewhere).first(), Some(&1));
        assert_eq!(elsewhere.take(at(1)), Some(1));
        assert_eq!(elsewhere.take(at(1)), None);
        assert!(elsewhere.has_room(ms(29_501)), "a place is free");
    }
}
