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
pub(super) fn is_dead(finding: &Finding) -> bool {
    matches!(finding.message.code, "certificate-over" | "certificate-early")
}

/// Whether the files of `[sip.tls]`, where they were at the last reading, cannot take the place of what
/// is in force.
pub(super) fn are_bad(config: &Config) -> bool {
    config.sip.tls.as_ref().is_some_and(|files| match load_tls(files) {
        Ok((_, warnings)) => warnings.iter().any(is_dead),
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
