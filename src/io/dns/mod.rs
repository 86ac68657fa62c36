//! Names of servers to addresses, as RFC 3263 says: NAPTR, then SRV, then A and AAAA. Asks and
//! answers; when to ask again and which address to take is the SIP room's business.

// What a stranger sends cannot make us panic.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

use crate::sip::api::Transport;
use crate::sip::trunk::{Answer, Found, Server};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// A server of the DNS that does not answer for so long is asked again, or the next one.
const PATIENCE: Duration = Duration::from_secs(2);
/// A look-up with all its questions takes no longer.
const WHOLE: Duration = Duration::from_secs(10);
/// Most SRV records of one service, and most services of one domain, that are followed.
const MOST_RECORDS: usize = 16;
/// TTL of an answer whose records say none.
const LONGEST: Duration = Duration::from_secs(3600);

/// Why there is no resolver.
#[derive(Debug, thiserror::Error)]
#[error("the DNS cannot be asked: {0}")]
pub struct DnsError(#[from] NetError);

/// The resolver.
#[derive(Debug)]
pub struct Dns(TokioResolver);

/// What an answer is made of.
#[derive(Default)]
struct Gathered {
    found: Vec<Found>,
    ttl: Option<Duration>,
}

impl Dns {
    /// A resolver that asks `servers`; with none, those of the operating system.
    ///
    /// # Errors
    ///
    /// [`DnsError`] when the system's configuration cannot be read.
    pub fn new(servers: &[SocketAddr]) -> Result<Self, DnsError> {
        let mut builder = if servers.is_empty() {
            TokioResolver::builder_tokio()?
        } else {
            let servers = servers.iter().map(|server| {
                let at = |mut connection: ConnectionConfig| {
                    connection.port = server.port();
                    connection
                };
                let connections = vec![at(ConnectionConfig::udp()), at(ConnectionConfig::tcp())];
                NameServerConfig::new(server.ip(), true, connections)
            });
            let config = ResolverConfig::from_parts(None, Vec::new(), servers.collect());
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        let options: &mut ResolverOpts = builder.options_mut();
        options.timeout = PATIENCE;
        options.attempts = 2;
        // The SIP room knows when to ask again; two memories would add up.
        options.cache_size = 0;
        Ok(Self(builder.build()?))
    }

    /// Where `server` is; none when it has no address or the DNS does not say in [`WHOLE`].
    pub async fn find(&self, server: &Server) -> Option<Answer> {
        let gathered = tokio::time::timeout(WHOLE, self.gather(server)).await.ok()?.ok()?;
        let ttl = gathered.ttl.unwrap_or(LONGEST);
        (!gathered.found.is_empty()).then_some(Answer { found: gathered.found, ttl })
    }

    async fn gather(&self, server: &Server) -> Result<Gathered, NetError> {
        let mut all = Gathered::default();
        let Ok(domain) = Name::from_ascii(format!("{}.", server.host)) else { return Ok(all) };
        let transport = server.transport.unwrap_or(Transport::Udp);
        // RFC 3263 §4.2: a port that is written leaves A and AAAA only.
        if let Some(port) = server.port {
            self.addresses(domain, port, transport, (0, 0), &mut all).await?;
            return Ok(all);
        }
        let services = match server.transport {
            Some(by) => vec![(by, service(by, &domain))],
            None => self.services(&domain, &mut all).await?,
        };
        for ((transport, name), rank) in services.into_iter().zip(0_u32..) {
            let Some(name) = name else { continue };
            self.service(name, transport, rank, &mut all).await?;
        }
        if all.found.is_empty() {
            // RFC 3263 §4.2: no SRV at all: the domain itself.
            let port = if transport.is_secure() { 5061 } else { 5060 };
            self.addresses(domain, port, transport, (0, 0), &mut all).await?;
        }
        Ok(all)
    }

    /// The services of a domain in order of preference (RFC 3263 §4.1): by NAPTR, or else those that
    /// we speak.
    async fn services(
        &self,
        domain: &Name,
        all: &mut Gathered,
    ) -> Result<Vec<(Transport, Option<Name>)>, NetError> {
        let mut pointers = Vec::new();
        for (data, ttl) in self.ask(domain.clone(), RecordType::NAPTR).await? {
            let RData::NAPTR(pointer) = data else { continue };
            let transport = match pointer.services.to_ascii_uppercase().as_slice() {
                b"SIP+D2U" => Transport::Udp,
                b"SIP+D2T" => Transport::Tcp,
                b"SIPS+D2T" => Transport::Tls,
                _ => continue,
            };
            if pointer.flags.eq_ignore_ascii_case(b"s") {
                all.lives(ttl);
                let rank = (pointer.order, pointer.preference);
                pointers.push((rank, transport, pointer.replacement));
            }
        }
        pointers.sort_by_key(|(rank, ..)| *rank);
        if pointers.is_empty() {
            let ours = [Transport::Udp, Transport::Tcp];
            return Ok(ours.map(|by| (by, service(by, domain))).into());
        }
        let named = pointers.into_iter().map(|(_, by, name)| (by, Some(name)));
        Ok(named.take(MOST_RECORDS).collect())
    }

    async fn service(
        &self,
        name: Name,
        transport: Transport,
        rank: u32,
        all: &mut Gathered,
    ) -> Result<(), NetError> {
        for (data, ttl) in self.ask(name, RecordType::SRV).await?.into_iter().take(MOST_RECORDS) {
            let RData::SRV(record) = data else { continue };
            all.lives(ttl);
            // RFC 2782: a target of "." means that the service is decidedly not there.
            if record.target.is_root() {
                continue;
            }
            let priority = (rank << 16) | u32::from(record.priority);
            let ranked = (priority, record.weight);
            // One target that cannot be found does not hide the others.
            let _ = self.addresses(record.target, record.port, transport, ranked, all).await;
        }
        Ok(())
    }

    async fn addresses(
        &self,
        name: Name,
        port: u16,
        transport: Transport,
        (priority, weight): (u32, u16),
        all: &mut Gathered,
    ) -> Result<(), NetError> {
        let (four, six) =
            tokio::join!(self.ask(name.clone(), RecordType::A), self.ask(name, RecordType::AAAA));
        let both = match (four, six) {
            (Ok(four), Ok(six)) => four.into_iter().chain(six).collect(),
            (Ok(one), Err(_)) | (Err(_), Ok(one)) if !one.is_empty() => one,
            (Err(error), _) | (_, Err(error)) => return Err(error),
        };
        for (data, ttl) in both {
            let ip: IpAddr = match data {
                RData::A(four) => four.0.into(),
                RData::AAAA(six) => six.0.into(),
                _ => continue,
            };
            all.lives(ttl);
            let address = SocketAddr::new(ip, port);
            all.found.push(Found { transport, address, priority, weight });
        }
        Ok(())
    }

    /// The records of a name; none is no error.
    async fn ask(&self, name: Name, kind: RecordType) -> Result<Vec<(RData, u32)>, NetError> {
        match self.0.lookup(name, kind).await {
            Ok(found) => Ok(found
                .answers()
                .iter()
                .filter(|record| record.record_type() == kind)
                .map(|record| (record.data.clone(), record.ttl))
                .collect()),
            Err(error) if error.is_no_records_found() => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

impl Gathered {
    /// The whole lives as long as the record that lives shortest.
    fn lives(&mut self, ttl_s: u32) {
        let ttl = Duration::from_secs(u64::from(ttl_s));
        self.ttl = Some(self.ttl.map_or(ttl, |shortest| shortest.min(ttl)));
    }
}

/// The name of the SRV records of a transport (RFC 3263 §4.2).
fn service(transport: Transport, domain: &Name) -> Option<Name> {
    let prefix = match transport {
        Transport::Udp => "_sip._udp.",
        Transport::Tcp => "_sip._tcp.",
        Transport::Tls => "_sips._tcp.",
        Transport::Ws | Transport::Wss => return None,
    };
    Name::from_ascii(format!("{prefix}{domain}")).ok()
}

#[cfg(test)]
mod tests;
