//! From the text of `madoguchi.toml` to a [`Config`] without its secrets. Pure: no file is opened.

use super::credential;
use super::people_problem::PeopleProblem;
use super::problem::Problem;
use super::{Config, Durability, Http, Limits, ListenConfig, Sip, StoreConfig, TlsConfig};
use crate::base::Private;
use crate::dialplan::reader::{At, Item, Table, document};
use crate::dialplan::shape::{Shape, TextRule};
use crate::dialplan::{Finding, Findings, Source};
use crate::people::People;
use crate::sip::api::Transport;
use chrono::NaiveTime;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Calls at once when the configuration does not say and the ports would bear more.
const MOST_CALLS: usize = 5000;
/// Most listeners, trunks, sources of a trunk, or names of ours, each.
const MOST_ENTRIES: usize = 256;

/// Days that callers' numbers and names may be kept: ten years.
const MOST_DAYS: u64 = 3_660;
/// When old ones are erased: three o'clock at night.
const ERASE_AT: NaiveTime = NaiveTime::from_hms_opt(3, 0, 0).expect("a time");

pub(super) const fn s(seconds: u64) -> Duration {
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
pub(super) type Listens = Vec<At<ListenConfig>>;

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

    pub(super) fn count(
        &mut self,
        table: &mut Table,
        key: &'static str,
        range: RangeInclusive<u64>,
        default: u64,
    ) -> usize {
        usize::try_from(table.integer(key, range, default, self.out)).unwrap_or(usize::MAX)
    }

    pub(super) fn address(&mut self, item: &Item) -> Option<At<IpAddr>> {
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
