//! `[sip]`: where phones and trunks reach the desk, and what it is called.

use super::parse::{Listens, Reading, s};
use super::problem::Problem;
use super::tls_problem::TlsProblem;
use super::{ListenConfig, Sip, TlsConfig};
use crate::dialplan::reader::{At, Item, Table};
use crate::dialplan::shape::show;
use crate::sip::api::Transport;
use crate::sip::digest::Offer;
use std::net::IpAddr;

impl Reading<'_, '_> {
    pub(super) fn sip(&mut self, mut table: Table) -> (Sip, Listens) {
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
}
