//! From the text of `madoguchi.toml` to a [`Config`] without its secrets. Pure: no file is opened.

use super::credential;
use super::people_problem::PeopleProblem;
use super::problem::Problem;
use super::tls_problem::TlsProblem;
use super::{Config, Durability, Http, Limits, ListenConfig, Media, Sip, StoreConfig, TlsConfig};
use crate::base::{Number, Private};

use crate::dialplan::reader::{At, Item, Table, document};
use crate::dialplan::shape::{Kind, NumberRule, Shape, TextRule, show};
use crate::dialplan::values::{self, RangeFault};
use crate::dialplan::{Finding, Findings, Source};
use crate::people::People;
use crate::rtp::LearnSource;
use crate::rtp::tone::Country;
use crate::sdp::Codec;
use crate::sip::api::Transport;
use crate::sip::digest::Offer;
use chrono::NaiveTime;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Calls at once when the configuration does not say and the ports would bear more.
const MOST_CALLS: usize = 5000;
/// Most fixed phones.
const MOST_PHONES: usize = 100_000;
/// Most listeners, trunks, sources of a trunk, or names of ours, each.
const MOST_ENTRIES: usize = 256;

/// Days that callers' numbers and names may be kept: ten years.
const MOST_DAYS: u64 = 3_660;
/// When old ones are erased: three o'clock at night.
const ERASE_AT: NaiveTime = NaiveTime::from_hms_opt(3, 0, 0).expect("a time");

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// By what a trunk comes: never by WebSocket, which is for browsers.
pub(super) const TRANSPORTS: [(&str, Transport); 3] =
    [("udp", Transport::Udp), ("tcp", Transport::Tcp), ("tls", Transport::Tls)];

/// Reads a configuration. `base` is the folder that relative paths in it begin from. Accounts and
/// token are empty: see [`super::load`].
///
/// # Errors
///
/// Everything that was found, when any of it is an error; otherwise the configuration comes with its
/// warnings.
pub fn parse(
    text: &str,
    file_name: &str,
    base: &Path,
) -> Result<(Config, Vec<Finding>), Vec<Finding>> {
    parse_with(text, file_name, base, None)
}

/// The same where the service manager hands over credentials: `credentials` is the folder in which they lie.
///
/// # Errors
///
/// As [`parse`].
pub(super) fn parse_with(
    text: &str,
    file_name: &str,
    base: &Path,
    credentials: Option<&Path>,
) -> Result<(Config, Vec<Finding>), Vec<Finding>> {
    let mut out = Findings::new(Source::new(text, file_name));
    let Some(document) = document(&mut out) else { return Err(out.into_sorted()) };
    let mut reading = Reading { out: &mut out, base, credentials };
    let config = reading.config(Table::new(&document));
    match config {
        Some(config) if !out.refuse() => Ok((config, out.into_sorted())),
        Some(_) | None => Err(out.into_sorted()),
    }
}

pub(super) struct Reading<'r, 't> {
    pub(super) out: &'r mut Findings<'t>,
    base: &'r Path,
    credentials: Option<&'r Path>,
}

/// A listener and where it stands.
type Listens = Vec<At<ListenConfig>>;

