//! `[media]`: ports, codecs and tones.

use super::Media;
use super::parse::{Listens, Reading, s};
use super::problem::Problem;
use crate::dialplan::reader::{Item, Table};
use crate::dialplan::shape::Kind;
use crate::rtp::LearnSource;
use crate::rtp::tone::Country;
use crate::sdp::Codec;
use crate::sip::api::Transport;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;

impl Reading<'_, '_> {
    pub(super) fn media(
        &mut self,
        mut table: Table,
        advertise: Option<IpAddr>,
        listens: &Listens,
    ) -> Media {
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
}
