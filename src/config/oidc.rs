//! `[http.oidc]`: signing in to the pages by the site's own identity provider.

use super::address::{AddressFault, bare, judged};
use super::files::{secret, taken};
use super::oidc_problem::OidcProblem;
use super::parse::Reading;
use super::problem::Problem;
use super::secrets;
use super::show::quoted;
use super::tls::authorities;
use crate::base::Private;
use crate::dialplan::Finding;
use crate::dialplan::reader::{At, Table};
use crate::dialplan::shape::Shape;
use crate::people::sign_on::{ClaimPath, MOST_ADDRESS, Terms, WAY_BACK};
use crate::people::{Role, is_user};
use http::Uri;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use tokio_rustls::rustls::pki_types::CertificateDer;

/// Groups that may be given roles.
const MOST_GROUPS: usize = 256;
/// Scopes besides `openid`.
const MOST_SCOPES: usize = 16;

/// The identity provider, and what is made of its word.
#[derive(Clone, Debug)]
pub struct OidcConfig {
    /// What was agreed with it.
    pub terms: Terms,
    /// Holds our secret there; none: we have none, and PKCE alone proves us.
    pub secret_file: Option<PathBuf>,
    /// What that file holds.
    pub secret: Private<String>,
    /// Whether it may be on this machine or in a private network, and without TLS.
    pub private: bool,
    /// Authorities that its certificate is judged by; none: those of the machine.
    pub ca: Option<PathBuf>,
    /// What that file holds.
    pub authorities: Vec<CertificateDer<'static>>,
}

impl Reading<'_, '_> {
    /// None when a part is missing or wrong, which has been told.
    pub(super) fn oidc(&mut self, mut table: Table, has_people: bool) -> Option<OidcConfig> {
        let private = table.flag("private", false, self.out);
        let issuer = table.need("issuer", "issuer = \"https://id.example\"", self.out);
        let issuer = issuer.and_then(|item| item.raw(self.out));
        let issuer = issuer.and_then(|text| self.issuer(text, private));
        let client_id = table.need("client_id", "client_id = \"madoguchi\"", self.out);
        let client_id = client_id.and_then(|item| item.raw(self.out));
        let client_id = client_id.and_then(|text| self.printable("client_id", text, 256));
        let secret_file = table.get("client_secret_file").and_then(|item| self.path(&item));
        let address = table.need("address", "address = \"https://desk.example\"", self.out);
        let address = address.and_then(|item| item.raw(self.out));
        let address = address.and_then(|text| self.pages_address(text, private));
        let ca = table.get("ca").and_then(|item| self.path(&item));
        let scope = self.scope(&mut table);
        let user = self.claim(&mut table, "user_claim");
        let user = user.or_else(|| ClaimPath::new("preferred_username"));
        let domain = table.get("user_domain").and_then(|item| item.raw(self.out));
        let domain = domain.and_then(|text| self.printable("user_domain", text, 253));
        let name = self.claim(&mut table, "name_claim");
        let extension = self.claim(&mut table, "extension_claim");
        let half = table.has("role_claim") != table.has("roles");
        let nobody = !half && !table.has("role_claim") && !has_people;
        let role = self.claim(&mut table, "role_claim");
        let at = table.key_span(if table.has("roles") { "roles" } else { "role_claim" });
        let roles = table.table("roles", self.out).map(|table| self.roles(table));
        let name_span = table.key_span("name_claim");
        if name.is_some() && half | role.is_none() {
            self.out.at(&name_span, Problem::Oidc(OidcProblem::NameOfFile));
        }
        table.finish(self.out);
        if half {
            self.out.at(&at, Problem::Oidc(OidcProblem::HalfRoles));
        }
        if nobody {
            self.out.at(&at, Problem::Oidc(OidcProblem::NoRoles));
        }
        let terms = Terms {
            issuer: issuer?,
            client_id: client_id?,
            redirect: format!("{}{WAY_BACK}", address?),
            scope,
            user: user?,
            domain,
            name,
            extension,
            roles: role.zip(roles),
        };
        let (secret, authorities) = (Private::default(), Vec::new());
        Some(OidcConfig { terms, secret_file, secret, private, ca, authorities })
    }

