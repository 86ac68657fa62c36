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
use hickory_resolver::system_conf::parse_resolv_conf;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// A server of the DNS that does not answer for so long is asked again, or the next one.
const PATIENCE: Duration = Duration::from_secs(2);
/// A look-up with all its questions takes no longer.
const WHOLE: Duration = Duration::from_secs(10);
/// Most SRV records of one service, and most services of one domain, that are followed.
const MOST_RECORDS: usize = 16;
/// TTL of an answer whose records say none.
const LONGEST: Duration = Duration::from_secs(3600);

/// Where the system says which servers of the DNS are asked (resolv.conf(5)), and the port that they have there.
const SYSTEM: (&str, u16) = ("/etc/resolv.conf", 53);

/// Why there is no resolver.
#[derive(Debug, thiserror::Error)]
#[error("the DNS cannot be asked: {0}")]
pub struct DnsError(#[from] NetError);

/// Why a server was not found.
#[derive(Debug, thiserror::Error)]
pub enum NotFound {
    /// There is nobody to ask.
    #[error(transparent)]
    NoResolver(#[from] DnsError),
    /// The DNS did not say within [`WHOLE`].
    #[error("the DNS did not answer within {} s", WHOLE.as_secs())]
    Late,
    /// What the DNS, or the way to it, said.
    #[error("the DNS says: {0}")]
    Refused(#[from] NetError),
    /// The name has no address.
    #[error("the DNS knows no address of it")]
    NoAddress,
}

/// The resolver.
#[derive(Debug)]
pub struct Dns(Source);

/// Which servers of the DNS are asked.
#[derive(Debug)]
enum Source {
    /// Those that the configuration names.
    Named(Arc<TokioResolver>),
    /// Those of the operating system, whatever they are by then: a desk runs for years.
    System { file: PathBuf, port: u16, read: Mutex<Read> },
}

/// What was last read of the system's configuration.
#[derive(Debug, Default)]
struct Read {
    /// When the file was last changed by then; none: it is read again whenever it is there.
    changed: Option<SystemTime>,
    resolver: Option<Arc<TokioResolver>>,
}

/// What an answer is made of.
#[derive(Default)]
struct Gathered {
    found: Vec<Found>,
    ttl: Option<Duration>,
}

impl Dns {
    /// A resolver that asks `servers`; with none, those of the operating system, and others when its configuration is
    /// another.
    ///
    /// # Errors
    ///
    /// [`DnsError`] when there can be no resolver for these servers.
    pub fn new(servers: &[SocketAddr]) -> Result<Self, DnsError> {
        if servers.is_empty() {
            let (file, port) = SYSTEM;
            return Ok(Self::following(Path::new(file), port));
        }
        let servers = servers.iter().map(|server| asked(server.ip(), server.port()));
        let config = ResolverConfig::from_parts(None, Vec::new(), servers.collect());
        Ok(Self(Source::Named(resolver(config, ResolverOpts::default())?)))
    }

    /// A resolver that asks the servers that a resolv.conf(5) names when something is looked up.
    fn following(file: &Path, port: u16) -> Self {
        Self(Source::System { file: file.to_owned(), port, read: Mutex::default() })
    }

    /// Where `server` is.
    ///
    /// # Errors
    ///
    /// [`NotFound`]. The system's configuration is then read again by the next look-up.
    pub async fn find(&self, server: &Server) -> Result<Answer, NotFound> {
        let resolver = self.resolver()?;
        let found = match tokio::time::timeout(WHOLE, Asking(&resolver).gather(server)).await {
            Err(_) => Err(NotFound::Late),
            Ok(Err(error)) => Err(NotFound::Refused(error)),
            Ok(Ok(gathered)) if gathered.found.is_empty() => Err(NotFound::NoAddress),
            Ok(Ok(Gathered { found, ttl })) => Ok(Answer { found, ttl: ttl.unwrap_or(LONGEST) }),
        };
        if found.is_err() {
            self.doubt();
        }
        found
    }

    /// As the configuration is now; what cannot be read now does not take away what could be read before.
    fn resolver(&self) -> Result<Arc<TokioResolver>, DnsError> {
        let (file, port, read) = match &self.0 {
            Source::Named(resolver) => return Ok(Arc::clone(resolver)),
            Source::System { file, port, read } => (file, *port, read),
        };
        let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = std::fs::metadata(file).and_then(|about| about.modified()).ok();
        match &read.resolver {
            Some(resolver) if changed.is_none() || changed == read.changed => {
                Ok(Arc::clone(resolver))
            }
            before => {
                let resolver = match (of_system(file, port), before) {
                    (Ok(resolver), _) => resolver,
                    (Err(_), Some(before)) => Arc::clone(before),
                    (Err(error), None) => return Err(error),
                };
                *read = Read { changed, resolver: Some(Arc::clone(&resolver)) };
                Ok(resolver)
            }
        }
    }

    /// A look-up failed: a change that the file's time does not show is found by the next one.
    fn doubt(&self) {
        if let Source::System { read, .. } = &self.0 {
            read.lock().unwrap_or_else(PoisonError::into_inner).changed = None;
        }
    }
}

/// A server of the DNS, asked by UDP and, for long answers, by TCP.
fn asked(ip: IpAddr, port: u16) -> NameServerConfig {
    let at = |mut connection: ConnectionConfig| {
        connection.port = port;
        connection
    };
    let connections = vec![at(ConnectionConfig::udp()), at(ConnectionConfig::tcp())];
    NameServerConfig::new(ip, true, connections)
}

fn of_system(file: &Path, port: u16) -> Result<Arc<TokioResolver>, DnsError> {
    let text = std::fs::read(file).map_err(NetError::from)?;
    let (config, options) = parse_resolv_conf(text)?;
    let servers = config.name_servers().iter().map(|server| asked(server.ip, port));
    resolver(ResolverConfig::from_parts(None, Vec::new(), servers.collect()), options)
}

fn resolver(config: ResolverConfig, options: ResolverOpts) -> Result<Arc<TokioResolver>, DnsError> {
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    let asked = builder.options_mut();
    *asked = options;
    asked.timeout = PATIENCE;
    asked.attempts = 2;
    // The SIP room knows when to ask again; two memories would add up.
    asked.cache_size = 0;
    Ok(Arc::new(builder.build()?))
}

/// One look-up.
struct Asking<'a>(&'a TokioResolver);

impl Asking<'_> {
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
        let mut failed = None;
        for ((transport, name), rank) in services.into_iter().zip(0_u32..) {
            let Some(name) = name else { continue };
            // One service that cannot be told does not hide the others.
            if let Err(error) = self.service(name, transport, rank, &mut all).await {
                failed = failed.or(Some(error));
            }
        }
        if let Some(error) = failed.filter(|_| all.found.is_empty()) {
            return Err(error);
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
