//! Servers that are given by name: what the resolver said of them and when it is to be asked again.
//! Nothing waits for an answer: a name is looked up before it is needed, and what was last known serves
//! while the resolver is silent.

use super::later;
use super::upstream::Server;
use crate::base::{Mono, Rng};
use crate::sip::api::Transport;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// Most names that are looked up; one more is never found.
pub const MAX_NAMES: usize = 1_024;
/// Most names that peers have named in calls and that are looked up beside; one more takes the place of the one
/// that was wanted longest ago.
pub const MAX_HEARD: usize = 256;
/// One that no call has wanted for so long is forgotten.
pub const UNWANTED: Duration = Duration::from_secs(600);
/// Most addresses that are kept of one name.
pub const MAX_FOUND: usize = 16;
/// An answer is believed for at least and at most so long, whatever its TTL says.
pub const TTL: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(3_600));
/// A name that could not be found is asked for again after so long.
pub const NEGATIVE: Duration = Duration::from_secs(30);
/// A look-up that nobody answers for so long is begun again.
pub const LOST: Duration = Duration::from_secs(20);
/// What was last known serves for so long while the resolver fails.
pub const STALE: Duration = Duration::from_secs(24 * 3_600);

/// One address of a server, as SRV records rank it (RFC 2782); by A and AAAA alone all are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// By what.
    pub transport: Transport,
    /// Where.
    pub address: SocketAddr,
    /// The lowest first; of NAPTR before SRV (RFC 3263 §4.1).
    pub priority: u32,
    /// Among those of equal priority, the share of calls.
    pub weight: u16,
}

/// What a look-up came to: the addresses and how long they may be believed; none when the name has no
/// address or the resolver failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// In any order.
    pub found: Vec<Found>,
    /// The shortest TTL among the records.
    pub ttl: Duration,
}

#[derive(Debug, Default)]
struct Entry {
    /// In the order in which they are tried.
    known: Vec<(Transport, SocketAddr)>,
    /// When the resolver last knew it.
    at: Option<Mono>,
    /// When it is to be asked (again).
    due: Mono,
    /// When a call wanted it last; none for a name of the configuration's.
    wanted: Option<Mono>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Names(BTreeMap<Server, Entry>);

impl Names {
    /// Forgets every name but these and takes up the new ones.
    pub fn watch(&mut self, servers: impl Iterator<Item = Server>) {
        let mut before = std::mem::take(&mut self.0);
        for server in servers.filter(|server| server.host.ip().is_none()).take(MAX_NAMES) {
            let entry = before.remove(&server).unwrap_or_default();
            self.0.entry(server).or_insert(Entry { wanted: None, ..entry });
        }
        for (server, entry) in before.into_iter().filter(|(_, entry)| entry.wanted.is_some()) {
            self.0.entry(server).or_insert(entry);
        }
    }

    /// A call has to do with a server that its peer named: it is looked up at once, and again while calls
    /// want it. Nobody waits for that.
    pub fn want(&mut self, server: &Server, now: Mono) {
        if let Some(entry) = self.0.get_mut(server) {
            entry.wanted = entry.wanted.map(|_| now);
            return;
        }
        let heard = self.0.iter().filter_map(|(server, entry)| Some((entry.wanted?, server)));
        if heard.clone().count() >= MAX_HEARD
            && let Some(oldest) = heard.min().map(|(_, server)| server.clone())
        {
            self.0.remove(&oldest);
        }
        let entry = Entry { due: now, wanted: Some(now), ..Entry::default() };
        self.0.insert(server.clone(), entry);
    }

    /// Where a name leads by the transport that it is given with, if that is known.
    #[must_use]
    pub fn address(&self, server: &Server) -> Option<SocketAddr> {
        let known = &self.0.get(server)?.known;
        known.iter().find(|(by, _)| server.transport == Some(*by)).map(|(_, address)| *address)
    }