    /// An address without user, query and fragment; scheme and host.
    fn base_address(text: &str) -> Option<(Uri, String)> {
        let url = text.parse::<Uri>().ok().filter(|_| text.len() <= MOST_ADDRESS)?;
        let host = bare(&url)?;
        let is_http = matches!(url.scheme_str(), Some("http" | "https"));
        let is_bare = !text.contains(['@', '#', '?']);
        (is_http && is_bare && !host.is_empty()).then_some((url, host))
    }

    fn issuer(&mut self, text: At<String>, private: bool) -> Option<String> {
        let read = Self::base_address(&text.value).ok_or(AddressFault::Bad);
        let problem = match read.and_then(|_| judged(&text.value, private)) {
            Ok(_) => return Some(text.value),
            Err(AddressFault::Bad) => OidcProblem::BadIssuer { found: text.value },
            Err(AddressFault::Plain { host }) => OidcProblem::PlainIssuer { host },
            Err(AddressFault::Private { host }) => OidcProblem::PrivateIssuer { host },
        };
        self.out.at(&text.span, Problem::Oidc(problem));
        None
    }

    /// Ours, without a path: where browsers reach the pages.
    fn pages_address(&mut self, text: At<String>, private: bool) -> Option<String> {
        let read = Self::base_address(&text.value).filter(|(url, host)| {
            let local = private || host == "localhost";
            let local = local || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
            url.path() == "/" && (url.scheme_str() == Some("https") || local)
        });
        if read.is_none() {
            let found = text.value;
            self.out.at(&text.span, Problem::Oidc(OidcProblem::BadAddress { found }));
            return None;
        }
        Some(text.value.trim_end_matches('/').to_owned())
    }

    fn printable(&mut self, key: &'static str, text: At<String>, most: usize) -> Option<String> {
        let fits = (1..=most).contains(&text.value.len());
        if fits && text.value.bytes().all(|b| b.is_ascii_graphic()) {
            return Some(text.value);
        }
        self.out.at(&text.span, Problem::Oidc(OidcProblem::BadText { key, most }));
        None
    }

    fn claim(&mut self, table: &mut Table, key: &'static str) -> Option<ClaimPath> {
        let text = table.get(key)?.raw(self.out)?;
        let path = ClaimPath::new(&text.value);
        if path.is_none() {
            self.out.at(&text.span, Problem::Oidc(OidcProblem::BadText { key, most: 128 }));
        }
        path
    }

    fn scope(&mut self, table: &mut Table) -> String {
        let Some(listed) = table.get("scopes") else { return "openid profile".to_owned() };
        let mut scope = "openid".to_owned();
        let entries = listed.list(self.out).unwrap_or_default();
        if entries.len() > MOST_SCOPES {
            let problem = Shape::TooMany { key: "scopes".to_owned(), most: MOST_SCOPES };
            self.out.at(&listed.span, problem);
        }
        for entry in entries.iter().take(MOST_SCOPES) {
            let Some(text) = entry.raw(self.out) else { continue };
            // RFC 6749 §3.3: printable, without quotes and backslashes.
            if text.value.contains(['"', '\\']) {
                let problem = OidcProblem::BadText { key: "scopes", most: 128 };
                self.out.at(&text.span, Problem::Oidc(problem));
                continue;
            }
            if let Some(one) = self.printable("scopes", text, 128).filter(|one| one != "openid") {
                scope.push(' ');
                scope.push_str(&one);
            }
        }
        scope
    }

