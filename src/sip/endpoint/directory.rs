//! The directory as the endpoint looks things up: hashes computed once, peers by their addresses.

use crate::base::{Number, TrunkId};
use crate::sip::api::{AccountPolicy, Directory, Flow, Settings, Source, Transport};
use crate::sip::digest::Ha1;
use crate::sip::trunk::{Profile, Server, Upstream};
use crate::sip::{Scheme, Uri};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

/// A phone that never registers.
#[derive(Debug)]
pub(super) struct FixedPhone {
    pub target: Uri,
    /// What its URI names.
    pub server: Server,
}

/// An account: the hashes of its password, and its rule.
pub(super) struct Known {
    pub ha1: Ha1,
    pub policy: AccountPolicy,
}

/// See the module.
#[derive(Default)]
pub(super) struct Compiled {
    pub accounts: BTreeMap<String, Known>,
    trunks: BTreeMap<IpAddr, Vec<(u16, Option<Transport>, TrunkId)>>,
    profiles: BTreeMap<TrunkId, Profile>,
    /// The trunks that we reach, in the directory's order.
    pub upstreams: Vec<(TrunkId, Upstream)>,
    fixed: BTreeMap<Number, FixedPhone>,
    /// Where fixed phones send from. A connection comes from any port of its host.
    fixed_at: BTreeSet<(Transport, IpAddr, u16)>,
}

impl Compiled {
    pub fn new(directory: Directory, settings: &Settings) -> Self {
        let accounts = directory.accounts.into_iter().map(|(user, account)| {
            let ha1 = account.secret.ha1(&user, &settings.realm);
            (user, Known { ha1, policy: account.policy })
        });
        let mut compiled = Self { accounts: accounts.collect(), ..Self::default() };
        for trunk in directory.trunks {
            compiled.profiles.insert(trunk.id.clone(), trunk.profile);
            compiled.upstreams.extend(trunk.upstream.map(|upstream| (trunk.id.clone(), upstream)));
            for source in trunk.sources {
                let entry = (source.port(), trunk.transport, trunk.id.clone());
                compiled.trunks.entry(bare(source.ip())).or_default().push(entry);
            }
        }
        for (number, contact) in directory.fixed_phones {
            // A contact that is no SIP URI at an address cannot be called: it has no entry, and the
            // dial says so.
            let Ok(target) = contact.parse::<Uri>() else { continue };
            let Some(host) = target.host().filter(|_| target.scheme() == Scheme::Sip) else {
                continue;
            };
            // RFC 7118 §5.2: there is no calling a browser that has not called.
            let Some(transport) = target.transport().filter(|by| !by.is_websocket()) else {
                continue;
            };
            let written = target.params().has("transport").then_some(transport);
            let server = Server { host: host.clone(), port: target.port(), transport: written };
            // Only an address is known by what it sends: a name may lead anywhere tomorrow.
            if let Some(remote) = target.socket_addr() {
                let Some(listener) = listener_for(settings, transport, remote) else { continue };
                let flow = Flow { transport, listener, remote, connection: 0 };
                compiled.fixed_at.insert(seen_from(flow));
            }
            compiled.fixed.insert(number, FixedPhone { target: target.into_target(), server });
        }
        compiled
    }

    /// Who brings a request, judged by its address alone: a trunk by source and transport, a fixed
    /// phone by source and a From user that the directory knows.
    pub fn source(&self, flow: Flow, from_user: &str) -> Option<Source> {
        let SocketFlow { address, port } = SocketFlow::of(flow);
        if let Some(trunks) = self.trunks.get(&address) {
            let trunk = trunks.iter().find(|(due_port, transport, _)| {
                (*due_port == 0 || *due_port == port)
                    && transport.is_none_or(|transport| transport == flow.transport)
            });
            if let Some((_, _, id)) = trunk {
                return Some(Source::Trunk(id.clone()));
            }
        }
        if self.fixed_at.contains(&seen_from(flow)) {
            let number = Number::from(from_user);
            if self.fixed.contains_key(&number) || self.accounts.contains_key(from_user) {
                return Some(Source::Account(number));
            }
        }
        None
    }

    /// What the trunk is like.
    pub fn profile(&self, trunk: &TrunkId) -> Option<&Profile> {
        self.profiles.get(trunk)
    }

    /// Whether there is such an account or fixed phone.
    pub fn knows(&self, number: &Number) -> bool {
        self.accounts.contains_key(number.as_str()) || self.fixed.contains_key(number)
    }

    /// Contacts that the account may have by its own rule.
    pub fn max_contacts(&self, account: &Number) -> Option<usize> {
        self.accounts.get(account.as_str())?.policy.max_contacts
    }

