//! The certificate, its key and the authorities of `[sip.tls]`, the certificate of the pages, and their
//! replacement while the desk serves. Connections that stand go on as they are.

use super::pulse::Pulse;
use crate::config::{Config, TlsConfig, TlsFiles, load_tls};
use crate::dialplan::Finding;
use crate::io::http::{TlsNow, shown_by_tls};
use crate::io::net::{Peers, Tls, TlsMade, TlsParts};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::sync::watch;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::ServerName;

/// What was made of the files of `[sip.tls]`.
pub(super) struct Certificates {
    pub tls: Arc<Tls>,
}

impl Certificates {
    /// None without `[sip.tls]`.
    ///
    /// # Errors
    ///
    /// What TLS says against the files, which the reading has not seen.
    pub fn new(config: &Config) -> Result<Option<Self>, String> {
        let Some(parts) = parts(config) else { return Ok(None) };
        let made = Arc::new(Tls::new(parts).map_err(|error| error.to_string())?);
        Ok(Some(Self { tls: made }))
    }

    /// What another reading of the configuration holds, for [`Self::replace`]; none without `[sip.tls]`, which is
    /// told as a setting that needs a restart.
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    pub fn make(config: &Config) -> Result<Option<TlsMade>, String> {
        parts(config).map(TlsMade::new).transpose().map_err(|error| error.to_string())
    }

    /// Puts it in the place of the old.
    pub fn replace(&self, made: TlsMade) {
        self.tls.replace(made);
    }
}

/// The certificate of pages and API, which another may take the place of.
pub(super) struct WebCertificate(watch::Sender<Arc<ServerConfig>>);

impl WebCertificate {
    /// None without `[http] certificate`.
    ///
    /// # Errors
    ///
    /// What TLS says against the files.
    pub fn new(config: &Config) -> Result<Option<Self>, String> {
        Ok(Self::make(config)?.map(|shown| Self(watch::channel(shown).0)))
    }

    /// What is shown now and later.
    pub fn now(&self) -> TlsNow {
        self.0.subscribe()
    }

    /// As [`Certificates::make`].
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    pub fn make(config: &Config) -> Result<Option<Arc<ServerConfig>>, String> {
        let Some(files) = config.http_tls.clone() else { return Ok(None) };
        shown_by_tls(files.chain, files.key).map(Some).map_err(|error| error.to_string())
    }

    /// Puts it in the place of the old.
    pub fn replace(&self, made: Arc<ServerConfig>) {
        self.0.send_replace(made);
    }
}

/// Says when what has come in force ends: what a configuration holds of settings that are not in force, since they
/// want a restart, is not told.
pub(super) fn show_ends(
    pulse: &Pulse,
    config: &Config,
    sip: Option<&Certificates>,
    web: Option<&WebCertificate>,
) {
    let show = |end: &AtomicI64, read: Option<&TlsFiles>| {
        // Taken out of the file, and in force still.
        if let Some(read) = read {
            end.store(read.end_s().unwrap_or(0), Ordering::Relaxed);
        }
    };
    show(&pulse.sip_certificate_end_s, sip.and(config.tls.as_ref()));
    show(&pulse.pages_certificate_end_s, web.and(config.http_tls.as_ref()));
}

/// Whether a finding is a certificate that is over, or does not hold yet.
fn is_dead(finding: &Finding) -> bool {
    matches!(finding.message.code, "certificate-over" | "certificate-early")
}

/// Whether a new reading would put a dead certificate in the place of another: nobody could believe it. The one in
/// force that has run out meanwhile stays a warning, so that accounts and plan can be changed until the next one is
/// there.
pub(super) fn would_bring_a_dead_one(running: &Config, new: &Config, warnings: &[Finding]) -> bool {
    let of = |named: &Option<TlsConfig>, read: (&Option<TlsFiles>, &Option<TlsFiles>)| {
        let named = named.as_ref().filter(|_| are_others(read.0.as_ref(), read.1.as_ref()));
        named.map(|named| named.certificate.display().to_string())
    };
    let others = [
        of(&new.sip.tls, (&running.tls, &new.tls)),
        of(&new.http.tls, (&running.http_tls, &new.http_tls)),
    ];
    let is_other = |it: &&Finding| others.iter().flatten().any(|file| **file == *it.file);
    warnings.iter().filter(|it| is_dead(it)).any(|it| is_other(&it))
}

/// Whether two readings hold other certificates.
fn are_others(before: Option<&TlsFiles>, after: Option<&TlsFiles>) -> bool {
    before.map(|files| &files.chain) != after.map(|files| &files.chain)
}