    fn roles(&mut self, table: Table) -> BTreeMap<String, Role> {
        let mut roles = BTreeMap::new();
        for (group, item) in table.entries() {
            if roles.len() >= MOST_GROUPS {
                let key = "roles".to_owned();
                self.out.at(&group.span, Shape::TooMany { key, most: MOST_GROUPS });
                break;
            }
            if let Some(role) = item.word(&Role::ALL, self.out) {
                roles.insert(group.value, role);
            }
        }
        roles
    }
}

impl OidcConfig {
    /// Reads the secret and the authorities.
    pub(super) fn load(&mut self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Some(file) = &self.secret_file {
            let absent = Problem::Oidc(OidcProblem::NoSecret);
            let read = secret(file, secrets::trunk_password, absent);
            taken(read, &mut self.secret, &mut findings);
        }
        if let Some(ca) = &self.ca {
            taken(authorities(ca), &mut self.authorities, &mut findings);
        }
        findings
    }

    pub(super) fn show(&self, line: &mut impl FnMut(String)) {
        let path = |path: &Path| quoted(&path.display().to_string());
        let terms = &self.terms;
        let address = terms.redirect.strip_suffix(WAY_BACK).unwrap_or_default();
        line("\n[http.oidc]".to_owned());
        line(format!("issuer = {}", quoted(&terms.issuer)));
        line(format!("client_id = {}", quoted(&terms.client_id)));
        if let Some(file) = &self.secret_file {
            line(format!("client_secret_file = {}", path(file)));
        }
        line(format!("address = {}", quoted(address)));
        let scopes = terms.scope.split(' ').skip(1).map(quoted).collect::<Vec<_>>().join(", ");
        line(format!("scopes = [{scopes}]"));
        line(format!("user_claim = {}", quoted(terms.user.as_str())));
        if let Some(domain) = &terms.domain {
            line(format!("user_domain = {}", quoted(domain)));
        }
        for (key, claim) in [("name_claim", &terms.name), ("extension_claim", &terms.extension)] {
            if let Some(claim) = claim {
                line(format!("{key} = {}", quoted(claim.as_str())));
            }
        }
        if let Some(ca) = &self.ca {
            line(format!("ca = {}", path(ca)));
        }
        line(format!("private = {}", self.private));
        if let Some((claim, roles)) = &terms.roles {
            line(format!("role_claim = {}", quoted(claim.as_str())));
            line("\n[http.oidc.roles]".to_owned());
            for (group, role) in roles {
                line(format!("{} = \"{role}\"", key(group)));
            }
        }
    }
}

/// A key as TOML writes it.
fn key(text: &str) -> String {
    let is_bare = is_user(text) && !text.contains('.');
    if is_bare { text.to_owned() } else { quoted(text) }
}

#[cfg(test)]
mod tests {
    use crate::config::parse;
    use crate::people::Role;
    use std::path::Path;

    const PLAIN: &str = "[sip]\nlisten = [\"udp:127.0.0.1:5060\"]\nrealm = \"desk.example\"\n[media]\naddress = \"127.0.0.1\"\n\
                         [plan]\nfile = \"plan.toml\"\n[http]\npeople_file = \"people.toml\"\n";
    const LEAST: &str = "issuer = \"https://id.example/realms/desk\"\nclient_id = \"madoguchi\"\naddress = \"https://desk.example/\"\n";

    fn read(more: &str) -> Result<(crate::config::Config, Vec<String>), Vec<String>> {
        let codes = |list: Vec<crate::dialplan::Finding>| {
            list.iter().map(|finding| finding.message.code.to_owned()).collect::<Vec<_>>()
        };
        let read = parse(&format!("{PLAIN}{more}"), "x.toml", Path::new("/x"));
        read.map(|(config, list)| (config, codes(list))).map_err(codes)
    }

