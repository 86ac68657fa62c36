//! `[[trunks]]`: a profile, each of its values by itself, and how the carrier is reached.

use super::TrunkConfig;
use super::parse::{Reading, TRANSPORTS};
use super::parse_accounts::ENCRYPTION;
use super::problem::Problem;
use super::show::quoted;
use super::tls_problem::TlsProblem;
use crate::base::{Channels, KeysBy, Private, TrunkId};
use crate::dialplan::reader::{At, Item, Table};
use crate::dialplan::shape::TextRule;
use crate::dialplan::show_duration;
use crate::sip::Host;
use crate::sip::api::Transport;
use crate::sip::trunk::{
    Called, ContactUser, IdentityOut, Login, MAX_SERVERS, Numbers, Profile, Registration, Reliable,
    Server, Upstream, Withhold,
};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

pub(super) const CALLED: [(&str, Called); 3] = [
    ("p-called-party-id", Called::PCalledPartyId),
    ("to", Called::To),
    ("request-uri", Called::RequestUri),
];
pub(super) const IDENTITY: [(&str, IdentityOut); 3] = [
    ("from", IdentityOut::From),
    ("p-asserted-identity", IdentityOut::Asserted),
    ("p-preferred-identity", IdentityOut::Preferred),
];
pub(super) const WITHHOLD: [(&str, Withhold); 2] =
    [("privacy", Withhold::Privacy), ("prefix", Withhold::Prefix)];
pub(super) const NUMBERS: [(&str, Numbers); 2] =
    [("national", Numbers::National), ("international", Numbers::International)];
pub(super) const REGISTER: [(&str, Registration); 3] = [
    ("none", Registration::None),
    ("plain", Registration::Plain),
    ("digest", Registration::Digest),
];
pub(super) const CONTACT: [(&str, ContactUser); 2] =
    [("random", ContactUser::Random), ("user", ContactUser::User)];

