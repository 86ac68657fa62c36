//! What of a changed configuration a running desk cannot take over.

use super::Config;
use crate::base::{Channels, TrunkId};
use std::collections::{BTreeMap, BTreeSet};

/// Sections of which everything can be replaced while calls go on.
const TAKEN_OVER: [&str; 9] = [
    "[log]",
    "[sip.tls]",
    "[plan]",
    "[accounts]",
    "[[accounts.rules]]",
    "[[trunks]]",
    "[[fixed_phones]]",
    "[tickets]",
    "[[tickets.targets]]",
];

impl Config {
    /// How many calls each trunk carries.
    #[must_use]
    pub fn channels(&self) -> BTreeMap<TrunkId, Channels> {
        self.trunks.iter().map(|trunk| (trunk.name.clone(), trunk.channels)).collect()
    }

    /// The settings that differ in `new` and stay as they are until a restart, by section and name.
    #[must_use]
    pub fn needs_restart(&self, new: &Self) -> Vec<String> {
        let (before, after) = (self.fixed(), new.fixed());
        let differ = before.symmetric_difference(&after).map(|(section, line)| {
            format!("{section} {}", line.split(" = ").next().unwrap_or_default())
        });
        let mut names: BTreeSet<String> = differ.collect();
        let (held, new_held) = (self.held(), new.held());
        let secrets = held.keys().filter(|setting| !TAKEN_OVER.contains(&setting.section));
        // Of a file that is named newly, or no more, the setting itself is told.
        let both = secrets.filter_map(|it| Some((it, held.get(it)?, new_held.get(it)?)));
        for (it, ..) in both.filter(|(_, before, after)| before != after) {
            names.insert(format!("{} {} (what it holds)", it.section, it.key));
        }
        if self.sip.tls.is_some() != new.sip.tls.is_some() {
            names.insert("[sip.tls]".to_owned());
        }
        names.into_iter().collect()
    }

    /// Section and line of every setting that is looked at once.
    fn fixed(&self) -> BTreeSet<(String, String)> {
        let mut section = String::new();
        let mut lines = BTreeSet::new();
        for line in self.show().lines().filter(|line| !line.is_empty()) {
            if line.starts_with('[') {
                line.clone_into(&mut section);
                continue;
            }
            let taken_over = TAKEN_OVER.contains(&section.as_str())
                || (section == "[limits]" && line.starts_with("calls "));
            if !taken_over {
                lines.insert((section.clone(), line.to_owned()));
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use crate::config::parse;
    use std::path::Path;

    #[test]
    fn what_a_running_desk_cannot_take_over_is_named() {
        let read = |text: &str| parse(text, "x.toml", Path::new("/x")).unwrap().0;
        let before = "[sip]\nlisten = [\"udp:127.0.0.1:5060\"]\nrealm = \"desk.example\"\n\
                      [media]\naddress = \"127.0.0.1\"\nports = \"20000-20999\"\n\
                      [store]\nfile = \"x.db\"\n[http]\ntoken_file = \"token\"\n\
                      [plan]\nfile = \"plan.toml\"\n[accounts]\nfile = \"accounts.tsv\"\n";
        let same = format!(
            "{before}[limits]\ncalls = 7\n[[trunks]]\nname = \"carrier\"\nsources = [\"192.0.2.1\"]\n"
        );
        let same = same.replace("plan.toml", "other.toml") + "[log]\nlevels = \"debug\"\n";
        assert_eq!(read(before).needs_restart(&read(&same)), [""; 0]);
        let other = before
            .replace("127.0.0.1:5060", "127.0.0.1:5070")
            .replace("20999", "20099")
            .replace("x.db", "y.db");
        assert_eq!(
            read(before).needs_restart(&read(&other)),
            ["[media] ports", "[sip] listen", "[store] file"]
        );
    }
}
