//! `[store.site]`: the site's PostgreSQL, to which the history is copied.

use super::files::read;
use super::parse::Reading;
use super::problem::Problem;
use super::show::quoted;
use crate::dialplan::Finding;
use crate::dialplan::reader::Table;
use crate::dialplan::shape::TextRule;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// PostgreSQL's own port.
const PORT: u64 = 5_432;

/// Where the site's store is, and who we are there.
#[derive(Clone, Debug)]
pub struct SiteConfig {
    /// A name, an address, or the directory of a socket, which begins with `/`.
    pub host: String,
    /// Its port, by which a socket is called, too.
    pub port: u16,
    /// The database.
    pub database: String,
    /// The user.
    pub user: String,
    /// Holds the password, and nothing else; none: the server asks for none.
    pub password_file: Option<PathBuf>,
    /// Whether the way is encrypted and the server's certificate verified.
    pub tls: bool,
    /// The authorities that may have signed it, as PEM; none: the public ones.
    pub ca_file: Option<PathBuf>,
}

/// By a socket, or to an address of this machine's own: nobody else can listen.
fn is_here(host: &str) -> bool {
    let address: Option<IpAddr> = host.parse().ok();
    host.starts_with('/') || host == "localhost" || address.is_some_and(|it| it.is_loopback())
}

impl Reading<'_, '_> {
    pub(super) fn site(&mut self, mut table: Table) -> Option<SiteConfig> {
        let host = table.need("host", "host = \"db.example.jp\"", self.out);
        let host = host.and_then(|item| item.text(TextRule::Path, self.out));
        let port = table.integer("port", 1..=u64::from(u16::MAX), PORT, self.out);
        let database = table.need("database", "database = \"madoguchi\"", self.out);
        let database = database.and_then(|item| item.text(TextRule::Path, self.out));
        let user = table.need("user", "user = \"madoguchi\"", self.out);
        let user = user.and_then(|item| item.text(TextRule::Path, self.out));
        let password_file = table.get("password_file").and_then(|item| self.path(&item));
        let tls = table
            .get("tls")
            .and_then(|item| item.word(&[("verified", true), ("off", false)], self.out));
        let ca_file = table.get("ca_file").and_then(|item| self.path(&item));
        table.finish(self.out);
        let (host, database, user) = (host?, database?.value, user?.value);
        let here = is_here(&host.value);
        if !here && tls == Some(false) {
            self.out.at(&host.span, Problem::SiteInClear { host: host.value.clone() });
        }
        Some(SiteConfig {
            host: host.value,
            port: u16::try_from(port).unwrap_or(u16::MAX),
            database,
            user,
            password_file,
            tls: tls.unwrap_or(!here),
            ca_file,
        })
    }
}

impl SiteConfig {
    /// Looks whether its files can be read; what they hold is read anew for each connection.
    pub(super) fn look(&self) -> Vec<Finding> {
        let look = |path: &Option<PathBuf>, secret| {
            let path: &Path = path.as_ref()?;
            read(path, &path.display().to_string(), secret).err()
        };
        let found = [look(&self.password_file, true), look(&self.ca_file, false)];
        found.into_iter().flatten().flatten().collect()
    }

    /// As the file would say it.
    pub(super) fn show(&self, line: &mut impl FnMut(String)) {
        line("\n[store.site]".to_owned());
        line(format!("host = {}", quoted(&self.host)));
        line(format!("port = {}", self.port));
        line(format!("database = {}", quoted(&self.database)));
        line(format!("user = {}", quoted(&self.user)));
        for (name, file) in [("password_file", &self.password_file), ("ca_file", &self.ca_file)] {
            if let Some(file) = file {
                line(format!("{name} = {}", quoted(&file.display().to_string())));
            }
        }
        line(format!("tls = \"{}\"", if self.tls { "verified" } else { "off" }));
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Secrets, load, parse};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    const LEAST: &str = "[sip]\nlisten = [\"udp:127.0.0.1:5060\"]\nrealm = \"desk.example\"\n\
                         [plan]\nfile = \"plan.toml\"\n";

    fn with(lines: &str) -> String {
        format!("{LEAST}[store.site]\n{lines}\ndatabase = \"site\"\nuser = \"desk\"\n")
    }

    #[test]
    fn the_way_to_another_machine_is_encrypted_unless_somebody_says_otherwise() {
        for (lines, tls, told) in [
            ("host = \"db.example.jp\"", true, None),
            ("host = \"db.example.jp\"\ntls = \"off\"", false, Some("site-in-clear")),
            ("host = \"192.0.2.9\"\nport = 6000", true, None),
            ("host = \"127.0.0.1\"", false, None),
            ("host = \"::1\"\ntls = \"verified\"", true, None),
            ("host = \"/run/postgresql\"", false, None),
        ] {
            let (config, findings) =
                parse(&with(lines), "madoguchi.toml", Path::new("/etc")).expect(lines);
            let site = config.store.site.clone().expect("a site");
            assert_eq!(site.tls, tls, "{lines}");
            let codes: Vec<&str> = findings.iter().map(|finding| finding.message.code).collect();
            assert_eq!(codes.contains(&"site-in-clear"), told.is_some(), "{lines}: {codes:?}");
            let shown = config.show();
            let (again, _) = parse(&shown, "shown.toml", Path::new("/etc")).expect(&shown);
            assert_eq!(again.show(), shown);
        }
        for wrong in ["", "host = \"db\"\nport = 0", "host = \"db\"\ntls = \"maybe\"", "host = 5"] {
            assert!(parse(&with(wrong), "madoguchi.toml", Path::new("/etc")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_password_that_others_can_read_is_refused() {
        let folder = std::env::temp_dir().join(format!("madoguchi-site-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let config = folder.join("madoguchi.toml");
        let lines = "host = \"db.example.jp\"\npassword_file = \"password\"";
        std::fs::write(&config, with(lines)).unwrap();
        let secret = folder.join("password");
        assert!(load(&config, Secrets::Look).is_err(), "it is not there");
        std::fs::write(&secret, "open sesame").unwrap();
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
        let findings = load(&config, Secrets::Look).unwrap_err();
        assert_eq!(findings[0].message.code, "readable-secret");
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(load(&config, Secrets::Look).is_ok());
        let _ = std::fs::remove_dir_all(&folder);
    }
}
