//! The files of `[sip.tls]`: read, and judged as far as one can without a peer, so that what is wrong is
//! said at `check` and at the start, in words that name the file and the mend.

use super::files::{read, whole};
use super::problem::Problem;
use super::tls_problem::{Pem, TlsProblem};
use super::{Config, TlsConfig, TrunkConfig};
use crate::dialplan::Finding;
use crate::sip::api::Transport;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::{Error as PemError, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{Error, RootCertStore};

/// From this many days before its end on a certificate is warned of.
const WARN_DAYS: i64 = 30;
const DAY_S: i64 = 86_400;
/// Most certificates in one file.
const MOST_CERTIFICATES: usize = 1_000;

/// What the files hold.
#[derive(Debug)]
pub struct TlsFiles {
    /// Our certificate first, then what leads to its authority.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its key; `Debug` does not show it.
    pub key: PrivateKeyDer<'static>,
    /// Authorities for certificates that connecting peers show.
    pub client_ca: Vec<CertificateDer<'static>>,
    /// Authorities for those to whom we connect.
    pub peer_ca: Vec<CertificateDer<'static>>,
}

impl Clone for TlsFiles {
    fn clone(&self) -> Self {
        Self {
            chain: self.chain.clone(),
            key: self.key.clone_key(),
            client_ca: self.client_ca.clone(),
            peer_ca: self.peer_ca.clone(),
        }
    }
}

impl TlsFiles {
    /// Whole days from `now_s`, seconds since 1970, to the end of our certificate, below zero when it is over; none
    /// when that is written otherwise than RFC 5280 says.
    #[must_use]
    pub fn days_left(&self, now_s: i64) -> Option<i64> {
        Some(self.end_s()?.saturating_sub(now_s).div_euclid(DAY_S))
    }

    /// The end of our certificate, seconds since 1970; none as of [`Self::days_left`].
    #[must_use]
    pub fn end_s(&self) -> Option<i64> {
        let (_, until_s) = period(self.chain.first()?)?;
        Some(until_s)
    }
}

/// Reads and judges the files; a certificate that is over is a warning, since a desk whose phones do not
/// look is better open.
///
/// # Errors
///
/// Everything that was found, when any of it is an error.
pub fn load_tls(config: &TlsConfig) -> Result<(TlsFiles, Vec<Finding>), Vec<Finding>> {
    let mut findings = Vec::new();
    let name = config.certificate.display().to_string();
    let mut kept = |result: Result<Vec<CertificateDer<'static>>, Vec<Finding>>| {
        result.map_err(|list| findings.extend(list)).ok()
    };
    let chain = kept(certificates(&config.certificate));
    let client_ca = kept(config.client_ca.as_deref().map_or(Ok(Vec::new()), authorities));
    let peer_ca = kept(config.peer_ca.as_deref().map_or(Ok(Vec::new()), authorities));
    let key = match key(&config.key) {
        Ok(key) => Some(key),
        Err(list) => {
            findings.extend(list);
            None
        }
    };
    let (Some(chain), Some(key), Some(client_ca), Some(peer_ca)) = (chain, key, client_ca, peer_ca)
    else {
        return Err(findings);
    };
    let files = TlsFiles { chain, key, client_ca, peer_ca };
    if let Err(problem) = judge(&files, &config.key) {
        findings.extend(whole(&name, problem));
        return Err(findings);
    }
    if let Some(own) = files.chain.first() {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now_s = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        findings.extend(validity(own, now_s).into_iter().flat_map(|it| whole(&name, it)));
    }
    Ok((files, findings))
}