impl Reading<'_, '_> {
    fn config(&mut self, mut top: Table) -> Option<Config> {
        let sip = section(&mut top, "sip", "[sip] listen = [\"udp:127.0.0.1:5060\"]", self.out);
        let (sip, listens) = sip.map(|table| self.sip(table)).unzip();
        let media = top.table("media", self.out).unwrap_or_else(|| top.empty());
        let advertise = sip.as_ref().and_then(|sip: &Sip| sip.advertise);
        let media = self.media(media, advertise, listens.as_ref().unwrap_or(&Vec::new()));
        let limits = top.table("limits", self.out).unwrap_or_else(|| top.empty());
        let limits = self.limits(limits, media.ports.clone().count() / 2);
        let store = top.table("store", self.out).unwrap_or_else(|| top.empty());
        let store = self.store(store);
        let http = top.table("http", self.out).unwrap_or_else(|| top.empty());
        let http = self.http(http);
        let trace = top.table("trace", self.out).unwrap_or_else(|| top.empty());
        let trace = self.trace(trace);
        let log = top.table("log", self.out).map(|table| self.log(table)).unwrap_or_default();
        let recording = top.table("recording", self.out).and_then(|table| self.recording(table));
        let warning = top.table("warning", self.out).and_then(|table| self.warning(table));
        let tickets = top.table("tickets", self.out).map(|table| self.tickets(table));
        let figures = top.table("figures", self.out).unwrap_or_else(|| top.empty());
        let figures = self.figures(figures);
        let plan = section(&mut top, "plan", "[plan] file = \"service-desk.toml\"", self.out);
        let plan = plan.and_then(|mut table| {
            let file = table.need("file", "file = \"dialplans/service-desk.toml\"", self.out);
            let file = file.and_then(|item| self.path(&item));
            table.finish(self.out);
            file
        });
        let accounts = top.table("accounts", self.out);
        let (accounts_file, account_rules) =
            accounts.map(|table| self.accounts(table)).unwrap_or_default();
        let trunks = top.get("trunks").map(|item| self.trunks(&item)).unwrap_or_default();
        let ports: Vec<u16> = listens
            .iter()
            .flatten()
            .filter(|listen| listen.value.transport == Transport::Udp)
            .map(|listen| listen.value.address.port())
            .collect();
        for trunk in trunks.iter().filter(|trunk| trunk.upstream.is_some()) {
            if let Some(port) = trunk.profile.source_port.filter(|port| !ports.contains(port)) {
                let name = trunk.name.to_string();
                self.out.whole(Problem::SourcePort { name, port });
            }
        }
        let fixed_phones =
            top.get("fixed_phones").map(|item| self.fixed_phones(&item)).unwrap_or_default();
        let dns_servers = top.table("dns", self.out).map(|table| self.dns(table));
        top.finish(self.out);
        Some(Config {
            dns_servers: dns_servers.unwrap_or_default(),
            sip: sip?,
            media,
            store,
            http,
            recording,
            warning,
            tickets: tickets.unwrap_or_default(),
            figures,
            trace,
            log,
            plan: plan?,
            accounts_file,
            accounts: BTreeMap::new(),
            account_rules,
            trunks,
            fixed_phones,
            limits,
            token: Private::default(),
            viewer_token: Private::default(),
            wall_token: Private::default(),
            people: People::default(),
            http_tls: None,
            tls: None,
        })
    }

