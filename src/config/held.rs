//! What the files that settings name hold, by the setting: a secret that is another is told, and never shown.

use super::Config;
use crate::base::Private;
use std::collections::BTreeMap;

/// A setting that names a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Setting {
    /// As it is written: `[http]`, `[[trunks]]`.
    pub section: &'static str,
    /// Where a change shows it: `http`, `trunks[carrier]`.
    pub place: String,
    /// Its name.
    pub key: &'static str,
}

impl Config {
    /// The secrets that are read from files, accounts and people besides.
    pub(super) fn held(&self) -> BTreeMap<Setting, &Private<String>> {
        let at = |section, place: &str, key| Setting { section, place: place.to_owned(), key };
        let mut all = BTreeMap::from([(at("[http]", "http", "token_file"), self.http_token())]);
        if let Some(token) = self.viewer_token() {
            all.insert(at("[http]", "http", "viewer_token_file"), token);
        }
        if let Some(token) = self.wall_token() {
            all.insert(at("[http]", "http", "wall_token_file"), token);
        }
        if let Some(oidc) = &self.http.oidc {
            all.insert(at("[http.oidc]", "http.oidc", "client_secret_file"), &oidc.secret);
        }
        for trunk in &self.trunks {
            if let Some(login) = trunk.upstream.as_ref().and_then(|it| it.login.as_ref()) {
                let place = format!("trunks[{}]", trunk.name);
                all.insert(at("[[trunks]]", &place, "password_file"), &login.password);
            }
        }
        for target in &self.tickets.targets {
            let place = format!("tickets.targets[{}]", target.name);
            let mut insert =
                |key, secret| all.insert(at("[[tickets.targets]]", &place, key), secret);
            if let Some(place) = &target.at {
                insert("key_file", &place.key);
            }
            if let Some(cti) = &target.cti {
                insert("cti_file", cti);
            }
        }
        if let Some(warning) = &self.warning {
            let mut insert = |key, secret| all.insert(at("[warning]", "warning", key), secret);
            if let Some(receiver) = &warning.webhook {
                insert("webhook_secret_file", &receiver.secret);
            }
            if let Some(server) = warning.mail.as_ref().filter(|server| server.login.is_some()) {
                insert("smtp_password_file", &server.password);
            }
        }
        all
    }
}