/// How the certificate fits what else is configured.
pub(super) fn fits(config: &Config) -> Vec<Finding> {
    let (Some(tls), Some(files)) = (&config.sip.tls, &config.tls) else { return Vec::new() };
    let name = tls.certificate.display().to_string();
    let mut problems = Vec::new();
    let names =
        config.sip.hosts.iter().cloned().chain(config.sip.advertise.map(|ip| ip.to_string()));
    let secure = config.sip.listen.iter().filter(|listen| listen.transport.is_secure());
    let ips = secure.map(|listen| listen.address.ip()).filter(|ip| !ip.is_unspecified());
    let mut names: Vec<String> = names.chain(ips.map(|ip| ip.to_string())).collect();
    names.sort_unstable();
    names.dedup();
    if let Some(Ok(own)) = files.chain.first().map(ParsedCertificate::try_from) {
        let named = |name: &String| {
            ServerName::try_from(name.as_str())
                .is_ok_and(|name| verify_server_name(&own, &name).is_ok())
        };
        if !names.is_empty() && !names.iter().any(named) {
            problems.push(Problem::Tls(TlsProblem::NotNamed { names: names.join(", ") }));
        }
    }
    let by_tls = |trunk: &TrunkConfig| trunk.transport == Some(Transport::Tls);
    let calls = config.trunks.iter().any(|trunk| by_tls(trunk) && trunk.upstream.is_some())
        || config.fixed_phones.values().any(|contact| contact.ends_with(";transport=tls"));
    for trunk in config.trunks.iter().filter(|trunk| !trunk.tls_names.is_empty()) {
        if tls.client_ca.is_none() {
            problems.push(Problem::Tls(TlsProblem::NoClientCa { name: trunk.name.to_string() }));
        }
    }
    if !tls.verify_peers {
        problems.push(Problem::Tls(TlsProblem::Unverified));
    } else if calls && tls.peer_ca.is_none() {
        problems.push(Problem::Tls(TlsProblem::NoPeerCa));
    }
    problems.into_iter().flat_map(|problem| whole(&name, problem)).collect()
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Vec<Finding>> {
    let name = path.display().to_string();
    let text = read(path, &name, false)?;
    let broken = |error: PemError| {
        whole(&name, Problem::Tls(TlsProblem::BadPem { error: error.to_string() }))
    };
    let found: Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(text.as_bytes()).take(MOST_CERTIFICATES).collect();
    let found = found.map_err(broken)?;
    if found.is_empty() {
        return Err(whole(&name, Problem::Tls(TlsProblem::NoPem { what: Pem::Certificate })));
    }
    Ok(found)
}

pub(super) fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, Vec<Finding>> {
    let found = certificates(path)?;
    let mut roots = RootCertStore::empty();
    for authority in &found {
        if let Err(error) = roots.add(authority.clone()) {
            let error = error.to_string();
            return Err(whole(
                &path.display().to_string(),
                Problem::Tls(TlsProblem::BadCertificate { error }),
            ));
        }
    }
    Ok(found)
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, Vec<Finding>> {
    let name = path.display().to_string();
    let text = read(path, &name, true)?;
    PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|error| {
        let problem = match error {
            PemError::NoItemsFound => Problem::Tls(TlsProblem::NoPem { what: Pem::Key }),
            // Its words may hold a line of the file.
            _ => Problem::Tls(TlsProblem::BadPem { error: "the key".to_owned() }),
        };
        whole(&name, problem)
    })
}

fn judge(files: &TlsFiles, key: &Path) -> Result<(), Problem> {
    match CertifiedKey::from_der(files.chain.clone(), files.key.clone_key(), &default_provider()) {
        Ok(_) => Ok(()),
        Err(Error::InconsistentKeys(_)) => {
            Err(Problem::Tls(TlsProblem::OtherKey { key: key.display().to_string() }))
        }
        Err(error) => Err(Problem::Tls(TlsProblem::BadCertificate { error: error.to_string() })),
    }
}

fn validity(certificate: &[u8], now_s: i64) -> Option<Problem> {
    let (from_s, until_s) = period(certificate)?;
    let days = |seconds: i64| seconds.div_euclid(DAY_S);
    if now_s > until_s {
        Some(Problem::Tls(TlsProblem::NotValid {
            since_days: days(now_s.saturating_sub(until_s)),
            over: true,
        }))
    } else if now_s < from_s {
        Some(Problem::Tls(TlsProblem::NotValid {
            since_days: days(from_s.saturating_sub(now_s)),
            over: false,
        }))
    } else {
        let left = days(until_s.saturating_sub(now_s));
        (left < WARN_DAYS).then_some(Problem::Tls(TlsProblem::Expires { days: left }))
    }
}

/// From when until when a certificate is valid (RFC 5280 §4.1.2.5), in seconds since 1970. None when it is
/// written otherwise than the RFC says.
fn period(certificate: &[u8]) -> Option<(i64, i64)> {
    const SEQUENCE: u8 = 0x30;
    let (tag, certificate, _) = element(certificate)?;
    let (_, mut fields, _) = element(certificate).filter(|_| tag == SEQUENCE)?;
    if fields.first() == Some(&0xa0) {
        (_, _, fields) = element(fields)?; // the version
    }
    for _serial_algorithm_issuer in 0..3 {
        (_, _, fields) = element(fields)?;
    }
    let (_, validity, _) = element(fields)?;
    let (kind, from, rest) = element(validity)?;
    let from = time(kind, from)?;
    let (kind, until, _) = element(rest)?;
    Some((from, time(kind, until)?))
}

/// One element of DER: its tag, what it holds, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match *first {
        short @ 0..=0x7f => (usize::from(short), rest),
        long => {
            let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            let mut length = 0_usize;
            for digit in digits {
                length = length.checked_mul(256)?.checked_add(usize::from(*digit))?;
            }
            (length, rest)
        }
    };
    let (held, rest) = rest.split_at_checked(length)?;
    Some((*tag, held, rest))
}