    fn sip(&mut self, mut table: Table) -> (Sip, Listens) {
        let example = "listen = [\"udp:127.0.0.1:5060\", \"tcp:127.0.0.1:5060\"]";
        let listen = table.need("listen", example, self.out);
        let listens = listen.map(|item| self.listens(&item)).unwrap_or_default();
        let advertise = table.get("advertise").and_then(|item| self.address(&item));
        let advertise = advertise.and_then(|address| {
            if address.value.is_unspecified() || address.value.is_multicast() {
                let (key, found) = ("advertise".to_owned(), address.value.to_string());
                self.out.at(&address.span, Problem::Unreachable { key, found });
                return None;
            }
            Some(address.value)
        });
        for listen in &listens {
            let ip = listen.value.address.ip();
            if ip.is_unspecified() && advertise.is_none_or(|ours| ours.is_ipv4() != ip.is_ipv4()) {
                self.out.at(&listen.span, Problem::NoAdvertise { key: "listen" });
            }
        }
        let realm = table
            .need("realm", "realm = \"desk.example\"", self.out)
            .and_then(|item| item.raw(self.out))
            .map(|realm| {
                let good = (1..=128).contains(&realm.value.len())
                    && realm
                        .value
                        .bytes()
                        .all(|b| matches!(b, b' '..=b'~') && !b"\"\\".contains(&b));
                if !good {
                    let found = realm.value.clone();
                    self.out.at(&realm.span, Problem::BadRealm { found });
                }
                realm.value
            })
            .unwrap_or_default();
        let hosts = table.get("hosts").map(|item| self.hosts(&item)).unwrap_or_default();
        // A registrar never refuses a lease of an hour as too brief (RFC 3261 §10.3 step 7).
        let min_expires = table.duration("min_expires", s(10)..=s(3599), s(60), self.out);
        let max = table.get("max_expires");
        let max = max.and_then(|item| item.duration(s(60)..=s(86_400), self.out));
        let max_expires = max.as_ref().map_or(s(3600), |max| max.value);
        if min_expires > max_expires {
            let (min, shown) = (show(min_expires), show(max_expires));
            let span = max.map_or(table.key_span("min_expires"), |max| max.span);
            self.out.at(&span, Problem::LeaseOrder { min, max: shown });
        }
        let max_contacts = self.count(&mut table, "max_contacts", 1..=100, 10);
        let digest = table.get("digest").and_then(|item| {
            let known =
                [("md5", Offer::Md5Only), ("md5-first", Offer::Md5First), ("both", Offer::Both)];
            item.word(&known, self.out)
        });
        // RFC 7616 §3.7 asks a phone to pass over an algorithm that it does not know; the softphones
        // of the desk's own distribution give up instead, so the stronger one must be asked for.
        let digest = digest.unwrap_or(Offer::Md5Only);
        let session = super::session::read(&mut table, self.out);
        // RFC 4594 §4.2 recommends CS5 for signalling; telephones and switches everywhere are set to CS3.
        let dscp = u8::try_from(table.integer("dscp", 0..=63, 24, self.out)).unwrap_or(0);
        let origins = table.get("origins").map(|item| self.origins(&item));
        let tls = table.table("tls", self.out).map(|table| self.tls(table));
        if tls.is_none()
            && let Some(secure) = listens.iter().find(|l| l.value.transport.is_secure())
        {
            let transport = secure.value.transport.as_str();
            self.out.at(&secure.span, Problem::Tls(TlsProblem::NoCertificate { transport }));
        }
        table.finish(self.out);
        let listen = listens.iter().map(|listen| listen.value).collect();
        let sip = Sip {
            listen,
            advertise,
            realm,
            digest,
            hosts,
            min_expires,
            max_expires,
            max_contacts,
            dscp,
            session,
            tls: tls.flatten(),
            origins,
        };
        (sip, listens)
    }

    /// None when a part is missing, which has been told.
    fn tls(&mut self, mut table: Table) -> Option<TlsConfig> {
        let example = "certificate = \"tls/desk.example.pem\"";
        let certificate = table.need("certificate", example, self.out);
        let certificate = certificate.and_then(|item| self.path(&item));
        let key = table.need("key", "key = \"secrets/desk.example.key\"", self.out);
        let key = key.and_then(|item| self.path(&item));
        let client_ca = table.get("client_ca").and_then(|item| self.path(&item));
        let peer_ca = table.get("peer_ca").and_then(|item| self.path(&item));
        let verify_peers = table.flag("verify_peers", true, self.out);
        table.finish(self.out);
        Some(TlsConfig { certificate: certificate?, key: key?, client_ca, peer_ca, verify_peers })
    }

