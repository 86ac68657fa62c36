//! `madoguchi.toml` and the files it names, as typed values; a refusal names file, line, what was
//! found and what is due.
//!
//! Reads files and nothing else of the world: it opens no socket and starts nothing. Passwords and the
//! token are [`Private`]; no finding ever shows a line of the files that hold them.

mod address;
mod changes;
mod credential;
mod differences;
mod figures;
mod files;
mod held;
mod log;
mod oidc;
mod oidc_problem;
mod parse;
mod parse_accounts;
mod parse_media;
mod parse_phones;
mod parse_sip;
mod parse_trace;
mod people;
mod people_problem;
mod problem;
mod recording;
mod secrets;
mod session;
mod show;
mod site;
mod start;
mod tickets;
mod tickets_problem;
mod tls;
mod tls_problem;
mod trunks;
mod warning;
mod warning_problem;

#[cfg(test)]
mod tests;

pub use differences::{Difference, differences, other_holidays};
pub use files::{
    Secrets, Stage, judge_plan, load, load_plan, looks_like_config, plan_at, plan_text,
    replace_private, write_private,
};
pub use log::LogConfig;
pub use oidc::OidcConfig;
pub use parse::parse;
pub use people::{parse_people, read_people, show_people, write_people};
pub use recording::{RecordingConfig, read_key};
pub use secrets::{MOST_ACCOUNTS, accounts, hashed};
pub use site::SiteConfig;
pub use start::{DeskUser, NamedFile, unreadable};
pub use tickets::{READ_KEYS, TargetAt, TargetConfig, TargetKind, TicketsConfig};
pub use tls::{TlsFiles, load_tls};
pub use warning::{MailServer, Protection, Receiver, WarningConfig};

use crate::base::{Channels, KeysBy, Number, Private, TrunkId};
use crate::people::People;
use crate::rtp::LearnSource;
use crate::rtp::tone::Country;
use crate::sdp::{Codec, Sealing};
use crate::sip::api::{
    Account, AccountPolicy, AccountSecret, Directory, Listener, Settings, Transport, Trunk,
};
use crate::sip::trunk::{Profile, Upstream};
use crate::trace::{Bounds, Collector, Reveal};
use crate::view::Policy;
use chrono::NaiveTime;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;
use std::time::Duration;

/// Everything that is configured. Paths are as the daemon can open them: relative ones were joined to
/// the configuration's own folder.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[sip]`.
    pub sip: Sip,
    /// `[media]`.
    pub media: Media,
    /// `[store]`.
    pub store: StoreConfig,
    /// `[http]`.
    pub http: Http,
    /// `[recording]`; none: no call is recorded.
    pub recording: Option<RecordingConfig>,
    /// `[warning]`; none: nobody outside is told.
    pub warning: Option<WarningConfig>,
    /// `[tickets]`; without it the ledger.
    pub tickets: TicketsConfig,
    /// `[trace]`.
    pub trace: TraceConfig,
    /// `[log]`.
    pub log: LogConfig,
    /// `[plan] file`.
    pub plan: PathBuf,
    /// `[figures]`.
    pub figures: Policy,
    /// `[accounts] file`; none when all phones are fixed.
    pub accounts_file: Option<PathBuf>,
    /// What the accounts file says, by user name.
    pub accounts: BTreeMap<String, AccountSecret>,
    /// `[[accounts.rules]]`: the first that names an account is its rule.
    pub account_rules: Vec<AccountRule>,
    /// `[[trunks]]` in the file's order.
    pub trunks: Vec<TrunkConfig>,
    /// `[[fixed_phones]]`: the contact of every number.
    pub fixed_phones: BTreeMap<Number, String>,
    /// `[dns] servers`; none: those of the operating system.
    pub dns_servers: Vec<SocketAddr>,
    /// `[limits]`.
    pub limits: Limits,
    token: Private<String>,
    viewer_token: Private<String>,
    wall_token: Private<String>,
    /// What the people file says.
    pub people: People,
    /// What the files of `[http] certificate` and `key` hold.
    pub http_tls: Option<TlsFiles>,
    /// What the files of `[sip.tls]` hold.
    pub tls: Option<TlsFiles>,
}

/// How SIP is spoken.
#[derive(Clone, Debug)]
pub struct Sip {
    /// At least one.
    pub listen: Vec<ListenConfig>,
    /// The address that others reach us by when a listener has none of its own (0.0.0.0).
    pub advertise: Option<IpAddr>,
    /// The digest realm.
    pub realm: String,
    /// Which digest algorithms a phone is challenged with.
    pub digest: crate::sip::digest::Offer,
    /// Further names and addresses that mean us in a Request-URI.
    pub hosts: Vec<String>,
    /// Shortest lease of a registration.
    pub min_expires: Duration,
    /// Longest lease of a registration.
    pub max_expires: Duration,
    /// Contacts an account may have at once.
    pub max_contacts: usize,
    /// DSCP of the SIP that we send, 0 to 63.
    pub dscp: u8,
    /// What is asked and offered in calls.
    pub session: crate::sip::api::SessionPolicy,
    /// `[sip.tls]`, which listeners of `tls` and `wss` need.
    pub tls: Option<TlsConfig>,
    /// `[sip] origins`: the pages from which browsers may connect; none means any.
    pub origins: Option<Vec<String>>,
}

