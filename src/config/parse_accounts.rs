//! `[accounts]`: where the accounts stand, and what some of them may not.

use super::AccountRule;
use super::parse::Reading;
use super::problem::Problem;
use crate::base::{KeysBy, Network, NotANetwork};
use crate::dialplan::reader::{Item, Table};
use crate::sdp::Sealing;
use crate::sip::api::{AccountPolicy, Transport};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What may be wanted of encrypted sound. Where nothing is said, it is taken when it is offered.
pub(super) const ENCRYPTION: [(&str, Sealing); 4] = [
    ("off", Sealing::Off),
    ("preferred", Sealing::Offers),
    ("required", Sealing::Required),
    ("dtls", Sealing::Dtls),
];

impl Reading<'_, '_> {
    pub(super) fn accounts(&mut self, mut table: Table) -> (Option<PathBuf>, Vec<AccountRule>) {
        let file = table.need("file", "file = \"secrets/accounts.tsv\"", self.out);
        let file = file.and_then(|item| self.path(&item));
        let rules = table.get("rules").map(|item| self.rules(&item)).unwrap_or_default();
        table.finish(self.out);
        (file, rules)
    }

    fn rules(&mut self, item: &Item) -> Vec<AccountRule> {
        let known = Transport::ALL.map(|transport| (transport.as_str(), transport));
        let mut rules = Vec::new();
        for entry in self.bounded(item) {
            let Some(mut table) = entry.table(self.out) else { continue };
            let named = table.need("accounts", "accounts = \"2000-2199\"", self.out);
            let span = named.as_ref().map(|item| item.span.clone()).unwrap_or_default();
            let accounts = named.map(|item| self.named(&item));
            let networks = table.get("networks").map(|item| self.networks(&item));
            let transports = table.get("transports").map(|item| {
                let words = self.bounded(&item);
                words.iter().filter_map(|word| word.word(&known, self.out)).collect()
            });
            let most = table.get("max_contacts");
            let sealing = table.get("encryption");
            let keys = table.get("dtmf");
            let limited = most.is_some() || sealing.is_some() || keys.is_some();
            let keys = keys.and_then(|item| item.word(&KeysBy::ALL, self.out));
            let sealing = sealing.and_then(|item| item.word(&ENCRYPTION, self.out));
            let most = most.and_then(|item| item.integer(1..=100, self.out));
            table.finish(self.out);
            let empty = networks.is_none() && transports.is_none() && !limited;
            let Some(accounts) = accounts else { continue };
            let policy = AccountPolicy {
                networks: networks.unwrap_or_default(),
                transports: transports.unwrap_or_default(),
                sealing: sealing.unwrap_or_default(),
                keys: keys.unwrap_or_default(),
                max_contacts: most.and_then(|most| usize::try_from(most.value).ok()),
            };
            if empty {
                self.out.at(&span, Problem::EmptyRule);
            }
            rules.push(AccountRule { accounts, policy, span });
        }
        rules
    }

    /// The accounts that a rule names; none means all.
    fn named(&mut self, item: &Item) -> Option<BTreeSet<String>> {
        let mut names = BTreeSet::new();
        for entry in item.one_or_list() {
            let Some(text) = entry.raw(self.out) else { continue };
            if text.value == "*" {
                return None;
            }
            let number = text.value.bytes().all(|b| b.is_ascii_digit() || b == b'-');
            if number {
                names.extend(self.range(&text, super::MOST_ACCOUNTS));
            } else {
                names.insert(text.value);
            }
        }
        Some(names)
    }

    fn networks(&mut self, item: &Item) -> Vec<Network> {
        let mut networks = Vec::new();
        for entry in self.bounded(item) {
            let Some(text) = entry.raw(self.out) else { continue };
            match text.value.parse::<Network>() {
                Ok(network) => networks.push(network),
                Err(fault) => {
                    let host_bits = fault == NotANetwork::HostBits;
                    self.out.at(&text.span, Problem::BadNetwork { found: text.value, host_bits });
                }
            }
        }
        networks
    }
}