    /// As a browser's `Origin` has them (RFC 6454 §6.1).
    fn origins(&mut self, item: &Item) -> Vec<String> {
        let mut origins = Vec::new();
        for entry in self.bounded(item) {
            let Some(text) = entry.raw(self.out) else { continue };
            let host = text.value.strip_prefix("https://").or(text.value.strip_prefix("http://"));
            let fine = host.is_some_and(|host| {
                !host.is_empty()
                    && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b))
            });
            if fine {
                origins.push(text.value);
            } else {
                self.out.at(&text.span, Problem::BadOrigin { found: text.value });
            }
        }
        origins
    }

    fn listens(&mut self, item: &Item) -> Listens {
        let mut listens: Listens = Vec::new();
        for entry in self.bounded(item) {
            let Some(text) = entry.raw(self.out) else { continue };
            let found = text.value.split_once(':').and_then(|(transport, address)| {
                let transport = Transport::ALL.into_iter().find(|by| by.as_str() == transport)?;
                let address = address.parse().ok()?;
                Some(ListenConfig { transport, address })
            });
            let Some(listen) = found else {
                self.out.at(&text.span, Problem::BadListen { found: text.value });
                continue;
            };
            let same =
                |other: &At<ListenConfig>| other.value == listen && listen.address.port() != 0;
            if let Some(first) = listens.iter().find(|other| same(other)) {
                let line = self.out.source().line_of(first.span.start);
                self.out.at(&text.span, Problem::Twice { what: text.value, line });
            }
            listens.push(At { value: listen, span: text.span });
        }
        if listens.is_empty() && item.one_or_list().is_empty() {
            let example = "[\"udp:127.0.0.1:5060\"]";
            self.out.at(&item.span, Problem::Empty { key: "listen".to_owned(), example });
        }
        listens
    }

    pub(super) fn hosts(&mut self, item: &Item) -> Vec<String> {
        let mut hosts = Vec::new();
        for entry in self.bounded(item) {
            let Some(text) = entry.raw(self.out) else { continue };
            // RFC 3261 §25.1: hostname, or an address.
            let name = (1..=253).contains(&text.value.len())
                && text
                    .value
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
            if name || text.value.parse::<IpAddr>().is_ok() {
                hosts.push(text.value);
            } else {
                self.out.at(&text.span, Problem::BadHost { found: text.value });
            }
        }
        hosts
    }

    fn media(&mut self, mut table: Table, advertise: Option<IpAddr>, listens: &Listens) -> Media {
        let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let address = table.get("address");
        let address = address.and_then(|item| self.address(&item));
        let span = address.as_ref().map(|address| address.span.clone());
        let address = address.map_or(local, |address| address.value);
        let mut advertised = address;
        if address.is_unspecified() {
            match advertise.filter(|ours| address.is_ipv6() || ours.is_ipv4()) {
                Some(ours) => advertised = ours,
                None => {
                    self.out.at(&span.unwrap_or_default(), Problem::NoAdvertise { key: "address" });
                }
            }
        }
        let ports = table.get("ports").and_then(|item| self.ports(&item));
        let ports = ports.unwrap_or(20_000..=29_999);
        for listen in listens {
            let (port, ip) = (listen.value.address.port(), listen.value.address.ip());
            let same_ip = ip == address || ip.is_unspecified() || address.is_unspecified();
            if listen.value.transport == Transport::Udp && same_ip && ports.contains(&port) {
                self.out.at(&listen.span, Problem::PortInside { port });
            }
        }
        let codecs = table.get("codecs").map(|item| self.codecs(&item));
        let threads = self.count(&mut table, "threads", 1..=64, 1);
        let prompts = table.get("prompts").and_then(|item| self.path(&item));
        let countries = Country::ALL.map(|country| (country.name(), country));
        let tones = table.get("tones").and_then(|item| item.word(&countries, self.out));
        let silence_after = table.duration("silence_after", s(2)..=s(600), s(10), self.out);
        let lost_after = table.duration("lost_after", s(5)..=s(3600), s(60), self.out);
        let learn_source = table.get("learn_source").and_then(|item| match item.kind() {
            Kind::Text => item.word(&[("anywhere", LearnSource::Anywhere)], self.out),
            _ => {
                let on = item.flag(self.out);
                on.map(|on| if on { LearnSource::Signalling } else { LearnSource::Never })
            }
        });
        let dscp = u8::try_from(table.integer("dscp", 0..=63, 46, self.out)).unwrap_or(0);
        table.finish(self.out);
        Media {
            address,
            codecs: codecs.unwrap_or_else(|| Codec::ALL.to_vec()),
            ports,
            threads,
            prompts,
            tones: tones.unwrap_or_default(),
            silence_after,
            lost_after,
            learn_source: learn_source.unwrap_or(LearnSource::Signalling),
            dscp,
            advertised,
        }
    }

    /// Voice codecs, each once; G.711 must be among them, or a carrier could not be talked to.
    fn codecs(&mut self, item: &Item) -> Vec<Codec> {
        const KNOWN: [(&str, Codec); 4] = [
            ("pcmu", Codec::Pcmu),
            ("pcma", Codec::Pcma),
            ("g722", Codec::G722),
            ("opus", Codec::Opus),
        ];
        let mut codecs = Vec::new();
        for word in self.bounded(item) {
            let codec = word.word(&KNOWN, self.out);
            codecs.extend(codec.filter(|codec| !codecs.contains(codec)));
        }
        if !codecs.iter().any(|codec| codec.passes_to(Codec::Pcmu)) {
            self.out.at(&item.span, Problem::NoG711);
        }
        codecs
    }

    fn ports(&mut self, item: &Item) -> Option<RangeInclusive<u16>> {
        let text = item.raw(self.out)?;
        let range = text.value.split_once('-').and_then(|(first, last)| {
            let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            (1024 <= first && first <= last).then_some((first, last))
        });
        let Some((first, last)) = range else {
            self.out.at(&text.span, Problem::BadPorts { found: text.value });
            return None;
        };
        let count = u32::from(last - first) + 1;
        if first % 2 == 1 {
            self.out.at(&text.span, Problem::OddPort { first });
        }
        if count < 4 {
            self.out.at(&text.span, Problem::FewPorts { count });
        }
        Some(first..=last)
    }

    fn store(&mut self, mut table: Table) -> StoreConfig {
        let file = table.get("file").and_then(|item| self.path(&item));
        let durability = table.get("durability").and_then(|item| {
            let known = [("process", Durability::Process), ("power", Durability::Power)];
            item.word(&known, self.out)
        });
        let site = table.table("site", self.out).and_then(|site| self.site(site));
        let keep = table.get("keep_callers_days");
        let keep = keep.and_then(|item| item.integer(1..=MOST_DAYS, self.out));
        let erase_callers_at = table.get("erase_callers_at").and_then(|item| {
            let text = item.raw(self.out)?;
            let time = NaiveTime::parse_from_str(&text.value, "%H:%M").ok();
            if time.is_none() {
                self.out.at(&text.span, Problem::BadTime { found: text.value });
            }
            time
        });
        let least_free_mib = table.integer("least_free_mib", 0..=1 << 30, 512, self.out);
        let reserve_mib = table.integer("reserve_mib", 0..=1 << 20, 32, self.out);
        table.finish(self.out);
        StoreConfig {
            least_free_mib,
            reserve_mib,
            site,
            keep_callers_days: keep.and_then(|days| u32::try_from(days.value).ok()),
            erase_callers_at: erase_callers_at.unwrap_or(ERASE_AT),
            file: file.unwrap_or_else(|| self.base.join("madoguchi.db")),
            durability: durability.unwrap_or(Durability::Process),
        }
    }

    fn http(&mut self, mut table: Table) -> Http {
        let listen = table.get("listen").and_then(|item| {
            let text = item.raw(self.out)?;
            let address: Option<SocketAddr> = text.value.parse().ok();
            if address.is_none() {
                let (key, found) = ("listen".to_owned(), text.value);
                self.out.at(&text.span, Problem::BadSocket { key, found });
            }
            Some((address?, text.span))
        });
        let token_file = table.get("token_file").and_then(|item| self.path(&item));
        let viewer_token_file = table.get("viewer_token_file").and_then(|item| self.path(&item));
        let wall_token_file = table.get("wall_token_file").and_then(|item| self.path(&item));
        let people_file = table.get("people_file").and_then(|item| self.path(&item));
        let half = table.has("certificate") != table.has("key");
        let certificate = table.get("certificate").and_then(|item| self.path(&item));
        let key = table.get("key").and_then(|item| self.path(&item));
        if half {
            let at = table.key_span(if certificate.is_some() { "certificate" } else { "key" });
            self.out.at(&at, Problem::People(PeopleProblem::HalfCertificate));
        }
        let tls = certificate.zip(key).map(|(certificate, key)| TlsConfig {
            certificate,
            key,
            client_ca: None,
            peer_ca: None,
            verify_peers: true,
        });
        let has_people = people_file.is_some();
        let oidc = table.table("oidc", self.out).and_then(|table| self.oidc(table, has_people));
        table.finish(self.out);
        if let Some((address, at)) =
            listen.as_ref().filter(|(address, _)| !address.ip().is_loopback())
            && tls.is_none()
        {
            let found = address.to_string();
            self.out.at(at, Problem::OpenPages { found: found.clone() });
            if people_file.is_some() {
                self.out.at(at, Problem::People(PeopleProblem::PlainLogins { found }));
            }
        }
        let listen = listen.map(|(address, _)| address);
        Http {
            viewer_token_file,
            wall_token_file,
            people_file,
            oidc,
            tls,
            listen: listen.unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080)),
            token_file: token_file.unwrap_or_else(|| self.base.join("secrets/http-token")),
        }
    }

    fn dns(&mut self, mut table: Table) -> Vec<SocketAddr> {
        let mut servers = Vec::new();
        let listed = table.get("servers");
        for entry in listed.as_ref().map(|item| self.bounded(item)).unwrap_or_default() {
            let Some(text) = entry.raw(self.out) else { continue };
            let bare = text.value.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53));
            match bare.or_else(|_| text.value.parse::<SocketAddr>()) {
                Ok(server) => servers.push(server),
                Err(_) => {
                    let (key, found) = ("servers".to_owned(), text.value);
                    self.out.at(&text.span, Problem::BadSocket { key, found });
                }
            }
        }
        table.finish(self.out);
        servers
    }

    fn fixed_phones(&mut self, item: &Item) -> BTreeMap<Number, String> {
        let mut phones: BTreeMap<Number, String> = BTreeMap::new();
        let mut seen: BTreeMap<Number, usize> = BTreeMap::new();
        for entry in self.bounded(item) {
            let Some(mut table) = entry.table(self.out) else { continue };
            let numbers = table
                .need("numbers", "numbers = \"2000-2199\"", self.out)
                .and_then(|item| item.raw(self.out));
            let example = "contact = \"sip:{number}@192.0.2.20:5060\"";
            let contact =
                table.need("contact", example, self.out).and_then(|item| item.raw(self.out));
            table.finish(self.out);
            let (Some(numbers), Some(contact)) = (numbers, contact) else { continue };
            if !is_contact(&contact.value) {
                self.out.at(&contact.span, Problem::BadContact { found: contact.value });
                continue;
            }
            let room = MOST_PHONES.saturating_sub(phones.len());
            let list = self.range(&numbers, room);
            if list.len() > 1 && !contact.value.contains("{number}") {
                let numbers = numbers.value.clone();
                self.out.at(&contact.span, Problem::OneContact { numbers });
            }
            let mut told = false;
            for number in list {
                let address = contact.value.replace("{number}", &number);
                let number = Number::from(number);
                if let Some(first) = seen.get(&number).filter(|_| !told) {
                    let line = self.out.source().line_of(*first);
                    self.out.at(&numbers.span, Problem::Twice { what: number.to_string(), line });
                    told = true; // one word about a whole range that overlaps
                }
                seen.entry(number.clone()).or_insert(numbers.span.start);
                phones.insert(number, address);
            }
        }
        phones
    }

    pub(super) fn range(&mut self, text: &At<String>, room: usize) -> Vec<String> {
        values::range(&text.value, room).unwrap_or_else(|fault| {
            let found = text.value.clone();
            let problem = match fault {
                RangeFault::Long => Shape::RangeTooLong { found, most: MOST_PHONES },
                RangeFault::Form if found.contains('-') => Shape::BadRange { found },
                RangeFault::Form => Shape::BadNumber { found, rule: NumberRule::Digits },
            };
            self.out.at(&text.span, problem);
            Vec::new()
        })
    }

    /// `pairs` of RTP ports: what is not written never promises more calls than can be heard.
    fn limits(&mut self, mut table: Table, pairs: usize) -> Limits {
        let written = table.get("calls").and_then(|item| item.integer(1..=100_000, self.out));
        let calls = match written {
            None => pairs.clamp(1, MOST_CALLS),
            Some(calls) => {
                if u64::try_from(pairs).is_ok_and(|pairs| pairs < calls.value) {
                    let problem = Problem::PortsBelowCalls { pairs, calls: calls.value };
                    self.out.at(&calls.span, problem);
                }
                usize::try_from(calls.value).unwrap_or(usize::MAX)
            }
        };
        let delay = table.integer("queue_delay_ms", 10..=10_000, 200, self.out);
        let transactions = self.count(&mut table, "transactions", 100..=10_000_000, 200_000);
        table.finish(self.out);
        Limits { calls, queue_delay: Duration::from_millis(delay), transactions }
    }

    fn count(
        &mut self,
        table: &mut Table,
        key: &'static str,
        range: RangeInclusive<u64>,
        default: u64,
    ) -> usize {
        usize::try_from(table.integer(key, range, default, self.out)).unwrap_or(usize::MAX)
    }

    fn address(&mut self, item: &Item) -> Option<At<IpAddr>> {
        let text = item.raw(self.out)?;
        let Ok(address) = text.value.parse() else {
            let (key, found) = (item.key.clone(), text.value);
            self.out.at(&text.span, Problem::BadAddress { key, found });
            return None;
        };
        Some(At { value: address, span: text.span })
    }

    /// A path, from the configuration's folder when it is relative; or a credential of the service manager's.
    pub(super) fn path(&mut self, item: &Item) -> Option<PathBuf> {
        let path = item.text(TextRule::Path, self.out)?;
        match credential::resolve(&path.value, self.credentials) {
            None => Some(self.base.join(path.value)),
            Some(Ok(file)) => Some(file),
            Some(Err(problem)) => {
                self.out.at(&path.span, problem);
                None
            }
        }
    }

    /// A list's entries, no more than we hold.
    pub(super) fn bounded<'a, 'd>(&mut self, item: &Item<'a, 'd>) -> Vec<Item<'a, 'd>> {
        let mut list = item.list(self.out).unwrap_or_default();
        if list.len() > MOST_ENTRIES {
            let problem = Shape::TooMany { key: item.key.clone(), most: MOST_ENTRIES };
            self.out.at(&item.span, problem);
            list.truncate(MOST_ENTRIES);
        }
        list
    }
}

