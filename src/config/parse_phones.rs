//! `[[fixed_phones]]`: phones that do not register.

use super::parse::{Reading, TRANSPORTS};
use super::problem::Problem;
use crate::base::Number;
use crate::dialplan::reader::{At, Item};
use crate::dialplan::shape::{NumberRule, Shape};
use crate::dialplan::values::{self, RangeFault};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

/// Most fixed phones.
const MOST_PHONES: usize = 100_000;

impl Reading<'_, '_> {
    pub(super) fn fixed_phones(&mut self, item: &Item) -> BTreeMap<Number, String> {
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