/// What is shown and believed in TLS, by files in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// Our certificate first, then what leads to its authority.
    pub certificate: PathBuf,
    /// Its key, which only the daemon's user may read.
    pub key: PathBuf,
    /// Authorities for certificates that connecting peers show; none asks for none.
    pub client_ca: Option<PathBuf>,
    /// Authorities for the certificates of those to whom we connect.
    pub peer_ca: Option<PathBuf>,
    /// Whether those are judged at all.
    pub verify_peers: bool,
}

/// One address that we listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenConfig {
    /// By what.
    pub transport: Transport,
    /// Where; port 0 lets the operating system choose.
    pub address: SocketAddr,
}

/// How audio is carried.
#[derive(Clone, Debug)]
pub struct Media {
    /// Bound, and named in SDP unless it is 0.0.0.0.
    pub address: IpAddr,
    /// Voice codecs that are taken, the one liked best first; at least one.
    pub codecs: Vec<Codec>,
    /// RTP on the even ones, RTCP on the odd; starts even, holds at least four.
    pub ports: RangeInclusive<u16>,
    /// Media threads, at least 1.
    pub threads: usize,
    /// A folder whose WAVs take the place of the built-in ones of the same name.
    pub prompts: Option<PathBuf>,
    /// Whose tones callers hear.
    pub tones: Country,
    /// A phone that should speak and is not heard for so long is noticed.
    pub silence_after: Duration,
    /// A peer that stays silent so long after that is taken for vanished.
    pub lost_after: Duration,
    /// Phones behind NAT: whether the address that audio comes from is believed.
    pub learn_source: LearnSource,
    /// DSCP of what we send, 0 to 63.
    pub dscp: u8,
    advertised: IpAddr,
}

impl Media {
    /// The address in every SDP.
    #[must_use]
    pub const fn advertised(&self) -> IpAddr {
        self.advertised
    }
}

/// Where the history is kept.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// The database file.
    pub file: PathBuf,
    /// What a written fact survives.
    pub durability: Durability,
    /// `[store.site]`: where the history is copied to, if anywhere.
    pub site: Option<SiteConfig>,
    /// Days after which callers' numbers and names are erased; none: never by the daemon itself.
    pub keep_callers_days: Option<u32>,
    /// From when on in the day that is done, in the plan's zone.
    pub erase_callers_at: NaiveTime,
    /// MiB that must be free on its disk: below, what is no part of the history is not written there.
    pub least_free_mib: u64,
    /// MiB that are held back for it; 0: none.
    pub reserve_mib: u64,
}

impl StoreConfig {
    /// What a written fact survives.
    #[must_use]
    pub const fn durability(&self) -> Durability {
        self.durability
    }
}

/// What a written fact survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The end of the process, also by `kill -9`.
    Process,
    /// The end of the machine's power as well: one fsync a batch.
    Power,
}

/// The pages and the API.
#[derive(Clone, Debug)]
pub struct Http {
    /// Where; port 0 lets the operating system choose.
    pub listen: SocketAddr,
    /// Holds the bearer token.
    pub token_file: PathBuf,
    /// Holds the token of those who may look and do nothing else, if there are any.
    pub viewer_token_file: Option<PathBuf>,
    /// Holds the token of screens on walls, if there are any.
    pub wall_token_file: Option<PathBuf>,
    /// Holds people's accounts, if there are any.
    pub people_file: Option<PathBuf>,
    /// `[http.oidc]`; none: people sign in by password only.
    pub oidc: Option<OidcConfig>,
    /// Certificate and key in PEM; none: no TLS.
    pub tls: Option<TlsConfig>,
}

/// What some accounts may.
#[derive(Clone, Debug)]
pub struct AccountRule {
    /// Which; none means all.
    pub accounts: Option<BTreeSet<String>>,
    /// What they may.
    pub policy: AccountPolicy,
    /// Where it stands in the file.
    span: Range<usize>,
}

impl AccountRule {
    /// Whether the rule names this account.
    #[must_use]
    pub fn names(&self, user: &str) -> bool {
        self.accounts.as_ref().is_none_or(|accounts| accounts.contains(user))
    }
}

/// What is kept of the SIP wire.
#[derive(Clone, Debug)]
pub struct TraceConfig {
    /// How much and for how long.
    pub bounds: Bounds,
    /// Where a copy goes.
    pub hep: Option<HepConfig>,
}

/// A `HEPv3` collector.
#[derive(Clone, Debug)]
pub struct HepConfig {
    /// Where.
    pub collector: Collector,
    /// Our capture agent id there.
    pub node: u32,
    /// Whether it gets numbers and names as they are.
    pub reveal: Reveal,
}

