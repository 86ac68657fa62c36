//! What is read again while the desk serves (SIGHUP): the certificate, its key and the authorities.
//! Connections that stand go on as they are; what is wrong leaves everything in force.

use crate::cli::Language;
use crate::config::{Config, TlsConfig, TlsFiles, load_tls};
use crate::dialplan::Finding;
use crate::io::net::{Peers, Tls, TlsParts};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use tokio_rustls::rustls::pki_types::ServerName;

/// The files of `[sip.tls]` and what was made of them.
pub(super) struct Certificates {
    config: TlsConfig,
    names: Names,
    pub tls: Arc<Tls>,
}

impl Certificates {
    /// None without `[sip.tls]`.
    ///
    /// # Errors
    ///
    /// What TLS says against the files, which the reading has not seen.
    pub fn new(config: &Config) -> Result<Option<Self>, String> {
        let (Some(tls), Some(files)) = (&config.sip.tls, &config.tls) else { return Ok(None) };
        let mut names = Names::new();
        for trunk in &config.trunks {
            let known =
                trunk.tls_names.iter().filter_map(|name| ServerName::try_from(name.clone()).ok());
            let known: Vec<_> = known.collect();
            for source in trunk.sources.iter().filter(|_| !known.is_empty()) {
                names.entry(source.ip().to_canonical()).or_default().extend(known.iter().cloned());
            }
        }
        let made = Tls::new(parts(tls, files.clone(), names.clone()));
        let made = Arc::new(made.map_err(|error| error.to_string())?);
        Ok(Some(Self { config: tls.clone(), names, tls: made }))
    }

    /// Reads the files again; the log says what came of it.
    pub fn reload(&self) {
        let said = |findings: &[Finding]| {
            let lang = Language::default().choose();
            let lines = findings.iter().map(|finding| finding.render(lang));
            lines.collect::<Vec<_>>().join("\n")
        };
        let file = self.config.certificate.display();
        let (files, warnings) = match load_tls(&self.config) {
            Ok(loaded) => loaded,
            Err(findings) => {
                let why = said(&findings);
                tracing::error!(%file, "the new certificate is refused and the old one stays in force:\n{why}");
                return;
            }
        };
        // One that nobody can believe must not take the place of one that is believed.
        let dead = |finding: &Finding| {
            matches!(finding.message.code, "certificate-over" | "certificate-early")
        };
        if warnings.iter().any(dead) {
            let why = said(&warnings);
            tracing::error!(%file, "the new certificate is refused and the old one stays in force:\n{why}");
            return;
        }
        match self.tls.replace(parts(&self.config, files, self.names.clone())) {
            Ok(()) if warnings.is_empty() => {
                tracing::info!(%file, "the certificate was read again and is in force");
            }
            Ok(()) => {
                let why = said(&warnings);
                tracing::warn!(%file, "the certificate was read again and is in force:\n{why}");
            }
            Err(error) => {
                tracing::error!(%file, %error, "the new certificate is refused and the old one stays in force");
            }
        }
    }
}

/// As [`TlsParts`] has them.
type Names = BTreeMap<IpAddr, Vec<ServerName<'static>>>;

fn parts(config: &TlsConfig, files: TlsFiles, names: Names) -> TlsParts {
    let peers = if config.verify_peers { Peers::By(files.peer_ca) } else { Peers::Unverified };
    let TlsFiles { chain, key, client_ca, .. } = files;
    TlsParts { chain, key, clients: client_ca, peers, names }
}