/// `UTCTime` or `GeneralizedTime`, which RFC 5280 has in seconds and ending in Z.
fn time(kind: u8, text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let form = match kind {
        0x17 => "%y%m%d%H%M%SZ", // chrono's %y turns at 69, RFC 5280's at 50: nothing was signed then
        0x18 => "%Y%m%d%H%M%SZ",
        _ => return None,
    };
    let time = chrono::NaiveDateTime::parse_from_str(text, form).ok()?;
    Some(time.and_utc().timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    /// Files of an authority's own in a folder that goes with the test.
    struct Files(PathBuf);

    impl Files {
        fn new(name: &str) -> Self {
            let folder = format!("madoguchi-tls-{}-{name}", std::process::id());
            let folder = std::env::temp_dir().join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        fn write(&self, name: &str, text: &str, mode: u32) -> PathBuf {
            let path = self.0.join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            path
        }
    }

    impl Drop for Files {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn what_is_wrong_with_certificate_and_key_is_said_and_their_text_is_not() {
        let files = Files::new("faults");
        let made = || {
            let made = rcgen::generate_simple_self_signed(vec!["desk.example".to_owned()]).unwrap();
            (made.cert.pem(), made.signing_key.serialize_pem())
        };
        let ((certificate, key), (_, other)) = (made(), made());
        let good = files.write("good.pem", &certificate, 0o644);
        let good_key = files.write("good.key", &key, 0o600);
        let cut = certificate[..certificate.len() / 2].to_owned();
        let no_der = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let table = [
            ("well", good.clone(), good_key.clone(), ""),
            (
                "a key for all to read",
                good.clone(),
                files.write("open.key", &key, 0o640),
                "readable-secret",
            ),
            ("another's key", good.clone(), files.write("other.key", &other, 0o600), "other-key"),
            ("no key", good.clone(), files.write("no.key", &certificate, 0o600), "no-pem"),
            (
                "no certificate",
                files.write("no.pem", "# empty\n", 0o644),
                good_key.clone(),
                "no-pem",
            ),
            (
                "a file that is cut",
                files.write("cut.pem", &cut, 0o644),
                good_key.clone(),
                "bad-pem",
            ),
            (
                "no X.509",
                files.write("der.pem", no_der, 0o644),
                good_key.clone(),
                "bad-certificate",
            ),
            ("no file", files.0.join("none.pem"), good_key.clone(), "unreadable"),
        ];
        for (case, certificate, key, want) in table {
            let (client_ca, peer_ca) = (None, None);
            let config = TlsConfig { certificate, key, client_ca, peer_ca, verify_peers: true };
            let (Ok((_, findings)) | Err(findings)) = load_tls(&config);
            let codes: Vec<&str> = findings.iter().map(|finding| finding.message.code).collect();
            assert_eq!(codes.join(" "), want, "{case}");
            for finding in &findings {
                let said = format!("{finding:?}");
                assert!(key_lines(&other).all(|line| !said.contains(line)), "{case}: {said}");
                assert!(key_lines(&cut).all(|line| !said.contains(line)), "{case}: {said}");
            }
        }
    }

    fn key_lines(pem: &str) -> impl Iterator<Item = &str> {
        pem.lines().filter(|line| line.len() > 20 && !line.starts_with('-'))
    }

    fn certificate(from: (i32, u8, u8), until: (i32, u8, u8)) -> Vec<u8> {
        let mut parameters =
            rcgen::CertificateParams::new(vec!["desk.example".to_owned()]).unwrap();
        parameters.not_before = rcgen::date_time_ymd(from.0, from.1, from.2);
        parameters.not_after = rcgen::date_time_ymd(until.0, until.1, until.2);
        let key = rcgen::KeyPair::generate().unwrap();
        parameters.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_end_of_a_certificate_is_seen_thirty_days_before() {
        // Both forms of time: UTCTime until 2049, GeneralizedTime from 2050 on.
        let (utc, general) =
            (certificate((2026, 1, 1), (2026, 12, 31)), certificate((2026, 1, 1), (2051, 1, 1)));
        let at = |text: &str| {
            chrono::NaiveDate::parse_from_str(text, "%F")
                .unwrap()
                .and_hms_opt(0, 0, 0)
                .unwrap()
                .and_utc()
                .timestamp()
        };
        let table = [
            ("well", &utc, "2026-11-30", None),
            ("29 days", &utc, "2026-12-02", Some(Problem::Tls(TlsProblem::Expires { days: 29 }))),
            (
                "the last day",
                &utc,
                "2026-12-31",
                Some(Problem::Tls(TlsProblem::Expires { days: 0 })),
            ),
            (
                "over",
                &utc,
                "2027-01-05",
                Some(Problem::Tls(TlsProblem::NotValid { since_days: 5, over: true })),
            ),
            (
                "too early",
                &utc,
                "2025-12-30",
                Some(Problem::Tls(TlsProblem::NotValid { since_days: 2, over: false })),
            ),
            ("far ahead", &general, "2040-01-01", None),
            (
                "far ahead, over",
                &general,
                "2051-01-03",
                Some(Problem::Tls(TlsProblem::NotValid { since_days: 2, over: true })),
            ),
        ];
        for (case, certificate, now, want) in table {
            assert_eq!(validity(certificate, at(now)), want, "{case}");
        }
        for cut in 0..utc.len() {
            let _ = period(&utc[..cut]); // whatever it says: it does not panic
        }
    }
}