    #[test]
    fn the_provider_is_read_and_shown() {
        assert!(read("").expect("good").0.http.oidc.is_none());
        let (config, found) = read(&format!("[http.oidc]\n{LEAST}")).expect("good");
        assert_eq!(found, [""; 0]);
        let terms = &config.http.oidc.as_ref().expect("said").terms;
        assert_eq!(terms.redirect, "https://desk.example/login/oidc/back");
        assert_eq!(
            (terms.scope.as_str(), terms.user.as_str()),
            ("openid profile", "preferred_username")
        );
        let all = format!(
            "[http.oidc]\n{LEAST}client_secret_file = \"secrets/oidc\"\nscopes = [\"profile\", \"groups\"]\nuser_claim = \"upn\"\n\
             user_domain = \"desk.example\"\nname_claim = \"name\"\nextension_claim = \"desk.line\"\nca = \"ca.pem\"\nprivate = true\n\
             role_claim = \"realm_access.roles\"\n[http.oidc.roles]\ndesk-boss = \"supervisor\"\n\"cn=agents,ou=desk\" = \"agent\"\n"
        );
        let (config, found) = read(&all).expect("good");
        assert_eq!(found, [""; 0]);
        let oidc = config.http.oidc.as_ref().expect("said");
        let (_, roles) = oidc.terms.roles.as_ref().expect("given");
        assert_eq!(roles.get("cn=agents,ou=desk"), Some(&Role::Agent));
        let shown = config.show();
        let again = parse(&shown, "y.toml", Path::new("/y")).expect("good").0;
        assert_eq!(again.show(), shown);
        assert!(config.needs_restart(&read("").expect("good").0).len() > 5);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let with = |from: &str, to: &str| LEAST.replace(from, to);
        let table = [
            (String::new(), "missing-key"),
            (with("https://id.example/realms/desk", "id.example"), "bad-issuer"),
            (with("https://id.example/realms/desk", "https://id.example/?x=1"), "bad-issuer"),
            (with("https://id.example/realms/desk", "http://id.example"), "plain-issuer"),
            (with("https://id.example/realms/desk", "https://10.0.0.1"), "private-issuer"),
            (with("https://id.example/realms/desk", "https://localhost"), "private-issuer"),
            (with("https://desk.example/", "https://desk.example/pages"), "bad-address"),
            (with("https://desk.example/", "http://desk.example"), "bad-address"),
            (with("madoguchi", "two words"), "bad-oidc-text"),
            (format!("{LEAST}user_claim = \"\"\n"), "bad-oidc-text"),
            (format!("{LEAST}scopes = [\"a b\"]\n"), "bad-oidc-text"),
            (format!("{LEAST}role_claim = \"groups\"\n"), "half-roles"),
            (format!("{LEAST}[http.oidc.roles]\na = \"agent\"\n"), "half-roles"),
            (
                format!("{LEAST}role_claim = \"groups\"\n[http.oidc.roles]\na = \"boss\"\n"),
                "bad-word",
            ),
            (format!("{LEAST}secret = \"x\"\n"), "unknown-key"),
        ];
        for (more, due) in table {
            let found = read(&format!("[http.oidc]\n{more}")).expect_err(&more);
            assert!(found.contains(&due.to_owned()), "{more}: {found:?}");
        }
        let nobody = PLAIN.replace("people_file = \"people.toml\"\n", "");
        let text = format!("{nobody}[http.oidc]\n{LEAST}");
        let found = parse(&text, "x.toml", Path::new("/x")).expect_err("nothing gives a role");
        assert!(found.iter().any(|finding| finding.message.code == "no-roles"), "{found:?}");
        let (_, found) =
            read(&format!("[http.oidc]\n{LEAST}name_claim = \"name\"\n")).expect("good");
        assert_eq!(found, ["name-of-file"]);
        let near = LEAST.replace("https://id.example/realms/desk", "http://127.0.0.1:9");
        let near = near.replace("https://desk.example/", "http://127.0.0.1:8080");
        assert_eq!(read(&format!("[http.oidc]\n{near}private = true\n")).expect("good").1, [""; 0]);
    }
}