/// A peer that is believed by its address.
#[derive(Clone, Debug)]
pub struct TrunkConfig {
    /// Its name, which the plan and the metrics use.
    pub name: TrunkId,
    /// Source addresses; port 0 means any port.
    pub sources: Vec<SocketAddr>,
    /// By what it comes; none means any.
    pub transport: Option<Transport>,
    /// Names, one of which its certificate must bear, in whichever direction the connection is made;
    /// none asks for nothing when it connects, and for its address when we do.
    pub tls_names: Vec<String>,
    /// What it is like.
    pub profile: Profile,
    /// What it is to be with encrypted sound.
    pub sealing: Sealing,
    /// By what it tells and is told keys.
    pub keys: KeysBy,
    /// How many calls it carries at once.
    pub channels: Channels,
    /// Where it is reached; none: it only calls us.
    pub upstream: Option<Upstream>,
    /// Where its password is kept.
    pub password_file: Option<PathBuf>,
}

/// What the daemon takes on at most.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Calls at once; one more is refused with 503.
    pub calls: usize,
    /// A new INVITE that waited longer in our own input queue is refused with 503.
    pub queue_delay: Duration,
    /// SIP transactions held at once; a request beyond is answered 503 without state.
    pub transactions: usize,
}

impl Config {
    /// The bearer token of pages and API; empty when its file does not exist and was not to be made.
    #[must_use]
    pub const fn http_token(&self) -> &Private<String> {
        &self.token
    }

    /// The token of those who only look; none without `[http] viewer_token_file`.
    #[must_use]
    pub fn viewer_token(&self) -> Option<&Private<String>> {
        self.http.viewer_token_file.as_ref().map(|_| &self.viewer_token)
    }

    /// The token of screens on walls; none without `[http] wall_token_file`.
    #[must_use]
    pub fn wall_token(&self) -> Option<&Private<String>> {
        self.http.wall_token_file.as_ref().map(|_| &self.wall_token)
    }

    /// What the SIP endpoint must know once. A listener on port 0 is advertised with port 0: whoever
    /// binds it puts the real one in.
    #[must_use]
    pub fn sip_settings(&self) -> Settings {
        let listeners = self.sip.listen.iter().map(|listen| {
            let ip = match self.sip.advertise {
                Some(ip) if listen.address.ip().is_unspecified() => ip,
                Some(_) | None => listen.address.ip(),
            };
            let advertised = SocketAddr::new(ip, listen.address.port());
            Listener { transport: listen.transport, advertised }
        });
        let seconds = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        Settings {
            listeners: listeners.collect(),
            hosts: self.sip.hosts.clone(),
            realm: self.sip.realm.clone(),
            digest: self.sip.digest,
            product: format!("Madoguchi/{}", env!("CARGO_PKG_VERSION")),
            min_expires_s: seconds(self.sip.min_expires),
            max_expires_s: seconds(self.sip.max_expires),
            max_contacts: self.sip.max_contacts,
            session: self.sip.session,
            max_transactions: self.limits.transactions,
        }
    }

    /// What phones and what trunks think of encrypted sound.
    #[must_use]
    pub fn sealing(&self) -> (BTreeMap<Number, Sealing>, BTreeMap<TrunkId, Sealing>) {
        let phones = self.accounts.keys();
        let phones = phones.map(|user| (Number::from(user.as_str()), self.policy_of(user).sealing));
        let trunks = self.trunks.iter().map(|trunk| (trunk.name.clone(), trunk.sealing));
        (phones.collect(), trunks.collect())
    }

    /// By what each extension and each trunk tells and is told keys.
    #[must_use]
    pub fn keys(&self) -> (BTreeMap<Number, KeysBy>, BTreeMap<TrunkId, KeysBy>) {
        let phones = self.accounts.keys();
        let phones = phones.map(|user| (Number::from(user.as_str()), self.policy_of(user).keys));
        let trunks = self.trunks.iter().map(|trunk| (trunk.name.clone(), trunk.keys));
        (phones.collect(), trunks.collect())
    }

    fn policy_of(&self, user: &str) -> AccountPolicy {
        let rule = self.account_rules.iter().find(|rule| rule.names(user));
        rule.map(|rule| rule.policy.clone()).unwrap_or_default()
    }

    /// Who may do what.
    #[must_use]
    pub fn directory(&self) -> Directory {
        let accounts = self.accounts.iter();
        let trunks = self.trunks.iter().map(|trunk| Trunk {
            id: trunk.name.clone(),
            sources: trunk.sources.clone(),
            transport: trunk.transport,
            profile: trunk.profile.clone(),
            upstream: trunk.upstream.clone(),
        });
        Directory {
            accounts: accounts
                .map(|(user, secret)| {
                    let policy = self.policy_of(user);
                    (user.clone(), Account { secret: secret.clone(), policy })
                })
                .collect(),
            trunks: trunks.collect(),
            fixed_phones: self.fixed_phones.clone(),
        }
    }
}