/// A table that must be there.
fn section<'a, 'd>(
    top: &mut Table<'a, 'd>,
    key: &'static str,
    example: &'static str,
    out: &mut Findings,
) -> Option<Table<'a, 'd>> {
    top.need(key, example, out)?.table(out)
}

/// `sip:user@host[:port][;transport=udp|tcp|tls]`, with `{number}` in the user part. A host that is a name
/// is looked up before it is needed: no call waits for the DNS.
fn is_contact(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("sip:") else { return false };
    let Some((user, host)) = rest.split_once('@') else { return false };
    let (host, parameter) = host.split_once(';').map_or((host, None), |(h, p)| (h, Some(p)));
    let user = user.replace("{number}", "0");
    let user_ok = !user.is_empty()
        && user.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,/".contains(&b));
    let host_ok = host.parse::<SocketAddr>().is_ok_and(|address| address.port() != 0)
        || host.parse::<Ipv4Addr>().is_ok()
        || host
            .strip_prefix('[')
            .and_then(|h| h.strip_suffix(']'))
            .is_some_and(|h| h.parse::<std::net::Ipv6Addr>().is_ok())
        || is_host_name(host);
    let transport = parameter.is_none_or(|parameter| {
        TRANSPORTS.iter().any(|(name, _)| parameter.strip_prefix("transport=") == Some(name))
    });
    user_ok && host_ok && transport
}

/// `name` or `name:port` (RFC 3261 §25.1), where the last label is no number, or it would be a mistyped
/// address.
fn is_host_name(host: &str) -> bool {
    let (name, port) = host.split_once(':').map_or((host, None), |(n, p)| (n, Some(p)));
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
    };
    port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0))
        && name.len() <= 253
        && name.split('.').all(label)
        && name.rsplit('.').next().is_some_and(|l| l.starts_with(|c: char| c.is_ascii_alphabetic()))
}
