//! `[trace]`: how much of the SIP wire is kept for looking at, and where a copy goes.

use super::parse::Reading;
use super::problem::Problem;
use super::{HepConfig, TraceConfig};
use crate::dialplan::reader::{Item, Table};
use crate::trace::{Bounds, Collector, Reveal};
use std::time::Duration;

const MIB: usize = 1 << 20;

impl Reading<'_, '_> {
    pub(super) fn trace(&mut self, mut table: Table) -> TraceConfig {
        let memory_mib = table.integer("memory_mib", 0..=1024, 16, self.out);
        let minutes = Duration::from_secs(60);
        let keep = table.duration("keep", minutes..=minutes * 60 * 24, minutes * 10, self.out);
        let hep = table.get("hep");
        let hep_span = hep.as_ref().map(|item| item.span.clone());
        let collector = hep.and_then(|item| self.collector(&item));
        let node = table.integer("hep_node", 0..=u64::from(u32::MAX), 1, self.out);
        let numbers = table.flag("hep_numbers", false, self.out);
        table.finish(self.out);
        if let Some(span) = hep_span.filter(|_| memory_mib == 0) {
            self.out.at(&span, Problem::HepWithoutMemory);
        }
        let bytes = usize::try_from(memory_mib).unwrap_or(0).saturating_mul(MIB);
        TraceConfig {
            bounds: Bounds { bytes, age: keep },
            hep: collector.map(|collector| HepConfig {
                collector,
                node: u32::try_from(node).unwrap_or(u32::MAX),
                reveal: if numbers { Reveal::Numbers } else { Reveal::Nothing },
            }),
        }
    }

    /// `udp:address:port` or `tcp:address:port`.
    fn collector(&mut self, item: &Item) -> Option<Collector> {
        let text = item.raw(self.out)?;
        let found = text.value.split_once(':').and_then(|(by, address)| {
            let address = address.parse().ok()?;
            match by {
                "udp" => Some(Collector::Udp(address)),
                "tcp" => Some(Collector::Tcp(address)),
                _ => None,
            }
        });
        if found.is_none() {
            self.out.at(&text.span, Problem::BadCollector { found: text.value });
        }
        found
    }
}