    /// The addresses of trunks whose profile wants no `rport`.
    pub fn quiet(&self) -> impl Iterator<Item = IpAddr> {
        let wants_none = |id: &TrunkId| self.profiles.get(id).is_some_and(|profile| !profile.rport);
        let all = self.trunks.iter();
        all.filter(move |(_, of)| of.iter().any(|(_, _, id)| wants_none(id))).map(|(ip, _)| *ip)
    }

    /// The servers that fixed phones stand at.
    pub fn servers(&self) -> impl Iterator<Item = &Server> {
        self.fixed.values().map(|phone| &phone.server)
    }

    /// The fixed phone of that number.
    pub fn fixed(&self, number: &Number) -> Option<&FixedPhone> {
        self.fixed.get(number)
    }
}

struct SocketFlow {
    address: IpAddr,
    port: u16,
}

impl SocketFlow {
    fn of(flow: Flow) -> Self {
        Self { address: bare(flow.remote.ip()), port: flow.remote.port() }
    }
}

fn seen_from(flow: Flow) -> (Transport, IpAddr, u16) {
    let SocketFlow { address, port } = SocketFlow::of(flow);
    let port = if flow.transport.is_stream() { 0 } else { port };
    (flow.transport, address, port)
}

/// An IPv4 address that a dual-stack socket shows as IPv6 is the IPv4 address.
fn bare(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// The listener to send from: of the transport and the peer's address family the one whose address is
/// most like the peer's, so that phones in the desk's own network are called from there and the carrier
/// from the other side.
pub(super) fn listener_for(
    settings: &Settings,
    transport: Transport,
    remote: SocketAddr,
) -> Option<u16> {
    let by = settings.listeners.iter().enumerate().filter(|(_, by)| by.transport == transport);
    let fits = by.filter_map(|(place, by)| Some((alike(by.advertised.ip(), remote.ip())?, place)));
    // Of several that are as much alike, the first.
    let (_, place) = fits.min_by_key(|(alike, place)| (std::cmp::Reverse(*alike), *place))?;
    u16::try_from(place).ok()
}

/// The same, when the peer insists on the port that we send from.
pub(super) fn listener_from(
    settings: &Settings,
    transport: Transport,
    remote: SocketAddr,
    port: Option<u16>,
) -> Option<u16> {
    let Some(port) = port.filter(|_| transport == Transport::Udp) else {
        return listener_for(settings, transport, remote);
    };
    let fits = |ours: SocketAddr| {
        ours.port() == port && bare(ours.ip()).is_ipv4() == bare(remote.ip()).is_ipv4()
    };
    let place = settings
        .listeners
        .iter()
        .position(|listener| listener.transport == transport && fits(listener.advertised))?;
    u16::try_from(place).ok()
}

/// How many bits two addresses have in common from the left; None for different families.
fn alike(one: IpAddr, other: IpAddr) -> Option<u32> {
    match (bare(one), bare(other)) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            Some((one.to_bits() ^ other.to_bits()).leading_zeros())
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => {
            Some((one.to_bits() ^ other.to_bits()).leading_zeros())
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::api::Listener;

    #[test]
    fn a_peer_is_called_from_the_listener_in_its_own_network() {
        let listener =
            |transport, at: &str| Listener { transport, advertised: at.parse().unwrap() };
        let settings = Settings {
            listeners: vec![
                listener(Transport::Udp, "192.0.2.1:5060"),
                listener(Transport::Udp, "198.51.100.1:5060"),
                listener(Transport::Tcp, "198.51.100.1:5060"),
                listener(Transport::Udp, "[2001:db8::1]:5060"),
                listener(Transport::Udp, "[2001:db8:0:1::1]:5060"),
            ],
            ..crate::sip::endpoint::tests::settings()
        };
        let table = [
            (Transport::Udp, "192.0.2.77:5060", Some(0)),
            (Transport::Udp, "198.51.100.9:5060", Some(1)),
            (Transport::Udp, "203.0.113.9:5060", Some(0)),
            (Transport::Tcp, "192.0.2.77:5060", Some(2)),
            (Transport::Udp, "[2001:db8:0:1::9]:5060", Some(4)),
            (Transport::Udp, "[2001:db8:0:9::9]:5060", Some(3)),
            (Transport::Tcp, "[2001:db8::9]:5060", None),
            (Transport::Tls, "192.0.2.77:5061", None),
        ];
        for (transport, remote, want) in table {
            let remote = remote.parse().unwrap();
            assert_eq!(listener_for(&settings, transport, remote), want, "{transport:?} {remote}");
        }
    }
}