/// Most channels that a trunk may be said to have.
pub(super) const MOST_CHANNELS: u64 = 100_000;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Reading<'_, '_> {
    pub(super) fn trunks(&mut self, item: &Item) -> Vec<TrunkConfig> {
        let mut trunks: Vec<TrunkConfig> = Vec::new();
        let mut names: BTreeMap<TrunkId, usize> = BTreeMap::new();
        let mut seen: Vec<Seen> = Vec::new();
        for entry in self.bounded(item) {
            let Some(mut table) = entry.table(self.out) else { continue };
            let name = table
                .need("name", "name = \"carrier\"", self.out)
                .and_then(|item| item.text(TextRule::Id, self.out));
            let transport =
                table.get("transport").and_then(|item| item.word(&TRANSPORTS, self.out));
            let tls_names = table.get("tls_names");
            let span = tls_names.as_ref().map(|item| item.span.clone());
            let tls_names = tls_names.map(|item| self.hosts(&item)).unwrap_or_default();
            if let Some(span) = span.filter(|_| transport != Some(Transport::Tls)) {
                // By another transport it would be believed without any certificate.
                self.out.at(&span, Problem::Tls(TlsProblem::NamesWithoutTls));
            }
            let sealing = table.get("encryption");
            let sealing = sealing.and_then(|item| item.word(&ENCRYPTION, self.out));
            let keys = table.get("dtmf").and_then(|item| item.word(&KeysBy::ALL, self.out));
            let sources = self.sources(&mut table, transport, &mut seen);
            let profile = self.profile(&mut table);
            let channels = self.channels(&mut table);
            let (upstream, password_file) = self.upstream(&mut table, &profile).unzip();
            table.finish(self.out);
            let Some(name) = name else { continue };
            let id = TrunkId::from(name.value);
            if let Some(first) = names.insert(id.clone(), name.span.start) {
                let line = self.out.source().line_of(first);
                self.out.at(&name.span, Problem::Twice { what: id.to_string(), line });
            }
            let password_file = password_file.flatten();
            let trunk = TrunkConfig {
                name: id,
                sources,
                transport,
                sealing: sealing.unwrap_or_default(),
                keys: keys.unwrap_or_default(),
                tls_names,
                profile,
                channels,
                upstream,
                password_file,
            };
            trunks.push(trunk);
        }
        trunks
    }

    fn sources(
        &mut self,
        table: &mut Table,
        transport: Option<Transport>,
        seen: &mut Vec<Seen>,
    ) -> Vec<SocketAddr> {
        let mut sources = Vec::new();
        let listed = table.need("sources", "sources = [\"192.0.2.1:5060\"]", self.out);
        for source in listed.as_ref().map(|item| self.bounded(item)).unwrap_or_default() {
            let Some(found) = self.source(&source) else { continue };
            // The same packet must not mean two trunks.
            let clash = seen.iter().find(|(other, by, _)| {
                let port = other.port() == found.value.port()
                    || other.port() == 0
                    || found.value.port() == 0;
                other.ip() == found.value.ip()
                    && port
                    && (by.is_none() || transport.is_none() || *by == transport)
            });
            if let Some((_, _, start)) = clash {
                let line = self.out.source().line_of(*start);
                let what = found.value.to_string();
                self.out.at(&found.span, Problem::Twice { what, line });
            }
            seen.push((found.value, transport, found.span.start));
            sources.push(found.value);
        }
        if let Some(item) = listed.filter(|item| item.one_or_list().is_empty()) {
            let (key, example) = ("sources".to_owned(), "[\"192.0.2.1:5060\"]");
            self.out.at(&item.span, Problem::Empty { key, example });
        }
        sources
    }

    /// `address` or `address:port`.
    fn source(&mut self, item: &Item) -> Option<At<SocketAddr>> {
        let text = item.raw(self.out)?;
        let bare = text.value.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 0));
        let Ok(address) = bare.or_else(|_| text.value.parse::<SocketAddr>()) else {
            let (key, found) = ("sources".to_owned(), text.value);
            self.out.at(&text.span, Problem::BadSocket { key, found });
            return None;
        };
        if address.ip().is_unspecified() || address.ip().is_multicast() {
            let (key, found) = ("sources".to_owned(), text.value);
            self.out.at(&text.span, Problem::Unreachable { key, found });
            return None;
        }
        Some(At { value: address, span: text.span })
    }

    /// The profile that is named, with what is set by itself in its place.
    fn profile(&mut self, table: &mut Table) -> Profile {
        let known = Profile::NAMES.map(|name| (name, name));
        let named = table.get("profile").and_then(|item| item.word(&known, self.out));
        let base = named.and_then(Profile::named).unwrap_or_default();
        let port = u64::from(base.source_port.unwrap_or(0));
        let port = table.integer("source_port", 0..=65_535, port, self.out);
        let lease = s(60)..=s(86_400);
        // RFC 4028 §4: 90 s at the least; shorter ones are for trying it out.
        let timer = super::session::SHORTEST..=super::session::DAY;
        let reliable = base.reliable == Reliable::Supported;
        let reliable = table.flag("reliable", reliable, self.out);
        Profile {
            called: self.word(table, "called", &CALLED, base.called),
            identity: self.word(table, "identity", &IDENTITY, base.identity),
            withhold: self.word(table, "withhold", &WITHHOLD, base.withhold),
            numbers: self.word(table, "numbers", &NUMBERS, base.numbers),
            rport: table.flag("rport", base.rport, self.out),
            source_port: u16::try_from(port).ok().filter(|port| *port != 0),
            registration: self.word(table, "register", &REGISTER, base.registration),
            contact: self.word(table, "contact_user", &CONTACT, base.contact),
            expires: table.duration("expires", lease, base.expires, self.out),
            session_expires: table.get("session_expires").map_or(base.session_expires, |item| {
                let off = super::session::is_off(&item, self.out);
                let written = (!off).then(|| item.duration(timer.clone(), self.out)).flatten();
                written.map(|written| written.value)
            }),
            min_se: table.duration("min_se", timer, base.min_se, self.out),
            reliable: if reliable { Reliable::Supported } else { Reliable::Off },
            trust_asserted: table.flag("trust_asserted", base.trust_asserted, self.out),
        }
    }

    /// One of the known words, or the profile's own value.
    fn word<T: Copy>(
        &mut self,
        table: &mut Table,
        key: &'static str,
        known: &[(&str, T)],
        default: T,
    ) -> T {
        table.get(key).and_then(|item| item.word(known, self.out)).unwrap_or(default)
    }

    fn channels(&mut self, table: &mut Table) -> Channels {
        let mut most = |key| {
            let written = table.get(key)?.integer(1..=MOST_CHANNELS, self.out)?;
            u32::try_from(written.value).ok()
        };
        Channels {
            all: most("channels"),
            inward: most("channels_in"),
            outward: most("channels_out"),
        }
    }

    /// What may stand in a header.
    fn plain(&mut self, table: &mut Table, key: &'static str) -> Option<At<String>> {
        let text = table.get(key)?.raw(self.out)?;
        if is_word(&text.value) {
            return Some(text);
        }
        let (key, found) = (key.to_owned(), text.value);
        self.out.at(&text.span, Problem::BadWordOfTrunk { key, found });
        None
    }

    /// How the carrier is reached, and the file of its password; none when no server is named.
    fn upstream(
        &mut self,
        table: &mut Table,
        profile: &Profile,
    ) -> Option<(Upstream, Option<PathBuf>)> {
        let span = table.span.clone();
        let listed = table.get("servers");
        let mut servers: Vec<Server> = Vec::new();
        for entry in listed.as_ref().map(|item| self.bounded(item)).unwrap_or_default() {
            let Some(text) = entry.raw(self.out) else { continue };
            match Server::parse(&text.value) {
                Some(server) if servers.len() < MAX_SERVERS => servers.push(server),
                Some(_) | None => {
                    self.out.at(&text.span, Problem::BadServer { found: text.value });
                }
            }
        }
        let domain = self.plain(table, "domain").and_then(|text| {
            let host = Host::parse(&text.value).ok();
            if host.is_none() {
                self.out.at(&text.span, Problem::BadHost { found: text.value });
            }
            host
        });
        let user = self.plain(table, "user").map(|text| text.value);
        let auth_user = self.plain(table, "auth_user").map(|text| text.value);
        let realm = self.plain(table, "realm").map(|text| text.value);
        let password_file = table.get("password_file").and_then(|item| self.path(&item));
        let options_every = table.duration("options_every", s(0)..=s(3600), s(30), self.out);
        let Some(first) = servers.first() else {
            if profile.registration != Registration::None && listed.is_none() {
                self.out.at(&span, Problem::NoServers);
            }
            return None;
        };
        let domain = domain.unwrap_or_else(|| first.host.clone());
        if profile.registration != Registration::None && user.is_none() {
            self.out.at(&span, Problem::NoLogin { key: "user", example: "user = \"0312345678\"" });
        }
        if profile.registration == Registration::Digest && password_file.is_none() {
            let example = "password_file = \"secrets/carrier\"";
            self.out.at(&span, Problem::NoLogin { key: "password_file", example });
        }
        let user = user.unwrap_or_default();
        let login = password_file.is_some().then(|| Login {
            user: auth_user.unwrap_or_else(|| user.clone()),
            realm: realm.unwrap_or_else(|| domain.to_string()),
            password: Private::default(),
        });
        Some((Upstream { servers, domain, user, login, options_every }, password_file))
    }
}