/// Whether the files of `[sip.tls]`, where they were at the last reading, cannot take the place of what
/// is in force.
pub(super) fn are_bad(config: &Config) -> bool {
    config.sip.tls.as_ref().is_some_and(|files| match load_tls(files) {
        Ok((read, warnings)) => {
            warnings.iter().any(is_dead) && are_others(config.tls.as_ref(), Some(&read))
        }
        Err(_) => true,
    })
}

fn parts(config: &Config) -> Option<TlsParts> {
    let (tls, files) = (config.sip.tls.as_ref()?, config.tls.clone()?);
    Some(of(tls, files, names(config)))
}

/// Whose certificate is asked for by whom, as [`TlsParts`] has them.
fn names(config: &Config) -> BTreeMap<IpAddr, Vec<ServerName<'static>>> {
    let mut names: BTreeMap<IpAddr, Vec<ServerName<'static>>> = BTreeMap::new();
    for trunk in &config.trunks {
        let known =
            trunk.tls_names.iter().filter_map(|name| ServerName::try_from(name.clone()).ok());
        let known: Vec<_> = known.collect();
        for source in trunk.sources.iter().filter(|_| !known.is_empty()) {
            names.entry(source.ip().to_canonical()).or_default().extend(known.iter().cloned());
        }
    }
    names
}

fn of(
    config: &TlsConfig,
    files: TlsFiles,
    names: BTreeMap<IpAddr, Vec<ServerName<'static>>>,
) -> TlsParts {
    let peers = if config.verify_peers { Peers::By(files.peer_ca) } else { Peers::Unverified };
    let TlsFiles { chain, key, client_ca, .. } = files;
    TlsParts { chain, key, clients: client_ca, peers, names }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Secrets, load};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    /// A configuration beside its certificate, in a folder that goes with the test.
    struct Files(PathBuf);

    impl Files {
        fn new() -> Self {
            let folder = format!("madoguchi-dead-certificate-{}", std::process::id());
            let files = Self(std::env::temp_dir().join(folder));
            let _ = std::fs::remove_dir_all(&files.0); // left over from a run that was killed
            std::fs::create_dir_all(&files.0).unwrap();
            let text = "[sip]\nlisten = [\"udp:127.0.0.1:5060\", \"tls:127.0.0.1:5061\"]\nrealm = \"desk.example\"\n\
                        [sip.tls]\ncertificate = \"desk.pem\"\nkey = \"desk.key\"\n\
                        [http]\ncertificate = \"pages.pem\"\nkey = \"pages.key\"\n\
                        [plan]\nfile = \"plan.toml\"\n";
            std::fs::write(files.0.join("madoguchi.toml"), text).unwrap();
            files
        }

        /// A certificate that ends on the first day of a year.
        fn sign(&self, name: &str, year: i32) {
            let mut parameters =
                rcgen::CertificateParams::new(vec!["desk.example".to_owned()]).unwrap();
            parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
            parameters.not_after = rcgen::date_time_ymd(year, 1, 1);
            let key = rcgen::KeyPair::generate().unwrap();
            let certificate = parameters.self_signed(&key).unwrap().pem();
            std::fs::write(self.0.join(format!("{name}.pem")), certificate).unwrap();
            let file = self.0.join(format!("{name}.key"));
            std::fs::write(&file, key.serialize_pem()).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        }

        fn read(&self) -> (Config, Vec<Finding>) {
            load(&self.0.join("madoguchi.toml"), Secrets::Look).unwrap()
        }
    }

    impl Drop for Files {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0); // nothing depends on it
        }
    }

    #[test]
    fn a_certificate_that_has_run_out_keeps_nobody_from_a_reload_and_a_new_one_that_has_is_refused()
    {
        let files = Files::new();
        for (name, other) in [("desk", "pages"), ("pages", "desk")] {
            files.sign(name, 2021);
            files.sign(other, 2400);
            let (running, _) = files.read();
            // Somebody adds an account: the certificate is the one from before.
            let (same, warnings) = files.read();
            assert!(warnings.iter().any(is_dead), "{name}: it is told");
            assert!(!would_bring_a_dead_one(&running, &same, &warnings), "{name}");
            assert!(!are_bad(&running), "{name}: no new certificate is refused");
            // The next one is there, or one that has run out, too.
            files.sign(name, 2400);
            let (good, warnings) = files.read();
            assert!(!would_bring_a_dead_one(&running, &good, &warnings), "{name}");
            files.sign(name, 2022);
            let (dead, warnings) = files.read();
            for before in [&running, &good] {
                assert!(would_bring_a_dead_one(before, &dead, &warnings), "{name}");
            }
            assert_eq!(are_bad(&good), name == "desk", "{name}");
        }
    }
}
