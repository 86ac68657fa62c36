//! The whole configuration as it is in force, defaults included, in the form it is written in.

use super::{Config, Durability};
use crate::dialplan::show_duration as show;
use crate::sip::digest::Offer;
use crate::trace::{Collector, Reveal};
use std::fmt::Write as _;
use std::path::Path;

/// A text as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn path(path: &Path) -> String {
    quoted(&path.display().to_string())
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.map(|item| quoted(&item)).collect::<Vec<_>>().join(", "))
}

impl Config {
    /// Every setting with the value in force, as TOML that means the same (paths joined already; fixed
    /// phones one by one). Holds no secret: accounts and token stay in their files.
    #[must_use]
    pub fn show(&self) -> String {
        let mut text = String::new();
        let mut line = |said: String| {
            text.push_str(&said);
            text.push('\n');
        };
        line("[sip]".to_owned());
        let listens = self.sip.listen.iter();
        let listens = listens.map(|l| format!("{}:{}", l.transport.as_str(), l.address));
        line(format!("listen = {}", list(listens)));
        if let Some(advertise) = self.sip.advertise {
            line(format!("advertise = \"{advertise}\""));
        }
        line(format!("realm = {}", quoted(&self.sip.realm)));
        let digest = match self.sip.digest {
            Offer::Md5Only => "md5",
            Offer::Md5First => "md5-first",
            Offer::Both => "both",
        };
        line(format!("digest = \"{digest}\""));
        line(format!("hosts = {}", list(self.sip.hosts.iter().cloned())));
        line(format!("min_expires = \"{}\"", show(self.sip.min_expires)));
        line(format!("max_expires = \"{}\"", show(self.sip.max_expires)));
        line(format!("max_contacts = {}", self.sip.max_contacts));
        line(super::session::show(self.sip.session));
        line(format!("dscp = {}", self.sip.dscp));
        if let Some(origins) = &self.sip.origins {
            line(format!("origins = {}", list(origins.iter().cloned())));
        }
        if let Some(tls) = &self.sip.tls {
            line("\n[sip.tls]".to_owned());
            line(format!("certificate = {}", path(&tls.certificate)));
            line(format!("key = {}", path(&tls.key)));
            for (name, file) in [("client_ca", &tls.client_ca), ("peer_ca", &tls.peer_ca)] {
                if let Some(file) = file {
                    line(format!("{name} = {}", path(file)));
                }
            }
            line(format!("verify_peers = {}", tls.verify_peers));
        }
        line("\n[media]".to_owned());
        line(format!("address = \"{}\"", self.media.address));
        line(format!("ports = \"{}-{}\"", self.media.ports.start(), self.media.ports.end()));
        let codecs = self.media.codecs.iter().map(|codec| codec.name().to_ascii_lowercase());
        line(format!("codecs = {}", list(codecs)));
        line(format!("threads = {}", self.media.threads));
        if let Some(prompts) = &self.media.prompts {
            line(format!("prompts = {}", path(prompts)));
        }
        line(format!("tones = \"{}\"", self.media.tones.name()));
        line(format!("silence_after = \"{}\"", show(self.media.silence_after)));
        line(format!("lost_after = \"{}\"", show(self.media.lost_after)));
        line(format!("learn_source = {}", self.media.learn_source.word()));
        line(format!("dscp = {}", self.media.dscp));
        line("\n[store]".to_owned());
        line(format!("file = {}", path(&self.store.file)));
        let durability = match self.store.durability {
            Durability::Process => "process",
            Durability::Power => "power",
        };
        line(format!("durability = \"{durability}\""));
        if let Some(days) = self.store.keep_callers_days {
            line(format!("keep_callers_days = {days}"));
        }
        line(format!("erase_callers_at = \"{}\"", self.store.erase_callers_at.format("%H:%M")));
        line(format!("least_free_mib = {}", self.store.least_free_mib));
        line(format!("reserve_mib = {}", self.store.reserve_mib));
        if let Some(site) = &self.store.site {
            site.show(&mut line);
        }
        line("\n[http]".to_owned());
        line(format!("listen = \"{}\"", self.http.listen));
        line(format!("token_file = {}", path(&self.http.token_file)));
        if let Some(file) = &self.http.viewer_token_file {
            line(format!("viewer_token_file = {}", path(file)));
        }
        if let Some(file) = &self.http.wall_token_file {
            line(format!("wall_token_file = {}", path(file)));
        }
        if let Some(file) = &self.http.people_file {
            line(format!("people_file = {}", path(file)));
        }
        if let Some(tls) = &self.http.tls {
            line(format!("certificate = {}", path(&tls.certificate)));
            line(format!("key = {}", path(&tls.key)));
        }
        if let Some(oidc) = &self.http.oidc {
            oidc.show(&mut line);
        }
        line("\n[trace]".to_owned());
        line(format!("memory_mib = {}", self.trace.bounds.bytes >> 20));
        line(format!("keep = \"{}\"", show(self.trace.bounds.age)));
        if let Some(hep) = &self.trace.hep {
            let collector = match hep.collector {
                Collector::Udp(to) => format!("udp:{to}"),
                Collector::Tcp(to) => format!("tcp:{to}"),
            };
            line(format!("hep = \"{collector}\""));
            line(format!("hep_node = {}", hep.node));
            line(format!("hep_numbers = {}", hep.reveal == Reveal::Numbers));
        }
        self.log.show(&mut line);
        if let Some(recording) = &self.recording {
            recording.show(&mut line);
        }
        if let Some(warning) = &self.warning {
            warning.show(&mut line);
        }
        self.tickets.show(&mut line);
        super::figures::show(&self.figures, &mut line);
        line(format!("\n[plan]\nfile = {}", path(&self.plan)));
        if let Some(file) = &self.accounts_file {
            line(format!("\n[accounts]\nfile = {}", path(file)));
            for rule in &self.account_rules {
                line("\n[[accounts.rules]]".to_owned());
                match &rule.accounts {
                    None => line("accounts = \"*\"".to_owned()),
                    Some(accounts) => {
                        line(format!("accounts = {}", list(accounts.iter().cloned())));
                    }
                }
                let policy = &rule.policy;
                if !policy.networks.is_empty() {
                    let networks = policy.networks.iter().map(ToString::to_string);
                    line(format!("networks = {}", list(networks)));
                }
                if !policy.transports.is_empty() {
                    let names = policy.transports.iter().map(|by| by.as_str().to_owned());
                    line(format!("transports = {}", list(names)));
                }
                if let Some(most) = policy.max_contacts {
                    line(format!("max_contacts = {most}"));
                }
            }
        }
        if !self.dns_servers.is_empty() {
            let servers = self.dns_servers.iter().map(ToString::to_string);
            line(format!("\n[dns]\nservers = {}", list(servers)));
        }
        line("\n[limits]".to_owned());
        line(format!("calls = {}", self.limits.calls));
        line(format!("queue_delay_ms = {}", self.limits.queue_delay.as_millis()));
        line(format!("transactions = {}", self.limits.transactions));
        for trunk in &self.trunks {
            line(format!("\n[[trunks]]\nname = {}", quoted(trunk.name.as_str())));
            let sources = trunk.sources.iter().map(|source| match source.port() {
                0 => source.ip().to_string(),
                _ => source.to_string(),
            });
            line(format!("sources = {}", list(sources)));
            if let Some(by) = trunk.transport {
                line(format!("transport = \"{}\"", by.as_str()));
            }
            trunk.show(&mut line);
        }
        for (number, contact) in &self.fixed_phones {
            line(format!("\n[[fixed_phones]]\nnumbers = {}", quoted(number.as_str())));
            line(format!("contact = {}", quoted(contact)));
        }
        text
    }
}