    /// Where a server is, the best first; an address is itself.
    #[must_use]
    pub fn addresses(&self, server: &Server) -> Vec<(Transport, SocketAddr)> {
        match server.host.ip() {
            Some(ip) => {
                let transport = server.transport.unwrap_or(Transport::Udp);
                let default = if transport.is_secure() { 5061 } else { 5060 };
                vec![(transport, SocketAddr::new(ip, server.port.unwrap_or(default)))]
            }
            None => self.0.get(server).map(|entry| entry.known.clone()).unwrap_or_default(),
        }
    }

    /// When [`Names::due`] has something.
    #[must_use]
    pub fn deadline(&self) -> Option<Mono> {
        self.0.values().map(|entry| entry.due).min()
    }

    /// A name that is to be looked up now.
    pub fn due(&mut self, now: Mono) -> Option<Server> {
        self.0.retain(|_, entry| entry.wanted.is_none_or(|at| now.since(at) < UNWANTED));
        let (server, entry) = self.0.iter_mut().find(|(_, entry)| entry.due <= now)?;
        entry.due = later(now, LOST);
        Some(server.clone())
    }

    /// The resolver's word; true when the addresses are others than before.
    pub fn answered(
        &mut self,
        server: &Server,
        answer: Option<Answer>,
        now: Mono,
        rng: &mut Rng,
    ) -> bool {
        let Some(entry) = self.0.get_mut(server) else { return false };
        match answer {
            Some(answer) if !answer.found.is_empty() => {
                entry.due = later(now, answer.ttl.clamp(TTL.0, TTL.1));
                entry.at = Some(now);
                let before = entry.known.clone();
                let same = answer.found.len() == before.len()
                    && answer.found.iter().all(|f| before.contains(&(f.transport, f.address)));
                // The order is drawn anew only with new addresses: calls do not wander with each TTL.
                if !same {
                    entry.known = ordered(answer.found, rng);
                }
                !same
            }
            Some(_) | None => {
                entry.due = later(now, NEGATIVE);
                let stale = entry.at.is_none_or(|at| now.since(at) >= STALE);
                stale && !std::mem::take(&mut entry.known).is_empty()
            }
        }
    }
}

/// The order of RFC 2782: by priority, and among equals drawn by weight.
fn ordered(mut found: Vec<Found>, rng: &mut Rng) -> Vec<(Transport, SocketAddr)> {
    let mut order: Vec<(Transport, SocketAddr)> = Vec::new();
    found.truncate(MAX_FOUND.saturating_mul(4));
    while let Some(best) = found.iter().map(|found| found.priority).min() {
        if order.len() >= MAX_FOUND {
            break;
        }
        let weight =
            |found: &Found| if found.priority == best { u64::from(found.weight) } else { 0 };
        let sum = found.iter().map(weight).fold(0_u64, u64::saturating_add);
        // A random number from 0 to the sum of the weights, both included; weight 0 comes first.
        let mut left = rng.below(sum.saturating_add(1));
        let mut equals: Vec<usize> = (0..found.len())
            .filter(|n| found.get(*n).is_some_and(|f| f.priority == best))
            .collect();
        equals.sort_by_key(|n| found.get(*n).is_some_and(|found| found.weight != 0));
        let mut drawn = equals.first().copied();
        for n in equals {
            let share = found.get(n).map_or(0, weight);
            if left <= share {
                drawn = Some(n);
                break;
            }
            left = left.saturating_sub(share);
        }
        let Some(drawn) = drawn else { break };
        let next = found.remove(drawn);
        order.push((next.transport, next.address));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(port: u16, priority: u32, weight: u16) -> Found {
        let address = SocketAddr::from(([192, 0, 2, 1], port));
        Found { transport: Transport::Udp, address, priority, weight }
    }

    fn at(seconds: u64) -> Mono {
        Mono(seconds * 1_000_000)
    }

    fn answer(found: Vec<Found>, ttl_s: u64) -> Answer {
        Answer { found, ttl: Duration::from_secs(ttl_s) }
    }

    /// RFC 2782 (as RFC 3263 §4.2 uses it).
    #[test]
    fn rfc3263_srv_records_are_tried_by_priority_and_drawn_by_weight() {
        let mut rng = Rng::from_number(1);
        let (mut heavy_first, rounds) = (0, 2_000);
        for _ in 0..rounds {
            let order =
                ordered(vec![found(3, 20, 0), found(1, 10, 30), found(2, 10, 10)], &mut rng);
            let ports: Vec<u16> = order.iter().map(|(_, address)| address.port()).collect();
            assert_eq!(ports.len(), 3);
            assert_eq!(ports[2], 3, "the lowest priority is last");
            heavy_first += u32::from(ports[0] == 1);
        }
        assert!((1_350..1_650).contains(&heavy_first), "three of four: {heavy_first}");
    }

    #[test]
    fn what_calls_name_is_looked_up_while_they_want_it_and_bounded() {
        let mut rng = Rng::from_number(1);
        let named = |n: usize| Server::parse(&format!("tcp:sbc{n}.carrier.example")).unwrap();
        let mut names = Names::default();
        names.watch([Server::parse("carrier.example").unwrap()].into_iter());
        let _ = names.due(at(0));
        names.want(&named(0), at(1));
        assert_eq!(names.due(at(1)), Some(named(0)));
        let tcp = Found { transport: Transport::Tcp, ..found(9, 10, 10) };
        assert!(names.answered(&named(0), Some(answer(vec![tcp], 60)), at(1), &mut rng));
        assert_eq!(names.address(&named(0)), Some(tcp.address));
        // A new configuration does not make calls lose their way.
        names.watch([Server::parse("carrier.example").unwrap()].into_iter());
        assert_eq!(names.address(&named(0)), Some(tcp.address));
        // Nobody wants it any more.
        let _ = names.due(at(602));
        assert_eq!(names.address(&named(0)), None);
        for n in 0..1_000 {
            names.want(&named(n), at(700 + n as u64));
        }
        assert_eq!(names.0.len(), MAX_HEARD + 1, "the configured one stays");
        assert!(names.0.contains_key(&named(999)) && !names.0.contains_key(&named(0)));
    }

    #[test]
    fn a_name_is_asked_for_again_by_its_ttl_and_kept_while_the_resolver_fails() {
        let mut rng = Rng::from_number(1);
        let server = Server::parse("carrier.example").unwrap();
        let mut names = Names::default();
        names.watch([server.clone(), Server::parse("192.0.2.9").unwrap()].into_iter());
        assert_eq!(names.addresses(&Server::parse("192.0.2.9").unwrap()).len(), 1);
        assert_eq!(names.due(at(0)), Some(server.clone()));
        assert_eq!(names.due(at(1)), None, "asked already");
        assert_eq!(names.due(at(20)), Some(server.clone()), "silence: asked again");
        assert!(names.answered(&server, Some(answer(vec![found(1, 0, 0)], 60)), at(21), &mut rng));
        assert_eq!(names.deadline(), Some(at(81)));
        // A TTL of nothing and one of a week are both brought into bounds.
        assert!(!names.answered(&server, Some(answer(vec![found(1, 0, 0)], 0)), at(100), &mut rng));
        assert_eq!(names.deadline(), Some(at(110)));
        assert!(names.answered(
            &server,
            Some(answer(vec![found(2, 0, 0)], 604_800)),
            at(110),
            &mut rng
        ));
        assert_eq!(names.deadline(), Some(at(3_710)));
        // SERVFAIL: what was known serves on, and the resolver is left alone for a while.
        assert!(!names.answered(&server, None, at(3_710), &mut rng));
        assert_eq!(names.addresses(&server).len(), 1);
        assert_eq!(names.deadline(), Some(at(3_740)));
        assert!(names.answered(&server, None, at(110 + 24 * 3_600), &mut rng));
        assert_eq!(names.addresses(&server).len(), 0);
        // A name that is watched no more is forgotten.
        names.watch(std::iter::empty());
        assert_eq!(names.deadline(), None);
        assert!(!names.answered(&server, Some(answer(vec![found(1, 0, 0)], 60)), at(0), &mut rng));
    }
}