impl TrunkConfig {
    /// Every value in force but name, sources and transport. Its password stays in its file.
    pub(super) fn show(&self, line: &mut impl FnMut(String)) {
        let Profile { rport, trust_asserted, .. } = self.profile;
        let p = &self.profile;
        line(format!("called = \"{}\"", name_of(&CALLED, p.called)));
        line(format!("identity = \"{}\"", name_of(&IDENTITY, p.identity)));
        line(format!("withhold = \"{}\"", name_of(&WITHHOLD, p.withhold)));
        line(format!("numbers = \"{}\"", name_of(&NUMBERS, p.numbers)));
        line(format!("rport = {rport}"));
        line(format!("source_port = {}", p.source_port.unwrap_or(0)));
        line(format!("register = \"{}\"", name_of(&REGISTER, p.registration)));
        line(format!("contact_user = \"{}\"", name_of(&CONTACT, p.contact)));
        line(format!("expires = \"{}\"", show_duration(p.expires)));
        let session = p.session_expires.map_or_else(|| "off".to_owned(), show_duration);
        line(format!("session_expires = \"{session}\""));
        line(format!("min_se = \"{}\"", show_duration(p.min_se)));
        line(format!("reliable = {}", p.reliable == Reliable::Supported));
        line(format!("trust_asserted = {trust_asserted}"));
        let channels = [
            ("channels", self.channels.all),
            ("channels_in", self.channels.inward),
            ("channels_out", self.channels.outward),
        ];
        for (key, most) in channels {
            if let Some(most) = most {
                line(format!("{key} = {most}"));
            }
        }
        let Some(upstream) = &self.upstream else { return };
        let servers: Vec<String> =
            upstream.servers.iter().map(|server| format!("\"{server}\"")).collect();
        line(format!("servers = [{}]", servers.join(", ")));
        line(format!("domain = \"{}\"", upstream.domain));
        if !upstream.user.is_empty() {
            line(format!("user = \"{}\"", upstream.user));
        }
        if let Some(login) = &upstream.login {
            line(format!("auth_user = \"{}\"", login.user));
            line(format!("realm = \"{}\"", login.realm));
        }
        if let Some(file) = &self.password_file {
            line(format!("password_file = {}", quoted(&file.display().to_string())));
        }
        line(format!("options_every = \"{}\"", show_duration(upstream.options_every)));
    }
}

fn name_of<T: PartialEq>(known: &[(&'static str, T)], value: T) -> &'static str {
    known.iter().find(|(_, known)| *known == value).map_or("", |(name, _)| name)
}

/// A source, by what, and where it stands in the text.
type Seen = (SocketAddr, Option<Transport>, usize);

/// What fits into a header's quoted string and a URI's user part alike.
fn is_word(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|b| matches!(b, b'!'..=b'~') && !b"\"\\<>@".contains(&b))
}
